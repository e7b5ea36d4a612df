"""Bound a joint spectral radius: structure first, then methods in order of cost, until the question is settled.

The bounds that are proved so far are kept at every moment; whatever ends the search, they are its answer.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property

from flint import fmpq, fmpq_mat

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import midpoint, radius
from piggycheck.linalg import Number, as_float, identity, rational, root_lower, simplest_between
from piggycheck.stability.answers import Bounds, Contractive, Expansive, Moment, Open
from piggycheck.stability.blocks import Blocks, prove_scalars
from piggycheck.stability.long_words import concatenated_words
from piggycheck.stability.methods import METHODS, Method, Tools
from piggycheck.stability.necklaces import necklaces
from piggycheck.stability.problem import Problem
from piggycheck.stability.proof import Proof
from piggycheck.stability.questions import AtLeast, AtMost, BelowOne, Question, Within
from piggycheck.stability.structure import Triangular, triangularise
from piggycheck.stability.word_tree import WordTree
from piggycheck.stability.words import WordBound, leading_words, rate_of_word, search_words
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["decide", "joint_spectral_radius"]

_ROUNDS = 12
_UNCERTAIN_ROUNDS = 3
_ROUND_SECONDS = 0.6
_LONGEST_WORDS = 400
_ACCURACY = fmpq(1, 10**12)
_MOST_EASILY_JOINED = 5
_SHORT, _FEW = 4, 32
_FLOATS_RESOLVE = fmpq(1, 10**10)


def decide(
    system: SwitchedSystem,
    rate: fmpq | None = None,
    *,
    time_limit: float = 10.0,
    trees_only: bool = False,
) -> Contractive | Expansive | Open:
    """Decide whether the joint spectral radius of the matrices A is below 1, or at most a given rate.

    Parameters
    ----------
    system : SwitchedSystem
        Only the matrices A and the graph matter.
    rate : fmpq, optional
        Without a rate the question is whether the radius is *below 1*, and up to about a second more is spent to bring
        the proved rate near the lower bound; with one, whether it is *at most* that rate.
    time_limit : float
        Seconds after which the question is left open.
    trees_only : bool
        Ask for a proof that is a `WordTree` over the letters of the system.

    Returns
    -------
    Contractive
        With a proof of a rate below 1, or of at most the given rate.
    Expansive
        With a word of spectral radius at least 1, or above the rate's power.
    Open
        With the bounds that were reached.

    Raises
    ------
    SwitchedSystemError
        When the rate is not positive.

    Examples
    --------
    >>> pair = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]])
    >>> answer = decide(pair)
    >>> answer.word, answer.modulus_lower
    ((0, 0, 1, 1), 9/8)
    >>> mild = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["19/20", "-3/4"], [1, 0]]])
    >>> answer = decide(mild)
    >>> answer.proof.rate < 1, answer.proof.verify(mild.A)
    (True, True)

    Notes
    -----
    Letters of answers are edges when the system has a graph. When this fails: the closer the joint spectral radius is
    to the rate, the longer the words that are needed; at the rate itself a proof exists only for special systems.
    """
    if rate is not None and rate <= 0:
        raise SwitchedSystemError(f"the rate is {rate}; write a positive number")
    question = BelowOne() if rate is None else AtMost(rate)
    search = _Search(system.unfolded(), [question], time_limit, trees_only=trees_only)
    search.decide_short_words(fmpq(1) if rate is None else rate, strict=rate is not None)
    search.run(search.settled)
    upper = search.upper
    if rate is None and upper is not None and upper < 1:
        search.improve()
    return search.answer(question)


def joint_spectral_radius(
    system: SwitchedSystem,
    *,
    tolerance: Number | None = None,
    lower: Number | None = None,
    upper: Number | None = None,
    time_limit: float = 60.0,
    progress: Callable[[Moment], None] | None = None,
) -> Bounds:
    """Bound the joint spectral radius of the matrices A from both sides, by proofs.

    Parameters
    ----------
    system : SwitchedSystem
        Only the matrices A and the graph matter.
    tolerance : exact number or text, optional
        Stop when the upper bound is at most ``1 + tolerance`` times the lower one; 1/1000 when nothing is asked.
    lower, upper : exact number or text, optional
        Stop when it is known whether the radius is at least `lower`, at most `upper`.
    time_limit : float
        Seconds after which the bounds proved so far are returned.
    progress : callable, optional
        Called with the `Moment` of every improvement.

    Returns
    -------
    Bounds
        An interrupt (Ctrl-C) ends the search like the time limit does; `Bounds.interrupted` says so.

    Raises
    ------
    SwitchedSystemError
        When a bound or the tolerance is not positive, or there is no switched system.
    NumberError
        When one is not an exact rational number.

    Examples
    --------
    >>> ando_shih = SwitchedSystem.from_rows([[[1, 0], [1, 0]], [[0, 1], [0, -1]]])
    >>> bounds = joint_spectral_radius(ando_shih)
    >>> bounds.lower_rate, bounds.upper_rate, bounds.method
    (1, 1, 'polytope')

    Notes
    -----
    Letters of answers are edges when the system has a graph. The theory is in docs/theory/joint-spectral-radius.md.
    When this fails: the time limit ends the search before the bounds meet the tolerance, in particular when the best
    word is long or there are many best words.
    """
    if not isinstance(system, SwitchedSystem):
        raise SwitchedSystemError(f"`{str(system)[:40]}` is no switched system; write SwitchedSystem.from_rows(...)")
    if tolerance is None and lower is None and upper is None:
        tolerance = fmpq(1, 1000)
    asked = {"upper": (AtMost, upper), "lower": (AtLeast, lower), "tolerance": (Within, tolerance)}
    questions = [question(_positive(value, name)) for name, (question, value) in asked.items() if value is not None]
    search = _Search(system.unfolded(), questions, time_limit, progress, allow_forms=True)
    interrupted = False
    try:
        search.run(search.settled)
    except KeyboardInterrupt:
        interrupted = True
    return Bounds(search.lower, search.proof(), tuple(search.history), tuple(search.tried), interrupted)


def _positive(value: Number, name: str) -> fmpq:
    number = rational(value, name)
    if number <= 0:
        raise SwitchedSystemError(f"`{name}` is {number}; write a positive number")
    return number


@dataclass
class _Search:
    """The bounds so far, and what is still to be tried."""

    system: SwitchedSystem
    questions: list[Question]
    time_limit: float
    progress: Callable[[Moment], None] | None = None
    trees_only: bool = False
    allow_forms: bool = False
    lower: WordBound = field(default_factory=lambda: WordBound((0,), fmpq(0), fmpq(0)))
    tried: dict[str, None] = field(default_factory=dict)
    history: list[Moment] = field(default_factory=list)
    stable_below: int = 1

    def __post_init__(self) -> None:
        self.start = time.monotonic()
        self.deadline = self.start + self.time_limit

    # -- what is known -------------------------------------------------------------------------------------------

    @cached_property
    def triangular(self) -> Triangular:
        """The common block-triangular form, found first."""
        return triangularise(self.system.A, time_limit=max(0.0, min(5.0, self.remaining)))

    @cached_property
    def problems(self) -> list[Problem | None]:
        """One problem for each diagonal block; None where all blocks are zero."""
        if self.trees_only:
            return [Problem(self.system.A, tuple(range(len(self.system))))]
        blocks, origins = self.triangular.blocks(self.system.A), self.triangular.origins(self.system.A)
        return [Problem.of(A, names) if A else None for A, names in zip(blocks, origins, strict=True)]

    @property
    def upper(self) -> fmpq | None:
        """The best proved upper bound: the largest of those of the blocks."""
        if "problems" not in self.__dict__:
            return None
        proofs = [problem.proof for problem in self.problems if problem is not None]
        rates = [proof.rate for proof in proofs if proof is not None]
        return max(rates, default=fmpq(0)) if len(rates) == len(proofs) else None

    @property
    def remaining(self) -> float:
        """Seconds left."""
        return self.deadline - time.monotonic()

    def settled(self) -> bool:
        """Whether the bounds answer every question."""
        return all(question.settled(self.lower, self.upper) for question in self.questions)

    def proof(self) -> Proof | None:
        """The proof of the best upper bound, about the matrices of the system."""
        upper = self.upper
        if upper is None:
            return None
        inner = [None if problem is None else problem.given_proof for problem in self.problems]
        first = self.problems[0]
        if self.trees_only and first is not None and isinstance(first.proof, WordTree):
            return first.in_given_basis(first.proof)
        basis = self._basis()
        alone = len(inner) == 1 and sorted(set(first.names if first else ())) == list(range(len(self.system)))
        if alone and basis == identity(self.system.dimension):
            return inner[0]
        return Blocks(upper, basis, self.triangular.sizes, tuple(inner))

    def _basis(self) -> fmpq_mat:
        """The basis of the triangular form, scaled as the problems are."""
        basis, offset = self.triangular.basis * 1, 0
        for problem, size in zip(self.problems, self.triangular.sizes, strict=True):
            for j, scale in enumerate(problem.scales if problem is not None else ()):
                for i in range(basis.nrows()):
                    basis[i, offset + j] *= scale
            offset += size
        return basis

    def answer(self, question: Question) -> Contractive | Expansive | Open:
        """What the bounds say to one question."""
        tried, lower = tuple(self.tried), self.lower
        if question.settled(lower, None):
            return Expansive(lower.word, lower.modulus_lower, lower.rate_lower, self.stable_below, tried)
        proof = self.proof()
        if proof is not None and question.settled(lower, proof.rate):
            return Contractive(proof, lower, tried)
        return Open(lower, proof, tried)

    @cached_property
    def _accuracy(self) -> fmpq:
        """How exactly rates of words have to be known."""
        tolerances = [question.tolerance for question in self.questions if isinstance(question, Within)]
        return min([_ACCURACY, *(tolerance / 100 for tolerance in tolerances)])

    # -- the search ----------------------------------------------------------------------------------------------

    def run(self, enough: Callable[[], bool]) -> None:
        """Work until it is enough, time is over, or nothing is left to try."""
        if enough() or self.remaining <= 0:
            return
        for _ in self.steps:
            if enough() or self.remaining <= 0:
                return

    def improve(self) -> None:
        """Bring the proved rate near the lower bound, for at most about a second."""
        self.deadline = min(self.deadline, time.monotonic() + 1.0)
        self.questions = [Within(fmpq(1, 50))]
        self.run(self._tight)

    def _tight(self) -> bool:
        """Whether the rate needs no improvement; a quadratic form may be further off, because it is so simple."""
        proof = self.proof()
        simple = isinstance(proof, WordTree) and proof.is_quadratic
        return (Within(fmpq(1, 20)) if simple else Within(fmpq(1, 50))).settled(self.lower, self.upper)

    @cached_property
    def steps(self) -> Iterator[None]:
        """Single attempts, always at the block with the largest upper bound."""
        return self._attempts()

    def _attempts(self) -> Iterator[None]:
        work = {index: self._work(problem) for index, problem in enumerate(self.problems) if problem is not None}
        while work:
            index = max(work, key=self._urgency)
            if self._is_finished(index) or next(work[index], None) is None:
                del work[index]
            yield

    def _urgency(self, index: int) -> tuple[bool, fmpq]:
        upper = self._problem(index).upper
        return upper is None, upper if upper is not None else fmpq(0)

    def _is_finished(self, index: int) -> bool:
        """Whether a smaller bound for one block would not matter, or cannot be hoped for."""
        problem = self._problem(index)
        upper, hope = problem.upper, fmpq(0) if problem.bounds_words else problem.reached
        tolerance = min((question.tolerance for question in self.questions if isinstance(question, Within)), default=0)
        return upper is not None and (upper <= self.lower.rate_lower or upper <= hope * (1 + tolerance))

    def _problem(self, index: int) -> Problem:
        problem = self.problems[index]
        assert problem is not None
        return problem

    def _work(self, problem: Problem) -> Iterator[bool]:
        """Attempts at one problem, round by round, each round with more effort."""
        if problem.dimension == 1:
            self._scalars(problem)
            yield True
            return
        for effort in range(_ROUNDS if problem.bounds_words else _UNCERTAIN_ROUNDS):
            self._find_words(problem, effort)
            yield True
            for method in METHODS:
                if (method.gives_trees or not self.trees_only) and method.applies(problem, effort):
                    for aim in self._aims(problem) if method.needs_aim else [fmpq(0)]:
                        self._attempt(problem, method, aim, effort)
                        yield True
            for method in METHODS if self._aims(problem) else ():
                if method.closes_gaps and method.applies(problem, effort):
                    for aim in self._coarse_aims(problem):
                        self._attempt(problem, method, aim, effort)
                        yield True

    def _aims(self, problem: Problem) -> list[fmpq]:
        """Rates that would settle open questions and improve the bound of a problem."""
        lower = self.lower.rate_lower if problem.bounds_words else max(self.lower.rate_lower, problem.reached)
        aims = [
            aim
            for question in self.questions
            if not question.settled(self.lower, self.upper)
            for aim in question.aims(lower)
        ]
        return [aim for aim in aims if aim > 0 and (problem.upper is None or aim < problem.upper)]

    def _coarse_aims(self, problem: Problem) -> list[fmpq]:
        """Rates between what is known and what is asked, where the latter was not reached: any progress is kept."""
        tolerances = [question.tolerance for question in self.questions if isinstance(question, Within)]
        lower, upper = self.lower.rate_lower, problem.upper
        if not tolerances or self.trees_only or upper is None or lower == 0 or upper <= lower:
            return []
        gap = upper / lower - 1
        aims = [gap / 32, root_lower(gap * min(tolerances), 2)]
        return [simplest_between(lower * (1 + aim / 2), lower * (1 + aim)) for aim in aims if aim > _FLOATS_RESOLVE]

    def _attempt(self, problem: Problem, method: Method, aim: fmpq, effort: int) -> None:
        if problem.upper is not None and method.needs_aim and aim >= problem.upper:
            return
        seconds = min(_ROUND_SECONDS * 4**effort, self.remaining)
        if seconds <= 0:
            return
        self.tried[method.name] = None
        if problem.accept(method.prove(problem, aim, Tools(effort, seconds))):
            self._record(method.name)

    def _scalars(self, problem: Problem) -> None:
        """Numbers: the largest modulus is the radius."""
        self.tried["numbers"] = None
        for letter, A in enumerate(problem.A):
            modulus = abs(midpoint(A)[0, 0]) - radius(A)[0, 0]
            if modulus > 0:
                self._keep(WordBound(problem.named((letter,)), modulus, modulus), "numbers")
        if problem.accept(prove_scalars(problem.A)):
            self._record("numbers")

    # -- words ---------------------------------------------------------------------------------------------------

    def decide_short_words(self, target: fmpq, *, strict: bool) -> None:
        """Words as far as a few hundred necklaces reach, each decided exactly."""
        if not self.system.is_certain or self.remaining <= 0:
            return
        search = search_words(self.system, target, strict=strict, max_length=12, word_budget=300, time_limit=0.3)
        self.stable_below = search.stable_below
        self.tried[f"words: all of length below {search.exhaustive_below}, exactly"] = None
        if search.word is not None:
            self._learn(self.system, search.word, search.word)

    def _find_words(self, problem: Problem, effort: int) -> None:
        """Words of large rate that floating point proposes; the best of them bound the radius from below."""
        limit = min(0.3 * 4**effort, max(0.0, self.remaining))
        longest = min(16 * 2**effort, _LONGEST_WORDS)
        found = leading_words(problem.A, max_length=longest, beam=1024 * 2**effort, time_limit=limit)
        if effort or problem.dimension <= _MOST_EASILY_JOINED:
            found += concatenated_words(problem.A, [w for w, _ in found], max_length=4 * longest, time_limit=limit)
        known = dict(problem.words) | dict(found)
        close = max(known.values(), default=0.0) * (1 - 1e-9)
        problem.words = sorted(known.items(), key=lambda item: (-min(item[1], close), len(item[0]), item[0]))[:12]
        self.tried["words, proposed by floating point"] = None
        local = SwitchedSystem.from_rows(problem.A)
        for word, rate in problem.words[: 3 if problem.bounds_words else None]:
            if rate > as_float(self.lower.rate_lower) * (1 - 1e-12):
                name = problem.named(word)
                self._learn(*((local, word) if problem.bounds_words else (self.system, name)), name)
        if not problem.bounds_words and effort == 0:
            self._learn_short_words()

    def _learn_short_words(self) -> None:
        """Of uncertain matrices short words may prove more than those of the largest rates, whose bounds have grown."""
        letters = len(self.system)
        for length in range(1, _SHORT + 1):
            for word in necklaces(letters, length) if letters**length <= _FEW else ():
                if self.remaining > 0:
                    self._learn(self.system, word, word)

    def _learn(self, system: SwitchedSystem, word: Word, name: Word) -> None:
        """Bound the radius by a word of a system, which the whole system calls by another name."""
        bound = rate_of_word(system, word, accuracy=self._accuracy, forms=self.allow_forms)
        product = system.product(word)[0]
        if isinstance(product, fmpq_mat):
            for question in self.questions:
                bound = question.sharpened(bound, product.charpoly())
        self._keep(replace(bound, word=name), "words")

    def _keep(self, bound: WordBound, method: str) -> None:
        if bound.rate_lower > self.lower.rate_lower:
            self.lower = bound
            self._record(method)

    def _record(self, method: str) -> None:
        moment = Moment(time.monotonic() - self.start, method, self.lower.rate_lower, self.upper, self.lower.word)
        self.history.append(moment)
        if self.progress is not None:
            self.progress(moment)

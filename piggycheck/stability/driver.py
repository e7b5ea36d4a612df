"""Decide whether a joint spectral radius lies below a rate: methods in order of cost, until one of them proves it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from flint import fmpq, fmpq_mat

from piggycheck.errors import SwitchedSystemError
from piggycheck.linalg import (
    as_float,
    exceeds_one,
    identity,
    is_schur_stable,
    modulus_lower,
    root_lower,
    scale_roots,
    simplest_between,
)
from piggycheck.stability.balance import balanced, balancing_exponents, diagonal_congruence
from piggycheck.stability.proof import Proof
from piggycheck.stability.word_tree import WordTree, prove_word_tree
from piggycheck.stability.words import WordBound, best_rate_word, rate_of_word, search_words
from piggycheck.switched import SwitchedSystem, Word

if TYPE_CHECKING:
    from piggycheck.stability.floats import Array

__all__ = ["Contractive", "Expansive", "Open", "decide"]

_BOUND_ERROR = fmpq(1_000_001, 1_000_000)
_GAPS = ((fmpq(1, 100), 60), (fmpq(2, 100), 120), (fmpq(5, 100), 200), (fmpq(10, 100), 200))
_ALMOST_ONE = 1 - fmpq(1, 10**100)
_MAX_TREE_NODES = 1_000_000


@dataclass(frozen=True)
class Contractive:
    """The joint spectral radius was proved to be at most ``proof.rate``.

    Parameters
    ----------
    proof : Proof
        Over the letters of the system.
    lower : WordBound
        The best lower bound that was met, for comparison.
    tried : tuple of str
        What was tried, in order.
    """

    proof: Proof
    lower: WordBound
    tried: tuple[str, ...] = ()

    @property
    def rate_upper(self) -> fmpq:
        """The proved upper bound on the joint spectral radius."""
        return self.proof.rate


@dataclass(frozen=True)
class Expansive:
    """A word refutes the bound: some eigenvalue of its product is too large.

    Parameters
    ----------
    word : Word
    modulus_lower : fmpq
        Some eigenvalue of ``A_w`` has at least this modulus, and it is too large: at least 1 when the question was
        whether the joint spectral radius is below 1, above ``rate ** len(word)`` when it was whether it is at most a
        rate.
    rate_lower : fmpq
        Proved lower bound on the joint spectral radius: its ``len(word)``-th power is at most `modulus_lower`.
    stable_below : int
        Every shorter word than this was decided exactly, and its spectral radius is below the rate's power.
    tried : tuple of str
    """

    word: Word
    modulus_lower: fmpq
    rate_lower: fmpq
    stable_below: int = 1
    tried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Open:
    """Neither was proved within the limits.

    Parameters
    ----------
    lower : WordBound
        The best proved lower bound on the joint spectral radius.
    upper : Proof or None
        A proved upper bound, if one was met.
    tried : tuple of str
        What was tried, in order.
    """

    lower: WordBound
    upper: Proof | None
    tried: tuple[str, ...] = ()


def decide(
    system: SwitchedSystem,
    rate: fmpq | None = None,
    *,
    time_limit: float = 10.0,
    improve: bool = True,
    trees_only: bool = False,
) -> Contractive | Expansive | Open:
    """Decide whether the joint spectral radius of the matrices A is below 1, or at most a given rate.

    Parameters
    ----------
    system : SwitchedSystem
        Only the matrices A matter.
    rate : fmpq, optional
        Without a rate the question is whether the radius is *below 1*; with one, whether it is *at most* that rate.
    time_limit : float
        Seconds after which the question is left open.
    improve : bool
        Without a rate, spend up to about a second more to bring the proved rate near the lower bound.
    trees_only : bool
        Ask for a proof that is a `WordTree`.

    Returns
    -------
    Contractive
        With a word tree of a rate below 1, or equal to the given rate.
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
    When this fails: the closer the joint spectral radius is to the rate, the longer the words that are needed; at the
    rate itself a proof exists only for special systems.
    """
    if rate is not None and rate <= 0:
        raise SwitchedSystemError(f"the rate is {rate}; write a positive number")
    problem = _Problem(system, rate, time.monotonic() + time_limit)
    for answer in _answers(problem):
        if isinstance(answer, Contractive) and rate is None and improve:
            return _improved(problem, answer)
        if answer is not None:
            return answer
    return Open(problem.lower, problem.best_upper(), tuple(problem.tried))


@dataclass
class _Problem:
    """The question, and what has been learnt about it so far."""

    system: SwitchedSystem
    rate: fmpq | None
    deadline: float
    tried: list[str] = field(default_factory=list)
    forms: list[tuple[Array, float]] = field(default_factory=list)
    stable_below: int = 1
    _lower: WordBound | None = None

    def __post_init__(self) -> None:
        self.letters = sorted(set(self.system.representatives()))
        self.exponents = balancing_exponents(self.system.A)
        self.all_A = balanced(self.system.A, self.exponents) if any(self.exponents) else list(self.system.A)
        self.A = [self.all_A[i] for i in self.letters]

    @property
    def target(self) -> fmpq:
        """The rate that separates yes from no."""
        return fmpq(1) if self.rate is None else self.rate

    @property
    def lower(self) -> WordBound:
        """The best proved lower bound."""
        if self._lower is None:
            self._lower = rate_of_word(self.system, (0,))
        return self._lower

    def remaining(self, at_most: float = math.inf) -> float:
        """Seconds left."""
        return min(at_most, self.deadline - time.monotonic())

    def out_of_time(self) -> bool:
        return self.remaining() <= 0

    def learn(self, bound: WordBound) -> Expansive | None:
        """Keep a lower bound; an answer when it refutes the rate."""
        if self._lower is None or bound.rate_lower > self._lower.rate_lower:
            self._lower = bound
        power = self.target ** len(bound.word)
        if not self._refutes(bound, power):
            return None
        if bound.modulus_lower < power or (bound.modulus_lower == power and self.rate is not None):
            # The bound is a little below the modulus, and the rate's power lies between the two.
            modulus = modulus_lower(self.system.product(bound.word)[0].charpoly(), above=power)
            bound = WordBound(bound.word, modulus, root_lower(modulus, len(bound.word)))
        return Expansive(bound.word, bound.modulus_lower, bound.rate_lower, self.stable_below, tuple(self.tried))

    def _refutes(self, bound: WordBound, power: fmpq) -> bool:
        if bound.modulus_lower > power:
            return True
        if bound.modulus_lower * _BOUND_ERROR < power:
            return False
        poly = scale_roots(self.system.product(bound.word)[0].charpoly(), power)
        return not is_schur_stable(poly) if self.rate is None else exceeds_one(poly)

    def contractive(self, tree: WordTree) -> Contractive:
        return Contractive(self.in_first_basis(tree), self.lower, tuple(self.tried))

    def in_first_basis(self, tree: WordTree) -> WordTree:
        """The same proof for the matrices before they were balanced."""
        return replace(tree, P=diagonal_congruence(tree.P, self.exponents)) if any(self.exponents) else tree

    def aims(self) -> Iterator[fmpq]:
        """Rates that would settle the question, the easiest first."""
        if self.rate is not None:
            yield self.rate
            return
        gap = 1 - min(self.lower.rate_lower, _ALMOST_ONE)
        yield simplest_between(1 - gap / 4, 1 - gap / 16)
        yield simplest_between(1 - gap / 32, 1 - gap / 128)

    def best_upper(self) -> WordTree | None:
        """A proved upper bound from the best form that is known, above the target."""
        from piggycheck.stability.quadratic import prove_with_form

        for P, rate in sorted(self.forms, key=lambda form: form[1]):
            if not math.isfinite(rate) or rate <= 0:
                continue
            simple = simplest_between(fmpq(*(rate * 1.001).as_integer_ratio()), fmpq(*(rate * 1.02).as_integer_ratio()))
            tree = prove_with_form(self.all_A, P, simple, max_length=1, time_limit=0.5)
            if tree is not None:
                return self.in_first_basis(tree)
        return None


_Answer = Contractive | Expansive | None
_Method = Callable[[_Problem], Iterator[_Answer]]


def _answers(problem: _Problem) -> Iterator[_Answer]:
    """What the methods say in turn, as long as there is time."""
    for method in _METHODS:
        if problem.out_of_time():
            return
        yield from method(problem)


def _short_words(problem: _Problem) -> Iterator[_Answer]:
    """Words as far as a few hundred necklaces reach, each decided exactly."""
    search = search_words(
        problem.system,
        problem.target,
        strict=problem.rate is not None,
        max_length=12,
        word_budget=300,
        time_limit=problem.remaining(0.3),
    )
    problem.stable_below = search.stable_below
    problem.tried.append(f"words: all of length below {search.exhaustive_below}, exactly")
    if search.word is not None:
        yield problem.learn(rate_of_word(problem.system, search.word))
    for letter in problem.letters[:8]:
        problem.learn(rate_of_word(problem.system, (letter,)))


def _zero_products(problem: _Problem) -> Iterator[_Answer]:
    """Jointly nilpotent matrices: every product as long as the dimension is zero."""
    n = problem.system.dimension
    if any(A.charpoly().coeffs()[:-1] != [0] * n for A in problem.A):
        return
    tree = prove_word_tree(problem.all_A, identity(n), fmpq(0), max_length=n, time_limit=problem.remaining())
    problem.tried.append("zero products")
    if tree is not None:
        yield problem.contractive(tree)


def _averaged_form(problem: _Problem) -> Iterator[_Answer]:
    """A form summed over all products: no solver is needed for it."""
    import numpy as np

    from piggycheck.stability.floats import averaged_form, change_basis, float_matrices, squared_norms

    matrices = float_matrices(problem.A)
    P = averaged_form(matrices)
    for form in [P, np.eye(problem.system.dimension)]:
        changed = None if form is None else change_basis(matrices, form)
        if form is not None and changed is not None:
            problem.forms.append((form, float(np.sqrt(squared_norms(changed).max()))))
    problem.tried.append("quadratic form, averaged")
    yield from _with_forms(problem, max_length=1, node_budget=len(problem.A))
    yield from _with_forms(problem, max_length=4, node_budget=60)


def _quadratic(problem: _Problem) -> Iterator[_Answer]:
    """The best quadratic form, from a semidefinite program."""
    from piggycheck.stability.quadratic import guess_quadratic_form

    guess = guess_quadratic_form(problem.A, time_limit=problem.remaining(5.0))
    problem.tried.append("quadratic form, semidefinite program")
    if guess is not None:
        problem.forms.insert(0, guess)
        yield from _with_forms(problem, max_length=1, node_budget=len(problem.A))


def _attained_rate(problem: _Problem) -> Iterator[_Answer]:
    """A given rate that is the spectral radius of some letter."""
    if problem.rate is None or not any(_attains(A, problem.rate) for A in problem.A):
        return
    from piggycheck.stability.attained import prove_attained_rate

    tree = prove_attained_rate(problem.all_A, problem.rate, time_limit=problem.remaining(5.0))
    problem.tried.append("quadratic form on the boundary")
    if tree is not None:
        yield problem.contractive(tree)


def _attains(A: fmpq_mat, rate: fmpq) -> bool:
    poly = scale_roots(A.charpoly(), rate)
    return not is_schur_stable(poly) and not exceeds_one(poly)


def _longer_words(problem: _Problem) -> Iterator[_Answer]:
    """Longer words that floating point proposes."""
    bound = best_rate_word(problem.system, max_length=14, time_limit=problem.remaining(0.5), beam=1024)
    problem.tried.append("words: up to length 14, floating-point search")
    yield problem.learn(bound)


def _trees(problem: _Problem) -> Iterator[_Answer]:
    """Word trees of growing size, with forms that are best for longer and longer words."""
    node_budget, length = 300, 2
    while node_budget <= _MAX_TREE_NODES and not problem.out_of_time():
        problem.tried.append(f"word tree, up to {node_budget} nodes")
        yield from _with_forms(problem, max_length=None, node_budget=node_budget)
        _lift(problem, length)
        yield problem.learn(
            best_rate_word(problem.system, max_length=8 * length, time_limit=problem.remaining(1.0), beam=512 * length)
        )
        node_budget, length = 4 * node_budget, length + 1


def _lift(problem: _Problem, length: int) -> None:
    """Add the form that is best for all words of one length."""
    from itertools import product

    from piggycheck.stability.quadratic import guess_quadratic_form

    if len(problem.A) ** length > 128:
        return
    products: list[fmpq_mat] = []
    for word in product(range(len(problem.A)), repeat=length):
        products.append(math.prod((problem.A[i] for i in reversed(word)), start=identity(problem.system.dimension)))
    guess = guess_quadratic_form(products, [length] * len(products), time_limit=problem.remaining(3.0))
    problem.tried.append(f"quadratic form of all words of length {length}")
    if guess is not None:
        problem.forms.insert(0, (guess[0], math.inf))


def _with_forms(problem: _Problem, *, max_length: int | None, node_budget: int) -> Iterator[_Answer]:
    from piggycheck.stability.quadratic import prove_with_form

    for P, rate in list(problem.forms):
        for aim in problem.aims():
            if max_length == 1 and rate > as_float(aim) * (1 + 1e-6):
                continue
            tree = prove_with_form(
                problem.all_A, P, aim, node_budget=node_budget, max_length=max_length, time_limit=problem.remaining()
            )
            if tree is not None:
                yield problem.contractive(tree)


_METHODS: tuple[_Method, ...] = (
    _short_words,
    _zero_products,
    _averaged_form,
    _quadratic,
    _attained_rate,
    _longer_words,
    _trees,
)
"""Cheapest first. A further proof method is one file, one function here, one entry in this tuple."""


def _improved(problem: _Problem, answer: Contractive) -> Contractive:
    """Bring the rate of a proof towards the lower bound, for at most about a second."""
    from piggycheck.stability.quadratic import guess_quadratic_form

    problem.deadline = min(problem.deadline, time.monotonic() + 1.0)
    problem.learn(best_rate_word(problem.system, max_length=12, time_limit=problem.remaining(0.2), beam=512))
    best = replace(answer, lower=problem.lower)
    if best.proof.rate == 0 or problem.lower.rate_lower == 0:
        return best
    best = _better_quadratic(problem, best)
    if not _is_tight(problem, best):
        guess = guess_quadratic_form(problem.A, time_limit=problem.remaining(0.5))
        if guess is not None:
            problem.forms = [guess]
            best = _better_quadratic(problem, best)
    for length in (2, 3, 4):
        if _is_tight(problem, best):
            break
        lower = problem.lower.rate_lower
        for gap, node_budget in _GAPS:
            best = _better(problem, best, simplest_between(lower * (1 + gap / 2), lower * (1 + gap)), node_budget)
        _lift(problem, length)
    return best


def _is_tight(problem: _Problem, best: Contractive) -> bool:
    """Whether a rate needs no improvement; a quadratic form may be further off, because it is so simple a proof."""
    tree = best.proof
    simple = isinstance(tree, WordTree) and tree.is_quadratic
    return tree.rate <= problem.lower.rate_lower * (fmpq(21, 20) if simple else fmpq(51, 50))


def _better_quadratic(problem: _Problem, best: Contractive) -> Contractive:
    """The rate at which the best form that is known contracts every letter."""
    finite = [rate for _, rate in problem.forms if 0 < rate < math.inf]
    if not finite:
        return best
    rate = fmpq(*min(finite).as_integer_ratio())
    return _better(problem, best, simplest_between(rate * fmpq(1001, 1000), rate * fmpq(101, 100)), len(problem.A))


def _better(problem: _Problem, best: Contractive, aim: fmpq, node_budget: int) -> Contractive:
    """A proof of the aimed rate if it is smaller and found quickly, otherwise the best one so far."""
    from piggycheck.stability.quadratic import prove_with_form

    for P, _ in problem.forms:
        if aim >= best.proof.rate or problem.out_of_time():
            return best
        time_limit = problem.remaining()
        tree = prove_with_form(problem.all_A, P, aim, node_budget=node_budget, time_limit=time_limit)
        if tree is not None:
            best = problem.contractive(tree)
    return best

"""Words whose product grows: necklaces by length, decided exactly, and excitation.

The products of a word and of its rotations have the same eigenvalues, so one Lyndon word stands for each necklace.
Excitation is different: whether the recursion that starts at J0 grows along a word depends on where the word starts.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice, product, tee

from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.errors import SwitchedSystemError
from piggycheck.linalg import (
    block_matrix,
    exceeds_one,
    identity,
    is_schur_stable,
    krylov_minimal_polynomial,
    left_eigenvectors,
    modulus_lower,
    root_lower,
    scale_roots,
    zeros,
)
from piggycheck.switched import SwitchedSystem, Word

__all__ = [
    "DivergingSearch",
    "DivergingWord",
    "WordBound",
    "WordSearch",
    "best_rate_word",
    "excite",
    "find_diverging_word",
    "necklaces",
    "rate_of_word",
    "search_words",
]

_ONE = fmpq(1)
_MAX_LIFTS = 64
_MAX_CANDIDATE_LENGTH = 40


@dataclass(frozen=True)
class WordBound:
    """A word and an exact lower bound on its rate, hence on the joint spectral radius.

    Some eigenvalue of ``A_w`` has modulus at least `modulus_lower`, and ``rate_lower ** len(word) <= modulus_lower``.
    """

    word: Word
    modulus_lower: fmpq
    rate_lower: fmpq


@dataclass(frozen=True)
class WordSearch:
    """What an exact search through the words by length has found.

    Parameters
    ----------
    word : Word or None
        The first word, by length and then alphabetically, whose spectral radius is large enough.
    exhaustive_below : int
        Every word shorter than this was decided exactly, and none was large enough.
    stable_below : int
        Every word shorter than this has a spectral radius strictly below ``rate ** length``.
    decided : int
        Number of necklaces that were decided.
    """

    word: Word | None
    exhaustive_below: int
    stable_below: int
    decided: int


@dataclass(frozen=True)
class DivergingWord:
    """A word along which the recursion ``J -> A J + B`` grows from `J0`, with the numbers that prove it.

    Parameters
    ----------
    word : Word
    J0 : fmpq_mat
        The start; the given one, or one that was found.
    column : int
        The column of J that grows.
    modulus_lower : fmpq
        Some excited eigenvalue of ``A_w`` has modulus at least this, which exceeds 1.
    growth_lower : fmpq
        Growth per step: exceeds 1, and its ``len(word)``-th power is at most `modulus_lower`.
    shortest : bool
        Whether every shorter word was proved to have spectral radius below 1.
    eigenvalue : fmpq or None
        The largest excited eigenvalue, when it is rational and has a left eigenvector that is excited.
    left_eigenvector : tuple of fmpq or None
        Row v with ``v A_w = eigenvalue v``.
    excitation : tuple of fmpq or None
        The row ``v J0 + v B_w / (eigenvalue - 1)``; not zero at `column`.
    """

    word: Word
    J0: fmpq_mat
    column: int
    modulus_lower: fmpq
    growth_lower: fmpq
    shortest: bool = False
    eigenvalue: fmpq | None = None
    left_eigenvector: tuple[fmpq, ...] | None = None
    excitation: tuple[fmpq, ...] | None = None


@dataclass(frozen=True)
class DivergingSearch:
    """The outcome of `find_diverging_word`.

    Parameters
    ----------
    found : DivergingWord or None
    exhaustive_below : int
        Every word shorter than this was decided exactly and does not diverge: its spectral radius is at most 1, or no
        rotation of it is excited.
    stable_below : int
        Every word shorter than this has spectral radius strictly below 1.
    unexcited : tuple of Word
        Words of spectral radius above 1 that the start does not excite.
    """

    found: DivergingWord | None
    exhaustive_below: int
    stable_below: int
    unexcited: tuple[Word, ...] = ()


def necklaces(letters: int, length: int) -> Iterator[Word]:
    """Yield the Lyndon words of one length: each word up to rotation once, powers of shorter words left out.

    Parameters
    ----------
    letters : int
        Size of the alphabet ``0, ..., letters - 1``.
    length : int

    Yields
    ------
    Word
        In alphabetical order.

    Examples
    --------
    >>> list(necklaces(2, 4))
    [(0, 0, 0, 1), (0, 0, 1, 1), (0, 1, 1, 1)]

    Notes
    -----
    When this fails: there are about ``letters ** length / length`` of them.

    References
    ----------
    J.-P. Duval, Génération d'une section des classes de conjugaison et arbre des mots de Lyndon de longueur bornée,
    Theoretical Computer Science 60 (1988).
    """
    if letters < 1 or length < 1:
        return
    word = [-1]
    while word:
        word[-1] += 1
        period = len(word)
        if period == length:
            yield tuple(word)
        while len(word) < length:
            word.append(word[-period])
        while word and word[-1] == letters - 1:
            word.pop()


def search_words(
    system: SwitchedSystem,
    rate: fmpq = _ONE,
    *,
    strict: bool = True,
    max_length: int | None = None,
    word_budget: int = 5000,
    time_limit: float = math.inf,
) -> WordSearch:
    """Find the shortest word whose spectral radius exceeds ``rate ** length``, deciding every word exactly.

    Parameters
    ----------
    system : SwitchedSystem
    rate : fmpq
        A positive number.
    strict : bool
        True asks for a radius above ``rate ** length``, False for one at or above it.
    max_length : int, optional
        Longest words to look at.
    word_budget : int
        How many necklaces are decided at most.
    time_limit : float
        Seconds after which the search stops.

    Returns
    -------
    WordSearch

    Raises
    ------
    SwitchedSystemError
        When the rate is not positive.

    Examples
    --------
    >>> system = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]])
    >>> search_words(system)
    WordSearch(word=(0, 0, 1, 1), exhaustive_below=4, stable_below=4, decided=7)

    Notes
    -----
    Equal matrices are one letter, the first of them. When this fails: the budget ends before a long word is reached;
    `exhaustive_below` says how far the search came.
    """
    if rate <= 0:
        raise SwitchedSystemError(f"the rate is {rate}; write a positive number")
    walk = _ExactWalk(system, rate, max_length, word_budget, time_limit)
    wanted = _ABOVE if strict else _ON
    for word, _, size in walk:
        if size >= wanted:
            return WordSearch(word, walk.finished + 1, walk.stable_below, walk.decided)
    return WordSearch(None, walk.finished + 1, walk.stable_below, walk.decided)


def find_diverging_word(
    system: SwitchedSystem,
    *,
    max_length: int = _MAX_CANDIDATE_LENGTH,
    word_budget: int = 5000,
    time_limit: float = 5.0,
) -> DivergingSearch:
    """Find a word along which the recursion diverges from J0, the shortest one as far as words are decided exactly.

    Parameters
    ----------
    system : SwitchedSystem
        With `J0`, the word is excited from it; without, a start that it excites is found too.
    max_length : int
        Longest words to look at.
    word_budget : int
        How many necklaces are decided exactly, shortest first; after them floating point proposes longer words.
    time_limit : float
        Seconds after which the search stops.

    Returns
    -------
    DivergingSearch

    Examples
    --------
    >>> system = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]], J0=[[1], [1]])
    >>> found = find_diverging_word(system).found
    >>> found.word, found.eigenvalue, found.shortest
    ((0, 0, 1, 1), -9/8, True)
    >>> found.left_eigenvector, found.excitation
    ((1, 0), (1,))

    Notes
    -----
    When this fails: no word within the limits has spectral radius above 1 and is excited. That is no proof of
    convergence; see `piggycheck.stability.decide`.
    """
    start = time.monotonic()
    walk = _ExactWalk(system, _ONE, max_length, word_budget, time_limit)
    unexcited: list[Word] = []
    for word, _, size in walk:
        if size == _ABOVE:
            found = excite(system, word)
            if found is not None:
                found = replace(found, shortest=walk.stable_below >= len(word))
                return DivergingSearch(found, walk.finished + 1, walk.stable_below, tuple(unexcited))
            unexcited.append(word)
    remaining = time_limit - (time.monotonic() - start)
    for word in _candidates(system, walk.finished + 1, max_length, remaining, 1.0):
        if word not in unexcited and exceeds_one(_characteristic_polynomial(system, word)):
            found = excite(system, word)
            if found is not None:
                return DivergingSearch(found, walk.finished + 1, walk.stable_below, tuple(unexcited))
            unexcited.append(word)
    return DivergingSearch(None, walk.finished + 1, walk.stable_below, tuple(unexcited))


def excite(system: SwitchedSystem, word: Sequence[int]) -> DivergingWord | None:
    """Find a rotation of a word along which the recursion grows from J0.

    Parameters
    ----------
    system : SwitchedSystem
        With `J0`, or without; then the columns zero and the unit vectors are tried as starts.
    word : Word
        A word whose product has an eigenvalue of modulus greater than 1.

    Returns
    -------
    DivergingWord or None
        None when no rotation is excited, also with letters exchanged for others that have the same matrix A.

    Examples
    --------
    >>> excite(SwitchedSystem.from_rows([[[2, 0], [0, "1/2"]]], J0=[[0], [1]]), (0,)) is None
    True
    >>> excite(SwitchedSystem.from_rows([[[2, 0], [0, "1/2"]]]), (0,)).J0
    [1]
    [0]

    Notes
    -----
    With ``M = [[A_w, B_w], [0, I]]`` the recursion in column j grows exactly when the minimal polynomial of the
    vector ``(J0 e_j, e_j)`` under M has a root of modulus greater than 1. When this fails: None can also mean that
    more than 64 exchanges of equal letters were possible and the first 64 are not excited.
    """
    classes = [[j for j, A in enumerate(system.A) if A == system.A[letter]] for letter in word]
    for lifted in islice(product(*classes), _MAX_LIFTS):
        for shift in range(len(lifted)):
            rotated = lifted[shift:] + lifted[:shift]
            found = _best_column(system, rotated)
            if found is not None:
                return found
    return None


def rate_of_word(system: SwitchedSystem, word: Sequence[int]) -> WordBound:
    """Bound the rate of a word from below: an exact lower bound on the joint spectral radius.

    Parameters
    ----------
    system : SwitchedSystem
    word : Word
        At least one letter.

    Returns
    -------
    WordBound

    Raises
    ------
    SwitchedSystemError
        When the word is empty, or a letter is not the index of a pair.

    Examples
    --------
    >>> system = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]])
    >>> rate_of_word(system, (0, 0, 1, 1)).modulus_lower
    9/8

    Notes
    -----
    When this fails: see `piggycheck.linalg.modulus_lower`.
    """
    if not word:
        raise SwitchedSystemError("the word is empty; write at least one letter")
    modulus = modulus_lower(_characteristic_polynomial(system, word))
    return WordBound(tuple(word), modulus, root_lower(modulus, len(word)))


def best_rate_word(
    system: SwitchedSystem, *, max_length: int = 16, time_limit: float = 1.0, beam: int = 4096
) -> WordBound:
    """Look for the word of the largest rate, and bound its rate exactly from below.

    Parameters
    ----------
    system : SwitchedSystem
    max_length : int
        Longest words to look at.
    time_limit : float
        Seconds after which the search stops.
    beam : int
        How many products are kept per length.

    Returns
    -------
    WordBound

    Examples
    --------
    >>> system = SwitchedSystem.from_rows([[[0, 1], [0, 0]], [[0, 0], [1, 0]]])
    >>> best_rate_word(system, max_length=4)
    WordBound(word=(0, 1), modulus_lower=1, rate_lower=1)

    Notes
    -----
    Floating point chooses the word; its rate is then proved. Equal matrices are one letter, the first of them. When
    this fails: a longer word, or one outside the beam, may have a larger rate.
    """
    best = 0.0
    chosen: Word = (0,)
    for word, rate in _improving_words(system, 1, max_length, time_limit, beam):
        if rate > best * (1 + 1e-10):
            best, chosen = rate, word
    return rate_of_word(system, chosen)


_BELOW, _ON, _ABOVE = -1, 0, 1


@dataclass
class _ExactWalk:
    """All necklaces over the distinct matrices, by length, each decided exactly."""

    system: SwitchedSystem
    rate: fmpq
    max_length: int | None
    word_budget: int
    time_limit: float
    decided: int = 0
    finished: int = 0
    stable_below: int = field(default=1, init=False)

    def __iter__(self) -> Iterator[tuple[Word, fmpq_poly, int]]:
        """Yield (word, characteristic polynomial, how its radius compares with the rate's power)."""
        deadline = time.monotonic() + self.time_limit
        letters = sorted(set(self.system.representatives()))
        linear = SwitchedSystem(
            tuple(self.system.A[i] for i in letters), tuple(zeros(self.system.dimension, 0) for _ in letters)
        )
        all_below = True
        length = 0
        while self.max_length is None or length < self.max_length:
            length += 1
            power = self.rate**length
            words, same = tee(necklaces(len(letters), length))
            for word, (A, _) in zip(words, linear.products(same), strict=True):
                if self.decided >= self.word_budget or time.monotonic() > deadline:
                    return
                self.decided += 1
                poly = A.charpoly()
                size = _compare(poly, power)
                all_below = all_below and size == _BELOW
                yield tuple(letters[i] for i in word), poly, size
            self.finished = length
            if all_below:
                self.stable_below = length + 1
            if len(letters) == 1:
                # Every longer word is a power of the only letter.
                return


def _compare(poly: fmpq_poly, radius: fmpq) -> int:
    scaled = poly if radius == 1 else scale_roots(poly, radius)
    if is_schur_stable(scaled):
        return _BELOW
    return _ABOVE if exceeds_one(scaled) else _ON


def _characteristic_polynomial(system: SwitchedSystem, word: Sequence[int]) -> fmpq_poly:
    return system.product(word)[0].charpoly()


def _best_column(system: SwitchedSystem, word: Word) -> DivergingWord | None:
    """The column of J that grows most along a word, if any does."""
    A, B = system.product(word)
    m = system.columns
    M = block_matrix([[A, B], [zeros(m, system.dimension), identity(m)]])
    best: DivergingWord | None = None
    for column in range(m):
        for J0 in _starts(system, column):
            start = fmpq_mat(len(J0.table()), 1, [J0[i, column] for i in range(J0.nrows())])
            unit = fmpq_mat(m, 1, [int(i == column) for i in range(m)])
            poly = krylov_minimal_polynomial(M, block_matrix([[start], [unit]]))
            if not exceeds_one(poly):
                continue
            modulus = modulus_lower(poly, above=_ONE)
            if best is None or modulus > best.modulus_lower:
                best = _diverging_word(word, A, B, J0, column, poly, modulus)
    return best


def _starts(system: SwitchedSystem, column: int) -> Iterator[fmpq_mat]:
    """The given start, or starts of which at least one is excited by every word that grows."""
    if system.J0 is not None:
        yield system.J0
        return
    for row in range(system.dimension):
        J0 = zeros(system.dimension, system.columns)
        J0[row, column] = 1
        yield J0
    yield zeros(system.dimension, system.columns)


def _diverging_word(
    word: Word, A: fmpq_mat, B: fmpq_mat, J0: fmpq_mat, column: int, poly: fmpq_poly, modulus: fmpq
) -> DivergingWord:
    growth = root_lower(modulus, len(word))
    for root, _ in poly.roots():
        if abs(root) != modulus:
            continue
        for v in left_eigenvectors(A, root):
            v = _primitive(v)
            row = v * J0 + v * B * (1 / (root - 1))
            if row[0, column] != 0:
                return DivergingWord(
                    word, J0, column, modulus, growth, False, root, tuple(v.entries()), tuple(row.entries())
                )
    return DivergingWord(word, J0, column, modulus, growth)


def _primitive(row: fmpq_mat) -> fmpq_mat:
    """The positive multiple of a row, up to sign, with coprime integer entries, the first of them positive."""
    numerators, _ = row.numer_denom()
    values = [int(value) for value in numerators.entries()]
    content = math.gcd(*values)
    sign = next((1 if value > 0 else -1 for value in values if value), 1)
    return fmpq_mat(1, len(values), [sign * value // content for value in values]) if content else row


def _candidates(
    system: SwitchedSystem, min_length: int, max_length: int, time_limit: float, above: float
) -> Iterator[Word]:
    """Words that floating point believes to have a rate above a bound."""
    for word, rate in _improving_words(system, min_length, max_length, time_limit, 4096):
        if rate > above:
            yield word


def _improving_words(
    system: SwitchedSystem, min_length: int, max_length: int, time_limit: float, beam: int
) -> Iterator[tuple[Word, float]]:
    if time_limit <= 0 or min_length > max_length:
        return
    from piggycheck.stability.floats import improving_words

    letters = sorted(set(system.representatives()))
    for word, rate in improving_words([system.A[i] for i in letters], min_length, max_length, time_limit, beam):
        yield tuple(letters[i] for i in word), rate

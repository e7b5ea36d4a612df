"""Words whose product grows: necklaces by length, each decided exactly, and lower bounds from long words.

The products of a word and of its rotations have the same eigenvalues, so one Lyndon word stands for each necklace.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix, Letter, midpoint, radius
from piggycheck.linalg import (
    exceeds_one,
    identity,
    is_schur_stable,
    modulus_lower,
    root_lower,
    scale_roots,
    zeros,
)
from piggycheck.stability.interval_radius import largest_proved, uncertain_modulus_lower
from piggycheck.stability.necklaces import first_rotation, necklace_of, necklaces
from piggycheck.switched import SwitchedSystem, Word

__all__ = [
    "WordBound",
    "WordSearch",
    "best_rate_word",
    "leading_words",
    "ranked",
    "rate_of_word",
    "search_words",
]

_ONE = fmpq(1)
_ACCURACY = fmpq(1, 10**12)
_NARROW = 1 - fmpq(1, 10**6)
_SAME_RATE = 1e-10
UNKNOWN, BELOW, ON, ABOVE = -2, -1, 0, 1


@dataclass(frozen=True)
class WordBound:
    """A word and an exact lower bound on its rate, hence on the joint spectral radius.

    Some eigenvalue of ``A_w`` has modulus at least `modulus_lower`, and ``rate_lower ** len(word) <= modulus_lower``;
    for matrices between bounds this holds for every choice of them, a new one at every step included, and there may be
    `forms` that prove it, see `piggycheck.stability.growing_forms.grow_along`.
    """

    word: Word
    modulus_lower: fmpq
    rate_lower: fmpq
    forms: tuple[fmpq_mat, ...] = ()


@dataclass(frozen=True)
class WordSearch:
    """What an exact search through the words by length has found.

    Parameters
    ----------
    word : Word or None
        The first word, by length and then alphabetically, whose spectral radius is large enough.
    exhaustive_below : int
        Every word shorter than this was decided exactly, and none was large enough; for matrices between bounds, none
        was proved to be large enough for every choice of them.
    stable_below : int
        Every word shorter than this has a spectral radius strictly below ``rate ** length``.
    decided : int
        Number of necklaces that were decided.
    """

    word: Word | None
    exhaustive_below: int
    stable_below: int
    decided: int


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
    walk = ExactWalk(system, rate, max_length, word_budget, time_limit)
    wanted = ABOVE if strict else ON
    for word, _, size in walk:
        if size >= wanted:
            return WordSearch(word, walk.finished + 1, walk.stable_below, walk.decided)
    return WordSearch(None, walk.finished + 1, walk.stable_below, walk.decided)


def rate_of_word(
    system: SwitchedSystem | Sequence[Letter], word: Sequence[int], *, accuracy: fmpq = _ACCURACY, forms: bool = False
) -> WordBound:
    """Bound the rate of a word from below: an exact lower bound on the joint spectral radius.

    Parameters
    ----------
    system : SwitchedSystem or sequence of fmpq_mat or IntervalMatrix
    word : Word
        At least one letter.
    accuracy : fmpq
        How far the bound may lie below the rate, relative to it, when the matrices are known exactly.
    forms : bool
        Whether forms may prove the bound, for matrices between bounds that characteristic polynomials hardly bound.

    Returns
    -------
    WordBound
        Zero when nothing was proved.

    Raises
    ------
    SwitchedSystemError
        When the word is empty, or a letter is not the index of a pair.

    Examples
    --------
    >>> system = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]])
    >>> rate_of_word(system, (0, 0, 1, 1)).modulus_lower
    9/8
    >>> uncertain = SwitchedSystem.from_rows([[[[2, 3], 0], [0, 0]], [[0, 1], [["1/3", "1/2"], 0]]])
    >>> rate_of_word(uncertain, (0,)).rate_lower
    2

    Notes
    -----
    For matrices between bounds the characteristic polynomials of all products are enclosed; where that costs too much,
    quadratic forms follow the word. When this fails: see `piggycheck.linalg.modulus_lower`, and for matrices
    between bounds `piggycheck.stability.interval_radius` and `piggycheck.stability.growing_forms`.
    """
    if not word:
        raise SwitchedSystemError("the word is empty; write at least one letter")
    word = tuple(word)
    linear = _linear(system)
    product = linear.product(word)[0]
    middle = modulus_lower(midpoint(product).charpoly(), accuracy=accuracy / 2)
    if isinstance(product, IntervalMatrix) and not _is_zero(product.radius):
        return _uncertain_rate(linear.A, word, product, middle, forms)
    return WordBound(word, middle, root_lower(middle, len(word), accuracy / 2))


def _uncertain_rate(
    A: Sequence[Letter], word: Word, product: IntervalMatrix, middle: fmpq, allow_forms: bool
) -> WordBound:
    modulus = uncertain_modulus_lower(product)
    bound = WordBound(word, modulus, root_lower(modulus, len(word)))
    if not allow_forms or modulus >= middle * _NARROW:
        return bound
    from piggycheck.stability.growing_forms import prove_growing_forms

    rate, forms = largest_proved(root_lower(middle, len(word)), lambda rate: prove_growing_forms(A, word, rate))
    return WordBound(word, rate ** len(word), rate, forms) if forms and rate > bound.rate_lower else bound


def leading_words(
    A: Sequence[Letter], *, max_length: int = 16, beam: int = 4096, time_limit: float = 1.0, count: int = 6
) -> list[tuple[Word, float]]:
    """Look for the words of the largest rates.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Those between bounds count by their midpoints.
    max_length : int
        Longest words to look at.
    beam : int
        How many products are kept per length.
    time_limit : float
        Seconds after which the search stops.
    count : int
        How many words are wanted.

    Returns
    -------
    list of (Word, float)
        With their rates, the largest first and of equal rates the shortest; no word is a rotation or a power of
        another, and each is its alphabetically first rotation.

    Examples
    --------
    >>> pair = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]])
    >>> [(word, round(rate, 4)) for word, rate in leading_words(pair.A, max_length=8, count=2)]
    [((0, 0, 1, 0, 0, 1, 1), 1.0308), ((0, 0, 1, 1), 1.0299)]

    Notes
    -----
    Guesses in floating point. When this fails: words whose products are small at first leave the beam; longer words
    are put together by `piggycheck.stability.long_words.concatenated_words`.
    """
    if time_limit <= 0 or max_length < 1:
        return []
    from piggycheck.stability.floats import leading_products

    rates: dict[Word, float] = {}
    for words, logarithms in leading_products(A, max_length, time_limit, beam):
        length = words.shape[1]
        found: set[Word] = set()
        for row, logarithm in zip(words[: 4 * count * length].tolist(), logarithms.tolist(), strict=False):
            if logarithm > -math.inf and len(found) < count:
                word = necklace_of(row)
                found.add(word)
                rates.setdefault(word, logarithm)
    return [(word, power_of_two(logarithm)) for word, logarithm in ranked(rates)[:count]]


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
    >>> best_rate_word(system, max_length=4).word
    (0, 1)

    Notes
    -----
    Floating point chooses the word; its rate is then proved. Equal matrices are one letter, the first of them. When
    this fails: a longer word, or one outside the beam, may have a larger rate.
    """
    letters = sorted(set(system.representatives()))
    leading = leading_words(
        [system.A[i] for i in letters], max_length=max_length, beam=beam, time_limit=time_limit, count=1
    )
    return rate_of_word(system, [letters[i] for i in leading[0][0]] if leading else (0,))


def ranked(rates: dict[Word, float]) -> list[tuple[Word, float]]:
    """Sort words by the binary logarithms of their rates; of rates that are equal up to rounding, the shortest first.

    Examples
    --------
    >>> ranked({(0, 1): 1.0, (0,): 1.0 - 1e-13, (1,): 0.5, (0, 0, 1): 2.0})
    [((0, 0, 1), 2.0), ((0,), 0.9999999999999), ((0, 1), 1.0), ((1,), 0.5)]
    """
    groups: list[list[tuple[Word, float]]] = []
    for entry in sorted(rates.items(), key=lambda entry: -entry[1]):
        if not groups or entry[1] < groups[-1][0][1] - _SAME_RATE:
            groups.append([])
        groups[-1].append(entry)
    return [entry for group in groups for entry in sorted(group, key=lambda entry: (len(entry[0]), entry[0]))]


@dataclass
class ExactWalk:
    """All necklaces over the distinct matrices, by length, each decided exactly; those with zero products are skipped.

    For matrices between bounds a decision holds for every choice, and can be lacking.
    """

    system: SwitchedSystem
    rate: fmpq
    max_length: int | None
    word_budget: int
    time_limit: float
    decided: int = 0
    finished: int = 0
    stable_below: int = field(default=1, init=False)

    def __iter__(self) -> Iterator[tuple[Word, Letter, int]]:
        """Yield (word, product, how its radius compares with the rate's power)."""
        deadline = time.monotonic() + self.time_limit
        letters = sorted(set(self.system.representatives()))
        prefixes = _Prefixes([self.system.A[i] for i in letters])
        all_below = True
        length = 0
        while self.max_length is None or length < self.max_length:
            length += 1
            power = self.rate**length
            for word in necklaces(len(letters), length, prefixes.zero_prefix):
                if self.decided >= self.word_budget or time.monotonic() > deadline:
                    return
                self.decided += 1
                product = prefixes.products[-1]
                size = _compare(product, power)
                all_below = all_below and size == BELOW
                yield tuple(letters[i] for i in word), product, size
            self.finished = length
            if all_below:
                self.stable_below = length + 1
            if len(letters) == 1:
                # Every longer word is a power of the only letter.
                self.finished = sys.maxsize if self.max_length is None else self.max_length
                self.stable_below = self.finished + 1 if all_below else 1
                return


class _Prefixes:
    """The products of all prefixes of the word that was met last."""

    def __init__(self, A: Sequence[Letter]) -> None:
        self.A = A
        self.word: list[int] = []
        self.products: list[Letter] = [identity(A[0].nrows())]

    def zero_prefix(self, word: Sequence[int]) -> int | None:
        """The length of the shortest prefix whose product is zero, if there is one."""
        shared = next((i for i, (a, b) in enumerate(zip(self.word, word, strict=False)) if a != b), len(self.word))
        del self.word[shared:], self.products[shared + 1 :]
        for letter in word[shared:]:
            self.word.append(letter)
            self.products.append(self.A[letter] * self.products[-1])
            if _is_zero(self.products[-1]):
                break
        return len(self.word) if _is_zero(self.products[-1]) else None


def _is_zero(M: Letter) -> bool:
    empty = zeros(M.nrows(), M.ncols())
    return bool(midpoint(M) == empty and radius(M) == empty)


def _compare(product: Letter, power: fmpq) -> int:
    """How a spectral radius compares with a number; for matrices between bounds, how large it is at least."""
    poly = midpoint(product).charpoly()
    scaled = poly if power == 1 else scale_roots(poly, power)
    size = BELOW if is_schur_stable(scaled) else ABOVE if exceeds_one(scaled) else ON
    if not isinstance(product, IntervalMatrix) or _is_zero(product.radius):
        return size
    lower = uncertain_modulus_lower(product) if size == ABOVE else fmpq(0)
    return ABOVE if lower > power else ON if lower == power else UNKNOWN


def characteristic_polynomial(system: SwitchedSystem, word: Sequence[int]) -> fmpq_poly:
    """Return the characteristic polynomial of ``A_w``; of the middle one, for matrices between bounds."""
    return midpoint(system.product(word)[0]).charpoly()


def candidate_words(
    system: SwitchedSystem, min_length: int, max_length: int, time_limit: float, beam: int
) -> Iterator[tuple[Word, float]]:
    """Yield words of ever larger rate with that rate, both guesses of floating point."""
    if time_limit <= 0 or min_length > max_length:
        return
    from piggycheck.stability.floats import leading_products

    letters = sorted(set(system.representatives()))
    best = -math.inf
    for words, logarithms in leading_products([system.A[i] for i in letters], max_length, time_limit, beam):
        if words.shape[1] >= min_length and logarithms[0] > best + _SAME_RATE:
            best = float(logarithms[0])
            word = first_rotation(tuple(words[0].tolist()))
            yield tuple(letters[i] for i in word), power_of_two(best)


def _linear(system: SwitchedSystem | Sequence[Letter]) -> SwitchedSystem:
    """The system of the matrices A alone."""
    A = tuple(system.A if isinstance(system, SwitchedSystem) else system)
    return SwitchedSystem(A, tuple(zeros(M.nrows(), 0) for M in A))


def power_of_two(logarithm: float) -> float:
    """Return the number with a binary logarithm; infinity when it is too large for a float."""
    return math.inf if logarithm >= 1024 else 2.0**logarithm

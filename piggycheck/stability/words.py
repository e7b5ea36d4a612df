"""Words whose product grows: necklaces by length, each decided exactly, and lower bounds from long words.

The products of a word and of its rotations have the same eigenvalues, so one Lyndon word stands for each necklace.
"""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import tee

from flint import fmpq, fmpq_poly

from piggycheck.errors import SwitchedSystemError
from piggycheck.linalg import (
    exceeds_one,
    is_schur_stable,
    modulus_lower,
    root_lower,
    scale_roots,
    zeros,
)
from piggycheck.switched import SwitchedSystem, Word

__all__ = [
    "WordBound",
    "WordSearch",
    "best_rate_word",
    "necklaces",
    "rate_of_word",
    "search_words",
]

_ONE = fmpq(1)
BELOW, ON, ABOVE = -1, 0, 1


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
    walk = ExactWalk(system, rate, max_length, word_budget, time_limit)
    wanted = ABOVE if strict else ON
    for word, _, size in walk:
        if size >= wanted:
            return WordSearch(word, walk.finished + 1, walk.stable_below, walk.decided)
    return WordSearch(None, walk.finished + 1, walk.stable_below, walk.decided)


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
    modulus = modulus_lower(characteristic_polynomial(system, word))
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
    for word, rate in candidate_words(system, 1, max_length, time_limit, beam):
        if rate > best * (1 + 1e-10):
            best, chosen = rate, word
    return rate_of_word(system, chosen)


@dataclass
class ExactWalk:
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
                all_below = all_below and size == BELOW
                yield tuple(letters[i] for i in word), poly, size
            self.finished = length
            if all_below:
                self.stable_below = length + 1
            if len(letters) == 1:
                # Every longer word is a power of the only letter.
                self.finished = sys.maxsize if self.max_length is None else self.max_length
                self.stable_below = self.finished + 1 if all_below else 1
                return


def _compare(poly: fmpq_poly, radius: fmpq) -> int:
    scaled = poly if radius == 1 else scale_roots(poly, radius)
    if is_schur_stable(scaled):
        return BELOW
    return ABOVE if exceeds_one(scaled) else ON


def characteristic_polynomial(system: SwitchedSystem, word: Sequence[int]) -> fmpq_poly:
    """Return the characteristic polynomial of ``A_w``."""
    return system.product(word)[0].charpoly()


def candidate_words(
    system: SwitchedSystem, min_length: int, max_length: int, time_limit: float, beam: int
) -> Iterator[tuple[Word, float]]:
    """Yield words of ever larger rate with that rate, both guesses of floating point."""
    if time_limit <= 0 or min_length > max_length:
        return
    from piggycheck.stability.floats import improving_words

    letters = sorted(set(system.representatives()))
    for word, rate in improving_words([system.A[i] for i in letters], min_length, max_length, time_limit, beam):
        yield tuple(letters[i] for i in word), rate

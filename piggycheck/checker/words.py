"""Sums of products of matrices, and bounds of their norms."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from math import inf
from typing import Any

from .definite import surely_definite
from .exact import MOST_ENTRIES, Nearly, combination
from .factors import Factor, Slice, Symmetrise, written
from .fixed import inner
from .intervals import Interval
from .norm_guesses import guessed_norm
from .reading import Refused
from .scaled import Rows

MOST_WORDS = 200
MARGINS = (2.0**-42, 2.0**-36, 2.0**-24, 2.0**-12, 2.0**-5)  # by which bounds exceed guesses of norms

Word = tuple[Factor, ...]
Polynomial = dict[Word, Interval]  # a coefficient for each product of matrices


def joined(first: Word, second: Word) -> Word | None:
    """The product of two products; None when it is zero."""
    while first and second:
        a, b = first[-1], second[0]
        if isinstance(a, Symmetrise) and isinstance(b, Symmetrise):
            second = second[1:]
        elif isinstance(a, Slice) and isinstance(b, Slice) and b.flipped and not a.flipped:
            if a.range[1] <= b.range[0] or b.range[1] <= a.range[0]:
                return None
            if a.range != b.range:
                break
            first, second = first[:-1], second[1:]
        else:
            break
    return first + second


def sum_of(terms: Iterable[tuple[Interval, Word, Polynomial]]) -> Polynomial:
    """The sum of coefficient * word * polynomial over the terms."""
    result: Polynomial = {}
    for c, word, polynomial in terms:
        for other, d in polynomial.items():
            key = joined(word, other)
            if key is not None:
                result[key] = result[key] + c * d if key in result else c * d
    if len(result) > MOST_WORDS:
        raise Refused(f"a node is a sum of more than {MOST_WORDS} products of matrices")
    return {word: c for word, c in result.items() if not c.is_zero}


def is_symmetric(polynomial: Polynomial) -> bool:
    """Whether it is its own transpose, word by word."""
    for word, c in polynomial.items():
        mirrored = tuple(factor.transposed for factor in reversed(word))
        d = polynomial.get(mirrored)
        if d is None or (mirrored != word and not (c.exact and d.exact and c.lo == d.lo)):
            return False
    return True


class Norms:
    """Bounds of the spectral norms of polynomials."""

    def __init__(self) -> None:
        self.found: dict[Any, Fraction] = {}
        self.words: dict[Word, Nearly] = {}

    def bound(self, polynomial: Polynomial, width: int) -> Fraction:
        """A bound for a polynomial of which the matrices have so many columns."""
        lead = next(iter(polynomial.values()))
        unit = lead.lo if lead.exact else Fraction(1)
        key = frozenset(
            (word, min(c.lo / unit, c.hi / unit), max(c.lo / unit, c.hi / unit)) for word, c in polynomial.items()
        )
        if key not in self.found:
            self.found[key] = self.prove(polynomial, width) / abs(unit)
        return self.found[key] * abs(unit)

    def prove(self, polynomial: Polynomial, width: int) -> Fraction:
        """The sum of the products of norms; or less, when that of the written matrix is, or one near the true norm."""
        bound = Fraction(0)
        for word, c in polynomial.items():
            size = largest(c)
            for factor in word:
                size *= factor.norm
            bound += size
        height = next((word[0].height for word in polynomial if word), width)
        if not any(polynomial) or height * width > MOST_ENTRIES or projects(polynomial):
            return bound
        matrix = self.written(polynomial, width)
        bound = min(bound, matrix.norm)
        if all(isinstance(factor, Slice) for word in polynomial for factor in word):
            return bound
        return near_norm(matrix, is_symmetric(polynomial), bound)

    def written(self, polynomial: Polynomial, width: int) -> Nearly:
        """The matrix, written out."""
        return combination([(c, self.written_word(word, width)) for word, c in polynomial.items()])

    def written_word(self, word: Word, width: int) -> Nearly:
        """A product of matrices, written out."""
        if word not in self.words:
            found = written(word, width)
            if not word:
                return found
            self.words[word] = found
        return self.words[word]


def projects(polynomial: Polynomial) -> bool:
    """Whether it is a multiple of making matrices symmetric."""
    return len(polynomial) == 1 and all(isinstance(factor, Symmetrise) for word in polynomial for factor in word)


def near_norm(M: Nearly, symmetric: bool, bound: Fraction) -> Fraction:
    """A proved bound near the norm, or else the given one."""
    rows = [[a / M.denominator for a in row] for row in M.rows]
    guess = guessed_norm(rows, [list(column) for column in zip(*rows, strict=True)])
    if not guess < inf:
        return bound
    for margin in MARGINS:
        near = Fraction(guess * (1 + margin)) + M.error
        if near >= bound:
            break
        if is_bounded(M, near, symmetric):
            return near
    return bound


def largest(c: Interval) -> Fraction:
    """The largest absolute value."""
    return max(abs(c.lo), abs(c.hi))


def is_bounded(M: Nearly, bound: Fraction, symmetric: bool) -> bool:
    """Whether the norm is at most a bound, by a margin; of symmetric matrices, M itself is close to one."""
    if not M.rows:
        return bound >= 0
    if symmetric:
        M = M.symmetric_part()
    room = (bound - M.error) * M.denominator
    if room <= 0:
        return False
    if symmetric:
        return all(exceeds(room, [[sign * a for a in row] for row in M.rows]) for sign in (1, -1))
    return exceeds(room**2, M.gram())


def exceeds(number: Fraction, S: Rows) -> bool:
    """Whether a number times the identity, minus S, is positive definite."""
    p, q = number.numerator, number.denominator
    return surely_definite([[(p if i == j else 0) - q * a for j, a in enumerate(row)] for i, row in enumerate(S)])


def form_shrinks(A: Nearly, P: Rows, rate: Fraction) -> bool:
    """Whether A^T P A <= rate^2 P for all of the matrices A, where P is a symmetric matrix of integers."""
    n, d = len(P), A.denominator
    columns = A.transposed.rows
    PA = [[inner(row, column) for column in columns] for row in P]
    images = list(zip(*PA, strict=True))
    size = Nearly(P, 1, Fraction(0), n).norm
    extra = A.error * (2 * Nearly(PA, d, Fraction(0), n).norm + size * A.error) * d**2
    factor = rate**2 * d**2
    q = extra.denominator * factor.denominator
    rows = [
        [int(q * (factor * P[i][j] - (extra if i == j else 0))) - q * inner(columns[i], images[j]) for j in range(n)]
        for i in range(n)
    ]
    return surely_definite(rows)

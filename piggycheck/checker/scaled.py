"""Rational matrices as integers over one denominator: products, inverses, characteristic polynomials."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from itertools import chain
from math import gcd, lcm
from typing import NamedTuple

from .effort import spend
from .intervals import MOST_BITS
from .reading import Refused

MOST_MEMORY = 10**9  # bits of one matrix

Rows = list[list[int]]


class Scaled(NamedTuple):
    """The rational numbers rows[i][j] / denominator in lowest terms, so that equal matrices have equal fields."""

    rows: Rows
    denominator: int

    @property
    def bits(self) -> int:
        """The number of bits of its largest entry."""
        return max(map(abs, chain.from_iterable(self.rows)), default=0).bit_length()

    def fractions(self) -> list[list[Fraction]]:
        """Its entries."""
        return [[Fraction(a, self.denominator) for a in row] for row in self.rows]


def lowest(rows: Rows, denominator: int) -> Scaled:
    """The matrix rows / denominator in lowest terms."""
    if denominator.bit_length() > MOST_BITS:
        raise Refused(f"a common denominator grows beyond {MOST_BITS} bits")
    common = gcd(denominator, *chain.from_iterable(rows)) if denominator > 1 else 1
    if common != 1:
        rows, denominator = [[a // common for a in row] for row in rows], denominator // common
    return Scaled(rows, denominator)


def scaled(entries: Sequence[Sequence[Fraction]]) -> Scaled:
    """The matrix with the given entries."""
    denominator = common_denominator({a.denominator for row in entries for a in row})
    if sum(map(len, entries)) * denominator.bit_length() > MOST_MEMORY:
        raise Refused("a matrix is too large over a common denominator")
    return lowest([[a.numerator * (denominator // a.denominator) for a in row] for row in entries], denominator)


def common_denominator(denominators: Iterable[int]) -> int:
    """The least common multiple, refused when it is too large."""
    result = 1
    for d in denominators:
        result = lcm(result, d)
        if result.bit_length() > MOST_BITS:
            raise Refused(f"a common denominator grows beyond {MOST_BITS} bits")
    return result


def transposed(X: Scaled) -> Scaled:
    """The transposed matrix."""
    return Scaled([list(column) for column in zip(*X.rows, strict=True)], X.denominator)


def absolute(X: Scaled) -> Scaled:
    """The matrix of absolute values."""
    return Scaled([[abs(a) for a in row] for row in X.rows], X.denominator)


def product(X: Scaled, Y: Scaled) -> Scaled:
    """X Y; entries of X that are zero cost nothing."""
    width = len(Y.rows[0])
    factors = sum(len(row) - row.count(0) for row in X.rows)
    spend((factors + len(X.rows)) * width, X.bits + Y.bits)
    rows = []
    for row in X.rows:
        total = [0] * width
        for x, other in zip(row, Y.rows, strict=True):
            if x:
                total = [t + x * y for t, y in zip(total, other, strict=True)]
        rows.append(total)
    return lowest(rows, X.denominator * Y.denominator)


def combined(terms: Sequence[tuple[Fraction, Scaled]]) -> Scaled:
    """The sum of c X over the terms (c, X)."""
    denominator = common_denominator(c.denominator * X.denominator for c, X in terms)
    height, width = len(terms[0][1].rows), len(terms[0][1].rows[0])
    rows = [[0] * width for _ in range(height)]
    for c, X in terms:
        factor = c.numerator * (denominator // (c.denominator * X.denominator))
        spend(height * width, factor.bit_length() + X.bits)
        rows = [
            [a + factor * x for a, x in zip(*pair, strict=True)] if any(pair[1]) else pair[0]
            for pair in zip(rows, X.rows, strict=True)
        ]
    return lowest(rows, denominator)


def inverse(X: Scaled) -> Scaled:
    """The inverse, by elimination without fractions: every entry on the way is a minor, so the divisions are exact."""
    n, last = len(X.rows), 1
    rows = [[*row, *(int(i == j) for j in range(n))] for i, row in enumerate(X.rows)]
    for k in range(n):
        spend(2 * n * n, 2 * X.bits * (k + 1))
        found = next((i for i in range(k, n) if rows[i][k]), None)
        if found is None:
            raise Refused("a matrix that has to be inverted is singular")
        rows[k], rows[found] = rows[found], rows[k]
        pivot = rows[k]
        for i, row in enumerate(rows):
            if i != k:
                rows[i] = [(pivot[k] * a - row[k] * b) // last for a, b in zip(row, pivot, strict=True)]
        last = pivot[k]
    sign = 1 if last > 0 else -1
    return lowest([[sign * X.denominator * a for a in row[n:]] for row in rows], sign * last)


def polynomial_of(X: Scaled) -> list[Fraction]:
    """The coefficients of det(z - X), the leading one first (Faddeev and LeVerrier)."""
    n = len(X.rows)
    unit = Scaled([[int(i == j) for j in range(n)] for i in range(n)], 1)
    coefficients, M = [Fraction(1)], unit
    for k in range(1, n + 1):
        M = product(X, M)
        coefficients.append(Fraction(-sum(M.rows[i][i] for i in range(n)), k * M.denominator))
        M = combined([(Fraction(1), M), (coefficients[-1], unit)])
    return coefficients


def symmetric(X: Scaled) -> bool:
    """Whether X is its own transpose."""
    return X.rows == transposed(X).rows

"""Balls: vectors of fixed-point numbers, and a bound of the Euclidean distance of the true ones from them.

All numbers are integers in units of 2^-bits, errors too; what is rounded is paid for in the error.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import chain
from math import ceil, floor, isqrt
from operator import mul
from typing import NamedTuple

from .effort import spend_inner
from .intervals import Interval

Vector = list[int]
Bounds = tuple[Vector, Vector]  # lower and upper bounds of the coordinates; one and the same list when they are exact


class Ball(NamedTuple):
    """All matrices within a distance (Frobenius) of a matrix that is given by its columns; a vector is one column."""

    columns: list[Vector]
    error: int

    @property
    def centre(self) -> Vector:
        """The first column."""
        return self.columns[0]

    @property
    def size(self) -> int:
        """A bound of the norm of the centre."""
        return norm(chain.from_iterable(self.columns))

    def plus(self, other: Ball) -> Ball:
        """All sums."""
        columns = [
            [a + b for a, b in zip(*pair, strict=True)] for pair in zip(self.columns, other.columns, strict=True)
        ]
        return Ball(columns, self.error + other.error)

    def times(self, scale: Interval) -> Ball:
        """All products with the numbers of an interval."""
        spread, c = scale.hi - scale.lo, scale.lo
        if c == 1 and not spread:
            return self
        n, d = c.numerator, c.denominator
        spend_inner(4 * len(self.columns) * len(self.centre), n.bit_length() + d.bit_length())
        columns = [[a * n // d for a in column] for column in self.columns]
        error = enlarged(self.error, max(abs(scale.lo), abs(scale.hi)))
        if spread:
            error += enlarged(self.size, spread)
        return Ball(columns, error + (rounding(columns) if d != 1 else 0))

    def wider(self, error: int) -> Ball:
        """The ball with a larger error."""
        return Ball(self.columns, self.error + error)

    def bounds(self) -> Bounds:
        """Bounds of the coordinates of a vector."""
        return bounds_around(self.centre, self.error)


def add(first: Ball | None, second: Ball | None) -> Ball | None:
    """The sum, where None is zero."""
    if first is None or second is None:
        return second if first is None else first
    return first.plus(second)


def root(square: int) -> int:
    """The square root, rounded up."""
    return isqrt(square - 1) + 1 if square > 0 else 0


def norm(vector: Sequence[int] | chain[int]) -> int:
    """The Euclidean norm, rounded up."""
    return root(sum(a * a for a in vector))


def rounding(columns: Sequence[Sequence[int]]) -> int:
    """What it costs to round every number by less than a unit."""
    return root(sum(map(len, columns)))


def enlarged(error: int, factor: Fraction) -> int:
    """The product, rounded up."""
    return -(-error * factor.numerator // factor.denominator)


def fixed(numbers: Sequence[Fraction], bits: int) -> Ball:
    """The vector of rational numbers."""
    scaled = [x * 2**bits for x in numbers]
    return bounded(([floor(x) for x in scaled], [ceil(x) for x in scaled]))


def bounds_around(centre: Vector, distance: int) -> Bounds:
    """Bounds of the coordinates of all vectors within a distance."""
    if not distance:
        return centre, centre
    return [a - distance for a in centre], [a + distance for a in centre]


def bounded(bounds: Bounds) -> Ball:
    """The vectors between bounds of their coordinates."""
    lower, upper = bounds
    if lower is upper:
        return Ball([lower], 0)
    centre = [(a + b) // 2 for a, b in zip(lower, upper, strict=True)]
    return Ball([centre], norm([b - c for b, c in zip(upper, centre, strict=True)]))


def inner(a: Sequence[int], b: Sequence[int]) -> int:
    """The inner product."""
    return sum(map(mul, a, b))

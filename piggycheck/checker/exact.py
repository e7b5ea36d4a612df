"""Large matrices: exact ones by rows without their zeros, and others within a distance of an exact one."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from itertools import chain
from math import ceil, lcm
from operator import mul
from typing import NamedTuple

from .effort import spend_inner
from .fixed import Ball, enlarged, inner, norm, rounding
from .intervals import Interval, rounded, square_root
from .reading import Refused
from .scaled import Rows

BITS = 96  # of the entries of matrices that are not exact
LONGEST = 400  # bits of a denominator that is still exact
MOST_ENTRIES = 1_000_000


def upward(x: Fraction) -> Fraction:
    """A number that is not smaller, and short."""
    return rounded(x, ceil)


class Exact:
    """A rational matrix over one denominator, which is applied to vectors."""

    def __init__(self, rows: Rows, denominator: int, width: int) -> None:
        self.height, self.width, self.denominator = len(rows), width, denominator
        self.rows = [short_row(row) for row in rows]
        self.bits = max(map(abs, chain.from_iterable(rows)), default=0).bit_length()
        self.entries = sum(len(values) for values, _ in self.rows)

    def dense(self) -> Rows:
        """Its rows."""
        result = []
        for values, places in self.rows:
            row = values if places is None else [0] * self.width
            for place, value in zip(places or (), values, strict=False):
                row[place] = value
            result.append(row)
        return result

    @cached_property
    def is_symmetric(self) -> bool:
        """Whether it is its own transpose."""
        rows = self.dense()
        return self.height == self.width and rows == transposed_rows(rows, self.width)

    @cached_property
    def transposed(self) -> Exact:
        """The transposed matrix."""
        other = Exact(transposed_rows(self.dense(), self.width), self.denominator, self.height)
        other.transposed = self
        return other

    @cached_property
    def norm(self) -> Fraction:
        """A bound of the spectral norm."""
        return cheap_norm(self.dense(), self.width) / self.denominator

    def multiply(self, columns: Sequence[Sequence[int]], bits: int) -> Rows:
        """The product with columns of integers of so many bits, without the denominator, by columns."""
        spend_inner((self.entries + 8 * self.height) * len(columns), bits + self.bits)
        return [
            [
                sum(map(mul, values, column if places is None else map(column.__getitem__, places)))
                for values, places in self.rows
            ]
            for column in columns
        ]

    def apply(self, ball: Ball, bits: int) -> Ball:
        """The product with a ball."""
        columns, error = self.multiply(ball.columns, bits), enlarged(ball.error, self.norm)
        if self.denominator == 1:
            return Ball(columns, error)
        return Ball([[a // self.denominator for a in column] for column in columns], error + rounding(columns))


def short_row(row: list[int]) -> tuple[list[int], list[int] | None]:
    """The entries of a row, and if most are zero only the others, with their places."""
    if 3 * row.count(0) < 2 * len(row):
        return row, None
    places = [i for i, a in enumerate(row) if a]
    return [row[i] for i in places], places


def transposed_rows(rows: Rows, width: int) -> Rows:
    """The columns of a matrix."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(width)]


def cheap_norm(rows: Rows, width: int) -> Fraction:
    """A bound of the spectral norm: the Frobenius norm, or the root of the product of the largest sums."""
    lengths = max((sum(map(abs, row)) for row in rows), default=0)
    heights = [0] * width
    for row in rows:
        heights = [a + abs(b) for a, b in zip(heights, row, strict=True)]
    squares = sum(inner(row, row) for row in rows)
    square = min(squares, lengths * max(heights, default=0))
    return square_root(Fraction(square)).hi


class Nearly(NamedTuple):
    """All matrices within a distance (Frobenius) of rows / denominator."""

    rows: Rows
    denominator: int
    error: Fraction
    width: int

    @property
    def bits(self) -> int:
        """The number of bits of its largest entry."""
        return max(map(abs, chain.from_iterable(self.rows)), default=0).bit_length()

    @property
    def norm(self) -> Fraction:
        """A bound of the spectral norm."""
        return upward(cheap_norm(self.rows, self.width) / self.denominator + self.error)

    @property
    def transposed(self) -> Nearly:
        """The transposed matrices."""
        return Nearly(transposed_rows(self.rows, self.width), self.denominator, self.error, len(self.rows))

    def short(self) -> Nearly:
        """The same with a short denominator."""
        if self.denominator.bit_length() <= LONGEST:
            return self
        rows = [[(a << BITS) // self.denominator for a in row] for row in self.rows]
        return Nearly(rows, 1 << BITS, upward(self.error + Fraction(rounding(rows), 1 << BITS)), self.width)

    def symmetric_part(self) -> Nearly:
        """(X + X^T) / 2, which is no farther from a symmetric matrix."""
        rows = [
            [a + b for a, b in zip(*pair, strict=True)] for pair in zip(self.rows, self.transposed.rows, strict=True)
        ]
        return Nearly(rows, 2 * self.denominator, self.error, self.width)

    def gram(self) -> Rows:
        """X X^T of the centre, without the denominator, from the smaller side."""
        rows = self.rows if len(self.rows) <= self.width else self.transposed.rows
        spend_inner(len(rows) ** 2 * max(len(self.rows), self.width) // 2, 2 * self.bits)
        half = [[inner(row, other) for other in rows[: i + 1]] for i, row in enumerate(rows)]
        return [[half[max(i, j)][min(i, j)] for j in range(len(rows))] for i in range(len(rows))]


def identity(n: int) -> Nearly:
    """The identity matrix."""
    if n * n > MOST_ENTRIES:
        raise Refused(f"a matrix with more than {MOST_ENTRIES} entries would have to be written out")
    return Nearly([[int(i == j) for j in range(n)] for i in range(n)], 1, Fraction(0), n)


def combination(terms: Sequence[tuple[Interval, Nearly]]) -> Nearly:
    """The sum of c X over the terms (c, X); exact when everything is, and short."""
    width = terms[0][1].width
    total, error = [[0] * width for _ in terms[0][1].rows], Fraction(0)
    denominator = lcm(*(c.lo.denominator * X.denominator for c, X in terms))
    exact = denominator.bit_length() <= LONGEST
    denominator = denominator if exact else 1 << BITS
    for c, X in terms:
        n, d = c.lo.numerator * denominator, c.lo.denominator * X.denominator
        spend_inner(4 * len(total) * width, n.bit_length() + X.bits)
        total = [[t + a * n // d for t, a in zip(*pair, strict=True)] for pair in zip(total, X.rows, strict=True)]
        error += max(abs(c.lo), abs(c.hi)) * X.error + (c.hi - c.lo) * Fraction(norm(chain(*X.rows)), X.denominator)
        error += 0 if exact else Fraction(rounding(total), denominator)
    return Nearly(total, denominator, upward(error), width)

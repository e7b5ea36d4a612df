"""Factors: the matrices that affine nodes multiply with, and how they change with the parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, Protocol, TypeVar

from .effort import spend_inner
from .exact import BITS, Exact, Nearly, identity, transposed_rows, upward
from .fixed import Ball, add, enlarged, inner, rounding
from .intervals import Interval
from .inverses import Inverse

ONE = Fraction(1)
Entry = TypeVar("Entry")


class Numbers(Protocol):
    """What the numbers of a program are: those of scalars, and how all change along the directions."""

    bits: int

    def scale(self, node: int) -> Interval:
        """The value of a scalar expression."""

    def scale_slopes(self, node: int) -> list[Interval] | None:
        """Its derivatives along the directions; None when they are zero."""

    def matrix_slopes(self, name: str) -> list[Exact] | None:
        """The derivatives of a matrix along the directions."""


class Factor(ABC):
    """A matrix: its size, a bound of its norm, its products."""

    height: int
    width: int
    norm: Fraction

    @property
    @abstractmethod
    def transposed(self) -> Factor:
        """The transposed matrix."""

    @abstractmethod
    def apply(self, ball: Ball, numbers: Numbers) -> Ball:
        """The product with a ball."""

    def moves(self, numbers: Numbers) -> bool:
        """Whether it changes along a direction."""
        return False

    def slopes(self, ball: Ball, numbers: Numbers) -> Ball | None:
        """The products of its derivatives along the directions with a vector, a column for each."""
        return None

    @abstractmethod
    def times(self, X: Nearly) -> Nearly:
        """The product with a matrix, written out."""

    def written(self) -> Nearly:
        """The matrix, written out."""
        return self.times(identity(self.width))


class Given(Factor):
    """A matrix of the certificate, or a parameter, or the transpose of one."""

    def __init__(self, name: str, matrix: Exact, parameter: bool = False, flipped: Given | None = None) -> None:
        self.name, self.matrix, self.parameter, self.flipped = name, matrix, parameter, flipped
        self.height, self.width, self.norm = matrix.height, matrix.width, matrix.norm

    @cached_property
    def transposed(self) -> Given:
        """The transposed matrix; of a parameter always another one, since it may change in another way."""
        if not self.parameter and self.matrix.is_symmetric:
            return self
        return self.flipped or Given(self.name, self.matrix.transposed, self.parameter, self)

    def apply(self, ball: Ball, numbers: Numbers) -> Ball:
        """The product with a ball."""
        return self.matrix.apply(ball, numbers.bits)

    def moves(self, numbers: Numbers) -> bool:
        """Whether it is a parameter that changes."""
        return numbers.matrix_slopes(self.name) is not None

    def slopes(self, ball: Ball, numbers: Numbers) -> Ball | None:
        """The products of its derivatives with a vector."""
        matrices = numbers.matrix_slopes(self.name)
        if matrices is None:
            return None
        return beside([(X.transposed if self.flipped else X).apply(ball, numbers.bits) for X in matrices])

    def times(self, X: Nearly) -> Nearly:
        """The product with a matrix."""
        rows = transposed_rows(self.matrix.multiply(X.transposed.rows, X.bits), self.height)
        return Nearly(rows, X.denominator * self.matrix.denominator, upward(self.norm * X.error), X.width).short()

    def written(self) -> Nearly:
        """The matrix, written out."""
        return Nearly(self.matrix.dense(), self.matrix.denominator, Fraction(0), self.width)


class Symmetrise(Factor):
    """Z -> (Z + Z^T) / 2 on matrices that are given row after row."""

    def __init__(self, n: int) -> None:
        self.n, self.norm = n, ONE
        self.height = self.width = n * n
        self.places = [j * n + i for i in range(n) for j in range(n)]

    @property
    def transposed(self) -> Symmetrise:
        """It is symmetric."""
        return self

    def apply(self, ball: Ball, numbers: Numbers) -> Ball:
        """The product with a ball."""
        columns = [[(a + column[j]) // 2 for a, j in zip(column, self.places, strict=True)] for column in ball.columns]
        return Ball(columns, ball.error + rounding(columns))

    def times(self, X: Nearly) -> Nearly:
        """The product with a matrix."""
        rows = [
            [a + b for a, b in zip(row, X.rows[j], strict=True)] for row, j in zip(X.rows, self.places, strict=True)
        ]
        return Nearly(rows, 2 * X.denominator, X.error, X.width)


class Slice(Factor):
    """Some coordinates of a vector; flipped: a vector as some coordinates of another, the rest 0."""

    def __init__(self, start: int, stop: int, size: int, flipped: Slice | None = None) -> None:
        self.range, self.size, self.flipped, self.norm = (start, stop), size, flipped, ONE
        self.height, self.width = (size, stop - start) if flipped else (stop - start, size)

    @cached_property
    def transposed(self) -> Slice:
        """The transposed matrix."""
        return self.flipped or Slice(*self.range, self.size, self)

    def cut(self, rows: list[Entry], zero: Entry) -> list[Entry]:
        """The rows of the product."""
        start, stop = self.range
        if self.flipped:
            return [zero] * start + rows + [zero] * (self.size - stop)
        return rows[start:stop]

    def apply(self, ball: Ball, numbers: Numbers) -> Ball:
        """The coordinates of a ball."""
        return Ball([self.cut(column, 0) for column in ball.columns], ball.error)

    def times(self, X: Nearly) -> Nearly:
        """The product with a matrix."""
        return X._replace(rows=self.cut(X.rows, [0] * X.width))


class Term(NamedTuple):
    """A scalar expression times a product of factors."""

    scale: int
    factors: tuple[Factor, ...]

    def apply(self, ball: Ball, numbers: Numbers) -> Ball:
        """The product with a ball."""
        for factor in reversed(self.factors):
            ball = factor.apply(ball, numbers)
        return ball.times(numbers.scale(self.scale))

    def moves(self, numbers: Numbers) -> bool:
        """Whether it changes along a direction."""
        scaled = numbers.scale_slopes(self.scale) is not None
        return scaled or any(factor.moves(numbers) for factor in self.factors)

    def slopes(self, ball: Ball, numbers: Numbers) -> Ball | None:
        """The products of its derivatives with a vector, by the product rule."""
        if not self.moves(numbers):
            return None
        tangent: Ball | None = None
        for factor in reversed(self.factors):
            moved = None if tangent is None else factor.apply(tangent, numbers)
            tangent = add(moved, factor.slopes(ball, numbers))
            ball = factor.apply(ball, numbers)
        moved = None if tangent is None else tangent.times(numbers.scale(self.scale))
        scales = numbers.scale_slopes(self.scale)
        return add(moved, None if scales is None else beside([ball.times(c) for c in scales]))


def beside(balls: Sequence[Ball]) -> Ball:
    """The columns beside each other."""
    return Ball([column for ball in balls for column in ball.columns], sum(ball.error for ball in balls))


def total(terms: Sequence[Term], ball: Ball, numbers: Numbers) -> Ball:
    """The sum of all terms, times a ball."""
    result = terms[0].apply(ball, numbers)
    for term in terms[1:]:
        result = result.plus(term.apply(ball, numbers))
    return result


def written(word: Sequence[Factor], width: int) -> Nearly:
    """A product of factors, written out."""
    if not word:
        return identity(width)
    X = word[-1].written()
    for factor in reversed(word[:-1]):
        X = factor.times(X)
    return X


class Sum(Factor):
    """A named matrix: the sum of terms."""

    def __init__(self, terms: Sequence[Term], matrix: Nearly) -> None:
        self.terms, self.matrix, self.norm = terms, matrix, matrix.norm
        self.height = self.width = matrix.width
        self.symmetric = not matrix.error and matrix.rows == matrix.transposed.rows
        self.flipped: Sum = self

    @property
    def transposed(self) -> Sum:
        """The transposed matrix."""
        return self.flipped

    def apply(self, ball: Ball, numbers: Numbers) -> Ball:
        """The product with a ball."""
        return total(self.terms, ball, numbers)

    def moves(self, numbers: Numbers) -> bool:
        """Whether a term changes."""
        return any(term.moves(numbers) for term in self.terms)

    def slopes(self, ball: Ball, numbers: Numbers) -> Ball | None:
        """The products of its derivatives with a vector."""
        result: Ball | None = None
        for term in self.terms:
            result = add(result, term.slopes(ball, numbers))
        return result

    def times(self, X: Nearly) -> Nearly:
        """The product with a matrix."""
        columns = X.transposed.rows
        spend_inner(len(columns) * self.width**2, X.bits + self.matrix.bits)
        rows = [[inner(row, column) for column in columns] for row in self.matrix.rows]
        error = self.norm * X.error + self.matrix.error * X.norm
        return Nearly(rows, X.denominator * self.matrix.denominator, upward(error), X.width).short()

    def written(self) -> Nearly:
        """The matrix, written out."""
        return self.matrix


class Inverted(Factor):
    """The inverse of a symmetric positive definite sum."""

    def __init__(self, K: Sum) -> None:
        self.K, self.inverse = K, Inverse(K.matrix)
        self.height = self.width = K.width
        self.norm = upward(1 / self.inverse.least)

    @property
    def transposed(self) -> Inverted:
        """It is symmetric."""
        return self

    def apply(self, ball: Ball, numbers: Numbers) -> Ball:
        """The product with a ball."""
        return self.inverse.apply(ball, numbers.bits)

    def moves(self, numbers: Numbers) -> bool:
        """Whether what it inverts changes."""
        return self.K.moves(numbers)

    def slopes(self, ball: Ball, numbers: Numbers) -> Ball | None:
        """The products of its derivatives - K^-1 dK K^-1 with a vector."""
        if not self.moves(numbers):
            return None
        moved = self.K.slopes(self.apply(ball, numbers), numbers)
        return None if moved is None else self.apply(moved, numbers).times(Interval(-1))

    def times(self, X: Nearly) -> Nearly:
        """The product with a matrix."""
        columns = [[(a << BITS) // X.denominator for a in column] for column in X.transposed.rows]
        error = enlarged(1 << BITS, X.error) + rounding(columns)
        found = self.inverse.apply(Ball(columns, error), BITS)
        rows = transposed_rows(found.columns, self.height)
        return Nearly(rows, 1 << BITS, Fraction(found.error, 1 << BITS), X.width)

"""The matrices of affine layers: constants, parameters, sums of products of such, and inverses of those.

Scales are expressions in the scalar parameters. Derivatives in all of them follow by the product rule.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.errors import MapError
from piggycheck.maps.nodes import (
    ArrayParameter,
    Context,
    Cotangents,
    Directions,
    Node,
    is_rational,
)

__all__ = [
    "Constant",
    "Difference",
    "Factor",
    "MatrixSum",
    "Parameter",
    "Source",
    "Symmetriser",
    "Term",
    "difference_matrix",
]


class Source(ABC):
    """A matrix that factors of affine terms name.

    Attributes
    ----------
    name : str
    rows, columns : int
    """

    name: str
    rows: int
    columns: int

    @abstractmethod
    def value(self, context: Context) -> Any:
        """Return the matrix over an arithmetic."""

    def is_exact(self, context: Context) -> bool:
        """Whether the matrix is rational at the context's parameters, and cheap to have exactly."""
        return True

    def vary(self, context: Context, directions: Directions, j: int, transposed: bool, v: Any) -> Any | None:
        """Apply the derivative in direction j to a vector; None when it is zero."""
        return None

    def covary(self, context: Context, left: Any, right: Any, sink: Cotangents) -> None:  # noqa: B027
        """Hand to parameters the cotangent of ``left^T M right``; constants receive nothing."""

    def moves(self, directions: Directions) -> bool:
        """Whether a direction changes the matrix."""
        return False

    @property
    def mentioned(self) -> frozenset[Any]:
        """The parameters that the matrix is made of."""
        return frozenset()


class Constant(Source):
    """A matrix of exact numbers.

    Parameters
    ----------
    name : str
    matrix : fmpq_mat
    """

    def __init__(self, name: str, matrix: fmpq_mat):
        self.name, self.matrix = name, matrix
        self.rows, self.columns = matrix.nrows(), matrix.ncols()

    def value(self, context: Context) -> Any:
        return context.matrix(self.matrix, self)


class Difference(Constant):
    """Forward differences of an order: ``size - order`` rows, ``size`` columns.

    Examples
    --------
    >>> Difference(2, 4).matrix
    [1, -2,  1, 0]
    [0,  1, -2, 1]
    """

    def __init__(self, order: int, size: int):
        self.order = order
        super().__init__(f"D{order}", difference_matrix(order, size))


def difference_matrix(order: int, size: int) -> fmpq_mat:
    """Return the matrix of forward differences.

    Raises
    ------
    MapError
        When the order is not between 1 and ``size - 1``.
    """
    if not 1 <= order < size:
        raise MapError(f"differences of order {order} of {size} numbers; write an order from 1 to {size - 1}")
    row = [(-1) ** (order - k) * sp.binomial(order, k) for k in range(order + 1)]
    D = fmpq_mat(size - order, size)
    for i in range(size - order):
        for k, entry in enumerate(row):
            D[i, i + k] = fmpq(int(entry))
    return D


class Symmetriser(Source):
    """The projection ``Z -> (Z + Z^T)/2`` on row-major vectors of n × n entries.

    Parameters
    ----------
    n : int
    """

    def __init__(self, n: int):
        self.name, self.n, self.rows, self.columns = f"sym{n}", n, n * n, n * n

    @cached_property
    def matrix(self) -> fmpq_mat:
        """The projection as a matrix."""
        n, half = self.n, fmpq(1, 2)
        M = fmpq_mat(n * n, n * n)
        for i in range(n):
            for j in range(n):
                M[i * n + j, i * n + j] += half
                M[i * n + j, j * n + i] += half
        return M

    def value(self, context: Context) -> Any:
        return context.matrix(self.matrix, self)

    def apply(self, context: Context, V: Any) -> Any:
        """Symmetrise the columns without forming the matrix."""
        arrays, n = context.arrays, self.n
        columns = arrays.shape(V)[1]
        entries = arrays.entries(V)
        rows = [entries[k * columns : (k + 1) * columns] for k in range(n * n)]
        flipped = [entry for i in range(n) for j in range(n) for entry in rows[j * n + i]]
        half = arrays.number(fmpq(1, 2))
        return arrays.scaled(half, arrays.total(V, arrays.assemble(n * n, columns, flipped)))


class Parameter(Source):
    """A matrix parameter.

    Parameters
    ----------
    parameter : ArrayParameter
    """

    def __init__(self, parameter: ArrayParameter):
        self.parameter, self.name = parameter, parameter.name
        self.rows, self.columns = parameter.rows, parameter.columns

    def value(self, context: Context) -> Any:
        return context.matrix(context.matrices[self.name], self.parameter)

    def moves(self, directions: Directions) -> bool:
        return self.name in directions.matrices

    @property
    def mentioned(self) -> frozenset[Any]:
        return frozenset([self.parameter])

    def vary(self, context: Context, directions: Directions, j: int, transposed: bool, v: Any) -> Any | None:
        moving = directions.of_array(self.name)
        if moving is None:
            return None
        arrays = context.arrays
        entries, count = arrays.entries(moving), directions.count
        M = arrays.assemble(self.rows, self.columns, entries[j::count])
        return arrays.product(arrays.transposed(M) if transposed else M, v)

    def covary(self, context: Context, left: Any, right: Any, sink: Cotangents) -> None:
        arrays = context.arrays
        sink.array(self.name, arrays.product(left, arrays.transposed(right)))


@dataclass(frozen=True)
class Factor:
    """A source as it stands in a product: transposed, or inverted.

    Attributes
    ----------
    source : Source
    transposed, inverted : bool
        An inverted source is square.
    """

    source: Source
    transposed: bool = False
    inverted: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        rows, columns = self.source.rows, self.source.columns
        return (columns, rows) if self.transposed else (rows, columns)

    @property
    def label(self) -> str:
        """The factor's name, as certificates write it."""
        return self.source.name + ("^-1" if self.inverted else "'" if self.transposed else "")

    def value(self, context: Context) -> Any:
        """Return the factor over an arithmetic."""
        return context.remember(("factor", self), lambda: self._value(context))

    def _value(self, context: Context) -> Any:
        M = self.source.value(context)
        if self.inverted:
            M = context.arrays.inverse(M)
        return context.arrays.transposed(M) if self.transposed else M

    def apply(self, context: Context, V: Any) -> Any:
        """Multiply the columns of V."""
        if isinstance(self.source, Symmetriser):
            return self.source.apply(context, V)
        return context.arrays.product(self.value(context), V)

    def apply_transposed(self, context: Context, V: Any) -> Any:
        """Multiply by the transpose."""
        return Factor(self.source, not self.transposed, self.inverted).apply(context, V)

    def is_exact(self, context: Context) -> bool:
        """Whether the factor is rational and cheap to have exactly."""
        return not self.inverted and not isinstance(self.source, Symmetriser) and self.source.is_exact(context)

    def vary(self, context: Context, directions: Directions, j: int, v: Any) -> Any | None:
        """Apply the factor's derivative in direction j to a vector; None when it is zero."""
        if not self.inverted:
            return self.source.vary(context, directions, j, self.transposed, v)
        inner = self.source.vary(context, directions, j, self.transposed, self.apply(context, v))
        return None if inner is None else self._negated(context, self.apply(context, inner))

    def covary(self, context: Context, left: Any, right: Any, sink: Cotangents) -> None:
        """Hand to parameters the cotangent of ``left^T F right``."""
        if self.inverted:
            left = self._negated(context, self.apply_transposed(context, left))
            right = self.apply(context, right)
        if self.transposed:
            left, right = right, left
        self.source.covary(context, left, right, sink)

    @staticmethod
    def _negated(context: Context, V: Any) -> Any:
        return context.arrays.scaled(context.arrays.number(fmpq(-1)), V)


@dataclass(frozen=True)
class Term:
    """``scale * factors[0] factors[1] ... of``; with no `of`, a term of a `MatrixSum`.

    Attributes
    ----------
    scale : sympy.Expr
        In the scalar parameters.
    factors : tuple of Factor
        The last acts first.
    of : Node, optional
    """

    scale: sp.Expr
    factors: tuple[Factor, ...] = ()
    of: Node | None = None

    def rows(self, size: int) -> int:
        """Number of rows of the product with a vector of a size.

        Raises
        ------
        MapError
            When the dimensions do not fit.
        """
        for factor in reversed(self.factors):
            rows, columns = factor.shape
            if columns != size:
                raise MapError(f"`{factor.label}` has {columns} columns and acts on {size} entries; they must agree")
            size = rows
        return size

    @property
    def mentioned(self) -> frozenset[Any]:
        """The parameters in scale and factors."""
        return frozenset(self.scale.free_symbols).union(*(factor.source.mentioned for factor in self.factors))

    def applied(self, context: Context, V: Any) -> Any:
        """Return the term's product with the columns of V."""
        for factor in reversed(self.factors):
            V = factor.apply(context, V)
        return V if self.scale == 1 else context.arrays.scaled(context.number(self.scale), V)

    def applied_transposed(self, context: Context, V: Any) -> Any:
        """Return the transposed term's product with the columns of V."""
        for factor in self.factors:
            V = factor.apply_transposed(context, V)
        return V if self.scale == 1 else context.arrays.scaled(context.number(self.scale), V)

    def is_exact(self, context: Context) -> bool:
        """Whether scale and factors are rational and cheap to have exactly."""
        return is_rational(context, self.scale) and all(factor.is_exact(context) for factor in self.factors)

    def matrix(self, context: Context, size: int) -> Any:
        """Return the product of scale and factors as a matrix."""
        return self.applied(context, context.arrays.identity(size))

    def moves(self, directions: Directions) -> bool:
        """Whether a direction changes scale or factors."""
        scaled = any(v in directions.scalars for v in self.scale.free_symbols)
        return scaled or any(factor.source.moves(directions) for factor in self.factors)

    def varied(self, context: Context, directions: Directions, v: Any) -> Any | None:
        """Apply the derivatives of scale and factors in all directions to a vector; a matrix, or None for zero."""
        if not self.moves(directions):
            return None
        arrays = context.arrays
        row = directions.of_scalar(self.scale)
        unscaled = Term(sp.S.One, self.factors)
        total = None if row is None else arrays.product(unscaled.applied(context, v), row)
        columns = [self._varied_factors(context, directions, j, v) for j in range(directions.count)]
        if all(column is None for column in columns):
            return total
        zero = arrays.zeros(self.rows(arrays.shape(v)[0]), 1)
        lists = [arrays.entries(zero if column is None else column) for column in columns]
        size = arrays.shape(zero)[0]
        moved = arrays.assemble(size, directions.count, [column[i] for i in range(size) for column in lists])
        moved = arrays.scaled(context.number(self.scale), moved)
        return moved if total is None else arrays.total(total, moved)

    def _varied_factors(self, context: Context, directions: Directions, j: int, v: Any) -> Any | None:
        value, change = v, None
        for factor in reversed(self.factors):
            own = factor.vary(context, directions, j, value)
            carried = None if change is None else factor.apply(context, change)
            parts = [part for part in (own, carried) if part is not None]
            change = None if not parts else parts[0] if len(parts) == 1 else context.arrays.total(*parts)
            value = factor.apply(context, value)
        return change

    def covaried(self, context: Context, left: Any, v: Any, sink: Cotangents) -> None:
        """Hand to parameters the cotangent of ``left^T`` times the term's product with v."""
        arrays = context.arrays
        rights = [v]
        for factor in reversed(self.factors):
            rights.append(factor.apply(context, rights[-1]))
        if self.scale.free_symbols:
            number = arrays.entries(arrays.product(arrays.transposed(left), rights[-1]))[0]
            sink.scalar(self.scale, number)
        left = arrays.scaled(context.number(self.scale), left)
        for factor, right in zip(self.factors, reversed(rights[:-1]), strict=True):
            factor.covary(context, left, right, sink)
            left = factor.apply_transposed(context, left)


class MatrixSum(Source):
    """A named sum of scaled products of matrices.

    Parameters
    ----------
    name : str
    terms : sequence of Term
    size : int
        Number of rows and columns.
    """

    def __init__(self, name: str, terms: Sequence[Term], size: int):
        self.name, self.terms, self.rows, self.columns = name, tuple(terms), size, size
        for term in self.terms:
            if term.rows(size) != size:
                raise MapError(f"a term of `{name}` has {term.rows(size)} rows; write a square matrix of {size}")

    def is_exact(self, context: Context) -> bool:
        return all(term.is_exact(context) for term in self.terms)

    def value(self, context: Context) -> Any:
        return context.remember(("sum", self), lambda: self._value(context))

    def _value(self, context: Context) -> Any:
        exact = context.exactly()
        if exact is not None and exact is not context and self.is_exact(exact):
            return context.arrays.matrix(self.value(exact))
        total = context.arrays.zeros(self.rows, self.columns)
        for term in self.terms:
            total = context.arrays.total(total, term.matrix(context, self.columns))
        return total

    def moves(self, directions: Directions) -> bool:
        return any(term.moves(directions) for term in self.terms)

    @property
    def mentioned(self) -> frozenset[Any]:
        return frozenset().union(*(term.mentioned for term in self.terms))

    def vary(self, context: Context, directions: Directions, j: int, transposed: bool, v: Any) -> Any | None:
        total = None
        for term in self.terms:
            if transposed:
                factors = tuple(Factor(f.source, not f.transposed, f.inverted) for f in reversed(term.factors))
                term = Term(term.scale, factors)
            moved = term.varied(context, directions, v)
            if moved is not None:
                column = context.arrays.entries(moved)[j :: directions.count]
                part = context.arrays.assemble(len(column), 1, column)
                total = part if total is None else context.arrays.total(total, part)
        return total

    def covary(self, context: Context, left: Any, right: Any, sink: Cotangents) -> None:
        for term in self.terms:
            term.covaried(context, left, right, sink)

"""Writing a structured map out: one sympy expression for each number of the next state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import singledispatch

import sympy as sp
from flint import fmpq_mat

from piggycheck.arithmetic import to_sympy
from piggycheck.errors import MapError, UnknownError
from piggycheck.linalg import identity
from piggycheck.maps.affine import Affine
from piggycheck.maps.elementwise import Elementwise
from piggycheck.maps.group import Group
from piggycheck.maps.nodes import ArrayParameter, ConstantVector, Node, Scalar, StateBlock
from piggycheck.maps.second_order_cone import SecondOrderCone
from piggycheck.maps.sources import Constant, Factor, MatrixSum, Parameter, Source, Symmetriser, Term
from piggycheck.maps.spectral import Spectral

__all__ = ["written_out"]

_Column = list[sp.Expr]
_MOST_ENTRIES = 10_000


def written_out(
    nodes: Sequence[Node], symbols: Mapping[Node, Sequence[sp.Symbol]], arrays: Mapping[str, Sequence[sp.Symbol]]
) -> _Column:
    """Write out the last of some nodes, inputs before what reads them.

    Parameters
    ----------
    nodes : sequence of Node
    symbols : mapping
        What the blocks of the state are.
    arrays : mapping
        By name, what the array parameters are, row by row.

    Raises
    ------
    UnknownError
        When a node cannot be written out: eigenvalues of more than 2 rows, or a map that is too large.

    Notes
    -----
    The matrix function of two rows is written with the quotient by the difference of the eigenvalues, so it has no
    value where they are equal.
    """
    largest = max(node.size for node in nodes)
    if largest**2 > _MOST_ENTRIES:
        raise UnknownError(f"a map of {largest} numbers is not written out; ask for products with its derivative")
    found: dict[Node, _Column] = {}
    for node in nodes:
        if isinstance(node, StateBlock):
            found[node] = list(symbols[node])
        elif isinstance(node, ArrayParameter):
            found[node] = list(arrays[node.name])
        else:
            found[node] = _written(node, [found[read] for read in node.inputs], arrays)
    return found[nodes[-1]]


@singledispatch
def _written(node: Node, inputs: Sequence[_Column], arrays: Mapping[str, Sequence[sp.Symbol]]) -> _Column:
    raise UnknownError(f"`{node.name}`: `{type(node).__name__}` is not written out in symbols")


@_written.register
def _(node: ConstantVector, inputs, arrays) -> _Column:
    return [to_sympy(entry) for entry in node.value.entries()]


@_written.register
def _(node: Scalar, inputs, arrays) -> _Column:
    return [node.expression]


@_written.register
def _(node: Affine, inputs, arrays) -> _Column:
    of = dict(zip(node.inputs, inputs, strict=True))
    parts = [_term(term, of[term.of], arrays) for term in node.terms]
    return [sp.Add(*entries) for entries in zip(*parts, strict=True)]


@_written.register
def _(node: Elementwise, inputs, arrays) -> _Column:
    function = node.function
    columns = [column * (node.size if len(column) == 1 else 1) for column in inputs]
    symbols = (function.variable, *function.arguments)
    return [
        function.expression.xreplace(dict(zip(symbols, numbers, strict=True))) for numbers in zip(*columns, strict=True)
    ]


@_written.register
def _(node: Group, inputs, arrays) -> _Column:
    v, thresholds = inputs
    found: _Column = list(v)
    for group, t in zip(node.groups, thresholds * (len(node.groups) if len(thresholds) == 1 else 1), strict=True):
        n = _length([v[i] for i in group])
        factor = sp.Piecewise((1 - t / n, sp.Gt(n - t, 0)), (0, True))
        for i in group:
            found[i] = v[i] * factor
    return found


@_written.register
def _(node: SecondOrderCone, inputs, arrays) -> _Column:
    t, *v = inputs[0]
    n = _length(v)
    inside, opposite = sp.Le(n - t, 0), sp.Le(n + t, 0)
    first = sp.Piecewise((t, inside), (0, opposite), ((t + n) / 2, True))
    factor = sp.Piecewise((1, inside), (0, opposite), ((1 + t / n) / 2, True))
    return [first, *(entry * factor for entry in v)]


@_written.register
def _(node: Spectral, inputs, arrays) -> _Column:
    function, arguments = node.function, [column[0] for column in inputs[1:]]

    def phi(eigenvalue: sp.Expr) -> sp.Expr:
        numbers = (eigenvalue, *arguments)
        return function.expression.xreplace(dict(zip((function.variable, *function.arguments), numbers, strict=True)))

    if node.rows == 1:
        return [phi(inputs[0][0])]
    if node.rows > 2:
        raise UnknownError(f"`{node.name}`: the eigenvalues of a matrix of {node.rows} rows are not written out")
    a, b, c, d = inputs[0]
    middle, half, off = (a + d) / 2, (a - d) / 2, (b + c) / 2
    radius = _length([half, off])
    low, high = phi(middle - radius), phi(middle + radius)
    mean, slope = (low + high) / 2, (high - low) / (2 * radius)
    return [mean + slope * half, slope * off, slope * off, mean - slope * half]


def _length(v: _Column) -> sp.Expr:
    return sp.sqrt(sp.Add(*(entry**2 for entry in v)))


def _term(term: Term, column: _Column, arrays: Mapping[str, Sequence[sp.Symbol]]) -> _Column:
    for factor in reversed(term.factors):
        column = list(_matrix(factor, arrays) * sp.Matrix(column))
    return [term.scale * entry for entry in column]


def _matrix(factor: Factor, arrays: Mapping[str, Sequence[sp.Symbol]]) -> sp.Matrix:
    M = _source(factor.source, arrays)
    if factor.inverted:
        if M.det() == 0:
            raise MapError(f"the matrix `{factor.source.name}` is singular; it cannot be inverted")
        M = M.inv()
    return M.T if factor.transposed else M


def _source(source: Source, arrays: Mapping[str, Sequence[sp.Symbol]]) -> sp.Matrix:
    if isinstance(source, Parameter):
        return sp.Matrix(source.rows, source.columns, list(arrays[source.name]))
    if isinstance(source, (Constant, Symmetriser)):
        return _constant(source.matrix)
    if isinstance(source, MatrixSum):
        total = sp.zeros(source.rows, source.columns)
        for term in source.terms:
            product = _constant(identity(source.columns))
            for factor in reversed(term.factors):
                product = _matrix(factor, arrays) * product
            total += term.scale * product
        return total
    raise UnknownError(f"`{source.name}`: `{type(source).__name__}` is not written out in symbols")


def _constant(M: fmpq_mat) -> sp.Matrix:
    return sp.Matrix(M.nrows(), M.ncols(), [to_sympy(entry) for entry in M.entries()])

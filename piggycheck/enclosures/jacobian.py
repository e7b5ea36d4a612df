"""Rows of the derivative in the state, by reverse accumulation from the rows that are not zero.

Where the last layer shrinks, most rows of the derivative are zero: only the others are formed, and from a layer that is
applied entry by entry and an affine one they are read off the matrix without a product.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb, fmpq

from piggycheck.arrays import FLOAT64, Arrays
from piggycheck.maps import Affine, Directions, Elementwise, Moment, Node, Signature, StateBlock
from piggycheck.maps.bound import SymbolicMoment
from piggycheck.maps.nodes import Cotangents
from piggycheck.maps.structured import StructuredMoment

__all__ = ["Rows", "derivative_block", "derivative_rows"]


@dataclass(frozen=True)
class Rows:
    """The rows of a derivative that are not known to be zero.

    Attributes
    ----------
    kept : tuple of int
        Their indices. All other rows are exactly zero, wherever the moment may be.
    matrix : matrix of an `Arrays`, one row for each
    """

    kept: tuple[int, ...]
    matrix: Any


def derivative_rows(moment: Moment, signature: Signature) -> Rows:
    """Return the rows of the derivative A in the state, for the piece that a signature names.

    Over balls the matrix encloses, entry by entry, the derivatives at all points where the state may be.

    Examples
    --------
    >>> import sympy as sp
    >>> from flint import fmpq_mat
    >>> from piggycheck.arrays import EXACT, Enclosed
    >>> from piggycheck.maps import SymbolicMap
    >>> x, y = sp.symbols("x y", real=True)
    >>> bound = SymbolicMap([x, y], [sp.Max(x + y - 3, 0), x / 2]).bind({}, EXACT)
    >>> moment = bound(Enclosed(fmpq_mat([[1], [1]])))
    >>> derivative_rows(moment, moment.signature)
    Rows(kept=(1,), matrix=[1/2, 0])
    """
    with moment.bound.arrays.precision():
        if isinstance(moment, SymbolicMoment):
            return _dense_rows(moment.bound.arrays, moment.pair(signature)[0], block=False)
        return _Backward(moment, signature, block=False).rows()


def derivative_block(moment: Moment, signature: Signature) -> Rows:
    """Return the same rows, with the columns of the same indices alone: a square matrix."""
    with moment.bound.arrays.precision():
        if isinstance(moment, SymbolicMoment):
            return _dense_rows(moment.bound.arrays, moment.pair(signature)[0], block=True)
        return _Backward(moment, signature, block=True).rows()


def _dense_rows(arrays: Arrays, A: Any, *, block: bool) -> Rows:
    rows, columns = arrays.shape(A)
    entries = arrays.entries(A)
    kept = [i for i in range(rows) if not all(_is_zero(e) for e in entries[i * columns : (i + 1) * columns])]
    wanted = kept if block else range(columns)
    return Rows(
        tuple(kept), arrays.assemble(len(kept), len(wanted), [entries[i * columns + j] for i in kept for j in wanted])
    )


def _is_zero(entry: Any) -> bool:
    return bool(entry == 0)


@dataclass(frozen=True)
class _Picked:
    """The matrix whose row r is ``factors[r]`` times the unit vector of ``indices[r]``."""

    indices: Sequence[int]
    factors: Sequence[Any]


class _Backward:
    """Carries the kept rows from the next state back to the blocks of the state."""

    def __init__(self, moment: StructuredMoment, signature: Signature, *, block: bool):
        self.moment, self.bound, self.arrays = moment, moment.bound, moment.bound.arrays
        self.signs, self.block = moment.by_node(signature), block
        self.wanted: dict[Node, Sequence[int]] = {}
        self.nothing = Directions(self.bound.context, 0)
        self.received: dict[Node, list[Any]] = {}

    def rows(self) -> Rows:
        last, arrays = self.bound.map.next, self.arrays
        pattern = arrays.entries(self._pattern(last, {}))
        kept = tuple(i for i, entry in enumerate(pattern) if not _is_zero(entry))
        start = 0
        for block in self.bound.map.blocks:
            inside = [i - start for i in kept if start <= i < start + block.size]
            self.wanted[block] = inside if self.block else range(block.size)
            start += block.size
        self._receive(last, _Picked(kept, [1] * len(kept)))
        for node in reversed(self.bound.moving):
            if node in self.received and not isinstance(node, StateBlock):
                self._carry(node, self._gathered(self.received.pop(node), node))
        columns = [self._columns(block, len(kept)) for block in self.bound.map.blocks]
        whole = columns[0] if len(columns) == 1 else arrays.stacked(columns)
        return Rows(kept, arrays.transposed(whole))

    def _columns(self, block: StateBlock, count: int) -> Any:
        """What arrived at a block of the state, for the columns that are wanted, transposed."""
        if block not in self.received:
            return self.arrays.zeros(len(self.wanted[block]), count)
        return self._gathered(self.received[block], block)

    # -- which rows are zero --------------------------------------------------------------------------------------

    def _pattern(self, node: Node, known: dict[Node, Any]) -> Any:
        """A column whose zeros are where a node does not depend on the state.

        The column is the derivative times every vector with entries between -1 and 1 at once, for nodes after the last
        affine one: an enclosure that is exactly zero proves that the row is.
        """
        if node not in known:
            if _is_mixing(node) or isinstance(node, StateBlock):
                known[node] = self.arrays.assemble(node.size, 1, self._probe(node.size))
            else:
                read = [self._pattern(n, known) if n.depends_on_state() else None for n in node.inputs]
                known[node] = self.moment.nodes[node].forward(self.signs.get(node, ()), read, self.nothing)
        return known[node]

    def _probe(self, size: int) -> list[Any]:
        if self.arrays.bounds_errors:
            return [arb(0, 1)] * size
        few = [self.arrays.number(fmpq(k, 7)) for k in (5, 6, 8, 9, 11)]
        return [few[i % len(few)] for i in range(size)]

    # -- carrying rows back ---------------------------------------------------------------------------------------

    def _carry(self, node: Node, part: Any) -> None:
        if _is_mixing(node):
            operator = self.bound.operators[node]
            for read in node.inputs:
                if read.depends_on_state():
                    self._receive(read, self._through_affine(operator, read, part, node))
        elif isinstance(node, Elementwise) and isinstance(part, _Picked):
            slopes = self._slopes(node)
            factors = [_times(f, slopes[i]) for i, f in zip(part.indices, part.factors, strict=True)]
            self._receive(node.inputs[0], _Picked(part.indices, factors))
        else:
            signs, cotangent = self.signs.get(node, ()), self._dense(part, node)
            found = self.moment.nodes[node].backward(signs, cotangent, Cotangents(self.bound.context))
            for read, share in zip(node.inputs, found, strict=True):
                if share is not None and read.depends_on_state():
                    self._receive(read, self._filtered(read, share))

    def _filtered(self, node: Node, part: Any) -> Any:
        """Drop what is not wanted of a block of the state."""
        wanted = self.wanted.get(node)
        if wanted is None or len(wanted) == node.size:
            return part
        entries, count = self.arrays.entries(part), self.arrays.shape(part)[1]
        chosen = [e for i in wanted for e in entries[i * count : (i + 1) * count]]
        return self.arrays.assemble(len(wanted), count, chosen)

    def _slopes(self, node: Elementwise) -> Sequence[Any]:
        ones = self.arrays.assemble(node.size, 1, [self.arrays.number(fmpq(1))] * node.size)
        read = [ones, *([None] * (len(node.inputs) - 1))]
        return self.arrays.entries(self.moment.nodes[node].forward(self.signs.get(node, ()), read, self.nothing))

    def _through_affine(self, operator: Any, read: Node, part: Any, node: Affine) -> Any:
        matrix = operator.formed[read]
        if matrix is None or not isinstance(part, _Picked):
            return self._filtered(read, operator.times_transposed(read, self._dense(part, node)))
        return _picked_rows(self.arrays, matrix, part, self.wanted.get(read, range(read.size)))

    def _receive(self, node: Node, part: Any) -> None:
        if isinstance(node, StateBlock) and isinstance(part, _Picked):
            part = self._filtered(node, self._dense(part, node))
        self.received.setdefault(node, []).append(part)

    def _gathered(self, parts: list[Any], node: Node) -> Any:
        """The sum of what arrived at a node."""
        if len(parts) == 1:
            return parts[0]
        total = self._dense(parts[0], node)
        for part in parts[1:]:
            total = self.arrays.total(total, self._dense(part, node))
        return total

    def _dense(self, part: Any, node: Node) -> Any:
        """Write the transpose of the rows out: one column for each."""
        if not isinstance(part, _Picked):
            return part
        arrays, count = self.arrays, len(part.indices)
        if arrays is FLOAT64:
            whole = arrays.zeros(node.size, count)
            whole[list(part.indices), range(count)] = part.factors
            return whole
        entries = [arrays.number(fmpq(0))] * (node.size * count)
        for column, (i, factor) in enumerate(zip(part.indices, part.factors, strict=True)):
            entries[i * count + column] = arrays.number(fmpq(1)) * factor
        return arrays.assemble(node.size, count, entries)


def _is_mixing(node: Node) -> bool:
    """Whether a node multiplies by matrices; stacks and slices are affine, too, and only move entries."""
    return type(node) is Affine


def _times(factor: Any, slope: Any) -> Any:
    return slope if isinstance(factor, int) and factor == 1 else factor * slope


def _picked_rows(arrays: Arrays, matrix: Any, part: _Picked, columns: Sequence[int]) -> Any:
    """Return the transpose of the picked rows of a matrix, each times its factor; the columns wanted alone."""
    if arrays is FLOAT64:
        import numpy as np

        rows = matrix[np.ix_(list(part.indices), list(columns))]
        return (rows * np.array(part.factors, dtype=float).reshape(-1, 1)).T
    found: list[Any] = []
    for i, factor in zip(part.indices, part.factors, strict=True):
        row = [matrix[i, j] for j in columns]
        found += row if factor == 1 else [factor * entry for entry in row]
    return arrays.transposed(arrays.assemble(len(part.indices), len(columns), found))

"""Putting vectors below each other, and taking parts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.errors import MapError
from piggycheck.maps.affine import Affine
from piggycheck.maps.nodes import Context, Cotangents, Directions, Linearisation, Node, Operator, Signs
from piggycheck.maps.sources import Constant, Factor, Term

__all__ = ["Slice", "Stack"]


class Stack(Affine):
    """Nodes below each other.

    Parameters
    ----------
    name : str
    parts : sequence of Node
        At least one; a node may occur several times.

    Raises
    ------
    MapError
        When there is no part.

    Examples
    --------
    >>> from piggycheck.maps.nodes import StateBlock
    >>> Stack("s", [StateBlock("x", 2), StateBlock("y", 3)]).size
    5
    """

    def __init__(self, name: str, parts: Sequence[Node]):
        if not parts:
            raise MapError(f"the stack `{name}` has no parts; write at least one")
        self.parts = tuple(parts)
        size, start, terms = sum(part.size for part in parts), 0, []
        for part in parts:
            terms.append(_placed(part, _selection(size, part.size, start, 0)))
            start += part.size
        super().__init__(name, terms)

    def copied(self, name: str, instead: Mapping[Node, Node]) -> Node:
        return Stack(name, [instead[part] for part in self.parts])

    def over(self, context: Context) -> Operator:
        return _StackOperator(self, context)


class Slice(Affine):
    """Some consecutive entries of a node.

    Parameters
    ----------
    name : str
    of : Node
    start, stop : int
        From `start` up to, not including, `stop`, counted from 0.

    Raises
    ------
    MapError
        When these are not places of `of`, or there is nothing between them.

    Examples
    --------
    >>> from piggycheck.maps.nodes import StateBlock
    >>> Slice("c", StateBlock("x", 5), 1, 3).size
    2
    """

    def __init__(self, name: str, of: Node, start: int, stop: int):
        if not 0 <= start < stop <= of.size:
            raise MapError(
                f"`{name}`: no entries from {start} to {stop} of `{of.name}`, which has {of.size}; "
                f"write 0 <= start < stop <= {of.size}"
            )
        self.of, self.start, self.stop = of, start, stop
        super().__init__(name, [_placed(of, _selection(stop - start, of.size, 0, start))])

    def copied(self, name: str, instead: Mapping[Node, Node]) -> Node:
        return Slice(name, instead[self.of], self.start, self.stop)

    def over(self, context: Context) -> Operator:
        return _SliceOperator(self, context)


def _selection(rows: int, columns: int, row: int, column: int) -> fmpq_mat:
    """Ones on the diagonal that begins at a place, zeros elsewhere."""
    E = fmpq_mat(rows, columns)
    for k in range(min(rows - row, columns - column)):
        E[row + k, column + k] = 1
    return E


def _placed(part: Node, E: fmpq_mat) -> Term:
    return Term(sp.S.One, (Factor(Constant(f"entries of {part.name}", E)),), part)


class _StackOperator(Operator):
    def __init__(self, node: Stack, context: Context):
        self.node, self.context = node, context

    def __call__(self, values: Sequence[Any], reach: Sequence[Any]) -> Linearisation:
        return _StackAt(self, values)

    def stacked(self, inputs: Sequence[Any]) -> Any:
        """Put what belongs to the inputs in the places of the parts."""
        by_node = dict(zip(self.node.inputs, inputs, strict=True))
        return self.context.arrays.stacked([by_node[part] for part in self.node.parts])


class _StackAt(Linearisation):
    def __init__(self, operator: _StackOperator, values: Sequence[Any]):
        self.operator = operator
        self.value = operator.stacked(values)

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        arrays = self.operator.context.arrays
        columns = {arrays.shape(T)[1] for T in tangents if T is not None}
        if not columns:
            return None
        (count,) = columns
        inputs = self.operator.node.inputs
        filled = [arrays.zeros(node.size, count) if T is None else T for node, T in zip(inputs, tangents, strict=True)]
        return self.operator.stacked(filled)

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        arrays, node, start = self.operator.context.arrays, self.operator.node, 0
        received: dict[Node, Any] = {}
        for part in node.parts:
            own = arrays.block(cotangent, start, start + part.size)
            received[part] = arrays.total(received[part], own) if part in received else own
            start += part.size
        return [received[read] for read in node.inputs]


class _SliceOperator(Operator):
    def __init__(self, node: Slice, context: Context):
        self.node, self.context = node, context

    def __call__(self, values: Sequence[Any], reach: Sequence[Any]) -> Linearisation:
        return _SliceAt(self, values[0])

    def taken(self, V: Any) -> Any:
        """Take the rows of the slice."""
        return self.context.arrays.block(V, self.node.start, self.node.stop)


class _SliceAt(Linearisation):
    def __init__(self, operator: _SliceOperator, V: Any):
        self.operator = operator
        self.value = operator.taken(V)

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        return None if tangents[0] is None else self.operator.taken(tangents[0])

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        arrays, node = self.operator.context.arrays, self.operator.node
        before, after = node.start, node.of.size - node.stop
        columns = arrays.shape(cotangent)[1]
        parts = [arrays.zeros(before, columns), cotangent, arrays.zeros(after, columns)]
        sizes = [before, node.size, after]
        return [arrays.stacked([part for part, size in zip(parts, sizes, strict=True) if size])]

"""Affine layers: sums of products of matrices with vectors."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Any
from weakref import WeakKeyDictionary

import sympy as sp
from flint import fmpq

from piggycheck.errors import MapError
from piggycheck.maps.nodes import (
    Context,
    Cotangents,
    Directions,
    Linearisation,
    Node,
    Operator,
    Signs,
    is_rational,
)
from piggycheck.maps.sources import Symmetriser, Term

__all__ = ["Affine", "gather"]


class Affine(Node):
    """A sum of terms, each a matrix times a node.

    Parameters
    ----------
    name : str
    terms : sequence of Term
        At least one, each with its node.

    Raises
    ------
    MapError
        When dimensions do not fit.
    """

    def __init__(self, name: str, terms: Sequence[Term]):
        self.name, self.terms = name, tuple(terms)
        if not self.terms:
            raise MapError(f"the affine node `{name}` has no terms; write at least one")
        sizes = {term.rows(term.of.size) for term in self.terms}
        if len(sizes) > 1:
            listed = ", ".join(map(str, sorted(sizes)))
            raise MapError(f"the terms of `{name}` have {listed} entries; they must have the same number")
        (self.size,) = sizes
        self.inputs = tuple(dict.fromkeys(term.of for term in self.terms))

    @property
    def mentioned(self) -> frozenset[Any]:
        return frozenset().union(*(term.mentioned for term in self.terms))

    def copied(self, name: str, instead: Mapping[Node, Node]) -> Node:
        return Affine(name, [Term(term.scale, term.factors, instead[term.of]) for term in self.terms])

    def over(self, context: Context) -> Operator:
        return _AffineOperator(self, context)

    def gathered(self, context: Context, read: Node) -> Any | fmpq:
        """Return the matrix that multiplies an input; a number stands for a multiple of the identity."""
        terms = [term for term in self.terms if term.of == read]
        return context.remember(("gathered", self, read), lambda: gather(terms, context, read.size, self.size))


def gather(terms: Sequence[Term], context: Context, columns: int, rows: int) -> Any | fmpq:
    """Return the sum of terms as one matrix over an arithmetic; a number stands for a multiple of the identity."""
    scale = sp.Add(*(term.scale for term in terms))
    if all(not term.factors for term in terms) and is_rational(context, scale):
        return context.exact_number(scale)
    exact = context.exactly()
    if exact is not None and exact is not context and all(term.is_exact(exact) for term in terms):
        return context.arrays.matrix(gather(terms, exact, columns, rows))
    total = context.arrays.zeros(rows, columns)
    for term in terms:
        total = context.arrays.total(total, term.matrix(context, columns))
    return total


class _AffineOperator(Operator):
    """An affine node whose products are formed once where that costs less than applying them one by one.

    What comes from inputs that do not depend on the state is computed once, too.
    """

    def __init__(self, node: Affine, context: Context):
        self.node, self.context = node, context
        self.own = {n: [t for t in node.terms if t.of == n] for n in node.inputs}
        self.formed = {n: self._formed(n, terms) for n, terms in self.own.items()}
        self.varying = [(i, n) for i, n in enumerate(node.inputs) if n.depends_on_state()]
        self.fixed = [(i, n) for i, n in enumerate(node.inputs) if not n.depends_on_state()]
        self._fixed_value: tuple[Any] | None = None
        self._fixed_tangents: WeakKeyDictionary[Directions, tuple[list[Any], Any | None]] = WeakKeyDictionary()
        self._moving: WeakKeyDictionary[Directions, list[tuple[int, Term]]] = WeakKeyDictionary()

    def _formed(self, node: Node, terms: Sequence[Term]) -> Any | None:
        """The matrix of an input's terms, or None when its factors are applied one by one."""
        if any(isinstance(f.source, Symmetriser) for t in terms for f in t.factors):
            return None
        matrix = self.node.gathered(self.context, node)
        chain = sum(f.shape[0] * f.shape[1] for t in terms for f in t.factors)
        if isinstance(matrix, fmpq) or (chain < self.node.size * node.size and node.depends_on_state()):
            return None
        return matrix

    def total(self, parts: Iterable[Any | None]) -> Any | None:
        """Add what is not zero."""
        total, add = None, self.context.arrays.total
        for part in parts:
            if part is not None:
                total = part if total is None else add(total, part)
        return total

    def fixed_value(self, values: Sequence[Any]) -> Any | None:
        """What inputs that do not depend on the state contribute to the value."""
        if self._fixed_value is None:
            self._fixed_value = (self.total(self.times(node, values[i]) for i, node in self.fixed),)
        return self._fixed_value[0]

    def fixed_tangent(
        self, values: Sequence[Any], tangents: Sequence[Any | None], directions: Directions
    ) -> Any | None:
        """What inputs that do not depend on the state contribute to the tangents in given directions."""
        last, own = self._fixed_tangents.get(directions), [tangents[i] for i, _ in self.fixed]
        if last is None or any(a is not b for a, b in zip(own, last[0], strict=True)):
            carried = [self.times(node, tangents[i]) for i, node in self.fixed if tangents[i] is not None]
            moved = [t.varied(self.context, directions, values[i]) for i, node in self.fixed for t in self.own[node]]
            last = self._fixed_tangents[directions] = own, self.total([*carried, *moved])
        return last[1]

    def moving(self, directions: Directions) -> list[tuple[int, Term]]:
        """The terms on inputs that depend on the state whose scale or factors vary, with the numbers of the inputs."""
        if directions not in self._moving:
            found = [(i, t) for i, node in self.varying for t in self.own[node] if t.moves(directions)]
            self._moving[directions] = found
        return self._moving[directions]

    def times(self, node: Node, V: Any) -> Any:
        """Multiply the columns of V by what multiplies an input."""
        matrix = self.formed[node]
        if matrix is not None:
            return self.context.arrays.product(matrix, V)
        total = None
        for term in self.own[node]:
            part = term.applied(self.context, V)
            total = part if total is None else self.context.arrays.total(total, part)
        return total

    def times_transposed(self, node: Node, V: Any) -> Any:
        """Multiply by the transpose of what multiplies an input."""
        matrix = self.formed[node]
        if matrix is not None:
            return self.context.arrays.product(self.context.arrays.transposed(matrix), V)
        total = None
        for term in self.own[node]:
            part = term.applied_transposed(self.context, V)
            total = part if total is None else self.context.arrays.total(total, part)
        return total

    def __call__(self, values: Sequence[Any], reach: Sequence[Any]) -> Linearisation:
        return _AffineAt(self, values, reach)


class _AffineAt(Linearisation):
    def __init__(self, operator: _AffineOperator, values: Sequence[Any], reach: Sequence[Any]):
        self.operator, self.values, self.reach = operator, values, reach
        varying = [operator.times(node, values[i]) for i, node in operator.varying]
        self.value = operator.total([*varying, operator.fixed_value(values)])

    @cached_property
    def around(self) -> list[Any]:
        """The inputs with everything within reach."""
        arrays = self.operator.context.arrays
        return [arrays.reaching(V, distance) for V, distance in zip(self.values, self.reach, strict=True)]

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        operator = self.operator
        parts = [operator.times(node, tangents[i]) for i, node in operator.varying if tangents[i] is not None]
        for i, term in operator.moving(directions):
            parts.append(term.varied(operator.context, directions, self.around[i]))
        return operator.total([*parts, operator.fixed_tangent(self.values, tangents, directions)])

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        operator = self.operator
        for node, V in zip(operator.node.inputs, self.around, strict=True):
            for term in operator.own[node]:
                term.covaried(operator.context, cotangent, V, sink)
        return [operator.times_transposed(node, cotangent) for node in operator.node.inputs]

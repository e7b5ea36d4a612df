"""Lipschitz constants of the nodes of a structured map, by the calculus of nonexpansive atoms.

A proximal map y of v is ``(v + N(v))/2`` with N nonexpansive (Bauschke, Combettes, Convex Analysis and Monotone
Operator Theory in Hilbert Spaces, 2017, Proposition 4.4). Every node is a combination ``sum M_a a`` of blocks of the
state and of such N, its **atoms**, so its Lipschitz constant is at most ``sum |M_a| L_a``. Cancellations between v and
N are kept: ``2 y - v`` is N, and the Douglas-Rachford operator is half the state plus half a composition of two N.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import arb, fmpq

from piggycheck.maps.affine import Affine, gather
from piggycheck.maps.nodes import Context, Node, StateBlock
from piggycheck.maps.slopes import require_lipschitz
from piggycheck.maps.sources import Factor, Symmetriser, Term
from piggycheck.maps.spectral import differs_by_symmetric

__all__ = ["LipschitzCalculus"]

_HALF = fmpq(1, 2)


@dataclass(frozen=True)
class _Coefficient:
    """``scale * matrix``; without a matrix, a multiple of the identity."""

    scale: fmpq
    matrix: Any = None


class LipschitzCalculus:
    """The combinations of atoms that the nodes of a map are, for given parameters.

    Parameters
    ----------
    nodes : sequence of Node
        Those that depend on the state, inputs before what reads them.
    context : Context
        Over balls.
    """

    def __init__(self, nodes: Sequence[Node], context: Context):
        if context.arrays.bounds_errors:
            require_lipschitz(nodes, context)
        self.nodes, self.context = tuple(nodes), context
        self._norms: dict[Any, tuple[Any, arb]] = {}
        self._symmetric_parts: dict[tuple[Node, int], Affine] = {}
        self._combinations: dict[Node, dict[Node, _Coefficient]] = {}
        for node in self.nodes:
            self._combinations[node] = self._combination(node)

    def constants(self, own: Mapping[Node, Any], wanted: Sequence[Node]) -> dict[Node, Any]:
        """Bound the Lipschitz constants, in the state, of the nodes wanted.

        Parameters
        ----------
        own : mapping
            For each node that is neither affine nor a block: its constant in its first input; for a proximal node that
            of its nonexpansive part. What is missing is 1 for a proximal node.
        wanted : sequence of Node
        """
        atoms: dict[Node, Any] = {}

        def of_node(node: Node) -> Any:
            combination = self._combinations[node]
            in_state = [c for a, c in combination.items() if isinstance(a, StateBlock)]
            others = [(a, c) for a, c in combination.items() if not isinstance(a, StateBlock)]
            return _upper(
                sum((self.norm(c) * of_atom(a) for a, c in others), start=self._joint_norm(in_state, node.size))
            )

        def of_atom(atom: Node) -> Any:
            if atom not in atoms:
                atoms[atom] = self._opaque(atom, of_node) if isinstance(atom, Affine) else _own(atom, own, of_node)
            return atoms[atom]

        return {node: of_node(node) for node in wanted}

    def norm(self, coefficient: _Coefficient) -> arb:
        """Bound the norm of a coefficient."""
        size = arb(abs(coefficient.scale))
        if coefficient.matrix is None:
            return size
        key = id(coefficient.matrix)
        if key not in self._norms:
            self._norms[key] = coefficient.matrix, self.context.arrays.operator_norm(coefficient.matrix)
        return size * self._norms[key][1]

    def _joint_norm(self, coefficients: Sequence[_Coefficient], size: int) -> arb:
        """Bound the norm of matrices beside each other: what the blocks of the state are multiplied by."""
        if len(coefficients) < 2:
            return self.norm(coefficients[0]) if coefficients else arb(0)
        key = tuple((c.scale, id(c.matrix)) for c in coefficients)
        if key not in self._norms:
            arrays = self.context.arrays
            beside = arrays.stacked([arrays.transposed(self._matrix(c, size)) for c in coefficients])
            self._norms[key] = coefficients, arrays.operator_norm(beside)
        return self._norms[key][1]

    def _matrix(self, coefficient: _Coefficient, size: int) -> Any:
        arrays, M = self.context.arrays, coefficient.matrix
        return arrays.scaled(arrays.number(coefficient.scale), arrays.identity(size) if M is None else M)

    def _combination(self, node: Node) -> dict[Node, _Coefficient]:
        if isinstance(node, Affine):
            return self._affine(node)
        if node.proximal:
            half = {a: _Coefficient(c.scale * _HALF, c.matrix) for a, c in self._combinations[node.inputs[0]].items()}
            return {**half, node: _Coefficient(_HALF)}
        return {node: _Coefficient(fmpq(1))}

    def _affine(self, node: Affine) -> dict[Node, _Coefficient]:
        total: dict[Node, _Coefficient] = {}
        for read in node.inputs:
            if not read.depends_on_state():
                continue
            contributions = self._contributions(node, read)
            if contributions is None:
                return {node: _Coefficient(fmpq(1))}
            for M, combination in contributions:
                outer = _Coefficient(M) if isinstance(M, fmpq) else _Coefficient(fmpq(1), M)
                for atom, inner in combination.items():
                    part = self._product(outer, inner)
                    total[atom] = self._total(total[atom], part, node.size) if atom in total else part
        return {atom: c for atom, c in total.items() if c.scale != 0}

    def _contributions(self, node: Affine, read: Node) -> list[tuple[Any, dict[Node, _Coefficient]]] | None:
        """What multiplies an input, or its symmetric part, with the combinations that these are.

        None when a symmetric part is taken in the middle of a product.
        """
        terms = [term for term in node.terms if term.of == read]
        plain = [term for term in terms if not _has_symmetriser(term.factors)]
        if len(plain) == len(terms):
            return [(node.gathered(self.context, read), self._combinations[read])]
        found = [(gather(plain, self.context, read.size, node.size), self._combinations[read])] if plain else []
        for term in terms:
            if not _has_symmetriser(term.factors):
                continue
            *outer, last = term.factors
            if _has_symmetriser(outer) or not isinstance(last.source, Symmetriser):
                return None
            M = gather([Term(term.scale, tuple(outer))], self.context, read.size, node.size)
            found.append((M, self._symmetric_part(read, last)))
        return found

    def _symmetric_part(self, node: Node, symmetriser: Factor) -> dict[Node, _Coefficient]:
        """The combination that the symmetric part of a node is; it is an atom where the node may not be symmetric."""
        n = symmetriser.source.n
        if differs_by_symmetric(node, n):
            return self._combinations[node]
        if (node, n) not in self._symmetric_parts:
            self._symmetric_parts[node, n] = Affine(
                f"symmetric part of {node.name}", [Term(sp.S.One, (symmetriser,), node)]
            )
        return {self._symmetric_parts[node, n]: _Coefficient(fmpq(1))}

    def _product(self, outer: _Coefficient, inner: _Coefficient) -> _Coefficient:
        scale = outer.scale * inner.scale
        if outer.matrix is None or inner.matrix is None:
            return _Coefficient(scale, inner.matrix if outer.matrix is None else outer.matrix)
        return _Coefficient(scale, self.context.arrays.product(outer.matrix, inner.matrix))

    def _total(self, first: _Coefficient, second: _Coefficient, size: int) -> _Coefficient:
        if first.matrix is second.matrix:
            return _Coefficient(first.scale + second.scale, first.matrix)
        return _Coefficient(fmpq(1), self.context.arrays.total(self._matrix(first, size), self._matrix(second, size)))

    def _opaque(self, node: Affine, of_node: Any) -> Any:
        """An affine node with a projection that is not written out as a matrix."""
        total = arb(0)
        for term in node.terms:
            if term.of.depends_on_state():
                size = abs(arb(self.context.number(term.scale)))
                for factor in term.factors:
                    if not isinstance(factor.source, Symmetriser):
                        size *= self.norm(_Coefficient(fmpq(1), factor.value(self.context)))
                total += size * of_node(term.of)
        return _upper(total)


def _own(node: Node, own: Mapping[Node, Any], of_node: Any) -> Any:
    constant = own.get(node, 1) if node.proximal else own[node]
    return _upper(constant * of_node(node.inputs[0]))


def _has_symmetriser(factors: Sequence[Factor]) -> bool:
    return any(isinstance(factor.source, Symmetriser) for factor in factors)


def _upper(value: Any) -> arb:
    return value.upper() if isinstance(value, arb) else arb(value)

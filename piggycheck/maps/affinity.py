"""Which nodes of a structured map are affine functions of state and parameters together, on a given piece."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

import sympy as sp

from piggycheck.maps.affine import Affine
from piggycheck.maps.elementwise import Elementwise
from piggycheck.maps.group import Group
from piggycheck.maps.nodes import ArrayParameter, ConstantVector, Node, Scalar, Signs, StateBlock
from piggycheck.maps.second_order_cone import SecondOrderCone
from piggycheck.maps.sources import MatrixSum, Parameter, Source, Term

__all__ = ["affine_nodes"]


def affine_nodes(nodes: Iterable[Node], signs: Mapping[Node, Signs]) -> set[Node]:
    """Collect the nodes that are seen to be affine.

    Parameters
    ----------
    nodes : iterable of Node
        Inputs before what reads them.
    signs : mapping from nodes to signs
        The piece.

    Examples
    --------
    >>> from piggycheck.maps.nodes import StateBlock
    >>> x, t = StateBlock("x", 2), Scalar(sp.Symbol("t", real=True) ** 2)
    >>> affine_nodes([x, t], {}) == {x}
    True
    """
    found: set[Node] = set()
    for node in nodes:
        if _is_affine(node, found, signs.get(node, ())):
            found.add(node)
    return found


def _is_affine(node: Node, known: Set[Node], signs: Signs) -> bool:
    if isinstance(node, (StateBlock, ArrayParameter, ConstantVector)):
        return True
    if isinstance(node, Scalar):
        return _is_affine_expression(node.expression)
    if isinstance(node, Affine):
        return all(_is_affine_term(term, known) for term in node.terms)
    if isinstance(node, Group):
        return all(sign != 1 for sign in signs)
    if not known.issuperset(node.inputs):
        return False
    if isinstance(node, SecondOrderCone):
        return signs != (1, 1)
    return isinstance(node, Elementwise) and all(map(_is_affine_expression, _branches(node, signs)))


def _is_affine_expression(expression: sp.Expr) -> bool:
    return all(sp.diff(expression, v).is_number for v in expression.free_symbols)


def _branches(node: Elementwise, signs: Signs) -> set[sp.Expr]:
    width = len(node.function.guards)
    return {node.function.leaf(signs[i * width : (i + 1) * width]).expression for i in range(node.size)}


def _is_affine_term(term: Term, known: Set[Node]) -> bool:
    if not all(_is_constant(factor.source) for factor in term.factors):
        return False
    if not term.scale.free_symbols:
        return term.of in known
    return _is_affine_expression(term.scale) and isinstance(term.of, ConstantVector)


def _is_constant(source: Source) -> bool:
    if isinstance(source, MatrixSum):
        terms = source.terms
        return all(not t.scale.free_symbols and all(_is_constant(f.source) for f in t.factors) for t in terms)
    return not isinstance(source, Parameter)

"""The constraint that every coordinate is nonnegative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import sympy as sp

from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.maps import Elementwise, Node, ScalarFunction

__all__ = ["nonnegative", "positive_part"]


@dataclass(frozen=True)
class nonnegative(ProximalFunction):
    """The indicator function of ``x >= 0``; its proximal map is ``Max(0, x)``.

    Examples
    --------
    >>> v = sp.Symbol("v", real=True)
    >>> nonnegative().proximal([v], sp.Integer(1))
    [Max(0, v)]

    Notes
    -----
    Source: Parikh, Boyd, Proximal Algorithms, 2014, section 6.2.
    """

    def value(self, point: Sequence[sp.Expr]) -> sp.Expr:
        return sp.Integer(0)

    def proximal(self, point: Sequence[sp.Expr], step: sp.Expr) -> list[sp.Expr]:
        return [sp.Max(0, v) for v in point]

    def keeps_symmetric(self, n: int) -> bool:
        return True

    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        return Elementwise(naming("proximal"), positive_part(), of, proximal=True)


@cache
def positive_part() -> ScalarFunction:
    """Return ``Max(0, v)`` as a function."""
    v = sp.Symbol("v", real=True)
    return ScalarFunction(sp.Max(0, v), v)

"""The constraint that a vector lies in the second-order cone."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp

from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.maps import Node, SecondOrderCone

__all__ = ["second_order_cone"]


@dataclass(frozen=True)
class second_order_cone(ProximalFunction):
    """The indicator function of ``|(x_2, ..., x_n)| <= x_1``; its proximal map is the projection.

    Examples
    --------
    >>> second_order_cone().dimension is None
    True

    Notes
    -----
    Source: Parikh, Boyd, Proximal Algorithms, 2014, section 6.3.2.
    """

    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        return SecondOrderCone(naming("proximal"), of)

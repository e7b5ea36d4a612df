"""The l1 norm; its proximal map is soft-thresholding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from piggycheck.functions import arguments
from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.functions.requirements import required
from piggycheck.functions.shrinkage import shrink, soft_threshold
from piggycheck.maps import Elementwise, Node, Scalar

__all__ = ["l1"]


@dataclass(frozen=True)
class l1(ProximalFunction):
    """``weight * (|x_1| + ... + |x_n|)``.

    Parameters
    ----------
    weight : exact number, sympy expression in the parameters, or str
        Nonnegative.

    Raises
    ------
    InputError
        When the weight is a negative number.

    Examples
    --------
    >>> v = sp.Symbol("v", real=True)
    >>> l1(2).proximal([v], sp.Integer(1))
    [v - Max(-2, Min(2, v))]

    Notes
    -----
    Soft-thresholding is written as the point minus its projection on ``[-threshold, threshold]``, which is continuous
    in point and weight together.

    Source: Parikh, Boyd, Proximal Algorithms, 2014, section 6.5.2.
    """

    weight: Any

    def __post_init__(self) -> None:
        weight = arguments.number(self.weight, "weight of l1")
        self._keep(weight=weight, requirements=required("nonnegative", weight, where="weight of l1"))

    def value(self, point: Sequence[sp.Expr]) -> sp.Expr:
        return self.weight * sp.Add(*map(sp.Abs, point))

    def proximal(self, point: Sequence[sp.Expr], step: sp.Expr) -> list[sp.Expr]:
        return [shrink(v, step * self.weight) for v in point]

    def keeps_symmetric(self, n: int) -> bool:
        return True

    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        return Elementwise(naming("proximal"), soft_threshold(), of, [Scalar(step * self.weight)], proximal=True)

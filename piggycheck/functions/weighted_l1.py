"""The l1 norm with a weight for each coordinate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from piggycheck.functions import arguments
from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.functions.requirements import required
from piggycheck.functions.shrinkage import shrink, soft_threshold
from piggycheck.maps import Elementwise, Node

__all__ = ["weighted_l1"]


@dataclass(frozen=True)
class weighted_l1(ProximalFunction):
    """``weights_1 |x_1| + ... + weights_n |x_n|``.

    Parameters
    ----------
    weights : vector or matrix of n entries, or ArrayParameter
        Nonnegative; a matrix is read row by row.

    Raises
    ------
    InputError
        When a weight is negative.

    Examples
    --------
    >>> v = sp.symbols("v_1:3", real=True)
    >>> weighted_l1([0, 2]).proximal(v, sp.Integer(1))
    [v_1, v_2 - Max(-2, Min(2, v_2))]
    >>> weighted_l1([1, -2])
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: weights of weighted_l1: entry 1, `-2` is negative; write a nonnegative number

    Notes
    -----
    Source: Parikh, Boyd, Proximal Algorithms, 2014, section 6.5.2.
    """

    weights: Any

    def __post_init__(self) -> None:
        where = "weights of weighted_l1"
        weights = arguments.array(self.weights, where)
        rows, columns = arguments.shape(weights)
        self._keep(
            weights=weights,
            dimension=rows * columns,
            requirements=required("nonnegative", weights, where=where),
        )

    def value(self, point: Sequence[sp.Expr]) -> sp.Expr:
        weights = arguments.each(self.weights, point, "weights of weighted_l1")
        return sp.Add(*(w * sp.Abs(v) for w, v in zip(weights, point, strict=True)))

    def proximal(self, point: Sequence[sp.Expr], step: sp.Expr) -> list[sp.Expr]:
        weights = arguments.each(self.weights, point, "weights of weighted_l1")
        return [shrink(v, step * w) for w, v in zip(weights, point, strict=True)]

    def keeps_symmetric(self, n: int) -> bool:
        return arguments.is_symmetric(self.weights, n)

    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        thresholds = arguments.scaled(self.weights, step, "weights", naming)
        return Elementwise(naming("proximal"), soft_threshold(), of, [thresholds], proximal=True)

"""The weighted l1 norm; its proximal map is soft-thresholding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from piggycheck.arithmetic import exact, sign
from piggycheck.errors import InputError
from piggycheck.functions.base import ProximalFunction

__all__ = ["l1"]


@dataclass(frozen=True)
class l1(ProximalFunction):
    """``weight * (|x_1| + ... + |x_n|)``.

    Parameters
    ----------
    weight : exact number or sympy expression in the parameters
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

    When this fails: a weight that is a parameter is not checked to be nonnegative.
    """

    weight: sp.Expr

    def __post_init__(self) -> None:
        weight = self.weight if isinstance(self.weight, sp.Expr) else exact(self.weight, "weight of l1")
        if not weight.free_symbols and sign(exact(weight, "weight of l1")) < 0:
            raise InputError(f"weight of l1: `{weight}` is negative; write a nonnegative number")
        object.__setattr__(self, "weight", weight)

    def value(self, point: Sequence[sp.Expr]) -> sp.Expr:
        return self.weight * sp.Add(*map(sp.Abs, point))

    def proximal(self, point: Sequence[sp.Expr], step: sp.Expr) -> list[sp.Expr]:
        threshold = step * self.weight
        return [v - sp.Max(-threshold, sp.Min(threshold, v)) for v in point]

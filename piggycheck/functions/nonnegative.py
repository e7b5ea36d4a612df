"""The constraint that every coordinate is nonnegative."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from piggycheck.functions.base import ProximalFunction

__all__ = ["nonnegative"]


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

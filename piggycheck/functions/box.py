"""The constraint that every coordinate lies between two bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from piggycheck.arithmetic import exact, sign
from piggycheck.errors import InputError
from piggycheck.functions.base import ProximalFunction

__all__ = ["box"]


@dataclass(frozen=True)
class box(ProximalFunction):
    """The indicator function of ``lower <= x <= upper``; its proximal map clips.

    Parameters
    ----------
    lower, upper : exact numbers or sympy expressions in the parameters

    Raises
    ------
    InputError
        When both are numbers and ``lower > upper``.

    Examples
    --------
    >>> v = sp.Symbol("v", real=True)
    >>> box(-1, 1).proximal([v], sp.Integer(1))
    [Max(-1, Min(1, v))]

    Notes
    -----
    Source: Parikh, Boyd, Proximal Algorithms, 2014, section 6.2.4.

    When this fails: bounds that are parameters are not checked to be in order.
    """

    lower: sp.Expr
    upper: sp.Expr

    def __post_init__(self) -> None:
        for name in ("lower", "upper"):
            value = getattr(self, name)
            object.__setattr__(
                self, name, value if isinstance(value, sp.Expr) else exact(value, f"{name} bound of box")
            )
        width = self.upper - self.lower
        if not width.free_symbols and sign(exact(width, "width of box")) < 0:
            raise InputError(f"box: the lower bound {self.lower} exceeds the upper bound {self.upper}")

    def value(self, point: Sequence[sp.Expr]) -> sp.Expr:
        return sp.Integer(0)

    def proximal(self, point: Sequence[sp.Expr], step: sp.Expr) -> list[sp.Expr]:
        return [sp.Max(self.lower, sp.Min(self.upper, v)) for v in point]

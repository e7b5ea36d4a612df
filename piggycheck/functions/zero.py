"""The function that is zero everywhere."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from piggycheck.functions.base import Naming
from piggycheck.functions.smooth_quadratic import QuadraticFunction, QuadraticTerms

__all__ = ["zero"]


@dataclass(frozen=True)
class zero(QuadraticFunction):
    """The zero function; its proximal map does nothing.

    Examples
    --------
    >>> zero().proximal([sp.Symbol("v")], sp.Integer(1))
    [v]
    """

    def value(self, point: Sequence[sp.Expr]) -> sp.Expr:
        return sp.S.Zero

    def proximal(self, point: Sequence[sp.Expr], step: sp.Expr) -> list[sp.Expr]:
        return list(point)

    def keeps_symmetric(self, n: int) -> bool:
        return True

    def terms(self, naming: Naming) -> QuadraticTerms:
        return QuadraticTerms((), ())

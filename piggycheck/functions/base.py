"""What a nonsmooth function offers an algorithm: its value and its proximal map."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import sympy as sp

__all__ = ["ProximalFunction"]


class ProximalFunction(ABC):
    """A convex function g whose proximal map is known in closed form."""

    @abstractmethod
    def value(self, point: Sequence[sp.Expr]) -> sp.Expr:
        """Return g at a point; a constraint is 0 on its set and is not written down outside."""

    @abstractmethod
    def proximal(self, point: Sequence[sp.Expr], step: sp.Expr) -> list[sp.Expr]:
        """Return the minimiser of ``step*g(z) + |z - point|**2/2``, as piecewise expressions."""

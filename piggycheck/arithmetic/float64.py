"""Double precision: for guesses, and to show what practice computes."""

from __future__ import annotations

import math
from typing import Any

import sympy as sp

from piggycheck.arithmetic.fields import Arithmetic
from piggycheck.errors import MapError

__all__ = ["Float64", "Float64Vectors"]


class Float64(Arithmetic):
    """Double precision, never part of a proof.

    Examples
    --------
    >>> Float64().evaluate(sp.sqrt(2))
    1.4142135623730951
    """

    name = "float64"

    def number(self, constant: sp.Expr) -> float:
        return float(constant)

    def sign(self, value: float) -> int:
        return int(value > 0) - int(value < 0)

    def sqrt(self, value: float) -> float:
        if value < 0:
            raise MapError(f"square root of the negative number {value}")
        return math.sqrt(value)

    def exp(self, value: float) -> float:
        return math.exp(value)

    def log(self, value: Any) -> float:
        if value <= 0:
            raise MapError(f"logarithm of {value}")
        return math.log(value)


class Float64Vectors(Float64):
    """Double precision for whole vectors: numpy arrays in place of numbers.

    Examples
    --------
    >>> import numpy as np
    >>> Float64Vectors().sqrt(np.array([4.0, 9.0])).tolist()
    [2.0, 3.0]
    """

    def sqrt(self, value: Any) -> Any:
        if _any(value < 0):
            raise MapError("square root of a negative number")
        return value**0.5

    def exp(self, value: Any) -> Any:
        import numpy as np

        return np.exp(value)

    def log(self, value: Any) -> Any:
        import numpy as np

        if _any(value <= 0):
            raise MapError("logarithm of a number that is not positive")
        return np.log(value)

    def reciprocal(self, value: Any) -> Any:
        if _any(value == 0):
            raise ZeroDivisionError
        return 1 / value


def _any(condition: Any) -> bool:
    return condition if isinstance(condition, bool) else bool(condition.any())

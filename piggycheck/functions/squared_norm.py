"""A multiple of the squared Euclidean norm: the ridge of regularised problems."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from piggycheck.functions import arguments
from piggycheck.functions.base import Naming
from piggycheck.functions.requirements import required
from piggycheck.functions.smooth_quadratic import QuadraticFunction, QuadraticTerms
from piggycheck.maps import Term

__all__ = ["squared_norm"]


@dataclass(frozen=True)
class squared_norm(QuadraticFunction):
    """``weight/2 * |x|^2``.

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
    >>> squared_norm("ridge").weight
    ridge

    Notes
    -----
    Source: Hoerl, Kennard, Ridge regression, 1970.
    """

    weight: Any

    def __post_init__(self) -> None:
        weight = arguments.number(self.weight, "weight of squared_norm")
        self._keep(weight=weight, requirements=required("nonnegative", weight, where="weight of squared_norm"))

    def keeps_symmetric(self, n: int) -> bool:
        return True

    def terms(self, naming: Naming) -> QuadraticTerms:
        return QuadraticTerms((Term(self.weight),) if self.weight != sp.S.Zero else (), ())

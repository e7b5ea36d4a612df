"""Steps about errors along one smooth piece that is not affine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = ["CurvedRateStep", "CurvedTailStep"]


@dataclass(frozen=True)
class CurvedRateStep(Step):
    """The exact rate of errors along one piece that is not affine.

    Attributes
    ----------
    quantity : "iterates" or "derivatives"
    A : fmpq_mat
        The Jacobian in the state, at the fixed point; with several rows and no cone, nilpotent.
    iteration : int or None
        From this index on the iterates stay near the fixed point; None without a start.
    distance : fmpq or None
        How far the iterate there is from it, at most; in one state variable.
    rate : piggycheck.rates.modulus.AlgebraicNumber
    power : int or None
        The n of errors like ``k^n rate^k``; None where it is not known.
    vanishes : bool
        Whether the errors are zero from that index on.
    cone : piggycheck.claims.dominant_rate.Cone or None
        What shows, in several state variables, which eigenvalues they excite.
    """

    quantity: str
    A: Any
    iteration: int | None
    distance: Any | None
    rate: Any
    power: int | None
    vanishes: bool
    cone: Any | None = None


@dataclass(frozen=True)
class CurvedTailStep(Step):
    """From some index on errors in one state variable decrease nearly as the derivative at the fixed point says.

    Attributes
    ----------
    start : int
        The index k_1.
    distance : fmpq
        How far the iterate there is from the fixed point, at most.
    steepest : fmpq
        So far around it the derivative of the map is at most this, in size.
    slope_at_point : sympy.Expr
        The derivative at the fixed point.
    rate, constant, slope : fmpq
        ``e_k <= (constant + slope (k - k_1)) rate^(k - k_1)``.
    """

    start: int
    distance: Any
    steepest: Any
    slope_at_point: Any
    rate: Any
    constant: Any
    slope: Any

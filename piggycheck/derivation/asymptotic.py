"""Steps about asymptotic rates: the exact number, what a run shows of it, and which of two is larger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = ["AsymptoticRateStep", "RatesComparedStep", "SequenceStep", "TransientStep"]


@dataclass(frozen=True)
class AsymptoticRateStep(Step):
    """The eigenvalues that errors excite, and the largest modulus among them.

    Attributes
    ----------
    quantity : "iterates" or "derivatives"
    method : str
        Why the errors obey a linear recursion; "local" when they are those of almost every start.
    characteristic_polynomial : fmpq_poly
        Of A.
    iteration : int
        From this index on the errors obey the recursion of `annihilator`.
    annihilator : fmpq_poly
        The minimal polynomial of the errors, without the root 0.
    dominant : tuple of fmpq_poly
        Its irreducible factors with a root of largest modulus.
    rate : piggycheck.rates.modulus.AlgebraicNumber
    power : int
        The n of errors like ``k^n rate^k``.
    coupled : bool
        Whether the errors of the iterates enter those of the derivatives.
    """

    quantity: str
    method: str
    characteristic_polynomial: Any
    iteration: int
    annihilator: Any
    dominant: tuple[Any, ...]
    rate: Any
    power: int
    coupled: bool = False


@dataclass(frozen=True)
class TransientStep(Step):
    """What a run at high precision shows.

    Attributes
    ----------
    quantity : "iterates" or "derivatives"
    transient : piggycheck.rates.transient.Transient
    rate : piggycheck.rates.modulus.AlgebraicNumber
    """

    quantity: str
    transient: Any
    rate: Any


@dataclass(frozen=True)
class SequenceStep(Step):
    """Which sequence of errors the following steps are about.

    Attributes
    ----------
    name : str
    quantity : "iterates" or "derivatives"
    at : mapping
        The parameters that differ from those of the claim.
    wrt : tuple of str
        The parameters in which derivatives count; empty for all.
    point : mapping or None
        The fixed point, where it is another one than that of the claim.
    A : fmpq_mat or None
        The Jacobian in the state there.
    limit : fmpq_mat or None
        What the derivatives tend to there.
    trapped : int or None
        From this index on the iterates are trapped near that point.
    """

    name: str
    quantity: str
    at: Mapping[str, Any]
    wrt: tuple[str, ...]
    point: Mapping[str, Any] | None = None
    A: Any | None = None
    limit: Any | None = None
    trapped: int | None = None


@dataclass(frozen=True)
class RatesComparedStep(Step):
    """Which of two asymptotic rates is larger.

    Attributes
    ----------
    names : pair of str
    rates : pair of piggycheck.rates.modulus.AlgebraicNumber
        Between bounds that are apart, or equal.
    order : int
        -1, 0 or 1 when the first is smaller, equal or larger.
    """

    names: tuple[str, str]
    rates: tuple[Any, Any]
    order: int

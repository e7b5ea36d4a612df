"""Steps about asymptotic rates: the exact number, and what a run shows of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = ["AsymptoticRateStep", "TransientStep"]


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

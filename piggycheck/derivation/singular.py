"""Steps about one pair whose I - A may be singular, and about growth like a power of the number of rounds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step, WordStep

__all__ = ["PolynomialGrowthStep", "PseudoInverseStep"]


@dataclass(frozen=True)
class PolynomialGrowthStep(WordStep):
    """A word along which the derivatives grow like a power of the number of rounds.

    Attributes
    ----------
    degree : int
        The power.
    factor : fmpq_poly
        With a root of modulus 1; its power ``degree + 1`` divides the minimal polynomial of the start.
    left_vector : tuple of fmpq or None
        A row v along which the derivatives are a polynomial in the number of rounds.
    leading : tuple of fmpq or None
        ``degree!`` times the leading coefficients of that.
    """

    degree: int = 1
    factor: Any = None
    left_vector: tuple[Any, ...] | None = None
    leading: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class PseudoInverseStep(Step):
    """What the recursion of one pair converges to, and what the pseudo-inverse of I - A answers.

    Attributes
    ----------
    answer : piggycheck.limits.SingularLimit
        Its matrices and words are told.
    chosen : bool
        Whether the start was chosen, as a counterexample, and is not that of the subject.
    along_iterates : bool
        Whether the recursion runs along iterates that begin elsewhere, where a map that is affine has the same pair.
    """

    answer: Any
    chosen: bool = False
    along_iterates: bool = False

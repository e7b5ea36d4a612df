"""Steps about bounds on errors: the comparison k by k, and what holds from some index on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = ["ComparedStep", "LowerTailStep", "TailStep"]


@dataclass(frozen=True)
class ComparedStep(Step):
    """Errors compared with a bound, k by k.

    Attributes
    ----------
    quantity : "iterates" or "derivatives"
    norm : "max", "frobenius" or "spectral"
    bound : sympy.Expr
        In k.
    proved_upto : int
        -1 when the first k was not decided.
    violation : int or None
    error, value : str
        At the violation: the error and the bound, rounded in opposite directions; otherwise empty.
    bits : int
        The precision of the hardest decision.
    equalities : int
        How many k were settled by rational numbers.
    closest : pair of int and float
        Where the error is the largest part of the bound, and which part.
    limit : fmpq_mat or None
        What the derivatives tend to, where it is rational.
    directions : tuple of str
        What the directions of the derivatives are called, where they are not all.
    along : piggycheck.claims.directions.Chosen or None
        These directions.
    """

    quantity: str
    norm: str
    bound: Any
    proved_upto: int
    violation: int | None
    error: str
    value: str
    bits: int
    equalities: int
    closest: tuple[int, float]
    limit: Any | None = None
    directions: tuple[str, ...] = ()
    along: Any | None = None


@dataclass(frozen=True)
class TailStep(Step):
    """From some index on errors decrease at a certified rate, and the bound not faster.

    Attributes
    ----------
    start : int
        The index k_1.
    rate, constant, slope : fmpq
        ``e_k <= (constant + slope (k - k_1)) rate^(k - k_1)``.
    by_rows : bool
        Whether the rate is that of the maximum norm, by row sums, and not that of a quadratic form.
    ball : str
        What norm it is that of, in the ball around the fixed point on which the map contracts; otherwise empty.
    sequence : str
        Whose errors they are, where several sequences are compared; otherwise empty.
    """

    start: int
    rate: Any
    constant: Any
    slope: Any
    by_rows: bool
    ball: str = ""
    sequence: str = ""


@dataclass(frozen=True)
class LowerTailStep(Step):
    """From some index on errors of a sequence are at least so large, by a left eigenvector.

    Attributes
    ----------
    name : str
        Of the sequence.
    quantity : "iterates" or "derivatives"
    start : int
        The index k_1.
    vector : fmpq_mat
        A row.
    eigenvalue, constant, slope : fmpq
        Errors are at least ``(constant + slope (k - k_1)) |eigenvalue|^(k - k_1)``.
    trapped : int or None
        From this index on the iterates are trapped; None where the map is affine as a whole.
    """

    name: str
    quantity: str
    start: int
    vector: Any
    eigenvalue: Any
    constant: Any
    slope: Any
    trapped: int | None

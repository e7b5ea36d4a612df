"""Steps about comparisons between sequences of errors."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = ["SidesStep"]


@dataclass(frozen=True)
class SidesStep(Step):
    """Two expressions in k and sequences of errors, compared k by k.

    Attributes
    ----------
    left, right : sympy.Expr
        In k and the names of sequences.
    sequences : tuple of (name, what it is, fixed point or None, limit or None)
        For each sequence that occurs what is measured, in words; the fixed point, where it is not that of the claim, by
        the names of its variables; and what derivatives are measured from, where it is rational.
    norm : "max", "frobenius" or "spectral"
    first : int
        The first k.
    proved_upto : int
        The last k; ``first - 1`` when already the first one was not decided.
    violation : int or None
    low, high : str
        At the violation the left side rounded down and the right side rounded up; otherwise empty.
    bits : int
        The precision of the hardest decision.
    equalities : int
        How many k were settled by exact numbers.
    closest : pair of int and float
        Where the left side is the largest part of the right one, and which part.
    before : int or None
        The order at ``first - 1``: -1, 0 or 1 when the left side is smaller, equal or larger.
    estimates : mapping from names to piggycheck.rates.sequences.Estimate
        The sequences again, so that they can be drawn.
    """

    left: Any
    right: Any
    sequences: tuple[tuple[str, str, Any, Any], ...]
    norm: str
    first: int
    proved_upto: int
    violation: int | None
    low: str
    high: str
    bits: int
    equalities: int
    closest: tuple[int, float]
    before: int | None = None
    estimates: Mapping[str, Any] = field(default_factory=dict)

"""Lengths of vectors of any arithmetic, compared with numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import arb, fmpq

from piggycheck.arrays import EXACT, Arrays

__all__ = ["dot", "excess", "seen_sign"]


def seen_sign(number: Any) -> int | None:
    """Return the sign of a number of any arithmetic; None when a ball does not decide it."""
    if number > 0:
        return 1
    if number < 0:
        return -1
    return None if isinstance(number, arb) and not number.is_zero() else 0


def dot(first: Sequence[Any], second: Sequence[Any]) -> Any:
    """Return the sum of the products of numbers of any arithmetic, at least one each."""
    return sum((a * b for a, b in zip(first[1:], second[1:], strict=True)), start=first[0] * second[0])


def excess(arrays: Arrays, v: Sequence[Any], t: Any) -> Any:
    """Return a number with the sign of ``|v| - t``: over the rationals one that is rational."""
    if arrays is EXACT and t >= 0:
        return dot(v, v) - t * t
    return fmpq(1) if arrays is EXACT else arrays.euclidean(v) - t

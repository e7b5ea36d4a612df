"""What certificates about cycles hold, as far as the checker can follow it."""

from __future__ import annotations

from typing import Any

import sympy as sp
from flint import fmpq

from piggycheck.arithmetic import enclosure, rational
from piggycheck.cycles import Basin, Cycle, Cycles
from piggycheck.errors import GapError, UnknownError
from piggycheck.maps import SymbolicMap
from piggycheck.trajectories import affine_pieces

__all__ = ["cycle_witness", "excluding_witness", "following_witness", "roots_witness"]

_BITS = 96
_MOST_DEGREE = 64
_MOST_WORK = 5_000
_MOST_WORK_TO_EXCLUDE = 20_000


def cycle_witness(
    local: SymbolicMap,
    cycle: Cycle,
    found: Cycles | None = None,
    open_set: Basin | None = None,
    index: int | None = None,
) -> dict[str, Any]:
    """State a cycle, with others where all of them can be listed."""
    witness: dict[str, Any] = {"method": "points", "points": _rows(cycle)}
    if cycle.attracting is False and cycle.radius is not None and cycle.radius[0] >= 1:
        witness["modulus_lower"] = cycle.radius[0]
    if open_set is not None:
        witness["basin"] = {"P": open_set.P, "level": open_set.level}
    if index is not None:
        witness["entry"] = index
    if found is not None and _can_be_listed(local, found):
        witness["others"] = [_rows(other) for other in found if other is not cycle]
    return witness


def roots_witness(local: SymbolicMap, cycle: Cycle) -> dict[str, Any]:
    """State a cycle of irrational points by intervals around them.

    Raises
    ------
    UnknownError
        When the map is not one polynomial in one variable, of a moderate degree.
    """
    if not _is_one_polynomial(local, cycle.period):
        raise UnknownError("the cycle is irrational, and certificates of that hold polynomials of one variable only")
    return {"method": "roots", "points": [enclosure(point[0], _BITS) for point in cycle.points]}


def following_witness() -> dict[str, Any]:
    """State that the map is to be followed from the claimed point."""
    return {"method": "iterates"}


def excluding_witness(local: SymbolicMap, period: int, found: Cycles) -> dict[str, Any]:
    """State that all itineraries are to be solved.

    Raises
    ------
    UnknownError
        When the checker cannot do that.
    """
    none = "there is no such cycle, as solving every itinerary shows"
    if _is_one_polynomial(local, period):
        return {"method": "roots"}
    if not all(cycle.isolated for cycle in found) or not all(cycle.is_rational for cycle in found):
        raise UnknownError(f"{none}; certificates of that hold isolated rational cycles only")
    if not _is_affine(local):
        raise UnknownError(f"{none}; certificates of that hold affine pieces only")
    if _work(found, period) > _MOST_WORK_TO_EXCLUDE:
        raise UnknownError(f"{none}; to check all {found.words} of them again would take too long")
    return {"method": "words"}


def _can_be_listed(local: SymbolicMap, found: Cycles) -> bool:
    listed = found.exhaustive and all(cycle.isolated and cycle.is_rational for cycle in found)
    return listed and 0 < _work(found, found[0].period) <= _MOST_WORK and _is_affine(local)


def _work(found: Cycles, period: int) -> int:
    """What it takes the checker to solve all itineraries: its linear programs grow with the period."""
    return found.words * period**2


def _is_one_polynomial(local: SymbolicMap, period: int) -> bool:
    """Whether the map is one polynomial in one variable, of which iterates have a moderate degree."""
    if len(local.state) > 1 or local.guards:
        return False
    (x,), (expression,) = local.state, local.next
    if not expression.is_polynomial(x):
        return False
    polynomial = sp.Poly(expression, x)
    return (
        polynomial.degree() > 1
        and polynomial.degree() ** period <= _MOST_DEGREE
        and polynomial.domain.is_QQ | polynomial.domain.is_ZZ
    )


def _is_affine(local: SymbolicMap) -> bool:
    try:
        return bool(affine_pieces(local, {}).pieces)
    except (UnknownError, GapError):
        return False


def _rows(cycle: Cycle) -> list[list[fmpq]]:
    return [[rational(c) for c in point] for point in cycle.points]

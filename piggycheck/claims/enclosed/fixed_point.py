"""Where the fixed point of a structured map is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flint import arb, fmpq, fmpq_mat

from piggycheck.arrays import BallArrays
from piggycheck.claims.base import decimals_below, rational_field
from piggycheck.claims.enclosed.facts import by_block, output_of, output_step, output_value, rounded, witness
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.enclosed.verdicts import certified, distance_text
from piggycheck.claims.fixed_point import FixedPointClaim
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.enclosures import LimitEnclosure
from piggycheck.enclosures.after import rounded_down
from piggycheck.errors import InputError, UnknownError
from piggycheck.maps import StructuredMap

__all__ = ["decide_fixed_point", "fixed_point_statement"]

_BITS = 256
_PLACE = "value of `fixed_point`"


def decide_fixed_point(claim: FixedPointClaim, subject: EnclosedSubject) -> Verdict:
    """Enclose the fixed point; or show that a given point is not fixed."""
    if claim.value is None:
        limit = subject.found()
        if not isinstance(limit, LimitEnclosure):
            return claim.decide(subject.at_tie(limit))
        return _proved(claim, subject, limit)
    point = _read(claim.value, subject.map)
    least = _least_residual(subject, point)
    if least > 0:
        return _refuted(claim, subject, point, least)
    if not subject.is_small:
        raise UnknownError("the map may return the given point unchanged; that is proved exactly for small maps alone")
    return FixedPointClaim(value=[str(entry) for entry in point.entries()]).decide(subject.symbolic())


def fixed_point_statement(claim: FixedPointClaim, subject: EnclosedSubject) -> str:
    """Say what is claimed, without the numbers of a point."""
    if claim.value is None:
        return "the iteration has a fixed point at these parameters"
    return "the given point is a fixed point of the iteration at these parameters"


def _proved(claim: FixedPointClaim, subject: EnclosedSubject, limit: LimitEnclosure) -> Verdict:
    shown, error = rounded(limit.point, limit.error)
    numbers = iter(row[0] for row in shown)
    blocks = {name: [next(numbers) for _ in range(part.nrows())] for name, part in by_block(subject.map, limit.point)}
    derivation, output = subject.opening(), output_of(limit)
    value = {"point": blocks, "error": str(error)}
    parts = {**witness(limit), "error": limit.error}
    if output is not None:
        derivation.record(output_step(limit, output))
        value |= output_value(limit, output, moving=False)
        parts |= {"output": output.point.entries(), "output_error": output.error}
    return certified(
        Proved,
        claim,
        subject,
        statement=fixed_point_statement(claim, subject),
        found=f"it has exactly one near the approximation, {distance_text(limit.error)}",
        value=value,
        reason="near the approximation the map contracts, and moves it by little",
        derivation=derivation,
        witness=parts,
    )


def _refuted(claim: FixedPointClaim, subject: EnclosedSubject, point: fmpq_mat, least: fmpq) -> Verdict:
    return certified(
        Refuted,
        claim,
        subject,
        statement=fixed_point_statement(claim, subject),
        found=f"the map moves the given point by at least {decimals_below(least)}",
        value={"moved_by": str(least)},
        reason="its image was enclosed in balls, and is another point",
        derivation=subject.opening(pieces=False),
        witness={"method": "layers", "bits": _BITS},
        fields={"value": point.entries()},
    )


def _least_residual(subject: EnclosedSubject, point: fmpq_mat) -> fmpq:
    """Bound from below how far the map moves a point."""
    arrays = BallArrays(_BITS)
    with arrays.precision():
        moment = subject.problem.over(arrays)(arrays.enclosed(arrays.matrix(point)))
        moved = moment.value.centre - arrays.matrix(point)
        squares = sum((entry * entry for entry in moved.entries()), start=arb(0))
        least = (squares.sqrt() - moment.value.spread).lower()
        return rounded_down(least)


def _read(value: Any, map_: StructuredMap) -> fmpq_mat:
    """Read a point: one number for each state variable, or for each block its numbers."""
    size = map_.dimension
    if isinstance(value, Mapping):
        value = _of_mapping(value, map_)
    numbers = value.entries() if isinstance(value, fmpq_mat) else _listed(value)
    if len(numbers) != size:
        raise InputError(f"{_PLACE}: {len(numbers)} numbers for {size} state variables; write one each")
    return fmpq_mat(size, 1, [rational_field(number, _PLACE) for number in numbers])


def _of_mapping(value: Mapping[Any, Any], map_: StructuredMap) -> list[Any]:
    given, names = {str(name): entry for name, entry in value.items()}, [block.name for block in map_.blocks]
    if sorted(given) == sorted(map(str, map_.state)):
        return [given[str(v)] for v in map_.state]
    wrong = next((f"`{name}` is no block of the state" for name in given if name not in names), None)
    wrong = wrong or next((f"`{name}` has no value" for name in names if name not in given), None)
    if wrong is not None:
        raise InputError(f"{_PLACE}: {wrong}; the state is {', '.join(names)}")
    parts: list[Any] = []
    for block in map_.blocks:
        numbers = _listed(given[block.name])
        if len(numbers) != block.size:
            raise InputError(f"{_PLACE}: {len(numbers)} numbers for `{block.name}`; write {block.size}")
        parts += numbers
    return parts


def _listed(value: Any) -> list[Any]:
    if isinstance(value, fmpq_mat):
        return list(value.entries())
    return list(value) if isinstance(value, Sequence) and not isinstance(value, str) else [value]

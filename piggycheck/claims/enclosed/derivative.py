"""What the derivatives along a structured map converge to."""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from piggycheck.claims.derivative import Derivative
from piggycheck.claims.directions import Chosen
from piggycheck.claims.enclosed.facts import derivative_step, output_of, output_step, output_value, rounded, witness
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.enclosed.verdicts import certified, distance_text
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.enclosures import LimitEnclosure, Tie
from piggycheck.errors import InputError, UnknownError

__all__ = ["decide_derivative", "derivative_statement", "in_directions"]

_MOST_NAMED = 4


def decide_derivative(claim: Derivative, subject: EnclosedSubject) -> Verdict:
    """Enclose the limit of the derivatives; or show that it is not a given matrix."""
    chosen = subject.chosen(claim.kind, claim.directions)
    _require_shape(claim, subject, chosen)
    limit = subject.found(chosen)
    if isinstance(limit, Tie):
        if claim.directions is not None:
            raise UnknownError(f"{limit}; the set of limits was not looked at in single directions, ask without them")
        return claim.decide(subject.at_tie(limit))
    if claim.value is None:
        return _proved(claim, subject, limit, chosen)
    distance = _squared_distance(claim.value, limit.derivative)
    if distance <= limit.derivative_error**2:
        return _exactly(claim, subject, chosen)
    return _refuted(claim, subject, limit, chosen)


def derivative_statement(claim: Derivative, subject: EnclosedSubject) -> str:
    """Say what is claimed, without the numbers of a matrix."""
    where = in_directions(subject.chosen(claim.kind, claim.directions))
    return (
        f"the piggyback set at the fixed point is {'a single' if claim.value is None else 'the given'} matrix, {where}"
    )


def in_directions(chosen: Chosen) -> str:
    """Name the directions of a statement."""
    if len(chosen) > _MOST_NAMED:
        return f"in {len(chosen)} directions of the parameters"
    return f"in the direction{'s' if len(chosen) > 1 else ''} {', '.join(chosen.labels)}"


def _require_shape(claim: Derivative, subject: EnclosedSubject, chosen: Chosen) -> None:
    shape = (subject.map.dimension, len(chosen))
    if claim.value is not None and (claim.value.nrows(), claim.value.ncols()) != shape:
        raise InputError(
            f"value of `derivative`: {claim.value.nrows()} rows and {claim.value.ncols()} columns; "
            f"write {shape[0]} rows and {shape[1]} columns, one for each direction"
        )


def _squared_distance(A: fmpq_mat, B: fmpq_mat) -> fmpq:
    return sum((entry * entry for entry in (A - B).entries()), start=fmpq(0))


def _proved(claim: Derivative, subject: EnclosedSubject, limit: LimitEnclosure, chosen: Chosen) -> Verdict:
    derivation = subject.opening()
    derivation.record(derivative_step(limit, chosen.labels))
    shown, error = rounded(limit.derivative, limit.derivative_error)
    value = {"matrix": shown, "error": str(error), "directions": list(chosen.labels)}
    parts, output = _witness(limit, chosen), output_of(limit)
    if output is not None:
        derivation.record(output_step(limit, output, chosen.labels))
        value |= output_value(limit, output, moving=True)
        parts |= {"output_derivative": output.derivative, "output_error": output.derivative_error}
    return certified(
        Proved,
        claim,
        subject,
        statement=derivative_statement(claim, subject),
        found=f"it is a single matrix near the approximation, {distance_text(limit.derivative_error)}",
        value=value,
        reason="the map is smooth near the fixed point and contracts, so J = A J + B has one solution",
        derivation=derivation,
        witness=parts,
        fields={"directions": chosen.text()},
    )


def _refuted(claim: Derivative, subject: EnclosedSubject, limit: LimitEnclosure, chosen: Chosen) -> Verdict:
    derivation = subject.opening()
    derivation.record(derivative_step(limit, chosen.labels))
    shown, error = rounded(limit.derivative, limit.derivative_error)
    return certified(
        Refuted,
        claim,
        subject,
        statement=derivative_statement(claim, subject),
        found="it is a single matrix, and the given one is farther from the approximation than that",
        value={"matrix": shown, "error": str(error), "directions": list(chosen.labels)},
        reason="the map is smooth near the fixed point and contracts, so J = A J + B has one solution",
        derivation=derivation,
        witness=_witness(limit, chosen),
        fields={"directions": chosen.text(), "value": claim.value},
    )


def _witness(limit: LimitEnclosure, chosen: Chosen) -> dict:
    return {
        **witness(limit),
        "directions": chosen.text(),
        "derivative": limit.derivative,
        "error": limit.derivative_error,
    }


def _exactly(claim: Derivative, subject: EnclosedSubject, chosen: Chosen) -> Verdict:
    """Ask for the value exactly, where the map is small and all directions are asked for."""
    if claim.directions is None and len(chosen) == subject.map.columns and subject.is_small:
        return claim.decide(subject.symbolic())
    raise UnknownError(
        "the given matrix is as close to the limit as the limit is known; whether it is equal was not decided"
    )

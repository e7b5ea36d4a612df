"""How far iterates of a structured map, or their derivatives, are from their limit after some steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import arb, arb_mat, fmpq, fmpq_mat

from piggycheck.arrays import BallArrays, Enclosed
from piggycheck.claims.base import decimals_above, decimals_below
from piggycheck.claims.converged import Converged
from piggycheck.claims.directions import Chosen
from piggycheck.claims.enclosed.derivative import in_directions
from piggycheck.claims.enclosed.facts import witness
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.enclosed.verdicts import certified
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import ErrorStep
from piggycheck.errors import InputError, UnknownError
from piggycheck.limits import LimitEnclosure
from piggycheck.limits.contraction import rounded_up
from piggycheck.piggyback import steps

__all__ = ["decide_converged"]

_DIGITS = 6
_REPORTED = 100


def decide_converged(claim: Converged, subject: EnclosedSubject) -> Verdict:
    """Run the iteration in ball arithmetic, and compare where it is with the limit."""
    if subject.iteration.start is None:
        raise InputError("claim `converged`: the iteration has no start; declare [start]")
    chosen = subject.chosen(claim.kind, claim.directions) if claim.quantity == "derivatives" else None
    if chosen is not None and subject.start_moves:
        raise UnknownError(
            "the start depends on the parameters, and certificates of `converged` hold starts that do not"
        )
    limit = subject.limit(chosen)
    reached = _reached(claim, subject, limit, chosen)
    error = _Error.of(reached, *_target(claim, limit))
    if error.lower > claim.tolerance:
        return _verdict(Refuted, claim, subject, limit, error, chosen)
    if error.upper <= claim.tolerance:
        return _verdict(Proved, claim, subject, limit, error, chosen)
    reason = f"the error is {_between(error)}, too close to the tolerance to tell"
    return Undecided(
        claim.kind, _statement(claim, chosen), reason, {}, reason, subject.opening(), bounds=_bounds(error)
    )


@dataclass(frozen=True)
class _Error:
    """Bounds on a distance, and how much of their difference is due to the rounding of the run."""

    lower: fmpq
    upper: fmpq
    spread: fmpq

    @classmethod
    def of(cls, reached: Enclosed, limit: fmpq_mat, known: fmpq) -> _Error:
        away: arb_mat = reached.centre - arb_mat(limit)
        distance = sum((entry * entry for entry in away.entries()), start=arb(0)).sqrt()
        spread = arb(reached.spread) + arb(known)
        low, high = (distance - spread).lower(), (distance + spread).upper()
        return cls(_rounded_down(low), rounded_up(high, _DIGITS), rounded_up(arb(reached.spread).upper(), 2))


def _rounded_down(value: arb) -> fmpq:
    """A decimal of a few digits below a number; 0 when that is negative."""
    exact = value.fmpq()
    if exact <= 0:
        return fmpq(0)
    power = _DIGITS - len(str(exact.p)) + len(str(exact.q))
    scale = fmpq(10) ** abs(power)
    return fmpq((exact * scale).floor()) / scale if power >= 0 else fmpq((exact / scale).floor()) * scale


def _target(claim: Converged, limit: LimitEnclosure) -> tuple[fmpq_mat, fmpq]:
    if claim.quantity == "iterates":
        return limit.point, limit.error
    return limit.derivative, limit.derivative_error


def _reached(claim: Converged, subject: EnclosedSubject, limit: LimitEnclosure, chosen: Chosen | None) -> Enclosed:
    """Return the iterate, or its derivative, after the claim's number of steps."""
    directions = {} if chosen is None else chosen.moving
    for step in steps(subject.iteration, subject.at, directions=directions, arithmetic=BallArrays(limit.bits)):
        if step.k == claim.iterations:
            return step.x if step.J is None else step.J
        if subject.remaining == 0:
            raise UnknownError(f"the time ended after {step.k} of {claim.iterations} steps; raise the time limit")
        if step.k % _REPORTED == 0:
            subject.tell(f"step {step.k} of {claim.iterations}")
    raise AssertionError("steps do not end")


def _verdict(
    kind: Any, claim: Converged, subject: EnclosedSubject, limit: LimitEnclosure, error: _Error, chosen: Chosen | None
) -> Verdict:
    derivation = subject.opening()
    labels = () if chosen is None else chosen.labels
    derivation.record(ErrorStep(claim.quantity, claim.iterations, error.lower, error.upper, error.spread, labels))
    bound = {"error_upper": error.upper} if kind is Proved else {"error_lower": error.lower}
    given = {"iterations": claim.iterations, "tolerance": claim.tolerance, "quantity": claim.quantity}
    parts = {**witness(limit), **bound}
    if chosen is not None:
        given["directions"] = chosen.text()
        parts |= {"directions": chosen.text(), "derivative": limit.derivative}
    parts["error"] = limit.error if chosen is None else limit.derivative_error
    least = f"not converged: after {claim.iterations} iterations the error is at least {decimals_below(error.lower)}"
    return certified(
        kind,
        claim,
        subject,
        statement=_statement(claim, chosen),
        found=f"the error is at most {decimals_above(error.upper)}" if kind is Proved else least,
        value=_bounds(error),
        reason="the run was enclosed in balls, and so was the limit",
        derivation=derivation,
        witness=parts,
        fields=given,
    )


def _statement(claim: Converged, chosen: Chosen | None) -> str:
    what = "iterates" if chosen is None else "derivatives"
    where = "" if chosen is None else f" {in_directions(chosen)}"
    return f"after {claim.iterations} iterations the error of the {what}{where} is at most {claim.tolerance}"


def _bounds(error: _Error) -> dict[str, str]:
    return {"error_lower": str(error.lower), "error_upper": str(error.upper)}


def _between(error: _Error) -> str:
    return f"between {decimals_below(error.lower)} and {decimals_above(error.upper)}"

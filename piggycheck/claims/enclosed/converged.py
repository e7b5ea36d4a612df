"""How far iterates of a structured map, or their derivatives, are from their limit after some steps."""

from __future__ import annotations

from typing import Any

from flint import fmpq

from piggycheck.claims.base import decimals_above, decimals_below
from piggycheck.claims.converged import Converged
from piggycheck.claims.directions import Chosen
from piggycheck.claims.enclosed.derivative import in_directions
from piggycheck.claims.enclosed.facts import witness
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.enclosed.verdicts import certified
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import ErrorStep
from piggycheck.enclosures import LimitEnclosure, distance_after
from piggycheck.errors import InputError, UnknownError

__all__ = ["converged_statement", "decide_converged"]

_REPORTED = 100
_RUN_BITS = 112


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
    error = _error(claim, subject, limit)
    if error[0] > claim.tolerance:
        return _verdict(Refuted, claim, subject, limit, error, chosen)
    if error[1] <= claim.tolerance:
        return _verdict(Proved, claim, subject, limit, error, chosen)
    between = f"between {decimals_below(error[0])} and {decimals_above(error[1])}"
    reason = f"the error is {between}, too close to the tolerance to tell"
    return Undecided(
        claim.kind, converged_statement(claim, subject), reason, {}, reason, subject.opening(), bounds=_bounds(error)
    )


def _error(claim: Converged, subject: EnclosedSubject, limit: LimitEnclosure) -> tuple[fmpq, fmpq]:
    """Bound the error after the claim's number of steps from both sides.

    The claim says how long the run is, so the time limit, which is for searches, does not end it.
    """

    def watch(k: int) -> None:
        if k % _REPORTED == 0:
            subject.tell(f"step {k} of {claim.iterations}")

    moving = claim.quantity == "derivatives"
    bits = min(limit.bits, _RUN_BITS + max(0, int(claim.tolerance.q).bit_length()))
    distance = distance_after(limit, claim.iterations, derivatives=moving, bits=bits, watch=watch)
    return distance.derivatives if moving else distance.iterates


def _verdict(
    kind: Any,
    claim: Converged,
    subject: EnclosedSubject,
    limit: LimitEnclosure,
    error: tuple[fmpq, fmpq],
    chosen: Chosen | None,
) -> Verdict:
    derivation = subject.opening()
    labels = () if chosen is None else chosen.labels
    derivation.record(ErrorStep(claim.quantity, claim.iterations, *error, labels))
    bound = {"error_upper": error[1]} if kind is Proved else {"error_lower": error[0]}
    given = {"iterations": claim.iterations, "tolerance": claim.tolerance, "quantity": claim.quantity}
    parts = {**witness(limit), **bound}
    if chosen is not None:
        given["directions"] = chosen.text()
        parts |= {"directions": chosen.text(), "derivative": limit.derivative}
    parts["error"] = limit.error if chosen is None else limit.derivative_error
    least = f"not converged: after {claim.iterations} iterations the error is at least {decimals_below(error[0])}"
    return certified(
        kind,
        claim,
        subject,
        statement=converged_statement(claim, subject),
        found=f"the error is at most {decimals_above(error[1])}" if kind is Proved else least,
        value=_bounds(error),
        reason="the run was enclosed in balls, and so was the limit",
        derivation=derivation,
        witness=parts,
        fields=given,
    )


def converged_statement(claim: Converged, subject: EnclosedSubject) -> str:
    """Say what is claimed."""
    what = "iterates"
    if claim.quantity == "derivatives":
        what = f"derivatives {in_directions(subject.chosen(claim.kind, claim.directions))}"
    return f"after {claim.iterations} iterations the error of the {what} is at most {claim.tolerance}"


def _bounds(error: tuple[fmpq, fmpq]) -> dict[str, str]:
    return {"error_lower": str(error[0]), "error_upper": str(error[1])}

"""Whether the derivatives along a structured map converge, and how fast."""

from __future__ import annotations

from typing import Any

from flint import fmpq

from piggycheck.claims.base import decimals_above, decimals_below
from piggycheck.claims.converges import Converges
from piggycheck.claims.directions import Chosen
from piggycheck.claims.enclosed.facts import derivative_step, rounded, witness
from piggycheck.claims.enclosed.observed import enclosed_radius, observe
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.enclosed.verdicts import certified
from piggycheck.claims.verdict import Proved, Undecided, Verdict
from piggycheck.derivation import EnclosedRateStep, FromStartStep, ObservedStep
from piggycheck.enclosures import ConvergenceFromStart, LimitEnclosure, Rate, Tie, convergence_from_start, rate_at
from piggycheck.errors import InputError, UnknownError

__all__ = ["converges_statement", "decide_converges"]

_LARGEST_LIMIT = 16


def decide_converges(claim: Converges, subject: EnclosedSubject) -> Verdict:
    """Bound the rate at an enclosed fixed point, and show that the iterates come there."""
    if claim.words != "all":
        raise InputError("words of `converges`: for maps made of layers all words are looked at; remove `words`")
    chosen = subject.chosen(claim.kind) if subject.map.declared else None
    limit = subject.found(chosen)
    if isinstance(limit, Tie):
        return claim.decide(subject.at_tie(limit))
    rate = rate_at(limit)
    if claim.rate is None or rate.bound <= claim.rate:
        return _proved(claim, subject, limit, rate, chosen)
    return claim.decide(subject.symbolic()) if subject.is_small else _open(claim, subject, limit, rate)


def _open(claim: Converges, subject: EnclosedSubject, limit: LimitEnclosure, rate: Rate) -> Undecided:
    """Say how far the rate is from the one that is claimed; certificates do not bound it from below."""
    radius, bounds = enclosed_radius(limit), {"upper": str(rate.bound)}
    reason = f"the joint spectral radius is at most {_shown(rate.bound)}"
    if radius is not None and radius[0] > 0:
        bounds["lower"] = str(radius[0])
        reason += f" and at least {decimals_below(radius[0], 9)}"
        reason += (
            ", so the claim is false; certificates of that hold small maps alone" if radius[0] > claim.rate else ""
        )
    derivation = subject.opening()
    return Undecided(claim.kind, converges_statement(claim, subject), reason, {}, reason, derivation, bounds=bounds)


def _proved(
    claim: Converges, subject: EnclosedSubject, limit: LimitEnclosure, rate: Rate, chosen: Chosen | None
) -> Verdict:
    derivation, found = subject.opening(), f"the joint spectral radius is at most {_shown(rate.bound)}"
    derivation.record(EnclosedRateStep(rate.bound, subject.map.dimension, len(rate.kept), rate.form is not None))
    parts = witness(limit)
    if subject.iteration.start is not None:
        arrival = _arrival(limit, found)
        parts = {**witness(limit, arrival.contraction), "lipschitz": arrival.lipschitz}
        found += ", and the iterates converge to the fixed point"
        factor = arrival.contraction.factor
        derivation.record(FromStartStep(arrival.distance, arrival.lipschitz, arrival.inner, factor))
    parts |= {"rate": rate.bound} if rate.form is None else {"rate": rate.bound, "form": rate.form}
    observed = observe(subject, limit, chosen)
    if observed is not None:
        derivation.record(observed)
    if chosen is not None:
        derivation.record(derivative_step(limit, chosen.labels))
    return certified(
        Proved,
        claim,
        subject,
        statement=converges_statement(claim, subject),
        found=found,
        value=_value(limit, rate, observed),
        reason="one piece is active at the fixed point, and its derivative shrinks by this rate in each step",
        derivation=derivation,
        witness=parts,
        fields={"rate": claim.rate},
    )


def _arrival(limit: LimitEnclosure, known: str) -> ConvergenceFromStart:
    """Prove that the iterates come to the fixed point; what is known else goes into the reason why not."""
    try:
        return convergence_from_start(limit)
    except UnknownError as error:
        raise UnknownError(f"{known}, but {error}") from None


def converges_statement(claim: Converges, subject: EnclosedSubject) -> str:
    """Say what is claimed."""
    bound = "below 1" if claim.rate is None else f"at most {claim.rate}"
    start = "" if subject.iteration.start is None else "; the iterates converge to it from the start"
    return f"at the fixed point the joint spectral radius of the selection set is {bound}{start}"


def _shown(rate: fmpq) -> str:
    return str(rate) if rate == 0 else decimals_above(rate, 9)


def _value(limit: LimitEnclosure, rate: Rate, observed: ObservedStep | None) -> dict[str, Any]:
    value: dict[str, Any] = {"rate_upper": str(rate.bound)}
    if limit.derivative is not None and 0 < limit.derivative.nrows() * limit.derivative.ncols() <= _LARGEST_LIMIT:
        value["limit"], error = rounded(limit.derivative, limit.derivative_error)
        value["limit_error"] = str(error)
    if observed is not None:
        value["identified_at"] = None if observed.identified_at is None else str(observed.identified_at)
        value["observed_rate"] = observed.rate or None
        if observed.radius is not None:
            value["spectral_radius"] = [str(bound) for bound in observed.radius]
    return value

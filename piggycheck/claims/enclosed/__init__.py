"""Claims about maps made of layers, decided by enclosing the limit; small ones can be written out as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from piggycheck.claims.base import Claim
from piggycheck.claims.converged import Converged
from piggycheck.claims.enclosed.asymptotic_rate import asymptotic_rate_statement, decide_asymptotic_rate
from piggycheck.claims.enclosed.converged import converged_statement, decide_converged
from piggycheck.claims.enclosed.converges import converges_statement, decide_converges
from piggycheck.claims.enclosed.derivative import decide_derivative, derivative_statement
from piggycheck.claims.enclosed.fixed_point import decide_fixed_point, fixed_point_statement
from piggycheck.claims.enclosed.rate_bound import decide_rate_bound, rate_bound_statement
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Verdict
from piggycheck.enclosures import Tie
from piggycheck.errors import MapError, UnknownError

__all__ = ["EnclosedSubject", "decide_enclosed", "statement_of"]

_DECISIONS: dict[str, Callable[[Any, EnclosedSubject], Verdict]] = {
    "asymptotic_rate": decide_asymptotic_rate,
    "converged": decide_converged,
    "converges": decide_converges,
    "derivative": decide_derivative,
    "fixed_point": decide_fixed_point,
    "rate_bound": decide_rate_bound,
}

_ABOUT_SETS = (
    *("implicit_is_invertible", "implicit_is_strict", "implicit_set_exceeds_clarke"),
    *("in_piggyback_set", "piggyback_bounds", "piggyback_interval"),
)

_STATEMENTS: dict[str, Callable[[Any, EnclosedSubject], str]] = {
    "asymptotic_rate": asymptotic_rate_statement,
    "converged": converged_statement,
    "converges": converges_statement,
    "derivative": derivative_statement,
    "fixed_point": fixed_point_statement,
    "rate_bound": rate_bound_statement,
}


def statement_of(claim: Claim, subject: EnclosedSubject) -> str:
    """Return what is claimed of a map made of layers, as one sentence."""
    state = _STATEMENTS.get(claim.kind)
    return claim.statement(subject) if state is None else state(claim, subject)


def decide_enclosed(claim: Claim, subject: EnclosedSubject) -> Verdict:
    """Decide a claim about a map made of layers.

    Kinds that need the map as expressions get it when it is small; so do all kinds when the map has a few variables and
    its limit is not enclosed.

    Raises
    ------
    InputError, UnknownError
        As `piggycheck.claims.base.Claim.decide`.
    """
    try:
        return _decide(claim, subject)
    except MapError as error:
        raise UnknownError(f"layers are defined everywhere, but written out the map is not: {error}") from None


def _decide(claim: Claim, subject: EnclosedSubject) -> Verdict:
    """Decide by enclosing the limit where the kind allows it, otherwise on the map written out."""
    decide = _DECISIONS.get(claim.kind)
    if decide is None:
        return claim.decide(_at_its_tie(subject) if claim.kind in _ABOUT_SETS else subject.symbolic())
    try:
        return decide(claim, subject)
    except UnknownError as error:
        written_out = _written_out(claim, subject)
        if written_out is None:
            raise error
        return written_out


def _at_its_tie(subject: EnclosedSubject) -> Subject:
    """Write the map out; where its fixed point is a tie, which makes the sets interesting, with the pieces there."""
    try:
        found = subject.found()
    except UnknownError:
        return subject.symbolic()
    return subject.at_tie(found) if isinstance(found, Tie) else subject.symbolic()


def _written_out(claim: Claim, subject: EnclosedSubject) -> Verdict | None:
    """Decide a claim on the map written out, where there is no enclosure and the map has a few variables."""
    if isinstance(claim, Converged) or getattr(claim, "directions", None) is not None or not subject.is_tiny:
        return None
    try:
        subject.found()
    except UnknownError:
        try:
            return claim.decide(subject.symbolic())
        except UnknownError:
            return None
    return None

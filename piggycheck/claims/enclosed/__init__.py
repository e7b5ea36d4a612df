"""Claims about maps made of layers, decided by enclosing the limit; small ones can be written out as well."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from piggycheck.claims.base import Claim
from piggycheck.claims.enclosed.converged import decide_converged
from piggycheck.claims.enclosed.converges import decide_converges
from piggycheck.claims.enclosed.derivative import decide_derivative
from piggycheck.claims.enclosed.fixed_point import decide_fixed_point
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.verdict import Verdict

__all__ = ["EnclosedSubject", "decide_enclosed"]

_DECISIONS: dict[str, Callable[[Any, EnclosedSubject], Verdict]] = {
    "converged": decide_converged,
    "converges": decide_converges,
    "derivative": decide_derivative,
    "fixed_point": decide_fixed_point,
}


def decide_enclosed(claim: Claim, subject: EnclosedSubject) -> Verdict:
    """Decide a claim about a map made of layers; kinds that need the map as expressions get it when it is small.

    Raises
    ------
    InputError, UnknownError
        As `piggycheck.claims.base.Claim.decide`.
    """
    decide = _DECISIONS.get(claim.kind)
    return claim.decide(subject.symbolic()) if decide is None else decide(claim, subject)

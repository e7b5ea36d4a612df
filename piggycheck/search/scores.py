"""Floating-point scores that guide a search: positive where a claim may well hold. They prove nothing."""

from __future__ import annotations

import math
from collections.abc import Callable

from piggycheck.case.model import Case
from piggycheck.claims import Claim, EnclosedSubject, Subject
from piggycheck.errors import InputError, UnknownError
from piggycheck.stability.floats import leading_products

__all__ = ["SCORES", "has_score", "score"]

_LENGTH = 10
_BEAM = 128
_STEPS = 120


def score(case: Case) -> float:
    """Return the smallest of the scores of the claims of a case; minus infinity where it makes no sense.

    Examples
    --------
    >>> from piggycheck.case import load_case
    >>> round(score(load_case("casebook/heavy-ball-1d/case.toml")), 3)   # log2 of 1.031, along a word of length 10
    0.044
    """
    try:
        subject = case.subject()
        return min((SCORES[claim.kind](claim, subject) for claim in case.claims if has_score(claim)), default=math.inf)
    except (InputError, UnknownError):
        return -math.inf


def has_score(claim: Claim) -> bool:
    """Whether there is a score for a claim.

    Words that iterates follow are among all words: what diverges along them has a growing word, what converges along
    them may have one, too.
    """
    return claim.kind in SCORES and (claim.kind == "diverges" or getattr(claim, "words", "all") == "all")


def _growth(claim: Claim, subject: Subject | EnclosedSubject) -> float:
    """The largest binary logarithm of a rate of growth, of words of at most ten letters."""
    if isinstance(subject, EnclosedSubject):
        subject = subject.symbolic()
    matrices = subject.system.A
    found = leading_products(matrices, _LENGTH, math.inf, _BEAM)
    return max((float(rates[0]) for _, rates in found if len(rates)), default=-math.inf)


def _contraction(claim: Claim, subject: Subject | EnclosedSubject) -> float:
    return -_growth(claim, subject)


SCORES: dict[str, Callable[[Claim, Subject | EnclosedSubject], float]] = {
    "diverges": _growth,
    "converges": _contraction,
}
"""By kind of claim."""

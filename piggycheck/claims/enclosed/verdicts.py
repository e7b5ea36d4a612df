"""Verdicts about structured maps, with their certificates."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from piggycheck.certificates import Certificate
from piggycheck.claims.base import Claim
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.verdict import Proved, Refuted
from piggycheck.derivation import Derivation
from piggycheck.render.numbers import power_of_ten

__all__ = ["certified", "distance_text"]

Answer = TypeVar("Answer", Proved, Refuted)


def certified(
    verdict: type[Answer],
    claim: Claim,
    subject: EnclosedSubject,
    *,
    statement: str,
    found: str,
    value: dict[str, Any],
    reason: str,
    derivation: Derivation,
    witness: Mapping[str, Any],
    fields: Mapping[str, Any] | None = None,
) -> Answer:
    """Return a verdict with its certificate.

    Parameters
    ----------
    verdict : Proved or Refuted
    claim : Claim
    subject : EnclosedSubject
    statement, found, value, reason, derivation
        As the verdict has them.
    witness : mapping
        Of the certificate.
    fields : mapping, optional
        The claim's own fields, as the certificate states them; None is left out.
    """
    given = {name: field for name, field in (fields or {}).items() if field is not None}
    heading = {"kind": claim.kind, "verdict": verdict.name, "statement": statement, **given}
    certificate = Certificate.build(claim=heading, **subject.certificate_parts(), witness=witness)
    return verdict(claim.kind, statement, found, value, reason, derivation, certificate=certificate)


def distance_text(error: Any) -> str:
    """Say how far something may be from its approximation, by a power of ten.

    Examples
    --------
    >>> from flint import fmpq
    >>> distance_text(fmpq(3, 10**31))
    'at a distance of at most 10^-30'
    """
    power = power_of_ten(error)
    return f"at a distance of at most {power.base}^{power.exponent}"

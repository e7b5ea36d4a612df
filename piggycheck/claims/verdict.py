"""Verdicts: proved, refuted or undecided, never a truth value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NoReturn

from piggycheck.certificates import Certificate
from piggycheck.derivation import Derivation
from piggycheck.errors import TruthError

__all__ = ["Proved", "Refuted", "Undecided", "Verdict"]


@dataclass(frozen=True)
class Verdict:
    """The answer to a claim: one of `Proved`, `Refuted`, `Undecided`.

    Attributes
    ----------
    kind : str
        The kind of claim.
    statement : str
        What is claimed.
    found : str
        What was proved, in one sentence; for an undecided claim, how far it got.
    value : dict
        The answer's values, exact numbers and words, under the keys of the claim's kind.
    reason : str
        Why, in words.
    derivation : Derivation
        The steps that lead there.
    """

    kind: str
    statement: str
    found: str
    value: dict[str, Any] = field(default_factory=dict)
    reason: str = ""
    derivation: Derivation = field(default_factory=Derivation, repr=False)

    name = "verdict"

    def __bool__(self) -> NoReturn:
        raise TruthError(f"the verdict on `{self.kind}` is no truth value; match on Proved, Refuted, Undecided")

    def report(self) -> str:
        """Return the verdict as plain text: the derivation, then *claimed* and *proved*, then the witness."""
        from piggycheck.render.text import report

        return report(self)


@dataclass(frozen=True)
class Proved(Verdict):
    """The claim is a theorem, and the certificate proves it."""

    certificate: Certificate = field(default=None, kw_only=True, repr=False)  # type: ignore[assignment]

    name = "proved"


@dataclass(frozen=True)
class Refuted(Verdict):
    """The negation of the claim is a theorem, and the certificate proves it."""

    certificate: Certificate = field(default=None, kw_only=True, repr=False)  # type: ignore[assignment]

    name = "refuted"


@dataclass(frozen=True)
class Undecided(Verdict):
    """Neither was proved within the limits.

    Attributes
    ----------
    tried : tuple of str
        What was tried.
    bounds : dict
        The bounds that were proved on the way.
    would_help : str
        What might decide it.
    interrupted : bool
        Whether the search was ended from outside, before its limits; the bounds are those proved until then.
    """

    tried: tuple[str, ...] = field(default=(), kw_only=True)
    bounds: dict[str, Any] = field(default_factory=dict, kw_only=True)
    would_help: str = field(default="", kw_only=True)
    interrupted: bool = field(default=False, kw_only=True)

    name = "undecided"
    certificate = None

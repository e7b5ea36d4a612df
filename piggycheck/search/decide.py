"""One member of a family: its claims proved, one after the other, and what is kept of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from fractions import Fraction
from typing import Any

from piggycheck.claims import Proved, prove
from piggycheck.errors import InputError, PiggycheckError
from piggycheck.search.family import Family, Values

__all__ = ["Check", "Decision", "decide_member", "heights"]

Check = Callable[[Mapping[str, Any]], Any]
"""Looks at the content of a certificate, and raises when it does not hold."""

FOUND, NOT_FOUND, UNDECIDED, SENSELESS, FAILED = "found", "not found", "undecided", "senseless", "failed"


@dataclass(frozen=True)
class Decision:
    """What was decided about a member.

    Attributes
    ----------
    values : dict from names to texts
    outcome : str
        ``"found"`` when every claim was proved and every certificate passed the check; ``"not found"`` when a claim
        was refuted, ``"undecided"`` when it was not decided, ``"senseless"`` when the case makes no sense at these
        values, and ``"failed"`` when the program failed.
    reason : str
        For the last claim that was looked at.
    claims : list of dict
        Kind, statement and values of the proved claims.
    certificates : list of dict
        Their contents.
    pieces : list of dict
        The pieces at the fixed point with their matrices, as text; empty when they are not known.
    """

    values: dict[str, str]
    outcome: str
    reason: str = ""
    claims: tuple[dict[str, Any], ...] = ()
    certificates: tuple[dict[str, Any], ...] = ()
    pieces: tuple[Any, ...] = ()

    @property
    def found(self) -> bool:
        """Whether every claim was proved."""
        return self.outcome == FOUND

    @property
    def word_length(self) -> int:
        """The length of the longest word that proves a claim; 0 where none does."""
        return max((len(claim["value"].get("word") or ()) for claim in self.claims), default=0)

    @property
    def complexity(self) -> tuple:
        """By which the simplest comes first: pieces, denominators, numerators, words."""
        return (len(self.pieces), *heights(self.values), self.word_length, sorted(self.values.items()))

    def content(self) -> dict[str, Any]:
        """Return all of it, for JSON."""
        return asdict(self)

    @classmethod
    def of(cls, content: Mapping[str, Any]) -> Decision:
        """Return what `content` was made from."""
        lists = {key: tuple(content[key]) for key in ("claims", "certificates", "pieces")}
        return cls(dict(content["values"]), content["outcome"], content["reason"], **lists)


def decide_member(family: Family, values: Values, check: Check, time_limit: float) -> Decision:
    """Prove the claims of a member, one after the other, until one is not proved.

    Parameters
    ----------
    family : Family
    values : mapping from names to texts
    check : callable
        The independent check; what it does not accept counts as undecided.
    time_limit : float
        Seconds for each claim.

    Examples
    --------
    >>> family = Family({
    ...     "switched": {"A": [[["a"]]], "B": [[["1"]]]}, "unknowns": {"a": {"range": [0, 2]}},
    ...     "claim": [{"kind": "diverges"}],
    ... })
    >>> from piggycheck import checker
    >>> [decide_member(family, {"a": a}, checker.check, 10).outcome for a in ("3/2", "1/2")]
    ['found', 'not found']
    """
    values = dict(values)
    try:
        return _decide(family, values, check, time_limit)
    except InputError as error:
        return Decision(values, SENSELESS, str(error))
    except PiggycheckError as error:
        return Decision(values, UNDECIDED, str(error))
    except Exception as error:  # one member must not end a search of hours; its failure is counted and shown
        return Decision(values, FAILED, f"{type(error).__name__}: {error}")


def _decide(family: Family, values: dict[str, str], check: Check, time_limit: float) -> Decision:
    case = family.member(values)
    subject = case.subject(time_limit=time_limit)
    claims: list[dict[str, Any]] = []
    certificates: list[dict[str, Any]] = []
    for claim in case.claims:
        verdict = prove(claim, subject, time_limit=time_limit)
        if not isinstance(verdict, Proved):
            outcome = NOT_FOUND if verdict.name == "refuted" else UNDECIDED
            return Decision(values, outcome, f"{claim.kind}: {verdict.reason}")
        content = verdict.certificate.content
        try:
            check(content)
        except Exception as refusal:  # whatever the check raises, this is not proved
            return Decision(values, UNDECIDED, f"{claim.kind}: the certificate was not accepted: {refusal}")
        value = json.loads(json.dumps(verdict.value, default=str))
        claims.append({"kind": claim.kind, "statement": verdict.statement, "found": verdict.found, "value": value})
        certificates.append(content)
    pieces = tuple(subject.listed_pieces())
    return Decision(values, FOUND, "", tuple(claims), tuple(certificates), pieces)


def heights(values: Values) -> tuple[int, int, int]:
    """Return the largest denominator, the sum of denominators, and that of the moduli of numerators.

    Irrational numbers count as very large denominators.

    Examples
    --------
    >>> heights({"step": "1", "momentum": "3/4", "s": "1/4"})
    (4, 9, 5)
    """
    numbers = [_fraction(value) for value in values.values()]
    denominators = [number.denominator for number in numbers]
    return max(denominators), sum(denominators), sum(abs(number.numerator) for number in numbers)


def _fraction(text: str) -> Fraction:
    try:
        return Fraction(text)
    except ValueError:
        return Fraction(1, 10**6 + len(text))

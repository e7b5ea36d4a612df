"""The claim that the limit which a selection policy returns is an element of the piggyback set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from piggycheck.certificates import Certificate
from piggycheck.claims.base import Claim, certify, matrix_text
from piggycheck.claims.in_piggyback_set import InPiggybackSet
from piggycheck.claims.limit_sets import system_of
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import Derivation
from piggycheck.derivation.practice import POLICY_NAMES, PracticeStep
from piggycheck.errors import InputError, NoLimitSetError, UnknownError
from piggycheck.maps import CONVENTIONS
from piggycheck.practice import Outcome, Practice, survey

__all__ = ["PracticeAgrees", "practice_of"]


@dataclass(frozen=True)
class PracticeAgrees(Claim):
    """Whatever it starts at, the recursion of a policy at the fixed point converges to an element of the set.

    Parameters
    ----------
    policy : str
        The name of a framework, whose convention at ties is used, or the index of a piece.

    Raises
    ------
    InputError
        When no policy has this name.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.claims import prove
    >>> from piggycheck.iteration import Iteration
    >>> from piggycheck.maps import SymbolicMap
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> cantor = Iteration(SymbolicMap([x], [x / 3 + 2 * sp.Max(theta, 0) / 3], [theta]))
    >>> verdict = prove(PracticeAgrees(policy="jax"), cantor, {"theta": 0})
    >>> verdict.name, verdict.value["limit"], verdict.value["place"]
    ('refuted', [['1/2']], 'outside the piggyback set, in that of the hull')

    Notes
    -----
    Docs: docs/theory/conventions.md. When this fails: as the claim *in_piggyback_set*.
    """

    policy: Any
    kind = "practice_agrees"

    def __post_init__(self) -> None:
        policy = str(self.policy) if isinstance(self.policy, int) and not isinstance(self.policy, bool) else self.policy
        if not isinstance(policy, str) or not (policy in CONVENTIONS or policy.isdecimal()):
            raise InputError(
                f"policy of `{self.kind}`: `{str(policy)[:60]}` is not known; write one of "
                f"{', '.join(CONVENTIONS)}, or the index of a piece, such as 0"
            )
        object.__setattr__(self, "policy", policy)

    def fields(self) -> dict[str, Any]:
        return {"policy": self.policy}

    def statement(self, subject: Subject) -> str:
        return f"the limit that {self._named} returns at {subject.named_point} is in the piggyback set"

    @property
    def _named(self) -> str:
        return f"piece {self.policy}" if self.policy.isdecimal() else POLICY_NAMES[self.policy]

    def decide(self, subject: Subject) -> Verdict:
        subject.required_iteration(self.kind)
        system = system_of(subject, self.kind)
        if self.policy.isdecimal() and not int(self.policy) < len(system):
            raise InputError(
                f"policy of `{self.kind}`: there is no piece {self.policy}; {len(system)} meet at the fixed point, so "
                f"write a number from 0 to {len(system) - 1}, or one of {', '.join(CONVENTIONS)}"
            )
        practice = practice_of(subject)
        outcome = practice[self.policy]
        derivation = subject.opening()
        derivation.record(PracticeStep.of(practice))
        if outcome.limit is None:
            return self._without_limit(subject, outcome, derivation)
        element = InPiggybackSet(outcome.limit).decide(subject)
        for step in element.derivation:
            derivation.record(step)
        return self._with_limit(subject, outcome, element, derivation)

    def _with_limit(self, subject: Subject, outcome: Outcome, element: Verdict, derivation: Derivation) -> Verdict:
        if not isinstance(element, Proved | Refuted):
            raise UnknownError(element.reason)
        statement, shown = self.statement(subject), matrix_text(outcome.limit)
        witness = {**element.certificate.content["witness"], "limit": outcome.limit}
        return type(element)(
            self.kind,
            statement,
            f"the limit is {shown}, and {element.found}",
            {"limit": shown, "place": outcome.place.value, **element.value},
            element.reason,
            derivation,
            certificate=self._certificate(subject, element.name, statement, witness),
        )

    def _without_limit(self, subject: Subject, outcome: Outcome, derivation: Derivation) -> Verdict:
        statement = self.statement(subject)
        return Refuted(
            self.kind,
            statement,
            "there is no limit that all starts lead to: its pair has a spectral radius of at least 1",
            {"place": outcome.place.value},
            "the recursion with one pair forgets its start only when the spectral radius is below 1",
            derivation,
            certificate=self._certificate(subject, "refuted", statement, {"method": "no_limit"}),
        )

    def _certificate(self, subject: Subject, name: str, statement: str, witness: Mapping[str, Any]) -> Certificate:
        return certify(self, name, statement, subject.certificate_parts(), dict(witness))


def practice_of(subject: Subject) -> Practice:
    """Return what all policies return at the fixed point of a subject."""
    try:
        contractions = subject.contraction, subject.essential_contraction
    except NoLimitSetError:
        contractions = None
    map_, point = subject.iteration.map, subject.point.point
    return survey(map_, point, subject.system, subject.essential, contractions, time_limit=subject.remaining)

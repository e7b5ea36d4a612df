"""The claim that the map is continuous and has a value everywhere."""

from __future__ import annotations

from dataclasses import dataclass

from piggycheck.claims.base import Claim, certify
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import ContinuityStep, DiscontinuityStep
from piggycheck.errors import UnknownError
from piggycheck.maps import Continuous, Gap, check_continuity
from piggycheck.maps.switch import as_piecewise

__all__ = ["ContinuousClaim"]


@dataclass(frozen=True)
class ContinuousClaim(Claim):
    """The map is continuous in state and parameters together, and its pieces cover the space.

    Notes
    -----
    When this fails: see `piggycheck.maps.check_continuity`.
    """

    kind = "continuous"

    def statement(self, subject: Subject) -> str:
        return "the map is continuous and its pieces cover the space"

    def decide(self, subject: Subject) -> Verdict:
        map_ = subject.required_iteration(self.kind).map
        answer = check_continuity(map_)
        derivation, statement = subject.opening(pieces=False), self.statement(subject)
        parts = {"map": subject.map_part()}
        if isinstance(answer, Continuous):
            derivation.record(ContinuityStep(tuple(map(as_piecewise, answer.guards))))
            count = len(answer.guards)
            crossed = "across its one guard" if count == 1 else f"across each of {count} guards"
            return Proved(
                self.kind,
                statement,
                statement,
                {},
                f"the branches agree {crossed}" if answer.guards else "there is one piece, a polynomial",
                derivation,
                certificate=certify(self, "proved", statement, parts, {}),
            )
        point = {str(v): str(c) for v, c in answer.point.items()}
        if not all(c.is_Rational for c in answer.point.values()):
            raise UnknownError(f"the map fails at the irrational point {point}, and certificates hold rational numbers")
        shown = ", ".join(f"{v} = {c}" for v, c in point.items())
        if isinstance(answer, Gap):
            derivation.record(DiscontinuityStep(answer.point))
            found, witness = f"no branch applies at {shown}", {"gap": point}
        else:
            derivation.record(DiscontinuityStep(answer.point, answer.value, answer.direction, answer.limit))
            direction = ", ".join(map(str, answer.direction))
            values = f"value {_tuple(answer.value)}, limit along ({direction}) {_tuple(answer.limit)}"
            found = f"the map jumps at {shown}: {values}"
            witness = {"point": point, "direction": [str(d) for d in answer.direction]}
        return Refuted(
            self.kind,
            statement,
            found,
            {"where": point},
            found,
            derivation,
            certificate=certify(self, "refuted", statement, parts, witness),
        )


def _tuple(values: tuple) -> str:
    return "(" + ", ".join(map(str, values)) + ")"

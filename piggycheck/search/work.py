"""What a worker does with a unit of work."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from flint import fmpq

from piggycheck.search.decide import SENSELESS, Check, Decision, decide_member
from piggycheck.search.family import Choices, Family, Values
from piggycheck.search.plan import Unit, near
from piggycheck.search.scores import score

__all__ = ["PROMISING", "Work", "read_number"]

PROMISING = 1e-6
"""Scores above this are worth a proof."""

_PROOFS = 2
_COARSEST, _FINEST = 4, 64


@dataclass(frozen=True)
class Work:
    """What does a unit of work: the family, the check of certificates, and the seconds for each claim.

    Examples
    --------
    >>> from piggycheck import checker
    >>> family = Family({
    ...     "switched": {"A": [[["a"]]], "B": [[["1"]]]}, "unknowns": {"a": {"range": [0, 2]}},
    ...     "claim": [{"kind": "diverges"}],
    ... })
    >>> work = Work(family, checker.check, 10.0)
    >>> result = work(Unit(0, ({"a": "3/2"}, {"a": "1/2"}), "decide", 2))
    >>> result["evaluations"], result["outcomes"], result["found"][0]["values"]
    (2, {'found': 1, 'not found': 1}, {'a': '3/2'})
    """

    family: Family
    check: Check
    time_limit: float

    def __call__(self, unit: Unit) -> dict[str, Any]:
        """Do a unit of work; return how many members were looked at, what became of them, and those found."""
        task = {"decide": self._decide, "screen": self._screen, "climb": self._climb}[unit.task]
        looked, decisions = task(unit)
        outcomes: dict[str, int] = {}
        for decision in decisions:
            outcomes[decision.outcome] = outcomes.get(decision.outcome, 0) + 1
        failures = [d.reason for d in decisions if d.outcome == "failed"]
        found = sorted((d for d in decisions if d.found), key=lambda d: d.complexity)
        return {
            "evaluations": looked,
            "allowed": unit.evaluations,
            "outcomes": outcomes,
            "failures": failures[:1],
            "found": [d.content() for d in found],
        }

    def decide(self, values: Values) -> Decision:
        """Decide one member."""
        return decide_member(self.family, values, self.check, self.time_limit)

    def score(self, values: Values) -> float:
        """Return the score of a member, minus infinity where it makes no sense."""
        try:
            return score(self.family.member(values))
        except Exception:  # a guess that fails is no guess; proofs report what fails
            return -math.inf

    def _decide(self, unit: Unit) -> tuple[int, list[Decision]]:
        return len(unit.members), [self.decide(values) for values in unit.members]

    def _screen(self, unit: Unit) -> tuple[int, list[Decision]]:
        """Prove the first of those with good scores, which are the simplest."""
        decisions: list[Decision] = []
        for values in unit.members:
            if sum(d.outcome != SENSELESS for d in decisions) >= _PROOFS:
                break
            if self.score(values) > PROMISING:
                decisions.append(self.decide(values))
        return len(unit.members), decisions

    def _climb(self, unit: Unit) -> tuple[int, list[Decision]]:
        """Improve the score, one unknown after the other, by smaller and smaller steps; prove the first good."""
        best = dict(unit.members[0])
        best_score = self.score(best)
        looked, tried = 1, []
        if best_score > PROMISING:
            tried.append(best)
        parts = _COARSEST
        while looked < unit.evaluations and parts <= _FINEST:
            improved = False
            for values in self._neighbours(best, parts):
                if looked >= unit.evaluations:
                    break
                looked += 1
                value = self.score(values)
                if value > best_score:
                    best, best_score, improved = values, value, True
                    if value > PROMISING and not tried:
                        tried.append(best)
            parts *= 1 if improved else 2
        if best_score > PROMISING and best not in tried:
            tried.append(best)
        return looked, [self.decide(values) for values in tried]

    def _neighbours(self, values: Values, parts: int) -> Iterator[dict[str, str]]:
        """Members that differ in one unknown: by a part of its range, or by the next choice."""
        for name, unknown in self.family.unknowns.items():
            if isinstance(unknown, Choices):
                index = unknown.values.index(values[name])
                places = {(index + shift) % len(unknown.values) for shift in (-1, 1)} - {index}
                numbers = [unknown.values[place] for place in sorted(places)]
            else:
                step = (unknown.high - unknown.low) / parts
                there = [read_number(values[name]) + sign * step for sign in (-1, 1)]
                inside = [number for number in there if unknown.low <= number <= unknown.high]
                numbers = [str(near(unknown, number, step / 4)) for number in inside]
            for number in numbers:
                if number != values[name]:
                    yield {**values, name: number}


def read_number(text: str) -> fmpq:
    """Read a rational number that was written by this room."""
    numerator, _, denominator = text.partition("/")
    return fmpq(int(numerator), int(denominator or 1))

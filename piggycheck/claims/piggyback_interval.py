"""The claim that a piggyback set of numbers has a given convex hull."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import fmpq

from piggycheck.claims.base import Claim, certify, rational_field
from piggycheck.claims.limit_sets import all_pairs, require_numbers, system_of, where
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import ContractionStep, ImplicitSetStep, IntervalStep
from piggycheck.errors import InputError
from piggycheck.limits import HullInterval, Point, hull_interval, implicit_hull_interval, implicit_points

__all__ = ["PiggybackInterval", "known_interval"]


@dataclass(frozen=True)
class PiggybackInterval(Claim):
    """For one state variable and one parameter: the convex hull of the piggyback set is an interval, with these ends.

    Parameters
    ----------
    lower, upper : exact rational number or text, optional
        The ends. What is absent is found.

    Raises
    ------
    InputError
        When an end is not rational, or the lower one lies above the upper one.

    Examples
    --------
    >>> from piggycheck.claims import prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> relu = SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[1]], [[0]]])
    >>> prove(PiggybackInterval(), relu).value
    {'lower': '-2/3', 'upper': '4/3'}

    Notes
    -----
    It is the set that the recursion has when it may pick pairs from the convex hull of the selection set. When this
    fails: with more than one state variable or parameter the hull is no interval; ask for `piggyback_bounds`.
    """

    lower: Any = None
    upper: Any = None
    kind = "piggyback_interval"

    def __post_init__(self) -> None:
        for end in ("lower", "upper"):
            if getattr(self, end) is not None:
                object.__setattr__(self, end, rational_field(getattr(self, end), f"{end} of `{self.kind}`"))
        if self.lower is not None and self.upper is not None and self.lower > self.upper:
            raise InputError(
                f"lower of `{self.kind}`: {self.lower} is larger than upper, which is {self.upper}; exchange them"
            )

    def fields(self) -> dict[str, Any]:
        return {"lower": self.lower, "upper": self.upper}

    def statement(self, subject: Subject) -> str:
        of = f"of the piggyback set{where(subject)}"
        if self.lower is not None and self.upper is not None:
            return f"the convex hull {of} is [{self.lower}, {self.upper}]"
        if self.lower is not None:
            return f"the least element {of} is {self.lower}"
        if self.upper is not None:
            return f"the greatest element {of} is {self.upper}"
        return f"the convex hull {of} is an interval with rational ends"

    def decide(self, subject: Subject) -> Verdict:
        system = system_of(subject, self.kind)
        require_numbers(subject, self.kind)
        contraction, hull = subject.contraction, _exact_interval(subject)
        derivation, statement = subject.opening(), self.statement(subject)
        derivation.record(ContractionStep(contraction.tree))
        if system.exact:
            derivation.record(ImplicitSetStep(implicit_points(system), implicit_hull_interval(system)))
        ends = ((hull.lower_point.word, hull.lower_point.then), (hull.upper_point.word, hull.upper_point.then))
        derivation.record(IntervalStep(hull.lower, hull.upper, *ends))
        kind = Proved if self._holds(hull.lower, hull.upper) else Refuted
        return kind(
            self.kind,
            statement,
            f"the convex hull of the piggyback set is [{hull.lower}, {hull.upper}]",
            {"lower": str(hull.lower), "upper": str(hull.upper)},
            "both ends are in the piggyback set, and every pair maps the interval between them into itself",
            derivation,
            certificate=certify(
                self,
                kind.name,
                statement,
                subject.certificate_parts(),
                {**contraction.tree.witness(), "lower": hull.lower, "upper": hull.upper},
            ),
        )

    def _holds(self, lower: fmpq, upper: fmpq) -> bool:
        return self.lower in (None, lower) and self.upper in (None, upper)


def known_interval(subject: Subject) -> HullInterval:
    """Return the hull of the piggyback set of the numbers of those pieces that were proved essentially active."""
    hull = hull_interval(subject.essential_system)
    ends = (
        Point(subject.in_system(point.word), subject.in_system(point.then), point.matrix)
        for point in (hull.lower_point, hull.upper_point)
    )
    return HullInterval(hull.lower, hull.upper, *ends)


def _exact_interval(subject: Subject) -> HullInterval:
    """Return the hull of the piggyback set of numbers, also where pieces are undecided that do not move its ends.

    Raises
    ------
    UnknownError
        When they do.
    """
    hull = known_interval(subject)
    if not subject.system.exact:
        largest = hull_interval(subject.system)
        if (largest.lower, largest.upper) != (hull.lower, hull.upper):
            all_pairs(subject, "the ends of the hull depend on them")
    return hull

"""The claim that the iterates have a cycle of a given period."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp

from piggycheck.algorithms.reading import expression
from piggycheck.arithmetic import rational
from piggycheck.claims.base import Claim, certify, decimals_below, matrix_text
from piggycheck.claims.cycle_witness import cycle_witness, excluding_witness, following_witness, roots_witness
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.cycles import Basin, Cycle, Cycles, basin, cycles, entry
from piggycheck.cycles.orbit import conditions_at, cycle_from, follow, returns
from piggycheck.cycles.search import read_period
from piggycheck.derivation import BasinStep, CyclesStep, FollowedStep
from piggycheck.errors import InputError, UnknownError
from piggycheck.maps import SymbolicMap

__all__ = ["CycleClaim"]

_MOST_SHOWN = 6
_LONGEST = 18


@dataclass(frozen=True)
class CycleClaim(Claim):
    """The map has a cycle of this minimal period at the parameters; with `point`, through this point.

    Parameters
    ----------
    period : int
    point : mapping from names to exact numbers, or list of exact numbers, optional
    attracting : bool, or "true" or "false", optional
        Whether the cycle attracts all starts nearby.
    from_start : bool, or "true", optional
        Whether the iterates from the start approach the cycle.

    Notes
    -----
    See `piggycheck.cycles.cycles`. With a point the map is followed from there; without one every cycle of the period
    is looked for, and the claim is refuted when every one was found and none fits.

    When this fails: certificates hold rational points, so cycles of irrational ones are undecided, with what was
    found; so are cycles of maps with exp, log or square roots, and attraction of cycles with a point on a guard.
    """

    period: int
    point: Any = None
    attracting: Any = None
    from_start: Any = None
    kind = "cycle"

    def __post_init__(self) -> None:
        object.__setattr__(self, "period", read_period(self.period, "period of `cycle`"))
        for name in ("attracting", "from_start"):
            object.__setattr__(self, name, _truth(getattr(self, name), f"{name} of `cycle`"))
        if self.from_start is False:
            raise InputError('from_start of `cycle`: only that the iterates get there can be claimed; write "true"')

    def statement(self, subject: Subject) -> str:
        attracting = {None: "a", True: "an attracting", False: "a non-attracting"}[self.attracting]
        through = "" if self.point is None else f" through {_listed(self._point(subject))}"
        start = ", which the iterates from the start approach" if self.from_start else ""
        return f"the iterates have {attracting} cycle of period {self.period}{through} at these parameters{start}"

    def _point(self, subject: Subject) -> dict[sp.Symbol, sp.Expr]:
        state = subject.required_iteration(self.kind).map.state
        names = ", ".join(map(str, state))
        if isinstance(self.point, Mapping):
            given = {str(name): number for name, number in self.point.items()}
            for name in given:
                if name not in map(str, state):
                    raise InputError(f"point of `cycle`: `{name}` is no state variable; the state is {names}")
            for v in state:
                if str(v) not in given:
                    raise InputError(f"point of `cycle`: `{v}` has no value; the state is {names}")
            listed = [given[str(v)] for v in state]
        else:
            plain = isinstance(self.point, Sequence) and not isinstance(self.point, str)
            listed = list(self.point) if plain else [self.point]
            if len(listed) != len(state):
                count = "1 number" if len(listed) == 1 else f"{len(listed)} numbers"
                raise InputError(f"point of `cycle`: {count} for the state {names}; write one for each")
        return {v: expression(number, (), f"point of `cycle`: `{v}`") for v, number in zip(state, listed, strict=True)}

    # -- deciding -------------------------------------------------------------------------------------------------

    def decide(self, subject: Subject) -> Verdict:
        iteration = subject.required_iteration(self.kind)
        if self.from_start and iteration.start is None:
            raise InputError("from_start of `cycle`: the iteration has no start; declare [start]")
        if self.point is not None:
            return self._through(subject, tuple(self._point(subject).values()))
        found = cycles(iteration, subject.at, self.period, time_limit=subject.remaining)
        fitting = [cycle for cycle in found if self._fits(cycle)]
        rational_ones = [cycle for cycle in fitting if cycle.is_rational]
        if rational_ones:
            return self._proved(subject, rational_ones, found)
        if fitting:
            return self._irrational(subject, fitting[0], found)
        if not found.exhaustive:
            raise UnknownError(f"no such cycle was found, and not every itinerary was solved: {found.reason}")
        open_ones = [cycle for cycle in found if self.attracting is not None and cycle.attracting is None]
        if open_ones:
            raise UnknownError(
                f"whether the cycle {_points_text(open_ones[0])} attracts is undecided: {open_ones[0].reason}"
            )
        return self._none(subject, found)

    def _fits(self, cycle: Cycle) -> bool:
        return self.attracting is None or cycle.attracting is self.attracting

    def _through(self, subject: Subject, point: tuple[sp.Expr, ...]) -> Verdict:
        if not all(c.is_Rational for c in point):
            raise UnknownError("the claimed point is irrational, and certificates hold rational numbers")
        local = subject.iteration.map.fix(subject.at)
        points = follow(local, point, self.period)
        if not returns(points, self.period):
            return self._elsewhere(subject, points)
        cycle = cycle_from(local, points[:-1])
        if self._fits(cycle):
            return self._proved(subject, [cycle], Cycles((cycle,), False))
        if cycle.attracting is None:
            raise UnknownError(f"whether the cycle attracts is undecided: {cycle.reason}")
        return self._refuted(
            subject,
            f"the cycle {_points_text(cycle)} {'attracts' if cycle.attracting else 'does not attract'}",
            {"cycles": [described(cycle)]},
            "the spectral radius of its multiplier decides",
            self._step(local, Cycles((cycle,), False)),
            cycle_witness(local, cycle),
        )

    # -- verdicts -------------------------------------------------------------------------------------------------

    def _proved(self, subject: Subject, fitting: Sequence[Cycle], found: Cycles) -> Verdict:
        local = subject.iteration.map.fix(subject.at)
        chosen, open_set, index = self._approached(subject, fitting)
        derivation = subject.opening(pieces=False)
        derivation.record(self._step(local, found))
        if open_set is not None:
            derivation.record(
                BasinStep(local.state, chosen.points[0], open_set.P, open_set.level, open_set.radius, index)
            )
        witness = cycle_witness(local, chosen, found, open_set, index)
        statement = self.statement(subject)
        return Proved(
            self.kind,
            statement,
            _found_text(chosen, found, open_set, index),
            {"cycles": [described(cycle) for cycle in found], "every": found.exhaustive},
            "the map sends each point to the next one, and the last to the first",
            derivation,
            certificate=self._certificate("proved", subject, statement, witness),
        )

    def _irrational(self, subject: Subject, cycle: Cycle, found: Cycles) -> Verdict:
        if self.from_start:
            raise UnknownError("the cycle is irrational, and that the iterates approach it was not examined")
        local = subject.iteration.map.fix(subject.at)
        witness = roots_witness(local, cycle)
        derivation = subject.opening(pieces=False)
        derivation.record(self._step(local, found))
        statement = self.statement(subject)
        return Proved(
            self.kind,
            statement,
            _found_text(cycle, found, None, None),
            {"cycles": [described(one) for one in found], "every": found.exhaustive},
            "the points are roots of a polynomial, isolated and counted exactly",
            derivation,
            certificate=self._certificate("proved", subject, statement, witness),
        )

    def _approached(self, subject: Subject, fitting: Sequence[Cycle]) -> tuple[Cycle, Basin | None, int | None]:
        """The cycle that the certificate shows, an open set of starts that lead to it, and an iterate there."""
        local, start = subject.iteration.map.fix(subject.at), subject.iteration.start
        x = None
        if start is not None:
            values = subject.iteration.start_at(subject.at).values()
            x = [rational(c) for c in values] if all(c.is_Rational for c in values) else None
        chosen: tuple[Cycle, Basin | None, int | None] | None = None
        for cycle in sorted(fitting, key=lambda one: one.attracting is not True):
            try:
                found = basin(local, cycle)
            except UnknownError:
                found = None
            index = None if found is None or x is None else entry(local, cycle, found, x)
            if index is not None:
                return cycle, found, index
            chosen = chosen or (cycle, found, None)
        if self.from_start:
            raise UnknownError("that the iterates from the start come close enough to such a cycle was not proved")
        assert chosen is not None
        return chosen

    def _elsewhere(self, subject: Subject, points: Sequence[tuple[sp.Expr, ...]]) -> Verdict:
        first = points[0]
        early = next((k for k, x in enumerate(points[1:], 1) if x == first), None)
        if early is not None:
            found = f"the point returns after {early} step{'s' * (early > 1)} already"
        elif len(points) <= self.period:
            found = f"the map is not defined at the iterate {_point_text(points[-1])}"
        else:
            steps = "one step" if self.period == 1 else f"{self.period} steps"
            found = f"after {steps} the point is at {_point_text(points[-1])}"
        state = subject.iteration.map.state
        return self._refuted(
            subject, found, {}, "the map was followed exactly", FollowedStep(state, tuple(points)), following_witness()
        )

    def _none(self, subject: Subject, found: Cycles) -> Verdict:
        local = subject.iteration.map.fix(subject.at)
        kind = {None: "", True: " that attracts", False: " that does not attract"}[self.attracting]
        return self._refuted(
            subject,
            f"there is no cycle of period {self.period}{kind}",
            {"cycles": [described(cycle) for cycle in found], "every": True},
            "every itinerary was solved exactly",
            self._step(local, found),
            excluding_witness(local, self.period, found),
        )

    def _step(self, local: SymbolicMap, found: Cycles) -> CyclesStep:
        conditions = tuple(
            tuple(conditions_at(local, x) if cycle.is_rational else () for x in cycle.points) for cycle in found
        )
        return CyclesStep(local.state, self.period, found.cycles, conditions, found.exhaustive, found.words)

    def _refuted(self, subject, found, value, reason, step, witness) -> Verdict:
        derivation = subject.opening(pieces=False)
        derivation.record(step)
        statement = self.statement(subject)
        certificate = self._certificate("refuted", subject, statement, witness)
        return Refuted(self.kind, statement, found, value, reason, derivation, certificate=certificate)

    def _certificate(self, verdict: str, subject: Subject, statement: str, witness: dict[str, Any]) -> Any:
        point = None
        if self.point is not None:
            point = {str(v): rational(c) for v, c in self._point(subject).items()}
        heading = _Heading({"period": self.period, "point": point, **self._truths()})
        return certify(heading, verdict, statement, subject.map_parts(), witness)

    def _truths(self) -> dict[str, bool | None]:
        return {"attracting": self.attracting, "from_start": self.from_start}


@dataclass(frozen=True)
class _Heading:
    """The heading of the certificate: the claim with its point read."""

    given: dict[str, Any]
    kind = "cycle"

    def fields(self) -> dict[str, Any]:
        return self.given


def _truth(value: Any, where: str) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    if str(value) in ("true", "false"):
        return str(value) == "true"
    raise InputError(f"{where}: `{str(value)[:60]}` is neither; write true or false")


def described(cycle: Cycle) -> dict[str, Any]:
    """A cycle as answers show it."""
    shown: dict[str, Any] = {
        "points": [[str(c) for c in point] for point in cycle.points],
        "attracting": cycle.attracting,
        "repelling": cycle.repelling,
        "itinerary": list(cycle.itinerary),
    }
    if cycle.multiplier is not None:
        shown["multiplier"] = matrix_text(cycle.multiplier)
    if cycle.radius is not None:
        shown["spectral_radius"] = [str(end) for end in cycle.radius]
    if not cycle.isolated:
        shown["isolated"] = False
    return shown


def _found_text(chosen: Cycle, found: Cycles, open_set: Basin | None, index: int | None) -> str:
    kinds = {True: "an attracting cycle", False: "a cycle that does not attract", None: "a cycle"}
    text = f"{_points_text(chosen)} is {kinds[chosen.attracting]}"
    if max(len(str(c)) for point in chosen.points for c in point) > _LONGEST or chosen.period > _MOST_SHOWN:
        text = f"{kinds[chosen.attracting]} has a point near {_rounded_text(chosen.points[0])}"
    if found.exhaustive:
        one = len(found) == 1
        count = "it is the only one" if one else f"it is one of {len(found)}, which are all"
        text += f"; {count}" + ("" if all(cycle.isolated for cycle in found) else ", up to continua")
    if index is not None:
        text += "; the iterates from the start approach it"
    elif open_set is not None:
        text += f"; iterates from within {decimals_below(open_set.radius, 3)} of its first point approach it"
    return text


def _points_text(cycle: Cycle) -> str:
    shown = [_point_text(point) for point in cycle.points[:_MOST_SHOWN]]
    return ", ".join([*shown, "…"] if cycle.period > _MOST_SHOWN else shown)


def _rounded_text(point: Sequence[sp.Expr]) -> str:
    return _point_text([sp.N(c, 6) for c in point])


def _point_text(point: Sequence[sp.Expr]) -> str:
    return str(point[0]) if len(point) == 1 else f"({', '.join(map(str, point))})"


def _listed(point: Mapping[sp.Symbol, sp.Expr]) -> str:
    return ", ".join(f"{v} = {c}" for v, c in point.items())

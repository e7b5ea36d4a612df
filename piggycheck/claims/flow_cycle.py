"""The claim that the flow of a discontinuous field has an attracting cycle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import fmpq

from piggycheck.arithmetic import rational, to_sympy
from piggycheck.claims.base import Claim, certify, decimals_below
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Verdict
from piggycheck.derivation import FlowCycleStep, FlowStep, PeriodicOrbitStep
from piggycheck.trajectories import CycleOfFlow, affine_pieces, find_cycle, periodic_orbit, read_field

__all__ = ["FlowCycle"]


@dataclass(frozen=True)
class FlowCycle(Claim):
    """The flow ``x' = F(x) - x`` has an attracting cycle that crosses a guard, away from critical points.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.claims import prove
    >>> from piggycheck.iteration import Iteration
    >>> from piggycheck.maps import SymbolicMap
    >>> x, y = sp.symbols("x y", real=True)
    >>> above = y > 3 * x - 2
    >>> step = [sp.Piecewise((x + (3 - x) / 10, above), (x - x / 10, True))]
    >>> step += [sp.Piecewise((y + 2 * (5 - y) / 5, above), (y - 2 * y / 5, True))]
    >>> verdict = prove(FlowCycle(), Iteration(SymbolicMap([x, y], step)))
    >>> verdict.name, verdict.value["polynomial"]
    ('proved', ['18', '-39', '22', '-6', '1'])

    Notes
    -----
    F is one step of an iteration, such as gradient descent, and the flow what it does when steps are small. It has two
    pieces beside one affine guard, and pulls each coordinate towards a point on each side. The cycle crosses the guard
    where both pieces cross it in the same direction, and so 0 is in the convex hull of the two fields nowhere on it.
    See docs/theory/without-hypotheses.md and `piggycheck.trajectories.find_cycle`.

    When this fails: flows of another form, and cycles that cross the guard more than twice, leave the claim undecided;
    it is never refuted.
    """

    kind = "flow_cycle"

    def statement(self, subject: Subject) -> str:
        return "the flow x' = F(x) − x has an attracting cycle of points that are not critical"

    def decide(self, subject: Subject) -> Verdict:
        iteration = subject.required_iteration(self.kind)
        field = read_field(iteration.map, subject.at)
        cycle = find_cycle(field)
        derivation, statement = subject.opening(pieces=False), self.statement(subject)
        guard = sum(to_sympy(c) * v for c, v in zip(field.guard, field.state, strict=False)) + to_sympy(field.guard[-1])
        derivation.record(
            FlowStep(
                field.state,
                guard,
                field.rate,
                tuple(side.exponents for side in field.sides),
                tuple(side.centre for side in field.sides),
            )
        )
        derivation.record(FlowCycleStep(field.state, cycle.arcs, cycle.crossings, cycle.multiplier, cycle.polynomial))
        orbit = _orbit(subject)
        if orbit is not None:
            derivation.record(orbit)
        where = " and ".join(_point_text(x) for x in cycle.crossings)
        return Proved(
            self.kind,
            statement,
            f"the cycle crosses the guard near {where}",
            _value(cycle),
            "the flow crosses the guard there from both sides in one direction, each arc meets it at its ends alone, "
            "and the return map contracts",
            derivation,
            certificate=certify(self, "proved", statement, subject.map_parts(), _witness(cycle)),
        )


def _orbit(subject: Subject) -> PeriodicOrbitStep | None:
    """The periodic orbit that the iterates themselves run into, where there is a start."""
    if subject.iteration.start is None:
        return None
    start = [rational(c) for c in subject.iteration.start_at(subject.at).values()]
    found = periodic_orbit(affine_pieces(subject.iteration.map, subject.at), start)
    return None if found is None else PeriodicOrbitStep(found.word, found.points)


def _witness(cycle: CycleOfFlow) -> dict[str, Any]:
    u, v = cycle.arcs
    witness = {
        "method": "crossings",
        "u": u,
        "v": v,
        "crossings": cycle.crossings,
        "multiplier": cycle.multiplier,
    }
    return witness if cycle.polynomial is None else {**witness, "polynomial": list(cycle.polynomial)}


def _value(cycle: CycleOfFlow) -> dict[str, Any]:
    bounds = [[[str(low), str(high)] for low, high in x] for x in cycle.crossings]
    value: dict[str, Any] = {"crossings": bounds, "multiplier": [str(c) for c in cycle.multiplier]}
    if cycle.polynomial is not None:
        value["polynomial"] = [str(c) for c in cycle.polynomial]
    return value


def _point_text(x: tuple[tuple[fmpq, fmpq], ...]) -> str:
    return "(" + ", ".join(decimals_below(low, 10) for low, _ in x) + ")"

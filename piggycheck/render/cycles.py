"""What the steps about cycles of iterates say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.render.formula import (
    Decimal,
    Display,
    Expression,
    Formula,
    Letter,
    Name,
    Number,
    Operator,
    Paragraph,
    Part,
    Section,
    decimal,
    decimals_below,
    formula,
    is_matrix,
)

__all__ = ["basin", "cycles", "followed"]

_MOST_CYCLES = 6
_MOST_POINTS = 8
_MOST_CONDITIONS = 3
_LONGEST = 24
_SIGNS = {1: ">", -1: "<", 0: "="}


def cycles(step: d.CyclesStep, steps: Sequence[d.Step]) -> Section:
    """Tell all cycles of one period."""
    title = f"Cycles of period {step.period}" if step.period > 1 else "Fixed points"
    blocks: list[Paragraph | Display] = [Paragraph(_opening(step))]
    for number, (cycle, conditions) in enumerate(zip(step.cycles, step.conditions, strict=True), 1):
        if number > _MOST_CYCLES:
            blocks.append(Paragraph((f"And {len(step.cycles) - _MOST_CYCLES} more, in the answer.",)))
            break
        blocks.append(Display(_points(step.state, cycle, conditions)))
        blocks.append(Paragraph(_character(cycle)))
    if step.period > 1 and any(cycle.attracting for cycle in step.cycles):
        said = (
            "So the iterates do not converge: those from an open set of starts approach a cycle of "
            f"{step.period} different points.",
        )
        blocks.append(Paragraph(said))
    return Section(title, tuple(blocks))


def _opening(step: d.CyclesStep) -> tuple[Part, ...]:
    if not step.words:
        return ("The map sends each of these points to the next one, and the last to the first:",)
    itineraries = "one itinerary" if step.words == 1 else f"{step.words} itineraries"
    solved = (
        f"Up to rotation {itineraries} of length {step.period} had to be solved exactly; what has another one was "
        "excluded by linear programs. "
        if step.exhaustive
        else f"{itineraries.capitalize()} of length {step.period} were solved exactly, which may not be all. "
    )
    if not step.cycles:
        return (f"{solved}No solution follows its itinerary with points that are all different.",)
    count = "One cycle was found:" if len(step.cycles) == 1 else f"{len(step.cycles)} cycles were found:"
    if step.exhaustive:
        count = "There is one cycle:" if len(step.cycles) == 1 else f"There are {len(step.cycles)} cycles:"
    return (solved + count,)


def _points(state: Sequence[Any], cycle: Any, conditions: Sequence[Any]) -> tuple[Formula, ...]:
    names = _names(state)
    lines: list[Formula] = []
    for point, met in list(zip(cycle.points, conditions, strict=True))[:_MOST_POINTS]:
        relation, value = _tuple(point)
        lines.append((*names, Operator(relation), *value, *_where(met)))
    if len(cycle.points) > _MOST_POINTS:
        lines.append((f"… and {len(cycle.points) - _MOST_POINTS} more points",))
    return tuple(lines)


def _names(state: Sequence[Any]) -> Formula:
    if len(state) == 1:
        return (Name(str(state[0])),)
    if len(state) > 4:
        return (Letter("x"),)
    atoms: list[Any] = [Operator("(")]
    for i, v in enumerate(state):
        atoms += [*([Operator(",")] if i else []), Name(str(v))]
    return (*atoms, Operator(")"))


def _tuple(point: Sequence[Any]) -> tuple[str, Formula]:
    """A point, exact where there is room."""
    exact = all(len(str(c)) <= _LONGEST for c in point)
    shown = [Expression(c) if exact else Decimal(_rounded(c)) for c in point]
    relation = "=" if exact else "≈"
    if len(shown) == 1:
        return relation, (shown[0],)
    atoms: list[Any] = [Operator("(")]
    for i, value in enumerate(shown):
        atoms += [*([Operator(",")] if i else []), value]
    return relation, (*atoms, Operator(")"))


def _rounded(value: Any) -> str:
    return decimal(value, 10) if value.is_Rational else str(value.evalf(10))


def _where(conditions: Sequence[tuple[int, Any]]) -> Formula:
    atoms: list[Any] = []
    for sign, guard in conditions[:_MOST_CONDITIONS]:
        atoms += [", " if atoms else "   where ", Expression(guard), Operator(_SIGNS[sign]), Number(0)]
    return (*atoms, ", …") if len(conditions) > _MOST_CONDITIONS else tuple(atoms)


def _character(cycle: Any) -> tuple[Part, ...]:
    """Say what the multiplier is, and whether the cycle attracts."""
    parts: list[Part] = []
    if cycle.radius is not None:
        parts.append("The product of the Jacobians along it")
        if cycle.multiplier is not None:
            M = cycle.multiplier
            value = (Operator("="), Number(M[0, 0])) if M.nrows() == 1 else is_matrix(M)
            parts += [", ", formula(Letter("A", "w"), *value), ","]
        low, high = cycle.radius
        relation, shown = (
            ("=", Number(low)) if low == high and len(str(low)) <= _LONGEST else ("≈", Decimal(decimal(low)))
        )
        parts += [" has the spectral radius ", formula(Letter("ρ"), relation, shown), ". "]
    if cycle.attracting is True:
        parts.append("It is below 1 and no point is on a guard, so the cycle attracts: every start nearby leads to it.")
    elif cycle.attracting is False:
        repels = " Every eigenvalue has a modulus above 1: it repels." if cycle.repelling else ""
        parts.append(f"So the cycle does not attract.{repels}")
    else:
        parts.append(f"Whether the cycle attracts is undecided: {cycle.reason}.")
    if not cycle.isolated:
        parts.append(" It is one of a continuum of cycles.")
    return tuple(parts)


def basin(step: d.BasinStep, steps: Sequence[d.Step]) -> Section:
    """Tell an open set from which the iterates approach a cycle."""
    V, x, p, P = Letter("V"), Letter("x"), Letter("p"), Letter("P")
    relation, value = _tuple(step.point)
    said: list[Part] = [
        "Put ", formula(V, "(", x, ")", "=", Letter("(x − p)", "", "T"), P, "(", x, "−", p, ")"), " with ",
        formula(p, relation, *value), " and",
    ]  # fmt: skip
    level, inside = Number(step.level), formula(V, "(", x, ")", "≤", Number(step.level))
    closing: list[Part] = [
        "One round of the cycle decreases ", (V,), ", and where ", inside, " its points stay strictly inside the pieces "
        "of the cycle. So the iterates from all these starts approach the cycle, among them those that differ from ",
        (p,), " by at most ", (Decimal(decimals_below(step.radius, 4)),), " in each coordinate.",
    ]  # fmt: skip
    if step.entry is not None:
        iterate = Letter("x", str(step.entry))
        closing += [
            " The iterates from the start are there at ",
            (iterate,),
            ": ",
            formula(V, "(", iterate, ")", "≤", level),
        ]
        closing += [", by exact evaluation. They approach the cycle and do not converge."]
    blocks = (Paragraph(tuple(said)), Display((formula(P, *is_matrix(step.P)),)), Paragraph(tuple(closing)))
    return Section("An open set of starts", blocks)


def followed(step: d.FollowedStep, steps: Sequence[d.Step]) -> Section:
    """Tell a point and its iterates."""
    lines = []
    for k, point in list(enumerate(step.points))[: _MOST_POINTS + 1]:
        relation, value = _tuple(point)
        lines.append((Letter("x", str(k)), Operator(relation), *value))
    if len(step.points) > _MOST_POINTS + 1:
        relation, value = _tuple(step.points[-1])
        lines.append((Letter("x", str(len(step.points) - 1)), Operator(relation), *value))
    said = Paragraph(("Exact evaluation from the claimed point gives",))
    return Section("The iterates of the point", (said, Display(tuple(lines))))

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
    formula,
    tupled,
)
from piggycheck.render.numbers import decimal, decimals_below, is_matrix

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
        if cycle.radius is not None:
            product = "The product of the Jacobians along it" if cycle.multiplier is not None else "Its multiplier"
            blocks.append(Paragraph((f"{product} has the spectral radius ", (Letter("ρ"),), ":")))
            blocks.append(Display(_multiplier(cycle)))
        blocks.append(Paragraph((_character(cycle),)))
    if step.period > 1 and any(cycle.attracting for cycle in step.cycles):
        said = (
            "So the iterates from an open set of starts do not converge: they approach a cycle of "
            f"{step.period} different points.",
        )
        blocks.append(Paragraph(said))
    return Section(title, tuple(blocks))


def _opening(step: d.CyclesStep) -> tuple[Part, ...]:
    if not step.words:
        return ("The map sends each of these points to the next one, and the last to the first:",)
    itineraries = (
        f"one itinerary of length {step.period} was"
        if step.words == 1
        else f"{step.words} itineraries of length {step.period} were"
    )
    others = ", and no point follows any other" if step.exhaustive else "; these may not be all"
    solved = f"Up to rotation {itineraries} solved exactly{others}. "
    if not step.cycles:
        return (f"{solved}No solution follows its itinerary with points that are all different.",)
    one = len(step.cycles) == 1
    if step.exhaustive:
        return (solved + ("There is one cycle:" if one else f"There are {len(step.cycles)} cycles:"),)
    return (solved + ("One cycle was found:" if one else f"{len(step.cycles)} cycles were found:"),)


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
    return tupled([(Name(str(v)),) for v in state])


def _tuple(point: Sequence[Any]) -> tuple[str, Formula]:
    """A point, exact where there is room."""
    exact = all(len(str(c)) <= _LONGEST for c in point)
    shown = [Expression(c) if exact else Decimal(_rounded(c)) for c in point]
    relation = "=" if exact else "≈"
    return relation, (shown[0],) if len(shown) == 1 else tupled([(value,) for value in shown])


def _rounded(value: Any) -> str:
    return decimal(value, 10) if value.is_Rational else str(value.evalf(10))


def _where(conditions: Sequence[tuple[int, Any]]) -> Formula:
    atoms: list[Any] = []
    for sign, guard in conditions[:_MOST_CONDITIONS]:
        atoms += [", " if atoms else "   where ", Expression(guard), Operator(_SIGNS[sign]), Number(0)]
    return (*atoms, ", …") if len(conditions) > _MOST_CONDITIONS else tuple(atoms)


def _multiplier(cycle: Any) -> tuple[Formula, ...]:
    """The product of the Jacobians, and how large its eigenvalues are."""
    low, high = cycle.radius
    exact = low == high and len(str(low)) <= _LONGEST
    radius = formula(Letter("ρ"), "=" if exact else "≈", Number(low) if exact else Decimal(decimal(low)))
    M = cycle.multiplier
    if M is None:
        return (radius,)
    value = (Operator("="), Number(M[0, 0])) if M.nrows() == 1 and len(str(M[0, 0])) <= _LONGEST else is_matrix(M)
    return (formula(Letter("A", "w"), *value, ",   ", *radius),)


def _character(cycle: Any) -> str:
    """Say whether a cycle attracts."""
    if cycle.attracting is True:
        said = "The spectral radius is below 1 and no point is on a guard: the cycle attracts every start nearby."
    elif cycle.attracting is False:
        said = "The cycle does not attract"
        said += ": every eigenvalue has a modulus above 1." if cycle.repelling else "."
    else:
        said = f"Whether the cycle attracts is undecided: {cycle.reason}."
    return said if cycle.isolated else f"{said} It is one of a continuum of cycles."


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
        "One round of the cycle decreases ", (V,), ", and where ", inside, " its points stay strictly inside the "
        "pieces of the cycle. So the iterates from all these starts approach the cycle, among them those that differ "
        "from ",
        (p,), " by at most ", (Decimal(decimals_below(step.radius, 4)),), " in each coordinate.",
    ]  # fmt: skip
    if step.entry is not None:
        iterate = Letter("x", str(step.entry))
        there = formula(V, "(", iterate, ")", "≤", level)
        closing += [
            " The iterates from the start are there at ",
            (iterate,),
            ", where ",
            there,
            " by exact evaluation.",
        ]
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

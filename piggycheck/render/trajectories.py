"""What the steps about iterates and flows away from the fixed point say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.render.formula import (
    Display,
    Expression,
    Formula,
    Letter,
    Name,
    Number,
    Operator,
    Paragraph,
    Part,
    Power,
    Section,
    formula,
    listed,
)

__all__ = ["common_direction", "escape", "funnel"]

_MOST_ROWS = 24


def funnel(step: d.FunnelStep, steps: Sequence[d.Step]) -> Section:
    """Tell a polyhedron that holds all iterates and shrinks."""
    scale = step.variables[-1]
    s = Name(str(scale))
    power = Power(step.rate, "k")
    opening = (
        "Put ", formula(s, "=", power), " at step ", (Letter("k"),), ". For all ", *_box(step.box),
        ", the iterates and ", (s,), " stay in the polyhedron",
    )  # fmt: skip
    rows = [formula(Expression(_affine(row, step.variables)), "≥", Number(0)) for row in step.rows[:_MOST_ROWS]]
    if len(step.rows) > _MOST_ROWS:
        rows.append((f"… and {len(step.rows) - _MOST_ROWS} more, in the certificate",))
    distance = formula("|", Letter("x", "k"), "−", Letter("x̄"), "|", "≤", Number(step.constant), "·", power)
    closing = (
        "which holds every start, where ", formula(s, "=", Number(1)), ". On each piece of the map nonnegative "
        "combinations of these inequalities, of those of the piece and of the box give the same inequalities at the "
        "next step, where ", (s,), " is multiplied by ", (Number(step.rate),), ". They also bound each coordinate: ",
        distance, " in the maximum norm, for all these parameters and every ", (Letter("k"),), ".",
    )  # fmt: skip
    return Section("All iterates in one funnel", (Paragraph(opening), Display(tuple(rows)), Paragraph(closing)))


def escape(step: d.EscapeStep, steps: Sequence[d.Step]) -> Section:
    """Tell parameters from which the iterates do not converge to the fixed point."""
    at = listed([formula(Name(name), "=", Number(value)) for name, value in step.at.items()])
    first, again = Letter("x", str(step.first)), Letter("x", str(step.first + step.period))
    said = (
        "At ", *at, " exact evaluation gives ", formula(again, "=", first, "=", *_point(step.point)),
        ", which is not the fixed point: the iterates return there for ever.",
    )  # fmt: skip
    return Section("Iterates that do not converge to it", (Paragraph(said),))


def common_direction(step: d.CommonDirectionStep, steps: Sequence[d.Step]) -> Section:
    """Tell a direction that every piece of the map multiplies."""
    direction, J_k, k = Letter("d"), Letter("J", "k"), Letter("k")
    theta = Name(step.parameter)
    factors = sorted(set(step.multipliers), reverse=True)
    multiple = formula(Letter("A"), direction, "=", Letter("λ"), direction)
    listed_factors = listed([(Number(c),) for c in factors])
    bound = formula("|", J_k, "|", "≥", Number(step.constant), "·", Power(step.rate, "k"))
    pieces = "The one piece" if len(step.multipliers) == 1 else f"Each of the {len(step.multipliers)} pieces"
    factor = "the factor " if len(factors) == 1 else "a factor among "
    said = (
        f"{pieces} of the map has a matrix ", (Letter("A"),), " with ", multiple, " for ",
        formula(direction, "=", *_point(step.direction)), ", with ", factor, *listed_factors,
        ", and does not depend on ", (theta,), ". The start has a derivative in ", (theta,), " that is a multiple of ",
        (direction,), ". So whatever is selected along whatever iterates, the derivative in ", (theta,),
        " is a multiple of ", (direction,), " and ", bound, " in the maximum norm, for every ", (k,), ".",
    )  # fmt: skip
    return Section("A direction that every piece multiplies", (Paragraph(said),))


def _box(box: Mapping[Any, tuple[Any, Any]]) -> tuple[Part, ...]:
    return listed([formula(Name(str(v)), "∈", *_interval(*ends)) for v, ends in box.items()])


def _interval(low: Any, high: Any) -> Formula:
    return (Operator("["), Number(low), Operator(","), Number(high), Operator("]"))


def _point(values: Sequence[Any]) -> Formula:
    atoms: list[Any] = [Operator("(")]
    for i, value in enumerate(values):
        atoms += [*([Operator(",")] if i else []), Number(value)]
    return (*atoms, Operator(")"))


def _affine(row: Sequence[Any], variables: Sequence[Any]) -> Any:
    import sympy as sp

    coefficients = [sp.Rational(int(c.p), int(c.q)) for c in row]
    return sp.Add(*(c * v for c, v in zip(coefficients, (*variables, sp.S.One), strict=True)))

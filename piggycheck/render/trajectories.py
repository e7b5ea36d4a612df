"""What the steps about iterates and flows away from the fixed point say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
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
    Polynomial,
    Power,
    Section,
    formula,
    listed,
    tupled,
)
from piggycheck.render.numbers import decimal

__all__ = ["common_direction", "escape", "flow", "flow_cycle", "funnel", "periodic_orbit"]

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
    distance = formula("|", Letter("x", "k"), "−", Letter("x̄"), "|", "≤", *_times(step.constant, power))
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
    bound = formula("|", J_k, "|", "≥", *_times(step.constant, Power(step.rate, "k")))
    pieces = "The one piece" if len(step.multipliers) == 1 else f"Each of the {len(step.multipliers)} pieces"
    factor = "the factor " if len(factors) == 1 else "one of the factors "
    said = (
        f"{pieces} of the map has a matrix ", (Letter("A"),), " with ", multiple, " for ",
        formula(direction, "=", *_point(step.direction)), ", with ", factor, *listed_factors,
        ", and does not depend on ", (theta,), ". The start has a derivative in ", (theta,), " that is a multiple of ",
        (direction,), ". So whatever is selected along whatever iterates, the derivative in ", (theta,),
        " is a multiple of ", (direction,), " and ", bound, " in the maximum norm, for every ", (k,), ".",
    )  # fmt: skip
    return Section("A direction that every piece multiplies", (Paragraph(said),))


def flow(step: d.FlowStep, steps: Sequence[d.Step]) -> Section:
    """Tell the flow on both sides of the guard."""
    t = Letter("t")
    guard = formula(Expression(step.guard), "=", Number(0))
    lines = []
    for side, (exponents, centre) in enumerate(zip(step.exponents, step.centres, strict=True)):
        atoms: list[Any] = []
        for v, n, c in zip(step.state, exponents, centre, strict=True):
            speed = Number(n * step.rate)
            moving = Letter(f"{v}'") if len(str(v)) == 1 else Name(f"{v}'")
            atoms += [*([",   "] if atoms else []), moving, Operator("="), speed, Operator("("), Number(c)]
            atoms += [Operator("−"), Name(str(v)), Operator(")")]
        lines.append((*atoms, "   where ", Expression(step.guard), Operator("><"[side]), Number(0)))
    said = "With small steps the iterates follow the flow ", formula(Letter("x'"), "=", "F(x) − x"), ", which is"
    arcs = (
        "On each side every coordinate tends to a point of its own, so with ",
        formula(Letter("w"), "=", "exp(−", Number(step.rate), t, ")"), " arcs are polynomials in ", (Letter("w"),),
        ". The line ", guard, " is where they meet.",
    )  # fmt: skip
    return Section("The flow", (Paragraph(said), Display(tuple(lines)), Paragraph(arcs)))


def flow_cycle(step: d.FlowCycleStep, steps: Sequence[d.Step]) -> Section:
    """Tell an attracting cycle, and why it is one."""
    w, u, v = Letter("w"), Letter("u"), Letter("v")
    names = Letter("p"), Letter("q")
    lines = [formula(letter, "≈", "(", *_decimals(x), ")") for letter, x in zip(names, step.crossings, strict=True)]
    lines += [formula(letter, "≈", Decimal(_shared(*ends))) for letter, ends in zip((u, v), step.arcs, strict=True)]
    opening = (
        "An arc on the first side leads from ", (names[0],), " to ", (names[1],), ", where ", formula(w, "=", u),
        ", and one on the second side back to ", (names[0],), ", where ", formula(w, "=", v), ". That the line is met "
        "at both points is two equations in ", (u,), " and ", (v,), ", which have exactly one solution near",
    )  # fmt: skip
    blocks: list[Paragraph | Display] = [Paragraph(opening), Display(tuple(lines))]
    if step.polynomial is not None:
        symmetry = (
            "The two sides are reflections of each other, so ", formula(u, "=", v), " and the ",
            (Name(str(step.state[0])),), " of both points are roots of ", (Polynomial(step.polynomial),), ".",
        )  # fmt: skip
        blocks.append(Paragraph(symmetry))
    multiplier = formula(Letter("μ"), "≈", Decimal(_shared(*step.multiplier, 6)))
    closing = (
        "In between no arc meets the line. At both points the flows of both sides cross it in the same direction, so 0 "
        "is no convex combination of the two, and along the arcs the flow does not vanish: no point of the cycle is "
        "critical. The return map along the line has the derivative ", multiplier, ", of modulus below 1, so the cycle "
        "attracts.",
    )  # fmt: skip
    blocks.append(Paragraph(closing))
    return Section("A cycle of the flow", tuple(blocks))


def periodic_orbit(step: d.PeriodicOrbitStep, steps: Sequence[d.Step]) -> Section:
    """Tell the periodic orbit of the iterates."""
    x = step.points[0]
    near = formula("(", *_decimals([(c, c) for c in x]), ")")
    said = (
        "The iterates themselves, from the start, run into a periodic orbit of ", (Number(len(step.word)),),
        " points around this cycle, one of them near ", near, ". It is solved in rational numbers along the word of "
        "its pieces, lies strictly inside them and attracts: the product of the matrices along the word contracts.",
    )  # fmt: skip
    return Section("What the iterates do", (Paragraph(said),))


def _decimals(x: Sequence[tuple[Any, Any]]) -> Formula:
    atoms: list[Any] = []
    for ends in x:
        atoms += [*([Operator(",")] if atoms else []), Decimal(_shared(*ends))]
    return tuple(atoms)


def _shared(low: Any, high: Any, digits: int = 13) -> str:
    """Decimals near bounds that are close to each other."""
    return decimal((low + high) / 2, digits)


def _times(constant: Any, power: Power) -> Formula:
    """The constant times the power; a constant of 1 is not written."""
    return (power,) if constant == 1 else (Number(constant), Operator("·"), power)


def _box(box: Mapping[Any, tuple[Any, Any]]) -> tuple[Part, ...]:
    return listed([formula(Name(str(v)), "∈", *_interval(*ends)) for v, ends in box.items()])


def _interval(low: Any, high: Any) -> Formula:
    return (Operator("["), Number(low), Operator(","), Number(high), Operator("]"))


def _point(values: Sequence[Any]) -> Formula:
    return tupled([(Number(value),) for value in values])


def _affine(row: Sequence[Any], variables: Sequence[Any]) -> Any:
    import sympy as sp

    coefficients = [sp.Rational(int(c.p), int(c.q)) for c in row]
    return sp.Add(*(c * v for c, v in zip(coefficients, (*variables, sp.S.One), strict=True)))

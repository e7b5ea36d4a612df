"""What the steps about convergence from every start say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import fmpq

from piggycheck import derivation as d
from piggycheck.render.formula import (
    Display,
    Formula,
    Letter,
    Name,
    Number,
    Paragraph,
    Section,
    formula,
    listed,
    sentence,
    tupled,
)
from piggycheck.render.numbers import is_matrix

__all__ = ["energy", "homogeneous", "pieces", "polygon", "returning"]

_MOST_MATRICES = 16
_MOST_CORNERS = 6


def energy(step: d.EnergyStep, steps: Sequence[d.Step]) -> Section:
    """Tell a heavy ball whose energy decreases."""
    G, f, M, E, b = Letter("G"), Letter("f"), Letter("M", "i"), Letter("E"), step.momentum
    x, y, z, u, v = (Letter(name) for name in "xyzuv")
    momentum: list[Any] = ["+", Number(b), "(", x, "−", y, ")"] if b else []
    update = formula(z, "=", x, "−", G, "(", x, ")", *momentum)
    after = formula(y, "=", x, ",", x, "=", z) if b else formula(x, "=", z)
    bound: tuple[Any, ...] = (Letter("I"),) if b == fmpq(1, 2) else (Number(2 * (1 - b)), Letter("I"))
    one = len(step.variables) == 1 and str(step.variables[0]) == "x"
    called: list[Any] = (
        [] if one else ["With ", (x,), " for ", *listed([(Name(str(w)),) for w in step.variables]), ", "]
    )
    opening = (
        *called, f"{'O' if one else 'o'}ne step is ", update, ", then ", after, ", where ", (G,), " is continuous. On "
        "its pieces, wherever they are, it has the ", "Jacobian" if len(step.jacobians) == 1 else "Jacobians",
    )  # fmt: skip
    terms: list[Any] = ["+", Number(b / 2), Letter("u", "", "T"), u] if b else []
    defined = formula(E, "=", f, "(", x, ")", "−", f, "(", Letter("x̄"), ")", *terms)
    with_u: list[Any] = [", where ", formula(u, "=", x, "−", y), ","] if b else []
    closing = (
        "Each is symmetric, so ", (G,), " is the gradient of a function ", (f,), ". Each is positive definite, so ",
        (f,), " is strongly convex, with its minimum at the fixed point ", (Letter("x̄"),), ". And each ",
        formula(*bound, "−", M), " is positive definite, so the energy ", defined, *with_u,
        " decreases in each step by a positive multiple of ", formula(Letter("v", "", "T"), v), ", where ",
        formula(v, "=", z, "−", x), ". So the steps tend to zero, with them ", formula(G, "(", x, ")"),
        ", and the iterates converge to ", (Letter("x̄"),), ", from every start.",
    )  # fmt: skip
    return Section("An energy that decreases", (Paragraph(opening), _matrices("M", step.jacobians), Paragraph(closing)))


def pieces(step: d.PiecesEverywhereStep, steps: Sequence[d.Step]) -> Section:
    """Tell the matrices of all pieces on the whole space."""
    A, F, x, fixed = Letter("A"), Letter("F"), Letter("x"), Letter("x̄")
    one = len(step.A) == 1
    said = "The map is continuous, and affine on each piece. Its pieces, wherever they are, have the "
    said += "matrix" if one else "matrices"
    difference = formula(F, "(", x, ")", "−", F, "(", fixed, ")", "=", A, "(", x, "−", fixed, ")")
    closing = (
        "For every ", (x,), " some convex combination ", (A,), " of these has ", difference,
        ". A norm in which all of them contract shrinks the distance from the fixed point in each step, whatever "
        "the start.",
    )  # fmt: skip
    return Section("The pieces on the whole space", (sentence(said), _matrices("A", step.A), Paragraph(closing)))


def homogeneous(step: d.HomogeneousStep, steps: Sequence[d.Step]) -> Section:
    """Tell that all guards pass through the fixed point."""
    fixed, x, t = Letter("x̄"), Letter("d"), Letter("t")
    F = Letter("F")
    same = formula(F, "(", fixed, "+", t, x, ")", "−", fixed, "=", t, "(", F, "(", fixed, "+", x, ")", "−", fixed, ")")
    said = (
        "The map is continuous, every piece is affine, and every guard vanishes at the fixed point ", (fixed,),
        ": the pieces are cones, and ", same, " for all ", formula(t, "≥", Number(0)),
        ". What holds near the fixed point holds everywhere.",
    )  # fmt: skip
    return Section("The pieces are cones", (Paragraph(said),))


def polygon(step: d.StarPolygonStep, steps: Sequence[d.Step]) -> Section:
    """Tell a star-shaped polygon that the map sends into its interior."""
    P, F, r, fixed, k = Letter("P"), Letter("F"), Letter("r"), Letter("x̄"), Letter("k")
    shown = listed([_point(corner) for corner in step.corners[:_MOST_CORNERS]])
    more = ", and so on; the certificate lists all" if len(step.corners) > _MOST_CORNERS else ""
    powers = formula(Letter("F", "", "k"), "(", fixed, "+", P, ")", "⊂", fixed, "+", Letter("r", "", "k"), P)
    said = (
        "Let ", (P,), f" be the star-shaped polygon around 0 with {len(step.corners)} corners, counterclockwise ",
        *shown, more, ". No kink is between two of them, so ", (F,), " is linear there, and sends edges to segments. "
        "Each of these is in the interior of ", formula(fixed, "+", P), ": its ends are, and where it crosses a ray "
        "through a corner, it does so inside of that. So the image of ", formula(fixed, "+", P), " is in ",
        formula(fixed, "+", r, P), " with some ", formula(r, "<", Number(1)), ", hence ", powers, " for all ", (k,),
        ", and multiples of ", (P,), " cover the plane.",
    )  # fmt: skip
    return Section("A polygon that shrinks", (Paragraph(said),))


def returning(step: d.ReturnStep, steps: Sequence[d.Step]) -> Section:
    """Tell a point to which the iterates return."""
    x = Letter("x", "0")
    count = "one step" if step.period == 1 else f"{step.period} steps"
    fixed = formula(Letter("x̄"), "=", *_point(step.fixed_point))
    if step.multiplier == 1:
        said = (
            "Exact evaluation from ", formula(x, "=", *_point(step.point)), f" leads back to it after {count}. It is "
            "not the fixed point ", fixed, ", so these iterates do not converge to that.",
        )  # fmt: skip
        return Section("Iterates that do not converge to it", (Paragraph(said),))
    after = Letter("x", str(step.period))
    multiple = formula(after, "−", Letter("x̄"), "=", Number(step.multiplier), "(", x, "−", Letter("x̄"), ")")
    said = (
        "Exact evaluation from ", formula(x, "=", *_point(step.point)), " gives ", multiple, " with the fixed point ",
        fixed, ". Every piece is affine, and every guard vanishes at the fixed point, so the same happens from "
        "multiples of this distance: the iterates move away without bound.",
    )  # fmt: skip
    return Section("Iterates that do not converge to it", (Paragraph(said),))


def _matrices(letter: str, matrices: Sequence[Any]) -> Display:
    shown: list[Formula] = [(Letter(letter, str(i)), *is_matrix(M)) for i, M in enumerate(matrices[:_MOST_MATRICES])]
    if len(matrices) > _MOST_MATRICES:
        shown.append((f"… and {len(matrices) - _MOST_MATRICES} more",))
    return Display(tuple(shown))


def _point(values: Sequence[Any]) -> Formula:
    return tupled([(Number(value),) for value in values])

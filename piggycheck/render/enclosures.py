"""What is said of fixed points, rates and derivatives that are known up to a distance."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.render.formula import (
    Atom,
    Decimal,
    Display,
    Expression,
    Formula,
    Letter,
    Name,
    Norm,
    Number,
    Operator,
    Paragraph,
    Part,
    Power,
    Section,
    formula,
    sentence,
)
from piggycheck.render.layers import entries_of
from piggycheck.render.numbers import at_most, decimals_above, decimals_below, power_of_ten

__all__ = ["derivative", "error", "from_start", "named", "observed", "output", "point", "rate", "tie"]

_MOST_BRANCHES = 6
_MOST_GUARDS = 4
_LARGEST_SHOWN = 8
_MOST_COLUMNS = 4
_X, _CENTRE, _START = Letter("x̄"), Letter("x̃"), Letter("x", "0")
_GAMMA, _DELTA, _R, _L = Letter("γ"), Letter("δ"), Letter("r"), Letter("L")
_A, _B, _J, _J_CENTRE = Letter("A"), Letter("B"), Letter("J̄"), Letter("J̃")
_PLURALS = {"entry": "entries", "group": "groups", "eigenvalue": "eigenvalues"}
_CONTRACTS = {
    "layers": "which the constants of its layers prove: a proximal map is half the identity and half a nonexpansive "
    "map, whose constant is taken at the point",
    "jacobian": "for the norm of its Jacobian is bounded at the point, by a positive definite matrix, and so is the "
    "variation of the Jacobian on the ball",
}


def _distance(a: Atom, b: Atom) -> Formula:
    return (Norm((a, Operator("−"), b)),)


def point(step: d.EnclosedPointStep, steps: Sequence[d.Step]) -> Section:
    """Tell where the fixed point is, and why it is there.

    Parameters
    ----------
    step : EnclosedPointStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    alone = len(step.blocks) == 1
    lines = [entries_of(_CENTRE if alone else Name(name), values) for name, values in step.blocks]
    one_less = formula("(", Number(1), "−", _GAMMA, ")")
    known = (*_distance(_X, _CENTRE), *at_most(step.error))
    blocks: list[Paragraph | Display] = [
        sentence("Exactly one fixed point ", (_X,), " lies near ", (_CENTRE,), ", at the distance ", known, ":"),
        Display(tuple(lines)),
        *_signs(step),
        sentence(
            "On the ball of radius ", formula(_R, *_equals(step.radius)), " around ", (_CENTRE,),
            " the map contracts by the factor ", formula(_GAMMA, *at_most(step.contraction)), ", ",
            _CONTRACTS.get(step.by, "as is proved in balls"), ". It moves ", (_CENTRE,), " by ",
            formula(_DELTA, *at_most(step.residual)), ", so ", formula(_DELTA, "≤", *one_less, _R), " and ",
            formula(*_distance(_X, _CENTRE), "≤", _DELTA, Operator("/"), *one_less), ".",
        ),
        *_branches(step),
    ]  # fmt: skip
    return Section("The fixed point", tuple(blocks))


def _equals(value: Any) -> Formula:
    """Write a bound that is a power of two or ten, or decimals of it."""
    power = value.q.bit_length() - 1
    if value.p == 1 and value.q == 2**power and power > _LARGEST_SHOWN:
        return formula("=", Power(2, str(-power)))
    if len(str(value)) <= _LARGEST_SHOWN:
        return formula("=", Number(value))
    return formula("≈", Decimal(decimals_below(value)))


def _signs(step: d.EnclosedPointStep) -> list[Paragraph]:
    said: list[Part] = []
    for (name, values), counts in zip(step.blocks, step.signs, strict=True):
        kinds = zip(counts, ("positive", "negative", "zero", "too close to zero to tell"), strict=True)
        found = [f"{count} {kind}" for count, kind in kinds if count]
        listing = ", ".join(found[:-1]) + (" and " if found[:-1] else "") + found[-1] if found else ""
        said += [f"Of the {len(values)} coordinates of ", (Name(name),), f", {listing.replace(' ', ' are ', 1)}. "]
    return [Paragraph(tuple(said))] if said and any(len(values) > 1 for _, values in step.blocks) else []


def _branches(step: d.EnclosedPointStep) -> list[Paragraph | Display]:
    if not step.branches:
        return [sentence("There is nothing to switch: the map is smooth.")]
    blocks: list[Paragraph | Display] = [
        sentence(
            "No guard vanishes on the ball, so the map is smooth there, and one piece is essentially active. With ",
            (Letter("v"),),
            " for what a node is applied to, these are its branches:",
        )
    ]
    lines: list[Formula] = []
    for node, unit, rows in step.branches:
        for count, conditions in rows[:_MOST_BRANCHES]:
            counted = f"{count} {unit if count == 1 else _PLURALS[unit]} of " if unit else ""
            lines.append((*([counted] if counted else []), Name(node), "   with ", *_conditions(conditions)))
        if len(rows) > _MOST_BRANCHES:
            lines.append((f"… and {len(rows) - _MOST_BRANCHES} more branches",))
    return [*blocks, Display(tuple(lines))]


def _conditions(conditions: Sequence[tuple[str, int]]) -> Formula:
    signs = {1: ">", -1: "<", 0: "="}
    atoms: list[Atom] = []
    for guard, sign in conditions[:_MOST_GUARDS]:
        atoms += [*([Operator(",")] if atoms else []), _guard(guard), Operator(signs[sign]), Number(0)]
    return tuple(atoms)


def _guard(text: str) -> Atom:
    """Read the text of a guard as a formula; what is none stays text."""
    import re

    import sympy as sp

    from piggycheck.errors import ExpressionError
    from piggycheck.expression import parse

    names = [sp.Symbol(name, real=True) for name in dict.fromkeys(re.findall(r"[^\W\d]\w*", text))]
    try:
        return Expression(parse(text, names))
    except ExpressionError:
        return Decimal(text)


def tie(step: d.TieStep, steps: Sequence[d.Step]) -> Section:
    """Tell which guards vanish at the fixed point, and how many pieces meet there.

    Parameters
    ----------
    step : TieStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    shown = ", ".join(f"`{guard}`" for guard in step.guards[:_MOST_BRANCHES])
    more = f" and {len(step.guards) - _MOST_BRANCHES} more" if len(step.guards) > _MOST_BRANCHES else ""
    which = "This guard vanishes" if len(step.guards) == 1 else "These guards vanish"
    pieces = ""
    if step.pieces is not None:
        pieces = " One piece is active there." if step.pieces == 1 else f" {step.pieces} pieces meet there."
    return Section("A tie", (sentence(f"{which} at the fixed point: {shown}{more}.{pieces}"),))


def from_start(step: d.FromStartStep, steps: Sequence[d.Step]) -> Section:
    """Tell why the iterates from the start converge to the fixed point.

    Parameters
    ----------
    step : FromStartStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    title = "The iterates converge"
    if step.distance <= step.radius:
        said = sentence(
            "The start ", (_START,), " lies in the ball on which the map contracts, so the iterates converge to ",
            (_X,), ".",
        )  # fmt: skip
        return Section(title, (said,))
    R, rho = Letter("R"), Letter("ϱ")
    excess = step.lipschitz - 1
    constant = formula(_L, "≤", Number(1), *(() if excess <= 0 else ("+", *at_most(excess)[1:])))
    image = formula(_L, "(", rho, "−", _R, ")", "+", _GAMMA, _R, "<", rho)
    said = sentence(
        "The start ", (_START,), " is at a distance ", formula(R, "≤", Decimal(decimals_above(step.distance))),
        " from ", (_X,), ". On the ball of this radius the map has the Lipschitz constant ", formula(*constant),
        ", by the constants of its layers. With the contraction on the small ball, a point at a distance ", (rho,),
        " between ", (_R,), " and ", (R,), " is sent to one at a distance of at most ", image,
        ". So the iterates come into the small ball, and converge to ", (_X,), ".",
    )  # fmt: skip
    return Section(title, (said,))


def rate(step: d.EnclosedRateStep, steps: Sequence[d.Step]) -> Section:
    """Tell the bound on the spectral radius of the one matrix.

    Parameters
    ----------
    step : EnclosedRateStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    definition = formula(_A, "=", Operator("∂F/∂x"))
    form = ("the norm of the positive definite form ", (Letter("P"),), " of the certificate")
    norm: tuple[Part, ...] = form if step.has_form else ("the Euclidean norm",)
    said: list[Part] = ["One piece is active, so the joint spectral radius is the spectral radius of ", definition]
    zero = step.size - step.kept
    if step.kept == 0:
        said += [". All rows of it are zero, and so is its spectral radius."]
        return Section("The rate", (Paragraph(tuple(said)),))
    if zero:
        said += [
            f", of which {zero} of the {step.size} rows are zero. Without these rows and their columns it has the same "
            "spectral radius, and in "
        ]
    else:
        said += [". In "]
    bound = formula(Letter("ρ"), "(", _A, ")", "≤", Decimal(decimals_above(step.rate)))
    said += [*norm, " what is left" if zero else " it", " contracts by the rate: ", bound, "."]
    return Section("The rate", (Paragraph(tuple(said)),))


def observed(step: d.ObservedStep, steps: Sequence[d.Step]) -> Section:
    """Tell what a run shows: when the piece is identified, how fast the derivatives converge.

    Parameters
    ----------
    step : ObservedStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    said: list[Part] = []
    if step.identified_at is not None:
        said.append(
            f"In a run of {step.steps} steps in ball arithmetic the switches see from iterate {step.identified_at} on "
            "what they see at the fixed point: the active piece is identified there. "
        )
    else:
        said.append(f"A run of {step.steps} steps in ball arithmetic does not identify the active piece. ")
    if step.rate:
        error = f"The error of the {step.quantity}"
        said += [f"{error} shrinks in the last steps by the factor ", (Decimal(step.rate),), ". "]
    if step.radius is not None:
        low, high = step.radius
        bounds = formula(
            Decimal(decimals_below(low, 9)), "≤", Letter("ρ"), "(", _A, ")", "≤", Decimal(decimals_above(high, 9))
        )
        said += ["The spectral radius is enclosed by ", bounds, ". "]
    said.append("None of this is part of the certificate.")
    return Section("What a run shows", (Paragraph(tuple(said)),))


def derivative(step: d.EnclosedDerivativeStep, steps: Sequence[d.Step]) -> Section:
    """Tell what the derivatives converge to in the directions that were asked for.

    Parameters
    ----------
    step : EnclosedDerivativeStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    equation = formula(_J, "=", _A, _J, "+", _B)
    distance = (*_distance(_J, _J_CENTRE), *at_most(step.error))
    said = sentence(
        "Nearby the map is smooth, so the derivatives converge to the solution of ", equation, ". It lies near ",
        (_J_CENTRE,), ", with ", distance, ", as its residual and the contraction show.",
    )  # fmt: skip
    return Section("The limit of the derivatives", (said, *_columns(step.directions, step.blocks)))


def _columns(directions: Sequence[str], blocks: Sequence[tuple[str, Any]]) -> list[Paragraph | Display]:
    """Write the columns of a matrix, one for each direction."""
    few = len(directions) * len(blocks) == 1
    lines: list[Formula] = []
    for column, direction in list(enumerate(directions))[:_MOST_COLUMNS]:
        for name, M in blocks:
            values = [M[i, column] for i in range(M.nrows())]
            rows = f"the rows of {name}, " if len(blocks) > 1 else ""
            remark = () if few else (f"   {rows}in the direction {direction}",)
            lines.append((*(entries_of(_J_CENTRE, values) if few else entries_of(_J_CENTRE, values, 3)), *remark))
    if len(directions) > _MOST_COLUMNS:
        lines.append((f"… and in {len(directions) - _MOST_COLUMNS} more, in the certificate",))
    display = Display(tuple(lines))
    return [sentence(f"In the direction {directions[0]}:"), display] if few else [display]


def output(step: d.EnclosedOutputStep, steps: Sequence[d.Step]) -> Section:
    """Tell the output of the iteration at its limit, when that is not the state.

    Parameters
    ----------
    step : EnclosedOutputStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    name, within = Name(step.name), " One evaluation at the limit encloses it, within "
    said = ("The output of the iteration is ", (name,), ".", within, *_within(step.error), ":")
    blocks: list[Paragraph | Display] = [Paragraph(said), Display((entries_of(name, step.point),))]
    if step.derivative is not None:
        said = ("Its derivative is enclosed in the same way, within ", *_within(step.derivative_error), ".")
        blocks += [Paragraph(said), *_columns(step.directions, [(step.name, step.derivative)])]
    return Section("The output", tuple(blocks))


def _within(distance: Any) -> tuple[Part, ...]:
    return ((power_of_ten(distance),),) if distance else ("0",)


def error(step: d.ErrorStep, steps: Sequence[d.Step]) -> Section:
    """Tell how far from the limit iterates or derivatives are after some steps.

    Parameters
    ----------
    step : ErrorStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    k = str(step.iterations)
    here, limit = (Letter("x", k), _X) if step.quantity == "iterates" else (Letter("J", k), _J)
    bounds: list[Atom] = [Decimal(decimals_below(step.lower)), Operator("≤")] if step.lower > 0 else []
    bounds += [*_distance(here, limit), *at_most(step.upper)]
    where = f" in {named(step.directions)}" if step.directions else ""
    said = sentence(
        f"A run of {step.iterations} steps in ball arithmetic, which bounds its rounding errors, and the enclosure of "
        f"the limit show{where} that ", tuple(bounds), ".",
    )  # fmt: skip
    return Section(f"After {step.iterations} iterations", (said,))


def named(directions: Sequence[str]) -> str:
    """Name directions of the parameters, where they are few."""
    if len(directions) == 1:
        return f"the direction {directions[0]}"
    return f"{len(directions)} directions"

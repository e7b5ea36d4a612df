"""What is said of bounds on errors: the comparison k by k, and what holds from some index on."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.render.enclosures import named
from piggycheck.render.formula import (
    NORM_NAMES,
    Decimal,
    Display,
    Expression,
    Formula,
    Letter,
    Number,
    Operator,
    Paragraph,
    Part,
    Power,
    Section,
    formula,
)
from piggycheck.render.numbers import decimals_above, decimals_below, is_matrix

__all__ = ["compared", "lower_tail", "percent", "tail"]

_E_K, _K, _N = Letter("e", "k"), Letter("k"), Letter("n")


def compared(step: d.ComparedStep, steps: Sequence[d.Step]) -> Section:
    """Tell which errors were compared with which bound, how far, and where they are closest.

    Parameters
    ----------
    step : ComparedStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    blocks = [*_opening(step), Display(((Expression(step.bound),),)), Paragraph(tuple(_found(step)))]
    return Section("The errors and the bound", tuple(blocks))


def _opening(step: d.ComparedStep) -> list[Paragraph | Display]:
    name, centre = ("J", "J̄") if step.quantity == "derivatives" else ("x", "x̄")
    difference = (Letter(name, "k"), Operator("−"), Letter(centre))
    what = step.quantity + (f" in {named(step.directions)}" if step.directions else "")
    said = (f"In the {NORM_NAMES[step.norm]}, the errors of the {what} are the norms ", (_E_K,), " of ")
    if step.limit is None:
        return [Paragraph((*said, difference, ". They are compared with the bound"))]
    limit = Display((formula(Letter("J̄"), *is_matrix(step.limit)),))
    return [Paragraph((*said, difference, ", where")), limit, Paragraph(("They are compared with the bound",))]


def _found(step: d.ComparedStep) -> list[Part]:
    how = f"with {step.bits} bits"
    if step.equalities:
        count = "one k was" if step.equalities == 1 else f"{step.equalities} of them were"
        how += f"; {count} settled over the rationals"
    if step.violation is not None:
        said: list[Part] = [f"The errors were enclosed {how}. "]
        if step.violation:
            said.append(f"Up to k = {step.violation - 1} they are at most the bound. ")
        low, high = formula(_E_K, "≥", Decimal(step.error)), (Decimal(step.value),)
        return [*said, f"At k = {step.violation}, ", low, ", and the bound is at most ", high, "."]
    if step.proved_upto < 0:
        return ["Already at k = 0 the comparison was not decided."]
    every = f"For every k from 0 to {step.proved_upto}" if step.proved_upto else "At k = 0"
    said = [f"{every} the error was enclosed, and is at most the bound: {how}. "]
    k, part = step.closest
    if math.isfinite(part) and part > 0:
        alike = "it is equal to the bound to six digits"
        said.append(
            f"It comes closest at k = {k}, where "
            + (f"{alike}." if part > 1 - 1e-6 else f"it is {percent(part)} of the bound.")
        )
    return said


def percent(part: float) -> str:
    """Write a part of a bound, rounded.

    Examples
    --------
    >>> percent(0.12345), percent(0.99991)
    ('12.3 %', '99.991 %')
    """
    return f"{100 * part:.3g} %" if part < 0.995 else f"{100 * part:.6g} %"


def tail(step: d.TailStep, steps: Sequence[d.Step]) -> Section:
    """Tell why the bound holds from some index on.

    Parameters
    ----------
    step : TailStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    norm = "the maximum norm, by the row sums," if step.by_rows else "the norm of this quadratic form"
    trapped = " on the iterates are trapped, and in "
    if step.ball:
        norm, trapped = step.ball, " on the iterates are in the ball on which the map contracts, and in "
    error, bound = "the error", "the bound"
    if step.sequence:
        error, trapped = f"the error of {step.sequence}", f" on the iterates of {step.sequence} are trapped, and in "
        bound = "what the right side is at least"
    index = formula(Letter("k", "1"), "=", Number(step.start))
    constant = _number(step.constant)
    growing: Formula = (*constant, Operator("·"), Power(step.rate, "n"))
    if step.slope:
        growing = (Operator("("), *constant, Operator("+"), *_number(step.slope), _N, Operator(")"), Operator("·"))
        growing = (*growing, Power(step.rate, "n"))
    said: list[Part] = [
        "From ", index, f"{trapped}{norm} each step multiplies errors by at most ",
        (Number(step.rate),), ". So at ",
        formula(_K, "=", Letter("k", "1"), "+", _N), f" {error} is at most",
    ]  # fmt: skip
    after: tuple[Part, ...] = (" from ", (Letter("k", "1"),), " on") if step.sequence else ()
    holds = "the right side is not smaller" if step.sequence else "the bound holds"
    closing = (
        "At ", (Letter("k", "1"),), f" this is at most {bound}, and each term of that decreases at a rate of at least ",
        (Number(step.rate),), f". So {holds} for every ", (_K,), *after, ".",
    )  # fmt: skip
    return Section("For every k", (Paragraph(tuple(said)), Display((growing,)), Paragraph(closing)))


def lower_tail(step: d.LowerTailStep, steps: Sequence[d.Step]) -> Section:
    """Tell how large the errors of a sequence are at least, from some index on.

    Parameters
    ----------
    step : LowerTailStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    index = formula(Letter("k", "1"), "=", Number(step.start))
    row, seen = Letter("w"), f"the {step.quantity}"
    least = _number(step.constant, decimals_below)
    if step.slope:
        least = (Operator("("), *least, Operator("+"), *_number(step.slope, decimals_below), _N, Operator(")"))
    said: list[Part] = [f"For {step.name} the map is affine, and its matrix ", (Letter("A"),), " multiplies the row"]
    if step.trapped is not None:
        trapped = formula(_K, "=", Number(step.trapped))
        said = [f"The iterates of {step.name} are trapped from ", trapped, " on, and every piece that they meet has a "]
        said += ["matrix ", (Letter("A"),), " that multiplies the row"]
    closing: list[Part] = [
        "by ", (Number(step.eigenvalue),), f". So a step multiplies what this row sees of the error of {seen} by ",
        (Number(step.eigenvalue),),
        ", up to a multiple of the error of the iterates that has the same sign" if step.slope else "",
        ", and at ", formula(_K, "=", Letter("k", "1"), "+", _N), " with ", index, " the error is at least",
    ]  # fmt: skip
    power = Power(abs(step.eigenvalue), "n")
    return Section(
        f"Errors from below: {step.name}",
        (
            Paragraph(tuple(said)),
            Display((formula(row, *is_matrix(step.vector)),)),
            Paragraph(tuple(part for part in closing if part)),
            Display(((*least, Operator("·"), power),)),
        ),
    )


def _number(value: object, decimals: Callable[[Any], str] = decimals_above) -> Formula:
    text = str(value)
    return (Number(value),) if len(text) <= 12 else (Decimal(decimals(value)),)

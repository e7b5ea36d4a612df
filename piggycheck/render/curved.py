"""What is said of errors along one smooth piece that is not affine: their exact rate, and bounds for every k."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.render.asymptotic import rate_number
from piggycheck.render.formula import (
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
    sentence,
)
from piggycheck.render.numbers import decimals_above, is_matrix

__all__ = ["rate", "tail"]

_A, _K, _RHO, _N = Letter("A"), Letter("k"), Letter("ρ"), Letter("n")
_LONGEST = 12


def rate(step: d.CurvedRateStep, steps: Sequence[d.Step]) -> Section:
    """Tell why the errors decay at the rate of the derivative at the fixed point, or faster than at every rate.

    Parameters
    ----------
    step : CurvedRateStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    return Section("The asymptotic rate", (*_where(step), *_why(step)))


def _where(step: d.CurvedRateStep) -> list[Paragraph | Display]:
    """Say where the iterates are."""
    opening: tuple[Part, ...] = ("The piece is not affine: its Jacobian changes along the iterates. ",)
    if step.iteration is None:
        return [Paragraph((*opening, "Iterates that begin near enough to the fixed point converge to it."))]
    if step.distance is None:
        return [Paragraph((*opening, "In the trap the iterates meet no other piece, and converge to the fixed point."))]
    at = formula(_K, "=", Number(step.iteration))
    if not step.distance:
        return [Paragraph((*opening, "At ", at, " the iterate is the fixed point, where it stays."))]
    return [
        Paragraph(
            (
                *opening,
                "At ",
                at,
                " the iterate is within ",
                _number(step.distance),
                " of the fixed point. So far around it no guard vanishes and the derivative of the map is below 1 in "
                "size, so that the iterates stay there and converge.",
            )
        )
    ]


def _cone(step: d.CurvedRateStep) -> list[Paragraph | Display]:
    """Say which eigenvalues the errors excite."""
    cone, t = step.cone, formula(Letter("t"), "=", Number(step.cone.threshold))
    away = formula(Letter("x", "k"), Operator("−"), Letter("x̄"))
    H, squared = Letter("H"), Letter("t", "", "2")
    one = cone.leading == 1
    many = "One eigenvalue" if one else f"{cone.leading} eigenvalues"
    lie = "lies" if one else "lie"
    found: list[Paragraph | Display] = [
        sentence("For the form ", (H,), " and the number ", t, ","),
        Display((formula(H, *is_matrix(cone.form)),)),
        sentence(
            "every Jacobian ", (Letter("M"),), " in the trap has ",
            formula(Letter("M", "", "T"), H, Letter("M"), Operator("−"), squared, H, Operator("⪰"), Number(0)),
            ". At ", formula(_K, "=", Number(cone.trap.iteration)), " the form is positive at ", away,
            ", so that it stays so, and errors are multiplied by ", (Letter("t"),), " at least in the long run. "
            f"{many} of ", (_A,), f" {lie} beyond ", (Letter("t"),), " in modulus, the others below it, and the "
            "Jacobians tend to ", (_A,), ". So the rate is ",
            "its modulus" if one else "the modulus that they share",
        ),
        Display((rate_number(step.rate),)),
    ]  # fmt: skip
    return [*found, _growing("These eigenvalues change")] if step.power else found


def _growing(what: str) -> Paragraph:
    """Say that errors of derivatives grow at first."""
    return sentence(
        f"{what} with a parameter, so the errors are of the order of ",
        formula(_K, Letter("ρ", "", "k")),
        ", which is larger at first; the rate does not change.",
    )


def _why(step: d.CurvedRateStep) -> list[Paragraph | Display]:
    """Say what the rate is."""
    if step.cone is not None:
        return _cone(step)
    if step.vanishes:
        return [sentence("The errors are zero from there on: their rate is 0.")]
    if step.rate.upper == 0:
        of_one = step.A.nrows() == 1
        what = "At the fixed point the derivative of the map is 0" if of_one else "A power of this A is zero"
        return [sentence(f"{what}. So errors decay faster than at every rate, and theirs is 0.")]
    found: list[Paragraph | Display] = [
        sentence("At the fixed point the derivative of the map is ", (Number(step.A[0, 0]),), ", which is not 0."),
    ]
    if step.quantity == "iterates":
        found.append(sentence("Quotients of successive errors tend to it, so that the rate is its size"))
    else:
        found.append(
            sentence(
                "The errors of the derivatives, divided by those of the iterates, grow at most like a multiple of ",
                (_K,),
                " and do not tend to 0, so that the rate is its size" if step.iteration is not None else
                ": from almost every start they do not tend to 0, so that the rate is its size",
            )
        )  # fmt: skip
    found.append(Display((formula(_RHO, "=", Number(step.rate.lower)),)))
    if step.power:
        found.append(_growing("This derivative changes"))
    return found


def tail(step: d.CurvedTailStep, steps: Sequence[d.Step]) -> Section:
    """Tell why a bound holds from some index on.

    Parameters
    ----------
    step : CurvedTailStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    index = formula(Letter("k", "1"), "=", Number(step.start))
    constant, growing = _number(step.constant), Operator("·")
    bound: Formula = (*constant, growing, Power(step.rate, "n"))
    if step.slope:
        bound = (Operator("("), *constant, Operator("+"), *_number(step.slope), _N, Operator(")"), growing)
        bound = (*bound, Power(step.rate, "n"))
    said: list[Part] = [
        "At ", index, " the iterate is within ", _number(step.distance), " of the fixed point. So far around it no "
        "guard vanishes and the derivative of the map is at most ", _number(step.steepest), " in size; at the fixed "
        "point it is ", (Expression(step.slope_at_point),), ". By how much it differs along the iterates is bounded by "
        "second derivatives, in all. So at ", formula(_K, "=", Letter("k", "1"), "+", _N), " the error is at most",
    ]  # fmt: skip
    closing = (
        "At ", (Letter("k", "1"),), " this is at most the bound, and each term of the bound decreases at a rate of at "
        "least ", (Number(step.rate),), ". So the bound holds for every ", (_K,), ".",
    )  # fmt: skip
    return Section("For every k", (Paragraph(tuple(said)), Display((bound,)), Paragraph(closing)))


def _number(value: Any) -> Formula:
    text = str(value)
    return (Number(value),) if len(text) <= _LONGEST else (Decimal(decimals_above(value)),)

"""What is said of asymptotic rates: the eigenvalues that errors excite, the number, what a run shows, an order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import fmpq_poly, fmpz_poly

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
    Section,
    formula,
    joined,
    listed,
    sentence,
)
from piggycheck.render.numbers import is_matrix

__all__ = ["leading", "rate", "rate_number", "rates_compared", "sequence", "transient"]

_LONGEST_DEGREE = 12
_LONGEST_SHOWN = 4
_DIGITS = 10
_MOST_DIGITS = 32
_MOST_PLACES = 2000
_A, _K, _RHO, _LAMBDA = Letter("A"), Letter("k"), Letter("ρ"), Letter("λ")
_MINUS = Operator("−")
_RATIONAL = (fmpq_poly, fmpz_poly)


def rate(step: d.AsymptoticRateStep, steps: Sequence[d.Step]) -> Section:
    """Tell which eigenvalues the errors excite, and the largest modulus among them.

    Parameters
    ----------
    step : AsymptoticRateStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    blocks: list[Paragraph | Display] = [_recursion(step)]
    if step.characteristic_polynomial.degree() <= _LONGEST_DEGREE:
        blocks += [
            sentence("The characteristic polynomial of ", (_A,), " is"),
            Display(((Polynomial(step.characteristic_polynomial),),)),
        ]
    if step.rate.upper == 0:
        blocks.append(sentence("The errors are zero from ", _at(step.iteration), " on: their rate is 0."))
        return Section("The asymptotic rate", tuple(blocks))
    blocks += [*_excited(step), Display((rate_number(step.rate),)), _why(step)]
    if step.power:
        power = Letter("k", "", str(step.power)) if step.power > 1 else _K
        blocks.append(
            sentence(
                "An eigenvalue of this modulus is excited repeatedly, so the errors are of the order of ",
                formula(power, Letter("ρ", "", "k")),
                ", which is larger at first; the rate does not change.",
            )
        )
    return Section("The asymptotic rate", tuple(blocks))


def _recursion(step: d.AsymptoticRateStep) -> Paragraph:
    """Say why the errors obey a linear recursion."""
    name, limit = ("J", "J̄") if step.quantity == "derivatives" else ("x", "x̄")
    error = formula(Letter(name, "k"), _MINUS, Letter(limit))
    why = {
        "word_tree": "In the trap the iterates meet no other piece, and the piece is affine",
        "affine": "The map is affine",
        "fixed_start": "The recursion applies one pair in every step",
        "local": "Near the fixed point the map is affine",
    }[step.method]
    tail: tuple[Part, ...] = (".",)
    if step.coupled:
        moves = formula(Letter("x", "k"), _MINUS, Letter("x̄"))
        tail = (", and adds a multiple of ", moves, ", because ", (Letter("B"),), " moves with the state.")
    named: tuple[Part, ...] = ("Write ", (_A,), " for ", (Letter("A", "0"),), ". ")
    if not isinstance(step.characteristic_polynomial, _RATIONAL):
        named = ("Write ", (_A,), " for the derivative of the map in the state at the fixed point. ")
    return sentence(*named, f"{why}: a step sends the error ", error, " to ", formula(_A, "(", *error, ")"), *tail)


def _excited(step: d.AsymptoticRateStep) -> list[Paragraph | Display]:
    """Say which eigenvalues count."""
    if step.method == "local":
        return [sentence("Almost every error excites all eigenvalues. The largest modulus among them is")]
    since = ("From ", _at(step.iteration), " on the errors excite ")
    if step.annihilator == step.characteristic_polynomial:
        return [sentence(*since, "all of its roots. The largest modulus among them is")]
    if step.annihilator.degree() > _LONGEST_DEGREE:
        count = f"the roots of a polynomial of degree {step.annihilator.degree()}, which is in the certificate"
        return [sentence(*since, count, ". The largest modulus among them is")]
    return [
        sentence(
            *since,
            "exactly the roots of the following polynomial: it annihilates them, and none of smaller degree does.",
        ),
        Display(((Polynomial(step.annihilator),),)),
        sentence("The largest modulus among its roots is"),
    ]


def _at(index: int) -> Formula:
    return formula(_K, "=", Number(index))


def rate_number(number: Any) -> Formula:
    """The rate, in closed form where it has one."""
    form = number.closed_form
    decimals = (Operator("≈"), Decimal(number.decimals(_DIGITS)))
    if form is not None and form.is_Rational:
        return formula(_RHO, "=", Number(form), *(decimals if form.q > 1 else ()))
    if form is not None:
        return formula(_RHO, "=", Expression(form), *decimals)
    return formula(_RHO, *decimals)


def _why(step: d.AsymptoticRateStep) -> Paragraph:
    """Say what the number is, and what proves it."""
    said = _root(step.rate)
    factors = [(Polynomial(g),) for g in step.dominant if g.degree() <= _LONGEST_DEGREE]
    if len(factors) == len(step.dominant):
        of = ["a root of ", *["one of "] * len(factors)]
        said += ["It is reached by ", *joined(list(zip(of, factors, strict=False)))]
    else:
        said.append("It is reached by a root of a factor of large degree")
    if all(g.degree() == 1 for g in step.dominant):
        return Paragraph((*said, "."))
    said += [": ", (Letter("ρ", "", "2"),), " is the largest real root of the polynomial whose roots are the products "]
    said.append("of two roots, because a root times its conjugate is real and no product is larger.")
    if not all(isinstance(g, _RATIONAL) for g in step.dominant):
        said.append(" Its coefficients are irrational; multiplied by its conjugates, it is a rational polynomial.")
    return Paragraph(tuple(said))


def _root(number: Any) -> list[Part]:
    """Say of which polynomial an irrational number is the root."""
    if number.is_rational:
        return []
    ends = formula(Decimal(_written(number.lower))), formula(Decimal(_written(number.upper)))
    degree = len(number.polynomial) - 1
    what: tuple[Part, ...] = (f"an integer polynomial of degree {degree}, which is in the certificate,",)
    if degree <= _LONGEST_DEGREE:
        what = ((Polynomial(fmpq_poly(list(number.polynomial))),),)
    return ["It is the root of ", *what, " between ", ends[0], " and ", ends[1], ". "]


def leading(step: d.LeadingEigenvalueStep, steps: Sequence[d.Step]) -> Section:
    """Tell which eigenvalue leads along a map made of layers, and that the errors have a part along its eigenvector.

    Parameters
    ----------
    step : LeadingEigenvalueStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    name, limit = ("J", "J̄") if step.quantity == "derivatives" else ("x", "x̄")
    error = formula(Letter(name, "k"), _MINUS, Letter(limit))
    which = "" if step.kept == step.size else f" in the {step.kept} coordinates that are not constant there"
    said: list[Part] = [
        "On the ball the piece is affine. Write ", (_A,), f" for its derivative{which}, a matrix of rational numbers: "
        "a step sends the error ", error, " to ", formula(_A, "(", *error, ")"), ".",
    ]  # fmt: skip
    blocks: list[Paragraph | Display] = [Paragraph(tuple(said))]
    if step.characteristic_polynomial.degree() <= _LONGEST_SHOWN:
        shown = Display(((Polynomial(step.characteristic_polynomial),),))
        blocks += [sentence("The characteristic polynomial of ", (_A,), " is"), shown]
    sign = "a positive" if step.side > 0 else "a negative"
    blocks += [
        sentence(f"One simple eigenvalue, {sign} one, has a larger modulus than all others:"),
        Display((rate_number(step.rate),)),
    ]
    tail: list[Part] = ["Almost every error has a part along its eigenvector, and decays at this rate."]
    if step.iteration is not None:
        tail = [
            "The iterates have come into the ball before ", _at(step.iteration), ". The error there, multiplied by ",
            (_A,), " less each of the other eigenvalues, is not zero: it has a part along the eigenvector, and decays "
            "at this rate.",
        ]  # fmt: skip
    blocks.append(Paragraph((*_root(step.rate), *tail)))
    return Section("The asymptotic rate", tuple(blocks))


def _written(value: Any) -> str:
    """A decimal fraction, in full."""
    digits = next(n for n in range(_MOST_PLACES) if (value * 10**n).q == 1)
    whole, rest = divmod(int(value * 10**digits), 10**digits)
    return f"{whole}.{rest:0{digits}d}" if digits else str(whole)


def transient(step: d.TransientStep, steps: Sequence[d.Step]) -> Section:
    """Tell what a run at high precision shows.

    Parameters
    ----------
    step : TransientStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    seen = step.transient
    many = seen.digits > _MOST_DIGITS
    observed = seen.observed[: _MOST_DIGITS + 2] + "…" if many else seen.observed
    agree = "one digit agrees" if seen.digits == 1 else f"{seen.digits} digits agree"
    said: list[Part] = [f"{seen.iterations} iterations were computed with {seen.precision} digits. "]
    if seen.digits:
        said += [f"The rate that the errors alone show is {observed}: {agree} with the exact one. "]
    else:
        said.append("Other eigenvalues are so close in modulus that the errors alone do not show the rate yet. ")
    if seen.identified:
        said += ["The piece is identified at ", _at(seen.identified), ": from there on the guards see the same. "]
    else:
        said.append("The guards see the same from the start. ")
    if seen.largest is not None:
        index, size = seen.largest
        said += [f"Before that the largest error of the derivatives is {size}, at ", _at(index), ". "]
    if seen.peak is not None and seen.peak != seen.largest:
        which = "The largest one of all" if seen.largest is not None else "The largest error of the derivatives"
        said += [f"{which} is {seen.peak[1]}, at ", _at(seen.peak[0]), ". "]
    said += _near(step)
    said.append("This is an observation; the proof does not rest on it.")
    return Section("What a run shows", (Paragraph(tuple(said)),))


def _near(step: d.TransientStep) -> list[Part]:
    seen, e = step.transient, (Letter("e", "k"),)
    what: tuple[Part, ...] = ("the quotient of successive errors",)
    if seen.by == "root":
        what = ("the ", (_K,), "-th root of the error ", e)
    if seen.within is None:
        return ["In the largest entry, ", *what, " has not come within 1 % of the rate for good yet. "]
    return ["In the largest entry, ", *what, " is within 1 % of the rate from ", _at(seen.within), " on. "]


def sequence(step: d.SequenceStep, steps: Sequence[d.Step]) -> Section:
    """Tell which sequence of errors is looked at next.

    Parameters
    ----------
    step : SequenceStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    name = ("J", "J̄") if step.quantity == "derivatives" else ("x", "x̄")
    said: list[Part] = [
        f"These are the errors of the {step.quantity}, ",
        formula(Letter(name[0], "k"), _MINUS, Letter(name[1])),
    ]
    if step.wrt:
        said += [", in the columns of ", *listed([(Name(parameter),) for parameter in step.wrt])]
    if step.at:
        said += [", at ", *listed([formula(Name(v), "=", Expression(c)) for v, c in step.at.items()])]
    if step.point is None:
        return Section(f"The sequence {step.name}", (Paragraph((*said, ".")),))
    point = listed([formula(Name(v), "=", Expression(c)) for v, c in step.point.items()])
    said += [". There the fixed point is ", *point]
    if step.trapped is not None:
        said += [", near which the iterates are trapped from ", _at(step.trapped), " on"]
    if step.A is None:
        return Section(f"The sequence {step.name}", (Paragraph((*said, ".")),))
    shown = formula(Letter("A", "0"), *is_matrix(step.A))
    if step.limit is not None:
        shown = (*shown, ",   ", *formula(Letter("J̄"), *is_matrix(step.limit)))
    return Section(f"The sequence {step.name}", (Paragraph((*said, ", with")), Display((shown,))))


def rates_compared(step: d.RatesComparedStep, steps: Sequence[d.Step]) -> Section:
    """Tell which of two asymptotic rates is larger, and why.

    Parameters
    ----------
    step : RatesComparedStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    sign = {-1: "<", 0: "=", 1: ">"}[step.order]
    shown = [_short(number) for number in step.rates]
    how = {
        0: "Both are the same root of the same polynomial",
        -1: "The bounds of both are apart",
        1: "The bounds of both are apart",
    }[step.order]
    blocks = (
        sentence(f"The rate of {step.names[0]} stands to that of {step.names[1]} as"),
        Display(((*shown[0], Operator(sign), *shown[1]),)),
        sentence(f"{how}."),
    )
    return Section("The two rates", blocks)


def _short(number: Any) -> Formula:
    """A rate, in closed form where it has one, and otherwise to some digits."""
    form = number.closed_form
    if form is None:
        return (Decimal(number.decimals(_DIGITS) + "…"),)
    return (Number(form) if form.is_Rational else Expression(form),)

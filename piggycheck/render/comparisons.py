"""What is said of comparisons between sequences of errors."""

from __future__ import annotations

import math
from collections.abc import Sequence

from piggycheck import derivation as d
from piggycheck.render.formula import (
    NORM_NAMES,
    Decimal,
    Display,
    Expression,
    Letter,
    Name,
    Operator,
    Paragraph,
    Part,
    Section,
    formula,
    listed,
)
from piggycheck.render.numbers import is_matrix
from piggycheck.render.rates import percent

__all__ = ["sides"]

_K = Letter("k")


def sides(step: d.SidesStep, steps: Sequence[d.Step]) -> Section:
    """Tell what the sequences measure, what was compared, how far, and where both sides are closest.

    Parameters
    ----------
    step : SidesStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    blocks: list[Paragraph | Display] = []
    known: list[object] = []
    for name, said, point, limit in step.sequences:
        is_output = name in step.estimates and step.estimates[name].output is not None
        blocks += _sequence(name, said, point, limit, limit in known, is_output=is_output)
        known += [] if is_output else [limit]
    asked = f"Errors are measured in the {NORM_NAMES[step.norm]}. It is claimed that"
    compared = (Expression(step.left), Operator("≤"), Expression(step.right))
    return Section(
        "The two sides", (*blocks, Paragraph((asked,)), Display((compared,)), Paragraph(tuple(_found(step))))
    )


def _sequence(
    name: str, said: str, point: dict[str, object] | None, limit: object, is_known: bool, *, is_output: bool
) -> list[Paragraph | Display]:
    parts: list[Part] = [(Name(name),), f" is {said}"]
    if point is not None:
        there = listed([formula(Name(v), "=", Expression(c)) for v, c in point.items()])
        parts += [", where the fixed point is ", *there]
    if limit is None:
        return [Paragraph((*parts, "."))]
    if is_output:
        there = is_matrix(limit)
        return [Paragraph((*parts, ". It is measured from the derivatives at the fixed point,")), Display((there[1:],))]
    if is_known:
        return [Paragraph((*parts, ". It is measured from ", (Letter("J̄"),), ", too."))]
    return [Paragraph((*parts, ". It is measured from")), Display((formula(Letter("J̄"), *is_matrix(limit)),))]


def _found(step: d.SidesStep) -> list[Part]:
    how = f"with {step.bits} bits"
    if step.equalities:
        count = "one k was" if step.equalities == 1 else f"{step.equalities} of them were"
        how += f"; {count} settled exactly"
    if step.violation is not None:
        said: list[Part] = [f"Both sides were enclosed {how}. "]
        if step.violation > step.first:
            said.append(f"{_range(step.first, step.violation - 1)} this is so. ")
        left, right = (Decimal(step.low),), (Decimal(step.high),)
        return [
            *said,
            f"At k = {step.violation} the left side is at least ",
            left,
            ", and the right side at most ",
            right,
            ".",
        ]
    if step.proved_upto < step.first:
        return [f"Already at k = {step.first} the comparison was not decided."]
    said = [f"{_range(step.first, step.proved_upto)} this is so: both sides were enclosed {how}. "]
    k, part = step.closest
    if math.isfinite(part) and part > 0:
        alike = "both sides are equal to six digits"
        said.append(
            f"It comes closest at k = {k}, where "
            + (f"{alike}. " if part > 1 - 1e-6 else f"the left side is {percent(part)} of the right one. ")
        )
    if step.before is not None:
        said.append(f"At k = {step.first - 1} it is {'not so' if step.before > 0 else 'so, too'}.")
    return said


def _range(first: int, last: int) -> str:
    return f"For every k from {first} to {last}" if last > first else f"At k = {first}"

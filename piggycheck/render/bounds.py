"""What is said of both bounds on a joint spectral radius, and of how they came closer."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from piggycheck import derivation as d
from piggycheck.render.formula import (
    Decimal,
    Display,
    Formula,
    Letter,
    Operator,
    Paragraph,
    Part,
    Section,
    Words,
    sentence,
)
from piggycheck.render.numbers import decimals_above, decimals_below, exactly
from piggycheck.render.proofs import method_name

__all__ = ["bounds"]

_MOST_MOMENTS = 10
_MOST_DIGITS = 15
_RADIUS = Letter("ρ")


def bounds(step: d.BoundsStep, steps: Sequence[d.Step]) -> Section:
    """Tell both bounds on the joint spectral radius, where they come from, and how they came closer.

    Parameters
    ----------
    step : BoundsStep
    steps : sequence of Step

    Returns
    -------
    Section
    """
    known: list[Part] = []
    if step.lower is not None:
        known += ["at least ", *exactly(step.lower)]
        known += [", by the word ", (Words((step.word,)),)] if step.lower > 0 else []
    if step.proof is not None:
        by = method_name(step.proof.witness())
        known += [", and " if known else "", "at most ", *exactly(step.proof.rate), f", by {by}"]
    blocks: list[Paragraph | Display] = [
        sentence("Together: the joint spectral radius ", (_RADIUS,), " is ", *known, ".")
    ]
    rows = [_moment(moment) for moment in _some(step.moments)]
    if len(rows) > 1:
        blocks += [sentence("So the bounds came closer:"), Display(tuple(rows))]
    return Section("Both bounds", tuple(blocks))


def _some(history: Sequence[Any]) -> list[Any]:
    """The moments at which a bound changed; the first ones and the last ones, when there are too many to show."""
    before = [None, *history]
    moments = [b for a, b in itertools.pairwise(before) if a is None or (a.lower, a.upper) != (b.lower, b.upper)]
    if len(moments) <= _MOST_MOMENTS:
        return moments
    return [*moments[: _MOST_MOMENTS // 2], *moments[-(_MOST_MOMENTS // 2) :]]


def _moment(moment: Any) -> Formula:
    digits = _digits(moment.lower, moment.upper)
    upper = () if moment.upper is None else (Operator("≤"), Decimal(decimals_above(moment.upper, digits)))
    when = f"   after {moment.seconds:.2f} s: {moment.method}"
    return (Decimal(decimals_below(moment.lower, digits)), Operator("≤"), _RADIUS, *upper, when)


def _digits(lower: Any, upper: Any) -> int:
    """How many decimals show that two bounds differ, six at least."""
    digits = 6
    if upper is None or upper == lower:
        return digits
    gap = (upper - lower) / min(upper, 1)
    while digits < _MOST_DIGITS and gap * 10 ** (digits - 1) < 1:
        digits += 1
    return digits

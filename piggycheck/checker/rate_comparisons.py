"""Comparisons of two asymptotic rates: apart, or the same root of a common factor of their polynomials."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from .asymptotic import RULES as OF_RATES
from .asymptotic import rate_of
from .polynomials import Polynomial, common_divisor, squarefree, value
from .reading import Data, Refused, Unreadable, fields, say, text
from .sequences import Iterated, Observed, require_one_limit, stated

Rate = tuple[Fraction, Fraction, Polynomial]
HOLDS = {"<": (-1,), "<=": (-1, 0), "=": (0,)}  # for which signs of left - right


def order_proved(claim: Data, iterated: Iterated, witness: Data) -> str:
    """The rates are so related."""
    return compared(claim, iterated, witness, proved=True)


def order_refuted(claim: Data, iterated: Iterated, witness: Data) -> str:
    """They are not."""
    return compared(claim, iterated, witness, proved=False)


def compared(claim: Data, iterated: Iterated, witness: Data, proved: bool) -> str:
    """Refuse unless the order of the two rates is that of the claim, or another one."""
    relation = text(claim.get("relation"), "claim.relation")
    if relation not in HOLDS:
        raise Unreadable(f"`claim.relation` is one of {', '.join(HOLDS)}")
    names = [text(claim.get(side), f"claim.{side}") for side in ("left", "right")]
    listed = stated(claim, set(names))
    observed = [
        side_of(name, listed[name], iterated, witness[side], side)
        for name, side in zip(names, ("left", "right"), strict=True)
    ]
    require_one_limit(observed)
    left, right = (rate(found, witness[side]) for found, side in zip(observed, ("left", "right"), strict=True))
    sign = order(left, right)
    if (sign in HOLDS[relation]) != proved:
        raise Refused("the order of the rates is another one")
    how = {-1: "less than", 0: "equal to", 1: "greater than"}[sign]
    return f"the asymptotic rate of {names[0]}, {said(left)}, is {how} that of {names[1]}, {said(right)}"


def side_of(name: str, data: Data, iterated: Iterated, witness: Data, side: str) -> Observed:
    """The sequence on a side, whose witness has what its method takes."""
    fields(data, f"claim.sequences.{name}", ("quantity",), ("at", "wrt", "norm"))
    method = text(witness.get("method") if isinstance(witness, dict) else None, f"{side}.method")
    if ("asymptotic_rate", "proved", method) not in OF_RATES:
        raise Unreadable(f"`{side}.method`: `{method[:40]}` is no method")
    _, required, optional = OF_RATES["asymptotic_rate", "proved", method]
    fields(witness, side, ("fixed_point", "pieces", *required), optional)
    return Observed(name, data, iterated, witness, "max")


def rate(found: Observed, witness: Data) -> Rate:
    """The rate of a sequence."""
    every = "wrt" not in found.data or len(found.columns) == found.subject.m
    return rate_of({"quantity": found.quantity}, found.subject, witness, None if every else found.columns)


def order(left: Rate, right: Rate) -> int:
    """The sign of left - right."""
    (a, b, R), (c, d, S) = left, right
    if b < c:
        return -1
    if d < a:
        return 1
    common = squarefree(common_divisor(R, S))
    low, high = value(common, max(a, c)), value(common, min(b, d))
    if len(common) > 1 and (not low or not high or (low < 0) != (high < 0)):
        return 0
    raise Refused("the bounds of the two rates do not tell them apart, nor that they are equal")


def said(rate: Rate) -> str:
    """The number."""
    lower, upper, _ = rate
    return say(lower) if lower == upper else f"between {say(lower)} and {say(upper)}"


Rule = tuple[Callable[[Data, Any, Data], str], Sequence[str], Sequence[str]]
RULES: dict[tuple[str, str, str], Rule] = {
    ("rate_comparison", "proved", ""): (order_proved, ("left", "right"), ()),
    ("rate_comparison", "refuted", ""): (order_refuted, ("left", "right"), ()),
}
CLAIM = {"rate_comparison": ("left", "right", "relation", "sequences")}

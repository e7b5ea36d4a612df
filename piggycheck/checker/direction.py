"""Derivatives that grow along all iterates: every piece of the map multiplies a direction that every start has."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from .pieces import Patterns
from .reading import Data, Refused, Unreadable, array, number, say, text
from .subject import Map


def diverge_everywhere_proved(claim: Data, map_: Map, witness: Data) -> str:
    """All derivatives in the parameter are multiples of the direction, and each step makes them larger."""
    name = text(witness["parameter"], "parameter")
    if name not in map_.parameters:
        raise Unreadable("`parameter` is none of the map")
    if map_.start is None:
        raise Unreadable("`start` is missing")
    p = len(map_.state)
    column = p + map_.parameters.index(name)
    direction = [number(c, "direction") for c in array(witness["direction"], "direction", p)]
    rate, constant = number(witness["rate"], "rate"), number(witness["constant"], "constant")
    if not (any(direction) and rate > 1 and constant > 0):
        raise Refused("the direction is zero, the rate not above 1, or the constant not above 0")
    if "rate" in claim and rate < number(claim["rate"], "claim.rate"):
        raise Refused("the rate is smaller than claimed")
    for rows in slopes(map_, map_.next):
        if any(row[column] for row in rows):
            raise Refused("the map itself depends on the parameter")
        image = [sum((a * b for a, b in zip(row, direction, strict=False)), Fraction(0)) for row in rows]
        if abs(multiple(image, direction)) < rate:
            raise Refused("a piece of the map multiplies the direction by less than the rate")
    for rows in slopes(map_, map_.start):
        factor = multiple([row[column] for row in rows], direction)
        if abs(factor) * max(map(abs, direction)) < constant:
            raise Refused("a start has a smaller derivative than the constant")
    return (
        f"whatever is selected, at all parameters the derivatives of the iterates in {name} are at least "
        f"{say(constant)} * ({say(rate)})^k in the maximum norm"
    )


def slopes(map_: Map, nodes: Sequence[int]) -> Iterator[list[list[Fraction]]]:
    """The derivatives in all names, for every piece on the whole space."""
    jets = map_.jets(dict.fromkeys(map_.names, Fraction(0)), map_.names)
    for pattern in Patterns(everywhere=True).run(map_.program, nodes, jets):
        if pattern.outputs is None:
            raise Refused("somewhere no branch of a Piecewise applies")
        if not all(jet.affine and jet.rational for jet in pattern.outputs):
            raise Refused("a piece is not affine with rational coefficients")
        yield [[c.lo for c in jet.slopes(len(map_.names))] for jet in pattern.outputs]


def multiple(image: Sequence[Fraction], direction: Sequence[Fraction]) -> Fraction:
    """The factor by which an image is a multiple of the direction."""
    j = next(i for i, c in enumerate(direction) if c)
    factor = image[j] / direction[j]
    if any(a != factor * b for a, b in zip(image, direction, strict=True)):
        raise Refused("a piece does not multiply the direction")
    return factor

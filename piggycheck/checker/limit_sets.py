"""Claims about piggyback sets: the interval of scalar ones, their elements, and bounds of them."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from .affine import (
    Pairs,
    inner,
    mean,
    pairs_of,
    read_ball,
    read_cells,
    read_point,
    read_weights,
    require_below,
    say_scaled,
)
from .boxes import read_scaled
from .proofs import KINDS, contraction
from .reading import Data, Refused, Unreadable, array, fields, integer, number, say, text
from .scaled import Scaled
from .subject import Subject

TREE = ("method", "rate", *KINDS["word_tree"][1])
POINT = ("word", "then", "matrix")
BALL = ("centre", "radius")


def flag(claim: Data, key: str, default: str) -> bool:
    """Read "true" or "false"."""
    value = text(claim.get(key, default), f"claim.{key}")
    if value not in ("true", "false"):
        raise Unreadable(f'`claim.{key}` is "true" or "false"')
    return value == "true"


def ends(subject: Subject, pairs: Pairs, witness: Data, active: Sequence[bool]) -> tuple[Fraction, Fraction]:
    """The least and the greatest element of K, for numbers: the only ones that the maps lead to each other.

    (l, h) -> (least of a_i l + b_i and a_i h + b_i, greatest of them) contracts, because all |a_i| are below 1.
    """
    if subject.p != 1 or subject.m != 1:
        raise Refused("the pairs are not pairs of numbers")
    lower, upper = number(witness["lower"], "lower"), number(witness["upper"], "upper")
    used = [(A.fractions()[0][0], B.fractions()[0][0]) for A, B, on in zip(pairs.A, pairs.B, active, strict=True) if on]
    images = [a * end + b for a, b in used for end in (lower, upper)]
    if not images or min(images) != lower or max(images) != upper:
        raise Refused("the ends are not the least and the greatest of their images")
    return lower, upper


def interval(subject: Subject, witness: Data) -> tuple[Fraction, Fraction]:
    """The least and the greatest element of the piggyback set, whichever of the undecided pieces are active."""
    contraction(subject, witness)
    pairs = pairs_of(subject)
    ends(subject, pairs, witness, pairs.active)
    return ends(subject, pairs, witness, [True] * len(pairs.A))


def interval_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """The ends of the hull are as claimed."""
    found = interval(subject, witness)
    for key, end in zip(("lower", "upper"), found, strict=True):
        if key in claim and number(claim[key], f"claim.{key}") != end:
            raise Refused(f"the {key} end is not the claimed one")
    return say_interval(subject, *found)


def interval_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """An end of the hull is not as claimed."""
    found = interval(subject, witness)
    named = zip(("lower", "upper"), found, strict=True)
    if all(number(claim[key], f"claim.{key}") == end for key, end in named if key in claim):
        raise Refused("the ends do not contradict the claim")
    return say_interval(subject, *found)


def say_interval(subject: Subject, lower: Fraction, upper: Fraction) -> str:
    """What is proved of the ends."""
    return f"the convex hull of the piggyback set of {subject} is [{say(lower)}, {say(upper)}]"


def element_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """The value is a point of K; for the hull, the image of such a point, or of itself, by a convex combination."""
    contraction(subject, witness)
    pairs, hull = pairs_of(subject), flag(claim, "hull", "false")
    value = read_scaled(claim.get("value"), "claim.value", subject.p, subject.m)
    if hull and "lower" in witness:  # K of the hull is connected
        fields(witness, "witness", (*TREE, "lower", "upper"))
        lower, upper = ends(subject, pairs, witness, pairs.active)
        if not lower <= value.fractions()[0][0] <= upper:
            raise Refused("the value is not between the ends")
    else:
        weighted = hull and "weights" in witness
        stated = POINT if "word" in witness or not weighted else ()
        fields(witness, "witness", (*TREE, *stated, *(("weights",) if weighted else ())))
        point = read_point(subject, pairs, witness) if stated else value
        if weighted:
            point = combined_image(pairs, read_weights(witness["weights"], pairs.active), point)
        if point != value:
            raise Refused("the value is not the point that the witness leads to")
    return f"{say_scaled(value)} is in the piggyback set of {of_hull(hull)}{subject}"


def combined_image(pairs: Pairs, weights: Sequence[Fraction], X: Scaled) -> Scaled:
    """A X + B for a convex combination [A B] of the pairs."""
    used = [(a, i) for i, a in enumerate(weights) if a]
    return mean([a for a, _ in used], [pairs.image(X, i) for _, i in used])


def of_hull(hull: bool) -> str:
    """Of which set of pairs a set is."""
    return "the convex hull of " if hull else ""


def element_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """The pieces of K along words are in images of a ball, from each of which a direction separates the value."""
    contraction(subject, witness)
    pairs, hull = pairs_of(subject), flag(claim, "hull", "false")
    value = read_scaled(claim.get("value"), "claim.value", subject.p, subject.m)
    ball = read_ball(pairs, witness)
    cells = [fields(cell, "cell", ("word", "direction")) for cell in array(witness["cells"], "cells")]
    words = read_cells([cell["word"] for cell in cells], len(pairs.A))
    by_direction: dict[Any, tuple[Scaled, list[list[int]]]] = {}
    for cell, word in zip(cells, words, strict=True):
        C = read_scaled(cell["direction"], "direction", subject.p, subject.m)
        by_direction.setdefault((C.denominator, *map(tuple, C.rows)), (C, []))[1].append(word)
    if hull and len(by_direction) != 1:
        raise Refused("the cells of a hull do not have one direction")
    for C, group in by_direction.values():
        require_below(pairs, ball, C, inner(C, value), group, strictly=True)
    return f"{say_scaled(value)} is not in the piggyback set of {of_hull(hull)}{subject}"


def bounds_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """In each direction K is below a bound, which is as claimed, or close to a point of K."""
    contraction(subject, witness)
    pairs, directions = pairs_of(subject), read_directions(claim, subject)
    claimed = read_claimed(claim, len(directions)) if "upper" in claim else None
    tolerance = None if claimed else number(claim.get("tolerance"), "claim.tolerance")
    ball, uppers = read_ball(pairs, witness), []
    for k, data in enumerate(array(witness["bounds"], "bounds", len(directions))):
        close = tolerance is not None or "lower" in fields(data, "bound", ("upper", "words"), ("lower", *POINT))
        fields(data, "bound", ("upper", "words", *(("lower", *POINT) if close else ())))
        upper, C = number(data["upper"], "upper"), directions[k]
        require_below(pairs, ball, C, upper, read_cells(data["words"], len(pairs.A)), strictly=False)
        if claimed and upper > claimed[k]:
            raise Refused(f"bound {k} is larger than the claimed one")
        if close:
            lower = number(data["lower"], "lower")
            if inner(C, read_point(subject, pairs, data)) < lower:
                raise Refused(f"bound {k}: the point is below the stated number")
            if tolerance is not None and upper - lower > tolerance:
                raise Refused(f"bound {k} is not as close as claimed")
        uppers.append(upper)
    return say_bounds(subject, directions, claimed or uppers, tolerance)


def bounds_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """A point of K is beyond a claimed bound."""
    contraction(subject, witness)
    pairs, directions = pairs_of(subject), read_directions(claim, subject)
    claimed = read_claimed(claim, len(directions))
    k = integer(witness["index"], "index", 0, len(directions) - 1)
    X = read_point(subject, pairs, witness)
    if inner(directions[k], X) <= claimed[k]:
        raise Refused("the point does not exceed the claimed bound")
    return f"{say_scaled(X)} is in the piggyback set of {subject}, and beyond bound {k}"


def read_directions(claim: Data, subject: Subject) -> list[Scaled]:
    """The directions of a claim; without any, each unit matrix and its opposite, row by row."""
    if "directions" in claim:
        listed = array(claim["directions"], "claim.directions")
        if not listed:
            raise Unreadable("`claim.directions`: none")
        return [read_scaled(C, "claim.directions", subject.p, subject.m) for C in listed]
    return [unit(subject, i, j, sign) for i in range(subject.p) for j in range(subject.m) for sign in (1, -1)]


def unit(subject: Subject, row: int, column: int, sign: int) -> Scaled:
    """A matrix with one entry that is not zero."""
    places = ((i, j) for i in range(subject.p) for j in range(subject.m))
    entries = [sign * int(place == (row, column)) for place in places]
    return Scaled([entries[i : i + subject.m] for i in range(0, len(entries), subject.m)], 1)


def read_claimed(claim: Data, count: int) -> list[Fraction]:
    """The bounds that are claimed; then nothing is claimed of how close they are."""
    if "tolerance" in claim:
        raise Unreadable("`claim.tolerance` stands beside `upper`")
    return [number(h, "claim.upper") for h in array(claim.get("upper"), "claim.upper", count)]


def say_bounds(
    subject: Subject, directions: Sequence[Scaled], uppers: Sequence[Fraction], tolerance: Fraction | None
) -> str:
    """What is proved of the bounds."""
    close = "" if tolerance is None else f", which are at most {say(tolerance)} above the least ones"
    stated = "; ".join(f"{say_scaled(C)}: {say(h)}" for C, h in zip(directions[:4], uppers, strict=False))
    more = f"; and {len(directions) - 4} more" if len(directions) > 4 else ""
    return f"the piggyback set of {subject} is within bounds along {len(directions)} directions ({stated}{more}){close}"


Rule = tuple[Any, tuple[str, ...], tuple[str, ...]]
RULES: dict[tuple[str, str, str], Rule] = {
    ("piggyback_interval", "proved", "word_tree"): (interval_proved, (*TREE, "lower", "upper"), ()),
    ("piggyback_interval", "refuted", "word_tree"): (interval_refuted, (*TREE, "lower", "upper"), ()),
    ("in_piggyback_set", "proved", "word_tree"): (element_proved, TREE, (*POINT, "weights", "lower", "upper")),
    ("in_piggyback_set", "refuted", "word_tree"): (element_refuted, (*TREE, *BALL, "cells"), ("core",)),
    ("piggyback_bounds", "proved", "word_tree"): (bounds_proved, (*TREE, *BALL, "bounds"), ("core",)),
    ("piggyback_bounds", "refuted", "word_tree"): (bounds_refuted, (*TREE, "index", *POINT), ()),
}
CLAIM = {
    "piggyback_interval": ("lower", "upper"),
    "in_piggyback_set": ("value", "hull"),
    "piggyback_bounds": ("directions", "upper", "tolerance"),
}

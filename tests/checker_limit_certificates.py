"""Certificates about limit sets, written by hand, which of their numbers may change, and floats that tell what is true.

The sets: of x -> -x/2 and -x/2 + 1, between -2/3 and 4/3, with implicit set {0, 2/3}; the Cantor set of x/3 and x/3 +
2/3; binary digits, x/2 and x/2 + 1/2, which fill [0, 1]; and what was computed by hand below.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from checker_certificates import KINKED, certificate, one_map, piece, rows, sample


def pairs(*texts: tuple[str, str]) -> dict[str, Any]:
    """A switched system from texts of its matrices."""
    return {"switched": {"A": [rows(A) for A, _ in texts], "B": [rows(B) for _, B in texts]}}


def tree(rate: str, *words: str, P: str = "1") -> dict[str, Any]:
    return {"method": "word_tree", "rate": rate, "P": rows(P), "words": [word.split() for word in words]}


def point(word: str, then: str, matrix: str) -> dict[str, Any]:
    return {"word": word.split(), "then": then.split(), "matrix": rows(matrix)}


def cells(**directions: str) -> dict[str, Any]:
    """Cells, one for each word: c01 is the word 0 1."""
    return {"cells": [{"word": list(word[1:]), "direction": rows(C)} for word, C in directions.items()]}


def ball(centre: str, radius: str, *core: str) -> dict[str, Any]:
    """A ball, by a core of a radius and a growth."""
    inside = {"core": dict(zip(("radius", "growth"), core, strict=True))} if core else {}
    return {"centre": rows(centre), "radius": radius, **inside}


def bound(upper: str, *words: str, lower: str | None = None, **attained: Any) -> dict[str, Any]:
    low = {} if lower is None else {"lower": lower, **attained}
    return {"upper": upper, "words": [word.split() for word in words], **low}


CANTOR = pairs(("1/3", "0"), ("1/3", "2/3"))
DIGITS = pairs(("1/2", "0"), ("1/2", "1/2"))
FLIPPED = pairs(("-1/2", "0"), ("-1/2", "1"))
CONSTANTS = pairs(("0", "0"), ("0", "1"))
THIRDS, HALVES = tree("1/3", "0", "1"), tree("1/2", "0", "1")
# f_0 = 0, f_1(x) = 1 - 9/10 x: in K there are 0, f_1(0) = 1, f_1(1) = 1/10, and what lies between these.
RESET = pairs(("0", "0"), ("-9/10", "1"))
RESETS = tree("9/10", "0", "1 0", "1 1")
# A quarter turn that halves, and then one step to the right or none: x is the sum of d_k (-1/4)^k, so at most 16/15.
SPIRAL = pairs(("0 -1/2; 1/2 0", "0; 0"), ("0 -1/2; 1/2 0", "1; 0"))
TURNS = tree("1/2", "0", "1", P="1 0; 0 1")
FARTHEST = point("0 0 0 1", "", "16/15; 0")
# I - A are the unit matrix and [[0, -1], [1, -1]]: with weights s and t the determinant is s^2 - s t + t^2.
BENT = pairs(("0 0; 0 0", "0; 0"), ("1 1; -1 2", "0; 0"))
CROSSING = pairs(("0", "0"), ("2", "1"))
# G(x) = x + u |x| + v |y| + w |x + y| of the paper on nonsmooth implicit differentiation: six pieces, by the signs of
# x, y and x + y. The mean of the first and the third Jacobian of G is I + u e_1^T = [[1/2, 0], [1/2, 1]].
SIX = one_map(
    "x y",
    "a b",
    "a + Abs(x)/2 - Abs(y)/2 - Abs(x + y)",
    "b - Abs(x)/2 + Abs(x + y)",
    at={"a": "0", "b": "0"},
    fixed_point={"x": "0", "y": "0"},
    pieces=[
        piece(rows("-1/2 -3/2; 1/2 1"), rows("1 0; 0 1"), "1 1 0 0"),
        piece(rows("-1/2 -1/2; 1/2 1"), rows("1 0; 0 1"), "2 -1 0 0"),
        piece(rows("3/2 3/2; -3/2 -1"), rows("1 0; 0 1"), "1 -2 0 0"),
        piece(rows("1/2 3/2; -1/2 -1"), rows("1 0; 0 1"), "-1 -1 0 0"),
        piece(rows("1/2 1/2; -1/2 -1"), rows("1 0; 0 1"), "-2 1 0 0"),
        piece(rows("-3/2 -3/2; 3/2 1"), rows("1 0; 0 1"), "-1 2 0 0"),
    ],
)
CLARKE = {
    "sign": "1",
    "tree": [],
    "weights": ["1/2", "0", "1/2", "0", "0", "0"],
    "matrix": rows("2 0; -1 1"),
    "direction": rows("1 0; 0 0"),
}
SIDES = r"pieces/\d/direction"
PROOF = r"witness/(P|rate)"

LIMITS: dict[str, tuple[dict[str, Any], str]] = {  # with the places where some other numbers do as well
    "interval of relu": (
        certificate(
            KINKED,
            "piggyback_interval",
            "proved",
            {**HALVES, "lower": "-2/3", "upper": "4/3"},
            lower="-2/3",
            upper="4/3",
        ),
        f"{SIDES}|{PROOF}",
    ),
    "interval of a Cantor set": (
        certificate(CANTOR, "piggyback_interval", "proved", {**THIRDS, "lower": "0", "upper": "1"}),
        f"{PROOF}|switched/A/0",
    ),
    "another interval": (
        certificate(FLIPPED, "piggyback_interval", "refuted", {**HALVES, "lower": "-2/3", "upper": "4/3"}, upper="1"),
        f"{PROOF}|claim/upper",
    ),
    "a quarter is in the Cantor set": (
        certificate(
            CANTOR, "in_piggyback_set", "proved", {**THIRDS, **point("0 1", "0", "3/4")}, value=[["1/4"]], hull="false"
        ),
        PROOF,
    ),
    "a half is not in the Cantor set": (
        certificate(
            CANTOR,
            "in_piggyback_set",
            "refuted",
            {**THIRDS, **ball("1/2", "1/2"), **cells(c0="1", c1="-1")},
            value=[["1/2"]],
        ),
        f"{PROOF}|switched/B|switched/A|witness/radius|witness/centre|witness/cells|claim/value",
    ),
    "between the ends": (
        certificate(
            KINKED,
            "in_piggyback_set",
            "proved",
            {**HALVES, "lower": "-2/3", "upper": "4/3"},
            value=[["1/7"]],
            hull="true",
        ),
        f"{SIDES}|{PROOF}|claim/value",
    ),
    "a mean of pairs": (
        certificate(
            FLIPPED,
            "in_piggyback_set",
            "proved",
            {**HALVES, "weights": ["1/2", "1/2"]},
            value=[["1/3"]],
            hull="true",
        ),
        PROOF,
    ),
    "the image by a mean of pairs": (
        certificate(
            FLIPPED,
            "in_piggyback_set",
            "proved",
            {**HALVES, **point("0 1", "", "4/3"), "weights": ["1/4", "3/4"]},
            value=[["1/12"]],
            hull="true",
        ),
        PROOF,
    ),
    "beyond the hull": (
        certificate(
            FLIPPED,
            "in_piggyback_set",
            "refuted",
            {**HALVES, **ball("1/3", "1"), **cells(c="1")},
            value=[["3/2"]],
            hull="true",
        ),
        f"{PROOF}|switched/[AB]|witness/radius|witness/centre|witness/cells|claim/value",
    ),
    "the box of binary digits": (
        certificate(
            DIGITS,
            "piggyback_bounds",
            "proved",
            {
                **HALVES,
                **ball("1/2", "1/2"),
                "bounds": [
                    bound("1", "", lower="1", **point("1", "", "1")),
                    bound("0", "0", "0 1", "1 1", lower="0", **point("0", "0 0", "0")),
                ],
            },
            tolerance="0",
        ),
        f"{PROOF}|claim/tolerance|witness/bounds/1/then",
    ),
    "a bound of the spiral": (
        certificate(
            SPIRAL,
            "piggyback_bounds",
            "proved",
            {**TURNS, **ball("2/5; 1/5", "1"), "bounds": [bound("23/20", "0", "0 1", "1 1")]},
            directions=[rows("1; 0")],
            upper=["23/20"],
        ),
        f"{PROOF}|switched/[AB]|witness/centre|claim/upper|claim/directions|witness/radius",
    ),
    "the spiral is larger": (
        certificate(
            SPIRAL,
            "piggyback_bounds",
            "refuted",
            {**TURNS, "index": "0", **FARTHEST},
            directions=[rows("1; 0")],
            upper=["1"],
        ),
        f"{PROOF}|claim/directions|claim/upper|switched/B/0|switched/A",
    ),
    "a bound by a core": (
        certificate(
            RESET,
            "piggyback_bounds",
            "proved",
            {**RESETS, **ball("0", "28/19", "10/19", "9/10"), "bounds": [bound("28/19", "")]},
            directions=[rows("1")],
            upper=["28/19"],
        ),
        f"{PROOF}|switched/[AB]|claim/directions|claim/upper|witness/core|witness/radius|witness/centre",
    ),
    "relu is strict": (
        certificate(
            KINKED,
            "implicit_is_strict",
            "proved",
            {**HALVES, "word": ["1", "0"], "matrix": [["-2/3"]], "shortest": "true"},
        ),
        f"{SIDES}|{PROOF}",
    ),
    "relu is strict with its hull": (
        certificate(
            KINKED,
            "implicit_is_strict",
            "proved",
            {**HALVES, "word": ["1", "0"], "matrix": [["-2/3"]], "direction": [["-1"]]},
            hull="true",
        ),
        f"{SIDES}|{PROOF}|witness/direction",
    ),
    "constants are not strict": (
        certificate(CONSTANTS, "implicit_is_strict", "refuted", {**HALVES, "points": [[["0"]], [["1"]]]}),
        PROOF,
    ),
    "digits are not strict with their hull": (
        certificate(
            pairs(("1/2", "0"), ("1/3", "2/3")),
            "implicit_is_strict",
            "refuted",
            {
                **HALVES,
                "points": [[["0"]], [["1"]]],
                "coefficients": [[["1", "0"], ["1/2", "1/2"]], [["1/3", "2/3"], ["0", "1"]]],
            },
            hull="true",
        ),
        PROOF,
    ),
    "invertible after halving": (
        certificate(BENT, "implicit_is_invertible", "proved", {"sign": "1", "tree": ["0", "1", [], []]}),
        "switched/[AB]",
    ),
    "two invertible pairs": (
        certificate(CROSSING, "implicit_is_invertible", "proved", {}, hull="false"),
        "switched/[AB]",
    ),
    "not invertible at a mean": (
        certificate(CROSSING, "implicit_is_invertible", "refuted", {"weights": ["1/2", "1/2"]}, hull="true"),
        "switched/B",
    ),
    "not invertible between": (
        certificate(
            CROSSING, "implicit_is_invertible", "refuted", {"weights": ["2/3", "1/3"], "other": ["1/4", "3/4"]}
        ),
        "switched/[AB]",
    ),
    "no pair of one": (
        certificate(
            pairs(("1", "1"), ("1/2", "0")),
            "implicit_is_invertible",
            "refuted",
            {"weights": ["1", "0"]},
            hull="false",
        ),
        "switched/B|switched/A/1",
    ),
    "outside the Clarke Jacobian": (
        certificate(SIX, "implicit_set_exceeds_clarke", "proved", CLARKE),
        f"{SIDES}|witness/direction",
    ),
}


# Another computation of the same facts: a cloud of points, in floats.

Pair = tuple[np.ndarray, np.ndarray]
CLOSE = 1e-3


def pairs_of(c: dict[str, Any]) -> list[Pair]:
    """The pairs of a certificate."""
    if "switched" in c:
        return [(sample(A), sample(B)) for A, B in zip(c["switched"]["A"], c["switched"]["B"], strict=True)]
    return [(sample(p["A"]), sample(p["B"])) for p in c["pieces"]]


def cloud(found: list[Pair], depth: int = 13) -> np.ndarray:
    """Points of the piggyback set along all words of so many letters, n by p by m."""
    A, B = found[0]
    points = np.linalg.solve(np.eye(len(A)) - A, B)[None]
    for _ in range(depth):
        points = np.concatenate([A @ points + B for A, B in found])
    return points


def implicit(found: list[Pair]) -> np.ndarray:
    return np.array([np.linalg.solve(np.eye(len(A)) - A, B) for A, B in found])


def means(count: int, steps: int = 16) -> np.ndarray:
    """Weights on a grid."""
    if count == 1:
        return np.ones((1, 1))
    return np.array([[*((1 - t) * w), t] for w in means(count - 1, steps) for t in np.linspace(0, 1, steps + 1)])


def is_true(c: dict[str, Any]) -> bool:
    """Whether a certificate states the truth, as far as a cloud of points shows it."""
    proved, found = c["claim"]["verdict"] == "proved", pairs_of(c)
    return TRUTHS[c["claim"]["kind"]](c["claim"], c["witness"], found) == proved


def interval(claim: dict[str, Any], witness: dict[str, Any], found: list[Pair]) -> bool:
    points = cloud(found)
    ends = {"lower": points.min(), "upper": points.max()}
    assert all(abs(float(sample([[witness[end]]])[0, 0]) - x) < CLOSE for end, x in ends.items())
    return all(abs(sample([[claim[end]]])[0, 0] - x) < CLOSE for end, x in ends.items() if end in claim)


def element(claim: dict[str, Any], witness: dict[str, Any], found: list[Pair]) -> bool:
    value, points = sample(claim["value"]), cloud(found)
    if claim.get("hull") == "true":  # of numbers
        return bool(points.min() - CLOSE < value[0, 0] < points.max() + CLOSE)
    return bool(abs(points - value).max(axis=(1, 2)).min() < CLOSE)


def bounds(claim: dict[str, Any], witness: dict[str, Any], found: list[Pair]) -> bool:
    points = cloud(found)
    _, p, m = points.shape
    default = [sign * unit.reshape(p, m) for unit in np.eye(p * m) for sign in (1, -1)]
    directions = [sample(C) for C in claim["directions"]] if "directions" in claim else default
    least = [(points * C).sum(axis=(1, 2)).max() for C in directions]
    if "upper" in claim:
        return all(sample([[h]])[0, 0] > x - CLOSE for h, x in zip(claim["upper"], least, strict=True))
    stated = [(sample([[b["upper"]]])[0, 0], sample([[b["lower"]]])[0, 0]) for b in witness["bounds"]]
    assert all(
        low - CLOSE < x < high + CLOSE for (low, high), x in zip(((b, a) for a, b in stated), least, strict=True)
    )
    return all(high - low <= sample([[claim["tolerance"]]])[0, 0] for high, low in stated)


def strict(claim: dict[str, Any], witness: dict[str, Any], found: list[Pair]) -> bool:
    points, solutions = cloud(found), implicit(found)
    if claim.get("hull") == "true":  # of numbers, by positive 1 - a: between the solutions
        return bool(points.min() < solutions.min() - CLOSE or points.max() > solutions.max() + CLOSE)
    return bool(abs(points[:, None] - solutions[None]).max(axis=(2, 3)).min(axis=1).max() > CLOSE)


def invertible(claim: dict[str, Any], witness: dict[str, Any], found: list[Pair]) -> bool:
    hull = claim.get("hull", "true") == "true"
    grid = means(len(found), 240) if hull else np.eye(len(found))
    values = np.linalg.det([np.eye(len(found[0][0])) - np.tensordot(w, [A for A, _ in found], 1) for w in grid])
    return bool(values.min() > 1e-9 or values.max() < -1e-9) if hull else bool(abs(values).min() > 1e-9)


def exceeds(claim: dict[str, Any], witness: dict[str, Any], found: list[Pair]) -> bool:
    w = sample([witness["weights"]])[0]
    A, B = (np.tensordot(w, [pair[k] for pair in found], 1) for k in (0, 1))
    X, C = np.linalg.solve(np.eye(len(A)) - A, B), sample(witness["direction"])
    grid = means(len(found), 4)
    dets = np.linalg.det([np.eye(len(A)) - np.tensordot(w, [A for A, _ in found], 1) for w in grid])
    beyond = (C * X).sum() > max((C * Y).sum() for Y in implicit(found)) + 1e-9
    return bool(beyond and np.allclose(X, sample(witness["matrix"])) and dets.min() * dets.max() > 0)


TRUTHS = {
    "piggyback_interval": interval,
    "in_piggyback_set": element,
    "piggyback_bounds": bounds,
    "implicit_is_strict": strict,
    "implicit_is_invertible": invertible,
    "implicit_set_exceeds_clarke": exceeds,
}

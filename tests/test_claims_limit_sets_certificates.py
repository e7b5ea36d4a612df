"""Changing any number of a certificate about limit sets: it is refused, or its claim is true by brute force."""

from __future__ import annotations

import json
import random
from fractions import Fraction
from functools import cache
from itertools import product

import numpy as np
import pytest
import sympy as sp
from certificate_helper import assert_certified, assert_changes_matter, holds
from limit_set_systems import ALONG_WORDS, CANTOR, MIRRORED, RELU, RELU_MAP, SEGMENT, TURNING, scalars
from scipy.optimize import linprog
from strategies import jacobian_near

from piggycheck.checker import implicit_sets, limit_sets
from piggycheck.claims import (
    ImplicitIsInvertible,
    ImplicitIsStrict,
    ImplicitSetExceedsClarke,
    InPiggybackSet,
    PiggybackBounds,
    PiggybackInterval,
    prove,
)
from piggycheck.expression import parse
from piggycheck.switched import SwitchedSystem

CASES = {
    "interval proved": (PiggybackInterval(lower="-2/3", upper="4/3"), RELU),
    "interval proved of a map": (PiggybackInterval(lower="-2/3"), RELU_MAP),
    "interval refuted": (PiggybackInterval(upper=1), RELU),
    "strict proved": (ImplicitIsStrict(), CANTOR),
    "strict proved of a map": (ImplicitIsStrict(), RELU_MAP),
    "strict proved of matrices": (ImplicitIsStrict(), ALONG_WORDS),
    "strict proved of the hull": (ImplicitIsStrict(hull=True), TURNING),
    "strict refuted": (ImplicitIsStrict(), scalars((0, 0), (0, "1/2"))),
    "strict refuted of the hull": (ImplicitIsStrict(hull=True), CANTOR),
    "inside proved": (InPiggybackSet(value="7/9"), CANTOR),
    "inside proved of a map": (InPiggybackSet(value="1/3"), RELU_MAP),
    "inside proved of matrices": (InPiggybackSet(value=[[0], [1]]), TURNING),
    "inside proved by weights": (InPiggybackSet(value=[[0], ["3/4"]], hull=True), SEGMENT),
    "inside proved by the ends": (InPiggybackSet(value="1/2", hull=True), CANTOR),
    "inside refuted": (InPiggybackSet(value="1/2"), CANTOR),
    "inside refuted along words": (InPiggybackSet(value=[[9], [-9]]), ALONG_WORDS),
    "inside refuted of the hull": (InPiggybackSet(value=[[10], [1]], hull=True), TURNING),
    "bounds found": (PiggybackBounds(tolerance="1/4"), TURNING),
    "bounds found along words": (PiggybackBounds(directions=[[[1], [1]]], tolerance=2), ALONG_WORDS),
    "bounds proved": (PiggybackBounds(directions=[[[1]], [[-2]]], upper=["3/2", 2]), RELU),
    "bounds refuted": (PiggybackBounds(directions=[[[1]], [[-2]]], upper=["3/2", 1]), RELU),
    "invertible proved": (
        ImplicitIsInvertible(),
        SwitchedSystem.from_rows([[[0, 0], [0, 0]], [[1, -1], [1, 1]]]),
    ),
    "invertible proved of pairs": (ImplicitIsInvertible(hull=False), scalars((0, 1), (2, 1))),
    "invertible refuted": (ImplicitIsInvertible(), scalars((0, 1), (2, 1))),
    "invertible refuted of pairs": (ImplicitIsInvertible(hull=False), scalars((0, 1), (1, 1))),
    "Clarke": (ImplicitSetExceedsClarke(), MIRRORED),
}


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(name):
    claim, subject = CASES[name]
    content = assert_certified(prove(claim, subject, None if isinstance(subject, SwitchedSystem) else {"theta": 0}))
    assert_changes_matter(content, is_true)


def test_every_kind_of_certificate_is_among_the_cases():
    seen = set()
    for claim, subject in CASES.values():
        verdict = prove(claim, subject, None if isinstance(subject, SwitchedSystem) else {"theta": 0})
        seen.add((verdict.kind, verdict.name, json.loads(verdict.certificate.text())["witness"].get("method", "")))
    assert {*limit_sets.RULES, *implicit_sets.RULES} == seen


def test_balls_with_a_core_are_among_the_cases():
    for name in ("inside refuted along words", "bounds found along words"):
        content = assert_certified(prove(*CASES[name]))
        assert {"radius", "growth"} == content["witness"]["core"].keys()


@pytest.mark.parametrize("name", CASES)
def test_the_negation_is_not_certified(name):
    claim, subject = CASES[name]
    content = assert_certified(prove(claim, subject, None if isinstance(subject, SwitchedSystem) else {"theta": 0}))
    content["claim"]["verdict"] = "refuted" if content["claim"]["verdict"] == "proved" else "proved"
    assert not holds(content)


# The claims again, in floating point: by all words up to some length, over a grid of weights, by linear programs


def is_true(content):
    claim = content["claim"]
    return globals()[f"{claim['kind']}_is"](pairs_of(content), claim, content["witness"]) == (
        claim["verdict"] == "proved"
    )


def number(text):
    return float(Fraction(text))


def matrix(rows):
    return np.array([[number(entry) for entry in row] for row in rows])


def pairs_of(content):
    """The pairs: as given, or the Jacobians at random points near the fixed point."""
    key = json.dumps(
        content["switched"] if "switched" in content else [content["map"], content["at"], content["fixed_point"]]
    )
    if key not in _SEEN:
        _SEEN[key] = _pairs(content)
    return _SEEN[key]


_SEEN: dict[str, tuple] = {}


def _pairs(content):
    if "switched" in content:
        return tuple(
            (matrix(A), matrix(B)) for A, B in zip(content["switched"]["A"], content["switched"]["B"], strict=True)
        )
    names = [sp.Symbol(name, real=True) for name in (*content["map"]["state"], *content["map"]["parameters"])]
    point = {**content["fixed_point"], **content["at"]}
    following = [parse(text, names) for text in content["map"]["next"]]
    p, dice, found = len(content["map"]["state"]), random.Random(1), {}
    for _ in range(40):
        near = {v: Fraction(point[v.name]) + Fraction(dice.randint(-(10**6), 10**6), 10**12) for v in names}
        rows = jacobian_near(following, names, near)
        if rows is not None:
            found[str(rows)] = np.array([[float(c) for c in row] for row in rows])
    return tuple((M[:, :p], M[:, p:]) for M in found.values())


def contracts(pairs, length=6):
    products = [np.eye(len(pairs[0][0]))]
    for _ in range(length):
        products = [M @ N for N in products for M, _ in pairs]
    return max(max(abs(np.linalg.eigvals(M))) for M in products) < 1


def reached(pairs, most=3000):
    """Points of the set: fixed points of words of up to four letters, moved on by all words of some length."""
    key = str(pairs)
    if key not in _REACHED:
        points = [X for n in (1, 2, 3, 4) for X in fixed_points(pairs, n)]
        while len(points) * len(pairs) <= most:
            points = [A @ X + B for X in points for A, B in pairs]
        _REACHED[key] = np.array(points)
    return _REACHED[key]


_REACHED: dict[str, np.ndarray] = {}


def fixed_points(pairs, length):
    for word in product(pairs, repeat=length):
        A_w, B_w = np.eye(len(pairs[0][0])), np.zeros_like(pairs[0][1])
        for A, B in word:
            A_w, B_w = A @ A_w, A @ B_w + B
        yield np.linalg.solve(np.eye(len(A_w)) - A_w, B_w)


def combination(points, X):
    """Whether X is a convex combination, up to rounding."""
    columns = np.array([Y.ravel() for Y in points]).T
    equations, values = np.vstack([columns, np.ones(len(points))]), np.append(X.ravel(), 1.0)
    return linprog(np.zeros(len(points)), A_eq=equations, b_eq=values, bounds=(0, None)).status == 0


def piggyback_interval_is(pairs, claim, witness):
    ends = {"lower": reached(pairs).min(), "upper": reached(pairs).max()}
    return contracts(pairs) and all(abs(number(claim[key]) - end) < 1e-3 for key, end in ends.items() if key in claim)


def implicit_is_strict_is(pairs, claim, witness):
    assert contracts(pairs)
    implicit = list(fixed_points(pairs, 1))

    def outside(X):
        if claim.get("hull") == "true":
            return not combination([X - A @ X - B for A, B in pairs], np.zeros_like(X))
        return min(abs(X - Y).max() for Y in implicit) > 1e-9

    return any(outside(X) for n in (2, 3, 4) for X in fixed_points(pairs, n))


def in_piggyback_set_is(pairs, claim, witness):
    X = matrix(claim["value"])
    assert contracts(pairs)
    if claim.get("hull") == "true":
        return combination(reached(pairs)[::5], X) or combination(list(fixed_points(pairs, 1)), X)
    return abs(reached(pairs) - X).max(axis=(1, 2)).min() < 1e-2


def piggyback_bounds_is(pairs, claim, witness):
    """With a tolerance alone the claim is true; what was found must be, too."""
    assert contracts(pairs)
    p, m = pairs[0][1].shape
    units = np.eye(p * m).reshape(p * m, p, m)
    directions = (
        [matrix(C) for C in claim["directions"]] if "directions" in claim else [s * U for U in units for s in (1, -1)]
    )
    largest = [(reached(pairs) * C).sum(axis=(1, 2)).max() for C in directions]
    found = witness.get("bounds", [])
    assert all(h <= number(bound["upper"]) + 1e-9 for h, bound in zip(largest, found, strict=bool(found)))
    if "upper" in claim:
        return all(h <= number(text) + 1e-9 for h, text in zip(largest, claim["upper"], strict=True))
    return all(
        number(bound["upper"]) - h <= number(claim["tolerance"]) + 1e-2 for h, bound in zip(largest, found, strict=True)
    )


@cache
def weights(count):
    return [np.array(w) / 30 for w in product(range(31), repeat=count) if sum(w) == 30]


def implicit_is_invertible_is(pairs, claim, witness):
    listed = np.eye(len(pairs)) if claim.get("hull") == "false" else weights(len(pairs))
    values = [
        np.linalg.det(np.eye(len(pairs[0][0])) - sum(w * A for w, (A, _) in zip(chosen, pairs, strict=True)))
        for chosen in listed
    ]
    smallest = min(map(abs, values))
    return smallest > 1e-9 and (claim.get("hull") == "false" or min(values) > 0 or max(values) < 0)


def implicit_set_exceeds_clarke_is(pairs, claim, witness):
    solutions = list(fixed_points(pairs, 1))
    for chosen in weights(len(pairs)):
        A, B = (sum(w * pair[k] for w, pair in zip(chosen, pairs, strict=True)) for k in (0, 1))
        if not combination(solutions, np.linalg.solve(np.eye(len(A)) - A, B)):
            return True
    return False


def test_brute_force_is_no_rubber_stamp():
    content = assert_certified(prove(PiggybackInterval(lower="-2/3"), RELU))
    assert not is_true({**content, "claim": {**content["claim"], "lower": "-3/4"}})
    assert not is_true({**content, "claim": {**content["claim"], "verdict": "refuted"}})
    content = assert_certified(prove(InPiggybackSet(value="1/2"), CANTOR))
    assert not is_true({**content, "claim": {**content["claim"], "value": [["1/4"]]}})

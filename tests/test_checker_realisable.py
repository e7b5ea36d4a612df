"""Words that iterates follow while they converge to the fixed point: possible ones, realised ones, and no others."""

from __future__ import annotations

import re
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from certificate_changes import changed_numbers, with_changes
from checker_certificates import certificate, form_tree, one_map, piece, rows
from hypothesis import given, settings
from hypothesis import strategies as st

from piggycheck.checker import Refused, Unreadable, check
from piggycheck.checker.realisable import passages, recurrent
from piggycheck.checker.subject import FixedPoint

REALISABLE = "realisable"
BOUNCE = "Piecewise((-2*x, x >= 0), (-x/8, True)) + theta"


def at_zero(state: str, *next_: str, pieces: list[dict[str, Any]], **rest: Any) -> dict[str, Any]:
    zero = dict.fromkeys(state.split(), "0")
    return one_map(state, "theta", *next_, at={"theta": "0"}, fixed_point=zero, pieces=pieces, **rest)


# x is multiplied with -2 and -1/8 by turns: 1/4 in two steps, though each of the words 0 0 0 ... multiplies with -2
BOUNCING = at_zero(
    "x", BOUNCE, pieces=[piece([["-2"]], [["1"]], "1 0"), piece([["-1/8"]], [["1"]], "-1 0")], start={"x": "1"}
)
TRANSITIONS = {"graph": [["0", "1", "1"], ["1", "0", "0"]], "memory": "1"}
TREE = form_tree("1/2", 2, "1 0; 0 16")
# ... while the derivatives of y in theta grow by 3/2 per step, though y stays 0
RUNNING = at_zero(
    "x y",
    BOUNCE,
    "3/2*y + theta",
    pieces=[
        piece(rows("-2 0; 0 3/2"), rows("1; 1"), None),
        piece(rows("-1/8 0; 0 3/2"), rows("1; 1"), None),
    ],
)
WORD = {"method": "word", "word": ["0", "1"], "modulus_lower": "9/4"}
ITERATES = {"directions": [["1", "0"]], "multipliers": [["1/4"]]}
GROWTH = {**WORD, "growth_lower": "3/2", "column": "0", **ITERATES}
J0 = {"J0": rows("0; 1")}

# to the right of x = 0, the eigenvalue 1/2 + sqrt(1/8) has the eigenvector (1, sqrt 2, 0); derivatives of z grow
BESIDE = at_zero(
    "x y z",
    "Piecewise((x/2, x >= 0), (x/3, True)) + y/4 + theta",
    "x/2 + y/2",
    "3/2*z + theta",
    pieces=[
        piece(rows("1/2 1/4 0; 1/2 1/2 0; 0 0 3/2"), rows("1; 0; 1"), "1 0 0 0"),
        piece(rows("1/3 1/4 0; 1/2 1/2 0; 0 0 3/2"), rows("1; 0; 1"), "-1 0 0 0"),
    ],
)
CONE = {"directions": rows("5/6 1 0; 1/2 1 0"), "multipliers": rows("5/8 7/24; 3/8 3/8")}
BESIDE_WORD = {"method": "word", "word": ["0"], "modulus_lower": "3/2"}

VALID = {
    "converge": certificate({**BOUNCING, **TRANSITIONS}, "converges", "proved", TREE, words=REALISABLE, rate="1/2"),
    "are bounded": certificate({**BOUNCING, **TRANSITIONS}, "diverges", "refuted", TREE, words=REALISABLE),
    "do not converge": certificate(RUNNING, "converges", "refuted", {**WORD, **ITERATES}, words=REALISABLE),
    "diverge": certificate({**RUNNING, **J0}, "diverges", "proved", GROWTH, words=REALISABLE),
    "diverge in a plane": certificate(
        {**BESIDE, "J0": rows("0; 0; 1")},
        "diverges",
        "proved",
        {**BESIDE_WORD, "growth_lower": "3/2", "column": "0", **CONE},
        words=REALISABLE,
    ),
}


class Real:
    """The map of a certificate, computed in fractions."""

    def __init__(self, c: dict[str, Any]) -> None:
        self.names = c["map"]["state"]
        self.next = [re.sub(r"(\d+(?:/\d+)?)", r"Fraction('\1')", e) for e in c["map"]["next"]]
        self.theta = Fraction(c["at"]["theta"])

    def __call__(self, x: list[Fraction], theta: Fraction) -> list[Fraction]:
        def piecewise(*pairs: tuple[Fraction, bool]) -> Fraction:
            return next(value for value, holds in pairs if holds)

        values = {**dict(zip(self.names, x, strict=True)), "theta": theta, "Piecewise": piecewise, "Fraction": Fraction}
        return [eval(e, values) for e in self.next]


def derivatives_grow(c: dict[str, Any], sign: int, steps: int = 24) -> tuple[float, bool]:
    """Growth per step of a difference of iterates, and whether the iterates converge to the fixed point."""
    F, scale = Real(c), Fraction(1, 10**12)
    zero = [Fraction(e) for e in c["fixed_point"].values()]
    d = [Fraction(e) for e in c["witness"].get("directions", [["1"]])[0]]
    x = [z + sign * scale * a for z, a in zip(zero, d, strict=True)]
    tiny = [Fraction(1, 10**60)] * len(x)
    y = [a + e for a, e in zip(x, tiny, strict=True)]
    for _ in range(steps):
        x, y = F(x, F.theta), F(y, F.theta)
    distance = max(abs(a - b) for a, b in zip(x, y, strict=True)) / tiny[0]
    left = max(abs(a - z) for a, z in zip(x, zero, strict=True)) / scale
    return float(distance) ** (1 / steps), 0 < left < Fraction(1, 10)


def is_true(c: dict[str, Any]) -> bool:
    """By following iterates, one on either side."""
    seen = [derivatives_grow(c, sign) for sign in (1, -1)]
    rates = [rate for rate, converges in seen if converges]
    if c["claim"]["verdict"] == "proved" and c["claim"]["kind"] == "converges":
        return max(rates, default=0) <= float(Fraction(c["claim"].get("rate", 1))) * 1.1
    if c["claim"]["kind"] == "diverges" and c["claim"]["verdict"] == "refuted":
        return max(rates, default=0) < 1.1
    least = float(Fraction(c["witness"].get("growth_lower", c["claim"].get("rate", 1))))
    return seen[0][1] and seen[0][0] > least * 0.9 and seen[0][0] > 1.1


@pytest.mark.parametrize("name", VALID)
def test_a_changed_number_is_refused_unless_the_claim_stays_true(name: str) -> None:
    valid = VALID[name]
    assert "without reaching it" in check(valid)
    assert is_true(valid)
    refused = 0
    for path, data in changed_numbers(valid):
        try:
            check(data)
        except (Refused, Unreadable):
            refused += 1
        else:
            assert is_true(data), f"{path} was changed"
    assert refused > 10


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    return with_changes(VALID[name], *changes)


def following(next_: str, A: tuple[Any, Any] = ("-2", "-1/8")) -> dict[str, Any]:
    """Another map of one coordinate, with the same words."""
    pieces = [piece([[a]], [["1"]], None) for a in A]
    return changed("converge", ("map/next/0", next_), ("pieces", pieces))


def without(name: str, *keys: str) -> dict[str, Any]:
    return {key: value for key, value in VALID[name].items() if key not in keys}


CURVED = "Piecewise((x/2, x + y**2 >= 0), (x/3, True)) + y/4 + theta"
ELSEWHERE = "Piecewise((x/2, x + 1 - y**2 >= 0), (x/3, True)) + y/4 + theta"  # curved, but not through the fixed point
TWICE = [["0", "0", "1"], ["1", "1", "0"]]  # the nodes are the words 0 1 and 1 0
THREE_EDGES = ("witness/words", [["0"], ["1"], ["2"]])
PLANE = at_zero(
    "x y",
    "Piecewise((x/2, y >= 0), (x/3, True)) + theta",
    "y/2",
    pieces=[piece(rows("1/2 0; 0 1/2"), rows("1; 0"), "0 1 0"), piece(rows("1/3 0; 0 1/2"), rows("1; 0"), "0 -1 0")],
)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (changed("converge", ("graph", TRANSITIONS["graph"][:1]), ("witness/words", [["0"]])), "not proved impossible"),
        (changed("converge", ("graph", []), ("witness/words", [])), "not proved impossible"),
        (changed("converge", ("graph/1", ["1", "0", "1"])), "not proved impossible"),
        (changed("converge", ("graph/1", ["0", "1", "1"])), "not proved impossible"),
        (changed("converge", ("graph", [*TRANSITIONS["graph"], TRANSITIONS["graph"][0]])), "listed twice"),
        (changed("converge", ("graph/1", ["1", "2", "0"])), "integer from 0 to 1"),
        (changed("converge", ("memory", "2")), "not proved impossible"),
        (changed("converge", ("memory", "2"), ("graph", TWICE), ("witness/P", rows("16 0; 0 1"))), None),
        (changed("converge", ("memory", "0")), "integer from 1"),
        (changed("converge", ("memory", "-1")), "integer from 1"),
        (changed("converge", ("memory", "1000")), "integer from 1"),
        (changed("converge", ("witness/rate", "49/100")), "not proved along"),
        (changed("converge", ("claim/rate", "49/100")), "larger than the claimed"),
        (changed("converge", ("claim/words", "all")), "or not there"),
        (changed("converge", ("pieces", BOUNCING["pieces"][:1]), ("graph", [["0", "0", "0"]])), "not in the list"),
        (changed("converge", ("pieces", BOUNCING["pieces"][1:]), ("graph", [["0", "0", "0"]])), "not in the list"),
        (without("converge", "graph"), "missing key `graph`"),
        (without("converge", "memory"), "missing key `memory`"),
        ({**VALID["converge"], "J0": [["1"]]}, "unknown key `J0`"),
        (changed("converge", ("witness/trap", {})), "unknown key `trap`"),
        (changed("converge", ("claim", {"kind": "converges", "verdict": "proved", "statement": ""})), "unknown key"),
        (changed("are bounded", ("claim/word_length", "2")), "unknown key `word_length`"),
        # one edge more is no harm but to the rate
        (changed("converge", ("graph", [*TRANSITIONS["graph"], ["1", "1", "1"]]), THREE_EDGES), None),
        (changed("converge", ("graph", [*TRANSITIONS["graph"], ["0", "0", "0"]]), THREE_EDGES), "not proved along"),
        # maps that are not affine in the state, not continuous, or whose words are others
        (following("Piecewise((-2*x - x**2, x >= 0), (-x/8, True)) + theta"), "not affine"),
        (following("Piecewise((-2*x, x + x**3 >= 0), (-x/8, True)) + theta"), "not affine"),
        (following(f"{BOUNCE} + x*(sqrt(2) - sqrt(2))"), "no piece of the map"),
        (following(f"{BOUNCE} + x*(sqrt(2) - sqrt(2))", (["-3", "-1"], ["-1", "1"])), "rational coefficients"),
        (following("Piecewise((-2*x, x >= theta), (-x/8, True)) + theta"), None),
        (following("Piecewise((-2*x, x >= 0 and theta >= 0), (-x/8, True)) + theta"), "proved to be continuous"),
        (following("Piecewise((-2*x, theta >= 0), (-x/8, True)) + theta"), "proved to be continuous"),
        (following("Piecewise((-2*x, x <= 0), (-x/8, True)) + theta"), None),
        (following("Piecewise((2*x, x >= 0), (x/8, True)) + theta", ("2", "1/8")), "not proved impossible"),
        (following(f"{BOUNCE} + Max(theta, 0)*x"), None),
        (certificate({**PLANE, **TRANSITIONS}, "converges", "proved", TREE, words=REALISABLE), "to be continuous"),
        # realised words
        (changed("diverge", ("witness/directions", [["0", "0"]])), "not independent"),
        (changed("diverge", ("witness/directions", [["-1", "0"]])), "does not lead through piece 0"),
        (changed("diverge", ("witness/directions", [["0", "1"]])), "along the boundary"),
        (changed("diverge", ("witness/directions", [["1", "1"]])), "stated multiples"),
        (changed("diverge", ("witness/multipliers", [["1/5"]])), "stated multiples"),
        (changed("diverge", ("witness/multipliers", [["1"]])), "between 0 and 1"),
        (changed("diverge", ("witness/multipliers", [["0"]])), "between 0 and 1"),
        (changed("diverge", ("witness/multipliers", [["-1/4"]])), "is negative"),
        (changed("diverge", ("witness/directions", []), ("witness/multipliers", [])), "no direction"),
        (changed("diverge in a plane", ("witness/directions/1", ["5/3", "2", "0"])), "not independent"),
        (changed("diverge in a plane", ("witness/directions/1", ["-1/2", "-1", "0"])), "different sides"),
        (changed("diverge in a plane", ("witness/directions/1", ["0", "6", "0"])), "along the boundary"),
        (changed("diverge in a plane", ("witness/directions/1", ["1/2", "2", "0"])), "stated multiples"),
        (changed("diverge in a plane", ("witness/directions/1", ["1/2", "1", "1"])), "stated multiples"),
        (changed("diverge in a plane", ("witness/multipliers/0", ["5/8", "1/2"])), "between 0 and 1"),
        (changed("diverge in a plane", ("witness/multipliers/0", ["5/8", "-1/24"])), "is negative"),
        (changed("diverge in a plane", ("witness/multipliers/1", ["0", "0"])), "between 0 and 1"),
        (changed("diverge in a plane", ("map/next/0", CURVED)), "not affine"),
        (changed("diverge in a plane", ("map/next/0", ELSEWHERE), ("pieces", BESIDE["pieces"][:1])), None),
        (changed("diverge", ("witness/word", ["0", "0"])), "does not lead through piece 0"),
        (changed("diverge", ("witness/word", ["1", "0"])), "does not lead through piece 1"),
        (changed("diverge", ("witness/word", ["0"])), "stated multiples"),
        (changed("diverge", ("witness/word", [])), "empty"),
        (changed("diverge", ("witness/modulus_lower", "5/2")), "no eigenvalue"),
        (changed("diverge", ("witness/growth_lower", "8/5")), "not proved by the modulus"),
        (changed("diverge", ("witness/growth_lower", "1")), "not above 1"),
        (changed("diverge", ("J0", rows("0; -2"))), "not excite"),
        (changed("diverge", ("map/next/1", "3/2*y + theta + x**2")), "not affine"),
        (changed("diverge", ("map/next/1", "3/2*y + theta + x*theta")), None),  # smooth, and its limit is the same
        (changed("diverge", ("witness/shortest", "true")), "unknown key `shortest`"),
        (without("diverge", "J0"), "`J0` is missing"),
        ({**VALID["diverge"], **TRANSITIONS}, "unknown key"),
        (changed("do not converge", ("witness/modulus_lower", "9/10")), "not contradict"),
        (changed("do not converge", ("witness/modulus_lower", "9/10"), ("claim/rate", "99/100")), "not contradict"),
        (changed("do not converge", ("witness/modulus_lower", "9/10"), ("claim/rate", "9/10")), None),
        (changed("do not converge", ("witness/modulus_lower", "1")), None),
    ],
)
def test_a_false_certificate_is_refused(data: dict[str, Any], reason: str | None) -> None:
    if reason is None:
        check(data)
        return
    with pytest.raises((Refused, Unreadable), match=reason):
        check(data)


entry = st.integers(-3, 3).map(lambda n: Fraction(n, 2))


class Kinked:
    """x -> A x + b |c . x| + e max(x_1, x_2) in the plane."""

    def __init__(self, numbers: list[Fraction]) -> None:
        self.A = [numbers[0:2], numbers[2:4]]
        self.b, self.c, self.e = numbers[4:6], numbers[6:8], numbers[8:10]

    def text(self) -> list[str]:
        kinks = f"Abs(({self.c[0]})*x + ({self.c[1]})*y)", "Max(x, y)"
        coefficients = zip(self.A, self.b, self.e, strict=True)
        return [f"({p})*x + ({q})*y + ({b})*{kinks[0]} + ({e})*{kinks[1]}" for (p, q), b, e in coefficients]

    def slopes(self, sign: int, first: bool) -> list[list[Fraction]]:
        add = [
            [sign * b * c + e * on for c, on in zip(self.c, (first, not first), strict=True)]
            for b, e in zip(self.b, self.e, strict=True)
        ]
        return [[a + d for a, d in zip(*row, strict=True)] for row in zip(self.A, add, strict=True)]

    def met(self, x: Fraction, y: Fraction) -> list[list[Fraction]]:
        return self.slopes(1 if self.c[0] * x + self.c[1] * y >= 0 else -1, x >= y)


@settings(deadline=None, max_examples=25)
@given(st.lists(entry, min_size=10, max_size=10).filter(lambda n: n[6] * n[7] < 0 and n[6] != -n[7]))
def test_words_that_occur_are_found_possible(numbers: list[Fraction]) -> None:
    """From any point, the pieces that are met in three steps are those of a word that was found possible."""
    F = Kinked(numbers)
    listed: list[list[list[Fraction]]] = []
    for M in (F.slopes(sign, first) for sign in (1, -1) for first in (True, False)):
        listed += [] if M in listed else [M]
    pieces = [piece([[str(a) for a in row] for row in M], [[], []], None) for M in listed]
    data = one_map("x y", "", *F.text(), at={}, fixed_point={"x": "0", "y": "0"}, pieces=pieces)
    subject = FixedPoint(data, pieces_needed=True)
    possible = {passage.word for passage in passages(subject, 3)}
    seen = set()
    for x, y in product(range(-3, 4), repeat=2):
        word, d = [], [Fraction(x), Fraction(y)]
        for _ in range(3):
            M = F.met(*d)
            word.append(listed.index(M))
            d = [row[0] * d[0] + row[1] * d[1] for row in M]
        if any(d):
            seen.add(tuple(word))
    assert seen <= possible


def test_words_without_a_past_or_a_future_are_left_out() -> None:
    assert recurrent({(0, 1), (1, 1), (1, 2), (2, 3)}) == {(1, 1)}
    assert recurrent({(0, 1), (1, 2)}) == set()
    assert recurrent({(0, 1), (1, 0), (0, 2)}) == {(0, 1), (1, 0)}

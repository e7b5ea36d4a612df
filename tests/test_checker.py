"""The checker accepts certificates written by hand, and refuses every change of them that makes the claim false."""

from __future__ import annotations

import copy
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import product
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from piggycheck import checker
from piggycheck.checker import Interval, Refused, Unreadable, check

FORMAT = "piggycheck-certificate/1"
CHECKER = Path(checker.__file__)


def certificate(
    subject: dict[str, Any], kind: str, verdict: str, witness: dict[str, Any], **claim: Any
) -> dict[str, Any]:
    heading = {"kind": kind, "verdict": verdict, "statement": "whatever", **claim}
    return copy.deepcopy({"format": FORMAT, **subject, "claim": heading, "witness": witness})


def one_map(state: str, parameters: str, *next_: str, **rest: Any) -> dict[str, Any]:
    return {"map": {"state": state.split(), "parameters": parameters.split(), "next": list(next_)}, **rest}


def piece(A: list[list[str]], B: list[list[str]], direction: str | None) -> dict[str, Any]:
    return {"A": A, "B": B, "direction": None if direction is None else direction.split()}


# The subjects: each number below is from docs/theory or was computed by hand.

HEAVY_BALL = one_map(
    "x y",
    "theta",
    "x - Piecewise((x, x >= 0), (x/4, True)) + 3/4*(x - y)",
    "x",
    at={"theta": "0"},
    start={"x": "theta", "y": "theta"},
    fixed_point={"x": "0", "y": "0"},
    pieces=[
        piece([["3/4", "-3/4"], ["1", "0"]], [["0"], ["0"]], "1 0 0"),
        piece([["3/2", "-3/4"], ["1", "0"]], [["0"], ["0"]], "-1 0 0"),
    ],
)
# A_- A_- A_+ A_+ = [[-9/8, 0], [-27/32, -9/32]], so (1, 0) is a left eigenvector.
GROWTH = {
    "method": "word",
    "word": ["0", "0", "1", "1"],
    "modulus_lower": "9/8",
    "growth_lower": "51/50",
    "column": "0",
}
EIGENVALUE = {"eigenvalue": "-9/8", "left_eigenvector": ["1", "0"], "excitation": ["1"]}

HALVING = one_map(
    "x",
    "theta",
    "x/2 + relu(theta)/3",
    at={"theta": "0"},
    start={"x": "1"},
    fixed_point={"x": "0"},
    pieces=[piece([["1/2"]], [["1/3"]], "0 1"), piece([["1/2"]], [["0"]], None)],
)
TRAPPED = one_map(
    "x y",
    "theta",
    "x/2 + relu(y - 1)/4 + theta",
    "y/4 + Abs(x)/8",
    at={"theta": "0"},
    start={"x": "4", "y": "3"},
    fixed_point={"x": "0", "y": "0"},
    pieces=[
        piece([["1/2", "0"], ["1/8", "1/4"]], [["1"], ["0"]], "1 0 0"),
        piece([["1/2", "0"], ["-1/8", "1/4"]], [["1"], ["0"]], None),
    ],
)
CURVED = one_map(
    "x", "", "x/2 + x**2/8", at={}, start={"x": "1/2"}, fixed_point={"x": "0"}, pieces=[piece([["1/2"]], [[]], "1")]
)
IRRATIONAL = one_map(
    "x",
    "theta",
    "x - sqrt(2)/2*x + theta",
    at={"theta": "0"},
    fixed_point={"x": "0"},
    pieces=[piece([[["29289/100000", "29290/100000"]]], [["1"]], "1 0")],
)
AFFINE = one_map(
    "x",
    "theta",
    "x/2 + theta/3",
    at={"theta": "0"},
    fixed_point={"x": "0"},
    pieces=[piece([["1/2"]], [["1/3"]], "0 0")],
)
KINKED = one_map(
    "x",
    "theta",
    "-x/2 + relu(theta)",
    at={"theta": "0"},
    fixed_point={"x": "0"},
    pieces=[piece([["-1/2"]], [["0"]], "0 -1"), piece([["-1/2"]], [["1"]], "0 1")],
)
HIDDEN_IDENTITY = one_map(
    "x",
    "theta",
    "(relu(x) - relu(-x))/2 + theta",
    at={"theta": "0"},
    fixed_point={"x": "0"},
)
RELU = one_map(
    "x",
    "theta",
    "relu(x)/2 + theta",
    at={"theta": "0"},
    fixed_point={"x": "0"},
    pieces=[piece([["1/2"]], [["1"]], "1 0"), piece([["0"]], [["1"]], "-1 0")],
)
PAIR = {
    "switched": {
        "A": [[["3/4", "-3/4"], ["1", "0"]], [["3/2", "-3/4"], ["1", "0"]]],
        "B": [[["0"], ["0"]], [["0"], ["0"]]],
    }
}
NILPOTENT = {"switched": {"A": [[["1/2", "2"], ["0", "1/2"]], [["0", "0"], ["0", "0"]]], "B": [[["1"], ["0"]]] * 2}}
SCALAR = {"switched": {"A": [[["19/20"]]], "B": [[["1"]]]}}


def clip_like(expression: str) -> dict[str, Any]:
    return one_map("x", "theta", expression)


STEP, GAP = "Piecewise((1, x >= theta), (0, True))", "Piecewise((x, x > 0), (-x, x < 0))"
FIXED = one_map("x", "theta", "x/2 + theta/2", at={"theta": "3"})
SHEARED = {"method": "word_tree", "P": [["1", "0"], ["0", "64"]], "rate": "3/4", "words": [["0"], ["1"]]}
TREE = {"method": "word_tree", "P": [["1"]], "rate": "1/2", "words": [["0"], ["1"]]}
DEEPER = {"method": "word_tree", "P": [["1", "0"], ["0", "1"]], "rate": "3/5", "words": [["0"], ["1", "0"], ["1", "1"]]}


def trap(iteration: str, level: str, growth: str = "1", bits: str = "0") -> dict[str, Any]:
    return {"trap": {"iteration": iteration, "level": level, "growth": growth, "bits": bits}}


# What leaves a claim true, and another computation that says so.


def sample(data: Any) -> np.ndarray:
    """A float matrix from texts, an interval standing as its middle."""
    return np.array(
        [[np.mean([float(Fraction(e)) for e in ([e] if isinstance(e, str) else e)]) for e in row] for row in data]
    )


def matrices(c: dict[str, Any]) -> list[np.ndarray]:
    return [sample(A) for A in (c["switched"]["A"] if "switched" in c else [piece["A"] for piece in c["pieces"]])]


def along(c: dict[str, Any], word: list[str]) -> np.ndarray:
    A = matrices(c)
    result = np.eye(len(A[0]))
    for letter in word:
        result = A[int(letter)] @ result
    return result


def tree_holds(c: dict[str, Any]) -> bool:
    w, P = c["witness"], sample(c["witness"]["P"])
    rate = float(Fraction(w["rate"]))
    gaps = [rate ** (2 * len(u)) * P - along(c, u).T @ P @ along(c, u) for u in w["words"]]
    bound = Fraction(c["claim"].get("rate", 1))
    return (
        Fraction(w["rate"]) <= bound
        and rate < 1
        and np.allclose(P, P.T)
        and min(np.linalg.eigvalsh(P)) > 0
        and min(min(np.linalg.eigvalsh(gap)) for gap in gaps) > -1e-12
    )


def modulus_holds(c: dict[str, Any]) -> bool:
    w = c["witness"]
    r, n = Fraction(w["modulus_lower"]), len(w["word"])
    rate = Fraction(c["claim"].get("rate", 1))
    values, vectors = np.linalg.eig(along(c, w["word"]).T)
    stated = "eigenvalue" not in w or np.allclose(abs(vectors[:, np.argmin(abs(values + 9 / 8))]), [1, 0])
    proved = r <= max(abs(values)) + 1e-12 and stated
    return proved and (Fraction(w["growth_lower"]) ** n <= r if "growth_lower" in w else r >= rate**n)


def trap_holds(step: Callable[..., list[Fraction]], room: float, *guard: int) -> Callable[[dict[str, Any]], bool]:
    """Everything stays as it is at 0 as long as (guard . x)^2 < room."""

    def holds(c: dict[str, Any]) -> bool:
        t, P = c["witness"]["trap"], sample(c["witness"]["P"])
        x = [Fraction(e) for e in c["start"].values()]
        for _ in range(int(t["iteration"])):
            x = step(*x)
        d = np.array([float(e) for e in x])
        reach = float(Fraction(t["level"]) * Fraction(t["growth"])) * (guard @ np.linalg.inv(P) @ guard)
        return (
            tree_holds(c) and d @ P @ d <= float(Fraction(t["level"])) and reach < room and Fraction(t["growth"]) >= 1
        )

    return holds


def positive(*signs: int) -> Callable[[dict[str, Any]], bool]:
    """The first moving coordinate of each direction has the sign of its piece (0: any)."""

    def holds(c: dict[str, Any]) -> bool:
        given = [(s, p["direction"]) for s, p in zip(signs, c["pieces"], strict=True) if p["direction"] is not None]
        return all(s == 0 or s * Fraction(d[GUARD_COORDINATE[len(d), s != 0]]) > 0 for s, d in given)

    return holds


GUARD_COORDINATE = {(3, True): 0, (2, True): 0}


def second(*signs: int) -> Callable[[dict[str, Any]], bool]:
    return lambda c: all(
        s * Fraction(p["direction"][1]) > 0 for s, p in zip(signs, c["pieces"], strict=False) if p["direction"]
    )


def always(c: dict[str, Any]) -> bool:
    return True


def trapped_step(x: Fraction, y: Fraction) -> list[Fraction]:
    return [x / 2 + max(y - 1, Fraction(0)) / 4, y / 4 + abs(x) / 8]


Allowed = dict[str, Callable[[dict[str, Any]], bool]]
DIRECTION, TRAP = r"pieces/\d/direction", r"witness/trap|witness/P|start|witness/rate|claim/rate"
WORD = "witness/word|witness/growth_lower|witness/modulus_lower"
CASES: dict[str, tuple[dict[str, Any], Allowed]] = {
    "heavy ball diverges": (
        certificate(HEAVY_BALL, "diverges", "proved", {**GROWTH, **EIGENVALUE, "shortest": "true"}, word_length="4"),
        {DIRECTION: positive(1, -1), WORD: modulus_holds},
    ),
    "heavy ball does not converge": (
        certificate(HEAVY_BALL, "converges", "refuted", {k: GROWTH[k] for k in ("method", "word", "modulus_lower")}),
        # the fixed point 0 and both pieces are the same at every parameter
        {DIRECTION: positive(1, -1), WORD: modulus_holds, "at/theta": always},
    ),
    "a shorter word than five": (
        certificate(HEAVY_BALL, "diverges", "refuted", GROWTH, word_length="5"),
        {
            DIRECTION: positive(1, -1),
            WORD: modulus_holds,
            "claim/word_length": lambda c: int(c["claim"]["word_length"]) > 4,
        },
    ),
    "no word of length three": (
        certificate(HEAVY_BALL, "diverges", "refuted", {"method": "no_short_word"}, word_length="3"),
        {
            DIRECTION: positive(1, -1),
            "at/theta": always,
            "claim/word_length": lambda c: all(
                max(abs(np.linalg.eigvals(along(c, w)))) < 1
                for n in range(1, int(c["claim"]["word_length"]) + 1)
                for w in product("01", repeat=n)
            ),
        },
    ),
    "halving converges": (
        certificate(HALVING, "converges", "proved", {**TREE, **trap("3", "1/64")}, rate="1/2"),
        {DIRECTION: second(1), TRAP: trap_holds(lambda x: [x / 2], np.inf, 1)},
    ),
    "a trap with a guard": (
        certificate(TRAPPED, "converges", "proved", {**DEEPER, **trap("4", "1/2", "3/2")}),
        {DIRECTION: positive(1, 0), TRAP: trap_holds(trapped_step, 1, 0, 1)},
    ),
    "a rounded trap": (
        certificate(TRAPPED, "converges", "proved", {**DEEPER, **trap("4", "1/2", "3/2", "64")}),
        {DIRECTION: positive(1, 0), TRAP: trap_holds(trapped_step, 1, 0, 1)},
    ),
    "a curved trap": (
        certificate(
            CURVED,
            "converges",
            "proved",
            {"method": "word_tree", "P": [["1"]], "rate": "3/4", "words": [["0"]], **trap("0", "1/4")},
        ),
        # the derivative 1/2 + x/4 is at most 3/4 in modulus for |x| <= 1
        {DIRECTION: always, TRAP: trap_holds(lambda x: [x / 2 + x * x / 8], 1.0001, 1)},
    ),
    "irrational data converge": (
        certificate(
            IRRATIONAL, "converges", "proved", {"method": "word_tree", "P": [["1"]], "rate": "1/2", "words": [["0"]]}
        ),
        {
            DIRECTION: always,
            "witness/P|witness/rate": tree_holds,
            "pieces/0/A": lambda c: (
                float(Fraction(c["pieces"][0]["A"][0][0][0]))
                < 1 - 0.5**0.5
                < float(Fraction(c["pieces"][0]["A"][0][0][1]))
                < 0.5
            ),
        },
    ),
    "irrational data do not converge": (
        certificate(
            one_map(
                "x",
                "theta",
                "x*sqrt(2) + theta",
                at={"theta": "0"},
                start={"x": "theta"},
                fixed_point={"x": "0"},
                pieces=[piece([[["14142/10000", "14143/10000"]]], [["1"]], "1 0")],
            ),
            "diverges",
            "proved",
            {"method": "word", "word": ["0"], "modulus_lower": "14/10", "growth_lower": "13/10", "column": "0"},
        ),
        {
            DIRECTION: always,
            WORD: modulus_holds,
            "pieces/0/A": lambda c: (
                float(Fraction(c["pieces"][0]["A"][0][0][0])) < 2**0.5 < float(Fraction(c["pieces"][0]["A"][0][0][1]))
            ),
        },
    ),
    "affine derivative": (
        certificate(
            AFFINE,
            "derivative",
            "proved",
            {"method": "word_tree", "P": [["1"]], "rate": "1/2", "words": [["0"]], "matrix": [["2/3"]]},
            value=[["2/3"]],
        ),
        {DIRECTION: always, "witness/P": tree_holds},
    ),
    "two derivatives": (
        certificate(
            KINKED,
            "derivative",
            "refuted",
            {**TREE, "points": [{"word": ["0"], "matrix": [["0"]]}, {"word": ["1"], "matrix": [["2/3"]]}]},
        ),
        {DIRECTION: second(-1, 1), "witness/P": tree_holds},
    ),
    "another derivative": (
        certificate(
            KINKED, "derivative", "refuted", {**TREE, "points": [{"word": ["1"], "matrix": [["2/3"]]}]}, value=[["1/3"]]
        ),
        {
            DIRECTION: second(-1, 1),
            "witness/P": tree_holds,
            "claim/value": lambda c: Fraction(c["claim"]["value"][0][0]) != Fraction(2, 3),
        },
    ),
    "hidden identity": (
        certificate(HIDDEN_IDENTITY, "chain_rule_set_is_larger", "proved", {"A": [["1"]], "B": [["1"]]}),
        {
            "witness/A": lambda c: Fraction(c["witness"]["A"][0][0]) in (0, 1)
        },  # the set is {0, 1/2, 1}, the selection 1/2
    ),
    "one kink": (certificate(RELU, "chain_rule_set_is_larger", "refuted", {}), {DIRECTION: positive(1, -1)}),
    "clip": (
        certificate(clip_like("Piecewise((-1, x < -1), (1, x > 1), (x, True)) + theta"), "continuous", "proved", {}),
        {},
    ),
    "soft thresholding": (certificate(clip_like("sign(x)*Max(Abs(x) - 1, 0)"), "continuous", "proved", {}), {}),
    "thresholding after a step": (
        certificate(clip_like("sign(x - Abs(theta)/2)*Max(Abs(x - Abs(theta)/2) - 1, 0)"), "continuous", "proved", {}),
        {},
    ),
    "a quadrant": (
        certificate(clip_like("Piecewise((x*theta, x > 0 and theta > 0), (0, True))"), "continuous", "proved", {}),
        {},
    ),
    "a step jumps": (
        certificate(
            clip_like(STEP), "continuous", "refuted", {"point": {"x": "1", "theta": "1"}, "direction": ["-1", "0"]}
        ),
        {
            "witness/direction": lambda c: (
                Fraction(c["witness"]["direction"][0]) < Fraction(c["witness"]["direction"][1])
            )
        },
    ),
    "a gap": (
        certificate(clip_like(GAP), "continuous", "refuted", {"gap": {"x": "0", "theta": "5"}}),
        {"witness/gap/theta": always},  # the map does not depend on theta
    ),
    "a fixed point": (
        certificate({**FIXED, "fixed_point": {"x": "3"}}, "fixed_point", "proved", {}, value={"x": "3"}),
        {},
    ),
    "no such fixed point": (
        certificate(FIXED, "fixed_point", "refuted", {}, value={"x": "4"}),
        {"claim/value|at/theta": lambda c: Fraction(c["claim"]["value"]["x"]) != Fraction(c["at"]["theta"])},
    ),
    "a translation": (
        certificate(
            one_map("x", "theta", "x + theta", at={"theta": "1"}),
            "fixed_point",
            "refuted",
            {"method": "no_fixed_point"},
        ),
        {"at/theta": lambda c: Fraction(c["at"]["theta"]) != 0},
    ),
    "above the diagonal": (
        certificate(
            one_map("x", "theta", "Abs(x) + theta", at={"theta": "1"}),
            "fixed_point",
            "refuted",
            {"method": "no_fixed_point"},
        ),
        {"at/theta": lambda c: Fraction(c["at"]["theta"]) > 0},
    ),
    "a switched system converges": (
        certificate(NILPOTENT, "converges", "proved", SHEARED, rate="3/4"),
        # B and J0 do not matter to the joint spectral radius
        {"switched/B": always, "switched/A|claim/rate|witness/rate|witness/P": tree_holds},
    ),
    "a switched system is bounded": (
        certificate({**NILPOTENT, "J0": [["1"], ["1"]]}, "diverges", "refuted", SHEARED),
        {"switched/B|J0": always, "switched/A|witness/rate|witness/P": tree_holds},
    ),
    "a switched system diverges": (
        certificate({**PAIR, "J0": [["1"], ["1"]]}, "diverges", "proved", {**GROWTH, **EIGENVALUE}),
        {
            # (1, 0) J0 is the excitation: the second entry does not matter; nor does what keeps A_w and B_w
            "J0/1": always,
            "switched/B": lambda c: excited(c),
            WORD: modulus_holds,
        },
    ),
    "a claimed rate is too small": (
        certificate(
            SCALAR, "converges", "refuted", {"method": "word", "word": ["0"], "modulus_lower": "19/20"}, rate="9/10"
        ),
        {"switched/B": always, "switched/A|witness/modulus_lower|claim/rate": modulus_holds},
    ),
}


def excited(c: dict[str, Any]) -> bool:
    """The stated excitation is v J0 + v B_w / (lambda - 1)."""
    A, B = matrices(c), [sample(B) for B in c["switched"]["B"]]
    J = np.zeros((2, 1))
    for letter in c["witness"]["word"]:
        J = A[int(letter)] @ J + B[int(letter)]
    value = float(sample(c["J0"])[0, 0] + J[0, 0] / (-9 / 8 - 1))
    return abs(value - float(Fraction(c["witness"]["excitation"][0]))) < 1e-12


# The matrix of refusals.

RATIONAL = re.compile(r"-?\d+(/\d+)?")


def leaves(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[tuple[Any, ...], str]]:
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from leaves(value, (*path, key))
    elif isinstance(data, str) and RATIONAL.fullmatch(data):
        yield path, data


def neighbours(text: str) -> list[str]:
    n, _, d = text.partition("/")
    over = f"/{d}" if d else ""
    changed = [f"{int(n) + 1}{over}", f"{int(n) - 1}{over}", f"{n}/{int(d or 1) + 1}", f"{n}/{int(d or 1) - 1}"]
    return [t for t in changed if t.endswith("/0") or Fraction(t) != Fraction(text)]


def replaced(data: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    data = copy.deepcopy(data)
    inner: Any = data
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    return data


@pytest.mark.parametrize("name", CASES)
def test_a_valid_certificate_is_accepted(name: str) -> None:
    assert isinstance(check(CASES[name][0]), str)


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_refused_unless_the_claim_stays_true(name: str) -> None:
    valid, allowed = CASES[name]
    for path, text in leaves(valid):
        where = "/".join(map(str, path))
        for changed in neighbours(text):
            data = replaced(valid, path, changed)
            try:
                check(data)
            except (Refused, Unreadable):
                continue
            holds = next((test for pattern, test in allowed.items() if re.match(f"({pattern})(/|$)", where)), None)
            assert holds is not None, f"{where}: {text} -> {changed} was accepted"
            assert holds(data), f"{where}: {text} -> {changed} was accepted, and is false"


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    data = CASES[name][0]
    for where, value in changes:
        data = replaced(data, tuple(int(key) if key.isdigit() else key for key in where.split("/")), value)
    return data


DIVERGES, HALVES, TRAPS = "heavy ball diverges", "halving converges", "a trap with a guard"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (changed(DIVERGES, ("witness/word", ["0", "1", "0", "1"])), "no eigenvalue"),
        (changed(DIVERGES, ("witness/word", ["0", "0", "1", "2"])), "integer from 0 to 1"),
        (changed(DIVERGES, ("witness/word", ["0", "0", "1", "-1"])), "integer from 0 to 1"),
        (changed(DIVERGES, ("witness/word", [])), "empty"),
        (
            changed(
                DIVERGES,
                ("witness/word", ["0", "0", "1", "1"] * 2),
                ("witness/growth_lower", "101/100"),
                ("witness/eigenvalue", "81/64"),
                ("witness/excitation", ["1"]),
            ),
            "spectral radius at least 1",
        ),
        (changed(DIVERGES, ("pieces/0/direction", None)), "without a direction"),
        (changed(DIVERGES, ("pieces/0/direction", ["0", "1", "0"])), "runs along the boundary"),
        (changed(DIVERGES, ("pieces/0/direction", ["0", "0", "0"])), "runs along the boundary"),
        (changed(DIVERGES, ("pieces/0/direction", ["-1", "0", "0"])), "not those along its direction"),
        (changed(DIVERGES, ("start", {"x": "1 + theta", "y": "theta"})), "`J0` is missing"),
        (changed(DIVERGES, ("start", {"x": "Abs(theta)", "y": "theta"})), "not one matrix"),
        (changed(DIVERGES, ("start", {"x": "0", "y": "0"})), "not excite"),
        (changed(DIVERGES, ("map/next/1", "Piecewise((x, x >= 0), (x + 1, True))")), "not continuous there"),
        (changed(DIVERGES, ("pieces", HEAVY_BALL["pieces"][:1])), "integer from 0 to 0"),
        (changed(HALVES, ("witness/words", [["0"]])), "begins with none"),
        (changed(HALVES, ("witness/words", [["0"], ["0"]])), "begins with another"),
        (changed(HALVES, ("witness/words", [["0"], ["1"], ["1", "0"]])), "begins with another"),
        (changed(HALVES, ("witness/words", [[]])), "empty"),
        (changed(HALVES, ("witness/words", [])), "begins with none"),
        (changed(HALVES, ("witness/P", [["0"]])), "not symmetric and positive definite"),
        (changed(HALVES, ("witness/P", [["-1"]])), "not symmetric and positive definite"),
        (changed(HALVES, ("witness/rate", "0")), "not proved along"),
        (changed(HALVES, ("witness/rate", "1")), "not in [0, 1)"),
        (changed(HALVES, ("claim/rate", "1/3")), "larger than the claimed"),
        (changed(HALVES, ("witness/trap/level", "0")), "not in the trap"),
        (changed(HALVES, ("pieces", HALVING["pieces"][:1]), ("witness/words", [["0"]])), "not in the list"),
        (changed(TRAPS, ("witness/P", [["1", "1"], ["0", "1"]])), "not symmetric"),
        (changed(TRAPS, ("witness/P", [["1", "1"], ["1", "1"]])), "positive definite"),
        (changed(TRAPS, ("witness/trap/level", "1")), "over a box, is not decided"),
        (changed(TRAPS, ("witness/trap/growth", "1/2")), "growth below 1"),
        # a jump out of reach of the trap does not matter, one within reach does
        (changed(TRAPS, ("map/next/0", "x/2 + relu(y - 1)/4 + theta + Piecewise((0, x < 9), (1, True))/9")), None),
        (
            changed(TRAPS, ("map/next/0", "x/2 + relu(y - 1)/4 + theta + Piecewise((0, x > -1/4), (1, True))/9")),
            "over a box",
        ),
        (changed("a curved trap", ("witness/trap/level", "2")), "throughout the trap"),
        (changed("hidden identity", ("witness/A", [["1/2"]])), "may be in the selection"),
        (changed("hidden identity", ("witness/A", [["2"]])), "not in the chain-rule set"),
        (changed("one kink", ("pieces/1/direction", None)), "no piece proved"),
        (
            changed("clip", ("map/next/0", "Piecewise((-1, x < -1), (1, x > 1), (2*x, True))")),
            "not proved to be continuous",
        ),
        (changed("clip", ("map/next/0", "sign(x)")), "not proved to be continuous"),
        (changed("clip", ("map/next/0", STEP)), "not proved to be continuous"),
        (changed("clip", ("map/next/0", GAP)), "not proved to be continuous"),
        (changed("clip", ("map/next/0", "1/x")), "not proved to be continuous"),
        (changed("clip", ("map/next/0", "log(x)")), "not proved to be continuous"),
        (changed("clip", ("map/next/0", "Abs(sign(x) - x)")), "not proved to be continuous"),
        (changed("above the diagonal", ("map/next/0", "Abs(x)")), "not excluded"),
        (changed("above the diagonal", ("map/next/0", "x**2 + 1/5")), "not excluded"),
        (changed("a fixed point", ("map/next/0", "sqrt(2)*x - sqrt(2)*x + theta")), "not computed exactly"),
    ],
)
def test_a_false_certificate_is_refused(data: dict[str, Any], reason: str | None) -> None:
    if reason is None:
        check(data)
        return
    with pytest.raises((Refused, Unreadable), match=re.escape(reason)):
        check(data)


@pytest.mark.parametrize(
    "expression",
    [
        "9**9**9",
        "x**1000000",
        "__import__('os')",
        "x.real",
        "lambda: x",
        "[x][0]",
        "x if x > 0 else y",
        "1j",
        "0x10",
        "z",
        "f(x)",
        "Max()",
        "Abs(x, y)",
        "Piecewise()",
        "Piecewise(x)",
        "Piecewise((x, x))",
        "x > 0",
        "x & y",
        "'x'",
        "(" * 300 + "x" + ")" * 300,
        "-" * 5000 + "x",
        "Abs(" * 170 + "x" + ")" * 170,
        "1" * 5000,
        "1e99999",
        "",
        "x +",
        "x\0",
        "x == y",
        "True",
        "x % 2",
        "x // 2",
        "x @ y",
        "(x := 2)",
        "f'{x}'",
        "x; y",
        "1_000",
        "Piecewise((x, True), key=1)",
        "*x",
    ],
)
def test_what_is_not_in_the_grammar_is_unreadable(expression: str) -> None:
    with pytest.raises(Unreadable):
        check(changed(DIVERGES, ("map/next/1", expression)))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1*x + .5 - 1e-1", "3/5"),
        ("x**-2", "1/4"),
        ("4**(3/2)", "8"),
        ("-x**2", "-4"),
        ("4**(-1/2)", "1/2"),
        ("Max(1, x, 3/2)", "2"),
        ("Min(x, 1, 7)", "1"),
        ("sign(-x)", "-1"),
        ("relu(x) + relu(-x)", "2"),
        ("exp(0) + log(1)", "1"),
        ("Piecewise((1, 0 < x < 2), (2, (x == 2) & ~(x != 2)), (3, True))", "2"),
        ("x - 1 - 1 - 1", "-1"),
        ("8/x/x*3", "6"),
        ("Piecewise((1/0, x < 0), (5, not x < 0 or 1/0 > 0))", "5"),
        ("sqrt(x*8)", "4"),
        ("+x", "2"),
        ("Piecewise((1, False), (2, x > 3 | x < 3), (4, True))", None),
    ],
)
def test_expressions_have_the_values_of_ordinary_algebra(expression: str, value: str | None) -> None:
    subject = one_map("x", "", f"({expression}) + x - 2", at={}, fixed_point={"x": "2"})
    data = certificate(subject, "fixed_point", "proved", {})
    if value is None:
        with pytest.raises(Unreadable):
            check(data)
        return
    map_ = checker.Map({**subject, "at": {}}, at_needed=True)
    found = map_.value(map_.next, {"x": Fraction(2)})[0]
    assert (found.lo, found.hi) == (Fraction(value), Fraction(value))


def written(tmp_path: Path, text: str) -> str:
    path = tmp_path / "certificate.json"
    path.write_text(text, encoding="utf-8")
    return str(path)


VALID = json.dumps(CASES[DIVERGES][0])


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "not JSON"),
        ("[]", "format"),
        ("{" * 100_000, "not JSON"),
        ("[" * 100_000, "deep"),
        (VALID.replace(FORMAT, "piggycheck-certificate/2"), "format"),
        (VALID.replace('"9/8"', "1.125"), "1.125 is not text"),
        (VALID.replace('"column": "0"', '"column": 0'), "0 is not text"),
        (VALID.replace('"9/8"', "NaN"), "NaN is not text"),
        (VALID.replace('"9/8"', '"1.125"'), "not a rational number"),
        (VALID.replace('"9/8"', '"9/0"'), "denominator 0"),
        (VALID.replace('"9/8"', f'"{"9" * 10**6}/8"'), "digits"),
        (VALID.replace('"9/8"', "true"), "not text"),
        (VALID.replace('"9/8"', '"٩/٨"'), "not a rational number"),
        (VALID.replace('"column"', '"colour"'), "key"),
        (VALID.replace('"column": "0"', '"column": "0", "column": "0"'), "twice"),
        (VALID.replace('"column": "0"', '"column": "0", "note": "x"'), "unknown key `note`"),
        (VALID.replace('"start"', '"begin"'), "unknown key `begin`"),
        (VALID.replace('"at"', '"J0": [["1"], ["1"]], "pint": {}, "at"'), "pint"),
        (VALID.replace('"diverges"', '"derives"'), "no such kind"),
        (VALID.replace('"word"', '"work"'), "no such kind"),
        (VALID.replace('"word_length": "4"', '"rate": "1/2"'), "unknown key `rate`"),
        (VALID.replace('["x", "y"]', '["x", "x"]'), "distinct"),
        (VALID.replace('"theta": "0"', '"phi": "0"'), "key"),
        (VALID.replace('"true"', '"false"'), "shortest"),
        (VALID + " " * 5_000_000, "larger than"),
    ],
)
def test_what_is_no_certificate_is_unreadable(tmp_path: Path, capsys: Any, text: str, reason: str) -> None:
    assert checker.main([written(tmp_path, text)]) == 3
    out, err = capsys.readouterr()
    assert out == "" and reason in err and err.count("\n") == 1


def test_a_number_of_five_thousand_digits_is_read() -> None:
    big = "7" * 5000
    assert checker.number(f"-{big}/3", "here") == -Fraction(7 * (10**5000 - 1) // 9, 3)


def test_huge_powers_are_refused_in_time() -> None:
    with pytest.raises(Refused):
        check(changed(HALVES, ("witness/rate", f"{10**4000 - 1}/{10**4000}"), ("witness/words", [["0"] * 9000, ["1"]])))
    with pytest.raises((Refused, Unreadable)):
        check(changed(HALVES, ("map/next/0", "(x + theta + 9)**999 * (x - theta)**999")))
    with pytest.raises((Refused, Unreadable)):
        check(changed(HALVES, ("start/x", "(((3**999)**999)**999)**999")))


def test_exit_codes_and_lines_of_the_single_file(tmp_path: Path) -> None:
    good = written(tmp_path, VALID)
    bad = str(tmp_path / "bad.json")
    Path(bad).write_text(VALID.replace('"9/8"', '"10/8"'), encoding="utf-8")

    def run(*paths: str) -> tuple[int, list[str], list[str]]:
        done = subprocess.run([sys.executable, "-I", "-S", str(CHECKER), *paths], capture_output=True, text=True)
        return done.returncode, done.stdout.splitlines(), done.stderr.splitlines()

    code, out, err = run(good)
    assert (code, err) == (0, []) and out[0].startswith(f"{good}: valid: along the word 0 0 1 1")
    code, out, err = run(good, bad)
    assert (code, len(out), err) == (1, 2, []) and out[1].startswith(f"{bad}: does not hold: ")
    code, out, err = run(bad, str(tmp_path / "missing.json"), good)
    assert (code, len(out), len(err)) == (3, 2, 1)
    assert run()[0] == 3


def test_the_checker_imports_nothing_of_the_package() -> None:
    modules = set(re.findall(r"^(?:from|import) (\w+)", CHECKER.read_text(encoding="utf-8"), re.M))
    assert modules <= {*sys.stdlib_module_names}


# Parts of the proof machinery, against other implementations.

rationals = st.fractions(min_value=-9, max_value=9, max_denominator=7)


@settings(deadline=None, max_examples=60)
@given(st.fractions(min_value=Fraction(1, 10**30), max_value=10**30), st.integers(-60, 60))
def test_enclosures_contain_what_mpmath_finds(x: Fraction, shift: int) -> None:
    with mpmath.workprec(600):
        for function, other, at in (
            (checker.square_root, mpmath.sqrt, x * Fraction(2) ** shift),
            (checker.logarithm, mpmath.log, x * Fraction(2) ** shift),
            (checker.exponential, mpmath.exp, Fraction(shift) + x % 1),
        ):
            found, expected = function(at), other(mpmath.mpf(at.numerator) / at.denominator)
            lo, hi = (mpmath.mpf(end.numerator) / end.denominator for end in (found.lo, found.hi))
            assert lo <= expected + abs(expected) * mpmath.mpf(2) ** -590
            assert hi >= expected - abs(expected) * mpmath.mpf(2) ** -590
            assert hi - lo <= mpmath.mpf(2) ** -180 * max(abs(expected), mpmath.mpf(2) ** -20)


@settings(deadline=None)
@given(st.tuples(rationals, rationals, rationals, rationals), st.integers(0, 4), st.fractions(0, 1), st.fractions(0, 1))
def test_interval_arithmetic_encloses(ends: tuple[Fraction, ...], n: int, s: Fraction, t: Fraction) -> None:
    a, b = Interval(min(ends[:2]), max(ends[:2])), Interval(min(ends[2:]), max(ends[2:]))
    x, y = a.lo + s * (a.hi - a.lo), b.lo + t * (b.hi - b.lo)
    for found, value in ((a + b, x + y), (-a, -x), (a - b, x - y), (a * b, x * y), (a.power(n), x**n)):
        assert found.lo <= value <= found.hi
    if not b.lo <= 0 <= b.hi:
        assert b.reciprocal().lo <= 1 / y <= b.reciprocal().hi


@settings(deadline=None)
@given(st.lists(rationals, min_size=1, max_size=5), st.fractions(Fraction(1, 10), 3))
def test_schur_cohn_agrees_with_numerical_roots(coefficients: list[Fraction], r: Fraction) -> None:
    polynomial = [Interval(1), *map(Interval, coefficients)]
    largest = max(abs(np.roots([1, *map(float, coefficients)])))
    if abs(largest - float(r)) > 1e-3:
        assert checker.has_root_beyond(polynomial, r) == (largest > r)


@settings(deadline=None)
@given(st.integers(1, 4), st.data())
def test_characteristic_polynomials_and_definiteness_agree_with_numpy(n: int, data: st.DataObject) -> None:
    rows = [[data.draw(rationals) for _ in range(n)] for _ in range(n)]
    A = np.array(rows, dtype=float)
    M = [[Interval(a) for a in row] for row in rows]
    found = [float(c.lo) for c in checker.characteristic_polynomial(M)]
    assert np.allclose(found, np.poly(A), rtol=1e-6, atol=1e-5)
    gram = checker.times(checker.transpose(M), M)
    assert checker.semidefinite(gram)
    shift = data.draw(st.fractions(0, 50))
    smallest = min(np.linalg.eigvalsh(A.T @ A)) - float(shift)
    shifted = checker.combine(gram, Interval(-shift), checker.identity(n))
    if abs(smallest) > 1e-6:
        assert checker.semidefinite(shifted) == checker.semidefinite(shifted, definite=True) == (smallest > 0)


@settings(deadline=None)
@given(st.integers(1, 4), st.integers(1, 5), st.data())
def test_the_simplex_method_agrees_with_scipy(rows: int, columns: int, data: st.DataObject) -> None:
    small = st.integers(-3, 3)
    table = [[data.draw(small) for _ in range(columns)] for _ in range(rows)]
    target = [data.draw(small) for _ in range(rows)]
    found = checker.nonnegative_solution(
        [{(i,): Fraction(table[i][j]) for i in range(rows)} for j in range(columns)],
        {(i,): Fraction(target[i]) for i in range(rows)},
    )
    assert found == (linprog(np.zeros(columns), A_eq=table, b_eq=target).status == 0)


@settings(deadline=None)
@given(st.integers(1, 3), st.data())
def test_the_minimal_polynomial_annihilates(n: int, data: st.DataObject) -> None:
    M = [[Interval(data.draw(st.integers(-2, 2))) for _ in range(n)] for _ in range(n)]
    u = [[Interval(data.draw(st.integers(-1, 1)))] for _ in range(n)]
    polynomial = checker.minimal_polynomial(M, u)
    value = [[checker.ZERO] for _ in range(n)]
    powers = [u]
    for _ in polynomial[1:]:
        powers.append(checker.times(M, powers[-1]))
    for c, vector in zip(polynomial, reversed(powers), strict=True):
        value = checker.combine(value, c, vector)
    assert all(row[0].is_zero for row in value) and polynomial[0].lo == 1
    krylov = np.array([[float(row[0].lo) for row in vector] for vector in powers])
    assert np.linalg.matrix_rank(krylov) == len(polynomial) - 1


@pytest.mark.parametrize("theta", ["-1", "0", "1/3"])
def test_patterns_miss_no_point(theta: str) -> None:
    """Whatever signs the guards have at a point near the fixed point, a pattern has them and its value is that of F."""
    expression = (
        "Max(x, y, theta) + Abs(x - y)*sign(x) + Piecewise((x, x > 2*y), (y, x == y), (Min(x, -y), x < y), (7*x, True))"
    )
    map_ = checker.Map(one_map("x y", "theta", expression, "x", at={"theta": "0"}), at_needed=True)
    found = list(
        checker.Patterns().run(map_.program, map_.next, map_.jets({"x": 0, "y": 0, "theta": Fraction(0)}, map_.names))
    )
    for x, y in product((-1, 0, Fraction(1, 2), 1), repeat=2):
        d = [Fraction(x), Fraction(y), Fraction(theta)]
        value = map_.value(map_.next[:1], dict(zip(map_.names, d, strict=True)))[0].lo
        assert value in [
            sum(c.lo * d[m[0]] for m, c in pattern.outputs[0].terms.items())
            for pattern in found
            if all(
                np.sign(sum(c.lo * d[m[0]] for m, c in guard.terms.items())) in signs
                for guard, signs in pattern.conditions
            )
        ]


def test_a_start_at_the_fixed_point_is_in_a_trap_of_level_zero() -> None:
    check(
        changed(
            TRAPS, ("start", {"x": "theta", "y": "0"}), ("witness/trap/iteration", "0"), ("witness/trap/level", "0")
        )
    )


def test_without_parameters_nothing_diverges() -> None:
    subject = {"switched": {"A": [[["2"]]], "B": [[[]]]}, "J0": [[]]}
    with pytest.raises(Refused, match="no parameters"):
        check(certificate(subject, "diverges", "proved", {**GROWTH, "word": ["0"], "modulus_lower": "2"}))


def test_a_rate_of_zero_is_proved_for_nilpotent_products() -> None:
    subject = {"switched": {"A": [[["0", "1"], ["0", "0"]]], "B": [[["1"], ["1"]]]}}
    tree = {"method": "word_tree", "P": [["1", "0"], ["0", "1"]], "rate": "0", "words": [["0", "0"]]}
    check(certificate(subject, "converges", "proved", tree))
    with pytest.raises(Refused):
        check(certificate(subject, "converges", "proved", {**tree, "words": [["0"]]}))


def test_a_piece_on_a_line_only_is_not_essentially_active() -> None:
    """`Piecewise((2*x, x == y), ...)` has a piece on the line x = y; no direction proves it, nor is it selected."""
    pair = [
        piece([["2", "0"], ["0", "1/2"]], [["1"], ["0"]], "1 1 0"),
        piece([["1/2", "0"], ["0", "1/2"]], [["1"], ["0"]], "1 0 0"),
    ]
    text = "Piecewise((2*x, x == y), (x/2, True)) + theta"
    subject = one_map("x y", "theta", text, "y/2", at={"theta": "0"}, fixed_point={"x": "0", "y": "0"}, pieces=pair)
    witness = {"method": "word", "word": ["0"], "modulus_lower": "2"}
    with pytest.raises(Refused, match="boundary"):
        check(certificate(subject, "converges", "refuted", witness))
    pair[0]["direction"] = None
    with pytest.raises(Refused, match="no piece of the map"):
        check(certificate(subject, "converges", "refuted", witness))
    tree = {"method": "word_tree", "P": [["1", "0"], ["0", "1"]], "rate": "1/2", "words": [["0"]]}
    check(certificate({**subject, "pieces": pair[1:]}, "converges", "proved", tree))
    start = {"start": {"x": "1", "y": "1"}}
    with pytest.raises(Refused, match="not in the list"):  # iterates can run along the line
        check(certificate({**subject, **start, "pieces": pair[1:]}, "converges", "proved", {**tree, **trap("0", "9")}))

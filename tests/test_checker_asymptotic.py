"""Certificates about asymptotic rates, written by hand: accepted, and refused when a change makes them false.

What is true is seen another way: by the eigenvalues that floating-point powers of the matrix excite.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from certificate_changes import assert_changes_are_noticed, assert_refused, with_changes
from checker_certificates import certificate, one_map, piece, rows

from piggycheck.checker import Refused, check
from piggycheck.checker.polynomials import RealRoots, products_of_roots, squarefree, value
from piggycheck.checker.surds import Surds

# -- subjects ------------------------------------------------------------------------------------------------------

HALF = {"polynomial": ["-1", "2"], "lower": "1/2", "upper": "1/2"}
SLOW = {"polynomial": ["-19", "20"], "lower": "19/20", "upper": "19/20"}
ROOT = {"polynomial": ["-3", "0", "4"], "lower": "866/1000", "upper": "867/1000"}  # sqrt(3)/2


def descent(start: tuple[str, str]) -> dict[str, Any]:
    """Factors 1/2 and 19/20."""
    return one_map(
        "x y", "t", "x - 1/2*(x - t)", "y - y/20",
        at={"t": "1"}, start=dict(zip("xy", start, strict=True)), fixed_point={"x": "1", "y": "0"},
        pieces=[piece(rows("1/2 0; 0 19/20"), rows("1/2; 0"), "1 1 1")],
    )  # fmt: skip


def without_start(subject: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in subject.items() if key != "start"}


HEAVY = one_map(  # eigenvalues of modulus sqrt(3)/2, not real
    "x y", "t", "x - (x - t) + 3/4*(x - y)", "x",
    at={"t": "0"}, start={"x": "1", "y": "1"}, fixed_point={"x": "0", "y": "0"},
    pieces=[piece(rows("3/4 -3/4; 1 0"), rows("1; 0"), "1 1 1")],
)  # fmt: skip
STEP = one_map(  # the step is the parameter, so that the derivatives are k (1 - t)^(k - 1): a double root
    "x", "t", "x - t*x",
    at={"t": "1/2"}, start={"x": "1"}, fixed_point={"x": "0"}, pieces=[piece([["1/2"]], [["0"]], "1 1")],
)  # fmt: skip
KINK = one_map(  # leaves the kink at 1 behind after four steps
    "x", "t", "x/2 + relu(x - 1)/4 + t",
    at={"t": "0"}, start={"x": "4"}, fixed_point={"x": "0"}, pieces=[piece([["1/2"]], [["1"]], "1 1")],
)  # fmt: skip
FIBONACCI = one_map(  # eigenvalues (1 +- sqrt(5))/4 and 1/5
    "x y z", "", "x/2 + y/2", "x/2", "z/5",
    at={}, start={"x": "1", "y": "1", "z": "1"}, fixed_point={"x": "0", "y": "0", "z": "0"},
    pieces=[piece(rows("1/2 1/2 0; 1/2 0 0; 0 0 1/5"), [[], [], []], "1 1 1")],
)  # fmt: skip
NILPOTENT = one_map(
    "x y", "", "y", "0*x", at={}, start={"x": "1", "y": "1"}, fixed_point={"x": "0", "y": "0"},
    pieces=[piece(rows("0 1; 0 0"), [[], []], "1 1")],
)  # fmt: skip
SWITCHED = {"switched": {"A": [rows("1/2 1/3; 0 1/5")], "B": [rows("1; 2")]}}
PHI = {"polynomial": ["-1", "-2", "4"], "lower": "809/1000", "upper": "81/100"}  # (1 + sqrt(5))/4
ZERO = {"polynomial": ["0", "1"], "lower": "0", "upper": "0"}


def rate(
    subject: dict[str, Any], method: str, annihilator: str, dominant: list[str], number: dict[str, Any],
    value: str | None = None, quantity: str = "iterates", iteration: str = "0", verdict: str = "proved", **more: Any,
) -> dict[str, Any]:  # fmt: skip
    stated = {"quantity": quantity} | ({} if value is None else {"value": value})
    witness = {
        "method": method,
        "iteration": iteration,
        "annihilator": annihilator.split(),
        "dominant": [g.split() for g in dominant],
        "number": number,
        **more,
    }
    return certificate(subject, "asymptotic_rate", verdict, witness, **stated)


TRAP = {"iteration": "4", "level": "1/2", "growth": "1", "bits": "0"}
TREE = {"rate": "1/2", "P": [["1"]], "words": [["0"]], "trap": TRAP}
FREE = "start|pieces/./direction|witness/(dominant|iteration|number)"


def on_the_diagonal(curve: str) -> dict[str, Any]:
    """Where x = y, the derivatives are those beside it, but x does not move as beside it."""
    subject = one_map(
        "x y", "t", f"x/2 + Piecewise(({curve}, x == y), (0*x, True)) + t", "y/3",
        at={"t": "0"}, start={"x": "1/16", "y": "1/4"}, fixed_point={"x": "0", "y": "0"},
        pieces=[piece(rows("1/2 0; 0 1/3"), rows("1; 0"), "1 0 0")],
    )  # fmt: skip
    trap = {"iteration": "0", "level": "1", "growth": "1", "bits": "0"}
    tree = {"rate": "9/10", "P": rows("1 0; 0 1"), "words": [["0"]], "trap": trap}
    return rate(subject, "word_tree", "-1/2 1", ["-1 2"], HALF, "1/2", "derivatives", matrix=rows("2; 0"), **tree)


CASES = {
    "both factors": (rate(descent(("2", "3")), "affine", "19/40 -29/20 1", ["-19 20"], SLOW, "19/20"), FREE),
    "one is not excited": (rate(descent(("2", "0")), "affine", "-1/2 1", ["-1 2"], HALF, "1/2"), FREE),
    "nothing is excited": (rate(descent(("1", "0")), "affine", "1", [], ZERO, "0"), FREE),
    "not real": (rate(HEAVY, "affine", "3/4 -3/4 1", ["3 -3 4"], ROOT, "sqrt(3)/2"), FREE),
    "not real, refuted": (
        rate(HEAVY, "affine", "3/4 -3/4 1", ["3 -3 4"], ROOT, "9/10", verdict="refuted"),
        FREE + "|claim/value",
    ),
    "derivatives": (
        rate(HEAVY, "affine", "3/4 -3/4 1", ["3 -3 4"], ROOT, "sqrt(3)/2", "derivatives", matrix=rows("1; 1")),
        FREE + "|at",
    ),
    "a double root": (rate(STEP, "affine", "1/4 -1 1", ["-1 2"], HALF, "1/2", "derivatives", matrix=[["0"]]), FREE),
    "after a kink": (
        rate(KINK, "word_tree", "-1/2 1", ["-1 2"], HALF, "1/2", iteration="4", **TREE),
        FREE + "|witness/(trap|P|rate)|map",
    ),
    "derivatives after a kink": (
        rate(KINK, "word_tree", "-1/2 1", ["-1 2"], HALF, "1/2", "derivatives", "4", matrix=[["2"]], **TREE),
        FREE + "|witness/(trap|P|rate)|map",
    ),
    "irrational and real": (rate(FIBONACCI, "affine", "1/20 -3/20 -7/10 1", ["-1 -2 4"], PHI, "(1 + sqrt(5))/4"), FREE),
    "of almost every start": (
        rate(without_start(HEAVY), "local", "3/4 -3/4 1", ["3 -3 4"], ROOT, "sqrt(3)/2"),
        FREE + "|at",
    ),
    "from the fixed point": (
        rate(
            HEAVY | {"start": {"x": "t", "y": "2*t"}},
            "fixed_start",
            "3/4 -3/4 1",
            ["3 -3 4"],
            ROOT,
            "sqrt(3)/2",
            "derivatives",
            matrix=rows("1; 1"),
        ),
        FREE,
    ),
    "nilpotent": (rate(NILPOTENT, "affine", "1", [], ZERO, "0", iteration="2"), FREE),
    "matrices": (
        rate(
            SWITCHED | {"J0": rows("1; 0")},
            "fixed_start",
            "1/10 -7/10 1",
            ["-1 2"],
            HALF,
            "1/2",
            "derivatives",
            matrix=rows("11/3; 5/2"),
        ),
        FREE + "|J0|switched",
    ),
    "matrices, no start": (
        rate(SWITCHED, "local", "1/10 -7/10 1", ["-1 2"], HALF, None, "derivatives"),
        FREE + "|switched",
    ),
}


# -- what is true --------------------------------------------------------------------------------------------------


def number(text: str, names: dict[str, float]) -> Any:
    functions = {"relu": lambda a: max(a, 0.0), "sqrt": np.sqrt}
    return eval(text, functions, names)


def matrix_of(data: dict[str, Any]) -> np.ndarray:
    """The slopes of the map at its fixed point, by differences; or the given matrix."""
    if "switched" in data:
        return np.array([[float(Fraction(a)) for a in row] for row in data["switched"]["A"][0]])
    names = data["map"]["state"]
    at = {name: float(Fraction(a)) for name, a in data["at"].items()}
    centre = [float(Fraction(data["fixed_point"][name])) for name in names]

    def image(x: list[float]) -> np.ndarray:
        return np.array([number(text, dict(zip(names, x, strict=True)) | at) for text in data["map"]["next"]])

    h = 1e-5
    steps = np.eye(len(names)) * h
    return np.column_stack([(image(centre + d) - image(centre - d)) / (2 * h) for d in steps])


def excited(data: dict[str, Any]) -> float:
    """The largest modulus of an eigenvalue that the iterates excite; for derivatives, of all of them."""
    A = matrix_of(data)
    eigenvalues, vectors = np.linalg.eig(A)
    if data["claim"]["quantity"] == "derivatives" or "start" not in data:
        return float(max(abs(eigenvalues)))
    at = {name: float(Fraction(a)) for name, a in data["at"].items()}
    start = [float(number(data["start"][name], at)) for name in data["map"]["state"]]
    if len(eigenvalues) == 1:
        return float(abs(eigenvalues[0]))
    centre = [float(Fraction(data["fixed_point"][name])) for name in data["map"]["state"]]
    if abs(np.linalg.det(vectors)) < 1e-9:  # the nilpotent one
        return float(max(abs(eigenvalues)))
    parts = np.linalg.solve(vectors, np.array(start) - centre)
    return float(max((abs(e) for e, c in zip(eigenvalues, parts, strict=True) if abs(c) > 1e-9), default=0.0))


def is_true(data: dict[str, Any]) -> bool:
    found = excited(data)
    stated = data["witness"]["number"]
    inside = float(Fraction(stated["lower"])) - 1e-6 < found < float(Fraction(stated["upper"])) + 1e-6
    if "value" not in data["claim"]:
        return inside
    equal = abs(found - number(data["claim"]["value"], {})) < 1e-6
    return inside and equal == (data["claim"]["verdict"] == "proved")


@pytest.mark.parametrize("name", CASES)
def test_a_valid_certificate_is_accepted_and_states_the_truth(name: str) -> None:
    assert isinstance(check(CASES[name][0]), str)
    assert is_true(CASES[name][0])


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_refused_unless_the_claim_stays_true(name: str) -> None:
    valid, free = CASES[name]
    assert_changes_are_noticed(valid, free, is_true)


# -- what is refused -----------------------------------------------------------------------------------------------


def test_a_piece_that_lives_where_a_guard_vanishes_is_looked_at() -> None:
    assert check(on_the_diagonal("0*y"))
    with pytest.raises(Refused, match="not affine"):
        check(on_the_diagonal("x**2/8"))
    with pytest.raises(Refused, match="different pairs"):
        check(on_the_diagonal("x/8"))


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    """One of the certificates with some parts replaced or added."""
    return with_changes(CASES[name][0], *changes)


REAL, COMPLEX, IDLE, TRAPPED = "both factors", "not real", "one is not excited", "after a kink"
SEVEN_EIGHTHS = {"polynomial": ["-7", "8"], "lower": "7/8", "upper": "7/8"}
FALSE = {
    "a multiple of the annihilator": (
        changed(IDLE, ("witness/annihilator", ["19/40", "-29/20", "1"])),
        "a shorter recursion may annihilate the errors",
    ),
    "a factor of the annihilator": (changed(REAL, ("witness/annihilator", ["-19/20", "1"])), "the polynomial does"),
    "a factor that is not dominant": (
        changed(REAL, ("witness/dominant", [["-1", "2"]]), ("witness/number", HALF)),
        "another root of the annihilator may be as large",
    ),
    "no dominant factor": (changed(REAL, ("witness/dominant", [])), "there is no dominant factor"),
    "a constant for a factor": (changed(REAL, ("witness/dominant", [["-19", "20"], ["1"]])), "a dominant factor does"),
    "a factor of something else": (
        changed(REAL, ("witness/dominant", [["-19", "20"], ["-1", "3"]])),
        "a dominant factor does not divide the annihilator",
    ),
    "an annihilator that is not monic": (changed(IDLE, ("witness/annihilator", ["-1", "2"])), "the annihilator is"),
    "a multiple of z": (changed(IDLE, ("witness/annihilator", ["0", "-1/2", "1"])), "the annihilator is not monic,"),
    "the opposite of the rate": (
        changed(COMPLEX, ("witness/number/lower", "-867/1000"), ("witness/number/upper", "-866/1000")),
        "the bounds of the rate are negative, in the wrong order",
    ),
    "another number": (
        changed(COMPLEX, ("witness/number", SEVEN_EIGHTHS), ("claim/value", "7/8")),
        "the polynomial of the rate does not divide that of the",
    ),
    "a multiple with another root between the bounds": (
        changed(
            COMPLEX,
            ("witness/number/polynomial", ["-21", "24", "28", "-32"]),
            ("witness/number/upper", "7/8"),
            ("claim/value", "7/8"),
        ),
        "the polynomial of the rate does not divide that of the",
    ),
    "bounds that hold no root": (
        changed(COMPLEX, ("witness/number/lower", "867/1000"), ("witness/number/upper", "868/1000")),
        "the polynomial of the rate is not shown to have a root",
    ),
    "the other root": (changed(COMPLEX, ("claim/value", "-sqrt(3)/2")), "the claimed value is not proved to be"),
    "close to the value": (changed(COMPLEX, ("claim/value", "sqrt(3)/2 + 1/10**30")), "the claimed value is not a"),
    "a value by division": (changed(COMPLEX, ("claim/value", "3/(2*sqrt(3))")), "the value is not made of rational"),
    "a value that is no text": (changed(COMPLEX, ("claim/value", None)), "an expression is text, below 100000"),
    "a refuted claim that is true": (
        changed("not real, refuted", ("claim/value", "sqrt(3)/2")),
        "the claimed value may be between the bounds",
    ),
    "before the errors vanish": (changed("nilpotent", ("witness/iteration", "1")), "the polynomial does not"),
    "vanishing errors, another rate": (
        changed("nilpotent", ("witness/number", HALF), ("claim/value", "1/2")),
        "the errors vanish, and the rate is not 0",
    ),
    "before the trap": (changed(TRAPPED, ("witness/iteration", "3")), "`iteration`: `3` is not an integer from 4 to"),
    "a larger trap": (
        changed(TRAPPED, ("witness/trap/level", "2"), ("witness/trap/iteration", "3")),
        "the sign of an irrational number",
    ),
    "no trap": (changed(TRAPPED, ("witness/trap", ...)), "`witness`: missing key `trap`"),
    "affine, with a guard": (rate(KINK, "affine", "-1/2 1", ["-1 2"], HALF, iteration="4"), "the map meets a guard"),
    "curved": (changed(IDLE, ("map/next/1", "y - y/20 + y**2")), "a piece is not affine in the state"),
    "curved in the parameter": (
        changed("a double root", ("map/next/0", "x - t*x + (t - 1/2)*x**2")),
        "a piece is not affine in the state",
    ),
    "the limit": (changed("derivatives", ("witness/matrix", rows("1; 2"))), "the matrix is not fixed by all pieces"),
    "iterates with a limit": (changed(REAL, ("witness/matrix", rows("1; 0"))), "`matrix` stands in the witness for"),
    "the start is not the fixed point": (
        changed("from the fixed point", ("start/x", "t + 1")),
        "the start is not the fixed point",
    ),
    "local, with a start": (changed(REAL, ("witness/method", "local")), "`start` is there exactly when the method is"),
    "local, and repelling": (
        rate(
            one_map("x", "", "2*x", at={}, fixed_point={"x": "0"}, pieces=[piece([["2"]], [[]], "1")]),
            "local",
            "-2 1",
            ["-2 1"],
            {"polynomial": ["-2", "1"], "lower": "2", "upper": "2"},
        ),
        "the bounds of the rate are negative, in the wrong order",
    ),
    "two slopes": (
        rate(
            one_map(
                "x",
                "",
                "Piecewise((x/2, x >= 0), (x/3, True))",
                at={},
                start={"x": "1"},
                fixed_point={"x": "0"},
                pieces=[piece([["1/2"]], [[]], "1"), piece([["1/3"]], [[]], "-1")],
            ),
            "word_tree",
            "-1/2 1",
            ["-1 2"],
            HALF,
            **(TREE | {"words": [["0"], ["1"]], "trap": TRAP | {"iteration": "0", "level": "9"}}),
        ),
        "pieces with different pairs meet at the fixed point",
    ),
    "two matrices": (
        changed("matrices, no start", ("switched/A", [rows("1/2 0; 0 1/5")] * 2), ("switched/B", [rows("1; 2")] * 2)),
        "there is not one pair, or the method is about a map",
    ),
    "quantity": (changed(REAL, ("claim/quantity", "values")), '`claim.quantity` is "iterates" or "derivatives"'),
    "too high a degree": (changed(IDLE, ("witness/annihilator", ["1"] * 300)), "the annihilator has too high a degree"),
    "far away": (changed(IDLE, ("witness/iteration", "1000000000")), "`iteration`: `1000000000` is not an integer"),
}


@pytest.mark.parametrize("name", FALSE)
def test_a_false_certificate_is_refused(name: str) -> None:
    assert_refused(*FALSE[name])


# -- polynomials ---------------------------------------------------------------------------------------------------


def of_roots(*roots: int) -> list[Fraction]:
    return [Fraction(round(c)) for c in reversed(np.poly(roots))]


def test_real_roots_are_counted() -> None:
    roots = RealRoots(squarefree(of_roots(-3, 1, 1, 4)))
    assert (roots.count, roots.above(Fraction(0)), roots.above(Fraction(1)), roots.above(Fraction(4))) == (3, 2, 1, 0)
    assert RealRoots([Fraction(1), Fraction(0), Fraction(1)]).count == 0


def test_products_of_roots_are_the_roots() -> None:
    found = [float(c) for c in reversed(products_of_roots(of_roots(-3, 1, 2), real=False))]
    assert sorted(np.roots(found).real) == pytest.approx([-6, -3, 1, 2, 4, 9])
    assert products_of_roots(of_roots(-3, 2), real=True) == of_roots(9, 4)
    complex_ones = products_of_roots([Fraction(3), Fraction(-3), Fraction(4)], real=False)  # |z|^2 = 3/4
    assert value(complex_ones, Fraction(3, 4)) == 0 and RealRoots(squarefree(complex_ones)).above(Fraction(3, 4)) == 0


@pytest.mark.parametrize(
    ("text", "polynomial", "holds"),
    [
        ("sqrt(2) + sqrt(3)", [1, 0, -10, 0, 1], True),
        ("(1 + sqrt(5))/2", [-1, -1, 1], True),
        ("sqrt(2 + sqrt(2))", [2, 0, -4, 0, 1], True),
        ("sqrt(2) - 1/10**40", [-2, 0, 1], False),
        ("3/2", [-3, 2], True),
    ],
)
def test_surds_are_roots(text: str, polynomial: list[int], holds: bool) -> None:
    assert Surds(text).is_root([Fraction(c) for c in polynomial]) == holds

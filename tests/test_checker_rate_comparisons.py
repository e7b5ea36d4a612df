"""Certificates about the order of two asymptotic rates, written by hand: accepted, and refused when it is another one.

What the rates are is known from triangular and companion matrices.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from certificate_changes import assert_changes_are_noticed, assert_refused, with_changes
from checker_certificates import certificate, one_map, piece, rows

from piggycheck.checker import Refused, check
from piggycheck.checker.rate_comparisons import order as signed

# -- subjects ------------------------------------------------------------------------------------------------------

HALF = {"polynomial": ["-1", "2"], "lower": "1/2", "upper": "1/2"}
THIRD = {"polynomial": ["-1", "3"], "lower": "1/3", "upper": "1/3"}
ROOT = {"polynomial": ["-3", "0", "4"], "lower": "866/1000", "upper": "867/1000"}  # sqrt(3)/2
WIDE = {"polynomial": ["-3", "0", "4"], "lower": "433/500", "upper": "7/8"}
ZERO = {"polynomial": ["0", "1"], "lower": "0", "upper": "0"}

STEP = one_map("x", "t u", "x - t*x + u", at={"t": "1/2", "u": "0"}, start={"x": "1"})
SPLIT = one_map(  # s moves the slower coordinate alone, t the faster one
    "x y", "s t", "x/2 + s", "y/3 + t", at={"s": "0", "t": "0"}, start={"x": "1", "y": "1"}
)
HEAVY = one_map(  # eigenvalues of modulus sqrt(3)/2, not real
    "x y", "t", "x - (x - t) + 3/4*(x - y)", "x", at={"t": "0"}, start={"x": "1", "y": "1"}
)


def limit(p: int, A: str, B: str, X: str | None = None) -> dict[str, Any]:
    coordinates = "xy"[:p]
    direction = " ".join("1" for _ in range(p + len(B.split(";")[0].split())))
    found = {"fixed_point": dict.fromkeys(coordinates, "0"), "pieces": [piece(rows(A), rows(B), direction)]}
    return found | ({} if X is None else {"matrix": rows(X)})


def curved(number: dict[str, Any]) -> dict[str, Any]:
    return {"method": "curved", "number": number}


def rate(annihilator: str, dominant: list[str], number: dict[str, Any], method: str = "affine", k: str = "0"):
    return {
        "method": method,
        "iteration": k,
        "annihilator": annihilator.split(),
        "dominant": [g.split() for g in dominant],
        "number": number,
    }


def order(
    subject: dict[str, Any], left: str, relation: str, right: str, witness: tuple[dict[str, Any], dict[str, Any]],
    verdict: str = "proved", **sequences: Any,
) -> dict[str, Any]:  # fmt: skip
    stated = {"left": left, "right": right, "relation": relation, "sequences": sequences}
    sides = dict(zip(("left", "right"), witness, strict=True))
    return certificate(subject, "rate_comparison", verdict, sides, **stated)


ONE = limit(1, "1/2", "0 1")
ITERATES = ONE | rate("-1/2 1", ["-1 2"], HALF)
DOUBLE = ONE | {"matrix": rows("0 2")} | rate("1/4 -1 1", ["-1 2"], HALF)  # k (1/2)^(k - 1)
LARGER = limit(1, "1/3", "0 1") | rate("-1/3 1", ["-1 3"], THIRD)
COLUMNS = limit(2, "1/2 0; 0 1/3", "1 0; 0 1", "2 0; 0 3/2")
SLOW, FAST = COLUMNS | rate("-1/2 1", ["-1 2"], HALF), COLUMNS | rate("-1/3 1", ["-1 3"], THIRD)
OSCILLATING = limit(2, "3/4 -3/4; 1 0", "1; 0")
BALL = OSCILLATING | rate("3/4 -3/4 1", ["3 -3 4"], ROOT)
SECOND = OSCILLATING | {"matrix": rows("1; 1")} | rate("3/4 -3/4 1", ["3 -3 4"], WIDE)
CUBIC = one_map("x", "t", "x/2 + 5/3*x**2 - 7/6*x**3 + t", at={"t": "0"})  # the slope is 1/2 at 0, and 1/3 at 1
AT_ZERO, AT_ONE = limit(1, "1/2", "1"), limit(1, "1/3", "1") | {"fixed_point": {"x": "1"}}
OTHER = {"quantity": "iterates", "at": {"t": "2/3"}}
FREE = "start|(map/next|at)|.*/direction|witness/(left|right)/(dominant|iteration|number)|claim/sequences"
BY_S, BY_T = ({"quantity": "derivatives", "wrt": name} for name in "st")

CASES = {
    "equal": (order(STEP, "derivatives", "=", "iterates", (DOUBLE, ITERATES)), FREE),
    "no slower": (order(STEP, "derivatives", "<=", "iterates", (DOUBLE, ITERATES)), FREE),
    "not faster": (order(STEP, "derivatives", "<", "iterates", (DOUBLE, ITERATES), "refuted"), FREE),
    "a larger step": (order(STEP, "larger", "<", "iterates", (LARGER, ITERATES), larger=OTHER), FREE),
    "a larger step is not slower": (
        order(STEP, "iterates", "<=", "larger", (ITERATES, LARGER), "refuted", larger=OTHER), FREE
    ),
    "curved, from starts nearby": (
        order(CUBIC, "derivatives", "<=", "iterates", (AT_ONE | curved(THIRD), AT_ONE | curved(THIRD))), FREE
    ),
    "one column": (order(SPLIT, "fast", "<", "slow", (FAST, SLOW), fast=BY_T, slow=BY_S), FREE),
    "irrational, by another bound": (order(HEAVY, "derivatives", "=", "iterates", (SECOND, BALL)), FREE),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_a_valid_certificate_is_accepted(name: str) -> None:
    assert "asymptotic rate" in check(CASES[name][0])


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_refused_unless_the_order_stays(name: str) -> None:
    """What is accepted: other starts and directions, wider bounds, later indices, and maps with the same rates."""
    valid, free = CASES[name]
    assert_changes_are_noticed(valid, free)


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    return with_changes(CASES[name][0], *changes)


EQUAL, LARGE, COLUMN, IRRATIONAL = "equal", "a larger step", "one column", "irrational, by another bound"
FALSE = {
    "less": (changed(EQUAL, ("claim/relation", "<")), "the order of the rates is another one"),
    "not equal": (changed(LARGE, ("claim/relation", "=")), "the order of the rates is another one"),
    "the other verdict": (changed(LARGE, ("claim/verdict", "refuted")), "the order of the rates is another one"),
    "not equal, refuted": (changed(EQUAL, ("claim/verdict", "refuted")), "the order of the rates is another one"),
    "the other way round": (order(STEP, "iterates", "<", "larger", (ITERATES, LARGER), larger=OTHER),
     "the order of the rates is another one"),
    "a relation that is none": (changed(LARGE, ("claim/relation", ">")), "`claim.relation` is one of <, <=, ="),
    "the other column": (changed(COLUMN, ("claim/sequences/fast/wrt", "s")), "the polynomial does not annihilate the"),
    "all columns": (changed(COLUMN, ("claim/sequences/fast/wrt", ["s", "t"])), "the polynomial does not annihilate"),
    "an unknown column": (changed(COLUMN, ("claim/sequences/fast/wrt", "u")), "`claim.sequences.fast.wrt`: not"),
    "other parameters": (changed(LARGE, ("claim/sequences/larger/at/t", "3/4")), "piece 0: its A and B are not those"),
    "an unknown parameter": (changed(LARGE, ("claim/sequences/larger/at", {"w": "1/3"})), "`at` of a sequence names"),
    "an unknown name": (changed(LARGE, ("claim/left", "largest")), "`claim.sequences`: `larger` is not used, or is k"),
    "a name that nobody uses": (changed(LARGE, ("claim/left", "iterates")), "`claim.sequences`: `larger` is not"),
    "some steps alone": (changed(COLUMN, ("claim/sequences/fast/last", "3")), "`claim.sequences.fast`: unknown key"),
    "an output": (changed(COLUMN, ("claim/sequences/fast/output", "x")), "`claim.sequences.fast`: unknown key"),
    "the implicit function": (order(STEP, "implicit", "=", "iterates", (DOUBLE, ITERATES)), "`claim.quantity` is"),
    "bounds that do not tell": (changed(
        IRRATIONAL, ("witness/right/number", {"polynomial": ["-3", "0", "4"], "lower": "8/10", "upper": "9/10"}),
        ("claim/relation", "<"),
    ), "the order of the rates is another one"),
    "a rate of zero": (changed(EQUAL, ("witness/left/number", ZERO)), "there is no dominant factor"),
    "another method": (changed(EQUAL, ("witness/left/method", "guess")), "`left.method`: `guess` is no method"),
    "a trap that is none": (changed(EQUAL, ("witness/left/trap", {})), "`left`: unknown key `trap`"),
    "a column of a method about all": (changed(
        COLUMN, ("witness/left", COLUMNS | {"method": "nilpotent", "number": ZERO})
    ), "`left`: unknown key `matrix`"),
    "no witness": (changed(EQUAL, ("witness/left", None)), "`left.method` is not text; numbers are text too, such"),
    "two fixed points": (order(
        CUBIC, "derivatives", "<", "iterates", (AT_ONE | curved(THIRD), AT_ZERO | curved(HALF)),
    ), "`iterates` is compared with another fixed point than"),
    "no fixed point": (changed(EQUAL, ("witness/left/fixed_point/x", "1")), "x = 1 is not fixed, or its image is not"),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_a_false_certificate_is_refused(name: str) -> None:
    assert_refused(*FALSE[name])


def test_numbers_between_the_same_bounds_are_equal_by_a_common_root_alone() -> None:
    """sqrt(3)/2 and 867/1000 are both between 866/1000 and 868/1000."""
    bounds = Fraction(866, 1000), Fraction(868, 1000)
    root, other, both = ([Fraction(c) for c in p] for p in ([-3, 0, 4], [-867, 1000], [2601, -3000, -3468, 4000]))
    assert signed((*bounds, root), (Fraction(8, 10), Fraction(867, 1000), root)) == 0
    for p, q in ((root, other), (other, root)):
        with pytest.raises(Refused, match="tell"):
            signed((*bounds, p), (*bounds, q))
    with pytest.raises(Refused):
        signed((*bounds, root), (Fraction(8667, 10_000), Fraction(868, 1000), both))
    assert signed((*bounds, root), (Fraction(8681, 10_000), Fraction(9, 10), other)) == -1
    assert signed((Fraction(9, 10), Fraction(1), root), (*bounds, other)) == 1

"""Certificates about the order of errors for all k, by hand: accepted, and refused when a change makes them false.

What is true is seen another way: by iterating fractions for many k, and by differences at two nearby parameters.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from certificate_changes import assert_changes_are_noticed, assert_refused, with_changes
from checker_certificates import certificate, one_map, piece, rows
from sequences_reference import sides

from piggycheck.checker import check

# -- subjects ------------------------------------------------------------------------------------------------------

STEP = one_map(  # x_k = (1 - t)^k, J_k = -k (1 - t)^(k - 1)
    "x", "t", "x - t*x", at={"t": "1/3"}, start={"x": "1"},
)  # fmt: skip
THIRD = {"fixed_point": {"x": "0"}, "pieces": [piece([["2/3"]], [["0"]], "1 1")], "matrix": [["0"]]}
AFTER = {"fixed_point": {"x": "0"}, "pieces": [piece([["1/2"]], [["1"]], "1 1")], "matrix": [["2"]]}
POINT = {"fixed_point": {"x": "0"}, "pieces": THIRD["pieces"]}
PLANE = one_map(  # factors 1/2 and 3/4 that s moves, and what t does is smaller
    "x y", "s t", "x/2 + s + t/9", "3/4*y + s + t/9", at={"s": "0", "t": "0"}, start={"x": "2", "y": "-3"},
)  # fmt: skip
CORNER = {
    "fixed_point": {"x": "0", "y": "0"},
    "pieces": [piece(rows("1/2 0; 0 3/4"), rows("1 1/9; 1 1/9"), "1 1 1 1")],
}
MATRIX = CORNER | {"matrix": rows("2 2/9; 4 4/9")}
SIGN = one_map("x", "t", "t - x/2", at={"t": "0"}, start={"x": "-5"})
ALTERNATING = {"fixed_point": {"x": "0"}, "pieces": [piece([["-1/2"]], [["1"]], "1 1")]}
KINKED = one_map(  # two pieces at the fixed point, and a guard away from it
    "x y", "t", "x/2 + relu(y - 1)/4 + t", "y/4 + Abs(y)/8", at={"t": "0"}, start={"x": "4", "y": "3"},
)  # fmt: skip
TIED = {
    "fixed_point": {"x": "0", "y": "0"},
    "pieces": [
        piece(rows("1/2 0; 0 3/8"), rows("1; 0"), "0 1 0"),
        piece(rows("1/2 0; 0 1/8"), rows("1; 0"), "0 -1 0"),
    ],
}
BESIDE = TIED | {"matrix": rows("2; 0")}


def tree(rate: str, P: str, *words: str, level: str = "1000", iteration: str = "0", **more: Any) -> dict[str, Any]:
    trap = {"iteration": iteration, "level": level, "growth": "1", "bits": "0"}
    found = {"method": "word_tree", "rate": rate, "P": rows(P), "words": [w.split() for w in words or ("0",)]}
    return {**found, "trap": trap, **more}


def affine(vector: str, eigenvalue: str, **more: Any) -> dict[str, Any]:
    return {"method": "affine", "vector": vector.split(), "eigenvalue": eigenvalue, **more}


def compared(
    subject: dict[str, Any], left: str, right: str, limits: dict[str, Any], start: int = 0, first: int = 0,
    norm: str = "max", sequences: dict[str, Any] | None = None, **witness: Any,
) -> dict[str, Any]:  # fmt: skip
    stated = {"left": left, "right": right, "from": str(first), "upto": "infinity", "norm": norm}
    full = {"method": "tails", "bits": "64", "limits": limits, "start": str(start), **witness}
    return certificate(subject, "error_comparison", "proved", full, **stated, sequences=sequences or {})


UNIT = "1 0; 0 1"
SMALL = tree("1/2", UNIT, "0", "1", level="1/2", iteration="6")
IN_TRAP = {**SMALL, "vector": ["1", "0"], "eigenvalue": "1/2"}
BY_S, BY_T = ({"quantity": "derivatives", "wrt": name} for name in "st")
FREE = "witness/(bits|start)|claim/(from|left|right)|.*/(direction|trap|P|weight|rate|couplings)|start"
OTHER = FREE + "|.*/vector|map"

CASES = {  # with what may change in it without notice, as the claim stays true
    "k iterates": (
        compared(STEP, "derivatives", "3/2*k*iterates", {"iterates": POINT, "derivatives": THIRD}, 1, 1,
                 tail=tree("2/3", "1", rows="true", couplings=["1"]), lower={"iterates": affine("1", "2/3")}),
        OTHER,
    ),
    "derivatives are larger": (
        compared(STEP, "iterates", "2/3*derivatives", {"iterates": POINT, "derivatives": THIRD}, 1, 1,
                 tail=tree("2/3", "1", weight="1"), lower={"derivatives": affine("1", "2/3", column="t")}),
        OTHER,
    ),
    "a lower bound": (
        compared(STEP, "k*(2/3)**(k - 1)", "derivatives", {"derivatives": THIRD}, 1,
                 lower={"derivatives": affine("-1", "2/3", column="t")}),
        OTHER,
    ),
    "half of one and half of the other": (
        compared(STEP, "iterates", "iterates/3 + 2/3*(2/3)**k", {"iterates": POINT},
                 tail=tree("2/3", "1", rows="true"), lower={"iterates": affine("5", "2/3")}),
        OTHER,
    ),
    "one column is a ninth of the other": (
        compared(PLANE, "9*small", "large", {"small": MATRIX, "large": MATRIX}, 4, 0,
                 sequences={"small": {**BY_T, "norm": "max"}, "large": {**BY_S, "norm": "max"}}, norm="frobenius",
                 tail=tree("3/4", UNIT, rows="true", couplings=["0", "0"]),
                 lower={"large": affine("0 1", "3/4", column="s")}),
        OTHER,
    ),
    "the Euclidean norm": (
        compared(PLANE, "3*(3/4)**k", "iterates", {"iterates": CORNER}, 0, norm="spectral",
                 lower={"iterates": affine("0 2", "3/4")}),
        OTHER,
    ),
    "a negative eigenvalue": (
        compared(SIGN, "iterates*2 - 0*k", "5*(1/2)**k + iterates", {"iterates": ALTERNATING},
                 tail=tree("1/2", "1", rows="true"), lower={"iterates": affine("1", "-1/2")}),
        OTHER,
    ),
    "two pieces": (
        compared(KINKED, "derivatives", "iterates - (1/4)**k", {"derivatives": BESIDE, "iterates": TIED}, 8,
                 tail=SMALL | {"rows": "true", "couplings": ["0"]}, lower={"iterates": IN_TRAP}),
        OTHER,
    ),
    "derivatives in two pieces": (
        compared(KINKED, "2*(1/2)**k", "derivatives", {"derivatives": BESIDE}, 6,
                 lower={"derivatives": IN_TRAP | {"column": "t"}}),
        OTHER,
    ),
}  # fmt: skip


def is_true(data: dict[str, Any]) -> bool:
    """For the first twenty k, up to a relative error of 10^-40."""
    claim, slack = data["claim"], Fraction(1, 10**40)
    return all(a <= b + slack for a, b in sides(data, 20)[int(Fraction(claim["from"])) :])


@pytest.mark.parametrize("name", CASES)
def test_a_valid_certificate_is_accepted_and_states_the_truth(name: str) -> None:
    assert isinstance(check(CASES[name][0]), str)
    assert is_true(CASES[name][0])


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_refused_unless_the_claim_stays_true(name: str) -> None:
    valid, free = CASES[name]

    def stays_true(data: dict[str, Any]) -> bool:
        return data | {"witness": None} == valid | {"witness": None} or is_true(data)

    assert_changes_are_noticed(valid, free, stays_true)


# -- what is refused -----------------------------------------------------------------------------------------------


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    return with_changes(CASES[name][0], *changes)


KRHO, LARGER, LOWER, HALVES = list(CASES)[:4]
NINTH, EUCLID, NEGATIVE, TWO, PIECES = list(CASES)[4:]
DRIVEN = one_map(  # J starts beyond its limit, and what the iterates do pulls it back through zero
    "x", "t", "x/2 - t*x/4", at={"t": "0"}, start={"x": "1 + 5*t"},
)  # fmt: skip
FALSE = {
    "a smaller factor": (changed(KRHO, ("claim/right", "7/5*k*iterates")), "the left side is larger at k = 1"),
    "a smaller factor on the right": (changed(LARGER, ("claim/right", "3/5*derivatives")), "the left side is larger"),
    "a larger lower bound": (changed(LOWER, ("claim/left", "k*(2/3)**(k - 1) + 0.001**k")), "the left side is larger"),
    "a slower left side": (changed(LOWER, ("claim/left", "k*(67/100)**(k - 1)/2")), "the order is not proved from k"),
    "more than a half": (changed(HALVES, ("claim/left", "1001/1000*iterates")), "the left side is larger at k = 0"),
    "a difference of errors": (changed(HALVES, ("claim/right", "5/3*(2/3)**k - iterates/3")), "a negative term of"),
    "a product of errors": (changed(HALVES, ("claim/right", "iterates*iterates + (2/3)**k")), "errors are multiplied"),
    "a quotient of errors": (changed(HALVES, ("claim/right", "2/iterates")), "the bound is not a sum of terms c k^d"),
    "a root of an error": (changed(HALVES, ("claim/right", "2*sqrt(iterates)")), "the bound is not a sum of terms c"),
    "an error in an exponent": (changed(HALVES, ("claim/right", "2*2**iterates")), "an exponent is not a multiple of"),
    "two errors on the left": (changed(LARGER, ("claim/left", "iterates/2 + derivatives/9")), "the left side is not"),
    "k times the left side": (changed(LARGER, ("claim/left", "k*iterates/100")), "the left side is not a multiple of"),
    "a negative left side": (changed(LARGER, ("claim/left", "-iterates")), "the left side is not one term with a"),
    "nothing on the left": (changed(LARGER, ("claim/left", "0*iterates")), "the left side is not one term with a"),
    "k squared on the left": (changed(LOWER, ("claim/left", "k**2*(2/3)**k/100")), "the left side is not a rational"),
    "an irrational rate on the left": (changed(LOWER, ("claim/left", "k*sqrt(1/3)**k")), "the left side is not a"),
    "no bound of the right side": (changed(KRHO, ("witness/lower", {})), "`lower` has an entry for each sequence on"),
    "a bound of another one": (changed(KRHO, ("witness/lower", {"derivatives": affine("1", "2/3", column="t")})),
     "`lower` has an entry for each sequence on the right,"),
    "another eigenvalue": (changed(KRHO, ("witness/lower/iterates/eigenvalue", "3/4")), "a piece multiplies the"),
    "no eigenvalue": (changed(KRHO, ("witness/lower/iterates/eigenvalue", "0")), "the vector or the eigenvalue is"),
    "no vector": (changed(KRHO, ("witness/lower/iterates/vector", ["0"])), "the vector or the eigenvalue is zero"),
    "a vector that is too long": (changed(KRHO, ("witness/lower/iterates/vector", ["1", "1"])),
     "`vector` is not a list of length 1"),
    "no eigenvector": (changed(EUCLID, ("witness/lower/iterates/vector", ["1", "1"])), "a piece does not multiply"),
    "the other eigenvector": (changed(EUCLID, ("witness/lower/iterates/vector", ["1", "0"])), "a piece multiplies"),
    "a column of iterates": (changed(EUCLID, ("witness/lower/iterates/column", "t")), "a bound from below is for"),
    "no column": (changed(LOWER, ("witness/lower/derivatives", affine("1", "2/3"))), "a bound from below is for"),
    "an unknown column": (changed(LOWER, ("witness/lower/derivatives/column", "u")), "`lower.column` is a parameter"),
    "a column that does not count": (changed(NINTH, ("witness/lower/large/column", "t")), "`lower.column` is a"),
    "the other column": (changed(NINTH, ("claim/left", "large"), ("claim/right", "small")), "the left side is larger"),
    "another column on the left": (changed(NINTH, ("claim/sequences/small/wrt", "s")), "the left side is larger at k"),
    "too few couplings": (changed(NINTH, ("witness/tail/couplings", ["0"])), "`couplings` is not a list of length 2"),
    "no couplings": (changed(KRHO, ("witness/tail", tree("2/3", "1", rows="true"))), "`couplings` stands in the"),
    "smaller couplings": (changed(KRHO, ("witness/tail/couplings", ["1/2"])), "a coupling is larger than stated"),
    "a smaller rate": (changed(KRHO, ("witness/tail/rate", "1/2")), "the rate is not proved along the word 0"),
    "a smaller weight": (changed(LARGER, ("witness/tail/weight", "1/2")), "the weight does not bound the norm"),
    "rows for the Frobenius norm": (changed(KRHO, ("claim/norm", "frobenius")), '`rows` is "true", in the maximum'),
    "before the range": (changed(KRHO, ("witness/start", "0")), "`start`: `0` is not an integer from 1 to 100000"),
    "a finite range": (changed(KRHO, ("claim/upto", "10")), '`claim.upto` is not "infinity"'),
    "a tail by another proof": (changed(KRHO, ("witness/tail/method", "polytope")), "`method` beside a trap is"),
    "a tail by no proof": (changed(KRHO, ("witness/tail/method", "1")), '`method` beside a trap is "word_tree"'),
    "a bound from below without a limit": (changed(
        LOWER, ("witness/limits/derivatives", {key: THIRD[key] for key in ("fixed_point", "pieces")})
    ), "`matrix` is not a list of length 1"),
    "an unknown method": (changed(KRHO, ("witness/lower/iterates/method", "row")), "`lower`: missing key `rate`"),
    "a map with a guard": (changed(PIECES, ("witness/lower/derivatives", affine("1 0", "1/2", column="t"))),
     "the map meets a guard"),
    "a guard for iterates": (changed(TWO, ("witness/lower/iterates", affine("1 0", "1/2"))), "the map meets a guard"),
    "the other direction has two eigenvalues": (changed(PIECES, ("witness/lower/derivatives/vector", ["0", "1"])),
     "a piece multiplies the vector by another number"),
    "before the trap": (changed(TWO, ("witness/start", "5")), "the trap begins later"),
    "before the trap of the bound from below": (changed(PIECES, ("witness/start", "5")), "the trap begins later"),
    "a guard in the trap": (changed(PIECES, ("witness/lower/derivatives/trap/level", "2")),
     "the sign of an irrational number"),
    "the last step alone": (changed(
        LOWER, ("claim/sequences", {"short": {"quantity": "derivatives", "last": "1"}}), ("claim/right", "short"),
        ("witness/limits", {"short": THIRD}),
        ("witness/lower", {"short": affine("-1", "2/3", column="t")}),
        ("claim/left", "(2/3)**k/100"), ("claim/from", "1"),
    ), "a bound from below is for iterates"),
    "an output": (changed(
        HALVES, ("claim/sequences", {"seen": {"quantity": "iterates", "output": "x**2"}}), ("claim/left", "seen/9"),
        ("witness/limits/seen", POINT),
    ), "the error on the left is not that of iterates"),
    "against the iterates": (compared(  # J_k = (5 - k/2) (1/2)^k
        DRIVEN, "(1/2)**k/10", "derivatives",
        {"derivatives": {"fixed_point": {"x": "0"}, "pieces": [piece([["1/2"]], [["0"]], "1 1")], "matrix": [["0"]]}},
        lower={"derivatives": affine("1", "1/2", column="t")},
    ), "the iterates work against the errors of the derivatives"),
    "a piece against another": (compared(  # J_k = 0 for even k, as x_k = (-1/2)^k changes its side in each step
        one_map("x", "t", "-x/2 + t*Abs(x)", at={"t": "0"}, start={"x": "1"}), "k*(1/2)**k", "derivatives",
        {"derivatives": {
            "fixed_point": {"x": "0"}, "matrix": [["0"]],
            "pieces": [piece([["-1/2"]], [["0"]], "1 0"), piece([["-1/2"]], [["0"]], "-1 0")],
        }},
        lower={"derivatives": tree("1/2", "1", "0", "1", vector=["1"], eigenvalue="-1/2", column="t")},
    ), "the iterates work against the errors of the derivatives"),
    "nothing is known of one error": (compared(
        PLANE, "(1/3)**k", "(1/2)**k*large + 2*(1/2)**k", {"large": MATRIX}, 4, sequences={"large": BY_S}
    ), "`lower` has an entry for each sequence on the right,"),
    "an error that does not exist at k = 3": (compared(  # where x = 11/8, and the slope is 1
        one_map("x", "t", "x/2 + relu(x - 1/2)/2 - relu(x - 3/2)/2 + t", at={"t": "0"}, start={"x": "4"}),
        "(1/3)**k", "2*(1/2)**k + implicit", {"implicit": AFTER},
    ), "`lower` has an entry for each sequence on the right,"),
    "a piece that curves": (compared(
        one_map("x", "", "x/2 - x**2/8", at={}, start={"x": "1"}), "(1/2)**k/100", "iterates",
        {"iterates": {"fixed_point": {"x": "0"}, "pieces": [piece([["1/2"]], [[]], "1")]}},
        lower={"iterates": affine("1", "1/2")},
    ), "a piece is not affine in the state"),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_a_false_certificate_is_refused(name: str) -> None:
    assert_refused(*FALSE[name])


def test_the_error_that_is_pulled_back_vanishes_once() -> None:
    """And the same with the opposite sign is a bound from below."""
    against, _ = FALSE["against the iterates"]
    assert sides(against, 12)[10][1] < Fraction(1, 10**40)
    assert check(with_changes(against, ("map/next", ["x/2 + t*x/4"])))

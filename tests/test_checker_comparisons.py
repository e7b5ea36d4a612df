"""Certificates about comparisons of errors, written by hand: accepted, and refused when a change makes them false.

What is true is seen another way: by iterating fractions, and by differences at two nearby parameters.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from certificate_changes import assert_changes_are_noticed, assert_refused, with_changes
from checker_certificates import certificate, one_map, piece, rows
from sequences_reference import sides

from piggycheck.checker import Refused, Unreadable, check, effort

# -- subjects ------------------------------------------------------------------------------------------------------

STEP = one_map(  # x_k = (1 - t)^k, J_k = -k (1 - t)^(k - 1), B(x) = -x
    "x", "t", "x - t*x", at={"t": "1/3"}, start={"x": "1"},
)  # fmt: skip
THIRD = {"fixed_point": {"x": "0"}, "pieces": [piece([["2/3"]], [["0"]], "1 1")], "matrix": [["0"]]}
HALF = {"fixed_point": {"x": "0"}, "pieces": [piece([["1/2"]], [["0"]], "1 1")], "matrix": [["0"]]}
POINT = {"fixed_point": {"x": "0"}}
NEWTON = one_map("x", "t", "(x + t/x)/2", at={"t": "4"}, start={"x": "3"})
ROOT = {"fixed_point": {"x": "2"}, "pieces": [piece([["0"]], [["1/4"]], "1 1")], "matrix": [["1/4"]]}
TWO = {"fixed_point": {"x": "2"}}
LOOSE = {key: value for key, value in ROOT.items() if key != "matrix"}
PLANE = one_map(  # factors 1/2 and 3/4; two parameters
    "x y", "s t", "x/2 + y/8 + s/2", "3/4*y + t/4", at={"s": "0", "t": "0"}, start={"x": "3 + s*t", "y": "2 + t"},
)  # fmt: skip
CORNER = {
    "fixed_point": {"x": "0", "y": "0"},
    "pieces": [piece(rows("1/2 1/8; 0 3/4"), rows("1/2 0; 0 1/4"), "1 1 1 1")],
    "matrix": rows("1 1/4; 0 1"),
}
WIDE = PLANE | {"start": {"x": "3 + s*t", "y": "2 + 3*t"}}  # of rank 2
JUMP = one_map(  # from 8 the derivatives jump at k = 3, where x = 1
    "x", "t", "Piecewise((x/2 + t, x >= 1), (x/2, True))", at={"t": "0"}, start={"x": "8"},
)  # fmt: skip
AFTER = {"fixed_point": {"x": "0"}, "pieces": [piece([["1/2"]], [["0"]], "1 1")], "matrix": [["0"]]}
KINK = one_map(  # the same, with one derivative there
    "x", "t", "Piecewise((x/2 + t, x >= 1), (t + x/2 + Max(x - 1, 0)**2, True))", at={"t": "0"}, start={"x": "8"},
)  # fmt: skip
SMOOTH = {"fixed_point": {"x": "0"}, "pieces": [piece([["1/2"]], [["1"]], "1 1")], "matrix": [["2"]]}


def compared(
    subject: dict[str, Any], left: str, right: str, upto: object, limits: dict[str, Any],
    sequences: dict[str, Any] | None = None, first: int = 0, norm: str = "max", **witness: Any,
) -> dict[str, Any]:  # fmt: skip
    """A certificate; with a violation it refutes."""
    stated = {"left": left, "right": right, "from": str(first), "upto": str(upto), "norm": norm}
    if sequences is not None:
        stated["sequences"] = sequences
    verdict = "refuted" if "violation" in witness else "proved"
    full = {"method": "evaluation", "bits": "64", "limits": limits, **witness}
    return certificate(subject, "error_comparison", verdict, full, **stated)


def derivative(**more: Any) -> dict[str, Any]:
    return {"quantity": "derivatives", **more}


ORDERS = {  # of the gradient of a function of x, at the minimum of which its derivative in x vanishes
    "analytic": {"quantity": "partial", "output": "(x - 2)**2 + t*x"},
    "automatic": derivative(output="(x - 2)**2 + t*x"),
}
FREE = "witness/bits|claim/(upto|from|left|right)|.*/direction|start"
WITH_OTHER_LIMIT = FREE + "|at/t"  # where the fixed point stays one

CASES = {  # with what may change in it without notice, as the claim stays true
    "derivatives are k rho^(k - 1)": (
        compared(STEP, "derivatives", "3/2*k*iterates", 12, {"iterates": POINT, "derivatives": THIRD}),
        FREE,
    ),
    "one step": (compared(STEP, "one_step", "3/2*iterates", 9, {"iterates": POINT, "one_step": THIRD}, first=1), FREE),
    "the implicit function": (
        compared(STEP, "implicit", "3*iterates", 9, {"iterates": POINT, "implicit": THIRD}, bits="0"), FREE
    ),
    "three steps": (
        compared(STEP, "tail", "3*(2/3)**(k - 1)", 9, {"tail": THIRD}, {"tail": derivative(last="3")}),
        FREE + "|claim/sequences/tail/last",
    ),
    "all but two steps": (
        compared(STEP, "late", "(k - 2)*(2/3)**(k - 1)", 9, {"late": THIRD}, {"late": derivative(skip="2")}, first=2),
        FREE + "|claim/sequences/late/skip",
    ),
    "from zero": (
        compared(STEP, "late", "derivatives", 9, {"late": THIRD, "derivatives": THIRD}, {"late": derivative(skip="0")}),
        FREE + "|claim/sequences/late/skip",
    ),
    "a larger step is faster, and slower at first": (
        compared(STEP, "derivatives", "small", 9, {"derivatives": HALF, "small": THIRD},
                 {"derivatives": derivative(), "small": derivative(at={"t": "1/3"})}) | {"at": {"t": "1/2"}},
        FREE + "|claim/sequences/small/at/t|at/t",
    ),
    "half is too little": (
        compared(STEP, "large", "small/2", 9, {"large": HALF, "small": THIRD},
                 {"large": derivative(), "small": derivative(at={"t": "1/3"})}, violation="1") | {"at": {"t": "1/2"}},
        FREE,
    ),
    "Newton's method squares": (
        compared(NEWTON, "derivatives", "3/10*2**k*iterates", 7, {"iterates": TWO, "derivatives": ROOT}),
        FREE,
    ),
    "errors of a minimum": (
        compared(NEWTON, "analytic", "3*automatic/iterates", 4,
                 {"analytic": ROOT, "automatic": LOOSE, "iterates": TWO}, ORDERS, first=1),
        FREE + "|claim/sequences",
    ),
    "columns": (
        compared(PLANE, "first", "sqrt(both)", 9, {"first": CORNER, "both": CORNER},
                 {"first": derivative(wrt="s", norm="max"), "both": derivative(wrt=["s", "t"])}, norm="frobenius"),
        FREE,
    ),
    "the spectral norm": (
        compared(WIDE, "spectral", "whole", 12, {"spectral": CORNER, "whole": CORNER},
                 {"spectral": derivative(), "whole": derivative(norm="frobenius")}, norm="spectral"),
        FREE,
    ),
    "the spectral norm violated": (
        compared(WIDE, "whole", "spectral + 3/100", 25, {"spectral": CORNER, "whole": CORNER},
                 {"spectral": derivative(), "whole": derivative(norm="frobenius")},
                 first=1, norm="spectral", violation="1"),
        FREE,
    ),
    "of rank one the two norms are equal": (
        compared(PLANE, "2*whole", "spectral*2", 8, {"spectral": CORNER, "whole": CORNER},
                 {"spectral": derivative(), "whole": derivative(norm="frobenius")}, norm="spectral"),
        FREE,
    ),
    "outputs": (
        compared(PLANE, "value", "3*iterates", 9, {"value": {"fixed_point": CORNER["fixed_point"]},
                 "iterates": {"fixed_point": CORNER["fixed_point"]}},
                 {"value": {"quantity": "iterates", "output": ["x - 2*y", "x*y/2"]}}),
        FREE + "|claim/sequences",
    ),
    "one derivative at a kink": (
        compared(KINK, "derivatives", "iterates/4", 9, {"derivatives": SMOOTH, "iterates": POINT}), FREE
    ),
    "before the jump": (compared(JUMP, "derivatives", "2", 3, {"derivatives": AFTER}), WITH_OTHER_LIMIT),
    "after the jump": (
        compared(JUMP, "late", "0*k", 9, {"late": AFTER}, {"late": derivative(skip="4")}),
        WITH_OTHER_LIMIT + "|claim/sequences",
    ),
    "windows after the jump": (
        compared(JUMP, "short", "0*k", 9, {"short": AFTER}, {"short": derivative(last="2")}, first=6),
        WITH_OTHER_LIMIT + "|claim/sequences",
    ),
    "k alone": (compared(STEP, "k", "k**2", 9, {}, {}), FREE + "|at|map"),
}  # fmt: skip


def is_true(data: dict[str, Any]) -> bool:
    """Up to a relative error of 10^-40."""
    claim, slack = data["claim"], Fraction(1, 10**40)
    first, last = int(Fraction(claim["from"])), int(Fraction(data["witness"].get("violation", claim["upto"])))
    found = sides(data, last)
    if claim["verdict"] == "refuted":
        return found[last][0] > found[last][1]
    return all(a <= b + slack * max(abs(b), 1) for a, b in found[first:])


@pytest.mark.parametrize("name", CASES)
def test_a_valid_certificate_is_accepted_and_states_the_truth(name: str) -> None:
    assert isinstance(check(CASES[name][0]), str)
    assert is_true(CASES[name][0])


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_refused_unless_the_claim_stays_true(name: str) -> None:
    valid, free = CASES[name]
    assert_changes_are_noticed(valid, free, is_true)


# -- what is refused -----------------------------------------------------------------------------------------------


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    """One of the certificates with some parts replaced or added."""
    return with_changes(CASES[name][0], *changes)


KRHO, MINIMUM, OUTPUTS, WINDOW = "derivatives are k rho^(k - 1)", "errors of a minimum", "outputs", "three steps"
FALSE = {
    "the order is another one": (changed(KRHO, ("claim/left", "iterates"), ("claim/right", "derivatives")),
     "the left side is larger at k = 0"),
    "by little at the last k alone": (changed(KRHO, ("claim/right", "3/2*k*iterates - Max(0, k - 11)/10**1000")),
     "the left side is larger at k = 12"),
    "another limit": (changed(KRHO, ("witness/limits/derivatives/matrix", [["1"]])), "the matrix is not fixed by all"),
    "two fixed points": (compared(  # x_k tends to 0, and not to 2
        one_map("x", "t", "x**2/2 + t", at={"t": "0"}, start={"x": "1"}), "near", "far", 9,
        {"near": POINT, "far": TWO}, {"near": {"quantity": "iterates"}, "far": {"quantity": "iterates"}},
    ), "`near` is compared with another fixed point than other"),
    "another fixed point": (changed(KRHO, ("witness/limits/iterates/fixed_point/x", "1")), "x = 1 is not fixed, or"),
    "a sequence at other parameters": (changed(
        KRHO, ("claim/sequences", {"small": derivative(at={"t": "1/2"})}), ("claim/left", "small"),
        ("witness/limits", {"iterates": POINT, "small": THIRD}),
    ), "piece 0: its A and B are not those along its direction"),
    "a limit that nobody uses": (changed(KRHO, ("witness/limits/one_step", THIRD)), "`limits` has an entry for each"),
    "a limit is missing": (changed(KRHO, ("witness/limits", {"iterates": POINT})), "`limits` has an entry for each"),
    "an unknown name": (changed(KRHO, ("claim/right", "10*errors")), "`errors` is not in the grammar, or not a"),
    "a sequence that nobody uses": (changed(KRHO, ("claim/sequences", {"late": derivative(skip="1")})),
     "`claim.sequences`: `late` is not used, or is k"),
    "a name that means something else": (changed(KRHO, ("claim/sequences", {"iterates": derivative()})),
     "`claim.sequences`: `iterates` has another meaning"),
    "a sequence called k": (changed(KRHO, ("claim/sequences", {"k": derivative()})), "`claim.sequences`: `k` is not"),
    "a sequence called sqrt": (changed(KRHO, ("claim/sequences", {"sqrt": derivative()})), "`claim.sequences`:"),
    "an unknown field": (changed(WINDOW, ("claim/sequences/tail/first", "3")), "`claim.sequences.tail`: unknown key"),
    "a sequence without a quantity": (changed(WINDOW, ("claim/sequences/tail", {"last": "3"})),
     "`claim.sequences.tail`: missing key `quantity`"),
    "last and skip": (changed(WINDOW, ("claim/sequences/tail/skip", "3")), "`claim.sequences.tail`: `last` and"),
    "the last zero steps": (changed(WINDOW, ("claim/sequences/tail/last", "0")), "`last`: `0` is not an integer from"),
    "more steps": (changed(WINDOW, ("claim/sequences/tail/last", "4")), "the left side is larger at k = 4"),
    "the last steps of iterates": (changed(WINDOW, ("claim/sequences/tail/quantity", "iterates")),
     "`claim.sequences.tail`: `last` and `skip` are for"),
    "a column of iterates": (changed(OUTPUTS, ("claim/sequences/value/wrt", ["t"])), "`claim.sequences.value.wrt` is"),
    "an unknown column": (changed("columns", ("claim/sequences/first/wrt", "u")), "`claim.sequences.first.wrt`: not"),
    "a column twice": (changed("columns", ("claim/sequences/both/wrt", ["t", "t"])), "`claim.sequences.both.wrt`:"),
    "no column": (changed("columns", ("claim/sequences/both/wrt", [])), "`claim.sequences.both.wrt`: not distinct"),
    "the other column": (changed("columns", ("claim/left", "both"), ("claim/right", "first")),
     "the left side is larger at k = 0"),
    "an unknown parameter": (changed(WINDOW, ("claim/sequences/tail/at", {"u": "1"})), "`at` of a sequence names"),
    "no output": (changed(OUTPUTS, ("claim/sequences/value/output", [])), "`claim.sequences.value.output` is empty"),
    "another output": (changed(OUTPUTS, ("claim/sequences/value/output", ["x - 2*y", "4*x"])),
     "the left side is larger at k = 0"),
    "an output of unknown names": (changed(OUTPUTS, ("claim/sequences/value/output", "x + u")),
     "`u` is not in the grammar, or not a declared name"),
    "a partial derivative of nothing": (changed(MINIMUM, ("claim/sequences/analytic", {"quantity": "partial"})),
     "`claim.sequences.analytic.output` is missing"),
    "the orders are different": (changed(MINIMUM, ("claim/right", "3*automatic + 0*iterates")),
     "the left side is larger at k = 1"),
    "a wrong order in k": (changed("Newton's method squares", ("claim/right", "iterates**2 + iterates/4")),
     "the left side is larger at k = 1"),
    "the jump": (changed("before the jump", ("claim/upto", "4")), "at iterate 3 pieces with different derivatives"),
    "the jump is in the window": (changed("windows after the jump", ("claim/from", "4")), "at iterate 3 pieces with"),
    "the jump is differentiated": (changed("after the jump", ("claim/sequences/late/skip", "3")),
     "at iterate 3 pieces with different derivatives meet"),
    "an output that has two derivatives": (compared(
        STEP, "corner", "10", 3, {"corner": THIRD}, {"corner": derivative(output="Abs(x - 1)")}
    ), "at iterate 0 pieces with different derivatives meet"),
    "an output that has two derivatives at the limit": (compared(
        STEP, "corner", "10", 3, {"corner": THIRD}, {"corner": derivative(output="Abs(x)")}
    ), "at the limit pieces with different derivatives meet"),
    "no violation there": (changed("half is too little", ("witness/violation", "0")), "the left side is not the"),
    "an earlier violation": (changed("half is too little", ("witness/violation", "2")), "the left side is not the"),
    "before the range": (changed("half is too little", ("claim/from", "2")), "`violation`: `1` is not an integer"),
    "an empty range": (changed(KRHO, ("claim/from", "13")), "`claim.upto`: `12` is not an integer from 13 to 100000"),
    "upto": (changed(KRHO, ("claim/upto", "-1")), "`claim.upto`: `-1` is not an integer from 0 to 100000"),
    "upto is far": (changed(KRHO, ("claim/upto", "1000000000")), "`claim.upto`: `1000000000` is not an integer from"),
    "infinity by evaluation": (changed(KRHO, ("claim/upto", "infinity")), '`claim.upto` is "infinity", which takes'),
    "norm": (changed(KRHO, ("claim/norm", "nuclear")), "`claim.norm` is one of max, frobenius, spectral"),
    "the norm of a sequence": (changed("columns", ("claim/sequences/both/norm", "nuclear")), "`claim.sequences.both`:"),
    "a side that is no text": (changed(KRHO, ("claim/left", None)), "an expression is text, below 100000 characters,"),
    "no sequences": (changed(KRHO, ("claim/sequences", [])), "`claim.sequences` is not an object"),
    "no implicit function": (compared(
        one_map("x", "t", "x + t*(x - 1)**2", at={"t": "1"}, start={"x": "1"}),
        "implicit", "10", 3, {"implicit": {"fixed_point": {"x": "1"}, "pieces": [piece([["1"]], [["0"]], "1 1")]}},
    ), "at k = 0 the comparison"),
    "no implicit function where it cancels": (compared(
        one_map("x", "t", "x/2 + t*x**2/4", at={"t": "1"}, start={"x": "1"}),
        "0*implicit", "10 + implicit - implicit", 3,
        {"implicit": {"fixed_point": {"x": "0"}, "pieces": [piece([["1/2"]], [["0"]], "1 1")], "matrix": [["0"]]}},
    ), "division by zero"),
    "no start": ({key: value for key, value in CASES[KRHO][0].items() if key != "start"}, "`start` is missing"),
    "no pieces": (changed(KRHO, ("witness/limits/derivatives", {"fixed_point": {"x": "0"}, "matrix": [["0"]]})),
     "`pieces`, or parameters, are missing"),
    "a matrix for iterates": (changed(KRHO, ("witness/limits/iterates/matrix", [["0"]])), "`matrix` stands there for"),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_a_false_certificate_is_refused(name: str) -> None:
    assert_refused(*FALSE[name])


HOSTILE = {
    "digits that double": compared(
        NEWTON, "derivatives", "3*2**k*iterates", 60, {"iterates": TWO, "derivatives": ROOT}
    ),
    "windows without end": compared(
        WIDE, "long", "100", 100_000, {"long": CORNER}, {"long": derivative(last="100000")}
    ),
    "powers": changed(KRHO, ("claim/right", "(1 + iterates)**999*(1 + k)**999"), ("claim/upto", "100000")),
    "towers": changed(KRHO, ("claim/right", "10 + 2**2**2**2**2**2**(k*iterates)")),
    "an equality that is irrational": changed(
        "the spectral norm", ("claim/left", "whole + spectral"), ("claim/right", "spectral + whole")
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_too_much_work_is_refused_in_time(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(effort, "MOST_WORK", effort.MOST_WORK / 50)
    with pytest.raises((Refused, Unreadable)):
        check(HOSTILE[name])

"""Certificates about bounds of errors in k, written by hand: accepted, and refused when a change makes them false.

What is true is seen another way: by iterating Python's fractions, and by differences at two nearby parameters.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from certificate_changes import assert_changes_are_noticed, assert_refused, with_changes
from checker_certificates import certificate, one_map, piece, rows
from sequences_reference import evaluate

from piggycheck.checker import Refused, Unreadable, check
from piggycheck.checker.arithmetics import Exact, Open, Powers, Rounded, form
from piggycheck.checker.rate_bounds import Bound

# -- subjects ------------------------------------------------------------------------------------------------------

DESCENT = one_map(  # of x^2/2 - t x + y^2/20 with step 1/2, which has the factors 1/2 and 19/20
    "x y",
    "t",
    "x - 1/2*(x - t)",
    "y - y/20",
    at={"t": "1"},
    start={"x": "2*t", "y": "3"},
    fixed_point={"x": "1", "y": "0"},
)
WITH_PIECES = DESCENT | {"pieces": [piece(rows("1/2 0; 0 19/20"), rows("1/2; 0"), "1 1 1")]}
STEP = one_map(  # the step size is the parameter: x_k = (1 - t)^k, its derivative -k (1 - t)^(k - 1)
    "x",
    "t",
    "x - t*x",
    at={"t": "1/3"},
    start={"x": "1"},
    fixed_point={"x": "0"},
    pieces=[piece([["2/3"]], [["0"]], "1 1")],
)
KINK = one_map(  # reaches the kink at 1 from 8 after three steps, where both sides have one derivative
    "x",
    "t",
    "Piecewise((x/2 + t, x >= 1), (t + x/2 + Max(x - 1, 0)**2, True))",
    at={"t": "0"},
    start={"x": "8"},
    fixed_point={"x": "0"},
    pieces=[piece([["1/2"]], [["1"]], "1 1")],
)
JUMP = one_map(  # the derivative jumps there
    "x",
    "t",
    "Piecewise((x/2 + t, x >= 1), (x/2, True))",
    at={"t": "0"},
    start={"x": "8"},
    fixed_point={"x": "0"},
    pieces=[piece([["1/2"]], [["0"]], "1 1")],
)
NEWTON = one_map(
    "x",
    "t",
    "(x + t/x)/2",
    at={"t": "4"},
    start={"x": "3"},
    fixed_point={"x": "2"},
    pieces=[piece([["0"]], [["1/4"]], "1 1")],
)
IRRATIONAL = one_map(
    "x",
    "t",
    "x - (x - t)/sqrt(2)",
    at={"t": "1"},
    start={"x": "2"},
    fixed_point={"x": "1"},
    pieces=[piece([[["29/100", "3/10"]]], [[["7/10", "71/100"]]], "1 1")],
)
SHEARED = one_map(
    "x y",
    "",
    "x/2 + y/2",
    "y/2",
    at={},
    start={"x": "1", "y": "1"},
    fixed_point={"x": "0", "y": "0"},
    pieces=[piece(rows("1/2 1/2; 0 1/2"), [[], []], "1 1")],
)
SWITCHING = one_map(  # two pieces at the fixed point, and a guard away from it
    "x y",
    "t",
    "x/2 + relu(y - 1)/4 + t",
    "y/4 + Abs(y)/8",
    at={"t": "0"},
    start={"x": "4", "y": "3"},
    fixed_point={"x": "0", "y": "0"},
    pieces=[
        piece(rows("1/2 0; 0 3/8"), rows("1; 0"), "0 1 0"),
        piece(rows("1/2 0; 0 1/8"), rows("1; 0"), "0 -1 0"),
    ],
)


def rate(
    subject: dict[str, Any], bound: str, upto: object, quantity: str = "iterates", norm: str = "max", **witness: Any
):
    """A certificate; with a violation it refutes."""
    stated = {"quantity": quantity, "bound": bound, "upto": str(upto), "norm": norm}
    verdict = "refuted" if "violation" in witness else "proved"
    return certificate(subject, "rate_bound", verdict, {"method": "evaluation", "bits": "128", **witness}, **stated)


def tree(
    rate: str, P: str, *words: str, level: str = "1000", iteration: str = "0", growth: str = "1"
) -> dict[str, Any]:
    trap = {"iteration": iteration, "level": level, "growth": growth, "bits": "0"}
    words = words or ("0",)
    return {"method": "word_tree", "rate": rate, "P": rows(P), "words": [word.split() for word in words], "trap": trap}


UNIT = "1 0; 0 1"
LIMIT = rows("1; 0")
FREE = "witness/bits|claim/upto|claim/bound|pieces/./direction|start"

CASES = {  # with what may change in it without notice, as the claim stays true
    "equality at every k": (rate(DESCENT, "3*(19/20)**k", 60), FREE),
    "another norm": (rate(DESCENT, "sqrt(10)*(19/20)**k", 60, norm="frobenius"), FREE),
    "violated": (rate(DESCENT, "4*(9/10)**k", "infinity", violation="6"), FREE + "|map/next/0"),
    "violated at the start by little": (
        rate(DESCENT, "3*(19/20)**k - 1/10**30", 5, violation="0", bits="0"),
        FREE + "|map/next",
    ),
    "derivatives": (
        rate(WITH_PIECES, "3*(1/2)**k", 60, "derivatives", "spectral", matrix=LIMIT),
        FREE,
    ),
    "derivatives, whose limit is enclosed": (rate(WITH_PIECES, "2*(1/2)**k", 60, "derivatives"), FREE),
    "k rho^k": (rate(STEP, "k*(2/3)**(k - 1)", 40, "derivatives", matrix=[["0"]]), FREE),
    "k rho^k violated": (
        rate(STEP, "k*(2/3)**(k - 1) - Max(0, k - 7)/10**30", 40, "derivatives", matrix=[["0"]], violation="8"),
        FREE,
    ),
    "one derivative at a kink": (rate(KINK, "2*(1/2)**k", 20, "derivatives", matrix=[["2"]]), FREE),
    "Newton": (rate(NEWTON, "20*(1/5)**(2**k)", 7), FREE),
    "Newton's derivatives": (rate(NEWTON, "5*2**k*(1/5)**(2**k)", 7, "derivatives", matrix=[["1/4"]]), FREE),
    "irrational": (rate(IRRATIONAL, "(3/10)**k*2", 50, "derivatives"), FREE + "|pieces"),
    "irrational with its limit": (
        rate(IRRATIONAL, "(1 - 1/sqrt(2))**k*(1 + 1/10**20)", 50, "derivatives", matrix=[["1"]]),
        FREE + "|pieces",
    ),
    "switching": (rate(SWITCHING, "4*(2/3)**k", 60), FREE + "|map/next"),
    "for all k": (
        rate(WITH_PIECES, "4*(19/20)**k", "infinity", **tree("19/20", UNIT), **{"from": "0", "weight": "1"}),
        FREE + "|witness/(rate|P|trap|weight|from)",
    ),
    "for all k by rows": (
        rate(WITH_PIECES, "3*(19/20)**k", "infinity", **tree("19/20", UNIT), **{"from": "0", "rows": "true"}),
        FREE + "|witness/(P|trap|from)",
    ),
    "for all k, derivatives that move with the state": (
        rate(
            STEP,
            "k*(2/3)**(k - 1)",
            "infinity",
            "derivatives",
            matrix=[["0"]],
            couplings=["1"],
            **tree("2/3", "1"),
            **{"from": "1", "weight": "1"},
        ),
        FREE + "|witness/(P|trap|from)",
    ),
    "for all k in two pieces": (
        rate(
            SWITCHING,
            "16*(2/3)**k + 0*k",
            "infinity",
            "derivatives",
            "frobenius",
            matrix=rows("2; 0"),
            couplings=["0"],
            **tree("2/3", UNIT, "0", "1", level="1/2", iteration="6"),
            **{"from": "8", "weight": "1"},
        ),
        FREE + "|map/next|witness/(rate|P|trap|weight|from|couplings)",
    ),
}


# -- what is true --------------------------------------------------------------------------------------------------


def iterates(data: dict[str, Any], t: Fraction, steps: int) -> list[list[Fraction]]:
    """Rounded to 400 digits."""
    names, found = data["map"]["state"], []
    x = [evaluate(data["start"][name], t=t) for name in names]
    for _ in range(steps + 1):
        found.append(x)
        x = [evaluate(text, t=t, **dict(zip(names, x, strict=True))) for text in data["map"]["next"]]
        x = [Fraction(round(a * 10**400), 10**400) for a in x]
    return found


def errors(data: dict[str, Any], steps: int) -> list[Fraction]:
    """The squares of the errors, in the norm; there is one parameter."""
    t, h = Fraction(data["at"]["t"]), Fraction(1, 10**60)
    if data["claim"]["quantity"] == "iterates":
        limit = [Fraction(data["fixed_point"][name]) for name in data["map"]["state"]]
        differences = [[a - c for a, c in zip(x, limit, strict=True)] for x in iterates(data, t, steps)]
    else:
        above, below = (iterates(data, t + s, max(steps, 400)) for s in (h, -h))
        slopes = [[(a - b) / (2 * h) for a, b in zip(*pair, strict=True)] for pair in zip(above, below, strict=True)]
        differences = [[a - c for a, c in zip(x, slopes[-1], strict=True)] for x in slopes[: steps + 1]]
    if data["claim"]["norm"] == "max":
        return [max(abs(a) for a in d) ** 2 for d in differences]
    return [sum(a * a for a in d) for d in differences]


def is_true(data: dict[str, Any]) -> bool:
    """Up to a relative error of 10^-12 where there are square roots, of 10^-40 elsewhere."""
    claim = data["claim"]
    rough = "sqrt" in str(data)
    slack = Fraction(1, 10**12 if rough else 10**40)
    last = int(Fraction(data["witness"].get("violation", 120 if claim["upto"] == "infinity" else claim["upto"])))
    found = errors(data, last)
    bounds = [evaluate(claim["bound"], k=k) for k in range(last + 1)]
    if claim["verdict"] == "refuted":
        return found[-1] > bounds[-1] ** 2 * (1 - slack)
    tiny = Fraction(1, 10**24) if rough else Fraction(1, 10**110)
    return all(b >= 0 and e <= b * b * (1 + slack) + tiny for e, b in zip(found, bounds, strict=True))


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


ROWS, COUPLED, TWO = "for all k by rows", "for all k, derivatives that move with the state", "for all k in two pieces"
FORM = "for all k"
FALSE = {
    "the bound is less at the last k alone": (changed(
        "equality at every k", ("claim/bound", "3*(19/20)**k - Max(0, k - 59)/10**1000")
    ), "the error exceeds the bound at k = 60"),
    "a bound that is negative": (changed("equality at every k", ("claim/bound", "-3*(19/20)**k")),
     "the error exceeds the bound at k = 0"),
    "a bound that is not real": (changed("equality at every k", ("claim/bound", "4 + sqrt(30 - k)")),
     "the square root of a negative number"),
    "a bound that divides by zero": (changed("equality at every k", ("claim/bound", "4 + 1/(k - 30)")),
     "division by zero"),
    "no violation there": (changed("violated", ("witness/violation", "5")), "the error does not exceed the bound"),
    "an earlier violation": (changed("violated", ("witness/violation", "7")), "the error does not exceed the bound"),
    "equality is no violation": (changed("violated at the start by little", ("claim/bound", "3*(19/20)**k")),
     "the error does not exceed the bound first at k = 0"),
    "another limit": (changed("derivatives", ("witness/matrix", rows("1; 1"))), "the matrix is not fixed by all"),
    "pieces with different derivatives": (rate(JUMP, "100", 20, "derivatives", matrix=[["0"]]),
     "at iterate 3 pieces with different derivatives meet"),
    "before the kink all is well": (changed(
        "one derivative at a kink", ("map/next/0", "Piecewise((x/2 + t, x >= 1), (x/2, True))")
    ), "piece 0: its A and B are not those along its direction"),
    "a negative term": (changed(FORM, ("claim/bound", "5*(19/20)**k - (99/100)**k")), "a negative term of the bound"),
    "a slower term is needed": (changed(FORM, ("claim/bound", "4*(18/20)**k + 1/10**9")), "the bound is not proved"),
    "a bound of another form": (changed(FORM, ("claim/bound", "4*(19/20)**k + Max(0, k - 5)")),
     "the bound is not a sum of terms c k^d r^k"),
    "the weight": (changed(FORM, ("witness/weight", "9/10")), "the weight does not bound the norm"),
    "the rate": (changed(FORM, ("witness/rate", "18/20")), "the rate is not proved along the word 0"),
    "rows for the Frobenius norm": (changed(ROWS, ("claim/norm", "frobenius"), ("claim/bound", "4*(19/20)**k")),
     '`rows` is "true", in the maximum norm, without `weight`'),
    "rows beside a weight": (changed(ROWS, ("witness/weight", "1")), '`rows` is "true", in the maximum norm, without'),
    "rows are not true": (changed(ROWS, ("witness/rows", "false")), '`rows` is "true", in the maximum norm, without'),
    "a row is too large": (rate(  # it sums to 1, and the form sees 0.57
        SHEARED, "9*(9/10)**k", "infinity", **tree("9/10", "1 0; 0 16"), **{"from": "0", "rows": "true"}
    ), "a row of a piece has a larger sum than the rate"),
    "no coupling": (changed(COUPLED, ("witness/couplings", ["0"])), "a coupling is larger than stated"),
    "too many couplings": (changed(COUPLED, ("witness/couplings", ["1", "1"])), "`couplings` is not a list of length"),
    "a smaller factor": (changed(COUPLED, ("claim/bound", "999/1000*k*(2/3)**(k - 1)")), "the error exceeds the"),
    "k = 0 is of no use with a power of k": (changed(COUPLED, ("witness/from", "0")), "a term of the bound is not of"),
    "before the trap": (changed(TWO, ("witness/from", "5")), "`from`: `5` is not an integer from 6 to 100000"),
    "a guard in the trap": (changed(TWO, ("witness/trap/level", "2")), "the sign of an irrational number"),
    "the parameter moves curvature": (changed(
        COUPLED, ("map/next/0", "x - t*x + (t - 1/3)*x**2"), ("claim/bound", "9*k*(2/3)**(k - 1)")
    ), "a piece is not affine in the state"),
    "bits": (changed("equality at every k", ("witness/bits", "1000000")), "`bits`: `1000000` is not an integer from"),
    "upto": (changed("equality at every k", ("claim/upto", "-1")), "`claim.upto`: `-1` is not an integer from 0 to"),
    "upto is half": (changed("equality at every k", ("claim/upto", "1/2")), "`claim.upto`: `1/2` is not an integer"),
    "upto is far": (changed("equality at every k", ("claim/upto", "1000000000")), "`claim.upto`: `1000000000` is not"),
    "norm": (changed("equality at every k", ("claim/norm", "nuclear")), "`claim.norm` is one of max, frobenius,"),
    "quantity": (changed("equality at every k", ("claim/quantity", "values")), '`claim.quantity` is "iterates" or'),
    "a name in the bound": (changed("equality at every k", ("claim/bound", "x + 10")), "`x` is not in the grammar,"),
    "a bound that is no text": (changed("equality at every k", ("claim/bound", None)), "an expression is text, below"),
    "infinity by evaluation": (changed("equality at every k", ("claim/upto", "infinity")),
     '`claim.upto` is "infinity", which takes another method'),
    "a limit for iterates": (changed("equality at every k", ("witness/matrix", rows("1; 0"))),
     "`matrix` stands there for derivatives alone"),
    "no pieces": (rate(DESCENT, "3*(1/2)**k", 60, "derivatives", matrix=LIMIT), "`pieces`, or parameters, are missing"),
    "several limits": (rate(
        one_map(
            "x y", "t", "x/2 + t", "y", at={"t": "0"}, start={"x": "1", "y": "0"}, fixed_point={"x": "0", "y": "0"},
            pieces=[piece(rows("1/2 0; 0 1"), rows("1; 0"), "1 1 1")],
        ),
        "9", 3, "derivatives", matrix=rows("2; 0"),
    ), "several matrices may be fixed by all pieces"),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_a_false_certificate_is_refused(name: str) -> None:
    assert_refused(*FALSE[name])


HOSTILE = {
    "numbers that double their length": rate(
        one_map("x", "", "x**2 + 1/3", at={}, start={"x": "1/3"}, fixed_point={"x": "0"}), "10", 50
    ),
    "numbers that grow": rate(
        one_map("x", "", "3*x - x**2", at={}, start={"x": "-1"}, fixed_point={"x": "2"}), "10**(2**k)", 60
    ),
    "towers": changed("equality at every k", ("claim/bound", "2**2**2**2**2**2**k")),
    "long exponents": changed("equality at every k", ("claim/bound", "2**(10**30*k)")),
    "exponentials": changed("equality at every k", ("claim/bound", "exp(exp(exp(k)))"), ("witness/bits", "200000")),
    "an equality that is irrational": changed("another norm", ("claim/bound", "sqrt(2)*sqrt(5)*exp(k*log(19/20))")),
    "many terms": changed(FORM, ("claim/bound", "4*(19/20)**k + " + "*".join(["(1 + k)"] * 900))),
    "a large power": changed(FORM, ("claim/bound", "(19/20)**k*(3 + k)**999")),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_too_much_work_is_refused_in_time(name: str) -> None:
    with pytest.raises((Refused, Unreadable)):
        check(HOSTILE[name])


def test_a_violation_by_little_far_out_is_found() -> None:
    """At k = 7000 alone, by a relative 10^-30."""
    hidden = "Max(0, 1 - Abs(k - 7000))/10**30"
    bound = f"(9/10)**k*(1 - {hidden})"
    line = one_map("x", "", "9/10*x", at={}, start={"x": "1"}, fixed_point={"x": "0"})
    assert check(rate(line, bound, "infinity", violation="7000", bits="1500"))
    with pytest.raises(Refused, match="7000"):
        check(rate(line, bound, 7100, bits="1500"))
    assert check(rate(line, f"(9/10)**k*(1 + {hidden}/10**9) + (9/10)**k/10**30", 7100, bits="1500"))


def test_the_tail_takes_as_many_digits_as_rounding_errors_need() -> None:
    """They grow by a row sum of almost 3 in each step; the largest error is 36.7904, at k = 49."""
    heavy = one_map(
        "x z", "", "-9801*z/10201 - 198*x/101", "x", at={}, start={"x": "1", "z": "1"},
        fixed_point={"x": "0", "z": "0"}, pieces=[piece(rows("-198/101 -9801/10201; 1 0"), [[], []], "1 0")],
    )  # fmt: skip
    proof = tree("5863/5977", "3790813 3713017; 3713017 3636819", level="1000000", iteration="71")
    more = {"from": "252", "weight": "3790813/5501558", "bits": "135"}
    assert check(rate(heavy, "37.5", "infinity", **proof, **more))
    with pytest.raises(Refused):
        check(rate(heavy, "36.79", "infinity", **proof, **more))


def test_many_steps_in_the_plane_take_seconds() -> None:
    heavy = one_map(
        "x y", "t", "x - Piecewise((x, x >= 0), (x/4, True)) + 3/4*(x - y) + t", "x",
        at={"t": "0"}, start={"x": "1/3", "y": "1/3"}, fixed_point={"x": "0", "y": "0"},
    )  # fmt: skip
    assert check(rate(heavy, "2*(9/10)**k", 10_000, norm="frobenius", bits="2000"))


# -- arithmetics ---------------------------------------------------------------------------------------------------

SAMPLES = [Fraction(a, b) for a in (-7, -1, 0, 1, 2, 12) for b in (1, 3, 8)]


def encloses(arithmetic: Rounded, number: tuple[int, int], truth: Fraction) -> bool:
    c, r = number
    return abs(truth * arithmetic.one - c) <= r


@pytest.mark.parametrize("bits", [0, 3, 20, 70])
def test_rounded_numbers_enclose(bits: int) -> None:
    a = Rounded(bits)
    line = form({0: Fraction(2, 3), 1: Fraction(-5, 7)}, Fraction(1, 9))
    for x in SAMPLES:
        for y in SAMPLES:
            u, v = a.number(x), a.number(y)
            assert encloses(a, a.times(u, v), x * y)
            assert encloses(a, a.combination(line, [u, v]), x * 2 / 3 - y * 5 / 7 + Fraction(1, 9))
        if x > 0:
            try:
                c, r = a.square_root(a.number(x))
            except Open:
                assert bits < 4
            else:
                assert max(c - r, 0) ** 2 <= x * a.one**2 <= (c + r) ** 2
        if x:
            try:
                assert encloses(a, a.reciprocal(a.number(x)), 1 / x)
            except Open:
                assert bits < 4


def test_powers_of_a_base_are_exact() -> None:
    a = Powers(12)
    line = form({0: Fraction(2, 3), 1: Fraction(-5, 8)}, Fraction(1, 9))
    for x in SAMPLES:
        for y in SAMPLES:
            u, v = a.number(x), a.number(y)
            assert a.fraction(a.times(u, v)) == x * y
            assert a.fraction(a.shortened(a.combination(line, [u, v]))) == x * 2 / 3 - y * 5 / 8 + Fraction(1, 9)
    with pytest.raises(Open):
        a.number(Fraction(1, 5))


@pytest.mark.parametrize(
    "text", ["2*k*(19/20)**k", "k**2/3 - 7", "(1/2)**(2*k - 3)", "(4/9)**(k/2)", "(2/3)**(2**k)", "2**(-k)", "0**k"]
)
def test_bounds_are_what_python_says(text: str) -> None:
    bound, rounded = Bound(text), Rounded(300)
    for k in (0, 1, 2, 5, 6):
        truth = bound.rational(k)[0]
        if text != "(4/9)**(k/2)":
            assert truth == evaluate(text, k=k)
        elif k % 2 == 0:
            assert truth == Fraction(2, 3) ** k
        assert encloses(rounded, bound.value(k, rounded), Fraction(2, 3) ** k if "/9" in text else truth)


def test_exact_numbers_leave_irrational_ones_open() -> None:
    for function in (Exact().square_root, Exact().exponential, Exact().logarithm):
        with pytest.raises(Open):
            function(Fraction(2))

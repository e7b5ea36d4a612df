"""Certificates about rates in irrational numbers, written by hand: accepted when true, refused when they lie."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from checker_certificates import certificate, one_map, piece, rows

from piggycheck.checker import Refused, Unreadable, check
from piggycheck.checker.intervals import Interval
from piggycheck.checker.radicals import Radical, conjugate, read_number, same

# x decays by 1 - sqrt(2)/2 = 0.2928..., y by 1/4; the conjugate of the former is 1.7071...
FACTOR = ["292893/1000000", "292894/1000000"]
DECAY = one_map(
    "x y", "t", "(1 - sqrt(2)/2)*x + t", "y/4",
    at={"t": "0"}, start={"x": "1", "y": "1"}, fixed_point={"x": "0", "y": "0"},
    pieces=[piece([[FACTOR, "0"], ["0", "1/4"]], rows("1; 0"), "1 1 1")],
)  # fmt: skip
NUMBER = {"polynomial": ["1", "-4", "2"], "lower": FACTOR[0], "upper": FACTOR[1]}
BOTH = ["1/4 - sqrt(2)/8", "sqrt(2)/2 - 5/4", "1"]
LARGER = ["sqrt(2)/2 - 1", "1"]


def rate(subject: dict[str, Any] = DECAY, verdict: str = "proved", value: str | None = None, **changed: Any) -> Any:
    witness = {
        "method": "affine",
        "iteration": "0",
        "annihilator": BOTH,
        "dominant": [LARGER],
        "number": NUMBER,
        "between": FACTOR,
    } | changed
    stated = {"quantity": "derivatives" if "matrix" in changed else "iterates"}
    return certificate(subject, "asymptotic_rate", verdict, witness, **stated | ({"value": value} if value else {}))


def from_start(x: str, y: str) -> dict[str, Any]:
    return DECAY | {"start": {"x": x, "y": y}}


@pytest.mark.parametrize(
    "data",
    [
        rate(),
        rate(value="1 - sqrt(2)/2"),
        rate(value="1 - sqrt(1/2)"),
        rate(verdict="refuted", value="1 + sqrt(2)/2"),
        rate(from_start("1", "0"), annihilator=LARGER),
        rate(matrix=[["sqrt(2)"], ["0"]], annihilator=LARGER),
        rate({k: v for k, v in DECAY.items() if k != "start"}, method="local"),
    ],
)  # fmt: skip
def test_what_is_true_is_accepted(data):
    assert "asymptotic rate" in check(data)


def test_the_rate_0():
    subject = one_map(
        "x y", "", "sqrt(2)*y", "0*x", at={}, start={"x": "1", "y": "1"}, fixed_point={"x": "0", "y": "0"},
        pieces=[piece([["0", ["1414/1000", "1415/1000"]], ["0", "0"]], [[], []], "1 1")],
    )  # fmt: skip
    zero = {"polynomial": ["0", "1"], "lower": "0", "upper": "0"}
    true = {"iteration": "2", "annihilator": ["1"], "dominant": [], "number": zero, "between": ["0", "0"]}
    assert "is 0" in check(rate(subject, **true))
    with pytest.raises(Refused, match="annihilate"):
        check(rate(subject, **true | {"iteration": "1"}))


CONJUGATE = ["1707106/1000000", "1707107/1000000"]
OF_CONJUGATE = {"polynomial": ["1", "-4", "2"], "lower": CONJUGATE[0], "upper": CONJUGATE[1]}
QUARTER = {"polynomial": ["-1", "4"], "lower": "1/4", "upper": "1/4"}
LIES = {
    "the conjugate is larger": (rate(number=OF_CONJUGATE, between=CONJUGATE), "another root|not between"),
    "its polynomial": (
        rate(annihilator=["sqrt(2)/8 + 1/4", "-5/4 - sqrt(2)/2", "1"], dominant=[["-1 - sqrt(2)/2", "1"]],
             number=OF_CONJUGATE, between=CONJUGATE), "annihilate",
    ),
    "the smaller root": (
        rate(dominant=[["-1/4", "1"]], number=QUARTER, between=["249/1000", "251/1000"]), "another root",
    ),
    "a root that is not excited": (rate(from_start("0", "1")), "shorter"),
    "a multiple of the annihilator": (rate(from_start("1", "0")), "shorter"),
    "too few roots": (rate(annihilator=LARGER), "annihilate"),
    "a root that is none": (rate(dominant=[["sqrt(3)/2 - 1", "1"]]), "divide"),
    "a rational number nearby": (
        rate(number={"polynomial": ["-2928935", "10000000"], "lower": "2928935/10000000", "upper": "2928935/10000000"}),
        "divide that of the moduli",
    ),
    "bounds around two roots": (rate(between=[FACTOR[0], "2"]), "separate"),
    "bounds that are too wide": (rate(between=["1/5", FACTOR[1]]), "another root"),
    "bounds in the wrong order": (rate(between=[FACTOR[1], FACTOR[0]]), "wrong order"),
    "a value that is its conjugate": (rate(value="1 + sqrt(2)/2"), "between the bounds"),
    "a value that is near": (rate(value="1 - sqrt(2)/2 + 1/10**9"), "not a root"),
    "a value inside, refuted": (rate(verdict="refuted", value="2928934/10000000"), "may be between"),
    "the limit": (rate(matrix=[["sqrt(2) + 1"], ["0"]], annihilator=LARGER), "limit"),
    "no dominant factor": (rate(dominant=[]), "no dominant"),
    "a factor without a root": (rate(dominant=[["1"]]), "divide"),
    "leading coefficient": (rate(annihilator=[*BOTH[:2], "2"]), "monic"),
    "the root 0": (rate(annihilator=["0", *BOTH]), "root 0"),
    "a root of a root": (rate(annihilator=["sqrt(1 + sqrt(2))", "1"]), "square roots of rational"),
    "an exponential": (rate(annihilator=["exp(1)", "1"]), "square roots of rational"),
}  # fmt: skip


@pytest.mark.parametrize("name", LIES)
def test_a_lie_is_refused(name):
    data, reason = LIES[name]
    with pytest.raises(Refused, match=reason):
        check(data)


@pytest.mark.parametrize(
    "changed", [{"between": ["0"]}, {"method": "local"}, {"annihilator": "1"}, {"matrix": [["0"]]}, {"dominant": [[1]]}]
)
def test_what_makes_no_sense_is_unreadable(changed):
    with pytest.raises(Unreadable):
        check(rate(**changed))


def test_a_map_with_a_guard_is_not_affine_as_a_whole():
    following = ["(1 - sqrt(2)/2)*x + relu(x - 2)/4 + t", "y/4"]
    with pytest.raises(Refused, match="guard"):
        check(rate(DECAY | {"map": DECAY["map"] | {"next": following}}))


def test_a_curved_map_is_refused():
    with pytest.raises(Refused, match="affine"):
        check(rate(DECAY | {"map": DECAY["map"] | {"next": ["(1 - sqrt(2)/2)*x + x*y + t", "y/4"]}}))


# -- numbers -------------------------------------------------------------------------------------------------------


def test_numbers_made_of_square_roots_are_exact():
    a = read_number("1/(1 + sqrt(2) + sqrt(3))")
    assert isinstance(a, Radical)
    assert {1: Fraction(1, 2), 2: Fraction(1, 4), 6: Fraction(-1, 4)} == a.terms
    assert same(a * read_number("1 + sqrt(2) + sqrt(3)"), Interval(1))
    assert same(read_number("sqrt(50) - 5*sqrt(2)"), Interval(0))
    assert {1: Fraction(1), 6: Fraction(1)} == conjugate(conjugate(read_number("1 + sqrt(6)"), 2), 3).terms
    assert read_number("sqrt(2)*sqrt(3)*sqrt(6)").exact


def test_signs_are_decided_however_close_to_zero():
    p, q = 1, 1
    for _ in range(400):
        p, q = p + 2 * q, p + q
    assert (1 if p * p > 2 * q * q else -1) == read_number(f"{p}/{q} - sqrt(2)").sign()
    assert -1 == read_number("sqrt(2) + sqrt(3) - sqrt(5) - 910196393/1000000000").sign()


@pytest.mark.parametrize(
    "text", ["sqrt(-2)", "sqrt(1 + sqrt(2))", "exp(1)", "1/(sqrt(8) - 2*sqrt(2))", "sqrt(2**70 + 9)"]
)
def test_other_numbers_are_refused(text):
    with pytest.raises(Refused):
        read_number(text)

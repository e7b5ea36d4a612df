"""The checker accepts certificates written by hand, and refuses every change of them that makes the claim false."""

from __future__ import annotations

import re
from typing import Any

import pytest
from certificate_changes import accepted_changes, assert_refused
from checker_certificates import (
    CASES,
    DIVERGES,
    GROWTH,
    HALVES,
    HALVING,
    HEAVY_BALL,
    TRAPS,
    certificate,
    changed,
    one_map,
    piece,
    trap,
)

from piggycheck.checker import Refused, Unreadable, check


@pytest.mark.parametrize("name", CASES)
def test_a_valid_certificate_is_accepted(name: str) -> None:
    assert isinstance(check(CASES[name][0]), str)


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_refused_unless_the_claim_stays_true(name: str) -> None:
    valid, allowed = CASES[name]
    for where, change, data in accepted_changes(valid):
        holds = next((test for pattern, test in allowed.items() if re.match(f"({pattern})(/|$)", where)), None)
        assert holds is not None, change
        assert holds(data), f"{change}, and is false"


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
        (changed(HALVES, ("witness/rate", "1")), "not below 1"),
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
        (changed("above the diagonal", ("map/next/0", "Abs(x)")), "not excluded"),
        (changed("above the diagonal", ("map/next/0", "x**2 + 1/5")), "not excluded"),
        (changed("a fixed point", ("map/next/0", "sqrt(2)*x - sqrt(2)*x + theta")), "not computed exactly"),
    ],
)
def test_a_false_certificate_is_refused(data: dict[str, Any], reason: str | None) -> None:
    if reason is None:
        check(data)
        return
    assert_refused(data, reason)


def test_huge_powers_are_refused_in_time() -> None:
    with pytest.raises(Refused):
        check(changed(HALVES, ("witness/rate", f"{10**4000 - 1}/{10**4000}"), ("witness/words", [["0"] * 9000, ["1"]])))
    with pytest.raises((Refused, Unreadable)):
        check(changed(HALVES, ("map/next/0", "(x + theta + 9)**999 * (x - theta)**999")))
    with pytest.raises((Refused, Unreadable)):
        check(changed(HALVES, ("start/x", "(((3**999)**999)**999)**999")))


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
    with pytest.raises(Refused, match="without a direction"):
        check(certificate(subject, "converges", "refuted", witness))
    tree = {"method": "word_tree", "P": [["1", "0"], ["0", "1"]], "rate": "1/2", "words": [["0"]]}
    check(certificate({**subject, "pieces": pair[1:]}, "converges", "proved", tree))
    start = {"start": {"x": "1", "y": "1"}}
    with pytest.raises(Refused, match="not in the list"):  # iterates can run along the line
        check(certificate({**subject, **start, "pieces": pair[1:]}, "converges", "proved", {**tree, **trap("0", "9")}))


@pytest.mark.parametrize("rate", ["3", "1", "0", "-1/2"])
def test_a_rate_that_is_not_below_one_is_not_read(rate: str) -> None:
    """An eigenvalue of modulus 2 refutes that the derivatives converge, but not that the rate is at most 3."""
    subject = {"switched": {"A": [[["2"]]], "B": [[["1"]]]}}
    witness = {"method": "word", "word": ["0"], "modulus_lower": "2"}
    check(certificate(subject, "converges", "refuted", witness, rate="1/2"))
    with pytest.raises(Unreadable, match="between 0 and 1"):
        check(certificate(subject, "converges", "refuted", witness, rate=rate))


def test_a_start_that_may_be_the_fixed_point_leaves_no_choice_of_its_derivative() -> None:
    """The start is (0, theta), whose derivative (0, 1) is not excited; the checker cannot see that it is fixed."""
    subject = one_map(
        "x y",
        "theta",
        "2*x",
        "y/2",
        at={"theta": "0"},
        start={"x": "sqrt(2) - sqrt(2)", "y": "theta"},
        fixed_point={"x": "0", "y": "0"},
        pieces=[piece([["2", "0"], ["0", "1/2"]], [["0"], ["0"]], "0 0 0")],
        J0=[["1"], ["0"]],
    )
    witness = {"method": "word", "word": ["0"], "modulus_lower": "2", "growth_lower": "2", "column": "0"}
    with pytest.raises(Refused, match="whether the start is the fixed point"):
        check(certificate(subject, "diverges", "proved", witness))
    check(certificate({**subject, "start": {"x": "1", "y": "theta"}}, "diverges", "proved", witness))


@pytest.mark.parametrize(
    ("next_", "start", "differentiable"),
    [
        ("x/2", "sqrt(theta)", False),
        ("x/2", "sqrt(theta + 1) - 1", True),
        ("Piecewise((x/2, x < 1), (sqrt(x - 1), True))", "1 + theta", False),
        ("Piecewise((x/2, x <= 1), (1/2 + sqrt(x - 1), True))", "1 + theta", False),
        ("Piecewise((x/2, x < 1), (sqrt(x + 3) - 2, True))", "1 + theta", True),
    ],
)
def test_iterates_without_a_derivative_are_in_no_trap(next_: str, start: str, differentiable: bool) -> None:
    """Where a square root is 0, on any piece, the recursion has no derivative to hand on."""
    subject = one_map(
        "x",
        "theta",
        next_,
        at={"theta": "0"},
        start={"x": start},
        fixed_point={"x": "0"},
        pieces=[piece([["1/2"]], [["0"]], "0 0")],
    )
    tree = {"method": "word_tree", "P": [["1"]], "rate": "1/2", "words": [["0"]]}
    data = certificate(subject, "converges", "proved", {**tree, **trap("1", "1/4")})
    if differentiable:
        check(data)
        return
    with pytest.raises(Refused, match="division by a number that is zero"):
        check(data)

"""The claim *fixed_point*, with its certificates."""

from __future__ import annotations

import pytest
import sympy as sp
from certificate_helper import assert_certified, proved, refuted, undecided
from hypothesis import given
from hypothesis import strategies as st
from strategies import STATE, examples, maps

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.claims import FixedPoint, Undecided, prove
from piggycheck.errors import InputError
from piggycheck.fixed_points import fixed_points
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

x, y, theta = sp.symbols("x y theta", real=True)


def about(*following, parameters=()):
    return Iteration(SymbolicMap(STATE[: len(following)], following, parameters))


def test_it_is_found():
    verdict = proved(
        FixedPoint(), gradient_descent("(x - theta)**2", ["x"], "1/4", parameters=["theta"]), {"theta": "3/2"}
    )
    assert {"x": "3/2"} == verdict.value["point"]
    assert "there is no other" in verdict.found


def test_a_claimed_one_is_examined():
    iteration = about(x / 2 + theta, parameters=[theta])
    proved(FixedPoint(value={"x": 2}), iteration, {theta: 1})
    verdict = refuted(FixedPoint(value={"x": 3}), iteration, {theta: 1})
    assert {"x": "5/2"} == verdict.value["image"]


def test_a_value_may_be_a_list_or_a_number():
    proved(FixedPoint(value=["0", 0]), about(y / 2, x))
    proved(FixedPoint(value="2"), about(x / 2 + 1))


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"y": 1}, "`y` is no state variable"),
        ({}, "`x` has no value"),
        ([1, 2], "2 numbers for 1"),
        ([0.5], 'write "0.5"'),
    ],
)
def test_a_value_that_does_not_fit_is_refused(value, message):
    with pytest.raises(InputError, match=message):
        prove(FixedPoint(value=value), about(x / 2))


def test_there_is_none():
    refuted(FixedPoint(), about(x + 1))
    refuted(FixedPoint(), about(sp.Abs(x) + 1))
    refuted(FixedPoint(), about(sp.Piecewise((x / 2 + 1, x < 0), (x / 2 - 1, True))))
    refuted(FixedPoint(), about(x + sp.Max(y, 0) + 1, y / 2))


def test_one_of_a_continuum_is_enough():
    verdict = proved(FixedPoint(), about(sp.Piecewise((x, x > 0), (x + 1, True))))
    assert "no other" not in verdict.found
    proved(FixedPoint(), about(sp.Max(x, 0)))


def test_one_of_several_is_enough_without_a_start():
    proved(FixedPoint(), about(sp.Max(2 * x - 1, x / 2)))


def test_one_where_switches_of_one_guard_disagree():
    step = sp.Piecewise((1, x >= 0), (0, True)) - sp.Piecewise((1, x > 0), (0, True))
    assert {"x": "0"} == proved(FixedPoint(), about(x + 1 - step)).value["point"]


def test_irrational_ones_and_transcendental_equations_stay_open():
    undecided(FixedPoint(), about(x - x**2 / 4 + sp.Rational(1, 2)))
    undecided(FixedPoint(), about(sp.exp(-x)))
    undecided(FixedPoint(value={"x": "sqrt(2)"}), about(x**2 / 2 + x - 1))


def test_irrational_terms_that_cancel_stay_open():
    """The checker encloses every number: it cannot see that exp(-1) - exp(-1) is 0."""
    undecided(FixedPoint(value=[0]), about(x / 4 + (sp.exp(x - 1) - sp.exp(-1)) / 4))
    undecided(FixedPoint(value=[0]), about(sp.sqrt(x**2 + 5) / 4 - sp.sqrt(5) / 4))
    proved(FixedPoint(value=[0]), about(sp.sqrt(2) * x + sp.exp(x) - 1))


def test_that_curved_pieces_have_none_stays_open():
    undecided(FixedPoint(), about(x + x**2 + 1))


def test_a_rational_one_among_irrational_ones_is_taken():
    assert {"x": "0"} == proved(FixedPoint(), about(x**3 - x)).value["point"]


def test_the_paper():
    ball = heavy_ball(
        "Piecewise((x**2/2, x >= 0), (x**2/8, True))", ["x"], 1, "3/4", parameters=["theta"], start=["theta"]
    )
    assert {"x": "0", "x_previous": "0"} == proved(FixedPoint(), ball, {"theta": 0}).value["point"]


@examples(60)
@given(maps(parameters=(0,), jumps=True), st.integers(-2, 2))
def test_every_answer_about_a_random_map_is_certified(drawn, value):
    iteration = Iteration(SymbolicMap(*drawn))
    for claim in (FixedPoint(), FixedPoint(value=[value] * len(drawn[0]))):
        verdict = prove(claim, iteration)
        if not isinstance(verdict, Undecided):
            assert_certified(verdict)
    if verdict.name == "proved" and fixed_points(iteration).exhaustive:
        assert len(fixed_points(iteration)) >= 1

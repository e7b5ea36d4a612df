"""Claims about cycles, their certificates, and what each number in these is worth."""

from __future__ import annotations

import json

import pytest
import sympy as sp
from certificate_helper import assert_certified, assert_changes_matter, holds, proved, refuted, undecided
from cycles_certificates import is_true

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.checker.cycles import RULES
from piggycheck.claims import Cycle, prove
from piggycheck.errors import InputError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, theta = sp.symbols("x y theta", real=True)
TENT = Iteration(SymbolicMap([x], [sp.Min(2 * x, 2 - 2 * x)]))
AWAY = Iteration(SymbolicMap([x], [x / 2 - sp.Piecewise((1, x > 0), (-1, True))]), [sp.Integer(3)])
TURN = Iteration(SymbolicMap([x], [-x]))
LOGISTIC = Iteration(SymbolicMap([x], [4 * x * (1 - x)]))
CALM = Iteration(SymbolicMap([x], [x**2 - sp.Rational(11, 10)]))
QUARTIC = gradient_descent("x**4/4 - x**2/2", ["x"], "49/40")
OBJECTIVE = "Piecewise((25*x**2/2, x < 1), (x**2/2 + 24*x - 12, x < 2), (25*x**2/2 - 24*x + 36, True))"
BALL = heavy_ball(OBJECTIVE, ["x"], "1/9", "4/9", parameters=["theta"], start=["theta"])
AT = {"theta": "33/10"}
RELU = Iteration(SymbolicMap([x, y], [y, -sp.Max(x, 0) / 2 + theta], [theta]))

CASES = {
    "attracting": (Cycle(3, attracting=True), BALL, AT),
    "attracting from the start": (Cycle(3, ["2592/1225", "-2208/1225"], True, True), BALL, AT),
    "saddle": (Cycle(3, attracting=False), BALL, AT),
    "tent": (Cycle(3), TENT, {}),
    "tent through a point": (Cycle(2, "2/5", attracting="false"), TENT, {}),
    "jump": (Cycle(2, {"x": "2/3"}, "true", "true"), AWAY, {}),
    "quartic": (Cycle(2, attracting=True), QUARTIC, {}),
    "logistic": (Cycle(3), LOGISTIC, {}),
    "logistic that does not attract": (Cycle(2, attracting=False), LOGISTIC, {}),
    "attracting square": (Cycle(2, attracting=True), CALM, {}),
    "fixed point": (Cycle(1, attracting=True), RELU, {"theta": "3"}),
    "no attracting cycle": (Cycle(2, attracting=True), TENT, {}),
    "no cycle that does not attract": (Cycle(2, attracting=False), AWAY, {}),
    "no cycle of a polynomial": (Cycle(3), QUARTIC, {}),
    "no attracting cycle of a polynomial": (Cycle(3, attracting=True), LOGISTIC, {}),
    "no cycle of a polynomial that does not attract": (Cycle(2, attracting=False), CALM, {}),
    "no cycle": (Cycle(2), BALL, AT),
    "no cycle of a reflection": (Cycle(3), TURN, {}),
    "a fixed point is no cycle of two": (Cycle(2, "2/3"), TENT, {}),
    "a cycle of two is none of four": (Cycle(4, "2/5"), TENT, {}),
    "a point elsewhere": (Cycle(3, {"x": "1", "x_previous": "1"}), BALL, AT),
    "a repelling cycle called attracting": (Cycle(2, "2/5", True), TENT, {}),
    "an attracting cycle called repelling": (Cycle(2, "2/3", False), AWAY, {}),
}
REFUTED = {name for name in CASES if name.startswith(("no ", "a ", "an "))}

HARDLY_FALSE = {"a point elsewhere", "no attracting cycle of a polynomial"}
"""Claims that stay true when one number changes by one unit."""


@pytest.mark.parametrize("name", CASES)
def test_claims_are_decided_and_certified(name):
    claim, iteration, at = CASES[name]
    decide = refuted if name in REFUTED else proved
    decide(claim, iteration, at)


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_noticed_or_leaves_it_true(name):
    claim, iteration, at = CASES[name]
    content = assert_certified(prove(claim, iteration, at))
    assert_changes_matter(content, is_true, least=int(name not in HARDLY_FALSE))


def test_every_kind_of_certificate_is_among_the_cases():
    contents = [prove(claim, iteration, at).certificate.content for claim, iteration, at in CASES.values()]
    assert {(c["claim"]["kind"], c["claim"]["verdict"], c["witness"]["method"]) for c in contents} == set(RULES)


# -- what answers say -------------------------------------------------------------------------------------------------


def test_every_cycle_found_is_in_the_answer():
    value = proved(Cycle(3), BALL, AT).value
    assert value["every"] is True
    attracting, saddle = sorted(value["cycles"], key=lambda cycle: not cycle["attracting"])
    assert sorted(attracting["points"]) == [
        ["-2208/1225", "792/1225"],
        ["2592/1225", "-2208/1225"],
        ["792/1225", "2592/1225"],
    ]
    assert attracting["spectral_radius"] == ["8/27", "8/27"]
    assert (saddle["attracting"], saddle["repelling"]) == (False, False)
    json.dumps(value)


def test_the_certificate_lists_the_other_cycles_where_these_are_all():
    content = assert_certified(prove(Cycle(3), TENT))
    assert len(content["witness"]["others"]) == 1
    content["witness"]["others"] = []
    assert not holds(content)
    content["witness"]["others"] = [content["witness"]["points"]]
    assert not holds(content)


def test_the_start_enters_an_open_set_that_leads_to_the_cycle():
    witness = assert_certified(prove(Cycle(3, attracting=True, from_start=True), BALL, AT))["witness"]
    assert 0 < int(witness["entry"]) < 40
    undecided(Cycle(3, attracting=True, from_start=True), BALL, {"theta": "3"})
    assert "entry" not in assert_certified(prove(Cycle(3, attracting=True), BALL, {"theta": "3"}))["witness"]


def test_found_says_which_and_how_many():
    assert proved(Cycle(2, attracting=True), AWAY).found == (
        "-2/3, 2/3 is an attracting cycle; it is the only one; the iterates from the start approach it"
    )
    assert refuted(Cycle(2, "2/3"), TENT).found == "the point returns after 1 step already"
    assert refuted(Cycle(1, "2/5"), TENT).found == "after one step the point is at 4/5"
    assert refuted(Cycle(4), BALL, AT).found == "there is no cycle of period 4"


# -- what is left open ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim, iteration, reason",
    [
        (Cycle(2), Iteration(SymbolicMap([x, y], [1 - sp.Rational(7, 5) * x**2 + y, x / 3])), "irrational"),
        (
            Cycle(3),
            Iteration(SymbolicMap([x], [sp.Piecewise((x**2 - 1, x > 0), (x**2 - 2, True))])),
            "one variable only",
        ),
        (Cycle(2), Iteration(SymbolicMap([x], [sp.exp(x) - 2])), "exp"),
        (Cycle(3), Iteration(SymbolicMap([x], [sp.Piecewise((x**2 / 2, x > 0), (x, True))])), "interval returns"),
        (Cycle(2, attracting=True), TURN, "isolated"),
        (
            Cycle(1, "1", True),
            Iteration(SymbolicMap([x], [x - (x - 1) ** 3])),
            "spectral radius of its multiplier is 1",
        ),
        (Cycle(1, "0", True), Iteration(SymbolicMap([x], [sp.Abs(x) / 2])), "on a guard"),
        (Cycle(1, "sqrt(2)"), Iteration(SymbolicMap([x], [x**2 - x])), "irrational"),
    ],
)
def test_what_is_not_decided_says_why(claim, iteration, reason):
    assert reason in undecided(claim, iteration).reason


# -- bad input --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, message",
    [
        ({"period": 0}, "period of `cycle`: `0` is not a positive integer; write one, such as 3"),
        ({"period": "x"}, "period of `cycle`: `x` is not a positive integer; write one, such as 3"),
        ({"period": 10**9}, "period of `cycle`: 1000000000 is larger than 200; write a smaller one"),
        ({"period": 2, "attracting": "maybe"}, "attracting of `cycle`: `maybe` is neither; write true or false"),
        (
            {"period": 2, "from_start": False},
            'from_start of `cycle`: only that the iterates get there can be claimed; write "true"',
        ),
    ],
)
def test_fields_that_make_no_sense_are_refused(fields, message):
    with pytest.raises(InputError) as error:
        Cycle(**fields)
    assert str(error.value) == message


@pytest.mark.parametrize(
    "point, message",
    [
        (["1"], "point of `cycle`: 1 number for the state x, x_previous; write one for each"),
        (["1", "2", "3"], "point of `cycle`: 3 numbers for the state x, x_previous; write one for each"),
        ({"x": "1", "z": "2"}, "point of `cycle`: `z` is no state variable; the state is x, x_previous"),
        ({"x": "1"}, "point of `cycle`: `x_previous` has no value; the state is x, x_previous"),
    ],
)
def test_points_that_are_none_of_the_state_are_refused(point, message):
    with pytest.raises(InputError) as error:
        prove(Cycle(3, point), BALL, AT)
    assert str(error.value) == message


def test_a_cycle_needs_a_map_and_a_start_where_it_is_claimed_to_lead_there():
    with pytest.raises(InputError, match="no meaning for a switched system"):
        prove(Cycle(2), SwitchedSystem.from_rows([[["1/2"]]]))
    with pytest.raises(InputError, match="no start"):
        prove(Cycle(2, from_start=True), TENT)

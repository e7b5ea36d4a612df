"""The claim *continuous*, with its certificates."""

from __future__ import annotations

import sympy as sp
from certificate_helper import assert_certified, proved, refuted, undecided
from hypothesis import given
from strategies import examples, maps

from piggycheck.claims import Continuous, Subject, Undecided, prove
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

x, y, theta = sp.symbols("x y theta", real=True)
P = sp.Piecewise


def about(*following, parameters=()):
    iteration = Iteration(SymbolicMap((x, y)[: len(following)], following, parameters))
    return Subject(iteration=iteration, at=dict.fromkeys(parameters, 0))


def test_kinks_are_continuous():
    proved(Continuous(), about(sp.Max(x, 0) / 2 - sp.Abs(y), P((x, x > 0), (-x, True)) + theta, parameters=[theta]))
    proved(Continuous(), about(P((x - 1, x > 1), (x + 1, x < -1), (0, True))))
    proved(Continuous(), about(P((x + y, (x >= 0) & (y >= 0)), (x, x >= 0), (y, y >= 0), (0, True)), y))


def test_a_smooth_map_is_continuous():
    verdict = proved(Continuous(), about(x**2 + y, x))
    assert "one piece" in verdict.reason


def test_irrational_constants_do_not_matter_where_the_branches_agree_for_all_values_of_them():
    """Each pair of branches differs by a multiple of its guard, with the constants as unknowns."""
    momentum = (1 - sp.sqrt(sp.Rational(1, 10))) / (1 + sp.sqrt(sp.Rational(1, 10)))
    ahead = x + momentum * (x - y)
    proved(Continuous(), about(ahead - P((ahead, ahead >= 0), (ahead / 10, True)), x))
    proved(Continuous(), about(P((sp.sqrt(2) * x, x > 0), (sp.exp(1) * x, True))))
    proved(Continuous(), about(P((x, x > sp.sqrt(2)), (2 * x - sp.sqrt(2), True))))


def test_an_irrational_jump_is_shown_or_left_open_but_never_proved_away():
    refuted(Continuous(), about(P((sp.sqrt(2), x >= 0), (-sp.sqrt(2), True))))
    undecided(Continuous(), about(P((x, x > sp.sqrt(2)), (2 * x - sp.sqrt(3), True))))
    undecided(Continuous(), about(P((x**2, x > sp.sqrt(2)), (2, True))))


def test_a_jump_is_shown():
    verdict = refuted(Continuous(), about(P((x / 2 + 1, x >= 0), (x / 2, True))))
    assert {"x": "0"} == verdict.value["where"]


def test_a_jump_in_the_parameter_alone_is_shown():
    refuted(Continuous(), about(x / 2 + P((1, theta > 0), (0, True)), parameters=[theta]))


def test_a_gap_is_shown():
    verdict = refuted(Continuous(), about(P((x / 2, x > 0), (x / 3, x < 0))))
    assert {"x": "0"} == verdict.value["where"]


def test_a_value_of_its_own_at_one_point_is_shown():
    refuted(Continuous(), about(P((5, sp.Eq(x, 0) & sp.Eq(y, 0)), (0, True)), y))


def test_what_is_not_decided_stays_open():
    for expression in (x * sp.sign(x), P((sp.sqrt(x), x >= 0), (0, True)), 1 / (1 + x**2)):
        undecided(Continuous(), about(expression))


@examples(60)
@given(maps(jumps=True))
def test_every_answer_about_a_random_map_is_certified(drawn):
    verdict = prove(Continuous(), Iteration(SymbolicMap(*drawn)), dict.fromkeys(drawn[2], 0))
    if not isinstance(verdict, Undecided):
        assert_certified(verdict)

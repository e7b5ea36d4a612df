"""The claim *chain_rule_set_is_larger*, with its certificates."""

from __future__ import annotations

import sympy as sp
from certificate_helper import assert_certified, proved, refuted, undecided
from hypothesis import given
from hypothesis import strategies as st
from strategies import STATE, examples, kinked

from piggycheck.algorithms import heavy_ball
from piggycheck.claims import ChainRuleSetIsLarger, Undecided, prove
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

x, y, theta = sp.symbols("x y theta", real=True)
LARGER = ChainRuleSetIsLarger()


def about(*following, parameters=()):
    return Iteration(SymbolicMap(STATE[: len(following)], following, parameters))


def test_a_difference_of_relus_in_a_contraction():
    verdict = proved(LARGER, about((sp.Max(x, 0) - sp.Max(-x, 0)) / 2 + theta, parameters=[theta]), {theta: 0})
    assert verdict.value["witness"]["A"] in ([["1"]], [["0"]]), "the selection set is {1/2}"


def test_a_product_with_a_sign():
    proved(LARGER, about(x * sp.sign(x) / 2))


def test_one_kink_alone():
    refuted(LARGER, about(sp.Abs(x) / 2))
    refuted(LARGER, about(x / 3))


def test_a_kink_with_dependent_guards():
    """At 0, of Abs(x) + Abs(y) + Abs(x + y) six of the eight picks are pieces."""
    proved(LARGER, about((sp.Abs(x) + sp.Abs(y) + sp.Abs(x + y)) / 8, y / 2))
    refuted(LARGER, about((sp.Abs(x) + sp.Abs(y)) / 8, y / 2))


def test_a_guard_that_vanishes_identically_is_no_tie():
    """The second branch is never taken, near 0 or elsewhere; no automatic differentiation meets it."""
    never = (x + 1) ** 2 - x**2 - 2 * x - 1
    refuted(LARGER, about(sp.Piecewise((x / 2, never >= 0), (x / 4, True))))


def test_kinks_that_are_the_same_function_pick_on_their_own():
    """Abs(x) - Max(x, -x) is 0, and automatic differentiation can return 2."""
    undecided(LARGER, about(sp.Abs(x) - sp.Max(x, -x) + x / 2))
    proved(LARGER, about(sp.Max(x, 0) - sp.Piecewise((x, x >= 0), (0, True)) + x / 2))


def test_the_paper():
    ball = heavy_ball("Piecewise((x**2/2, x >= 0), (x**2/8, True))", ["x"], 1, "3/4", parameters=["theta"])
    refuted(LARGER, ball, {"theta": 0})


def test_it_does_not_rest_on_undecided_pieces():
    """Whether the pick (-, -) is a piece there, 0 < y < x**2, was not decided by straight lines."""
    undecided(LARGER, about((sp.Max(x**2 - y, 0) + sp.Max(y, 0)) / 4 + x / 2, y / 2))


def test_without_a_fixed_point_there_is_no_answer():
    undecided(LARGER, about(x + 1))


@examples(50)
@given(st.tuples(kinked((x, y)), kinked((x, y))))
def test_every_answer_about_a_random_map_is_certified(following):
    shifted = [(e - e.subs({x: 0, y: 0})) / 4 for e in following]
    verdict = prove(LARGER, about(*shifted))
    if not isinstance(verdict, Undecided):
        assert_certified(verdict)

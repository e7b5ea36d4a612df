"""Switches: the translation of Abs, Max, Min, sign and Piecewise keeps values, and shares guards."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from strategies import examples, kinked, points, value_of

from piggycheck.errors import GapError, MapError
from piggycheck.expression import parse
from piggycheck.maps import SymbolicMap
from piggycheck.maps.switch import GAP, Switch, as_piecewise, collect_switches, hoist, resolve, translate

x, y = sp.symbols("x y", real=True)


def run(program, point):
    """Resolve a program by the signs of its guards at a point, and evaluate what is left."""

    def choose(switch, guard):
        value = value_of(guard, point)
        return (value > 0) - (value < 0)

    return value_of(resolve(program, choose), point)


class TestTranslation:
    @pytest.mark.parametrize(
        ("expression", "at_minus", "at_zero", "at_plus"),
        [
            (sp.Abs(x), 2, 0, 2),
            (sp.sign(x), -1, 0, 1),
            (sp.Max(x, 1), 1, 1, 2),
            (sp.Min(x, 1), -2, 0, 1),
            (sp.Piecewise((5, sp.Eq(x, 0)), (x, True)), -2, 5, 2),
            (sp.Piecewise((5, sp.Ne(x, 0)), (x, True)), 5, 0, 5),
            (sp.Piecewise((1, (x > -1) & (x <= 0)), (7, x < -5), (3, True)), 3, 1, 3),
            (sp.Piecewise((1, sp.Not((x > 0) | (x < -1))), (3, True)), 3, 1, 3),
            (sp.Piecewise((1, x > 0), (2, x >= 0), (3, True)), 3, 2, 1),
        ],
    )
    def test_each_kink_keeps_its_values(self, expression, at_minus, at_zero, at_plus):
        program = translate(expression, {})
        assert not program.has(sp.Abs, sp.Max, sp.Min, sp.sign, sp.Piecewise)
        assert [at_minus, at_zero, at_plus] == [run(program, {x: Fraction(c)}) for c in (-2, 0, 2)]

    @examples(100)
    @given(kinked((x, y), 3, jumps=True), points((x, y)))
    def test_translating_hoisting_and_writing_back_keep_values(self, expression, point):
        program = translate(expression, {})
        expected = value_of(expression, point)
        assert expected == run(program, point)
        assert expected == run(hoist(program), point)
        assert expected == value_of(as_piecewise(program), point)
        assert expected == value_of(as_piecewise(hoist(program)), point)

    def test_proportional_guards_are_one(self):
        program = translate(sp.Abs(2 * x - 2) + sp.Max(1 - x, 0) + sp.sign(sp.sqrt(2) * (x - 1)), {})
        assert {x - 1} == {switch.guard for switch in collect_switches([program])}

    def test_a_positive_factor_that_is_no_number_stays_in_the_guard(self):
        program = translate(sp.Max(x * (y**2 + 1), 0), {})
        assert {x * (y**2 + 1)} == {switch.guard for switch in collect_switches([program])}

    def test_a_guard_that_is_seen_twice_in_one_piecewise_is_asked_once(self):
        program = translate(sp.Piecewise((1, x > 0), (2, x < 0), (3, True)), {})
        assert program == Switch(x, 2, 3, 1)

    def test_conditions_are_tried_in_order_and_the_rest_is_a_gap(self):
        program = translate(sp.Piecewise((1, x > 0), (2, y > 0)), {})
        assert 1 == run(program, {x: Fraction(1), y: Fraction(1)})
        assert 2 == run(program, {x: Fraction(0), y: Fraction(1)})
        with pytest.raises(GapError, match="the condition True"):
            run(program, {x: Fraction(0), y: Fraction(0)})

    def test_a_long_chain_of_cases_stays_short(self):
        cases = [(i, x < i) for i in range(60)]
        program = translate(sp.Piecewise(*cases, (60, True)), {})
        assert 60 == len(collect_switches([program]))

    def test_a_piecewise_inside_a_condition(self):
        inner = sp.Piecewise((x, x > 0), (-x / 2, True))
        program = translate(sp.Piecewise((1, inner > 1), (2, True)), {})
        assert [2, 2, 2, 1, 1] == [run(program, {x: Fraction(c)}) for c in (-2, 0, 1, 2, -3)]

    def test_a_condition_that_is_no_relation_is_refused(self):
        with pytest.raises(MapError, match="not a condition"):
            translate(sp.Piecewise((1, sp.Xor(x > 0, y > 0)), (2, True)), {})


class TestSwitch:
    def test_a_switch_between_equal_branches_is_the_branch(self):
        assert x**2 == Switch(y, x**2, x**2, x**2)

    def test_outcomes_are_what_can_be_told_apart(self):
        assert (1, -1) == Switch(x, -x, x, x).outcomes
        assert (1, -1) == Switch(x, -x, -x, x).outcomes
        assert (1, -1, 0) == Switch(x, -1, 0, 1).outcomes

    def test_inner_switches_are_listed_first(self):
        inner, outer = collect_switches([translate(sp.Max(sp.Abs(x) - 1, 0), {})])
        assert x == inner.guard
        assert outer.guard.has(inner)

    def test_branches_that_are_not_taken_are_not_looked_at(self):
        assert 1 == resolve(Switch(x, GAP, 1, 1), lambda switch, guard: 1)
        with pytest.raises(GapError):
            resolve(Switch(x, GAP, 1, 1), lambda switch, guard: -1)


class TestHoist:
    def test_a_program_with_too_many_leaves_is_refused(self):
        product = sp.prod(sp.Abs(v) + 1 for v in sp.symbols("v0:12", real=True))
        with pytest.raises(MapError, match="more than 1024 pieces"):
            hoist(translate(product, {}))

    def test_gaps_stay_gaps(self):
        program = hoist(translate(sp.Piecewise((x, x > 0)) ** 2, {}))
        assert Switch(x, GAP, GAP, x**2) == program
        assert sp.Piecewise((x**2, x > 0)) == as_piecewise(program)


def test_conditions_are_looked_at_in_the_order_in_which_they_stand():
    """`x != 0 and 1/x > 1` guards its own division, as it does in a program."""
    map_ = SymbolicMap([x], [parse("Piecewise((1, x != 0 and 1/x > 1), (2, True))", [x])])
    assert (2,) == map_.value({x: 0})
    assert (1,) == map_.value({x: "1/2"})

"""Continuity: proved for maps that are continuous, refuted with a witness that an evaluator of its own confirms."""

from __future__ import annotations

from contextlib import suppress
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import affine, examples, kinked, maps, value_of

from piggycheck.errors import UnknownError
from piggycheck.functions import box, l1, nonnegative
from piggycheck.maps import Continuous, Gap, Jump, SymbolicMap, check_continuity

x, y, z, theta = sp.symbols("x y z theta", real=True)
NAMES = (x, y, z)


def P(*cases):
    return sp.Piecewise(*cases)


def answer(*expressions):
    return check_continuity(SymbolicMap(NAMES[: len(expressions)], expressions))


def fraction(number):
    number = sp.Rational(number)
    return Fraction(int(number.p), int(number.q))


def confirm(map_, witness):
    """The map has no value at the point, or its values along the direction stay away from the one there."""
    point = {v: fraction(c) for v, c in witness.point.items()}
    if isinstance(witness, Gap):
        with pytest.raises(ValueError, match="gap"):
            [value_of(e, point) for e in map_.next]
        return
    value = tuple(value_of(e, point) for e in map_.next)
    assert value == tuple(map(fraction, witness.value))
    limit = tuple(map(fraction, witness.limit))
    assert value != limit
    for t in (Fraction(1, 10**9), Fraction(1, 10**12)):
        near = {v: point[v] + t * fraction(d) for v, d in zip(map_.variables, witness.direction, strict=True)}
        away = max(abs(value_of(e, near) - c) for e, c in zip(map_.next, limit, strict=True))
        assert away < 10**4 * t, "the values tend to the stated limit"


class TestContinuous:
    @pytest.mark.parametrize(
        "expressions",
        [
            (P((x - 1, x > 1), (x + 1, x < -1), (0, True)),),
            (P((0, sp.Eq(x, 0)), (x, True)),),
            (P((x + y, (x >= 0) & (y >= 0)), (x, x >= 0), (y, y >= 0), (0, True)), y),
            (P((0, (x < 0) | (y < 0)), (sp.Min(x, y), True)), y),
            (P((x**2 - y, x**2 - y > 0), (0, True)), y),
            (P((x**3 - y * x, x**2 - y > 0), (0, True)), y),
            (sp.Max(x, y) ** 3 * sp.Abs(x), y),
            (P((x, x > 0), (-x, x < 0), (0, True)),),
            (sp.Abs(sp.Abs(x) - sp.Abs(y)), sp.Max(x, y, x + y, 0)),
            (P((x, sp.Abs(x) >= 1), (x**3, True)),),
            (sp.sqrt(2) * sp.Abs(x) + sp.exp(1) * x,),
            (sp.exp(sp.Abs(x)) * sp.exp(x / 2),),
        ],
    )
    def test_these_are(self, expressions):
        assert isinstance(answer(*expressions), Continuous)

    @pytest.mark.parametrize("prox", [l1(theta), box(-1, 2), nonnegative()])
    def test_proximal_maps_are_in_point_and_parameter_together(self, prox):
        following = prox.proximal([x, y], sp.Rational(1, 3))
        assert isinstance(check_continuity(SymbolicMap([x, y], following, [theta])), Continuous)

    def test_soft_thresholding_as_cases_is_for_a_given_threshold(self):
        assert isinstance(answer(P((x - 2, x > 2), (x + 2, x < -2), (0, True))), Continuous)

    @examples(100)
    @given(maps())
    def test_combinations_of_kinks_are_proved(self, drawn):
        state, following, parameters = drawn
        assert isinstance(check_continuity(SymbolicMap(state, following, parameters)), Continuous)

    @examples(80)
    @given(st.data())
    def test_cases_that_agree_on_their_border_are_never_refuted(self, data):
        """Two expressions that differ by a multiple of the guard's absolute value, or of one of its sides."""
        variables = (x, y)
        guard, first = data.draw(affine(variables)), data.draw(kinked(variables, 1))
        assume(guard.free_symbols)
        factor = data.draw(st.sampled_from([1, -2, x, y - 1]))
        side = data.draw(st.sampled_from([guard, sp.Max(guard, 0), sp.Abs(guard)]))
        relation = data.draw(st.sampled_from([sp.Ge, sp.Gt, sp.Lt, sp.Le]))
        map_ = SymbolicMap([x], [P((first, relation(guard, 0)), (first + factor * side, True))], [y])
        with suppress(UnknownError):
            assert isinstance(check_continuity(map_), Continuous)


class TestRefuted:
    @pytest.mark.parametrize(
        ("expressions", "kind"),
        [
            ((P((1, x >= 0), (0, True)),), Jump),
            ((P((1, sp.Eq(x, 0)), (x, True)),), Jump),
            ((sp.sign(x),), Jump),
            ((P((x + y + 1, (x >= 0) & (y >= 0)), (x, x >= 0), (y, y >= 0), (0, True)), y), Jump),
            ((P((1, x**2 - y > 0), (0, True)), y), Jump),
            ((P((5, sp.Eq(x, 0) & sp.Eq(y, 0)), (0, True)), y), Jump),
            ((P((5, sp.Eq(x, 0) & sp.Eq(sp.Abs(x), 0)), (0, True)),), Jump),
            ((sp.Max(P((x, y > 3), (x - 1, True)), 7), y), Jump),
            ((P((1, x > 0), (2, x < 0)),), Gap),
            ((P((1, x > 0), (2, y > 0)), y), Gap),
            ((P((x, x > 0), (-x, x < 0), (0, y > 0)), y), Gap),
            ((P((0, x < 0), (0, z < 0), (0, x + z > 0)), y, z), Gap),
        ],
    )
    def test_a_jump_or_a_gap_is_found_and_confirmed(self, expressions, kind):
        found = answer(*expressions)
        assert isinstance(found, kind)
        confirm(SymbolicMap(NAMES[: len(expressions)], expressions), found)

    @examples(100)
    @given(st.data())
    def test_a_map_with_a_jump_is_never_proved(self, data):
        """Across the plane where a guard vanishes, one side is shifted by a constant."""
        variables = (x, y)
        guard, smooth = data.draw(affine(variables)), data.draw(kinked(variables, 1))
        assume(guard.free_symbols)
        shift = data.draw(st.sampled_from([1, -1, sp.Rational(1, 7)]))
        relation = data.draw(st.sampled_from([sp.Ge, sp.Gt, sp.Lt, sp.Le, sp.Eq, sp.Ne]))
        around = data.draw(st.sampled_from([lambda e: e, lambda e: 2 * e + sp.Abs(x), lambda e: e - sp.Max(x, y)]))
        map_ = SymbolicMap([x], [around(P((smooth, relation(guard, 0)), (smooth + shift, True)))], [y])
        found = check_continuity(map_)
        assert isinstance(found, Jump)
        confirm(map_, found)

    @examples(100)
    @given(maps(jumps=True))
    def test_whatever_is_refuted_is_confirmed(self, drawn):
        state, following, parameters = drawn
        map_ = SymbolicMap(state, following, parameters)
        try:
            found = check_continuity(map_)
        except UnknownError:
            return
        if not isinstance(found, Continuous):
            confirm(map_, found)


class TestUndecided:
    @pytest.mark.parametrize(
        "expressions",
        [
            (x * sp.sign(x),),
            (P((sp.sqrt(x), x >= 0), (0, True)),),
            (P((sp.exp(x), x >= 0), (1, True)),),
            (1 / sp.Abs(x),),
            (1 / (1 + sp.Abs(x)),),
            (sp.sqrt(sp.Max(x, -1)),),
            (P((1, x**2 + y**2 - 3 > 0), (0, True)), y),
            (x / (1 + x**2),),
            (P((x, x**2 - 2 * x * y + y**2 >= 0)), y),
        ],
    )
    def test_these_are_left_open_honestly(self, expressions):
        with pytest.raises(UnknownError):
            answer(*expressions)

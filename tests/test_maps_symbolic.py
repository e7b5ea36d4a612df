"""Symbolic maps: values, pieces, Jacobian pairs and chain-rule sets, against an evaluator of its own."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st
from strategies import directions, examples, jacobian_near, maps, points, value_of

from piggycheck.arithmetic import RATIONAL, Balls, Mpmath, bounds
from piggycheck.errors import GapError, MapError, NumberError, UnknownError
from piggycheck.maps import Signature, SymbolicMap

x, y, theta = sp.symbols("x y theta", real=True)
SMALL = Fraction(1, 10**6)


def fractions(values):
    return tuple(Fraction(int(v.p), int(v.q)) for v in values)


def rows_of(piece):
    whole = piece.A.row_join(piece.B)
    return tuple(fractions(whole[i, :]) for i in range(whole.rows))


def exact(point):
    return {v: sp.Rational(c.numerator, c.denominator) for v, c in point.items()}


def along(point, variables, direction, t):
    return {
        v: point[v] + t * Fraction(int(sp.Rational(d).p), int(sp.Rational(d).q))
        for v, d in zip(variables, direction, strict=True)
    }


def slopes(map_, point):
    """The distinct values of A, for a map of one variable."""
    return {piece.A[0] for piece in map_.selection(point).pieces}


class TestValues:
    @examples(200)
    @given(st.data())
    def test_values_are_those_of_the_expressions_as_written(self, data):
        state, following, parameters = data.draw(maps(jumps=True))
        map_ = SymbolicMap(state, following, parameters)
        for _ in range(3):
            point = data.draw(points(map_.variables))
            expected = tuple(value_of(e, point) for e in map_.next)
            assert expected == fractions(map_.value(exact(point)))

    def test_values_beyond_the_rationals_are_exact(self):
        map_ = SymbolicMap([x], [sp.Max(x**2 - 2, 0) + sp.sqrt(2) * x])
        assert map_.value({x: sp.sqrt(2)}) == (2,)

    def test_square_root_exponential_and_logarithm_agree_with_mpmath(self):
        map_ = SymbolicMap([x], [sp.sqrt(sp.Abs(x) + 1) + sp.exp(-x) + sp.log(x + 3)])
        context = Mpmath(40).context
        expected = context.sqrt(3) + context.exp(-2) + context.log(5)
        value = map_.value({x: 2})[0]
        assert abs(Mpmath(40).evaluate(value) - expected) < context.mpf(10) ** -37

    def test_balls_contain_the_rational_value(self):
        map_ = SymbolicMap([x], [sp.Max(x / 3, x**2) - sp.Abs(x - 1)])
        low, high = bounds(map_.evaluate({x: arb(fmpq(2, 7))}, Balls(100)).value[0])
        assert low <= fmpq(2, 21) - fmpq(5, 7) <= high

    def test_the_sign_of_an_undecided_ball_is_unknown(self):
        with pytest.raises(UnknownError):
            SymbolicMap([x], [sp.Abs(x)]).evaluate({x: arb(0, 1)}, Balls(64))

    def test_a_gap_has_no_value(self):
        with pytest.raises(GapError, match="no branch"):
            SymbolicMap([x], [sp.Piecewise((1, x > 0), (2, x < 0))]).value({x: 0})

    def test_the_branch_that_is_not_taken_is_not_evaluated(self):
        assert SymbolicMap([x], [sp.Piecewise((1 / x, x > 0), (5, True))]).value({x: 0}) == (5,)

    @pytest.mark.parametrize(
        ("expression", "point", "message"),
        [(1 / x, 0, "division by zero"), (sp.log(x), 0, "logarithm"), (sp.sqrt(x), -1, "negative")],
    )
    def test_outside_the_domain_is_an_error_of_one_line(self, expression, point, message):
        with pytest.raises(MapError, match=message) as caught:
            SymbolicMap([x], [expression]).value({x: point})
        assert "\n" not in str(caught.value)

    def test_a_signature_tells_which_guards_were_met(self):
        map_ = SymbolicMap([x], [sp.Piecewise((sp.Abs(x - 1), x > 0), (0, True))])
        assert "·-" == "".join(sorted(str(map_.evaluate({x: fmpq(-1)}, RATIONAL).signature), reverse=True))


class TestRefusals:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (([], []), "at least one"),
            (([x], [x, x]), "1 names and `next` has 2"),
            (([x, x], [x, x]), "declared twice"),
            (([x], [y]), "`y` is not declared; declared are x"),
            (([x], [sp.sin(x)]), "`sin`"),
            (([sp.Symbol("u")], [sp.Symbol("u")]), "not declared real"),
        ],
    )
    def test_a_map_that_does_not_fit_is_refused_in_one_line(self, arguments, message):
        with pytest.raises(MapError, match=message) as caught:
            SymbolicMap(*arguments)
        assert "\n" not in str(caught.value)

    def test_floats_are_refused_in_expressions_and_points(self):
        with pytest.raises(NumberError, match='write "0.5"'):
            SymbolicMap([x], [0.5 * x])
        with pytest.raises(NumberError, match='write "0.1"'):
            SymbolicMap([x], [x]).value({x: 0.1})

    def test_points_name_every_variable_and_no_other(self):
        map_ = SymbolicMap([x], [x + theta], [theta])
        with pytest.raises(MapError, match="`theta` has no value"):
            map_.value({x: 1})
        with pytest.raises(MapError, match="`z` is not a variable"):
            map_.value({"x": 1, "theta": 1, "z": 0})

    def test_a_signature_that_is_silent_on_a_guard_is_refused(self):
        map_ = SymbolicMap([x], [sp.Abs(x)])
        with pytest.raises(MapError, match="says nothing"):
            map_.piece(Signature([None]))


class TestSelection:
    @examples(150)
    @given(st.data())
    def test_pieces_seen_nearby_are_listed_and_listed_ones_are_seen_along_their_directions(self, data):
        state, following, parameters = data.draw(maps(jumps=True))
        map_ = SymbolicMap(state, following, parameters)
        point = data.draw(points(map_.variables))
        selection = map_.selection(exact(point))
        listed = [rows_of(piece) for piece in selection.pieces]
        assert selection.exact, "affine guards are always decided"
        for piece, rows in zip(selection.pieces, listed, strict=True):
            direction = piece.activity.direction
            for t in (SMALL, SMALL / 1000):
                assert rows == jacobian_near(map_.next, map_.variables, along(point, map_.variables, direction, t))
        for _ in range(4):
            near = along(point, map_.variables, data.draw(directions(len(map_.variables))), SMALL)
            seen = jacobian_near(map_.next, map_.variables, near)
            if seen is not None:
                assert seen in listed
        assert {rows_of(p) for p in selection.pieces} <= {rows_of(p) for p in map_.active(exact(point))}

    def test_several_kinks_through_one_point(self):
        map_ = SymbolicMap([x, y], [sp.Abs(x) + sp.Abs(y) + sp.Abs(x + y), y])
        found = {tuple(piece.A[0, :]) for piece in map_.selection({x: 0, y: 0}).pieces}
        assert found == {(2, 2), (-2, -2), (2, 0), (0, -2), (0, 2), (-2, 0)}, "six cones, not eight sign patterns"

    def test_guards_equal_up_to_a_factor_are_one_guard(self):
        map_ = SymbolicMap([x], [sp.Abs(2 * x - 2) + sp.Max(1 - x, 0) + sp.Piecewise((0, 3 * x >= 3), (x - 1, True))])
        assert len(map_.guards) == 1
        assert slopes(map_, {x: 1}) == {2, -2}

    def test_guards_that_are_equal_only_on_a_piece_tie_together(self):
        map_ = SymbolicMap([x], [sp.Max(sp.Abs(x) - 1, 0) + sp.Abs(x - 1)])
        assert slopes(map_, {x: 1}) == {2, -1}

    def test_nested_kinks(self):
        map_ = SymbolicMap([x], [sp.Abs(sp.Abs(sp.Abs(x) - 2) - 1)])
        assert [len(map_.selection({x: c}).pieces) for c in (0, 1, 2, 3, 4)] == [2, 2, 2, 2, 1]

    def test_a_guard_that_vanishes_on_a_whole_piece(self):
        map_ = SymbolicMap([x], [sp.Max(sp.Abs(x) - x, 0) / 3])
        assert slopes(map_, {x: 0}) == {0, sp.Rational(-2, 3)}
        assert slopes(map_, {x: 1}) == {0}
        assert map_.selection({x: 1}).exact

    def test_a_single_point_with_a_value_of_its_own_is_active_and_not_essentially(self):
        map_ = SymbolicMap([x], [sp.Piecewise((0, sp.Eq(x, 0)), (x, True))])
        assert {piece.A[0] for piece in map_.active({x: 0})} == {0, 1}
        assert slopes(map_, {x: 0}) == {1}
        assert map_.selection({x: 0}).exact

    def test_pieces_that_only_a_zero_set_takes_are_active(self):
        both = sp.Piecewise((x, x >= 0), (x / 2, True)) - sp.Piecewise((x, x > 0), (x / 2, True))
        map_ = SymbolicMap([x], [both])
        assert slopes(map_, {x: 0}) == {0}
        assert {piece.A[0] for piece in map_.active({x: 0})} == {0, sp.Rational(1, 2)}

    def test_a_piece_that_lives_on_an_axis_is_active_and_not_essentially(self):
        axis = sp.Piecewise((2 * y, (x >= 0) & (theta >= 0) & (x + theta <= 0)), (y / 2, True))
        map_ = SymbolicMap([x, y, theta], [x, axis, theta])
        origin = {x: 0, y: 0, theta: 0}
        assert 2 in {piece.A[1, 1] for piece in map_.active(origin)}
        assert {piece.A[1, 1] for piece in map_.selection(origin).pieces} == {sp.Rational(1, 2)}

    def test_guards_on_the_parameters_alone_count(self):
        map_ = SymbolicMap([x], [-x / 2 + sp.Max(theta, 0)], [theta])
        assert {(p.A[0], p.B[0]) for p in map_.selection({x: 0, theta: 0}).pieces} == {
            (sp.Rational(-1, 2), 0),
            (sp.Rational(-1, 2), 1),
        }
        assert [p.B[0] for p in map_.selection({x: 0, theta: 1}).pieces] == [1]

    def test_a_curved_guard_is_decided_by_its_gradient(self):
        map_ = SymbolicMap([x, y], [sp.Max(x**2 - y, 0), y])
        selection = map_.selection({x: 2, y: 4})
        assert selection.exact
        assert {tuple(p.A[0, :]) for p in selection.pieces} == {(4, -1), (0, 0)}

    def test_what_is_not_decided_is_listed_and_said_to_be_a_superset(self):
        map_ = SymbolicMap([x, y], [sp.Max(x**2 - y, 0) + sp.Max(y, 0), x])
        selection = map_.selection({x: 0, y: 0})
        assert not selection.exact
        proved = {tuple(p.A[0, :]) for p in selection.pieces if p.activity.essential}
        assert {(0, 1), (0, -1)} <= proved
        undecided = [p for p in selection.pieces if p.activity.essential is None]
        assert (0, 0) in {tuple(p.A[0, :]) for p in undecided}, "0 < y < x**2: real, but no straight line enters it"

    def test_irrational_guards_and_points(self):
        map_ = SymbolicMap([x], [sp.Max(x**2 - 2, 0) - x])
        selection = map_.selection({x: sp.sqrt(2)})
        assert selection.exact
        assert {p.A[0] for p in selection.pieces} == {2 * sp.sqrt(2) - 1, -1}

    def test_an_algebraic_point_given_as_a_root(self):
        root = sp.CRootOf(x**3 + x - 1, 0)
        map_ = SymbolicMap([x], [sp.Max(x**3 + x - 1, 0)])
        steep, flat = map_.selection({x: root}).pieces
        assert {0} == set(flat.A)
        assert abs(sp.N(steep.A[0] - (3 * root**2 + 1), 30)) < 1e-25

    def test_transcendental_pieces(self):
        map_ = SymbolicMap([x], [sp.Piecewise((sp.exp(x) - 1, x >= 0), (sp.log(x + 1) / 2, True))])
        assert {p.A[0] for p in map_.selection({x: 0}).pieces} == {1, sp.Rational(1, 2)}

    def test_a_missing_branch_nearby_is_an_error(self):
        map_ = SymbolicMap([x, y], [sp.Piecewise((x, y >= 0)), y])
        with pytest.raises(GapError):
            map_.selection({x: 0, y: 0})

    def test_a_missing_branch_that_is_not_proved_to_be_met_is_unknown(self):
        map_ = SymbolicMap([x, y], [sp.Piecewise((x / 2, x**2 - 2 * x * y + y**2 >= 0)), y])
        with pytest.raises(UnknownError):
            map_.selection({x: 0, y: 0})


class TestLaziness:
    KINKS = sp.symbols("v0:40", real=True)

    def test_a_map_of_many_kinks_opens_and_evaluates_without_building_a_piece(self):
        map_ = SymbolicMap(self.KINKS, [sp.Abs(v) / 2 + sp.Max(v - 1, 0) for v in self.KINKS])
        assert len(map_.guards) == 80
        assert map_.value(dict.fromkeys(self.KINKS, -2)) == (1,) * 40
        assert not map_._pieces

    def test_only_the_piece_that_is_met_is_built(self):
        map_ = SymbolicMap(self.KINKS, [sp.Abs(v) / 2 for v in self.KINKS])
        assert len(map_.selection({v: sp.Rational(1, 3) for v in self.KINKS}).pieces) == 1
        assert len(map_._pieces) == 1

    def test_too_many_pieces_at_a_point_are_not_listed(self):
        map_ = SymbolicMap(self.KINKS[:12], [sp.Abs(v) for v in self.KINKS[:12]])
        with pytest.raises(UnknownError, match="more than 1024 pieces"):
            map_.selection(dict.fromkeys(self.KINKS[:12], 0))
        with pytest.raises(UnknownError, match="more than 1024 combinations"):
            map_.chain_rule(dict.fromkeys(self.KINKS[:12], 0))


class TestChainRule:
    def test_a_difference_of_two_relus(self):
        map_ = SymbolicMap([x], [sp.Max(x, 0) - sp.Max(-x, 0)])
        assert {piece.A[0] for piece in map_.chain_rule({x: 0})} == {0, 1, 2}
        assert slopes(map_, {x: 0}) == {1}
        assert {piece.A[0] for piece in map_.chain_rule({x: 3})} == {1}

    def test_equal_subexpressions_are_one_step(self):
        map_ = SymbolicMap([x], [sp.Max(x, 0) + (sp.Max(x, 0) + 1) / 2])
        assert {piece.A[0] for piece in map_.chain_rule({x: 0})} == {0, sp.Rational(3, 2)}

    def test_a_product_of_the_sign_and_its_argument(self):
        map_ = SymbolicMap([x], [x * sp.sign(x)])
        assert {piece.A[0] for piece in map_.chain_rule({x: 0})} == {-1, 0, 1}
        assert slopes(map_, {x: 0}) == {-1, 1}

    def test_one_piecewise_sees_one_sign(self):
        """Both conditions look at the sign of x, so the last case is never picked."""
        map_ = SymbolicMap([x], [sp.Piecewise((x, x > 0), (2 * x, x <= 0), (7 * x, True))])
        assert {piece.A[0] for piece in map_.chain_rule({x: 0})} == {1, 2}

    @examples(60)
    @given(st.data())
    def test_it_contains_the_selection_set(self, data):
        state, following, parameters = data.draw(maps(dimensions=(1, 2), parameters=(0, 1), jumps=True))
        map_ = SymbolicMap(state, following, parameters)
        point = exact(data.draw(points(map_.variables)))
        assert {rows_of(p) for p in map_.selection(point).pieces} <= {rows_of(p) for p in map_.chain_rule(point)}


# -- parameters with values -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("at", [{"theta": 1}, {"theta": -2}, {"theta": 0}])
def test_a_map_with_fixed_parameters_has_the_values_of_the_map(at):
    signs = sp.Piecewise((x, theta > 0), (2 * x, sp.Eq(theta, 0)), (x - y * theta, True))
    map_ = SymbolicMap([x, y], [signs + sp.Abs(theta) * sp.Max(x, theta), sp.sign(theta * x) + y], [theta])
    for point in ({"x": 3, "y": 2}, {"x": -1, "y": 0}, {"x": 0, "y": 5}):
        assert map_.fix(at).value(point) == map_.value({**point, **at})


def test_fixing_some_parameters_leaves_the_others():
    other = sp.Symbol("other", real=True)
    fixed = SymbolicMap([x], [sp.Max(theta * x, other)], [theta, other]).fix({"theta": 2})
    assert (fixed.parameters, fixed.value({"x": 3, "other": 1})) == ((other,), (6,))
    with pytest.raises(MapError, match="`beta` is not a parameter"):
        fixed.fix({"beta": 1})


def test_fixing_parameters_removes_no_guard():
    """Sympy would see that the first guard is nonnegative, and evaluating the second takes it too many calls."""
    guard = sp.Piecewise((theta - x / 8, sp.Ge(x**2, 0, evaluate=False)), (-x / 2, True), evaluate=False)
    assert SymbolicMap([x], [guard], [theta]).fix({"theta": 1}).guards == (x**2,)
    lower = sp.Min(y - 2 * x, x - 2 * y, evaluate=False)
    cases = sp.Piecewise((lower, sp.Ge(y - 2 * x, x - 2 * y, evaluate=False)), (y - 2 * x, True), evaluate=False)
    assert SymbolicMap([x, y], [cases, y], [theta]).fix({"theta": 1}).value({"x": 1, "y": 3}) == (-5, 3)

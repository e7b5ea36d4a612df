"""Fixed points: every one satisfies F(x) = x, and a search over all branches of the expressions finds no other."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import STATE, examples, maps, points, value_of

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.errors import InputError, UnknownError
from piggycheck.fixed_points import FixedPoint, approached, fixed_points, linearise
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

x, y, theta = sp.symbols("x y theta", real=True)
TWO_SLOPES = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"


def found_for(*following, **arguments):
    state = STATE[: len(following)]
    return fixed_points(Iteration(SymbolicMap(state, following)), **arguments)


def branches(expression):
    """Every smooth expression that can be left of a piecewise affine one, whether its conditions fit or not."""
    if not expression.args:
        return {expression}
    if isinstance(expression, sp.Piecewise):
        return set().union(*(branches(value) for value, _ in expression.args))
    choices = [branches(argument) for argument in expression.args]
    if isinstance(expression, sp.Abs):
        return {sign * e for e in choices[0] for sign in (1, -1)}
    if isinstance(expression, (sp.Max, sp.Min)):
        return set().union(*choices)
    return {sp.expand(expression.func(*chosen)) for chosen in product(*choices)}


def solve_affine(expressions, state):
    """Solve ``F(x) = x`` by elimination with fractions: a solution and whether it is the only one; None without."""
    rows = []
    for e, v in zip(expressions, state, strict=True):
        row = [Fraction(int(c.p), int(c.q)) for c in (sp.Rational(sp.expand(e).coeff(w)) for w in state)]
        constant = value_of(e, {w: Fraction(0) for w in state})
        rows.append([Fraction(v == w) - c for w, c in zip(state, row, strict=True)] + [constant])
    pivots = []
    for column in range(len(state)):
        pivot = next((i for i in range(len(pivots), len(rows)) if rows[i][column]), None)
        if pivot is None:
            continue
        here = len(pivots)
        rows[here], rows[pivot] = rows[pivot], rows[here]
        rows[here] = [c / rows[here][column] for c in rows[here]]
        for i in range(len(rows)):
            if i != here:
                rows[i] = [a - rows[i][column] * b for a, b in zip(rows[i], rows[here], strict=True)]
        pivots.append(column)
    if any(row[-1] for row in rows[len(pivots) :]):
        return None
    solution = dict.fromkeys(state, Fraction(0))
    for i, column in enumerate(pivots):
        solution[state[column]] = rows[i][-1]
    return solution, len(pivots) == len(state)


def is_fixed(following, point):
    return all(value_of(e, point) == point[v] for e, v in zip(following, STATE, strict=False))


class TestPiecewiseAffine:
    @examples(250)
    @given(maps(parameters=(0,), jumps=True))
    def test_they_are_fixed_and_no_other_is_found_over_all_branches(self, drawn):
        state, following, _ = drawn
        choices = [branches(e) for e in following]
        assume(sp.prod(len(c) for c in choices) <= 400)
        answer = found_for(*following)
        listed = [{v: Fraction(int(c.p), int(c.q)) for v, c in p.state.items()} for p in answer]
        for point in listed:
            assert is_fixed(following, point)
        if not answer.exhaustive:
            return
        for expressions in product(*choices):
            solved = solve_affine(expressions, state)
            if solved is not None and is_fixed(following, solved[0]):
                assert listed, "the list is called exhaustive, and there is a fixed point"
                assert not (solved[1] and all(p.isolated for p in answer)) or solved[0] in listed

    @examples(60)
    @given(st.data())
    def test_parameters_are_put_in_first(self, data):
        state, following, parameters = data.draw(maps(dimensions=(1, 2), parameters=(1, 2)))
        at = {v: data.draw(st.sampled_from([0, 1, -1])) for v in parameters}
        for p in fixed_points(Iteration(SymbolicMap(state, following, parameters)), at):
            point = {**{v: Fraction(int(c.p), int(c.q)) for v, c in p.state.items()}, **at}
            assert is_fixed(following, point)

    def test_a_map_without_fixed_point(self):
        answer = found_for(sp.Abs(x) + 1)
        assert ((), True) == (answer.points, answer.exhaustive)

    def test_several_on_different_pieces(self):
        answer = found_for(sp.Piecewise((3 * x - 4, x > 1), (3 * x + 4, x < -1), (-x, True)))
        assert {0, 2, -2} == {p.state[x] for p in answer}
        assert answer.exhaustive

    def test_a_candidate_outside_its_piece_is_none(self):
        answer = found_for(sp.Piecewise((x / 2 + 1, x < 0), (x / 2 - 1, True)))
        assert ((), True) == (answer.points, answer.exhaustive)

    def test_a_continuum_is_found_inside_its_piece_and_is_not_isolated(self):
        (point,) = found_for(sp.Max(x, 0))
        assert not point.isolated
        (open_end,) = found_for(sp.Piecewise((x, x > 0), (x + 1, True)))
        assert open_end.state[x] > 0

    def test_one_at_which_switches_of_one_guard_disagree(self):
        step = sp.Piecewise((1, x >= 0), (0, True)) - sp.Piecewise((1, x > 0), (0, True))
        answer = found_for(x + 1 - step)
        assert [0] == [p.state[x] for p in answer], "only at 0 is the step 1"

    def test_irrational_data(self):
        (point,) = found_for(sp.sqrt(2) * sp.Max(x, -1) / 2 + 1)
        assert 0 == sp.simplify(point.state[x] - 1 / (1 - sp.sqrt(2) / 2))

    def test_beyond_the_budget_only_the_path_is_examined(self):
        names = sp.symbols("v0:12", real=True)
        following = [sp.Abs(v - 3) / 2 + 1 for v in names]
        answer = fixed_points(Iteration(SymbolicMap(names, following), [0] * 12), max_pieces=50)
        assert not answer.exhaustive
        assert "of more than 50" in answer.reason
        assert [sp.Rational(5, 3)] * 12 == list(answer[0].state.values())


class TestPolynomial:
    def test_roots_beyond_radicals_are_exact(self):
        answer = fixed_points(gradient_descent("x**4/4 + x**2/2 - x", ["x"], "1/4"))
        (point,) = answer
        assert answer.exhaustive
        root = point.state[x]
        assert abs(sp.N(root**3 + root - 1, 40)) < 1e-35

    def test_all_roots_of_one_variable(self):
        assert {-1, 0, 1} == {p.state[x] for p in found_for(x + x**3 - x)}

    def test_two_variables(self):
        answer = found_for(x**2 + y**2 - 1 + x, y + x - y**2)
        assert answer.exhaustive
        for p in answer:
            a, b = p.state[x], p.state[y]
            assert abs(sp.N(a**2 + b**2 - 1, 30)) < 1e-25 and abs(sp.N(a - b**2, 30)) < 1e-25
        golden = (sp.sqrt(5) - 1) / 2
        assert 2 == len(answer)
        assert all(abs(sp.N(p.state[x] - golden, 30)) < 1e-25 for p in answer)

    def test_a_root_outside_its_piece_is_none(self):
        answer = found_for(sp.Piecewise((x**2 - 2 + x, x >= 0), (x - 1, True)))
        assert [sp.sqrt(2)] == [p.state[x] for p in answer]

    def test_what_is_not_polynomial_is_said(self):
        answer = found_for(sp.exp(-x))
        assert not answer.exhaustive
        assert "not polynomial" in answer.reason


class TestApproached:
    def test_the_start_chooses_among_several(self):
        map_ = SymbolicMap([x], [sp.Piecewise((x / 2 + 1, x > 0), (x / 2 - 1, True))])
        right, left = (Iteration(map_, [c]) for c in (1, -1))
        assert 2 == approached(right, fixed_points(right)).state[x]
        assert -2 == approached(left, fixed_points(left)).state[x]
        alone = Iteration(map_)
        assert approached(alone, fixed_points(alone)) is None

    def test_nothing_is_approached_by_iterates_that_run_away(self):
        map_ = SymbolicMap([x], [sp.Max(2 * x - 1, x / 2)])
        away = Iteration(map_, [5])
        assert {0, 1} == {p.state[x] for p in fixed_points(away)}
        assert approached(away, fixed_points(away)) is None


class TestLinearise:
    def test_heavy_ball_by_hand(self):
        iteration = heavy_ball(TWO_SLOPES, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])
        system = linearise(iteration, fixed_points(iteration, {"theta": 0})[0])
        plus = fmpq_mat([[fmpq(3, 4), fmpq(-3, 4)], [1, 0]])
        minus = fmpq_mat([[fmpq(3, 2), fmpq(-3, 4)], [1, 0]])
        assert (plus, minus) == system.A
        assert all(B == fmpq_mat([[0], [0]]) for B in system.B)
        assert fmpq_mat([[1], [1]]) == system.J0
        assert system.exact
        assert ("+", "-") == system.names

    def test_no_start_or_another_start_gives_no_J0(self):
        for start in (None, ["theta + 1"]):
            iteration = heavy_ball(TWO_SLOPES, ["x"], 1, "3/4", parameters=["theta"], start=start)
            assert linearise(iteration, fixed_points(iteration, {"theta": 0})[0]).J0 is None

    def test_a_start_with_a_kink_has_no_single_J0(self):
        iteration = Iteration(SymbolicMap([x], [x / 2], [theta]), [sp.Abs(theta)])
        assert linearise(iteration, FixedPoint({x: 0}, {theta: 0})).J0 is None

    def test_irrational_jacobians_are_unknown(self):
        iteration = Iteration(SymbolicMap([x], [x / sp.sqrt(2)]))
        with pytest.raises(UnknownError, match="irrational"):
            linearise(iteration, fixed_points(iteration)[0])

    def test_a_missing_parameter_is_an_error(self):
        iteration = Iteration(SymbolicMap([x], [x / 2 + theta], [theta]))
        with pytest.raises(InputError, match="`theta` has no value"):
            fixed_points(iteration)

    @examples(40)
    @given(st.data())
    def test_pairs_are_those_of_the_selection_set(self, data):
        state, following, parameters = data.draw(maps(dimensions=(1, 2), parameters=(1,)))
        iteration = Iteration(SymbolicMap(state, following, parameters))
        at = {v: sp.Rational(c.numerator, c.denominator) for v, c in data.draw(points(parameters)).items()}
        for p in fixed_points(iteration, at):
            pieces = iteration.map.selection(p.point).pieces
            system = linearise(iteration, p)
            assert [list(map(str, piece.A)) for piece in pieces] == [list(map(str, A.entries())) for A in system.A]
            assert [list(map(str, piece.B)) for piece in pieces] == [list(map(str, B.entries())) for B in system.B]


def test_forty_independent_kinks_are_not_listed_but_the_path_leads_to_the_fixed_point():
    """x_i <- x_i/2 + |x_i - 1|/4 has the fixed point 1/3 where x_i < 1: 1/3 = 1/6 + (2/3)/4."""
    state = sp.symbols("v0:40", real=True)
    map_ = SymbolicMap(state, [v / 2 + sp.Abs(v - 1) / 4 for v in state])
    points = fixed_points(Iteration(map_, start=[0] * 40))
    assert [dict.fromkeys(state, sp.Rational(1, 3))] == [point.state for point in points]
    assert not points.exhaustive and "more than 1024" in points.reason

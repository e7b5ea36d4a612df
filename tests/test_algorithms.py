"""Algorithms: their maps and Jacobian pairs, by hand."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from strategies import value_of

from piggycheck.algorithms import CATALOGUE, forward_backward, gradient_descent, heavy_ball, nesterov
from piggycheck.errors import ExpressionError, InputError, NumberError
from piggycheck.functions import l1, nonnegative

x, theta = sp.symbols("x theta", real=True)
before = sp.Symbol("x_previous", real=True)
TWO_SLOPES = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
half, quarter = sp.Rational(1, 2), sp.Rational(1, 4)


def run(iteration, **point):
    names = {str(v): v for v in iteration.map.variables}
    values = {names[name]: Fraction(value) for name, value in point.items()}
    return [value_of(e, values) for e in iteration.map.next]


class TestHeavyBall:
    def test_matrices_of_the_paper(self):
        ball = heavy_ball(TWO_SLOPES, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])
        plus, minus = ball.map.selection({"x": 0, "x_previous": 0, "theta": 0}).pieces
        assert sp.Matrix([[3 * quarter, -3 * quarter], [1, 0]]) == plus.A
        assert sp.Matrix([[3 * half, -3 * quarter], [1, 0]]) == minus.A
        assert sp.zeros(2, 1) == plus.B == minus.B

    def test_its_step_by_hand(self):
        ball = heavy_ball("(x - theta)**2", ["x"], "1/8", "1/2", parameters=["theta"])
        assert [Fraction(4) - Fraction(1, 8) * 2 * (4 - 1) + Fraction(1, 2) * (4 - 2), 4] == run(
            ball, x=4, x_previous=2, theta=1
        )

    def test_the_previous_iterate_starts_equal_unless_given(self):
        ball = heavy_ball("x**2", ["x"], "1/8", "1/2", parameters=["theta"], start=["theta"])
        assert (theta, theta) == ball.start
        ball = heavy_ball("x**2", ["x"], "1/8", "1/2", parameters=["theta"], start={"x": "theta", "x_previous": 0})
        assert (theta, 0) == ball.start


class TestNesterov:
    def test_its_step_by_hand(self):
        """y = x + beta (x - w), next x = y - step * f'(y)."""
        algorithm = nesterov(TWO_SLOPES, ["x"], 1, "1/3")
        y = Fraction(-3) + Fraction(1, 3) * (-3 - 1)
        assert [y - y / 4, -3] == run(algorithm, x=-3, x_previous=1)
        assert [0, 3] == run(algorithm, x=3, x_previous=1)

    def test_matrices_by_hand(self):
        """The factor 1 - slope times [1 + beta, -beta]."""
        algorithm = nesterov(TWO_SLOPES, ["x"], 1, "1/3")
        found = {tuple(piece.A[0, :]) for piece in algorithm.map.selection({"x": 0, "x_previous": 0}).pieces}
        assert {(0, 0), (1, -quarter)} == found


class TestForwardBackward:
    def test_soft_thresholding_by_hand(self):
        lasso = forward_backward("(x - 2)**2/2", l1(sp.Symbol("lam", real=True)), ["x"], "1/2", parameters=["lam"])
        assert [Fraction(1, 2)] == run(lasso, x=0, lam=1)
        assert [0] == run(lasso, x=0, lam=2)
        assert [Fraction(-3) + 1 + Fraction(1, 2)] == run(lasso, x=-6, lam=1)

    def test_jacobian_pairs_away_from_the_kink(self):
        lasso = forward_backward("(x - 2)**2/2", l1(sp.Symbol("lam", real=True)), ["x"], "1/2", parameters=["lam"])
        (piece,) = lasso.map.selection({"x": 1, "lam": 1}).pieces
        assert (half, -half) == (piece.A[0], piece.B[0])

    def test_a_function_without_proximal_map_is_refused(self):
        with pytest.raises(InputError, match="no proximal map"):
            forward_backward("x**2", abs, ["x"], 1)

    def test_projected_gradient(self):
        projected = forward_backward("(x + 1)**2/2", nonnegative(), ["x"], 1)
        assert [0] == run(projected, x=5)


class TestGradientDescent:
    def test_its_step_by_hand(self):
        descent = gradient_descent("Max(x, 0)**2/2 + x**4/4 - x", ["x"], "1/4")
        assert [Fraction(2) - Fraction(1, 4) * (2 + 8 - 1)] == run(descent, x=2)
        assert [Fraction(-1) - Fraction(1, 4) * (-1 - 1)] == run(descent, x=-1)

    def test_a_step_may_be_a_parameter(self):
        descent = gradient_descent("x**2/2", ["x"], "theta", parameters=["theta"])
        assert [Fraction(3) - 2 * 3] == run(descent, x=3, theta=2)

    def test_an_objective_without_kinks_gives_one_piece(self):
        assert () == gradient_descent("x**2/2", ["x"], 1).map.guards


class TestReading:
    def test_floats_unknown_names_and_foreign_symbols_are_refused(self):
        with pytest.raises(NumberError, match='write "0.5"'):
            gradient_descent("x**2", ["x"], 0.5)
        with pytest.raises(ExpressionError, match="sin"):
            gradient_descent("sin(x)", ["x"], 1)
        with pytest.raises(InputError, match="`y` is not declared"):
            gradient_descent(sp.Symbol("y", real=True) ** 2, [x], 1)

    @pytest.mark.parametrize(
        ("start", "message"),
        [
            ({"y": 1}, "`y` is not a state variable"),
            ([1, 2, 3], "3 entries"),
            ({"x_previous": 1}, "`x` has no value"),
        ],
    )
    def test_a_start_that_does_not_fit_is_refused(self, start, message):
        with pytest.raises(InputError, match=message):
            heavy_ball("x**2", ["x"], 1, "1/2", start=start)

    def test_the_catalogue_names_them(self):
        splitting = {"admm", "douglas_rachford", "forward_backward"}
        assert splitting | {"gradient_descent", "heavy_ball", "nesterov"} == set(CATALOGUE)

"""Gradients and proximal maps: against calculus by hand and against their own optimality conditions."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples, kinked, points, value_of

from piggycheck.errors import InputError, MapError, NumberError
from piggycheck.functions import CATALOGUE, box, gradient, l1, nonnegative

x, y, lam = sp.symbols("x y lam", real=True)
rational = st.builds(Fraction, st.integers(-40, 40), st.integers(1, 9))


def at(expression, **point):
    return value_of(expression, {{"x": x, "y": y, "lam": lam}[name]: Fraction(value) for name, value in point.items()})


class TestGradient:
    def test_a_squared_positive_part(self):
        (g,) = gradient(sp.Max(x, 0) ** 2 / 2, [x])
        assert [0, 0, 3] == [at(g, x=c) for c in (-2, 0, 3)]

    def test_huber(self):
        huber = sp.Piecewise((x**2 / 2, sp.Abs(x) <= 1), (sp.Abs(x) - sp.Rational(1, 2), True))
        (g,) = gradient(huber, [x])
        assert [-1, -1, Fraction(-1, 2), 0, 1, 1] == [at(g, x=c) for c in (-5, -1, Fraction(-1, 2), 0, 1, 7)]

    def test_two_slopes(self):
        (g,) = gradient(sp.Piecewise((x**2 / 2, x >= 0), (x**2 / 8, True)), [x])
        assert [Fraction(-1, 2), 0, 2] == [at(g, x=c) for c in (-2, 0, 2)]

    def test_several_variables(self):
        g = gradient(sp.Max(x - y, 0) ** 2 / 2 + x * y, [x, y])
        assert [(5 - 2) + 2, -(5 - 2) + 5] == [at(e, x=5, y=2) for e in g]
        assert [5, 2] == [at(e, x=2, y=5) for e in g]

    def test_a_sum_of_many_kinks_is_differentiated_term_by_term(self):
        many = sum(sp.Max(x - i, 0) ** 2 for i in range(30))
        (g,) = gradient(many, [x])
        assert sum(2 * (10 - i) for i in range(10)) == at(g, x=10)

    def test_one_product_of_too_many_kinks_is_refused(self):
        with pytest.raises(MapError, match="more than 1024 pieces"):
            gradient(sp.prod(sp.Abs(x - i) + 1 for i in range(12)), [x])

    @examples(80)
    @given(kinked((x, y), 2), points((x, y)))
    def test_it_is_the_difference_quotient_inside_pieces(self, expression, point):
        """The square of a piecewise affine function f has the gradient 2 f f'."""
        step = Fraction(1, 10**14)
        for g, v in zip(gradient(expression**2, [x, y]), (x, y), strict=True):
            here = value_of(expression, point)
            ahead = value_of(expression, {**point, v: point[v] + step}) - here
            behind = here - value_of(expression, {**point, v: point[v] - step})
            if ahead == behind and _away_from_kinks(expression, point, step):
                assert 2 * here * ahead / step == value_of(g, point)


def _away_from_kinks(expression, point, step):
    """Moving in each diagonal direction changes the value linearly too."""
    here = value_of(expression, point)
    return all(
        value_of(expression, {x: point[x] + a * step, y: point[y] + b * step}) - here
        == here - value_of(expression, {x: point[x] - a * step, y: point[y] - b * step})
        for a, b in ((1, 2), (2, -1), (3, 1))
    )


class TestProximalMaps:
    @examples(60)
    @given(rational, st.builds(Fraction, st.integers(0, 20), st.integers(1, 5)))
    def test_soft_thresholding_satisfies_its_optimality_condition(self, v, weight):
        """z = prox(v) exactly when v - z is in weight * (subdifferential of |.| at z)."""
        (prox,) = l1(sp.Rational(weight.numerator, weight.denominator)).proximal([x], sp.Integer(1))
        z = at(prox, x=v)
        assert abs(v - z) <= weight
        assert z == 0 or v - z == weight * (1 if z > 0 else -1)

    def test_soft_thresholding_by_hand(self):
        (prox,) = l1(lam).proximal([x], sp.Rational(1, 2))
        assert [2, 0, 0, 0, -2] == [at(prox, x=c, lam=2) for c in (3, 1, 0, -1, -3)]

    @examples(40)
    @given(rational)
    def test_projections_are_the_nearest_points(self, v):
        (clip,) = box(-1, "3/2").proximal([x], sp.Integer(7))
        (positive,) = nonnegative().proximal([x], sp.Integer(7))
        assert min(max(v, Fraction(-1)), Fraction(3, 2)) == at(clip, x=v)
        assert max(v, Fraction(0)) == at(positive, x=v)

    def test_values(self):
        assert 6 == at(l1(2).value([x, y]), x=1, y=-2)
        assert 0 == box(0, 1).value([x]) == nonnegative().value([x])

    def test_what_makes_no_sense_is_refused(self):
        with pytest.raises(InputError, match="`-1` is negative"):
            l1(-1)
        with pytest.raises(InputError, match="negative"):
            l1(1 - sp.sqrt(2))
        with pytest.raises(InputError, match="lower bound 2 exceeds the upper bound 1"):
            box(2, 1)
        with pytest.raises(NumberError, match='write "0.1"'):
            l1(0.1)

    def test_the_catalogue_names_them(self):
        assert {"box", "l1", "nonnegative"} <= set(CATALOGUE)

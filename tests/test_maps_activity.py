"""Essential activity: directions that enter, regions that are empty, and what stays open."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import affine, directions, examples, value_of

from piggycheck.maps.activity import essential_activity, monomial_coefficients, region_is_empty

x, y, z = sp.symbols("x y z", real=True)
ORIGIN = {x: 0, y: 0, z: 0}
signs = st.sampled_from([1, -1])


def activity(*constraints, at=None):
    return essential_activity(constraints, [x, y], at or {x: 0, y: 0})


def linear_guards():
    return st.lists(st.tuples(signs, affine((x, y, z), st.just(0))), min_size=1, max_size=5)


def inside(constraints, point):
    return all(sign * value_of(guard, point) > 0 for sign, guard in constraints)


class TestAffineGuards:
    @examples(150)
    @given(linear_guards(), st.lists(directions(3), min_size=15, max_size=15))
    def test_the_answer_is_always_known_and_agrees_with_sampling(self, constraints, samples):
        assume(all(guard != 0 for _, guard in constraints))
        found = essential_activity(constraints, [x, y, z], ORIGIN)
        if found.essential is True:
            step = [Fraction(int(d.p), int(d.q)) / 10**6 for d in map(sp.Rational, found.direction)]
            assert inside(constraints, dict(zip((x, y, z), step, strict=True)))
        else:
            assert found.essential is False, "affine guards are decided"
            assert not any(inside(constraints, dict(zip((x, y, z), d, strict=True))) for d in samples)

    @examples(100)
    @given(
        st.lists(st.tuples(signs, affine((x, y, z))), min_size=1, max_size=5),
        st.lists(directions(3), min_size=15, max_size=15),
    )
    def test_a_region_proved_empty_holds_no_sample(self, constraints, samples):
        if region_is_empty(constraints):
            assert not any(inside(constraints, dict(zip((x, y, z), d, strict=True))) for d in samples)

    def test_opposite_signs_of_one_guard_leave_nothing(self):
        assert activity((1, x), (-1, x)).essential is False
        assert activity((1, x), (-1, 2 * x)).essential is False

    def test_weak_signs_leave_the_border(self):
        assert region_is_empty([(1, x), (-1, x)])
        assert not region_is_empty([(1, x), (-1, x)], [True, True])
        assert region_is_empty([(1, x), (-1, x)], [True, False])
        assert region_is_empty([(1, x - 1), (-1, x)], [True, True])
        assert region_is_empty([(0, x), (0, x - 1)])
        assert not region_is_empty([(0, x), (1, y)])

    def test_simple_directions_are_preferred(self):
        assert (1, 0) == activity((1, x), (-1, y - x)).direction


class TestCurvedGuards:
    def test_independent_gradients_decide(self):
        assert activity((1, y - x**2), (1, x + y**3)).essential is True

    def test_a_flat_guard_is_decided_by_its_leading_coefficient(self):
        assert activity((1, x**3)).direction == (1, 0)
        assert activity((1, x**2 + y**4)).essential is True

    def test_tangent_parabolas_with_nothing_between_are_proved_empty(self):
        assert activity((1, y - x**2), (-1, y - 2 * x**2)).essential is None, "between them there is a sliver"
        assert activity((1, y - x**2), (-1, y - x**2)).essential is False
        assert activity((1, y - x**2 - x**4), (-1, y - x**2)).essential is None

    def test_a_cusp_that_no_line_enters_is_open(self):
        assert activity((1, x**2 - y), (1, y)).essential is None

    def test_a_sum_of_squares_below_zero_is_never_called_active(self):
        assert activity((-1, x**2 + y**2)).essential is not True

    def test_a_guard_of_square_roots_is_decided_by_its_gradient(self):
        assert activity((1, sp.sqrt(1 + x) - 1), (-1, sp.exp(y) - 1)).direction == (1, -1)

    def test_irrational_gradients(self):
        found = activity((1, sp.sqrt(2) * x - y), (1, y - sp.Rational(7, 5) * x))
        assert found.essential in (True, None)
        if found.essential:
            d = found.direction
            assert (sp.sqrt(2) * d[0] - d[1]).is_positive and d[1] - sp.Rational(7, 5) * d[0] > 0

    def test_at_an_irrational_point(self):
        found = activity((1, x**2 - 2), (-1, y - sp.sqrt(2)), at={x: sp.sqrt(2), y: sp.sqrt(2)})
        assert (1, -1) == found.direction


def test_monomials_are_collected_with_rational_coefficients():
    assert {x**2: 1, x * y: -2, y**2: 1} == monomial_coefficients((x - y) ** 2)
    assert {} == monomial_coefficients((x - y) ** 2 - x**2 + 2 * x * y - y**2)
    assert {sp.sqrt(2) * x: 3} == monomial_coefficients(3 * sp.sqrt(2) * x), "a monomial of its own"

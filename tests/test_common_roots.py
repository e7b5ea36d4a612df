"""Common roots of polynomials: against systems whose solutions are known, and against substitution."""

from __future__ import annotations

import random

import pytest
import sympy as sp
from flint import fmpq_poly

from piggycheck.common_roots import common_roots, composed, polynomials, value_at
from piggycheck.errors import UnknownError

x, y, z = sp.symbols("x y z", real=True)


def real_points(expressions, variables=(x, y)):
    return {point for one in common_roots(polynomials(expressions, variables)) for point in one.points()}


def count(expressions, variables=(x, y)):
    return sum(one.factor.degree() for one in common_roots(polynomials(expressions, variables)))


def test_a_circle_and_a_hyperbola_meet_in_four_points():
    assert {(1, 2), (2, 1), (-1, -2), (-2, -1)} == real_points([x**2 + y**2 - 5, x * y - 2])


def test_points_below_each_other_are_told_apart():
    """(x - 1)(x - 2) = 0 and (y - 1)(y - 2) = 0, and on the diagonals x + y = 3 and x = y, too."""
    assert {(a, b) for a in (1, 2) for b in (1, 2)} == real_points([(x - 1) * (x - 2), (y - 1) * (y - 2)])
    assert {(a, b) for a in (1, 2) for b in (1, 2)} == real_points([(x - 1) * (x - 2), (x - y) * (x + y - 3)])


def test_a_point_where_curves_touch_is_one_point():
    assert {(0, 0)} == real_points([y - x**2, y])
    assert {(0, 0), (1, 1)} == real_points([(y - x) ** 2 * (y + 1), x * (y - x**2)]) - {(0, -1)}


def test_irrational_points_are_exact():
    root = sp.sqrt(2)
    found = real_points([x**2 - 2, (y - x) * (y**2 + 1)])
    assert {(root, root), (-root, -root)} == found
    assert 6 == count([x**2 - 2, (y - x) * (y**2 + 1)])


def test_complex_points_are_not_real():
    assert set() == real_points([x**2 + y**2 + 1, x - y])
    assert 2 == count([x**2 + y**2 + 1, x - y])


def test_parallel_lines_do_not_meet():
    assert [] == common_roots(polynomials([x + y, x + y - 1], [x, y]))
    assert [] == common_roots(polynomials([x * y - 1, x * y - 2], [x, y]))


def test_variables_that_an_equation_gives_are_eliminated():
    """x = y^2, z = x + 1, and y^3 = x: y is 0 or 1."""
    assert {(0, 0, 1), (1, 1, 2)} == real_points([x - y**2, z - x - 1, y**3 - x], (x, y, z))


@pytest.mark.parametrize(
    "expressions, variables, reason",
    [
        ([x * y, x * (y - 1)], (x, y), "infinitely many solutions"),
        ([x - y, 2 * x - 2 * y], (x, y), "infinitely many solutions"),
        ([x**9 + y**8, x**8 + y**9 - 1], (x, y), "more than 64 solutions"),
        ([x**2 + y * z, y**2 + x * z - 1, z**2 + x * y], (x, y, z), "3 variables of which none is given"),
        ([10**90 * x**8 + y**7 + 1, y**8 + x**7 - x], (x, y), "too long coefficients"),
        ([x**2 - sp.sqrt(2), y - x], (x, y), "no polynomial with rational coefficients"),
        ([sp.exp(x), y], (x, y), "no polynomial with rational coefficients"),
    ],
)
def test_what_is_not_solved_says_why(expressions, variables, reason):
    with pytest.raises(UnknownError, match=reason):
        common_roots(polynomials(expressions, variables))


@pytest.mark.parametrize("seed", range(8))
def test_random_systems_vanish_at_what_is_found_and_have_as_many_roots_as_their_degrees_say(seed):
    """A system with random coefficients has as many points as the degrees multiplied (Bézout)."""
    pick = random.Random(seed)
    degrees = pick.choice([(1, 3), (2, 2), (2, 3), (3, 3), (4, 2)])
    equations = polynomials(
        [
            sum(
                sp.Rational(pick.randint(-99, 99), pick.randint(1, 9)) * x**i * y**j
                for i in range(d + 1)
                for j in range(d + 1 - i)
            )
            for d in degrees
        ],
        (x, y),
    )
    found = common_roots(equations)
    assert degrees[0] * degrees[1] == sum(one.factor.degree() for one in found)
    for one in found:
        assert all(value_at(p, one.coordinates, one.factor) == fmpq_poly([0]) for p in equations)


def test_compositions_have_a_largest_degree():
    square = polynomials([x**2 + y, y], (x, y))
    assert square[0].context().gens()[0] ** 4 == composed(composed(square, square), polynomials([x, 0], (x, y)))[0]
    with pytest.raises(UnknownError, match="a degree above 128"):
        composed(polynomials([x**12], [x]), polynomials([x**11], [x]))

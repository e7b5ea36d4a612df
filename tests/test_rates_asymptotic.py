"""Asymptotic rates: largest moduli of roots, minimal polynomials of errors, and what runs show of them."""

from __future__ import annotations

import random

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import fmpq, fmpq_mat, fmpq_poly
from hypothesis import given
from hypothesis import strategies as st
from matrix_strategies import rationals

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.errors import InputError, NumberError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.rates.asymptotic import (
    LinearErrors,
    affine_errors,
    exact_errors,
    excited_rate,
    minimal_polynomial,
    powers,
)
from piggycheck.rates.limit import limit_of
from piggycheck.rates.modulus import largest_modulus, pair_polynomial
from piggycheck.rates.transient import observe

x, y, theta = sp.symbols("x y theta", real=True)


def poly(*coefficients):
    return fmpq_poly([fmpq(c) if isinstance(c, int) else c for c in coefficients])


def modulus(*coefficients):
    return largest_modulus(poly(*coefficients)).modulus


# -- the largest modulus ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "coefficients, form",
    [
        ((-19, 20), sp.Rational(19, 20)),
        ((19, 20), sp.Rational(19, 20)),
        ((fmpq(3, 4), fmpq(-3, 4), 1), sp.sqrt(3) / 2),
        ((-1, -1, 1), (1 + sp.sqrt(5)) / 2),
        ((-1, 1, 1), (1 + sp.sqrt(5)) / 2),
        ((1, 0, 1), sp.Integer(1)),
        ((1, 1, 1, 1, 1), sp.Integer(1)),
        ((2, 0, 0, 0, 1), sp.root(2, 4)),
        ((-6, 1, 1), sp.Integer(3)),
        ((0, 0, 1), sp.Integer(0)),
        ((5,), sp.Integer(0)),
    ],
)
def test_moduli_that_are_known(coefficients, form):
    found = modulus(*coefficients)
    assert found.equals(form)
    assert (abs(sp.N(form, 20) - sp.Float(found.decimals(18), 20)) < 1e-16) is sp.true
    if sp.degree(sp.minimal_polynomial(form, x), x) <= 2:
        assert sp.simplify(found.closed_form - form) == 0


def test_no_other_number_equals_it():
    found = modulus(fmpq(3, 4), fmpq(-3, 4), 1)
    near = sp.Rational(int(found.narrowed(40).lower.p), int(found.narrowed(40).lower.q))
    for other in (near, sp.Rational(866, 1000), -sp.sqrt(3) / 2, sp.sqrt(3) / 2 + sp.Rational(1, 10**60), sp.exp(-1)):
        assert not found.equals(other)


def test_a_conjugate_root_of_the_same_polynomial_is_another_number():
    golden = modulus(-1, -1, 1)
    assert golden.equals((1 + sp.sqrt(5)) / 2)
    assert not golden.equals((sp.sqrt(5) - 1) / 2)


@pytest.mark.parametrize("size", range(2, 8))
@pytest.mark.parametrize("seed", range(4))
def test_random_matrices_have_the_spectral_radius_that_numerics_give(size, seed):
    entries = random.Random(100 * size + seed)
    rows = [[fmpq(entries.randint(-9, 9), entries.randint(1, 6)) for _ in range(size)] for _ in range(size)]
    found = largest_modulus(fmpq_mat(rows).charpoly()).modulus
    with mpmath.workdps(50):
        A = mpmath.matrix([[mpmath.mpf(int(c.p)) / int(c.q) for c in row] for row in rows])
        radius = max(abs(value) for value in mpmath.eig(A, left=False, right=False))
        assert abs(mpmath.mpf(found.decimals(30)) - radius) < mpmath.mpf(10) ** -20
    low, high = (float(end) for end in (found.lower, found.upper))
    assert low - 1e-8 <= radius <= high + 1e-8


@given(st.lists(rationals(), min_size=1, max_size=4))
def test_real_roots_have_the_largest_absolute_value_as_modulus(roots):
    product = fmpq_poly([1])
    for root in roots:
        product *= fmpq_poly([-root, 1])
    assert largest_modulus(product).modulus.lower == max(map(abs, roots))


def test_equal_moduli_of_different_factors_are_seen():
    found = largest_modulus(poly(fmpq(3, 4), fmpq(-3, 4), 1) * poly(fmpq(-3, 4), 0, 1) * poly(-1, 2))
    assert found.modulus.equals(sp.sqrt(3) / 2)
    assert {str(g) for g in found.dominant} == {"4*x^2 + (-3)*x + 3", "4*x^2 + (-3)"}


def test_moduli_that_differ_by_very_little_are_told_apart():
    little = fmpq(1, 10**60)
    found = largest_modulus(poly(-2, 0, 1) * poly(-2 - little, 0, 1))
    assert (1,) == (len(found.dominant),)
    assert found.modulus.lower**2 > 2


def test_the_bounds_separate_the_modulus():
    """Between their squares lies one of the products of two roots, and none above."""
    g = poly(5, 3, 0, 7)
    found = largest_modulus(g * poly(-1, 2))
    pairs = pair_polynomial(g)
    low, high = found.modulus.lower**2, found.modulus.upper**2
    assert pairs(low) * pairs(high) < 0
    roots = [float(root.real.mid()) for root, _ in pairs.complex_roots() if root.imag.is_zero()]
    assert sum(root > float(low) - 1e-12 for root in roots) == 1


@pytest.mark.parametrize("roots", [(2, 3), (1, -4, 2)])
def test_the_products_of_real_roots_are_their_squares(roots):
    product = fmpq_poly([1])
    for root in roots:
        product *= fmpq_poly([-root, 1])
    assert sorted(root**2 for root in roots) == sorted(root for root, _ in pair_polynomial(product).roots())


def test_products_of_complex_roots():
    """The roots 1 + i, 1 - i and 3 have six products."""
    pairs = pair_polynomial(poly(2, -2, 1) * poly(-3, 1))
    expected = [(1 + 1j) ** 2, (1 - 1j) ** 2, 9, 2, 3 * (1 + 1j), 3 * (1 - 1j)]
    assert np.allclose(np.poly(expected)[::-1], [float(c) for c in pairs.coeffs()])


def test_a_zero_polynomial_is_refused():
    with pytest.raises(NumberError, match="the polynomial is zero"):
        largest_modulus(fmpq_poly([]))


def test_complex_roots_of_large_degree_are_given_up():
    with pytest.raises(UnknownError, match="degree 17 has complex roots"):
        largest_modulus(poly(-1, -1, *[0] * 15, 1))


# -- errors that obey a recursion -----------------------------------------------------------------------------------


def test_the_minimal_polynomial_of_powers_is_that_of_the_matrix():
    A = fmpq_mat([[2, 1, 0], [0, 2, 0], [0, 0, 2]])
    assert minimal_polynomial(powers(A).terms, 3) == poly(4, -4, 1)


@pytest.mark.parametrize("start, rate", [((1, 0), "1/2"), ((0, 1), "19/20"), ((1, 1), "19/20"), ((0, 0), "0")])
def test_only_excited_eigenvalues_count(start, rate):
    A = fmpq_mat([[fmpq(1, 2), 0], [0, fmpq(19, 20)]])
    found = excited_rate(affine_errors(A, 0, fmpq_mat([[c] for c in start])))
    assert str(found.largest.modulus) == rate


def test_a_nilpotent_part_delays_and_does_not_count():
    A = fmpq_mat([[0, 1, 0], [0, 0, 0], [0, 0, fmpq(1, 3)]])
    found = excited_rate(affine_errors(A, 5, fmpq_mat([[1], [1], [1]])))
    assert (7, "1/3") == (found.iteration, str(found.largest.modulus))
    found = excited_rate(affine_errors(A, 5, fmpq_mat([[1], [1], [0]])))
    assert (7, poly(1), "0") == (found.iteration, found.annihilator, str(found.largest.modulus))


def test_a_repeated_eigenvalue_gives_a_power_of_k():
    A = fmpq_mat([[fmpq(1, 2), 1, 0], [0, fmpq(1, 2), 1], [0, 0, fmpq(1, 2)]])
    found = excited_rate(affine_errors(A, 0, fmpq_mat([[0], [0], [1]])))
    assert ("1/2", 2, 3) == (str(found.largest.modulus), found.power, found.leading)
    assert 0 == excited_rate(affine_errors(A, 0, fmpq_mat([[1], [0], [0]]))).power


def test_leading_roots_are_counted():
    A = fmpq_mat([[0, 1, 0], [-1, 0, 0], [0, 0, -1]])
    assert 3 == excited_rate(affine_errors(A, 0, fmpq_mat([[1], [0], [1]]))).leading


def test_iterates_enter_the_errors_of_derivatives_where_B_moves():
    """For ``x <- theta x`` the derivative is ``k theta^(k-1) x_0``: twice the eigenvalue theta."""
    A, L = fmpq_mat([[fmpq(1, 2)]]), fmpq_mat([[1]])
    errors = affine_errors(A, 0, fmpq_mat([[3]]), fmpq_mat([[0]]), [L])
    assert [0, 3, 3, fmpq(9, 4)] == [G[0, 0] for G in errors.terms]
    found = excited_rate(errors)
    assert (poly(fmpq(1, 4), -1, 1), 1) == (found.annihilator, found.power)


def test_columns_may_excite_different_eigenvalues():
    A = fmpq_mat([[fmpq(1, 2), 0], [0, fmpq(1, 3)]])
    G = fmpq_mat([[1, 0], [0, 1]])
    found = excited_rate(affine_errors(A, 0, fmpq_mat([[0], [0]]), G))
    assert poly(-1, 2) * poly(-1, 3) / 6 == found.annihilator


def test_terms_that_obey_no_recursion_are_refused():
    with pytest.raises(InputError, match="obey no linear recursion of order 1"):
        minimal_polynomial([fmpq_mat([[1, 1]]), fmpq_mat([[1, 2]])], 1)
    with pytest.raises(InputError, match="3 terms do not determine a recursion of order 2"):
        excited_rate(LinearErrors(0, (fmpq_mat([[1]]),) * 3, 2))


def test_errors_are_followed_exactly():
    descent = gradient_descent("x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"], start=["3*theta"])
    d, G = exact_errors(limit_of(descent, {"theta": 2}), 3, True)
    assert (fmpq(1, 2), fmpq(1, 4)) == (d[0, 0], G[0, 0])


def test_iterates_that_meet_a_kink_have_no_single_derivative():
    ball = Iteration(SymbolicMap([x], [sp.Max(x, 0) / 2 + theta + sp.Min(x, 0) / 3], [theta]), [sp.Integer(0)])
    with pytest.raises(UnknownError, match="at iterate 0 pieces with different Jacobian pairs meet, where `x` is 0"):
        exact_errors(limit_of(ball, {"theta": 1}), 1, True)


# -- what runs show -------------------------------------------------------------------------------------------------


def seen(iteration, at, quantity, form, leading):
    return observe(limit_of(iteration, at), quantity, modulus_of(form), leading)


def modulus_of(form):
    minimal = sp.Poly(sp.minimal_polynomial(form, x), x).all_coeffs()
    return largest_modulus(fmpq_poly([int(c) for c in reversed(minimal)])).modulus


DESCENT = gradient_descent("x**2/2 + y**2/20 - theta*x", ["x", "y"], "1/2", parameters=["theta"], start=["theta", 1])
BALL = heavy_ball("x**2/2 - theta*x", ["x"], 1, "3/4", parameters=["theta"], start=[0])
KINKED = heavy_ball(
    "Piecewise((x**2/2, x >= 0), (x**2/8, True)) - theta*x", ["x"], 1, "3/4", parameters=["theta"], start=[-3]
)


@pytest.mark.parametrize("iteration", [BALL, KINKED])
@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_a_run_shows_the_rate_of_a_conjugate_pair_to_hundreds_of_digits(iteration, quantity):
    found = seen(iteration, {"theta": 1}, quantity, sp.sqrt(3) / 2, 2)
    assert found.digits > 500
    assert str(sp.N(sp.sqrt(3) / 2, 42))[:38] == found.observed[:38]


def test_the_digits_claimed_are_right():
    """One eigenvalue decays against the other one by the factor (1/2) / (19/20) in each step."""
    start = gradient_descent("x**2/2 + y**2/20", ["x", "y"], "1/2", start=[10**30, 1])
    found = seen(start, {}, "iterates", sp.Rational(19, 20), 1)
    agree = -mpmath.log10(abs(mpmath.mpf(found.observed) / mpmath.mpf("0.95") - 1)) if found.digits < 40 else 40
    assert agree >= min(found.digits, 40)
    assert found.digits > 400


def test_another_rate_is_not_seen():
    found = seen(DESCENT, {"theta": 1}, "iterates", sp.Rational(94, 100), 1)
    assert found.digits <= 2
    assert found.observed.startswith("0.95")


def test_identification_and_the_error_before_it():
    """The iterates of the kinked ball begin on the other side; the walk is checked against exact steps."""
    from piggycheck.piggyback import identification, propagate

    found = seen(KINKED, {"theta": 1}, "derivatives", sp.sqrt(3) / 2, 2)
    assert identification(KINKED, 60, {"theta": 1}) == found.identified == 7
    errors = [max(abs(c - 1) for c in step.J.centre.entries()) for step in propagate(KINKED, 6, {"theta": 1})]
    assert (errors.index(max(errors)), fmpq(3, 2)) == (found.largest[0], max(errors))
    assert "1.500000" == found.largest[1]


def test_one_per_cent_is_counted_from_the_last_time_outside():
    found = seen(BALL, {"theta": 1}, "iterates", sp.sqrt(3) / 2, 2)
    errors, u, v = [], fmpq(-1), fmpq(-1)
    for _ in range(400):
        errors.append(float(max(abs(u), abs(v))))
        u, v = fmpq(3, 4) * (u - v), u
    outside = [k for k in range(1, 400) if not 0.99 < errors[k] ** (1 / k) / 0.75**0.5 < 1.01]
    assert ("root", outside[-1] + 1) == (found.by, found.within)


def test_the_quotient_settles_when_one_eigenvalue_leads():
    start = gradient_descent("x**2/2 + y**2/20", ["x", "y"], "1/2", start=[1000, 1])
    found = seen(start, {}, "iterates", sp.Rational(19, 20), 1)
    errors = [max(1000 * 0.5**k, 0.95**k) for k in range(40)]
    outside = [k for k in range(39) if not 0.99 < errors[k + 1] / errors[k] / 0.95 < 1.01]
    assert ("quotient", outside[-1] + 1) == (found.by, found.within)


def test_derivative_errors_may_grow_first():
    """``k theta^(k-1)`` at theta = 19/20 is largest for k = 19 and k = 20."""
    slow = Iteration(SymbolicMap([x], [theta * x], [theta]), [sp.Integer(1)])
    found = seen(slow, {"theta": "19/20"}, "derivatives", sp.Rational(19, 20), 2)
    assert found.peak[0] in (19, 20)
    assert found.digits > 500


def test_curved_pieces_before_the_limit_are_followed_in_balls():
    bowl = sp.Piecewise((x / 2, x <= 1), (x**2 / 2, True))
    found = seen(Iteration(SymbolicMap([x], [bowl]), [sp.Rational(3, 2)]), {}, "iterates", sp.Rational(1, 2), 1)
    assert (2, "0.5000") == (found.identified, found.observed[:6])


def test_an_error_that_vanishes_shows_nothing():
    still = gradient_descent("x**2/2", ["x"], 1, start=[5])
    assert seen(still, {}, "iterates", sp.Integer(0), 0) is None

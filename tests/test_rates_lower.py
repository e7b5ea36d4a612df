"""Errors from below, and the order of two rates: against exact sequences that are followed here."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.algorithms import gradient_descent
from piggycheck.arithmetic import bounds
from piggycheck.errors import UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.rates.bounds import read_bound
from piggycheck.rates.errors import ErrorSequence
from piggycheck.rates.floor import Floor
from piggycheck.rates.limit import limit_of
from piggycheck.rates.lower import Lower, common_left_eigenvectors
from piggycheck.rates.modulus import largest_modulus
from piggycheck.rates.order import ordered
from piggycheck.rates.pieces import affine_piece

x, y, theta = sp.symbols("x y theta", real=True)


def modulus(*coefficients):
    return largest_modulus(fmpq_poly(list(coefficients))).modulus


# -- the order of two numbers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "one, other, order",
    [
        ((-1, 2), (-2, 3), -1),
        ((-2, 0, 1), (-7, 5), 1),
        ((-2, 0, 1), (-3, 2), -1),
        ((-2, 0, 1), (-2, 0, 1), 0),
        ((-2, 0, 1), (2, 0, 1), 0),
        ((-1, -1, 1), (-1, 1, 1), 0),
        ((-1, -3, 1), (-1, -1, 1), 1),
    ],
    ids=["halves", "root-above", "root-below", "same", "conjugate-pair", "golden", "larger-root"],
)
def test_the_order_of_two_algebraic_numbers(one, other, order):
    """sqrt(2) = 1.414...; the largest moduli of l^2 - l - 1 and of l^2 + l - 1 are both the golden ratio."""
    assert order == ordered(modulus(*one), modulus(*other))[0]
    assert -order == ordered(modulus(*other), modulus(*one))[0]


def test_numbers_that_are_close_are_narrowed_until_they_are_apart():
    near = fmpq(14142135623730950488016887242096980785696, 10**40)
    order, one, other = ordered(modulus(-2, 0, 1), modulus(-near, 1))
    assert (1, True) == (order, other.upper < one.lower)
    assert one.lower**2 < 2 < one.upper**2


def test_equal_numbers_get_the_same_bounds():
    _, one, other = ordered(modulus(-1, -1, 1), modulus(-1, 1, 1).narrowed(30))
    assert one == other
    assert one.upper - one.lower <= fmpq(1, 10**30)


# -- rows that all pieces multiply ------------------------------------------------------------------------------------


def test_rows_that_two_matrices_share():
    A, B = fmpq_mat([[1, 0], [0, 3]]), fmpq_mat([[5, 4], [0, 3]])
    assert [([0, 1], 3)] == [(list(w.entries()), value) for w, value in common_left_eigenvectors([A, B])]


def test_complex_and_irrational_and_zero_eigenvalues_give_none():
    rotation, growth, shift = fmpq_mat([[0, -1], [1, 0]]), fmpq_mat([[0, 2], [1, 0]]), fmpq_mat([[0, 1], [0, 0]])
    assert [] == [one for A in (rotation, growth, shift) for one in common_left_eigenvectors([A])]


def lower_of(iteration, at, quantity, norm="max", columns=None):
    limit = limit_of(iteration, at)
    sequence = ErrorSequence(limit, quantity, norm, columns)
    return Lower(sequence, [affine_piece(limit, (), sequence.of_derivatives)], 0)


def by_step(start=(1, 1)):
    return gradient_descent("x**2/2 + y**2/20", ["x", "y"], "s", parameters=["s"], start=list(start))


def test_iterates_of_a_quadratic_from_below():
    """``y_k = (19/20)^k`` and ``x_k = 2^-k`` with the step 1/2."""
    lower = lower_of(by_step(), {"s": "1/2"}, "iterates")
    found = {tail.seen.eigenvalue: (tail.constant, tail.slope) for tail in lower.exactly(3)}
    assert {fmpq(19, 20): (fmpq(19, 20) ** 3, 0), fmpq(1, 2): (fmpq(1, 8), 0)} == found


@pytest.mark.parametrize("norm", ["max", "frobenius", "spectral"])
def test_derivatives_in_a_step_from_below(norm):
    """``d/ds (1 - s/10)^k = -k/10 (1 - s/10)^(k - 1)``: at k = 4 + n it is (4 + n)/10 (19/20)^3 (19/20)^n."""
    lower = lower_of(by_step(), {"s": "1/2"}, "derivatives", norm)
    tail = next(tail for tail in lower.exactly(4) if tail.seen.eigenvalue == fmpq(19, 20))
    unit = fmpq(19, 20) ** 3 / 10
    assert (4 * unit, unit) == (tail.constant, tail.slope)
    near = next(one for one in lower.at(4) if one.seen == tail.seen)
    for ball, exact in ((near.constant, tail.constant), (near.slope, tail.slope)):
        low, high = bounds(ball)
        assert low <= exact <= high


def test_every_lower_tail_is_below_the_errors():
    """A dense symmetric matrix with rational eigenvalues, followed here in fractions."""
    following = [x - (5 * x + 3 * y) / 16 + theta, y - (3 * x + 5 * y) / 16]
    iteration = Iteration(SymbolicMap([x, y], following, [theta]), [theta, sp.Integer(3)])
    lower = lower_of(iteration, {"theta": 1}, "iterates")
    fixed = Fraction(5), Fraction(-3)
    state, errors = (Fraction(1), Fraction(3)), []
    for _ in range(30):
        errors.append(max(abs(a - b) for a, b in zip(state, fixed, strict=True)))
        u, v = state
        state = u - (5 * u + 3 * v) / 16 + 1, v - (3 * u + 5 * v) / 16
    assert 2 == len(lower.exactly(2))
    for tail in lower.exactly(2):
        size = abs(Fraction(str(tail.seen.eigenvalue)))
        assert all(errors[2 + n] >= Fraction(str(tail.constant)) * size**n for n in range(28))


def test_terms_of_different_signs_give_no_tail():
    """From x_0 = s the derivatives are (k + 1) (s/2)^k; from 2 - s they are (k - 1) 2^-k at s = 1, with a zero."""
    s = sp.Symbol("s", real=True)
    for start, expected in ((s, 1), (2 - s, 0)):
        iteration = Iteration(SymbolicMap([x], [s * x / 2], [s]), [start])
        assert expected == len(lower_of(iteration, {"s": 1}, "derivatives").exactly(0))


def test_irrational_pieces_are_refused():
    iteration = Iteration(SymbolicMap([x], [x / sp.sqrt(2)]), [sp.Integer(1)])
    with pytest.raises(UnknownError, match="a piece is irrational"):
        lower_of(iteration, {}, "iterates")


# -- sums of terms ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text, rate", [("3*(1/2)**k - (1/8)**k", "1/4"), ("k*(1/2)**k", "1/3"), ("1 + k**2*(2/5)**k", "2/5")]
)
@pytest.mark.parametrize("start", [1, 3])
def test_sums_are_below_the_bound(text, rate, start):
    bound, g = read_bound(text), fmpq(*map(int, rate.split("/")))
    first, second = Floor.of(bound).exactly(start, g)
    assert first == bound.rational(start)
    for n in range(12):
        assert bound.rational(start + n) >= (first + second * n) * g**n


def test_a_negative_term_that_is_too_slow_leaves_it_open():
    assert Floor.of(read_bound("3*(1/2)**k - (1/3)**k")).exactly(0, fmpq(1, 4)) is None

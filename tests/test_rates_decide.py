"""Comparing errors with bounds: the first violation wherever it is, equalities, margins, constants; and for every k."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from flint import fmpq, fmpq_mat
from rates_reference import fmpq_of

from piggycheck.algorithms import gradient_descent
from piggycheck.errors import InputError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.linalg import identity, is_positive_semidefinite
from piggycheck.maps import SymbolicMap
from piggycheck.rates import (
    ErrorSequence,
    compare_with_bound,
    find_tail,
    limit_of,
    read_bound,
    smallest_constant,
    smallest_rate,
)
from piggycheck.rates.pieces import affine_piece
from piggycheck.rates.tail import norm_weight, row_sum, slowest_ratio
from piggycheck.stability import WordTree

x, y, theta = sp.symbols("x y theta", real=True)
DIAGONAL = gradient_descent(
    "x**2/2 + y**2/20 - theta*x - theta*y", ["x", "y"], "1/2", parameters=["theta"], start=["theta**2", "3*theta"]
)
BLOCK = Iteration(SymbolicMap([x, y], [sp.Rational(9, 10) * x + y, sp.Rational(9, 10) * y]), start=[0, 1])


def diagonal(quantity="derivatives", norm="max"):
    return ErrorSequence(limit_of(DIAGONAL, {"theta": 1}), quantity, norm)


def block(norm="max"):
    return ErrorSequence(limit_of(BLOCK), "iterates", norm)


def compared(sequence, bound, upto):
    found = compare_with_bound(sequence, read_bound(bound), upto)
    assert found.reason == ""
    return found.proved_upto, found.violation


def test_a_bound_that_is_false_only_at_7000_by_a_relative_1e_30_is_refuted_there():
    scale = "Piecewise((8, k < 7000), (7*(1 - 1/10**30), k <= 7000), (8, True))"
    assert (6999, 7000) == compared(diagonal(), f"{scale}*(19/20)**k", 10_000)


def test_a_bound_with_a_margin_of_1e_30_holds():
    assert (10_000, None) == compared(diagonal(), "7*(1 + 1/10**30)*(19/20)**k", 10_000)


def test_a_bound_that_is_attained_at_every_k_holds():
    for quantity, norm in (
        ("derivatives", "max"),
        ("iterates", "max"),
        ("iterates", "frobenius"),
        ("iterates", "spectral"),
    ):
        found = compare_with_bound(diagonal(quantity, norm), read_bound("7*(19/20)**k"), 1000)
        assert (1000, None) == (found.proved_upto, found.violation)
        assert found.equalities > 500


def test_squares_are_compared_where_the_bound_is_irrational():
    """|(3, 4) 2^-k| = 5 2^-k; the bound sqrt(25) 2^-k by another name, and an irrational constant that is attained."""
    start = Iteration(SymbolicMap([x, y], [x / 2, y / 2]), start=[1, 2])
    sequence = ErrorSequence(limit_of(start), "iterates", "frobenius")
    assert (300, None) == compared(sequence, "sqrt(5)*(1/2)**k", 300)
    assert (-1, 0) == compared(sequence, "sqrt(5)*(1/2)**k*(1 - 1/10**40)", 300)
    rotation = Iteration(SymbolicMap([x, y], [(x - y) / 2, (x + y) / 2]), start=[1, 0])
    sequence = ErrorSequence(limit_of(rotation), "iterates", "frobenius")
    assert (200, None) == compared(sequence, "(sqrt(2)/2)**k", 200)


def test_the_spectral_norm_of_a_matrix_is_compared_exactly():
    """J_k - Jbar = 2^-k [[3, 0], [4, 5]], of spectral norm sqrt(45) 2^-k."""
    a, b = sp.symbols("a b", real=True)
    iteration = Iteration(SymbolicMap([x, y], [x / 2, y / 2], [a, b]), start=[3 * a, 4 * a + 5 * b])
    sequence = ErrorSequence(limit_of(iteration, {a: 0, b: 0}), "derivatives", "spectral")
    assert (40, None) == compared(sequence, "sqrt(45)*(1/2)**k", 40)
    assert (-1, 0) == compared(sequence, "(sqrt(45) - 1/10**50)*(1/2)**k", 40)


def test_a_jordan_block_attains_k_times_a_power():
    """The maximum of k r^(k-1) and r^k: the first from k = 1 on."""
    assert (400, None) == compared(block(), "k*(9/10)**(k - 1) + Piecewise((1, k < 1), (0, True))", 400)
    assert (-1, 0) == compared(block(), "k*(9/10)**(k - 1)", 400)
    assert (49, 50) == compared(block(), "50*(9/10)**(k - 1) - Piecewise((0, k < 50), (1/10**30, True))", 400)


def test_the_precision_is_raised_only_so_far():
    found = compare_with_bound(block("frobenius"), read_bound("exp(log(2)*k)*1000"), 30, most_bits=256)
    assert 30 == found.proved_upto
    irrational = Iteration(SymbolicMap([x], [x * sp.sqrt(2) / 2]), start=[sp.sqrt(2)])
    found = compare_with_bound(
        ErrorSequence(limit_of(irrational)), read_bound("sqrt(2)*(sqrt(2)/2)**k"), 5, most_bits=512
    )
    assert (-1, None) == (found.proved_upto, found.violation)
    assert "the precision was 512 bits" in found.reason


def test_a_negative_bound_is_refused_wherever_it_is():
    with pytest.raises(InputError, match="it is negative at k = 901"):
        compare_with_bound(diagonal(), read_bound("900 - k"), 1000)


# -- constants ------------------------------------------------------------------------------------------------------


def test_the_smallest_constant_of_a_jordan_block():
    """k r^(k-1)/q^k with r = 9/10, q = 19/20 is largest where k/(k-1) passes q/r = 19/18: at k = 18 and 19."""
    found = smallest_constant(BLOCK, "19/20", quantity="iterates", upto=500)
    true = max(k * Fraction(9, 10) ** (k - 1) / Fraction(19, 20) ** k for k in range(1, 500))
    assert found.lower <= fmpq_of(true) <= found.upper
    assert found.upper - found.lower <= fmpq_of(true) / 2**60
    assert found.k in (18, 19)


def test_the_smallest_constant_of_a_diagonal_quadratic_is_exact():
    found = smallest_constant(DIAGONAL, "19/20", {"theta": 1}, upto=300)
    assert found.lower <= 7 <= found.upper
    assert found.upper - found.lower < fmpq(1, 2**60)


def test_the_smallest_rate_for_a_constant():
    """7 r^k <= 14 q^k for k <= 10: q = r 2^(-1/10)."""
    found = smallest_rate(DIAGONAL, 14, {"theta": 1}, upto=10)
    assert found.lower**10 <= fmpq(19, 20) ** 10 / 2 <= found.upper**10
    assert 10 == found.k


def test_constants_below_the_first_error_are_refused():
    with pytest.raises(InputError) as caught:
        smallest_rate(DIAGONAL, "6", {"theta": 1})
    assert "constant: `6` is below the error at k = 0, about 7.00000; write a larger one" == str(caught.value)
    assert smallest_rate(DIAGONAL, 7, {"theta": 1}, upto=50).upper >= fmpq(19, 20)
    for arguments, message in (
        ((0,), "constant: `0` is not positive; write a positive number"),
        (("-1",), "constant: `-1` is not positive; write a positive number"),
    ):
        with pytest.raises(InputError) as caught:
            smallest_rate(DIAGONAL, *arguments, {"theta": 1})
        assert message == str(caught.value)


# -- for every k ----------------------------------------------------------------------------------------------------


def tree(P, rate):
    return WordTree(P, rate, ((0,),), fmpq(1))


def test_the_weight_of_a_norm_is_enough_and_hardly_more():
    P = fmpq_mat([[2, 1], [1, 3]])
    assert fmpq(3, 5) == norm_weight(P, "max")
    w = norm_weight(P, "frobenius")
    assert is_positive_semidefinite(P * w - identity(2))
    assert not is_positive_semidefinite(P * (w * fmpq(999_999, 1_000_000)) - identity(2))


def test_row_sums_are_those_of_all_pieces():
    limit = limit_of(DIAGONAL, {"theta": 1})
    piece = affine_piece(limit, limit.pieces[0].signature, True)
    assert fmpq(19, 20) == row_sum([piece])


def test_a_tail_of_equal_errors_is_found_at_once_and_no_smaller_one():
    sequence = diagonal("iterates")
    rate = fmpq(19, 20)
    found = find_tail(sequence, read_bound("7*(19/20)**k"), tree(identity(2), rate), 0, ())
    assert (0, 7, 0) == (found.start, found.constant, found.slope)
    with pytest.raises(UnknownError, match="not far enough below the bound"):
        find_tail(sequence, read_bound("69/10*(19/20)**k"), tree(identity(2), rate), 0, ())


def test_a_bound_that_decreases_faster_than_the_rate_is_not_believed():
    with pytest.raises(UnknownError, match="the bound decreases faster than the certified rate 19/20"):
        find_tail(diagonal("iterates"), read_bound("10**9*(9/10)**k"), tree(identity(2), fmpq(19, 20)), 0, ())
    with pytest.raises(UnknownError, match="a sum of terms"):
        find_tail(diagonal("iterates"), read_bound("Max(1, 2**(-k))"), tree(identity(2), fmpq(19, 20)), 0, ())


def test_negative_terms_are_counted():
    """8 r^k - 2^-k is above 7 r^k for every k; 8 r^k - (99/100)^k is not a bound for large k, and not believed."""
    found = find_tail(
        diagonal("iterates"), read_bound("8*(19/20)**k - (1/2)**k"), tree(identity(2), fmpq(19, 20)), 0, ()
    )
    assert 0 == found.start
    with pytest.raises(UnknownError):
        find_tail(
            diagonal("iterates"), read_bound("8*(19/20)**k - (99/100)**k"), tree(identity(2), fmpq(19, 20)), 0, ()
        )


def test_the_slowest_ratio_is_that_of_a_positive_term():
    assert sp.Rational(1, 2) == slowest_ratio(read_bound("(1/2)**k - (1/3)**k"))
    assert 1 == slowest_ratio(read_bound("(1/2)**k + k"))
    assert slowest_ratio(read_bound("Max(1, k)")) is None


# -- long ranges ------------------------------------------------------------------------------------------------------


def test_an_irrational_bound_far_above_the_errors_needs_few_digits():
    halving = ErrorSequence(limit_of(gradient_descent("x**2/2", ["x"], "1/2", start=[1])))
    found = compare_with_bound(halving, read_bound("2*exp(-k/2)"), 3000)
    assert (3000, None, 64, 0) == (found.proved_upto, found.violation, found.bits, found.equalities)


def test_an_irrational_bound_close_to_an_exact_error_is_told_apart_in_balls():
    """From k = 40 on the factor is below 1 by less than 10^-60, as sqrt(2) < 3/2."""
    halving = ErrorSequence(limit_of(gradient_descent("x**2/2", ["x"], "1/2", start=[1])))
    found = compare_with_bound(halving, read_bound("(1/2)**k*(1 + (sqrt(2) - 3/2)/10**60*relu(k - 39))"), 100)
    assert (39, 40) == (found.proved_upto, found.violation)


def test_the_comparison_ends_when_the_time_is_over():
    halving = ErrorSequence(limit_of(gradient_descent("x**2/2", ["x"], "1/2", start=[1])))
    found = compare_with_bound(halving, read_bound("2*(1/2)**k"), 10**18, out_of_time=lambda: True)
    assert (-1, None, "the time was over when the bound was read at k = 0") == (
        found.proved_upto,
        found.violation,
        found.reason,
    )
    left = iter([False] * 7)
    found = compare_with_bound(halving, read_bound("2*(1/2)**k"), 50, out_of_time=lambda: next(left, True))
    assert (5, "the time was over at k = 6") == (found.proved_upto, found.reason)


def test_the_bound_is_read_not_far_ahead_of_the_comparison():
    """What 3000 looks at the clock leave time for is compared, however long the range is."""
    halving = ErrorSequence(limit_of(gradient_descent("x**2/2", ["x"], "1/2", start=[1])))
    left = iter([False] * 3000)
    found = compare_with_bound(halving, read_bound("2*(1/2)**k"), 10**18, out_of_time=lambda: next(left, True))
    assert found.violation is None and 2500 < found.proved_upto < 3000


@pytest.mark.parametrize("early", ["2", "1/3"])
def test_a_bound_that_is_negative_late_is_bad_input_whether_it_is_violated_before_or_not(early):
    halving = ErrorSequence(limit_of(gradient_descent("x**2/2", ["x"], "1/2", start=[1])))
    bound = read_bound(f"Piecewise(({early}, k < 1500), (-1, True))")
    with pytest.raises(InputError, match="it is negative at k = 1500"):
        compare_with_bound(halving, bound, 3000)

"""Sequences of errors: against closed forms, fractions and mpmath; ties, kinks and irrational numbers on the way."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import mpmath
import pytest
import sympy as sp
from flint import arb
from hypothesis import given
from hypothesis import strategies as st
from rates_reference import Pieces, contains, largest, two_piece_iteration
from strategies import examples

from piggycheck.algorithms import gradient_descent, heavy_ball, nesterov
from piggycheck.errors import InputError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.rates import ErrorSequence, error_sequence, limit_of
from piggycheck.rates.walk import Walk

x, y, theta = sp.symbols("x y theta", real=True)
HALF = Fraction(1, 2)


def linear(a, start=1):
    return Iteration(SymbolicMap([x], [a * x + theta], [theta]), start=[start])


def fractions(numbers):
    return st.fractions(*numbers, max_denominator=12)


def test_a_scalar_linear_map_has_a_geometric_error():
    """x_k = a^k with xbar = 0, J_k - 1/(1 - a) = -a^k/(1 - a)."""
    a = Fraction(-3, 7)
    iteration = linear(sp.Rational(-3, 7))
    for k, error in enumerate(error_sequence(iteration, {"theta": 0}, upto=60, bits=200)):
        assert contains(error, abs(a) ** k)
    found = error_sequence(iteration, {"theta": 0}, quantity="derivatives", upto=60, bits=200)
    for k, error in enumerate(found):
        assert contains(error, abs(a) ** k / (1 - a))


def test_a_jordan_block_has_errors_like_k_times_a_power():
    """A = [[r, 1], [0, r]]: A^k (0, 1) = (k r^(k-1), r^k)."""
    r = Fraction(9, 10)
    block = Iteration(SymbolicMap([x, y], [sp.Rational(9, 10) * x + y, sp.Rational(9, 10) * y]), start=[0, 1])
    for k, error in enumerate(error_sequence(block, upto=400, bits=128)):
        assert contains(error, max(k * r ** (k - 1), r**k))


def test_a_step_that_depends_on_the_parameter_gives_k_times_a_power():
    """x_k = (1 - s)^k, so dx_k/ds = -k (1 - s)^(k - 1), although the limit 0 does not depend on s."""
    descent = gradient_descent("x**2/2", ["x"], "s", parameters=["s"], start=[1])
    found = error_sequence(descent, {"s": "1/10"}, quantity="derivatives", upto=300)
    r = Fraction(9, 10)
    assert all(contains(error, k * r ** (k - 1)) for k, error in enumerate(found))


def test_gradient_descent_on_a_diagonal_quadratic_agrees_with_the_closed_form():
    """diag(1, 1/10), step 1/2: factors 1/2 and 19/20; start (theta^2, 3 theta) at theta = 1, limit (1, 10)."""
    descent = gradient_descent(
        "x**2/2 + y**2/20 - theta*x - theta*y", ["x", "y"], "1/2", parameters=["theta"], start=["theta**2", "3*theta"]
    )
    r = Fraction(19, 20)
    for norm, first in (("max", 0), ("frobenius", 1), ("spectral", 1)):
        found = error_sequence(descent, {"theta": 1}, quantity="derivatives", norm=norm, upto=200, bits=128)
        for k, error in enumerate(found):
            square = (7 * r**k) ** 2 + first * (HALF**k) ** 2
            middle = error**2 if first else None
            assert contains(middle, square) if first else contains(error, 7 * r**k)


@given(
    st.tuples(fractions((-HALF, HALF)), fractions((-HALF, HALF)), fractions((-HALF, HALF)), fractions((-HALF, HALF))),
    st.tuples(fractions((-HALF, HALF)), fractions((-HALF, HALF))),
    st.tuples(fractions((-2, 2)), fractions((-2, 2))),
    st.tuples(fractions((-1, 1)), fractions((-1, 1))),
    fractions((-1, 1)),
)
@examples(40)
def test_errors_of_two_pieces_agree_with_fractions(matrix, column, start, b, parameter):
    a11, a12, a21, a22 = matrix
    right, left = ([[a11, a12], [a21, a22]], b), ([[column[0], a12], [column[1], a22]], b)
    reference = Pieces(right, left)
    iteration = two_piece_iteration(right, left, [sp.Rational(s) for s in start])
    limit = limit_of(iteration, {"theta": sp.Rational(parameter)})
    try:
        target = [Fraction(int(e.p), int(e.q)) for e in limit.matrix]
    except InputError:
        return  # the pieces at the fixed point have different limits
    fixed = [Fraction(int(c.p), int(c.q)) for c in limit.coordinates]
    expected = reference.errors(start, [0, 0], parameter, fixed, target, 80)
    walks = {bits: iter(Walk(limit, bits, True)) for bits in (256, 700)}
    for k, (point, J) in enumerate(expected):
        for walk in walks.values():
            try:
                found = next(walk)
            except UnknownError:
                return  # a tie
            for fixed_point, true in ((found.x, point), (found.J, J)):
                scale = Fraction(1, 2**fixed_point.scale) if fixed_point.scale >= 0 else 2**-fixed_point.scale
                away = [int(n) * scale - t for n, t in zip(fixed_point.numerators.entries(), true, strict=True)]
                assert largest(away) <= (fixed_point.error + 1) * scale, k


@pytest.mark.parametrize("bits", [64, 200, 1000])
def test_the_bound_on_rounding_is_neither_broken_nor_useless_after_thousands_of_steps(bits):
    """The quadratic heavy ball by exact powers of its matrix."""
    from flint import fmpz_mat

    ball = heavy_ball("x**2/2", ["x"], 1, "3/4", parameters=["theta"], start=["1/3"])
    k = 3000
    found = next(islice(Walk(limit_of(ball, {"theta": 0}), bits, False), k, None)).x
    exact = fmpz_mat([[3, -3], [4, 0]]) ** k * fmpz_mat([[1], [1]])
    unit = Fraction(2) ** -found.scale
    true = [Fraction(int(e), 3 * 4**k) for e in exact.entries()]
    away = largest([int(n) * unit - t for n, t in zip(found.numerators.entries(), true, strict=True)])
    assert away <= (found.error + 1) * unit
    assert found.error * unit <= largest(true) / 2 ** (bits - 8)


@pytest.mark.parametrize("rows", [[[HALF]], [[HALF, 1], [0, HALF]], [[0, HALF], [HALF, 0]]], ids=str)
def test_halving_is_exact_and_keeps_its_digits(rows):
    """Powers of two are moved and not rounded: after thousands of steps as many digits are known as before."""
    state = [x, y][: len(rows)]
    following = [sum(sp.Rational(a) * v for a, v in zip(row, state, strict=True)) for row in rows]
    run = ErrorSequence(limit_of(Iteration(SymbolicMap(state, following), [1] * len(rows)))).run(64)
    largest_entry = 2 * 3000 + 1 if len(rows) == 2 and rows[0][0] else 1
    assert contains(run.error(3000), largest_entry * HALF**3000)
    assert run.error(3000).rel_accuracy_bits() > 60


def test_an_irrational_momentum_agrees_with_mpmath():
    momentum = "(1 - sqrt(1/10))/(1 + sqrt(1/10))"
    method = nesterov("x**2/2 + y**2/20 - x - theta*y", ["x", "y"], 1, momentum, parameters=["theta"], start=[0, 0])
    found = error_sequence(method, {"theta": 1}, upto=150, bits=100)
    with mpmath.workdps(60):
        beta = (1 - mpmath.sqrt(mpmath.mpf(1) / 10)) / (1 + mpmath.sqrt(mpmath.mpf(1) / 10))
        h = [mpmath.mpf(1), mpmath.mpf(1) / 10]
        now, before = [mpmath.mpf(0)] * 2, [mpmath.mpf(0)] * 2
        for error in found:
            limits = [mpmath.mpf(1), mpmath.mpf(10)]
            own = max(abs(v - c) for v, c in zip([*now, *before], limits * 2, strict=True))
            assert abs(mpmath.mpf(error.str(40, radius=False)) - own) < own * mpmath.mpf(10) ** -28
            ahead = [a + beta * (a - b) for a, b in zip(now, before, strict=True)]
            now, before = [a - (c * a - 1) for a, c in zip(ahead, h, strict=True)], now


def test_newtons_method_is_followed_in_balls_and_is_exact_at_the_start():
    newton = Iteration(SymbolicMap([x], [(x + theta / x) / 2], [theta]), start=[3])
    found = error_sequence(newton, {"theta": 4}, upto=6, bits=100)
    value = Fraction(3)
    for error in found:
        assert contains(error, value - 2)
        value = (value + 4 / value) / 2
    derivatives = error_sequence(newton, {"theta": 4}, quantity="derivatives", upto=6, bits=64)
    assert contains(derivatives[0], Fraction(1, 4))  # J_0 = 0, and d sqrt(theta) = 1/4


def test_iterates_that_arrive_have_errors_that_are_exactly_zero():
    nilpotent = Iteration(SymbolicMap([x, y], [y, sp.Integer(0) * x]), start=["1/3", "2/7"])
    found = error_sequence(nilpotent, upto=5)
    assert all(error == 0 and error.is_exact() for error in found[2:])


def test_the_norms_of_a_matrix_of_two_columns():
    """J_0 - Jbar = [[3, 0], [4, 5]]: max 5, Frobenius sqrt(50), spectral sqrt(45)."""
    a, b = sp.symbols("a b", real=True)
    iteration = Iteration(SymbolicMap([x, y], [x / 2, y / 3], [a, b]), start=[3 * a, 4 * a + 5 * b])
    for norm, square in (("max", 25), ("frobenius", 50), ("spectral", 45)):
        (error,) = error_sequence(iteration, {a: 0, b: 0}, quantity="derivatives", norm=norm, upto=0, bits=150)
        assert contains(error**2, square)


def test_the_spectral_norm_of_three_columns():
    names = sp.symbols("a b c", real=True)
    z = sp.Symbol("z", real=True)
    start = [2 * names[0], 2 * names[1] + names[2], names[1] + 2 * names[2]]
    iteration = Iteration(SymbolicMap([x, y, z], [x / 2, y / 2, z / 2], names), start=start)
    at = dict.fromkeys(names, 0)
    (error,) = error_sequence(iteration, at, quantity="derivatives", norm="spectral", upto=0, bits=60)
    assert contains(error, 3)


def test_a_tie_with_different_derivatives_is_not_decided_and_names_step_and_guard():
    f = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
    ball = heavy_ball(f, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])
    with pytest.raises(UnknownError, match="step 1: the guard `x` ties, and the pieces there have different"):
        error_sequence(ball, {"theta": 1}, quantity="derivatives")
    kink = Iteration(
        SymbolicMap([x], [sp.Piecewise((x / 2, x <= 1), (x - sp.Rational(1, 2), True))], [theta]), start=[1]
    )
    with pytest.raises(UnknownError, match="step 0: the guard `x - 1` ties, and the pieces there have different"):
        error_sequence(kink, {"theta": 0}, quantity="derivatives")
    assert contains(error_sequence(kink, {"theta": 0}, upto=1)[1], HALF)


def test_ties_that_do_not_matter_are_passed():
    """At x = 1 the guard ties, but both branches have the same derivatives there."""
    same = Iteration(
        SymbolicMap([x], [sp.Piecewise((x / 2, x <= 1), (x / 2 + (x - 1) ** 2, True))], [theta]), start=[1]
    )
    assert all(contains(e, HALF**k) for k, e in enumerate(error_sequence(same, {"theta": 0}, upto=20)))
    assert all(e == 0 for e in error_sequence(same, {"theta": 0}, quantity="derivatives", upto=20))


@pytest.mark.parametrize(
    "value, errors",
    [
        (sp.Piecewise((x / 2, x > 1), (x / 4, True)), [2, 1, HALF**2, HALF**4]),
        (sp.Piecewise((x / 4, x < 1), (x / 2, x > 1), (x / 8, True)), [2, 1, HALF**3, HALF**5]),
        (sp.Piecewise((x / 2, x > 1), (0, True)), [2, 1, 0, 0]),
    ],
    ids=["the lower branch", "a branch of its own", "the fixed point"],
)
def test_a_map_that_jumps_takes_its_own_value_where_the_guard_vanishes(value, errors):
    """The iterates are 2, 1, and then what the map says at 1, not what a neighbouring piece would give."""
    jump = Iteration(SymbolicMap([x], [value], [theta]), start=[2])
    assert all(contains(e, exact) for e, exact in zip(error_sequence(jump, {"theta": 0}, upto=3), errors, strict=True))
    with pytest.raises(UnknownError, match="step 1: the map jumps there, and has no derivative"):
        error_sequence(jump, {"theta": 0}, quantity="derivatives")


def test_a_guard_that_vanishes_at_these_parameters_hides_no_other_guard():
    """With theta = 0 the maximum is of x and x; below 1 the map divides by 4."""
    always = sp.Max(x, x + theta) * sp.Piecewise((sp.Rational(1, 2), x >= 1), (sp.Rational(1, 4), True))
    found = error_sequence(Iteration(SymbolicMap([x], [always], [theta]), start=[4]), {"theta": 0}, upto=200)
    assert all(contains(e, 4 * HALF**k if k < 3 else HALF ** (2 * k - 5)) for k, e in enumerate(found))


@pytest.mark.parametrize(
    "change, message",
    [
        ({"quantity": "values"}, 'quantity: `values` is not known; write "iterates" or "derivatives"'),
        ({"norm": "euclidean"}, 'norm: `euclidean` is not known; write "max", "frobenius" or "spectral"'),
        ({"upto": -1}, 'upto: `-1` is not a last k; write an integer from 0 on, or "infinity"'),
        ({"upto": "1/2"}, 'upto: `1/2` is not a last k; write an integer from 0 on, or "infinity"'),
        ({"upto": "infinity"}, "upto: a list ends; write an integer from 0 on"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(change, message):
    with pytest.raises(InputError) as caught:
        error_sequence(linear(sp.Rational(1, 2)), {"theta": 0}, **change)
    assert message == str(caught.value)


def test_unknown_limits_are_refused():
    with pytest.raises(InputError, match="the iteration has no start; give one under"):
        limit_of(Iteration(SymbolicMap([x], [x / 2])))
    with pytest.raises(InputError, match="their limit is not known"):
        limit_of(Iteration(SymbolicMap([x], [x + 1]), start=[0]))
    with pytest.raises(InputError, match="I - A is singular at the fixed point"):
        _ = limit_of(Iteration(SymbolicMap([x], [x + theta * 0], [theta]), start=[0]), {"theta": 0}).matrix
    with pytest.raises(InputError, match="the map has no parameters; ask for the iterates"):
        ErrorSequence(limit_of(Iteration(SymbolicMap([x], [x / 2]), start=[1])), "derivatives")


def test_balls_are_as_accurate_as_asked_for():
    for bits in (64, 300, 2000):
        assert all(
            isinstance(e, arb) and e.rel_accuracy_bits() >= bits
            for e in error_sequence(linear(sp.Rational(1, 3)), {"theta": 0}, upto=50, bits=bits)
        )


def test_on_a_line_of_fixed_points_no_limit_is_guessed():
    """The iterates of (x, y/2) from (1, 1) tend to (1, 0), which is one of the fixed points (x, 0)."""
    with pytest.raises(InputError, match="other fixed points near the one that was found are not excluded"):
        limit_of(Iteration(SymbolicMap([x, y], [x, y / 2]), [1, 1]))

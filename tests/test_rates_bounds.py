"""Bounds in k: what is read, what is refused, and their values against fractions."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from rates_reference import contains
from strategies import examples

from piggycheck.errors import InputError
from piggycheck.rates import read_bound
from piggycheck.rates.tail import slowest_ratio


@pytest.mark.parametrize(
    "text, k, value",
    [
        ("2*k*(19/20)**k", 2, "361/100"),
        ("(k + 1)**2*(1/2)**(k + 1)", 3, "1"),
        ("0.5**k", 4, "1/16"),
        ("3", 100, "3"),
        ("2**(-k)*k", 3, "3/8"),
        ("Max(1/10, (1/2)**k)", 5, "1/10"),
        ("Piecewise((10, k < 5), ((1/2)**k, True))", 5, "1/32"),
        ("1/(k + 1)", 3, "1/4"),
        ("4**(k/2)", 3, "8"),
    ],
)
def test_values_are_exact_and_their_balls_contain_them(text, k, value):
    bound = read_bound(text)
    assert sp.Rational(value) == bound.exactly(k)
    assert contains(bound.ball(k, 64), value)
    rational = bound.rational(k)
    assert Fraction(value) == Fraction(int(rational.p), int(rational.q))


def test_squares_of_sums_under_a_root_are_compared_without_factoring():
    square = read_bound("sqrt(9*(1/4)**k + 49*(361/400)**k)").square(1500)
    assert Fraction(int(square.p), int(square.q)) == 9 * Fraction(1, 4) ** 1500 + 49 * Fraction(361, 400) ** 1500


@pytest.mark.parametrize(
    "text", ["(1/2)**k*Piecewise((k, k > 3 and k != 7), (1, k < 2 or k > 5), (2, True))", "Max(1/k, Min(k, 2))**2"]
)
def test_branches_and_extremes_are_rational(text):
    bound = read_bound(text)
    assert bound.is_rational
    for k in range(1, 9):
        assert bound.exactly(k) == sp.Rational(str(bound.rational(k)))


def test_squares_of_roots_are_rational():
    assert read_bound("3*(sqrt(3)/2)**k").square(2) == sp.Rational(81, 16)
    assert read_bound("exp(-k)").square(1) is None
    assert read_bound("sqrt(5)/4*k*(9/10)**k").square(1) == sp.Rational(81, 320)


@given(st.fractions(1, 3, max_denominator=9), st.fractions("1/9", "8/9", max_denominator=9), st.integers(0, 300))
@examples(30)
def test_balls_contain_what_fractions_give(c, r, k):
    bound = read_bound(f"{c}*k*({r})**k + ({r})**(2*k)")
    value = c * k * r**k + r ** (2 * k)
    assert contains(bound.ball(k, 64), value)
    assert contains(bound.ball(k, 512), value)


def test_sums_of_terms_are_taken_apart():
    terms = read_bound("2*k*(19/20)**k + (1/2)**(k + 1)").terms
    assert {(2, 1, sp.Rational(19, 20)), (sp.Rational(1, 2), 0, sp.Rational(1, 2))} == {
        (t.coefficient, t.degree, t.ratio) for t in terms
    }
    assert [(5, 0, sp.exp(sp.Rational(-1, 10)))] == [
        (t.coefficient, t.degree, t.ratio) for t in read_bound("5*exp(-k/10)").terms
    ]
    assert [(3, 0, sp.sqrt(3) / 2)] == [
        (t.coefficient, t.degree, t.ratio) for t in read_bound("3*(sqrt(3)/2)**k").terms
    ]
    for text in ("Max(1, k)", "1/(k + 1)", "sqrt(k)"):
        assert read_bound(text).terms is None


@pytest.mark.parametrize(
    "value, message",
    [
        ("k**k", "bound, line 1, column 1: `k`: only a positive constant can have k as exponent"),
        ("(1/2)**(k**2)", "bound, line 1, column 9: `k**2`: write a rational number times k plus a number, or `exp`"),
        ("(-2)**k", "bound, line 1, column 2: `-2`: only a positive constant can have k as exponent"),
        ("j*2", "bound, line 1, column 1: `j`: an undeclared name; declared are `k`"),
        (0.5, 'bound: the float 0.5 is not exact; write "0.5" (which is 1/2)'),
        (sp.Symbol("j") + 1, "bound: `j + 1` contains ['j']; write an expression in k"),
    ],
)
def test_other_bounds_are_refused_in_one_line(value, message):
    with pytest.raises(InputError) as caught:
        read_bound(value)
    assert message == str(caught.value)


@pytest.mark.parametrize(
    "text, k, message",
    [
        (
            "k - 3",
            1,
            "bound `k - 3`: it is negative at k = 1, about -2.00000; write one that is at least 0 for every k",
        ),
        ("sqrt(k - 3)", 1, "bound `sqrt(k - 3)`: it has no real value at k = 1: the square root of -2.00000"),
        ("1/k", 0, "bound `1/k`: it has no real value at k = 0: division by zero"),
        ("log(k)", 0, "bound `log(k)`: it has no real value at k = 0: the logarithm of 0"),
        (
            "Piecewise((1, k > 3))",
            1,
            "bound `Piecewise((1, k > 3))`: it has no real value at k = 1: no branch of the Piecewise applies; add a "
            "last case with the condition True",
        ),
    ],
)
def test_bounds_that_are_negative_or_not_real_are_refused(text, k, message):
    with pytest.raises(InputError) as caught:
        read_bound(text).require_nonnegative(k)
    assert message == str(caught.value)


def test_zero_is_not_negative():
    for text, k in (("k*(1/2)**k", 0), ("(1/2)**k - 2**(-k)", 7), ("sqrt(2)**(2*k) - 2**k", 5), ("k - 3", 3)):
        read_bound(text).require_nonnegative(k)


def test_ratios_of_terms_are_the_numbers_that_are_written():
    """No closed form that is merely close is put in the place of a fraction with many digits."""
    (term,) = read_bound("3/2*(90941957/100000000)**k").terms
    assert (term.coefficient, term.degree, term.ratio) == (sp.Rational(3, 2), 0, sp.Rational(90941957, 10**8))


@pytest.mark.parametrize(
    "text, exponent",
    [
        ("(1/2)**(k/3)", "-7/3"),
        ("sqrt(sqrt((1/2)**k))", "-7/4"),
        ("sqrt((sqrt(2)/2)**k)", "-7/4"),
        ("sqrt((1/2)**(2*k))", "-7"),
        ("2**(1/3 - k)", "-20/3"),
    ],
)
def test_powers_of_constants_have_any_rational_multiple_of_k_as_exponent(text, exponent):
    with mpmath.workdps(60):
        power = mpmath.mpf(2) ** (mpmath.mpf(sp.Rational(exponent).p) / sp.Rational(exponent).q)
        assert (
            abs(mpmath.mpf(read_bound(text).ball(7, 160).mid().str(45, radius=False)) - power) < mpmath.mpf(10) ** -40
        )


def test_no_term_is_seen_where_a_ratio_is_a_cube_root():
    assert slowest_ratio(read_bound("3*(1/2)**(k/3)")) is None
    assert slowest_ratio(read_bound("3*(1/2)**(k/2)")) is not None

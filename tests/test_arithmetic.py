"""Exact numbers: how they are read, their signs, and the arithmetics against one another."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from flint import arb, fmpq
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples, huge_rationals, rationals

from piggycheck.arithmetic import (
    ALGEBRAIC,
    RATIONAL,
    Balls,
    Mpmath,
    bounds,
    enclosure,
    exact,
    rational,
    read_rational,
    sign,
    to_sympy,
)
from piggycheck.errors import IrrationalError, MapError, NumberError, UnknownError

x = sp.Symbol("x", real=True)


class TestReading:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("3/4", (3, 4)), ("-9/8", (-9, 8)), ("0.1", (1, 10)), (" 2 ", (2, 1)), ("1e-3", (1, 1000)), (".5", (1, 2)),
            ("+7", (7, 1)), ("2.", (2, 1)), ("1 / 2", (1, 2)), ("- 3", (-3, 1)), ("12E2", (1200, 1)), ("6/4", (3, 2)),
        ],
    )  # fmt: skip
    def test_text_means_the_fraction_it_spells(self, text, expected):
        assert fmpq(*expected) == read_rational(text)

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "x",
            "1/",
            "1//2",
            "1/2/3",
            "sqrt(2)",
            "0x10",
            "1_000",
            "nan",
            "inf",
            "--1",
            "1e99999",
            "½",
            "٣",
            "1.5/2",
            "1e",
            "1 2",
        ],
    )
    def test_everything_else_is_refused_in_one_line(self, text):
        with pytest.raises(NumberError, match="number") as caught:
            read_rational(text, "`step`")
        assert "`step`" in str(caught.value) and "\n" not in str(caught.value)

    def test_division_by_zero_and_too_many_digits_are_refused(self):
        with pytest.raises(NumberError, match="divides by zero"):
            read_rational("1/0")
        with pytest.raises(NumberError, match="a number of 4001 characters"):
            read_rational("1" * 4001)
        for text in ("1e4000", "1e-9999", "1" * 3000 + "e1001"):
            with pytest.raises(NumberError, match="more than 4000 digits"):
                read_rational(text)

    def test_many_digits_within_the_limit_are_read(self):
        assert fmpq(10) ** 3999 == read_rational("1" + "0" * 3999) == read_rational("1e3999")

    @examples(60)
    @given(huge_rationals())
    def test_writing_and_reading_give_the_number_back(self, value):
        assert value == read_rational(str(value)) == rational(exact(value)) == rational(to_sympy(value))

    @pytest.mark.parametrize(
        "value", [0.1, 0.5, float("nan"), float("inf"), sp.Float("0.1"), sp.Float(0.5) + sp.sqrt(2)]
    )
    def test_floats_are_refused(self, value):
        with pytest.raises(NumberError, match="write|not a number"):
            exact(value)

    def test_a_refused_float_says_what_to_write(self):
        with pytest.raises(NumberError, match=r'`theta`: the float 0.1 is not exact; write "0.1" \(which is 1/10\)'):
            exact(0.1, "`theta`")

    def test_numpy_floats_are_floats_and_its_integers_are_integers(self):
        import numpy as np

        assert 3 == exact(np.int64(3))
        with pytest.raises(NumberError, match='write "0.5"'):
            exact(np.float64(0.5))
        with pytest.raises(NumberError, match='write "0.5"'):
            exact(np.float32(0.5))

    @pytest.mark.parametrize("value", [True, sp.true, sp.oo, sp.nan, sp.zoo, sp.I, 1j, None, [1], x, x + 1])
    def test_what_is_no_real_number_is_refused(self, value):
        with pytest.raises(NumberError):
            exact(value)

    def test_exact_numbers_of_all_kinds_are_read(self):
        assert (
            sp.Rational(3, 4) == exact(Fraction(3, 4)) == exact(fmpq(3, 4)) == exact("0.75") == exact(sp.Rational(3, 4))
        )
        assert sp.sqrt(2) == exact(sp.sqrt(2))

    def test_only_rationals_are_rational(self):
        assert fmpq(3) == rational((1 + sp.sqrt(2)) ** 2 - 2 * sp.sqrt(2))
        with pytest.raises(IrrationalError):
            rational(sp.sqrt(2))


class TestSigns:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [
            (sp.Integer(0), 0), (sp.Rational(-1, 10**50), -1), (fmpq(1, 3), 1),
            (sp.sqrt(2) - sp.Rational(14142135623730950488016887243, 10**28), -1),
            ((1 + sp.sqrt(2)) ** 2 - 3 - 2 * sp.sqrt(2), 0),
            (sp.sqrt(2) + sp.sqrt(3) - sp.sqrt(5 + 2 * sp.sqrt(6)), 0),
            (sp.exp(1) - sp.Rational(271828182845904523536, 10**20), 1),
            (sp.exp(sp.sqrt(2)) - 4, 1), (sp.log(2) - sp.Rational(7, 10), -1),
            (sp.CRootOf(x**5 - x - 1, 0) - sp.Rational(11673, 10000), 1),
        ],
    )  # fmt: skip
    def test_these_are_decided(self, value, expected):
        assert expected == sign(value)

    def test_a_root_of_its_own_polynomial_is_zero(self):
        root = sp.CRootOf(x**3 + x - 1, 0)
        assert 0 == sign(root**3 + root - 1)

    def test_a_tiny_number_is_not_zero(self):
        assert 1 == sign(sp.exp(-2000))

    def test_a_transcendental_zero_in_disguise_is_unknown_or_zero(self):
        with pytest.raises(UnknownError):
            sign(
                sp.exp(sp.sqrt(2) + 1, evaluate=False)
                - sp.exp(sp.sqrt(2)) * sp.exp(1, evaluate=False)
                + sp.exp(-(10**5)),
                128,
            )


class TestBalls:
    @examples(60)
    @given(rationals(), rationals(), st.integers(20, 200))
    def test_enclosures_contain_the_rational_result(self, a, b, bits):
        expression = (to_sympy(a) + x) ** 2 / (1 + x**2) - x
        expected = (a + b) ** 2 / (1 + b**2) - b
        low, high = bounds(Balls(bits).evaluate(expression, {x: arb(b)}))
        assert low <= expected <= high

    @pytest.mark.parametrize(
        "value", [sp.sqrt(2), sp.pi, sp.E, sp.exp(sp.sqrt(3)), sp.log(5), sp.CRootOf(x**5 - x - 1, 0)]
    )
    def test_enclosures_of_constants_hold_their_digits(self, value):
        low, high = enclosure(value, 200)
        assert low < high < low + fmpq(1, 10**40)
        digits = sp.N(value, 80)
        assert sp.Rational(int(low.p), int(low.q)) < digits < sp.Rational(int(high.p), int(high.q))

    def test_rational_constants_are_points(self):
        assert (fmpq(3, 4), fmpq(3, 4)) == enclosure(sp.Rational(3, 4)) == enclosure(fmpq(3, 4))

    def test_intervals_are_inside_their_balls(self):
        low, high = bounds(Balls(30).between(fmpq(1, 3), fmpq(2, 3)))
        assert low <= fmpq(1, 3) and fmpq(2, 3) <= high

    @pytest.mark.parametrize("expression", [sp.log(x), sp.sqrt(x), 1 / x])
    def test_a_ball_across_the_border_of_the_domain_is_unknown(self, expression):
        with pytest.raises(UnknownError):
            Balls(64).evaluate(expression, {x: arb(0, 1)})

    def test_only_the_exact_zero_has_the_sign_zero(self):
        assert 0 == Balls().sign(arb(0))
        with pytest.raises(UnknownError):
            Balls().sign(arb(0, fmpq(1, 10**30)))


class TestOtherArithmetics:
    def test_rationals_stay_rational_or_say_that_they_do_not(self):
        assert fmpq(2, 3) == RATIONAL.evaluate(sp.sqrt(x), {x: fmpq(4, 9)})
        assert fmpq(1) == RATIONAL.evaluate(sp.exp(x), {x: fmpq(0)})
        assert fmpq(0) == RATIONAL.evaluate(sp.log(x), {x: fmpq(1)})
        for expression in (sp.sqrt(x), sp.exp(x), sp.log(x), sp.pi * x):
            with pytest.raises(IrrationalError):
                RATIONAL.evaluate(expression, {x: fmpq(2)})

    @pytest.mark.parametrize("arithmetic", [RATIONAL, ALGEBRAIC, Mpmath(20)])
    def test_outside_the_domain_is_a_map_error_everywhere(self, arithmetic):
        at = {x: arithmetic.number(sp.Integer(0))}
        for expression, message in (
            (1 / x, "division by zero"),
            (sp.log(x), "logarithm"),
            (sp.sqrt(x - 1), "negative"),
        ):
            with pytest.raises(MapError, match=message):
                arithmetic.evaluate(expression, at)

    def test_algebraic_results_are_in_normal_form(self):
        assert 1 + sp.sqrt(2) == ALGEBRAIC.evaluate(1 / x, {x: sp.sqrt(2) - 1})

    def test_powers_of_sums_come_to_normal_form_too(self):
        inner = 340 - 91 * sp.sqrt(85)
        value = 4 * (3277940 - 877331 * sp.sqrt(85) - 4 * inner**2) ** 2 - 153673884 * inner**2 - sp.sqrt(85)
        assert ALGEBRAIC.normal(value) == sp.expand(value)

    @examples(30)
    @given(rationals())
    def test_mpmath_agrees_with_balls(self, value):
        numbers = Mpmath(40)
        expression = sp.exp(x / 3) + sp.sqrt(x**2 + 1) - sp.log(x**2 + 2)
        balls = Balls(200)
        with balls.precision():
            ball = balls.number(to_sympy(value))
        low, high = bounds(balls.evaluate(expression, {x: ball}))
        rounded = numbers.evaluate(expression, {x: numbers.number(to_sympy(value))})
        middle = numbers.number(to_sympy((low + high) / 2))
        assert abs(rounded - middle) < numbers.context.mpf(10) ** -36

    def test_digits_are_a_positive_integer(self):
        with pytest.raises(NumberError, match="digits"):
            Mpmath(0)

    def test_powers_beyond_square_roots_are_refused_with_what_to_write(self):
        with pytest.raises(MapError, match=r"exp\(1/3\*log\(x\)\)"):
            RATIONAL.evaluate(x ** sp.Rational(1, 3), {x: fmpq(8)})

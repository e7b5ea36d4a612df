"""Numbers made of square roots, against high precision and identities known by hand."""

from __future__ import annotations

import mpmath
import pytest
import sympy as sp
from flint import fmpq

from piggycheck.arithmetic import SURDS, Surd
from piggycheck.errors import IrrationalError, MapError


def surd(text):
    return Surd.of(sp.sympify(text, rational=True))


@pytest.mark.parametrize(
    ("text", "terms"),
    [
        ("0", {}),
        ("3/4", {1: fmpq(3, 4)}),
        ("sqrt(12)", {3: fmpq(2)}),
        ("sqrt(8/9)", {2: fmpq(2, 3)}),
        ("1/(1 + sqrt(2))", {1: fmpq(-1), 2: fmpq(1)}),
        ("(1 - sqrt(1/10))/(1 + sqrt(1/10))", {1: fmpq(11, 9), 10: fmpq(-2, 9)}),
        ("sqrt(6)*sqrt(10)", {15: fmpq(2)}),
        ("sqrt(5 - 2*sqrt(6))", {3: fmpq(1), 2: fmpq(-1)}),
        ("(1 + sqrt(2))**(-2)", {1: fmpq(3), 2: fmpq(-2)}),
        ("1/(sqrt(2) + sqrt(3) + sqrt(5))", {2: fmpq(1, 4), 3: fmpq(1, 6), 30: fmpq(-1, 12)}),
    ],
)
def test_a_number_has_one_form(text, terms):
    assert terms == surd(text).terms


def test_a_difference_that_cancels_is_zero():
    assert not surd("sqrt(2)*sqrt(3) - sqrt(6)")
    assert surd("sqrt(18)") == surd("3*sqrt(2)")
    assert surd("sqrt(2)") != 1


def test_enclosures_hold_the_number_and_signs_are_decided_however_close_to_zero():
    number = surd("sqrt(2)/3 - sqrt(15)*7/11 + sqrt(6)")
    with mpmath.workdps(60):
        exact = mpmath.sqrt(2) / 3 - mpmath.sqrt(15) * 7 / 11 + mpmath.sqrt(6)
        assert str(exact)[:40] == number.enclosure(256).str(50, radius=False)[:40]
    p, q = 1, 1  # continued fraction of sqrt(2)
    for _ in range(200):
        p, q = p + 2 * q, p + q
    assert (1 if p * p > 2 * q * q else -1) == (Surd.of(fmpq(p, q)) - surd("sqrt(2)")).sign


def test_the_product_of_all_conjugates_is_the_norm():
    number = surd("1 + sqrt(2) + sqrt(3)")
    first = number * number.conjugate(2)
    assert -8 == first * first.conjugate(3)  # (1 + sqrt(3))^2 - 2 = 2 + 2 sqrt(3), and 4 - 12


@pytest.mark.parametrize("text", ["exp(-1)", "pi", "2**(1/3)", "sqrt(1 + sqrt(2))", "sqrt(2**300 + 1)", "log(2)"])
def test_other_numbers_are_refused(text):
    with pytest.raises((IrrationalError, MapError)):
        surd(text)


def test_division_by_zero_and_roots_of_negative_numbers_are_refused():
    with pytest.raises(ZeroDivisionError):
        Surd.of(1) / surd("sqrt(2)*sqrt(3) - sqrt(6)")
    with pytest.raises(MapError, match="negative"):
        SURDS.sqrt(Surd.of(-2))

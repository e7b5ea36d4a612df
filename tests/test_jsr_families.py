"""The families whose joint spectral radius is known: proved bounds contain it and are as narrow as they should be."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import pytest
from flint import fmpq
from jsr_families import FAMILIES, family

from piggycheck.stability import Contractive, Expansive, decide, joint_spectral_radius

SECONDS = 60
SMALL = [known for known in FAMILIES if known.system.dimension <= 3 and known.word is not None]
ONES = [known for known in FAMILIES if known.is_one]


def named(known):
    return known.name


def fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def radius_of(known, word):
    """The spectral radius of the product along a word, with 40 digits; a second implementation."""
    with mpmath.workdps(60):
        product = mpmath.eye(known.system.dimension)
        for letter in word:
            A = known.system.A[letter]
            product = mpmath.matrix([[mpmath.mpf(int(x.p)) / int(x.q) for x in row] for row in A.table()]) * product
        return max(abs(value) for value in mpmath.eig(product, left=False, right=False))


def assert_contains(known, bounds):
    """The bounds are proved, and what is known lies between them."""
    lower, upper = bounds.lower, bounds.upper
    assert upper is not None and upper.verify(known.system.A)
    assert lower.rate_lower ** len(lower.word) <= lower.modulus_lower
    reached = radius_of(known, lower.word)
    assert float(fraction(lower.modulus_lower)) <= float(reached) * (1 + 1e-12) + 1e-15
    low, high = known.enclosure
    assert fraction(lower.rate_lower) <= high
    assert fraction(upper.rate) >= low


def assert_width(bounds, width):
    assert bounds.upper.rate <= bounds.lower.rate_lower * (1 + width)


class TestFacts:
    """The stored facts agree with each other."""

    @pytest.mark.parametrize("known", FAMILIES, ids=named)
    def test_the_digits_are_those_of_the_exact_value(self, known):
        low, high = known.enclosure
        assert low <= high
        if known.decimal is not None:
            digits = Fraction(known.decimal)
            last = Fraction(1, 10 ** len(known.decimal.split(".")[1]))
            assert low <= digits + last and digits - last <= high

    @pytest.mark.parametrize("known", [known for known in FAMILIES if known.word is not None], ids=named)
    def test_the_word_has_the_largest_known_rate(self, known):
        rate = radius_of(known, known.word) ** (mpmath.mpf(1) / len(known.word))
        low, high = map(float, known.enclosure)
        assert low * (1 - 1e-12) <= float(rate) <= high * (1 + 1e-12)


@pytest.mark.parametrize("known", FAMILIES, ids=named)
def test_the_proved_bounds_contain_the_known_value(known):
    """To a thousandth, which is the default."""
    bounds = joint_spectral_radius(known.system, time_limit=SECONDS)
    assert_contains(known, bounds)
    assert_width(bounds, fmpq(1, 1000))


@pytest.mark.parametrize("known", SMALL, ids=named)
def test_small_matrices_with_a_known_word_are_sharp(known):
    """To a millionth."""
    bounds = joint_spectral_radius(known.system, tolerance=fmpq(1, 10**6), time_limit=SECONDS)
    assert_contains(known, bounds)
    assert_width(bounds, fmpq(1, 10**6))


@pytest.mark.parametrize("known", ONES, ids=named)
def test_exactly_1_is_at_most_1_and_not_below(known):
    at_most = decide(known.system, fmpq(1))
    assert isinstance(at_most, Contractive)
    assert at_most.proof.rate <= 1 and at_most.proof.verify(known.system.A)
    below = decide(known.system)
    assert isinstance(below, Expansive)
    assert below.modulus_lower >= 1
    assert radius_of(known, below.word) > 1 - 1e-12


@pytest.mark.parametrize("known", SMALL, ids=named)
def test_rates_below_the_known_value_are_refused(known):
    """Asked for a proof of a little less than the rate of the best word, the answer is a word."""
    low = known.enclosure[0]
    rate = fmpq(low.numerator, low.denominator) * fmpq(99999, 100000)
    answer = decide(known.system, rate)
    assert isinstance(answer, Expansive)
    assert answer.modulus_lower > rate ** len(answer.word)


def test_late_growth_is_found():
    """Words of length 7 or less have rate 2; the joint spectral radius lies between 2.36 and 2.37."""
    bounds = joint_spectral_radius(family("late_growth").system, time_limit=SECONDS)
    assert bounds.lower.rate_lower > fmpq(236, 100)
    assert bounds.upper.rate <= fmpq(237, 100)


def test_the_heavy_ball_is_known_to_four_digits():
    bounds = joint_spectral_radius(family("heavy_ball").system, upper=fmpq(10322, 10000), time_limit=SECONDS)
    assert fraction(bounds.lower.rate_lower) >= Fraction("1.03214353")
    assert 11 == len(bounds.lower.word)
    assert bounds.upper.rate <= fmpq(10322, 10000)

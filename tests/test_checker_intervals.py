"""Intervals enclose what other arithmetic finds."""

from __future__ import annotations

from fractions import Fraction

import mpmath
from hypothesis import given, settings
from hypothesis import strategies as st

from piggycheck.checker.intervals import Interval, exponential, logarithm, square_root

rationals = st.fractions(min_value=-9, max_value=9, max_denominator=7)


@settings(deadline=None, max_examples=60)
@given(st.fractions(min_value=Fraction(1, 10**30), max_value=10**30), st.integers(-60, 60))
def test_enclosures_contain_what_mpmath_finds(x: Fraction, shift: int) -> None:
    with mpmath.workprec(600):
        for function, other, at in (
            (square_root, mpmath.sqrt, x * Fraction(2) ** shift),
            (logarithm, mpmath.log, x * Fraction(2) ** shift),
            (exponential, mpmath.exp, Fraction(shift) + x % 1),
        ):
            found, expected = function(at), other(mpmath.mpf(at.numerator) / at.denominator)
            lo, hi = (mpmath.mpf(end.numerator) / end.denominator for end in (found.lo, found.hi))
            assert lo <= expected + abs(expected) * mpmath.mpf(2) ** -590
            assert hi >= expected - abs(expected) * mpmath.mpf(2) ** -590
            assert hi - lo <= mpmath.mpf(2) ** -180 * max(abs(expected), mpmath.mpf(2) ** -20)


@settings(deadline=None)
@given(st.tuples(rationals, rationals, rationals, rationals), st.integers(0, 4), st.fractions(0, 1), st.fractions(0, 1))
def test_interval_arithmetic_encloses(ends: tuple[Fraction, ...], n: int, s: Fraction, t: Fraction) -> None:
    a, b = Interval(min(ends[:2]), max(ends[:2])), Interval(min(ends[2:]), max(ends[2:]))
    x, y = a.lo + s * (a.hi - a.lo), b.lo + t * (b.hi - b.lo)
    for found, value in ((a + b, x + y), (-a, -x), (a - b, x - y), (a * b, x * y), (a.power(n), x**n)):
        assert found.lo <= value <= found.hi
    if not b.lo <= 0 <= b.hi:
        assert b.reciprocal().lo <= 1 / y <= b.reciprocal().hi

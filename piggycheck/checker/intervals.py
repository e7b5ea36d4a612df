"""Numbers: intervals with rational ends, which enclose square roots, exponentials and logarithms."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from math import ceil, factorial, floor, isqrt
from typing import Any, TypeVar

from .reading import Refused

PRECISION = 256  # bits of the ends of an interval that is not one number
MOST_BITS = 400_000


class Interval:
    """The real numbers from lo to hi; one exact rational number when the two are equal."""

    __slots__ = ("hi", "lo")

    def __init__(self, lo: Fraction | int, hi: Fraction | None = None) -> None:
        self.lo = lo if isinstance(lo, Fraction) else Fraction(lo)
        self.hi = self.lo if hi is None else hi
        if self.lo.numerator.bit_length() + self.lo.denominator.bit_length() > MOST_BITS:
            raise Refused(f"a number grows beyond {MOST_BITS} bits")

    @property
    def exact(self) -> bool:
        """Whether it is one number."""
        return self.lo is self.hi or self.lo == self.hi

    @property
    def is_zero(self) -> bool:
        """Whether it is the number 0."""
        return self.lo == 0 == self.hi

    def sign(self) -> int:
        """The sign that all its numbers have; a sign is never guessed."""
        if self.lo > 0 or self.hi < 0 or self.is_zero:
            return (self.lo > 0) - (self.hi < 0)
        raise Refused("the sign of an irrational number, or of a guard over a box, is not decided")

    def within(self, other: Interval) -> bool:
        """Whether it is a part of the other."""
        return other.lo <= self.lo and self.hi <= other.hi

    def apart(self, other: Interval) -> bool:
        """Whether the two have no number in common."""
        return self.hi < other.lo or other.hi < self.lo

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo)

    def __add__(self, other: Interval) -> Interval:
        if self.exact and other.exact:
            return Interval(self.lo + other.lo)
        return outward(self.lo + other.lo, self.hi + other.hi)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval) -> Interval:
        if self.exact and other.exact:
            return Interval(self.lo * other.lo)
        ends = [a * b for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return outward(min(ends), max(ends))

    def reciprocal(self) -> Interval:
        """1 divided by it."""
        if self.lo <= 0 <= self.hi:
            raise Refused("division by a number that is zero, or is not known to be nonzero")
        return Interval(1 / self.lo) if self.exact else outward(1 / self.hi, 1 / self.lo)

    def power(self, n: int) -> Interval:
        """The n-th power, n >= 0."""
        if n % 2 == 0 and self.lo < 0 < self.hi:
            return Interval(Fraction(0), power(Interval(max(-self.lo, self.hi)), n, ONE).hi)
        return power(self, n, ONE)


Ring = TypeVar("Ring", bound=Any)  # an interval or a jet


def power(base: Ring, n: int, one: Ring) -> Ring:
    """The product base * ... * base of n >= 0 factors, by squaring."""
    result = one
    while n:
        result = result * base if n & 1 else result
        n >>= 1
        base = base * base if n else base
    return result


def raised(x: Fraction, n: int) -> Fraction:
    """x^n, refused when it is too large."""
    return power(Interval(x), n, ONE).lo


def outward(lo: Fraction, hi: Fraction) -> Interval:
    """The interval; if it is not one number, with its ends rounded outward to `PRECISION` significant bits."""
    return Interval(lo) if lo == hi else short(lo, hi)


def short(lo: Fraction, hi: Fraction) -> Interval:
    """The interval with its ends rounded outward to `PRECISION` significant bits."""
    return Interval(rounded(lo, floor), rounded(hi, ceil))


def rounded(x: Fraction, to_integer: Callable[[Fraction], int]) -> Fraction:
    """The number with `PRECISION` significant bits."""
    n, d = x.numerator.bit_length(), x.denominator.bit_length()
    if max(n, d) <= PRECISION:
        return x
    scale = Fraction(2) ** (PRECISION - n + d)
    return to_integer(x * scale) / scale


ZERO, ONE = Interval(0), Interval(1)


def monotone(function: Callable[[Fraction], Interval], x: Interval) -> Interval:
    """Enclose an increasing function, of which `function` encloses the values at rational numbers."""
    return function(x.lo) if x.exact else Interval(function(x.lo).lo, function(x.hi).hi)


def square_root(x: Fraction) -> Interval:
    """By the integer square root."""
    if x < 0:
        raise Refused("the square root of a number that is negative, or is not known not to be")
    n, d = isqrt(x.numerator), isqrt(x.denominator)
    if n * n == x.numerator and d * d == x.denominator:
        return Interval(Fraction(n, d))
    shift = max(0, PRECISION + d.bit_length() - n.bit_length())
    root = isqrt((x.numerator << 2 * shift) // x.denominator)
    return Interval(Fraction(root, 1 << shift), Fraction(root + 1, 1 << shift))


def exponential(x: Fraction) -> Interval:
    """By exp(x) = exp(y)^(2^k), |y| <= 1/2, where the terms of the series after the 48th sum to less than the last."""
    if x == 0:
        return ONE
    if abs(x) > 10_000:
        raise Refused("the exponential of a number beyond 10000")
    k = ceil(abs(x)).bit_length() + 1
    y, total, term = short(x / 2**k, x / 2**k), ONE, ONE
    for i in range(1, 49):
        term = term * y * Interval(Fraction(1, i))
        total = total + term
    tail = Fraction(1, 2**48 * factorial(48))
    return power(outward(total.lo - tail, total.hi + tail), 2**k, ONE)


def logarithm(x: Fraction) -> Interval:
    """By x = 2^k (1 + z) / (1 - z), |z| <= 1/3, and log((1 + z) / (1 - z)) = 2 artanh(z)."""
    if x <= 0:
        raise Refused("the logarithm of a number that is not positive, or is not known to be")
    k = x.numerator.bit_length() - x.denominator.bit_length()
    m = x / Fraction(2) ** k
    return Interval(2) * (artanh((m - 1) / (m + 1)) + Interval(k) * artanh(Fraction(1, 3)))


def artanh(z: Fraction) -> Interval:
    """By z + z^3/3 + z^5/5 + ..., |z| <= 1/3, where the terms after the 80th sum to less than 3^-161."""
    if z == 0:
        return ZERO
    total, odd = ZERO, (y := short(z, z))
    for i in range(80):
        total, odd = total + odd * Interval(Fraction(1, 2 * i + 1)), odd * y * y
    tail = Fraction(1, 3**161)
    return outward(total.lo - tail, total.hi + tail)

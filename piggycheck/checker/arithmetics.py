"""Three arithmetics in which a program runs: rounded numbers with bounds of their errors, and exact ones of two kinds.

Each has numbers of its own, and the same operations. What an arithmetic cannot decide raises `Open`.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt, lcm
from operator import mul
from typing import Any, NamedTuple

from .effort import spend
from .elementary import exp_bounds, log_bounds
from .fixed import root
from .intervals import MOST_BITS, square_root
from .reading import Refused

MOST_POWERS = 1000

Number = Any  # of one arithmetic


class Open(Exception):
    """A sign or a comparison is not decided by this arithmetic at this precision."""


class Form(NamedTuple):
    """(constant + sum of factors * atoms) / denominator."""

    atoms: tuple[int, ...]
    factors: tuple[int, ...]
    constant: int
    denominator: int
    sizes: tuple[int, ...]


def form(terms: dict[int, Fraction], constant: Fraction) -> Form:
    """The form with rational coefficients."""
    d = lcm(constant.denominator, *(c.denominator for c in terms.values()))
    factors = tuple(c.numerator * (d // c.denominator) for c in terms.values())
    return Form(tuple(terms), factors, int(constant * d), d, tuple(map(abs, factors)))


def require_short(*numbers: int) -> None:
    """Refuse numbers that grow too long."""
    if sum(n.bit_length() for n in numbers) > MOST_BITS:
        raise Refused(f"a number grows beyond {MOST_BITS} bits")


def spend_product(first: int, second: int) -> None:
    """Count the product of numbers of so many bits."""
    spend(4 + (first * second >> 19))


class Rounded:
    """Pairs (c, r): all real numbers between (c - r) / 2^bits and (c + r) / 2^bits."""

    def __init__(self, bits: int) -> None:
        self.bits, self.one = bits, 1 << bits

    def number(self, x: Fraction) -> Number:
        """A rational number."""
        c, rest = divmod(x.numerator << self.bits, x.denominator)
        return c, int(rest != 0)

    def between(self, low: int, high: int) -> Number:
        """The numbers between two bounds."""
        c = (low + high) // 2
        return c, high - c

    def combination(self, f: Form, values: Sequence[Number]) -> Number:
        """The value of a form."""
        spend(2 + len(values) + len(values) * self.bits // 4096)
        c, r = f.constant << self.bits, 0
        if values:
            centres, radii = zip(*values, strict=True)
            c, r = c + sum(map(mul, f.factors, centres)), sum(map(mul, f.sizes, radii))
        if f.denominator != 1:
            c, rest = divmod(c, f.denominator)
            r = -(-r // f.denominator) + (rest != 0)
        return c, r

    def times(self, x: Number, y: Number) -> Number:
        """The product."""
        (a, r), (b, s) = x, y
        require_short(a, b)
        spend_product(a.bit_length(), b.bit_length())
        error = abs(a) * s + abs(b) * r + r * s
        c = a * b
        low = c >> self.bits
        return low, -(-error >> self.bits) + (low << self.bits != c)

    def reciprocal(self, x: Number) -> Number:
        """1 divided by the number."""
        c, r = x
        if abs(c) <= r:
            raise Open("a number is divided by what may be zero")
        spend_product(4 * self.bits, self.bits)
        square = 1 << 2 * self.bits
        return square // c, -(-(r * square) // (abs(c) * (abs(c) - r))) + 1

    def square_root(self, x: Number) -> Number:
        """The square root."""
        c, r = x
        if c + r < 0:
            raise Refused("the square root of a negative number")
        if c < r:
            raise Open("the square root of what may be negative")
        spend_product(4 * self.bits, self.bits)
        return self.between(isqrt(c - r << self.bits), root(c + r << self.bits))

    def exponential(self, x: Number) -> Number:
        """The exponential."""
        c, r = x
        self.spend_series()
        return self.between(exp_bounds(c - r, self.bits)[0], exp_bounds(c + r, self.bits)[1])

    def logarithm(self, x: Number) -> Number:
        """The logarithm."""
        c, r = x
        if c + r <= 0:
            raise Refused("the logarithm of a number that is not positive")
        if c <= r:
            raise Open("the logarithm of what may not be positive")
        self.spend_series()
        return self.between(log_bounds(c - r, self.bits)[0], log_bounds(c + r, self.bits)[1])

    def spend_series(self) -> None:
        """Count the terms of a series."""
        for _ in range(8):
            spend_product(self.bits * self.bits // 16, self.bits)

    def sign(self, x: Number) -> int:
        """The sign that all the numbers have."""
        c, r = x
        if abs(c) > r or c == r == 0:
            return int(c > 0) - int(c < 0)
        raise Open("a sign")

    def shortened(self, x: Number) -> Number:
        """The same number, in what is to be kept."""
        require_short(*x)
        return x


class Exact:
    """Rational numbers."""

    def number(self, x: Fraction) -> Number:
        """A rational number."""
        return x

    def combination(self, f: Form, values: Sequence[Number]) -> Number:
        """The value of a form."""
        bits = max((x.denominator.bit_length() for x in values), default=0)
        if len(values) == 1 and not f.constant:
            spend_product(64, bits)
            return values[0] * Fraction(f.factors[0], f.denominator)
        for _ in range(1 + len(values)):
            spend_product(2 * bits, 2 * bits)
        return sum(map(mul, f.factors, values), Fraction(f.constant)) / f.denominator

    def times(self, x: Number, y: Number) -> Number:
        """The product."""
        require_short(x.numerator, y.numerator)
        require_short(x.denominator, y.denominator)
        spend_product(4 * x.denominator.bit_length(), y.denominator.bit_length())
        return x * y

    def reciprocal(self, x: Number) -> Number:
        """1 divided by the number."""
        if not x:
            raise Refused("division by zero")
        return 1 / x

    def square_root(self, x: Number) -> Number:
        """The square root, where it is rational."""
        found = square_root(x)
        if not found.exact:
            raise Open("an irrational number")
        return found.lo

    def exponential(self, x: Number) -> Number:
        """The exponential, where it is rational."""
        if x:
            raise Open("an irrational number")
        return Fraction(1)

    def logarithm(self, x: Number) -> Number:
        """The logarithm, where it is rational."""
        if x != 1:
            raise Open("an irrational number")
        return Fraction(0)

    def sign(self, x: Number) -> int:
        """The sign."""
        return int(x > 0) - int(x < 0)

    def shortened(self, x: Number) -> Number:
        """The same number, in what is to be kept."""
        require_short(x.numerator, x.denominator)
        return x

    def fraction(self, x: Number) -> Fraction:
        """The number."""
        return Fraction(x)

    def integers(self, values: Sequence[Number], targets: Sequence[Fraction]) -> tuple[list[int], int]:
        """The differences of numbers from others, as integers over one denominator."""
        differences = [x - y for x, y in zip(values, targets, strict=True)]
        d = lcm(*(x.denominator for x in differences))
        return [x.numerator * (d // x.denominator) for x in differences], d


class Powers(Exact):
    """Pairs (n, e): the rational numbers n / base^e, for what is made without divisions; nothing is cancelled."""

    def __init__(self, base: int) -> None:
        self.base, self.powers = base, [1]

    def power(self, e: int) -> int:
        """A power of the base."""
        while len(self.powers) <= e:
            require_short(self.powers[-1])
            self.powers.append(self.powers[-1] * self.base)
        return self.powers[e]

    def number(self, x: Fraction) -> Number:
        """A rational number."""
        e = self.exponent(x.denominator)
        return x.numerator * (self.power(e) // x.denominator), e

    def exponent(self, denominator: int) -> int:
        """The exponent of a power of the base that is a multiple."""
        e = int(denominator != 1)
        while self.power(e) % denominator:
            e += 1
            if e > MOST_POWERS:
                raise Open("a denominator with other factors")
        return e

    def combination(self, f: Form, values: Sequence[Number]) -> Number:
        """The value of a form."""
        e = max((e for _, e in values), default=0)
        n = f.constant * self.power(e)
        for factor, (m, d) in zip(f.factors, values, strict=True):
            n += factor * (m if d == e else m * self.power(e - d))
        spend(2 + 2 * len(values) + len(values) * n.bit_length() // 1024)
        if f.denominator == 1:
            return n, e
        more = self.exponent(f.denominator)
        return n * (self.power(more) // f.denominator), e + more

    def times(self, x: Number, y: Number) -> Number:
        """The product."""
        require_short(x[0], y[0])
        spend_product(x[0].bit_length(), y[0].bit_length())
        return x[0] * y[0], x[1] + y[1]

    def sign(self, x: Number) -> int:
        """The sign."""
        n = x[0]
        return int(n > 0) - int(n < 0)

    def shortened(self, x: Number) -> Number:
        """The same number, in what is to be kept."""
        n, e = x
        if not n:
            return 0, 0
        require_short(n)
        while e and not n % self.base:
            n, e = n // self.base, e - 1
        return n, e

    def fraction(self, x: Number) -> Fraction:
        """The number."""
        return Fraction(x[0], self.power(x[1]))

    def integers(self, values: Sequence[Number], targets: Sequence[Fraction]) -> tuple[list[int], int]:
        """The differences of numbers from others, as integers over one denominator."""
        most, d = max(e for _, e in values), lcm(*(y.denominator for y in targets))
        whole = self.power(most) * d
        found = [n * self.power(most - e) * d for n, e in values]
        spend(8 * len(found) * (1 + whole.bit_length() // 1024))
        return [a - y.numerator * (whole // y.denominator) for a, y in zip(found, targets, strict=True)], whole

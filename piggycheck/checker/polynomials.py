"""Polynomials with rational coefficients, the constant one first: division, real roots, products of roots."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm
from typing import Any

from .effort import spend
from .reading import Refused, Unreadable, array, number

Polynomial = list[Fraction]

HIGHEST = 400


def read_polynomial(data: Any, where: str) -> Polynomial:
    """Read a polynomial that is not zero."""
    found = [number(c, where) for c in array(data, where)]
    if not found or len(found) > HIGHEST or not found[-1]:
        raise Unreadable(f"`{where}` has no coefficients, more than {HIGHEST}, or a leading one that is zero")
    return found


def primitive(p: Polynomial) -> Polynomial:
    """A positive multiple with coprime integers for coefficients."""
    d = lcm(*(c.denominator for c in p))
    whole = [c.numerator * (d // c.denominator) for c in p]
    common = gcd(*whole)
    return [Fraction(c // common) for c in whole] if common else p


def divided(p: Polynomial, q: Polynomial) -> tuple[Polynomial, Polynomial]:
    """Quotient and rest; the zero polynomial is the empty list."""
    rest, quotient = list(p), [Fraction(0)] * max(0, len(p) - len(q) + 1)
    bits = max(c.numerator.bit_length() for c in (*p, *q)) if p else 0
    spend(8 * len(q) * len(quotient), 2 * bits)
    while len(rest) >= len(q):
        factor, shift = rest[-1] / q[-1], len(rest) - len(q)
        quotient[shift] = factor
        if factor:
            rest = [*rest[:shift], *(a - factor * b for a, b in zip(rest[shift:], q, strict=True))]
        rest.pop()
    while rest and not rest[-1]:
        rest.pop()
    return quotient, rest


def derivative(p: Polynomial) -> Polynomial:
    """The derivative."""
    return [c * k for k, c in enumerate(p)][1:]


def value(p: Polynomial, x: Fraction) -> Fraction:
    """The value at a number."""
    total = Fraction(0)
    for c in reversed(p):
        total = total * x + c
    return total


def common_divisor(p: Polynomial, q: Polynomial) -> Polynomial:
    """The greatest common divisor, up to a factor."""
    p = primitive(p)
    while q:
        p, q = primitive(q), divided(p, q)[1]
    return primitive(p)


def squarefree(p: Polynomial) -> Polynomial:
    """A polynomial with the same roots, each once."""
    if len(p) < 3:
        return p
    return primitive(divided(p, common_divisor(p, derivative(p)))[0])


class RealRoots:
    """Sturm's sequence of a polynomial whose roots are simple."""

    def __init__(self, p: Polynomial) -> None:
        self.chain = [primitive(p)]
        following = derivative(p)
        while following:
            self.chain.append(primitive(following))
            following = [-c for c in divided(self.chain[-2], self.chain[-1])[1]]

    def above(self, x: Fraction) -> int:
        """How many roots are greater than a number."""
        return sign_changes([value(p, x) for p in self.chain]) - sign_changes([p[-1] for p in self.chain])

    @property
    def count(self) -> int:
        """How many there are."""
        first = [p[-1] * (-1) ** (len(p) - 1) for p in self.chain]
        return sign_changes(first) - sign_changes([p[-1] for p in self.chain])


def power_sums(p: Polynomial, count: int) -> list[Fraction]:
    """The sums of the k-th powers of the roots, k = 1..count (Newton)."""
    n = len(p) - 1
    a = [c / p[-1] for c in reversed(p)]  # 1, a_1, ..., a_n
    sums: list[Fraction] = []
    for k in range(1, count + 1):
        total = -sum((a[i] * sums[k - i - 1] for i in range(1, min(k - 1, n) + 1)), Fraction(0))
        sums.append(total - k * a[k] if k <= n else total)
    return sums


def from_power_sums(sums: Sequence[Fraction]) -> Polynomial:
    """The monic polynomial with as many roots as sums (Newton)."""
    a = [Fraction(1)]
    for k in range(1, len(sums) + 1):
        a.append(-sum((a[k - i] * sums[i - 1] for i in range(1, k + 1)), Fraction(0)) / k)
    return a[::-1]


def products_of_roots(h: Polynomial, real: bool) -> Polynomial:
    """That of the squares of real roots, or of all products of two roots: its largest real root is max |z|^2."""
    e = len(h) - 1
    count = e if real else e * (e + 1) // 2
    if count > HIGHEST:
        raise Refused(f"more than {HIGHEST} products of roots")
    spend(40 * count * count, 64)
    sums = power_sums(h, 2 * count)
    if real:
        return from_power_sums([sums[2 * k - 1] for k in range(1, count + 1)])
    return from_power_sums([(sums[k - 1] ** 2 + sums[2 * k - 1]) / 2 for k in range(1, count + 1)])


def largest_modulus(g: Polynomial, R: Polynomial, lower: Fraction, upper: Fraction) -> None:
    """Refuse unless the roots of R between the bounds, if any, are one: the largest modulus of a root of g.

    Of the products of two roots, those that are squares of roots of R have one beyond the lower bound, others none.
    """
    h, S = squarefree(g), squares_of_roots(R)
    rest = products_of_roots(h, RealRoots(h).count == len(h) - 1)
    quotient, remainder = divided(rest, S)
    if remainder:
        raise Refused("the polynomial of the rate does not divide that of the moduli")
    while not remainder:
        rest = quotient
        quotient, remainder = divided(rest, S)
    others, own = beside(rest, lower**2), beside(S, lower**2)
    if sign_changes(others) or not others[0] or sign_changes(own) != bool(own[0]):
        raise Refused("the bounds do not hold the largest modulus of a factor alone")
    if value(S, upper**2) * S[-1] < 0:
        raise Refused("the largest modulus of a factor is not below the upper bound")


def squares_of_roots(R: Polynomial) -> Polynomial:
    """The squares of its roots are the roots of the other one."""
    if not any(R[1::2]):
        return R[::2]
    product = [Fraction(0)] * (2 * len(R) - 1)
    spend(4 * len(R) ** 2, 2 * max(c.numerator.bit_length() for c in R))
    for i, a in enumerate(R):
        for j, b in enumerate(R):
            product[i + j] += (-1) ** j * a * b
    return product[::2]


def beside(p: Polynomial, x: Fraction) -> list[int]:
    """Positive multiples of the coefficients of p(x + y), of one sign when p has no root beyond x (Descartes)."""
    n, d, m = len(p) - 1, x.denominator, x.numerator
    found = [c.numerator * d ** (n - k) for k, c in enumerate(primitive(p))]
    spend(2 * n * n, max(map(int.bit_length, found)) + n * m.bit_length())
    for i in range(n):
        for k in range(n - 1, i - 1, -1):
            found[k] += m * found[k + 1]
    return found


def sign_changes(numbers: Sequence[Any]) -> int:
    """How often the sign changes."""
    kept = [a for a in numbers if a]
    return sum((a > 0) != (b > 0) for a, b in pairwise(kept))

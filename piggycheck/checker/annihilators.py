"""The polynomial of least degree that annihilates a sequence of vectors, and which of its factors are dominant."""

from __future__ import annotations

from fractions import Fraction
from math import lcm
from operator import mul

from .effort import spend
from .intervals import Interval
from .matrices import has_root_beyond
from .polynomials import Polynomial, divided
from .reading import Refused

PRIME = 2**61 - 1
TRIES = 3

Errors = list[tuple[list[int], int]]  # integers over one denominator, index after index


def require_annihilated(errors: Errors, q: Polynomial, n: int) -> None:
    """Refuse unless sum q_i y_(s + i) = 0 for n indices s; as what is left follows a recursion of order n, for all."""
    d = lcm(*(c.denominator for c in q))
    whole = [int(c * d) for c in q]
    for s in range(n):
        window = errors[s : s + len(q)]
        common = lcm(*(denominator for _, denominator in window))
        factors = [c * (common // denominator) for c, (_, denominator) in zip(whole, window, strict=True)]
        spend(len(q) * len(window[0][0]) * (1 + common.bit_length() // 256))
        if any(sum(map(mul, factors, column)) for column in zip(*(y for y, _ in window), strict=True)):
            raise Refused("the polynomial does not annihilate the errors")


def require_minimal(errors: Errors, d: int) -> None:
    """Refuse unless a combination of the coordinates follows no shorter recursion, modulo a prime."""
    for seed in range(1, TRIES + 1):
        weights = [pow(3 + seed, i * i + seed * i + 1, PRIME) for i in range(len(errors[0][0]))]
        sums = [sum(a % PRIME * w for a, w in zip(y, weights, strict=True)) for y, _ in errors]
        if any(denominator % PRIME == 0 for _, denominator in errors):
            raise Refused("a denominator is a multiple of the prime")
        s = [a * pow(b, -1, PRIME) % PRIME for a, (_, b) in zip(sums, errors, strict=True)]
        if nonsingular([[s[i + j] for j in range(d)] for i in range(d)]):
            return
    raise Refused("a shorter recursion may annihilate the errors")


def nonsingular(rows: list[list[int]]) -> bool:
    """Whether a matrix is invertible modulo the prime."""
    n = len(rows)
    spend(n**3)
    for k in range(n):
        found = next((i for i in range(k, n) if rows[i][k]), None)
        if found is None:
            return False
        rows[k], rows[found] = rows[found], rows[k]
        back = pow(rows[k][k], -1, PRIME)
        for i in range(k + 1, n):
            factor = rows[i][k] * back % PRIME
            rows[i] = [(a - factor * b) % PRIME for a, b in zip(rows[i], rows[k], strict=True)]
    return True


def require_dominant(q: Polynomial, dominant: list[Polynomial], lower: Fraction) -> None:
    """Refuse unless the factors divide the polynomial, and all other roots have a smaller modulus than the bound."""
    if not dominant or lower <= 0:
        raise Refused("there is no dominant factor, or the lower bound is not positive")
    rest = q
    for g in dominant:
        if len(g) < 2 or divided(q, g)[1]:
            raise Refused("a dominant factor does not divide the annihilator")
        while len(rest) >= len(g) and not divided(rest, g)[1]:
            rest = divided(rest, g)[0]
    if len(rest) > 1 and has_root_beyond([Interval(c / rest[-1]) for c in reversed(rest)], lower):
        raise Refused("another root of the annihilator may be as large")

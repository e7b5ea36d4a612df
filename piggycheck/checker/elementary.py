"""exp and log of fixed-point numbers, between integers in units of 2^-bits."""

from __future__ import annotations

from functools import cache

from .effort import spend
from .reading import Refused

GUARD = 32
LARGEST = 10_000


def exp_bounds(x: int, bits: int) -> tuple[int, int]:
    """By exp(|x|) = exp(y)^(2^k), 0 <= y < 2^-8; below 2^-8 each rounding of a term costs less than 2 units in all."""
    if abs(x) >> bits >= LARGEST:
        raise Refused(f"the exponential of a number beyond {LARGEST}")
    k = (abs(x) >> bits).bit_length() + 8
    w = bits + GUARD + 2 * k
    y = abs(x) << w - bits - k  # w - bits > k, so that nothing is lost
    total, term, n = 1 << w, 1 << w, 0
    while term:
        n += 1
        term = (term * y >> w) // n
        total += term
    spend(n + k)
    low, high = total, total + 2 * n + 2
    for _ in range(k):
        low, high = low * low >> w, -(-high * high >> w)
    if x < 0:
        low, high = (1 << 2 * w) // high, -(-(1 << 2 * w) // low)
    return low >> w - bits, -(-high >> w - bits)


def log_bounds(x: int, bits: int) -> tuple[int, int]:
    """By x = 2^k m, 1/2 <= m < 1, and log m = -2 artanh((1 - m) / (1 + m))."""
    if x <= 0:
        raise Refused("a function takes the logarithm of what may not be positive")
    k, w = x.bit_length() - bits, bits + GUARD
    w += max(0, x.bit_length() - w)
    m = x << w - x.bit_length()
    low, high = inverse_tangent(((1 << w) - m << w) // ((1 << w) + m), w)
    first, second = two(w)
    ends = k * first, k * second
    lower, upper = min(ends) - 2 * high - 3, max(ends) - 2 * low
    return lower >> w - bits, -(-upper >> w - bits)


@cache
def two(w: int) -> tuple[int, int]:
    """Bounds of log 2 = 2 artanh(1/3)."""
    low, high = inverse_tangent((1 << w) // 3, w)
    return 2 * low, 2 * high + 3


def inverse_tangent(z: int, w: int) -> tuple[int, int]:
    """Bounds of artanh(z) = z + z^3/3 + z^5/5 + ... for 0 <= z <= 1/3 (units of 2^-w), not counting errors of z.

    Each term is rounded by less than 2 units, and what comes after the last one that is not 0 is less than 1.
    """
    square, power, total, n = z * z >> w, z, 0, 1
    while power:
        total += power // n
        power = power * square >> w
        n += 2
    spend(n)
    return total, total + 2 * n + 2

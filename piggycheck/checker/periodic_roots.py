"""Cycles of a polynomial map of one variable, as real roots that Sturm's sequences count.

The roots of F^n - x that are no roots of F^(n/p) - x for a prime p are the points of minimal period n. How many of them
have a multiplier M = (F^n)' with |M| < 1 is found by counting them with the signs of 1 - M^2 (Tarski).
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple

from .effort import spend
from .intervals import Interval
from .pieces import Patterns
from .polynomials import HIGHEST, Polynomial, common_divisor, derivative, divided, primitive, squarefree, value
from .reading import Refused
from .subject import Map

ONE = [Fraction(1)]


class Counted(NamedTuple):
    """Points of one minimal period: the roots of a polynomial, and how many attract, repel and do neither."""

    points: Polynomial
    map: Polynomial
    attracting: int
    repelling: int
    neither: int


def counted(map_: Map, period: int) -> Counted:
    """Count the points of a minimal period."""
    F = polynomial_of_map(map_)
    iterates = [[Fraction(0), Fraction(1)]]
    for _ in range(period):
        iterates.append(composed(F, iterates[-1]))
    points = squarefree(moved(iterates[period]))
    for d in range(1, period):
        if period % d == 0:
            points = divided(points, common_divisor(points, moved(iterates[d])))[0]
    slope = derivative(iterates[period])
    g = added(ONE, [-c for c in product(slope, slope)])
    total = index(points, derivative(points))
    common = common_divisor(points, divided(g, points)[1])
    neither = index(common, derivative(common))
    difference = index(points, product(derivative(points), divided(g, points)[1]))
    attracting = (total - neither + difference) // 2
    return Counted(points, F, attracting, total - neither - attracting, neither)


def polynomial_of_map(map_: Map) -> Polynomial:
    """The map as a polynomial in its one variable."""
    if len(map_.state) != 1:
        raise Refused("the state has more than one variable")
    origin = {map_.state[0]: Fraction(0), **map_.at}
    found = list(Patterns(everywhere=True).run(map_.program, map_.next, map_.jets(origin, map_.state)))
    if len(found) != 1 or found[0].outputs is None or found[0].conditions or not found[0].outputs[0].rational:
        raise Refused("the map is not one polynomial with rational coefficients")
    (jet,) = found[0].outputs
    return trimmed([jet.terms[(0,) * k].lo if (0,) * k in jet.terms else Fraction(0) for k in range(jet.degree + 1)])


def require_cycle(found: Counted, intervals: Sequence[Interval]) -> None:
    """Refuse intervals that do not hold one point each, all different, of which each is the image of the one before."""
    for i, ends in enumerate(intervals):
        if roots_between(found.points, ends) != 1:
            raise Refused("an interval does not hold exactly one point of this period")
        if not all(ends.apart(other) for other in intervals[:i]):
            raise Refused("two intervals are not apart")
    for ends, following in zip(intervals, [*intervals[1:], intervals[0]], strict=True):
        image = value_on(found.map, ends)
        if roots_between(found.points, Interval(min(image.lo, following.lo), max(image.hi, following.hi))) != 1:
            raise Refused("that a point is the image of the one before is not shown by the intervals")


def multiplier(found: Counted, intervals: Sequence[Interval]) -> Interval:
    """The product of the derivatives along a cycle."""
    total = Interval(1)
    for ends in intervals:
        total = total * value_on(derivative(found.map), ends)
    return total


def value_on(p: Polynomial, ends: Interval) -> Interval:
    """The values of a polynomial on an interval."""
    total = Interval(0)
    for c in reversed(p):
        total = total * ends + Interval(c)
    return total


def roots_between(p: Polynomial, ends: Interval) -> int:
    """How many roots of a polynomial, all simple, are in a closed interval."""
    sequence = sturm(p, derivative(p))
    low, high = ([value(q, end) for q in sequence] for end in (ends.lo, ends.hi))
    return changes(low) - changes(high) + (low[0] == 0)


def index(p: Polynomial, s: Polynomial) -> int:
    """The number of real roots of p with s / p' positive there, minus that with s / p' negative (Sturm, Tarski)."""
    sequence = sturm(p, s)
    return changes([q[-1] * (-1) ** (len(q) - 1) for q in sequence]) - changes([q[-1] for q in sequence])


def sturm(p: Polynomial, s: Polynomial) -> list[Polynomial]:
    """The sequence of remainders, with changed signs, that begins with p and s modulo p."""
    sequence, following = [primitive(p)], divided(s, p)[1] if len(s) >= len(p) else trimmed(s)
    while following:
        sequence.append(primitive(following))
        following = [-c for c in divided(sequence[-2], sequence[-1])[1]]
    return sequence


def changes(signs: Sequence[Fraction]) -> int:
    """How often a sign changes; zeros do not count."""
    return sum((a > 0) is not (b > 0) for a, b in pairwise([a for a in signs if a]))


def composed(p: Polynomial, q: Polynomial) -> Polynomial:
    """p after q."""
    total: Polynomial = []
    for c in reversed(p):
        total = added(product(total, q), [c])
    return total


def moved(p: Polynomial) -> Polynomial:
    """p(x) - x, which must not vanish everywhere."""
    found = added(p, [Fraction(0), Fraction(-1)])
    if not found:
        raise Refused("every point returns")
    return found


def added(p: Polynomial, q: Polynomial) -> Polynomial:
    """The sum."""
    n = max(len(p), len(q))
    return trimmed(
        [a + b for a, b in zip(p + [Fraction(0)] * (n - len(p)), q + [Fraction(0)] * (n - len(q)), strict=True)]
    )


def product(p: Polynomial, q: Polynomial) -> Polynomial:
    """The product."""
    if len(p) + len(q) > 2 * HIGHEST:
        raise Refused(f"a polynomial has more than {2 * HIGHEST} coefficients")
    bits = max((c.numerator.bit_length() + c.denominator.bit_length() for c in (*p, *q)), default=0)
    spend(4 * len(p) * len(q), bits)
    total = [Fraction(0)] * max(0, len(p) + len(q) - 1) if p and q else []
    for i, a in enumerate(p):
        if a:
            for j, b in enumerate(q):
                total[i + j] += a * b
    return trimmed(total)


def trimmed(p: Polynomial) -> Polynomial:
    """The polynomial without leading zeros."""
    while p and not p[-1]:
        p = p[:-1]
    return p

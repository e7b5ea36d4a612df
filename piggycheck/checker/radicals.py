"""Rational combinations of square roots of integers, exactly: numbers that are intervals, too, and know their sign."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import lru_cache
from math import gcd, isqrt

from .effort import spend
from .intervals import MOST_BITS, PRECISION, Interval, short
from .jets import Jet
from .pieces import beside, evaluate
from .program import Program
from .reading import Refused, array

MOST_TERMS = 64
LARGEST_DIVISOR = 1 << 16
FUNCTIONS = ("reciprocal", "sqrt", "exp", "log")
CHOICES = ("switch", "piecewise")

Terms = dict[int, Fraction]  # the factor of the square root of each squarefree integer; these are independent


class Radical(Interval):
    """An irrational number with its terms, between bounds that leave 0 outside."""

    __slots__ = ("terms",)

    def __init__(self, terms: Terms) -> None:
        self.terms = terms
        bits = PRECISION
        while True:
            lo, hi = bounds(terms, bits)
            if lo > 0 or hi < 0:
                break
            bits *= 2
            if bits > MOST_BITS:
                raise Refused("the sign of an irrational number takes too many digits")
        found = short(lo, hi)
        super().__init__(found.lo, found.hi)

    def __neg__(self) -> Interval:
        return Radical({m: -c for m, c in self.terms.items()})

    def __add__(self, other: Interval) -> Interval:
        if not known(other):
            return Interval(self.lo, self.hi) + other
        total = dict(self.terms)
        for m, c in terms_of(other).items():
            total[m] = total.get(m, Fraction(0)) + c
        return number(total)

    def __mul__(self, other: Interval) -> Interval:
        if not known(other):
            return Interval(self.lo, self.hi) * other
        factors = terms_of(other)
        sizes = [
            max((c.denominator.bit_length() for c in terms.values()), default=0) for terms in (self.terms, factors)
        ]
        spend(20 * len(self.terms) * len(factors), max(sizes))
        total: Terms = {}
        for m, c in self.terms.items():
            for n, d in factors.items():
                common = gcd(m, n)
                key = m // common * (n // common)
                total[key] = total.get(key, Fraction(0)) + c * d * common
        return number(total)

    __radd__ = __add__
    __rmul__ = __mul__

    def reciprocal(self) -> Interval:
        """By the conjugates: the product of all of them is rational."""
        above, below = Interval(1), Interval(1) * self
        while isinstance(below, Radical):
            p = prime_of(max(below.terms))
            turned = conjugate(below, p)
            above, below = above * turned, below * turned
        return above * Interval(1 / below.lo)


def number(terms: Terms) -> Interval:
    """The number with these terms."""
    kept = {m: c for m, c in terms.items() if c}
    if len(kept) > MOST_TERMS:
        raise Refused(f"a number has more than {MOST_TERMS} square roots")
    if set(kept) <= {1}:
        return Interval(kept.get(1, Fraction(0)))
    return Radical(kept)


def known(x: Interval) -> bool:
    """Whether an interval is one number with known terms."""
    return x.exact or isinstance(x, Radical)


def terms_of(x: Interval) -> Terms:
    """The terms of a number."""
    if isinstance(x, Radical):
        return x.terms
    if not x.exact:
        raise Refused("a number is not made of square roots of rational ones")
    return {1: x.lo} if x.lo else {}


def bounds(terms: Terms, bits: int) -> tuple[Fraction, Fraction]:
    """Bounds of the sum of the terms, with so many bits of each root."""
    lo = hi = Fraction(0)
    spend(8 * len(terms), bits)
    for m, c in terms.items():
        root = isqrt(m << 2 * bits)
        ends = c * Fraction(root, 1 << bits), c * Fraction(root + (m > 1), 1 << bits)
        lo, hi = lo + min(ends), hi + max(ends)
    return lo, hi


def conjugate(x: Interval, p: int) -> Interval:
    """The number in which the square root of a prime has the other sign."""
    return number({m: c if m % p else -c for m, c in terms_of(x).items()})


@lru_cache(maxsize=4096)
def factored(n: int) -> tuple[tuple[int, int], ...]:
    """The prime factors of a positive number, and how often each divides it."""
    found, p = [], 2
    while p * p <= n and p < LARGEST_DIVISOR:
        times = 0
        while n % p == 0:
            n, times = n // p, times + 1
        if times:
            found.append((p, times))
        p += 1 + (p > 2)
    if n > 1:
        root = isqrt(n)
        if root * root == n:
            found += [(q, 2 * times) for q, times in factored(root)]
        elif n >= LARGEST_DIVISOR**2:
            raise Refused("the prime factors of a number under a square root are too large")
        else:
            found.append((n, 1))
    return tuple(found)


def prime_of(m: int) -> int:
    """A prime factor."""
    return factored(m)[0][0]


def root_of(x: Interval) -> Interval:
    """The square root of a rational number."""
    if not x.exact or x.lo < 0:
        raise Refused("the square root of a number that is negative, or not rational")
    outside, inside = Fraction(1, x.lo.denominator), 1
    for p, times in factored(x.lo.numerator * x.lo.denominator) if x.lo else ((0, 2),):
        outside *= p ** (times // 2)
        inside *= p ** (times % 2)
    return number({inside: outside})


def constants(program: Program, jets: Mapping[str, Jet], state: Sequence[str]) -> dict[int, Jet]:
    """What does not depend on the state, exactly; where parameters move, as f0 + f1 t, as first derivatives take it."""
    usable: list[bool] = []
    found: dict[int, Jet] = {}
    for i, (kind, parts, data) in enumerate(program.nodes):
        still = kind not in CHOICES and not (kind == "name" and (data in state or data not in jets))
        usable.append(still and all(usable[part] for part in parts))
        if not usable[i] or kind not in FUNCTIONS:
            continue
        with suppress(Refused):  # a part that is not needed may have no value
            if kind == "sqrt":
                inside = evaluate(program, list(parts), jets, beside(()), found)[0]
                root = root_of(inside.value)
                jet = inside.composed(root, (Interval(2) * root).reciprocal)
            else:
                jet = evaluate(program, [i], jets, beside(()), found)[0]
            found[i] = Jet({m: c for m, c in jet.terms.items() if len(m) < 2}) if jet.cut else jet
    return found


def read_number(data: object) -> Interval:
    """Read a number made of square roots."""
    program = Program([])
    node = program.read(data)
    found = evaluate(program, [node], {}, beside(()), constants(program, {}, []))[0].value
    if not known(found):
        raise Refused("a number is not made of square roots of rational ones")
    return found


def read_numbers(data: object, where: str, length: int | None = None) -> list[Interval]:
    """Read a list of them."""
    return [read_number(c) for c in (array(data, where) if length is None else array(data, where, length))]


def same(x: Interval, y: Interval) -> bool:
    """Whether two numbers are equal."""
    return (x - y).is_zero

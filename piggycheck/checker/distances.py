"""Distances of iterates and of their derivatives, in a norm, compared with a bound: one index after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from fractions import Fraction
from operator import mul
from typing import TypeVar

from .arithmetics import Exact, Number, Open, Rounded, form, require_short, spend_product
from .definite import semidefinite
from .effort import spend
from .fixed import norm
from .orbits import Helper, Orbit, Setting
from .rate_bounds import Bound
from .reading import Refused
from .runs import Arithmetic
from .scaled import Scaled

FEWEST_BITS = 64
ENOUGH_BITS = 16_384
DIGITS = 64  # binary ones of a bound, below which a comparison asks for a higher precision at once
MOST_BITS = 200_000
Found = TypeVar("Found")
NORMS = ("max", "frobenius", "spectral")
DIFFERENCE = form({0: Fraction(1), 1: Fraction(-1)}, Fraction(0))


class Coarse(Open):
    """A comparison is not decided because hardly a digit is known."""


def at_most(rows: list[list[int]], size: int, factor: int, kind: str) -> bool:
    """Whether factor * (norm of a matrix of integers) <= size, decided exactly."""
    spend_product(factor.bit_length() + 64, size.bit_length())
    if kind == "max":
        return size >= 0 and factor * max(abs(a) for row in rows for a in row) <= size
    return size >= 0 and square_at_most(rows, size * size, factor * factor, kind)


def square_at_most(rows: list[list[int]], square: int, factor: int, kind: str) -> bool:
    """Whether factor * (norm of a matrix of integers)^2 <= square."""
    bits = max(a.bit_length() for row in rows for a in row)
    for _ in rows:
        spend_product(len(rows[0]) * bits, bits)
    if kind == "max":
        return factor * max(abs(a) for row in rows for a in row) ** 2 <= square
    if kind == "frobenius" or len(rows) == 1 or len(rows[0]) == 1:
        return factor * sum(a * a for row in rows for a in row) <= square
    columns = list(map(list, zip(*rows, strict=True))) if len(rows[0]) <= len(rows) else rows
    width = len(columns)
    spend(len(rows) * len(rows[0]) * width, bits)
    gram = [[factor * sum(map(mul, c, d)) for d in columns] for c in columns]
    return semidefinite(Scaled([[square * (i == j) - gram[i][j] for j in range(width)] for i in range(width)], 1))


class Errors:
    """The errors along an orbit: distances from the fixed point, or from a matrix."""

    def __init__(self, setting: Setting, kind: str, bound: Bound, limit: Limit) -> None:
        self.setting, self.kind, self.bound, self.limit = setting, kind, bound, limit
        self.helper = Helper(setting)
        self.exact: dict[int, bool] = {}

    def first_violation(self, last: int, bits: int) -> int | None:
        """The first index at which the error exceeds the bound; None when it never does, up to the last index."""
        return self.repeated(lambda orbit: self.violation(orbit, last), bits)

    def exceeds(self, last: int, bits: int) -> bool:
        """Whether the error exceeds the bound at an index, and at none before where that is decided."""
        return self.repeated(lambda orbit: self.exceeds_first(orbit, last), bits)

    def repeated(self, follow: Callable[[Orbit], Found], bits: int) -> Found:
        """Follow the orbit, with a higher precision until all is decided; from 0 bits on, first in exact numbers."""
        if not bits:
            with suppress(Open):
                return follow(Orbit(self.setting, self.setting.exact, None))
        bits = max(bits, FEWEST_BITS)
        while True:
            orbit = Orbit(self.setting, Rounded(bits), self.helper)
            with suppress(Open):
                return follow(orbit)
            if 2 * bits > MOST_BITS:
                raise Refused(f"at k = {max(orbit.k, 0)} the comparison, or a guard, is not decided with {bits} bits")
            self.helper.failed.update((orbit.k, orbit.k + 1))
            bits *= 2

    def violation(self, orbit: Orbit, last: int) -> int | None:
        """The first index at which the error exceeds the bound, at one precision."""
        for k in range(last + 1):
            orbit.advance()
            if not self.holds(k, orbit):
                return k
        return None

    def exceeds_first(self, orbit: Orbit, last: int) -> bool:
        """Whether the error exceeds the bound at the last index, at one precision."""
        for k in range(last):
            orbit.advance()
            with suppress(Open):
                if not self.holds(k, orbit):
                    return False
        orbit.advance()
        return not self.holds(last, orbit)

    def holds(self, k: int, orbit: Orbit) -> bool:
        """Whether the error is at most the bound."""
        if k not in self.exact:
            if isinstance(orbit.arithmetic, Exact):
                return self.holds_exactly(k, orbit)
            try:
                return self.holds_surely(k, orbit, orbit.arithmetic)
            except Coarse:
                raise
            except Open:
                self.exact[k] = self.holds_exactly(k, self.helper.at(k))
        return self.exact[k]

    def holds_surely(self, k: int, orbit: Orbit, arithmetic: Rounded) -> bool:
        """By bounds of both sides."""
        b, r = self.bound.value(k, arithmetic)
        entries = self.limit.differences(orbit)
        rows = [[c for c, _ in row] for row in entries]
        radii = [s for row in entries for _, s in row]
        error = r + (max(radii) if self.kind == "max" else norm(radii))
        require_short(b, error)
        if at_most(rows, b - error, 1, self.kind):
            return True
        if not at_most(rows, b + error, 1, self.kind):
            return False
        if error << DIGITS > b and arithmetic.bits < ENOUGH_BITS:
            raise Coarse("a comparison")
        raise Open("a comparison")

    def holds_exactly(self, k: int, orbit: Orbit) -> bool:
        """By integers."""
        b, squared = self.bound.rational(k)
        rows, d = self.limit.integers(orbit)
        if not squared:
            return at_most(rows, b.numerator * d, b.denominator, self.kind)
        if b and self.sign(k) < 0:
            return False
        return square_at_most(rows, b.numerator * d * d, b.denominator, self.kind)

    def sign(self, k: int) -> int:
        """The sign of a bound that is not zero."""
        bits = FEWEST_BITS
        while bits <= MOST_BITS:
            arithmetic = Rounded(bits)
            try:
                return arithmetic.sign(self.bound.value(k, arithmetic))
            except Open:
                bits *= 2
        raise Open("the sign of the bound")


class Limit:
    """What the iterates, or their derivatives, are compared with: rational numbers, row after row."""

    def __init__(self, rows: Sequence[Sequence[Fraction]], derivatives: bool) -> None:
        self.rows, self.derivatives = rows, derivatives
        self.known: tuple[Arithmetic, list[list[Number]]] | None = None

    def values(self, orbit: Orbit) -> list[list[Number]]:
        """The rows of the orbit."""
        if self.derivatives:
            return [row or orbit.zero for row in orbit.J]
        return [[x] for x in orbit.x]

    def numbers(self, arithmetic: Arithmetic) -> list[list[Number]]:
        """The limit in an arithmetic."""
        if self.known is None or self.known[0] is not arithmetic:
            self.known = arithmetic, [[arithmetic.number(a) for a in row] for row in self.rows]
        return self.known[1]

    def differences(self, orbit: Orbit) -> list[list[Number]]:
        """Orbit less limit."""
        combine = orbit.arithmetic.combination
        pairs = zip(self.values(orbit), self.numbers(orbit.arithmetic), strict=True)
        return [[combine(DIFFERENCE, pair) for pair in zip(*rows, strict=True)] for rows in pairs]

    def integers(self, orbit: Orbit) -> tuple[list[list[int]], int]:
        """The same as integers over one denominator."""
        if not isinstance(orbit.arithmetic, Exact):
            raise Open("a difference")
        width = len(self.rows[0])
        values = [a for row in self.values(orbit) for a in row]
        found, denominator = orbit.arithmetic.integers(values, [a for row in self.rows for a in row])
        return [found[i : i + width] for i in range(0, len(found), width)], denominator

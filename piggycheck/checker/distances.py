"""Distances of iterates and of their derivatives, in a norm, compared with a bound: one index after the other."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .arithmetics import Exact, Number, Open, Rounded, form, require_short
from .fixed import norm
from .following import DIGITS, ENOUGH_BITS, Coarse, Following, Track
from .norms import at_most, square_at_most
from .orbits import Orbit, Setting
from .rate_bounds import Bound
from .runs import Arithmetic

DIFFERENCE = form({0: Fraction(1), 1: Fraction(-1)}, Fraction(0))


class Errors(Following):
    """The errors along an orbit, compared with a bound: distances from the fixed point, or from a matrix."""

    def __init__(self, setting: Setting, kind: str, bound: Bound, limit: Limit) -> None:
        super().__init__([setting])
        self.setting, self.kind, self.bound, self.limit = setting, kind, bound, limit

    def holds_surely(self, k: int, track: Track, arithmetic: Rounded) -> bool:
        """By bounds of both sides."""
        b, r = self.bound.value(k, arithmetic)
        entries = self.limit.differences(track.orbits[0])
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

    def holds_exactly(self, k: int, track: Track) -> bool:
        """By integers."""
        b, squared = self.bound.rational(k)
        rows, d = self.limit.integers(track.orbits[0])
        if squared:
            return square_at_most(rows, b.numerator * d * d, b.denominator, self.kind)
        return at_most(rows, b.numerator * d, b.denominator, self.kind)


class Limit:
    """What the iterates, or their derivatives, are compared with: rational numbers, row after row."""

    def __init__(self, rows: Sequence[Sequence[Fraction]], derivatives: bool) -> None:
        self.rows, self.derivatives = rows, derivatives
        self.known: tuple[Arithmetic, list[list[Number]]] | None = None

    def values(self, orbit: Orbit) -> list[list[Number]]:
        """The rows of the orbit."""
        if self.derivatives:
            return [row or orbit.zero for row in orbit.derivative()]
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

"""Several steps along one affine piece at once, by the powers of its matrix below each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import arb, arb_mat, ctx, fmpz, fmpz_mat

from piggycheck.arrays import BallArrays
from piggycheck.rates.adapted import BITS, AdaptedNorm
from piggycheck.rates.parts import UNIT, Fixed, Part, Prepared, shifted, units

__all__ = ["Leap"]

_LEAP = 32


class Leap:
    """Several steps along one piece that fixes the limit: products with powers of its matrix.

    Attributes
    ----------
    stack : fmpz_mat
        The numerators of ``A, A^2, ..., A^_LEAP`` below each other.
    denominators : list of fmpz
    growths : list of int
        The norms of the powers, in units.
    """

    def __init__(self, prepared: Prepared, norm: AdaptedNorm):
        size, power, balls = prepared.A.nrows(), prepared.A, prepared.balls
        rows: list[fmpz] = []
        guards: list[fmpz] = []
        self.denominators: list[fmpz] = []
        self.growths: list[int] = []
        self.guards: list[list[Any]] = []
        denominator = prepared.denominator
        for _ in range(_LEAP):
            rows += power.entries()
            self.denominators.append(denominator)
            self.growths.append(units(norm.coarsely(balls)))
            if prepared.rows is not None:
                seen = prepared.rows * power
                guards += seen.entries()
                self.guards.append(_thresholds(prepared, seen, denominator, norm))
            power, denominator = prepared.A * power, denominator * prepared.denominator
            last = balls
            with ctx.workprec(BITS):
                balls = prepared.balls * balls
        self.growths[-1] = min(self.growths[-1], units(norm.of(last)))
        self.stack = fmpz_mat(size * _LEAP, size, rows)
        self.reaches = [_reach(prepared, i, guard) for i, guard in enumerate(prepared.guards)]
        self.rows = None if prepared.rows is None else fmpz_mat(prepared.rows.nrows() * _LEAP, size, guards)

    def length(self, part: Part) -> int:
        """For how many steps the piece is proved to be used."""
        if self.rows is None:
            return _LEAP
        if self._is_far(part):
            return _LEAP
        values = iter((self.rows * part.X).entries())
        error, scale = part.error, part.scale
        for j, guards in enumerate(self.guards):
            for sign, constant, length in guards:
                value = next(values)
                slack = 2 + (error * length >> 2 * UNIT)
                if constant != 0:
                    value = value + shifted(constant, scale)
                if not sign * value > slack:
                    return j + 1
        return _LEAP

    def _is_far(self, part: Part) -> bool:
        """Whether all guards are so far away that their constants alone decide."""
        if part.scale < 0:
            return False
        entries, uncertain = part.X.entries(), (part.error * part.smallest >> 2 * UNIT) + 1
        bits = max(*(entry.bit_length() for entry in entries), uncertain.bit_length()) + len(entries).bit_length()
        if all(
            sign * constant > 0 and constant.bit_length() + part.scale > 2 + max(reach.bit_length() + bits - UNIT, 2)
            for sign, constant, reach in self.reaches
        ):
            return True
        size = sum(map(abs, entries), start=fmpz(uncertain))
        return all(
            sign * (constant << part.scale) > (reach * size >> UNIT) + 2 for sign, constant, reach in self.reaches
        )

    def take(self, part: Part, count: int) -> Sequence[Fixed] | Passed:
        """Go on, and return what is met on the way."""
        if part.is_zero:
            return [part.fixed()] * count
        before, found = part.error, Passed(self, part)
        part.jump(found[count - 1].numerators, (before * self.growths[count - 1] >> UNIT) + part.rounding)
        return found


class Passed:
    """What is met on several steps that were taken at once."""

    __slots__ = ("before", "columns", "leap", "scale", "size", "smallest", "unit", "values")

    def __init__(self, leap: Leap, part: Part):
        self.leap, self.columns, self.scale = leap, part.columns, part.scale
        self.values, self.size = (leap.stack * part.X).entries(), part.rows * part.columns
        self.before, self.smallest = part.error, part.smallest
        self.unit = (part.rounding * part.smallest >> 2 * UNIT) + 3

    def __getitem__(self, j: int) -> Fixed:
        length = (self.leap.growths[j] * self.smallest >> UNIT) + 1
        error = (self.before * length >> 2 * UNIT) + self.unit
        entries = self.values[j * self.size : (j + 1) * self.size]
        return Fixed(entries, self.columns, self.scale, error, self.leap.denominators[j])


def _reach(prepared: Prepared, i: int, guard: Sequence[Any]) -> list[Any]:
    """A guard's sign, its constant, and how much its row sees of a unit vector in any of the steps, in units."""
    with ctx.workprec(BITS):
        row = arb_mat(1, prepared.rows.ncols(), [prepared.rows[i, j] for j in range(prepared.rows.ncols())])
        largest = arb(0)
        for _ in range(_LEAP):
            largest = largest.max(BallArrays(BITS).length(row))
            row = row * prepared.balls
    return [guard[0], guard[1], units(largest)]


def _thresholds(prepared: Prepared, seen: fmpz_mat, denominator: fmpz, norm: AdaptedNorm) -> list[list[Any]]:
    """For each guard after some steps: its sign, its constant, and the norm of its row, in units."""
    found = []
    for i, (sign, constant, _, _) in enumerate(prepared.guards):
        row = arb_mat(1, seen.ncols(), [seen[i, j] for j in range(seen.ncols())])
        found.append([sign, constant * denominator, units(norm.of_row(row)) + 1])
    return found

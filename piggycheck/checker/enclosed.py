"""The limit of the derivatives where it is irrational: the solution of X = A X + B, in rounded numbers."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from .arithmetics import Exact, Number, Open, Rounded, form
from .distances import Limit
from .orbits import Orbit, Setting
from .reading import Refused, Unreadable
from .runs import Arithmetic, Run

MINUS = form({0: Fraction(1), 1: Fraction(-1)}, Fraction(0))


class Enclosed(Limit):
    """(I - A)^-1 B for the one pair of the map at its fixed point."""

    def __init__(self, setting: Setting) -> None:
        super().__init__([], derivatives=True)
        self.setting, subject = setting, setting.subject
        if len(subject.A) != 1 or not subject.m:
            raise Unreadable("`matrix`, or parameters, are missing")
        subject.require_all_pieces()
        if len(subject.selection) != 1:
            raise Refused("several pieces meet at the fixed point, and the limit is not given")

    def numbers(self, arithmetic: Arithmetic) -> list[list[Number]]:
        """The limit in an arithmetic."""
        if self.known is None or self.known[0] is not arithmetic:
            if isinstance(arithmetic, Exact):
                raise Open("an irrational limit")
            self.known = arithmetic, solved(self.rows_of_system(arithmetic), len(self.setting.map.state), arithmetic)
        return self.known[1]

    def rows_of_system(self, arithmetic: Rounded) -> list[list[Number]]:
        """The rows of [I - A, B]."""
        map_, point = self.setting.map, self.setting.subject.point
        one, zero = (arithmetic.number(Fraction(c)) for c in (1, 0))
        units = {name: [one if name == other else zero for other in map_.names] for name in map_.names}
        numbers = {name: arithmetic.number(x) for name, x in point.items()}
        run, p = Run(self.setting.forms, arithmetic, numbers, dict(units)), len(map_.state)
        slopes = [run.tangent(node) or [zero] * len(map_.names) for node in map_.next]
        return identity_less(slopes, p, arithmetic)

    def integers(self, orbit: Orbit) -> tuple[list[list[int]], int]:
        """There are none."""
        raise Open("an irrational limit")


def identity_less(pair: list[list[Number]], n: int, arithmetic: Arithmetic) -> list[list[Number]]:
    """The rows of [I - A, B], from those of [A, B]."""
    one, zero = (arithmetic.number(Fraction(c)) for c in (1, 0))
    return [
        [*(arithmetic.combination(MINUS, [one if i == j else zero, a]) for j, a in enumerate(row[:n])), *row[n:]]
        for i, row in enumerate(pair)
    ]


def solved(rows: list[list[Number]], n: int, arithmetic: Arithmetic) -> list[list[Number]]:
    """The solution of a linear system, by elimination with the largest pivots."""
    for k in range(n):
        largest = max(range(k, n), key=lambda i: least(rows[i][k]))
        rows[k], rows[largest] = rows[largest], rows[k]
        pivot = arithmetic.reciprocal(rows[k][k])
        rows[k] = [arithmetic.times(pivot, a) for a in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = without(rows[i], rows[i][k], rows[k], arithmetic)
    return [row[n:] for row in rows]


def least(x: Number) -> Number:
    """What the absolute value of a rounded number is at least; that of a rational one."""
    return abs(x) if isinstance(x, Fraction) else abs(x[0]) - x[1]


def without(row: Sequence[Number], factor: Number, other: Sequence[Number], arithmetic: Arithmetic) -> list[Number]:
    """A row less a multiple of another."""
    return [arithmetic.combination(MINUS, [a, arithmetic.times(factor, b)]) for a, b in zip(row, other, strict=True)]

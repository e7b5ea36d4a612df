"""Iterates from a start, and their derivatives: in rounded numbers, or in exact ones where those do not decide."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from fractions import Fraction
from functools import cached_property
from math import lcm

from .arithmetics import Exact, Number, Open, Powers, form
from .effort import MOST_WORK, spent
from .forms import Forms
from .matrices import equal
from .pieces import Patterns
from .reading import Refused, Unreadable
from .runs import Arithmetic, Run, Tangent, Tie
from .subject import FixedPoint, Pair

SOON = 200  # exact iterates that are computed at once
DIVISIONS = ("reciprocal", "sqrt", "exp", "log")
OF_EXACT = 0.4 * MOST_WORK


class Ambiguous(Refused):
    """The derivatives of an iterate are not one matrix."""


class Setting:
    """A map with a start: its forms, and which arithmetic is exact on it."""

    def __init__(self, subject: FixedPoint, derivatives: bool) -> None:
        self.subject, self.map, self.derivatives = subject, subject.map, derivatives
        if self.map.start is None:
            raise Unreadable("`start` is missing")
        self.start = self.map.start
        self.forms = Forms(self.map.program, {} if derivatives else self.map.at)
        self.pairs: dict[int, Pair] = {}

    @cached_property
    def exact(self) -> Exact:
        """Rational numbers; over powers of one denominator where nothing is divided."""
        needed = self.forms.needed([*self.start, *self.map.next])
        if any(self.map.program.nodes[i].kind in DIVISIONS and self.forms.terms(i)[0] for i in needed):
            return Exact()
        numbers = [self.forms.of(i)[0].denominator for i in needed]
        return Powers(lcm(*numbers, *(x.denominator for x in self.map.at.values())))

    def shared_pair(self, k: int, nodes: list[int], point: Mapping[str, Fraction]) -> Pair:
        """The Jacobian pair of every piece at iterate k; of the start, with k = -1 and A empty."""
        if k not in self.pairs:
            self.pairs[k] = self.pair(k, nodes, point)
        return self.pairs[k]

    def pair(self, k: int, nodes: list[int], point: Mapping[str, Fraction]) -> Pair:
        """Run through all pieces at a point."""
        map_, cut = self.map, 0 if k < 0 else len(self.map.state)
        moving = map_.parameters if k < 0 else map_.names
        values, found = map_.value(nodes, point), list[Pair]()
        for pattern in Patterns(interior=True).run(map_.program, nodes, map_.jets(point, moving)):
            outputs = pattern.outputs
            if outputs is None or not all(jet.value.within(v) for jet, v in zip(outputs, values, strict=True)):
                raise Ambiguous(f"beside iterate {k} a piece has no value, or another one")
            slopes = [jet.slopes(len(moving)) for jet in outputs]
            if not all(c.exact for row in slopes for c in row):
                raise Ambiguous(f"where a guard vanishes at iterate {k}, the derivatives are irrational")
            found.append(([row[:cut] for row in slopes], [row[cut:] for row in slopes]))
            if not all(map(equal, found[0], found[-1])):
                raise Ambiguous(f"at iterate {k} pieces with different derivatives meet")
        if not found:
            raise Ambiguous(f"at iterate {k} there is no piece")
        return found[0]


class Orbit:
    """The iterates one after the other, with their Jacobians in the parameters, in numbers of an arithmetic."""

    def __init__(self, setting: Setting, arithmetic: Arithmetic, helper: Helper | None) -> None:
        self.setting, self.arithmetic, self.helper = setting, arithmetic, helper
        self.at = {name: arithmetic.number(x) for name, x in setting.map.at.items()}
        self.k = -1
        self.x: list[Number] = []
        self.J: list[Tangent] = []
        zero, one = (arithmetic.number(Fraction(c)) for c in (0, 1))
        m = setting.subject.m
        self.zero = [zero] * m
        self.units: list[Tangent] = [[one if i == j else zero for j in range(m)] for i in range(m)]

    def run(self, tangents: bool = False) -> Run:
        """The evaluation at the last iterate; before the start, at the parameters."""
        map_, names = self.setting.map, dict(self.at)
        moving: dict[str, Tangent] = dict(zip(map_.parameters, self.units, strict=True))
        if self.k >= 0:
            names |= zip(map_.state, self.x, strict=True)
            moving |= zip(map_.state, self.J, strict=True) if tangents else ()
        helper, k = self.helper, self.k
        settle = None if helper is None else lambda node: helper.sign(k, node)
        return Run(self.setting.forms, self.arithmetic, names, moving if tangents else None, settle)

    def advance(self) -> None:
        """Go to the next iterate; first, to the start."""
        nodes = self.setting.start if self.k < 0 else self.setting.map.next
        x, J = self.image(nodes)
        self.x = [self.arithmetic.shortened(a) for a in x]
        self.J = [None if row is None else [self.arithmetic.shortened(a) for a in row] for row in J]
        self.k += 1

    def image(self, nodes: list[int]) -> tuple[list[Number], list[Tangent]]:
        """The values of nodes, and their derivatives; where guards vanish, those that all pieces there share."""
        if self.setting.derivatives:
            with suppress(Tie):
                run = self.run(tangents=True)
                return [run.value(i) for i in nodes], [run.tangent(i) for i in nodes]
        run = self.run()
        return [run.value(i) for i in nodes], self.tied(nodes) if self.setting.derivatives else []

    def tied(self, nodes: list[int]) -> list[Tangent]:
        """The derivatives where guards vanish."""
        point = self.point() if self.helper is None else self.helper.at(self.k).point()
        A, B = self.setting.shared_pair(self.k, nodes, point)
        rows: list[Tangent] = []
        for a, b in zip(A, B, strict=True):
            factors = {i: c.lo for i, c in enumerate(a) if not c.is_zero}
            columns = list(zip(*(self.J[i] or self.zero for i in factors), strict=True)) or [()] * len(b)
            forms = [form(factors, c.lo) for c in b]
            rows.append([self.arithmetic.combination(f, column) for f, column in zip(forms, columns, strict=True)])
        return rows

    def point(self) -> dict[str, Fraction]:
        """The last iterate, in exact arithmetic, and the parameters."""
        assert isinstance(self.arithmetic, Exact)
        x = zip(self.setting.map.state, self.x, strict=True) if self.k >= 0 else ()
        return self.setting.map.at | {name: self.arithmetic.fraction(a) for name, a in x}


class Helper:
    """The orbit in exact numbers, as far as they are affordable, for what rounded numbers do not decide."""

    def __init__(self, setting: Setting) -> None:
        self.setting = setting
        self.orbit: Orbit | None = None
        self.work = 0.0
        self.signs: dict[tuple[int, int], int] = {}
        self.failed: set[int] = set()

    def sign(self, k: int, node: int) -> int:
        """The sign of a guard at an iterate."""
        if (k, node) not in self.signs:
            orbit = self.at(k)
            self.signs[k, node] = orbit.arithmetic.sign(orbit.run().value(node))
        return self.signs[k, node]

    def at(self, k: int) -> Orbit:
        """The orbit at an iterate, unless a higher precision is to be tried first."""
        reached = -1 if self.orbit is None else self.orbit.k
        if reached > k or not (k <= reached + SOON or k in self.failed):
            raise Open("an exact iterate is not at hand")
        if self.orbit is None:
            self.orbit = Orbit(self.setting, self.setting.exact, None)
        while self.orbit.k < k:
            if self.work > OF_EXACT:
                raise Open("exact iterates cost too much")
            before = spent()
            try:
                self.orbit.advance()
            except Ambiguous:
                raise
            except (Open, Refused):
                self.work = 2 * OF_EXACT
                raise Open("an exact iterate cannot be had") from None
            self.work += spent() - before
        return self.orbit

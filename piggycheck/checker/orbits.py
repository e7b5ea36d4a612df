"""Iterates from a start, and their derivatives: in rounded numbers, or in exact ones where those do not decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from functools import cached_property
from math import lcm
from typing import Protocol

from .arithmetics import Exact, Number, Open, Powers, form
from .effort import MOST_WORK, spent
from .forms import Forms
from .matrices import equal
from .pieces import Patterns
from .reading import Refused, Unreadable
from .runs import Arithmetic, Run, Tangent, Tie
from .subject import FixedPoint, Pair

START, LIMIT = -1, -2  # in the place of an index
SOON = 200  # exact iterates that are computed at once
DIVISIONS = ("reciprocal", "sqrt", "exp", "log")
OF_EXACT = 0.4 * MOST_WORK


class Ambiguous(Refused):
    """The derivatives of an iterate are not one matrix."""


class Setting:
    """A map with a start: its forms, and which arithmetic is exact on it."""

    def __init__(self, subject: FixedPoint, derivatives: bool, outputs: Sequence[int] = ()) -> None:
        self.subject, self.map, self.derivatives, self.outputs = subject, subject.map, derivatives, list(outputs)
        if self.map.start is None:
            raise Unreadable("`start` is missing")
        self.start = self.map.start
        self.forms = Forms(self.map.program, {} if derivatives else self.map.at)
        self.pairs: dict[tuple[int, ...], Pair] = {}

    def orbit(self, arithmetic: Arithmetic, helper: Settled | None) -> Orbit:
        """The orbit in numbers of an arithmetic, before its start."""
        return Orbit(self, arithmetic, helper)

    @cached_property
    def exact(self) -> Exact:
        """Rational numbers; over powers of one denominator where nothing is divided."""
        needed = self.forms.needed([*self.start, *self.map.next, *self.outputs])
        if any(self.map.program.nodes[i].kind in DIVISIONS and self.forms.terms(i)[0] for i in needed):
            return Exact()
        numbers = [self.forms.of(i)[0].denominator for i in needed]
        return Powers(lcm(*numbers, *(x.denominator for x in self.map.at.values())))

    def shared_pair(self, k: int, nodes: list[int], point: Mapping[str, Fraction]) -> Pair:
        """The Jacobian pair of every piece at iterate k; of the start, with k = START and A empty."""
        key = (k, *nodes)
        if key not in self.pairs:
            self.pairs[key] = self.pair(k, nodes, point)
        return self.pairs[key]

    def pair(self, k: int, nodes: list[int], point: Mapping[str, Fraction]) -> Pair:
        """Run through all pieces at a point."""
        map_, cut = self.map, 0 if k == START else len(self.map.state)
        moving = map_.parameters if k == START else map_.names
        where = "the limit" if k == LIMIT else f"iterate {k}"
        values, found = map_.value(nodes, point), list[Pair]()
        for pattern in Patterns(interior=True).run(map_.program, nodes, map_.jets(point, moving)):
            outputs = pattern.outputs
            if outputs is None or not all(jet.value.within(v) for jet, v in zip(outputs, values, strict=True)):
                raise Ambiguous(f"beside {where} a piece has no value, or another one")
            slopes = [jet.slopes(len(moving)) for jet in outputs]
            if not all(c.exact for row in slopes for c in row):
                raise Ambiguous(f"where a guard vanishes at {where}, the derivatives are irrational")
            found.append(([row[:cut] for row in slopes], [row[cut:] for row in slopes]))
            if not all(map(equal, found[0], found[-1])):
                raise Ambiguous(f"at {where} pieces with different derivatives meet")
        if not found:
            raise Ambiguous(f"at {where} there is no piece")
        return found[0]


class Orbit:
    """The iterates one after the other, with their Jacobians in the parameters, in numbers of an arithmetic."""

    def __init__(self, setting: Setting, arithmetic: Arithmetic, helper: Settled | None) -> None:
        self.setting, self.arithmetic, self.helper = setting, arithmetic, helper
        self.at = {name: arithmetic.number(x) for name, x in setting.map.at.items()}
        self.k = START
        self.x: list[Number] = []
        self.J: list[Tangent] = []
        self.zero, self.units = [arithmetic.number(Fraction(0))] * setting.subject.m, self.unit(setting.map.parameters)

    def unit(self, names: Sequence[str]) -> dict[str, Tangent]:
        """Names that move, each on its own."""
        zero, one = (self.arithmetic.number(Fraction(c)) for c in (0, 1))
        return {name: [one if name == other else zero for other in names] for name in names}

    def run(self, moving: Mapping[str, Tangent] | None = None) -> Run:
        """The evaluation at the last iterate; before the start, at the parameters."""
        names = dict(self.at)
        if self.k != START:
            names |= zip(self.setting.map.state, self.x, strict=True)
        helper, k = self.helper, self.k
        settle = None if helper is None else lambda node: helper.sign(k, node)
        return Run(self.setting.forms, self.arithmetic, names, moving, settle)

    def along(self, J: list[Tangent]) -> dict[str, Tangent]:
        """The parameters as names that move, and the state with them."""
        return self.units | (dict(zip(self.setting.map.state, J, strict=True)) if self.k != START else {})

    def advance(self) -> None:
        """Go to the next iterate; first, to the start."""
        nodes = self.setting.start if self.k == START else self.setting.map.next
        x, J = self.image(nodes)
        self.x = [self.arithmetic.shortened(a) for a in x]
        self.J = [None if row is None else [self.arithmetic.shortened(a) for a in row] for row in J]
        self.k += 1

    def image(self, nodes: list[int]) -> tuple[list[Number], list[Tangent]]:
        """The values of nodes, and their derivatives; where guards vanish, those that all pieces there share."""
        if self.setting.derivatives:
            with suppress(Tie):
                run = self.run(self.along(self.J))
                return [run.value(i) for i in nodes], [run.tangent(i) for i in nodes]
        return self.values(nodes), self.tied(nodes, self.J) if self.setting.derivatives else []

    def values(self, nodes: list[int]) -> list[Number]:
        """The values of nodes."""
        run = self.run()
        return [run.value(i) for i in nodes]

    def derivative(self) -> list[Tangent]:
        """The Jacobian of the last iterate, or what is taken for it."""
        return self.J

    def pushed(self, nodes: list[int], J: list[Tangent]) -> list[Tangent]:
        """The derivatives of nodes at the last iterate."""
        with suppress(Tie):
            run = self.run(self.along(J))
            return [run.tangent(i) for i in nodes]
        return self.tied(nodes, J)

    def pair(self) -> list[list[Number]]:
        """The rows of the Jacobian pair at the last iterate."""
        map_, number = self.setting.map, self.arithmetic.number
        with suppress(Tie):
            run = self.run(self.unit(map_.names))
            zero = [number(Fraction(0))] * len(map_.names)
            return [run.tangent(i) or zero for i in map_.next]
        A, B = self.shared_pair(map_.next)
        return [[number(c.lo) for c in (*a, *b)] for a, b in zip(A, B, strict=True)]

    def shared_pair(self, nodes: list[int]) -> Pair:
        """The derivatives of nodes where guards vanish."""
        point = self.point() if self.helper is None else self.helper.at(self.k).point()
        return self.setting.shared_pair(self.k, nodes, point)

    def tied(self, nodes: list[int], J: list[Tangent]) -> list[Tangent]:
        """The derivatives along the parameters where guards vanish."""
        A, B = self.shared_pair(nodes)
        rows: list[Tangent] = []
        for a, b in zip(A, B, strict=True):
            factors = {i: c.lo for i, c in enumerate(a) if not c.is_zero}
            columns = list(zip(*(J[i] or self.zero for i in factors), strict=True)) or [()] * len(b)
            forms = [form(factors, c.lo) for c in b]
            rows.append([self.arithmetic.combination(f, column) for f, column in zip(forms, columns, strict=True)])
        return rows

    def point(self) -> dict[str, Fraction]:
        """The last iterate, in exact arithmetic, and the parameters."""
        assert isinstance(self.arithmetic, Exact)
        x = zip(self.setting.map.state, self.x, strict=True) if self.k != START else ()
        return self.setting.map.at | {name: self.arithmetic.fraction(a) for name, a in x}


class Settled(Protocol):
    """What decides where rounded numbers do not."""

    def sign(self, k: int, node: int) -> int:
        """The sign of a guard at an iterate."""

    def at(self, k: int) -> Orbit:
        """The orbit at an iterate, in exact numbers."""


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
        reached = START if self.orbit is None else self.orbit.k
        if reached > k or not (k <= reached + SOON or k in self.failed):
            raise Open("an exact iterate is not at hand")
        if self.orbit is None:
            self.orbit = self.setting.orbit(self.setting.exact, None)
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

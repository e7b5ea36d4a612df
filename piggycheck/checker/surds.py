"""Numbers made of rational ones with square roots: exactly, as polynomials in the roots."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from .effort import spend
from .intervals import Interval
from .pieces import beside, evaluate
from .program import Program
from .reading import Refused

Surd = dict[int, Fraction]  # coefficients of products of different roots, which are sets as binary digits

MOST_ROOTS = 8


class Surds:
    """A number as text: an enclosure, and its arithmetic modulo the equations of its square roots."""

    def __init__(self, text: Any) -> None:
        self.program = Program([])
        self.node = self.program.read(text)
        self.roots: list[Surd] = []  # their squares
        self.known: dict[int, Surd] = {}

    @property
    def enclosure(self) -> Interval:
        """Bounds of the number."""
        return evaluate(self.program, [self.node], {}, beside(()))[0].value

    def times(self, a: Surd, b: Surd) -> Surd:
        """The product."""
        spend(40 * len(a) * len(b))
        total: Surd = {}
        for x, c in a.items():
            for y, d in b.items():
                part: Surd = {x ^ y: c * d}
                for i in range(len(self.roots)):
                    if x & y & 1 << i:
                        part = self.times(part, self.roots[i])
                total = plus(total, part)
        return total

    def of(self, i: int) -> Surd:
        """The value of a node."""
        if i not in self.known:
            self.known[i] = self.compute(i)
        return self.known[i]

    def compute(self, i: int) -> Surd:
        """The value, from those of the parts."""
        kind, parts, data = self.program.nodes[i]
        match kind:
            case "number":
                return {0: data} if data else {}
            case "negative":
                return {x: -c for x, c in self.of(parts[0]).items()}
            case "sum":
                return self.folded(plus, parts, {})
            case "product":
                return self.folded(self.times, parts, {0: Fraction(1)})
            case "power":
                return self.folded(self.times, parts * data, {0: Fraction(1)})
            case "reciprocal":
                a = self.of(parts[0])
                if set(a) == {0}:
                    return {0: 1 / a[0]}
            case "sqrt" if len(self.roots) < MOST_ROOTS:
                self.roots.append(self.of(parts[0]))
                return {1 << len(self.roots) - 1: Fraction(1)}
        raise Refused("the value is not made of rational numbers by sums, products and a few square roots")

    def folded(self, combine: Callable[[Surd, Surd], Surd], parts: tuple[int, ...], first: Surd) -> Surd:
        """The parts, one after the other."""
        for part in parts:
            first = combine(first, self.of(part))
        return first

    def is_root(self, polynomial: list[Fraction]) -> bool:
        """Whether a polynomial, the constant coefficient first, is shown to vanish at the number."""
        x, total = self.of(self.node), Surd()
        for c in reversed(polynomial):
            total = plus(self.times(total, x), {0: c})
        return not any(total.values())


def plus(a: Surd, b: Surd) -> Surd:
    """The sum."""
    total = dict(a)
    for x, c in b.items():
        total[x] = total.get(x, Fraction(0)) + c
    return {x: c for x, c in total.items() if c}

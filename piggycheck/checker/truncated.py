"""Polynomials in displacements, cut off: the first derivatives of a program at a point, or all over a box."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import reduce
from math import comb
from typing import Any

from .effort import spend
from .intervals import ONE, ZERO, Interval, exponential, logarithm, monotone, square_root
from .jets import Monomial
from .pieces import Gap
from .program import Program
from .reading import Refused

ALONG = -1  # the displacement along a direction, of which first powers are kept


class Truncated:
    """A polynomial with intervals for coefficients: first powers along the direction, a few of the others together."""

    __slots__ = ("most", "moving", "terms")

    def __init__(self, terms: Mapping[Monomial, Interval], most: int, moving: bool) -> None:
        self.terms = {m: c for m, c in terms.items() if not c.is_zero}
        self.most, self.moving = most, moving

    @property
    def value(self) -> Interval:
        """Its value where nothing is displaced."""
        return self.at()

    def at(self, *monomial: int) -> Interval:
        """A coefficient."""
        return self.terms.get(monomial, ZERO)

    def keeps(self, monomial: Monomial) -> bool:
        """Whether a monomial is not cut off."""
        along = monomial.count(ALONG)
        return along < 2 and len(monomial) - along <= self.most

    def __add__(self, other: Truncated) -> Truncated:
        terms = dict(self.terms)
        for m, c in other.terms.items():
            terms[m] = terms[m] + c if m in terms else c
        return Truncated(terms, self.most, self.moving or other.moving)

    def __mul__(self, other: Truncated) -> Truncated:
        spend(len(self.terms) * len(other.terms), 512)
        terms: dict[Monomial, Interval] = {}
        for m, c in self.terms.items():
            for n, d in other.terms.items():
                key = tuple(sorted(m + n))
                if self.keeps(key):
                    terms[key] = terms[key] + c * d if key in terms else c * d
        return Truncated(terms, self.most, self.moving or other.moving)

    def __neg__(self) -> Truncated:
        return Truncated({m: -c for m, c in self.terms.items()}, self.most, self.moving)

    def composed(self, function: str, exponent: int = 0) -> Truncated:
        """A function of it, by the Taylor polynomial around its value."""
        order = self.most + 1 if self.moving else 0
        coefficients = taylor(function, exponent, self.value, order)
        rest = Truncated({m: c for m, c in self.terms.items() if m}, self.most, self.moving)
        total = Truncated({(): coefficients[-1]}, self.most, self.moving)
        for c in coefficients[-2::-1]:
            total = total * rest + Truncated({(): c}, self.most, self.moving)
        return total


def taylor(function: str, exponent: int, v: Interval, order: int) -> list[Interval]:
    """The derivatives of a function at v, each divided by the factorial of its order."""
    if function == "power":
        return [Interval(comb(exponent, i)) * v.power(exponent - i) for i in range(min(order, exponent) + 1)]
    if function == "exp":
        found, factors = [monotone(exponential, v)], [Interval(Fraction(1, i + 1)) for i in range(order)]
    elif function == "reciprocal":
        found = [v.reciprocal()]
        factors = [-found[0]] * order
    elif function == "sqrt":
        found, halves = [monotone(square_root, v)], [Fraction(1 - 2 * i, 2 * i + 2) for i in range(order)]
        factors = [Interval(half) * v.reciprocal() for half in halves]
    else:
        found = [monotone(logarithm, v)]
        return found + [Interval(Fraction((-1) ** (i + 1), i)) * v.reciprocal().power(i) for i in range(1, order + 1)]
    for factor in factors:
        found.append(found[-1] * factor)
    return found


class Expansion:
    """The nodes of a program, each once, where the names have given expansions and no guard that moves vanishes."""

    def __init__(self, program: Program, names: Mapping[str, Truncated], most: int) -> None:
        self.program, self.names, self.most = program, names, most
        self.known: dict[int, Truncated] = {}

    def of(self, i: int) -> Truncated:
        """The expansion of a node."""
        if i not in self.known:
            self.known[i] = self.compute(*self.program.nodes[i])
        return self.known[i]

    def compute(self, kind: str, parts: tuple[int, ...], data: Any) -> Truncated:
        """The expansion, from those of the parts."""
        match kind:
            case "number":
                return Truncated({(): Interval(data)}, self.most, moving=False)
            case "name":
                return self.names[data]
            case "piecewise":
                pairs = zip(parts[::2], parts[1::2], strict=True)
                found = next((value for value, condition in pairs if self.truth(condition)), None)
                if found is None:
                    raise Gap("no branch of a Piecewise applies")
                return self.of(found)
            case "switch":
                return self.of(parts[self.sign(parts[0]) + 2])
            case "sum":
                return reduce(Truncated.__add__, map(self.of, parts))
            case "product":
                return reduce(Truncated.__mul__, map(self.of, parts))
            case "negative":
                return -self.of(parts[0])
        return self.of(parts[0]).composed(kind, data or 0)

    def sign(self, guard: int) -> int:
        """The sign of a guard, which it keeps everywhere nearby."""
        found = self.of(guard)
        sign = found.value.sign()
        if found.moving and not sign:
            raise Refused("a guard vanishes, so that pieces meet")
        return sign

    def truth(self, i: int) -> bool:
        """Whether a condition holds."""
        return self.program.holds(i, lambda guard, signs: self.sign(guard) in signs)


def expanded(
    program: Program,
    outputs: Sequence[int],
    point: Mapping[str, Interval],
    moving: Sequence[str],
    direction: Mapping[str, Fraction],
    most: int,
) -> list[Truncated]:
    """Expand outputs at all points of a box, in the moving names up to a degree, and once along a direction.

    The coefficient of a monomial is the partial derivative divided by the factorials of its exponents.
    """
    names = {}
    for name, x in point.items():
        slope = Interval(direction.get(name, 0))
        terms = {(): x, (ALONG,): slope}
        if name in moving:
            terms[(moving.index(name),)] = ONE
        names[name] = Truncated(terms, most, moving=name in moving or not slope.is_zero)
    expansion = Expansion(program, names, most)
    return [expansion.of(i) for i in outputs]

"""Programs in an arithmetic: values of nodes, and their derivatives along tangents of the names."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction

from .arithmetics import Exact, Form, Number, Open, Rounded, form
from .forms import Forms
from .pieces import Gap, outcome_of
from .reading import Refused

Arithmetic = Rounded | Exact
Tangent = list[Number] | None  # None for zero


class Tie(Exception):
    """A guard vanishes, so that the derivative is that of every piece that meets there."""


class Run:
    """One evaluation: numbers for the names, and their tangents; where a guard is zero, in a way of its own."""

    def __init__(
        self,
        forms: Forms,
        arithmetic: Arithmetic,
        names: Mapping[str, Number],
        tangents: Mapping[str, Tangent] | None = None,
        settle: Callable[[int], int] | None = None,
    ) -> None:
        self.forms, self.arithmetic, self.names = forms, arithmetic, names
        self.tangents, self.settle = tangents, settle
        self.values: dict[int, Number] = {}
        self.atoms: dict[int, Number] = {}
        self.slopes: dict[int, Tangent] = {}
        self.chosen: dict[int, int] = {}
        self.exponents: dict[int, Fraction] = {}

    def value(self, i: int) -> Number:
        """The value of a node."""
        if i not in self.values:
            f, _ = self.forms.of(i)
            if f.atoms == (i,):
                self.values[i] = self.atom(i)
            else:
                self.values[i] = self.arithmetic.combination(f, [self.atom(atom) for atom in f.atoms])
        return self.values[i]

    def atom(self, i: int) -> Number:
        """The value of a node that is not affine in others."""
        if i not in self.atoms:
            self.atoms[i] = self.compute(i)
        return self.atoms[i]

    def compute(self, i: int) -> Number:
        """The value, from those of the parts."""
        kind, parts, data = self.forms.program.nodes[i]
        match kind:
            case "name":
                return self.names[data]
            case "switch" | "piecewise":
                self.chosen[i] = self.choice(i)
                return self.value(self.chosen[i])
        a = self.value(parts[0])
        match kind:
            case "product":
                for part in parts[1:]:
                    a = self.arithmetic.times(a, self.value(part))
                return a
            case "power":
                return self.power(a, data)
            case "raised":
                return self.raised(i, *parts)
            case "reciprocal":
                return self.arithmetic.reciprocal(a)
            case "sqrt":
                return self.arithmetic.square_root(a)
            case "exp":
                return self.arithmetic.exponential(a)
        return self.arithmetic.logarithm(a)

    def power(self, x: Number, n: int) -> Number:
        """The n-th power, n >= 0, by squaring."""
        result = None
        while n:
            if n & 1:
                result = x if result is None else self.arithmetic.times(result, x)
            n >>= 1
            x = self.arithmetic.times(x, x) if n else x
        return self.arithmetic.number(Fraction(1)) if result is None else result

    def raised(self, i: int, base: int, exponent: int) -> Number:
        """A power with an exponent that is not written as a number."""
        raise Refused("an exponent that is not a number")

    def choice(self, i: int) -> int:
        """The node that a switch or a Piecewise takes."""
        kind, parts, _ = self.forms.program.nodes[i]
        if kind == "switch":
            outcomes = [tuple(s for s in (-1, 0, 1) if parts[s + 2] == v) for v in dict.fromkeys(parts[1:])]
            if len(outcomes) == 1:
                return parts[1]
            return parts[outcome_of(outcomes, self.sign(parts[0]))[0] + 2]
        for value, condition in zip(parts[::2], parts[1::2], strict=True):
            if self.truth(condition):
                return value
        raise Gap("no branch of a Piecewise applies")

    def truth(self, i: int) -> bool:
        """Whether a condition holds."""
        return self.forms.program.holds(i, lambda guard, signs: self.sign(guard) in signs)

    def sign(self, i: int) -> int:
        """The sign of a guard; a tie matters for derivatives, where names move it."""
        try:
            found = self.arithmetic.sign(self.value(i))
        except Open:
            if self.settle is None:
                raise
            found = self.settle(i)
        if not found and self.tangents is not None and self.forms.moves(i):
            raise Tie
        return found

    def tangent(self, i: int) -> Tangent:
        """The derivatives of a node along the tangents."""
        if i not in self.slopes:
            self.value(i)
            _, f = self.forms.of(i)
            if f.atoms == (i,):
                self.slopes[i] = self.slope(i)
            else:
                self.slopes[i] = self.combined(f, [self.tangent(atom) for atom in f.atoms])
        return self.slopes[i]

    def combined(self, f: Form, tangents: Sequence[Tangent]) -> Tangent:
        """A form of tangents."""
        size = next((len(t) for t in tangents if t is not None), 0)
        if not size:
            return None
        zero = [self.arithmetic.number(Fraction(0))] * size
        columns = zip(*(zero if t is None else t for t in tangents), strict=True)
        return [self.arithmetic.combination(f, column) for column in columns]

    def slope(self, i: int) -> Tangent:
        """The derivatives of a node that is not affine in others."""
        kind, parts, data = self.forms.program.nodes[i]
        if kind == "name":
            return (self.tangents or {}).get(data)
        if kind in ("switch", "piecewise"):
            self.atom(i)
            return self.tangent(self.chosen[i])
        if kind == "product":
            return self.of_product(parts)
        t = self.tangent(parts[0])
        if t is None or (kind == "power" and not data):
            return None
        factor, times = self.factor(i, kind, self.value(parts[0]), data), self.arithmetic.times
        return [times(factor, a) for a in t]

    def factor(self, i: int, kind: str, a: Number, data: int) -> Number:
        """The derivative of a function of one variable."""
        arithmetic = self.arithmetic
        match kind:
            case "power":
                return arithmetic.times(arithmetic.number(Fraction(data)), self.power(a, data - 1))
            case "reciprocal":
                r = self.atom(i)
                return arithmetic.times(arithmetic.number(Fraction(-1)), arithmetic.times(r, r))
            case "sqrt":
                return arithmetic.reciprocal(arithmetic.times(arithmetic.number(Fraction(2)), self.atom(i)))
            case "exp":
                return self.atom(i)
            case "log":
                return arithmetic.reciprocal(a)
        raise Refused(f"the derivative of a {kind}")

    def of_product(self, parts: Sequence[int]) -> Tangent:
        """The derivatives of a product, factor after factor."""
        times, plus = self.arithmetic.times, form({0: Fraction(1), 1: Fraction(1)}, Fraction(0))
        value, total = self.value(parts[0]), self.tangent(parts[0])
        for part in parts[1:]:
            other, t = self.value(part), self.tangent(part)
            first = None if total is None else [times(a, other) for a in total]
            second = None if t is None else [times(value, a) for a in t]
            total = second if first is None else first if second is None else self.combined(plus, [first, second])
            value = times(value, other)
        return total

"""Bounds in k: expressions with powers whose exponents contain k, as numbers of an arithmetic and as sums of terms."""

from __future__ import annotations

import ast
from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from .arithmetics import Exact, Number, Open, Rounded, form
from .forms import Forms
from .intervals import ONE, ZERO, Interval, exponential, logarithm, monotone, power, square_root
from .program import Program
from .reading import Refused, Unreadable
from .runs import Arithmetic, Run

LONGEST_EXPONENT = 64  # bits
LONGEST = 1_000_000  # bits of a power
NEAR = 8  # exponents apart
MOST_TERMS = 400

Powers = dict[tuple[int, bool], tuple[int, Number]]  # of nodes and signs, the exponent and power computed last
Find = Callable[[str], Number]  # of a name, the value


class Term(NamedTuple):
    """c k^d r^k with r > 0, or that times the error that has a name."""

    c: Interval
    d: int = 0
    r: Interval = ONE
    name: str = ""


class BoundProgram(Program):
    """Expressions in k, of which the exponents may be expressions, too."""

    def power(self, base: int, exponent: ast.expr) -> int:
        """A power; one whose exponent is not a number is a node of its own."""
        try:
            return super().power(base, exponent)
        except Unreadable:
            return self.add("raised", base, self.number(exponent, 0))


def unknown(name: str) -> Number:
    """What a name stands for, where it has no number."""
    raise Open(f"a value of {name}")


class BoundForms(Forms):
    """Affine forms, in which an error that cancels has to exist, too."""

    def partial(self, i: int) -> bool:
        """Whether a node may have no value somewhere."""
        return super().partial(i) or self.program.nodes[i].data != "k"


class Bound:
    """A bound in k, and in names of sequences."""

    def __init__(self, text: Any, names: Sequence[str] = ()) -> None:
        self.program = BoundProgram(["k", *names])
        self.node = self.program.read(text)
        self.forms = BoundForms(self.program, {})
        self.exact, self.powers = Exact(), Powers()
        self.known: tuple[Arithmetic | None, Powers] = None, {}

    @property
    def names(self) -> set[str]:
        """The sequences that it names."""
        return {data for kind, _, data in self.program.nodes if kind == "name"} - {"k"}

    def value(self, k: int, arithmetic: Arithmetic, find: Find = unknown) -> Number:
        """Its value at an integer; powers are remembered for the next one."""
        if self.known[0] is not arithmetic:
            self.known = arithmetic, {}
        return BoundRun(self.forms, arithmetic, k, self.known[1], find).value(self.node)

    def rational(self, k: int, find: Find = unknown, square: Find = unknown) -> tuple[Fraction, bool]:
        """Its rational value, or its rational square, with its sign, and True."""
        run = BoundRun(self.forms, self.exact, k, self.powers, find, square)
        try:
            return run.value(self.node), False
        except Open:
            return run.signed_square(self.node), True

    def terms(self) -> list[Term]:
        """The bound as a sum of terms c k^d r^k."""
        return Terms(self.program).of(self.node)


class BoundRun(Run):
    """One evaluation of a bound."""

    def __init__(
        self, forms: Forms, arithmetic: Arithmetic, k: int, powers: Powers, find: Find, square: Find = unknown
    ) -> None:
        super().__init__(forms, arithmetic, {"k": arithmetic.number(Fraction(k))})
        self.k, self.powers, self.find, self.square = k, powers, find, square

    def compute(self, i: int) -> Number:
        """The value of a node; that of a name other than k is looked up; one of several where a sign is open."""
        kind, parts, data = self.forms.program.nodes[i]
        if kind == "name" and data != "k":
            return self.find(data)
        try:
            return super().compute(i)
        except Open:
            if kind != "switch" or not isinstance(self.arithmetic, Rounded):
                raise
            values = [self.value(part) for part in dict.fromkeys(parts[1:])]
            return self.arithmetic.between(min(c - r for c, r in values), max(c + r for c, r in values))

    def exact(self, i: int) -> Fraction:
        """The rational value of a node."""
        found = self if isinstance(self.arithmetic, Exact) else BoundRun(self.forms, Exact(), self.k, {}, unknown)
        return Fraction(found.value(i))

    def raised(self, i: int, base: int, exponent: int) -> Number:
        """A power with a rational exponent, or one of a positive number."""
        try:
            e = self.exact(exponent)
        except Open:
            return self.real_power(base, self.value(exponent))
        require_short_exponent(e)
        if e.denominator > 2:
            return self.real_power(base, self.arithmetic.number(e))
        q = self.forms.constant(base)
        if e.denominator == 1 and q:
            return self.stepped((i, e > 0), q if e > 0 else 1 / q, abs(e.numerator))
        a = self.value(base) if e.denominator == 1 else self.arithmetic.square_root(self.value(base))
        return self.power(a if e >= 0 else self.arithmetic.reciprocal(a), abs(e.numerator))

    def stepped(self, i: tuple[int, bool], q: Fraction, n: int) -> Number:
        """The power of a rational number, from the last one."""
        last, value = self.powers.get(i, (0, None))
        if value is None or not 0 <= n - last <= NEAR:
            value = self.power(self.arithmetic.number(q), n)
        elif n > last:
            step = form({0: q ** (n - last)}, Fraction(0))
            value = self.arithmetic.combination(step, [value])
        self.powers[i] = n, value
        return value

    def power(self, x: Number, n: int) -> Number:
        """The n-th power, when it is not too long."""
        if (
            isinstance(self.arithmetic, Exact)
            and n * max(x.numerator.bit_length(), x.denominator.bit_length()) > LONGEST
        ):
            raise Open("a power is too long")
        return super().power(x, n)

    def real_power(self, base: int, e: Number) -> Number:
        """exp(e log b)."""
        arithmetic = self.arithmetic
        return arithmetic.exponential(arithmetic.times(e, arithmetic.logarithm(self.value(base))))

    def signed_square(self, i: int) -> Fraction:
        """The square of a node, where it is rational, with the sign of the node: x |x|."""
        kind, parts, data = self.forms.program.nodes[i]
        match kind:
            case "name" if data != "k":
                return Fraction(self.square(data))
            case "negative":
                return -self.signed_square(parts[0])
            case "product":
                result = Fraction(1)
                for part in parts:
                    result *= self.signed_square(part)
                return result
            case "reciprocal":
                a = self.signed_square(parts[0])
                if not a:
                    raise Refused("division by zero")
                return 1 / a
            case "power":
                return Fraction(self.power(self.signed_square(parts[0]), int(data)))
            case "sqrt":
                a = self.exact(parts[0])
                if a < 0:
                    raise Refused("the square root of a negative number")
                return a
            case "raised":
                e, a = self.exact(parts[1]), self.signed_square(parts[0])
                require_short_exponent(e)
                if e.denominator == 1 and a:
                    return Fraction(self.power(a if e >= 0 else 1 / a, abs(e.numerator)))
        a = self.exact(i)
        return a * abs(a)


def require_short_exponent(e: Fraction) -> None:
    """Refuse exponents for which powers make no sense."""
    if e.numerator.bit_length() + e.denominator.bit_length() > LONGEST_EXPONENT:
        raise Refused("an exponent is too long")


class Terms:
    """Sums of terms c k^d r^k, made of those of the parts of an expression."""

    def __init__(self, program: Program) -> None:
        self.program = program

    def of(self, i: int) -> list[Term]:
        """The terms of a node."""
        kind, parts, data = self.program.nodes[i]
        match kind:
            case "number":
                return [Term(Interval(data))]
            case "name":
                return [Term(ONE, 1) if data == "k" else Term(ONE, name=data)]
            case "sum":
                return limited([term for part in parts for term in self.of(part)])
            case "negative":
                return [term._replace(c=-term.c) for term in self.of(parts[0])]
            case "product":
                found = self.of(parts[0])
                for part in parts[1:]:
                    found = multiplied(found, self.of(part))
                return found
            case "power":
                found, factor = [Term(ONE)], self.of(parts[0])
                for _ in range(data):
                    found = multiplied(found, factor)
                return found
            case "reciprocal":
                c, d, r, name = self.single(parts[0])
                if not d and not name:
                    return [Term(c.reciprocal(), 0, r.reciprocal())]
            case "raised":
                base, (alpha, beta) = self.number(parts[0]), self.line(parts[1])
                return [Term(real_power(base, beta), 0, real_power(base, alpha))]
            case "exp":
                alpha, beta = self.line(parts[0])
                return [Term(monotone(exponential, beta), 0, monotone(exponential, alpha))]
            case "sqrt":
                return [Term(monotone(square_root, self.number(parts[0])))]
            case "log":
                return [Term(monotone(logarithm, self.number(parts[0])))]
        raise Refused("the bound is not a sum of terms c k^d r^k")

    def single(self, i: int) -> Term:
        """The only term."""
        found = [term for term in self.of(i) if not term.c.is_zero]
        if len(found) != 1:
            raise Refused("the bound is divided by a sum")
        return found[0]

    def number(self, i: int) -> Interval:
        """The value of a node without k."""
        found = self.of(i)
        if any(d or not is_one(r) or name for _, d, r, name in found):
            raise Refused("the bound is not a sum of terms c k^d r^k")
        return sum((term.c for term in found), ZERO)

    def line(self, i: int) -> tuple[Interval, Interval]:
        """Slope and constant of an exponent."""
        found = self.of(i)
        if any(d > 1 or not is_one(r) or name for _, d, r, name in found):
            raise Refused("an exponent is not a multiple of k and a constant")
        alpha, beta = (sum((term.c for term in found if term.d == degree), ZERO) for degree in (1, 0))
        return alpha, beta


def is_one(r: Interval) -> bool:
    """Whether it is the number 1."""
    return r.exact and r.lo == 1


def limited(terms: list[Term]) -> list[Term]:
    """The terms, when they are not too many."""
    if len(terms) > MOST_TERMS:
        raise Refused(f"the bound has more than {MOST_TERMS} terms")
    return terms


def multiplied(first: list[Term], second: list[Term]) -> list[Term]:
    """The product of two sums."""
    if len(first) * len(second) > MOST_TERMS:
        raise Refused(f"the bound has more than {MOST_TERMS} terms")
    if any(x.name and y.name for x in first for y in second):
        raise Refused("errors are multiplied with each other")
    return [Term(x.c * y.c, x.d + y.d, x.r * y.r, x.name or y.name) for x in first for y in second]


def real_power(base: Interval, e: Interval) -> Interval:
    """A power of a positive number."""
    if base.lo <= 0:
        raise Refused("a power of a number that is not positive, or is not known to be")
    if e.exact and e.lo.denominator <= 2 and abs(e.lo) < 100_000:
        root = base if e.lo.denominator == 1 else monotone(square_root, base)
        result = power(root if e.lo >= 0 else root.reciprocal(), abs(e.lo.numerator), ONE)
        return result
    return monotone(exponential, e * monotone(logarithm, base))

"""Continuous functions of one variable and some arguments, evaluated on many intervals of fixed-point numbers at once.

Derivatives are programs, too. Where the interval of a guard contains 0, a derivative is enclosed for all branches.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from functools import cache
from math import ceil, floor, isqrt
from operator import add as plus
from operator import neg
from typing import Any

from .effort import spend
from .elementary import exp_bounds, log_bounds
from .fixed import Bounds, Vector, root
from .program import Program
from .reading import Refused, Unreadable

VARIABLE = "v"
SPLIT = 256  # parts into which intervals are divided, all in all, where a slope is not enclosed well
MOST_POWER = 100_000  # bits of a power
KINDS = {"number", "name", "sum", "product", "negative", "power", "reciprocal", "sqrt", "exp", "log", "switch"}


def require_continuous(program: Program, start: int = 0) -> None:
    """Refuse what may jump, `sign`, `Piecewise` and conditions, in the nodes from one on."""
    for i, node in enumerate(program.nodes[start:], start):
        if node.kind not in KINDS or (node.kind == "switch" and extremum(program, i) is None):
            raise Unreadable("an expression of a layer has no `sign`, no `Piecewise` and no comparisons")


def extremum(program: Program, i: int) -> Callable[[int, int], int] | None:
    """`max` or `min`, when a switch takes the larger or the smaller of two values."""
    guard, low, middle, high = program.nodes[i].parts
    if middle not in (low, high):
        return None
    if guard == program.difference(high, low) or (guard == high and low == program.add("negative", high)):
        return max
    return min if guard == program.difference(low, high) else None


class ScalarFunction:
    """A function, and its derivatives as further nodes of its program."""

    def __init__(self, text: Any, arguments: Sequence[str]) -> None:
        self.program = Program([VARIABLE, *arguments])
        self.value = self.program.read(text)
        require_continuous(self.program)
        self.zero, self.one = (self.program.add("number", data=Fraction(c)) for c in (0, 1))
        self.known: dict[tuple[int, str], int] = {}
        self.extremum = cache(lambda i: extremum(self.program, i))
        self.ambiguous = False  # whether a derivative was enclosed for several branches

    def derivative(self, i: int, name: str) -> int:
        """The node of a derivative."""
        if (i, name) not in self.known:
            self.known[i, name] = self.differentiate(i, name)
        return self.known[i, name]

    def differentiate(self, i: int, name: str) -> int:
        """By the rules."""
        add, node = self.program.add, self.program.nodes[i]
        parts, data = node.parts, node.data
        if node.kind in ("number", "name"):
            return self.one if data == name else self.zero
        slopes = [self.derivative(part, name) for part in parts]
        match node.kind:
            case "sum":
                return self.sum(*slopes)
            case "product":
                others = (parts[:k] + parts[k + 1 :] for k in range(len(parts)))
                return self.sum(*(self.times(d, *rest) for d, rest in zip(slopes, others, strict=True)))
            case "negative":
                return self.negative(slopes[0])
            case "power":
                if data == 0:
                    return self.zero
                factor = self.one if data == 1 else add("power", parts[0], data=data - 1)
                return self.times(add("number", data=Fraction(data)), factor, slopes[0])
            case "reciprocal":
                return self.negative(self.times(add("power", i, data=2), slopes[0]))
            case "sqrt":
                return self.of_root(i, parts[0], slopes[0], name)
            case "exp":
                return self.times(i, slopes[0])
            case "log":
                return self.times(add("reciprocal", parts[0]), slopes[0])
            case "sine":
                a, c = parts
                s = add("sqrt", add("sum", add("power", a, data=2), c))
                turn = self.sum(self.times(c, slopes[0]), self.negative(self.times(self.half, a, slopes[1])))
                return self.times(turn, add("power", add("reciprocal", s), data=3))
        return slopes[1] if len(set(slopes[1:])) == 1 else add("switch", parts[0], *slopes[1:])

    @property
    def half(self) -> int:
        """The number 1/2."""
        return self.program.add("number", data=Fraction(1, 2))

    def of_root(self, i: int, square: int, slope: int, name: str) -> int:
        """The derivative of sqrt(a^2 + c): a / sqrt(a^2 + c) is a node of its own, as it is monotone in a and in c."""
        add, node = self.program.add, self.program.nodes[square]
        for part in node.parts if node.kind == "sum" else ():
            if self.program.nodes[part].kind == "power" and self.program.nodes[part].data == 2:
                a, rest = self.program.nodes[part].parts[0], list(node.parts)
                rest.remove(part)
                c = self.sum(*rest)
                first = self.times(add("sine", a, c), self.derivative(a, name))
                return self.sum(first, self.times(self.half, add("reciprocal", i), self.derivative(c, name)))
        return self.times(self.half, add("reciprocal", i), slope)

    def sum(self, *parts: int) -> int:
        """The node of a sum."""
        kept = [part for part in parts if part != self.zero]
        return self.program.add("sum", *kept) if len(kept) > 1 else (kept or [self.zero])[0]

    def times(self, *parts: int) -> int:
        """The node of a product."""
        kept = [part for part in parts if part != self.one]
        if self.zero in kept:
            return self.zero
        return self.program.add("product", *kept) if len(kept) > 1 else (kept or [self.one])[0]

    def negative(self, i: int) -> int:
        """The node of the negative."""
        return i if i == self.zero else self.program.add("negative", i)

    def slopes(self, name: str, inputs: Mapping[str, Bounds], bits: int, order: int = 1) -> Bounds:
        """Enclose a derivative (of this order in the variable) over intervals; wide results once more in parts."""
        node = self.derivative(self.value, name)
        for _ in range(order - 1):
            node = self.derivative(node, VARIABLE)
        lower, upper = self.evaluate(node, inputs, bits)
        wide = [i for i, (a, b) in enumerate(zip(lower, upper, strict=True)) if (b - a) >> (bits - 8)]
        if not wide or self.derivative(node, VARIABLE) == self.zero or lower is upper:
            return lower, upper
        n = max(1, SPLIT // len(wide))
        divided: dict[str, Bounds] = {}
        for key, (lows, highs) in inputs.items():
            if key == VARIABLE:
                ends = [[lows[i] + (highs[i] - lows[i]) * k // n for k in range(n + 1)] for i in wide]
                divided[key] = [a for e in ends for a in e[:-1]], [a for e in ends for a in e[1:]]
            else:
                divided[key] = [lows[i] for i in wide for _ in range(n)], [highs[i] for i in wide for _ in range(n)]
        below, above = self.evaluate(node, divided, bits)
        lower, upper = list(lower), list(upper)
        for k, i in enumerate(wide):
            lower[i], upper[i] = min(below[k * n : k * n + n]), max(above[k * n : k * n + n])
        return lower, upper

    def evaluate(self, output: int, inputs: Mapping[str, Bounds], bits: int) -> Bounds:
        """Enclose a node over intervals."""
        length, needed, left = len(inputs[VARIABLE][0]), {output}, [output]
        while left:
            new = [part for part in self.program.nodes[left.pop()].parts if part not in needed]
            needed.update(new)
            left += new
        spend(len(needed) * length // 4 + 1)
        known: dict[int, Bounds] = {}
        for i in sorted(needed):
            node = self.program.nodes[i]
            parts = [known[part] for part in node.parts]
            if node.kind == "number":
                a, b = (to_integer(node.data * 2**bits) for to_integer in (floor, ceil))
                known[i] = same([a] * length) if a == b else ([a] * length, [b] * length)
            elif node.kind == "name":
                known[i] = inputs[node.data]
            elif node.kind == "switch":
                known[i] = self.switched(i, parts)
            else:
                known[i] = OPERATIONS[node.kind](bits, node.data, *parts)
        return known[output]

    def switched(self, i: int, parts: Sequence[Bounds]) -> Bounds:
        """A maximum or minimum; or a derivative, that of every branch which the guard allows."""
        guard, low, middle, high = parts
        choose = self.extremum(i)
        if choose is not None:
            return tuple(list(map(choose, *pair)) for pair in zip(low, high, strict=True))  # type: ignore[return-value]
        lower, upper = [], []
        for k, (a, b) in enumerate(zip(*guard, strict=True)):
            taken = (high,) if a > 0 else (low,) if b < 0 else (low, middle, high)
            self.ambiguous = self.ambiguous or len(taken) > 1
            lower.append(min(x[0][k] for x in taken))
            upper.append(max(x[1][k] for x in taken))
        return lower, upper


def same(values: Vector) -> Bounds:
    """Exact numbers."""
    return values, values


def summed(bits: int, data: Any, first: Bounds, *others: Bounds) -> Bounds:
    """The sum."""
    for other in others:
        lower = list(map(plus, first[0], other[0]))
        exact = first[0] is first[1] and other[0] is other[1]
        first = same(lower) if exact else (lower, list(map(plus, first[1], other[1])))
    return first


def negated(bits: int, data: Any, a: Bounds) -> Bounds:
    """The negative."""
    lower = list(map(neg, a[1]))
    return same(lower) if a[0] is a[1] else (lower, list(map(neg, a[0])))


def multiplied(bits: int, data: Any, first: Bounds, *others: Bounds) -> Bounds:
    """The product."""
    for other in others:
        if first[0] is first[1] and other[0] is other[1]:
            values = [a * b for a, b in zip(first[0], other[0], strict=True)]
            ends = [(a, a) for a in values]
        else:
            products = ((a * c, a * d, b * c, b * d) for a, b, c, d in zip(*first, *other, strict=True))
            ends = [(min(found), max(found)) for found in products]
        first = [a >> bits for a, _ in ends], [-(-b >> bits) for _, b in ends]
    return first


def raised(bits: int, n: int, a: Bounds) -> Bounds:
    """The n-th power."""
    if n * bits > MOST_POWER:
        raise Refused("a power in a function has too many digits")
    if n == 0:
        return same([1 << bits] * len(a[0]))
    shift, lower, upper = bits * (n - 1), [], []
    for low, high in zip(*a, strict=True):
        ends = low**n, high**n
        lower.append(0 if n % 2 == 0 and low <= 0 <= high else min(ends) >> shift)
        upper.append(-(-max(ends) >> shift))
    return lower, upper


def inverted(bits: int, data: Any, a: Bounds) -> Bounds:
    """1 divided by it."""
    if any(low <= 0 <= high for low, high in zip(*a, strict=True)):
        raise Refused("a function divides by what may be zero")
    one = 1 << 2 * bits
    return [one // high for high in a[1]], [-(-one // low) for low in a[0]]


def rooted(bits: int, data: Any, a: Bounds) -> Bounds:
    """The square root."""
    if min(a[0]) < 0:
        raise Refused("a function takes the square root of what may be negative")
    return [isqrt(low << bits) for low in a[0]], [root(high << bits) for high in a[1]]


def increasing(function: Callable[[int, int], tuple[int, int]]) -> Callable[..., Bounds]:
    """exp and log."""

    def enclosed(bits: int, data: Any, a: Bounds) -> Bounds:
        lower = [function(x, bits) for x in a[0]]
        upper = lower if a[0] is a[1] else [function(x, bits) for x in a[1]]
        return [low for low, _ in lower], [high for _, high in upper]

    return enclosed


def sine(bits: int, data: Any, a: Bounds, c: Bounds) -> Bounds:
    """a / sqrt(a^2 + c): increasing in a; where a > 0 decreasing in c, where a < 0 increasing."""
    if min(c[0]) < 0:
        total = summed(bits, None, raised(bits, 2, a), c)
        return multiplied(bits, None, a, inverted(bits, None, rooted(bits, None, total)))
    lower, upper = [], []
    for a_low, a_high, c_low, c_high in zip(*a, *c, strict=True):
        if a_low <= 0 <= a_high and c_low <= 0:
            raise Refused("a square root in a function has no derivative where it may be zero")
        lower.append(-ratio(bits, -a_low, c_low, True) if a_low < 0 else ratio(bits, a_low, c_high, False))
        upper.append(-ratio(bits, -a_high, c_high, False) if a_high < 0 else ratio(bits, a_high, c_low, True))
    return lower, upper


def ratio(bits: int, a: int, c: int, up: bool) -> int:
    """a / sqrt(a^2 + c) <= 1 for numbers that are not negative, rounded up or down."""
    square = a * a + (c << bits)
    return min(1 << bits, -((-a << bits) // isqrt(square))) if up else (a << bits) // root(square)


OPERATIONS: Mapping[str, Callable[..., Bounds]] = {
    "sum": summed,
    "product": multiplied,
    "negative": negated,
    "power": raised,
    "reciprocal": inverted,
    "sqrt": rooted,
    "exp": increasing(exp_bounds),
    "log": increasing(log_bounds),
    "sine": sine,
}

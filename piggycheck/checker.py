"""Check certificates of piggycheck: one file, the standard library, nothing shared with what wrote them.

A certificate states a claim about a piecewise map F (or about a switched system X -> A X + B) and carries a witness.
Everything in it is recomputed here and nothing is believed:

* Numbers are rational, or intervals with rational ends (`Interval`) that enclose sqrt, exp and log. A sign that an
  interval does not decide is never guessed: the certificate is refused.
* The text of F becomes a `Program`, a list of nodes in which equal subexpressions are one node. It is evaluated on
  jets: polynomials in displacements of state and parameters. One evaluation gives the value, the Jacobian pair
  [A B] and every guard as a polynomial; what is no polynomial is cut after first order and says so.
* Wherever a kink is met, a *decision* says which outcome is taken: that of the value, that on the side of a direction,
  or one after the other all that are consistent (`patterns`): that no piece of F is missed rests on the last.
* That a system of polynomial conditions has no solution, or that a polynomial vanishes on it, is shown by a
  nonnegative combination of the conditions, which one exact simplex finds (`nonnegative_solution`).
* Stability is rational linear algebra: V(x) = x^T P x shrinks along the words of a complete prefix code, or a
  characteristic polynomial fails the Schur-Cohn test.

Run ``python checker.py CERTIFICATE...``: one line per file; exit code 0 all valid, 1 some do not hold, 3 unreadable.
"""

from __future__ import annotations

import ast
import json
import keyword
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from itertools import combinations, product as tuples
from math import ceil, factorial, floor, isqrt
from typing import Any, NamedTuple, TypeVar

__all__ = ["Refused", "Unreadable", "check", "check_file", "main"]

FORMAT = "piggycheck-certificate/1"
PRECISION = 256  # bits of the ends of an interval that is not one number
MOST_BYTES = 5_000_000
MOST_DIGITS = 20_000
MOST_BITS = 400_000
MOST_NODES = 50_000
DEEPEST = 150
MOST_TERMS = 20_000
MOST_PATTERNS = 4096
MOST_WORDS = 100_000
MOST_ITERATIONS = 100_000


Ring = TypeVar("Ring", "Interval", "Jet")


class Unreadable(Exception):
    """The text is not a certificate; says where and why."""


class Refused(Exception):
    """The certificate does not hold, or this checker cannot follow it; says why."""


# Numbers


class Interval:
    """The real numbers from lo to hi; one exact rational number when the two are equal."""

    __slots__ = ("lo", "hi")

    def __init__(self, lo: Fraction | int, hi: Fraction | None = None) -> None:
        self.lo = lo if isinstance(lo, Fraction) else Fraction(lo)
        self.hi = self.lo if hi is None else hi
        if self.lo.numerator.bit_length() + self.lo.denominator.bit_length() > MOST_BITS:
            raise Refused(f"a number grows beyond {MOST_BITS} bits")

    @property
    def exact(self) -> bool:
        return self.lo == self.hi

    @property
    def is_zero(self) -> bool:
        return self.lo == 0 == self.hi

    @property
    def size(self) -> Fraction:
        """The largest modulus."""
        return max(-self.lo, self.hi)

    def sign(self) -> int:
        if self.lo > 0 or self.hi < 0 or self.is_zero:
            return (self.lo > 0) - (self.hi < 0)
        raise Refused("the sign of an irrational number, or of a guard over a box, is not decided")

    def within(self, other: Interval) -> bool:
        return other.lo <= self.lo and self.hi <= other.hi

    def apart(self, other: Interval) -> bool:
        return self.hi < other.lo or other.hi < self.lo

    def __neg__(self) -> Interval:
        return Interval(-self.hi, -self.lo)

    def __add__(self, other: Interval) -> Interval:
        if self.exact and other.exact:
            return Interval(self.lo + other.lo)
        return outward(self.lo + other.lo, self.hi + other.hi)

    def __sub__(self, other: Interval) -> Interval:
        return self + -other

    def __mul__(self, other: Interval) -> Interval:
        if self.exact and other.exact:
            return Interval(self.lo * other.lo)
        ends = [a * b for a in (self.lo, self.hi) for b in (other.lo, other.hi)]
        return outward(min(ends), max(ends))

    def reciprocal(self) -> Interval:
        if self.lo <= 0 <= self.hi:
            raise Refused("division by a number that is zero, or is not known to be nonzero")
        return Interval(1 / self.lo) if self.exact else outward(1 / self.hi, 1 / self.lo)

    def power(self, n: int) -> Interval:
        """The n-th power, n >= 0."""
        if n % 2 == 0 and self.lo < 0 < self.hi:
            return Interval(Fraction(0), power(Interval(self.size), n, ONE).hi)
        return power(self, n, ONE)


def power(base: Ring, n: int, one: Ring) -> Ring:
    """Return base * ... * base, n >= 0 times, by squaring."""
    result = one
    while n:
        result = result * base if n & 1 else result
        n >>= 1
        base = base * base if n else base
    return result


def outward(lo: Fraction, hi: Fraction) -> Interval:
    """The interval with its ends rounded outward to `PRECISION` significant bits."""
    return Interval(lo) if lo == hi else Interval(rounded(lo, floor), rounded(hi, ceil))


def rounded(x: Fraction, to_integer: Callable[[Fraction], int]) -> Fraction:
    n, d = x.numerator.bit_length(), x.denominator.bit_length()
    if max(n, d) <= PRECISION:
        return x
    scale = Fraction(2) ** (PRECISION - n + d)
    return to_integer(x * scale) / scale


ZERO, ONE = Interval(0), Interval(1)


def monotone(function: Callable[[Fraction], Interval], x: Interval) -> Interval:
    """Enclose an increasing function, of which `function` encloses the values at rational numbers."""
    return function(x.lo) if x.exact else Interval(function(x.lo).lo, function(x.hi).hi)


def square_root(x: Fraction) -> Interval:
    if x < 0:
        raise Refused("the square root of a number that is negative, or is not known not to be")
    n, d = isqrt(x.numerator), isqrt(x.denominator)
    if n * n == x.numerator and d * d == x.denominator:
        return Interval(Fraction(n, d))
    shift = max(0, PRECISION + d.bit_length() - n.bit_length())
    root = isqrt((x.numerator << 2 * shift) // x.denominator)
    return Interval(Fraction(root, 1 << shift), Fraction(root + 1, 1 << shift))


def exponential(x: Fraction) -> Interval:
    """By exp(x) = exp(y)^(2^k), |y| <= 1/2, where the terms of the series after the 48th sum to less than the last."""
    if x == 0:
        return ONE
    if abs(x) > 10_000:
        raise Refused("the exponential of a number beyond 10000")
    k = ceil(abs(x)).bit_length() + 1
    y, total, term = outward(rounded(x / 2**k, floor), rounded(x / 2**k, ceil)), ONE, ONE
    for i in range(1, 49):
        term = term * y * Interval(Fraction(1, i))
        total = total + term
    tail = Fraction(1, 2**48 * factorial(48))
    return power(outward(total.lo - tail, total.hi + tail), 2**k, ONE)


def logarithm(x: Fraction) -> Interval:
    """By x = 2^k (1 + z) / (1 - z), |z| <= 1/3, and log((1 + z) / (1 - z)) = 2 artanh(z)."""
    if x <= 0:
        raise Refused("the logarithm of a number that is not positive, or is not known to be")
    k = x.numerator.bit_length() - x.denominator.bit_length()
    m = x / Fraction(2) ** k
    return Interval(2) * (artanh((m - 1) / (m + 1)) + Interval(k) * artanh(Fraction(1, 3)))


def artanh(z: Fraction) -> Interval:
    """By z + z^3/3 + z^5/5 + ..., |z| <= 1/3, where the terms after the 80th sum to less than 3^-161."""
    if z == 0:
        return ZERO
    y = outward(rounded(z, floor), rounded(z, ceil))
    total, odd = ZERO, y
    for i in range(80):
        total, odd = total + odd * Interval(Fraction(1, 2 * i + 1)), odd * y * y
    tail = Fraction(1, 3**161)
    return outward(total.lo - tail, total.hi + tail)


# Jets


Monomial = tuple[int, ...]  # the indices of its variables in order, each as often as its exponent says


class Jet:
    """A polynomial in displacements with intervals for coefficients; when cut, only its terms up to degree 1."""

    __slots__ = ("terms", "cut")

    def __init__(self, terms: Mapping[Monomial, Interval], cut: bool = False) -> None:
        self.terms = {m: c for m, c in terms.items() if not c.is_zero and (len(m) < 2 or not cut)}
        self.cut = cut
        if len(self.terms) > MOST_TERMS:
            raise Refused(f"a polynomial has more than {MOST_TERMS} terms")

    @property
    def value(self) -> Interval:
        return self.terms.get((), ZERO)

    @property
    def constant(self) -> bool:
        return not self.cut and all(m == () for m in self.terms)

    @property
    def rational(self) -> bool:
        """Whether it is the whole polynomial, with rational coefficients."""
        return not self.cut and all(c.exact for c in self.terms.values())

    @property
    def degree(self) -> int:
        return max(map(len, self.terms), default=0)

    def __add__(self, other: Jet) -> Jet:
        terms = dict(self.terms)
        for m, c in other.terms.items():
            terms[m] = terms[m] + c if m in terms else c
        return Jet(terms, self.cut or other.cut)

    def __mul__(self, other: Jet) -> Jet:
        if self.constant and not self.terms or other.constant and not other.terms:
            return Jet({})
        if len(self.terms) * len(other.terms) > 50 * MOST_TERMS:
            raise Refused("a product of polynomials has too many terms")
        cut = self.cut or other.cut
        terms: dict[Monomial, Interval] = {}
        for m, c in self.terms.items():
            for n, d in other.terms.items():
                if not cut or len(m) + len(n) < 2:
                    key = tuple(sorted(m + n))
                    terms[key] = terms[key] + c * d if key in terms else c * d
        return Jet(terms, cut)

    def __neg__(self) -> Jet:
        return Jet({m: -c for m, c in self.terms.items()}, self.cut)

    def composed(self, value: Interval, slope: Callable[[], Interval]) -> Jet:
        """f of this jet, where f and its derivative at the jet's value are given."""
        if self.constant:
            return Jet({(): value})
        factor = slope()
        return Jet({(): value, **{m: c * factor for m, c in self.terms.items() if len(m) == 1}}, cut=True)

    def along(self, direction: Sequence[Fraction]) -> int:
        """Sign of t -> jet(t * direction) for small t > 0, by its leading coefficient."""
        if self.constant:
            return self.value.sign()
        for degree in range(self.degree + 1):
            coefficient = ZERO
            for m, c in self.terms.items():
                if len(m) == degree:
                    for i in m:
                        c = c * Interval(direction[i])
                    coefficient = coefficient + c
            if not coefficient.is_zero:
                return coefficient.sign()
        raise Refused("a direction runs along the boundary of a piece, or first order does not decide its side")


# Programs


class Node(NamedTuple):
    kind: str
    parts: tuple[int, ...]
    data: Any = None


FUNCTIONS = {"Abs", "sign", "relu", "sqrt", "exp", "log"}
TRUE_ON: dict[type[ast.cmpop], tuple[int, ...]] = {
    ast.Lt: (-1,), ast.LtE: (-1, 0), ast.Gt: (1,), ast.GtE: (0, 1), ast.Eq: (0,), ast.NotEq: (-1, 1)
}  # fmt: skip


class Program:
    """Expressions as a list of nodes that refer to earlier ones; equal subexpressions are one node.

    Abs, sign, Max, Min and relu are switches: a guard, and what the value is where it is negative, zero, positive.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.nodes: list[Node] = []
        self.index: dict[Node, int] = {}
        self.source = b""

    def add(self, kind: str, *parts: int, data: Any = None) -> int:
        node = Node(kind, parts, data)
        if node not in self.index:
            if len(self.nodes) == MOST_NODES:
                raise Unreadable(f"the expressions have more than {MOST_NODES} parts")
            self.index[node] = len(self.nodes)
            self.nodes.append(node)
        return self.index[node]

    def read(self, text: Any) -> int:
        if not isinstance(text, str) or len(text) > 100_000 or re.search(r"\d{4001}", text):
            raise Unreadable("an expression is text, below 100000 characters, with numbers below 4000 digits")
        text = " ".join(text.split())
        self.source = text.encode()
        try:
            return self.number(ast.parse(text, mode="eval").body, 0)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise Unreadable(f"`{text[:60]}` is not an expression, or nested too deeply") from None

    def segment(self, tree: ast.expr) -> str:
        return self.source[tree.col_offset : tree.end_col_offset].decode()

    def unknown(self, tree: ast.expr) -> Unreadable:
        return Unreadable(f"`{self.segment(tree)[:60]}` is not in the grammar, or not a declared name")

    def number(self, tree: ast.expr, depth: int) -> int:
        if depth > DEEPEST:
            raise Unreadable(f"an expression is nested more than {DEEPEST} deep")
        match tree:
            case ast.Constant():
                return self.literal(tree)
            case ast.Name(id=name) if name in self.names:
                return self.add("name", data=name)
            case ast.UnaryOp(op=ast.UAdd() | ast.USub() as op, operand=operand):
                part = self.number(operand, depth + 1)
                return self.add("negative", part) if isinstance(op, ast.USub) else part
            case ast.BinOp(op=ast.Add() | ast.Sub()):
                return self.chain("sum", "negative", tree, (ast.Add, ast.Sub), depth)
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                return self.chain("product", "reciprocal", tree, (ast.Mult, ast.Div), depth)
            case ast.BinOp(left=left, op=ast.Pow(), right=right):
                return self.power(self.number(left, depth + 1), right)
            case ast.Call(func=ast.Name(id="Piecewise"), args=[_, *_] as pairs, keywords=[]):
                parts = []
                for pair in pairs:
                    if not isinstance(pair, ast.Tuple) or len(pair.elts) != 2:
                        raise self.unknown(pair)
                    parts += [self.number(pair.elts[0], depth + 1), self.condition(pair.elts[1], depth + 1)]
                return self.add("piecewise", *parts)
            case ast.Call(func=ast.Name(id="Max" | "Min" as name), args=[first, *rest], keywords=[]):
                a = self.number(first, depth + 1)
                for other in rest:
                    b = self.number(other, depth + 1)
                    outcomes = (b, a, a) if name == "Max" else (a, b, b)
                    a = self.add("switch", self.add("sum", a, self.add("negative", b)), *outcomes)
                return a
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return self.function(name, self.number(argument, depth + 1))
        raise self.unknown(tree)

    def literal(self, tree: ast.Constant) -> int:
        text = self.segment(tree)
        if not re.fullmatch(r"(\d+\.?\d*|\.\d+)([eE][+-]?\d{1,3})?", text, re.ASCII):
            raise self.unknown(tree)
        return self.add("number", data=Fraction(text.rstrip(".")))

    def chain(self, kind: str, inverse: str, tree: ast.expr, operators: tuple[type, type], depth: int) -> int:
        """a - b + c as one sum, a / b * c as one product: long ones do not nest."""
        parts = []
        while isinstance(tree, ast.BinOp) and isinstance(tree.op, operators):
            part = self.number(tree.right, depth + 1)
            parts.append(self.add(inverse, part) if isinstance(tree.op, operators[1]) else part)
            tree = tree.left
        return self.add(kind, self.number(tree, depth + 1), *reversed(parts))

    def power(self, base: int, exponent: ast.expr) -> int:
        found = re.fullmatch(r"([+-]?)(\d{1,3})(/2)?", self.segment(exponent).replace(" ", ""), re.ASCII)
        if found is None:
            raise Unreadable(f"exponent `{self.segment(exponent)[:60]}`: write an integer below 1000, or half of one")
        sign, digits, half = found.groups()
        result = self.add("power", self.add("sqrt", base) if half else base, data=int(digits))
        return self.add("reciprocal", result) if sign == "-" else result

    def function(self, name: str, a: int) -> int:
        if name in ("sqrt", "exp", "log"):
            return self.add(name, a)
        if name == "Abs":
            return self.add("switch", a, self.add("negative", a), a, a)
        if name == "sign":
            return self.add("switch", a, *(self.add("number", data=Fraction(s)) for s in (-1, 0, 1)))
        zero = self.add("number", data=Fraction(0))
        return self.add("switch", self.add("sum", zero, self.add("negative", a)), a, zero, zero)

    def condition(self, tree: ast.expr, depth: int) -> int:
        if depth > DEEPEST:
            raise Unreadable(f"an expression is nested more than {DEEPEST} deep")
        match tree:
            case ast.Constant(value=bool() as value):
                return self.add("truth", data=value)
            case ast.BoolOp(op=op, values=values):
                kind = "and" if isinstance(op, ast.And) else "or"
                return self.add(kind, *(self.condition(value, depth + 1) for value in values))
            case ast.BinOp(left=left, op=ast.BitAnd() | ast.BitOr() as op, right=right):
                kind = "and" if isinstance(op, ast.BitAnd) else "or"
                return self.add(kind, self.condition(left, depth + 1), self.condition(right, depth + 1))
            case ast.UnaryOp(op=ast.Not() | ast.Invert(), operand=operand):
                return self.add("not", self.condition(operand, depth + 1))
            case ast.Compare(left=left, ops=ops, comparators=rest) if all(type(op) in TRUE_ON for op in ops):
                sides = [self.number(side, depth + 1) for side in (left, *rest)]
                guards = [self.add("sum", a, self.add("negative", b)) for a, b in zip(sides, sides[1:])]
                relations = [self.add("relation", g, data=TRUE_ON[type(op)]) for g, op in zip(guards, ops)]
                return self.add("and", *relations)
        raise self.unknown(tree)

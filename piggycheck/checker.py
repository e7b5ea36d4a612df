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
import contextlib
import json
import keyword
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from itertools import combinations, combinations_with_replacement, pairwise
from itertools import product as tuples
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

    __slots__ = ("hi", "lo")

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


def raised(x: Fraction, n: int) -> Fraction:
    """x^n, refused when it is too large."""
    return power(Interval(x), n, ONE).lo


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

    __slots__ = ("cut", "terms")

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
                guards = [self.add("sum", a, self.add("negative", b)) for a, b in pairwise(sides)]
                relations = [self.add("relation", g, data=TRUE_ON[type(op)]) for g, op in zip(guards, ops, strict=True)]
                return self.add("and", *relations)
        raise self.unknown(tree)


# Evaluation, and the pieces of a map


Signs = tuple[int, ...]
Decision = Callable[[int, int, Jet, list[Signs]], Signs]  # (switch, guard's node, guard, outcomes) -> the outcome taken


class Gap(Exception):
    """No condition of a Piecewise holds."""


class Impossible(Exception):
    """The signs chosen so far contradict each other."""


def evaluate(
    program: Program,
    outputs: Sequence[int],
    inputs: Mapping[str, Jet],
    decide: Decision,
    given: Mapping[int, Jet] | None = None,
) -> list[Jet]:
    """Evaluate nodes on jets, some of them given; only those that are needed, each once."""
    known = dict(given or {})

    def number(i: int) -> Jet:
        if i not in known:
            known[i] = compute(i, *program.nodes[i])
        return known[i]

    def compute(i: int, kind: str, parts: tuple[int, ...], data: Any) -> Jet:
        match kind:
            case "number":
                return Jet({(): Interval(data)})
            case "name":
                return inputs[data]
            case "piecewise":
                for value, condition in zip(parts[::2], parts[1::2], strict=True):
                    if truth(condition, i):
                        return number(value)
                raise Gap
            case "switch":
                guard, *values = parts
                outcomes = [tuple(s for s in (-1, 0, 1) if values[s + 1] == v) for v in dict.fromkeys(values)]
                return number(values[decide(i, guard, number(guard), outcomes)[0] + 1])
            case "sum":
                return reduce(Jet.__add__, map(number, parts))
            case "product":
                return reduce(Jet.__mul__, map(number, parts))
        jet = number(parts[0])
        a = jet.value
        match kind:
            case "negative":
                return -jet
            case "power":
                if jet.cut:
                    return jet.composed(a.power(data), lambda: Interval(data) * a.power(max(0, data - 1)))
                return power(jet, data, Jet({(): ONE}))
            case "reciprocal":
                return jet.composed(r := a.reciprocal(), lambda: -(r * r))
            case "sqrt":
                return jet.composed(r := monotone(square_root, a), lambda: (Interval(2) * r).reciprocal())
            case "exp":
                return jet.composed(r := monotone(exponential, a), lambda: r)
        return jet.composed(monotone(logarithm, a), a.reciprocal)

    def truth(i: int, piecewise: int) -> bool:
        kind, parts, data = program.nodes[i]
        match kind:
            case "relation":
                outcomes = [data, tuple(s for s in (-1, 0, 1) if s not in data)]
                return bool(decide(piecewise, parts[0], number(parts[0]), outcomes) == outcomes[0])
            case "not":
                return not truth(parts[0], piecewise)
            case "and":
                return all(truth(part, piecewise) for part in parts)
            case "or":
                return any(truth(part, piecewise) for part in parts)
        return bool(data)

    return [number(i) for i in outputs]


def outcome_of(outcomes: list[Signs], sign: int) -> Signs:
    return next(signs for signs in outcomes if sign in signs)


def beside(direction: Sequence[Fraction]) -> Decision:
    """Take the outcomes on the side of a direction; those of the value, where all jets are constant."""
    return lambda switch, node, guard, outcomes: outcome_of(outcomes, guard.along(direction))


class Met(NamedTuple):
    guard: Jet
    outcome: Signs
    tied: bool


class Pattern(NamedTuple):
    outputs: list[Jet] | None  # None where no condition of a Piecewise holds
    met: list[Met]
    conditions: list[tuple[Jet, Signs]]


class Patterns:
    """Run through all consistent outcomes of the guards that are open, depth first, by evaluating again for each.

    Open are the guards that vanish at the point; everywhere=True: all that are not constant. Guards equal up to a
    factor are one guard, with one sign; chain_rule=True: in each switch on its own, consistent or not. Outcomes proved
    impossible are left out. interior=True also leaves out the outcomes that hold on the zero set of a guard only.
    """

    def __init__(self, everywhere: bool = False, interior: bool = False, chain_rule: bool = False) -> None:
        self.given: Mapping[int, Jet] = {}
        self.everywhere, self.interior, self.chain_rule = everywhere, interior, chain_rule
        self.choices: list[list[tuple[Signs, Signs]]] = []  # for each free decision what is left to take, the last now
        self.signs: dict[Any, tuple[Jet, Signs]] = {}
        self.met: list[Met] = []
        self.depth = 0

    def run(self, program: Program, outputs: Sequence[int], inputs: Mapping[str, Jet]) -> Iterator[Pattern]:
        for _ in range(MOST_PATTERNS):
            self.signs, self.met, self.depth = {}, [], 0
            with contextlib.suppress(Impossible):
                yield Pattern(self.jets(program, outputs, inputs), self.met, list(self.signs.values()))
            while self.choices and len(self.choices[-1]) == 1:
                self.choices.pop()
            if not self.choices:
                return
            self.choices[-1].pop()
        raise Refused(f"more than {MOST_PATTERNS} sign patterns")

    def jets(self, program: Program, outputs: Sequence[int], inputs: Mapping[str, Jet]) -> list[Jet] | None:
        try:
            return evaluate(program, outputs, inputs, self.decide, self.given)
        except Gap:
            return None

    def decide(self, switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
        if self.everywhere and guard.cut:
            raise Refused("a guard is not a polynomial")
        tied = not guard.constant and (self.everywhere or guard.value.is_zero)
        outcome = self.choose(switch, node, guard, outcomes) if tied else outcome_of(outcomes, guard.value.sign())
        self.met.append(Met(guard, outcome, tied))
        return outcome

    def choose(self, switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
        key: Any = node
        flip = 1
        if guard.rational:
            lead = guard.terms[min(guard.terms)]
            flip = lead.sign()
            guard = guard * Jet({(): lead.reciprocal()})
            key = tuple(sorted((m, c.lo) for m, c in guard.terms.items()))
        if self.chain_rule:
            key = switch, key
        if self.depth == len(self.choices):
            options = self.options(key, guard, flip, outcomes)
            if not options:
                raise Impossible
            self.choices.append(options)
        outcome, signs = self.choices[self.depth][-1]
        self.depth += 1
        self.signs[key] = (guard, signs)
        return outcome

    def options(self, key: Any, guard: Jet, flip: int, outcomes: list[Signs]) -> list[tuple[Signs, Signs]]:
        """The outcomes that can be taken, each with the signs that it leaves to the guard."""
        nonzero = any(not c.lo <= 0 <= c.hi for c in guard.terms.values())
        allowed: Signs = (-1, 1) if self.interior and nonzero else (-1, 0, 1)
        if key in self.signs:
            allowed = self.signs[key][1]
        found = [(outcome, tuple(flip * s for s in outcome if flip * s in allowed)) for outcome in outcomes]
        found = [(outcome, signs) for outcome, signs in found if signs]
        if self.chain_rule or len(found) == 1:
            return found
        others = [condition for k, condition in self.signs.items() if k != key]
        return [(outcome, signs) for outcome, signs in found if not impossible([*others, (guard, signs)])]


# Conditions on polynomials


Coefficients = dict[Monomial, Fraction]


def coefficients(jet: Jet) -> Coefficients:
    return {m: c.lo for m, c in jet.terms.items()}


def split(conditions: Sequence[tuple[Jet, Signs]]) -> tuple[list[Coefficients], list[Coefficients], list[Coefficients]]:
    """The polynomials that are zero, nonnegative, positive by the conditions; the others are no use."""
    zeros: list[Coefficients] = []
    nonnegative: list[Coefficients] = []
    positive: list[Coefficients] = []
    for guard, signs in conditions:
        if guard.rational and (0 not in signs or len(signs) < 3) and set(signs) != {-1, 1}:
            jet = coefficients(guard if 1 in signs else -guard)
            (positive if 0 not in signs else nonnegative if len(signs) == 2 else zeros).append(jet)
    return zeros, nonnegative, positive


def impossible(conditions: Sequence[tuple[Jet, Signs]], extra: Sequence[Coefficients] = ()) -> bool:
    """Whether sum mu z + sum lambda h + sum kappa p = 0 with lambda, kappa >= 0 and sum kappa = 1 (Motzkin).

    z, h, p are the polynomials that are zero, nonnegative, positive (1 is); then no point satisfies the conditions.
    """
    zeros, nonnegative, positive = split(conditions)
    mark: Monomial = (-1,)
    columns = [{m: s * c for m, c in z.items()} for z in [*zeros, *extra] for s in (1, -1)] + nonnegative
    positive.append({(): Fraction(1)})
    columns += [{**p, mark: Fraction(1)} for p in positive]
    return nonnegative_solution(columns, {mark: Fraction(1)})


def nonnegative_solution(columns: Sequence[Coefficients], target: Coefficients) -> bool:
    """Whether target = sum lambda_j columns_j with lambda >= 0: phase one of the simplex method, by Bland's rule."""
    rows = sorted({m for column in (*columns, target) for m in column})
    table = [[column.get(m, Fraction(0)) for column in (*columns, target)] for m in rows]
    table = [row if row[-1] >= 0 else [-c for c in row] for row in table]
    table.append(
        [sum(column, Fraction(0)) for column in zip(*table, strict=True)]
    )  # how much of the artificial variables is left
    basis = list(range(len(columns), len(columns) + len(rows)))
    while (j := next((j for j in range(len(columns)) if table[-1][j] > 0), None)) is not None:
        ratios = [(row[-1] / row[j], basis[i], i) for i, row in enumerate(table[:-1]) if row[j] > 0]
        i = min(ratios)[2]
        basis[i] = j
        table[i] = [c / table[i][j] for c in table[i]]
        for k, row in enumerate(table):
            if k != i and row[j] != 0:
                table[k] = [c - row[j] * d for c, d in zip(row, table[i], strict=True)]
    return table[-1][-1] == 0


# Matrices


Matrix = list[list[Interval]]


def identity(n: int) -> Matrix:
    return [[ONE if i == j else ZERO for j in range(n)] for i in range(n)]


def transpose(X: Matrix) -> Matrix:
    return [list(column) for column in zip(*X, strict=True)]


def times(X: Matrix, Y: Matrix) -> Matrix:
    columns = transpose(Y)
    return [[sum((a * b for a, b in zip(row, column, strict=True)), ZERO) for column in columns] for row in X]


def combine(X: Matrix, s: Interval, Y: Matrix) -> Matrix:
    """X + s Y."""
    return [[a + s * b for a, b in zip(*rows, strict=True)] for rows in zip(X, Y, strict=True)]


def within(X: Matrix, Y: Matrix) -> bool:
    return all(a.within(b) for rows in zip(X, Y, strict=True) for a, b in zip(*rows, strict=True))


def equal(X: Matrix, Y: Matrix) -> bool:
    return within(X, Y) and all(a.exact for row in Y for a in row)


def semidefinite(M: Matrix, definite: bool = False) -> bool:
    """Whether all symmetric matrices between the entries of M are positive semidefinite (definite).

    By elimination in their middle, each diagonal entry lowered by the sum of its row's radii.
    """
    n = len(M)
    ends = [[M[min(i, j)][max(i, j)] for j in range(n)] for i in range(n)]
    S = [[(a.lo + a.hi) / 2 for a in row] for row in ends]
    for i in range(n):
        S[i][i] -= sum((a.hi - a.lo for a in ends[i]), Fraction(0)) / 2
    for k in range(n):
        if S[k][k] < 0 or (S[k][k] == 0 and (definite or any(S[i][k] for i in range(k, n)))):
            return False
        for i in range(k + 1, n):
            if S[i][k]:
                factor = S[i][k] / S[k][k]
                S[i] = [a - factor * b for a, b in zip(S[i], S[k], strict=True)]
    return True


def shrinks(A: Matrix, P: Matrix, factor: Fraction) -> bool:
    """Whether (A x)^T P (A x) <= factor x^T P x for all x."""
    scaled = [[Interval(factor) * a for a in row] for row in P]
    return semidefinite(combine(scaled, -ONE, times(transpose(A), times(P, A))))


def characteristic_polynomial(A: Matrix) -> list[Interval]:
    """Coefficients of det(z - A), the leading one first (Faddeev and LeVerrier)."""
    n = len(A)
    result, M = [ONE], identity(n)
    for k in range(1, n + 1):
        M = times(A, M)
        result.append(sum((M[i][i] for i in range(n)), ZERO) * Interval(Fraction(-1, k)))
        M = combine(M, result[-1], identity(n))
    return result


def has_root_beyond(polynomial: list[Interval], r: Fraction) -> bool:
    """Whether some root has modulus >= r > 0 (Schur-Cohn; both answers are theorems); the polynomial is monic."""
    a = [c * power(Interval(1 / r), k, ONE) for k, c in enumerate(polynomial)]
    while len(a) > 1:
        gap = ONE - a[-1] * a[-1]
        if gap.sign() <= 0:
            return True
        factor = gap.reciprocal()
        a = [(b - a[-1] * c) * factor for b, c in zip(a[:-1], reversed(a[1:]), strict=True)]
    return False


def minimal_polynomial(M: Matrix, u: Matrix) -> list[Interval]:
    """The monic polynomial q of least degree with q(M) u = 0, the leading coefficient first."""
    n = len(M)
    rows: list[tuple[int, list[Interval]]] = []
    for k in range(n):
        w = [row[0] for row in u] + identity(n)[k]
        for i, row in rows:
            w = [a - w[i] * b for a, b in zip(w, row, strict=True)]
        pivot = next((i for i in range(n) if not w[i].lo <= 0 <= w[i].hi), None)
        if pivot is None:
            if not all(a.is_zero for a in w[:n]):
                raise Refused("irrational data: the minimal polynomial of the start is not decided")
            return w[n + k : n - 1 : -1]
        factor = w[pivot].reciprocal()
        rows.append((pivot, [a * factor for a in w]))
        u = times(M, u)
    return characteristic_polynomial(M)


def inverse(P: Matrix) -> Matrix:
    """The inverse of a positive definite rational matrix."""
    n = len(P)
    rows = [row + unit for row, unit in zip(P, identity(n), strict=True)]
    for k in range(n):
        factor = rows[k][k].reciprocal()
        rows[k] = [a * factor for a in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = [a - rows[i][k] * b for a, b in zip(rows[i], rows[k], strict=True)]
    return [row[n:] for row in rows]


# Reading


def fields(data: Any, where: str, required: Sequence[str], optional: Sequence[str] = ()) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise Unreadable(f"`{where}` is not an object")
    for key in [*data, *required]:
        if key not in data or (key not in required and key not in optional):
            raise Unreadable(f"`{where}`: {'unknown' if key in data else 'missing'} key `{str(key)[:60]}`")
    return data


def text(data: Any, where: str) -> str:
    if not isinstance(data, str):
        raise Unreadable(f'`{where}` is not text; numbers are text too, such as "-9/8"')
    return data


def array(data: Any, where: str, length: int | None = None) -> list[Any]:
    if not isinstance(data, list) or (length is not None and len(data) != length):
        raise Unreadable(f"`{where}` is not a list" + (f" of length {length}" if length is not None else ""))
    return data


def number(data: Any, where: str) -> Fraction:
    found = re.fullmatch(r"(-?)(\d+)(?:/(\d+))?", text(data, where), re.ASCII)
    if found is None or len(data) > MOST_DIGITS:
        raise Unreadable(f"`{where}`: `{data[:40]}` is not a rational number below {MOST_DIGITS} digits")
    sign, *whole = found.groups()
    n, d = (sum(int(part) * 10 ** (4000 * i) for i, part in enumerate(chunks(w or "1"))) for w in whole)
    if d == 0:
        raise Unreadable(f"`{where}`: `{data[:40]}` has the denominator 0")
    return Fraction(-n if sign else n, d)


def chunks(digits: str) -> list[str]:
    """The digits in blocks of 4000, which Python agrees to read, the last ones first."""
    return [digits[max(0, i - 4000) : i] for i in range(len(digits), 0, -4000)]


def integer(data: Any, where: str, least: int, most: int) -> int:
    n = number(data, where)
    if n.denominator != 1 or not least <= n <= most:
        raise Unreadable(f"`{where}`: `{data[:40]}` is not an integer from {least} to {most}")
    return int(n)


def matrix(data: Any, where: str, rows: int, columns: int, intervals: bool = False) -> Matrix:
    def entry(e: Any) -> Interval:
        if not intervals or not isinstance(e, list):
            return Interval(number(e, where))
        lo, hi = (number(end, where) for end in array(e, where, 2))
        if lo > hi:
            raise Unreadable(f"`{where}`: an interval has its ends in the wrong order")
        return Interval(lo, hi)

    return [[entry(e) for e in array(row, where, columns)] for row in array(data, where, rows)]


def numbers(data: Any, where: str, names: Sequence[str]) -> dict[str, Fraction]:
    return {name: number(value, f"{where}.{name}") for name, value in fields(data, where, names).items()}


def say(x: Fraction) -> str:
    if x.numerator.bit_length() + x.denominator.bit_length() < 130:
        return str(x)
    shift = x.denominator.bit_length() - x.numerator.bit_length()
    return f"about {float(x * Fraction(2) ** shift):.6f} * 2^{-shift}"


def say_point(point: Mapping[str, Fraction]) -> str:
    return ", ".join(f"{name} = {say(value)}" for name, value in point.items())


def say_matrix(X: Matrix) -> str:
    return "[" + ", ".join("[" + ", ".join(say(a.lo) for a in row) + "]" for row in X) + "]"


# What a certificate is about


class Map:
    """x -> F(x, theta), the parameters at which it is examined, and where it starts."""

    def __init__(self, certificate: dict[str, Any], at_needed: bool) -> None:
        data = fields(certificate["map"], "map", ("state", "parameters", "next"))
        self.state = [text(name, "map.state") for name in array(data["state"], "map.state")]
        self.parameters = [text(name, "map.parameters") for name in array(data["parameters"], "map.parameters")]
        self.names = self.state + self.parameters
        if len(set(self.names)) < len(self.names) or not self.state or len(self.names) > 400:
            raise Unreadable("`map`: names are not distinct, or none is in the state, or more than 400")
        for name in self.names:
            if not name.isidentifier() or keyword.iskeyword(name) or name in {"Piecewise", "Max", "Min", *FUNCTIONS}:
                raise Unreadable(f"`map`: `{name[:60]}` is not a name")
        self.program = Program(self.names)
        self.next = [self.program.read(e) for e in array(data["next"], "map.next", len(self.state))]
        self.at: dict[str, Fraction] = {}
        if "at" in certificate or at_needed:
            self.at = numbers(certificate.get("at"), "at", self.parameters)
        self.start: list[int] | None = None
        if "start" in certificate:
            start = fields(certificate["start"], "start", self.state)
            self.program.names = self.parameters
            self.start = [self.program.read(start[name]) for name in self.state]

    def jets(self, point: Mapping[str, Fraction], moving: Sequence[str]) -> dict[str, Jet]:
        """The names as jets at a point; the moving ones have a displacement each, in their order."""
        return {
            name: Jet({(): Interval(value), **({(moving.index(name),): ONE} if name in moving else {})})
            for name, value in point.items()
        }

    def value(self, nodes: Sequence[int], point: Mapping[str, Fraction]) -> list[Interval]:
        """Values of nodes at a point."""
        try:
            return [jet.value for jet in evaluate(self.program, nodes, self.jets(point, ()), beside(()))]
        except Gap:
            raise Refused(f"no branch of a Piecewise applies at {say_point(point)}") from None

    def is_fixed(self, values: Sequence[Interval], x: Mapping[str, Fraction]) -> bool:
        return all(v.exact and v.lo == x[name] for v, name in zip(values, self.state, strict=True))


class Subject:
    """The switched system of a certificate: given, or the pieces of a map at a fixed point, found again."""

    def __init__(self, certificate: dict[str, Any], pieces_needed: bool) -> None:
        self.map: Map | None = None
        self.x: dict[str, Fraction] = {}
        if "switched" in certificate:
            data = fields(certificate["switched"], "switched", ("A", "B"))
            listed = [
                {"A": A, "B": B}
                for A, B in zip(array(data["A"], "A"), array(data["B"], "B", len(data["A"])), strict=True)
            ]
            self.p = len(array(listed[0]["A"], "A")) if listed else 0
            self.m = len(array(array(listed[0]["B"], "B", self.p)[0], "B")) if self.p else 0
            if not self.p:
                raise Unreadable("`switched`: no matrices")
        else:
            self.map = Map(certificate, at_needed=True)
            self.x = numbers(certificate["fixed_point"], "fixed_point", self.map.state)
            self.p, self.m = len(self.map.state), len(self.map.parameters)
            listed = array(certificate["pieces"] if pieces_needed else certificate.get("pieces", []), "pieces")
            if pieces_needed and not listed:
                raise Unreadable("`pieces`: none")
            listed = [fields(piece, "piece", ("A", "B", "direction")) for piece in listed]
        self.A = [matrix(piece["A"], "A", self.p, self.p, intervals=True) for piece in listed]
        self.B = [matrix(piece["B"], "B", self.p, self.m, intervals=True) for piece in listed]
        self.active = [self.map is None] * len(listed)
        if len(listed) > MOST_PATTERNS or self.p > 400:
            raise Unreadable("too many pieces, or too large ones")
        self.pairs: list[tuple[Matrix, Matrix]] = []
        self.J0: Matrix | None = matrix(certificate["J0"], "J0", self.p, self.m) if "J0" in certificate else None
        if self.map is not None:
            self.point = {**self.x, **self.map.at}
            if not self.map.is_fixed(self.map.value(self.map.next, self.point), self.x):
                raise Refused(f"{say_point(self.x)} is not fixed, or its image is not computed exactly")
            self.check_pieces(listed)

    def __str__(self) -> str:
        if self.map is None:
            return f"the {len(self.A)} given matrices"
        at = f" ({say_point(self.map.at)})" if self.map.at else ""
        return f"the pieces at the fixed point {say_point(self.x)}{at}"

    def pair(self, jets: Sequence[Jet]) -> tuple[Matrix, Matrix]:
        slopes = [[jet.terms.get((i,), ZERO) for i in range(self.p + self.m)] for jet in jets]
        return [row[: self.p] for row in slopes], [row[self.p :] for row in slopes]

    def check_pieces(self, listed: Sequence[dict[str, Any]]) -> None:
        """Each piece is met along its direction; those without a direction are among all that there are."""
        assert self.map is not None
        unproved = set()
        for i, piece in enumerate(listed):
            if piece["direction"] is None:
                unproved.add(i)
                continue
            direction = [number(d, "direction") for d in array(piece["direction"], "direction", self.p + self.m)]
            jets = self.map.jets(self.point, self.map.names)
            try:
                outputs = evaluate(self.map.program, self.map.next, jets, beside(direction))
            except Gap:
                raise Refused(f"piece {i}: no branch of a Piecewise applies along its direction") from None
            A, B = self.pair(outputs)
            if not self.map.is_fixed([jet.value for jet in outputs], self.x):
                raise Refused(f"piece {i} does not map the fixed point to itself: the map is not continuous there")
            if not (within(A, self.A[i]) and within(B, self.B[i])):
                raise Refused(f"piece {i}: its A and B are not those along its direction")
            self.active[i] = True
        if unproved:
            for A, B in self.selection():
                unproved -= {i for i in unproved if within(A, self.A[i]) and within(B, self.B[i])}
        if unproved:
            raise Refused(f"piece {min(unproved)} is no piece of the map at the fixed point")

    def selection(self) -> list[tuple[Matrix, Matrix]]:
        """Jacobian pairs of all pieces whose region may have points in every neighbourhood of the fixed point."""
        if self.pairs or self.map is None:
            return self.pairs
        jets = self.map.jets(self.point, self.map.names)
        pairs = []
        for pattern in Patterns(interior=True).run(self.map.program, self.map.next, jets):
            if pattern.outputs is None:
                raise Refused("no branch of a Piecewise applies somewhere near the fixed point")
            if not self.map.is_fixed([jet.value for jet in pattern.outputs], self.x):
                raise Refused("a piece does not map the fixed point to itself: the map is not continuous there")
            pairs.append(self.pair(pattern.outputs))
        self.pairs = pairs
        return pairs

    def require_all_pieces(self) -> None:
        for A, B in self.selection():
            if not any(within(A, X) and within(B, Y) for X, Y in zip(self.A, self.B, strict=True)):
                raise Refused("a piece of the map at the fixed point is not in the list")

    def word(self, data: Any, active: bool = False) -> list[int]:
        letters = [integer(letter, "word", 0, len(self.A) - 1) for letter in array(data, "word")]
        if not 0 < len(letters) <= 10_000:
            raise Unreadable("a word is empty, or too long")
        if active and not all(self.active[i] for i in letters):
            raise Refused("a letter of the word is a piece without a direction that proves it essentially active")
        return letters

    def product(self, word: Sequence[int]) -> tuple[Matrix, Matrix]:
        A, B = self.A[word[0]], self.B[word[0]]
        for i in word[1:]:
            A, B = times(self.A[i], A), combine(times(self.A[i], B), ONE, self.B[i])
        return A, B


# What proves what


class Tree(NamedTuple):
    P: Matrix
    rate: Fraction
    words: list[list[int]]


def word_tree(subject: Subject, witness: dict[str, Any]) -> Tree:
    """V(x) = x^T P x shrinks by rate^(2 n) along the words of length n, and every infinite word starts with one."""
    P = matrix(witness["P"], "P", subject.p, subject.p)
    rate = number(witness["rate"], "rate")
    words = [subject.word(word) for word in array(witness["words"], "words")]
    if sum(map(len, words)) > MOST_WORDS:
        raise Unreadable(f"the words have more than {MOST_WORDS} letters")
    if not equal(P, transpose(P)) or not semidefinite(P, definite=True):
        raise Refused("P is not symmetric and positive definite")
    if not 0 <= rate < 1:
        raise Refused(f"the rate {say(rate)} is not in [0, 1)")
    codes = sorted(words)
    if any(longer[: len(word)] == word for word, longer in pairwise(codes)):
        raise Refused("one of the words begins with another")
    if sum(Fraction(1, len(subject.A) ** len(word)) for word in words) != 1:
        raise Refused("there is an infinite word that begins with none of the words")
    subject.require_all_pieces()
    for word in words:
        if not shrinks(subject.product(word)[0], P, raised(rate, 2 * len(word))):
            raise Refused(f"the rate is not proved along the word {' '.join(map(str, word))[:60]}")
    return Tree(P, rate, words)


def converges_proved(claim: dict[str, Any], subject: Subject, witness: dict[str, Any]) -> str:
    tree = word_tree(subject, witness)
    if "rate" in claim and tree.rate > number(claim["rate"], "claim.rate"):
        raise Refused("the proved rate is larger than the claimed one")
    if ("trap" in witness) != (subject.map is not None and subject.map.start is not None):
        raise Unreadable("`trap` stands in the witness exactly when there is a start")
    proved = f"the joint spectral radius of {subject} is at most {say(tree.rate)}"
    if "trap" in witness:
        trap(subject, tree, fields(witness["trap"], "trap", ("iteration", "level", "growth", "bits")))
        proved += "; the iterates converge to it from the start"
    return proved


def trap(subject: Subject, tree: Tree, data: dict[str, Any]) -> None:
    """The iterates enter V <= level, stay in V <= growth * level, and meet no other pieces there (x0 = fixed point)."""
    level, growth = number(data["level"], "level"), number(data["growth"], "growth")
    if level < 0 or growth < 1:
        raise Refused("the level of the trap is negative, or its growth below 1")
    for prefix in {tuple(word[:n]) for word in tree.words for n in range(1, len(word))}:
        if not shrinks(subject.product(prefix)[0], tree.P, growth):
            raise Refused("the growth of the trap is not proved along a prefix of a word")
    bits = integer(data["bits"], "bits", 0, 10_000)
    x = iterate(subject, integer(data["iteration"], "iteration", 0, MOST_ITERATIONS), bits)
    difference = [[a - Interval(c)] for a, c in zip(x, subject.x.values(), strict=True)]
    if times(transpose(difference), times(tree.P, difference))[0][0].hi > level:
        raise Refused("the iterate is not in the trap")
    region = Region(subject, tree, growth * level)
    map_ = region.map
    for pattern in Patterns().run(map_.program, map_.next, map_.jets(subject.point, map_.state)):
        region.check(pattern)


def iterate(subject: Subject, steps: int, bits: int) -> list[Interval]:
    """Follow the iterates from the start; with bits > 0 they are rounded outward to multiples of 2^-bits."""
    map_ = subject.map
    assert map_ is not None and map_.start is not None
    x = map_.value(map_.start, map_.at)
    scale = 2**bits
    for k in range(steps + 1):
        if bits:
            x = [Interval(Fraction(floor(a.lo * scale), scale), Fraction(ceil(a.hi * scale), scale)) for a in x]
        if k < steps:
            jets = {name: Jet({(): a}) for name, a in zip(map_.state, x, strict=True)} | map_.jets(map_.at, ())
            try:
                x = [jet.value for jet in evaluate(map_.program, map_.next, jets, beside(()))]
            except Gap:
                raise Refused(f"no branch of a Piecewise applies at iterate {k}") from None
    return x


class Region:
    """The ellipsoid V(x) <= level around the fixed point, the parameters fixed."""

    def __init__(self, subject: Subject, tree: Tree, level: Fraction) -> None:
        assert subject.map is not None
        self.subject, self.map, self.tree, self.level = subject, subject.map, tree, Interval(level)
        self.inverse = inverse(tree.P)

    def check(self, pattern: Pattern) -> None:
        """The guards that do not tie keep their signs; the piece is a listed one, or contracts all over the region."""
        if pattern.outputs is None:
            raise Refused("no branch of a Piecewise applies somewhere in the trap")
        if not self.map.is_fixed([jet.value for jet in pattern.outputs], self.subject.x):
            raise Refused("a piece does not map the fixed point to itself: the map is not continuous there")
        affine = all(not jet.cut and jet.degree < 2 for jet in pattern.outputs)
        A = self.subject.pair(pattern.outputs)[0]
        if affine and not any(within(A, X) for X in self.subject.A):
            raise Refused("a piece that the iterates can meet in the trap is not in the list")
        kept = [met.tied or self.keeps_sign(met.guard) for met in pattern.met]
        if not affine or not all(kept):
            self.check_box(pattern, kept, affine)

    def keeps_sign(self, guard: Jet) -> bool:
        """Whether an affine guard g0 + a.dx has one sign: level * a^T P^-1 a < g0^2."""
        if guard.constant:
            return True
        a = [[guard.terms.get((i,), ZERO)] for i in range(self.subject.p)]
        spread = times(transpose(a), times(self.inverse, a))[0][0] * self.level
        return not guard.cut and guard.degree < 2 and (guard.value * guard.value - spread).lo > 0

    def check_box(self, pattern: Pattern, kept: list[bool], affine: bool) -> None:
        """Evaluate again, on the box around the ellipsoid: a gradient there encloses all gradients in the region."""
        jets = self.map.jets(self.map.at, ())
        for i, (name, c) in enumerate(self.subject.x.items()):
            r = monotone(square_root, self.level * self.inverse[i][i]).hi
            jets[name] = Jet({(): Interval(c - r, c + r), (i,): ONE}, cut=True)
        steps = zip(pattern.met, kept, strict=True)

        def decide(switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
            met, known = next(steps)
            if not known and guard.value.sign() not in met.outcome:
                raise Refused("a guard changes its sign in the trap")
            return met.outcome

        A = self.subject.pair(evaluate(self.map.program, self.map.next, jets, decide))[0]
        if not affine and not (
            all(len(word) == 1 for word in self.tree.words) and shrinks(A, self.tree.P, self.tree.rate**2)
        ):
            raise Refused("a piece that is not affine is not proved to contract throughout the trap, in one step")


def modulus(subject: Subject, word: list[int], witness: dict[str, Any]) -> Fraction:
    """A number r such that the product along the word has an eigenvalue of modulus >= r, proved."""
    r = number(witness["modulus_lower"], "modulus_lower")
    if r <= 0 or not has_root_beyond(characteristic_polynomial(subject.product(word)[0]), r):
        raise Refused("the product along the word has no eigenvalue of the stated modulus")
    return r


def converges_refuted(claim: dict[str, Any], subject: Subject, witness: dict[str, Any]) -> str:
    word = subject.word(witness["word"], active=True)
    r = modulus(subject, word, witness)
    if r < 1 and not ("rate" in claim and r > raised(number(claim["rate"], "claim.rate"), len(word))):
        raise Refused("the modulus does not contradict the claim")
    return f"the joint spectral radius of {subject} is at least ({say(r)})^(1/{len(word)})"


def diverges_proved(claim: dict[str, Any], subject: Subject, witness: dict[str, Any]) -> str:
    word = subject.word(witness["word"], active=True)
    r, growth = modulus(subject, word, witness), number(witness["growth_lower"], "growth_lower")
    if not (growth > 1 and raised(growth, len(word)) <= r):
        raise Refused("the growth per step is not above 1, or not proved by the modulus")
    if subject.m == 0:
        raise Refused("there are no parameters to differentiate in")
    A, B = subject.product(word)
    j = integer(witness["column"], "column", 0, subject.m - 1)
    J0, which = start_derivative(subject)
    M = [row + [b[j]] for row, b in zip(A, B, strict=True)] + [[ZERO] * subject.p + [ONE]]
    if not has_root_beyond(minimal_polynomial(M, [[row[j]] for row in J0] + [[ONE]]), r):
        raise Refused("the start does not excite the growing part")
    eigenvector(subject, witness, A, B, J0, j)
    proved = f"along the word {' '.join(map(str, word))} of {subject} the derivatives grow by {say(growth)} per step"
    shortest = "shortest" in witness
    if shortest and text(witness["shortest"], "shortest") != "true":
        raise Unreadable('`shortest` is "true", or not there')
    if shortest:
        stable_up_to(subject, len(word) - 1)
        proved += "; no shorter word has spectral radius 1 or more"
    length = integer(claim.get("word_length", str(len(word))), "word_length", 1, 10_000)
    if length != len(word) or ("word_length" in claim and not shortest):
        raise Refused("the word is not the shortest, or not of the claimed length")
    return proved + which


def start_derivative(subject: Subject) -> tuple[Matrix, str]:
    """J_0: the derivative of a start that is the fixed point, otherwise the one that the certificate chooses."""
    map_ = subject.map
    if map_ is not None and map_.start is not None and map_.is_fixed(map_.value(map_.start, map_.at), subject.x):
        found = []
        for pattern in Patterns(interior=True).run(map_.program, map_.start, map_.jets(map_.at, map_.parameters)):
            if pattern.outputs is None or not map_.is_fixed([jet.value for jet in pattern.outputs], subject.x):
                raise Refused("the start is not continuous at the parameters")
            found.append([[jet.terms.get((i,), ZERO) for i in range(subject.m)] for jet in pattern.outputs])
        if not all(equal(J, found[0]) for J in found[1:]) or (subject.J0 and not equal(found[0], subject.J0)):
            raise Refused("the derivative of the start is not one matrix, or not the stated J0")
        return found[0], ""
    if subject.J0 is None:
        raise Unreadable("`J0` is missing; the start does not give it")
    return subject.J0, f", for J_0 = {say_matrix(subject.J0)}"


def eigenvector(subject: Subject, witness: dict[str, Any], A: Matrix, B: Matrix, J0: Matrix, column: int) -> None:
    """What is stated of an eigenvalue: v A = lambda v, |lambda| > 1, c = v J_0 + v B / (lambda - 1) not 0 there."""
    stated = [key in witness for key in ("eigenvalue", "left_eigenvector", "excitation")]
    if not any(stated):
        return
    if not all(stated):
        raise Unreadable("`eigenvalue`, `left_eigenvector` and `excitation` stand together")
    value = number(witness["eigenvalue"], "eigenvalue")
    v = matrix([witness["left_eigenvector"]], "left_eigenvector", 1, subject.p)
    c = matrix([witness["excitation"]], "excitation", 1, subject.m)
    if abs(value) <= 1 or not equal(times(v, A), [[Interval(value) * a for a in v[0]]]):
        raise Refused("the stated eigenvector is none, or its eigenvalue has no modulus above 1")
    if not equal(combine(times(v, J0), Interval(1 / (value - 1)), times(v, B)), c) or c[0][column].is_zero:
        raise Refused("the stated excitation is not the right one, or zero")


def stable_up_to(subject: Subject, length: int) -> None:
    """Every product of at most `length` pieces has spectral radius below 1; a word stands for its rotations."""
    subject.require_all_pieces()
    if len(subject.A) ** length > MOST_WORDS:
        raise Refused(f"more than {MOST_WORDS} shorter words")
    for n in range(1, length + 1):
        for word in tuples(range(len(subject.A)), repeat=n):
            first = word == min(word[i:] + word[:i] for i in range(n))
            if first and has_root_beyond(characteristic_polynomial(subject.product(word)[0]), Fraction(1)):
                raise Refused(f"the word {' '.join(map(str, word))} has spectral radius at least 1")


def diverges_refuted(claim: dict[str, Any], subject: Subject, witness: dict[str, Any]) -> str:
    if witness["method"] == "word_tree":
        tree = word_tree(subject, witness)
        return f"the joint spectral radius of {subject} is at most {say(tree.rate)}: all sequences are bounded"
    if "word_length" not in claim:
        raise Unreadable("`claim`: `word_length` is missing")
    length = integer(claim["word_length"], "word_length", 1, 10_000)
    if witness["method"] == "no_short_word":
        stable_up_to(subject, length)
        return f"every word over {subject} of length at most {length} has spectral radius below 1"
    if len(subject.word(witness["word"])) >= length:
        raise Refused("the word is not shorter than claimed")
    return diverges_proved({}, subject, witness)


def derivative_proved(claim: dict[str, Any], subject: Subject, witness: dict[str, Any]) -> str:
    X = matrix(witness["matrix"], "matrix", subject.p, subject.m)
    word_tree(subject, witness)
    for A, B in zip(subject.A, subject.B, strict=True):
        if not equal(combine(times(A, X), ONE, B), X):
            raise Refused("the matrix is not fixed by all pieces, or this is not decided exactly")
    if "value" in claim and not equal(matrix(claim["value"], "claim.value", subject.p, subject.m), X):
        raise Refused("the matrix is not the claimed one")
    return f"the piggyback set of {subject} is the single matrix {say_matrix(X)}"


def derivative_refuted(claim: dict[str, Any], subject: Subject, witness: dict[str, Any]) -> str:
    word_tree(subject, witness)
    found = []
    for data in array(witness["points"], "points"):
        data = fields(data, "point", ("word", "matrix"))
        A, B = subject.product(subject.word(data["word"], active=True))
        X = matrix(data["matrix"], "point.matrix", subject.p, subject.m)
        if not equal(combine(times(A, X), ONE, B), X):
            raise Refused("a matrix is not the fixed point of its word, or this is not decided exactly")
        found.append(X)
    if "value" in claim:
        found.append(matrix(claim["value"], "claim.value", subject.p, subject.m))
    if all(equal(X, found[0]) for X in found):
        raise Refused("the matrices do not contradict the claim")
    return f"the piggyback set of {subject} contains {', '.join(map(say_matrix, found[: len(witness['points'])]))}"


def chain_rule_set(subject: Subject) -> list[tuple[Matrix, Matrix]]:
    assert subject.map is not None
    jets = subject.map.jets(subject.point, subject.map.names)
    patterns = Patterns(chain_rule=True).run(subject.map.program, subject.map.next, jets)
    return [subject.pair(pattern.outputs) for pattern in patterns if pattern.outputs is not None]


def chain_rule_proved(claim: dict[str, Any], subject: Subject, witness: dict[str, Any]) -> str:
    A = matrix(witness["A"], "A", subject.p, subject.p)
    B = matrix(witness["B"], "B", subject.p, subject.m)
    if not any(equal(A, X) and equal(B, Y) for X, Y in chain_rule_set(subject)):
        raise Refused("the pair is not in the chain-rule set, or this is not decided exactly")
    for X, Y in subject.selection():
        if not any(a.apart(b) for rows in zip(A + B, X + Y, strict=True) for a, b in zip(*rows, strict=True)):
            raise Refused("the pair may be in the selection set")
    return f"A = {say_matrix(A)}, B = {say_matrix(B)} is in the chain-rule set, not in the selection set, of {subject}"


def chain_rule_refuted(claim: dict[str, Any], subject: Subject, witness: dict[str, Any]) -> str:
    for A, B in chain_rule_set(subject):
        if not any(
            on and equal(A, X) and equal(B, Y) for on, X, Y in zip(subject.active, subject.A, subject.B, strict=True)
        ):
            raise Refused("a pair of the chain-rule set is that of no piece proved essentially active")
    return f"every pair of the chain-rule set is in the selection set of {subject}"


def fixed_point_proved(claim: dict[str, Any], subject: Subject, witness: dict[str, Any]) -> str:
    assert subject.map is not None
    if "value" in claim and numbers(claim["value"], "claim.value", subject.map.state) != subject.x:
        raise Refused("the fixed point is not the claimed one")
    return f"{say_point(subject.x)} is a fixed point" + (f" at {say_point(subject.map.at)}" if subject.map.at else "")


def fixed_point_refuted(claim: dict[str, Any], map_: Map, witness: dict[str, Any]) -> str:
    at = f" at {say_point(map_.at)}" if map_.at else ""
    if "value" in claim:
        x = numbers(claim["value"], "claim.value", map_.state)
        values = map_.value(map_.next, {**x, **map_.at})
        if not any(v.apart(Interval(x[name])) for v, name in zip(values, map_.state, strict=True)):
            raise Refused("the claimed point is fixed, or that it is not is not decided")
        return f"{say_point(x)} is not a fixed point{at}"
    point = {**dict.fromkeys(map_.state, Fraction(0)), **map_.at}
    for pattern in Patterns(everywhere=True).run(map_.program, map_.next, map_.jets(point, map_.state)):
        moves = [jet + Jet({(i,): -ONE}) for i, jet in enumerate(pattern.outputs or [])]
        if pattern.outputs is not None and not impossible([*pattern.conditions, *((jet, (0,)) for jet in moves)]):
            raise Refused("on one piece a fixed point is not excluded")
    return f"there is no fixed point{at}"


class Continuity:
    """Which nodes are continuous functions of all variables on the whole space.

    Sums, products and the like of continuous nodes are, and Abs, Max, Min. Of other nodes all pieces are compared:
    where two closed regions meet, the pieces must agree. First with the continuous switches inside as independent
    variables, then with everything written out.
    """

    def __init__(self, map_: Map) -> None:
        self.program = map_.program
        self.jets = map_.jets(dict.fromkeys(map_.names, Fraction(0)), map_.names)
        self.known: dict[int, bool] = {}

    def proved(self, i: int) -> bool:
        if i not in self.known:
            kind, parts, _ = self.program.nodes[i]
            children = set(map(self.proved, parts)) <= {True}
            two_values = kind == "switch" and len(set(parts[1:])) < 3
            if kind in ("relation", "truth", "and", "or", "not"):
                self.known[i] = children
            elif children and (two_values or kind in ("number", "name", "sum", "product", "negative", "power", "exp")):
                self.known[i] = True
            else:
                self.known[i] = self.agree(i, self.inside(i)) or self.agree(i, {})
        return self.known[i]

    def inside(self, i: int) -> dict[int, Jet]:
        """The continuous switches below a node, as new variables."""
        below, found = list(self.program.nodes[i].parts), {}
        while below:
            j = below.pop()
            if self.program.nodes[j].kind in ("switch", "piecewise") and self.known[j]:
                found[j] = Jet({(len(self.jets) + j,): ONE})
            elif j not in found:
                below.extend(self.program.nodes[j].parts)
        return found

    def agree(self, i: int, given: Mapping[int, Jet]) -> bool:
        """Whether the pieces of a node are polynomials that cover the space and agree where they meet."""
        patterns = Patterns(everywhere=True)
        patterns.given = given
        try:
            found = list(patterns.run(self.program, [i], self.jets))
        except Refused:
            return False
        pieces = [(pattern.outputs[0], pattern.conditions) for pattern in found if pattern.outputs]
        covered = all(pattern.outputs or impossible(pattern.conditions) for pattern in found)
        whole = all(jet.rational or (len(found) == 1 and not jet.cut) for jet, _ in pieces)
        return covered and whole and len(pieces) <= 200 and all(meet(*a, *b) for a, b in combinations(pieces, 2))


Conditions = list[tuple[Jet, Signs]]


def meet(first: Jet, where_first: Conditions, second: Jet, where_second: Conditions) -> bool:
    """Whether two polynomials agree where the closures of two regions meet.

    Shown by first - second = sum mu_m m z + sum lambda h, lambda >= 0, and the same for second - first, or by -1 = (the
    same), where z vanish and h are nonnegative on both closures and m are monomials.
    """
    difference = coefficients(first + -second)
    if not difference:
        return True
    zeros, nonnegative, positive = split(where_first + where_second)
    nonnegative += [*positive, {(): Fraction(1)}]
    zeros += [h for h in nonnegative if {m: -c for m, c in h.items()} in nonnegative]
    degree = max(map(len, difference))
    variables = sorted({v for h in (*zeros, difference) for m in h for v in m})
    for z in zeros:
        for d in range(max(0, degree - max(map(len, z))) + 1):
            for m in combinations_with_replacement(variables, d):
                multiple = {tuple(sorted(m + n)): c for n, c in z.items()}
                nonnegative += [multiple, {n: -c for n, c in multiple.items()}]
                if len(nonnegative) > 2000:
                    return False
    opposite = {m: -c for m, c in difference.items()}
    if nonnegative_solution(nonnegative, {(): Fraction(-1)}):
        return True
    return nonnegative_solution(nonnegative, difference) and nonnegative_solution(nonnegative, opposite)


def continuous_proved(claim: dict[str, Any], map_: Map, witness: dict[str, Any]) -> str:
    continuity = Continuity(map_)
    for name, node in zip(map_.state, map_.next, strict=True):
        if not continuity.proved(node):
            raise Refused(f"the next `{name}` is not proved to be continuous")
    return "the map is continuous, and its pieces cover the space"


def continuous_refuted(claim: dict[str, Any], map_: Map, witness: dict[str, Any]) -> str:
    if "gap" in witness:
        fields(witness, "witness", ("gap",))
        point = numbers(witness["gap"], "gap", map_.names)
        try:
            evaluate(map_.program, map_.next, map_.jets(point, ()), beside(()))
        except Gap:
            return f"no branch of a Piecewise applies at {say_point(point)}"
        raise Refused("the map has a value at the point")
    fields(witness, "witness", ("point", "direction"))
    point = numbers(witness["point"], "point", map_.names)
    direction = [number(d, "direction") for d in array(witness["direction"], "direction", len(map_.names))]
    jets = {
        name: Jet({(): Interval(point[name]), (0,): Interval(d)}) for name, d in zip(map_.names, direction, strict=True)
    }
    try:
        limits = evaluate(map_.program, map_.next, jets, beside([Fraction(1)]))
    except Gap:
        raise Refused("no branch of a Piecewise applies along the direction") from None
    if not any(v.apart(limit.value) for v, limit in zip(map_.value(map_.next, point), limits, strict=True)):
        raise Refused("the limit along the direction is the value at the point, or this is not decided")
    return f"the map jumps at {say_point(point)}"


# Certificates and files


TREE, WORD = ("method", "P", "rate", "words"), ("method", "word", "modulus_lower")
GROWTH = (*WORD, "growth_lower", "column")
EIGENVALUE = ("eigenvalue", "left_eigenvector", "excitation")
Keys = Sequence[str]
Rule = tuple[Callable[[dict[str, Any], Any, dict[str, Any]], str], Keys, Keys]  # with the keys of its witness

RULES: dict[tuple[str, str, str], Rule] = {
    ("continuous", "proved", ""): (continuous_proved, (), ()),
    ("continuous", "refuted", ""): (continuous_refuted, (), ("gap", "point", "direction")),
    ("fixed_point", "proved", ""): (fixed_point_proved, (), ()),
    ("fixed_point", "refuted", ""): (fixed_point_refuted, (), ()),
    ("fixed_point", "refuted", "no_fixed_point"): (fixed_point_refuted, ("method",), ()),
    ("converges", "proved", "word_tree"): (converges_proved, TREE, ("trap",)),
    ("converges", "refuted", "word"): (converges_refuted, WORD, ()),
    ("diverges", "proved", "word"): (diverges_proved, GROWTH, (*EIGENVALUE, "shortest")),
    ("diverges", "refuted", "word"): (diverges_refuted, GROWTH, (*EIGENVALUE, "shortest")),
    ("diverges", "refuted", "word_tree"): (diverges_refuted, TREE, ()),
    ("diverges", "refuted", "no_short_word"): (diverges_refuted, ("method",), ()),
    ("derivative", "proved", "word_tree"): (derivative_proved, (*TREE, "matrix"), ()),
    ("derivative", "refuted", "word_tree"): (derivative_refuted, (*TREE, "points"), ()),
    ("chain_rule_set_is_larger", "proved", ""): (chain_rule_proved, ("A", "B"), ()),
    ("chain_rule_set_is_larger", "refuted", ""): (chain_rule_refuted, (), ()),
}
CLAIM = {"converges": ("rate",), "diverges": ("word_length",), "fixed_point": ("value",), "derivative": ("value",)}


def check(certificate: dict[str, Any]) -> str:
    """Return what a certificate proves; raise `Refused` when it does not hold, `Unreadable` when it is none."""
    try:
        return checked(certificate)
    except (RecursionError, MemoryError, OverflowError):
        raise Refused("it is nested too deeply, or its numbers are too large") from None


def checked(certificate: Any) -> str:
    if not isinstance(certificate, dict) or certificate.get("format") != FORMAT:
        raise Unreadable(f'not a certificate: `format` is not "{FORMAT}"')
    claim, witness = certificate.get("claim"), certificate.get("witness")
    if not isinstance(claim, dict) or not isinstance(witness, dict):
        raise Unreadable("`claim` or `witness` is missing, or not an object")
    kind, verdict = text(claim.get("kind"), "claim.kind"), text(claim.get("verdict"), "claim.verdict")
    method = text(witness.get("method", ""), "witness.method")
    if (kind, verdict, method) not in RULES:
        raise Unreadable(f"`{kind[:40]}`, `{verdict[:40]}` by `{method[:40]}`: no such kind, verdict and method")
    rule, required, optional = RULES[kind, verdict, method]
    fields(claim, "claim", ("kind", "verdict", "statement"), CLAIM.get(kind, ()))
    text(claim["statement"], "claim.statement")
    fields(witness, "witness", required, optional)
    return rule(claim, read_subject(certificate, kind, verdict, method), witness)


def read_subject(certificate: dict[str, Any], kind: str, verdict: str, method: str) -> Subject | Map:
    general = ("format", "claim", "witness")
    if "switched" in certificate and kind in ("converges", "diverges", "derivative"):
        fields(certificate, "certificate", (*general, "switched"), ("J0",))
        return Subject(certificate, pieces_needed=False)
    if kind == "continuous" or (kind, verdict) == ("fixed_point", "refuted"):
        needed = () if kind == "continuous" else ("at",)
        fields(certificate, "certificate", (*general, "map", *needed), ("at", "start"))
        return Map(certificate, at_needed=bool(needed))
    pieces = (kind, verdict) not in (("fixed_point", "proved"), ("chain_rule_set_is_larger", "proved"))
    required = (*general, "map", "at", "fixed_point", *(("pieces",) if pieces else ()))
    J0 = ("J0",) if kind == "diverges" and method == "word" else ()
    fields(certificate, "certificate", required, ("start", "pieces", *J0))
    return Subject(certificate, pieces_needed=pieces)


def check_file(path: str) -> str:
    """Check the certificate in a file."""
    try:
        if os.stat(path).st_size > MOST_BYTES:
            raise Unreadable(f"larger than {MOST_BYTES} bytes")
        with open(path, encoding="utf-8") as file:
            data = file.read(MOST_BYTES + 1)
        hooks: dict[str, Any] = dict.fromkeys(("parse_int", "parse_float", "parse_constant"), refuse)
        return check(json.loads(data, object_pairs_hook=distinct, **hooks))
    except OSError as error:
        raise Unreadable(error.strerror or "cannot be read") from None
    except (RecursionError, MemoryError):
        raise Unreadable("nested too deeply") from None
    except ValueError as error:
        raise Unreadable(f"not JSON: {error}") from None


def refuse(number: str) -> None:
    raise Unreadable(f'the number {number[:40]} is not text; write "{number[:40]}"')


def distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise Unreadable("an object has a key twice")
    return dict(pairs)


def main(argv: Sequence[str]) -> int:
    """Check the files named; print one line for each, return the exit code."""
    code = 0
    for path in argv:
        try:
            print(f"{path}: valid: {check_file(path)}")
        except Refused as reason:
            print(f"{path}: does not hold: {' '.join(str(reason).split())}")
            code = max(code, 1)
        except Unreadable as reason:
            print(f"{path}: unreadable: {' '.join(str(reason).split())}", file=sys.stderr)
            code = 3
    if not argv:
        print("usage: python checker.py CERTIFICATE...", file=sys.stderr)
        code = 3
    return code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

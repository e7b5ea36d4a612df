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
from functools import reduce
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


# Evaluation, and the pieces of a map


Signs = tuple[int, ...]
Decision = Callable[[int, int, Jet, list[Signs]], Signs]  # (switch, guard's node, guard, outcomes) -> the outcome taken


class Gap(Exception):
    """No condition of a Piecewise holds."""


class Impossible(Exception):
    """The signs chosen so far contradict each other."""


def evaluate(program: Program, outputs: Sequence[int], inputs: Mapping[str, Jet], decide: Decision) -> list[Jet]:
    """Evaluate nodes on jets; only those that are needed, each once."""
    known: dict[int, Jet] = {}

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
                for value, condition in zip(parts[::2], parts[1::2]):
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
                if jet.cut and data > 0:
                    return jet.composed(a.power(data), lambda: Interval(data) * a.power(data - 1))
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
                return decide(piecewise, parts[0], number(parts[0]), outcomes) == outcomes[0]
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
        self.everywhere, self.interior, self.chain_rule = everywhere, interior, chain_rule
        self.choices: list[list[tuple[Signs, Signs]]] = []  # for each free decision what is left to take, the last now
        self.signs: dict[Any, tuple[Jet, Signs]] = {}
        self.met: list[Met] = []
        self.depth = 0

    def run(self, program: Program, outputs: Sequence[int], inputs: Mapping[str, Jet]) -> Iterator[Pattern]:
        for _ in range(MOST_PATTERNS):
            self.signs, self.met, self.depth = {}, [], 0
            try:
                yield Pattern(self.jets(program, outputs, inputs), self.met, list(self.signs.values()))
            except Impossible:
                pass
            while self.choices and len(self.choices[-1]) == 1:
                self.choices.pop()
            if not self.choices:
                return
            self.choices[-1].pop()
        raise Refused(f"more than {MOST_PATTERNS} sign patterns")

    def jets(self, program: Program, outputs: Sequence[int], inputs: Mapping[str, Jet]) -> list[Jet] | None:
        try:
            return evaluate(program, outputs, inputs, self.decide)
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
            key = tuple(sorted((m, c.lo / lead.lo) for m, c in guard.terms.items()))
        if self.chain_rule:
            key = switch, key
        if self.depth == len(self.choices):
            options = self.options(key, guard if flip > 0 else -guard, flip, outcomes)
            if not options:
                raise Impossible
            self.choices.append(options)
        outcome, signs = self.choices[self.depth][-1]
        self.depth += 1
        self.signs[key] = (guard if flip > 0 else -guard, signs)
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
    columns += [{**p, mark: Fraction(1)} for p in [*positive, {(): Fraction(1)}]]
    return nonnegative_solution(columns, {mark: Fraction(1)})


def nonnegative_solution(columns: Sequence[Coefficients], target: Coefficients) -> bool:
    """Whether target = sum lambda_j columns_j with lambda >= 0: phase one of the simplex method, by Bland's rule."""
    rows = sorted({m for column in (*columns, target) for m in column})
    table = [[column.get(m, Fraction(0)) for column in (*columns, target)] for m in rows]
    table = [row if row[-1] >= 0 else [-c for c in row] for row in table]
    table.append([sum(column, Fraction(0)) for column in zip(*table)])  # how much of the artificial variables is left
    basis = list(range(len(columns), len(columns) + len(rows)))
    while (j := next((j for j in range(len(columns)) if table[-1][j] > 0), None)) is not None:
        ratios = [(row[-1] / row[j], basis[i], i) for i, row in enumerate(table[:-1]) if row[j] > 0]
        i = min(ratios)[2]
        basis[i] = j
        table[i] = [c / table[i][j] for c in table[i]]
        for k, row in enumerate(table):
            if k != i and row[j] != 0:
                table[k] = [c - row[j] * d for c, d in zip(row, table[i])]
    return table[-1][-1] == 0


# Matrices


Matrix = list[list[Interval]]


def identity(n: int) -> Matrix:
    return [[ONE if i == j else ZERO for j in range(n)] for i in range(n)]


def transpose(X: Matrix) -> Matrix:
    return [list(column) for column in zip(*X)]


def times(X: Matrix, Y: Matrix) -> Matrix:
    columns = transpose(Y)
    return [[sum((a * b for a, b in zip(row, column)), ZERO) for column in columns] for row in X]


def combine(X: Matrix, s: Interval, Y: Matrix) -> Matrix:
    """X + s Y."""
    return [[a + s * b for a, b in zip(*rows)] for rows in zip(X, Y)]


def within(X: Matrix, Y: Matrix) -> bool:
    return all(a.within(b) for rows in zip(X, Y) for a, b in zip(*rows))


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
        S[i][i] -= sum(a.hi - a.lo for a in ends[i]) / 2
    for k in range(n):
        if S[k][k] < 0 or S[k][k] == 0 and (definite or any(S[i][k] for i in range(k, n))):
            return False
        for i in range(k + 1, n):
            if S[i][k]:
                factor = S[i][k] / S[k][k]
                S[i] = [a - factor * b for a, b in zip(S[i], S[k])]
    return True


def shrinks(A: Matrix, P: Matrix, factor: Fraction) -> bool:
    """Whether (A x)^T P (A x) <= factor x^T P x for all x."""
    return semidefinite(combine([[Interval(factor) * a for a in row] for row in P], -ONE, times(transpose(A), times(P, A))))


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
    a = [c * Interval(1 / r**k) for k, c in enumerate(polynomial)]
    while len(a) > 1:
        gap = ONE - a[-1] * a[-1]
        if gap.sign() <= 0:
            return True
        factor = gap.reciprocal()
        a = [(b - a[-1] * c) * factor for b, c in zip(a[:-1], reversed(a[1:]))]
    return False


def minimal_polynomial(M: Matrix, u: Matrix) -> list[Interval]:
    """The monic polynomial q of least degree with q(M) u = 0, the leading coefficient first."""
    n = len(M)
    rows: list[tuple[int, list[Interval]]] = []
    for k in range(n):
        w = [row[0] for row in u] + identity(n)[k]
        for i, row in rows:
            w = [a - w[i] * b for a, b in zip(w, row)]
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
    rows = [row + unit for row, unit in zip(P, identity(n))]
    for k in range(n):
        factor = rows[k][k].reciprocal()
        rows[k] = [a * factor for a in rows[k]]
        for i in range(n):
            if i != k:
                rows[i] = [a - rows[i][k] * b for a, b in zip(rows[i], rows[k])]
    return [row[n:] for row in rows]

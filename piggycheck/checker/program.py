"""Programs: the text of a map as nodes, in which equal subexpressions are one node."""

from __future__ import annotations

import ast
import keyword
import re
import unicodedata
from collections.abc import Callable, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

from .reading import Unreadable

MOST_NODES = 50_000
DEEPEST = 150
FUNCTIONS = {"Abs", "sign", "relu", "sqrt", "exp", "log"}
PARTIAL = {"sqrt", "log", "reciprocal", "piecewise"}
TRUE_ON: dict[type[ast.cmpop], tuple[int, ...]] = {
    ast.Lt: (-1,), ast.LtE: (-1, 0), ast.Gt: (1,), ast.GtE: (0, 1), ast.Eq: (0,), ast.NotEq: (-1, 1)
}  # fmt: skip


def require_name(name: str, where: str) -> str:
    """The text, when it can be a name in an expression."""
    word = keyword.iskeyword(name) or name in {"Piecewise", "Max", "Min", *FUNCTIONS}
    if word or not name.isidentifier() or unicodedata.normalize("NFKC", name) != name:
        raise Unreadable(f"`{where}`: `{name[:60]}` is not a name")
    return name


class Node(NamedTuple):
    """An operation on earlier nodes."""

    kind: str
    parts: tuple[int, ...]
    data: Any = None


class Program:
    """Expressions as a list of nodes that refer to earlier ones.

    Abs, sign, Max, Min and relu are switches: a guard, and what the value is where it is negative, zero, positive; with
    their name as data, and for Max and Min the arguments that were compared so far.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.names = names
        self.nodes: list[Node] = []
        self.index: dict[Node, int] = {}
        self.total: set[int] = set()  # nodes that are known to have a value everywhere
        self.source = b""

    def add(self, kind: str, *parts: int, data: Any = None) -> int:
        """The node, which is made when it is not there."""
        node = Node(kind, parts, data)
        if node not in self.index:
            if len(self.nodes) == MOST_NODES:
                raise Unreadable(f"the expressions have more than {MOST_NODES} parts")
            self.index[node] = len(self.nodes)
            self.nodes.append(node)
            quotient = kind == "reciprocal" and self.nodes[parts[0]].kind == "number" and self.nodes[parts[0]].data != 0
            if (quotient or kind not in PARTIAL) and self.total.issuperset(parts):
                self.total.add(self.index[node])
        return self.index[node]

    def read(self, text: Any) -> int:
        """The node of an expression."""
        if not isinstance(text, str) or len(text) > 100_000 or re.search(r"\d{4001}", text):
            raise Unreadable("an expression is text, below 100000 characters, with numbers below 4000 digits")
        text = " ".join(text.split())
        if "#" in text or unicodedata.normalize("NFKC", text) != text:  # to Python's parser it would say something else
            raise Unreadable(f"`{text[:60]}`: an expression has no comments, and no letters that stand for others")
        self.source = text.encode()
        try:
            return self.number(ast.parse(text, mode="eval").body, 0)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            raise Unreadable(f"`{text[:60]}` is not an expression, or nested too deeply") from None

    def segment(self, tree: ast.expr) -> str:
        """The text of a part."""
        return self.source[tree.col_offset : tree.end_col_offset].decode()

    def unknown(self, tree: ast.expr) -> Unreadable:
        """What to raise for a part that means nothing here."""
        return Unreadable(f"`{self.segment(tree)[:60]}` is not in the grammar, or not a declared name")

    def number(self, tree: ast.expr, depth: int) -> int:
        """The node of a part whose value is a number."""
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
                return self.piecewise(parts)
            case ast.Call(func=ast.Name(id="Max" | "Min" as name), args=[first, *rest], keywords=[]):
                a = self.number(first, depth + 1)
                compared = [a]
                for other in rest:
                    compared.append(b := self.number(other, depth + 1))
                    values = (b, a, a) if name == "Max" else (a, b, b)
                    a = self.add("switch", self.difference(a, b), *values, data=(name, *compared))
                return a
            case ast.Call(func=ast.Name(id=name), args=[argument], keywords=[]) if name in FUNCTIONS:
                return self.function(name, self.number(argument, depth + 1))
        raise self.unknown(tree)

    def piecewise(self, parts: list[int]) -> int:
        """The node of a Piecewise, without the last conditions where nothing depends on them."""
        always = self.add("truth", data=True)
        while len(parts) > 2 and parts[-1] == always and parts[-4] == parts[-2] and parts[-3] in self.total:
            del parts[-4:-2]
        return parts[0] if parts[1] == always else self.add("piecewise", *parts)

    def literal(self, tree: ast.Constant) -> int:
        """The node of a decimal number."""
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

    def difference(self, a: int, b: int) -> int:
        """The guard of a comparison."""
        return self.add("sum", a, self.add("negative", b))

    def power(self, base: int, exponent: ast.expr) -> int:
        """A power with an integer exponent, or half of one."""
        found = re.fullmatch(r"([+-]?)(\d{1,3})(/2)?", self.segment(exponent).replace(" ", ""), re.ASCII)
        if found is None:
            raise Unreadable(f"exponent `{self.segment(exponent)[:60]}`: write an integer below 1000, or half of one")
        sign, digits, half = found.groups()
        result = self.add("power", self.add("sqrt", base) if half else base, data=int(digits))
        return self.add("reciprocal", result) if sign == "-" else result

    def function(self, name: str, a: int) -> int:
        """A function of one argument."""
        if name in ("sqrt", "exp", "log"):
            return self.add(name, a)
        if name == "Abs":
            return self.add("switch", a, self.add("negative", a), a, a, data=("Abs",))
        if name == "sign":
            return self.add("switch", a, *(self.add("number", data=Fraction(s)) for s in (-1, 0, 1)), data=("sign",))
        zero = self.add("number", data=Fraction(0))
        return self.add("switch", self.difference(zero, a), a, zero, zero, data=("relu",))

    def condition(self, tree: ast.expr, depth: int) -> int:
        """The node of a part that is true or false."""
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
                guards = [self.difference(a, b) for a, b in pairwise(self.number(e, depth + 1) for e in (left, *rest))]
                relations = [self.add("relation", g, data=TRUE_ON[type(op)]) for g, op in zip(guards, ops, strict=True)]
                return self.add("and", *relations)
        raise self.unknown(tree)

    def holds(self, i: int, related: Callable[[int, Any], bool]) -> bool:
        """Whether a condition holds, given whether the sign of a node is among some."""
        kind, parts, data = self.nodes[i]
        match kind:
            case "relation":
                return related(parts[0], data)
            case "not":
                return not self.holds(parts[0], related)
            case "and":
                return all(self.holds(part, related) for part in parts)
            case "or":
                return any(self.holds(part, related) for part in parts)
        return bool(data)

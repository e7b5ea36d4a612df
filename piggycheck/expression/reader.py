"""From Python's syntax tree to sympy, node by node; a node that is not listed here is refused."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple, NoReturn

import sympy as sp
from sympy.core.relational import Relational

from piggycheck.errors import ExpressionError
from piggycheck.expression.limits import (
    DEEPEST_NESTING,
    LARGEST_BITS,
    LARGEST_EXP_ARGUMENT,
    LARGEST_EXPONENT,
    LARGEST_RADICAND_BITS,
    LARGEST_SUM_BITS,
    MOST_NODES,
)
from piggycheck.expression.nodes import (
    bits,
    constant_sign,
    is_condition,
    is_moderate,
    junction,
    leading,
    negation,
    piecewise,
    power,
    product,
    relation,
    relu,
    smooth_function,
    total,
)
from piggycheck.expression.tokens import Source, check_tokens

__all__ = ["Reader"]

RELATIONS: dict[type[ast.cmpop], type[Relational]] = {
    ast.Lt: sp.StrictLessThan,
    ast.LtE: sp.LessThan,
    ast.Gt: sp.StrictGreaterThan,
    ast.GtE: sp.GreaterThan,
    ast.Eq: sp.Equality,
    ast.NotEq: sp.Unequality,
}


class Value(NamedTuple):
    """What a piece of text stands for, with bounds that are checked before anything larger is built."""

    expression: sp.Basic
    size: int
    degree: int


class Reader(Source):
    """One text, read once: its tokens are checked, Python's parser gives the tree, and the tree is built."""

    def number(self) -> sp.Expr:
        check_tokens(self)
        tree = self._tree()
        try:
            return self._number(tree, 0).expression
        except RecursionError:
            raise ExpressionError("nested too deeply; name a part of it", self.where) from None

    def _tree(self) -> ast.expr:
        flat = "(" + re.sub(r"[\t\r\n\f]", " ", self.text) + ")"
        try:
            return ast.parse(flat, mode="eval").body
        except SyntaxError as error:
            start = min(max((error.offset or 2) - 2, 0), len(self.text))
            if not self.text[start:].strip():
                self.fail("the expression ends too early", len(self.text.rstrip()), len(self.text))
            self.fail("cannot be read from here on", start, len(self.text))
        except (RecursionError, MemoryError):
            raise ExpressionError(
                "nested too deeply, or too many terms in one sum; group them with parentheses", self.where
            ) from None

    @cached_property
    def _characters(self) -> list[int]:
        """The character that each byte of the text belongs to; Python's tree counts bytes."""
        return [i for i, character in enumerate(self.text) for _ in character.encode()] + [len(self.text)]

    def _span(self, node: ast.expr) -> tuple[int, int]:
        last = len(self._characters) - 1
        start, end = node.col_offset - 1, (node.end_col_offset or node.col_offset) - 1
        return self._characters[min(max(start, 0), last)], self._characters[min(max(end, 0), last)]

    def _refuse(self, node: ast.expr, message: str) -> NoReturn:
        start, end = self._span(node)
        self.fail(message, start, end)

    def _number(self, node: ast.expr, depth: int) -> Value:
        value = self._value(node, depth)
        if is_condition(value.expression):
            self._refuse(node, "a condition stands where a number must; write `Piecewise((1, condition), (0, True))`")
        return value

    def _condition(self, node: ast.expr, depth: int) -> Value:
        value = self._value(node, depth)
        if not is_condition(value.expression):
            advice = "write a comparison such as `x > 0` (in brackets beside `&` or `|`)"
            self._refuse(node, f"a number stands where a condition must; {advice}")
        return value

    def _value(self, node: ast.expr, depth: int) -> Value:
        if depth > DEEPEST_NESTING:
            self._refuse(node, f"nested more than {DEEPEST_NESTING} deep; name a part of it")
        depth += 1
        match node:
            case ast.Constant(value=bool()):
                value = Value(sp.true if node.value else sp.false, 1, 0)
            case ast.Constant():
                value = self._literal(node)
            case ast.Name():
                value = self._name(node)
            case ast.UnaryOp(op=ast.UAdd()):
                value = self._number(node.operand, depth)
            case ast.UnaryOp(op=ast.USub()) | ast.BinOp(op=ast.Add() | ast.Sub()):
                value = self._sum(node, depth)
            case ast.BinOp(op=ast.Mult() | ast.Div()):
                value = self._product(node, depth)
            case ast.BinOp(op=ast.Pow()):
                value = self._power(node, depth)
            case ast.UnaryOp(op=ast.Not() | ast.Invert()):
                inner = self._condition(node.operand, depth)
                value = Value(negation(inner.expression), inner.size + 1, inner.degree)
            case ast.BoolOp(op=operator, values=parts):
                value = self._junction(isinstance(operator, ast.And), parts, depth)
            case ast.BinOp(op=ast.BitAnd() | ast.BitOr() as operator):
                value = self._junction(isinstance(operator, ast.BitAnd), chain(node, type(operator)), depth)
            case ast.Compare():
                value = self._comparison(node, depth)
            case ast.Call(func=ast.Name(id=name), keywords=[]):
                value = getattr(self, "_call_" + name)(node, depth)
            case ast.Tuple():
                self._refuse(node, "a comma has no meaning here; pairs `(value, condition)` stand inside Piecewise")
            case _:
                self._refuse(node, "not part of the grammar")
        return self._bounded(node, value)

    def _bounded(self, node: ast.expr, value: Value) -> Value:
        if value.size > MOST_NODES:
            self._refuse(node, f"more than {MOST_NODES} nodes; name a part of it")
        expression = value.expression
        coefficient = expression.as_coeff_Mul()[0] if isinstance(expression, sp.Mul) else expression
        if isinstance(coefficient, sp.Rational) and bits(coefficient) > LARGEST_BITS:
            self._refuse(node, f"a number of more than {LARGEST_BITS} bits; write a smaller one")
        return value

    def _literal(self, node: ast.Constant) -> Value:
        start, end = self._span(node)
        fraction = Fraction(self.text[start:end])
        return Value(sp.Rational(fraction.numerator, fraction.denominator), 1, 0)

    def _name(self, node: ast.Name) -> Value:
        start, end = self._span(node)
        return Value(self.names[self.text[start:end]], 1, 1)

    def _sum(self, node: ast.expr, depth: int) -> Value:
        terms: list[Value] = []
        used = 0
        for sign, part in signed_terms(node):
            term = self._number(part, depth)
            used += sum(bits(leading(t)) for t in sp.Add.make_args(term.expression))
            if used > LARGEST_SUM_BITS:
                self._refuse(node, "the numbers of this sum are too long; write shorter ones")
            terms.append(term if sign > 0 else term._replace(expression=product([sp.S.NegativeOne, term.expression])))
        size, degree = sum(t.size for t in terms) + 1, max(t.degree for t in terms)
        return Value(total([t.expression for t in terms]), size, degree)

    def _product(self, node: ast.expr, depth: int) -> Value:
        factors, used, size, degree = [], 0, 1, 0
        for inverse, part in factor_chain(node):
            sign, part = unsigned(part)
            factor = self._number(part, depth)
            if inverse:
                self._refuse_zero(part, factor.expression)
            used, size, degree = used + bits(leading(factor.expression)), size + factor.size, degree + factor.degree
            if used > LARGEST_SUM_BITS or degree > LARGEST_EXPONENT:
                self._refuse(node, f"numbers or powers (beyond {LARGEST_EXPONENT}) too large in this product")
            factors += [sp.Integer(sign), power(factor.expression, -1) if inverse else factor.expression]
        return Value(product(factors), size, degree)

    def _power(self, node: ast.BinOp, depth: int) -> Value:
        base = self._number(node.left, depth)
        exponent = self._number(node.right, depth).expression
        if not isinstance(exponent, sp.Rational) or exponent.q > 2:
            self._refuse(node.right, "an exponent is an integer or half of one; write `exp(y*log(x))` for `x**y`")
        return self._raised(node, node.left, base, exponent)

    def _raised(self, node: ast.expr, base_node: ast.expr, base: Value, exponent: sp.Rational) -> Value:
        """Return the power, once its size is known to be harmless."""
        root, expression = exponent.q == 2, base.expression
        if exponent < 0:
            self._refuse_zero(base_node, expression)
        if root:
            self._refuse_negative(base_node, expression, "the square root of a negative number is not real")
        number = isinstance(expression, sp.Rational)
        steps = int(sp.ceiling(abs(exponent)))
        degree = 0 if number else base.degree * max(steps, 1)
        trivial = number and expression in (0, 1, -1)
        if degree > LARGEST_EXPONENT or (bits(leading(expression)) * steps > LARGEST_BITS and not trivial):
            self._refuse(node, f"a power too large to work with; exponents go up to {LARGEST_EXPONENT}")
        if root and sum(bits(f) for f in sp.Mul.make_args(expression)) > LARGEST_RADICAND_BITS:
            self._refuse(node, f"a root of a number of more than {LARGEST_RADICAND_BITS} bits; write a smaller one")
        result = power(expression, exponent)
        if root:
            self._refuse_complex(node, result)
        return Value(result, base.size + 1, degree)

    def _junction(self, conjunction: bool, parts: list[ast.expr], depth: int) -> Value:
        values = [self._condition(part, depth) for part in parts]
        size, degree = sum(v.size for v in values) + 1, max(v.degree for v in values)
        kind = sp.And if conjunction else sp.Or
        return Value(junction(kind, [v.expression for v in values]), size, degree)

    def _comparison(self, node: ast.Compare, depth: int) -> Value:
        sides = [self._side(part, depth) for part in (node.left, *node.comparators)]
        links = [
            relation(RELATIONS[type(operator)], left.expression, right.expression)
            for operator, left, right in zip(node.ops, sides, sides[1:], strict=False)
        ]
        size = 2 * sum(s.size for s in sides) if len(links) > 1 else sum(s.size for s in sides) + 1
        return Value(junction(sp.And, links), size, max(s.degree for s in sides))

    def _side(self, node: ast.expr, depth: int) -> Value:
        value = self._value(node, depth)
        if is_condition(value.expression):
            self._refuse(node, "a comparison compares numbers; write `and`, or parentheses around each comparison")
        return value

    def _arguments(self, node: ast.Call, depth: int, count: int | None = None) -> list[Value]:
        if not node.args or (count is not None and len(node.args) != count):
            wanted = "one argument" if count == 1 else "at least one argument"
            self._refuse(node, f"takes {wanted}, {len(node.args)} given")
        return [self._number(part, depth) for part in node.args]

    def _call_Abs(self, node: ast.Call, depth: int) -> Value:
        return self._kink(node, depth, abs, sp.Abs)

    def _call_sign(self, node: ast.Call, depth: int) -> Value:
        return self._kink(node, depth, sp.sign, sp.sign)

    def _kink(self, node: ast.Call, depth: int, exact: Callable, function: type[sp.Function]) -> Value:
        (argument,) = self._arguments(node, depth, 1)
        expression = argument.expression
        if isinstance(expression, sp.Rational):
            return Value(exact(expression), 1, 0)
        return Value(function(expression, evaluate=False), argument.size + 1, argument.degree)

    def _call_Max(self, node: ast.Call, depth: int) -> Value:
        return largest(sp.Max, max, self._arguments(node, depth))

    def _call_Min(self, node: ast.Call, depth: int) -> Value:
        return largest(sp.Min, min, self._arguments(node, depth))

    def _call_relu(self, node: ast.Call, depth: int) -> Value:
        return self._kink(node, depth, lambda number: max(number, sp.S.Zero), relu)

    def _call_sqrt(self, node: ast.Call, depth: int) -> Value:
        (argument,) = self._arguments(node, depth, 1)
        return self._raised(node, node.args[0], argument, sp.S.Half)

    def _call_exp(self, node: ast.Call, depth: int) -> Value:
        (argument,) = self._arguments(node, depth, 1)
        expression = argument.expression
        if expression.is_number and not is_moderate(expression):
            self._refuse(node, f"the exponential of a number beyond {LARGEST_EXP_ARGUMENT}; write a smaller one")
        return Value(smooth_function(sp.exp, expression), argument.size + 1, 1)

    def _call_log(self, node: ast.Call, depth: int) -> Value:
        (argument,) = self._arguments(node, depth, 1)
        expression = argument.expression
        if isinstance(expression, sp.Rational) and bits(expression) > LARGEST_RADICAND_BITS:
            self._refuse(node, f"a logarithm of a number of more than {LARGEST_RADICAND_BITS} bits")
        if expression.is_number and constant_sign(expression) != 1:
            self._refuse(node, "the logarithm of a number that is not positive is not real")
        result = smooth_function(sp.log, expression)
        self._refuse_complex(node, result)
        return Value(result, argument.size + 1, 1)

    def _call_Piecewise(self, node: ast.Call, depth: int) -> Value:
        if not node.args:
            self._refuse(node, "takes pairs; write `Piecewise((value, condition), ..., (value, True))`")
        pairs, size, degree = [], 1, 0
        for pair in node.args:
            if not isinstance(pair, ast.Tuple) or len(pair.elts) != 2:
                self._refuse(pair, "not a pair; write `(value, condition)`, and `(value, True)` for all that is left")
            value, condition = self._number(pair.elts[0], depth), self._condition(pair.elts[1], depth)
            pairs.append((value.expression, condition.expression))
            size, degree = size + value.size + condition.size, max(degree, value.degree, condition.degree)
        if all(condition == sp.false for _, condition in pairs):
            self._refuse(node, "every condition is false; write `(value, True)` for all that is left")
        return Value(piecewise(pairs), size, degree)

    def _refuse_zero(self, node: ast.expr, divisor: sp.Expr) -> None:
        if divisor == 0:
            self._refuse(node, "division by zero")
        if divisor.is_number and constant_sign(divisor) is None:
            self._refuse(node, "division by a number that cannot be told from zero")

    def _refuse_negative(self, node: ast.expr, expression: sp.Expr, message: str) -> None:
        if expression.is_number and expression != 0 and constant_sign(expression) != 1:
            self._refuse(node, message)

    def _refuse_complex(self, node: ast.expr, expression: sp.Expr) -> None:
        if expression.has(sp.I, sp.zoo, sp.nan, sp.oo, -sp.oo):
            self._refuse(node, "not a real number")


def chain(node: ast.expr, operator: type[ast.operator]) -> list[ast.expr]:
    """Return the operands of a left-leaning chain of one operator, without recursion."""
    parts: list[ast.expr] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, operator):
        parts.append(node.right)
        node = node.left
    return [node, *reversed(parts)]


def signed_terms(node: ast.expr) -> list[tuple[int, ast.expr]]:
    """Take a sum apart without recursion: each term with its sign."""
    terms: list[tuple[int, ast.expr]] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub):
        terms.append((1 if isinstance(node.op, ast.Add) else -1, node.right))
        node = node.left
    return [unsigned(node), *reversed(terms)]


def unsigned(node: ast.expr) -> tuple[int, ast.expr]:
    """Strip the signs in front of a node."""
    sign = 1
    while isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.UAdd | ast.USub):
        sign = -sign if isinstance(node.op, ast.USub) else sign
        node = node.operand
    return sign, node


def factor_chain(node: ast.expr) -> list[tuple[bool, ast.expr]]:
    """Take a product apart without recursion: each factor, and whether it divides."""
    factors: list[tuple[bool, ast.expr]] = []
    while isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
        factors.append((isinstance(node.op, ast.Div), node.right))
        node = node.left
    return [(False, node), *reversed(factors)]


def largest(function: type[sp.Max | sp.Min], exact: Callable, arguments: list[Value]) -> Value:
    """Build a ``Max`` or ``Min``, its rational arguments reduced to one."""
    expressions = [argument.expression for argument in arguments]
    size, degree = sum(a.size for a in arguments) + 1, max(a.degree for a in arguments)
    numbers = [e for e in expressions if isinstance(e, sp.Rational)]
    others = [e for e in expressions if not isinstance(e, sp.Rational)]
    kept = others + ([exact(numbers)] if numbers else [])
    return Value(function(*kept, evaluate=False), size, degree)

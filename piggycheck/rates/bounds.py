"""Bounds in k: expressions such as ``2*k*(19/20)**k``, evaluated exactly and in balls; they may name sequences."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq

from piggycheck.arithmetic import Balls, exact, rational, sign, to_sympy
from piggycheck.errors import InputError, MapError, UnknownError
from piggycheck.expression.nodes import constant_sign, relu
from piggycheck.expression.reader import Reader, Value

__all__ = ["Bound", "Term", "read_bound", "sequence_symbol"]

K = sp.Symbol("k", integer=True, nonnegative=True)
_ROOM = 40
_MOST_BITS = 20_000
_LONGEST_EXACT = 200_000


@dataclass(frozen=True)
class Term:
    """A term ``coefficient * k**degree * ratio**k`` of a bound.

    Coefficient and ratio are exact real constants; the coefficient may be a multiple of sequences that the bound names.
    """

    coefficient: sp.Expr
    degree: int
    ratio: sp.Expr


class Bound:
    """A real function of k, and of the numbers at k of the sequences that it names.

    Parameters
    ----------
    expression : sympy.Expr
        In the symbol `K`, and in symbols for sequences.
    text : str
        As it was written.
    called : str
        What messages call it.

    Examples
    --------
    >>> bound = read_bound("2*k*(19/20)**k")
    >>> bound.exactly(2), bool(bound.ball(2, 64).overlaps(arb(fmpq(361, 100))))
    (361/100, True)
    >>> [(term.coefficient, term.degree, term.ratio) for term in bound.terms]
    [(2, 1, 19/20)]
    """

    def __init__(self, expression: sp.Expr, text: str, called: str = "bound"):
        self.expression, self.text, self.called = expression, text, called
        self.names = tuple(sorted(str(symbol) for symbol in expression.free_symbols - {K}))
        self._values: dict[sp.Symbol, Any] = {}
        self._compiled: dict[int, Callable[[int], arb]] = {}

    def __str__(self) -> str:
        return self.text

    def ball(self, k: int, bits: int, values: Mapping[str, arb] | None = None) -> arb:
        """Enclose the value at k, where sequences that are named have these values.

        Raises
        ------
        InputError
            When the bound has no real value at k.
        UnknownError
            When it cannot be told whether it has one.
        """
        self._take(values)
        with ctx.workprec(bits + _ROOM):
            if bits not in self._compiled:
                self._compiled[bits] = _compile(self.expression, Balls(bits + _ROOM), self._values)
            try:
                return self._compiled[bits](k)
            except MapError as error:
                raise InputError(f"{self.called} `{self.text}`: it has no real value at k = {k}: {error}") from None

    def _take(self, values: Mapping[str, Any] | None) -> None:
        if values is not None:
            self._values.update({sequence_symbol(name): value for name, value in values.items()})

    def exactly(self, k: int, values: Mapping[str, sp.Expr] | None = None) -> sp.Expr:
        """Return the value at k as an exact real constant.

        Raises
        ------
        InputError
            When there is none.
        """
        numbers = {sequence_symbol(name): value for name, value in (values or {}).items()}
        value = self.expression.subs({K: sp.Integer(k), **numbers})
        if value.has(sp.nan, sp.zoo, sp.oo, -sp.oo, sp.I) or value.is_real is False:
            raise InputError(
                f"{self.called} `{self.text}`: it has no real value at k = {k}; write one that is real for every k"
            )
        return value

    def rational(self, k: int, values: Mapping[str, fmpq] | None = None) -> fmpq | None:
        """Return the value at k where it is seen to be rational."""
        if self.is_rational:
            self._take(values)
            try:
                return self._rationally(k)
            except ZeroDivisionError:
                raise InputError(
                    f"{self.called} `{self.text}`: it divides by zero at k = {k}; write one that is real for every k"
                ) from None
        value = self.exactly(k, {name: to_sympy(number) for name, number in (values or {}).items()})
        return rational(value) if value.is_Rational else None

    def square(self, k: int) -> fmpq | None:
        """Return the square of the value at k where it is seen to be rational."""
        value = self.rational(k)
        if value is not None:
            return value * value
        square = sp.expand(self.exactly(k) ** 2)
        return rational(square) if square.is_Rational else None

    @cached_property
    def is_rational(self) -> bool:
        """Whether it is made of rational constants and integer powers alone."""
        nodes = sp.preorder_traversal(self.expression)
        return all(
            node.is_Rational
            or node.is_Symbol
            or node.is_Add
            or node.is_Mul
            or (node.is_Pow and (node.exp.is_Integer or (node.base.is_Rational and _is_integer_line(node.exp))))
            for node in nodes
        )

    @cached_property
    def _rationally(self) -> Callable[[int], fmpq]:
        return _compile_rational(self.expression, self._values)

    def require_nonnegative(self, k: int) -> None:
        """Require that the bound is real and not negative at k.

        Raises
        ------
        InputError
            When it is not.
        UnknownError
            When the sign is not decided.
        """
        bits = 64
        while True:
            try:
                value = self.ball(k, bits)
                if value >= 0:
                    return
                if value < 0:
                    shown = value.str(6, radius=False)
                    raise InputError(
                        f"bound `{self.text}`: it is negative at k = {k}, about {shown}; "
                        "write one that is at least 0 for every k"
                    )
                known = None
            except UnknownError as error:
                known = error
            if bits >= 256:
                exactly = self.exactly(k)
                if sign(exactly) < 0:
                    raise InputError(
                        f"bound `{self.text}`: it is negative at k = {k}; write one that is at least 0 for every k"
                    )
                return
            if bits > _MOST_BITS:
                raise known or UnknownError(f"the sign of the bound at k = {k} is not decided with {bits} bits")
            bits *= 4

    @cached_property
    def terms(self) -> tuple[Term, ...] | None:
        """The terms whose sum it is; None where it is no sum of terms ``c * k**d * r**k``."""
        try:
            return tuple(_term(part) for part in sp.Add.make_args(sp.expand(self.expression, power_base=False)))
        except _NoTermError:
            return None


def sequence_symbol(name: str) -> sp.Symbol:
    """Return the symbol that stands for a sequence in expressions.

    Examples
    --------
    >>> read_bound("2*iterates", names=["iterates"]).expression.has(sequence_symbol("iterates"))
    True
    """
    return sp.Symbol(name, nonnegative=True)


def read_bound(value: Any, where: str = "bound", names: Iterable[str] = (), called: str = "bound") -> Bound:
    """Read a bound in k.

    Parameters
    ----------
    value : str, exact number or sympy expression
        Text in the grammar of `piggycheck.expression.parse`, with the name k, which may also stand in exponents of
        positive constants: ``(1/2)**k``.
    where : str
        What it is, for the message of an error.
    names : iterable of str
        Of sequences, which may stand in it, too.
    called : str
        What later messages call it.

    Raises
    ------
    InputError
        When it is outside the grammar.

    Examples
    --------
    >>> read_bound("3*(sqrt(3)/2)**k").square(4)
    729/256
    >>> read_bound("k**k")
    Traceback (most recent call last):
    ...
    piggycheck.errors.ExpressionError: bound, line 1, column 1: `k`: only a positive constant can have k as exponent

    Notes
    -----
    When this fails: an exponent is a number, or a number times k plus a number; others are written with `exp`.
    """
    if isinstance(value, Bound):
        return value
    if not isinstance(value, str):
        free = value.free_symbols if isinstance(value, sp.Basic) else set()
        if {str(symbol) for symbol in free} - {"k", *names}:
            raise InputError(f"{where}: `{value}` contains {sorted(map(str, free))}; write an expression in k")
        value = str(value if free else exact(value, where))
    symbols = {"k": K, **{name: sequence_symbol(name) for name in names}}
    return Bound(_BoundReader(value, symbols, where).number(), value, called)


class _BoundReader(Reader):
    """Reads powers whose exponent contains k, too."""

    def _power(self, node: ast.BinOp, depth: int) -> Value:
        exponent = self._number(node.right, depth)
        if not exponent.expression.has(K):
            return super()._power(node, depth)
        base = self._number(node.left, depth)
        if base.expression.free_symbols or constant_sign(base.expression) != 1:
            self._refuse(node.left, "only a positive constant can have k as exponent")
        slope = sp.diff(exponent.expression, K)
        if not slope.is_Rational:
            self._refuse(node.right, "write a rational number times k plus a number, or `exp`")
        return Value(sp.Pow(base.expression, exponent.expression), base.size + exponent.size + 1, 1)


def _is_integer_line(exponent: sp.Expr) -> bool:
    return sp.diff(exponent, K).is_Integer is True and exponent.subs(K, 0).is_Integer is True


class _NoTermError(Exception):
    """No term of the form c k^d r^k."""


def _term(part: sp.Expr) -> Term:
    coefficient, degree, ratio = sp.S.One, 0, sp.S.One
    for factor in sp.Mul.make_args(part):
        base, exponent = factor.as_base_exp()
        if not factor.has(K):
            coefficient *= factor
        elif base == K and exponent.is_Integer and exponent > 0:
            degree += int(exponent)
        elif not base.has(K) and sp.expand(sp.diff(exponent, K)).is_number:
            slope = sp.diff(exponent, K)
            ratio *= base**slope
            coefficient *= base ** exponent.subs(K, 0)
        else:
            raise _NoTermError
    return Term(coefficient, degree, sp.nsimplify(ratio) if ratio.is_Rational else ratio)


# -- compiling ------------------------------------------------------------------------------------------------------


def _compile_rational(node: sp.Expr, values: Mapping[sp.Symbol, Any]) -> Callable[[int], fmpq]:
    if node == K:
        return lambda k: fmpq(k)
    if node.is_Symbol:
        return lambda k: values[node]
    if node.is_Rational:
        constant = rational(node)
        return lambda k: constant
    if node.is_Add or node.is_Mul:
        parts = [_compile_rational(part, values) for part in node.args]
        return _folded(parts, node.is_Add)
    if node.exp.is_Integer:
        inner, power = _compile_rational(node.base, values), int(node.exp)
        return lambda k: inner(k) ** power
    base, slope, offset = rational(node.base), int(sp.diff(node.exp, K)), int(node.exp.subs(K, 0))
    return lambda k: base ** (slope * k + offset)


def _folded(parts: list[Callable[[int], Any]], is_sum: bool) -> Callable[[int], Any]:
    first, *others = parts

    def total(k: int) -> Any:
        value = first(k)
        for part in others:
            value = value + part(k)
        return value

    def product(k: int) -> Any:
        value = first(k)
        for part in others:
            value = value * part(k)
        return value

    return total if is_sum else product


def _compile(node: sp.Expr, balls: Balls, values: Mapping[sp.Symbol, Any]) -> Callable[[int], arb]:
    if not node.free_symbols:
        constant = balls.evaluate(node)
        return lambda k: constant
    if node == K:
        return arb
    if node.is_Symbol:
        return lambda k: values[node]
    if node.is_Add or node.is_Mul:
        return _folded([_compile(part, balls, values) for part in node.args], node.is_Add)
    if node.is_Pow or isinstance(node, sp.exp):
        return _compile_power(node, balls, values)
    if isinstance(node, sp.log):
        inner = _compile(node.args[0], balls, values)
        return lambda k: _logarithm(inner(k), balls)
    if isinstance(node, (sp.Max, sp.Min)):
        parts, largest = [_compile(part, balls, values) for part in node.args], isinstance(node, sp.Max)
        return lambda k: _extreme([part(k) for part in parts], largest)
    if isinstance(node, sp.Abs):
        inner = _compile(node.args[0], balls, values)
        return lambda k: abs(inner(k))
    if isinstance(node, relu):
        inner = _compile(node.args[0], balls, values)
        return lambda k: _extreme([inner(k), arb(0)], True)
    if isinstance(node, sp.sign):
        inner = _compile(node.args[0], balls, values)
        return lambda k: arb(balls.sign(inner(k)))
    if isinstance(node, sp.Piecewise):
        pairs = [(_compile(branch, balls, values), condition) for branch, condition in node.args]
        return lambda k: _branch(pairs, k)
    raise MapError(f"`{node}`: `{type(node).__name__}` is not a function that piggycheck knows")


def _compile_power(node: sp.Expr, balls: Balls, values: Mapping[sp.Symbol, Any]) -> Callable[[int], arb]:
    base, exponent = node.as_base_exp()
    if base is sp.E:
        inner = _compile(exponent, balls, values)
        return lambda k: balls.exp(inner(k))
    if not exponent.has(K):
        inner, power, root = _compile(base, balls, values), int(exponent.p), exponent.q == 2
        return lambda k: _raised(inner(k), power, root, balls)
    slope, offset = sp.diff(exponent, K), exponent.subs(K, 0)
    factor = balls.evaluate(base**offset)
    ratio = balls.evaluate(sp.Pow(base, slope))
    return lambda k: factor * ratio**k


def _raised(value: arb, power: int, root: bool, balls: Balls) -> arb:
    if root:
        if value < 0:
            raise MapError(f"the square root of {value.str(6, radius=False)}")
        value = value.sqrt() if value > 0 else arb(0).union(value.upper().sqrt())
    if power < 0 and value.is_zero():
        raise MapError("division by zero")
    result = balls.power(value, abs(power))
    return balls.reciprocal(result) if power < 0 else result


def _logarithm(value: arb, balls: Balls) -> arb:
    if value <= 0:
        raise MapError(f"the logarithm of {value.str(6, radius=False)}")
    return balls.log(value)


def _extreme(values: list[arb], largest: bool) -> arb:
    found = values[0]
    for value in values[1:]:
        found = found.max(value) if largest else found.min(value)
    return found


def _branch(pairs: list[tuple[Callable[[int], arb], Any]], k: int) -> arb:
    for value, condition in pairs:
        holds = condition.subs(K, k)
        if holds == sp.true:
            return value(k)
        if holds != sp.false:
            raise UnknownError(f"whether `{condition}` holds at k = {k} is not decided")
    raise MapError("no branch of the Piecewise applies; add a last case with the condition True")

"""Bounds in k: expressions such as ``2*k*(19/20)**k``, evaluated exactly and in balls; they may name sequences."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import sympy as sp
from flint import arb, ctx, fmpq

from piggycheck.arithmetic import Balls, exact, rational, sign, to_sympy
from piggycheck.errors import InputError, IrrationalError, MapError, UnknownError
from piggycheck.expression.nodes import constant_sign
from piggycheck.expression.reader import Reader, Value
from piggycheck.rates.compiled import K, in_balls, over_rationals, square_over_rationals

__all__ = ["Bound", "Term", "read_bound", "sequence_symbol"]

_Number = TypeVar("_Number")
_ROOM = 40
_MOST_BITS = 20_000
_BRANCHES = re.compile(r"\b(Piecewise|Max|Min|Abs|relu|sign)\s*\(")


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
                self._compiled[bits] = in_balls(self.expression, Balls(bits + _ROOM), self._values)
            return self._evaluated(self._compiled[bits], k)

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
        if self._rationally is not None:
            self._take(values)
            return self._evaluated(self._rationally, k)
        value = self.exactly(k, {name: to_sympy(number) for name, number in (values or {}).items()})
        return rational(value) if value.is_Rational else None

    def square(self, k: int) -> fmpq | None:
        """Return the square of the value at k where it is seen to be rational."""
        if self._squared is not None:
            return self._evaluated(self._squared, k)
        square = sp.expand(self.exactly(k) ** 2)
        return rational(square) if square.is_Rational else None

    @property
    def is_rational(self) -> bool:
        """Whether it is seen to be rational for every k, where sequences are."""
        return self._rationally is not None

    @cached_property
    def _rationally(self) -> Callable[[int], fmpq] | None:
        return self._made(over_rationals)

    @cached_property
    def _squared(self) -> Callable[[int], fmpq] | None:
        return self._made(square_over_rationals)

    def _made(self, maker: Callable[..., Callable[[int], fmpq]]) -> Callable[[int], fmpq] | None:
        try:
            return maker(self.expression, self._values)
        except IrrationalError:
            return None

    def _evaluated(self, function: Callable[[int], _Number], k: int) -> _Number:
        try:
            return function(k)
        except (MapError, ZeroDivisionError) as error:
            why = "division by zero" if isinstance(error, ZeroDivisionError) else error
            raise InputError(f"{self.called} `{self.text}`: it has no real value at k = {k}: {why}") from None

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
        """The terms whose sum it is; None where it is not written as a sum of terms ``c * k**d * r**k``."""
        if _BRANCHES.search(self.text):
            return None
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
    exponents = (power.exp for number in (coefficient, ratio) for power in number.atoms(sp.Pow))
    if not all(exponent.is_Rational and exponent.q <= 2 for exponent in exponents):
        raise _NoTermError
    return Term(coefficient, degree, ratio)

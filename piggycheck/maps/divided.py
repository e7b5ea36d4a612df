"""Divided differences of smooth expressions, by rules like those of differentiation.

``f[a, b] = (f(a) - f(b)) / (a - b)``, and ``f'(a)`` when a and b are equal. Sums, products, quotients and roots follow
exactly, so nothing is lost when a and b are close, equal, or balls that overlap.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import arb

from piggycheck.arithmetic import Arithmetic, Balls, Float64, Mpmath
from piggycheck.maps.scalar_function import compile_expression

__all__ = ["divided_difference"]


def divided_difference(
    expression: sp.Expr, symbols: Sequence[sp.Symbol], arithmetic: Arithmetic
) -> Callable[..., tuple[Any, Any, Any]]:
    """Compile a smooth expression to a function of two values of its first symbol.

    Parameters
    ----------
    expression : sympy.Expr
    symbols : sequence of sympy.Symbol
        The variable, and what else the expression mentions.
    arithmetic : Arithmetic

    Returns
    -------
    callable
        ``(a, b, *others) -> (f(a), f(b), f[a, b])``.

    Examples
    --------
    >>> from flint import fmpq
    >>> from piggycheck.arithmetic import RATIONAL
    >>> v = sp.Symbol("v", real=True)
    >>> cube = divided_difference(v**3, [v], RATIONAL)
    >>> cube(fmpq(1), fmpq(2))[2], cube(fmpq(2), fmpq(2))[2]
    (7, 12)

    Notes
    -----
    Source: docs/theory/spectral-functions.md.
    """
    pairs = _Pairs(arithmetic)
    compiled = compile_expression(expression, symbols, pairs)

    def at(a: Any, b: Any, *others: Any) -> tuple[Any, Any, Any]:
        pairs.gap = a - b
        found = compiled(_Pair(a, b, 1), *(_Pair(c, c, 0) for c in others))
        return found.at_a, found.at_b, found.slope

    return at


@dataclass(frozen=True, slots=True)
class _Pair:
    """The values of an expression at a and at b, and its divided difference."""

    at_a: Any
    at_b: Any
    slope: Any

    def __add__(self, other: _Pair) -> _Pair:
        return _Pair(self.at_a + other.at_a, self.at_b + other.at_b, self.slope + other.slope)

    def __sub__(self, other: _Pair) -> _Pair:
        return self + -other

    def __neg__(self) -> _Pair:
        return _Pair(-self.at_a, -self.at_b, -self.slope)

    def __mul__(self, other: _Pair) -> _Pair:
        slope = self.slope * other.at_a + self.at_b * other.slope
        return _Pair(self.at_a * other.at_a, self.at_b * other.at_b, slope)


class _Pairs(Arithmetic):
    """Pairs of values with their divided differences, over another arithmetic."""

    name = "divided differences"

    def __init__(self, base: Arithmetic):
        self.base = base
        self.gap: Any = 0

    def number(self, constant: sp.Expr) -> _Pair:
        value = self.base.number(constant)
        return _Pair(value, value, 0)

    def sign(self, value: _Pair) -> int:
        return self.base.sign(value.at_a)

    def sqrt(self, value: _Pair) -> _Pair:
        at_a, at_b = self.base.sqrt(value.at_a), self.base.sqrt(value.at_b)
        if isinstance(value.slope, int) and value.slope == 0:
            return _Pair(at_a, at_b, 0)
        return _Pair(at_a, at_b, value.slope * self.base.reciprocal(at_a + at_b))

    def exp(self, value: _Pair) -> _Pair:
        at_a, at_b = self.base.exp(value.at_a), self.base.exp(value.at_b)
        if isinstance(value.slope, int) and value.slope == 0:
            return _Pair(at_a, at_b, 0)
        return _Pair(at_a, at_b, value.slope * self._exponential(value, at_b))

    def log(self, value: _Pair) -> _Pair:
        at_a, at_b = self.base.log(value.at_a), self.base.log(value.at_b)
        if isinstance(value.slope, int) and value.slope == 0:
            return _Pair(at_a, at_b, 0)
        return _Pair(at_a, at_b, value.slope * self._logarithm(value))

    def reciprocal(self, value: _Pair) -> _Pair:
        at_a, at_b = self.base.reciprocal(value.at_a), self.base.reciprocal(value.at_b)
        return _Pair(at_a, at_b, -value.slope * at_a * at_b)

    def power(self, value: _Pair, exponent: int) -> _Pair:
        result = self.number(sp.S.One)
        for _ in range(exponent):
            result = result * value
        return result

    def _exponential(self, value: _Pair, at_b: Any) -> Any:
        """The divided difference of exp between two values."""
        difference = value.slope * self.gap
        if isinstance(self.base, Balls):
            return _quotient(at_b * difference.expm1(), difference, value.at_a.union(value.at_b).exp())
        if difference == 0:
            return at_b
        return at_b * _library(self.base).expm1(difference) / difference

    def _logarithm(self, value: _Pair) -> Any:
        """The divided difference of log between two values."""
        difference = value.slope * self.gap
        if isinstance(self.base, Balls):
            return _quotient((difference / value.at_b).log1p(), difference, 1 / value.at_a.union(value.at_b))
        if difference == 0:
            return self.base.reciprocal(value.at_b)
        return _library(self.base).log1p(difference / value.at_b) / difference


def _quotient(numerator: arb, denominator: arb, between: arb) -> arb:
    """A quotient of balls that is also known to lie among the values of the derivative."""
    quotient = numerator / denominator
    if not quotient.is_finite():
        return between
    return quotient if not between.is_finite() else quotient.intersection(between)


def _library(arithmetic: Arithmetic) -> Any:
    """Where the functions expm1 and log1p are that do not cancel."""
    if isinstance(arithmetic, Mpmath):
        return arithmetic.context
    if isinstance(arithmetic, Float64):
        import math

        return math
    raise TypeError(f"exponentials of {arithmetic.name} numbers are not rational")

"""The arithmetics in which an expression can be evaluated, and the one evaluator for all of them."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq
from flint.utils.flint_exceptions import DomainError
from sympy.polys.constructor import construct_domain

from piggycheck.arithmetic.reading import exact, to_sympy
from piggycheck.errors import IrrationalError, MapError, NumberError, UnknownError

__all__ = [
    "ALGEBRAIC",
    "RATIONAL",
    "Arithmetic",
    "Balls",
    "Evaluator",
    "Mpmath",
    "bounds",
    "enclosure",
    "rational",
    "sign",
]

_MAX_SIGN_BITS = 4096


class Arithmetic(ABC):
    """A kind of number: how constants enter, what the signs are, and the three functions beyond ``+ - * /``."""

    name: str

    @abstractmethod
    def number(self, constant: sp.Expr) -> Any:
        """Convert an atomic constant (rational, e, pi, root of a polynomial)."""

    @abstractmethod
    def sign(self, value: Any) -> int:
        """Return -1, 0 or 1, or raise `UnknownError`."""

    @abstractmethod
    def sqrt(self, value: Any) -> Any:
        """Square root of a nonnegative number."""

    @abstractmethod
    def exp(self, value: Any) -> Any:
        """Exponential."""

    @abstractmethod
    def log(self, value: Any) -> Any:
        """Logarithm of a positive number."""

    def reciprocal(self, value: Any) -> Any:
        """Return ``1/value``; raises `ZeroDivisionError` at zero."""
        return 1 / value

    def power(self, value: Any, exponent: int) -> Any:
        """Return a power with a nonnegative integer exponent."""
        return value**exponent

    def normal(self, value: Any) -> Any:
        """Bring a result to the form that is shown."""
        return value

    def evaluate(self, expression: sp.Expr, values: Mapping[sp.Symbol, Any] | None = None) -> Any:
        """Evaluate a smooth expression at `values`."""
        return self.normal(Evaluator(self, values or {})(expression))


class _Rational(Arithmetic):
    """Rational numbers; what leaves them raises `IrrationalError`."""

    name = "rational"

    def number(self, constant: sp.Expr) -> fmpq:
        if not constant.is_Rational:
            raise IrrationalError(f"`{constant}` is not rational")
        return fmpq(int(constant.p), int(constant.q))

    def sign(self, value: fmpq) -> int:
        return (value > 0) - (value < 0)

    def sqrt(self, value: fmpq) -> fmpq:
        if value < 0:
            raise MapError(f"square root of the negative number {value}")
        try:
            return value.sqrt()
        except DomainError:
            raise IrrationalError(f"`sqrt({value})` is not rational") from None

    def exp(self, value: fmpq) -> fmpq:
        if value != 0:
            raise IrrationalError(f"`exp({value})` is not rational")
        return fmpq(1)

    def log(self, value: fmpq) -> fmpq:
        if value <= 0:
            raise MapError(f"logarithm of {value}")
        if value != 1:
            raise IrrationalError(f"`log({value})` is not rational")
        return fmpq(0)


class _Algebraic(Arithmetic):
    """Exact real constants as sympy expressions; slow, and used only where rationals do not suffice."""

    name = "algebraic"

    def number(self, constant: sp.Expr) -> sp.Expr:
        return constant

    def sign(self, value: sp.Expr) -> int:
        return sign(value)

    def sqrt(self, value: sp.Expr) -> sp.Expr:
        if sign(value) < 0:
            raise MapError(f"square root of the negative number {value}")
        return sp.sqrt(value)

    def exp(self, value: sp.Expr) -> sp.Expr:
        return sp.exp(value)

    def log(self, value: sp.Expr) -> sp.Expr:
        if sign(value) <= 0:
            raise MapError(f"logarithm of {value}")
        return sp.log(value)

    def reciprocal(self, value: sp.Expr) -> sp.Expr:
        if sign(value) == 0:
            raise ZeroDivisionError
        return 1 / value

    def normal(self, value: sp.Expr) -> sp.Expr:
        if value.is_Rational:
            return value
        fraction = [sp.expand(part) for part in sp.fraction(sp.together(value))]  # fewer numbers to adjoin
        field, (numerator, denominator) = construct_domain(fraction, extension=True, field=True)
        return field.to_sympy(numerator / denominator)


class Mpmath(Arithmetic):
    """Plain rounding to a number of decimal digits: the independent evaluator, never part of a proof.

    Parameters
    ----------
    digits : int
        Decimal digits carried.

    Examples
    --------
    >>> print(Mpmath(30).evaluate(sp.sqrt(2)))
    1.41421356237309504880168872421
    """

    name = "mpmath"

    def __init__(self, digits: int = 50):
        import mpmath

        if not isinstance(digits, int) or digits < 1:
            raise NumberError(f"digits: `{digits}` is not a positive integer")
        self.digits = digits
        self.context = mpmath.mp.clone()
        self.context.dps = digits

    def number(self, constant: Any) -> Any:
        if constant.is_Rational:
            return self.context.mpf(int(constant.p)) / int(constant.q)
        with_guard_digits = constant.evalf(self.digits + 5)
        return self.context.mpf(str(with_guard_digits))

    def sign(self, value: Any) -> int:
        return int(value > 0) - int(value < 0)

    def sqrt(self, value: Any) -> Any:
        if value < 0:
            raise MapError(f"square root of the negative number {self.context.nstr(value, 6)}")
        return self.context.sqrt(value)

    def exp(self, value: Any) -> Any:
        return self.context.exp(value)

    def log(self, value: Any) -> Any:
        if value <= 0:
            raise MapError(f"logarithm of {self.context.nstr(value, 6)}")
        return self.context.log(value)


class Balls(Arithmetic):
    """Rigorous enclosures: every result is a ball that contains the true value.

    Parameters
    ----------
    bits : int
        Working precision.

    Notes
    -----
    Only a comparison that comes out true is evidence; the sign of a ball that contains zero is unknown, unless the
    ball is the exact point zero.
    """

    name = "balls"

    def __init__(self, bits: int = 128):
        self.bits = bits

    def evaluate(self, expression: sp.Expr, values: Mapping[sp.Symbol, Any] | None = None) -> arb:
        with self.precision():
            return super().evaluate(expression, values)

    def precision(self) -> AbstractContextManager[Any]:
        """Return a context in which operators on balls work with this arithmetic's precision."""
        return ctx.workprec(self.bits)

    def between(self, low: fmpq, high: fmpq) -> arb:
        """Return a ball that contains the interval."""
        with self.precision():
            return arb(low).union(arb(high))

    def number(self, constant: sp.Expr) -> arb:
        if constant.is_Rational:
            return arb(fmpq(int(constant.p), int(constant.q)))
        if constant is sp.E:
            return arb.const_e()
        if constant is sp.pi:
            return arb.pi()
        if isinstance(constant, sp.CRootOf):
            radius = fmpq(1) / fmpq(2) ** self.bits
            middle = constant.eval_rational(dx=to_sympy(radius), dy=to_sympy(radius))
            return arb(rational(middle)) + arb(0, arb(radius))
        raise UnknownError(f"no enclosure of `{constant}` is known")

    def sign(self, value: arb) -> int:
        if value > 0:
            return 1
        if value < 0:
            return -1
        if value.is_zero():
            return 0
        raise UnknownError(f"the sign of {value} is not decided with {self.bits} bits")

    def sqrt(self, value: arb) -> arb:
        return _finite(value.sqrt(), "square root", value)

    def exp(self, value: arb) -> arb:
        return value.exp()

    def log(self, value: arb) -> arb:
        return _finite(value.log(), "logarithm", value)

    def reciprocal(self, value: arb) -> arb:
        if value.is_zero():
            raise ZeroDivisionError
        return _finite(1 / value, "reciprocal", value)

    def power(self, value: arb, exponent: int) -> arb:
        # arb's own power goes through the logarithm and has no value where the ball contains 0
        return math.prod([value] * exponent, start=arb(1))


def _finite(result: arb, name: str, value: arb) -> arb:
    if not result.is_finite():
        raise UnknownError(f"the {name} of {value} has no finite enclosure")
    return result


RATIONAL = _Rational()
ALGEBRAIC = _Algebraic()


class Evaluator:
    """Evaluates sympy expressions over an arithmetic, each shared subexpression once.

    Subclasses teach it further nodes through `special`.

    Parameters
    ----------
    arithmetic : Arithmetic
    values : mapping
        A number of the arithmetic for each symbol.

    Raises
    ------
    MapError
        On a division by zero, a logarithm or a square root outside its domain, or an unknown function.
    """

    def __init__(self, arithmetic: Arithmetic, values: Mapping[sp.Symbol, Any]):
        self.arithmetic = arithmetic
        self.known: dict[sp.Basic, Any] = dict(values)

    def __call__(self, node: sp.Expr) -> Any:
        if node in self.known:
            return self.known[node]
        value = self._visit(node)
        self.known[node] = value
        return value

    def special(self, node: sp.Expr) -> Any:
        """Evaluate a node that is none of the smooth ones."""
        raise MapError(f"`{node}`: `{type(node).__name__}` is not a function that piggycheck knows")

    def _visit(self, node: sp.Expr) -> Any:
        if node.is_Add:
            head, *tail = node.args
            total = self(head)
            for term in tail:
                total = total + self(term)
            return total
        if node.is_Mul:
            head, *tail = node.args
            product = self(head)
            for factor in tail:
                product = product * self(factor)
            return product
        if node.is_Pow:
            return self._power(node)
        if node.is_Rational or node.is_NumberSymbol or isinstance(node, sp.CRootOf):
            return self.arithmetic.number(node)
        if isinstance(node, sp.exp):
            return self.arithmetic.exp(self(node.exp))
        if isinstance(node, sp.log):
            return self.arithmetic.log(self(node.args[0]))
        if node.is_Symbol:
            raise MapError(f"`{node}` has no value here")
        return self.special(node)

    def _power(self, node: sp.Pow) -> Any:
        base, exponent = node.args
        if base is sp.E:
            return self.arithmetic.exp(self(exponent))
        if not (exponent.is_Rational and exponent.q in (1, 2)):
            raise MapError(f"`{node}`: write an integer power, a square root, or exp({exponent}*log({base}))")
        value = self(base)
        if exponent.q == 2:
            value = self.arithmetic.sqrt(value)
        power = int(abs(exponent.p))
        if exponent.p >= 0:
            return self.arithmetic.power(value, power)
        try:
            return self.arithmetic.reciprocal(self.arithmetic.power(value, power))
        except ZeroDivisionError:
            raise MapError(f"division by zero: `{base}` is 0 in `{node}`") from None


def rational(value: Any, where: str = "value") -> fmpq:
    """Convert an exact number to a rational one.

    Raises
    ------
    IrrationalError
        When it is not rational, or cannot be seen to be.

    Examples
    --------
    >>> rational(sp.Rational(3, 4))
    3/4

    Notes
    -----
    When this fails: a constant that is rational only after deep simplification is reported as irrational.
    """
    if isinstance(value, fmpq):
        return value
    number = exact(value, where)
    if not number.is_Rational:
        number = ALGEBRAIC.normal(number)
    if not number.is_Rational:
        raise IrrationalError(f"{where}: `{number}` is not rational")
    return fmpq(int(number.p), int(number.q))


def sign(value: sp.Expr | fmpq, max_bits: int = _MAX_SIGN_BITS) -> int:
    """Decide the sign of an exact real constant: -1, 0 or 1.

    Balls of growing precision decide a sign other than zero; zero itself is proved algebraically.

    Raises
    ------
    UnknownError
        When neither succeeds within `max_bits` bits.

    Examples
    --------
    >>> sign(sp.sqrt(2) - sp.Rational(7, 5)), sign((1 + sp.sqrt(2)) ** 2 - 3 - 2 * sp.sqrt(2))
    (1, 0)

    Notes
    -----
    When this fails: a transcendental constant that is zero, such as ``log(4) - 2*log(2)`` written unsimplified in
    a way that sympy does not see through, stays unknown.
    """
    if isinstance(value, fmpq):
        return (value > 0) - (value < 0)
    if value.is_Rational:
        return int(value.p > 0) - int(value.p < 0)
    bits = 64
    while bits <= max_bits:
        ball = Balls(bits).evaluate(value)
        if ball > 0:
            return 1
        if ball < 0:
            return -1
        if bits == 256 and ALGEBRAIC.normal(value).is_zero:
            return 0
        bits *= 2
    raise UnknownError(f"the sign of `{value}` was not decided with {max_bits} bits")


def enclosure(value: sp.Expr | fmpq, bits: int = 128) -> tuple[fmpq, fmpq]:
    """Enclose an exact real constant between two rationals, equal ones when it is rational.

    Examples
    --------
    >>> low, high = enclosure(sp.sqrt(2), 30)
    >>> low < fmpq(141422, 100000) and fmpq(141421, 100000) < high
    True
    """
    if isinstance(value, fmpq):
        return value, value
    if value.is_Rational:
        return rational(value), rational(value)
    return bounds(Balls(bits).evaluate(value))


def bounds(ball: arb) -> tuple[fmpq, fmpq]:
    """Return rational bounds of a ball.

    Examples
    --------
    >>> bounds(arb(fmpq(3, 4)))
    (3/4, 3/4)
    """
    middle, radius = _dyadic(ball.mid()), _dyadic(ball.rad())
    return middle - radius, middle + radius


def _dyadic(number: arb) -> fmpq:
    mantissa, exponent = number.man_exp()
    return fmpq(mantissa) * fmpq(2) ** int(exponent)

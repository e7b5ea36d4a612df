"""Algebraic numbers: the root of an irreducible integer polynomial between two rational numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from flint import arb, arb_poly, ctx, fmpq, fmpq_poly

from piggycheck.arithmetic import ALGEBRAIC, Balls, Evaluator, bounds, rational, to_sympy
from piggycheck.errors import UnknownError

__all__ = [
    "AlgebraicNumber",
    "divided_out",
    "integral",
    "number_with_square",
    "same_root",
    "square_polynomial",
]

_FIRST_BITS, _MOST_BITS, _GUARD_BITS = 64, 1 << 14, 32
_X = sp.Symbol("x")


@dataclass(frozen=True)
class AlgebraicNumber:
    """A real number that is not negative: the one root of an irreducible integer polynomial between two rationals.

    Attributes
    ----------
    polynomial : tuple of int
        Coefficients from the constant one on, without a common factor, the last one positive.
    lower, upper : fmpq
        Equal when the number is rational.

    Examples
    --------
    >>> half_root = AlgebraicNumber((-3, 0, 4), fmpq(0), fmpq(1))
    >>> half_root.closed_form, half_root.decimals(6)
    (sqrt(3)/2, '0.866025')

    Notes
    -----
    When this fails: `closed_form` is known up to degree 2, and for square roots of such numbers.
    """

    polynomial: tuple[int, ...]
    lower: fmpq
    upper: fmpq

    @property
    def is_rational(self) -> bool:
        """Whether the number is rational."""
        return len(self.polynomial) == 2

    def enclosure(self, bits: int = _FIRST_BITS) -> arb:
        """Return a ball around the number of about this relative accuracy, by Newton's method for intervals."""
        if self.is_rational:
            with ctx.workprec(bits):
                return arb(self.lower)
        poly = fmpq_poly(list(self.polynomial))
        low, high = self.lower, self.upper
        with ctx.workprec(bits + _GUARD_BITS + poly.degree()):
            ball = arb(low).union(arb(high))
            while not _is_monotonic(poly, ball):
                low, high = _halved(poly, low, high)
                ball = arb(low).union(arb(high))
        return _by_newton(poly, ball, bits)

    def _may_be(self, ball: arb) -> bool:
        low, high = bounds(ball)
        return low <= self.upper and self.lower <= high

    def narrowed(self, digits: int) -> AlgebraicNumber:
        """Return the same number between neighbouring decimal fractions of so many digits."""
        if self.is_rational:
            return self
        bits = 4 * digits + _FIRST_BITS
        scale = fmpq(10) ** digits
        while True:
            low, high = bounds(self.enclosure(bits))
            floor = (low * scale).floor()
            if floor == (high * scale).floor():
                return AlgebraicNumber(self.polynomial, fmpq(floor) / scale, fmpq(floor + 1) / scale)
            bits *= 2

    @cached_property
    def closed_form(self) -> sp.Expr | None:
        """The number in square roots, where it has such a form of few signs."""
        if self.is_rational:
            return to_sympy(self.lower)
        forms = _radicals(self.polynomial)
        return next((form for form in forms if self._may_be(_enclosed(form, 4 * _FIRST_BITS))), None)

    def decimals(self, digits: int = 10) -> str:
        """Write the number to so many significant digits, all of them right."""
        if self.lower == self.upper == 0:
            return "0"
        bits = 4 * digits + _FIRST_BITS
        return self.enclosure(bits).str(digits, radius=False)

    def __str__(self) -> str:
        if self.closed_form is not None:
            return str(self.closed_form)
        return f"{self.decimals()}…, an algebraic number of degree {len(self.polynomial) - 1}"

    def equals(self, value: sp.Expr) -> bool:
        """Decide whether the number is an exact constant.

        Raises
        ------
        UnknownError
            When that is not decided.
        """
        if value.is_Rational:
            return self.is_rational and self.lower == rational(value)
        bits = _FIRST_BITS
        while bits <= _MOST_BITS:
            ball = _enclosed(value, bits)
            if not ball.overlaps(self.enclosure(bits)):
                return False
            if bits == 4 * _FIRST_BITS and self._is_root(value):
                break
            bits *= 2
        else:
            raise UnknownError(f"whether the rate is `{value}` was not decided with {_MOST_BITS} bits")
        return self._reaches(value)

    def excludes(self, value: sp.Expr, bits: int = _FIRST_BITS) -> bool:
        """Whether a constant is seen to lie outside the bounds, with so many bits."""
        low, high = bounds(_enclosed(value, bits))
        return high < self.lower or self.upper < low

    def _is_root(self, value: sp.Expr) -> bool:
        try:
            return bool(ALGEBRAIC.normal(sp.Poly(list(reversed(self.polynomial)), _X).eval(value)) == 0)
        except (NotImplementedError, ValueError):
            return False

    def _reaches(self, value: sp.Expr) -> bool:
        """Whether a root of the polynomial is this one."""
        bits = _FIRST_BITS
        while True:
            low, high = bounds(_enclosed(value, bits))
            if self.lower <= low and high <= self.upper:
                return True
            if high < self.lower or self.upper < low:
                return False
            bits *= 2


def same_root(one: AlgebraicNumber, other: AlgebraicNumber) -> bool:
    """Whether two numbers with the same minimal polynomial are the same root of it."""
    poly, bits = fmpq_poly(list(one.polynomial)), _FIRST_BITS
    while True:
        with ctx.workprec(bits):
            a, b = one.enclosure(bits), other.enclosure(bits)
            if not a.overlaps(b):
                return False
            if _is_monotonic(poly, a.union(b)):
                return True
        bits *= 2


def number_with_square(poly: fmpq_poly, place: Callable[[int], arb]) -> AlgebraicNumber:
    """Return the positive number, in balls of so many bits, of which the square is a root of a polynomial."""
    square, _ = _factor_with(poly, lambda bits: place(bits) ** 2)
    found, ball = _factor_with(square(fmpq_poly([0, 0, 1])), place)
    if found.degree() == 1:
        root = -found[0] / found[1]
        return AlgebraicNumber((-int(root.p), int(root.q)), root, root)
    low, high = bounds(ball)
    return AlgebraicNumber(tuple(int(c.p) for c in found.coeffs()), low, high)


def _factor_with(poly: fmpq_poly, place: Any) -> tuple[fmpq_poly, arb]:
    """The irreducible factor that has a number as a root, and a ball around it that has no other root of it."""
    factors = [integral(factor) for factor, _ in poly.factor()[1]]
    bits = _FIRST_BITS
    while True:
        with ctx.workprec(bits + poly.degree()):
            ball = place(bits)
            near = [f for f in factors if arb_poly(f)(ball).contains(0)]
            if len(near) == 1 and _is_monotonic(near[0], ball):
                return near[0], ball
        bits *= 2


def square_polynomial(polynomial: Sequence[int]) -> fmpq_poly:
    """The minimal polynomial of the square of a number, the leading coefficient positive."""
    if not any(polynomial[1::2]):
        return fmpq_poly(list(polynomial[::2]))
    mirrored = fmpq_poly([c * (-1) ** i for i, c in enumerate(polynomial)])
    return integral(fmpq_poly((fmpq_poly(list(polynomial)) * mirrored).coeffs()[::2]))


def integral(poly: fmpq_poly) -> fmpq_poly:
    """Return the multiple with coprime integer coefficients, the leading one positive.

    Examples
    --------
    >>> integral(fmpq_poly([fmpq(1, 2), fmpq(-1, 3)]))
    2*x + (-3)
    """
    numerators = poly.numer()
    content = numerators.content() * (1 if poly.leading_coefficient() > 0 else -1)
    return fmpq_poly(numerators) / fmpq(content)


def divided_out(poly: fmpq_poly, factor: fmpq_poly) -> tuple[fmpq_poly, int]:
    """Divide a factor out of a polynomial as often as it divides it.

    Returns
    -------
    (fmpq_poly, int)
        What is left, and how often that was.

    Examples
    --------
    >>> divided_out(fmpq_poly([1, 2, 1]) * fmpq_poly([-2, 1]), fmpq_poly([1, 1]))
    (x + (-2), 2)
    """
    rest, count = poly, 0
    while (rest % factor).degree() < 0:
        rest, count = rest // factor, count + 1
    return rest, count


def _is_monotonic(poly: fmpq_poly, ball: arb) -> bool:
    return not arb_poly(poly.derivative())(ball).contains(0)


def _by_newton(poly: fmpq_poly, ball: arb, bits: int) -> arb:
    """A ball of some relative accuracy around the root in a ball, where the polynomial is monotonic."""
    precision = bits + _GUARD_BITS + poly.degree()
    while ball.rel_accuracy_bits() < bits:
        with ctx.workprec(precision):
            middle = ball.mid()
            better = ball.intersection(middle - arb_poly(poly)(middle) / arb_poly(poly.derivative())(ball))
        if better.rel_accuracy_bits() <= ball.rel_accuracy_bits():
            precision *= 2
        ball = better
    return ball


def _halved(poly: fmpq_poly, low: fmpq, high: fmpq) -> tuple[fmpq, fmpq]:
    """The half of an interval in which the one root between its ends lies."""
    middle = (low + high) / 2
    return (middle, high) if (poly(middle) > 0) == (poly(low) > 0) else (low, middle)


def _radicals(polynomial: Sequence[int]) -> Iterator[sp.Expr]:
    """Candidates for the roots in square roots."""
    if len(polynomial) == 3:
        c, b, a = polynomial
        for s in (1, -1):
            yield (-b + s * sp.sqrt(b * b - 4 * a * c)) / (2 * a)
    if len(polynomial) == 5 and polynomial[1] == polynomial[3] == 0:
        for square in _radicals(polynomial[::2]):
            if square.is_real and _enclosed(square, _FIRST_BITS) > 0:
                yield sp.sqrtdenest(sp.sqrt(sp.radsimp(square)))


class _Roots(Evaluator):
    """Evaluates roots of roots, too, which sympy writes as one power."""

    def _power(self, node: sp.Pow) -> Any:
        base, exponent = node.args
        if not (exponent.is_Rational and exponent.q > 2):
            return super()._power(node)
        power = self.arithmetic.power(self(base).root(int(exponent.q)), abs(int(exponent.p)))
        return power if exponent.p > 0 else self.arithmetic.reciprocal(power)


def _enclosed(value: sp.Expr, bits: int) -> arb:
    """A ball around a constant."""
    with ctx.workprec(bits):
        return _Roots(Balls(bits), {})(value)

"""Rational combinations of square roots of integers, exactly: a field in which every number has one form."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from math import gcd
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq, fmpz

from piggycheck.arithmetic.fields import Arithmetic
from piggycheck.arithmetic.reading import to_sympy
from piggycheck.errors import IrrationalError, MapError

__all__ = ["SURDS", "Surd"]

_FIRST_BITS, _MOST_BITS = 64, 256


class Surd:
    """A sum of rational multiples of square roots of different squarefree positive integers.

    Those roots are linearly independent over the rationals, so two numbers are equal when their terms are.

    Parameters
    ----------
    terms : mapping
        The factor of each square root, that of ``sqrt(1)`` included.

    Examples
    --------
    >>> golden = Surd.of((1 + sp.sqrt(5)) / 2)
    >>> golden * golden == golden + 1, str(1 / golden), golden.conjugate(5).sign
    (True, '-1/2 + sqrt(5)/2', -1)

    Notes
    -----
    When this fails: roots of roots, and square roots of numbers above 2**256, are refused.
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[int, fmpq]):
        self.terms = {m: c for m, c in terms.items() if c != 0}

    @classmethod
    def of(cls, value: Any) -> Surd:
        """Convert a number.

        Raises
        ------
        IrrationalError
            When it is no such combination, or cannot be seen to be.
        """
        if isinstance(value, Surd):
            return value
        if isinstance(value, (int, fmpq, fmpz)):
            return cls({1: fmpq(value)})
        number: Surd = SURDS.evaluate(sp.sympify(value))
        return number

    @property
    def is_rational(self) -> bool:
        """Whether it is a rational number."""
        return all(m == 1 for m in self.terms)

    @property
    def rational_part(self) -> fmpq:
        """Its rational term."""
        return self.terms.get(1, fmpq(0))

    @property
    def sign(self) -> int:
        """The sign, by enclosures of growing precision; zero is seen from the terms."""
        if not self.terms:
            return 0
        bits = _FIRST_BITS
        while True:
            ball = self.enclosure(bits)
            if not ball.contains(0):
                return 1 if ball > 0 else -1
            bits *= 2

    @property
    def expression(self) -> sp.Expr:
        """The number for sympy."""
        return sp.Add(*(to_sympy(c) * sp.sqrt(m) for m, c in sorted(self.terms.items())))

    def enclosure(self, bits: int) -> arb:
        """A ball around the number, computed with so many bits."""
        with ctx.workprec(bits):
            return sum((arb(c) * arb(m).sqrt() for m, c in self.terms.items()), arb(0))

    def primes(self) -> set[int]:
        """The prime factors of the integers under the square roots."""
        return {p for m in self.terms for p in _primes(m)}

    def conjugate(self, p: int) -> Surd:
        """The number in which the square root of a prime has the other sign."""
        return Surd({m: -c if m % p == 0 else c for m, c in self.terms.items()})

    def __add__(self, other: Any) -> Surd:
        terms = dict(self.terms)
        for m, c in _coerced(other).terms.items():
            terms[m] = terms.get(m, fmpq(0)) + c
        return Surd(terms)

    def __neg__(self) -> Surd:
        return Surd({m: -c for m, c in self.terms.items()})

    def __sub__(self, other: Any) -> Surd:
        return self + -_coerced(other)

    def __rsub__(self, other: Any) -> Surd:
        return -self + other

    def __mul__(self, other: Any) -> Surd:
        terms: dict[int, fmpq] = {}
        for m, c in self.terms.items():
            for n, d in _coerced(other).terms.items():
                common = gcd(m, n)
                key = (m // common) * (n // common)
                terms[key] = terms.get(key, fmpq(0)) + c * d * common
        return Surd(terms)

    def __truediv__(self, other: Any) -> Surd:
        """By the product of the conjugates, which is rational."""
        numerator, denominator = self, _coerced(other)
        for p in sorted(denominator.primes()):
            if p in denominator.primes():
                conjugate = denominator.conjugate(p)
                numerator, denominator = numerator * conjugate, denominator * conjugate
        if not denominator.terms:
            raise ZeroDivisionError
        return Surd({m: c / denominator.rational_part for m, c in numerator.terms.items()})

    def __rtruediv__(self, other: Any) -> Surd:
        return _coerced(other) / self

    def __pow__(self, exponent: int) -> Surd:
        result, base = Surd({1: fmpq(1)}), self
        while exponent:
            result = result * base if exponent & 1 else result
            exponent >>= 1
            base = base * base if exponent else base
        return result

    __radd__ = __add__
    __rmul__ = __mul__

    def __bool__(self) -> bool:
        return bool(self.terms)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Surd, int, fmpq, fmpz)) and self.terms == _coerced(other).terms

    def __hash__(self) -> int:
        return hash(frozenset((m, int(c.p), int(c.q)) for m, c in self.terms.items()))

    def __str__(self) -> str:
        return str(self.expression)

    def __repr__(self) -> str:
        return f"Surd({self})"


def _coerced(value: Any) -> Surd:
    return value if isinstance(value, Surd) else Surd({1: fmpq(value)})


@lru_cache(maxsize=1024)
def _primes(m: int) -> tuple[int, ...]:
    return tuple(int(p) for p, _ in fmpz(m).factor())


def _root(value: fmpq) -> Surd:
    """The square root of a rational number: of an integer, over the denominator."""
    n = int(value.p) * int(value.q)
    if n.bit_length() > _MOST_BITS:
        raise IrrationalError(f"the square root of `{value}` has too many digits to be simplified")
    outside, inside = fmpq(1, value.q), 1
    for p, times in _factors(n):
        outside *= fmpq(p) ** (times // 2)
        inside *= p ** (times % 2)
    return Surd({inside: outside})


def _factors(n: int) -> Iterable[tuple[int, int]]:
    return [(int(p), int(times)) for p, times in fmpz(n).factor()] if n else [(0, 2)]


class _Surds(Arithmetic):
    """Rational combinations of square roots; what leaves them raises `IrrationalError`."""

    name = "surds"

    def number(self, constant: sp.Expr) -> Surd:
        if not constant.is_Rational:
            raise IrrationalError(f"`{constant}` is not made of square roots of rational numbers")
        return Surd({1: fmpq(int(constant.p), int(constant.q))})

    def sign(self, value: Surd) -> int:
        return value.sign

    def sqrt(self, value: Surd) -> Surd:
        if value.sign < 0:
            raise MapError(f"square root of the negative number {value}")
        if value.is_rational:
            return _root(value.rational_part)
        plain = sp.sqrtdenest(sp.sqrt(value.expression))
        if any(not node.base.is_Rational for node in plain.atoms(sp.Pow)):
            raise IrrationalError(f"`{plain}` is not made of square roots of rational numbers")
        return Surd.of(plain)

    def exp(self, value: Surd) -> Surd:
        if value:
            raise IrrationalError(f"`exp({value})` is not made of square roots of rational numbers")
        return Surd({1: fmpq(1)})

    def log(self, value: Surd) -> Surd:
        if value.sign <= 0:
            raise MapError(f"logarithm of {value}")
        if value != 1:
            raise IrrationalError(f"`log({value})` is not made of square roots of rational numbers")
        return Surd({})

    def reciprocal(self, value: Surd) -> Surd:
        return 1 / value


SURDS = _Surds()

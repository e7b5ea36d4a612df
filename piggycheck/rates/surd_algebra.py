"""Matrices and polynomials whose entries are made of square roots of rational numbers, exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq, fmpq_poly

from piggycheck.arithmetic import Surd

__all__ = ["SurdMatrix", "SurdPolynomial"]

_ZERO, _ONE = Surd.of(0), Surd.of(1)
_LAMBDA = sp.Symbol("lambda")


@dataclass(frozen=True)
class SurdMatrix:
    """A matrix, row by row.

    Examples
    --------
    >>> A = SurdMatrix.of(sp.Matrix([[sp.sqrt(2), 1], [1, 0]]))
    >>> str((A * A - A).rows[0][0]), str(A.charpoly())
    ('3 - sqrt(2)', 'lambda**2 - sqrt(2)*lambda - 1')
    """

    rows: tuple[tuple[Surd, ...], ...]

    @classmethod
    def of(cls, M: sp.Matrix) -> SurdMatrix:
        """Convert the entries.

        Raises
        ------
        IrrationalError
            When one is not made of square roots of rational numbers.
        """
        return cls(tuple(tuple(map(Surd.of, row)) for row in M.tolist()))

    @classmethod
    def identity(cls, n: int) -> SurdMatrix:
        """The identity."""
        return cls(tuple(tuple(_ONE if i == j else _ZERO for j in range(n)) for i in range(n)))

    def entries(self) -> list[Surd]:
        """The entries, row by row."""
        return [entry for row in self.rows for entry in row]

    def columns(self, chosen: Sequence[int]) -> SurdMatrix:
        """Some of its columns."""
        return SurdMatrix(tuple(tuple(row[j] for j in chosen) for row in self.rows))

    def beside(self, other: SurdMatrix) -> SurdMatrix:
        """Both, one beside the other."""
        return SurdMatrix(tuple((*a, *b) for a, b in zip(self.rows, other.rows, strict=True)))

    def __mul__(self, other: SurdMatrix) -> SurdMatrix:
        columns = list(zip(*other.rows, strict=True))
        return SurdMatrix(
            tuple(
                tuple(sum((a * b for a, b in zip(row, column, strict=True)), _ZERO) for column in columns)
                for row in self.rows
            )
        )

    def __add__(self, other: SurdMatrix) -> SurdMatrix:
        rows = zip(self.rows, other.rows, strict=True)
        return SurdMatrix(tuple(tuple(a + b for a, b in zip(*pair, strict=True)) for pair in rows))

    def __neg__(self) -> SurdMatrix:
        return SurdMatrix(tuple(tuple(-entry for entry in row) for row in self.rows))

    def __sub__(self, other: SurdMatrix) -> SurdMatrix:
        return self + -other

    def charpoly(self) -> SurdPolynomial:
        """The characteristic polynomial (Faddeev and LeVerrier)."""
        n = len(self.rows)
        found, unit = [_ONE], SurdMatrix.identity(n)
        power = unit
        for k in range(1, n + 1):
            power = self * power
            found.append(-sum((power.rows[i][i] for i in range(n)), _ZERO) / k)
            power = power + SurdMatrix(tuple(tuple(found[-1] * entry for entry in row) for row in unit.rows))
        return SurdPolynomial(tuple(reversed(found)))


@dataclass(frozen=True)
class SurdPolynomial:
    """A polynomial, the constant coefficient first.

    Examples
    --------
    >>> p = SurdPolynomial.of([Surd.of(-sp.sqrt(2)), Surd.of(1)])
    >>> p * p, (p * p).norm(), [(str(g), n) for g, n in (p * p).squarefree_parts()]
    (SurdPolynomial(lambda**2 - 2*sqrt(2)*lambda + 2), x^4 + (-4)*x^2 + 4, [('lambda - sqrt(2)', 2)])
    """

    coefficients: tuple[Surd, ...]

    @classmethod
    def of(cls, coefficients: Sequence[Surd]) -> SurdPolynomial:
        """Leave out leading zeros."""
        kept = list(coefficients)
        while kept and not kept[-1]:
            kept.pop()
        return cls(tuple(kept))

    def degree(self) -> int:
        """The degree; -1 for zero."""
        return len(self.coefficients) - 1

    def __getitem__(self, power: int) -> Surd | fmpq:
        """A coefficient, rational where it is."""
        c = self.coefficients[power]
        return c.rational_part if c.is_rational else c

    def coeffs(self) -> list[Surd]:
        """The coefficients, as `flint.fmpq_poly` gives them."""
        return list(self.coefficients)

    @cached_property
    def expression(self) -> sp.Expr:
        """The polynomial for sympy, in the variable lambda."""
        return sp.Poly([c.expression for c in reversed(self.coefficients)], _LAMBDA).as_expr()

    def __str__(self) -> str:
        return str(self.expression)

    def __repr__(self) -> str:
        return f"SurdPolynomial({self})"

    def __mul__(self, other: SurdPolynomial) -> SurdPolynomial:
        found = [_ZERO] * (len(self.coefficients) + len(other.coefficients) - 1)
        for i, a in enumerate(self.coefficients):
            for j, b in enumerate(other.coefficients):
                found[i + j] = found[i + j] + a * b
        return SurdPolynomial.of(found)

    def __divmod__(self, other: SurdPolynomial) -> tuple[SurdPolynomial, SurdPolynomial]:
        rest, quotient = list(self.coefficients), [_ZERO] * max(0, self.degree() - other.degree() + 1)
        back = 1 / other.coefficients[-1]
        while len(rest) >= len(other.coefficients):
            factor, shift = rest.pop() * back, len(rest) - other.degree()
            quotient[shift] = factor
            for i, b in enumerate(other.coefficients[:-1]):
                rest[shift + i] = rest[shift + i] - factor * b
        return SurdPolynomial.of(quotient), SurdPolynomial.of(rest)

    def monic(self) -> SurdPolynomial:
        """The multiple with the leading coefficient 1."""
        back = 1 / self.coefficients[-1]
        return SurdPolynomial(tuple(c * back for c in self.coefficients))

    def common_divisor(self, other: SurdPolynomial) -> SurdPolynomial:
        """The greatest common divisor, monic."""
        p, q = self, other
        while q.coefficients:
            p, q = q, divmod(p, q)[1]
            q = q.monic() if q.coefficients else q
        return p.monic()

    def derivative(self) -> SurdPolynomial:
        """The derivative."""
        return SurdPolynomial.of([c * k for k, c in enumerate(self.coefficients)][1:])

    def squarefree_parts(self) -> list[tuple[SurdPolynomial, int]]:
        """Monic polynomials without common or multiple roots, and how often each occurs (Yun)."""
        found, count = [], 1
        common = self.common_divisor(self.derivative())
        part = divmod(self.monic(), common)[0]
        while part.degree() > 0:
            following = part.common_divisor(common)
            if following.degree() < part.degree():
                found.append((divmod(part, following)[0], count))
            part, common, count = following, divmod(common, following)[0], count + 1
        return found

    def norm(self) -> fmpq_poly:
        """The product of conjugates, one of each that the signs of the square roots make."""
        product = self
        for p in sorted({p for c in self.coefficients for p in c.primes()}):
            if any(p in c.primes() for c in product.coefficients):
                product = product * SurdPolynomial(tuple(c.conjugate(p) for c in product.coefficients))
        return fmpq_poly([c.rational_part for c in product.coefficients])

    def split(self) -> list[SurdPolynomial]:
        """Factors: what it has in common with each irreducible factor of its norm."""
        rational = [SurdPolynomial.of(list(map(Surd.of, h.coeffs()))) for h, _ in self.norm().factor()[1]]
        return [self.common_divisor(h) for h in rational]

    def roots(self, bits: int) -> list[Any]:
        """Balls around the roots, all of them simple: the roots of the norm at which it may vanish."""
        norm = self.norm()
        while True:
            with ctx.workprec(bits):
                balls = [c.enclosure(bits) for c in self.coefficients]
                found = [root for root, _ in norm.complex_roots() if _at(balls, root).contains(0)]
            if len(found) == self.degree():
                return found
            bits *= 2

    def moduli(self, bits: int) -> list[arb]:
        """Balls around the moduli of the roots."""
        with ctx.workprec(bits):
            return [arb(abs(root)) for root in self.roots(bits)]

    def products(self) -> SurdPolynomial:
        """The polynomial of the products of two roots, a root with itself included (Newton's identities)."""
        n = self.degree()
        size = n * (n + 1) // 2
        e = [c / self.coefficients[-1] for c in reversed(self.coefficients)]
        s = [Surd.of(n)]
        for k in range(1, 2 * size + 1):
            total = e[k] * -k if k <= n else _ZERO
            s.append(total - sum((e[j] * s[k - j] for j in range(1, min(k - 1, n) + 1)), _ZERO))
        sums = [(s[k] * s[k] + s[2 * k]) / 2 for k in range(1, size + 1)]
        found = [_ONE]
        for k in range(1, size + 1):
            found.append(-sum((found[k - j] * sums[j - 1] for j in range(1, k + 1)), _ZERO) / k)
        return SurdPolynomial(tuple(reversed(found)))


def _at(coefficients: Sequence[arb], point: Any) -> Any:
    total = arb(0)
    for c in reversed(coefficients):
        total = total * point + c
    return total

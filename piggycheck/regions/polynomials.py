"""Polynomials in two unknowns with rational coefficients, and what they are on a cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import rational
from piggycheck.errors import InputError, IrrationalError

__all__ = ["Bounds", "Letters", "Polynomial", "bernstein_matrices", "coefficients", "polynomial"]

Point = tuple[fmpq, fmpq]
Bounds = tuple[tuple[fmpq, fmpq], tuple[fmpq, fmpq]]
"""The ends of the first unknown, and those of the second."""


@dataclass(frozen=True)
class Polynomial:
    """A polynomial in two unknowns.

    Parameters
    ----------
    terms : mapping from pairs of exponents to fmpq

    Examples
    --------
    >>> p = Polynomial({(0, 0): fmpq(1), (1, 1): fmpq(-2)})
    >>> p.degrees, p.value(fmpq(1), fmpq(1, 2))
    ((1, 1), 0)
    """

    terms: Mapping[tuple[int, int], fmpq]

    @property
    def degrees(self) -> tuple[int, int]:
        """The degrees in the two unknowns."""
        return max((i for i, _ in self.terms), default=0), max((j for _, j in self.terms), default=0)

    @property
    def is_zero(self) -> bool:
        """Whether it is the zero polynomial."""
        return not any(self.terms.values())

    def value(self, x: fmpq, y: fmpq) -> fmpq:
        """Return the value at a point."""
        return sum((c * x**i * y**j for (i, j), c in self.terms.items()), fmpq(0))

    def moved(self, start: Point, step: Point) -> dict[tuple[int, int], fmpq]:
        """Return the coefficients in s and t of the values at ``start + s * step``, with t for the second unknown.

        Examples
        --------
        >>> Polynomial({(2, 0): fmpq(1)}).moved((fmpq(1), fmpq(0)), (fmpq(3), fmpq(1)))
        {(0, 0): 1, (1, 0): 6, (2, 0): 9}
        """
        (c, d), (r, q) = start, step
        found: dict[tuple[int, int], fmpq] = {}
        for (i, j), a in self.terms.items():
            for k in range(i + 1):
                for m in range(j + 1):
                    part = a * comb(i, k) * comb(j, m) * c ** (i - k) * r**k * d ** (j - m) * q**m
                    found[k, m] = found.get((k, m), fmpq(0)) + part
        return {key: a for key, a in found.items() if a}

    def on_square(self, bounds: Bounds) -> dict[tuple[int, int], fmpq]:
        """Return the coefficients in s and t of the values at ``centre + s * radius``, where -1 <= s, t <= 1.

        Examples
        --------
        >>> Polynomial({(1, 0): fmpq(1)}).on_square(((fmpq(0), fmpq(2)), (fmpq(0), fmpq(1))))
        {(0, 0): 1, (1, 0): 1}
        """
        (a, b), (c, d) = bounds
        return self.moved(((a + b) / 2, (c + d) / 2), ((b - a) / 2, (d - c) / 2))

    def bernstein(self, bounds: Bounds, degrees: tuple[int, int]) -> list[fmpq]:
        """Return the Bernstein coefficients on a box: every value there is a convex combination of them.

        Examples
        --------
        >>> Polynomial({(1, 1): fmpq(1)}).bernstein(((fmpq(1), fmpq(2)), (fmpq(0), fmpq(3))), (1, 1))
        [0, 3, 0, 6]
        """
        (a, b), (c, d) = bounds
        m, n = degrees
        inner = self.moved((a, c), (b - a, d - c))
        return [
            sum(
                (p * fmpq(comb(i, k) * comb(j, h), comb(m, k) * comb(n, h)) for (k, h), p in inner.items()),
                fmpq(0),
            )
            for i in range(m + 1)
            for j in range(n + 1)
        ]

    def sign_on(self, bounds: Bounds) -> int | None:
        """Return the sign that all values on a box have; None when its Bernstein coefficients do not show one."""
        values = self.bernstein(bounds, self.degrees)
        return 1 if min(values) > 0 else -1 if max(values) < 0 else 0 if self.is_zero else None


Letters = Sequence[Sequence[Sequence[Polynomial]]]
"""Square matrices of polynomials."""


def coefficients(expression: sp.Expr, symbols: Sequence[sp.Symbol], where: str) -> dict[tuple[int, ...], fmpq]:
    """Read an expression that is a polynomial: its coefficients, by exponents.

    Parameters
    ----------
    expression : sympy.Expr
    symbols : sequence of symbols
        What it is a polynomial in.
    where : str
        What errors call it.

    Raises
    ------
    InputError
        When it is no polynomial in them, or a coefficient is irrational.

    Examples
    --------
    >>> x, a, b = sp.symbols("x a b", real=True)
    >>> coefficients(x * (a + b / 2), (x, a, b), "a guard")
    {(1, 1, 0): 1, (1, 0, 1): 1/2}
    """
    try:
        terms: list[Any] = sp.Poly(sp.expand(expression), *symbols).terms()
        return {exponents: rational(c) for exponents, c in terms}
    except (sp.PolynomialError, InputError, IrrationalError):
        names = ", ".join(map(str, symbols))
        raise InputError(
            f"{where}: `{str(expression)[:80]}` is not a polynomial in {names} with rational coefficients; "
            "a map of parameter space needs one"
        ) from None


def polynomial(expression: sp.Expr, unknowns: Sequence[sp.Symbol], where: str) -> Polynomial:
    """Read an expression that is a polynomial in two unknowns; the arguments are those of `coefficients`.

    Examples
    --------
    >>> a, b = sp.symbols("a b", real=True)
    >>> polynomial(1 + b - a / 4, (a, b), "A").terms
    {(1, 0): -1/4, (0, 1): 1, (0, 0): 1}
    """
    return Polynomial({(i, j): c for (i, j), c in coefficients(expression, unknowns, where).items()})


def bernstein_matrices(entries: Sequence[Sequence[Polynomial]], bounds: Bounds) -> list[fmpq_mat]:
    """Return matrices of whose convex hull all matrices of polynomials on a box are elements.

    Parameters
    ----------
    entries : square matrix of Polynomial
    bounds : Bounds

    Returns
    -------
    list of fmpq_mat
        The values at the corners, when every entry is affine in each unknown.

    Examples
    --------
    >>> p = Polynomial({(1, 0): fmpq(1), (0, 1): fmpq(1)})
    >>> bernstein_matrices([[p]], ((fmpq(0), fmpq(1)), (fmpq(0), fmpq(2))))
    [[0], [2], [1], [3]]
    """
    degrees = tuple(max(p.degrees[k] for row in entries for p in row) for k in (0, 1))
    rows = [[p.bernstein(bounds, (degrees[0], degrees[1])) for p in row] for row in entries]
    found: list[fmpq_mat] = []
    for k in range((degrees[0] + 1) * (degrees[1] + 1)):
        M = fmpq_mat([[coefficients[k] for coefficients in row] for row in rows])
        if M not in found:
            found.append(M)
    return found

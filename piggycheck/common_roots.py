"""Common roots of polynomials in several variables, exactly: as polynomials in the roots of irreducible ones."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import lcm, prod

import sympy as sp
from flint import Ordering, arb, ctx, fmpq, fmpq_mpoly, fmpq_mpoly_ctx, fmpq_poly, fmpz_mpoly, fmpz_mpoly_ctx

from piggycheck.arithmetic import bounds, rational
from piggycheck.errors import IrrationalError, UnknownError

__all__ = ["Conjugates", "Root", "common_roots", "composed", "polynomials", "value_at"]

_MOST_SOLUTIONS = 64
_FIRST_BITS = 128
_MOST_DEGREE = 128
_MOST_WORK_ON_A_LINE = 6_000_000  # about three seconds
_MOST_WORK_IN_THE_PLANE = 30_000_000
_LARGEST_SLOPE = 2 * _MOST_SOLUTIONS**2


@dataclass(frozen=True)
class Root:
    """A real root of an irreducible monic polynomial, counted from the smallest.

    Attributes
    ----------
    coefficients : tuple of fmpq
        The constant one first.
    index : int

    Examples
    --------
    >>> golden = Root((fmpq(-1), fmpq(-1), fmpq(1)), 1)
    >>> golden.exact(), golden.value(fmpq_poly([0, 0, 1]))
    (1/2 + sqrt(5)/2, sqrt(5)/2 + 3/2)
    """

    coefficients: tuple[fmpq, ...]
    index: int

    @property
    def factor(self) -> fmpq_poly:
        """The polynomial."""
        return fmpq_poly(list(self.coefficients))

    def ball(self) -> arb:
        """Enclose the root, in the precision of the context."""
        return _real_roots(self.coefficients, ctx.prec)[self.index]

    def exact(self) -> sp.Expr:
        """The root as a sympy number."""
        x = sp.Symbol("x", real=True)
        if len(self.coefficients) == 2:
            root = -self.coefficients[0]
            return sp.Rational(int(root.p), int(root.q))
        coefficients = [sp.Rational(int(c.p), int(c.q)) for c in reversed(self.coefficients)]
        return sp.rootof(sp.Poly(coefficients, x), self.index, radicals=len(coefficients) == 3)

    def value(self, polynomial: fmpq_poly) -> sp.Expr:
        """A polynomial at the root as a sympy number."""
        terms = [sp.Rational(int(c.p), int(c.q)) for c in polynomial.coeffs()]
        root = self.exact()
        return sp.expand(sp.Add(*(c * root**i for i, c in enumerate(terms))))


@dataclass(frozen=True)
class Conjugates:
    """Points whose coordinates are polynomials in the roots of an irreducible polynomial, one point for each root.

    Attributes
    ----------
    factor : fmpq_poly
        Irreducible and monic.
    coordinates : tuple of fmpq_poly
        Of a smaller degree; at a real root, those of a real point.
    """

    factor: fmpq_poly
    coordinates: tuple[fmpq_poly, ...]

    @cached_property
    def real_roots(self) -> tuple[Root, ...]:
        """The real roots."""
        coefficients = tuple(self.factor.coeffs())
        count = len(_real_roots(coefficients, _FIRST_BITS))
        return tuple(Root(coefficients, index) for index in range(count))

    def points(self) -> list[tuple[sp.Expr, ...]]:
        """The real points as sympy numbers."""
        return [tuple(root.value(c) for c in self.coordinates) for root in self.real_roots]


@lru_cache(maxsize=256)
def _real_roots(coefficients: tuple[fmpq, ...], precision: int) -> tuple[arb, ...]:
    """Balls around the real roots of a polynomial without multiple ones, disjoint, from the smallest on."""
    with ctx.workprec(precision):
        roots = fmpq_poly(list(coefficients)).complex_roots()
        return tuple(sorted((root.real for root, _ in roots if root.imag == 0), key=lambda ball: bounds(ball)[0]))


def polynomials(expressions: Sequence[sp.Expr], variables: Sequence[sp.Symbol]) -> list[fmpq_mpoly]:
    """Read polynomials with rational coefficients.

    Raises
    ------
    UnknownError
        When an expression is no such polynomial.
    """
    ring = fmpq_mpoly_ctx.get([f"v{i}" for i in range(len(variables))], Ordering.lex)
    found = []
    for expression in expressions:
        try:
            terms = sp.Poly(expression, *variables).terms()
            found.append(ring.from_dict({powers: rational(c) for powers, c in terms if c != 0}))
        except (sp.PolynomialError, IrrationalError):
            raise UnknownError(f"`{expression}` is no polynomial with rational coefficients") from None
    return found


def composed(outer: Sequence[fmpq_mpoly], inner: Sequence[fmpq_mpoly]) -> list[fmpq_mpoly]:
    """Return the outer polynomials of the inner ones.

    Raises
    ------
    UnknownError
        When a degree is too large.
    """
    highest = max((p.total_degree() for p in inner), default=0) * max((p.total_degree() for p in outer), default=0)
    if highest > _MOST_DEGREE:
        raise UnknownError(f"a composition may have a degree above {_MOST_DEGREE}")
    return [p.compose(*inner) for p in outer]


def common_roots(equations: Sequence[fmpq_mpoly]) -> list[Conjugates]:
    """Find the points where as many polynomials as there are variables vanish.

    Parameters
    ----------
    equations : sequence of fmpq_mpoly
        Of one ring.

    Returns
    -------
    list of Conjugates
        Real and complex points; each once.

    Raises
    ------
    UnknownError
        When the points are not finitely many, there may be more than 64 of them, coefficients are so long that it would
        take more than a few seconds, or more than two variables are left when those that an equation gives as a
        polynomial in the others are eliminated.

    Examples
    --------
    >>> x, y = sp.symbols("x y", real=True)
    >>> circle_and_line = polynomials([x**2 + y**2 - 5, x + 2 * y - 4], [x, y])
    >>> [(str(point.factor), list(map(str, point.coordinates))) for point in common_roots(circle_and_line)]
    [('x + (-11/5)', ['(-2/5)', '11/5']), ('x + (-1)', ['2', '1'])]

    Notes
    -----
    In two variables the resultant of the equations with ``x = u - t y`` is the product of ``u - x_i - t y_i`` over the
    points, up to a factor in t alone. Let S be its squarefree part. If ``S(u, c)`` is squarefree and as many roots as
    S, the line ``u = x + c y`` tells the points apart, and ``y = -(dS/dt) / (dS/du)`` at each root. See
    docs/theory/cycles.md.

    When this fails: see Raises.
    """
    names = list(range(equations[0].context().nvars()))
    given: dict[int, fmpq_mpoly] = {}
    equations = [p for p in equations if not p.is_zero()]
    while len(names) - len(given) > 1:
        solved = _solved(equations, [v for v in names if v not in given])
        if solved is None:
            break
        equation, v, value = solved
        images = [value if w == v else gen for w, gen in enumerate(value.context().gens())]
        _require_degree(value, [p for p in equations if p is not equation])
        equations = [p.compose(*images) for p in equations if p is not equation]
        equations = [p for p in equations if not p.is_zero()]
        given = {**{w: p.compose(*images) for w, p in given.items()}, v: value}
    left = [v for v in names if v not in given]
    if any(p.is_constant() for p in equations):
        return []
    if len(equations) < len(left):
        raise UnknownError("its polynomial system has infinitely many solutions")
    found = _on_a_line(equations[0], left[0]) if len(left) == 1 else _in_the_plane(equations, left)
    return [Conjugates(factor, _all_coordinates(factor, points, given, names)) for factor, points in found]


Found = list[tuple[fmpq_poly, dict[int, fmpq_poly]]]
"""Irreducible polynomials, with the coordinates that belong to them by the numbers of their variables."""


def _solved(equations: Sequence[fmpq_mpoly], left: Sequence[int]) -> tuple[fmpq_mpoly, int, fmpq_mpoly] | None:
    """The equation of least degree that gives a variable as a polynomial in the others, and what it gives."""
    best: tuple[fmpq_mpoly, int, fmpq_mpoly] | None = None
    for p in equations:
        for v in left:
            of_v = [(powers, c) for powers, c in p.terms() if powers[v]]
            if len(of_v) == 1 and sum(of_v[0][0]) == 1:
                value = p.context().gens()[v] - p / of_v[0][1]
                if best is None or value.total_degree() < best[2].total_degree():
                    best = (p, v, value)
    return best


def _require_degree(value: fmpq_mpoly, equations: Sequence[fmpq_mpoly]) -> None:
    highest = max(1, value.total_degree()) * max((p.total_degree() for p in equations), default=0)
    if highest > _MOST_DEGREE:
        raise UnknownError(f"its polynomial system may have a degree above {_MOST_DEGREE}")


def _on_a_line(equation: fmpq_mpoly, v: int) -> Found:
    """The roots of a polynomial in one variable."""
    coefficients = [fmpq(0)] * (equation.total_degree() + 1)
    for powers, c in equation.terms():
        coefficients[powers[v]] = c
    if equation.total_degree() * _length(equation) > _MOST_WORK_ON_A_LINE:
        raise UnknownError(f"its polynomial of degree {equation.total_degree()} has too long coefficients")
    u = fmpq_poly([0, 1])
    factors = (_monic(factor) for factor, _ in fmpq_poly(coefficients).factor()[1])
    return [(factor, {v: u % factor}) for factor in factors]


def _in_the_plane(equations: Sequence[fmpq_mpoly], left: Sequence[int]) -> Found:
    """The common roots of two polynomials in two variables."""
    if len(left) > 2:
        raise UnknownError(f"its polynomial system has {len(left)} variables of which none is given by the others")
    P, Q = equations
    count = P.total_degree() * Q.total_degree()
    if count > _MOST_SOLUTIONS:
        raise UnknownError(f"its polynomial system may have more than {_MOST_SOLUTIONS} solutions")
    if count**3 * (_length(P) * Q.total_degree() + _length(Q) * P.total_degree()) > _MOST_WORK_IN_THE_PLANE:
        raise UnknownError(f"its polynomial system, of up to {count} solutions, has too long coefficients")
    S = _points_on_lines(P, Q, *left)
    if S is None:
        return []
    for slope in range(_LARGEST_SLOPE):
        line = _at_slope(S, slope)
        if line.degree() == S.degrees()[1] and line.gcd(line.derivative()).degree() == 0:
            break
    at_t, at_u = _at_slope(S.derivative(2), slope), line.derivative()
    found: Found = []
    for factor, _ in line.factor()[1]:
        f = _monic(factor)
        y = -at_t * _inverse(at_u % f, f) % f
        found.append((f, {left[0]: (fmpq_poly([0, 1]) - slope * y) % f, left[1]: y}))
    return found


def _points_on_lines(P: fmpq_mpoly, Q: fmpq_mpoly, x: int, y: int) -> fmpz_mpoly | None:
    """The product of ``u - x - t y`` over the common roots, in y, u, t; None when there are none."""
    ring = fmpz_mpoly_ctx.get(["y", "u", "t"], Ordering.lex)
    Y, u, t = ring.gens()
    moved = []
    for p in (P, Q):
        scale = lcm(*(int(c.q) for c in p.coeffs()))
        total = ring.constant(0)
        for powers, c in p.terms():
            total += int(c * scale) * (u - t * Y) ** powers[x] * Y ** powers[y]
        moved.append(total)
    R = moved[0].resultant(moved[1], "y")
    if R.is_zero():
        raise UnknownError("its polynomial system has infinitely many solutions")
    factors = [factor for factor, _ in R.factor_squarefree()[1] if factor.degrees()[1]]
    return prod(factors, start=ring.constant(1)) if factors else None


def _at_slope(S: fmpz_mpoly, slope: int) -> fmpq_poly:
    """A polynomial in u, for a number t."""
    coefficients = [fmpq(0)] * (S.degrees()[1] + 1)
    for (_, i, j), c in S.terms():
        coefficients[i] += fmpq(c) * fmpq(slope) ** j
    return fmpq_poly(coefficients)


def _all_coordinates(
    factor: fmpq_poly, known: dict[int, fmpq_poly], given: dict[int, fmpq_mpoly], names: Sequence[int]
) -> tuple[fmpq_poly, ...]:
    """The coordinates, those that were eliminated included."""
    zero = fmpq_poly([0])
    point = [known.get(v, zero) for v in names]
    return tuple(known[v] if v in known else value_at(given[v], point, factor) for v in names)


def value_at(p: fmpq_mpoly, point: Sequence[fmpq_poly], factor: fmpq_poly) -> fmpq_poly:
    """The value of a polynomial where the coordinates are polynomials in a root of another one, reduced."""
    tables = [[fmpq_poly([1])] for _ in point]
    total = fmpq_poly([0])
    for powers, c in p.terms():
        term = fmpq_poly([c])
        for table, base, power in zip(tables, point, powers, strict=True):
            while len(table) <= power:
                table.append(table[-1] * base % factor)
            if power:
                term = term * table[power] % factor
        total += term
    return total


def _inverse(p: fmpq_poly, factor: fmpq_poly) -> fmpq_poly:
    """The inverse modulo an irreducible polynomial."""
    divisor, inverse, _ = p.xgcd(factor)
    return inverse / divisor[0]


def _monic(factor: fmpq_poly) -> fmpq_poly:
    return factor / factor[factor.degree()]


def _length(p: fmpq_mpoly) -> int:
    """How many bits the coefficients have, over a common denominator."""
    scale = lcm(*(int(c.q) for c in p.coeffs()))
    return max(int(c * scale).bit_length() for c in p.coeffs())

"""Cycles of the flow x' = F(x) - x, where F has two pieces that pull towards two points along the coordinates.

On each side of one guard the flow is ``x_i' = a_i (c_i - x_i)``, and the rates a_i of both sides are integer multiples
n_i of one number r. With ``w = exp(-r t)`` an arc is polynomial in w: ``x_i = c_i + (p_i - c_i) w^{n_i}``. A cycle of
two arcs that begins at p, on the guard, and is at q when it crosses the guard again, where w = u, returns to p with
w = v. Eliminating p and q leaves two equations in u and v.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import sympy as sp
from flint import arb, fmpq, fmpq_mat, fmpq_poly

from piggycheck.arithmetic import Balls, bounds, rational, to_sympy
from piggycheck.errors import UnknownError
from piggycheck.linalg import as_float, primitive
from piggycheck.maps import SymbolicMap
from piggycheck.trajectories.pieces import AffinePiece, Row, affine_pieces

__all__ = ["CycleOfFlow", "Field", "Pull", "find_cycle", "read_field"]

_MOST_DEGREE = 64
_ROUNDS = 500
_NEWTON_STEPS = 12
_BITS = 320
_DIGITS = 24
_PARTS = 32
_BALLS = Balls(_BITS)


@dataclass(frozen=True)
class Pull:
    """The flow on one side of the guard: ``x_i' = r n_i (c_i - x_i)``.

    Attributes
    ----------
    centre : tuple of fmpq
        The point c that the flow tends to.
    exponents : tuple of int
        The numbers n_i.
    """

    centre: tuple[fmpq, ...]
    exponents: tuple[int, ...]


@dataclass(frozen=True)
class Field:
    """A flow with two sides.

    Attributes
    ----------
    state : tuple of sympy.Symbol
    guard : Row
        Positive on the first side, negative on the second; the constant is last. The first of constant, slopes that
        is not 0 is positive.
    sides : (Pull, Pull)
    rate : fmpq
        The number r.
    """

    state: tuple[sp.Symbol, ...]
    guard: Row
    sides: tuple[Pull, Pull]
    rate: fmpq

    @property
    def is_symmetric(self) -> bool:
        """Whether the reflection in the middle between the two centres maps each side's flow to that of the other."""
        first, second = self.sides
        middle = [(a + b) / 2 for a, b in zip(first.centre, second.centre, strict=True)]
        return first.exponents == second.exponents and _value(self.guard, middle) == 0

    def turned(self) -> Field:
        """The same flow with its sides exchanged."""
        return Field(self.state, tuple(-c for c in self.guard), (self.sides[1], self.sides[0]), self.rate)


@dataclass(frozen=True)
class CycleOfFlow:
    """An attracting cycle of two arcs, one on each side of the guard.

    Attributes
    ----------
    field : Field
    arcs : two of (fmpq, fmpq)
        Bounds on u and v, by which w decreases along the arc on the first side, and on the second.
    crossings : two points, each a tuple of pairs of fmpq
        Bounds on p and q.
    multiplier : (fmpq, fmpq)
        Bounds on the derivative of the return map along the guard; its modulus is below 1.
    polynomial : fmpq_poly or None
        For symmetric flows, an irreducible polynomial with a root at the first coordinate of p.
    """

    field: Field
    arcs: tuple[tuple[fmpq, fmpq], tuple[fmpq, fmpq]]
    crossings: tuple[tuple[tuple[fmpq, fmpq], ...], ...]
    multiplier: tuple[fmpq, fmpq]
    polynomial: fmpq_poly | None


def read_field(map_: SymbolicMap, at: Mapping[sp.Symbol, Any]) -> Field:
    """Read the flow ``x' = F(x) - x`` of a map with two pieces, which need not agree where they meet.

    Parameters
    ----------
    map_ : SymbolicMap
    at : mapping from parameters to numbers

    Returns
    -------
    Field

    Raises
    ------
    UnknownError
        When the flow has another form.

    Examples
    --------
    >>> x, y = sp.symbols("x y", real=True)
    >>> side = sp.Piecewise((1, y > x), (-1, True))
    >>> field = read_field(SymbolicMap([x, y], [x - (x - side) / 4, y - (y + side) / 2]), {})
    >>> field.guard, field.rate, [pull.exponents for pull in field.sides]
    ((1, -1, 0), 1/4, [(1, 2), (1, 2)])
    """
    found = affine_pieces(map_, at)
    pieces = [piece for piece in found.pieces if not piece.zero]
    if len(pieces) != 2 or any(len(piece.nonnegative) != 1 for piece in pieces):
        raise UnknownError(f"the flow has {len(pieces)} pieces, and two beside one affine guard are needed")
    (guard,), (other,) = pieces[0].nonnegative, pieces[1].nonnegative
    if primitive(guard) != primitive(tuple(-c for c in other)):
        raise UnknownError("the two pieces of the flow are not on the two sides of one guard")
    if next(c for c in (guard[-1], *guard[:-1]) if c != 0) < 0:
        pieces, guard = pieces[::-1], other
    rates, centres = zip(*(_pull(piece, found.variables) for piece in pieces), strict=True)
    base = _common_measure([rate for side in rates for rate in side])
    exponents = [tuple(int((rate / base).p) for rate in side) for side in rates]
    if max(map(max, exponents)) > _MOST_DEGREE:
        raise UnknownError(f"the rates of the flow are multiples of {base} by more than {_MOST_DEGREE}")
    sides = [Pull(centre, numbers) for centre, numbers in zip(centres, exponents, strict=True)]
    return Field(tuple(found.variables), guard, (sides[0], sides[1]), base)


def _pull(piece: AffinePiece, state: Sequence[sp.Symbol]) -> tuple[tuple[fmpq, ...], tuple[fmpq, ...]]:
    """The rates and the centre of one side."""
    rates, centre = [], []
    for i, row in enumerate(piece.images):
        if any(c != 0 for j, c in enumerate(row[:-1]) if j != i):
            raise UnknownError(f"the flow of `{state[i]}` depends on other coordinates; a diagonal one is needed")
        rate = 1 - row[i]
        if rate <= 0:
            raise UnknownError(f"`{state[i]}` is not pulled towards a point")
        rates.append(rate)
        centre.append(row[-1] / rate)
    return tuple(rates), tuple(centre)


def _common_measure(rates: Sequence[fmpq]) -> fmpq:
    """The largest number of which all are integer multiples."""
    denominator = math.lcm(*(int(rate.q) for rate in rates))
    return fmpq(math.gcd(*(int((rate * denominator).p) for rate in rates)), denominator)


def find_cycle(field: Field) -> CycleOfFlow:
    """Find an attracting cycle of two arcs and prove that it is one.

    Parameters
    ----------
    field : Field
        Of two state variables.

    Returns
    -------
    CycleOfFlow

    Raises
    ------
    UnknownError
        When none is found, or it is not proved to cross the guard and to attract.

    Examples
    --------
    >>> x, y = sp.symbols("x y", real=True)
    >>> up = y > 3 * x - 2
    >>> step = [x - (x - sp.Piecewise((3, up), (0, True))) / 50, y - (y - sp.Piecewise((5, up), (0, True))) * 2 / 25]
    >>> cycle = find_cycle(read_field(SymbolicMap([x, y], step), {}))
    >>> cycle.polynomial
    x^4 + (-6)*x^3 + 22*x^2 + (-39)*x + 18
    >>> [round(as_float(low), 10) for (low, _), _ in cycle.crossings]
    [0.6787637971, 2.3212362029]

    Notes
    -----
    Floating point finds the cycle, Newton's method in rational numbers sharpens it, and ball arithmetic proves by
    Krawczyk's test that the equations have exactly one solution near it, that each arc meets the guard at its ends
    alone, crosses it there in the direction of both pieces, and that the return map contracts.
    When this fails: cycles of more arcs, and cycles that do not attract what starts at the centres, are not found.
    """
    if len(field.state) != 2:
        raise UnknownError(f"the flow has {len(field.state)} state variables, and cycles are looked for in the plane")
    u, v = _sharpened(field, _guess(field))
    scale = 10**_DIGITS
    ends = tuple((fmpq((w * scale).floor() - 1, scale), fmpq((w * scale).ceil() + 1, scale)) for w in (u, v))
    with _BALLS.precision():
        return _Proof(field, ends[0], ends[1]).cycle()


# -- guessing ---------------------------------------------------------------------------------------------------------


def _guess(field: Field) -> tuple[float, float]:
    """Follow the flow from where it tends to on the other side, until it repeats."""
    for one in (field, field.turned()):
        found = _repeating(one, [as_float(c) for c in one.sides[1].centre])
        if found is not None:
            return found if one is field else (found[1], found[0])
    raise UnknownError("the flow from the two centres was not seen to run into a cycle that crosses the guard")


def _repeating(field: Field, x: list[float]) -> tuple[float, float] | None:
    if _value([as_float(c) for c in field.guard], x) <= 0:
        return None
    last = (math.inf, math.inf)
    for _ in range(_ROUNDS):
        u, x = _float_arc(field, field.sides[0], x)
        v, x = _float_arc(field, field.sides[1], x) if u else (0.0, x)
        if not u or not v:
            return None
        if max(abs(u - last[0]), abs(v - last[1])) < 1e-13:
            return u, v
        last = u, v
    return None


def _float_arc(field: Field, side: Pull, x: list[float]) -> tuple[float, list[float]]:
    """Where the guard is met next: w there, and the point; w = 0 when it is not met."""
    guard, centre = [as_float(c) for c in field.guard], [as_float(c) for c in side.centre]
    coefficients = np.zeros(max(side.exponents) + 1)
    coefficients[0] = _value(guard, centre)
    for g, c, xi, n in zip(guard, centre, x, side.exponents, strict=False):
        coefficients[n] += g * (xi - c)
    roots = np.roots(coefficients[::-1])
    real = [float(z.real) for z in roots if abs(z.imag) < 1e-9 and 1e-9 < z.real < 1 - 1e-7]
    if not real:
        return 0.0, x
    w = max(real)
    return w, [c + (xi - c) * w**n for c, xi, n in zip(centre, x, side.exponents, strict=True)]


def _sharpened(field: Field, guess: tuple[float, float]) -> tuple[fmpq, fmpq]:
    """Newton's method in rational numbers, rounded in each step."""
    scale = 2 ** (_BITS // 2)
    u, v = (fmpq(round(w * 2**60), 2**60) for w in guess)
    for _ in range(_NEWTON_STEPS):
        errors, slopes = _Equations(field, u, v, fmpq(1)).linearised()
        step = fmpq_mat(slopes)
        if step.det() == 0:
            raise UnknownError("Newton's method for the cycle meets a singular matrix")
        du, dv = (step.inv() * fmpq_mat([[e] for e in errors])).entries()
        u, v = (fmpq(((w - d) * scale).floor(), scale) for w, d in ((u, du), (v, dv)))
    return u, v


class _Equations:
    """p and q as functions of u and v, and their derivatives, over any numbers."""

    def __init__(self, field: Field, u: Any, v: Any, one: Any) -> None:
        first, second = field.sides
        self.guard = [c * one for c in field.guard]
        self.p, self.q, self.dp, self.dq = [], [], [], []
        for a, b, n, m in zip(first.centre, second.centre, first.exponents, second.exponents, strict=True):
            U, V = u**n, v**m
            dU, dV = n * u ** (n - 1), m * v ** (m - 1)
            over = 1 / (one - U * V)
            p = (b * (one - V) + a * (one - U) * V) * over
            q = a * one + (p - a * one) * U
            p_u, p_v = dU * V * (p - a * one) * over, dV * (a * (one - U) - b * one + p * U) * over
            self.p.append(p)
            self.q.append(q)
            self.dp.append((p_u, p_v))
            self.dq.append((dU * (p - a * one) + U * p_u, U * p_v))

    def linearised(self) -> tuple[list[Any], list[list[Any]]]:
        """The guard at p and at q, and the derivatives in u and v."""
        g = self.guard[:-1]
        values = [_value(self.guard, self.p), _value(self.guard, self.q)]
        slopes = [[sum(c * d[k] for c, d in zip(g, rows, strict=True)) for k in (0, 1)] for rows in (self.dp, self.dq)]
        return values, slopes


# -- proving ----------------------------------------------------------------------------------------------------------


class _Proof:
    """Balls around u and v, and what follows."""

    def __init__(self, field: Field, u: tuple[fmpq, fmpq], v: tuple[fmpq, fmpq]) -> None:
        self.field, self.ends = field, (u, v)
        self.u, self.v = _ball(u), _ball(v)
        self.equations = _Equations(field, self.u, self.v, arb(1))

    def cycle(self) -> CycleOfFlow:
        self._require_solution()
        p, q = self.equations.p, self.equations.q
        first, second = self.field.sides
        self._require_arc(first, p, self.u, 1)
        self._require_arc(second, q, self.v, -1)
        for x, sign in ((p, 1), (q, -1)):
            for side in self.field.sides:
                if not self._speed(side, x) * sign > 0:
                    raise UnknownError("the flow of a side was not proved to cross the guard where the cycle does")
        multiplier = _ends(self._multiplier())
        if not max(abs(c) for c in multiplier) < 1:
            raise UnknownError("the cycle was not proved to attract")
        crossings = tuple(tuple(map(_ends, x)) for x in (p, q))
        polynomial = _polynomial(self.field, crossings[0][0]) if self.field.is_symmetric else None
        return CycleOfFlow(self.field, self.ends, crossings, multiplier, polynomial)

    def _require_solution(self) -> None:
        """Krawczyk's test: the equations have exactly one solution between the bounds."""
        middle = [(low + high) / 2 for low, high in self.ends]
        errors, slopes = _Equations(self.field, *middle, fmpq(1)).linearised()
        inverse = fmpq_mat(slopes).inv()
        _, wide = self.equations.linearised()
        move = (inverse * fmpq_mat([[e] for e in errors])).entries()
        for i, (low, high) in enumerate(self.ends):
            image = arb(middle[i]) - arb(move[i])
            for k, (w, m) in enumerate(zip((self.u, self.v), middle, strict=True)):
                kept = arb(int(i == k)) - sum(arb(inverse[i, j]) * wide[j][k] for j in (0, 1))
                image += kept * (w - arb(m))
            if not (image > arb(low) and image < arb(high)):
                raise UnknownError("the equations of the cycle were not proved to have a solution")

    def _require_arc(self, side: Pull, x: Sequence[Any], end: Any, sign: int) -> None:
        """The guard has its sign between w = 1, where the arc starts, and w = end, and is 0 there alone."""
        g = self.equations.guard
        factors = [c * (xi - a) for c, xi, a in zip(g, x, map(arb, side.centre), strict=False)]
        rest = _value(g, list(map(arb, side.centre)))
        low = _ends(end)[0]
        edges = [low + (1 - low) * fmpq(k, _PARTS) for k in range(_PARTS + 1)]
        parts = [_ball(pair) for pair in pairwise(edges)]

        def value(w: Any) -> Any:
            return sign * (rest + sum(f * w**n for f, n in zip(factors, side.exponents, strict=True)))

        def slope(w: Any) -> Any:
            return sign * sum(n * f * w ** (n - 1) for f, n in zip(factors, side.exponents, strict=True))

        first = next((k for k, w in enumerate(parts) if not slope(w) > 0), len(parts))
        last = next((k for k, w in reversed(list(enumerate(parts))) if not slope(w) < 0), -1)
        if not all(value(w) > 0 for w in parts[first : last + 1]):
            raise UnknownError("an arc was not proved to stay on its side of the guard")

    def _speed(self, side: Pull, x: Sequence[Any]) -> Any:
        """How fast the guard increases along the flow of a side, up to the factor r."""
        return sum(c * f for c, f in zip(self.equations.guard, _flow(side, x), strict=False))

    def _multiplier(self) -> Any:
        """The trace of the derivative of the return map, which has rank one."""
        M = None
        for side, w, x in (
            (self.field.sides[0], self.u, self.equations.q),
            (self.field.sides[1], self.v, self.equations.p),
        ):
            flow, speed = _flow(side, x), self._speed(side, x)
            stretch = [w**n for n in side.exponents]
            S = [
                [(arb(int(i == j)) - flow[i] * self.equations.guard[j] / speed) * stretch[j] for j in (0, 1)]
                for i in (0, 1)
            ]
            M = S if M is None else [[sum(S[i][k] * M[k][j] for k in (0, 1)) for j in (0, 1)] for i in (0, 1)]
        return M[0][0] + M[1][1]


def _flow(side: Pull, x: Sequence[Any]) -> list[Any]:
    return [n * (arb(c) - xi) for n, c, xi in zip(side.exponents, side.centre, x, strict=True)]


def _ball(ends: tuple[fmpq, fmpq]) -> arb:
    return _BALLS.between(*ends)


def _ends(ball: arb) -> tuple[fmpq, fmpq]:
    """Bounds with few digits."""
    scale, (low, high) = 10 ** (_DIGITS - 4), bounds(ball)
    return fmpq((low * scale).floor(), scale), fmpq((high * scale).ceil(), scale)


def _polynomial(field: Field, ends: tuple[fmpq, fmpq]) -> fmpq_poly:
    """Eliminate u from ``x = (b + a u^n) / (1 + u^n)`` and the guard at p, where v = u by symmetry."""
    x, u = sp.symbols("x u")
    first, second = field.sides
    guard = to_sympy(field.guard[-1])
    for g, a, b, n in zip(field.guard, first.centre, second.centre, first.exponents, strict=False):
        guard += to_sympy(g) * (to_sympy(b) + to_sympy(a) * u**n) / (1 + u**n)
    n, a, b = first.exponents[0], to_sympy(first.centre[0]), to_sympy(second.centre[0])
    crossing = sp.numer(sp.together(guard))
    eliminated = sp.resultant(x * (1 + u**n) - b - a * u**n, crossing, u)
    factors = [sp.Poly(factor, x).monic() for factor, _ in sp.factor_list(eliminated, x)[1]]
    near = [f for f in factors if _BALLS.evaluate(f.as_expr(), {x: _ball(ends)}).contains(0)]
    if len(near) != 1:
        raise UnknownError("the polynomial of the crossing is not told apart from others")
    return fmpq_poly([rational(c) for c in reversed(near[0].all_coeffs())])


def _value(row: Sequence[Any], x: Sequence[Any]) -> Any:
    return sum((c * xi for c, xi in zip(row, x, strict=False)), row[-1])

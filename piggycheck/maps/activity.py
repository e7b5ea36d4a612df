"""Is a piece essentially active at a point? Decided exactly, or not at all.

A piece is given by its **constraints** at a point: the guards that tie there, each with the sign that the piece
gives it. Linearised, the constraints are an open cone; if it is nonempty the piece is essentially active. A direction
along which the leading Taylor coefficients of polynomial guards have the right signs proves it too. The piece's
region is empty, and the piece inactive, when a nonnegative combination of the signed guards vanishes identically.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache

import sympy as sp
from flint import fmpq

from piggycheck import arithmetic
from piggycheck.arithmetic import rational
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.feasibility import Feasible, Infeasible, feasible_point
from piggycheck.maps.base import Activity

__all__ = ["essential_activity", "monomial_coefficients", "region_is_empty"]

Constraint = tuple[int, sp.Expr]
"""A sign and a guard: the guard has this sign on the piece."""

_MAX_GRID_VARIABLES = 5


def region_is_empty(constraints: Sequence[Constraint], closed: Sequence[bool] = ()) -> bool:
    """Prove that no point satisfies all constraints; ``False`` means only that this was not proved.

    Parameters
    ----------
    constraints : sequence of (sign, guard)
    closed : sequence of bool
        For each constraint, whether a guard that is 0 satisfies it too; by default none does.

    Notes
    -----
    Each monomial of the expanded guards is taken for a free coordinate: what is infeasible in that larger space is
    infeasible. For affine guards nothing is lost.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> region_is_empty([(1, x - 1), (-1, x)]), region_is_empty([(1, x), (1, x - 1)])
    (True, False)
    >>> region_is_empty([(1, x), (-1, x)]), region_is_empty([(1, x), (-1, x)], [True, True])
    (True, False)
    """
    closed = closed or [False] * len(constraints)
    signed = zip(closed, constraints, strict=True)
    rows = _without_free_rows([(sign, weak, monomial_coefficients(guard)) for weak, (sign, guard) in signed])
    monomials = sorted({m for *_, row in rows for m in row if m is not sp.S.One}, key=sp.default_sort_key)
    equalities, nonstrict, strict = [], [], []
    for sign, weak, row in rows:
        affine = ([(sign or 1) * row.get(m, fmpq(0)) for m in monomials], (sign or 1) * row.get(sp.S.One, fmpq(0)))
        (equalities if sign == 0 else nonstrict if weak else strict).append(affine)
    return isinstance(feasible_point(equalities, nonstrict, strict, len(monomials)), Infeasible)


def _without_free_rows(rows: list[tuple[int, bool, dict]]) -> list[tuple[int, bool, dict]]:
    """Drop, again and again, each row with a monomial of its own: that monomial alone can satisfy it."""
    while True:
        count = Counter(m for *_, row in rows for m in row if m is not sp.S.One)
        bound = [entry for entry in rows if all(count[m] > 1 for m in entry[-1] if m is not sp.S.One)]
        if len(bound) == len(rows):
            return rows
        rows = bound


def monomial_coefficients(expression: sp.Expr) -> dict[sp.Expr, fmpq]:
    """Expand an expression and return the rational coefficient of each monomial; the constant stands under 1.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> monomial_coefficients((x - 1) ** 2) == {x**2: 1, x: -2, sp.S.One: 1}
    True
    """
    return dict(_monomial_coefficients(expression))


@lru_cache(maxsize=4096)
def _monomial_coefficients(expression: sp.Expr) -> tuple[tuple[sp.Expr, fmpq], ...]:
    terms = sp.expand(expression).as_coefficients_dict()
    return tuple((monomial, rational(coefficient)) for monomial, coefficient in terms.items() if coefficient != 0)


def essential_activity(
    constraints: Sequence[Constraint], variables: Sequence[sp.Symbol], point: Mapping[sp.Symbol, sp.Expr]
) -> Activity:
    """Decide whether the piece with these constraints is essentially active at a point where all its guards tie.

    Parameters
    ----------
    constraints : sequence of (sign, guard)
        Signs +1 or -1 and smooth guards that vanish at `point`.
    variables : sequence of symbols
        The coordinates of the space.
    point : mapping from symbols to exact numbers

    Returns
    -------
    Activity
        ``essential=True`` with a direction, ``False`` when the region is empty near the point, ``None`` when neither
        was proved.

    Examples
    --------
    >>> x, y = sp.symbols("x y", real=True)
    >>> essential_activity([(1, x), (-1, y - x)], [x, y], {x: 0, y: 0}).direction
    (1, 0)
    >>> essential_activity([(1, x**2)], [x], {x: 0}).essential, essential_activity([(-1, x**2)], [x], {x: 0}).essential
    (True, None)

    Notes
    -----
    When this fails: guards with dependent gradients that are not affine, where no straight direction enters the
    piece, stay undecided; the selection set is then a superset.
    """
    if not constraints:
        return Activity(True, tuple(sp.Integer(int(i == 0)) for i in range(len(variables))))
    gradients = [_gradient(sign * guard, variables, point) for sign, guard in constraints]
    try:
        rows = [[rational(entry) for entry in gradient] for gradient in gradients]
    except IrrationalError:
        rows = [[_nearby(entry) for entry in gradient] for gradient in gradients]
        return _first_entering(_candidates(rows), constraints, gradients, variables, point)
    outcome = feasible_point([], [], [(row, fmpq(0)) for row in rows], len(variables))
    if isinstance(outcome, Feasible):
        return Activity(True, _small(outcome.point, rows))
    if region_is_empty(constraints):
        return Activity(False)
    return _first_entering(_candidates(rows), constraints, gradients, variables, point)


def _gradient(guard: sp.Expr, variables: Sequence[sp.Symbol], point: Mapping) -> list[sp.Expr]:
    return [arithmetic.ALGEBRAIC.evaluate(sp.diff(guard, v), point) for v in variables]


def _nearby(entry: sp.Expr) -> fmpq:
    low, high = arithmetic.enclosure(entry, 64)
    return (low + high) / 2


def _small(direction: Sequence[fmpq], rows: Sequence[Sequence[fmpq]]) -> tuple[sp.Rational, ...]:
    """Prefer a direction with entries -1, 0, 1 where one does."""
    size = len(direction)
    if size <= _MAX_GRID_VARIABLES:
        for candidate in _grid(size):
            if all(sum((r * c for r, c in zip(row, candidate, strict=True)), fmpq(0)) > 0 for row in rows):
                return tuple(sp.Integer(c) for c in candidate)
    return tuple(arithmetic.to_sympy(entry) for entry in direction)


def _grid(size: int) -> list[tuple[int, ...]]:
    return sorted(itertools.product((0, 1, -1), repeat=size), key=lambda d: sum(map(abs, d)))


def _candidates(rows: Sequence[Sequence[fmpq]]) -> Iterable[tuple[sp.Rational, ...]]:
    size = len(rows[0])
    if size <= _MAX_GRID_VARIABLES:
        for direction in _grid(size):
            yield tuple(map(sp.Integer, direction))
    outcome = feasible_point([], [], [(row, fmpq(0)) for row in rows], size)
    if isinstance(outcome, Feasible):
        yield tuple(arithmetic.to_sympy(entry) for entry in outcome.point)


def _first_entering(candidates, constraints, gradients, variables, point) -> Activity:
    for direction in candidates:
        try:
            if all(
                _enters(direction, constraint, gradient, variables, point)
                for constraint, gradient in zip(constraints, gradients, strict=True)
            ):
                return Activity(True, direction)
        except UnknownError:
            continue
    return Activity(None)


def _enters(direction, constraint: Constraint, gradient, variables, point) -> bool:
    """The signed guard is positive along ``point + t direction`` for small t > 0."""
    slope = arithmetic.sign(sp.Add(*(g * d for g, d in zip(gradient, direction, strict=True))))
    if slope:
        return slope > 0
    sign, guard = constraint
    step = sp.Dummy("t", positive=True)
    along = guard.subs({v: point[v] + step * d for v, d in zip(variables, direction, strict=True)}, simultaneous=True)
    along = sp.expand(along)
    if not along.is_polynomial(step):
        raise UnknownError(f"`{guard}` is flat along {direction}")
    coefficients = sp.Poly(along, step).all_coeffs()[::-1]
    leading = next((s for s in map(arithmetic.sign, coefficients) if s), 0)
    return sign * leading > 0

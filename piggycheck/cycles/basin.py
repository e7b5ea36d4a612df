"""An open set of starts from which the iterates approach an attracting cycle, with a proved radius."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flint import fmpq, fmpq_mat
from scipy.linalg import solve_discrete_lyapunov

from piggycheck.arithmetic import rational
from piggycheck.cycles.answers import Basin, Cycle
from piggycheck.cycles.orbit import piece_around
from piggycheck.errors import MapError, UnknownError
from piggycheck.fixed_points import rational_matrix
from piggycheck.linalg import as_float, float_rows, identity, is_positive_definite
from piggycheck.maps import SymbolicMap
from piggycheck.roots import root_lower, simplest_between

__all__ = ["basin", "entry"]

_DIGITS = 6
_MOST_STEPS = 400
_MOST_BITS = 20_000


def basin(local: SymbolicMap, cycle: Cycle) -> Basin:
    """Find an ellipsoid around the first point of an attracting cycle that one round maps into itself.

    Parameters
    ----------
    local : SymbolicMap
        Of the state alone, affine around each point of the cycle, with guards that are affine there.
    cycle : Cycle

    Returns
    -------
    Basin

    Raises
    ------
    UnknownError
        When the map or a guard is not affine around the cycle, or no quadratic form was found.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.cycles import cycles
    >>> from piggycheck.iteration import Iteration
    >>> x = sp.Symbol("x", real=True)
    >>> away = SymbolicMap([x], [x / 2 - sp.Piecewise((1, x > 0), (-1, True))])
    >>> (cycle,) = cycles(Iteration(away), period=2)
    >>> cycle.points, float(basin(away, cycle).radius) > 0.6
    (((-2/3,), (2/3,)), True)

    Notes
    -----
    Floating point guesses a P with ``P - A^T P A = I``, which is rounded and verified. The level is so small that, by
    the inequality of Cauchy and Schwarz, no guard changes by as much as its value at the cycle in one round.
    When this fails: maps that are not affine around the cycle, for which the basin is open, too, but not bounded here.
    """
    if cycle.attracting is not True or cycle.multiplier is None:
        raise UnknownError("the cycle was not proved to attract")
    P = _form(cycle.multiplier)
    inverse = P.inv()
    levels = []
    A = identity(len(local.state))
    for point in cycle.points:
        piece = piece_around(local, point)
        if not piece.is_affine(local.state):
            raise UnknownError("the map is not affine around the cycle")
        values = dict(zip(local.state, point, strict=True))
        for _, guard in piece.conditions:
            slopes = [guard.diff(v) for v in local.state]
            if any(slope.has(*local.state) for slope in slopes):
                raise UnknownError("a guard is not affine")
            row = fmpq_mat([[rational(c) for c in slopes]]) * A
            width = (row * inverse * row.transpose())[0, 0]
            if width != 0:
                levels.append(rational(guard.subs(values)) ** 2 / width)
        A = rational_matrix(piece.jacobian.subs(values), "the Jacobian") * A
    level = _below(min(levels)) if levels else fmpq(1)
    trace = sum((abs(entry) for entry in P.entries()), fmpq(0))
    return Basin(P, level, root_lower(level / trace, 2))


def _form(A: fmpq_mat) -> fmpq_mat:
    """A positive definite matrix that decreases along A."""
    rows = np.array(float_rows(A))
    guess = solve_discrete_lyapunov(rows.T, np.eye(len(rows)))
    scale = np.abs(guess).max()
    if not np.isfinite(scale):
        raise UnknownError("no quadratic form was found")
    guess = (guess + guess.T) / (2 * scale)
    for digits in (_DIGITS // 2, _DIGITS, 2 * _DIGITS):
        P = fmpq_mat([[fmpq(round(float(c) * 10**digits), 10**digits) for c in row] for row in guess])
        if is_positive_definite(P) and is_positive_definite(P - A.transpose() * P * A):
            return P
    raise UnknownError("no quadratic form was found")


def _below(level: fmpq) -> fmpq:
    """A simple number below a positive one."""
    return simplest_between(level * fmpq(9, 10), level * fmpq(99, 100))


def entry(local: SymbolicMap, cycle: Cycle, found: Basin, start: Sequence[fmpq]) -> int | None:
    """Follow the iterates exactly until one lies in the basin.

    Parameters
    ----------
    local : SymbolicMap
    cycle : Cycle
    found : Basin
    start : sequence of fmpq

    Returns
    -------
    int or None
        The index of the iterate; None when none of the first 400 is there, or numbers grow too long.
    """
    first = fmpq_mat(len(start), 1, [rational(c) for c in cycle.points[0]])
    x = list(start)
    for k in range(_MOST_STEPS + 1):
        distance = fmpq_mat(len(x), 1, x) - first
        if (distance.transpose() * found.P * distance)[0, 0] <= found.level:
            return k
        if max(int(c.q).bit_length() for c in x) > _MOST_BITS or max(abs(as_float(c)) for c in x) > 1e100:
            return None
        try:
            x = [rational(c) for c in local.value(dict(zip(local.state, x, strict=True)))]
        except (MapError, UnknownError):
            return None
    return None

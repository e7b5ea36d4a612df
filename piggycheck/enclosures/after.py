"""How far iterates and derivatives are from the enclosed limit after some steps, from both sides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice

from flint import arb, arb_mat, fmpq, fmpq_mat

from piggycheck.arrays import BallArrays, Enclosed
from piggycheck.enclosures.contraction import rounded_up
from piggycheck.enclosures.enclosure import LimitEnclosure
from piggycheck.errors import UnknownError
from piggycheck.piggyback import steps

__all__ = ["DistanceToLimit", "distance_after", "rounded_down"]

_DIGITS = 9


@dataclass(frozen=True)
class DistanceToLimit:
    """Bounds of how far an iterate, and its derivative, is from the limit.

    Attributes
    ----------
    iterations : int
        K.
    iterates : pair of fmpq
        ``iterates[0] <= |x_K - xbar| <= iterates[1]``, in the Euclidean norm.
    derivatives : pair of fmpq or None
        The same for ``|J_K d - Jbar d|``, in the Frobenius norm.
    """

    iterations: int
    iterates: tuple[fmpq, fmpq]
    derivatives: tuple[fmpq, fmpq] | None


def distance_after(
    limit: LimitEnclosure,
    iterations: int,
    *,
    derivatives: bool = True,
    bits: int = 128,
    watch: Callable[[int], None] | None = None,
) -> DistanceToLimit:
    """Bound how far the iterate and its derivative are from the limit after some steps from the start.

    Parameters
    ----------
    limit : LimitEnclosure
    iterations : int
        K.
    derivatives : bool
        Whether to follow the derivatives, too, in the directions of the limit.
    bits : int
        Precision of the balls; it is raised where a guard is not decided along the way.
    watch : callable, optional
        Is called with the number of each step; what it raises ends the run.

    Raises
    ------
    InputError
        When the iteration has no start.
    UnknownError
        When a guard ties along the way, or the limit has no derivative.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.iteration import Iteration
    >>> from piggycheck.enclosures import verified_limit
    >>> from piggycheck.maps import SymbolicMap
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> halving = Iteration(SymbolicMap([x], [x / 2 + theta], [theta]), start=[0])
    >>> distance = distance_after(verified_limit(halving, {theta: 1}), 10)
    >>> bool(distance.iterates[0] <= fmpq(1, 512) <= distance.iterates[1])
    True

    Notes
    -----
    A lower bound above a tolerance proves that the iteration has not converged to it yet.
    """
    if derivatives and limit.derivative is None:
        raise UnknownError("the limit was enclosed without a derivative; ask for directions")
    asked = limit.directions if derivatives else {}
    arrays = BallArrays(bits)
    found = steps(limit.problem.iteration, limit.problem.at, directions=asked, arithmetic=arrays)
    for last in islice(found, iterations + 1):
        if watch is not None:
            watch(last.k)
    with limit.arrays.precision():
        iterates = _distance(limit.arrays, last.x, limit.point, limit.error)
        moved = None
        if derivatives:
            moved = _distance(limit.arrays, last.J, limit.derivative, limit.derivative_error)
    return DistanceToLimit(iterations, iterates, moved)


def _distance(arrays: BallArrays, here: Enclosed, there: fmpq_mat, error: fmpq) -> tuple[fmpq, fmpq]:
    """Bound the distance of two matrices, each known up to its error."""
    difference = arrays.enclosed(here.centre - arrays.matrix(there))
    uncertain = difference.spread + here.spread + arb(error)
    upper = rounded_up(arrays.length(difference.centre) + uncertain, _DIGITS)
    return _below(difference.centre, uncertain), upper


def _below(A: arb_mat, uncertain: arb) -> fmpq:
    """A decimal below the length of a matrix less what is uncertain; not below 0."""
    column = arb_mat(A.nrows() * A.ncols(), 1, A.entries())
    least = ((column.transpose() * column)[0, 0].sqrt() - uncertain).lower()
    return rounded_down(least, _DIGITS)


def rounded_down(value: arb, digits: int = 4) -> fmpq:
    """Return a decimal of a few digits that is at most a number, and not below 0."""
    if not value > 0:
        return fmpq(0)
    exact = value.lower().fmpq()
    power = digits - len(str(exact.p)) + len(str(exact.q))
    scale = fmpq(10) ** power if power >= 0 else 1 / fmpq(10) ** -power
    return fmpq((exact * scale).floor()) / scale

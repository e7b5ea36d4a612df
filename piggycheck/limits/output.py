"""What users want of a limit, when it is not the state: the output there, and its derivative."""

from __future__ import annotations

from dataclasses import dataclass, field

from flint import arb, fmpq, fmpq_mat

from piggycheck.arrays import BallArrays, Enclosed
from piggycheck.limits.contraction import rounded_up
from piggycheck.limits.enclosure import LimitEnclosure

__all__ = ["OutputEnclosure", "enclosed_output"]


@dataclass(frozen=True)
class OutputEnclosure:
    """The output of an iteration at its fixed point, and the derivative of that.

    Attributes
    ----------
    name : str
        Of the node that is the output.
    point : fmpq_mat
        One column of exact numbers.
    error : fmpq
        Bounds the Euclidean distance of the output from them.
    derivative : fmpq_mat or None
        One column for each direction.
    derivative_error : fmpq or None
        Bounds the Frobenius distance of the derivative from it.
    """

    name: str
    point: fmpq_mat = field(repr=False)
    error: fmpq
    derivative: fmpq_mat | None = field(repr=False, default=None)
    derivative_error: fmpq | None = None


def enclosed_output(limit: LimitEnclosure) -> OutputEnclosure | None:
    """Enclose the output at a verified limit; None when the iteration has no output but its state.

    Raises
    ------
    UnknownError
        When a guard of the output is not decided within the error of the limit.

    Examples
    --------
    >>> from piggycheck.algorithms import douglas_rachford
    >>> from piggycheck.functions import l1, log_det
    >>> from piggycheck.limits import verified_limit
    >>> covariance = douglas_rachford(log_det([[1]]), l1("penalty"), parameters=["penalty"])
    >>> output = enclosed_output(verified_limit(covariance, {"penalty": "1/10"}))
    >>> abs(output.point[0, 0] - fmpq(10, 11)) <= output.error < fmpq(1, 10**29)
    True
    >>> abs(output.derivative[0, 0] + fmpq(100, 121)) <= output.derivative_error < fmpq(1, 10**28)
    True
    """
    map_ = limit.problem.iteration.output
    if map_ is None:
        return None
    arrays = limit.arrays
    with arrays.precision():
        moment = map_.bind(limit.problem.at, arrays)(_enclosed(arrays, limit.point, limit.error))
        found = (map_.next.name, arrays.exactly(moment.value.centre), rounded_up(arb(moment.value.spread)))
        if limit.derivative is None or limit.derivative_error is None:
            return OutputEnclosure(*found)
        directions = moment.bound.directions(limit.directions)
        tangent = _enclosed(arrays, limit.derivative, limit.derivative_error)
        moved = moment.forward(tangent, directions, moment.signature)
        return OutputEnclosure(*found, arrays.exactly(moved.centre), rounded_up(arb(moved.spread)))


def _enclosed(arrays: BallArrays, centre: fmpq_mat, distance: fmpq) -> Enclosed:
    return arrays.enclosed(arrays.matrix(centre), arb(distance).upper())

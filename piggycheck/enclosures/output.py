"""What users want when it is not the state: a map of the limit, enclosed with its derivative."""

from __future__ import annotations

from dataclasses import dataclass

from flint import arb, fmpq, fmpq_mat

from piggycheck.arrays import Enclosed
from piggycheck.enclosures.contraction import rounded_up
from piggycheck.enclosures.enclosure import LimitEnclosure
from piggycheck.errors import UnknownError

__all__ = ["OutputEnclosure", "enclose_output"]


@dataclass(frozen=True)
class OutputEnclosure:
    """The output at the fixed point, and its derivative.

    Attributes
    ----------
    point : fmpq_mat
        One column, within `error` of the output at xbar, in the Euclidean norm.
    error : fmpq
    derivative : fmpq_mat or None
        One column for each direction, within `derivative_error` of the derivative of the output, in the Frobenius norm.
    derivative_error : fmpq or None
    """

    point: fmpq_mat
    error: fmpq
    derivative: fmpq_mat | None = None
    derivative_error: fmpq | None = None


def enclose_output(limit: LimitEnclosure) -> OutputEnclosure:
    """Enclose the output of the iteration at the limit, and its derivative in the directions of the limit.

    Raises
    ------
    UnknownError
        When the iteration's output is its state, or a guard of the output map may vanish at the limit.

    Notes
    -----
    The derivative is ``A' Jbar d + B' d`` for the derivatives A' and B' of the output map in state and parameters.
    """
    problem = limit.problem
    if problem.iteration.output is None:
        raise UnknownError("the output of this iteration is its state")
    arrays = limit.arrays
    bound = problem.output_over(arrays)
    with arrays.precision():
        moment = bound(arrays.enclosed(arrays.matrix(limit.point), arb(limit.error)))
        point, error = arrays.exactly(moment.value.centre), rounded_up(moment.value.spread)
        if limit.derivative is None or limit.derivative_error is None:
            return OutputEnclosure(point, error)
        signature = moment.signature
        if 0 in signature:
            raise UnknownError("a guard of the output vanishes at the limit")
        tangent = arrays.enclosed(arrays.matrix(limit.derivative), arb(limit.derivative_error))
        moved = moment.forward(Enclosed(tangent.centre, tangent.spread), bound.directions(limit.directions), signature)
        return OutputEnclosure(point, error, arrays.exactly(moved.centre), rounded_up(moved.spread))

"""Reverse mode: the gradient of a weighted sum of the last iterate, in all parameters at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piggycheck.arrays import EXACT, Arrays, Enclosed
from piggycheck.errors import InputError
from piggycheck.iteration import Iteration
from piggycheck.linalg import matrix
from piggycheck.maps import ArrayParameter
from piggycheck.maps.nodes import Cotangents
from piggycheck.piggyback.policies import SelectionPolicy
from piggycheck.piggyback.run import MOST_BITS, Run, with_enough_bits

__all__ = ["Gradient", "reverse"]


@dataclass(frozen=True)
class Gradient:
    """What reverse mode returns.

    Attributes
    ----------
    x : Enclosed
        The last iterate.
    parameters : dict from names to Enclosed
        The gradient of the weighted sum in each parameter, in the parameter's own shape; one number for a scalar.
    """

    x: Enclosed
    parameters: Mapping[str, Enclosed]


def reverse(
    iteration: Iteration,
    count: int,
    weights: Sequence[Any],
    at: Mapping[Any, Any] | None = None,
    *,
    policy: SelectionPolicy | None = None,
    arithmetic: Arrays = EXACT,
    most_bits: int = MOST_BITS,
) -> Gradient:
    """Return ``w^T J_count``, what every parameter contributes to a weighted sum of the last iterate.

    Parameters
    ----------
    iteration : Iteration
        With a start.
    count : int
        Number of steps.
    weights : sequence of p exact numbers
        w.
    at, policy, arithmetic, most_bits
        As in `piggycheck.piggyback.propagate`.

    Returns
    -------
    Gradient

    Raises
    ------
    InputError, UnknownError
        As `piggycheck.piggyback.propagate`; and when there is not one weight for each state variable.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("(x - theta)**2/2", ["x"], "1/2", parameters=["theta"], start=[0])
    >>> reverse(descent, 3, [8], {"theta": 5}).parameters["theta"].centre
    [7]

    Notes
    -----
    The iterates are stored, the derivatives are not: memory grows with ``count * p``.
    """
    if len(weights) != len(iteration.first_map.state):
        raise InputError(
            f"{len(weights)} weights for {len(iteration.first_map.state)} state variables; write one for each"
        )
    w = matrix([[weight] for weight in weights], "weights")

    def compute(arrays: Arrays) -> Gradient:
        with arrays.precision():
            return _backward(Run(iteration, at, arrays, policy), count, arrays.enclosed(arrays.matrix(w)))

    return with_enough_bits(arithmetic, most_bits, compute)


def _backward(run: Run, count: int, w: Enclosed) -> Gradient:
    trajectory = [run.start()]
    for k in range(count):
        trajectory.append(run.bound(k)(trajectory[-1]).value)
    received = Cotangents(run.bound(0).context)
    for k in reversed(range(count)):
        moment = run.bound(k)(trajectory[k])
        w, more = moment.backward(w, run.piece(k, trajectory[k], moment))
        received.collect(more)
    starts = run.iteration.start_cotangents(run.at, w, run.arrays)
    for symbol, number in starts[run.chosen(0, len(starts))].items():
        received.number(symbol, number)
    return Gradient(trajectory[-1], {p.name: run.arrays.enclosed(_of(p, received)) for p in run.at})


def _of(parameter: Any, received: Cotangents) -> Any:
    """What a parameter received, as a matrix."""
    arrays = received.context.arrays
    if isinstance(parameter, ArrayParameter):
        found = received.matrices.get(parameter.name)
        return arrays.zeros(parameter.rows, parameter.columns) if found is None else found
    found = received.scalars.get(parameter)
    return arrays.zeros(1, 1) if found is None else arrays.assemble(1, 1, [found])

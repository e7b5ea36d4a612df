"""Forward mode: iterates and their derivatives, step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from piggycheck.arithmetic import exact
from piggycheck.arrays import EXACT, Arrays, Enclosed
from piggycheck.errors import InputError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import Moment, Signature
from piggycheck.piggyback.policies import SelectionPolicy
from piggycheck.piggyback.run import MOST_BITS, Run, more_precise, with_enough_bits

__all__ = ["Step", "identification", "propagate", "steps"]


@dataclass(frozen=True)
class Step:
    """One moment of the recursion.

    Attributes
    ----------
    k : int
    x : Enclosed
        The iterate x_k, one column.
    J : Enclosed or None
        The derivative J_k, one column for each direction; None when none was asked for.
    signature : Signature or None
        What the guards see at x_k (0 where one ties); None when no derivative was asked for and a sign is not decided.
    """

    k: int
    x: Enclosed
    J: Enclosed | None
    signature: Signature | None


def propagate(
    iteration: Iteration,
    count: int,
    at: Mapping[Any, Any] | None = None,
    *,
    directions: Mapping[Any, Any] | None = None,
    policy: SelectionPolicy | None = None,
    arithmetic: Arrays = EXACT,
    most_bits: int = MOST_BITS,
) -> list[Step]:
    """Propagate value and derivative for `count` steps.

    Parameters
    ----------
    iteration : Iteration
        With a start.
    count : int
        Number of steps; ``count + 1`` moments are returned.
    at : mapping
        A value for each parameter.
    directions : mapping, optional
        By the name of a parameter, what it moves by in each direction: q numbers, for an array a matrix with q columns.
        By default one direction for each number of each parameter: the full Jacobian. An empty mapping asks for values
        alone.
    policy : SelectionPolicy
        What is picked where several pieces are essentially active; by default the first. `ByConvention` is what
        frameworks do at ties.
    arithmetic : Arrays
        ``EXACT``, ``FLOAT64``, ``BallArrays(bits)`` or ``MpmathArrays(digits)`` of `piggycheck.arrays`.
    most_bits : int
        Over balls: how far the precision is raised where the sign of a guard is not decided; each time it is doubled,
        and the run starts again.

    Returns
    -------
    list of Step

    Raises
    ------
    InputError
        When there is no start, a parameter has no value, the map is not defined at an iterate, or the policy asks
        for a piece that is not there.
    IrrationalError
        In exact arithmetic, when a value is not rational.
    UnknownError
        Over balls, when the sign of a guard is not decided with `most_bits`; the message names the step, the guard,
        what is known of it, and the precision.

    Examples
    --------
    >>> from piggycheck.algorithms import heavy_ball
    >>> from piggycheck.piggyback import RepeatedWord
    >>> f = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
    >>> ball = heavy_ball(f, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])
    >>> [step.J.centre[0, 0] for step in propagate(ball, 4, {"theta": 0}, policy=RepeatedWord((0, 0, 1, 1)))]
    [1, 0, -3/4, -9/8, -9/8]

    Notes
    -----
    When this fails: exact iterates of a polynomial map double their digits in every step; use balls. At a tie no
    precision of balls decides the sign; use exact arithmetic.
    """
    read = exact(count, "count")
    if not read.is_Integer or read < 0:
        raise InputError(f"count: `{read}` is not a number of steps; write an integer from 0 on")
    found = steps(iteration, at, directions=directions, policy=policy, arithmetic=arithmetic, most_bits=most_bits)
    return list(islice(found, int(read) + 1))


def steps(
    iteration: Iteration,
    at: Mapping[Any, Any] | None = None,
    *,
    directions: Mapping[Any, Any] | None = None,
    policy: SelectionPolicy | None = None,
    arithmetic: Arrays = EXACT,
    most_bits: int = MOST_BITS,
    skip: int | None = None,
) -> Iterator[Step]:
    """Propagate value and derivative without end; see `propagate`. Memory does not grow with k.

    With `skip` the first steps are not differentiated: the derivative is 0 up to that step.
    """
    reached = 0
    while True:
        try:
            run = Run(iteration, at, arithmetic, policy, directions)
            values_alone = directions is not None and not directions
            for step in islice(_values(run) if values_alone else _values_and_derivatives(run, skip), reached, None):
                yield step
                reached += 1
        except UnknownError as error:
            arithmetic = more_precise(arithmetic, most_bits, error)


def _values(run: Run) -> Iterator[Step]:
    for k, x, moment in run.moments():
        yield Step(k, x, None, _signature_if_decided(moment))


def _values_and_derivatives(run: Run, skip: int | None) -> Iterator[Step]:
    J = run.start_tangent() if skip is None else run.no_tangent()
    for k, x, moment in run.moments():
        yield Step(k, x, J, run.signature(k, moment))
        if skip is None or k >= skip:
            J = run.forward(k, x, moment, J)


def _signature_if_decided(moment: Moment) -> Signature | None:
    try:
        return moment.signature
    except UnknownError:
        return None


def identification(
    iteration: Iteration,
    count: int,
    at: Mapping[Any, Any] | None = None,
    *,
    arithmetic: Arrays = EXACT,
    most_bits: int = MOST_BITS,
) -> int:
    """Return the first k from which on the signature stays the same, of the iterates up to ``x_count``.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("x**2/2 + Abs(x - 1)", ["x"], "1/2", start=[5])
    >>> identification(descent, 10)
    2
    """

    def compute(arrays: Arrays) -> int:
        run, last, since = Run(iteration, at, arrays), None, 0
        for k, _, moment in islice(run.moments(), count + 1):
            signature = run.signature(k, moment)
            last, since = (last, since) if signature == last else (signature, k)
        return since

    return with_enough_bits(arithmetic, most_bits, compute)

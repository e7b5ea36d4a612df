"""The recursion along a stored trajectory in parallel, by compositions of pairs.

A step of the recursion is an affine map of the derivative, ``J -> A J + B``, and such maps compose:
``(A', B') o (A, B) = (A' A, A' B + B')``. So chunks of the trajectory can be composed at the same time, and all that is
left to be done in order is one step for each chunk. This pays only for very wide derivatives: see the theory.
"""

from __future__ import annotations

import copyreg
import os
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from functools import partial, reduce
from itertools import accumulate, islice, pairwise
from typing import Any

from flint import arb, arb_mat, fmpq_mat

from piggycheck.arrays import EXACT, Arrays, Enclosed
from piggycheck.iteration import Iteration
from piggycheck.piggyback.policies import SelectionPolicy
from piggycheck.piggyback.run import MOST_BITS, Run, with_enough_bits

__all__ = ["derivatives_along", "pairs_along", "prefix"]

Pair = tuple[Any, Any]
"""Matrices A, p × p, and B, p × q."""


def pairs_along(
    iteration: Iteration,
    count: int,
    at: Mapping[Any, Any] | None = None,
    *,
    directions: Mapping[Any, Any] | None = None,
    policy: SelectionPolicy | None = None,
    arithmetic: Arrays = EXACT,
    most_bits: int = MOST_BITS,
) -> list[Pair]:
    """Return the Jacobian pairs of the first `count` steps as matrices; see `piggycheck.piggyback.propagate`.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("theta*x**2", ["x"], "1/4", parameters=["theta"], start=[8])
    >>> pairs_along(descent, 2, {"theta": 1})
    [([1/2], [-4]), ([1/2], [-2])]
    """

    def compute(arrays: Arrays) -> list[Pair]:
        run, found = Run(iteration, at, arrays, policy, directions), []
        identity = Enclosed(arrays.identity(len(iteration.first_map.state)))
        for k, x, moment in islice(run.moments(), count):
            piece = run.piece(k, x, moment)
            A = moment.forward(identity, None, piece)
            B = moment.forward(None, run.directions(k), piece)
            found.append((arrays.reaching(A.centre, A.spread), arrays.reaching(B.centre, B.spread)))
        return found

    return with_enough_bits(arithmetic, most_bits, compute)


def prefix(
    pairs: Sequence[Pair], executor: Executor | None = None, *, arithmetic: Arrays = EXACT, workers: int | None = None
) -> list[Pair]:
    """Return the compositions of the first 1, 2, ..., K pairs.

    Parameters
    ----------
    pairs : sequence of pairs
        ``(A, B)``, in the order in which they act.
    executor : concurrent.futures.Executor, optional
        Of threads, or of processes; without one, everything is done in order.
    arithmetic : Arrays
        Where the matrices live.
    workers : int, optional
        How many the executor has; by default as many as there are processors.

    Examples
    --------
    >>> half = fmpq_mat([[1]]) / 2, fmpq_mat([[1]])
    >>> prefix([half] * 3)
    [([1/2], [1]), ([1/4], [3/2]), ([1/8], [7/4])]

    Notes
    -----
    All parts but the last are scanned, each on its own; then all but the first are composed with what comes before.
    With c workers this takes at best ``2/(c + 1)`` of the time that a scan in order takes. Over balls every entry is
    enclosed on its own.
    """
    scan = partial(_scan, arithmetic)
    if executor is None:
        return scan(pairs)
    with arithmetic.precision():
        *parts, last = _parts(pairs, workers, 1)
        scanned = list(executor.map(scan, parts))
        before = list(accumulate((part[-1] for part in scanned), partial(_compose, arithmetic)))
        final = executor.submit(scan, last, before[-1] if before else None)
        rest = executor.map(partial(_compose_all, arithmetic), before, scanned[1:])
        return [pair for part in (*scanned[:1], *rest, final.result()) for pair in part]


def derivatives_along(
    pairs: Sequence[Pair],
    J: Any,
    executor: Executor | None = None,
    *,
    arithmetic: Arrays = EXACT,
    workers: int | None = None,
) -> list[Any]:
    """Return J_1, ..., J_K of the recursion ``J -> A J + B`` along given pairs.

    Parameters
    ----------
    pairs, executor, arithmetic, workers
        As in `prefix`.
    J : matrix, p × q
        J_0.

    Examples
    --------
    >>> half = fmpq_mat([[1]]) / 2, fmpq_mat([[1]])
    >>> derivatives_along([half] * 3, fmpq_mat([[0]]))
    [[1], [3/2], [7/4]]

    Notes
    -----
    The first part is propagated while the others, the last excepted, are composed; then the others are propagated. The
    first is longer than the others, so that all workers are busy. With c workers this takes at best
    ``(2 + p/q)/(c + 1 + p/q)`` of the time that the recursion takes in order.
    """
    along = partial(_propagate, arithmetic)
    if executor is None:
        return along(J, pairs)
    with arithmetic.precision():
        p, q = arithmetic.shape(J)
        head, *parts = _parts(pairs, workers, 1 + p / max(q, 1))
        first = executor.submit(along, J, head)
        totals = list(executor.map(partial(_total, arithmetic), parts[:-1]))
        last = first.result()[-1] if head else J
        starts = list(accumulate(totals, partial(_step, arithmetic), initial=last))
        rest = executor.map(along, starts, parts)
        return [matrix for part in (first.result(), *rest) for matrix in part]


def _parts(pairs: Sequence[Pair], workers: int | None, first: float) -> list[Sequence[Pair]]:
    """Cut into one part more than there are workers, the first that much longer than the others."""
    count = workers or os.cpu_count() or 1
    unit = len(pairs) / (count + first)
    cuts = [0, *(round((first + i) * unit) for i in range(count)), len(pairs)]
    parts = [pairs[start:stop] for start, stop in pairwise(cuts) if start < stop]
    return parts or [[]]


def _compose(arrays: Arrays, earlier: Pair, later: Pair) -> Pair:
    A, B = later
    return arrays.product(A, earlier[0]), arrays.total(arrays.product(A, earlier[1]), B)


def _step(arrays: Arrays, J: Any, pair: Pair) -> Any:
    return arrays.total(arrays.product(pair[0], J), pair[1])


def _scan(arrays: Arrays, pairs: Sequence[Pair], before: Pair | None = None) -> list[Pair]:
    with arrays.precision():
        if before is None:
            return list(accumulate(pairs, partial(_compose, arrays)))
        return list(accumulate(pairs, partial(_compose, arrays), initial=before))[1:]


def _compose_all(arrays: Arrays, before: Pair, pairs: Sequence[Pair]) -> list[Pair]:
    with arrays.precision():
        return [_compose(arrays, before, pair) for pair in pairs]


def _total(arrays: Arrays, pairs: Sequence[Pair]) -> Pair:
    with arrays.precision():
        return reduce(partial(_compose, arrays), pairs)


def _propagate(arrays: Arrays, J: Any, pairs: Sequence[Pair]) -> list[Any]:
    with arrays.precision():
        return list(accumulate(pairs, partial(_step, arrays), initial=J))[1:]


# python-flint's numbers cannot be sent to other processes as they are


def _ball(middle: tuple[int, int], radius: tuple[int, int]) -> arb:
    def number(mantissa: int, exponent: int) -> arb:
        return arb((mantissa, exponent))

    return arb(number(*middle), number(*radius))


def _parts_of_ball(ball: arb) -> tuple[Any, ...]:
    middle, radius = ball.mid().man_exp(), ball.rad().man_exp()
    return _ball, ((int(middle[0]), int(middle[1])), (int(radius[0]), int(radius[1])))


copyreg.pickle(arb, _parts_of_ball)
copyreg.pickle(arb_mat, lambda A: (arb_mat, (A.nrows(), A.ncols(), A.entries())))
copyreg.pickle(fmpq_mat, lambda A: (fmpq_mat, (A.nrows(), A.ncols(), A.entries())))

"""The set-valued recursion itself, for small systems: every choice at every tie."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flint import fmpq_mat

from piggycheck.arrays import EXACT, Enclosed
from piggycheck.errors import UnknownError
from piggycheck.iteration import Iteration
from piggycheck.piggyback.run import Run

__all__ = ["SetStep", "propagate_set"]

_MOST = 4096


@dataclass(frozen=True)
class SetStep:
    """One moment of the set-valued recursion.

    Attributes
    ----------
    k : int
    x : fmpq_mat
        The iterate x_k, one column.
    matrices : tuple of fmpq_mat
        The elements of the set, p × m each, distinct.
    """

    k: int
    x: fmpq_mat
    matrices: tuple[fmpq_mat, ...]


def propagate_set(
    iteration: Iteration, count: int, at: Mapping[Any, Any] | None = None, *, most: int = _MOST
) -> Iterator[SetStep]:
    """Propagate the set of all derivatives that choices at ties can give, exactly.

    Parameters
    ----------
    iteration : Iteration
        With a start.
    count : int
        Number of steps.
    at : mapping
        A value for each parameter.
    most : int
        How many matrices a set may have.

    Yields
    ------
    SetStep
        For k = 0, ..., count.

    Raises
    ------
    UnknownError
        When a set has more elements, it is not decided which pieces are essentially active, or a value is not rational.

    Examples
    --------
    >>> from piggycheck.algorithms import heavy_ball
    >>> f = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
    >>> ball = heavy_ball(f, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])
    >>> [sorted(J[0, 0] for J in step.matrices) for step in propagate_set(ball, 2, {"theta": 0})]
    [[1], [0, 3/4], [-3/4, -3/16, 3/8]]

    Notes
    -----
    When this fails: with two pieces at a tie that stays, the number doubles in every step, unless matrices coincide.
    """
    run = Run(iteration, at, EXACT)
    found = _distinct((J.centre for J in iteration.start_tangents(run.at, run.directions(0))), most, 0)
    for k, x, moment in islice(run.moments(), count + 1):
        yield SetStep(k, x.centre, found)
        if k == count:
            return
        signature = run.signature(k, moment)
        signatures = [signature] if 0 not in signature else _pieces(run, k, x)
        following = (moment.forward(Enclosed(J), run.directions(k), s).centre for s in signatures for J in found)
        found = _distinct(following, most, k + 1)


def _pieces(run: Run, k: int, x: Enclosed) -> list[Any]:
    selection = run.selection(k, x)
    if not selection.exact:
        count = len(selection.pieces)
        raise UnknownError(f"step {k}: it is not decided which of {count} pieces are essentially active")
    return [piece.signature for piece in selection.pieces]


def _distinct(matrices: Iterable[fmpq_mat], most: int, k: int) -> tuple[fmpq_mat, ...]:
    found: dict[tuple, fmpq_mat] = {}
    for J in matrices:
        found.setdefault(tuple(J.entries()), J)
        if len(found) > most:
            raise UnknownError(f"step {k}: the set of derivatives has more than {most} elements")
    return tuple(found.values())

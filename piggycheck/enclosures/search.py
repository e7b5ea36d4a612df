"""Guess a fixed point in floating point: steps of the map with momentum, then Newton steps on the piece that is met.

Nothing here is evidence; the guess is refined and proved elsewhere.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from piggycheck.arrays import Enclosed
from piggycheck.enclosures.solver import Solver, solver_at
from piggycheck.errors import MapError, UnknownError
from piggycheck.maps import BoundMap, Moment
from piggycheck.maps.structured import StructuredMoment

__all__ = ["Guess", "approach"]

_BATCH = 20
_LONGER = 1.25
_ROUNDING = 1e-15
_ENOUGH = 1e-12
_BARELY = 1e-9
_NEAR = 1e-3
_DAMPING = (1.0, 0.5, 0.25, 0.0625)
_MOST_NEWTON_STEPS = 50


@dataclass(frozen=True)
class Guess:
    """What the search ended with.

    Attributes
    ----------
    x : array of shape (p, 1)
    moment : Moment
        The map there.
    residual : float
        ``|F(x) - x|``.
    evaluations : int
        How often the map was evaluated.
    solver : Solver, optional
        Of the linearised equation there, when it was needed already.
    """

    x: np.ndarray
    moment: Moment
    residual: float
    evaluations: int
    solver: Solver | None = None

    @property
    def magnitude(self) -> float:
        """How large the numbers are that the map computes with; rounding is in proportion to it."""
        values = self.moment.values.values() if isinstance(self.moment, StructuredMoment) else [1.0]
        return max(float(np.linalg.norm(v)) for v in [self.x, *values])


def approach(bound: BoundMap, start: Any, most_evaluations: int, time_limit: float = math.inf) -> Guess:
    """Search for a fixed point.

    Parameters
    ----------
    bound : BoundMap
        Over floating point.
    start : array of shape (p, 1)
    most_evaluations : int
    time_limit : float
        Seconds, about.

    Raises
    ------
    UnknownError
        When the residual stays large; with what was reached.

    Notes
    -----
    Newton steps are kept where they decrease the residual. Where they do not, the map itself is iterated further, with
    Nesterov's momentum, which is restarted when it points the wrong way (O'Donoghue, Candes, Adaptive restart for
    accelerated gradient schemes, 2015).
    """
    with np.errstate(all="ignore"):
        return _Search(bound, most_evaluations, time.monotonic() + time_limit).run(np.array(start, dtype=float))


class _Search:
    def __init__(self, bound: BoundMap, most_evaluations: int, deadline: float):
        self.bound, self.most, self.evaluations, self.deadline = bound, most_evaluations, 0, deadline

    def run(self, start: np.ndarray) -> Guess:
        best, batch = self._at(start), float(_BATCH)
        if best is None:
            raise UnknownError("the map is not defined at the start, in floating point")
        while self.evaluations < self.most and time.monotonic() < self.deadline:
            best, settled = self._newton(self._forward(best, round(batch)))
            if settled:
                return best
            batch = min(batch * _LONGER, float(self.most))
        best, step = self._step(best)
        if step is not None and self._is_settled(best, step, _BARELY):
            return best
        flat = "" if step is not None else ", and the derivative there has the eigenvalue 1"
        raise UnknownError(
            f"no isolated fixed point was found: after {self.evaluations} evaluations in floating point "
            f"|F(x) - x| is {best.residual:.2e}{flat}"
        )

    def _at(self, x: np.ndarray) -> Guess | None:
        """Evaluate the map; None where it is not defined."""
        self.evaluations += 1
        try:
            moment = self.bound(Enclosed(x))
            residual = float(np.linalg.norm(moment.value.centre - x))
        except (MapError, UnknownError, ZeroDivisionError):
            return None
        return Guess(x, moment, residual, self.evaluations) if np.isfinite(residual) else None

    def _forward(self, start: Guess, count: int) -> Guess:
        """Iterate the map with momentum, or plainly where momentum did not help."""
        end = self._iterated(start, count, momentum=True)
        if end is None or end.residual > start.residual:
            end = self._iterated(start, count, momentum=False)
        return end or start

    def _iterated(self, start: Guess, count: int, *, momentum: bool) -> Guess | None:
        here, x, weight = start, start.x, 1.0
        for _ in range(count):
            if time.monotonic() > self.deadline:
                break
            new = here.moment.value.centre
            if not momentum:
                y = new
            else:
                if float(np.vdot(here.x - new, new - x)) > 0:
                    weight = 1.0
                following = (1 + (1 + 4 * weight * weight) ** 0.5) / 2
                y, x, weight = new + (weight - 1) / following * (new - x), new, following
            found = self._at(y)
            if found is None:
                return None
            here = found
        return here

    def _newton(self, here: Guess) -> tuple[Guess, bool]:
        """Take Newton steps as long as they help, shortened where a full one does not; tell whether that is the end."""
        for _ in range(_MOST_NEWTON_STEPS):
            here, step = self._step(here)
            if step is None:
                return here, False
            if self._is_settled(here, step, _ROUNDING):
                return here, True
            better = self._shortened(here, step)
            if better is None:
                return here, self._is_settled(here, step, _ENOUGH)
            here = better
        return here, False

    def _step(self, here: Guess) -> tuple[Guess, np.ndarray | None]:
        """The guess with its solver, and the Newton step; None where there is none."""
        try:
            solver = here.solver or solver_at(here.moment, here.moment.signature)
            return replace(here, solver=solver), solver(here.moment.value.centre - here.x)
        except (MapError, UnknownError):
            return here, None

    def _is_settled(self, here: Guess, step: np.ndarray, tolerance: float) -> bool:
        """Whether residual and Newton step are small beside the numbers that the map computes with."""
        size = here.magnitude
        return here.residual <= tolerance * size and float(np.linalg.norm(step)) <= _NEAR * size

    def _shortened(self, here: Guess, step: np.ndarray) -> Guess | None:
        for length in _DAMPING:
            found = self._at(here.x + length * step)
            if found is not None and found.residual < (1 - length / 2) * here.residual:
                return found
        return None

"""The data of the figure of a structured map: errors of iterates and derivatives, and when the piece is identified."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import fmpq_mat

from piggycheck.arrays import FLOAT64, Arrays
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.panels import FigureData, Panel, Series, proved_rate
from piggycheck.claims.verdict import Verdict
from piggycheck.derivation import EnclosedRateStep, ErrorStep
from piggycheck.enclosures import LimitEnclosure
from piggycheck.errors import InputError, PiggycheckError, UnknownError
from piggycheck.piggyback import Step, steps

__all__ = ["enclosed_figure"]

_LARGEST_IN_BALLS = 64
_MOST_STEPS = 3000
_LEAST_STEPS = 30
_SECONDS = 20.0
_FLOOR = {True: 1e-24, False: 1e-12}


def enclosed_figure(subject: EnclosedSubject, verdicts: Sequence[Verdict], title: str) -> FigureData:
    """Compute what the figure of a structured map shows.

    Parameters
    ----------
    subject : EnclosedSubject
        With a start, and a limit that is no tie.
    verdicts : sequence of verdicts
        About the subject; a proved rate among them is drawn, and a number of iterations is reached.
    title : str

    Returns
    -------
    FigureData
        The error of the iterates, and with parameters that of the derivatives, until both are small; in ball arithmetic
        for up to 64 state variables, else in double precision.

    Raises
    ------
    InputError
        When there is nothing to draw.
    """
    if subject.iteration.start is None:
        raise InputError("there is nothing to draw: the iteration has no start; declare [start]")
    try:
        chosen = subject.chosen("derivative") if subject.map.declared else None
        limit = subject.limit(chosen)
    except UnknownError as error:
        raise InputError(f"there is nothing to draw: {error}") from None
    run = _Run(subject, limit, {} if chosen is None else chosen.moving, _least(verdicts))
    run.follow()
    marks = () if not run.identified else ((float(run.identified), f"piece identified at k = {run.identified}"),)
    kind = "in ball arithmetic" if run.arrays.bounds_errors else "in double precision"
    panels = [
        Panel("Error of the iterates", "‖x_k − x̄‖", (_series(f"iterates, {kind}", run.x, "iterates"),), marks=marks)
    ]
    if chosen is not None:
        series = [_series(f"derivatives, {kind}", run.J, "derivatives")]
        rate = next((s for v in verdicts for s in v.derivation if isinstance(s, EnclosedRateStep)), None)
        if rate is not None and rate.rate > 0:
            series.append(proved_rate(rate.rate, series))
        panels.append(Panel("Error of the derivatives", "‖J_k − J̄‖", tuple(series), marks=marks))
    return FigureData(title, tuple(panels))


def _least(verdicts: Sequence[Verdict]) -> int:
    """The number of steps that some claim is about."""
    asked = [step.iterations for verdict in verdicts for step in verdict.derivation if isinstance(step, ErrorStep)]
    return max([_LEAST_STEPS, *asked])


def _series(label: str, values: list[float], role: str) -> Series:
    return Series(label, tuple(range(len(values))), tuple(values), role)


class _Run:
    """Follows the iteration until its errors are small."""

    def __init__(self, subject: EnclosedSubject, limit: LimitEnclosure, directions: Any, least: int):
        self.subject, self.limit, self.directions, self.least = subject, limit, directions, least
        self.arrays: Arrays = limit.arrays if subject.map.dimension <= _LARGEST_IN_BALLS else FLOAT64
        self.identified: int | None = None
        self.x: list[float] = []
        self.J: list[float] = []

    def follow(self) -> None:
        """Collect errors; what cannot be computed any more ends them."""
        floor, until = _FLOOR[self.arrays.bounds_errors], time.monotonic() + _SECONDS
        point, derivative = self._there(self.limit.point), self._there(self.limit.derivative)
        try:
            for step in steps(
                self.subject.iteration, self.subject.at, directions=self.directions, arithmetic=self.arrays
            ):
                self._see(step)
                self.x.append(self._distance(step.x.centre, point))
                if step.J is not None:
                    self.J.append(self._distance(step.J.centre, derivative))
                small = all(values[-1] <= floor for values in (self.x, self.J) if values)
                if (step.k >= self.least and (small or step.k >= _MOST_STEPS)) or time.monotonic() > until:
                    return
        except PiggycheckError:
            return

    def _there(self, M: fmpq_mat | None) -> Any:
        return None if M is None else self.arrays.matrix(M)

    def _distance(self, here: Any, there: Any) -> float:
        with self.arrays.precision():
            away = here - there
            if not self.arrays.bounds_errors:
                return float(np.linalg.norm(away))
            return float((away.transpose() * away).trace()) ** 0.5

    def _see(self, step: Step) -> None:
        if step.signature != self.limit.signature:
            self.identified = None
        elif self.identified is None:
            self.identified = step.k

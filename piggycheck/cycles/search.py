"""All cycles of one period, whatever the map is made of."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from typing import Any

import sympy as sp

from piggycheck.arithmetic import rational, to_sympy
from piggycheck.cycles.answers import Cycle, Cycles, Point
from piggycheck.cycles.orbit import cycle_from, orbit_of, rotated
from piggycheck.cycles.polynomial import polynomial_cycles
from piggycheck.cycles.words import Words
from piggycheck.errors import GapError, InputError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.trajectories import affine_pieces

__all__ = ["cycles", "read_period"]

_LONGEST = 200


def cycles(
    iteration: Iteration,
    at: Mapping[Any, Any] | None = None,
    period: int = 2,
    *,
    most_words: int = 20_000,
    time_limit: float = math.inf,
) -> Cycles:
    """Find the cycles of a given period at given parameters, exactly.

    Parameters
    ----------
    iteration : Iteration
        With a symbolic map.
    at : mapping
        A value for each parameter, keyed by symbol or name.
    period : int
        The minimal period: the number of different points. Fixed points are cycles of period 1.
    most_words : int
        How many itineraries are examined at most, prefixes included.
    time_limit : float
        Seconds after which no more pieces, itineraries or cycles are examined.

    Returns
    -------
    Cycles
        A sequence of `Cycle`, each once whatever its first point; ``exhaustive`` says whether these are all.

    Raises
    ------
    InputError
        When the period is not a positive integer, or a parameter has no value.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> tent = Iteration(SymbolicMap([x], [sp.Min(2 * x, 2 - 2 * x)]))
    >>> found = cycles(tent, period=3)
    >>> [cycle.points for cycle in found], found.exhaustive
    ([((2/9,), (4/9,), (8/9,)), ((2/7,), (4/7,), (6/7,))], True)
    >>> found[0].multiplier, found[0].attracting
    ([-8], False)
    >>> step = sp.Rational(49, 40)
    >>> descent = Iteration(SymbolicMap([x], [x - step * (x**3 - x)]))
    >>> [cycle.points for cycle in cycles(descent, period=2) if cycle.attracting]
    [((-8/7,), (-5/7,)), ((5/7,), (8/7,))]

    Notes
    -----
    Where the map is affine on each piece, a cycle solves the linear system of its itinerary, a word over the pieces;
    words that no point follows are excluded by exact linear programs while they are spelled. On polynomial pieces the
    composition along the word is a polynomial map, whose fixed points are found exactly. Whatever was found is kept
    only if the whole map sends each point to the next one. See docs/theory/cycles.md.

    When this fails: of maps with exp, log or square roots nothing is found; the number of itineraries grows
    exponentially with the period, and so does the degree of compositions; of a continuum one cycle is returned, with
    ``isolated`` false. ``exhaustive`` is then false, with the reason, except for a continuum.
    """
    period = read_period(period, "period")
    at = iteration.map.parameter_values(at or {})
    local = iteration.map.fix(at)
    deadline = time.monotonic() + time_limit
    search = _Search(local, period, deadline)
    try:
        pieces = affine_pieces(local, {}, time_limit=time_limit)
    except GapError as error:
        return Cycles((), False, f"the map is not defined everywhere: {error}")
    except UnknownError as error:
        return _of_polynomials(local, period, most_words, deadline - time.monotonic(), str(error))
    return search.along_words(Words(pieces, period, most_words, deadline - time.monotonic()))


def read_period(value: Any, where: str) -> int:
    """Read a period.

    Raises
    ------
    InputError
        When it is not a positive integer.
    """
    if isinstance(value, sp.Integer) or (isinstance(value, str) and value.isdecimal()):
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise InputError(f"{where}: `{str(value)[:60]}` is not a positive integer; write one, such as 3")
    if value > _LONGEST:
        raise InputError(f"{where}: {value} is larger than {_LONGEST}; write a smaller one")
    return value


class _Search:
    """Collects the cycles of one map of the state alone."""

    def __init__(self, local: SymbolicMap, period: int, deadline: float):
        self.local, self.period, self.deadline = local, period, deadline
        self.found: dict[tuple[Point, ...], bool] = {}
        self.reasons: dict[str, None] = {}

    def along_words(self, words: Words) -> Cycles:
        """Solve along every word."""
        try:
            for _, points, isolated in words.candidates():
                if not any(self._keep(tuple(map(to_sympy, x)), isolated) for x in points) and not isolated:
                    self.reasons["a continuum of solutions was met only where the map jumps"] = None
        except UnknownError as error:
            self.reasons[str(error)] = None
        for points in [points for points, isolated in self.found.items() if isolated]:
            if words.in_a_continuum([tuple(map(rational, x)) for x in points]):
                del self.found[points]
        described = self._described()
        return Cycles(tuple(described), not self.reasons, "; ".join(self.reasons), words.solved)

    def _described(self) -> list[Cycle]:
        """What the cycles are like, as far as the time suffices, and of one in any case."""
        described: list[Cycle] = []
        for points in sorted(self.found):
            if described and time.monotonic() > self.deadline:
                self.reasons[f"the time was up after {len(described)} of {len(self.found)} cycles were examined"] = None
                break
            described.append(cycle_from(self.local, points, self.found[points]))
        return described

    def _keep(self, x: Point, isolated: bool) -> bool:
        points = orbit_of(self.local, x, self.period)
        if points is not None:
            self.found.setdefault(rotated(points), isolated)
        return points is not None


def _of_polynomials(local: SymbolicMap, period: int, most: int, time_limit: float, why: str) -> Cycles:
    try:
        return polynomial_cycles(local, period, most, time_limit)
    except UnknownError as error:
        return Cycles((), False, f"{why}; {error}" if str(error) != why else why)

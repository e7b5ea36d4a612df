"""A map of parameter space, level by level: each unit of work decides the four parts of a cell that is undecided.

What a unit is given was found on earlier levels, so the map does not depend on how many workers there are, or on the
order in which they finish.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flint import fmpq

from piggycheck.certificates import Certificate
from piggycheck.errors import InputError
from piggycheck.linalg import as_float
from piggycheck.regions.cells import Cell
from piggycheck.regions.decide import Evidence, decide_cell
from piggycheck.regions.pieces import Pieces, pieces_of
from piggycheck.regions.polynomials import Bounds, Letters
from piggycheck.search.executors import Here, completed
from piggycheck.search.family import Family
from piggycheck.search.store import Store

__all__ = ["ParameterMap", "parameter_map"]

SMALLEST = fmpq(1, 128)
"""Sides of the smallest cells unless said otherwise, as a part of those of the box."""

_NEARBY = 4
_DEEPEST = 10


@dataclass(frozen=True)
class ParameterMap:
    """Which cells of a box of two unknowns are decided, and by what.

    Parameters
    ----------
    pieces : Pieces
    cells : dict from Cell to Evidence
        No two of them overlap; sorted.
    levels : int
        The smallest cells have sides of the box's divided by 2**levels.
    interrupted : bool
        Whether it was ended from outside, before everything was tried.

    Examples
    --------
    >>> family = Family({
    ...     "map": {"state": ["x"], "next": ["Piecewise((a*x, x >= 0), (b*x, True))"]},
    ...     "unknowns": {"a": {"range": [0, "3/2"]}, "b": {"range": [0, 1]}},
    ... })
    >>> map_ = parameter_map(family, smallest=fmpq(1, 2))
    >>> map_.areas
    {'converges': 3/8, 'diverges': 0, 'unstable': 0, 'undecided': 9/8}
    """

    pieces: Pieces
    cells: Mapping[Cell, Evidence]
    levels: int
    interrupted: bool = False

    @property
    def areas(self) -> dict[str, fmpq]:
        """The areas of the cells of each verdict, exactly."""
        found = dict.fromkeys(("converges", "diverges", "unstable"), fmpq(0))
        for cell, evidence in self.cells.items():
            found[evidence.verdict] += cell.share * self.pieces.area
        return {**found, "undecided": self.pieces.area - sum(found.values(), fmpq(0))}

    @property
    def decided(self) -> fmpq:
        """The part that is decided of the area where no piece is proved unstable on its own."""
        areas = self.areas
        whole = self.pieces.area - areas["unstable"]
        return (whole - areas["undecided"]) / whole if whole else fmpq(1)

    @property
    def statement(self) -> str:
        """What is claimed."""
        x, y = self.pieces.axes
        return f"at {self.pieces.place} the cells of {x} and {y} converge or diverge as stated, for every member"

    def certificate(self) -> Certificate:
        """Return the certificate of all cells."""
        listed = list(dict.fromkeys(self.cells.values()))
        places = {evidence: index for index, evidence in enumerate(listed)}
        claim = {"kind": "parameter_map", "verdict": "proved", "statement": self.statement, **self.areas}
        witness = {
            "method": "cells",
            "evidence": [{"kind": evidence.kind, "data": evidence.data} for evidence in listed],
            "cells": [[c.level, c.column, c.row, places[evidence]] for c, evidence in self.cells.items()],
        }
        return Certificate.build(claim=claim, **self.pieces.certificate_parts(), witness=witness)


@dataclass(frozen=True)
class _Work:
    """Decides the parts of a cell, in a worker."""

    letters: Letters
    box: Bounds

    def __call__(self, cell: Cell, nearby: tuple[Evidence, ...]) -> dict[str, Any]:
        known = list(nearby)
        found = []
        for part in cell.children:
            evidence = decide_cell(self.letters, part.bounds(self.box), known)
            found.append(None if evidence is None else [evidence.kind, evidence.data])
            if evidence is not None:
                known = [evidence, *(e for e in known if e != evidence)]
        return {"parts": found}


def parameter_map(
    family: Family,
    executor: Executor | None = None,
    *,
    axes: Sequence[str] = (),
    values: Mapping[str, str] | None = None,
    smallest: fmpq = SMALLEST,
    workers: int = 1,
    results: Path | None = None,
    resume: bool = False,
    progress: Callable[[str], None] | None = None,
) -> ParameterMap:
    """Divide a box of two unknowns into cells on which all members converge, or all diverge.

    Parameters
    ----------
    family : Family
    executor : concurrent.futures.Executor, optional
        Who does the work; this process does when there is none.
    axes : two names, optional
        The unknowns; needed when more than two are ranges.
    values : mapping from names to exact numbers as text, optional
        For the other unknowns.
    smallest : fmpq
        The sides of the smallest cells, as a part of those of the box; cells are halved as long as they are larger.
    workers : int
        How many the executor has.
    results : Path, optional
        An SQLite file, which gets each finished unit at once.
    resume : bool
        Whether to continue what is in that file.
    progress : callable, optional
        Is given a text that says how far it is.

    Returns
    -------
    ParameterMap
        When interrupted by Ctrl-C, what was found until then.

    Raises
    ------
    InputError
        As `piggycheck.regions.pieces.pieces_of`; when the size or the file cannot be used, or the workers are gone.

    Examples
    --------
    >>> family = Family({
    ...     "algorithm": {"name": "heavy_ball", "variables": ["x"], "step": {"range": [1, "5/4"]},
    ...         "objective": "Piecewise((x**2/2, x >= 0), (x**2/8, True))", "momentum": {"range": ["3/4", "7/8"]}},
    ... })
    >>> parameter_map(family, smallest=fmpq(1, 4)).areas
    {'converges': 0, 'diverges': 1/32, 'unstable': 0, 'undecided': 0}

    Notes
    -----
    When this fails: near the boundary between convergence and divergence cells stay undecided, however small.
    """
    pieces = pieces_of(family, axes, values)
    levels = _levels(smallest)
    heading = {
        "family": family.hash,
        "kind": "map",
        "pair of axes": ", ".join(map(str, pieces.axes)),
        "choice of values": ", ".join(f"{name}={value}" for name, value in sorted((values or {}).items())),
        "smallest": f"1/{2**levels}",
    }
    store = Store(results, heading, resume=resume)
    run = _Run(pieces, levels, store, executor or Here(), 2 * workers, progress or (lambda text: None))
    interrupted = False
    try:
        try:
            run.go()
        except KeyboardInterrupt:
            interrupted = True
        return ParameterMap(pieces, dict(sorted(run.cells.items())), levels, interrupted)
    finally:
        store.close()


def _levels(smallest: fmpq) -> int:
    if not 0 < smallest <= 1:
        raise InputError(f"--smallest: {smallest} is no part of the sides of the box; write a number such as 1/64")
    levels = 0
    while fmpq(1, 2**levels) > smallest:
        levels += 1
    if levels > _DEEPEST:
        raise InputError(f"--smallest: {smallest} is below 1/{2**_DEEPEST}, which would take too long")
    return levels


class _Run:
    """Decides cells level by level, and remembers what decided them."""

    def __init__(
        self,
        pieces: Pieces,
        levels: int,
        store: Store,
        executor: Executor,
        window: int,
        progress: Callable[[str], None],
    ) -> None:
        self.pieces, self.levels, self.store = pieces, levels, store
        self.executor, self.window, self.progress = executor, window, progress
        self.cells: dict[Cell, Evidence] = {}
        self.done = 0

    def go(self) -> None:
        """Decide the box, then the parts of what is undecided, down to the smallest cells."""
        whole = Cell(0, 0, 0)
        evidence = decide_cell(self.pieces.letters, self.pieces.box)
        if evidence is not None:
            self.cells[whole] = evidence
            return
        open_cells, first, known = [whole], 0, dict(self.store.units())
        for level in range(1, self.levels + 1):
            nearby = _Nearby(self.cells)
            work = _Work(self.pieces.letters, self.pieces.box)
            jobs = (
                (number, (work, cell, nearby.of(cell)))
                for number, cell in enumerate(open_cells, first)
                if number not in known
            )
            since, begun = time.monotonic(), len(known)
            to_do = sum(number not in known for number in range(first, first + len(open_cells)))
            try:
                for number, result in completed(self.executor, self.window, jobs):
                    self.store.record(number, 4, result)
                    known[number] = result
                    self._tell(level, len(known) - begun, to_do, time.monotonic() - since)
            finally:
                remaining = self._take(open_cells, first, known)
            first += len(open_cells)
            open_cells = remaining

    def _take(self, parents: Sequence[Cell], first: int, known: Mapping[int, dict[str, Any]]) -> list[Cell]:
        """Keep what was decided of the parts of cells; return the others."""
        remaining = []
        for number, parent in enumerate(parents, first):
            if number not in known:
                continue
            for cell, found in zip(parent.children, known[number]["parts"], strict=True):
                if found is None:
                    remaining.append(cell)
                else:
                    self.cells[cell] = Evidence(found[0], _tuples(found[1]))
        return remaining

    def _tell(self, level: int, done: int, of: int, elapsed: float) -> None:
        rate = done / max(elapsed, 1e-3)
        left = (of - done) / rate
        self.progress(
            f"level {level} of {self.levels}: {4 * done} of {4 * of} cells, {4 * rate:.0f} per second, "
            f"about {left:.0f} s left of this level"
        )


class _Nearby:
    """What decided cells on the levels before."""

    def __init__(self, cells: Mapping[Cell, Evidence]) -> None:
        self.found: dict[str, list[tuple[float, float, Evidence]]] = {"word": [], "other": []}
        for cell, evidence in sorted(cells.items()):
            x, y = map(as_float, cell.centre)
            self.found["word" if evidence.kind == "word" else "other"].append((x, y, evidence))

    def of(self, cell: Cell) -> tuple[Evidence, ...]:
        """The evidence of the nearest cells, the nearest first, no two alike; words and others."""
        x, y = map(as_float, cell.centre)
        chosen: list[tuple[float, Evidence]] = []
        for listed in self.found.values():
            near: dict[Evidence, float] = {}
            for distance, evidence in sorted(
                ((math.hypot(a - x, b - y), e) for a, b, e in listed), key=lambda pair: pair[0]
            ):
                near.setdefault(evidence, distance)
                if len(near) == _NEARBY:
                    break
            chosen += [(distance, evidence) for evidence, distance in near.items()]
        return tuple(evidence for _, evidence in sorted(chosen, key=lambda pair: pair[0]))


def _tuples(data: Iterable[Any]) -> tuple[Any, ...]:
    return tuple(_tuples(entry) if isinstance(entry, (list, tuple)) else int(entry) for entry in data)

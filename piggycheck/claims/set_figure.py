"""The data of pictures of the piggyback set: its points, the implicit set, the sets that close on it, a cobweb."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import combinations, pairwise
from pathlib import Path
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.claims.entry import Entry, entry_name, read_entries, short_text, start_text
from piggycheck.claims.set_marks import claim_of, marks_of, proved_box, returned_limit
from piggycheck.claims.set_views import AttractorView, CobwebView, LevelsView, SequenceView, SetFigure
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Verdict
from piggycheck.errors import InputError
from piggycheck.limits import (
    Approximation,
    Contraction,
    approximate,
    contracting,
    hull_interval,
    implicit_hull_interval,
    implicit_points,
    set_sequence,
)
from piggycheck.linalg import as_float, float_rows, simplest_between
from piggycheck.render.attractor import attractor
from piggycheck.render.page import OKABE_ITO, rounded_up
from piggycheck.switched import SwitchedSystem

__all__ = ["SET_KINDS", "draw_attractor", "is_about_sets", "set_figure"]

SET_KINDS = frozenset(
    {
        "piggyback_interval",
        "implicit_is_strict",
        "in_piggyback_set",
        "piggyback_bounds",
        "implicit_set_exceeds_clarke",
    }
)
"""Kinds of claims whose figure is a picture of the piggyback set."""

_FINENESS = {1: 2000, 2: 800}
_SAMPLE = 4096
_FINEST = fmpq(1, 10**6)
_LEAST = 1e-9
_MOST_INTERVALS = 128
_MOST_LEVELS = 7
_MOST_IN_A_SET = {1: 4096, 2: 16384}
_MOST_STEPS = 12
_SHOWN_STEPS = 5
_LIMIT_POINTS = 60_000
_COBWEB_STEPS = 4
_MOST_PATHS = 64
_CURVE = 129
_ROUNDING = 1e-12
_OUTSIDE = (0.25, 1.0)


def draw_attractor(
    of: Subject | SwitchedSystem,
    path: str | Path,
    *,
    entries: Any = None,
    title: str = "",
    verdicts: Sequence[Verdict] = (),
    hull: bool = False,
    points: int = 1_000_000,
) -> None:
    """Draw the piggyback set, with the implicit points, its convex hull, and the sets that close on it.

    Parameters
    ----------
    of : Subject or SwitchedSystem
    path : str or Path
        A file ending in .pdf, .svg or .png. The same system gives the same file.
    entries, title, verdicts, hull, points
        As in `set_figure`.

    Raises
    ------
    InputError, NoLimitSetError, UnknownError
        As `set_figure`; or the file cannot be written.

    Examples
    --------
    >>> import os, tempfile
    >>> cantor = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     draw_attractor(cantor, os.path.join(folder, "cantor.svg"), title="A Cantor set")

    Notes
    -----
    When this fails: see `set_figure`.
    """
    data = set_figure(of, verdicts, entries=entries, title=title, hull=hull, points=points)
    attractor(data, path)


def is_about_sets(verdicts: Iterable[Verdict]) -> bool:
    """Whether a picture of the piggyback set belongs to some verdicts.

    Parameters
    ----------
    verdicts : iterable of verdicts

    Returns
    -------
    bool
        True when one is of a kind about sets, or places the limit of a policy, or `derivative` alone was refuted: then
        there is a set to see.

    Examples
    --------
    >>> is_about_sets([])
    False

    Notes
    -----
    When this fails: an undecided claim counts as well; whether there is a set is found out when it is drawn.
    """
    verdicts = list(verdicts)
    found = [(verdict.kind, verdict.name) for verdict in verdicts]
    if any(kind in SET_KINDS for kind, _ in found) or found == [("derivative", "refuted")]:
        return True
    return any(returned_limit(verdict) is not None for verdict in verdicts)


def set_figure(
    of: Subject | SwitchedSystem,
    verdicts: Sequence[Verdict] = (),
    *,
    entries: Any = None,
    title: str = "",
    hull: bool = False,
    points: int = 1_000_000,
) -> SetFigure:
    """Compute what a picture of the piggyback set shows.

    Parameters
    ----------
    of : Subject or SwitchedSystem
        With a joint spectral radius below 1.
    verdicts : sequence of verdicts
        About it; matrices that they are about are marked, and a box that was proved is drawn.
    entries : str, or sequence of (row, column), optional
        One entry of the matrices or two: see `piggycheck.claims.entry.read_entries`. The only entry by default, or the
        first two that are not the same in all matrices of the set.
    title : str
    hull : bool
        Whether the implicit set of the convex hull of the pairs is drawn; it is where a verdict is about it.
    points : int
        At most about how many points.

    Returns
    -------
    SetFigure
        For scalar maps a cobweb, finer and finer intervals, and the sequence of sets. For one entry of several the
        last two. For two entries the set in the plane, and the sequence of sets.

    Raises
    ------
    InputError
        When there is no such entry.
    NoLimitSetError
        When the joint spectral radius is at least 1, so that there is no such set.
    UnknownError
        When that was not decided, or a graph constrains the words, or matrices are not known exactly.

    Examples
    --------
    >>> cantor = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
    >>> cobweb, levels, sequence = set_figure(cantor).views
    >>> [(low, high) for _, low, high in levels.levels[1]] == [(0, 1 / 3), (2 / 3, 1)]
    True

    Notes
    -----
    The radius is proved; points are computed in floating point, and what is drawn is rounded. The picture is that of
    all pairs given; where it is not known that each is active, the piggyback set is a part of it, and the caption says
    so. Docs: docs/theory/pictures.md. When this fails: the closer the joint spectral radius is to 1 and the larger the
    matrices, the coarser the radius; it is stated whatever it is.
    """
    system, names = _system_and_names(of)
    shape = (system.dimension, system.columns)
    if 0 in shape:
        raise InputError("a picture of the piggyback set: `B` has no columns, so nothing is drawn; write one at least")
    asked = None if entries is None else read_entries(entries, shape, names)
    contraction = of.contraction if isinstance(of, Subject) else contracting(system)
    picture = _Picture(contraction, asked, names, points, hull or _hull_was_asked(verdicts), tuple(verdicts))
    return SetFigure(title, picture.views(), picture.caption())


def _system_and_names(of: Subject | SwitchedSystem) -> tuple[SwitchedSystem, tuple[list[str], list[str]]]:
    if isinstance(of, SwitchedSystem):
        return of, ([], [])
    if of.iteration is None:
        return of.system, ([], [])
    of.require_parameters("a picture of the piggyback set")
    map_ = of.iteration.map
    return of.system, ([str(v) for v in map_.state], [str(v) for v in map_.parameters])


def _hull_was_asked(verdicts: Sequence[Verdict]) -> bool:
    return any(claim_of(verdict).get("hull") == "true" for verdict in verdicts)


class _Picture:
    """What the views of one system have in common."""

    def __init__(
        self,
        contraction: Contraction,
        asked: tuple[Entry, ...] | None,
        names: tuple[list[str], list[str]],
        points: int,
        hull: bool,
        verdicts: tuple[Verdict, ...],
    ) -> None:
        self.contraction, self.system, self.hull, self.verdicts = contraction, contraction.system, hull, verdicts
        self.A = [np.array(float_rows(A)) for A in self.system.A]
        self.B = [np.array(float_rows(B)) for B in self.system.B]
        self.shape = (self.system.dimension, self.system.columns)
        sample = approximate(contraction, _FINEST * (contraction.radius or 1), budget=_SAMPLE).points
        spread = np.ptp(sample, axis=0)
        self.entries = _varying(spread) if asked is None else asked
        self.labels = tuple(entry_name(entry, self.shape, names) for entry in self.entries)
        self.letters = tuple(map(str, range(len(self.system))))
        size = float(max(spread[entry] for entry in self.entries)) or 1.0
        wanted = _exactly(size / _FINENESS[len(self.entries)])
        found = approximate(contraction, wanted, budget=points // len(self.system))
        self.points = found.points
        self.parts = tuple((name, self._image(A, B)) for name, A, B in zip(self.letters, self.A, self.B, strict=True))
        self.radius = self._radius_of_images(found)
        self.implicit = tuple(
            (name, self._place(X))
            for name, X in zip(self.letters, implicit_points(self.system), strict=True)
            if X is not None
        )

    # -- points ---------------------------------------------------------------------------------------------------

    def _image(self, A: Any, B: Any) -> Any:
        """The entries drawn of ``A X + B`` for every point X."""
        return np.stack([self.points[:, :, c] @ A[r] + B[r, c] for r, c in self.entries], axis=1)

    def _radius_of_images(self, found: Approximation) -> float:
        """How far the images of the points are from the set: a map moves a row apart by at most its norm."""
        squares = [0.0] * len(self.A)
        for i, A in enumerate(self.A):
            for r, c in self.entries:
                by_norm = float(np.sqrt((A[r] ** 2).sum())) * found.radius
                by_entry = float(np.abs(A[r]) @ found.entry_radius[:, c])
                squares[i] += min(by_norm, by_entry) ** 2
        largest = max(float(np.abs(part).max()) for _, part in self.parts)
        return math.sqrt(max(squares)) * (1 + _LEAST) + _ROUNDING * (1 + largest)

    def _place(self, X: fmpq_mat) -> tuple[float, ...]:
        return tuple(as_float(X[entry]) for entry in self.entries)

    def _all(self) -> Any:
        return np.concatenate([part for _, part in self.parts])

    # -- views ----------------------------------------------------------------------------------------------------

    def views(self) -> tuple[Any, ...]:
        if len(self.entries) == 2:
            return self._attractor(), self._sequence()
        first = (self._cobweb(),) if self.shape == (1, 1) else ()
        return (*first, self._levels(), self._sequence())

    def _attractor(self) -> AttractorView:
        curves = tuple(self._between(i, j) for i, j in combinations(range(len(self.A)), 2)) if self.hull else ()
        return AttractorView(
            self.labels,
            self.parts,
            self.radius,
            _hull_of(self._all()),
            self.implicit,
            curves,
            proved_box(self.verdicts, self.shape, self.entries),
            marks_of(self.verdicts, self._place),
        )

    def _between(self, i: int, j: int) -> Any:
        """The implicit set between two pairs."""
        weights = np.linspace(0, 1, _CURVE)[:, None, None]
        A = (1 - weights) * self.A[i] + weights * self.A[j]
        B = (1 - weights) * self.B[i] + weights * self.B[j]
        solved = np.linalg.solve(np.eye(self.shape[0]) - A, B)
        return np.stack([solved[:, r, c] for r, c in self.entries], axis=1)

    def _levels(self) -> LevelsView:
        words = [((), np.eye(self.shape[0]), np.zeros(self.shape))]
        levels = [self._intervals(words)]
        while len(levels) <= _MOST_LEVELS and len(words) * len(self.A) <= _MOST_INTERVALS:
            words = [
                ((i, *word), A @ M, A @ C + B)
                for i, (A, B) in enumerate(zip(self.A, self.B, strict=True))
                for word, M, C in words
            ]
            levels.append(self._intervals(words))
        low, high = self._ends()
        implicit_hull = None
        if self.shape == (1, 1):
            ends = implicit_hull_interval(self.system)
            implicit_hull = (as_float(ends[0]), as_float(ends[1]))
        return LevelsView(
            self.labels[0],
            tuple(levels),
            tuple((name, part[:, 0]) for name, part in self.parts),
            self.radius,
            (low, high),
            self.shape == (1, 1),
            self.implicit,
            implicit_hull,
            marks_of(self.verdicts, self._place),
        )

    def _intervals(self, words: Sequence[tuple[tuple[int, ...], Any, Any]]) -> tuple[tuple[int, float, float], ...]:
        """The hull of the entry over the image of the set under each word, whose last letter stands first."""
        ((r, c),) = self.entries
        column = self.points[:, :, c]
        if self.shape == (1, 1):
            column = np.array([[end] for end, _ in self._ends()])
        found = []
        for word, A, B in words:
            values = column @ A[r] + B[r, c]
            found.append((word[0] if word else -1, float(values.min()), float(values.max())))
        return tuple(found)

    def _ends(self) -> tuple[tuple[float, str], tuple[float, str]]:
        """The ends of the smallest interval: exact for scalar maps, else those of the points."""
        if self.shape == (1, 1):
            exact = hull_interval(self.system)
            return (as_float(exact.lower), short_text(exact.lower)), (as_float(exact.upper), short_text(exact.upper))
        values = self._all()
        low, high = float(values.min()), float(values.max())
        return (low, f"{low:.4g}"), (high, f"{high:.4g}")

    def _cobweb(self) -> CobwebView:
        maps = tuple(
            (name, float(A[0, 0]), float(B[0, 0])) for name, A, B in zip(self.letters, self.A, self.B, strict=True)
        )
        start = as_float(self._start()[0, 0])
        paths, reached = [], [start]
        while len(paths) < _COBWEB_STEPS and len(reached) * len(maps) <= _MOST_PATHS:
            paths.append(tuple((i, x, a * x + b) for x in reached for i, (_, a, b) in enumerate(maps)))
            reached = sorted({y for _, _, y in paths[-1]})
        (low, _), (high, _) = self._ends()
        return CobwebView(self.labels[0], maps, (low, high), self.implicit, start, tuple(paths), self._all()[:, 0])

    # -- the sequence of sets -------------------------------------------------------------------------------------

    def _start(self) -> fmpq_mat:
        """The derivative at the start, or where that is not given a simple matrix outside the set."""
        if self.system.J0 is not None:
            return self.system.J0
        top, spread = self.points.max(axis=0), np.ptp(self.points, axis=0)
        spread[spread <= _LEAST * spread.max()] = float(spread.max()) or 1.0
        simple = [
            simplest_between(*(_exactly(high + factor * width) for factor in _OUTSIDE))
            for high, width in zip(top.ravel().tolist(), spread.ravel().tolist(), strict=True)
        ]
        return fmpq_mat(*self.shape, simple)

    def _sequence(self) -> SequenceView:
        start = self._start()
        letters = len(self.A)
        most = math.floor(math.log(_MOST_IN_A_SET[len(self.entries)], letters)) if letters > 1 else _MOST_STEPS
        sets, bounds = [], []
        for matrices, bound in set_sequence(self.contraction, start, min(most, _MOST_STEPS)):
            sets.append(np.array([self._place(X) for X in matrices]))
            bounds.append(as_float(bound) * (1 + _LEAST))
        steps = range(len(sets)) if len(self.entries) == 1 else _chosen(len(sets))
        return SequenceView(
            self.labels,
            start_text(start),
            tuple(steps),
            tuple(sets[k] for k in steps),
            tuple(bounds[k] for k in steps),
            _thinned(self._all()),
        )

    # -- caption --------------------------------------------------------------------------------------------------

    def caption(self) -> str:
        count = sum(len(part) for _, part in self.parts)
        text = (
            f"Proved: every point of J^pb is within r = {rounded_up(self.radius)} of one of the {count:,} points "
            "drawn, and each of these within r of J^pb."
        )
        if 1 < len(self.A) <= len(OKABE_ITO):
            text += " Colours: the part f_i(J^pb) that the last letter i gives."
        if not self.system.exact:
            text += " Some pairs were not proved active: J^pb is contained in the set drawn."
        return text


def _exactly(number: float) -> fmpq:
    return fmpq(*number.as_integer_ratio())


def _varying(spread: Any) -> tuple[Entry, ...]:
    """The first two entries that vary; where there is one entry only, that one."""
    everything = [(r, c) for r in range(spread.shape[0]) for c in range(spread.shape[1])]
    largest = float(spread.max())
    chosen = [entry for entry in everything if spread[entry] > _LEAST * largest][:2]
    return tuple(chosen or everything[:1])


def _chosen(count: int) -> list[int]:
    """Some of the steps 0, ..., count - 1: the first and the last, and between them ever farther apart."""
    if count <= _SHOWN_STEPS:
        return list(range(count))
    ratio = (count - 1) ** (1 / (_SHOWN_STEPS - 2))
    steps = [0, *(round(ratio**i) for i in range(_SHOWN_STEPS - 1))]
    for before, after in pairwise(range(len(steps))):
        steps[after] = max(steps[after], steps[before] + 1)
    return [min(step, count - 1) for step in steps]


def _thinned(points: Any) -> Any:
    every = max(1, len(points) // _LIMIT_POINTS)
    return points[::every]


def _hull_of(points: Any) -> Any:
    """The corners of the convex hull of points in the plane; the two ends where they lie on a line."""
    from scipy.spatial import ConvexHull, QhullError

    try:
        hull = ConvexHull(points)
        return points[hull.vertices]
    except QhullError:
        order = np.lexsort((points[:, 1], points[:, 0]))
        return points[order[[0, -1]]]

"""What pictures of the piggyback set are made of: views, before it is known how they are drawn."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

__all__ = ["AttractorView", "CobwebView", "LevelsView", "Mark", "SequenceView", "SetFigure"]


@dataclass(frozen=True)
class Mark:
    """A matrix that is marked, by the entries that are drawn.

    Attributes
    ----------
    label : str
    place : tuple of float
        One number for each entry drawn.
    role : str
        ``"inside"`` or ``"outside"``, of the piggyback set or of what the label names, as proved; ``"witness"`` for a
        matrix of the piggyback set that shows something; ``"implicit"`` for what implicit differentiation returns.
    """

    label: str
    place: tuple[float, ...]
    role: str


@dataclass(frozen=True)
class AttractorView:
    """Two entries of the matrices in the piggyback set.

    Attributes
    ----------
    labels : tuple of str
        The entries, across and up.
    parts : tuple of (str, n by 2 array)
        Names of the pairs, and the points of the images of the set under them.
    radius : float
        Every point of the set is within this distance of a point drawn.
    hull : n by 2 array
        The corners of the convex hull of the points.
    implicit : tuple of (str, pair of float)
        The points of the implicit set.
    curves : tuple of n by 2 arrays
        The implicit set of the hull between each two pairs; empty when it was not asked for.
    box : tuple of four floats, optional
        A box proved to contain the set: left, right, bottom, top.
    marks : tuple of Mark
    """

    kind: ClassVar[str] = "attractor"
    labels: tuple[str, str]
    parts: tuple[tuple[str, Any], ...]
    radius: float
    hull: Any
    implicit: tuple[tuple[str, tuple[float, ...]], ...]
    curves: tuple[Any, ...] = ()
    box: tuple[float, float, float, float] | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class LevelsView:
    """One entry of the matrices in the piggyback set: intervals that contain it, finer and finer, and its points.

    Attributes
    ----------
    label : str
        The entry.
    levels : tuple of tuples of (int, float, float)
        For k = 0, 1, ...: the last letter, the lower and the upper end of the hull of each image under k letters.
    parts : tuple of (str, array)
        Names of the pairs, and the points of the images of the set under them.
    radius : float
        Every point of the set is within this distance of a point drawn.
    hull : pair of (float, str)
        The ends of the smallest interval around the set, and how they are written.
    exact : bool
        Whether these are exact; otherwise they are those of the points, as are the levels.
    implicit : tuple of (str, one float)
        The points of the implicit set.
    implicit_hull : pair of float, optional
        The interval that is the implicit set of the hull.
    marks : tuple of Mark
    """

    kind: ClassVar[str] = "levels"
    label: str
    levels: tuple[tuple[tuple[int, float, float], ...], ...]
    parts: tuple[tuple[str, Any], ...]
    radius: float
    hull: tuple[tuple[float, str], tuple[float, str]]
    exact: bool
    implicit: tuple[tuple[str, tuple[float, ...]], ...]
    implicit_hull: tuple[float, float] | None = None
    marks: tuple[Mark, ...] = ()


@dataclass(frozen=True)
class SequenceView:
    """The sets of all J_k that k steps can give, closing on the piggyback set.

    Attributes
    ----------
    labels : tuple of str
        The entries drawn: one or two.
    start : str
        What the sets start from.
    steps : tuple of int
    sets : tuple of arrays
        For each of the steps the points of the set: n by the number of entries.
    bounds : tuple of float
        For each of the steps a proved bound on the distance between the set and the piggyback set.
    limit : array
        Points of the piggyback set, n by the number of entries.
    """

    kind: ClassVar[str] = "sequence"
    labels: tuple[str, ...]
    start: str
    steps: tuple[int, ...]
    sets: tuple[Any, ...]
    bounds: tuple[float, ...]
    limit: Any


@dataclass(frozen=True)
class CobwebView:
    """The graphs of scalar maps ``x -> a x + b``, the diagonal, and what some steps make of a number.

    Attributes
    ----------
    label : str
        The entry.
    maps : tuple of (str, float, float)
        Name, slope and constant of each map.
    hull : pair of float
        The smallest interval around the piggyback set.
    implicit : tuple of (str, one float)
        Where the graphs cross the diagonal.
    start : float
    paths : tuple of tuples of (int, float, float)
        For each step the letters with the numbers that they send to which.
    points : array
        Points of the piggyback set.
    """

    kind: ClassVar[str] = "cobweb"
    label: str
    maps: tuple[tuple[str, float, float], ...]
    hull: tuple[float, float]
    implicit: tuple[tuple[str, tuple[float, ...]], ...]
    start: float
    paths: tuple[tuple[tuple[int, float, float], ...], ...]
    points: Any


@dataclass(frozen=True)
class SetFigure:
    """A picture of the piggyback set: views below each other, and what is certain about them."""

    title: str
    views: tuple[Any, ...]
    caption: str = ""

"""What the picture of a map of parameter space shows: its cells, exact areas, and where the iterates converge."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp
from flint import fmpq

from piggycheck.arithmetic import rational
from piggycheck.linalg import as_float
from piggycheck.regions.pieces import Pieces
from piggycheck.regions.run import ParameterMap
from piggycheck.search.family import Family

__all__ = ["Area", "MapPicture", "convergent_region", "diverging_where_iterates_converge", "map_picture", "percent"]

Rectangle = tuple[float, float, float, float]
Point = tuple[fmpq, fmpq]

_TOLD = {
    "converges": "the derivatives converge, proved",
    "diverges": "a word of pieces diverges, proved",
    "unstable": "one piece is unstable on its own, proved",
    "undecided": "undecided",
}
_PAPER = ({fmpq(1), fmpq(1, 4)}, (fmpq(1), fmpq(3, 4)), "step 1, momentum 3/4: Bolte, Pauwels, Vaiter 2022")


@dataclass(frozen=True)
class Area:
    """The cells of one verdict, and what the legend says of them."""

    verdict: str
    label: str
    cells: tuple[Rectangle, ...]


@dataclass(frozen=True)
class MapPicture:
    """A picture of a map of parameter space, as `piggycheck.render.regions` draws it."""

    title: str
    xlabel: str
    ylabel: str
    window: Rectangle
    areas: tuple[Area, ...]
    regions: tuple[tuple[str, tuple[tuple[float, float], ...]], ...]
    marks: tuple[tuple[str, float, float], ...]


def percent(part: fmpq) -> str:
    """Write a part of 1 in percent, with two decimals, rounded down unless it is exact.

    Examples
    --------
    >>> percent(fmpq(1, 4)), percent(fmpq(2, 3)), percent(fmpq(1, 100000))
    ('25 %', '66.66… %', '0.00… %')
    """
    hundredths = part * 10000
    whole = int(hundredths.p) // int(hundredths.q)
    exact = whole == hundredths
    digits = f"{whole // 100}.{whole % 100:02d}"
    return f"{digits.rstrip('0').rstrip('.') if exact else digits + '…'} %"


def map_picture(family: Family, map_: ParameterMap) -> MapPicture:
    """Return what the picture of a map shows.

    Parameters
    ----------
    family : Family
    map_ : ParameterMap
        Of that family.
    """
    pieces = map_.pieces
    (a, b), (c, d) = pieces.box
    by_verdict: dict[str, list[Rectangle]] = {verdict: [] for verdict in map_.areas}
    for cell, evidence in map_.cells.items():
        (left, right), (bottom, top) = cell.bounds(pieces.box)
        by_verdict[evidence.verdict].append((as_float(left), as_float(right), as_float(bottom), as_float(top)))
    areas = tuple(
        Area(verdict, f"{_TOLD[verdict]}: {percent(area / pieces.area)} (area {area})", tuple(by_verdict[verdict]))
        for verdict, area in map_.areas.items()
        if area or verdict == "undecided"
    )
    known = convergent_region(family, map_.pieces)
    marks: tuple[tuple[str, float, float], ...] = ()
    regions: tuple[tuple[str, tuple[tuple[float, float], ...]], ...] = ()
    if known is not None:
        slopes, swapped = known
        corners = [(fmpq(0), fmpq(0)), (2 / max(slopes), fmpq(0)), (fmpq(0), fmpq(1))]
        label = f"the iterates converge: 0 ≤ momentum < 1, 0 < step < {2 / max(slopes)} (1 - momentum)"
        regions = ((label, tuple(_floats(_turned(corner, swapped)) for corner in corners)),)
        x, y = _turned(_PAPER[1], swapped)
        if slopes == _PAPER[0] and a <= x <= b and c <= y <= d:
            marks = ((_PAPER[2], *_floats((x, y))),)
    xlabel, ylabel = map(str, pieces.axes)
    window = (as_float(a), as_float(b), as_float(c), as_float(d))
    return MapPicture(family.title, xlabel, ylabel, window, areas, regions, marks)


def diverging_where_iterates_converge(family: Family, map_: ParameterMap) -> fmpq | None:
    """Return the area of the cells that diverge and lie inside the region where the iterates are known to converge.

    Returns
    -------
    fmpq or None
        None when no such region is known.
    """
    known = convergent_region(family, map_.pieces)
    if known is None:
        return None
    slopes, swapped = known
    total = fmpq(0)
    for cell, evidence in map_.cells.items():
        (_, step), (_, momentum) = cell.bounds(map_.pieces.box)[:: -1 if swapped else 1]
        low = [ends[0] for ends in cell.bounds(map_.pieces.box)]
        if evidence.verdict == "diverges" and min(low) >= 0 and step * max(slopes) <= 2 * (1 - momentum):
            total += cell.share * map_.pieces.area
    return total


def convergent_region(family: Family, pieces: Pieces) -> tuple[set[fmpq], bool] | None:
    """Return the slopes of f', when the iterates are known to converge for small steps, and whether momentum is first.

    Parameters
    ----------
    family : Family
    pieces : Pieces

    Returns
    -------
    (set of fmpq, bool) or None
        For the heavy ball in one variable on a function with one kink in its derivative, at the root of an affine
        guard, whose slopes are constant and positive, and the unknowns step and momentum: the iterates converge where
        the momentum is in [0, 1) and the step positive and below ``2 (1 - momentum) / L``, with the largest slope L.
        None for everything else.

    Notes
    -----
    Docs: theory/parameter-maps, "Where the iterates converge".
    """
    algorithm = family.table.get("algorithm", {})
    names = [str(v) for v in pieces.axes]
    if algorithm.get("name") != "heavy_ball" or sorted(names) != ["momentum", "step"] or len(pieces.map.state) != 2:
        return None
    if len(pieces.map.guards) != 1 or len(pieces.formulas) != 2:
        return None
    (guard,) = pieces.map.guards  # with a second root, the derivative may jump there
    if not all(sp.diff(guard, v).is_Rational for v in pieces.map.state):
        return None
    step, momentum = sorted(pieces.axes, key=str, reverse=True)
    slopes = set()
    for signature, _ in pieces.map.signatures(lambda guard, outcomes: (1, -1), interior=True):
        A = pieces.map.piece(signature).jacobian[:, :2]
        slope = sp.expand(-sp.diff(A[0, 0], step))
        expected = sp.Matrix([[1 + momentum - slope * step, -momentum], [1, 0]])  # the algorithm's step may be 2*step
        if not slope.is_Rational or (A - expected).applyfunc(sp.expand) != sp.zeros(2, 2):
            return None
        slopes.add(rational(slope))
    if min(slopes) <= 0:
        return None
    return slopes, names[0] == "momentum"


def _turned(point: Point, swapped: bool) -> Point:
    return (point[1], point[0]) if swapped else point


def _floats(point: Point) -> tuple[float, float]:
    return as_float(point[0]), as_float(point[1])

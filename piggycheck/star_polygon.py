"""Star-shaped polygons in the plane that a map, linear on cones, sends into their interior."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
from flint import fmpq

from piggycheck.errors import UnknownError
from piggycheck.linalg import as_float, float_rows
from piggycheck.transitions import ConewiseLinear, Row

__all__ = ["maps_inside", "star_polygon"]

_SIZES = (32, 64, 128, 256, 512)
_SAMPLES, _LONGEST, _FAR = 720, 400, 1e100
_DIRECTION, _CORNER = 2**7, 2**20
Images = Callable[[Any], Any]


def star_polygon(local: ConewiseLinear) -> tuple[Row, ...] | None:
    """Find a star-shaped polygon around 0 that a map of the plane sends into its interior.

    Parameters
    ----------
    local : ConewiseLinear
        With two coordinates; continuous, with cones that cover the plane.

    Returns
    -------
    tuple of Row, or None
        The corners, counterclockwise, with no kink between two that follow each other; None where none were found.

    Examples
    --------
    >>> from flint import fmpq_mat
    >>> from piggycheck.transitions import Cone
    >>> right, left = Cone((), ((fmpq(1), fmpq(0)),)), Cone((), ((fmpq(-1), fmpq(0)),))
    >>> A = fmpq_mat([[0, -3], [fmpq(1, 4), 0]]), fmpq_mat([[0, -3], [fmpq(1, 5), 0]])
    >>> len(star_polygon(ConewiseLinear(A, ((right,), (left,)))))
    32

    Notes
    -----
    Guessed as a level set of the largest of ``|F^k(x)| / rho^k``, and proved by `maps_inside`. Where all iterates
    converge there is one with enough corners.

    When this fails: iterates that take more than 400 steps to come closer, or need more than about 500 corners.
    """
    rows = [row for cones in local.cones for cone in cones for row in (*cone.equalities, *cone.inequalities)]
    kinks = list(dict.fromkeys((s * -row[1], s * row[0]) for row in rows if any(row) for s in (1, -1)))
    images = _images(local)
    length, rho = _contraction(images)
    for size in _SIZES if length else ():
        around = [(fmpq(round(_DIRECTION * x)), fmpq(round(_DIRECTION * y))) for x, y in _circle(size).T]
        corners = _level_set([*kinks, *around], images, length, rho)
        parted = any(_dot(row, corners[i - 1]) * _dot(row, corners[i]) < 0 for row in rows for i in range(len(corners)))
        if not parted and maps_inside(corners, [_image(local, corner) for corner in corners]):
            return corners
    return None


def maps_inside(corners: Sequence[Row], images: Sequence[Row]) -> bool:
    """Decide whether a map, linear on the cones between corners, sends the polygon between these into its interior.

    Parameters
    ----------
    corners, images : sequences of pairs
        Corners counterclockwise around 0, once around, and where they are sent.

    Examples
    --------
    >>> square = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    >>> maps_inside(square, [(0, fmpq(1, 2)), (-1, 0), (0, 0), (0, 0)])
    False

    Notes
    -----
    On the image of an edge, the factor by which the polygon has to be stretched to reach a point is linear between rays
    through corners. So it is below 1 on all of it, if it is at the ends and where such rays are crossed.
    """
    n = len(corners)
    turns = [_turn(corners[i - 1], corners[i]) for i in range(n)]
    if not (n > 2 and min(turns) > 0 and sum(corners[i - 1][1] < 0 <= corners[i][1] for i in range(n)) == 1):
        return False
    sides = [[_turn(v, w) for w in images] for v in corners]
    for i in range(n):
        sectors = [j for j in range(n) if sides[j - 1][i] >= 0 >= sides[j][i]]
        if not sectors or not all(sides[j - 1][i] - sides[j][i] < turns[j] for j in sectors):
            return False
    for v, side in zip(corners, sides, strict=True):
        for i in range(n):
            a, b = abs(side[i]), abs(side[i - 1])
            if side[i - 1] * side[i] < 0 and a * _dot(images[i - 1], v) + b * _dot(images[i], v) >= (a + b) * _dot(
                v, v
            ):
                return False
    return True


def _turn(u: Row, v: Row) -> fmpq:
    return u[0] * v[1] - u[1] * v[0]


def _dot(u: Row, v: Row) -> fmpq:
    return u[0] * v[0] + u[1] * v[1]


def _image(local: ConewiseLinear, d: Row) -> Row:
    """Where a displacement is sent; all letters in whose cones it is agree."""
    for A, cones in zip(local.A, local.cones, strict=True):
        for cone in cones:
            if all(_dot(row, d) == 0 for row in cone.equalities) and all(
                _dot(row, d) >= 0 for row in cone.inequalities
            ):
                return A[0, 0] * d[0] + A[0, 1] * d[1], A[1, 0] * d[0] + A[1, 1] * d[1]
    raise UnknownError("the cones of the pieces do not cover the plane")


def _images(local: ConewiseLinear) -> Images:
    """The map of many displacements, columns of floats."""
    parts = [
        (np.array(float_rows(A)), np.array([[as_float(c) for c in row] for row in cone.inequalities]).reshape(-1, 2))
        for A, cones in zip(local.A, local.cones, strict=True)
        for cone in cones
        if not cone.equalities
    ]

    def images(points: Any) -> Any:
        found = np.zeros_like(points)
        for A, rows in parts:
            inside = (rows @ points >= 0).all(axis=0)
            found[:, inside] = A @ points[:, inside]
        return found

    return images


def _circle(size: int) -> Any:
    angles = 2 * math.pi * np.arange(size) / size
    return np.array([np.cos(angles), np.sin(angles)])


def _contraction(images: Images) -> tuple[int, float]:
    """After how many steps all of a circle seems to be shorter than 1/4, and what to divide by in each; or 0."""
    points = _circle(_SAMPLES)
    for length in range(1, _LONGEST):
        points = images(points)
        largest = float(np.hypot(*points).max())
        if largest < 0.25:
            return length, max(largest, 1e-9) ** (1 / (2 * length))
        if largest > _FAR:
            break
    return 0, 0.0


def _level_set(directions: Iterable[Row], images: Images, length: int, rho: float) -> tuple[Row, ...]:
    """The points of directions at which the largest of ``|F^k(x)| / rho^k`` is about 1, around 0; or none."""
    by_angle = {math.atan2(as_float(y), as_float(x)): (x, y) for x, y in directions}
    ordered = [by_angle[angle] for angle in sorted(by_angle)]
    points = np.array([[as_float(c) for c in d] for d in ordered]).T
    heights, factor = np.hypot(*points), 1.0
    for _ in range(length - 1):
        points, factor = images(points), factor * rho
        heights = np.maximum(heights, np.hypot(*points) / factor)
        if heights.max() > _FAR:
            return ()
    return tuple((round(_CORNER / h) * x, round(_CORNER / h) * y) for h, (x, y) in zip(heights, ordered, strict=True))

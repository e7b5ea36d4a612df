"""Polygons that all matrices of a set in the plane map into their interior: the joint spectral radius is below 1.

What is proved of finitely many matrices holds for their convex hull, because a polygon is convex.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flint import fmpq_mat
from numpy.typing import NDArray

__all__ = ["contains_images", "guess_polygon", "is_polygon", "maps_inside"]

Vertex = tuple[int, int]
Array = NDArray[np.float64]

_SLACK = 5e-4
_LARGEST = 1e3
_ROUNDS = 60
_MOST_VERTICES = 240
_UNITS = 2**18


def is_polygon(vertices: Sequence[Vertex]) -> bool:
    """Decide whether vertices, and their negatives after them, are those of a strictly convex polygon, in order.

    Parameters
    ----------
    vertices : sequence of pairs of integers
        Half of them, counterclockwise.

    Examples
    --------
    >>> is_polygon([(1, 0), (0, 1)]), is_polygon([(1, 0), (-1, 1), (0, 1)])
    (True, False)
    """
    if len(vertices) < 2 or any(_cross(vertices[0], v) <= 0 for v in vertices[1:]):
        return False
    around = [*vertices, *((-x, -y) for x, y in vertices[:2])]
    return all(
        _cross(u, v) > 0 and _cross((v[0] - u[0], v[1] - u[1]), (w[0] - v[0], w[1] - v[1])) > 0
        for u, v, w in zip(around, around[1:], around[2:], strict=False)
    )


def contains_images(vertices: Sequence[Vertex], matrices: Sequence[fmpq_mat]) -> bool:
    """Prove that every matrix maps a polygon into its interior.

    Parameters
    ----------
    vertices : sequence of pairs of integers
        As in `is_polygon`.
    matrices : sequence of fmpq_mat
        Of two rows and columns.

    Returns
    -------
    bool
        True is a theorem, and so is False.

    Examples
    --------
    >>> square, turn = [(1, 1), (-1, 1)], fmpq_mat([[0, 1], [-1, 0]])
    >>> contains_images(square, [turn / 2]), contains_images(square, [turn])
    (True, False)

    Notes
    -----
    Between the lines through u, v and through -u, -v are the x with ``|det(v - u, x)| <= det(u, v)``.
    """
    if not is_polygon(vertices):
        return False
    nexts = [*vertices[1:], (-vertices[0][0], -vertices[0][1])]
    edges = [(v[0] - u[0], v[1] - u[1], _cross(u, v)) for u, v in zip(vertices, nexts, strict=True)]
    for M in matrices:
        A, d = M.numer_denom()
        (a, b), (c, e) = ((int(A[i, 0]), int(A[i, 1])) for i in (0, 1))
        reach = [(p, q, int(d) * distance) for p, q, distance in edges]
        for x, y in vertices:
            image_x, image_y = a * x + b * y, c * x + e * y
            for p, q, distance in reach:
                if not -distance < p * image_y - q * image_x < distance:
                    return False
    return True


def guess_polygon(matrices: Array) -> list[Vertex] | None:
    """Guess a polygon that matrices map into its interior, in floating point.

    Parameters
    ----------
    matrices : array, k by 2 by 2

    Returns
    -------
    list of pairs of integers, or None
        None when the polygon grows, or has very many vertices.

    Examples
    --------
    >>> guess_polygon(np.array([[[0.5, 0.0], [0.0, 0.5]]])) is not None
    True
    >>> guess_polygon(np.array([[[1.5, 0.0], [0.0, 0.5]]])) is None
    True

    Notes
    -----
    The hull of the images of two points, enlarged a little, along longer and longer words. When this fails: a joint
    spectral radius above 0.9995, or very near it.
    """
    enlarged = matrices / (1 - 2 * _SLACK)
    hull = fresh = _hull(np.eye(2))
    for _ in range(_ROUNDS):
        images = (enlarged @ fresh.T).transpose(0, 2, 1).reshape(-1, 2)
        outside = images[_gauge(hull, images) > 1 + _SLACK]
        if not len(outside):
            return _rounded(hull)
        if np.abs(outside).max() > _LARGEST:
            return None
        hull = _hull(np.concatenate([hull, outside]))
        if len(hull) > _MOST_VERTICES:
            return None
        known = {tuple(v) for v in outside.tolist()} | {tuple(v) for v in (-outside).tolist()}
        fresh = np.array([v for v in hull.tolist() if tuple(v) in known])
        if not len(fresh):
            return None
    return None


def maps_inside(vertices: Sequence[Vertex], matrices: Array) -> bool:
    """Guess whether matrices map a polygon into its interior.

    Examples
    --------
    >>> maps_inside([(1, 1), (-1, 1)], np.array([[[0.0, 0.5], [0.5, 0.0]]]))
    True
    """
    hull = np.array(vertices, dtype=np.float64)
    images = (matrices @ hull.T).transpose(0, 2, 1).reshape(-1, 2)
    return bool(_gauge(hull, images).max() < 1)


def _gauge(hull: Array, points: Array) -> Array:
    """The factor by which the polygon has to be enlarged to hold each point."""
    nexts = np.concatenate([hull[1:], -hull[:1]])
    edges = nexts - hull
    distances = hull[:, 0] * nexts[:, 1] - hull[:, 1] * nexts[:, 0]
    crossed = np.abs(np.outer(points[:, 1], edges[:, 0]) - np.outer(points[:, 0], edges[:, 1]))
    found: Array = (crossed / distances).max(axis=1)
    return found


def _hull(points: Array) -> Array:
    """Half of the vertices of the hull of points and their negatives, counterclockwise."""
    flipped = (points[:, 1] < 0) | ((points[:, 1] == 0) & (points[:, 0] < 0))
    upper = np.where(flipped[:, None], -points, points)
    everything = sorted(set(map(tuple, np.concatenate([upper, -upper]).tolist())))
    chain: list[tuple[float, float]] = []
    for x, y in everything:  # the lower chain, from the leftmost point to the rightmost, which is its negative
        while len(chain) > 1:
            (a, b), (c, d) = chain[-2], chain[-1]
            if (c - a) * (y - d) - (d - b) * (x - c) > 1e-12 * (abs(c) + abs(d)) * (abs(x) + abs(y)):
                break
            chain.pop()
        chain.append((x, y))
    return np.array(chain[:-1])


def _rounded(hull: Array) -> list[Vertex]:
    scale = _UNITS / np.abs(hull).max()
    return [(int(x), int(y)) for x, y in _hull(np.rint(hull * scale)).tolist()]  # rounding may leave dents


def _cross(u: Vertex, v: Vertex) -> int:
    return u[0] * v[1] - u[1] * v[0]

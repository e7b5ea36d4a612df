"""Boxes of a grid that a contracting system maps into each other: an approximation of sets whose words overlap.

Maps g_u of a complete code with norms at most t < 1 are followed from box to box: whenever the middle of a box is
filled, so are the boxes in which its images lie. An image is at most half a diagonal h from the middle of its box, so
the set of middles S satisfies ``d(S, union of g_u(S)) <= h``, and its Hausdorff distance to the attractor of the maps
is at most ``h / (1 - t)``. Every box is visited once, however many words lead to it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from piggycheck.limits.euclidean import EuclideanSystem, norms_above, row_norms_above
from piggycheck.limits.scaled import Array

__all__ = ["Boxes", "fill_boxes"]

_MOST_GRID_CELLS = 250_000_000
_MOST_MAPS = 2_000
_LONGEST_WORD = 1_000
_CONTRACTIONS = (0.8, 0.7, 0.6, 0.5, 0.4, 0.3)
_CHUNK = 20_000
_BOX_IN_MAPS = 10
_MOST_IMAGES = 300_000_000
_UPWARDS = 1 + 1e-12

Indices = NDArray[np.int64]


@dataclass(frozen=True)
class Boxes:
    """Filled boxes, and the Hausdorff distance of their middles to the piggyback set.

    Parameters
    ----------
    maps : EuclideanSystem
    grid : _Grid
    filled : array of int
    spread : float
        The distance in the coordinates of the maps.
    """

    maps: EuclideanSystem
    grid: _Grid
    filled: Indices
    spread: float

    @property
    def count(self) -> int:
        return len(self.filled)

    @property
    def radius(self) -> float:
        """The distance in the Frobenius norm."""
        return (self.maps.back_norm * self.spread + self.maps.original_error()) * _UPWARDS

    def entry_radius(self) -> Array:
        """The distance for each entry alone."""
        rows = row_norms_above(self.maps.back)
        bound = np.minimum(rows * self.spread + self.maps.original_error(), self.radius)
        return np.repeat(bound[:, None], self.maps.b.shape[2], axis=1)

    def points(self) -> Array:
        return self.maps.original(self.grid.middles(self.filled).reshape(-1, *self.maps.b.shape[1:]))


def fill_boxes(maps: EuclideanSystem, points: Array, radius: float, target: float, budget: int) -> Iterator[Boxes]:
    """Yield approximations of smaller and smaller radius, down to the wanted one or until the budget ends.

    Parameters
    ----------
    maps : EuclideanSystem
    points : array
        Points X whose Hausdorff distance to the piggyback set is at most `radius`.
    radius, target : float
    budget : int
        How many boxes may be filled. It also ends when there would be too many images of boxes.
    """
    Z = np.linalg.solve(maps.back, points - maps.centre).reshape(len(points), -1)
    margin = radius * float(np.linalg.norm(np.linalg.inv(maps.back), 2)) * 1.01
    low, high = Z.min(axis=0) - margin, Z.max(axis=0) + margin
    dimension = Z.shape[1]
    aims = [target * (1 - 1e-9)]
    while aims[-1] * 2 < radius:
        aims.append(aims[-1] * 2)
    last, growth = 0, 2.0 ** min(dimension, 2)
    codes = [code for t in _CONTRACTIONS if (code := _code(maps, t)) is not None]
    for aim in reversed(aims):
        spread = (aim / _UPWARDS - maps.original_error()) / maps.back_norm
        options = [code for code in codes if code.side(spread, dimension) > 0]
        if not options or last * growth > 1.2 * budget:
            return
        code = min(options, key=lambda code: code.cost(spread, dimension))
        if last * growth * len(code.M) > _MOST_IMAGES:
            return
        grid = _Grid.over(low - 2 * spread, high + 2 * spread, code.side(spread, dimension))
        if grid is None:
            return
        filled = _fill(code, grid, budget)
        if filled is None:
            return
        growth = max(len(filled) / last, 1.0) if last else growth
        last = len(filled)
        boxes = Boxes(maps, grid, filled, code.spread(grid.side, dimension))
        middles = grid.middles(filled)
        low, high = middles.min(axis=0) - 1.01 * boxes.spread, middles.max(axis=0) + 1.01 * boxes.spread
        yield boxes


@dataclass(frozen=True)
class _Code:
    """Words of a complete code as maps, with a common bound t on their norms and one on rounding."""

    M: Array
    b: Array
    contraction: float
    error: float

    @property
    def pairs(self) -> list[tuple[Array, Array]]:
        return list(zip(self.M, self.b, strict=True))

    def side(self, spread: float, dimension: int) -> float:
        """The side of boxes for which the distance is at most `spread`."""
        return 2 * (spread / _UPWARDS * (1 - self.contraction) - self.error) / math.sqrt(dimension) / _UPWARDS

    def cost(self, spread: float, dimension: int) -> float:
        """How long filling takes: boxes times maps, and something for each box."""
        return (len(self.M) + _BOX_IN_MAPS) * self.side(spread, dimension) ** -min(dimension, 2)

    def spread(self, side: float, dimension: int) -> float:
        return (side * math.sqrt(dimension) / 2 * _UPWARDS + self.error) / (1 - self.contraction) * _UPWARDS


def _code(maps: EuclideanSystem, contraction: float) -> _Code | None:
    """A complete code all of whose products have at most this norm; None when that takes too many words."""
    p, m = maps.b.shape[1:]
    M, b = maps.M, maps.b
    depth = 1
    while True:
        sizes = norms_above(M) + maps.matrix_error
        long = sizes > contraction
        if not long.any():
            break
        depth += 1
        new_M = (M[long][:, None] @ maps.M[None]).reshape(-1, p, p)
        new_b = (M[long][:, None] @ maps.b[None] + b[long][:, None]).reshape(-1, p, m)
        M, b = np.concatenate([M[~long], new_M]), np.concatenate([b[~long], new_b])
        if len(M) > _MOST_MAPS or depth > _LONGEST_WORD:
            return None
    error = (maps.map_error(depth) + (maps.matrix_error + 2 * maps.rounding) * 4 * maps.radius) * _UPWARDS
    return _Code(M, b, float(sizes.max()) * _UPWARDS, error)


@dataclass(frozen=True)
class _Grid:
    """Boxes of one side, numbered."""

    low: Array
    side: float
    counts: tuple[int, ...]

    @classmethod
    def over(cls, low: Array, high: Array, side: float) -> _Grid | None:
        sides = (high - low) / side
        if not (sides <= _MOST_GRID_CELLS).all():
            return None
        counts = tuple(math.ceil(c) + 3 for c in sides)
        return cls(low - side, side, counts) if math.prod(counts) <= _MOST_GRID_CELLS else None

    def middles(self, numbers: Indices) -> Array:
        """The middles of boxes, one in each row."""
        found: Array = self.low + (self.places(numbers).T + 0.5) * self.side
        return found

    def places(self, numbers: Indices) -> Indices:
        """The places of boxes along each side, one box in each column."""
        return np.array(np.unravel_index(numbers, self.counts))

    def numbers(self, places: Array) -> Indices:
        """The boxes in which points lie, given in sides from the corner, one in each column."""
        found: Indices = places[0].astype(np.int64)
        for row, count in zip(places[1:], self.counts[1:], strict=True):
            found *= count
            found += row.astype(np.int64)
        return found


def _fill(code: _Code, grid: _Grid, budget: int) -> Indices | None:
    """The boxes reached from a point of the attractor; None when they are too many.

    All boxes reached are as near to the attractor as the others, so that none of them is outside the grid.
    """
    p, m = code.b.shape[1:]
    corner = grid.low.reshape(p, m)
    offsets = [(M @ corner + b - corner) / grid.side + 0.5 * M.sum(axis=1, keepdims=True) for M, b in code.pairs]
    filled = np.zeros(math.prod(grid.counts), dtype=bool)
    start = np.linalg.solve(np.eye(p) - code.M[0], code.b[0])
    frontier = grid.numbers(((start - corner) / grid.side).reshape(p * m, 1))
    filled[frontier] = True
    count = 1
    while len(frontier):
        found = []
        for first in range(0, len(frontier), _CHUNK):
            places = grid.places(frontier[first : first + _CHUNK]).astype(np.float64).reshape(p, -1)
            for (M, _), offset in zip(code.pairs, offsets, strict=True):
                moved = (M @ places).reshape(p, m, -1) + offset[:, :, None]
                assert moved.min() >= 0 and (moved.max(axis=2).ravel() < grid.counts).all()
                numbers = grid.numbers(moved.reshape(p * m, -1))
                new = numbers[~filled[numbers]]
                if len(new):
                    filled[new] = True
                    found.append(new)
        frontier = np.unique(np.concatenate(found)) if found else np.zeros(0, dtype=np.int64)
        count += len(frontier)
        if count > budget:
            return None
    return np.flatnonzero(filled)

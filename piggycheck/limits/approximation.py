"""Finitely many points whose Hausdorff distance to the piggyback set is bounded, from both sides and for the floats.

Each word u of a complete suffix code gives a cell, ``f_u(K)``, and one point of it or near it. Cells are split, the
largest first, until all are small. Where the cells overlap so much that there are too many of them, points that fall
into one box of a grid are put together instead: see `piggycheck.limits.boxes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from flint import fmpq_mat

from piggycheck.errors import InputError
from piggycheck.limits.boxes import Boxes, fill_boxes
from piggycheck.limits.contraction import Contraction, as_contraction, inner_product, matrix_of_set
from piggycheck.limits.euclidean import EuclideanSystem, euclidean, norms_above, row_norms_above
from piggycheck.limits.scaled import Array, floats
from piggycheck.linalg import Matrix, Number, as_float, rational, root_upper
from piggycheck.switched import SwitchedSystem

__all__ = ["Approximation", "approximate"]

_BUDGET = 8_000_000
_FIRST_CELLS = 50_000
_MANY_CELLS = 1_500_000
_MOST_CELLS = 2_000_000
_KEY_BITS = 40
_UPWARDS, _DOWNWARDS = 1 + 1e-12, 1 - 1e-12

Progress = Callable[[int, float], None]
"""Called with the number of points and the radius reached."""


@dataclass(frozen=True)
class Approximation:
    """Points near the piggyback set, and how near.

    Parameters
    ----------
    points : array
        n by p by m.
    radius : float
        An upper bound on the Hausdorff distance between the points and the set, in the Frobenius norm: every point of
        the set has one of these within the radius, and every one of these a point of the set. Rounding is included.
    entry_radius : array
        The same for each entry alone, p by m.
    reached : bool
        Whether the radius is the wanted one or less.
    boxes : bool
        Whether the points are middles of boxes of a grid; otherwise they are images of the start under words.
    """

    points: Array
    radius: float
    entry_radius: Array
    reached: bool
    boxes: bool = False


def approximate(
    system: SwitchedSystem | Contraction,
    radius: Number,
    *,
    start: Matrix | None = None,
    budget: int = _BUDGET,
    progress: Progress | None = None,
) -> Approximation:
    """Approximate the piggyback set by finitely many points, with a proved Hausdorff distance.

    Parameters
    ----------
    system : SwitchedSystem or Contraction
    radius : exact number or text
        The wanted Hausdorff distance in the Frobenius norm; positive.
    start : fmpq_mat or its rows, optional
        Where the words start: any matrix, p by m. By default the centre of the ball of the contraction.
    budget : int
        How many points there may be.
    progress : callable, optional
        Called now and then with the number of points and the distance reached.

    Returns
    -------
    Approximation
        When the budget ends before, or the computation is interrupted from the keyboard, what was reached.

    Raises
    ------
    InputError
        When the radius is not positive or the start has another shape than the matrices B.
    NoLimitSetError
        When the joint spectral radius is at least 1.
    UnknownError
        When the system was not proved to contract.

    Examples
    --------
    >>> cantor = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
    >>> found = approximate(cantor, "1/50")
    >>> len(found.points), round(found.radius, 4), found.reached
    (8, 0.0185, True)

    Notes
    -----
    Docs: docs/theory/limit-sets.md. When this fails: sets with interior, or in many dimensions, need about the power
    ``-d`` of the radius points, where d is their dimension.
    """
    wanted = rational(radius, "`radius`")
    if wanted <= 0:
        raise InputError(f"`radius` is {wanted}; write a positive number")
    contraction = as_contraction(system)
    first = None if start is None else matrix_of_set(start, contraction.system, "start")
    target = as_float(wanted) * _DOWNWARDS
    if target == 0:
        raise InputError("`radius` is too small for floats; write a larger number")
    maps = euclidean(contraction)
    cells = _Cells(maps, first)
    boxes: Boxes | None = None
    try:
        cells.refine(target, min(budget, _FIRST_CELLS), progress)
        if cells.radius > target and cells.expected(target) <= min(budget, _MANY_CELLS):
            cells.refine(target, budget, progress)
        if cells.radius > target:
            for boxes in fill_boxes(maps, cells.points(), cells.radius, target, budget):
                if progress is not None:
                    progress(boxes.count, boxes.radius)
            if boxes is None:
                cells.refine(target, min(budget, _MOST_CELLS), progress)
    except KeyboardInterrupt:
        pass
    if boxes is not None and boxes.radius < cells.radius:
        return Approximation(boxes.points(), boxes.radius, boxes.entry_radius(), boxes.radius <= target, boxes=True)
    return Approximation(cells.points(), cells.radius, cells.entry_radius(), cells.radius <= target)


class _Cells:
    """The cells of a complete suffix code: products and images of zero, in floats, of its words."""

    def __init__(self, maps: EuclideanSystem, start: fmpq_mat | None) -> None:
        self.maps = maps
        p, m = maps.b.shape[1:]
        self.M, self.b, self.depth = np.eye(p)[None], np.zeros((1, p, m)), 0
        self.start, self.away, self.start_error = np.zeros((p, m)), 0.0, 0.0
        if start is not None:
            exact = maps.exact_back.inv() * (start - maps.contraction.centre)
            self.away = as_float(root_upper(inner_product(exact, exact), 2)) * _UPWARDS
            self.start = floats([exact])[0]
            if not (np.isfinite(self.away) and np.isfinite(self.start).all()):
                raise InputError("`start` is too large for floats; write smaller numbers")
            self.start_error = self.away * (maps.matrix_error + 2 * maps.rounding)
        self.merging = True
        self.merged = 0.0
        self.sizes = self._sizes(self.M)

    def _sizes(self, M: Array) -> Array:
        """Bounds on how far the points of a cell are from the one that stands for it, without rounding of the point."""
        maps = self.maps
        longest = norms_above(maps.back @ M) + maps.back_norm * (maps.matrix_error + maps.rounding)
        return np.asarray(longest * (maps.radius + self.away) * _UPWARDS)

    def _rounding(self) -> float:
        maps = self.maps
        moved = maps.map_error(self.depth) + self.start_error + self.merged
        outside = self.away * maps.back_norm * maps.rounding
        return (maps.back_norm * moved + maps.original_error() + outside) * _UPWARDS

    @property
    def radius(self) -> float:
        return float(self.sizes.max()) + self._rounding()

    def expected(self, target: float) -> float:
        """About how many cells there are when all have the wanted size: the dimension is that of the norms."""
        low, high = 0.0, 64.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if (self.maps.norms**middle).sum() > 1 else (low, middle)
        with np.errstate(over="ignore"):
            return float(len(self.M) * np.float64(max(self.radius / target, 1.0)) ** high)

    def refine(self, target: float, budget: int, progress: Progress | None) -> None:
        """Split cells until all have the wanted size or there are as many as the budget allows."""
        k = len(self.maps.M)
        while True:
            wanted = (target - self._rounding()) * _DOWNWARDS
            largest = float(self.sizes.max())
            room = (budget - len(self.M)) // max(k - 1, 1)
            if largest <= wanted or room < 1 or (wanted <= 0 and largest < 1e3 * self._rounding()):
                return
            chosen = np.flatnonzero(self.sizes > max(wanted, 0.6 * largest))
            if len(chosen) > room:
                chosen = chosen[np.argsort(-self.sizes[chosen], kind="stable")[:room]]
            self._split(chosen)
            if progress is not None:
                progress(len(self.M), self.radius)

    def _split(self, chosen: np.ndarray) -> None:
        maps, (p, m) = self.maps, self.maps.b.shape[1:]
        M, b = self.M[chosen], self.b[chosen]
        count = len(chosen) * len(maps.M)
        new_M = (M[:, None] @ maps.M[None]).reshape(count, p, p)
        new_b = (M[:, None] @ maps.b[None] + b[:, None]).reshape(count, p, m)
        kept = np.ones(len(self.M), dtype=bool)
        kept[chosen] = False
        sizes = self._sizes(new_M)
        self.M, self.b = np.concatenate([self.M[kept], new_M]), np.concatenate([self.b[kept], new_b])
        self.sizes = np.concatenate([self.sizes[kept], sizes])
        self.depth += 1
        if self.merging:
            self._merge()

    def _merge(self) -> None:
        """Put maps together that differ by nothing that floats would show."""
        maps, count, (p, m) = self.maps, len(self.M), self.maps.b.shape[1:]
        size = maps.radius or 1.0
        flat = np.concatenate([self.M.reshape(count, p * p), self.b.reshape(count, p * m) / size], axis=1)
        keys = np.rint(flat * 2.0**_KEY_BITS).astype(np.int64)
        first = np.unique(keys, axis=0, return_index=True)[1]
        if len(first) < count:
            first = np.sort(first)
            self.M, self.b, self.sizes = self.M[first], self.b[first], self.sizes[first]
            self.merged += 2.0**-_KEY_BITS * flat.shape[1] * (maps.radius + self.away + size) * _UPWARDS
        elif count > 2000:
            self.merging = False

    def points(self) -> Array:
        return self.maps.original(self.M @ self.start + self.b)

    def entry_radius(self) -> Array:
        maps, m = self.maps, self.maps.b.shape[2]
        rows = row_norms_above(maps.back @ self.M).max(axis=0)
        rows = rows + maps.back_norm * (maps.matrix_error + maps.rounding)
        bound = np.minimum(rows * (maps.radius + self.away) * _UPWARDS + self._rounding(), self.radius)
        return np.repeat(bound[:, None], m, axis=1)

"""Absolutely convex hulls that letters map into themselves, grown in floating point. Nothing here proves anything.

Real points and complex points are treated alike: the hull consists of ``sum_j c_j v_j`` with ``sum_j |c_j| <= 1``, and
the coefficients are real or complex like the points.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from piggycheck.stability.floats import Array, spectral_radii
from piggycheck.switched import Word

__all__ = ["Closure", "Indices", "Points", "basis_heights", "close_hull", "flat", "inverse", "size", "widest_basis"]

Points = NDArray[Any]
"""Rows are points, real or complex."""

Indices = NDArray[np.intp]

_TIE, _EXACT = 1e-9, 1e-12
_ASIDE, _GOLDEN = 1e-12, 0.6180339887498949
_LARGEST_GROWTH = 1e9
_DEFECT = 1e-8
_LEAST_DISTANCE = 1e-6
_SHORTEST_LIMIT, _LONGEST_WORD, _SUFFIX_ENTRIES = 12, 64, 10_000


@dataclass(frozen=True)
class Closure:
    """A hull that contains the images of its vertices.

    Attributes
    ----------
    vertices : array
        One point per row.
    origins : list of pairs
        ``(parent, letter)`` when the vertex is a multiple of the image of another one, or ``(-1, seed)``; a seed beyond
        those given was added because they did not span.
    index, phase : arrays
        For each letter and vertex, the vertices of a simplex whose cone contains the image, and numbers of modulus 1
        with which they are multiplied.
    """

    vertices: Points
    origins: list[tuple[int, int]]
    index: Indices
    phase: Points


def close_hull(
    letters: Array,
    radii: Array,
    seeds: Points,
    shrink: float,
    *,
    lead: float = 1.0,
    vertex_limit: int,
    deadline: float,
) -> Closure | Word | None:
    """Add images of points to the seeds until every image of a point lies in ``1 - shrink`` times their hull.

    Parameters
    ----------
    letters, radii : arrays
        Stacks of matrices, divided by the rate: middles and radii of intervals.
    seeds : array
        Points to start from, one per row; they may be complex.
    shrink : float
        The room that is left around each image.
    lead : float
        The largest rate of a word that is known; a word of a larger rate is returned when one shows up.
    vertex_limit : int
        How many points there may be.
    deadline : float
        The moment, in `time.monotonic`, to give up.

    Returns
    -------
    Closure, Word or None

    Examples
    --------
    >>> letters = np.array([[[0.0, 0.5], [0.5, 0.0]], [[0.5, 0.0], [0.0, -0.5]]])
    >>> options = {"vertex_limit": 50, "deadline": time.monotonic() + 9}
    >>> close_hull(letters, 0 * letters, np.array([[1.0, 0.0]]), 0.1, **options).vertices.round(3).tolist()
    [[1.0, 0.0], [0.0, 0.556]]
    >>> close_hull(3 * letters, 0 * letters, np.array([[1.0, 0.0]]), 0.1, **options)
    (0,)

    Notes
    -----
    The image that sticks out farthest is added first. Without room to be left, images may lie outside by 1e-9. When
    this fails: some product has a spectral radius near 1 or above, so that the hull grows beyond the limits.
    """
    try:
        with np.errstate(all="ignore"):
            return _Growth(letters, radii, seeds, shrink, lead).run(vertex_limit, deadline)
    except np.linalg.LinAlgError:
        return None


def widest_basis(vertices: Points) -> list[int]:
    """Choose as many vertices as there are coordinates, spanning a large simplex.

    Examples
    --------
    >>> widest_basis(np.array([[1.0, 0.0], [1.0, 0.1], [0.0, 1.0]]))
    [2, 1]
    """
    rest = np.linalg.svd(vertices, full_matrices=False)[0]
    basis = []
    for _ in range(rest.shape[1]):
        lengths = np.abs(rest) ** 2 @ np.ones(rest.shape[1])
        basis.append(int(np.argmax(lengths)))
        direction = rest[basis[-1]] / np.sqrt(lengths[basis[-1]])
        rest = rest - np.outer(rest @ direction.conj(), direction)
    return basis


def basis_heights(vertices: Points, basis: list[int]) -> Array:
    """How many times the hull of the basis the unit vectors are, at most: sums over rows of the inverse.

    Examples
    --------
    >>> basis_heights(np.array([[2.0, 0.0], [2.0, 4.0]]), [0, 1]).tolist()
    [0.5, 0.5]
    """
    return np.asarray(size(inverse(vertices[basis])).sum(axis=1), dtype=np.float64)


def inverse(matrices: Points) -> Points:
    """Inverses; no numbers when some matrix is singular.

    Examples
    --------
    >>> inverse(np.array([[2.0]])).tolist(), inverse(np.array([[0.0]])).tolist()
    ([[0.5]], [[nan]])
    """
    try:
        return np.asarray(np.linalg.inv(matrices))
    except np.linalg.LinAlgError:
        return np.full_like(matrices, np.nan)


def size(points: Points) -> Array:
    """Absolute values; of complex numbers, those of the real and of the imaginary part together.

    Examples
    --------
    >>> size(np.array([-3.0, 3 - 4j])).tolist()
    [3.0, 7.0]
    """
    return np.asarray(np.abs(points.real) + np.abs(points.imag), dtype=np.float64)


def flat(points: Points) -> Array:
    """Real coordinates: for complex points, first the real parts and then the imaginary ones.

    Examples
    --------
    >>> flat(np.array([3 - 4j])).tolist()
    [3.0, -4.0]
    """
    return np.concatenate([points.real, points.imag], axis=-1) if np.iscomplexobj(points) else points


class _Rows:
    """Columns of one length that grow together."""

    def __init__(self, **columns: Points) -> None:
        self._columns, self.count = columns, 0

    def __getitem__(self, name: str) -> Any:
        return self._columns[name][: self.count]

    def append(self, **rows: Points) -> Indices:
        """Add rows and return their numbers; columns that are not given are zero."""
        end = self.count + len(next(iter(rows.values())))
        for name, column in self._columns.items():
            if end > len(column):
                room = np.zeros((2 * end - len(column), *column.shape[1:]), dtype=column.dtype)
                self._columns[name] = np.concatenate([column, room])
        added = np.arange(self.count, end)
        self.count = end
        for name, values in rows.items():
            self[name][added] = values
        return added


class _Growth:
    """The points, and for each image of a point a simplex that shows how far outside it lies (its gauge).

    The gauge is a linear program: the least sum of absolute values with which points combine to the image. Every choice
    of points that span is feasible for it, after changes of sign; so the simplex method starts from any simplex met
    before, and whatever it has when it stops is a valid representation. Complex coefficients are moduli times phases,
    of which the best one enters.
    """

    def __init__(self, letters: Array, radii: Array, seeds: Points, shrink: float, lead: float) -> None:
        self.letters, self.radii, self.shrink, self.lead = letters, radii, shrink, lead
        self.tolerance, self.precision = (shrink / 10, shrink / 20) if shrink else (_TIE, _EXACT)
        n, kind = letters.shape[-1], seeds.dtype
        self.width = 2 * n if np.iscomplexobj(seeds) else n
        self.aside = min(_ASIDE, self.tolerance / 100) * (1 + (_GOLDEN * np.arange(self.width)) % 1)
        self.points = _Rows(at=np.zeros((0, n), dtype=kind))
        self.origins: list[tuple[int, int]] = []
        self.suffixes: list[Array] = []
        self.longest = max(_SHORTEST_LIMIT, min(_LONGEST_WORD, _SUFFIX_ENTRIES // n**2))
        self.images = _Rows(
            at=np.zeros((0, n), dtype=kind),
            owner=np.zeros(0, dtype=np.intp),
            letter=np.zeros(0, dtype=np.intp),
            index=np.zeros((0, self.width), dtype=np.intp),
            phase=np.zeros((0, self.width), dtype=kind),
            inverse=np.zeros((0, self.width, self.width)),
            facet=np.zeros((0, n), dtype=kind),
            gauge=np.zeros(0),
            target=np.zeros(0),
        )
        for number, seed in enumerate(seeds):
            self._add_point(seed, (-1, number))
        self._span()
        start, phases = widest_basis(self.points["at"]), [1] if self.width == n else [1, 1j]
        self.start = np.tile(start, len(phases)), np.repeat(phases, n)
        for number in range(self.points.count):
            self._add_images(number)

    def run(self, vertex_limit: int, deadline: float) -> Closure | Word | None:
        """Grow until the hull is closed; a better word when one shows up; None when a limit is reached."""
        while True:
            gap = self.images["gauge"] - self.images["target"]
            row = int(np.argmax(gap))
            if not np.isfinite(gap[row]):
                return None
            if gap[row] > self.tolerance:
                self._insert(row)
                if self.points.count > vertex_limit or time.monotonic() > deadline:
                    return None
                length, expands = self._longest_growth()
                if length or expands:
                    return self._word(length) if length else None
            elif not self._leave_room():
                return self._closure()

    def _add_point(self, point: Points, origin: tuple[int, int], target: float = 1.0) -> None:
        self.points.append(at=point[None])
        self.origins.append(origin)
        parent, letter = origin
        if parent < 0:
            self.suffixes.append(np.zeros((0, *self.letters.shape[1:])))
        else:
            matrix = self.letters[letter] / target
            self.suffixes.append(np.concatenate([matrix[None], matrix @ self.suffixes[parent][: self.longest - 1]]))

    def _longest_growth(self) -> tuple[int, bool]:
        """How many letters before the newest point form a word of larger rate than known; whether points expand."""
        points = size(self.points["at"])
        expands = bool(points[-1].max() > _LARGEST_GROWTH * points[0].max())
        suffixes = self.suffixes[-1]
        if not len(suffixes):
            return 0, expands
        radii = spectral_radii(suffixes)
        rates = radii ** (1 / np.arange(1, len(radii) + 1)) * (1 - self.shrink)
        best = int(np.argmax(rates))
        is_better = rates[best] > self.lead * (1 + max(self.shrink, _DEFECT))
        return best + 1 if is_better else 0, expands or bool(radii.max() > 1 + _DEFECT)

    def _word(self, length: int) -> Word:
        """The last letters that led to the newest point."""
        word: list[int] = []
        number = self.points.count - 1
        while len(word) < length:
            number, letter = self.origins[number]
            word.append(letter)
        return tuple(reversed(word))

    def _span(self) -> None:
        """Add points until they span: images first, then conjugates, then multiples of unit vectors."""
        n = self.letters.shape[-1]
        known = np.zeros((0, n), dtype=self.points["at"].dtype)
        given = self.points.count
        for point in self.points["at"]:
            known = _orthonormal(known, point)
        number = 0
        while len(known) < n and number < self.points.count:
            for letter, matrix in enumerate(self.letters):
                image = matrix @ self.points["at"][number] / (1 - self.shrink)
                larger = _orthonormal(known, image)
                if len(larger) > len(known):
                    self._add_point(image, (number, letter), 1 - self.shrink)
                known = larger
            number += 1
        scale = 2.0 ** np.floor(np.log2(size(self.points["at"]).max(initial=2.0**-60))) / 16 if given else 1.0
        for extra in [*np.conj(self.points["at"][:given]), *(scale * np.eye(n))]:
            larger = _orthonormal(known, extra)
            if len(larger) > len(known):
                self._add_point(extra, (-1, given))
                given += 1
            known = larger

    def _add_images(self, number: int) -> None:
        """Add the images of a point, each with the best simplex met so far, and improve it."""
        at = self.letters @ self.points["at"][number]
        count = len(at)
        if self.images.count:
            weights = np.abs(np.einsum("mk,eka->mea", flat(at), self.images["inverse"])).sum(axis=-1)
            best = np.argmin(weights, axis=1)
            index, phase = self.images["index"][best], self.images["phase"][best]
        else:
            index, phase = (np.tile(row, (count, 1)) for row in self.start)
        rows = self.images.append(
            at=at,
            owner=np.full(count, number),
            letter=np.arange(count),
            index=index,
            phase=phase,
            target=np.full(count, 1 - self.shrink),
        )
        self._improve(rows)

    def _improve(self, rows: Indices, enough: bool = True) -> None:
        """Pivot until the simplices are best, or show that the images lie deep enough inside."""
        images, vertices = self.images, self.points["at"]
        at = flat(images["at"][rows])
        last = 10 + 6 * self.width
        for step in range(last + 1):
            corners, inverse = self._corners(rows)
            weights = (at[:, None] @ inverse)[:, 0]
            sign = np.where(weights < 0, -1.0, 1.0)
            weights, inverse = weights * sign, inverse * sign[:, None]
            if not step:
                # Images often lie on faces; moving them aside keeps the simplex method from cycling.
                jitter = weights.max(axis=1, keepdims=True) * self.aside
                weights = weights + jitter
                at = at + ((jitter * sign)[:, None] @ corners)[:, 0]
            normals = inverse.sum(axis=2)
            n = vertices.shape[1]
            facet = normals[:, :n] + 1j * normals[:, n:] if self.width > n else normals
            images["phase"][rows] *= sign
            images["inverse"][rows], images["facet"][rows] = inverse, facet
            images["gauge"][rows] = weights.sum(axis=1)
            heights = facet.conj() @ vertices.T
            entering = np.argmax(np.abs(heights), axis=1)
            height = heights[np.arange(len(rows)), entering]
            going = np.abs(height) > 1 + self.precision
            if enough:
                going &= images["gauge"][rows] > images["target"][rows]
            if step == last or not going.any():
                return
            rows, at, entering, height = rows[going], at[going], entering[going], height[going]
            phase = height.conj() / np.abs(height)
            direction = (flat(phase[:, None] * vertices[entering])[:, None] @ inverse[going])[:, 0]
            positive = direction > 1e-11
            ratios = np.where(positive, weights[going] / np.where(positive, direction, 1), np.inf)
            leaving = np.argmin(ratios, axis=1)
            images["index"][rows, leaving] = entering
            images["phase"][rows, leaving] = phase

    def _corners(self, rows: Indices) -> tuple[Array, Array]:
        """The corners of the simplices, as real rows, and the inverses; all start again when one simplex is flat."""
        images, vertices = self.images, self.points["at"]
        corners = flat(images["phase"][rows][..., None] * vertices[images["index"][rows]])
        try:
            inverses: Array = np.linalg.inv(corners).astype(np.float64)
        except np.linalg.LinAlgError:
            images["index"][rows], images["phase"][rows] = self.start
            corners = flat(images["phase"][rows][..., None] * vertices[images["index"][rows]])
            inverses = np.linalg.inv(corners).astype(np.float64)
        return corners, inverses

    def _insert(self, row: int) -> None:
        """Make a vertex of an image, scaled so that the image lies deep enough inside."""
        images = self.images
        origin, target = (int(images["owner"][row]), int(images["letter"][row])), float(images["target"][row])
        self._add_point(images["at"][row] / target, origin, target)
        outside = images["gauge"] - images["target"] > self.tolerance
        beyond = np.abs(images["facet"].conj() @ self.points["at"][-1]) > 1
        self._improve(np.flatnonzero(outside & beyond))
        self._add_images(self.points.count - 1)

    def _leave_room(self) -> bool:
        """Find the best simplices, and ask for the room that the radii need; whether any image lacks it now."""
        images, vertices = self.images, self.points["at"]
        self._improve(np.arange(images.count), enough=False)
        if not self.radii.any():
            return False
        heights = basis_heights(vertices, widest_basis(vertices))
        spread = np.einsum("mij,pj->mpi", self.radii, size(vertices)) @ heights
        images["target"][:] = 1 - self.shrink - spread[images["letter"], images["owner"]]
        if images["target"].min() <= 0:
            images["gauge"][:] = np.inf
        return bool((images["gauge"] - images["target"]).max() > self.tolerance)

    def _closure(self) -> Closure:
        shape = (self.points.count, len(self.letters), self.width)
        index, phase = (self.images[name].reshape(shape).swapaxes(0, 1) for name in ("index", "phase"))
        return Closure(self.points["at"], self.origins, index, phase)


def _orthonormal(known: Points, point: Points) -> Points:
    """Add the direction in which a point leaves the span, when it clearly does."""
    rest = point - (point @ known.conj().T) @ known
    rest = rest - (rest @ known.conj().T) @ known
    distance = float(np.linalg.norm(rest))
    if not distance > _LEAST_DISTANCE * float(np.linalg.norm(point)):
        return known
    return np.concatenate([known, rest[None] / distance])

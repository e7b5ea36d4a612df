"""Guesses for invariant polytopes: where to start, and numbers with few digits. Nothing here proves anything."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from piggycheck.stability.floats import Array
from piggycheck.stability.necklaces import necklace_of
from piggycheck.stability.polytope_hull import (
    Closure,
    Indices,
    Points,
    basis_heights,
    close_hull,
    flat,
    inverse,
    size,
    widest_basis,
)
from piggycheck.switched import Word

__all__ = ["Cycle", "Rounded", "grow_polytope", "leading_cycle", "round_closure"]

_LEAST_GAP, _LARGEST_GAP = 1e-11, 0.5
_SHARE = 5
_MOST_BITS = 50
_SAFETY = 1e-13


@dataclass(frozen=True)
class Cycle:
    """Leading eigenvectors of a word and of its rotations, each the image of the one before, divided by the rate.

    Attributes
    ----------
    rate : float
        Spectral radius of the product, to the power of one over the length.
    points : array
        One eigenvector per row; for a complex eigenvalue they are complex.
    """

    rate: float
    points: Points


@dataclass(frozen=True)
class Rounded:
    """A closed hull whose numbers are whole (vertices) or have few binary digits (coefficients).

    Attributes
    ----------
    vertices : array
        One per row.
    basis : list of int
        Vertices that span.
    coefficients : lists
        For each letter and vertex, triples of a vertex, its coefficient, and a bound on the modulus of that.
    """

    vertices: Points
    basis: list[int]
    coefficients: list[list[list[tuple[int, complex, float]]]]


@np.errstate(all="ignore")
def leading_cycle(letters: Array, word: Word) -> Cycle | None:
    """Guess the leading eigenvectors of a word and of its rotations.

    Parameters
    ----------
    letters : array
        Stack of matrices.
    word : Word

    Returns
    -------
    Cycle or None
        None when the product is numerically nilpotent, or too large.

    Examples
    --------
    >>> cycle = leading_cycle(np.array([[[0.0, 1.0], [0.0, 0.0]], [[0.0, 0.0], [4.0, 0.0]]]), (0, 1))
    >>> cycle.rate, np.abs(cycle.points).tolist()
    (2.0, [[0.0, 1.0], [0.5, 0.0]])
    """
    product = np.eye(letters.shape[-1])
    for letter in word:
        product = letters[letter] @ product
    if not np.isfinite(product).all():
        return None
    try:
        values, vectors = np.linalg.eig(product)
    except np.linalg.LinAlgError:
        return None
    leading = int(np.argmax(np.abs(values)))
    modulus = float(np.abs(values[leading]))
    if modulus < 1e-12 * float(np.abs(product).max(initial=1e-290)):
        return None
    rate = modulus ** (1 / len(word))
    is_real = abs(values[leading].imag) <= 1e-12 * modulus
    points = [vectors[:, leading].real if is_real else vectors[:, leading]]
    for letter in word[:-1]:
        points.append(letters[letter] @ points[-1] / rate)
    return Cycle(rate, np.array(points))


def grow_polytope(
    letters: Array,
    radii: Array,
    words: Iterable[Word],
    *,
    is_complex: bool | None = False,
    gap: float | None = None,
    vertex_limit: int,
    deadline: float,
) -> tuple[Closure | None, list[Word]]:
    """Grow a hull from the best word; start again whenever a better word shows up on the way.

    Parameters
    ----------
    letters, radii : arrays
        Stacks of matrices: middles and radii of intervals.
    words : iterable of Word
        Words that may have the largest rate; all letters are tried, too.
    is_complex : bool, optional
        Whether to look for a complex hull; None lets the leading eigenvalue decide.
    gap : float, optional
        Close the hull for the rate of the best word times ``1 + gap``; when absent, for the rate 1.
    vertex_limit, deadline
        As in `close_hull`.

    Returns
    -------
    (Closure or None, list of Word)
        The words are all that were seen, the largest rate first.

    Examples
    --------
    >>> import math
    >>> letters = np.array([[[0.75, -0.75], [1.0, 0.0]], [[1.5, -0.75], [1.0, 0.0]]])
    >>> closure, words = grow_polytope(letters, 0 * letters, [], gap=1e-6, vertex_limit=99, deadline=math.inf)
    >>> words[0]
    (0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 1)

    Notes
    -----
    When this fails: a word that attains the rate, or nearly does; then nothing is grown.
    """
    cycles = _leading_cycles(letters, [*words, *((letter,) for letter in range(len(letters)))])
    while True:
        lead = cycles[0][0].rate if cycles else 0.0
        scale = 1.0 if gap is None or not cycles else lead * (1 + gap)
        room = scale / lead - 1 if cycles else _LARGEST_GAP
        if room < _LEAST_GAP:
            return None, [word for _, word in cycles]
        grown = close_hull(
            letters / scale,
            radii / scale,
            _seeds(cycles[0][0].points if cycles else np.zeros((0, letters.shape[-1])), is_complex),
            min(room, _LARGEST_GAP) / _SHARE,
            lead=lead / scale,
            vertex_limit=vertex_limit,
            deadline=deadline,
        )
        better = _leading_cycles(letters, [necklace_of(grown)]) if isinstance(grown, tuple) else []
        if not better or better[0][0].rate <= lead:
            return None if isinstance(grown, tuple) else grown, [word for _, word in cycles]
        cycles[:0] = better


def _seeds(points: Points, is_complex: bool | None) -> Points:
    """The points to start from; with a complex point also its conjugate, which the letters treat alike."""
    if is_complex is False and np.iscomplexobj(points):
        return np.concatenate([points.real, points.imag])
    if np.iscomplexobj(points):
        return np.concatenate([points, points.conj()])
    return points.astype(np.complex128) if is_complex else points


def _leading_cycles(letters: Array, words: Iterable[Word]) -> list[tuple[Cycle, Word]]:
    cycles = [(leading_cycle(letters, word), word) for word in dict.fromkeys(map(tuple, words))]
    return sorted(((cycle, word) for cycle, word in cycles if cycle), key=lambda pair: -pair[0].rate)


@np.errstate(all="ignore")
def round_closure(closure: Closure, letters: Array, radii: Array, extra_bits: int = 0) -> Rounded | None:
    """Round the vertices to whole numbers and the coefficients to few binary digits, as far as the room allows.

    Parameters
    ----------
    closure : Closure
    letters, radii : arrays
        As in `close_hull`.
    extra_bits : int
        More digits than seem to be necessary.

    Returns
    -------
    Rounded or None
        None when floating point is not precise enough.

    Notes
    -----
    The coordinates of all vertices are multiples of one power of two per coordinate, which is chosen with regard to
    the width of the hull in its direction. When this fails: a hull that is thin in a direction oblique to the axes.
    """
    try:
        basis = widest_basis(closure.vertices)
        fit = _Fit(closure, letters, radii, basis)
        if fit.least_room <= 0:
            return None
        for bits in range(max(1, int(-math.log2(fit.least_room)) - 4), _MOST_BITS - extra_bits):
            if fit.room_at(_whole(closure.vertices, basis, bits)) >= fit.least_room / 2:
                break
        else:
            return None
        vertices = _whole(closure.vertices, basis, bits + extra_bits)
        coefficients = fit.rounded(extra_bits) if fit.room_at(vertices) > 0 else None
    except np.linalg.LinAlgError:
        return None
    return None if coefficients is None else Rounded(vertices, basis, coefficients)


def _whole(vertices: Points, basis: list[int], bits: int) -> Points:
    """Round to multiples of powers of two, about 2^-bits of the width, and scale up to whole numbers."""
    exponents = np.floor(-np.log2(basis_heights(vertices, basis)))
    steps = 2.0 ** (exponents - exponents.min())
    scaled = vertices * 2.0 ** (bits - exponents.min()) / steps
    whole = np.round(scaled.real) + 1j * np.round(scaled.imag) if np.iscomplexobj(vertices) else np.round(scaled)
    return np.asarray(whole * steps)


class _Fit:
    """The images of vertices, written with the corners of the simplices of a closure."""

    def __init__(self, closure: Closure, letters: Array, radii: Array, basis: list[int]) -> None:
        self.letters, self.radii, self.basis = letters, radii, basis
        self.shape = closure.index.shape[:2]
        self.index = closure.index.reshape(-1, closure.index.shape[-1])
        self.phase = closure.phase.reshape(self.index.shape)
        self.kept = np.zeros_like(self.phase)
        self.kept[:] = np.nan
        self.least_room = self.room_at(closure.vertices)
        self.kept = np.where(np.abs(self.values) > self.least_room / 100, self.values, 0)

    def room_at(self, vertices: Points) -> float:
        """Write the images of these vertices; return how far the inequality to be proved is from its limit, at least.

        A coefficient that was nearly zero may stand for an ill-conditioned simplex: it stays zero where that is better.
        """
        self.vertices = vertices
        self.images = np.einsum("mij,pj->mpi", self.letters, vertices).reshape(-1, vertices.shape[1])
        self.heights = basis_heights(vertices, self.basis)
        self.spread = (np.einsum("mij,pj->mpi", self.radii, size(vertices)) @ self.heights).reshape(-1)
        corners = flat(self.phase[..., None] * vertices[self.index])
        solved = _merged(self.index, (flat(self.images)[:, None] @ inverse(corners))[:, 0] * self.phase)
        rows = np.arange(len(self.index))
        cost, cost_kept = (self._cost(rows, values, np.abs(values)) for values in (solved, self.kept))
        better = ~(cost_kept <= cost)
        self.values = np.where(better[:, None], solved, self.kept)
        room = float((1 - np.where(better, cost, cost_kept)).min())
        return room if np.isfinite(room) else -np.inf

    def rounded(self, extra_bits: int) -> list[list[list[tuple[int, complex, float]]]] | None:
        """Coefficients with as few binary digits as the inequality allows, image by image."""
        chosen: list[list[tuple[int, complex, float]]] = [[] for _ in self.index]
        pending = np.arange(len(self.index))
        for bits in range(1, _MOST_BITS - extra_bits):
            step = 2.0 ** -(bits + extra_bits)
            values, bounds, cost = self._rounded(pending, step)
            done = cost <= 1 - _SAFETY
            for row, value, bound in zip(pending[done], values[done], bounds[done], strict=True):
                triples = zip(self.index[row].tolist(), value.tolist(), bound.tolist(), strict=True)
                chosen[row] = [(corner, c, m) for corner, c, m in triples if c != 0]
            pending = pending[~done]
            if not len(pending):
                _, count = self.shape
                return [chosen[start : start + count] for start in range(0, len(chosen), count)]
        return None

    def _rounded(self, rows: Indices, step: float) -> tuple[Points, Array, Array]:
        """Rounded coefficients, bounds on their moduli, and the left side of the inequality to be proved."""
        values = np.round(self.values[rows] / step) * step
        bounds = np.abs(values)
        if np.iscomplexobj(values):
            bounds = np.ceil(bounds / step * 4 - 1e-9) * (step / 4)
        return values, bounds, self._cost(rows, values, bounds)

    def _cost(self, rows: Indices, values: Points, bounds: Array) -> Array:
        rest = self.images[rows] - (values[:, None] @ self.vertices[self.index[rows]])[:, 0]
        return np.asarray(bounds.sum(axis=1) + size(rest) @ self.heights + self.spread[rows])


def _merged(index: Indices, values: Points) -> Points:
    """Add up the coefficients of a corner that occurs several times (with different phases)."""
    values = values.copy()
    for first in range(index.shape[1]):
        for second in range(first + 1, index.shape[1]):
            same = index[:, first] == index[:, second]
            values[same, first] += values[same, second]
            values[same, second] = 0
    return values

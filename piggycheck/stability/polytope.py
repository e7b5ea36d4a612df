"""Invariant polytopes: finitely many points whose absolutely convex hull every letter maps into its multiple."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.intervals import IntervalMatrix, Letter, absolute, midpoint, radius
from piggycheck.linalg import entries
from piggycheck.stability.floats import Array, float_matrices
from piggycheck.stability.polytope_attained import close_exactly
from piggycheck.stability.polytope_guess import grow_polytope, round_closure
from piggycheck.stability.polytope_hull import Closure
from piggycheck.stability.proof import Proof
from piggycheck.switched import Word

__all__ = ["Polytope", "prove_polytope"]

Vertex = tuple[fmpq, ...]
Combination = tuple[tuple[int, fmpq], ...]

EXTRA_BITS = (0, 4, 10)
"""With how many digits more than seem necessary a rounding is tried."""


@dataclass(frozen=True)
class Polytope(Proof):
    """A proof that the joint spectral radius is at most `rate`, by a polytope whose multiples form a norm.

    Parameters
    ----------
    rate : fmpq
        Positive.
    vertices : tuple of tuples of fmpq
        Points; with their opposites, their convex hull is the polytope.
    basis : tuple of int
        Vertices that are linearly independent, as many as there are coordinates.
    coefficients : tuple
        For each letter i and vertex v, pairs (j, c), so that ``A_i v`` is nearly ``rate`` times the sum of the
        ``c v_j``. The sum of the ``|c|``, and what the difference can amount to at most, together are at most 1.

    Examples
    --------
    >>> A = [fmpq_mat([[1, 1], [0, 0]]), fmpq_mat([[0, 0], [1, -1]])]
    >>> vertices = ((fmpq(1), fmpq(0)), (fmpq(0), fmpq(1)))
    >>> images = (((0, fmpq(1)),), ((0, fmpq(1)),)), (((1, fmpq(1)),), ((1, fmpq(-1)),))
    >>> Polytope(fmpq(1), vertices, (0, 1), images).verify(A)
    True
    >>> Polytope(fmpq(99, 100), vertices, (0, 1), images).verify(A)
    False
    """

    rate: fmpq
    vertices: tuple[Vertex, ...]
    basis: tuple[int, ...]
    coefficients: tuple[tuple[Combination, ...], ...]

    method: ClassVar[str] = "polytope"

    def verify(self, A: Sequence[Letter]) -> bool:
        n, count = len(self.basis), len(self.vertices)
        if self.rate <= 0 or not A or not n or any((M.nrows(), M.ncols()) != (n, n) for M in A):
            return False
        if len(self.coefficients) != len(A) or any(len(images) != count for images in self.coefficients):
            return False
        if any(len(vertex) != n for vertex in self.vertices) or not all(0 <= j < count for j in self.basis):
            return False
        corners = fmpq_mat([list(self.vertices[j]) for j in self.basis])
        if corners.det() == 0:
            return False
        heights = [sum(row, fmpq(0)) for row in entries(absolute(corners.inv()))]
        points = fmpq_mat([list(vertex) for vertex in self.vertices])
        for M, combinations in zip(A, self.coefficients, strict=True):
            images = entries(points * midpoint(M).transpose())
            spreads = entries(absolute(points) * radius(M).transpose())
            for image, spread, combination in zip(images, spreads, combinations, strict=True):
                if not self._contains(image, spread, combination, heights):
                    return False
        return True

    def _contains(self, image: list[fmpq], spread: list[fmpq], combination: Combination, heights: list[fmpq]) -> bool:
        total = fmpq(0)
        for j, c in combination:
            if not 0 <= j < len(self.vertices):
                return False
            total += abs(c)
            multiple = self.rate * c
            image = [x - multiple * y for x, y in zip(image, self.vertices[j], strict=True)]
        for x, r, height in zip(image, spread, heights, strict=True):
            total += (abs(x) + r) * height / self.rate
        return total <= 1

    def witness(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "rate": self.rate,
            "vertices": [list(vertex) for vertex in self.vertices],
            "basis": list(self.basis),
            "coefficients": [
                [[[j, c] for j, c in combination] for combination in images] for images in self.coefficients
            ],
        }

    def summary(self) -> str:
        count = len(self.vertices)
        return f"an invariant polytope of {count} {'pair' if count == 1 else 'pairs'} of vertices"


def prove_polytope(
    A: Sequence[Letter],
    rate: fmpq,
    words: Iterable[Word],
    *,
    vertex_limit: int = 1000,
    time_limit: float = 10.0,
) -> Polytope | None:
    """Prove that the joint spectral radius is at most a rate, by an invariant polytope.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    rate : fmpq
        The rate to prove, positive.
    words : iterable of Word
        Words that may have the largest rate.
    vertex_limit : int
        How many pairs of vertices there may be.
    time_limit : float
        Seconds after which the attempt is given up.

    Returns
    -------
    Polytope or None
        It has been verified; None when no proof was found.

    Examples
    --------
    >>> A = [fmpq_mat([[1, 1], [0, 1]]), fmpq_mat([[0, 0], [fmpq(1, 2), 0]])]
    >>> prove_polytope(A, fmpq(117, 100), [(1, 0, 0, 0, 0, 0, 0)]).summary()
    'an invariant polytope of 9 pairs of vertices'
    >>> prove_polytope(A, fmpq(116, 100), [(1, 0, 0, 0, 0, 0, 0)]) is None
    True

    Notes
    -----
    The polytope is grown in floating point from the leading eigenvectors of the word of largest rate and of its
    rotations; then its numbers are rounded as coarsely as the rate allows, and everything is verified. When a word
    attains the rate with a real eigenvalue, the vertices are exact from the start and nothing is rounded. When this
    fails: words of rates below the joint spectral radius, by more than the rate exceeds it; a leading eigenvalue that
    is complex, when the rate is close; invariant subspaces, along which the products of critical words grow.

    References
    ----------
    N. Guglielmi, V. Protasov, Exact computation of joint spectral characteristics of linear operators, Foundations of
    Computational Mathematics 13 (2013).
    """
    letters = scaled_letters(A, rate)
    if letters is None:
        return None
    deadline = time.monotonic() + time_limit
    middles, radii = letters
    closure, seen = grow_polytope(middles, radii, words, vertex_limit=vertex_limit, deadline=deadline)
    if closure is None:
        return _prove_attained(A, rate, seen, vertex_limit, deadline)
    for extra_bits in EXTRA_BITS:
        polytope = _rounded(closure, middles, radii, rate, extra_bits)
        if polytope is not None and polytope.verify(A):
            return polytope
    return None


def scaled_letters(A: Sequence[Letter], rate: fmpq) -> tuple[Array, Array] | None:
    """Middles and radii divided by the rate, in floating point; None when that makes no sense."""
    if rate <= 0 or not A or not A[0].nrows():
        return None
    middles = float_matrices([midpoint(M) / rate for M in A])
    radii = float_matrices([radius(M) / rate for M in A])
    return (middles, radii) if bool(np.isfinite(middles).all() and np.isfinite(radii).all()) else None


def only_needed(
    basis: Sequence[int], coefficients: Sequence[Sequence[Sequence[tuple[Any, ...]]]]
) -> tuple[list[int], dict[int, int]]:
    """Vertices that the basis and the images of needed vertices need, and their new numbers."""
    needed = dict.fromkeys(basis)
    waiting = list(needed)
    while waiting:
        vertex = waiting.pop()
        for images in coefficients:
            for corner, *_ in images[vertex]:
                if corner not in needed:
                    needed[corner] = None
                    waiting.append(corner)
    kept = sorted(needed)
    return kept, {old: new for new, old in enumerate(kept)}


def exact(value: float) -> fmpq:
    """The rational number that a float is."""
    return fmpq(*float(value).as_integer_ratio())


def _rounded(closure: Closure, letters: Array, radii: Array, rate: fmpq, extra_bits: int) -> Polytope | None:
    guess = round_closure(closure, letters, radii, extra_bits)
    if guess is None:
        return None
    vertices = [tuple(exact(x) for x in vertex) for vertex in guess.vertices]
    coefficients = [[[(j, exact(c.real)) for j, c, _ in row] for row in images] for images in guess.coefficients]
    return _assembled(rate, vertices, guess.basis, coefficients)


def _assembled(
    rate: fmpq, vertices: Sequence[Vertex], basis: Sequence[int], coefficients: list[list[list[tuple[int, fmpq]]]]
) -> Polytope:
    kept, number = only_needed(basis, coefficients)
    renumbered = tuple(
        tuple(tuple((number[j], c) for j, c in images[vertex]) for vertex in kept) for images in coefficients
    )
    return Polytope(rate, tuple(vertices[j] for j in kept), tuple(number[j] for j in basis), renumbered)


def _prove_attained(
    A: Sequence[Letter], rate: fmpq, words: Sequence[Word], vertex_limit: int, deadline: float
) -> Polytope | None:
    if any(isinstance(M, IntervalMatrix) for M in A):
        return None
    letters = [midpoint(M) / rate for M in A]
    hull = close_exactly(letters, words, vertex_limit=vertex_limit, deadline=deadline)
    if hull is None:
        return None
    polytope = _assembled(rate, [tuple(point.entries()) for point in hull.points], hull.basis, hull.coefficients)
    return polytope if polytope.verify(A) else None

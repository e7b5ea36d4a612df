"""Invariant complex polytopes: for sets of matrices whose best word has a complex leading eigenvalue."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flint import fmpq, fmpq_mat

from piggycheck.intervals import Letter, absolute, midpoint, radius
from piggycheck.linalg import block_matrix, entries
from piggycheck.stability.floats import Array
from piggycheck.stability.polytope import EXTRA_BITS, exact, only_needed, scaled_letters
from piggycheck.stability.polytope_guess import grow_polytope, round_closure
from piggycheck.stability.polytope_hull import Closure
from piggycheck.stability.proof import Proof
from piggycheck.switched import Word

__all__ = ["ComplexPolytope", "prove_complex_polytope"]

Complex = tuple[fmpq, fmpq]
"""Real and imaginary part."""

Vertex = tuple[Complex, ...]
Combination = tuple[tuple[int, fmpq, fmpq, fmpq], ...]


@dataclass(frozen=True)
class ComplexPolytope(Proof):
    """A proof that the joint spectral radius is at most `rate`, by a balanced complex polytope.

    Parameters
    ----------
    rate : fmpq
        Positive.
    vertices : tuple of tuples of pairs of fmpq
        Points of complex space, each coordinate by its real and its imaginary part. The polytope consists of all
        combinations whose coefficients have moduli that add up to at most 1.
    basis : tuple of int
        Vertices that are linearly independent, as many as there are coordinates.
    coefficients : tuple
        For each letter i and vertex v, quadruples (j, real part of c, imaginary part of c, m) with ``|c| <= m``, so
        that ``A_i v`` is nearly ``rate`` times the sum of the ``c v_j``. The sum of the m, and what the difference can
        amount to at most, together are at most 1.

    Examples
    --------
    >>> rotation = fmpq_mat([[fmpq(3, 5), fmpq(-4, 5)], [fmpq(4, 5), fmpq(3, 5)]])
    >>> zero, one = fmpq(0), fmpq(1)
    >>> vertices = ((one, zero), (zero, -one)), ((one, zero), (zero, one))
    >>> images = ((0, fmpq(3, 5), fmpq(4, 5), one),), ((1, fmpq(3, 5), fmpq(-4, 5), one),)
    >>> ComplexPolytope(one, vertices, (0, 1), (images,)).verify([rotation])
    True
    >>> ComplexPolytope(fmpq(99, 100), vertices, (0, 1), (images,)).verify([rotation])
    False
    """

    rate: fmpq
    vertices: tuple[Vertex, ...]
    basis: tuple[int, ...]
    coefficients: tuple[tuple[Combination, ...], ...]

    method: ClassVar[str] = "complex_polytope"

    def verify(self, A: Sequence[Letter]) -> bool:
        n, count = len(self.basis), len(self.vertices)
        if self.rate <= 0 or not A or not n or any((M.nrows(), M.ncols()) != (n, n) for M in A):
            return False
        if len(self.coefficients) != len(A) or any(len(images) != count for images in self.coefficients):
            return False
        if any(len(vertex) != n for vertex in self.vertices) or not all(0 <= j < count for j in self.basis):
            return False
        heights = _heights([self.vertices[j] for j in self.basis])
        if heights is None:
            return False
        real, imaginary = (fmpq_mat([[x[part] for x in vertex] for vertex in self.vertices]) for part in (0, 1))
        sizes = absolute(real) + absolute(imaginary)
        for M, combinations in zip(A, self.coefficients, strict=True):
            middle = midpoint(M).transpose()
            tables = entries(real * middle), entries(imaginary * middle), entries(sizes * radius(M).transpose())
            for *image, spread, combination in zip(*tables, combinations, strict=True):
                if not self._contains(image, spread, combination, heights):
                    return False
        return True

    def _contains(
        self, image: list[list[fmpq]], spread: list[fmpq], combination: Combination, heights: list[fmpq]
    ) -> bool:
        total = fmpq(0)
        real, imaginary = image
        for j, a, b, bound in combination:
            if not 0 <= j < len(self.vertices) or bound < 0 or bound * bound < a * a + b * b:
                return False
            total += bound
            a, b = self.rate * a, self.rate * b
            vertex = self.vertices[j]
            real = [x - (a * p - b * q) for x, (p, q) in zip(real, vertex, strict=True)]
            imaginary = [y - (a * q + b * p) for y, (p, q) in zip(imaginary, vertex, strict=True)]
        for x, y, r, height in zip(real, imaginary, spread, heights, strict=True):
            total += (abs(x) + abs(y) + r) * height / self.rate
        return total <= 1

    def witness(self) -> dict[str, Any]:
        return {
            "method": self.method,
            "rate": self.rate,
            "vertices": [[list(x) for x in vertex] for vertex in self.vertices],
            "basis": list(self.basis),
            "coefficients": [
                [[list(term) for term in combination] for combination in images] for images in self.coefficients
            ],
        }

    def summary(self) -> str:
        count = len(self.vertices)
        return f"an invariant complex polytope of {count} {'vertex' if count == 1 else 'vertices'}"


def prove_complex_polytope(
    A: Sequence[Letter],
    rate: fmpq,
    words: Iterable[Word],
    *,
    vertex_limit: int = 1000,
    time_limit: float = 10.0,
) -> ComplexPolytope | None:
    """Prove that the joint spectral radius is at most a rate, by an invariant complex polytope.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    rate : fmpq
        The rate to prove, positive.
    words : iterable of Word
        Words that may have the largest rate.
    vertex_limit : int
        How many vertices there may be.
    time_limit : float
        Seconds after which the attempt is given up.

    Returns
    -------
    ComplexPolytope or None
        It has been verified; None when no proof was found.

    Examples
    --------
    >>> A = [fmpq_mat([[1, -1], [1, 1]]), fmpq_mat([[1, 0], [0, fmpq(1, 2)]])]
    >>> prove_complex_polytope(A, fmpq(1415, 1000), [(0,)]).summary()
    'an invariant complex polytope of 2 vertices'
    >>> prove_complex_polytope(A, fmpq(1414, 1000), [(0,)]) is None
    True

    Notes
    -----
    As in `prove_polytope`, but the vertices are complex, so that powers of a complex eigenvalue are only phases. When
    this fails: a rate that a word attains.

    References
    ----------
    N. Guglielmi, F. Wirth, M. Zennaro, Complex polytope extremality results for families of matrices, SIAM Journal on
    Matrix Analysis and Applications 27 (2005).
    """
    letters = scaled_letters(A, rate)
    if letters is None:
        return None
    deadline = time.monotonic() + time_limit
    closure, _ = grow_polytope(*letters, words, is_complex=True, vertex_limit=vertex_limit, deadline=deadline)
    if closure is None:
        return None
    for extra_bits in EXTRA_BITS:
        polytope = _rounded(closure, *letters, rate, extra_bits)
        if polytope is not None and polytope.verify(A):
            return polytope
    return None


def _rounded(closure: Closure, letters: Array, radii: Array, rate: fmpq, extra_bits: int) -> ComplexPolytope | None:
    guess = round_closure(closure, letters, radii, extra_bits)
    if guess is None:
        return None
    kept, number = only_needed(guess.basis, guess.coefficients)
    coefficients = tuple(
        tuple(tuple(_term(number[j], c, m) for j, c, m in images[vertex]) for vertex in kept)
        for images in guess.coefficients
    )
    vertices = tuple(tuple((exact(x.real), exact(x.imag)) for x in guess.vertices[vertex]) for vertex in kept)
    return ComplexPolytope(rate, vertices, tuple(number[j] for j in guess.basis), coefficients)


def _term(vertex: int, value: complex, bound: float) -> tuple[int, fmpq, fmpq, fmpq]:
    """The coefficient with a bound on its modulus that is not too small by rounding."""
    a, b, m = exact(value.real), exact(value.imag), exact(bound)
    while m * m < a * a + b * b:
        m += fmpq(1, 2 * m.q) if m else max(abs(a), abs(b))
    return vertex, a, b, m


def _heights(basis: Sequence[Vertex]) -> list[fmpq] | None:
    """For each unit vector, how many times the hull of the basis it is at most; None when the basis does not span.

    The inverse of ``X + i Y`` is read from that of the real matrix with the blocks X, Y, -Y, X.
    """
    n = len(basis)
    X, Y = (fmpq_mat([[x[part] for x in vertex] for vertex in basis]) for part in (0, 1))
    corners = block_matrix([[X, Y], [-Y, X]])
    if corners.det() == 0:
        return None
    return [sum(row, fmpq(0)) for row in entries(absolute(corners.inv()))[:n]]

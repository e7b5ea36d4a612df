"""Norms in which pieces of a map grow as little as possible: floating point guesses them, balls bound what they do."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from flint import arb, arb_mat, ctx

from piggycheck.arrays import BallArrays
from piggycheck.errors import UnknownError
from piggycheck.norms import spectral_norm_bound

__all__ = ["AdaptedNorm"]

BITS = 128
_LARGEST = 12
_ROOM = 1.02
_ARRAYS = BallArrays(BITS)


class AdaptedNorm:
    """The norm ``|T v|`` for an invertible matrix T.

    Parameters
    ----------
    T : arb_mat
        Exactly known.

    Examples
    --------
    >>> A = arb_mat([[1, 1], [0, 1]]) * arb(0.5)
    >>> norm = AdaptedNorm.for_pieces([A], 2)
    >>> bool(norm.of(A) < 0.6), bool(AdaptedNorm.for_pieces([], 2).of(A) < 0.8)
    (True, False)
    """

    def __init__(self, T: arb_mat):
        self.T = T
        with ctx.workprec(BITS):
            self.inverse = T.inv()

    @classmethod
    def for_pieces(cls, pieces: Sequence[arb_mat], size: int) -> AdaptedNorm:
        """Guess a norm in which products of some matrices grow slowly; the Euclidean one where none is found."""
        guess = _guess(pieces, size) if pieces and size <= _LARGEST else None
        if guess is not None:
            try:
                return cls(guess)
            except ZeroDivisionError:
                pass
        return cls(_ARRAYS.identity(size))

    def of(self, A: arb_mat) -> arb:
        """Bound the norm of a matrix, as an operator."""
        with ctx.workprec(BITS):
            return _spectral(self.T * A * self.inverse)

    def coarsely(self, A: arb_mat) -> arb:
        """Bound the norm of a matrix from farther above, and faster."""
        with ctx.workprec(BITS):
            return _ARRAYS.length(self.T * A * self.inverse)

    @cached_property
    def largest(self) -> arb:
        """Bound the norm of unit vectors."""
        with ctx.workprec(BITS):
            return _spectral(self.T)

    @cached_property
    def smallest(self) -> arb:
        """Bound the length of vectors of norm 1."""
        with ctx.workprec(BITS):
            return _spectral(self.inverse)

    def of_row(self, row: arb_mat) -> arb:
        """Bound what a linear form does to vectors of norm 1."""
        with ctx.workprec(BITS):
            return _ARRAYS.length(row * self.inverse)

    def after(self, other: AdaptedNorm) -> arb:
        """Bound this norm of vectors whose other norm is 1."""
        with ctx.workprec(BITS):
            return _spectral(self.T * other.inverse)


def _spectral(A: arb_mat) -> arb:
    frobenius = _ARRAYS.length(A)
    try:
        enclosed = _ARRAYS.enclosed(A)
        bound = (arb(spectral_norm_bound(enclosed.centre)) + enclosed.spread).upper()
    except UnknownError:
        return frobenius
    return bound if bound < frobenius else frobenius


def _guess(pieces: Sequence[arb_mat], size: int) -> arb_mat | None:
    """A factor of the P with ``sum A_i^T P A_i - r^2 P = -I``, r somewhat above what the sum allows."""
    import numpy as np

    matrices = [np.array([float(entry) for entry in A.entries()]).reshape(size, size) for A in pieces]
    kron = sum(np.kron(A.T, A.T) for A in matrices)
    radius = float(np.max(np.abs(np.linalg.eigvals(kron))))
    if not np.isfinite(radius) or radius < 1e-6:
        return None
    P = np.linalg.solve(_ROOM * radius * np.eye(size * size) - kron, np.eye(size).ravel()).reshape(size, size)
    P = (P + P.T) / 2
    try:
        T = np.linalg.cholesky(P / np.min(np.linalg.eigvalsh(P))).T
    except np.linalg.LinAlgError:
        return None
    return arb_mat(size, size, T.ravel().tolist()) if np.isfinite(T).all() and np.linalg.cond(T) < 1e9 else None

"""A contracting system in coordinates in which floats of moderate size describe it; what they say is a guess."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from flint import fmpq, fmpq_mat
from numpy.typing import NDArray

from piggycheck.limits.contraction import Contraction
from piggycheck.limits.points import exact_pairs
from piggycheck.linalg import float_rows

__all__ = ["Array", "ScaledSystem", "binary_exponent", "floats"]

Array = NDArray[np.float64]


@dataclass(frozen=True)
class ScaledSystem:
    """The system in the coordinates Y with ``X = c + 2^e D Y``, D diagonal of powers of two, around the ball's centre.

    The diagonal of the form becomes about 1, and the radius of the ball too.

    Parameters
    ----------
    contraction : Contraction
    """

    contraction: Contraction

    @cached_property
    def scale(self) -> fmpq_mat:
        """The diagonal matrix ``2^e D``."""
        P = self.contraction.P
        exponents = [-(binary_exponent(P[i, i]) // 2) for i in range(P.nrows())]
        size = binary_exponent(self.contraction.radius) if self.contraction.radius != 0 else 0
        scale = fmpq_mat(P.nrows(), P.nrows())
        for i, exponent in enumerate(exponents):
            scale[i, i] = fmpq(2) ** (exponent + size)
        return scale

    @cached_property
    def pairs(self) -> tuple[tuple[fmpq_mat, fmpq_mat], ...]:
        """The pairs in these coordinates, exactly."""
        back, c = self.scale.inv(), self.contraction.centre
        return tuple((back * A * self.scale, back * (A * c + B - c)) for A, B in exact_pairs(self.contraction.system))

    @cached_property
    def A(self) -> Array:
        """The matrices A, k by p by p."""
        return floats([A for A, _ in self.pairs])

    @cached_property
    def B(self) -> Array:
        """The matrices B, k by p by m."""
        return floats([B for _, B in self.pairs])

    @cached_property
    def form(self) -> fmpq_mat:
        """The form for which the ball has the radius 1."""
        radius = self.contraction.radius
        return self.scale * self.contraction.P * self.scale / (radius * radius if radius != 0 else fmpq(1))

    @cached_property
    def inverse(self) -> Array:
        """The inverse of the form."""
        inverse: Array = floats([self.form.inv()])[0]
        return inverse


def floats(matrices: list[fmpq_mat]) -> Array:
    """Return matrices of one shape as one array; entries that no float holds are infinite."""
    shape = (matrices[0].nrows(), matrices[0].ncols())
    return np.array([float_rows(M) for M in matrices], dtype=np.float64).reshape(len(matrices), *shape)


def binary_exponent(value: fmpq) -> int:
    """Return about the binary logarithm of a number that is not zero."""
    return int(value.p.bit_length()) - int(value.q.bit_length())

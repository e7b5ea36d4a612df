"""What is said of a cycle, and of all cycles of one period."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from flint import fmpq, fmpq_mat

__all__ = ["Basin", "Cycle", "Cycles", "Point"]

Point = tuple[sp.Expr, ...]
"""The state, one exact real number for each variable."""


@dataclass(frozen=True)
class Cycle:
    """Points that the map sends to each other in turn, and the last one to the first: all different.

    Attributes
    ----------
    points : tuple of Point
        In the order of the iteration, from the smallest one on.
    itinerary : tuple of str
        For each point the signature of the piece that the map takes there, with 0 where a guard vanishes.
    multiplier : fmpq_mat, or None
        The product of the Jacobians along the cycle, from the first point back to it. None for points on guards, where
        there may be several, and for irrational ones.
    radius : (fmpq, fmpq or None), or None
        Bounds on the spectral radius of the multiplier.
    attracting : bool or None
        Whether every start near the cycle leads to it; None when that is undecided.
    repelling : bool or None
        Whether all eigenvalues of the multiplier have a modulus above 1.
    reason : str
        Why `attracting` is undecided, when it is.
    isolated : bool
        False when it stands for a continuum of cycles.
    """

    points: tuple[Point, ...]
    itinerary: tuple[str, ...]
    multiplier: fmpq_mat | None
    radius: tuple[fmpq, fmpq] | None
    attracting: bool | None
    repelling: bool | None
    reason: str = ""
    isolated: bool = True

    @property
    def period(self) -> int:
        """The number of points."""
        return len(self.points)

    @property
    def is_rational(self) -> bool:
        """Whether all coordinates of all points are rational."""
        return all(c.is_Rational for point in self.points for c in point)


@dataclass(frozen=True)
class Cycles(Sequence):
    """The cycles of one period that were found, and whether these are all.

    Attributes
    ----------
    cycles : tuple of Cycle
    exhaustive : bool
        Whether every itinerary was examined and solved exactly, so that there are no others; cycles that are not
        isolated stand for a continuum.
    reason : str
        Why not, when not.
    words : int
        How many itineraries, up to rotation, were solved; the others were excluded before.
    """

    cycles: tuple[Cycle, ...]
    exhaustive: bool
    reason: str = ""
    words: int = 0

    def __getitem__(self, index):
        return self.cycles[index]

    def __len__(self) -> int:
        return len(self.cycles)


@dataclass(frozen=True)
class Basin:
    """An ellipsoid around the first point of a cycle, from which all iterates approach the cycle.

    Attributes
    ----------
    P : fmpq_mat
        Positive definite, with ``P - A^T P A`` positive definite for the multiplier A.
    level : fmpq
        Where ``(x - p)^T P (x - p) <= level``, one round stays strictly inside the pieces of the cycle.
    radius : fmpq
        Every x within this distance of p, in the maximum norm, is inside.
    """

    P: fmpq_mat
    level: fmpq
    radius: fmpq

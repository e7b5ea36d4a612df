"""Corners: matrices between bounds are the convex hull of finitely many, which have the same joint spectral radius.

A product of matrices chosen between bounds, a new one at every step, is affine in each entry of each factor, so every
norm of it is largest when all the entries are at one end. With few uncertain entries that makes an uncertain set a
finite exact one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from flint import fmpq, fmpq_mat

from piggycheck.intervals import Letter, corners, radius
from piggycheck.stability.proof import Proof

__all__ = ["Corners", "corner_letters"]

_MAX_CORNERS = 64


@dataclass(frozen=True)
class Corners(Proof):
    """A proof about the corners of the bounds.

    Parameters
    ----------
    rate : fmpq
        Not below that of the inner proof.
    proof : Proof
        About `corner_letters` of the matrices.

    Examples
    --------
    >>> from piggycheck.intervals import IntervalMatrix
    >>> from piggycheck.linalg import identity
    >>> from piggycheck.stability.word_tree import WordTree
    >>> A = IntervalMatrix.between(fmpq_mat([[fmpq(-1, 2)]]), fmpq_mat([[fmpq(1, 3)]]))
    >>> Corners(fmpq(1, 2), WordTree(identity(1), fmpq(1, 2), ((0,), (1,)), fmpq(1))).verify([A])
    True

    Notes
    -----
    When this fails: the number of corners doubles with each uncertain entry.
    """

    rate: fmpq
    proof: Proof

    method: ClassVar[str] = "corners"

    def verify(self, A: Sequence[Letter]) -> bool:
        ends = corner_letters(A)
        return ends is not None and self.proof.rate <= self.rate and self.proof.verify(ends)

    def witness(self) -> dict[str, Any]:
        return {"method": self.method, "rate": self.rate, "proof": self.proof.witness()}

    def summary(self) -> str:
        return f"{self.proof.summary()}, for the corners of the bounds"


def corner_letters(A: Sequence[Letter]) -> list[fmpq_mat] | None:
    """Return the corners of each matrix in turn: uncertain entries by rows, the lower end of each first.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix

    Returns
    -------
    list of fmpq_mat or None
        None when there are more than 64.

    Examples
    --------
    >>> from piggycheck.intervals import IntervalMatrix
    >>> corner_letters([fmpq_mat([[5]]), IntervalMatrix.between(fmpq_mat([[1]]), fmpq_mat([[2]]))])
    [[5], [1], [2]]

    Notes
    -----
    When this fails: the number of corners doubles with each uncertain entry.
    """
    counts = [sum(entry != 0 for entry in radius(M).entries()) for M in A]
    if sum(2 ** min(count, 60) for count in counts) > _MAX_CORNERS:
        return None
    return [corner for M in A for corner in corners(M)]

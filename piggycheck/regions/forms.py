"""Quadratic forms that all matrices of a set contract: for members with any number of state variables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flint import fmpq_mat

from piggycheck.linalg import is_positive_definite
from piggycheck.stability.quadratic import guess_quadratic_form

__all__ = ["contracted_by", "guess_form"]

Rows = tuple[tuple[int, ...], ...]

_UNITS = 2**20


def contracted_by(rows: Rows, matrices: Sequence[fmpq_mat]) -> bool:
    """Prove that a form P is positive definite, and ``P - A^T P A`` for every matrix.

    Parameters
    ----------
    rows : rows of integers
        Of P.
    matrices : sequence of fmpq_mat

    Examples
    --------
    >>> contracted_by(((1, 0), (0, 1)), [fmpq_mat([[0, 1], [1, 0]]) / 2]), contracted_by(((1,),), [fmpq_mat([[1]])])
    (True, False)

    Notes
    -----
    That x^T A^T P A x is convex in A makes it true of the convex hull of the matrices, too.
    """
    P = fmpq_mat([list(row) for row in rows])
    if P != P.transpose() or not is_positive_definite(P):
        return False
    return all(is_positive_definite(P - A.transpose() * P * A) for A in matrices)


def guess_form(matrices: Sequence[fmpq_mat]) -> Rows | None:
    """Guess a form that all matrices contract, with the most room.

    Examples
    --------
    >>> contracted_by(guess_form([fmpq_mat([[0, 1], [0, 0]])]), [fmpq_mat([[0, 1], [0, 0]])])
    True
    """
    guess = guess_quadratic_form(matrices, at=1.0, time_limit=float("inf"))
    if guess is None:
        return None
    P = np.rint(guess[0] * (_UNITS / np.abs(guess[0]).max()))
    return tuple(tuple(int(a) for a in row) for row in ((P + P.T) // 2).tolist())

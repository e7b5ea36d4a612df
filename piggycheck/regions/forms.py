"""Quadratic forms, one for each choice of the last few letters, that prove convergence with any number of variables."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from flint import fmpq_mat
from numpy.typing import NDArray

from piggycheck.linalg import is_positive_definite
from piggycheck.stability.path_complete import guess_forms as guess_on_graph

__all__ = ["contracted_by", "following", "guess_forms"]

Rows = tuple[tuple[int, ...], ...]
Array = NDArray[np.float64]

_UNITS = 2**20


def following(node: int, letter: int, letters: int, nodes: int) -> int:
    """Return the number of the last letters, when one more is read: the oldest of them is forgotten.

    Examples
    --------
    >>> [following(node, 1, 2, 4) for node in range(4)], following(0, 1, 2, 1)
    ([1, 3, 1, 3], 0)
    """
    return (node * letters + letter) % nodes


def contracted_by(forms: Sequence[Rows], matrices: Sequence[Sequence[fmpq_mat]]) -> bool:
    """Prove that forms are positive definite, and ``P_u - A^T P_v A`` for every matrix that leads from u to v.

    Parameters
    ----------
    forms : sequence of rows of integers
        One for each word of so many letters: their number is a power of the number of letters, 1 among them.
    matrices : sequence of sequences of fmpq_mat
        For each letter, matrices of whose convex hull it is an element.

    Examples
    --------
    >>> turn = fmpq_mat([[0, 1], [1, 0]])
    >>> contracted_by([((1, 0), (0, 1))], [[turn / 2]]), contracted_by([((1, 0), (0, 1))], [[turn]])
    (True, False)

    Notes
    -----
    That x^T A^T P A x is convex in A makes it true of the convex hull of the matrices, too.
    """
    letters, nodes = len(matrices), len(forms)
    if nodes not in {letters**power for power in range(nodes)}:
        return False
    P = [fmpq_mat([list(row) for row in rows]) for rows in forms]
    if not all(X == X.transpose() and is_positive_definite(X) for X in P):
        return False
    return all(
        is_positive_definite(P[node] - A.transpose() * P[following(node, letter, letters, nodes)] * A)
        for node in range(nodes)
        for letter, hull in enumerate(matrices)
        for A in hull
    )


def guess_forms(matrices: Sequence[Array], memory: int) -> tuple[Rows, ...] | None:
    """Guess forms for the words of so many letters, with the most room.

    Parameters
    ----------
    matrices : sequence of arrays
        For each letter, a stack of matrices.
    memory : int

    Examples
    --------
    >>> contracted_by(guess_forms([np.array([[[0.0, 1.0], [0.0, 0.0]]])], 0), [[fmpq_mat([[0, 1], [0, 0]])]])
    True
    """
    letters, nodes = len(matrices), len(matrices) ** memory
    owners = [letter for letter, stack in enumerate(matrices) for _ in stack]
    edges = [
        (node, index, following(node, letter, letters, nodes))
        for node in range(nodes)
        for index, letter in enumerate(owners)
    ]
    guess = guess_on_graph(np.concatenate(list(matrices)), 1.0, nodes, edges, time_limit=float("inf"))
    if guess is None:
        return None
    scale = _UNITS / max(float(np.abs(P).max()) for P in guess)
    rounded = [np.rint((P + P.T) * (scale / 2)) for P in guess]
    return tuple(tuple(tuple(int(a) for a in row) for row in P.tolist()) for P in rounded)

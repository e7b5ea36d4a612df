"""Guesses from semidefinite programs, solved by Clarabel. Nothing here proves anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from importlib import import_module

import numpy as np

from piggycheck.stability.floats import Array

__all__ = ["largest_margin"]

_LEAST_MARGIN = 1e-9


@np.errstate(all="ignore")
def largest_margin(blocks: Sequence[Array], weights: Array, total: float) -> Array | None:
    """Guess coefficients c that make all the matrices ``sum_k c_k blocks[i][k]`` as positive definite as possible.

    Parameters
    ----------
    blocks : sequence of arrays
        Each a stack of K symmetric matrices of one size.
    weights : array
        K numbers; the coefficients are normalised by ``weights . c = total``.
    total : float

    Returns
    -------
    array or None
        None when no coefficients make all the matrices positive definite, or the solver does not succeed.

    Examples
    --------
    >>> stack = np.array([[[1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [0.0, 1.0]]])
    >>> largest_margin([stack], np.ones(2), 2.0).round(6).tolist()
    [1.0, 1.0]

    Notes
    -----
    When this fails: blocks whose sizes differ by more than about 1e8.
    """
    size = len(weights)
    rows = [np.append(weights, 0.0)[None]]
    for block in blocks:
        unit = _triangle(np.eye(block.shape[-1])[None])
        rows.append(np.hstack([-_triangle(block), unit]))
    constraints = np.vstack(rows)
    if not np.isfinite(constraints).all():
        return None
    right = np.zeros(len(constraints))
    right[0] = total
    objective = np.zeros(size + 1)
    objective[-1] = -1
    x = _minimise(objective, constraints, right, [block.shape[-1] for block in blocks])
    return x[:size] if x is not None and x[-1] > _LEAST_MARGIN else None


def _triangle(stack: Array) -> Array:
    """Upper triangles as columns, by columns of the matrices, off-diagonal entries times the square root of 2."""
    n = stack.shape[-1]
    pairs = [(i, j) for j in range(n) for i in range(j + 1)]
    columns = [stack[:, i, j] * (1.0 if i == j else math.sqrt(2)) for i, j in pairs]
    return np.array(columns, dtype=np.float64).reshape(len(pairs), len(stack))


def _minimise(objective: Array, constraints: Array, right: Array, sizes: list[int]) -> Array | None:
    """Minimise under one equation and semidefinite blocks; None when the solver does not succeed."""
    try:
        # Imported by name, because it is heavy and has no type stubs.
        clarabel = import_module("clarabel")
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        cones = [clarabel.ZeroConeT(1)] + [clarabel.PSDTriangleConeT(size) for size in sizes]
        quadratic = _Columns(np.zeros((len(objective), len(objective))))
        solver = clarabel.DefaultSolver(quadratic, objective, _Columns(constraints), right, cones, settings)
        solution = solver.solve()
    except Exception:
        # A guess that fails is no guess; what a solver raises is not documented.
        return None
    x = np.array(solution.x, dtype=np.float64)
    return x if str(solution.status) in ("Solved", "AlmostSolved") and bool(np.isfinite(x).all()) else None


class _Columns:
    """A matrix in compressed sparse columns with the attributes that Clarabel reads, without importing scipy."""

    has_sorted_indices = has_canonical_format = True

    def __init__(self, dense: Array) -> None:
        self.shape = dense.shape
        columns, rows = np.nonzero(dense.T)
        self.indices, self.data = rows, dense[rows, columns]
        self.indptr = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=dense.shape[1]))])

    def sort_indices(self) -> None:
        """Do nothing: the indices are sorted."""

    def sum_duplicates(self) -> None:
        """Do nothing: there are no duplicates."""

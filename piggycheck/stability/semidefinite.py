"""Guesses from semidefinite programs, solved by Clarabel. Nothing here proves anything."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module

import numpy as np
from numpy.typing import NDArray

from piggycheck.stability.floats import Array

__all__ = ["Combination", "best_margin", "largest_margin", "symmetric_units"]

_LEAST_MARGIN = 1e-9


@dataclass(frozen=True)
class Combination:
    """The symmetric matrix ``sum_k c[unknowns[k]] matrices[k]`` that unknown coefficients c make.

    Parameters
    ----------
    unknowns : array of int
        Which of the coefficients.
    matrices : array
        As many symmetric matrices of one size.
    """

    unknowns: NDArray[np.int64]
    matrices: Array


def largest_margin(
    blocks: Sequence[Array], weights: Array, total: float, *, time_limit: float = math.inf
) -> Array | None:
    """Guess coefficients c that make all the matrices ``sum_k c_k blocks[i][k]`` as positive definite as possible.

    Parameters
    ----------
    blocks : sequence of arrays
        Each a stack of K symmetric matrices of one size.
    weights : array
        K numbers; the coefficients are normalised by ``weights . c = total``.
    total : float
    time_limit : float
        Seconds after which the solver gives up.

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
    unknowns = np.arange(len(weights))
    combinations = [Combination(unknowns, block) for block in blocks]
    found = best_margin(combinations, weights, total, time_limit=time_limit)
    return found[0] if found is not None and found[1] > _LEAST_MARGIN else None


@np.errstate(all="ignore")
def best_margin(
    combinations: Sequence[Combination], weights: Array, total: float, *, time_limit: float = math.inf
) -> tuple[Array, float] | None:
    """Guess the coefficients for which the least eigenvalue of all the combinations is largest.

    Parameters
    ----------
    combinations : sequence of Combination
    weights : array
        One number for each coefficient; the coefficients are normalised by ``weights . c = total``.
    total : float
    time_limit : float
        Seconds after which the solver gives up.

    Returns
    -------
    (array, float) or None
        The coefficients and that eigenvalue; None when the solver does not succeed.

    Examples
    --------
    >>> units = symmetric_units(1)
    >>> first, second = Combination(np.array([0]), units), Combination(np.array([0, 1]), np.array([[[-1.0]], [[1.0]]]))
    >>> coefficients, margin = best_margin([first, second], np.ones(2), 3.0)
    >>> coefficients.round(6).tolist(), round(margin, 6)
    ([1.0, 2.0], 1.0)

    Notes
    -----
    When this fails: combinations whose sizes differ by more than about 1e8.
    """
    count = len(weights)
    used = np.flatnonzero(weights)
    rows, columns, values = [np.zeros(len(used), dtype=np.int64)], [used], [weights[used]]
    right = 1
    for combination in combinations:
        triangle, unit = _triangle(combination.matrices), _triangle(np.eye(combination.matrices.shape[-1])[None])
        entries = np.hstack([-triangle, unit])
        places = np.append(combination.unknowns, count)
        i, k = np.nonzero(entries)
        rows.append(i + right)
        columns.append(places[k])
        values.append(entries[i, k])
        right += len(entries)
    data = np.concatenate(values)
    if not np.isfinite(data).all():
        return None
    constraints = _Columns(np.concatenate(rows), np.concatenate(columns), data, (right, count + 1))
    sizes = [combination.matrices.shape[-1] for combination in combinations]
    x = _maximise_last(constraints, total, sizes, time_limit)
    return None if x is None else (x[:count], float(x[-1]))


def symmetric_units(n: int) -> Array:
    """Return the symmetric matrices of size n with one or two entries 1 and no others: a basis.

    Examples
    --------
    >>> symmetric_units(2).astype(int).tolist()
    [[[1, 0], [0, 0]], [[0, 1], [1, 0]], [[0, 0], [0, 1]]]
    """
    units = np.zeros((n * (n + 1) // 2, n, n))
    for index, (i, j) in enumerate(zip(*np.tril_indices(n), strict=True)):
        units[index, i, j] = units[index, j, i] = 1
    return units


def _triangle(stack: Array) -> Array:
    """Upper triangles as columns, by columns of the matrices, off-diagonal entries times the square root of 2."""
    n = stack.shape[-1]
    pairs = [(i, j) for j in range(n) for i in range(j + 1)]
    i, j = np.array(pairs).T
    return np.asarray(stack[:, i, j].T * np.where(i == j, 1.0, math.sqrt(2))[:, None], dtype=np.float64)


def _maximise_last(constraints: _Columns, total: float, sizes: list[int], time_limit: float) -> Array | None:
    """Maximise the last unknown under one equation and semidefinite blocks; None when the solver does not succeed."""
    unknowns = constraints.shape[1]
    objective, right = np.zeros(unknowns), np.zeros(constraints.shape[0])
    objective[-1], right[0] = -1, total
    none = np.zeros(0, dtype=np.int64)
    try:
        # Clarabel imports these on its own when it solves, and does not survive an interrupt there.
        for name in ("scipy.linalg.cython_blas", "scipy.linalg.cython_lapack"):
            import_module(name)
        # Imported by name, because it is heavy and has no type stubs.
        clarabel = import_module("clarabel")
        settings = clarabel.DefaultSettings()
        settings.verbose = False
        settings.time_limit = max(time_limit, 0.0)
        cones = [clarabel.ZeroConeT(1)] + [clarabel.PSDTriangleConeT(size) for size in sizes]
        quadratic = _Columns(none, none, np.zeros(0), (unknowns, unknowns))
        solver = clarabel.DefaultSolver(quadratic, objective, constraints, right, cones, settings)
        solution = solver.solve()
    except Exception:
        # A guess that fails is no guess; what a solver raises is not documented.
        return None
    x = np.array(solution.x, dtype=np.float64)
    return x if str(solution.status) in ("Solved", "AlmostSolved") and bool(np.isfinite(x).all()) else None


class _Columns:
    """A matrix in compressed sparse columns with the attributes that Clarabel reads, without importing scipy."""

    has_sorted_indices = has_canonical_format = True

    def __init__(
        self, rows: NDArray[np.int64], columns: NDArray[np.int64], values: Array, shape: tuple[int, int]
    ) -> None:
        order = np.lexsort((rows, columns))
        self.shape, self.indices, self.data = shape, rows[order], values[order]
        self.indptr = np.concatenate([[0], np.cumsum(np.bincount(columns, minlength=shape[1]))])

    def sort_indices(self) -> None:
        """Do nothing: the indices are sorted."""

    def sum_duplicates(self) -> None:
        """Do nothing: there are no duplicates."""

"""Rates that a matrix attains: a quadratic form on the boundary, found exactly where floating point cannot reach.

When an eigenvalue of A has exactly the modulus r that is to be proved, ``r^2 P - A^T P A`` can only be semidefinite if
it vanishes on the invariant subspace of all such eigenvalues. That is a linear system for P over the rationals. A
semidefinite program chooses a solution of it that is definite and leaves room in all other directions.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.intervals import Letter
from piggycheck.linalg import block_matrix, float_rows, scale_roots, solve, zeros
from piggycheck.roots import exceeds_one, unit_circle_part
from piggycheck.stability.floats import Array
from piggycheck.stability.semidefinite import largest_margin
from piggycheck.stability.word_tree import WordTree, prove_word_tree
from piggycheck.switched import first_indices

__all__ = ["prove_attained_rate"]

_MAX_DENOMINATOR_BITS = 30
_MOST_NODES = 300


def prove_attained_rate(A: Sequence[Letter], rate: fmpq, *, time_limit: float = 5.0) -> WordTree | None:
    """Prove that the joint spectral radius is at most a rate that the spectral radius of some matrix attains.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    rate : fmpq
        The rate to prove, positive.
    time_limit : float
        Seconds after which the attempt is given up.

    Returns
    -------
    WordTree or None
        None when no matrix attains the rate, when one exceeds it, or when no proof was found.

    Examples
    --------
    >>> A = [fmpq_mat([[fmpq(1, 2), 100], [0, fmpq(1, 3)]]), fmpq_mat([[fmpq(-2, 5), -50], [0, fmpq(9, 10)]])]
    >>> prove_attained_rate(A, fmpq(9, 10)).rate
    9/10
    >>> prove_attained_rate(A, fmpq(8, 9)) is None
    True

    Notes
    -----
    When this fails: the rate is attained by a longer word only, or with a Jordan block; or a matrix is known only
    between bounds, for which no form on the boundary is looked for.
    """
    deadline = time.monotonic() + time_limit
    letters = [A[i] for i in sorted(set(first_indices(A)))]
    distinct = [M for M in letters if isinstance(M, fmpq_mat)]
    if len(distinct) < len(letters):
        return None
    invariant: list[list[fmpq_mat]] = []
    for M in distinct:
        poly = scale_roots(M.charpoly(), rate)
        if exceeds_one(poly):
            return None
        invariant.append(solve(_value(unit_circle_part(poly), M * (1 / rate)), zeros(M.nrows(), 0))[1])
    if not any(invariant):
        return None
    basis = _admissible_forms(distinct, rate, invariant)
    attaining = [index for index, subspace in enumerate(invariant) if subspace]
    for chosen in (list(range(len(distinct))), attaining):
        for P in _guesses(distinct, rate, invariant, basis, chosen):
            remaining = deadline - time.monotonic()
            if remaining <= 0:
                return None
            tree = prove_word_tree(A, P, rate, node_budget=_MOST_NODES, time_limit=remaining)
            if tree is not None:
                return tree
    return None


def _value(poly: fmpq_poly, M: fmpq_mat) -> fmpq_mat:
    """The polynomial of a matrix, by Horner's rule."""
    n = M.nrows()
    result = zeros(n, n)
    for coefficient in reversed(poly.coeffs()):
        result = result * M
        for i in range(n):
            result[i, i] += coefficient
    return result


def _admissible_forms(A: Sequence[fmpq_mat], rate: fmpq, invariant: list[list[fmpq_mat]]) -> list[fmpq_mat]:
    """A basis of the symmetric P for which ``rate^2 P - A^T P A`` vanishes on the invariant subspaces."""
    n = A[0].nrows()
    units = []
    for i in range(n):
        for j in range(i + 1):
            unit = zeros(n, n)
            unit[i, j] = unit[j, i] = 1
            units.append(unit)
    columns = []
    for unit in units:
        conditions: list[fmpq] = []
        for M, subspace in zip(A, invariant, strict=True):
            if subspace:
                gap = rate * rate * unit - M.transpose() * unit * M
                conditions.extend((gap * block_matrix([subspace])).entries())
        columns.append(fmpq_mat(len(conditions), 1, conditions))
    combinations = solve(block_matrix([columns]), zeros(columns[0].nrows(), 0))[1]
    return [sum((c * unit for c, unit in zip(x.entries(), units, strict=True)), zeros(n, n)) for x in combinations]


def _guesses(
    A: Sequence[fmpq_mat],
    rate: fmpq,
    invariant: list[list[fmpq_mat]],
    basis: list[fmpq_mat],
    chosen: list[int],
) -> Iterator[fmpq_mat]:
    """Admissible forms with ever larger denominators, near the one with the largest margin for the chosen matrices."""
    if not basis:
        return
    stack = np.array([float_rows(N) for N in basis])
    blocks = [stack]
    for index in chosen:
        gaps = np.array([float_rows(rate * rate * N - A[index].transpose() * N * A[index]) for N in basis])
        U = _complement(invariant[index], A[0].nrows())
        if U.shape[1]:
            blocks.append(U.T @ gaps @ U)
    coefficients = largest_margin(blocks, stack.trace(axis1=1, axis2=2), float(stack.shape[-1]))
    if coefficients is None:
        return
    scaled = coefficients / max(float(np.abs(coefficients).min()), 1e-6 * float(np.abs(coefficients).max()))
    for bits in range(_MAX_DENOMINATOR_BITS):
        d = 2**bits
        rounded = [fmpq(round(float(c) * d), d) for c in scaled]
        yield sum((c * N for c, N in zip(rounded, basis, strict=True)), zeros(*stack.shape[1:]))


def _complement(subspace: list[fmpq_mat], n: int) -> Array:
    """An orthonormal basis of the orthogonal complement, as columns."""
    if not subspace:
        return np.eye(n)
    columns = np.array([float_rows(vector) for vector in subspace])[:, :, 0].T
    U: Array = np.linalg.svd(columns, full_matrices=True)[0]
    return U[:, len(subspace) :]

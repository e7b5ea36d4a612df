"""Proofs that no common quadratic form exists: the dual of the semidefinite program that looks for one.

If positive semidefinite Q_i make ``S = sum_i (A_i Q_i A_i^T - rate^2 Q_i)`` positive semidefinite and not zero, no
positive definite P has ``A_i^T P A_i <= rate^2 P`` for every i: the trace of ``S P`` would be positive, and it is the
sum of the traces of ``Q_i (A_i^T P A_i - rate^2 P)``, none of which is.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import TYPE_CHECKING

from flint import fmpq, fmpq_mat

from piggycheck.intervals import IntervalMatrix, Letter, midpoint, radius
from piggycheck.linalg import as_float, block_matrix, entries, identity, is_positive_semidefinite, solve, zeros
from piggycheck.stability.path_complete import guess_forms, rounded_together

if TYPE_CHECKING:
    from piggycheck.stability.floats import Array

__all__ = ["least_gain", "prove_no_common_form", "refutes_common_form"]

_LEAST_MARGIN = 1e-11
_NEGLIGIBLE = 1e-2
_DENOMINATORS = (1, 10, 100, 1000, 10_000)


def refutes_common_form(A: Sequence[Letter], rate: fmpq, Q: Sequence[fmpq_mat]) -> bool:
    """Check, exactly, a proof that no positive definite P has ``A_i^T P A_i <= rate^2 P`` for every i.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    rate : fmpq
        Not negative.
    Q : sequence of fmpq_mat
        One matrix for each of A.

    Returns
    -------
    bool
        True proves it, for every choice of matrices between bounds. False proves nothing.

    Examples
    --------
    >>> A = [fmpq_mat([[1, 0], [1, 0]]), fmpq_mat([[0, 1], [0, -1]])]
    >>> Q = [fmpq_mat([[1, 0], [0, 0]]), fmpq_mat([[0, 0], [0, 1]])]
    >>> refutes_common_form(A, fmpq(1), Q), refutes_common_form(A, fmpq(3, 2), Q)
    (True, False)

    Notes
    -----
    When this fails: it is a sufficient condition. Wide intervals overestimate.
    """
    n = A[0].nrows() if A else 0
    if not n or rate < 0 or len(Q) != len(A) or any((M.nrows(), M.ncols()) != (n, n) for M in (*A, *Q)):
        return False
    if any(M.transpose() != M or not is_positive_semidefinite(M) for M in Q):
        return False
    S = least_gain(A, rate, Q)
    return S != zeros(n, n) and is_positive_semidefinite(S)


def least_gain(A: Sequence[Letter], rate: fmpq, Q: Sequence[fmpq_mat]) -> fmpq_mat:
    """Return the matrix ``S = sum_i (A_i Q_i A_i^T - rate^2 Q_i)``, or one below it for every choice between bounds.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
    rate : fmpq
    Q : sequence of fmpq_mat
        Symmetric.

    Returns
    -------
    fmpq_mat
        Of interval matrices, the middle, each diagonal entry of which is lowered by the sum of the radii in its row.

    Examples
    --------
    >>> least_gain([fmpq_mat([[2]]), fmpq_mat([[0]])], fmpq(1), [fmpq_mat([[3]]), fmpq_mat([[1]])])
    [8]
    """
    n = A[0].nrows()
    S, spread = zeros(n, n), zeros(n, n)
    for M, form in zip(A, Q, strict=True):
        image = M * form * M.transpose()
        S += midpoint(image) - rate * rate * form
        spread += radius(image)
    for i, row in enumerate(entries(spread)):
        S[i, i] -= sum(row, fmpq(0))
    return S


def prove_no_common_form(A: Sequence[Letter], rate: fmpq, *, time_limit: float = 10.0) -> tuple[fmpq_mat, ...] | None:
    """Prove that no positive definite P has ``A_i^T P A_i <= rate^2 P`` for every i.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    rate : fmpq
        Not negative.
    time_limit : float
        Seconds after which the attempt is given up.

    Returns
    -------
    tuple of fmpq_mat or None
        Matrices Q that `refutes_common_form` accepts; None when there is a form, or no proof was found.

    Examples
    --------
    >>> A = [fmpq_mat([[1, 0], [1, 0]]), fmpq_mat([[0, 1], [0, -1]])]
    >>> refutes_common_form(A, fmpq(7, 5), prove_no_common_form(A, fmpq(7, 5)))
    True
    >>> prove_no_common_form(A, fmpq(10, 7)) is None
    True

    Notes
    -----
    For matrices without a common invariant subspace there is such a proof whenever there is no form. When this fails:
    invariant subspaces that are irrational, and forms that only Jordan blocks forbid, such as for ``[[1, 1], [0, 1]]``
    at the rate 1.
    """
    deadline = time.monotonic() + time_limit
    if rate < 0:
        return None
    for Q in _candidates(A, rate, time_limit):
        if refutes_common_form(A, rate, Q):
            return tuple(Q)
        if time.monotonic() > deadline:
            return None
    for V, restricted in _invariant_subspaces(A, rate, deadline - time.monotonic()):
        inner = prove_no_common_form(restricted, rate, time_limit=deadline - time.monotonic())
        if inner is not None:
            return tuple(V * Q * V.transpose() for Q in inner)
    return None


def _candidates(A: Sequence[Letter], rate: fmpq, time_limit: float) -> Iterator[list[fmpq_mat]]:
    """Identities, and then the roundings of what a semidefinite program proposes."""
    yield [identity(A[0].nrows())] * len(A)
    guess = _guess(A, as_float(rate), time_limit)
    if guess is not None:
        yield from rounded_together(guess)


def _guess(A: Sequence[Letter], rate: float, time_limit: float) -> list[Array] | None:
    """The Q, in floating point, for which they and S are definite with the largest margin."""
    import numpy as np

    from piggycheck.stability.floats import float_matrices
    from piggycheck.stability.path_complete import well_scaled
    from piggycheck.stability.semidefinite import Combination, best_margin, symmetric_units

    scaled = well_scaled(float_matrices([midpoint(M) for M in A]))
    if scaled is None or not scaled[2] > 0 or not math.isfinite(rate):
        return None
    T, matrices, scale = scaled
    units = symmetric_units(len(T))
    size, count = len(units), len(A)
    own = [Combination(np.arange(size) + index * size, units) for index in range(count)]
    gains = np.concatenate([M @ units @ M.T - (rate / scale) ** 2 * units for M in matrices])
    weights = np.tile(units.trace(axis1=1, axis2=2), count)
    together = Combination(np.arange(count * size), gains)
    found = best_margin([*own, together], weights, float(count * len(T)), time_limit=time_limit)
    if found is None or found[1] < _LEAST_MARGIN:
        return None
    inverse = np.linalg.inv(T)
    return [inverse @ np.tensordot(c, units, axes=1) @ inverse.T for c in found[0].reshape(count, size)]


def _invariant_subspaces(A: Sequence[Letter], rate: fmpq, time_limit: float) -> Iterator[tuple[fmpq_mat, list[Letter]]]:
    """Common invariant subspaces, where a semidefinite form that all matrices contract vanishes, and A on them."""
    import numpy as np

    from piggycheck.stability.floats import float_matrices

    loops = [(0, letter, 0) for letter in range(len(A))]
    matrices = float_matrices([midpoint(M) for M in A])
    forms = guess_forms(matrices, as_float(rate), 1, loops, time_limit=time_limit)
    if forms is None:
        return
    eigenvalues, vectors = np.linalg.eigh(forms[0])
    for size in range(len(eigenvalues) - 1, 0, -1):
        if eigenvalues[size - 1] < _NEGLIGIBLE * eigenvalues[size]:
            for V in _rational_spans(vectors[:, :size]):
                restricted = _restrictions(A, V)
                if restricted is not None:
                    yield V, restricted


def _rational_spans(vectors: Array) -> Iterator[fmpq_mat]:
    """Rational matrices whose columns span about the same subspace, with ever larger denominators."""
    import numpy as np

    n, size = vectors.shape
    rows: list[int] = []
    rest = vectors.copy()
    for _ in range(size):
        rows.append(int(np.argmax((rest * rest).sum(axis=1))))
        pivot = rest[rows[-1]] / np.linalg.norm(rest[rows[-1]])
        rest = rest - np.outer(rest @ pivot, pivot)
    reduced = vectors @ np.linalg.inv(vectors[rows])
    before = None
    for denominator in _DENOMINATORS:
        near = [Fraction(float(value)).limit_denominator(denominator) for value in reduced.ravel()]
        V = fmpq_mat(n, size, [fmpq(value.numerator, value.denominator) for value in near])
        if before is None or before != V:
            yield V
        before = V


def _restrictions(A: Sequence[Letter], V: fmpq_mat) -> list[Letter] | None:
    """The matrices on the span of the columns of V; None when it is not invariant."""
    size = V.ncols()
    complement = solve(V.transpose(), zeros(size, 0))[1]
    T = block_matrix([[V, *complement]])
    if T.ncols() != V.nrows():
        return None
    inverse, restrictions = T.inv(), list[Letter]()
    for M in A:
        changed = inverse * M * V
        outside = midpoint(changed), radius(changed)
        if any(part[i, j] != 0 for part in outside for i in range(size, V.nrows()) for j in range(size)):
            return None
        inside = [_top(part, size) for part in outside]
        restrictions.append(IntervalMatrix(*inside) if isinstance(M, IntervalMatrix) else inside[0])
    return restrictions


def _top(M: fmpq_mat, rows: int) -> fmpq_mat:
    return fmpq_mat(entries(M)[:rows])

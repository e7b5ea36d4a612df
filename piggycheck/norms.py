"""Definiteness and norms of large matrices: floating point guesses a factor, integers prove that it fits.

A symmetric S is positive definite if ``S - mu I = L L^T + E`` with ``|E| < mu``. L is guessed by a Cholesky
factorisation in double precision and rounded to integers over a power of two; the residual E is then computed exactly.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from flint import arb, arb_mat, fmpq, fmpz, fmpz_mat

from piggycheck.errors import UnknownError

__all__ = ["is_enclosed_definite", "is_proved_definite", "scaled_integers", "spectral_norm_bound"]

_BITS = 60
_FACTOR_BITS = 56
_MARGINS = (2.0**-40, 2.0**-36, 2.0**-30)


def scaled_integers(A: arb_mat, bits: int = _BITS) -> tuple[fmpz_mat, fmpq]:
    """Round a matrix to integers over ``2**bits``; return them with a bound on the Frobenius norm of the error.

    Examples
    --------
    >>> scaled_integers(arb_mat([[arb(1.5)]]), 4)
    ([24], 0)
    """
    scale = arb(2) ** bits
    rounded = [_nearest(entry * scale) for entry in A.entries()]
    integers = fmpz_mat(A.nrows(), A.ncols(), [middle for middle, _ in rounded])
    worst = max((radius for _, radius in rounded), default=fmpz(0))
    error = fmpq(worst * (fmpz(A.nrows() * A.ncols()).isqrt() + 1), fmpz(2) ** bits)
    return integers, error


def _nearest(value: arb) -> tuple[fmpz, fmpz]:
    """An integer and an integer bound of how far it is from every point of a ball."""
    low, high = value.lower().floor().unique_fmpz(), value.upper().ceil().unique_fmpz()
    middle = (low + high) // 2
    return middle, high - low


def is_proved_definite(S: fmpz_mat, bits: int = _BITS) -> bool:
    """Prove that the symmetric matrix ``S / 2**bits`` is positive definite; False means only that this was not proved.

    Parameters
    ----------
    S : fmpz_mat
        Symmetric.
    bits : int

    Examples
    --------
    >>> is_proved_definite(fmpz_mat([[2, 1], [1, 2]]), 0), is_proved_definite(fmpz_mat([[1, 2], [2, 1]]), 0)
    (True, False)

    Notes
    -----
    Source: Rump, Verification of positive definiteness, 2006, for the idea; here the residual is exact.

    When this fails: a smallest eigenvalue below about 1e-13 of the norm is too close to zero for the guessed factor.
    """
    size = S.nrows()
    if not size:
        return True
    floats = np.array([float(e) for e in S.entries()]).reshape(size, size) * 2.0**-bits
    smallest = np.linalg.eigvalsh(floats)[0]
    if not smallest > 0:
        return False
    margin = fmpq(fmpz(int(smallest / 2 * 2.0**_FACTOR_BITS)), fmpz(2) ** _FACTOR_BITS)
    try:
        factor = np.linalg.cholesky(floats - np.eye(size) * float(margin.p) / float(margin.q))
    except np.linalg.LinAlgError:
        return False
    L = fmpz_mat(size, size, [int(e) for e in np.rint(factor * 2.0**_FACTOR_BITS).ravel().tolist()])
    product = L * L.transpose()
    up = max(bits, 2 * _FACTOR_BITS)
    left, right = fmpz(2) ** (up - bits), fmpz(2) ** (up - 2 * _FACTOR_BITS)
    shift = (margin * fmpq(fmpz(2) ** up)).p  # exact: the margin's denominator divides 2**up
    residual = S * left - product * right
    squares = sum((e * e for e in residual.entries()), start=fmpz(0))
    diagonal = [residual[i, i] for i in range(size)]
    squares += sum(((d - shift) ** 2 - d * d for d in diagonal), start=fmpz(0))
    return bool(squares < shift * shift)


def is_enclosed_definite(S: arb_mat, smallest: float | None = None) -> bool:
    """Prove that every symmetric matrix between bounds is positive definite; False means only that this was not proved.

    Parameters
    ----------
    S : arb_mat
        Balls that contain the entries.
    smallest : float, optional
        A guess of the smallest eigenvalue, when it is known.

    Examples
    --------
    >>> [is_enclosed_definite(arb_mat([[2, 1], [1, arb(2, radius)]])) for radius in (0.25, 2)]
    [True, False]

    Notes
    -----
    As `is_proved_definite`, with the residual in balls at the working precision: faster for small matrices.
    """
    size = S.nrows()
    if not size:
        return True
    floats = np.array([float(e) for e in S.entries()]).reshape(size, size)
    if not np.isfinite(floats).all():
        return False
    if smallest is None:
        smallest = float(np.linalg.eigvalsh(floats)[0])
    margin = smallest * 15 / 16  # the larger, the more uncertainty it covers
    if not margin > 0:
        return False
    try:
        factor = np.linalg.cholesky(floats - margin * np.eye(size))
    except np.linalg.LinAlgError:
        return False
    L = arb_mat(size, size, factor.ravel().tolist())
    residual = S - L * L.transpose()
    for i in range(size):
        residual[i, i] = residual[i, i] - margin
    column = arb_mat(size * size, 1, residual.entries())
    return bool((column.transpose() * column)[0, 0] < arb(margin) ** 2)


def spectral_norm_bound(A: arb_mat) -> fmpq:
    """Bound the spectral norm of an exactly known matrix from above, closely.

    Raises
    ------
    UnknownError
        When no bound near the guessed norm was proved.

    Examples
    --------
    >>> bound = spectral_norm_bound(arb_mat([[3, 0], [0, 1]]))
    >>> bool(3 <= bound < fmpq(3000001, 1000000))
    True

    Notes
    -----
    Symmetric matrices are tested as they are, others by ``A^T A`` or ``A A^T``.
    """
    rows, columns = A.nrows(), A.ncols()
    if not rows or not columns:
        return fmpq(0)
    integers, error = scaled_integers(A)
    guess = _norm_guess(integers)
    if guess == 0 and all(e == 0 for e in integers.entries()):
        return error
    test = _symmetric_test if rows == columns and integers == integers.transpose() else _product_test
    for margin in _MARGINS:
        bound = fmpq(fmpz(int(guess * (1 + margin) * 2.0**_BITS) + 1), fmpz(2) ** _BITS)
        if test(integers, bound):
            return bound + error
    raise UnknownError(f"the spectral norm of a matrix of {rows} rows and {columns} columns was not bounded")


def _norm_guess(integers: fmpz_mat) -> float:
    floats = np.array([float(e) for e in integers.entries()]).reshape(integers.nrows(), integers.ncols())
    return float(np.linalg.norm(floats * 2.0**-_BITS, 2))


def _symmetric_test(A: fmpz_mat, bound: fmpq) -> bool:
    shift = _diagonal(A.nrows(), (bound * fmpq(fmpz(2) ** _BITS)).ceil())
    return is_proved_definite(shift - A) and is_proved_definite(shift + A)


def _product_test(A: fmpz_mat, bound: fmpq) -> bool:
    product = A.transpose() * A if A.ncols() <= A.nrows() else A * A.transpose()
    square = (bound * bound * fmpq(fmpz(2) ** (2 * _BITS))).floor()
    return is_proved_definite(_diagonal(product.nrows(), square) - product, 2 * _BITS)


def _diagonal(size: int, value: Any) -> fmpz_mat:
    matrix = fmpz_mat(size, size)
    for i in range(size):
        matrix[i, i] = value
    return matrix

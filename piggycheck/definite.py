"""Definiteness of symmetric rational matrices, by exact factorisation: both answers are theorems."""

from __future__ import annotations

from flint import fmpq, fmpq_mat

from piggycheck.errors import NumberError

__all__ = ["is_positive_definite", "is_positive_semidefinite", "ldl"]


def ldl(M: fmpq_mat) -> tuple[fmpq_mat, list[fmpq]] | None:
    """Factor a symmetric positive semidefinite matrix as ``L diag(d) L^T``, or prove that it is not semidefinite.

    Parameters
    ----------
    M : fmpq_mat
        A symmetric matrix.

    Returns
    -------
    (fmpq_mat, list of fmpq) or None
        L unit lower triangular and d nonnegative; None exactly when M is not positive semidefinite.

    Raises
    ------
    NumberError
        When the matrix is not symmetric.

    Examples
    --------
    >>> L, d = ldl(fmpq_mat([[2, 1], [1, 2]]))
    >>> d
    [2, 3/2]
    >>> ldl(fmpq_mat([[0, 1], [1, 0]])) is None
    True

    Notes
    -----
    A zero pivot of a semidefinite matrix has a zero column below it. When this fails: it does not.
    """
    _require_symmetric(M)
    n = M.nrows()
    rest = M.tolist()
    L = fmpq_mat(n, n)
    for i in range(n):
        L[i, i] = fmpq(1)
    pivots = []
    for k in range(n):
        pivot = rest[k][k]
        if pivot < 0 or (pivot == 0 and any(rest[i][k] != 0 for i in range(k + 1, n))):
            return None
        pivots.append(pivot)
        for i in range(k + 1, n):
            if rest[i][k] == 0:
                continue
            factor = rest[i][k] / pivot
            L[i, k] = factor
            for j in range(k + 1, i + 1):
                rest[i][j] -= factor * rest[j][k]
    return L, pivots


def is_positive_definite(M: fmpq_mat) -> bool:
    """Decide whether a symmetric matrix is positive definite.

    Parameters
    ----------
    M : fmpq_mat
        A symmetric matrix; the 0 by 0 matrix is definite.

    Returns
    -------
    bool
        Both answers are theorems.

    Raises
    ------
    NumberError
        When the matrix is not symmetric.

    Examples
    --------
    >>> is_positive_definite(fmpq_mat([[2, 1], [1, 2]])), is_positive_definite(fmpq_mat([[1, 1], [1, 1]]))
    (True, False)

    Notes
    -----
    When this fails: it does not.
    """
    factors = ldl(M)
    return factors is not None and all(pivot > 0 for pivot in factors[1])


def is_positive_semidefinite(M: fmpq_mat) -> bool:
    """Decide whether a symmetric matrix is positive semidefinite.

    Parameters
    ----------
    M : fmpq_mat
        A symmetric matrix; the 0 by 0 matrix is semidefinite.

    Returns
    -------
    bool
        Both answers are theorems.

    Raises
    ------
    NumberError
        When the matrix is not symmetric.

    Examples
    --------
    >>> is_positive_semidefinite(fmpq_mat([[1, 1], [1, 1]])), is_positive_semidefinite(fmpq_mat([[0, 1], [1, 0]]))
    (True, False)

    Notes
    -----
    When this fails: it does not.
    """
    if M.nrows() == 2 and M.ncols() == 2:
        _require_symmetric(M)
        a, b, c = M[0, 0], M[0, 1], M[1, 1]
        return a >= 0 and c >= 0 and a * c >= b * b
    return ldl(M) is not None


def _require_symmetric(M: fmpq_mat) -> None:
    if M.nrows() != M.ncols():
        raise NumberError(f"the matrix is {M.nrows()} by {M.ncols()}; write a symmetric one")
    for i in range(M.nrows()):
        for j in range(i):
            if M[i, j] != M[j, i]:
                raise NumberError(
                    f"entries ({i}, {j}) and ({j}, {i}) are {M[i, j]} and {M[j, i]}; write a symmetric matrix"
                )

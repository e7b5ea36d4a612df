"""Quadratic forms that grow along a word, for every choice of matrices between bounds, a new one at every step.

The product of many matrices between bounds is enclosed poorly; forms P_0, ..., P_{n-1}, one before each letter, need no
product. Where ``x^T P_0 x`` is positive it stays so, and gains the square of the rate with each letter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from flint import fmpq, fmpq_mat

from piggycheck.intervals import Letter, absolute, midpoint, radius
from piggycheck.linalg import entries, float_rows, is_positive_semidefinite

if TYPE_CHECKING:
    from piggycheck.stability.floats import Array

__all__ = ["grow_along", "prove_growing_forms"]

_BITS = (10, 20, 40)
_SWEEPS = 6
_LARGEST_SYSTEM = 1600


def grow_along(A: Sequence[Letter], word: Sequence[int], forms: Sequence[fmpq_mat], rate: fmpq) -> bool:
    """Prove with given forms that products along a word, repeated, grow at least at a rate.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
    word : Word
    forms : sequence of fmpq_mat
        Symmetric, one for each letter, the first not negative semidefinite: ``M^T P_{k+1} M - rate^2 P_k`` is positive
        semidefinite for every matrix M that the k-th letter stands for, with P_0 after the last of them.
    rate : fmpq
        Not negative.

    Returns
    -------
    bool
        True is a theorem: the joint spectral radius is at least the rate for every choice of matrices between the
        bounds, and every product along the word has an eigenvalue of modulus at least ``rate ** len(word)``. False
        proves nothing.

    Examples
    --------
    >>> A, P = fmpq_mat([[2, 0], [0, 1]]), fmpq_mat([[1, 0], [0, -1]])
    >>> grow_along([A], [0], [P], fmpq(2)), grow_along([A], [0], [P], fmpq(3))
    (True, False)

    Notes
    -----
    Each diagonal entry of the difference for the middle matrix is lowered by what its row can lose (Gershgorin). When
    this fails: wide bounds are overestimated.
    """
    if rate < 0 or not word or len(forms) != len(word) or is_positive_semidefinite(-forms[0]):
        return False
    images = [*forms[1:], forms[0]]
    return all(_grows(A[letter], P, Q, rate) for letter, P, Q in zip(word, forms, images, strict=True))


def _grows(A: Letter, P: fmpq_mat, Q: fmpq_mat, rate: fmpq) -> bool:
    """Prove ``M^T Q M - rate^2 P`` positive semidefinite for every matrix M between the bounds."""
    C, R = midpoint(A), radius(A)
    gain = C.transpose() * Q * C - rate * rate * P
    half = absolute(C.transpose() * Q) * R
    for i, row in enumerate(entries(half + half.transpose() + R.transpose() * absolute(Q) * R)):
        gain[i, i] -= sum(row, fmpq(0))
    return is_positive_semidefinite(gain)


def prove_growing_forms(A: Sequence[Letter], word: Sequence[int], rate: fmpq) -> tuple[fmpq_mat, ...] | None:
    """Look for forms that grow along a word at a rate; floating point guesses, exact arithmetic proves.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
    word : Word
    rate : fmpq
        Positive; below the rate of the middle matrices.

    Returns
    -------
    tuple of fmpq_mat or None

    Examples
    --------
    >>> from piggycheck.intervals import IntervalMatrix
    >>> A = IntervalMatrix(fmpq_mat([[3, -4], [4, 3]]), fmpq_mat(2, 2, [fmpq(1, 10)] * 4))
    >>> len(prove_growing_forms([A, fmpq_mat([[1, 1], [0, 1]])], (0, 0, 1), fmpq(2)))
    3

    Notes
    -----
    The forms solve Stein's equations ``C_k^T P_{k+1} C_k - rate^2 P_k = W_k`` for the middle matrices, with diagonal
    W_k that are adapted to what the bounds add. When this fails: the bounds are too wide, or the rate is too near that
    of the middle matrices.
    """
    for forms in _guesses(A, word, rate):
        if grow_along(A, word, forms, rate):
            return forms
    return None


def _guesses(A: Sequence[Letter], word: Sequence[int], rate: fmpq) -> Iterator[tuple[fmpq_mat, ...]]:
    """The best forms that floating point finds, with more and more digits."""
    import numpy as np

    active = {letter: _columns(A[letter]) for letter in set(word)}
    places = [active[letter] for letter in word]
    if not all(places) or len(places[0]) ** 2 > _LARGEST_SYSTEM:
        return
    with np.errstate(all="ignore"):
        floats = {i: [np.array(float_rows(X * (1 / rate))) for X in (midpoint(A[i]), radius(A[i]))] for i in active}
        nexts = [*places[1:], places[0]]
        grids = [np.ix_(to, now) for now, to in zip(places, nexts, strict=True)]
        steps = [(floats[i][0][grid], floats[i][1][grid]) for i, grid in zip(word, grids, strict=True)]
        forms = _adapted_forms(steps)
    if forms is None:
        return
    largest = max(float(abs(P).max()) for P in forms)
    n = A[0].nrows()
    for bits in _BITS:
        yield tuple(_rounded(P * (2.0**bits / largest), now, n) for P, now in zip(forms, places, strict=True))


def _columns(M: Letter) -> list[int]:
    """Indices of the columns that are not zero: the coordinates on which an image depends."""
    size = absolute(midpoint(M)) + radius(M)
    return [j for j in range(M.ncols()) if any(size[i, j] for i in range(M.nrows()))]


def _adapted_forms(steps: Sequence[tuple[Array, Array]]) -> list[Array] | None:
    """Forms for which the bounds use up the least part of the growth; None when they use up all of it."""
    import numpy as np

    weights = [np.ones(C.shape[1]) for C, _ in steps]
    best, smallest = None, 1.0
    for _ in range(_SWEEPS):
        forms = _periodic_forms([C for C, _ in steps], weights)
        if forms is None:
            return best
        images = [*forms[1:], forms[0]]
        spreads = [_spread(C, R, Q) for (C, R), Q in zip(steps, images, strict=True)]
        used = max(float((spread / weight).max()) for spread, weight in zip(spreads, weights, strict=True))
        if not np.isfinite(used):
            return best
        if used < smallest:
            best, smallest = forms, used
        weights = [spread / (used or 1.0) + 1e-3 * weight for spread, weight in zip(spreads, weights, strict=True)]
    return best


def _periodic_forms(matrices: Sequence[Array], weights: Sequence[Array]) -> list[Array] | None:
    """Solve ``C_k^T P_{k+1} C_k - P_k = diag(w_k)`` around a cycle."""
    import numpy as np

    n = matrices[0].shape[1]
    product, constant = np.eye(n), np.zeros((n, n))
    for C, weight in zip(matrices, weights, strict=True):
        constant -= product.T @ (weight[:, None] * product)
        product = C @ product
    try:
        solution = np.linalg.solve(np.eye(n * n) - np.kron(product.T, product.T), constant.ravel())
    except np.linalg.LinAlgError:
        return None
    forms: list[Array] = [np.asarray(solution, dtype=np.float64).reshape(n, n)]
    for C, weight in zip(reversed(matrices[1:]), reversed(weights[1:]), strict=True):
        forms.append(C.T @ forms[-1] @ C - np.diag(weight))
    forms = [(P + P.T) / 2 for P in [forms[0], *reversed(forms[1:])]]
    return forms if all(np.isfinite(P).all() for P in forms) else None


def _spread(C: Array, R: Array, Q: Array) -> Array:
    """What the bounds can take from each row of ``C^T Q C``."""
    half = abs(C.T @ Q) @ R
    spread: Array = half + half.T + R.T @ abs(Q) @ R
    total: Array = spread.sum(axis=1)
    return total


def _rounded(P: Array, active: Sequence[int], size: int) -> fmpq_mat:
    """A form of integers, zero outside the active coordinates."""
    form = fmpq_mat(size, size)
    for i, row in zip(active, P.round(), strict=True):
        for j, value in zip(active, row, strict=True):
            form[i, j] = fmpq(int(value))
    return form

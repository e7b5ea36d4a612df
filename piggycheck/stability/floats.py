"""Floating-point guesses about products of matrices. Nothing here proves anything."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from flint import fmpq_mat
from numpy.typing import NDArray

from piggycheck.linalg import float_rows
from piggycheck.switched import Word

__all__ = [
    "Array",
    "averaged_form",
    "change_basis",
    "float_matrices",
    "float_tree",
    "improving_words",
    "spectral_radii",
    "squared_norms",
]

Array = NDArray[np.float64]

_MARGIN = 1e-9
_MAX_LEVEL_ENTRIES = 4_000_000


def float_matrices(matrices: Sequence[fmpq_mat]) -> Array:
    """Return rational matrices of one size as one array; entries too large for a float become large ones."""
    array = np.array([float_rows(M) for M in matrices], dtype=np.float64)
    return np.nan_to_num(array, posinf=1e300, neginf=-1e300)


@np.errstate(all="ignore")
def spectral_radii(matrices: Array) -> Array:
    """Spectral radius of each matrix of a stack.

    Examples
    --------
    >>> spectral_radii(np.array([[[0.0, 2.0], [2.0, 0.0]]])).tolist()
    [2.0]
    """
    n = matrices.shape[-1]
    if n == 1:
        return np.abs(matrices[:, 0, 0])
    if n == 2:
        half = (matrices[:, 0, 0] + matrices[:, 1, 1]) / 2
        determinant = matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]
        discriminant = half * half - determinant
        real = np.abs(half) + np.sqrt(np.maximum(discriminant, 0))
        return np.where(discriminant >= 0, real, np.sqrt(np.maximum(determinant, 0)))
    radii = np.full(len(matrices), np.inf)
    finite = np.isfinite(matrices).all(axis=(-1, -2))
    radii[finite] = np.abs(np.linalg.eigvals(matrices[finite])).max(axis=-1)
    return radii


@np.errstate(all="ignore")
def squared_norms(matrices: Array) -> Array:
    """Squared spectral norm of each matrix of a stack.

    Examples
    --------
    >>> squared_norms(np.array([[[0.0, 2.0], [1.0, 0.0]]])).tolist()
    [4.0]
    """
    n = matrices.shape[-1]
    if n == 1:
        return matrices[:, 0, 0] ** 2
    if n == 2:
        total = (matrices * matrices).sum(axis=(-1, -2)) / 2
        determinant = matrices[:, 0, 0] * matrices[:, 1, 1] - matrices[:, 0, 1] * matrices[:, 1, 0]
        return np.asarray(total + np.sqrt(np.maximum((total - determinant) * (total + determinant), 0)))
    gram = np.swapaxes(matrices, -1, -2) @ matrices
    norms = np.full(len(matrices), np.inf)
    finite = np.isfinite(gram).all(axis=(-1, -2))
    norms[finite] = np.linalg.eigvalsh(gram[finite])[:, -1]
    return norms


@np.errstate(all="ignore")
def averaged_form(matrices: Array) -> Array | None:
    """Guess a positive definite P for which all letters have moderate norm: a sum over all products.

    The map ``X -> sum_i A_i^T X A_i`` is iterated from the identity with a discount that makes the sum converge.
    """
    n = matrices.shape[-1]
    transposed = np.swapaxes(matrices, -1, -2)
    X = np.eye(n)
    growth = 0.0
    for _ in range(60):
        X = (transposed @ X @ matrices).sum(axis=0)
        norm = float(np.linalg.norm(X))
        if norm == 0 or not np.isfinite(norm):
            growth = -math.inf
            break
        growth += math.log(norm)
        X = X / norm
    discount = math.exp(-growth / 60) / 1.03 if growth > -math.inf else 1.0
    P = term = np.eye(n)
    for _ in range(200):
        term = (transposed @ term @ matrices).sum(axis=0) * discount
        if not np.isfinite(term).all():
            return None
        P = P + term
        if np.linalg.norm(term) < 1e-12 * np.linalg.norm(P):
            break
    return P


@np.errstate(all="ignore")
def change_basis(matrices: Array, P: Array) -> Array | None:
    """Return ``T A T^{-1}`` with ``P = T^T T``: the norm of P becomes the Euclidean one."""
    try:
        T = np.linalg.cholesky(P).T
        changed: Array = np.linalg.solve(T.T, np.swapaxes(T @ matrices, -1, -2))
    except np.linalg.LinAlgError:
        return None
    changed = np.swapaxes(changed, -1, -2)
    return changed if bool(np.isfinite(changed).all()) else None


def improving_words(
    matrices: Sequence[fmpq_mat], min_length: int, max_length: int, time_limit: float, beam: int
) -> Iterator[tuple[Word, float]]:
    """Yield words of ever larger rate, shortest first: a breadth-first search that keeps the largest products.

    Words are given as their alphabetically first rotation.
    """
    deadline = time.monotonic() + time_limit
    letters = float_matrices(matrices)
    k, n = letters.shape[0], letters.shape[-1]
    P = averaged_form(letters)
    changed = None if P is None else change_basis(letters, P)
    letters = letters if changed is None else changed
    scale = float(np.sqrt(squared_norms(letters).max()))
    if not np.isfinite(scale) or scale == 0:
        return
    letters = letters / scale
    beam = max(16, min(beam, 40_000_000 // (n**3 * 100)))
    products, words = np.eye(n)[None], np.zeros((1, 0), dtype=np.int16)
    best = 0.0
    for length in range(1, max_length + 1):
        products, words = _children(products, words, letters)
        if len(products) > beam:
            kept = np.argsort(-squared_norms(products), kind="stable")[:beam]
            products, words = products[kept], words[kept]
        rates = spectral_radii(products) ** (1 / length)
        index = int(np.argmax(rates))
        if length >= min_length and rates[index] > best * (1 + 1e-10):
            best = float(rates[index])
            yield _least_rotation(_word(words[index])), best * scale
        if time.monotonic() > deadline or k == 1:
            return


@np.errstate(all="ignore")
def float_tree(
    A: Sequence[fmpq_mat],
    P: Array,
    rate: float,
    contracts: Callable[[Word], bool],
    node_budget: int,
    max_length: int,
    deadline: float,
) -> list[Word] | None:
    """Grow the tree of products until all of them contract; None when that does not end within the budget.

    Products whose norm cannot be told from 1 are decided by `contracts`, which is exact.
    """
    letters = change_basis(float_matrices(A) / rate, P)
    if letters is None:
        return None
    k, n = letters.shape[0], letters.shape[-1]
    products, words = np.eye(n)[None], np.zeros((1, 0), dtype=np.int16)
    leaves: list[Word] = []
    nodes = 0
    while len(words):
        nodes += k * len(words)
        too_wide = k * len(words) * n * n > _MAX_LEVEL_ENTRIES
        if nodes > node_budget or too_wide or words.shape[1] >= max_length or time.monotonic() > deadline:
            return None
        products, words = _children(products, words, letters)
        if not np.isfinite(products).all():
            return None
        norms = squared_norms(products)
        closed = norms <= 1 - _MARGIN
        for index in np.flatnonzero(np.abs(norms - 1) < _MARGIN):
            closed[index] = contracts(_word(words[index]))
        leaves.extend(map(_word, words[closed]))
        products, words = products[~closed], words[~closed]
        if len(words) and spectral_radii(products).max() > 1 + _MARGIN:
            # A word that grows faster than the rate: no tree ends.
            return None
    return leaves


def _children(products: Array, words: NDArray[np.int16], letters: Array) -> tuple[Array, NDArray[np.int16]]:
    """One more letter after each word, in alphabetical order."""
    k, n = letters.shape[0], letters.shape[-1]
    products = (letters[None] @ products[:, None]).reshape(-1, n, n)
    last = np.tile(np.arange(k, dtype=np.int16), len(words))[:, None]
    return products, np.concatenate([np.repeat(words, k, axis=0), last], axis=1)


def _word(row: NDArray[np.int16]) -> Word:
    return tuple(int(letter) for letter in row)


def _least_rotation(word: Word) -> Word:
    return min(word[i:] + word[:i] for i in range(len(word)))

"""Floating-point guesses about products of matrices. Nothing here proves anything."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Sequence

import numpy as np
from flint import fmpq
from numpy.typing import NDArray

from piggycheck.intervals import Letter, midpoint
from piggycheck.linalg import float_rows
from piggycheck.stability.balance import balanced, balancing_exponents
from piggycheck.switched import Word

__all__ = [
    "Array",
    "averaged_form",
    "change_basis",
    "float_matrices",
    "float_tree",
    "leading_products",
    "logarithmic_radii",
    "normed_matrices",
    "scaled_matrices",
    "sign_classes",
    "spectral_radii",
    "squared_norms",
]

Array = NDArray[np.float64]

_MARGIN = 1e-9
_NOISE = 1e-5
_ZERO = 1e-30
_MAX_LEVEL_ENTRIES = 4_000_000


def float_matrices(matrices: Sequence[Letter]) -> Array:
    """Return matrices of one size as one array, those between bounds by their midpoints.

    Entries too large for a float become large ones.
    """
    array = np.array([float_rows(midpoint(M)) for M in matrices], dtype=np.float64)
    return np.nan_to_num(array, posinf=1e300, neginf=-1e300)


def scaled_matrices(matrices: Sequence[Letter]) -> tuple[Array, int]:
    """Return ``2^-e T^-1 A T`` as an array, and e: entries of moderate size, by powers of two that are exact.

    Examples
    --------
    >>> from flint import fmpq_mat
    >>> array, exponent = scaled_matrices([fmpq_mat([[2**3000]])])
    >>> array.tolist(), exponent
    ([[[0.5]]], 3001)
    """
    exponents = balancing_exponents(matrices)
    middles = [midpoint(M) for M in (balanced(matrices, exponents) if any(exponents) else matrices)]
    sizes = [int(x.p.bit_length()) - int(x.q.bit_length()) + 1 for M in middles for x in M.entries() if x != 0]
    exponent = max(sizes, default=0)
    return float_matrices([M * (1 / fmpq(2) ** exponent) for M in middles]), exponent


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


def normed_matrices(matrices: Sequence[Letter]) -> tuple[Array, int]:
    """Return ``2^-e T^-1 A T`` as an array, and e: in a basis in which all norms are moderate, if one is found."""
    letters, exponent = scaled_matrices(matrices)
    P = averaged_form(letters)
    changed = None if P is None else change_basis(letters, P)
    return letters if changed is None else changed, exponent


def leading_products(
    matrices: Sequence[Letter], max_length: int, time_limit: float, beam: int
) -> Iterator[tuple[NDArray[np.int16], Array]]:
    """Yield, for each length in turn, words and the binary logarithms of their rates, the largest rate first.

    A breadth-first search that keeps the largest products of each length, and none that are zero.
    """
    deadline = time.monotonic() + time_limit
    letters, exponent = normed_matrices(matrices)
    n = letters.shape[-1]
    beam = max(16, min(beam, 3_200_000 // (n**3 * len(letters))))
    products, words, logarithm = np.eye(n)[None], np.zeros((1, 0), dtype=np.int16), 0.0
    for length in range(1, max_length + 1):
        products, words = _children(products, words, letters)
        kept, largest = _largest(products, beam)
        if not len(kept):
            return
        # One common factor keeps the products in the range of floats.
        products, words, logarithm = products[kept] / largest, words[kept], logarithm + math.log2(largest)
        rates = (logarithmic_radii(products) + logarithm) / length + exponent
        order = np.argsort(-rates, kind="stable")
        yield words[order], rates[order]
        if len(letters) == 1 or time.monotonic() > deadline:
            return


@np.errstate(all="ignore")
def logarithmic_radii(products: Array) -> Array:
    """Return binary logarithms of the spectral radii; minus infinity for those that rounding errors explain."""
    radii = spectral_radii(products)
    return np.where(radii > _NOISE * np.sqrt(squared_norms(products)), np.log2(radii), -np.inf)


def _largest(products: Array, count: int) -> tuple[NDArray[np.intp], float]:
    """Indices of the products of largest norm, and that norm; products that are zero up to rounding are left out."""
    norms = squared_norms(products)
    norms[~np.isfinite(norms)] = 0
    kept = np.flatnonzero(norms > _ZERO * norms.max(initial=0))
    if len(kept) > count:
        kept = np.sort(kept[np.argsort(-norms[kept], kind="stable")[:count]])
    return kept, float(np.sqrt(norms[kept].max())) if len(kept) else 0.0


@np.errstate(all="ignore")
def float_tree(
    A: Sequence[Letter],
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


def sign_classes(matrices: Array) -> list[list[int]]:
    """Group coordinates so that a quadratic form without entries between groups is as good as any.

    Where a diagonal matrix D of signs has ``D A_i D = A_i`` or ``-A_i`` for every i, a form P may be replaced by the
    mean of P and ``D P D``. Coordinates belong to one group when all such D give them the same sign.

    Examples
    --------
    >>> sign_classes(np.array([[[0.0, 2.0], [3.0, 0.0]], [[1.0, 0.0], [0.0, 4.0]]]))
    [[0], [1]]
    >>> sign_classes(np.array([[[1.0, 2.0], [0.0, 1.0]]]))
    [[0, 1]]
    """
    pivots: dict[int, int] = {}

    def reduced(vector: int) -> int:
        for lead in sorted(pivots, reverse=True):
            if vector >> lead & 1:
                vector ^= pivots[lead]
        return vector

    for A in matrices:
        ends = [1 << int(r) ^ 1 << int(c) for r, c in zip(*np.nonzero(A), strict=True)]
        for end in ends[1:]:
            # The signs at both ends of an entry multiply to the same number for all entries.
            vector = reduced(end ^ ends[0])
            if vector:
                pivots[vector.bit_length() - 1] = vector
    classes: dict[int, list[int]] = {}
    for i in range(matrices.shape[-1]):
        classes.setdefault(reduced(1 << i), []).append(i)
    return list(classes.values())

"""Weights at which a determinant is zero or has the other sign: guessed in floating point, decided exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.limits.bernstein import coefficients
from piggycheck.linalg import float_rows, simplest_between

__all__ = ["Weights", "combination", "hidden_root", "nonpositive_weights", "unit_weights"]

Weights = tuple[fmpq, ...]

_STARTS = 24
_ROUNDS = 40
_GRID = 17
_ZOOMS = 12
_DENOMINATORS = (*range(1, 61), 100, 128, 1000, 1024, 10**4, 2**20, 10**9)
_CLOSE = 1e-6


def unit_weights(count: int, index: int) -> Weights:
    """Return the weights of one of the matrices alone.

    Examples
    --------
    >>> unit_weights(2, 0)
    (1, 0)
    """
    return tuple(fmpq(int(i == index)) for i in range(count))


def combination(matrices: Sequence[fmpq_mat], weights: Sequence[fmpq]) -> fmpq_mat:
    """Return the sum of the matrices times their weights.

    Examples
    --------
    >>> combination([fmpq_mat([[1]]), fmpq_mat([[3]])], [fmpq(1, 2), fmpq(1, 2)])
    [2]
    """
    terms = [weight * M for weight, M in zip(weights, matrices, strict=True)]
    return sum(terms[1:], terms[0])


def nonpositive_weights(matrices: Sequence[fmpq_mat], sign: int) -> Weights | None:
    """Look for weights at which ``sign * det`` is not positive, where it is at each of the matrices.

    Parameters
    ----------
    matrices : sequence of fmpq_mat
        Square, of one size.
    sign : int
        1 or -1.

    Returns
    -------
    tuple of fmpq or None
        Verified exactly.

    Examples
    --------
    >>> nonpositive_weights([fmpq_mat([[1, 0], [0, 4]]), fmpq_mat([[-1, 0], [0, -1]])], 1)
    (1/2, 1/2)

    Notes
    -----
    First on the edges, where the determinant is a polynomial of one variable, then by descent from random weights.
    When this fails: None says nothing.
    """
    for weights in _on_edges(matrices):
        if sign * combination(matrices, weights).det() <= 0:
            return weights
    return _by_descent(matrices, sign)


def hidden_root(matrices: Sequence[fmpq_mat]) -> tuple[int, int] | None:
    """Find two matrices between which the determinant has an irrational double root, as is proved exactly.

    Here its square root is ``4 t^2 - 2``.

    Examples
    --------
    >>> M = fmpq_mat([[0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1], [0, 0, 2, 0]])
    >>> N = fmpq_mat([[2, 1, 0, 0], [2, 2, 0, 0], [0, 0, 2, 1], [0, 0, 2, 2]])
    >>> hidden_root([M, N])
    (0, 1)
    """
    for (i, M), (j, N) in combinations(enumerate(matrices), 2):
        poly = _along(M, N)
        repeated = poly.gcd(poly.derivative()) if poly.degree() > 0 else poly
        for factor, _ in repeated.factor()[1] if repeated.degree() > 1 else []:
            ends = [fmpq(0), *_between(_real_roots(factor)), fmpq(1)]
            if any(factor(a) * factor(b) < 0 for a, b in pairwise(ends)):
                return i, j
    return None


def _on_edges(matrices: Sequence[fmpq_mat]) -> Iterator[Weights]:
    for (i, M), (j, N) in combinations(enumerate(matrices), 2):
        poly = _along(M, N)
        if poly.degree() < 1:
            continue
        linear = [factor for factor, _ in poly.factor()[1] if factor.degree() == 1]
        rational = sorted((-factor[0] / factor[1] for factor in linear), key=lambda root: root.q)
        for t in [*rational, *_between(_real_roots(poly))]:
            if 0 < t < 1:
                weights = [fmpq(0)] * len(matrices)
                weights[i], weights[j] = 1 - t, t
                yield tuple(weights)


def _along(M: fmpq_mat, N: fmpq_mat) -> fmpq_poly:
    """The determinant of ``(1 - t) M + t N``, up to a positive factor."""
    values = coefficients([M, N])
    degree = len(values) - 1
    t = fmpq_poly([0, 1])
    total = fmpq_poly([0])
    binomial = 1
    for k, value in enumerate(values):
        total += fmpq(value * binomial) * t**k * (1 - t) ** (degree - k)
        binomial = binomial * (degree - k) // (k + 1)
    return total


def _real_roots(poly: fmpq_poly) -> list[float]:
    """Guesses of the real roots strictly between 0 and 1."""
    largest = max(abs(value) for value in poly.coeffs())
    values = [float(value / largest) for value in reversed(poly.coeffs())]
    roots = np.roots(values)
    return sorted(float(z.real) for z in roots if abs(z.imag) < _CLOSE and 0 < z.real < 1)


def _between(roots: Sequence[float]) -> list[fmpq]:
    """Simple numbers between neighbouring roots."""
    middles = [(a, b) for a, b in pairwise(roots) if b - a > _CLOSE]
    return [simplest_between(_exact(0.75 * a + 0.25 * b), _exact(0.25 * a + 0.75 * b)) for a, b in middles]


def _exact(value: float) -> fmpq:
    return fmpq(*value.as_integer_ratio())


def _by_descent(matrices: Sequence[fmpq_mat], sign: int) -> Weights | None:
    array = np.array([float_rows(M) for M in matrices])
    largest = np.abs(array).max()
    if not np.isfinite(largest) or largest == 0:
        return None
    array /= largest
    generator = np.random.default_rng(1)
    count = len(matrices)
    starts = [np.full(count, 1 / count), *generator.dirichlet(np.ones(count), _STARTS)]
    for start in starts:
        weights, value = _descended(array, sign, start)
        found = _rounded(matrices, sign, weights) if value < _CLOSE else None
        if found is not None:
            return found
    return None


def _descended(array: Any, sign: int, weights: Any) -> tuple[Any, float]:
    """Descend by exact line searches that move weight from one matrix to another."""
    count = len(weights)
    value = np.inf
    for _ in range(_ROUNDS):
        before = value
        for i, j in combinations(range(count), 2):
            direction = np.zeros(count)
            direction[i], direction[j] = 1, -1
            low, high = -weights[i], weights[j]
            for _ in range(_ZOOMS):
                steps = np.linspace(low, high, _GRID)
                values = sign * np.linalg.det(np.tensordot(weights + np.outer(steps, direction), array, 1))
                best = int(np.argmin(values))
                width = (high - low) / (_GRID - 1)
                low, high = max(low, steps[best] - width), min(high, steps[best] + width)
            if values[best] < value:
                value, weights = float(values[best]), weights + steps[best] * direction
        if value < 0 or value >= before - 1e-15:
            break
    return weights, value


def _rounded(matrices: Sequence[fmpq_mat], sign: int, weights: Any) -> Weights | None:
    """Nearby weights of small denominators at which the determinant is not positive."""
    for denominator in _DENOMINATORS:
        numerators = [round(float(w) * denominator) for w in weights[:-1]]
        last = denominator - sum(numerators)
        if last < 0 or min(numerators, default=0) < 0:
            continue
        rounded = tuple(fmpq(n, denominator) for n in [*numerators, last])
        if sign * combination(matrices, rounded).det() <= 0:
            return rounded
    return None

"""Implicit differentiation with the Clarke Jacobian: a matrix that it returns outside the solution map's own.

Where every ``I - A_l`` is invertible the solution map is Lipschitz and piecewise smooth near the point, and its Clarke
Jacobian lies in the convex hull of the matrices ``(I - A_i)^{-1} B_i``. The inverse is not linear, so that
``(I - A_l)^{-1} B_l`` can be outside.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

import numpy as np
from flint import fmpq, fmpq_mat
from scipy.optimize import nnls

from piggycheck.errors import UnknownError
from piggycheck.limits.determinant import Invertible, invertible_on_hull
from piggycheck.limits.implicit import implicit_points, implicit_set_is_hull
from piggycheck.limits.points import exact_pairs
from piggycheck.limits.separation import positive_direction
from piggycheck.limits.singular_weights import Weights, combination
from piggycheck.linalg import as_float, identity
from piggycheck.switched import SwitchedSystem

__all__ = ["Exceeds", "exceeds_clarke"]

_MOST_WEIGHTS = 3000
_DENOMINATOR = 12
_SEPARATED = 1e-9
_SHARES: tuple[tuple[int, ...], ...] = ((1, 1), (1, 2), (2, 1), (1, 1, 1), (1, 1, 2), (1, 2, 1), (2, 1, 1))


@dataclass(frozen=True)
class Exceeds:
    """A matrix from implicit differentiation that is outside the Clarke Jacobian of the solution map.

    Parameters
    ----------
    weights : tuple of fmpq
        l, at least 0 and of sum 1.
    matrix : fmpq_mat
        ``X = (I - A_l)^{-1} B_l``.
    direction : fmpq_mat
        C with ``<C, X> > <C, (I - A_i)^{-1} B_i>`` for every i.
    invertible : Invertible
        A proof that every ``I - A_l`` is invertible.
    """

    weights: Weights
    matrix: fmpq_mat
    direction: fmpq_mat
    invertible: Invertible


def exceeds_clarke(
    system: SwitchedSystem, *, letters: Sequence[int] | None = None, most_weights: int = _MOST_WEIGHTS
) -> Exceeds:
    """Find a matrix that implicit differentiation returns and that is outside the solution map's Clarke Jacobian.

    Parameters
    ----------
    system : SwitchedSystem
        The Jacobian pairs of all active pieces at a fixed point.
    letters : sequence of int, optional
        The pairs that are known to be essentially active, which have weights. All by default.
    most_weights : int
        How many weights are tried.

    Returns
    -------
    Exceeds

    Raises
    ------
    UnknownError
        When none was found, or not every ``I - A_l`` was proved invertible.

    Examples
    --------
    >>> a = [[["1/4", "-3/4"], ["1/4", 1]], [["5/4", "3/4"], ["-3/4", 0]]]
    >>> half = [["1/2", 0], [0, "1/2"]]
    >>> found = exceeds_clarke(SwitchedSystem.from_rows(a, [half, half]))
    >>> found.weights, found.matrix
    ((1/2, 1/2), [ 2, 0]
    [-1, 1])

    Notes
    -----
    Weights are guessed: halves and thirds of two and of three pairs, then random ones; the direction is found and
    verified exactly. Docs: docs/theory/implicit-sets.md. When this fails: an answer that none was found proves nothing,
    except for one row or equal matrices A, where there is none.
    """
    pairs = exact_pairs(system)
    invertible = invertible_on_hull([identity(system.dimension) - A for A, _ in pairs])
    if not isinstance(invertible, Invertible):
        raise UnknownError("some matrix I - A_l is singular, and the solution map need not be Lipschitz")
    if implicit_set_is_hull(system):
        raise UnknownError("the matrices of implicit differentiation are the convex hull of those of the pairs")
    points = [X for X in implicit_points(system) if X is not None]
    allowed = sorted(set(range(len(system)) if letters is None else letters))
    system.require_letters(allowed)
    table = np.array([[as_float(x) for x in X.entries()] for X in points])
    for weights in islice(_weights(len(system), allowed), most_weights):
        X = _solution(pairs, weights)
        if not _may_be_outside(table, X):
            continue
        direction = positive_direction([X - Y for Y in points])
        if isinstance(direction, fmpq_mat):
            return Exceeds(weights, X, direction, invertible)
    raise UnknownError(
        f"implicit differentiation with {most_weights} weights stayed in the convex hull of the matrices of the pairs"
    )


def _solution(pairs: Sequence[tuple[fmpq_mat, fmpq_mat]], weights: Weights) -> fmpq_mat:
    A, B = (combination(matrices, weights) for matrices in zip(*pairs, strict=True))
    return (identity(A.nrows()) - A).solve(B)


def _weights(count: int, letters: Sequence[int]) -> Iterator[Weights]:
    """Simple weights of two and three letters, then random ones of all."""
    for shares in _SHARES:
        for chosen in combinations(letters, len(shares)):
            yield _spread(count, chosen, shares)
    generator = np.random.default_rng(1)
    while len(letters) > 1:
        random = generator.multinomial(_DENOMINATOR, generator.dirichlet(np.full(len(letters), 0.5)))
        yield _spread(count, letters, random.tolist())


def _spread(count: int, letters: Sequence[int], shares: Sequence[int]) -> Weights:
    weights = [fmpq(0)] * count
    for letter, share in zip(letters, shares, strict=True):
        weights[letter] = fmpq(share, sum(shares))
    return tuple(weights)


def _may_be_outside(table: np.ndarray, X: fmpq_mat) -> bool:
    """Whether floating point sees X outside the convex hull of the rows; yes where it cannot see."""
    x = np.array([as_float(value) for value in X.entries()])
    scale = max(np.abs(table).max(initial=0), np.abs(x).max(initial=0), 1)
    if not np.isfinite(scale):
        return True
    system = np.vstack([table.T / scale, np.ones(len(table))])
    try:
        return bool(nnls(system, np.append(x / scale, 1))[1] > _SEPARATED)
    except RuntimeError:
        return True

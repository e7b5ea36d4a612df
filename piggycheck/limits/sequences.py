"""Points of the piggyback set and sets that close on it, for pictures: with bounds on how far they are from it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError
from piggycheck.limits.contraction import Contraction, as_contraction, inner_product
from piggycheck.limits.euclidean import euclidean
from piggycheck.limits.points import exact_pairs
from piggycheck.limits.scaled import Array, floats
from piggycheck.linalg import identity, root_upper
from piggycheck.switched import SwitchedSystem

__all__ = ["attractor_points", "sample_attractor", "set_sequence"]

_WALKERS = 20_000
_BURN_IN = 50
_MOST_POINTS = 1_000_000
_UPWARDS = 1 + 1e-12


def attractor_points(system: SwitchedSystem | Contraction, count: int, seed: int = 0) -> Array:
    """Return random points of the piggyback set, up to rounding.

    Parameters
    ----------
    system : SwitchedSystem or Contraction
    count : int
        How many; positive.
    seed : int

    Returns
    -------
    array
        `count` by p by m.

    Raises
    ------
    InputError
        When the count is not positive.
    NoLimitSetError
        When the joint spectral radius is at least 1.
    UnknownError
        When the system was not proved to contract.

    Examples
    --------
    >>> cantor = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
    >>> points = attractor_points(cantor, 1000)
    >>> points.shape, bool(((points > 0.34) & (points < 0.66)).any())
    ((1000, 1, 1), False)

    Notes
    -----
    The maps of the code of `euclidean` are chosen with the same probability. `sample_attractor` bounds the error. When
    this fails: points in parts of the set that few words reach are rare.
    """
    return sample_attractor(system, count, seed)[0]


def sample_attractor(system: SwitchedSystem | Contraction, count: int, seed: int = 0) -> tuple[Array, float]:
    """Return random points, and an upper bound on their distances to the piggyback set in the Frobenius norm.

    Parameters
    ----------
    system, count, seed
        As for `attractor_points`.

    Returns
    -------
    (array, float)

    Raises
    ------
    InputError, NoLimitSetError, UnknownError
        As `attractor_points`.

    Examples
    --------
    >>> sample_attractor(SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]]), 10)[1] < 1e-12
    True

    Notes
    -----
    Walkers start at the fixed point of one word; each map brings them nearer to the set again than it rounds. When
    this fails: a norm near 1 makes the bound large.
    """
    if count < 1:
        raise InputError(f"`count` is {count}; write a positive number")
    maps = euclidean(as_contraction(system))
    random = np.random.default_rng(seed)
    k, p, m = maps.b.shape
    walkers = min(count, _WALKERS)
    start = np.linalg.solve(np.eye(p) - maps.M[0], maps.b[0])
    step = maps.rounding * 4 * (maps.radius + float(np.linalg.norm(start)))
    away = (float(np.linalg.norm(maps.M[0] @ start + maps.b[0] - start)) + step) / (1 - float(maps.norms[0]))
    error = away + step / (1 - float(maps.norms.max()))
    Z = np.repeat(start[None], walkers, axis=0)
    rounds = -(-count // walkers)
    found = np.empty((rounds, walkers, p, m))
    for turn in range(-_BURN_IN, rounds):
        letters = random.integers(k, size=walkers)
        Z = np.einsum("nij,njk->nik", maps.M[letters], Z) + maps.b[letters]
        if turn >= 0:
            found[turn] = Z
    points = maps.original(found.reshape(rounds * walkers, p, m)[:count])
    return points, (maps.back_norm * error + maps.original_error()) * _UPWARDS


def set_sequence(contraction: Contraction, start: fmpq_mat, count: int) -> Iterator[tuple[Array, fmpq]]:
    """Yield the sets that the recursion reaches from a start, and how far they are from the piggyback set.

    Parameters
    ----------
    contraction : Contraction
    start : fmpq_mat
        p by m.
    count : int
        How many steps.

    Yields
    ------
    (array, fmpq)
        For k = 0, ..., count: the elements of the set after k steps, each once, computed exactly and rounded to floats
        at the end, n by p by m; and an upper bound on the Hausdorff distance of the exact ones to the piggyback set in
        the Frobenius norm.

    Raises
    ------
    InputError
        When the start has another shape than the matrices B, or a set would have more than a million elements.

    Examples
    --------
    >>> cantor = as_contraction(SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]]))
    >>> [(len(points), distance) for points, distance in set_sequence(cantor, fmpq_mat([[0]]), 3)]
    [(1, 1), (2, 1/3), (4, 1/9), (8, 1/27)]

    Notes
    -----
    A word u sends the start and the whole set into a ball that A_u has made smaller. When this fails: the number of
    elements is multiplied by that of the pairs in every step, unless words meet.
    """
    system = contraction.system
    if (start.nrows(), start.ncols()) != (system.dimension, system.columns):
        raise InputError(
            f"`start` is {start.nrows()} by {start.ncols()}; write a matrix of {system.dimension} by {system.columns}"
        )
    pairs = exact_pairs(system)
    reach = root_upper(contraction.square(start - contraction.centre), 2) + contraction.radius
    points, products = [start], [identity(system.dimension)]
    for step in range(count + 1):
        square = max(inner_product(A, A * contraction.inverse) for A in products)
        yield floats(points), reach * root_upper(square, 2)
        if step < count:
            if len(points) * len(pairs) > _MOST_POINTS:
                raise InputError(f"`count` is {count}, and step {step + 1} has more than {_MOST_POINTS} elements")
            points = _distinct([A * X + B for A, B in pairs for X in points])
            products = _distinct([A * product for A, _ in pairs for product in products])


def _distinct(matrices: list[fmpq_mat]) -> list[fmpq_mat]:
    return list({tuple(M.entries()): M for M in matrices}.values())

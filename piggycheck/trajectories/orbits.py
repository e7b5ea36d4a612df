"""Periodic orbits of piecewise affine maps: guessed by following the iterates, solved exactly, followed exactly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.linalg import as_float, identity
from piggycheck.roots import is_schur_stable
from piggycheck.trajectories.pieces import AffinePieces

__all__ = ["PeriodicOrbit", "periodic_orbit"]

_BURN_IN = 20_000
_LONGEST = 1000
_FAR = 1e100


@dataclass(frozen=True)
class PeriodicOrbit:
    """An orbit that returns after one round of a word, strictly inside the pieces, and attracts.

    Attributes
    ----------
    word : tuple of int
        The piece of each step.
    points : tuple of tuples of fmpq
        The orbit, one point for each letter.
    """

    word: tuple[int, ...]
    points: tuple[tuple[fmpq, ...], ...]


def periodic_orbit(pieces: AffinePieces, start: Sequence[fmpq]) -> PeriodicOrbit | None:
    """Find the periodic orbit that the iterates from a start run into.

    Parameters
    ----------
    pieces : AffinePieces
        Functions of the state alone.
    start : sequence of fmpq

    Returns
    -------
    PeriodicOrbit or None
        Exact: each point is the image of the one before, strictly inside the piece of its letter, and the product of
        the matrices along the word has spectral radius below 1, so nearby iterates approach the orbit.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.maps import SymbolicMap
    >>> from piggycheck.trajectories import affine_pieces
    >>> x = sp.Symbol("x", real=True)
    >>> away = SymbolicMap([x], [x / 2 - sp.Piecewise((1, x > 0), (-1, True))])
    >>> periodic_orbit(affine_pieces(away, {}), [fmpq(1)]).points
    ((2/3,), (-2/3,))

    Notes
    -----
    When this fails: it returns None for orbits of more than 1000 points, for those on a guard, and for iterates that
    take long to come close.
    """
    matrices = [fmpq_mat([list(row[:-1]) for row in piece.images]) for piece in pieces.pieces]
    shifts = [fmpq_mat([[row[-1]] for row in piece.images]) for piece in pieces.pieces]
    word = _repeated(pieces, start)
    if word is None:
        return None
    A, b = identity(len(start)), fmpq_mat(len(start), 1)
    for letter in word:
        A, b = matrices[letter] * A, matrices[letter] * b + shifts[letter]
    if not is_schur_stable(A.charpoly()):
        return None
    x = (identity(len(start)) - A).solve(b)
    points = []
    for letter in word:
        points.append(tuple(x.entries()))
        piece = pieces.pieces[letter]
        if piece.zero or not all(_value(row, points[-1]) > 0 for row in piece.nonnegative):
            return None
        x = matrices[letter] * x + shifts[letter]
    return PeriodicOrbit(word, tuple(points)) if tuple(x.entries()) == points[0] else None


def _repeated(pieces: AffinePieces, start: Sequence[fmpq]) -> tuple[int, ...] | None:
    """The word that floating-point iterates repeat after a while."""
    maps, regions = [], []
    for piece in pieces.pieces:
        rows = np.array([[as_float(c) for c in row] for row in piece.images])
        maps.append((rows[:, :-1], rows[:, -1]))
        regions.append(np.array([[as_float(c) for c in row] for row in (*piece.nonnegative, *piece.zero)]))
    x = np.array([as_float(c) for c in start])
    letters, points = [], []
    for k in range(_BURN_IN + 2 * _LONGEST):
        inside = [i for i, region in enumerate(regions) if not len(region) or min(region @ np.append(x, 1.0)) >= 0]
        if not inside or np.abs(x).max() > _FAR:
            return None
        if k >= _BURN_IN:
            letters.append(inside[0])
            points.append(x)
        A, b = maps[inside[0]]
        x = A @ x + b
    for period in range(1, _LONGEST + 1):
        if letters[:period] == letters[period : 2 * period] and np.allclose(points[0], points[period], 1e-9, 1e-12):
            return tuple(letters[:period])
    return None


def _value(row: Sequence[fmpq], x: Sequence[fmpq]) -> fmpq:
    return sum((a * b for a, b in zip(row, x, strict=False)), row[-1])

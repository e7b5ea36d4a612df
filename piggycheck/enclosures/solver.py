"""Solvers of ``(I - A) v = r`` in floating point, for guesses: with A as a matrix, or as products alone."""

from __future__ import annotations

from abc import ABC, abstractmethod

import numpy as np

from piggycheck.arrays import Enclosed
from piggycheck.enclosures.jacobian import derivative_rows
from piggycheck.errors import UnknownError
from piggycheck.maps import (
    Affine,
    Elementwise,
    Group,
    Moment,
    PiecewiseMap,
    SecondOrderCone,
    Signature,
    Slice,
    Stack,
    StateBlock,
    StructuredMap,
)

__all__ = ["DenseSolver", "KrylovSolver", "Solver", "is_quickly_formed", "solver_at"]

_FORMED = (Affine, Elementwise, Group, SecondOrderCone, Slice, Stack, StateBlock)
_SMALL = 150
_SINGULAR = 1e12
_TOLERANCE = 1e-13
_RESTART = 60
_MOST_RESTARTS = 5
_FAILED = 1e-6


def is_quickly_formed(map_: PiecewiseMap) -> bool:
    """Whether the derivative of a map is a matrix that is written out at little cost: it has no spectral layers."""
    if not isinstance(map_, StructuredMap):
        return True
    return all(isinstance(node, _FORMED) for node in map_.nodes if node.depends_on_state())


class Solver(ABC):
    """Solves ``(I - A) v = r``, for a guess.

    Attributes
    ----------
    gain : float
        About how much larger than r a solution can be.
    """

    gain: float

    @abstractmethod
    def __call__(self, r: np.ndarray) -> np.ndarray:
        """Solve for all columns of r."""


class DenseSolver(Solver):
    """By the matrix of the rows of A that are not zero.

    Parameters
    ----------
    moment : Moment
        Over floating point.
    signature : Signature
        The piece whose A is meant.

    Raises
    ------
    UnknownError
        When the system is singular, as far as floating point tells.
    """

    def __init__(self, moment: Moment, signature: Signature):
        rows = derivative_rows(moment, signature)
        self.kept = np.array(rows.kept, dtype=int)
        self._apart = rows.matrix.copy()
        self._apart[:, self.kept] = 0
        block = rows.matrix[:, self.kept]
        try:
            self._inverse = np.linalg.inv(np.eye(len(self.kept)) - block)
        except np.linalg.LinAlgError:
            self._inverse = np.full_like(block, np.inf)
        size = float(np.linalg.norm(self._inverse))
        if not size < _SINGULAR:
            raise UnknownError("the derivative has the eigenvalue 1, as far as floating point tells")
        self.gain = max(1.0, size)

    def __call__(self, r: np.ndarray) -> np.ndarray:
        v = np.array(r, dtype=float)
        if len(self.kept):
            outside = v.copy()
            outside[self.kept] = 0
            v[self.kept] = self._inverse @ (v[self.kept] + self._apart @ outside)
        return v


class KrylovSolver(Solver):
    """By products of A with vectors: GMRES.

    Parameters
    ----------
    moment : Moment
        Over floating point.
    signature : Signature

    Notes
    -----
    The gain is that of the systems solved so far.
    """

    def __init__(self, moment: Moment, signature: Signature):
        self.moment, self.signature, self.gain = moment, signature, 1.0

    def __call__(self, r: np.ndarray) -> np.ndarray:
        return np.column_stack([self._solved(column) for column in np.asarray(r, dtype=float).T])

    def _solved(self, r: np.ndarray) -> np.ndarray:
        from scipy.sparse.linalg import LinearOperator, gmres

        if not r.any():
            return r
        operator = LinearOperator((len(r), len(r)), matvec=self._times, dtype=float)
        v, _ = gmres(operator, r, rtol=_TOLERANCE, atol=0.0, restart=_RESTART, maxiter=_MOST_RESTARTS)
        size = float(np.linalg.norm(r))
        if not np.linalg.norm(self._times(v) - r) < _FAILED * size:
            raise UnknownError("a linear system was not solved: the derivative may have the eigenvalue 1")
        self.gain = max(self.gain, float(np.linalg.norm(v)) / size)
        return v

    def _times(self, v: np.ndarray) -> np.ndarray:
        """Return ``v - A v``."""
        return v.ravel() - self.moment.forward(Enclosed(v.reshape(-1, 1)), None, self.signature).centre.ravel()


def solver_at(moment: Moment, signature: Signature) -> Solver:
    """Choose the solver that costs less.

    Raises
    ------
    UnknownError
        When the system is singular, as far as floating point tells.
    """
    map_ = moment.bound.map
    dense = is_quickly_formed(map_) or len(map_.state) <= _SMALL
    return (DenseSolver if dense else KrylovSolver)(moment, signature)

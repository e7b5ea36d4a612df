"""Heavy balls whose energy decreases: the piecewise affine ones, recognised by their pieces on the whole space."""

from __future__ import annotations

from dataclasses import dataclass

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.definite import is_positive_definite
from piggycheck.errors import UnknownError
from piggycheck.feasibility import Feasible, feasible_point
from piggycheck.trajectories.pieces import AffinePiece, AffinePieces

__all__ = ["Energy", "find_energy", "full_matrices"]


@dataclass(frozen=True)
class Energy:
    """A heavy ball ``x <- x - G(x) + momentum (x - previous)`` whose energy decreases.

    Attributes
    ----------
    previous : dict from symbols to symbols
        The state variable that is the previous one of each; empty for gradient descent.
    variables : tuple of sympy.Symbol
        Those of x.
    momentum : fmpq
    jacobians : tuple of fmpq_mat
        Of G, on all pieces: symmetric, positive definite, and below 2 (1 - momentum).
    """

    previous: dict[sp.Symbol, sp.Symbol]
    variables: tuple[sp.Symbol, ...]
    momentum: fmpq
    jacobians: tuple[fmpq_mat, ...]


def full_matrices(pieces: AffinePieces) -> tuple[fmpq_mat, ...]:
    """Return the matrices of the pieces that have inner points, each once.

    Examples
    --------
    >>> from piggycheck.maps import SymbolicMap
    >>> from piggycheck.trajectories import affine_pieces
    >>> x = sp.Symbol("x", real=True)
    >>> full_matrices(affine_pieces(SymbolicMap([x], [abs(x) / 2]), {}))
    ([-1/2], [1/2])
    """
    found: dict[str, fmpq_mat] = {}
    n = len(pieces.variables)
    for piece in pieces.pieces:
        if _is_full(piece, n):
            A = fmpq_mat([list(row[:n]) for row in piece.images])
            found.setdefault(str(A), A)
    return tuple(found.values())


def _is_full(piece: AffinePiece, n: int) -> bool:
    if any(any(row[:n]) for row in piece.zero):
        return False
    sides = [(row[:n], row[n]) for row in piece.nonnegative if any(row[:n])]
    return isinstance(feasible_point([], [], sides, n), Feasible)


def find_energy(state: tuple[sp.Symbol, ...], pieces: AffinePieces) -> Energy:
    """Recognise a heavy ball, or gradient descent, and prove that its energy decreases.

    Parameters
    ----------
    state : tuple of sympy.Symbol
    pieces : AffinePieces
        All pieces of the map, which is continuous, as functions of the state.

    Returns
    -------
    Energy

    Raises
    ------
    UnknownError
        When the map is none, or the energy is not proved to decrease.

    Examples
    --------
    >>> from piggycheck.algorithms import heavy_ball
    >>> from piggycheck.trajectories import affine_pieces
    >>> map_ = heavy_ball("Piecewise((x**2/2, x >= 0), (x**2/8, True))", ["x"], "1/4", "3/4").map
    >>> energy = find_energy(map_.state, affine_pieces(map_, {}))
    >>> energy.momentum, energy.jacobians
    (3/4, ([1/4], [1/16]))

    Notes
    -----
    With G the gradient of f, the energy is ``f(x) + momentum |x - previous|^2 / 2``; see
    docs/theory/global-convergence.md. The step is part of G. When this fails: at and beyond the bound
    ``2 (1 - momentum)`` iterates may converge, too, and so they may where a Jacobian is only semidefinite.
    """
    matrices = full_matrices(pieces)
    previous = _previous(state, matrices, pieces)
    moving = [i for i in range(len(state)) if i not in previous.values()]
    if previous and sorted(previous) != moving:
        raise UnknownError("the map is no heavy ball")
    lagging = [previous[i] for i in moving] if previous else []
    momentum = -matrices[0][moving[0], lagging[0]] if previous else fmpq(0)
    if not 0 <= momentum < 1:
        raise UnknownError(f"the map is no heavy ball with a momentum from 0 to below 1; it would be {momentum}")
    jacobians: dict[str, fmpq_mat] = {}
    unit = fmpq_mat([[fmpq(int(i == j)) for j in moving] for i in moving])
    for A in matrices:
        if any(A[i, j] != -momentum * (a == b) for a, i in enumerate(moving) for b, j in enumerate(lagging)):
            raise UnknownError("the map is no heavy ball")
        M = (1 + momentum) * unit - fmpq_mat([[A[i, j] for j in moving] for i in moving])
        if M != M.transpose():
            raise UnknownError("a Jacobian of the gradient is not symmetric")
        if not is_positive_definite(M):
            raise UnknownError("a Jacobian of the gradient is not positive definite")
        if not is_positive_definite(2 * (1 - momentum) * unit - M):
            raise UnknownError(
                f"the step times a Jacobian of the gradient is not below 2 (1 - momentum) = {2 * (1 - momentum)}"
            )
        jacobians.setdefault(str(M), M)
    return Energy(
        {state[i]: state[j] for i, j in previous.items()},
        tuple(state[i] for i in moving),
        momentum,
        tuple(jacobians.values()),
    )


def _previous(state: tuple[sp.Symbol, ...], matrices: tuple[fmpq_mat, ...], pieces: AffinePieces) -> dict[int, int]:
    """For each variable the one that becomes it in every step, on every piece."""
    n, found = len(state), {}
    for j in range(n):
        images = {piece.images[j] for piece in pieces.pieces}
        for i in range(n):
            if i != j and images == {tuple(fmpq(int(k == i)) for k in range(n + 1))}:
                found[i] = j
    return found

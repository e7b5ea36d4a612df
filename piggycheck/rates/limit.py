"""What errors are measured from: the fixed point, and the one matrix that the derivatives tend to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.arithmetic import rational, sign
from piggycheck.errors import InputError, IrrationalError
from piggycheck.fixed_points import FixedPoint, approached, fixed_points
from piggycheck.iteration import Iteration
from piggycheck.linalg import identity
from piggycheck.maps import Piece, SymbolicMap

__all__ = ["Limit", "limit_of"]

_LARGEST_SYMBOLIC = 8


@dataclass(frozen=True)
class Limit:
    """An iteration with the fixed point from which errors are measured.

    Parameters
    ----------
    iteration : Iteration
        With a start and a symbolic map.
    point : FixedPoint
    """

    iteration: Iteration
    point: FixedPoint

    @property
    def at(self) -> dict[Any, Any]:
        """The parameters."""
        return dict(self.point.at)

    @cached_property
    def coordinates(self) -> tuple[sp.Expr, ...]:
        """The fixed point, as a sequence."""
        return tuple(self.point.state[v] for v in self.iteration.map.state)

    @cached_property
    def pieces(self) -> tuple[Piece, ...]:
        """The selection set at the fixed point."""
        return self.iteration.map.selection(self.point.point).pieces

    @cached_property
    def matrix(self) -> sp.ImmutableMatrix:
        """The one X with ``A X + B = X`` for every pair of the selection set.

        Raises
        ------
        InputError
            When there is none, or more than one.
        """
        X = next((X for X in map(_own_limit, self.pieces) if X is not None), None)
        if X is None:
            raise InputError(
                "the error of the derivatives: I - A is singular at the fixed point, and their limit depends on the "
                "start; ask for the iterates, or for `pseudo_inverse_agrees`"
            )
        if not all(_is_fixed(piece, X) for piece in self.pieces):
            raise InputError(
                "the error of the derivatives: the pieces at the fixed point have different limits, so there is not "
                "one to measure it from; ask for `derivative`, or for `piggyback_interval`"
            )
        return X

    @cached_property
    def exact_matrix(self) -> fmpq_mat | None:
        """The same over the rationals; None where it is irrational."""
        try:
            return fmpq_mat(*self.matrix.shape, [rational(entry) for entry in self.matrix])
        except IrrationalError:
            return None


def _own_limit(piece: Piece) -> sp.ImmutableMatrix | None:
    """The X with ``A X + B = X`` of one piece."""
    A, B = piece.A, piece.B
    try:
        M = identity(A.rows) - fmpq_mat(A.rows, A.cols, [rational(entry) for entry in A])
        right = fmpq_mat(B.rows, B.cols, [rational(entry) for entry in B])
    except IrrationalError:
        return _symbolic_limit(A, B)
    try:
        X = M.solve(right) if B.cols else fmpq_mat(B.rows, 0)
    except ZeroDivisionError:
        return None
    return sp.ImmutableMatrix(B.rows, B.cols, [sp.Rational(int(entry.p), int(entry.q)) for entry in X.entries()])


def _symbolic_limit(A: sp.ImmutableMatrix, B: sp.ImmutableMatrix) -> sp.ImmutableMatrix | None:
    if A.rows > _LARGEST_SYMBOLIC:
        raise InputError(
            f"the error of the derivatives: their limit solves an irrational system of {A.rows} equations, and more "
            f"than {_LARGEST_SYMBOLIC} are not solved exactly; write rational numbers"
        )
    M = (sp.eye(A.rows) - A).applyfunc(sp.nsimplify if A.is_Identity else sp.sympify)
    determinant = sp.radsimp(sp.expand(M.det(method="berkowitz")))
    if sign(determinant) == 0:
        return None
    X = M.adjugate() * B / determinant
    return sp.ImmutableMatrix(X.applyfunc(lambda entry: sp.radsimp(sp.expand(entry))))


def _is_fixed(piece: Piece, X: sp.ImmutableMatrix) -> bool:
    if all(entry.is_Rational for matrix in (piece.A, piece.B, X) for entry in matrix):
        A, B, M = (fmpq_mat(*matrix.shape, [rational(e) for e in matrix]) for matrix in (piece.A, piece.B, X))
        return bool(A * M + B == M)
    return all(sign(entry) == 0 for entry in piece.A * X + piece.B - X)


def limit_of(iteration: Iteration, at: Mapping[Any, Any] | None = None) -> Limit:
    """Find what errors are measured from: the fixed point that the iterates approach.

    Raises
    ------
    InputError
        When there is no start, or the fixed point is not known, or the map is made of layers.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"], start=[0])
    >>> limit = limit_of(descent, {"theta": 3})
    >>> limit.coordinates, limit.matrix
    ((3,), Matrix([[1]]))
    """
    require_start(iteration)
    if not isinstance(iteration.map, SymbolicMap):
        raise InputError(
            "the error along a map made of layers: its limit is not known exactly; ask for the claim `rate_bound`, or "
            "write a small map out, `Iteration(iteration.map.symbolic(), ...)`"
        )
    at = iteration.map.parameter_values(at or {})
    start = iteration.start_at(at)
    value = iteration.map.value({**start, **at})
    if all(sign(new - old) == 0 for new, old in zip(value, start.values(), strict=True)):
        return Limit(iteration, FixedPoint(start, dict(at)))
    found = fixed_points(iteration, at)
    point = approached(iteration, found) if found else None
    if point is None:
        raise unknown_limit("the iterates are not seen to approach one" if found else "no fixed point was found")
    if not point.isolated:
        raise unknown_limit("other fixed points near the one that was found are not excluded")
    return Limit(iteration, point)


def require_start(iteration: Iteration) -> None:
    """Require a start.

    Raises
    ------
    InputError
        When there is none.
    """
    if iteration.start is None:
        raise InputError("the error along the iterates: the iteration has no start; give one under [start]")


def unknown_limit(reason: str) -> InputError:
    """What is said where the fixed point is not known."""
    advice = "" if "give a start" in reason else "; give a map and a start that lead to a fixed point"
    return InputError(f"the error of the iterates: their limit is not known: {reason}{advice}")


def rational_or_none(entries: Sequence[sp.Expr]) -> list[Any] | None:
    """Return numbers over the rationals, or None where one is irrational."""
    try:
        return [rational(entry) for entry in entries]
    except IrrationalError:
        return None

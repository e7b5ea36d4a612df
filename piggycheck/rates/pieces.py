"""Pieces of a map that are affine at given parameters, as errors see them.

With ``d = x - xbar`` and ``G = J - Jbar``, a piece sends d to ``A d + c`` and column j of G to ``A g_j + L_j d + h_j``,
where c is what it moves the fixed point by, ``L_j`` how column j of its B changes with the state, and
``h = A Jbar + B(xbar) - Jbar``. Conditions are ``sign * (a . d + g(xbar)) > 0``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import sympy as sp
from flint import fmpq, fmpq_mat, fmpz, fmpz_mat

from piggycheck.arithmetic import enclosure, rational
from piggycheck.errors import IrrationalError
from piggycheck.maps import Signature, SmoothPiece
from piggycheck.rates.limit import Limit

__all__ = ["AffinePiece", "Integers", "affine_piece"]

_ROOM = 96


@dataclass(frozen=True)
class Integers:
    """A matrix as integers over one denominator, with a bound on the error of each entry.

    Attributes
    ----------
    numerators : fmpz_mat
    denominator : fmpz
    error : fmpq
        0 for rational matrices.
    """

    numerators: fmpz_mat
    denominator: fmpz
    error: fmpq

    @property
    def is_zero(self) -> bool:
        """Whether it is exactly zero."""
        return self.error == 0 and all(entry == 0 for entry in self.numerators.entries())


@dataclass(frozen=True)
class AffinePiece:
    """A piece of a map that is affine in the state, and so are its derivatives in the parameters.

    Attributes
    ----------
    signature : Signature
    A, c, h : sympy matrices
        Constants; p × p, p × 1 and p × m.
    couplings : tuple of sympy matrices
        ``L_j``, p × p, for each parameter.
    conditions : tuple of (sign, row, constant)
    """

    signature: Signature
    A: sp.ImmutableMatrix
    c: sp.ImmutableMatrix
    h: sp.ImmutableMatrix | None
    couplings: tuple[sp.ImmutableMatrix, ...]
    conditions: tuple[tuple[int, sp.ImmutableMatrix, sp.Expr], ...]

    @cached_property
    def is_rational(self) -> bool:
        """Whether all its numbers are rational."""
        constants = [*self.A, *self.c, *(self.h or []), *(e for L in self.couplings for e in L)]
        constants += [e for _, row, constant in self.conditions for e in (*row, constant)]
        return all(entry.is_Rational for entry in constants)

    @cached_property
    def has_couplings(self) -> bool:
        """Whether its derivative in the parameters changes with the state."""
        return any(entry != 0 for L in self.couplings for entry in L)


def affine_piece(limit: Limit, signature: Signature, derivatives: bool) -> AffinePiece | None:
    """Return a piece of the limit's map as errors see it; None where it is not affine.

    Parameters
    ----------
    limit : Limit
    signature : Signature
    derivatives : bool
        Whether the errors of the derivatives are asked for.
    """
    map_, at = limit.iteration.map, limit.at
    piece: SmoothPiece = map_.piece(signature)
    state, centre = map_.state, dict(zip(map_.state, limit.coordinates, strict=True))
    p, m = len(state), len(map_.parameters)
    jacobian = piece.jacobian.subs(at).applyfunc(sp.expand)
    A = jacobian[:, :p]
    if A.has(*state):
        return None
    values = [sp.expand(e.subs(at).subs(centre)) - c for e, c in zip(piece.expressions, centre.values(), strict=True)]
    c = sp.ImmutableMatrix(p, 1, [_plain(value) for value in values])
    conditions = []
    for sign, guard in piece.conditions:
        local = guard.subs(at)
        row = [sp.expand(sp.diff(local, v)) for v in state]
        if any(entry.has(*state) for entry in row):
            return None
        conditions.append((sign, sp.ImmutableMatrix(1, p, row), _plain(sp.expand(local.subs(centre)))))
    if not derivatives:
        return AffinePiece(signature, sp.ImmutableMatrix(A), c, None, (), tuple(conditions))
    B = jacobian[:, p:]
    couplings = tuple(_slopes(B[:, j], state) for j in range(m))
    if any(L.has(*state) for L in couplings):
        return None
    h = (A * limit.matrix + B.subs(centre) - limit.matrix).applyfunc(_plain)
    return AffinePiece(signature, sp.ImmutableMatrix(A), c, sp.ImmutableMatrix(h), couplings, tuple(conditions))


def _slopes(column: sp.Matrix, state: Sequence[sp.Symbol]) -> sp.ImmutableMatrix:
    rows = [[sp.expand(sp.diff(entry, v)) for v in state] for entry in column]
    return sp.ImmutableMatrix(len(rows), len(state), [entry for row in rows for entry in row])


def _plain(value: sp.Expr) -> sp.Expr:
    """A constant, as a rational number where it is seen to be one."""
    if value.is_Rational:
        return value
    try:
        number = rational(value)
    except IrrationalError:
        return value
    return sp.Rational(int(number.p), int(number.q))


def integers(matrix: sp.ImmutableMatrix, bits: int) -> Integers:
    """Write a matrix of constants as integers over one denominator: exactly where they are rational."""
    entries = list(matrix)
    if all(entry.is_Rational for entry in entries):
        numbers = fmpq_mat(matrix.rows, matrix.cols, [rational(entry) for entry in entries])
        numerators, denominator = numbers.numer_denom()
        return Integers(numerators, denominator, fmpq(0))
    scale = fmpz(2) ** (bits + _ROOM)
    low = [(enclosure(entry, bits + 2 * _ROOM)[0] * fmpq(scale)).floor() for entry in entries]
    return Integers(fmpz_mat(matrix.rows, matrix.cols, low), scale, fmpq(2, scale))

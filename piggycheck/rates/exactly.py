"""Errors along iterates over the rationals: what settles an equality, or a tie."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import sympy as sp
from flint import fmpq, fmpq_mat, fmpz, fmpz_mat

from piggycheck.arithmetic import rational
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.rates.limit import Limit
from piggycheck.rates.pieces import AffinePiece, integers

__all__ = ["ExactRun"]

_MOST_BITS = 2_000_000


class ExactRun:
    """The errors ``x_k - xbar`` and ``J_k - Jbar``, as integers over one denominator.

    Parameters
    ----------
    limit : Limit
    derivatives : bool
        Whether those of the derivatives are wanted, too.
    skip : int, optional
        ``J_k = 0`` up to this step; by default J_0 is the derivative of the start.

    Raises
    ------
    UnknownError
        When the limit or the start is irrational.
    """

    def __init__(self, limit: Limit, *, derivatives: bool, skip: int | None = None):
        self.limit, self.k, self.skip = limit, 0, skip
        try:
            self.centre = [rational(c) for c in limit.coordinates]
            start = [rational(c) for c in limit.iteration.start_at(limit.at).values()]
            away = fmpq_mat(len(start), 1, [a - c for a, c in zip(start, self.centre, strict=True)])
            G = self._start_error() if derivatives else None
        except IrrationalError as error:
            raise UnknownError(f"an equality is decided over the rationals alone: {error}") from None
        self.X, denominator = away.numer_denom()
        self.G: fmpz_mat | None = None
        if G is not None:
            numerators, other = G.numer_denom()
            self.X, self.G, denominator = self.X * other, numerators * denominator, denominator * other
        self.denominator = fmpz(denominator)
        self._integers: dict[int, tuple] = {}

    def _start_error(self) -> fmpq_mat:
        limit, start = self.limit, None
        if self.skip is None:
            jacobians = limit.iteration.start_jacobians(limit.at)
            if len(jacobians) != 1:
                raise UnknownError(f"step 0: the start has a kink, and {len(jacobians)} derivatives")
            start = fmpq_mat(*limit.matrix.shape, [rational(entry) for entry in jacobians[0]])
        away = fmpq_mat(*limit.matrix.shape, [rational(-entry) for entry in limit.matrix])
        return away if start is None else start + away

    def advance(self, pieces: Sequence[AffinePiece]) -> None:
        """Take one step along each piece.

        Raises
        ------
        UnknownError
            When a piece is irrational, or the numbers have grown too long.
        """
        for piece in pieces:
            if not piece.is_rational:
                raise UnknownError("an equality is decided over the rationals alone, and a piece is irrational")
            self._step(*self._prepared(piece))
            self.k += 1
            if self.denominator.bit_length() > _MOST_BITS:
                raise UnknownError(f"step {self.k}: exact numbers of more than {_MOST_BITS} bits")

    def _prepared(self, piece: AffinePiece) -> tuple:
        known = self._integers.get(id(piece))
        if known is None:
            p = piece.A.rows
            parts = [piece.A, piece.c, *([piece.h] if piece.h is not None else []), *piece.couplings]
            held = integers(sp.ImmutableMatrix(sp.Matrix.hstack(*parts)), 0)
            rows = held.numerators.tolist()
            m = 0 if piece.h is None else piece.h.cols
            ends = [0, p, p + 1, p + 1 + m, *(p + 1 + m + (j + 1) * p for j in range(len(piece.couplings)))]
            cut = [fmpz_mat(p, b - a, [e for row in rows for e in row[a:b]]) for a, b in pairwise(ends)]
            couplings = cut[3:] if piece.has_couplings else []
            known = self._integers[id(piece)] = (held.denominator, cut[0], cut[1], cut[2], couplings, piece)
        return known[:5]

    def _step(self, denominator: fmpz, A: fmpz_mat, c: fmpz_mat, h: fmpz_mat, couplings: Sequence[fmpz_mat]) -> None:
        Q = self.denominator
        if self.G is not None and self.k < (self.skip or 0):
            self.G = self.G * denominator
        elif self.G is not None:
            moved = A * self.G + h * Q
            if couplings:
                columns = [(L * self.X).entries() for L in couplings]
                moved = moved + fmpz_mat([list(row) for row in zip(*columns, strict=True)])
            self.G = moved
        self.X = A * self.X + c * Q
        self.denominator = Q * denominator

    @property
    def is_zero(self) -> bool:
        """Whether the iterate is the fixed point."""
        return all(entry == 0 for entry in self.X.entries())

    def state(self) -> list[sp.Expr]:
        """Return the iterate."""
        numbers = [c + fmpq(n, self.denominator) for c, n in zip(self.centre, self.X.entries(), strict=True)]
        return [sp.Rational(int(number.p), int(number.q)) for number in numbers]

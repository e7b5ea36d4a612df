"""Errors along iterates on affine pieces, in integers: as many significant bits as one asks for, however small.

The errors ``d_k = x_k - xbar`` and ``G_k = J_k - Jbar`` are kept as integers times a power of two that moves with them.
Which piece is used is read off the integers, too; where their error leaves it open, rational numbers decide.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import sympy as sp
from flint import arb, arb_mat, ctx

from piggycheck.arrays import BallArrays, Enclosed
from piggycheck.errors import UnknownError
from piggycheck.maps import Piece, Signature, SymbolicMap
from piggycheck.maps.evaluation import jumps_at, signature_at
from piggycheck.rates.adapted import BITS, AdaptedNorm
from piggycheck.rates.exactly import ExactRun
from piggycheck.rates.leap import Leap
from piggycheck.rates.limit import Limit
from piggycheck.rates.parts import (
    BLOCK,
    GUARD_BITS,
    LARGEST_BLOCKED,
    UNIT,
    Fixed,
    Part,
    Prepared,
    shifted,
    shifted_up,
    uncertain,
    units,
)
from piggycheck.rates.pieces import AffinePiece, affine_piece

__all__ = ["CurvedError", "Errors", "Fixed", "TieError", "Walk", "require_equal_pairs", "start_error", "start_matrix"]

_MOST_ADAPTED = 8
_PATIENCE = 3
_EXACT_FROM_BITS = 256


class CurvedError(Exception):
    """A piece that is met is not affine."""


class TieError(UnknownError):
    """An iterate ties, and the derivatives of the pieces there differ: no precision decides which is used."""


class Errors:
    """The errors at step k, and on request the piece that is used there.

    Attributes
    ----------
    k : int
    x : Fixed
    J : Fixed or None
    piece : AffinePiece or None
    """

    __slots__ = ("_J", "_at", "_x", "k", "piece")

    def __init__(self, k: int, x: Any, J: Any, piece: AffinePiece | None = None, at: int | None = None):
        self.k, self._x, self._J, self.piece, self._at = k, x, J, piece, at

    @property
    def x(self) -> Fixed:
        return self._x if self._at is None else self._x[self._at]

    @property
    def J(self) -> Fixed | None:
        return self._J if self._at is None or self._J is None else self._J[self._at]


class Walk:
    """The errors along the iterates at one precision: iterate over it once.

    Parameters
    ----------
    limit : Limit
    bits : int
        Significant bits, about.
    derivatives : bool
        Whether those of the derivatives are wanted, too.
    ahead : bool
        Whether each step says which piece is used at it, and not only the next one.
    skip : int, optional
        ``J_k = 0`` up to this step; by default J_0 is the derivative of the start.

    Attributes
    ----------
    itinerary : list of AffinePiece
        The pieces used so far, one for each step.

    Raises
    ------
    CurvedError
        When a piece is met that is not affine.
    UnknownError
        When the sign of a guard is not decided, or derivatives differ at a tie.

    Examples
    --------
    >>> from itertools import islice
    >>> from piggycheck.algorithms import gradient_descent
    >>> from piggycheck.rates.limit import limit_of
    >>> limit = limit_of(gradient_descent("x**2/2", ["x"], "1/2", start=[3]))
    >>> [float(errors.x.numerators[0, 0]) * 2.0**-errors.x.scale for errors in islice(Walk(limit, 64, False), 4)]
    [3.0, 1.5, 0.75, 0.375]
    """

    def __init__(self, limit: Limit, bits: int, derivatives: bool, *, ahead: bool = False, skip: int | None = None):
        self.limit, self.bits, self.derivatives, self.ahead, self.skip = limit, bits, derivatives, ahead, skip or 0
        self.map = limit.iteration.map
        self.pieces: list[Prepared] = []
        self.resting: Prepared | None = None
        self.itinerary: list[AffinePiece] = []
        self.exact: ExactRun | None = None
        self.norm = AdaptedNorm.for_pieces([], len(self.map.state))
        start = limit.iteration.start_at(limit.at)
        away = [start[v] - c for v, c in zip(self.map.state, limit.coordinates, strict=True)]
        self.x = Part(sp.ImmutableMatrix(len(away), 1, away), bits)
        self.J = Part(start_error(limit, skip), bits) if derivatives else None

    def __iter__(self) -> Iterator[Errors]:
        k, stays = 0, 0
        last: Prepared | None = None
        while True:
            met = self._piece(k) if self.ahead else None
            yield Errors(k, self.x.fixed(), None if self.J is None else self.J.fixed(), met and met.piece)
            prepared = met or self._piece(k)
            stays = stays + 1 if prepared is last else 0
            last = prepared
            if stays >= _PATIENCE and prepared.leaps and self.x.error and k >= self.skip:
                passed = self._leap(prepared, k)
                yield from passed
                k += len(passed)
            else:
                self._step(prepared, k)
            k += 1

    def _leap(self, prepared: Prepared, k: int) -> list[Errors]:
        """Go on by several steps; return all but the last."""
        if prepared.leap is None:
            prepared.leap = Leap(prepared, self.norm)
        count = prepared.leap.length(self.x)
        self.itinerary += [prepared.piece] * count
        x = prepared.leap.take(self.x, count)
        J = None if self.J is None else prepared.leap.take(self.J, count)
        return [Errors(k + j + 1, x, J, prepared.piece, j) for j in range(count - 1)]

    def _step(self, prepared: Prepared, k: int) -> None:
        self.itinerary.append(prepared.piece)
        x = self.x
        if self.J is not None and k >= self.skip:
            self._step_derivatives(prepared, self.J)
        if x.is_zero and not prepared.moves:
            return
        numerators, added = (prepared.A * x.X).entries(), 0
        if prepared.moves:
            numerators = [n + shifted(c, x.scale) for n, c in zip(numerators, prepared.c, strict=True)]
            added = uncertain(prepared.error, x.scale)
        x.become(numerators, prepared.denominator, prepared, added, self.block_norm)

    def _step_derivatives(self, prepared: Prepared, J: Part) -> None:
        x, scale = self.x, J.scale
        numerators, added = (prepared.A * J.X).entries(), 0
        if prepared.L is not None and not x.is_zero:
            moved = (prepared.L * x.X).entries()
            shift = scale - x.scale
            p, m = J.rows, J.columns
            numerators = list(numerators)
            for j in range(m):
                for i in range(p):
                    term = shifted(moved[j * p + i], shift) * prepared.denominator // prepared.L_denominator
                    numerators[i * m + j] += term
            added += 1 + (shifted_up(x.error * prepared.coupling >> UNIT, shift) // J.rounding + 1)
        if prepared.h is not None:
            factor = prepared.denominator
            numerators = [
                n + shifted(h, scale) * factor // prepared.h_denominator
                for n, h in zip(numerators, prepared.h, strict=True)
            ]
            added += 1 + uncertain(prepared.h_error, scale)
        J.become(numerators, prepared.denominator, prepared, added, self.block_norm)

    # -- which piece ------------------------------------------------------------------------------------------------

    def _piece(self, k: int) -> Prepared:
        if self.x.is_zero:
            if self.resting is None:
                self.resting = self._tied(k, dict(zip(self.map.state, self.limit.coordinates, strict=True)))
            return self.resting
        for i, prepared in enumerate(self.pieces):
            if prepared.holds(self.x):
                if i:
                    self.pieces.insert(0, self.pieces.pop(i))
                return prepared
        return self._met(k)

    def _met(self, k: int) -> Prepared:
        """Evaluate the map to see which piece is met."""
        try:
            signature = self.map.bind(self.limit.at, BallArrays(self.bits))(self._state()).signature
        except UnknownError as error:
            if self.bits < _EXACT_FROM_BITS:
                raise UnknownError(f"step {k}: {error}") from None
            return self._exactly(k)
        if 0 in signature:
            return self._exactly(k)
        return self._prepared(signature)

    def _prepared(self, signature: Signature) -> Prepared:
        known = next((one for one in self.pieces if one.piece.signature == signature), None)
        if known is not None:
            return known
        piece = affine_piece(self.limit, signature, self.derivatives)
        if piece is None:
            raise CurvedError
        prepared = Prepared(piece, self.bits)
        self.pieces.insert(0, prepared)
        self._measure()
        return prepared

    def _measure(self) -> None:
        """Take a norm that suits the pieces met so far."""
        size = self.x.rows
        if len(self.pieces) > _MOST_ADAPTED:
            norm = self.norm
        else:
            norm = AdaptedNorm.for_pieces([prepared.balls for prepared in self.pieces], size)
        for prepared in self.pieces:
            prepared.measure(norm)
        change = units(norm.after(self.norm)) + 1
        for part in (self.x, self.J):
            if part is not None:
                part.measure(norm, change)
        self.norm = norm

    def block_norm(self, block: Sequence[Prepared]) -> int | None:
        """Bound the norm of the product of a block."""
        first = block[0]
        if any(one is not first for one in block):
            if first.A.nrows() > LARGEST_BLOCKED:
                return None
            with ctx.workprec(BITS):
                product = first.balls
                for one in block[1:]:
                    product = one.balls * product
            return units(self.norm.of(product))
        if first.block_norm is None:
            with ctx.workprec(BITS):
                power = first.balls
                for _ in range(BLOCK.bit_length() - 1):
                    power = power * power
            first.block_norm = units(self.norm.of(power))
        return first.block_norm

    def _state(self) -> Enclosed:
        x = self.x.fixed()
        arrays = BallArrays(self.bits + GUARD_BITS)
        with ctx.workprec(self.bits + GUARD_BITS):
            unit = arb(2) ** -x.scale
            centre = [arrays.scalars.evaluate(c) for c in self.limit.coordinates]
            entries = [c + arb(n, x.error) * unit for c, n in zip(centre, x.numerators.entries(), strict=True)]
            return Enclosed(arb_mat(len(entries), 1, entries))

    def _exactly(self, k: int) -> Prepared:
        """Decide which piece is met by rational numbers, where balls do not."""
        if self.exact is None:
            self.exact = ExactRun(self.limit, derivatives=False)
        self.exact.advance(self.itinerary[self.exact.k :])
        point = dict(zip(self.map.state, self.exact.state(), strict=True))
        if self.exact.is_zero:
            self.x = Part(sp.zeros(self.x.rows, 1).as_immutable(), self.bits)
        return self._tied(k, point)

    def _tied(self, k: int, state: dict[Any, sp.Expr]) -> Prepared:
        point = {**state, **self.limit.at}
        if not self.derivatives:
            return self._prepared(signature_at(self.map, point))
        pieces = self.map.selection(point).pieces
        require_equal_pairs(self.map, pieces, point, k)
        return self._prepared(pieces[0].signature)


def require_equal_pairs(map_: SymbolicMap, pieces: Sequence[Piece], point: dict[Any, sp.Expr], k: int) -> None:
    """Require that the pieces where guards tie have the value of the map there, and agree on the derivatives.

    Raises
    ------
    TieError
        When they do not; the message names the step and the guard.
    """
    if not pieces:
        raise UnknownError(f"step {k}: no piece was proved essentially active")
    if jumps_at(map_, pieces, point):
        raise TieError(f"step {k}: the map jumps there, and has no derivative")
    if any(piece.pair != pieces[0].pair for piece in pieces):
        conditions = map_.piece(pieces[0].signature).conditions
        ties = [guard for _, guard in conditions if sp.simplify(guard.subs(point)) == 0]
        named = f"the guard `{ties[0]}` ties" if ties else "guards tie"
        raise TieError(f"step {k}: {named}, and the pieces there have different derivatives")


def start_error(limit: Limit, skip: int | None) -> sp.ImmutableMatrix:
    """Return ``J_0 - Jbar``; J_0 is zero when the first steps are not differentiated."""
    start = sp.zeros(*limit.matrix.shape) if skip is not None else start_matrix(limit)
    return sp.ImmutableMatrix(start - limit.matrix)


def start_matrix(limit: Limit) -> sp.ImmutableMatrix:
    """Return J_0.

    Raises
    ------
    UnknownError
        When the start has a kink at the parameters.
    """
    jacobians = limit.iteration.start_jacobians(limit.at)
    if len(jacobians) != 1:
        raise UnknownError(f"step 0: the start has a kink, and {len(jacobians)} derivatives")
    return sp.ImmutableMatrix(jacobians[0])

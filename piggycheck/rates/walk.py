"""Errors along iterates on affine pieces, in integers: as many significant bits as one asks for, however small.

The errors ``d_k = x_k - xbar`` and ``G_k = J_k - Jbar`` are kept as integers times a power of two that moves with them.
A step is a product of integer matrices and a division that rounds down; what the rounding adds is bounded beside it, in
the Euclidean norm of each column. Bounds of single steps overestimate where norms of matrices exceed their spectral
radius, so after every block of steps the bound is renewed by the norm of the block's whole product.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import arb, arb_mat, ctx, fmpq, fmpz, fmpz_mat

from piggycheck.arithmetic import Balls
from piggycheck.arrays import BallArrays, Enclosed
from piggycheck.errors import UnknownError
from piggycheck.maps import Piece, Signature, SymbolicMap
from piggycheck.rates.adapted import BITS, AdaptedNorm
from piggycheck.rates.exactly import ExactRun
from piggycheck.rates.limit import Limit
from piggycheck.rates.pieces import AffinePiece, affine_piece, integers

__all__ = ["CurvedError", "Errors", "Fixed", "Walk", "require_equal_pairs", "start_matrix"]

_UNIT = 16
_GUARD_BITS = 80
_SLACK = 32
_BLOCK = 64
_LARGEST_BLOCKED = 16
_MOST_ADAPTED = 8
_EXACT_FROM_BITS = 256


class CurvedError(Exception):
    """A piece that is met is not affine."""


@dataclass(frozen=True, slots=True)
class Fixed:
    """A matrix ``numerators * 2**-scale``; the true columns are within ``error`` of its own, in these units."""

    numerators: fmpz_mat
    scale: int
    error: int


@dataclass(frozen=True, slots=True)
class Errors:
    """The errors at step k; `piece` is the signature of the piece that the step from there on uses."""

    k: int
    x: Fixed
    J: Fixed | None


class _Part:
    """The iterates' error or the derivatives', with the bound on what rounding did, in the walk's norm."""

    def __init__(self, start: sp.ImmutableMatrix, bits: int):
        self.wanted, self.rows, self.columns = bits + _GUARD_BITS, start.rows, start.cols
        self.scale = self.wanted - max((_length(entry) for entry in start), default=0)
        held = integers(start, self.wanted + abs(self.scale))
        numerators = [_shifted(entry, self.scale) for entry in held.numerators.entries()]
        quotients = [entry // held.denominator for entry in numerators]
        is_exact = self.scale >= 0 and held.error == 0 and _divides(held.denominator, quotients, numerators)
        self.X = fmpz_mat(self.rows, self.columns, quotients)
        self.error = 0 if is_exact else (3 * self.rows) << _UNIT
        self.measure(AdaptedNorm.for_pieces([], self.rows))

    def measure(self, norm: AdaptedNorm, change: int = 1 << _UNIT) -> None:
        """Bound errors in a norm from now on."""
        self.error = self.error * change >> _UNIT
        self.smallest = _units(norm.smallest)
        self.rounding = (_units(norm.largest) + 1) * (2 * self.rows + 2)
        self.begin_block()

    def begin_block(self) -> None:
        self.block: list[_Prepared] = []
        self.before, self.local = self.error, 0

    def fixed(self) -> Fixed:
        return Fixed(self.X, self.scale, (self.error * self.smallest >> 2 * _UNIT) + 1 if self.error else 0)

    @property
    def is_zero(self) -> bool:
        return self.error == 0 and not any(self.X.entries())

    def become(
        self, numerators: Sequence[fmpz], denominator: fmpz, prepared: _Prepared, added: int, walk: Walk
    ) -> None:
        """Take the next values, and bound what rounding did; `added` is what else is uncertain, in roundings."""
        quotients = [entry // denominator for entry in numerators]
        self.X = fmpz_mat(self.rows, self.columns, quotients)
        if self.error == 0 and added == 0 and prepared.is_rational and _divides(denominator, quotients, numerators):
            return
        new = (added + 1) * self.rounding
        self.error = (self.error * prepared.growth >> _UNIT) + 1 + new
        self.local = (self.local * prepared.growth >> _UNIT) + 1 + new
        self.block.append(prepared)
        if len(self.block) == _BLOCK:
            product = walk.block_norm(self.block)
            if product is not None:
                self.error = min(self.error, (self.before * product >> _UNIT) + 1 + self.local)
            self.begin_block()
        self._rescale(quotients)

    def _rescale(self, entries: Sequence[fmpz]) -> None:
        length = max(max(entries).bit_length(), min(entries).bit_length()) if entries else 0
        if length == 0 or abs(length - self.wanted) < _SLACK:
            return
        shift = self.wanted - length
        self.scale += shift
        self.X = fmpz_mat(self.rows, self.columns, [_shifted(entry, shift) for entry in entries])
        for name in ("error", "before", "local"):
            value = getattr(self, name)
            if value or shift < 0:
                setattr(self, name, value << shift if shift > 0 else (value >> -shift) + self.rounding)


class _Prepared:
    """A piece in integers, at a precision."""

    def __init__(self, piece: AffinePiece, bits: int):
        self.piece, self.is_rational = piece, piece.is_rational
        p = piece.A.rows
        held = integers(_beside(piece.A, piece.c), bits)
        rows = held.numerators.tolist()
        self.A = fmpz_mat([row[:p] for row in rows])
        self.c = [row[p] for row in rows]
        self.denominator, self.error = held.denominator, held.error
        self.moves = any(entry != 0 for entry in piece.c)
        self.balls = _balls(self.A, held.denominator)
        self.block_norm: int | None = None
        self._prepare_derivatives(bits)
        self._prepare_guards(bits)

    def _prepare_derivatives(self, bits: int) -> None:
        piece = self.piece
        self.h: list[fmpz] | None = None
        self.L: fmpz_mat | None = None
        if piece.h is None:
            return
        if any(entry != 0 for entry in piece.h):
            held = integers(piece.h, bits)
            self.h, self.h_denominator, self.h_error = held.numerators.entries(), held.denominator, held.error
        if piece.has_couplings:
            held = integers(sp.ImmutableMatrix(sp.Matrix.vstack(*piece.couplings)), bits)
            self.L, self.L_denominator = held.numerators, held.denominator

    def _prepare_guards(self, bits: int) -> None:
        p = self.piece.A.rows
        self.guards: list[list[Any]] = []
        rows: list[fmpz] = []
        for sign, row, constant in self.piece.conditions:
            held = integers(_beside(row, sp.Matrix([[constant]])), bits)
            *slopes, value = held.numerators.entries()
            rows += slopes
            self.guards.append([sign, value, 0, held.error != 0])
        self.rows = fmpz_mat(len(self.guards), p, rows) if rows else None

    def measure(self, norm: AdaptedNorm) -> None:
        """Bound what it does in a norm."""
        self.growth, self.block_norm = _units(norm.of(self.balls)), None
        for i, guard in enumerate(self.guards):
            row = [self.rows[i, j] for j in range(self.rows.ncols())]
            guard[2] = _units(norm.of_row(arb_mat(1, len(row), row))) + 1
        if self.L is not None:
            n = self.A.nrows()
            blocks = [fmpz_mat(self.L.tolist()[j * n : (j + 1) * n]) for j in range(self.L.nrows() // n)]
            self.coupling = max(_units(norm.of(_balls(block, self.L_denominator))) for block in blocks)

    def holds(self, part: _Part) -> bool:
        """Whether every condition is proved to hold strictly."""
        if self.rows is None:
            return True
        error, scale = part.error, part.scale
        values = (self.rows * part.X).entries()
        for (sign, constant, length, irrational), value in zip(self.guards, values, strict=True):
            slack = 1 + (error * length >> 2 * _UNIT) if error else 0
            if constant != 0:
                value = value + _shifted(constant, scale)
                slack += scale < 0
            if irrational:
                slack += 4 * (fmpz(2) ** max(scale, 0) + fmpz(2) ** (part.wanted + _SLACK + 1) * part.rows)
            if not sign * value > slack:
                return False
        return True


class Walk:
    """The errors along the iterates at one precision: iterate over it once.

    Parameters
    ----------
    limit : Limit
    bits : int
        Significant bits, about.
    derivatives : bool
        Whether those of the derivatives are wanted, too.

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

    def __init__(self, limit: Limit, bits: int, derivatives: bool):
        self.limit, self.bits, self.derivatives = limit, bits, derivatives
        self.map = limit.iteration.map
        self.pieces: list[_Prepared] = []
        self.resting: _Prepared | None = None
        self.itinerary: list[AffinePiece] = []
        self.exact: ExactRun | None = None
        self.norm = AdaptedNorm.for_pieces([], len(self.map.state))
        start = limit.iteration.start_at(limit.at)
        away = [start[v] - c for v, c in zip(self.map.state, limit.coordinates, strict=True)]
        self.x = _Part(sp.ImmutableMatrix(len(away), 1, away), bits)
        self.J = _Part(start_matrix(limit) - limit.matrix, bits) if derivatives else None

    def __iter__(self) -> Iterator[Errors]:
        k = 0
        while True:
            yield Errors(k, self.x.fixed(), None if self.J is None else self.J.fixed())
            self._step(self._piece(k))
            k += 1

    def _step(self, prepared: _Prepared) -> None:
        self.itinerary.append(prepared.piece)
        x = self.x
        if self.J is not None:
            self._step_derivatives(prepared, self.J)
        if x.is_zero and not prepared.moves:
            return
        numerators, added = (prepared.A * x.X).entries(), 0
        if prepared.moves:
            numerators = [n + _shifted(c, x.scale) for n, c in zip(numerators, prepared.c, strict=True)]
            added = _uncertain(prepared.error, x.scale)
        x.become(numerators, prepared.denominator, prepared, added, self)

    def _step_derivatives(self, prepared: _Prepared, J: _Part) -> None:
        x, scale = self.x, J.scale
        numerators, added = (prepared.A * J.X).entries(), 0
        if prepared.L is not None and not x.is_zero:
            moved = (prepared.L * x.X).entries()
            shift = scale - x.scale
            p, m = J.rows, J.columns
            numerators = list(numerators)
            for j in range(m):
                for i in range(p):
                    term = _shifted(moved[j * p + i], shift) * prepared.denominator // prepared.L_denominator
                    numerators[i * m + j] += term
            added += 1 + (_shift_up(x.error * prepared.coupling >> _UNIT, shift) // J.rounding + 1)
        if prepared.h is not None:
            factor = prepared.denominator
            numerators = [
                n + _shifted(h, scale) * factor // prepared.h_denominator
                for n, h in zip(numerators, prepared.h, strict=True)
            ]
            added += 1 + _uncertain(prepared.h_error, scale)
        J.become(numerators, prepared.denominator, prepared, added, self)

    # -- which piece ------------------------------------------------------------------------------------------------

    def _piece(self, k: int) -> _Prepared:
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

    def _met(self, k: int) -> _Prepared:
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

    def _prepared(self, signature: Signature) -> _Prepared:
        known = next((one for one in self.pieces if one.piece.signature == signature), None)
        if known is not None:
            return known
        piece = affine_piece(self.limit, signature, self.derivatives)
        if piece is None:
            raise CurvedError
        prepared = _Prepared(piece, self.bits)
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
        change = _units(norm.after(self.norm)) + 1
        for part in (self.x, self.J):
            if part is not None:
                part.measure(norm, change)
        self.norm = norm

    def block_norm(self, block: Sequence[_Prepared]) -> int | None:
        """Bound the norm of the product of a block."""
        first = block[0]
        if any(one is not first for one in block):
            if first.A.nrows() > _LARGEST_BLOCKED:
                return None
            with ctx.workprec(BITS):
                product = first.balls
                for one in block[1:]:
                    product = one.balls * product
            return _units(self.norm.of(product))
        if first.block_norm is None:
            with ctx.workprec(BITS):
                power = first.balls
                for _ in range(_BLOCK.bit_length() - 1):
                    power = power * power
            first.block_norm = _units(self.norm.of(power))
        return first.block_norm

    def _state(self) -> Enclosed:
        x = self.x.fixed()
        arrays = BallArrays(self.bits + _GUARD_BITS)
        with ctx.workprec(self.bits + _GUARD_BITS):
            unit = arb(2) ** -x.scale
            centre = [arrays.scalars.evaluate(c) for c in self.limit.coordinates]
            entries = [c + arb(n, x.error) * unit for c, n in zip(centre, x.numerators.entries(), strict=True)]
            return Enclosed(arb_mat(len(entries), 1, entries))

    def _exactly(self, k: int) -> _Prepared:
        """Decide which piece is met by rational numbers, where balls do not."""
        if self.exact is None:
            self.exact = ExactRun(self.limit, derivatives=False)
        self.exact.advance(self.itinerary[self.exact.k :])
        point = dict(zip(self.map.state, self.exact.state(), strict=True))
        if self.exact.is_zero:
            self.x = _Part(sp.zeros(self.x.rows, 1).as_immutable(), self.bits)
        return self._tied(k, point)

    def _tied(self, k: int, state: dict[Any, sp.Expr]) -> _Prepared:
        point = {**state, **self.limit.at}
        if not self.derivatives:
            return self._prepared(self.map.active(point)[0].signature)
        pieces = self.map.selection(point).pieces
        require_equal_pairs(self.map, pieces, point, k)
        return self._prepared(pieces[0].signature)


def require_equal_pairs(map_: SymbolicMap, pieces: Sequence[Piece], point: dict[Any, sp.Expr], k: int) -> None:
    """Require that the pieces where guards tie agree on the derivatives.

    Raises
    ------
    UnknownError
        When they do not; the message names the step and the guard.
    """
    if not pieces:
        raise UnknownError(f"step {k}: no piece was proved essentially active")
    if any(piece.pair != pieces[0].pair for piece in pieces):
        conditions = map_.piece(pieces[0].signature).conditions
        ties = [guard for _, guard in conditions if sp.simplify(guard.subs(point)) == 0]
        named = f"the guard `{ties[0]}` ties" if ties else "guards tie"
        raise UnknownError(f"step {k}: {named}, and the pieces there have different derivatives")


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


def _balls(A: fmpz_mat, denominator: fmpz) -> arb_mat:
    """A matrix that was written as integers, which may be uncertain in the last place."""
    with ctx.workprec(BITS):
        unsure = arb(0, 2.0**-90)
        return arb_mat(A.nrows(), A.ncols(), [arb(n) / arb(denominator) + unsure for n in A.entries()])


def _beside(*parts: Any) -> sp.ImmutableMatrix:
    return sp.ImmutableMatrix(sp.Matrix.hstack(*map(sp.Matrix, parts)))


def _divides(denominator: fmpz, quotients: Sequence[fmpz], numerators: Sequence[fmpz]) -> bool:
    return all(q * denominator == n for q, n in zip(quotients, numerators, strict=True))


def _units(value: arb) -> int:
    """A bound from above, in units."""
    return int((value.upper() * arb(2) ** _UNIT).ceil().upper().unique_fmpz()) + 1


def _shifted(value: fmpz, shift: int) -> fmpz:
    """Multiply by a power of two, rounding down."""
    return value << shift if shift >= 0 else value >> -shift


def _shift_up(value: int, shift: int) -> int:
    return value << shift if shift >= 0 else (value >> -shift) + 1


def _uncertain(error: fmpq, scale: int) -> int:
    """What an uncertain constant adds, in roundings."""
    if error == 0:
        return 0 if scale >= 0 else 1
    return int((error * fmpq(2) ** scale).ceil()) + 1


def _length(entry: sp.Expr) -> int:
    """About how many bits stand before the binary point."""
    mantissa, exponent = Balls(64).evaluate(entry).mid().man_exp()
    return int(fmpz(mantissa).bit_length()) + int(exponent) if mantissa else 0

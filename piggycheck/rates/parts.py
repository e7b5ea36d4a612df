"""What a walk along affine pieces works with: errors and pieces as integers, and bounds on what rounding did.

A step is a product of integer matrices and a division that rounds down; what the rounding adds is bounded beside it, in
a norm that suits the pieces. Bounds of single steps overestimate, so after every block of steps the bound is renewed by
the norm of the block's whole product.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sympy as sp
from flint import arb, arb_mat, ctx, fmpq, fmpz, fmpz_mat

from piggycheck.arithmetic import Balls
from piggycheck.rates.adapted import BITS, AdaptedNorm
from piggycheck.rates.pieces import AffinePiece, integers

if TYPE_CHECKING:
    from piggycheck.rates.leap import Leap

__all__ = [
    "BLOCK",
    "GUARD_BITS",
    "LARGEST_BLOCKED",
    "UNIT",
    "Fixed",
    "Part",
    "Prepared",
    "shifted",
    "shifted_up",
    "uncertain",
    "units",
]

_ONE = fmpz(1)
UNIT = 64
"""Bounds on errors are integers over 2**64 of the last place, as products of many steps are small."""

GUARD_BITS = 80
BLOCK = 64
LARGEST_BLOCKED = 16
_SLACK = 32
_LARGEST_LEAPT = 64


@dataclass(slots=True)
class Fixed:
    """A matrix ``entries / denominator * 2**-scale``, row by row, and how far from it the true one may be.

    Attributes
    ----------
    entries : list of fmpz
    columns, scale : int
    error : int
        Each true column is within this Euclidean distance, in units of ``2**-scale``.
    denominator : fmpz
    """

    entries: Sequence[fmpz]
    columns: int
    scale: int
    error: int
    denominator: fmpz = _ONE

    @property
    def numerators(self) -> fmpz_mat:
        """The integers over ``2**scale``, rounded down."""
        rows = len(self.entries) // self.columns if self.columns else 0
        return fmpz_mat(rows, self.columns, [entry // self.denominator for entry in self.entries])


class Part:
    """The iterates' error or the derivatives', with the bound on what rounding did, in the walk's norm."""

    def __init__(self, start: sp.ImmutableMatrix, bits: int):
        self.wanted, self.rows, self.columns = bits + GUARD_BITS, start.rows, start.cols
        self.scale = self.wanted - max((_length(entry) for entry in start), default=0)
        held = integers(start, self.wanted + abs(self.scale))
        numerators = [shifted(entry, self.scale) for entry in held.numerators.entries()]
        quotients = [entry // held.denominator for entry in numerators]
        is_exact = self.scale >= 0 and held.error == 0 and _divides(held.denominator, quotients, numerators)
        self.X = fmpz_mat(self.rows, self.columns, quotients)
        self.error = 0 if is_exact else (3 * self.rows) << UNIT
        self.measure(AdaptedNorm.for_pieces([], self.rows))

    def measure(self, norm: AdaptedNorm, change: int = 1 << UNIT) -> None:
        """Bound errors in a norm from now on."""
        self.error = self.error * change >> UNIT
        self.smallest = units(norm.smallest)
        self.rounding = (units(norm.largest) + 1) * (2 * self.rows + 2)
        self.begin_block()

    def begin_block(self) -> None:
        self.block: list[Prepared] = []
        self.before, self.local = self.error, 0

    def fixed(self) -> Fixed:
        error = (self.error * self.smallest >> 2 * UNIT) + 1 if self.error else 0
        return Fixed(self.X.entries(), self.columns, self.scale, error)

    @property
    def is_zero(self) -> bool:
        return self.error == 0 and not any(self.X.entries())

    def become(
        self,
        numerators: Sequence[fmpz],
        denominator: fmpz,
        prepared: Prepared,
        added: int,
        block_norm: Callable[[Sequence[Prepared]], int | None],
    ) -> None:
        """Take the next values, and bound what rounding did; `added` is what else is uncertain, in roundings."""
        quotients = [entry // denominator for entry in numerators]
        self.X = fmpz_mat(self.rows, self.columns, quotients)
        if self.error == 0 and added == 0 and prepared.is_rational and _divides(denominator, quotients, numerators):
            self._rescale(quotients, exact=True)
            return
        new = (added + 1) * self.rounding
        self.error = (self.error * prepared.growth >> UNIT) + 1 + new
        self.local = (self.local * prepared.growth >> UNIT) + 1 + new
        self.block.append(prepared)
        if len(self.block) == BLOCK:
            product = block_norm(self.block)
            if product is not None:
                self.error = min(self.error, (self.before * product >> UNIT) + 1 + self.local)
            self.begin_block()
        self._rescale(quotients)

    def jump(self, X: fmpz_mat, error: int) -> None:
        """Take the values after several steps."""
        self.X, self.error = X, error
        self.begin_block()
        self._rescale(X.entries())

    def _rescale(self, entries: Sequence[fmpz], *, exact: bool = False) -> None:
        """Move the scale along with the entries; exact ones never lose digits."""
        length = max(max(entries).bit_length(), min(entries).bit_length()) if entries else 0
        if length == 0 or abs(length - self.wanted) < _SLACK:
            return
        shift = self.wanted - length
        if exact and shift < 0:
            return
        self.scale += shift
        self.X = fmpz_mat(self.rows, self.columns, [shifted(entry, shift) for entry in entries])
        for name in ("error", "before", "local"):
            value = getattr(self, name)
            if value or shift < 0:
                setattr(self, name, value << shift if shift > 0 else (value >> -shift) + self.rounding)


class Prepared:
    """A piece in integers, at a precision."""

    def __init__(self, piece: AffinePiece, bits: int):
        self.piece, self.is_rational = piece, piece.is_rational
        p = piece.A.rows
        held = integers(beside(piece.A, piece.c), bits)
        rows = held.numerators.tolist()
        self.A = fmpz_mat([row[:p] for row in rows])
        self.c = [row[p] for row in rows]
        self.denominator, self.error = held.denominator, held.error
        self.moves = any(entry != 0 for entry in piece.c)
        self.balls = _balls(self.A, held.denominator)
        self.block_norm: int | None = None
        self.leap: Leap | None = None
        self._prepare_derivatives(bits)
        self._prepare_guards(bits)
        self.leaps = self.is_rational and not self.moves and self.h is None and self.L is None
        self.leaps = self.leaps and p <= LARGEST_BLOCKED and self.denominator.bit_length() <= _LARGEST_LEAPT

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
            if sign == 0 and constant == 0 and not any(row):
                continue
            held = integers(beside(row, sp.Matrix([[constant]])), bits)
            *slopes, value = held.numerators.entries()
            rows += slopes
            self.guards.append([sign, value, 0, held.error != 0])
        self.rows = fmpz_mat(len(self.guards), p, rows) if rows else None

    def measure(self, norm: AdaptedNorm) -> None:
        """Bound what it does in a norm."""
        self.growth, self.block_norm, self.leap = units(norm.of(self.balls)), None, None
        for i, guard in enumerate(self.guards):
            row = [self.rows[i, j] for j in range(self.rows.ncols())]
            guard[2] = units(norm.of_row(arb_mat(1, len(row), row))) + 1
        if self.L is not None:
            n = self.A.nrows()
            blocks = [fmpz_mat(self.L.tolist()[j * n : (j + 1) * n]) for j in range(self.L.nrows() // n)]
            self.coupling = max(units(norm.of(_balls(block, self.L_denominator))) for block in blocks)

    def holds(self, part: Part) -> bool:
        """Whether every condition is proved to hold strictly."""
        if self.rows is None:
            return True
        error, scale = part.error, part.scale
        values = (self.rows * part.X).entries()
        for (sign, constant, length, irrational), value in zip(self.guards, values, strict=True):
            slack = 1 + (error * length >> 2 * UNIT) if error else 0
            if constant != 0:
                value = value + shifted(constant, scale)
                slack += scale < 0
            if irrational:
                slack += 4 * (fmpz(2) ** max(scale, 0) + fmpz(2) ** (part.wanted + _SLACK + 1) * part.rows)
            if not sign * value > slack:
                return False
        return True


def _balls(A: fmpz_mat, denominator: fmpz) -> arb_mat:
    """A matrix that was written as integers, which may be uncertain in the last place."""
    with ctx.workprec(BITS):
        unsure = arb(0, 2.0**-90)
        return arb_mat(A.nrows(), A.ncols(), [arb(n) / arb(denominator) + unsure for n in A.entries()])


def beside(*parts: Any) -> sp.ImmutableMatrix:
    """Put matrices of equally many rows next to each other."""
    return sp.ImmutableMatrix(sp.Matrix.hstack(*map(sp.Matrix, parts)))


def _divides(denominator: fmpz, quotients: Sequence[fmpz], numerators: Sequence[fmpz]) -> bool:
    return all(q * denominator == n for q, n in zip(quotients, numerators, strict=True))


def units(value: arb) -> int:
    """A bound from above, in units."""
    return int((value.upper() * arb(2) ** UNIT).ceil().upper().unique_fmpz()) + 1


def shifted(value: fmpz, shift: int) -> fmpz:
    """Multiply by a power of two, rounding down."""
    return value << shift if shift >= 0 else value >> -shift


def shifted_up(value: int, shift: int) -> int:
    """Multiply by a power of two, rounding up."""
    return value << shift if shift >= 0 else (value >> -shift) + 1


def uncertain(error: fmpq, scale: int) -> int:
    """What an uncertain constant adds, in roundings."""
    if error == 0:
        return 0 if scale >= 0 else 1
    return int((error * fmpq(2) ** scale).ceil()) + 1


def _length(entry: sp.Expr) -> int:
    """About how many bits stand before the binary point."""
    mantissa, exponent = Balls(64).evaluate(entry).mid().man_exp()
    return int(fmpz(mantissa).bit_length()) + int(exponent) if mantissa else 0

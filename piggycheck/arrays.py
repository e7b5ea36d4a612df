"""Matrices over an arithmetic: exact, in balls, in mpmath, in float64; and points that are known up to a distance.

One algorithm is written once, over an `Arrays`; a vector is a matrix of one column. Over balls an array is enclosed
*in norm*: by an exact centre and a bound on the Frobenius distance from it. Unlike entrywise bounds this does not wrap:
a nonexpansive map keeps it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

from piggycheck.arithmetic import RATIONAL, Arithmetic, Balls, Float64, Mpmath
from piggycheck.errors import MapError, NumberError, UnknownError
from piggycheck.norms import spectral_norm_bound
from piggycheck.spectra import Spectrum, guessed_eigenvectors, rational_spectrum

__all__ = ["EXACT", "FLOAT64", "Arrays", "BallArrays", "Enclosed", "MpmathArrays"]

_FEW = 8


@dataclass(frozen=True, slots=True)
class Enclosed:
    """A matrix that is known up to a distance.

    Attributes
    ----------
    centre : matrix of an `Arrays`
        Exact numbers.
    spread : number
        The true matrix is within this Frobenius distance of the centre; 0 for arithmetics that do not bound errors.
    """

    centre: Any
    spread: Any = 0


class Arrays(ABC):
    """Matrices over an arithmetic.

    Attributes
    ----------
    scalars : Arithmetic
        Where the entries live.
    bounds_errors : bool
        Whether spreads are kept: only over balls. Elsewhere every bound is 0.
    """

    scalars: Arithmetic
    bounds_errors = False

    def precision(self) -> AbstractContextManager[Any]:
        """Return a context in which these matrices are computed with."""
        return nullcontext()

    @abstractmethod
    def matrix(self, exact: fmpq_mat) -> Any:
        """Convert an exact matrix."""

    @abstractmethod
    def exactly(self, A: Any) -> fmpq_mat:
        """Return the exact numbers that the entries are; of balls, their midpoints."""

    @abstractmethod
    def assemble(self, rows: int, columns: int, entries: Iterable[Any]) -> Any:
        """Build a matrix from its entries, row by row."""

    @abstractmethod
    def entries(self, A: Any) -> Sequence[Any]:
        """List the entries, row by row."""

    def rows(self, A: Any) -> list[list[Any]]:
        """List the rows."""
        entries, (rows, columns) = self.entries(A), self.shape(A)
        return [list(entries[i * columns : (i + 1) * columns]) for i in range(rows)]

    @abstractmethod
    def shape(self, A: Any) -> tuple[int, int]:
        """Return the numbers of rows and columns."""

    @abstractmethod
    def product(self, A: Any, B: Any) -> Any:
        """Return ``A B``."""

    @abstractmethod
    def inverse(self, A: Any) -> Any:
        """Invert a matrix; raises `MapError` when it is singular, as far as is seen."""

    def total(self, A: Any, B: Any) -> Any:
        """Return ``A + B``."""
        return A + B

    def scaled(self, factor: Any, A: Any) -> Any:
        """Multiply by a number."""
        return A * factor

    def transposed(self, A: Any) -> Any:
        """Return the transpose."""
        return A.transpose()

    def zeros(self, rows: int, columns: int) -> Any:
        """Return a zero matrix."""
        return self.matrix(fmpq_mat(rows, columns))

    def identity(self, size: int) -> Any:
        """Return an identity matrix."""
        unit = fmpq_mat(size, size)
        for i in range(size):
            unit[i, i] = fmpq(1)
        return self.matrix(unit)

    def number(self, value: fmpq) -> Any:
        """Convert an exact number."""
        return self.entries(self.matrix(fmpq_mat([[value]])))[0]

    def block(self, A: Any, start: int, stop: int) -> Any:
        """Return the rows from `start` up to, not including, `stop`."""
        columns = self.shape(A)[1]
        return self.assemble(stop - start, columns, self.entries(A)[start * columns : stop * columns])

    def stacked(self, parts: Sequence[Any]) -> Any:
        """Put matrices with the same number of columns below each other."""
        entries = [entry for part in parts for entry in self.entries(part)]
        return self.assemble(sum(self.shape(part)[0] for part in parts), self.shape(parts[0])[1], entries)

    @abstractmethod
    def spectrum(self, Z: Any) -> Spectrum:
        """Diagonalise a symmetric matrix."""

    def euclidean(self, numbers: Sequence[Any]) -> Any:
        """Return the square root of the sum of the squares."""
        return self.scalars.sqrt(sum((v * v for v in numbers[1:]), start=numbers[0] * numbers[0]))

    # -- errors; over balls alone they are more than 0 -----------------------------------------------------------

    def enclosed(self, A: Any, spread: Any = 0) -> Enclosed:
        """Turn computed entries into an exact centre, adding what they are uncertain by to the spread."""
        return Enclosed(A, spread)

    def reaching(self, A: Any, distance: Any) -> Any:
        """Return entries that cover every matrix within a Frobenius distance of A."""
        return A

    def length(self, A: Any) -> Any:
        """Bound the Frobenius norm from above."""
        return 0

    def operator_norm(self, A: Any) -> Any:
        """Bound the spectral norm from above."""
        return 0


class _Exact(Arrays):
    """Rational matrices."""

    scalars = RATIONAL

    def matrix(self, exact: fmpq_mat) -> fmpq_mat:
        return exact

    def exactly(self, A: fmpq_mat) -> fmpq_mat:
        return A

    def assemble(self, rows: int, columns: int, entries: Iterable[fmpq]) -> fmpq_mat:
        return fmpq_mat(rows, columns, list(entries))

    def entries(self, A: fmpq_mat) -> Sequence[fmpq]:
        return A.entries()

    def shape(self, A: fmpq_mat) -> tuple[int, int]:
        return A.nrows(), A.ncols()

    def product(self, A: fmpq_mat, B: fmpq_mat) -> fmpq_mat:
        return A * B

    def inverse(self, A: fmpq_mat) -> fmpq_mat:
        try:
            return A.inv()
        except ZeroDivisionError:
            raise MapError(f"a matrix of {A.nrows()} rows is singular") from None

    def spectrum(self, Z: fmpq_mat) -> Spectrum:
        return rational_spectrum(Z)


class BallArrays(Arrays):
    """Matrices of balls: every result contains the true one.

    Parameters
    ----------
    bits : int
        Working precision.

    Examples
    --------
    >>> third = BallArrays(64).matrix(fmpq_mat([[fmpq(1, 3)]]))
    >>> enclosed = BallArrays(64).enclosed(third)
    >>> bool(enclosed.spread < arb(2) ** -60), bool(enclosed.centre[0, 0].is_exact())
    (True, True)
    """

    bounds_errors = True

    def __init__(self, bits: int = 128):
        self.bits = bits
        self.scalars = Balls(bits)

    def precision(self) -> AbstractContextManager[Any]:
        return self.scalars.precision()

    def matrix(self, exact: fmpq_mat) -> arb_mat:
        with self.precision():
            return arb_mat(exact.nrows(), exact.ncols(), [arb(entry) for entry in exact.entries()])

    def exactly(self, A: arb_mat) -> fmpq_mat:
        return fmpq_mat(A.nrows(), A.ncols(), [_dyadic(*entry.mid().man_exp()) for entry in A.entries()])

    def assemble(self, rows: int, columns: int, entries: Iterable[arb]) -> arb_mat:
        return arb_mat(rows, columns, list(entries))

    def entries(self, A: arb_mat) -> Sequence[arb]:
        return A.entries()

    def shape(self, A: arb_mat) -> tuple[int, int]:
        return A.nrows(), A.ncols()

    def product(self, A: arb_mat, B: arb_mat) -> arb_mat:
        return A * B

    def inverse(self, A: arb_mat) -> arb_mat:
        try:
            return A.inv()
        except ZeroDivisionError:
            raise MapError(f"a matrix of {A.nrows()} rows was not inverted with {self.bits} bits") from None

    def spectrum(self, Z: arb_mat) -> Spectrum:
        """Diagonalise a symmetric matrix, with bounds on the defects.

        Raises
        ------
        UnknownError
            When the eigenvectors found are not nearly orthonormal.

        Notes
        -----
        No separation of eigenvalues is needed. Source: docs/theory/spectral-functions.md.
        """
        size = Z.nrows()
        values, Q = guessed_eigenvectors(Z.mid(), self.bits)
        with ctx.workprec(self.bits + 16):
            inverse = Q.transpose()
            orthogonality = self.length(inverse * Q - self.identity(size))
            if not orthogonality < arb(0.25):
                raise UnknownError(f"no orthonormal eigenvectors of a matrix of {size} rows were found")
            scaled = [entry * value for row in Q.tolist() for entry, value in zip(row, values, strict=True)]
            residual = self.length(Z - arb_mat(size, size, scaled) * inverse)
            largest = max((abs(value) for value in values), default=arb(0))
            return Spectrum(values, Q, inverse, orthogonality, (residual + 3 * largest * orthogonality).upper())

    def euclidean(self, numbers: Sequence[arb]) -> arb:
        square = sum((v * v for v in numbers), start=arb(0))
        return square.sqrt() if square > 0 else arb(0).union(square.upper().sqrt().upper())

    def enclosed(self, A: arb_mat, spread: Any = 0) -> Enclosed:
        centre = A.mid()
        return Enclosed(centre, (self.length(A - centre) + spread).upper())

    def reaching(self, A: arb_mat, distance: Any) -> arb_mat:
        if isinstance(distance, int) or distance.is_zero():
            return A
        rows, columns = A.nrows(), A.ncols()
        return A + _ones(rows, columns) * arb(0, distance)

    def length(self, A: arb_mat) -> arb:
        rows, columns = A.nrows(), A.ncols()
        if min(rows, columns) > _FEW:
            A, columns = arb_mat(rows * columns, 1, A.entries()), 1
        squares = A.transpose() * A if columns <= _FEW else A * A.transpose()
        return squares.trace().upper().sqrt().upper() if rows and columns else arb(0)

    def operator_norm(self, A: arb_mat) -> arb:
        """Bound the spectral norm: a guess from floating point, proved by definiteness with a margin."""
        enclosed = self.enclosed(A)
        return (arb(spectral_norm_bound(enclosed.centre)) + enclosed.spread).upper()


@lru_cache(maxsize=64)
def _ones(rows: int, columns: int) -> arb_mat:
    return arb_mat(rows, columns, [1] * (rows * columns))


class MpmathArrays(Arrays):
    """Matrices of mpmath numbers, as lists of rows: the independent evaluator, plainly rounded.

    Parameters
    ----------
    digits : int
        Decimal digits carried.
    """

    def __init__(self, digits: int = 50):
        self.scalars = Mpmath(digits)

    @cached_property
    def _context(self) -> Any:
        return self.scalars.context

    def matrix(self, exact: fmpq_mat) -> _Rows:
        number = self._context.mpf
        return _Rows(exact.ncols(), [[number(int(e.p)) / int(e.q) for e in row] for row in exact.tolist()])

    def exactly(self, A: _Rows) -> fmpq_mat:
        numbers = [_dyadic(*abs(entry).man_exp) * (-1 if entry < 0 else 1) for entry in self.entries(A)]
        return fmpq_mat(len(A.rows), A.columns, numbers)

    def assemble(self, rows: int, columns: int, entries: Iterable[Any]) -> _Rows:
        numbers = iter(entries)
        return _Rows(columns, [[next(numbers) for _ in range(columns)] for _ in range(rows)])

    def entries(self, A: _Rows) -> Sequence[Any]:
        return [entry for row in A.rows for entry in row]

    def shape(self, A: _Rows) -> tuple[int, int]:
        return len(A.rows), A.columns

    def product(self, A: _Rows, B: _Rows) -> _Rows:
        columns = B.transpose().rows
        return _Rows(B.columns, [[self._context.fdot(row, column) for column in columns] for row in A.rows])

    def inverse(self, A: _Rows) -> _Rows:
        size = len(A.rows)
        if not size:
            return A
        try:
            inverse = self._context.inverse(self._context.matrix(A.rows))
        except ZeroDivisionError:
            raise MapError(
                f"a matrix of {size} rows is singular, as far as {self.scalars.digits} digits tell"
            ) from None
        return _Rows(size, inverse.tolist())

    def spectrum(self, Z: _Rows) -> Spectrum:
        values, vectors = self._context.eigsy(self._context.matrix(Z.rows))
        V = _Rows(len(Z.rows), vectors.tolist())
        return Spectrum(list(values), V, V.transpose())


@dataclass(frozen=True, slots=True)
class _Rows:
    columns: int
    rows: list[list[Any]]

    def __add__(self, other: _Rows) -> _Rows:
        pairs = zip(self.rows, other.rows, strict=True)
        return _Rows(self.columns, [[a + b for a, b in zip(*pair, strict=True)] for pair in pairs])

    def __mul__(self, factor: Any) -> _Rows:
        return _Rows(self.columns, [[entry * factor for entry in row] for row in self.rows])

    def transpose(self) -> _Rows:
        return _Rows(len(self.rows), [[row[j] for row in self.rows] for j in range(self.columns)])


class _Float(Arrays):
    """Matrices of float64, for guesses."""

    scalars = Float64()

    def matrix(self, exact: fmpq_mat) -> Any:
        import numpy as np

        try:
            numbers = [int(e.p) / int(e.q) for e in exact.entries()]
        except OverflowError:
            raise NumberError("a number is above 10^308, the largest in floating point; scale the problem") from None
        return np.array(numbers, dtype=float).reshape(exact.nrows(), exact.ncols())

    def zeros(self, rows: int, columns: int) -> Any:
        import numpy as np

        return np.zeros((rows, columns))

    def identity(self, size: int) -> Any:
        import numpy as np

        return np.eye(size)

    def exactly(self, A: Any) -> fmpq_mat:
        return fmpq_mat(*A.shape, [fmpq(*float(entry).as_integer_ratio()) for entry in A.ravel()])

    def assemble(self, rows: int, columns: int, entries: Iterable[Any]) -> Any:
        import numpy as np

        return np.array(list(entries), dtype=float).reshape(rows, columns)

    def entries(self, A: Any) -> Sequence[float]:
        return A.ravel()

    def shape(self, A: Any) -> tuple[int, int]:
        return A.shape

    def product(self, A: Any, B: Any) -> Any:
        return A @ B

    def inverse(self, A: Any) -> Any:
        import numpy as np

        try:
            return np.linalg.inv(A)
        except np.linalg.LinAlgError:
            raise MapError(f"a matrix of {len(A)} rows is singular, as far as double precision tells") from None

    def spectrum(self, Z: Any) -> Spectrum:
        import numpy as np

        values, vectors = np.linalg.eigh(Z)
        return Spectrum(values.tolist(), vectors, vectors.T)

    def stacked(self, parts: Sequence[Any]) -> Any:
        import numpy as np

        return np.vstack(parts)


def _dyadic(mantissa: Any, exponent: Any) -> fmpq:
    return fmpq(int(mantissa)) * fmpq(2) ** int(exponent)


EXACT = _Exact()
FLOAT64 = _Float()

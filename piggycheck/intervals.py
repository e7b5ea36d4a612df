"""Interval matrices: matrices known only between entrywise rational bounds, as a midpoint and a radius.

A letter of a switched system is a rational matrix, or an interval matrix. What is proved about an interval matrix is
proved for every matrix between its bounds, chosen anew at every step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.errors import SwitchedSystemError
from piggycheck.linalg import entries, is_positive_semidefinite, matrix, zeros

__all__ = [
    "IntervalMatrix",
    "Letter",
    "absolute",
    "block_in",
    "contracts",
    "corners",
    "has_intervals",
    "midpoint",
    "radius",
    "read_letter",
    "samples",
]

_SAMPLE_BITS = 4
_NEGLIGIBLE = fmpq(1, 2**30)


@dataclass(frozen=True)
class IntervalMatrix:
    """All matrices whose entries differ from those of `midpoint` by at most those of `radius`.

    Parameters
    ----------
    midpoint, radius : fmpq_mat
        Of one shape; the radius has no negative entry.

    Raises
    ------
    SwitchedSystemError
        When a radius is negative, or shapes do not fit.

    Examples
    --------
    >>> A = IntervalMatrix.between(fmpq_mat([[1, 0]]), fmpq_mat([[2, 0]]))
    >>> A.midpoint, A.radius
    ([3/2, 0], [1/2, 0])
    >>> (A * fmpq_mat([[2], [1]])).bounds()
    [[(2, 4)]]

    Notes
    -----
    When this fails: products overestimate, so wide intervals prove little.
    """

    midpoint: fmpq_mat
    radius: fmpq_mat

    def __post_init__(self) -> None:
        if _shape(self.midpoint) != _shape(self.radius):
            raise SwitchedSystemError("the midpoint and the radius of an interval matrix have different shapes")
        if any(entry < 0 for entry in self.radius.entries()):
            raise SwitchedSystemError("an interval has its ends in the wrong order; write [lower, upper]")

    @classmethod
    def between(cls, lower: fmpq_mat, upper: fmpq_mat) -> IntervalMatrix:
        """Return the interval matrix with the given entrywise bounds."""
        return cls((lower + upper) / 2, (upper - lower) / 2)

    def nrows(self) -> int:
        """Return the number of rows."""
        return int(self.midpoint.nrows())

    def ncols(self) -> int:
        """Return the number of columns."""
        return int(self.midpoint.ncols())

    @property
    def is_exact(self) -> bool:
        """Whether it holds one matrix only."""
        return not any(self.radius.entries())

    def bounds(self) -> list[list[tuple[fmpq, fmpq]]]:
        """Return rows of pairs (lower, upper)."""
        low, high = self.midpoint - self.radius, self.midpoint + self.radius
        return [list(zip(*rows, strict=True)) for rows in zip(entries(low), entries(high), strict=True)]

    def transpose(self) -> IntervalMatrix:
        """Return the interval matrix of the transposed matrices."""
        return IntervalMatrix(self.midpoint.transpose(), self.radius.transpose())

    def __add__(self, other: Letter) -> IntervalMatrix:
        return IntervalMatrix(self.midpoint + midpoint(other), self.radius + radius(other))

    __radd__ = __add__

    def __mul__(self, other: Letter | fmpq | int) -> IntervalMatrix:
        if isinstance(other, (fmpq_mat, IntervalMatrix)):
            return _product(self, other)
        factor = fmpq(other)
        return IntervalMatrix(self.midpoint * factor, self.radius * abs(factor))

    def __rmul__(self, other: fmpq_mat | fmpq | int) -> IntervalMatrix:
        return _product(other, self) if isinstance(other, fmpq_mat) else self * other


Letter = fmpq_mat | IntervalMatrix
"""A matrix that is known exactly, or between bounds."""


def midpoint(A: Letter) -> fmpq_mat:
    """Return the middle of an interval matrix; a rational matrix is its own."""
    return A.midpoint if isinstance(A, IntervalMatrix) else A


def radius(A: Letter) -> fmpq_mat:
    """Return the radius of an interval matrix; that of a rational matrix is zero."""
    return A.radius if isinstance(A, IntervalMatrix) else fmpq_mat(A.nrows(), A.ncols())


def absolute(M: fmpq_mat) -> fmpq_mat:
    """Return the matrix of absolute values."""
    return fmpq_mat(M.nrows(), M.ncols(), [abs(entry) for entry in M.entries()])


def contracts(A: Letter, P: fmpq_mat, factor: fmpq, image: fmpq_mat | None = None) -> bool:
    """Prove ``factor P - A^T Q A`` positive semidefinite, for every matrix A between the bounds.

    Parameters
    ----------
    A : fmpq_mat or IntervalMatrix
    P : fmpq_mat
        Symmetric.
    factor : fmpq
    image : fmpq_mat, optional
        The form Q in which the image is measured, symmetric; P when absent.

    Returns
    -------
    bool
        True is a theorem. For a rational matrix False is one, too; for an interval matrix it means only that this was
        not proved.

    Examples
    --------
    >>> A, P = IntervalMatrix.between(fmpq_mat([[fmpq(1, 3)]]), fmpq_mat([[fmpq(1, 2)]])), fmpq_mat([[1]])
    >>> contracts(A, P, fmpq(1, 4)), contracts(A, P, fmpq(1, 5)), contracts(fmpq_mat([[fmpq(1, 2)]]), P, fmpq(1, 5))
    (True, False, False)

    Notes
    -----
    The symmetric matrices ``A^T Q A`` lie entrywise within a spread S of the middle one. Each diagonal entry of the
    middle is lowered by ``sum_j S_ij d_j / d_i``, which covers all of them for any positive d (Gershgorin); the powers
    of two near the square roots of ``1 / P_ii`` are taken for d, so that the units of the coordinates do not matter.
    When this fails: wide intervals overestimate.
    """
    Q = P if image is None else image
    C = midpoint(A)
    gap = factor * P - C.transpose() * Q * C
    if isinstance(A, IntervalMatrix):
        half = absolute(C.transpose() * Q) * A.radius
        spread = half + half.transpose() + A.radius.transpose() * absolute(Q) * A.radius
        scale = [_root_exponent(P[i, i]) for i in range(P.nrows())]
        for i, row in enumerate(entries(spread)):
            gap[i, i] -= sum(
                (entry * fmpq(2) ** (scale[i] - scale[j]) for j, entry in enumerate(row) if entry), fmpq(0)
            )
    return is_positive_semidefinite(gap)


def corners(A: Letter) -> Iterator[fmpq_mat]:
    """Yield the matrices all of whose entries are at one end: those between the bounds are their convex hull.

    Parameters
    ----------
    A : fmpq_mat or IntervalMatrix

    Yields
    ------
    fmpq_mat
        Uncertain entries by rows, the last one changing fastest, lower ends first.

    Examples
    --------
    >>> list(corners(IntervalMatrix.between(fmpq_mat([[1, 0]]), fmpq_mat([[3, 0]]))))
    [[1, 0], [3, 0]]

    Notes
    -----
    When this fails: there are two to the power of the number of uncertain entries.
    """
    values = zip(midpoint(A).entries(), radius(A).entries(), strict=True)
    for chosen in product(*((c - r, c + r) if r != 0 else (c,) for c, r in values)):
        yield fmpq_mat(A.nrows(), A.ncols(), list(chosen))


def samples(A: Letter) -> list[fmpq_mat]:
    """Return a few matrices between the bounds, which stand for all of them where something is only guessed.

    Parameters
    ----------
    A : fmpq_mat or IntervalMatrix

    Returns
    -------
    list of fmpq_mat
        The corners when at most four entries are uncertain; otherwise the middle, and both ends of all entries. The
        middle alone when the bounds are very near each other.

    Examples
    --------
    >>> samples(IntervalMatrix.between(fmpq_mat([[1, 0]]), fmpq_mat([[3, 0]])))
    [[1, 0], [3, 0]]

    Notes
    -----
    When this fails: with many uncertain entries there are more corners than can be listed.
    """
    C, R = midpoint(A), radius(A)
    if max(R.entries(), default=0) <= _NEGLIGIBLE * max(absolute(C).entries(), default=0):
        return [C]
    uncertain = sum(entry != 0 for entry in R.entries())
    return list(corners(A)) if uncertain <= _SAMPLE_BITS else [C, C - R, C + R]


def read_letter(rows: Any, where: str) -> Letter:
    """Read a matrix in which entries may be pairs (lower, upper).

    Parameters
    ----------
    rows : matrix, or sequence of rows of numbers and pairs
    where : str
        What errors call it.

    Returns
    -------
    fmpq_mat or IntervalMatrix
        The first also when no interval has any width.

    Raises
    ------
    SwitchedSystemError
        When the ends of an interval are in the wrong order.
    NumberError
        When an entry is not exact, or rows have different lengths.

    Examples
    --------
    >>> read_letter([[1, ["1/3", "1/2"]]], "A").bounds()
    [[(1, 1), (1/3, 1/2)]]

    Notes
    -----
    When this fails: it does not; what it cannot read it refuses.
    """
    if isinstance(rows, IntervalMatrix):
        return rows
    uncertain = _uncertain(rows)
    if not uncertain:
        return matrix(rows, where)
    lower, upper = (
        matrix(
            [
                [entry[end] if (i, j) in uncertain else entry for j, entry in enumerate(row)]
                for i, row in enumerate(rows)
            ],
            where,
        )
        for end in (0, 1)
    )
    for i, j in uncertain:
        if lower[i, j] > upper[i, j]:
            raise SwitchedSystemError(
                f"`{where}[{i}][{j}]`: the interval [{lower[i, j]}, {upper[i, j]}] has its ends in the wrong order; "
                f"write [{upper[i, j]}, {lower[i, j]}]"
            )
    read = IntervalMatrix.between(lower, upper)
    return read.midpoint if read.is_exact else read


def has_intervals(rows: Any) -> bool:
    """Whether a matrix, or some rows that are to be read, are known only between bounds.

    Examples
    --------
    >>> has_intervals([[1, [0, 1]]]), has_intervals([[1, 0]])
    (True, False)
    """
    return isinstance(rows, IntervalMatrix) or bool(_uncertain(rows))


def block_in(M: Letter, row: int, column: int, rows: int, columns: int) -> Letter:
    """Return a matrix of blocks of one shape, all zero but one.

    Examples
    --------
    >>> block_in(fmpq_mat([[5]]), 1, 0, 2, 2)
    [0, 0]
    [5, 0]
    """
    if isinstance(M, fmpq_mat):
        return _exactly_placed(M, row, column, rows, columns)
    return IntervalMatrix(
        _exactly_placed(M.midpoint, row, column, rows, columns), _exactly_placed(M.radius, row, column, rows, columns)
    )


def _uncertain(rows: Any) -> set[tuple[int, int]]:
    """Places of the entries that are pairs."""
    if not isinstance(rows, (list, tuple)) or not all(isinstance(row, (list, tuple)) for row in rows):
        return set()
    return {
        (i, j)
        for i, row in enumerate(rows)
        for j, entry in enumerate(row)
        if isinstance(entry, (list, tuple)) and len(entry) == 2
    }


def _exactly_placed(M: fmpq_mat, row: int, column: int, rows: int, columns: int) -> fmpq_mat:
    placed = zeros(rows * M.nrows(), columns * M.ncols())
    for i in range(M.nrows()):
        for j in range(M.ncols()):
            placed[row * M.nrows() + i, column * M.ncols() + j] = M[i, j]
    return placed


def _product(X: Letter, Y: Letter) -> IntervalMatrix:
    """All products, in midpoint-radius form (Rump)."""
    C, D, R, S = midpoint(X), midpoint(Y), radius(X), radius(Y)
    return IntervalMatrix(C * D, absolute(C) * S + R * absolute(D) + R * S)


def _root_exponent(value: fmpq) -> int:
    """Half of the exponent of a positive number, in powers of two."""
    return (int(value.p).bit_length() - int(value.q).bit_length()) // 2


def _shape(M: fmpq_mat) -> tuple[int, int]:
    return M.nrows(), M.ncols()

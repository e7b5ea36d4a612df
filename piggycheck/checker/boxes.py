"""Boxes: all matrices between entrywise bounds, as a centre and a radius; what is shown of a box holds for each."""

from __future__ import annotations

from fractions import Fraction
from typing import Any, NamedTuple

from .definite import semidefinite
from .matrices import Matrix, matrix
from .reading import Refused
from .scaled import Scaled, absolute, combined, lowest, product, scaled, symmetric, transposed

ONE = Fraction(1)


class Box(NamedTuple):
    """All matrices whose entries differ from those of the centre by at most those of the radius (None: zero)."""

    centre: Scaled
    radius: Scaled | None = None

    @property
    def size(self) -> int:
        """The number of rows."""
        return len(self.centre.rows)

    @property
    def is_zero(self) -> bool:
        """Whether it is the zero matrix."""
        return self.radius is None and not any(map(any, self.centre.rows))

    def transposed(self) -> Box:
        """The box of the transposed matrices."""
        return Box(transposed(self.centre), None if self.radius is None else transposed(self.radius))

    def ends(self) -> tuple[Scaled, Scaled]:
        """The lower and the upper ends of the entries."""
        if self.radius is None:
            return self.centre, self.centre
        return combined([(ONE, self.centre), (-ONE, self.radius)]), combined([(ONE, self.centre), (ONE, self.radius)])

    def reach(self) -> Scaled:
        """The largest absolute values of the entries."""
        size = absolute(self.centre)
        return size if self.radius is None else combined([(ONE, size), (ONE, self.radius)])


def around(centre: Scaled, reach: Scaled, size: Scaled) -> Box:
    """The box of radius reach - size."""
    radius = combined([(ONE, reach), (-ONE, size)])
    return Box(centre, radius if any(map(any, radius.rows)) else None)


def box(M: Matrix) -> Box:
    """The box between the entries of a matrix of intervals."""
    if all(a.exact for row in M for a in row):
        return Box(scaled([[a.lo for a in row] for row in M]))
    centre, radius = ([[(a.hi + s * a.lo) / 2 for a in row] for row in M] for s in (1, -1))
    return Box(scaled(centre), scaled(radius))


def multiply(X: Box, Y: Box) -> Box:
    """A box around all products: each differs from that of the centres by what the absolute values can add."""
    centre = product(X.centre, Y.centre)
    if X.radius is None and Y.radius is None:
        return Box(centre)
    return around(centre, product(X.reach(), Y.reach()), product(absolute(X.centre), absolute(Y.centre)))


def submatrix(X: Box, rows: range, columns: range) -> Box:
    """The box of the entries in some rows and columns."""

    def cut(S: Scaled) -> Scaled:
        return lowest([[S.rows[i][j] for j in columns] for i in rows], S.denominator)

    radius = None if X.radius is None else cut(X.radius)
    return Box(cut(X.centre), radius if radius is not None and any(map(any, radius.rows)) else None)


def square(A: Box, Q: Scaled) -> tuple[Scaled, Scaled | None]:
    """A^T Q A for a symmetric Q: that of the centre, and by how much the entries of the others can differ."""
    C, R = A.centre, A.radius
    QC = product(Q, C)
    centre = product(transposed(C), QC)
    if R is None:
        return centre, None
    once = product(transposed(R), absolute(QC))
    twice = product(transposed(R), product(absolute(Q), R))
    return centre, combined([(ONE, once), (ONE, transposed(once)), (ONE, twice)])


def lowered(centre: Scaled, deviations: list[Scaled | None], powers: list[int] | None = None) -> Scaled:
    """Below all symmetric matrices that differ so much from the centre: each diagonal entry less the sum of its row.

    The sums are taken in coordinates that are multiplied with powers of 2; any will do.
    """
    found = [D for D in deviations if D is not None]
    if not found:
        return centre
    sums = []
    for i, row in enumerate(combined([(ONE, D) for D in found]).fractions()):
        weights = [Fraction(2) ** (powers[i] - power) for power in powers] if powers else [ONE] * len(row)
        sums.append(sum((a * w for a, w in zip(row, weights, strict=True) if a), Fraction(0)))
    diagonal = [[a if i == j else Fraction(0) for j in range(len(sums))] for i, a in enumerate(sums)]
    return combined([(ONE, centre), (-ONE, scaled(diagonal))])


def contracts(A: Box, P: Scaled, factor: Fraction, image: Scaled | None = None) -> bool:
    """Whether (A x)^T Q (A x) <= factor x^T P x for all x; Q is the image, P unless given, and both are definite."""
    centre, deviation = square(A, P if image is None else image)
    gap = combined([(factor, P), (-ONE, centre)])
    if deviation is None:
        return semidefinite(gap)
    sizes = [row[i].numerator.bit_length() - row[i].denominator.bit_length() for i, row in enumerate(P.fractions())]
    return semidefinite(lowered(gap, [deviation], [size // 2 for size in sizes]))


def read_scaled(data: Any, where: str, rows: int, columns: int) -> Scaled:
    """Read a rational matrix."""
    return scaled([[a.lo for a in row] for row in matrix(data, where, rows, columns)])


def positive_form(data: Any, where: str, size: int, definite: bool = True) -> Scaled:
    """Read a symmetric positive definite (semidefinite) matrix."""
    P = read_scaled(data, where, size, size)
    if not symmetric(P) or not semidefinite(P, definite):
        raise Refused(f"{where} is not symmetric and positive {'definite' if definite else 'semidefinite'}")
    return P

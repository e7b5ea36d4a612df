"""Eigenvectors of symmetric matrices of fixed-point numbers: found by rotations, and measured."""

from __future__ import annotations

from math import isqrt

from .effort import spend_inner
from .fixed import Ball, inner, norm
from .scaled import Rows

SWEEPS = 60
GUARD = 12


def rotated(Z: Rows, bits: int) -> Rows:
    """The rows are nearly eigenvectors: rotations make one entry after the other zero (Jacobi)."""
    n, one = len(Z), 1 << bits
    Q = [[one if i == j else 0 for j in range(n)] for i in range(n)]
    S = [list(row) for row in Z]
    for _ in range(SWEEPS):
        rotations = 0
        for p in range(n):
            for q in range(p + 1, n):
                if abs(S[p][q]) > n:
                    rotations += 1
                    rotate(S, Q, p, q, bits)
        spend_inner(12 * n * rotations, 2 * bits)
        if not rotations:
            break
    return Q


def rotate(S: Rows, Q: Rows, p: int, q: int, bits: int) -> None:
    """Rotate two rows, and of S the columns, too, by the smaller angle that makes S[p][q] zero."""
    gap, twice = S[q][q] - S[p][p], 2 * S[p][q]
    sign = 1 if (gap >= 0) == (twice > 0) else -1
    t = sign * (abs(twice) << bits) // (abs(gap) + isqrt(gap * gap + twice * twice))
    c = (1 << 2 * bits) // isqrt((1 << 2 * bits) + t * t)
    s = t * c >> bits
    for X in (S, Q):
        pairs = list(zip(X[p], X[q], strict=True))
        X[p], X[q] = [c * a - s * b >> bits for a, b in pairs], [s * a + c * b >> bits for a, b in pairs]
    for row in S:
        a, b = row[p], row[q]
        row[p], row[q] = c * a - s * b >> bits, s * a + c * b >> bits


def product(X: Rows, Y: Rows, bits: int) -> Rows:
    """X Y^T, rounded down."""
    spend_inner(len(X) * len(Y) * len(Y[0]), 2 * bits)
    return [[inner(row, other) >> bits for other in Y] for row in X]


def transposed(X: Rows) -> Rows:
    """The transposed matrix."""
    return [list(column) for column in zip(*X, strict=True)]


class Eigenvectors:
    """Rows Q, numbers l, and how far Q Q^T is from 1 (eta) and Q^T diag(l) Q from a symmetric matrix Z (zeta)."""

    def __init__(self, Z: Rows, bits: int) -> None:
        self.n, self.bits = len(Z), bits
        fine = rotated([[a << GUARD for a in row] for row in Z], bits + GUARD)
        self.Q = [[a >> GUARD for a in row] for row in fine]
        self.values, self.eta, self.zeta = self.measure(Z)

    def measure(self, Z: Rows) -> tuple[list[int], int, int]:
        """The numbers l = diag(Q Z Q^T), eta and zeta in units."""
        bits, n = self.bits, self.n
        columns = transposed(self.Q)
        gram = [
            [a - ((i == j) << bits) for j, a in enumerate(row)] for i, row in enumerate(product(columns, columns, bits))
        ]
        values = [inner(row, image) >> bits for row, image in zip(self.Q, product(self.Q, Z, bits), strict=True)]
        scaled = [[a * b >> bits for a, b in zip(column, values, strict=True)] for column in columns]
        back = product(scaled, columns, bits)
        # each rounding costs less than a unit, in the last product once more what it multiplies with, at most 2 sqrt(n)
        eta = norm([abs(a) + 1 for row in gram for a in row])
        rest = norm([abs(a - b) + 1 for pair in zip(Z, back, strict=True) for a, b in zip(*pair, strict=True)]) + 2 * n
        zeta = rest + (3 * max(map(abs, values)) * eta >> bits) + 1
        return values, eta, zeta

    def coordinates(self, H: Rows) -> Rows:
        """Q H Q^T for a symmetric matrix."""
        return product(product(self.Q, H, self.bits), self.Q, self.bits)

    def matrix(self, X: Rows) -> Rows:
        """Q^T X Q for a symmetric matrix."""
        columns = transposed(self.Q)
        return product(product(columns, X, self.bits), columns, self.bits)

    def diagonal(self, values: list[int]) -> Ball:
        """Q^T diag(values) Q, row after row, up to rounding."""
        columns = transposed(self.Q)
        scaled = [[a * b >> self.bits for a, b in zip(column, values, strict=True)] for column in columns]
        return Ball([[a for row in product(scaled, columns, self.bits) for a in row]], 3 * self.n)

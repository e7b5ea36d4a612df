"""Eigenvectors of symmetric matrices: guessed in floating point, refined in integers, and measured."""

from __future__ import annotations

from math import sqrt

from .effort import spend_inner
from .fixed import Ball, inner, norm
from .scaled import Rows

SWEEPS = 30
REFINEMENTS = 12


def guessed(S: list[list[float]]) -> list[list[float]]:
    """The rows are nearly eigenvectors: rotations make one entry after the other zero (Jacobi)."""
    n = len(S)
    Q = [[float(i == j) for j in range(n)] for i in range(n)]
    S = [list(row) for row in S]
    size = sqrt(sum(a * a for row in S for a in row))
    for _ in range(SWEEPS):
        spend_inner(4 * n**3, 0)
        rotated = False
        for p in range(n):
            for q in range(p + 1, n):
                if abs(S[p][q]) <= 1e-17 * size:
                    continue
                rotated = True
                turn = (S[q][q] - S[p][p]) / (2 * S[p][q])
                t = (1 if turn >= 0 else -1) / (abs(turn) + sqrt(1 + turn * turn))
                c = 1 / sqrt(1 + t * t)
                s = t * c
                for X in (S, Q):
                    a, b = X[p], X[q]
                    X[p] = [c * x - s * y for x, y in zip(a, b, strict=True)]
                    X[q] = [s * x + c * y for x, y in zip(a, b, strict=True)]
                for row in S:
                    row[p], row[q] = c * row[p] - s * row[q], s * row[p] + c * row[q]
        if not rotated:
            break
    return Q


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
        largest = max(1, *(abs(a) for row in Z for a in row))
        self.Q = [
            [round(a * 2**53) << bits >> 53 for a in row] for row in guessed([[a / largest for a in row] for row in Z])
        ]
        best = self.measured(Z)
        for _ in range(REFINEMENTS):
            kept = self.Q
            self.Q = self.refined(Z)
            found = self.measured(Z)
            if found >= best:
                self.Q = kept
                break
            best = found
        self.values, self.eta, self.zeta = self.measure(Z)

    def measured(self, Z: Rows) -> int:
        """How good the vectors are."""
        _, eta, zeta = self.measure(Z)
        return eta + zeta

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

    def refined(self, Z: Rows) -> Rows:
        """One step of Ogita and Aishima: first-order corrections, among equal eigenvalues of the lengths only."""
        bits, n = self.bits, self.n
        one, half = 1 << bits, 1 << bits - 1
        gram, S = product(self.Q, self.Q, bits), self.coordinates(Z)
        values = [(S[i][i] << bits) // gram[i][i] for i in range(n)]
        R = [[((i == j) << bits) - a for j, a in enumerate(row)] for i, row in enumerate(gram)]
        off = max([abs(S[i][j]) for i in range(n) for j in range(i)], default=0)
        close = 2 * (off + max(map(abs, values)) * max(abs(a) for row in R for a in row) // one) + n
        E = [[0] * n for _ in range(n)]
        for i in range(n):
            for j in range(n):
                gap = values[i] - values[j]
                if abs(gap) <= close:
                    E[i][j] = R[i][j] * half >> bits
                else:
                    E[i][j] = ((S[i][j] << bits) + values[i] * R[i][j]) // gap
        moves = product(E, transposed(self.Q), bits)
        return [[a + b for a, b in zip(*pair, strict=True)] for pair in zip(self.Q, moves, strict=True)]

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

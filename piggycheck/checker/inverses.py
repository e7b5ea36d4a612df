"""Inverses of symmetric positive definite matrices: a guessed solution is measured by what it leaves over."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt

from .definite import surely_definite
from .effort import spend_inner
from .exact import Exact, Nearly
from .fixed import Ball, enlarged, inner, norm
from .intervals import short
from .reading import Refused

GUARD = 32


class Solver:
    """Solves K x = b approximately, by a factor L L^T of K whose rows start where those of K do."""

    def __init__(self, K: Nearly, bits: int) -> None:
        self.size, self.bits = len(K.rows), bits + GUARD
        self.first = [next((j for j, a in enumerate(row[:i]) if a), i) for i, row in enumerate(K.rows)]
        spend_inner(sum((i - f) * (i - f + 20) for i, f in enumerate(self.first)) // 2, 2 * self.bits)
        self.rows: list[list[int]] = []
        for i, start in enumerate(self.first):
            new: list[int] = []
            for j in range(start, i + 1):
                left = max(start, self.first[j])
                a = (K.rows[i][j] << 2 * self.bits) // K.denominator
                if j < i:
                    other = self.rows[j]
                    a -= inner(new[left - start :], other[left - self.first[j] : -1])
                    new.append(a // other[-1])
                else:
                    a -= inner(new, new)
                    if a <= 0:
                        raise Refused("a matrix that is inverted is not positive definite, or nearly not")
                    new.append(isqrt(a))
            self.rows.append(new)
        ends = list(range(self.size))
        for i, start in enumerate(self.first):
            for j in range(start, i):
                ends[j] = i
        self.columns = [
            [self.rows[k][i - self.first[k]] if self.first[k] <= i else 0 for k in range(i + 1, end + 1)]
            for i, end in enumerate(ends)
        ]
        self.entries = sum(map(len, self.rows)) + sum(map(len, self.columns))

    def solve(self, b: Sequence[int], bits: int) -> list[int]:
        """Something near the solution, for numbers of so many bits."""
        spend_inner(self.entries + 20 * self.size, self.bits + bits)
        y: list[int] = []
        for i, row in enumerate(self.rows):
            y.append(((b[i] << self.bits) - inner(row, y[self.first[i] :])) // row[-1])
        x = [0] * self.size
        for i in range(self.size - 1, -1, -1):
            column = self.columns[i]
            x[i] = ((y[i] << self.bits) - inner(column, x[i + 1 : i + 1 + len(column)])) // self.rows[i][-1]
        return x


class Inverse:
    """The inverse of a symmetric matrix K, proved to be at least a positive number times the identity."""

    def __init__(self, K: Nearly) -> None:
        self.K = K
        self.exact = Exact(K.rows, K.denominator, K.width)
        self.solvers: dict[int, Solver] = {}
        self.least = self.proved_eigenvalue()

    def solver(self, bits: int) -> Solver:
        """What solves for numbers with so many fractional bits."""
        if bits not in self.solvers:
            self.solvers[bits] = Solver(self.K, bits)
        return self.solvers[bits]

    def proved_eigenvalue(self) -> Fraction:
        """A positive number that is not above the eigenvalues: guessed by inverse iteration."""
        n, solver = len(self.K.rows), self.solver(64)
        x = [((7919 * i * i + 104729 * i) % 1009 - 504) << 64 for i in range(n)]
        guess = Fraction(1)
        for _ in range(8):
            y = solver.solve(x, 64)
            size = norm(y)
            if not size:
                break
            guess = Fraction(norm(x), size)
            x = [(a << 64) // size for a in y]
        guess = short(guess, guess).lo
        for power in (1, 5, 10, 20):
            least = guess / 2**power
            shift = (least + self.K.error) * self.K.denominator
            rows = [
                [a * shift.denominator - (shift.numerator if i == j else 0) for j, a in enumerate(row)]
                for i, row in enumerate(self.K.rows)
            ]
            if surely_definite(rows):
                return least
        raise Refused("a matrix that is inverted is not proved positive definite")

    def apply(self, ball: Ball, bits: int) -> Ball:
        """The product of the inverse with a ball: the error of a solution is at most what it leaves over / least."""
        solver, d = self.solver(bits), self.K.denominator
        size = max(abs(a) for column in ball.columns for a in column).bit_length()
        solution = Ball([solver.solve(column, size) for column in ball.columns], 0)
        images = self.exact.multiply(solution.columns, size)
        rests = [[b * d - a for a, b in zip(*pair, strict=True)] for pair in zip(images, ball.columns, strict=True)]
        error = Fraction(Ball(rests, 0).size, d) + self.K.error * solution.size + ball.error
        return solution.wider(enlarged(1, error / self.least))

"""Guesses of spectral norms, in floating point."""

from __future__ import annotations

from math import sqrt
from operator import mul

from .effort import spend_inner

MOST_STEPS = 300
EVERY = 10  # steps between looks
SMALL = 2.0**-50


def guessed_norm(rows: list[list[float]], columns: list[list[float]]) -> float:
    """The norm of a matrix given by rows and by columns, by the method of Lanczos for A^T A."""
    n = len(columns)
    v = [1 + 0.1 * ((7919 * i * i + 104729 * i) % 1009) / 1009 for i in range(n)]
    length = sqrt(sum(map(mul, v, v)))
    v = [a / length for a in v]
    basis, alphas, betas, last = [v], list[float](), list[float](), -1.0
    for k in range(1, min(n, MOST_STEPS) + 1):
        spend_inner(2 * len(rows) * n + 4 * k * n, 0)
        image = [sum(map(mul, row, v)) for row in rows]
        w = [sum(map(mul, column, image)) for column in columns]
        alphas.append(sum(map(mul, v, w)))
        for _ in range(2):
            for u in basis:
                c = sum(map(mul, u, w))
                w = [a - c * b for a, b in zip(w, u, strict=True)]
        betas.append(sqrt(sum(map(mul, w, w))))
        done = k == n or betas[-1] <= SMALL * max(map(abs, alphas))
        if done or k % EVERY == 0:
            found = largest_eigenvalue(alphas, betas)
            if done or abs(found - last) <= SMALL * found:
                return sqrt(max(found, 0.0))
            last = found
        v = [a / betas[-1] for a in w]
        basis.append(v)
    return sqrt(max(last, 0.0))


def largest_eigenvalue(diagonal: list[float], beside: list[float]) -> float:
    """That of a tridiagonal symmetric matrix, by bisection: where no pivot is positive, none is above."""
    sizes = [abs(a) + abs(b) + abs(c) for a, b, c in zip(diagonal, beside, [0.0, *beside], strict=False)]
    high, low = max(sizes), -max(sizes)
    for _ in range(80):
        middle = (low + high) / 2
        pivot, above = 1.0, False
        for a, b in zip(diagonal, [0.0, *beside], strict=False):
            pivot = a - middle - b * b / (pivot or -1e-300)
            if pivot >= 0:
                above = True
                break
        low, high = (middle, high) if above else (low, middle)
    return high

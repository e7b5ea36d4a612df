"""Norms of matrices of integers, and of numbers with bounds: compared exactly, or enclosed."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt
from operator import mul

from .arithmetics import Number, Open, Rounded, spend_product
from .definite import semidefinite
from .determinants import determinant
from .effort import spend
from .fixed import norm, root
from .scaled import Scaled, polynomial_of

NORMS = ("max", "frobenius", "spectral")
Rows = Sequence[Sequence[int]]


def at_most(rows: Rows, size: int, factor: int, kind: str) -> bool:
    """Whether factor * (norm of a matrix of integers) <= size, decided exactly."""
    spend_product(factor.bit_length() + 64, size.bit_length())
    if kind == "max":
        return size >= 0 and factor * max(abs(a) for row in rows for a in row) <= size
    return size >= 0 and square_at_most(rows, size * size, factor * factor, kind)


def square_at_most(rows: Rows, square: int, factor: int, kind: str) -> bool:
    """Whether factor * (norm of a matrix of integers)^2 <= square."""
    spend_squares(rows)
    if kind != "spectral" or is_vector(rows):
        return factor * plain_square(rows, kind) <= square
    G = gram(rows)
    width = range(len(G))
    return semidefinite(Scaled([[square * (i == j) - factor * G[i][j] for j in width] for i in width], 1))


def spend_squares(rows: Rows) -> None:
    """Count the squares of all entries."""
    bits = max(a.bit_length() for row in rows for a in row)
    for _ in rows:
        spend_product(len(rows[0]) * bits, bits)


def is_vector(rows: Rows) -> bool:
    """Whether the spectral norm is the Euclidean one."""
    return len(rows) == 1 or len(rows[0]) == 1


def plain_square(rows: Rows, kind: str) -> int:
    """The square of the maximum or Frobenius norm."""
    if kind == "max":
        return max(abs(a) for row in rows for a in row) ** 2
    return sum(a * a for row in rows for a in row)


def gram(rows: Rows) -> list[list[int]]:
    """The inner products of the columns, or of the rows where there are fewer."""
    columns = list(zip(*rows, strict=True)) if len(rows[0]) <= len(rows) else rows
    spend(len(rows) * len(rows[0]) * len(columns), max(a.bit_length() for row in rows for a in row))
    return [[sum(map(mul, c, d)) for d in columns] for c in columns]


def exact_square(rows: Rows, kind: str) -> int:
    """The square of the norm of a matrix of integers, where it is rational."""
    spend_squares(rows)
    if kind != "spectral" or is_vector(rows):
        return plain_square(rows, kind)
    G = gram(rows)
    low, high = largest_eigenvalue(G)
    for c in range(low, high + 1)[: len(G) + 1]:  # as a rational eigenvalue of integers is one
        shifted = [[c * (i == j) - a for j, a in enumerate(row)] for i, row in enumerate(G)]
        if determinant(shifted) == 0 and semidefinite(Scaled(shifted, 1)):
            return c
    raise Open("a spectral norm")


def enclosed(entries: Sequence[Sequence[Number]], kind: str, arithmetic: Rounded) -> Number:
    """The norm of a matrix of rounded numbers."""
    if kind == "max":
        low = max(abs(c) - r for row in entries for c, r in row)
        return arithmetic.between(max(low, 0), max(abs(c) + r for row in entries for c, r in row))
    rows = [[c for c, _ in row] for row in entries]
    spend_squares(rows)
    if kind == "frobenius" or is_vector(rows):
        sizes = [(abs(c), r) for row in entries for c, r in row]
        return arithmetic.between(isqrt(sum(max(c - r, 0) ** 2 for c, r in sizes)), norm([c + r for c, r in sizes]))
    low, high = largest_eigenvalue(gram(rows))
    radius = norm([r for row in entries for _, r in row])
    return arithmetic.between(max(isqrt(low) - radius, 0), root(high) + radius)


def largest_eigenvalue(G: list[list[int]]) -> tuple[int, int]:
    """Bounds of the largest eigenvalue of a semidefinite matrix.

    Newton's method on the characteristic polynomial f decreases to it from above, as all roots are real; and it is at
    least x - n f(x)/f'(x), since f'/f is a sum of n terms 1/(x - root).
    """
    n = len(G)
    high = max(sum(map(abs, row)) for row in G)
    low = max(G[i][i] for i in range(n))
    spend(n**4, high.bit_length())
    f = [int(c) for c in polynomial_of(Scaled(G, 1))]
    slope = [c * (n - i) for i, c in enumerate(f[:-1])]
    while low < high:
        spend(4 * n, high.bit_length() * n)
        value, change = horner(f, high), horner(slope, high)
        if value <= 0:
            return high, high
        low = max(low, high - -(-n * value // change))
        step = value // change
        if not step:
            return low, high
        high -= step
    return low, high


def horner(polynomial: Sequence[int], x: int) -> int:
    """The value of a polynomial, its leading coefficient first."""
    total = 0
    for c in polynomial:
        total = total * x + c
    return total


def exact_norm(rows: Rows, denominator: int, kind: str) -> Fraction:
    """The norm of a matrix of integers over one denominator, where it is rational."""
    square = exact_square(rows, kind)
    size = isqrt(square)
    if size * size != square:
        raise Open("an irrational norm")
    return Fraction(size, denominator)

"""Whether symmetric rational matrices are positive semidefinite."""

from __future__ import annotations

from itertools import chain
from math import isqrt
from operator import mul

from .effort import spend, spend_inner
from .scaled import Rows, Scaled

SMALL = 8
DIGITS = 60  # binary ones of the entries of a factor


def semidefinite(S: Scaled, definite: bool = False) -> bool:
    """Whether a symmetric matrix is positive semidefinite (definite): its parts that zeros separate are."""
    return all(part_is_semidefinite(part, definite) for part in separated(S.rows))


def surely_definite(S: Rows) -> bool:
    """Whether a symmetric matrix of integers is positive definite, by a margin."""
    return all(map(has_factor, separated(S)))


def separated(S: Rows) -> list[Rows]:
    """The parts of a matrix that zeros separate."""
    return [[[S[i][j] for j in part] for i in part] for part in parts(S)]


def parts(rows: Rows) -> list[list[int]]:
    """The sets of indices that nonzero entries connect."""
    left, found = set(range(len(rows))), []
    while left:
        part, new = [], [left.pop()]
        while new:
            i = new.pop()
            part.append(i)
            reached = [j for j, a in enumerate(rows[i]) if a and j in left]
            left.difference_update(reached)
            new += reached
        found.append(sorted(part))
    return found


def part_is_semidefinite(S: Rows, definite: bool) -> bool:
    """Quickly when the smallest eigenvalue is not too small, otherwise by elimination."""
    return (len(S) > SMALL and has_factor(S)) or elimination_succeeds(S, definite)


def has_factor(S: Rows) -> bool:
    """Whether S is L L^T and a strictly diagonally dominant rest, hence definite.

    Each row and column is scaled by a power of 2 that makes the diagonal about 1; then S is taken times 4^DIGITS, and L
    in integers. In each entry the division leaves a rest, and so does the fractional part that is dropped; the one is
    below 2^DIGITS, the other below 1, on the diagonal neither is negative: less than the margin in each row.
    """
    n = len(S)
    spend_inner(n**3 // 6 + 20 * n * n, 2 * DIGITS)
    powers = [(S[i][i].bit_length() + 1) // 2 for i in range(n)]
    margin = n * (2**DIGITS + 1)
    factor: Rows = []
    for i, row in enumerate(S):
        new: list[int] = []
        for a, power, other in zip(row, powers, factor, strict=False):
            new.append((((a << 2 * DIGITS) >> (powers[i] + power)) - sum(map(mul, new, other))) // other[-1])
        square = ((row[i] << 2 * DIGITS) >> 2 * powers[i]) - margin - sum(map(mul, new, new))
        if square <= 0:
            return False
        factor.append([*new, isqrt(square)])
    return True


def elimination_succeeds(S: Rows, definite: bool) -> bool:
    """By elimination without fractions: after each step the rows below are minors, with the sign of the complement."""
    n, last = len(S), 1
    bits = max(map(abs, chain.from_iterable(S))).bit_length()
    for k in range(n):
        pivot = S[k]
        if pivot[k] < 0 or (pivot[k] == 0 and (definite or any(pivot[k:]))):
            return False
        if pivot[k] == 0:
            continue
        spend((n - k) ** 2, 2 * bits * (k + 1))
        for i in range(k + 1, n):
            factor = S[i][k]
            S[i] = [(pivot[k] * a - factor * b) // last for a, b in zip(S[i], pivot, strict=True)]
        last = pivot[k]
    return True

"""Whether symmetric rational matrices are positive semidefinite."""

from __future__ import annotations

from itertools import chain
from math import sqrt
from operator import mul

from .effort import spend
from .scaled import Rows, Scaled

SMALL = 8
DIGITS = 60  # binary ones of the entries of a factor


def semidefinite(S: Scaled, definite: bool = False) -> bool:
    """Whether a symmetric matrix is positive semidefinite (definite): its parts that zeros separate are."""
    return all(part_is_semidefinite([[S.rows[i][j] for j in part] for i in part], definite) for part in parts(S.rows))


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
    """Whether S is L L^T and a strictly diagonally dominant rest, hence definite: floating point only proposes L.

    Each row and column is scaled by a power of 2 that makes the diagonal about 1; then S is taken times 4^DIGITS, and
    the fractional part of each entry, which is dropped, counts as 1.
    """
    n = len(S)
    spend(n**3 // 2, DIGITS)
    powers = [(S[i][i].bit_length() + 1) // 2 for i in range(n)]
    T = [[(S[i][j] << 2 * DIGITS) >> (powers[i] + powers[j]) for j in range(i + 1)] for i in range(n)]
    if any(abs(a) > 4**DIGITS for row in T for a in row):
        return False
    factor: list[list[float]] = []
    for row in T:
        new: list[float] = []
        for a, other in zip(row, factor, strict=False):
            new.append((a / 4**DIGITS - sum(map(mul, new, other))) / other[-1])
        square = row[-1] / 4**DIGITS - sum(a * a for a in new) - n * 2.0**-44
        if square <= 0:
            return False
        factor.append([*new, sqrt(square)])
    L = [[round(a * 2**DIGITS) for a in row] for row in factor]
    room = [0] * n
    for i, row in enumerate(T):
        for j, a in enumerate(row):
            rest = a - sum(map(mul, L[i], L[j]))
            if i == j:
                room[i] += rest
            else:
                room[i] -= abs(rest) + 1
                room[j] -= abs(rest) + 1
    return min(room) > 0


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

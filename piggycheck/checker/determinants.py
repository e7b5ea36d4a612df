"""The determinant of a convex combination of matrices, as a polynomial in the weights, and its sign on the simplex."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations_with_replacement
from math import comb, factorial, gcd
from typing import Any

from .effort import spend
from .reading import Refused, Unreadable, array, integer
from .scaled import Rows, Scaled, common_denominator

MOST_TERMS = 20_000
DEEPEST = 200

Powers = tuple[int, ...]
Polynomial = dict[Powers, int]  # homogeneous, with its zero terms


def determinant(rows: Rows) -> int:
    """By elimination without fractions: every entry on the way is a minor, so the divisions are exact."""
    S, sign, last = [list(row) for row in rows], 1, 1
    bits = max((abs(a) for row in rows for a in row), default=0).bit_length()
    for k in range(len(S)):
        spend((len(S) - k) ** 2, 2 * bits * (k + 1))
        found = next((i for i in range(k, len(S)) if S[i][k]), None)
        if found is None:
            return 0
        if found != k:
            S[k], S[found], sign = S[found], S[k], -sign
        pivot = S[k]
        for i in range(k + 1, len(S)):
            factor = S[i][k]
            S[i] = [(pivot[k] * a - factor * b) // last for a, b in zip(S[i], pivot, strict=True)]
        last = pivot[k]
    return sign * last


def polynomial(matrices: Sequence[Scaled]) -> Polynomial:
    """det(t_0 M_0 + t_1 M_1 + ...), times a positive number.

    Computed with t_0 = 1 at all places of natural numbers whose sum is at most the degree. The divided differences
    there are its coefficients in products of x (x - 1) ... (x - n + 1), which are then written out in powers.
    """
    p, others = len(matrices[0].rows), len(matrices) - 1
    if comb(p + others, p) > MOST_TERMS:
        raise Refused(f"the determinant has more than {MOST_TERMS} terms")
    denominator = common_denominator(M.denominator for M in matrices)
    first, *rest = [[[a * (denominator // M.denominator) for a in row] for row in M.rows] for M in matrices]
    choices = combinations_with_replacement(range(others + 1), p)
    places = sorted(tuple(choice.count(k) for k in range(1, others + 1)) for choice in choices)
    values = {place: determinant(weighted(first, place, rest)) for place in places}
    lines = [[place for place in places if place[k]] for k in range(others)]  # in each line they are in order
    for k, line in enumerate(lines):
        spend(len(places) // 20 + len(line) * p * (2 + others // 20))
        for order in range(1, p + 1):
            for place in reversed(line):
                if place[k] >= order:
                    values[place] -= values[moved(place, k, -1)]
        for place in line:
            values[place] //= factorial(place[k])
    for k, line in enumerate(lines):
        for node in reversed(range(1, p)):
            for place in line:
                if place[k] >= node:
                    values[place] -= node * values.get(moved(place, k, 1), 0)
    return {(p - sum(place), *place): value for place, value in values.items()}


def weighted(first: Rows, place: Powers, rest: Sequence[Rows]) -> Rows:
    """The first matrix and so many times each other."""
    spend(len(place) // 20 + len(first) ** 2 * sum(map(bool, place)))
    for x, M in zip(place, rest, strict=True):
        if x:
            first = [[a + x * b for a, b in zip(*pair, strict=True)] for pair in zip(first, M, strict=True)]
    return first


def moved(place: Powers, k: int, step: int) -> Powers:
    """The exponents with the k-th one changed."""
    return (*place[:k], place[k] + step, *place[k + 1 :])


def require_sign(f: Polynomial, sign: int, tree: Any, depth: int = 0) -> None:
    """Refuse unless a polynomial has a sign on the simplex, by a tree that halves edges; a leaf is [].

    There no coefficient has the other sign, and that of each vertex has this one; so one term at least is not zero. At
    [i, j, left, right] the left one has the middle of vertices i and j in the place of j, the right one in that of i.
    """
    if not array(tree, "tree"):
        if any(sign * c < 0 or (c == 0 and sum(map(bool, place)) == 1) for place, c in f.items()):
            raise Refused("on a part of the simplex the coefficients do not have the sign")
        return
    if depth == DEEPEST:
        raise Unreadable(f"`tree` is nested more than {DEEPEST} deep")
    ends = array(tree, "tree", 4)
    vertices = len(next(iter(f))) - 1
    i, j = (integer(end, "tree", 0, vertices) for end in ends[:2])
    if i == j:
        raise Unreadable("`tree`: an edge from a vertex to itself")
    require_sign(halved(f, i, j), sign, ends[2], depth + 1)
    require_sign(halved(f, j, i), sign, ends[3], depth + 1)


def halved(f: Polynomial, i: int, j: int) -> Polynomial:
    """The polynomial with t_i + t_j / 2 for t_i and t_j / 2 for t_j, times a positive number."""
    degree = sum(next(iter(f)))
    spend(len(f) * (4 * degree + len(next(iter(f))) // 20), max(map(abs, f.values())).bit_length())
    result = dict.fromkeys(f, 0)
    for place, c in f.items():
        for taken in range(place[i] + 1) if c else ():
            target = moved(moved(place, i, -taken), j, taken)
            result[target] += c * comb(place[i], taken) << degree - taken - place[j]
    common = gcd(*result.values()) or 1
    return {place: c // common for place, c in result.items()}

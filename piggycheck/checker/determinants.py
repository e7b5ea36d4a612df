"""The determinant of a convex combination of matrices, as a polynomial in the weights, and its sign on the simplex."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb, factorial, gcd, lcm
from typing import Any

from .effort import spend
from .reading import Refused, Unreadable, array, integer
from .scaled import Rows, Scaled

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


def powers(variables: int, degree: int) -> Iterator[Powers]:
    """All exponents of so many variables whose sum is at most the degree, in alphabetical order."""
    if not variables:
        yield ()
        return
    for first in range(degree + 1):
        for rest in powers(variables - 1, degree - first):
            yield (first, *rest)


def polynomial(matrices: Sequence[Scaled]) -> Polynomial:
    """det(t_0 M_0 + t_1 M_1 + ...), times a positive number.

    Computed with t_0 = 1 at all points of natural numbers whose sum is at most the degree: its differences there are
    its coefficients in products of binomials, and these are polynomials that are written out, variable by variable.
    """
    p, others = len(matrices[0].rows), len(matrices) - 1
    if comb(p + others, p) > MOST_TERMS:
        raise Refused(f"the determinant has more than {MOST_TERMS} terms")
    denominator = lcm(*(M.denominator for M in matrices))
    first, *rest = [[[a * (denominator // M.denominator) for a in row] for row in M.rows] for M in matrices]
    values: Polynomial = {}
    for point in powers(others, p):
        rows = first
        for x, M in zip(point, rest, strict=True):
            if x:
                spend(p * p)
                rows = [[a + x * b for a, b in zip(*pair, strict=True)] for pair in zip(rows, M, strict=True)]
        values[point] = determinant(rows)
    places = list(values)
    for k in range(others):
        spend(len(places) * p)
        for order in range(1, p + 1):
            for point in reversed(places):
                if point[k] >= order:
                    values[point] -= values[moved(point, k, -1)]
    for point in places:
        for x in point:
            values[point] //= factorial(x)
    for k in range(others):
        spend(len(places) * p)
        for node in reversed(range(1, p)):
            for point in places:
                if point[k] >= node and moved(point, k, 1) in values:
                    values[point] -= node * values[moved(point, k, 1)]
    return {(p - sum(point), *point): value for point, value in values.items()}


def moved(point: Powers, k: int, step: int) -> Powers:
    """The exponents with the k-th one changed."""
    return (*point[:k], point[k] + step, *point[k + 1 :])


def require_sign(f: Polynomial, sign: int, tree: Any, depth: int = 0) -> None:
    """Refuse unless a polynomial has a sign on the simplex, by a tree that halves edges; a leaf is [].

    There no coefficient has the other sign, and that of each vertex has this one; so one term at least is not zero. At
    [i, j, left, right] the left one has the middle of vertices i and j in the place of j, the right one in that of i.
    """
    if not array(tree, "tree"):
        if any(sign * c < 0 or (c == 0 and sum(map(bool, point)) == 1) for point, c in f.items()):
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
    spend(3 * len(f) * degree, max(map(abs, f.values())).bit_length())
    result = dict.fromkeys(f, 0)
    for point, c in f.items():
        for taken in range(point[i] + 1) if c else ():
            target = moved(moved(point, i, -taken), j, taken)
            result[target] += c * comb(point[i], taken) << degree - taken - point[j]
    common = gcd(*result.values()) or 1
    return {point: c // common for point, c in result.items()}

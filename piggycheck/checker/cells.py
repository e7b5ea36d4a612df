"""Cells of a box of two unknowns: what matrices of polynomials are on them, and what is shown of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise, permutations
from math import comb
from typing import NamedTuple

from .definite import semidefinite
from .effort import spend
from .reading import Refused
from .scaled import Scaled, combined, product, scaled, transposed

Key = tuple[int, int]
Polynomial = Mapping[Key, Fraction]  # by the exponents of the two unknowns
Ends = tuple[tuple[Fraction, Fraction], tuple[Fraction, Fraction]]
Vertex = tuple[int, int]

DEGREE = 6  # of the terms that are kept
BITS = 192
REST = 2**BITS - 1
LARGEST = 4  # rows of matrices whose determinants are looked at


def changed(p: Polynomial, starts: Sequence[Fraction], lengths: Sequence[Fraction]) -> dict[Key, Fraction]:
    """The polynomial in s, t that p is at (start + length * s, start + length * t)."""
    found: dict[Key, Fraction] = {}
    for (i, j), c in p.items():
        spend(4 * (i + 1) * (j + 1))
        for k in range(i + 1):
            for m in range(j + 1):
                part = c * comb(i, k) * starts[0] ** (i - k) * lengths[0] ** k
                part *= comb(j, m) * starts[1] ** (j - m) * lengths[1] ** m
                found[k, m] = found.get((k, m), Fraction(0)) + part
    return found


def bernstein(p: Polynomial, ends: Ends, degrees: Key) -> list[Fraction]:
    """Numbers of which every value on a cell is a convex combination, by weights that depend on the degrees alone."""
    inner = changed(p, [a for a, _ in ends], [b - a for a, b in ends])
    m, n = degrees
    values = []
    for i in range(m + 1):
        for j in range(n + 1):
            spend(len(inner) * 4)
            terms = (c * Fraction(comb(i, k) * comb(j, h), comb(m, k) * comb(n, h)) for (k, h), c in inner.items())
            values.append(sum(terms, Fraction(0)))
    return values


def degrees_of(polynomials: Sequence[Polynomial]) -> Key:
    """The largest exponents."""
    keys = [key for p in polynomials for key in p]
    return max((i for i, _ in keys), default=0), max((j for _, j in keys), default=0)


def sign_on(p: Polynomial, ends: Ends) -> int:
    """The sign of all values on a cell; 0 when they do not show one."""
    values = bernstein(p, ends, degrees_of([p]))
    return (min(values) > 0) - (max(values) < 0)


def hulls(letters: Sequence[Sequence[Sequence[Polynomial]]], ends: Ends) -> list[list[Scaled]]:
    """For each piece, matrices of which that of every member of a cell is a convex combination."""
    found = []
    for M in letters:
        degrees = degrees_of([p for row in M for p in row])
        entries = [[bernstein(p, ends, degrees) for p in row] for row in M]
        count = (degrees[0] + 1) * (degrees[1] + 1)
        found.append([scaled([[values[k] for values in row] for row in entries]) for k in range(count)])
    return found


def require_polygon(vertices: Sequence[Vertex]) -> None:
    """Refuse vertices that, followed by their negatives, do not go once around a strictly convex polygon."""
    around = [*vertices, *((-x, -y) for x, y in vertices[:2])]
    turns = (
        cross(u, v) > 0 and cross((v[0] - u[0], v[1] - u[1]), (w[0] - v[0], w[1] - v[1])) > 0
        for u, v, w in zip(around, around[1:], around[2:], strict=False)
    )
    if len(vertices) < 2 or not all(cross(vertices[0], v) > 0 for v in vertices[1:]) or not all(turns):
        raise Refused("the vertices are not those of a convex polygon")


def cross(u: Vertex, v: Vertex) -> int:
    """The determinant."""
    return u[0] * v[1] - u[1] * v[0]


def maps_inside(vertices: Sequence[Vertex], A: Scaled) -> bool:
    """Whether a matrix maps a convex polygon into its interior, which is between the lines through its sides."""
    (a, b), (c, d) = A.rows
    images = [(a * x + b * y, c * x + d * y) for x, y in vertices]
    spend(2 * len(vertices) ** 2)
    for u, v in pairwise([*vertices, (-vertices[0][0], -vertices[0][1])]):
        side, reach = (v[0] - u[0], v[1] - u[1]), A.denominator * cross(u, v)
        if not all(-reach < cross(side, image) < reach for image in images):
            return False
    return True


def shrinks(P: Scaled, A: Scaled, Q: Scaled) -> bool:
    """Whether P - A^T Q A is positive definite."""
    image = product(transposed(A), product(Q, A))
    return semidefinite(combined([(Fraction(1), P), (Fraction(-1), image)]), definite=True)


class Near(NamedTuple):
    """All functions on the square -1 <= s, t <= 1 within error / 2^BITS of a polynomial over 2^BITS."""

    terms: dict[Key, int]
    error: int

    def size(self) -> int:
        """A bound of the absolute values."""
        return sum(map(abs, self.terms.values())) + self.error

    def positive(self) -> bool:
        """Whether all values are shown to be positive."""
        constant = self.terms.get((0, 0), 0)
        return constant > 0 and 2 * constant > self.size()


Enclosure = list[list[Near]]


def near(p: Polynomial, ends: Ends) -> Near:
    """A polynomial on a cell."""
    inner = changed(p, [(a + b) / 2 for a, b in ends], [(b - a) / 2 for a, b in ends])
    parts = {key: divmod(c.numerator << BITS, c.denominator) for key, c in inner.items() if c}
    return Near({key: q for key, (q, _) in parts.items()}, sum(rest != 0 for _, rest in parts.values()))


def whole(n: int) -> Near:
    """An integer."""
    return Near({(0, 0): n << BITS} if n else {}, 0)


def total(parts: Sequence[Near]) -> Near:
    """The sum."""
    terms: dict[Key, int] = {}
    for part in parts:
        for key, c in part.terms.items():
            terms[key] = terms.get(key, 0) + c
    return Near(terms, sum(part.error for part in parts))


def times(p: Near, q: Near) -> Near:
    """The product, without terms of a high degree."""
    spend(len(p.terms) * len(q.terms) + 4, BITS)
    terms: dict[Key, int] = {}
    rest = p.size() * q.error + p.error * q.size()
    for (i, j), c in p.terms.items():
        for (k, m), d in q.terms.items():
            if i + k + j + m > DEGREE:
                rest += abs(c * d)
            else:
                terms[i + k, j + m] = terms.get((i + k, j + m), 0) + c * d
    rounded = sum(c & REST != 0 for c in terms.values())
    return Near({key: c >> BITS for key, c in terms.items()}, -(-rest >> BITS) + rounded)


def determinant(M: Enclosure) -> Near:
    """The sum over all permutations."""
    parts = []
    for order in permutations(range(len(M))):
        part = whole((-1) ** sum(order[i] > order[j] for j in range(len(M)) for i in range(j)))
        for i, j in enumerate(order):
            part = times(part, M[i][j])
        parts.append(part)
    return total(parts)


def expands(letters: Sequence[Enclosure], word: Sequence[int]) -> bool:
    """Whether the product along a word has an eigenvalue of modulus above 1 for every member of a cell.

    Its characteristic polynomial is negative at 1, or at -1 up to (-1)^n; or its determinant is beyond 1.
    """
    n = len(letters[0])
    if n > LARGEST:
        raise Refused(f"a word of matrices with more than {LARGEST} rows")
    W = letters[word[0]]
    for letter in word[1:]:
        M = letters[letter]
        W = [[total([times(M[i][k], W[k][j]) for k in range(n)]) for j in range(n)] for i in range(n)]
    negative = whole(-1)
    for sign in (whole(-1), whole(1)):
        shifted = [[total([times(sign, W[i][j]), whole(int(i == j))]) for j in range(n)] for i in range(n)]
        if times(negative, determinant(shifted)).positive():
            return True
    D = whole(1)
    for letter in word:
        D = times(D, determinant(letters[letter]))
    return any(total([times(sign, D), negative]).positive() for sign in (whole(1), negative))

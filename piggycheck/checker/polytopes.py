"""Invariant polytopes: the images of their vertices are in rate times the polytope."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from .boxes import Box, read_scaled
from .reading import Data, Refused, Unreadable, array, integer, number
from .scaled import Scaled, absolute, combined, inverse, product, scaled, transposed

MOST_VERTICES = 20_000


Terms = list[tuple[Fraction, Scaled]]  # coefficients and vectors


def polytope(matrices: list[Box], rate: Fraction, proof: Data, inner: Any) -> None:
    """The polytope of all sum c_j v_j, sum |c_j| <= 1, for real c."""
    n = matrices[0].size
    vertices = [read_scaled([v], "vertices", 1, n) for v in read_list(proof["vertices"], "vertices")]
    reach = unit_sizes([vertices[j] for j in read_basis(proof, n, len(vertices))])
    for data, A, v in images(matrices, vertices, proof["coefficients"]):
        terms = [(number(c, "a coefficient"), vertices[j]) for j, c in read_terms(data, 2, len(vertices))]
        require_inside(A, v, rate, terms, sum((abs(c) for c, _ in terms), Fraction(0)), reach)


def complex_polytope(matrices: list[Box], rate: Fraction, proof: Data, inner: Any) -> None:
    """The same for complex c; a complex vector is the two rows of its real and imaginary parts."""
    n = matrices[0].size
    listed = read_list(proof["vertices"], "vertices")
    vertices = [transposed(read_scaled(v, "vertices", n, 2)) for v in listed]
    turned = [Scaled([[-b for b in v.rows[1]], v.rows[0]], v.denominator) for v in vertices]  # times i
    chosen = read_basis(proof, n, len(vertices))
    reach = unit_sizes([vertices[j] for j in chosen] + [turned[j] for j in chosen])
    for data, A, v in images(matrices, vertices, proof["coefficients"]):
        terms, weight = [], Fraction(0)
        for j, *c in read_terms(data, 4, len(vertices)):
            re, im, modulus = (number(a, "a coefficient") for a in c)
            if modulus < 0 or modulus * modulus < re * re + im * im:
                raise Refused("a coefficient has a larger modulus than stated")
            terms += [(re, vertices[j]), (im, turned[j])]
            weight += modulus
        require_inside(A, v, rate, terms, weight, reach)


def nonnegative(matrices: list[Box], rate: Fraction, proof: Data, inner: Any) -> None:
    """Nonnegative matrices, and all vectors below some sum c_j v_j, c_j >= 0, sum c_j <= 1."""
    n = matrices[0].size
    vertices = [read_scaled([v], "vertices", 1, n) for v in read_list(proof["vertices"], "vertices")]
    coordinates = zip(*(v.rows[0] for v in vertices), strict=True)
    if not all(min(values) >= 0 < max(values) for values in coordinates):
        raise Refused("a vertex has a negative coordinate, or a coordinate is zero in all vertices")
    if any(a < 0 for A in matrices for row in A.ends()[0].rows for a in row):
        raise Refused("a matrix has an entry that is negative, or may be")
    upper = [Box(A.ends()[1]) for A in matrices]
    for data, A, v in images(upper, vertices, proof["coefficients"]):
        terms = [(number(c, "a coefficient"), vertices[j]) for j, c in read_terms(data, 2, len(vertices))]
        if any(c < 0 for c, _ in terms) or sum(c for c, _ in terms) > 1:
            raise Refused("coefficients are negative, or sum to more than 1")
        if any(a > 0 for a in difference(A, v, rate, terms).rows[0]):
            raise Refused("the image of a vertex is not below the stated combination")


def read_list(data: Any, where: str) -> list[Any]:
    """Read a list that is not empty, nor too long."""
    listed = array(data, where)
    if not 0 < len(listed) <= MOST_VERTICES:
        raise Unreadable(f"`{where}`: none, or more than {MOST_VERTICES}")
    return listed


def read_basis(proof: Data, n: int, vertices: int) -> list[int]:
    """Read the indices of n vertices."""
    return [integer(j, "basis", 0, vertices - 1) for j in array(proof["basis"], "basis", n)]


def read_terms(data: Any, length: int, vertices: int) -> list[list[Any]]:
    """Read a combination of vertices: for each term the index of a vertex, and what it is multiplied with."""
    terms = [array(term, "coefficients", length) for term in array(data, "coefficients")]
    return [[integer(j, "coefficients", 0, vertices - 1), *c] for j, *c in terms]


def images(matrices: list[Box], vertices: list[Scaled], coefficients: Any) -> Iterator[tuple[Any, Box, Scaled]]:
    """For each matrix, transposed, and vertex, as a row: what is stated of the image."""
    for A, table in zip(matrices, array(coefficients, "coefficients", len(matrices)), strict=True):
        turned = A.transposed()
        for v, data in zip(vertices, array(table, "coefficients", len(vertices)), strict=True):
            yield data, turned, v


def difference(A: Box, v: Scaled, rate: Fraction, terms: Terms) -> Scaled:
    """The image of v by the centre, less the rate times the sum of the terms; matrices act on rows from the right."""
    return combined([(Fraction(1), product(v, A.centre)), *((-rate * c, w) for c, w in terms)])


def unit_sizes(basis: list[Scaled]) -> list[Fraction]:
    """For each unit vector a bound on the sum of the moduli of its coordinates in a basis."""
    rows = [[a for part in v.fractions() for a in part] for v in basis]
    n = len(basis[0].rows[0])
    return [sum(map(abs, row), Fraction(0)) for row in inverse(scaled(rows)).fractions()[:n]]


def require_inside(A: Box, v: Scaled, rate: Fraction, terms: Terms, weight: Fraction, reach: list[Fraction]) -> None:
    """Refuse a vertex of which some image is not proved to be in rate times the polytope.

    What the combination misses is bounded in each coordinate, and the unit vectors are in multiples of the polytope.
    """
    if rate == 0:
        raise Refused("a polytope proves no rate of zero")
    missed = [absolute(difference(A, v, rate, terms))]
    if A.radius is not None:
        missed.append(product(absolute(v), A.radius))
    for error in missed:
        size = sum((a * h for row in error.rows for a, h in zip(row, reach, strict=True) if a), Fraction(0))
        weight += size / (error.denominator * rate)
    if weight > 1:
        raise Refused("the image of a vertex is not proved to be in the polytope")

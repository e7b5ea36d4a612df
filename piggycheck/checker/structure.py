"""Proofs about other matrices: diagonal blocks in another basis, symmetric powers, corners of bounds."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import accumulate, combinations_with_replacement, pairwise, product
from math import comb, prod

from .boxes import Box, around, multiply, read_scaled, submatrix
from .effort import spend
from .intervals import raised
from .reading import Data, Refused, array, integer, say
from .scaled import Scaled, absolute, inverse, lowest, scaled

MOST_COORDINATES = 400
HIGHEST_DEGREE = 60
MOST_CORNERS = 256  # of one matrix
MOST_LETTERS = 4096

Inner = Callable[[list[Box], Data], Fraction]


def blocks(matrices: list[Box], rate: Fraction, proof: Data, inner: Inner) -> None:
    """In another basis the matrices are block upper triangular; each proof is about the distinct nonzero blocks."""
    n = matrices[0].size
    T = read_scaled(proof["basis"], "basis", n, n)
    sizes = [integer(size, "sizes", 1, n) for size in array(proof["sizes"], "sizes")]
    if sum(sizes) != n:
        raise Refused("the sizes of the blocks do not add up")
    back = inverse(T)
    changed = [multiply(Box(back), multiply(A, Box(T))) for A in matrices]
    ends = [range(*pair) for pair in pairwise(accumulate(sizes, initial=0))]
    for block, data in zip(ends, array(proof["proofs"], "proofs", len(sizes)), strict=True):
        if not all(submatrix(A, range(block.stop, n), block).is_zero for A in changed):
            raise Refused("a block below the diagonal is not zero")
        found: list[Box] = []
        for A in changed:
            diagonal = submatrix(A, block, block)
            if not diagonal.is_zero and diagonal not in found:
                found.append(diagonal)
        if (data is None) != (not found):
            raise Refused("a proof is null exactly when the diagonal blocks that it is about are zero")
        if found and inner(found, data) > rate:
            raise Refused(f"a diagonal block is not proved to have the rate {say(rate)}")


def lift(matrices: list[Box], rate: Fraction, proof: Data, inner: Inner) -> None:
    """The symmetric powers, whose joint spectral radius is the power of that of the matrices."""
    n = matrices[0].size
    degree = integer(proof["degree"], "degree", 1, HIGHEST_DEGREE)
    if comb(n + degree - 1, degree) > MOST_COORDINATES:
        raise Refused(f"the lift has more than {MOST_COORDINATES} coordinates")
    if inner([power_of(A, degree) for A in matrices], proof["proof"]) > raised(rate, degree):
        raise Refused("the rate of the lift is larger than the power of the stated rate")


def corners(matrices: list[Box], rate: Fraction, proof: Data, inner: Inner) -> None:
    """The corners of the bounds, of which all matrices between the bounds are convex combinations."""
    found: list[Box] = []
    for A in matrices:
        found += corners_of(A)
        if len(found) > MOST_LETTERS:
            raise Refused(f"there are more than {MOST_LETTERS} corners")
    if inner(found, proof["proof"]) > rate:
        raise Refused("the rate of the corners is larger than the stated one")


def corners_of(A: Box) -> list[Box]:
    """The matrices with every entry at an end, the lower one first; the last entry changes fastest."""
    lower, upper = (end.fractions() for end in A.ends())
    ends = [sorted({a, b}) for rows in zip(lower, upper, strict=True) for a, b in zip(*rows, strict=True)]
    if prod(map(len, ends)) > MOST_CORNERS:
        raise Refused(f"a matrix has more than {MOST_CORNERS} corners")
    n = A.size
    return [Box(scaled([list(chosen[i * n : i * n + n]) for i in range(n)])) for chosen in product(*ends)]


def power_of(A: Box, degree: int) -> Box:
    """A box around the symmetric powers: a product of entries differs by what the absolute values can add."""
    centre = symmetric_power(A.centre, degree)
    if A.radius is None:
        return Box(centre)
    return around(centre, symmetric_power(A.reach(), degree), symmetric_power(absolute(A.centre), degree))


def symmetric_power(A: Scaled, degree: int) -> Scaled:
    """How the monomials of a degree in the coordinates of A x are made of those in the coordinates of x."""
    n = len(A.rows)
    bits = A.bits * degree
    powers: dict[tuple[int, ...], dict[tuple[int, ...], int]] = {(): {(): 1}}
    for d in range(1, degree + 1):
        higher = {}
        for monomial in combinations_with_replacement(range(n), d):
            lower = powers[monomial[:-1]]
            spend(20 * n * len(lower), bits)
            higher[monomial] = polynomial = dict.fromkeys(combinations_with_replacement(range(n), d), 0)
            for j, a in enumerate(A.rows[monomial[-1]]):
                for m, c in lower.items() if a else ():
                    polynomial[tuple(sorted((*m, j)))] += a * c
        powers = higher
    return lowest([list(polynomial.values()) for polynomial in powers.values()], A.denominator**degree)

"""Common invariant subspaces of integer matrices, as in the MeatAxe.

A combination of products of the matrices is put into a factor of its characteristic polynomial; vectors in the kernel
of that often generate a proper invariant subspace. This is guessed modulo a large prime, and lifted to the rationals.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import product
from math import isqrt, lcm
from random import Random
from typing import Any

from flint import fmpq, fmpq_mat, fmpz_mat, fmpz_mod, fmpz_mod_ctx, fmpz_mod_mat, fmpz_poly

from piggycheck.linalg import block_matrix

__all__ = ["integer_rows", "invariant_subspace"]

_PRIMES = (2**521 - 1, 2**2203 - 1)
_RANDOM_ELEMENTS = 16
_VECTORS_PER_KERNEL = 3
_COMMUTING = 4


def invariant_subspace(letters: list[fmpz_mat], deadline: float) -> fmpq_mat | None:
    """Find a proper subspace, not zero, which all matrices map into itself.

    Parameters
    ----------
    letters : list of fmpz_mat
        Square matrices of one size.
    deadline : float
        On the clock of `time.monotonic`; after it, no further subspace is looked for.

    Returns
    -------
    fmpq_mat or None
        Rows that span it; None when none was found.

    Examples
    --------
    >>> invariant_subspace([fmpz_mat([[2, 1], [1, 2]]), fmpz_mat([[0, 1], [1, 0]])], time.monotonic() + 5)
    [1, 1]

    Notes
    -----
    Subspaces are guessed modulo a prime, lifted to the rationals, and kept when they are invariant. When this fails:
    that none was found is no proof that there is none, as elements are drawn and time is limited.
    """
    for prime in _PRIMES:
        subspace = _Module(letters, fmpz_mod_ctx(prime)).invariant_subspace(deadline)
        if subspace is None:
            return None
        lifted = _lifted(subspace, prime)
        images = [lifted * fmpq_mat(M).transpose() for M in letters]
        if block_matrix([[rows] for rows in [lifted, *images]]).rank() == lifted.nrows():
            return lifted
    return None


class _Module:
    """Column vectors modulo a prime, with the matrices acting on them: guesses of invariant subspaces."""

    def __init__(self, letters: list[fmpz_mat], context: fmpz_mod_ctx) -> None:
        self.letters, self.context, self.n = letters, context, letters[0].nrows()
        self.acting = [fmpz_mod_mat(M, context) for M in letters]
        self.transposed = [M.transpose() for M in self.acting]

    def invariant_subspace(self, deadline: float) -> fmpz_mod_mat | None:
        """Rows in reduced echelon form; None when there is no such subspace, or none was found."""
        killed, image = self.kernel(self.stacked(self.acting)), self.reduced(self.stacked(self.transposed))
        for subspace in (killed, image):
            if 0 < subspace.nrows() < self.n:
                return subspace
        smallest: fmpz_mod_mat | None = None
        for element in self.elements():
            for factor, _ in sorted(element.charpoly().factor()[1], key=lambda pair: pair[0].degree()):
                singular = self.evaluated(factor, element)
                kernel = self.kernel(singular)
                generated = self.spun(kernel, self.transposed)
                if generated is not None:
                    return generated
                annihilator = self.spun(self.kernel(singular.transpose()), self.acting)
                if annihilator is not None:
                    return self.kernel(annihilator)
                if kernel.nrows() == factor.degree() or time.monotonic() > deadline:
                    # Either there is no invariant subspace, by Norton's criterion, or no time to look for one.
                    return None
                if smallest is None or kernel.nrows() < smallest.nrows():
                    smallest = kernel
        return None if smallest is None else self.copy_among_equals(smallest)

    def elements(self) -> Iterator[fmpz_mat]:
        """Matrices of the algebra that is generated: random ones, and the letters."""
        random = Random(0)
        pool = list(self.letters)
        for round in range(_RANDOM_ELEMENTS):
            element = random.choice(pool) * random.choice(pool)
            for M in random.sample(self.letters, min(len(self.letters), 4)):
                element += random.randint(-5, 5) * M
            yield element
            if round == 1:
                yield from self.letters[:_RANDOM_ELEMENTS]
            pool.append(random.choice(self.letters) * random.choice(self.letters))

    def copy_among_equals(self, kernel: fmpz_mod_mat) -> fmpz_mod_mat | None:
        """A subspace that something kills which commutes with all letters: one of several equal blocks."""
        for element in self.commuting(kernel):
            factors = element.charpoly().factor()[1]
            if len(factors) > 1 or factors[0][0].degree() == 1:
                subspace = self.kernel(self.evaluated(factors[0][0], element))
                if subspace.nrows() < self.n:
                    return subspace
        return None

    def commuting(self, kernel: fmpz_mod_mat) -> Iterator[fmpz_mat]:
        """Small matrices that commute with all letters.

        They map the kernel of an element of the algebra into itself, and are known from the image of one vector that
        generates the space.
        """
        recipe = self.recipe(kernel.tolist()[0])
        orbits = [self.orbit(row, recipe) for row in kernel.tolist()]
        inverse = orbits[0].inv()
        maps = [inverse * orbit for orbit in orbits]
        commutators = [[value for M in self.transposed for value in (X * M - M * X).entries()] for X in maps]
        relations = self.kernel(self.matrix(commutators, len(self.letters) * self.n**2).transpose())
        flat = relations * self.matrix([X.entries() for X in maps], self.n**2)
        basis = integer_rows(_lifted(flat, int(self.context.modulus()))).lll()
        short = fmpz_mat(basis.tolist()[:_COMMUTING])
        for coefficients in product((0, 1, -1, 2, -2), repeat=short.nrows()):
            combination = fmpz_mat([coefficients]) * short
            yield fmpz_mat(self.n, self.n, combination.entries()).transpose()

    def recipe(self, vector: list[fmpz_mod]) -> list[tuple[int, int]]:
        """Which letters to apply to which vectors already found, so that a basis comes out."""
        recipe: list[tuple[int, int]] = []
        vectors = [vector]
        while len(vectors) < self.n:
            choices = list(product(range(len(self.letters)), range(len(vectors))))
            block = self.matrix(vectors, self.n)
            rows = vectors + [row for M in self.transposed for row in (block * M).tolist()]
            chosen = _pivots(self.matrix(rows, self.n).transpose().rref())[len(vectors) :]
            recipe += [choices[index - len(vectors)] for index in chosen]
            vectors += [rows[index] for index in chosen]
        return recipe

    def orbit(self, vector: list[fmpz_mod], recipe: list[tuple[int, int]]) -> fmpz_mod_mat:
        """The rows that a recipe makes of a vector."""
        rows = [self.matrix([vector], self.n)]
        for letter, parent in recipe:
            rows.append(rows[parent] * self.transposed[letter])
        return self.stacked(rows)

    def evaluated(self, poly: fmpz_poly, element: fmpz_mat) -> fmpz_mod_mat:
        """The value of a polynomial at a matrix, by Horner's rule."""
        M = fmpz_mod_mat(element, self.context)
        one = self.matrix([[int(i == j) for j in range(self.n)] for i in range(self.n)], self.n)
        value = one * self.context(0)
        for coefficient in reversed(poly.coeffs()):
            value = value * M + one * self.context(coefficient)
        return value

    def spun(self, vectors: fmpz_mod_mat, acting: list[fmpz_mod_mat]) -> fmpz_mod_mat | None:
        """A proper subspace that contains one of the first rows and is invariant; None when there is none."""
        for row in vectors.tolist()[:_VECTORS_PER_KERNEL]:
            subspace, size = fmpz_mod_mat(1, self.n, row, self.context), 0
            while size < subspace.nrows() < self.n:
                size = subspace.nrows()
                subspace = self.reduced(self.stacked([subspace, *(subspace * M for M in acting)]))
            if subspace.nrows() < self.n:
                return subspace
        return None

    def reduced(self, M: fmpz_mod_mat) -> fmpz_mod_mat:
        """A basis of the row space in reduced echelon form."""
        echelon, rank = M.rref()
        return self.matrix(echelon.tolist()[:rank], self.n)

    def kernel(self, M: fmpz_mod_mat) -> fmpz_mod_mat:
        """Rows that span ``{x : M x = 0}``, with unit vectors in the columns without a pivot."""
        n = M.ncols()
        echelon, rank = M.rref()
        rows, pivots = echelon.tolist()[:rank], _pivots((echelon, rank))
        vectors = []
        for free in sorted(set(range(n)) - set(pivots)):
            vector = [self.context(int(j == free)) for j in range(n)]
            for row, pivot in zip(rows, pivots, strict=True):
                vector[pivot] = -row[free]
            vectors.append(vector)
        return self.matrix(vectors, n)

    def stacked(self, matrices: list[fmpz_mod_mat]) -> fmpz_mod_mat:
        """All rows below each other."""
        return self.matrix([row for M in matrices for row in M.tolist()], self.n)

    def matrix(self, rows: Sequence[Sequence[Any]], width: int) -> fmpz_mod_mat:
        """A matrix modulo the prime."""
        return fmpz_mod_mat(len(rows), width, [value for row in rows for value in row], self.context)


def _pivots(reduced: tuple[fmpz_mod_mat, int]) -> list[int]:
    """The columns of the pivots of an echelon form, given with its rank."""
    echelon, rank = reduced
    return [next(j for j, value in enumerate(row) if value != 0) for row in echelon.tolist()[:rank]]


def _lifted(rows: fmpz_mod_mat, prime: int) -> fmpq_mat:
    """The rational matrix of small entries that a matrix modulo a prime comes from."""
    return fmpq_mat(rows.nrows(), rows.ncols(), [_fraction(int(value), prime) for value in rows.entries()])


def _fraction(residue: int, prime: int) -> fmpq:
    """A fraction of small numerator and denominator, equal to the residue modulo the prime (Wang)."""
    bound = isqrt(prime // 2)
    before, after, x, y = prime, residue, 0, 1
    while after > bound:
        quotient = before // after
        before, after = after, before - quotient * after
        x, y = y, x - quotient * y
    return fmpq(after, y)


def integer_rows(M: fmpq_mat) -> fmpz_mat:
    """Multiply each row with its common denominator.

    Examples
    --------
    >>> integer_rows(fmpq_mat([[fmpq(1, 2), fmpq(1, 3)], [1, 0]]))
    [3, 2]
    [1, 0]
    """
    return fmpz_mat([[(value * lcm(*(int(v.q) for v in row))).p for value in row] for row in M.tolist()])

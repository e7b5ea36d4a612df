"""Common block-triangular form over the rationals: invariant coordinates first, then invariant subspaces.

In a basis in which all matrices are block upper triangular, the joint spectral radius is the largest one of the
diagonal blocks. Coordinates that form invariant subspaces are read off the pattern of nonzero entries; other subspaces
are looked for as in the MeatAxe: by letting the matrices act on the kernels of factors of characteristic polynomials.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise, product
from math import isqrt, lcm, prod
from random import Random
from typing import Any, NamedTuple

from flint import fmpq, fmpq_mat, fmpz_mat, fmpz_mod, fmpz_mod_ctx, fmpz_mod_mat, fmpz_poly

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix, Letter, midpoint, radius
from piggycheck.linalg import block_matrix, entries, identity, zeros
from piggycheck.stability.nonnegative import is_nonnegative
from piggycheck.switched import Word, first_indices

__all__ = ["Triangular", "block_ranges", "conjugated", "is_block_triangular", "triangularise"]

_PRIMES = (2**521 - 1, 2**2203 - 1)
_RANDOM_ELEMENTS = 16
_VECTORS_PER_KERNEL = 3
_COMMUTING = 4


@dataclass(frozen=True)
class Triangular:
    """A basis in which matrices are block upper triangular.

    Parameters
    ----------
    basis : fmpq_mat
        The basis vectors as columns; invertible.
    sizes : tuple of int
        The sizes of the diagonal blocks, from the top.

    Examples
    --------
    >>> A = [fmpq_mat([[2, 0], [1, 3]]), fmpq_mat([[5, 0], [0, 3]])]
    >>> form = triangularise(A)
    >>> form.sizes, form.blocks(A), form.origins(A)
    ((1, 1), [[[3]], [[2], [5]]], [(0,), (0, 1)])
    """

    basis: fmpq_mat
    sizes: tuple[int, ...]

    def blocks(self, A: Sequence[Letter]) -> list[list[Letter]]:
        """Return, for each diagonal block, the distinct nonzero ones, in order of first appearance.

        Parameters
        ----------
        A : sequence of fmpq_mat or IntervalMatrix
            The matrices that were brought to triangular form.

        Returns
        -------
        list of lists of fmpq_mat or IntervalMatrix
            An empty list where all diagonal blocks are zero.
        """
        return [[letters[i] for i in _first_nonzero(letters)] for letters in self._diagonals(A)]

    def origins(self, A: Sequence[Letter]) -> list[tuple[int, ...]]:
        """Return, for each diagonal block, the indices in A at which its distinct nonzero blocks first appear.

        Parameters
        ----------
        A : sequence of fmpq_mat or IntervalMatrix

        Returns
        -------
        list of tuples of int
            The j-th entry of the k-th tuple is the letter of A for the j-th letter of the k-th block.
        """
        return [_first_nonzero(letters) for letters in self._diagonals(A)]

    def translate(self, A: Sequence[Letter], block: int, word: Word) -> Word:
        """Write a word over the letters of a block as a word over A: its spectral radius is at least as large.

        Examples
        --------
        >>> A = [fmpq_mat([[0, 1], [0, 0]]), fmpq_mat([[0, 5], [0, 2]])]
        >>> triangularise(A).translate(A, 1, (0, 0))
        (1, 1)
        """
        origin = self.origins(A)[block]
        return tuple(origin[letter] for letter in word)

    def _diagonals(self, A: Sequence[Letter]) -> list[list[Letter]]:
        changed = conjugated(A, self.basis)
        if changed is None:
            raise SwitchedSystemError("the basis is singular; write linearly independent columns")
        return [[diagonal_block(M, low, high) for M in changed] for low, high in block_ranges(self.sizes)]


def triangularise(A: Sequence[Letter], *, time_limit: float = 5.0, split_nonnegative: bool = False) -> Triangular:
    """Find a basis in which all matrices are block upper triangular, with blocks as small as can be found.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    time_limit : float
        Seconds after which no further subspace is looked for; with 0, coordinates are reordered and no more.
    split_nonnegative : bool
        Whether to look for subspaces where no entry of any matrix is negative. Without it, such blocks are split by
        reordering coordinates alone, which keeps them nonnegative, and their products grow no faster than the power
        of the joint spectral radius.

    Returns
    -------
    Triangular
        One block when nothing was found. The basis is a matrix of integers with determinant 1 or -1.

    Raises
    ------
    SwitchedSystemError
        When there is no matrix, or shapes do not fit.

    Examples
    --------
    >>> A = [fmpq_mat([[2, 1], [1, 2]]), fmpq_mat([[0, -5], [-5, 0]])]
    >>> form = triangularise(A)
    >>> form.sizes, form.blocks(A)
    ((1, 1), [[[1], [5]], [[3], [-5]]])
    >>> triangularise([fmpq_mat([[0, -1], [1, 0]])]).sizes
    (2,)

    Notes
    -----
    Subspaces are guessed modulo a prime of 521 bits, lifted to the rationals, and checked there. Where an entry is an
    interval, coordinates are reordered only. When this fails: subspaces that no rational basis has are not found
    (the eigenvectors of ``[[0, 2], [1, 0]]``), and several copies of one irreducible block may stay together.

    References
    ----------
    D. Holt, S. Rees, Testing modules for irreducibility, Journal of the Australian Mathematical Society 57 (1994).
    """
    if not A:
        raise SwitchedSystemError("there is no matrix to bring to triangular form; write at least one")
    n = A[0].nrows()
    if any((M.nrows(), M.ncols()) != (n, n) for M in A):
        raise SwitchedSystemError("the matrices are not square or differ in size; write square ones of one size")
    splitting = _Splitting(time.monotonic() + time_limit, split_nonnegative)
    basis, sizes = splitting.split([_simplified(M) for M in A])
    return Triangular(basis, tuple(sizes))


def conjugated(A: Sequence[Letter], basis: fmpq_mat) -> list[Letter] | None:
    """Return ``T^-1 A T`` for every matrix, where T is the basis; None when it is singular.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
    basis : fmpq_mat
        A square matrix.

    Returns
    -------
    list of fmpq_mat or IntervalMatrix, or None
        Interval matrices whose radius is zero become rational ones.

    Examples
    --------
    >>> conjugated([fmpq_mat([[1, 2], [0, 3]])], fmpq_mat([[0, 1], [1, 0]]))
    [[3, 0]
    [2, 1]]
    """
    try:
        inverse = basis.inv()
    except ZeroDivisionError:
        return None
    return [_simplified(inverse * M * basis) for M in A]


def diagonal_block(M: Letter, low: int, high: int) -> Letter:
    """Return the square block of the rows and columns from `low` to `high`, the latter excluded.

    Examples
    --------
    >>> diagonal_block(fmpq_mat([[1, 2], [0, 3]]), 1, 2)
    [3]
    """
    middle, spread = (
        fmpq_mat(high - low, high - low, [value for row in entries(part)[low:high] for value in row[low:high]])
        for part in (midpoint(M), radius(M))
    )
    return _simplified(IntervalMatrix(middle, spread))


def is_block_triangular(M: Letter, sizes: Sequence[int]) -> bool:
    """Decide whether every entry below the diagonal blocks is zero, for every choice between bounds.

    Examples
    --------
    >>> is_block_triangular(fmpq_mat([[1, 2], [0, 3]]), [1, 1]), is_block_triangular(fmpq_mat([[1, 0], [2, 3]]), [1, 1])
    (True, False)
    """
    return all(
        value == 0
        for part in (midpoint(M), radius(M))
        for low, high in block_ranges(sizes)
        for row in entries(part)[low:high]
        for value in row[:low]
    )


def is_zero(M: Letter) -> bool:
    """Decide whether a matrix is zero, for every choice between bounds."""
    return all(value == 0 for part in (midpoint(M), radius(M)) for value in part.entries())


def block_ranges(sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Return where diagonal blocks of the given sizes begin and end.

    Examples
    --------
    >>> block_ranges([2, 1])
    [(0, 2), (2, 3)]
    """
    return list(pairwise(accumulate(sizes, initial=0)))


def _first_nonzero(letters: Sequence[Letter]) -> tuple[int, ...]:
    """The indices at which distinct nonzero matrices first appear."""
    return tuple(i for i in sorted(set(first_indices(letters))) if not is_zero(letters[i]))


def _simplified(M: Letter) -> Letter:
    """An interval matrix of radius zero is a rational matrix."""
    return M if isinstance(M, fmpq_mat) or any(M.radius.entries()) else M.midpoint


class _Splitting(NamedTuple):
    """When to stop, and whether to look for subspaces that nonnegative matrices have in common."""

    deadline: float
    split_nonnegative: bool

    def split(self, A: Sequence[Letter]) -> tuple[fmpq_mat, list[int]]:
        """A basis, and the sizes of the diagonal blocks in it."""
        n = A[0].nrows()
        letters = [A[i] for i in _first_nonzero(A)]
        if n == 1 or not letters:
            return identity(n), [n]
        components = _components(letters, n)
        if len(components) > 1:
            order = [i for component in components for i in component]
            basis = fmpq_mat(n, n, [int(i == j) for i in range(n) for j in order])
            return self.refined(letters, basis, [len(component) for component in components])
        subspace = self.subspace(letters)
        if subspace is None:
            return identity(n), [n]
        return self.refined(letters, _unimodular_basis(subspace), [subspace.nrows(), n - subspace.nrows()])

    def subspace(self, letters: Sequence[Letter]) -> fmpq_mat | None:
        """Rows that span an invariant subspace; None where none is looked for, or none was found."""
        rational = [M for M in letters if isinstance(M, fmpq_mat)]
        if len(rational) < len(letters) or time.monotonic() >= self.deadline:
            return None
        if is_nonnegative(letters) and not self.split_nonnegative:
            return None
        return _invariant_subspace([M.numer_denom()[0] for M in rational], self.deadline)

    def refined(self, A: Sequence[Letter], basis: fmpq_mat, sizes: list[int]) -> tuple[fmpq_mat, list[int]]:
        """Split the diagonal blocks in a basis further."""
        changed = conjugated(A, basis)
        assert changed is not None
        parts = [self.split([diagonal_block(M, low, high) for M in changed]) for low, high in block_ranges(sizes)]
        grid = [
            [part if i == j else zeros(height, width) for j, width in enumerate(sizes)]
            for i, ((part, _), height) in enumerate(zip(parts, sizes, strict=True))
        ]
        return basis * block_matrix(grid), [size for _, inner in parts for size in inner]


def _components(letters: Sequence[Letter], n: int) -> list[list[int]]:
    """The strongly connected components of the pattern, each before those that its rows depend on."""
    reached = [1 << i for i in range(n)]
    for M in letters:
        for part in (midpoint(M), radius(M)):
            for i, row in enumerate(entries(part)):
                reached[i] |= sum(1 << j for j, value in enumerate(row) if value != 0 and not reached[i] >> j & 1)
    for k in range(n):
        for i in range(n):
            if reached[i] >> k & 1:
                reached[i] |= reached[k]
    components: dict[int, list[int]] = {}
    for i in range(n):
        components.setdefault(reached[i], []).append(i)
    # What a component depends on is a proper subset of what is reached from it.
    return sorted(components.values(), key=lambda component: -reached[component[0]].bit_count())


def _invariant_subspace(letters: list[fmpz_mat], deadline: float) -> fmpq_mat | None:
    """Rows that span a proper subspace which all matrices map into itself; None when none was found."""
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
        basis = _integer_rows(_lifted(flat, int(self.context.modulus()))).lll()
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


def _integer_rows(M: fmpq_mat) -> fmpz_mat:
    """Each row times its common denominator."""
    return fmpz_mat([[(value * lcm(*(int(v.q) for v in row))).p for value in row] for row in M.tolist()])


def _unimodular_basis(subspace: fmpq_mat) -> fmpq_mat:
    """A basis of integer columns, of determinant 1 or -1, whose first columns span the subspace of the given rows.

    The kernel of the rows among the integers, and a complement of it, come from one reduction of a lattice in which
    vectors outside the kernel are very long.
    """
    rows = _integer_rows(subspace)
    dimension, n = rows.nrows(), rows.ncols()
    size = prod(sum(int(value) ** 2 for value in row) for row in rows.tolist()) << 2 * n
    columns = rows.transpose().tolist()
    lattice = fmpz_mat([[size * value for value in columns[i]] + [int(i == j) for j in range(n)] for i in range(n)])
    reduced = [row[dimension:] for row in lattice.lll().tolist()]
    basis = fmpq_mat(fmpz_mat(reduced[n - dimension :] + reduced[: n - dimension])).inv().transpose()
    short = fmpz_mat(basis.numer_denom()[0].tolist()[:dimension]).lll()
    return fmpq_mat(fmpz_mat(short.tolist() + basis.numer_denom()[0].tolist()[dimension:])).transpose()

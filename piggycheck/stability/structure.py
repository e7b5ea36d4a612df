"""Common block-triangular form over the rationals: invariant coordinates first, then invariant subspaces.

In a basis in which all matrices are block upper triangular, the joint spectral radius is the largest one of the
diagonal blocks. Coordinates that form invariant subspaces are read off the pattern of nonzero entries; other subspaces
are looked for as in the MeatAxe: by letting the matrices act on the kernels of factors of characteristic polynomials.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate, pairwise
from math import prod
from typing import NamedTuple

from flint import fmpq_mat, fmpz_mat

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix, Letter, midpoint, radius
from piggycheck.linalg import block_matrix, entries, identity, zeros
from piggycheck.stability.invariant_subspaces import integer_rows, invariant_subspace
from piggycheck.stability.nonnegative import is_nonnegative
from piggycheck.switched import Word, first_indices

__all__ = ["Triangular", "block_ranges", "conjugated", "is_block_triangular", "triangularise"]


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
        return invariant_subspace([M.numer_denom()[0] for M in rational], self.deadline)

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


def _unimodular_basis(subspace: fmpq_mat) -> fmpq_mat:
    """A basis of integer columns, of determinant 1 or -1, whose first columns span the subspace of the given rows.

    The kernel of the rows among the integers, and a complement of it, come from one reduction of a lattice in which
    vectors outside the kernel are very long.
    """
    rows = integer_rows(subspace)
    dimension, n = rows.nrows(), rows.ncols()
    size = prod(sum(int(value) ** 2 for value in row) for row in rows.tolist()) << 2 * n
    columns = rows.transpose().tolist()
    lattice = fmpz_mat([[size * value for value in columns[i]] + [int(i == j) for j in range(n)] for i in range(n)])
    reduced = [row[dimension:] for row in lattice.lll().tolist()]
    basis = fmpq_mat(fmpz_mat(reduced[n - dimension :] + reduced[: n - dimension])).inv().transpose()
    short = fmpz_mat(basis.numer_denom()[0].tolist()[:dimension]).lll()
    return fmpq_mat(fmpz_mat(short.tolist() + basis.numer_denom()[0].tolist()[dimension:])).transpose()

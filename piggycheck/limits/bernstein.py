"""Bernstein form of a determinant on the simplex of weights, in integers, and what halving an edge makes of it.

The coefficient of an exponent ``alpha`` is the mixed discriminant of the matrices, the i-th one taken ``alpha[i]``
times; at ``p`` times one matrix it is the determinant of that one.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache, reduce
from itertools import pairwise

from flint import Ordering, fmpq, fmpq_mat, fmpz, fmpz_mpoly, fmpz_mpoly_ctx

from piggycheck.linalg import block_matrix, solve

__all__ = ["Exponent", "coefficients", "exponents", "halved", "lines", "varying_part"]

Exponent = tuple[int, ...]


@lru_cache(maxsize=64)
def exponents(vertices: int, degree: int) -> tuple[Exponent, ...]:
    """Return all exponents of one degree.

    Examples
    --------
    >>> exponents(2, 2)
    ((2, 0), (1, 1), (0, 2))
    """
    if vertices == 1:
        return ((degree,),)
    return tuple((first, *rest) for first in range(degree, -1, -1) for rest in exponents(vertices - 1, degree - first))


def coefficients(matrices: Sequence[fmpq_mat]) -> list[int]:
    """Return the Bernstein coefficients of ``det(sum l_i M_i)``, all times one positive integer.

    Parameters
    ----------
    matrices : sequence of fmpq_mat
        Square, of one size p.

    Returns
    -------
    list of int
        In the order of `exponents`.

    Examples
    --------
    >>> from flint import fmpq_mat
    >>> coefficients([fmpq_mat([[1, 0], [0, 1]]), fmpq_mat([[0, 1], [-1, 0]])])
    [2, 0, 2]

    Notes
    -----
    Here l^2 + (1 - l)^2. The determinant is expanded along rows, minor by minor. When this fails: there are ``2**p``
    minors, of up to ``binomial(n + p - 1, p)`` terms.
    """
    size, count = matrices[0].nrows(), len(matrices)
    context = fmpz_mpoly_ctx.get([f"l{i}" for i in range(count)], Ordering.lex)
    minors: dict[int, fmpz_mpoly] = {0: context.constant(1)}
    for row in range(size):
        entries = _row(context, [M.table()[row] for M in matrices])
        following: dict[int, fmpz_mpoly] = {}
        for columns, minor in minors.items():
            for column, entry in enumerate(entries):
                if not columns >> column & 1 and not entry.is_zero():
                    negative = (columns >> column).bit_count() % 2
                    whole = following.get(columns | 1 << column, context.constant(0))
                    term = minor * entry
                    following[columns | 1 << column] = whole - term if negative else whole + term
        minors = following
    terms = minors[2**size - 1].to_dict() if 2**size - 1 in minors else {}
    return [int(terms.get(alpha, 0)) * math.prod(math.factorial(a) for a in alpha) for alpha in exponents(count, size)]


def _row(context: fmpz_mpoly_ctx, rows: Sequence[Sequence[fmpq]]) -> list[fmpz_mpoly]:
    """The entries of one row of ``sum l_i M_i``, times the least number that makes them integers."""
    scale = reduce(fmpz.lcm, (value.q for row in rows for value in row), fmpz(1))
    generators = context.gens()
    return [
        sum(((value * scale).p * x for value, x in zip(column, generators, strict=True)), context.constant(0))
        for column in zip(*rows, strict=True)
    ]


@lru_cache(maxsize=256)
def lines(vertices: int, degree: int, i: int, j: int) -> tuple[tuple[int, ...], ...]:
    """Return the places of the coefficients on lines along the edge (i, j), from i to j.

    Examples
    --------
    >>> lines(2, 2, 0, 1)
    ((0, 1, 2),)
    """
    place = {alpha: index for index, alpha in enumerate(exponents(vertices, degree))}

    def moved(alpha: Exponent, steps: int) -> int:
        changed = list(alpha)
        changed[i] -= steps
        changed[j] += steps
        return place[tuple(changed)]

    return tuple(tuple(moved(alpha, k) for k in range(alpha[i] + 1)) for alpha in place if alpha[j] == 0)


def halved(values: Sequence[int], degree: int, edge: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """Return the coefficients on both halves of a simplex, ``2**degree`` times as large, by de Casteljau's algorithm.

    Parameters
    ----------
    values : sequence of int
    degree : int
    edge : sequence of sequences of int
        The `lines` along the edge (i, j) that is halved: the first half has the midpoint in the place of vertex j, the
        second in that of i.

    Examples
    --------
    >>> halved([2, 0, 2], 2, lines(2, 2, 0, 1))
    ([8, 4, 4], [4, 4, 8])
    """
    left, right = list(values), list(values)
    for line in edge:
        sums = [values[index] for index in line]
        for k in range(len(line)):
            left[line[k]] = sums[0] << (degree - k)
            right[line[len(line) - 1 - k]] = sums[-1] << (degree - k)
            sums = [a + b for a, b in pairwise(sums)]
    return left, right


def varying_part(matrices: Sequence[fmpq_mat]) -> list[fmpq_mat] | None:
    """Return smaller matrices whose combinations have the same determinants up to one factor, which is not zero.

    Parameters
    ----------
    matrices : sequence of fmpq_mat
        Square, of one size.

    Returns
    -------
    list of fmpq_mat or None
        As small as equal rows and equal columns, after changes of basis, allow; None when all combinations of weights
        of sum 1 are singular for their sake.

    Examples
    --------
    >>> from flint import fmpq_mat
    >>> [M[0, 0] for M in varying_part([fmpq_mat([[1, 5], [2, 3]]), fmpq_mat([[1, 5], [7, 3]])])]
    [-7, -32]
    """
    once = _without_common_rows(matrices)
    turned = None if once is None else _without_common_rows([M.transpose() for M in once])
    return None if turned is None else [M.transpose() for M in turned]


def _without_common_rows(matrices: Sequence[fmpq_mat]) -> list[fmpq_mat] | None:
    """Drop the rows that a change of basis makes equal in all matrices, and as many columns.

    With N the combinations of rows that are equal, S rows that complete them to a basis and Z a basis of the kernel of
    ``N M``, the determinant is ``det(S M Z)`` times a constant.
    """
    first = matrices[0]
    differences = block_matrix([[M - first for M in matrices]]).transpose()
    kernel = solve(differences, fmpq_mat(differences.nrows(), 0))[1]
    if not kernel:
        return list(matrices)
    N = block_matrix([kernel]).transpose()
    common = solve(N * first, fmpq_mat(N.nrows(), 0))[1]
    if len(common) > first.nrows() - N.nrows():
        return None
    if not common:
        return [fmpq_mat(0, 0) for _ in matrices]
    Z = block_matrix([common])
    S = _completion(N)
    return [S * M * Z for M in matrices]


def _completion(N: fmpq_mat) -> fmpq_mat:
    """Unit rows that, with the independent rows of N, form a basis."""
    reduced, rank = N.rref()
    pivots = [next(j for j in range(N.ncols()) if reduced[i, j] != 0) for i in range(rank)]
    free = [j for j in range(N.ncols()) if j not in pivots]
    return fmpq_mat(len(free), N.ncols(), [int(k == j) for j in free for k in range(N.ncols())])

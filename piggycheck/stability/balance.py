"""Diagonal changes of basis by powers of two, for matrices whose entries differ by more than floats can bear."""

from __future__ import annotations

import math
from collections.abc import Sequence

from flint import fmpq, fmpq_mat

from piggycheck.intervals import Letter, absolute, midpoint, radius

__all__ = ["balanced", "balancing_exponents", "diagonal_congruence"]

_HARMLESS_BITS = 40
_SWEEPS = 30


def balancing_exponents(A: Sequence[Letter]) -> list[int]:
    """Return exponents e for which the entries ``2^(e_i - e_j) A_ij`` are of moderate size, as far as that is possible.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.

    Returns
    -------
    list of int
        All zero when no entry exceeds about ``2**40``.

    Examples
    --------
    >>> balancing_exponents([fmpq_mat([[1, 2**100], [0, 1]])])
    [-100, 0]
    >>> balancing_exponents([fmpq_mat([[1, 2], [3, 4]])])
    [0, 0]

    Notes
    -----
    Osborne's balancing in the maximum norm, for all matrices at once. When this fails: it is a heuristic, and some
    matrices cannot be balanced.
    """
    n = A[0].nrows()
    largest = [absolute(midpoint(M)) + radius(M) for M in A]
    size = [[max(_bits(M[i, j]) for M in largest) for j in range(n)] for i in range(n)]
    if max(map(max, size)) <= _HARMLESS_BITS:
        return [0] * n
    exponents = [0] * n
    for _ in range(_SWEEPS):
        for i in range(n):
            others = [j for j in range(n) if j != i]
            row = max((size[i][j] + exponents[i] - exponents[j] for j in others), default=-math.inf)
            column = max((size[j][i] + exponents[j] - exponents[i] for j in others), default=-math.inf)
            if row > -math.inf and column > -math.inf:
                exponents[i] += int((column - row) // 2)
            elif row > -math.inf:
                exponents[i] -= int(row)
            elif column > -math.inf:
                exponents[i] += int(column)
    top = max(exponents)
    return [exponent - top for exponent in exponents]


def balanced(A: Sequence[Letter], exponents: Sequence[int]) -> list[Letter]:
    """Return the matrices ``D A D^{-1}`` with ``D = diag(2^e)``; bounds are changed without loss.

    Examples
    --------
    >>> balanced([fmpq_mat([[1, 8], [0, 1]])], [-3, 0])
    [[1, 1]
    [0, 1]]
    """
    D = fmpq_mat([[_power(e) if i == j else fmpq(0) for j in range(len(exponents))] for i, e in enumerate(exponents)])
    inverse = D.inv()
    return [D * M * inverse for M in A]


def diagonal_congruence(P: fmpq_mat, exponents: Sequence[int]) -> fmpq_mat:
    """Return ``D P D`` with ``D = diag(2^e)``: the form of the matrices before they were balanced.

    Examples
    --------
    >>> diagonal_congruence(fmpq_mat([[1, 0], [0, 1]]), [-3, 0])
    [1/64, 0]
    [   0, 1]
    """
    return fmpq_mat([[P[i, j] * _power(a + b) for j, b in enumerate(exponents)] for i, a in enumerate(exponents)])


def _power(exponent: int) -> fmpq:
    return fmpq(2) ** exponent


def _bits(value: fmpq) -> float:
    if value == 0:
        return -math.inf
    return int(abs(value.p)).bit_length() - int(value.q).bit_length()

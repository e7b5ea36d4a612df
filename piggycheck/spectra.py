"""Eigenvalues and eigenvectors of symmetric matrices: exact where they are rational, elsewhere guessed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat

from piggycheck.errors import IrrationalError
from piggycheck.linalg import left_eigenvectors

__all__ = ["Spectrum", "guessed_eigenvectors", "rational_spectrum"]

_ROUNDS = 40
_CLOSE = 10


@dataclass(frozen=True)
class Spectrum:
    """``V diag(values) W``, which is a symmetric matrix Z or close to it.

    Attributes
    ----------
    values : sequence of numbers
        In ascending order.
    vectors, inverse : matrix
        V and W. Over balls V is orthogonal up to a defect and W is its transpose; over the rationals ``W = V^-1``.
    orthogonality : number
        Over balls a bound on ``|V^T V - I|``, in the Frobenius norm; else 0.
    residual : number
        Over balls a bound on ``|Z - U diag(values) U^T|`` for an orthogonal U within `orthogonality` of V; else 0.
    """

    values: Sequence[Any]
    vectors: Any
    inverse: Any
    orthogonality: Any = 0
    residual: Any = 0


def rational_spectrum(Z: fmpq_mat) -> Spectrum:
    """Diagonalise a symmetric matrix over the rationals.

    Raises
    ------
    IrrationalError
        When an eigenvalue is irrational.

    Examples
    --------
    >>> rational_spectrum(fmpq_mat([[1, 2], [2, 1]])).values
    [-1, 3]
    """
    size = Z.nrows()
    _, factors = Z.charpoly().factor()
    if any(factor.degree() > 1 for factor, _ in factors):
        raise IrrationalError(f"a matrix of {size} rows has irrational eigenvalues")
    roots = sorted((-factor[0] / factor[1], count) for factor, count in factors)
    values = [root for root, count in roots for _ in range(count)]
    rows = [entry for root, _ in roots for vector in left_eigenvectors(Z, root) for entry in vector.entries()]
    V = fmpq_mat(size, size, rows).transpose()
    return Spectrum(values, V, V.inv())


def guessed_eigenvectors(Z: arb_mat, bits: int) -> tuple[list[arb], arb_mat]:
    """Guess eigenvalues and orthonormal eigenvectors of an exactly known symmetric matrix, to about `bits` bits.

    Double precision is refined by first-order rotations, which square the error. Eigenvalues too close for that are
    taken together: their diagonal block, blown up, is diagonalised in double precision again.

    Returns
    -------
    values, vectors : list of arb, arb_mat
        Exact numbers, in ascending order; nothing is proved of them.

    Examples
    --------
    >>> with ctx.workprec(128):
    ...     values, Q = guessed_eigenvectors(arb_mat([[1, 2], [2, 1]]), 128)
    ...     [bool(abs(found - true) < arb(2) ** -100) for found, true in zip(values, (-1, 3))]
    [True, True]
    """
    with ctx.workprec(bits + 16):
        size = Z.nrows()
        scale = _largest(Z.entries())
        if scale.is_zero():
            return [arb(0)] * size, _identity(size)
        tolerance = scale * size * arb(2) ** -(bits + 4)
        Q = _from_floats(np.linalg.eigh(_floats(Z, scale))[1])
        best = None
        for _ in range(_ROUNDS):
            Q = _orthonormalised(Q, bits)
            S = (Q.transpose() * Z * Q).mid()
            off = _largest([S[i, j] for i in range(size) for j in range(i)])
            if best is None or off < best[0]:
                best = off, S, Q
            if off < tolerance:
                break
            Q = (Q * _rotation(S, off)).mid()
        _, S, Q = best
        order = _ascending(S)
        columns = Q.transpose().tolist()
        return [S[i, i] for i in order], arb_mat([columns[i] for i in order]).transpose()


def _orthonormalised(Q: arb_mat, bits: int) -> arb_mat:
    """Newton's iteration for the nearest orthogonal matrix; each step squares the defect."""
    unit, enough = _identity(Q.nrows()), arb(2) ** -(bits // 2 + 8)
    for _ in range(_ROUNDS):
        defect = (Q.transpose() * Q - unit).mid()
        Q = (Q * (unit - defect * arb(0.5))).mid()
        if _largest(defect.entries()) < enough:
            break
    return Q


def _rotation(S: arb_mat, off: arb) -> arb_mat:
    """An almost orthogonal matrix that makes an almost diagonal one more so."""
    size = S.nrows()
    far, order = off * 2**_CLOSE, _ascending(S)
    clusters = [[order[0]]]
    for before, after in itertools.pairwise(order):
        if S[after, after] - S[before, before] > far:
            clusters.append([])
        clusters[-1].append(after)
    rotation = _identity(size)
    home = {i: k for k, cluster in enumerate(clusters) for i in cluster}
    for i in range(size):
        for j in range(i):
            if home[i] != home[j]:
                angle = S[i, j] / (S[j, j] - S[i, i])
                rotation[i, j], rotation[j, i] = angle, -angle
    inner = _identity(size)
    for cluster in clusters:
        if len(cluster) > 1:
            turned = _block_eigenvectors(S, cluster)
            for a, i in enumerate(cluster):
                for b, j in enumerate(cluster):
                    inner[i, j] = turned[a, b]
    return (rotation * inner).mid()


def _block_eigenvectors(S: arb_mat, cluster: Sequence[int]) -> Any:
    middle = sum((S[i, i] for i in cluster), start=arb(0)) / len(cluster)
    block = arb_mat([[S[i, j] - middle if i == j else S[i, j] for j in cluster] for i in cluster]).mid()
    scale = _largest(block.entries())
    return np.eye(len(cluster)) if scale.is_zero() else np.linalg.eigh(_floats(block, scale))[1]


def _ascending(S: arb_mat) -> list[int]:
    return sorted(range(S.nrows()), key=lambda i: fmpq(*_fraction(S[i, i])))


def _fraction(number: arb) -> tuple[Any, Any]:
    mantissa, exponent = number.man_exp()
    return (mantissa * 2 ** int(exponent), 1) if exponent >= 0 else (mantissa, 2 ** -int(exponent))


def _largest(numbers: Sequence[arb]) -> arb:
    return max((abs(number) for number in numbers), default=arb(0)).mid()


def _floats(A: arb_mat, scale: arb) -> Any:
    numbers = [float((entry / scale).mid()) for entry in A.entries()]
    floats = np.array(numbers, dtype=float).reshape(A.nrows(), A.ncols())
    return (floats + floats.T) / 2


def _from_floats(A: Any) -> arb_mat:
    return arb_mat(*A.shape, [arb(float(entry)) for entry in A.ravel()])


def _identity(size: int) -> arb_mat:
    return arb_mat(size, size, [int(i == j) for i in range(size) for j in range(size)])

"""The nuclear norm of a matrix: the sum of its singular values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.functions import arguments
from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.functions.requirements import required
from piggycheck.functions.shrinkage import soft_threshold
from piggycheck.maps import Affine, Constant, Factor, Node, Scalar, Spectral, Term

__all__ = ["nuclear_norm"]


@dataclass(frozen=True)
class nuclear_norm(ProximalFunction):
    """``weight`` times the sum of the singular values of a matrix, which is written row by row.

    Parameters
    ----------
    weight : exact number, sympy expression in the parameters, or str
        Nonnegative.
    rows, columns : int
        Of the matrix.

    Raises
    ------
    InputError
        When the weight is a negative number, or a size no positive integer.

    Examples
    --------
    >>> nuclear_norm("lam", 2, 3).dimension
    6

    Notes
    -----
    The proximal map soft-thresholds the singular values of X. It is read off the symmetric matrix
    ``[[0, X], [X^T, 0]]``, whose eigenvalues are the singular values and their negatives, and zeros: soft-thresholding
    is odd, so it acts on the singular values alone, and gives a matrix of the same form.

    Source: Cai, Candès, Shen, A singular value thresholding algorithm for matrix completion, 2010, Theorem 2.1; Horn,
    Johnson, Matrix Analysis, 2013, Theorem 7.3.3, for the symmetric matrix.

    When this fails: the symmetric matrix has rows + columns rows, and is cut out by a dense matrix of
    (rows + columns)^2 rows, so beyond about 20 rows and columns this is slow.
    """

    weight: Any
    rows: Any
    columns: Any

    def __post_init__(self) -> None:
        weight = arguments.number(self.weight, "weight of nuclear_norm")
        rows = arguments.integer(self.rows, 1, "rows of nuclear_norm")
        columns = arguments.integer(self.columns, 1, "columns of nuclear_norm")
        requirements = required("nonnegative", weight, where="weight of nuclear_norm")
        self._keep(weight=weight, rows=rows, columns=columns, dimension=rows * columns, requirements=requirements)

    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        E = Constant(naming("dilation"), dilation_matrix(self.rows, self.columns))
        dilated = Affine(naming("dilated"), [Term(sp.S.One, (Factor(E),), of)])
        threshold = [Scalar(step * self.weight)]
        shrunk = Spectral(naming("shrunk"), soft_threshold(), dilated, threshold, proximal=True)
        return Affine(naming("proximal"), [Term(sp.S.Half, (Factor(E, transposed=True),), shrunk)])


def dilation_matrix(rows: int, columns: int) -> fmpq_mat:
    """Return the matrix of ``X -> [[0, X], [X^T, 0]]`` on vectors of entries, row by row.

    Examples
    --------
    >>> (dilation_matrix(1, 1) * fmpq_mat([[5]])).entries()
    [0, 5, 5, 0]
    """
    size = rows + columns
    E = fmpq_mat(size * size, rows * columns)
    for i in range(rows):
        for j in range(columns):
            E[i * size + rows + j, i * columns + j] = fmpq(1)
            E[(rows + j) * size + i, i * columns + j] = fmpq(1)
    return E

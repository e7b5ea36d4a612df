"""Half the squared distance between ``A x`` and b."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.errors import InputError
from piggycheck.functions import arguments
from piggycheck.functions.base import Naming
from piggycheck.functions.smooth_quadratic import QuadraticFunction, QuadraticTerms
from piggycheck.linalg import identity
from piggycheck.maps import Factor, Term

__all__ = ["least_squares"]


@dataclass(frozen=True)
class least_squares(QuadraticFunction):
    """``|A x - b|^2 / 2``.

    Parameters
    ----------
    A : m × n array, or ArrayParameter
    b : vector of m entries, or ArrayParameter

    Raises
    ------
    InputError
        When shapes do not fit.

    Examples
    --------
    >>> least_squares([[1, 2, 0], [0, 1, 1]], [1, 3]).dimension
    3
    >>> least_squares([[1, 2, 0], [0, 1, 1]], [1, 3, 4])
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: b of least_squares: 3 entries; there must be 2

    Notes
    -----
    The gradient ``A^T (A x - b)`` is kept as a chain of products; a constant identity matrix is left out of it.

    Source: Parikh, Boyd, Proximal Algorithms, 2014, section 6.1.1.
    """

    A: Any
    b: Any

    def __post_init__(self) -> None:
        A = arguments.array(self.A, "A of least_squares")
        rows, columns = arguments.shape(A)
        if not rows or not columns:
            raise InputError(f"A of least_squares: {rows} rows and {columns} columns; write at least one of each")
        self._keep(A=A, b=arguments.vector(self.b, "b of least_squares", rows), dimension=columns)

    def keeps_symmetric(self, n: int) -> bool:
        return _is_identity(self.A) and arguments.is_symmetric(self.b, n)

    def terms(self, naming: Naming) -> QuadraticTerms:
        b = arguments.vector_node(self.b, "b", naming)
        if _is_identity(self.A):
            return QuadraticTerms((Term(sp.S.One),), (Term(sp.S.NegativeOne, (), b),))
        A = arguments.source(self.A, "A", naming)
        back, forth = Factor(A, transposed=True), Factor(A)
        return QuadraticTerms((Term(sp.S.One, (back, forth)),), (Term(sp.S.NegativeOne, (back,), b),))


def _is_identity(A: arguments.Array) -> bool:
    return isinstance(A, fmpq_mat) and A.nrows() == A.ncols() and A[0, 0] == 1 and A == identity(A.nrows())

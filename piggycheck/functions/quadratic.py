"""Quadratic functions given by a matrix and a vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from piggycheck.errors import InputError
from piggycheck.functions import arguments
from piggycheck.functions.base import Naming
from piggycheck.functions.requirements import required
from piggycheck.functions.smooth_quadratic import QuadraticFunction, QuadraticTerms
from piggycheck.maps import Factor, Term

__all__ = ["quadratic"]


@dataclass(frozen=True)
class quadratic(QuadraticFunction):
    """``x^T Q x / 2 + c^T x``.

    Parameters
    ----------
    Q : n × n array, or ArrayParameter
        Symmetric positive semidefinite.
    c : vector of n entries, or ArrayParameter, optional

    Raises
    ------
    InputError
        When shapes do not fit, or Q is constant and not symmetric positive semidefinite.

    Examples
    --------
    >>> quadratic([[2, 1], [1, 2]], [1, -1]).dimension
    2
    >>> quadratic([[0, 1], [1, 0]])
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: Q of quadratic: the matrix is not positive semidefinite; write one without negative \
eigenvalues

    Notes
    -----
    The proximal map solves a linear system with ``I + step*Q``.

    Source: Parikh, Boyd, Proximal Algorithms, 2014, section 6.1.1.

    When this fails: beyond 20 variables a matrix that is barely not semidefinite is let through.
    """

    Q: Any
    c: Any = None

    def __post_init__(self) -> None:
        Q = arguments.array(self.Q, "Q of quadratic")
        rows, columns = arguments.shape(Q)
        if rows != columns:
            raise InputError(f"Q of quadratic: {rows} rows and {columns} columns; write a square matrix")
        c = None if self.c is None else arguments.vector(self.c, "c of quadratic", rows)
        self._keep(Q=Q, c=c, dimension=rows, requirements=required("semidefinite", Q, where="Q of quadratic"))

    def terms(self, naming: Naming) -> QuadraticTerms:
        hessian = (Term(sp.S.One, (Factor(arguments.source(self.Q, "Q", naming)),)),)
        linear = () if self.c is None else (Term(sp.S.One, (), arguments.vector_node(self.c, "c", naming)),)
        return QuadraticTerms(hessian, linear)

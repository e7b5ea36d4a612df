"""Minus the log-determinant, with a linear term: the likelihood of sparse inverse covariance selection."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy as sp

from piggycheck.errors import InputError
from piggycheck.functions import arguments
from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.functions.requirements import Recommendation, Requirement, required
from piggycheck.maps import Affine, Node, Scalar, ScalarFunction, Spectral, Term

__all__ = ["log_det"]

_NO_COVARIANCE = "S of log_det: the matrix has a negative eigenvalue, as no covariance has; there may be no minimiser"


@dataclass(frozen=True)
class log_det(ProximalFunction):
    """``<S, X> - log det X`` for positive definite n × n matrices X, written row by row.

    Parameters
    ----------
    S : n × n array, or ArrayParameter
        Symmetric.

    Raises
    ------
    InputError
        When S is not square, or constant and not symmetric.

    Examples
    --------
    >>> log_det([[2, 1], [1, 2]]).dimension
    4

    Notes
    -----
    The minimiser X of ``step*(<S, X> - log det X) + |X - V|^2/2`` solves ``X - step*X^-1 = V - step*S``, so it has the
    eigenvectors of the right-hand side, and eigenvalues ``(v + sqrt(v^2 + 4*step))/2`` for its eigenvalues v.

    Source: Boyd, Parikh, Chu, Peleato, Eckstein, Distributed optimization and statistical learning via the alternating
    direction method of multipliers, 2011, section 6.5; Friedman, Hastie, Tibshirani, Sparse inverse covariance
    estimation with the graphical lasso, 2008.
    """

    S: Any

    def __post_init__(self) -> None:
        S = arguments.array(self.S, "S of log_det")
        rows, columns = arguments.shape(S)
        if rows != columns or not rows:
            raise InputError(f"S of log_det: {rows} rows and {columns} columns; write a square matrix")
        requirements = required("symmetric", S, where="S of log_det")
        advisers = (Recommendation(Requirement("semidefinite", (S,), "S of log_det"), _NO_COVARIANCE),)
        self._keep(S=S, dimension=rows * rows, symmetric_size=rows, requirements=requirements, advisers=advisers)

    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        S = arguments.vector_node(self.S, "S", naming)
        shifted = Affine(naming("shifted"), [Term(sp.S.One, (), of), Term(-step, (), S)])
        return Spectral(naming("proximal"), _positive_root(), shifted, [Scalar(step)], proximal=True)


@cache
def _positive_root() -> ScalarFunction:
    """The positive x with ``x - t/x = v``."""
    v, t = sp.symbols("v t", real=True)
    return ScalarFunction((v + sp.sqrt(v**2 + 4 * t)) / 2, v, [t])

"""The constraint that a symmetric matrix is positive semidefinite."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import sympy as sp

from piggycheck.functions import arguments
from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.functions.nonnegative import positive_part
from piggycheck.maps import Node, Spectral

__all__ = ["positive_semidefinite"]


@dataclass(frozen=True)
class positive_semidefinite(ProximalFunction):
    """The indicator function of the positive semidefinite n × n matrices, written row by row.

    Its proximal map replaces negative eigenvalues by zero.

    Parameters
    ----------
    n : int

    Raises
    ------
    InputError
        When n is no positive integer.

    Examples
    --------
    >>> positive_semidefinite(3).dimension
    9

    Notes
    -----
    Source: Parikh, Boyd, Proximal Algorithms, 2014, section 6.3.
    """

    n: Any

    def __post_init__(self) -> None:
        n = arguments.integer(self.n, 1, "n of positive_semidefinite")
        self._keep(n=n, dimension=n * n, symmetric_size=n)

    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        return Spectral(naming("proximal"), positive_part(), of, proximal=True)

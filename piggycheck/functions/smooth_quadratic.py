"""Convex quadratic functions, kept as terms: gradients and minimisers are built from them without products."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp

from piggycheck.errors import InputError
from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.maps import Affine, Factor, MatrixSum, Node, Term

__all__ = ["QuadraticFunction", "QuadraticTerms", "SumOfQuadratics", "minimiser"]


@dataclass(frozen=True)
class QuadraticTerms:
    """The gradient ``H x + g`` of a quadratic function, as terms.

    Attributes
    ----------
    hessian : tuple of Term
        Their sum is H; they act on nothing yet.
    linear : tuple of Term
        Their sum is g.
    """

    hessian: tuple[Term, ...]
    linear: tuple[Term, ...]

    def gradient(self, at: Node, scale: sp.Expr = sp.S.One) -> list[Term]:
        """Return the terms of the gradient at a node, scaled."""
        return [Term(scale * t.scale, t.factors, at) for t in self.hessian] + rescaled(self.linear, scale)


def rescaled(terms: Sequence[Term], scale: sp.Expr, factors: tuple[Factor, ...] = ()) -> list[Term]:
    """Multiply terms by a number, and by matrices from the left."""
    return [Term(scale * t.scale, (*factors, *t.factors), t.of) for t in terms]


def minimiser(hessian: Sequence[Term], right: Sequence[Term], size: int, naming: Naming) -> list[Term]:
    """Return the terms of the solution of ``H x = r``, for H and r given as terms.

    Parameters
    ----------
    hessian : sequence of Term
        Without nodes; their sum is positive definite.
    right : sequence of Term
        With nodes.
    size : int
        Number of rows of H.
    naming : Naming
    """
    if not any(term.factors for term in hessian):
        return rescaled(right, 1 / sp.Add(*(term.scale for term in hessian)))
    K = MatrixSum(naming("K"), hessian, size)
    return rescaled(right, sp.S.One, (Factor(K, inverted=True),))


class QuadraticFunction(ProximalFunction):
    """A convex quadratic function ``x^T H x / 2 + g^T x``; such functions can be added."""

    @abstractmethod
    def terms(self, naming: Naming) -> QuadraticTerms:
        """Return the terms of the gradient."""

    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        terms = self.terms(naming)
        if not terms.hessian and not terms.linear:
            return of
        shifted = [Term(sp.S.One), *rescaled(terms.hessian, step)]
        right = [Term(sp.S.One, (), of), *rescaled(terms.linear, -step)]
        return Affine(naming("proximal"), minimiser(shifted, right, of.size, naming))

    def __add__(self, other: object) -> ProximalFunction:
        if not isinstance(other, QuadraticFunction):
            return super().__add__(other)
        return SumOfQuadratics((*_parts(self), *_parts(other)))


def _parts(function: QuadraticFunction) -> tuple[QuadraticFunction, ...]:
    return function.parts if isinstance(function, SumOfQuadratics) else (function,)


@dataclass(frozen=True)
class SumOfQuadratics(QuadraticFunction):
    """A sum of quadratic functions.

    Parameters
    ----------
    parts : tuple of QuadraticFunction

    Raises
    ------
    InputError
        When they have different numbers of variables.
    """

    parts: tuple[QuadraticFunction, ...]

    def __post_init__(self) -> None:
        sized = [part for part in self.parts if part.dimension is not None]
        for part in sized[1:]:
            if part.dimension != sized[0].dimension:
                raise InputError(
                    f"`{sized[0].name}` has {sized[0].dimension} variables and `{part.name}` has {part.dimension}; "
                    "they must have the same number"
                )
        self._keep(
            dimension=sized[0].dimension if sized else None,
            requirements=tuple(r for part in self.parts for r in part.requirements),
        )

    @property
    def name(self) -> str:
        return " + ".join(part.name for part in self.parts)

    def keeps_symmetric(self, n: int) -> bool:
        return all(part.keeps_symmetric(n) for part in self.parts)

    def terms(self, naming: Naming) -> QuadraticTerms:
        found = [part.terms(naming) for part in self.parts]
        return QuadraticTerms(
            tuple(t for terms in found for t in terms.hessian), tuple(t for terms in found for t in terms.linear)
        )

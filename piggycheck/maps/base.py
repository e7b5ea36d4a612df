"""What every piecewise map can be asked, whichever way it is stored."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp

from piggycheck.arrays import Arrays, Enclosed
from piggycheck.maps.nodes import Context, Cotangents, Directions

__all__ = ["Activity", "BoundMap", "Evaluation", "Moment", "Piece", "PiecewiseMap", "SelectionSet", "Signature"]


class Signature(tuple):
    """What the guards of a map saw: one of -1, 0, 1 for each guard that was met, ``None`` for the others.

    Examples
    --------
    >>> str(Signature([1, -1, None, 0]))
    '+-·0'
    """

    __slots__ = ()

    def __str__(self) -> str:
        return "".join({1: "+", -1: "-", 0: "0", None: "·"}[sign] for sign in self)


@dataclass(frozen=True)
class Activity:
    """How a piece stands at a point.

    Attributes
    ----------
    essential : bool or None
        Whether the point is in the closure of the interior of the piece's region; ``None`` when undecided.
    direction : tuple of sympy.Rational, optional
        In the space of state and parameters, a direction along which the piece is entered from the point: the
        proof of ``essential is True``.
    """

    essential: bool | None
    direction: tuple[sp.Rational, ...] | None = None


@dataclass(frozen=True)
class Piece:
    """A smooth piece of a map at a point: its signature and its Jacobian pair there.

    Attributes
    ----------
    signature : Signature
    A : sympy.ImmutableMatrix, p × p
        Derivative in the state.
    B : sympy.ImmutableMatrix, p × m
        Derivative in the parameters.
    activity : Activity
    """

    signature: Signature
    A: sp.ImmutableMatrix
    B: sp.ImmutableMatrix
    activity: Activity

    @property
    def pair(self) -> tuple[sp.ImmutableMatrix, sp.ImmutableMatrix]:
        """The Jacobian pair ``(A, B)``."""
        return self.A, self.B


@dataclass(frozen=True)
class SelectionSet:
    """The pieces of a map at a point that are essentially active, as far as this was decided.

    Attributes
    ----------
    pieces : tuple of Piece
        Those proved essentially active, and those for which it is undecided.
    exact : bool
        Whether every listed piece was proved essentially active; otherwise the set is a superset.
    """

    pieces: tuple[Piece, ...]
    exact: bool


@dataclass(frozen=True)
class Evaluation:
    """The value of a map at a point, and the signature that was seen there (0 where a guard ties)."""

    value: tuple[Any, ...]
    signature: Signature


class PiecewiseMap(ABC):
    """A continuous, piecewise smooth map ``(x, theta) -> F(x, theta)`` of p state variables and m parameters.

    Symbolic maps and structured layers answer to the same questions, so that everything downstream is written once.
    """

    state: tuple[sp.Symbol, ...]
    parameters: tuple[sp.Symbol, ...]

    @property
    def variables(self) -> tuple[sp.Symbol, ...]:
        """State and parameters, in this order."""
        return self.state + self.parameters

    @abstractmethod
    def bind(self, at: Mapping[Any, Any], arrays: Arrays) -> BoundMap:
        """Fix the parameters, over an array arithmetic."""

    @abstractmethod
    def selection(self, point: Mapping[Any, Any]) -> SelectionSet:
        """Return the selection set at an exact point."""

    @abstractmethod
    def parameter_values(self, at: Mapping[Any, Any]) -> dict[Any, Any]:
        """Read exact values for all parameters."""

    @abstractmethod
    def active(self, point: Mapping[Any, Any]) -> tuple[Piece, ...]:
        """Return every piece whose closed region contains an exact point."""

    @abstractmethod
    def chain_rule(self, point: Mapping[Any, Any]) -> tuple[Piece, ...]:
        """Return what automatic differentiation can return at an exact point: each switch picks on its own."""


class BoundMap(ABC):
    """A map with given parameters, over an array arithmetic.

    Attributes
    ----------
    arrays : Arrays
    context : Context
        The parameters over them.
    """

    arrays: Arrays
    context: Context

    @abstractmethod
    def __call__(self, x: Enclosed) -> Moment:
        """Evaluate at a state: a matrix of one column, which over balls is known up to a distance."""

    def following(self) -> Callable[[Enclosed], Moment]:
        """Return the same for iterates that come one after the other: what is learned at one may serve the next."""
        return self

    @abstractmethod
    def directions(self, moving: Mapping[Any, Any] | None = None) -> Directions:
        """Prepare directions of the parameters.

        Parameters
        ----------
        moving : mapping, optional
            By the name of a parameter, what it moves by in each direction: q numbers for a scalar, a matrix with q
            columns for an array (entries row by row). By default one direction for each number of each parameter.
        """


class Moment(ABC):
    """A map at a point: its value, and what its derivative does to tangents and cotangents.

    Attributes
    ----------
    value : Enclosed
        The next state.
    """

    value: Enclosed

    @property
    @abstractmethod
    def signature(self) -> Signature:
        """What the guards see, 0 where one ties; raises `UnknownError` when a sign is not decided."""

    @abstractmethod
    def forward(self, tangent: Enclosed | None, directions: Directions | None, signature: Signature) -> Enclosed:
        """Return ``A T + B d``, for the piece that a signature names; None stands for zero."""

    @abstractmethod
    def backward(self, cotangent: Enclosed, signature: Signature) -> tuple[Enclosed, Cotangents]:
        """Return ``A^T w`` and what the parameters receive, ``B^T w``, for the piece that a signature names."""

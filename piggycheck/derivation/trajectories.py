"""The steps of derivations about what iterates and flows do away from the fixed point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = [
    "CommonDirectionStep",
    "EnergyStep",
    "EscapeStep",
    "FlowCycleStep",
    "FlowStep",
    "FunnelStep",
    "HomogeneousStep",
    "PeriodicOrbitStep",
    "PiecesEverywhereStep",
    "ReturnStep",
    "StarPolygonStep",
]


@dataclass(frozen=True)
class FunnelStep(Step):
    """A polyhedron that holds all iterates and shrinks to the fixed point.

    Attributes
    ----------
    variables : tuple of sympy.Symbol
        The state, the parameters of the box, and s, which is rate^k at step k.
    box : mapping from parameters to pairs of fmpq
    rows : tuple of tuples of fmpq
        Affine functions of the variables, the constant last, that are nonnegative on the polyhedron.
    rate, constant : fmpq
    """

    variables: tuple[Any, ...]
    box: Any
    rows: tuple[tuple[Any, ...], ...]
    rate: Any
    constant: Any


@dataclass(frozen=True)
class EscapeStep(Step):
    """Parameters from which the iterates return to a point that is not the fixed point.

    Attributes
    ----------
    at : mapping from names of parameters to fmpq
    first, period : int
        The two iterates of the indices `first` and ``first + period`` are equal.
    point : tuple of fmpq
    """

    at: Any
    first: int
    period: int
    point: tuple[Any, ...]


@dataclass(frozen=True)
class CommonDirectionStep(Step):
    """A direction that every piece of the map multiplies, and along which every start has a derivative.

    Attributes
    ----------
    parameter : str
        The parameter in which derivatives are taken.
    direction, multipliers, starts : tuples of fmpq
        The direction, the factor of each piece of the map, and the derivative of each piece of the start.
    rate, constant : fmpq
        Lower bounds on the moduli of the factors, and on the derivatives of the start.
    """

    parameter: str
    direction: tuple[Any, ...]
    multipliers: tuple[Any, ...]
    starts: tuple[Any, ...]
    rate: Any
    constant: Any


@dataclass(frozen=True)
class FlowStep(Step):
    """A flow ``x_i' = r n_i (c_i - x_i)`` on each of the two sides of a guard.

    Attributes
    ----------
    state : tuple of sympy.Symbol
    guard : sympy.Expr
        Positive on the first side.
    rate : fmpq
        The number r.
    exponents, centres : pairs of tuples
        The numbers n_i and c_i of each side.
    """

    state: tuple[Any, ...]
    guard: Any
    rate: Any
    exponents: tuple[tuple[int, ...], ...]
    centres: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class FlowCycleStep(Step):
    """An attracting cycle of two arcs, one on each side of a guard.

    Attributes
    ----------
    state : tuple of sympy.Symbol
    arcs : two pairs of fmpq
        Bounds on u and v, the factors by which ``exp(-r t)`` decreases along the arcs.
    crossings : two points, each a tuple of pairs of fmpq
        Bounds on where the arcs begin.
    multiplier : pair of fmpq
        Bounds on the derivative of the return map.
    polynomial : fmpq_poly or None
        It has a root at the first coordinate of each crossing.
    """

    state: tuple[Any, ...]
    arcs: tuple[Any, ...]
    crossings: tuple[Any, ...]
    multiplier: tuple[Any, Any]
    polynomial: Any | None


@dataclass(frozen=True)
class PeriodicOrbitStep(Step):
    """An attracting periodic orbit of the iterates, exact.

    Attributes
    ----------
    word : tuple of int
        The piece of each step.
    points : tuple of tuples of fmpq
    """

    word: tuple[int, ...]
    points: tuple[tuple[Any, ...], ...]


@dataclass(frozen=True)
class EnergyStep(Step):
    """A heavy ball ``x <- x - G(x) + momentum (x - previous)`` whose energy decreases.

    Attributes
    ----------
    variables : tuple of sympy.Symbol
        Those of x.
    momentum : fmpq
        Zero for gradient descent.
    jacobians : tuple of fmpq_mat
        Of G, on all pieces.
    """

    variables: tuple[Any, ...]
    momentum: Any
    jacobians: tuple[Any, ...]


@dataclass(frozen=True)
class PiecesEverywhereStep(Step):
    """The matrices of all pieces of a piecewise affine map on the whole space.

    Attributes
    ----------
    A : tuple of fmpq_mat
    """

    A: tuple[Any, ...]


@dataclass(frozen=True)
class HomogeneousStep(Step):
    """All guards of a piecewise affine map pass through its fixed point."""


@dataclass(frozen=True)
class StarPolygonStep(Step):
    """A star-shaped polygon around the fixed point that the map sends into its interior.

    Attributes
    ----------
    corners : tuple of pairs of fmpq
        Displacements from the fixed point, counterclockwise; between two that follow each other the map is linear.
    """

    corners: tuple[tuple[Any, Any], ...]


@dataclass(frozen=True)
class ReturnStep(Step):
    """A point to which the iterates return, or to a multiple of its distance, and which is not the fixed point.

    Attributes
    ----------
    point : tuple of fmpq
    period : int
    fixed_point : tuple of fmpq
    multiplier : fmpq
        1 where they return to the point itself; otherwise the pieces are cones.
    """

    point: tuple[Any, ...]
    period: int
    fixed_point: tuple[Any, ...]
    multiplier: Any

"""The steps of derivations about what iterates and flows do away from the fixed point."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = ["CommonDirectionStep", "EscapeStep", "FunnelStep"]


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

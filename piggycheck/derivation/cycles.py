"""The steps of derivations about cycles of iterates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = ["BasinStep", "CyclesStep", "FollowedStep"]


@dataclass(frozen=True)
class CyclesStep(Step):
    """The cycles of one period.

    Attributes
    ----------
    state : tuple of sympy.Symbol
    period : int
    cycles : tuple
        Each with the attributes of `piggycheck.cycles.Cycle`.
    conditions : tuple
        For each cycle and each of its points the guards that the map meets there, with their signs.
    exhaustive : bool
        Whether there are no others.
    words : int
        How many itineraries were solved; 0 where none was looked for.
    """

    state: tuple[Any, ...]
    period: int
    cycles: tuple[Any, ...]
    conditions: tuple[tuple[Any, ...], ...]
    exhaustive: bool
    words: int


@dataclass(frozen=True)
class BasinStep(Step):
    """An ellipsoid around a point of an attracting cycle, from which the iterates approach it.

    Attributes
    ----------
    state : tuple of sympy.Symbol
    point : tuple of sympy.Expr
    P : fmpq_mat
    level, radius : fmpq
        The ellipsoid ``(x - p)^T P (x - p) <= level`` contains every x within the radius, in the maximum norm.
    entry : int or None
        The index of an iterate that lies in it.
    """

    state: tuple[Any, ...]
    point: tuple[Any, ...]
    P: Any
    level: Any
    radius: Any
    entry: int | None


@dataclass(frozen=True)
class FollowedStep(Step):
    """A point and its iterates, exact.

    Attributes
    ----------
    state : tuple of sympy.Symbol
    points : tuple of tuples of sympy.Expr
    """

    state: tuple[Any, ...]
    points: tuple[tuple[Any, ...], ...]

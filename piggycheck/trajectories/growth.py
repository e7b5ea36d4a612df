"""Derivatives that grow along all iterates: a direction that every piece of the map multiplies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy as sp
from flint import fmpq

from piggycheck.errors import UnknownError
from piggycheck.iteration import Iteration
from piggycheck.linalg import primitive
from piggycheck.trajectories.pieces import Row, affine_pieces

__all__ = ["CommonDirection", "common_direction"]


@dataclass(frozen=True)
class CommonDirection:
    """A direction d that every piece multiplies, and a parameter in which every start has a derivative along d.

    Attributes
    ----------
    parameter : sympy.Symbol
    direction : tuple of fmpq
    multipliers : tuple of fmpq
        One for each piece A of the map: ``A d = multiplier d``, and the map has derivative 0 in the parameter.
    starts : tuple of fmpq
        One for each piece of the start: its derivative in the parameter is this multiple of d, not 0.
    """

    parameter: sp.Symbol
    direction: tuple[fmpq, ...]
    multipliers: tuple[fmpq, ...]
    starts: tuple[fmpq, ...]

    @property
    def rate(self) -> fmpq:
        """The factor by which derivatives in the parameter grow at least, in each step."""
        return min(abs(c) for c in self.multipliers)

    @property
    def constant(self) -> fmpq:
        """A lower bound on the derivative of the start, in the maximum norm."""
        return min(abs(c) for c in self.starts) * max(abs(c) for c in self.direction)


def common_direction(iteration: Iteration) -> CommonDirection:
    """Find a direction that every piece multiplies, with the largest rate over the parameters.

    Parameters
    ----------
    iteration : Iteration
        With a start; affine in state and parameters on each of its pieces.

    Returns
    -------
    CommonDirection
        Whatever pieces are selected along whatever iterates, the derivative in the parameter is then a multiple of the
        direction, and the product of the multipliers met says which.

    Raises
    ------
    UnknownError
        When a piece is not affine, or there is no such direction.

    Examples
    --------
    >>> from piggycheck.maps import SymbolicMap
    >>> u, v, theta = sp.symbols("u v theta", real=True)
    >>> tent = SymbolicMap([u, v], [sp.Min(u, v - u) * 4 / 3, v * 2 / 3], [theta])
    >>> found = common_direction(Iteration(tent, [theta, sp.Integer(1)]))
    >>> found.direction, found.multipliers, found.rate
    ((1, 0), (-4/3, 4/3), 4/3)

    Notes
    -----
    When this fails: derivatives may grow without staying in one direction.
    """
    parameters = iteration.map.parameters
    pieces = [piece.images for piece in affine_pieces(iteration.map, {}).pieces]
    starts = [piece.images for piece in affine_pieces(iteration.start_map, {}, parameters).pieces]
    found = [_along(parameters[j], j, pieces, starts) for j in range(len(parameters))]
    directions = [one for one in found if one is not None]
    if not directions:
        raise UnknownError("no direction was found that every piece of the map multiplies and the start has")
    return max(directions, key=lambda one: (one.rate, one.constant))


def _along(
    parameter: sp.Symbol, j: int, pieces: Sequence[Sequence[Row]], starts: Sequence[Sequence[Row]]
) -> CommonDirection | None:
    p = len(starts[0])
    columns = [tuple(row[j] for row in images) for images in starts]
    direction = primitive(columns[0])
    if not any(direction) or any(row[p + j] != 0 for images in pieces for row in images):
        return None
    images = [tuple(_dot(row[:p], direction) for row in rows) for rows in pieces]
    multipliers = [_multiple(image, direction) for image in images]
    scales = [_multiple(column, direction) for column in columns]
    if None in multipliers or None in scales or 0 in scales:
        return None
    return CommonDirection(parameter, direction, tuple(multipliers), tuple(scales))


def _dot(row: Sequence[fmpq], d: Sequence[fmpq]) -> fmpq:
    return sum((a * b for a, b in zip(row, d, strict=True)), fmpq(0))


def _multiple(image: Sequence[fmpq], direction: Sequence[fmpq]) -> fmpq | None:
    """The factor by which an image is a multiple of a direction, if it is one."""
    j = next(i for i, c in enumerate(direction) if c != 0)
    factor = image[j] / direction[j]
    return factor if all(a == factor * b for a, b in zip(image, direction, strict=True)) else None

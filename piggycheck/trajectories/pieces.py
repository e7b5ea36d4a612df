"""All pieces of a piecewise affine map, on the whole space of state and parameters, as rational matrices."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.feasibility import AffineRow, Infeasible, feasible_point
from piggycheck.maps import Signature, SymbolicMap
from piggycheck.maps.activity import Constraint, monomial_coefficients

__all__ = ["AffinePiece", "AffinePieces", "Row", "affine_pieces", "follows", "signatures_listed"]

Row = tuple[fmpq, ...]
"""An affine function: the coefficient of each variable, then the constant."""

_MAX_PIECES = 64


@dataclass(frozen=True)
class AffinePiece:
    """An affine map on a closed polyhedron.

    Attributes
    ----------
    images : tuple of Row
        The next value of each state variable.
    nonnegative, zero : tuple of Row
        On the piece the first are at least 0, and the others are 0.
    """

    images: tuple[Row, ...]
    nonnegative: tuple[Row, ...]
    zero: tuple[Row, ...]


@dataclass(frozen=True)
class AffinePieces:
    """The pieces of a map whose variables are its state and its open parameters.

    Attributes
    ----------
    variables : tuple of sympy.Symbol
    pieces : tuple of AffinePiece
        Closed polyhedra; every point lies in one whose map gives its image.
    guards : tuple of Row
    """

    variables: tuple[sp.Symbol, ...]
    pieces: tuple[AffinePiece, ...]
    guards: tuple[Row, ...]


def affine_pieces(
    map_: SymbolicMap,
    at: Mapping[sp.Symbol, Any],
    variables: Sequence[sp.Symbol] | None = None,
    *,
    time_limit: float = math.inf,
) -> AffinePieces:
    """List the pieces of a map as affine functions of its state and of the parameters that have no value.

    Parameters
    ----------
    map_ : SymbolicMap
    at : mapping from parameters to numbers
    variables : sequence of symbols, optional
        What the pieces are functions of; the state and the open parameters, in their order, by default.
    time_limit : float
        Seconds after which no more pieces are looked for.

    Returns
    -------
    AffinePieces

    Raises
    ------
    UnknownError
        When a piece or a guard is not affine with rational coefficients, there are more than 64 pieces, or the time
        is up.

    Examples
    --------
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> found = affine_pieces(SymbolicMap([x], [sp.Max(x, theta) / 2], [theta]), {})
    >>> [(piece.images, piece.nonnegative) for piece in found.pieces]
    [(((0, 1/2, 0),), ((-1, 1, 0),)), (((1/2, 0, 0),), ((1, -1, 0),))]

    Notes
    -----
    When this fails: a map with n independent kinks has 2^n pieces.
    """
    fixed = map_.fix(at)
    variables = fixed.variables if variables is None else tuple(variables)
    pieces, guards = [], {}
    for signature, constraints in signatures_listed(fixed, _MAX_PIECES, time.monotonic() + time_limit):
        images = tuple(_row(e, variables) for e in fixed.piece(signature).expressions)
        nonnegative, zero = [], []
        for sign, guard in constraints:
            row = _row(guard, variables)
            guards[row] = None
            (zero if sign == 0 else nonnegative).append(tuple(c if sign >= 0 else -c for c in row))
        pieces.append(AffinePiece(images, tuple(nonnegative), tuple(zero)))
    return AffinePieces(variables, tuple(sorted(pieces, key=_order)), tuple(guards))


def _order(piece: AffinePiece) -> Any:
    return piece.images, piece.nonnegative, piece.zero


def _row(expression: sp.Expr, variables: Sequence[sp.Symbol]) -> Row:
    try:
        coefficients = monomial_coefficients(expression)
    except IrrationalError:
        raise UnknownError(f"`{expression}` has an irrational coefficient, and rational ones are needed") from None
    if set(coefficients) - {*variables, sp.S.One}:
        names = ", ".join(map(str, variables))
        raise UnknownError(f"`{expression}` is not affine in {names} with rational coefficients")
    return tuple(coefficients.get(v, fmpq(0)) for v in (*variables, sp.S.One))


def substituted(row: Row, images: Sequence[Row]) -> Row:
    """Return an affine function after a substitution: one affine function for each variable."""
    total = fmpq_mat([list(row[:-1])]) * fmpq_mat([list(image) for image in images])
    return (*(total[0, j] for j in range(total.ncols() - 1)), total[0, total.ncols() - 1] + row[-1])


def follows(target: Row, nonnegative: Sequence[Row], zero: Sequence[Row] = ()) -> bool:
    """Decide whether an affine function is nonnegative wherever others are.

    Examples
    --------
    >>> one = fmpq(1)
    >>> follows((one, one, one), [(one, 0 * one, 0 * one), (0 * one, one, 0 * one)])
    True
    >>> follows((one, -one, 0 * one), [(one, 0 * one, 0 * one)])
    False
    """

    def affine(rows: Sequence[Row]) -> list[AffineRow]:
        return [(row[:-1], row[-1]) for row in rows]

    below = tuple(-c for c in target)
    return isinstance(feasible_point(affine(zero), affine(nonnegative), affine([below]), len(target) - 1), Infeasible)


def signatures_listed(
    map_: SymbolicMap, most: int, deadline: float
) -> Sequence[tuple[Signature, tuple[Constraint, ...]]]:
    """List the signatures of all pieces of a map, each with the signs of the guards that it meets.

    Parameters
    ----------
    map_ : SymbolicMap
    most : int
        How many there may be.
    deadline : float
        On the clock of `time.monotonic`.

    Raises
    ------
    UnknownError
        When there are more, or the time is up.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> signatures_listed(SymbolicMap([x], [sp.Abs(x) / 2]), 2, time.monotonic() + 5)
    [((1,), ((1, x),)), ((-1,), ((-1, x),))]
    """

    def both(guard: sp.Expr, outcomes: Sequence[int]) -> Sequence[int]:
        if time.monotonic() > deadline:
            raise UnknownError("the time was up before the pieces of the map were listed")
        return outcomes

    found = list(islice(map_.signatures(both, gaps=False), most + 1))
    if len(found) > most:
        raise UnknownError(f"the map has more than {most} pieces; they are not listed")
    return found

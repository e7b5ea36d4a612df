"""How far a matrix is from the piggyback set, bounded from both sides."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count

from flint import fmpq, fmpq_mat

from piggycheck.limits.contraction import Contraction, as_contraction, inner_product, matrix_of_set
from piggycheck.limits.points import Point, exact_pairs, word_fixed_point
from piggycheck.linalg import Matrix, Number, identity, rational, root_upper, zeros
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["Distance", "distance_to_set"]

_BUDGET = 4_000
_TOLERANCE = fmpq(1, 10**9)


@dataclass(frozen=True)
class Distance:
    """Bounds on the distance to the piggyback set, in the Frobenius norm.

    Parameters
    ----------
    lower, upper : fmpq
    point : Point
        A point of the set whose distance is at most the upper bound.
    """

    lower: fmpq
    upper: fmpq
    point: Point


@dataclass(frozen=True)
class _Cell:
    """The image of the set under a word."""

    word: Word
    A: fmpq_mat
    B: fmpq_mat


def distance_to_set(
    contraction: Contraction | SwitchedSystem, X: Matrix, *, tolerance: Number = _TOLERANCE, budget: int = _BUDGET
) -> Distance:
    """Bound the distance of a matrix to the piggyback set from both sides.

    Parameters
    ----------
    contraction : Contraction or SwitchedSystem
        A system is proved to contract first.
    X : fmpq_mat, or its rows
        As many rows and columns as the matrices B have.
    tolerance : exact number
        How far the bounds may be apart.
    budget : int
        How many words are looked at, at most.

    Returns
    -------
    Distance
        When the budget ends before, the bounds that were proved until then.

    Raises
    ------
    InputError
        When the shape of X does not fit.

    Examples
    --------
    >>> from piggycheck.limits import contracting
    >>> from piggycheck.switched import SwitchedSystem
    >>> cantor = contracting(SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]]))
    >>> found = distance_to_set(cantor, [["1/2"]])
    >>> found.lower <= fmpq(1, 6) <= found.upper, found.upper - found.lower < fmpq(1, 10**9)
    (True, True)

    Notes
    -----
    The set is the union of its images under words; each lies in the image of a ball, whose distance is bounded from
    below along the line from its centre to X, and contains a point, whose distance bounds it from above. The image that
    may be nearest is divided next. Docs: docs/theory/limit-sets.md.

    When this fails: where many images overlap near X, the lower bound rises slowly.
    """
    contraction, gap = as_contraction(contraction), rational(tolerance, "`tolerance`")
    system = contraction.system
    X, (p, m) = matrix_of_set(X, system, "X"), (system.dimension, system.columns)
    pairs = exact_pairs(system)
    anchors = [(i, Y) for i in range(len(pairs)) if (Y := word_fixed_point(system, (i,))) is not None]
    names, whole = count(), _Cell((), identity(p), zeros(p, m))
    cells = [(*_bound(contraction, whole, X), next(names), whole)]
    upper, point = _nearest(anchors, whole, X)
    while cells[0][0] + gap < upper and len(cells) < budget:
        *_, cell = heapq.heappop(cells)
        for letter, (A, B) in enumerate(pairs):
            child = _Cell((letter, *cell.word), cell.A * A, cell.A * B + cell.B)
            heapq.heappush(cells, (*_bound(contraction, child, X), next(names), child))
            reached, where = _nearest(anchors, child, X)
            if reached < upper:
                upper, point = reached, where
    return Distance(min(cells[0][0], upper), upper, point)


def _bound(contraction: Contraction, cell: _Cell, X: fmpq_mat) -> tuple[fmpq, fmpq]:
    """A lower bound on the distance to a cell, and the square of that to the image of the ball's centre."""
    toward = X - cell.A * contraction.centre - cell.B
    square = inner_product(toward, toward)
    reach = contraction.radius**2 * contraction.reach_squared(cell.A.transpose() * toward)
    room = square - root_upper(reach, 2)
    return (room / root_upper(square, 2) if room > 0 else fmpq(0)), square


def _nearest(anchors: list[tuple[int, fmpq_mat]], cell: _Cell, X: fmpq_mat) -> tuple[fmpq, Point]:
    """The point of a cell that is nearest of the images of the fixed points of letters."""
    found = []
    for letter, Y in anchors:
        toward = X - cell.A * Y - cell.B
        found.append((inner_product(toward, toward), letter, Y))
    square, letter, Y = min(found, key=lambda entry: entry[0])
    return root_upper(square, 2), Point((letter,), cell.word, Y)

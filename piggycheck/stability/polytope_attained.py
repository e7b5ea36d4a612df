"""Polytopes for rates that words attain: there is no room for rounding, so all numbers are exact from the start."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.linalg import (
    block_matrix,
    float_rows,
    identity,
    left_eigenvectors,
    simplest_between,
    solve,
    zeros,
)
from piggycheck.stability.floats import Array, float_matrices
from piggycheck.stability.polytope_guess import leading_cycle
from piggycheck.stability.polytope_hull import Closure, close_hull, widest_basis
from piggycheck.switched import Word

__all__ = ["ExactHull", "close_exactly"]

_TIE = 1e-9
_EASIER = 1e-3


@dataclass(frozen=True)
class ExactHull:
    """Points with an absolutely convex hull that contains their images.

    Attributes
    ----------
    points : list of fmpq_mat
        Columns.
    basis : list of int
        Points that span.
    coefficients : lists
        For each letter and point, pairs (j, c): the image is the sum of the c times the points j, and the sum of the
        absolute values is at most 1.
    """

    points: list[fmpq_mat]
    basis: list[int]
    coefficients: list[list[list[tuple[int, fmpq]]]]


@dataclass(frozen=True)
class _Cycle:
    """Eigenvectors of a word and its rotations for an eigenvalue 1 or -1, and the rows dual to them."""

    points: list[fmpq_mat]
    duals: list[fmpq_mat]

    def meets(self, point: fmpq_mat) -> bool:
        """Whether the point is a multiple of one on the cycle."""
        return any(block_matrix([[point, other]]).rank() == 1 for other in self.points)


def close_exactly(
    letters: Sequence[fmpq_mat], words: Sequence[Word], *, vertex_limit: int, deadline: float
) -> ExactHull | None:
    """Find points whose hull the letters map into itself, when some words have the eigenvalue 1 or -1.

    Parameters
    ----------
    letters : sequence of fmpq_mat
    words : sequence of Word
        Those that attain the rate 1 are used.
    vertex_limit, deadline
        As in `close_hull`.

    Returns
    -------
    ExactHull or None

    Examples
    --------
    >>> letters = [fmpq_mat([[1, 0], [1, 0]]), fmpq_mat([[0, 1], [0, -1]])]
    >>> hull = close_exactly(letters, [(0,)], vertex_limit=9, deadline=math.inf)
    >>> [point.entries() for point in hull.points], hull.coefficients
    ([[1, 1], [1, -1]], [[[(0, 1)], [(0, 1)]], [[(1, 1)], [(1, -1)]]])

    Notes
    -----
    The hull of the eigenvectors and their images is closed in floating point, and the same points are then computed
    exactly. Several words that attain the rate need eigenvectors of balanced sizes. When this fails: irrational
    eigenvectors, unbounded products, or a hull with infinitely many vertices.
    """
    middles = float_matrices(letters)
    cycles: list[_Cycle] = []
    for word in words:
        guess = leading_cycle(middles, word)
        if guess is not None and abs(guess.rate - 1) < _TIE:
            for cycle in _cycles(letters, word):
                if not any(other.meets(cycle.points[0]) for other in cycles):
                    cycles.append(cycle)
    for chosen in [cycles[:1], cycles][: len(cycles)]:
        weights = _balance(middles, chosen, vertex_limit, deadline)
        seeds = [weight * point for weight, cycle in zip(weights, chosen, strict=True) for point in cycle.points]
        closure = close_hull(middles, 0 * middles, _rows(seeds), 0.0, vertex_limit=vertex_limit, deadline=deadline)
        hull = _repeat_exactly(letters, seeds, closure) if isinstance(closure, Closure) else None
        if hull is not None:
            return hull
    return None


def _cycles(letters: Sequence[fmpq_mat], word: Word) -> list[_Cycle]:
    n = letters[0].nrows()
    product = identity(n)
    for letter in word:
        product = letters[letter] * product
    cycles = []
    for eigenvalue in (fmpq(1), fmpq(-1)):
        right = solve(product - eigenvalue * identity(n), zeros(n, 0))[1]
        if not right:
            continue
        left = block_matrix([[row] for row in left_eigenvectors(product, eigenvalue)])
        pairing = left * block_matrix([right])
        if pairing.det() == 0:
            # A Jordan block: the powers of the product are unbounded.
            return []
        duals = pairing.inv() * left
        for index, vector in enumerate(right):
            numerators, denominator = vector.numer_denom()
            scale = fmpq(denominator, math.gcd(*map(int, numerators.entries())))
            points = [scale * vector]
            rows = [fmpq_mat([duals.table()[index]]) / scale]
            for forward, backward in zip(word[:-1], reversed(word[1:]), strict=True):
                points.append(letters[forward] * points[-1])
                rows.append(rows[-1] * letters[backward])
            cycles.append(_Cycle(points, rows))
    return cycles


def _balance(letters: Array, cycles: Sequence[_Cycle], vertex_limit: int, deadline: float) -> list[fmpq]:
    """Factors for the cycles such that no orbit of one of them sticks out at another one, with as much room as can be.

    What the orbit of cycle a amounts to in the direction of cycle b is measured with the dual of b, on the hull that
    the letters close when they are made a little smaller. The logarithms of the factors solve a linear program.
    """
    count = len(cycles)
    if count == 1:
        return [fmpq(1)]
    from scipy.optimize import linprog

    rows, right = [], []
    smaller = letters / (1 + _EASIER)
    for a, cycle in enumerate(cycles):
        closure = close_hull(
            smaller, 0 * letters, _rows(cycle.points), _EASIER / 10, vertex_limit=vertex_limit, deadline=deadline
        )
        if not isinstance(closure, Closure):
            return [fmpq(1)] * count
        for b, other in enumerate(cycles):
            duals = np.array([float_rows(row)[0] for row in other.duals])
            reach = float(np.abs(duals @ closure.vertices.T).max())
            if a != b and reach > _TIE:
                row = np.zeros(count + 1)
                row[[a, b, count]] = 1, -1, 1
                rows.append(row)
                right.append(-math.log(reach))
    if not rows:
        return [fmpq(1)] * count
    bounds = [(0, 0)] + [(None, None)] * (count - 1) + [(None, 1)]
    solution = linprog([0] * count + [-1], A_ub=np.array(rows), b_ub=right, bounds=bounds)
    if not solution.success or solution.x[count] <= 0:
        return [fmpq(1)] * count
    room = float(solution.x[count]) / 4
    ends = [(math.exp(x - room), math.exp(x + room)) for x in solution.x[:count]]
    return [simplest_between(*(fmpq(*end.as_integer_ratio()) for end in pair)) for pair in ends]


def _rows(points: Sequence[fmpq_mat]) -> Array:
    return np.array([float_rows(point.transpose())[0] for point in points])


def _repeat_exactly(letters: Sequence[fmpq_mat], seeds: Sequence[fmpq_mat], closure: Closure) -> ExactHull | None:
    """The hull with exact numbers; None when an image lies outside, be it ever so little."""
    points: list[fmpq_mat] = []
    for (parent, source), at in zip(closure.origins, closure.vertices, strict=True):
        if parent >= 0:
            points.append(letters[source] * points[parent])
        else:
            added = fmpq_mat([[fmpq(*float(x).as_integer_ratio())] for x in at])
            points.append(seeds[source] if source < len(seeds) else added)
    coefficients: list[list[list[tuple[int, fmpq]]]] = []
    for letter, simplices in zip(letters, closure.index.tolist(), strict=True):
        images = []
        for point, simplex in zip(points, simplices, strict=True):
            weights = solve(block_matrix([[points[j] for j in simplex]]), letter * point)[0]
            if weights is None or sum((abs(c) for c in weights.entries()), fmpq(0)) > 1:
                return None
            images.append([(j, c) for j, c in zip(simplex, weights.entries(), strict=True) if c != 0])
        coefficients.append(images)
    return ExactHull(points, widest_basis(closure.vertices), coefficients)

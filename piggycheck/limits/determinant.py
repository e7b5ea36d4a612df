"""Whether every matrix in the convex hull of finitely many is invertible: the sign of a determinant on a simplex.

``det(l_0 M_0 + ... + l_n M_n)`` is a polynomial in the weights l. Its Bernstein coefficients on a simplex enclose its
values there, and come ever closer to them when edges of the simplex are halved; they are computed in integers.
"""

from __future__ import annotations

import heapq
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError, UnknownError
from piggycheck.limits.bernstein import coefficients, exponents, halved, lines, varying_part
from piggycheck.limits.singular_weights import Weights, combination, hidden_root, nonpositive_weights, unit_weights
from piggycheck.linalg import Matrix, as_float, matrix
from piggycheck.switched import first_indices

__all__ = ["Invertible", "Singular", "Splits", "invertible_on_hull"]

_BUDGET = 1_000_000
_MOST_MINORS = 12
_DEEPEST = 200

Splits = tuple[Any, ...]
"""``()``, or ``(i, j, left, right)``: the edge between vertices i and j is halved."""


@dataclass(frozen=True)
class Invertible:
    """Every combination of the matrices with weights of sum 1 is invertible.

    Parameters
    ----------
    sign : int
        The sign of all determinants.
    tree : Splits
        How the simplex of the weights is split: ``()`` where all Bernstein coefficients have the sign, else
        ``(i, j, left, right)``, where the midpoint of vertices i and j replaces j on the left and i on the right.
    """

    sign: int
    tree: Splits


@dataclass(frozen=True)
class Singular:
    """Some combination of the matrices with weights of sum 1 is singular.

    Parameters
    ----------
    weights : tuple of fmpq
        Where the determinant is zero, or has one sign.
    other : tuple of fmpq or None
        Where it has the opposite sign, so that it is zero in between.
    """

    weights: Weights
    other: Weights | None = None


def invertible_on_hull(matrices: Sequence[Matrix], *, budget: int = _BUDGET) -> Invertible | Singular:
    """Decide whether every matrix in the convex hull of finitely many is invertible.

    Parameters
    ----------
    matrices : sequence of fmpq_mat, or of their rows
        Square, of one size: for implicit differentiation, the ``I - A_i``.
    budget : int
        How many Bernstein coefficients are computed at most.

    Returns
    -------
    Invertible or Singular

    Raises
    ------
    InputError
        When there is no matrix, or they are not square and of one size.
    UnknownError
        When neither was proved.

    Examples
    --------
    >>> invertible_on_hull([[[1, 0], [0, 1]], [[0, 1], [-1, 0]]])
    Invertible(sign=1, tree=(0, 1, (), ()))
    >>> invertible_on_hull([[[1, 0], [0, 4]], [[-1, 0], [0, -1]]])
    Singular(weights=(1/2, 1/2), other=None)

    Notes
    -----
    Vertices first, then edges, where the determinant is a polynomial of one variable, then descent in floating point
    whose result is verified, then subdivision. Docs: docs/theory/implicit-sets.md. When this fails: where the
    determinant is zero without changing its sign, and only at irrational weights, subdivision never ends; and there are
    ``binomial(n + p - 1, p)`` coefficients, for n matrices that differ in p rows or columns.
    """
    matrices = _square(matrices)
    signs = [_sign(M.det()) for M in matrices]
    vertices = [unit_weights(len(matrices), i) for i in range(len(matrices))]
    for weights, sign in zip(vertices, signs, strict=True):
        if sign == 0:
            return Singular(weights)
        if sign != signs[0]:
            return Singular(vertices[0], weights)
    varying = varying_part(matrices)
    assert varying is not None
    if varying[0].nrows() == 0:
        return Invertible(signs[0], ())
    _require_affordable(varying, budget)
    # The determinants of the varying part all have the same factor: their sign is that at a vertex.
    sign = _sign(varying[0].det())
    distinct = [varying[i] for i in sorted(set(first_indices(varying)))]
    if min(sign * value for value in coefficients(distinct)) > 0:
        return Invertible(signs[0], ())
    found = nonpositive_weights(varying, sign)
    tree: Splits = ()
    if found is None:
        found, tree = _Subdivision(varying, sign, budget).run()
    if found is None:
        return Invertible(signs[0], tree)
    is_zero = combination(varying, found).det() == 0
    return Singular(found) if is_zero else Singular(vertices[0], found)


def _square(matrices: Sequence[Matrix]) -> list[fmpq_mat]:
    if not matrices:
        raise InputError("`matrices` is empty; write at least one matrix")
    read = [matrix(M, f"matrices[{index}]") for index, M in enumerate(matrices)]
    size = read[0].nrows()
    for index, M in enumerate(read):
        if (M.nrows(), M.ncols()) != (size, size) or size == 0:
            raise InputError(
                f"`matrices[{index}]` is {M.nrows()} by {M.ncols()}; write square matrices of one size, at least 1 by 1"
            )
    return read


def _require_affordable(matrices: Sequence[fmpq_mat], budget: int) -> None:
    degree, count = matrices[0].nrows(), len(matrices)
    needed = math.comb(count + degree - 1, degree)
    if degree > _MOST_MINORS or needed > budget:
        raise UnknownError(
            f"the determinant has degree {degree} in {count} weights, and {needed} Bernstein coefficients are too many"
        )


def _sign(value: fmpq) -> int:
    return int(value > 0) - int(value < 0)


@dataclass(eq=False)
class _Simplex:
    """A part of the simplex of weights, with the Bernstein coefficients there, times a positive integer."""

    values: list[int]
    vertices: tuple[Weights, ...]
    depth: int = 0
    split: tuple[int, int, _Simplex, _Simplex] | None = field(default=None)

    def tree(self) -> Splits:
        if self.split is None:
            return ()
        i, j, left, right = self.split
        return (i, j, left.tree(), right.tree())


class _Subdivision:
    """Halve edges until all coefficients have the sign of the vertices, the worst simplex first."""

    def __init__(self, matrices: Sequence[fmpq_mat], sign: int, budget: int) -> None:
        self.matrices, self.budget = matrices, budget
        self.count, self.degree = len(matrices), matrices[0].nrows()
        self.alphas = exponents(self.count, self.degree)
        self.corners = [alpha.index(self.degree) if self.degree in alpha else None for alpha in self.alphas]
        values = [sign * value for value in coefficients(matrices)]
        self.root = _Simplex(values, tuple(unit_weights(self.count, i) for i in range(self.count)))

    def run(self) -> tuple[Weights | None, Splits]:
        """Weights at which the determinant does not have the sign; or none, and the tree of all splits."""
        waiting = [(self._worst(self.root), 0, self.root)]
        pushed = 0
        while waiting:
            worst, _, simplex = heapq.heappop(waiting)
            if worst > 0:
                return None, self.root.tree()
            outside = self._nonpositive_vertex(simplex)
            if outside is not None:
                return outside, ()
            self.budget -= 2 * len(self.alphas)
            if self.budget < 0 or simplex.depth >= _DEEPEST:
                raise UnknownError(self._reason(simplex, pushed // 2))
            for part in self._halves(simplex):
                pushed += 1
                heapq.heappush(waiting, (self._worst(part), pushed, part))
        return None, self.root.tree()

    def _worst(self, simplex: _Simplex) -> float:
        """The smallest coefficient, relative to the largest."""
        smallest = min(simplex.values)
        return 1.0 if smallest > 0 else smallest / max(simplex.values)

    def _nonpositive_vertex(self, simplex: _Simplex) -> Weights | None:
        for value, corner in zip(simplex.values, self.corners, strict=True):
            if corner is not None and value <= 0:
                return simplex.vertices[corner]
        return None

    def _halves(self, simplex: _Simplex) -> tuple[_Simplex, _Simplex]:
        i, j = self._edge(simplex.values)
        left, right = halved(simplex.values, self.degree, self._lines(i, j))
        middle = tuple((a + b) / 2 for a, b in zip(simplex.vertices[i], simplex.vertices[j], strict=True))
        depth = simplex.depth + 1
        parts = (
            _Simplex(left, _replaced(simplex.vertices, j, middle), depth),
            _Simplex(right, _replaced(simplex.vertices, i, middle), depth),
        )
        simplex.split = (i, j, *parts)
        return parts

    def _edge(self, values: Sequence[int]) -> tuple[int, int]:
        """The edge along which the polynomial bends most, near coefficients of the wrong sign."""

        def bend(edge: tuple[int, int]) -> tuple[int, int]:
            wrong, all_ = 0, 0
            for line in self._lines(*edge):
                for a, b, c in zip(line, line[1:], line[2:], strict=False):
                    second = abs(values[a] - 2 * values[b] + values[c])
                    all_ += second
                    if values[b] <= 0:
                        wrong += second
            return wrong, all_

        return max(combinations(range(self.count), 2), key=bend)

    def _lines(self, i: int, j: int) -> tuple[tuple[int, ...], ...]:
        return lines(self.count, self.degree, i, j)

    def _reason(self, simplex: _Simplex, splits: int) -> str:
        found = hidden_root(self.matrices)
        if found is not None:
            return (
                f"between matrices {found[0]} and {found[1]} the determinant is zero at irrational weights, without "
                "changing its sign, and certificates hold rational weights"
            )
        near = [sum(w, fmpq(0)) / self.count for w in zip(*simplex.vertices, strict=True)]
        shown = ", ".join(f"{as_float(w):.4g}" for w in near)
        return f"after {splits} splits of the simplex the sign of the determinant is open, as near the weights {shown}"


def _replaced(vertices: tuple[Weights, ...], index: int, vertex: Weights) -> tuple[Weights, ...]:
    return (*vertices[:index], vertex, *vertices[index + 1 :])

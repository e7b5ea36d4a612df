"""Whether a matrix belongs to the piggyback set: proved in by a word, or out by directions, or how far it is known.

X belongs to K when it is the image of a member under some pair. So the matrices that a word sends to X are followed
back, exactly: a branch ends when they leave the ball around K, and when they repeat, X is eventually periodic.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import islice, product

import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.limits.contraction import Contraction, as_contraction, inner_product, matrix_of_set
from piggycheck.limits.implicit import ImplicitIn, implicit_weights
from piggycheck.limits.points import Point, exact_pairs, exact_product, word_fixed_point
from piggycheck.limits.scaled import Array, floats
from piggycheck.limits.support import cells_below
from piggycheck.linalg import (
    Matrix,
    block_matrix,
    identity,
    nonnegative_solution,
    root_upper,
    simplest_between,
    solve,
    zeros,
)
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["Inside", "Outside", "Unsettled", "membership"]

_BUDGET = 4_000
_MOST_CELLS = 20_000
_CANDIDATES = 200
_LONGEST_WORD = 6
_FEWEST_BITS, _MOST_BITS = 2, 64
_NEAREST_ROUNDS = 2_000


@dataclass(frozen=True)
class Inside:
    """A proof that X belongs to the piggyback set, of the pairs or of their convex hull.

    Parameters
    ----------
    point : Point or None
        Without weights, X is its value.
    weights : tuple of fmpq, or None
        For the hull, one for each pair, not negative and of sum 1: ``X = A_l Y + B_l``, where Y is the value of the
        point, or X itself when there is none.
    """

    point: Point | None
    weights: tuple[fmpq, ...] | None = None


@dataclass(frozen=True)
class Outside:
    """A proof that X does not belong to the set.

    Parameters
    ----------
    cells : tuple of (Word, fmpq_mat)
        The words are a complete suffix code: every long word ends with exactly one of them. With each comes a
        direction C, for which ``<C, X>`` exceeds its maximum over the image of the ball under the word. For the hull,
        all directions are the same.
    """

    cells: tuple[tuple[Word, fmpq_mat], ...]


@dataclass(frozen=True)
class Unsettled:
    """How far the question was followed.

    Parameters
    ----------
    depth : int
        Length of the longest words that were looked at.
    cells : int
        How many of them may still end with X.
    distance : fmpq
        An upper bound on the distance of X to the set, in the Frobenius norm.
    """

    depth: int
    cells: int
    distance: fmpq


def membership(
    contraction: Contraction | SwitchedSystem, X: Matrix, *, hull: bool = False, budget: int = _BUDGET
) -> Inside | Outside | Unsettled:
    """Decide whether a matrix belongs to the piggyback set.

    Parameters
    ----------
    contraction : Contraction or SwitchedSystem
        A system is proved to contract first.
    X : fmpq_mat, or its rows
        As many rows and columns as the matrices B have.
    hull : bool
        Ask for the piggyback set of the convex hull of the pairs.
    budget : int
        How many steps back are made, or how many words are looked at, at most.

    Returns
    -------
    Inside, Outside or Unsettled

    Raises
    ------
    InputError
        When the shape of X does not fit.
    NoLimitSetError, UnknownError
        When a system does not contract, or was not proved to.

    Examples
    --------
    >>> from piggycheck.limits import contracting
    >>> cantor = contracting(SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]]))
    >>> membership(cantor, [["1/4"]]).point
    Point(word=(1, 0), then=(), matrix=[1/4])
    >>> membership(cantor, [["1/2"]]).cells
    (((0,), [1]), ((1,), [-1]))

    Notes
    -----
    Docs: docs/theory/limit-sets.md. When this fails: points of the set that are not eventually periodic can neither be
    proved in nor out, and points very close to it need many words; for the hull, points between the piggyback set and
    its convex hull that no single combination of pairs fixes or reaches from a known point.
    """
    contraction = as_contraction(contraction)
    X = matrix_of_set(X, contraction.system, "X")
    return _hull_membership(contraction, X, budget) if hull else _Preimages(contraction, X, budget).answer()


_Key = tuple[fmpq, ...]
_Step = tuple[int, "_Key | None"]


@dataclass
class _Preimages:
    """The affine sets ``{Y : f_u(Y) = X}``, as reduced equations ``M Y = N``; each is followed back once.

    They are nodes of a graph: an edge for each letter that leads to a set which meets the ball, None for one that does
    not. A cycle is a word that maps a set into itself, so that its fixed point belongs to it. Without one, the graph
    unfolds into a tree of words for which X is out of reach.
    """

    contraction: Contraction
    X: fmpq_mat
    budget: int
    steps: dict[_Key, list[_Step]] = field(default_factory=dict)
    words: dict[_Key, Word] = field(default_factory=dict)

    def answer(self) -> Inside | Outside | Unsettled:
        for letter, (A, B) in enumerate(self.pairs):
            if A * self.X + B == self.X:
                return Inside(Point((letter,), (), self.X))
        start = self._reduced(block_matrix([[identity(self.X.nrows()), self.X]]))
        if start is None:
            return Outside(tuple(self._separated((letter,)) for letter in range(len(self.pairs))))
        key, equations = start
        self.words[key] = ()
        level = [(key, equations)]
        while level:
            following: list[tuple[_Key, fmpq_mat]] = []
            for position, (parent, equations) in enumerate(level):
                if len(self.steps) >= self.budget:
                    return self._unsettled([name for name, _ in level[position:] + following])
                self._expand(parent, equations, following)
                inside = self._cycle_through(parent)
                if inside is not None:
                    return inside
            level = following
        cells = self._unfold(key)
        if cells is None:
            return self._unsettled([key])
        return Outside(tuple(self._separated(word) for word in sorted(cells)))

    @cached_property
    def pairs(self) -> tuple[tuple[fmpq_mat, fmpq_mat], ...]:
        return exact_pairs(self.contraction.system)

    def _expand(self, parent: _Key, equations: fmpq_mat, following: list[tuple[_Key, fmpq_mat]]) -> None:
        M, N = self._parts(equations)
        self.steps[parent] = steps = []
        for letter, (A, B) in enumerate(self.pairs):
            child = self._reduced(block_matrix([[M * A, N - M * B]]))
            steps.append((letter, None if child is None else child[0]))
            if child is not None and child[0] not in self.words:
                self.words[child[0]] = (letter, *self.words[parent])
                following.append(child)

    def _parts(self, equations: fmpq_mat) -> tuple[fmpq_mat, fmpq_mat]:
        rows, p, m = equations.nrows(), self.X.nrows(), self.X.ncols()
        values = [[equations[i, j] for j in range(p + m)] for i in range(rows)]
        M = fmpq_mat(rows, p, [value for row in values for value in row[:p]])
        return M, fmpq_mat(rows, m, [value for row in values for value in row[p:]])

    def _reduced(self, equations: fmpq_mat) -> tuple[_Key, fmpq_mat] | None:
        """Equations in their only reduced form; None when no solution lies in the ball."""
        p, width = self.X.nrows(), equations.ncols()
        reduced, rank = equations.rref()
        rows = [[reduced[i, j] for j in range(width)] for i in range(rank)]
        if any(all(value == 0 for value in row[:p]) for row in rows):
            return None
        flat = [value for row in rows for value in row]
        short = fmpq_mat(rank, width, flat)
        M, N = self._parts(short)
        missing = N - M * self.contraction.centre
        multipliers = (M * self.contraction.inverse * M.transpose()).solve(missing) if rank else missing
        if inner_product(multipliers, missing) > self.contraction.radius**2:
            return None
        return tuple(flat), short

    def _cycle_through(self, last: _Key) -> Inside | None:
        """An eventually periodic word that ends with X, when the new edges of a node close a cycle."""
        for letter, child in self.steps[last]:
            path = self._path(child, last) if child is not None else None
            if path is not None:
                word = (*path, letter)
                matrix = word_fixed_point(self.contraction.system, word)
                if matrix is not None:
                    return Inside(_shortened(self.contraction.system, Point(word, self.words[last], matrix)))
        return None

    def _path(self, start: _Key | None, end: _Key) -> Word | None:
        """The letters from `end` to `start` in time order, along a shortest path of edges from `start` to `end`."""
        found: dict[_Key, Word] = {start: ()} if start is not None else {}
        queue = list(found)
        for node in queue:
            if node == end:
                return found[node]
            for letter, child in self.steps.get(node, ()):
                if child is not None and child not in found:
                    found[child] = (letter, *found[node])
                    queue.append(child)
        return None

    def _unfold(self, start: _Key) -> list[Word] | None:
        """The words at which the tree ends; None when they are too many."""
        leaves: list[Word] = []
        stack: list[tuple[_Key, Word]] = [(start, ())]
        while stack:
            node, word = stack.pop()
            for letter, child in self.steps[node]:
                if child is None:
                    leaves.append((letter, *word))
                else:
                    stack.append((child, (letter, *word)))
            if len(leaves) + len(stack) > _MOST_CELLS:
                return None
        return leaves

    def _separated(self, word: Word) -> tuple[Word, fmpq_mat]:
        return word, _separating_direction(self.contraction, word, self.X)

    def _unsettled(self, open_nodes: Sequence[_Key]) -> Unsettled:
        words = [self.words[node] for node in open_nodes]
        depth = max(map(len, words))
        return Unsettled(depth, len(words), _distance(self.contraction.system, self.X, words))


def _shortened(system: SwitchedSystem, point: Point) -> Point:
    """The same point with as few letters after the word as possible: the word begins later instead."""
    word, then, matrix = point.word, point.then, point.matrix
    while then and then[0] == word[0]:
        matrix = Point(word, word[:1], matrix).value(system)
        word, then = word[1:] + word[:1], then[1:]
    return Point(word, then, matrix)


def _separating_direction(contraction: Contraction, word: Word, X: fmpq_mat) -> fmpq_mat:
    """A direction with small entries in which X is beyond the image of the ball under a word."""
    A, B = exact_product(contraction.system, word)
    gram = A * contraction.inverse * A.transpose()
    missing = X - B - A * contraction.centre
    exact, kernel = solve(gram, missing)
    if exact is None:
        exact = sum(((v * (v.transpose() * missing)) for v in kernel), zeros(X.nrows(), X.ncols()))
    size = max(abs(entry) for entry in exact.entries())
    for bits in range(_FEWEST_BITS, _MOST_BITS, 2):
        slack = fmpq(1, 2**bits)
        simple = [simplest_between(entry / size - slack, entry / size + slack) for entry in exact.entries()]
        C = fmpq_mat(X.nrows(), X.ncols(), simple)
        if _separates(contraction, C, A, missing):
            return C
    return exact


def _separates(contraction: Contraction, C: fmpq_mat, A: fmpq_mat, missing: fmpq_mat) -> bool:
    value = inner_product(C, missing)
    return bool(value > 0 and value**2 > contraction.radius**2 * contraction.reach_squared(A.transpose() * C))


def _distance(system: SwitchedSystem, X: fmpq_mat, words: Sequence[Word]) -> fmpq:
    """The distance to the nearest of some points of the set that end with these words, bounded from above."""
    fixed = next(X_i for letter in range(len(system)) if (X_i := word_fixed_point(system, (letter,))) is not None)
    squares = []
    for word in words[:_CANDIDATES]:
        A, B = exact_product(system, word)
        missing = A * fixed + B - X
        squares.append(inner_product(missing, missing))
    return root_upper(min(squares), 2)


def _hull_membership(contraction: Contraction, X: fmpq_mat, budget: int) -> Inside | Outside | Unsettled:
    implicit = implicit_weights(contraction.system, X)
    if isinstance(implicit, ImplicitIn):
        return Inside(None, implicit.weights)
    alone = _Preimages(contraction, X, budget // 4).answer()
    if isinstance(alone, Inside):
        return alone
    outside = _outside_hull(contraction, X, implicit.direction, budget)
    if outside is not None:
        return outside
    for point in islice(_short_points(contraction.system), _CANDIDATES):
        weights = _image_weights(contraction.system, point.value(contraction.system), X)
        if weights is not None:
            return Inside(point, weights)
    distance = _distance(contraction.system, X, [()])
    if isinstance(alone, Unsettled):
        return Unsettled(alone.depth, alone.cells, min(distance, alone.distance))
    return Unsettled(max(len(word) for word, _ in alone.cells), 0, distance)


def _outside_hull(contraction: Contraction, X: fmpq_mat, direction: fmpq_mat, budget: int) -> Outside | None:
    """A proof that X is outside the convex hull of the set, by one direction."""
    for C in [*_away_from_hull(contraction, X), direction, -direction]:
        words = cells_below(contraction, C, inner_product(C, X), budget=budget)
        if words is not None:
            return Outside(tuple((word, C) for word in words))
    return None


@np.errstate(all="ignore")
def _away_from_hull(contraction: Contraction, X: fmpq_mat) -> Iterator[fmpq_mat]:
    """Guess directions from the convex hull to X: from the nearest combination of points of the set."""
    points = [point.value(contraction.system) for point in islice(_short_points(contraction.system), _CANDIDATES)]
    differences = floats([X - Y for Y in points]).reshape(len(points), X.nrows() * X.ncols())
    unit = float(np.abs(differences).max(initial=0))
    if not np.isfinite(unit) or unit == 0:
        return
    nearest = _nearest_to_zero(differences / unit)
    size = float(np.abs(nearest).max(initial=0))
    if size < 1e-9:
        return
    for bits in (4, 10, 30):
        slack = fmpq(1, 2**bits)
        exact = [fmpq(*float(entry).as_integer_ratio()) for entry in nearest / size]
        yield fmpq_mat(X.nrows(), X.ncols(), [simplest_between(entry - slack, entry + slack) for entry in exact])


def _nearest_to_zero(points: Array) -> Array:
    """Gilbert's iteration for the point of a convex hull that is nearest to zero."""
    nearest: Array = points[int((points * points).sum(axis=1).argmin())]
    for _ in range(_NEAREST_ROUNDS):
        vertex = points[int((points @ nearest).argmin())]
        step = nearest - vertex
        length = float(step @ step)
        if length == 0 or float(nearest @ step) <= 1e-12 * float(nearest @ nearest):
            break
        nearest = nearest - min(1.0, float(nearest @ step) / length) * step
    return nearest


def _short_points(system: SwitchedSystem) -> Iterator[Point]:
    """Points of the set, by the length of their words."""
    for length in range(1, _LONGEST_WORD + 1):
        for word in product(range(len(system)), repeat=length):
            X = word_fixed_point(system, word)
            if X is not None:
                yield Point(word, (), X)


def _image_weights(system: SwitchedSystem, Y: fmpq_mat, X: fmpq_mat) -> tuple[fmpq, ...] | None:
    """Weights l with ``X = A_l Y + B_l``."""
    columns = [fmpq_mat(len(X.entries()) + 1, 1, [*(A * Y + B).entries(), 1]) for A, B in exact_pairs(system)]
    weights = nonnegative_solution(block_matrix([columns]), [*X.entries(), 1])
    return None if weights is None else tuple(weights)

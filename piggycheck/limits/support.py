"""How far the piggyback set reaches in a direction: bounds from both sides, by branch and bound over words.

The set is the union of its images ``f_u(K)`` over the words u of a complete suffix code, and each of them lies in the
image of the ball around K. Floats choose which words are made longer; the bounds are proved in rational arithmetic.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError, UnknownError
from piggycheck.limits.contraction import Contraction, as_contraction, inner_product, matrix_of_set
from piggycheck.limits.points import Point, exact_pairs, word_fixed_point
from piggycheck.limits.scaled import Array, ScaledSystem, binary_exponent, floats
from piggycheck.linalg import Matrix, Number, as_float, rational, root_upper, simplest_between
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["Bound", "Box", "cells_below", "outer_box", "outer_polytope", "support"]

_BUDGET = 20_000
_TOLERANCE = fmpq(1, 1000)
_BATCH = 64
_LONGEST_PERIOD = 8
_LONGEST_PREPERIOD = 12
_FLOATS_RESOLVE = 1e-11
_SHORT_WORDS = 60
_LONGEST_ALONE = 2000


@dataclass(frozen=True)
class Bound:
    """A bound on the piggyback set in one direction, and a point of the set that nearly attains it.

    Parameters
    ----------
    direction : fmpq_mat
        C, p by m.
    upper : fmpq
        ``<C, X> <= upper`` for every X of the set.
    words : tuple of Word
        A complete suffix code: every long word ends with exactly one of them. On the image of the ball under each,
        ``<C, X> <= upper``.
    lower : fmpq
        ``<C, X> = lower`` for `point`.
    point : Point
        A point of the set.
    """

    direction: fmpq_mat
    upper: fmpq
    words: tuple[Word, ...]
    lower: fmpq
    point: Point


@dataclass(frozen=True)
class Box:
    """Bounds on each entry of the piggyback set.

    Parameters
    ----------
    lower, upper : fmpq_mat
        Every X of the set is between them, entry by entry.
    bounds : tuple of Bound
        Upper bounds in the directions of plus and minus each unit matrix, row by row, plus first.
    """

    lower: fmpq_mat
    upper: fmpq_mat
    bounds: tuple[Bound, ...]


def support(
    contraction: Contraction | SwitchedSystem, C: Matrix, *, tolerance: Number = _TOLERANCE, budget: int = _BUDGET
) -> Bound:
    """Bound ``<C, X>`` over the piggyback set.

    Parameters
    ----------
    contraction : Contraction or SwitchedSystem
        A system is proved to contract first.
    C : fmpq_mat, or its rows
        The direction, p by m; ``<C, X>`` is the sum of the products of entries.
    tolerance : exact number or text
        How much the bounds from both sides may differ; positive.
    budget : int
        How many words are looked at, at most.

    Returns
    -------
    Bound

    Raises
    ------
    InputError
        When the direction has another shape than the matrices B, or the tolerance is not positive.
    NoLimitSetError
        When a system does not contract.
    UnknownError
        When the budget ends before; the message says which bounds were reached.

    Examples
    --------
    >>> from piggycheck.limits import contracting
    >>> from piggycheck.switched import SwitchedSystem
    >>> relu = SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [[1]]])
    >>> bound = support(contracting(relu), [[1]])
    >>> bound.lower, bound.upper, bound.words, bound.point.word
    (4/3, 4/3, ((0,), (1,)), (0, 1))

    Notes
    -----
    A word u contributes ``<C, A_u c + B_u> + r sqrt(<A_u^T C, P^{-1} A_u^T C>)`` for the ball of centre c and radius r.
    Docs: docs/theory/limit-sets.md. When this fails: many words are needed where the set is flat in the direction, and
    slowly contracting.
    """
    gap = rational(tolerance, "`tolerance`")
    if gap <= 0:
        raise InputError(f"`tolerance` is {gap}; write a positive number")
    contraction = as_contraction(contraction)
    C = matrix_of_set(C, contraction.system, "C")
    search = _Search(contraction, C, budget)
    leaves = search.words(gap, None)
    cells = _ExactCells(contraction, C, leaves)
    best = search.point()
    lower = _value(contraction, C, best)
    while True:
        high = max(cell.upper for cell in cells.cells.values())
        if high <= lower + gap:
            break
        if len(cells.cells) > budget:
            raise UnknownError(
                f"the largest `<C, X>` over the piggyback set is between {_decimal(lower)} and {_decimal(high)}, and "
                f"{len(cells.cells)} words did not tell more; allow a larger `tolerance` or `budget`"
            )
        longest = cells.split_above(lower + gap)
        for point in _candidates(contraction, longest):
            value = _value(contraction, C, point)
            if value > lower:
                best, lower = point, value
    upper = lower if cells.all_below(lower) else simplest_between(high, lower + gap)
    cells.merge_below(upper)
    return Bound(C, upper, tuple(sorted(cells.cells)), lower, best)


def outer_polytope(
    contraction: Contraction | SwitchedSystem,
    directions: Sequence[Matrix],
    *,
    tolerance: Number = _TOLERANCE,
    budget: int = _BUDGET,
) -> tuple[Bound, ...]:
    """Bound the piggyback set in several directions: it lies in the polytope of the half-spaces ``<C, X> <= upper``.

    Parameters
    ----------
    contraction : Contraction or SwitchedSystem
    directions : sequence of fmpq_mat, or of their rows
        Each p by m.
    tolerance, budget
        As for `support`, for each direction.

    Returns
    -------
    tuple of Bound
        In the order of the directions. The points of the bounds show that no half-space can be moved inwards by more
        than the tolerance.

    Raises
    ------
    InputError
        When there is no direction; else as `support`.
    NoLimitSetError, UnknownError
        As `support`.

    Examples
    --------
    >>> from piggycheck.limits import contracting
    >>> from piggycheck.switched import SwitchedSystem
    >>> cantor = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
    >>> [bound.upper for bound in outer_polytope(contracting(cantor), [[[1]], [[-1]]])]
    [1, 0]

    Notes
    -----
    When this fails: see `support`.
    """
    if not directions:
        raise InputError("`directions` is empty; write at least one direction")
    contraction = as_contraction(contraction)
    read = [matrix_of_set(C, contraction.system, f"directions[{index}]") for index, C in enumerate(directions)]
    return tuple(support(contraction, C, tolerance=tolerance, budget=budget) for C in read)


def outer_box(
    contraction: Contraction | SwitchedSystem, *, tolerance: Number = _TOLERANCE, budget: int = _BUDGET
) -> Box:
    """Bound every entry of the piggyback set.

    Parameters
    ----------
    contraction : Contraction or SwitchedSystem
    tolerance, budget
        As for `support`, for each end.

    Returns
    -------
    Box

    Raises
    ------
    InputError, NoLimitSetError, UnknownError
        As `support`.

    Examples
    --------
    >>> from piggycheck.limits import contracting
    >>> from piggycheck.switched import SwitchedSystem
    >>> digits = SwitchedSystem.from_rows([[["1/2"]], [["1/2"]]], [[[0]], [["1/2"]]])
    >>> box = outer_box(contracting(digits))
    >>> box.lower, box.upper
    ([0], [1])

    Notes
    -----
    When this fails: see `support`.
    """
    contraction = as_contraction(contraction)
    p, m = contraction.system.dimension, contraction.system.columns
    directions: list[Matrix] = []
    for place in range(p * m):
        for sign in (1, -1):
            directions.append(fmpq_mat(p, m, [sign * int(place == j) for j in range(p * m)]))
    bounds = outer_polytope(contraction, directions, tolerance=tolerance, budget=budget)
    lower = fmpq_mat(p, m, [-bound.upper for bound in bounds[1::2]])
    return Box(lower, fmpq_mat(p, m, [bound.upper for bound in bounds[0::2]]), bounds)


def cells_below(
    contraction: Contraction, C: fmpq_mat, level: fmpq, *, budget: int = _BUDGET
) -> tuple[Word, ...] | None:
    """Find a complete suffix code on whose images of the ball ``<C, X>`` is strictly below a level.

    Parameters
    ----------
    contraction : Contraction
    C : fmpq_mat
        The direction.
    level : fmpq
    budget : int
        How many words are looked at, at most.

    Returns
    -------
    tuple of Word, or None
        None when a point of the set is not below the level, or the budget ended.

    Raises
    ------
    InputError
        When the direction has another shape than the matrices B.

    Examples
    --------
    >>> from piggycheck.limits import contracting
    >>> from piggycheck.switched import SwitchedSystem
    >>> cantor = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
    >>> cells_below(contracting(cantor), fmpq_mat([[1]]), fmpq(11, 10))
    ((0,), (1,))
    >>> cells_below(contracting(cantor), fmpq_mat([[1]]), fmpq(1)) is None
    True

    Notes
    -----
    When this fails: a level at the maximum itself is never proved.
    """
    contraction = as_contraction(contraction)
    C = matrix_of_set(C, contraction.system, "C")
    search = _Search(contraction, C, budget)
    cells = _ExactCells(contraction, C, search.words(fmpq(0), level - inner_product(C, contraction.centre)))
    while not cells.all_below(level, strictly=True):
        if len(cells.cells) > budget:
            return None
        split = cells.split_above(level, inclusive=True)
        if any(_value(contraction, C, point) >= level for point in _candidates(contraction, split)):
            return None
    cells.merge_below(level, strictly=True)
    return tuple(sorted(cells.cells))


@dataclass
class _Search:
    """Branch and bound in floating point: which words should be made longer, and where the maximum may be."""

    contraction: Contraction
    C: fmpq_mat
    budget: int
    best: list[Word] = field(default_factory=lambda: [(0,)])

    @np.errstate(all="ignore")
    def words(self, exact_gap: fmpq, exact_level: fmpq | None) -> list[Word]:
        """A complete suffix code whose bounds exceed the largest value found by at most a gap, or are below a level.

        Values are relative to that of the centre.
        """
        scaled = ScaledSystem(self.contraction)
        A, B = scaled.A, scaled.B
        transposed, k = np.swapaxes(A, 1, 2), len(A)
        direction = scaled.scale * self.C
        exponents = [binary_exponent(entry) for entry in direction.entries() if entry != 0]
        unit = fmpq(2) ** max(exponents, default=0)
        start = floats([direction / unit])[0]
        words: list[Word] = [(letter,) for letter in range(k)]
        D, values = transposed @ start, (B * start).sum(axis=(1, 2))
        points = _float_points(A, B)
        gap = max(as_float(exact_gap / unit), _FLOATS_RESOLVE) * (1 - 1e-6)
        level = None if exact_level is None else as_float(exact_level / unit)
        lower = -np.inf
        done: list[Word] = []
        while True:
            upper = values + np.sqrt(np.maximum((D * (scaled.inverse @ D)).sum(axis=(1, 2)), 0))
            if not (np.isfinite(upper).all() and np.isfinite(points).all()):
                return done + words
            reached = values + np.einsum("nij,qij->nq", D, points).max(axis=1, initial=-np.inf)
            top = int(reached.argmax()) if len(words) else -1
            if top >= 0 and reached[top] > lower:
                lower, self.best = float(reached[top]), [words[top]]
            target = lower + gap if level is None else level - _FLOATS_RESOLVE * (1 + abs(level))
            hopeless = level is not None and lower > level + _FLOATS_RESOLVE * (1 + abs(level))
            alone = k == 1 and len(words[0]) > _LONGEST_ALONE
            if hopeless or alone or len(done) + len(words) > self.budget:
                return done + words
            above = upper > target
            done += [word for word, keep in zip(words, above, strict=True) if not keep]
            kept = np.flatnonzero(above)
            if not len(kept):
                return done
            order = kept[np.argsort(-upper[kept], kind="stable")]
            batch = min(_BATCH, 1 + len(order) // 4)
            chosen, waiting = order[:batch], order[batch:]
            grown = (transposed[None] @ D[chosen][:, None]).reshape(len(chosen) * k, *D.shape[1:])
            raised = (values[chosen][:, None] + np.einsum("nij,kij->nk", D[chosen], B)).ravel()
            words = [words[i] for i in waiting] + [(letter, *words[i]) for i in chosen for letter in range(k)]
            D, values = np.concatenate([D[waiting], grown]), np.concatenate([values[waiting], raised])

    def point(self) -> Point:
        """The point with the largest value among those near the best word."""
        points = list(_candidates(self.contraction, self.best))
        values = [_value(self.contraction, self.C, point) for point in points]
        largest = max(values)
        return min(
            (point for point, value in zip(points, values, strict=True) if value == largest),
            key=lambda point: (len(point.word) + len(point.then), len(point.word), point.word, point.then),
        )


class _Cell:
    """What one word contributes: ``<C, X> = value + <D, X'>`` for the image X of X', exactly."""

    def __init__(self, contraction: Contraction, D: fmpq_mat, offset: fmpq) -> None:
        self.D, self.offset = D, offset
        self.value = offset + inner_product(D, contraction.centre)
        self.square = contraction.radius * contraction.radius * contraction.reach_squared(D)
        self.upper = self.value + root_upper(self.square, 2)

    def is_below(self, level: fmpq, strictly: bool) -> bool:
        room = level - self.value
        return (
            bool(room > 0 and room * room > self.square) if strictly else bool(room >= 0 <= room * room - self.square)
        )


class _ExactCells:
    """The cells of a complete suffix code with their exact bounds, which can be split further."""

    def __init__(self, contraction: Contraction, C: fmpq_mat, words: Sequence[Word]) -> None:
        self.contraction = contraction
        self.pairs = [(A.transpose(), B) for A, B in exact_pairs(contraction.system)]
        self.known: dict[Word, tuple[fmpq_mat, fmpq]] = {(): (C, fmpq(0))}
        self.cells = {word: _Cell(contraction, *self._affine(word)) for word in words}

    def _affine(self, word: Word) -> tuple[fmpq_mat, fmpq]:
        for start in range(len(word) - 1, -1, -1):
            suffix = word[start:]
            if suffix not in self.known:
                self.known[suffix] = self._longer(*self.known[suffix[1:]], suffix[0])
        return self.known[word]

    def _longer(self, D: fmpq_mat, offset: fmpq, letter: int) -> tuple[fmpq_mat, fmpq]:
        transposed, B = self.pairs[letter]
        return transposed * D, offset + inner_product(D, B)

    def split_above(self, level: fmpq, *, inclusive: bool = False) -> list[Word]:
        """Split the cells that reach above a level; return them, the largest bound first."""
        above = [word for word, cell in self.cells.items() if not cell.is_below(level, strictly=inclusive)]
        above.sort(key=lambda word: self.cells[word].upper, reverse=True)
        for word in above:
            cell = self.cells.pop(word)
            for letter in range(len(self.pairs)):
                child = self._longer(cell.D, cell.offset, letter)
                self.cells[(letter, *word)] = _Cell(self.contraction, *child)
        return above[:1]

    def merge_below(self, level: fmpq, *, strictly: bool = False) -> None:
        """Put cells together again where the shorter word does as well."""
        k = len(self.pairs)
        for length in range(max(map(len, self.cells)) - 1, 0, -1):
            parents = Counter(word[1:] for word in self.cells if len(word) == length + 1)
            for parent in (word for word, count in parents.items() if count == k):
                cell = _Cell(self.contraction, *self._affine(parent))
                if cell.is_below(level, strictly):
                    for letter in range(k):
                        del self.cells[(letter, *parent)]
                    self.cells[parent] = cell

    def all_below(self, level: fmpq, *, strictly: bool = False) -> bool:
        return all(cell.is_below(level, strictly) for cell in self.cells.values())


def _candidates(contraction: Contraction, words: Sequence[Word]) -> Iterator[Point]:
    """Points of the set whose last letters are those of a word, periodic before them."""
    seen = set()
    for word in words:
        for period in range(1, min(_LONGEST_PERIOD, len(word)) + 1):
            for preperiod in range(min(len(word) - period, _LONGEST_PREPERIOD) + 1):
                end = len(word) - preperiod
                repeated, then = word[end - period : end], word[end:]
                if then[-period:] == repeated or (repeated, then) in seen:
                    continue
                seen.add((repeated, then))
                X = word_fixed_point(contraction.system, repeated)
                if X is not None:
                    yield Point(repeated, then, X)


def _float_points(A: Array, B: Array) -> Array:
    """The fixed points of short words."""
    eye = np.eye(A.shape[1])
    found: list[Array] = []
    A_w, B_w = eye[None], np.zeros((1, *B.shape[1:]))
    while len(found) + len(A_w) * len(A) <= max(_SHORT_WORDS, len(A)):
        B_w = (A[None] @ B_w[:, None] + B[None]).reshape(len(A_w) * len(A), *B.shape[1:])
        A_w = (A[None] @ A_w[:, None]).reshape(-1, *A.shape[1:])
        for A_i, B_i in zip(A_w, B_w, strict=True):
            with suppress(np.linalg.LinAlgError):
                found.append(np.linalg.solve(eye - A_i, B_i))
        if len(A) == 1:
            break
    return np.array(found).reshape(len(found), *B.shape[1:])


def _value(contraction: Contraction, C: fmpq_mat, point: Point) -> fmpq:
    return inner_product(C, point.value(contraction.system))


def _decimal(value: fmpq) -> str:
    return f"{as_float(value):.6g}"

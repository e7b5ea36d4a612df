"""All cycles of one period of a piecewise affine map: every word over its pieces is excluded, or solved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import NamedTuple

from .conditions import Condition, Signs, impossible
from .effort import spend
from .intervals import Interval
from .jets import Jet
from .pieces import Gap, Patterns
from .reading import Refused
from .subject import Map

MOST_PIECES = 64

Point = tuple[Fraction, ...]
Row = list[Fraction]  # an affine function, the constant last


class Piece(NamedTuple):
    """An affine map where affine functions have certain signs."""

    images: list[Row]
    conditions: list[tuple[Row, Signs]]


def all_cycles(map_: Map, period: int) -> Iterator[list[Point]]:
    """Yield every cycle, perhaps more than once; refused when that cannot be done.

    Each cycle has a first point whose piece has the smallest index, so that only words are tried in which no index is
    smaller than the first. Where the system of a word has one solution, the map itself is followed from it.
    """
    pieces = affine_pieces(map_)
    n = len(map_.state)
    unit = [[Fraction(int(i == j)) for j in range(n + 1)] for i in range(n)]

    def extended(word: list[int], iterates: list[list[Row]], conditions: list[Condition]) -> Iterator[list[Point]]:
        if len(word) == period:
            yield from closed(map_, iterates, conditions)
            return
        for i in range(word[0] if word else 0, len(pieces)):
            known = [*conditions, *((jet(after(row, iterates[-1])), signs) for row, signs in pieces[i].conditions)]
            if not impossible(known):
                yield from extended(
                    [*word, i], [*iterates, [after(row, iterates[-1]) for row in pieces[i].images]], known
                )

    return extended([], [unit], [])


def affine_pieces(map_: Map) -> list[Piece]:
    """The pieces where the map has a value."""
    origin = {**dict.fromkeys(map_.state, Fraction(0)), **map_.at}
    found = []
    for pattern in Patterns(everywhere=True).run(map_.program, map_.next, map_.jets(origin, map_.state)):
        if pattern.outputs is None:
            continue
        jets = [*pattern.outputs, *(guard for guard, _ in pattern.conditions)]
        if not all(jet.affine and jet.rational for jet in jets):
            raise Refused("a piece or a guard is not affine with rational coefficients")
        rows = [[c.lo for c in (*one.slopes(len(map_.state)), one.value)] for one in jets]
        conditions = zip(rows[len(map_.state) :], (signs for _, signs in pattern.conditions), strict=True)
        found.append(Piece(rows[: len(map_.state)], list(conditions)))
        if len(found) > MOST_PIECES:
            raise Refused(f"more than {MOST_PIECES} pieces")
    return found


def after(row: Row, images: Sequence[Row]) -> Row:
    """An affine function of the images, as one of the variables."""
    spend(len(row) * len(row), max(c.denominator.bit_length() for image in images for c in image))
    total = [sum((a * image[j] for a, image in zip(row, images, strict=False)), Fraction(0)) for j in range(len(row))]
    total[-1] += row[-1]
    return total


def jet(row: Row) -> Jet:
    """An affine function as a polynomial."""
    return Jet({(): Interval(row[-1]), **{(i,): Interval(c) for i, c in enumerate(row[:-1])}})


def closed(map_: Map, iterates: Sequence[list[Row]], conditions: Sequence[Condition]) -> Iterator[list[Point]]:
    """The cycles among the points that return along a word."""
    period = len(iterates) - 1
    equations = displacements(iterates, period)
    returning = [*conditions, *((jet(row), (0,)) for row in equations)]
    if impossible(returning):
        return
    x = solution(equations)
    if x is None:
        if not any(period % d == 0 and always_zero(displacements(iterates, d), returning) for d in range(1, period)):
            raise Refused("a word has a continuum of solutions")
        return
    points = [x]
    for _ in range(period):
        try:
            values = map_.value(map_.next, {**dict(zip(map_.state, points[-1], strict=True)), **map_.at})
        except Gap:
            return
        points.append(tuple(v.lo for v in values))
    if points[-1] == x and x not in points[1:-1]:
        yield points[:-1]


def displacements(iterates: Sequence[list[Row]], k: int) -> list[Row]:
    """How far the iterate k is from the first."""
    return [[a - b for a, b in zip(*rows, strict=True)] for rows in zip(iterates[k], iterates[0], strict=True)]


def always_zero(rows: Sequence[Row], conditions: Sequence[Condition]) -> bool:
    """Whether affine functions vanish wherever the conditions hold."""
    return all(impossible([*conditions, (jet(row), (sign,))]) for row in rows for sign in (1, -1))


def solution(equations: Sequence[Row]) -> Point | None:
    """The only point where affine functions vanish; None when there are more, or none."""
    rows = [list(row) for row in equations]
    n = len(rows)
    for k in range(n):
        i = next((i for i in range(k, n) if rows[i][k]), None)
        if i is None:
            return None
        rows[k], rows[i] = rows[i], rows[k]
        rows[k] = [c / rows[k][k] for c in rows[k]]
        spend(n * n, max(c.denominator.bit_length() for c in rows[k]))
        for j, row in enumerate(rows):
            if j != k and row[k]:
                rows[j] = [a - row[k] * b for a, b in zip(row, rows[k], strict=True)]
    return tuple(-row[-1] for row in rows)

"""Funnels: polyhedra that shrink by a factor in each step and hold the iterates of a whole box of parameters.

In the variables x, theta and s, where s = rate^k at step k, a funnel is a polyhedron ``{rows >= 0}`` that contains the
start of every parameter in the box, with s = 1, that every piece of the map, together with ``s <- rate s``, maps into
itself, and on which ``|x - xbar|_inf <= constant s``. Then all these iterates converge to xbar, uniformly.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import RATIONAL, rational, to_sympy
from piggycheck.errors import UnknownError
from piggycheck.feasibility import nonnegative_solution
from piggycheck.iteration import Iteration
from piggycheck.linalg import primitive
from piggycheck.roots import simplest_between
from piggycheck.trajectories.pieces import Row, affine_pieces, follows, substituted

__all__ = ["Box", "Escape", "Funnel", "find_funnel"]

Box = Mapping[sp.Symbol, tuple[fmpq, fmpq]]
"""The ends of the interval of each parameter."""

_STEPS = 24
_MOST_DIGITS = 4000
_INSIDE = (fmpq(1, 3), fmpq(3, 7), fmpq(5, 8), fmpq(10, 11))
_MOST_STARTS = 64
_MOST_ROWS = 40
_DEPTH = 2
_RATES = (fmpq(1, 2), fmpq(3, 4), fmpq(9, 10), fmpq(97, 100), fmpq(999, 1000))
_HALVINGS = 5


@dataclass(frozen=True)
class Funnel:
    """A polyhedron that holds all iterates and shrinks to the fixed point.

    Attributes
    ----------
    variables : tuple of sympy.Symbol
        The state, the parameters of the box, and s.
    rows : tuple of Row
        Affine functions of these that are nonnegative on the funnel, beside the box and ``0 <= s <= 1``.
    rate : fmpq
        The factor of s in each step, below 1.
    constant : fmpq
        ``|x - xbar|_inf <= constant s`` on the funnel.
    """

    variables: tuple[sp.Symbol, ...]
    rows: tuple[Row, ...]
    rate: fmpq
    constant: fmpq


@dataclass(frozen=True)
class Escape:
    """Parameters in the box whose iterates run into a cycle, or a fixed point, other than the one in question.

    Attributes
    ----------
    at : tuple of fmpq
        The parameters of the box, in their order.
    first, period : int
        The iterates of these two indices, `first` and ``first + period``, are equal.
    point : tuple of fmpq
        That iterate.
    """

    at: tuple[fmpq, ...]
    first: int
    period: int
    point: tuple[fmpq, ...]


def find_funnel(
    iteration: Iteration,
    at: Mapping[sp.Symbol, Any],
    fixed_point: Sequence[fmpq],
    box: Box,
    rate: fmpq | None = None,
) -> Funnel | Escape:
    """Find a funnel for the iterates from all starts of a box, or parameters from which they do not converge.

    Parameters
    ----------
    iteration : Iteration
        With a start; on each of its pieces affine in the state and the parameters of the box.
    at : mapping from parameters to numbers
        The parameters outside the box.
    fixed_point : sequence of fmpq
        Where all iterates are to converge to.
    box : Box
    rate : fmpq, optional
        The rate of the funnel; the smallest that is found when absent.

    Returns
    -------
    Funnel or Escape

    Raises
    ------
    UnknownError
        When a piece is not affine, or neither is found.

    Examples
    --------
    >>> from piggycheck.maps import SymbolicMap
    >>> u, v, theta = sp.symbols("u v theta", real=True)
    >>> tent = SymbolicMap([u, v], [sp.Min(u, v - u) * 4 / 3, v * 2 / 3], [theta])
    >>> box = {theta: (fmpq(0), fmpq(1))}
    >>> funnel = find_funnel(Iteration(tent, [theta, sp.Integer(1)]), {}, [fmpq(0), fmpq(0)], box)
    >>> funnel.rate, funnel.constant, len(funnel.rows)
    (2/3, 1, 3)

    Notes
    -----
    Candidates for the rows are the coordinates, the guards and their images under the pieces, each bounded by what
    sampled iterates show; those that the start, or a step from inside the others, violates are dropped again and
    again (the largest invariant set of this template). A linear function that decreases is found by a linear program.
    When this fails: a funnel may need rows that the template lacks.
    """
    search = _Search(iteration, at, fixed_point, box)
    escape = search.escape()
    if escape is not None:
        return escape
    funnel = search.run(rate)
    if funnel is None:
        wanted = "below 1" if rate is None else f"of {rate}"
        raise UnknownError(f"no funnel with a rate {wanted} was found among coordinates, guards and their images")
    return funnel


class _Search:
    """The pieces, sampled iterates and the rows that hold at all of them."""

    def __init__(self, iteration: Iteration, at: Mapping, fixed_point: Sequence[fmpq], box: Box) -> None:
        self.state, self.box = iteration.map.state, tuple(box)
        self.symbols = (*self.state, *self.box, sp.Symbol(_name_of_scale(iteration.map.variables), real=True))
        self.map = affine_pieces(iteration.map, at, self.symbols)
        self.start = affine_pieces(iteration.start_map, at, self.box)
        self.fixed_point = tuple(fixed_point)
        self.bounds = tuple(_bounds(box, len(self.state), len(self.symbols)))
        self.runs = [self._run(iteration, at, theta) for theta in _samples(box)]

    # -- sampled iterates -----------------------------------------------------------------------------------------

    def _run(self, iteration: Iteration, at: Mapping, theta: tuple[fmpq, ...]) -> tuple[tuple[fmpq, ...], list]:
        moved = {**at, **{v: to_sympy(c) for v, c in zip(self.box, theta, strict=True)}}
        parameters = {v: rational(c) for v, c in moved.items()}
        x = tuple(rational(c) for c in iteration.start_at(moved).values())
        iterates = [x]
        for _ in range(_STEPS):
            values = {**dict(zip(self.state, x, strict=True)), **parameters}
            x = tuple(iteration.map.evaluate(values, RATIONAL).value)
            if sum(int(c.height_bits()) for c in x) > _MOST_DIGITS:
                break
            iterates.append(x)
        return theta, iterates

    def escape(self) -> Escape | None:
        """An iterate that returns to itself away from the fixed point."""
        for theta, iterates in self.runs:
            seen: dict[tuple[fmpq, ...], int] = {}
            for k, x in enumerate(iterates):
                if x in seen and x != self.fixed_point:
                    return Escape(theta, seen[x], k - seen[x], x)
                seen.setdefault(x, k)
        return None

    def points(self, rate: fmpq) -> Iterator[tuple[fmpq, ...]]:
        """The sampled points of the funnel of a rate."""
        for theta, iterates in self.runs:
            scale = fmpq(1)
            for x in iterates:
                yield (*x, *theta, scale)
                scale = scale * rate

    # -- rows -----------------------------------------------------------------------------------------------------

    def run(self, rate: fmpq | None) -> Funnel | None:
        base = self._invariant(self._signs(), fmpq(0))
        if rate is not None:
            return self._funnel(base, rate)
        found = next(filter(None, (self._funnel(base, candidate) for candidate in _RATES)), None)
        return None if found is None else self._refined(base, found)

    def _refined(self, base: Sequence[Row], funnel: Funnel) -> Funnel:
        """Halve the interval in which the smallest rate lies, then take the simplest rate in it."""
        low = max((r for r in _RATES if r < funnel.rate), default=fmpq(0))
        for _ in range(_HALVINGS):
            middle = (low + funnel.rate) / 2
            better = self._funnel(base, middle)
            low, funnel = (middle, funnel) if better is None else (low, better)
        simple = simplest_between(low, funnel.rate)
        return (self._funnel(base, simple) if simple > low else None) or funnel

    def _signs(self) -> list[Row]:
        """Coordinates, guards and their images, with both signs, as far as they are nonnegative at all samples."""
        points = list(self.points(fmpq(1)))
        return [row for row in self._template() if all(_value(row, z) >= 0 for z in points)]

    def _template(self) -> list[Row]:
        """Functions that depend on the state, up to positive factors, with both signs."""
        units = [self._displacement(j) for j in range(len(self.state))]
        found: dict[Row, None] = {}
        level: list[Row] = [*units, *self.map.guards]
        for _ in range(_DEPTH):
            for row in level:
                if any(row[: len(self.state)]):
                    found.update(dict.fromkeys([primitive(row), primitive(tuple(-c for c in row))]))
            level = [substituted(row, self._step(piece.images, fmpq(1))) for row in level for piece in self.map.pieces]
        return list(found)[: 2 * _MOST_ROWS]

    def _displacement(self, j: int) -> Row:
        """``x_j - xbar_j``."""
        return (*(fmpq(int(i == j)) for i in range(len(self.symbols))), -self.fixed_point[j])

    def _step(self, images: Sequence[Row], rate: fmpq) -> list[Row]:
        """What becomes of all variables in one step."""
        n = len(self.symbols)
        kept = [tuple(fmpq(int(i == j)) for i in range(n + 1)) for j in range(len(self.state), n - 1)]
        return [*images, *kept, (*(rate * int(j == n - 1) for j in range(n)), fmpq(0))]

    def _invariant(self, rows: Iterable[Row], rate: fmpq) -> list[Row]:
        """The rows that hold at the start and that steps from inside all of them keep."""
        kept = [row for row in dict.fromkeys(rows) if self._holds_at_start(row)][:_MOST_ROWS]
        while True:
            left = [row for row in kept if self._is_kept(row, kept, rate)]
            if len(left) == len(kept):
                return kept
            kept = left

    def _holds_at_start(self, row: Row) -> bool:
        n, shift = len(self.symbols), len(self.state)
        for piece in self.start.pieces:
            images = [*piece.images, *(_unit(j, len(self.box)) for j in range(len(self.box)))]
            images.append((*([fmpq(0)] * len(self.box)), fmpq(1)))
            here = [tuple(b[shift : n - 1]) + b[-1:] for b in self.bounds if any(b[shift : n - 1])]
            if not follows(substituted(row, images), [*here, *piece.nonnegative], piece.zero):
                return False
        return True

    def _is_kept(self, row: Row, rows: Sequence[Row], rate: fmpq) -> bool:
        return all(
            follows(
                substituted(row, self._step(piece.images, rate)),
                [*self.bounds, *rows, *piece.nonnegative],
                piece.zero,
            )
            for piece in self.map.pieces
        )

    # -- a rate ---------------------------------------------------------------------------------------------------

    def _funnel(self, base: Sequence[Row], rate: fmpq) -> Funnel | None:
        """A funnel of a rate: below a linear function that decreases, or between bounds that samples suggest."""
        linear = self._decreasing(base, rate)
        if linear is not None:
            largest = max((_value(linear, z) for z in self._starts()), default=fmpq(0))
            bound = tuple(largest * int(j == len(self.symbols) - 1) - c for j, c in enumerate(linear))
            found = self._checked([*base, bound], rate, largest)
            if found is not None:
                return found
        return self._between_bounds(base, rate)

    def _starts(self) -> Iterator[tuple[fmpq, ...]]:
        return ((*iterates[0], *theta, fmpq(1)) for theta, iterates in self.runs)

    def _between_bounds(self, base: Sequence[Row], rate: fmpq) -> Funnel | None:
        points, n = list(self.points(rate)), len(self.symbols)
        rows = []
        for row in self._template():
            needed = max((-_value(row, z) / z[-1] for z in points if z[-1]), default=fmpq(0))
            if needed > 0:
                rows.append(tuple(c + needed * int(j == n - 1) for j, c in enumerate(row)))
        kept = self._invariant([*base, *rows], rate)
        reach = [max(abs(z[j] - c) / z[-1] for z in points if z[-1]) for j, c in enumerate(self.fixed_point)]
        return self._checked(kept, rate, max(reach))

    def _checked(self, rows: Sequence[Row], rate: fmpq, constant: fmpq) -> Funnel | None:
        """The funnel with as few of the rows as suffice, if it is one."""
        if not self._is_funnel(rows, rate, constant):
            return None
        rows = list(rows)
        for row in rows[:]:
            fewer = [other for other in rows if other != row]
            if self._is_funnel(fewer, rate, constant):
                rows = fewer
        return Funnel(self.symbols, tuple(map(primitive, rows)), rate, constant)

    def _is_funnel(self, rows: Sequence[Row], rate: fmpq, constant: fmpq) -> bool:
        n = len(self.symbols)
        for j in range(len(self.state)):
            for sign in (1, -1):
                near = tuple(sign * c + constant * int(i == n - 1) for i, c in enumerate(self._displacement(j)))
                if not follows(near, [*self.bounds, *rows]):
                    return False
        return all(self._holds_at_start(row) and self._is_kept(row, rows, rate) for row in rows)

    def _decreasing(self, base: Sequence[Row], rate: fmpq) -> Row | None:
        """A linear function of the displacement that decreases by the rate, and bounds each coordinate."""
        p, n = len(self.state), len(self.symbols)
        units = [self._displacement(j) for j in range(p)]
        blocks: list[tuple[list[Row], Row, list[Row]]] = []
        for piece in self.map.pieces:
            step = self._step(piece.images, fmpq(1))
            change = [_combination(rate, unit, fmpq(-1), substituted(unit, step)) for unit in units]
            zeros = [row for z in piece.zero for row in (z, tuple(-c for c in z))]
            blocks.append((change, (fmpq(0),) * (n + 1), [*self.bounds, *base, *piece.nonnegative, *zeros]))
        for unit in units:
            for sign in (1, -1):
                blocks.append((units, tuple(sign * c for c in unit), [*self.bounds, *base]))
        return _solved(blocks, units, n + 1)


def _solved(blocks: Sequence[tuple[list[Row], Row, list[Row]]], units: Sequence[Row], height: int) -> Row | None:
    """The combination a of the units for which each block's ``a . functions + target`` follows from its rows."""
    p, columns, right = len(units), [], []
    width = 2 * p + sum(len(rows) + 1 for _, _, rows in blocks)
    for index, (_, target, _) in enumerate(blocks):
        right.extend(-c for c in target)
        assert len(target) == height, index
    for i in range(p):
        column = [f[i][k] for f, _, _ in blocks for k in range(height)]
        columns += [column, [-c for c in column]]
    constant = tuple(fmpq(int(k == height - 1)) for k in range(height))
    for index, (_, _, rows) in enumerate(blocks):
        for row in (*rows, constant):
            column = [fmpq(0)] * (height * len(blocks))
            column[index * height : (index + 1) * height] = [-c for c in row]
            columns.append(column)
    assert len(columns) == width
    M = fmpq_mat([[column[k] for column in columns] for k in range(height * len(blocks))])
    solution = nonnegative_solution(M, right)
    if solution is None:
        return None
    weights = [solution[2 * i] - solution[2 * i + 1] for i in range(p)]
    return tuple(sum((a * unit[k] for a, unit in zip(weights, units, strict=True)), fmpq(0)) for k in range(height))


def _bounds(box: Box, shift: int, n: int) -> Iterator[Row]:
    """The sides of the box, and ``0 <= s <= 1``."""
    for j, (low, high) in enumerate([*box.values(), (fmpq(0), fmpq(1))]):
        unit = [fmpq(int(i == shift + j)) for i in range(n)]
        yield (*unit, -low)
        yield (*(-c for c in unit), high)


def _samples(box: Box) -> list[tuple[fmpq, ...]]:
    """The corners of the box, and some points inside."""
    corners = islice(product(*box.values()), _MOST_STARTS)
    inside = [tuple(low + t * (high - low) for low, high in box.values()) for t in _INSIDE]
    crossed = [tuple(ends[i % 2] for i, ends in enumerate(box.values()))]
    return list(dict.fromkeys([*corners, *inside, *crossed]))


def _unit(j: int, n: int) -> Row:
    return (*(fmpq(int(i == j)) for i in range(n)), fmpq(0))


def _value(row: Row, z: Sequence[fmpq]) -> fmpq:
    return sum((a * b for a, b in zip(row, z, strict=False)), row[-1])


def _combination(a: fmpq, row: Row, b: fmpq, other: Row) -> Row:
    return tuple(a * c + b * d for c, d in zip(row, other, strict=True))


def _name_of_scale(taken: Sequence[sp.Symbol]) -> str:
    names = {str(v) for v in taken}
    return next(name for name in ("s", "scale", *(f"s_{i}" for i in range(len(names) + 1))) if name not in names)

"""The trap: a proof that the iterates themselves converge to the fixed point.

With a word tree ``(P, rate, words)`` for the active pairs, V(x) = (x - xbar)^T P (x - xbar) and the tree's growth m:
once V(x_k0) <= s, every later iterate has V <= m s, as long as every piece met there is one of the active pieces. So
the level s is chosen such that on the ellipsoid ``V <= m s`` no guard that is away from zero at xbar changes its sign.
Where pieces are not affine, their Jacobians over a box around the ellipsoid must contract in P too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import sympy as sp
from flint import arb, fmpq, fmpq_mat

from piggycheck.arithmetic import ALGEBRAIC, RATIONAL, Balls, bounds, enclosure, rational, sign, to_sympy
from piggycheck.claims.subject import Subject
from piggycheck.errors import IrrationalError, MapError, UnknownError
from piggycheck.intervals import IntervalMatrix, contracts
from piggycheck.linalg import root_upper, simplest_between
from piggycheck.maps import SmoothPiece, SymbolicMap
from piggycheck.stability import WordTree

__all__ = ["Trap", "enter_trap", "find_trap"]

_MAX_ITERATIONS = 2000
_MAX_BITS = 20_000
_BALL_BITS = 256
_MAX_HALVINGS = 60
_BALLS = Balls(_BALL_BITS)
_FAR_BITS = 4096
_FAR = arb(2) ** _FAR_BITS


@dataclass(frozen=True)
class Trap:
    """An iterate inside, and the level set that it cannot leave.

    Attributes
    ----------
    iteration : int
        Index k_0 of the iterate that is inside.
    level : fmpq
        ``V(x_k0) <= level``.
    growth : fmpq
        Later iterates have ``V <= growth * level``.
    bits : int
        0 when x_k0 was computed exactly; otherwise coordinates are rounded outwards to multiples of ``2**-bits``.
    """

    iteration: int
    level: fmpq
    growth: fmpq
    bits: int


def find_trap(subject: Subject, tree: WordTree, rate: fmpq) -> tuple[Trap, WordTree]:
    """Find a trap for the iterates from the subject's start.

    Parameters
    ----------
    subject : Subject
        An iteration with a start.
    tree : WordTree
        A contraction of all pairs active at the fixed point.
    rate : fmpq
        The tree's rate may be raised up to this one, below 1, where pieces are not affine: their Jacobians vary.

    Returns
    -------
    Trap, WordTree
        The trap, and the tree at the rate at which the trap holds.

    Raises
    ------
    UnknownError
        When no level is proved, or the iterates do not enter it within the budget.

    Notes
    -----
    When this fails: iterates that converge slowly, or from far away, need more iterations than the budget allows;
    pieces that are not affine need a quadratic form that contracts in one step.
    """
    if subject.start_is_fixed:
        return Trap(0, fmpq(0), tree.growth, 0), tree
    room = _Neighbourhood(subject, tree, rate)
    level = room.largest_level()
    iteration, bits = enter_trap(subject, tree.P, level)
    return Trap(iteration, level, tree.growth, bits), room.tree


class _Neighbourhood:
    """What is around the fixed point at fixed parameters: the active pieces and the guards that do not tie."""

    def __init__(self, subject: Subject, tree: WordTree, rate: fmpq):
        self.tree, self.state = tree, subject.iteration.map.state
        self.center = [rational(subject.point.state[v], f"`{v}` at the fixed point") for v in self.state]
        at = subject.at
        self.pieces = [subject.iteration.map.piece(piece.signature) for piece in subject.active]
        point = subject.point.point
        guards = {guard.subs(at) for piece in self.pieces for _, guard in piece.conditions}
        self.guards = [g for g in guards if g.free_symbols and sign(ALGEBRAIC.evaluate(g, point)) != 0]
        self.curved = [_local(piece, at, self.state) for piece in self.pieces if not _is_affine(piece, at, self.state)]
        self.inverse = tree.P.inv()
        if self.curved and not tree.is_quadratic:
            raise UnknownError("the pieces are not affine, and no single quadratic form contracts in one step")
        if self.curved:
            self.tree = replace(tree, rate=simplest_between((tree.rate + rate) / 2, (tree.rate + 3 * rate) / 4))

    def largest_level(self) -> fmpq:
        """A level s at which the trap holds, near the largest one that is found by halving."""
        flat = [_affine_row(g, self.state, self.center) for g in self.guards]
        limits = [row for row in flat if row is not None]
        curved_guards = [g for g, row in zip(self.guards, flat, strict=True) if row is None]
        level = min((self._affine_limit(*row) for row in limits), default=None)
        if level is None:
            level = fmpq(10**6)
        for _ in range(_MAX_HALVINGS):
            if all(self._keeps_sign(g, level) for g in curved_guards) and self._contracts(level):
                return level / 4 if self.curved or curved_guards else level  # room for other enclosures
            level = level / 4
        raise UnknownError("no neighbourhood of the fixed point was proved to stay within the active pieces")

    def _affine_limit(self, slope: Sequence[fmpq], value: fmpq) -> fmpq:
        """Largest s, rounded down, with ``growth s a^T P^-1 a < value^2``."""
        a = fmpq_mat([[c] for c in slope])
        spread = (a.transpose() * self.inverse * a)[0, 0] * self.tree.growth
        bound = value * value / spread
        return simplest_between(bound * fmpq(9, 10), bound * fmpq(99, 100))

    def _box(self, level: fmpq) -> dict[sp.Symbol, arb]:
        radii = [root_upper(self.tree.growth * level * self.inverse[j, j], 2) for j in range(len(self.state))]
        return {v: _BALLS.between(c - r, c + r) for v, c, r in zip(self.state, self.center, radii, strict=True)}

    def _keeps_sign(self, guard: sp.Expr, level: fmpq) -> bool:
        try:
            return _BALLS.sign(_BALLS.evaluate(guard, self._box(level))) != 0
        except (UnknownError, MapError):
            return False

    def _contracts(self, level: fmpq) -> bool:
        """The Jacobians of the curved pieces over the box contract in P at the tree's rate."""
        box = self._box(level) if self.curved else {}
        return all(self._jacobian_contracts(piece, box) for piece in self.curved)

    def _jacobian_contracts(self, jacobian: sp.ImmutableMatrix, box: Mapping[sp.Symbol, arb]) -> bool:
        try:
            A = [[bounds(_BALLS.evaluate(e, box)) for e in row] for row in jacobian.tolist()]
        except (UnknownError, MapError):
            return False
        return contracts(_interval_matrix(A), self.tree.P, self.tree.rate**2)


def _local(piece: SmoothPiece, at: Mapping, state: Sequence[sp.Symbol]) -> sp.ImmutableMatrix:
    return piece.jacobian[:, : len(state)].subs(at)


def _is_affine(piece: SmoothPiece, at: Mapping, state: Sequence[sp.Symbol]) -> bool:
    return not any(sp.expand(entry).has(*state) for entry in _local(piece, at, state))


def _affine_row(guard: sp.Expr, state: Sequence[sp.Symbol], center: Sequence[fmpq]) -> tuple[list[fmpq], fmpq] | None:
    """Slope of an affine guard and its value at the center; None when it is not affine or not rational."""
    slopes = [sp.expand(sp.diff(guard, v)) for v in state]
    if any(slope.has(*state) for slope in slopes):
        return None
    try:
        values = dict(zip(state, center, strict=True))
        return [RATIONAL.evaluate(slope) for slope in slopes], RATIONAL.evaluate(guard, values)
    except IrrationalError:
        return None


def enter_trap(subject: Subject, P: fmpq_mat, level: fmpq) -> tuple[int, int]:
    """Follow the iterates until one is proved inside; return its index and the bits of rounding used (0: exact)."""
    try:
        return _enter_exactly(subject, P, level), 0
    except (IrrationalError, _TooLong):
        return _enter_in_balls(subject, P, level), _BALL_BITS


def _has_roots(map_: SymbolicMap) -> bool:
    """Whether a square root of variables occurs: at 0 it has a value, and no derivative."""
    powers = (part for e in map_.program for part in sp.preorder_traversal(e) if part.is_Pow and part.free_symbols)
    return any(part.exp.is_Rational and not part.exp.is_Integer for part in powers)


def _require_derivatives(map_: SymbolicMap, values: Mapping[sp.Symbol, fmpq]) -> None:
    """Require that every piece met at an iterate has a derivative there."""
    point = {v: to_sympy(c) for v, c in values.items()}
    try:
        map_.active(point)
    except MapError as error:
        shown = ", ".join(f"{v} = {point[v]}" for v in map_.state)
        raise UnknownError(f"the map has no derivative at the iterate {shown}: {error}") from None


class _TooLong(Exception):
    """Exact iterates have grown too long."""


def _enter_exactly(subject: Subject, P: fmpq_mat, level: fmpq) -> int:
    iteration, point = subject.iteration, subject.point
    parameters = {v: rational(c) for v, c in subject.at.items()}
    x = [rational(c) for c in iteration.start_at(subject.at).values()]
    center = [rational(c) for c in point.state.values()]
    rooted = _has_roots(iteration.map)
    for k in range(_MAX_ITERATIONS):
        d = fmpq_mat([[a - b] for a, b in zip(x, center, strict=True)])
        if (d.transpose() * P * d)[0, 0] <= level:
            return k
        if sum(int(c.q).bit_length() + int(c.p).bit_length() for c in x) > _MAX_BITS:
            raise _TooLong
        values = {**dict(zip(iteration.map.state, x, strict=True)), **parameters}
        if rooted:
            _require_derivatives(iteration.map, values)
        x = list(iteration.map.evaluate(values, RATIONAL).value)
    raise UnknownError(f"the iterates did not enter a trap within {_MAX_ITERATIONS} steps")


def _enter_in_balls(subject: Subject, P: fmpq_mat, level: fmpq) -> int:
    iteration = subject.iteration
    parameters = {v: _BALLS.evaluate(c) for v, c in subject.at.items()}
    x = [_outward(enclosure(c, _BALL_BITS)) for c in iteration.start_at(subject.at).values()]
    center = [rational(c) for c in subject.point.state.values()]
    rooted = _has_roots(iteration.map)
    for k in range(_MAX_ITERATIONS):
        d = _interval_matrix([[(low - c, high - c)] for (low, high), c in zip(x, center, strict=True)])
        V = (d.transpose() * (P * d)).bounds()[0][0]
        if V[1] <= level * fmpq(999, 1000):
            return k
        values = {v: _BALLS.between(*interval) for v, interval in zip(iteration.map.state, x, strict=True)}
        with _BALLS.precision():
            evaluation = iteration.map.evaluate({**values, **parameters}, _BALLS)
            if rooted:
                iteration.map.jacobian(evaluation.signature, {**values, **parameters}, _BALLS)
        new = evaluation.value
        if not all(c.is_finite() and abs(c) < _FAR for c in new):
            raise UnknownError(f"the iterates run away: after {k + 1} steps they may be beyond 2^{_FAR_BITS}")
        x = [_outward(bounds(c)) for c in new]
    raise UnknownError(f"the iterates did not enter a trap within {_MAX_ITERATIONS} steps")


def _interval_matrix(rows: Sequence[Sequence[tuple[fmpq, fmpq]]]) -> IntervalMatrix:
    lower, upper = (fmpq_mat([[entry[end] for entry in row] for row in rows]) for end in (0, 1))
    return IntervalMatrix.between(lower, upper)


def _outward(interval: tuple[fmpq, fmpq]) -> tuple[fmpq, fmpq]:
    scale = fmpq(2) ** _BALL_BITS
    return fmpq((interval[0] * scale).floor()) / scale, fmpq((interval[1] * scale).ceil()) / scale

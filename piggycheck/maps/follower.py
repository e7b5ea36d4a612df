"""Successive iterates on one affine piece of a structured map, over balls, by products of small matrices.

Around a point c where no guard is zero there is a ball in which the signature stays the same; this is proved by
deciding the signs for all points of the ball at once. If moreover the piece is affine in state and parameters together,
then ``F(x) = F(c) + A (x - c)`` in that ball, and the derivative follows ``J -> A J + B`` with constant A and B.
Coordinates on which the piece is constant, as the zeros that soft-thresholding leaves, drop out of all products; the
ball is one of the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from flint import arb, arb_mat

from piggycheck.arrays import Arrays, Enclosed
from piggycheck.maps.affine import Affine
from piggycheck.maps.affinity import affine_nodes
from piggycheck.maps.base import Moment, Signature
from piggycheck.maps.elementwise import Elementwise
from piggycheck.maps.nodes import Cotangents, Directions
from piggycheck.maps.structured import BoundStructuredMap, StructuredMoment

__all__ = ["Follower"]

_PATIENCE = 8
_SLACK = arb(2) ** -20
_MOST_WATCHED = 4
_STEPS_AHEAD = (2**4, 2**6, 2**8, 2**10, 2**12, 2**14, 2**16)


class Follower:
    """Evaluates a structured map at iterates that come one after the other.

    Parameters
    ----------
    bound : BoundStructuredMap
        Over balls.
    """

    def __init__(self, bound: BoundStructuredMap):
        self.bound = bound
        self._forget(None)

    def _forget(self, signature: Signature | None) -> None:
        """Begin to count the steps that use a piece."""
        self._signature, self._count, self._next = signature, 0, _PATIENCE
        self._affinity: _Affinity | None = None
        self._derivative: _Derivative | None = None
        self._ball: _Ball | None = None

    def __call__(self, x: Enclosed) -> Moment:
        with self.bound.arrays.precision():
            if self._ball is not None:
                away = self._ball.away(x)
                if away is not None:
                    return _InBall(self, self._ball, x, away)
                self._ball, self._next = None, self._count + 1
            return _Watched(self, x)

    def saw(self, moment: StructuredMoment, signature: Signature) -> None:
        """Count steps on the same piece; after enough of them, learn its derivative, and a ball in which it goes on."""
        if signature != self._signature:
            self._forget(signature)
        self._count += 1
        if self._count < self._next:
            return
        self._next += self._count // 2
        if self._affinity is None:
            self._affinity = _Affinity(moment, signature)
        if 0 < len(self._affinity.moving) <= 2 * self._count:
            if not self._affinity.is_derived:
                self._affinity.derive(moment)
            self._ball = _Ball.found(self._affinity, moment)

    def forward(
        self, whole: Callable[[], StructuredMoment], tangent: Enclosed, directions: Directions, signature: Signature
    ) -> Enclosed | None:
        """Carry tangents on by the derivative of the piece, if it is known."""
        affinity = self._affinity
        if affinity is None or not affinity.is_derived or signature != affinity.signature:
            return None
        if self._derivative is None or self._derivative.directions is not directions:
            self._derivative = _Derivative.found(affinity, whole(), tangent, directions)
        return None if self._derivative is None else self._derivative.pushed(tangent)


class _Watched(StructuredMoment):
    """A moment that tells its follower what it sees, and asks it first."""

    def __init__(self, follower: Follower, x: Enclosed):
        super().__init__(follower.bound, x)
        self._follower = follower

    @cached_property
    def signature(self) -> Signature:
        signature = super().signature
        with self.bound.arrays.precision():
            self._follower.saw(self, signature)
        return signature

    def forward(self, tangent: Enclosed | None, directions: Directions | None, signature: Signature) -> Enclosed:
        with self.bound.arrays.precision():
            if tangent is not None and directions is not None:
                result = self._follower.forward(lambda: self, tangent, directions, signature)
                if result is not None:
                    return result
            return self._forward(tangent, directions, signature)


class _InBall(Moment):
    """A map at a state in a ball in which one piece is used."""

    def __init__(self, follower: Follower, ball: _Ball, x: Enclosed, away: arb_mat):
        affinity = ball.affinity
        self.x, self._follower, self._signature = x, follower, affinity.signature
        self.value = ball.states.enclosed(ball.value + affinity.A * away, affinity.lipschitz * x.spread)

    @property
    def signature(self) -> Signature:
        return self._signature

    @cached_property
    def whole(self) -> StructuredMoment:
        """The same, node by node."""
        return StructuredMoment(self._follower.bound, self.x)

    def forward(self, tangent: Enclosed | None, directions: Directions | None, signature: Signature) -> Enclosed:
        with self._follower.bound.arrays.precision():
            if tangent is not None and directions is not None:
                result = self._follower.forward(lambda: self.whole, tangent, directions, signature)
                if result is not None:
                    return result
            return self.whole.forward(tangent, directions, signature)

    def backward(self, cotangent: Enclosed, signature: Signature) -> tuple[Enclosed, Cotangents]:
        return self.whole.backward(cotangent, signature)


class _Frame:
    """Matrices of which only some rows move.

    Parameters
    ----------
    uncertain : arb_mat
        Has the rows that stay, and a bound on what these are uncertain by.
    moving : sequence of int
        The others.
    arrays : Arrays
    """

    def __init__(self, uncertain: arb_mat, moving: Sequence[int], arrays: Arrays):
        self.arrays, self.shape, self.count = arrays, arrays.shape(uncertain), len(moving)
        columns, entries, moved = self.shape[1], uncertain.entries(), set(moving)
        self.places = [i * columns + j for i in moving for j in range(columns)]
        self.others = [i * columns + j for i in range(self.shape[0]) if i not in moved for j in range(columns)]
        for place in self.places:
            entries[place] = arb(0)
        self.resting = [entry.mid() for entry in entries]
        self.error = arrays.length(arb_mat(*self.shape, entries) - arb_mat(*self.shape, self.resting))

    def rows(self, A: arb_mat) -> arb_mat:
        """The rows of a matrix that move."""
        entries = A.entries()
        return arb_mat(self.count, self.shape[1], [entries[place] for place in self.places])

    def moving(self, A: Enclosed) -> arb_mat | None:
        """The rows that move, if the others are what they should be."""
        if isinstance(A, _Framed) and A.frame is self:
            return A.part
        entries = A.centre.entries()
        stays = all(entries[place] == self.resting[place] for place in self.others)
        return self.rows(A.centre) if stays else None

    def enclosed(self, rows: arb_mat, spread: arb) -> Enclosed:
        """Turn computed rows into exact ones, and everything that is uncertain into a spread."""
        part = rows.mid()
        return _Framed(self, part, (self.arrays.length(rows - part) + self.error + spread).upper())


class _Framed(Enclosed):
    """A matrix that is put together when it is looked at."""

    __slots__ = ("_centre", "frame", "part")

    def __init__(self, frame: _Frame, part: arb_mat, spread: arb):
        for name, value in (("frame", frame), ("part", part), ("spread", spread), ("_centre", None)):
            object.__setattr__(self, name, value)

    @property
    def centre(self) -> arb_mat:
        if self._centre is None:
            entries = self.frame.resting.copy()
            for place, entry in zip(self.frame.places, self.part.entries(), strict=True):
                entries[place] = entry
            object.__setattr__(self, "_centre", arb_mat(*self.frame.shape, entries))
        return self._centre


class _Affinity:
    """A piece that is affine: the coordinates that move on it, and how everything else moves with them.

    Attributes
    ----------
    moving : list of int
        None of them where following the piece would not pay, or is not possible.
    is_derived : bool
        Whether `derive` was called; before that there is no A.
    """

    def __init__(self, moment: StructuredMoment, signature: Signature):
        self.signature, self.bound, self.is_derived = signature, moment.bound, False
        last, signs = self.bound.map.next, self.bound.by_node(signature)
        still = moment.nodes[last].still(signs.get(last, ()))
        self.moving = [i for i in range(last.size) if i not in still]
        self.switching = [node for node in self.bound.map.switching if node.depends_on_state()]
        known = self.bound.constants is not None and all(isinstance(node, Elementwise) for node in self.switching)
        pays = 2 * len(self.moving) ** 2 < _cost(self.bound)
        if 0 in signature or not (known and pays and last in affine_nodes(self.bound.map.nodes, signs)):
            self.moving = []

    def derive(self, moment: StructuredMoment) -> None:
        """Compute how nodes move with the coordinates that move."""
        last = self.bound.map.next
        units = arb_mat(last.size, len(self.moving))
        for j, i in enumerate(self.moving):
            units[i, j] = 1
        tangents = moment.tangents(units, self.bound.still(len(self.moving)), self.signature)
        self.tangents = {node: tangents[node.inputs[0]] for node in self.switching}
        self.lengths = {node: _row_lengths(tangents[node.inputs[0]]) for node in self.switching}
        self.A = _Frame(units, self.moving, self.bound.arrays).rows(tangents[last])
        self.lipschitz, self.is_derived = self.bound.constants[last], True

    def unsettled(self, moment: StructuredMoment, radius: arb) -> dict[Elementwise, list[int]]:
        """The entries whose branch may change while the moving coordinates go no farther than a distance.

        And all coordinates are within a small part of that distance of where they should be.
        """
        found = {}
        for node in self.switching:
            slack = self.slack(node, radius)
            reach = [(length * radius + slack).upper() for length in self.lengths[node]]
            found[node] = moment.nodes[node].unsettled(reach)
        return found

    def slack(self, node: Elementwise, radius: arb) -> arb:
        """How far what a node reads can be from where it should be."""
        return (radius * _SLACK * self.bound.constants[node.inputs[0]]).upper()

    def watch(self, moment: StructuredMoment, node: Elementwise, places: list[int], radius: arb) -> _Watch:
        """Keep an eye on some entries of a node."""
        count, tangents = len(self.moving), self.tangents[node].entries()
        rows = [entry for i in places for entry in tangents[i * count : (i + 1) * count]]
        return _Watch(arb_mat(len(places), count, rows), self.slack(node, radius), moment.nodes[node].watch(places))


@dataclass(frozen=True)
class _Watch:
    """Entries of a node that must be looked at in every step.

    Attributes
    ----------
    rows : arb_mat
        How they move with the moving coordinates.
    slack : arb
    same : callable
        From `Elementwise`.
    """

    rows: arb_mat
    slack: arb
    same: Callable[[arb_mat, arb], bool]

    def __call__(self, away: arb_mat) -> bool:
        return self.same(self.rows * away, self.slack)


@dataclass(frozen=True)
class _Derivative:
    """The recursion ``J -> A J + B`` on an affine piece, for the rows that move; what the others add is part of B."""

    affinity: _Affinity
    directions: Directions
    tangents: _Frame
    B: arb_mat

    @classmethod
    def found(
        cls, affinity: _Affinity, moment: StructuredMoment, tangent: Enclosed, directions: Directions
    ) -> _Derivative | None:
        """Return it, if the rows of the tangents that do not move are those that the piece gives them."""
        bound = affinity.bound
        resting = _Frame(tangent.centre, affinity.moving, bound.arrays)
        held = arb_mat(*resting.shape, resting.resting)
        constant = moment.tangents(held, directions, affinity.signature)[bound.map.next]
        tangents = _Frame(constant, affinity.moving, bound.arrays)
        found = cls(affinity, directions, tangents, tangents.rows(constant))
        return None if tangents.moving(tangent) is None else found

    def pushed(self, tangent: Enclosed) -> Enclosed | None:
        """Carry tangents on, if their other rows are as they should be."""
        moving = self.tangents.moving(tangent)
        if moving is None:
            return None
        return self.tangents.enclosed(self.affinity.A * moving + self.B, self.affinity.lipschitz * tangent.spread)


@dataclass(frozen=True)
class _Ball:
    """Where an affine piece is used.

    Attributes
    ----------
    centre, value : arb_mat
        The moving coordinates of a point c, and of F(c).
    radius : arb
        How far the moving coordinates may be from c.
    watches : list of _Watch
        What must be looked at in every step nevertheless, as it is near to a kink.
    """

    affinity: _Affinity
    states: _Frame
    centre: arb_mat
    value: arb_mat
    radius: arb
    watches: list[_Watch]

    @classmethod
    def found(cls, affinity: _Affinity, moment: StructuredMoment) -> _Ball | None:
        """Look for a ball around an iterate that is many steps wide, and where not too much must be watched."""
        arrays, value = affinity.bound.arrays, moment.values[affinity.bound.map.next]
        step = arrays.length(moment.value.centre - moment.x.centre) + moment.value.spread + arb(2) ** -arrays.bits
        radius, watched = arb(0), {}
        for factor in _STEPS_AHEAD:
            wider = (step * factor).upper()
            unsettled = affinity.unsettled(moment, wider)
            if sum(map(len, unsettled.values())) * _MOST_WATCHED > value.nrows():
                break
            radius, watched = wider, unsettled
        states = _Frame(value, affinity.moving, arrays)
        centre = states.moving(moment.x)
        if centre is None or not radius > 0:
            return None
        watches = [affinity.watch(moment, node, places, radius) for node, places in watched.items() if places]
        return cls(affinity, states, centre, states.rows(value), radius, watches)

    def away(self, x: Enclosed) -> arb_mat | None:
        """How far a state is from the centre; None when it is not known to be in the ball, with all that it may be."""
        moving = self.states.moving(x)
        if moving is None or not x.spread <= self.radius * _SLACK:
            return None
        away = moving - self.centre
        inside = self.affinity.bound.arrays.length(away) <= self.radius and all(watch(away) for watch in self.watches)
        return away if inside else None


def _row_lengths(A: arb_mat) -> list[arb]:
    columns, entries = A.ncols(), A.entries()
    rows = (entries[i * columns : (i + 1) * columns] for i in range(A.nrows()))
    return [sum((e * e for e in row), start=arb(0)).upper().sqrt().upper() for row in rows]


def _cost(bound: BoundStructuredMap) -> int:
    """Multiplications in the products of one step, about."""
    products = [(n, read) for n in bound.moving if type(n) is Affine for read in n.inputs if read.depends_on_state()]
    return sum(node.size * read.size for node, read in products)

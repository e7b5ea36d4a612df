"""Successive iterates on one affine piece of a structured map, over balls, by products of small matrices.

Around a point c where no guard is zero there is a ball in which the signature stays the same; this is proved by
deciding the signs for all points of the ball at once. If moreover the piece is affine in state and parameters together,
then ``F(x) = F(c) + A (x - c)`` in that ball, and the derivative follows ``J -> A J + B`` with constant A and B.
Coordinates on which the piece is constant, as the zeros that soft-thresholding leaves, drop out of all products; the
ball is one of the others.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from flint import arb, arb_mat

from piggycheck.arrays import Arrays, Enclosed
from piggycheck.maps.affine import Affine
from piggycheck.maps.affinity import affine_nodes
from piggycheck.maps.base import Moment, Signature
from piggycheck.maps.elementwise import Elementwise
from piggycheck.maps.nodes import Cotangents, Directions, Node
from piggycheck.maps.structured import BoundStructuredMap, StructuredMoment

__all__ = ["Follower"]

_PATIENCE = 8
_SLACK = arb(2) ** -20
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
        self._piece: _Piece | None = None
        self._affinity: _Affinity | None = None
        self._used: tuple[Signature | None, Directions | None] = (None, None)
        self._count, self._patience = 0, _PATIENCE

    def __call__(self, x: Enclosed) -> Moment:
        with self.bound.arrays.precision():
            if self._piece is not None:
                moment = self._piece.moment(x)
                if moment is not None:
                    return moment
                self._piece, self._count, self._patience = None, 0, _PATIENCE
            return _Watched(self, x)

    def note(self, moment: StructuredMoment, tangent: Enclosed, directions: Directions, signature: Signature) -> None:
        """Count the steps that use the same piece; after enough of them, look for a ball where this goes on."""
        if self._used[1] is not directions or self._used[0] != signature:
            self._used, self._count, self._patience = (signature, directions), 0, _PATIENCE
        self._count += 1
        if self._count >= self._patience and 0 not in signature:
            self._patience *= 2
            if self._affinity is None or self._affinity.signature != signature:
                self._affinity = _Affinity(moment, signature)
            if 0 < len(self._affinity.moving) <= self._count:
                self._piece = self._affinity.around(moment, tangent, directions)


class _Watched(StructuredMoment):
    """A moment whose follower is told what it is used for."""

    def __init__(self, follower: Follower, x: Enclosed):
        super().__init__(follower.bound, x)
        self._follower = follower

    def forward(self, tangent: Enclosed | None, directions: Directions | None, signature: Signature) -> Enclosed:
        if tangent is not None and directions is not None:
            with self.bound.arrays.precision():
                self._follower.note(self, tangent, directions, signature)
        return super().forward(tangent, directions, signature)


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


@dataclass(frozen=True)
class _Piece:
    """An affine piece, on the coordinates that move, in a ball.

    Attributes
    ----------
    centre, value : arb_mat
        The middle c of the ball, and F(c).
    radius, lipschitz : arb
        How far the moving coordinates may be from c, and a Lipschitz constant of F there.
    A, B : arb_mat
        The derivatives in the state and in the directions, the part that comes from resting rows included in B.
    """

    bound: BoundStructuredMap
    signature: Signature
    directions: Directions
    states: _Frame
    tangents: _Frame
    centre: arb_mat
    value: arb_mat
    radius: arb
    lipschitz: arb
    A: arb_mat
    B: arb_mat

    def moment(self, x: Enclosed) -> Moment | None:
        """Return the map at a state; None when it is not known to be in the ball, with all that it may be."""
        moving = self.states.moving(x)
        if moving is None:
            return None
        away = moving - self.centre
        if not (self.bound.arrays.length(away) <= self.radius and x.spread <= self.radius * _SLACK):
            return None
        return _OnPiece(self, x, away)


class _OnPiece(Moment):
    """A map at a state in the ball of an affine piece."""

    def __init__(self, piece: _Piece, x: Enclosed, away: arb_mat):
        self.piece, self.x = piece, x
        self.value = piece.states.enclosed(piece.value + piece.A * away, piece.lipschitz * x.spread)

    @property
    def signature(self) -> Signature:
        return self.piece.signature

    @cached_property
    def whole(self) -> StructuredMoment:
        """The same, node by node."""
        return StructuredMoment(self.piece.bound, self.x)

    def forward(self, tangent: Enclosed | None, directions: Directions | None, signature: Signature) -> Enclosed:
        piece = self.piece
        with piece.bound.arrays.precision():
            if tangent is not None and directions is piece.directions and signature == piece.signature:
                moving = piece.tangents.moving(tangent)
                if moving is not None:
                    return piece.tangents.enclosed(piece.A * moving + piece.B, piece.lipschitz * tangent.spread)
            return self.whole.forward(tangent, directions, signature)

    def backward(self, cotangent: Enclosed, signature: Signature) -> tuple[Enclosed, Cotangents]:
        with self.piece.bound.arrays.precision():
            return self.whole.backward(cotangent, signature)


class _Affinity:
    """A piece that is affine: the coordinates that move on it, and how everything else moves with them.

    Attributes
    ----------
    moving : list of int
        None of them where following the piece would not pay, or not be possible.
    """

    def __init__(self, moment: StructuredMoment, signature: Signature):
        self.signature, bound, last = signature, moment.bound, moment.bound.map.next
        signs = bound.by_node(signature)
        still = moment.nodes[last].still(signs.get(last, ()))
        self.moving = [i for i in range(last.size) if i not in still]
        self.switching = [node for node in bound.map.switching if node.depends_on_state()]
        known = bound.constants is not None and all(isinstance(node, Elementwise) for node in self.switching)
        pays = 2 * len(self.moving) ** 2 < _cost(bound)
        if not (known and pays and last in affine_nodes(bound.map.nodes, signs)):
            self.moving = []

    def around(self, moment: StructuredMoment, tangent: Enclosed, directions: Directions) -> _Piece | None:
        """Look for a ball around an iterate in which the piece is used."""
        bound, last = moment.bound, moment.bound.map.next
        states = _Frame(moment.values[last], self.moving, bound.arrays)
        centre, radius = states.moving(moment.x), self._radius(moment)
        if centre is None or radius is None:
            return None
        resting = _Frame(tangent.centre, self.moving, bound.arrays)
        held = arb_mat(*resting.shape, resting.resting)
        constant = moment.tangents(held, directions, self.signature)[last]
        tangents = _Frame(constant, self.moving, bound.arrays)
        if tangents.moving(tangent) is None:
            return None
        return _Piece(
            bound=bound,
            signature=self.signature,
            directions=directions,
            states=states,
            tangents=tangents,
            centre=centre,
            value=states.rows(moment.values[last]),
            radius=radius,
            lipschitz=moment.constant,
            A=self._derivative(moment)[1],
            B=tangents.rows(constant),
        )

    def _radius(self, moment: StructuredMoment) -> arb | None:
        """How far the moving coordinates may go, many steps if possible, without a change of signs."""
        arrays, found = moment.bound.arrays, None
        step = arrays.length(moment.value.centre - moment.x.centre) + moment.value.spread + arb(2) ** -arrays.bits
        for factor in _STEPS_AHEAD:
            radius = (step * factor).upper()
            if not self._stays(moment, radius):
                break
            found = radius
        return found

    def _stays(self, moment: StructuredMoment, radius: arb) -> bool:
        constants, lengths = moment.bound.constants, self._derivative(moment)[0]
        for node in self.switching:
            slack = radius * _SLACK * constants[node.inputs[0]]
            if not moment.nodes[node].stays([(length * radius + slack).upper() for length in lengths[node]]):
                return False
        return True

    def _derivative(self, moment: StructuredMoment) -> tuple[dict[Node, list[arb]], arb_mat]:
        """How far entries that are looked at move with the coordinates, and how these move."""
        if self._known is None:
            bound, units = moment.bound, arb_mat(moment.bound.map.dimension, len(self.moving))
            for j, i in enumerate(self.moving):
                units[i, j] = 1
            tangents = moment.tangents(units, bound.still(len(self.moving)), self.signature)
            lengths = {node: _row_lengths(tangents[node.inputs[0]]) for node in self.switching}
            self._known = lengths, _Frame(units, self.moving, bound.arrays).rows(tangents[bound.map.next])
        return self._known

    _known: tuple[dict[Node, list[arb]], arb_mat] | None = None


def _row_lengths(A: arb_mat) -> list[arb]:
    columns, entries = A.ncols(), A.entries()
    rows = (entries[i * columns : (i + 1) * columns] for i in range(A.nrows()))
    return [sum((e * e for e in row), start=arb(0)).upper().sqrt().upper() for row in rows]


def _cost(bound: BoundStructuredMap) -> int:
    """Multiplications in the products of one step, about."""
    products = [(n, read) for n in bound.moving if type(n) is Affine for read in n.inputs if read.depends_on_state()]
    return sum(node.size * read.size for node, read in products)

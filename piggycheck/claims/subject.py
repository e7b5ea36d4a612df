"""What a claim is about: an iteration at given parameters, or a switched system on its own.

Everything that several claims need is computed once here: fixed points, active pieces, pairs, the joint spectral
radius.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import ALGEBRAIC, enclosure, rational, sign
from piggycheck.certificates import as_text
from piggycheck.claims.about import About
from piggycheck.claims.visible import require_visible_ties, require_visible_values
from piggycheck.derivation import Derivation, FixedPointStep, MapStep, PiecesStep, SwitchedStep
from piggycheck.errors import InputError, IrrationalError, MapError, UnknownError
from piggycheck.expression import to_text
from piggycheck.fixed_points import FixedPoint, FixedPoints, approached, fixed_points, linearise, rational_matrix
from piggycheck.intervals import IntervalMatrix, Letter
from piggycheck.iteration import Iteration
from piggycheck.limits import Contraction, contracting
from piggycheck.linalg import simplest_between
from piggycheck.maps import Piece, SelectionSet
from piggycheck.stability import Contractive, Expansive, Open, decide
from piggycheck.switched import SwitchedSystem, Word
from piggycheck.transitions import ConewiseLinear, conewise_linear

__all__ = ["Subject"]

_ENCLOSURE_BITS = 64
_MIDDLE_BITS = 40


@dataclass
class Subject(About):
    """An iteration at given parameters, or a switched system.

    Parameters
    ----------
    iteration : Iteration, optional
    at : mapping, optional
        A value for each parameter of the iteration.
    given : SwitchedSystem, optional
        In place of an iteration.
    time_limit : float
        Seconds that each question about the joint spectral radius may take.
    known : FixedPoint, optional
        The fixed point that the claims are about, when it was found already.

    Raises
    ------
    InputError
        When neither or both are given, a parameter has no value, or the map has no value at the start.
    """

    iteration: Iteration | None = None
    at: Mapping[Any, Any] | None = None
    given: SwitchedSystem | None = None
    time_limit: float = 10.0
    known: FixedPoint | None = None

    def __post_init__(self) -> None:
        if (self.iteration is None) == (self.given is None):
            raise InputError("a claim is about an iteration or a switched system; give one of them")
        if self.iteration is not None:
            self.at = self.iteration.map.parameter_values(self.at or {})
            self.iteration.check(self.at)
            if self.iteration.start is not None:
                self.iteration.map.value({**self.iteration.start_at(self.at), **self.at})
        self.with_time(self.time_limit)

    # -- left wing ----------------------------------------------------------------------------------------------

    @cached_property
    def points(self) -> FixedPoints:
        """The fixed points of the iteration."""
        if self.known is not None:
            return FixedPoints((self.known,), False, "the fixed point was given")
        return fixed_points(self.iteration, self.at, time_limit=self.time_limit)

    @cached_property
    def point(self) -> FixedPoint:
        """The fixed point that the claims are about.

        Raises
        ------
        UnknownError
            When there is none, or it is not clear which.
        """
        if self.known is not None:
            return self.known
        if self.start_is_fixed:
            return FixedPoint(self.iteration.start_at(self.at), dict(self.at))
        if not self.points:
            known = "the iteration has no fixed point" if self.points.exhaustive else "no fixed point was found"
            raise UnknownError(known + (f" ({self.points.reason})" if self.points.reason else ""))
        point = approached(self.iteration, self.points)
        if point is None:
            listed = "; ".join(", ".join(f"{v} = {c}" for v, c in p.state.items()) for p in self.points[:4])
            raise UnknownError(f"there are {len(self.points)} fixed points ({listed}); give a start that leads to one")
        return point

    @cached_property
    def named_point(self) -> str:
        """How statements call the fixed point: by its coordinates, too, when a guess has picked it among several."""
        try:
            if self.start_is_fixed or len(self.points) < 2:
                return "the fixed point"
            return "the fixed point " + ", ".join(f"{v} = {c}" for v, c in self.point.state.items())
        except UnknownError:
            return "the fixed point"

    @cached_property
    def selection(self) -> SelectionSet:
        """The essentially active pieces at the fixed point."""
        selection = self.iteration.map.selection(self.point.point)
        self._require_continuity(selection.pieces)
        return selection

    @cached_property
    def active(self) -> tuple[Piece, ...]:
        """Every piece that the map can take near the fixed point, also where guards tie: the iterates' own pieces."""
        active = self.iteration.map.active(self.point.point)
        self._require_continuity(active)
        return active

    def _require_continuity(self, pieces: Sequence[Piece]) -> None:
        """Require that every piece maps the fixed point to itself.

        Raises
        ------
        UnknownError
            When one does not: the map jumps there, and no theorem applies.
        """
        map_, point = self.iteration.map, self.point.point
        for piece in pieces:
            for v, expression in zip(map_.state, map_.piece(piece.signature).expressions, strict=True):
                if sign(ALGEBRAIC.evaluate(expression, point) - point[v]) != 0:
                    raise UnknownError(
                        f"the map is not continuous at the fixed point: piece {piece.signature} moves `{v}`"
                    )

    @cached_property
    def start_is_fixed(self) -> bool:
        """Whether the start, at these parameters, is the fixed point itself."""
        if self.iteration.start is None:
            return False
        start = self.iteration.start_at(self.at)
        value = self.iteration.map.value({**start, **self.at})
        return all(sign(new - old) == 0 for new, old in zip(value, start.values(), strict=True))

    # -- the waist ----------------------------------------------------------------------------------------------

    @cached_property
    def system(self) -> SwitchedSystem:
        """The pairs of the selection set."""
        if self.given is not None:
            return self.given
        return linearise(self.iteration, self.point)

    @cached_property
    def is_irrational(self) -> bool:
        """Whether some Jacobian pair at the fixed point is irrational."""
        try:
            return self.system is None
        except IrrationalError:
            return True

    @cached_property
    def cones(self) -> ConewiseLinear:
        """The map near the fixed point, linear on cones; its letters stand for the selection set."""
        return conewise_linear(self.iteration.map, self.point, self.selection.pieces, self.active)

    @cached_property
    def active_system(self) -> SwitchedSystem:
        """The pairs of all active pieces: what a proof that the iterates converge rests on."""
        return self.given if self.given is not None else self.system_of(self.active)

    @cached_property
    def essential(self) -> tuple[int, ...]:
        """Indices of the pairs of `system` that were proved essentially active."""
        if self.given is not None:
            return tuple(range(len(self.given)))
        return tuple(i for i, piece in enumerate(self.selection.pieces) if piece.activity.essential)

    @cached_property
    def essential_system(self) -> SwitchedSystem:
        """The pairs that were proved essentially active, on which divergence rests."""
        if len(self.essential) == len(self.system):
            return self.system
        if not self.essential:
            raise UnknownError("no piece was proved essentially active at the fixed point")
        keep = self.essential
        return SwitchedSystem(
            tuple(self.system.A[i] for i in keep),
            tuple(self.system.B[i] for i in keep),
            tuple(self.system.names[i] for i in keep),
            True,
            self.system.J0,
        )

    @staticmethod
    def system_of(pieces: Sequence[Piece]) -> SwitchedSystem:
        """Put the pairs of some pieces into a switched system."""
        return SwitchedSystem(
            tuple(rational_matrix(piece.A, "A") for piece in pieces),
            tuple(rational_matrix(piece.B, "B") for piece in pieces),
            tuple(str(piece.signature) for piece in pieces),
            all(piece.activity.essential for piece in pieces),
        )

    def in_system(self, word: Word) -> Word:
        """Rename the letters of a word over `essential_system`, or the edges along a path, to letters of `system`."""
        if self.given is not None:
            return self.given.letters_along(word)
        return tuple(self.essential[letter] for letter in word)

    # -- right wing ---------------------------------------------------------------------------------------------

    def radius(
        self,
        rate: fmpq | None = None,
        *,
        of: SwitchedSystem | None = None,
        trees_only: bool = False,
        time_limit: float = math.inf,
    ) -> Contractive | Expansive | Open:
        """Ask whether the joint spectral radius is below 1, or at most `rate`: of the selection set, or of others.

        Where a graph constrains the words, their letters are its edges. With `trees_only` a proof is a word tree; the
        time limit is at most what is left. The selection set may be a superset; an *expansive* answer is a theorem
        only for `essential_system`.
        """
        system = (self.system if of is None else of).unfolded()
        key = (rate, trees_only, tuple(str(A) for A in system.A))
        if key not in self._radii:
            seconds = max(min(self.remaining, time_limit), 0.1)
            self._radii[key] = decide(system, rate, time_limit=seconds, trees_only=trees_only)
        return self._radii[key]

    @cached_property
    def contraction(self) -> Contraction:
        """A proof that the pairs of `system` contract, with a ball around their piggyback set."""
        return contracting(self.system, time_limit=max(self.remaining, 0.1))

    @cached_property
    def essential_contraction(self) -> Contraction:
        """The same for `essential_system`, whose piggyback set is a part of that."""
        if self.essential_system is self.system:
            return self.contraction
        return contracting(self.essential_system, time_limit=max(self.remaining, 0.1))

    def lower(self, answer: Contractive | Open, of: SwitchedSystem | None = None) -> fmpq | None:
        """Return the lower bound that came with an answer, unless that was about a superset."""
        system = self.system if of is None else of
        return answer.lower.rate_lower if system.exact else None

    @cached_property
    def _radii(self) -> dict:
        return {}

    # -- what certificates and derivations say of the subject ----------------------------------------------------

    def certificate_parts(self, pieces: Sequence[Piece] | None = None) -> dict[str, Any]:
        """Return the parts of a certificate that state what it is about.

        Parameters
        ----------
        pieces : sequence of Piece, optional
            Those that the letters of the witness stand for; the selection set by default.
        """
        if self.given is not None:
            return {"switched": _switched_part(self.given), "J0": self.given.J0}
        state = {v: _stated(f"the fixed point {v}", c) for v, c in self.point.state.items()}
        built = [self.iteration.map.piece(piece.signature) for piece in self.active]
        require_visible_values(self.iteration.map, built, self.point.point)
        require_visible_ties(built, self.point.point)
        self._require_visible_start()
        return {
            **self.map_parts(),
            "fixed_point": state,
            "pieces": [self._piece_part(piece) for piece in (self.selection.pieces if pieces is None else pieces)],
        }

    def _require_visible_start(self) -> None:
        """Require that the start has derivatives, and that enclosures show where it is and which guards vanish."""
        if self.iteration.start is None:
            return
        start, point = self.iteration.start_map, {**dict.fromkeys(self.iteration.map.state, sp.Integer(0)), **self.at}
        try:
            built = [start.piece(piece.signature) for piece in start.active(point)]
        except MapError as error:
            raise UnknownError(f"the start has no derivative at these parameters: {error}") from None
        if self.start_is_fixed:
            require_visible_values(start, built, point)
        require_visible_ties(built, point)

    def _piece_part(self, piece: Piece) -> dict[str, Any]:
        direction = piece.activity.direction if piece.activity.essential else None
        return {
            "A": enclosures(piece.A) if self.is_irrational else rational_matrix(piece.A),
            "B": enclosures(piece.B) if self.is_irrational else rational_matrix(piece.B),
            "direction": None if direction is None else [str(entry) for entry in direction],
        }

    def map_parts(self) -> dict[str, Any]:
        """Return the map, the parameters and the start, as certificates hold them."""
        start = self.iteration.start
        return {
            "map": self.map_part(),
            "at": {v: _stated(f"the parameter {v}", c) for v, c in self.at.items()},
            "start": None
            if start is None
            else {v: to_text(e) for v, e in zip(self.iteration.map.state, start, strict=True)},
        }

    def map_part(self) -> dict[str, Any]:
        """Return the map alone, as certificates hold it."""
        map_ = self.iteration.map
        return {
            "state": [str(v) for v in map_.state],
            "parameters": [str(v) for v in map_.parameters],
            "next": [to_text(e) for e in map_.next],
        }

    def opening(self, *, pieces: bool = True) -> Derivation:
        """Begin a derivation: what the claim is about, the fixed point, the pieces there."""
        derivation = Derivation()
        if self.given is not None:
            derivation.record(SwitchedStep(self.given.A, self.given.B, self.given.J0, self.given.graph))
            return derivation
        map_ = self.iteration.map
        derivation.record(MapStep(self.iteration.name, map_.state, map_.parameters, map_.next, self.iteration.start))
        if pieces:
            derivation.record(FixedPointStep(self.point.state, self.point.at, self.start_is_fixed))
            derivation.record(self._pieces_step())
        return derivation

    def _pieces_step(self) -> PiecesStep:
        system = self.system
        return PiecesStep(
            system.names,
            tuple(_tied(self.iteration.map, piece, self.point) for piece in self.selection.pieces),
            system.A,
            system.B,
            self.selection.exact,
        )

    def listed_pieces(self) -> list[dict[str, Any]]:
        """Return the pieces that the letters of words stand for, as text; empty when they are not known."""
        try:
            system = self.system
        except UnknownError:
            return []
        names = system.names or [""] * len(system)
        return [
            {"signature": name, "A": as_text(_rows(A)), "B": as_text(B)}
            for name, (A, B) in zip(names, system.pairs, strict=True)
        ]

    def enclosed(self, pieces: Sequence[Piece]) -> SwitchedSystem:
        """Enclose irrational pieces: a system of interval matrices that contain their matrices A."""
        A = tuple(_interval_matrix(enclosures(piece.A)) for piece in pieces)
        B = tuple(fmpq_mat(piece.B.rows, piece.B.cols) for piece in pieces)
        names = tuple(str(piece.signature) for piece in pieces)
        return SwitchedSystem(A, B, names, all(piece.activity.essential for piece in pieces))


def enclosures(M: sp.ImmutableMatrix) -> list[list[tuple[fmpq, fmpq]]]:
    """Enclose the entries of a matrix of exact real constants.

    All of them with some room: where irrational terms cancel, as sympy sees, an enclosure term by term has a width.
    """
    room = fmpq(1, 2**_ENCLOSURE_BITS)
    bounds = ([enclosure(entry, 2 * _ENCLOSURE_BITS) for entry in row] for row in M.tolist())
    return [[(low - room, high + room) for low, high in row] for row in bounds]


def _interval_matrix(rows: list[list[tuple[fmpq, fmpq]]]) -> IntervalMatrix:
    """An interval matrix around the given bounds, in numbers with few digits."""
    middles = [[_middle(*bounds) for bounds in row] for row in rows]
    widths = [
        [_rounded_up(max(c - low, high - c)) for (low, high), c in zip(row, line, strict=True)]
        for row, line in zip(rows, middles, strict=True)
    ]
    return IntervalMatrix(fmpq_mat(middles), fmpq_mat(widths))


def _middle(low: fmpq, high: fmpq) -> fmpq:
    """A rational number with a small denominator, close to an interval."""
    slack = fmpq(1, 2**_MIDDLE_BITS)
    return simplest_between(low - slack, high + slack)


def _rounded_up(width: fmpq) -> fmpq:
    scale = 2**_ENCLOSURE_BITS
    return fmpq((width * scale).ceil()) / scale


def _rows(A: Letter) -> Any:
    """A matrix as certificates hold it; entries between bounds are pairs."""
    return A.bounds() if isinstance(A, IntervalMatrix) else A


def _switched_part(system: SwitchedSystem) -> dict[str, Any]:
    part: dict[str, Any] = {"A": [_rows(A) for A in system.A], "B": system.B}
    return {**part, "graph": system.graph} if system.graph else part


def _tied(map_: Any, piece: Piece, point: FixedPoint) -> tuple[tuple[int, sp.Expr], ...]:
    """The conditions of a piece whose guards vanish at the point."""
    conditions = map_.piece(piece.signature).conditions
    return tuple((sign, guard) for sign, guard in conditions if guard.subs(point.point).equals(0))


def _stated(name: str, number: sp.Expr) -> fmpq:
    """Return a number that a certificate states."""
    try:
        return rational(number)
    except IrrationalError:
        raise IrrationalError(f"{name} = {number} is irrational, and certificates hold rational numbers") from None

"""The pieces of a structured map that meet at an exact point, found by following every option of every tied guard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import to_sympy
from piggycheck.arrays import EXACT, Enclosed
from piggycheck.errors import UnknownError
from piggycheck.feasibility import Infeasible, feasible_point
from piggycheck.linalg import block_matrix
from piggycheck.maps.affinity import affine_nodes
from piggycheck.maps.base import Activity, Piece, Signature
from piggycheck.maps.nodes import ArrayParameter, Cotangents, Node, Signs
from piggycheck.maps.symbolic import MAX_PIECES
from piggycheck.maps.ties import Condition, Option, Place, places

if TYPE_CHECKING:
    from piggycheck.maps.structured import StructuredMap, StructuredMoment

__all__ = ["Meeting", "StructuredPiece"]


class StructuredPiece(Piece):
    """A piece of a structured map at a point, whose Jacobian pair is computed when it is asked for.

    Attributes
    ----------
    matrices : tuple of fmpq_mat
        The Jacobian pair as rational matrices.
    """

    def __init__(self, moment: StructuredMoment, signature: Signature, activity: Activity):
        for name, value in (("moment", moment), ("signature", signature), ("activity", activity)):
            object.__setattr__(self, name, value)

    @cached_property
    def matrices(self) -> tuple[fmpq_mat, fmpq_mat]:
        bound, signature = self.moment.bound, self.signature
        A = self.moment.forward(Enclosed(EXACT.identity(bound.map.dimension)), None, signature).centre
        if not bound.map.columns:
            return A, fmpq_mat(A.nrows(), 0)
        return A, self.moment.forward(None, bound.directions(), signature).centre

    @cached_property
    def A(self) -> sp.ImmutableMatrix:
        return _to_sympy(self.matrices[0])

    @cached_property
    def B(self) -> sp.ImmutableMatrix:
        return _to_sympy(self.matrices[1])


def _to_sympy(M: fmpq_mat) -> sp.ImmutableMatrix:
    return sp.ImmutableMatrix(M.nrows(), M.ncols(), [to_sympy(entry) for entry in M.entries()])


_Row = tuple[fmpq_mat, bool]
"""The gradient of a tied guard in state and parameters, as a row, and whether the guard is affine in them."""

_Picked = tuple[tuple[Place, Option], ...]


class Meeting:
    """What meets at an exact point of a structured map.

    Parameters
    ----------
    map_ : StructuredMap
    point : mapping
        As `StructuredMap.selection`.

    Raises
    ------
    UnknownError
        When something there is irrational, a tied guard is not differentiable, or too many pieces meet.
    """

    def __init__(self, map_: StructuredMap, point: Mapping[Any, Any]):
        x, at = map_.point(point)
        self.map = map_
        self.moment: StructuredMoment = map_.bind(at, EXACT)(Enclosed(x))
        self.signs = {node: self.moment.nodes[node].signs for node in map_.switching}
        self.places: list[Place] = []
        for node in map_.switching:
            if 0 in self.signs[node]:
                inputs = [self.moment.values[read] for read in node.inputs]
                self.places += places(node, self.moment.nodes[node], inputs)
        self._read: dict[Node, set[Node]] = {}
        self._rows: dict[tuple, _Row] = {}
        self._right_inverses: dict[tuple[int, ...], fmpq_mat | None] = {}

    def essentially_active(self) -> list[StructuredPiece]:
        """List the pieces that are essentially active, or may be."""
        found = self._listed(self._followed((), interior=True))
        pieces = [self._piece(picked, self._activity(rows)) for picked, rows in found]
        return [piece for piece in pieces if piece.activity.essential is not False]

    def active(self) -> list[StructuredPiece]:
        """List the pieces whose closed region contains the point, as far as this is not disproved."""
        found = []
        for picked, rows in self._listed(self._followed((), interior=False)):
            on_guard = any(sign == 0 for sign, _, _ in rows)
            found.append(self._piece(picked, Activity(False) if on_guard else self._activity(rows)))
        return found

    @property
    def picks_are_branches(self) -> bool:
        """Whether what the chain rule can pick are branches: no function meets a tied guard twice on one way."""
        return all(place.is_tree for place in self.places)

    def chain_rule(self) -> list[StructuredPiece]:
        """List what is left when each tied guard picks on its own, once for each Jacobian pair."""
        found: dict[tuple, StructuredPiece] = {}
        for picked, _ in self._listed(self._followed((), interior=False, consistent=False)):
            piece = self._piece(picked, Activity(None))
            found.setdefault(piece.pair, piece)
        return list(found.values())

    @staticmethod
    def _listed(found: Iterator[tuple]) -> list[tuple]:
        listed = []
        for entry in found:
            listed.append(entry)
            if len(listed) > MAX_PIECES:
                raise UnknownError(f"more than {MAX_PIECES} pieces meet at this point; they are not listed")
        return listed

    def _followed(
        self, picked: _Picked, rows: tuple = (), *, interior: bool, consistent: bool = True
    ) -> Iterator[tuple[_Picked, tuple]]:
        """Follow the options of the next place; leave out those that contradict the earlier ones."""
        if len(picked) == len(self.places):
            yield picked, rows
            return
        place = self.places[len(picked)]
        for option in place.options:
            more = self._rows_of(place, option, picked, interior)
            if more is None or (consistent and more and self._contradictory(rows + more)):
                continue
            chosen = (*picked, (place, option))
            yield from self._followed(chosen, rows + more, interior=interior, consistent=consistent)

    def _rows_of(self, place: Place, option: Option, picked: _Picked, interior: bool) -> tuple | None:
        """The signed gradients of an option's guards; None when it is not followed.

        A guard that vanishes identically has the sign 0 and no say; else this sign is for branches of its own alone.
        """
        found = []
        for condition, sign, is_joined in option.conditions:
            key, (row, is_affine) = self._row(place, condition, picked)
            if is_affine and all(entry == 0 for entry in row.entries()):
                if sign != 0:
                    return None
                continue
            if sign == 0 and (interior or is_joined):
                return None
            found.append((sign, is_joined and not interior, key))
        return tuple(found)

    def _row(self, place: Place, condition: Condition, picked: _Picked) -> tuple[tuple, _Row]:
        """The gradient of a tied guard, given what the places before it picked."""
        upstream = self._upstream(place.node)
        key = (condition, *(option for earlier, option in picked if earlier.node in upstream))
        if key not in self._rows:
            signs = self._chosen(picked)
            received = {
                read: part for read, part in zip(place.node.inputs, condition.gradient, strict=True) if part is not None
            }
            sink = Cotangents(self.moment.bound.context)
            in_state = self.moment.pulled_back(received, signs, sink)
            parts = [in_state, *(_flat(sink, p) for p in self.map.declared)]
            is_affine = condition.is_affine and affine_nodes(self.map.nodes, signs).issuperset(received)
            self._rows[key] = block_matrix([[part] for part in parts]).transpose(), is_affine
        return key, self._rows[key]

    def _upstream(self, node: Node) -> set[Node]:
        """Everything that a node is computed from."""
        if node not in self._read:
            self._read[node] = set(node.inputs).union(*(self._upstream(read) for read in node.inputs))
        return self._read[node]

    def _chosen(self, picked: _Picked) -> dict[Node, Signs]:
        signs = {node: list(found) for node, found in self.signs.items()}
        for place, option in picked:
            signs[place.node][place.start : place.start + len(option.signs)] = option.signs
        return {node: tuple(found) for node, found in signs.items()}

    def _piece(self, picked: _Picked, activity: Activity) -> StructuredPiece:
        signs = self._chosen(picked)
        signature = Signature(sign for node in self.map.switching for sign in signs[node])
        return StructuredPiece(self.moment, signature, activity)

    # -- whether signed guards can hold together ---------------------------------------------------------------

    def _activity(self, rows: Sequence[tuple]) -> Activity:
        """Decide essential activity from the signed gradients of the tied guards."""
        size = self.map.dimension + self.map.columns
        if not rows:
            return Activity(True, tuple(sp.Integer(int(i == 0)) for i in range(size)))
        inverse = self._right_inverse([key for _, _, key in rows])
        if inverse is not None:
            direction = (inverse * fmpq_mat(len(rows), 1, [sign for sign, _, _ in rows])).entries()
            return Activity(True, tuple(map(to_sympy, direction)))
        signed = [(sign * self._rows[key][0]).entries() for sign, _, key in rows]
        outcome = feasible_point([], [], [(row, fmpq(0)) for row in signed], size)
        if not isinstance(outcome, Infeasible):
            return Activity(True, tuple(map(to_sympy, outcome.point)))
        return Activity(False if self._is_contradiction(outcome, rows) else None)

    def _contradictory(self, rows: Sequence[tuple]) -> bool:
        """Whether no point near this one gives the guards these signs, as far as affine guards prove it."""
        if self._right_inverse([key for _, _, key in rows]) is not None:
            return False
        ordered = sorted(rows, key=_kind)
        kinds: list[list] = [[], [], []]
        for entry in ordered:
            sign, _, key = entry
            kinds[_kind(entry)].append((((sign or 1) * self._rows[key][0]).entries(), fmpq(0)))
        outcome = feasible_point(*kinds, self.map.dimension + self.map.columns)
        return isinstance(outcome, Infeasible) and self._is_contradiction(outcome, ordered)

    def _is_contradiction(self, outcome: Infeasible, rows: Sequence[tuple]) -> bool:
        """Whether the guards that take part are affine: then their combination vanishes identically."""
        pairs = zip(outcome.multipliers, rows, strict=True)
        return all(self._rows[key][1] for multiplier, (_, _, key) in pairs if multiplier != 0)

    def _right_inverse(self, keys: Sequence[tuple]) -> fmpq_mat | None:
        """A matrix R with ``G R = I`` for the gradients G, when they are independent."""
        known = tuple(keys)
        if known not in self._right_inverses:
            G = block_matrix([[self._rows[key][0]] for key in known])
            self._right_inverses[known] = _right_inverse(G)
        return self._right_inverses[known]


def _kind(row: tuple) -> int:
    """Whether a signed gradient stands for an equality (0), an inequality (1) or a strict one (2)."""
    sign, is_weak, _ = row
    return 0 if sign == 0 else 1 if is_weak else 2


def _flat(sink: Cotangents, parameter: Any) -> fmpq_mat:
    """What a parameter received, as a column."""
    if isinstance(parameter, ArrayParameter):
        found = sink.matrices.get(parameter.name)
        return fmpq_mat(parameter.size, 1, found.entries() if found is not None else [0] * parameter.size)
    return fmpq_mat([[sink.scalars.get(parameter, fmpq(0))]])


def _right_inverse(G: fmpq_mat) -> fmpq_mat | None:
    count = G.nrows()
    reduced, rank = G.rref()
    if rank < count:
        return None
    pivots = [next(j for j in range(G.ncols()) if reduced[i, j] != 0) for i in range(count)]
    inverse = fmpq_mat([[G[i, j] for j in pivots] for i in range(count)]).inv()
    R = fmpq_mat(G.ncols(), count)
    for i, j in enumerate(pivots):
        for k in range(count):
            R[j, k] = inverse[i, k]
    return R

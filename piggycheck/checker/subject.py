"""What a certificate is about: a map, matrices, or the pieces of a map at a fixed point, found again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property

from .boxes import Box, box
from .intervals import ONE, Interval
from .jets import Jet
from .matrices import Matrix, combine, matrix, times, within
from .pieces import MOST_PATTERNS, Patterns, beside, evaluate
from .program import Program, require_name
from .reading import Data, Refused, Unreadable, array, fields, integer, number, numbers, say_point, text

Pair = tuple[Matrix, Matrix]


class Map:
    """x -> F(x, theta), the parameters at which it is examined, and where it starts."""

    def __init__(self, certificate: Data, at_needed: bool) -> None:
        data = fields(certificate["map"], "map", ("state", "parameters", "next"))
        self.state = [text(name, "map.state") for name in array(data["state"], "map.state")]
        self.parameters = [text(name, "map.parameters") for name in array(data["parameters"], "map.parameters")]
        self.names = self.state + self.parameters
        if len(set(self.names)) < len(self.names) or not self.state or len(self.names) > 400:
            raise Unreadable("`map`: names are not distinct, or none is in the state, or more than 400")
        for name in self.names:
            require_name(name, "map")
        self.program = Program(self.names)
        self.next = [self.program.read(e) for e in array(data["next"], "map.next", len(self.state))]
        self.at: dict[str, Fraction] = {}
        if "at" in certificate or at_needed:
            self.at = numbers(certificate.get("at"), "at", self.parameters)
        self.start: list[int] | None = None
        if "start" in certificate:
            start = fields(certificate["start"], "start", self.state)
            self.program.names = self.parameters
            self.start = [self.program.read(start[name]) for name in self.state]

    def where(self) -> str:
        """The parameters at which the map is examined, as text."""
        return f" at {say_point(self.at)}" if self.at else ""

    def jets(self, point: Mapping[str, Fraction | Interval], moving: Sequence[str] = ()) -> dict[str, Jet]:
        """The names as jets at a point; the moving ones have a displacement each, in their order."""
        jets = {name: Jet({(): x if isinstance(x, Interval) else Interval(x)}) for name, x in point.items()}
        return jets | {name: jets[name] + Jet({(i,): ONE}) for i, name in enumerate(moving)}

    def value(self, nodes: Sequence[int], point: Mapping[str, Fraction | Interval]) -> list[Interval]:
        """Values of nodes at a point."""
        return [jet.value for jet in evaluate(self.program, nodes, self.jets(point), beside(()))]

    def require_derivatives(
        self, nodes: Sequence[int], point: Mapping[str, Fraction | Interval], moving: Sequence[str]
    ) -> None:
        """Refuse a point near which a piece has no derivative; only a square root has values and no derivative at 0."""
        if any(node.kind == "sqrt" for node in self.program.nodes):
            for _ in Patterns().run(self.program, nodes, self.jets(point, moving)):
                pass

    def is_fixed(self, values: Sequence[Interval], x: Mapping[str, Fraction]) -> bool:
        """Whether values of the state are exactly a point."""
        return all(v.exact and v.lo == x[name] for v, name in zip(values, self.state, strict=True))


class Subject:
    """The listed matrices; by themselves, those of a switched system, in which all pieces are active."""

    def __init__(self, listed: Sequence[Data], p: int, m: int, certificate: Data) -> None:
        if len(listed) > MOST_PATTERNS or p > 400:
            raise Unreadable("too many pieces, or too large ones")
        self.p, self.m = p, m
        self.A = [matrix(piece["A"], "A", p, p, intervals=True) for piece in listed]
        self.B = [matrix(piece["B"], "B", p, m, intervals=True) for piece in listed]
        self.active = [True] * len(listed)
        self.J0: Matrix | None = matrix(certificate["J0"], "J0", p, m) if "J0" in certificate else None

    def __str__(self) -> str:
        uncertain = any(box.radius for box in self.boxes)
        return f"the {len(self.A)} given matrices" + (", whatever they are between their bounds," if uncertain else "")

    def require_all_pieces(self) -> None:
        """Refuse a list that is not complete."""

    def word(self, data: object, active: bool = False) -> list[int]:
        """Read a word; with active=True, of pieces proved essentially active."""
        letters = [integer(letter, "word", 0, len(self.A) - 1) for letter in array(data, "word")]
        if not 0 < len(letters) <= 10_000:
            raise Unreadable("a word is empty, or too long")
        if active and not all(self.active[i] for i in letters):
            raise Refused("a letter of the word is a piece without a direction that proves it essentially active")
        return letters

    @cached_property
    def boxes(self) -> list[Box]:
        """The matrices A, as proofs take them."""
        return [box(A) for A in self.A]

    def product(self, word: Sequence[int]) -> Pair:
        """The pair of the composition along a word, its first letter acting first."""
        A, B = self.A[word[0]], self.B[word[0]]
        for i in word[1:]:
            A, B = times(self.A[i], A), combine(times(self.A[i], B), ONE, self.B[i])
        return A, B


class FixedPoint(Subject):
    """The pieces of a map at a fixed point."""

    def __init__(self, certificate: Data, pieces_needed: bool) -> None:
        self.map = Map(certificate, at_needed=True)
        self.x = numbers(certificate["fixed_point"], "fixed_point", self.map.state)
        self.point = {**self.x, **self.map.at}
        listed = array(certificate["pieces"] if pieces_needed else certificate.get("pieces", []), "pieces")
        if pieces_needed and not listed:
            raise Unreadable("`pieces`: none")
        listed = [fields(piece, "piece", ("A", "B", "direction")) for piece in listed]
        super().__init__(listed, len(self.map.state), len(self.map.parameters), certificate)
        if not self.map.is_fixed(self.map.value(self.map.next, self.point), self.x):
            raise Refused(f"{say_point(self.x)} is not fixed, or its image is not computed exactly")
        self.active = [self.check_direction(i, piece["direction"]) for i, piece in enumerate(listed)]
        unproved = {i for i, active in enumerate(self.active) if not active}
        for A, B in self.pieces(interior=False) if unproved else ():
            unproved -= {i for i in unproved if within(A, self.A[i]) and within(B, self.B[i])}
        if unproved:
            raise Refused(f"piece {min(unproved)} is no piece of the map at the fixed point")

    def __str__(self) -> str:
        at = f" ({say_point(self.map.at)})" if self.map.at else ""
        return f"the pieces at the fixed point {say_point(self.x)}{at}"

    def pair(self, jets: Sequence[Jet]) -> Pair:
        """The Jacobian pair [A B] of a piece."""
        slopes = [jet.slopes(self.p + self.m) for jet in jets]
        return [row[: self.p] for row in slopes], [row[self.p :] for row in slopes]

    def require_fixed(self, outputs: Sequence[Jet] | None) -> Sequence[Jet]:
        """Refuse a piece that has no value, or none that is the fixed point."""
        if outputs is None:
            raise Refused("no branch of a Piecewise applies somewhere near the fixed point")
        if not self.map.is_fixed([jet.value for jet in outputs], self.x):
            raise Refused("a piece does not map the fixed point to itself: the map is not continuous there")
        return outputs

    def check_direction(self, i: int, data: object) -> bool:
        """Whether a piece has a direction; along it, its pair must be met."""
        if data is None:
            return False
        direction = [number(d, "direction") for d in array(data, "direction", self.p + self.m)]
        jets = self.map.jets(self.point, self.map.names)
        A, B = self.pair(self.require_fixed(evaluate(self.map.program, self.map.next, jets, beside(direction))))
        if not (within(A, self.A[i]) and within(B, self.B[i])):
            raise Refused(f"piece {i}: its A and B are not those along its direction")
        return True

    @cached_property
    def selection(self) -> list[Pair]:
        """Jacobian pairs of all pieces whose region may have inner points in every neighbourhood of the fixed point."""
        return self.pieces(interior=True)

    def pieces(self, interior: bool) -> list[Pair]:
        """Jacobian pairs of all pieces met near the fixed point, with interior=False also on zero sets of guards."""
        jets = self.map.jets(self.point, self.map.names)
        patterns = Patterns(interior=interior).run(self.map.program, self.map.next, jets)
        return [self.pair(self.require_fixed(pattern.outputs)) for pattern in patterns]

    @property
    def chain_rule_set(self) -> list[Pair]:
        """Jacobian pairs for all independent choices of outcomes, consistent or not."""
        jets = self.map.jets(self.point, self.map.names)
        patterns = Patterns(chain_rule=True).run(self.map.program, self.map.next, jets)
        return [self.pair(pattern.outputs) for pattern in patterns if pattern.outputs is not None]

    def require_all_pieces(self) -> None:
        """Refuse a list in which a piece of the map is missing."""
        for A, B in self.selection:
            if not any(within(A, X) and within(B, Y) for X, Y in zip(self.A, self.B, strict=True)):
                raise Refused("a piece of the map at the fixed point is not in the list")

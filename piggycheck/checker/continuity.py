"""Continuity of a map on the whole space."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from itertools import combinations

from .conditions import agree, impossible
from .intervals import ONE, Interval
from .jets import Jet
from .pieces import Gap, Patterns, beside, evaluate
from .reading import Data, Refused, array, fields, number, numbers, say_point
from .subject import Map


class Continuity:
    """Which nodes are continuous functions of all variables on the whole space.

    Sums, products and the like of continuous nodes are, and Abs, Max, Min. Of other nodes all pieces are compared:
    where two closed regions meet, the pieces must agree. First with the continuous switches and the irrational
    constants inside as independent variables, then with everything written out. Parameters may have values.
    """

    def __init__(self, map_: Map, at: Mapping[str, Fraction] | None = None) -> None:
        self.program, at = map_.program, at or {}
        moving = [name for name in map_.names if name not in at]
        self.jets = map_.jets({**dict.fromkeys(map_.names, Fraction(0)), **at}, moving)
        self.known: dict[int, bool] = {}

    def proved(self, i: int) -> bool:
        """Whether a node is continuous; that of a condition, whether all its guards are."""
        if i not in self.known:
            kind, parts, _ = self.program.nodes[i]
            children = set(map(self.proved, parts)) <= {True}
            two_values = kind == "switch" and len(set(parts[1:])) < 3
            if kind in ("relation", "truth", "and", "or", "not"):
                self.known[i] = children
            elif children and (two_values or kind in ("number", "name", "sum", "product", "negative", "power", "exp")):
                self.known[i] = True
            else:
                self.known[i] = self.pieces_agree(i, self.inside(i)) or self.pieces_agree(i, {})
        return self.known[i]

    def inside(self, i: int) -> dict[int, Jet]:
        """The continuous switches and the irrational constants below a node, as new variables."""
        below, found = list(self.program.nodes[i].parts), {}
        while below:
            j = below.pop()
            kink = self.program.nodes[j].kind in ("switch", "piecewise") and self.known[j]
            if kink or self.is_irrational(j):
                found[j] = Jet({(len(self.jets) + j,): ONE})
            elif j not in found:
                below.extend(self.program.nodes[j].parts)
        return found

    def is_irrational(self, i: int) -> bool:
        """Whether a node is a constant that is only enclosed."""
        below = [i]
        for j in below:
            kind, parts, _ = self.program.nodes[j]
            if kind not in ("number", "sum", "product", "negative", "power", "reciprocal", "sqrt", "exp", "log"):
                return False
            below.extend(parts)
        return not evaluate(self.program, [i], {}, beside(()))[0].rational

    def pieces_agree(self, i: int, given: Mapping[int, Jet]) -> bool:
        """Whether the pieces of a node are polynomials that cover the space and agree where they meet."""
        try:
            found = list(Patterns(everywhere=True).run(self.program, [i], self.jets, given))
        except Refused:
            return False
        pieces = [(pattern.outputs[0], pattern.conditions) for pattern in found if pattern.outputs]
        covered = all(pattern.outputs or impossible(pattern.conditions) for pattern in found)
        whole = all(jet.rational or (len(found) == 1 and not jet.cut) for jet, _ in pieces)
        return covered and whole and len(pieces) <= 200 and all(agree(*a, *b) for a, b in combinations(pieces, 2))


def continuous_proved(claim: Data, map_: Map, witness: Data) -> str:
    """Every coordinate is continuous."""
    continuity = Continuity(map_)
    for name, node in zip(map_.state, map_.next, strict=True):
        if not continuity.proved(node):
            raise Refused(f"the next `{name}` is not proved to be continuous")
    return "the map is continuous, and its pieces cover the space"


def continuous_refuted(claim: Data, map_: Map, witness: Data) -> str:
    """At a point the map has no value, or one that is not the limit along a direction."""
    if "gap" in witness:
        fields(witness, "witness", ("gap",))
        point = numbers(witness["gap"], "gap", map_.names)
        try:
            map_.value(map_.next, point)
        except Gap:
            return f"no branch of a Piecewise applies at {say_point(point)}"
        raise Refused("the map has a value at the point")
    fields(witness, "witness", ("point", "direction"))
    point = numbers(witness["point"], "point", map_.names)
    direction = [number(d, "direction") for d in array(witness["direction"], "direction", len(map_.names))]
    ray = {
        name: Jet({(): Interval(point[name]), (0,): Interval(d)}) for name, d in zip(map_.names, direction, strict=True)
    }
    limits = evaluate(map_.program, map_.next, ray, beside([Fraction(1)]))
    if not any(v.apart(limit.value) for v, limit in zip(map_.value(map_.next, point), limits, strict=True)):
        raise Refused("the limit along the direction is the value at the point, or this is not decided")
    return f"the map jumps at {say_point(point)}"

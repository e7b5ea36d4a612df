"""The limits of the derivatives, the chain rule, and fixed points."""

from __future__ import annotations

from fractions import Fraction

from .conditions import impossible
from .intervals import ONE, ZERO, Interval
from .jets import Jet
from .matrices import Matrix, combine, equal, matrix, say_matrix, times
from .pieces import Patterns
from .proofs import contraction
from .reading import Data, Refused, array, fields, number, numbers, say_point
from .subject import FixedPoint, Map, Subject


def derivative_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """One matrix is fixed by all pieces, and these contract."""
    X = matrix(witness["matrix"], "matrix", subject.p, subject.m)
    contraction(subject, witness)
    for A, B in zip(subject.A, subject.B, strict=True):
        if not equal(combine(times(A, X), ONE, B), X):
            raise Refused("the matrix is not fixed by all pieces, or this is not decided exactly")
    if "value" in claim and not equal(matrix(claim["value"], "claim.value", subject.p, subject.m), X):
        raise Refused("the matrix is not the claimed one")
    return f"the piggyback set of {subject} is the single matrix {say_matrix(X)}"


def derivative_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """Words of active pieces have fixed points that are not all the same, or not the claimed value."""
    contraction(subject, witness)
    found = []
    for data in array(witness["points"], "points"):
        data = fields(data, "point", ("word", "matrix"))
        A, B = subject.product(subject.word(data["word"], active=True))
        X = matrix(data["matrix"], "point.matrix", subject.p, subject.m)
        if not equal(combine(times(A, X), ONE, B), X):
            raise Refused("a matrix is not the fixed point of its word, or this is not decided exactly")
        found.append(X)
    if "value" in claim:
        found.append(matrix(claim["value"], "claim.value", subject.p, subject.m))
    if all(equal(X, found[0]) for X in found):
        raise Refused("the matrices do not contradict the claim")
    return f"the piggyback set of {subject} contains {', '.join(map(say_matrix, found[: len(witness['points'])]))}"


def chain_rule_proved(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """A pair is in the chain-rule set, and in no piece."""
    A = matrix(witness["A"], "A", subject.p, subject.p)
    B = matrix(witness["B"], "B", subject.p, subject.m)
    if not any(equal(A, X) and equal(B, Y) for X, Y in subject.chain_rule_set):
        raise Refused("the pair is not in the chain-rule set, or this is not decided exactly")
    for X, Y in subject.selection:
        if not any(a.apart(b) for rows in zip(A + B, X + Y, strict=True) for a, b in zip(*rows, strict=True)):
            raise Refused("the pair may be in the selection set")
    pair, hull = f"A = {say_matrix(A)}, B = {say_matrix(B)}", against_hull(subject, A, B, witness)
    return f"{pair} is in the chain-rule set, not in the selection set{hull}, of {subject}"


def against_hull(subject: FixedPoint, A: Matrix, B: Matrix, witness: Data) -> str:
    """What directions or weights prove of the convex hull of the selection set."""
    said = ""
    if "direction" in witness:
        data = fields(witness["direction"], "direction", ("A", "B"))
        C = matrix(data["A"], "direction.A", subject.p, subject.p) + matrix(
            data["B"], "direction.B", subject.p, subject.m
        )
        for X, Y in subject.selection:
            rows = zip(C, A + B, X + Y, strict=True)
            terms = (c * (a + -b) for row in rows for c, a, b in zip(*row, strict=True))
            if sum(terms, ZERO).lo <= 0:
                raise Refused("the direction does not separate the pair from the selection set")
        said = " or its convex hull"
    if "weights" in witness:
        weights = [number(a, "weights") for a in array(witness["weights"], "weights", len(subject.A))]
        if (
            min(weights) < 0
            or sum(weights) != 1
            or any(a and not on for a, on in zip(weights, subject.active, strict=True))
        ):
            raise Refused("weights are negative, do not sum to 1, or are those of pieces not proved essentially active")
        for M, pieces in ((A, subject.A), (B, subject.B)):
            for a, piece in zip(weights, pieces, strict=True):
                M = combine(M, Interval(-a), piece)
            if not all(entry.is_zero for row in M for entry in row):
                raise Refused("the pair is not the convex combination of the pieces")
        said += ", but in its convex hull"
    return said


def chain_rule_refuted(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """Every pair of the chain-rule set is that of an active piece."""
    active = [pair for on, *pair in zip(subject.active, subject.A, subject.B, strict=True) if on]
    for A, B in subject.chain_rule_set:
        if not any(equal(A, X) and equal(B, Y) for X, Y in active):
            raise Refused("a pair of the chain-rule set is that of no piece proved essentially active")
    return f"every pair of the chain-rule set is in the selection set of {subject}"


def fixed_point_proved(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The map sends the point to itself, which every subject at a fixed point does."""
    if "value" in claim and numbers(claim["value"], "claim.value", subject.map.state) != subject.x:
        raise Refused("the fixed point is not the claimed one")
    return f"{say_point(subject.x)} is a fixed point{subject.map.where()}"


def fixed_point_refuted(claim: Data, map_: Map, witness: Data) -> str:
    """The claimed point is not fixed; or no piece has a fixed point, by its conditions."""
    if "value" in claim:
        x = numbers(claim["value"], "claim.value", map_.state)
        values = map_.value(map_.next, {**x, **map_.at})
        if not any(v.apart(Interval(x[name])) for v, name in zip(values, map_.state, strict=True)):
            raise Refused("the claimed point is fixed, or that it is not is not decided")
        return f"{say_point(x)} is not a fixed point{map_.where()}"
    point = {**dict.fromkeys(map_.state, Fraction(0)), **map_.at}
    for pattern in Patterns(everywhere=True).run(map_.program, map_.next, map_.jets(point, map_.state)):
        moves = [jet + Jet({(i,): -ONE}) for i, jet in enumerate(pattern.outputs or [])]
        if moves and not impossible([*pattern.conditions, *((move, (0,)) for move in moves)]):
            raise Refused("on one piece a fixed point is not excluded")
    return f"there is no fixed point{map_.where()}"

"""Words that iterates follow when they converge to a fixed point without reaching it, the parameters fixed.

Close to the fixed point x, each piece that such iterates x + d meet sends d to A d, and d is in the closed cone in
which its guards have the right signs. So a word can occur only if some d passes through the cones of its letters, and
is never zero.
And a word does occur when d follows it strictly inside its pieces and comes back shorter.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations
from typing import NamedTuple

from .conditions import Condition, Signs, impossible
from .constrained import Along
from .definite import semidefinite
from .graphs import MOST_NODES, read_edges
from .intervals import Interval
from .jets import Jet
from .matrices import within
from .pieces import Decision, Pattern, Patterns, evaluate, outcome_of
from .reading import Data, Refused, array, integer, number
from .scaled import product, scaled, transposed
from .subject import FixedPoint, Pair

LONGEST_MEMORY = 12
MOST_PIECES = 200
MOST_PASSAGES = 20_000

Row = list[Fraction]
Rows = list[Row]
Word = tuple[int, ...]
CLOSED: dict[Signs, Signs] = {(1,): (0, 1), (0, 1): (0, 1), (-1,): (-1, 0), (-1, 0): (-1, 0), (0,): (0,)}


class Piece(NamedTuple):
    """A piece near the fixed point: d -> A d where each row of the closed cone has one of its signs."""

    pair: Pair
    A: Rows
    cone: list[tuple[Row, Signs]]


class Passage(NamedTuple):
    """Directions d that follow a word: under the conditions on d the image is M d."""

    word: Word
    conditions: list[Condition]
    M: Rows


def along_iterates(subject: FixedPoint, certificate: Data) -> Along:
    """The pieces along the stated graph, which has an edge for each word that can occur again and again."""
    memory = integer(certificate["memory"], "memory", 1, LONGEST_MEMORY)
    stated = read_edges(certificate["graph"], "graph", MOST_NODES, len(subject.A))
    require_continuity(pieces(subject, interior=False))
    words = recurrent({passage.word for passage in passages(subject, memory + 1)})
    nodes = sorted({node for w in words for node in (w[:-1], w[1:])})
    missing = {(nodes.index(w[:-1]), w[-1], nodes.index(w[1:])): w for w in words}
    for edge in stated:
        missing.pop(edge, None)
    if missing:
        word = " ".join(map(str, min(missing.values())))
        raise Refused(f"the word {word} is that of no edge, and not proved impossible")
    return Along(subject, stated, f"{subject}, along iterates that converge to it without reaching it,", active=False)


def pieces(subject: FixedPoint, interior: bool) -> list[Piece]:
    """The pieces near the fixed point, each evaluated again with the parameters fixed."""
    map_, found = subject.map, []
    for pattern in Patterns(interior=interior).run(map_.program, map_.next, map_.jets(subject.point, map_.names)):
        found.append(piece(subject, pattern, subject.pair(subject.require_fixed(pattern.outputs))))
        if len(found) > MOST_PIECES:
            raise Refused(f"more than {MOST_PIECES} pieces meet at the fixed point")
    return found


def piece(subject: FixedPoint, pattern: Pattern, pair: Pair) -> Piece:
    """A piece as a function of the state alone, in which its outputs and the guards that tie must be affine."""
    map_, steps = subject.map, iter(pattern.met)
    cone: list[tuple[Row, Signs]] = []

    def decide(switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
        met = next(steps)
        if met.tied and any(row := linear(guard, subject.p)) and met.outcome in CLOSED:
            cone.append((row, CLOSED[met.outcome]))
        return met.outcome

    outputs = evaluate(map_.program, map_.next, map_.jets(subject.point, map_.state), decide)
    return Piece(pair, [linear(jet, subject.p) for jet in outputs], cone)


def linear(jet: Jet, n: int) -> Row:
    """The slopes of a function that is affine with rational coefficients."""
    if not (jet.affine and jet.rational):
        raise Refused("near the fixed point, a piece or a guard is not affine in the state with rational coefficients")
    return [c.lo for c in jet.slopes(n)]


def require_continuity(found: Sequence[Piece]) -> None:
    """Refuse pieces that differ where their cones meet."""
    for p, q in combinations(found, 2):
        both = [condition(row, signs) for row, signs in p.cone + q.cone]
        if not vanishes(both, [[a - b for a, b in zip(*rows, strict=True)] for rows in zip(p.A, q.A, strict=True)]):
            raise Refused("near the fixed point the map is not proved to be continuous")


def passages(subject: FixedPoint, length: int) -> list[Passage]:
    """The words of a length that can occur, with each way through the pieces."""
    listed = [(letter(subject, p.pair), p) for p in pieces(subject, interior=True)]
    identity = [[Fraction(int(i == j)) for j in range(subject.p)] for i in range(subject.p)]
    found = [Passage((), [], identity)]
    for _ in range(length):
        found = [longer for passage in found for i, p in listed for longer in extended(passage, i, p)]
        if len(found) > MOST_PASSAGES:
            raise Refused(f"more than {MOST_PASSAGES} words of pieces can occur")
    return found


def letter(subject: FixedPoint, pair: Pair) -> int:
    """The first listed piece that contains a pair."""
    for i, (A, B) in enumerate(zip(subject.A, subject.B, strict=True)):
        if within(pair[0], A) and within(pair[1], B):
            return i
    raise Refused("a piece of the map at the fixed point is not in the list")


def extended(passage: Passage, i: int, p: Piece) -> Iterator[Passage]:
    """The passage by one more piece, unless no direction is left that is not sent to zero."""
    rows = ((multiplied([row], passage.M)[0], signs) for row, signs in p.cone)
    conditions = [*passage.conditions, *(condition(row, signs) for row, signs in rows if any(row))]
    M = multiplied(p.A, passage.M)
    if not vanishes(conditions, M):
        yield Passage((*passage.word, i), conditions, M)


def condition(row: Row, signs: Signs) -> Condition:
    """That row . d has one of the signs."""
    return Jet({(j,): Interval(c) for j, c in enumerate(row)}), signs


def vanishes(conditions: Sequence[Condition], M: Rows) -> bool:
    """Whether M d = 0 for all d that satisfy the conditions."""
    return all(impossible([*conditions, condition(row, (s,))]) for row in M if any(row) for s in (1, -1))


def multiplied(X: Rows, Y: Rows) -> Rows:
    """X Y."""
    columns = list(zip(*Y, strict=True))
    return [[sum((a * b for a, b in zip(row, c, strict=True) if a), Fraction(0)) for c in columns] for row in X]


def recurrent(words: set[Word]) -> set[Word]:
    """The words of an infinite path: those that no other can follow or precede are left out, again and again."""
    while True:
        starts, ends = {w[:-1] for w in words}, {w[1:] for w in words}
        left = {w for w in words if w[1:] in starts and w[:-1] in ends}
        if left == words:
            return words
        words = left


def realised_word(subject: FixedPoint, witness: Data) -> list[int]:
    """A word that iterates x + t d follow, where the map is smooth, for all small t > 0; they converge to x.

    Here d is any combination of the directions with weights that are not negative and not all 0: the sum of its weights
    shrinks in each round, and as the directions are independent, d never becomes 0.
    """
    word = subject.word(witness["word"])
    stated = array(witness["directions"], "directions")
    directions = [[number(c, "directions") for c in array(d, "directions", subject.p)] for d in stated]
    rows = array(witness["multipliers"], "multipliers", len(directions))
    multipliers = [[number(m, "multipliers") for m in array(row, "multipliers", len(directions))] for row in rows]
    D = scaled(directions)
    if not directions or not semidefinite(product(D, transposed(D)), definite=True):
        raise Refused("there is no direction, or they are not independent")
    if not all(min(row) >= 0 and 0 < sum(row) < 1 for row in multipliers):
        raise Refused("a multiplier is negative, or a sum of multipliers not between 0 and 1")
    images = directions
    for i in word:
        A = step(subject, i, images)
        images = multiplied(images, [list(column) for column in zip(*A, strict=True)])
    if images != multiplied(multipliers, directions):
        raise Refused("the word does not lead to the stated multiples of the directions")
    return word


def step(subject: FixedPoint, i: int, directions: Rows) -> Rows:
    """The matrix of the piece beside directions of the state, in which no guard vanishes; it must be that listed."""
    map_, sides = subject.map, [[*d, *[Fraction(0)] * subject.m] for d in directions]
    outputs = evaluate(map_.program, map_.next, map_.jets(subject.point, map_.names), between(sides))
    A, B = subject.pair(subject.require_fixed(outputs))
    if not (within(A, subject.A[i]) and within(B, subject.B[i])):
        raise Refused(f"a direction does not lead through piece {i}")
    fixed = evaluate(map_.program, map_.next, map_.jets(subject.point, map_.state), between(directions))
    return [linear(jet, subject.p) for jet in fixed]


def between(directions: Rows) -> Decision:
    """Take the outcomes on the side of all directions, which is that of their combinations."""

    def decide(switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
        signs = {guard.along(d) for d in directions}
        if len(signs) > 1:
            raise Refused("the directions are on different sides of a guard")
        if len(directions) > 1 and guard.value.is_zero and not guard.affine:
            raise Refused("a guard between the directions is not affine")
        return outcome_of(outcomes, signs.pop())

    return decide

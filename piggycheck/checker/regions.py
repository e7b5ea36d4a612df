"""Maps of parameter space: on each cell of a box of two unknowns all members of a family converge, or all diverge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from itertools import combinations, permutations
from typing import Any

from .boxes import positive_form
from .cells import Ends, Polynomial, expands, hulls, maps_inside, near, require_polygon, shrinks, sign_on
from .conditions import Signs
from .effort import begin
from .intervals import ONE, Interval
from .jets import Jet
from .pieces import MOST_PATTERNS, evaluate, outcome_of
from .program import Program
from .proofs import read_word
from .reading import Data, Refused, Unreadable, array, fields, integer, number, numbers, say, say_point, text
from .subject import Map

MOST_CELLS = 200_000
DEEPEST = 40
SHARE = 500  # cells that may cause as much work as another certificate
MEMORY = 6  # letters that are remembered
VERDICTS = ("converges", "diverges", "unstable", "undecided")

Entries = list[list[Polynomial]]


class Branch(Exception):
    """A guard that vanishes at the fixed point has no sign yet."""

    def __init__(self, key: Any) -> None:
        self.key = key


class Pieces:
    """The pieces at a point that is fixed for all values of two unknowns: matrices of polynomials in these."""

    def __init__(self, certificate: Data) -> None:
        self.unknowns = [text(name, "unknowns") for name in array(certificate["unknowns"], "unknowns", 2)]
        self.box = read_box(certificate["box"])
        self.map = Map({"map": certificate["map"]}, at_needed=False)
        if len(set(self.unknowns)) < 2 or not set(self.unknowns) <= set(self.map.parameters):
            raise Unreadable("`unknowns` are not two parameters of the map")
        others = [name for name in self.map.parameters if name not in self.unknowns]
        self.at = numbers(certificate["at"], "at", others)
        self.x = numbers(certificate["fixed_point"], "fixed_point", self.map.state)
        self.tied: dict[Any, Jet] = {}
        self.jacobian(evaluate(self.map.program, self.map.next, self.inputs(), self.decision(None)))  # it is fixed
        found = [self.jacobian(jets) for jets in self.branches()]
        self.require_independent()
        self.letters = [self.read(piece) for piece in array(certificate["pieces"], "pieces")]
        for A in found:
            if A not in self.letters:
                raise Refused("a piece of the map at the fixed point is not in the list")
        for i, A in enumerate(self.letters):
            if A not in found:
                raise Refused(f"piece {i} is no piece of the map at the fixed point")

    @property
    def n(self) -> int:
        """The number of state variables."""
        return len(self.map.state)

    def inputs(self) -> dict[str, Jet]:
        """The names as polynomials in the displacements of the state, and in the unknowns."""
        jets = {name: Jet({(): Interval(x), (i,): ONE}) for i, (name, x) in enumerate(self.x.items())}
        jets |= {name: Jet({(): Interval(value)}) for name, value in self.at.items()}
        return jets | {name: Jet({(self.n + k,): ONE}) for k, name in enumerate(self.unknowns)}

    def branches(self) -> Iterator[Sequence[Jet]]:
        """What the map is for each combination of signs of the guards that vanish at the fixed point."""
        inputs, waiting = self.inputs(), [dict[Any, int]()]
        for _ in range(MOST_PATTERNS):
            chosen = waiting.pop()
            try:
                yield evaluate(self.map.program, self.map.next, inputs, self.decision(chosen))
            except Branch as branch:
                waiting += [{**chosen, branch.key: sign} for sign in (1, -1)]
            if not waiting:
                return
        raise Refused(f"more than {MOST_PATTERNS} sign patterns")

    def decision(self, chosen: dict[Any, int] | None) -> Any:
        """Take the sign that a guard has for all members; where it vanishes a chosen one, or 0 at the point itself."""

        def decide(switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
            if not guard.rational:
                raise Refused("a guard is not a polynomial with rational coefficients")
            constant = self.coefficient(guard, ())
            if any(constant.values()):
                sign = sign_on(constant, self.box)
                if not sign:
                    raise Refused("the sign of a guard at the fixed point is not the same for all members")
                return outcome_of(outcomes, sign)
            if not guard.terms or chosen is None:
                return outcome_of(outcomes, 0)
            lead = guard.terms[min(guard.terms)].lo
            key = tuple(sorted((m, c.lo / lead) for m, c in guard.terms.items()))
            self.tied[key] = guard
            if key not in chosen:
                raise Branch(key)
            return outcome_of(outcomes, chosen[key] if lead > 0 else -chosen[key])

        return decide

    def coefficient(self, jet: Jet, displaced: tuple[int, ...]) -> dict[tuple[int, int], Fraction]:
        """The polynomial in the unknowns that stands with a product of displacements of the state."""
        found = {}
        for m, c in jet.terms.items():
            if tuple(i for i in m if i < self.n) == displaced:
                found[m.count(self.n), m.count(self.n + 1)] = c.lo
        return found

    def jacobian(self, jets: Sequence[Jet]) -> Entries:
        """The matrix of a piece, which must leave the fixed point where it is."""
        rows: Entries = []
        for jet, x in zip(jets, self.x.values(), strict=True):
            if not jet.rational:
                raise Refused("a piece is not a polynomial with rational coefficients in the unknowns")
            if self.coefficient(jet, ()) != ({(0, 0): x} if x else {}):
                raise Refused(f"{say_point(self.x)} is not fixed for all members")
            rows.append([self.coefficient(jet, (i,)) for i in range(self.n)])
        return rows

    def require_independent(self) -> None:
        """Refuse guards whose gradients may be dependent for a member: not all their signs may occur near the point."""
        gradients = [
            [Jet({m: c for m, c in guard.terms.items() if [k for k in m if k < self.n] == [i]}) for i in range(self.n)]
            for guard in self.tied.values()
        ]
        k = len(gradients)
        if k > 6:
            raise Refused("more than 6 guards vanish at the fixed point")
        for columns in combinations(range(self.n), k):
            minor = Jet({})
            for order in permutations(range(k)):
                part = Jet({(): Interval((-1) ** sum(order[i] > order[j] for j in range(k) for i in range(j)))})
                for gradient, j in zip(gradients, order, strict=True):
                    part = part * gradient[columns[j]]
                minor = minor + part
            if sign_on(self.coefficient(minor, columns), self.box):
                return
        raise Refused("the guards that vanish at the fixed point may have dependent gradients")

    def read(self, data: Any) -> Entries:
        """Read a matrix of polynomials in the unknowns."""
        program = Program(self.unknowns)
        rows = [[program.read(e) for e in array(row, "piece", self.n)] for row in array(data, "piece", self.n)]
        inputs = {name: Jet({(self.n + k,): ONE}) for k, name in enumerate(self.unknowns)}
        found: Entries = []
        for row in rows:
            jets = evaluate(program, row, inputs, no_decision)
            if not all(jet.rational for jet in jets):
                raise Unreadable("`piece`: an entry is not a polynomial in the unknowns")
            found.append([self.coefficient(jet, ()) for jet in jets])
        return found


def no_decision(switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
    """Refuse a kink."""
    raise Unreadable("`piece`: an entry is not a polynomial in the unknowns")


def read_box(data: Any) -> Ends:
    """Read the ends of the two unknowns."""
    ends = []
    for pair in array(data, "box", 2):
        low, high = (number(end, "box") for end in array(pair, "box", 2))
        if low >= high:
            raise Unreadable("`box`: the ends of a range are in the wrong order")
        ends.append((low, high))
    return ends[0], ends[1]


class Evidence:
    """What decides cells."""

    def __init__(self, data: Any, pieces: Pieces) -> None:
        fields(data, "evidence", ("kind", "data"))
        self.kind, listed = text(data["kind"], "evidence.kind"), array(data["data"], "evidence.data")
        n = pieces.n
        match self.kind:
            case "polygon" if n == 2:
                pairs = [array(v, "vertex", 2) for v in listed]
                if len(pairs) > 4096:
                    raise Unreadable("a polygon has more than 4096 vertices")
                self.vertices = [(whole_number(x), whole_number(y)) for x, y in pairs]
                require_polygon(self.vertices)
            case "forms" if len(listed) in {len(pieces.letters) ** power for power in range(MEMORY + 1)}:
                self.forms = [positive_form(P, "form", n) for P in listed]
            case "word":
                self.word = read_word(listed, len(pieces.letters))
            case _:
                raise Unreadable(f"`{self.kind[:40]}` is no kind of evidence, or not for this map")

    @property
    def verdict(self) -> str:
        """What it shows of the members of a cell."""
        return "converges" if self.kind != "word" else "unstable" if len(set(self.word)) == 1 else "diverges"

    def decides(self, pieces: Pieces, ends: Ends) -> bool:
        """Whether it holds on a cell."""
        if self.kind == "word":
            return expands([[[near(p, ends) for p in row] for row in M] for M in pieces.letters], self.word)
        matrices = hulls(pieces.letters, ends)
        if self.kind == "polygon":
            return all(maps_inside(self.vertices, A) for hull in matrices for A in hull)
        nodes = len(self.forms)  # words of the last letters: with one letter more the first is forgotten
        return all(
            shrinks(P, A, self.forms[(node * len(matrices) + letter) % nodes])
            for node, P in enumerate(self.forms)
            for letter, hull in enumerate(matrices)
            for A in hull
        )


def whole_number(data: Any) -> int:
    """Read an integer."""
    return integer(data, "vertex", -(10**400), 10**400)


def parameter_map(certificate: Data) -> str:
    """Every cell is decided as stated, no two overlap, and the areas are those claimed."""
    keys = ("map", "at", "unknowns", "box", "fixed_point", "pieces")
    fields(certificate, "certificate", ("format", "claim", "witness", *keys))
    claim = fields(certificate["claim"], "claim", ("kind", "verdict", "statement", *VERDICTS))
    text(claim["statement"], "claim.statement")
    witness = fields(certificate["witness"], "witness", ("method", "evidence", "cells"))
    pieces = Pieces(certificate)
    evidence = [Evidence(data, pieces) for data in array(witness["evidence"], "evidence")]
    (a, b), (c, d) = pieces.box
    areas = dict.fromkeys(VERDICTS, Fraction(0))
    listed = array(witness["cells"], "cells")
    if len(listed) > MOST_CELLS:
        raise Unreadable(f"more than {MOST_CELLS} cells")
    seen: set[tuple[int, int, int]] = set()
    for data in listed:
        if len(seen) % SHARE == 0:
            begin()  # a longer list may cause more work
        level, column, row, index = read_cell(data, len(evidence))
        if (level, column, row) in seen:
            raise Refused("a cell is listed twice")
        seen.add((level, column, row))
        width, height = (b - a) / 2**level, (d - c) / 2**level
        left, low = a + column * width, c + row * height
        if not evidence[index].decides(pieces, ((left, left + width), (low, low + height))):
            raise Refused(f"the cell {column}, {row} of level {level} is not decided by its evidence")
        areas[evidence[index].verdict] += width * height
    if any((k, i >> level - k, j >> level - k) in seen for level, i, j in seen for k in range(level)):
        raise Refused("two cells overlap")
    areas["undecided"] = (b - a) * (d - c) - sum(areas.values())
    if any(number(claim[verdict], verdict) != area for verdict, area in areas.items()):
        raise Refused("the areas are not the claimed ones")
    where = " x ".join(
        f"{name} [{say(low)}, {say(high)}]" for name, (low, high) in zip(pieces.unknowns, pieces.box, strict=True)
    )
    told = ", ".join(f"{verdict} {say(area)}" for verdict, area in areas.items())
    return f"at the fixed point {say_point(pieces.x)}, over {where}, the areas are: {told}"


def read_cell(data: Any, evidence: int) -> tuple[int, int, int, int]:
    """Read a cell: level, column, row, and the number of its evidence."""
    listed = array(data, "cell", 4)
    level = integer(listed[0], "cell", 0, DEEPEST)
    column, row = (integer(place, "cell", 0, 2**level - 1) for place in listed[1:3])
    return level, column, row, integer(listed[3], "cell", 0, evidence - 1)

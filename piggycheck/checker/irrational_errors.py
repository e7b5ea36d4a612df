"""Errors of iterates and derivatives along one affine piece whose numbers are made of square roots of rational ones."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property

from .convergence import MOST_ITERATIONS, Region
from .couplings import moved_by_state, repeat, require_no_guard
from .intervals import ONE, ZERO, Interval
from .jets import Jet
from .matrices import Matrix, characteristic_polynomial, combine, identity, times
from .pieces import Pattern, Patterns, beside, evaluate
from .radicals import constants, read_numbers, same
from .reading import Data, Refused, Unreadable, array, integer, text
from .subject import FixedPoint
from .tails import trapped

Errors = list[list[Interval]]


class Neighbourhood:
    """The pieces near the fixed point, exactly, by the method of a witness, and the errors."""

    def __init__(self, claim: Data, subject: FixedPoint, witness: Data) -> None:
        self.subject, self.map, self.witness = subject, subject.map, witness
        self.derivatives, self.method = claim["quantity"] == "derivatives", text(witness["method"], "method")
        if ("matrix" in witness) != (self.derivatives and self.method != "local"):
            raise Unreadable("`matrix` stands in the witness for derivatives, unless the method is local")
        if ("trap" in witness) != (self.method == "word_tree"):
            raise Unreadable("`trap` stands in the witness of a word tree")
        if (self.map.start is None) != (self.method == "local"):
            raise Unreadable("`start` is there exactly when the method is not local")
        self.first = integer(witness["iteration"], "iteration", 0, MOST_ITERATIONS)

    @cached_property
    def still(self) -> dict[int, Jet]:
        """What does not depend on the state, at the given parameters."""
        return constants(self.map.program, self.map.jets(self.map.at), self.map.state)

    @cached_property
    def moving(self) -> dict[int, Jet]:
        """The same where the parameters move, after the state."""
        jets = self.map.jets(self.subject.point, self.map.names)
        return constants(self.map.program, jets, self.map.state)

    @cached_property
    def A(self) -> Matrix:
        """The derivative in the state, which all pieces that can be met near the fixed point share; they are affine."""
        found = list[Matrix]()
        jets = self.map.jets(self.subject.point, self.map.state)
        for pattern in Patterns().run(self.map.program, self.map.next, jets, self.still):
            outputs = self.subject.require_fixed(pattern.outputs)
            if self.method != "fixed_start" and not all(jet.affine for jet in outputs):
                raise Refused("a piece is not affine in the state")
            if self.method == "affine":
                require_no_guard(pattern)
            found.append([jet.slopes(self.subject.p) for jet in outputs])
            require_same(found)
        return found[0]

    def order(self) -> int:
        """The order of the recursion; refuse unless the errors follow one, with the matrix A."""
        subject, p = self.subject, self.subject.p
        subject.require_all_pieces()
        if not any(subject.active):
            raise Refused("no piece is proved essentially active")
        characteristic = characteristic_polynomial(self.A)
        if self.method != "local" and sum(characteristic, ZERO).is_zero:
            raise Refused("1 is an eigenvalue of A")
        if self.method == "fixed_start":
            if self.derivatives:
                self.require_affine_derivatives(None)
            if not subject.map.is_fixed(self.start(), subject.x):
                raise Refused("the start is not the fixed point")
            return p
        region = None
        if self.method == "word_tree":
            region, least = trapped(subject, self.witness)
            integer(self.witness["iteration"], "iteration", least, MOST_ITERATIONS)
        if self.derivatives:
            self.require_affine_derivatives(region)
        return 2 * p if self.derivatives and self.method != "local" else p

    def require_affine_derivatives(self, region: Region | None) -> None:
        """All pieces that can be met have one and the same affine recursion of derivatives."""
        map_, subject, p = self.map, self.subject, self.subject.p
        pairs, moved = list[Matrix](), list[Matrix]()
        jets = map_.jets(subject.point, map_.names)
        for pattern in Patterns().run(map_.program, map_.next, jets, self.moving):
            pairs.append([jet.slopes(p + subject.m) for jet in subject.require_fixed(pattern.outputs)])
            require_same(pairs)
        if self.method == "fixed_start":
            return
        for pattern in Patterns(interior=True).run(map_.program, map_.next, jets, self.moving):
            if region is not None:
                region.check(moved_by_state(subject, pattern))
            elif self.method == "affine":
                require_no_guard(pattern)
            moved.append(self.second(pattern))
            require_same(moved)

    def second(self, pattern: Pattern) -> Matrix:
        """The derivatives of B in the state, which are constant."""
        map_, p = self.map, self.subject.p
        jets = map_.jets(self.subject.point, map_.names)
        outputs = evaluate(map_.program, map_.next, jets, repeat(pattern, []), self.moving)
        for jet in outputs:
            if jet.cut:
                raise Refused("a piece is not a polynomial in the state")
            for monomial in jet.terms:
                moving = sum(i < p for i in monomial)
                if moving > 1 and len(monomial) - moving < 2:
                    raise Refused("a piece is not affine in the state, or its derivative in a parameter is not")
        pairs = [(i, p + j) for i in range(p) for j in range(self.subject.m)]
        return [[jet.terms.get(pair, ZERO) for pair in pairs] for jet in outputs]

    def start(self) -> list[Interval]:
        """The start."""
        return self.values(self.map.start or [], self.map.jets(self.map.at))

    def values(self, nodes: Sequence[int], jets: dict[str, Jet]) -> list[Interval]:
        """Values of nodes."""
        return [jet.value for jet in evaluate(self.map.program, nodes, jets, beside(()), self.still)]

    def slopes(self, nodes: Sequence[int], point: dict[str, Interval | Fraction], values: list[Interval]) -> Matrix:
        """The derivatives of nodes in the state and the parameters, which all pieces at a point share."""
        found, names = list[Matrix](), self.map.names
        jets = self.map.jets(point, names)
        for pattern in Patterns(interior=True).run(self.map.program, nodes, jets, self.moving):
            outputs = pattern.outputs
            if outputs is None or not all(same(jet.value, v) for jet, v in zip(outputs, values, strict=True)):
                raise Refused("beside an iterate a piece has no value, or another one")
            found.append([jet.slopes(len(names)) for jet in outputs])
            require_same(found)
        return found[0]

    def errors(self, count: int, columns: Sequence[int] | None) -> Errors:
        """So many of them from the first index on."""
        p, m = self.subject.p, self.subject.m
        if self.method == "local":
            return self.followed(identity(p), self.first, count)
        chosen = range(m) if columns is None else columns
        X = self.limit() if self.derivatives else []
        x, J = self.start(), list[list[Interval]]()
        if self.derivatives:
            point: dict[str, Interval | Fraction] = {**self.subject.point}
            J = [row[p:] for row in self.slopes(self.map.start or [], point, x)]
        found = Errors()
        for k in range(self.first + count):
            if k:
                point = {**dict(zip(self.map.state, x, strict=True)), **self.map.at}
                following = self.values(self.map.next, self.map.jets(point))
                if self.derivatives:
                    rows = self.slopes(self.map.next, point, following)
                    J = combine(times([row[:p] for row in rows], J), ONE, [row[p:] for row in rows])
                x = following
            if k >= self.first and self.derivatives:
                found.append([J[i][j] - X[i][j] for i in range(p) for j in chosen])
            elif k >= self.first:
                found.append([a - Interval(c) for a, c in zip(x, self.subject.x.values(), strict=True)])
        return found

    def limit(self) -> Matrix:
        """The limit of the derivatives."""
        p, m = self.subject.p, self.subject.m
        X = [read_numbers(row, "matrix", m) for row in array(self.witness["matrix"], "matrix", p)]
        fixed = self.values(self.map.next, self.map.jets(self.subject.point))
        rows = self.slopes(self.map.next, {**self.subject.point}, fixed)
        require_same([combine(times([row[:p] for row in rows], X), ONE, [row[p:] for row in rows]), X])
        return X

    def followed(self, M: Matrix, first: int, count: int) -> Errors:
        """A^k M."""
        found = Errors()
        for k in range(first + count):
            if k >= first:
                found.append([a for row in M for a in row])
            M = times(self.A, M)
        return found


def require_same(matrices: list[Matrix]) -> None:
    """Refuse a last matrix that is not the first one."""
    for row, other in zip(matrices[0], matrices[-1], strict=True):
        if not all(map(same, row, other)):
            raise Refused("pieces with different derivatives are met, or the matrix is not their limit")

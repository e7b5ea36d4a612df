"""How derivatives move beside a fixed point: every piece that can be met there, and how its B moves with the state."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from .conditions import Signs
from .convergence import Region
from .intervals import ONE, ZERO
from .jets import Jet
from .matrices import Matrix, combine, equal, times
from .pieces import Decision, Met, Pattern, Patterns, beside, evaluate
from .program import Program
from .reading import Refused
from .subject import FixedPoint

FUNCTIONS = ("reciprocal", "sqrt", "exp", "log")
CHOICES = ("switch", "piecewise")


def couplings(subject: FixedPoint, X: Matrix, region: Region | None) -> list[list[Matrix]]:
    """For every piece that can be met in a region, the derivatives of the columns of B in the state."""
    return [found for _, found in moving_pieces(subject, X, region)]


def moving_pieces(subject: FixedPoint, X: Matrix, region: Region | None) -> list[tuple[Matrix, list[Matrix]]]:
    """For every piece that can be met in a region, A and the derivatives of the columns of B in the state.

    Every piece is affine in the state, also in its first derivatives in the parameters, and sends X to itself there.
    Without a region there is no guard.
    """
    map_, found = subject.map, []
    for pattern in Patterns(interior=True).run(map_.program, map_.next, map_.jets(subject.point, map_.names)):
        if not sends_to_itself(subject, pattern, X):
            raise Refused("the matrix is not fixed by a piece that can be met in the trap")
        if region is None:
            require_no_guard(pattern)
        else:
            region.check(moved_by_state(subject, pattern))
        A, _ = subject.pair(subject.require_fixed(pattern.outputs))
        found.append((A, mixed_derivatives(subject, pattern)))
    return found


def require_no_guard(pattern: Pattern) -> None:
    """Refuse a guard that can change."""
    if not all(one.guard.constant for one in pattern.met):
        raise Refused("the map meets a guard")


def sends_to_itself(subject: FixedPoint, pattern: Pattern, X: Matrix) -> bool:
    """Whether A X + B = X for the pair of a piece: by its entries, or by its derivatives along (X, I)."""
    A, B = subject.pair(subject.require_fixed(pattern.outputs))
    if equal(combine(times(A, X), ONE, B), X):
        return True
    map_ = subject.map
    for j, parameter in enumerate(map_.parameters):
        jets = map_.jets(subject.point)
        for name, row in zip(map_.state, X, strict=True):
            jets[name] = jets[name] + Jet({(0,): row[j]})
        jets[parameter] = jets[parameter] + Jet({(0,): ONE})
        outputs = evaluate(map_.program, map_.next, jets, repeat(pattern, []))
        if not equal([jet.slopes(1) for jet in outputs], [[row[j]] for row in X]):
            return False
    return True


def require_affine(subject: FixedPoint) -> list[Pattern]:
    """The pieces that the iterates can meet; refuse one that is not affine in the state."""
    map_, found = subject.map, []
    for pattern in Patterns().run(map_.program, map_.next, map_.jets(subject.point, map_.state)):
        if not all(jet.affine for jet in subject.require_fixed(pattern.outputs)):
            raise Refused("a piece is not affine in the state")
        found.append(pattern)
    return found


def moved_by_state(subject: FixedPoint, pattern: Pattern) -> Pattern:
    """The same piece and its guards, the parameters fixed."""
    met: list[Met] = []
    map_ = subject.map
    outputs = evaluate(map_.program, map_.next, map_.jets(subject.point, map_.state), repeat(pattern, met))
    return Pattern(outputs, met, [])


def repeat(pattern: Pattern, met: list[Met]) -> Decision:
    """Take the outcomes of a pattern again."""
    known = iter(pattern.met)

    def decide(switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
        before = next(known)
        met.append(Met(guard, before.outcome, before.tied))
        return before.outcome

    return decide


def mixed_derivatives(subject: FixedPoint, pattern: Pattern) -> list[Matrix]:
    """The derivatives of the columns of B in the state, one after the other; they are constant."""
    map_, p = subject.map, subject.p
    jets = map_.jets(subject.point, map_.names)
    outputs = evaluate(map_.program, map_.next, jets, repeat(pattern, []), expanded(map_.program, map_.state, jets))
    for jet in outputs:
        if jet.cut:
            raise Refused("a piece is not a polynomial in the state")
        for monomial, c in jet.terms.items():
            moving = sum(i < p for i in monomial)
            if moving > 1 and len(monomial) - moving < 2:
                raise Refused("a piece is not affine in the state, or its derivative in a parameter is not")
            if (moving, len(monomial)) == (1, 2) and not c.exact:
                raise Refused("the derivative of a piece moves with the state by an irrational number")
    return [[[jet.terms.get((i, p + j), ZERO) for i in range(p)] for jet in outputs] for j in range(subject.m)]


def expanded(program: Program, state: Sequence[str], jets: Mapping[str, Jet]) -> dict[int, Jet]:
    """Functions of the parameters alone as f0 + f1 t, which is all that first derivatives in them take."""
    usable: list[bool] = []
    found: dict[int, Jet] = {}
    for i, (kind, parts, data) in enumerate(program.nodes):
        still = kind not in CHOICES and not (kind == "name" and data in state)
        usable.append(still and all(usable[part] for part in parts))
        if usable[i] and kind in FUNCTIONS:
            jet = evaluate(program, [i], jets, beside(()), found)[0]
            if jet.cut:
                found[i] = Jet({m: c for m, c in jet.terms.items() if len(m) < 2})
    return found


def zero(L: Matrix) -> bool:
    """Whether a matrix is zero."""
    return all(c.is_zero for row in L for c in row)


def fractions(M: Matrix) -> list[list[Fraction]]:
    """The entries of a matrix of numbers."""
    return [[c.lo for c in row] for row in M]

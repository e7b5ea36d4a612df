"""Convergence of the derivatives; with a start, also a trap in which the iterates stay close to the fixed point."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

from .boxes import box, contracts
from .conditions import Signs
from .intervals import ONE, Interval, monotone, raised, square_root
from .jets import Jet
from .matrices import Matrix, times, transpose, within
from .pieces import Pattern, Patterns, evaluate
from .proofs import Tree, contraction, products, read_tree
from .reading import Data, Refused, Unreadable, fields, integer, number, say
from .realisable import realised_word
from .scaled import Scaled, inverse
from .stability import modulus
from .subject import FixedPoint, Map, Subject

MOST_ITERATIONS = 100_000


def claimed_rate(claim: Data) -> Fraction | None:
    """The rate that a claim states: below 1, as an eigenvalue of modulus 1 would not contradict another."""
    if "rate" not in claim:
        return None
    rate = number(claim["rate"], "claim.rate")
    if not 0 < rate < 1:
        raise Unreadable("`claim.rate` is not between 0 and 1")
    return rate


def converges_refuted(claim: Data, subject: Subject, witness: Data) -> str:
    """A product of active pieces has an eigenvalue that is too large."""
    word = subject.word(witness["word"], active=True)
    r = contradicting_modulus(claim, subject, word, witness)
    return f"the joint spectral radius of {subject} is at least ({say(r)})^(1/{len(word)})"


def converges_refuted_by_iterates(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """Iterates follow a word of which the product has an eigenvalue that is too large."""
    word = realised_word(subject, witness)
    r = contradicting_modulus(claim, subject, word, witness)
    along = f"along iterates that converge to it without reaching it, by the word {' '.join(map(str, word))}"
    return f"the joint spectral radius of {subject} is at least ({say(r)})^(1/{len(word)}) {along}"


def contradicting_modulus(claim: Data, subject: Subject, word: list[int], witness: Data) -> Fraction:
    """The modulus of an eigenvalue that contradicts the claim."""
    r, rate = modulus(subject, word, witness), claimed_rate(claim)
    if r < 1 and not (rate is not None and r > raised(rate, len(word))):
        raise Refused("the modulus does not contradict the claim")
    return r


def converges_proved(claim: Data, subject: Subject, witness: Data) -> str:
    """The joint spectral radius is below 1, and the iterates meet no other pieces."""
    rate, claimed = contraction(subject, witness), claimed_rate(claim)
    if claimed is not None and rate > claimed:
        raise Refused("the proved rate is larger than the claimed one")
    proved = f"the joint spectral radius of {subject} is at most {say(rate)}"
    start = subject.map.start if isinstance(subject, FixedPoint) else None
    if ("trap" in witness) != (start is not None):
        raise Unreadable("`trap` stands in the witness exactly when there is a start")
    if start is None or not isinstance(subject, FixedPoint):
        return proved
    tree = read_tree(subject.p, len(subject.A), witness)
    data = fields(witness["trap"], "trap", ("iteration", "level", "growth", "bits"))
    trap(subject, start, tree, rate, data)
    return proved + "; the iterates converge to it from the start"


def trap(subject: FixedPoint, start: list[int], tree: Tree, rate: Fraction, data: Data) -> None:
    """The iterates enter V <= level, stay in V <= growth * level, and meet no other pieces there (x0 = fixed point)."""
    level, growth = number(data["level"], "level"), number(data["growth"], "growth")
    if level < 0 or growth < 1:
        raise Refused("the level of the trap is negative, or its growth below 1")
    prefixes = {tuple(word[:n]) for word in tree.words for n in range(1, len(word))}
    for _, A in products(subject.boxes, sorted(map(list, prefixes))):
        if not contracts(A, tree.P, growth):
            raise Refused("the growth of the trap is not proved along a prefix of a word")
    steps, bits = integer(data["iteration"], "iteration", 0, MOST_ITERATIONS), integer(data["bits"], "bits", 0, 10_000)
    x = iterate(subject.map, start, steps, bits)
    difference = [[a - Interval(c)] for a, c in zip(x, subject.x.values(), strict=True)]
    if times(transpose(difference), times(exact(tree.P), difference))[0][0].hi > level:
        raise Refused("the iterate is not in the trap")
    region, map_ = Region(subject, tree, rate, growth * level), subject.map
    for pattern in Patterns().run(map_.program, map_.next, map_.jets(subject.point, map_.state)):
        region.check(pattern)


def iterate(map_: Map, start: list[int], steps: int, bits: int) -> list[Interval]:
    """Follow the iterates from the start, as long as they have derivatives.

    With bits > 0 they are rounded outward to multiples of 2^-bits.
    """
    map_.require_derivatives(start, map_.at, map_.parameters)
    x = map_.value(start, map_.at)
    for k in range(steps + 1):
        if bits:
            scale = 2**bits
            x = [Interval(Fraction(floor(a.lo * scale), scale), Fraction(ceil(a.hi * scale), scale)) for a in x]
        if k < steps:
            point: dict[str, Fraction | Interval] = {**dict(zip(map_.state, x, strict=True)), **map_.at}
            map_.require_derivatives(map_.next, point, map_.names)
            x = map_.value(map_.next, point)
    return x


def exact(X: Scaled) -> Matrix:
    """The matrix as one of intervals."""
    return [[Interval(a) for a in row] for row in X.fractions()]


class Region:
    """The ellipsoid V(x) <= level around the fixed point, the parameters fixed."""

    def __init__(self, subject: FixedPoint, tree: Tree, rate: Fraction, level: Fraction) -> None:
        self.subject, self.map, self.tree, self.rate, self.level = subject, subject.map, tree, rate, Interval(level)
        self.inverse = exact(inverse(tree.P))

    def check(self, pattern: Pattern) -> None:
        """The guards that do not tie keep their signs; the piece is a listed one, or contracts all over the region."""
        outputs = self.subject.require_fixed(pattern.outputs)
        affine = all(jet.affine for jet in outputs)
        A = self.subject.pair(outputs)[0]
        if affine and not any(within(A, X) for X in self.subject.A):
            raise Refused("a piece that the iterates can meet in the trap is not in the list")
        kept = [met.tied or self.keeps_sign(met.guard) for met in pattern.met]
        if not affine or not all(kept):
            self.check_box(pattern, kept, affine)

    def keeps_sign(self, guard: Jet) -> bool:
        """Whether an affine guard g0 + a.dx has one sign: level * a^T P^-1 a < g0^2."""
        if guard.constant:
            return True
        a = [guard.slopes(self.subject.p)]
        spread = times(a, times(self.inverse, transpose(a)))[0][0] * self.level
        return guard.affine and (guard.value * guard.value - spread).lo > 0

    def check_box(self, pattern: Pattern, kept: list[bool], affine: bool) -> None:
        """Evaluate again, on the box around the ellipsoid: a gradient there encloses all gradients in the region."""
        jets = self.map.jets(self.map.at)
        for i, (name, c) in enumerate(self.subject.x.items()):
            r = monotone(square_root, self.level * self.inverse[i][i]).hi
            jets[name] = Jet({(): Interval(c - r, c + r), (i,): ONE}, cut=True)
        steps = zip(pattern.met, kept, strict=True)

        def decide(switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
            met, known = next(steps)
            if not known and guard.value.sign() not in met.outcome:
                raise Refused("a guard changes its sign in the trap")
            return met.outcome

        A = self.subject.pair(evaluate(self.map.program, self.map.next, jets, decide))[0]
        one_step = all(len(word) == 1 for word in self.tree.words)
        if not affine and not (one_step and contracts(box(A), self.tree.P, self.rate**2)):
            raise Refused("a piece that is not affine is not proved to contract throughout the trap, in one step")

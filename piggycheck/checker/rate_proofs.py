"""Bounds of errors for all k: from an index on, a norm in which every piece contracts bounds what is left.

From k1 on the error is at most g^n (a + b n) at k1 + n, and the bound at least g^n (S0 + S1 n).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from .arithmetics import Exact, Open, Rounded
from .boxes import Box, square
from .convergence import MOST_ITERATIONS, Region, trap
from .couplings import couplings, fractions, zero
from .definite import semidefinite
from .distances import Limit
from .intervals import ONE, ZERO, Interval, power, raised
from .matrices import Matrix, matrix, times, transpose
from .orbits import Orbit, Setting
from .proofs import KINDS, Tree, contraction, read_tree
from .rate_bounds import Term
from .rates import Claimed, errors_of, rate_proved, rate_refuted, read_bits, say_bound
from .reading import Data, Refused, Unreadable, array, fields, integer, number, say
from .scaled import Scaled, combined, inverse, scaled
from .subject import FixedPoint

SOON = 200


def rate_proved_for_all(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The bound holds up to an index by evaluation, and from there on by the trap."""
    claimed, bits = Claimed(claim), read_bits(witness)
    if claimed.upto is not None or subject.map.start is None:
        raise Unreadable('`claim.upto` is not "infinity", or `start` is missing')
    if claimed.derivatives != ("couplings" in witness):
        raise Unreadable("`couplings` stands in the witness when the claim is about derivatives")
    rate, tree = contraction(subject, witness), read_tree(subject.p, len(subject.A), witness)
    if rate == 0:
        raise Refused("the rate is zero")
    data = fields(witness["trap"], "trap", ("iteration", "level", "growth", "bits"))
    trap(subject, subject.map.start, tree, rate, data)
    first = integer(
        witness["from"], "from", integer(data["iteration"], "iteration", 0, MOST_ITERATIONS), MOST_ITERATIONS
    )
    errors = errors_of(claimed, subject, witness)
    k = errors.first_violation(first, bits)
    if k is not None:
        raise Refused(f"the error exceeds the bound at k = {k}")
    weight = read_weight(witness, tree.P, claimed.norm)
    longest = max(map(len, tree.words))
    growth = number(data["growth"], "growth") / raised(rate, 2 * (longest - 1)) if longest > 1 else Fraction(1)
    tail = Tail(errors.setting, first, bits, tree.P)
    if claimed.derivatives:
        region = Region(subject, tree, rate, number(data["growth"], "growth") * number(data["level"], "level"))
        found = read_couplings(subject, tree, region, witness)
        sizes = tail.of_derivatives(errors.limit)
        whole = sum if claimed.norm != "max" else max
        a, b = whole(sizes) * growth, whole(found) * tail.of_iterate() / rate**2
    else:
        a, b = tail.of_iterate() * growth, Fraction(0)
    S0, S1 = below(claimed.bound.terms(), first, rate)
    if S0 < 0 or S1 < 0 or weight * a > S0**2 or weight * b > S1**2:
        raise Refused(f"the bound is not proved from k = {first} on")
    return say_bound(
        claim, claimed, subject, f"at most the bound for all k, by the rate {say(rate)} from k = {first} on,"
    )


def read_weight(witness: Data, P: Scaled, norm: str) -> Fraction:
    """A factor w such that the squared norm of v is at most w V(v)."""
    weight = number(witness["weight"], "weight")
    n = len(P.rows)
    if norm == "max":
        back = inverse(P).fractions()
        good = all(weight >= back[i][i] for i in range(n))
    else:
        unit = Scaled([[int(i == j) for j in range(n)] for i in range(n)], 1)
        good = semidefinite(combined([(weight, P), (Fraction(-1), unit)]))
    if not good:
        raise Refused("the weight does not bound the norm")
    return weight


def read_couplings(subject: FixedPoint, tree: Tree, region: Region, witness: Data) -> list[Fraction]:
    """Squares of bounds, in the norm of the tree, of how fast the columns of B move with the state."""
    listed = array(witness["couplings"], "couplings", subject.m)
    found = [number(data, "couplings") for data in listed]
    X = matrix(witness["matrix"], "matrix", subject.p, subject.m)
    for moved in couplings(subject, X, region):
        for L, size in zip(moved, found, strict=True):
            centre, _ = square(Box(scaled(fractions(L))), tree.P)
            if not semidefinite(combined([(size, tree.P), (Fraction(-1), centre)])):
                raise Refused("a coupling is larger than stated")
            if not zero(L) and any(len(word) > 1 for word in tree.words):
                raise Refused("B moves with the state, which takes words of one letter")
    if min(found) < 0:
        raise Refused("a coupling is negative")
    return found


class Tail:
    """The orbit at the index from which on the norm is used."""

    def __init__(self, setting: Setting, first: int, bits: int, P: Scaled) -> None:
        self.setting, self.P = setting, [[Interval(a) for a in row] for row in P.fractions()]
        self.orbit = self.exact(first) or self.rounded(first, max(bits, 64))

    def exact(self, first: int) -> Orbit | None:
        """In exact numbers, where that is quick."""
        if first > SOON:
            return None
        try:
            return self.advanced(Orbit(self.setting, self.setting.exact, None), first)
        except (Open, Refused):
            return None

    def rounded(self, first: int, bits: int) -> Orbit:
        """In rounded numbers."""
        try:
            return self.advanced(Orbit(self.setting, Rounded(bits), None), first)
        except Open:
            raise Refused(f"the iterates are not followed up to {first} with {bits} bits") from None

    def advanced(self, orbit: Orbit, first: int) -> Orbit:
        """The orbit at the index."""
        for _ in range(first + 1):
            orbit.advance()
        return orbit

    def size(self, column: list[Interval]) -> Fraction:
        """A bound of V."""
        v = [[a] for a in column]
        return times(transpose(v), times(self.P, v))[0][0].hi

    def columns(self, limit: Limit) -> Matrix:
        """The columns of the difference from a limit."""
        arithmetic = self.orbit.arithmetic
        if isinstance(arithmetic, Exact):
            rows, d = limit.integers(self.orbit)
            return transpose([[Interval(Fraction(a, d)) for a in row] for row in rows])
        entries = limit.differences(self.orbit)
        one = 1 << arithmetic.bits
        return transpose([[Interval(Fraction(c - r, one), Fraction(c + r, one)) for c, r in row] for row in entries])

    def of_iterate(self) -> Fraction:
        """V of the distance of the iterate from the fixed point."""
        x = Limit([[c] for c in self.setting.subject.x.values()], derivatives=False)
        return self.size(self.columns(x)[0])

    def of_derivatives(self, limit: Limit) -> list[Fraction]:
        """V of the columns of the distance of the Jacobian from its limit."""
        return [self.size(column) for column in self.columns(limit)]


def below(terms: list[Term], first: int, rate: Fraction) -> tuple[Fraction, Fraction]:
    """S0 and S1 such that the sum of the terms at first + n is at least rate^n (S0 + S1 n).

    (first + n)^d r^(first + n) >= first^d r^first rate^n (1 + n (d/first + r/rate - 1)) where r >= rate (Bernoulli).
    """
    S0 = S1 = ZERO
    for c, d, r in terms:
        if r.lo <= 0 or (d and not first):
            raise Refused("a term of the bound is not of use from k = 0 on, or has a base that is not positive")
        t = c * power(Interval(first), d, ONE) * power(r, first, ONE)
        if c.lo >= 0:
            if r.lo >= rate:
                S0 = S0 + t
                S1 = S1 + t * (Interval(Fraction(d, first) if d else 0) + r * Interval(1 / rate) - ONE)
        else:
            if raised(Fraction(first + 1, first) if d else Fraction(1), d) * r.hi > rate:
                raise Refused("a negative term of the bound does not shrink at the rate")
            S0 = S0 + t
    return S0.lo, S1.lo


Rule = tuple[Callable[[Data, Any, Data], str], Sequence[str], Sequence[str]]
TREE = ("method", "rate", *KINDS["word_tree"][1])
RULES: dict[tuple[str, str, str], Rule] = {
    ("rate_bound", "proved", "evaluation"): (rate_proved, ("method", "bits"), ("matrix",)),
    ("rate_bound", "refuted", "evaluation"): (rate_refuted, ("method", "bits", "violation"), ("matrix",)),
    ("rate_bound", "proved", "word_tree"): (
        rate_proved_for_all,
        (*TREE, "trap", "from", "weight", "bits"),
        ("matrix", "couplings"),
    ),
}
CLAIM = {"rate_bound": ("quantity", "bound", "upto", "norm")}

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
from .couplings import couplings, fractions, require_affine, zero
from .definite import semidefinite
from .distances import Limit
from .intervals import ONE, ZERO, Interval, power, raised
from .matrices import Matrix, matrix, times, transpose
from .orbits import Helper, Orbit, Setting
from .proofs import KINDS, contraction, read_tree
from .rate_bounds import Term
from .rates import Claimed, errors_of, rate_proved, rate_refuted, read_bits, say_bound
from .reading import Data, Refused, Unreadable, array, fields, integer, number, say, text
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
    tail = Tail(errors.setting, first, bits, tree.P)
    region = Region(subject, tree, rate, number(data["growth"], "growth") * number(data["level"], "level"))
    moving = Moving(subject, claimed, witness, region)
    bounds = by_rows if "rows" in witness else by_form
    a, b = bounds(moving, tail, errors.limit, data)
    S0, S1 = below(claimed.bound.terms(), first, rate)
    if "rows" not in witness:
        S0, S1 = (S * S if S >= 0 else S for S in (S0, S1))
    if a > S0 or b > S1:
        raise Refused(f"the bound is not proved from k = {first} on")
    what = f"at most the bound for all k, by the rate {say(rate)} from k = {first} on:"
    return say_bound(claim, claimed, subject, what)


class Moving:
    """What the errors do in each step: the pieces, and how the columns of their B move with the state."""

    def __init__(self, subject: FixedPoint, claimed: Claimed, witness: Data, region: Region) -> None:
        self.subject, self.claimed, self.witness = subject, claimed, witness
        self.tree, self.rate = region.tree, region.rate
        self.sizes: list[Fraction] = []
        self.found: list[list[Matrix]] = []
        if claimed.derivatives:
            if "matrix" not in witness:
                raise Unreadable("`matrix` is missing: for all k the limit has to be rational")
            listed = array(witness["couplings"], "couplings", subject.m)
            self.sizes = [number(data, "couplings") for data in listed]
            X = matrix(witness["matrix"], "matrix", subject.p, subject.m)
            self.found = couplings(subject, X, region)

    def require_sizes(self, at_most: Callable[[Matrix, Fraction], bool]) -> None:
        """Refuse couplings that are larger than stated."""
        for moved in self.found:
            if not all(at_most(L, size) for L, size in zip(moved, self.sizes, strict=True)):
                raise Refused("a coupling is larger than stated")


def by_rows(moving: Moving, tail: Tail, limit: Limit, data: Data) -> tuple[Fraction, Fraction]:
    """In the maximum norm: a and b, where no row of a piece has a sum of absolute values above the rate."""
    if text(moving.witness["rows"], "rows") != "true" or moving.claimed.norm != "max" or "weight" in moving.witness:
        raise Unreadable('`rows` is "true", in the maximum norm, without `weight`')
    if any(row_sum(row) > moving.rate for A in moving.subject.A for row in A):
        raise Refused("a row of a piece has a larger sum than the rate")
    require_affine(moving.subject)
    a, b = tail.largest(limit), Fraction(0)
    if moving.claimed.derivatives:
        moving.require_sizes(lambda L, size: all(row_sum(row) <= size for row in L))
        b = max(moving.sizes) * tail.largest(tail.fixed_point) / moving.rate
    return a, b


def row_sum(row: list[Interval]) -> Fraction:
    """The largest sum of absolute values."""
    return sum((max(-c.lo, c.hi) for c in row), Fraction(0))


def by_form(moving: Moving, tail: Tail, limit: Limit, data: Data) -> tuple[Fraction, Fraction]:
    """The squares of a and b, by the form that shrinks along words, and what the norm is at most of it."""
    P, norm, rate = moving.tree.P, moving.claimed.norm, moving.rate
    weight, longest = read_weight(moving.witness, P, norm), max(map(len, moving.tree.words))
    growth = number(data["growth"], "growth") / raised(rate, 2 * (longest - 1)) if longest > 1 else Fraction(1)
    if not moving.claimed.derivatives:
        return weight * growth * tail.sizes(limit)[0], Fraction(0)
    if longest > 1 and not all(zero(L) for moved in moving.found for L in moved):
        raise Refused("B moves with the state, which takes words of one letter")

    def at_most(L: Matrix, size: Fraction) -> bool:
        centre, _ = square(Box(scaled(fractions(L))), P)
        return semidefinite(combined([(size, P), (Fraction(-1), centre)]))

    moving.require_sizes(at_most)
    whole = max if norm == "max" else sum
    a, b = whole(tail.sizes(limit)), whole(moving.sizes) * tail.sizes(tail.fixed_point)[0]
    return weight * growth * a, weight * b / rate**2


def read_weight(witness: Data, P: Scaled, norm: str) -> Fraction:
    """A factor w such that the squared norm of v is at most w V(v)."""
    weight = number(witness.get("weight"), "weight")
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
            return self.advanced(Orbit(self.setting, Rounded(bits), Helper(self.setting)), first)
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

    @property
    def fixed_point(self) -> Limit:
        """What the iterates are compared with."""
        return Limit([[c] for c in self.setting.subject.x.values()], derivatives=False)

    def sizes(self, limit: Limit) -> list[Fraction]:
        """Bounds of V of the columns of the difference from a limit."""
        return [self.size(column) for column in self.columns(limit)]

    def largest(self, limit: Limit) -> Fraction:
        """The largest absolute value of the entries of the difference from a limit."""
        return max(max(-c.lo, c.hi) for column in self.columns(limit) for c in column)


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
        (*TREE, "trap", "from", "bits"),
        ("weight", "rows", "matrix", "couplings"),
    ),
}
CLAIM = {"rate_bound": ("quantity", "bound", "upto", "norm")}

"""What is left from an index on: errors at most g^n (a + b n) after n steps, by a norm in which the pieces contract."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from fractions import Fraction
from typing import NamedTuple

from .arithmetics import Exact, Number, Open, Rounded
from .boxes import Box, square
from .convergence import MOST_ITERATIONS, Region, trap
from .couplings import couplings, fractions, require_affine, zero
from .definite import semidefinite
from .distances import Limit
from .following import ENOUGH_BITS, FEWEST_BITS, MOST_BITS
from .intervals import ONE, ZERO, Interval, power, raised
from .matrices import Matrix, matrix, times, transpose
from .orbits import Helper, Orbit, Setting
from .proofs import contraction, read_tree
from .rate_bounds import Term
from .reading import Data, Refused, Unreadable, array, fields, integer, number, text
from .scaled import Scaled, combined, inverse, scaled
from .subject import FixedPoint

SOON = 200
DIGITS = 128  # binary ones of the largest difference


def trapped(subject: FixedPoint, witness: Data) -> tuple[Region, int]:
    """A region that iterates do not leave from an index on, where they meet the listed pieces alone."""
    if text(witness["method"], "method") != "word_tree":
        raise Unreadable('`method` beside a trap is "word_tree"')
    rate, tree = contraction(subject, witness), read_tree(subject.p, len(subject.A), witness)
    data = fields(witness["trap"], "trap", ("iteration", "level", "growth", "bits"))
    if subject.map.start is None:
        raise Unreadable("`start` is missing")
    trap(subject, subject.map.start, tree, rate, data)
    region = Region(subject, tree, rate, number(data["growth"], "growth") * number(data["level"], "level"))
    return region, integer(data["iteration"], "iteration", 0, MOST_ITERATIONS)


class Moving:
    """What the errors do in each step: the pieces, and how the columns of their B move with the state."""

    def __init__(
        self, subject: FixedPoint, derivatives: bool, norm: str, witness: Data, region: Region, columns: Sequence[int]
    ) -> None:
        self.subject, self.derivatives, self.norm, self.witness = subject, derivatives, norm, witness
        self.tree, self.rate, self.columns = region.tree, region.rate, columns
        self.sizes: list[Fraction] = []
        self.found: list[list[Matrix]] = []
        if derivatives != ("couplings" in witness):
            raise Unreadable("`couplings` stands in the witness when the claim is about derivatives")
        if derivatives:
            if "matrix" not in witness:
                raise Unreadable("`matrix` is missing: for all k the limit has to be rational")
            listed = array(witness["couplings"], "couplings", subject.m)
            self.sizes = [number(data, "couplings") for data in listed]
            X = matrix(witness["matrix"], "matrix", subject.p, subject.m)
            self.found = couplings(subject, X, region)

    def chosen(self, numbers: Sequence[Fraction]) -> list[Fraction]:
        """Those of the columns that count."""
        return [numbers[j] for j in self.columns]

    def require_sizes(self, at_most: Callable[[Matrix, Fraction], bool]) -> None:
        """Refuse couplings that are larger than stated."""
        for moved in self.found:
            if not all(at_most(L, size) for L, size in zip(moved, self.sizes, strict=True)):
                raise Refused("a coupling is larger than stated")


def decrease(moving: Moving, tail: Tail, limit: Limit, factor: Interval, S0: Fraction, S1: Fraction) -> bool:
    """Whether a multiple of what the error is at most is at most g^n (S0 + S1 n)."""
    c = factor.hi
    if "rows" in moving.witness:
        a, b = by_rows(moving, tail, limit)
        return c * a <= S0 and c * b <= S1
    a, b = by_form(moving, tail, limit)
    return S0 >= 0 and S1 >= 0 and c * c * a <= S0 * S0 and c * c * b <= S1 * S1


def by_rows(moving: Moving, tail: Tail, limit: Limit) -> tuple[Fraction, Fraction]:
    """In the maximum norm: a and b, where no row of a piece has a sum of absolute values above the rate."""
    if text(moving.witness["rows"], "rows") != "true" or moving.norm != "max" or "weight" in moving.witness:
        raise Unreadable('`rows` is "true", in the maximum norm, without `weight`')
    if any(row_sum(row) > moving.rate for A in moving.subject.A for row in A):
        raise Refused("a row of a piece has a larger sum than the rate")
    require_affine(moving.subject)
    a, b = max(moving.chosen(tail.largest(limit))), Fraction(0)
    if moving.derivatives:
        moving.require_sizes(lambda L, size: all(row_sum(row) <= size for row in L))
        b = max(moving.chosen(moving.sizes)) * max(tail.largest(tail.fixed_point)) / moving.rate
    return a, b


def row_sum(row: list[Interval]) -> Fraction:
    """The largest sum of absolute values."""
    return sum((max(-c.lo, c.hi) for c in row), Fraction(0))


def by_form(moving: Moving, tail: Tail, limit: Limit) -> tuple[Fraction, Fraction]:
    """The squares of a and b, by the form that shrinks along words, and what the norm is at most of it."""
    P, norm, rate = moving.tree.P, moving.norm, moving.rate
    weight, longest = read_weight(moving.witness, P, norm), max(map(len, moving.tree.words))
    growth = (
        number(moving.witness["trap"]["growth"], "growth") / raised(rate, 2 * (longest - 1))
        if longest > 1
        else Fraction(1)
    )
    if not moving.derivatives:
        return weight * growth * tail.sizes(limit)[0], Fraction(0)
    if longest > 1 and not all(zero(L) for moved in moving.found for L in moved):
        raise Refused("B moves with the state, which takes words of one letter")

    def at_most(L: Matrix, size: Fraction) -> bool:
        centre, _ = square(Box(scaled(fractions(L))), P)
        return semidefinite(combined([(size, P), (Fraction(-1), centre)]))

    moving.require_sizes(at_most)
    whole = max if norm == "max" else sum
    a = whole(moving.chosen(tail.sizes(limit)))
    b = whole(moving.chosen(moving.sizes)) * tail.sizes(tail.fixed_point)[0]
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
        self.first, self.precision = first, max(bits, FEWEST_BITS)
        self.orbit = self.exact(first) or self.rounded()

    def exact(self, first: int) -> Orbit | None:
        """In exact numbers, where that is quick."""
        if first > SOON:
            return None
        try:
            return self.advanced(Orbit(self.setting, self.setting.exact, None))
        except (Open, Refused):
            return None

    def rounded(self) -> Orbit:
        """In rounded numbers, with as many bits as it takes to follow the orbit."""
        while True:
            with suppress(Open):
                return self.advanced(Orbit(self.setting, Rounded(self.precision), Helper(self.setting)))
            self.refine()

    def refine(self) -> None:
        """Take twice as many bits."""
        if 2 * self.precision > MOST_BITS:
            raise Refused(f"the iterates are not known well enough at k = {self.first} with {self.precision} bits")
        self.precision *= 2

    def advanced(self, orbit: Orbit) -> Orbit:
        """The orbit at the index."""
        for _ in range(self.first + 1):
            orbit.advance()
        return orbit

    def size(self, column: list[Interval]) -> Fraction:
        """A bound of V."""
        v = [[a] for a in column]
        return times(transpose(v), times(self.P, v))[0][0].hi

    def columns(self, limit: Limit) -> Matrix:
        """The columns of the difference from a limit."""
        if isinstance(self.orbit.arithmetic, Exact):
            rows, d = limit.integers(self.orbit)
            return transpose([[Interval(Fraction(a, d)) for a in row] for row in rows])
        entries = limit.differences(self.orbit)
        while not self.is_precise(entries):
            self.refine()
            self.orbit = self.rounded()
            entries = limit.differences(self.orbit)
        one = 1 << self.precision
        return transpose([[Interval(Fraction(c - r, one), Fraction(c + r, one)) for c, r in row] for row in entries])

    def is_precise(self, entries: list[list[Number]]) -> bool:
        """Whether many digits of differences are known, or they may well be zero."""
        size, error = (max(abs(number[i]) for row in entries for number in row) for i in (0, 1))
        return error << DIGITS <= size or (size <= error and self.precision >= ENOUGH_BITS)

    @property
    def fixed_point(self) -> Limit:
        """What the iterates are compared with."""
        return Limit([[c] for c in self.setting.subject.x.values()], derivatives=False)

    def sizes(self, limit: Limit) -> list[Fraction]:
        """Bounds of V of the columns of the difference from a limit."""
        return [self.size(column) for column in self.columns(limit)]

    def largest(self, limit: Limit) -> list[Fraction]:
        """The largest absolute values in the columns of the difference from a limit."""
        return [max(max(-c.lo, c.hi) for c in column) for column in self.columns(limit)]


class Floor(NamedTuple):
    """An error that n steps after the index is at least modulus^n (h + slope n)."""

    h: Interval
    slope: Interval
    modulus: Interval


def below(
    terms: list[Term], first: int, rate: Fraction, floors: Mapping[str, Floor] | None = None
) -> tuple[Fraction, Fraction]:
    """S0 and S1 such that the sum of the terms at first + n is at least rate^n (S0 + S1 n).

    (first + n)^d r^(first + n) >= first^d r^first rate^n (1 + n (d/first + r/rate - 1)) where r >= rate (Bernoulli);
    and (1 + n s) (h + n t) >= h + n (h s + t) where nothing is negative.
    """
    if rate <= 0:
        raise Refused("the rate is not positive")
    S0 = S1 = ZERO
    for c, d, r, name in terms:
        if r.lo <= 0 or (d and not first):
            raise Refused("a term of the bound is not of use from k = 0 on, or has a base that is not positive")
        h, slope, modulus = (floors or {})[name] if name else Floor(ONE, ZERO, ONE)
        t = c * power(Interval(first), d, ONE) * power(r, first, ONE)
        ratio = r * modulus * Interval(1 / rate)
        if c.lo >= 0:
            if ratio.lo >= 1:
                S0 = S0 + t * h
                S1 = S1 + t * (h * (Interval(Fraction(d, first) if d else 0) + ratio - ONE) + slope)
        else:
            if name or raised(Fraction(first + 1, first) if d else Fraction(1), d) * ratio.hi > 1:
                raise Refused("a negative term of the bound does not shrink at the rate, or is an error")
            S0 = S0 + t
    return S0.lo, S1.lo

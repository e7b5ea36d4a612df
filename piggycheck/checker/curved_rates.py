"""Rates of errors along one smooth piece that is not affine: exact ones, and bounds for all k.

In one state variable, on the interval |x - xbar| <= |x_k - xbar|, where the derivative of F is below 1 in size, so that
the iterates stay there and converge. In several, the rate 0 where A is nilpotent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

from .convergence import MOST_ITERATIONS, Region, trap
from .couplings import fractions
from .distances import Limit
from .intervals import Interval, short
from .orbits import Orbit, Setting
from .pieces import Patterns
from .polynomials import Polynomial, read_polynomial
from .proofs import KINDS, contraction, read_tree
from .rates import MOST_STEPS, Claimed, errors_of, read_bits, say_bound, shared_limit
from .reading import Data, Refused, Unreadable, fields, integer, number, say
from .scaled import Scaled, product, scaled
from .subject import FixedPoint, Subject
from .tails import Tail, below
from .truncated import ALONG, Truncated, expanded

UNIT = Scaled([[1]], 1)
NONE = Fraction(0)


def size(x: Interval) -> Fraction:
    """The largest absolute value."""
    return max(-x.lo, x.hi)


class Neighbourhood:
    """F and its derivatives at the fixed point, and all over an interval around it.

    With h = F_x Jbar + F_theta for each parameter: the slope a = F_x and the shifts h_x at the fixed point; on the
    interval the least and the largest |F_x|, and the largest |F_xx| and |h_xx|.
    """

    def __init__(self, subject: FixedPoint, radius: Fraction, X: Sequence[Fraction]) -> None:
        if subject.p != 1:
            raise Refused("there are several state variables")
        self.subject, self.radius = subject, radius
        plain, there = self.expand({}, NONE), self.expand({}, radius)
        if not subject.map.is_fixed([plain.value], subject.x):
            raise Refused("the piece does not map the fixed point to itself")
        self.a = plain.at(0)
        self.steepest, self.bend = size(there.at(0)), 2 * size(there.at(0, 0))
        self.flattest = max(there.at(0).lo, -there.at(0).hi, NONE)
        self.shifts: list[Interval] = []
        self.twists: list[Fraction] = []
        for name, slope in zip(subject.map.parameters, X, strict=False):
            direction = {subject.map.state[0]: slope, name: Fraction(1)}
            self.shifts.append(self.expand(direction, NONE).at(ALONG, 0))
            self.twists.append(2 * size(self.expand(direction, radius).at(ALONG, 0, 0)))
        if radius and self.steepest >= 1:
            raise Refused("the iterates are not proved to stay near the fixed point")

    def expand(self, direction: dict[str, Fraction], radius: Fraction) -> Truncated:
        """The map, expanded at all points of an interval."""
        map_ = self.subject.map
        point = {name: Interval(c) for name, c in self.subject.point.items()}
        if radius:
            c = self.subject.x[map_.state[0]]
            point[map_.state[0]] = Interval(c - radius, c + radius)
        return expanded(map_.program, map_.next, point, map_.state, direction, 2)[0]

    def strayed(self, part: Fraction, rate: Fraction) -> Fraction:
        """A bound of the sum of what slopes a + part F_xx (x_k - xbar) exceed the rate by, as parts of it."""
        if size(self.a) + part * self.bend * self.radius <= rate:
            return NONE
        found = part * self.bend * self.radius / (rate * (1 - self.steepest))
        if found >= 1:
            raise Refused("the derivative of the map changes too much near the fixed point")
        return found


class Rounding(Tail):
    """An orbit at an index: in rounded numbers; with 0 bits in exact ones, where that is quick."""

    def __init__(self, setting: Setting, first: int, bits: int) -> None:
        self.bits = bits
        super().__init__(setting, first, bits, UNIT)

    def exact(self, first: int) -> Orbit | None:
        """In exact numbers."""
        return None if self.bits else super().exact(first)


class Followed(Rounding):
    """The errors of the iterate and of each derivative at an index."""

    def __init__(self, subject: FixedPoint, X: Sequence[Fraction] | None, first: int, bits: int) -> None:
        super().__init__(Setting(subject, X is not None), first, bits)
        self.d = self.columns(self.fixed_point)[0][0]
        limit = Limit([list(X or [])], derivatives=True)
        self.G = [] if X is None else [column[0] for column in self.columns(limit)]
        far = size(self.d)
        self.radius = short(far, far).hi


# -- bounds for all k ----------------------------------------------------------------------------------------------


def bound_proved(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The bound holds up to an index by evaluation, and from there on because the map contracts."""
    claimed, bits = Claimed(claim), read_bits(witness)
    if claimed.upto is not None or subject.map.start is None or subject.p != 1:
        raise Unreadable('`claim.upto` is not "infinity", or `start` is missing, or there are several state variables')
    first, rate = integer(witness["from"], "from", 0, MOST_STEPS), number(witness["rate"], "rate")
    errors = errors_of(claimed, subject, witness)
    X = limit_of_derivatives(claimed.derivatives, subject, witness)
    k = errors.first_violation(first, bits)
    if k is not None:
        raise Refused(f"the error exceeds the bound at k = {k}")
    found = Followed(subject, X, first, bits)
    near = Neighbourhood(subject, found.radius, X or [])
    if not 0 < rate or size(near.a) > rate:
        raise Refused("the rate is not positive, or below the derivative at the fixed point")
    whole = max if claimed.norm == "max" else squares
    a, b = map(whole, zip(*constants(near, found, rate), strict=True))
    S0, S1 = below(claimed.bound.terms(), first, rate)
    if claimed.norm != "max":
        S0, S1 = (S * S if S >= 0 else S for S in (S0, S1))
    if a > S0 or b > S1:
        raise Refused(f"the bound is not proved from k = {first} on")
    return say_bound(claim, claimed, subject, f"at most the bound for all k, by the rate {say(rate)} from {first} on:")


def squares(numbers: Sequence[Fraction]) -> Fraction:
    """The sum of squares."""
    return sum((c * c for c in numbers), NONE)


def constants(near: Neighbourhood, found: Followed, rate: Fraction) -> list[tuple[Fraction, Fraction]]:
    """Numbers a and b such that the error, or that of each derivative, is at most rate^n (a + b n) after n steps."""
    far = found.radius
    swelling = 1 / (1 - near.strayed(Fraction(1, 2), rate))
    if not found.G:
        return [(swelling * far, NONE)]
    own, result = 1 / (1 - near.strayed(Fraction(1), rate)), []
    for g, shift, twist in zip(found.G, near.shifts, near.twists, strict=True):
        turned = twist * swelling * far**2 / (2 * rate * (1 - near.steepest)) if far else NONE
        result.append((own * (size(g) + turned), own * size(shift) * swelling * far / rate))
    return result


def limit_of_derivatives(derivatives: bool, subject: FixedPoint, witness: Data) -> list[Fraction] | None:
    """The one matrix that the piece sends to itself, a row."""
    if derivatives != ("matrix" in witness):
        raise Unreadable("`matrix` stands in the witness when the claim is about derivatives")
    return [c.lo for c in shared_limit(subject, witness)[0]] if derivatives else None


# -- exact rates ---------------------------------------------------------------------------------------------------


def rate_of(
    claim: Data, subject: Subject, witness: Data, columns: Sequence[int] | None = None
) -> tuple[Fraction, Fraction, Polynomial]:
    """The rate, of all columns or some, and a polynomial of which it is the root."""
    if not isinstance(subject, FixedPoint):
        raise Unreadable("the method is about a map")
    data = fields(witness["number"], "number", ("polynomial", "lower", "upper"))
    R = read_polynomial(data["polynomial"], "number.polynomial")
    stated = number(data["lower"], "number.lower")
    derivatives = claim["quantity"] == "derivatives"
    if derivatives and not subject.m:
        raise Unreadable("there are no parameters")
    subject.require_all_pieces()
    nilpotent = witness["method"] == "nilpotent"
    rate = NONE if nilpotent else slope_rate(derivatives, subject, witness, columns)
    if nilpotent:
        require_nilpotent(derivatives, subject, witness)
    if stated != rate or number(data["upper"], "number.upper") != rate or R != [-rate.numerator, rate.denominator]:
        raise Refused(f"the rate is {say(rate)}")
    return rate, rate, R


def slope_rate(derivatives: bool, subject: FixedPoint, witness: Data, columns: Sequence[int] | None) -> Fraction:
    """The rate in one state variable: the size of the derivative of F, if the errors do not decay faster."""
    started = {"iteration", "bits"} & set(witness)
    if len(started) != 2 * (subject.map.start is not None) or (not started and "matrix" in witness):
        raise Unreadable("`iteration` and `bits`, for derivatives `matrix`, stand in the witness when there is a start")
    if not started:
        near = Neighbourhood(subject, NONE, [NONE] * subject.m if derivatives else [])
        if not near.a.exact or size(near.a) >= 1:
            raise Refused("the derivative at the fixed point is not rational, or not below 1")
        return size(near.a)
    X = limit_of_derivatives(derivatives, subject, witness)
    first = integer(witness["iteration"], "iteration", 0, MOST_ITERATIONS)
    found = Followed(subject, X, first, read_bits(witness))
    near = Neighbourhood(subject, found.radius, X or [])
    if not near.a.exact:
        raise Refused("the derivative at the fixed point is not rational")
    chosen = columns if columns is not None else range(subject.m)
    return size(near.a) if near.a.lo and not vanishes(near, found, chosen if derivatives else None) else NONE


def vanishes(near: Neighbourhood, found: Followed, chosen: Sequence[int] | None) -> bool:
    """Whether the errors are 0 from the index on; otherwise they decay at the rate of the slope, which is not 0."""
    if chosen is None:
        if not found.d.is_zero and (apart(found.d) == 0 or not near.flattest):
            raise Refused("an iterate is not proved to be away from the fixed point")
        return found.d.is_zero
    columns = [(found.G[j], near.shifts[j], near.twists[j]) for j in chosen]
    if all(g.is_zero and (found.d.is_zero or (c.is_zero and not t)) for g, c, t in columns):
        return True
    if found.d.is_zero and any(apart(g) for g, _, _ in columns):
        return False
    if not apart(found.d) or not near.flattest:
        raise Refused("an iterate is not proved to be away from the fixed point")
    if any(apart(c) for _, c, _ in columns):
        return False
    strayed = near.bend * near.radius / (2 * near.flattest * (1 - near.steepest))
    if strayed < 1:
        turned = near.radius**2 / (2 * near.flattest * (1 - strayed) * (1 - near.steepest))
        if any(c.is_zero and apart(g) > t * turned for g, c, t in columns):
            return False
    raise Refused("the errors of the derivatives may decay faster")


def apart(x: Interval) -> Fraction:
    """The smallest absolute value."""
    return max(x.lo, -x.hi, NONE)


def require_nilpotent(derivatives: bool, subject: FixedPoint, witness: Data) -> None:
    """Refuse unless the iterates converge along one piece, and a power of A vanishes."""
    power = jacobian_of_one_piece(derivatives, subject)
    for _ in range(subject.p.bit_length()):
        power = product(power, power)
    if any(map(any, power.rows)):
        raise Refused("A is not nilpotent")
    if ("trap" in witness) != (subject.map.start is not None):
        raise Unreadable("`trap` and a tree of words stand in the witness when there is a start")
    if subject.map.start is not None:
        require_trapped(derivatives, subject, witness)


def jacobian_of_one_piece(derivatives: bool, subject: FixedPoint) -> Scaled:
    """A, where one piece is met near the fixed point and no guard vanishes there."""
    map_ = subject.map
    moving = map_.names if derivatives else map_.state
    found = list(Patterns().run(map_.program, map_.next, map_.jets(subject.point, moving)))
    if len(found) != 1 or any(met.tied for met in found[0].met):
        raise Refused("several pieces meet at the fixed point")
    A = [jet.slopes(subject.p) for jet in subject.require_fixed(found[0].outputs)]
    if not all(c.exact for row in A for c in row):
        raise Refused("the derivative at the fixed point is not rational")
    return scaled(fractions(A))


def require_trapped(derivatives: bool, subject: FixedPoint, witness: Data) -> Region:
    """Refuse unless the iterates enter a region where they stay; with one derivative at each of them before."""
    start = subject.map.start or []
    rate, tree = contraction(subject, witness | {"method": "word_tree"}), read_tree(subject.p, len(subject.A), witness)
    data = fields(witness["trap"], "trap", ("iteration", "level", "growth", "bits"))
    trap(subject, start, tree, rate, data)
    if derivatives:
        first = integer(data["iteration"], "iteration", 0, MOST_ITERATIONS)
        Rounding(Setting(subject, derivatives=True), first, integer(data["bits"], "bits", 0, 10_000))
    return Region(subject, tree, rate, number(data["growth"], "growth") * number(data["level"], "level"))


Rule = tuple[Callable[[Data, Any, Data], str], Sequence[str], Sequence[str]]
RULES: dict[tuple[str, str, str], Rule] = {
    ("rate_bound", "proved", "curved"): (bound_proved, ("method", "from", "rate", "bits"), ("matrix",)),
}
METHODS: dict[str, tuple[Sequence[str], Sequence[str]]] = {  # of exact rates, with the keys of their witnesses
    "curved": (("method", "number"), ("iteration", "bits", "matrix")),
    "nilpotent": (("method", "number"), ("rate", *KINDS["word_tree"][1], "trap")),
}

"""The exact asymptotic rate along a structured map whose piece at the limit is affine: a simple real eigenvalue leads.

On the ball of the limit the map is affine in the coordinates that are not constant there, with a rational matrix M. Its
eigenvalue of largest modulus is simple, and the error of an iterate in the ball has a part along it.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from math import isqrt

from .enclosures import ALONG, LIMIT, Keys, Rule, iterates, require_error
from .fixed import Ball, fixed
from .intervals import ZERO, Interval
from .layered_pieces import AffinePiece
from .layered_rates import is_inside
from .limits import Limit, Structured, derivatives, limit
from .matrices import characteristic_polynomial, has_root_beyond
from .polynomials import Polynomial, divided, read_polynomial, value
from .reading import Data, Refused, Unreadable, fields, integer, number, say, text
from .scalars import Directions
from .surds import Surds

MOST_STEPS = 20_000
NARROW = Fraction(1, 2**240)


def rate_proved(claim: Data, subject: Structured, witness: Data) -> str:
    """The rate is the stated number, and that of the claim."""
    lower, upper, R = rate_of(claim, subject, witness)
    if "value" in claim:
        claimed = Surds(claim["value"])
        if not claimed.enclosure.within(Interval(lower, upper)) or not claimed.is_root(R):
            raise Refused("the claimed value is not proved to be the root between the bounds")
    return say_rate(claim, lower, upper)


def rate_refuted(claim: Data, subject: Structured, witness: Data) -> str:
    """The rate is between bounds between which the claimed value is not."""
    lower, upper, _ = rate_of(claim, subject, witness)
    if not Surds(claim.get("value")).enclosure.apart(Interval(lower, upper)):
        raise Refused("the claimed value may be between the bounds")
    return say_rate(claim, lower, upper)


def say_rate(claim: Data, lower: Fraction, upper: Fraction) -> str:
    """What is proved of the rate."""
    found = say(lower) if lower == upper else f"a root between {say(lower)} and {say(upper)}"
    return f"the asymptotic rate of the {claim['quantity']} at the fixed point near the stated one is {found}"


def rate_of(claim: Data, subject: Structured, witness: Data) -> tuple[Fraction, Fraction, Polynomial]:
    """Bounds of the rate, and a polynomial of which it is the only root between them."""
    quantity = text(claim["quantity"], "claim.quantity")
    moving = quantity == "derivatives"
    if not moving and quantity != "iterates":
        raise Unreadable('`claim.quantity` is "iterates" or "derivatives"')
    if ("directions" in claim, "directions" in witness, "derivative" in witness) != (moving,) * 3:
        raise Unreadable("`directions` and `derivative` are for the quantity `derivatives`, and needed there")
    if ("iteration" in witness) != (subject.start is not None):
        raise Unreadable("`iteration` stands in the witness exactly when there is a start")
    found = limit(subject, witness)
    directions = subject.directions(claim, witness) if moving else {}
    block = Block(subject, found, directions)
    data = fields(witness["number"], "number", ("polynomial", "lower", "upper"))
    R = read_polynomial(data["polynomial"], "number.polynomial")
    lower, upper = number(data["lower"], "number.lower"), number(data["upper"], "number.upper")
    rest = Leading(block.polynomial(), R, lower, upper).rest
    if moving:
        target, error = derivatives(subject, witness, directions, found)
    else:
        target, error = [[Fraction(a, 2**found.bits) for a in found.centre]], found.error
    require_error(error, witness)
    if subject.start is not None:
        orbit = iterates(subject, found.bits, subject.start, directions)
        k = integer(witness["iteration"], "iteration", 1, MOST_STEPS)
        (before, _), (x, J) = islice(orbit, k - 1, k + 1)
        if not is_inside(found, before):
            raise Refused(f"the iterate {k - 1} is not in the ball on which the map contracts")
        columns, here = [fixed(column, found.bits) for column in target], J if moving else x
        pairs = zip(here.columns, columns, strict=True)
        d = [[a - b for a, b in zip(p, q.centre, strict=True)] for p, q in pairs]
        apart = -(-error.numerator * 2**found.bits // error.denominator) + sum(q.error for q in columns)
        block.require_excited(rest, Ball(d, here.error + apart))
    return lower, upper, R


class Block:
    """The derivative of the map on the ball, exactly, in the coordinates that are not constant there."""

    def __init__(self, subject: Structured, found: Limit, directions: Directions) -> None:
        self.bits = found.bits
        self.kept, self.matrix = AffinePiece(subject, found, directions).block()

    def polynomial(self) -> Polynomial:
        """The characteristic polynomial, without the root 0."""
        d = self.matrix.denominator
        rows = [[Interval(Fraction(a, d)) for a in row] for row in self.matrix.dense()]
        found = [c.lo for c in reversed(characteristic_polynomial(rows))]
        while not found[0]:
            found = found[1:]
        return found

    def require_excited(self, rest: list[Interval], errors: Ball) -> None:
        """Refuse errors that the polynomial of all other eigenvalues, the root 0 among them, may send to zero."""
        d = Ball([[column[i] for i in self.kept] for column in errors.columns], errors.error)
        V = d.times(rest[-1])
        for c in reversed(rest[:-1]):
            V = self.matrix.apply(V, self.bits).plus(d.times(c))
        for _ in range(len(self.kept) - len(rest)):
            V = self.matrix.apply(V, self.bits)
        if isqrt(sum(a * a for column in V.columns for a in column)) <= V.error:
            raise Refused("that the errors excite the eigenvalue of largest modulus is not proved")


class Leading:
    """The simple real root of largest modulus of a polynomial, and what is left when it is divided out."""

    def __init__(self, chi: Polynomial, R: Polynomial, lower: Fraction, upper: Fraction) -> None:
        if len(chi) < 2 or not 0 < lower <= upper:
            raise Refused("all eigenvalues are zero, or the bounds of the rate are not positive, or in the wrong order")
        for side in (1, -1):
            mirrored = [c * side**k for k, c in enumerate(R)]
            if not divided(chi, mirrored)[1]:
                low, high = narrowed(R, lower, upper)
                self.rest = quotient(chi, Interval(low, high) if side > 0 else Interval(-high, -low))
                if not has_root_beyond([widened(c) for c in reversed(self.rest)], lower):
                    return
        raise Refused("no real root of the polynomial has a larger modulus than all others")


def narrowed(R: Polynomial, low: Fraction, high: Fraction) -> tuple[Fraction, Fraction]:
    """Narrow bounds of a root."""
    first = value(R, low)
    if low == high and first == 0:
        return low, high
    if first * value(R, high) >= 0:
        raise Refused("the polynomial of the rate is not shown to have a root between the bounds")
    while high - low > NARROW:
        middle = (low + high) / 2
        at = value(R, middle)
        if at == 0:
            return middle, middle
        low, high = (low, middle) if (at > 0) != (first > 0) else (middle, high)
    return low, high


def quotient(chi: Polynomial, root: Interval) -> list[Interval]:
    """The polynomial without a root."""
    found, carry = [], ZERO
    for c in reversed(chi[1:]):
        carry = Interval(c / chi[-1]) + carry * root
        found.append(carry)
    return found[::-1]


def widened(c: Interval) -> Interval:
    """An interval that is no number, so that it stays short."""
    return Interval(c.lo - NARROW, c.hi + NARROW)


KEYS = (*LIMIT, "error", "number")
RULES: dict[tuple[str, str], tuple[Rule, Keys, Keys, Keys, Keys]] = {
    # with the required and optional keys of the witness, and of the claim
    ("asymptotic_rate", "proved"): (rate_proved, KEYS, (*ALONG, "iteration"), ("quantity",), ("value", "directions")),
    ("asymptotic_rate", "refuted"): (rate_refuted, KEYS, (*ALONG, "iteration"), ("quantity", "value"), ("directions",)),
}

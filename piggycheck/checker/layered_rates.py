"""Bounds on errors along structured maps: for finitely many k by evaluation, for all by contraction at the limit."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from fractions import Fraction
from itertools import islice

from .arithmetics import Open, Rounded
from .definite import surely_definite
from .enclosures import ALONG, LIMIT, Keys, Rule, iterates, require_arrival, require_error, require_rate
from .fixed import Ball, fixed, inner, norm, root
from .layered_pieces import AffinePiece
from .limits import Limit, Structured, derivatives, limit
from .norms import at_most
from .rates import WORDS, Claimed
from .reading import Data, Refused, Unreadable, integer, number, say
from .scalars import Directions
from .scaled import Scaled
from .tails import below

MOST_STEPS = 20_000


class Along:
    """The errors along the iterates, each with a bound of how far it may be from the true one."""

    def __init__(self, claim: Data, subject: Structured, witness: Data) -> None:
        self.claim, self.claimed, self.subject, self.witness = claim, Claimed(claim), subject, witness
        moving = self.claimed.derivatives
        if ("directions" in claim, "directions" in witness, "derivative" in witness) != (moving,) * 3:
            raise Unreadable("`directions` and `derivative` are for the quantity `derivatives`, and needed there")
        if subject.start is None:
            raise Unreadable("`start` is missing")
        self.start, self.found = subject.start, limit(subject, witness)
        self.directions: Directions = subject.directions(claim, witness) if moving else {}
        self.arithmetic = Rounded(self.found.bits)
        self.target, self.error = self.read_target()

    def read_target(self) -> tuple[Ball, int]:
        """What is subtracted, and the distance from the limit in units."""
        found = self.found
        if not self.claimed.derivatives:
            require_error(found.error, self.witness)
            return Ball([found.centre], 0), found.distance
        J = derivatives(self.subject, self.witness, self.directions, found)
        require_error(J.error, self.witness)
        columns = [fixed(column, found.bits) for column in J.stated]
        apart = -(-J.error.numerator * 2**found.bits // J.error.denominator)
        return Ball([column.centre for column in columns], 0), apart + sum(column.error for column in columns)

    def differences(self, last: int) -> Iterator[tuple[int, Ball, Ball]]:
        """For each k up to the last, the iterate, and the ball of the difference from the limit."""
        orbit = iterates(self.subject, self.found.bits, self.start, self.directions)
        for k, (x, J) in enumerate(islice(orbit, last + 1)):
            here = J if self.claimed.derivatives else x
            pairs = zip(here.columns, self.target.columns, strict=True)
            columns = [[a - b for a, b in zip(*pair, strict=True)] for pair in pairs]
            yield k, x, Ball(columns, here.error + self.error)

    def holds(self, k: int, difference: Ball) -> bool:
        """Whether the error is at most the bound."""
        rows = list(map(list, zip(*difference.columns, strict=True)))
        b, r = self.claimed.bound.value(k, self.arithmetic)
        if at_most(rows, b - r - difference.error, 1, self.claimed.norm):
            return True
        if at_most(rows, b + r + difference.error, 1, self.claimed.norm):
            raise Open("a comparison")
        return False

    def compared(self, last: int) -> tuple[Ball, Ball, Ball]:
        """Refuse errors above the bound up to an index; return the iterate before, and iterate and difference there."""
        before = Ball([], 0)
        for k, x, difference in self.differences(last):
            try:
                if not self.holds(k, difference):
                    raise Refused(f"the error exceeds the bound at k = {k}")
            except Open:
                raise Refused(f"the comparison at k = {k} is not decided with {self.found.bits} bits") from None
            if k < last:
                before = x
        return before, x, difference

    def violated(self, last: int) -> Ball:
        """Refuse unless the error exceeds the bound at an index, and at none before where that is decided."""
        for k, x, difference in self.differences(last):
            held = True
            with suppress(Open):
                held = self.holds(k, difference)
            if held != (k < last):
                raise Refused(f"the error does not exceed the bound first at k = {last}")
            reached = x
        return reached

    def require_approach(self, x: Ball) -> None:
        """Refuse unless the iterates converge to the limit: from the start, or from an iterate near it."""
        if "lipschitz" in self.witness:
            require_arrival(self.subject, self.start, self.found, number(self.witness["lipschitz"], "lipschitz"))
        elif not is_inside(self.found, x):
            raise Refused("the last iterate is not in the ball on which the map contracts, and `lipschitz` is missing")

    def decrease(self, difference: Ball) -> tuple[Fraction, int]:
        """A factor by which errors shrink on the ball in each step, and a bound of a difference in the norm of that.

        It is the contraction; or one of the coordinates that are not constant on the ball, in the norm of a form.
        """
        rate, size = self.found.contraction, difference.size + difference.error
        if "rate" in self.witness:
            rate = number(self.witness["rate"], "rate")
            if rate < 0:
                raise Refused("the rate is negative")
            kept, P = require_rate(self.subject, self.found, rate, self.witness, self.found.radius)
            size = size if P is None else size_in(P, kept, difference)
        elif "form" in self.witness:
            raise Unreadable("`form` stands in the witness with `rate`")
        if rate == 0:
            raise Refused("the rate is zero")
        return rate, size

    def say(self, what: str) -> str:
        """What is proved of the error."""
        error = "J_k - J in the given directions" if self.claimed.derivatives else "x_k - x"
        bound = " ".join(self.claim["bound"].split())[:100]
        return f"the {WORDS[self.claimed.norm]} of {error} at the fixed point near the stated one is {what} {bound}"


def size_in(P: Scaled, kept: list[int], difference: Ball) -> int:
    """A bound of the norm of some coordinates of a ball in a form; refused where the form may be below the identity."""
    n, d = len(kept), P.denominator
    if not surely_definite([[P.rows[i][j] - d * (i == j) for j in range(n)] for i in range(n)]):
        raise Refused("the form is not above the identity")
    square = 0
    for column in difference.columns:
        c = [column[i] for i in kept]
        square += inner(c, [inner(row, c) for row in P.rows])
    trace = sum(P.rows[i][i] for i in range(n))
    return root(-(-square // d)) + difference.error * root(-(-trace // d))


def is_inside(found: Limit, x: Ball) -> bool:
    """Whether a ball around the fixed point that reaches an iterate lies in that on which the map contracts."""
    away = norm([a - b for a, b in zip(x.centre, found.centre, strict=True)]) + x.error
    return away + 2 * found.distance <= found.radius


def rate_proved(claim: Data, subject: Structured, witness: Data) -> str:
    """The error is at most the bound, at every index up to the last, or at every index."""
    along = Along(claim, subject, witness)
    last = along.claimed.upto
    if (last is None) != ("from" in witness) or (last is not None and {"rate", "form"} & set(witness)):
        raise Unreadable('`from`, and `rate`, stand in the witness when `claim.upto` is "infinity"')
    if last is None:
        return proved_for_all(along)
    _, x, _ = along.compared(integer(str(last), "claim.upto", 0, MOST_STEPS))
    along.require_approach(x)
    return along.say(f"at most the bound for k = 0..{last}:")


def proved_for_all(along: Along) -> str:
    """From an iterate in the ball on errors shrink by a factor in each step, and the bound does not faster."""
    if "lipschitz" in along.witness:
        raise Unreadable("for all k `lipschitz` is not needed")
    first = integer(along.witness["from"], "from", 1, MOST_STEPS)
    before, _, difference = along.compared(first)
    if not is_inside(along.found, before):
        raise Refused(f"the iterate {first - 1} is not in the ball on which the map contracts")
    if along.claimed.derivatives:
        AffinePiece(along.subject, along.found, along.directions)
    rate, size = along.decrease(difference)
    S0, S1 = below(along.claimed.bound.terms(), first, rate)
    if Fraction(size, 2**along.found.bits) > S0 or S1 < 0:
        raise Refused(f"the bound is not proved from k = {first} on")
    return along.say(f"at most the bound for all k, by the rate {say(rate)} from k = {first} on:")


def rate_refuted(claim: Data, subject: Structured, witness: Data) -> str:
    """The error exceeds the bound at an index, and not before."""
    along = Along(claim, subject, witness)
    most = MOST_STEPS if along.claimed.upto is None else min(along.claimed.upto, MOST_STEPS)
    k = integer(witness["violation"], "violation", 0, most)
    along.require_approach(along.violated(k))
    return along.say(f"larger than the bound at k = {k}:")


NEEDED = ("quantity", "bound", "upto", "norm")
GOING_ON = ("lipschitz", "from", "rate", "form")
RULES: dict[tuple[str, str], tuple[Rule, Keys, Keys, Keys, Keys]] = {
    # with the required and optional keys of the witness, and of the claim
    ("rate_bound", "proved"): (rate_proved, (*LIMIT, "error"), (*ALONG, *GOING_ON), NEEDED, ("directions",)),
    ("rate_bound", "refuted"): (
        rate_refuted,
        (*LIMIT, "error", "violation"),
        (*ALONG, "lipschitz"),
        NEEDED,
        ("directions",),
    ),
}

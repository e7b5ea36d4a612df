"""The exact asymptotic rate along a structured map whose piece at the limit is affine: a simple real eigenvalue leads.

On the ball of the limit the map is affine in the coordinates that are not constant there, with a rational matrix M. Its
eigenvalue of largest modulus is simple, and the error of an iterate in the ball has a part along it.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import islice
from math import isqrt

from .enclosures import ALONG, LIMIT, Keys, Rule, iterates, require_error
from .evaluation import Evaluation
from .exact import Exact, Nearly
from .fixed import Ball, fixed
from .intervals import ZERO, Interval
from .layered_rates import is_inside
from .limits import Limit, Structured, derivatives, limit
from .matrices import characteristic_polynomial, has_root_beyond
from .nodes import Affine, Node, Part, Stack, State
from .polynomials import Polynomial, divided, read_polynomial, value
from .reading import Data, Refused, Unreadable, fields, integer, number, say, text
from .scalar_functions import VARIABLE
from .scalars import Directions
from .scaled import lowest
from .steps import Elementwise
from .surds import Surds

MOST_STEPS = 20_000
MOST_KEPT = 30
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
        self.layers, self.bits, self.moving = subject.layers, found.bits, bool(directions)
        self.e = Evaluation(subject.setting(found.bits, directions), found.centre, found.radius)
        self.known: dict[str, Nearly] = {}
        A = self.jacobian(self.layers.next)
        self.kept = [i for i, row in enumerate(A.rows) if any(row)]
        if not 0 < len(self.kept) <= MOST_KEPT:
            raise Refused(f"not one coordinate, or more than {MOST_KEPT}, are not constant near the limit")
        rows, d = lowest([[A.rows[i][j] for j in self.kept] for i in self.kept], A.denominator)
        self.matrix = Exact(rows, d, len(rows))

    def jacobian(self, node: Node) -> Nearly:
        """The derivative of a node in the state; it is the same on the whole ball."""
        if node.name not in self.known:
            found = self.compute(node)
            if found.error:
                raise Refused(f"node {node.name[:60]}: its derivative is not a short rational matrix")
            self.known[node.name] = found
        return self.known[node.name]

    def compute(self, node: Node) -> Nearly:
        """The derivative, from those of the sources."""
        size = self.layers.size
        if not node.moving:
            return Nearly([[0] * size] * node.size, 1, Fraction(0), size)
        if isinstance(node, State):
            start, stop = node.cut.range
            return Nearly([[int(i == j) for j in range(size)] for i in range(start, stop)], 1, Fraction(0), size)
        if isinstance(node, Elementwise):
            return self.of_branches(node)
        if isinstance(node, Affine):
            for term, _, source in node.terms:
                if self.moving and source.moving and term.moves(self.e.numbers):
                    raise Refused(f"node {node.name[:60]}: a matrix moves with the parameters")
        elif not isinstance(node, Stack | Part):
            raise Refused(f"node {node.name[:60]} is not affine")
        total = [[0] * size for _ in range(node.size)]
        d = 1
        for scale, word, source in node.parts():
            if not source.moving:
                continue
            J = self.jacobian(source)
            for factor in reversed(word):
                J = factor.times(J)
            if not scale.exact or J.error:
                raise Refused(f"node {node.name[:60]}: its derivative is not a short rational matrix")
            n, m = scale.lo.numerator, J.denominator * scale.lo.denominator
            pairs = zip(total, J.rows, strict=True)
            total, d = lowest([[a * m + b * n * d for a, b in zip(*pair, strict=True)] for pair in pairs], d * m)
        return Nearly(total, d, Fraction(0), size)

    def of_branches(self, node: Elementwise) -> Nearly:
        """The rows of the source times slopes that are numbers on the ball, as are those in the arguments."""
        J = self.jacobian(node.source)
        for name in node.arguments if self.moving else ():
            self.slopes(node, name)
        slopes = self.slopes(node, VARIABLE)
        rows = [[a * s for a in row] for s, row in zip(slopes, J.rows, strict=True)]
        rows, d = lowest(rows, J.denominator << self.bits)
        return Nearly(rows, d, Fraction(0), J.width)

    def slopes(self, node: Elementwise, name: str) -> list[int]:
        """A derivative, in units, when it is the same number on the whole ball."""
        (lower, upper), decided = node.enclosed_slopes(self.e, name)
        if not decided or lower != upper:
            raise Refused(f"node {node.name[:60]} is not affine on the ball")
        return lower

    def polynomial(self) -> Polynomial:
        """The characteristic polynomial, without the root 0."""
        d = self.matrix.denominator
        rows = [[Interval(Fraction(a, d)) for a in row] for row in self.matrix.dense()]
        found = [c.lo for c in reversed(characteristic_polynomial(rows))]
        while not found[0]:
            found = found[1:]
        return found

    def require_excited(self, rest: list[Interval], errors: Ball) -> None:
        """Refuse errors that the polynomial of all other eigenvalues may send to zero."""
        d = Ball([[column[i] for i in self.kept] for column in errors.columns], errors.error)
        V = d.times(rest[-1])
        for c in reversed(rest[:-1]):
            V = self.matrix.apply(V, self.bits).plus(d.times(c))
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

"""Structured maps: fixed points and limits of derivatives, enclosed; rates; how far iterates are from the limit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fractions import Fraction
from math import ceil, isqrt
from typing import Any, NamedTuple

from .definite import surely_definite
from .evaluation import Evaluation, Setting, jacobian
from .exact import Nearly
from .fixed import Ball, enlarged, fixed, norm
from .layers import Layers
from .reading import Data, Refused, Unreadable, array, fields, integer, number, say, text
from .scalars import Directions
from .scaled import lowest, scaled, symmetric
from .words import Norms, form_shrinks, is_bounded

FEWEST_BITS, MOST_BITS = 8, 4096
MOST_ITERATIONS = 100_000
MOST_DIRECTIONS = 2000


class Structured:
    """A structured map and a start, which does not depend on the parameters."""

    def __init__(self, certificate: Data) -> None:
        self.layers = Layers(certificate["layers"])
        self.norms = Norms()
        self.start: list[Fraction] | None = None
        if "start" in certificate:
            self.start = self.layers.vector(certificate["start"], "start", self.layers.size)

    def setting(self, bits: int, directions: Directions | None = None) -> Setting:
        """The numbers of the program."""
        return Setting(self.layers, bits, self.norms, directions or {})

    def matrix(self, data: Any, where: str, width: int) -> list[list[Fraction]]:
        """Read a matrix with a row for each number of the state, by columns."""
        rows = [self.layers.vector(row, where, width) for row in array(data, where, self.layers.size)]
        return [list(column) for column in zip(*rows, strict=True)]

    def directions(self, claim: Data, witness: Data) -> Directions:
        """Read directions of the parameters; claim and witness have the same."""
        data, sizes = witness["directions"], self.layers.sizes
        if claim.get("directions") != data:
            raise Unreadable("`directions` differ between claim and witness")
        if not isinstance(data, dict) or not data:
            raise Unreadable("`directions` is not an object, or names no parameter")
        found = {}
        for name, columns in fields(data, "directions", (), list(sizes)).items():
            listed = array(columns, f"directions.{name}")
            found[name] = [self.layers.vector(column, f"directions.{name}", sizes[name]) for column in listed]
        counts = {len(columns) for columns in found.values()}
        if len(counts) != 1 or not 0 < min(counts) <= MOST_DIRECTIONS:
            raise Unreadable(f"`directions`: for each parameter the same number, from 1 to {MOST_DIRECTIONS}")
        return found


class Limit(NamedTuple):
    """The one fixed point in a ball; distances in units of 2^-bits."""

    bits: int
    centre: list[int]
    radius: int  # of the ball around the centre on which the map contracts
    contraction: Fraction
    distance: int  # from the centre to the fixed point, at most
    error: Fraction  # the distance from the stated point to the fixed point, at most


def limit(subject: Structured, witness: Data) -> Limit:
    """Prove that the map contracts on a ball, and moves its centre by so little that a fixed point is in it."""
    bits = integer(witness["bits"], "bits", FEWEST_BITS, MOST_BITS)
    stated = subject.layers.vector(witness["point"], "point", subject.layers.size)
    point, layers = fixed(stated, bits), subject.layers
    radius = int(number(witness["radius"], "radius") * 2**bits // 1)
    factor, by = number(witness["contraction"], "contraction"), text(witness["by"], "by")
    if radius <= 0 or not 0 <= factor < 1:
        raise Refused("the radius is not positive, or the contraction not between 0 and 1")
    setting = subject.setting(bits)
    image = Evaluation(setting, point.centre).value(layers.next)
    moved = norm([a - b for a, b in zip(image.centre, point.centre, strict=True)]) + image.error
    distance = ceil(moved / (1 - factor))
    if distance > radius:
        raise Refused("the map moves the point too far for a fixed point in the ball")
    if by == "layers":
        found = Evaluation(setting, point.centre, radius).lipschitz(layers.next)
        if found > factor:
            raise Refused(
                f"by its layers the map has the Lipschitz constant {say(found)} on the ball, not {say(factor)}"
            )
    elif by == "jacobian":
        A, zero = jacobian(setting, point.centre, radius)
        if not is_bounded(part(A, zero, range(layers.size)), factor, symmetric=False):
            raise Refused(f"the Jacobian is not proved to have a norm of at most {say(factor)} on the ball")
    else:
        raise Unreadable('`by` is "layers" or "jacobian"')
    return Limit(bits, point.centre, radius, factor, distance, Fraction(distance + point.error, 2**bits))


def part(A: Nearly, zero: Sequence[bool], columns: Sequence[int]) -> Nearly:
    """The rows that are not zero, and some columns."""
    rows = [[row[j] for j in columns] for row, vanishes in zip(A.rows, zero, strict=True) if not vanishes]
    return Nearly(rows, A.denominator, A.error if rows else Fraction(0), len(columns))


def require_error(error: Fraction, witness: Data) -> Fraction:
    """The stated error, which is not below the proved one."""
    stated = number(witness["error"], "error")
    if error > stated:
        raise Refused(f"the error is proved to be at most {say(error)}, not {say(stated)}")
    return stated


def fixed_point_proved(claim: Data, subject: Structured, witness: Data) -> str:
    """The map contracts on a ball, and hardly moves its centre."""
    found = limit(subject, witness)
    stated = require_error(found.error, witness)
    return f"within {say(stated)} of the stated point there is a fixed point, the only one {near(found)}"


def near(found: Limit) -> str:
    """The ball of uniqueness as text."""
    return f"within {say(Fraction(found.radius, 2**found.bits))} of it up to rounding"


def fixed_point_refuted(claim: Data, subject: Structured, witness: Data) -> str:
    """The image of the claimed point is another one."""
    layers, bits = subject.layers, integer(witness["bits"], "bits", FEWEST_BITS, MOST_BITS)
    point = fixed(layers.vector(claim["value"], "claim.value", layers.size), bits)
    e = Evaluation(subject.setting(bits), point.centre, point.error)
    image = e.value(layers.next)
    moved = sum((a - b) ** 2 for a, b in zip(image.centre, point.centre, strict=True))
    if isqrt(moved) <= image.error + point.error + (e.reach(layers.next) if point.error else 0):
        raise Refused("the claimed point is fixed, or that it is not is not decided")
    return "the claimed point is not a fixed point"


class Derivatives(NamedTuple):
    """The limit of the derivatives along directions: the stated one by columns, and how far it may be from it."""

    stated: list[list[Fraction]]
    error: Fraction


def derivatives(subject: Structured, witness: Data, directions: Directions, found: Limit) -> Derivatives:
    """Enclose the solution of J = A J + B by what a matrix leaves over, at the fixed point."""
    stated = subject.matrix(witness["derivative"], "derivative", len(next(iter(directions.values()))))
    columns = [fixed(column, found.bits) for column in stated]
    J = Ball([column.centre for column in columns], sum(column.error for column in columns))
    setting = subject.setting(found.bits, directions)
    e = Evaluation(setting, found.centre, found.distance, Ball(J.columns, 0))
    image = e.tangent(subject.layers.next) or Ball([[0] * len(column) for column in J.columns], 0)
    left = image.plus(Ball([[-a for a in column] for column in J.columns], 0))
    error = Fraction(left.size + left.error, 2**found.bits) / (1 - found.contraction) + Fraction(J.error, 2**found.bits)
    return Derivatives(stated, error)


def derivative_proved(claim: Data, subject: Structured, witness: Data) -> str:
    """Near the fixed point the map is smooth, so that there is one limit; and it is enclosed."""
    found, directions = limit(subject, witness), subject.directions(claim, witness)
    stated = require_error(derivatives(subject, witness, directions, found).error, witness)
    return f"the piggyback set in the given directions is one matrix, within {say(stated)} of the stated one"


def derivative_refuted(claim: Data, subject: Structured, witness: Data) -> str:
    """The limit is enclosed, and the claimed matrix is too far away."""
    found, directions = limit(subject, witness), subject.directions(claim, witness)
    J = derivatives(subject, witness, directions, found)
    stated = require_error(J.error, witness)
    value = subject.matrix(claim["value"], "claim.value", len(J.stated))
    square = sum((a - b) ** 2 for pair in zip(value, J.stated, strict=True) for a, b in zip(*pair, strict=True))
    if square <= stated**2:
        raise Refused("the claimed matrix is not farther from the stated one than the limit can be")
    return f"the piggyback set in the given directions is one matrix, within {say(stated)} of the stated, not the claimed one"


def converges_proved(claim: Data, subject: Structured, witness: Data) -> str:
    """One piece is active, and its Jacobian contracts at a rate; with a start, the iterates come near."""
    found, rate = limit(subject, witness), number(witness["rate"], "rate")
    claimed = number(claim["rate"], "claim.rate") if "rate" in claim else Fraction(1)
    if not 0 <= rate <= claimed or rate >= 1:
        raise Refused("the rate is not below 1, or larger than the claimed one")
    still = Ball([[0] * subject.layers.size], 0)
    Evaluation(subject.setting(found.bits), found.centre, found.distance, still).tangent(subject.layers.next)
    if "form" in witness or rate < found.contraction:
        require_rate(subject, found, rate, witness)
    proved = f"one piece is active at the fixed point, and its joint spectral radius is at most {say(rate)}"
    if ("lipschitz" in witness) != (subject.start is not None):
        raise Unreadable("`lipschitz` stands in the witness exactly when there is a start")
    if subject.start is None:
        return proved
    require_arrival(subject, subject.start, found, number(witness["lipschitz"], "lipschitz"))
    return proved + "; the iterates converge to it from the start"


def require_rate(subject: Structured, found: Limit, rate: Fraction, witness: Data) -> None:
    """The Jacobian, without its rows that are zero and their columns, shrinks the norm, or that of a form."""
    A, zero = jacobian(subject.setting(found.bits), found.centre, found.distance)
    kept = [i for i, vanishes in enumerate(zero) if not vanishes]
    A = part(A, zero, kept)
    if "form" not in witness:
        if kept and not is_bounded(A, rate, symmetric=False):
            raise Refused("the rate is not proved: the norm of the Jacobian is larger, or not known to be as small")
        return
    rows = array(witness["form"], "form", len(kept))
    P = scaled([subject.layers.vector(row, "form", len(kept)) for row in rows]) if kept else lowest([], 1)
    if not symmetric(P) or not surely_definite(P.rows):
        raise Refused("the form is not symmetric and positive definite")
    if kept and not form_shrinks(A, P.rows, rate):
        raise Refused("the rate is not proved: the Jacobian does not shrink the form by it")


def require_arrival(subject: Structured, start: Sequence[Fraction], found: Limit, lipschitz: Fraction) -> None:
    """From the start to the fixed point distances shrink: see docs/theory/verified-limit."""
    point = fixed(start, found.bits)
    apart = norm([a - b for a, b in zip(point.centre, found.centre, strict=True)]) + point.error + found.distance
    inside = found.radius - found.distance
    if apart <= inside:
        return
    e = Evaluation(subject.setting(found.bits), found.centre, apart + found.distance)
    constant = e.lipschitz(subject.layers.next)
    if constant > lipschitz:
        raise Refused(f"the Lipschitz constant between start and fixed point is at most {say(constant)}, if that")
    if not (max(lipschitz, Fraction(1)) - 1) * (apart - inside) < (1 - found.contraction) * inside:
        raise Refused("the Lipschitz constant is too large for the iterates to come near")


def converged(claim: Data, subject: Structured, witness: Data) -> tuple[Fraction, Fraction, Fraction, str]:
    """Bounds of the distance from the limit after some iterations, the claimed tolerance, and what that is about."""
    steps = integer(claim["iterations"], "claim.iterations", 0, MOST_ITERATIONS)
    tolerance, quantity = number(claim["tolerance"], "claim.tolerance"), text(claim["quantity"], "claim.quantity")
    if subject.start is None or quantity not in ("iterates", "derivatives"):
        raise Unreadable('`start` is missing, or `claim.quantity` is not "iterates" or "derivatives"')
    moving = quantity == "derivatives"
    if any(
        (key in data) != moving
        for data, key in ((claim, "directions"), (witness, "directions"), (witness, "derivative"))
    ):
        raise Unreadable("`directions` and `derivative` are for the quantity `derivatives`, and needed there")
    found = limit(subject, witness)
    directions = subject.directions(claim, witness) if moving else {}
    x, J = iterated(subject, found.bits, subject.start, directions, steps)
    if not moving:
        require_error(found.error, witness)
        target, error, reached = (
            [[Fraction(a, 2**found.bits) for a in found.centre]],
            Fraction(found.distance, 2**found.bits),
            x,
        )
    else:
        limits = derivatives(subject, witness, directions, found)
        require_error(limits.error, witness)
        target, error, reached = limits.stated, limits.error, J
    columns = [fixed(column, found.bits) for column in target]
    difference = [
        [a - b for a, b in zip(p, q.centre, strict=True)] for p, q in zip(reached.columns, columns, strict=True)
    ]
    size, spread = Ball(difference, 0).size, reached.error + sum(q.error for q in columns) + 1
    return (
        Fraction(size - 1 - spread, 2**found.bits) - error,
        Fraction(size + spread, 2**found.bits) + error,
        tolerance,
        f"after {steps} iterations the {quantity} are",
    )


def iterated(
    subject: Structured, bits: int, start: Sequence[Fraction], directions: Directions, steps: int
) -> tuple[Ball, Ball]:
    """Iterates and their derivatives, from a start that does not move."""
    setting, last = subject.setting(bits, directions), subject.layers.next
    x = fixed(start, bits)
    J = Ball([[0] * subject.layers.size for _ in next(iter(directions.values()), ())], 0)
    for _ in range(steps):
        e = Evaluation(setting, x.centre, x.error, Ball(J.columns, 0))
        constant = e.lipschitz(last)
        if directions:
            T = e.tangent(last) or Ball([[0] * subject.layers.size for _ in J.columns], 0)
            J = T.wider(enlarged(J.error, constant))
        x = e.value(last).wider(enlarged(x.error, constant))
    return x, J


def converged_proved(claim: Data, subject: Structured, witness: Data) -> str:
    """After the iterations the distance from the limit is at most the tolerance."""
    _, upper, tolerance, what = converged(claim, subject, witness)
    stated = number(witness["error_upper"], "error_upper")
    if not upper <= stated <= tolerance:
        raise Refused(f"the error is proved to be at most {say(upper)}; stated, and claimed, is less")
    return f"{what} within {say(stated)} of the limit"


def converged_refuted(claim: Data, subject: Structured, witness: Data) -> str:
    """After the iterations the distance from the limit is larger than the tolerance."""
    lower, _, tolerance, what = converged(claim, subject, witness)
    stated = number(witness["error_lower"], "error_lower")
    if not lower >= stated > tolerance:
        raise Refused(f"the error is proved to be at least {say(lower)}; stated, and claimed to be exceeded, is more")
    return f"{what} farther than {say(tolerance)} from the limit: not converged, error at least {say(stated)}"


Rule = Callable[[Data, Structured, Data], str]
Keys = Sequence[str]
LIMIT = ("method", "bits", "point", "radius", "contraction", "by")
ALONG = ("directions", "derivative")
RUN = ("iterations", "tolerance", "quantity")
RULES: dict[tuple[str, str], tuple[Rule, Keys, Keys, Keys, Keys]] = {
    # with the required and optional keys of the witness, and of the claim
    ("fixed_point", "proved"): (fixed_point_proved, (*LIMIT, "error"), (), (), ()),
    ("fixed_point", "refuted"): (fixed_point_refuted, ("method", "bits"), (), ("value",), ()),
    ("derivative", "proved"): (derivative_proved, (*LIMIT, *ALONG, "error"), (), ("directions",), ()),
    ("derivative", "refuted"): (derivative_refuted, (*LIMIT, *ALONG, "error"), (), ("directions", "value"), ()),
    ("converges", "proved"): (converges_proved, (*LIMIT, "rate"), ("form", "lipschitz"), (), ("rate",)),
    ("converged", "proved"): (converged_proved, (*LIMIT, "error", "error_upper"), ALONG, RUN, ("directions",)),
    ("converged", "refuted"): (converged_refuted, (*LIMIT, "error", "error_lower"), ALONG, RUN, ("directions",)),
}

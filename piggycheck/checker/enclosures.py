"""What is certified of structured maps: fixed points, derivatives, rates, and how far iterates are from the limit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import islice
from math import isqrt

from .definite import surely_definite
from .effort import spend
from .evaluation import Evaluation, jacobian
from .fixed import Ball, enlarged, fixed, norm
from .limits import FEWEST_BITS, MOST_BITS, Limit, Structured, derivatives, limit, part
from .outputs import ALONG as OUTPUT_ALONG
from .outputs import POINT as OUTPUT_POINT
from .outputs import output_derivative_near, output_near
from .reading import Data, Refused, Unreadable, array, integer, number, say, text
from .scalars import Directions
from .scaled import Scaled, lowest, scaled, symmetric
from .words import form_shrinks, is_bounded

MOST_ITERATIONS = 100_000


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
    alone = f"the only one within {say(found.alone)}" if found.alone > stated else "close to no other"
    also = output_near(subject, witness, found)
    return f"within {say(stated)} of the stated point there is a fixed point, {alone}{also}"


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


def derivative_proved(claim: Data, subject: Structured, witness: Data) -> str:
    """Near the fixed point the map is smooth, so that there is one limit; and it is enclosed."""
    found, directions = limit(subject, witness), subject.directions(claim, witness)
    J = derivatives(subject, witness, directions, found)
    stated = require_error(J.error, witness)
    also = output_derivative_near(subject, witness, found, directions, J)
    return f"the piggyback set in the given directions is one matrix, within {say(stated)} of the stated one{also}"


def derivative_refuted(claim: Data, subject: Structured, witness: Data) -> str:
    """The limit is enclosed, and the claimed matrix is too far away."""
    found, directions = limit(subject, witness), subject.directions(claim, witness)
    J = derivatives(subject, witness, directions, found)
    stated = require_error(J.error, witness)
    value = subject.matrix(claim["value"], "claim.value", len(J.stated))
    square = sum((a - b) ** 2 for pair in zip(value, J.stated, strict=True) for a, b in zip(*pair, strict=True))
    if square <= stated**2:
        raise Refused("the claimed matrix is not farther from the stated one than the limit can be")
    where = f"within {say(stated)} of the stated one, and not the claimed one"
    return f"the piggyback set in the given directions is one matrix, {where}"


def converges_proved(claim: Data, subject: Structured, witness: Data) -> str:
    """One piece is active, and its Jacobian contracts at a rate; with a start, the iterates come near."""
    found, rate = limit(subject, witness), number(witness["rate"], "rate")
    claimed = number(claim["rate"], "claim.rate") if "rate" in claim else Fraction(1)
    if not 0 <= rate <= claimed or rate >= 1:
        raise Refused("the rate is not below 1, or larger than the claimed one")
    still = Ball([[0] * subject.layers.size], 0)
    Evaluation(subject.setting(found.bits), found.centre, found.distance, still).tangent(subject.layers.next)
    if "form" in witness or rate < found.contraction:
        require_rate(subject, found, rate, witness, found.distance)
    proved = f"one piece is active at the fixed point, and its joint spectral radius is at most {say(rate)}"
    if ("lipschitz" in witness) != (subject.start is not None):
        raise Unreadable("`lipschitz` stands in the witness exactly when there is a start")
    if subject.start is None:
        return proved
    require_arrival(subject, subject.start, found, number(witness["lipschitz"], "lipschitz"))
    return proved + "; the iterates converge to it from the start"


def require_rate(
    subject: Structured, found: Limit, rate: Fraction, witness: Data, distance: int
) -> tuple[list[int], Scaled | None]:
    """The Jacobian within a distance, without its rows that are zero and their columns, shrinks the norm, or a form.

    The indices of the rows are returned, and the form.
    """
    A, zero = jacobian(subject.setting(found.bits), found.centre, distance)
    kept = [i for i, vanishes in enumerate(zero) if not vanishes]
    A = part(A, zero, kept)
    if "form" not in witness:
        if kept and not is_bounded(A, rate, symmetric=False):
            raise Refused("the rate is not proved: the norm of the Jacobian is larger, or not known to be as small")
        return kept, None
    rows = array(witness["form"], "form", len(kept))
    P = scaled([subject.layers.vector(row, "form", len(kept)) for row in rows]) if kept else lowest([], 1)
    if not symmetric(P) or not surely_definite(P.rows):
        raise Refused("the form is not symmetric and positive definite")
    if kept and not form_shrinks(A, P.rows, rate):
        raise Refused("the rate is not proved: the Jacobian does not shrink the form by it")
    return kept, P


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
    if ("directions" in claim, "directions" in witness, "derivative" in witness) != (moving,) * 3:
        raise Unreadable("`directions` and `derivative` are for the quantity `derivatives`, and needed there")
    found = limit(subject, witness)
    directions = subject.directions(claim, witness) if moving else {}
    x, J = iterated(subject, found.bits, subject.start, directions, steps)
    if moving:
        target, error = derivatives(subject, witness, directions, found)
        require_error(error, witness)
    else:
        target, error = [[Fraction(a, 2**found.bits) for a in found.centre]], Fraction(found.distance, 2**found.bits)
        require_error(found.error, witness)
    columns, reached = [fixed(column, found.bits) for column in target], J if moving else x
    pairs = zip(reached.columns, columns, strict=True)
    size = Ball([[a - b for a, b in zip(p, q.centre, strict=True)] for p, q in pairs], 0).size
    spread = reached.error + sum(q.error for q in columns) + 1
    lower, upper = (Fraction(size + s * spread, 2**found.bits) + s * error for s in (-1, 1))
    return lower, upper, tolerance, f"after {steps} iterations the {quantity} are"


def iterated(
    subject: Structured, bits: int, start: Sequence[Fraction], directions: Directions, steps: int
) -> tuple[Ball, Ball]:
    """The iterate after some steps, and its derivatives."""
    return next(islice(iterates(subject, bits, start, directions), steps, None))


def iterates(
    subject: Structured, bits: int, start: Sequence[Fraction], directions: Directions
) -> Iterator[tuple[Ball, Ball]]:
    """Iterates and their derivatives, from a start that does not move."""
    setting, last = subject.setting(bits, directions), subject.layers.next
    x = fixed(start, bits)
    J = Ball([[0] * subject.layers.size for _ in next(iter(directions.values()), ())], 0)
    while True:
        yield x, J
        spend(1000)
        e = Evaluation(setting, x.centre, x.error, Ball(J.columns, 0))
        constant = e.lipschitz(last)
        if directions:
            T = e.tangent(last) or Ball([[0] * subject.layers.size for _ in J.columns], 0)
            J = T.wider(enlarged(J.error, constant))
        x = e.value(last).wider(enlarged(x.error, constant))


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
    ("fixed_point", "proved"): (fixed_point_proved, (*LIMIT, "error"), OUTPUT_POINT, (), ()),
    ("fixed_point", "refuted"): (fixed_point_refuted, ("method", "bits"), (), ("value",), ()),
    ("derivative", "proved"): (derivative_proved, (*LIMIT, *ALONG, "error"), OUTPUT_ALONG, ("directions",), ()),
    ("derivative", "refuted"): (derivative_refuted, (*LIMIT, *ALONG, "error"), (), ("directions", "value"), ()),
    ("converges", "proved"): (converges_proved, (*LIMIT, "rate"), ("form", "lipschitz"), (), ("rate",)),
    ("converged", "proved"): (converged_proved, (*LIMIT, "error", "error_upper"), ALONG, RUN, ("directions",)),
    ("converged", "refuted"): (converged_refuted, (*LIMIT, "error", "error_lower"), ALONG, RUN, ("directions",)),
}

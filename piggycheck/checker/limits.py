"""The limit of a structured map: its fixed point, and what the derivatives converge to, enclosed."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import ceil
from typing import Any, NamedTuple

from .evaluation import Evaluation, Setting, jacobian
from .exact import Nearly
from .fixed import Ball, fixed, norm
from .layers import Layers
from .reading import Data, Refused, Unreadable, array, fields, integer, number, say, text
from .scalars import Directions
from .words import Norms, is_bounded

FEWEST_BITS, MOST_BITS = 8, 4096
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

    def matrix(self, data: Any, where: str, width: int, height: int | None = None) -> list[list[Fraction]]:
        """Read a matrix, by columns; it has a row for each number of the state, unless a height is given."""
        rows = [self.layers.vector(row, where, width) for row in array(data, where, height or self.layers.size)]
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
    alone: Fraction  # no other fixed point is closer to the stated point


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
            raise Refused(f"by its layers the map has the Lipschitz constant {say(found)} on the ball")
    elif by == "jacobian":
        A, zero = jacobian(setting, point.centre, radius)
        if not is_bounded(part(A, zero, range(layers.size)), factor, symmetric=False):
            raise Refused(f"the Jacobian is not proved to have a norm of at most {say(factor)} on the ball")
    else:
        raise Unreadable('`by` is "layers" or "jacobian"')
    error, alone = (Fraction(a, 2**bits) for a in (distance + point.error, radius - point.error))
    return Limit(bits, point.centre, radius, factor, distance, error, alone)


def part(A: Nearly, zero: Sequence[bool], columns: Sequence[int]) -> Nearly:
    """The rows that are not zero, and some columns."""
    rows = [[row[j] for j in columns] for row, vanishes in zip(A.rows, zero, strict=True) if not vanishes]
    return Nearly(rows, A.denominator, A.error if rows else Fraction(0), len(columns))


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

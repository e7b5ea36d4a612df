"""Uniform convergence: a polyhedron that shrinks in each step and holds the iterates of a whole box of parameters.

Its variables are the state, the parameters of the box, and s, which is rate^k at step k. Each inclusion is shown by a
nonnegative combination of inequalities, found here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction

from .conditions import Condition, impossible
from .intervals import Interval
from .jets import Jet
from .pieces import Patterns
from .reading import Data, Refused, Unreadable, array, fields, integer, number, numbers, say, say_point
from .subject import FixedPoint

MOST_ROWS = 400
MOST_STEPS = 10_000

Ends = dict[str, tuple[Fraction, Fraction]]
Row = list[Fraction]


class Funnel:
    """The rows that a certificate states, and what they are functions of."""

    def __init__(self, subject: FixedPoint, box: Ends, witness: Data) -> None:
        self.map, self.box, self.x = subject.map, box, list(subject.x.values())
        self.names = [*self.map.state, *box]
        self.rate, self.constant = number(witness["rate"], "rate"), number(witness["constant"], "constant")
        if not 0 <= self.rate < 1 or self.constant < 0:
            raise Refused("the rate is not between 0 and 1, or the constant negative")
        size = len(self.names) + 2
        listed = array(witness["rows"], "rows")
        if len(listed) > MOST_ROWS:
            raise Unreadable(f"`rows`: more than {MOST_ROWS}")
        self.rows = [[number(c, "rows") for c in array(row, "rows", size)] for row in listed]
        point = {**self.map.at, **dict.fromkeys(self.names, Fraction(0))}
        self.jets = self.map.jets(point, self.names)
        self.variables = [self.jets[name] for name in self.names]
        self.scale = Jet({(len(self.names),): Interval(Fraction(1))})
        self.sides = list(self.known())
        self.inside = [(self.at(row, [*self.variables, self.scale]), (0, 1)) for row in self.rows]

    def known(self) -> Iterator[Condition]:
        """The sides of the box, and 0 <= s <= 1."""
        for jet, (low, high) in zip(
            [*self.variables[len(self.x) :], self.scale], [*self.box.values(), (Fraction(0), Fraction(1))], strict=True
        ):
            yield jet + constant(-low), (0, 1)
            yield -jet + constant(high), (0, 1)

    def at(self, row: Row, point: Sequence[Jet]) -> Jet:
        """A row at a point, which may be a function of the variables itself."""
        total = constant(row[-1])
        for c, jet in zip(row, point, strict=False):
            total = total + constant(c) * jet
        return total

    def require_images(self, nodes: Sequence[int], given: Sequence[Condition], scale: Jet, what: str) -> None:
        """Refuse nodes whose values, with the parameters and a scale, may be outside."""
        for pattern in Patterns(everywhere=True).run(self.map.program, nodes, self.jets):
            conditions = [*given, *pattern.conditions]
            if pattern.outputs is None:
                if not impossible(conditions):
                    raise Refused(f"{what} may have no value")
                continue
            if not all(jet.rational for jet in pattern.outputs):
                raise Refused(f"{what} is not a polynomial with rational coefficients on a piece")
            point = [*pattern.outputs, *self.variables[len(self.x) :], scale]
            for i, row in enumerate(self.rows):
                if not impossible([*conditions, (self.at(row, point), (-1,))]):
                    raise Refused(f"{what} is not proved to satisfy row {i}")

    def require_bounds(self) -> None:
        """Refuse a polyhedron in which |x - xbar| may be larger than the constant times s."""
        reach = constant(self.constant) * self.scale
        for jet, c in zip(self.variables, self.x, strict=False):
            distance = jet + constant(-c)
            for signed in (distance, -distance):
                if not impossible([*self.sides, *self.inside, (reach + signed, (-1,))]):
                    raise Refused("the distance from the fixed point is not bounded by the constant times s")


def converge_uniformly_proved(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The start lies in the polyhedron, every piece maps it into itself, and it shrinks to the fixed point."""
    box = read_box(claim, subject)
    funnel = Funnel(subject, box, witness)
    if "rate" in claim and funnel.rate > number(claim["rate"], "claim.rate"):
        raise Refused("the rate is larger than claimed")
    if subject.map.start is None:
        raise Unreadable("`start` is missing")
    funnel.require_images(subject.map.start, funnel.sides, constant(Fraction(1)), "the start")
    step = constant(funnel.rate) * funnel.scale
    funnel.require_images(subject.map.next, [*funnel.sides, *funnel.inside], step, "the image of the polyhedron")
    funnel.require_bounds()
    return (
        f"for all {say_box(box)} the iterates satisfy |x_k - xbar| <= {say(funnel.constant)} * ({say(funnel.rate)})^k "
        f"with the fixed point {say_point(subject.x)}"
    )


def converge_uniformly_refuted(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """From some parameters in the box the iterates return to a point that is not the fixed point."""
    box = read_box(claim, subject)
    at = numbers(witness["at"], "witness.at", list(box))
    if not all(low <= at[name] <= high for name, (low, high) in box.items()):
        raise Refused("the parameters are not in the box")
    first, period = (integer(witness[key], key, least, MOST_STEPS) for key, least in (("first", 0), ("period", 1)))
    map_, parameters = subject.map, {**subject.map.at, **at}
    if map_.start is None:
        raise Unreadable("`start` is missing")
    nodes, values, seen = map_.start, dict(parameters), {}
    for k in range(first + period + 1):
        found = map_.value(nodes, values)
        if not all(v.exact for v in found):
            raise Refused("an iterate is not computed exactly")
        values = {**parameters, **{name: v.lo for name, v in zip(map_.state, found, strict=True)}}
        nodes, seen[k] = map_.next, values
    if seen[first] != seen[first + period] or all(seen[first][name] == c for name, c in subject.x.items()):
        raise Refused("the iterates do not return there, or to the fixed point")
    return f"at {say_point(at)} iterate {first + period} is iterate {first}, which is not the fixed point"


def read_box(claim: Data, subject: FixedPoint) -> Ends:
    """The interval of each parameter of the box."""
    data = fields(claim.get("over"), "claim.over", (), subject.map.parameters)
    box: Ends = {}
    for name in subject.map.parameters:
        if name in data:
            low, high = (number(end, "claim.over") for end in array(data[name], "claim.over", 2))
            if low > high:
                raise Unreadable("`claim.over`: an interval has its ends in the wrong order")
            box[name] = low, high
    if not box:
        raise Unreadable("`claim.over` names no parameter")
    return box


def say_box(box: Ends) -> str:
    """A box as text."""
    return ", ".join(f"{name} in [{say(low)}, {say(high)}]" for name, (low, high) in box.items())


def constant(c: Fraction) -> Jet:
    """A number as a polynomial."""
    return Jet({(): Interval(c)})

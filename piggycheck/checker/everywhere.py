"""Convergence from every start: the pieces of the map on the whole space, and what holds for all of them.

The map is continuous, so that pieces without inner points need not be looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any

from .boxes import Box, read_scaled
from .continuity import Continuity
from .definite import semidefinite
from .jets import Jet
from .pieces import Patterns
from .proofs import rate_proved
from .reading import Data, Refused, Unreadable, array, fields, integer, number, numbers, say, say_point
from .realisable import along_iterates, linear
from .scaled import scaled, symmetric
from .subject import FixedPoint

MOST_STEPS = 10_000
MOST_MATRICES = 4096
MOST_CORNERS = 1000

Rows = list[list[Fraction]]
Keys = Sequence[str]


def require_continuous(subject: FixedPoint) -> None:
    """Refuse a map that is not proved to be continuous in the state at the parameters."""
    continuity = Continuity(subject.map, subject.map.at)
    for name, node in zip(subject.map.state, subject.map.next, strict=True):
        if not continuity.proved(node):
            raise Refused(f"the next `{name}` is not proved to be continuous in the state")


def pieces(subject: FixedPoint) -> Iterator[tuple[list[Jet], Rows]]:
    """The pieces that may have inner points, as functions of the displacement from the fixed point; their matrices."""
    map_ = subject.map
    jets = map_.jets(subject.point, map_.state)
    for pattern in Patterns(everywhere=True, interior=True).run(map_.program, map_.next, jets):
        if pattern.outputs is None:
            raise Refused("no branch of a Piecewise applies somewhere")
        yield pattern.outputs, [linear(jet, subject.p) for jet in pattern.outputs]


def by_energy(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """A heavy ball whose step times its Jacobians lies between 0 and 2 (1 - momentum): its energy decreases."""
    require_continuous(subject)
    names, momentum = subject.map.state, number(witness["momentum"], "momentum")
    if not 0 <= momentum < 1:
        raise Refused("the momentum is not from 0 to below 1")
    previous = fields(witness["previous"], "previous", (), names)
    if previous:
        moving = [names.index(name) for name in previous]
        lagging = [position(name, names) for name in previous.values()]
        if sorted(moving + lagging) != list(range(len(names))):
            raise Refused("`previous` does not name every state variable once, as itself or as a previous one")
    elif momentum:
        raise Refused("there is momentum, but no previous iterate")
    else:
        moving, lagging = list(range(len(names))), []
    here = subject.map.jets(subject.point, names)
    for outputs, A in pieces(subject):
        for i, j in zip(moving, lagging, strict=False):
            if (outputs[j] + -here[names[i]]).terms:
                raise Refused(f"the next `{names[j]}` is not `{names[i]}`")
        if any(A[i][j] != -momentum * (a == b) for a, i in enumerate(moving) for b, j in enumerate(lagging)):
            raise Refused("the previous iterate does not enter with minus the momentum")
        M = [[(1 + momentum) * (i == j) - A[i][j] for j in moving] for i in moving]
        rest = [[2 * (1 - momentum) * (i == j) - M[i][j] for j in range(len(M))] for i in range(len(M))]
        if not symmetric(scaled(M)):
            raise Refused("a Jacobian is not symmetric, so there is no function whose gradient it belongs to")
        if not semidefinite(scaled(M), definite=True):
            raise Refused("a Jacobian is not positive definite")
        if not semidefinite(scaled(rest), definite=True):
            raise Refused("the step times a Jacobian is not below 2 (1 - momentum)")
    return f"the energy decreases in each step; from every start {converge(subject)}"


def position(name: Any, names: Sequence[str]) -> int:
    """The index of a state variable."""
    if not isinstance(name, str) or name not in names:
        raise Unreadable("`previous` names something that is no state variable")
    return names.index(name)


def by_contraction(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The matrices of all pieces on the whole space have a joint spectral radius below 1."""
    require_continuous(subject)
    listed = array(witness["matrices"], "matrices")
    if not 0 < len(listed) <= MOST_MATRICES:
        raise Unreadable("`matrices`: none, or too many")
    matrices = [read_scaled(M, "matrices", subject.p, subject.p) for M in listed]
    for _, A in pieces(subject):
        if scaled(A) not in matrices:
            raise Refused("the matrix of a piece of the map is not in the list")
    rate = contracting([Box(M) for M in matrices], witness["proof"])
    return f"all pieces contract by {say(rate)}; from every start {converge(subject)}"


def contracting(matrices: list[Box], proof: Any) -> Fraction:
    """The rate of a proof, which must be below 1."""
    rate = rate_proved(matrices, proof, 0)
    if rate >= 1:
        raise Refused(f"the rate {say(rate)} is not below 1")
    return rate


def by_words(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """All guards pass through the fixed point, and the words that they allow have a joint spectral radius below 1."""
    require_continuous(subject)
    if not subject.A:
        raise Unreadable("`pieces` is missing")
    require_cones(subject)
    rate = contracting(along_iterates(subject, witness).boxes, witness["proof"])
    return f"the words that the guards allow contract by {say(rate)}; from every start {converge(subject)}"


def by_polygon(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """All guards pass through the fixed point, and the map sends a star-shaped polygon around it into its interior."""
    require_continuous(subject)
    guards, listed = require_cones(subject), array(witness["corners"], "corners")
    if subject.p != 2 or not 2 < len(listed) <= MOST_CORNERS:
        raise Unreadable("`corners`: fewer than 3, too many, or not of two state variables")
    corners = [[number(c, "corners") for c in array(corner, "corners", 2)] for corner in listed]
    for u, v in pairwise([*corners, corners[0]]):
        if any(dot(row, u) * dot(row, v) < 0 for row in guards):
            raise Refused("a kink is between two corners that follow each other")
    require_inside(corners, [image(subject, corner) for corner in corners])
    return f"a polygon with {len(corners)} corners is sent into its interior; from every start {converge(subject)}"


def image(subject: FixedPoint, d: list[Fraction]) -> list[Fraction]:
    """The displacement to which a displacement from the fixed point is sent."""
    at = {name: x + c for (name, x), c in zip(subject.x.items(), d, strict=True)}
    found = subject.map.value(subject.map.next, {**at, **subject.map.at})
    if not all(v.exact for v in found):
        raise Refused("where a corner is sent is not computed exactly")
    return [v.lo - x for v, x in zip(found, subject.x.values(), strict=True)]


def require_inside(corners: Rows, images: Rows) -> None:
    """Refuse what is no star-shaped polygon, or edges with images not in its interior.

    On an image, the factor by which the polygon has to be stretched is linear between rays through corners, so that the
    ends are enough, and the points at which it crosses such rays.
    """
    n, whole = len(corners), scaled([*corners, *images]).rows
    corners_, images_ = whole[:n], whole[n:]
    turns = [turn(corners_[j - 1], corners_[j]) for j in range(n)]
    if min(turns) <= 0 or sum(corners_[j - 1][1] < 0 <= corners_[j][1] for j in range(n)) != 1:
        raise Refused("the corners do not go around the fixed point once, counterclockwise")
    sides = [[turn(v, w) for w in images_] for v in corners_]
    for i in range(n):
        sectors = [j for j in range(n) if sides[j - 1][i] >= 0 >= sides[j][i]]
        if not all(sides[j - 1][i] - sides[j][i] < turns[j] for j in sectors) or not sectors:
            raise Refused(f"corner {i} is not sent into the interior")
    for v, side in zip(corners_, sides, strict=True):
        for i in range(n):
            a, b = abs(side[i]), abs(side[i - 1])
            if side[i - 1] * side[i] < 0 and a * dot(images_[i - 1], v) + b * dot(images_[i], v) >= (a + b) * dot(v, v):
                raise Refused(f"the edge that ends in corner {i} is not sent into the interior")


def turn(u: Sequence[Any], v: Sequence[Any]) -> Any:
    """The determinant: positive where v is to the left of u."""
    return u[0] * v[1] - u[1] * v[0]


def dot(u: Sequence[Any], v: Sequence[Any]) -> Any:
    """The scalar product."""
    return sum(a * b for a, b in zip(u, v, strict=True))


def require_cones(subject: FixedPoint) -> Rows:
    """The guards; refused where one does not pass through the fixed point, or a piece moves it or is not affine."""
    map_, guards = subject.map, []
    for pattern in Patterns(everywhere=True).run(map_.program, map_.next, map_.jets(subject.point, map_.state)):
        for guard in (met.guard for met in pattern.met if not met.guard.constant):
            row = linear(guard, subject.p)
            if any(row) and not guard.value.is_zero:
                raise Refused("a guard does not pass through the fixed point")
            guards += [row] if row not in guards else []
        for jet in subject.require_fixed(pattern.outputs):
            linear(jet, subject.p)
    return guards


def by_return(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The iterates from a point return to it, which is not the fixed point; or to a multiple, with cones for pieces."""
    map_ = subject.map
    point = numbers(witness["point"], "witness.point", map_.state)
    period = integer(witness["period"], "period", 1, MOST_STEPS)
    if point == subject.x:
        raise Refused("the point is the fixed point")
    multiplier = number(witness.get("multiplier", "1"), "multiplier")
    if multiplier < 1:
        raise Refused("the multiplier is below 1")
    if multiplier > 1:
        require_cones(subject)
    values = point
    for _ in range(period):
        found = map_.value(map_.next, {**values, **map_.at})
        if not all(v.exact for v in found):
            raise Refused("an iterate is not computed exactly")
        values = {name: v.lo for name, v in zip(map_.state, found, strict=True)}
    if values != {name: x + multiplier * (point[name] - x) for name, x in subject.x.items()}:
        raise Refused("the iterates do not return to the point, or to the stated multiple of it")
    again = "return to it" if multiplier == 1 else f"are {say(multiplier)} times as far from the fixed point"
    return f"the iterates from {say_point(point)} {again} after step {period}, and never converge"


def converge(subject: FixedPoint) -> str:
    """What is shown."""
    return f"the iterates converge to {say_point(subject.x)}"


RULES: dict[tuple[str, str, str], tuple[Callable[[Data, Any, Data], str], Keys, Keys]] = {
    ("iterates_converge", "proved", "energy"): (by_energy, ("method", "momentum", "previous"), ()),
    ("iterates_converge", "proved", "contraction"): (by_contraction, ("method", "matrices", "proof"), ()),
    ("iterates_converge", "proved", "polygon"): (by_polygon, ("method", "corners"), ()),
    ("iterates_converge", "proved", "possible_words"): (by_words, ("method", "graph", "memory", "proof"), ()),
    ("iterates_converge", "refuted", "cycle"): (by_return, ("method", "point", "period"), ()),
    ("iterates_converge", "refuted", "ray"): (by_return, ("method", "point", "period", "multiplier"), ()),
}

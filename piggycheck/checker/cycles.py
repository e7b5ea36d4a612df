"""Cycles of iterates: points that follow each other, whether they attract, and that there are no others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from typing import Any, NamedTuple

from .definite import semidefinite
from .intervals import Interval
from .itineraries import all_cycles
from .jets import Jet
from .matrices import Matrix, identity, matrix, spectral_radius_reaches, times
from .periodic_roots import counted, multiplier, require_cycle
from .pieces import Gap, Patterns
from .reading import Data, Refused, Unreadable, array, fields, integer, number, numbers, say, text
from .scaled import Scaled, combined, inverse, product, scaled, symmetric, transposed
from .subject import Map

MOST_PERIOD = 200
MOST_STEPS = 1000

Point = tuple[Fraction, ...]


class Round(NamedTuple):
    """One round along a cycle: the product of the Jacobians, whether the map is affine there, and guards on the way."""

    multiplier: Matrix
    affine: bool
    guards: list[tuple[Fraction, Matrix]]  # values at the points, with slopes in displacements of the first point


def cycle_proved(claim: Data, map_: Map, witness: Data) -> str:
    """The points are a cycle, of the claimed character; where others are listed, these are all."""
    points = read_cycle(witness["points"], "points", map_, period_of(claim))
    if "point" in claim and claimed_point(claim, map_) not in points:
        raise Refused("the claimed point is not on the cycle")
    attracts = character(map_, points, witness, "attracting" in claim)
    if "attracting" in claim and attracts is not truth(claim, "attracting"):
        raise Refused("the cycle is not of the claimed character")
    reached = open_set(map_, points, witness)
    if "from_start" in claim and not (truth(claim, "from_start") and reached):
        raise Refused("that iterates from the start approach the cycle is not shown")
    kind = {True: "an attracting cycle", False: "a cycle that does not attract", None: "a cycle"}[attracts]
    said = f"{say_points(points)} is {kind} of period {len(points)}{map_.where()}"
    if "others" in witness:
        others = [read_cycle(data, "others", map_, len(points)) for data in array(witness["others"], "others")]
        require_all([points, *others], all_cycles(map_, len(points)))
        said += f", one of {len(others) + 1}, and there are no others"
    return said


def cycle_refuted_by_points(claim: Data, map_: Map, witness: Data) -> str:
    """The claimed point is on a cycle that is not of the claimed character."""
    points = read_cycle(witness["points"], "points", map_, period_of(claim))
    if "point" not in claim or claimed_point(claim, map_) not in points:
        raise Refused("the claimed point is not on the cycle")
    attracts = character(map_, points, witness, needed=True)
    if "attracting" not in claim or attracts is truth(claim, "attracting"):
        raise Refused("the cycle is of the claimed character")
    return f"{say_points(points)} is a cycle that {'attracts' if attracts else 'does not attract'}{map_.where()}"


def cycle_refuted_by_iterates(claim: Data, map_: Map, witness: Data) -> str:
    """The claimed point does not return after the period, or returns earlier."""
    if "point" not in claim:
        raise Unreadable("`claim.point` is missing")
    point, period = claimed_point(claim, map_), period_of(claim)
    if orbit(map_, point, period) is not None:
        raise Refused("the claimed point is on a cycle of this period")
    return f"({', '.join(map(say, point))}) is on no cycle of period {period}{map_.where()}"


def cycle_refuted_by_words(claim: Data, map_: Map, witness: Data) -> str:
    """No itinerary has a cycle of the claimed character."""
    if "point" in claim:
        raise Unreadable("`claim.point`: a point is followed, not looked for")
    period = period_of(claim)
    for points in all_cycles(map_, period):
        if "attracting" not in claim:
            raise Refused(f"{say_points(points)} is a cycle")
        if character(map_, points, {}, needed=True) is truth(claim, "attracting"):
            raise Refused(f"{say_points(points)} is such a cycle")
    kind = ""
    if "attracting" in claim:
        kind = " that attracts" if truth(claim, "attracting") else " that does not attract"
    return f"there is no cycle of period {period}{kind}{map_.where()}"


def cycle_proved_by_roots(claim: Data, map_: Map, witness: Data) -> str:
    """Intervals hold the points of a cycle of a polynomial map, of the claimed character."""
    if "point" in claim or "from_start" in claim:
        raise Unreadable("`claim`: points are rational, and starts lead to rational points")
    period = period_of(claim)
    found = counted(map_, period)
    rows = [array(row, "points", 2) for row in array(witness["points"], "points", period)]
    ends = [[number(end, "points") for end in row] for row in rows]
    if not all(low <= high for low, high in ends):
        raise Unreadable("`points`: an interval has its ends in the wrong order")
    intervals = [Interval(low, high) for low, high in ends]
    require_cycle(found, intervals)
    size = multiplier(found, intervals).power(2)
    if "attracting" in claim and not (size.hi < 1 if truth(claim, "attracting") else size.lo > 1):
        raise Refused("the cycle is not shown to be of the claimed character")
    count = (found.attracting + found.repelling + found.neither) // period
    said = "one cycle" if count == 1 else f"{count} cycles"
    return f"there is {said} of period {period}{map_.where()}, one of them as claimed"


def cycle_refuted_by_roots(claim: Data, map_: Map, witness: Data) -> str:
    """No real root of an iterate is on a cycle of the claimed character."""
    if "point" in claim:
        raise Unreadable("`claim.point`: a point is followed, not looked for")
    found = counted(map_, period_of(claim))
    fitting = found.attracting + found.repelling
    if "attracting" in claim:
        fitting = found.attracting if truth(claim, "attracting") else found.repelling
    if fitting + found.neither:
        raise Refused("there are points of this period, which may be of the claimed character")
    return f"there is no such cycle of period {period_of(claim)}{map_.where()}"


# -- reading ----------------------------------------------------------------------------------------------------------


def period_of(claim: Data) -> int:
    """The claimed period."""
    if "period" not in claim:
        raise Unreadable("`claim.period` is missing")
    return integer(claim["period"], "claim.period", 1, MOST_PERIOD)


def truth(claim: Data, key: str) -> bool:
    """A field that is true or false."""
    said = text(claim[key], f"claim.{key}")
    if said not in ("true", "false"):
        raise Unreadable(f"`claim.{key}` is neither true nor false")
    return said == "true"


def claimed_point(claim: Data, map_: Map) -> Point:
    """The claimed point, in the order of the state."""
    given = numbers(claim["point"], "claim.point", map_.state)
    return tuple(given[name] for name in map_.state)


def read_cycle(data: Any, where: str, map_: Map, period: int) -> list[Point]:
    """Read points that the map sends to each other in turn, all different."""
    rows = [array(row, where, len(map_.state)) for row in array(data, where, period)]
    points: list[Point] = [tuple(number(c, where) for c in row) for row in rows]
    if orbit(map_, points[0], period) != points:
        raise Refused("the points are not a cycle of this period")
    return points


def orbit(map_: Map, point: Point, period: int) -> list[Point] | None:
    """The point and those after it, when it returns after so many steps and not before."""
    points = [point]
    for _ in range(period):
        try:
            points.append(image(map_, points[-1]))
        except Gap:
            return None
    return points[:-1] if points[-1] == point and point not in points[1:-1] else None


def image(map_: Map, point: Point) -> Point:
    """The value of the map, which must be computed exactly."""
    return exactly(map_.value(map_.next, {**dict(zip(map_.state, point, strict=True)), **map_.at}))


def exactly(values: Iterable[Interval]) -> Point:
    """Numbers that were computed exactly."""
    found = list(values)
    if not all(v.exact for v in found):
        raise Refused("an iterate is not computed exactly")
    return tuple(v.lo for v in found)


def require_all(listed: Sequence[Sequence[Point]], found: Iterable[Sequence[Point]]) -> None:
    """Refuse a list that repeats a cycle, or lacks one."""
    known = {frozenset(points) for points in listed}
    if len(known) < len(listed):
        raise Refused("a cycle is listed twice")
    for points in found:
        if frozenset(points) not in known:
            raise Refused(f"{say_points(points)} is a cycle, too, and is not listed")


def say_points(points: Sequence[Point]) -> str:
    """A cycle as text."""
    shown = [f"({', '.join(map(say, point))})" for point in points[:4]]
    return " -> ".join([*shown, "..."] if len(points) > 4 else shown)


# -- whether a cycle attracts -----------------------------------------------------------------------------------------


def one_round(map_: Map, points: Sequence[Point]) -> Round:
    """Follow displacements for one round; refused where a guard that matters vanishes at a point."""
    n = len(map_.state)
    A, affine, guards = identity(n), True, []
    for point in points:
        jets = map_.jets({**dict(zip(map_.state, point, strict=True)), **map_.at}, map_.state)
        found = list(Patterns().run(map_.program, map_.next, jets))
        values = [one.outputs or [] for one in found]
        if not values or not all(one and all(map(Jet.same, one, values[0])) for one in values):
            raise Refused("a point of the cycle is on a guard")
        for met in (met for one in found for met in one.met):
            if not (met.tied or met.guard.constant):
                affine = affine and met.guard.affine and met.guard.rational
                guards.append((met.guard.value.lo, times([met.guard.slopes(n)], A)))
        affine = affine and all(jet.affine and jet.rational for jet in values[0])
        A = times([jet.slopes(n) for jet in values[0]], A)
    return Round(A, affine, guards)


def character(map_: Map, points: Sequence[Point], witness: Data, needed: bool) -> bool | None:
    """Whether a cycle attracts; None when that is not asked for and no lower bound shows that it does not."""
    if not needed and "modulus_lower" not in witness:
        return None
    lap = one_round(map_, points)
    if "modulus_lower" in witness:
        lower = number(witness["modulus_lower"], "modulus_lower")
        if lower < 1 or (lower == 1 and not lap.affine):
            raise Refused("the lower bound of the spectral radius does not say that the cycle does not attract")
        if not spectral_radius_reaches(lap.multiplier, lower):
            raise Refused("the spectral radius of the multiplier is smaller than its lower bound")
        return False
    if not spectral_radius_reaches(lap.multiplier, Fraction(1)):
        return True
    if not lap.affine:
        raise Refused("the spectral radius of the multiplier is not below 1, and the map is not affine there")
    return False


def open_set(map_: Map, points: Sequence[Point], witness: Data) -> bool:
    """Check an ellipsoid from which iterates approach the cycle; whether an iterate from the start is in it."""
    if "basin" not in witness:
        if "entry" in witness:
            raise Unreadable("`entry` without `basin`")
        return False
    data = fields(witness["basin"], "basin", ("P", "level"))
    n, level = len(map_.state), number(data["level"], "level")
    P = rational(matrix(data["P"], "P", n, n))
    lap = one_round(map_, points)
    if not lap.affine:
        raise Refused("the map or a guard is not affine around the cycle")
    A = rational(lap.multiplier)
    decrease = combined([(Fraction(1), P), (Fraction(-1), product(transposed(A), product(P, A)))])
    if not (symmetric(P) and semidefinite(P, definite=True) and semidefinite(decrease, definite=True)):
        raise Refused("the quadratic form is not positive definite, or does not decrease in one round")
    if level <= 0:
        raise Refused("the level is not positive")
    for value, row in lap.guards:
        v = rational(row)
        if level * product(v, product(inverse(P), transposed(v))).fractions()[0][0] >= value**2:
            raise Refused("a guard may vanish on the ellipsoid in one round")
    if "entry" not in witness:
        return False
    x = iterate(map_, integer(witness["entry"], "entry", 0, MOST_STEPS))
    distance = scaled([[a - b] for a, b in zip(x, points[0], strict=True)])
    if product(transposed(distance), product(P, distance)).fractions()[0][0] > level:
        raise Refused("the iterate is not in the ellipsoid")
    return True


def iterate(map_: Map, k: int) -> Point:
    """The iterate of an index, from the start."""
    if map_.start is None:
        raise Unreadable("`start` is missing")
    x = exactly(map_.value(map_.start, map_.at))
    for _ in range(k):
        x = image(map_, x)
    return x


def rational(X: Matrix) -> Scaled:
    """A matrix of numbers that are exact."""
    if not all(a.exact for row in X for a in row):
        raise Refused("a derivative is not rational")
    return scaled([[a.lo for a in row] for row in X])


CLAIM = {"cycle": ("period", "point", "attracting", "from_start")}
RULES = {
    ("cycle", "proved", "points"): (cycle_proved, ("method", "points"), ("modulus_lower", "basin", "entry", "others")),
    ("cycle", "refuted", "points"): (cycle_refuted_by_points, ("method", "points"), ("modulus_lower",)),
    ("cycle", "refuted", "iterates"): (cycle_refuted_by_iterates, ("method",), ()),
    ("cycle", "proved", "roots"): (cycle_proved_by_roots, ("method", "points"), ()),
    ("cycle", "refuted", "roots"): (cycle_refuted_by_roots, ("method",), ()),
    ("cycle", "refuted", "words"): (cycle_refuted_by_words, ("method",), ()),
}

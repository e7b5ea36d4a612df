"""Attracting cycles of flows that two pieces of a map pull towards two points, one on each side of a guard.

On a side x_i' = r n_i (c_i - x_i), so with w = exp(-r t) an arc is x_i = c_i + (p_i - c_i) w^(n_i). An arc on the first
side from p to q, where w = u, and one on the second back to p, where w = v, make a cycle when the guard is 0 at both.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import pairwise
from math import gcd, lcm
from typing import NamedTuple

from .effort import spend
from .intervals import ONE, ZERO, Interval
from .pieces import Patterns
from .reading import Data, Refused, Unreadable, array, number, say
from .subject import Map

MOST_DEGREE = 64
PARTS = 32

Row = list[Fraction]
Polynomial = list[Fraction]  # the constant first


class Pull(NamedTuple):
    """One side: the point c that the flow tends to, and the numbers n_i."""

    centre: Row
    exponents: list[int]


class Flow:
    """x' = F(x) - x with the guard, positive on the first side; its constant is last."""

    def __init__(self, map_: Map) -> None:
        if len(map_.state) != 2:
            raise Refused("the state has not two variables")
        point = {**map_.at, **dict.fromkeys(map_.state, Fraction(0))}
        jets = map_.jets(point, map_.state)
        sides: dict[int, list[list[Row]]] = {1: [], -1: []}
        self.guard: Row = []
        for pattern in Patterns(everywhere=True).run(map_.program, map_.next, jets):
            if pattern.outputs is None or len(pattern.conditions) != 1:
                raise Refused("the map has not two pieces beside one guard")
            ((guard, signs),) = pattern.conditions
            if not all(jet.affine and jet.rational for jet in (guard, *pattern.outputs)):
                raise Refused("the guard or a piece is not affine with rational coefficients")
            row = [c.lo for c in (*guard.slopes(2), guard.value)]
            if self.guard and row != self.guard:
                raise Refused("the map has more than one guard")
            self.guard = row
            for sign in (1, -1):
                if sign in signs:
                    sides[sign].append([[c.lo for c in (*jet.slopes(2), jet.value)] for jet in pattern.outputs])
        if [len(sides[sign]) for sign in (1, -1)] != [1, 1] or not any(self.guard[:2]):
            raise Refused("the map has not two pieces beside one guard")
        self.sides = pulls([sides[1][0], sides[-1][0]])


def pulls(sides: Sequence[Sequence[Row]]) -> list[Pull]:
    """Read the rates of both sides, as multiples of one number."""
    rates, centres = [], []
    for rows in sides:
        if rows[0][1] or rows[1][0]:
            raise Refused("a coordinate of the flow depends on the other one")
        rates.append([1 - rows[i][i] for i in (0, 1)])
        if not all(rate > 0 for rate in rates[-1]):
            raise Refused("a coordinate is not pulled towards a point")
        centres.append([rows[i][2] / rate for i, rate in enumerate(rates[-1])])
    d = lcm(*(rate.denominator for side in rates for rate in side))
    measure = Fraction(gcd(*(int(rate * d) for side in rates for rate in side)), d)
    found = [Pull(c, [int(rate / measure) for rate in side]) for c, side in zip(centres, rates, strict=True)]
    if max(n for side in found for n in side.exponents) > MOST_DEGREE:
        raise Refused(f"the rates of the flow are multiples by more than {MOST_DEGREE}")
    return found


class Cycle:
    """p and q as functions of u and v, with their derivatives, at intervals or numbers."""

    def __init__(self, flow: Flow, u: Interval, v: Interval) -> None:
        self.flow, self.u, self.v = flow, u, v
        self.points: tuple[list[Interval], list[Interval]] = ([], [])
        self.slopes: tuple[list[list[Interval]], list[list[Interval]]] = ([], [])
        first, second = flow.sides
        for x, y, n, m in zip(first.centre, second.centre, first.exponents, second.exponents, strict=True):
            a, b = Interval(x), Interval(y)
            U, V = u.power(n), v.power(m)
            dU, dV = Interval(n) * u.power(n - 1), Interval(m) * v.power(m - 1)
            over = (ONE - U * V).reciprocal()
            p = (b * (ONE - V) + a * (ONE - U) * V) * over
            p_u, p_v = dU * V * (p - a) * over, dV * (a * (ONE - U) - b + p * U) * over
            self.points[0].append(p)
            self.points[1].append(a + (p - a) * U)
            self.slopes[0].append([p_u, p_v])
            self.slopes[1].append([dU * (p - a) + U * p_u, U * p_v])

    def guards(self) -> list[Interval]:
        """The guard at p and at q."""
        return [at(self.flow.guard, x) for x in self.points]

    def jacobian(self) -> list[list[Interval]]:
        """The derivatives of these in u and v."""
        return [
            [sum((Interval(c) * row[k] for c, row in zip(self.flow.guard, rows, strict=False)), ZERO) for k in (0, 1)]
            for rows in self.slopes
        ]

    def speed(self, side: Pull, x: Sequence[Interval]) -> Interval:
        """How fast the guard grows along the flow of a side."""
        return sum((Interval(c) * f for c, f in zip(self.flow.guard, velocity(side, x), strict=False)), ZERO)

    def multiplier(self) -> Interval:
        """The trace of the derivative of the return map, which has rank one."""
        M = [[ONE, ZERO], [ZERO, ONE]]
        for side, w, x in zip(self.flow.sides, (self.u, self.v), reversed(self.points), strict=True):
            f, over = velocity(side, x), self.speed(side, x).reciprocal()
            g, stretch = [Interval(c) for c in self.flow.guard[:2]], [w.power(n) for n in side.exponents]
            S = [[((ONE if i == j else ZERO) - f[i] * g[j] * over) * stretch[j] for j in (0, 1)] for i in (0, 1)]
            M = [[S[i][0] * M[0][j] + S[i][1] * M[1][j] for j in (0, 1)] for i in (0, 1)]
        return M[0][0] + M[1][1]


def cycle_proved(claim: Data, map_: Map, witness: Data) -> str:
    """Bounds on u and v hold a cycle that crosses the guard at its two ends alone, and whose return map contracts."""
    flow = Flow(map_)
    u, v = (ends(witness[key], key) for key in ("u", "v"))
    if not all(0 < w.lo and w.hi < 1 for w in (u, v)):
        raise Refused("u or v is not between 0 and 1")
    cycle = Cycle(flow, u, v)
    require_solution(flow, u, v, cycle)
    for side, x, w, sign in zip(flow.sides, cycle.points, (u, v), (1, -1), strict=True):
        require_arc(flow, side, x, w, sign)
        if not all((cycle.speed(s, x) * Interval(sign)).lo > 0 for s in flow.sides):
            raise Refused("where the cycle meets the guard, a side is not proved to cross it in its direction")
    stated = ends(witness["multiplier"], "multiplier")
    if not cycle.multiplier().within(stated) or not -1 < stated.lo <= stated.hi < 1:
        raise Refused("the multiplier is not proved to be between the bounds, or these are not between -1 and 1")
    crossings = [[ends(e, "crossings") for e in array(x, "crossings", 2)] for x in array(witness["crossings"], "", 2)]
    if not all(a.within(b) for x, y in zip(cycle.points, crossings, strict=True) for a, b in zip(x, y, strict=True)):
        raise Refused("a crossing is not proved to be between its bounds")
    if "polynomial" in witness:
        require_root(flow, u, v, [number(c, "polynomial") for c in array(witness["polynomial"], "polynomial")])
    where = " and ".join(
        "(" + ", ".join(f"{name} in [{say(c.lo)}, {say(c.hi)}]" for name, c in zip(map_.state, x, strict=True)) + ")"
        for x in crossings
    )
    return f"the flow x' = F(x) - x{map_.where()} has an attracting cycle that crosses the guard at {where}"


def ends(data: object, where: str) -> Interval:
    """An interval with its ends in order."""
    low, high = (number(end, where) for end in array(data, where, 2))
    if low > high:
        raise Unreadable(f"`{where}`: an interval has its ends in the wrong order")
    return Interval(low, high)


def at(row: Sequence[Fraction], x: Sequence[Interval]) -> Interval:
    """An affine function, its constant last, at a point."""
    return sum((Interval(c) * a for c, a in zip(row, x, strict=False)), Interval(row[-1]))


def velocity(side: Pull, x: Sequence[Interval]) -> list[Interval]:
    """The flow of a side, up to the factor r."""
    return [Interval(n) * (Interval(c) - a) for n, c, a in zip(side.exponents, side.centre, x, strict=True)]


def require_solution(flow: Flow, u: Interval, v: Interval, wide: Cycle) -> None:
    """Krawczyk's test: between the bounds the guards at p and q vanish together at exactly one (u, v)."""
    middle = [(w.lo + w.hi) / 2 for w in (u, v)]
    centre = Cycle(flow, *map(Interval, middle))
    (a, b), (c, d) = ([(e.lo + e.hi) / 2 for e in row] for row in centre.jacobian())
    if a * d == b * c:
        raise Refused("the equations of the cycle are singular")
    Y = [[Interval(e / (a * d - b * c)) for e in row] for row in ((d, -b), (-c, a))]
    errors, slopes = centre.guards(), wide.jacobian()
    for i, w in enumerate((u, v)):
        image = Interval(middle[i]) - Y[i][0] * errors[0] - Y[i][1] * errors[1]
        for k, (z, m) in enumerate(zip((u, v), middle, strict=True)):
            kept = (ONE if i == k else ZERO) - Y[i][0] * slopes[0][k] - Y[i][1] * slopes[1][k]
            image = image + kept * (z - Interval(m))
        if not w.lo < image.lo <= image.hi < w.hi:
            raise Refused("between the bounds on u and v the equations are not proved to have a solution")


def require_arc(flow: Flow, side: Pull, x: Sequence[Interval], end: Interval, sign: int) -> None:
    """From w = 1 down to the end, the guard has its sign in between: it rises first, is away from 0, falls last."""
    factors = [Interval(sign * c) * (a - Interval(b)) for c, a, b in zip(flow.guard, x, side.centre, strict=False)]
    rest = Interval(sign) * at(flow.guard, [Interval(c) for c in side.centre])
    edges = [end.lo + (1 - end.lo) * Fraction(k, PARTS) for k in range(PARTS + 1)]
    spend(50 * PARTS, 256)
    falling, positive, rising = [], [], []
    for low, high in pairwise(edges):
        w = Interval(low, high)
        value, slope = rest, ZERO
        for f, n in zip(factors, side.exponents, strict=True):
            value, slope = value + f * w.power(n), slope + Interval(n) * f * w.power(n - 1)
        falling.append(slope.lo > 0)
        positive.append(value.lo > 0)
        rising.append(slope.hi < 0)
    first = falling.index(False) if False in falling else PARTS
    last = PARTS - 1 - (rising[::-1].index(False) if False in rising else PARTS)
    if not all(positive[first : last + 1]):
        raise Refused("an arc is not proved to stay on its side of the guard")


def require_root(flow: Flow, u: Interval, v: Interval, polynomial: Polynomial) -> None:
    """The first coordinates of p and q are roots of a polynomial, where the two sides are reflections of each other.

    With u = v, p = (b + a u^n) / (1 + u^n), for q with a and b exchanged. The bounds hold one solution, so it is the
    root in them of a common divisor of the guard at p and of the polynomial at p.
    """
    first, second = flow.sides
    middle = [Interval((a + b) / 2) for a, b in zip(first.centre, second.centre, strict=True)]
    symmetric = first.exponents == second.exponents and at(flow.guard, middle).is_zero
    if not symmetric or (u.lo, u.hi) != (v.lo, v.hi) or len(polynomial) < 2 or not polynomial[-1]:
        raise Refused("the two sides are no reflections, u and v have different bounds, or the polynomial is constant")
    if len(polynomial) > MOST_DEGREE:
        raise Refused(f"the polynomial has a degree above {MOST_DEGREE}")
    powers = [one_and_power(n, Fraction(1)) for n in first.exponents]
    tops = [
        [one_and_power(n, a, b) for n, a, b in zip(first.exponents, one.centre, other.centre, strict=True)]
        for one, other in ((first, second), (second, first))
    ]
    guard = scaled(flow.guard[2], product(powers[0], powers[1]))
    for i in (0, 1):
        guard = total(guard, scaled(flow.guard[i], product(tops[0][i], powers[1 - i])))
    for top in tops:
        value: Polynomial = []
        denominator: Polynomial = [Fraction(1)]
        for c in reversed(polynomial):
            value = total(product(value, top[0]), scaled(c, denominator))
            denominator = product(denominator, powers[0])
        divisor = common_divisor(guard, value)
        if evaluated(divisor, u.lo) * evaluated(divisor, u.hi) >= 0:
            raise Refused("the polynomial is not proved to vanish at the crossings")


def one_and_power(n: int, a: Fraction, b: Fraction = ONE.lo) -> Polynomial:
    """b + a u^n."""
    return [b, *[Fraction(0)] * (n - 1), a]


def total(p: Polynomial, q: Polynomial) -> Polynomial:
    """p + q."""
    size = max(len(p), len(q))
    return [(p[k] if k < len(p) else 0) + (q[k] if k < len(q) else Fraction(0)) for k in range(size)]


def scaled(c: Fraction, p: Polynomial) -> Polynomial:
    """c p."""
    return [c * a for a in p]


def product(p: Polynomial, q: Polynomial) -> Polynomial:
    """p q."""
    spend(len(p) * len(q) + 1)
    result = [Fraction(0)] * max(0, len(p) + len(q) - 1)
    for i, a in enumerate(p):
        for j, b in enumerate(q):
            result[i + j] += a * b
    return result


def common_divisor(p: Polynomial, q: Polynomial) -> Polynomial:
    """The greatest common divisor, by Euclid; its leading coefficient is 1."""
    p, q = trimmed(p), trimmed(q)
    while q:
        while len(p) >= len(q):
            factor, shift = p[-1] / q[-1], len(p) - len(q)
            spend(4 * len(q), factor.denominator.bit_length())
            p = trimmed([a - (factor * q[k - shift] if k >= shift else 0) for k, a in enumerate(p)])
        p, q = q, p
    return scaled(1 / p[-1], p) if p else []


def trimmed(p: Polynomial) -> Polynomial:
    """Without leading zeros."""
    while p and not p[-1]:
        p = p[:-1]
    return p


def evaluated(p: Polynomial, x: Fraction) -> Fraction:
    """The value at a number."""
    result = Fraction(0)
    for c in reversed(p):
        result = result * x + c
    return result

"""Claims about iterates and flows away from the fixed point, and what they claim seen another way: by simulation."""

from __future__ import annotations

import math
import random
from fractions import Fraction

import sympy as sp
from strategies import jacobian_near, value_of

from piggycheck.claims import DerivativesDivergeEverywhere, FlowCycle, IteratesConvergeUniformly
from piggycheck.expression import parse
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

__all__ = ["CASES", "SKEW", "TRUE", "descent", "tent"]

x, y, u, v, theta = sp.symbols("x y u v theta", real=True)


def tent(start=(theta, 1), slope="4/3", shrink="2/3"):
    """A tent map whose size shrinks: u/v follows the tent map."""
    a, b = sp.Rational(slope), sp.Rational(shrink)
    return Iteration(SymbolicMap([u, v], [sp.Min(a * u, a * (v - u)), b * v], [theta]), list(map(sp.sympify, start)))


def descent(first=(3, 5), second=(0, 0), rates=("1/10", "2/5"), other_rates=None, above=y > 3 * x - 2, start=None):
    """One step of gradient descent towards one of two points, above or below a line."""

    def step(variable, i):
        sides = [
            (variable - sp.Rational(r[i]) * (variable - sp.sympify(c[i])), condition)
            for r, c, condition in ((rates, first, above), (other_rates or rates, second, True))
        ]
        return sp.Piecewise(*sides)

    return Iteration(SymbolicMap([x, y], [step(x, 0), step(y, 1)]), start)


SKEW = descent((1, 2), (-1, 0), ("1/20", "1/5"), ("1/20", "3/20"), y > 3 * x + 1)
"""Each side has rates of its own, and no reflection exchanges them."""

CASES = {
    "uniform proved": (IteratesConvergeUniformly(over={"theta": [0, 1]}, rate="2/3"), tent(), {"theta": "1/3"}),
    "uniform refuted": (
        IteratesConvergeUniformly(over={"theta": [0, 1]}),
        Iteration(SymbolicMap([x], [sp.Max(x / 2, 2 * x - 1)], [theta]), [theta]),
        {"theta": "1/3"},
    ),
    "everywhere proved": (DerivativesDivergeEverywhere(rate="4/3"), tent(), {"theta": "1/3"}),
    "flow cycle proved": (FlowCycle(), descent(), {}),
    "flow cycle proved without symmetry": (FlowCycle(), SKEW, {}),
}


# -- what certificates claim, by simulation -------------------------------------------------------------------------


def _names(content, *keys):
    return [sp.Symbol(name, real=True) for key in keys for name in content["map"][key]]


def _next(content):
    names = _names(content, "state", "parameters")
    return [parse(text, names) for text in content["map"]["next"]]


def _numbers(entries):
    return {sp.Symbol(name, real=True): Fraction(text) for name, text in (entries or {}).items()}


def _start(content, at):
    names = _names(content, "parameters")
    return {s: value_of(parse(content["start"][str(s)], names), at) for s in _names(content, "state")}


def _iterates(content, at, steps):
    """The iterates, rounded to 200 bits."""
    state, following = _names(content, "state"), _next(content)
    point = _start(content, at)
    for _ in range(steps + 1):
        yield point
        images = [value_of(e, {**point, **at}) for e in following]
        point = {s: Fraction(round(c * 2**200), 2**200) for s, c in zip(state, images, strict=True)}


def _parameters(content, over, count=6):
    """The ends of a box and some points inside; other parameters as they are."""
    dice, at = random.Random(1), _numbers(content.get("at"))
    boxes = {sp.Symbol(n, real=True): [Fraction(end) for end in ends] for n, ends in over.items()}
    yield from ({**at, **{s: ends[k] for s, ends in boxes.items()}} for k in (0, 1))
    for _ in range(count):
        inside = {s: low + (high - low) * Fraction(dice.randint(0, 997), 997) for s, (low, high) in boxes.items()}
        yield {**at, **inside}


def uniform_proved(content, claim):
    rate, constant = (Fraction(content["witness"][key]) for key in ("rate", "constant"))
    fixed = _numbers(content["fixed_point"])
    if not 0 <= rate < 1 or rate > Fraction(claim.get("rate", "1")):
        return False
    for at in _parameters(content, claim["over"]):
        for k, point in enumerate(_iterates(content, at, 40)):
            if max(abs(point[s] - c) for s, c in fixed.items()) > constant * rate**k + Fraction(1, 2**180):
                return False
    return True


def uniform_refuted(content, claim):
    witness = content["witness"]
    at = {**_numbers(content["at"]), **_numbers(witness["at"])}
    inside = all(
        Fraction(low) <= Fraction(witness["at"][n]) <= Fraction(high) for n, (low, high) in claim["over"].items()
    )
    first, period = int(witness["first"]), int(witness["period"])
    points = list(_iterates(content, at, first + period))
    return inside and points[first] == points[first + period] != _numbers(content["fixed_point"])


def everywhere_proved(content, claim):
    """Products of Jacobians along iterates from random parameters, where these exist."""
    witness, names = content["witness"], _names(content, "state", "parameters")
    rate, constant = Fraction(witness["rate"]), Fraction(witness["constant"])
    column = sp.Symbol(witness["parameter"], real=True)
    following, p = _next(content), len(_names(content, "state"))
    if rate <= 1 or rate < Fraction(claim.get("rate", "1")):
        return False
    dice, step = random.Random(1), Fraction(1, 10**14)
    for _ in range(5):
        at = {s: Fraction(dice.randint(-9999, 9999), 9973) for s in _names(content, "parameters")}
        ahead, here = _start(content, {**at, column: at[column] + step}), _start(content, at)
        J = [(ahead[s] - here[s]) / step for s in here]
        for k, point in enumerate(_iterates(content, at, 12)):
            if max(map(abs, J)) < constant * rate**k * (1 - Fraction(1, 10**6)):
                return False
            rows = jacobian_near(following, names, {**point, **at})
            if rows is None:
                break
            J = [sum(a * b for a, b in zip(row, J, strict=False)) + row[p + names[p:].index(column)] for row in rows]
    return True


def cycle_proved(content, claim):
    """Follow the flow from near the first crossing until it has come close to the cycle."""
    state, following, at = _names(content, "state"), _next(content), _numbers(content.get("at"))
    crossings = [[[float(Fraction(e)) for e in ends] for ends in point] for point in content["witness"]["crossings"]]
    p = [sum(ends) / 2 for ends in crossings[0]]
    found = [[c + 1e-3 for c in p]]
    for _ in range(9):
        found = _round(found[-1], state, following, at)
    targets = [[sum(ends) / 2 for ends in point] for point in crossings]
    near = all(min(math.dist(a, b) for b in found) < 1e-8 for a in targets)
    widths = all(low <= high + 1e-15 and high - low < 2 for point in crossings for low, high in point)
    inside = all(
        min(max(max(low - c, c - high) for (low, high), c in zip(point, b, strict=True)) for b in found) < 1e-9
        for point in crossings
    )
    polynomial = [Fraction(c) for c in content["witness"].get("polynomial", [])]
    roots = [sum(float(c) * b[0] ** k for k, c in enumerate(polynomial)) for b in found]
    moved = _round([c + 1e-5 * d for c, d in zip(found[-1], _along(found), strict=True)], state, following, at)[-1]
    multiplier = [float(Fraction(c)) for c in content["witness"]["multiplier"]]
    seen = math.dist(moved, found[-1]) / 1e-5
    attracts = max(map(abs, multiplier)) < 1 and multiplier[0] - 1e-3 < seen + 1e-9 and -multiplier[1] - 1e-3 < seen
    return (near or inside) and widths and attracts and all(abs(r) < 1e-6 for r in roots)


def _along(found):
    """The direction from one crossing to the other, along the guard."""
    length = math.dist(*found)
    return [(a - b) / length for a, b in zip(*found, strict=True)]


def _round(point, state, following, at):
    """Two crossings of the flow: on each piece it is x_i' = b_i - a_i x_i, in time exactly."""
    crossings = []
    for _ in range(2):
        rates, centre = _pull(point, state, following, at)

        def flow(t, point=point, rates=rates, centre=centre):
            return [c + (a - c) * math.exp(-r * t) for a, c, r in zip(point, centre, rates, strict=True)]

        t, side = 1e-6, (rates, centre)
        while _pull(flow(t), state, following, at) == side:
            t *= 1.03
            if t > 1e4:
                return [point, point]
        low, high = t / 1.03, t
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if _pull(flow(middle), state, following, at) == side else (low, middle)
        point = flow(high)
        crossings.append(point)
    return crossings


def _pull(point, state, following, at):
    """The rates and the centre of the piece at a point."""
    key = tuple(following), tuple(at.items())
    if key not in _KNOWN:
        fixed = [e.subs({s: sp.Rational(c.numerator, c.denominator) for s, c in at.items()}) for e in following]
        conditions = sorted({c for e in fixed for node in e.atoms(sp.Piecewise) for _, c in node.args[:-1]}, key=str)
        _KNOWN[key] = fixed, conditions, sp.lambdify(state, conditions, "math"), {}
    fixed, conditions, seen_at, pieces = _KNOWN[key]
    seen = tuple(seen_at(*point))
    if seen not in pieces:
        branches = [e.subs(dict(zip(conditions, map(sp.sympify, seen), strict=True))) for e in fixed]
        rates = [1 - sp.diff(branch, s) for s, branch in zip(state, branches, strict=True)]
        centre = [branch.subs(s, 0) / a if a else 0 for s, branch, a in zip(state, branches, rates, strict=True)]
        pieces[seen] = [float(a) for a in rates], [float(c) for c in centre]
    return pieces[seen]


_KNOWN: dict = {}


TRUE = {
    ("iterates_converge_uniformly", "proved"): uniform_proved,
    ("iterates_converge_uniformly", "refuted"): uniform_refuted,
    ("derivatives_diverge_everywhere", "proved"): everywhere_proved,
    ("flow_cycle", "proved"): cycle_proved,
}

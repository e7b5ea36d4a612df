"""What certificates of cycles claim, seen another way: by fractions, simulation and all words."""

from __future__ import annotations

import itertools
from fractions import Fraction

import numpy as np
import sympy as sp
from scipy.optimize import brentq
from strategies import jacobian_near, value_of

from piggycheck.expression import parse

__all__ = ["TRUE", "is_true"]


def is_true(content):
    claim, witness = content["claim"], content["witness"]
    names = [sp.Symbol(v, real=True) for v in (*content["map"]["state"], *content["map"]["parameters"])]
    state = names[: len(content["map"]["state"])]
    expressions = [parse(e, names) for e in content["map"]["next"]]
    at = {v: Fraction(content["at"][str(v)]) for v in names[len(state) :]}
    period, point = int(claim["period"]), None
    if "point" in claim:
        point = tuple(Fraction(claim["point"][str(v)]) for v in state)

    def step(values):
        return tuple(value_of(e, {**dict(zip(state, values, strict=True)), **at}) for e in expressions)

    def is_cycle(values):
        orbit = [values]
        for _ in range(period):
            orbit.append(step(orbit[-1]))
        return orbit[-1] == values and values not in orbit[1:-1]

    def multiplier(points):
        product = np.eye(len(state))
        for values in points:
            at_point = {**dict(zip(state, values, strict=True)), **at}
            rows = jacobian_near(expressions, state, at_point)
            product = np.array([[float(c) for c in row] for row in rows]) @ product
        return product

    def attracts(points):
        return bool(max(abs(np.linalg.eigvals(multiplier(points)))) < 1)

    if witness["method"] == "roots":
        return roots_tell(claim, expressions[0].subs(at), state[0], witness)
    if claim["verdict"] == "refuted":
        if point is not None:
            wanted = claim.get("attracting")
            return not is_cycle(point) or attracts(orbit_from(step, point, period)) is not (wanted == "true")
        fitting = [c for c in all_cycles(step, state, expressions, at, period) if is_cycle(c[0])]
        return not any("attracting" not in claim or attracts(c) is (claim["attracting"] == "true") for c in fitting)
    points = [tuple(map(Fraction, p)) for p in witness["points"]]
    if not is_cycle(points[0]) or orbit_from(step, points[0], period) != points:
        return False
    if (point is not None and point not in points) or (
        "attracting" in claim and attracts(points) is not (claim["attracting"] == "true")
    ):
        return False
    if "modulus_lower" in witness:
        radius = max(abs(np.linalg.eigvals(multiplier(points))))
        if radius < float(Fraction(witness["modulus_lower"])) * (1 - 1e-9):
            return False
    return "basin" not in witness or leads_there(content, step, state, points)


def roots_tell(claim, expression, variable, witness):
    """Real points of the minimal period by numerical roots, with multipliers."""
    period = int(claim["period"])
    step, slope = sp.lambdify(variable, expression), sp.lambdify(variable, expression.diff(variable))

    def moved(t):
        value = t
        for _ in range(period):
            value = min(max(float(step(value)), -1e6), 1e6)
        return value - t

    grid = np.linspace(-5.0003, 5, 40_000)
    roots = [brentq(moved, a, b, xtol=1e-13) for a, b in itertools.pairwise(grid) if moved(a) * moved(b) < 0]
    fitting = []
    for root in roots:
        orbit = [root]
        for _ in range(period):
            orbit.append(float(step(orbit[-1])))
        if min((abs(orbit[d] - root) for d in range(1, period) if period % d == 0), default=1) > 1e-6:
            attracts = abs(np.prod([float(slope(v)) for v in orbit[:-1]])) < 1
            if "attracting" not in claim or attracts == (claim["attracting"] == "true"):
                fitting.append(orbit[:-1])
    if claim["verdict"] == "refuted":
        return not fitting
    ends = [[float(Fraction(e)) for e in pair] for pair in witness["points"]]
    return any(all(lo - 1e-6 <= v <= hi + 1e-6 for v, (lo, hi) in zip(orbit, ends, strict=True)) for orbit in fitting)


def orbit_from(step, values, period):
    orbit = [values]
    for _ in range(period - 1):
        orbit.append(step(orbit[-1]))
    return orbit


def leads_there(content, step, state, points):
    """Iterates from the border of the ellipsoid approach the cycle, and the iterate from the start is inside."""
    witness, first = content["witness"], points[0]
    P = np.array([[float(Fraction(c)) for c in row] for row in witness["basin"]["P"]])
    level = float(Fraction(witness["basin"]["level"]))
    root = np.linalg.inv(np.linalg.cholesky(P)).T * np.sqrt(level)
    for angle in np.linspace(0, 2 * np.pi, 9):
        direction = np.array([np.cos(angle), np.sin(angle)])[: len(state)]
        values = tuple(
            Fraction(a).limit_denominator(10**6) + b for a, b in zip(0.99 * root @ direction, first, strict=True)
        )
        for _ in range(60 + 12 * len(points)):
            values = tuple(c.limit_denominator(10**9) for c in step(values))
        if min(max(abs(float(a - b)) for a, b in zip(values, p, strict=True)) for p in points) > 1e-3:
            return False
    if "entry" not in witness:
        return True
    names = [sp.Symbol(v, real=True) for v in content["map"]["parameters"]]
    at = {v: Fraction(content["at"][str(v)]) for v in names}
    values = tuple(value_of(parse(content["start"][str(v)], names), at) for v in state)
    for _ in range(int(witness["entry"])):
        values = step(values)
    away = np.array([float(a - b) for a, b in zip(values, first, strict=True)])
    return away @ P @ away <= level * (1 + 1e-9)


def all_cycles(step, state, expressions, at, period):
    """Cycles along every word over slopes and shifts seen at samples; maps that are affine on pieces."""
    pieces = set()
    for values in itertools.product([Fraction(n, 3) + Fraction(1, 7) for n in range(-8, 9)], repeat=len(state)):
        at_point = {**dict(zip(state, values, strict=True)), **at}
        rows = jacobian_near(expressions, state, at_point)
        if rows is None:
            continue
        image = step(values)
        shift = tuple(
            b - sum(a * c for a, c in zip(row, values, strict=True)) for row, b in zip(rows, image, strict=True)
        )
        pieces.add((tuple(map(tuple, rows)), shift))
    for word in itertools.product(sorted(pieces), repeat=period):
        A, b = sp.eye(len(state)), sp.zeros(len(state), 1)
        for rows, shift in word:
            M = sp.Matrix([[sp.Rational(str(c)) for c in row] for row in rows])
            A, b = M * A, M * b + sp.Matrix([sp.Rational(str(c)) for c in shift])
        if (sp.eye(len(state)) - A).det() != 0:
            solution = (sp.eye(len(state)) - A).LUsolve(b)
            values = tuple(Fraction(str(c)) for c in solution)
            yield orbit_from(step, values, period)


TRUE = {("cycle", verdict): lambda content, claim: is_true(content) for verdict in ("proved", "refuted")}

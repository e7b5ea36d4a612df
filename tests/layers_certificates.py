"""Certificates of structured maps written by hand, whose numbers are known in closed form, and what is true of them."""

from __future__ import annotations

import copy
import json
from fractions import Fraction
from functools import cache
from typing import Any

import numpy as np
from checker_certificates import certificate
from layers_reader import Reader

Data = dict[str, Any]


def texts(value: Any) -> Any:
    """Numbers as text."""
    if isinstance(value, dict):
        return {key: texts(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [texts(entry) for entry in value]
    return value if isinstance(value, str) else str(value)


def numbers(line: str) -> list[str]:
    return line.split()


def affine(name: str, *terms: tuple[str, str, str]) -> Data:
    """A node from terms (scale, factors, of)."""
    listed = [{"scale": scale, "factors": factors.split(), "of": of} for scale, factors, of in terms]
    return {"name": name, "op": "affine", "terms": listed}


def scalar(name: str, expression: str) -> Data:
    return {"name": name, "op": "scalar", "expression": expression}


def soft(name: str, of: str, threshold: str = "t") -> Data:
    return elementwise(name, "v - Max(-t, Min(t, v))", of, "true", t=threshold)


def elementwise(name: str, function: str, of: str, proximal: str = "false", **arguments: str) -> Data:
    rest = {"arguments": arguments, "proximal": proximal}
    return {"name": name, "op": "elementwise", "function": function, "of": of, **rest}


def spectral(name: str, function: str, of: str, size: str, proximal: str = "true", **arguments: str) -> Data:
    return {**elementwise(name, function, of, proximal, **arguments), "op": "spectral", "size": size}


def layers(state: str, at: Data, *nodes: Data, matrices: Data | None = None, vectors: Data | None = None) -> Data:
    """A structured map; the shapes of the parameters are those of their values, the last node is the next state."""
    at = texts(at)
    shapes = {k: [len(v), len(v[0])] if isinstance(v[0], list) else [len(v)] for k, v in at.items() if v != str(v)}
    parameters = [[name, *shapes.get(name, [1])] for name in at]
    blocks = [block.split(":") for block in state.split()]
    rest = {"matrices": matrices or {}, "vectors": vectors or {}}
    return texts(
        {"state": blocks, "parameters": parameters, "at": at, **rest, "nodes": nodes, "next": nodes[-1]["name"]}
    )


def limit(point: str, radius: str, contraction: str, by: str, bits: str = "80") -> Data:
    witness = {"method": "layers", "bits": bits, "point": numbers(point), "radius": radius}
    return {**witness, "contraction": contraction, "by": by}


# Maps. The shrunk one: x = b - penalty, where b > penalty.

SHRUNK = layers(
    "x:1",
    {"penalty": "1", "b": ["3"]},
    scalar("t", "penalty/2"),
    affine("u", ("1/2", "", "x"), ("1/2", "", "b")),
    soft("y", "u"),
)
SHRUNK_LIMIT = limit("2", "1/4", "1/2", "layers")

# A = [[2, 1, 0], [1, 2, 0], [0, 0, 1]] / 2; x = (1, 2, 0) solves A'(b - A x) = penalty (1, 1, 1/2).
LASSO = layers(
    "x:3",
    {"penalty": "1/2", "b": ["7/3", "17/6", "1/2"]},
    scalar("t", "2/5*penalty"),
    affine("u", ("1", "", "x"), ("-2/5", "A' A", "x"), ("2/5", "A'", "b")),
    soft("y", "u"),
    matrices={"A": {"denominator": "2", "rows": [numbers("2 1 0"), numbers("1 2 0"), numbers("0 0 1")]}},
)
LASSO_LIMIT = limit("1 2 0", "1/16", "91/100", "jacobian")

# z = 2 S(b) - b for the soft threshold S by the penalty.
SPLITTING = layers(
    "z:2",
    {"penalty": "1", "b": ["3", "1/2"]},
    affine("x", ("1/2", "", "z"), ("1/2", "", "b")),
    affine("v", ("2", "", "x"), ("-1", "", "z")),
    soft("y", "v", "penalty"),
    affine("next", ("1", "", "z"), ("1", "", "y"), ("-1", "", "x")),
)
SPLITTING_LIMIT = limit("1 -1/2", "1/4", "1/2", "layers")

# Total variation of (0, 0, 4, 4): x = (1/2, 1/2, 7/2, 7/2), its differences z = (0, 3, 0), their multipliers
# y = (1/2, 1, 1/2), and the state is z + y/rho.
VARIATION = layers(
    "w:3",
    {"weight": "1", "rho": "1", "b": ["0", "0", "4", "4"]},
    scalar("t", "weight/rho"),
    soft("z", "w"),
    affine("r", ("2", "", "z"), ("-1", "", "w")),
    affine("next", ("1", "", "w"), ("-1", "", "z"), ("rho", "D K^-1 D'", "r"), ("1", "D K^-1", "b")),
    matrices={
        "D": {"difference": "1", "size": "4"},
        "K": {"sum": [{"scale": "1", "factors": []}, {"scale": "rho", "factors": ["D'", "D"]}], "size": "4"},
    },
)
VARIATION_LIMIT = limit("1/2 4 1/2", "1/8", "4/5", "layers")
VARIATION_DIRECTIONS = {
    "weight": [["1"], ["0"], ["0"]],
    "rho": [["0"], ["1"], ["0"]],
    "b": [numbers("0 0 0 0"), numbers("0 0 0 0"), numbers("1 0 0 0")],
}

# x = b (1 - penalty/|b|) for the first two coordinates, 0 for the last.
GROUPED = layers(
    "x:3",
    {"penalty": "1", "b": ["3", "4", "1/4"]},
    scalar("t", "penalty/2"),
    affine("u", ("1/2", "", "x"), ("1/2", "", "b")),
    {"name": "y", "op": "group", "of": "u", "threshold": "t", "groups": [["0", "1"], ["2"]]},
)
GROUPED_LIMIT = limit("12/5 16/5 0", "1/8", "1/2", "layers")

# Sparse inverse covariance with S = I: X = I/(1 + penalty), and z = X - X^-1 + I.
COVARIANCE = layers(
    "z:4",
    {"penalty": "1/10"},
    affine("zs", ("1", "sym", "z")),
    affine("u", ("1", "", "zs"), ("-1", "", "S")),
    spectral("x", "(v + sqrt(v**2 + 4))/2", "u", "2"),
    affine("v2", ("2", "", "x"), ("-1", "", "zs")),
    soft("y", "v2", "penalty"),
    affine("next", ("1", "", "zs"), ("1", "", "y"), ("-1", "", "x")),
    matrices={"sym": {"symmetrise": "2"}},
    vectors={"S": numbers("1 0 0 1")},
)
COVARIANCE_LIMIT = limit("89/110 0 0 89/110", "1/16", "3/5", "layers")

# x = (5, 3, 4) is half of (10, 6, 8), the projection of (5/2, 9/2, 6).
CONE = layers(
    "x:3",
    {"c": ["0", "3", "4"]},
    affine("u", ("1/2", "", "x"), ("1", "", "c")),
    {"name": "y", "op": "second_order_cone", "of": "u"},
)
CONE_LIMIT = limit("5 3 4", "1", "1/2", "layers")

# x = 2 M b = (-2, -2), y = x_1/2.
STACKED = layers(
    "x:2 y:1",
    {"M": [["1", "2"], ["3", "4"]]},
    affine("xn", ("1/2", "", "x"), ("1", "M", "b")),
    {"name": "first", "op": "slice", "of": "x", "start": "0", "stop": "1"},
    affine("yn", ("1/2", "", "y"), ("1/4", "", "first")),
    {"name": "next", "op": "stack", "of": ["xn", "yn"]},
    vectors={"b": ["1", "-1"]},
)
STACKED_LIMIT = limit("-2 -2 -1", "1", "2/3", "jacobian")

# x = sqrt(t/2), with the slope (1 + x/sqrt(x^2 + 4 t))/4 = 1/3 there.
SMOOTH = layers(
    "x:1",
    {"t": "2"},
    elementwise("y", "(v + sqrt(v**2 + 4*t))/4", "x", t="t"),
)
SMOOTH_LIMIT = limit("1", "1/2", "2/5", "layers")

ALONG = {"penalty": [["1"], ["0"]], "b": [["0"], ["1"]]}
DIRECTION = {"penalty": [["1"]]}
THIRD = {"error": "1/1000000000"}
RUN = {"iterations": "3", "quantity": "iterates"}
RUN_ALONG = {"iterations": "3", "quantity": "derivatives", "directions": DIRECTION}
ERROR = {"error": "1/1000000"}


def derivative(
    subject: Data, where: Data, directions: Data, rows: list[str], verdict: str = "proved", **claim: Any
) -> Data:
    """A certificate about the limit of the derivatives."""
    witness = {**where, "directions": directions, "derivative": [row.split() for row in rows], **ERROR}
    return certificate({"layers": subject}, "derivative", verdict, witness, directions=directions, **claim)


CASES: dict[str, Data] = {
    "shrunk, fixed point": certificate({"layers": SHRUNK}, "fixed_point", "proved", {**SHRUNK_LIMIT, **ERROR}),
    "shrunk, no fixed point": certificate(
        {"layers": SHRUNK}, "fixed_point", "refuted", {"method": "layers", "bits": "64"}, value=["5/2"]
    ),
    "shrunk, derivative": derivative(SHRUNK, SHRUNK_LIMIT, ALONG, ["-1 1"]),
    "shrunk, not the derivative": derivative(SHRUNK, SHRUNK_LIMIT, ALONG, ["-1 1"], "refuted", value=[["-1/2", "1"]]),
    "shrunk, close after 3": certificate(
        {"layers": SHRUNK, "start": ["0"]},
        "converged",
        "proved",
        {**SHRUNK_LIMIT, **ERROR, "error_upper": "251/1000"},
        tolerance="13/50",
        **RUN,
    ),
    "shrunk, far after 3": certificate(
        {"layers": SHRUNK, "start": ["0"]},
        "converged",
        "refuted",
        {**SHRUNK_LIMIT, **ERROR, "error_lower": "249/1000"},
        tolerance="6/25",
        **RUN,
    ),
    "shrunk, derivative close after 3": certificate(
        {"layers": SHRUNK, "start": ["0"]},
        "converged",
        "proved",
        {**SHRUNK_LIMIT, **ERROR, "error_upper": "63/500", "directions": DIRECTION, "derivative": [["-1"]]},
        tolerance="1/7",
        **RUN_ALONG,
    ),
    "shrunk, derivative far after 3": certificate(
        {"layers": SHRUNK, "start": ["0"]},
        "converged",
        "refuted",
        {**SHRUNK_LIMIT, **ERROR, "error_lower": "31/250", "directions": DIRECTION, "derivative": [["-1"]]},
        tolerance="1/9",
        **RUN_ALONG,
    ),
    "lasso, converges": certificate(
        {"layers": LASSO, "start": numbers("0 0 0")},
        "converges",
        "proved",
        {**LASSO_LIMIT, "rate": "91/100", "lipschitz": "1"},
        rate="19/20",
    ),
    "lasso, form": certificate(
        {"layers": LASSO}, "converges", "proved", {**LASSO_LIMIT, "rate": "91/100", "form": [["2", "1"], ["1", "2"]]}
    ),
    "lasso, derivative": derivative(LASSO, LASSO_LIMIT, DIRECTION, ["-4/9", "-4/9", "0"]),
    "splitting, derivative": derivative(SPLITTING, SPLITTING_LIMIT, DIRECTION, ["-2", "0"]),
    "splitting, converges": certificate(
        {"layers": SPLITTING, "start": numbers("0 9")},
        "converges",
        "proved",
        {**SPLITTING_LIMIT, "rate": "1/2", "lipschitz": "1"},
    ),
    "variation, derivative": derivative(
        VARIATION, VARIATION_LIMIT, VARIATION_DIRECTIONS, ["1/2 -1/2 -1/2", "0 -1 -1/2", "1/2 -1/2 0"]
    ),
    "variation, converges": certificate(
        {"layers": VARIATION, "start": numbers("0 0 0")},
        "converges",
        "proved",
        {**VARIATION_LIMIT, "rate": "4/5", "lipschitz": "1"},
    ),
    "groups, derivative": derivative(
        GROUPED,
        GROUPED_LIMIT,
        {"penalty": [["1"], ["0"]], "b": [numbers("0 0 0"), numbers("1 0 0")]},
        ["-3/5 109/125", "-4/5 12/125", "0 0"],
    ),
    "covariance, derivative": derivative(COVARIANCE, COVARIANCE_LIMIT, DIRECTION, ["-221/121", "0", "0", "-221/121"]),
    "cone, derivative": derivative(CONE, CONE_LIMIT, {"c": [numbers("1 0 0")]}, ["1", "3/5", "4/5"]),
    "stacked, derivative": derivative(STACKED, STACKED_LIMIT, {"M": [numbers("1 0 0 0")]}, ["2", "0", "1"]),
    "smooth, derivative": derivative(SMOOTH, SMOOTH_LIMIT, {"t": [["1"]]}, ["1/4"]),
    "smooth, converges": certificate(
        {"layers": SMOOTH, "start": ["30"]},
        "converges",
        "proved",
        {**SMOOTH_LIMIT, "rate": "3334/10000", "lipschitz": "1"},
    ),
}


# What is true, computed in floating point by another reading of the format.

STEPS, SHIFT, CLOSE = 400, 1e-5, 1e-7


def floats(data: Any) -> np.ndarray:
    return np.vectorize(lambda text: float(Fraction(text)), otypes=[float])(np.array(data, dtype=object))


@cache
def run(text: str, start: str, steps: int) -> np.ndarray:
    """Iterates of a map from a start."""
    reader, x = Reader(json.loads(text)), floats(json.loads(start))
    for _ in range(steps):
        x = reader.step(x)
    return x


def moved(subject: Data, directions: Data, k: int, by: float) -> Data:
    """The map with parameters moved along a direction."""
    subject = copy.deepcopy(subject)
    for name, columns in directions.items():
        shift = floats(columns[k]) * by
        value = floats(subject["at"][name])
        value = (value.ravel() + shift).reshape(value.shape)
        subject["at"][name] = texts(np.vectorize(lambda a: str(Fraction(a)), otypes=[object])(value).tolist())
    return subject


def after(c: Data, start: Any, steps: int) -> np.ndarray:
    return run(json.dumps(c["layers"]), json.dumps(start), steps)


def slopes(c: Data, start: Any, steps: int) -> np.ndarray:
    """Derivatives of iterates along the directions."""
    given = c["witness"]["directions"]
    columns = []
    for k in range(len(next(iter(given.values())))):
        up, down = (after({"layers": moved(c["layers"], given, k, s * SHIFT)}, start, steps) for s in (1, -1))
        columns.append((up - down) / (2 * SHIFT))
    return np.array(columns).T


def jacobian(c: Data, x: np.ndarray) -> np.ndarray:
    reader, size = Reader(c["layers"]), len(x)
    steps = [(reader.step(x + SHIFT * e).copy(), reader.step(x - SHIFT * e).copy()) for e in np.eye(size)]
    return np.array([(up - down) / (2 * SHIFT) for up, down in steps]).T


def holds(c: Data) -> bool:
    """Whether what a certificate claims is true, as far as floating point tells."""
    claim, witness = c["claim"], c["witness"]
    kind, verdict = claim["kind"], claim["verdict"]
    if (kind, verdict) == ("fixed_point", "refuted"):
        value = floats(claim["value"])
        return bool(np.linalg.norm(Reader(c["layers"]).step(value) - value) > 0)
    point = witness["point"]
    x, error = after(c, point, STEPS), float(Fraction(witness.get("error", "1")))
    if kind == "fixed_point":
        return bool(np.linalg.norm(x - floats(point)) <= error + CLOSE)
    if kind == "converges":
        rate = max(abs(np.linalg.eigvals(jacobian(c, x))))
        arrives = "start" not in c or np.linalg.norm(after(c, c["start"], STEPS) - x) < CLOSE
        return bool(rate <= float(Fraction(witness["rate"])) + CLOSE and arrives)
    if kind == "derivative":
        J = slopes(c, point, STEPS)
        near = np.linalg.norm(J - floats(witness["derivative"])) <= error + CLOSE
        return bool(near and (verdict == "proved" or np.linalg.norm(J - floats(claim["value"])) > CLOSE))
    steps, tolerance = int(claim["iterations"]), float(Fraction(claim["tolerance"]))
    if claim["quantity"] == "iterates":
        distance = np.linalg.norm(after(c, c["start"], steps) - x)
    else:
        distance = np.linalg.norm(slopes(c, c["start"], steps) - slopes(c, point, STEPS))
    return bool(distance <= tolerance + CLOSE if verdict == "proved" else distance > tolerance - CLOSE)

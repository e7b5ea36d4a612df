"""Changing any number of a certificate about a structured map: it is refused, or its claim is seen to be true."""

from __future__ import annotations

import json
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from certificate_helper import assert_certified, assert_changes_matter, holds
from layers_reader import Reader
from structured_cases import structured

from piggycheck.claims import Converged, Converges, Derivative, FixedPoint, prove

CASES = {
    "fixed point proved": ("lasso", FixedPoint()),
    "fixed point proved of matrices": ("inverse covariance", FixedPoint()),
    "fixed point refuted": ("lasso", FixedPoint(value=[0, 1, 1])),
    "derivative proved": ("group lasso", Derivative()),
    "derivative proved in directions": ("lasso", Derivative(directions=[{"lam": 1, "b": [1, 2]}, {"b": [0, 1]}])),
    "derivative proved with an output": ("trend filtering", Derivative()),
    "derivative refuted": ("diagonal lasso", Derivative(value=[["-1/3"], [0]])),
    "converges proved": ("trend filtering", Converges()),
    "converges proved at a rate": ("ridge", Converges(rate="24/25")),
    "converges proved in the norm of a form": ("group lasso", Converges()),
    "converged proved": ("trend filtering", Converged(40, "1/2")),
    "converged refuted": ("lasso", Converged(10, "1/100")),
    "converged refuted of derivatives": ("ridge", Converged(6, "1/100", "derivatives")),
}
MOST_CHANGES = 60
ROUNDING = 1e-6


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(name):
    problem, claim = CASES[name]
    content = assert_certified(prove(claim, *structured(problem)))
    assert_changes_matter(content, is_true, most=MOST_CHANGES)


# What certificates claim, computed in double precision by another evaluator


def is_true(content):
    claim, world = content["claim"], World(content)
    return _TRUE[claim["kind"], claim["verdict"]](world, claim, content["witness"])


def floats(entries):
    """Texts in nested lists as an array."""
    if isinstance(entries, str):
        return float(Fraction(entries))
    return np.array([floats(entry) for entry in entries])


class World:
    """The iteration of a certificate."""

    def __init__(self, content):
        self.layers, witness = content["layers"], content["witness"]
        self.reader = Reader(self.layers)
        self.start = floats(content["start"]) if content.get("start") else None
        self.near = floats(witness["point"]) if "point" in witness else None

    def moved(self, direction, by):
        """The map at other parameters."""
        at = dict(self.layers["at"])
        for name, moves in direction.items():
            value = at[name]
            flat = np.ravel([value] if isinstance(value, str) else value)
            changed = [str(Fraction(a) + Fraction(by) * Fraction(d)) for a, d in zip(flat, moves, strict=True)]
            at[name] = changed[0] if isinstance(value, str) else np.reshape(changed, np.shape(value)).tolist()
        return Reader({**self.layers, "at": at})

    def follow(self, x, count):
        for _ in range(count):
            x = self.reader.step(x)
        return x

    @cache  # noqa: B019
    def limit(self):
        x = self.near
        for _ in range(600):
            x, old = self.reader.step(x), x
            if np.linalg.norm(x - old) < 1e-13:
                break
        return x

    def pair(self, x, directions, h=1e-6):
        """The Jacobian pair at a point, by central differences."""
        units = h * np.eye(len(x))
        A = np.array([(self.reader.step(x + e) - self.reader.step(x - e)) / (2 * h) for e in units]).T
        count = len(next(iter(directions.values()), []))
        B = [
            (self.moved(d, "1/1000000").step(x) - self.moved(d, "-1/1000000").step(x)) / 2e-6
            for d in ({name: columns[k] for name, columns in directions.items()} for k in range(count))
        ]
        return A, np.array(B).T.reshape(len(x), count)

    def derivative(self, directions):
        A, B = self.pair(self.limit(), directions)
        return np.linalg.solve(np.eye(len(A)) - A, B)

    def output(self, x, reader=None):
        reader = reader or self.reader
        reader.step(x)
        return reader.values[self.layers["output"]]

    def output_derivative(self, directions, h=1e-6):
        """Along the directions, moving the state as its limit moves."""
        x, J = self.limit(), self.derivative(directions)
        columns = []
        for k in range(J.shape[1]):
            d = {name: column[k] for name, column in directions.items()}
            ends = [self.output(x + s * h * J[:, k], self.moved(d, Fraction(s, 10**6))) for s in (1, -1)]
            columns.append((ends[0] - ends[1]) / (2 * h))
        return np.array(columns).T

    def derivative_after(self, count, directions):
        x, J = self.start, 0
        for _ in range(count):
            A, B = self.pair(x, directions)
            x, J = self.reader.step(x), A @ J + B if np.ndim(J) else B
        return J


def point_is_near(world, claim, witness):
    near = np.linalg.norm(world.limit() - world.near) <= float(Fraction(witness["error"])) + ROUNDING
    return near and ("output" not in witness or output_is_near(world, witness))


def output_is_near(world, witness):
    apart = np.linalg.norm(world.output(world.limit()) - floats(witness["output"]))
    return apart <= float(Fraction(witness["output_error"])) + ROUNDING


def value_moves(world, claim, witness):
    value = floats(claim["value"])
    return np.linalg.norm(world.reader.step(value) - value) > 1e-9


def derivative_is_near(world, claim, witness):
    there = world.derivative(witness["directions"])
    near = np.linalg.norm(there - floats(witness["derivative"])) <= float(Fraction(witness["error"])) + 1e-4
    return near and ("output_derivative" not in witness or output_moves_so(world, witness))


def output_moves_so(world, witness):
    moved = world.output_derivative(witness["directions"])
    return (
        np.linalg.norm(moved - floats(witness["output_derivative"])) <= float(Fraction(witness["output_error"])) + 1e-4
    )


def derivative_is_another(world, claim, witness):
    return np.linalg.norm(world.derivative(claim["directions"]) - floats(claim["value"])) > 1e-4


def iterates_converge(world, claim, witness):
    A, _ = world.pair(world.limit(), {})
    bound = float(Fraction(claim.get("rate", witness["rate"])))
    arrives = world.start is None or np.linalg.norm(world.follow(world.start, 400) - world.limit()) < 1e-4
    return max(abs(np.linalg.eigvals(A))) <= bound + 1e-4 and arrives


def error_after(world, claim):
    count = int(claim["iterations"])
    if claim["quantity"] == "iterates":
        return np.linalg.norm(world.follow(world.start, count) - world.limit())
    reached = world.derivative_after(count, claim["directions"])
    return np.linalg.norm(reached - world.derivative(claim["directions"]))


def error_is_small(world, claim, witness):
    return error_after(world, claim) <= float(Fraction(claim["tolerance"])) + 1e-4


def error_is_large(world, claim, witness):
    return error_after(world, claim) >= float(Fraction(claim["tolerance"])) - 1e-4


_TRUE = {
    ("fixed_point", "proved"): point_is_near,
    ("fixed_point", "refuted"): value_moves,
    ("derivative", "proved"): derivative_is_near,
    ("derivative", "refuted"): derivative_is_another,
    ("converges", "proved"): iterates_converge,
    ("converged", "proved"): error_is_small,
    ("converged", "refuted"): error_is_large,
}


# Claims that are false, with witnesses made for true ones


def altered(name, **changes):
    """A certificate in which fields of the claim or the witness are others."""
    problem, claim = CASES[name]
    content = json.loads(prove(claim, *structured(problem)).certificate.text())
    for key, value in changes.items():
        where = content["witness"] if key in content["witness"] else content["claim"]
        where[key] = value
    return content


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("fixed point proved", {"error": "1/" + "1" + "0" * 60}),
        ("fixed point proved", {"contraction": "1/10"}),
        ("fixed point proved", {"radius": "1000"}),
        ("fixed point proved of matrices", {"output_error": "1/" + "1" + "0" * 60}),
        ("fixed point proved of matrices", {"output": ["10/11", "0", "0", "9/11"]}),
        ("derivative proved with an output", {"output_derivative": [["-1"], ["1"], ["1"], ["1"]]}),
        ("derivative proved", {"error": "0"}),
        ("converges proved at a rate", {"rate": "47/50"}),
        ("converges proved", {"lipschitz": "1/2"}),
        ("converges proved", {"rate": "1/10"}),
        ("converged refuted", {"error_lower": "1"}),
        ("converged refuted", {"tolerance": "1"}),
        ("converged proved", {"error_upper": "1/1000"}),
        ("converged proved", {"tolerance": "1/1000"}),
    ],
)
def test_false_statements_are_not_accepted(name, changes):
    assert holds(altered(name))
    assert not holds(altered(name, **changes))

"""Whether the recursion of one pair leads to the answer of the pseudo-inverse, seen by following it exactly."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.switched import SwitchedSystem

__all__ = ["agrees", "leads_to_the_pseudo_inverse", "one", "pair_of", "rows", "start_in"]


def one(A, B=None, J0=None):
    """The system of one pair."""
    return SwitchedSystem.from_rows([A], None if B is None else [B], J0=J0)


def numbers(lines):
    return [[Fraction(c) for c in line] for line in lines]


def rows(M):
    return [[Fraction(int(c.p), int(c.q)) for c in line] for line in M.table()]


def pair_of(content):
    """The pair, read off the given matrices or the map by differences, which for affine maps are exact."""
    if "switched" in content:
        return numbers(content["switched"]["A"][0]), numbers(content["switched"]["B"][0])
    names = [*content["map"]["state"], *content["map"]["parameters"]]
    symbols = {name: sp.Symbol(name, real=True) for name in names}
    expressions = sp.Matrix([sp.sympify(text, symbols, rational=True) for text in content["map"]["next"]])
    point = {symbols[v]: sp.Rational(c) for v, c in {**content["fixed_point"], **content["at"]}.items()}
    jacobian = expressions.jacobian([symbols[name] for name in names]).subs(point)
    assert all(e.subs(point) == point[symbols[v]] for e, v in zip(expressions, content["map"]["state"], strict=True))
    lines, p = numbers([[str(c) for c in line] for line in jacobian.tolist()]), len(content["map"]["state"])
    return [line[:p] for line in lines], [line[p:] for line in lines]


def start_in(content):
    if "J0" in content:
        return numbers(content["J0"])
    if "start" not in content:
        return None
    symbols = {name: sp.Symbol(name, real=True) for name in content["map"]["parameters"]}
    at = {symbols[v]: sp.Rational(c) for v, c in content["at"].items()}
    texts = [content["start"][v] for v in content["map"]["state"]]
    return numbers(
        [[str(sp.diff(sp.sympify(t, symbols, rational=True), s).subs(at)) for s in symbols.values()] for t in texts]
    )


def floats(rows):
    return np.array([[float(c) for c in row] for row in rows])


def exact(M):
    return fmpq_mat(M.rows, M.cols, [fmpq(int(c.p), int(c.q)) for c in M])


def leads_to_the_pseudo_inverse(A, B, J0):
    """J_k - X = A^k (J_0 - X) for a fixed X, exactly computed: small after 512 steps, or never."""
    X = exact((sp.eye(len(A)) - sp.Matrix(A)).pinv() * sp.Matrix(B))
    A, B, J0 = (exact(sp.Matrix(M)) for M in (A, B, J0))
    if A * X + B != X:
        return False
    for _ in range(9):
        A = A * A
    return all(abs(entry) < fmpq(1, 10**6) for entry in (A * (J0 - X)).entries())


def agrees(content):
    A, B = pair_of(content)
    J0 = start_in(content)
    if J0 is None:
        return max(abs(np.linalg.eigvals(floats(A)))) < 1 - 1e-9
    return leads_to_the_pseudo_inverse(A, B, J0)

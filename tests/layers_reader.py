"""Evaluates the description of a structured map in numpy, knowing nothing of the package's nodes."""

from __future__ import annotations

import json
import math

import numpy as np
import sympy as sp

__all__ = ["Reader"]

FUNCTIONS = {"Max": max, "Min": min, "Abs": abs, "sqrt": math.sqrt, "exp": math.exp, "log": math.log}


def number(text):
    return float(sp.Rational(text))


def evaluated(text, names):
    """Evaluate an expression with Python's own arithmetic."""
    return float(eval(text, {"__builtins__": {}}, {**FUNCTIONS, **names}))


class Reader:
    """Evaluates a description in numpy, knowing nothing of the package's nodes."""

    def __init__(self, layers):
        self.layers, self.values = json.loads(json.dumps(layers)), {}
        for name, value in self.layers["at"].items():
            is_list = isinstance(value, list)
            self.values[name] = (
                np.array([[number(e) for e in row] for row in value])
                if is_list and isinstance(value[0], list)
                else np.array([number(e) for e in (value if is_list else [value])])
            )
        self.values |= {name: np.array([number(e) for e in v]) for name, v in self.layers["vectors"].items()}

    def scalars(self):
        return {name: v[0] for name, v in self.values.items() if v.shape == (1,)}

    def matrix(self, label):
        name = label.removesuffix("'").removesuffix("^-1")
        M = self.values[name] if name in self.values else self.stated(self.layers["matrices"][name])
        if label.endswith("^-1"):
            return np.linalg.inv(M)
        return M.T if label.endswith("'") else M

    def stated(self, content):
        if "rows" in content:
            return np.array([[int(e) for e in row] for row in content["rows"]]) / int(content["denominator"])
        if "difference" in content:
            return np.diff(np.eye(int(content["size"])), n=int(content["difference"]), axis=0)
        if "sum" in content:
            return sum(self.term(term, np.eye(int(content["size"]))) for term in content["sum"])
        n = int(content["symmetrise"])
        swap = np.zeros((n * n, n * n))
        for i in range(n):
            for j in range(n):
                swap[i * n + j, j * n + i] = 1
        return (np.eye(n * n) + swap) / 2

    def term(self, term, v):
        for label in reversed(term["factors"]):
            v = self.matrix(label) @ v
        return evaluated(term["scale"], self.scalars()) * v

    def step(self, x):
        start = 0
        for name, size in self.layers["state"]:
            self.values[name], start = x[start : start + int(size)], start + int(size)
        for node in self.layers["nodes"]:
            self.values[node["name"]] = np.atleast_1d(getattr(self, node["op"])(node))
        return self.values[self.layers["next"]]

    def scalar(self, node):
        return evaluated(node["expression"], self.scalars())

    def affine(self, node):
        return sum(self.term(term, self.values[term["of"]]) for term in node["terms"])

    def elementwise(self, node, of=None):
        v = self.values[node["of"]] if of is None else of
        read = {name: np.broadcast_to(self.values[a], v.shape) for name, a in node["arguments"].items()}
        return np.array(
            [evaluated(node["function"], {"v": e, **{n: a[i] for n, a in read.items()}}) for i, e in enumerate(v)]
        )

    def spectral(self, node):
        n = int(node["size"])
        Z = self.values[node["of"]].reshape(n, n)
        eigenvalues, Q = np.linalg.eigh((Z + Z.T) / 2)
        return (Q @ np.diag(self.elementwise(node, eigenvalues)) @ Q.T).ravel()

    def group(self, node):
        v, t = self.values[node["of"]], np.broadcast_to(self.values[node["threshold"]], len(node["groups"]))
        shrunk = np.zeros(len(v))
        for bound, group in zip(t, node["groups"], strict=True):
            places = [int(i) for i in group]
            shrunk[places] = v[places] * max(0, 1 - bound / max(np.linalg.norm(v[places]), 1e-300))
        return shrunk

    def second_order_cone(self, node):
        t, *v = self.values[node["of"]]
        length = float(np.linalg.norm(v))
        if length <= t:
            return self.values[node["of"]]
        return np.zeros(1 + len(v)) if length <= -t else (t + length) / 2 * np.array([1, *(np.array(v) / length)])

    def stack(self, node):
        return np.concatenate([self.values[part] for part in node["of"]])

    def slice(self, node):
        return self.values[node["of"]][int(node["start"]) : int(node["stop"])]

"""Sequences of errors a second time: expressions evaluated by Python on fractions, derivatives as differences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from math import isqrt
from typing import Any

__all__ = ["evaluate", "sequence", "sides"]

H = Fraction(1, 10**50)
DIGITS = 10**150


def sqrt(a: Fraction) -> Fraction:
    return Fraction(isqrt(int(a * DIGITS**2)), DIGITS)


def piecewise(*pairs: tuple[Any, bool]) -> Any:
    return next(value for value, condition in pairs if condition)


FUNCTIONS = {
    "F": Fraction,
    "Max": max,
    "Abs": abs,
    "Piecewise": piecewise,
    "relu": lambda a: max(a, Fraction(0)),
    "sqrt": sqrt,
}


def evaluate(text: str, **names: Any) -> Fraction:
    return Fraction(eval(re.sub(r"(?<![\w.])\d+", r"F(\g<0>)", text), dict(FUNCTIONS), names))


def rounded(x: list[Fraction]) -> list[Fraction]:
    return [Fraction(round(a * DIGITS), DIGITS) for a in x]


Vector = list[Fraction]
Point = dict[str, Fraction]


class Reference:
    """A map with a start, at parameters; everything by evaluation at nearby points."""

    def __init__(self, data: dict[str, Any], at: dict[str, str]) -> None:
        self.map, self.start = data["map"], data["start"]
        self.at = {name: Fraction(value) for name, value in {**data["at"], **at}.items()}

    def begin(self, at: Point) -> Vector:
        return [evaluate(self.start[name], **at) for name in self.map["state"]]

    def step(self, x: Vector, at: Point) -> Vector:
        return self.seen(self.map["next"], x, at)

    def seen(self, texts: list[str], x: Vector, at: Point) -> Vector:
        return rounded([evaluate(text, **at, **dict(zip(self.map["state"], x, strict=True))) for text in texts])

    def moved(self, name: str, by: Fraction) -> Point:
        return self.at | {name: self.at[name] + by}

    def implicit(self, x: Vector, name: str) -> Vector:
        """The solution of J = F_x J + F_t, by elimination."""
        n, still = len(x), [Fraction(0)] * len(x)
        b = self.along(self.map["next"], x, still, name)
        images = [self.along(self.map["next"], x, [Fraction(i == j) for i in range(n)], name) for j in range(n)]
        rows = [[(i == j) - (images[j][i] - b[i]) for j in range(n)] + [b[i]] for i in range(n)]
        for k in range(n):
            rows[k] = [a / rows[k][k] for a in rows[k]]
            for i in range(n):
                if i != k:
                    rows[i] = [a - rows[i][k] * c for a, c in zip(rows[i], rows[k], strict=True)]
        return [row[-1] for row in rows]

    def along(self, texts: list[str], x: Vector, J: Vector, name: str) -> Vector:
        above, below = (
            self.seen(texts, [a + s * b for a, b in zip(x, J, strict=True)], self.moved(name, s)) for s in (H, -H)
        )
        return [(a - b) / (2 * H) for a, b in zip(above, below, strict=True)]


def derivatives(reference: Reference, xs: list[Vector], k: int, name: str, data: dict[str, Any]) -> Vector:
    """J_k, or what is taken for it."""
    n = len(xs[0])
    match data:
        case {"quantity": "partial"}:
            return [Fraction(0)] * n
        case {"quantity": "implicit"}:
            return reference.implicit(xs[k], name)
        case {"last": last}:
            first = max(k - int(Fraction(last)), 0)
        case {"skip": skip}:
            first = min(int(Fraction(skip)), k)
        case _:
            first = None
    ends = []
    for s in (H, -H):
        at = reference.moved(name, s)
        x = reference.begin(at) if first is None else xs[first]
        for _ in range(first or 0, k):
            x = reference.step(x, at)
        ends.append(x)
    return [(a - b) / (2 * H) for a, b in zip(*ends, strict=True)]


def sequence(data: dict[str, Any], name: str, norm: str, last: int) -> Iterator[Fraction]:
    """The errors of a sequence."""
    known = {"one_step": {"quantity": "derivatives", "last": "1"}}
    stated = data["claim"].get("sequences", {}).get(name, known.get(name, {"quantity": name}))
    reference = Reference(data, stated.get("at", {}))
    xs = [rounded(reference.begin(reference.at))]
    for _ in range(last):
        xs.append(reference.step(xs[-1], reference.at))
    fixed = data["witness"]["limits"][name]["fixed_point"]
    there = [Fraction(fixed[one]) for one in data["map"]["state"]]
    assert reference.step(there, reference.at) == there
    output = stated.get("output", data["map"]["state"])
    texts = [output] if isinstance(output, str) else output
    columns = stated.get("wrt", data["map"]["parameters"])
    columns = [columns] if isinstance(columns, str) else columns
    if stated["quantity"] == "iterates":
        limit = [reference.seen(texts, there, reference.at)]
        found = [[reference.seen(texts, x, reference.at)] for x in xs]
    else:
        limit = [reference.along(texts, there, reference.implicit(there, t), t) for t in columns]
        found = [
            [reference.along(texts, xs[k], derivatives(reference, xs, k, t, stated), t) for t in columns]
            for k in range(last + 1)
        ]
    for value in found:
        yield size([[a - b for a, b in zip(*pair, strict=True)] for pair in zip(value, limit, strict=True)],
                   stated.get("norm", norm))  # fmt: skip


def size(columns: list[Vector], norm: str) -> Fraction:
    entries = [a for column in columns for a in column]
    if norm == "max":
        return max(map(abs, entries))
    squares = sum((a * a for a in entries), Fraction(0))
    if norm == "frobenius" or len(columns) == 1 or len(columns[0]) == 1:
        return sqrt(squares)
    (a, c), (b, d) = columns
    return sqrt((squares + sqrt(max(squares**2 - 4 * (a * d - b * c) ** 2, Fraction(0)))) / 2)


def sides(data: dict[str, Any], last: int) -> list[tuple[Fraction, Fraction]]:
    """The two sides of a comparison for k = 0, ..., last."""
    claim = data["claim"]
    names = list(data["witness"]["limits"])
    found = {name: list(sequence(data, name, claim["norm"], last)) for name in names}
    return [
        (evaluate(claim["left"], k=k, **at), evaluate(claim["right"], k=k, **at))
        for k in range(last + 1)
        for at in [{name: values[k] for name, values in found.items()}]
    ]

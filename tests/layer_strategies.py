"""Hypothesis strategies for structured maps: random compositions of layers, with values for their parameters."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import strategies as st

from piggycheck.maps import (
    Affine,
    ArrayParameter,
    Constant,
    Difference,
    Elementwise,
    Factor,
    Group,
    MatrixSum,
    Parameter,
    Scalar,
    ScalarFunction,
    SecondOrderCone,
    Slice,
    Spectral,
    Stack,
    StateBlock,
    StructuredMap,
    Symmetriser,
    Term,
)

__all__ = ["LAM", "PROXIMAL", "RATIONAL", "SMOOTH", "Instance", "columns", "function", "instances", "matrices"]

V, T, LAM = sp.symbols("v t lam", real=True)
ONE = sp.S.One

RATIONAL = ["v - Max(-t, Min(t, v))", "Max(v, 0)", "Min(Max(v, -1), t)", "v**2/4 - v", "v/(1 + v**2)", "Abs(v - t)/2"]
SMOOTH = ["(v + sqrt(v**2 + 4*t))/2", "sqrt(v**2 + 1) - t", "exp(-v**2/4)", "log(1 + v**2)", "Max(v, 0)**2 / 3"]
PROXIMAL = ["v - Max(-t, Min(t, v))", "Max(v, 0)", "(v + sqrt(v**2 + 4*t))/2", "v/(1 + t)"]

numbers = st.builds(Fraction, st.integers(-12, 12), st.sampled_from([1, 2, 3, 5, 7]))


def exactly(value):
    """A fraction as flint writes it."""
    return fmpq(value.numerator, value.denominator)


def columns(size):
    """Columns of small rational numbers."""
    lists = st.lists(numbers, min_size=size, max_size=size)
    return lists.map(lambda entries: fmpq_mat(size, 1, [exactly(e) for e in entries]))


def matrices(rows, columns_):
    """Rational matrices whose entries are at most 1."""
    entry = st.builds(Fraction, st.integers(-5, 5), st.sampled_from([5, 6, 7]))
    lists = st.lists(entry, min_size=rows * columns_, max_size=rows * columns_)
    return lists.map(lambda entries: fmpq_mat(rows, columns_, [exactly(e) for e in entries]))


def function(text):
    """A scalar function of v, with the argument t where its text names it."""
    expression = sp.sympify(text, {"v": V, "t": T})
    return ScalarFunction(expression, V, [T] if expression.has(T) else [])


@dataclass(frozen=True)
class Instance:
    """A map, values for its parameters, a state, a tangent for each number of it, and directions of the parameters."""

    map: StructuredMap
    at: dict
    x: fmpq_mat
    tangent: fmpq_mat
    moving: dict
    cotangent: fmpq_mat


@st.composite
def instances(draw, kinds=("affine", "elementwise", "group", "cone", "spectral", "stack"), texts=RATIONAL + SMOOTH):
    """Random maps of one or two blocks, made of up to three layers and affine maps between them."""
    sizes = draw(st.sampled_from([(1,), (2,), (3,), (4,), (1, 2), (2, 2)]))
    p = sum(sizes)
    blocks = [StateBlock("xy"[k], size) for k, size in enumerate(sizes)]
    b, M = ArrayParameter("b", p), ArrayParameter("M", p, p)
    state = blocks[0] if len(blocks) == 1 else Stack("state", blocks)
    node = _affine(
        draw, "in", state, [Term(LAM / 2, (), b), Term(ONE, (Factor(Parameter(M), draw(st.booleans())),), state)]
    )
    for k in range(draw(st.integers(1, 3))):
        node = _layer(draw, f"layer{k}", node, draw(st.sampled_from(kinds)), texts)
        if draw(st.booleans()):
            node = _affine(draw, f"then{k}", node, [])
    if node.size != p:
        node = _affine(draw, "out", node, [], rows=p)
    F = StructuredMap(blocks, node, [LAM, b, M])
    at = {"lam": draw(st.sampled_from(["1/3", "2", "1"])), "b": draw(columns(p)), "M": draw(matrices(p, p))}
    q = 2
    moving = {
        "lam": [1, 0],
        "b": _beside(draw(columns(p)), draw(columns(p))),
        "M": _beside(draw(columns(p * p)), draw(columns(p * p))),
    }
    tangent = _beside(*(draw(columns(p)) for _ in range(q)))
    return Instance(F, at, draw(columns(p)), tangent, moving, draw(columns(p)))


def _beside(*parts):
    return fmpq_mat([[part[i, 0] for part in parts] for i in range(parts[0].nrows())])


def _affine(draw, name, of, more, rows=None):
    rows = rows or of.size
    terms = [
        Term(draw(st.sampled_from([ONE, LAM, -ONE / 2])), (Factor(Constant("C", draw(matrices(rows, of.size)))),), of)
    ]
    return Affine(name, [*terms, *more])


def _layer(draw, name, of, kind, texts):
    if kind == "elementwise":
        chosen = function(draw(st.sampled_from(texts)))
        return Elementwise(name, chosen, of, [Scalar(LAM / 3)] * len(chosen.arguments))
    if kind == "group":
        return Group(name, of, Scalar(LAM / 4), _partition(draw, of.size))
    if kind == "cone" and of.size > 1:
        return SecondOrderCone(name, of)
    if kind == "spectral" and of.size in (1, 4):
        text = draw(st.sampled_from([*PROXIMAL, "v**2/3 - v", "exp(v/4)"]))
        chosen = function(text)
        arguments = [Scalar(LAM / 3)] * len(chosen.arguments)
        return Spectral(name, chosen, of, arguments, proximal=text in PROXIMAL)
    if kind == "stack" and of.size > 1:
        cut = draw(st.integers(1, of.size - 1))
        return Stack(name, [Slice(f"{name}b", of, cut, of.size), Slice(f"{name}a", of, 0, cut)])
    return _chain(draw, name, of)


def _partition(draw, size):
    homes = draw(st.lists(st.integers(0, 1), min_size=size, max_size=size))
    groups = [[i for i, home in enumerate(homes) if home == g] for g in (0, 1)]
    return [group for group in groups if group]


def _chain(draw, name, of):
    """An affine node with differences, symmetrised matrices, sums of matrices and their inverses."""
    n = of.size
    C = Constant("C", draw(matrices(n, n)))
    square = MatrixSum("K", [Term(ONE, ()), Term(LAM, (Factor(C, True), Factor(C)))], n)
    terms = [Term(ONE, (Factor(square, inverted=True),), of), Term(-LAM, (Factor(C, draw(st.booleans())),), of)]
    if n > 1:
        D = Difference(1, n)
        terms.append(Term(ONE / 3, (Factor(D, True), Factor(D)), of))
    if n == 4:
        terms.append(Term(ONE / 2, (Factor(Symmetriser(2)),), of))
    return Affine(name, terms)

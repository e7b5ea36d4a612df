"""Hypothesis strategies for piecewise affine maps, and an evaluator of sympy expressions that shares no code."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import sympy as sp
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from matrix_strategies import huge_rationals, matrices, rationals, square_matrices, symmetric_matrices
from sympy.core import relational

from piggycheck.expression import relu

__all__ = [
    "PARAMETERS",
    "STATE",
    "affine",
    "conditions",
    "directions",
    "examples",
    "huge_rationals",
    "jacobian_near",
    "kinked",
    "maps",
    "matrices",
    "points",
    "rationals",
    "square_matrices",
    "symmetric_matrices",
    "value_of",
]

STATE = sp.symbols("x y z", real=True)
PARAMETERS = sp.symbols("theta mu", real=True)


def examples(count: int) -> settings:
    """Settings for a deterministic test over `count` examples."""
    ignored = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    return settings(max_examples=count, derandomize=True, deadline=None, database=None, suppress_health_check=ignored)


# What the maps are made of

coefficients = st.sampled_from([0, 0, 1, -1, 1, -1, 2, -2, 3, sp.Rational(1, 2), -sp.Rational(1, 2), sp.Rational(2, 3)])
small = st.sampled_from([0, 0, 0, 1, -1, 2, sp.Rational(-1, 2)])


@st.composite
def affine(draw, variables, constant=small):
    """Affine expressions with small coefficients, most of them through few of the variables."""
    return sp.Add(*(draw(coefficients) * v for v in variables), draw(constant))


def relations(variables):
    """Relations between an affine expression and a small number."""
    kinds = st.sampled_from([sp.Ge, sp.Gt, sp.Le, sp.Lt])
    return st.builds(lambda kind, left, right: kind(left, right), kinds, affine(variables, st.just(0)), small)


def conditions(variables):
    """Relations joined by and, or, not."""
    one = relations(variables)
    two = st.builds(lambda join, a, b: join(a, b), st.sampled_from([sp.And, sp.Or]), one, one)
    return st.one_of(one, two, two.map(sp.Not))


def _cases(first, condition, other):
    return sp.Piecewise((first, condition), (other, True))


@st.composite
def kinked(draw, variables, depth=2, jumps=False):
    """Piecewise affine expressions: Abs, Max, Min, relu, nested and added; with `jumps`, Piecewise too."""
    if depth == 0:
        return draw(affine(variables))
    inner = kinked(variables, depth - 1, jumps)
    kind = draw(st.sampled_from(["affine", "abs", "max", "min", "relu", "sum", "scaled"] + ["cases"] * jumps))
    if kind == "affine":
        return draw(affine(variables))
    first = draw(inner)
    if kind == "abs":
        return sp.Abs(first)
    if kind == "relu":
        return relu(first)
    if kind == "scaled":
        return draw(coefficients) * first
    other = draw(affine(variables)) if depth > 1 else draw(inner)
    if kind == "cases":
        return _cases(first, draw(conditions(variables)), other)
    return {"max": sp.Max, "min": sp.Min, "sum": sp.Add}[kind](first, other)


@st.composite
def maps(draw, dimensions=(1, 2, 3), parameters=(0, 1, 2), depth=2, jumps=False):
    """Triples of state, next values and parameters."""
    state = STATE[: draw(st.sampled_from(dimensions))]
    names = PARAMETERS[: draw(st.sampled_from(parameters))]
    variables = (*state, *names)
    return state, [draw(kinked(variables, depth, jumps)) for _ in state], names


def points(variables):
    """Rational points with small coordinates, zeros among them: most lie on some kink."""
    numbers = st.sampled_from([Fraction(n) for n in (0, 0, 0, 1, -1, 2)] + [Fraction(1, 2), Fraction(-2, 3)])
    return st.fixed_dictionaries(dict.fromkeys(variables, numbers))


def directions(size):
    """Rational directions in general position, by coprime denominators."""
    entry = st.tuples(st.integers(-30, 30), st.sampled_from([7, 11, 13, 17])).map(lambda p: Fraction(*p))
    return st.lists(entry, min_size=size, max_size=size).filter(any)


# An evaluator of its own

_HOLDS = {
    relational.GreaterThan: lambda a, b: a >= b,
    relational.StrictGreaterThan: lambda a, b: a > b,
    relational.LessThan: lambda a, b: a <= b,
    relational.StrictLessThan: lambda a, b: a < b,
    relational.Equality: lambda a, b: a == b,
    relational.Unequality: lambda a, b: a != b,
}


def value_of(expression, point):
    """Evaluate a sympy expression as it is written, with Python's fractions; square roots to forty digits."""
    if expression.is_Symbol:
        return Fraction(point[expression])
    if expression.is_Rational:
        return Fraction(int(expression.p), int(expression.q))
    if isinstance(expression, sp.Piecewise):
        for value, condition in expression.args:
            if _holds(condition, point):
                return value_of(value, point)
        raise ValueError("a gap")
    arguments = [value_of(argument, point) for argument in expression.args]
    if expression.is_Add:
        return sum(arguments, Fraction(0))
    if expression.is_Mul:
        product = Fraction(1)
        for argument in arguments:
            product *= argument
        return product
    if expression.is_Pow:
        base, exponent = arguments
        if exponent.denominator == 2:
            base, exponent = Fraction(isqrt(int(base * 10**80)), 10**40), 2 * exponent
        return base ** int(exponent)
    if isinstance(expression, sp.sign):
        return Fraction((arguments[0] > 0) - (arguments[0] < 0))
    return {sp.Abs: lambda a: abs(a), sp.Max: max, sp.Min: min, relu: lambda a: max(a, 0)}[expression.func](*arguments)


def _holds(condition, point):
    if condition in (sp.true, sp.false):
        return bool(condition)
    if isinstance(condition, sp.Not):
        return not _holds(condition.args[0], point)
    if isinstance(condition, sp.And):
        return all(_holds(part, point) for part in condition.args)
    if isinstance(condition, sp.Or):
        return any(_holds(part, point) for part in condition.args)
    if isinstance(condition, sp.ITE):
        which, if_true, if_false = condition.args
        return _holds(if_true if _holds(which, point) else if_false, point)
    return _HOLDS[type(condition)](value_of(condition.lhs, point), value_of(condition.rhs, point))


def jacobian_near(expressions, variables, point, step=Fraction(1, 10**14)):
    """Jacobian by differences, rounded on curved pieces; None where they differ from side to side: at a kink."""
    rows = []
    for expression in expressions:
        here, row = value_of(expression, point), []
        for v in variables:
            ahead = value_of(expression, {**point, v: point[v] + step}) - here
            behind = here - value_of(expression, {**point, v: point[v] - step})
            if abs(ahead - behind) > step * step * 10**6:
                return None
            slope = (ahead + behind) / (2 * step)
            row.append(slope if ahead == behind else slope.limit_denominator(1000))
        rows.append(tuple(row))
    return tuple(rows)

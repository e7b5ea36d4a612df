"""The conventions of frameworks at ties, against the frameworks themselves and against the chain rule by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from importlib.util import find_spec

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples, kinked

from piggycheck.errors import GapError, InputError
from piggycheck.expression import parse, relu
from piggycheck.maps import (
    CONVENTION_TABLE,
    CONVENTIONS,
    Convention,
    StateBlock,
    StructuredMap,
    SymbolicMap,
    convention_named,
    convention_pair,
)
from piggycheck.maps.affine import Affine
from piggycheck.maps.elementwise import Elementwise
from piggycheck.maps.scalar_function import ScalarFunction
from piggycheck.maps.sources import Term

x, y, theta = sp.symbols("x y theta", real=True)
JAX, TORCH = CONVENTIONS["jax"], CONVENTIONS["torch"]
WRITTEN = [row for row in CONVENTION_TABLE if row.written]


def slope(expression, at, convention):
    """The derivative that the convention gives to a function of x."""
    return convention_pair(SymbolicMap([x], [expression]), {x: at}, convention)[0][0, 0]


@pytest.mark.parametrize("row", WRITTEN, ids=lambda row: row.written)
def test_the_table_is_what_is_computed_with(row):
    expression = parse(row.written, [x])
    assert (row.jax_slope, row.torch_slope) == tuple(slope(expression, row.tie, c) for c in (JAX, TORCH))


JAX_SLOPES = """
import json, sys
import jax
import jax.numpy as jnp
slopes = [float(jax.grad(lambda x: eval(text))(tie)) for text, tie in json.load(sys.stdin)]
print(json.dumps(slopes))
"""
TORCH_SLOPES = """
import json, sys
import torch
one, slopes = torch.ones((), dtype=torch.float64), []
for text, tie in json.load(sys.stdin):
    x = torch.tensor(tie, dtype=torch.float64, requires_grad=True)
    eval(text).backward()
    slopes.append(x.grad.item())
print(json.dumps(slopes))
"""


def returned(code, written):
    """The derivatives that a framework returns, asked in a process of its own: it starts threads."""
    given = json.dumps([(text, float(row.tie)) for text, row in zip(written, CONVENTION_TABLE, strict=True)])
    command = [sys.executable, "-W", "ignore", "-c", code]
    done = subprocess.run(command, input=given, capture_output=True, text=True, check=True)
    return [sp.Rational(str(Fraction(slope))) for slope in json.loads(done.stdout)]


@pytest.mark.skipif(find_spec("jax") is None, reason="the extra `bench` installs JAX")
def test_jax_returns_what_the_table_says():
    expected = [row.jax_slope for row in CONVENTION_TABLE]
    assert expected == returned(JAX_SLOPES, [row.jax for row in CONVENTION_TABLE])


@pytest.mark.skipif(find_spec("torch") is None, reason="PyTorch is not installed")
def test_torch_returns_what_the_table_says():
    expected = [row.torch_slope for row in CONVENTION_TABLE]
    assert expected == returned(TORCH_SLOPES, [row.torch for row in CONVENTION_TABLE])


def test_away_from_ties_it_is_the_derivative():
    map_ = SymbolicMap([x], [x**2 * relu(x) + sp.Abs(x * theta) + sp.Max(x, theta, -1) + sp.sign(x) * theta], [theta])
    for convention in (JAX, TORCH):
        assert convention_pair(map_, {x: 2, theta: -1}, convention) == (
            sp.ImmutableMatrix([[12 + 1 + 1]]),
            sp.ImmutableMatrix([[-2 + 1]]),
        )


def test_a_tie_inside_a_tie():
    """|Max(x, 0)| at 0: torch multiplies by 0, JAX by 1, and Max returns 1/2."""
    nested = sp.Abs(sp.Max(x, 0), evaluate=False)
    assert slope(nested, 0, JAX) == sp.Rational(1, 2)
    assert slope(nested, 0, TORCH) == 0


def test_only_the_largest_arguments_share():
    assert slope(sp.Max(x, 5 * x, -1, evaluate=False), 0, JAX) == 3
    assert slope(sp.Min(x, 5 * x, 7 * x, -1, evaluate=False), 0, JAX) == 0
    assert slope(sp.Min(x - 1, 5 * x, -1, evaluate=False), 0, JAX) == sp.Rational(1, 2)


def test_a_convention_of_ones_own():
    assert slope(relu(x), 0, Convention("mine", relu=sp.Rational(1, 3), absolute=sp.S.Zero)) == sp.Rational(1, 3)


def test_conditions_are_followed_as_a_program_follows_them():
    cases = parse("Piecewise((2*x, x > 0 or (x == 0 and not Abs(x) != 0)), (7*x, True))", [x])
    assert slope(cases, 0, JAX) == 2
    with pytest.raises(GapError):
        slope(parse("Piecewise((x, x > 0), (2*x, x < 0))", [x]), 0, JAX)


def test_a_map_made_of_layers_is_written_out():
    """x + theta, then soft-thresholding by 1, as v - Max(-1, Min(1, v)): half the derivative where v is 1."""
    block = StateBlock("x", 2)
    moved = Affine("v", [Term(sp.S.One, (), block)])
    v = sp.Symbol("v", real=True)
    shrink = Elementwise("y", ScalarFunction(v - sp.Max(-1, sp.Min(1, v)), v), moved)
    A, B = convention_pair(StructuredMap([block], shrink), {"x": [1, 3]}, JAX)
    assert A == sp.ImmutableMatrix([[sp.Rational(1, 2), 0], [0, 1]]) and B.shape == (2, 0)


def test_an_unknown_convention():
    with pytest.raises(InputError, match="`tensorflow`: no such convention; write one of jax, torch"):
        convention_named("tensorflow")


@examples(60)
@given(kinked((x, y)), st.tuples(st.integers(-2, 2), st.integers(-2, 2)))
def test_where_nothing_ties_every_convention_is_the_only_piece(expression, at):
    map_ = SymbolicMap((x, y), [expression, y])
    point = dict(zip((x, y), at, strict=True))
    pieces = map_.chain_rule(point)
    if len(pieces) == 1 and not pieces[0].signature:
        assert {convention_pair(map_, point, c)[0] for c in (JAX, TORCH)} == {pieces[0].A}


@examples(60)
@given(kinked((x, y)))
def test_every_convention_is_in_the_convex_hull_of_what_the_chain_rule_can_return(expression):
    """Each entry is multilinear in the slopes at the kinks, so it lies between those of the corners."""
    map_ = SymbolicMap((x, y), [expression, y])
    origin = {x: 0, y: 0}
    corners = [piece.A for piece in map_.chain_rule(origin)]
    for convention in (JAX, TORCH):
        A, _ = convention_pair(map_, origin, convention)
        for j in range(2):
            assert min(corner[0, j] for corner in corners) <= A[0, j] <= max(corner[0, j] for corner in corners)

"""Compositions, sums and stacks of whole maps: values and derivatives are those of the parts, put together."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import fmpq_mat
from layer_strategies import LAM, function

from piggycheck.errors import MapError
from piggycheck.maps import (
    Affine,
    ArrayParameter,
    Constant,
    Elementwise,
    Factor,
    Group,
    Scalar,
    Slice,
    Stack,
    StateBlock,
    StructuredMap,
    Term,
    compose,
    stacked,
    total,
)

ONE = sp.S.One
MIX = Factor(Constant("C", fmpq_mat([[1, 2], [3, -1]])))


def shrinkage(name="x"):
    x, b = StateBlock(name, 2), ArrayParameter("b", 2)
    u = Affine("u", [Term(ONE, (MIX,), x), Term(ONE, (), b)])
    return StructuredMap(
        [x], Elementwise("y", function("v - Max(-t, Min(t, v))"), u, [Scalar(LAM)], proximal=True), [LAM, b]
    )


def crossing():
    """(a, c) -> (c, group-shrunk (a, c))'s middle: a map of two blocks."""
    a, c = StateBlock("a", 1), StateBlock("c", 1)
    both = Group("y", Stack("u", [c, a]), Scalar(1), [[0, 1]])
    return StructuredMap([a, c], Stack("z", [Slice("last", both, 1, 2), c]))


POINT = {"x": [5, -1], "lam": 1, "b": [0, 1]}


def pair(F, point):
    (piece,) = F.selection(point).pieces
    return piece.A, piece.B


def test_a_composition_has_the_value_of_the_value_and_the_chain_rule():
    F, G = shrinkage(), shrinkage()
    H = compose(G, F)
    inner = F.value(POINT)
    assert inner == (2, 16)
    assert H.value(POINT) == G.value({**POINT, "x": list(inner)})
    A1, B1 = pair(F, POINT)
    A2, B2 = pair(G, {**POINT, "x": list(inner)})
    assert pair(H, POINT) == (A2 * A1, A2 * B1 + B2)


def test_a_composition_with_a_map_of_two_blocks():
    H = compose(crossing(), shrinkage())
    assert H.value(POINT) == crossing().value({"a": 2, "c": 16})
    assert [node.name for node in H.nodes if node.name.startswith("y")] == ["y", "y_2"]


def test_a_sum_adds_values_and_pairs():
    F, G = shrinkage(), shrinkage()
    H = total(F, G)
    assert H.value(POINT) == (4, 32)
    assert pair(H, POINT) == tuple(2 * M for M in pair(F, POINT))


def test_a_stack_is_block_diagonal():
    H = stacked(shrinkage(), shrinkage("w"))
    point = {**POINT, "w": [0, 0]}
    assert H.value(point) == (2, 16, 0, 0)
    A, B = shrinkage().selection(POINT).pieces[0].pair
    found = next(piece for piece in H.selection(point).pieces)
    assert found.A[:2, :2] == A and found.A[:2, 2:] == sp.zeros(2, 2) == found.A[2:, :2]
    assert found.B[:2, :] == B


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: stacked(shrinkage(), shrinkage()), "both states have a block `x`; give the blocks different names"),
        (lambda: total(shrinkage(), shrinkage("w")), "write the same for both"),
        (
            lambda: compose(shrinkage(), StructuredMap([StateBlock("s", 1)], StateBlock("s", 1))),
            "is not a block of the state",
        ),
    ],
)
def test_maps_that_do_not_fit_together(build, message):
    with pytest.raises(MapError, match=message):
        build()


def test_sizes_and_parameters_that_do_not_fit():
    s = StateBlock("s", 1)
    identity = StructuredMap([s], Affine("y", [Term(ONE, (), s)]))
    with pytest.raises(MapError, match="the inner map has 1 entries and the outer one acts on 2"):
        compose(shrinkage(), identity)
    other = ArrayParameter("b", 1)
    shifted = StructuredMap([s], Affine("y", [Term(ONE, (), s), Term(ONE, (), other)]), [other])
    with pytest.raises(MapError, match="the parameter `b` of the two maps is not the same; give it two names"):
        stacked(shrinkage(), shifted)

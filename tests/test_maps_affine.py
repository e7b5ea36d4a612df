"""Affine layers: derivatives in scales, matrix parameters and inverses, against those of the map written out."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import arb, fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from layer_strategies import LAM, PROXIMAL, columns, function, matrices
from strategies import examples

from piggycheck.arrays import EXACT, BallArrays, Enclosed, MpmathArrays
from piggycheck.errors import MapError
from piggycheck.maps import (
    Affine,
    ArrayParameter,
    Constant,
    ConstantVector,
    Difference,
    Elementwise,
    Factor,
    Group,
    MatrixSum,
    Parameter,
    Scalar,
    SecondOrderCone,
    Slice,
    Spectral,
    Stack,
    StateBlock,
    StructuredMap,
    Symmetriser,
    Term,
)

ONE = sp.S.One
M = ArrayParameter("M", 2, 2)
b = ArrayParameter("b", 2)
A, B = Factor(Parameter(M)), Factor(Parameter(M), True)
C = Factor(Constant("C", fmpq_mat([[2, 1], [0, 1]])))
D1 = Factor(Difference(1, 3))
SHIFTED = MatrixSum("K", [Term(ONE + LAM**2, ()), Term(LAM, (B, A))], 2)
SKEWED = MatrixSum("L", [Term(sp.Integer(3), ()), Term(1 / (1 + LAM), (A, C))], 2)

CHAINS = {
    "scale": (LAM**2 / 3 - LAM, ()),
    "matrix": (ONE, (A,)),
    "transposed": (LAM, (B,)),
    "product": (LAM, (B, C, A)),
    "sum": (ONE, (Factor(SHIFTED),)),
    "inverse": (LAM, (C, Factor(SHIFTED, inverted=True), B)),
    "inverse of a transpose": (ONE, (Factor(SKEWED, True, True),)),
    "transposed sum": (-ONE, (Factor(SKEWED, True), A)),
    "two inverses": (ONE, (Factor(SKEWED, inverted=True), C, Factor(SHIFTED, inverted=True))),
}


@pytest.mark.parametrize("name", CHAINS)
def test_products_of_matrices_have_the_derivatives_of_the_map_written_out(name):
    """At the exact point the Jacobian pair in the scale, the matrix and the vector is that of sympy's derivatives."""
    scale, factors = CHAINS[name]
    x = StateBlock("x", 2)
    F = StructuredMap([x], Affine("y", [Term(scale, factors, x), Term(LAM, factors, b)]), [LAM, b, M])
    point = {"x": [fmpq(3, 2), -1], "lam": fmpq(1, 2), "b": [2, fmpq(-1, 3)], "M": [[1, 2], [fmpq(1, 2), -1]]}
    flat = {"x_1": fmpq(3, 2), "x_2": -1, "lam": fmpq(1, 2), "b_1": 2, "b_2": fmpq(-1, 3)}
    flat |= {"M_1": 1, "M_2": 2, "M_3": fmpq(1, 2), "M_4": -1}
    (piece,), symbolic = F.selection(point).pieces, F.symbolic()
    values = {v: sp.Rational(str(flat[v.name])) for v in symbolic.variables}
    expected = sp.Matrix(symbolic.next).jacobian(symbolic.variables).subs(values)
    assert F.value(point) == tuple(e.subs(values) for e in symbolic.next)
    assert piece.A == sp.ImmutableMatrix(expected[:, :2])
    assert piece.B == sp.ImmutableMatrix(expected[:, 2:])


@pytest.mark.parametrize("name", CHAINS)
def test_balls_contain_the_exact_derivatives_of_products(name):
    scale, factors = CHAINS[name]
    x = StateBlock("x", 2)
    F = StructuredMap([x], Affine("y", [Term(scale, factors, x)]), [LAM, b, M])
    at = {"lam": fmpq(1, 2), "b": [2, 1], "M": [[1, 2], [fmpq(1, 2), -1]]}
    x0, T = fmpq_mat([[fmpq(1, 3)], [-2]]), fmpq_mat([[1] * 7, [2] * 7])
    exact, balls = F.bind(at, EXACT), F.bind(at, BallArrays(64))
    moment, rough = exact(Enclosed(x0)), balls(balls.arrays.enclosed(balls.arrays.matrix(x0)))
    true = moment.forward(Enclosed(T), exact.directions(), moment.signature).centre
    found = rough.forward(balls.arrays.enclosed(balls.arrays.matrix(T)), balls.directions(), rough.signature)
    wide = BallArrays(200)
    assert wide.length(found.centre - wide.matrix(true)) <= found.spread < arb(10) ** -15


def test_equal_inputs_are_one_input():
    """Two terms that read equal parameters, built apart, both count."""
    x, first, second = StateBlock("x", 1), ArrayParameter("c", 1), ArrayParameter("c", 1)
    F = StructuredMap([x], Affine("y", [Term(ONE, (), x), Term(ONE, (), first), Term(ONE, (), second)]), [first])
    assert F.value({"x": 1, "c": 5}) == (11,)
    assert F.selection({"x": 1, "c": 5}).pieces[0].B == sp.Matrix([[2]])


def test_the_symmetriser_and_differences_are_the_matrices_they_stand_for():
    x = StateBlock("x", 4)
    D = Difference(2, 4)
    terms = [Term(ONE, (Factor(Symmetriser(2)),), x), Term(LAM, (Factor(D, True), Factor(D)), x)]
    F = StructuredMap([x], Affine("y", terms), [LAM])
    assert F.value({"x": [1, 2, 4, 8], "lam": 1}) == (1 + 1, 3 - 2 + 2, 3 + 1 - 4, 8 + 2)
    assert F.value({"x": [1, 2, 4, 8], "lam": 1}) == F.symbolic().value(
        {"x_1": 1, "x_2": 2, "x_3": 4, "x_4": 8, "lam": 1}
    )


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda x: Affine("y", []), "the affine node `y` has no terms; write at least one"),
        (lambda x: Affine("y", [Term(ONE, (D1,), x)]), "`D1` has 3 columns and acts on 2 entries"),
        (lambda x: Affine("y", [Term(ONE, (), x), Term(ONE, (), Slice("c", x, 0, 1))]), "the terms of `y` have 1, 2"),
        (lambda x: MatrixSum("K", [Term(ONE, (D1,))], 3), "a term of `K` has 2 rows; write a square matrix of 3"),
        (lambda x: Difference(3, 3), "differences of order 3 of 3 numbers; write an order from 1 to 2"),
    ],
)
def test_dimensions_that_do_not_fit(build, message):
    with pytest.raises(MapError, match=message):
        build(StateBlock("x", 2))


def test_a_parameter_that_is_not_declared():
    x = StateBlock("x", 2)
    with pytest.raises(MapError, match="`b` is read by `b` and not declared; declared are lam"):
        StructuredMap([x], Affine("y", [Term(LAM, (), x), Term(ONE, (), b)]), [LAM])
    with pytest.raises(MapError, match="`M` is read by `y` and not declared; declared are lam"):
        StructuredMap([x], Affine("y", [Term(LAM, (A,), x)]), [LAM])
    with pytest.raises(MapError, match="`lam` is read by `y` and not declared; declared are \\(none\\)"):
        StructuredMap([x], Affine("y", [Term(LAM, (), x)]))


def test_a_matrix_that_cannot_be_inverted():
    x = StateBlock("x", 2)
    K = Constant("K", fmpq_mat([[1, 2], [2, 4]]))
    F = StructuredMap([x], Affine("y", [Term(ONE, (Factor(K, inverted=True),), x)]))
    with pytest.raises(MapError, match="a matrix of 2 rows is singular"):
        F.value({"x": [1, 1]})
    with pytest.raises(MapError, match="the matrix `K` is singular; it cannot be inverted"):
        F.symbolic()


# Lipschitz constants


def lipschitz(F, at=None, reach=1):
    """The constant on the ball of a radius around 0."""
    bound = F.bind(at or {}, BallArrays(64))
    return bound(Enclosed(bound.arrays.zeros(F.dimension, 1), arb(reach))).lipschitz


def prox(name, of, text="v - Max(-t, Min(t, v))"):
    return Elementwise(name, function(text), of, [ConstantVector("t", fmpq_mat([[1]]))], proximal=True)


def test_douglas_rachford_of_two_shrinkages_is_nonexpansive():
    """z + prox_g(2 prox_f(z) - z) - prox_f(z) is half the identity plus half a composition of two reflections."""
    z = StateBlock("z", 3)
    x = prox("x", z)
    y = prox("y", Affine("r", [Term(sp.Integer(2), (), x), Term(-ONE, (), z)]))
    F = StructuredMap([z], Affine("next", [Term(ONE, (), z), Term(ONE, (), y), Term(-ONE, (), x)]))
    assert 1 <= lipschitz(F) < 1 + fmpq(1, 10**9)


def test_douglas_rachford_of_matrices_is_nonexpansive():
    """With a spectral layer, of the symmetric part of the state, written twice: cancellations are seen through it."""
    Z, S = StateBlock("Z", 9), ArrayParameter("S", 9)
    symmetric = Factor(Symmetriser(3))
    w = Affine("w", [Term(ONE, (symmetric,), Z), Term(-ONE, (symmetric,), S)])
    x = Spectral("x", function("(v + sqrt(v**2 + 4*t))/2"), w, [Scalar(1)], proximal=True)
    y = prox("y", Affine("r", [Term(sp.Integer(2), (), x), Term(-ONE, (symmetric,), Z)]))
    F = StructuredMap([Z], Affine("next", [Term(ONE, (symmetric,), Z), Term(ONE, (), y), Term(-ONE, (), x)]), [S])
    assert 1 <= lipschitz(F, {"S": [[0]] * 9}) < 1 + fmpq(1, 10**9)


def test_symmetric_parts_in_the_middle_of_a_product_are_bounded_too():
    """C sym C Z with |C| = 2: at most 4."""
    Z, C = StateBlock("Z", 4), Factor(Constant("C", fmpq_mat(4, 4, [2 * (i == j) for i in range(4) for j in range(4)])))
    F = StructuredMap([Z], Affine("y", [Term(ONE, (C, Factor(Symmetriser(2)), C), Z)]))
    assert 4 <= lipschitz(F) < 4 + fmpq(1, 10**9)


def test_a_forward_step_followed_by_a_proximal_map_has_the_norm_of_the_step():
    """|I - Q/2| = 3/4 for Q with eigenvalues 1/2 and 3/2, and the constant is half of it plus half of it."""
    x = StateBlock("x", 2)
    Q = Constant("Q", fmpq_mat([[1, fmpq(1, 2)], [fmpq(1, 2), 1]]))
    u = Affine("u", [Term(ONE, (), x), Term(-ONE / 2, (Factor(Q),), x)])
    found = lipschitz(StructuredMap([x], prox("y", u)))
    assert fmpq(3, 4) <= found < fmpq(3, 4) + fmpq(1, 10**9)


def test_blocks_of_the_state_count_together():
    """Two blocks put in another order: a permutation, with constant 1 and not 2."""
    x, y = StateBlock("x", 2), StateBlock("y", 3)
    assert 1 <= lipschitz(StructuredMap([x, y], Stack("s", [y, x]))) < 1 + fmpq(1, 10**9)


@st.composite
def nonexpansive_programs(draw):
    """Maps of proximal layers and affine ones, over one or two blocks."""
    sizes = draw(st.sampled_from([(2,), (3,), (1, 2)]))
    p = sum(sizes)
    blocks = [StateBlock("xy"[k], size) for k, size in enumerate(sizes)]
    known = [blocks[0] if len(blocks) == 1 else Stack("state", blocks)]
    for k in range(draw(st.integers(1, 3))):
        parts = draw(st.lists(st.sampled_from(known), min_size=1, max_size=2))
        terms = [
            Term(ONE, (Factor(Constant("C", draw(matrices(p, p)))),) * draw(st.integers(0, 1)), part) for part in parts
        ]
        u = Affine(f"u{k}", terms)
        kind = draw(st.sampled_from(["elementwise", "curved", "group", "cone"]))
        if kind == "elementwise":
            text = draw(st.sampled_from(PROXIMAL))
            chosen = function(text)
            t = [ConstantVector("t", fmpq_mat([[1]]))] * len(chosen.arguments)
            known.append(Elementwise(f"y{k}", chosen, u, t, proximal=True))
        elif kind == "curved":
            known.append(Elementwise(f"y{k}", function("v/(1 + v**2)"), u))
        elif kind == "group":
            known.append(Group(f"y{k}", u, Scalar(1), [list(range(p))]))
        else:
            known.append(SecondOrderCone(f"y{k}", u))
    terms = [Term(draw(st.sampled_from([ONE, -ONE, ONE / 2])), (), node) for node in known[-2:]]
    return StructuredMap(blocks, Affine("next", terms)), draw(columns(p)), draw(columns(p))


@examples(40)
@given(nonexpansive_programs())
def test_no_two_points_are_moved_apart_by_more_than_the_constant(drawn):
    F, first, second = drawn
    norm = max(sum(e * e for e in point.entries()) for point in (first, second))
    constant = lipschitz(F, reach=arb(norm).sqrt().upper() + 1)
    arrays = MpmathArrays(40)
    bound = F.bind({}, arrays)
    values = [arrays.entries(bound(Enclosed(arrays.matrix(point))).value.centre) for point in (first, second)]
    moved = sum((a - b) ** 2 for a, b in zip(*values, strict=True))
    apart = sum((e * e for e in (first - second).entries()), start=fmpq(0))
    assert moved <= float(constant) ** 2 * float(apart.p) / float(apart.q) * (1 + 1e-12) + 1e-30

"""Structured maps at exact ties, and written out in symbols: both routes answer alike."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import assume, given
from hypothesis import strategies as st
from layer_strategies import LAM, RATIONAL, function
from strategies import examples

from piggycheck.errors import InputError, IrrationalError, MapError, UnknownError
from piggycheck.maps import (
    Affine,
    ArrayParameter,
    Constant,
    ConstantVector,
    Elementwise,
    Factor,
    Group,
    Scalar,
    SecondOrderCone,
    Slice,
    Spectral,
    Stack,
    StateBlock,
    StructuredMap,
    Term,
)

ONE = sp.S.One
AFFINE = ["v - Max(-t, Min(t, v))", "Max(v, 0)", "Min(Max(v, -1), t)", "Abs(v - t)/2", "Max(v, 0) - Max(-v, 0)"]

small = st.sampled_from([Fraction(n) for n in (0, 0, 0, 1, 1, -1, 2)] + [Fraction(1, 2)])
coefficients = st.sampled_from([Fraction(n) for n in (0, 0, 1, -1)] + [Fraction(1, 2)])


def rational_matrix(rows, columns, numbers):
    return fmpq_mat(rows, columns, [fmpq(n.numerator, n.denominator) for n in numbers])


@st.composite
def tied_maps(draw, texts):
    """Two elementwise layers with affine maps before them, at a point where several guards are probably 0."""
    p = draw(st.sampled_from([1, 2]))
    x, b = StateBlock("x", p), ArrayParameter("b", p)

    def mixed(name, node):
        C = Constant("C", rational_matrix(p, p, [draw(coefficients) for _ in range(p * p)]))
        return Affine(name, [Term(ONE, (Factor(C),), node), Term(ONE, (), b)])

    def layer(name, node):
        chosen = function(draw(st.sampled_from(texts)))
        return Elementwise(name, chosen, node, [Scalar(LAM)] * len(chosen.arguments))

    F = StructuredMap([x], layer("second", mixed("w", layer("first", mixed("u", x)))), [LAM, b])
    entries = st.lists(small, min_size=p, max_size=p)
    return F, {"x": draw(entries), "lam": draw(st.sampled_from([Fraction(0), Fraction(1)])), "b": draw(entries)}


def pairs(pieces):
    return {piece.pair for piece in pieces}


def flat(point):
    """The point with one number for each symbol, numbered from 1."""
    found = {}
    for name, value in point.items():
        if isinstance(value, list):
            found |= {f"{name}_{i + 1}": number for i, number in enumerate(value)}
        else:
            found[name] = value
    return found


@examples(40)
@given(tied_maps(AFFINE))
def test_piecewise_affine_layers_have_the_selection_set_of_the_symbolic_map(drawn):
    F, point = drawn
    symbolic, found = F.symbolic(), F.selection(point)
    expected = symbolic.selection(flat(point))
    assert F.value(point) == symbolic.value(flat(point))
    assert found.exact and expected.exact
    assert pairs(found.pieces) == pairs(expected.pieces)
    assert len({piece.signature for piece in found.pieces}) == len(found.pieces)


@examples(30)
@given(tied_maps(RATIONAL))
def test_curved_layers_have_at_least_the_pieces_of_the_symbolic_map(drawn):
    F, point = drawn
    try:
        expected = F.symbolic().selection(flat(point))
    except (MapError, UnknownError):
        assume(False)
    found = F.selection(point)
    proved = {piece.pair for piece in expected.pieces if piece.activity.essential}
    assert proved <= pairs(found.pieces)
    assert {piece.pair for piece in found.pieces if piece.activity.essential} <= pairs(expected.pieces)
    if found.exact and expected.exact:
        assert pairs(found.pieces) == pairs(expected.pieces)


@examples(20)
@given(tied_maps(AFFINE))
def test_the_chain_rule_set_and_the_active_pieces_contain_those_of_the_symbolic_map(drawn):
    """A layer has one switch for each number; equal expressions are one switch only where they are written out."""
    F, point = drawn
    symbolic = F.symbolic()
    try:
        chain = pairs(F.chain_rule(point))
    except UnknownError:
        assume(False)
    assert pairs(F.selection(point).pieces) <= chain
    assert pairs(symbolic.chain_rule(flat(point))) <= chain
    assert pairs(F.active(point)) >= pairs(symbolic.selection(flat(point)).pieces)


def test_a_direction_proves_each_piece_essentially_active():
    """Along the direction, the map with two ties has the signature of the piece."""
    x = StateBlock("x", 2)
    C = Constant("C", fmpq_mat([[1, 2], [1, -1]]))
    F = StructuredMap([x], Elementwise("y", function("Max(v, 0)"), Affine("u", [Term(ONE, (Factor(C),), x)])))
    pieces = F.selection({"x": [0, 0]}).pieces
    assert [str(piece.signature) for piece in pieces] == ["++", "+-", "-+", "--"]
    for piece in pieces:
        near = F.selection({"x": [step / 1000 for step in piece.activity.direction]}).pieces
        assert [other.signature for other in near] == [piece.signature]
        assert near[0].A == piece.A


def test_dependent_ties_leave_out_the_pieces_that_no_point_takes():
    """The guards x and -x are never both positive: F(x) = (relu(x), relu(-x)) has two pieces at 0, not four."""
    x = StateBlock("x", 1)
    C = Constant("C", fmpq_mat([[1], [-1]]))
    y = Elementwise("y", function("Max(v, 0)"), Affine("u", [Term(ONE, (Factor(C),), x)]))
    total = Affine("s", [Term(ONE, (Factor(Constant("R", fmpq_mat([[1, -1]]))),), y)])
    F = StructuredMap([x], total)
    assert sorted(piece.A[0] for piece in F.selection({"x": 0}).pieces) == [1, 1]
    assert F.selection({"x": 0}).exact
    assert sorted(piece.A[0] for piece in F.chain_rule({"x": 0})) == [0, 1, 2]


def test_a_guard_that_vanishes_identically_is_no_tie():
    x, theta = StateBlock("x", 1), ArrayParameter("theta", 1)
    y = Elementwise("y", function("Max(v, 0)"), Affine("zero", [Term(ONE, (), x), Term(-ONE, (), x)]))
    F = StructuredMap([x], Affine("s", [Term(ONE, (), y), Term(ONE, (), theta)]), [theta])
    (piece,) = F.selection({"x": 0, "theta": 0}).pieces
    assert (piece.A, piece.B) == (sp.Matrix([[0]]), sp.Matrix([[1]]))


def test_a_kink_in_a_parameter_ties_too():
    """F(x, theta) = -x/2 + relu(theta): at theta = 0 the derivative in theta is 0 or 1."""
    x, theta = StateBlock("x", 1), ArrayParameter("theta", 1)
    y = Elementwise("y", function("Max(v, 0)"), theta)
    F = StructuredMap([x], Affine("s", [Term(-ONE / 2, (), x), Term(ONE, (), y)]), [theta])
    pieces = F.selection({"x": 0, "theta": [0]}).pieces
    assert [(piece.A[0], piece.B[0]) for piece in pieces] == [(-ONE / 2, 1), (-ONE / 2, 0)]


def test_as_many_ties_as_are_listed_and_one_more():
    def relu(size):
        x = StateBlock("x", size)
        return StructuredMap([x], Elementwise("y", function("Max(v, 0)"), x))

    assert len(relu(10).selection({"x": [0] * 10}).pieces) == 1024
    with pytest.raises(UnknownError, match="more than 1024 pieces meet at this point; they are not listed"):
        relu(11).selection({"x": [0] * 11})


def test_hundreds_of_numbers_with_three_ties():
    """F(x) = relu(x - b), 300 numbers: where x_i = b_i the derivative is a 1 or a 0 on the diagonal."""
    p = 300
    x, b = StateBlock("x", p), ArrayParameter("b", p)
    u = Affine("u", [Term(ONE, (), x), Term(-ONE, (), b)])
    F = StructuredMap([x], Elementwise("y", function("Max(v, 0)"), u), [b])
    at = [0 if i in (7, 100, 299) else (-1) ** i for i in range(p)]
    found = F.selection({"x": at, "b": [0] * p})
    assert len(found.pieces) == 8 and found.exact
    traces = [sum(piece.matrices[0][i, i] for i in range(p)) for piece in found.pieces]
    assert sorted(traces) == [149 + k for k in (0, 1, 1, 1, 2, 2, 2, 3)]
    assert all(piece.matrices[1] == -piece.matrices[0] for piece in found.pieces)


# Groups


def shrinkage(groups=((0, 1),), size=2):
    v = StateBlock("v", size)
    return StructuredMap([v], Group("y", v, Scalar(LAM), groups), [LAM])


def test_a_group_exactly_at_its_threshold():
    """|(3, 4)| = 5 = t: inside the derivative is 0; outside it is u u^T and -u, with u = (3/5, 4/5)."""
    found = shrinkage().selection({"v": [3, 4], "lam": 5})
    assert found.exact
    outside, inside = found.pieces
    u = sp.Matrix([3, 4]) / 5
    assert (outside.A, outside.B) == (sp.ImmutableMatrix(u * u.T), sp.ImmutableMatrix(-u))
    assert (inside.A, inside.B) == (sp.zeros(2, 2), sp.zeros(2, 1))
    assert pairs(found.pieces) == pairs(shrinkage().symbolic().selection({"v_1": 3, "v_2": 4, "lam": 5}).pieces)
    assert pairs(found.pieces) == pairs(shrinkage().chain_rule({"v": [3, 4], "lam": 5}))
    assert shrinkage().value({"v": [3, 4], "lam": 5}) == (0, 0)


def test_a_group_beyond_its_threshold():
    """v = (6, 8), t = 5: half of v is left, and the derivative is (I + u u^T)/2."""
    F = shrinkage()
    assert F.value({"v": [6, 8], "lam": 5}) == (3, 4)
    (piece,) = F.selection({"v": [6, 8], "lam": 5}).pieces
    u = sp.Matrix([3, 4]) / 5
    assert piece.A == sp.ImmutableMatrix((sp.eye(2) + u * u.T) / 2)
    assert piece.pair == F.symbolic().selection({"v_1": 6, "v_2": 8, "lam": 5}).pieces[0].pair


def test_an_irrational_length_is_no_obstacle_where_the_group_is_0():
    F = shrinkage(((0, 1), (2,)), 3)
    assert F.value({"v": [1, 1, 3], "lam": 2}) == (0, 0, 1)


def test_an_irrational_length_is_left_to_the_map_written_out():
    """|(1, 1)| = sqrt(2), t = 1: the value is (1, 1)(1 - 1/sqrt(2)). A signature is one of this map or of the other."""
    F, point = shrinkage(), {"v_1": 1, "v_2": 1, "lam": 1}
    assert F.value(point)[0] == 1 - sp.sqrt(2) / 2
    with pytest.raises(IrrationalError, match="is not rational; ask the map written out, `symbolic\\(\\)`"):
        F.selection(point)
    (piece,) = F.symbolic().selection(point).pieces
    assert sp.expand(piece.A[0, 0] - (1 - sp.sqrt(2) / 4)) == 0


def test_a_group_and_a_threshold_that_are_both_0_are_refused():
    with pytest.raises(UnknownError, match="`y`: group 1 and its threshold are 0, where |v| has no derivative"):
        shrinkage().selection({"v": [0, 0], "lam": 0})


def test_two_groups_at_their_thresholds_have_four_pieces():
    F = shrinkage(((0, 1), (2,)), 3)
    assert len(F.selection({"v": [3, 4, -5], "lam": 5}).pieces) == 4


@pytest.mark.parametrize(
    ("groups", "message"),
    [
        (((0, 1), ()), "group 2 is empty; leave it out or give it coordinates"),
        (((0, 1), (1,)), "the coordinate 1 is in group 1 and in group 2; each must be in exactly one"),
        (((0,),), "the coordinate 1 is in no group; each must be in exactly one"),
        (((0, 2), (1,)), "group 1 has the coordinate `2`; write integers from 0 to 1"),
        (((0, "1"),), "group 1 has the coordinate `1`; write integers from 0 to 1"),
    ],
)
def test_groups_that_are_no_partition(groups, message):
    with pytest.raises(MapError, match=message):
        shrinkage(groups)


def test_a_negative_threshold():
    with pytest.raises(MapError, match="the threshold of group 1 is negative; it must be 0 or more"):
        shrinkage().value({"v": [1, 0], "lam": -1})


def test_thresholds_of_a_number_that_fits_neither_one_nor_the_groups():
    v, t = StateBlock("v", 3), ConstantVector("t", fmpq_mat([[1], [2]]))
    with pytest.raises(MapError, match="`t` has 2 entries and must have 1 or 3, one for each group"):
        Group("y", v, t, [[0], [1], [2]])
    with pytest.raises(MapError, match="without depending on the state"):
        Group("y", v, Slice("s", v, 0, 1), [[0, 1, 2]])


# Second-order cones


def cone(size=3):
    z = StateBlock("z", size)
    return StructuredMap([z], SecondOrderCone("y", z))


@pytest.mark.parametrize(
    ("z", "value"),
    [([6, 3, 4], (6, 3, 4)), ([-6, 3, 4], (0, 0, 0)), ([1, 3, 4], (3, sp.Rational(9, 5), sp.Rational(12, 5)))],
)
def test_the_projection_on_the_second_order_cone(z, value):
    """For z = (1, 3, 4) it is (1 + 5)/2 (1, 3/5, 4/5)."""
    assert cone().value({"z": z}) == value
    (piece,) = cone().selection({"z": z}).pieces
    flat_point = {f"z_{i + 1}": number for i, number in enumerate(z)}
    assert piece.pair == cone().symbolic().selection(flat_point).pieces[0].pair


def test_the_derivative_between_the_cones():
    """u = (3/5, 4/5), t/|v| = 1/5: D = ((1, u^T), (u, (6/5) I - u u^T/5))/2."""
    (piece,) = cone().selection({"z": [1, 3, 4]}).pieces
    u = sp.Matrix([3, 4]) / 5
    lower = sp.Rational(6, 5) * sp.eye(2) - u * u.T / 5
    assert piece.A == sp.ImmutableMatrix(sp.Matrix([[1, *u]]).col_join(u.row_join(lower)) / 2)


@pytest.mark.parametrize("z", [[5, 3, 4], [-5, 3, 4]])
def test_a_point_on_the_boundary_of_a_cone_has_two_pieces(z):
    found = cone().selection({"z": z})
    assert found.exact and len(found.pieces) == 2
    flat_point = {f"z_{i + 1}": number for i, number in enumerate(z)}
    assert pairs(found.pieces) == pairs(cone().symbolic().selection(flat_point).pieces)
    assert pairs(found.pieces) == pairs(cone().chain_rule({"z": z})) == pairs(cone().active({"z": z}))


def test_the_tip_of_the_cone_is_refused():
    with pytest.raises(UnknownError, match="at the origin the projection has no derivative on either side"):
        cone().selection({"z": [0, 0, 0]})


def test_a_cone_of_one_number():
    with pytest.raises(MapError, match="`z` has 1 entries; a second-order cone needs at least 2"):
        cone(1)


# Functions of eigenvalues


def spectral(text, n, proximal=True):
    Z = StateBlock("Z", n * n)
    chosen = function(text)
    return StructuredMap([Z], Spectral("y", chosen, Z, [Scalar(LAM)] * len(chosen.arguments), proximal=proximal), [LAM])


LOG_DETERMINANT = "(v + sqrt(v**2 + 4*t))/2"


def test_the_proximal_map_of_the_log_determinant_at_a_multiple_of_the_identity():
    """phi(3/2) = 2 and phi'(3/2) = (1 + 3/5)/2 = 4/5 for t = 1; in t: 1/sqrt(v^2 + 4t) = 2/5."""
    F = spectral(LOG_DETERMINANT, 2)
    half = sp.Rational(3, 2)
    point = {"Z": [half, 0, 0, half], "lam": 1}
    assert F.value(point) == (2, 0, 0, 2)
    (piece,) = F.selection(point).pieces
    symmetriser = sp.Matrix([[2, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 2]]) / 2
    assert piece.A == sp.ImmutableMatrix(sp.Rational(4, 5) * symmetriser)
    assert piece.B == sp.Matrix([sp.Rational(2, 5), 0, 0, sp.Rational(2, 5)])


def test_divided_differences_between_different_eigenvalues():
    """phi(v) = v**2/3 - v is a polynomial: the derivative is (Z H + H Z)/3 - H, at any Z."""
    F = spectral("v**2/3 - v", 2, proximal=False)
    Z, H = sp.Matrix([[1, 2], [2, 1]]), sp.Matrix([[1, 3], [3, -2]])
    (piece,) = F.selection({"Z": list(Z), "lam": 1}).pieces
    assert list(piece.A * sp.Matrix(list(H))) == list((Z * H + H * Z) / 3 - H)


@pytest.mark.parametrize("Z", [[1, 2, 2, 1], [5, 2, 2, 2], [1, 0, 0, -1]])
def test_two_rows_written_out_have_the_same_pairs(Z):
    F = spectral("Max(v, 0)", 2)
    point = {f"Z_{i + 1}": number for i, number in enumerate(Z)} | {"lam": 1}
    assert F.value({"Z": Z, "lam": 1}) == F.symbolic().value(point)
    found, expected = F.selection({"Z": Z, "lam": 1}), F.symbolic().selection(point)
    assert pairs(found.pieces) == pairs(expected.pieces)


def test_a_simple_eigenvalue_at_a_kink_has_two_pieces():
    """Projection of diag(0, 3) on the positive semidefinite matrices: the first diagonal entry passes or not."""
    F = spectral("Max(v, 0)", 2)
    found = F.selection({"Z": [0, 0, 0, 3], "lam": 1})
    assert found.exact
    assert [piece.A[0, 0] for piece in found.pieces] == [1, 0]
    rest = sp.Matrix([[0, 0, 0, 0], [0, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 2]]) / 2
    for piece, first in zip(found.pieces, (1, 0), strict=True):
        assert piece.A == sp.ImmutableMatrix(rest + sp.diag(first, 0, 0, 0))


def test_a_kink_that_moves_with_a_parameter():
    """Soft-thresholding of the eigenvalues (1, 4) with t = 1: the tied eigenvalue passes or not, and shrinks with t."""
    F = spectral("v - Max(-t, Min(t, v))", 2)
    found = F.selection({"Z": [1, 0, 0, 4], "lam": 1})
    assert found.exact
    assert [(piece.A[0, 0], piece.B[0]) for piece in found.pieces] == [(0, 0), (1, -1)]
    assert all(piece.B[3] == -1 for piece in found.pieces)


def test_a_repeated_eigenvalue_at_a_kink_is_refused():
    with pytest.raises(UnknownError, match="the eigenvalue 0 is at a kink and repeated 2 times; the pieces there"):
        spectral("Max(v, 0)", 3).selection({"Z": [0, 0, 0, 0, 0, 0, 0, 0, 3], "lam": 1})


def test_irrational_eigenvalues_of_three_rows_are_refused():
    Z = [1, 1, 0, 1, 0, 1, 0, 1, 0]
    with pytest.raises(UnknownError, match="a matrix of 3 rows has irrational eigenvalues"):
        spectral("Max(v, 0)", 3).selection({"Z": Z, "lam": 1})
    with pytest.raises(UnknownError, match="the eigenvalues of a matrix of 3 rows are not written out"):
        spectral("Max(v, 0)", 3).symbolic()


def test_matrices_that_are_not_square_or_arguments_that_are_no_numbers():
    with pytest.raises(MapError, match="`Z` has 5 entries; write a square matrix, row by row"):
        Spectral("y", function("Max(v, 0)"), StateBlock("Z", 5))
    with pytest.raises(MapError, match="the argument `Z` has 4 entries and must be one number"):
        Spectral("y", function(LOG_DETERMINANT), StateBlock("Z", 4), [StateBlock("Z", 4)])
    with pytest.raises(MapError, match="the function has 1 arguments, not 0"):
        Spectral("y", function(LOG_DETERMINANT), StateBlock("Z", 4))


# Stacks, and points


def test_stacks_and_slices_put_numbers_where_they_belong():
    x, y = StateBlock("x", 2), StateBlock("y", 1)
    F = StructuredMap([x, y], Stack("s", [y, Slice("c", x, 1, 2), Slice("d", x, 0, 1)]))
    assert F.value({"x": [1, 2], "y": [3]}) == (3, 2, 1) == F.symbolic().value({"x_1": 1, "x_2": 2, "y_1": 3})
    (piece,) = F.selection({"x": [1, 2], "y": [3]}).pieces
    assert piece.A == sp.Matrix([[0, 0, 1], [0, 1, 0], [1, 0, 0]])


def test_a_part_that_occurs_twice_in_a_stack():
    x = StateBlock("x", 1)
    F = StructuredMap([x], Affine("s", [Term(ONE, (Factor(Constant("R", fmpq_mat([[1, 2]]))),), Stack("xx", [x, x]))]))
    assert F.value({"x": 5}) == (15,)
    assert F.selection({"x": 5}).pieces[0].A == sp.Matrix([[3]])


def test_slices_and_stacks_of_nothing():
    x = StateBlock("x", 2)
    with pytest.raises(MapError, match="no entries from 1 to 3 of `x`, which has 2; write 0 <= start < stop <= 2"):
        Slice("c", x, 1, 3)
    with pytest.raises(MapError, match="the stack `s` has no parts; write at least one"):
        Stack("s", [])


@pytest.mark.parametrize(
    ("point", "message"),
    [
        ({"v": [3, 4]}, "the parameter `lam` has no value; give one"),
        ({"v_1": 3, "lam": 5}, "`v_2` has no value; give one, or an array for `v`"),
        ({"v": [3], "lam": 5}, "value of `v`: 1 numbers; give 2"),
        ({"v": [3, 4], "lam": 5, "w": 1}, "`w` is neither state nor parameter of the map; write one of v, lam"),
    ],
)
def test_points_that_do_not_fit(point, message):
    with pytest.raises(InputError, match=message):
        shrinkage().selection(point)

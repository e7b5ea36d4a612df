"""Proximal maps as nodes: against optimality conditions, closed forms, and the maps written in symbols."""

from __future__ import annotations

from fractions import Fraction

import mpmath
import numpy as np
import pytest
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples, value_of
from structured_helper import column, proximal

from piggycheck.arrays import FLOAT64, BallArrays, Enclosed, MpmathArrays
from piggycheck.errors import InputError, MapError, NumberError
from piggycheck.functions import (
    Naming,
    box,
    difference,
    group_l2,
    l1,
    least_squares,
    log_det,
    nonnegative,
    nuclear_norm,
    positive_semidefinite,
    quadratic,
    second_order_cone,
    squared_norm,
    weighted_l1,
    zero,
)
from piggycheck.maps import ArrayParameter, Difference, StateBlock, StructuredMap

MANY = MpmathArrays(40)
lam, mu = sp.symbols("lam mu", real=True)
half = sp.Rational(1, 2)
numbers = st.lists(st.builds(fmpq, st.integers(-40, 40), st.integers(1, 9)), min_size=3, max_size=3)
weights = st.lists(st.builds(fmpq, st.integers(0, 20), st.integers(1, 5)), min_size=3, max_size=3)
Q = [[2, 1, 0], [1, 2, "1/2"], [0, "1/2", 1]]
A = [[1, 2, 0], ["1/3", -1, 4]]


def residual(M, p, offset):
    """M p + offset, exactly."""
    return (fmpq_mat(M) * column(p) + column(offset)).entries()


def exactly(rows):
    return [[fmpq(*map(int, str(e).split("/"))) for e in row] for row in rows]


class TestAgainstSymbols:
    @examples(40)
    @given(numbers, weights, st.integers(1, 5))
    def test_elementwise_functions_are_what_they_are_in_symbols(self, v, w, step):
        point = sp.symbols("v_1:4", real=True)
        values = {s: Fraction(int(e.p), int(e.q)) for s, e in zip(point, v, strict=True)}
        for function in (l1(2), weighted_l1(w), box([-1, "-1/2", 0], 2), nonnegative(), zero()):
            written = [value_of(e, values) for e in function.proximal(point, sp.Integer(step))]
            assert written == [Fraction(int(e.p), int(e.q)) for e in proximal(function, v, sp.Integer(step))]

    @examples(40)
    @given(st.lists(st.sampled_from([(3, 4), (-5, 12), (0, 0), (8, -6), (0, 7)]), min_size=2, max_size=2))
    def test_groups_are_what_they_are_in_symbols(self, pairs):
        v = [e for pair in pairs for e in pair]
        for function in (group_l2(2, [0, 0, 1, 1]), group_l2([1, 5], [[0, 1], [2, 3]])):
            written = function.proximal(list(map(sp.Integer, v)), half)
            assert [fmpq(int(e.p), int(e.q)) for e in written] == proximal(function, v, half)


class TestOptimality:
    @examples(30)
    @given(numbers, st.integers(1, 4))
    def test_quadratic(self, v, step):
        """``p - v + step (Q p + c) = 0``."""
        p = proximal(quadratic(Q, [1, "-1/2", 3]), v, sp.Integer(step))
        shifted = [[int(i == j) + step * e for j, e in enumerate(row)] for i, row in enumerate(exactly(Q))]
        right = [step * c - e for c, e in zip(column([1, "-1/2", 3]).entries(), v, strict=True)]
        assert [0, 0, 0] == residual(shifted, p, right)

    @pytest.mark.parametrize("as_parameter", [False, True])
    @examples(15)
    @given(v=numbers)
    def test_least_squares(self, v, as_parameter):
        """``p - v + step A^T (A p - b) = 0``, with constants and with parameters."""
        M, b = fmpq_mat(exactly(A)), column([1, "2/3"])
        given_, parameters, at = (M, b), (), {}
        if as_parameter:
            parameters = given_ = ArrayParameter("A", 2, 3), ArrayParameter("b", 2)
            at = {"A": M, "b": b}
        p = proximal(least_squares(*given_), v, half, parameters, at)
        gradient = M.transpose() * (M * column(p) - b)
        assert column(p) - column(v) == gradient * fmpq(-1, 2)

    def test_squared_norm_and_sums(self):
        assert [fmpq(3, 7)] == proximal(squared_norm(6), [3], sp.Integer(1))
        assert [fmpq(3 + 5 - 1, 1 + 4 + 2)] == proximal(
            quadratic([[4]], [1]) + squared_norm(2) + quadratic([[0]], [-5]) + zero(), [3], sp.Integer(1)
        )
        assert [fmpq(3, 7)] == proximal(squared_norm("3*mu"), [3], sp.Integer(1), [mu], {"mu": 2})

    @examples(30)
    @given(numbers, weights)
    def test_weighted_l1_with_weights_for_parameters(self, v, w):
        """v - p is in step * weight * (subdifferential of |.| at p)."""
        p = proximal(weighted_l1(ArrayParameter("w", 3)), v, half, [ArrayParameter("w", 3)], {"w": column(w)})
        for e, z, weight in zip(v, p, w, strict=True):
            assert abs(e - z) <= weight / 2
            assert z == 0 or e - z == weight / 2 * (1 if z > 0 else -1)

    def test_weights_may_be_a_matrix_row_by_row(self):
        W = fmpq_mat([[0, 1], [2, 3]])
        for weights, parameters, at in (
            (W, (), {}),
            (ArrayParameter("W", 2, 2), [ArrayParameter("W", 2, 2)], {"W": W}),
        ):
            assert [5, 4, 3, 2] == proximal(weighted_l1(weights), [5] * 4, sp.S.One, parameters, at)

    @examples(20)
    @given(numbers)
    def test_second_order_cone(self, v):
        """The point is the sum of what is in the cone and, at a right angle, what is in the opposite cone."""
        p = proximal(second_order_cone(), v, half, arrays=MANY)
        rest = [z - MANY.number(e) for z, e in zip(p, v, strict=True)]
        for t, *others in (p, rest):
            with mpmath.workdps(40):
                assert t + mpmath.mpf("1e-35") >= mpmath.norm(others)
        assert abs(sum(a * b for a, b in zip(p, rest, strict=True))) < 1e-30


def symmetric(v):
    a, b, c = v
    return [a, b, b, c]


def as_matrix(p, rows):
    return mpmath.matrix([p[i * len(p) // rows : (i + 1) * len(p) // rows] for i in range(rows)])


class TestSpectralFunctions:
    S = ((2, "1/2"), ("1/2", 1))

    @pytest.mark.parametrize("as_parameter", [False, True])
    @examples(15)
    @given(v=numbers)
    def test_log_det(self, v, as_parameter):
        """``X - V + step (S - X^-1) = 0``."""
        S, V = fmpq_mat(exactly(self.S)), symmetric(v)
        parameter = ArrayParameter("S", 2, 2)
        function, parameters, at = (log_det(parameter), [parameter], {"S": S}) if as_parameter else (log_det(S), (), {})
        with mpmath.workdps(40):
            X = as_matrix(proximal(function, V, half, parameters, at, MANY), 2)
            V, S = as_matrix(list(map(MANY.number, V)), 2), as_matrix(list(map(MANY.number, S.entries())), 2)
            assert mpmath.norm(X - V + (S - X**-1) / 2) < 1e-30
            assert X[0, 0] > 0 and mpmath.det(X) > 0

    @examples(15)
    @given(numbers)
    def test_positive_semidefinite(self, v):
        """V is the sum of a semidefinite matrix and, at a right angle, a negative semidefinite one."""
        with mpmath.workdps(40):
            P = as_matrix(proximal(positive_semidefinite(2), symmetric(v), half, arrays=MANY), 2)
            rest = P - as_matrix(list(map(MANY.number, symmetric(v))), 2)
            for M in (P, rest):
                assert min(M[0, 0], M[1, 1], mpmath.det(M)) > -1e-28
            assert abs(sum(P[i, j] * rest[i, j] for i in range(2) for j in range(2))) < 1e-28

    @pytest.mark.parametrize("v", [[1, 2, 3, "1/2", -1, 4], [1, 0, 0, 0, 1, 0], [0] * 6, [3, 4, 0, 0, 0, 0]])
    @pytest.mark.parametrize("rows", [2, 3])
    def test_nuclear_norm(self, v, rows):
        """Soft-thresholding the singular values that mpmath finds."""
        with mpmath.workdps(40):
            P = as_matrix(proximal(nuclear_norm(3, rows, 6 // rows), v, half, arrays=MANY), rows)
            X = as_matrix([MANY.number(e) for e in column(v).entries()], rows)
            U, s, W = mpmath.svd_r(X)
            shrunk = mpmath.diag([max(e - mpmath.mpf(3) / 2, 0) for e in s])
            assert mpmath.norm(P - U * shrunk * W) < 1e-30

    def test_shrinking_at_a_repeated_singular_value_has_the_derivative_of_the_formula(self):
        """At diag(3, 3) shrunk by t the derivative in t is minus the identity; so it is over every arithmetic."""
        x = StateBlock("x", 4)
        map_ = StructuredMap([x], nuclear_norm(lam, 2, 2).proximal_node(x, sp.S.One, Naming()), [lam])
        for arrays in (FLOAT64, MANY, BallArrays(128)):
            bound = map_.bind({"lam": 1}, arrays)
            moment = bound(Enclosed(arrays.matrix(column([3, 0, 0, 3]))))
            T = moment.forward(None, bound.directions(), moment.signature).centre
            assert np.allclose([float(e) for e in arrays.entries(T)], [-1, 0, 0, -1], atol=1e-12)

    def test_its_atoms_give_a_constant_of_about_one(self):
        arrays, x = BallArrays(128), StateBlock("x", 6)
        bound = StructuredMap([x], nuclear_norm(1, 2, 3).proximal_node(x, sp.S.One, Naming())).bind({}, arrays)
        constant = bound.calculus.constants({}, [bound.map.next])[bound.map.next]
        assert 1 <= constant < 1 + 1e-9


class TestRefusals:
    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (lambda: l1("-1/2"), "weight of l1: `-1/2` is negative; write a nonnegative number"),
            (lambda: l1(fmpq_mat(2, 1)), "weight of l1: `[...]` is not a number but an array; write a number"),
            (lambda: squared_norm(-1), "weight of squared_norm: `-1` is negative; write a nonnegative number"),
            (
                lambda: weighted_l1([1, 0, -3]),
                "weights of weighted_l1: entry 2, `-3` is negative; write a nonnegative number",
            ),
            (lambda: box([[1, 2], [3, 4]], 5), "lower bound of box: 2 rows and 2 columns; write a vector"),
            (
                lambda: weighted_l1(3),
                "weights of weighted_l1: `3` is not an array; write a list of numbers or of rows of numbers",
            ),
            (lambda: box([0, 2], 1), "box: entry 1, the lower bound 2 exceeds the upper bound 1"),
            (lambda: box([0, 2], [1, 2, 3]), "box: bounds of 2 and 3 entries; write equally many"),
            (
                lambda: quadratic([[1, 2], [0, 1]]),
                "Q of quadratic: entries (1, 0) and (0, 1) are 0 and 2; write a symmetric matrix",
            ),
            (lambda: quadratic([[1, 2, 3]]), "Q of quadratic: 1 rows and 3 columns; write a square matrix"),
            (lambda: quadratic([[1]], [1, 2]), "c of quadratic: 2 entries; there must be 1"),
            (
                lambda: quadratic([[1, 2], [2, 1]]),
                "Q of quadratic: the matrix is not positive semidefinite; write one without negative eigenvalues",
            ),
            (lambda: least_squares([[1, 2]], [1, 2]), "b of least_squares: 2 entries; there must be 1"),
            (
                lambda: least_squares([[1, 2]], [1]) + quadratic([[1]]),
                "`least_squares` has 2 variables and `quadratic` has 1; they must have the same number",
            ),
            (
                lambda: squared_norm(1) + l1(1),
                "`squared_norm` and `l1` cannot be added; sums are of quadratic, least_squares and squared_norm",
            ),
            (
                lambda: l1(1) + l1(1),
                "`l1` and `l1` cannot be added; sums are of quadratic, least_squares and squared_norm",
            ),
            (
                lambda: log_det([[1, 2], [3, 4]]),
                "S of log_det: entries (1, 0) and (0, 1) are 3 and 2; write a symmetric matrix",
            ),
            (lambda: log_det([1, 2]), "S of log_det: 2 rows and 1 columns; write a square matrix"),
            (lambda: nuclear_norm(1, 0, 2), "rows of nuclear_norm: `0`; write an integer from 1 on"),
            (lambda: positive_semidefinite("1/2"), "n of positive_semidefinite: `1/2`; write an integer from 1 on"),
            (
                lambda: group_l2(1, [[0, 1], []]),
                "`groups of group_l2`: group 2 is empty; leave it out or give it coordinates",
            ),
            (
                lambda: group_l2(1, [[0, 1], [1]]),
                "`groups of group_l2`: the coordinate 1 is in group 1 and in group 2; each must be in exactly one",
            ),
            (lambda: group_l2(1, [0, -1]), "groups of group_l2: `-1`; write an integer from 0 on"),
            (lambda: group_l2([1, 2, 3], [0, 1]), "weight of group_l2: 3 entries; there must be 2"),
            (lambda: difference(3, 3), "order of difference: `3`; write an integer from 1 to 2, below the size"),
            (lambda: difference(0, 3), "order of difference: `0`; write an integer from 1 on"),
        ],
    )
    def test_what_makes_no_sense_is_refused_in_one_line(self, build, message):
        with pytest.raises(InputError) as caught:
            build()
        assert message == str(caught.value)

    @pytest.mark.parametrize(
        "build",
        [
            lambda: least_squares([[0.5]], [1]),
            lambda: least_squares(np.array([[0.5]]), [1]),
            lambda: weighted_l1([1, 0.5]),
            lambda: squared_norm(0.5),
            lambda: log_det([[0.5]]),
        ],
    )
    def test_floats_are_refused_with_what_to_write(self, build):
        with pytest.raises(NumberError, match='the float 0.5 is not exact; write "0.5"'):
            build()

    def test_arrays_of_integers_are_read(self):
        assert 3 == least_squares(np.array([[1, 2, 3]]), np.array([4])).dimension
        assert ((0, 2), (1,)) == group_l2(1, np.array([0, 1, 0])).groups == group_l2(1, column([0, 1, 0])).groups
        assert ((0, 3), (1, 2)) == group_l2(1, fmpq_mat([[0, 3], [1, 2]])).groups

    def test_a_large_matrix_that_is_not_semidefinite_is_refused_and_one_that_is_accepted(self):
        M = fmpq_mat(40, 40, [fmpq((7 * i * j) % 11 - 5, 10) for i in range(40) for j in range(40)])
        assert 40 == quadratic(M * M.transpose()).dimension
        with pytest.raises(InputError, match="not positive semidefinite"):
            quadratic(M + M.transpose())

    @pytest.mark.parametrize("function", [log_det([[1]]), nuclear_norm(1, 1, 1), squared_norm(1), second_order_cone()])
    def test_a_map_without_symbols_says_so(self, function):
        with pytest.raises(InputError, match="leave `variables` out"):
            function.proximal([sp.Symbol("v")], sp.S.One)

    def test_weights_that_are_parameters_are_checked_when_they_are_known(self):
        w = ArrayParameter("w", 2)
        (requirement,) = weighted_l1(w).requirements
        requirement.check({w: column([0, 1])})
        with pytest.raises(InputError, match="weights of weighted_l1, `w`: entry 1, `-1` is negative"):
            requirement.check({w: column([0, -1])})
        (requirement,) = l1(lam - 1).requirements
        with pytest.raises(InputError, match="weight of l1, `lam - 1`: `-1/2` is negative"):
            requirement.check({lam: half})

    def test_a_cone_needs_two_coordinates(self):
        with pytest.raises(MapError, match="needs at least 2"):
            proximal(second_order_cone(), [1], half)


def test_the_difference_operator_is_the_binomial_one():
    assert isinstance(difference(2, sp.Integer(4)), Difference)
    assert fmpq_mat([[1, -2, 1, 0], [0, 1, -2, 1]]) == difference(2, 4).matrix


def test_a_difference_operator_has_no_more_entries_than_an_array():
    with pytest.raises(InputError, match="an array has at most"):
        difference(1, 10**6)

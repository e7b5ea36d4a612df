"""Linear algebra over Q: definiteness, root moduli, linear systems and linear inequalities, against other methods."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations

import pytest
from flint import fmpq, fmpq_mat, fmpq_poly
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import (
    CYCLOTOMIC,
    factored_polynomials,
    huge_rationals,
    matrices,
    rationals,
    square_matrices,
    symmetric_matrices,
)

from piggycheck import linalg
from piggycheck.errors import InputError, NumberError
from piggycheck.feasibility import _Dictionary
from piggycheck.linalg import Feasible, Infeasible
from piggycheck.roots import unit_circle_part

LEHMER = fmpq_poly([1, 1, 0, -1, -1, -1, -1, -1, 0, 1, 1])
SALEM = [LEHMER, fmpq_poly([1, -2, 1, -2, 1]), fmpq_poly([1, 0, -1, -1, -1, 0, 1])]


class TestReading:
    @pytest.mark.parametrize(
        ("value", "expected"),
        [(3, fmpq(3)), ("3/4", fmpq(3, 4)), ("0.1", fmpq(1, 10)), (Fraction(-9, 8), fmpq(-9, 8)), (fmpq(2), fmpq(2))],
    )
    def test_exact_numbers_are_read(self, value, expected):
        assert expected == linalg.rational(value)

    def test_a_float_is_refused_with_the_text_to_write(self):
        with pytest.raises(NumberError) as caught:
            linalg.matrix([["1", "0"], [0, 0.1]], "A[1]")
        assert str(caught.value) == '`A[1][1][1]`: the float 0.1 is not exact; write "0.1" (which is 1/10)'

    def test_ragged_rows_are_refused(self):
        with pytest.raises(NumberError) as caught:
            linalg.matrix([[1, 2], [3]])
        assert str(caught.value) == "`matrix`: row 1 has length 1, row 0 has length 2; write equal lengths"

    @pytest.mark.parametrize("rows", [5, "12", ["12", "34"], [1, 2]])
    def test_what_is_no_list_of_rows_is_refused(self, rows):
        with pytest.raises(NumberError, match="is not a list of rows"):
            linalg.matrix(rows)

    def test_blocks_must_fit(self):
        with pytest.raises(NumberError, match="beside each other"):
            linalg.block_matrix([[linalg.identity(1), linalg.identity(2)]])
        with pytest.raises(NumberError, match="number of columns"):
            linalg.block_matrix([[linalg.identity(1)], [linalg.identity(2)]])

    def test_a_huge_number_becomes_an_infinite_float(self):
        assert [[float("inf"), float("-inf"), 0.0]] == linalg.float_rows(
            fmpq_mat([[fmpq(10) ** 400, -(fmpq(10) ** 400), 1 / fmpq(10) ** 400]])
        )


class TestDefiniteness:
    @given(symmetric_matrices())
    @settings(max_examples=150, deadline=None)
    def test_the_factors_multiply_back(self, M):
        """L diag(d) L^T is M whenever there are factors."""
        factors = linalg.ldl(M)
        if factors is not None:
            L, d = factors
            n = M.nrows()
            diagonal = fmpq_mat(n, n, [d[i] if i == j else 0 for i in range(n) for j in range(n)])
            assert L * diagonal * L.transpose() == M
            assert all(pivot >= 0 for pivot in d)

    @given(symmetric_matrices())
    @settings(max_examples=150, deadline=None)
    def test_semidefinite_means_that_all_principal_minors_are_nonnegative(self, M):
        n = M.nrows()
        minors = [
            fmpq_mat([[M[i, j] for j in chosen] for i in chosen]).det()
            for size in range(1, n + 1)
            for chosen in combinations(range(n), size)
        ]
        assert all(minor >= 0 for minor in minors) == linalg.is_positive_semidefinite(M)
        leading = [fmpq_mat([[M[i, j] for j in range(k)] for i in range(k)]).det() for k in range(1, n + 1)]
        assert all(minor > 0 for minor in leading) == linalg.is_positive_definite(M)

    def test_empty_and_tiny_matrices(self):
        assert linalg.is_positive_definite(fmpq_mat(0, 0))
        assert linalg.is_positive_semidefinite(fmpq_mat([[0]]))
        assert not linalg.is_positive_definite(fmpq_mat([[0]]))
        assert not linalg.is_positive_semidefinite(fmpq_mat([[fmpq(-1, 10**300)]]))

    def test_a_defect_far_below_floating_point_is_seen(self):
        """The determinant is -10^-600, while every entry is 1 up to 10^-300."""
        tiny = 1 / fmpq(10) ** 300
        assert not linalg.is_positive_semidefinite(fmpq_mat([[1, 1 + tiny], [1 + tiny, 1 + 2 * tiny]]))
        assert linalg.is_positive_semidefinite(fmpq_mat([[1, 1 + tiny], [1 + tiny, 1 + 2 * tiny + tiny * tiny]]))

    @pytest.mark.parametrize("M", [fmpq_mat([[1, 2], [3, 4]]), fmpq_mat([[1, 2]])])
    def test_a_matrix_that_is_not_symmetric_is_refused(self, M):
        with pytest.raises(NumberError, match="symmetric"):
            linalg.is_positive_semidefinite(M)


class TestRoots:
    @given(factored_polynomials())
    @settings(max_examples=200, deadline=None)
    def test_tests_against_the_unit_circle_agree_with_the_known_modulus(self, known):
        poly, modulus = known
        assert (modulus < 1) == linalg.is_schur_stable(poly)
        assert (modulus > 1) == linalg.exceeds_one(poly)

    @given(factored_polynomials())
    @settings(max_examples=150, deadline=None)
    def test_a_rational_modulus_is_found_exactly(self, known):
        poly, modulus = known
        assert str(modulus) == str(linalg.modulus_lower(poly))

    @given(st.lists(st.sampled_from(CYCLOTOMIC), min_size=1, max_size=4), st.integers(0, 3))
    @settings(max_examples=60, deadline=None)
    def test_roots_of_unity_do_not_exceed_one_in_any_multiplicity(self, factors, zeros):
        poly = fmpq_poly([0, 1]) ** zeros
        for factor in factors:
            poly *= factor
        assert not linalg.exceeds_one(poly)
        assert not linalg.is_schur_stable(poly)

    @pytest.mark.parametrize("poly", SALEM)
    def test_salem_numbers_exceed_one(self, poly):
        """All but two roots lie on the circle, in every case one lies outside."""
        assert linalg.exceeds_one(poly)
        assert linalg.exceeds_one(poly * CYCLOTOMIC[3] ** 2)

    def test_the_smallest_known_salem_number_is_bounded_below(self):
        bound = linalg.modulus_lower(LEHMER)
        assert 1.176280818 < linalg.as_float(bound) < 1.17628081826

    def test_roots_on_the_circle_that_are_no_roots_of_unity(self):
        """5 z^2 - 6 z + 5 has the roots (3 +- 4i)/5."""
        poly = fmpq_poly([5, -6, 5])
        assert not linalg.exceeds_one(poly)
        assert not linalg.exceeds_one(poly**3)
        assert linalg.exceeds_one(poly * fmpq_poly([-fmpq(10**40 + 1, 10**40), 1]))
        assert not linalg.exceeds_one(poly * fmpq_poly([-fmpq(10**40 - 1, 10**40), 1]))

    def test_a_root_that_exceeds_one_by_very_little(self):
        root = 1 + 1 / fmpq(10) ** 60
        poly = fmpq_poly([-root, 1])
        assert linalg.exceeds_one(poly)
        assert 1 < linalg.modulus_lower(poly, above=fmpq(1)) <= root

    def test_no_bound_above_what_is_not_exceeded(self):
        with pytest.raises(NumberError, match="no root exceeds 1"):
            linalg.modulus_lower(fmpq_poly([1, 0, 1]), above=fmpq(1))

    def test_the_word_of_the_heavy_ball(self):
        assert fmpq(9, 8) == linalg.modulus_lower(fmpq_poly([fmpq(81, 256), fmpq(45, 32), 1]))

    @given(square_matrices(4, rationals(5, 3)).filter(lambda M: M.nrows() > 0))
    @settings(max_examples=100, deadline=None)
    def test_the_bound_is_near_the_spectral_radius(self, M):
        """Against numpy, as far as its eigenvalues of a 4 by 4 matrix can be trusted."""
        import numpy as np

        radius = float(np.abs(np.linalg.eigvals(np.array(linalg.float_rows(M)))).max())
        bound = linalg.as_float(linalg.modulus_lower(M.charpoly()))
        assert abs(bound - radius) <= 1e-3 * max(1.0, radius) or radius < 1e-2

    def test_zero_and_constant_polynomials(self):
        assert linalg.is_schur_stable(fmpq_poly([7]))
        assert not linalg.exceeds_one(fmpq_poly([7]))
        assert fmpq(0) == linalg.modulus_lower(fmpq_poly([0, 0, 0, 1]))
        with pytest.raises(NumberError, match="polynomial is zero"):
            linalg.is_schur_stable(fmpq_poly([]))
        with pytest.raises(NumberError, match="polynomial is zero"):
            unit_circle_part(fmpq_poly([]))
        with pytest.raises(NumberError, match="constant"):
            linalg.modulus_lower(fmpq_poly([7]))
        with pytest.raises(NumberError, match="radius is 0"):
            linalg.scale_roots(fmpq_poly([1, 1]), fmpq(0))

    @given(rationals(50, 50), rationals(50, 50))
    @settings(max_examples=100, deadline=None)
    def test_the_simplest_rational_between_two(self, a, b):
        """Against a search through all denominators."""
        low, high = min(a, b), max(a, b)
        simplest = linalg.simplest_between(low, high)
        assert low <= simplest <= high
        denominator = next(q for q in range(1, 51) if (low * q).ceil() <= (high * q).floor())
        assert denominator == simplest.q

    def test_an_empty_interval_is_refused(self):
        with pytest.raises(NumberError, match="is empty"):
            linalg.simplest_between(fmpq(2), fmpq(1))

    @given(huge_rationals().map(abs), st.integers(1, 9))
    @settings(max_examples=100, deadline=None)
    def test_rational_roots_enclose_the_root(self, value, degree):
        low, high = linalg.root_lower(value, degree), linalg.root_upper(value, degree)
        assert low**degree <= value <= high**degree
        assert high - low <= high * fmpq(1, 10**8)
        assert (value > 1) == (low > 1)
        assert (value < 1) == (high < 1)

    def test_negative_values_have_no_root(self):
        with pytest.raises(NumberError, match="no root of degree 2 of -1"):
            linalg.root_lower(fmpq(-1), 2)


class TestLinearSystems:
    @given(
        st.tuples(st.integers(0, 4), st.integers(0, 4), st.integers(0, 2)).flatmap(
            lambda s: st.tuples(
                matrices(s[0], s[1], rationals(2, 2)), matrices(s[0], s[2], rationals(2, 2)), matrices(s[1], s[2])
            )
        )
    )
    @settings(max_examples=150, deadline=None)
    def test_solutions_solve_and_the_kernel_has_its_dimension(self, data):
        M, b, x = data
        particular, kernel = linalg.solve(M, M * x)
        assert particular is not None
        assert M * particular == M * x
        assert all(M * v == linalg.zeros(M.nrows(), 1) for v in kernel)
        assert M.ncols() - M.rank() == len(kernel)
        particular, _ = linalg.solve(M, b)
        joint = linalg.block_matrix([[M, b]]).rank() if M.nrows() else 0
        assert (joint == M.rank()) == (particular is not None)

    @given(
        st.integers(0, 4).flatmap(lambda n: st.tuples(matrices(n, n, rationals(2, 2)), matrices(n, 1, rationals(1, 1))))
    )
    @settings(max_examples=150, deadline=None)
    def test_the_krylov_polynomial_is_the_least_that_vanishes(self, data):
        M, u = data
        q = linalg.krylov_minimal_polynomial(M, u)
        n = M.nrows()
        total, power = linalg.zeros(n, 1), u
        for coefficient in q.coeffs():
            total, power = total + power * coefficient, M * power
        assert linalg.zeros(n, 1) == total
        assert q.leading_coefficient() == 1
        columns, power = [], u
        for _ in range(q.degree()):
            columns.append(power)
            power = M * power
        rank = linalg.block_matrix([columns]).rank() if columns and n else 0
        assert rank == q.degree()
        assert (M.charpoly() % q).degree() < 0

    def test_left_eigenvectors(self):
        M = fmpq_mat([[2, 1, 0], [0, 2, 0], [0, 0, 3]])
        rows = linalg.left_eigenvectors(M, fmpq(2))
        assert [fmpq_mat([[0, 1, 0]])] == rows
        assert linalg.left_eigenvectors(M, fmpq(5)) == []

    def test_shapes_must_fit(self):
        with pytest.raises(NumberError, match="write equally many"):
            linalg.solve(fmpq_mat(2, 2), fmpq_mat(3, 1))
        with pytest.raises(NumberError, match="write a square matrix and a column"):
            linalg.krylov_minimal_polynomial(fmpq_mat(2, 2), fmpq_mat(3, 1))
        with pytest.raises(NumberError, match="write a square one"):
            linalg.left_eigenvectors(fmpq_mat(2, 3), fmpq(1))


def _fraction(value):
    return Fraction(int(fmpq(value).p), int(fmpq(value).q))


def _at(row, point):
    return sum((_fraction(c) * x for c, x in zip(row[0], point, strict=True)), _fraction(row[1]))


def _is_solution(point, equalities, nonstrict, strict):
    """A second check in Python's fractions."""
    x = [_fraction(value) for value in point]
    return (
        all(_at(row, x) == 0 for row in equalities)
        and all(_at(row, x) >= 0 for row in nonstrict)
        and all(_at(row, x) > 0 for row in strict)
    )


def _is_contradiction(answer, equalities, nonstrict, strict, dimension):
    """Motzkin: the combination is a constant that is negative, or zero with weight on a strict row."""
    rows = [*equalities, *nonstrict, *strict]
    weights = [_fraction(value) for value in answer.multipliers]
    sums = [sum(w * _fraction(row[0][j]) for w, row in zip(weights, rows, strict=True)) for j in range(dimension)]
    constant = sum(w * _fraction(row[1]) for w, row in zip(weights, rows, strict=True))
    strict_weight = any(value > 0 for value in answer.strict)
    return (
        all(value >= 0 for value in weights[len(equalities) :])
        and all(value == 0 for value in sums)
        and (constant < 0 or (constant == 0 and strict_weight))
    )


@st.composite
def _affine_rows(draw):
    dimension = draw(st.integers(0, 4))
    entry = rationals(2, 2)
    row = st.tuples(st.lists(entry, min_size=dimension, max_size=dimension), entry)
    parts = [draw(st.lists(row, max_size=size)) for size in (2, 4, 4)]
    return dimension, *parts


class TestFeasibility:
    @given(_affine_rows())
    @settings(max_examples=300, deadline=None)
    def test_every_answer_carries_its_proof(self, data):
        dimension, equalities, nonstrict, strict = data
        answer = linalg.feasible_point(equalities, nonstrict, strict, dimension)
        if isinstance(answer, Feasible):
            assert _is_solution(answer.point, equalities, nonstrict, strict)
        else:
            assert _is_contradiction(answer, equalities, nonstrict, strict, dimension)

    @given(_affine_rows(), st.data())
    @settings(max_examples=150, deadline=None)
    def test_a_system_made_around_a_point_is_feasible(self, data, more):
        dimension, *parts = data
        point = more.draw(st.lists(rationals(3, 3), min_size=dimension, max_size=dimension))

        def through(row, margin):
            value = sum((c * x for c, x in zip(row[0], point, strict=True)), fmpq(0))
            return row[0], margin - value

        equalities = [through(row, fmpq(0)) for row in parts[0]]
        nonstrict = [through(row, abs(row[1])) for row in parts[1]]
        strict = [through(row, abs(row[1]) + fmpq(1, 100)) for row in parts[2]]
        assert isinstance(linalg.feasible_point(equalities, nonstrict, strict, dimension), Feasible)

    @given(_affine_rows())
    @settings(max_examples=100, deadline=None)
    def test_bland_alone_gives_the_same_verdict(self, data):
        """The rule that ends the greedy phase, from the first pivot on."""
        dimension, *parts = data
        answer = linalg.feasible_point(*parts, dimension)
        with pytest.MonkeyPatch.context() as patch:
            leaving, entering = _Dictionary._leaving_row, _Dictionary._entering_column
            patch.setattr(_Dictionary, "_leaving_row", lambda self, greedy: leaving(self, False))
            patch.setattr(_Dictionary, "_entering_column", lambda self, row, greedy: entering(self, row, False))
            assert type(answer) is type(linalg.feasible_point(*parts, dimension))

    def test_strictness_decides(self):
        """x >= 0 and -x >= 0 meet in 0; x > 0 and -x >= 0 do not."""
        up, down = ([1], 0), ([-1], 0)
        assert linalg.feasible_point([], [up, down], [], 1) == Feasible((fmpq(0),))
        answer = linalg.feasible_point([], [down], [up], 1)
        assert answer == Infeasible((), (fmpq(1),), (fmpq(1),))

    def test_beale_cycles_under_a_careless_rule_and_not_here(self):
        """E. M. L. Beale's degenerate example (1955), as a feasibility problem at its optimum 1/20."""
        rows = [
            ([fmpq(-1, 4), 8, 1, -9], 0),
            ([fmpq(-1, 2), 12, fmpq(1, 2), -3], 0),
            ([0, 0, -1, 0], 1),
            *[([int(i == j) for j in range(4)], 0) for i in range(4)],
        ]

        def objective(value):
            return ([fmpq(3, 4), -20, fmpq(1, 2), -6], -value)

        assert isinstance(linalg.feasible_point([], [*rows, objective(fmpq(5, 4))], [], 4), Feasible)
        assert isinstance(linalg.feasible_point([], rows, [objective(fmpq(5, 4))], 4), Infeasible)

    def test_empty_systems(self):
        assert linalg.feasible_point([], [], [], 0) == Feasible(())
        assert linalg.feasible_point([], [], [], 2) == Feasible((fmpq(0), fmpq(0)))
        assert isinstance(linalg.feasible_point([], [], [([], 0)], 0), Infeasible)
        assert isinstance(linalg.feasible_point([([0], 1)], [], [], 1), Infeasible)

    def test_redundant_and_contradicting_equalities(self):
        row = ([1, 1], -1)
        assert isinstance(linalg.feasible_point([row, ([2, 2], -2)], [], [], 2), Feasible)
        assert isinstance(linalg.feasible_point([row, ([2, 2], -3)], [], [], 2), Infeasible)

    def test_numbers_with_hundreds_of_digits(self):
        """x > 1 and x < 1 + 10^-300."""
        tiny = 1 / fmpq(10) ** 300
        answer = linalg.feasible_point([], [], [([1], -1), ([-1], 1 + tiny)], 1)
        assert isinstance(answer, Feasible)
        assert 1 < answer.point[0] < 1 + tiny

    def test_a_row_of_the_wrong_length_is_refused(self):
        with pytest.raises(InputError, match="row 1 has 1 coefficients; write 2"):
            linalg.feasible_point([([1, 2], 3)], [([1], 2)], [], 2)

    @given(
        st.tuples(st.integers(0, 3), st.integers(0, 5)).flatmap(
            lambda s: st.tuples(
                matrices(s[0], s[1], rationals(2, 1)), st.lists(rationals(2, 1), min_size=s[0], max_size=s[0])
            )
        )
    )
    @settings(max_examples=150, deadline=None)
    def test_nonnegative_solutions_agree_with_the_general_method(self, data):
        M, b = data
        n = M.ncols()
        solution = linalg.nonnegative_solution(M, b)
        equalities = [(row, -value) for row, value in zip(linalg.entries(M), b, strict=True)]
        unit = [([int(i == j) for j in range(n)], 0) for i in range(n)]
        assert isinstance(linalg.feasible_point(equalities, unit, [], n), Feasible) == (solution is not None)
        if solution is not None:
            assert _is_solution(solution, equalities, unit, [])

    def test_a_right_hand_side_of_the_wrong_length_is_refused(self):
        with pytest.raises(InputError, match="write 1, one per row"):
            linalg.nonnegative_solution(fmpq_mat([[1]]), [1, 2])

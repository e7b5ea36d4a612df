"""Interval matrices: what is said of the bounds holds for every choice of matrices between them."""

from __future__ import annotations

from itertools import product

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import matrices, rationals

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix, absolute, contracts, corners, midpoint, radius, samples
from piggycheck.linalg import identity, is_positive_semidefinite

FORM = fmpq_mat([[2, 1], [1, 3]])


def radii(largest=1):
    """Nonnegative numbers, of which many are zero."""
    return st.one_of(st.just(fmpq(0)), rationals(3, 4).map(abs).map(lambda r: r * largest))


def interval_matrices(rows, columns, largest=1):
    return st.builds(IntervalMatrix, matrices(rows, columns), matrices(rows, columns, radii(largest)))


def picked(data, A):
    """A matrix between the bounds, entry by entry at one of the ends or in eighths between them."""
    weights = data.draw(st.lists(st.integers(0, 8), min_size=A.nrows() * A.ncols(), max_size=A.nrows() * A.ncols()))
    ends = [end for row in A.bounds() for end in row]
    entries = [low + (high - low) * fmpq(w, 8) for (low, high), w in zip(ends, weights, strict=True)]
    return fmpq_mat(A.nrows(), A.ncols(), entries)


def lies_between(M, A):
    return all(
        low <= entry <= high
        for row, ends in zip(M.table(), A.bounds(), strict=True)
        for entry, (low, high) in zip(row, ends, strict=True)
    )


class TestBounds:
    def test_the_bounds_are_those_given(self):
        A = IntervalMatrix.between(fmpq_mat([[1, -2]]), fmpq_mat([[3, -2]]))
        assert [[(1, 3), (-2, -2)]] == A.bounds()
        assert (fmpq_mat([[2, -2]]), fmpq_mat([[1, 0]])) == (midpoint(A), radius(A))
        assert not A.is_exact

    def test_a_rational_matrix_is_its_own_middle(self):
        assert (FORM, fmpq_mat(2, 2)) == (midpoint(FORM), radius(FORM))

    def test_ends_in_the_wrong_order_are_refused(self):
        with pytest.raises(SwitchedSystemError, match="wrong order"):
            IntervalMatrix.between(fmpq_mat([[1]]), fmpq_mat([[0]]))

    def test_different_shapes_are_refused(self):
        with pytest.raises(SwitchedSystemError, match="different shapes"):
            IntervalMatrix(fmpq_mat([[1]]), fmpq_mat([[1, 2]]))

    def test_two_are_equal_when_their_bounds_are(self):
        A, B = (IntervalMatrix.between(fmpq_mat([[0]]), fmpq_mat([[2]])) for _ in range(2))
        assert A == B
        assert fmpq_mat([[1]]) != A
        assert A != IntervalMatrix(fmpq_mat([[1]]), fmpq_mat([[2]]))


class TestOperations:
    @given(interval_matrices(2, 2), interval_matrices(2, 2), st.data())
    @settings(max_examples=80, deadline=None)
    def test_a_product_or_sum_holds_that_of_any_choice(self, A, B, data):
        X, Y = picked(data, A), picked(data, B)
        assert lies_between(X * Y, A * B)
        assert lies_between(X + Y, A + B)
        assert lies_between(X.transpose(), A.transpose())
        assert lies_between(X * fmpq(-2, 3), A * fmpq(-2, 3))

    @given(interval_matrices(1, 2), interval_matrices(2, 1))
    @settings(max_examples=80, deadline=None)
    def test_a_product_holds_that_of_all_corners(self, A, B):
        assert all(lies_between(X * Y, A * B) for X in corners(A) for Y in corners(B))

    @given(interval_matrices(2, 2), matrices(2, 2))
    @settings(max_examples=40, deadline=None)
    def test_a_product_with_a_rational_matrix_is_exact(self, A, M):
        """Each bound is attained at a corner."""
        for bounded, choices in [(A * M, [X * M for X in corners(A)]), (M * A, [M * X for X in corners(A)])]:
            for i, j in product(range(2), repeat=2):
                values = [X[i, j] for X in choices]
                assert (min(values), max(values)) == bounded.bounds()[i][j]

    def test_what_has_no_width_multiplies_exactly(self):
        A = IntervalMatrix(FORM, fmpq_mat(2, 2))
        assert A.is_exact
        assert FORM * FORM == (A * A).midpoint
        assert (A * A).is_exact

    def test_numbers_scale_from_both_sides(self):
        A = IntervalMatrix.between(fmpq_mat([[1, 2]]), fmpq_mat([[2, 4]]))
        assert A * -2 == -2 * A == IntervalMatrix.between(fmpq_mat([[-4, -8]]), fmpq_mat([[-2, -4]]))

    def test_absolute_values(self):
        assert fmpq_mat([[1, 2], [0, 3]]) == absolute(fmpq_mat([[-1, 2], [0, -3]]))


class TestContraction:
    @given(interval_matrices(2, 2, fmpq(1, 4)), st.integers(1, 80), st.data())
    @settings(max_examples=150, deadline=None)
    def test_what_is_proved_holds_at_every_corner_and_between(self, A, factor, data):
        if contracts(A, FORM, fmpq(factor)):
            for X in [*corners(A), *(picked(data, A) for _ in range(5))]:
                assert is_positive_semidefinite(factor * FORM - X.transpose() * FORM * X)

    @given(interval_matrices(2, 2, fmpq(1, 4)), st.integers(1, 80))
    @settings(max_examples=80, deadline=None)
    def test_an_image_may_be_measured_in_another_form(self, A, factor):
        other = fmpq_mat([[1, fmpq(-1, 2)], [fmpq(-1, 2), 1]])
        if contracts(A, FORM, fmpq(factor), other):
            for X in corners(A):
                assert is_positive_semidefinite(factor * FORM - X.transpose() * other * X)

    @given(matrices(2, 2), st.integers(1, 80))
    @settings(max_examples=80, deadline=None)
    def test_a_rational_matrix_is_decided_both_ways(self, A, factor):
        expected = is_positive_semidefinite(factor * FORM - A.transpose() * FORM * A)
        assert expected == contracts(A, FORM, fmpq(factor))
        assert expected == contracts(IntervalMatrix(A, fmpq_mat(2, 2)), FORM, fmpq(factor))

    def test_one_corner_that_expands_is_enough_to_refuse(self):
        """The middle contracts, and so do three corners of four."""
        A = IntervalMatrix(
            fmpq_mat([[fmpq(1, 2), 0], [0, fmpq(1, 2)]]), fmpq_mat([[fmpq(1, 4), 0], [0, fmpq(51, 100)]])
        )
        assert contracts(A.midpoint, identity(2), fmpq(1))
        assert not contracts(A, identity(2), fmpq(1))

    def test_a_scalar_interval_is_decided_exactly(self):
        """No matrix of [-1/2, 1/3] exceeds 1/2, and -1/2 attains it."""
        A = IntervalMatrix.between(fmpq_mat([[fmpq(-1, 2)]]), fmpq_mat([[fmpq(1, 3)]]))
        assert contracts(A, identity(1), fmpq(1, 4))
        assert not contracts(A, identity(1), fmpq(1, 4) - fmpq(1, 10**30))

    @given(interval_matrices(2, 2, fmpq(1, 4)), st.integers(1, 40), st.integers(-60, 60))
    @settings(max_examples=60, deadline=None)
    def test_the_units_of_the_coordinates_do_not_matter(self, A, factor, exponent):
        """A change of basis by powers of two is exact, and the answer stays the same."""
        D = fmpq_mat([[1, 0], [0, fmpq(2) ** exponent]])
        changed, form = D * A * D.inv(), D.inv() * FORM * D.inv()
        assert contracts(A, FORM, fmpq(factor)) == contracts(changed, form, fmpq(factor))

    def test_a_narrow_interval_costs_little(self):
        """The rate of the middle, raised by a small part: what is lost is of the size of the width."""
        C = fmpq_mat([[fmpq(3, 4), fmpq(-3, 4)], [1, 0]])
        P, width = fmpq_mat([[4, -3], [-3, 4]]), fmpq(1, 10**6)
        least = next(q for q in (fmpq(n, 1000) for n in range(3000)) if contracts(C, P, q))
        assert contracts(IntervalMatrix(C, fmpq_mat(2, 2, [width] * 4)), P, least + 50 * width)


class TestCorners:
    @given(interval_matrices(2, 2))
    @settings(max_examples=60, deadline=None)
    def test_every_entry_is_at_one_end_in_every_way(self, A):
        listed = [tuple(map(str, X.entries())) for X in corners(A)]
        ends = [{str(low), str(high)} for row in A.bounds() for low, high in row]
        assert len(set(listed)) == len(listed)
        assert set(product(*ends)) == set(listed)

    def test_the_lower_ends_come_first_and_the_last_entry_changes_fastest(self):
        A = IntervalMatrix(fmpq_mat([[1, 2], [3, 4]]), fmpq_mat([[1, 0], [0, 1]]))
        assert [[0, 2, 3, 3], [0, 2, 3, 5], [2, 2, 3, 3], [2, 2, 3, 5]] == [X.entries() for X in corners(A)]
        assert [FORM] == list(corners(FORM))


class TestSamples:
    @given(interval_matrices(2, 3))
    @settings(max_examples=60, deadline=None)
    def test_they_lie_between_the_bounds(self, A):
        assert all(lies_between(X, A) for X in samples(A))

    def test_few_uncertain_entries_give_every_corner(self):
        A = IntervalMatrix(fmpq_mat([[1, 2], [3, 4]]), fmpq_mat([[1, 0], [0, 1]]))
        assert list(corners(A)) == samples(A)

    def test_a_width_that_no_guess_sees_gives_the_middle(self):
        assert [FORM] == samples(FORM) == samples(IntervalMatrix(FORM, identity(2) * fmpq(1, 10**12)))

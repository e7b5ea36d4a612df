"""Dual matrices: they exclude every form where none exists, and are refused where one does."""

from __future__ import annotations

from itertools import product

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import matrices, rationals, switched_systems

from piggycheck.intervals import IntervalMatrix
from piggycheck.linalg import identity, is_positive_definite, is_positive_semidefinite, zeros
from piggycheck.stability.no_quadratic_form import least_gain, prove_no_common_form, refutes_common_form
from piggycheck.stability.path_complete import guess_path_complete, prove_path_complete
from piggycheck.switched import SwitchedSystem

PROJECTIONS = SwitchedSystem.from_rows([[[1, 0], [1, 0]], [[0, 1], [0, -1]]]).A
"""Ando and Shih 1998: a form exists exactly from the rate sqrt 2 on."""

NILPOTENT = SwitchedSystem.from_rows([[[0, 1], [0, 0]], [[0, 0], [1, 0]]]).A
"""The unit circle is a form for the rate 1, and there is none for less."""

HEAVY = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]]).A

DUMAS = SwitchedSystem.from_rows(
    [
        [[1, 1, 1], [0, 0, 0], [0, 0, 0]],
        [[1, 0, 0], [0, 1, -1], [0, 0, 0]],
        [[0, 0, 0], [1, 1, 0], [0, 0, 1]],
        [[0, 0, 0], [0, 0, 0], [1, -1, 1]],
    ]
).A
"""Dumas 2013, Example 3: the joint spectral radius is 1."""


def excludes(A, rate, Q, P):
    """The contradiction itself, for one definite P: some ``A_i^T P A_i - rate^2 P`` is not negative semidefinite."""
    gaps = [rate**2 * P - M.transpose() * P * M for M in A]
    return not all(map(is_positive_semidefinite, gaps))


class TestKnownFamilies:
    @pytest.mark.parametrize(
        ("A", "rate"),
        [
            (PROJECTIONS, fmpq(1, 3)),
            (PROJECTIONS, fmpq(1)),
            (PROJECTIONS, fmpq(14, 10)),
            (PROJECTIONS, fmpq(1414213, 10**6)),
            (NILPOTENT, fmpq(999999, 10**6)),
            (HEAVY, fmpq(1)),
            (HEAVY, fmpq(114, 100)),
            (DUMAS, fmpq(1)),
            (DUMAS, fmpq(3, 2)),
        ],
    )
    def test_no_form_exists(self, A, rate):
        Q = prove_no_common_form(A, rate)
        assert refutes_common_form(A, rate, Q)
        S = sum((M * X * M.transpose() - rate**2 * X for M, X in zip(A, Q, strict=True)), zeros(*_shape(A)))
        assert S != zeros(*_shape(A))
        assert all(map(is_positive_semidefinite, (S, *Q)))
        assert S == least_gain(A, rate, Q)

    @pytest.mark.parametrize(
        ("A", "rate"),
        [
            (PROJECTIONS, fmpq(1414214, 10**6)),
            (NILPOTENT, fmpq(1)),
            (HEAVY, fmpq(115, 100)),
            (DUMAS, fmpq(153, 100)),
            ((identity(2),), fmpq(1)),
            ((zeros(2, 2),), fmpq(0)),
        ],
    )
    def test_where_a_form_exists_nothing_is_proved(self, A, rate):
        assert prove_path_complete(A, rate, memory=0) is not None
        assert prove_no_common_form(A, rate) is None

    def test_small_numbers_are_found(self):
        Q = prove_no_common_form(PROJECTIONS, fmpq(1))
        assert max(abs(entry) for X in Q for entry in X.entries()) <= 10

    @given(switched_systems(3, 3, rationals(5, 4)), st.sampled_from([fmpq(1, 2), fmpq(9, 10), fmpq(11, 10), fmpq(2)]))
    @settings(max_examples=40, deadline=None)
    def test_either_a_form_or_a_proof_that_there_is_none(self, system, factor):
        """Never both; and one of the two unless invariant subspaces get in the way, or the rate is almost the least."""
        A, best = system.A, guess_path_complete(system.A, memory=0)[1]
        rate = factor * fmpq(round(best * 1000), 1000)
        Q, form = prove_no_common_form(A, rate), prove_path_complete(A, rate, memory=0)
        assert Q is None or form is None
        if form is not None:
            assert excludes(A, rate, Q, form.forms[0]) is False
        if Q is not None:
            assert refutes_common_form(A, rate, Q)
        if rate > 0 and _is_irreducible(A):
            assert (Q is None) is not (form is None)


class TestInvariantSubspaces:
    @pytest.mark.parametrize(
        ("rows", "rate"),
        [
            ([[["1/2", 0], [0, 2]]], 1),
            ([[["1/2", 100], [0, 2]]], 1),
            ([[[2, 0], [100, "1/2"]]], 1),
            ([[[1, 1, 0], [0, 1, 0], [0, 0, 3]]], 2),
            ([[["1/3", 5, 7], [0, 2, 1], [0, -1, 2]]], 2),
            ([[["1/2", 1], [0, 3]], [["1/3", 0], [0, 3]]], 1),
        ],
        ids=["diagonal", "triangular", "the other way", "beside a Jordan block", "complex", "two letters"],
    )
    def test_a_form_that_only_a_subspace_forbids(self, rows, rate):
        """A semidefinite form exists, so no definite Q and S do."""
        A = SwitchedSystem.from_rows(rows).A
        assert refutes_common_form(A, fmpq(rate), prove_no_common_form(A, fmpq(rate)))

    @pytest.mark.parametrize("rows", [[[1, 1], [0, 1]], [[1, 1], [1, 0]]], ids=["a Jordan block", "irrational"])
    def test_known_limits(self, rows):
        """No rational dual matrices exist, though no form does."""
        assert prove_no_common_form([fmpq_mat(rows)], fmpq(1)) is None

    def test_intervals_that_leave_a_subspace_invariant(self):
        uncertain = [IntervalMatrix(fmpq_mat([[fmpq(1, 2), 100], [0, 2]]), fmpq_mat([[0, 0], [0, fmpq(1, 10)]]))]
        assert prove_no_common_form(uncertain, fmpq(21, 10)) is None
        wide = [IntervalMatrix(fmpq_mat([[2, 100], [0, fmpq(1, 2)]]), fmpq_mat([[fmpq(1, 2), 9], [0, fmpq(1, 4)]]))]
        assert refutes_common_form(wide, fmpq(1), prove_no_common_form(wide, fmpq(1)))


class TestRefusals:
    Q = (fmpq_mat([[1, 0], [0, 0]]), fmpq_mat([[0, 0], [0, 1]]))

    def test_the_pair_itself(self):
        """By hand: S = [[1, 1], [1, 1]] + [[1, -1], [-1, 1]] - rate^2 [[1, 0], [0, 1]] = (2 - rate^2) I."""
        assert refutes_common_form(PROJECTIONS, fmpq(1), self.Q)
        assert refutes_common_form(PROJECTIONS, fmpq(1414213, 10**6), self.Q)
        assert not refutes_common_form(PROJECTIONS, fmpq(1414214, 10**6), self.Q)

    @pytest.mark.parametrize(
        "Q",
        [
            (),
            (identity(2),),
            (identity(2),) * 3,
            (identity(3),) * 2,
            (zeros(2, 2),) * 2,
            (-identity(2),) * 2,
            (fmpq_mat([[1, 1], [0, 1]]), identity(2)),
            (fmpq_mat([[0, 1], [1, 0]]), identity(2)),
            (fmpq_mat([[1, 0]]), identity(2)),
        ],
    )
    def test_what_is_no_proof(self, Q):
        assert not refutes_common_form(PROJECTIONS, fmpq(1), Q)

    def test_no_matrices_or_a_negative_rate(self):
        assert not refutes_common_form((), fmpq(1), ())
        assert not refutes_common_form(PROJECTIONS, fmpq(-1), self.Q)
        assert prove_no_common_form(PROJECTIONS, fmpq(-1)) is None
        assert prove_no_common_form(PROJECTIONS, fmpq(1), time_limit=0.0) is None

    def test_a_sum_that_is_zero_proves_nothing(self):
        assert not refutes_common_form((identity(2),), fmpq(1), (identity(2),))
        assert refutes_common_form((identity(2),), fmpq(99, 100), (identity(2),))

    def test_every_changed_proof_is_rejected_or_still_true(self):
        """At a rate almost as large as the least one of a form, no change is harmless that makes S smaller."""
        rate = fmpq(1147, 1000)
        Q = prove_no_common_form(HEAVY, rate)
        verdicts = []
        for letter, (i, j), unit in product(range(2), ((0, 0), (0, 1), (1, 1)), (1, -1)):
            X = fmpq_mat(Q[letter])
            X[i, j] = X[j, i] = X[i, j] + unit * max(fmpq(1), abs(X[i, j]) / 4)
            changed = [X if k == letter else Q[k] for k in range(2)]
            verdicts.append(refutes_common_form(HEAVY, rate, changed))
            S = HEAVY[0] * changed[0] * HEAVY[0].transpose() + HEAVY[1] * changed[1] * HEAVY[1].transpose()
            S -= rate**2 * (changed[0] + changed[1])
            assert verdicts[-1] is (all(map(is_positive_semidefinite, (S, *changed))) and S != zeros(2, 2))
        assert not all(verdicts)
        assert not refutes_common_form(HEAVY, fmpq(12, 10), Q)
        assert not refutes_common_form([HEAVY[0], HEAVY[0]], rate, Q)

    @given(st.tuples(matrices(2, 2), matrices(2, 2), matrices(2, 2), matrices(2, 2), matrices(2, 2)))
    @settings(max_examples=100, deadline=None)
    def test_it_never_excludes_a_form_that_exists(self, data):
        """Random Q, and matrices scaled so that a random P is a form for them."""
        *factors, first, second, third = data
        P = third.transpose() * third + identity(2)
        A = [M * fmpq(1, 1 + sum(abs(entry) for entry in M.entries())) for M in factors]
        rate = fmpq(1)
        while not all(is_positive_semidefinite(rate**2 * P - M.transpose() * P * M) for M in A):
            rate *= 2
        assert is_positive_definite(P)
        Q = [first.transpose() * first, second.transpose() * second]
        assert not refutes_common_form(A, rate, Q)


class TestIntervals:
    RADIUS = fmpq(1, 50)

    def uncertain(self, width):
        R = fmpq_mat(2, 2, [width] * 4)
        return [IntervalMatrix(M, R) for M in PROJECTIONS]

    def test_every_choice_between_bounds(self):
        A = self.uncertain(self.RADIUS)
        Q = prove_no_common_form(A, fmpq(13, 10))
        assert refutes_common_form(A, fmpq(13, 10), Q)
        corners = [fmpq_mat(2, 2, [s * self.RADIUS for s in signs]) for signs in product((-1, 1), repeat=4)]
        for first, second in product(corners, repeat=2):
            choice = [PROJECTIONS[0] + first, PROJECTIONS[1] + second]
            assert refutes_common_form(choice, fmpq(13, 10), Q)
            gap = least_gain(choice, fmpq(13, 10), Q) - least_gain(A, fmpq(13, 10), Q)
            assert is_positive_semidefinite(gap), "what is computed for bounds is below the sum of every choice"

    def test_what_holds_for_the_midpoints_only_is_refused(self):
        Q = prove_no_common_form(PROJECTIONS, fmpq(14, 10))
        assert not refutes_common_form(self.uncertain(self.RADIUS), fmpq(14, 10), Q)
        assert prove_no_common_form(self.uncertain(fmpq(1)), fmpq(13, 10)) is None


def _shape(A):
    return A[0].nrows(), A[0].ncols()


def _is_irreducible(A):
    """Whether products of the matrices span all matrices: then there is no invariant subspace, even a complex one."""
    n = A[0].nrows()
    basis, fresh = [], [identity(n)]
    while fresh:
        M = fresh.pop()
        rows = fmpq_mat([X.entries() for X in (*basis, M)])
        if rows.rank() > len(basis):
            basis.append(M)
            fresh.extend(L * M for L in A)
    return len(basis) == n * n

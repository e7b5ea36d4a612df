"""Quadratic forms: guessed, rounded, proved; and refused when they prove nothing."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from matrix_strategies import rationals, switched_systems

from piggycheck.intervals import IntervalMatrix, contracts
from piggycheck.linalg import as_float, is_positive_definite, is_positive_semidefinite, matrix
from piggycheck.stability.attained import prove_attained_rate
from piggycheck.stability.balance import balanced, balancing_exponents, diagonal_congruence
from piggycheck.stability.floats import float_matrices, sign_classes
from piggycheck.stability.path_complete import guess_path_complete
from piggycheck.stability.quadratic import (
    guess_quadratic_form,
    prove_quadratic,
    prove_with_form,
    rounded_forms,
)
from piggycheck.stability.semidefinite import largest_margin
from piggycheck.switched import SwitchedSystem

HEAVY_BALL = [[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]]
MILD = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["19/20", "-3/4"], [1, 0]]])


def holds(A, P, rate):
    return all(is_positive_semidefinite(rate * rate * P - M.transpose() * P * M) for M in A)


class TestGuess:
    @pytest.mark.parametrize(
        ("rows", "rate"),
        [
            ([[[1, 0], [1, 0]], [[0, 1], [0, -1]]], 2**0.5),
            ([[[0, 1], [0, 0]], [[0, 0], [1, 0]]], 1.0),
            ([[[1, 0], [0, 1]], [[3, -3], [3, 3]]], 3 * 2**0.5),
            ([[["1/2", 100], [0, "1/3"]], [["-2/5", -50], [0, "9/10"]]], 0.9),
            ([[[5]], [[-7]]], 7.0),
        ],
        ids=["Ando-Shih 1998: exactly sqrt 2", "nilpotent pair", "Dumas 2013, 5", "triangular, huge norms", "scalars"],
    )
    def test_known_best_quadratic_rates(self, rows, rate):
        form = guess_quadratic_form(SwitchedSystem.from_rows(rows).A)
        assert form is not None
        assert form[1] == pytest.approx(rate, rel=5e-3)

    @pytest.mark.parametrize("rows", [[[0]], [[0, 0], [0, 0]], [[0, 1], [0, 0]], [[0, 1, 2], [0, 0, 3], [0, 0, 0]]])
    def test_zero_and_nilpotent_matrices_do_no_harm(self, rows):
        A = SwitchedSystem.from_rows([rows, rows]).A
        assert prove_quadratic(A, fmpq(1, 2)) is not None

    def test_what_cannot_be_solved_is_none(self):
        assert guess_quadratic_form([fmpq_mat([[fmpq(10) ** 400, 1], [1, 2]])]) is None
        negative = np.array([[[-1.0]]])
        assert largest_margin([negative], np.ones(1), 1.0) is None
        assert largest_margin([np.array([[[np.inf]]])], np.ones(1), 1.0) is None

    @given(switched_systems(3, 3, rationals(5, 9)))
    @settings(max_examples=40, deadline=None)
    def test_a_guess_can_be_proved_a_little_above_its_rate(self, system):
        guess = guess_quadratic_form(system.A)
        assert guess is not None
        rate = fmpq(round(guess[1] * 1.01 * 10**6) + 1, 10**6)
        tree = prove_with_form(system.A, guess[0], rate, max_length=1)
        assert tree is not None
        assert tree.is_quadratic
        assert holds(system.A, tree.P, rate)


class TestRounding:
    def test_denominators_grow_by_powers_of_two(self):
        forms = list(rounded_forms(np.array([[1.0, 1 / 3], [1 / 3, 1.0]])))
        assert all(P[0, 0].q & (P[0, 0].q - 1) == 0 for P in forms)
        assert is_positive_definite(forms[-1])

    @pytest.mark.parametrize("P", [[[1.0, 2.0], [2.0, 1.0]], [[0.0]], [[float("nan")]], [[1.0, 1.0], [1.0, 1.0]]])
    def test_a_form_that_is_not_definite_is_not_rounded(self, P):
        assert list(rounded_forms(np.array(P))) == []

    def test_the_first_form_that_works_is_taken(self):
        tree = prove_quadratic(MILD.A, fmpq(49, 50))
        assert tree is not None
        assert max(entry.q for entry in tree.P.entries()) <= 16


class TestProof:
    def test_the_mild_pair_contracts(self):
        tree = prove_quadratic(MILD.A, fmpq(19, 20))
        assert holds(MILD.A, tree.P, fmpq(19, 20))
        assert tree.verify(MILD.A)

    def test_a_rate_below_the_joint_spectral_radius_is_refused(self):
        """Each letter has spectral radius sqrt(3)/2, about 0.866."""
        assert prove_quadratic(MILD.A, fmpq(43, 50)) is None

    def test_a_rate_that_no_quadratic_form_proves_is_refused(self):
        """Ando and Shih: joint spectral radius 1, best quadratic rate sqrt 2."""
        A = SwitchedSystem.from_rows([[[1, 0], [1, 0]], [[0, 1], [0, -1]]]).A
        assert prove_quadratic(A, fmpq(141, 100)) is None
        assert prove_quadratic(A, fmpq(142, 100)) is not None

    def test_no_time_no_proof(self):
        assert prove_with_form(MILD.A, np.eye(2), fmpq(1), time_limit=-1.0) is None


class TestIntervals:
    """Heavy ball with a slope that is only known to lie between two numbers."""

    BETWEEN = SwitchedSystem.from_rows([[[["4/5", "9/10"], "-3/4"], [1, 0]]])
    ENDS = SwitchedSystem.from_rows([[["4/5", "-3/4"], [1, 0]], [["9/10", "-3/4"], [1, 0]]])

    def test_the_guess_sees_both_ends(self):
        between, ends = (guess_quadratic_form(system.A) for system in (self.BETWEEN, self.ENDS))
        assert ends[1] == pytest.approx(between[1], rel=1e-9)

    def test_what_is_proved_holds_between_the_ends(self):
        tree = prove_quadratic(self.BETWEEN.A, fmpq(49, 50))
        assert tree.verify(self.BETWEEN.A)
        slopes = [fmpq(4, 5) + fmpq(step, 100) for step in range(11)]
        assert holds([fmpq_mat([[slope, fmpq(-3, 4)], [1, 0]]) for slope in slopes], tree.P, fmpq(49, 50))

    def test_a_rate_below_that_of_one_end_is_refused(self):
        """Each end has spectral radius sqrt(3)/2, about 0.866."""
        assert prove_quadratic(self.BETWEEN.A, fmpq(43, 50)) is None

    def test_bounds_that_hold_an_expanding_matrix_are_refused(self):
        """The middle is stable; the upper end [[9/4, -3/4], [1, 0]] has the eigenvalue 1.84."""
        wide = SwitchedSystem.from_rows([[[["-3/4", "9/4"], "-3/4"], [1, 0]]])
        assert prove_quadratic(wide.A, fmpq(1)) is None

    def test_no_form_on_the_boundary_is_looked_for(self):
        assert prove_attained_rate([fmpq_mat([[1]]), self.BETWEEN.A[0]], fmpq(1)) is None
        assert prove_attained_rate([IntervalMatrix(fmpq_mat([[0]]), fmpq_mat([[1]]))], fmpq(1)) is None


class TestAttainedRate:
    @pytest.mark.parametrize(
        ("rows", "rate"),
        [
            ([[["1/2", 7], [0, "1/3"]]], fmpq(1, 2)),
            ([[["1/2", "-1/4"], [1, 0]]], fmpq(1, 2)),
            ([[["5/4", "-1/4"], [1, 0]]], fmpq(1)),
            ([[["1/2", 100], [0, "1/3"]], [["-2/5", -50], [0, "9/10"]]], fmpq(9, 10)),
            ([[["3/5", "-4/5"], ["4/5", "3/5"]], [["5/13", "-12/13"], ["12/13", "5/13"]]], fmpq(1)),
        ],
        ids=["real", "complex pair", "one and less", "triangular", "rotations"],
    )
    def test_the_exact_rate_is_proved(self, rows, rate):
        A = SwitchedSystem.from_rows(rows).A
        tree = prove_attained_rate(A, rate)
        assert tree.verify(A)
        assert rate == tree.rate

    def test_a_jordan_block_has_no_such_form(self):
        assert prove_attained_rate([fmpq_mat([[1, 1], [0, 1]])], fmpq(1)) is None

    def test_a_rate_that_is_exceeded_or_not_attained_is_refused(self):
        A = [fmpq_mat([[fmpq(1, 2)]])]
        assert prove_attained_rate(A, fmpq(1, 3)) is None
        assert prove_attained_rate(A, fmpq(2, 3)) is None


class TestBalance:
    def test_powers_of_two_do_not_change_the_question(self):
        huge = fmpq(10) ** 200
        A = [fmpq_mat([[fmpq(1, 2), huge], [1 / huge / 8, fmpq(1, 3)]])]
        exponents = balancing_exponents(A)
        changed = balanced(A, exponents)
        assert A[0].charpoly() == changed[0].charpoly()
        assert max(as_float(abs(entry)) for entry in changed[0].entries()) < 10
        tree = prove_quadratic(changed, fmpq(99, 100))
        P = diagonal_congruence(tree.P, exponents)
        assert holds(A, P, fmpq(99, 100))

    def test_bounds_are_balanced_without_loss(self):
        """The bounds of each entry are multiplied by a power of two, and proofs for them go back to the first basis."""
        huge = fmpq(2) ** 600
        C = fmpq_mat([[fmpq(1, 2), huge], [1 / huge / 8, fmpq(1, 3)]])
        A = [IntervalMatrix(C, fmpq_mat(2, 2, [abs(entry) / 100 for entry in C.entries()]))]
        exponents = balancing_exponents(A)
        changed = balanced(A, exponents)[0]
        for i, j in product(range(2), repeat=2):
            ends = [end * fmpq(2) ** (exponents[i] - exponents[j]) for end in A[0].bounds()[i][j]]
            assert tuple(ends) == changed.bounds()[i][j]
        tree = prove_quadratic([changed], fmpq(99, 100))
        assert contracts(A[0], diagonal_congruence(tree.P, exponents), fmpq(99, 100) ** 2)

    def test_wide_bounds_are_balanced_by_their_ends(self):
        """The middle is zero where the bounds are wide."""
        wide = IntervalMatrix(fmpq_mat([[0, 0], [0, 0]]), fmpq_mat([[1, 2**100], [0, 1]]))
        assert [-100, 0] == balancing_exponents([wide])


def de_bruijn_edges(memory):
    """Edges [u, i, v] between the words of a length over two letters: drop the first letter, append i."""
    words = list(product(range(2), repeat=memory))
    return [(words.index(w[:-1]), w[-1], words.index(w[1:])) for w in product(range(2), repeat=memory + 1)]


class TestSignClasses:
    def test_the_nodes_of_a_graph_are_seen_in_the_unfolded_matrices(self):
        system = SwitchedSystem.from_rows(HEAVY_BALL, graph=de_bruijn_edges(1)).unfolded()
        assert [[0, 1], [2, 3]] == sign_classes(float_matrices(system.A))

    def test_one_form_per_node_is_as_good_as_forms_on_the_path_complete_graph(self):
        """Two programs that share no code: forms of the unfolded system, and forms on the edges of the graph."""
        for memory in (1, 2):
            system = SwitchedSystem.from_rows(HEAVY_BALL, graph=de_bruijn_edges(memory)).unfolded()
            _, unfolded = guess_quadratic_form(system.A, tolerance=1e-5)
            _, on_edges = guess_path_complete([matrix(rows) for rows in HEAVY_BALL], memory=memory, tolerance=1e-5)
            assert unfolded == pytest.approx(on_edges, rel=1e-4)

    def test_signs_that_flip_a_letter_count_too(self):
        """D = diag(1, -1) sends the first matrix to itself and the second to its negative."""
        assert [[0], [1]] == sign_classes(np.array([[[1.0, 0.0], [0.0, 2.0]], [[0.0, 3.0], [4.0, 0.0]]]))
        assert [[0, 1]] == sign_classes(np.array([[[1.0, 0.0], [0.0, 2.0]], [[0.0, 3.0], [4.0, 1.0]]]))
        assert [[0], [1], [2]] == sign_classes(np.zeros((1, 3, 3)))

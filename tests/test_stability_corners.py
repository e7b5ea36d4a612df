"""Corners: finitely many matrices stand for all that lie between bounds."""

from __future__ import annotations

from dataclasses import replace

from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import brute_force_rate, rationals

from piggycheck.intervals import IntervalMatrix, contracts
from piggycheck.linalg import as_float, identity
from piggycheck.stability import Contractive, WordTree, decide, joint_spectral_radius
from piggycheck.stability.corners import Corners, corner_letters
from piggycheck.switched import SwitchedSystem

STEP = [["3/4", "-3/4"], [1, 0]]
UNCERTAIN = SwitchedSystem.from_rows([STEP, [[["19/20", "3/2"], "-3/4"], [1, 0]]])


def test_the_corners_of_a_matrix_are_all_choices_of_ends():
    A = IntervalMatrix.between(fmpq_mat([[1, 2], [3, 4]]), fmpq_mat([[1, 5], [3, 6]]))
    expected = [[1, 2, 3, 4], [1, 2, 3, 6], [1, 5, 3, 4], [1, 5, 3, 6]]
    assert expected == [[int(entry.p) for entry in M.entries()] for M in corner_letters([A])]


def test_too_many_corners_are_refused():
    A = IntervalMatrix(fmpq_mat(3, 3), fmpq_mat([[1] * 3] * 3))
    assert corner_letters([A]) is None
    assert not Corners(fmpq(10), WordTree(identity(3), fmpq(10), ((0,),), fmpq(1))).verify([A])


def test_the_bound_of_a_wide_interval_is_that_of_its_corners():
    """From the mild to the steep slope: every product is at most one of the corners', whose radius is 1.0321."""
    bounds = joint_spectral_radius(UNCERTAIN)
    assert isinstance(bounds.upper, Corners)
    assert bounds.upper.verify(UNCERTAIN.A)
    corners = SwitchedSystem.from_rows(corner_letters(UNCERTAIN.A))
    assert brute_force_rate(corners, 8) <= as_float(bounds.upper_rate)
    assert bounds.upper_rate < fmpq(1034, 1000)


def test_a_false_rate_is_refused():
    proof = joint_spectral_radius(UNCERTAIN).upper
    assert not replace(proof, rate=fmpq(1)).verify(UNCERTAIN.A)
    assert not Corners(fmpq(1), replace(proof.proof, rate=fmpq(1))).verify(UNCERTAIN.A)
    wider = SwitchedSystem.from_rows([STEP, [[["19/20", "8/5"], "-3/4"], [1, 0]]])
    assert not proof.verify(wider.A)


@given(st.lists(rationals(3, 4), min_size=8, max_size=8), st.integers(1, 9))
@settings(max_examples=25, deadline=None)
def test_a_proof_covers_choices_between_the_corners(numbers, tenths):
    """Two matrices, one entry of each uncertain by 1/5; any choice between the bounds obeys the proved rate."""
    first, second = fmpq_mat(2, 2, numbers[:4]), fmpq_mat(2, 2, numbers[4:])
    spread = fmpq_mat([[fmpq(1, 10), 0], [0, 0]])
    A = tuple(IntervalMatrix(M, spread) for M in (first, second))
    system = SwitchedSystem.from_rows(A)
    answer = decide(system, fmpq(6), time_limit=2)
    if isinstance(answer, Contractive):
        chosen = [first + spread * fmpq(tenths - 5, 5), second - spread * fmpq(tenths - 5, 5)]
        assert brute_force_rate(SwitchedSystem.from_rows(chosen), 4) <= as_float(answer.proof.rate) * (1 + 1e-9)


def test_exact_matrices_are_their_own_corners():
    A = [fmpq_mat([[fmpq(1, 2)]])]
    assert A == corner_letters(A)
    assert contracts(A[0], identity(1), fmpq(1, 4))

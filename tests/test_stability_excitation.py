"""Excitation: the recursion J -> A J + B grows from a start, or it does not, whatever the eigenvalues are."""

from __future__ import annotations

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from matrix_strategies import affine_systems

from piggycheck.errors import SwitchedSystemError, UnknownError
from piggycheck.stability import excite, find_diverging_word
from piggycheck.switched import SwitchedSystem

HEAVY_BALL = [[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]]


def grown(system, found, periods):
    """Column `found.column` of J after whole periods of the word, exactly."""
    A, B = system.product(found.word)
    J = found.J0
    for _ in range(periods):
        J = A * J + B
    return [J[i, found.column] for i in range(J.nrows())]


class TestTheCaseOfThePaper:
    def test_the_word_the_eigenvalue_and_the_excitation(self):
        found = find_diverging_word(SwitchedSystem.from_rows(HEAVY_BALL, J0=[[1], [1]])).found
        assert ((0, 0, 1, 1), fmpq(-9, 8), True) == (found.word, found.eigenvalue, found.shortest)
        assert fmpq(9, 8) == found.modulus_lower
        assert found.growth_lower > 1
        assert found.growth_lower**4 <= found.modulus_lower

    def test_the_left_eigenvector_is_one(self):
        system = SwitchedSystem.from_rows(HEAVY_BALL, J0=[[1], [1]])
        found = find_diverging_word(system).found
        v = fmpq_mat([list(found.left_eigenvector)])
        assert v * system.product(found.word)[0] == found.eigenvalue * v
        assert list(found.excitation) == (v * found.J0).entries()
        assert found.excitation[found.column] != 0

    def test_no_shorter_word_diverges(self):
        search = find_diverging_word(SwitchedSystem.from_rows(HEAVY_BALL))
        assert (search.exhaustive_below, search.stable_below) == (4, 4)


def test_matrices_between_bounds_are_not_decided():
    """One line says which matrix it is; the claim is then undecided, not refuted."""
    system = SwitchedSystem.from_rows([[[3]], [[["2", "4"]]]])
    message = "divergence is decided for exact matrices only, and `A[1]` is given by intervals"
    with pytest.raises(UnknownError, match=message.replace("[", r"\[").replace("]", r"\]")):
        find_diverging_word(system)
    with pytest.raises(UnknownError, match="exact matrices only"):
        excite(system, (1,))


def test_along_a_graph_the_word_is_a_path():
    """The letter 0 alone would double; after it the graph asks for the letter 1."""
    tame = SwitchedSystem.from_rows([[[2]], [["1/3"]]], J0=[[1]], graph=[(0, 0, 1), (1, 1, 0)])
    assert find_diverging_word(tame, max_length=6).found is None
    wild = SwitchedSystem.from_rows([[[2]], [["2/3"]]], J0=[[1]], graph=[(5, 0, 7), (7, 1, 5)])
    found = find_diverging_word(wild).found
    assert (0, 1) == found.word == wild.letters_along(found.word)
    assert fmpq(4, 3) == found.modulus_lower


def test_a_letter_without_a_matrix_is_refused():
    with pytest.raises(SwitchedSystemError, match="letter 1 of the word is no index; write 0 to 0"):
        excite(SwitchedSystem.from_rows([[[2]]]), (0, 1))


class TestStarts:
    def test_an_unexcited_start_is_refused(self):
        """The eigenvalue 2 belongs to the first coordinate, which starts at 0 and stays there."""
        system = SwitchedSystem.from_rows([[[2, 0], [0, "1/2"]]], J0=[[0], [1]])
        assert excite(system, (0,)) is None
        search = find_diverging_word(system)
        assert search.found is None
        assert search.unexcited == ((0,),)

    def test_a_forcing_term_excites(self):
        system = SwitchedSystem.from_rows([[[2]]], [[[1]]], J0=[[0]])
        assert excite(system, (0,)).excitation == (fmpq(1),)

    def test_a_start_at_the_fixed_point_of_the_word_is_not_excited(self):
        """J = 2 J + 1 at J = -1."""
        assert excite(SwitchedSystem.from_rows([[[2]]], [[[1]]], J0=[[-1]]), (0,)) is None

    def test_without_a_start_one_is_found(self):
        found = excite(SwitchedSystem.from_rows([[["1/2", 0], [0, 2]]]), (0,))
        assert fmpq_mat([[0], [1]]) == found.J0

    def test_without_a_start_one_is_found_that_is_not_a_unit_vector(self):
        """X -> 2 X - 1 leaves the unit vector where it is; zero moves."""
        found = excite(SwitchedSystem.from_rows([[[2]]], [[[-1]]]), (0,))
        assert fmpq_mat([[0]]) == found.J0

    def test_the_column_is_named(self):
        system = SwitchedSystem.from_rows([[[2, 0], [0, "1/2"]]], J0=[[0, 0, 3], [1, 1, 1]])
        assert excite(system, (0,)).column == 2

    def test_no_columns_nothing_to_grow(self):
        system = SwitchedSystem((fmpq_mat([[2]]),), (fmpq_mat(1, 0),))
        assert excite(system, (0,)) is None

    def test_a_rotation_is_tried(self):
        """Along (0, 1) the start is thrown away by the first letter; along (1, 0) it is not."""
        system = SwitchedSystem.from_rows([[[0, 1], [0, 0]], [[0, 0], [4, 0]]], J0=[[1], [0]])
        found = find_diverging_word(system).found
        assert found.word == (1, 0)

    def test_equal_matrices_with_different_forcing_are_tried(self):
        """2 X with X = 0 stays; 2 X + 1 with X = 0 grows."""
        system = SwitchedSystem.from_rows([[[2]], [[2]]], [[[0]], [[1]]], J0=[[0]])
        assert find_diverging_word(system).found.word == (1,)

    def test_a_jordan_block_excited_only_in_its_eigenvector(self):
        """Growth without an excited left eigenvector: the optional numbers are absent."""
        found = excite(SwitchedSystem.from_rows([[[2, 1], [0, 2]]], J0=[[1], [0]]), (0,))
        assert fmpq(2) == found.modulus_lower
        assert found.eigenvalue is None

    def test_an_irrational_eigenvalue_has_bounds_and_no_exact_numbers(self):
        found = excite(SwitchedSystem.from_rows([[[0, 2], [1, 0]]], J0=[[1], [0]]), (0,))
        assert found.eigenvalue is None
        assert found.modulus_lower**2 <= 2
        assert float(found.modulus_lower) == pytest.approx(2**0.5, abs=1e-8)

    def test_an_eigenvalue_barely_above_one(self):
        found = find_diverging_word(SwitchedSystem.from_rows([[[1 + 1 / fmpq(10) ** 40]]])).found
        assert 1 < found.growth_lower <= found.modulus_lower == 1 + 1 / fmpq(10) ** 40

    def test_eigenvalue_one_is_not_divergence_in_this_sense(self):
        """X -> X + 1 grows, but linearly: no eigenvalue exceeds 1."""
        assert find_diverging_word(SwitchedSystem.from_rows([[[1]]], [[[1]]]), max_length=3).found is None

    def test_long_words_are_proposed_when_the_exact_search_ends(self):
        late = SwitchedSystem.from_rows([[["8/9", "4/9"], [0, "8/9"]], [["8/9", 0], ["-4/9", "8/9"]]], J0=[[1], [1]])
        search = find_diverging_word(late, word_budget=10, time_limit=20)
        assert search.found is not None
        assert not search.found.shortest
        assert len(search.found.word) > search.exhaustive_below


@given(affine_systems())
@settings(max_examples=80, deadline=None)
def test_what_is_found_really_grows(system):
    """After enough whole periods of the word the column has entries larger than any at the start."""
    found = find_diverging_word(system, max_length=3).found
    if found is not None and found.modulus_lower > fmpq(11, 10):
        start = max(abs(x) for x in grown(system, found, 0))
        assert max(abs(x) for x in grown(system, found, 200)) > 1000 * (1 + start)


@given(affine_systems(2, 1))
@settings(max_examples=80, deadline=None)
def test_what_is_not_excited_does_not_grow_like_a_power(system):
    """One letter: when nothing is found the recursion grows at most polynomially."""
    if find_diverging_word(system, max_length=1).found is None:
        A, B = system.product((0,))
        J = system.J0
        for _ in range(200):
            J = A * J + B
        assert max(abs(x) for x in J.entries()) < 10**9

"""The waist: exact affine maps, what is refused, and the products of words."""

from __future__ import annotations

from fractions import Fraction

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import affine_systems

from piggycheck.errors import InputError, NumberError, SwitchedSystemError
from piggycheck.switched import SwitchedSystem, compose, first_indices


def _pair():
    return SwitchedSystem.from_rows(
        [[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]], [[[1], [0]], [[0], [2]]], J0=[[1], [1]]
    )


class TestValidation:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"A": []}, "`A` is empty; write at least one matrix"),
            ({"A": [[[1, 2]]]}, "`A[0]` is 1 by 2; write a square matrix"),
            ({"A": [[]]}, "`A[0]` is 0 by 0; write at least one row"),
            ({"A": [[[1]], [[1, 0], [0, 1]]]}, "`A[1]` is 2 by 2 and `A[0]` is 1 by 1; write one size"),
            ({"A": [[[1]]], "B": []}, "`B` has 0 matrices and `A` has 1; write equally many"),
            ({"A": [[[1]]], "B": [[[1], [2]]]}, "`B[0]` is 2 by 1; write a matrix of 1 rows and 1 columns"),
            (
                {"A": [[[1]], [[2]]], "B": [[[1]], [[1, 2]]]},
                "`B[1]` is 1 by 2; write a matrix of 1 rows and 1 columns",
            ),
            ({"A": [[[1]]], "J0": [[1], [2]]}, "`J0` is 2 by 1; write a matrix of 1 by 1"),
            ({"A": [[[1]]], "names": ["a", "b"]}, "there are 2 names and 1 matrices; write equally many"),
            ({"A": "12"}, "`A` is the text `12`; write a list of matrices"),
        ],
    )
    def test_shapes_that_do_not_fit_get_one_line(self, arguments, message):
        with pytest.raises(SwitchedSystemError) as caught:
            SwitchedSystem.from_rows(**arguments)
        assert message == str(caught.value)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            ({"A": [[[0.5]]]}, '`A[0][0][0]`: the float 0.5 is not exact; write "0.5" (which is 1/2)'),
            ({"A": [[["x"]]]}, '`A[0][0][0]`: `x` is not a rational number; write, for instance, "3/4" or "0.75"'),
            ({"A": [[["1/0"]]]}, "`A[0][0][0]`: `1/0` divides by zero"),
            ({"A": [[[1]]], "B": [[[float("nan")]]]}, "`B[0][0][0]`: nan is not a number; write an exact one"),
            ({"A": [[[1, 2], [3]]]}, "`A[0]`: row 1 has length 1, row 0 has length 2; write equal lengths"),
        ],
    )
    def test_entries_that_are_not_exact_get_one_line(self, arguments, message):
        with pytest.raises(NumberError) as caught:
            SwitchedSystem.from_rows(**arguments)
        assert message == str(caught.value)

    @pytest.mark.parametrize("word", [(2,), (0, -1)])
    def test_a_letter_without_a_matrix_is_refused(self, word):
        with pytest.raises(SwitchedSystemError, match="write 0 to 1"):
            _pair().product(word)

    def test_every_refusal_is_an_input_error(self):
        assert issubclass(SwitchedSystemError, InputError)
        assert issubclass(NumberError, InputError)


class TestProducts:
    def test_the_first_letter_acts_first(self):
        system = _pair()
        assert system.product((0, 1))[0] == system.A[1] * system.A[0]

    def test_the_empty_word_is_the_identity(self):
        A, B = _pair().product(())
        assert fmpq_mat([[1, 0], [0, 1]]) == A
        assert fmpq_mat(2, 1) == B

    def test_the_word_of_the_paper(self):
        """A_+ A_+ A_- A_- has the characteristic polynomial z^2 + (45/32) z + 81/256."""
        poly = _pair().product((0, 0, 1, 1))[0].charpoly()
        assert [fmpq(81, 256), fmpq(45, 32), fmpq(1)] == poly.coeffs()

    @given(affine_systems(), st.lists(st.integers(0, 1), max_size=6))
    @settings(max_examples=60, deadline=None)
    def test_a_product_does_what_its_letters_do_in_turn(self, system, letters):
        """Against the recursion J -> A J + B in Python's fractions."""
        word = [letter % len(system) for letter in letters]
        J = _fractions(system.J0)
        for letter in word:
            J = _affine(_fractions(system.A[letter]), _fractions(system.B[letter]), J)
        A, B = system.product(word)
        assert _affine(_fractions(A), _fractions(B), _fractions(system.J0)) == J

    @given(affine_systems(), st.lists(st.lists(st.integers(0, 1), max_size=4), max_size=6))
    @settings(max_examples=60, deadline=None)
    def test_shared_prefixes_change_nothing(self, system, words):
        words = [tuple(letter % len(system) for letter in word) for word in words]
        assert [system.product(word) for word in words] == list(system.products(words))

    def test_composition_is_associative(self):
        first, second = _pair().pairs
        third = _pair().product((1, 0))
        assert compose(compose(first, second), third) == compose(first, compose(second, third))


class TestDuplicates:
    def test_equal_matrices_are_found(self):
        system = SwitchedSystem.from_rows([[[2]], [["4/2"]], [[3]]], [[[1]], [[2]], [[3]]], names=["a", "b", "c"])
        assert (0, 0, 2) == system.representatives() == first_indices(system.A)
        assert system.distinct().names == ("a", "c")
        assert (fmpq_mat([[1]]), fmpq_mat([[3]])) == system.distinct().B

    def test_b_is_zero_when_absent_and_as_wide_as_the_start(self):
        system = SwitchedSystem.from_rows([[[1]]], J0=[[1, 2, 3]])
        assert (system.columns, system.dimension) == (3, 1)
        assert fmpq_mat(1, 3) == system.B[0]


def _fractions(M):
    rows = M.table() if M.ncols() else [[] for _ in range(M.nrows())]
    return [[Fraction(int(x.p), int(x.q)) for x in row] for row in rows]


def _affine(A, B, J):
    return [[sum(A[i][k] * J[k][j] for k in range(len(J))) + B[i][j] for j in range(len(B[0]))] for i in range(len(A))]

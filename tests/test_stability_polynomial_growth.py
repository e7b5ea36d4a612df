"""Polynomial growth: against products written out, and the recursion itself."""

from __future__ import annotations

from itertools import pairwise
from math import factorial

import pytest
from flint import fmpq, fmpq_mat, fmpq_poly
from hypothesis import given
from hypothesis import strategies as st
from matrix_strategies import CYCLOTOMIC, PYTHAGOREAN, matrices
from singular_helper import one
from strategies import examples

from piggycheck.errors import SwitchedSystemError, UnknownError
from piggycheck.stability import find_polynomial_growth, polynomial_growth
from piggycheck.stability.polynomial_growth import growth_name, unit_multiplicity
from piggycheck.switched import SwitchedSystem

ENTRY = st.integers(-3, 3).map(fmpq)


def seen(system, found, rounds):
    """v J after so many rounds of the word, by the recursion."""
    J, v = found.J0, fmpq_mat([list(found.left_vector)])
    A, B = system.product(found.word)
    values = [v * J]
    for _ in range(rounds):
        J = A * J + B
        values.append(v * J)
    return values


def assert_polynomial(system, found):
    """The differences of order d of v J_0, v J_1, ... are the stated coefficient, those of order d + 1 are zero."""
    values = seen(system, found, found.degree + 3)
    for _ in range(found.degree):
        values = [b - a for a, b in pairwise(values)]
    assert all(list(found.leading) == list(value.entries()) for value in values)
    assert found.leading[found.column] != 0


class TestOneMatrix:
    def test_a_drift(self):
        system = one([[1]], [["1/2"]], [[3]])
        found = polynomial_growth(system, (0,))
        assert (1, 1, (fmpq(1, 2),)) == (found.degree, found.eigenvalue, found.leading)
        assert_polynomial(system, found)

    def test_no_drift(self):
        assert polynomial_growth(one([[1]], [[0]], [[3]]), (0,)) is None

    def test_a_jordan_block_that_the_start_excites_or_not(self):
        block = [[1, 1], [0, 1]]
        assert 1 == polynomial_growth(one(block, None, [[0], [1]]), (0,)).degree
        assert polynomial_growth(one(block, None, [[1], [0]]), (0,)) is None

    @pytest.mark.parametrize("n", [2, 3, 4, 5])
    def test_the_degree_of_a_jordan_block(self, n):
        """The last unit vector grows like k^(n - 1) / (n - 1)! under a block of size n."""
        block = [[int(j in (i, i + 1)) for j in range(n)] for i in range(n)]
        system = one(block)
        found = polynomial_growth(system, (0,))
        assert n - 1 == found.degree
        assert_polynomial(system, found)
        with_drift = one(block, [[0]] * (n - 1) + [[1]], [[0]] * n)
        found = polynomial_growth(with_drift, (0,))
        assert n == found.degree
        assert_polynomial(with_drift, found)

    def test_the_growth_is_that_of_the_binomials(self):
        """(J_k)_0 = k (k - 1) / 2 from the last unit vector under a block of size 3."""
        system = one([[1, 1, 0], [0, 1, 1], [0, 0, 1]], None, [[0], [0], [1]])
        found = polynomial_growth(system, (0,))
        assert [fmpq(k * (k - 1), 2) for k in range(6)] == [value[0, 0] for value in seen(system, found, 5)]
        assert factorial(2) * fmpq(1, 2) == found.leading[0]

    def test_minus_one(self):
        found = polynomial_growth(one([[-1, 1], [0, -1]], None, [[0], [1]]), (0,))
        assert (1, -1, None) == (found.degree, found.eigenvalue, found.left_vector)
        assert polynomial_growth(one([[-1]], [[1]], [[0]]), (0,)) is None

    @pytest.mark.parametrize("point", PYTHAGOREAN)
    def test_a_rotation_by_no_rational_angle(self, point):
        """Its powers never have the eigenvalue 1, and two copies coupled grow linearly all the same."""
        c, s = point
        coupled = [[c, -s, 1, 0], [s, c, 0, 1], [0, 0, c, -s], [0, 0, s, c]]
        found = polynomial_growth(one(coupled, None, [[0], [0], [1], [0]]), (0,))
        assert (1, None) == (found.degree, found.eigenvalue)
        assert fmpq_poly([1, -2 * c, 1]) == found.factor
        assert polynomial_growth(one(coupled, None, [[1], [0], [0], [0]]), (0,)) is None

    def test_exponential_growth_is_not_called_polynomial(self):
        assert polynomial_growth(one([[2, 1], [0, 2]], None, [[0], [1]]), (0,)) is None
        assert polynomial_growth(one([[2, 0, 0], [0, 1, 1], [0, 0, 1]], None, [[1], [0], [1]]), (0,)) is None

    def test_a_row_that_sees_a_polynomial_need_not_exist(self):
        """The start is inside a longer chain, which it excites in part."""
        chain = [[1, 1, 0], [0, 1, 1], [0, 0, 1]]
        found = polynomial_growth(one(chain, None, [[0], [1], [0]]), (0,))
        assert (1, None) == (found.degree, found.left_vector)

    @examples(60)
    @given(matrices(3, 3, ENTRY).filter(lambda S: S.det() != 0), matrices(3, 1, ENTRY), matrices(3, 1, ENTRY))
    def test_similar_matrices(self, S, b, start):
        block = fmpq_mat([[1, 1, 0], [0, 1, 0], [0, 0, fmpq(1, 2)]])
        system = SwitchedSystem((S * block * S.inv(),), (S * b,), J0=S * start)
        degree = 2 if b[1, 0] != 0 else int(b[0, 0] + start[1, 0] != 0)
        found = polynomial_growth(system, (0,))
        assert degree == (0 if found is None else found.degree)
        if found is not None and found.left_vector is not None:
            assert_polynomial(system, found)


class TestSearch:
    def test_two_letters_of_which_none_grows_alone(self):
        """J -> -J + 1 and J -> -J - 1: each comes back after two steps, by turns they move by -2."""
        flips = SwitchedSystem.from_rows([[[-1]], [[-1]]], [[[1]], [[-1]]], J0=[[0]])
        found = find_polynomial_growth(flips)
        assert ((0, 1), 1, False) == (found.word, found.degree, found.shortest)
        assert_polynomial(flips, found)

    def test_the_shortest_is_known_to_be_one(self):
        """Each letter is nilpotent, their product is a Jordan block."""
        pair = SwitchedSystem.from_rows([[[0, 0, 1], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [1, 0, 0]]],
                                        [[[1], [0], [0]], [[0], [0], [0]]], J0=[[0], [0], [0]])  # fmt: skip
        found = find_polynomial_growth(pair)
        assert (2, 1, True) == (len(found.word), found.degree, found.shortest)
        assert_polynomial(pair, found)

    def test_along_a_graph(self):
        turns = SwitchedSystem.from_rows([[[2]], [["1/2"]]], [[[0]], [[1]]], J0=[[0]], graph=[(0, 0, 1), (1, 1, 0)])
        found = find_polynomial_growth(turns)
        assert 2 == len(found.word) and found.degree == 1

    def test_nothing_to_find(self):
        assert find_polynomial_growth(one([[1]])) is None
        assert find_polynomial_growth(one([["1/2"]], [[1]])) is None
        assert find_polynomial_growth(one([[1, 1], [0, 1]], None, [[1], [0]])) is None

    def test_budgets(self):
        flips = SwitchedSystem.from_rows([[[-1]], [[-1]]], [[[1]], [[-1]]], J0=[[0]])
        assert find_polynomial_growth(flips, max_length=1) is None
        assert find_polynomial_growth(flips, word_budget=2) is None
        assert find_polynomial_growth(flips, time_limit=-1.0) is None

    def test_refusals(self):
        with pytest.raises(UnknownError):
            find_polynomial_growth(SwitchedSystem.from_rows([[[["1/2", 1]]]]))
        with pytest.raises(SwitchedSystemError):
            polynomial_growth(one([[1]]), (1,))


class TestNames:
    def test_names(self):
        assert ["linear", "polynomial of degree 2"] == [growth_name(d) for d in (1, 2)]

    @pytest.mark.parametrize("factor", CYCLOTOMIC)
    def test_multiplicities(self, factor):
        inside = fmpq_poly([-1, 2]) ** 5
        assert (3, factor) == unit_multiplicity(factor**3 * inside)
        assert 0 == unit_multiplicity(inside)[0]

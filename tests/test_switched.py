"""The waist: affine maps, what is refused, the products of words, and the words that a graph allows."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise, product

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import affine_systems

from piggycheck.errors import InputError, NumberError, SwitchedSystemError, UnknownError
from piggycheck.intervals import IntervalMatrix
from piggycheck.linalg import zeros
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
            ({"A": 7}, "`A` is the value `7`; write a list of matrices"),
            ({"A": {"first": [[1]]}}, "`A` is the value `{'first': [[1]]}`; write a list of matrices"),
            ({"A": [[[1]]], "B": 7}, "`B` is the value `7`; write a list of matrices"),
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
            ({"A": [7]}, '`A[0]`: 7 is not a list of rows; write, for instance, [["1", "0"], ["0", "1"]]'),
            ({"A": [[[[1, 0.5]]]]}, '`A[0][0][0]`: the float 0.5 is not exact; write "0.5" (which is 1/2)'),
            ({"A": [[[[1, 2], 1], [3]]]}, "`A[0]`: row 1 has length 1, row 0 has length 2; write equal lengths"),
            (
                {"A": [[[[1, 2, 3]]]]},
                '`A[0][0][0]`: `[1, 2, 3]` is not a number; write an integer or a text such as "3/4"',
            ),
        ],
    )
    def test_entries_that_are_not_exact_get_one_line(self, arguments, message):
        with pytest.raises(NumberError) as caught:
            SwitchedSystem.from_rows(**arguments)
        assert message == str(caught.value)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (
                {"A": [[[1, ["2", "1/2"]], [0, 1]]]},
                "`A[0][0][1]`: the interval [2, 1/2] has its ends in the wrong order; write [1/2, 2]",
            ),
            (
                {"A": [[[1]]], "B": [[[["0", "1"]]]]},
                "`B[0]` has an interval; only `A` may have intervals, write one number instead",
            ),
            (
                {"A": [[[1]]], "B": [IntervalMatrix(fmpq_mat([[1]]), fmpq_mat([[1]]))]},
                "`B[0]` has an interval; only `A` may have intervals, write one number instead",
            ),
            (
                {"A": [[[1]]], "J0": [[["0", "1"]]]},
                "`J0` has an interval; only `A` may have intervals, write one number instead",
            ),
            ({"A": [[[[1, 2], [1, 2]]]]}, "`A[0]` is 1 by 2; write a square matrix"),
        ],
    )
    def test_intervals_that_make_no_sense_get_one_line(self, arguments, message):
        with pytest.raises(SwitchedSystemError) as caught:
            SwitchedSystem.from_rows(**arguments)
        assert message == str(caught.value)

    @pytest.mark.parametrize(
        ("graph", "message"),
        [
            ([], "`graph` is `[]`; write a list of edges [from, letter, to]"),
            ("abc", "`graph` is `abc`; write a list of edges [from, letter, to]"),
            ([[0, 0]], "the edge `[0, 0]` of `graph` is not [from, letter, to]; write three indices"),
            ([0, 0, 0], "the edge `0` of `graph` is not [from, letter, to]; write three indices"),
            ([[0, 0, -1]], "the edge `[0, 0, -1]` of `graph` is not [from, letter, to]; write three indices"),
            ([["0", 0, 0]], "the edge `['0', 0, 0]` of `graph` is not [from, letter, to]; write three indices"),
            ([[0, True, 0]], "the edge `[0, True, 0]` of `graph` is not [from, letter, to]; write three indices"),
            ([[0, 0, 0], [0, 2, 0]], "the edge [0, 2, 0] of `graph` has the letter 2; write 0 to 1"),
            (
                [[0, 0, 1], [1, 1, 2], [0, 1, 2]],
                "`graph` has no cycle, so there are no infinite words; add an edge that closes one",
            ),
        ],
    )
    def test_a_graph_that_makes_no_sense_gets_one_line(self, graph, message):
        with pytest.raises(SwitchedSystemError) as caught:
            SwitchedSystem.from_rows([[[1]], [[2]]], graph=graph)
        assert message == str(caught.value)

    def test_edges_outside_every_cycle_are_allowed(self):
        graph = ((0, 0, 1), (1, 1, 1), (1, 0, 2))
        assert graph == SwitchedSystem.from_rows([[[1]], [[2]]], graph=[*graph, graph[0]]).graph

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


class TestIntervals:
    def test_pairs_are_bounds(self):
        system = SwitchedSystem.from_rows([[["1/2", ["0", "1"]], [3, "4"]], [[1, 0], [0, 1]]])
        half = fmpq(1, 2)
        assert [[(half, half), (0, 1)], [(3, 3), (4, 4)]] == system.A[0].bounds()
        assert isinstance(system.A[1], fmpq_mat)
        assert not system.is_certain

    def test_bounds_without_width_are_a_number(self):
        system = SwitchedSystem.from_rows([[[["1/2", "0.5"]]]])
        assert fmpq_mat([[fmpq(1, 2)]]) == system.A[0]
        assert system.is_certain

    def test_a_product_holds_that_of_every_choice(self):
        """[1, 2] and then [-1, 3]: between -2 and 6, with B from the earlier letter inside."""
        system = SwitchedSystem.from_rows([[[[1, 2]]], [[[-1, 3]]]], [[[1]], [[0]]])
        A, B = system.product((0, 1))
        for first, second in [(1, -1), (1, 3), (2, -1), (2, 3)]:
            assert A.bounds()[0][0][0] <= first * second <= A.bounds()[0][0][1]
            assert B.bounds()[0][0][0] <= second <= B.bounds()[0][0][1]

    def test_equal_bounds_are_one_letter(self):
        rows = [[[1, 2]]]
        assert (0, 0, 2) == SwitchedSystem.from_rows([rows, rows, [[[1, 3]]]]).representatives()

    def test_what_needs_exact_matrices_says_so(self):
        with pytest.raises(UnknownError) as caught:
            SwitchedSystem.from_rows([[[1]], [[[1, 2]]]]).require_certain("divergence")
        assert "divergence is decided for exact matrices only, and `A[1]` is given by intervals" == str(caught.value)


GRAPH = ((0, 0, 1), (1, 1, 0), (1, 0, 1), (2, 1, 0))
"""After the letter 1 comes a 0; nothing leads to node 2."""


class TestGraphs:
    @staticmethod
    def system(graph=GRAPH, intervals=False):
        first = [[["3/4", "-3/4"], [1, 0]], [["1/2", "-3/4"], [["0", "1/9"], 0]]][intervals]
        rows = [first, [["3/2", "-3/4"], [1, 0]]]
        return SwitchedSystem.from_rows(rows, [[[1], [0]], [[0], [2]]], J0=[[5], [7]], graph=graph)

    @pytest.mark.parametrize("intervals", [False, True])
    def test_products_along_paths_are_those_of_the_letters_and_all_others_vanish(self, intervals):
        """All words of up to three edges; the block of a path from u to v stands in row v and column u."""
        system = self.system(intervals=intervals)
        unfolded = system.unfolded()
        assert (6, len(GRAPH)) == (unfolded.dimension, len(unfolded))
        for word in [w for n in (1, 2, 3) for w in product(range(len(GRAPH)), repeat=n)]:
            is_path = all(GRAPH[a][2] == GRAPH[b][0] for a, b in pairwise(word))
            expected = system.product(system.letters_along(word))[0]
            blocks = {(u, v): _block(unfolded.product(word)[0], v, u) for u in range(3) for v in range(3)}
            if is_path:
                assert expected == blocks.pop((GRAPH[word[0]][0], GRAPH[word[-1]][2]))
            assert not any(any(part.entries()) for block in blocks.values() for part in _parts(block))

    @given(st.lists(st.integers(0, 1), min_size=1, max_size=5))
    @settings(max_examples=40, deadline=None)
    def test_the_affine_maps_along_a_path_are_those_of_the_letters(self, choices):
        """The recursion from the given start, in the block of the node where the path has come to."""
        system, node, path = self.system(), 0, []
        for choice in choices:
            leaving = [e for e, edge in enumerate(GRAPH) if edge[0] == node]
            path.append(leaving[choice % len(leaving)])
            node = GRAPH[path[-1]][2]
        unfolded = system.unfolded()
        A, B = system.product(system.letters_along(path))
        lifted_A, lifted_B = unfolded.product(path)
        J = lifted_A * unfolded.J0 + lifted_B
        assert A * system.J0 + B == fmpq_mat(2, 1, [J[2 * node, 0], J[2 * node + 1, 0]])

    def test_without_a_graph_nothing_is_unfolded(self):
        system = self.system(graph=None)
        assert system is system.unfolded()
        assert (0, 1) == system.letters_along((0, 1))

    def test_nodes_are_numbered_in_order(self):
        """Nodes 7 and 3: node 3 comes first."""
        system = SwitchedSystem.from_rows([[[2]], [[3]]], graph=[(7, 0, 3), (3, 1, 7)])
        assert (fmpq_mat([[0, 2], [0, 0]]), fmpq_mat([[0, 0], [3, 0]])) == system.unfolded().A
        assert ("7 -0-> 3", "3 -1-> 7") == system.unfolded().names

    def test_an_edge_that_is_none_is_refused(self):
        with pytest.raises(SwitchedSystemError, match="edge 4 of the path is no index; write 0 to 3"):
            self.system().letters_along((0, 4))

    def test_equal_matrices_are_joined_in_the_graph_too(self):
        rows = [[[2]], [[3]], [[2]]]
        system = SwitchedSystem.from_rows(rows, graph=[(0, 0, 1), (1, 1, 0), (0, 2, 1), (1, 2, 1)])
        assert ((0, 0, 1), (1, 1, 0), (1, 0, 1)) == system.distinct().graph


def _parts(A):
    return (A.midpoint, A.radius) if isinstance(A, IntervalMatrix) else (A,)


def _block(A, row, column):
    parts = []
    for part in _parts(A):
        block = zeros(2, 2)
        for i, j in product(range(2), repeat=2):
            block[i, j] = part[2 * row + i, 2 * column + j]
        parts.append(block)
    return IntervalMatrix(*parts) if len(parts) == 2 and any(parts[1].entries()) else parts[0]


def _fractions(M):
    rows = M.table() if M.ncols() else [[] for _ in range(M.nrows())]
    return [[Fraction(int(x.p), int(x.q)) for x in row] for row in rows]


def _affine(A, B, J):
    return [[sum(A[i][k] * J[k][j] for k in range(len(J))) + B[i][j] for j in range(len(B[0]))] for i in range(len(A))]

"""Word trees: complete prefix codes, exact inequalities, growth, and what `verify` refuses."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import matrices, rationals, switched_systems

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix, midpoint
from piggycheck.linalg import identity, is_positive_semidefinite
from piggycheck.stability import WordTree, prove_word_tree
from piggycheck.stability.word_tree import is_complete_prefix_code
from piggycheck.switched import SwitchedSystem

HALF = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["5/4", "-3/4"], [1, 0]]])
"""The heavy ball on slopes 1 and 1/2: no quadratic form, but a word tree."""

FORM = fmpq_mat([[fmpq(11, 4), fmpq(-5, 4)], [fmpq(-5, 4), 2]])

WIDTH = fmpq_mat([[fmpq(1, 1000), fmpq(1, 1000)], [0, 0]])

BETWEEN = tuple(IntervalMatrix(A, WIDTH) for A in HALF.A)
"""The same with entries known up to 1/1000, except the two that define the state."""


def corner(letter, first, second):
    """The matrix of a letter with its uncertain entries at one end each."""
    return HALF.A[letter] + fmpq_mat([[first * WIDTH[0, 0], second * WIDTH[0, 1]], [0, 0]])


@pytest.fixture(scope="module")
def tree():
    return prove_word_tree(HALF.A, FORM, fmpq(99, 100))


@pytest.fixture(scope="module")
def proved():
    return prove_word_tree(BETWEEN, FORM, fmpq(99, 100))


class TestPrefixCodes:
    @pytest.mark.parametrize(
        ("words", "letters", "complete"),
        [
            ([(0,), (1,)], 2, True),
            ([(0, 0), (0, 1), (1,)], 2, True),
            ([(0,)], 1, True),
            ([(0, 0, 0)], 1, True),
            ([(0,)], 2, False),
            ([(0,), (1,), (1, 0)], 2, False),
            ([(0,), (0,), (1,)], 2, False),
            ([(0, 0), (1, 1)], 2, False),
            ([()], 2, False),
            ([], 2, False),
            ([(0,), (2,)], 2, False),
            ([(0,), (-1,)], 2, False),
        ],
    )
    def test_examples(self, words, letters, complete):
        assert complete == is_complete_prefix_code(words, letters)

    @given(st.sets(st.lists(st.integers(0, 1), min_size=1, max_size=3).map(tuple), max_size=6))
    @settings(max_examples=150, deadline=None)
    def test_every_long_word_has_exactly_one_prefix_in_the_code(self, words):
        """Against all words of length 4, longer than the code's."""
        counts = [sum(word == longer[: len(word)] for word in words) for longer in product(range(2), repeat=4)]
        assert all(count == 1 for count in counts) == is_complete_prefix_code(list(words), 2)


class TestProof:
    def test_the_tree_proves_what_it_says(self, tree):
        """Each inequality again, from the definition."""
        assert is_complete_prefix_code(tree.words, 2)
        for word in tree.words:
            A_w = HALF.product(word)[0]
            gap = tree.rate ** (2 * len(word)) * tree.P - A_w.transpose() * tree.P * A_w
            assert is_positive_semidefinite(gap)
            for length in range(len(word)):
                A_u = HALF.product(word[:length])[0]
                assert is_positive_semidefinite(tree.growth * tree.P - A_u.transpose() * tree.P * A_u)
        assert not tree.is_quadratic
        assert 1 <= tree.growth < 2

    def test_longer_trees_prove_smaller_rates(self):
        easy, hard = (prove_word_tree(HALF.A, FORM, rate) for rate in (fmpq(99, 100), fmpq(97, 100)))
        assert len(easy.words) < len(hard.words)

    @pytest.mark.parametrize(
        "arguments",
        [
            {"rate": fmpq(96, 100)},
            {"rate": fmpq(97, 100), "node_budget": 10},
            {"rate": fmpq(99, 100), "max_length": 2},
            {"rate": fmpq(99, 100), "time_limit": -1.0},
            {"rate": fmpq(-1)},
            {"rate": fmpq(99, 100), "P": fmpq_mat([[1, 2], [2, 1]])},
            {"rate": fmpq(99, 100), "P": fmpq_mat([[1, 1], [1, 1]])},
        ],
        ids=["below the radius", "few nodes", "short words", "no time", "negative", "indefinite", "singular"],
    )
    def test_no_proof(self, arguments):
        assert prove_word_tree(HALF.A, **({"P": FORM} | arguments)) is None

    def test_shapes_must_fit(self):
        with pytest.raises(SwitchedSystemError, match="write matrices of that size"):
            prove_word_tree([identity(3)], FORM, fmpq(1))
        with pytest.raises(SwitchedSystemError, match="at least one"):
            prove_word_tree([], FORM, fmpq(1))

    def test_a_rate_that_is_attained(self):
        """Norms equal to 1 up to rounding are decided exactly."""
        rotation = fmpq_mat([[fmpq(3, 5), fmpq(-4, 5)], [fmpq(4, 5), fmpq(3, 5)]])
        assert prove_word_tree([rotation], identity(2), fmpq(1)).words == ((0,),)
        tiny = 1 / fmpq(10) ** 40
        assert prove_word_tree([rotation * (1 + tiny)], identity(2), fmpq(1), node_budget=50) is None

    def test_the_rate_zero(self):
        """Jointly nilpotent: every product of three letters is zero, and some of two is not."""
        A = [fmpq_mat([[0, 1, 2], [0, 0, 3], [0, 0, 0]]), fmpq_mat([[0, -1, 5], [0, 0, 7], [0, 0, 0]])]
        tree = prove_word_tree(A, identity(3), fmpq(0))
        assert {3} == {len(word) for word in tree.words}
        assert tree.verify(A)
        assert prove_word_tree([fmpq_mat([[fmpq(1, 10**30)]])], identity(1), fmpq(0), node_budget=50) is None

    def test_equal_letters_are_all_in_the_words(self):
        A = [HALF.A[0], HALF.A[1], HALF.A[1]]
        doubled = prove_word_tree(A, FORM, fmpq(99, 100))
        assert is_complete_prefix_code(doubled.words, 3)
        assert doubled.verify(A)

    @given(switched_systems(3, 3, rationals(3, 9)))
    @settings(max_examples=60, deadline=None)
    def test_what_is_proved_verifies(self, system):
        found = prove_word_tree(system.A, identity(system.dimension), fmpq(1), node_budget=400)
        if found is not None:
            assert found.verify(system.A)
            assert fmpq(1) == found.rate


class TestWhatIsSaid:
    def test_the_witness_has_the_keys_of_a_certificate_in_order(self, tree):
        assert ["method", "rate", "P", "words"] == list(tree.witness())
        assert ("word_tree", tree.rate, tree.P, tree.words) == tuple(tree.witness().values())

    def test_the_summary_counts_words_unless_they_are_letters(self, tree):
        assert f"a word tree of {len(tree.words)} words" == tree.summary()
        assert "a common quadratic form" == WordTree(identity(2), fmpq(1), ((0,),), fmpq(1)).summary()
        assert "the largest absolute value" == WordTree(identity(1), fmpq(1), ((0,),), fmpq(1)).summary()


class TestIntervals:
    """Every choice of matrices between the bounds, anew at each step."""

    def test_the_tree_holds_at_every_corner(self, proved):
        """16 choices of one matrix for each letter, each verified exactly."""
        assert proved.verify(BETWEEN)
        assert not proved.is_quadratic
        for signs in product((-1, 1), repeat=4):
            assert proved.verify([corner(0, *signs[:2]), corner(1, *signs[2:])])

    def test_the_tree_holds_when_matrices_are_chosen_anew_at_each_step(self, proved):
        """All corners at each step of the words of at most 3 letters, the inequality from its definition."""
        for word in (w for w in proved.words if len(w) <= 3):
            factor = proved.rate ** (2 * len(word))
            for signs in product(product((-1, 1), repeat=2), repeat=len(word)):
                A_w = identity(2)
                for letter, choice in zip(word, signs, strict=True):
                    A_w = corner(letter, *choice) * A_w
                assert is_positive_semidefinite(factor * proved.P - A_w.transpose() * proved.P * A_w)

    def test_leaves_that_only_the_middle_allows_are_split_further(self):
        """The middle has norm 1, the upper end 3/2; two steps are zero whatever is chosen."""
        shift = IntervalMatrix(fmpq_mat([[0, 1], [0, 0]]), fmpq_mat([[0, fmpq(1, 2)], [0, 0]]))
        assert prove_word_tree([midpoint(shift)], identity(2), fmpq(11, 10)).words == ((0,),)
        assert prove_word_tree([shift], identity(2), fmpq(11, 10)).words == ((0, 0),)

    def test_a_corner_beyond_the_rate_is_refused(self):
        """The middle has spectral radius 3/4, the upper end 11/10."""
        A = [IntervalMatrix.between(fmpq_mat([[fmpq(2, 5)]]), fmpq_mat([[fmpq(11, 10)]]))]
        assert prove_word_tree([midpoint(A[0])], identity(1), fmpq(1)) is not None
        assert prove_word_tree(A, identity(1), fmpq(1)) is None
        assert not WordTree(identity(1), fmpq(1), ((0,),), fmpq(1)).verify(A)

    def test_bounds_wider_than_the_proof_are_refused(self, proved):
        """At slope 0 in place of 1/2 the letter 0 has spectral radius 1."""
        wider = [IntervalMatrix(A, fmpq_mat([[fmpq(1, 2), 0], [0, 0]])) for A in HALF.A]
        assert not proved.verify(wider)
        assert prove_word_tree(wider, FORM, fmpq(99, 100)) is None

    def test_a_smaller_rate_or_growth_is_refused(self, proved):
        assert not replace(proved, rate=fmpq(24, 25)).verify(BETWEEN)
        assert not replace(proved, growth=fmpq(1)).verify(BETWEEN)

    def test_equal_bounds_are_one_letter(self):
        doubled = (*BETWEEN, IntervalMatrix(HALF.A[1], WIDTH))
        assert prove_word_tree(doubled, FORM, fmpq(99, 100)).verify(doubled)

    def test_the_rate_zero_needs_bounds_that_are_zero(self):
        nilpotent = IntervalMatrix(fmpq_mat([[0, 1], [0, 0]]), fmpq_mat([[0, 5], [0, 0]]))
        assert prove_word_tree([nilpotent], identity(2), fmpq(0)).words == ((0, 0),)
        almost = IntervalMatrix(fmpq_mat([[0, 1], [0, 0]]), fmpq_mat([[0, 0], [fmpq(1, 10**30), 0]]))
        assert prove_word_tree([almost], identity(2), fmpq(0), node_budget=50) is None

    @given(st.lists(st.tuples(matrices(2, 2, rationals(2, 5)), st.integers(1, 40)), min_size=1, max_size=2))
    @settings(max_examples=60, deadline=None)
    def test_what_is_proved_holds_at_all_corners(self, given):
        width = fmpq_mat([[1, 0], [1, 1]])
        A = [IntervalMatrix(M, width * fmpq(1, d)) for M, d in given]
        found = prove_word_tree(A, identity(2), fmpq(1), node_budget=200)
        if found is not None:
            assert found.verify(A)
            for signs in product((-1, 1), repeat=3):
                offset = fmpq_mat([[signs[0], 0], [signs[1], signs[2]]])
                assert found.verify([M + offset * fmpq(1, d) for M, d in given])


class TestVerifyRefuses:
    """`verify` is independent of how the tree was found: each false claim is caught."""

    def test_the_right_tree_is_accepted(self, tree):
        assert tree.verify(HALF.A)

    def test_a_smaller_rate(self, tree):
        assert not replace(tree, rate=fmpq(24, 25)).verify(HALF.A)

    def test_a_negative_rate(self, tree):
        assert not replace(tree, rate=-tree.rate).verify(HALF.A)

    def test_a_missing_word(self, tree):
        assert not replace(tree, words=tree.words[1:]).verify(HALF.A)

    def test_a_word_too_many(self, tree):
        assert not replace(tree, words=(*tree.words, (0,))).verify(HALF.A)

    def test_words_that_are_too_short(self, tree):
        assert not replace(tree, words=((0,), (1,))).verify(HALF.A)

    def test_a_growth_that_is_too_small(self, tree):
        assert not replace(tree, growth=fmpq(1)).verify(HALF.A)
        assert not replace(tree, growth=fmpq(1, 2)).verify(HALF.A)

    @pytest.mark.parametrize(
        "P",
        [
            fmpq_mat([[1, 2], [2, 1]]),
            fmpq_mat([[0, 0], [0, 0]]),
            fmpq_mat([[1, 1], [0, 1]]),
            fmpq_mat([[-3, 1], [1, -2]]),
            fmpq_mat([[1, 0], [0, 1]]),
            fmpq_mat([[1]]),
            fmpq_mat([[1, 0]]),
        ],
        ids=["indefinite", "zero", "not symmetric", "negative", "another form", "too small", "not square"],
    )
    def test_another_form(self, tree, P):
        assert not replace(tree, P=P).verify(HALF.A)

    def test_other_matrices(self, tree):
        assert not tree.verify([HALF.A[0]])
        assert not tree.verify([])
        assert not tree.verify([HALF.A[0], fmpq_mat([[fmpq(3, 2), fmpq(-3, 4)], [1, 0]])])
        assert not tree.verify([identity(3), identity(3)])

    def test_a_single_letter_that_does_not_contract(self):
        assert not WordTree(identity(1), fmpq(1, 2), ((0,),), fmpq(1)).verify([fmpq_mat([[fmpq(2, 3)]])])

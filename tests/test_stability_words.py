"""Words: necklaces, exact decisions by length, and rates."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import product

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import brute_force_rate, rationals, switched_systems

from piggycheck.errors import SwitchedSystemError
from piggycheck.linalg import as_float, float_rows
from piggycheck.stability import best_rate_word, necklaces, rate_of_word, search_words
from piggycheck.switched import SwitchedSystem

HEAVY_BALL = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]])
LATE_GROWTH = SwitchedSystem.from_rows([[[2, 1], [0, 2]], [[2, 0], [-1, 2]]])
"""T. Mejstrik's pair: every word of length at most 7 has rate 2, the joint spectral radius exceeds 2.36."""


class TestNecklaces:
    @pytest.mark.parametrize(("letters", "length"), [(1, 1), (1, 3), (2, 1), (2, 6), (2, 9), (3, 5), (4, 4)])
    def test_each_primitive_word_is_met_once_up_to_rotation(self, letters, length):
        """Against the classes of all words under rotation."""
        primitive = set()
        for word in product(range(letters), repeat=length):
            rotations = {word[i:] + word[:i] for i in range(length)}
            if len(rotations) == length:
                primitive.add(min(rotations))
        assert sorted(primitive) == list(necklaces(letters, length))

    def test_nothing_comes_from_nothing(self):
        assert [] == list(necklaces(0, 3)) == list(necklaces(2, 0))


class TestExactSearch:
    def test_the_heavy_ball_needs_length_four(self):
        search = search_words(HEAVY_BALL)
        assert (search.word, search.exhaustive_below, search.stable_below) == ((0, 0, 1, 1), 4, 4)

    def test_late_growth_is_late(self):
        """No word of length 7 or less has a rate above 2; a word of length 8 has."""
        search = search_words(LATE_GROWTH, fmpq(2))
        assert search.word is not None
        assert len(search.word) >= 8
        assert len(search.word) == search.exhaustive_below
        assert search_words(LATE_GROWTH, fmpq(2), max_length=7).word is None
        assert search_words(LATE_GROWTH, fmpq(2), strict=False).word == (0,)
        assert brute_force_rate(LATE_GROWTH, 7) == pytest.approx(2, abs=1e-3)

    def test_the_word_must_really_be_large(self):
        """A pair of rotations by rational angles: all products have spectral radius exactly 1."""
        rotations = SwitchedSystem.from_rows(
            [[["3/5", "-4/5"], ["4/5", "3/5"]], [["5/13", "-12/13"], ["12/13", "5/13"]]]
        )
        search = search_words(rotations, max_length=8)
        assert (search.word, search.exhaustive_below, search.stable_below) == (None, 9, 1)
        assert search_words(rotations, strict=False).word == (0,)

    def test_a_budget_that_ends_is_told(self):
        search = search_words(HEAVY_BALL, word_budget=4)
        assert (search.word, search.exhaustive_below, search.decided) == (None, 3, 4)

    def test_no_time_means_no_word(self):
        search = search_words(HEAVY_BALL, time_limit=-1.0)
        assert (search.word, search.exhaustive_below, search.decided) == (None, 1, 0)

    def test_one_letter_has_no_longer_words(self):
        search = search_words(SwitchedSystem.from_rows([[["1/2"]], [["1/2"]]]), max_length=5)
        assert (search.word, search.exhaustive_below, search.stable_below, search.decided) == (None, 6, 6, 1)

    def test_equal_matrices_are_one_letter(self):
        """The letters of the word are the first indices of their matrices."""
        doubled = SwitchedSystem(
            tuple(HEAVY_BALL.A[i] for i in (0, 0, 1, 1)), tuple(HEAVY_BALL.B[i] for i in (0, 0, 1, 1))
        )
        assert search_words(doubled).word == (0, 0, 2, 2)

    @given(switched_systems(2, 2, rationals(4, 3)))
    @settings(max_examples=60, deadline=None)
    def test_no_shorter_word_is_missed(self, system):
        """Against eigenvalues of all words, where floating point is sure."""
        search = search_words(system, max_length=6)
        for length in range(1, search.exhaustive_below):
            for word in product(range(len(system)), repeat=length):
                radius = np.abs(np.linalg.eigvals(np.array(float_rows(system.product(word)[0])))).max()
                assert radius < 1 + 1e-3
        if search.word is not None:
            radius = np.abs(np.linalg.eigvals(np.array(float_rows(system.product(search.word)[0])))).max()
            assert radius > 1 - 1e-3

    def test_a_rate_must_be_positive(self):
        with pytest.raises(SwitchedSystemError, match="rate is 0; write a positive number"):
            search_words(HEAVY_BALL, fmpq(0))


class TestRates:
    def test_the_rate_of_a_word_is_a_lower_bound(self):
        bound = rate_of_word(HEAVY_BALL, (0, 0, 1, 1))
        assert fmpq(9, 8) == bound.modulus_lower
        assert bound.rate_lower**4 <= bound.modulus_lower
        assert as_float(bound.rate_lower) == pytest.approx(1.0298835719535588, abs=1e-8)

    def test_the_best_word_of_the_heavy_ball(self):
        """The value of MATHS: 1.0321435344200298, by a word of length 11."""
        bound = best_rate_word(HEAVY_BALL, max_length=12, time_limit=20)
        assert len(bound.word) == 11
        assert as_float(bound.rate_lower) == pytest.approx(1.0321435344200298, abs=1e-8)
        assert as_float(bound.rate_lower) <= 1.0321435344200298

    @pytest.mark.parametrize(
        ("rows", "rate", "length"),
        [
            ([[[0, 1], [0, 0]], [[0, 0], [1, 0]]], 1.0, 2),
            ([[[-1, -1], [-4, 0]], [[3, 3], [-2, 1]]], 3.917384715148241, 2),
            ([[[1, 1], [0, 1]], [[0, 0], ["1/2", 0]]], 1.169930812758687, 7),
            ([[[0, "-1000/1331"], ["1331/1000", -1]], [[0, "-1331/1000"], ["1000/1331", -1]]], 1.21, 3),
        ],
        ids=["nilpotent pair", "Ahmadi-Jungers-Parrilo-Roozbehani 5.4", "rank one", "Kozyakin 2024"],
    )
    def test_known_best_words(self, rows, rate, length):
        bound = best_rate_word(SwitchedSystem.from_rows(rows), max_length=10, time_limit=20)
        assert length == len(bound.word)
        assert rate * (1 - 1e-8) <= as_float(bound.rate_lower) <= rate * (1 + 1e-14)

    @given(switched_systems(3, 2, rationals(4, 3)))
    @settings(max_examples=40, deadline=None)
    def test_the_search_finds_what_brute_force_finds(self, system):
        bound = best_rate_word(system, max_length=6, time_limit=20, beam=10**6)
        expected = brute_force_rate(system, 6)
        assert as_float(bound.rate_lower) >= expected * (1 - 1e-2) - 1e-2

    def test_nilpotent_and_zero_matrices_have_rate_zero(self):
        for rows in ([[0, 1], [0, 0]], [[0, 0], [0, 0]]):
            assert fmpq(0) == best_rate_word(SwitchedSystem.from_rows([rows])).rate_lower

    def test_an_empty_word_has_no_rate(self):
        with pytest.raises(SwitchedSystemError, match="word is empty"):
            rate_of_word(HEAVY_BALL, ())

    @given(st.integers(1, 400))
    @settings(max_examples=20, deadline=None)
    def test_huge_and_tiny_entries_are_no_obstacle(self, digits):
        scale = fmpq(10) ** digits
        for value in (scale, 1 / scale):
            assert value == best_rate_word(SwitchedSystem.from_rows([fmpq_mat([[value]])])).rate_lower


def test_short_words_are_decided_without_importing_anything_large():
    """The heavy ball is refuted before numpy, scipy or a solver is loaded."""
    code = (
        "import json, sys\n"
        "from flint import fmpq, fmpq_mat\n"
        "from piggycheck.stability import decide\n"
        "from piggycheck.switched import SwitchedSystem\n"
        "q = fmpq(3, 4)\n"
        "answer = decide(SwitchedSystem.from_rows([fmpq_mat([[q, -q], [1, 0]]), fmpq_mat([[2 * q, -q], [1, 0]])]))\n"
        "heavy = [m for m in ('numpy', 'scipy', 'clarabel', 'sympy') if m in sys.modules]\n"
        "print(json.dumps([answer.word, heavy]))\n"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(result.stdout) == [[0, 0, 1, 1], []]

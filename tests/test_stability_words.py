"""Words: necklaces, exact decisions by length, and rates."""

from __future__ import annotations

import json
import subprocess
import sys
from fractions import Fraction
from itertools import product
from random import Random

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from jsr_families import FAMILIES, family
from matrix_strategies import brute_force_rate, matrices, rationals, square_matrices, switched_systems

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix
from piggycheck.linalg import as_float, float_rows, zeros
from piggycheck.stability import best_rate_word, necklaces, rate_of_word, search_words
from piggycheck.stability.growing_forms import grow_along, prove_growing_forms
from piggycheck.stability.necklaces import necklace_of
from piggycheck.stability.words import ExactWalk, leading_words
from piggycheck.switched import SwitchedSystem

HEAVY_BALL = family("heavy_ball").system
LATE_GROWTH = family("late_growth").system
PAIRS = [known for known in FAMILIES if known.word is not None and known.system.dimension == 2]
GRAPH = [(0, 0, 1), (0, 1, 0), (0, 2, 2), (1, 0, 2), (1, 1, 0), (1, 2, 3), (2, 0, 3), (2, 1, 1), (3, 2, 0), (3, 0, 3)]


def spectral_radius(M):
    """In floating point."""
    return float(np.abs(np.linalg.eigvals(np.array(float_rows(M)))).max())


def between(M, random):
    """A matrix between the bounds, often a corner."""
    ends = [[random.choice([low, high, (low + high) / 2]) for low, high in row] for row in M.bounds()]
    return fmpq_mat(ends)


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

    @given(st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=3).map(tuple), max_size=3))
    @settings(max_examples=40, deadline=None)
    def test_words_with_forbidden_prefixes_are_left_out_and_no_others(self, prefixes):
        def forbidden(word):
            return next((len(p) for p in prefixes if p == tuple(word[: len(p)])), None)

        wanted = [word for word in necklaces(3, 6) if forbidden(word) is None]
        assert wanted == list(necklaces(3, 6, forbidden))

    @given(st.lists(st.integers(0, 2), min_size=1, max_size=12).map(tuple))
    def test_a_word_is_a_rotation_of_a_power_of_its_necklace(self, word):
        root = necklace_of(word)
        power = root * (len(word) // len(root))
        assert word in {power[i:] + power[:i] for i in range(len(word))}
        assert root in set(necklaces(3, len(root)))

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
                assert spectral_radius(system.product(word)[0]) < 1 + 1e-3
        if search.word is not None:
            assert spectral_radius(system.product(search.word)[0]) > 1 - 1e-3

    def test_words_that_are_no_paths_of_a_graph_are_never_decided(self):
        """A graph of 10 edges on 2 by 2 letters: of 10 + 45 + 330 + 2475 necklaces the few with nonzero products."""
        letters = [[[1, 2], [0, 1]], [[1, 0], ["1/2", 1]], [[0, -1], [1, 1]]]
        unfolded = SwitchedSystem.from_rows(letters, graph=GRAPH).unfolded()
        walk = ExactWalk(unfolded, fmpq(1000), 4, 10**6, 60)
        met = {word for word, _, _ in walk}
        empty = zeros(unfolded.dimension, unfolded.dimension)
        for length in range(1, 5):
            for word in necklaces(10, length):
                assert (word in met) == (unfolded.product(word)[0] != empty)
        assert (walk.decided, walk.finished, walk.stable_below) == (len(met), 4, 5)
        assert len(met) < 150

    def test_bounds_on_entries_leave_some_words_undecided(self):
        """All matrices of the first interval have a radius above 1, those of the second on both sides."""
        system = SwitchedSystem.from_rows([[[["1/2", "3/2"]]], [[[2, 3]]]])
        walk = ExactWalk(system, fmpq(1), 1, 10, 60)
        assert [((0,), True), ((1,), False)] == [(word, size < -1) for word, _, size in walk]
        assert 1 == walk.stable_below
        assert (1,) == search_words(system).word
        assert search_words(system, fmpq(2), max_length=1).word is None
        assert (1,) == search_words(system, fmpq(2), strict=False, max_length=1).word

    def test_a_rate_must_be_positive(self):
        with pytest.raises(SwitchedSystemError, match="rate is 0; write a positive number"):
            search_words(HEAVY_BALL, fmpq(0))


class TestRates:
    def test_the_rate_of_a_word_is_a_lower_bound(self):
        bound = rate_of_word(HEAVY_BALL, (0, 0, 1, 1))
        assert fmpq(9, 8) == bound.modulus_lower
        assert bound.rate_lower**4 <= bound.modulus_lower
        assert as_float(bound.rate_lower) == pytest.approx(1.0298835719535588, abs=1e-8)

    @pytest.mark.parametrize("known", PAIRS, ids=lambda known: known.name)
    def test_rates_are_sharp_to_twelve_digits(self, known):
        """Against the quadratic formula in radicals."""
        low, high = known.word_rate
        bound = rate_of_word(known.system, known.word)
        found = Fraction(int(bound.rate_lower.p), int(bound.rate_lower.q))
        assert low * (1 - Fraction(1, 10**12)) <= found <= high
        assert bound.rate_lower ** len(known.word) <= bound.modulus_lower

    def test_letters_do_as_well_as_a_system(self):
        assert rate_of_word(HEAVY_BALL, (0, 1)) == rate_of_word(HEAVY_BALL.A, (0, 1))
        with pytest.raises(SwitchedSystemError, match="letter 2 of the word is no index; write 0 to 1"):
            rate_of_word(HEAVY_BALL.A, (0, 2))

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

    def test_a_rotation_leads(self):
        """Complex leading eigenvalues: the modulus of 3 + 4i is 5, and that of a shear is 1."""
        rotation, shear = fmpq_mat([[3, -4], [4, 3]]), fmpq_mat([[1, 1], [0, 1]])
        assert fmpq(5) == rate_of_word([shear, rotation], (1,)).rate_lower
        word, rate = leading_words([fmpq_mat([[0, -2], [1, 0]]), fmpq_mat([[0, 1], [0, 0]])])[0]
        assert ((0,), pytest.approx(2**0.5)) == (word, rate)

    @pytest.mark.parametrize("known", FAMILIES, ids=lambda known: known.name)
    def test_the_leading_words_have_the_known_rates(self, known):
        found = leading_words(known.system.A, time_limit=20)
        if known.word is None:
            assert found == []
            return
        rates = [rate for _, rate in found]
        assert rates == sorted(rates, reverse=True) or rates == pytest.approx(sorted(rates, reverse=True))
        assert len(found) == len({necklace_of(word) for word, _ in found})
        assert rates[0] >= brute_force_rate(known.system, 1) * (1 - 1e-9)
        assert float(known.enclosure[0]) == pytest.approx(rates[0], rel=1e-9)
        assert len(found[0][0]) <= len(known.word)
        for word, rate in found[:2]:
            assert as_float(rate_of_word(known.system, word).rate_lower) == pytest.approx(rate, rel=1e-7)

    def test_no_time_means_no_leading_words(self):
        assert [] == leading_words(HEAVY_BALL.A, time_limit=0) == leading_words(HEAVY_BALL.A, max_length=0)

    def test_an_empty_word_has_no_rate(self):
        with pytest.raises(SwitchedSystemError, match="word is empty"):
            rate_of_word(HEAVY_BALL, ())

    @given(st.integers(1, 400))
    @settings(max_examples=20, deadline=None)
    def test_huge_and_tiny_entries_are_no_obstacle(self, digits):
        scale = fmpq(10) ** digits
        for value in (scale, 1 / scale):
            assert value == best_rate_word(SwitchedSystem.from_rows([fmpq_mat([[value]])])).rate_lower


class TestUncertainMatrices:
    @given(
        square_matrices(3, rationals(4, 3)).filter(lambda M: M.nrows() > 0), st.sampled_from([2, 20, 1000]), st.data()
    )
    @settings(max_examples=60, deadline=None)
    def test_every_choice_has_the_rate(self, C, precision, data):
        """Against eigenvalues of matrices between the bounds, other ones at every step."""
        n = C.nrows()
        R = data.draw(matrices(n, n, rationals(3, 2).map(lambda x: abs(x) / precision)))
        letters = [IntervalMatrix(C, R), fmpq_mat([[int(i == j) + int(i < j) for j in range(n)] for i in range(n)])]
        word = data.draw(st.sampled_from([(0,), (0, 1), (0, 0, 1)]))
        bound = rate_of_word(letters, word, forms=data.draw(st.booleans()))
        random = data.draw(st.randoms(use_true_random=False))
        for _ in range(5):
            product = fmpq_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])
            for letter in word:
                product = (between(letters[0], random) if letter == 0 else letters[1]) * product
            assert spectral_radius(product) >= as_float(bound.modulus_lower) * (1 - 1e-6) - 1e-4
        assert bound.rate_lower ** len(word) <= bound.modulus_lower

    def test_narrow_bounds_cost_little(self):
        bounds = []
        for digits in (3, 6, 12):
            R = fmpq_mat(2, 2, [1 / fmpq(10) ** digits] * 4)
            letters = [IntervalMatrix(A, R) for A in HEAVY_BALL.A]
            bounds.append(as_float(rate_of_word(letters, (0, 0, 1, 1), forms=True).rate_lower))
        assert bounds == sorted(bounds)
        for bound, error in zip(bounds, (0.004, 1e-5, 1e-8), strict=True):
            assert (9 / 8) ** 0.25 - error < bound < (9 / 8) ** 0.25

    @pytest.mark.parametrize("width", [fmpq(1, 100), fmpq(1, 1000)])
    def test_forms_follow_a_long_word(self, width):
        """The product of 11 uncertain matrices is hardly known at all; forms see its growth nevertheless."""
        word = family("heavy_ball").word
        letters = [IntervalMatrix(A, fmpq_mat(2, 2, [width] * 4)) for A in HEAVY_BALL.A]
        bound = rate_of_word(letters, word, forms=True)
        assert grow_along(letters, word, bound.forms, bound.rate_lower)
        assert bound.rate_lower ** len(word) == bound.modulus_lower
        assert as_float(bound.rate_lower) > (1.029 if width < fmpq(1, 100) else 1.003)
        random = Random(1)
        for _ in range(100):
            product = fmpq_mat([[1, 0], [0, 1]])
            for letter in word:
                product = between(letters[letter], random) * product
            assert spectral_radius(product) >= as_float(bound.modulus_lower)

    def test_forms_are_refused_for_a_false_claim(self):
        letters, word = [fmpq_mat([[2, 0], [0, 1]])], (0,)
        good = fmpq_mat([[1, 0], [0, -1]])
        assert grow_along(letters, word, [good], fmpq(2))
        assert not grow_along(letters, word, [good], fmpq(21, 10))
        assert not grow_along(letters, word, [-good], fmpq(2))
        assert not grow_along(letters, word, [fmpq_mat([[-1, 0], [0, -1]])], fmpq(3))
        assert not grow_along(letters, word, [fmpq_mat([[0, 0], [0, 0]])], fmpq(3))
        assert not grow_along(letters, word, [], fmpq(2))
        assert not grow_along([IntervalMatrix(letters[0], fmpq_mat([[1, 0], [0, 0]]))], word, [good], fmpq(2))
        assert prove_growing_forms(letters, word, fmpq(21, 10)) is None

    def test_bounds_around_zero_prove_nothing(self):
        around = IntervalMatrix(zeros(2, 2), fmpq_mat([[1, 1], [1, 1]]))
        assert fmpq(0) == rate_of_word([around], (0,)).rate_lower
        either_sign = IntervalMatrix(fmpq_mat([[1, 0], [0, 1]]), fmpq_mat([[1, 0], [0, 1]]))
        assert fmpq(0) == rate_of_word([either_sign], (0,)).rate_lower

    def test_bounds_without_width_are_exact(self):
        letters = [IntervalMatrix(A, zeros(2, 2)) for A in HEAVY_BALL.A]
        assert fmpq(9, 8) == rate_of_word(letters, (0, 0, 1, 1)).modulus_lower

    def test_zero_eigenvalues_are_put_aside(self):
        """A path of a graph: the only nonzero block is an interval of positive numbers."""
        system = SwitchedSystem.from_rows([[[[1, 2]]], [[3]]], graph=[(0, 0, 1), (1, 1, 0)]).unfolded()
        assert fmpq(3) == rate_of_word(system, (0, 1)).modulus_lower
        assert fmpq(0) == rate_of_word(system, (0,)).modulus_lower

    def test_triangular_parts_are_looked_at_alone(self):
        """The diagonal entries are eigenvalues, whatever stands below them."""
        system = SwitchedSystem.from_rows([[[[1, 2], 0], [[-100, 100], ["1/3", "5/2"]]]])
        assert fmpq(1) == rate_of_word(system, (0,)).modulus_lower


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

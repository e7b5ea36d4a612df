"""Monotone polytopes: known joint spectral radii, refusals, tampering, intervals."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from jsr_families import family
from matrix_strategies import brute_force_rate, switched_systems

from piggycheck.certificates import as_text
from piggycheck.intervals import IntervalMatrix
from piggycheck.linalg import as_float, identity, matrix, simplest_between, zeros
from piggycheck.stability.nonnegative import Nonnegative, guess_linear, is_nonnegative, prove_nonnegative
from piggycheck.stability.words import leading_words
from piggycheck.switched import SwitchedSystem

GOLDEN = [matrix([[1, 1], [0, 1]]), matrix([[1, 0], [1, 1]])]
"""Radius: the golden mean, along the word 0 1."""

NINE_TENTHS = [matrix([[1, 1], [0, 1]]), matrix([["9/10", 0], ["9/10", "9/10"]])]
"""Radius: the golden mean times the root of 9/10, along the word 0 1."""

RANK_ONE = [matrix([[1, 1], [0, 1]]), matrix([[0, 0], ["1/2", 0]])]
"""Radius: 3^(1/7), along the word 1 0 0 0 0 0 0."""

GOLDEN_MEAN = (1 + 5**0.5) / 2


def beside(rate, gap):
    """A simple rational number that differs from a rate by about a part of it."""
    low, high = sorted(fmpq(*(rate * (1 + part * gap)).as_integer_ratio()) for part in (0.5, 1.0))
    return simplest_between(low, high)


def follows_the_definition(proof, A):
    """Every inequality again, in the words of the definition."""
    assert all(min(v) >= 0 for v in proof.vertices)
    assert all(sum(column) > 0 for column in zip(*proof.vertices, strict=True))
    for M, images in zip(A, proof.coefficients, strict=True):
        for v, combination in zip(proof.vertices, images, strict=True):
            assert sum(c for _, c in combination) <= 1 and all(c >= 0 for _, c in combination)
            for i, value in enumerate((M * fmpq_mat([[x] for x in v])).entries()):
                assert value <= proof.rate * sum((c * proof.vertices[j][i] for j, c in combination), fmpq(0))


class TestKnownRadii:
    @pytest.mark.parametrize("gap", [1e-2, 1e-4, 1e-7])
    @pytest.mark.parametrize(
        ("A", "word", "radius"),
        [
            (GOLDEN, (0, 1), GOLDEN_MEAN),
            (NINE_TENTHS, (0, 1), GOLDEN_MEAN * 0.9**0.5),
            (RANK_ONE, (1, 0, 0, 0, 0, 0, 0), 3 ** (1 / 7)),
        ],
        ids=["Blondel, Theys, Vladimirov 2003: 1", "Blondel, Theys, Vladimirov 2003: 9/10", "rank one"],
    )
    def test_small_gaps(self, A, word, radius, gap):
        proof = prove_nonnegative(A, beside(radius, gap), [word])
        follows_the_definition(proof, A)
        assert proof.verify(A)
        assert prove_nonnegative(A, beside(radius, -gap), [word]) is None

    @pytest.mark.parametrize(
        ("A", "rate", "words"),
        [
            ([matrix([[0, 1, 0], [0, 0, 1], [1, 0, 0]]), matrix([[0, 1, 0], [1, 0, 0], [0, 0, 1]])], 1, [(0,), (1,)]),
            ([matrix([["1/2", "1/2"], ["1/3", "2/3"]]), matrix([[0, 1], [1, 0]])], 1, [(1,)]),
            ([matrix([["1/2", "1/3"], ["1/2", "2/3"]]), matrix([[1, "3/4"], [0, "1/4"]])], 1, [(0,)]),
            ([matrix([[1, 50], [0, 0]]), matrix([[0, 0], ["1/1000", 1]])], 1, [(0,), (1,)]),
            ([matrix([[0, 2], ["1/2", 0]]), matrix([["1/3", 0], [0, 1]])], 1, [(0,), (1,)]),
            ([matrix([[0, 1], [0, 0]]), matrix([[0, 0], [4, 0]])], 2, [(0, 1)]),
            ([identity(3)], 1, [(0,)]),
        ],
        ids=["permutations", "stochastic rows", "stochastic columns", "two projections", "mixed", "nilpotent", "1"],
    )
    def test_rates_that_are_attained(self, A, rate, words):
        """Rational eigenvectors: the joint spectral radius itself is proved."""
        proof = prove_nonnegative(A, fmpq(rate), words)
        follows_the_definition(proof, A)
        assert proof.verify(A)
        assert prove_nonnegative(A, fmpq(rate) - fmpq(1, 10**8), words) is None

    def test_unbounded_products_have_no_polytope_of_their_rate(self):
        A = [matrix([[1, 1], [0, 1]])]
        assert prove_nonnegative(A, fmpq(1), [(0,)], time_limit=0.2) is None
        assert prove_nonnegative(A, fmpq(101, 100), [(0,)]).verify(A)

    def test_coordinates_that_no_image_reaches(self):
        """The eigenvector of the word has a zero there; a small vertex makes up for it."""
        A = [matrix([[1, 0, 5], [1, 1, 0], [0, 0, "1/2"]]), matrix([[1, 1, 7], [0, 1, 1], [0, 0, "3/4"]])]
        proof = prove_nonnegative(A, beside(GOLDEN_MEAN, 1e-4), [(0, 1)])
        follows_the_definition(proof, A)

    def test_overlap_free_words(self):
        """Jungers, Protasov, Blondel 2009: two 20 by 20 matrices of radius 2.51793404086725."""
        A = family("overlap_free").system.A
        proof = prove_nonnegative(A, beside(2.51793404086725, 1e-6), [(1, 0)])
        assert proof.verify(A)
        follows_the_definition(proof, A)
        assert prove_nonnegative(A, fmpq(2517, 1000), [(1, 0)]) is None

    @pytest.mark.parametrize("words", [[], [(0,)], [(1, 1, 1), (0, 1, 1)]])
    def test_words_that_are_not_the_best(self, words):
        assert prove_nonnegative(GOLDEN, fmpq(17, 10), words).verify(GOLDEN)

    @given(switched_systems(4, 3, st.builds(fmpq, st.integers(0, 4), st.integers(1, 3))))
    @settings(max_examples=25, deadline=None)
    def test_no_word_exceeds_a_proved_rate(self, system):
        found = leading_words(system.A, max_length=6, time_limit=0.2)
        best = brute_force_rate(system, 4)
        for factor in (0.9, 1.001, 1.2):
            rate = beside(max(best, 0.1) * factor, 1e-3)
            proof = prove_nonnegative(system.A, rate, [word for word, _ in found], vertex_limit=50, time_limit=0.5)
            if proof is not None:
                follows_the_definition(proof, system.A)
                assert best <= as_float(rate) * (1 + 1e-6) + 1e-3


class TestLinearMethod:
    def test_one_vertex(self):
        assert (((fmpq(1), fmpq(1)),)) == prove_nonnegative(GOLDEN, fmpq(2), [(0, 1)]).vertices

    def test_the_rate_is_the_best_of_its_kind(self):
        """The largest spectral radius of a matrix made of rows of the letters, by brute force."""
        A = [matrix([[1, 2, 0], [0, 1, 1], [3, 0, 1]]), matrix([[2, 0, 1], [1, 1, 0], [0, 1, 2]])]
        rows = [[[as_float(M[i, j]) for j in range(3)] for M in A] for i in range(3)]
        mixed = [SwitchedSystem.from_rows([[list(map(int, row)) for row in choice]]) for choice in product(*rows)]
        vector, rate = guess_linear(A)
        assert rate == pytest.approx(max(brute_force_rate(system, 1) for system in mixed), rel=1e-6)
        assert min(vector) > 0

    def test_numbers_too_large_for_floats(self):
        huge = [fmpq(10) ** 400 * M for M in GOLDEN]
        assert prove_nonnegative(huge, fmpq(10) ** 400 * fmpq(17, 10), [(0, 1)]).verify(huge)
        mixed = [matrix([[1, fmpq(10) ** 400], [0, 1]]), matrix([[1, 0], [fmpq(10) ** 400, 1]])]
        assert prove_nonnegative(mixed, fmpq(3), [(0, 1)]) is None

    @pytest.mark.parametrize("digits", [50, 200, 330])
    def test_numbers_too_small_for_floats(self, digits):
        """Not always proved, but no exception, and what is proved holds."""
        tiny = fmpq(1, 10**digits)
        A = [matrix([[1, tiny], [0, 1]]), matrix([[1, 0], [1, tiny]]), matrix([["1/2", 0], [tiny, "1/2"]])]
        proof = prove_nonnegative(A, fmpq(11, 10), [(0,), (0, 1)])
        assert proof is None or proof.verify(A)


@pytest.fixture(scope="module")
def proof():
    return prove_nonnegative(NINE_TENTHS, fmpq(1536, 1000), [(0, 1)])


class TestRefusals:
    def test_negative_entries(self):
        A = [matrix([[1, 1], [0, 1]]), matrix([["-1/2", 0], [0, 0]])]
        assert not is_nonnegative(A)
        assert prove_nonnegative(A, fmpq(5), [(0,)]) is None
        one = Nonnegative(fmpq(5), ((fmpq(1), fmpq(1)),), (((((0, fmpq(1)),),),) * 2))
        assert one.verify([abs_of(M) for M in A])
        assert not one.verify(A)

    def test_a_false_rate(self, proof):
        assert proof.verify(NINE_TENTHS)
        assert not replace(proof, rate=fmpq(1534, 1000)).verify(NINE_TENTHS)
        assert not replace(proof, rate=fmpq(-1)).verify(NINE_TENTHS)

    def test_vertices(self, proof):
        """A vertex moved down in one coordinate: false, or still true by the definition."""
        for index, v in enumerate(proof.vertices):
            for k in range(2):
                moved = tuple(x * fmpq(9, 10) if i == k else x for i, x in enumerate(v))
                changed = replace(proof, vertices=(*proof.vertices[:index], moved, *proof.vertices[index + 1 :]))
                if changed.verify(NINE_TENTHS):
                    follows_the_definition(changed, NINE_TENTHS)
        assert not replace(proof, vertices=tuple((-a, -b) for a, b in proof.vertices)).verify(NINE_TENTHS)
        assert not replace(proof, vertices=tuple((a, 0 * b) for a, b in proof.vertices)).verify(NINE_TENTHS)
        assert not replace(proof, vertices=proof.vertices[1:]).verify(NINE_TENTHS)
        assert not replace(proof, vertices=()).verify(NINE_TENTHS)
        assert not replace(proof, vertices=tuple((*v, fmpq(1)) for v in proof.vertices)).verify(NINE_TENTHS)

    @pytest.mark.parametrize(
        "change",
        [
            lambda j, c: (j, c * fmpq(4, 5)),
            lambda j, c: (j, c + 1),
            lambda j, c: (j, -c),
            lambda j, c: (j - 10, c),
            lambda j, c: (j + 10, c),
        ],
        ids=["smaller", "too large", "negative", "before the first", "beyond the last"],
    )
    def test_coefficients(self, proof, change):
        coefficients = tuple(tuple(tuple(change(j, c) for j, c in row) for row in rows) for rows in proof.coefficients)
        assert not replace(proof, coefficients=coefficients).verify(NINE_TENTHS)

    def test_missing_parts(self, proof):
        assert not replace(proof, coefficients=proof.coefficients[:1]).verify(NINE_TENTHS)
        assert not replace(proof, coefficients=tuple(rows[:-1] for rows in proof.coefficients)).verify(NINE_TENTHS)
        assert not replace(proof, coefficients=tuple(((),) * len(rows) for rows in proof.coefficients)).verify(
            NINE_TENTHS
        )
        assert not proof.verify([])
        assert not proof.verify([identity(3), identity(3)])

    def test_a_zero_rate_needs_zero_matrices(self):
        proof = Nonnegative(fmpq(0), ((fmpq(1), fmpq(1)),), (((((0, fmpq(1)),),),)))
        assert proof.verify([zeros(2, 2)])
        assert not proof.verify([matrix([[0, 1], [0, 0]])])

    @pytest.mark.parametrize(
        "arguments", [{"rate": fmpq(0)}, {"rate": fmpq(-1)}, {"time_limit": 0.0}, {"vertex_limit": 1}]
    )
    def test_no_proof(self, arguments):
        given = {"rate": beside(3 ** (1 / 7), 1e-6)} | arguments
        assert prove_nonnegative(RANK_ONE, given.pop("rate"), [(1, 0, 0, 0, 0, 0, 0)], **given) is None

    def test_nothing_to_prove(self):
        assert prove_nonnegative([], fmpq(1), []) is None


class TestIntervals:
    A = (
        IntervalMatrix.between(matrix([["9/10", 1], [0, "1/2"]]), matrix([[1, 1], [0, 1]])),
        IntervalMatrix.between(matrix([["1/2", 0], ["1/2", "1/2"]]), matrix([["9/10", 0], ["9/10", "9/10"]])),
    )
    """Upper ends: `NINE_TENTHS`."""

    def test_the_upper_ends_decide(self):
        proof = prove_nonnegative(self.A, beside(GOLDEN_MEAN * 0.9**0.5, 1e-5), [(0, 1)])
        assert proof.verify(self.A) and proof.verify(NINE_TENTHS) and proof.verify([M.midpoint for M in self.A])
        follows_the_definition(proof, NINE_TENTHS)
        wider = [IntervalMatrix(M.midpoint, M.radius * fmpq(101, 100)) for M in self.A]
        assert not proof.verify(wider)
        assert prove_nonnegative(self.A, fmpq(153, 100), [(0, 1)]) is None

    def test_a_lower_end_below_zero(self):
        A = [IntervalMatrix(matrix([[1, 0], [0, 1]]), matrix([[0, "1/1000"], [0, 0]]))]
        assert not is_nonnegative(A)
        assert prove_nonnegative(A, fmpq(2), [(0,)]) is None


def test_witness():
    proof = prove_nonnegative(GOLDEN, fmpq(2), [(0, 1)])
    expected = {"method": "nonnegative", "rate": "2", "vertices": [["1", "1"]]}
    assert expected | {"coefficients": [[[["0", "1"]]], [[["0", "1"]]]]} == as_text(proof.witness())
    assert "a positive vector" == proof.summary()


def abs_of(M):
    return fmpq_mat(M.nrows(), M.ncols(), [abs(value) for value in M.entries()])

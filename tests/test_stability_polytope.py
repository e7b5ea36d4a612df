"""Invariant polytopes: known joint spectral radii from above, attained rates, intervals, and what `verify` refuses."""

from __future__ import annotations

import time
from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import brute_force_rate, rationals, switched_systems

from piggycheck.intervals import IntervalMatrix, midpoint, radius
from piggycheck.linalg import float_rows, matrix, simplest_between
from piggycheck.stability.floats import float_matrices
from piggycheck.stability.polytope import Polytope, prove_polytope
from piggycheck.stability.polytope_guess import grow_polytope

GOLDEN = (1 + 5**0.5) / 2

FAMILIES = {
    "heavy_ball": (
        [[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]],
        (1, 1, 0, 0, 1, 1, 0, 0, 1, 0, 0),
        1.0321435344200298,
    ),
    "path_complete_pair": ([[[-1, -1], [-4, 0]], [[3, 3], [-2, 1]]], (1, 0), ((13 + 313**0.5) / 2) ** 0.5),
    "golden_triple": ([[[0, 1, 1], [1, 0, 0], [0, -1, 0]], [[0, 1, 0], [-1, 0, 1], [-1, 0, 0]]], (1, 0), GOLDEN),
    "blondel_theys_vladimirov_1": ([[[1, 1], [0, 1]], [[1, 0], [1, 1]]], (1, 0), GOLDEN),
    "blondel_theys_vladimirov_9_10": (
        [[[1, 1], [0, 1]], [["9/10", 0], ["9/10", "9/10"]]],
        (1, 0),
        0.9**0.5 * GOLDEN,
    ),
    "gripenberg_1996": (
        [[["3/5", 0], ["1/5", "3/5"]], [["3/5", "-3/5"], [0, "-1/5"]]],
        (1, *[0] * 12),
        0.6596789089552835,
    ),
    "dumas_5": ([[[1, 0], [0, 1]], [[3, -3], [3, 3]]], (1,), 18**0.5),
    "rank_one_half": ([[[1, 1], [0, 1]], [[0, 0], ["1/2", 0]]], (1, *[0] * 6), 3 ** (1 / 7)),
    "mejstrik_pair": ([[[1, -1], [3, -2]], [[1, 3], [-1, -1]]], (1, 0), 3.5838929629977456),
    "late_growth": ([[[2, 1], [0, 2]], [[2, 0], [-1, 2]]], (*[0] * 7, *[1] * 7), 2.36007056204988),
    "triangular": ([[["1/2", 100], [0, "1/3"]], [["-2/5", -50], [0, "9/10"]]], (1,), 0.9),
}
"""Matrices, a word whose rate is the joint spectral radius, and that; the sources are in the literature."""


def read(rows):
    return [matrix(letter) for letter in rows]


def above(value: float, gap: float) -> fmpq:
    """A short rational number that exceeds the value by about the gap, relatively."""
    return simplest_between(*(fmpq(*end.as_integer_ratio()) for end in (value * (1 + 0.9 * gap), value * (1 + gap))))


def holds(proof: Polytope, A) -> bool:
    """The inequalities again, from the definition, with Python's fractions and a Gauss elimination of its own."""
    rate, n, count = fraction(proof.rate), A[0].nrows(), len(proof.vertices)
    vertices = [[fraction(x) for x in vertex] for vertex in proof.vertices]
    if rate <= 0 or len(proof.basis) != n or len(proof.coefficients) != len(A):
        return False
    if any(len(vertex) != n for vertex in vertices) or any(j not in range(count) for j in proof.basis):
        return False
    heights = [one_norm(solved([vertices[j] for j in proof.basis], k)) for k in range(n)]
    if None in heights:
        return False
    for M, images in zip(A, proof.coefficients, strict=True):
        C, R = ([[fraction(x) for x in row] for row in part(M).table()] for part in (midpoint, radius))
        if len(images) != count:
            return False
        for vertex, combination in zip(vertices, images, strict=True):
            if any(j not in range(count) for j, _ in combination):
                return False
            left = sum(abs(fraction(c)) for _, c in combination)
            for k in range(n):
                rest = sum(C[k][i] * vertex[i] for i in range(n))
                rest -= rate * sum(fraction(c) * vertices[j][k] for j, c in combination)
                width = sum(R[k][i] * abs(vertex[i]) for i in range(n))
                left += (abs(rest) + width) * heights[k] / rate
            if left > 1:
                return False
    return True


def fraction(value: fmpq) -> Fraction:
    return Fraction(int(value.p), int(value.q))


def one_norm(coefficients):
    return None if coefficients is None else sum(map(abs, coefficients))


def solved(rows, k):
    """Coefficients with which the rows combine to the unit vector k; None when they are dependent."""
    n = len(rows)
    table = [[rows[j][i] for j in range(n)] + [Fraction(i == k)] for i in range(n)]
    for column in range(n):
        pivot = next((i for i in range(column, n) if table[i][column]), None)
        if pivot is None:
            return None
        table[column], table[pivot] = table[pivot], table[column]
        table[column] = [x / table[column][column] for x in table[column]]
        for i in range(n):
            if i != column:
                table[i] = [x - table[i][column] * y for x, y in zip(table[i], table[column], strict=True)]
    return [row[-1] for row in table]


@pytest.fixture(scope="module")
def proof():
    rows, word, _ = FAMILIES["rank_one_half"]
    return prove_polytope(read(rows), fmpq(117, 100), [word])


class TestFamilies:
    @pytest.mark.parametrize("name", FAMILIES)
    def test_rates_just_above_the_radius_are_proved(self, name):
        rows, word, value = FAMILIES[name]
        for gap in (1e-1, 1e-3, 1e-5, 1e-7, 1e-9):
            rate = above(value, gap)
            proof = prove_polytope(read(rows), rate, [word])
            assert rate == proof.rate
            assert proof.verify(read(rows))
            assert holds(proof, read(rows))

    @pytest.mark.parametrize("name", FAMILIES)
    def test_rates_below_the_radius_are_not(self, name):
        rows, word, value = FAMILIES[name]
        for gap in (-1e-9, -1e-5, -1e-2):
            assert prove_polytope(read(rows), fmpq(*(value * (1 + gap)).as_integer_ratio()), [word]) is None
        assert prove_polytope(read(rows), fmpq(*(value * 0.999).as_integer_ratio()), []) is None

    @pytest.mark.parametrize("name", FAMILIES)
    def test_better_words_are_found_on_the_way(self, name):
        """Without any word given: the proof's seed and the best word come from the growth itself."""
        rows, word, value = FAMILIES[name]
        assert prove_polytope(read(rows), above(value, 1e-3), []).verify(read(rows))
        words, is_best = grown_words(read(rows))
        assert is_best
        assert value == pytest.approx(word_rate(read(rows), words[0]), rel=1e-9)
        assert len(words[0]) == len(word)

    @pytest.mark.parametrize("divisor", [2, 5, 10])
    def test_long_words_are_found(self, divisor):
        """Rank one: a word of k + 1 letters has the rate (k / divisor)^(1 / (k + 1))."""
        A = read([[[1, 1], [0, 1]], [[0, 0], [fmpq(1, divisor), 0]]])
        rates = {k + 1: (k / divisor) ** (1 / (k + 1)) for k in range(1, 99)}
        words, is_best = grown_words(A)
        assert is_best
        assert max(rates, key=rates.get) == len(words[0])
        assert prove_polytope(A, above(max(rates.values()), 1e-6), []).verify(A)

    def test_numbers_are_short(self):
        """The gap 1e-7 takes about 24 binary digits; the certificate has not many more."""
        rows, word, value = FAMILIES["heavy_ball"]
        proof = prove_polytope(read(rows), above(value, 1e-7), [word])
        assert 15 > len(proof.vertices)
        numbers = [x for vertex in proof.vertices for x in vertex]
        numbers += [c for images in proof.coefficients for combination in images for _, c in combination]
        assert 36 > max(max(int(abs(x.p)).bit_length(), int(x.q).bit_length()) for x in numbers)

    def test_the_witness_has_what_certificates_hold(self):
        A = read(FAMILIES["dumas_5"][0])
        proof = prove_polytope(A, fmpq(17, 4), [(1,)])
        witness = proof.witness()
        assert ["method", "rate", "vertices", "basis", "coefficients"] == list(witness)
        assert ("polytope", fmpq(17, 4)) == (witness["method"], witness["rate"])
        assert [list(vertex) for vertex in proof.vertices] == witness["vertices"]
        assert [[[[*pair] for pair in row] for row in images] for images in proof.coefficients] == witness[
            "coefficients"
        ]
        assert f"an invariant polytope of {len(proof.vertices)} pairs of vertices" == proof.summary()


def grown_words(A, gap=1e-6):
    """Words that show up while a hull grows, the best first, and whether the hull was closed."""
    letters = float_matrices(A)
    closure, words = grow_polytope(
        letters,
        np.zeros_like(letters),
        (),
        is_complex=None,
        gap=gap,
        vertex_limit=1000,
        deadline=time.monotonic() + 5,
    )
    return words, closure is not None


def word_rate(A, word) -> float:
    M = np.eye(A[0].nrows())
    for letter in word:
        M = np.array(float_rows(midpoint(A[letter]))) @ M
    return float(np.abs(np.linalg.eigvals(M)).max()) ** (1 / len(word))


class TestLargerMatrices:
    @pytest.mark.parametrize(
        "rows",
        [
            [
                [[0, 0, 2, 3], [-3, -2, 2, 3], [-2, -1, 3, -1], [-2, 2, -2, -1]],
                [[1, 0, -3, -3], [3, 2, 2, 0], [2, -1, 0, 2], [-3, -1, -3, 0]],
            ],
            [
                [
                    [2, -2, -3, -1, -1, 2],
                    [0, -3, -1, 1, 2, 2],
                    [3, -2, 3, -3, 0, -2],
                    [-2, 1, -1, 0, -2, -2],
                    [2, 0, 1, 1, 3, -1],
                    [-2, 1, 3, 3, 3, 1],
                ],
                [
                    [-1, -1, -3, -2, -1, -1],
                    [1, 0, 1, 3, 3, 2],
                    [3, -1, 3, 3, -2, 0],
                    [0, 1, 1, -3, 0, -3],
                    [3, -2, 0, 3, 0, 1],
                    [0, 2, 1, 1, 0, -1],
                ],
            ],
        ],
        ids=["four", "six"],
    )
    def test_the_radius_is_the_rate_of_the_best_word(self, rows):
        A = read(rows)
        words, is_best = grown_words(A, gap=1e-4)
        assert is_best
        best = word_rate(A, words[0])
        for gap in (1e-3, 1e-6):
            proof = prove_polytope(A, above(best, gap), words)
            assert holds(proof, A)
        assert prove_polytope(A, above(best * 0.999, 1e-4), words) is None


class TestAttainedRates:
    @pytest.mark.parametrize(
        ("rows", "words", "rate", "vertices"),
        [
            ([[[1, 0], [1, 0]], [[0, 1], [0, -1]]], [(0,)], "1", 2),
            ([[[0, 1], [0, 0]], [[0, 0], [1, 0]]], [], "1", 2),
            (
                [
                    [[1, 1, 1], [0, 0, 0], [0, 0, 0]],
                    [[1, 0, 0], [0, 1, -1], [0, 0, 0]],
                    [[0, 0, 0], [1, 1, 0], [0, 0, 1]],
                    [[0, 0, 0], [0, 0, 0], [1, -1, 1]],
                ],
                [(0,)],
                "1",
                3,
            ),
            (
                [
                    [[0, "-1000/1331"], ["1331/1000", -1]],
                    [[0, "-1331/1000"], ["1000/1331", -1]],
                ],
                [(0, 0, 1), (0, 1, 1)],
                "121/100",
                6,
            ),
            ([[["1/2", 0], [1, "1/3"]]], [], "1/2", 2),
            ([[[1, 0], [0, 1]]], [], "1", 2),
            ([[["1/2"]], [["-2/3"]]], [], "2/3", 1),
        ],
        ids=["projection_pair", "nilpotent_pair", "dumas_3", "kozyakin_baa", "single", "identity", "numbers"],
    )
    def test_the_polytope_closes_exactly(self, rows, words, rate, vertices):
        A, rate = read(rows), fmpq(*map(int, rate.split("/")))
        proof = prove_polytope(A, rate, words)
        assert (rate, vertices) == (proof.rate, len(proof.vertices))
        assert proof.verify(A)
        assert holds(proof, A)
        assert prove_polytope(A, rate * fmpq(10**12 - 1, 10**12), words) is None

    @pytest.mark.parametrize(
        ("rows", "rate"),
        [
            ([[[1, 1], [0, 1]]], "1"),
            ([[["3/5", "-4/5"], ["4/5", "3/5"]], [["5/13", "-12/13"], ["12/13", "5/13"]]], "1"),
            ([[[1, 1], [0, 1]], [[1, 0], [0, -1]]], "1"),
        ],
        ids=["unbounded products", "complex eigenvalues", "unbounded products of two"],
    )
    def test_no_polytope_exists(self, rows, rate):
        """No real polytope is mapped into itself, although the joint spectral radius is the rate."""
        assert prove_polytope(read(rows), fmpq(rate), [(0,)], vertex_limit=100) is None

    def test_unequal_cycles_are_balanced(self):
        """Two words attain the rate; one of them alone does not close the polytope with finitely many vertices."""
        A = read([[[0, "-1000/1331"], ["1331/1000", -1]], [[0, "-1331/1000"], ["1000/1331", -1]]])
        assert prove_polytope(A, fmpq(121, 100), [(0, 0, 1)]) is None
        assert prove_polytope(A, fmpq(121, 100), [(0, 1, 1), (1, 0, 0), (0, 0, 1)]) is not None


class TestEdgeCases:
    def test_nilpotent_matrices(self):
        A = read([[[0, 1, 2], [0, 0, 3], [0, 0, 0]], [[0, -1, 5], [0, 0, 7], [0, 0, 0]]])
        for rate in (fmpq(1), fmpq(1, 10), fmpq(1, 1000)):
            assert holds(prove_polytope(A, rate, []), A)

    def test_zero_matrices(self):
        A = read([[[0, 0], [0, 0]]])
        assert holds(prove_polytope(A, fmpq(1, 100), []), A)

    def test_numbers_of_very_different_size(self):
        A = read([[["1/2", "1000000"], [0, "1/3"]], [["-2/5", 3], [0, "9/10"]]])
        assert holds(prove_polytope(A, fmpq(91, 100), [(1,)]), A)

    def test_reducible_matrices(self):
        """The leading eigenvectors span only the first coordinate."""
        A = read([[[1, 5], [0, "1/2"]], [[-1, 1], [0, "1/3"]]])
        assert holds(prove_polytope(A, fmpq(101, 100), [(0,)]), A)

    @pytest.mark.parametrize(
        "arguments",
        [{"rate": fmpq(0)}, {"rate": fmpq(-1)}, {"time_limit": 0.0}, {"vertex_limit": 3}, {"A": []}],
        ids=["zero", "negative", "no time", "few vertices", "no matrix"],
    )
    def test_no_proof(self, arguments):
        rows, word, _ = FAMILIES["rank_one_half"]
        usual = {"A": read(rows), "rate": fmpq(117, 100), "words": [word]}
        assert prove_polytope(**usual) is not None
        assert prove_polytope(**(usual | arguments)) is None

    @given(switched_systems(3, 3, rationals(3, 9)), st.sampled_from([fmpq(1, 2), fmpq(9, 10), fmpq(1), fmpq(3, 2)]))
    @settings(max_examples=60, deadline=None)
    def test_what_is_proved_is_true(self, system, rate):
        proof = prove_polytope(system.A, rate, [], vertex_limit=60)
        best = brute_force_rate(system, 5)
        if proof is None:
            return
        assert holds(proof, system.A)
        assert best <= float(rate) * (1 + 1e-6)


class TestIntervals:
    WORD = FAMILIES["heavy_ball"][1]

    def letters(self, width):
        return [IntervalMatrix(A, fmpq_mat([[width, width], [width, width]])) for A in read(FAMILIES["heavy_ball"][0])]

    def corners(self, A):
        """All matrices whose entries are ends of the intervals."""
        signs = [fmpq_mat(2, 2, [2 * bit - 1 for bit in bits]) for bits in product((0, 1), repeat=4)]
        ends = [fmpq_mat(2, 2, [r * s for r, s in zip(A.radius.entries(), S.entries(), strict=True)]) for S in signs]
        return [A.midpoint + E for E in ends]

    def test_the_proof_holds_at_every_corner(self):
        letters = self.letters(fmpq(1, 10**4))
        proof = prove_polytope(letters, fmpq(1033, 1000), [self.WORD])
        assert holds(proof, letters)
        for A in product(*map(self.corners, letters)):
            assert proof.verify(A)
            assert word_rate(A, self.WORD) < 1.033

    def test_a_rate_that_a_corner_exceeds(self):
        letters = self.letters(fmpq(1, 10**4))
        assert max(word_rate(A, self.WORD) for A in product(*map(self.corners, letters))) > 1.0322
        assert prove_polytope(letters, fmpq(10322, 10**4), [self.WORD]) is None

    def test_wide_intervals(self):
        assert prove_polytope(self.letters(fmpq(2)), fmpq(11, 10), [self.WORD]) is None
        assert holds(prove_polytope(self.letters(fmpq(1, 20)), fmpq(3, 2), [self.WORD]), self.letters(fmpq(1, 20)))

    def test_a_proof_for_the_middle_is_none_for_the_interval(self):
        A = read(FAMILIES["heavy_ball"][0])
        proof = prove_polytope(A, fmpq(10322, 10**4), [self.WORD])
        assert proof.verify(A)
        assert not proof.verify(self.letters(fmpq(1, 10**4)))


class TestVerifyRefuses:
    A = read(FAMILIES["rank_one_half"][0])

    def test_the_right_proof_is_accepted(self, proof):
        assert proof.verify(self.A)

    @pytest.mark.parametrize("rate", [fmpq(116, 100), fmpq(1), fmpq(0), fmpq(-117, 100)])
    def test_another_rate(self, proof, rate):
        assert not replace(proof, rate=rate).verify(self.A)

    @pytest.mark.parametrize("factor", [fmpq(1001, 1000), fmpq(99, 100), fmpq(-1), fmpq(0), fmpq(2)])
    def test_other_numbers_are_refused_or_still_a_proof(self, proof, factor):
        """Each vertex coordinate and each coefficient in turn; against the independent check."""
        refused = 0
        for changed in self.changes(proof, factor):
            assert holds(changed, self.A) == changed.verify(self.A)
            refused += not changed.verify(self.A)
        assert refused > 10

    def changes(self, proof, factor):
        for v, vertex in enumerate(proof.vertices):
            for k, x in enumerate(vertex):
                other = (*vertex[:k], x * factor, *vertex[k + 1 :])
                yield replace(proof, vertices=(*proof.vertices[:v], other, *proof.vertices[v + 1 :]))
        for i, v, term in self.terms(proof):
            j, c = proof.coefficients[i][v][term]
            yield self.with_term(proof, i, v, term, (j, c * factor))

    def terms(self, proof):
        for i, images in enumerate(proof.coefficients):
            for v, combination in enumerate(images):
                for term in range(len(combination)):
                    yield i, v, term

    def with_term(self, proof, i, v, term, pair):
        images = [list(map(list, letter)) for letter in proof.coefficients]
        images[i][v][term] = pair
        return replace(proof, coefficients=tuple(tuple(map(tuple, letter)) for letter in images))

    def test_other_vertices_in_combinations(self, proof):
        for i, v, term in self.terms(proof):
            j, c = proof.coefficients[i][v][term]
            for other in (-1, len(proof.vertices), (j + 1) % len(proof.vertices)):
                changed = self.with_term(proof, i, v, term, (other, c))
                assert holds(changed, self.A) == changed.verify(self.A)

    def test_other_bases(self, proof):
        for basis in product(range(-1, len(proof.vertices) + 1), repeat=2):
            changed = replace(proof, basis=basis)
            assert holds(changed, self.A) == changed.verify(self.A)
        for basis in ((), (0,), (0, 1, 2), (0, 0)):
            assert not replace(proof, basis=basis).verify(self.A)

    def test_missing_parts(self, proof):
        assert not replace(proof, vertices=proof.vertices[:-1]).verify(self.A)
        assert not replace(proof, coefficients=proof.coefficients[:1]).verify(self.A)
        assert not replace(proof, coefficients=(proof.coefficients[0][1:], proof.coefficients[1])).verify(self.A)
        assert not replace(proof, vertices=tuple((*vertex, fmpq(1)) for vertex in proof.vertices)).verify(self.A)

    def test_other_matrices(self, proof):
        assert not proof.verify([])
        assert not proof.verify(self.A[:1])
        assert not proof.verify([*self.A, self.A[0]])
        assert not proof.verify([matrix([[1, 0, 0], [0, 1, 0], [0, 0, 1]])] * 2)
        assert not proof.verify([self.A[0], self.A[1] * fmpq(11, 10)])

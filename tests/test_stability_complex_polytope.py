"""Invariant complex polytopes: sets whose best word has a complex leading eigenvalue, and what `verify` refuses."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import brute_force_rate, rationals, switched_systems
from test_stability_polytope import above, fraction, read

from piggycheck.intervals import IntervalMatrix, midpoint, radius
from piggycheck.linalg import float_rows, matrix
from piggycheck.stability.complex_polytope import ComplexPolytope, prove_complex_polytope

SETS = {
    "dumas_5": [[[1, 0], [0, 1]], [[3, -3], [3, 3]]],
    "rotations": [[["3/5", "-4/5"], ["4/5", "3/5"]], [["5/13", "-12/13"], ["12/13", "5/13"]]],
    "three": [[[0, 0, 2], [3, -3, -2], [2, 3, -2]], [[-1, 3, -1], [-2, 2, -2], [-1, 1, 0]]],
    "three more": [[[3, -2, 3], [1, -1, -1], [-2, -1, 1]], [[1, -1, 3], [2, 3, 1], [1, 0, 2]]],
    "four": [
        [[2, -1, -2, 3], [-2, -1, 1, 2], [1, 3, -3, -1], [1, 0, -1, -1]],
        [[-3, -3, 0, 0], [3, -2, 2, -2], [-2, -2, -1, -2], [3, 2, 2, -1]],
    ],
}
WORDS = {"dumas_5": (1,), "rotations": (0,), "three": (0,), "three more": (0,), "four": (1,)}


def value_of(name) -> float:
    """The rate of the word, which is a letter."""
    (letter,) = WORDS[name]
    return float(np.abs(np.linalg.eigvals(np.array(float_rows(read(SETS[name])[letter])))).max())


class Gauss:
    """A complex number with rational parts."""

    def __init__(self, a, b=0):
        self.a, self.b = Fraction(a), Fraction(b)

    def __add__(self, z):
        return Gauss(self.a + z.a, self.b + z.b)

    def __sub__(self, z):
        return Gauss(self.a - z.a, self.b - z.b)

    def __mul__(self, z):
        return Gauss(self.a * z.a - self.b * z.b, self.a * z.b + self.b * z.a)

    def __truediv__(self, z):
        return self * Gauss(z.a / z.square, -z.b / z.square)

    def __abs__(self):
        """The 1-norm, which is at least the modulus."""
        return abs(self.a) + abs(self.b)

    @property
    def square(self):
        return self.a * self.a + self.b * self.b


def holds(proof: ComplexPolytope, A) -> bool:
    """The inequalities again, from the definition, with complex fractions and a Gauss elimination of its own."""
    rate, n, count = fraction(proof.rate), A[0].nrows(), len(proof.vertices)
    vertices = [[Gauss(fraction(a), fraction(b)) for a, b in vertex] for vertex in proof.vertices]
    if rate <= 0 or len(proof.basis) != n or len(proof.coefficients) != len(A):
        return False
    if any(len(vertex) != n for vertex in vertices) or any(j not in range(count) for j in proof.basis):
        return False
    heights = [solved([vertices[j] for j in proof.basis], k) for k in range(n)]
    if None in heights:
        return False
    for M, images in zip(A, proof.coefficients, strict=True):
        C, R = ([[fraction(x) for x in row] for row in part(M).table()] for part in (midpoint, radius))
        if len(images) != count:
            return False
        for vertex, combination in zip(vertices, images, strict=True):
            left = Fraction(0)
            rests = [sum((Gauss(C[k][i]) * vertex[i] for i in range(n)), Gauss(0)) for k in range(n)]
            for j, *parts in combination:
                a, b, m = map(fraction, parts)
                if j not in range(count) or m < 0 or m * m < a * a + b * b:
                    return False
                left += m
                rests = [rest - Gauss(rate) * Gauss(a, b) * vertices[j][k] for k, rest in enumerate(rests)]
            widths = [sum(R[k][i] * abs(vertex[i]) for i in range(n)) for k in range(n)]
            left += sum(
                (abs(rest) + width) * sum(map(abs, height)) / rate
                for rest, width, height in zip(rests, widths, heights, strict=True)
            )
            if left > 1:
                return False
    return True


def solved(rows, k):
    """Coefficients with which the rows combine to the unit vector k; None when they are dependent."""
    n = len(rows)
    table = [[rows[j][i] for j in range(n)] + [Gauss(i == k)] for i in range(n)]
    for column in range(n):
        pivot = next((i for i in range(column, n) if table[i][column].square), None)
        if pivot is None:
            return None
        table[column], table[pivot] = table[pivot], table[column]
        table[column] = [x / table[column][column] for x in table[column]]
        for i in range(n):
            if i != column:
                table[i] = [x - table[i][column] * y for x, y in zip(table[i], table[column], strict=True)]
    return [row[-1] for row in table]


class TestProofs:
    @pytest.mark.parametrize("name", SETS)
    def test_rates_just_above_the_radius_are_proved(self, name):
        A = read(SETS[name])
        for gap in (1e-1, 1e-3, 1e-6, 1e-9) if len(A[0].table()) < 4 else (1e-1, 1e-5):
            rate = above(value_of(name), gap)
            proof = prove_complex_polytope(A, rate, [WORDS[name]])
            assert rate == proof.rate
            assert proof.verify(A)
            assert holds(proof, A)

    @pytest.mark.parametrize("name", SETS)
    def test_rates_below_the_radius_are_not(self, name):
        for factor in (1 - 1e-9, 1 - 1e-4, 0.9):
            rate = fmpq(*(value_of(name) * factor).as_integer_ratio())
            assert prove_complex_polytope(read(SETS[name]), rate, [WORDS[name]]) is None

    def test_few_vertices_suffice(self):
        """The eigenvector and its conjugate: the polytope is an ellipse for the real plane."""
        for name in ("dumas_5", "rotations"):
            A = read(SETS[name])
            proof = prove_complex_polytope(A, above(value_of(name), 1e-9), [])
            assert 2 == len(proof.vertices)
            assert "an invariant complex polytope of 2 vertices" == proof.summary()

    def test_the_witness_has_what_certificates_hold(self):
        proof = prove_complex_polytope(read(SETS["dumas_5"]), fmpq(17, 4), [(1,)])
        witness = proof.witness()
        assert ["method", "rate", "vertices", "basis", "coefficients"] == list(witness)
        assert ("complex_polytope", fmpq(17, 4)) == (witness["method"], witness["rate"])
        assert [[list(x) for x in vertex] for vertex in proof.vertices] == witness["vertices"]
        assert [4] == sorted({len(term) for images in witness["coefficients"] for row in images for term in row})

    def test_real_eigenvalues(self):
        """The golden ratio; complex polytopes prove what real ones do."""
        A = read([[[1, 1], [0, 1]], [[1, 0], [1, 1]]])
        assert holds(prove_complex_polytope(A, fmpq(1619, 1000), []), A)
        assert prove_complex_polytope(A, fmpq(1618, 1000), []) is None

    def test_small_cases(self):
        number = read([[["1/2"]], [["-2/3"]]])
        assert holds(prove_complex_polytope(number, fmpq(3, 4), []), number)
        assert prove_complex_polytope(number, fmpq(13, 20), []) is None
        nilpotent = read([[[0, 1], [0, 0]]])
        assert holds(prove_complex_polytope(nilpotent, fmpq(1, 100), []), nilpotent)

    @pytest.mark.parametrize(
        "arguments",
        [{"rate": fmpq(0)}, {"rate": fmpq(-5)}, {"time_limit": 0.0}, {"vertex_limit": 2}, {"A": []}],
        ids=["zero", "negative", "no time", "few vertices", "no matrix"],
    )
    def test_no_proof(self, arguments):
        usual = {"A": read(SETS["three"]), "rate": fmpq(48, 11), "words": [(0,)]}
        assert prove_complex_polytope(**usual) is not None
        assert prove_complex_polytope(**(usual | arguments)) is None

    @given(switched_systems(3, 2, rationals(3, 9)), st.sampled_from([fmpq(9, 10), fmpq(1), fmpq(3, 2)]))
    @settings(max_examples=25, deadline=None)
    def test_what_is_proved_is_true(self, system, rate):
        proof = prove_complex_polytope(system.A, rate, [], vertex_limit=30)
        best = brute_force_rate(system, 5)
        if proof is not None:
            assert holds(proof, system.A)
            assert best <= float(rate) * (1 + 1e-6)

    def test_intervals(self):
        width = fmpq(1, 10**4)
        letters = [IntervalMatrix(A, fmpq_mat(2, 2, [width] * 4)) for A in read(SETS["dumas_5"])]
        proof = prove_complex_polytope(letters, fmpq(4244, 1000), [(1,)])
        assert holds(proof, letters)
        for signs in product((-1, 1), repeat=4):
            corner = letters[1].midpoint + fmpq_mat(2, 2, [width * s for s in signs])
            assert proof.verify([letters[0].midpoint, corner])
            assert np.abs(np.linalg.eigvals(np.array(float_rows(corner)))).max() < 4.244
        assert prove_complex_polytope(letters, fmpq(42427, 10000), [(1,)]) is None


@pytest.fixture(scope="module")
def proof():
    return prove_complex_polytope(read(SETS["three"]), fmpq(48, 11), [WORDS["three"]])


class TestVerifyRefuses:
    A = read(SETS["three"])

    def test_the_right_proof_is_accepted(self, proof):
        assert proof.verify(self.A)

    @pytest.mark.parametrize("rate", [fmpq(43, 10), fmpq(1), fmpq(0), fmpq(-48, 11)])
    def test_another_rate(self, proof, rate):
        assert not replace(proof, rate=rate).verify(self.A)

    @pytest.mark.parametrize("factor", [fmpq(101, 100), fmpq(-1), fmpq(0)])
    def test_other_vertices_are_refused_or_still_a_proof(self, proof, factor):
        refused = 0
        for v, vertex in enumerate(proof.vertices):
            for k, (a, b) in enumerate(vertex):
                for x in ((a * factor, b), (a, b * factor)):
                    other = (*vertex[:k], x, *vertex[k + 1 :])
                    changed = replace(proof, vertices=(*proof.vertices[:v], other, *proof.vertices[v + 1 :]))
                    assert holds(changed, self.A) == changed.verify(self.A)
                    refused += not changed.verify(self.A)
        assert refused > 5

    def test_other_coefficients_are_refused_or_still_a_proof(self, proof):
        refused = 0
        for i, images in enumerate(proof.coefficients):
            for v, combination in enumerate(images):
                for term, (j, a, b, m) in enumerate(combination):
                    for other in ((j, a, b, m / 2), (j, a, b, -m), (j, b, a, m), (j, -a, b, m), (-1, a, b, m)):
                        changed = self.with_term(proof, i, v, term, other)
                        assert holds(changed, self.A) == changed.verify(self.A)
                        refused += not changed.verify(self.A)
        assert refused > 20

    def with_term(self, proof, i, v, term, other):
        images = [list(map(list, letter)) for letter in proof.coefficients]
        images[i][v][term] = other
        return replace(proof, coefficients=tuple(tuple(map(tuple, letter)) for letter in images))

    def test_a_bound_below_the_modulus(self, proof):
        """Smaller bounds would prove smaller rates, if they were accepted."""
        j, a, b, _ = proof.coefficients[0][0][0]
        assert not self.with_term(proof, 0, 0, 0, (j, a, b, fmpq(0))).verify(self.A)

    def test_other_bases(self, proof):
        for basis in product(range(-1, len(proof.vertices) + 1), repeat=3):
            changed = replace(proof, basis=basis)
            assert holds(changed, self.A) == changed.verify(self.A)
        for basis in ((), (0,), (0, 0, 0)):
            assert not replace(proof, basis=basis).verify(self.A)

    def test_missing_parts(self, proof):
        assert not replace(proof, vertices=proof.vertices[:-1]).verify(self.A)
        assert not replace(proof, coefficients=proof.coefficients[:1]).verify(self.A)
        assert not replace(proof, coefficients=(proof.coefficients[0][1:], proof.coefficients[1])).verify(self.A)
        shorter = tuple(vertex[:-1] for vertex in proof.vertices)
        assert not replace(proof, vertices=shorter).verify(self.A)

    def test_other_matrices(self, proof):
        assert not proof.verify([])
        assert not proof.verify(self.A[:1])
        assert not proof.verify([matrix([[1, 0], [0, 1]])] * 2)
        assert not proof.verify([self.A[0] * fmpq(11, 10), self.A[1]])

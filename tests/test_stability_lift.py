"""Symmetric powers and quadratic forms of monomials: multiplicativity, eigenvalues, rates, refusals."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations_with_replacement, product
from math import prod

import numpy as np
import pytest
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import brute_force_rate, matrices, rationals, switched_systems

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix
from piggycheck.linalg import as_float, float_rows, identity, is_positive_definite, is_positive_semidefinite
from piggycheck.stability.lift import Lift, prove_lift, symmetric_power
from piggycheck.stability.path_complete import PathComplete
from piggycheck.stability.word_tree import WordTree
from piggycheck.switched import SwitchedSystem

PROJECTIONS = SwitchedSystem.from_rows([[[1, 0], [1, 0]], [[0, 1], [0, -1]]])
"""Ando and Shih 1998: radius 1, best quadratic rate sqrt 2."""

HEAVY = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]])
"""The heavy ball of the paper: radius 1.0321435."""

GRIPENBERG = SwitchedSystem.from_rows([[["3/5", "0"], ["1/5", "3/5"]], [["3/5", "-3/5"], ["0", "-1/5"]]])
"""Gripenberg 1996, Section 4: the radius is between 0.6596789 and 0.6596924."""

shapes = st.tuples(st.integers(1, 3), st.integers(1, 3))


def pairs_of_one_size(count):
    def of_shape(shape):
        n, degree = shape
        return st.tuples(*[matrices(n, n, rationals(5, 4))] * count, st.just(degree))

    return shapes.flatmap(of_shape)


def monomials(x, degree):
    return fmpq_mat([[prod(factors, start=fmpq(1))] for factors in combinations_with_replacement(x.entries(), degree)])


class TestSymmetricPower:
    def test_by_hand(self):
        """With (x, y) to (a x + b y, c x + d y): the squares and the product, multiplied out."""
        a, b, c, d = 2, 3, 5, 7
        expected = [[a * a, 2 * a * b, b * b], [a * c, a * d + b * c, b * d], [c * c, 2 * c * d, d * d]]
        assert fmpq_mat(expected) == symmetric_power(fmpq_mat([[a, b], [c, d]]), 2)

    @pytest.mark.parametrize(("n", "degree"), [(1, 5), (2, 3), (3, 2)])
    def test_against_sympy(self, n, degree):
        A = fmpq_mat(n, n, [(-1) ** k * fmpq(k + 1, k + 2) for k in range(n * n)])
        x = sp.symbols(f"x:{n}")
        image = [sum(sp.Rational(str(A[i, j])) * x[j] for j in range(n)) for i in range(n)]
        rows = [prod(combination) for combination in combinations_with_replacement(image, degree)]
        columns = [
            sp.Poly(prod(combination), *x).monoms()[0] for combination in combinations_with_replacement(x, degree)
        ]
        expected = [[sp.Poly(row, *x).as_dict().get(column, 0) for column in columns] for row in rows]
        assert fmpq_mat([[fmpq(int(e.p), int(e.q)) for e in map(sp.Rational, row)] for row in expected]) == (
            symmetric_power(A, degree)
        )

    @given(pairs_of_one_size(2))
    @settings(max_examples=60, deadline=None)
    def test_it_is_multiplicative(self, pair):
        A, B, degree = pair
        assert symmetric_power(A * B, degree) == symmetric_power(A, degree) * symmetric_power(B, degree)

    @given(shapes.flatmap(lambda s: st.tuples(matrices(s[0], s[0]), matrices(s[0], 1), st.just(s[1]))))
    @settings(max_examples=60, deadline=None)
    def test_it_moves_monomials(self, data):
        A, x, degree = data
        assert monomials(A * x, degree) == symmetric_power(A, degree) * monomials(x, degree)

    @given(st.lists(rationals(), min_size=1, max_size=3), st.integers(1, 4))
    @settings(max_examples=40, deadline=None)
    def test_eigenvalues_are_products_of_eigenvalues(self, eigenvalues, degree):
        n = len(eigenvalues)
        A = fmpq_mat([[eigenvalues[i] if i == j else fmpq(i < j) for j in range(n)] for i in range(n)])
        T = fmpq_mat([[fmpq(int(i >= j)) for j in range(n)] for i in range(n)])
        poly = symmetric_power(T * A * T.inv(), degree).charpoly()
        expected = [prod(factors, start=fmpq(1)) for factors in combinations_with_replacement(eigenvalues, degree)]
        assert sorted(expected) == sorted(root for root, times in poly.roots() for _ in range(times))

    def test_degree_one_and_the_identity(self):
        assert symmetric_power(HEAVY.A[0], 1) == HEAVY.A[0]
        assert symmetric_power(identity(3), 3) == identity(10)

    @given(pairs_of_one_size(2), st.lists(st.integers(-2, 2), min_size=9, max_size=9))
    @settings(max_examples=60, deadline=None)
    def test_bounds_contain_every_choice(self, pair, places):
        C, R, degree = pair
        n = C.nrows()
        R = fmpq_mat(n, n, [abs(entry) for entry in R.entries()])
        choice = C + fmpq_mat(n, n, [r * fmpq(p, 2) for r, p in zip(R.entries(), places, strict=False)])
        bounds = symmetric_power(IntervalMatrix(C, R), degree).bounds()
        lifted = symmetric_power(choice, degree).entries()
        ends = [end for row in bounds for end in row]
        assert all(low <= c <= high for c, (low, high) in zip(lifted, ends, strict=True))

    def test_bounds_without_width_are_exact(self):
        lifted = symmetric_power(IntervalMatrix(HEAVY.A[0], fmpq_mat(2, 2)), 3)
        assert lifted == IntervalMatrix(symmetric_power(HEAVY.A[0], 3), fmpq_mat(4, 4))

    def test_what_has_no_power_is_refused_in_one_line(self):
        with pytest.raises(SwitchedSystemError, match="the matrix is 1 by 2; write a square one"):
            symmetric_power(fmpq_mat([[1, 2]]), 2)
        with pytest.raises(SwitchedSystemError, match="the degree is 0; write a positive integer"):
            symmetric_power(identity(2), 0)


def independently_true(proof, A):
    """What the proof states of polynomials of degree 2d, with the monomials multiplied out point by point."""
    P, d = proof.proof.P, proof.degree
    n = A[0].nrows()
    if proof.rate < 0 or proof.proof.rate > proof.rate**d or not is_positive_definite(P):
        return False
    if any(len(word) != 1 for word in proof.proof.words):
        return False

    def value(x):
        return (monomials(x, d).transpose() * P * monomials(x, d))[0, 0]

    points = [fmpq_mat(n, 1, list(entries)) for entries in product(range(-3, 4), repeat=n)]
    return all(value(M * x) <= proof.rate ** (2 * d) * value(x) for M in A for x in points)


class TestRates:
    @pytest.mark.parametrize(
        ("system", "degree", "refused", "proved"),
        [
            (PROJECTIONS, 1, "141/100", "142/100"),
            (PROJECTIONS, 2, "1", "1001/1000"),
            (PROJECTIONS, 3, "112/100", "113/100"),
            (PROJECTIONS, 4, "1", "1001/1000"),
            (HEAVY, 1, "1147/1000", "1148/1000"),
            (HEAVY, 2, "1062/1000", "1063/1000"),
            (HEAVY, 3, "1050/1000", "1051/1000"),
            (HEAVY, 4, "1042/1000", "1043/1000"),
            (GRIPENBERG, 1, "705/1000", "706/1000"),
            (GRIPENBERG, 2, "668/1000", "669/1000"),
            (GRIPENBERG, 3, "662/1000", "663/1000"),
            (GRIPENBERG, 4, "661/1000", "662/1000"),
        ],
    )
    def test_the_degree_improves_the_rate(self, system, degree, refused, proved):
        """For the projections odd degrees are of less use than even ones."""
        claimed = fmpq(*map(int, proved.split("/")))
        proof = prove_lift(system.A, claimed, degree)
        assert proof.verify(system.A)
        assert independently_true(proof, system.A)
        assert prove_lift(system.A, fmpq(*map(int, refused.split("/"))), degree) is None

    @pytest.mark.parametrize("degree", [1, 2, 3])
    def test_an_attained_rate_without_room(self, degree):
        """Rotations: the sum of squares to the power d has the multinomial coefficients on the diagonal."""
        A = SwitchedSystem.from_rows([[["3/5", "-4/5"], ["4/5", "3/5"]], [["3/5", "4/5"], ["-4/5", "3/5"]]]).A
        assert prove_lift(A, fmpq(1), degree).verify(A)
        assert prove_lift(A, fmpq(999, 1000), degree) is None

    @given(switched_systems(2, 2, rationals(5, 4)), st.integers(2, 3))
    @settings(max_examples=30, deadline=None)
    def test_a_proved_rate_is_above_brute_force(self, system, degree):
        radius = brute_force_rate(system, 5)
        for factor in (fmpq(1, 2), fmpq(99, 100), fmpq(2)):
            rate = factor * fmpq(round(radius * 10**6), 10**6)
            proof = prove_lift(system.A, rate, degree)
            if proof is not None:
                assert proof.verify(system.A)
                assert as_float(rate) >= radius * (1 - 1e-6) or radius < 0.1, "eigenvalues near 0 are inaccurate"

    def test_zero(self):
        zero = [fmpq_mat(2, 2)]
        assert prove_lift(zero, fmpq(0), 2).verify(zero)
        assert prove_lift([fmpq_mat([[0, 1], [0, 0]])], fmpq(0), 2) is None


class TestRefusals:
    @pytest.mark.parametrize("degree", [1, 2, 3, 4])
    def test_a_rate_below_the_joint_spectral_radius(self, degree):
        assert prove_lift(HEAVY.A, fmpq(1032, 1000), degree) is None

    def test_what_makes_no_sense_or_is_too_large(self):
        assert prove_lift(HEAVY.A, fmpq(-2), 2) is None
        assert prove_lift(HEAVY.A, fmpq(2), 0) is None
        assert prove_lift(HEAVY.A, fmpq(2), 2, time_limit=0.0) is None
        assert prove_lift([identity(20)], fmpq(2), 2) is None
        assert prove_lift([fmpq_mat([[fmpq(10) ** 400, 1], [1, 2]])], fmpq(1), 2) is None

    def test_every_changed_proof_is_rejected_or_still_true(self):
        proof = prove_lift(HEAVY.A, fmpq(1063, 1000), 2)
        changed = list(changes(proof))
        verdicts = [tampered.verify(HEAVY.A) for tampered in changed]
        assert not all(verdicts)
        assert any(verdicts), "with a larger rate it is still a proof"
        for tampered, verdict in zip(changed, verdicts, strict=True):
            assert verdict is False or independently_true(tampered, HEAVY.A)

    def test_other_matrices_and_shapes(self):
        proof = prove_lift(HEAVY.A, fmpq(11, 10), 2)
        assert not proof.verify([HEAVY.A[0], 2 * HEAVY.A[1]])
        assert not proof.verify([HEAVY.A[0]])
        assert not proof.verify([identity(3)] * 2)
        assert not proof.verify([fmpq_mat([[1, 2]])])
        assert not proof.verify([])
        assert not replace(proof, degree=10**6).verify(HEAVY.A), "too large to look at"


def changes(proof):
    """The proof with one number changed."""
    tree = proof.proof
    for unit in (fmpq(1, 20), fmpq(-1, 20)):
        yield replace(proof, rate=proof.rate + unit)
        yield replace(proof, proof=replace(tree, rate=tree.rate + unit))
        yield replace(proof, rate=proof.rate + unit, proof=replace(tree, rate=(proof.rate + unit) ** 2))
    yield replace(proof, rate=-proof.rate)
    for degree in (-1, 0, 1, 3, 4):
        yield replace(proof, degree=degree)
    for i, j in product(range(3), repeat=2):
        for factor in (fmpq(0), fmpq(-1), fmpq(2), fmpq(101, 100)):
            P = fmpq_mat(tree.P)
            P[i, j] = P[j, i] = factor * P[i, j]
            yield replace(proof, proof=replace(tree, P=P))


class TestInnerProofs:
    def test_any_kind_will_do(self):
        """Forms on a graph, about the monomials."""
        lifted = [symmetric_power(M, 2) for M in PROJECTIONS.A]
        inner = PathComplete(fmpq(2), (identity(3),), ((0, 0, 0), (0, 1, 0)))
        assert inner.verify(lifted) is all(
            is_positive_semidefinite(4 * identity(3) - M.transpose() * M) for M in lifted
        )
        assert Lift(fmpq(3, 2), 2, inner).verify(PROJECTIONS.A) is inner.verify(lifted)
        assert not Lift(fmpq(7, 5), 2, inner).verify(PROJECTIONS.A), "49/25 is below the inner rate 2"

    def test_lifts_of_lifts(self):
        inner = prove_lift([symmetric_power(M, 2) for M in PROJECTIONS.A], fmpq(101, 100), 2)
        proof = Lift(fmpq(101, 100), 2, inner)
        assert proof.verify(PROJECTIONS.A)
        assert not replace(proof, degree=1).verify(PROJECTIONS.A)


class TestIntervals:
    def test_every_choice_between_bounds(self):
        R = fmpq_mat([[fmpq(1, 10000), fmpq(1, 5000)], [0, fmpq(1, 10000)]])
        uncertain = [IntervalMatrix(M, R) for M in HEAVY.A]
        proof = prove_lift(uncertain, fmpq(11, 10), 2)
        assert proof.verify(uncertain)
        for signs in product((-1, 1), repeat=4):
            change = fmpq_mat(2, 2, [s * r for s, r in zip(signs, R.entries(), strict=True)])
            assert independently_true(proof, [M + change for M in HEAVY.A])

    def test_bounds_that_are_too_wide_are_refused(self):
        wide = [IntervalMatrix(M, fmpq_mat([[1, 1], [1, 1]])) for M in HEAVY.A]
        assert prove_lift(wide, fmpq(11, 10), 2) is None
        assert not prove_lift(HEAVY.A, fmpq(1063, 1000), 2).verify(wide)


class TestReport:
    def test_the_witness_is_what_certificates_hold(self):
        proof = Lift(fmpq(1, 2), 2, WordTree(identity(1), fmpq(1, 4), ((0,),), fmpq(1)))
        inner = {"method": "word_tree", "rate": fmpq(1, 4), "P": identity(1), "words": ((0,),)}
        expected = {"method": "lift", "rate": fmpq(1, 2), "degree": 2, "proof": inner}
        assert expected == proof.witness()
        assert list(expected) == list(proof.witness())
        assert proof.summary() == "the largest absolute value about the monomials of degree 2"

    def test_the_lift_of_a_rotation_is_one_in_the_scaled_basis(self):
        """Why the guess is made there: the weights are the square roots of the multinomial coefficients."""
        rotation = symmetric_power(fmpq_mat([[fmpq(3, 5), fmpq(-4, 5)], [fmpq(4, 5), fmpq(3, 5)]]), 2)
        weights = np.sqrt([1.0, 2.0, 1.0])
        scaled = np.array(float_rows(rotation)) * weights[:, None] / weights
        assert scaled @ scaled.T == pytest.approx(np.eye(3))

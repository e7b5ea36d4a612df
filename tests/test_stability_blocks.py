"""Proofs put together from proofs about diagonal blocks: exact rates, refusals, tampering, intervals."""

from __future__ import annotations

from dataclasses import replace

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from matrix_strategies import brute_force_rate, rationals, switched_systems

from piggycheck.certificates import as_text
from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix
from piggycheck.linalg import identity, matrix, zeros
from piggycheck.stability.blocks import Blocks, combine_blocks, prove_scalars
from piggycheck.stability.quadratic import prove_quadratic
from piggycheck.stability.structure import Triangular, triangularise
from piggycheck.switched import SwitchedSystem

TRIANGULAR = [matrix([["1/2", 100], [0, "1/3"]]), matrix([["-2/5", -50], [0, "9/10"]])]

FOUR = [
    matrix([["1/2", "1/4", 3, 1], ["-1/4", "1/2", 0, 9], [0, 0, "1/3", "1/3"], [0, 0, "-1/3", "1/3"]]),
    matrix([[0, "1/2", 1, 1], ["-1/2", 0, 7, 0], [0, 0, "1/2", 0], [0, 0, 0, "-1/2"]]),
]
"""Two diagonal blocks of size 2, each of a set of matrices of norm below 3/5."""


def prove(A):
    """By scalars and quadratic forms."""
    form = triangularise(A)

    def inner(letters):
        if not letters or letters[0].nrows() == 1:
            return prove_scalars(letters)
        return prove_quadratic(letters, fmpq(3, 5))

    return combine_blocks(form, [inner(letters) for letters in form.blocks(A)])


@pytest.fixture(scope="module")
def proof():
    return prove(FOUR)


class TestRates:
    @pytest.mark.parametrize(
        ("A", "rate"),
        [
            (TRIANGULAR, fmpq(9, 10)),
            ([matrix([[0, 1, 2], [0, 0, 3], [0, 0, 0]]), matrix([[0, -1, 5], [0, 0, 7], [0, 0, 0]])], fmpq(0)),
            ([matrix([[1, 1], [0, 1]]), matrix([[1, 0], [0, -1]])], fmpq(1)),
            ([matrix([[-3]]), matrix([["5/2"]]), matrix([[0]])], fmpq(3)),
            ([identity(4), identity(4)], fmpq(1)),
            ([zeros(2, 2)], fmpq(0)),
        ],
        ids=["triangular", "zero", "unbounded products of radius 1", "scalars", "identity", "zero matrix"],
    )
    def test_triangular_sets_have_exact_rates(self, A, rate):
        proof = prove(A)
        assert rate == proof.rate
        assert proof.verify(A)
        assert not replace(proof, rate=rate - fmpq(1, 10**9)).verify(A)

    def test_sizes_and_inner_proofs(self, proof):
        assert (2, 2) == proof.sizes
        assert fmpq(3, 5) == proof.rate
        assert proof.verify(FOUR)

    def test_a_larger_rate_may_be_claimed(self, proof):
        form = Triangular(proof.basis, proof.sizes)
        assert combine_blocks(form, proof.proofs, fmpq(1)).verify(FOUR)
        with pytest.raises(SwitchedSystemError, match="`rate` is 1/2, and a block has a proof of 3/5; write at least"):
            combine_blocks(form, proof.proofs, fmpq(1, 2))

    def test_one_proof_for_each_block(self, proof):
        with pytest.raises(SwitchedSystemError, match="`proofs` has 1 entries for 2 blocks"):
            combine_blocks(Triangular(proof.basis, proof.sizes), proof.proofs[:1])

    def test_no_letter_no_proof(self):
        assert prove_scalars([]) is None

    @given(switched_systems(3, 3, rationals(4, 4)))
    @settings(max_examples=20, deadline=None)
    def test_no_word_exceeds_the_rate(self, system):
        """Diagonal blocks of the given matrices, with everything below removed."""
        n = system.dimension
        A = [fmpq_mat(n, n, [M[i, j] if j >= i else 0 for i in range(n) for j in range(n)]) for M in system.A]
        proof = prove(A)
        assert proof.verify(A)
        assert brute_force_rate(SwitchedSystem.from_rows(A), 3) <= float(proof.rate) * (1 + 1e-3) + 1e-3


class TestRefusals:
    @pytest.mark.parametrize(
        "changes",
        [
            {"rate": fmpq(-1)},
            {"rate": fmpq(1, 2)},
            {"basis": matrix([[0, 0, 1, 0], [0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 0, 1]])},
            {"basis": zeros(4, 4)},
            {"basis": identity(3)},
            {"basis": zeros(4, 3)},
            {"sizes": (1, 3)},
            {"sizes": (2, 1)},
            {"sizes": (2, 2, 0)},
            {"sizes": ()},
            {"sizes": (4,)},
            {"proofs": ()},
            {"proofs": (None, None)},
        ],
        ids=lambda changes: " ".join(f"{name} {str(value)[:20]}" for name, value in changes.items()),
    )
    def test_tampering(self, proof, changes):
        assert not replace(proof, **changes).verify(FOUR)

    def test_inner_proofs(self, proof):
        first, second = proof.proofs
        assert not replace(proof, proofs=(first, None)).verify(FOUR)
        assert not replace(proof, proofs=(replace(first, rate=fmpq(1, 2)), second)).verify(FOUR)
        assert not replace(proof, proofs=(first, replace(second, rate=fmpq(2)))).verify(FOUR)

    def test_proofs_of_other_blocks(self):
        """The quadratic form of the norm proves both blocks; scalars are proved for their own values only."""
        scalars = prove(TRIANGULAR)
        assert not replace(scalars, proofs=scalars.proofs[::-1]).verify(TRIANGULAR)

    def test_a_proof_of_nothing(self):
        """Where all diagonal blocks are zero there is nothing that a proof could be about."""
        A = [matrix([[0, 1], [0, 0]])]
        scalar = prove_scalars([matrix([[0]])])
        assert Blocks(fmpq(0), identity(2), (1, 1), (None, None)).verify(A)
        assert not Blocks(fmpq(0), identity(2), (1, 1), (scalar, None)).verify(A)

    def test_other_matrices(self, proof):
        changed = fmpq_mat(FOUR[1])
        changed[3, 0] = fmpq(1, 10**30)
        assert not proof.verify([FOUR[0], changed])
        assert not proof.verify([])
        assert not proof.verify([identity(3)])
        assert not proof.verify([FOUR[0], FOUR[1], 2 * FOUR[0]])

    def test_another_basis_that_is_triangular_is_another_proof(self, proof):
        """Shears within what lies above the diagonal keep the diagonal blocks."""
        shear = identity(4)
        shear[0, 3] = fmpq(22, 7)
        assert replace(proof, basis=shear).verify(FOUR)

    def test_duplicates_and_zeros_need_no_letters(self, proof):
        assert proof.verify([FOUR[0], zeros(4, 4), FOUR[1], FOUR[0]])


class TestIntervals:
    LETTERS = (
        IntervalMatrix.between(matrix([["1/4", -9], [0, "1/3"]]), matrix([["1/2", 9], [0, "2/3"]])),
        matrix([["-1/2", 1], [0, "1/5"]]),
    )

    def test_the_largest_absolute_value_counts(self):
        proof = prove(self.LETTERS)
        assert fmpq(2, 3) == proof.rate
        assert proof.verify(self.LETTERS)
        for corner in (fmpq(-1), fmpq(1)):
            chosen = self.LETTERS[0].midpoint + corner * self.LETTERS[0].radius
            assert brute_force_rate(SwitchedSystem.from_rows([chosen, self.LETTERS[1]]), 5) <= 2 / 3 + 1e-9

    def test_a_radius_below_the_diagonal_is_no_zero(self):
        proof = prove(self.LETTERS)
        loose = IntervalMatrix(self.LETTERS[0].midpoint, matrix([["1/8", 9], ["1/1000", "1/6"]]))
        assert not proof.verify([loose, self.LETTERS[1]])
        wide = IntervalMatrix(self.LETTERS[0].midpoint, 2 * self.LETTERS[0].radius)
        assert not proof.verify([wide, self.LETTERS[1]])


class TestWitness:
    def test_format(self):
        witness = prove(TRIANGULAR).witness()
        assert ["method", "rate", "basis", "sizes", "proofs"] == list(witness)
        inner = {"method": "word_tree", "rate": "9/10", "P": [["1"]], "words": [["0"], ["1"]]}
        assert inner == as_text(witness)["proofs"][1]
        assert ["1", "1"] == as_text(witness)["sizes"]

    def test_nothing_to_prove_is_null(self):
        assert [None] == prove([zeros(2, 2)]).witness()["proofs"]

    def test_summary(self, proof):
        said = "a block-triangular form of sizes 2 + 2, with a common quadratic form for block 1; "
        assert proof.summary().startswith(said)
        assert "a block-triangular form and its diagonal entries" == prove(TRIANGULAR).summary()
        assert "a block-triangular form whose diagonal blocks are zero" == prove([zeros(2, 2)]).summary()

    def test_summary_of_one_block_is_that_of_its_proof(self):
        assert "the largest absolute value" == prove([matrix([["1/2"]]), matrix([[0]])]).summary()

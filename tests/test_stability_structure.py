"""Common block-triangular form: hidden blocks are found again, and irreducible sets stay whole."""

from __future__ import annotations

import random
from itertools import product

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from matrix_strategies import brute_force_rate, switched_systems

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix
from piggycheck.linalg import block_matrix, entries, identity, matrix, zeros
from piggycheck.stability.structure import Triangular, block_ranges, conjugated, is_block_triangular, triangularise
from piggycheck.switched import SwitchedSystem

HEAVY_BALL = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]]).A


def unimodular(n, seed):
    """A product of elementary matrices."""
    source = random.Random(seed)
    M = identity(n)
    for _ in range(4 * n):
        i, j = source.sample(range(n), 2)
        step = identity(n)
        step[i, j] = source.choice([-1, 1])
        M = M * step
    return M


def block_triangular(sizes, letters, seed):
    """Matrices with random diagonal blocks of the given sizes, and everything above."""
    source = random.Random(seed)
    firsts = [low for low, high in block_ranges(sizes) for _ in range(low, high)]
    n = sum(sizes)
    return [
        fmpq_mat(n, n, [source.randint(-5, 5) if j >= firsts[i] else 0 for i in range(n) for j in range(n)])
        for _ in range(letters)
    ]


def hidden(A, seed):
    """The same matrices in another basis."""
    return conjugated(A, unimodular(A[0].nrows(), seed))


def repeated(A, copies):
    """Each matrix several times along the diagonal."""
    n = A[0].nrows()
    return [block_matrix([[M if i == j else zeros(n, n) for j in range(copies)] for i in range(copies)]) for M in A]


def permutation(images):
    return fmpq_mat([[int(i == image) for image in images] for i in range(len(images))])


def requires_triangular(form, A):
    """The form is one: an invertible basis, sizes that add up, zeros below; from the definition."""
    assert form.basis.det() in (1, -1)
    assert sum(form.sizes) == A[0].nrows() and min(form.sizes) >= 1
    inverse = form.basis.inv()
    firsts = [low for low, high in block_ranges(form.sizes) for _ in range(low, high)]
    for M in A:
        rows = entries(inverse * M * form.basis)
        assert all(rows[i][j] == 0 for i in range(len(rows)) for j in range(firsts[i]))


def rates(blocks):
    return sorted(round(brute_force_rate(SwitchedSystem.from_rows(letters), 5), 7) for letters in blocks)


class TestHiddenBlocks:
    @pytest.mark.parametrize("seed", range(4))
    @pytest.mark.parametrize("sizes", [(1, 1), (2, 1), (1, 3), (2, 2, 2), (1, 2, 1, 3), (4, 5)])
    def test_they_are_found_again(self, sizes, seed):
        """The same composition factors, in whatever order: their sizes and the rates of their words."""
        A = block_triangular(sizes, 2, seed)
        expected = [[M for M in letters if any(M.entries())] for letters in _diagonals(A, sizes)]
        B = hidden(A, seed)
        form = triangularise(B)
        requires_triangular(form, B)
        assert sorted(sizes) == sorted(form.sizes)
        assert rates(filter(None, expected)) == pytest.approx(rates(form.blocks(B)))

    def test_dimension_twenty(self):
        B = hidden(block_triangular((3, 9, 1, 7), 3, 1), 2)
        form = triangularise(B)
        requires_triangular(form, B)
        assert [1, 3, 7, 9] == sorted(form.sizes)

    def test_fractions(self):
        scales = fmpq(1, 7), fmpq(-22, 5), fmpq(1, 1000)
        B = [scale * M for scale, M in zip(scales, hidden(block_triangular((2, 3), 3, 5), 5), strict=True)]
        form = triangularise(B)
        requires_triangular(form, B)
        assert [2, 3] == sorted(form.sizes)

    @pytest.mark.parametrize(("size", "copies"), [(2, 2), (3, 2), (2, 3)])
    def test_copies_of_one_block(self, size, copies):
        """No element of the algebra tells copies apart; matrices that commute with it do."""
        B = hidden(repeated(block_triangular((size,), 2, 3), copies), 7)
        form = triangularise(B)
        requires_triangular(form, B)
        assert (size,) * copies == form.sizes

    def test_integer_matrices_keep_integer_blocks(self):
        B = hidden(block_triangular((3, 3), 2, 8), 9)
        assert all(value.q == 1 for letters in triangularise(B).blocks(B) for M in letters for value in M.entries())

    def test_nilpotent_sets(self):
        """Without any diagonal block: the joint spectral radius is zero."""
        source = random.Random(4)
        A = [fmpq_mat(6, 6, [source.randint(-3, 3) if j > i else 0 for i in range(6) for j in range(6)]) for _ in "abc"]
        B = hidden(A, 1)
        form = triangularise(B)
        requires_triangular(form, B)
        assert not any(form.blocks(B))

    @given(switched_systems(4, 3))
    @settings(max_examples=40, deadline=None)
    def test_whatever_comes_out_is_triangular_and_keeps_the_rates(self, system):
        form = triangularise(system.A)
        requires_triangular(form, system.A)
        blocks = [SwitchedSystem.from_rows(letters) for letters in form.blocks(system.A) if letters]
        found = max((brute_force_rate(block, 4) for block in blocks), default=0.0)
        assert brute_force_rate(system, 4) <= found * (1 + 1e-6) + 1e-3


class TestIrreducibleSets:
    @pytest.mark.parametrize(
        "A",
        [
            HEAVY_BALL,
            [matrix([[0, 2], [1, 0]])],
            [matrix([[0, -1], [1, 0]])],
            [matrix([["3/5", "-4/5"], ["4/5", "3/5"]]), matrix([["5/13", "-12/13"], ["12/13", "5/13"]])],
            [matrix([[1, 1, 1], [0, 0, 0], [0, 0, 0]]), matrix([[1, 0, 0], [0, 1, -1], [0, 0, 0]])]
            + [matrix([[0, 0, 0], [1, 1, 0], [0, 0, 1]]), matrix([[0, 0, 0], [0, 0, 0], [1, -1, 1]])],
        ],
        ids=["heavy ball", "no rational eigenvector", "rotation", "commuting rotations", "Dumas 2013, Example 3"],
    )
    def test_they_stay_whole(self, A):
        n = A[0].nrows()
        form = triangularise(A, split_nonnegative=True)
        assert (identity(n), (n,)) == (form.basis, form.sizes)

    def test_permutations_have_the_constant_vectors_in_common(self):
        """A cycle and a transposition generate the symmetric group; what remains of them is irreducible."""
        A = [permutation([1, 2, 3, 4, 0]), permutation([1, 0, 2, 3, 4])]
        assert (1, 4) == triangularise(A, split_nonnegative=True).sizes
        assert (5,) == triangularise(A).sizes
        standard = triangularise(A, split_nonnegative=True).blocks(A)[1]
        assert (4,) == triangularise(standard).sizes

    def test_quaternions_are_not_told_to_be_reducible(self):
        """Over the rationals they are irreducible, although every kernel is larger than the degree of its factor."""
        A = [
            matrix([[0, -1, 0, 0], [1, 0, 0, 0], [0, 0, 0, -1], [0, 0, 1, 0]]),
            matrix([[0, 0, -1, 0], [0, 0, 0, 1], [1, 0, 0, 0], [0, -1, 0, 0]]),
        ]
        assert (4,) == triangularise(A).sizes


class TestCoordinates:
    def test_scalar_and_zero_blocks(self):
        assert (1,) == triangularise([matrix([[5]])]).sizes
        A = [matrix([["1/2", 100], [0, "1/3"]]), matrix([["-2/5", -50], [0, "9/10"]])]
        form = triangularise(A)
        assert (identity(2), (1, 1)) == (form.basis, form.sizes)
        zero = triangularise([zeros(3, 3)])
        assert [[]] == zero.blocks([zeros(3, 3)])

    def test_identity_matrices(self):
        form = triangularise([identity(3), 2 * identity(3), identity(3)])
        assert (1, 1, 1) == form.sizes
        assert [[matrix([[1]]), matrix([[2]])]] * 3 == form.blocks([identity(3), 2 * identity(3), identity(3)])

    def test_reordering(self):
        """A lower triangular pattern becomes an upper triangular one."""
        A = [matrix([[1, 0, 0], [5, 2, 3], [0, 4, 2]])]
        form = triangularise(A)
        requires_triangular(form, A)
        assert (2, 1) == form.sizes

    def test_intervals_with_structural_zeros(self):
        """The pattern counts radii, too; a mixture of both kinds of letters is split."""
        A = [
            IntervalMatrix.between(
                matrix([[0, 0, 1], [0, 2, 0], [0, 0, 1]]), matrix([[0, 0, 2], [0, 2, 0], [1, 0, 1]])
            ),
            matrix([[1, 0, 0], [5, 7, 5], [0, 0, 1]]),
        ]
        form = triangularise(A)
        assert sorted(form.sizes) == [1, 2]
        changed = conjugated(A, form.basis)
        assert all(is_block_triangular(M, form.sizes) for M in changed)
        scalars = form.blocks(A)[form.sizes.index(1)]
        assert [matrix([[2]]), matrix([[7]])] == scalars
        assert isinstance(form.blocks(A)[form.sizes.index(2)][0], IntervalMatrix)

    def test_intervals_are_not_split_by_subspaces(self):
        """The midpoint has an eigenvector that the other choices do not share."""
        A = [IntervalMatrix(matrix([[2, 1], [1, 2]]), matrix([[0, "1/10"], [0, 0]]))]
        assert (2,) == triangularise(A).sizes

    def test_nonnegative_sets_stay_nonnegative_unless_asked(self):
        A = [matrix([[2, 1], [1, 2]]), matrix([[0, 5], [5, 0]])]
        assert (2,) == triangularise(A).sizes
        assert (1, 1) == triangularise(A, split_nonnegative=True).sizes

    def test_without_time_coordinates_are_reordered(self):
        A = hidden(block_triangular((2, 2), 2, 1), 3)
        assert (4,) == triangularise(A, time_limit=0).sizes
        assert (1, 1) == triangularise([matrix([[1, 0], [3, 1]])], time_limit=0).sizes


class TestBlocks:
    def test_letters_are_distinct_nonzero_and_lead_back(self):
        A = [matrix([[0, 7], [0, 4]]), matrix([[3, 1], [0, 4]]), matrix([[3, 0], [0, 5]]), matrix([[2, 0], [0, 4]])]
        form = triangularise(A)
        assert [[matrix([[3]]), matrix([[2]])], [matrix([[4]]), matrix([[5]])]] == form.blocks(A)
        assert [(1, 3), (0, 2)] == form.origins(A)
        assert (3, 1, 1) == form.translate(A, 0, (1, 0, 0))

    def test_the_spectrum_of_a_translated_word_contains_that_of_the_block(self):
        A = hidden(block_triangular((2, 3), 3, 6), 6)
        form = triangularise(A)
        whole = SwitchedSystem.from_rows(A)
        for index, letters in enumerate(form.blocks(A)):
            block = SwitchedSystem.from_rows(letters)
            for word in product(range(len(letters)), repeat=2):
                part = block.product(word)[0].charpoly()
                assert whole.product(form.translate(A, index, word))[0].charpoly() % part == 0

    def test_a_singular_basis_is_refused(self):
        assert conjugated(HEAVY_BALL, matrix([[1, 1], [1, 1]])) is None
        with pytest.raises(SwitchedSystemError, match="basis is singular"):
            Triangular(matrix([[1, 1], [1, 1]]), (2,)).blocks(HEAVY_BALL)

    def test_shapes(self):
        with pytest.raises(SwitchedSystemError, match="at least one"):
            triangularise([])
        with pytest.raises(SwitchedSystemError, match="square ones of one size"):
            triangularise([identity(2), identity(3)])
        with pytest.raises(SwitchedSystemError, match="square ones of one size"):
            triangularise([zeros(2, 3)])


def _diagonals(A, sizes):
    return [[fmpq_mat([row[low:high] for row in entries(M)[low:high]]) for M in A] for low, high in block_ranges(sizes)]

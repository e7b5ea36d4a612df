"""One pair with a singular I - A: against Jordan forms built by hand, sympy's pseudo-inverse, the recursion itself."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import assume, given
from hypothesis import strategies as st
from matrix_strategies import matrices
from strategies import examples

from piggycheck.errors import NumberError, SwitchedSystemError, UnknownError
from piggycheck.limits import group_inverse, pseudo_inverse, singular_limit
from piggycheck.linalg import identity, rational
from piggycheck.switched import SwitchedSystem

SMALL = st.builds(fmpq, st.integers(-8, 8), st.just(9))
ENTRY = st.integers(-3, 3).map(fmpq)


def square(n):
    return matrices(n, n, ENTRY)


def columns(n, m=2):
    return matrices(n, m, ENTRY)


def invertible(n):
    return square(n).filter(lambda M: M.det() != 0)


def diagonal(*entries):
    n = len(entries)
    return fmpq_mat(n, n, [entries[i] if i == j else 0 for i in range(n) for j in range(n)])


def follow(A, B, J, steps):
    for _ in range(steps):
        J = A * J + B
    return J


def rows(M):
    return [list(row) for row in M.table()]


def from_sympy(M):
    return fmpq_mat(M.rows, M.cols, [fmpq(int(c.p), int(c.q)) for c in M])


def to_sympy(M):
    return sp.Matrix(M.nrows(), M.ncols(), [sp.Rational(int(c.p), int(c.q)) for c in M.entries()])


class TestAgainstJordanForms:
    """A = S diag(1, a, b) S^-1, so every answer can be written down in the coordinates of S."""

    @examples(60)
    @given(invertible(3), SMALL, SMALL, columns(3), columns(3))
    def test_a_semisimple_eigenvalue(self, S, a, b, J0, C):
        C[0, 0] = C[0, 1] = 0
        A, B, T = S * diagonal(1, a, b) * S.inv(), S * C, S.inv()
        answer = singular_limit((A, B, J0))
        projector = S * diagonal(1, 0, 0) * T
        sharp = S * diagonal(0, 1 / (1 - a), 1 / (1 - b)) * T
        assert (projector, sharp) == (answer.projector, answer.group_inverse)
        assert projector * J0 + sharp * B == answer.limit
        assert (1, 1, True, True) == (answer.multiplicity, answer.index, answer.semisimple, answer.others_inside)
        assert projector * J0 == answer.remembered and answer.drift == B - B
        assert answer.behaviour == "converges" and answer.depends_on_start and answer.solvable
        assert len(answer.kernel) == 1 and A * answer.kernel[0] == answer.kernel[0]

    @examples(20)
    @given(invertible(3), SMALL, SMALL, columns(3), columns(3))
    def test_the_recursion_comes_as_close_as_its_eigenvalues_say(self, S, a, b, J0, C):
        """J_k - L = S diag(0, a^k, b^k) S^-1 (J_0 - L)."""
        C[0, 0] = C[0, 1] = 0
        A, B = S * diagonal(1, a, b) * S.inv(), S * C
        limit = singular_limit((A, B, J0)).limit
        error = S * diagonal(0, a**40, b**40) * S.inv() * (J0 - limit)
        assert follow(A, B, J0, 40) - limit == error

    @examples(40)
    @given(invertible(3), SMALL, SMALL, columns(3), columns(3))
    def test_where_the_projector_keeps_some_of_B_the_recursion_grows_linearly(self, S, a, b, J0, C):
        assume(C[0, 0] != 0)
        A, B = S * diagonal(1, a, b) * S.inv(), S * C
        answer = singular_limit((A, B, J0))
        assert ("grows linearly", None) == (answer.behaviour, answer.limit)
        assert answer.drift == S * diagonal(1, 0, 0) * S.inv() * B and not answer.solvable
        k = 25
        assert answer.projector * follow(A, B, J0, k) == answer.remembered + fmpq(k) * answer.drift
        assert answer.minimal_norm is None and answer.agrees is False

    @examples(40)
    @given(invertible(3), SMALL, columns(3))
    def test_an_eigenvalue_that_is_not_semisimple(self, S, a, C):
        block = fmpq_mat([[1, 1, 0], [0, 1, 0], [0, 0, a]])
        A = S * block * S.inv()
        answer = singular_limit((A, fmpq_mat(3, 2), S * C))
        assert (2, 2, False, None) == (answer.multiplicity, answer.index, answer.semisimple, answer.projector)
        grows = C[1, 0] != 0 or C[1, 1] != 0
        assert ("grows linearly" if grows else "converges") == answer.behaviour
        if not grows:
            C[2, 0] = C[2, 1] = 0
            assert S * C == answer.limit

    @examples(25)
    @given(invertible(3), columns(3))
    def test_a_nilpotent_difference_of_index_three(self, S, C):
        A = S * fmpq_mat([[1, 1, 0], [0, 1, 1], [0, 0, 1]]) * S.inv()
        answer = singular_limit((A, fmpq_mat(3, 2), S * C))
        degree = max(next((i for i in (2, 1) if C[i, j] != 0), 0) for j in (0, 1))
        assert ["converges", "grows linearly", "grows like k^2"][degree] == answer.behaviour
        assert (3, 3) == (answer.multiplicity, answer.index)

    @examples(40)
    @given(invertible(3), st.sampled_from(["3/5 4/5", "0 1", "-1/2"]), columns(3))
    def test_other_eigenvalues_of_modulus_one_or_more(self, S, kind, C):
        """The block is a rotation, or an involution: it keeps what the start excites from converging."""
        if kind == "-1/2":
            block = fmpq_mat([[1, 0, 0], [0, -1, 0], [0, 0, fmpq(1, 2)]])
            excited = C[1, 0] != 0 or C[1, 1] != 0
        else:
            c, s = map(rational, kind.split())
            block = fmpq_mat([[1, 0, 0], [0, c, -s], [0, s, c]])
            excited = any(C[i, j] != 0 for i in (1, 2) for j in (0, 1))
        answer = singular_limit((S * block * S.inv(), fmpq_mat(3, 2), S * C))
        assert not answer.others_inside
        assert ("stays bounded without a limit" if excited else "converges") == answer.behaviour


class TestInverses:
    @examples(80)
    @given(st.integers(1, 4).flatmap(lambda n: square(n)))
    def test_the_pseudo_inverse_is_that_of_sympy(self, M):
        assert from_sympy(to_sympy(M).pinv()) == pseudo_inverse(M)

    @examples(60)
    @given(columns(4, 2), columns(2, 3))
    def test_the_penrose_equations_for_any_shape_and_rank(self, C, R):
        M = C * R
        G = pseudo_inverse(M)
        assert (M * G * M, G * M * G) == (M, G)
        assert ((M * G).transpose(), (G * M).transpose()) == (M * G, G * M)

    @examples(60)
    @given(columns(4, 2), columns(2, 4))
    def test_the_group_inverse_exists_exactly_when_the_rank_of_the_square_is_the_same(self, C, R):
        M = C * R
        G = group_inverse(M)
        assert (G is not None) == (M.rank() == (M * M).rank())
        if G is not None:
            assert (M * G * M, G * M * G, M * G) == (M, G, G * M)

    @examples(40)
    @given(columns(3, 2))
    def test_they_are_one_for_range_symmetric_matrices(self, C):
        M = C * C.transpose()
        assert pseudo_inverse(M) == group_inverse(M)
        assert singular_limit((identity(3) - M, fmpq_mat(3, 1))).range_symmetric

    def test_they_are_two_for_others(self):
        """M = [[1, 1], [0, 0]] is idempotent, so its own group inverse; its pseudo-inverse is M^T / 2."""
        M = fmpq_mat([[1, 1], [0, 0]])
        assert (M, M.transpose() / 2) == (group_inverse(M), pseudo_inverse(M))
        assert not singular_limit((identity(2) - M, fmpq_mat(2, 1))).range_symmetric


class TestMinimalNorm:
    @examples(40)
    @given(columns(3, 2), columns(2, 1), columns(3, 1))
    def test_no_solution_is_shorter(self, C, c, free):
        """Any other solution differs by a column of the kernel, to which the answer is orthogonal."""
        M = C * C.transpose()
        answer = singular_limit((identity(3) - M, C * c))
        X = answer.minimal_norm
        assert M * X == C * c and answer.solvable
        for vector in answer.kernel:
            assert (vector.transpose() * X)[0, 0] == 0


class TestByHand:
    LEAST_SQUARES = fmpq_mat([[fmpq(3, 4), fmpq(-1, 4)], [fmpq(-1, 4), fmpq(3, 4)]])

    @pytest.mark.parametrize(
        ("start", "limit", "agrees"),
        [
            ([1, 0], [1, 0], False),
            ([0, 0], ["1/2", "1/2"], True),
            ([3, 3], ["1/2", "1/2"], True),
            ([2, 0], ["3/2", "-1/2"], False),
        ],
    )
    def test_gradient_descent_on_one_equation_in_two_unknowns(self, start, limit, agrees):
        """x + y = theta: the limit keeps x - y of the start, the pseudo-inverse gives x = y."""
        B = fmpq_mat([[fmpq(1, 4)], [fmpq(1, 4)]])
        answer = singular_limit((self.LEAST_SQUARES, B, [[c] for c in start]))
        assert [[rational(c)] for c in limit] == rows(answer.limit)
        assert agrees is answer.agrees

    def test_everything_stands_still_under_the_identity(self):
        answer = singular_limit(([[1, 0], [0, 1]], [[0], [0]], [[2], [3]]))
        assert (identity(2), fmpq_mat(2, 2), fmpq_mat(2, 2)) == (
            answer.projector,
            answer.group_inverse,
            answer.pseudo_inverse,
        )
        assert [[2], [3]] == rows(answer.limit) and answer.index == 1 and len(answer.kernel) == 2

    def test_the_identity_with_something_added_grows(self):
        assert "grows linearly" == singular_limit(([[1]], [[1]], [[0]])).behaviour

    def test_zero_forgets_its_start_at_once(self):
        answer = singular_limit(([[0, 0], [0, 0]], [[5], [7]]))
        assert [[5], [7]] == rows(answer.limit) == rows(answer.pseudo_inverse_answer)
        assert (False, 0, True, True) == (answer.singular, answer.index, answer.semisimple, answer.agrees)

    def test_minus_one(self):
        assert "stays bounded without a limit" == singular_limit(([[-1]], [[1]], [[0]])).behaviour
        assert [[fmpq(1, 2)]] == rows(singular_limit(([[-1]], [[1]], [["1/2"]])).limit)

    def test_a_large_eigenvalue_that_the_start_does_not_excite(self):
        assert [[0], [3]] == rows(singular_limit(([[2, 0], [0, 1]], [[0], [0]], [[0], [3]])).limit)
        assert "grows exponentially" == singular_limit(([[2, 0], [0, 1]], [[0], [0]], [[1], [0]])).behaviour

    def test_without_a_start_a_singular_pair_says_nothing_of_its_limit(self):
        answer = singular_limit((self.LEAST_SQUARES, [["1/4"], ["1/4"]]))
        assert (None, None, None, None) == (answer.behaviour, answer.limit, answer.agrees, answer.remembered)
        assert [[fmpq(1, 2)], [fmpq(1, 2)]] == rows(answer.minimal_norm)

    def test_no_columns(self):
        answer = singular_limit(SwitchedSystem((fmpq_mat([[1]]),), (fmpq_mat(1, 0),), J0=fmpq_mat(1, 0)))
        assert ("converges", 0) == (answer.behaviour, answer.limit.ncols())

    def test_equal_pairs_are_one(self):
        pair = SwitchedSystem.from_rows([[["1/2"]], [["1/2"]]], [[[1]], [[1]]])
        assert [[2]] == rows(singular_limit(pair).limit)


class TestRefusals:
    def test_several_pairs(self):
        with pytest.raises(UnknownError, match="there are 2 pairs"):
            singular_limit(SwitchedSystem.from_rows([[[1]], [[0]]]))

    def test_bounds(self):
        with pytest.raises(UnknownError, match="given by intervals"):
            singular_limit(SwitchedSystem.from_rows([[[["1/2", 1]]]]))

    def test_floats_and_shapes(self):
        with pytest.raises(NumberError, match="float"):
            singular_limit(([[0.5]], [[1]]))
        with pytest.raises(SwitchedSystemError, match="J0"):
            singular_limit(([[1]], [[1]], [[1, 2]]))

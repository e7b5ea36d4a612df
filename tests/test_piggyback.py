"""The piggyback recursion: against products of matrices, closed forms and a second arithmetic."""

from __future__ import annotations

from itertools import product

import pytest
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.arithmetic import Mpmath
from piggycheck.arrays import EXACT, MpmathArrays
from piggycheck.errors import InputError, IrrationalError
from piggycheck.fixed_points import fixed_points, linearise
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.piggyback import FixedBranch, RandomBranch, RepeatedWord, propagate, steps

x, theta = sp.symbols("x theta", real=True)
TWO_SLOPES = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"


def ball(start="theta"):
    return heavy_ball(TWO_SLOPES, ["x"], 1, "3/4", parameters=["theta"], start=[start])


def with_forcing():
    """F(x) = -x/2 + relu(theta) + |x|/4, started at theta: pairs (-1/4, 1), (-3/4, 1), (-1/4, 0), (-3/4, 0) at 0."""
    return Iteration(SymbolicMap([x], [-x / 2 + sp.Max(theta, 0) + sp.Abs(x) / 4], [theta]), [theta])


class TestExact:
    @examples(50)
    @given(st.lists(st.integers(0, 1), min_size=1, max_size=6))
    def test_a_repeated_word_multiplies_its_matrices(self, word):
        """Along the word w, repeated from the fixed point, J goes to A_w J + B_w."""
        iteration = ball()
        system = linearise(iteration, fixed_points(iteration, {"theta": 0})[0])
        J = fmpq_mat([[1], [1]])
        seen = propagate(iteration, 3 * len(word), {"theta": 0}, policy=RepeatedWord(tuple(word)))
        for round_ in range(1, 4):
            A, B = system.product(tuple(word))
            J = A * J + B
            assert J == seen[round_ * len(word)].J.centre

    @examples(30)
    @given(st.lists(st.integers(0, 3), min_size=1, max_size=5))
    def test_the_constant_part_is_carried_along(self, word):
        iteration = with_forcing()
        pieces = iteration.map.selection({x: 0, theta: 0}).pieces
        J = sp.Integer(1)
        for letter in word:
            J = pieces[letter].A[0] * J + pieces[letter].B[0]
        seen = propagate(iteration, len(word), {"theta": 0}, policy=RepeatedWord(tuple(word)))
        assert fmpq(int(J.p), int(J.q)) == seen[-1].J.centre[0, 0]

    def test_away_from_kinks_it_is_the_classical_derivative(self):
        """Gradient descent on (x - theta)**2/2 with step 1/2: x_k = theta (1 - 2**-k), so J_k = 1 - 2**-k."""
        descent = gradient_descent("(x - theta)**2/2", ["x"], "1/2", parameters=["theta"], start=[0])
        for step in propagate(descent, 12, {"theta": "5/3"}):
            assert 1 - fmpq(1, 2**step.k) == step.J.centre[0, 0]
            assert fmpq(5, 3) * (1 - fmpq(1, 2**step.k)) == step.x.centre[0, 0]

    def test_a_parameter_in_a_product(self):
        """x_{k+1} = theta x_k from 1: x_k = theta**k, J_k = k theta**(k-1)."""
        power = Iteration(SymbolicMap([x], [theta * x], [theta]), [1])
        last = propagate(power, 7, {theta: 3})[-1]
        assert fmpq(3**7) == last.x.centre[0, 0]
        assert fmpq(7 * 3**6) == last.J.centre[0, 0]

    def test_what_is_not_rational_is_said(self):
        with pytest.raises(IrrationalError):
            propagate(Iteration(SymbolicMap([x], [sp.exp(x)]), [1]), 2)

    def test_it_goes_on_without_end(self):
        walk = steps(ball(), {"theta": 1})
        assert list(range(100)) == [next(walk).k for _ in range(100)]


class TestMpmath:
    def test_it_agrees_with_the_exact_recursion(self):
        numbers = MpmathArrays(60)
        exactly = propagate(ball("theta + 1"), 40, {"theta": "1/3"})
        rounded = propagate(ball("theta + 1"), 40, {"theta": "1/3"}, arithmetic=numbers)
        for a, b in zip(exactly, rounded, strict=True):
            for p, q in ((a.x, b.x), (a.J, b.J)):
                errors = (p.centre - numbers.exactly(q.centre)).entries()
                assert max(map(abs, errors)) < fmpq(1, 10**55)

    def test_iterates_beyond_the_rationals(self):
        """Newton's iteration for sqrt(theta) at theta = 2: the derivative tends to 1/(2 sqrt 2)."""
        context = Mpmath(50).context
        newton = Iteration(SymbolicMap([x], [x / 2 + theta / (2 * x)], [theta]), [1])
        last = propagate(newton, 9, {theta: 2}, arithmetic=MpmathArrays(50))[-1]
        value, J = last.x.centre.rows[0][0], last.J.centre.rows[0][0]
        assert abs(value - context.sqrt(2)) < context.mpf(10) ** -45
        assert abs(J - 1 / (2 * context.sqrt(2))) < context.mpf(10) ** -45

    def test_ties_in_rounded_arithmetic_use_the_policy(self):
        seen = propagate(ball(), 4, {"theta": 0}, policy=RepeatedWord((0, 0, 1, 1)), arithmetic=MpmathArrays(20))
        assert [1, 0, -0.75, -1.125, -1.125] == [float(step.J.centre.rows[0][0]) for step in seen]


class TestPolicies:
    def test_a_fixed_branch_contracts_and_the_word_grows(self):
        """Each of the two matrices has spectral radius sqrt(3)/2; the word 0 0 1 1 has the eigenvalue -9/8."""
        for index in (0, 1):
            last = propagate(ball(), 80, {"theta": 0}, policy=FixedBranch(index))[-1]
            assert abs(last.J.centre[0, 0]) < fmpq(1, 1000)
        grown = propagate(ball(), 80, {"theta": 0}, policy=RepeatedWord((0, 0, 1, 1)))
        assert fmpq(9, 8) ** 20 == grown[-1].J.centre[0, 0]

    def test_random_picks_repeat_with_the_seed(self):
        runs = [[s.J for s in propagate(ball(), 30, {"theta": 0}, policy=RandomBranch(seed))] for seed in (7, 7, 8)]
        assert runs[0] == runs[1] != runs[2]

    def test_every_random_run_is_along_some_word(self):
        seen = propagate(ball(), 5, {"theta": 0}, policy=RandomBranch(3))[-1].J
        words = product((0, 1), repeat=5)
        assert any(propagate(ball(), 5, {"theta": 0}, policy=RepeatedWord(w))[-1].J == seen for w in words)

    def test_a_piece_that_is_not_there_is_refused(self):
        with pytest.raises(InputError, match="piece 2, and 2 are active; write 0 to 1"):
            propagate(ball(), 1, {"theta": 0}, policy=FixedBranch(2))
        with pytest.raises(InputError, match="at least one letter"):
            RepeatedWord(())

    def test_away_from_ties_the_policy_is_not_asked(self):
        descent = gradient_descent(TWO_SLOPES, ["x"], "1/2", parameters=["theta"], start=["theta"])
        plain, asked = (propagate(descent, 9, {"theta": 1}, policy=p) for p in (None, FixedBranch(99)))
        assert plain == asked

    def test_no_step_beyond_the_last_is_taken(self):
        """From 1/2 to 1 to 0, where the map has no value."""
        inverse = Iteration(SymbolicMap([x], [1 / x - 1 + theta], [theta]), ["1/2"])
        assert [fmpq(1, 2), 1] == [step.x.centre[0, 0] for step in propagate(inverse, 1, {theta: 0})]

    def test_a_missing_start_or_parameter_is_an_error(self):
        with pytest.raises(InputError, match="no start"):
            propagate(heavy_ball(TWO_SLOPES, ["x"], 1, "3/4", parameters=["theta"]), 1, {"theta": 0})
        with pytest.raises(InputError, match="`theta` has no value"):
            propagate(ball(), 1)

    def test_signatures_show_the_ties(self):
        assert ["0", "0"] == [str(s.signature) for s in propagate(ball(), 1, {"theta": 0}, arithmetic=EXACT)]

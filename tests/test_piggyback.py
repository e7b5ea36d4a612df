"""The piggyback recursion: against products of matrices, closed forms and a second arithmetic."""

from __future__ import annotations

from itertools import product

import pytest
import sympy as sp
from flint import arb_mat, fmpq, fmpq_mat
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import examples, maps

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.arithmetic import Mpmath
from piggycheck.arrays import EXACT, FLOAT64, BallArrays, MpmathArrays
from piggycheck.errors import InputError, IrrationalError, UnknownError
from piggycheck.expression import relu
from piggycheck.fixed_points import fixed_points, linearise
from piggycheck.iteration import Iteration
from piggycheck.maps import (
    Affine,
    ArrayParameter,
    Elementwise,
    ScalarFunction,
    StateBlock,
    StructuredMap,
    SymbolicMap,
    Term,
)
from piggycheck.piggyback import (
    ByConvention,
    FixedBranch,
    RandomBranch,
    RepeatedWord,
    identification,
    propagate,
    propagate_set,
    reverse,
    steps,
)

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


class TestBalls:
    HALVES = SymbolicMap([x], [x - sp.Max(x - theta, 0) / 2], [theta])

    def test_precision_is_raised_until_signs_are_decided(self):
        """x_k = theta + 2^(-100-k), so the guard x - theta needs ever more bits; J_k stays 1."""
        iteration = Iteration(self.HALVES, [theta + sp.Rational(1, 2**100)])
        seen = propagate(iteration, 60, {theta: "1/3"}, arithmetic=BallArrays(64))
        assert {"-"} == {str(step.signature) for step in seen}
        assert fmpq(1, 2**90) > abs(BallArrays(64).exactly(seen[-1].x.centre)[0, 0] - fmpq(1, 3))
        assert abs(seen[-1].J.centre[0, 0] - 1) <= seen[-1].J.spread < 1e-30

    def test_at_the_limit_the_guard_the_step_and_the_precision_are_named(self):
        iteration = Iteration(self.HALVES, [theta + sp.Rational(1, 2**100)])
        message = (
            r"step \d\d: the sign of the guard `theta - x` is not decided; .*e-3\d.*; .* was 128 bits \(38 digits\)"
        )
        with pytest.raises(UnknownError, match=message):
            propagate(iteration, 60, {theta: "1/3"}, arithmetic=BallArrays(64), most_bits=128)
        at_a_tie = Iteration(self.HALVES, [theta])
        with pytest.raises(UnknownError, match=r"step 0: .*e-1234.*; the precision was 4096 bits \(1233 digits\)"):
            propagate(at_a_tie, 1, {theta: "1/3"}, arithmetic=BallArrays(64))

    def test_values_need_no_signs(self):
        seen = propagate(Iteration(self.HALVES, [theta]), 9, {theta: "1/3"}, directions={}, arithmetic=BallArrays(64))
        assert {None} == {step.signature for step in seen}
        assert abs(BallArrays(64).exactly(seen[-1].x.centre)[0, 0] - fmpq(1, 3)) < fmpq(1, 2**50)
        assert seen[-1].x.spread < 2.0**-50

    def test_ties_at_points_that_are_known_exactly_use_the_policy(self):
        word = RepeatedWord((0, 0, 1, 1))
        seen = propagate(ball(), 4, {"theta": 0}, policy=word, arithmetic=BallArrays(64))
        assert [1, 0, fmpq(-3, 4), fmpq(-9, 8), fmpq(-9, 8)] == [
            BallArrays(64).exactly(step.J.centre)[0, 0] for step in seen
        ]

    @examples(30)
    @given(maps(parameters=(1, 2)), st.randoms(use_true_random=False))
    def test_they_contain_the_exact_recursion(self, triple, random):
        state, next_, parameters = triple
        numbers = [sp.Rational(random.randrange(-20, 20), 7) for _ in range(len(state) + len(parameters))]
        iteration = Iteration(SymbolicMap(state, next_, parameters), [c + parameters[0] for c in numbers[: len(state)]])
        at = dict(zip(parameters, numbers[len(state) :], strict=True))
        exact = propagate(iteration, 5, at)
        assume(all(0 not in step.signature for step in exact))
        for a, b in zip(exact, propagate(iteration, 5, at, arithmetic=BallArrays(96)), strict=True):
            assert a.signature == b.signature
            for p, q in ((a.x, b.x), (a.J, b.J)):
                squares = sum((e * e for e in (p.centre - BallArrays(96).exactly(q.centre)).entries()), start=fmpq(0))
                assert squares <= BallArrays(96).exactly(arb_mat([[q.spread]]))[0, 0] ** 2


class TestDependingOnK:
    def test_averaging(self):
        """x + (theta - x)/(k + 2) from 0 is the mean of k thetas and one 0: x_k = theta k/(k + 1)."""
        mean = Iteration(lambda k: SymbolicMap([x], [x + (theta - x) / (k + 2)], [theta]), [0])
        for step in propagate(mean, 40, {theta: 5}):
            assert fmpq(5 * step.k, step.k + 1) == step.x.centre[0, 0]
            assert fmpq(step.k, step.k + 1) == step.J.centre[0, 0]
        assert fmpq(40, 41) == reverse(mean, 40, [1], {theta: 5}).parameters["theta"].centre[0, 0]

    def test_accelerated_gradient_steps_on_a_quadratic(self):
        """Nesterov's momentum k/(k + 3) on (x - theta)^2/2 with step 1/2, against the recursion written out."""
        y = sp.Symbol("y", real=True)

        def step(k):
            ahead = x + sp.Rational(k, k + 3) * (x - y)
            return SymbolicMap([x, y], [ahead - (ahead - theta) / 2, x], [theta])

        now, before = fmpq(0), fmpq(0)
        for seen in propagate(Iteration(step, [0, 0]), 15, {theta: 3}):
            assert [3 * now, 3 * before] == seen.x.centre.entries()
            assert [now, before] == seen.J.centre.entries()
            ahead = now + fmpq(seen.k, seen.k + 3) * (now - before)
            now, before = ahead - (ahead - 1) / 2, now

    def test_maps_that_come_again_are_bound_once(self):
        class Counted(SymbolicMap):
            bindings = 0

            def bind(self, at, arrays):
                Counted.bindings += 1
                return super().bind(at, arrays)

        pair = [Counted([x], [x / 2 + theta], [theta]), Counted([x], [x / 3], [theta])]
        assert (
            fmpq(1, 6**5) + sum(fmpq(1, 3 * 6**i) for i in range(5))
            == propagate(Iteration(lambda k: pair[k % 2], [1]), 10, {theta: 1})[-1].x.centre[0, 0]
        )
        assert 2 == Counted.bindings

    def test_what_needs_one_map_says_so(self):
        mean = Iteration(lambda k: SymbolicMap([x], [x / (k + 2)]), [1], name="mean")
        with pytest.raises(InputError, match="the map of `mean` depends on k, and this needs one that does not"):
            mean.map  # noqa: B018
        y = sp.Symbol("y", real=True)
        other = Iteration(lambda k: SymbolicMap([y if k else x], [sp.S.One], []), [1])
        with pytest.raises(InputError, match="the map of step 1 has another state or other parameters than"):
            propagate(other, 2)


class TestReverse:
    @examples(30)
    @given(maps(), st.integers(0, 4))
    def test_it_is_a_product_from_the_left(self, triple, count):
        state, next_, parameters = triple
        start = [sp.Rational(i + 1, 3) + sum(parameters, sp.S.Zero) * (i + 2) for i in range(len(state))]
        iteration = Iteration(SymbolicMap(state, next_, parameters), start)
        at = dict(zip(parameters, (sp.Rational(1, 2), sp.Rational(-5, 7)), strict=False))
        weights = [fmpq(2 * i - 1, 5) for i in range(len(state))]
        for policy in (FixedBranch(0), RandomBranch(3)):
            last = propagate(iteration, count, at, policy=policy)[-1]
            gradient = reverse(iteration, count, weights, at, policy=policy)
            assert last.x == gradient.x
            expected = (fmpq_mat([weights]) * last.J.centre).entries()
            assert expected == [gradient.parameters[str(v)].centre[0, 0] for v in parameters]


class TestSets:
    def test_all_choices_at_a_tie_that_stays(self):
        """The set after k steps is that of all products of k of the two matrices, applied to J_0."""
        iteration = ball()
        pairs = linearise(iteration, fixed_points(iteration, {"theta": 0})[0]).pairs
        for step in propagate_set(iteration, 6, {"theta": 0}):
            found = {(1, 1)}
            for _ in range(step.k):
                found = {tuple((A * fmpq_mat([[a], [b]]) + B).entries()) for A, B in pairs for a, b in found}
            assert found == {tuple(J.entries()) for J in step.matrices}
            assert len(found) == len(step.matrices)

    def test_away_from_ties_it_is_one_derivative(self):
        descent = gradient_descent(TWO_SLOPES, ["x"], "1/2", parameters=["theta"], start=["theta"])
        sets = list(propagate_set(descent, 5, {"theta": -1}))
        assert [(step.J.centre,) for step in propagate(descent, 5, {"theta": -1})] == [step.matrices for step in sets]

    def test_every_policy_stays_in_the_set(self):
        iteration = with_forcing()
        *_, last = propagate_set(iteration, 4, {theta: 0})
        for word in product(range(4), repeat=4):
            J = propagate(iteration, 4, {theta: 0}, policy=RepeatedWord(word))[-1].J.centre
            assert J in last.matrices

    def test_starts_with_kinks_begin_with_several(self):
        iteration = Iteration(SymbolicMap([x], [x / 2 + 1 + theta], [theta]), [sp.Abs(theta)])
        first, second = propagate_set(iteration, 1, {theta: 0})
        assert {1, -1} == {J[0, 0] for J in first.matrices}
        assert {fmpq(3, 2), fmpq(1, 2)} == {J[0, 0] for J in second.matrices}

    def test_there_is_a_limit(self):
        with pytest.raises(UnknownError, match="step 5: the set of derivatives has more than 20 elements"):
            list(propagate_set(ball(), 10, {"theta": 0}, most=20))


class TestIdentification:
    @pytest.mark.parametrize("arithmetic", [EXACT, BallArrays(128), MpmathArrays(40)], ids=["exact", "balls", "mpmath"])
    def test_the_last_change_of_signs_is_found(self, arithmetic):
        """x - 1/2 each step from 5, until x <= 1/3: from then on x/2, first seen at k = 10."""
        f = sp.Piecewise((x - sp.Rational(1, 2), x > sp.Rational(1, 3)), (x / 2, True))
        assert 10 == identification(Iteration(SymbolicMap([x], [f]), [5]), 40, arithmetic=arithmetic)


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


class TestByConvention:
    """Of |theta| - x/2 + relu(theta) at 0: JAX adds 1 and 0, PyTorch 0 and 0, in every step."""

    ITERATION = Iteration(
        SymbolicMap([x], [sp.Abs(theta) - x / 2 + relu(theta)], [theta]), start=[2 * sp.Max(theta, 0)]
    )

    @pytest.mark.parametrize(("name", "pushed"), [("jax", 1), ("torch", 0)])
    @pytest.mark.parametrize("arithmetic", [EXACT, FLOAT64, BallArrays(64)])
    def test_derivatives(self, name, pushed, arithmetic):
        expected = [fmpq(1)]
        for _ in range(5):
            expected.append(-expected[-1] / 2 + pushed)
        found = propagate(self.ITERATION, 5, {"theta": 0}, policy=ByConvention(name), arithmetic=arithmetic)
        assert expected == [arithmetic.exactly(step.J.centre)[0, 0] for step in found]

    def test_away_from_the_tie_it_is_the_derivative(self):
        for name in ("jax", "torch"):
            found = propagate(self.ITERATION, 4, {"theta": 1}, policy=ByConvention(name))
            usual = propagate(self.ITERATION, 4, {"theta": 1})
            assert [step.J.centre for step in found] == [step.J.centre for step in usual]

    def test_of_layers(self):
        """Soft-thresholding by 1 at 1, as it is written out: half the derivative."""
        block, b, v = StateBlock("x", 1), ArrayParameter("b", 1), sp.Symbol("v", real=True)
        moved = Affine("v", [Term(sp.Rational(1, 2), (), block), Term(sp.S.One, (), b)])
        shrink = Elementwise("y", ScalarFunction(v - sp.Max(-1, sp.Min(1, v)), v), moved)
        iteration = Iteration(StructuredMap([block], shrink, [b]), start=[0])
        found = propagate(iteration, 3, {"b": [1]}, policy=ByConvention("torch"))
        assert [0, fmpq(1, 2), fmpq(5, 8), fmpq(21, 32)] == [step.J.centre[0, 0] for step in found]

    def test_where_pieces_are_needed_it_is_refused(self):
        with pytest.raises(InputError, match="the convention of jax at a tie picks no piece; use `propagate`"):
            reverse(self.ITERATION, 3, [1], {"theta": 0}, policy=ByConvention("jax"))
        with pytest.raises(InputError, match="no such convention; write one of jax, torch"):
            ByConvention("numpy")

"""The evaluators on structured maps: four arithmetics, forward and reverse, and spreads that contain the truth."""

from __future__ import annotations

from itertools import islice

import pytest
import sympy as sp
from flint import arb_mat, fmpq, fmpq_mat
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import examples

from piggycheck.algorithms import forward_backward
from piggycheck.arrays import EXACT, FLOAT64, BallArrays, Enclosed, MpmathArrays
from piggycheck.errors import InputError, UnknownError
from piggycheck.functions import box, l1, least_squares
from piggycheck.iteration import Iteration
from piggycheck.maps import ArrayParameter
from piggycheck.piggyback import (
    FixedBranch,
    RandomBranch,
    RepeatedWord,
    identification,
    pairs_along,
    propagate,
    propagate_set,
    reverse,
    steps,
)

lam, tau = sp.symbols("lam tau", real=True)
SIXTY = MpmathArrays(60)
ROUNDING = fmpq(1, 10**55)

entries = st.builds(fmpq, st.integers(-9, 9), st.sampled_from([2, 3, 7]))
positive = st.builds(fmpq, st.integers(1, 9), st.sampled_from([8, 11]))


def matrices(rows, columns):
    return st.lists(entries, min_size=rows * columns, max_size=rows * columns).map(lambda e: fmpq_mat(rows, columns, e))


def problems(m=2, n=3):
    """Values of the parameters of a Lasso: weight, step, data and matrix."""
    found = {"lam": positive, "tau": positive, "b": matrices(m, 1), "A": matrices(m, n)}
    return st.fixed_dictionaries(found)


def lasso(m=2, n=3, start=None):
    """Forward-backward splitting with everything a parameter, started where it depends on some of them."""
    A, b = ArrayParameter("A", m, n), ArrayParameter("b", m)
    iteration = forward_backward(least_squares(A, b), l1(lam), step=tau, parameters=[lam, tau, b, A])
    entry = sp.Symbol("A_2", real=True)
    return Iteration(iteration.map, start or [lam + 1, *[entry**2] * (n - 2), tau - 2])


def everything(at, n=3):
    """Two directions in which all parameters move."""
    return {
        "lam": [1, -2],
        "tau": [3, 1],
        "b": fmpq_mat(at["b"].nrows(), 2, [fmpq(i + 1, 3) for i in range(2 * at["b"].nrows())]),
        "A": fmpq_mat(2 * n, 2, [fmpq(i % 5 - 2) for i in range(4 * n)]),
    }


def is_within(enclosed, truth, slack=0):
    """Whether an exact matrix is as near to a centre as the spread says."""
    balls = BallArrays(64)
    squares = sum((e * e for e in (balls.exactly(enclosed.centre) - truth).entries()), start=fmpq(0))
    return squares <= (balls.exactly(arb_mat([[enclosed.spread]]))[0, 0] + slack) ** 2


class TestArithmetics:
    @examples(25)
    @given(problems())
    def test_balls_contain_the_exact_values(self, at):
        iteration = lasso()
        for exact, ball in zip(
            propagate(iteration, 3, at, directions=everything(at)),
            propagate(iteration, 3, at, directions=everything(at), arithmetic=BallArrays(64)),
            strict=True,
        ):
            assert exact.signature == ball.signature
            assert is_within(ball.x, exact.x.centre) and is_within(ball.J, exact.J.centre)
            assert ball.x.spread < 1e-12

    @examples(25)
    @given(problems())
    def test_balls_contain_sixty_digits(self, at):
        iteration = lasso()
        try:
            balls = propagate(iteration, 20, at, arithmetic=BallArrays(96))
        except UnknownError:
            assume(False)
        for ball, digits in zip(balls, propagate(iteration, 20, at, arithmetic=SIXTY), strict=True):
            assert ball.signature == digits.signature
            for enclosed, rounded in ((ball.x, digits.x), (ball.J, digits.J)):
                truth = SIXTY.exactly(rounded.centre)
                size = 1 + max(map(abs, truth.entries()))
                assert is_within(enclosed, truth, ROUNDING * size)

    @examples(25)
    @given(problems())
    def test_double_precision_is_near(self, at):
        for digits, double in zip(
            propagate(lasso(), 6, at, arithmetic=SIXTY), propagate(lasso(), 6, at, arithmetic=FLOAT64), strict=True
        ):
            assume(digits.signature == double.signature)
            for a, b in ((digits.x, double.x), (digits.J, double.J)):
                truth, seen = SIXTY.exactly(a.centre).entries(), FLOAT64.exactly(b.centre).entries()
                size = 1 + max(map(abs, truth))
                assert max(abs(p - q) for p, q in zip(truth, seen, strict=True)) <= size / 10**7

    def test_spreads_do_not_wrap(self):
        """2000 steps of a map that turns its state keep the spread near 2000 rounding errors."""
        A = fmpq_mat(6, 8, [fmpq((7 * i) % 11 - 5, 9) for i in range(48)])
        at = {"lam": fmpq(1, 7), "tau": fmpq(1, 30), "b": fmpq_mat(6, 1, [fmpq(i, 7) for i in range(6)]), "A": A}
        iteration = lasso(6, 8, [1] * 8)
        for step in steps(iteration, at, directions={"lam": [1]}, arithmetic=BallArrays(128)):
            if step.k == 2000:
                break
        assert 0 < step.x.spread < 2000 * 2.0**-120 and step.J.spread < 2000 * 2.0**-116
        assert identification(iteration, 2000, at, arithmetic=BallArrays(128)) < 1900


class TestFollowing:
    """Iterates on one affine piece are evaluated by products of small matrices, which must not change what is true."""

    @pytest.mark.parametrize("step", ["1/9", "1/99"], ids=["settled", "crossing kinks after many steps"])
    @pytest.mark.parametrize("nonsmooth", [l1(lam), box(0, lam)], ids=["zeros", "bounds"])
    def test_long_runs_contain_sixty_digits(self, nonsmooth, step):
        A = fmpq_mat(12, 12, [fmpq(20 * (i == j) + (5 * i + 3 * j) % 5 - 2, 20) for i in range(12) for j in range(12)])
        b = [fmpq(k, 5) for k in (0, 1, -1, 2, 0, 3, -2, 9, 1, -9, 8, 0)]
        iteration = forward_backward(least_squares(A, b), nonsmooth, step=step, parameters=["lam"], start=fmpq(1, 4))
        at, followed = {"lam": fmpq(1, 3)}, {}
        balls, digits = (steps(iteration, at, arithmetic=arrays) for arrays in (BallArrays(128), SIXTY))
        for ball, rounded in islice(zip(balls, digits, strict=False), 400):
            assert ball.signature == rounded.signature
            assert is_within(ball.x, SIXTY.exactly(rounded.x.centre), ROUNDING)
            assert is_within(ball.J, SIXTY.exactly(rounded.J.centre), ROUNDING)
            if type(ball.x) is not Enclosed:
                followed[ball.signature] = followed.get(ball.signature, 0) + 1
        assert ball.x.spread < 2.0**-110 and ball.J.spread < 2.0**-105
        assert sum(followed.values()) > 60
        assert (len(followed) > 1) == (step == "1/99")


class TestTies:
    """At the penalty 6 the second entry of 0 is exactly at a kink: |2 * 3| = 6."""

    LAYERS = forward_backward(least_squares([[1, 2]], [3]), l1("lam"), step="1/5", parameters=["lam"])
    SYMBOLS = forward_backward(
        "(x + 2*y - 3)**2/2", l1("lam"), ["x", "y"], step="1/5", parameters=["lam"], start=[0, 0]
    )

    @pytest.mark.parametrize("arithmetic", [EXACT, MpmathArrays(30), FLOAT64], ids=["exact", "mpmath", "float64"])
    @pytest.mark.parametrize("policy", [FixedBranch(0), FixedBranch(1), RepeatedWord((0, 1)), RandomBranch(2)])
    def test_policies_pick_the_same_as_for_symbols(self, policy, arithmetic):
        runs = [
            propagate(iteration, 5, {"lam": 6}, policy=policy, arithmetic=arrays)
            for iteration, arrays in ((self.LAYERS, arithmetic), (self.SYMBOLS, EXACT))
        ]
        for layers, symbols in zip(*runs, strict=True):
            truth = symbols.J.centre.entries()
            found = arithmetic.exactly(layers.J.centre).entries()
            assert max(abs(a - b) for a, b in zip(truth, found, strict=True)) < fmpq(1, 10**14)

    def test_the_pieces_are_the_two_sides(self):
        """Inactive, the derivative is 0; active, it tends to that of the Lasso in one variable, -1/4."""
        inactive, active = (
            propagate(self.LAYERS, 60, {"lam": 6}, policy=FixedBranch(i))[-1].J.centre.entries() for i in (0, 1)
        )
        assert [0, 0] == inactive
        assert active[0] == 0 and abs(active[1] + fmpq(1, 4)) < fmpq(1, 10**30)

    def test_the_set_of_all_choices_is_the_same_for_symbols(self):
        pairs = zip(
            *(propagate_set(iteration, 5, {"lam": 6}) for iteration in (self.LAYERS, self.SYMBOLS)), strict=True
        )
        for layers, symbols in pairs:
            assert layers.x == symbols.x
            assert {tuple(J.entries()) for J in layers.matrices} == {tuple(J.entries()) for J in symbols.matrices}
            assert layers.k + 1 == len(layers.matrices)

    def test_balls_say_that_they_cannot_tell(self):
        with pytest.raises(
            UnknownError, match=r"step 0: the sign of the guard `proximal\[1\]: t - v` is not decided; .*"
        ):
            propagate(self.LAYERS, 3, {"lam": 6}, arithmetic=BallArrays(64), most_bits=256)


class TestModes:
    @examples(20)
    @given(problems())
    def test_directions_are_products_with_the_jacobian(self, at):
        iteration, directions = lasso(), everything(at)
        moving = fmpq_mat([*([fmpq(d) for d in directions[v]] for v in ("lam", "tau")), *_rows(directions["b"])])
        moving = fmpq_mat(moving.tolist() + directions["A"].tolist())
        full = propagate(iteration, 3, at)
        for jacobian, product in zip(full, propagate(iteration, 3, at, directions=directions), strict=True):
            assert jacobian.J.centre * moving == product.J.centre

    @examples(20)
    @given(problems(), st.lists(entries, min_size=3, max_size=3))
    def test_reverse_is_a_product_from_the_left(self, at, weights):
        iteration = lasso()
        J = propagate(iteration, 3, at)[-1]
        gradient = reverse(iteration, 3, weights, at)
        expected = fmpq_mat([weights]) * J.J.centre
        found = [e for name in ("lam", "tau", "b", "A") for e in gradient.parameters[name].centre.entries()]
        assert expected.entries() == found
        assert J.x.centre == gradient.x.centre
        assert (2, 3) == (gradient.parameters["A"].centre.nrows(), gradient.parameters["A"].centre.ncols())

    @examples(20)
    @given(problems(), st.lists(entries, min_size=3, max_size=3))
    def test_reverse_over_balls_contains_the_exact_gradient(self, at, weights):
        exact = reverse(lasso(), 3, weights, at)
        balls = reverse(lasso(), 3, weights, at, arithmetic=BallArrays(64))
        assert is_within(balls.x, exact.x.centre)
        for name, gradient in balls.parameters.items():
            assert is_within(gradient, exact.parameters[name].centre), name
            assert gradient.spread < 1e-6

    @examples(10)
    @given(problems())
    def test_pairs_make_the_recursion(self, at):
        directions = everything(at)
        J = propagate(lasso(), 3, at, directions=directions)
        for k, (A, B) in enumerate(pairs_along(lasso(), 3, at, directions=directions)):
            assert A * J[k].J.centre + B == J[k + 1].J.centre

    def test_an_empty_mapping_asks_for_values_alone(self):
        at = {"lam": 1, "tau": "1/9", "b": [1, 2], "A": [[1, 2, 0], [0, 1, 1]]}
        alone = propagate(lasso(), 4, at, directions={})
        assert [step.x for step in propagate(lasso(), 4, at)] == [step.x for step in alone]
        assert all(step.J is None for step in alone)

    def test_a_matrix_of_many_parameters_needs_directions(self):
        A = ArrayParameter("A", 50, 90)
        iteration = forward_backward(least_squares(A, [1] * 50), l1("lam"), step="1/9", parameters=["lam", A])
        at = {"lam": 1, "A": fmpq_mat(50, 90, [fmpq(i % 3) for i in range(4500)])}
        with pytest.raises(InputError, match="are 4501 numbers, too many to differentiate in all; name `directions`"):
            propagate(iteration, 1, at, arithmetic=FLOAT64)
        assert 91 == len(propagate(iteration, 90, at, directions={"lam": [1]}, arithmetic=FLOAT64))

    def test_weights_are_counted(self):
        with pytest.raises(InputError, match="2 weights for 3 state variables; write one for each"):
            reverse(lasso(), 1, [1, 2], {})


def _rows(M):
    return M.tolist()


def test_a_number_is_one_direction_of_a_parameter():
    iteration = forward_backward(least_squares([[1, 2]], [3]), l1("lam"), step="1/4", parameters=["lam"])
    one, listed = (propagate(iteration, 3, {"lam": 1}, directions={"lam": d})[-1].J.centre for d in (2, [2]))
    assert one == listed


@pytest.mark.parametrize("count", [-1, "1/2"])
def test_a_number_of_steps_is_a_nonnegative_integer(count):
    iteration = forward_backward(least_squares([[1, 2]], [3]), l1(1), step="1/4")
    with pytest.raises(InputError, match="is not a number of steps"):
        propagate(iteration, count)


def test_numbers_beyond_floating_point_are_refused():
    with pytest.raises(InputError, match="the largest in floating point"):
        FLOAT64.matrix(fmpq_mat([[10**400]]))

"""The claim *converges*: joint spectral radius, trap and certificate, against brute force and by hand."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy as sp
from certificate_helper import assert_certified, content_of, holds, proved, refuted, undecided
from hypothesis import given
from hypothesis import strategies as st
from strategies import STATE, examples, kinked, value_of

from piggycheck.algorithms import forward_backward, gradient_descent, heavy_ball, nesterov
from piggycheck.claims import Converges, Proved, Refuted, Undecided, prove
from piggycheck.derivation import ContractionStep, WordStep
from piggycheck.errors import InputError, NumberError
from piggycheck.functions import l1
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, z, theta = sp.symbols("x y z theta", real=True)
lam = sp.Symbol("lam", real=True)
P = sp.Piecewise
CLAIM = Converges()


def two_slopes(slope):
    return f"Piecewise((x**2/2, x >= 0), ({slope}*x**2/2, True))"


def ball(slope="1/4", start="theta"):
    return heavy_ball(
        two_slopes(slope), ["x"], 1, "3/4", parameters=["theta"], start=None if start is None else [start]
    )


def about(*following, parameters=(), start=None):
    return Iteration(SymbolicMap(STATE[: len(following)], following, parameters), start)


def largest_rate(matrices, length):
    """The largest rate of a word up to a length, in floating point: a lower bound of the joint spectral radius."""
    best, products = 0.0, [np.eye(len(matrices[0]))]
    for n in range(1, length + 1):
        products = [np.array(A, float) @ M for M in products for A in matrices]
        best = max(best, max(max(abs(np.linalg.eigvals(M))) for M in products) ** (1 / n))
    return best


def ball_matrices_text():
    return [[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]]


def ball_matrices(slope):
    return [[[0.75, -0.75], [1, 0]], [[1.75 - slope, -0.75], [1, 0]]]


class TestHeavyBall:
    def test_the_paper_is_refuted_with_the_word(self):
        verdict = refuted(CLAIM, ball(), {"theta": 0})
        assert [0, 0, 1, 1] == verdict.value["word"]
        assert "9/8" == verdict.value["eigenvalue_modulus_lower"]

    @pytest.mark.parametrize(("slope", "at"), [("1", 0), ("4/5", 0), ("4/5", 1), ("4/5", "-1/7")])
    def test_equal_and_mild_slopes_converge_from_anywhere(self, slope, at):
        verdict = proved(CLAIM, ball(slope), {"theta": at})
        assert (
            largest_rate(ball_matrices(float(Fraction(slope))), 8)
            <= float(Fraction(verdict.value["rate_upper"])) + 1e-12
        )
        assert [["0"], ["0"]] == verdict.value["limit"]

    def test_a_start_that_contains_another_parameter_value_still_converges(self):
        proved(CLAIM, ball("4/5", start="theta**2 + 3"), {"theta": 2})

    @pytest.mark.parametrize("step", range(1, 21))
    def test_the_grid_of_slopes_agrees_with_brute_force(self, step):
        """Every verdict on the slopes (1, s), s = step/20, is compared with all words up to length 12."""
        verdict = prove(CLAIM, ball(f"{step}/20"), {"theta": 0}, time_limit=2.0)
        brute = largest_rate(ball_matrices(step / 20), 12)
        if isinstance(verdict, Proved):
            assert brute <= float(Fraction(verdict.value["rate_upper"])) + 1e-12 < 1 + 1e-12
        if isinstance(verdict, Refuted):
            word = [ball_matrices(step / 20)[letter] for letter in verdict.value["word"]]
            assert max(abs(np.linalg.eigvals(np.linalg.multi_dot([np.eye(2), *map(np.array, word[::-1])])))) >= 1
        if brute > 1 + 1e-9:
            assert isinstance(verdict, Refuted)
        if not isinstance(verdict, Undecided):
            assert_certified(verdict)


class TestRates:
    def test_a_rate_that_holds_and_one_that_does_not(self):
        """Along y the factor is 1/2 on one side, 1/4 on the other, and 1/3 along x."""
        iteration = about(x / 3, P((y / 2, y >= 0), (y / 4, True)))
        proved(Converges(rate="51/100"), iteration)
        proved(Converges(rate="1/2"), iteration)
        refuted(Converges(rate="49/100"), iteration)

    @pytest.mark.parametrize("rate", ["1", "0", "-1/2", "3/2"])
    def test_a_rate_is_below_one(self, rate):
        with pytest.raises(InputError, match="rate"):
            Converges(rate=rate)

    def test_a_float_is_refused(self):
        with pytest.raises(NumberError, match='write "0.9"'):
            Converges(rate=0.9)


class TestMatrices:
    def test_the_pair_of_the_paper_and_a_mild_one(self):
        refuted(CLAIM, SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]]))
        proved(CLAIM, SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["19/20", "-3/4"], [1, 0]]]))

    @pytest.mark.parametrize(
        "A", [[[[1]]], [[[-1]]], [[["1/2"]], [[1]]], [[[0, 1], [0, 0]], [[0, 0], [1, 0]]], [[[0, -1], [1, 0]]]]
    )
    def test_a_joint_spectral_radius_of_exactly_one_is_refuted(self, A):
        assert "1" == refuted(CLAIM, SwitchedSystem.from_rows(A)).value["eigenvalue_modulus_lower"]

    @pytest.mark.parametrize("A", [[[[0]]], [[[0, 5], [0, 0]]], [[[0, 1], [0, 0]], [[0, 7], [0, "1/2"]]]])
    def test_nilpotent_and_triangular_ones_converge(self, A):
        proved(CLAIM, SwitchedSystem.from_rows(A))


class TestGraphs:
    """2 and 1/4 by turns: the square of the rate is 1/2; along the loop at 2 alone it is 2."""

    TURNS = ((0, 0, 1), (1, 1, 0))

    def test_words_along_a_cycle(self):
        pair = SwitchedSystem.from_rows([[[2]], [["1/4"]]], graph=self.TURNS)
        refuted(CLAIM, SwitchedSystem.from_rows([[[2]], [["1/4"]]]))
        verdict = proved(CLAIM, pair)
        assert verdict.statement.startswith("over the words that the graph allows")
        assert Fraction(1, 2) <= Fraction(verdict.value["rate_upper"]) ** 2
        proved(Converges(rate="3/4"), pair)
        refutation = refuted(Converges(rate="7/10"), pair)
        assert [0, 1] == sorted(refutation.value["word"]), "letters, not edges"

    def test_a_loop_refutes(self):
        pair = SwitchedSystem.from_rows([[[2]], [["1/4"]]], graph=[*self.TURNS, (1, 0, 1)])
        assert [0] == refuted(CLAIM, pair).value["word"]

    def test_a_graph_cannot_be_left_out_of_the_certificate(self):
        content = content_of(proved(CLAIM, SwitchedSystem.from_rows([[[2]], [["1/4"]]], graph=self.TURNS)))
        switched = {name: part for name, part in content["switched"].items() if name != "graph"}
        assert not holds({**content, "switched": switched})
        edges = [*content["switched"]["graph"], ["0", "0", "0"]]
        assert not holds({**content, "switched": {**switched, "graph": edges}})

    def test_the_pair_of_the_paper_with_runs_of_at_least_two(self):
        """0 0 1 1 stays possible, so its growth refutes; the word is told in letters."""
        runs = [(0, 0, 1), (1, 0, 1), (1, 1, 2), (2, 1, 3), (3, 1, 3), (3, 0, 0)]
        verdict = refuted(CLAIM, SwitchedSystem.from_rows(ball_matrices_text(), graph=runs))
        word = verdict.value["word"]
        assert any([0, 0, 1, 1] == word[k:] + word[:k] for k in range(4))

    def test_a_common_limit_along_a_graph(self):
        """X = 2 X - 1 and X = X / 4 + 3/4: the limit of both is 1."""
        pair = SwitchedSystem.from_rows([[[2]], [["1/4"]]], [[[-1]], [["3/4"]]], graph=self.TURNS)
        assert [["1"]] == proved(CLAIM, pair).value["limit"]


class TestIntervals:
    def test_every_choice_between_bounds(self):
        proved(CLAIM, SwitchedSystem.from_rows([[[["1/3", "1/2"]]], [[["-3/4", "0"]]]]))
        mild = [[[["7/10", "3/4"], "-3/4"], [1, 0]], [[["9/10", "19/20"], "-3/4"], [1, 0]]]
        verdict = proved(CLAIM, SwitchedSystem.from_rows(mild))
        for first, second in product((0.7, 0.75), (0.9, 0.95)):
            matrices = [[[first, -0.75], [1, 0]], [[second, -0.75], [1, 0]]]
            assert largest_rate(matrices, 8) <= float(Fraction(verdict.value["rate_upper"])) + 1e-12

    def test_bounds_of_which_some_contract_and_some_do_not(self):
        undecided(CLAIM, SwitchedSystem.from_rows([[[["1/2", "2"]]]]), time_limit=1.0)

    def test_bounds_that_all_grow(self):
        assert Fraction(3, 2) >= Fraction(
            refuted(CLAIM, SwitchedSystem.from_rows([[[["3/2", "2"]]]])).value["eigenvalue_modulus_lower"]
        )

    def test_wider_bounds_do_not_fit_the_certificate(self):
        content = content_of(proved(CLAIM, SwitchedSystem.from_rows([[[["1/3", "1/2"]]]])))
        content["switched"]["A"] = [[[["1/3", "2"]]]]
        assert not holds(content)

    def test_along_a_graph(self):
        graph = [(0, 0, 1), (1, 1, 0)]
        proved(CLAIM, SwitchedSystem.from_rows([[[["3/2", "2"]]], [[["0", "1/4"]]]], graph=graph))


class TestOtherAlgorithms:
    def test_nesterov(self):
        algorithm = nesterov(two_slopes("1/4"), ["x"], 1, "1/3", parameters=["theta"], start=["theta"])
        for at in (0, 1, -1):
            verdict = proved(CLAIM, algorithm, {"theta": at})
            assert largest_rate([[[0, 0], [1, 0]], [[1, -0.25], [1, 0]]], 10) <= float(
                Fraction(verdict.value["rate_upper"])
            )

    @pytest.mark.parametrize(("value", "start"), [(1, 0), (2, 0), (2, 5), (3, -7), ("3/2", 100)])
    def test_lasso_away_from_the_kink_and_at_it(self, value, start):
        lasso = forward_backward("(x - 2)**2/2", l1(lam), ["x"], "1/2", parameters=["lam"], start=[start])
        verdict = proved(CLAIM, lasso, {"lam": value})
        if value == 1:
            assert [["-1"]] == verdict.value["limit"], "x = 2 - lam"
        if value == 2:
            assert "limit" not in verdict.value, "at the kink there are two selections"

    def test_relu_of_the_parameter(self):
        for start in (None, [theta], [5]):
            verdict = proved(CLAIM, about(-x / 2 + sp.Max(theta, 0), parameters=[theta], start=start), {theta: 0})
            assert "limit" not in verdict.value

    def test_a_difference_of_relus(self):
        """On x = 0 the program as it is written takes a piece of its own; the certificate lists it."""
        verdict = proved(
            CLAIM, about((sp.Max(x, 0) - sp.Max(-x, 0)) / 2 + theta, parameters=[theta], start=[theta]), {theta: 0}
        )
        assert [["2"]] == verdict.value["limit"]


class TestTheStart:
    def test_a_trap_that_is_entered_late(self):
        """From 100 the iterates halve until they are below the kink at 1."""
        verdict = proved(CLAIM, about(P((x / 4, x < 1), (x / 2 - sp.Rational(1, 4), True)), start=[100]))
        assert int(content_of(verdict)["witness"]["trap"]["iteration"]) > 3

    def test_the_iterate_before_the_trap_is_not_enough(self):
        verdict = proved(CLAIM, about(P((x / 4, x < 1), (x / 2 - sp.Rational(1, 4), True)), start=[100]))
        content = content_of(verdict)
        content["witness"]["trap"]["iteration"] = "0"
        assert not holds(content)

    def test_a_start_in_the_basin_of_another_fixed_point(self):
        """Fixed points 2 and -2, each attracting on its side."""
        map_ = P((x / 2 + 1, x > 0), (x / 2 - 1, True))
        for start, point in ((1, "2"), (-1, "-2")):
            verdict = proved(CLAIM, about(map_, start=[start]))
            assert {"x": point} == content_of(verdict)["fixed_point"]

    def test_without_a_start_several_fixed_points_are_a_question(self):
        assert "2 fixed points" in undecided(CLAIM, about(P((x / 2 + 1, x > 0), (x / 2 - 1, True)))).reason

    def test_iterates_that_run_away_leave_it_open(self):
        """0 attracts with rate 1/2, and from 5 the iterates double their distance from 1."""
        iteration = about(sp.Max(2 * x - 1, x / 2), start=[5])
        undecided(CLAIM, iteration)
        proved(CLAIM, about(sp.Max(2 * x - 1, x / 2), start=["1/2"]))

    def test_iterates_on_a_cycle_leave_it_open(self):
        """x -> -2x beyond 1: the only fixed point 0 attracts near by, and 3/2 is on no way to it."""
        far = P((x / 2, sp.Abs(x) < 1), (-x, True))
        undecided(CLAIM, about(far, start=["3/2"]))
        proved(CLAIM, about(far, start=["-3/4"]))

    def test_a_piece_that_lives_on_an_axis_counts(self):
        """Off the axis z halves; on it, where the start is, z doubles."""
        axis = P((2 * z, (x >= 0) & (y >= 0) & (x + y <= 0)), (z / 2, True))
        undecided(CLAIM, about(x / 2, y / 2, axis, start=[0, 0, 1]))
        undecided(CLAIM, about(x / 2, y / 2, P((2 * z, sp.Eq(x, 0)), (z / 2, True)), start=[0, 0, 1]))

    def test_the_start_may_be_irrational(self):
        verdict = proved(CLAIM, about(P((x / 4, x < 1), (x / 2 - sp.Rational(1, 4), True)), start=[10 * sp.sqrt(2)]))
        assert "0" != content_of(verdict)["witness"]["trap"]["bits"]


class TestSmoothPieces:
    def test_quartic_gradient_descent_with_a_trap(self):
        """f(x) = x**4/4 + x**2/2 - 2x has its minimum at 1, with f'' = 4."""
        descent = gradient_descent("x**4/4 + x**2/2 - theta*x", ["x"], "1/8", parameters=["theta"], start=[0])
        verdict = proved(CLAIM, descent, {"theta": 2})
        assert [["1/4"]] == verdict.value["limit"], "1/f''"
        assert Fraction(1, 2) <= Fraction(verdict.value["rate_upper"])

    def test_its_trap_is_not_larger_than_the_basin(self):
        """With step 1/8, from 5 the first step overshoots: 5 - (125 + 5 - 2)/8 = -11, and the iterates run away."""
        descent = gradient_descent("x**4/4 + x**2/2 - theta*x", ["x"], "1/8", parameters=["theta"], start=[5])
        undecided(CLAIM, descent, {"theta": 2})

    def test_a_curved_piece_with_a_kink(self):
        descent = gradient_descent("x**4 + Max(x, 0)**2/2 + x**2/2", ["x"], "1/4", start=["1/2"])
        verdict = proved(CLAIM, descent)
        assert Fraction(3, 4) <= Fraction(verdict.value["rate_upper"]) < 1

    def test_exact_iterates_that_grow_long_are_rounded(self):
        """Squares double the digits in every step; the certificate must not ask the checker for all of them."""
        square = sp.Max(x / 2 + 2 * y - 1, 2 * x / 3 + y - sp.Rational(1, 2)) ** 2 / 16 - sp.Rational(1, 64)
        verdict = proved(
            CLAIM, about(square - x / 8, sp.Max(2 * x + 9 * y + 6, y - x / 2) / 12 - sp.Rational(1, 2), start=[2, 2])
        )
        assert "fixed point" in verdict.found

    def test_a_derivative_of_one_at_the_fixed_point_is_refuted(self):
        descent = gradient_descent("x**4/4", ["x"], "1/2", start=[1])
        assert "1" == refuted(CLAIM, descent).value["eigenvalue_modulus_lower"]

    def test_a_curved_guard(self):
        iteration = about(sp.Max(x**2 - y, 0) / 4 + x / 4, y / 3, start=["1/5", "1/7"])
        verdict = prove(CLAIM, iteration)
        if not isinstance(verdict, Undecided):
            assert_certified(verdict)


class TestHonesty:
    @pytest.mark.parametrize("start", [None, [theta]])
    def test_a_jump_at_the_fixed_point_is_never_proved(self, start):
        iteration = about(P((x / 2, x <= 0), (x / 2 - 1, True)), parameters=[theta], start=start)
        verdict = undecided(CLAIM, iteration, {theta: 0})
        assert "not continuous" in verdict.reason

    def test_a_jump_beside_the_fixed_point_does_not_matter(self):
        proved(CLAIM, about(P((x / 2, x <= 1), (x / 2 + 7, True)), start=["1/2"]))

    def test_the_identity(self):
        refuted(CLAIM, about(x, start=[1]))

    def test_a_map_without_fixed_point(self):
        assert "no fixed point" in undecided(CLAIM, about(x + 1)).reason

    def test_a_refutation_does_not_rest_on_an_undecided_piece(self):
        """Near 0, the pick (-, -) with 0 < y < x**2 would give slope 3; straight lines do not decide it."""
        grown = P((3 * x, (y > 0) & (y - x**2 < 0)), (x / 2, True))
        assert not isinstance(prove(CLAIM, about(grown, y / 2)), Proved)
        empty = P((3 * x, (-(x**2) - y**2 + x**2 * y**2 > 0)), (x / 2, True))
        undecided(CLAIM, about(empty, y / 2))

    def test_no_word_is_called_the_shortest_where_a_piece_is_undecided(self):
        """Straight lines do not decide whether the pick of slope 3 is met; by itself it would be a shorter word."""
        ball = x - P((x, x >= 0), (x / 4, True)) + sp.Rational(3, 4) * (x - y)
        verdict = refuted(CLAIM, about(P((3 * x - 3 * y, (x > 0) & (x + x**2 < 0)), (ball, True)), x))
        word = verdict.derivation.first(WordStep)
        assert len(word.word) == 4 and not word.shortest

    def test_irrational_terms_that_cancel_stay_open(self):
        undecided(CLAIM, about(x / 4 + (sp.exp(x - 1) - sp.exp(-1)) / 4, start=[0]))
        undecided(CLAIM, about(x / 4 + P((x / 8, sp.exp(x - 1) - sp.exp(-1) > 0), (0, True)), start=[0]))

    def test_a_start_that_is_fixed_because_irrational_terms_cancel_stays_open(self):
        zero = sp.sqrt(3 + 2 * sp.sqrt(2)) - 1 - sp.sqrt(2)
        undecided(CLAIM, about(x / 2, parameters=[theta], start=[theta + zero]), {theta: 0})

    def test_where_the_iterates_have_no_derivative_nothing_converges(self):
        def case(outside, start):
            return about(P((x / 2, x < 1), (outside, True)), parameters=[theta], start=[start]), {theta: 0}

        undecided(CLAIM, *case(x / 2, sp.sqrt(theta)))
        undecided(CLAIM, *case(sp.sqrt(x - 1), 1 + theta))
        undecided(CLAIM, *case(sp.sqrt(x - sp.sqrt(2)), sp.sqrt(2) + theta))
        proved(CLAIM, *case(sp.sqrt(x + 3) - 2, 1 + theta))
        touching = P((x / 2, x <= 1), (sp.sqrt(x - 1) + sp.Rational(1, 2), True))
        undecided(CLAIM, about(touching, parameters=[theta], start=[1 + theta]), {theta: 0})

    def test_a_piece_that_only_curvature_keeps_away_stays_open(self):
        """Where 0 < x < -x**2 no point is near 0, but no combination of the two conditions says so."""
        undecided(CLAIM, about(P((3 * x, (x > 0) & (x + x**2 < 0)), (x / 2, True))))

    def test_irrational_pairs_are_proved_or_left_open_but_never_refuted(self):
        descent = gradient_descent("sqrt(2)*x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"], start=[1])
        verdict = prove(CLAIM, descent, {"theta": 0})
        assert not isinstance(verdict, Refuted), "1 - sqrt(2)/2 < 1"

    @examples(60)
    @given(st.tuples(kinked((x, y)), kinked((x, y))), st.tuples(st.integers(-3, 3), st.integers(-3, 3)))
    def test_random_maps_are_certified_and_the_iterates_really_converge(self, following, start):
        shifted = [(e - e.subs({x: 0, y: 0})) / 4 for e in following]
        verdict = prove(CLAIM, about(*shifted, start=list(start)), time_limit=1.0)
        if isinstance(verdict, Undecided):
            return
        content = assert_certified(verdict)
        if isinstance(verdict, Proved):
            point = {v: Fraction(c) for v, c in zip((x, y), start, strict=True)}
            for _ in range(60):
                point = {v: value_of(e, point) for v, e in zip((x, y), shifted, strict=True)}
                point = {v: Fraction(round(c * 2**80), 2**80) for v, c in point.items()}
            limit = [Fraction(c) for c in content["fixed_point"].values()]
            assert max(abs(point[v] - c) for v, c in zip((x, y), limit, strict=True)) < 1
        for word in product(range(len(content["pieces"])), repeat=2):
            if isinstance(verdict, Proved):
                A = [np.array([[float(Fraction(c)) for c in row] for row in content["pieces"][i]["A"]]) for i in word]
                assert max(abs(np.linalg.eigvals(A[0] @ A[1]))) < 1


class TestLowerBounds:
    """A lower bound is shown only where it is one for the selection set itself."""

    def test_an_exact_selection_set_has_one(self):
        verdict = proved(CLAIM, about(x / 2 + theta, parameters=[theta]), {theta: 0})
        lower = verdict.derivation.first(ContractionStep).lower
        assert 0 < 2 * lower <= 1

    def test_bounds_of_irrational_matrices_give_one_for_every_choice(self):
        descent = gradient_descent("sqrt(2)*x**2/2", ["x"], "1/2", parameters=["theta"], start=["theta"])
        verdict = proved(CLAIM, descent, {"theta": 0})
        lower = verdict.derivation.first(ContractionStep).lower
        assert 0 < lower < 1
        assert 2 * (1 - lower) ** 2 >= 1, "at most 1 - sqrt(2)/2"

    def test_a_superset_gives_none(self):
        """Whether (-, -), which has slope 0, is a piece at 0 is not decided; (+, -) and (-, +) are."""
        verdict = proved(CLAIM, about((sp.Max(x**2 - y, 0) + sp.Max(y, 0)) / 4 + x / 2, y / 2, start=[0, 0]))
        assert verdict.derivation.first(ContractionStep).lower is None

"""The claims *converges* and *diverges* about realisable words: by hand, and against iterates that are followed."""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
import sympy as sp
from certificate_helper import assert_certified, content_of, holds, proved, refuted, undecided
from hypothesis import given
from hypothesis import strategies as st
from strategies import STATE, examples

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.claims import Converges, Diverges, Proved, Undecided, prove
from piggycheck.derivation import RealisedStep, TransitionsStep
from piggycheck.errors import InputError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, theta = sp.symbols("x y theta", real=True)
P = sp.Piecewise
CONVERGES = Converges(words="realisable")
DIVERGES = Diverges(words="realisable")
AT = {theta: 0}


def about(*following, start=None, parameters=(theta,)):
    return Iteration(SymbolicMap(STATE[: len(following)], following, parameters), start)


def ball(start="theta"):
    objective = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
    return heavy_ball(objective, ["x"], 1, "3/4", parameters=["theta"], start=None if start is None else [start])


@cache
def of_the_ball():
    return proved(CONVERGES, ball(), {theta: 1}, time_limit=100)


def alternating():
    """-2x on the right, -x/4 on the left: the sign changes in every step."""
    return about(sp.Min(-2 * x, -x / 4) + theta)


def clipped(factor=2):
    """On the right x halves and y grows, until it is cut at half of x; on the left y is never cut."""
    return about(x / 2, sp.Max(sp.Min(factor * y, x / 2), -x / 2), start=[1, theta])


class TestHeavyBall:
    def test_all_words_diverge_and_those_that_iterates_follow_converge(self):
        refuted(Converges(), ball(start=None), AT)
        verdict = of_the_ball()
        assert 3 == verdict.value["memory"]
        assert (6, 8) == (verdict.value["nodes"], verdict.value["edges"])
        assert [["0"], ["0"]] == verdict.value["limit"]
        assert Fraction(verdict.value["rate_upper"]) < 1
        assert 3 == verdict.derivation.first(TransitionsStep).memory

    def test_the_proved_rate_bounds_the_derivatives_along_iterates(self):
        """From many starts, products of 400 Jacobians of determinant 3/4: they shrink by about its root per step."""
        rate = float(Fraction(of_the_ball().value["rate_upper"]))
        for angle in range(0, 360, 7):
            d, J = np.array([math.cos(math.radians(angle)), math.sin(math.radians(angle))]), np.eye(2)
            for _ in range(400):
                A = np.array([[0.75 if d[0] >= 0 else 1.5, -0.75], [1, 0]])
                d, J = A @ d, A @ J
            assert 0.75**0.5 < np.linalg.norm(J) ** (1 / 400) < rate

    def test_that_they_diverge_is_refuted(self):
        assert 3 == refuted(DIVERGES, ball(), {theta: 1}).value["memory"]

    def test_a_rate_below_that_of_the_iterates_is_not_proved(self):
        proved(Converges(rate="24/25", words="realisable"), ball(), {theta: 1})
        verdict = prove(Converges(rate="4/5", words="realisable"), ball(), {theta: 1}, time_limit=0.5)
        assert not isinstance(verdict, Proved)

    def test_no_edge_can_be_left_out_and_no_memory_changed(self):
        content = content_of(of_the_ball())
        assert holds(content)
        for index in range(8):
            graph = [edge for k, edge in enumerate(content["graph"]) if k != index]
            assert not holds({**content, "graph": graph})
        for memory in ("1", "2", "4"):
            assert not holds({**content, "memory": memory})

    def test_the_certificate_is_none_for_all_words(self):
        content = content_of(of_the_ball())
        claim = {name: value for name, value in content["claim"].items() if name != "words"}
        assert not holds({**content, "claim": claim})


class TestOnTheLine:
    """The word 0 alone doubles, but nothing follows it; 0 1 halves."""

    def test_the_rate_is_the_root_of_one_half(self):
        refuted(Converges(), alternating(), AT)
        verdict = proved(Converges(rate="3/4", words="realisable"), alternating(), AT)
        assert (1, 2, 2) == tuple(verdict.value[key] for key in ("memory", "nodes", "edges"))
        refutation = refuted(Converges(rate="7/10", words="realisable"), alternating(), AT)
        assert ([0, 1], "1/2") == (refutation.value["word"], refutation.value["multipliers"][0][0])
        assert (0, 1) == refutation.derivation.first(RealisedStep).word

    def test_they_do_not_diverge(self):
        proved(Diverges(), alternating(), AT)
        refuted(DIVERGES, alternating(), AT)

    def test_a_multiplier_that_is_negative_after_one_round(self):
        """One piece, -x/2: two rounds of its word keep the side."""
        assert ["0"] * 2 == content_of(refuted(Converges(rate="1/3", words="realisable"), about(-x / 2), AT))[
            "witness"
        ]["word"]


class TestRepelledSideways:
    def test_the_iterates_converge_and_their_derivatives_do_not(self):
        verdict = proved(DIVERGES, clipped(), AT)
        shown = tuple(verdict.value[k] for k in ("eigenvalue", "multipliers", "directions"))
        assert ("2", [["1/2"]], [["1", "0"]]) == shown
        assert "some iterates converge" in verdict.statement
        iterate = refuted(CONVERGES, clipped(), AT)
        assert "2" == iterate.value["eigenvalue_modulus_lower"]

    def test_at_a_factor_of_one_the_derivatives_are_bounded_and_do_not_converge(self):
        refuted(CONVERGES, clipped(1), AT)
        undecided(DIVERGES, clipped(1), AT, time_limit=0.3)

    def test_below_one_they_converge(self):
        proved(CONVERGES, clipped(sp.Rational(3, 4)), AT)
        refuted(DIVERGES, clipped(sp.Rational(3, 4)), AT)

    def test_differences_of_iterates_really_grow(self):
        """From (1, h), h small, the second coordinate after k steps is 2^k h, as J_k says."""
        x_k, y_k, h = Fraction(1), Fraction(1, 2**40), Fraction(1, 2**40)
        for _ in range(12):
            x_k, y_k = x_k / 2, max(min(2 * y_k, x_k / 2), -x_k / 2)
        assert 2**12 == y_k / h

    def test_nothing_of_the_witness_can_be_changed(self):
        content = content_of(proved(DIVERGES, clipped(), AT))
        for change in (
            {"directions": [["-1", "0"]]},
            {"directions": [["1", "1"]]},
            {"directions": [["0", "0"]]},
            {"multipliers": [["1/3"]]},
            {"multipliers": [["2"]]},
            {"word": ["1"]},
            {"modulus_lower": "3"},
            {"growth_lower": "3"},
        ):
            assert not holds({**content, "witness": {**content["witness"], **change}})
        assert not holds({**content, "J0": [["1"], ["0"]]}), "the first coordinate is not excited"

    def test_a_word_of_two_letters(self):
        """The side of x changes in every step; y triples on the right and keeps on the left, as long as it is small."""
        right, left = sp.Max(sp.Min(3 * y, x / 2), -x / 2), sp.Max(sp.Min(y, -x / 2), x / 2)
        verdict = proved(DIVERGES, about(sp.Min(-x / 2, -x / 3), P((right, x >= 0), (left, True))), AT)
        assert (2, [["1/6"]], "3") == tuple(verdict.value[k] for k in ("word_length", "multipliers", "eigenvalue"))

    def test_the_word_of_twelve_letters_that_the_start_repeats(self):
        """Heavy ball; y = 0 is invariant, and on it the curvature of x is 43 on both sides: a twelfth of a turn.

        The curvatures of y are 27 and 2 by turns. Computed in fractions, x_k shrinks and dy_k grows.
        """
        kinks = (sp.Max(x + 5 * y, 0) ** 2 + sp.Max(x - 5 * y, 0) ** 2) / 4 + sp.Max(-x, 0) ** 2 / 2
        f, beta = 21 * x**2 + y**2 + kinks, sp.Rational(147, 169)
        ball = heavy_ball(f, [x, y], "1/169", beta, parameters=[theta], start=[1, theta])
        verdict = proved(DIVERGES, ball, AT, time_limit=5)
        assert 12 == len(verdict.value["word"])
        at, before, dy, dy_before = Fraction(1), Fraction(1), Fraction(1), Fraction(1)
        sizes = []
        for k in range(481):
            sizes += [abs(dy)] if k % 240 == 0 else []
            slope = 27 if at > 0 else 2
            assert at
            at, before = at - Fraction(43, 169) * at + Fraction(147, 169) * (at - before), at
            dy, dy_before = dy - Fraction(slope, 169) * dy + Fraction(147, 169) * (dy - dy_before), dy
        assert abs(at) < Fraction(1, 10**14)
        assert sizes[2] > 5 * sizes[1] > sizes[0] / 5, "more than 1.0848^20"

    def test_growth_on_the_kink_itself_is_not_realised_inside(self):
        """On y = 0 the iterates halve and y doubles above: but there the guard ties for ever."""
        assert not isinstance(
            prove(DIVERGES, about(x / 2, P((2 * y, y >= 0), (y / 3, True))), AT, time_limit=0.3), Proved
        )

    def test_growth_of_iterates_that_run_away_is_not_meant(self):
        assert not isinstance(prove(DIVERGES, about(2 * x), AT, time_limit=0.3), Proved)


class TestHonesty:
    @pytest.mark.parametrize("claim", [CONVERGES, DIVERGES])
    def test_where_all_iterates_reach_the_fixed_point_there_is_nothing_to_say(self, claim):
        following = about(P((y, x >= 0), (y, True)) + theta, sp.Integer(0))
        assert "finitely many steps" in undecided(claim, following, AT).reason

    @pytest.mark.parametrize("claim", [CONVERGES, DIVERGES])
    @pytest.mark.parametrize(
        "following",
        [
            (P((x / 2 + x**2, x >= 0), (x / 3, True)),),
            (x / 2 + sp.Max(x - y**2, 0) / 4, y / 2),
            (P((x / 2, y >= 0), (x / 3, True)), y / 2),
        ],
    )
    def test_curves_and_jumps_stay_open(self, claim, following):
        undecided(claim, about(*following), AT)

    def test_a_smooth_map_is_one_letter(self):
        descent = gradient_descent("x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"])
        assert [["1"]] == proved(CONVERGES, descent, AT).value["limit"]

    def test_a_step_that_is_differentiated_moves_with_the_state(self):
        """x -> (1 - theta) x: B = -x is not constant, and A decides."""
        following = about(x * (1 - theta) / 2 + sp.Abs(x) / 4)
        proved(CONVERGES, following, AT)

    def test_without_parameters_nothing_diverges(self):
        with pytest.raises(InputError, match="no parameters"):
            prove(DIVERGES, about(x / 2, parameters=()), {})
        proved(CONVERGES, about(x / 2, parameters=()), {})


class TestInput:
    @pytest.mark.parametrize("kind", [Converges, Diverges])
    @pytest.mark.parametrize("words", ["other", "", None, 1])
    def test_other_words_are_refused(self, kind, words):
        with pytest.raises(InputError, match=r'write "all" or "realisable"'):
            kind(words=words)

    def test_a_length_of_realisable_words_is_refused(self):
        with pytest.raises(InputError, match="remove it"):
            Diverges(word_length=2, words="realisable")

    @pytest.mark.parametrize("claim", [CONVERGES, DIVERGES])
    def test_matrices_have_no_guards(self, claim):
        with pytest.raises(InputError, match="write `graph`"):
            prove(claim, SwitchedSystem.from_rows([[["1/2"]]]))


small = st.sampled_from([0, 0, 1, -1, sp.Rational(1, 2), sp.Rational(-1, 2), sp.Rational(3, 2), 2, sp.Rational(-2, 3)])


@st.composite
def planar(draw):
    """A continuous map of the plane, linear on cones, with a parameter added."""
    rows = [[draw(small) for _ in range(4)] for _ in range(2)]
    return [(a * x + b * y + c * sp.Abs(x) + d * sp.Abs(x - y) / 2) * sp.Rational(2, 3) + theta for a, b, c, d in rows]


@examples(12)
@given(planar())
def test_verdicts_agree_with_iterates_that_are_followed(following):
    """A proved rate bounds products along iterates; along a realised word they grow, and iterates follow it."""
    iteration = about(*following)
    for claim in (CONVERGES, DIVERGES):
        verdict = prove(claim, iteration, AT, time_limit=0.1)
        if isinstance(verdict, Undecided):
            continue
        content = assert_certified(verdict)
        if "rate_upper" in verdict.value:
            assert all(
                rate <= float(Fraction(verdict.value["rate_upper"])) * 1.05 for rate in rates(content, following)
            )
        else:
            follow(content, following)


def pieces(content):
    return [np.array([[float(Fraction(c)) for c in row] for row in piece["A"]]) for piece in content["pieces"]]


def rates(content, following):
    """Growth rates of long products along iterates, by the differences of the map itself."""
    f = sp.lambdify((x, y), [e.subs(theta, 0) for e in following])
    matrices = pieces(content)
    for angle in np.linspace(0.1, 6.3, 23):
        d, J = np.array([math.cos(angle), math.sin(angle)]), np.eye(2)
        for _ in range(300):
            image = np.array(f(*d), float)
            near = np.array([(np.array(f(*(d + 1e-7 * e)), float) - image) / 1e-7 for e in np.eye(2)]).T
            A = min(matrices, key=lambda M: np.abs(M - near).max())
            if np.linalg.norm(image) < 1e-12:
                return
            J, d = A @ J, image / np.linalg.norm(image)
            if np.linalg.norm(J) < 1e-200:
                return
        yield np.linalg.norm(J) ** (1 / 300)


def follow(content, following):
    """The direction of a witness really follows its word, by the map's own values, and shrinks as stated."""
    witness, values = content["witness"], {theta: 0}
    ((multiplier,),) = witness["multipliers"]
    d = start = [sp.Rational(c) for c in witness["directions"][0]]
    for letter in witness["word"]:
        A = sp.Matrix([[sp.Rational(c) for c in row] for row in content["pieces"][int(letter)]["A"]])
        image = [e.subs({**values, x: d[0], y: d[1]}) for e in following]
        assert list(A * sp.Matrix(d)) == image
        d = image
    assert d == [sp.Rational(multiplier) * c for c in start]
    assert 0 < sp.Rational(multiplier) < 1

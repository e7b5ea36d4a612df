"""The claim *no_common_quadratic_form*: of matrices, of bounds, over graphs and of maps, with its certificates."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from certificate_helper import (
    assert_certified,
    assert_changes_matter,
    changed_numbers,
    content_of,
    holds,
    proved,
    refuted,
    undecided,
)
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import rationals, switched_systems
from strategies import STATE

from piggycheck.algorithms import heavy_ball
from piggycheck.claims import KINDS, NoCommonQuadraticForm, Undecided, prove
from piggycheck.errors import InputError
from piggycheck.intervals import IntervalMatrix
from piggycheck.iteration import Iteration
from piggycheck.linalg import is_positive_definite, is_positive_semidefinite, matrix
from piggycheck.maps import SymbolicMap
from piggycheck.stability.path_complete import de_bruijn_graph, guess_path_complete
from piggycheck.switched import SwitchedSystem

x, y, theta = sp.symbols("x y theta", real=True)
NO_FORM = NoCommonQuadraticForm()
PROJECTIONS = SwitchedSystem.from_rows([[[1, 0], [1, 0]], [[0, 1], [0, -1]]])
PAPER = [[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]]


def about(*following):
    return Iteration(SymbolicMap(STATE[: len(following)], following, ()))


class TestMatrices:
    @pytest.mark.parametrize("rate", [None, "1/2", "7/5", "1.4142"])
    def test_projections_have_none_below_the_square_root_of_two(self, rate):
        verdict = proved(NoCommonQuadraticForm(rate=rate), PROJECTIONS)
        assert len(verdict.value["Q"]) == 2

    @pytest.mark.parametrize("rate", ["1.4143", "3/2", 100])
    def test_and_one_above(self, rate):
        verdict = refuted(NoCommonQuadraticForm(rate=rate), PROJECTIONS)
        P, square = matrix(verdict.value["P"]), NoCommonQuadraticForm(rate=rate).rate ** 2
        assert is_positive_definite(P)
        assert all(is_positive_semidefinite(square * P - A.transpose() * P * A) for A in PROJECTIONS.A)

    def test_forms_without_room(self):
        """The circle for permutations up to sign, and a form that vanishes on the eigenvector of the radius."""
        refuted(NO_FORM, SwitchedSystem.from_rows([[[0, 1], [0, 0]], [[0, 0], [1, 0]]]))
        refuted(NO_FORM, SwitchedSystem.from_rows([[[1]], [[-1]]]))
        attained = SwitchedSystem.from_rows([[["1/2", 100], [0, "1/3"]], [["-2/5", -50], [0, "9/10"]]])
        refuted(NoCommonQuadraticForm(rate="9/10"), attained)
        proved(NoCommonQuadraticForm(rate="0.8999"), attained)

    def test_repeated_and_zero_matrices(self):
        repeated = SwitchedSystem.from_rows([*PROJECTIONS.A, PROJECTIONS.A[0], fmpq_mat(2, 2)])
        proved(NO_FORM, repeated)
        refuted(NoCommonQuadraticForm(rate=2), repeated)
        refuted(NoCommonQuadraticForm(rate="1/1000"), SwitchedSystem.from_rows([fmpq_mat(2, 2)]))

    def test_a_jordan_block_is_left_open(self):
        verdict = undecided(NO_FORM, SwitchedSystem.from_rows([[[1, 1], [0, 1]]]))
        assert verdict.reason == "neither such a form nor a proof that there is none was found"

    def test_a_word_excludes_forms_where_no_rational_multipliers_do(self):
        """The golden ratio has an irrational eigenvector, so multipliers would have to be irrational."""
        golden = SwitchedSystem.from_rows([[[1, 1], [1, 0]]])
        verdict = proved(NO_FORM, golden)
        assert [0] == verdict.value["word"]
        proved(NoCommonQuadraticForm(rate="1.618"), golden)
        refuted(NoCommonQuadraticForm(rate="1.6181"), golden)
        content = content_of(verdict)
        for path, changed in changed_numbers(content):
            if path[0] == "witness" and holds(changed):
                assert Fraction(1) < Fraction(changed["witness"]["modulus_lower"]) < Fraction("1.6181")
        content["witness"]["modulus_lower"] = "1"
        assert not holds(content)

    @given(switched_systems(3, 3, rationals(5, 4)), st.sampled_from(["1/2", "9/10", "11/10", "2"]))
    @settings(max_examples=25, deadline=None)
    def test_every_answer_is_certified(self, system, factor):
        best = guess_path_complete(system.A, memory=0)[1]
        rate = fmpq(*map(int, factor.split("/"))) * fmpq(round(best * 1000) + 1, 1000)
        verdict = prove(NoCommonQuadraticForm(rate=rate), system)
        if not isinstance(verdict, Undecided):
            assert_certified(verdict)


class TestBounds:
    def uncertain(self, width):
        R = fmpq_mat(2, 2, [width] * 4)
        return SwitchedSystem.from_rows([IntervalMatrix(A, R) for A in PROJECTIONS.A])

    def test_every_choice_of_matrices(self):
        proved(NoCommonQuadraticForm(rate="13/10"), self.uncertain(fmpq(1, 50)))
        refuted(NoCommonQuadraticForm(rate="3/2"), self.uncertain(fmpq(1, 200)))

    def test_a_rate_that_only_some_choices_have_is_left_open(self):
        undecided(NoCommonQuadraticForm(rate="7/5"), self.uncertain(fmpq(1, 10)))


class TestGraphs:
    def test_one_form_for_each_node(self):
        """On a De Bruijn graph of memory 1 the projections have forms for every rate above 1."""
        edges = de_bruijn_graph(2, 1)[1]
        constrained = SwitchedSystem.from_rows(PROJECTIONS.A, graph=edges)
        verdict = refuted(NoCommonQuadraticForm(rate="11/10"), constrained)
        assert "for every edge" in verdict.statement
        assert "the diagonal blocks of P" in verdict.found
        assert len(proved(NoCommonQuadraticForm(rate="99/100"), constrained).value["Q"]) == len(edges)
        proved(NoCommonQuadraticForm(rate="11/10"), PROJECTIONS)

    def test_edges_that_no_cycle_uses_matter_little(self):
        """A path of length one is no obstacle to forms, however large the letter."""
        once = SwitchedSystem.from_rows([[["1/2"]], [[100]]], graph=[(0, 0, 0), (0, 1, 1), (1, 0, 1)])
        refuted(NoCommonQuadraticForm(rate="51/100"), once)
        proved(NoCommonQuadraticForm(rate="49/100"), once)


class TestMaps:
    BALL = heavy_ball("Piecewise((x**2/2, x >= 0), (x**2/8, True))", ["x"], 1, "3/4", parameters=["theta"])

    def test_the_heavy_ball_of_the_paper(self):
        """The same as for its matrices on their own."""
        for claim, decide in ((NO_FORM, proved), (NoCommonQuadraticForm(rate="1.148"), refuted)):
            verdict = decide(claim, self.BALL, {"theta": 0})
            alone = decide(claim, SwitchedSystem.from_rows(PAPER))
            assert alone.value == verdict.value
            assert "of the selection set" in verdict.statement

    def test_only_pieces_proved_essentially_active_exclude_forms(self):
        """Slope 3 belongs to a piece between the curves y = 0 and y = x**2, which no direction shows."""
        kinked = sp.Piecewise((x / 4, y < 0), (3 * x, y < x**2), (x / 2, True))
        undecided(NO_FORM, about(kinked, y / 2))
        proved(NoCommonQuadraticForm(rate="2/5"), about(kinked, y / 2))
        refuted(NoCommonQuadraticForm(rate="7/2"), about(kinked, y / 2))

    def test_irrational_pieces(self):
        """Half a rotation by an eighth turn."""
        turned = about((x - y) * sp.sqrt(2) / 4, (x + y) * sp.sqrt(2) / 4)
        refuted(NoCommonQuadraticForm(rate="501/1000"), turned)
        proved(NoCommonQuadraticForm(rate="499/1000"), turned)

    def test_without_a_fixed_point_there_is_no_answer(self):
        undecided(NO_FORM, about(x + 1))


class TestTheClaim:
    def test_its_kind_and_fields(self):
        assert KINDS["no_common_quadratic_form"] is NoCommonQuadraticForm
        assert NO_FORM.fields() == {"rate": None}
        assert NoCommonQuadraticForm(rate="0.5").fields() == {"rate": fmpq(1, 2)}

    @pytest.mark.parametrize(("rate", "message"), [("0", "0 is not positive"), (-1, "-1 is not positive")])
    def test_rates_that_make_no_sense(self, rate, message):
        with pytest.raises(InputError, match=f"rate of `no_common_quadratic_form`: {message}; write a positive number"):
            NoCommonQuadraticForm(rate=rate)

    def test_an_irrational_rate(self):
        with pytest.raises(InputError, match="is irrational; write a rational number"):
            NoCommonQuadraticForm(rate=sp.sqrt(2))

    def test_the_report_tells_the_argument(self):
        report = proved(NO_FORM, PROJECTIONS).report()
        assert "for every matrix A" in report
        assert "Q_0" in report


class TestCertificates:
    @pytest.mark.parametrize("rate", ["1414/1000", "1415/1000"])
    def test_no_number_can_be_changed_unnoticed(self, rate):
        """What a changed certificate says is decided again."""
        verdict = prove(NoCommonQuadraticForm(rate=rate), PROJECTIONS)
        content = content_of(verdict)
        assert_changes_matter(content, _is_true)
        assert any(holds(changed) for _, changed in changed_numbers(content)), "it stays true for other rates or forms"

    def test_a_certificate_for_another_verdict(self):
        content = content_of(proved(NO_FORM, PROJECTIONS))
        content["claim"]["verdict"] = "refuted"
        assert not holds(content)


def _is_true(content):
    """Whether the witness of a certificate proves what it says, without the checker."""
    A, witness = [matrix(rows) for rows in content["switched"]["A"]], content["witness"]
    square = matrix([[content["claim"].get("rate", "1")]])[0, 0] ** 2
    if content["claim"]["verdict"] == "refuted":
        P = matrix(witness["P"])
        gaps = [square * P - M.transpose() * P * M for M in A]
        return is_positive_definite(P) and all(map(is_positive_semidefinite, gaps))
    Q = [matrix(rows) for rows in witness["Q"]]
    S = sum((M * X * M.transpose() - square * X for M, X in zip(A, Q, strict=True)), fmpq_mat(2, 2))
    return all(map(is_positive_semidefinite, (S, *Q))) and S != fmpq_mat(2, 2)

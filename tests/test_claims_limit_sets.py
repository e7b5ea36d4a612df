"""Claims about limit sets: by hand, by brute force, where pieces are undecided, of layers at a tie; and bad input."""

from __future__ import annotations

import time
from fractions import Fraction
from itertools import product

import pytest
import sympy as sp
from certificate_helper import assert_certified, content_of, holds, proved, refuted, undecided
from click.testing import CliRunner
from flint import fmpq, fmpq_mat
from limit_set_systems import ALONG_WORDS, CANTOR, MIRRORED, RELU, RELU_MAP, SEGMENT, TURNING, scalars
from structured_cases import structured

from piggycheck.algorithms import forward_backward, gradient_descent, heavy_ball
from piggycheck.case import read_case
from piggycheck.claims import (
    KINDS,
    ImplicitIsInvertible,
    ImplicitIsStrict,
    ImplicitSetExceedsClarke,
    InPiggybackSet,
    PiggybackBounds,
    PiggybackInterval,
    Undecided,
    prove,
    subject_of,
)
from piggycheck.cli import commands
from piggycheck.derivation import OutsideImplicitStep, SeparationStep, StructuredMapStep
from piggycheck.errors import CaseError, InputError, NoLimitSetError
from piggycheck.functions import l1, quadratic
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, theta, eta = sp.symbols("x y theta eta", real=True)
P = sp.Piecewise
ZERO = {"theta": 0}


def about(*following, parameters=(theta,), start=None):
    return Iteration(SymbolicMap((x, y)[: len(following)], following, parameters), start)


DIGITS = scalars(("1/2", 0), ("1/2", "1/2"))
STRICT, HULL_STRICT = ImplicitIsStrict(), ImplicitIsStrict(hull=True)
STEEP = [[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]]


# A piece whose conditions hold nowhere near 0, which is not seen: x^2 theta^2 > x^2 + theta^2 there
GHOST = P((1, -(x**2) - theta**2 + x**2 * theta**2 > 0), (0, True))
HARMLESS = about(-x / 2 + sp.Max(theta, 0) + GHOST * x / 4)
HARMFUL = about(-x / 2 + sp.Max(theta, 0) - GHOST * x / 4)


class TestTheSmallestExample:
    """F = -x/2 + relu(theta) at 0: u = 1 - l/2 and l = -u/2 give -2/3 and 4/3; alone the pairs give 2/3 and 0."""

    @pytest.mark.parametrize("subject", [(RELU,), (RELU_MAP, ZERO)], ids=["matrices", "map"])
    def test_all_is_proved(self, subject):
        assert {"lower": "-2/3", "upper": "4/3"} == proved(PiggybackInterval(), *subject).value
        proved(PiggybackInterval(lower="-2/3", upper="4/3"), *subject)
        for claim in (STRICT, HULL_STRICT):
            assert "-2/3" == proved(claim, *subject).value["witness"]["matrix"][0][0]

    def test_the_report_shows_both_hulls_side_by_side(self):
        report = proved(PiggybackInterval(), RELU_MAP, ZERO).report()
        assert "conv J^imp = [0, 2/3]" in report and "conv J^pb = [-2/3, 4/3]" in report

    def test_from_the_command_line_it_takes_less_than_two_seconds(self, tmp_path):
        case = tmp_path / "case.toml"
        case.write_text(
            '[map]\nstate = ["x"]\nnext = ["-x/2 + relu(theta)"]\n[parameters]\ntheta = "0"\n'
            '[[claim]]\nkind = "piggyback_interval"\nlower = "-2/3"\nupper = "4/3"\n'
            '[[claim]]\nkind = "implicit_is_strict"\n[[claim]]\nkind = "implicit_is_strict"\nhull = true\n'
        )
        start = time.perf_counter()
        result = CliRunner().invoke(commands, ["prove", str(case)], standalone_mode=False)
        assert time.perf_counter() - start < 2
        assert result.return_value == 0
        assert [line.split()[0] for line in result.output.splitlines() if line.startswith("proved")] == ["proved"] * 3


class TestInterval:
    @pytest.mark.parametrize("wrong", [{"lower": 0}, {"upper": 1}, {"lower": "-2/3", "upper": "5/3"}, {"lower": -1}])
    def test_wrong_ends_are_refuted(self, wrong):
        assert {"lower": "-2/3", "upper": "4/3"} == refuted(PiggybackInterval(**wrong), RELU).value

    def test_one_end_can_be_claimed(self):
        proved(PiggybackInterval(lower=0), CANTOR)
        proved(PiggybackInterval(upper=1), CANTOR)

    def test_brute_force_over_words_agrees(self):
        """Ends of the set are fixed points of words of at most two letters, moved by at most two letters."""
        system = scalars(("-1/2", 1), ("1/3", "1/5"), ("-3/4", "-1/7"))
        maps = [(Fraction(a), Fraction(b)) for a, b in (("-1/2", 1), ("1/3", "1/5"), ("-3/4", "-1/7"))]
        reached = []
        for word in (w for n in (1, 2) for w in product(maps, repeat=n)):
            a, b = Fraction(1), Fraction(0)
            for slope, constant in word:
                a, b = slope * a, slope * b + constant
            for then in (t for n in (0, 1, 2) for t in product(maps, repeat=n)):
                value = b / (1 - a)
                for slope, constant in then:
                    value = slope * value + constant
                reached.append(value)
        expected = {"lower": str(min(reached)), "upper": str(max(reached))}
        assert expected == proved(PiggybackInterval(), system).value

    def test_one_pair_gives_one_point(self):
        assert {"lower": "2", "upper": "2"} == proved(PiggybackInterval(), scalars(("1/2", 1))).value


class TestStrictness:
    def test_the_witness_is_the_shortest_word(self):
        """Pairs 0 -> 0, 1 -> 0 and so on: the fixed points 0 and 1, and of the word 0 1 is 2/3."""
        verdict = proved(STRICT, DIGITS)
        assert {"word": [0, 1], "matrix": [["2/3"]]} == verdict.value["witness"]
        assert "true" == content_of(verdict)["witness"]["shortest"]
        assert 2 == verdict.derivation.first(OutsideImplicitStep).shorter

    def test_digits_lose_nothing_in_the_hull(self):
        assert [["1"]] in refuted(HULL_STRICT, DIGITS).value["points"]

    def test_constant_maps_lose_nothing(self):
        """The images of everything are 0 and 1/2, which are the fixed points."""
        refuted(STRICT, scalars((0, 0), (0, "1/2")))

    def test_one_pair_loses_nothing(self):
        refuted(STRICT, scalars(("1/2", 1)))
        refuted(HULL_STRICT, scalars(("1/2", 1)))

    def test_one_common_fixed_point_loses_nothing(self):
        system = SwitchedSystem.from_rows(
            [[["1/2", "1/4"], [0, "1/3"]], [["1/5", 0], ["1/2", "1/2"]]], [[["1/4"], ["2/3"]], [["4/5"], [0]]]
        )
        assert [["1"], ["1"]] in refuted(HULL_STRICT, system).value["points"]

    def test_turning_loses_elements_of_the_hull(self):
        """All sums of powers of (1 + i)/2 times digits: the segment from 0 to 1 + i does not hold them."""
        verdict = proved(HULL_STRICT, TURNING)
        assert {"word", "matrix", "direction"} == verdict.value["witness"].keys()
        assert "shortest" not in content_of(verdict)["witness"]

    def test_lasso_at_its_kink(self):
        """J -> (J - 1)/2 or 0: the fixed points are -1 and 0; of both in turn -1/2."""
        lasso = forward_backward("(x - 2)**2/2", l1(sp.Symbol("lam", real=True)), ["x"], "1/2", parameters=["lam"])
        verdict = proved(STRICT, lasso, {"lam": 2})
        assert "-1/2" == verdict.value["witness"]["matrix"][0][0]
        refuted(HULL_STRICT, lasso, {"lam": 2})

    def test_a_wrong_statement_is_not_certified(self):
        content = content_of(proved(STRICT, RELU))
        content["claim"]["verdict"] = "refuted"
        assert not holds(content)


class TestMembership:
    @pytest.mark.parametrize("value", ["0", "1", "1/3", "1/4", "3/4", "7/9", "1/13"])
    def test_numbers_with_ternary_digits_0_and_2(self, value):
        witness = proved(InPiggybackSet(value=value), CANTOR).value["witness"]
        system, X = CANTOR, fmpq(*map(int, Fraction(witness["matrix"][0][0]).as_integer_ratio()))
        A, B = system.product(tuple(witness["word"]))
        assert A[0, 0] * X + B[0, 0] == X
        for letter in witness["then"]:
            X = X / 3 + (fmpq(2, 3) if letter else 0)
        assert Fraction(value) == Fraction(str(X))

    @pytest.mark.parametrize("value", ["1/2", "2/5", "5", "-1/100", "4/27", "51/100"])
    def test_numbers_with_a_digit_1(self, value):
        """4/27 is 0.011 in ternary digits, and not 0.0102..."""
        refuted(InPiggybackSet(value=value), CANTOR)

    def test_the_middle_third_is_free(self):
        """1/2, as is asked; the certificate has one cell on each side."""
        verdict = refuted(InPiggybackSet(value="1/2"), CANTOR)
        step = verdict.derivation.first(SeparationStep)
        assert {(0,), (1,)} == set(step.words) and 1 == step.depth
        assert all(product > bound for product, bound in zip(step.products, step.bounds, strict=True))

    @pytest.mark.parametrize("value, verdict", [("1/2", proved), ("0", proved), ("5/4", refuted), ("-1/9", refuted)])
    def test_the_hull_is_the_interval(self, value, verdict):
        verdict(InPiggybackSet(value=value, hull=True), CANTOR)

    def test_of_matrices(self):
        """Powers of (1 + i)/2 add up to the fixed point 1 + i of the second pair; its image under the first is i."""
        assert [1] == proved(InPiggybackSet(value=[[1], [1]]), TURNING).value["witness"]["word"]
        assert [0] == proved(InPiggybackSet(value=[[0], [1]]), TURNING).value["witness"]["then"]
        refuted(InPiggybackSet(value=[[10], [1]]), TURNING)
        refuted(InPiggybackSet(value=[[10], [1]], hull=True), TURNING)
        proved(InPiggybackSet(value=[["1/2"], ["1/2"]], hull=True), TURNING)

    def test_a_number_of_no_period_in_the_hull_needs_weights(self):
        """The pairs x/2 e_1 and x/2 + e_2: the segment from 0 to (0, 2) holds (0, 3/4), with the weights 5/8, 3/8."""
        witness = proved(InPiggybackSet(value=[[0], ["3/4"]], hull=True), SEGMENT).value["witness"]
        assert witness["weights"] == ["5/8", "3/8"]

    def test_it_stays_open_at_last(self):
        """An irregular number close to the set: neither a period nor a separation is found soon."""
        digits = "".join("02"[(k * k) % 7 in (1, 2)] for k in range(700))
        value = fmpq(int(digits, 3), 1) / fmpq(3) ** 700 + fmpq(1) / fmpq(3) ** 699 * fmpq(1, 2)
        verdict = prove(InPiggybackSet(value=value), CANTOR)
        if isinstance(verdict, Undecided):
            assert "distance to the set is at most" in verdict.reason
        else:
            assert_certified(verdict)


class TestBounds:
    def test_the_box_of_numbers_is_their_interval(self):
        value = proved(PiggybackBounds(tolerance="1/100000"), RELU).value
        upper, lower = (Fraction(text) for text in value["upper"])
        assert 0 <= upper - Fraction(4, 3) <= Fraction(1, 10**5) and 0 <= lower - Fraction(2, 3) <= Fraction(1, 10**5)
        assert value["box"] == {"lower": [[str(-lower)]], "upper": [[str(upper)]]}

    def test_the_box_of_matrices_holds_what_is_reached(self):
        value = proved(PiggybackBounds(tolerance="1/50"), TURNING).value
        low, high = ([Fraction(row[0]) for row in value["box"][corner]] for corner in ("lower", "upper"))
        reached = [(Fraction(0), Fraction(0))]
        for _ in range(10):
            turned = [((a - b) / 2, (a + b) / 2) for a, b in reached]
            reached = turned + [(a + 1, b) for a, b in turned]
        for k in range(2):
            column = [point[k] for point in reached]
            assert low[k] <= min(column) <= low[k] + Fraction(1, 10) and high[k] - Fraction(1, 10) <= max(column)
            assert max(column) <= high[k]

    def test_given_bounds(self):
        proved(PiggybackBounds(upper=[2, "2/3"]), RELU)
        proved(PiggybackBounds(upper=["4/3", "2/3"]), RELU)
        assert "0" == refuted(PiggybackBounds(upper=["13/10", 1]), RELU).value["index"]
        assert "1" == refuted(PiggybackBounds(upper=[2, "1/2"]), RELU).value["index"]

    def test_one_point_is_bounded_by_itself(self):
        proved(PiggybackBounds(directions=[[["5/7"]]], upper=[0]), scalars(("-5/7", 0)))
        refuted(PiggybackBounds(directions=[[["5/7"]]], upper=["-1/1000000"]), scalars(("-5/7", 0)))

    def test_close_bounds_are_told_apart(self):
        """The largest first entry of the set of TURNING is the limit of sums of the positive parts of powers."""
        value = proved(PiggybackBounds(directions=[[[1], [0]]], tolerance="1/1000000"), TURNING).value
        close = Fraction(value["upper"][0]) + Fraction(1, 10**5)
        proved(PiggybackBounds(directions=[[[1], [0]]], upper=[str(close)]), TURNING)
        refuted(PiggybackBounds(directions=[[[1], [0]]], upper=[str(close - Fraction(1, 10**4))]), TURNING)

    def test_a_polytope(self):
        """On the segment from 0 to (0, 2) the largest products with (1, 1) and (1, -1) are 2 and 0."""
        claim = PiggybackBounds(directions=[[[1], [1]], [[1], [-1]]])
        upper = [Fraction(text) for text in proved(claim, SEGMENT).value["upper"]]
        assert all(0 <= h - exact <= Fraction(1, 1000) for h, exact in zip(upper, (2, 0), strict=True))

    def test_the_time_limit_ends_it_between_directions(self):
        reason = undecided(PiggybackBounds(tolerance="1/100000"), ALONG_WORDS, time_limit=0.01).reason
        assert "the time limit ended after 1 of 4 directions" in reason or "not proved" in reason

    def test_the_tolerance_is_stated(self):
        assert "1/1000" == content_of(proved(PiggybackBounds(), RELU))["claim"]["tolerance"]


class TestInvertible:
    def test_a_sign_change(self):
        """I - A is 1 and -1: zero in the middle, though not at the pairs."""
        pair = scalars((0, 1), (2, 1))
        assert {"weights", "other"} == refuted(ImplicitIsInvertible(), pair).value["witness"].keys()
        proved(ImplicitIsInvertible(hull=False), pair)

    def test_a_singular_pair(self):
        pair = scalars((0, 1), (1, 1))
        refuted(ImplicitIsInvertible(), pair)
        assert ["0", "1"] == refuted(ImplicitIsInvertible(hull=False), pair).value["witness"]["weights"]

    def test_a_determinant_that_touches_zero(self):
        """I - A = diag(1, 4) and -I: (2 l - 1)(5 l - 1) is zero at 1/2."""
        system = SwitchedSystem.from_rows([[[0, 0], [0, -3]], [[2, 0], [0, 2]]])
        witness = refuted(ImplicitIsInvertible(), system).value["witness"]
        assert ["1/2", "1/2"] == witness["weights"] or "other" in witness

    def test_turns_need_a_subdivision(self):
        """I - A = I and a quarter turn: l^2 + (1 - l)^2 has a Bernstein coefficient 0."""
        system = SwitchedSystem.from_rows([[[0, 0], [0, 0]], [[1, -1], [1, 1]]])
        tree = content_of(proved(ImplicitIsInvertible(), system))["witness"]["tree"]
        assert tree and "halving edges" in proved(ImplicitIsInvertible(), system).report()

    def test_it_does_not_need_a_contraction(self):
        proved(ImplicitIsInvertible(), SwitchedSystem.from_rows(STEEP))

    def test_of_a_map(self):
        proved(ImplicitIsInvertible(), RELU_MAP, ZERO)


def clarke_example():
    """x - G(x)/2 with G(x) = x + sum of u_i |v_i x| - (theta, eta), from Bolte, Le, Pauwels, Silveti-Falls 2021."""
    G = [
        x - sp.Abs(x) / 2 + sp.Abs(y) / 2 + sp.Abs(x + y) - theta,
        y + sp.Abs(x) / 2 - sp.Abs(x + y) - eta,
    ]
    return about(x - G[0] / 2, y - G[1] / 2, parameters=(theta, eta), start=[0, 0])


class TestClarke:
    def test_the_example_of_the_paper(self):
        """M = [[1/2, 0], [1/2, 1]] is in the Clarke Jacobian of G at 0, its inverse is in that of no inverse."""
        verdict = proved(ImplicitSetExceedsClarke(), clarke_example(), {"theta": 0, "eta": 0})
        X = sp.Matrix([[sp.Rational(entry) for entry in row] for row in verdict.value["witness"]["matrix"]])
        C = sp.Matrix([[sp.Rational(entry) for entry in row] for row in verdict.value["witness"]["direction"]])
        signs = [sp.diag(1, 1)]
        for s, t, u in product((1, -1), repeat=3):
            if (s > 0 or t > 0 or u < 0) and (s < 0 or t < 0 or u > 0):
                half = sp.Rational(1, 2)
                M = sp.Matrix([[1 - half * s + u, half * t + u], [half * s - u, 1 - u]])
                signs.append(M.inv())
        assert all((C.T * X).trace() > (C.T * Y).trace() for Y in signs[1:])

    def test_of_matrices_no_clarke_jacobian_is_told(self):
        """Without a map there is no solution map."""
        report = proved(ImplicitSetExceedsClarke(), MIRRORED).report()
        assert "Clarke" not in report and "not in the convex hull of the solutions" in report
        assert "solution map" in proved(ImplicitSetExceedsClarke(), clarke_example(), {"theta": 0, "eta": 0}).report()

    def test_one_row_never_exceeds(self):
        undecided(ImplicitSetExceedsClarke(), RELU)

    def test_a_singular_hull_is_no_subject(self):
        assert "singular" in undecided(ImplicitSetExceedsClarke(), scalars((0, 1), (2, 1))).reason


class TestUndecidedPieces:
    def test_what_does_not_depend_on_them_is_decided(self):
        assert {"lower": "-2/3", "upper": "4/3"} == proved(PiggybackInterval(), HARMLESS, ZERO).value
        assert {0, 1} == set(proved(STRICT, HARMLESS, ZERO).value["witness"]["word"])
        proved(HULL_STRICT, HARMLESS, ZERO)
        proved(PiggybackBounds(), HARMLESS, ZERO)

    @pytest.mark.parametrize("claim", [PiggybackInterval(), PiggybackBounds(), PiggybackBounds(upper=[2, 1])])
    def test_what_depends_on_them_stays_open(self, claim):
        assert "undecided" in undecided(claim, HARMFUL, ZERO).reason

    @pytest.mark.parametrize("iteration", [HARMLESS, HARMFUL])
    def test_inside_rests_on_active_pieces_and_outside_on_all(self, iteration):
        verdict = proved(InPiggybackSet(value="1/3"), iteration, ZERO)
        assert {0, 1} >= {*verdict.value["witness"]["word"], *verdict.value["witness"]["then"]}
        proved(InPiggybackSet(value="1/3", hull=True), iteration, ZERO)
        refuted(InPiggybackSet(value=5), iteration, ZERO)
        refuted(InPiggybackSet(value=5, hull=True), iteration, ZERO)
        refuted(PiggybackBounds(upper=[1, 1]), iteration, ZERO)

    def test_singular_pieces_that_may_not_be_there(self):
        """With the ghost I - A = -1/2: singular in between, if it is there."""
        iteration = about(x / 2 + GHOST * x + sp.Max(theta, 0))
        assert "undecided" in undecided(ImplicitIsInvertible(), iteration, ZERO).reason
        proved(ImplicitIsInvertible(hull=False), iteration, ZERO)
        ghost = about(x / 2 + GHOST * x / 2 + sp.Max(theta, 0))
        assert "undecided" in undecided(ImplicitIsInvertible(hull=False), ghost, ZERO).reason

    @pytest.mark.parametrize("claim", [STRICT, PiggybackInterval(), InPiggybackSet(value="1/3")])
    def test_without_active_pieces_nothing_is_inside(self, claim):
        subject = subject_of(HARMLESS, ZERO)
        subject.__dict__["essential"] = ()
        assert "no piece was proved essentially active" in undecided(claim, subject).reason

    def test_they_are_no_witness_of_strictness(self):
        """The fixed point 0 of the first piece; 2/3, of a piece that may not be there, is none of the set."""
        iteration = about(x / 2 + GHOST * theta)
        verdict = prove(STRICT, iteration, ZERO)
        assert isinstance(verdict, Undecided)


class TestLayers:
    def test_at_a_tie_all_pieces_are_met(self):
        """Soft-thresholding of 2 in one variable: J -> (J - 1)/2 or 0, as for the expression."""
        lasso = forward_backward(quadratic([[1]], [-2]), l1("lam"), step="1/2", parameters=["lam"])
        assert {"lower": "-1", "upper": "0"} == proved(PiggybackInterval(), lasso, {"lam": 2}).value
        verdict = proved(STRICT, lasso, {"lam": 2})
        assert verdict.derivation.first(StructuredMapStep) is not None
        refuted(InPiggybackSet(value="1/2"), lasso, {"lam": 2})
        proved(ImplicitIsInvertible(), lasso, {"lam": 2})

    def test_where_it_is_smooth_there_is_one_point(self):
        lasso = forward_backward(quadratic([[1]], [-2]), l1("lam"), step="1/2", parameters=["lam"])
        assert {"lower": "-1", "upper": "-1"} == proved(PiggybackInterval(), lasso, {"lam": 1}).value
        refuted(STRICT, lasso, {"lam": 1})

    def test_several_parameters_at_a_tie(self):
        iteration, at = structured("lasso at a tie")
        subject = subject_of(iteration, at)
        assert_certified(prove(STRICT, subject))
        columns = subject.map.columns
        assert 2 * 3 * columns == len(proved(PiggybackBounds(tolerance="1/2"), subject).value["upper"])

    def test_large_maps_stay_open(self):
        size = 60
        rows = [[int(i == j) for j in range(size)] for i in range(size)]
        lasso = forward_backward(quadratic(rows, [-2] * size), l1("lam"), step="1/2", parameters=["lam"])
        assert "too large" in undecided(STRICT, lasso, {"lam": 1}).reason


class TestBadInput:
    def test_without_a_contraction_there_is_no_set(self):
        """The product of the word 0 0 1 1 has the eigenvalue -9/8."""
        ball = heavy_ball("Piecewise((x**2/2, x >= 0), (x**2/8, True))", ["x"], 1, "3/4", parameters=["theta"])
        for claim in (STRICT, InPiggybackSet(value=[[0], [0]]), PiggybackBounds()):
            with pytest.raises(NoLimitSetError, match="by the word 0 0 1 1"):
                prove(claim, ball, ZERO)
            with pytest.raises(NoLimitSetError, match="by the word 0 0 1 1"):
                prove(claim, SwitchedSystem.from_rows(STEEP))

    def test_the_command_line_says_so_in_one_line(self, tmp_path):
        case = tmp_path / "case.toml"
        case.write_text('[switched]\nA = [ [["1"]] ]\n[[claim]]\nkind = "piggyback_interval"\n')
        result = CliRunner().invoke(commands, ["prove", str(case)], standalone_mode=False)
        assert result.return_value == 3
        (line,) = result.stderr.splitlines()
        assert "case.toml, line 3: there is no piggyback set" in line and "by the word 0" in line

    @pytest.mark.parametrize(
        "make, message",
        [
            (lambda: PiggybackInterval(lower=1, upper=0), "lower of `piggyback_interval`: 1 is larger than upper"),
            (lambda: PiggybackInterval(lower=0.5), 'write "0.5"'),
            (lambda: PiggybackInterval(upper="sqrt(2)"), "upper of `piggyback_interval`: .* is not a rational"),
            (lambda: ImplicitIsStrict(hull="yes"), "neither true nor false; write hull = true"),
            (lambda: ImplicitIsInvertible(hull=1), "neither true nor false"),
            (lambda: InPiggybackSet(value=[[0.5]]), 'write "0.5"'),
            (
                lambda: InPiggybackSet(value=[[1], [1, 2]]),
                "^value of `in_piggyback_set`: rows of 1 and of 2 numbers; write equal lengths",
            ),
            (lambda: InPiggybackSet(value=[]), "is no matrix; write its rows"),
            (lambda: InPiggybackSet(value=[1, 0]), "is no matrix; write its rows"),
            (lambda: PiggybackBounds(tolerance=0), "not positive"),
            (lambda: PiggybackBounds(upper=1), "is no list of numbers; write one for each direction"),
            (lambda: PiggybackBounds(upper=[1], tolerance="1/2"), "remove one of them"),
            (lambda: PiggybackBounds(directions=[[[1]]], upper=[1, 2]), "2 numbers for 1 directions"),
            (lambda: PiggybackBounds(directions=[]), "is no list of matrices"),
            (lambda: PiggybackBounds(directions="1"), "is no list of matrices"),
        ],
    )
    def test_fields_are_checked(self, make, message):
        with pytest.raises(InputError, match=message) as error:
            make()
        assert "\n" not in str(error.value)

    @pytest.mark.parametrize(
        "claim, system, message",
        [
            (PiggybackInterval(), TURNING, "2 rows and 1 columns; ask for `piggyback_bounds`"),
            (PiggybackBounds(), SwitchedSystem.from_rows([[["1/2"]]], [[[]]]), "`B` has no columns"),
            (STRICT, SwitchedSystem.from_rows([[["1/2"]]], [[[]]]), "claim `implicit_is_strict`: `B` has no columns"),
            (InPiggybackSet(value=1), TURNING, "value of `in_piggyback_set`: 1 rows and 1 columns; write"),
            (InPiggybackSet(value=[[1], [1]]), RELU, "write a matrix of 1 rows and 1 columns"),
            (PiggybackBounds(directions=[[[1, 0]]]), TURNING, "directions of `piggyback_bounds`"),
            (PiggybackBounds(upper=[1, 2]), TURNING, "2 numbers for 4 directions"),
        ],
    )
    def test_shapes_are_checked(self, claim, system, message):
        with pytest.raises(InputError, match=message):
            prove(claim, system)

    @pytest.mark.parametrize("claim", [PiggybackInterval(), STRICT, PiggybackBounds(), ImplicitIsInvertible()])
    def test_a_map_without_parameters_has_no_derivatives(self, claim):
        with pytest.raises(InputError, match="no parameters to differentiate in"):
            prove(claim, about(x / 2, parameters=()))

    @pytest.mark.parametrize("claim", [PiggybackInterval(), STRICT, ImplicitIsInvertible(), ImplicitSetExceedsClarke()])
    def test_graphs_and_bounds_stay_open(self, claim):
        graph = SwitchedSystem.from_rows([[["1/2"]], [["1/3"]]], graph=[(0, 0, 1), (1, 1, 0)])
        assert "constrained by a graph" in undecided(claim, graph).reason
        assert "between bounds" in undecided(claim, SwitchedSystem.from_rows([[[["1/3", "1/2"]]]])).reason

    def test_irrational_pairs_stay_open(self):
        descent = gradient_descent("sqrt(2)*x**2/2-theta*x", ["x"], "1/2", parameters=["theta"], start=[1])
        assert "irrational" in undecided(PiggybackInterval(), descent, {"theta": 2}).reason

    def test_cases_know_the_kinds_and_their_fields(self):
        text = '[switched]\nA = [ [["1/2"]] ]\n[[claim]]\nkind = "piggyback_bounds"\n'
        case = read_case(text + 'directions = [ [["1"]] ]\nupper = ["1/2"]\n')
        assert case.claims == (PiggybackBounds(directions=[[[1]]], upper=["1/2"]),)
        with pytest.raises(CaseError, match="unknown key `radius`; known are directions, upper, tolerance"):
            read_case(text + 'radius = "1"\n')
        with pytest.raises(CaseError, match='not exact; write "0.5" in quotes'):
            read_case(text + "upper = [0.5]\n")
        with pytest.raises(CaseError, match="claim `in_piggyback_set` needs `value`"):
            read_case('[switched]\nA = [ [["1/2"]] ]\n[[claim]]\nkind = "in_piggyback_set"\n')

    def test_the_kinds_are_listed(self):
        assert {
            *("piggyback_interval", "implicit_is_strict", "in_piggyback_set", "piggyback_bounds"),
            *("implicit_is_invertible", "implicit_set_exceeds_clarke"),
        } <= KINDS.keys()


def test_the_hull_of_a_set_of_matrices_may_be_asked_for_as_matrix():
    value = fmpq_mat([[fmpq(1, 2)], [fmpq(1, 2)]])
    assert InPiggybackSet(value=value).fields()["value"] == value

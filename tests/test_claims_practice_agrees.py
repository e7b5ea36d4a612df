"""The claim *practice_agrees*, by hand, by dual numbers and words; with its certificates, and bad input."""

from __future__ import annotations

import itertools
import json
import random
from fractions import Fraction

import pytest
import sympy as sp
from certificate_helper import assert_certified, assert_changes_matter, content_of, holds, proved, refuted, undecided
from click.testing import CliRunner
from dual_numbers import dual_pair
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples, kinked

import piggycheck as pc
from piggycheck import checker
from piggycheck.algorithms import forward_backward
from piggycheck.claims import PracticeAgrees, prove, subject_of
from piggycheck.claims.practice_agrees import practice_of
from piggycheck.cli import commands
from piggycheck.errors import InputError, NoLimitSetError
from piggycheck.expression import parse, to_text
from piggycheck.functions import l1, quadratic
from piggycheck.iteration import Iteration
from piggycheck.maps import CONVENTIONS, SymbolicMap, convention_pair
from piggycheck.practice import Place, limit_of_pair
from piggycheck.switched import SwitchedSystem

x, y, theta = sp.symbols("x y theta", real=True)
ZERO = {"theta": 0}
JAX, TORCH = PracticeAgrees(policy="jax"), PracticeAgrees(policy="torch")
ABSOLUTE = {"jax": 1, "torch": 0}


def step(*texts):
    state = (x, y)[: len(texts)]
    return Iteration(SymbolicMap(state, [parse(text, [*state, theta]) for text in texts], [theta]))


CANTOR = step("x/3 + 2*Max(theta, 0)/3")
DISTANCE = step("Abs(theta) - x/2")
IDENTITY = step("(relu(x) - relu(-x))/2 + theta")
STEEP = step("2*Abs(x) + theta")


class TestByHand:
    def test_half_is_in_the_largest_gap_of_the_cantor_set(self):
        """X = X/3 + 1/3 gives 1/2; relu, or a branch, gives 0 or 1."""
        for claim in (JAX, TORCH):
            verdict = refuted(claim, CANTOR, ZERO)
            assert (verdict.value["limit"], verdict.value["place"]) == ([["1/2"]], Place.HULL.value)
        assert [["0"]] == proved(JAX, step("x/3 + 2*relu(theta)/3"), ZERO).value["limit"]
        assert [["1"]] == proved(PracticeAgrees(policy="0"), CANTOR, ZERO).value["limit"]

    def test_the_average_of_two_branches_may_be_reached_by_selections_alone(self):
        """Of |theta| - x/2 the set is [-2, 2]: JAX has the branch 1 and 2/3; PyTorch has 0, which no branch has."""
        assert ([["2/3"]], Place.IMPLICIT.value) == tuple(
            proved(JAX, DISTANCE, ZERO).value[k] for k in ("limit", "place")
        )
        assert ([["0"]], Place.PIGGYBACK.value) == tuple(
            proved(TORCH, DISTANCE, ZERO).value[k] for k in ("limit", "place")
        )

    def test_a_smooth_step_is_differentiated_wrongly(self):
        verdict = refuted(JAX, IDENTITY, ZERO)
        assert (verdict.value["limit"], verdict.value["place"]) == ([["1"]], Place.BEYOND.value), "the derivative is 2"

    def test_a_pair_that_does_not_contract_has_no_limit(self):
        """JAX takes 1 for the slope of |x| at 0, and 2 to the power k grows; PyTorch takes 0."""
        assert refuted(JAX, STEEP, ZERO).value == {"place": Place.NO_LIMIT.value}
        with pytest.raises(NoLimitSetError, match="joint spectral radius is at least 1"):
            prove(TORCH, STEEP, ZERO)

    def test_where_nothing_ties_all_policies_return_the_derivative(self):
        for policy in ("jax", "torch", "0"):
            assert [["-2/3"]] == proved(PracticeAgrees(policy=policy), DISTANCE, {"theta": -1}).value["limit"]

    def test_soft_thresholding_at_a_tie_is_halved(self):
        """max(-t, min(t, v)) shares at v = t: the derivative in the weight is that of x/2 for the step 1."""
        weight = sp.Symbol("w", real=True)
        lasso = forward_backward(quadratic([[1]], ["-2"]), l1(weight), step=1, parameters=[weight], start=[0])
        for claim in (JAX, TORCH):
            refuted(claim, lasso, {"w": 2})

    def test_two_dimensions(self):
        """A rotation by 45 degrees shrunk by 1/2, pushed by max(theta, 0) in both coordinates."""
        turned = step("(x - y)/4 + Max(theta, 0)", "(x + y)/4 + relu(theta)")
        verdict = prove(JAX, turned, ZERO)
        A, B = sp.Matrix([[1, -1], [1, 1]]) / 4, sp.Matrix([sp.Rational(1, 2), 0])
        expected = (sp.eye(2) - A).solve(B)
        assert [[str(entry)] for entry in expected] == verdict.value["limit"]
        assert_certified(verdict)

    def test_the_table_is_in_the_report(self):
        report = refuted(JAX, CANTOR, ZERO).report()
        for words in ("JAX", "PyTorch", "piece 0", "piece 1", "random picks", "in the implicit set", "from 0 to 1"):
            assert words in report

    def test_an_undecided_piece_proves_nothing(self):
        """Whether x^2 theta^2 exceeds x^2 + theta^2 near 0 is not seen; with its pair 0 would be a limit."""
        ghost = "Piecewise((1, -x**2 - theta**2 + x**2*theta**2 > 0), (0, True))"
        iteration = step(f"x/4 + Abs(theta)*(1 - {ghost})")
        undecided(TORCH, iteration, ZERO)
        assert pc.practice(iteration, ZERO).extent is None


def scalar_truth(content):
    """Whether the limit of the policy is near some of the points that words of 14 letters reach."""
    names = content["map"]
    point = {**content["fixed_point"], **content["at"]}
    policy, dice = content["claim"]["policy"], random.Random(3)

    def pair_at(place, absolute=0):
        (A,), (B,) = dual_pair(names["next"], names["state"], names["parameters"], place, absolute)
        return A[0], B[0]

    found = {}
    for _ in range(60):
        near = {v: Fraction(c) + Fraction(dice.randint(-(10**6), 10**6), 10**12) for v, c in point.items()}
        found[pair_at(near)] = None
    if policy.isdecimal():
        piece = content["pieces"][int(policy)]
        a, b = Fraction(piece["A"][0][0]), Fraction(piece["B"][0][0])
    else:
        a, b = pair_at(point, ABSOLUTE[policy])
    if abs(a) >= 1:
        return False
    limit, reached = float(b / (1 - a)), {0.0}
    for _ in range(14):
        reached = {round(float(A) * z + float(B), 12) for A, B in found for z in reached}
    slope = max(abs(float(A)) for A, _ in found) ** 14 * 10
    return min(abs(limit - z) for z in reached) <= slope + 1e-9


CASES = {
    "refuted by cells": (JAX, CANTOR),
    "proved by a branch": (JAX, DISTANCE),
    "proved by a word": (TORCH, DISTANCE),
    "proved of a piece": (PracticeAgrees(policy="1"), DISTANCE),
    "refuted without limit": (JAX, STEEP),
    "refuted of a smooth map": (TORCH, IDENTITY),
}


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(name):
    claim, iteration = CASES[name]
    content = assert_certified(prove(claim, iteration, ZERO))
    expected = content["claim"]["verdict"] == "proved"
    assert_changes_matter(content, lambda changed: scalar_truth(changed) is expected)


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [
        ("refuted by cells", ("claim", "policy"), "0"),
        ("refuted by cells", ("claim", "policy"), "tensorflow"),
        ("refuted by cells", ("witness", "limit"), [["1/3"]]),
        ("refuted by cells", ("map", "next"), ["x/3 + 2*relu(theta)/3"]),
        ("proved by a word", ("claim", "policy"), "jax"),
        ("proved by a word", ("map", "next"), ["Max(theta, -theta, 3*theta) - x/2"]),
        ("proved by a branch", ("claim", "policy"), "torch"),
        ("proved by a branch", ("map", "next"), ["sign(theta)*theta - x/2"]),
        ("proved of a piece", ("claim", "policy"), "2"),
        ("proved of a piece", ("claim", "policy"), "-1"),
        ("refuted without limit", ("claim", "policy"), "torch"),
    ],
)
def test_a_false_claim_is_refused(name, path, value):
    claim, iteration = CASES[name]
    content = json.loads(json.dumps(content_of(prove(claim, iteration, ZERO))))
    place = content
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    assert not holds(content)


@examples(60)
@given(kinked((x, theta), jumps=True), st.sampled_from(sorted(CONVENTIONS)))
def test_three_ways_to_differentiate_by_a_convention_agree(expression, policy):
    """The package's smooth replacement, the checker's jets, and Python's numbers with slopes."""
    shifted = expression - expression.subs({x: 0, theta: 0})
    map_ = SymbolicMap([x], [parse(to_text(shifted), [x, theta])], [theta])
    A, B = convention_pair(map_, {x: 0, theta: 0}, CONVENTIONS[policy])
    text, origin = to_text(map_.next[0]), {"x": "0", "theta": "0"}
    assert ([[Fraction(str(A[0]))]], [[Fraction(str(B[0]))]]) == dual_pair(
        [text], ["x"], ["theta"], origin, ABSOLUTE[policy]
    )
    seen = checked_pair(text, policy)
    assert seen is None or seen == (Fraction(str(A[0])), Fraction(str(B[0])))


def checked_pair(text, policy):
    """What the checker takes for the pair, by its own table; nothing where the map jumps."""
    from piggycheck.checker.conventions import pair_of
    from piggycheck.checker.subject import FixedPoint

    map_ = {"state": ["x"], "parameters": ["theta"], "next": [text]}
    certificate = {"map": map_, "at": {"theta": "0"}, "fixed_point": {"x": "0"}}
    try:
        (A,), (B,) = pair_of(FixedPoint(certificate, pieces_needed=False), policy)
    except (checker.Refused, checker.Unreadable):
        return None
    return A[0].lo, B[0].lo


@pytest.mark.parametrize("count", [2, 3, 4])
def test_tied_arguments_share_in_the_checker_too(count):
    slopes = range(1, count + 1)
    text = f"Max({', '.join(f'{s}*theta' for s in slopes)})"
    assert checked_pair(text, "torch") == (0, Fraction(sum(slopes), count))
    assert checked_pair(f"Max({text}, 7*theta)", "jax")[1] == (Fraction(sum(slopes), count) + 7) / 2
    below = ", ".join(f"{s}*theta - {s}" for s in slopes)
    assert checked_pair(f"Max({below}, -{count}) + {count}*Min(1, 1 + theta)", "jax") is None, "1 - 1 is not fixed"
    assert checked_pair(f"Max({below}, 5*theta, 6*theta)", "jax") == (0, Fraction(11, 2)), "only the largest share"


class TestTheSurvey:
    def test_of_every_policy(self):
        found = pc.practice(CANTOR, ZERO)
        assert [outcome.policy for outcome in found.outcomes] == ["jax", "torch", "0", "1", "random"]
        assert (found["random"].limit, found["random"].place) == (None, Place.NO_LIMIT)
        assert (found.extent.lower[0, 0], found.extent.upper[0, 0]) == (0, 1)
        assert [found[p].letter for p in ("jax", "0", "1")] == [None, 0, 1]
        assert "JAX" in found.report()

    def test_random_picks_converge_when_the_set_is_one_point(self):
        found = pc.practice(IDENTITY, ZERO)
        assert (found["random"].limit[0, 0], found.extent) == (2, None)

    def test_without_a_set(self):
        places = {o.policy: o.place for o in pc.practice(STEEP, ZERO).outcomes}
        assert places == {
            **dict.fromkeys(("jax", "0", "1"), Place.NO_LIMIT),
            **dict.fromkeys(("torch", "random"), Place.NO_SET),
        }

    def test_every_limit_solves_its_equation(self):
        for iteration, outcome in itertools.chain.from_iterable(
            ((i, o) for o in pc.practice(i, ZERO).outcomes) for i in (CANTOR, DISTANCE, IDENTITY)
        ):
            if outcome.limit is not None and outcome.pair is not None:
                A, B = outcome.pair
                assert A * outcome.limit + B == outcome.limit == limit_of_pair(A, B), iteration

    def test_a_map_without_parameters(self):
        with pytest.raises(InputError, match="no parameters"):
            pc.practice(Iteration(SymbolicMap([x], [x / 2])))

    def test_a_survey_of_a_subject(self):
        assert practice_of(subject_of(DISTANCE, ZERO))["torch"].place is Place.PIGGYBACK


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('policy = "tensorflow"', "`tensorflow` is not known; write one of jax, torch, or the index of a piece"),
        ('policy = "random"', "`random` is not known"),
        ('policy = "7"', "there is no piece 7; 2 meet at the fixed point, so write a number from 0 to 1"),
        ("policy = -1", "`-1` is not known"),
        ("", "claim `practice_agrees` needs `policy`"),
    ],
)
def test_an_unknown_policy_is_one_line(tmp_path, line, said):
    case = tmp_path / "case.toml"
    case.write_text(
        '[map]\nstate = ["x"]\nnext = ["Abs(theta) - x/2"]\n[parameters]\ntheta = "0"\n'
        f'[[claim]]\nkind = "practice_agrees"\n{line}\n'
    )
    done = CliRunner().invoke(commands, ["prove", str(case)], standalone_mode=False)
    assert (done.return_value, done.stderr.count("\n")) == (3, 1)
    assert said in done.stderr


def test_a_switched_system_has_no_program():
    with pytest.raises(InputError):
        prove(JAX, SwitchedSystem.from_rows([[["1/2"]]]))

"""The claim that one sequence of errors is asymptotically faster than another."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from certificate_helper import assert_changes_matter, content_of, holds, proved, refuted, undecided

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.case.reader import read_case
from piggycheck.claims import RateComparison, prove
from piggycheck.errors import CaseError, InputError
from piggycheck.expression import parse
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.render import report_case
from piggycheck.switched import SwitchedSystem

x, theta = sp.symbols("x theta", real=True)
HALF = {"step": "1/2"}
FAST = {"fast": {"quantity": "iterates", "at": {"step": "20/11"}}}


def descent(start=(1, 1)):
    return gradient_descent("x**2/2 + y**2/20", ["x", "y"], "step", parameters=["step"], start=start and list(start))


def ball(start=(3, 1)):
    """Curvatures 1 and 9; theta moves the first coordinate alone."""
    return heavy_ball(
        "x**2/2 + 9*y**2/2 - theta*x",
        ["x", "y"],
        "step",
        "momentum",
        parameters=["theta", "step", "momentum"],
        start=start,
    )


OPTIMAL = {"theta": 1, "step": "1/4", "momentum": "1/4"}
DESCENT = {"descent": {"quantity": "iterates", "at": {"step": "1/5", "momentum": 0}}}


# -- steps ------------------------------------------------------------------------------------------------------------


def test_the_optimal_step_is_faster():
    """2/(1 + 1/10) = 20/11 makes both eigenvalues of size 9/11; with 1/2 one of them is 19/20."""
    verdict = proved(RateComparison("fast", "iterates", "<", FAST), descent(), HALF)
    assert {"left": "9/11", "right": "19/20"} == verdict.value
    assert "is 9/11, smaller than that of the iterates, which is 19/20" in verdict.found


def test_no_comma_follows_the_second_sequence():
    verdict = refuted(RateComparison("iterates", "fast", "<", FAST), descent(), HALF)
    assert verdict.statement.endswith("smaller than that of fast, the iterates at step = 20/11")
    assert verdict.found.endswith("larger than that of fast, the iterates at step = 20/11, which is 9/11")
    equal = proved(RateComparison("iterates", "derivatives", "="), descent(), HALF)
    assert "the rate of the iterates is 19/20, equal to that of the derivatives" == equal.found


@pytest.mark.parametrize("relation", ["<", "<=", "="])
def test_the_slow_step_is_not_faster(relation):
    verdict = refuted(RateComparison("iterates", "fast", relation, FAST), descent(), HALF)
    assert {"left": "19/20", "right": "9/11"} == verdict.value


def test_derivatives_converge_no_slower_than_iterates_and_no_faster():
    """The errors of the derivatives in the step have an extra factor k, which the rate does not see."""
    for relation in ("<=", "="):
        proved(RateComparison("derivatives", "iterates", relation), descent(), HALF)
    verdict = refuted(RateComparison("derivatives", "iterates", "<"), descent(), HALF)
    assert "equal to" in verdict.found


def test_a_start_decides_which_eigenvalues_count():
    """From (1, 0) the slow eigenvalue is not excited: 1/2 against |1 - 20/11| = 9/11."""
    proved(RateComparison("iterates", "fast", "<", FAST), descent((1, 0)), HALF)


def test_without_a_start_almost_every_one_counts():
    verdict = proved(RateComparison("fast", "iterates", "<", FAST), descent(None), HALF)
    assert verdict.statement.startswith("from almost every start near the fixed points ")


# -- momentum ---------------------------------------------------------------------------------------------------------


def test_the_heavy_ball_is_faster_than_gradient_descent_at_best():
    """Condition number 9: (3 - 1)/(3 + 1) = 1/2 against (9 - 1)/(9 + 1) = 4/5."""
    verdict = proved(RateComparison("iterates", "descent", "<", DESCENT), ball(), OPTIMAL)
    assert {"left": "1/2", "right": "4/5"} == verdict.value


def test_irrational_rates():
    """With complex eigenvalues the rate is the root of the momentum: sqrt(1/3) > sqrt(3/10) > 1/2."""
    more = {name: {"quantity": "iterates", "at": {"momentum": m}} for name, m in (("third", "1/3"), ("less", "3/10"))}
    proved(RateComparison("less", "third", "<", more), ball(), OPTIMAL)
    refuted(RateComparison("third", "less", "<=", more), ball(), OPTIMAL)
    same = {"third": more["third"], "derivative": {"quantity": "derivatives", "at": {"momentum": "1/3"}}}
    verdict = proved(RateComparison("derivative", "third", "=", same), ball(), OPTIMAL)
    assert {"left": "sqrt(3)/3", "right": "sqrt(3)/3"} == verdict.value
    witness = content_of(verdict)["witness"]
    assert witness["left"]["number"] == witness["right"]["number"]


def test_columns_of_the_derivatives():
    """theta is seen by the first coordinate alone, whose rate without momentum is 3/4; the second has 5/4."""
    columns = {"first": {"quantity": "derivatives", "wrt": "theta"}, "all": {"quantity": "derivatives"}}
    plain = {**OPTIMAL, "momentum": 0}
    verdict = proved(RateComparison("first", "iterates", "<", {"first": columns["first"]}), ball(), plain)
    assert {"left": "3/4", "right": "5/4"} == verdict.value
    refuted(RateComparison("all", "first", "<=", columns), ball(), plain)


# -- pieces -----------------------------------------------------------------------------------------------------------


def kinked(start="-3"):
    objective = "Piecewise((x**2/2, x >= 0), (x**2/8, True)) - theta*x"
    return gradient_descent(objective, ["x"], "step", parameters=["theta", "step"], start=[start])


def test_iterates_that_are_trapped_first():
    """At theta = 1 the limit 1 has curvature 1, at theta = -1 the limit -4 has 1/4: 1/2 against 7/8."""
    left = {"left": {"quantity": "iterates", "at": {"theta": -1}}}
    verdict = proved(RateComparison("iterates", "left", "<", left), kinked(), {"theta": 1, "step": "1/2"})
    assert {"left": "1/2", "right": "7/8"} == verdict.value
    witness = content_of(verdict)["witness"]
    assert ["word_tree", "word_tree"] == [witness[side]["method"] for side in ("left", "right")]
    assert ("1", "-4") == tuple(witness[side]["fixed_point"]["x"] for side in ("left", "right"))


def test_a_rate_that_is_not_known_leaves_it_open():
    at_kink = {"kink": {"quantity": "iterates", "at": {"theta": 0}}}
    verdict = undecided(RateComparison("iterates", "kink", "<", at_kink), kinked(), {"theta": 1, "step": "1/2"})
    assert verdict.reason.startswith("the rate of kink, the iterates at theta = 0")


# -- what is written --------------------------------------------------------------------------------------------------


def test_the_report_tells_both_sequences():
    report = prove(RateComparison("fast", "iterates", "<", FAST), descent(), HALF).report()
    for said in (
        "The sequence fast",
        "at step = 20/11",
        "ρ = 9/11",
        "The sequence iterates",
        "ρ = 19/20",
        "9/11 < 19/20",
    ):
        assert said in report


CASE = """
title = "Two steps"

[algorithm]
name = "gradient_descent"
objective = "x**2/2 + y**2/20"
variables = ["x", "y"]
step = "step"

[parameters]
step = "1/2"

[start]
x = "1"
y = "1"

[[claim]]
kind = "rate_comparison"
left = "fast"
right = "iterates"
relation = "<"

[claim.sequences.fast]
quantity = "iterates"
at = {step = "20/11"}
"""


def test_a_case_may_claim_it():
    (claim,) = read_case(CASE).claims
    assert ("fast", "iterates", "<") == (claim.left, claim.right, claim.relation)
    proved(claim, descent(), HALF)
    with pytest.raises(CaseError, match="relation of `rate_comparison`: `faster` is not known"):
        read_case(CASE.replace('"<"', '"faster"'))


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            ("fast", "iterates", "<"),
            'left of `rate_comparison`: `fast` is no sequence; write one of "iterates", "deriv',
        ),
        (("iterates", "2*fast", "<", FAST), "right of `rate_comparison`: `2\\*fast` is no sequence"),
        (("iterates", "one_step"), "right of `rate_comparison`: the asymptotic rate of `one_step` is not found"),
        (
            ("iterates", "derivatives", ">"),
            'relation of `rate_comparison`: `>` is not known; write one of "<", "<=", "="',
        ),
        (
            ("a", "iterates", "<", {"a": {"quantity": "iterates", "output": "x"}}),
            "the asymptotic rate of `a` is not found",
        ),
        (("a", "iterates", "<", {"a": {"at": {"step": 1}}}), "sequence `a`: it needs a quantity"),
        (("iterates", "derivatives", "<", FAST), "sequence `fast`: neither side names it; leave it out, or use it"),
    ],
)
def test_fields_that_cannot_be_read(arguments, message):
    with pytest.raises(InputError, match=message):
        RateComparison(*arguments)


def test_what_has_no_such_sequences():
    with pytest.raises(InputError, match="is about a map"):
        prove(RateComparison("iterates", "derivatives"), SwitchedSystem.from_rows([[["1/2"]]]))
    elsewhere = {"other": {"quantity": "iterates", "at": {"momentum": 1}}}
    with pytest.raises(InputError, match="sequence `other`: `momentum` is not a parameter"):
        prove(RateComparison("other", "iterates", "<", elsewhere), descent(), HALF)
    with pytest.raises(InputError, match="no parameters"):
        prove(RateComparison("derivatives", "iterates"), Iteration(SymbolicMap([x], [x / 2]), [sp.Integer(1)]))


# -- certificates -----------------------------------------------------------------------------------------------------


SCALAR = gradient_descent("x**2/2 - theta*x", ["x"], "step", parameters=["theta", "step"], start=[3])


def certified(relation):
    """``|1 - step|`` is 1/2 with 1/2 and 3/2, and 1/4 with 3/4."""
    fast = {"fast": {"quantity": "derivatives", "at": {"step": "3/4" if relation == "<" else "3/2"}, "wrt": "theta"}}
    return content_of(proved(RateComparison("fast", "iterates", relation, fast), SCALAR, {"theta": 1, "step": "1/2"}))


@pytest.mark.parametrize("relation", ["<", "="])
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(relation):
    assert_changes_matter(certified(relation), still_true, least=41)


def still_true(content):
    """Ask the package about what a changed certificate says; its bounds are around the rates that it finds."""
    claim, data = content["claim"], content["map"]
    state, parameters = ([sp.Symbol(name, real=True) for name in data[key]] for key in ("state", "parameters"))
    following = [parse(text, [*state, *parameters]) for text in data["next"]]
    iteration = Iteration(
        SymbolicMap(state, following, parameters), [parse(content["start"][str(v)], parameters) for v in state]
    )
    verdict = prove(
        RateComparison(claim["left"], claim["right"], claim["relation"], claim["sequences"]), iteration, content["at"]
    )
    ends = [[content["witness"][side]["number"][end] for end in ("lower", "upper")] for side in ("left", "right")]
    numbers = [Fraction(verdict.value[side]) for side in ("left", "right")]
    within = all(Fraction(low) <= number <= Fraction(high) for number, (low, high) in zip(numbers, ends, strict=True))
    return verdict.name == "proved" and within


def test_the_claim_of_a_certificate_is_the_one_that_was_proved():
    content = certified("<")
    for place, text in (("left", "iterates"), ("right", "fast"), ("relation", "="), ("verdict", "refuted")):
        assert not holds({**content, "claim": {**content["claim"], place: text}})
    swapped = {"left": content["witness"]["right"], "right": content["witness"]["left"]}
    assert not holds({**content, "witness": swapped})


def test_each_report_of_several_says_which_rate_is_larger():
    """One name stands for two sequences at the step 1/3, of the rate 29/30."""
    other = (
        {"f": {"quantity": "iterates", "at": {"step": "1/3"}}},
        {"f": {"quantity": "derivatives", "at": {"step": "1/3"}}},
    )
    verdicts = [prove(RateComparison("iterates", "f", "<", named), descent(), HALF) for named in other]
    assert report_case("Two", verdicts).count("The rate of iterates stands to that of f as") == 2

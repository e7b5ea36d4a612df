"""The claim *rate_bound*: verdicts with certificates, tampering, bad input in one line."""

from __future__ import annotations

import pytest
import sympy as sp
from certificate_helper import assert_certified, changed_numbers, content_of, holds, proved, refuted, undecided

from piggycheck.algorithms import gradient_descent, heavy_ball, nesterov
from piggycheck.case import load_case
from piggycheck.claims import Proved, RateBound, prove
from piggycheck.cli import main
from piggycheck.errors import CaseError, InputError
from piggycheck.expression import parse
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, theta = sp.symbols("x y theta", real=True)
AT = {"theta": 1}


def diagonal():
    """Gradient descent for diag(1, 1/10) with step 1/2: errors of the derivatives (2^-k, -7 (19/20)^k)."""
    objective = "x**2/2 + y**2/20 - theta*x - theta*y"
    return gradient_descent(objective, ["x", "y"], "1/2", parameters=["theta"], start=["theta**2", "3*theta"])


def step_dependent():
    """Derivatives in the step: d/ds (1 - s/10)^k = -k/10 (1 - s/10)^(k-1)."""
    return gradient_descent("x**2/20", ["x"], "s", parameters=["s"], start=[1])


def two_slopes(start="-4"):
    objective = "Piecewise((x**2/2, x >= 0), (x**2/4, True)) - theta*x"
    return heavy_ball(objective, ["x"], 1, "1/4", parameters=["theta"], start=[start])


def bound(quantity, text, upto, norm="max"):
    return RateBound(quantity, text, upto, norm)


# -- ranges -----------------------------------------------------------------------------------------------------------


def test_the_closed_form_of_a_diagonal_quadratic_is_proved_exactly():
    for quantity in ("iterates", "derivatives"):
        verdict = proved(bound(quantity, "7*(19/20)**k", 400), diagonal(), AT)
        assert "400" == verdict.value["proved_upto"]


def test_the_first_violation_is_the_witness():
    verdict = refuted(
        bound("derivatives", "Piecewise((8, k < 130), (7 - 1/10**30, True))*(19/20)**k", 400), diagonal(), AT
    )
    assert ("130", "129") == (verdict.value["first_violation"], verdict.value["proved_upto"])
    verdict = refuted(bound("derivatives", "7*(19/20)**k", 400, "spectral"), diagonal(), AT)
    assert "0" == verdict.value["first_violation"]


def test_a_margin_of_1e_30_is_enough():
    proved(bound("derivatives", "7*(1 + 1/10**30)*(19/20)**k", 400), diagonal(), AT)


def test_derivatives_in_the_step_have_errors_like_k_times_a_power():
    proved(bound("derivatives", "k/10*(19/20)**(k - 1)", 300), step_dependent(), {"s": "1/2"})
    refuted(bound("derivatives", "(k - 1/10**20)/10*(19/20)**(k - 1) + Piecewise((1, k < 9), (0, True))", 300),
            step_dependent(), {"s": "1/2"})  # fmt: skip


def test_irrational_constants_are_compared_in_balls():
    momentum = parse("(1 - sqrt(1/10))/(1 + sqrt(1/10))")
    method = nesterov("x**2/2 + y**2/20 - x - theta*y", ["x", "y"], 1, momentum, parameters=["theta"], start=[0, 0])
    proved(bound("iterates", "12*(k + 1)*(1 - sqrt(1/10))**k", 60), method, AT)
    refuted(bound("iterates", "11*(1 - sqrt(1/10))**k", 60), method, AT)


def test_newtons_method_is_compared_with_a_bound():
    newton = Iteration(SymbolicMap([x], [(x + theta / x) / 2], [theta]), start=[3])
    proved(bound("iterates", "(1/4)**k", 6), newton, {"theta": 4})
    refuted(bound("iterates", "(1/20)**k", 6), newton, {"theta": 4})


def test_pieces_change_on_the_way():
    proved(bound("iterates", "16*(3/5)**k", 60), two_slopes(), AT)
    refuted(bound("iterates", "4*(3/5)**k", 60), two_slopes(), AT)


# -- for every k -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "quantity, text, norm",
    [
        ("iterates", "7*(19/20)**k", "max"),
        ("derivatives", "7*(19/20)**k", "max"),
        ("iterates", "7*(19/20)**k", "frobenius"),
        ("derivatives", "15/2*(19/20)**k", "frobenius"),
        ("derivatives", "15/2*(19/20)**k", "spectral"),
        ("derivatives", "7*(19/20)**k + k*(1/2)**k", "max"),
        ("derivatives", "8*(19/20)**k - (1/2)**k", "max"),
        ("iterates", "7*exp(-k/20)", "max"),
        ("iterates", "8", "max"),
    ],
)
def test_bounds_for_every_k(quantity, text, norm):
    verdict = proved(bound(quantity, text, "infinity", norm), diagonal(), AT)
    assert "infinity" == verdict.value["proved_upto"]
    assert {"from", "rate", "constant"} <= verdict.value.keys()


def test_derivatives_that_move_with_the_state_have_a_slope():
    verdict = proved(bound("derivatives", "k/10*(19/20)**(k - 1)", "infinity"), step_dependent(), {"s": "1/2"})
    assert "slope" in verdict.value
    proved(bound("derivatives", "4*(24/25)**k", "infinity", "frobenius"), step_dependent(), {"s": "1/2"})


def test_pieces_that_are_met_before_do_not_matter():
    verdict = proved(bound("derivatives", "10*(3/4)**k", "infinity"), two_slopes(), AT)
    assert 0 < int(verdict.value["from"])
    proved(bound("iterates", "50*(11/20)**k", "infinity", "frobenius"), two_slopes(), AT)


def test_violations_are_found_without_an_end():
    verdict = refuted(bound("iterates", "8*(9/10)**k", "infinity"), diagonal(), AT)
    assert "3" == verdict.value["first_violation"]
    refuted(bound("iterates", "10**20*(9/10)**k", "infinity"), diagonal(), AT)


def test_without_a_certificate_the_proved_range_is_told():
    verdict = undecided(bound("iterates", "7*(19/20)**k*(1 + 1/(k + 1))", "infinity"), diagonal(), AT, time_limit=0.5)
    assert int(verdict.value["proved_upto"]) >= 500
    assert "for all k" in verdict.reason


def test_a_tie_leaves_the_claim_open_and_is_named():
    kink = Iteration(
        SymbolicMap([x], [sp.Piecewise((x / 2, x <= 1), (x - sp.Rational(1, 2), True))], [theta]), start=[2]
    )
    verdict = undecided(bound("derivatives", "1", 30), kink, {"theta": 0})
    assert "step 2: the guard `x - 1` ties, and the pieces there have different derivatives" == verdict.reason
    assert "2" == verdict.value["proved_upto"]


def test_a_largest_of_equal_irrational_numbers_is_checked():
    """At k = 0 both are e, which no number of digits shows."""
    halving = Iteration(SymbolicMap([x], [x / 2]), start=[1])
    proved(bound("iterates", "Max(exp(1)*(19/20)**k, exp(1)*(9/10)**k)", 5), halving)
    verdict = undecided(bound("iterates", "Max(sqrt(2)*(9/10)**k, 2*(9/10)**k)", "infinity"), halving, time_limit=0.5)
    assert "must be a sum of terms" in verdict.reason


@pytest.mark.parametrize("upto", [2, "infinity"])
def test_a_map_that_jumps_is_judged_by_its_own_value(upto):
    """The iterates are 2, 1, 1/4, 1/16, ...; the other branch would give 1/2 after 1."""
    jump = Iteration(SymbolicMap([x], [sp.Piecewise((x / 2, x > 1), (x / 4, True))], [theta]), start=[2])
    proved(bound("iterates", "Piecewise((2 - k, k <= 1), (4*(1/4)**k, True))", 20), jump, {"theta": 0})
    verdict = refuted(bound("iterates", "Piecewise((2 - k, k <= 1), (3*(1/4)**k, True))", upto), jump, {"theta": 0})
    assert "2" == verdict.value["first_violation"]


# -- certificates ------------------------------------------------------------------------------------------------------

CERTIFIED = {
    "a range": (bound("derivatives", "k/10*(19/20)**(k - 1)", 6), step_dependent, {"s": "1/2"}),
    "a violation": (bound("iterates", "6*(19/20)**k + 1/(k + 1)", 9), diagonal, AT),
    "a tail": (bound("iterates", "15/2*(19/20)**k", "infinity", "frobenius"), diagonal, AT),
    "a tail by rows": (bound("derivatives", "7*(19/20)**k", "infinity"), diagonal, AT),
    "a tail with a slope": (bound("derivatives", "k/10*(19/20)**(k - 1)", "infinity"), step_dependent, {"s": "1/2"}),
    "a tail behind a kink": (bound("derivatives", "10*(3/4)**k", "infinity"), two_slopes, AT),
}


@pytest.mark.parametrize("name", CERTIFIED)
def test_a_changed_number_is_refused_or_the_changed_claim_is_true(name):
    claim, make, at = CERTIFIED[name]
    content = assert_certified(prove(claim, make(), at))
    harmless = ("bits", "level", "growth", "iteration", "weight", "couplings", "from", "P", "rate", "upto", "violation")
    refused = 0
    for path, changed in changed_numbers(content):
        if not holds(changed):
            refused += 1
        elif path[0] == "witness" or path[-1] == "direction" or "direction" in path or path[-1] in harmless:
            continue
        else:
            assert _is_true(changed, content, path), path
    assert refused > 5


def _is_true(changed, content, path):
    """Decide the changed claim anew; the map, the point and the start are read from the certificate."""
    names = {name: sp.Symbol(name, real=True) for name in (*changed["map"]["state"], *changed["map"]["parameters"])}
    state = [names[name] for name in changed["map"]["state"]]
    following = [parse(text, names) for text in changed["map"]["next"]]
    start = [parse(changed["start"][name], names) for name in changed["map"]["state"]]
    parameters = [names[name] for name in changed["map"]["parameters"]]
    claim = RateBound(*(changed["claim"][key] for key in ("quantity", "bound", "upto", "norm")))
    verdict = prove(claim, Iteration(SymbolicMap(state, following, parameters), start=start), changed["at"])
    return verdict.name == changed["claim"]["verdict"]


def test_a_certificate_of_another_claim_is_refused():
    content = content_of(prove(bound("iterates", "7*(19/20)**k", 30), diagonal(), AT))
    for key, value in (("bound", "69/10*(19/20)**k"), ("norm", "other"), ("quantity", "derivatives"), ("upto", "-1")):
        assert not holds({**content, "claim": {**content["claim"], key: value}})


# -- bad input ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("values", "1", 3), 'quantity of `rate_bound`: `values` is not known; write "iterates" or "derivatives"'),
        (
            ("iterates", "1", -3),
            'upto of `rate_bound`: `-3` is not a last k; write an integer from 0 on, or "infinity"',
        ),
        (
            ("iterates", "1", "7/2"),
            'upto of `rate_bound`: `7/2` is not a last k; write an integer from 0 on, or "infinity"',
        ),
        (
            ("iterates", "1", 2.5),
            'upto of `rate_bound`: `2.5` is not a last k; write an integer from 0 on, or "infinity"',
        ),
        (("iterates", "1", 3, "l2"), 'norm of `rate_bound`: `l2` is not known; write "max", "frobenius" or "spectral"'),
        (
            ("iterates", "C*(1/2)**k", 3),
            "bound of `rate_bound`, line 1, column 1: `C`: an undeclared name; declared are `k`",
        ),
    ],
)
def test_claims_that_make_no_sense_are_refused_in_one_line(arguments, message):
    with pytest.raises(InputError) as caught:
        RateBound(*arguments)
    assert message == str(caught.value)


def test_what_the_claim_is_about_must_have_a_start_a_limit_and_parameters():
    def message(claim, about, at=None):
        with pytest.raises(InputError) as caught:
            prove(claim, about, at)
        assert "\n" not in str(caught.value)
        return str(caught.value)

    iterates, derivatives = bound("iterates", "1", 3), bound("derivatives", "1", 3)
    assert "the iteration has no start" in message(iterates, Iteration(SymbolicMap([x], [x / 2])))
    assert "their limit is not known" in message(iterates, Iteration(SymbolicMap([x], [x + 1]), start=[0]))
    assert "has no meaning for a switched system" in message(iterates, SwitchedSystem.from_rows([[["1/2"]]]))
    assert "the map has no parameters" in message(derivatives, Iteration(SymbolicMap([x], [x / 2]), start=[1]))
    kink = Iteration(SymbolicMap([x], [-x / 2 + sp.Max(theta, 0)], [theta]), start=[theta])
    assert "different limits" in message(derivatives, kink, {"theta": 0})
    assert "it is negative at k = 4" in message(bound("iterates", "3 - k", 9), diagonal(), AT)
    assert "it has no real value at k = 0" in message(bound("iterates", "sqrt(k - 3)", 9), diagonal(), AT)


CASE = """
title = "Gradient descent on a quadratic"

[algorithm]
name = "gradient_descent"
objective = "x**2/2 + y**2/20 - theta*x - theta*y"
variables = ["x", "y"]
step = "1/2"

[parameters]
theta = "1"

[start]
x = "theta**2"
y = "3*theta"

[[claim]]
kind = "rate_bound"
quantity = "derivatives"
bound = "7*(19/20)**k"
upto = 100
norm = "max"
"""


def test_a_case_states_the_claim(tmp_path):
    path = tmp_path / "case.toml"
    path.write_text(CASE)
    case = load_case(path)
    assert (RateBound("derivatives", "7*(19/20)**k", 100),) == tuple(case.claims)
    path.write_text(CASE.replace("upto = 100", 'upto = "infinity"'))
    (claim,) = load_case(path).claims
    assert isinstance(prove(claim, load_case(path).iteration, case.at), Proved)


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("upto = 100", "upto = -1", "upto of `rate_bound`: `-1` is not a last k"),
        ('norm = "max"', 'norm = "euclid"', "norm of `rate_bound`: `euclid` is not known"),
        ("7*(19/20)**k", "7*(19/20)**j", "`j`: an undeclared name; declared are `k`"),
        ("7*(19/20)**k", "5 - k", "it is negative at k = 6"),
    ],
)
def test_cases_with_bad_claims_end_with_one_line_and_code_3(tmp_path, capsys, monkeypatch, old, new, said):
    path = tmp_path / "case.toml"
    path.write_text(CASE.replace(old, new))
    monkeypatch.setattr("sys.argv", ["piggycheck", "prove", str(path)])
    with pytest.raises((SystemExit, CaseError)) as caught:
        main()
    assert 3 == caught.value.code
    lines = capsys.readouterr().err.strip().splitlines()
    assert 1 == len(lines) and said in lines[0]


def test_the_report_tells_what_was_compared():
    text = proved(bound("derivatives", "15/2*(19/20)**k", "infinity", "frobenius"), diagonal(), AT).report()
    for said in ("The errors and the bound", "For every k", "A norm that contracts", "The iterates are trapped"):
        assert said in text
    text = refuted(bound("derivatives", "6*(19/20)**k", 5), diagonal(), AT).report()
    assert "At k = 0, e_k ≥ 7.000000, and the bound is at" in text


@pytest.mark.parametrize(
    ("following", "start"), [([x, y / 2], [1, 1]), ([(x + y) / 2, (x + y) / 2], [1, 0])], ids=["line", "mean"]
)
def test_where_fixed_points_form_a_line_nothing_is_said_of_the_distance_to_one_of_them(following, start):
    iteration = Iteration(SymbolicMap([x, y], following), start)
    assert "other fixed points" in undecided(bound("iterates", "2*(1/2)**k", 50), iteration, {}).reason


def test_errors_that_vanish_have_no_tail_that_is_certified():
    iteration = Iteration(SymbolicMap([x, y], [y - sp.Rational(1, 2), 0 * x]), [3, 4])
    verdict = prove(bound("iterates", "5*(13/20)**k", "infinity"), iteration, {})
    assert verdict.name in ("undecided", "refuted")


def test_a_bound_towards_an_irrational_point_says_how_far_it_holds_or_where_it_fails():
    """x_k = sqrt(2) + (1 - sqrt(2))/2^k comes to sqrt(2); 0.41 is below sqrt(2) - 1, and 0.42 above."""
    halving = Iteration(SymbolicMap([x], [(x + sp.sqrt(2)) / 2]), start=[1])
    holds = prove(RateBound("iterates", "0.42*(1/2)**k", 30), halving)
    assert ("undecided", {"proved_upto": "30"}) == (holds.name, holds.value)
    assert holds.found.endswith("certificates hold rational numbers; the bound holds for k = 0, …, 30")
    fails = prove(RateBound("iterates", "Piecewise((0.42, k < 3), (0.41, True))*(1/2)**k", 30), halving)
    assert fails.found.endswith("rational numbers; the bound fails at k = 3; the bound holds for k = 0, …, 2")

"""The claim that iterates or derivatives converge at an exact asymptotic rate."""

from __future__ import annotations

import copy
import json
import random
from functools import cache

import numpy as np
import pytest
import sympy as sp
from certificate_helper import assert_changes_matter, content_of, holds, proved, refuted, undecided
from flint import fmpq

import piggycheck as pc
from piggycheck.algorithms import forward_backward, gradient_descent, heavy_ball
from piggycheck.case.reader import read_case
from piggycheck.claims import AsymptoticRate, Proved, Refuted, prove
from piggycheck.errors import CaseError, InputError, UnknownError
from piggycheck.expression import parse
from piggycheck.functions import l1
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, theta = sp.symbols("x y theta", real=True)
ONE = {"theta": 1}
QUADRATIC = "x**2/2 + y**2/20 - theta*x - theta*y"


def descent(start, objective=QUADRATIC, step="1/2"):
    return gradient_descent(objective, ["x", "y"], step, parameters=["theta"], start=start)


def ball(start, slope="1", momentum="3/4"):
    objective = f"Piecewise((x**2/2, x >= 0), ({slope}*x**2/2, True)) - theta*x"
    return heavy_ball(objective, ["x"], 1, momentum, parameters=["theta"], start=start)


def scalar(following, start=None):
    return Iteration(SymbolicMap([x], [following], [theta]), start)


# -- closed forms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_gradient_descent_on_a_quadratic(quantity):
    """With the matrix diag(1, 1/10) and the step 1/2 the slow eigenvalue is 1 - 1/20."""
    verdict = proved(AsymptoticRate(quantity, "19/20"), descent([0, 0]), ONE)
    assert ("19/20", ["-19", "20"]) == (verdict.value["rate"], verdict.value["minimal_polynomial"])
    assert int(verdict.value["observed_digits"]) > 100
    assert verdict.value["observed"].startswith("0.950000000000000000000000000")


def test_an_eigenvalue_that_the_start_does_not_excite_does_not_count():
    """The second coordinate begins at its limit 10."""
    verdict = refuted(AsymptoticRate("iterates", "19/20"), descent([0, 10]), ONE)
    assert "the errors of the iterates decay at the rate 1/2" == verdict.found
    assert "1/2" == proved(AsymptoticRate("iterates"), descent([0, 10]), ONE).value["rate"]


def test_a_start_that_depends_on_the_parameter_excites_by_its_derivative():
    """``x_0 = (0, 10 theta)`` has the derivative (0, 10), which is the limit in the second coordinate."""
    assert "1/2" == proved(AsymptoticRate("derivatives"), descent([0, 10 * theta]), ONE).value["rate"]
    assert "19/20" == proved(AsymptoticRate("derivatives"), descent([0, 10]), ONE).value["rate"]


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_the_heavy_ball_has_the_square_root_of_its_momentum(quantity):
    verdict = proved(AsymptoticRate(quantity, "sqrt(3)/2"), ball([-2]), ONE)
    assert ("sqrt(3)/2", ["-3", "0", "4"]) == (verdict.value["rate"], verdict.value["minimal_polynomial"])
    assert str(sp.sqrt(3).n(40) / 2)[:30] == verdict.value["observed"][:30]


@pytest.mark.parametrize("written", ["sqrt(3)/2", "sqrt(3/4)", "sqrt(75)/10", "3/(2*sqrt(3))", "(sqrt(12) + 0)/4"])
def test_a_value_may_be_written_in_several_ways(written):
    assert "sqrt(3)/2" == proved(AsymptoticRate("iterates", written), ball([-2]), ONE).value["rate"]


@pytest.mark.parametrize("value", ["866/1000", "sqrt(3)/2 + 1/10**40", "1/2", "0", "sqrt(2)/2", "exp(-1)"])
def test_false_values_are_refuted(value):
    refuted(AsymptoticRate("iterates", value), ball([-2]), ONE)


def test_momentum_with_real_eigenvalues():
    """``l^2 - l (1 + 1/9 - 1/9) + 1/9`` has the roots (3 ± sqrt(5))/6."""
    iteration = ball([5], momentum="1/9")
    objective = heavy_ball("x**2/2 - theta*x", ["x"], "1/9", "1/9", parameters=["theta"], start=[5])
    verdict = proved(AsymptoticRate("iterates", "(3 + sqrt(5))/6"), objective, ONE)
    assert ["1", "-9", "9"] == verdict.value["minimal_polynomial"]
    proved(AsymptoticRate("iterates", "1/3"), iteration, ONE)


def test_optimal_heavy_ball_has_repeated_eigenvalues():
    """Curvatures 1 and 9: step 1/4 and momentum 1/4 give (sqrt(9) - 1)/(sqrt(9) + 1) = 1/2 twice in each coordinate."""
    iteration = heavy_ball("x**2/2 + 9*y**2/2 - theta*x", ["x", "y"], "1/4", "1/4", parameters=["theta"], start=[3, 1])
    verdict = proved(AsymptoticRate("iterates", "1/2"), iteration, ONE)
    assert "1" == verdict.value["power"]


def test_derivatives_with_respect_to_a_step_have_a_repeated_eigenvalue():
    iteration = gradient_descent("x**2/2 - x", ["x"], theta, parameters=["theta"], start=[3])
    assert "0" == proved(AsymptoticRate("iterates", "2/3"), iteration, {"theta": "1/3"}).value["power"]
    assert "1" == proved(AsymptoticRate("derivatives", "2/3"), iteration, {"theta": "1/3"}).value["power"]


def test_a_rate_without_a_form_in_square_roots():
    """A cubic with one real root and a larger pair: the squared modulus has degree 3, and the modulus degree 6."""
    state = sp.symbols("a b c", real=True)
    a, b, c = state
    iteration = Iteration(SymbolicMap(state, [b, c, -a / 2 - b / 3 + sp.Integer(1)]), [1, 0, 0])
    verdict = proved(AsymptoticRate("iterates"), iteration)
    assert 7 == len(verdict.value["minimal_polynomial"])
    roots = [abs(complex(root)) for root in sp.Poly(x**3 + x / 3 + sp.Rational(1, 2), x).nroots()]
    assert abs(max(roots) - float(verdict.value["decimals"])) < 1e-12
    assert verdict.value["observed"][:12] == verdict.value["decimals"][:12]


def test_roots_of_roots():
    """``l^4 = 1/2`` has four roots of the same modulus."""
    state = sp.symbols("a b c d", real=True)
    iteration = Iteration(SymbolicMap(state, [*state[1:], state[0] / 2]), [1, 0, 0, 0])
    proved(AsymptoticRate("iterates", "sqrt(sqrt(1/2))"), iteration)
    refuted(AsymptoticRate("iterates", "sqrt(sqrt(1/3))"), iteration)


def test_eigenvalues_of_the_same_modulus():
    """1/2 and -1/2."""
    verdict = proved(AsymptoticRate("iterates", "1/2"), Iteration(SymbolicMap([x, y], [x / 2, -y / 2]), [1, 1]))
    assert int(verdict.value["observed_digits"]) > 100


@pytest.mark.parametrize("size, seed, degree", [(6, 0, 6), (6, 3, 30), (9, 2, 9), (9, 1, 72)])
def test_dense_matrices_whose_eigenvalues_have_no_closed_form(size, seed, degree):
    """The modulus has the degree of the matrix when a real eigenvalue leads, n (n - 1) when a conjugate pair does."""
    entries = random.Random(seed)
    state = sp.symbols(f"x0:{size}", real=True)
    A = [[sp.Rational(entries.randint(-3, 3), 2 * size) for _ in state] for _ in state]
    following = [sum((a * v for a, v in zip(row, state, strict=True)), sp.Integer(0)) for row in A]
    verdict = proved(AsymptoticRate("iterates"), Iteration(SymbolicMap(state, following), [1] + [0] * (size - 1)))
    radius = max(abs(np.linalg.eigvals(np.array(A, dtype=float))))
    assert abs(float(verdict.value["decimals"]) - radius) < 1e-12
    assert degree + 1 == len(verdict.value["minimal_polynomial"])
    assert verdict.value["observed"][:8] == verdict.value["decimals"][:8]


# -- errors that vanish or grow -------------------------------------------------------------------------------------


def test_errors_that_vanish_have_the_rate_0():
    one_step = gradient_descent("x**2/2 - theta*x", ["x"], 1, parameters=["theta"], start=[7])
    verdict = proved(AsymptoticRate("iterates", 0), one_step, ONE)
    assert "the errors of the iterates are zero from k = 1 on, so their rate is 0" == verdict.found
    refuted(AsymptoticRate("derivatives", "1/2"), one_step, ONE)


def test_a_start_at_the_fixed_point():
    assert "0" == proved(AsymptoticRate("iterates"), ball([1]), ONE).value["rate"]
    proved(AsymptoticRate("derivatives", "sqrt(3)/2"), ball([1]), ONE)


def test_iterates_may_leave_at_a_rate_above_1():
    verdict = proved(AsymptoticRate("iterates", "3/2"), descent([0, 0], step="5/2"), ONE)
    assert "grow at the rate 3/2" in verdict.found


# -- pieces ---------------------------------------------------------------------------------------------------------


def test_the_iterates_are_trapped_first():
    """The start lies beyond the kink; the derivatives there are others."""
    verdict = proved(AsymptoticRate("derivatives", "sqrt(3)/2"), ball([-3], slope="1/4"), ONE)
    witness = content_of(verdict)["witness"]
    assert "word_tree" == witness["method"]
    assert int(witness["iteration"]) >= int(witness["trap"]["iteration"]) > 0
    assert ("7", "1.500000", "2") == tuple(
        verdict.value[key] for key in ("identified", "largest_before", "largest_before_at")
    )


def test_soft_thresholding_away_from_the_kink():
    lasso = forward_backward(
        "(x - 2)**2/2 + (y - 1/4)**2/4", l1(theta), ["x", "y"], "1/2", parameters=["theta"], start=[0, 3]
    )
    proved(AsymptoticRate("iterates", "1/2"), lasso, ONE)
    proved(AsymptoticRate("derivatives", "1/2"), lasso, ONE)


def test_different_pieces_at_the_fixed_point_leave_it_open():
    verdict = undecided(AsymptoticRate("iterates"), ball([0], slope="1/4"), {"theta": 0})
    assert "2 pieces with different Jacobians meet at the fixed point" in verdict.reason


def test_pieces_that_differ_in_B_alone_matter_for_derivatives_only():
    iteration = scalar(x / 2 + sp.Max(theta, 0), [sp.Integer(1)])
    proved(AsymptoticRate("iterates", "1/2"), iteration, {"theta": 0})
    undecided(AsymptoticRate("derivatives"), iteration, {"theta": 0})


def test_curved_pieces_leave_it_open_with_a_bound():
    curved = Iteration(SymbolicMap([x, y], [x / 2 + x**2 / 4, y / 3], [theta]), [0, 1])
    verdict = undecided(AsymptoticRate("iterates"), curved, ONE)
    assert "the rate is at most the spectral radius of A, 1/2" in verdict.reason


def test_curved_pieces_before_the_trap():
    bowl = sp.Piecewise((x / 2, x <= 1), (x**2 / 2, True))
    proved(AsymptoticRate("iterates", "1/2"), scalar(bowl, [sp.Rational(3, 2)]), ONE)


def test_kinks_on_the_way_leave_derivatives_open():
    """The start is a point where the derivative of the map jumps."""
    kinked = scalar(sp.Max(x, 0) / 2 + sp.Min(x, 0) / 3 + theta, [sp.Integer(0)])
    verdict = undecided(AsymptoticRate("derivatives"), kinked, ONE)
    assert "at iterate 0 pieces with different Jacobian pairs meet, where `x` is 0" in verdict.reason
    proved(AsymptoticRate("iterates", "1/2"), kinked, ONE)


def test_a_derivative_that_is_curved_in_the_state_lags():
    """At theta = 0, x_k - 2 = -2 / 2^k, and J <- J/2 + x_k^2: errors of the order k / 2^k."""
    curved = Iteration(SymbolicMap([x, y], [theta * x**2 + x / 2 + 1, y / 3], [theta]), [0, 1])
    proved(AsymptoticRate("derivatives", "1/2"), curved, {"theta": 0})
    refuted(AsymptoticRate("derivatives", "1/3"), curved, {"theta": 0})


def test_an_eigenvalue_1_leaves_it_open():
    iteration = Iteration(SymbolicMap([x, y], [x, y / 2]), [1, 1])
    verdict = undecided(AsymptoticRate("iterates"), iteration)
    assert "1 is an eigenvalue of A" in verdict.reason


# -- without a start ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_almost_every_start_nearby(quantity):
    verdict = proved(AsymptoticRate(quantity, "19/20"), descent(None), ONE)
    assert verdict.statement.startswith("from almost every start near the fixed point")
    assert "observed" not in verdict.value
    refuted(AsymptoticRate(quantity, "1/2"), descent(None), ONE)


def test_starts_nearby_that_do_not_stay():
    verdict = undecided(AsymptoticRate("iterates"), descent(None, step="5/2"), ONE)
    assert "iterates that begin nearby need not stay there" in verdict.reason


# -- matrices alone -------------------------------------------------------------------------------------------------

PAIR = ([[["1/2", "1/3"], ["0", "1/5"]]], [[["1"], ["2"]]])


def test_one_pair_with_and_without_a_start():
    proved(AsymptoticRate("derivatives", "1/2"), SwitchedSystem.from_rows(*PAIR, J0=[["1"], ["0"]]))
    proved(AsymptoticRate("derivatives", "1/2"), SwitchedSystem.from_rows(*PAIR))
    A = [[["1/2", "0"], ["0", "1/5"]]]
    proved(AsymptoticRate("derivatives", "1/5"), SwitchedSystem.from_rows(A, [[["1"], ["0"]]], J0=[["2"], ["3"]]))
    refuted(AsymptoticRate("derivatives", "1/2"), SwitchedSystem.from_rows(A, [[["1"], ["0"]]], J0=[["2"], ["3"]]))


def test_several_pairs_leave_it_open():
    verdict = undecided(AsymptoticRate("derivatives"), SwitchedSystem.from_rows([[["1/2"]], [["1/3"]]]))
    assert "2 pairs are given" in verdict.reason


# -- bad input ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, message",
    [
        (
            {"quantity": "errors"},
            'quantity of `asymptotic_rate`: `errors` is not known; write "iterates" or "derivatives"',
        ),
        ({"value": "-1/2"}, "value of `asymptotic_rate`: `-1/2` is negative; write a number that is not"),
        ({"value": "1 - sqrt(2)"}, "value of `asymptotic_rate`: `1 - sqrt\\(2\\)` is negative"),
        ({"value": 0.5}, 'value of `asymptotic_rate`: the float 0.5 is not exact; write "0.5"'),
        ({"value": "rho"}, "value of `asymptotic_rate`, line 1, column 1: `rho`"),
    ],
)
def test_fields_that_cannot_be_read(fields, message):
    with pytest.raises(InputError, match=message):
        AsymptoticRate(**fields)


def test_what_has_no_such_errors():
    with pytest.raises(InputError, match="the map has no parameters to differentiate in"):
        prove(AsymptoticRate("derivatives"), Iteration(SymbolicMap([x], [x / 2]), [1]))
    with pytest.raises(InputError, match="a switched system has derivatives alone"):
        prove(AsymptoticRate("iterates"), SwitchedSystem.from_rows(*PAIR))
    with pytest.raises(InputError, match="quantity: `rate` is not known"):
        pc.asymptotic_rate(descent([0, 0]), ONE, "rate")


CASE = """
title = "Two curvatures"

[algorithm]
name = "gradient_descent"
objective = "x**2/2 + y**2/20"
variables = ["x", "y"]
step = "1/2"

[start]
x = "1"
y = "1"

[[claim]]
kind = "asymptotic_rate"
quantity = "iterates"
value = "19/20"
"""


def test_a_case_may_claim_it():
    case = read_case(CASE)
    (claim,) = case.claims
    assert AsymptoticRate("iterates", "19/20") == claim
    with pytest.raises(CaseError, match='write "iterates" or "derivatives"'):
        read_case(CASE.replace('"iterates"', '"both"'))


# -- the function, and reports --------------------------------------------------------------------------------------


def test_the_function_returns_the_number_and_what_a_run_shows():
    found = pc.asymptotic_rate(ball([-2]), ONE, "derivatives")
    assert (sp.sqrt(3) / 2, "affine") == (found.rate.closed_form, found.method)
    assert found.transient.digits > 100
    with pytest.raises(UnknownError, match="different Jacobians"):
        pc.asymptotic_rate(ball([0], slope="1/4"), {"theta": 0})


def test_reports_say_what_is_excited_and_what_a_run_shows():
    report = prove(AsymptoticRate("derivatives"), ball([-3], slope="1/4"), ONE).report()
    for said in (
        "ρ = sqrt(3)/2 ≈ 0.8660254038",
        "λ² − 3/4 λ + 3/4",
        "The piece is identified at k = 7",
        "error of the derivatives is 1.500000, at k = 2",
        "the proof does not rest on it",
    ):
        assert said in " ".join(report.split()), said


# -- certificates ---------------------------------------------------------------------------------------------------

CASES = {
    "descent": (AsymptoticRate("iterates", "19/20"), descent([0, 0]), ONE),
    "not excited": (AsymptoticRate("iterates", "19/20"), descent([0, 10]), ONE),
    "complex pair": (AsymptoticRate("derivatives", "sqrt(3)/2"), ball([-2]), ONE),
    "trapped": (AsymptoticRate("derivatives"), ball([-3], slope="1/4"), ONE),
    "refuted": (AsymptoticRate("iterates", "866/1000"), ball([-2]), ONE),
    "at rest": (AsymptoticRate("derivatives", "sqrt(3)/2"), ball([1]), ONE),
    "nearby": (AsymptoticRate("derivatives", "19/20"), descent(None), ONE),
    "step": (
        AsymptoticRate("derivatives", "2/3"),
        gradient_descent("x**2/2 - x", ["x"], theta, parameters=["theta"], start=[3]),
        {"theta": "1/3"},
    ),
    "zero": (AsymptoticRate("iterates", 0), gradient_descent("x**2/2", ["x"], 1, start=[7]), {}),
    "pair": (AsymptoticRate("derivatives", "1/2"), SwitchedSystem.from_rows(*PAIR, J0=[["1"], ["0"]]), None),
}


@cache
def certified(name):
    verdict = (refuted if name in ("not excited", "refuted") else proved)(*CASES[name])
    return content_of(verdict)


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(name):
    assert_changes_matter(certified(name), still_true, least=11)


def still_true(content):
    """Ask the package about what a changed certificate says."""
    claim = content["claim"]
    if "switched" in content:
        about, at = (
            SwitchedSystem.from_rows(content["switched"]["A"], content["switched"]["B"], content.get("J0")),
            None,
        )
    else:
        about, at = iteration_of(content), content["at"]
    verdict = prove(AsymptoticRate(claim["quantity"], claim.get("value")), about, at)
    number = content["witness"]["number"]
    low, high = (fmpq(*map(int, [*number[end].split("/"), 1][:2])) for end in ("lower", "upper"))
    value = verdict.value
    lower, upper = (fmpq(*map(int, [*value[end].split("/"), 1][:2])) for end in ("lower", "upper"))
    same = low <= upper and lower <= high
    return isinstance(verdict, Proved if claim["verdict"] == "proved" else Refuted) and same


def iteration_of(content):
    data = content["map"]
    state, parameters = ([sp.Symbol(name, real=True) for name in data[key]] for key in ("state", "parameters"))
    following = [parse(text, [*state, *parameters]) for text in data["next"]]
    start = content.get("start")
    begins = None if start is None else [parse(start[str(v)], parameters) for v in state]
    return Iteration(SymbolicMap(state, following, parameters), begins)


def tampered(content, **witness):
    changed = copy.deepcopy(content)
    changed["witness"].update(witness)
    return changed


def test_witnesses_of_another_rate_are_refused():
    content = certified("descent")
    assert holds(json.loads(json.dumps(content)))
    half = {"polynomial": ["-1", "2"], "lower": "1/2", "upper": "1/2"}
    assert not holds(tampered(content, number=half))
    assert not holds(tampered(content, number=half, dominant=[["-1", "2"]]))
    assert not holds(tampered(content, number=half, dominant=[["-1", "2"]], annihilator=["-1/2", "1"]))
    assert not holds(tampered(content, annihilator=["-19/20", "1"]))


def test_an_annihilator_that_is_not_minimal_is_refused():
    """The polynomial of the whole matrix annihilates every error, and not all of its roots are excited."""
    content = certified("not excited")
    larger = {"polynomial": ["-19", "20"], "lower": "19/20", "upper": "19/20"}
    wrong = tampered(content, annihilator=["19/40", "-29/20", "1"], dominant=[["-19", "20"]], number=larger)
    assert not holds(wrong)
    wrong["claim"]["verdict"] = "proved"
    assert not holds(wrong)


def test_one_pair_without_a_limit_has_no_rate():
    undecided(AsymptoticRate("derivatives"), SwitchedSystem.from_rows([[[1]]], [[[1]]]))


def test_a_certificate_about_one_of_many_fixed_points_is_refused():
    """The iterates of (x, y/2) from (1, 1) tend to (1, 0), at the rate 1/2; from (0, 0) they stay 1 away."""
    descent = Iteration(SymbolicMap([x, y], [x / 3, y / 2]), [1, 1])
    content = content_of(proved(AsymptoticRate("iterates"), descent, {}))
    content["map"]["next"][0] = "x"
    content["pieces"][0]["A"][0][0] = "1"
    assert not holds(content)


@pytest.mark.parametrize("last, side", [("1", "larger"), ("2", "smaller")])
def test_a_rate_that_looks_like_the_claimed_one_is_said_to_be_on_one_side_of_it(last, side):
    """sqrt(3)/2 is 0.86602540378443864676372317075293618347 1402..."""
    spiral = SymbolicMap([x, y], [sp.Rational(3, 4) * (x - y), x], [])
    claim = AsymptoticRate("iterates", f"0.86602540378443864676372317075293618347{last}")
    found = prove(claim, Iteration(spiral, start=[1, 0])).found
    assert f"the errors of the iterates decay at the rate sqrt(3)/2, which is {side} than claimed" == found

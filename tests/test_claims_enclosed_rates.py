"""Claims about rates of maps made of layers: errors against mpmath, first violations, what is left open and why."""

from __future__ import annotations

import random
from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from certificate_helper import assert_certified, assert_changes_matter, content_of, holds, proved, refuted, undecided
from enclosure_helper import lasso, lasso_solution, random_lasso
from flint import fmpq
from mpmath import mp, mpf
from structured_cases import structured

from piggycheck.algorithms import forward_backward, gradient_descent
from piggycheck.claims import RateBound, prove
from piggycheck.errors import InputError
from piggycheck.functions import l1, least_squares, quadratic, squared_norm

# Of the diagonal Lasso: x_1 <- x_1/2 + 2 - lam/2 and x_2 = 0, from 0; at lam = 3 the errors are 2^-k, and those of the
# derivatives in lam 2^-(k + 1).
HALVES = "(1 + 1/10**30)*(1/2)**k"

# The spectral radius of the group Lasso is 0.9538.
FORM = RateBound("iterates", "10000*(954/1000)**k", "infinity")


@cache
def random_problem(seed, n=8, m=6):
    """A Lasso of random integers, with its data."""
    A, b, step = random_lasso(n, m, seed)
    return A, b, step, lasso(A, b, step)


@cache
def errors_by_mpmath(seed, penalty, count=40, digits=60):
    """The errors of iterates and of their derivatives in the penalty; the limit solves the optimality conditions."""
    A, b, step, _ = random_problem(seed)
    with mp.workdps(digits):
        threshold = mpf(int(step.p)) / int(step.q) * int(penalty.p) / int(penalty.q)
        M, rate, states = mp.matrix(A), mpf(int(step.p)) / int(step.q), []
        x, J = mp.zeros(M.cols, 1), mp.zeros(M.cols, 1)
        for _ in range(1000):
            states.append((x, J))
            v = x - rate * (M.T * (M * x - mp.matrix(b)))
            V = J - rate * (M.T * (M * J))
            signs = [int(mp.sign(e)) if abs(e) > threshold else 0 for e in v]
            x = mp.matrix([e - s * threshold if s else 0 for e, s in zip(v, signs, strict=True)])
            J = mp.matrix([e - s * rate if s else 0 for e, s in zip(V, signs, strict=True)])
        solution = lasso_solution(A, b, penalty, signs)
        there = [mp.matrix([mpf(int(e.p)) / int(e.q) for e in M.entries()]) for M in solution]
        assert norm(x - there[0], "max") < 1e-3, "the signs are those of the limit"
        return [[here - limit for here, limit in zip(state, there, strict=True)] for state in states[:count]]


def norm(v, kind):
    return max(map(abs, v)) if kind == "max" else mp.sqrt(sum(e * e for e in v))


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
@pytest.mark.parametrize("kind", ["max", "frobenius", "spectral"])
def test_the_first_violation_is_that_of_mpmath(quantity, kind):
    for seed in (1, 2):
        errors = [norm(pair[quantity == "derivatives"], kind) for pair in errors_by_mpmath(seed, fmpq(7, 3))]
        ratios = [error / mpf("0.97") ** k for k, error in enumerate(errors)]
        middle = sorted(ratios)[2 * len(ratios) // 3]
        constant = mp.nstr(middle * mpf("1.000001"), 12)
        first = next(k for k, ratio in enumerate(ratios) if ratio > mpf(constant))
        claim = RateBound(quantity, f"{constant}*(97/100)**k", 39, kind)
        verdict = refuted(claim, random_problem(seed)[3], {"penalty": "7/3"})
        assert verdict.value["first_violation"] == str(first)
        largest = mp.nstr(max(ratios) * mpf("1.000001"), 12)
        proved(RateBound(quantity, f"{largest}*(97/100)**k", 39, kind), random_problem(seed)[3], {"penalty": "7/3"})


def test_a_bound_that_fails_late_by_very_little_is_refuted_there():
    """At k = 700 the bound is below the error, which is 2^-700, by a part of 10^30."""
    late = "Piecewise(((1 + 1/10**30), k < 700), (1 - 1/10**30, k < 701), (2, True))*(1/2)**k"
    assert refuted(RateBound("iterates", late, 800), *structured("diagonal lasso")).value["first_violation"] == "700"
    assert proved(RateBound("iterates", HALVES, 800), *structured("diagonal lasso")).value == {"proved_upto": "800"}
    halved = RateBound("derivatives", f"{HALVES}/2", 300, "spectral", directions={"lam": 1})
    assert proved(halved, *structured("diagonal lasso")).value == {"proved_upto": "300"}
    twice = RateBound("derivatives", f"{HALVES}", 300, directions=[{"lam": "2"}])
    assert "in the direction 2 lam" in proved(twice, *structured("diagonal lasso")).statement


def test_equal_errors_and_bounds_of_small_maps_are_compared_where_they_are_rational():
    assert proved(RateBound("iterates", "(1/2)**k", 40), *structured("diagonal lasso")).value == {"proved_upto": "40"}
    assert (
        proved(RateBound("derivatives", "(1/2)**(k+1)", 9), *structured("diagonal lasso")).value["proved_upto"] == "9"
    )


def test_equal_errors_and_bounds_in_single_directions_are_left_open():
    claim = RateBound("derivatives", "(1/2)**k/2", 10, directions={"lam": 1})
    assert "too close to tell" in undecided(claim, *structured("diagonal lasso")).reason


@pytest.mark.parametrize(
    ("bound", "verdict"),
    [("2*(501/1000)**k", "proved"), ("2*(1/2)**k + (2/3)**k", "proved"), ("2*(49/100)**k", "refuted")],
)
def test_bounds_for_every_k(bound, verdict):
    """The second coordinate would contract by 3/4, and does not move near the limit."""
    found = prove(RateBound("iterates", bound, "infinity"), *structured("diagonal lasso"))
    assert_certified(found)
    assert found.name == verdict
    if verdict == "proved":
        assert "layers" in content_of(found) and 0 <= Fraction(found.value["rate"]) - Fraction(1, 2) < 1e-2
    if verdict == "refuted":
        assert found.value["first_violation"] == "35"


def test_bounds_on_derivatives_for_every_k_where_the_piece_is_affine():
    """Their errors in lam are 2^-(k + 1); those of the group Lasso, which is curved, are not followed for ever."""
    found = proved(RateBound("derivatives", "3/5*(501/1000)**k", "infinity"), *structured("diagonal lasso"))
    assert found.value["proved_upto"] == "infinity" and "layers" in content_of(found)
    curved = undecided(RateBound("derivatives", "9", "infinity"), *structured("group lasso"), time_limit=1)
    assert "affine in state and parameters together" in curved.reason and "the bound holds for" in curved.found


def test_bounds_for_every_k_in_the_norm_of_a_form():
    """A Jacobian that is not symmetric contracts more slowly in the Euclidean norm than it does in the end."""
    content = content_of(proved(FORM, *structured("group lasso")))
    witness = content["witness"]
    assert Fraction(witness["rate"]) < Fraction(witness["contraction"]) and "form" in witness
    for changes in (
        {"rate": "9/10"},
        {"form": [[str(Fraction(e) / 100) for e in row] for row in witness["form"]]},
        {"from": "1"},
        {"from": "0"},
    ):
        assert not holds({**content, "witness": {**witness, **changes}}), changes


def test_fifty_variables_are_followed_for_a_thousand_steps():
    source = random.Random(5)
    n = 50
    A = [[source.randint(-9, 9) for _ in range(n)] for _ in range(25)]
    b = [source.randint(-99, 99) for _ in range(25)]
    problem = forward_backward(
        least_squares(A, b) + squared_norm(200), l1("penalty"), step="1/4000", parameters=["penalty"]
    )
    bound = RateBound("derivatives", "1/10*(951/1000)**k", 1000, directions={"penalty": 1})
    assert proved(bound, problem, {"penalty": 50}).value == {"proved_upto": "1000"}
    content = content_of(proved(RateBound("iterates", "20*(951/1000)**k", "infinity"), problem, {"penalty": 50}))
    assert "layers" in content and "map" not in content


def test_an_eigenvalue_that_the_start_does_not_excite_does_not_enter_the_errors():
    """x and y shrink by 1/2 and 19/20, and the start is (1, 0)."""
    problem = gradient_descent(quadratic([[1, 0], [0, "1/10"]], [0, 0]), step="1/2", start=[1, 0])
    proved(RateBound("iterates", HALVES, 200), problem)


# -- what is left open, and bad input ---------------------------------------------------------------------------------


def test_starts_that_depend_on_the_parameters_of_large_maps_are_left_open():
    n = 60
    unit = [[int(i == j) for j in range(n)] for i in range(n)]
    problem = gradient_descent(quadratic(unit, [1] * n), step="1/2", start="theta", parameters=["theta"])
    claim = RateBound("derivatives", "2*(1/2)**k", 10)
    assert "start depends on the parameters" in undecided(claim, problem, {"theta": 1}).reason
    proved(RateBound("iterates", f"3*{HALVES}", 10), problem, {"theta": 1})


def test_of_a_tie_in_a_large_map_it_is_said_that_it_is_one():
    n = 60
    unit = [[int(i == j) for j in range(n)] for i in range(n)]
    problem = forward_backward(quadratic(unit, [-1] * n), l1("lam"), step="1/2", parameters=["lam"])
    assert "tie" in undecided(RateBound("iterates", "2*(1/2)**k", 10), problem, {"lam": 1}).reason


@pytest.mark.parametrize(
    ("claim", "about", "message"),
    [
        (lambda: RateBound("iterates", "1", 3, directions={"lam": 1}), "lasso", 'write quantity = "derivatives"'),
        (lambda: RateBound("derivatives", "1", 3, directions={"mu": 1}), "lasso", "`mu` is not a parameter"),
        (lambda: RateBound("derivatives", "1", 3, directions={"b": [1]}), "lasso", "write a list of 2 numbers"),
        (lambda: RateBound("derivatives", "1", 3), "cone", "no parameters"),
        (lambda: RateBound("iterates", "1 - k", 3), "lasso", "negative"),
        (lambda: RateBound("derivatives", "1", 3, directions=[]), "lasso", "names no parameter"),
    ],
)
def test_bad_input_is_one_clear_line(claim, about, message):
    with pytest.raises(InputError, match=message) as caught:
        prove(claim(), *structured(about))
    assert "\n" not in str(caught.value)


def test_directions_are_for_maps_made_of_layers():
    descent = gradient_descent("x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"], start=[0])
    with pytest.raises(InputError, match="they are for maps made of layers"):
        prove(RateBound("derivatives", "1", 3, directions={"theta": 1}), descent, {"theta": 1})


# -- certificates -----------------------------------------------------------------------------------------------------

CLAIMS = {
    "proved": RateBound("iterates", "3*(95/100)**k", 30),
    "proved of derivatives": RateBound("derivatives", "3*(95/100)**k", 20, "frobenius", {"lam": 1, "b": [1, 2]}),
    "refuted": RateBound("iterates", "2*(3/5)**k", 40, "spectral"),
    "for every k": RateBound("iterates", "3*(95/100)**k", "infinity"),
    "for every k of derivatives": RateBound("derivatives", "9*(95/100)**k", "infinity", "frobenius", {"lam": 1}),
}


@pytest.mark.parametrize("name", CLAIMS)
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(name):
    content = assert_certified(prove(CLAIMS[name], *structured("lasso")))
    verdict = content["claim"]["verdict"]
    assert_changes_matter(content, lambda changed: is_true(changed) == (verdict == "proved"), most=40)


def is_true(content):
    """Whether the claim of a certificate holds, in double precision, for the first steps."""
    from test_claims_enclosed_certificates import World

    from piggycheck.rates import read_bound

    claim, world = content["claim"], World(content)
    bound, last = read_bound(claim["bound"]), 40 if claim["upto"] == "infinity" else int(claim["upto"])
    if claim["verdict"] == "refuted":
        last = int(content["witness"]["violation"])
    x, J, A, B = world.start, 0, *world.pair(world.limit(), claim.get("directions", {}))
    limit = np.linalg.solve(np.eye(len(A)) - A, B) if claim["quantity"] == "derivatives" else world.limit()
    for k in range(last + 1):
        error = (J if claim["quantity"] == "derivatives" else x) - limit
        size = abs(error).max() if claim["norm"] == "max" else (error**2).sum() ** 0.5
        if size > float(bound.ball(k, 64).mid()) + 1e-4:
            return False
        A, B = world.pair(x, claim.get("directions", {}))
        x, J = world.reader.step(x), A @ J + B if np.ndim(J) else B
    return True

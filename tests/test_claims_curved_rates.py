"""Rates and bounds along one smooth piece that is not affine; what is expected is known by hand."""

from __future__ import annotations

import copy
import json
import random
from fractions import Fraction

import mpmath
import pytest
import sympy as sp
from certificate_helper import changed_numbers, content_of, holds, proved, refuted, undecided

import piggycheck as pc
from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.claims import AsymptoticRate, RateBound, RateComparison
from piggycheck.errors import UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

x, y, z, theta = sp.symbols("x y z theta", real=True)
HALF, THIRD, QUARTER = sp.Rational(1, 2), sp.Rational(1, 3), sp.Rational(1, 4)
LOGISTIC = theta * x * (1 - x)
NEWTON = (x + theta / x) / 2
EXPONENTIAL = (sp.exp(theta * x) - 1) / 3
QUARTIC = "x**2/2 + x**4/10 - theta*x"


def scalar(following, start=None):
    return Iteration(SymbolicMap([x], [following], [theta]), None if start is None else [start])


def plane(following, start=None):
    return Iteration(SymbolicMap([x, y], following, [theta]), start)


def quartic(start=theta + 1):
    """Gradient descent; the slope is 3/4 at the fixed point 0, and smaller everywhere else near it."""
    return gradient_descent(QUARTIC, ["x"], "1/4", parameters=["theta"], start=[start])


# -- exact rates ---------------------------------------------------------------------------------------------------

RATES = {
    "gradient descent": (quartic(), 0, "3/4", ("0", "0")),
    "logistic": (scalar(LOGISTIC, sp.Rational(1, 4)), "3/2", "1/2", ("0", "1")),
    "logistic, alternating": (scalar(LOGISTIC, sp.Rational(1, 4)), "29/10", "9/10", ("0", "1")),
    "exponential": (scalar(EXPONENTIAL, HALF), 1, "1/3", ("0", "1")),
    "logarithm": (scalar(sp.log(1 + x) / 2 + theta, HALF), 0, "1/2", ("0", "1")),
    "after a kink": (scalar(x / 2 + x**2 / 8 - sp.Max(x - 1, 0) / 8 + theta, 2), 0, "1/2", ("0", "1")),
    "Newton": (scalar(NEWTON, 3), 4, "0", ("0", "0")),
    "squares": (scalar(x**2 / 3 + theta, HALF), 0, "0", ("0", "0")),
}


@pytest.mark.parametrize("quantity", [0, 1], ids=["iterates", "derivatives"])
@pytest.mark.parametrize("name", RATES)
def test_closed_forms(name, quantity):
    """The derivative at the fixed point: 2 - r for the logistic map, 1 - f''/4 for the descent, 0 for Newton."""
    iteration, at, rate, power = RATES[name]
    kind = ("iterates", "derivatives")[quantity]
    verdict = proved(AsymptoticRate(kind, rate), iteration, {"theta": at})
    assert (rate, power[quantity]) == (verdict.value["rate"], verdict.value["power"])
    if not quantity:
        refuted(AsymptoticRate(kind, "1/4"), iteration, {"theta": at})
    if rate != "0":
        assert int(verdict.value["observed_digits"]) > 10
        assert abs(float(verdict.value["observed"]) - float(Fraction(rate))) < 1e-10


def test_an_iterate_that_is_the_fixed_point():
    """``5/2 * 2/5 * 3/5 = 3/5``; the derivative there is not yet its limit 4/25, and approaches it like (-1/2)^k."""
    iteration = scalar(LOGISTIC, sp.Rational(2, 5))
    verdict = proved(AsymptoticRate("iterates", "0"), iteration, {"theta": "5/2"})
    assert "are zero from k = 1 on" in verdict.found
    proved(AsymptoticRate("derivatives", "1/2"), iteration, {"theta": "5/2"})


def test_derivatives_that_rest_with_the_parameter():
    """The parameter does not enter, so that all derivatives are 0."""
    verdict = proved(AsymptoticRate("derivatives", "0"), scalar(x / 2 + x**2 / 8, HALF), {"theta": 0})
    assert "are zero from" in verdict.found


def test_a_derivative_in_a_parameter_that_is_curved_in_the_state():
    """At theta = 0 the map is ``x/2``, and its derivative in theta is x^2: ``J_k = 2 (2^-k - 4^-k) x_0^2``."""
    proved(AsymptoticRate("derivatives", "1/2"), scalar(x / 2 + theta * x**2, THIRD), {"theta": 0})


def test_derivatives_that_do_not_move_against_the_fixed_point():
    """``x_k = y_k + theta`` with ``y -> y/2 + y^2/8``: the derivatives are 1 when that of the start is."""
    moved = sp.expand((x - theta) / 2 + (x - theta) ** 2 / 8 + theta)
    assert "are zero" in proved(AsymptoticRate("derivatives"), scalar(moved, theta + HALF), {"theta": 0}).found
    proved(AsymptoticRate("derivatives", "1/2"), scalar(moved, HALF), {"theta": 0})


def test_derivatives_that_decay_faster_are_left_open():
    """With ``y = x/(1 + theta x)`` the map is ``y/2``; with ``y_k = 2^-(k+1)``, ``J_k = (y_k/(1 - theta y_k))^2``."""
    following, start = x / (2 + theta * x), HALF / (1 - theta / 2)
    for value in (None, "1/2", "1/4"):
        verdict = undecided(AsymptoticRate("derivatives", value), scalar(following, start), {"theta": 1})
        assert "faster" in verdict.reason
    proved(AsymptoticRate("derivatives", "1/2"), scalar(following, 1), {"theta": 1})


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_almost_every_start(quantity):
    verdict = proved(AsymptoticRate(quantity, "1/3"), scalar(EXPONENTIAL), {"theta": 1})
    assert verdict.statement.startswith("from almost every start near the fixed point")
    undecided(AsymptoticRate(quantity), scalar(2 * x + x**3), {"theta": 1})


CURVED = "x**2/2 + x**4/10"
VALLEY = "x**2/2 + y**2/20 + x**2*y**2/5 + y**4/10"
SEVERAL = {
    "heavy ball, a conjugate pair": (heavy_ball(CURVED, ["x"], 1, "3/4", start=[1]), "sqrt(3)/2"),
    "heavy ball, real": (heavy_ball(CURVED, ["x"], "1/9", "1/9", start=[2]), "1/2 + sqrt(5)/6"),
    "heavy ball, two pairs": (heavy_ball(VALLEY, ["x", "y"], 1, "3/4", start=[THIRD, THIRD]), "sqrt(3)/2"),
    "heavy ball, optimal": (
        heavy_ball("x**2/2 + 9*y**2/2 + x**4", ["x", "y"], "1/4", "1/4", start=[QUARTER, QUARTER]),
        "1/2",
    ),
    "gradient descent": (gradient_descent(VALLEY, ["x", "y"], "1/2", start=[1, 1]), "19/20"),
    "gradient descent, two directions": (
        gradient_descent("x**2/2 + y**2/2 + x**2*y**2/5", ["x", "y"], "1/2", start=[1, HALF]),
        "1/2",
    ),
}


@pytest.mark.parametrize("name", SEVERAL)
def test_several_variables(name):
    """The square root of the momentum where eigenvalues are not real; ``1 - step * curvature`` for the descent."""
    iteration, rate = SEVERAL[name]
    verdict = proved(AsymptoticRate("iterates", rate), iteration)
    assert verdict.value.get("power") in (None, "0")
    refuted(AsymptoticRate("iterates", "2/3"), iteration)


BENT = "x**2/2 + x**3/6 - theta*x"
MOVING = {
    "heavy ball, a conjugate pair": (
        heavy_ball(BENT, ["x"], 1, "3/4", parameters=["theta"], start=[QUARTER]),
        "sqrt(3)/2",
    ),
    "heavy ball, real": (
        heavy_ball(BENT, ["x"], "1/9", "1/9", parameters=["theta"], start=[QUARTER]),
        "1/2 + sqrt(5)/6",
    ),
    "gradient descent": (
        gradient_descent(
            f"{VALLEY} + y**3/10 - theta*y", ["x", "y"], "1/2", parameters=["theta"], start=[QUARTER, QUARTER]
        ),
        "19/20",
    ),
}


@pytest.mark.parametrize("name", MOVING)
def test_derivatives_in_several_variables(name):
    """The curvature changes with the minimiser, and so do the leading eigenvalues: errors like ``k rate^k``."""
    iteration, rate = MOVING[name]
    verdict = proved(AsymptoticRate("derivatives", rate), iteration, {"theta": 0})
    assert "1" == verdict.value["power"]
    refuted(AsymptoticRate("derivatives", "2/3"), iteration, {"theta": 0})


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_eigenvalues_of_which_the_threshold_may_not_be_the_mean(quantity):
    """At the minimiser 1/2 the curvature is 7/4, and the eigenvalues are 3/4 and 1/3."""
    objective = "x**2/2 + x**4/4 - theta*x"
    iteration = heavy_ball(objective, ["x"], "2/21", "1/4", parameters=["theta"], start=[0])
    verdict = proved(AsymptoticRate(quantity, "3/4"), iteration, {"theta": "5/8"})
    assert str(int(quantity == "derivatives")) == verdict.value["power"]


def test_derivatives_are_left_open_where_the_leading_eigenvalues_rest():
    resting = heavy_ball(f"{CURVED} - theta*x", ["x"], 1, "3/4", parameters=["theta"], start=[QUARTER])
    assert "not seen to change" in undecided(AsymptoticRate("derivatives"), resting, {"theta": 0}).reason
    content = content_of(proved(AsymptoticRate("derivatives"), MOVING["heavy ball, a conjugate pair"][0], {"theta": 0}))
    for path, changed in changed_numbers(content):
        if path[0] in ("claim", "fixed_point", "at") or path[1] in ("leading", "matrix"):
            assert not holds(changed), path
    content["map"]["next"][0] = content["map"]["next"][0].replace("x**2", "x**3")
    assert "x**3" in content["map"]["next"][0] and not holds(content)


def test_a_start_that_does_not_excite_the_leading_eigenvalue_is_left_open():
    """On the line ``y = 0`` the rate is 1/2."""
    verdict = undecided(AsymptoticRate("iterates"), gradient_descent(VALLEY, ["x", "y"], "1/2", start=[1, 0]))
    assert "no cone was found" in verdict.reason


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_newton_in_two_variables(quantity):
    """For ``x = y`` and ``x^2 + y^2 = 2 theta`` the derivative at (1, 1) is 0."""
    total = (x**2 + y**2 - 2 * theta) / (2 * (x + y))
    following = [x - total - y * (x - y) / (x + y), y - total + x * (x - y) / (x + y)]
    iteration = plane(following, [sp.Rational(11, 10), sp.Rational(9, 10)])
    proved(AsymptoticRate(quantity, "0"), iteration, {"theta": 1})


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_a_nilpotent_matrix_is_enough(quantity):
    shift = [y + x**2 / 4, theta * x * y / 4 + y**2 / 8 - theta / 2]
    proved(AsymptoticRate(quantity, "0"), plane(shift, [HALF, THIRD]), {"theta": 0})
    refuted(AsymptoticRate(quantity, "1/10"), plane(shift, [HALF, THIRD]), {"theta": 0})
    undecided(AsymptoticRate(quantity), plane([y + x**2 / 4, x / 4 + theta], None), {"theta": 0})


def test_derivatives_that_are_several_on_the_way_have_no_rate_where_the_matrix_is_nilpotent():
    shift = [y / 2 + THIRD + theta, theta * x**2 / 8]
    kinked_start = plane(shift, [theta, sp.Max(0, theta)])
    assert "the start has a kink" in undecided(AsymptoticRate("derivatives"), kinked_start, {"theta": 0}).reason
    kink = plane([y / 2 + sp.Max(x - 5, 0) + theta, theta * x**2 / 8], [5, THIRD])
    assert "ties, and the pieces there" in undecided(AsymptoticRate("derivatives"), kink, {"theta": 0}).reason
    proved(AsymptoticRate("iterates", "0"), kink, {"theta": 0})


def test_what_is_left_open():
    reason = undecided(AsymptoticRate("iterates"), scalar(NEWTON, 2), {"theta": 2}).reason  # the point is sqrt(2)
    assert "not affine" in reason
    kinked = sp.Piecewise((x / 2 + x**2 / 8, x >= 0), (x / 2 - x**2 / 8, True))
    assert "not affine" in undecided(AsymptoticRate("iterates"), scalar(kinked, HALF), {"theta": 0}).reason
    with pytest.raises(UnknownError):
        pc.asymptotic_rate(scalar(x - x**3, HALF), {"theta": 0})


@pytest.mark.parametrize(
    "name, quantity", [("logistic", "derivatives"), ("gradient descent", "derivatives"), ("Newton", "iterates")]
)
def test_every_number_of_a_certificate_counts(name, quantity):
    """Changes that are accepted leave the claim true: of higher terms, of the start, of where the proof begins."""
    iteration, at, rate, _ = RATES[name]
    content = content_of(proved(AsymptoticRate(quantity, rate), iteration, {"theta": at}))
    for path, changed in changed_numbers(content):
        free = (
            path[0] in ("start", "map")
            or path[:2] in (("witness", "iteration"), ("witness", "bits"))
            or "direction" in path
        )
        assert free or not holds(changed), path
    lying = copy.deepcopy(content)
    lying["witness"]["number"] = {"polynomial": ["-1", "3"], "lower": "1/3", "upper": "1/3"}
    assert json.dumps(lying) and not holds(lying)


# -- bounds for every k --------------------------------------------------------------------------------------------

BOUNDS = {  # the constants of iterates and derivatives in front of rate^k; for the latter of k rate^k, too
    "the slope is the largest at the fixed point": (quartic(), 0, "3/4", "iterates", "1"),
    "the first bound that was asked for": (quartic(), 0, "3/4", "iterates", "2"),
    "a slope that rests": (quartic(), 0, "3/4", "derivatives", "1"),
    "a slope that moves": (scalar(LOGISTIC, sp.Rational(1, 4)), "3/2", "1/2", "derivatives", "(k + 1)"),
    "alternating": (scalar(LOGISTIC, sp.Rational(3, 5)), "27/10", "7/10", "iterates", "1/10"),
    "faster than the bound": (scalar(NEWTON, 3), 4, "1/100", "iterates", "100"),
    "superlinear derivatives": (scalar(NEWTON, 3), 4, "1/2", "derivatives", "1"),
    "a logarithm with an irrational slope": (scalar(sp.sqrt(2) * sp.log(1 + x) / 2, HALF), 0, "3/4", "iterates", "1"),
    "an iterate is the fixed point": (scalar(LOGISTIC, sp.Rational(2, 5)), "5/2", "1/2", "derivatives", "3"),
}


@pytest.mark.parametrize("name", BOUNDS)
def test_bounds_that_decrease_as_fast_as_the_errors(name):
    iteration, at, rate, quantity, constant = BOUNDS[name]
    claim = RateBound(quantity, f"{constant}*({rate})**k", "infinity", "frobenius")
    verdict = proved(claim, iteration, {"theta": at})
    assert "infinity" == verdict.value["proved_upto"]
    refuted(RateBound(quantity, f"{constant}*({rate})**k/1000", "infinity"), iteration, {"theta": at})


def orbit(coefficients, start, count):
    """Errors of iterates and derivatives of ``x -> a x + b x^2 + c x^3 + theta (1 + d x)`` at theta = 0."""
    a, b, c, d = (mpmath.mpf(e.numerator) / e.denominator for e in coefficients)
    value, J, limit, found = mpmath.mpf(start.numerator) / start.denominator, mpmath.mpf(0), 1 / (1 - a), []
    for _ in range(count):
        found.append((abs(value), abs(J - limit)))
        J = (a + 2 * b * value + 3 * c * value**2) * J + 1 + d * value
        value = a * value + b * value**2 + c * value**3
    return found


@pytest.mark.parametrize("seed", range(4))
def test_the_smallest_constant_is_approached(seed):
    """A little more than the largest ``e_k / |a|^k`` of 300 steps is proved for every k, a little less is refuted."""
    picks = random.Random(seed)
    a, b, c, d = (Fraction(picks.randint(-9, 9), 12) for _ in range(4))
    a = a or Fraction(1, 3)
    start = Fraction(picks.choice([-1, 1]), 4)
    with mpmath.workdps(500):
        errors, size = orbit((a, b, c, d), start, 300), mpmath.mpf(abs(a.numerator)) / a.denominator
        largest = max(error / size**k for k, (error, _) in enumerate(errors))
        growing = max(error / size**k / (k + 1) for k, (_, error) in enumerate(errors))
    A, B, C, D = (sp.Rational(e.numerator, e.denominator) for e in (a, b, c, d))
    iteration = scalar(A * x + B * x**2 + C * x**3 + theta * (1 + D * x), sp.Rational(start.numerator, 4))
    rate = f"({abs(a)})**k"
    for quantity, factor, constant in (("iterates", "", largest), ("derivatives", "*(k + 1)", growing)):
        above, below = (int(constant * side * 10**7) for side in (1010, 990))
        proved(RateBound(quantity, f"{above}/10**10{factor}*{rate}", "infinity"), iteration, {"theta": 0})
        refuted(RateBound(quantity, f"{below}/10**10{factor}*{rate}", "infinity"), iteration, {"theta": 0})


def test_bounds_that_are_left_open():
    """Faster than the errors; equal to their limit; around an irrational point; several variables."""
    faster = RateBound("iterates", "20*(1/2)**k*(99999/100000)**k", "infinity")
    assert undecided(faster, scalar(x / 2 + x**2 / 8, HALF), {"theta": 0}, time_limit=0.5).value["proved_upto"]
    verdict = undecided(RateBound("iterates", "(1/2)**k", "infinity"), scalar(NEWTON, 2), {"theta": 2}, time_limit=0.5)
    assert "irrational" in verdict.reason
    curved = plane([x / 2 + x**2 / 8 + theta, y / 3 + x * y / 4], [HALF, THIRD])
    proved(RateBound("iterates", "(3/4)**k", "infinity"), curved, {"theta": 0})
    undecided(RateBound("derivatives", "9*(3/4)**k", "infinity"), curved, {"theta": 0}, time_limit=0.5)


@pytest.mark.parametrize("name", ["a slope that moves", "alternating", "an iterate is the fixed point"])
def test_every_number_of_a_bound_counts(name):
    iteration, at, rate, quantity, constant = BOUNDS[name]
    content = content_of(proved(RateBound(quantity, f"{constant}*({rate})**k", "infinity"), iteration, {"theta": at}))
    for path, changed in changed_numbers(content):
        free = path[0] in ("start", "pieces") or path[1] in ("from", "bits", "rate", "bound")
        assert free or not holds(changed), path
    smaller = copy.deepcopy(content)
    smaller["claim"]["bound"] = f"{constant}/100*({rate})**k"
    assert not holds(smaller)


def test_columns_are_compared():
    """The slope 1/2 changes with r, by -1, and rests with s."""
    s = sp.Symbol("s", real=True)
    moved = LOGISTIC + s * (x - THIRD) ** 2
    iteration = Iteration(SymbolicMap([x], [moved], [theta, s]), [sp.Rational(1, 4)])
    names = {"r": {"quantity": "derivatives", "wrt": "theta"}, "s": {"quantity": "derivatives", "wrt": "s"}}
    proved(RateComparison("r", "s", "=", names), iteration, {"theta": "3/2", "s": 0})
    proved(RateComparison("iterates", "s", "=", {"s": names["s"]}), iteration, {"theta": "3/2", "s": 0})

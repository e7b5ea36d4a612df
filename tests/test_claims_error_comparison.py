"""Claims that one sequence of errors is at most another one: proved, refuted at the first k, left open, certified."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from certificate_helper import assert_certified, assert_changes_matter, content_of, holds, proved, refuted, undecided
from sequences_reference import sides

from piggycheck import load_case
from piggycheck.algorithms import gradient_descent
from piggycheck.claims import ErrorComparison, prove
from piggycheck.errors import CaseError, InputError, MapError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

x, y, theta = sp.symbols("x y theta", real=True)
RHO = Fraction(3, 4)
LINEAR = Iteration(SymbolicMap([x], [sp.Rational(3, 4) * x + theta], [theta]), start=[0])
NEWTON = Iteration(SymbolicMap([x], [(x + theta / x) / 2], [theta]), start=[3])
BY_STEP = gradient_descent("x**2/20", ["x"], "s", parameters=["s"], start=[1])
PLANE = gradient_descent(
    "x**2/2 + y**2/20 - theta*x - theta*y", ["x", "y"], "s", parameters=["theta", "s"], start=[0, 0]
)
ONE, HALF = {"theta": 1}, {"s": "1/2"}


def short(T):
    return {"short": {"quantity": "derivatives", "last": T}}


def test_derivatives_in_the_step_are_at_most_ten_times_the_iterates_up_to_95():
    """k/10 (19/20)^(k-1) <= 10 (19/20)^k where k <= 95."""
    assert proved(ErrorComparison("derivatives", "10*iterates", 95), BY_STEP, HALF).value == {"proved_upto": "95"}
    found = refuted(ErrorComparison("derivatives", "10*iterates", 1000), BY_STEP, HALF)
    assert found.value == {"first_violation": "96", "proved_upto": "95"}


def test_a_range_that_begins_as_early_as_it_can_is_sharp():
    """k/10 (19/20)^(k-1) >= (19/20)^k from k = 10 on."""
    found = proved(ErrorComparison("iterates", "derivatives", 100, first=10), BY_STEP, HALF)
    assert found.value == {"proved_upto": "100", "sharp_from": "true"}
    found = proved(ErrorComparison("iterates", "derivatives", 100, first=11), BY_STEP, HALF)
    assert found.value == {"proved_upto": "100", "sharp_from": "false"}
    assert refuted(ErrorComparison("iterates", "derivatives", 100, first=9), BY_STEP, HALF).value == {
        "first_violation": "9"
    }


@pytest.mark.parametrize("T", [1, 2, 5])
def test_truncated_derivatives_are_off_by_exactly_a_power(T):
    """rho^T/(1 - rho) from k = T on: an equality at every k."""
    bound = f"4*(3/4)**{T}"
    found = proved(ErrorComparison("short", bound, 40, first=T, sequences=short(T)), LINEAR, ONE)
    assert found.value["sharp_from"] == "true"
    found = proved(ErrorComparison(bound, "short", 40, sequences=short(T)), LINEAR, ONE)
    assert found.value == {"proved_upto": "40"}
    refuted(ErrorComparison("short", f"{bound} - 1/10**40", 40, first=T, sequences=short(T)), LINEAR, ONE)


def test_a_claim_that_fails_late_by_very_little_is_refuted_there():
    """skip = 2 puts the recursion two steps behind: 16/9 times the error of all steps, to 30 digits."""
    late = {"late": {"quantity": "derivatives", "skip": 2}}
    almost = "Piecewise((16/9, k < 800), (16/9 - 1/10**30, True))*derivatives"
    found = refuted(ErrorComparison("late", almost, 1000, first=2, sequences=late), LINEAR, ONE)
    assert found.value["first_violation"] == "800"
    proved(ErrorComparison("late", "(16/9 + 1/10**30)*derivatives", 300, sequences=late), LINEAR, ONE)


def test_the_implicit_derivative_along_newton_is_of_second_order_and_one_step_of_first():
    """The implicit one: x/(x^2 + 4) - 1/4 = -e^2/(4 (x^2 + 4)) with e = x - 2.

    One step at k is 1/(2 x) - 1/4 = -e/(4 x) at the iterate before, for which the next error is e^2/(2 x).
    """
    at = {"theta": 4}
    proved(ErrorComparison("implicit", "iterates**2/32", 8), NEWTON, at)
    proved(ErrorComparison("iterates**2/33", "implicit", 8, first=2), NEWTON, at)
    proved(ErrorComparison("one_step", "sqrt(iterates)", 8, first=1), NEWTON, at)
    assert refuted(ErrorComparison("one_step", "iterates", 8, first=1), NEWTON, at).value["first_violation"] == "2"


F = "x**4/4 + x**2/2 - theta*x"
QUARTIC = gradient_descent(F, ["x"], "1/5", parameters=["theta"], start=[2])
ESTIMATES = {
    "analytic": {"quantity": "partial", "output": F},
    "automatic": {"quantity": "derivatives", "output": F},
    "by_hand": {"quantity": "implicit", "output": F},
}


def named(*names):
    return {name: ESTIMATES[name] for name in names}


def test_estimators_of_a_gradient_are_of_orders_one_and_two():
    """With e = x - 1 the analytic one is off by e, the implicit one by (3 e^2 + 2 e^3)/(4 + 6 e + 3 e^2).

    f' = e (4 + 3 e + e^2) and f'' = 4 + 6 e + 3 e^2, so f'/f'' - e = -(3 e^2 + 2 e^3)/f''.
    """
    at = {"theta": 2}
    proved(ErrorComparison("analytic", "(1 + 1/10**30)*iterates", 60, sequences=named("analytic")), QUARTIC, at)
    proved(ErrorComparison("by_hand", "5/4*iterates**2", 60, sequences=named("by_hand")), QUARTIC, at)
    proved(ErrorComparison("7/10*iterates**2", "by_hand", 60, first=8, sequences=named("by_hand")), QUARTIC, at)
    order = ErrorComparison("automatic", "analytic/100", 60, first=10, sequences=named("automatic", "analytic"))
    proved(order, QUARTIC, at)


def test_a_larger_step_is_asymptotically_faster_and_has_a_longer_burn_in():
    """d/ds (1 - s)^k for s = 19/10 against s = 1/2 on the curvatures 1 and 1/10: k (9/10)^(k-1) and k (19/20)^(k-1)."""
    big = {"big": {"quantity": "derivatives", "wrt": "s", "at": {"s": "19/10"}}}
    small = {"small": {"quantity": "derivatives", "wrt": "s"}}
    at = {"theta": 1, "s": "1/2"}
    found = proved(ErrorComparison("big", "small", 300, sequences={**big, **small}), PLANE, at)
    content = content_of(found)
    assert content["claim"]["sequences"]["big"] == {"quantity": "derivatives", "at": {"s": "19/10"}, "wrt": ["s"]}
    refuted(ErrorComparison("small", "big", 300, sequences={**big, **small}), PLANE, at)


@pytest.mark.parametrize("norm", ["frobenius", "spectral"])
def test_norms_of_one_column_are_compared_by_their_squares(norm):
    """With skip = 0 and J_0 = 0 both sequences are the same, though irrational."""
    zero = {
        "zero": {"quantity": "derivatives", "skip": 0, "wrt": "theta"},
        "own": {"quantity": "derivatives", "wrt": "theta"},
    }
    found = proved(ErrorComparison("zero", "own", 30, norm=norm, sequences=zero), PLANE, {"theta": 1, "s": "1/2"})
    assert found.value == {"proved_upto": "30"}


def test_sequences_may_have_norms_of_their_own():
    """In the plane the Frobenius norm of a vector is at most sqrt(2) times the largest entry, and not less than it."""
    own = {"long": {"quantity": "iterates", "norm": "frobenius"}}
    at = {"theta": 1, "s": "1/2"}
    proved(ErrorComparison("long", "sqrt(2)*iterates", 60, sequences=own), PLANE, at)
    assert refuted(ErrorComparison("long", "iterates", 60, sequences=own), PLANE, at).value["first_violation"] == "0"


def test_a_tie_at_which_derivatives_differ_leaves_the_claim_open():
    """Started at 2 the iterates meet the kink of Max(x, 1) at k = 1."""
    kinked = Iteration(SymbolicMap([x], [sp.Max(x, 1) / 2 + theta * x / 8], [theta]), start=[2])
    found = undecided(ErrorComparison("one_step", "100*iterates", 10), kinked, {"theta": 0})
    assert "step 1: the guard `x - 1` ties" in found.reason
    assert found.value == {"proved_upto": "0"}


def test_the_time_limit_is_kept():
    found = prove(ErrorComparison("derivatives", "4*iterates", 10**6), LINEAR, ONE, time_limit=0.3)
    assert found.name == "undecided" and "the time was over at k = " in found.reason


def test_for_every_k_a_claim_that_fails_beyond_the_first_range_is_refuted():
    late = "Piecewise((1, k < 700), (1/2, True))*derivatives"
    assert refuted(ErrorComparison("derivatives", late, "infinity"), LINEAR, ONE).value["first_violation"] == "700"


# -- certificates ---------------------------------------------------------------------------------------------------


def test_a_changed_number_is_noticed_or_leaves_the_claim_true():
    """Each number in the certificate of a sharp claim, changed one at a time; what is true is seen by differences."""
    claim = ErrorComparison("short", "4*(3/4)**3", 12, first=3, sequences=short(3))

    def is_true(content):
        first, last = int(content["claim"]["from"]), int(content["claim"]["upto"])
        return all(a <= b + Fraction(1, 10**40) for a, b in sides(content, last)[first:])

    assert_changes_matter(content_of(proved(claim, LINEAR, ONE)), is_true, least=20)


def test_the_certificate_of_a_false_claim_is_refused():
    content = assert_certified(proved(ErrorComparison("derivatives", "10*iterates", 95), BY_STEP, HALF))
    for key, value in (("upto", "96"), ("right", "9*iterates"), ("left", "11*derivatives/10")):
        assert not holds({**content, "claim": {**content["claim"], key: value}})
    content = assert_certified(refuted(ErrorComparison("derivatives", "10*iterates", 200), BY_STEP, HALF))
    for k in ("95", "97", "300"):
        assert not holds({**content, "witness": {**content["witness"], "violation": k}})


# -- what is said ---------------------------------------------------------------------------------------------------


def test_the_statement_says_what_each_sequence_is():
    tables = {"big": {"quantity": "derivatives", "at": {"s": "19/10"}, "wrt": "s", "last": 4}}
    claim = ErrorComparison("big", "2*iterates", 3, first=1, norm="frobenius", sequences=tables)
    assert prove(claim, PLANE, {"theta": 1, "s": "1/2"}).statement == (
        "for k = 1, …, 3, big is at most 2*iterates in the Frobenius norm, where big is the error of the derivatives "
        "in s of the last 4 steps, at s = 19/10; iterates is the error of the iterates"
    )


# -- input ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "fields, said",
    [
        (("iterates", "nothing", 5), "right side, line 1, column 1: `nothing`"),
        (("k", "2*k", 5), "`k` and `2*k` name no sequence; known are iterates, derivatives, one_step, implicit"),
        (("iterates", "1", -1), "upto of `error_comparison`: `-1` is not a last k"),
        (("iterates", "1", 5, "infinity"), "from of `error_comparison`: `infinity` is not a first k; write an integer"),
        (("iterates", "1", 5, -1), "from of `error_comparison`: `-1` is not a first k; write an integer from 0 on"),
        (("iterates", "1", 5, 6), "upto of `error_comparison`: `5` is before the first k, 6"),
        (("iterates", "1", 5, 0, "l2"), "norm of `error_comparison`: `l2` is not known"),
        (("iterates", "1", 5, 0, "max", short(2)), "sequence `short`: neither side names it"),
        (("iterates**k", "1", 5), "only a positive constant can have k as exponent"),
    ],
)
def test_claims_that_make_no_sense_are_refused_in_one_line(fields, said):
    with pytest.raises(InputError) as error:
        ErrorComparison(*fields)
    assert said in str(error.value) and "\n" not in str(error.value)


def observed(output, quantity="iterates"):
    return {"seen": {"quantity": quantity, "output": output}}


@pytest.mark.parametrize(
    "claim, said",
    [
        (
            ErrorComparison("seen", "1", 5, sequences=observed("log(x - 2)")),
            "sequence `seen`: the output has no value at the fixed point: logarithm of -1",
        ),
        (
            ErrorComparison("seen", "1", 5, sequences=observed("log(x)")),
            "sequence `seen`: it has no value at k = 0: logarithm of 0",
        ),
        (
            ErrorComparison("seen", "1", 5, sequences=observed("Abs(x - 1)", "derivatives")),
            "sequence `seen`: output `Abs(x - 1)`: 2 derivatives at the fixed point",
        ),
        (ErrorComparison("iterates", "log(k)", 5), "right side `log(k)`: it has no real value at k = 0"),
        (ErrorComparison("iterates", "sqrt(2 - k) + 100", 5), "it has no real value at k = 3"),
        (
            ErrorComparison("far", "1", 5, sequences={"far": {"quantity": "iterates", "at": {"eta": "1"}}}),
            "sequence `far`: `eta` is not a parameter; declared are theta, s",
        ),
    ],
)
def test_values_that_do_not_exist_are_refused_in_one_line(claim, said):
    with pytest.raises((InputError, MapError)) as error:
        prove(claim, PLANE, {"theta": 1, "s": "1/2"})
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_sequence_without_a_limit_is_refused_by_its_name():
    """x^2/2 + theta has a fixed point at theta = 0, and none at theta = 2."""
    curved = Iteration(SymbolicMap([x], [x**2 / 2 + theta], [theta]), start=[1])
    far = {"far": {"quantity": "iterates", "at": {"theta": "2"}}}
    with pytest.raises(InputError, match="sequence `far`: the error of the iterates: their limit is not known: "):
        prove(ErrorComparison("far", "iterates", 5, sequences=far), curved, {"theta": 0})


CASE = """
title = "Truncation"
[map]
state = ["x"]
next = ["3/4*x + theta"]
[parameters]
theta = "1"
[start]
x = "0"
[[claim]]
kind = "error_comparison"
left = "short"
right = "4*(3/4)**2"
from = 2
upto = 50
[claim.sequences.short]
quantity = "derivatives"
last = 2
output = "3*x"
at = {theta = "1/2"}
"""


def test_a_case_states_sequences_as_tables(tmp_path):
    """The output 3 x makes the error three times as large."""
    file = tmp_path / "case.toml"
    file.write_text(CASE)
    case = load_case(file)
    assert refuted(case.claims[0], case.subject()).value == {"first_violation": "2"}
    file.write_text(CASE.replace('right = "4', 'right = "12'))
    case = load_case(file)
    assert proved(case.claims[0], case.subject()).value == {"proved_upto": "50", "sharp_from": "true"}


@pytest.mark.parametrize(
    "old, new, said",
    [
        ("from = 2", "first = 2", "unknown key `first`; known are left, right, upto, from, norm, sequences"),
        ("last = 2", 'last = "x"', "`sequences.short.last`, line 1, column 1: `x`"),
        ("last = 2", "lasts = 2", "sequence `short`: `lasts` is not a field; write `last`"),
        ("from = 2", "from = 0.5", "from"),
    ],
)
def test_a_case_that_cannot_be_read_says_where(tmp_path, old, new, said):
    file = tmp_path / "case.toml"
    file.write_text(CASE.replace(old, new))
    with pytest.raises(CaseError) as error:
        load_case(file)
    assert said in str(error.value) and "case.toml" in str(error.value) and "\n" not in str(error.value)


def test_a_comparison_towards_an_irrational_point_says_where_it_fails():
    """The errors of x <- (x + sqrt(2) + theta)/2 are (sqrt(2) - 1)/2^k and 1/2^k, as J_0 = 0 and the limit is 1."""
    halving = Iteration(SymbolicMap([x], [(x + sp.sqrt(2) + theta) / 2], [theta]), start=[1])
    fails = prove(ErrorComparison("derivatives", "2*iterates", 30), halving, {theta: 0})
    assert fails.name == "undecided" and fails.found.endswith("certificates hold rational numbers; it fails at k = 0")
    holds = prove(ErrorComparison("iterates", "derivatives/2", 30), halving, {theta: 0})
    assert holds.found.endswith("certificates hold rational numbers; it holds for k = 0, …, 30")

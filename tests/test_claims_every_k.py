"""Comparisons of sequences of errors, and bounds, for every k: what is proved, and what is not."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from certificate_helper import assert_changes_matter, content_of, holds, proved, refuted, undecided

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.claims import ErrorComparison, RateBound, prove
from piggycheck.errors import InputError
from piggycheck.expression import parse
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.rates.sequences import KNOWN

x, y, theta = sp.symbols("x y theta", real=True)
HALF = {"step": "1/2"}


def descent():
    """``x_k = (1 - s)^k`` and ``y_k = (1 - s/10)^k``."""
    return gradient_descent("x**2/2 + y**2/20", ["x", "y"], "step", parameters=["step"], start=[1, 1])


def fast(quantity):
    return {"fast": {"quantity": quantity, "at": {"step": "20/11"}}}


def always(left, right, **options):
    return ErrorComparison(left, right, "infinity", **options)


# -- the curse of unrolling -------------------------------------------------------------------------------------------


def closed_form(step):
    """The errors of the derivatives in the step: the larger of ``k |1-s|^(k-1)`` and ``k/10 (1-s/10)^(k-1)``."""

    def error(k):
        return max(k * abs(1 - step) ** (k - 1), Fraction(k, 10) * (1 - step / 10) ** (k - 1)) if k else Fraction(0)

    return error


def test_a_faster_step_has_a_longer_burn_in():
    """The derivatives with the optimal step are worse up to k = 16, and better for every k from 17 on."""
    better, worse = closed_form(Fraction(20, 11)), closed_form(Fraction(1, 2))
    assert 17 == next(k for k in range(2, 100) if better(k) <= worse(k))
    verdict = proved(always("fast", "derivatives", first=17, sequences=fast("derivatives")), descent(), HALF)
    assert ("infinity", "true") == (verdict.value["proved_upto"], verdict.value["sharp_from"])
    verdict = refuted(always("fast", "derivatives", sequences=fast("derivatives")), descent(), HALF)
    assert "2" == verdict.value["first_violation"]
    verdict = refuted(always("derivatives", "fast", sequences=fast("derivatives")), descent(), HALF)
    assert "17" == verdict.value["first_violation"]


def test_iterates_of_the_faster_step_are_never_worse():
    verdict = proved(always("fast", "iterates", sequences=fast("iterates")), descent(), HALF)
    assert "for every k" in verdict.found
    assert "Errors from below: iterates" in verdict.report()


# -- sides ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "left, right",
    [
        ("(19/20)**k", "iterates"),
        ("iterates", "iterates"),
        ("iterates", "iterates/2 + (19/20)**k/2"),
        ("k*(19/20)**(k - 1)/10", "derivatives"),
        ("iterates", "10*derivatives*(1 + k) + (1/2)**k"),
    ],
)
def test_equalities_for_every_k(left, right):
    """``e_k = (19/20)^k`` for the iterates, and ``k/10 (19/20)^(k-1)`` is a column of the derivatives' errors."""
    proved(always(left, right), descent(), HALF)


@pytest.mark.parametrize(
    "left, right, violation",
    [
        ("(19/20 + 1/10**6)**k", "iterates", 1),
        ("k*(19/20)**(k - 1)/9", "derivatives", 5),
        ("iterates", "iterates/2 + (9/10)**k/2", 1),
        ("derivatives", "2*iterates", 20),
    ],
)
def test_false_claims_are_refuted(left, right, violation):
    """``2^(1-k)`` is below ``(19/20)^(k-1)/9`` at k = 5, and ``k/10 (19/20)^(k-1) > 2 (19/20)^k`` beyond 19."""
    assert str(violation) == refuted(always(left, right), descent(), HALF).value["first_violation"]


def test_a_claim_that_fails_late_is_not_proved():
    """``k/10 (19/20)^(k-1) <= 100 (19/20)^k`` holds up to k = 950."""
    verdict = refuted(always("derivatives", "100*iterates"), descent(), HALF)
    assert "951" == verdict.value["first_violation"]


@pytest.mark.parametrize(
    "left, right, reason",
    [
        ("iterates + derivatives", "10*iterates*(1 + k)", "the left side must be a positive multiple of one sequence"),
        ("iterates", "2*iterates - derivatives/10**9", "the right side must be a sum of terms"),
        ("iterates**2", "iterates", "the left side must be a positive multiple of one sequence"),
        ("one_step", "12*iterates", "`one_step` is not the error of the iterates, or of derivatives along all steps"),
        ("iterates", "2*(11/10)**k*Min(iterates, 1)", "the right side must be a sum of terms"),
    ],
)
def test_sides_of_another_form_are_left_open(left, right, reason):
    verdict = prove(always(left, right), descent(), HALF, time_limit=0.3)
    assert ("undecided", True) == (verdict.name, reason in verdict.reason)


def test_complex_eigenvalues_leave_it_open():
    ball = heavy_ball("x**2/2 - theta*x", ["x"], 1, "3/4", parameters=["theta"], start=[0])
    verdict = prove(always("iterates", "100*iterates"), ball, {"theta": 1}, time_limit=0.3)
    assert "multiply no row vector by one rational number" in verdict.reason


# -- traps, columns, norms --------------------------------------------------------------------------------------------


def kinked():
    objective = "Piecewise((x**2/2, x >= 0), (x**2/8, True)) - theta*x"
    return gradient_descent(objective, ["x"], "1/2", parameters=["theta"], start=["-3"])


@pytest.mark.parametrize("norm", ["max", "frobenius", "spectral"])
def test_pieces_that_are_met_in_a_trap(norm):
    """Beyond the kink both errors are halved in every step."""
    verdict = proved(always("derivatives", "4*iterates", norm=norm), kinked(), {"theta": 1})
    assert "word_tree" == content_of(verdict)["witness"]["lower"]["iterates"]["method"]
    proved(always("(1/2)**k/100", "derivatives", norm=norm), kinked(), {"theta": 1})
    refuted(always("(1/2)**k*100", "derivatives", norm=norm), kinked(), {"theta": 1})


def test_a_row_of_irrational_length():
    """The eigenvalue -9/8 belongs to (-11/2, 1); errors in its direction grow."""
    following = [y / 4 - sp.Rational(9, 8) * x + theta, y / 4]
    iteration = Iteration(SymbolicMap([x, y], following, [theta]), [theta, sp.Integer(1)])
    verdict = proved(always("k*(1/2)**k/5", "8*iterates", norm="frobenius"), iteration, {"theta": 1})
    assert ["-11/2", "1"] == content_of(verdict)["witness"]["lower"]["iterates"]["vector"]


def test_two_pieces_that_share_a_row():
    """y is multiplied by 3/4 on both sides of the kink, and x by 1/2."""
    pieces = SymbolicMap([x, y], [x / 2 + sp.Max(y, 0) / 8, sp.Rational(3, 4) * y], [theta])
    iteration = Iteration(pieces, [sp.Integer(2), theta])
    proved(always("(3/4)**k", "derivatives"), iteration, {"theta": 1})
    refuted(always("2*(3/4)**k", "derivatives"), iteration, {"theta": 1})


def test_columns_of_the_derivatives():
    """In theta the error is 3^-k; in the step it is 2 k 3^(1-k)."""
    one = gradient_descent("x**2/2 - theta*x", ["x"], "step", parameters=["theta", "step"], start=[3])
    sequences = {name: {"quantity": "derivatives", "wrt": name} for name in ("theta", "step")}
    at = {"theta": 1, "step": "2/3"}
    proved(always("theta", "step", first=1, sequences=sequences), one, at)
    assert "1" == refuted(always("step", "theta", sequences=sequences), one, at).value["first_violation"]


# -- bounds beyond ties -----------------------------------------------------------------------------------------------


def tied():
    """``y_1 = 0`` with ``x_1 = 9/8``: the second step ties, and the pieces there have different derivatives."""
    following = [x / 2 + sp.Max(y, 0) / 8, y / 2 - x / 4]
    return Iteration(SymbolicMap([x, y], following, [theta]), [sp.Integer(2), theta])


def branches(steps):
    """The largest error of the derivatives for every choice at ties, from ``J_0 = (0, 1)``; the limit is 0."""
    A = {True: ((Fraction(1, 2), Fraction(1, 8)), (Fraction(-1, 4), Fraction(1, 2)))}
    A[False] = ((Fraction(1, 2), Fraction(0)), A[True][1])
    state, found, largest = (Fraction(2), Fraction(1)), {(Fraction(0), Fraction(1))}, []
    for _ in range(steps):
        largest.append(max(max(map(abs, J)) for J in found))
        choices = [True, False] if state[1] == 0 else [state[1] > 0]
        found = {tuple(sum(a * c for a, c in zip(row, J, strict=True)) for row in A[i]) for i in choices for J in found}
        state = tuple(sum(a * c for a, c in zip(row, state, strict=True)) for row in A[state[1] > 0])
    return largest, len(found)


def test_a_bound_holds_whatever_is_chosen_at_a_tie():
    largest, count = branches(12)
    assert count > 1
    assert all(error <= 3 * Fraction(9, 10) ** k for k, error in enumerate(largest))
    verdict = proved(RateBound("derivatives", "3*(9/10)**k", "infinity"), tied(), {"theta": 1})
    assert int(verdict.value["from"]) <= 1


def test_a_range_with_a_tie_is_left_open():
    verdict = undecided(RateBound("derivatives", "3*(9/10)**k", 20), tied(), {"theta": 1})
    assert "step 1: the guard `y` ties" in verdict.reason
    refuted(RateBound("derivatives", "(9/10)**k/2", "infinity"), tied(), {"theta": 1})


def test_pieces_with_another_limit_at_a_tie_are_refused():
    """Both pieces have A = 1/2 and B is 1 or 0: which limit there is depends on the choice."""
    iteration = Iteration(SymbolicMap([x], [x / 2 + sp.Max(theta, 0)], [theta]), [sp.Integer(1)])
    with pytest.raises(InputError, match="the pieces at the fixed point have different limits"):
        prove(RateBound("derivatives", "3*(9/10)**k", "infinity"), iteration, {"theta": 0})


# -- certificates -----------------------------------------------------------------------------------------------------


CERTIFIED = {
    "columns and slopes": (always("fast", "derivatives", first=17, sequences=fast("derivatives")), descent, HALF),
    "a term": (always("(1/2)**k/100", "derivatives"), kinked, {"theta": 1}),
    "a trap": (always("derivatives", "4*iterates", norm="frobenius"), kinked, {"theta": 1}),
}


@pytest.mark.parametrize("name", CERTIFIED)
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(name):
    claim, about, at = CERTIFIED[name]
    assert_changes_matter(content_of(proved(claim, about(), at)), still_true, least=31)


def still_true(content):
    """Ask the package about what a changed certificate says."""
    claim, data = content["claim"], content["map"]
    state, parameters = ([sp.Symbol(name, real=True) for name in data[key]] for key in ("state", "parameters"))
    following = [parse(text, [*state, *parameters]) for text in data["next"]]
    start = [parse(content["start"][str(v)], parameters) for v in state]
    verdict = prove(
        always(
            *(claim[key] for key in ("left", "right")),
            first=claim["from"],
            norm=claim["norm"],
            sequences={name: table for name, table in claim["sequences"].items() if name not in KNOWN},
        ),
        Iteration(SymbolicMap(state, following, parameters), start),
        content["at"],
    )
    return verdict.name == "proved"


def test_a_certificate_proves_no_other_claim():
    """At k = 17 the errors are 0.6855... and 0.7482...; (4/5)^k decreases faster than (9/11)^k."""
    claim, about, at = CERTIFIED["columns and slopes"]
    content = content_of(proved(claim, about(), at))

    def claims(**fields):
        return {**content, "claim": {**content["claim"], **fields}}

    assert holds(claims(right="2*derivatives"))
    for right in ("derivatives/3", "derivatives*(4/5)**k*100", "derivatives - (19/20)**k", "iterates", "2*fast"):
        assert not holds(claims(right=right)), right
    assert not holds(claims(left="2*fast"))
    assert not holds(claims(**{"from": "16"}))
    for name, field, value in (
        ("derivatives", "vector", ["1", "0"]),
        ("derivatives", "eigenvalue", "1"),
        ("derivatives", "column", "theta"),
    ):
        lower = {name: {**content["witness"]["lower"][name], field: value}}
        assert not holds({**content, "witness": {**content["witness"], "lower": lower}})
    assert not holds({**content, "witness": {**content["witness"], "start": "16"}})

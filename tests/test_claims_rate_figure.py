"""The figure of claims about rates: which sequences, lines and marks it has."""

from __future__ import annotations

from pathlib import Path

import pytest
import sympy as sp

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.case import load_case
from piggycheck.claims import AsymptoticRate, ErrorComparison, RateBound, RateComparison, Subject, prove
from piggycheck.claims.figure import figure_data
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.render.figures import figure

DIAGONAL = gradient_descent(
    "x**2/2 + y**2/20 - theta*x - theta*y", ["x", "y"], "1/2", parameters=["theta"], start=["theta**2", "3*theta"]
)
KINK = heavy_ball(
    "Piecewise((x**2/2, x >= 0), (x**2/4, True)) - theta*x", ["x"], 1, "1/4", parameters=["theta"], start=["-4"]
)


def panels(iteration, *claims, steps=40, theta=1):
    subject = Subject(iteration=iteration, at={"theta": theta})
    return figure_data(subject, [prove(claim, subject) for claim in claims], steps=steps).panels


def panel(iteration, *claims, steps=40):
    return panels(iteration, *claims, steps=steps)[0]


def test_both_errors_and_the_bound_are_drawn():
    drawn = panel(DIAGONAL, RateBound("derivatives", "8*(19/20)**k", 30))
    assert ["iterates", "derivatives", "claimed:0"] == [series.role for series in drawn.series]
    for series in drawn.series[:2]:
        assert all(value == pytest.approx(7 * 0.95**k) for k, value in zip(series.k, series.values, strict=True))
    assert drawn.series[2].values[3] == pytest.approx(8 * 0.95**3)
    assert "derivatives ≤ 8·(19/20)^k: proved" == drawn.series[2].label
    assert () == drawn.marks


def test_what_is_proved_for_every_k_is_a_line_of_its_own_down_to_1e_200():
    drawn = panel(KINK, RateBound("derivatives", "10*(3/4)**k", "infinity"))
    line = next(series for series in drawn.series if series.role == "proved")
    error = next(series for series in drawn.series if series.role == "derivatives")
    assert line.k[0] > 0 and line.k[-1] == error.k[-1]
    assert all(error.values[k] <= value * (1 + 1e-9) for k, value in zip(line.k, line.values, strict=True))
    assert 0 < error.values[-1] < 1e-190


def test_identification_and_violation_are_marked():
    drawn = panel(KINK, RateBound("iterates", "Piecewise((100, k < 50), (0, True))", 90))
    assert ((2, "piece identified: k = 2"), (50, "first violation: k = 50")) == drawn.marks
    assert drawn.series[0].k[-1] >= 60


def test_errors_are_drawn_as_parts_of_their_bounds():
    claims = [RateBound("derivatives", "8*(19/20)**k", 30), RateBound("iterates", "6*(19/20)**k", 30)]
    errors, parts = panels(DIAGONAL, *claims)
    first, second, level = parts.series
    assert all(value == pytest.approx(7 / 8) for value in first.values)
    assert second.values[30] == pytest.approx(7 / 6)
    assert ("derivatives / 8·(19/20)^k", "iterates / 6·(19/20)^k") == (first.label, second.label)
    assert ("level", (1.0, 1.0), errors.series[0].k[-1]) == (level.role, level.values, level.k[-1])
    assert errors.series[3].label == "iterates ≤ 6·(19/20)^k: refuted"
    assert [place for place, _ in errors.marks] == [place for place, _ in parts.marks] == [0]


def test_nothing_is_drawn_where_all_errors_and_bounds_are_below_1e_200():
    x, theta = sp.symbols("x theta", real=True)
    newton = Iteration(SymbolicMap([x], [(x + theta / x) / 2], [theta]), start=[1])
    errors, parts = panels(newton, RateBound("iterates", "5*exp(-2**k*log(3))", 12), theta=4)
    iterates = errors.series[0]
    assert iterates.k == tuple(range(9))
    assert iterates.values == pytest.approx([1.0, *(4 / (3**2**k - 1) for k in range(1, 9))])
    assert parts.series[0].values[1] == pytest.approx(9 / 10)


def test_a_proved_rate_is_a_line_that_touches_the_errors_from_above():
    by_step = gradient_descent("x**2/20", ["x"], "theta", parameters=["theta"], start=[1])
    claims = [AsymptoticRate("derivatives"), AsymptoticRate("iterates"), AsymptoticRate("iterates")]
    (errors,) = panels(by_step, *claims)
    derivatives, iterates = errors.series[2:]
    assert derivatives.label == "derivatives: C·k·(9/10)^k, proved rate"
    assert derivatives.values[0] == pytest.approx(0.1) and derivatives.k[0] == 1
    assert iterates.values == pytest.approx([0.9**k for k in iterates.k])


def test_sequences_of_a_comparison_are_drawn_with_their_quotient():
    sequences = {"last_two": {"quantity": "derivatives", "last": 2}}
    errors, quotients = panels(DIAGONAL, ErrorComparison("last_two", "11*iterates/10", 60, 0, sequences=sequences))
    assert ["iterates", "derivatives", "sequence:0", "claimed:0"] == [series.role for series in errors.series]
    assert "last_two: derivatives of the last 2 steps" == errors.series[2].label
    assert "last_two ≤ 11·iterates/10: refuted" == errors.series[3].label == quotients.series[0].label
    assert errors.series[2].values[2:] == pytest.approx([10 * 0.95**2] * 39)
    assert quotients.series[0].values == pytest.approx(
        [10 / 7.7] + [95 / 73.15] + [10 / (7.7 * 0.95**k) for k in range(39)]
    )
    assert ((0, "first violation: k = 0"),) == errors.marks


def test_where_a_comparison_begins_is_marked():
    by_step = gradient_descent("x**2/20", ["x"], "theta", parameters=["theta"], start=[1])
    errors, quotients = panels(by_step, ErrorComparison("iterates", "derivatives", 50, 9))
    assert ((9, "claimed from k = 9 on"),) == errors.marks
    assert quotients.series[0].values == pytest.approx([9 / k for k in range(1, 51)])


def test_compared_rates_are_drawn_for_the_sequences_they_are_of():
    fast = {"quantity": "iterates", "at": {"theta": "5"}}
    by_step = gradient_descent("x**2/20", ["x"], "theta", parameters=["theta"], start=[1])
    (errors,) = panels(by_step, RateComparison("fast", "iterates", "<", {"fast": fast}))
    assert "fast: iterates, at theta = 5" == errors.series[2].label
    assert errors.series[2].values == pytest.approx([0.5**k for k in range(41)])
    assert ["fast: C·(1/2)^k, proved rate", "iterates: C·(9/10)^k, proved rate"] == [
        one.label for one in errors.series[3:]
    ]


def test_one_name_may_stand_for_two_sequences_in_two_claims():
    by_step = gradient_descent("x**2/20", ["x"], "theta", parameters=["theta"], start=[1])
    claims = [
        ErrorComparison("other", "iterates", 30, sequences={"other": {"quantity": "iterates", "at": {"theta": at}}})
        for at in ("5", "15/2")
    ]
    errors, quotients = panels(by_step, *claims)
    assert ["other: iterates, at theta = 5", "other: iterates, at theta = 15/2"] == [
        series.label for series in errors.series[2:]
    ]
    assert quotients.series[0].values == pytest.approx([(5 / 9) ** k for k in range(41)])
    assert quotients.series[1].values == pytest.approx([(5 / 18) ** k for k in range(41)])


def test_a_sequence_in_another_norm_is_another_one():
    claims = [RateBound("iterates", "8*(19/20)**k", 9), ErrorComparison("iterates", "2", 9, norm="frobenius")]
    errors, _ = panels(DIAGONAL, *claims)
    assert "iterates, Frobenius norm" == errors.series[2].label


def test_an_error_is_divided_by_a_bound_in_the_norm_of_the_claim():
    bounds = {"max": "7*(19/20)**k", "frobenius": "sqrt((1/4)**k + 49*(361/400)**k)"}
    claims = [RateBound("derivatives", bound, 20, norm) for norm, bound in bounds.items()]
    errors, quotients = panels(DIAGONAL, *claims)
    assert "derivatives, Frobenius norm" == errors.series[2].label
    for one in quotients.series[:2]:
        assert one.values == pytest.approx([1] * 41)


def test_it_is_drawn(tmp_path):
    subject = Subject(iteration=KINK, at={"theta": 1})
    claims = [RateBound("iterates", "50*(3/5)**k", "infinity"), RateBound("derivatives", "(1/2)**k", 20)]
    path = tmp_path / "rates.svg"
    figure(figure_data(subject, [prove(claim, subject) for claim in claims], title="Errors"), path)
    assert path.stat().st_size > 1000


def test_errors_of_a_map_made_of_layers_are_drawn_with_their_bounds():
    case = load_case(Path(__file__).parent.parent / "casebook" / "douglas-rachford-rate-attained" / "case.toml")
    subject = case.subject()
    errors, quotients = figure_data(subject, [prove(case.claims[2], subject)], steps=40).panels
    assert ["iterates", "derivatives", "claimed:0", "proved"] == [series.role for series in errors.series]
    assert errors.series[0].values[:9] == pytest.approx([2 * 0.75**k for k in range(9)])
    assert quotients.series[0].values[:9] == pytest.approx([1] * 9)


def test_the_rate_along_a_curved_piece_is_a_line_too():
    x, theta = sp.symbols("x theta", real=True)
    curved = Iteration(SymbolicMap([x], [x - (x**3 + x - theta) / 8], [theta]), start=[0])
    (errors,) = panels(curved, AsymptoticRate("iterates"), theta=2)
    line = errors.series[-1]
    assert "iterates: C·(1/2)^k, proved rate" == line.label
    assert line.values[-1] == pytest.approx(errors.series[0].values[-1], rel=1e-3)

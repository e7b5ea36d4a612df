"""The figure of claims about rates: which sequences, lines and marks it has."""

from __future__ import annotations

import pytest

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.claims import RateBound, Subject, prove
from piggycheck.claims.figure import figure_data
from piggycheck.render.figures import figure

DIAGONAL = gradient_descent(
    "x**2/2 + y**2/20 - theta*x - theta*y", ["x", "y"], "1/2", parameters=["theta"], start=["theta**2", "3*theta"]
)
KINK = heavy_ball(
    "Piecewise((x**2/2, x >= 0), (x**2/4, True)) - theta*x", ["x"], 1, "1/4", parameters=["theta"], start=["-4"]
)


def panel(iteration, *claims, steps=40):
    subject = Subject(iteration=iteration, at={"theta": 1})
    (only,) = figure_data(subject, [prove(claim, subject) for claim in claims], steps=steps).panels
    return only


def test_both_errors_and_the_bound_are_drawn():
    drawn = panel(DIAGONAL, RateBound("derivatives", "8*(19/20)**k", 30))
    assert ["iterates", "derivatives", "claimed"] == [series.role for series in drawn.series]
    for series in drawn.series[:2]:
        assert all(value == pytest.approx(7 * 0.95**k) for k, value in zip(series.k, series.values, strict=True))
    assert drawn.series[2].values[3] == pytest.approx(8 * 0.95**3)
    assert "claimed and proved: 8*(19/20)**k" == drawn.series[2].label
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


def test_it_is_drawn(tmp_path):
    subject = Subject(iteration=KINK, at={"theta": 1})
    claims = [RateBound("iterates", "50*(3/5)**k", "infinity"), RateBound("derivatives", "(1/2)**k", 20)]
    path = tmp_path / "rates.svg"
    figure(figure_data(subject, [prove(claim, subject) for claim in claims], title="Errors"), path)
    assert path.stat().st_size > 1000

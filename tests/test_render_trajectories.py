"""What reports and figures say of iterates and flows away from the fixed point."""

import re
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from piggycheck.case import load_case
from piggycheck.claims import IteratesConvergeUniformly, prove
from piggycheck.claims.figure import figure_data
from piggycheck.claims.plane_figure import PlaneFigure, path_figure
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.render import figure, html, latex

CASEBOOK = Path(__file__).parent.parent / "casebook"


def decided(name):
    case = load_case(CASEBOOK / name / "case.toml")
    subject = case.subject()
    return case, subject, [prove(claim, subject) for claim in case.claims]


def one_line(text):
    return re.sub(r"\s+", " ", text)


def test_the_report_of_a_funnel_lists_its_sides():
    _, _, (uniform, everywhere, _) = decided("iterates-converge-uniformly-derivatives-nowhere")
    said = one_line(uniform.report())
    assert "Put s = (2/3)^k at step k. For all theta ∈ [0, 1]" in said
    assert "u ≥ 0 v - u ≥ 0 s - v ≥ 0" in said
    assert "| x_k − x̄ | ≤ (2/3)^k in the maximum norm" in said
    assert "A d = λ d for d = (1, 0), with one of the factors 4/3, -4/3" in one_line(everywhere.report())


def test_the_report_of_iterates_that_do_not_converge_names_them():
    x, theta = sp.symbols("x theta", real=True)
    iteration = Iteration(SymbolicMap([x], [sp.Max(x / 2, 2 * x - 1)], [theta]), [theta])
    verdict = prove(IteratesConvergeUniformly({"theta": [0, 1]}), iteration, {"theta": 0})
    said = one_line(verdict.report())
    assert "At theta = 1 exact evaluation gives x_1 = x_0 = (1)" in said
    assert "at theta = 1 the iterates stay at another fixed point" in said


def test_the_report_of_a_cycle_has_its_crossings_polynomial_and_multiplier():
    _, _, (verdict,) = decided("bilevel-linear-program-cycle")
    said = one_line(verdict.report())
    for expected in (
        "x' = 1/10 (3 − x), y' = 2/5 (5 − y) where y - 3*x + 2 > 0",
        "p ≈ (0.6787637971",
        "q ≈ (2.32123620286",
        "λ⁴ − 6 λ³ + 22 λ² − 39 λ + 18",
        "μ ≈ 0.00021239",
        "a periodic orbit of 26 points",
    ):
        assert expected in said


@pytest.mark.parametrize("name", ["bilevel-linear-program-cycle", "iterates-converge-uniformly-derivatives-nowhere"])
def test_latex_and_html_know_every_sign(name):
    _, _, verdicts = decided(name)
    assert "U+" not in latex(verdicts) and "<h" in html(verdicts)


def test_the_picture_of_the_cycle_is_closed_and_on_both_sides(tmp_path):
    case, subject, verdicts = decided("bilevel-linear-program-cycle")
    data = figure_data(subject, verdicts, title=case.title)
    assert isinstance(data, PlaneFigure)
    curves = {curve.role: curve for curve in data.planes[0].curves}
    x, y = np.array(curves["cycle"].x), np.array(curves["cycle"].y)
    assert np.hypot(x[0] - x[-1], y[0] - y[-1]) < 1e-9
    side = y - 3 * x + 2
    assert (side[1:199] > 0).all() and (side[201:-1] < 0).all()
    assert len(curves["orbit"].x) == 27
    figure(data, tmp_path / "one.svg")
    figure(data, tmp_path / "two.svg")
    assert (tmp_path / "one.svg").read_bytes() == (tmp_path / "two.svg").read_bytes()


def test_the_picture_of_the_tents_stays_below_its_bounds():
    _, subject, verdicts = decided("iterates-converge-uniformly-derivatives-nowhere")
    curves = figure_data(subject, verdicts).planes[0].curves
    members = [curve for curve in curves if curve.role == "member"]
    assert [max(curve.y) for curve in members] == pytest.approx([(2 / 3) ** k for k in range(5)])
    assert [sum(np.diff(np.sign(np.diff(c.y))) != 0) for c in members] == [0, 1, 3, 7, 15], "kinks"


def test_a_path_is_shown_in_the_planes_asked_for():
    data = path_figure([[0, 1, 2], [3, 4, 5]], "xyz", [(0, 2), (2, 1)])
    assert [(panel.xlabel, panel.ylabel) for panel in data.planes] == [("x", "z"), ("z", "y")]
    assert data.planes[1].curves[0].x == (2.0, 5.0) and data.planes[1].curves[0].y == (1.0, 4.0)

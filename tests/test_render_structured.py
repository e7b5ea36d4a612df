"""Maps of layers are told by formulas and names, enclosures by what proves them, runs by what was seen."""

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from render_cases import STRUCTURED, subject, verdict, verdicts
from structured_cases import structured
from test_render_html import Page

from piggycheck import derivation as d
from piggycheck.arrays import MpmathArrays
from piggycheck.claims import Proved, default_claims, subject_of
from piggycheck.claims.figure import figure_data
from piggycheck.errors import InputError
from piggycheck.piggyback import propagate
from piggycheck.render import html, latex, report, report_case
from piggycheck.render.formula import Letter, Power
from piggycheck.render.layers import entries_of
from piggycheck.render.numbers import power_of_ten

LASSO = "structured lasso"


def flat(text):
    return " ".join(text.split())


def told(*steps):
    """The report of a derivation with these steps."""
    return flat(report(Proved("converges", "a claim", "what was found", derivation=d.Derivation(list(steps)))))


def test_nodes_are_formulas_and_data_are_names_with_sizes():
    text = report(verdict(LASSO, "fixed_point"))
    assert "forward = x − 1/10 Aᵀ A x + 1/10 Aᵀ b" in text
    assert "proximal_i = forward_i - Max(-t, Min(forward_i, t))" in text
    assert "x ← proximal" in text
    assert "A is a matrix of 2 × 3 numbers. Its entries are in the certificate." in text
    assert "It is examined at lam = 1/2, b = (1, 3)." in text
    assert "It starts with 0 in every coordinate." in text


FORMULAS = {
    "structured group lasso": "proximal_g = max(0, 1 − t/‖forward_g‖) forward_g    for each of 2 groups g",
    "structured inverse covariance": "shifted = Q diag(lambda) Qᵀ\n        proximal = Q diag(",
    "structured trend filtering": "K = I + D2ᵀ D2",
    "structured cone": "proximal = Π(forward)    the projection on the second-order cone",
    "structured nuclear": "proximal = 1/2 dilationᵀ shrunk",
}


@pytest.mark.parametrize("name", FORMULAS)
def test_every_kind_of_layer_has_its_formula(name):
    assert FORMULAS[name] in report(verdict(name, "fixed_point"))


def test_the_fixed_point_comes_with_its_error_the_contraction_and_the_branches():
    text = flat(report(verdict(LASSO, "fixed_point")))
    assert "Exactly one fixed point x̄ lies near x̃, at the distance ‖x̄ − x̃‖ ≤ 10^-3" in text
    assert "Of the 3 coordinates of x, 2 are positive and 1 zero." in text
    assert "the map contracts by the factor γ ≤ 0.9" in text
    assert "‖x̄ − x̃‖ ≤ δ/(1 − γ)" in text
    assert "2 entries of proximal with t - v < 0, 2*t > 0" in text
    assert "1 entry of proximal with t - v > 0, t + v > 0" in text


def test_the_rate_and_the_way_from_the_start_are_told():
    text = flat(report(verdict(LASSO, "converges")))
    assert "of which 1 of the 3 rows are zero. Without these rows and their columns" in text
    assert "ρ(A) ≤ 0.923607" in text
    assert "is sent to one at a distance of at most L (ϱ − r) + γ r < ϱ" in text
    assert "None of this is part of the certificate." in text


def test_derivatives_name_their_directions():
    text = report(verdict(LASSO, "derivative"))
    for direction in ("lam", "b_1", "b_2"):
        assert f"in the direction {direction}\n" in text


def test_an_output_is_told_beside_the_state():
    text = flat(report(verdict("structured trend filtering", "derivative")))
    assert "The output of the iteration is x." in text
    assert "x ≈ (-0.1, 1.1, 3.1, 7.9)" in text
    assert "J̃ ≈ (-1, 1, 1, -1)" in text


def test_what_is_not_converged_is_told_with_both_bounds():
    text = flat(report(verdict("structured trend filtering", "converged")))
    assert "refuted not converged: after 20 iterations the error is at least" in text
    assert "≤ ‖x_20 − x̄‖ ≤" in text


def test_a_case_tells_the_map_and_the_fixed_point_once():
    text = report_case("t", verdicts(LASSO))
    assert text.count("Exactly one fixed point") == text.count("x ← proximal") == 1


def test_a_tie_is_told_with_its_guards_and_pieces():
    two = d.TieStep(("y[0]: t - v", "y[3]: t + v"), 4)
    assert "These guards vanish at the fixed point: `y[0]: t - v`, `y[3]: t + v`. 4 pieces meet there." in told(two)
    assert "This guard vanishes at the fixed point: `y[0]: v`." in told(d.TieStep(("y[0]: v",)))


def test_bounds_are_not_rounded_to_the_wrong_side():
    step = d.ErrorStep("iterates", 5, fmpq(1, 3), fmpq(2, 3))
    assert "0.333333 ≤ ‖x_5 − x̄‖ ≤ 0.666667" in told(step)
    assert power_of_ten(fmpq(101, 10**5)) == Power("10", "-2") and power_of_ten(fmpq(1, 1000)) == Power("10", "-3")


def test_of_a_long_vector_with_many_zeros_the_others_are_shown():
    values = [fmpq(0)] * 30
    values[6], values[29] = fmpq(1, 2), fmpq(-3)
    shown = told(d.EnclosedDerivativeStep(("theta",), (("x", fmpq_mat(30, 1, values)),), fmpq(1, 10**20)))
    assert "J̃_7 = 1/2, J̃_30 = -3" in shown
    assert entries_of(Letter("x"), values[:4])[2:4] == entries_of(Letter("x"), [fmpq(0)] * 4)[2:4]


@pytest.mark.parametrize("name", STRUCTURED)
def test_no_printer_writes_arrays_as_python_does(name):
    for text in (report_case("t", verdicts(name)), latex(verdicts(name)), Page(html(verdicts(name))).text):
        assert "fmpq" not in text and "array(" not in text
    assert r"\begin{alignat*}" in latex(verdicts(name))


# Figures


def by_role(data, role):
    return [series for panel in data.panels for series in panel.series if series.role == role]


def test_errors_are_those_of_the_recursion_in_another_arithmetic():
    about = subject(LASSO)
    data = figure_data(about, verdicts(LASSO))
    (iterates,), (derivatives,) = by_role(data, "iterates"), by_role(data, "derivatives")
    moments = propagate(about.iteration, 20, about.at, arithmetic=MpmathArrays(60))
    limit = about.limit(about.chosen("derivative"))
    for k in (0, 7, 20):
        for found, there, series in (
            (moments[k].x, limit.point, iterates),
            (moments[k].J, limit.derivative, derivatives),
        ):
            entries = [float(e) for e in MpmathArrays(60).entries(found.centre)]
            exact = [float(e.p) / float(e.q) for e in there.entries()]
            assert series.values[k] == pytest.approx(float(np.linalg.norm(np.array(entries) - np.array(exact))))


def test_the_identification_is_marked_where_the_signature_settles():
    data = figure_data(subject(LASSO), verdicts(LASSO))
    found = int(verdict(LASSO, "converges").value["identified_at"])
    assert found > 0
    assert all(panel.marks == ((float(found), f"piece identified at k = {found}"),) for panel in data.panels)


def test_the_line_of_the_proved_rate_lies_above_the_errors():
    data = figure_data(subject(LASSO), verdicts(LASSO))
    (proved,), (errors,) = by_role(data, "proved"), by_role(data, "derivatives")
    assert all(e <= p * (1 + 1e-9) for e, p in zip(errors.values, proved.values, strict=True))


def test_a_claim_about_many_iterations_is_drawn_that_far():
    name = "structured trend filtering"
    assert len(by_role(figure_data(subject(name), verdicts(name)), "iterates")[0].values) >= 21


def test_without_a_start_there_is_nothing_to_draw():
    iteration, at = structured("ridge")
    about = subject_of(type(iteration)(iteration.map), at)
    with pytest.raises(InputError, match="the iteration has no start"):
        figure_data(about)


def test_at_a_tie_the_pieces_are_drawn():
    about = subject_of(*structured("lasso at a tie"))
    assert len(by_role(figure_data(about, list(default_claims(about))), "fixed branch")) == 2

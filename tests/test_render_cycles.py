"""What reports say of cycles, in text, LaTeX and HTML."""

import re
from pathlib import Path

import pytest
import sympy as sp

from piggycheck.case import load_case
from piggycheck.claims import Cycle, prove
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.render import html, latex

CASEBOOK = Path(__file__).parent.parent / "casebook"
x = sp.Symbol("x", real=True)


def decided(name):
    case = load_case(CASEBOOK / name / "case.toml")
    subject = case.subject()
    return case, [prove(claim, subject) for claim in case.claims]


def one_line(text):
    return re.sub(r"\s+", " ", text)


def test_the_report_lists_every_cycle_with_its_multiplier():
    _, (verdict, _) = decided("heavy-ball-attracting-cycle")
    said = one_line(verdict.report())
    assert "Up to rotation 7 itineraries of length 3 were solved exactly, and no point follows any other." in said
    assert "There are 2 cycles: (x, x_previous) = (-2208/1225, 792/1225) where x - 1 < 0" in said
    assert "ρ = 8/27" in said and "ρ ≈ 2.933031" in said
    assert (
        "the iterates from an open set of starts do not converge: they approach a cycle of 3 different points" in said
    )


def test_the_report_says_which_starts_lead_there():
    _, (_, verdict) = decided("heavy-ball-attracting-cycle")
    said = one_line(verdict.report())
    assert "One round of the cycle decreases V" in said
    assert "The iterates from the start are there at x_7, where V(x_7) ≤ 1/137 by exact evaluation." in said


def test_long_cycles_are_cut_and_long_numbers_rounded():
    _, (verdict, _) = decided("bilevel-gradient-descent-cycles")
    said = one_line(verdict.report())
    assert "(x, y) ≈ (0.6080114067, 0.006521829047)" in said and "… and 18 more points" in said
    assert verdict.found.startswith("an attracting cycle has a point near (0.608011, 0.00652183)")


def test_irrational_cycles_are_shown_exactly():
    _, (verdict, _) = decided("gradient-descent-double-well-cycle")
    assert "x = -sqrt(129)/7" in verdict.report() and "every eigenvalue has a modulus above 1" in verdict.report()


@pytest.mark.parametrize(
    "claim, said",
    [
        (Cycle(2, "2/3"), "Exact evaluation from the claimed point gives x_0 = 2/3 x_1 = 2/3"),
        (Cycle(3, "2/5"), "x_3 = 4/5"),
        (Cycle(2, attracting=True), "The cycle does not attract: every eigenvalue has a modulus above 1."),
    ],
)
def test_refuted_claims_show_what_was_found(claim, said):
    tent = Iteration(SymbolicMap([x], [sp.Min(2 * x, 2 - 2 * x)]))
    assert said in one_line(prove(claim, tent).report())


def test_no_cycle_is_said_so():
    flat = Iteration(SymbolicMap([x], [sp.Max(x / 2, 0)]))
    said = one_line(prove(Cycle(2), flat).report())
    assert "No solution follows its itinerary with points that are all different." in said


def test_a_cycle_on_a_guard_and_a_continuum_say_so():
    fold = Iteration(SymbolicMap([x], [1 - sp.Abs(x)]))
    assert "It is one of a continuum of cycles." in one_line(prove(Cycle(2), fold).report())
    kink = Iteration(SymbolicMap([x], [sp.Abs(x) / 2]))
    assert "Whether the cycle attracts is undecided" in one_line(prove(Cycle(1), kink).report())


@pytest.mark.parametrize(
    "name", ["heavy-ball-attracting-cycle", "bilevel-gradient-descent-cycles", "gradient-descent-double-well-cycle"]
)
def test_latex_and_html_have_the_same_signs(name):
    _, verdicts = decided(name)
    assert "U+" not in latex(verdicts) and "<h" in html(verdicts)

"""The tables of what practice and the chain rule return: in text, in LaTeX and in HTML."""

from __future__ import annotations

import re

import pytest
import sympy as sp

from piggycheck.claims import ChainRuleSetIsLarger, PracticeAgrees, prove
from piggycheck.expression import parse
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.render import html, latex

x, y, theta = sp.symbols("x y theta", real=True)


def about(*texts):
    state = (x, y)[: len(texts)]
    return Iteration(SymbolicMap(state, [parse(text, [*state, theta]) for text in texts], [theta]))


@pytest.fixture(scope="module")
def practice():
    return prove(PracticeAgrees(policy="torch"), about("Abs(theta) - x/2"), {"theta": 0})


@pytest.fixture(scope="module")
def tall():
    maps = about("x/4 + relu(theta)", "y/4 + Abs(x)/4 + Abs(y)/8 - Abs(x + y)/8 + theta")
    return prove(ChainRuleSetIsLarger(), maps, {"theta": 0})


def test_the_policies_are_rows_of_text(practice):
    lines = [line.split() for line in practice.report().splitlines()]
    assert ["JAX", "-1/2", "1", "2/3", "in", "the", "implicit", "set"] in lines
    assert ["PyTorch", "-1/2", "0", "0", "in", "the", "piggyback", "set", "only"] in lines
    assert ["random", "picks", "any", "any", "none", "they", "do", "not", "settle"] in lines
    assert "the range from -2 to 2" in " ".join(practice.report().split())


def test_columns_of_text_are_aligned(practice, tall):
    for report in (practice.report(), tall.report()):
        lines = report.splitlines()
        rule = next(i for i, line in enumerate(lines) if "──" in line)
        assert set(lines[rule].strip()) == {"─"} and len(lines[rule]) <= 92
        starts = [match.start() for match in re.finditer(r"(?<=   )\S|^    \S", lines[rule - 1])]
        body = lines[rule + 1 : lines.index("", rule)]
        assert all(line[: starts[1]].endswith(" ") or len(line) < starts[1] for line in body if line)


def test_matrices_stand_in_cells(tall):
    assert "as at x > 0" in " ".join(tall.report().split())
    assert re.search(r"⎡ .*⎤   ⎡ .*⎤   (inside|outside)", tall.report())


def test_latex_has_a_table(practice, tall):
    text = latex(practice)
    assert r"PyTorch & $-\tfrac{1}{2}$ & $0$ & $0$ & in the piggyback set only" in text
    assert text.count(r"\begin{tabular}") == text.count(r"\end{tabular}") == text.count(r"\bottomrule")
    assert r"\begin{smallmatrix}" in latex(tall) and r"\operatorname{relu}" in latex(tall)


def test_html_has_a_table(practice, tall):
    page = html(practice)
    assert "<td>PyTorch</td>" in page and "<th>where it lies</th>" in page
    assert '<table class="matrix">' in html(tall)


def test_many_pieces_are_not_all_listed():
    five = " + ".join(f"Abs(theta - {k}*x)/{8 * 2**k}" for k in range(5))
    report = prove(PracticeAgrees(policy="jax"), about(f"{five} + x/9"), {"theta": 0}).report()
    assert len(re.findall(r"^ +piece \d+ ", report, re.MULTILINE)) <= 16

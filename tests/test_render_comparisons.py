"""What reports say of comparisons between sequences of errors, in text, LaTeX and HTML."""

from __future__ import annotations

import re

import pytest
from test_render_latex import compiled, needs_pdflatex

from piggycheck.algorithms import gradient_descent
from piggycheck.claims import ErrorComparison, prove
from piggycheck.render import html, latex

PLANE = gradient_descent(
    "x**2/2 + y**2/20 - theta*x - theta*y", ["x", "y"], "s", parameters=["theta", "s"], start=[0, 0]
)
AT = {"theta": 1, "s": "1/2"}
SEQUENCES = {
    "big_step": {"quantity": "derivatives", "wrt": "theta", "at": {"s": "19/10", "theta": 2}},
    "one": {"quantity": "derivatives", "last": 1, "wrt": "theta", "norm": "frobenius"},
    "value": {"quantity": "iterates", "output": "x**2 - theta*y"},
    "direct": {"quantity": "partial", "output": ["x*theta", "y"]},
}


def verdict(left, right, *names, **range_):
    return prove(ErrorComparison(left, right, **range_, sequences={name: SEQUENCES[name] for name in names}), PLANE, AT)


def one_line(text):
    return re.sub(r"\s+", " ", text)


@pytest.mark.parametrize(
    "left, right, name, range_, said",
    [
        (
            *("big_step", "10*(9/10)**k", "big_step", (0, 9)),
            "big_step is the error of the derivatives in theta, at s = 19/10, theta = 2, where the fixed point is "
            "x = 2, y = 20. It is measured from J̄ = ⎡ 1 0 ⎤",
        ),
        (
            *("big_step", "10*(9/10)**k", "big_step", (0, 9)),
            "claimed that big_step ≤ 10*(9/10)**k For every k from 0 to 9 this is so: both sides were enclosed",
        ),
        (
            *("derivatives + one", "20", "one", (0, 0)),
            "one is the error of the derivatives in theta of the last step, in the Frobenius norm. "
            "It is measured from J̄, too.",
        ),
        ("value", "9*iterates", "value", (0, 5), "value is the error of x**2 - theta*y at the iterates."),
        (
            *("direct", "1/2", "direct", (0, 5)),
            "At k = 0 the left side is at least 10.000000, and the right side at most 0.500000.",
        ),
        ("value", "10*(19/20)**k", "value", (1, 5), "At k = 0 it is so, too."),
        (
            *("direct", "10", "direct", (0, 0)),
            "direct is the error of the partial derivatives of x*theta, y at the iterates. It is measured from "
            "the derivatives at the fixed point, ⎡ 2 0 ⎤ ⎣ 10 0 ⎦",
        ),
        (
            "10*value",
            "10*value",
            "value",
            (0, 0),
            "It comes closest at k = 0, where both sides are equal to six digits.",
        ),
    ],
    ids=["parameters", "range", "norm", "output", "violation", "before", "target", "equal"],
)
def test_the_report_says_what_is_compared_and_how_far(left, right, name, range_, said):
    """At theta = 1 the output x^2 - theta y is 0 at the start, and -9 in the limit; y has no partial derivative.

    The fixed point is (theta, 10 theta), so that (theta x, y) = (theta^2, 10 theta) there.
    """
    assert said in one_line(verdict(left, right, name, first=range_[0], upto=range_[1]).report())


def test_names_and_numbers_are_safe_in_latex_and_html():
    found = verdict("big_step", "10*(9/10)**k", "big_step", upto=9)
    text = latex(found)
    assert r"\mathrm{big}_{\mathrm{step}} \leq" in text and r"For k = 0, \dots{}, 9, big\_step is at most" in text
    assert "Is one error at most the other?" in html([found])


@pytest.mark.latex
@needs_pdflatex
def test_reports_compile(tmp_path):
    found = [verdict("big_step", "one", "big_step", "one", upto=9), verdict("direct", "1/2", "direct", upto=5)]
    latex(found, tmp_path / "paper.tex")
    assert not re.findall(r"LaTeX Warning.*|Undefined.*", compiled(tmp_path))


def test_expressions_in_prose_are_written_as_they_were_typed():
    """2/2 in x**2/2 is no fraction, and neither is 7/8 in 20*(7/8)**k one that stands alone."""
    outputs = {"f": {"quantity": "iterates", "output": "x**2/2+y**2/20-theta*x"}}
    found = prove(ErrorComparison("f", "20*(7/8)**k", 0, sequences=outputs), PLANE, AT)
    text = latex(found).replace(r"\allowbreak{}", "")
    assert r"at most \texttt{20*(7/8)**k} in the maximum norm" in text
    assert r"\texttt{x**2/2+y**2/20-theta*x}" in text and r"\tfrac{2}{2" not in text
    assert "at most 20*(7/8)**k in the maximum norm" in one_line(found.report())


def test_the_brackets_of_a_matrix_stand_below_each_other_though_the_bar_of_a_letter_takes_no_column():
    lines = verdict("derivatives", "20", upto=0).report().replace("\u0304", "").splitlines()
    above = next(i for i, line in enumerate(lines) if line.lstrip().startswith("J = ⎡"))
    assert lines[above].index("⎡") == lines[above + 1].index("⎣")

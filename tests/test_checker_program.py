"""Expressions are read by a grammar of their own, and have the values of ordinary algebra."""

from __future__ import annotations

from fractions import Fraction

import pytest
from checker_certificates import DIVERGES, certificate, changed, one_map

from piggycheck.checker import Unreadable, check
from piggycheck.checker.program import Program
from piggycheck.checker.subject import Map


@pytest.mark.parametrize(
    "expression",
    [
        "9**9**9",
        "x**1000000",
        "__import__('os')",
        "x.real",
        "lambda: x",
        "[x][0]",
        "x if x > 0 else y",
        "1j",
        "0x10",
        "z",
        "f(x)",
        "Max()",
        "Abs(x, y)",
        "Piecewise()",
        "Piecewise(x)",
        "Piecewise((x, x))",
        "x > 0",
        "x & y",
        "'x'",
        "(" * 300 + "x" + ")" * 300,
        "-" * 5000 + "x",
        "Abs(" * 170 + "x" + ")" * 170,
        "1" * 5000,
        "1e99999",
        "",
        "x +",
        "x\0",
        "x == y",
        "True",
        "x % 2",
        "x // 2",
        "x @ y",
        "(x := 2)",
        "f'{x}'",
        "x; y",
        "1_000",
        "Piecewise((x, True), key=1)",
        "*x",
        "x # + y",
        "\uff58",  # another letter x
        "x\u00b2",  # a square, as one character
    ],
)
def test_what_is_not_in_the_grammar_is_unreadable(expression: str) -> None:
    with pytest.raises(Unreadable):
        check(changed(DIVERGES, ("map/next/1", expression)))


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ("0.1*x + .5 - 1e-1", "3/5"),
        ("x**-2", "1/4"),
        ("4**(3/2)", "8"),
        ("-x**2", "-4"),
        ("4**(-1/2)", "1/2"),
        ("Max(1, x, 3/2)", "2"),
        ("Min(x, 1, 7)", "1"),
        ("sign(-x)", "-1"),
        ("relu(x) + relu(-x)", "2"),
        ("exp(0) + log(1)", "1"),
        ("Piecewise((1, 0 < x < 2), (2, (x == 2) & ~(x != 2)), (3, True))", "2"),
        ("x - 1 - 1 - 1", "-1"),
        ("8/x/x*3", "6"),
        ("Piecewise((1/0, x < 0), (5, not x < 0 or 1/0 > 0))", "5"),
        ("sqrt(x*8)", "4"),
        ("+x", "2"),
        ("Piecewise((1, False), (2, x > 3 | x < 3), (4, True))", None),
    ],
)
def test_expressions_have_the_values_of_ordinary_algebra(expression: str, value: str | None) -> None:
    subject = one_map("x", "", f"({expression}) + x - 2", at={}, fixed_point={"x": "2"})
    data = certificate(subject, "fixed_point", "proved", {})
    if value is None:
        with pytest.raises(Unreadable):
            check(data)
        return
    map_ = Map({**subject, "at": {}}, at_needed=True)
    found = map_.value(map_.next, {"x": Fraction(2)})[0]
    assert (found.lo, found.hi) == (Fraction(value), Fraction(value))


def test_names_that_python_reads_alike_are_refused() -> None:
    """Python's parser takes the ligature in the first name for the two letters of the second."""
    ligature = "\ufb01"
    subject = one_map(f"{ligature} fi", "", ligature, "fi/2", at={}, fixed_point={ligature: "1", "fi": "0"})
    with pytest.raises(Unreadable, match="not a name"):
        check(certificate(subject, "fixed_point", "proved", {}))


@pytest.mark.parametrize(
    ("expression", "same"),
    [
        ("Piecewise((x, x > 1), (x, True))", "x"),
        ("Piecewise((x, (x > 1) & (y/2 < 3)), (x, y == 2), (x, True))", "x"),
        ("Piecewise((y, x > 1), (x, y > 1), (x, True))", "Piecewise((y, x > 1), (x, True))"),
        ("Piecewise((x, True), (y, x > 1))", "x"),
    ],
)
def test_conditions_on_which_nothing_depends_are_no_part_of_the_program(expression: str, same: str) -> None:
    program = Program(["x", "y"])
    assert program.read(expression) == program.read(same)


@pytest.mark.parametrize(
    "expression",
    [
        "Piecewise((x, 1/x > 1), (x, True))",
        "Piecewise((x, sqrt(y) > 1), (x, True))",
        "Piecewise((x, Piecewise((x, x > 1)) > 2), (x, True))",
        "Piecewise((x, x > 1), (x, x < 1))",
        "Piecewise((x, x > 1), (y, x > 2), (x, True))",
    ],
)
def test_conditions_that_may_have_no_value_or_leave_none_stay(expression: str) -> None:
    program = Program(["x", "y"])
    assert program.nodes[program.read(expression)].kind == "piecewise"

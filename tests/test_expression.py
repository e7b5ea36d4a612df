"""Text to sympy and back."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from piggycheck.errors import ExpressionError
from piggycheck.expression import parse, parse_number, relu, to_text

x, y, theta = NAMES = sp.symbols("x y theta", real=True)


def refusal(text, names=NAMES, where="expression"):
    with pytest.raises(ExpressionError) as caught:
        parse(text, names, where=where)
    message = str(caught.value)
    assert "\n" not in message and len(message) < 400
    return caught.value


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("3/4*(x - y)", sp.Rational(3, 4) * x - sp.Rational(3, 4) * y),
        ("-x**2", -(x**2)),
        ("2**-1", sp.Rational(1, 2)),
        ("2**3**2", sp.Integer(512)),
        ("x - y - theta", x - y - theta),
        ("x/y/theta", x / y / theta),
        ("x/y*theta", x / y * theta),
        ("--x", x),
        ("+x", x),
        ("x**(3/2)", x ** sp.Rational(3, 2)),
        ("sqrt(8)", 2 * sp.sqrt(2)),
        ("exp(x)*log(y)", sp.exp(x) * sp.log(y)),
        ("0.1*x", x / 10),
        (".5", sp.Rational(1, 2)),
        ("1e-3", sp.Rational(1, 1000)),
        ("relu(x)", relu(x)),
        ("relu(-3/2) + relu(3/2)", sp.Rational(3, 2)),
        ("Max(x, y, 1/2)", sp.Max(sp.Rational(1, 2), x, y)),
        ("Min(3, 2, 5/2)", sp.Integer(2)),
        ("Abs(-3/2)", sp.Rational(3, 2)),
        ("sign(-3/2)", sp.Integer(-1)),
        ("sign(0)", sp.Integer(0)),
        ("x +\n  y\r\n\t- 1", x + y - 1),
        ("Piecewise((x, 2 > 1), (y, True))", x),
        ("Piecewise((x, 2 < 1), (y, True))", y),
    ],
)
def test_reads_what_is_written(text, expected):
    assert parse(text, NAMES) == expected


def test_conditions_of_a_piecewise_stay_as_they_are_written():
    result = parse("Piecewise((x, 2*x >= theta), (y, not (x < 1 or theta == x) and 0 < x <= 1), (1, True))", NAMES)
    first, second, last = (pair.cond for pair in result.args)
    assert first == sp.Ge(2 * x, theta, evaluate=False)
    opposite, lower, upper = second.args
    assert opposite.args[0].args == (x < 1, sp.Eq(theta, x, evaluate=False))
    assert (opposite.func, lower, upper) == (sp.Not, sp.Lt(0, x, evaluate=False), x <= 1)
    assert last == sp.true


def test_a_condition_that_protects_another_stays_in_front_of_it():
    condition = parse("Piecewise((x, x != 0 and 1/x > y and theta > 0), (y, True))", NAMES).args[0].cond
    assert condition.args == (sp.Ne(x, 0), 1 / x > y, theta > 0)


def test_bitwise_signs_mean_the_same_as_words():
    words = parse("Piecewise((x, x > 0 and not y > 0 or y > 1), (y, True))", NAMES)
    assert parse("Piecewise((x, (x > 0) & ~(y > 0) | (y > 1)), (y, True))", NAMES) == words


def test_true_conditions_that_sympy_could_decide_stay_switches():
    """A relation without numbers on both sides is a guard of the program, even where sympy knows its truth."""
    result = parse("Piecewise((x, x**2 >= 0), (y, True))", NAMES)
    assert result.args[0].cond == sp.Ge(x**2, 0, evaluate=False)


def test_a_condition_that_contains_a_piecewise_is_not_folded():
    result = parse("Piecewise((1, Piecewise((x, x > 0), (y, True)) > 0), (2, True))", NAMES)
    assert isinstance(result.args[0].cond.lhs, sp.Piecewise)


def test_powers_of_a_piecewise_stay_powers():
    """The node occurs once in the program, so automatic differentiation picks one of its branches, not two."""
    kink = parse("Piecewise((x, x > 0 and x < 1), (-x, True))", NAMES)
    for text, coefficient in (("P**2", 1), ("P*P + P**2*2", 3), ("2*P**2", 2)):
        result = parse(text.replace("P", "Piecewise((x, x > 0 and x < 1), (-x, True))"), NAMES)
        assert result == sp.Mul(coefficient, sp.Pow(kink, 2, evaluate=False), evaluate=coefficient == 1)
    assert parse("relu(x) - relu(-x)", NAMES) == relu(x) - relu(-x)
    assert parse("relu(x) - Max(x, 0)", NAMES) != 0, "frameworks differentiate them differently at 0"


@pytest.mark.parametrize(
    "text",
    [
        "(1/2 - 7/3*P)**(-2)*x",
        "sqrt(x - P)**3*(x - P)",
        "2*(x + P**2)*3",
        "exp(P/2)*exp(x)*exp(P/2) - 2*exp(P)",
        "1 - 2*exp(2*log(P))",
        "((P**2)**(3/2))**2",
        "x + 2/P - 2*x/P",
    ],
)
def test_kinks_without_a_last_branch_are_not_taken_apart(text):
    """Where a condition has no branch left, sympy's own rewriting raises errors or changes the program."""
    gap = "Piecewise((x, Piecewise((y, x > 0), (2, y > 0)) > 0), (y, True))"
    expression = parse(text.replace("P", gap), NAMES)
    assert parse(gap, NAMES) in expression.atoms(sp.Piecewise)
    assert parse(to_text(expression), NAMES) == expression


def test_names_may_be_given_as_a_mapping_or_as_symbols():
    assert parse("a + x", {"a": theta, "x": x}) == theta + x
    assert parse("x", [x]) == parse("x", {"x": x}) == x
    greek = sp.Symbol("θ", real=True)
    assert parse("2*θ", [greek]) == 2 * greek


@pytest.mark.parametrize("name", ["sign", "lambda", "x y", "", "ﬁ", "2x", "Max"])
def test_refuses_to_declare_what_cannot_be_a_name(name):
    with pytest.raises(ExpressionError):
        parse("1", {name: x})


def test_numbers_are_exact():
    root = sp.sqrt(sp.Rational(1, 10))
    assert parse_number("0.1") == sp.Rational(1, 10)
    assert sp.simplify(parse_number("(1 - sqrt(1/10))/(1 + sqrt(1/10))") - (1 - root) / (1 + root)) == 0
    with pytest.raises(ExpressionError, match="no names are declared here"):
        parse_number("x")


@given(st.integers(0, 10**30), st.integers(0, 30))
def test_a_decimal_is_the_fraction_it_writes_down(digits, places):
    text = f"{digits:040d}"
    text = f"{int(text[: 40 - places])}.{text[40 - places :]}"
    expected = Fraction(text)
    assert parse_number(text) == sp.Rational(expected.numerator, expected.denominator)


@pytest.mark.parametrize(
    ("text", "line", "column", "fragment", "advice"),
    [
        ("abs(x)", 1, 1, "abs", "write `Abs`"),
        ("x + max(x, y)", 1, 5, "max", "write `Max`"),
        ("ReLU(x)", 1, 1, "ReLU", "write `relu`"),
        ("ln(x)", 1, 1, "ln", "write `log`"),
        ("tanh(x)", 1, 1, "tanh", "the functions are Piecewise, Abs"),
        ("x^2", 1, 2, "^", "write `**`"),
        ("Piecewise((x, x > 0 && y > 0))", 1, 21, "&&", "write `and`"),
        ("Piecewise((x, x > 0 || y > 0))", 1, 21, "||", "write `or`"),
        ("Piecewise((x, x = 0))", 1, 17, "=", "write `==`"),
        ("Piecewise((x, !(x > 0)))", 1, 15, "!", "write `not`"),
        ("Piecewise((x, x > 0 & y > 0))", 1, 19, "0", "in brackets beside `&`"),
        ("x if x > 0 else y", 1, 3, "if", "write `Piecewise((a, condition), (b, True))`"),
        ("x +\n  z", 2, 3, "z", "declared are `x`, `y`, `theta`"),
        ("thta + 1", 1, 1, "thta", "did you mean `theta`?"),
        ("pi*x", 1, 1, "pi", "write a rational one"),
        ("lambda*x", 1, 1, "lambda", "call it `lam`"),
        ("2x", 1, 1, "2x", "write `2*x`"),
        ("2(x + 1)", 1, 2, "(", "write `*`"),
        ("x y", 1, 3, "y", "write `*`"),
        ("x(y + 1)", 1, 1, "x", "write `x*(...)`"),
        ("Abs", 1, 1, "Abs", "write `Abs(...)`"),
        ("Abs(x, y)", 1, 1, "Abs(x, y)", "takes one argument, 2 given"),
        ("Max()", 1, 1, "Max()", "takes at least one argument"),
        ("x/0", 1, 3, "0", "division by zero"),
        ("1/(y - y)", 1, 4, "y - y", "division by zero"),
        ("0**-1", 1, 1, "0", "division by zero"),
        ("1/((sqrt(2) - 1)*(sqrt(2) + 1) - 1)", 1, 4, None, "cannot be told from zero"),
        ("sqrt(-1)", 1, 6, "-1", "not real"),
        ("(-2)**(1/2)", 1, 2, "-2", "not real"),
        ("sqrt(-x**2)", 1, 1, "sqrt(-x**2)", "not a real number"),
        ("log(0)", 1, 1, "log(0)", "not real"),
        ("log(1 - sqrt(2))", 1, 1, None, "not real"),
        ("Piecewise()", 1, 1, "Piecewise()", "takes pairs"),
        ("Piecewise(x, x > 0)", 1, 11, "x", "write `(value, condition)`"),
        ("Piecewise((x, x > 0), y)", 1, 23, "y", "`(value, True)` for all that is left"),
        ("Piecewise((x, x))", 1, 15, "x", "a number stands where a condition must"),
        ("Piecewise((x, 1 > 2))", 1, 1, None, "every condition is false"),
        ("x > 0", 1, 1, "x > 0", "a condition stands where a number must"),
        ("1 + (x > 0)", 1, 6, "x > 0", "a condition stands where a number must"),
        ("Abs(True)", 1, 5, "True", "a condition stands where a number must"),
        ("x**y", 1, 4, "y", "write `exp(y*log(x))`"),
        ("x**(1/3)", 1, 5, "1/3", "an integer or half of one"),
        ("x, y", 1, 1, "x, y", "a comma has no meaning here"),
        ("(x", 1, 1, "(", "never closed"),
        ("x)", 1, 2, ")", "never opened"),
        ("x)+(y", 1, 2, ")", "never opened"),
        ("x +", 1, 4, "", "ends too early"),
        ("", 1, 1, "", "nothing is written"),
        (" \n ", 1, 1, "", "nothing is written"),
        ("x ≤ 1", 1, 3, "≤", "write `<=`"),
        ("x²", 1, 2, "²", "write `**2`"),
        ("x − 1", 1, 3, "−", "write `-`"),
        ("x\x00", 1, 2, r"\x00", "not part of the grammar"),
        ("007", 1, 1, "007", "write `7`"),
        ("0x10", 1, 1, "0x10", "decimal digits alone"),
        ("1_000", 1, 1, "1_000", "decimal digits alone"),
        ("1j", 1, 1, "1j", "runs into a word"),
    ],
)
def test_an_error_points_at_the_piece_and_says_what_to_write(text, line, column, fragment, advice):
    error = refusal(text)
    assert (error.line, error.column) == (line, column)
    assert fragment is None or error.fragment == fragment
    assert advice in str(error)


def test_an_error_says_which_text_it_is_about():
    assert str(refusal("abs(x)", where="objective")).startswith("objective, line 1, column 1: `abs`: ")


@pytest.mark.parametrize(
    "text",
    [
        "__import__('os')",
        "__import__",
        "().__class__",
        "x.__class__",
        "x.real",
        "[x for x in y]",
        "[1, 2]",
        "{1}",
        "lambda: 1",
        "(x := 1)",
        "x; y",
        "x @ y",
        "x // y",
        "x % y",
        "x << 1",
        "x in y",
        "x is y",
        "f'{x}'",
        "'x'",
        "x[0]",
        "Max(*x)",
        "Max(**x)",
        "Max(x, key=y)",
        "Abs(x)(y)",
        "(Abs)(x)",
        "...",
        "None",
        "await x",
        "yield",
        "x \\\n + 1",
        "# x",
        "x # y",
        "Symbol('x')",
        "eval(x)",
        "oo",
        "I",
        "nan",
    ],
)
def test_python_beyond_the_grammar_is_refused(text):
    refusal(text)


@pytest.mark.parametrize("lookalike", ["ｘ", "𝑥", "𝔁", "ϑ", "Ａbs(x)", "x\u200b", "x\u0301", "\ufeffx", "x\u00a0"])
def test_characters_that_python_would_normalise_are_refused(lookalike):
    """Python reads `𝑥` as `x`; here it is an undeclared name."""
    refusal(lookalike, [*NAMES, sp.Symbol("θ", real=True)])


@pytest.mark.parametrize(
    "text",
    [
        "9**9**9",
        "9**9**9**9",
        "(10**1000)**1000",
        "2**(10**9)",
        "2**(-10**9)",
        "(2*x)**100000",
        "x**100000",
        "x**-100000",
        "(x**1000)**1000",
        "((x + 1)**100 + 1)**100",
        "*".join(["x**500"] * 3),
        "*".join(["10**3000"] * 100),
        "(sqrt(2)**999)**999",
        "exp(exp(exp(100)))",
        "exp(10**9)",
        "sqrt(10**3000 + 7)",
        "log(10**3000 + 7)",
        "1e999999999",
        "1e-999999999",
        "9" * 5000,
        "(" * 40_000 + "x" + ")" * 40_000,
        "(" * 40_000,
        "-" * 90_000 + "x",
        "not " * 20_000 + "x > 0",
        "x**" * 30_000 + "x",
        "x**-" * 20_000 + "x",
        "Abs(" * 200 + "x" + ")" * 200,
        "Abs(1 + x*" * 40 + "x" + ")" * 40,
        "x + " * 25_000 + "x",
        "x" * 100_001,
        "x + 1" + " " * 10_000_000,
    ],
    ids=lambda text: text[:16] + "...",
)
def test_what_would_be_too_large_is_refused_before_it_is_computed(text):
    refusal(text)


def test_chained_comparisons_do_not_multiply_a_tree_without_bound():
    text = "x"
    for _ in range(25):
        text = f"Piecewise((1, 0 < {text} < 1), (2, True))"
    assert "nodes" in str(refusal(text))


@pytest.mark.parametrize(
    "text",
    [
        "+".join(
            f"Piecewise((x - {i}, x >= {i}/7), ({i}*y, x < y and x > {i} or y > 0), (0, True))" for i in range(200)
        ),
        "+".join(f"Abs(x - {i}*y)**3" for i in range(200)),
        "*".join(f"Max(x, {i}*y, {i})" for i in range(200)),
        "Max(" + ", ".join(f"Min(x - {i}*y, Abs(x + {i}))" for i in range(200)) + ")",
        "+".join(f"{i + 1}*x**{i % 30}*y**{i // 30}" for i in range(1500)),
    ],
    ids=["Piecewise", "Abs", "Max-product", "nested-Max", "polynomial"],
)
def test_hundreds_of_kinks_are_read_and_written_back(text):
    expression = parse(text, NAMES)
    assert parse(to_text(expression), NAMES) == expression


def test_a_sum_longer_than_pythons_parser_takes_is_written_in_groups():
    symbols = sp.symbols("a:4000", real=True)
    expression = sp.Add(*symbols)
    assert parse(to_text(expression), symbols) == expression


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        (sp.Integer(-2), "-2"),
        (sp.Rational(-3, 4), "-3/4"),
        (x - 3 * y / 4, "x - 3*y/4"),
        (-x, "-x"),
        (x / 4 / (y + 1), "x/4/(y + 1)"),
        (sp.sqrt(2) * x, "sqrt(2)*x"),
        (1 / sp.sqrt(x), "1/sqrt(x)"),
        (x ** sp.Rational(-3, 2), "1/x**(3/2)"),
        ((x + y) ** -2, "1/(x + y)**2"),
        ((-x) ** sp.Rational(3, 2), "(-x)**(3/2)"),
        (sp.E, "exp(1)"),
        (sp.Max(0, x) - sp.Abs(y), "Max(0, x) - Abs(y)"),
        (
            sp.Piecewise((x, sp.And(x > 0, sp.Or(y > 0, sp.Ne(x, 1)))), (y, sp.Eq(x, 0)), (0, True)),
            "Piecewise((x, x > 0 and (y > 0 or x != 1)), (y, x == 0), (0, True))",
        ),
        (sp.Not(sp.And(x > 0, y > 0)), "not (x > 0 and y > 0)"),
        (sp.true, "True"),
    ],
)
def test_writes_the_grammar(expression, expected):
    assert to_text(expression) == expected


@pytest.mark.parametrize(
    "expression",
    [sp.sin(x), x**y, sp.cbrt(x), sp.pi * x, sp.I, sp.Float("0.5") * x, sp.Symbol("x y"), sp.oo, sp.Heaviside(x)],
)
def test_refuses_to_write_what_the_grammar_does_not_have(expression):
    with pytest.raises(ExpressionError):
        to_text(expression)


SMOOTH = ("exp", "log", "sqrt")
KINKED = ("Abs", "sign", "relu")


@st.composite
def texts(draw, functions, exponents, depth=3):
    """Draw a text of the grammar; every operand is in brackets where it might need them."""

    def part():
        return draw(texts(functions, exponents, depth - 1))

    def condition(levels=2):
        match draw(st.sampled_from(["relation", "chain", "and", "or", "not"] if levels else ["relation"])):
            case "relation":
                return f"({part()} {draw(st.sampled_from(['<', '<=', '>', '>=', '==', '!=']))} {part()})"
            case "chain":
                return f"({part()} <= {part()} < {part()})"
            case "not":
                return f"(not {condition(levels - 1)})"
            case word:
                return f"({condition(levels - 1)} {word} {condition(levels - 1)})"

    kinds = ["leaf", "leaf", "operator", "operator", "minus", "power", "function", "largest", "cases", "gap"]
    match draw(st.sampled_from(kinds)) if depth else "leaf":
        case "leaf":
            number = draw(st.fractions(-9, 9, max_denominator=7))
            return draw(st.sampled_from(["x", "y", "theta", f"({number})" if number < 0 else str(number)]))
        case "operator":
            return f"({part()} {draw(st.sampled_from('+-*/'))} {part()})"
        case "minus":
            return f"(-{part()})"
        case "power":
            return f"({part()})**{draw(st.sampled_from(exponents))}"
        case "function":
            return f"{draw(st.sampled_from(functions))}({part()})"
        case "largest":
            return f"{draw(st.sampled_from(['Max', 'Min']))}({part()}, {part()})"
        case "cases":
            return f"Piecewise(({part()}, {condition()}), ({part()}, True))"
        case _:
            return f"Piecewise(({part()}, {condition()}), ({part()}, {condition()}))"


@settings(max_examples=400, deadline=None)
@given(texts(KINKED + SMOOTH, ["2", "3", "(3/2)", "(-1)", "(-1/2)"]))
def test_what_is_read_and_written_reads_back_the_same(text):
    try:
        expression = parse(text, NAMES)
    except ExpressionError:
        return
    assert parse(to_text(expression), NAMES) == expression


@settings(max_examples=400, deadline=None)
@given(texts(KINKED, ["2", "3", "(-1)"]), st.tuples(*[st.fractions(-3, 3, max_denominator=3)] * 3))
def test_the_value_is_the_one_that_pythons_fractions_give(text, point):
    try:
        expression = parse(text, NAMES)
    except ExpressionError:
        return
    expected = python_value(text, {symbol.name: value for symbol, value in zip(NAMES, point, strict=True)})
    if expected is not None:
        written = to_text(expression)
        assert python_value(written, {s.name: value for s, value in zip(NAMES, point, strict=True)}) == expected


def python_value(text, values):
    """Evaluate with Python and fractions, or return None where the text has no value."""

    def first_true(*pairs):
        return next(value for value, condition in pairs if condition)

    scope = {
        "Number": Fraction,
        "Piecewise": first_true,
        "Abs": abs,
        "sign": lambda a: Fraction((a > 0) - (a < 0)),
        "relu": lambda a: max(a, Fraction(0)),
        "Max": max,
        "Min": min,
        **values,
    }
    try:
        return eval(re.sub(r"\d+", r"Number(\g<0>)", text), scope)
    except (ZeroDivisionError, StopIteration):
        return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exp(x)", 2.718281828459045),
        ("log(4)/log(2)", 2.0),
        ("sqrt(2)*sqrt(x + 1)", 2.0),
        ("(x + 1)**(3/2)", 2.8284271247461903),
        ("exp(-x/2)*2**(-1/2)", 0.42888194248035344),
    ],
)
def test_smooth_functions_have_their_usual_values_at_one(text, expected):
    assert float(parse(text, [x]).subs(x, 1)) == pytest.approx(expected, rel=1e-14)

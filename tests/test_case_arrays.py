"""Cases with arrays: what calls and parameters mean, and the one clear line that bad input gets.

Catalogue entries that only note what they are given stand for functions and algorithms.
"""

import sys
from collections import namedtuple
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pytest
import sympy as sp
from flint import fmpq_mat

from piggycheck import algorithms, cli, functions
from piggycheck.case import Case, load_case, read_case, read_function
from piggycheck.case.calls import Names
from piggycheck.claims import KINDS, Claim
from piggycheck.errors import CaseError, InputError
from piggycheck.maps import ArrayParameter


class Noted(namedtuple("Noted", "name arguments")):
    """A function of the catalogue, or a sum of them."""

    def __add__(self, other):
        return Noted("sum", (self, other))


def fit(A, b):
    return Noted("fit", (A, b))


def lasso_norm(weight, groups=None):
    return Noted("lasso_norm", (weight, groups))


def splitting(smooth, nonsmooth, step, variables=None, relaxation=1, *, parameters=(), start=None):
    return Noted("splitting", locals())


def multipliers(first, operator, penalty, *, parameters=(), start=None):
    return Noted("multipliers", locals())


@pytest.fixture(autouse=True)
def catalogues(monkeypatch):
    for function in (fit, lasso_norm):
        monkeypatch.setitem(functions.CATALOGUE, function.__name__, function)
    for algorithm in (splitting, multipliers):
        monkeypatch.setitem(algorithms.CATALOGUE, algorithm.__name__, algorithm)


CASE = """
[algorithm]
name = "splitting"
smooth = "fit(A, b) + fit(A, target) + lasso_norm(2*penalty)"
nonsmooth = "lasso_norm(penalty, [0, 0, 1])"
step = "1/4"

[data]
A = [[1, 2, 3], ["1/2", "0.1", 0]]
b = {observe = "A", signal = "x"}
x = {generate = "sparse_signal", size = 3, nonzeros = 1, seed = 2}
groups = [0, 1, 1]

[parameters]
penalty = "1/10"
b = {data = "b"}
target = ["1/2", 3]

[start]
x = "3/4"
"""

A = fmpq_mat([[1, 2, 3], ["1/2", "1/10", 0]])
penalty = sp.Symbol("penalty", real=True)
b, target = ArrayParameter("b", 2), ArrayParameter("target", 2)


def arguments(text):
    return read_case(text).iteration.arguments


def replaced(old, new, text=CASE):
    assert old in text
    return text.replace(old, new)


def test_names_in_calls_are_array_parameters_then_data_then_expressions():
    found = arguments(CASE)
    terms = (fit(A, b), fit(A, target)), (lasso_norm(2 * penalty),)
    assert Noted("sum", (Noted("sum", terms[0]), *terms[1])) == found["smooth"]
    assert lasso_norm(penalty, fmpq_mat([[0], [0], [1]])) == found["nonsmooth"]
    assert sp.Rational(1, 4) == found["step"]
    assert (penalty, b, target) == found["parameters"]


def test_the_point_at_which_arrays_are_examined():
    case = read_case(CASE)
    assert A * case.data["x"] == case.at["b"] == case.data["b"]
    assert {"penalty": sp.Rational(1, 10), "b": case.data["b"], "target": fmpq_mat([["1/2"], [3]])} == case.at


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ('"3/4"', sp.Rational(3, 4)),
        ("0", sp.Integer(0)),
        ("[1, 2, 3]", fmpq_mat([[1], [2], [3]])),
        ('{data = "groups"}', fmpq_mat([[0], [1], [1]])),
    ],
)
def test_a_start_is_a_number_or_an_array(written, expected):
    assert {"x": expected} == arguments(replaced('"3/4"', written))["start"]
    assert arguments(replaced('[start]\nx = "3/4"', ""))["start"] is None


def test_arguments_with_defaults_may_be_absent():
    assert 1 == arguments(CASE)["relaxation"]
    assert penalty + 1 == arguments(replaced('step = "1/4"', 'step = "1/4"\nrelaxation = "penalty + 1"'))["relaxation"]
    assert arguments(replaced('nonsmooth = "lasso_norm(penalty, [0, 0, 1])"', 'nonsmooth = "lasso_norm(1)"'))[
        "nonsmooth"
    ] == lasso_norm(1)


def test_any_argument_may_be_a_call_or_an_array():
    text = replaced(
        CASE.split("\n\n")[0], '[algorithm]\nname = "multipliers"\nfirst = "A"\noperator = "fit(b, groups)"'
    )
    found = arguments(replaced('operator = "fit(b, groups)"', 'operator = "fit(b, groups)"\npenalty = "b"', text))
    assert (A, fit(b, fmpq_mat([[0], [1], [1]])), b) == (found["first"], found["operator"], found["penalty"])


def test_an_objective_that_calls_nothing_is_an_expression():
    text = replaced('smooth = "fit(A, b) + fit(A, target) + lasso_norm(2*penalty)"', 'smooth = "(x - penalty)**2"')
    text = replaced('b = {data = "b"}\ntarget = ["1/2", 3]', "", text)
    with pytest.raises(CaseError, match="line 2: algorithm `splitting` needs `variables`; write variables = ..."):
        read_case(text)
    x = sp.Symbol("x", real=True)
    found = arguments(replaced('step = "1/4"', 'step = "1/4"\nvariables = ["x"]', text))
    assert ((x - penalty) ** 2, ["x"], {"x": "3/4"}) == (found["smooth"], found["variables"], found["start"])


def test_files_are_found_beside_the_case(tmp_path):
    (tmp_path / "A.csv").write_text("1,2,3\n1/2,0.1,0\n")
    (tmp_path / "case.toml").write_text(replaced('[[1, 2, 3], ["1/2", "0.1", 0]]', '{file = "A.csv"}'))
    case = load_case(tmp_path / "case.toml")
    assert isinstance(case, Case)
    assert A == case.data["A"]


@dataclass(frozen=True)
class Directed(Claim):
    kind: ClassVar[str] = "directed"
    direction: Any = None
    quantity: Any = None
    value: Any = None

    def statement(self, subject):
        return ""

    def decide(self, subject):
        raise NotImplementedError


def test_claims_name_arrays_and_directions(monkeypatch):
    monkeypatch.setitem(KINDS, "directed", Directed)
    text = (
        CASE
        + """
[[claim]]
kind = "directed"
quantity = "derivatives"
direction = {penalty = 1, b = [1, "0.1"], target = {data = "b"}}
value = {data = "A"}
"""
    )
    (claim,) = read_case(text).claims
    assert {"penalty": 1, "b": [1, sp.Rational(1, 10)], "target": read_case(CASE).data["b"]} == claim.direction
    assert ("derivatives", A) == (claim.quantity, claim.value)


BAD = {
    "an array that is bad": (
        replaced('"0.1", 0]]', '"0.1"]]'),
        "line 9: `A[1]` has 2 numbers and `A[0]` has 3; make them equally many",
    ),
    "a float in an array": (
        replaced('"0.1", 0]]', "0.1, 0]]"),
        'line 9: `A`: the float 0.1 is not exact; write "0.1" in quotes',
    ),
    "a float in a generator": (
        replaced("seed = 2", "seed = 2, lower = 0.5"),
        'line 11: `lower`: the float 0.5 is not exact; write "0.5" in quotes',
    ),
    "an array computed from a bad one": (
        replaced("nonzeros = 1", "nonzeros = 4"),
        "line 11: `x`: `nonzeros`: `4`; write an integer from 0 to 3",
    ),
    "an array in a table of its own": (
        CASE + '[data.noise]\ngenerate = "gaussian"\nshape = [2]\nseed = "1"\n',
        "line 21: `noise`: `seed`: `1`; write an integer from 0 to",
    ),
    "a missing file": (
        replaced("[0, 1, 1]", '{file = "groups.csv"}'),
        "line 12: `groups`: `groups.csv`: a case that was not read from a file has no folder to look in",
    ),
    "a name that is none": (
        replaced("groups = [0, 1, 1]", '"x y" = [0, 1, 1]'),
        "line 8: `x y` is not a name; write letters, digits and _, no digit first",
    ),
    "data that is no table": ("data = 3\n" + CASE.replace("[data]", "[parameters]"), "not TOML"),
    "data beside a map": (
        '[map]\nstate = ["x"]\nnext = ["x/2"]\n[data]\nb = [1]\n',
        "line 4: [data] has no meaning beside [map]; remove it",
    ),
    "data beside a switched system": (
        '[switched]\nA = [[["1"]]]\n[data]\nb = [1]\n',
        "line 3: [data] has no meaning beside [switched]; remove it",
    ),
    "an unknown array in a call": (
        replaced("fit(A, b)", "fit(A, c)"),
        "line 4: smooth: `c` is not declared; declared are penalty, A, b, x, groups, target",
    ),
    "an array in an expression": (
        replaced("fit(A, b)", "fit(2*A, b)"),
        "line 4: smooth: `A` in `2*A` is an array; write its name alone",
    ),
    "an unknown function": (
        replaced('"fit(A, b) + fit(A, target) + lasso_norm(2*penalty)"', '"fitt(A, b)"'),
        "line 4: smooth: `fitt(A, b)` is not a function call; write one of",
    ),
    "a term that is no call": (
        replaced("lasso_norm(2*penalty)", "penalty**2"),
        "line 4: smooth: `penalty**2` is not a function call; write one of",
    ),
    "a missing term": (replaced(" + lasso_norm(2*penalty)", " +"), "line 4: smooth: `` is not a function call"),
    "too few arguments": (replaced("fit(A, b)", "fit(A)"), "line 4: smooth: `fit` takes 2 arguments (A, b), not 1"),
    "a sum where one function is needed": (
        replaced('"lasso_norm(penalty, [0, 0, 1])"', '"lasso_norm(1) + lasso_norm(2)"'),
        "line 5: nonsmooth: `lasso_norm(1) + lasso_norm(2)` is not a function call",
    ),
    "variables beside functions": (
        replaced('step = "1/4"', 'step = "1/4"\nvariables = ["x"]').replace(
            'b = {data = "b"}\ntarget = ["1/2", 3]', ""
        ),
        "line 4: smooth: `fit(A, b) + fit(A, target) + lasso_norm(2*penalty)` knows its own variables; remove `varia",
    ),
    "functions for an algorithm of expressions": (
        replaced(CASE.split("\n\n")[0], '[algorithm]\nname = "nesterov"\nobjective = "fit(A, b)"\nstep = 1'),
        "line 1: algorithm `nesterov` takes no functions of the catalogue; write an expression",
    ),
    "an array parameter of a map": (
        '[map]\nstate = ["x"]\nnext = ["x/2"]\n[parameters]\nb = [1, 2]\n',
        "line 5: `b` is an array, and a [map] has numbers for parameters; arrays are for functions",
    ),
    "an array parameter beside variables": (
        replaced('step = "1/4"', 'step = "1/4"\nvariables = ["x"]'),
        "line 17: `b` is an array, and an algorithm with `variables` has numbers for parameters",
    ),
    "a parameter of an unknown array": (
        replaced('target = ["1/2", 3]', 'target = {data = "t"}'),
        "line 17: `target`: `t` is not an array of [data]; there are A, b, x, groups",
    ),
    "a parameter that is a table": (
        replaced('target = ["1/2", 3]', "target = {size = 3}"),
        'line 17: `target`: a table with `size`; write {data = "name"}, a number or a list',
    ),
    "a parameter that is another array": (
        replaced('b = {data = "b"}', 'b = {data = "A"}'),
        'line 16: `b` is a parameter and another array of [data]; write b = {data = "b"}, or rename one',
    ),
    "a number with the name of an array": (
        replaced('penalty = "1/10"', 'penalty = "1/10"\nA = 1'),
        'line 16: `A` is a parameter and another array of [data]; write A = {data = "A"}, or rename one',
    ),
    "a ragged parameter": (replaced('["1/2", 3]', "[[1], []]"), "line 17: `target[1]` has 0 numbers and `target[0]`"),
    "a start in the parameters": (replaced('x = "3/4"', 'x = "penalty"'), "line 20: value of `x`"),
    "a start from nowhere": (
        replaced('x = "3/4"', 'x = {data = "y"}'),
        "line 20: `x`: `y` is not an array of [data]; there are A, b, x, groups",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_bad_input_gets_one_line_that_says_what_and_where(name):
    text, expected = BAD[name]
    with pytest.raises(CaseError) as caught:
        read_case(text, file="some.toml")
    message = str(caught.value)
    assert "\n" not in message
    assert message.startswith("some.toml")
    assert expected in message


def test_a_bad_file_ends_the_command_with_one_line_and_exit_code_3(tmp_path, monkeypatch, capsys):
    np.save(tmp_path / "A.npy", np.array([[1.0, 2.0, 3.0], [np.nan, 0.1, 0.0]]))
    case = tmp_path / "case.toml"
    case.write_text(replaced('[[1, 2, 3], ["1/2", "0.1", 0]]', '{file = "A.npy"}'))
    monkeypatch.setattr(sys, "argv", ["piggycheck", "prove", str(case)])
    with pytest.raises(SystemExit) as stop:
        cli.main()
    expected = f"piggycheck: {case}, line 9: `A`: `A.npy`, row 2, column 1 is nan; write a finite number\n"
    assert (3, "", expected) == (stop.value.code, *capsys.readouterr())


def test_a_case_without_data_says_that_arrays_are_declared_there():
    text = '[algorithm]\nname = "splitting"\nsmooth = "fit(b, b)"\nnonsmooth = "lasso_norm(1)"\nstep = 1\n'
    with pytest.raises(CaseError, match="line 7: `b`: `b` is not an array of .data.; declare it there"):
        read_case(text + '[parameters]\nb = {data = "b"}\n')


def test_a_function_that_takes_numbers_refuses_arrays_in_one_short_line():
    names = Names([ArrayParameter("b", 3)], {"A": fmpq_mat(100, 100)})
    for text in ("l1(A)", "l1(b)"):
        with pytest.raises(InputError, match="weight of l1: `.{0,60}` is not a number"):
            read_function(text, names, "nonsmooth")


def test_groups_of_different_sizes_are_lists_in_a_call():
    assert read_function("group_l2(1, [[0, 2], [1]])", [], "nonsmooth").groups == ((0, 2), (1,))
    with pytest.raises(InputError, match="group 2 is empty; leave it out"):
        read_function("group_l2(1, [[0], [], [1, 2]])", [], "nonsmooth")


def test_ragged_lists_are_no_matrix():
    with pytest.raises(InputError, match="A of least_squares"):
        read_function("least_squares([[1, 2], [3]], [1, 2])", [], "smooth")

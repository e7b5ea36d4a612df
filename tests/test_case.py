"""Reading cases: what is understood, and the one clear line that bad input gets."""

import re
from pathlib import Path

import pytest
import sympy as sp

from piggycheck.case import load_case, read_case, read_function
from piggycheck.claims import KINDS, Converges, Derivative, Diverges
from piggycheck.errors import CaseError, InputError
from piggycheck.functions import box, l1, nonnegative

HEAVY_BALL = """
title = "Heavy ball"
tags = ["a", "b"]

[algorithm]
name = "heavy_ball"
objective = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
variables = ["x"]
step = 1
momentum = "3/4"

[parameters]
theta = "0"

[start]
x = "theta"

[[claim]]
kind = "diverges"

[[claim]]
kind = "converges"
rate = "9/10"
"""

MAP = """
[map]
state = ["x", "y"]
next = ["x - Piecewise((x, x >= 0), (x/4, True)) + 3/4*(x - y)", "x"]
[parameters]
theta = 0
[start]
x = "theta"
y = "theta"
"""


SWITCHED = """
[switched]
A = [
  [["3/4", "-3/4"], [1, 0]],
  [[["27/20", "34/25"], "-3/4"], [1, 0]],
]
B = [[[1], [0]], [[0], [2]]]
J0 = [[0], [0]]
graph = [
  [0, 0, 0], [0, 1, 1], [1, 0, 0],
]

[[claim]]
kind = "joint_spectral_radius"
lower = "9/10"
upper = 1
tolerance = "1e-3"

[[claim]]
kind = "no_common_quadratic_form"
rate = "0.9"
"""

CASES = Path(__file__).parent.parent / "docs" / "cases.md"


def test_an_algorithm_is_read_as_its_python_call_builds_it():
    case = read_case(HEAVY_BALL)
    x, previous, theta = sp.symbols("x x_previous theta", real=True)
    slope = sp.Piecewise((x, x >= 0), (x / 4, True))
    expected = x - slope + sp.Rational(3, 4) * (x - previous)
    assert case.iteration.map.state == (x, previous)
    assert sp.expand(case.iteration.map.next[0] - expected) == 0
    assert case.iteration.map.next[1] == x
    assert case.iteration.start == (theta, theta), "the previous iterate starts equal to the first"
    assert case.claims == (Diverges(), Converges(rate="9/10"))
    assert (case.title, case.tags) == ("Heavy ball", ("a", "b"))


def test_a_map_written_out_is_the_same_map():
    written, built = read_case(MAP).iteration.map, read_case(HEAVY_BALL).iteration.map
    point = {"x": "-3/7", "y": "1/5", "theta": 0}
    assert written.value(point) == built.value({"x": "-3/7", "x_previous": "1/5", "theta": 0})


def test_a_switched_system_has_zero_B_when_none_is_given():
    case = read_case('[switched]\nA = [[["1/2"]], [["1/3"]]]\nJ0 = [["1", "2"]]\n')
    assert [B.entries() for B in case.system.B] == [[0, 0], [0, 0]]


def test_the_previous_iterate_can_start_elsewhere():
    case = read_case(HEAVY_BALL.replace('x = "theta"', 'x = "theta"\nx_previous = "2*theta + 1"'))
    theta = sp.Symbol("theta", real=True)
    assert case.iteration.start == (theta, 2 * theta + 1)


def test_catalogue_functions_are_called_with_expressions_in_the_parameters():
    theta = sp.Symbol("theta", real=True)
    assert read_function("l1(theta/2)", [theta], "nonsmooth") == l1(theta / 2)
    assert read_function(" box(-1, Max(1, theta)) ", [theta], "nonsmooth") == box(-1, sp.Max(1, theta))
    assert read_function("nonnegative()", [], "nonsmooth") == nonnegative()


def test_a_claimed_matrix_is_exact():
    case = read_case('[switched]\nA = [[["1/2"]]]\n[[claim]]\nkind = "derivative"\nvalue = [["0.1"]]\n')
    assert case.claims == (Derivative(value=[["1/10"]]),)


def test_bounds_and_a_graph_are_read():
    system = read_case(SWITCHED).system
    assert system.graph == ((0, 0, 0), (0, 1, 1), (1, 0, 0))
    assert [str(end) for end in system.A[1].bounds()[0][0]] == ["27/20", "34/25"]
    assert not system.is_certain


def test_the_fields_of_every_kind_of_claim_are_read_as_exact_numbers():
    radius, form = read_case(SWITCHED).claims
    assert radius == KINDS["joint_spectral_radius"](lower="9/10", upper=1, tolerance="1/1000")
    assert form == KINDS["no_common_quadratic_form"](rate="9/10")


def test_which_words_a_claim_is_about_is_text():
    claims = read_case(MAP + '[[claim]]\nkind = "converges"\nwords = "realisable"\nrate = "9/10"\n').claims
    assert claims == (Converges(rate="9/10", words="realisable"),)


@pytest.mark.parametrize("text", re.findall(r"```toml\n(.*?)```", CASES.read_text(), re.DOTALL))
def test_the_cases_in_the_documentation_are_read(text):
    assert read_case(text).kind in ("map", "switched")


LASSO = """[algorithm]
name = "forward_backward"
smooth = "(x - 2)**2/2"
nonsmooth = "l1(1)"
variables = ["x"]
step = "1/2"
[start]
x = "5"
"""


def replaced(old, new, text=HEAVY_BALL):
    assert old in text
    return text.replace(old, new)


BAD = {
    "not TOML": ("title = [", "not TOML"),
    "empty": ("", "exactly one of [algorithm], [map], [switched]"),
    "two subjects": (HEAVY_BALL + '\n[switched]\nA=[[["1"]]]\n', "exactly one of"),
    "unknown key": (replaced("step = 1", "stepp = 1"), "line 9: unknown key `stepp`; known are objective, variables"),
    "negative step": (
        LASSO.replace('"1/2"', '"-1/2"'),
        "line 6: step: `-1/2` is not positive; write a positive number",
    ),
    "unknown table": (HEAVY_BALL + "\n[solver]\n", "unknown key `solver`"),
    "float": (replaced('"3/4"', "0.75"), 'line 10: `momentum`: the float 0.75 is not exact; write "0.75" in quotes'),
    "float in a parameter": (replaced('theta = "0"', "theta = 1e-3"), 'the float 1e-3 is not exact; write "1e-3"'),
    "unknown function": (replaced("x**2/8", "sin(x)"), "`sin`"),
    "import": (replaced("x**2/8", "__import__('os')"), "line 7"),
    "attribute": (replaced("x**2/8", "x.__class__"), "line 7"),
    "tower of powers": (replaced("x**2/8", "9**9**9"), "line 7"),
    "10 MB expression": (replaced("x**2/8", "x" + "+x" * 5_000_000), "line 7"),
    "unknown claim": (replaced('"diverges"', '"divergess"'), "line 19: unknown claim kind `divergess`; write diverges"),
    "claim without kind": (replaced('kind = "diverges"', ""), "unknown claim kind `None`"),
    "unknown claim field": (replaced('rate = "9/10"', 'speed = "9/10"'), "unknown key `speed`; known are rate"),
    "rate above one": (replaced('"9/10"', '"10/9"'), "between 0 and 1"),
    "irrational rate": (replaced('"9/10"', '"sqrt(1/2)"'), "irrational; write a rational number"),
    "lengths differ": (replaced(', "x"]', "]", MAP), "`state` has 2 names and `next` has 1 expressions"),
    "undeclared in the start": (replaced('y = "theta"', 'y = "phi"', MAP), "`phi`"),
    "undeclared in the map": (replaced("x/4", "z/4", MAP), "`z`"),
    "start of an unknown state": (replaced('y = "theta"', 'z = "theta"', MAP), "`z` is not a state variable"),
    "start incomplete": (replaced('y = "theta"', "", MAP), "`y` has no value"),
    "unknown algorithm": (
        replaced('"heavy_ball"', '"adam"'),
        "unknown algorithm `adam`; known are admm, douglas_rachford, forward_backward",
    ),
    "argument missing": (replaced("step = 1", ""), "needs `step`"),
    "ragged matrix": ('[switched]\nA = [[["1", "2"], ["3"]]]\n', "A[0]"),
    "no matrix": ("[switched]\nA = []\n", "`A` is empty"),
    "parameters beside switched": ('[switched]\nA = [[["1"]]]\n[parameters]\nt = 0\n', "has no meaning beside"),
    "not square": (replaced('[["3/4", "-3/4"], [1, 0]]', '[["3/4", "-3/4"]]', SWITCHED), "line 3: `A[0]` is 1 by 2"),
    "unequal matrices": (
        replaced('[["3/4", "-3/4"], [1, 0]]', "[[1]]", SWITCHED),
        "line 3: `A[1]` is 2 by 2 and `A[0]`",
    ),
    "matrices not a list": ("[switched]\nA = 3\n", "line 2: `A` is the value `3`; write a list of matrices"),
    "a number for a matrix": ("[switched]\nA = [3]\n", "line 2: `A[0]`: 3 is not a list of rows"),
    "A missing": ("[switched]\nB = [[[1]]]\n", "line 1: [switched] needs `A`"),
    "an unknown key beside A": (
        '[switched]\nA = [[["1"]]]\nnames = ["a"]\n',
        "line 3: unknown key `names`; known are A, B",
    ),
    "a float in a matrix": (replaced('"3/4"', "0.75", SWITCHED), "line 3: `A`: the float 0.75 is not exact"),
    "a float for a bound": (
        replaced('"34/25"', "1.36", SWITCHED),
        'line 3: `A`: the float 1.36 is not exact; write "1.36" in quotes',
    ),
    "bounds in the wrong order": (
        replaced('["27/20", "34/25"]', '["34/25", "27/20"]', SWITCHED),
        "line 3: `A[1][0][0]`: the interval [34/25, 27/20] has its ends in the wrong order; write [27/20, 34/25]",
    ),
    "three ends": (replaced('["27/20", "34/25"]', '["1", "2", "3"]', SWITCHED), "line 3: `A[1][0][0]`"),
    "bounds in B": (replaced("[[[1], [0]]", '[[[["0", "1"]], [0]]', SWITCHED), "line 7: `B[0]` has an interval"),
    "too few B": (
        replaced("B = [[[1], [0]], [[0], [2]]]", "B = []", SWITCHED),
        "line 7: `B` has 0 matrices and `A` has 2",
    ),
    "a start of another shape": (replaced("J0 = [[0], [0]]", "J0 = [[0]]", SWITCHED), "line 8: `J0` is 1 by 1; write"),
    "a letter out of range": (
        replaced("[0, 1, 1]", "[0, 2, 1]", SWITCHED),
        "line 9: the edge [0, 2, 1] of `graph` has the letter 2; write 0 to 1",
    ),
    "no cycle": (replaced(", [1, 0, 0]", "", SWITCHED).replace("[0, 0, 0],", ""), "line 9: `graph` has no cycle"),
    "an empty graph": ("[switched]\nA = [[[1]]]\ngraph = []\n", "line 3: `graph` is `[]`; write a list of edges"),
    "an edge of two": (
        replaced("[0, 1, 1]", "[0, 1]", SWITCHED),
        "line 9: the edge `[0, 1]` of `graph` is not [from, letter",
    ),
    "an edge of texts": (replaced("[0, 1, 1]", '["0", 1, 1]', SWITCHED), "line 9: the edge `['0', 1, 1]` of `graph`"),
    "a negative tolerance": (replaced('"1e-3"', '"-1e-3"', SWITCHED), "line 13: tolerance of `joint_spectral_radius`"),
    "bounds of the radius exchanged": (
        replaced("upper = 1", 'upper = "1/2"', SWITCHED),
        "line 13: lower of `joint_spectral",
    ),
    "unknown words": (
        replaced('rate = "9/10"', 'words = "some"'),
        'words of `converges`: `some` is not known; write "all"',
    ),
    "claims not a list": ('claim = "diverges"\n' + MAP, "write [[claim]]"),
    "name declared twice": (replaced("theta = 0", "theta = 0\nx = 1", MAP), "declared twice"),
    "division by zero": (replaced("x/4, True", "x/0, True", MAP), "zero"),
    "state of numbers": (replaced('["x", "y"]', "[1, 2]", MAP), "list of texts"),
    "title a number": ("title = 3\n" + MAP, "`title`: `3` is not text"),
    "infinite": (replaced("theta = 0", "theta = inf", MAP), "inf"),
    "truth value": (replaced("theta = 0", "theta = true", MAP), "truth value"),
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
    assert len(message) < 400


@pytest.mark.parametrize(
    "text",
    ["l1", "l2(1)", "l1(1, 2)", "l1()", "nonnegative(1)", "__import__('os')", 3, "l1(-1)", "box(1, 0)"],
)
def test_a_wrong_function_call_is_refused(text):
    with pytest.raises(InputError):
        read_function(text, [], "nonsmooth")


def test_division_by_zero_at_the_start_is_found_when_the_subject_is_made():
    case = read_case('[map]\nstate = ["x"]\nnext = ["1/x"]\n[start]\nx = 0\n', file="some.toml")
    with pytest.raises(CaseError, match=r"some.toml, line 1: division by zero: `x` is 0"):
        case.subject()


def test_a_missing_file_and_a_file_that_is_not_text_are_refused(tmp_path):
    with pytest.raises(CaseError, match="cannot be read"):
        load_case(tmp_path / "absent.toml")
    (tmp_path / "binary.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(CaseError, match="not a text file"):
        load_case(tmp_path / "binary.toml")


def test_a_case_file_is_named_after_its_folder(tmp_path):
    folder = tmp_path / "my-case"
    folder.mkdir()
    (folder / "case.toml").write_text(MAP)
    assert load_case(folder / "case.toml").name == "my-case"


@pytest.mark.parametrize("absent", ["iterations", "tolerance"])
def test_a_claim_without_what_it_needs_is_refused(absent):
    fields = {"iterations": "10", "tolerance": '"1/10"'}
    claim = "\n".join(f"{name} = {value}" for name, value in fields.items() if name != absent)
    text = f'[map]\nstate = ["x"]\nnext = ["x/2"]\n[[claim]]\nkind = "converged"\n{claim}\n'
    with pytest.raises(CaseError, match=f"line 4: claim `converged` needs `{absent}`"):
        read_case(text)

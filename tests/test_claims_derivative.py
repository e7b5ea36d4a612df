"""The claim *derivative*: one limit matrix or several, by hand, with certificates."""

from __future__ import annotations

import pytest
import sympy as sp
from certificate_helper import assert_certified, content_of, holds, proved, refuted, undecided
from flint import fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from strategies import STATE, examples, kinked

from piggycheck.algorithms import forward_backward, gradient_descent, heavy_ball
from piggycheck.claims import Derivative, Proved, Undecided, prove
from piggycheck.errors import InputError
from piggycheck.functions import l1
from piggycheck.iteration import Iteration
from piggycheck.linalg import identity
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, theta = sp.symbols("x y theta", real=True)
lam = sp.Symbol("lam", real=True)
P = sp.Piecewise
CLAIM = Derivative()


def about(*following, start=None):
    return Iteration(SymbolicMap(STATE[: len(following)], following, [theta]), start)


def lasso(start=0):
    return forward_backward("(x - 2)**2/2", l1(lam), ["x"], "1/2", parameters=["lam"], start=[start])


def test_away_from_the_kink_lasso_has_the_derivative_minus_one():
    verdict = proved(CLAIM, lasso(), {"lam": 1})
    assert [["-1"]] == verdict.value["matrix"]
    proved(Derivative(value=[["-1"]]), lasso(), {"lam": 1})
    refuted(Derivative(value=[["1"]]), lasso(), {"lam": 1})


def test_at_the_kink_it_has_two():
    verdict = refuted(CLAIM, lasso(), {"lam": 2})
    assert {"-1", "0"} == {point["matrix"][0][0] for point in verdict.value["points"]}
    for value in ("-1", "0", "-1/2"):
        refuted(Derivative(value=[[value]]), lasso(), {"lam": 2})


def test_beyond_the_kink_it_is_zero():
    proved(Derivative(value=[[0]]), lasso(), {"lam": 3})


def test_gradient_descent_has_the_derivative_of_the_implicit_function():
    """f = x**4/4 + x**2/2 - theta x: dx/dtheta = 1/(3 x**2 + 1) = 1/4 at theta = 2."""
    descent = gradient_descent("x**4/4 + x**2/2 - theta*x", ["x"], "1/8", parameters=["theta"], start=[0])
    assert [["1/4"]] == proved(CLAIM, descent, {"theta": 2}).value["matrix"]


def test_relu_of_the_parameter_has_an_interval():
    """Fixed points of the two pairs (-1/2, 1), (-1/2, 0): 2/3 and 0."""
    verdict = refuted(CLAIM, about(-x / 2 + sp.Max(theta, 0), start=[theta]), {theta: 0})
    assert {"2/3", "0"} == {point["matrix"][0][0] for point in verdict.value["points"]}


def test_pairs_with_one_common_fixed_point_have_one():
    """A kink in x alone, at which the parameter does not move the point."""
    proved(Derivative(value=[[0]]), about(P((x / 2, x >= 0), (x / 4, True)) + theta**2, start=[theta]), {theta: 0})


def test_a_difference_of_relus_has_one():
    assert [["2"]] == proved(CLAIM, about((sp.Max(x, 0) - sp.Max(-x, 0)) / 2 + theta, start=[theta]), {theta: 0}).value[
        "matrix"
    ]


def test_heavy_ball_of_the_paper_has_no_answer():
    """Without a contraction there need not be a set."""
    ball = heavy_ball(
        "Piecewise((x**2/2, x >= 0), (x**2/8, True))", ["x"], 1, "3/4", parameters=["theta"], start=["theta"]
    )
    assert "not below 1" in undecided(CLAIM, ball, {"theta": 0}).reason


def test_matrices_alone():
    system = SwitchedSystem.from_rows([[["1/2"]], [["1/3"]]], [[[1]], [["4/3"]]])
    proved(Derivative(value=[[2]]), system)
    refuted(CLAIM, SwitchedSystem.from_rows([[["1/2"]], [["1/3"]]], [[[1]], [[1]]]))


def test_along_a_graph_and_between_bounds_it_stays_open():
    pair = SwitchedSystem.from_rows([[["1/2"]], [["1/3"]]], [[[1]], [["4/3"]]], graph=[(0, 0, 1), (1, 1, 0)])
    assert "constrained by a graph" in undecided(CLAIM, pair).reason
    assert "between bounds" in undecided(CLAIM, SwitchedSystem.from_rows([[[["1/3", "1/2"]]]])).reason


def test_two_parameters():
    following = [x / 2 + theta + y / 4, y / 3 + STATE[2]]
    iteration = Iteration(SymbolicMap([x, y], following, [theta, STATE[2]]), [0, 0])
    assert [["2", "3/4"], ["0", "3/2"]] == proved(CLAIM, iteration, {theta: 0, STATE[2]: 0}).value["matrix"]


@pytest.mark.parametrize("value", [[["1", "2"]], [["1"], ["2"]]])
def test_a_value_of_another_shape_is_refused(value):
    with pytest.raises(InputError, match="1 rows and 1 columns"):
        prove(Derivative(value=value), lasso(), {"lam": 1})


def test_a_float_is_refused():
    with pytest.raises(InputError, match='write "0.5"'):
        Derivative(value=[[0.5]])


def test_a_changed_matrix_is_noticed():
    content = content_of(proved(CLAIM, lasso(), {"lam": 1}))
    content["witness"]["matrix"] = [["-2"]]
    assert not holds(content)


def test_it_does_not_rest_on_undecided_pieces():
    ghost = P((x / 3, -(x**2) - y**2 + x**2 * y**2 > 0), (x / 2, True))
    undecided(CLAIM, about(ghost + theta, y / 2), {theta: 0})


def test_a_jump_at_the_fixed_point_is_never_proved():
    undecided(CLAIM, about(P((x / 2, x <= 0), (x / 2 - 1, True)) + theta, start=[theta]), {theta: 0})


@examples(50)
@given(st.tuples(kinked((x, y, theta)), kinked((x, y, theta))))
def test_random_maps_are_certified_and_proved_limits_solve_every_pair(following):
    origin = {x: 0, y: 0, theta: 0}
    shifted = [(e - e.subs(origin)) / 4 for e in following]
    verdict = prove(CLAIM, about(*shifted, start=[theta, 0]), {theta: 0}, time_limit=1.0)
    if isinstance(verdict, Undecided):
        return
    content = assert_certified(verdict)
    if isinstance(verdict, Proved):
        X = sp.Matrix(verdict.value["matrix"])
        for piece in content["pieces"]:
            assert sp.Matrix(piece["A"]) * X + sp.Matrix(piece["B"]) == X
    else:
        first, second = (sp.Matrix(point["matrix"]) for point in verdict.value["points"])
        assert first != second


def test_a_limit_is_the_inverse_of_one_minus_A_times_B():
    A, B = fmpq_mat([[0, 1], [-1, 0]]) / 2, fmpq_mat([[1], [2]])
    (row,) = [proved(CLAIM, SwitchedSystem((A,), (B,))).value["matrix"]]
    assert [[str(c) for c in r] for r in ((identity(2) - A).inv() * B).table()] == row

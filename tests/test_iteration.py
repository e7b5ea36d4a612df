"""Iterations: starts, their values and their Jacobians."""

from __future__ import annotations

import pytest
import sympy as sp

from piggycheck.errors import MapError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

x, y, theta = sp.symbols("x y theta", real=True)
MAP = SymbolicMap([x, y], [x / 2 + theta, y / 3], [theta])


def test_a_start_has_a_value_and_a_jacobian_at_each_parameter():
    iteration = Iteration(MAP, [theta**2, 3 * theta])
    assert {x: 4, y: 6} == iteration.start_at({theta: 2})
    assert [sp.Matrix([4, 3])] == iteration.start_jacobians({"theta": 2})


def test_a_start_with_a_kink_has_several_jacobians_at_the_kink_only():
    iteration = Iteration(MAP, [sp.Abs(theta), 0])
    assert {1, -1} == {J[0] for J in iteration.start_jacobians({theta: 0})}
    assert [1] == [J[0] for J in iteration.start_jacobians({theta: 5})]


@pytest.mark.parametrize(
    ("start", "message"),
    [([theta], "1 entries and the state 2"), ([x, theta], "`x` is not a parameter; declared are theta")],
)
def test_a_start_that_does_not_fit_is_refused(start, message):
    with pytest.raises(MapError, match=message):
        Iteration(MAP, start)


def test_without_a_start_there_is_none():
    with pytest.raises(MapError, match="no start"):
        Iteration(MAP).start_at({theta: 0})


def test_a_start_outside_its_domain_is_an_error():
    with pytest.raises(MapError, match="division by zero"):
        Iteration(MAP, [1 / theta, 0]).start_at({theta: 0})

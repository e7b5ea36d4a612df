"""Ties: decided exactly, or told from near-ties by precision."""

from __future__ import annotations

import pytest
import sympy as sp
from enclosure_helper import THETA, X, distance, lasso, lasso_solution, random_lasso, scalar
from flint import fmpq, fmpq_mat
from structured_cases import structured

from piggycheck.enclosures import LimitProblem, Tie, verified_limit
from piggycheck.enclosures.exact import exact_fixed_point
from piggycheck.errors import UnknownError
from piggycheck.fixed_points import linearise

TINY = "1/10000000000000000000000000"


def test_a_threshold_that_is_met_exactly_is_a_tie():
    """With A = I the second entry of b is at the threshold."""
    found = verified_limit(lasso([[1, 0], [0, 1]], [1, "1/2"], "1/2"), {"penalty": "1/2"})
    assert isinstance(found, Tie)
    assert found.point == fmpq_mat([[fmpq(1, 2)], [0]])
    assert len(found.guards) == 1 and "[1]" in found.guards[0]
    assert str(found).startswith("a tie at a rational fixed point: 1 guard vanishes there, `")


def test_the_pieces_at_a_tie_go_on_to_the_switched_system():
    iteration = lasso([[1, 0], [0, 1]], [1, "1/2"], "1/2")
    found = verified_limit(iteration, {"penalty": "1/2"})
    system = linearise(iteration, found.fixed_point)
    half = fmpq(1, 2)
    assert system.exact and set(map(str, system.A)) == {
        str(fmpq_mat([[half, 0], [0, half]])),
        str(fmpq_mat([[half, 0], [0, 0]])),
    }


@pytest.mark.parametrize(("sign", "kept"), [(1, (0, 1)), (-1, (0,))])
def test_a_near_tie_is_told_by_more_precision(sign, kept):
    """The second entry of b is 1e-25 away from the threshold."""
    b2 = fmpq(1, 2) + sign * fmpq(1) / fmpq(10) ** 25
    x, dx = lasso_solution([[1, 0], [0, 1]], [1, b2], fmpq(1, 2), [1, int(sign > 0)])
    limit = verified_limit(lasso([[1, 0], [0, 1]], [1, b2], "1/2"), {"penalty": "1/2"}, directions={"penalty": [1]})
    assert limit.contraction.kept == kept
    assert distance(limit.point, x) <= limit.error**2 <= fmpq(1, 10) ** 60
    assert distance(limit.derivative, dx) <= limit.derivative_error**2 <= fmpq(1, 10) ** 60
    assert limit.contraction.radius < fmpq(1) / fmpq(10) ** 25


def test_a_near_tie_beyond_the_precision_is_not_guessed():
    """1e-200 takes more than 128 bits; that it is no tie is known exactly, but the precision does not show it."""
    b2 = fmpq(1, 2) + fmpq(1) / fmpq(10) ** 200
    iteration, at = lasso([[1, 0], [0, 1]], [1, b2], "1/2"), {"penalty": "1/2"}
    with pytest.raises(UnknownError, match=r"a tie, or too close to one to tell with 128 bits: .*`proximal\[1\]: .*"):
        verified_limit(iteration, at, most_bits=128)
    assert not isinstance(verified_limit(iteration, at), Tie)


def test_a_tie_at_an_irrational_point_is_not_decided():
    """``theta^2 = 2`` puts the fixed point sqrt(2)/2 at the kink, which no precision shows."""
    with pytest.raises(UnknownError, match="a tie, or too close to one to tell with 512 bits"):
        verified_limit(scalar(sp.Max(X, THETA) / 2 + THETA / 2), {"theta": sp.sqrt(2)}, most_bits=512)


def test_ties_of_the_parameters_count_too():
    """The threshold 0 is a kink in the parameter, though the state is nowhere near one."""
    found = verified_limit(scalar(X / 2 + sp.Max(THETA, 0) + 1), {"theta": 0})
    assert isinstance(found, Tie) and found.point == fmpq_mat([[2]])


@pytest.mark.parametrize("seed", range(4))
def test_exact_fixed_points_of_random_lassos(seed):
    A, b, step = random_lasso(8, 5, seed)
    problem = LimitProblem(lasso(A, b, step), {"penalty": 2})
    limit = verified_limit(problem.iteration, problem.at, directions={})
    x, signature = exact_fixed_point(problem, limit.point)
    assert signature == limit.signature
    assert distance(limit.point, x) <= limit.error**2
    assert x == lasso_solution(A, b, 2, [int(e > 0) - int(e < 0) for e in x.entries()])[0]


def test_maps_that_leave_the_rationals_have_no_exact_fixed_point():
    problem = LimitProblem(*structured("inverse covariance"))
    assert exact_fixed_point(problem, fmpq_mat(4, 1, [1, 0, 0, 1])) is None

"""Guesses: from bad starts, at any scale, with either solver. What they are worth is for the proof to say."""

from __future__ import annotations

import numpy as np
import pytest
from enclosure_helper import distance, lasso, lasso_solution, random_lasso
from flint import fmpq
from structured_cases import structured

from piggycheck.arrays import FLOAT64, Enclosed
from piggycheck.enclosures import LimitProblem, enclose_limit, verified_limit
from piggycheck.enclosures.search import approach
from piggycheck.enclosures.solver import DenseSolver, KrylovSolver, is_quickly_formed, solver_at
from piggycheck.errors import UnknownError
from piggycheck.maps import StateBlock, StructuredMap

A, B, STEP = random_lasso(10, 6, 1)


@pytest.mark.parametrize("name", ["lasso", "group lasso", "inverse covariance", "trend filtering", "nuclear"])
def test_both_solvers_solve_the_same_system(name):
    iteration, at = structured(name)
    problem = LimitProblem(iteration, at)
    guess = approach(problem.over(FLOAT64), problem.start(FLOAT64).centre, 1000)
    p = iteration.map.dimension
    r = np.arange(1.0, 2 * p + 1).reshape(p, 2)
    solved = [solver(guess.moment, guess.moment.signature)(r) for solver in (DenseSolver, KrylovSolver)]
    image = guess.moment.forward(Enclosed(solved[0]), None, guess.moment.signature).centre
    assert np.allclose(solved[0] - image, r) and np.allclose(*solved)


def test_a_derivative_with_the_eigenvalue_1_has_no_solver():
    x = StateBlock("x", 1)
    moment = StructuredMap([x], x).bind({}, FLOAT64)(Enclosed(np.ones((1, 1))))
    for solver in (solver_at, DenseSolver):
        with pytest.raises(UnknownError, match="eigenvalue 1"):
            solver(moment, moment.signature)
    with pytest.raises(UnknownError, match="eigenvalue 1"):
        KrylovSolver(moment, moment.signature)(np.ones((1, 1)))


def test_spectral_layers_are_not_quickly_formed():
    assert is_quickly_formed(structured("group lasso")[0].map)
    assert not is_quickly_formed(structured("inverse covariance")[0].map)


@pytest.mark.parametrize("power", [-40, -20, -8, 0, 10, 40])
def test_the_scale_of_the_data_does_not_matter(power):
    scale = fmpq(10) ** power if power >= 0 else 1 / fmpq(10) ** -power
    b, penalty = [entry * scale for entry in B], 2 * scale
    limit = verified_limit(lasso(A, b, STEP), {"penalty": penalty}, directions={"penalty": [1]})
    signs = [0 if i not in limit.contraction.kept else 1 if e > 0 else -1 for i, e in enumerate(limit.point.entries())]
    assert any(signs)
    x, dx = lasso_solution(A, b, penalty, signs)
    assert distance(limit.point, x) <= limit.error**2
    assert distance(limit.derivative, dx) <= limit.derivative_error**2


def test_a_start_from_which_the_iterates_take_too_long_is_given_up_for_0():
    near, far = (verified_limit(lasso(A, B, STEP, start=s), {"penalty": 2}, most_evaluations=2000) for s in (0, 10**9))
    assert distance(near.point, far.point) <= (near.error + far.error) ** 2


@pytest.mark.parametrize("whole", [False, True])
def test_a_penalty_so_large_that_nothing_is_left(whole):
    limit = enclose_limit(LimitProblem(lasso(A, B, STEP), {"penalty": 1000}), whole=whole)
    assert all(e == 0 for e in [*limit.point.entries(), *limit.derivative.entries()])
    assert (limit.error, limit.derivative_error) == (0, 0)


def test_iterates_that_leave_the_range_of_floats_again_and_again_are_given_up():
    """The step is far too long and the minimisers are a line, so no batch of iterates ever leads anywhere."""
    iteration = lasso([[3, 1]], [1], fmpq(30))
    problem = LimitProblem(iteration, {"penalty": 0})
    with pytest.raises(UnknownError, match="no isolated fixed point"):
        approach(problem.over(FLOAT64), np.full((2, 1), 1e150), 12_000)

"""Rates, convergence from the start, and distances to the limit."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from enclosure_helper import THETA, X, lasso, random_lasso, scalar
from flint import arb, arb_mat, fmpq, fmpq_mat
from structured_cases import structured

from piggycheck.algorithms import admm
from piggycheck.arrays import FLOAT64, Enclosed
from piggycheck.enclosures import (
    LimitProblem,
    convergence_from_start,
    distance_after,
    enclose_limit,
    rate_at,
    verified_limit,
    whole_contraction,
)
from piggycheck.enclosures.proof import ImpreciseError, Proof
from piggycheck.enclosures.search import Guess, approach
from piggycheck.errors import UnknownError
from piggycheck.functions import difference, l1, least_squares
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap


def spectral_radius(A, step, support):
    """Of ``I - step A_S^T A_S``, in floating point."""
    columns = np.array(A, dtype=float)[:, support]
    return np.abs(np.linalg.eigvals(np.eye(len(support)) - float(Fraction(str(step))) * columns.T @ columns)).max()


# -- rates ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_the_rate_of_a_lasso_is_the_spectral_radius_on_its_support(seed):
    A, b, step = random_lasso(10, 6, seed)
    limit = verified_limit(lasso(A, b, step), {"penalty": 2}, directions={})
    rate = rate_at(limit)
    expected = spectral_radius(A, step, list(limit.contraction.kept))
    assert expected - 1e-12 < float(rate.bound) < expected * (1 + 1e-6)
    assert rate.form is None and rate.kept == limit.contraction.kept


def test_a_rate_below_the_norm_takes_a_form():
    """``(x, y) -> (9/10 x + 10 y, 4/5 y + theta)`` has spectral radius 9/10 and a norm above 10."""
    x, y = sp.symbols("x y", real=True)
    jordan = Iteration(SymbolicMap([x, y], [sp.Rational(9, 10) * x + 10 * y, sp.Rational(4, 5) * y + THETA], [THETA]))
    rate = rate_at(verified_limit(jordan, {"theta": 1}))
    assert 0.9 <= float(rate.bound) < 0.90001 and rate.form is not None
    P, A = arb_mat(rate.form), arb_mat([[arb(fmpq(9, 10)), 10], [0, arb(fmpq(4, 5))]])
    shrunk = P * arb(rate.bound) ** 2 - A.transpose() * P * A
    assert shrunk[0, 0] > 0 and shrunk.det() > 0


def test_nothing_that_moves_has_rate_0():
    assert rate_at(verified_limit(scalar(THETA), {"theta": 1})).bound == 0


# -- the whole space ---------------------------------------------------------------------------------------------------


def test_the_whole_space_contracts_less_than_what_moves():
    A, b, step = random_lasso(10, 6, 1)
    limit = verified_limit(lasso(A, b, step), {"penalty": 2}, directions={})
    whole = whole_contraction(limit)
    assert limit.contraction.factor < whole.factor < 1 and whole.is_whole
    rows = (
        np.eye(10)[list(limit.contraction.kept)]
        - float(Fraction(str(step)))
        * (np.array(A, dtype=float).T @ np.array(A, dtype=float))[list(limit.contraction.kept)]
    )
    assert np.linalg.norm(rows, 2) < float(whole.factor)
    with pytest.raises(UnknownError):
        whole_contraction(limit, fmpq(100))


def test_a_limit_for_certificates_has_the_whole_contraction_and_room_in_its_errors():
    """A reader that rounds a hundred times more coarsely comes to the same conclusion."""
    A, b, step = random_lasso(10, 6, 1)
    problem = LimitProblem(lasso(A, b, step), {"penalty": 2})
    limit = enclose_limit(problem, whole=True)
    gap = 1 - limit.contraction.factor
    assert limit.contraction.is_whole and not enclose_limit(problem).contraction.is_whole
    assert 100 * limit.residual < gap * limit.error and limit.error <= fmpq(1) / fmpq(10) ** 30
    assert 100 * limit.derivative_residual < gap * limit.derivative_error
    assert limit.derivative_error <= fmpq(1) / fmpq(10) ** 30


@pytest.mark.parametrize("name", ["lasso", "ridge", "group lasso", "inverse covariance", "trend filtering", "nuclear"])
def test_convergence_from_the_start(name):
    iteration, at = structured(name)
    limit = verified_limit(iteration, at, directions={})
    found = convergence_from_start(limit)
    distance = sum((e * e for e in limit.point.entries()), start=fmpq(0))  # all start at 0
    assert (found.distance + limit.error) ** 2 >= distance
    assert found.inner < found.contraction.radius
    assert (
        found.distance <= found.inner
        or (found.lipschitz - 1) * (found.distance - found.inner) < (1 - found.contraction.factor) * found.inner
    )
    assert found.lipschitz < fmpq(1000001, 1000000)


def test_a_step_outside_the_range_has_no_convergence_from_the_start_by_this_argument():
    """On the support it contracts, but far away the map expands where the other coordinate is large."""
    limit = verified_limit(lasso([[1, 0], [0, 10]], [3, 0], "1/30"), {"penalty": 1}, directions={})
    with pytest.raises(UnknownError, match="that iterates from the start converge was not proved: L = "):
        convergence_from_start(limit)


def test_without_a_start_it_is_no_question():
    with pytest.raises(UnknownError, match="no start"):
        convergence_from_start(verified_limit(scalar(X / 2 + THETA, start=None), {"theta": 1}))


# -- distances --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("steps", [0, 1, 10, 100])
def test_distances_of_a_halving(steps):
    """``x_k = 2 theta (1 - 2^-k)``, so both distances from the limit are ``2^(1-k)``."""
    limit = verified_limit(scalar(X / 2 + THETA), {"theta": 1})
    found, true = distance_after(limit, steps), fmpq(2) / fmpq(2) ** steps
    for low, high in (found.iterates, found.derivatives):
        assert low <= true <= high
        assert high - low <= true / 500 + fmpq(1) / fmpq(10) ** 29


def test_a_bad_penalty_has_not_converged():
    points = [0, 1, 2, 3, 4, 5, 4, 3, 2, 1, 0, -1]
    identity = [[int(i == j) for j in range(12)] for i in range(12)]
    slow = admm(least_squares(identity, points), l1("lam"), difference(2, 12), penalty="1/1000", parameters=["lam"])
    limit = verified_limit(slow, {"lam": 1}, directions={"lam": [1]})
    found = distance_after(limit, 200)
    assert found.iterates[0] > 1 and found.derivatives[0] > 1
    later = distance_after(limit, 400, derivatives=False)
    assert later.iterates[1] < found.iterates[0] and later.derivatives is None


# -- what is refused --------------------------------------------------------------------------------------------------


class Elsewhere(Proof):
    """A proof that is led to another point than the fixed point."""

    away = arb(2) ** -40

    def _refined(self, *, thorough):
        found = super()._refined(thorough=thorough)
        x = arb_mat([[e + self.away] for e in found.x.entries()]).mid()
        return self._evaluated(x)


def test_a_point_that_is_not_a_fixed_point_is_never_stated_to_be_close_to_one():
    """The error has to cover the distance, which is more than was asked."""
    problem = LimitProblem(lasso([[1, 2, 0], [0, 1, 1]], [3, 1], "1/10"), {"penalty": "1/2"})
    guess = approach(problem.over(FLOAT64), problem.start(FLOAT64).centre, 1000)
    with pytest.raises(ImpreciseError, match="the error of the fixed point is"):
        Elsewhere(problem, guess, {}, 30).at_precision(128)
    coarse = Elsewhere(problem, guess, {}, 10).at_precision(128)
    exact = fmpq_mat([[0], [fmpq(13, 10)], [0]])
    assert sum((e**2 for e in (coarse.point - exact).entries()), start=fmpq(0)) <= coarse.error**2


def test_a_point_far_from_every_fixed_point_is_refused():
    problem = LimitProblem(lasso([[1, 2, 0], [0, 1, 1]], [3, 1], "1/10"), {"penalty": "1/2"})

    class Far(Elsewhere):
        away = arb(1)

    guess = approach(problem.over(FLOAT64), problem.start(FLOAT64).centre, 1000)
    with pytest.raises(UnknownError):
        Far(problem, guess, {}, 1).at_precision(128)


def test_a_guess_on_another_piece_is_mended():
    """Newton steps lead to the fixed point; the proof does not depend on the guess."""
    problem = LimitProblem(lasso([[2, 0], [0, 1]], [3, "1/4"], "1/10"), {"penalty": "1/2"})
    x = np.array([[-5.0], [0.0]])
    guess = Guess(x, problem.over(FLOAT64)(Enclosed(x)), 1.0, 1)
    found = Proof(problem, guess, {}, 30).at_precision(128)
    assert abs(found.point[0, 0] - fmpq(11, 8)) <= found.error and found.contraction.kept == (0,)

"""Verified limits against solutions that optimality conditions give exactly."""

from __future__ import annotations

import mpmath
import pytest
import sympy as sp
from enclosure_helper import THETA, X, distance, lasso, lasso_solution, random_lasso, scalar
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from layer_strategies import instances
from strategies import examples
from structured_cases import STRUCTURED, structured
from structured_helper import run

from piggycheck.algorithms import admm, douglas_rachford, gradient_descent
from piggycheck.arrays import MpmathArrays
from piggycheck.enclosures import (
    LimitEnclosure,
    LimitProblem,
    Tie,
    convergence_from_start,
    enclose_limit,
    enclose_output,
    verified_limit,
)
from piggycheck.errors import InputError, MapError, UnknownError
from piggycheck.functions import difference, l1, least_squares, squared_norm
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

SMALL = fmpq(1) / fmpq(10) ** 30
LAM = {"penalty": [1]}


def require_limit(limit, point, derivative=None):
    """Both are within the errors, and the errors are as small as asked."""
    assert distance(limit.point, point) <= limit.error**2 <= SMALL**2
    if derivative is not None:
        assert distance(limit.derivative, derivative) <= limit.derivative_error**2 <= SMALL**2


# -- hand-solved ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("c", "point", "slope"), [("3", "2", 1), ("-5/2", "-3/2", -1), ("1/3", "0", 0)])
def test_scalar_soft_thresholding(c, point, slope):
    """The minimiser of ``(x - c)^2/2 + penalty |x|`` is c moved towards 0 by the penalty."""
    limit = verified_limit(lasso([[1]], [c], "1/2"), {"penalty": 1}, directions=LAM)
    require_limit(limit, fmpq_mat([[fmpq(*map(int, (point + "/1").split("/")[:2]))]]), fmpq_mat([[-slope]]))


def test_a_lasso_of_three_variables_with_a_rational_solution():
    A, b = [[1, 2, 0], [0, 1, 1]], [3, 1]
    x, dx = lasso_solution(A, b, fmpq(1, 2), [0, 1, 0])
    assert x[1, 0] == fmpq(13, 10)
    limit = verified_limit(lasso(A, b, "1/10"), {"penalty": "1/2"}, directions=LAM)
    require_limit(limit, x, dx)
    assert limit.contraction.kept == (1,)


@pytest.mark.parametrize("digits", [5, 30, 100, 400])
def test_as_many_digits_as_are_asked(digits):
    A, b = [[1, 2, 0], [0, 1, 1]], [3, 1]
    x, dx = lasso_solution(A, b, fmpq(1, 2), [0, 1, 0])
    limit = verified_limit(lasso(A, b, "1/10"), {"penalty": "1/2"}, directions=LAM, digits=digits)
    assert distance(limit.point, x) <= limit.error**2 <= fmpq(1, 10) ** (2 * digits)
    assert distance(limit.derivative, dx) <= limit.derivative_error**2 <= fmpq(1, 10) ** (2 * digits)


@pytest.mark.parametrize("relaxation", ["1", "1/2", "3/2"])
@pytest.mark.parametrize("seed", range(6))
def test_a_lasso_of_ten_variables(seed, relaxation):
    A, b, step = random_lasso(10, 6, seed)
    limit = verified_limit(lasso(A, b, step, relaxation=relaxation), {"penalty": 2}, directions=LAM)
    assert not isinstance(limit, Tie)
    signs = [0 if abs(e) < fmpq(1, 10**9) else 1 if e > 0 else -1 for e in limit.point.entries()]
    require_limit(limit, *lasso_solution(A, b, 2, signs))


def test_ridge_regression_in_all_directions_of_the_data():
    """``x = (A^T A + p I)^-1 A^T b``, so the derivative in b is ``(A^T A + p I)^-1 A^T``."""
    from piggycheck.maps import ArrayParameter

    A, b = fmpq_mat([[1, 2, 0], [0, 1, 1]]), ArrayParameter("b", 2)
    descent = gradient_descent(least_squares(A, b) + squared_norm("1/2"), step="1/10", parameters=[b])
    inverse = (A.transpose() * A + fmpq_mat(3, 3, [fmpq(int(i == j), 2) for i in range(3) for j in range(3)])).inv()
    limit = verified_limit(descent, {"b": [1, -2]})
    require_limit(limit, inverse * A.transpose() * fmpq_mat([[1], [-2]]), inverse * A.transpose())


@pytest.mark.parametrize("algorithm", ["douglas_rachford", "admm"])
def test_splittings_come_to_the_minimiser_that_forward_backward_comes_to(algorithm):
    A, b, _ = random_lasso(5, 4, 3)
    smooth = least_squares(A, b)
    built = {
        "douglas_rachford": lambda: douglas_rachford(smooth, l1("penalty"), step="1/10", parameters=["penalty"]),
        "admm": lambda: admm(smooth, l1("penalty"), penalty=10, parameters=["penalty"]),
    }[algorithm]()
    output = enclose_output(verified_limit(built, {"penalty": 2}, directions=LAM))
    signs = [0 if abs(e) < fmpq(1, 10**9) else 1 if e > 0 else -1 for e in output.point.entries()]
    x, dx = lasso_solution(A, b, 2, signs)
    assert distance(output.point, x) <= output.error**2 <= fmpq(1, 10) ** 56
    assert distance(output.derivative, dx) <= output.derivative_error**2 <= fmpq(1, 10) ** 56


def test_trend_filtering_keeps_a_line():
    """Of points on a line the second differences are 0, and the line is its own filter."""
    identity = [[int(i == j) for j in range(5)] for i in range(5)]
    filtering = admm(least_squares(identity, [1, 3, 5, 7, 9]), l1("penalty"), difference(2, 5), parameters=["penalty"])
    output = enclose_output(verified_limit(filtering, {"penalty": 1}, directions=LAM))
    assert distance(output.point, fmpq_mat([[1], [3], [5], [7], [9]])) <= output.error**2
    assert distance(output.derivative, fmpq_mat(5, 1)) <= output.derivative_error**2


# -- other maps -------------------------------------------------------------------------------------------------------


def test_symbolic_maps_too():
    """The fixed point of ``x/2 + exp(-x)/4 + theta`` solves ``2 x = exp(-x) + 4 theta``."""
    limit = verified_limit(scalar(X / 2 + sp.exp(-X) / 4 + THETA), {"theta": "1/3"})
    numbers = mpmath.mp.clone()
    numbers.dps = 60
    root = numbers.findroot(lambda x: 2 * x - numbers.exp(-x) - numbers.mpf(4) / 3, 0.8)
    for found, expected in ((limit.point, root), (limit.derivative, 4 / (2 + numbers.exp(-root)))):
        assert abs(numbers.mpf(int(found[0, 0].p)) / int(found[0, 0].q) - expected) < numbers.mpf("1e-30")


def test_a_map_that_contracts_in_another_norm_only():
    """``(x, y) -> (y + 1, -x/4)`` turns; its matrix has norm 1 and spectral radius 1/2. The form shows it contracts."""
    x, y = sp.symbols("x y", real=True)
    limit = verified_limit(Iteration(SymbolicMap([x, y], [y + THETA, -x / 4], [THETA])), {"theta": 1})
    require_limit(limit, fmpq_mat([[fmpq(4, 5)], [fmpq(-1, 5)]]), fmpq_mat([[fmpq(4, 5)], [fmpq(-1, 5)]]))
    assert limit.contraction.form is not None
    with pytest.raises(UnknownError, match="whole space"):
        enclose_limit(LimitProblem(limit.problem.iteration, {"theta": 1}), whole=True)


def test_a_constant_map():
    limit = verified_limit(scalar(THETA**2 / 3), {"theta": "1/7"})
    require_limit(limit, fmpq_mat([[fmpq(1, 147)]]), fmpq_mat([[fmpq(2, 21)]]))
    assert limit.contraction.kept == ()


def test_rows_that_do_not_move_carry_their_own_error_into_the_others():
    """y is the constant sqrt(2), which is irrational, and x feels it."""
    x, y = sp.symbols("x y", real=True)
    limit = verified_limit(Iteration(SymbolicMap([x, y], [x / 2 + 100 * y, sp.sqrt(THETA)], [THETA])), {"theta": 2})
    assert limit.contraction.kept == (0,)
    for value, error, square in (
        (limit.point[0, 0], limit.error, 80000),
        (limit.point[1, 0], limit.error, 2),
        (limit.derivative[0, 0], limit.derivative_error, 5000),
        (limit.derivative[1, 0], limit.derivative_error, fmpq(1, 8)),
    ):
        assert (value - error) ** 2 <= square <= (value + error) ** 2
    assert limit.error <= SMALL and limit.derivative_error <= SMALL


def test_no_derivative_when_none_is_asked_or_there_are_no_parameters():
    assert verified_limit(scalar(X / 2 + THETA), {"theta": 1}, directions={}).derivative is None
    assert verified_limit(scalar(X / 2 + 1, parameters=())).derivative is None


def require_reached(iteration, at, limit, directions, count):
    """Iterates of mpmath with 60 digits, which share no rounding with the balls, come into the enclosures."""
    numbers = MpmathArrays(60)
    x, J = run(Iteration(iteration.map, iteration.start), at, directions, count, numbers)
    slack = fmpq(1) / fmpq(10) ** 25
    for found, centre, error in (
        (x, limit.point, limit.error),
        (J, limit.derivative, limit.derivative_error),
    ):
        assert distance(numbers.exactly(numbers.assemble(len(found), 1, found)), centre) <= (error + slack) ** 2


@pytest.mark.parametrize("name", sorted(set(STRUCTURED) - {"lasso at a tie", "cone"}))
def test_the_iterates_come_into_the_enclosure(name):
    iteration, at = structured(name)
    directions = {p.name: [1] for p in iteration.map.scalar_parameters}
    require_reached(iteration, at, verified_limit(iteration, at, directions=directions), directions, 1500)


@examples(12)
@given(instances())
def test_the_iterates_of_random_layers_come_into_the_enclosure(instance):
    """Of those that are enclosed and contract fast."""
    iteration = Iteration(instance.map, [0] * instance.map.dimension)
    try:
        limit = verified_limit(iteration, instance.at, directions={"lam": [1]}, most_evaluations=500, most_bits=256)
        convergence_from_start(limit)
    except (MapError, UnknownError):
        return
    if isinstance(limit, LimitEnclosure) and limit.contraction.factor < fmpq(3, 4):
        require_reached(iteration, instance.at, limit, {"lam": [1]}, 250)


@examples(25)
@given(st.integers(0, 10**6), st.integers(1, 5))
def test_random_lassos(seed, penalty):
    """What optimality conditions give for the signs found is within the errors."""
    A, b, step = random_lasso(4, 6, seed)
    limit = verified_limit(lasso(A, b, step), {"penalty": penalty}, directions=LAM)
    if isinstance(limit, Tie):
        return
    signs = [0 if abs(e) < fmpq(1, 10**9) else 1 if e > 0 else -1 for e in limit.point.entries()]
    require_limit(limit, *lasso_solution(A, b, penalty, signs))


# -- what is refused --------------------------------------------------------------------------------------------------


def test_a_map_that_expands_is_refused_though_it_has_a_fixed_point():
    with pytest.raises(UnknownError, match="norm 2 and spectral radius 2"):
        verified_limit(scalar(2 * X + THETA), {"theta": 1})


def test_a_step_outside_the_range_is_refused_where_the_iterates_do_not_settle():
    """On the support the derivative is ``1 - step``."""
    with pytest.raises(UnknownError, match="spectral radius 1.5"):
        verified_limit(lasso([[1]], [3], "5/2"), {"penalty": 1})
    limit = verified_limit(lasso([[1]], [3], "19/10"), {"penalty": 1})
    require_limit(limit, fmpq_mat([[2]]), fmpq_mat([[-1]]))


def test_a_map_without_a_fixed_point_is_refused():
    with pytest.raises(UnknownError, match="no isolated fixed point was found: after .* is 1.00e"):
        verified_limit(scalar(X + THETA), {"theta": 1}, most_evaluations=200)


def test_a_continuum_of_fixed_points_is_refused():
    with pytest.raises(UnknownError, match="eigenvalue 1"):
        verified_limit(scalar(X + 0 * THETA, parameters=()))


@pytest.mark.parametrize("digits", [0, -3, 2.5])
def test_digits_are_a_positive_integer(digits):
    with pytest.raises(InputError, match="not a positive integer"):
        verified_limit(scalar(X / 2 + THETA), {"theta": 1}, digits=digits)

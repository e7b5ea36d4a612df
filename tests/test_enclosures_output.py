"""Outputs at verified limits, against the exact values that optimality conditions give."""

import pytest
from flint import fmpq, fmpq_mat

from piggycheck.algorithms import admm, douglas_rachford, forward_backward
from piggycheck.enclosures import enclose_output, verified_limit
from piggycheck.errors import UnknownError
from piggycheck.functions import l1, least_squares, log_det

PENALTY = {"penalty": "1/10"}


def output_at(iteration, at, **options):
    return enclose_output(verified_limit(iteration, at, **options))


def distance_squared(M, expected):
    return sum(((a - b) ** 2 for a, b in zip(M.entries(), expected, strict=True)), start=fmpq(0))


def require_enclosed(output, point, derivative):
    assert distance_squared(output.point, point) <= output.error**2 < fmpq(10) ** -50
    assert distance_squared(output.derivative, derivative) <= output.derivative_error**2 < fmpq(10) ** -50


@pytest.mark.parametrize("spectrum", [(1, 1), (1, 1, 1), (1, 1, 2)])
def test_the_inverse_covariance_of_a_diagonal_matrix_is_diagonal_also_where_eigenvalues_repeat(spectrum):
    """X = diag(1/(s + penalty)), so dX = -diag(1/(s + penalty)^2)."""
    n = len(spectrum)
    S = [[s if i == j else 0 for j in range(n)] for i, s in enumerate(spectrum)]
    output = output_at(douglas_rachford(log_det(S), l1("penalty"), parameters=["penalty"]), PENALTY)
    X = [1 / (spectrum[i] + fmpq(1, 10)) if i == j else fmpq(0) for i in range(n) for j in range(n)]
    require_enclosed(output, X, [-x * x for x in X])


def test_the_inverse_covariance_of_size_2_is_rational():
    """X^-1 = S + penalty*[[1, -1], [-1, 1]], so dX = -X [[1, -1], [-1, 1]] X."""
    splitting = douglas_rachford(log_det([[1, "1/2"], ["1/2", 1]]), l1("penalty"), parameters=["penalty"])
    X = fmpq_mat([[fmpq(11, 10), fmpq(2, 5)], [fmpq(2, 5), fmpq(11, 10)]]).inv()
    signs = fmpq_mat([[1, -1], [-1, 1]])
    require_enclosed(output_at(splitting, PENALTY), X.entries(), (-1 * (X * signs * X)).entries())


def test_the_output_of_admm_is_the_minimiser_and_not_the_state():
    """For the identity as operator it is the soft-thresholding of y."""
    identity = [[1, 0, 0], [0, 1, 0], [0, 0, 1]]
    shrinking = admm(least_squares(identity, [3, -2, "1/20"]), l1("penalty"), penalty=3, parameters=["penalty"])
    output = output_at(shrinking, PENALTY)
    require_enclosed(output, [fmpq(29, 10), fmpq(-19, 10), fmpq(0)], [fmpq(-1), fmpq(1), fmpq(0)])


def test_without_directions_only_the_output_is_enclosed():
    output = output_at(douglas_rachford(log_det([[1]]), l1("penalty"), parameters=["penalty"]), PENALTY, directions={})
    assert abs(output.point[0, 0] - fmpq(10, 11)) <= output.error
    assert (output.derivative, output.derivative_error) == (None, None)


def test_where_the_state_is_what_users_want_there_is_no_output():
    lasso = forward_backward(least_squares([[1]], [3]), l1("penalty"), step="1/2", parameters=["penalty"])
    with pytest.raises(UnknownError, match="the output of this iteration is its state"):
        output_at(lasso, PENALTY)

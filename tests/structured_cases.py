"""Small structured problems that the tests of claims and printers share, most of them solved by hand."""

from __future__ import annotations

from functools import cache

from piggycheck.algorithms import admm, douglas_rachford, forward_backward, gradient_descent
from piggycheck.functions import (
    difference,
    group_l2,
    l1,
    least_squares,
    log_det,
    nuclear_norm,
    quadratic,
    second_order_cone,
    squared_norm,
)
from piggycheck.maps import ArrayParameter

A, LAM, B = [[1, 2, 0], [0, 1, 1]], "lam", ArrayParameter("b", 2)
IDENTITY = [[int(i == j) for j in range(4)] for i in range(4)]
DIAGONAL = [[2, 0], [0, 1]]

STRUCTURED = {
    "lasso": lambda: (
        forward_backward(least_squares(A, B), l1(LAM), step="1/10", parameters=[LAM, B]),
        {"lam": "1/2", "b": [1, 3]},
    ),
    "lasso at a tie": lambda: (
        forward_backward(least_squares(A, B), l1(LAM), step="1/10", parameters=[LAM, B]),
        {"lam": "1/2", "b": [1, 1]},
    ),
    "diagonal lasso": lambda: (
        forward_backward(quadratic(DIAGONAL, [-5, -1]), l1(LAM), step="1/4", parameters=[LAM]),
        {"lam": 3},
    ),
    "ridge": lambda: (
        gradient_descent(least_squares(A, [1, 1]) + squared_norm(LAM), step="1/10", parameters=[LAM]),
        {"lam": "1/2"},
    ),
    "group lasso": lambda: (
        forward_backward(least_squares(A, [1, 3]), group_l2(LAM, [[0, 1], [2]]), step="1/10", parameters=[LAM]),
        {"lam": "1/2"},
    ),
    "inverse covariance": lambda: (
        douglas_rachford(log_det([[1, 0], [0, 1]]), l1(LAM), parameters=[LAM]),
        {"lam": "1/10"},
    ),
    "trend filtering": lambda: (
        admm(least_squares(IDENTITY, [0, 1, 3, 8]), l1(LAM), difference(2, 4), parameters=[LAM]),
        {"lam": "1/10"},
    ),
    "cone": lambda: (forward_backward(quadratic(DIAGONAL, [1, 2]), second_order_cone(), step="1/4"), {}),
    "nuclear": lambda: (
        forward_backward(
            quadratic(IDENTITY, ArrayParameter("c", 4)),
            nuclear_norm(LAM, 2, 2),
            step="1/2",
            parameters=[LAM, ArrayParameter("c", 4)],
        ),
        {"lam": "1/2", "c": [-3, 0, 0, -2]},
    ),
}
"""Iterations with values of their parameters.

Solutions, where they are simple. Of the diagonal Lasso with penalty lam = 3: ``x = soft(5, lam)/2 = 1`` and
``x = soft(1, lam) = 0``, with the derivatives -1/2 and 0 in lam. Of the inverse covariance: X = I/(1 + lam).
"""


@cache
def structured(name):
    """Return the iteration and its parameters."""
    return STRUCTURED[name]()

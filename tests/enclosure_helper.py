"""Small problems with limits that are known exactly, shared by the tests of verified limits."""

from __future__ import annotations

import random

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.algorithms import forward_backward
from piggycheck.functions import l1, least_squares
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

__all__ = ["distance", "lasso", "lasso_solution", "random_lasso", "scalar"]

X, THETA = sp.symbols("x theta", real=True)


def scalar(expression, start=0, at=None, parameters=(THETA,)):
    """An iteration of one variable x with the parameter theta."""
    return Iteration(SymbolicMap([X], [expression], parameters), start=None if start is None else [start])


def lasso(A, b, step, start=0, relaxation=1):
    """Forward-backward for ``|A x - b|^2/2 + penalty |x|_1``."""
    return forward_backward(
        least_squares(A, b), l1("penalty"), step=step, relaxation=relaxation, parameters=["penalty"], start=start
    )


def random_lasso(n, m, seed):
    """Integers A and b, and a step within the range."""
    source = random.Random(seed)
    A = [[source.randint(-3, 3) for _ in range(n)] for _ in range(m)]
    b = [source.randint(-9, 9) for _ in range(m)]
    square = sum(entry * entry for row in A for entry in row)
    return A, b, fmpq(1, square)


def lasso_solution(A, b, penalty, signs):
    """The minimiser with these signs, and its derivative in the penalty, from the optimality conditions; exactly.

    On the support S: ``A_S^T (A_S x_S - b) = -penalty * signs``, so the derivative is ``-(A_S^T A_S)^-1 signs``.
    """
    support = [i for i, s in enumerate(signs) if s]
    columns = fmpq_mat([[row[i] for i in support] for row in A])
    s = fmpq_mat([[signs[i]] for i in support])
    gram = (columns.transpose() * columns).inv()
    solved = gram * (columns.transpose() * fmpq_mat([[e] for e in b]) - s * penalty)
    slope = gram * s * fmpq(-1)
    x, dx = fmpq_mat(len(signs), 1), fmpq_mat(len(signs), 1)
    for k, i in enumerate(support):
        x[i, 0], dx[i, 0] = solved[k, 0], slope[k, 0]
    return x, dx


def distance(A, B):
    """The square of the Frobenius distance."""
    return sum(((a - b) ** 2 for a, b in zip(A.entries(), B.entries(), strict=True)), start=fmpq(0))

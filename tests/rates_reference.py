"""Errors of piecewise affine maps in fractions, by a recursion written out on its own: what rates are compared with."""

from __future__ import annotations

from fractions import Fraction

import sympy as sp
from flint import fmpq

from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

__all__ = ["Pieces", "contains", "largest", "two_piece_iteration"]

x, y, theta = sp.symbols("x y theta", real=True)


class Pieces:
    """``x -> A x + b theta`` with A, b by the sign of the first coordinate; two states, one parameter.

    Parameters
    ----------
    right, left : pairs (A, b)
        Of fractions; they agree where the first coordinate is 0.
    """

    def __init__(self, right, left):
        self.right, self.left = right, left

    def piece(self, point):
        return self.right if point[0] > 0 else self.left

    def errors(self, start, derivative, parameter, fixed, limit, count):
        """``(x_k - xbar, J_k - Jbar)`` for k = 0, ..., count, in fractions."""
        point, J = list(start), list(derivative)
        for _ in range(count + 1):
            yield [a - b for a, b in zip(point, fixed, strict=True)], [a - b for a, b in zip(J, limit, strict=True)]
            A, b = self.piece(point)
            J = [sum(A[i][j] * J[j] for j in range(2)) + b[i] for i in range(2)]
            point = [sum(A[i][j] * point[j] for j in range(2)) + b[i] * parameter for i in range(2)]


def two_piece_iteration(right, left, start):
    """The same as an iteration of the package; `right` and `left` differ in the first column alone."""
    (A, b), (C, _) = right, left
    rows = [
        sp.Piecewise((_number(A[i][0]) * x, x >= 0), (_number(C[i][0]) * x, True))
        + _number(A[i][1]) * y
        + _number(b[i]) * theta
        for i in range(2)
    ]
    return Iteration(SymbolicMap([x, y], rows, [theta]), start=start)


def largest(values):
    """The maximum norm."""
    return max(map(abs, values))


def contains(ball, value):
    """Whether a ball contains a fraction, by rational arithmetic."""
    value = Fraction(value)
    middle, radius = (_fraction(part) for part in (ball.mid(), ball.rad()))
    return abs(middle - value) <= radius


def _fraction(exact):
    mantissa, exponent = exact.man_exp()
    return Fraction(int(mantissa)) * Fraction(2) ** int(exponent)


def _number(value):
    value = Fraction(value)
    return sp.Rational(value.numerator, value.denominator)


def fmpq_of(value):
    """A fraction as flint has it."""
    value = Fraction(value)
    return fmpq(value.numerator, value.denominator)

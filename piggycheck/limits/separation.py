"""Separating directions: one on which finitely many matrices are all positive, or weights that make their sum zero."""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce

from flint import fmpq, fmpq_mat, fmpz

from piggycheck.feasibility import Feasible, feasible_point

__all__ = ["positive_direction"]


def positive_direction(matrices: Sequence[fmpq_mat]) -> fmpq_mat | tuple[fmpq, ...]:
    """Find C with ``<C, M_i> > 0`` for every matrix, or prove that there is none.

    Parameters
    ----------
    matrices : sequence of fmpq_mat
        At least one, of one shape.

    Returns
    -------
    fmpq_mat or tuple of fmpq
        C, in the smallest integers, or weights w, at least 0 and of sum 1, with ``sum w_i M_i = 0`` (Gordan's theorem).

    Examples
    --------
    >>> positive_direction([fmpq_mat([[1, 0]]), fmpq_mat([[-1, 2]])])
    [1, 1]
    >>> positive_direction([fmpq_mat([[1]]), fmpq_mat([[-3]])])
    (3/4, 1/4)

    Notes
    -----
    An exact linear program. When this fails: see `piggycheck.feasibility.feasible_point`.
    """
    rows, columns = matrices[0].nrows(), matrices[0].ncols()
    answer = feasible_point([], [], [(M.entries(), 0) for M in matrices], rows * columns)
    if isinstance(answer, Feasible):
        return fmpq_mat(rows, columns, _smallest_integers(answer.point))
    total = sum(answer.strict, fmpq(0))
    return tuple(weight / total for weight in answer.strict)


def _smallest_integers(values: Sequence[fmpq]) -> list[fmpz]:
    size = reduce(fmpz.lcm, (value.q for value in values), fmpz(1))
    whole = [(value * size).p for value in values]
    divisor = reduce(fmpz.gcd, whole, fmpz(0))
    return [value / divisor for value in whole]

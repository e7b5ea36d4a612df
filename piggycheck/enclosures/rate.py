"""The rate at which iterates and derivatives converge: a proved bound of the spectral radius of the piece."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from flint import arb_mat, fmpq, fmpq_mat

from piggycheck.enclosures.contraction import (
    floats,
    form_guess,
    form_shrinks,
    norm_guess,
    rounded_up,
    shrinks,
    spectral_radius_guess,
)
from piggycheck.enclosures.enclosure import LimitEnclosure
from piggycheck.enclosures.jacobian import derivative_block
from piggycheck.enclosures.proof import around
from piggycheck.errors import UnknownError

__all__ = ["Rate", "rate_at"]

_DIGITS = 12
_NORM_MARGINS = (1e-10, 1e-8)
_FORM_MARGINS = (1e-8, 1e-6, 1e-4, 1e-2)
_LARGEST_BLOCK = 600


@dataclass(frozen=True)
class Rate:
    """A proof that the piece at the fixed point shrinks tangents by a factor, in a norm.

    Attributes
    ----------
    bound : fmpq
        At least the spectral radius of A, which is the joint spectral radius of the one piece.
    guess : float
        The spectral radius as floating point sees it; the bound is close to it unless `by` is ``"layers"``.
    kept : tuple of int
        The rows of A that are not exactly zero. The others do not count: A is block triangular.
    form : fmpq_mat or None
        The quadratic form of the norm, on the kept coordinates; None for the Euclidean norm.
    by : str
        ``"jacobian"``, or ``"layers"`` when the matrix was not formed: the bound is then the factor of the contraction.
    """

    bound: fmpq
    guess: float | None
    kept: tuple[int, ...]
    form: fmpq_mat | None
    by: str


def rate_at(limit: LimitEnclosure) -> Rate:
    """Bound the spectral radius of the derivative in the state at the enclosed fixed point, closely.

    Raises
    ------
    UnknownError
        When no bound was proved.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.iteration import Iteration
    >>> from piggycheck.enclosures import verified_limit
    >>> from piggycheck.maps import SymbolicMap
    >>> x, y = sp.symbols("x y", real=True)
    >>> spiral = Iteration(SymbolicMap([x, y], [y - 1, -x / 4]))
    >>> rate = rate_at(verified_limit(spiral))
    >>> float(rate.bound - fmpq(1, 2)) < 1e-6, rate.form is None
    (True, False)

    Notes
    -----
    When this fails: for maps with spectral layers of more than 600 variables the matrix is not formed.
    """
    contraction = limit.contraction
    if contraction.by == "layers" and limit.point.nrows() > _LARGEST_BLOCK:
        return Rate(contraction.factor, None, contraction.kept, None, "layers")
    bound = limit.problem.over(limit.arrays)
    with bound.arrays.precision():
        moment = around(bound, bound.arrays.matrix(limit.point), limit.error, contraction.by)
        block = derivative_block(moment, limit.signature)
        A = floats(block.matrix)
        guess = spectral_radius_guess(A)
        proved = _euclidean(block.matrix, A, guess) or _in_a_form(block.matrix, A, guess)
    if proved is None:
        raise UnknownError(f"the spectral radius of the piece, about {guess:.6g}, was not bounded")
    return Rate(proved[0], guess, block.kept, proved[1], "jacobian")


def _euclidean(block: arb_mat, A: np.ndarray, guess: float) -> tuple[fmpq, None] | None:
    """Bound the Euclidean norm, when it is close to the spectral radius."""
    if not len(A):
        return fmpq(0), None
    norm = norm_guess(A)
    if norm > guess * (1 + _FORM_MARGINS[0]):
        return None
    for margin in _NORM_MARGINS:
        bound = _above(norm * (1 + margin))
        if shrinks(block, bound, norm):
            return bound, None
    return None


def _in_a_form(block: arb_mat, A: np.ndarray, guess: float) -> tuple[fmpq, fmpq_mat] | None:
    for margin in _FORM_MARGINS:
        bound = _above(max(guess * (1 + margin), margin))
        form = form_guess(A, bound)
        if form is not None and form_shrinks(block, form, bound):
            return bound, form
    return None


def _above(number: float) -> fmpq:
    return rounded_up(fmpq(*number.as_integer_ratio()), _DIGITS)

"""A bound on the spectral radius of the one matrix A at an enclosed fixed point."""

from __future__ import annotations

from dataclasses import dataclass

from flint import acb_mat, arb, arb_mat, fmpq, fmpq_mat

from piggycheck.arrays import Enclosed
from piggycheck.claims.base import decimals_above
from piggycheck.errors import UnknownError
from piggycheck.limits import LimitEnclosure
from piggycheck.limits.contraction import (
    floats,
    form_guess,
    form_shrinks,
    rational_above,
    rounded_up,
    spectral_radius_guess,
)
from piggycheck.limits.jacobian import Rows, derivative_block

__all__ = ["Rate", "bound_rate", "enclosed_radius"]

_DIGITS = 12
_SHARES = (2.0**-6, 2.0**-3, 0.5)
_WORTH_IT = 0.01
_LARGEST = 64


@dataclass(frozen=True)
class Rate:
    """A proof that the derivative A at the fixed point has spectral radius at most a rate.

    Attributes
    ----------
    rate : fmpq
    form : fmpq_mat or None
        A quadratic form on the rows that are kept, in whose norm they shrink; without it, the Euclidean norm is meant.
    block : Rows
        The rows of A that are not zero, with the columns of the same indices, in balls.
    size : int
        Of A.
    """

    rate: fmpq
    form: fmpq_mat | None
    block: Rows
    size: int


def bound_rate(limit: LimitEnclosure, wanted: fmpq | None = None) -> Rate:
    """Bound the spectral radius at the fixed point, by `wanted` if one can.

    Raises
    ------
    UnknownError
        When no rate below 1, or no rate as small as that, was proved.
    """
    arrays = limit.arrays
    with arrays.precision():
        x = Enclosed(arrays.matrix(limit.point), arb(limit.error).upper())
        block = derivative_block(limit.problem.over(arrays)(x), limit.signature)
        size, A = limit.point.nrows(), block.matrix
        if not block.kept:
            return Rate(fmpq(0), None, block, size)
        norm = rounded_up(arrays.operator_norm(A), _DIGITS)
        reached = spectral_radius_guess(floats(A))
        if norm < 1 and (norm <= wanted if wanted is not None else _is_close(norm, reached)):
            return Rate(norm, None, block, size)
        for rate in [wanted] if wanted is not None else [rational_above(reached, share) for share in _SHARES]:
            form = form_guess(floats(A), rate) if reached < float(rate.p) / float(rate.q) < 1 else None
            if form is not None and form_shrinks(A, form, rate):
                return Rate(rate, form, block, size)
        if wanted is None and norm < 1:
            return Rate(norm, None, block, size)
    known = f"its norm is at most {decimals_above(norm)}, and it is about {reached:.9f} in floating point"
    raise UnknownError(f"that the spectral radius is at most {wanted or 'some rate below 1'} was not proved: {known}")


def _is_close(norm: fmpq, reached: float) -> bool:
    """Whether a form would not give a rate that is much better than the norm."""
    number = float(norm.p) / float(norm.q)
    return number - reached <= _WORTH_IT * (1 - number)


def enclosed_radius(A: arb_mat) -> tuple[fmpq, fmpq] | None:
    """Enclose the spectral radius of a matrix of balls, where it is not too large.

    Examples
    --------
    >>> low, high = enclosed_radius(arb_mat([[0, 1], [arb(0.25), 0]]))
    >>> low <= fmpq(1, 2) <= high, high - low < fmpq(1, 10**12)
    (True, True)
    """
    if not 0 < A.nrows() <= _LARGEST:
        return None
    try:
        eigenvalues = acb_mat(A).eig(multiple=True)
    except ValueError:
        return None
    moduli = [abs(value) for value in eigenvalues]
    if not all(modulus.is_finite() for modulus in moduli):
        return None
    low, high = max(m.lower() for m in moduli), max(m.upper() for m in moduli)
    return low.fmpq(), high.fmpq()

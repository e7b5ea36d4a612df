"""Norms of errors: enclosed for balls, and compared with a bound exactly."""

from __future__ import annotations

import sympy as sp
from flint import acb_mat, arb, arb_mat, ctx, fmpq, fmpq_mat, fmpz, fmpz_mat

from piggycheck.arithmetic import sign
from piggycheck.errors import UnknownError
from piggycheck.linalg import is_positive_semidefinite
from piggycheck.rates.bounds import Bound
from piggycheck.rates.parts import Fixed

__all__ = ["balls", "exceeds", "norm_of"]

_PRECISIONS = (256, 1024)


def balls(fixed: Fixed, bits: int) -> arb_mat:
    """Return balls around integers of which only the first bits matter."""
    entries, columns = fixed.entries, fixed.columns
    rows = len(entries) // columns if columns else 0
    if not fixed.error:
        unit = arb(2) ** -fixed.scale / arb(fixed.denominator)
        return arb_mat(rows, columns, [arb(entry) * unit for entry in entries])
    drop = max(max((entry.bit_length() for entry in entries), default=0) - bits, 0)
    error = fixed.error * fixed.denominator
    unit, radius = arb(2) ** (drop - fixed.scale) / arb(fixed.denominator), arb((error >> drop) + 2).upper()
    return arb_mat(rows, columns, [arb(entry >> drop, radius) * unit for entry in entries])


def norm_of(M: arb_mat, norm: str) -> arb:
    """Enclose the norm of a matrix: "max", "frobenius" or "spectral"."""
    if norm == "max":
        sizes = [abs(entry) for entry in M.entries()]
        largest = sizes[0]
        for size in sizes[1:]:
            largest = largest.max(size)
        return largest
    if norm == "frobenius" or min(M.nrows(), M.ncols()) == 1:
        return _root(sum((entry * entry for entry in M.entries()), start=arb(0)))
    gram = M.transpose() * M if M.ncols() <= M.nrows() else M * M.transpose()
    return _root(_largest_eigenvalue(gram))


def _root(square: arb) -> arb:
    if square > 0:
        return square.sqrt()
    return arb(0).union(square.upper().max(arb(0)).sqrt().upper())


def _largest_eigenvalue(gram: arb_mat) -> arb:
    """Enclose the largest eigenvalue of a symmetric matrix that is positive semidefinite."""
    if gram.nrows() == 2:
        half, d = (gram[0, 0] + gram[1, 1]) / 2, (gram[0, 0] - gram[1, 1]) / 2
        return half + _root(d * d + gram[0, 1] * gram[1, 0])
    try:
        values = [value.real for value in acb_mat(gram).eig(multiple=True)]
    except (ValueError, ZeroDivisionError, ArithmeticError):
        raise UnknownError("the largest singular value was not enclosed") from None
    largest = values[0]
    for value in values[1:]:
        largest = largest.max(value)
    return largest


def exceeds(numerators: fmpz_mat, denominator: fmpz, norm: str, bound: Bound, k: int) -> bool:
    """Decide exactly whether the norm of integers over a denominator is above a bound at k."""
    if not bound.is_rational and norm != "spectral":
        seen = _exceeds_in_balls(numerators, denominator, norm, bound, k)
        if seen is not None:
            return seen
    if norm == "max" and (plain := bound.rational(k)) is not None:
        largest = max((abs(entry) for entry in numerators.entries()), default=fmpz(0))
        return bool(largest * plain.q > plain.p * denominator)
    square = bound.square(k)
    if norm == "spectral" and min(numerators.nrows(), numerators.ncols()) > 1:
        if square is None:
            raise UnknownError(f"step {k}: whether the spectral norm equals an irrational bound is not decided")
        M = numerators
        gram = M.transpose() * M if M.ncols() <= M.nrows() else M * M.transpose()
        test = fmpq_mat(gram) * fmpq(-1)
        for i in range(gram.nrows()):
            test[i, i] = test[i, i] + square * denominator * denominator
        return not is_positive_semidefinite(test)
    value = _squared(numerators, norm)
    if square is not None:
        return bool(value * square.q > square.p * denominator * denominator)
    exact = sp.Rational(int(value), int(denominator) ** 2)
    return sign(exact - bound.exactly(k) ** 2) > 0


def _exceeds_in_balls(numerators: fmpz_mat, denominator: fmpz, norm: str, bound: Bound, k: int) -> bool | None:
    """Compare with an irrational bound, as far as some digits of it tell."""
    value, square = _squared(numerators, norm), denominator * denominator
    for bits in _PRECISIONS:
        try:
            ball = bound.ball(k, bits)
        except UnknownError:
            continue
        with ctx.workprec(bits):
            apart = arb(value) / arb(square) - ball * ball
            if apart > 0 or apart < 0:
                return bool(apart > 0)
    return None


def _squared(numerators: fmpz_mat, norm: str) -> fmpz:
    """The numerator of the square of the maximum norm or the Frobenius norm."""
    entries = numerators.entries()
    if norm == "max":
        return max((abs(entry) for entry in entries), default=fmpz(0)) ** 2
    return sum((entry * entry for entry in entries), start=fmpz(0))

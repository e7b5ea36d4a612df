"""Spectral radii of matrices between bounds: how large they are at least, for every choice between the bounds.

Each part of a matrix that zeros do not separate is looked at alone. Its characteristic polynomials are enclosed by the
algorithm of Faddeev and LeVerrier, and the Schur-Cohn (Jury) test finds a circle that no choice of them has all its
roots inside, both in rational intervals.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

from flint import fmpq, fmpq_mat

from piggycheck.intervals import IntervalMatrix, Letter, midpoint
from piggycheck.linalg import identity, modulus_lower, simplest_between
from piggycheck.stability.structure import triangularise

__all__ = ["largest_proved", "uncertain_modulus_lower"]

_Interval = tuple[fmpq, fmpq]
_Evidence = TypeVar("_Evidence")

_BITS = 256
_HALVINGS = 8
_SIMPLER = 1 - fmpq(1, 10**6)


def uncertain_modulus_lower(M: IntervalMatrix) -> fmpq:
    """Return a number that some eigenvalue reaches or exceeds in modulus, for every matrix between the bounds.

    Parameters
    ----------
    M : IntervalMatrix
        Square.

    Returns
    -------
    fmpq
        Below the spectral radius of the middle matrix; zero when nothing better was proved.

    Examples
    --------
    >>> M = IntervalMatrix.between(fmpq_mat([[2, 1], [0, 0]]), fmpq_mat([[3, 1], [0, 0]]))
    >>> uncertain_modulus_lower(M)
    2

    Notes
    -----
    When this fails: the coefficients are treated as if they did not depend on each other, so wide intervals are
    overestimated, those of matrices with many rows most of all.
    """
    parts = [part for blocks in triangularise([M]).blocks([M]) for part in blocks]
    return max((_modulus_of_part(part) for part in parts), default=fmpq(0))


def _modulus_of_part(M: Letter) -> fmpq:
    middle = modulus_lower(midpoint(M).charpoly())
    if middle == 0 or not isinstance(M, IntervalMatrix) or not any(M.radius.entries()):
        return middle
    polynomials = _characteristic_intervals(M)
    return largest_proved(middle, lambda modulus: _some_root_reaches(polynomials, modulus))[0]


def largest_proved(middle: fmpq, prove: Callable[[fmpq], _Evidence]) -> tuple[fmpq, _Evidence | None]:
    """Return the largest number below a positive one, about, for which something can be proved, and the evidence.

    Parameters
    ----------
    middle : fmpq
    prove : callable
        Given a number, it returns evidence, which is true, or something false.

    Returns
    -------
    (fmpq, evidence or None)
        Zero without evidence when nothing was proved.

    Examples
    --------
    >>> largest_proved(fmpq(2), lambda x: x <= fmpq(7, 5))
    (7/5, True)

    Notes
    -----
    When this fails: if smaller numbers are not always easier, a larger one than the answer may be possible.
    """
    low, high, best = fmpq(0), middle, None
    for candidate in _descending(middle):
        evidence = prove(candidate)
        if evidence:
            low, best = candidate, evidence
            break
        high = candidate
    for _ in range(_HALVINGS if best else 0):
        between = (low + high) / 2
        evidence = prove(between)
        low, high, best = (between, high, evidence) if evidence else (low, between, best)
    for simple in (simplest_between(low, high), simplest_between(low * _SIMPLER, low)) if best else ():
        evidence = prove(simple)
        if evidence:
            return simple, evidence
    return low, best


def _descending(middle: fmpq) -> Iterator[fmpq]:
    for exponent in range(20, 0, -1):
        yield middle * (1 - fmpq(1, 4**exponent))
    for exponent in range(1, 7):
        yield middle / 4**exponent


def _characteristic_intervals(M: IntervalMatrix) -> list[_Interval]:
    """Enclose the coefficients of all characteristic polynomials, the leading one first."""
    n = M.nrows()
    coefficients = [(fmpq(1), fmpq(1))]
    power = IntervalMatrix(identity(n), fmpq_mat(n, n))
    for k in range(1, n + 1):
        power = M * power
        bounds = power.bounds()
        low, high = (-sum((bounds[i][i][end] for i in range(n)), fmpq(0)) / k for end in (1, 0))
        coefficients.append((low, high))
        power = power + IntervalMatrix(identity(n) * ((low + high) / 2), identity(n) * ((high - low) / 2))
    return coefficients


def _some_root_reaches(polynomials: list[_Interval], modulus: fmpq) -> bool:
    """Prove that each of the monic polynomials has a root of at least this modulus; only True is a theorem."""
    scaled = [_rounded(low / modulus**k, high / modulus**k) for k, (low, high) in enumerate(polynomials)]
    while len(scaled) > 1:
        constant = scaled[-1]
        square = _times(constant, constant)
        if square[0] >= 1:
            return True
        if square[1] >= 1:
            return False
        factor = (1 / (1 - square[0]), 1 / (1 - square[1]))
        pairs = zip(scaled[:-1], reversed(scaled[1:]), strict=True)
        scaled = [_rounded(*_times(_minus(b, _times(constant, c)), factor)) for b, c in pairs]
    return False


def _times(x: _Interval, y: _Interval) -> _Interval:
    ends = [a * b for a in x for b in y]
    return min(ends), max(ends)


def _minus(x: _Interval, y: _Interval) -> _Interval:
    return x[0] - y[1], x[1] - y[0]


def _rounded(low: fmpq, high: fmpq) -> _Interval:
    """A slightly larger interval, of ends with a moderate number of digits."""
    size = max(abs(low), abs(high))
    if size == 0:
        return low, high
    unit = fmpq(2) ** (int(size.p.bit_length()) - int(size.q.bit_length()) - _BITS)
    return (low / unit).floor() * unit, (high / unit).ceil() * unit

"""What a run at high precision shows of a rate, and of what comes before it: observations, beside the exact number."""

from __future__ import annotations

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from flint import arb, arb_mat, ctx, fmpq

from piggycheck.arithmetic import bounds
from piggycheck.arrays import BallArrays, Enclosed
from piggycheck.errors import UnknownError
from piggycheck.maps import Signature
from piggycheck.piggyback import steps
from piggycheck.rates.algebraic import AlgebraicNumber
from piggycheck.rates.limit import Limit
from piggycheck.rates.walk import CurvedError, Fixed, Walk

__all__ = ["Transient", "observe"]

_ITERATIONS, _FEWEST, _BITS = 2000, 60, 3400
_MOST_BITS, _SPARE_BITS = 20_000, 512
_WORK, _WIDTH = 10_000_000, 20_000
_MOST_LEADING = 6
_GUARD_BITS = 64
_NEAR = fmpq(1, 100)
_MOST_DIGITS, _MOST_SHOWN = 1000, 40
_DIGITS_PER_BIT = 0.30103


@dataclass(frozen=True)
class Transient:
    """What a run shows.

    Attributes
    ----------
    iterations : int
        How many were computed.
    precision : int
        With so many decimal digits.
    observed : str
        The rate, from the errors alone, to the digits that agree with the exact one and two more, at most 42.
    digits : int
        So many digits agree.
    identified : int
        From this iterate on the guards see the same, up to the last one computed.
    largest : (int, str) or None
        Before that: the index and the size of the largest error of the derivatives.
    peak : (int, str) or None
        The index and the size of the largest error of the derivatives of all, when it is not the first one.
    within : int or None
        From this index on, up to the last one computed, the quotient ``e_{k+1}/e_k``, or the root ``e_k^(1/k)``, is
        within 1 % of the exact rate.
    by : "quotient" or "root"
        Which of the two: quotients of successive errors have no limit where several eigenvalues share the modulus.
    """

    iterations: int
    precision: int
    observed: str
    digits: int
    identified: int
    largest: tuple[int, str] | None
    peak: tuple[int, str] | None
    within: int | None
    by: str


@dataclass(frozen=True)
class _Run:
    """Errors along a run, their sizes, and what the guards saw."""

    errors: list[arb_mat]
    sizes: list[arb]
    signatures: list[Signature | None]
    bits: int

    def add(self, error: arb_mat) -> None:
        self.errors.append(error)
        self.sizes.append(_size(error))


def observe(
    limit: Limit, quantity: str, rate: AlgebraicNumber, leading: int, seconds: float = math.inf
) -> Transient | None:
    """Run the iteration with hundreds or thousands of digits, and compare its errors with the exact rate.

    Parameters
    ----------
    limit : Limit
        An iteration with a start and a rational fixed point.
    quantity : "iterates" or "derivatives"
    rate : AlgebraicNumber
        The exact rate.
    leading : int
        How many excited eigenvalues have this modulus, each as often as it is repeated.
    seconds : float
        After which the run ends, however far it came.

    Returns
    -------
    Transient or None
        None where the run stops at a tie, or the error is zero.

    Notes
    -----
    Quotients of the volumes that `leading` successive errors span converge, to the power `leading` of the rate, as fast
    as the other eigenvalues decay against these, repeated ones and conjugate pairs included; with one leading
    eigenvalue it is the quotient of successive errors. Source: docs/theory/asymptotic-rates.md.

    When this fails: a rate close to that of other eigenvalues is seen to few digits only.
    """
    if rate.upper == 0:
        return None
    try:
        run = _follow(limit, quantity, rate, time.monotonic() + seconds)
    except UnknownError:
        return None
    usable = next((k for k, size in enumerate(run.sizes) if not _is_known(size)), len(run.sizes))
    if usable < _FEWEST // 2:
        return None
    with ctx.workprec(run.bits):
        observed, digits = _observed(run.errors[:usable], rate, leading, run.bits)
        by = "quotient" if leading == 1 else "root"
        within = _within(run.sizes[:usable], rate.enclosure(run.bits), by)
    identified = _identified(run.signatures[:usable])
    largest = peak = None
    if quantity == "derivatives":
        largest, peak = _largest(run.sizes[:identified]), _largest(run.sizes[:usable])
    peak = peak if peak is not None and peak[0] > 0 else None
    precision = int(run.bits * _DIGITS_PER_BIT)
    return Transient(usable - 1, precision, observed, digits, identified, largest, peak, within, by)


def _follow(limit: Limit, quantity: str, rate: AlgebraicNumber, deadline: float) -> _Run:
    """Run along affine pieces, or else in balls."""
    map_, derivatives = limit.iteration.map, quantity == "derivatives"
    p, m = len(map_.state), len(map_.parameters)
    count = max(_FEWEST, min(_ITERATIONS, _WORK // (p * p * ((m if derivatives else 0) + 1)), _WIDTH // p))
    try:
        return _along_pieces(limit, derivatives, count, deadline)
    except CurvedError:
        return _in_balls(limit, derivatives, count, rate, deadline)


def _along_pieces(limit: Limit, derivatives: bool, count: int, deadline: float) -> _Run:
    walk, run = Walk(limit, _BITS, derivatives), _Run([], [], [], _BITS)
    with ctx.workprec(_BITS + _GUARD_BITS):
        for errors in islice(walk, count + 1):
            run.add(_entries(errors.J if derivatives else errors.x))
            if time.monotonic() > deadline:
                break
    run.signatures.extend(piece.signature for piece in walk.itinerary)
    return run


def _entries(held: Fixed) -> arb_mat:
    unit, n = arb(2) ** -held.scale, held.numerators
    return arb_mat(n.nrows(), n.ncols(), [arb(entry, held.error) * unit for entry in n.entries()])


def _in_balls(limit: Limit, derivatives: bool, count: int, rate: AlgebraicNumber, deadline: float) -> _Run:
    decay, growth = abs(_log2(rate)), max(0.0, _log2_norm(limit))
    count = max(_FEWEST, min(count, int(_MOST_BITS / (decay + growth + 0.1))))
    bits = int(count * (decay + growth)) + _SPARE_BITS
    arrays, shape = BallArrays(bits), (len(limit.coordinates), 1)
    numbers = limit.coordinates
    if derivatives:
        shape, numbers = limit.matrix.shape, tuple(limit.matrix)
    centre, run = arrays.assemble(*shape, [arrays.scalars.evaluate(c) for c in numbers]), _Run([], [], [], bits)
    found = steps(limit.iteration, limit.at, directions=None if derivatives else {}, arithmetic=arrays, most_bits=bits)
    with ctx.workprec(bits):
        for step in islice(found, count + 1):
            run.add(_difference(step.J if derivatives else step.x, centre))
            run.signatures.append(step.signature)
            if time.monotonic() > deadline:
                break
    return run


def _difference(of: Enclosed, limit: arb_mat) -> arb_mat:
    centre = of.centre - limit
    spread = of.spread
    if isinstance(spread, int) or spread.is_zero():
        return centre
    around = arb(0, spread.upper())
    return arb_mat(centre.nrows(), centre.ncols(), [entry + around for entry in centre.entries()])


def _size(error: arb_mat) -> arb:
    """The largest absolute value of an entry."""
    found = arb(0)
    for entry in error.entries():
        found = found.max(abs(entry))
    return found


def _is_known(size: arb) -> bool:
    """Whether an error is known to several digits, or is zero."""
    return size.is_zero() or (bool(size > 0) and size.rel_accuracy_bits() > _GUARD_BITS)


def _log2(rate: AlgebraicNumber) -> float:
    with ctx.workprec(64):
        return float((rate.enclosure(64).log() / arb(2).log()).mid())


def _log2_norm(limit: Limit) -> float:
    """About the logarithm of the norm of A, by which enclosures in norm may widen in each step."""
    squares = max((sum(float(entry) ** 2 for entry in piece.A) for piece in limit.pieces), default=0.0)
    return 0.5 * math.log2(squares) if squares > 0 else 0.0


def _observed(errors: Sequence[arb_mat], rate: AlgebraicNumber, leading: int, bits: int) -> tuple[str, int]:
    """The rate as late errors show it, and the number of digits that agree with the exact one."""
    exact = rate.enclosure(bits)
    if leading <= _MOST_LEADING:
        values = _combined(errors)
        k = len(values) - 2 * leading
        quotient = abs(_volume(values, k, leading) / _volume(values, k - 1, leading))
        seen = quotient.root(leading) if leading > 1 else quotient
    else:
        half = len(errors) // 2
        seen = (_size(errors[-1]) / _size(errors[half - 1])).root(len(errors) - half)
    if not seen.is_finite():
        return "", 0
    apart = abs(seen - exact) / exact
    worst = max(bounds(apart)[1], fmpq(1, 10**_MOST_DIGITS))
    digits = max(0, int(-_log10(worst)))
    return seen.mid().str(min(digits, _MOST_SHOWN) + 2, radius=False), digits


def _log10(value: fmpq) -> float:
    with ctx.workprec(64):
        return float((arb(value).log() / arb(10).log()).mid())


def _combined(errors: Sequence[arb_mat]) -> list[arb]:
    """One number for each error: a fixed combination of its entries."""
    weights = [arb(1) / (2 * i + 3) for i in range(len(errors[0].entries()))]
    return [sum((w * e for w, e in zip(weights, error.entries(), strict=True)), arb(0)) for error in errors]


def _volume(values: Sequence[arb], k: int, size: int) -> arb:
    return arb_mat(size, size, [values[k + i + j] for i in range(size) for j in range(size)]).det()


def _within(sizes: Sequence[arb], rate: arb, by: str) -> int | None:
    """The first index from which on the estimates stay within 1 % of the rate."""
    low, high = rate * (1 - arb(_NEAR)), rate * (1 + arb(_NEAR))
    since = None
    last = len(sizes) - 1 if by == "quotient" else len(sizes)
    for k in range(0 if by == "quotient" else 1, last):
        seen = sizes[k + 1] / sizes[k] if by == "quotient" else (sizes[k].log() / k).exp()
        near = bool(seen > low) and bool(seen < high)
        since = (k if since is None else since) if near else None
    return since


def _identified(signatures: Sequence[Signature | None]) -> int:
    last = signatures[-1]
    return next((k + 1 for k in range(len(signatures) - 1, -1, -1) if signatures[k] != last), 0)


def _largest(sizes: Sequence[arb]) -> tuple[int, str] | None:
    if not sizes:
        return None
    k = max(range(len(sizes)), key=lambda i: sizes[i].mid())
    return k, sizes[k].str(7, radius=False)

"""Errors along one smooth piece in one state variable that is not affine: their exact rate, and bounds for all k.

With ``d = x - xbar``, ``g`` the error of a derivative and ``h = F_x Jbar + F_theta``, a step sends d to ``b d`` and g
to ``a g + c d``, where a, b and c are values and means of ``F_x`` and ``h_x`` that tend to those at the fixed point as
fast as d tends to 0. Source: docs/theory/curved-rates.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import sympy as sp
from flint import arb, ctx, fmpq

from piggycheck.arithmetic import Balls, bounds, enclosure, rational
from piggycheck.errors import IrrationalError, MapError, UnknownError
from piggycheck.linalg import root_upper, simplest_between
from piggycheck.maps import SmoothPiece
from piggycheck.rates.bounds import Bound
from piggycheck.rates.errors import ErrorRun, ErrorSequence
from piggycheck.rates.floor import BITS, Floor
from piggycheck.rates.limit import Limit

__all__ = ["Curve", "CurvedTail", "Followed", "decays_like_its_slope", "find_curved_tail", "follow"]

_BITS = 128
_BALLS = Balls(_BITS)
_FIRST_BITS, _MOST_BITS = 256, 16_384
_MOST_STEPS, _MOST_EXACT = 2000, 12
_SMALL = fmpq(1, 2**400)
_SPARE_BITS, _DIGITS, _FEWEST_DIGITS = 128, 40, 12
_ROOM = 2  # how much wider than needed, as others enclose by other expressions


@dataclass(frozen=True)
class Nearby:
    """What holds on an interval around the fixed point, where no guard vanishes and the iterates stay.

    Attributes
    ----------
    steepest, flattest : fmpq
        The largest and the smallest ``|F_x|``, the former below 1.
    bend : fmpq
        The largest ``|F_xx|``.
    twists : tuple of fmpq
        The largest ``|h_xx|``, for each parameter.
    """

    steepest: fmpq
    flattest: fmpq
    bend: fmpq
    twists: tuple[fmpq, ...]

    def strayed(self, slope: fmpq, part: fmpq, radius: fmpq, rate: fmpq) -> fmpq | None:
        """A bound of the sum of what slopes exceed the rate by, as parts of it; None where it is not below 1."""
        if slope + part * self.bend * radius <= rate:
            return fmpq(0)
        found = part * self.bend * radius / (rate * (1 - self.steepest))
        return found if found < 1 else None


class Curve:
    """The one piece of a map in one state variable at a fixed point, and its derivatives.

    Parameters
    ----------
    limit : Limit
    piece : SmoothPiece
        The only one that is met near the fixed point.
    derivatives : bool
        Whether the errors of the derivatives count.
    columns : sequence of int, optional
        In which parameters; by default all.
    """

    def __init__(self, limit: Limit, piece: SmoothPiece, derivatives: bool, columns: Sequence[int] | None = None):
        self.limit, self.piece, at = limit, piece, limit.at
        (self.state,), (self.centre,) = limit.iteration.map.state, limit.coordinates
        (expression,) = piece.expressions
        chosen = range(len(limit.iteration.map.parameters)) if columns is None else columns
        slope = sp.diff(expression, self.state)
        self._slope = slope.subs(at)
        self._bend = sp.diff(self._slope, self.state)
        drifts = []
        for j in chosen if derivatives else ():
            theta = limit.iteration.map.parameters[j]
            drifts.append((slope * limit.matrix[0, j] + sp.diff(expression, theta)).subs(at))
        self._shifts = [sp.diff(drift, self.state) for drift in drifts]
        self._twists = [sp.diff(shift, self.state) for shift in self._shifts]
        self._guards = [guard.subs(at) for _, guard in piece.conditions]

    @property
    def has_drifts(self) -> bool:
        """Whether the errors of derivatives count."""
        return bool(self._shifts)

    @cached_property
    def slope(self) -> sp.Expr:
        """``F_x`` at the fixed point."""
        return _plain(self._slope.subs(self.state, self.centre))

    @cached_property
    def steepness(self) -> fmpq:
        """An upper bound of its size; the size itself where it is rational."""
        return _size(self.slope)[1]

    @cached_property
    def shifts(self) -> tuple[sp.Expr, ...]:
        """``h_x`` at the fixed point, for each parameter: how the slope there changes with the parameter."""
        return tuple(_plain(shift.subs(self.state, self.centre)) for shift in self._shifts)

    def near(self, radius: fmpq) -> Nearby | None:
        """What holds within a distance of the fixed point; None where it is not seen that the iterates stay."""
        try:
            centre = rational(self.centre)
            box = {self.state: _BALLS.between(centre - _ROOM * radius, centre + _ROOM * radius)}
            if any(guard.free_symbols and _BALLS.sign(_BALLS.evaluate(guard, box)) == 0 for guard in self._guards):
                return None
            flattest, steepest = _ends(_BALLS.evaluate(self._slope, box))
            if radius and steepest >= 1:
                return None
            twists = [_ends(_BALLS.evaluate(twist, box))[1] for twist in self._twists]
            return Nearby(steepest, flattest, _ends(_BALLS.evaluate(self._bend, box))[1], tuple(twists))
        except (UnknownError, MapError, IrrationalError):
            return None


def _plain(value: sp.Expr) -> sp.Expr:
    """A constant, as a rational number where it is one."""
    try:
        number = rational(value)
    except IrrationalError:
        return value
    return sp.Rational(int(number.p), int(number.q))


def _size(value: sp.Expr) -> tuple[fmpq, fmpq]:
    """Bounds of the size of a constant."""
    if value.is_Rational:
        return abs(rational(value)), abs(rational(value))
    low, high = enclosure(value, _BITS)
    return max(low, -high, fmpq(0)), max(-low, high)


def _ends(ball: arb) -> tuple[fmpq, fmpq]:
    """The smallest and the largest absolute value."""
    low, high = bounds(ball)
    return max(low, -high, fmpq(0)), max(-low, high)


# -- the errors at an index ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Followed:
    """The errors at an index.

    Attributes
    ----------
    k : int
    bits : int
        A precision with which they are followed in fixed-point numbers; 0 where they were computed exactly.
    distance : pair of fmpq
        Bounds of ``|x_k - xbar|``, equal to 0 where the iterate is the fixed point.
    derivatives : tuple of pairs of fmpq
        The same for each derivative.
    """

    k: int
    bits: int
    distance: tuple[fmpq, fmpq]
    derivatives: tuple[tuple[fmpq, fmpq], ...]


def follow(
    sequence: ErrorSequence, decide: Callable[[Followed], bool], out_of_time: Callable[[], bool], first: int = 0
) -> Followed:
    """Follow the iteration until its errors decide something.

    Parameters
    ----------
    sequence : ErrorSequence
    decide : callable
        Whether errors suffice.
    out_of_time : callable
    first : int
        The first index that is of use.

    Raises
    ------
    UnknownError
        When they do not up to k = 2000, or the time is over.
    """
    bits, k, step = _FIRST_BITS, first, 1
    run = sequence.run(bits)
    while k <= _MOST_STEPS and not out_of_time():
        found = _at(run, k, bits)
        if found is None and k <= _MOST_EXACT:
            found = _exactly(run, k)
        if found is None:
            bits *= 2
            if bits > _MOST_BITS:
                raise UnknownError(f"the errors at k = {k} were not enclosed with {_MOST_BITS} bits")
            run = sequence.run(bits)
            continue
        if decide(found):
            return found
        if found.distance[1] < _SMALL:
            break
        k, step = k + step, max(step, k // 8)
    raise UnknownError(f"the errors are not seen to be small enough up to k = {k}")


def _at(run: ErrorRun, k: int, bits: int) -> Followed | None:
    """The errors in balls, where these show enough digits."""
    run.go_to(k)
    with ctx.workprec(bits):
        x, G = run.both()
    distance = _ends(x[0, 0])
    if not distance[0] or distance[1] > distance[0] * (1 + fmpq(1, 10**_DIGITS)):
        return None
    sizes = () if G is None else tuple(map(_ends, G.entries()))
    lost = max(0, int(distance[1].q.bit_length()) - int(distance[1].p.bit_length()))
    return Followed(k, bits + lost + _SPARE_BITS, (distance[0], _rounded(distance[1])), sizes)


def _exactly(run: ErrorRun, k: int) -> Followed | None:
    """The errors over the rationals, where the iterate is the fixed point."""
    try:
        x, G = run.both_exactly()
    except (UnknownError, IrrationalError):
        return None
    if x[0, 0] != 0:
        return None
    return Followed(k, 0, (fmpq(0), fmpq(0)), () if G is None else tuple((abs(g), abs(g)) for g in G.entries()))


def _rounded(value: fmpq, digits: int = _DIGITS) -> fmpq:
    """A number with few digits, a little larger."""
    return simplest_between(value, value * (1 + fmpq(1, 10**digits)))


# -- exact rates ---------------------------------------------------------------------------------------------------


def decays_like_its_slope(curve: Curve, found: Followed) -> bool | None:
    """Decide whether errors decay at the rate of the slope at the fixed point, or faster than at every rate.

    Parameters
    ----------
    curve : Curve
    found : Followed

    Returns
    -------
    bool or None
        False also where the slope is 0, or the errors are zero from the index on; None when the index is too small.

    Notes
    -----
    When this fails: errors of derivatives that decay faster than those of the iterates are never told from others.
    """
    near = curve.near(found.distance[1])
    if near is None:
        return None
    if curve.slope == 0:
        return False
    resting = found.distance[1] == 0
    if not curve.has_drifts:
        return False if resting else True if near.flattest else None
    columns = list(zip(found.derivatives, curve.shifts, near.twists, strict=True))
    if all(size[1] == 0 and (resting or (shift == 0 and not twist)) for size, shift, twist in columns):
        return False
    if resting:
        return True
    if not near.flattest:
        return None
    if any(_size(shift)[0] for shift in curve.shifts):
        return True
    far = found.distance[1]
    strayed = near.bend * far / (2 * near.flattest * (1 - near.steepest))
    if strayed >= 1:
        return None
    turned = _ROOM * far * far / (2 * near.flattest * (1 - strayed) * (1 - near.steepest))
    return True if any(shift == 0 and size[0] > twist * turned for size, shift, twist in columns) else None


# -- bounds for all k ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class CurvedTail:
    """From `start` on the errors are at most ``(constant + slope n) rate^n``, ``n = k - start``, and below the bound.

    Attributes
    ----------
    start : int
    bits : int
        See `Followed`.
    rate, constant, slope : fmpq
    radius : fmpq
        How far the iterate there is from the fixed point, at most.
    steepest : fmpq
        The derivative of the map so far around it is at most this, below 1.
    """

    start: int
    bits: int
    rate: fmpq
    constant: fmpq
    slope: fmpq
    radius: fmpq
    steepest: fmpq


def find_curved_tail(
    sequence: ErrorSequence,
    bound: Bound | Floor,
    curve: Curve,
    rate: fmpq,
    first: int = 0,
    out_of_time: Callable[[], bool] = lambda: False,
) -> CurvedTail:
    """Find an index from which on the errors stay below a bound.

    Parameters
    ----------
    sequence : ErrorSequence
    bound : Bound or Floor
        A sum of terms ``c k^d r^k``.
    curve : Curve
    rate : fmpq
        The largest ratio of a positive term of the bound, or a little less.
    first : int
        The index is at least this one.
    out_of_time : callable

    Raises
    ------
    UnknownError
        When there is none, or the bound decreases faster than the errors.
    """
    floor, least = bound if isinstance(bound, Floor) else Floor.of(bound), curve.steepness
    if rate < least:
        raise UnknownError(f"the bound decreases faster than the derivative at the fixed point, {curve.slope}")
    rates = [rate]
    if sequence.of_derivatives and rate > least:
        rates += [simplest_between((rate + 3 * least) / 4, (3 * rate + least) / 4)]
        rates += [least] if curve.slope.is_Rational and least else []
    tails: list[CurvedTail] = []

    def decide(found: Followed) -> bool:
        near = curve.near(found.distance[1])
        for g in rates if near is not None else ():
            tail = _tail(sequence, curve, near, found, g)
            for digits in (_FEWEST_DIGITS, _DIGITS) if tail is not None else ():
                rounded = replace(tail, constant=_rounded(tail.constant, digits), slope=_rounded(tail.slope, digits))
                if _is_below(rounded, floor):
                    tails.append(rounded)
                    return True
        return False

    follow(sequence, decide, out_of_time, max(first, int(floor.has_degrees)))
    return tails[0]


def _tail(sequence: ErrorSequence, curve: Curve, near: Nearby, found: Followed, rate: fmpq) -> CurvedTail | None:
    """Constants that hold from an index on."""
    far, slope = found.distance[1], curve.steepness
    one, half = near.strayed(slope, fmpq(1), far, rate), near.strayed(slope, fmpq(1, 2), far, rate)
    if one is None or half is None:
        return None
    spread = far / (1 - half)
    if not sequence.of_derivatives:
        return CurvedTail(found.k, found.bits, rate, spread, fmpq(0), far, near.steepest)
    constants, slopes = [], []
    for (_, size), shift, twist in zip(found.derivatives, curve.shifts, near.twists, strict=True):
        turned = twist * spread * far / (2 * rate * (1 - near.steepest)) if far else fmpq(0)
        constants.append((size + turned) / (1 - one))
        slopes.append(_size(shift)[1] * spread / (rate * (1 - one)))
    if sequence.norm == "max":
        a, b = max(constants), max(slopes)
    else:
        a, b = (root_upper(sum((c * c for c in numbers), fmpq(0)), 2) for numbers in (constants, slopes))
    return CurvedTail(found.k, found.bits, rate, a, b, far, near.steepest)


def _is_below(tail: CurvedTail, floor: Floor) -> bool:
    """Whether a bound is seen to stay above ``(constant + slope n) rate^n``."""
    sums = floor.sums(tail.start, tail.rate)
    if sums is None:
        return False
    with ctx.workprec(BITS):
        return bool(arb(tail.constant) <= sums[0]) and (not tail.slope or bool(arb(tail.slope) <= sums[1]))

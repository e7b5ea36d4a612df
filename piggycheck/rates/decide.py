"""Deciding ``e_k <= bound(k)`` in a range: with as many digits as each k needs, and exactly where both are equal."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from piggycheck.errors import UnknownError
from piggycheck.rates.bounds import Bound
from piggycheck.rates.errors import ErrorSequence, Run
from piggycheck.rates.walk import TieError

__all__ = ["Comparison", "compare_with_bound"]

_FIRST_BITS = 64
_EXACT_FROM_BITS = 256
_MOST_BITS = 65_536
_REPORTED = 1000
_LOOKED_AT = 100
_READ_FIRST = 1000


class _TimeUp(UnknownError):
    """The time is up."""


@dataclass(frozen=True)
class Comparison:
    """What was found of ``e_k <= bound(k)``.

    Attributes
    ----------
    proved_upto : int
        It holds for k = 0, ..., this one; -1 when already k = 0 is not decided.
    violation : int or None
        The first k at which it does not hold.
    bits : int
        The precision that the hardest decision needed.
    equalities : int
        How many k were settled by rational numbers.
    closest : tuple of int and float
        The k at which the error is the largest part of the bound, and which part, rounded.
    reason : str
        What was not decided at the next k, when the range was not finished.
    """

    proved_upto: int
    violation: int | None
    bits: int
    equalities: int
    closest: tuple[int, float] = (0, 0.0)
    reason: str = ""


def compare_with_bound(
    sequence: ErrorSequence,
    bound: Bound,
    upto: int,
    *,
    most_bits: int = _MOST_BITS,
    out_of_time: Callable[[], bool] = lambda: False,
    progress: Callable[[str], None] | None = None,
) -> Comparison:
    """Compare errors with a bound, k by k from 0, until one exceeds it.

    Parameters
    ----------
    sequence : ErrorSequence
    bound : Bound
    upto : int
        The last k.
    most_bits : int
        How far the precision is raised; each time it is doubled, and the run starts again.
    out_of_time : callable
        Ends the comparison when it returns True.
    progress : callable, optional
        Is given a text from time to time.

    Returns
    -------
    Comparison

    Raises
    ------
    InputError
        When the bound is negative or not real for some k in the range.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> from piggycheck.rates.bounds import read_bound
    >>> from piggycheck.rates.limit import limit_of
    >>> descent = ErrorSequence(limit_of(gradient_descent("x**2/2", ["x"], "1/2", start=[1])))
    >>> compare_with_bound(descent, read_bound("(1/2)**k"), 50).proved_upto
    50
    >>> compare_with_bound(descent, read_bound("2*(49/100)**k"), 50).violation
    35
    """
    run, k, hardest, equalities, closest = sequence.run(_FIRST_BITS), 0, _FIRST_BITS, 0, (0, 0.0)
    unread = 0
    while k <= upto:
        if k == unread:
            unread = _read(bound, k, min(upto + 1, max(_READ_FIRST, 2 * k)), out_of_time)
            if unread == k:
                reason = f"the time was over when the bound was read at k = {k}"
                return Comparison(k - 1, None, hardest, equalities, closest, reason)
        if k % _REPORTED == 0 and k and progress is not None:
            progress(f"compared with the bound up to k = {k}")
        holds, part, error = _in_balls(run, bound, k, out_of_time)
        if isinstance(error, _TimeUp):
            return Comparison(k - 1, None, hardest, equalities, closest, f"the time was over at k = {k}")
        if holds is None and run.bits >= _EXACT_FROM_BITS and run.k == k:
            try:
                holds = not run.exceeds(bound)
                equalities += 1
            except UnknownError as unable:
                error = unable
        if isinstance(error, TieError):
            return Comparison(k - 1, None, hardest, equalities, closest, str(error))
        if holds is None:
            if 2 * run.bits > most_bits:
                reason = str(error) if error is not None else f"step {k}: the error and the bound are too close"
                reason += f"; the precision was {run.bits} bits"
                return Comparison(k - 1, None, hardest, equalities, closest, reason)
            run = sequence.run(2 * run.bits)
            continue
        hardest = max(hardest, run.bits)
        if not holds:
            _read(bound, unread, upto + 1, out_of_time)
            return Comparison(k - 1, k, hardest, equalities, (k, part))
        if part > closest[1]:
            closest = (k, part)
        k += 1
    return Comparison(upto, None, hardest, equalities, closest)


def _read(bound: Bound, first: int, end: int, out_of_time: Callable[[], bool]) -> int:
    """Require values that a bound can have, from the first k on, and return the k before which this was done."""
    for k in range(first, end):
        if k % _LOOKED_AT == 0 and out_of_time():
            return k
        bound.require_nonnegative(k)
    return end


def _in_balls(
    run: Run, bound: Bound, k: int, out_of_time: Callable[[], bool]
) -> tuple[bool | None, float, UnknownError | None]:
    """Whether the bound holds at k, about which part of it the error is, and what was not known."""
    try:
        while run.k < k:
            if out_of_time():
                raise _TimeUp
            run.go_to(run.k + 1)
        error, value = run.error(k), bound.ball(k, run.bits)
    except UnknownError as unknown:
        return None, 0.0, unknown
    part = float((error / value).mid()) if value > 0 else 0.0
    if error <= value:
        return True, part, None
    if error > value:
        return False, part if value > 0 else math.inf, None
    return None, part, None

"""The smallest constant for a rate, and the smallest rate for a constant, over a range of k."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flint import arb, ctx, fmpq

from piggycheck.arithmetic import Balls, bounds, exact, sign
from piggycheck.errors import InputError, UnknownError
from piggycheck.expression import parse_number
from piggycheck.iteration import Iteration
from piggycheck.rates.bounds import read_bound
from piggycheck.rates.errors import ErrorSequence, Run, read_upto
from piggycheck.rates.limit import limit_of
from piggycheck.rates.walk import TieError

__all__ = ["Smallest", "smallest_constant", "smallest_rate"]

_MOST_BITS = 65_536


@dataclass(frozen=True)
class Smallest:
    """A smallest constant or rate, enclosed.

    Attributes
    ----------
    lower, upper : fmpq
        Equal when it is known exactly.
    k : int
        Where it is attained, as far as can be seen.
    """

    lower: fmpq
    upper: fmpq
    k: int


def smallest_constant(
    iteration: Iteration,
    rate: Any,
    at: Mapping[Any, Any] | None = None,
    *,
    quantity: str = "derivatives",
    norm: str = "max",
    upto: Any = 1000,
    bits: int = 64,
) -> Smallest:
    """Enclose the smallest C with ``e_k <= C rate^k`` for k = 0, ..., upto.

    Parameters
    ----------
    iteration : Iteration
        With a start and a symbolic map.
    rate : exact number or text
        Positive.
    at : mapping, optional
        A value for each parameter.
    quantity : "iterates" or "derivatives"
    norm : "max", "frobenius" or "spectral"
    upto : int
        The last k.
    bits : int
        Of relative accuracy.

    Returns
    -------
    Smallest

    Raises
    ------
    InputError
        When the rate is not positive, or the limit is not known.
    UnknownError
        When the precision does not suffice.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"], start=["3*theta"])
    >>> found = smallest_constant(descent, "1/2", {"theta": 1}, quantity="iterates")
    >>> found.lower, found.upper, found.k
    (2, 2, 0)

    Notes
    -----
    Source: docs/theory/rates.md.

    When this fails: over a range of k only; that the constant serves for every k is a claim `rate_bound`.
    """
    number = _positive(rate, "rate")
    sequence, last = _sequence(iteration, at, quantity, norm, upto)

    def part(run: Run, k: int) -> arb:
        return run.error(k) / Balls(run.bits).evaluate(number) ** k

    return _largest(sequence, last, bits, part, 0)


def smallest_rate(
    iteration: Iteration,
    constant: Any,
    at: Mapping[Any, Any] | None = None,
    *,
    quantity: str = "derivatives",
    norm: str = "max",
    upto: Any = 1000,
    bits: int = 64,
) -> Smallest:
    """Enclose the smallest rate with ``e_k <= constant rate^k`` for k = 0, ..., upto.

    Parameters
    ----------
    iteration : Iteration
        With a start and a symbolic map.
    constant : exact number or text
        At least ``e_0``.
    at, quantity, norm, upto, bits
        As in `smallest_constant`; `upto` is at least 1.

    Returns
    -------
    Smallest

    Raises
    ------
    InputError
        When the constant is below ``e_0``, or the limit is not known.
    UnknownError
        When the precision does not suffice.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"], start=["3*theta"])
    >>> found = smallest_rate(descent, 4, {"theta": 1}, quantity="iterates", upto=2)
    >>> bool(found.lower**2 <= fmpq(1, 8) <= found.upper**2), found.k
    (True, 2)

    Notes
    -----
    Source: docs/theory/rates.md.

    When this fails: the rate over a range differs from the asymptotic one; see `piggycheck.asymptotic_rate`.
    """
    number = _positive(constant, "constant")
    sequence, last = _sequence(iteration, at, quantity, norm, upto)
    if last < 1:
        raise InputError("upto: at k = 0 every rate serves; write an integer from 1 on")
    _require_above_start(sequence, number)

    def part(run: Run, k: int) -> arb:
        quotient = run.error(k) / Balls(run.bits).evaluate(number)
        if quotient > 0:
            return quotient.root(k)
        if run.bits >= 4096 and not any(run.exactly()[0].entries()):
            return arb(0)
        raise UnknownError(f"step {k}: the error is not told from 0")

    return _largest(sequence, last, bits, part, 1)


def _largest(sequence: ErrorSequence, last: int, bits: int, part: Callable[[Run, int], arb], first: int) -> Smallest:
    """The largest of numbers that belong to k = first, ..., last."""
    precision = max(bits, 64)
    while True:
        run, reason = sequence.run(precision), None
        try:
            with ctx.workprec(precision + 64):
                largest, where, centre = arb(0), first, arb(-1)
                for k in range(first, last + 1):
                    value = part(run, k)
                    largest = largest.max(value)
                    if value.mid() > centre:
                        where, centre = k, value.mid()
            if largest.is_exact() or largest.rel_accuracy_bits() >= bits:
                return Smallest(*bounds(largest), where)
        except TieError:
            raise
        except UnknownError as error:
            reason = error
        precision *= 2
        if precision > _MOST_BITS:
            raise reason or UnknownError(f"{_MOST_BITS} bits do not give {bits} of the result")


def _sequence(iteration: Iteration, at: Any, quantity: str, norm: str, upto: Any) -> tuple[ErrorSequence, int]:
    last = read_upto(upto, "upto")
    if last is None:
        raise InputError("upto: a range of k ends; write an integer from 0 on")
    return ErrorSequence(limit_of(iteration, at), quantity, norm), last


def _positive(value: Any, where: str) -> Any:
    number = parse_number(value, where=where) if isinstance(value, str) else exact(value, where)
    if sign(number) <= 0:
        raise InputError(f"{where}: `{value}` is not positive; write a positive number")
    return number


def _require_above_start(sequence: ErrorSequence, constant: Any) -> None:
    run = sequence.run(256)
    error, value = run.error(0), Balls(256).evaluate(constant)
    if error <= value:
        return
    if error > value or run.exceeds(read_bound(constant)):
        shown = error.str(6, radius=False)
        raise InputError(f"constant: `{constant}` is below the error at k = 0, about {shown}; write a larger one")

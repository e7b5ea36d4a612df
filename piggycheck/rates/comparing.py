"""Deciding the order of two expressions in k and sequences of errors, k by k: in balls, and exactly where equal."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import fmpq

from piggycheck.arithmetic import sign
from piggycheck.errors import InputError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.rates.bounds import Bound, read_bound, sequence_symbol
from piggycheck.rates.decide import Comparison
from piggycheck.rates.derived import DerivedErrors
from piggycheck.rates.errors import ErrorSequence, Run, read_norm, read_upto
from piggycheck.rates.limit import limit_of
from piggycheck.rates.sequences import Estimate, read_sequences
from piggycheck.rates.walk import TieError

__all__ = ["Order", "compare_sides", "order_changes", "orders", "read_sides"]

_FIRST_BITS = 64
_EXACT_FROM_BITS = 256
_MOST_BITS = 65_536
_REPORTED = 200
_STEPS = 50

Sequences = Mapping[str, ErrorSequence | DerivedErrors]


@dataclass(frozen=True)
class Order:
    """The order of two sides at one k.

    Attributes
    ----------
    k : int
    order : int or None
        -1, 0 or 1 when the left side is smaller, equal or larger; None when it is not decided.
    part : float
        About which part of the right side the left one is.
    bits : int
        The precision that was needed.
    exact : bool
        Whether exact numbers decided.
    reason : str
        Why it is not decided.
    is_final : bool
        Whether no precision decides it.
    """

    k: int
    order: int | None
    part: float
    bits: int
    exact: bool = False
    reason: str = ""
    is_final: bool = False


def orders(
    left: Bound,
    right: Bound,
    sequences: Sequences,
    first: int = 0,
    *,
    out_of_time: Callable[[], bool] = lambda: False,
) -> Iterator[Order]:
    """Decide the order of two sides at k = first, first + 1, ..., until it is not decided.

    Parameters
    ----------
    left, right : Bound
        Expressions in k and names of sequences.
    sequences : mapping from names to errors
    first : int
    out_of_time : callable
        When it returns True, the order is not decided.

    Yields
    ------
    Order
        The last one may be undecided.

    Raises
    ------
    InputError
        When a side or a sequence has no real value at some k.
    """
    used = {name: sequences[name] for name in sorted({*left.names, *right.names})}
    sides = _Sides(left, right, used, _FIRST_BITS, out_of_time)
    k = first
    while True:
        found = sides.order(k)
        if found.order is None and not found.is_final and 2 * sides.bits <= _MOST_BITS:
            sides = _Sides(left, right, used, 2 * sides.bits, out_of_time)
            continue
        yield found
        if found.order is None:
            return
        k += 1


class _OutOfTimeError(UnknownError):
    """No time is left."""


class _Sides:
    """Both sides, at one precision."""

    def __init__(self, left: Bound, right: Bound, sequences: Sequences, bits: int, out_of_time: Callable[[], bool]):
        self.left, self.right, self.bits, self.out_of_time = left, right, bits, out_of_time
        self.runs = {name: sequence.run(bits) for name, sequence in sequences.items()}

    def order(self, k: int) -> Order:
        """Decide the order at k, if this precision does."""
        try:
            self._go_to(k)
            order, part = self._in_balls(k)
            reason = f"step {k}: both sides are too close"
        except (TieError, _OutOfTimeError) as error:
            return Order(k, None, 0.0, self.bits, reason=str(error), is_final=True)
        except UnknownError as error:
            order, part, reason = None, 0.0, str(error)
        if order is not None:
            return Order(k, order, part, self.bits)
        if self.bits >= _EXACT_FROM_BITS and all(run.k == k for run in self.runs.values()):
            try:
                return Order(k, self._exactly(k), part or 1.0, self.bits, True)
            except TieError as error:
                return Order(k, None, 0.0, self.bits, reason=str(error), is_final=True)
            except UnknownError as error:
                reason = str(error)
        return Order(k, None, part, self.bits, reason=f"{reason}; the precision was {self.bits} bits")

    def _go_to(self, k: int) -> None:
        for run in self.runs.values():
            while run.k < k:
                run.go_to(min(k, run.k + _STEPS))
                if self.out_of_time():
                    raise _OutOfTimeError(f"the time was over at k = {run.k}")

    def _in_balls(self, k: int) -> tuple[int | None, float]:
        values = {name: run.error(k) for name, run in self.runs.items()}
        low, high = (side.ball(k, self.bits, _of(side, values)) for side in (self.left, self.right))
        part = float((low / high).mid()) if high > 0 else 0.0 if low == 0 else math.inf
        if low < high:
            return -1, part
        if low > high:
            return 1, part
        return (0, part) if low.is_exact() and high.is_exact() and low == high else (None, part)

    def _exactly(self, k: int) -> int:
        """Decide the order by exact numbers.

        Raises
        ------
        UnknownError
            When a number is not known exactly, or not compared.
        """
        squares = {name: _square(run) for name, run in self.runs.items()}
        roots = {name: _root(square) for name, square in squares.items()}
        if all(root is not None for root in roots.values()):
            low, high = (side.rational(k, _of(side, roots)) for side in (self.left, self.right))
            if low is not None and high is not None:
                return int(low > high) - int(low < high)
        low, high = (product.square(k, squares) for product in self._products)
        if low is not None and high is not None:
            return int(low > high) - int(low < high)
        raise UnknownError(f"step {k}: whether irrational numbers are equal is not decided")

    @cached_property
    def _products(self) -> tuple[_Product, _Product]:
        return _Product(self.left), _Product(self.right)


class _Product:
    """A side, as powers of sequences times a factor in k, where it is one."""

    def __init__(self, side: Bound):
        symbols = {sequence_symbol(name): name for name in side.names}
        factor, rest = side.expression.as_independent(*symbols, as_Add=False)
        self.factor = read_bound(factor)
        self.powers = {symbols.get(base): power for base, power in rest.as_powers_dict().items() if base != 1}
        self.is_one = all(name and power.is_Integer for name, power in self.powers.items())

    def square(self, k: int, squares: Mapping[str, fmpq]) -> fmpq | None:
        """Return the square of the side at k, where that is seen to be rational and the side is not negative."""
        value = self.factor.square(k) if self.is_one else None
        if value is None or sign(self.factor.exactly(k)) < 0:
            return None
        for name, power in self.powers.items():
            if power < 0 and squares[name] == 0:
                return None
            value *= squares[name] ** int(power)
        return value


def _of(side: Bound, values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: values[name] for name in side.names}


def _square(run: Run) -> fmpq:
    """The square of an error, exactly."""
    numerators, denominator = run.exactly()
    entries, norm = numerators.entries(), run.sequence.norm
    if norm == "spectral" and min(numerators.nrows(), numerators.ncols()) > 1:
        raise UnknownError(f"step {run.k}: a spectral norm is not known exactly")
    value = (max if norm == "max" else sum)(entry * entry for entry in entries)
    return fmpq(value, denominator * denominator)


def _root(square: fmpq) -> fmpq | None:
    """The root of a rational number where it is rational."""
    parts = [math.isqrt(int(part)) for part in (square.p, square.q)]
    return fmpq(*parts) if fmpq(*parts) ** 2 == square else None


def compare_sides(
    left: Bound,
    right: Bound,
    sequences: Sequences,
    first: int,
    upto: int,
    *,
    out_of_time: Callable[[], bool] = lambda: False,
    progress: Callable[[str], None] | None = None,
) -> tuple[Comparison, int | None]:
    """Decide ``left(k) <= right(k)`` for k = first, ..., upto, until it is wrong.

    Parameters
    ----------
    left, right : Bound
        Expressions in k and names of sequences.
    sequences : mapping from names to errors
    first, upto : int
    out_of_time : callable
        Ends the comparison when it returns True.
    progress : callable, optional
        Is given a text from time to time.

    Returns
    -------
    Comparison
        Its `proved_upto` is ``first - 1`` when already the first k is not decided.
    int or None
        The order at ``first - 1``, where there is such a k and it is decided.

    Raises
    ------
    InputError
        When a side or a sequence has no real value at some k.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("x**2/20", ["x"], "s", parameters=["s"], start=[1])
    >>> left, right, estimates = read_sides("derivatives", "10*iterates")
    >>> limit = limit_of(descent, {"s": "1/2"})
    >>> errors = {name: estimate.errors(limit) for name, estimate in estimates.items()}
    >>> compare_sides(left, right, errors, 0, 200)[0].violation
    96
    """
    before = None
    if first > 0:
        before = next(orders(left, right, sequences, first - 1, out_of_time=out_of_time)).order
    hardest, exactly, closest = 0, 0, (first, 0.0)
    for found in orders(left, right, sequences, first, out_of_time=out_of_time):
        k, hardest = found.k, max(hardest, found.bits)
        if found.order is None:
            return Comparison(k - 1, None, hardest, exactly, closest, found.reason), before
        exactly += found.exact
        if found.order > 0:
            return Comparison(k - 1, k, hardest, exactly, (k, found.part)), before
        if found.part > closest[1]:
            closest = (k, found.part)
        if k >= upto:
            break
        if k % _REPORTED == 0 and k and progress is not None:
            progress(f"compared up to k = {k}")
    return Comparison(upto, None, hardest, exactly, closest), before


def read_sides(
    left: Any, right: Any, sequences: Any = None, norm: Any = "max"
) -> tuple[Bound, Bound, dict[str, Estimate]]:
    """Read two expressions in k and names of sequences, and the sequences that occur in them.

    Raises
    ------
    InputError
        When something is outside the grammar, a sequence is described that does not occur, or none occurs.

    Examples
    --------
    >>> left, right, used = read_sides("one_step", "1 + 2*iterates")
    >>> sorted(used), used["one_step"].last
    (['iterates', 'one_step'], 1)
    """
    given = {} if sequences is None else sequences
    known = read_sequences(given, read_norm(norm, "norm"))
    sides = [
        read_bound(value, where, names=known, called=where)
        for value, where in ((left, "left side"), (right, "right side"))
    ]
    used = {name: known[name] for name in sorted({*sides[0].names, *sides[1].names})}
    if not used:
        raise InputError(f"`{left}` and `{right}` name no sequence; known are {', '.join(known)}")
    unused = sorted(set(given) - set(used))
    if unused:
        raise InputError(f"sequence `{unused[0]}`: neither side names it; leave it out, or use it")
    return sides[0], sides[1], used


def order_changes(
    iteration: Iteration,
    left: Any,
    right: Any,
    at: Mapping[Any, Any] | None = None,
    *,
    sequences: Any = None,
    norm: str = "max",
    upto: Any = 1000,
) -> list[int]:
    """Return every k at which the order of two expressions is another than at k - 1.

    Parameters
    ----------
    iteration : Iteration
        With a start and a symbolic map.
    left, right : str
        Expressions in k and names of sequences: ``iterates``, ``derivatives``, ``one_step``, ``implicit`` and those of
        `sequences`.
    at : mapping, optional
        A value for each parameter.
    sequences : mapping, optional
        From names to fields: see `piggycheck.rates.sequences.Estimate`.
    norm : "max", "frobenius" or "spectral"
    upto : int
        The last k.

    Returns
    -------
    list of int
        The order is one of smaller, equal, larger.

    Raises
    ------
    InputError
        When an expression is outside the grammar, or a limit is not known.
    UnknownError
        When the order is not decided at some k.

    Examples
    --------
    The iterates are (1 - s/10)^k, and the errors of their derivatives k/10 (1 - s/10)^(k - 1):

    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("x**2/20", ["x"], "s", parameters=["s"], start=[1])
    >>> order_changes(descent, "derivatives", "iterates", {"s": "1/2"}, upto=100)
    [10]

    Notes
    -----
    When this fails: equal numbers that are irrational, and ties at which derivatives differ.
    """
    low, high, used = read_sides(left, right, sequences, norm)
    last = read_upto(upto, "upto")
    if last is None:
        raise InputError("upto: a list ends; write an integer from 0 on")
    values = iteration.map.parameter_values(at or {})
    errors = {name: estimate.errors(limit_of(iteration, estimate.values(values))) for name, estimate in used.items()}
    changes, before = [], None
    for found in orders(low, high, errors):
        if found.order is None:
            raise UnknownError(found.reason)
        if before is not None and found.order != before:
            changes.append(found.k)
        before = found.order
        if found.k >= last:
            break
    return changes

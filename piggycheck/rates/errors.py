"""The sequences of errors ``|x_k - xbar|`` and ``|J_k - Jbar|``, in balls of any precision, and exactly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import acb_mat, arb, arb_mat, ctx, fmpq, fmpq_mat, fmpz, fmpz_mat

from piggycheck.arithmetic import rational, sign
from piggycheck.arrays import EXACT, BallArrays, Enclosed
from piggycheck.errors import InputError, IrrationalError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.linalg import is_positive_semidefinite
from piggycheck.piggyback import steps
from piggycheck.rates.bounds import Bound
from piggycheck.rates.exactly import ExactRun
from piggycheck.rates.limit import Limit, limit_of
from piggycheck.rates.walk import CurvedError, Fixed, TieError, Walk, require_equal_pairs, start_matrix

__all__ = ["NORMS", "QUANTITIES", "ErrorSequence", "Run", "error_sequence", "read_norm", "read_quantity", "read_upto"]

QUANTITIES = ("iterates", "derivatives")
NORMS = ("max", "frobenius", "spectral")

_ROOM = 16
_MOST_BITS = 65_536
_MOST_EXACT_BITS = 200_000
_MOST_CURVED_STEPS = 40


@dataclass(frozen=True)
class ErrorSequence:
    """The errors ``e_k`` of iterates or derivatives.

    Parameters
    ----------
    limit : Limit
    quantity : "iterates" or "derivatives"
    norm : "max", "frobenius" or "spectral"

    Notes
    -----
    The derivatives are those of the piece that is essentially active at each iterate; where an iterate ties, all
    essentially active pieces must agree.
    """

    limit: Limit
    quantity: str = "iterates"
    norm: str = "max"

    def __post_init__(self) -> None:
        read_quantity(self.quantity, "quantity")
        read_norm(self.norm, "norm")
        if self.quantity == "derivatives" and not self.limit.iteration.map.parameters:
            raise InputError("the error of the derivatives: the map has no parameters; ask for the iterates")

    @property
    def of_derivatives(self) -> bool:
        """Whether they are those of the derivatives."""
        return self.quantity == "derivatives"

    def run(self, bits: int) -> Run:
        """Begin to compute them with a number of significant bits, about."""
        return _AffineRun(self, bits)


class Run(ABC):
    """Errors one after the other, at one precision.

    Attributes
    ----------
    bits : int
    k : int
        Where `error` is.
    """

    def __init__(self, sequence: ErrorSequence, bits: int):
        self.sequence, self.bits, self.k = sequence, bits, -1
        self._items = self._states()
        self._item: Any = None

    def go_to(self, k: int) -> None:
        """Go on to step k.

        Raises
        ------
        UnknownError
            When the precision does not suffice.
        """
        while self.k < k:
            self._item = next(self._items)
            self.k += 1

    def error(self, k: int) -> arb:
        """Enclose e_k, for growing k."""
        self.go_to(k)
        with ctx.workprec(self.bits + _ROOM):
            return _norm(self.matrix(), self.sequence.norm)

    @abstractmethod
    def _states(self) -> Iterator[Any]:
        """Walk along the iterates."""

    @abstractmethod
    def matrix(self) -> arb_mat:
        """Enclose ``x_k - xbar`` or ``J_k - Jbar``."""

    @abstractmethod
    def exactly(self) -> tuple[fmpz_mat, fmpz]:
        """Return ``x_k - xbar`` or ``J_k - Jbar`` as integers over one denominator."""

    def both(self) -> tuple[arb_mat, arb_mat | None]:
        """Enclose ``x_k - xbar``, and ``J_k - Jbar`` when the errors are those of the derivatives.

        Raises
        ------
        UnknownError
            For the derivatives of pieces that are not affine.
        """
        if self.sequence.of_derivatives:
            raise UnknownError("the pieces are not affine")
        return self.matrix(), None

    def both_exactly(self) -> tuple[fmpq_mat, fmpq_mat | None]:
        """The same over the rationals."""
        numerators, denominator = self.exactly()
        return fmpq_mat(numerators) / denominator, None

    def exceeds(self, bound: Bound) -> bool:
        """Decide exactly whether ``e_k > bound(k)``.

        Raises
        ------
        UnknownError
            When the data are not rational, or the numbers too long.
        """
        return _exceeds(*self.exactly(), self.sequence.norm, bound, self.k)


class _AffineRun(Run):
    """Along affine pieces, in integers; as soon as one is not affine, in balls."""

    def __init__(self, sequence: ErrorSequence, bits: int):
        self.walk = Walk(sequence.limit, bits, sequence.of_derivatives)
        self.curved: _CurvedRun | None = None
        self._exact: ExactRun | None = None
        super().__init__(sequence, bits)

    def _states(self) -> Iterator[Any]:
        k = -1
        try:
            for item in self.walk:
                k = item.k
                yield item
        except CurvedError:
            pass
        self.curved = _CurvedRun(self.sequence, self.bits)
        self.curved.go_to(k)
        while True:
            k += 1
            self.curved.go_to(k)
            yield None

    def matrix(self) -> arb_mat:
        if self.curved is not None and self._item is None:
            return self.curved.matrix()
        fixed = self._item.J if self.sequence.of_derivatives else self._item.x
        return _balls(fixed, self.bits + _ROOM)

    def both(self) -> tuple[arb_mat, arb_mat | None]:
        if self._item is None or not self.sequence.of_derivatives:
            return super().both()
        return _balls(self._item.x, self.bits), _balls(self._item.J, self.bits)

    def both_exactly(self) -> tuple[fmpq_mat, fmpq_mat | None]:
        if self._item is None or not self.sequence.of_derivatives:
            return super().both_exactly()
        G, denominator = self.exactly()
        assert self._exact is not None
        return fmpq_mat(self._exact.X) / denominator, fmpq_mat(G) / denominator

    def exactly(self) -> tuple[fmpz_mat, fmpz]:
        if self.curved is not None and self._item is None:
            return self.curved.exactly()
        if self._exact is None:
            self._exact = ExactRun(self.sequence.limit, derivatives=self.sequence.of_derivatives)
        self._exact.advance(self.walk.itinerary[self._exact.k : self.k])
        return self._exact.error(self.sequence.of_derivatives), self._exact.denominator


class _CurvedRun(Run):
    """In balls, by the evaluators of the recursion."""

    def _states(self) -> Iterator[Any]:
        limit, sequence = self.sequence.limit, self.sequence
        directions = None if sequence.of_derivatives else {}
        if sequence.of_derivatives:
            start_matrix(limit)
        arrays = BallArrays(self.bits)
        found = steps(
            limit.iteration, limit.at, directions=directions, arithmetic=arrays, most_bits=max(4 * self.bits, 4096)
        )
        for step in found:
            if sequence.of_derivatives and step.signature is not None and 0 in step.signature:
                self._require_agreement(step.k, step.x)
            yield step

    def _require_agreement(self, k: int, x: Enclosed) -> None:
        map_, limit = self.sequence.limit.iteration.map, self.sequence.limit
        if x.spread != 0:
            raise UnknownError(f"step {k}: a guard ties at an iterate that is not known exactly")
        numbers = BallArrays(self.bits).exactly(x.centre).entries()
        state = dict(zip(map_.state, (sp.Rational(int(n.p), int(n.q)) for n in numbers), strict=True))
        point = {**state, **limit.at}
        require_equal_pairs(map_, map_.selection(point).pieces, point, k)

    def matrix(self) -> arb_mat:
        step, limit = self._item, self.sequence.limit
        value = step.J if self.sequence.of_derivatives else step.x
        targets = list(limit.matrix) if self.sequence.of_derivatives else list(limit.coordinates)
        arrays = BallArrays(self.bits)
        with ctx.workprec(self.bits):
            centre = arb_mat(value.centre.nrows(), value.centre.ncols(), list(map(arrays.scalars.evaluate, targets)))
            return arrays.reaching(value.centre - centre, value.spread)

    def exactly(self) -> tuple[fmpz_mat, fmpz]:
        if self.k > _MOST_CURVED_STEPS:
            raise UnknownError(f"step {self.k}: exact iterates of a map that is not affine are too long")
        limit, sequence = self.sequence.limit, self.sequence
        directions = None if sequence.of_derivatives else {}
        for step in steps(limit.iteration, limit.at, directions=directions, arithmetic=EXACT):
            value = step.J if sequence.of_derivatives else step.x
            entries = value.centre.entries()
            if sum(int(e.q).bit_length() for e in entries) > _MOST_EXACT_BITS:
                raise UnknownError(f"step {step.k}: exact numbers of more than {_MOST_EXACT_BITS} bits")
            if step.k == self.k:
                break
        targets = list(limit.matrix) if sequence.of_derivatives else list(limit.coordinates)
        away = fmpq_mat(
            value.centre.nrows(), value.centre.ncols(), [e - rational(t) for e, t in zip(entries, targets, strict=True)]
        )
        numerators, denominator = away.numer_denom()
        return numerators, fmpz(denominator)


# -- norms ----------------------------------------------------------------------------------------------------------


def _balls(fixed: Fixed, bits: int) -> arb_mat:
    """Balls around integers of which only the first bits matter."""
    entries, columns = fixed.entries, fixed.columns
    rows = len(entries) // columns if columns else 0
    if not fixed.error:
        unit = arb(2) ** -fixed.scale / arb(fixed.denominator)
        return arb_mat(rows, columns, [arb(entry) * unit for entry in entries])
    drop = max(max((entry.bit_length() for entry in entries), default=0) - bits, 0)
    error = fixed.error * fixed.denominator
    unit, radius = arb(2) ** (drop - fixed.scale) / arb(fixed.denominator), arb((error >> drop) + 2).upper()
    return arb_mat(rows, columns, [arb(entry >> drop, radius) * unit for entry in entries])


def _norm(M: arb_mat, norm: str) -> arb:
    """Enclose a norm."""
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


def _exceeds(numerators: fmpz_mat, denominator: fmpz, norm: str, bound: Bound, k: int) -> bool:
    """Decide whether a norm is above a bound, exactly."""
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
    entries = numerators.entries()
    if norm == "max":
        value = max((abs(entry) for entry in entries), default=fmpz(0)) ** 2
    else:
        value = sum((entry * entry for entry in entries), start=fmpz(0))
    if square is not None:
        return bool(value * square.q > square.p * denominator * denominator)
    exact = sp.Rational(int(value), int(denominator) ** 2)
    return sign(exact - bound.exactly(k) ** 2) > 0


# -- the sequence itself --------------------------------------------------------------------------------------------


def error_sequence(
    iteration: Iteration,
    at: Mapping[Any, Any] | None = None,
    *,
    quantity: str = "iterates",
    norm: str = "max",
    upto: int = 100,
    bits: int = 64,
) -> list[arb]:
    """Enclose the errors of iterates or derivatives, each to a number of significant bits.

    Parameters
    ----------
    iteration : Iteration
        With a start and a symbolic map.
    at : mapping, optional
        A value for each parameter.
    quantity : "iterates" or "derivatives"
        ``|x_k - xbar|`` or ``|J_k - Jbar|``.
    norm : "max", "frobenius" or "spectral"
    upto : int
        The last k.
    bits : int
        Each ball has this relative accuracy; an error of 0 is the exact point 0.

    Returns
    -------
    list of arb
        ``e_0, ..., e_upto``.

    Raises
    ------
    InputError
        When there is no start, or the limit is not known, or is not a single one.
    UnknownError
        When a sign is not decided with 65536 bits, or derivatives differ where an iterate ties.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"], start=[0])
    >>> [str(error) for error in error_sequence(descent, {"theta": 3}, upto=2)]
    ['3.00000000000000', '1.50000000000000', '0.750000000000000']

    Notes
    -----
    When this fails: pieces that are not affine are followed in balls that grow with every step, and need as many more
    digits as there are steps.
    """
    sequence = ErrorSequence(limit_of(iteration, at), quantity, norm)
    last = read_upto(upto, "upto")
    if last is None:
        raise InputError("upto: a list ends; write an integer from 0 on")
    found: list[arb] = []
    precision = max(bits, 64)
    run = sequence.run(precision)
    while len(found) <= last:
        value, reason = _accurate(run, len(found), bits)
        if value is not None:
            found.append(value)
            continue
        precision *= 2
        if precision > _MOST_BITS:
            raise reason or UnknownError(f"step {len(found)}: {precision // 2} bits do not give {bits} of the error")
        run = sequence.run(precision)
    return found


def _accurate(run: Run, k: int, bits: int) -> tuple[arb | None, UnknownError | None]:
    """The error to a relative accuracy; zero only where it is so exactly."""
    try:
        value = run.error(k)
        if value.is_exact() or value.rel_accuracy_bits() >= bits:
            return value, None
        if run.bits >= 4096 and not any(run.exactly()[0].entries()):
            return arb(0), None
    except TieError:
        raise
    except UnknownError as error:
        return None, error
    return None, None


def read_quantity(value: Any, where: str) -> str:
    """Read which error is meant.

    Raises
    ------
    InputError
        When it is neither.
    """
    if value not in QUANTITIES:
        raise InputError(f'{where}: `{str(value)[:60]}` is not known; write "iterates" or "derivatives"')
    return str(value)


def read_norm(value: Any, where: str) -> str:
    """Read the name of a norm.

    Raises
    ------
    InputError
        When it is none.
    """
    if value not in NORMS:
        raise InputError(f'{where}: `{str(value)[:60]}` is not known; write "max", "frobenius" or "spectral"')
    return str(value)


def read_upto(value: Any, where: str) -> int | None:
    """Read the last k: an integer from 0 on, or "infinity", which is None.

    Raises
    ------
    InputError
        When it is neither.

    Examples
    --------
    >>> read_upto("100", "upto"), read_upto("infinity", "upto")
    (100, None)
    """
    if value == "infinity":
        return None
    try:
        number = None if isinstance(value, bool) else rational(value, where)
    except (InputError, IrrationalError):
        number = None
    if number is None or number.q != 1 or number < 0:
        raise InputError(f'{where}: `{str(value)[:60]}` is not a last k; write an integer from 0 on, or "infinity"')
    return int(number.p)

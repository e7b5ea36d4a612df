"""The sequences of errors ``|x_k - xbar|`` and ``|J_k - Jbar|``, in balls of any precision, and exactly."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import sympy as sp
from flint import arb, arb_mat, ctx, fmpq_mat, fmpz, fmpz_mat

from piggycheck.arithmetic import rational
from piggycheck.arrays import EXACT, Arrays, BallArrays, Enclosed
from piggycheck.errors import InputError, IrrationalError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import Signature
from piggycheck.piggyback import Step, steps
from piggycheck.rates.bounds import Bound
from piggycheck.rates.exactly import ExactRun
from piggycheck.rates.limit import Limit, limit_of
from piggycheck.rates.norms import balls, exceeds, norm_of
from piggycheck.rates.walk import CurvedError, TieError, Walk, require_equal_pairs, start_matrix

__all__ = [
    "NORMS",
    "QUANTITIES",
    "CurvedRun",
    "ErrorRun",
    "ErrorSequence",
    "Run",
    "chosen",
    "error_sequence",
    "read_norm",
    "read_quantity",
    "read_upto",
]

QUANTITIES = ("iterates", "derivatives")
NORMS = ("max", "frobenius", "spectral")

_ROOM = 16
_MOST_BITS = 65_536
_MOST_EXACT_BITS = 200_000
_MOST_CURVED_STEPS = 40

Matrix = TypeVar("Matrix", arb_mat, fmpq_mat, fmpz_mat)


@dataclass(frozen=True)
class ErrorSequence:
    """The errors ``e_k`` of iterates or derivatives.

    Parameters
    ----------
    limit : Limit
    quantity : "iterates" or "derivatives"
    norm : "max", "frobenius" or "spectral"
    columns : tuple of int, optional
        Which columns of the derivatives count; by default all.
    skip : int, optional
        The first steps are not differentiated: ``J_k = 0`` for k up to this one. By default J_0 is the derivative of
        the start.

    Notes
    -----
    The derivatives are those of the piece that is essentially active at each iterate; where an iterate ties, all
    essentially active pieces must agree.
    """

    limit: Limit
    quantity: str = "iterates"
    norm: str = "max"
    columns: tuple[int, ...] | None = None
    skip: int | None = None

    def __post_init__(self) -> None:
        read_quantity(self.quantity, "quantity")
        read_norm(self.norm, "norm")
        if self.quantity == "derivatives" and not self.limit.iteration.map.parameters:
            raise InputError("the error of the derivatives: the map has no parameters; ask for the iterates")

    @property
    def of_derivatives(self) -> bool:
        """Whether they are those of the derivatives."""
        return self.quantity == "derivatives"

    def run(self, bits: int, *, pieces: bool = False) -> ErrorRun:
        """Begin to compute them with a number of significant bits, about; on request with the piece at each step."""
        return _AffineRun(self, bits, pieces)


class Run(ABC):
    """Errors one after the other, at one precision.

    Attributes
    ----------
    bits : int
    k : int
        Where `error` is.
    """

    def __init__(self, sequence: Any, bits: int):
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
            return norm_of(self.matrix(), self.sequence.norm)

    @abstractmethod
    def _states(self) -> Iterator[Any]:
        """Walk along the iterates."""

    @abstractmethod
    def matrix(self) -> arb_mat:
        """Enclose that of which `error` is the norm: ``x_k - xbar`` or ``J_k - Jbar``."""

    @abstractmethod
    def exactly(self) -> tuple[fmpz_mat, fmpz]:
        """Return the same as integers over one denominator.

        Raises
        ------
        UnknownError
            When the data are not rational, or the numbers too long.
        """

    def exceeds(self, bound: Bound) -> bool:
        """Decide exactly whether ``e_k > bound(k)``.

        Raises
        ------
        UnknownError
            When the data are not rational, or the numbers too long.
        """
        return exceeds(*self.exactly(), self.sequence.norm, bound, self.k)


class ErrorRun(Run):
    """Errors of iterates and derivatives themselves."""

    @abstractmethod
    def both(self) -> tuple[arb_mat, arb_mat | None]:
        """Enclose ``x_k - xbar``, and ``J_k - Jbar`` when the errors are those of the derivatives."""

    @abstractmethod
    def both_exactly(self) -> tuple[fmpq_mat, fmpq_mat | None]:
        """Return the same over the rationals.

        Raises
        ------
        UnknownError
            When the data are not rational, or the numbers too long.
        """

    @property
    @abstractmethod
    def signature(self) -> Signature:
        """The piece that is used at step k, of runs that were asked for it."""

    def matrix(self) -> arb_mat:
        x, J = self.both()
        return x if J is None else J

    def exactly(self) -> tuple[fmpz_mat, fmpz]:
        x, J = self.both_exactly()
        numerators, denominator = (x if J is None else J).numer_denom()
        return numerators, fmpz(denominator)


class _AffineRun(ErrorRun):
    """Along affine pieces, in integers; as soon as one is not affine, in balls."""

    def __init__(self, sequence: ErrorSequence, bits: int, pieces: bool):
        self.walk = Walk(sequence.limit, bits, sequence.of_derivatives, ahead=pieces, skip=sequence.skip)
        self.curved: CurvedRun | None = None
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
        self.curved = CurvedRun(self.sequence, self.bits)
        self.curved.go_to(k)
        while True:
            k += 1
            self.curved.go_to(k)
            yield None

    def _is_curved(self) -> bool:
        return self.curved is not None and self._item is None

    @property
    def signature(self) -> Signature:
        return self.curved.signature if self._is_curved() else self._item.piece.signature

    def matrix(self) -> arb_mat:
        if self._is_curved():
            return self.curved.matrix()
        return self._derivatives() if self.sequence.of_derivatives else balls(self._item.x, self.bits + _ROOM)

    def _derivatives(self) -> arb_mat:
        return chosen(balls(self._item.J, self.bits + _ROOM), self.sequence.columns)

    def both(self) -> tuple[arb_mat, arb_mat | None]:
        if self._is_curved():
            return self.curved.both()
        return balls(self._item.x, self.bits), self._derivatives() if self.sequence.of_derivatives else None

    def both_exactly(self) -> tuple[fmpq_mat, fmpq_mat | None]:
        if self._is_curved():
            return self.curved.both_exactly()
        run = self._exact_run()
        G = None if run.G is None else chosen(fmpq_mat(run.G), self.sequence.columns) / run.denominator
        return fmpq_mat(run.X) / run.denominator, G

    def exactly(self) -> tuple[fmpz_mat, fmpz]:
        if self._is_curved():
            return self.curved.exactly()
        run = self._exact_run()
        return run.X if run.G is None else chosen(run.G, self.sequence.columns), run.denominator

    def _exact_run(self) -> ExactRun:
        if self._exact is None:
            sequence = self.sequence
            self._exact = ExactRun(sequence.limit, derivatives=sequence.of_derivatives, skip=sequence.skip)
        self._exact.advance(self.walk.itinerary[self._exact.k : self.k])
        return self._exact


class CurvedRun(ErrorRun):
    """In balls, by the evaluators of the recursion."""

    def _states(self) -> Iterator[Any]:
        if self.sequence.of_derivatives and self.sequence.skip is None:
            start_matrix(self.sequence.limit)
        for step in self._steps(BallArrays(self.bits), max(4 * self.bits, 4096)):
            signature = step.signature
            if self.sequence.of_derivatives and signature is not None and 0 in signature:
                signature = self._agreed(step.k, step.x)
            yield step, signature

    def _steps(self, arrays: Arrays, most_bits: int) -> Iterator[Step]:
        limit, sequence = self.sequence.limit, self.sequence
        directions = None if sequence.of_derivatives else {}
        return steps(
            limit.iteration,
            limit.at,
            directions=directions,
            arithmetic=arrays,
            most_bits=most_bits,
            skip=sequence.skip,
        )

    def _agreed(self, k: int, x: Enclosed) -> Signature:
        """The piece that stands for all where guards tie."""
        map_, limit = self.sequence.limit.iteration.map, self.sequence.limit
        if x.spread != 0:
            raise UnknownError(f"step {k}: a guard ties at an iterate that is not known exactly")
        numbers = BallArrays(self.bits).exactly(x.centre).entries()
        state = dict(zip(map_.state, (sp.Rational(int(n.p), int(n.q)) for n in numbers), strict=True))
        point = {**state, **limit.at}
        pieces = map_.selection(point).pieces
        require_equal_pairs(map_, pieces, point, k)
        return pieces[0].signature

    @property
    def signature(self) -> Signature:
        return self._item[1]

    def both(self) -> tuple[arb_mat, arb_mat | None]:
        step, limit = self._item[0], self.sequence.limit
        x = self._away(step.x, limit.coordinates)
        if not self.sequence.of_derivatives:
            return x, None
        return x, chosen(self._away(step.J, limit.matrix), self.sequence.columns)

    def _away(self, value: Enclosed, targets: Iterable[sp.Expr]) -> arb_mat:
        arrays = BallArrays(self.bits)
        with ctx.workprec(self.bits):
            centre = arrays.assemble(*arrays.shape(value.centre), map(arrays.scalars.evaluate, targets))
            return arrays.reaching(value.centre - centre, value.spread)

    def both_exactly(self) -> tuple[fmpq_mat, fmpq_mat | None]:
        if self.k > _MOST_CURVED_STEPS:
            raise UnknownError(f"step {self.k}: exact iterates of a map that is not affine are too long")
        for step in self._steps(EXACT, 0):
            parts = [step.x.centre, *([] if step.J is None else [step.J.centre])]
            if sum(int(e.q).bit_length() for part in parts for e in part.entries()) > _MOST_EXACT_BITS:
                raise UnknownError(f"step {step.k}: exact numbers of more than {_MOST_EXACT_BITS} bits")
            if step.k == self.k:
                break
        limit = self.sequence.limit
        x = step.x.centre - _rational_matrix(step.x.centre, limit.coordinates)
        if step.J is None:
            return x, None
        return x, chosen(step.J.centre - _rational_matrix(step.J.centre, limit.matrix), self.sequence.columns)


def chosen(M: Matrix, columns: Sequence[int] | None) -> Matrix:
    """Keep some columns of a matrix of any kind; all when there is no choice."""
    if columns is None:
        return M
    return type(M)(M.nrows(), len(columns), [M[i, j] for i in range(M.nrows()) for j in columns])


def _rational_matrix(like: fmpq_mat, entries: Iterable[sp.Expr]) -> fmpq_mat:
    return fmpq_mat(like.nrows(), like.ncols(), [rational(entry) for entry in entries])


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

"""Errors of what is computed from iterates and derivatives: outputs, truncated and implicit derivatives, estimates.

One step is evaluated in balls and, where balls leave a comparison open, over the rationals, by the same functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from flint import arb_mat, fmpz, fmpz_mat

from piggycheck.arithmetic import Evaluator
from piggycheck.arrays import EXACT, Arrays, BallArrays
from piggycheck.errors import InputError, MapError, UnknownError
from piggycheck.maps import Signature, SymbolicMap
from piggycheck.rates.errors import ErrorRun, ErrorSequence, Run, chosen
from piggycheck.rates.limit import Limit
from piggycheck.rates.walk import require_equal_pairs

__all__ = ["DerivedErrors", "Observation", "Window"]


class Observation:
    """A function of state and parameters that is observed along the iterates.

    Parameters
    ----------
    map_ : SymbolicMap
        Whose state and parameters it is a function of.
    expressions : sequence of sympy.Expr
        One for each number that is observed.

    Raises
    ------
    MapError
        When an expression is not made of what maps are made of.
    """

    def __init__(self, map_: SymbolicMap, expressions: Sequence[sp.Expr]):
        self.count, self.size, self.expressions = len(expressions), len(map_.state), tuple(expressions)
        rows = max(self.count, self.size)
        state = [*map_.state, *(sp.Dummy(f"unused{i}", real=True) for i in range(rows - self.size))]
        padded = [*expressions, *[sp.S.Zero] * (rows - self.count)]
        self.map = SymbolicMap(state, padded, map_.parameters)
        self._unused = dict.fromkeys(state[self.size :], sp.S.Zero)

    def at(self, point: dict[Any, Any]) -> dict[Any, Any]:
        """Return a point of the underlying map as one of the padded one."""
        return {**point, **self._unused}

    def of(self, jacobian: sp.Matrix) -> sp.ImmutableMatrix:
        """Return the rows and columns of a Jacobian that count: in the state, then in the parameters."""
        columns = [*range(self.size), *range(len(self.map.state), jacobian.cols)]
        return sp.ImmutableMatrix(jacobian.extract(list(range(self.count)), columns))

    def value(self, point: dict[Any, Any]) -> sp.ImmutableMatrix:
        """Return the exact value at a point, one column."""
        return sp.ImmutableMatrix(self.count, 1, self.map.value(self.at(point))[: self.count])

    def slopes(self, point: dict[Any, Any]) -> sp.ImmutableMatrix:
        """Return the derivatives at a point.

        Raises
        ------
        InputError
            When there is a kink.
        """
        pieces = self.map.selection(self.at(point)).pieces
        found = dict.fromkeys(self.of(sp.Matrix.hstack(piece.A, piece.B)) for piece in pieces)
        if len(found) != 1:
            raise InputError(
                f"output `{', '.join(map(str, self.expressions))}`: {len(found)} derivatives at the fixed point; "
                "write an output that is differentiable there"
            )
        return next(iter(found))


@dataclass(frozen=True)
class DerivedErrors:
    """The errors of a quantity that is computed from iterates and derivatives.

    Parameters
    ----------
    limit : Limit
    quantity : "iterates", "derivatives", "implicit" or "partial"
    norm : "max", "frobenius" or "spectral"
    output : Observation, optional
        What is observed; by default the state itself.
    columns : tuple of int, optional
        Which columns of the derivatives count; by default all.
    last : int, optional
        Only so many steps are differentiated, the last ones: the recursion begins with ``J = 0`` before them.
    skip : int, optional
        The first steps are not differentiated.
    name : str
        What messages call it.

    Notes
    -----
    Differences are taken after both terms were computed: errors of ``10^-n`` need as many digits. Source:
    docs/theory/comparisons.md.
    """

    limit: Limit
    quantity: str
    norm: str = "max"
    output: Observation | None = None
    columns: tuple[int, ...] | None = None
    last: int | None = None
    skip: int | None = None
    name: str = ""

    def run(self, bits: int) -> Run:
        """Begin to compute them with a number of binary digits, about."""
        return _DerivedRun(self, bits)

    @cached_property
    def along(self) -> ErrorSequence:
        """What is followed: iterates alone, or with the piece at each, and with their derivatives."""
        if self.quantity in ("iterates", "partial"):
            return ErrorSequence(self.limit)
        own = self.quantity == "derivatives" and self.last is None
        return ErrorSequence(self.limit, "derivatives", skip=self.skip if own else 0)

    @property
    def needs_pairs(self) -> bool:
        """Whether the pair at each iterate is used."""
        return self.quantity == "implicit" or self.last is not None

    @cached_property
    def target(self) -> sp.ImmutableMatrix:
        """What the quantity should tend to.

        Raises
        ------
        InputError
            When the output has no value at the fixed point, or no derivative.
        """
        point = self.limit.point.point
        if self.output is None:
            return self.limit.matrix
        try:
            if self.quantity == "iterates":
                return self.output.value(point)
            slopes = self.output.slopes(point)
        except MapError as error:
            raise InputError(f"the output has no value at the fixed point: {error}") from None
        p = self.output.size
        return sp.ImmutableMatrix(slopes[:, :p] * self.limit.matrix + slopes[:, p:])


class _DerivedRun(Run):
    """At one precision; what is exact is computed when it is asked for."""

    def __init__(self, sequence: DerivedErrors, bits: int):
        self.path = sequence.along.run(bits, pieces=sequence.needs_pairs)
        self.moment = _Moment(sequence, BallArrays(bits))
        self.exact: tuple[ErrorRun, _Moment] | None = None
        super().__init__(sequence, bits)

    def _states(self) -> Iterator[Any]:
        k = 0
        while True:
            self.path.go_to(k)
            self.moment.arrive(k, self.path.both, self.path)
            yield None
            k += 1

    def matrix(self) -> arb_mat:
        return self.moment.difference()

    def exactly(self) -> tuple[fmpz_mat, fmpz]:
        sequence = self.sequence
        if self.exact is None:
            path = sequence.along.run(self.bits, pieces=sequence.needs_pairs)
            self.exact = path, _Moment(sequence, EXACT)
        path, moment = self.exact
        for k in range(moment.k + 1 if sequence.last is not None else self.k, self.k + 1):
            path.go_to(k)
            moment.arrive(k, path.both_exactly, path)
        numerators, denominator = moment.difference().numer_denom()
        return numerators, fmpz(denominator)


class _Moment:
    """One step over an array arithmetic."""

    def __init__(self, sequence: DerivedErrors, arrays: Arrays):
        self.sequence, self.arrays, self.k = sequence, arrays, -1
        self.map, self.limit = sequence.limit.iteration.map, sequence.limit
        self.window = None if sequence.last is None else Window(arrays, sequence.last)
        self._slopes: dict[Any, _Slopes] = {}
        self.x: Any = None
        self.J: Any = None

    def arrive(self, k: int, both: Any, path: ErrorRun) -> None:
        """Take in the iterate at the next step, and remember the pair at the last one."""
        with self.arrays.precision():
            if self.window is not None and self.k >= 0:
                self.window.append(*self.pair())
            x, G = both()
            self.x = x + self._centre
            self.J = None if G is None or self.sequence.needs_pairs else G + self._matrix
        self.k = k
        self.signature = path.signature if self.sequence.needs_pairs else None

    def difference(self) -> Any:
        """Return the quantity less what it should tend to.

        Raises
        ------
        InputError
            When it has no value here.
        """
        try:
            with self.arrays.precision():
                return chosen(self._value() - self._target, self.sequence.columns)
        except MapError as error:
            raise InputError(f"sequence `{self.sequence.name}`: it has no value at k = {self.k}: {error}") from None

    def _value(self) -> Any:
        quantity, output = self.sequence.quantity, self.sequence.output
        if quantity == "iterates":
            return self._observed()
        J = None if quantity == "partial" else self._derivative()
        if output is None:
            return J
        slopes = self._observed_slopes()
        direct = chosen(slopes, range(output.size, slopes.ncols()))
        return direct if J is None else direct + chosen(slopes, range(output.size)) * J

    def _derivative(self) -> Any:
        if self.window is not None:
            p, m = self.limit.matrix.shape
            return self.arrays.zeros(p, m) if self.k == 0 else self.window.total()[1]
        return self._implicit() if self.sequence.quantity == "implicit" else self.J

    def _implicit(self) -> Any:
        """What the implicit function theorem gives, applied at the iterate."""
        A, B = self.pair()
        try:
            return self.arrays.inverse(self.arrays.identity(A.nrows()) - A) * B
        except MapError:
            if self.arrays.bounds_errors:
                raise UnknownError(f"step {self.k}: whether I - A is singular is not decided") from None
            raise MapError("I - A is singular there") from None

    def pair(self) -> tuple[Any, Any]:
        """Return A and B at the iterate."""
        jacobian = self._evaluated(self.map, self.signature, lambda: self.map.piece(self.signature).jacobian)
        p = len(self.map.state)
        return chosen(jacobian, range(p)), chosen(jacobian, range(p, jacobian.ncols()))

    # -- the output -------------------------------------------------------------------------------------------------

    def _observed(self) -> Any:
        output, scalars = self.sequence.output, self.arrays.scalars
        found = output.map.evaluate(output.at(self._values), scalars).value[: output.count]
        return self.arrays.assemble(output.count, 1, found)

    def _observed_slopes(self) -> Any:
        output = self.sequence.output
        seen = output.map.evaluate(output.at(self._values), self.arrays.scalars).signature
        signature = self._agreed() if 0 in seen else seen
        return self._evaluated(output, signature, lambda: output.of(output.map.piece(signature).jacobian))

    def _agreed(self) -> Signature:
        """The piece of the output that stands for all where its guards tie."""
        if self.arrays.bounds_errors:
            raise UnknownError(f"step {self.k}: a guard of the output ties")
        map_ = self.sequence.output.map
        state = dict(zip(self.map.state, (sp.Rational(int(c.p), int(c.q)) for c in self.x.entries()), strict=True))
        point = self.sequence.output.at({**state, **self.limit.at})
        pieces = map_.selection(point).pieces
        require_equal_pairs(map_, pieces, point, self.k)
        return pieces[0].signature

    # -- numbers ----------------------------------------------------------------------------------------------------

    @property
    def _values(self) -> dict[sp.Symbol, Any]:
        return {**dict(zip(self.map.state, self.x.entries(), strict=True)), **self._parameters}

    @cached_property
    def _parameters(self) -> dict[sp.Symbol, Any]:
        return {v: self.arrays.scalars.evaluate(c) for v, c in self.limit.at.items()}

    def _constant(self, M: sp.ImmutableMatrix) -> Any:
        return self.arrays.assemble(*M.shape, map(self.arrays.scalars.evaluate, M))

    @cached_property
    def _centre(self) -> Any:
        return self._constant(sp.ImmutableMatrix(len(self.map.state), 1, self.limit.coordinates))

    @cached_property
    def _matrix(self) -> Any:
        return self._constant(self.limit.matrix)

    @cached_property
    def _target(self) -> Any:
        return self._constant(self.sequence.target)

    def _evaluated(self, owner: Any, signature: Signature, jacobian: Any) -> Any:
        key = id(owner), signature
        if key not in self._slopes:
            self._slopes[key] = _Slopes(jacobian(), self.map.state, self._parameters, self.arrays)
        return self._slopes[key].at(self._values)


class _Slopes:
    """A symbolic matrix, of which the entries that do not change with the state are evaluated once."""

    def __init__(self, matrix: sp.Matrix, state: Sequence[sp.Symbol], parameters: dict[Any, Any], arrays: Arrays):
        self.shape, self.arrays, moving = matrix.shape, arrays, set(state)
        evaluate = Evaluator(arrays.scalars, parameters)
        self.varying = {i: entry for i, entry in enumerate(matrix) if entry.free_symbols & moving}
        self.entries = [None if i in self.varying else evaluate(entry) for i, entry in enumerate(matrix)]

    def at(self, values: dict[sp.Symbol, Any]) -> Any:
        """Evaluate it."""
        entries = self.entries
        if self.varying:
            evaluate, entries = Evaluator(self.arrays.scalars, values), list(entries)
            for i, entry in self.varying.items():
                entries[i] = evaluate(entry)
        return self.arrays.assemble(*self.shape, entries)


class Window:
    """The composition of the last maps ``J -> A J + B``, as new ones come and old ones go.

    Parameters
    ----------
    arrays : Arrays
    length : int
        How many of them count.

    Examples
    --------
    >>> from flint import fmpq_mat
    >>> window = Window(EXACT, 2)
    >>> for b in (1, 2, 3):
    ...     window.append(fmpq_mat([[2]]), fmpq_mat([[b]]))
    >>> window.total()
    ([4], [7])

    Notes
    -----
    Two compositions for each map, whatever the length: of the older ones all ends are kept, of the newer ones all of
    them.
    """

    def __init__(self, arrays: Arrays, length: int):
        self.arrays, self.length = arrays, length
        self.older: list[tuple[Any, Any]] = []
        self.newer: list[tuple[Any, Any]] = []
        self.newest: tuple[Any, Any] | None = None

    def append(self, A: Any, B: Any) -> None:
        """Add the next map."""
        self.newer.append((A, B))
        self.newest = (A, B) if self.newest is None else _after((A, B), self.newest)
        if len(self.older) + len(self.newer) > self.length:
            self._drop()

    def _drop(self) -> None:
        if not self.older:
            composed = None
            for pair in reversed(self.newer):
                composed = pair if composed is None else _after(composed, pair)
                self.older.append(composed)
            self.newer, self.newest = [], None
        self.older.pop()

    def total(self) -> tuple[Any, Any]:
        """Return A and B of the composition; there must be a map."""
        if not self.older:
            return self.newest
        return self.older[-1] if self.newest is None else _after(self.newest, self.older[-1])


def _after(second: tuple[Any, Any], first: tuple[Any, Any]) -> tuple[Any, Any]:
    """Compose two maps."""
    return second[0] * first[0], second[0] * first[1] + second[1]

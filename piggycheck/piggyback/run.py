"""An iteration on its way: values step by step, and the piece that each step uses."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from typing import Any, TypeVar

import sympy as sp
from flint import fmpq_mat

from piggycheck.arithmetic import rational, to_sympy
from piggycheck.arrays import Arrays, BallArrays, Enclosed
from piggycheck.errors import MapError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import BoundMap, Directions, Moment, SelectionSet, Signature, convention_pair
from piggycheck.piggyback.policies import ByConvention, FixedBranch, SelectionPolicy

__all__ = ["MOST_BITS", "Run", "more_precise", "with_enough_bits"]

MOST_BITS = 4096
"""How far the precision of balls is raised where a sign is not decided, unless one says otherwise."""

_CACHED_MAPS = 16
_DIGITS_PER_BIT = 0.30103

Result = TypeVar("Result")


class Run:
    """An iteration at given parameters over an arithmetic.

    Parameters
    ----------
    iteration : Iteration
        With a start.
    at : mapping
        A value for each parameter.
    arrays : Arrays
    policy : SelectionPolicy, optional
        By default the first of the pieces.
    moving : mapping, optional
        The directions asked for; by default all.
    """

    def __init__(
        self,
        iteration: Iteration,
        at: Mapping[Any, Any] | None,
        arrays: Arrays,
        policy: SelectionPolicy | None = None,
        moving: Mapping[Any, Any] | None = None,
    ):
        self.iteration, self.arrays, self.policy = iteration, arrays, policy or FixedBranch()
        self.at = iteration.first_map.parameter_values(at or {})
        self._bind = lru_cache(_CACHED_MAPS)(lambda map_: map_.bind(self.at, arrays))
        self._directions = lru_cache(_CACHED_MAPS)(lambda map_: self._bind(map_).directions(moving))
        self._follow = lru_cache(_CACHED_MAPS)(lambda map_: self._bind(map_).following())
        self._without_tie: Signature | None = None
        self._tie: tuple[Any, SelectionSet] | None = None

    def bound(self, k: int) -> BoundMap:
        """Return the map of step k, for the parameters."""
        return self._bind(self.iteration.map_at(k))

    def directions(self, k: int) -> Directions:
        """Return the directions asked for, for the map of step k."""
        return self._directions(self.iteration.map_at(k))

    def start(self) -> Enclosed:
        """Return x_0."""
        return self.iteration.enclosed_start(self.at, self.arrays)

    def moments(self) -> Iterator[tuple[int, Enclosed, Moment]]:
        """Walk k, the iterate x_k and the map there, without end."""
        k, x = 0, self.start()
        while True:
            with _naming(k):
                moment = self._follow(self.iteration.map_at(k))(x)
            yield k, x, moment
            k, x = k + 1, moment.value

    def start_tangent(self) -> Enclosed:
        """Return ``J_0 d``, where the start has a kink as the policy picks."""
        if isinstance(self.policy, ByConvention) and self.iteration.start_depends_on_parameters:
            map_, point = self.iteration.where_it_starts(self.at)
            _, J_0 = convention_pair(map_, point, self.policy.convention)
            return self._times(J_0, map_.parameters, self.directions(0))
        starts = self.iteration.start_tangents(self.at, self.directions(0))
        return starts[self.chosen(0, len(starts))]

    def no_tangent(self) -> Enclosed:
        """Return zeros, where J_0 is not to count."""
        rows, columns = len(self.iteration.first_map.state), self.directions(0).count
        return self.arrays.enclosed(self.arrays.zeros(rows, columns))

    def forward(self, k: int, x: Enclosed, moment: Moment, J: Enclosed) -> Enclosed:
        """Return the derivative of the next iterate."""
        if not isinstance(self.policy, ByConvention) or 0 not in self.signature(k, moment):
            return moment.forward(J, self.directions(k), self.piece(k, x, moment))
        map_, arrays = self.iteration.map_at(k), self.arrays
        A, B = convention_pair(map_, self.known_point(k, x), self.policy.convention)
        with arrays.precision():
            carried = arrays.product(self._matrix(A), arrays.reaching(J.centre, J.spread))
            moved = self._times(B, map_.parameters, self.directions(k)).centre
            return arrays.enclosed(arrays.total(carried, moved))

    def _times(self, M: sp.ImmutableMatrix, symbols: Sequence[sp.Symbol], directions: Directions) -> Enclosed:
        entries = [d for symbol in symbols for d in directions.of_number(symbol)]
        with self.arrays.precision():
            moving = self.arrays.matrix(fmpq_mat(len(symbols), directions.count, entries))
            return self.arrays.enclosed(self.arrays.product(self._matrix(M), moving))

    def _matrix(self, M: sp.ImmutableMatrix) -> Any:
        return self.arrays.matrix(fmpq_mat(*M.shape, [rational(entry, "Jacobian") for entry in M]))

    def chosen(self, k: int, count: int) -> int:
        """Ask the policy where there is something to choose."""
        return self.policy.choose(k, count) if count > 1 else 0

    def signature(self, k: int, moment: Moment) -> Signature:
        """Return what the guards see in step k."""
        with _naming(k):
            return moment.signature

    def piece(self, k: int, x: Enclosed, moment: Moment) -> Signature:
        """Return the signature of the piece used in step k: what the guards see, and at a tie what the policy picks."""
        signature = self.signature(k, moment)
        if signature is self._without_tie:
            return signature
        if 0 not in signature:
            self._without_tie = signature
            return signature
        pieces = self.selection(k, x).pieces
        return pieces[self.chosen(k, len(pieces))].signature

    def selection(self, k: int, x: Enclosed) -> SelectionSet:
        """Return the selection set at an iterate where some guard ties.

        Raises
        ------
        UnknownError
            When the iterate is known only up to a distance.
        """
        point, map_ = self.known_point(k, x), self.iteration.map_at(k)
        key = map_, tuple(point.values())[: len(map_.state)]
        if self._tie is None or self._tie[0] != key:
            selection = map_.selection(point)
            if not selection.pieces:
                raise MapError(f"no piece is essentially active at step {k}")
            self._tie = key, selection
        return self._tie[1]

    def known_point(self, k: int, x: Enclosed) -> dict[Any, Any]:
        """Return an iterate with the parameters, exactly.

        Raises
        ------
        UnknownError
            When it is known only up to a distance.
        """
        if x.spread != 0:
            raise UnknownError(f"step {k}: a guard ties at an iterate that is not known exactly; compute exactly")
        map_ = self.iteration.map_at(k)
        state = dict(zip(map_.state, map(to_sympy, self.arrays.exactly(x.centre).entries()), strict=True))
        return {**state, **self.at}


@contextmanager
def _naming(k: int) -> Iterator[None]:
    """Say in which step something was not decided."""
    try:
        yield
    except UnknownError as error:
        raise type(error)(f"step {k}: {error}") from None


def more_precise(arrays: Arrays, most_bits: int, error: UnknownError) -> Arrays:
    """Return an arithmetic of twice the precision for another try from the start, or give up.

    Raises
    ------
    UnknownError
        When the arithmetic has no precision to raise, or would go beyond `most_bits`.
    """
    if not isinstance(arrays, BallArrays):
        raise error
    if 2 * arrays.bits > most_bits:
        digits = int(arrays.bits * _DIGITS_PER_BIT)
        raise UnknownError(f"{error}; the precision was {arrays.bits} bits ({digits} digits)") from None
    return BallArrays(2 * arrays.bits)


def with_enough_bits(arrays: Arrays, most_bits: int, compute: Callable[[Arrays], Result]) -> Result:
    """Compute over an arithmetic, over balls again with twice the precision where a sign is not decided."""
    while True:
        try:
            return compute(arrays)
        except UnknownError as error:
            arrays = more_precise(arrays, most_bits, error)

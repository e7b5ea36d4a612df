"""An iteration: a piecewise map, its parameters, and where it starts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import to_sympy
from piggycheck.arrays import Arrays, Enclosed
from piggycheck.errors import InputError, MapError
from piggycheck.maps import Directions, PiecewiseMap, StructuredMap, SymbolicMap
from piggycheck.maps.nodes import number_of

__all__ = ["Iteration"]


class Iteration:
    """``x_{k+1} = F(x_k, theta)``, started at ``x_0(theta)``; F may depend on k.

    Parameters
    ----------
    map : PiecewiseMap, or callable
        F, with p state variables and m parameters; or a function that gives F for each k, always with the same state
        and parameters.
    start : sequence of p sympy expressions in the parameters, optional
        Without it, statements are local to a fixed point.
    name : str
        What the iteration is called in reports.
    output : PiecewiseMap, optional
        What users want, when it is not the state: a map of the same state and parameters.
    requirements : sequence
        What must hold of the parameters; each has ``check(values)``, which raises `InputError`.
    advisers : sequence
        What is known of steps that converge; each has ``advice(values)``, which returns a sentence or None.

    Raises
    ------
    MapError
        When the start has another length, or mentions anything but the parameters.

    Examples
    --------
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> iteration = Iteration(SymbolicMap([x], [x / 2 + theta], [theta]), start=[theta**2])
    >>> iteration.start_at({theta: 3})
    {x: 9}
    >>> slower = Iteration(lambda k: SymbolicMap([x], [x - (x - theta) / (k + 2)], [theta]))
    >>> slower.map_at(3).next
    (theta/5 + 4*x/5,)

    Notes
    -----
    When this fails: the start may have kinks of its own; its Jacobian is then a set.
    """

    def __init__(
        self,
        map: PiecewiseMap | Callable[[int], PiecewiseMap],
        start: Sequence[sp.Expr] | None = None,
        name: str = "iteration",
        *,
        output: PiecewiseMap | None = None,
        requirements: Sequence[Any] = (),
        advisers: Sequence[Any] = (),
    ):
        self.name, self.depends_on_k = name, not isinstance(map, PiecewiseMap)
        self._map_at = map if self.depends_on_k else lambda k: map
        self.first_map = self._map_at(0)
        self._require_same_size()
        self.output, self.requirements, self.advisers = output, tuple(requirements), tuple(advisers)
        self.start = None if start is None else tuple(_expression(e) for e in start)
        if self.start is not None:
            self._validate_start()

    def _require_same_size(self) -> None:
        map_ = self.first_map
        if isinstance(map_, StructuredMap) and map_.next.size != map_.dimension:
            raise MapError(
                f"the next state `{map_.next.name}` has {map_.next.size} entries and the state {map_.dimension}"
            )

    def _validate_start(self) -> None:
        state = self.first_map.state
        if len(self.start) != len(state):
            raise MapError(f"the start has {len(self.start)} entries and the state {len(state)}; write one each")
        if not self._in_start:
            return
        known = set(self.first_map.parameters)
        for symbol, expression in zip(state, self.start, strict=True):
            foreign = sorted(map(str, expression.free_symbols - known))
            if foreign:
                declared = ", ".join(map(str, self.first_map.parameters)) or "none"
                raise MapError(f"start of `{symbol}`: `{foreign[0]}` is not a parameter; declared are {declared}")

    def __repr__(self) -> str:
        shown = None if self.start is None else list(self.start)
        return f"Iteration({self.first_map!r}, start={shown}, name={self.name!r})"

    @property
    def map(self) -> PiecewiseMap:
        """F, where it is the same in every step.

        Raises
        ------
        InputError
            When it depends on k.
        """
        if self.depends_on_k:
            raise InputError(f"the map of `{self.name}` depends on k, and this needs one that does not")
        return self.first_map

    def map_at(self, k: int) -> PiecewiseMap:
        """Return the map of step k.

        Raises
        ------
        MapError
            When its state or parameters are not those of step 0.
        """
        map_, first = self._map_at(k), self.first_map
        if map_ is not first and (map_.state != first.state or map_.parameters != first.parameters):
            raise MapError(f"the map of step {k} has another state or other parameters than that of step 0")
        return map_

    # -- the parameters -------------------------------------------------------------------------------------------

    def check(self, at: Mapping[Any, Any]) -> None:
        """Refuse parameters at which the functions that the iteration is made of make no sense.

        Raises
        ------
        InputError
            When a weight is negative, for instance; one line.
        """
        values = self.first_map.parameter_values(at)
        for requirement in self.requirements:
            requirement.check(values)

    def advice(self, at: Mapping[Any, Any]) -> str | None:
        """Say which steps or relaxations are outside the range where convergence is known, if any.

        Notes
        -----
        When this fails: the range is computed in floating point, for steps that depend on the data; it is no proof.
        """
        if not self.advisers:
            return None
        values = self.first_map.parameter_values(at)
        found = [advice for adviser in self.advisers if (advice := adviser.advice(values)) is not None]
        return f"{self.name}: {'; '.join(found)}" if found else None

    # -- the start ------------------------------------------------------------------------------------------------

    @cached_property
    def _in_start(self) -> tuple[sp.Symbol, ...]:
        """The parameters that the start mentions."""
        if self.start is None:
            raise MapError("this iteration has no start")
        return tuple(sorted(set().union(*(e.free_symbols for e in self.start)), key=str))

    @cached_property
    def start_map(self) -> SymbolicMap:
        """The start as a map of the parameters: its Jacobian in them is the J_0 of the recursion."""
        if self.start is None:
            raise MapError("this iteration has no start")
        return SymbolicMap(self.first_map.state, self.start, self.first_map.parameters)

    def start_at(self, at: Mapping[Any, Any]) -> dict[sp.Symbol, sp.Expr]:
        """Return x_0 at given parameters, exactly.

        Raises
        ------
        MapError
            When there is no start, or it is not defined at these parameters.
        """
        if self.start is None:
            raise MapError("this iteration has no start")
        if all(e.is_Rational for e in self.start):
            return dict(zip(self.first_map.state, self.start, strict=True))
        map_, point = self.where_it_starts(at)
        return dict(zip(self.first_map.state, map_.value(point), strict=True))

    def start_jacobians(self, at: Mapping[Any, Any]) -> list[sp.ImmutableMatrix]:
        """Return the Jacobians J_0 of the start at given parameters: one, or several where the start has a kink."""
        origin = dict.fromkeys(self.first_map.state, 0)
        selection = self.start_map.selection({**origin, **at})
        return list(dict.fromkeys(piece.B for piece in selection.pieces))

    def enclosed_start(self, at: Mapping[Any, Any], arrays: Arrays) -> Enclosed:
        """Return x_0 over an array arithmetic."""
        numbers = [arrays.scalars.evaluate(e) for e in self.start_at(at).values()]
        with arrays.precision():
            return arrays.enclosed(arrays.assemble(len(numbers), 1, numbers))

    def start_tangents(self, at: Mapping[Any, Any], directions: Directions) -> list[Enclosed]:
        """Return ``J_0 d`` for the Jacobians of the start: one, or several where the start has a kink."""
        arrays, count = directions.context.arrays, directions.count
        entries = [d for v in self._in_start for d in directions.of_number(v)]
        with arrays.precision():
            moving = arrays.matrix(fmpq_mat(len(self._in_start), count, entries))
            return [arrays.enclosed(arrays.product(B, moving)) for B in self._own_jacobians(at, arrays)]

    def start_cotangents(
        self, at: Mapping[Any, Any], cotangent: Enclosed, arrays: Arrays
    ) -> list[dict[sp.Symbol, Any]]:
        """Return ``w^T J_0``, for each Jacobian of the start, by the parameters that the start mentions."""
        with arrays.precision():
            w = arrays.transposed(arrays.reaching(cotangent.centre, cotangent.spread))
            rows = [arrays.entries(arrays.product(w, B)) for B in self._own_jacobians(at, arrays)]
        return [dict(zip(self._in_start, row, strict=True)) for row in rows]

    def _own_jacobians(self, at: Mapping[Any, Any], arrays: Arrays) -> list[Any]:
        """The Jacobians of the start in the parameters that it mentions."""
        if not self._in_start:
            return [arrays.zeros(len(self.start), 0)]
        map_, point = self.where_it_starts(at)
        jacobians = dict.fromkeys(piece.B for piece in map_.selection(point).pieces)
        if not jacobians:
            raise MapError("no piece of the start is essentially active at the given parameters")
        return [arrays.assemble(*B.shape, [arrays.scalars.evaluate(e) for e in B]) for B in jacobians]

    @property
    def start_depends_on_parameters(self) -> bool:
        """Whether the start mentions a parameter."""
        return bool(self._in_start)

    def where_it_starts(self, at: Mapping[Any, Any]) -> tuple[SymbolicMap, dict[sp.Symbol, sp.Expr]]:
        """The start as a map of the parameters that it mentions alone, and where it is evaluated."""
        map_ = SymbolicMap(self.first_map.state, self.start, self._in_start)
        values = self.first_map.parameter_values(at)
        return map_, {**dict.fromkeys(map_.state, sp.S.Zero), **{v: number_of(values, v) for v in self._in_start}}


def _expression(entry: Any) -> sp.Expr:
    return to_sympy(entry) if isinstance(entry, fmpq) else sp.sympify(entry)

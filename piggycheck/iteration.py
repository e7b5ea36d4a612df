"""An iteration: a piecewise map, its parameters, and where it starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import sympy as sp

from piggycheck.errors import MapError
from piggycheck.maps import PiecewiseMap, SymbolicMap

__all__ = ["Iteration"]


class Iteration:
    """``x_{k+1} = F(x_k, theta)``, started at ``x_0(theta)``.

    Parameters
    ----------
    map : PiecewiseMap
        F, with p state variables and m parameters.
    start : sequence of p sympy expressions in the parameters, optional
        Without it, statements are local to a fixed point.
    name : str
        What the iteration is called in reports.

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

    Notes
    -----
    When this fails: the start may have kinks of its own; its Jacobian is then a set.
    """

    def __init__(self, map: PiecewiseMap, start: Sequence[sp.Expr] | None = None, name: str = "iteration"):
        self.map, self.name = map, name
        self.start = None if start is None else tuple(sp.sympify(e) for e in start)
        if self.start is not None:
            self._validate_start()

    def _validate_start(self) -> None:
        if len(self.start) != len(self.map.state):
            raise MapError(
                f"the start has {len(self.start)} entries and the state {len(self.map.state)}; write one each"
            )
        for symbol, expression in zip(self.map.state, self.start, strict=True):
            foreign = sorted(map(str, expression.free_symbols - set(self.map.parameters)))
            if foreign:
                declared = ", ".join(map(str, self.map.parameters)) or "none"
                raise MapError(f"start of `{symbol}`: `{foreign[0]}` is not a parameter; declared are {declared}")

    def __repr__(self) -> str:
        return f"Iteration({self.map!r}, start={None if self.start is None else list(self.start)}, name={self.name!r})"

    @cached_property
    def start_map(self) -> SymbolicMap:
        """The start as a map of the parameters: its Jacobian in them is the J_0 of the recursion."""
        if self.start is None:
            raise MapError("this iteration has no start")
        return SymbolicMap(self.map.state, self.start, self.map.parameters)

    def start_at(self, at: Mapping[Any, Any]) -> dict[sp.Symbol, sp.Expr]:
        """Return x_0 at given parameters, exactly.

        Raises
        ------
        MapError
            When there is no start, or it is not defined at these parameters.
        """
        origin = dict.fromkeys(self.map.state, 0)
        return dict(zip(self.map.state, self.start_map.value({**origin, **at}), strict=True))

    def start_jacobians(self, at: Mapping[Any, Any]) -> list[sp.ImmutableMatrix]:
        """Return the Jacobians J_0 of the start at given parameters: one, or several where the start has a kink."""
        origin = dict.fromkeys(self.map.state, 0)
        selection = self.start_map.selection({**origin, **at})
        return list(dict.fromkeys(piece.B for piece in selection.pieces))

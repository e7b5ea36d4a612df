"""An iteration at given parameters, converted to the arithmetics in which its limit is found and proved."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flint import fmpq_mat

from piggycheck.arithmetic import to_sympy
from piggycheck.arrays import Arrays, BallArrays, Enclosed
from piggycheck.fixed_points import FixedPoint
from piggycheck.iteration import Iteration
from piggycheck.maps import BoundMap, PiecewiseMap, StructuredMap

__all__ = ["LimitProblem"]


class LimitProblem:
    """An iteration at given parameters; each conversion is made once and kept.

    Parameters
    ----------
    iteration : Iteration
        Its map does not depend on k.
    at : mapping
        A value for each parameter.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.maps import SymbolicMap
    >>> x = sp.Symbol("x", real=True)
    >>> LimitProblem(Iteration(SymbolicMap([x], [x / 2 + 1]))).guard_names
    ()
    """

    def __init__(self, iteration: Iteration, at: Mapping[Any, Any] | None = None):
        self.iteration, self.map = iteration, iteration.map
        iteration.check(at or {})
        self.at = self.map.parameter_values(at or {})
        self._known: dict[Any, Any] = {}

    def over(self, arrays: Arrays) -> BoundMap:
        """Return the map for the parameters over an arithmetic."""
        return self._converted(self.map, arrays)

    def output_over(self, arrays: Arrays) -> BoundMap:
        """Return the map from the state to what users want, over an arithmetic."""
        return self._converted(self.iteration.output, arrays)

    def _converted(self, map_: PiecewiseMap, arrays: Arrays) -> BoundMap:
        return self._once((map_, _kind(arrays)), lambda: map_.bind(self.at, arrays))

    def start(self, arrays: Arrays) -> Enclosed:
        """Return where the iteration starts; 0 when that is not said."""
        return self._once(("start", _kind(arrays)), lambda: self._start(arrays))

    def _start(self, arrays: Arrays) -> Enclosed:
        if self.iteration.start is None:
            return Enclosed(arrays.zeros(len(self.map.state), 1))
        return self.iteration.enclosed_start(self.at, arrays)

    def _once(self, key: Any, compute: Callable[[], Any]) -> Any:
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]

    def fixed_point(self, x: fmpq_mat) -> FixedPoint:
        """Return an exact fixed point as other modules take it."""
        state = dict(zip(self.map.state, map(to_sympy, x.entries()), strict=True))
        return FixedPoint(state, self.at)

    @property
    def guard_names(self) -> tuple[str, ...]:
        """What the guards are called, one for each sign of a signature."""
        if isinstance(self.map, StructuredMap):
            return tuple(name for node in self.map.switching for name in node.guard_names)
        return tuple(map(str, self.map.guards))


def _kind(arrays: Arrays) -> Any:
    """What tells arithmetics apart."""
    return arrays.bits if isinstance(arrays, BallArrays) else arrays

"""The constraint that every coordinate lies between two bounds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy as sp

from piggycheck.errors import InputError
from piggycheck.functions import arguments
from piggycheck.functions.base import Naming, ProximalFunction
from piggycheck.functions.requirements import required
from piggycheck.maps import Elementwise, Node, ScalarFunction

__all__ = ["box"]


@dataclass(frozen=True)
class box(ProximalFunction):
    """The indicator function of ``lower <= x <= upper``; its proximal map clips.

    Parameters
    ----------
    lower, upper : exact number, sympy expression in the parameters, str, vector of n entries, or ArrayParameter

    Raises
    ------
    InputError
        When both are known and ``lower > upper`` somewhere, or sizes do not fit.

    Examples
    --------
    >>> v = sp.Symbol("v", real=True)
    >>> box(-1, 1).proximal([v], sp.Integer(1))
    [Max(-1, Min(1, v))]

    Notes
    -----
    Source: Parikh, Boyd, Proximal Algorithms, 2014, section 6.2.4.
    """

    lower: Any
    upper: Any

    def __post_init__(self) -> None:
        lower = arguments.numbers(self.lower, "lower bound of box")
        upper = arguments.numbers(self.upper, "upper bound of box")
        sizes = {arguments.shape(bound)[0] for bound in (lower, upper) if not isinstance(bound, sp.Expr)}
        if len(sizes) > 1:
            raise InputError(f"box: bounds of {' and '.join(map(str, sorted(sizes)))} entries; write equally many")
        requirements = required("ordered", lower, upper, where="box")
        self._keep(lower=lower, upper=upper, requirements=requirements, dimension=sizes.pop() if sizes else None)

    def value(self, point: Sequence[sp.Expr]) -> sp.Expr:
        return sp.Integer(0)

    def proximal(self, point: Sequence[sp.Expr], step: sp.Expr) -> list[sp.Expr]:
        bounds = (arguments.each(bound, point, "bound of box") for bound in (self.lower, self.upper))
        return [sp.Max(low, sp.Min(high, v)) for v, low, high in zip(point, *bounds, strict=True)]

    def keeps_symmetric(self, n: int) -> bool:
        return all(arguments.is_symmetric(bound, n) for bound in (self.lower, self.upper))

    def proximal_node(self, of: Node, step: sp.Expr, naming: Naming) -> Node:
        bounds = [
            arguments.scaled(bound, sp.S.One, name, naming)
            for bound, name in ((self.lower, "lower"), (self.upper, "upper"))
        ]
        return Elementwise(naming("proximal"), _clip(), of, bounds, proximal=True)


@cache
def _clip() -> ScalarFunction:
    v, low, high = sp.symbols("v low high", real=True)
    return ScalarFunction(sp.Max(low, sp.Min(high, v)), v, [low, high])

"""What methods with constant momentum share: their state is an iterate and the one before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sympy as sp

from piggycheck.algorithms import reading
from piggycheck.functions import gradient
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

__all__ = ["momentum_iteration"]


def momentum_iteration(
    objective: Any,
    variables: Sequence[Any],
    step: Any,
    momentum: Any,
    *,
    parameters: Sequence[Any],
    start: Sequence[Any] | Mapping[Any, Any] | None,
    update: Callable[[list[sp.Expr], Mapping[sp.Symbol, sp.Expr], sp.Expr], list[sp.Expr]],
    name: str,
) -> Iteration:
    """Build an iteration on ``x`` and ``x_previous``.

    Parameters
    ----------
    update : callable
        ``update(gradient, extrapolated, step)`` gives the new iterate; ``extrapolated`` maps each variable to
        ``x + momentum * (x - x_previous)``.
    objective, variables, step, momentum, parameters, start
        As in `piggycheck.algorithms.heavy_ball`.
    name : str
        What the iteration is called.
    """
    variables, parameters = reading.symbols(variables), reading.symbols(parameters)
    previous = reading.previous_symbols(variables)
    f = reading.expression(objective, variables + parameters, "objective")
    tau = reading.expression(step, parameters, "step")
    beta = reading.expression(momentum, parameters, "momentum")
    extrapolated = {v: v + beta * (v - w) for v, w in zip(variables, previous, strict=True)}
    return Iteration(
        SymbolicMap(variables + previous, [*update(gradient(f, variables), extrapolated, tau), *variables], parameters),
        reading.start_of(start, variables + previous, dict(zip(previous, variables, strict=True)), parameters),
        name=name,
    )

"""Gradient descent with a constant step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from piggycheck.algorithms import reading
from piggycheck.functions import gradient
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

__all__ = ["gradient_descent"]


def gradient_descent(
    objective: Any,
    variables: Sequence[Any],
    step: Any,
    *,
    parameters: Sequence[Any] = (),
    start: Sequence[Any] | Mapping[Any, Any] | None = None,
) -> Iteration:
    """Build ``x <- x - step * grad f(x)``.

    Parameters
    ----------
    objective : sympy.Expr or str
        f, in the variables and parameters.
    variables : sequence of n symbols or names
    step : exact number, sympy expression in the parameters, or str
    parameters : sequence of symbols or names
    start : list or mapping, optional
        x_0 as expressions in the parameters.

    Returns
    -------
    Iteration
        With the n variables for state.

    Raises
    ------
    InputError
        When something cannot be read.

    Examples
    --------
    >>> gradient_descent("(x - theta)**2", ["x"], "1/4", parameters=["theta"]).map.next
    (theta/2 + x/2,)

    Notes
    -----
    When this fails: the step is not checked to be in the convergent range.
    """
    variables, parameters = reading.symbols(variables), reading.symbols(parameters)
    f = reading.expression(objective, variables + parameters, "objective")
    tau = reading.expression(step, parameters, "step")
    updates = [v - tau * g for v, g in zip(variables, gradient(f, variables), strict=True)]
    return Iteration(
        SymbolicMap(variables, updates, parameters),
        reading.start_of(start, variables, {}, parameters),
        name="gradient descent",
    )

"""Forward-backward splitting: a gradient step, then a proximal one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from piggycheck.algorithms import reading
from piggycheck.errors import InputError
from piggycheck.functions import ProximalFunction, gradient
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

__all__ = ["forward_backward"]


def forward_backward(
    smooth: Any,
    nonsmooth: ProximalFunction,
    variables: Sequence[Any],
    step: Any,
    *,
    parameters: Sequence[Any] = (),
    start: Sequence[Any] | Mapping[Any, Any] | None = None,
) -> Iteration:
    """Build ``x <- prox_{step g}(x - step * grad f(x))``.

    Parameters
    ----------
    smooth : sympy.Expr or str
        f, in the variables and parameters.
    nonsmooth : ProximalFunction
        g, from `piggycheck.functions`.
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
    >>> from piggycheck.functions import l1
    >>> forward_backward("(x - 2)**2/2", l1(1), ["x"], "1/2").map.next
    (x/2 - Max(-1/2, Min(1/2, x/2 + 1)) + 1,)

    Notes
    -----
    Source: Combettes, Wajs, Signal recovery by proximal forward-backward splitting, 2005.

    When this fails: the step is not checked to be in the convergent range.
    """
    variables, parameters = reading.symbols(variables), reading.symbols(parameters)
    f = reading.expression(smooth, variables + parameters, "smooth")
    tau = reading.expression(step, parameters, "step")
    if not isinstance(nonsmooth, ProximalFunction):
        raise InputError(
            f"nonsmooth: `{nonsmooth}` has no proximal map; write, for instance, piggycheck.functions.l1(1)"
        )
    forward = [v - tau * g for v, g in zip(variables, gradient(f, variables), strict=True)]
    return Iteration(
        SymbolicMap(variables, nonsmooth.proximal(forward, tau), parameters),
        reading.start_of(start, variables, {}, parameters),
        name="forward-backward",
    )

"""Heavy ball: gradient descent with momentum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from piggycheck.algorithms.momentum import momentum_iteration
from piggycheck.iteration import Iteration

__all__ = ["heavy_ball"]


def heavy_ball(
    objective: Any,
    variables: Sequence[Any],
    step: Any,
    momentum: Any,
    *,
    parameters: Sequence[Any] = (),
    start: Sequence[Any] | Mapping[Any, Any] | None = None,
) -> Iteration:
    """Build ``x <- x - step * grad f(x) + momentum * (x - x_previous)``.

    Parameters
    ----------
    objective : sympy.Expr or str
        f, in the variables and parameters.
    variables : sequence of n symbols or names
    step, momentum : exact number, sympy expression in the parameters, or str
    parameters : sequence of symbols or names
    start : list or mapping, optional
        x_0 as expressions in the parameters; the previous iterate starts equal to it unless given.

    Returns
    -------
    Iteration
        With 2n state variables: the iterate ``x`` and the previous one ``x_previous``.

    Raises
    ------
    InputError
        When something cannot be read.

    Examples
    --------
    >>> heavy_ball("x**2/2", ["x"], 1, "3/4", parameters=["theta"], start=["theta"]).map.next
    (3*x/4 - 3*x_previous/4, x)

    Notes
    -----
    Source: Polyak, Some methods of speeding up the convergence of iteration methods, 1964.

    When this fails: step and momentum are not checked to be in the convergent range.
    """
    return momentum_iteration(
        objective,
        variables,
        step,
        momentum,
        parameters=parameters,
        start=start,
        update=_update,
        name="heavy ball",
    )


def _update(gradient: list[sp.Expr], extrapolated: Mapping[sp.Symbol, sp.Expr], step: sp.Expr) -> list[sp.Expr]:
    return [ahead - step * g for g, ahead in zip(gradient, extrapolated.values(), strict=True)]

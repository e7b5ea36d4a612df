"""Nesterov's accelerated gradient method with constant momentum."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp

from piggycheck.algorithms.momentum import momentum_iteration
from piggycheck.iteration import Iteration

__all__ = ["nesterov"]


def nesterov(
    objective: Any,
    variables: Sequence[Any],
    step: Any,
    momentum: Any,
    *,
    parameters: Sequence[Any] = (),
    start: Sequence[Any] | Mapping[Any, Any] | None = None,
) -> Iteration:
    """Build ``y = x + momentum * (x - x_previous)``, ``x <- y - step * grad f(y)``.

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
    >>> nesterov("x**2/2", ["x"], "1/2", "1/3").map.next
    (2*x/3 - x_previous/6, x)

    Notes
    -----
    Source: Nesterov, Introductory Lectures on Convex Optimization, 2004, section 2.2.1.

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
        name="Nesterov, constant momentum",
    )


def _update(gradient: list[sp.Expr], extrapolated: Mapping[sp.Symbol, sp.Expr], step: sp.Expr) -> list[sp.Expr]:
    return [
        ahead - step * g.subs(extrapolated, simultaneous=True)
        for g, ahead in zip(gradient, extrapolated.values(), strict=True)
    ]

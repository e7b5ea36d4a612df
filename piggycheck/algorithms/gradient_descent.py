"""Gradient descent with a constant step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from piggycheck.algorithms import reading
from piggycheck.algorithms.advice import ExpressionCurvature, StepRange, TermCurvature
from piggycheck.algorithms.structured import Draft, common_size, require_function
from piggycheck.errors import InputError
from piggycheck.functions import ProximalFunction, QuadraticFunction, gradient
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap, Term

__all__ = ["gradient_descent"]


def gradient_descent(
    objective: Any,
    variables: Sequence[Any] | None = None,
    step: Any = None,
    *,
    parameters: Sequence[Any] = (),
    start: Any = None,
) -> Iteration:
    """Build ``x <- x - step * grad f(x)``.

    Parameters
    ----------
    objective : QuadraticFunction, or sympy.Expr or str
        f: a function of `piggycheck.functions`, or an expression in the variables and parameters.
    variables : sequence of n symbols or names, optional
        For an expression; a function knows its own.
    step : exact number, sympy expression in the parameters, or str
    parameters : sequence of symbols or names, and of ArrayParameters where f is a function
    start : optional
        x_0: for an expression a list or mapping of expressions in the parameters. For a function a number for all
        entries, or a vector, or a mapping from "x" to one; 0 by default.

    Returns
    -------
    Iteration
        With the variables for state; for a function they are one block ``x``.

    Raises
    ------
    InputError
        When something cannot be read, or sizes do not fit.

    Examples
    --------
    >>> gradient_descent("(x - theta)**2", ["x"], "1/4", parameters=["theta"]).map.next
    (theta/2 + x/2,)
    >>> from piggycheck.functions import quadratic
    >>> print(gradient_descent(quadratic([[2, 0], [0, 1]]), step=1).advice({}))
    gradient descent: step: `1` is outside (0, 1), where convergence is known; the bound is 2/L, and L = 2 the largest \
eigenvalue of the Hessian

    Notes
    -----
    When this fails: it converges for steps in (0, 2/L), where L is the Lipschitz constant of the gradient;
    `Iteration.advice` tells when the step is outside, for quadratic and piecewise quadratic f, and nothing is refused.
    """
    if step is None:
        raise InputError("gradient_descent needs `step`; write step = ...")
    if isinstance(objective, ProximalFunction):
        return _structured(objective, variables, step, parameters, start)
    if variables is None:
        raise InputError(
            "gradient_descent needs `variables` where the objective is an expression; write variables = ..."
        )
    variables, parameters = reading.symbols(variables), reading.symbols(parameters)
    f = reading.expression(objective, variables + parameters, "objective")
    tau = reading.expression(step, parameters, "step")
    updates = [v - tau * g for v, g in zip(variables, gradient(f, variables), strict=True)]
    return Iteration(
        SymbolicMap(variables, updates, parameters),
        reading.start_of(start, variables, {}, parameters),
        name="gradient descent",
        advisers=[StepRange(ExpressionCurvature(f, variables), tau)],
    )


def _structured(
    objective: ProximalFunction, variables: Sequence[Any] | None, step: Any, parameters: Sequence[Any], start: Any
) -> Iteration:
    require_function(objective, QuadraticFunction, "objective", "gradient; write, for instance, least_squares(A, b)")
    if variables is not None:
        raise InputError(f"variables: `{objective.name}` knows its own; leave `variables` out")
    size = common_size([(objective.name, objective.dimension)], start)
    draft = Draft("gradient descent", "x", size, parameters)
    tau, terms = draft.number(step, "step"), objective.terms(draft.naming)
    following = draft.affine("descended", [Term(sp.S.One, (), draft.block), *terms.gradient(draft.block, -tau)])
    return draft.iteration(
        following,
        start,
        functions=(objective,),
        advisers=[StepRange(TermCurvature(terms.hessian, size), tau)],
    )

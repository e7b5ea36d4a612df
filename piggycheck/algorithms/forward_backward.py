"""Forward-backward splitting: a gradient step, then a proximal one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from piggycheck.algorithms import reading
from piggycheck.algorithms.advice import ExpressionCurvature, StepRange, TermCurvature
from piggycheck.algorithms.structured import Draft, common_size, require_function
from piggycheck.errors import InputError
from piggycheck.functions import ProximalFunction, QuadraticFunction, gradient, required
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap, Term

__all__ = ["forward_backward"]


def forward_backward(
    smooth: Any,
    nonsmooth: ProximalFunction,
    variables: Sequence[Any] | None = None,
    step: Any = None,
    relaxation: Any = 1,
    *,
    parameters: Sequence[Any] = (),
    start: Any = None,
) -> Iteration:
    """Build ``x <- x + relaxation * (prox_{step g}(x - step * grad f(x)) - x)``.

    Parameters
    ----------
    smooth : QuadraticFunction, or sympy.Expr or str
        f: a function of `piggycheck.functions`, or an expression in the variables and parameters.
    nonsmooth : ProximalFunction
        g, from `piggycheck.functions`.
    variables : sequence of n symbols or names, optional
        For an expression; a function knows its own.
    step, relaxation : exact number, sympy expression in the parameters, or str
        The step is positive.
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
        When something cannot be read, sizes do not fit, or the step is not positive.

    Examples
    --------
    >>> from piggycheck.functions import l1, least_squares
    >>> forward_backward("(x - 2)**2/2", l1(1), ["x"], "1/2").map.next
    (x/2 - Max(-1/2, Min(1/2, x/2 + 1)) + 1,)
    >>> lasso = forward_backward(least_squares([[1, 2]], [3]), l1("lam"), step="1/5", parameters=["lam"])
    >>> lasso.map.dimension, lasso.advice({"lam": 1})
    (2, None)

    Notes
    -----
    Source: Combettes, Wajs, Signal recovery by proximal forward-backward splitting, 2005.

    When this fails: it converges for steps in (0, 2/L), where L is the Lipschitz constant of the gradient, and for
    relaxations in (0, 2 - step*L/2); `Iteration.advice` tells when they are outside, and nothing is refused.
    """
    require_function(nonsmooth, ProximalFunction, "nonsmooth", "proximal map; write, for instance, l1(1)")
    if step is None:
        raise InputError("forward_backward needs `step`; write step = ...")
    if isinstance(smooth, ProximalFunction):
        return _structured(smooth, nonsmooth, variables, step, relaxation, parameters, start)
    if variables is None:
        raise InputError("forward_backward needs `variables` where `smooth` is an expression; write variables = ...")
    variables, parameters = reading.symbols(variables), reading.symbols(parameters)
    f = reading.expression(smooth, variables + parameters, "smooth")
    tau = reading.expression(step, parameters, "step")
    relaxation = reading.expression(relaxation, parameters, "relaxation")
    forward = [v - tau * g for v, g in zip(variables, gradient(f, variables), strict=True)]
    backward = nonsmooth.proximal(forward, tau)
    if relaxation != 1:
        backward = [v + relaxation * (y - v) for v, y in zip(variables, backward, strict=True)]
    return Iteration(
        SymbolicMap(variables, backward, parameters),
        reading.start_of(start, variables, {}, parameters),
        name="forward-backward",
        requirements=(*nonsmooth.requirements, *required("positive", tau, where="step")),
        advisers=[StepRange(ExpressionCurvature(f, variables), tau, relaxation)],
    )


def _structured(
    smooth: ProximalFunction,
    nonsmooth: ProximalFunction,
    variables: Sequence[Any] | None,
    step: Any,
    relaxation: Any,
    parameters: Sequence[Any],
    start: Any,
) -> Iteration:
    require_function(smooth, QuadraticFunction, "smooth", "gradient; write, for instance, least_squares(A, b)")
    if variables is not None:
        raise InputError(f"variables: `{smooth.name}` knows its own; leave `variables` out")
    size = common_size([(smooth.name, smooth.dimension), (nonsmooth.name, nonsmooth.dimension)], start)
    draft = Draft("forward-backward", "x", size, parameters)
    tau, relaxation = draft.number(step, "step"), draft.number(relaxation, "relaxation")
    terms = smooth.terms(draft.naming)
    forward = draft.affine("forward", [Term(sp.S.One, (), draft.block), *terms.gradient(draft.block, -tau)])
    following = nonsmooth.proximal_node(forward, tau, draft.naming)
    if relaxation != 1:
        kept = Term(1 - relaxation, (), draft.block)
        following = draft.affine("relaxed", [kept, Term(relaxation, (), following)])
    return draft.iteration(
        following,
        start,
        functions=(smooth, nonsmooth),
        requirements=required("positive", tau, where="step"),
        advisers=[StepRange(TermCurvature(terms.hessian, size), tau, relaxation)],
    )

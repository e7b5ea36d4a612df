"""The alternating direction method of multipliers, with one vector for state."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.algorithms.advice import RelaxationRange
from piggycheck.algorithms.structured import Draft, common_size, require_function
from piggycheck.errors import InputError
from piggycheck.functions import ProximalFunction, QuadraticFunction, required
from piggycheck.functions.arguments import array, source
from piggycheck.functions.smooth_quadratic import minimiser, rescaled
from piggycheck.iteration import Iteration
from piggycheck.maps import Factor, MatrixSum, Node, Term
from piggycheck.maps.sources import Source

__all__ = ["admm"]


def admm(
    smooth: ProximalFunction,
    nonsmooth: ProximalFunction,
    operator: Any = None,
    penalty: Any = 1,
    relaxation: Any = 1,
    *,
    parameters: Sequence[Any] = (),
    start: Any = None,
) -> Iteration:
    """Build the method of multipliers for the minimum of ``f(x) + g(D x)``.

    Parameters
    ----------
    smooth : ProximalFunction
        f, from `piggycheck.functions`: quadratic, or any function where there is no operator.
    nonsmooth : ProximalFunction
        g.
    operator : m × n matrix, ArrayParameter, or `difference`, optional
        D; the identity by default.
    penalty, relaxation : exact number, sympy expression in the parameters, or str
        The penalty is positive.
    parameters : sequence of symbols, names or ArrayParameters
    start : number, vector, or mapping from "w" to one, optional
        w_0; a number stands for all entries, 0 by default.

    Returns
    -------
    Iteration
        With one block ``w = D x + u`` of m entries for state; its `output` is the next x.

    Raises
    ------
    InputError
        When something cannot be read, sizes do not fit, or the penalty is not positive.

    Examples
    --------
    >>> from piggycheck.functions import difference, l1, least_squares
    >>> y = [1, 2, 4, 4]
    >>> identity = [[int(i == j) for j in range(4)] for i in range(4)]
    >>> filtering = admm(least_squares(identity, y), l1("lam"), difference(2, 4), parameters=["lam"])
    >>> filtering.map.dimension, filtering.output.next.size
    (2, 4)

    Notes
    -----
    With the scaled dual variable u, and a relaxation a, one step is::

        x <- argmin f(x) + penalty/2 |D x - z + u|^2
        h  = a D x + (1 - a) z
        z <- prox_{g/penalty}(h + u)
        u <- u + h - z

    Both z and u are functions of ``w = h + u``, the point at which the proximal map was taken: ``z = prox(w)`` and
    ``u = w - z``. So w alone is the state. It starts at 0, as z and u do in the reference.

    Source: Boyd, Parikh, Chu, Peleato, Eckstein, Distributed optimization and statistical learning via the alternating
    direction method of multipliers, 2011, sections 3.1.1 and 3.4.3.

    When this fails: it converges for relaxations in (0, 2); `Iteration.advice` tells when one is outside, and nothing
    is refused. x is unique in each step unless f and D are both flat in some direction, which is refused.
    """
    require_function(smooth, ProximalFunction, "smooth", "proximal map; write, for instance, least_squares(A, b)")
    require_function(nonsmooth, ProximalFunction, "nonsmooth", "proximal map; write, for instance, l1(1)")
    D = None if operator is None else operator if isinstance(operator, Source) else array(operator, "operator")
    rows, columns = _sizes(smooth, nonsmooth, D, start)
    draft = Draft("ADMM", "w", rows, parameters)
    rho, relaxation = draft.number(penalty, "penalty"), draft.number(relaxation, "relaxation")
    functions, requirements = (smooth, nonsmooth), required("positive", rho, where="penalty")
    w = draft.state(*((smooth, nonsmooth) if D is None else ()))
    z = nonsmooth.proximal_node(w, 1 / rho, draft.naming)
    reflected = draft.affine("reflected", [Term(sp.Integer(2), (), z), Term(sp.S.NegativeOne, (), w)])
    rest = [Term(sp.S.One, (), w), Term(-relaxation, (), z)]
    if isinstance(smooth, QuadraticFunction):
        factors = () if D is None else (Factor(_named(D, draft)),)
        x_terms, curvature = _quadratic_step(smooth, factors, rho, reflected, columns, draft)
        x: Node = draft.affine("x", x_terms)
        moved = rescaled(x_terms, relaxation, factors)
        requirements += required("invertible", curvature, where="smooth and operator")
    else:
        if D is not None:
            raise InputError(
                f"smooth: `{smooth.name}` is not quadratic; leave `operator` out, or write least_squares(A, b)"
            )
        x = smooth.proximal_node(reflected, 1 / rho, draft.naming)
        moved = [Term(relaxation, (), x)]
    return draft.iteration(
        draft.affine("following", [*rest, *moved]),
        start,
        output=x,
        functions=functions,
        requirements=requirements,
        advisers=[RelaxationRange(relaxation)],
    )


def _sizes(smooth: ProximalFunction, nonsmooth: ProximalFunction, D: Any, start: Any) -> tuple[int, int]:
    """The numbers of rows and columns of the operator, which the functions must fit."""
    if D is None:
        size = common_size([(smooth.name, smooth.dimension), (nonsmooth.name, nonsmooth.dimension)], start)
        return size, size
    rows, columns = (D.nrows(), D.ncols()) if isinstance(D, fmpq_mat) else (D.rows, D.columns)
    common_size([("the operator", columns), (smooth.name, smooth.dimension)], start)
    return common_size([("the image of the operator", rows), (nonsmooth.name, nonsmooth.dimension)], start), columns


def _named(D: Any, draft: Draft) -> Source:
    """The operator as a source whose name is its own."""
    if not isinstance(D, Source):
        return source(D, "D", draft.naming)
    named = copy(D)
    named.name = draft.naming(D.name)
    return named


def _quadratic_step(
    smooth: QuadraticFunction,
    D: tuple[Factor, ...],
    rho: sp.Expr,
    reflected: Node,
    columns: int,
    draft: Draft,
) -> tuple[list[Term], MatrixSum]:
    """The terms of the minimiser of ``f(x) + rho/2 |D x - reflected|^2``, and the Hessian of this function."""
    terms = smooth.terms(draft.naming)
    back = tuple(Factor(factor.source, transposed=True) for factor in D)
    hessian = [*terms.hessian, Term(rho, (*back, *D))]
    right = [Term(rho, back, reflected), *rescaled(terms.linear, sp.S.NegativeOne)]
    return minimiser(hessian, right, columns, draft.naming), MatrixSum("K", hessian, columns)

"""Douglas-Rachford splitting: two proximal steps and a reflection."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sympy as sp

from piggycheck.algorithms.advice import RelaxationRange
from piggycheck.algorithms.structured import Draft, common_size, require_function
from piggycheck.functions import ProximalFunction, required
from piggycheck.iteration import Iteration
from piggycheck.maps import Term

__all__ = ["douglas_rachford"]


def douglas_rachford(
    first: ProximalFunction,
    second: ProximalFunction,
    step: Any = 1,
    relaxation: Any = 1,
    *,
    parameters: Sequence[Any] = (),
    start: Any = None,
) -> Iteration:
    """Build ``z <- z + relaxation * (prox_{step g}(2 x - z) - x)`` with ``x = prox_{step f}(z)``.

    Parameters
    ----------
    first, second : ProximalFunction
        f and g, from `piggycheck.functions`.
    step, relaxation : exact number, sympy expression in the parameters, or str
        The step is positive.
    parameters : sequence of symbols, names or ArrayParameters
    start : number, vector, or mapping from "z" to one, optional
        z_0; a number stands for all entries, 0 by default.

    Returns
    -------
    Iteration
        With one block ``z`` for state. Its `output` is x, which converges to a minimiser of f + g.

    Raises
    ------
    InputError
        When something cannot be read, sizes do not fit, or the step is not positive.

    Examples
    --------
    >>> from piggycheck.functions import l1, least_squares
    >>> splitting = douglas_rachford(least_squares([[1, 2]], [3]), l1(1))
    >>> splitting.map.dimension, splitting.output.next.name
    (2, 'proximal')

    Notes
    -----
    Where f or g is a function of symmetric matrices, and the proximal maps of both keep matrices symmetric, the
    symmetric part of z takes the place of z, so that an antisymmetric part of the start vanishes in one step.

    Source: Lions, Mercier, Splitting algorithms for the sum of two nonlinear operators, 1979; in this form Bauschke,
    Combettes, Convex Analysis and Monotone Operator Theory in Hilbert Spaces, 2017, Corollary 28.3.

    When this fails: it converges for relaxations in (0, 2); `Iteration.advice` tells when one is outside, and nothing
    is refused. The order of f and g matters for z, and for the derivatives along the iterations.
    """
    for function, where in ((first, "first"), (second, "second")):
        require_function(function, ProximalFunction, where, "proximal map; write, for instance, l1(1)")
    size = common_size([(first.name, first.dimension), (second.name, second.dimension)], start)
    draft = Draft("Douglas-Rachford", "z", size, parameters)
    tau, relaxation = draft.number(step, "step"), draft.number(relaxation, "relaxation")
    z = draft.state(first, second)
    x = first.proximal_node(z, tau, draft.naming)
    reflected = draft.affine("reflected", [Term(sp.Integer(2), (), x), Term(sp.S.NegativeOne, (), z)])
    y = second.proximal_node(reflected, tau, draft.naming)
    following = draft.affine("following", [Term(sp.S.One, (), z), Term(relaxation, (), y), Term(-relaxation, (), x)])
    return draft.iteration(
        following,
        start,
        output=x,
        functions=(first, second),
        requirements=required("positive", tau, where="step"),
        advisers=[RelaxationRange(relaxation)],
    )

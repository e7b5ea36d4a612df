"""Gradients of piecewise smooth objectives, as piecewise expressions."""

from __future__ import annotations

from collections.abc import Sequence

import sympy as sp

from piggycheck.maps.switch import Switch, as_piecewise, hoist, translate

__all__ = ["gradient"]


def gradient(objective: sp.Expr, variables: Sequence[sp.Symbol]) -> list[sp.Expr]:
    """Differentiate an objective piece by piece.

    Parameters
    ----------
    objective : sympy.Expr
        Possibly with ``Piecewise``, ``Abs``, ``Max``, ``Min``, ``sign``.
    variables : sequence of n symbols

    Returns
    -------
    list of n sympy.Expr
        On each piece, the partial derivative of the smooth expression that the objective is there.

    Raises
    ------
    MapError
        When one term of the objective has more than 1024 pieces.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> gradient(sp.Piecewise((x**2 / 2, x >= 0), (x**2 / 8, True)), [x])
    [Piecewise((x, x >= 0), (x/4, True))]

    Notes
    -----
    The terms of a sum are differentiated one by one, so a sum of many kinks stays small.

    When this fails: for an objective that is not continuously differentiable this is the gradient only inside the
    pieces, and the map built from it is discontinuous; the claim `continuous` finds that out.
    """
    program = translate(objective, {})
    terms = [hoist(term) for term in sp.Add.make_args(program)]
    return [as_piecewise(sp.Add(*(_partial(term, v) for term in terms))) for v in variables]


def _partial(hoisted: sp.Expr, variable: sp.Symbol) -> sp.Expr:
    if isinstance(hoisted, Switch):
        guard, *branches = hoisted.args
        return Switch(guard, *(_partial(branch, variable) for branch in branches))
    return sp.diff(hoisted, variable)

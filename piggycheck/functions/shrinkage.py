"""Soft-thresholding, which the proximal maps of several norms are made of."""

from __future__ import annotations

from functools import cache

import sympy as sp

from piggycheck.maps import ScalarFunction

__all__ = ["shrink", "soft_threshold"]


def shrink(v: sp.Expr, threshold: sp.Expr) -> sp.Expr:
    """Return ``v`` minus its projection on ``[-threshold, threshold]``, which is continuous in both together.

    Examples
    --------
    >>> shrink(sp.Integer(3), sp.Integer(2)), shrink(sp.Integer(-1), sp.Integer(2))
    (1, 0)
    """
    return v - sp.Max(-threshold, sp.Min(threshold, v))


@cache
def soft_threshold() -> ScalarFunction:
    """Return `shrink` as a function of a point and a threshold."""
    v, t = sp.symbols("v t", real=True)
    return ScalarFunction(shrink(v, t), v, [t])

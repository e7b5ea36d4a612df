"""Affine nodes: what their derivatives enclose when the state is known up to a distance."""

from __future__ import annotations

import sympy as sp
from flint import arb, arb_mat

from piggycheck.arrays import BallArrays, Enclosed
from piggycheck.maps import Affine, StateBlock, StructuredMap, Term

THETA = sp.Symbol("theta", real=True)


def test_the_derivative_in_a_factor_covers_every_state_within_reach():
    """The derivative of ``theta x`` in theta is x, so it is uncertain by what x is uncertain by."""
    x = StateBlock("x", 1)
    bound = StructuredMap([x], Affine("y", [Term(THETA, (), x)]), [THETA]).bind({"theta": "1/2"}, BallArrays(64))
    moment = bound(Enclosed(arb_mat([[1]]), arb("0.25")))
    tangent = moment.forward(None, bound.directions(), moment.signature)
    assert bool(tangent.spread >= arb("0.25")) and bool(tangent.spread < arb("0.2500001"))
    assert tangent.centre[0, 0] == 1
    cotangents = moment.backward(Enclosed(arb_mat([[1]])), moment.signature)[1]
    assert cotangents.scalars[THETA].contains(arb("1.25")) and cotangents.scalars[THETA].contains(arb("0.75"))

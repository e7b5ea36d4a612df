"""Nothing false is proved of layers that are called what they are not, or that jump."""

from __future__ import annotations

import pytest
import sympy as sp
from certificate_helper import proved, undecided
from flint import fmpq_mat

from piggycheck.claims import Converged, Converges, Derivative
from piggycheck.iteration import Iteration
from piggycheck.maps import Affine, ConstantVector, Elementwise, ScalarFunction, StateBlock, StructuredMap, Term

V = sp.Symbol("v", real=True)
AT = {"theta": "1/10"}


def layered(text, *, proximal):
    """The iteration ``x <- phi(x/2 + theta)`` of two equal coordinates, from 20."""
    x, theta = StateBlock("x", 2), sp.Symbol("theta", real=True)
    ones = ConstantVector("ones", fmpq_mat([[1], [1]]))
    u = Affine("u", [Term(sp.Rational(1, 2), (), x), Term(theta, (), ones)])
    function = ScalarFunction(sp.sympify(text, {"v": V}), V)
    return Iteration(StructuredMap([x], Elementwise("y", function, u, proximal=proximal), [theta]), [20, 20])


@pytest.mark.parametrize("claim", [Converges(), Converged(20, "1/1000")])
@pytest.mark.parametrize("text", ["3*Max(v, 1) - 3 + v/2", "3 - 3*Max(v, 1) + v/2"])
def test_a_steep_layer_that_is_called_proximal_is_not_believed(text, claim):
    undecided(claim, layered(text, proximal=True), AT)


def test_what_a_layer_does_far_from_a_fixed_point_does_not_matter_there():
    """Near 1/15 the layer is v/2, so X = X/4 + 1/2 whatever the layer is called."""
    verdict = proved(Derivative(), layered("3 - 3*Max(v, 1) + v/2", proximal=True), AT)
    assert ["0.6666666"] * 2 == [entry[:9] for (entry,) in verdict.value["matrix"]]


@pytest.mark.parametrize("proximal", [True, False])
@pytest.mark.parametrize("text", ["v/2 + 3*sign(v - 2)", "Piecewise((v/2, v < 2), (v/2 + 5, True))"])
def test_a_layer_that_jumps_has_no_lipschitz_constant(text, proximal):
    """From 20 the iterates converge to another fixed point than the one that is found."""
    undecided(Converges(), layered(text, proximal=proximal), AT)


def test_a_layer_that_is_proximal_is_believed():
    proved(Converges(), layered("v - Max(-1, Min(1, v))", proximal=True), AT)

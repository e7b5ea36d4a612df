"""The description of a structured map says what the map is: another evaluator gets the same values from it."""

import re

import numpy as np
import pytest
import sympy as sp
from flint import fmpq_mat
from layers_reader import Reader
from structured_cases import STRUCTURED, structured

from piggycheck.arrays import FLOAT64, Enclosed
from piggycheck.errors import UnknownError
from piggycheck.layered_text import describe
from piggycheck.maps import (
    Affine,
    ArrayParameter,
    Constant,
    Elementwise,
    Factor,
    Scalar,
    ScalarFunction,
    Stack,
    StateBlock,
    StructuredMap,
    Term,
)


@pytest.mark.parametrize("name", STRUCTURED)
def test_the_description_of_a_catalogue_algorithm_evaluates_to_the_map(name):
    iteration, at = structured(name)
    map_ = iteration.map
    reader, bound = Reader(describe(map_, map_.parameter_values(at))), map_.bind(at, FLOAT64)
    for seed in range(5):
        x = 3 * np.random.default_rng(seed).normal(size=(map_.dimension, 1))
        assert reader.step(x.ravel()) == pytest.approx(bound(Enclosed(x)).value.centre.ravel())


def by_hand():
    """Two blocks, a matrix parameter, nodes and arguments whose names collide with others or are no identifiers."""
    v, t, w = sp.symbols("v t w", real=True)
    x, z, M, lam = StateBlock("x", 2), StateBlock("z", 1), ArrayParameter("M", 1, 2), sp.Symbol("t", real=True)
    first = Affine("u v", [Term(lam, (Factor(Constant("M", fmpq_mat([[1, 2], [3, 4]]))),), x)])
    second = Affine("u", [Term(sp.S.One, (Factor(Constant("M", fmpq_mat([[1, 1]]))),), first), Term(-lam, (), z)])
    both = Stack("max", [first, second])
    absolute = ScalarFunction(w * sp.Abs(v) / 3 - sp.Max(t, v), v, [w, t])
    return StructuredMap([x, z], Elementwise("u", absolute, both, [Scalar(lam**2), Scalar(2)]), [lam, M])


def test_names_that_collide_are_changed_and_every_number_is_text():
    map_ = by_hand()
    at = map_.parameter_values({"t": "1/3", "M": [[5, 7]]})
    layers = describe(map_, at)
    names = [*(n["name"] for n in layers["nodes"]), *layers["matrices"], *layers["vectors"], *layers["at"], "x", "z"]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[A-Za-z]\w*", name) for name in names)
    assert layers["parameters"] == [["t", "1"], ["M", "1", "2"]] and layers["at"]["M"] == [["5", "7"]]
    x = np.array([[1.0], [-2.0], [0.5]])
    assert Reader(layers).step(x.ravel()) == pytest.approx(map_.bind(at, FLOAT64)(Enclosed(x)).value.centre.ravel())


def test_an_irrational_parameter_has_no_place_in_a_certificate():
    x, theta = StateBlock("x", 1), sp.Symbol("theta", real=True)
    map_ = StructuredMap([x], Affine("y", [Term(theta / 2, (), x)]), [theta])
    with pytest.raises(UnknownError, match="the parameter theta"):
        describe(map_, map_.parameter_values({"theta": sp.sqrt(2) / 2}))

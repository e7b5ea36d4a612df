"""Rows of the derivative against tangents of all unit vectors, over three arithmetics."""

from __future__ import annotations

import pytest
from flint import arb_mat, fmpq, fmpq_mat
from hypothesis import given
from layer_strategies import RATIONAL, instances
from strategies import examples
from structured_cases import STRUCTURED, structured

from piggycheck.arrays import EXACT, FLOAT64, BallArrays, Enclosed
from piggycheck.enclosures.jacobian import derivative_block, derivative_rows
from piggycheck.errors import MapError, UnknownError


def whole(rows, p, arrays):
    """The derivative with its zero rows."""
    entries, zero = arrays.entries(rows.matrix), [arrays.number(fmpq(0))] * p
    found = {i: entries[k * p : (k + 1) * p] for k, i in enumerate(rows.kept)}
    return arrays.assemble(p, p, [e for i in range(p) for e in found.get(i, zero)])


@examples(30)
@given(instances(kinds=("affine", "elementwise", "stack"), texts=RATIONAL))
def test_rows_are_those_of_the_tangents_of_unit_vectors_exactly(instance):
    bound = instance.map.bind(instance.at, EXACT)
    moment, p = bound(Enclosed(instance.x)), instance.map.dimension
    A = moment.forward(Enclosed(EXACT.identity(p)), None, moment.signature).centre
    rows = derivative_rows(moment, moment.signature)
    assert whole(rows, p, EXACT) == A
    block = derivative_block(moment, moment.signature)
    assert block.kept == rows.kept
    assert block.matrix.tolist() == [[A[i, j] for j in rows.kept] for i in rows.kept]


@examples(25)
@given(instances())
def test_over_balls_rows_enclose_the_tangents_of_unit_vectors(instance):
    arrays = BallArrays(128)
    bound, p = instance.map.bind(instance.at, arrays), instance.map.dimension
    try:
        moment = bound(Enclosed(arrays.matrix(instance.x).mid()))
        signature = moment.signature
        A = moment.forward(Enclosed(arrays.identity(p)), None, signature)
    except (MapError, UnknownError):
        return
    found = whole(derivative_rows(moment, signature), p, arrays)
    with arrays.precision():
        assert all(
            a.overlaps(b) for a, b in zip(found.entries(), arrays.reaching(A.centre, A.spread).entries(), strict=True)
        )


@pytest.mark.parametrize("name", sorted(STRUCTURED))
def test_floats_and_balls_agree(name):
    iteration, at = structured(name)
    x = fmpq_mat(iteration.map.dimension, 1, [fmpq(k % 5 - 2, 3) for k in range(iteration.map.dimension)])
    found = []
    for arrays in (FLOAT64, BallArrays(128)):
        moment = iteration.map.bind(at, arrays)(Enclosed(arrays.matrix(x)))
        try:
            found.append(derivative_rows(moment, moment.signature))
        except UnknownError:
            return
    assert found[0].kept == found[1].kept
    differences = found[1].matrix - arb_mat(*found[0].matrix.shape, found[0].matrix.ravel().tolist())
    assert all(abs(float(e)) < 1e-12 for e in differences.entries())


def test_rows_that_a_threshold_kills_are_left_out():
    iteration, at = structured("diagonal lasso")
    moment = iteration.map.bind(at, BallArrays(64))(Enclosed(arb_mat([[1], [0]])))
    assert derivative_rows(moment, moment.signature).kept == (0,)
    assert derivative_block(moment, moment.signature).matrix.nrows() == 1

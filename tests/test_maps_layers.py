"""Random compositions of layers: every arithmetic, forward and in reverse, agrees with the others."""

from __future__ import annotations

import mpmath
from flint import arb, fmpq, fmpq_mat
from hypothesis import assume, given
from hypothesis import strategies as st
from layer_strategies import RATIONAL, instances
from strategies import examples

from piggycheck.arrays import EXACT, FLOAT64, BallArrays, Enclosed, MpmathArrays
from piggycheck.errors import MapError, UnknownError

MP = MpmathArrays(60)
SLACK = arb(10) ** -50


def moved(arrays, instance, x=None, reach=0):
    """Value, derivative along the tangents and directions, signature, and derivative in reverse."""
    bound = instance.map.bind(instance.at, arrays)
    x = arrays.matrix(instance.x if x is None else x)
    moment = bound(arrays.enclosed(x, reach))
    signature = moment.signature
    T = arrays.enclosed(arrays.matrix(instance.tangent))
    forward = moment.forward(T, bound.directions(instance.moving), signature)
    back, sink = moment.backward(arrays.enclosed(arrays.matrix(instance.cotangent)), signature)
    return moment, signature, forward, back, sink


def balls(arrays, M):
    """A matrix of mpmath numbers, exactly, as balls."""
    return BallArrays(400).matrix(arrays.exactly(M))


def contains(enclosed, true):
    return bool(BallArrays(400).length(enclosed.centre - true) <= enclosed.spread + SLACK)


def decided(compute, *arguments, **more):
    """What a function returns; examples at which a sign is not decided or something is undefined do not count."""
    try:
        return compute(*arguments, **more)
    except (UnknownError, MapError):
        assume(False)


@examples(60)
@given(instances())
def test_balls_contain_what_60_digits_give(instance):
    moment, signature, forward, back, sink = decided(moved, BallArrays(128), instance)
    true, same, T, w, received = decided(moved, MP, instance)
    assert same == signature
    assert contains(moment.value, balls(MP, true.value.centre))
    assert contains(forward, balls(MP, T.centre))
    assert contains(back, balls(MP, w.centre))
    for name, part in received.matrices.items():
        assert all(
            abs(a - b.mid()) <= b.rad() + SLACK
            for a, b in zip(balls(MP, part).entries(), sink.matrices[name].entries(), strict=True)
        )
    for symbol, number in received.scalars.items():
        ball = sink.scalars[symbol]
        assert abs(balls(MP, MP.assemble(1, 1, [number]))[0, 0] - ball.mid()) <= ball.rad() + SLACK


@examples(60)
@given(instances(), st.data())
def test_balls_contain_what_points_within_reach_give(instance, data):
    """A state known up to a distance: every state within it has its value, derivative and signature enclosed."""
    size = instance.x.nrows()
    direction = fmpq_mat(size, 1, [data.draw(st.integers(-9, 9)) for _ in range(size)])
    reach = fmpq(1, 10 ** data.draw(st.sampled_from([2, 4, 20])))
    scale = reach / (sum(abs(e) for e in direction.entries()) + 1)
    moment, signature, forward, back, _ = decided(moved, BallArrays(128), instance, reach=arb(reach))
    true, same, T, w, _ = decided(moved, MP, instance, x=instance.x + direction * scale)
    assert same == signature
    assert contains(moment.value, balls(MP, true.value.centre))
    assert contains(forward, balls(MP, T.centre))
    assert contains(back, balls(MP, w.centre))


@examples(40)
@given(instances(), st.data())
def test_uncertain_tangents_and_cotangents_stay_enclosed(instance, data):
    arrays, spread = BallArrays(128), fmpq(1, 1000)
    moment, signature, *_ = decided(moved, arrays, instance)
    bound, true = moment.bound, instance.map.bind(instance.at, MP)
    size = instance.x.nrows()
    error = fmpq_mat(size, 1, [data.draw(st.integers(-9, 9)) for _ in range(size)])
    error *= spread / (sum(abs(e) for e in error.entries()) + 1)
    at = true(Enclosed(MP.matrix(instance.x)))
    w = arrays.enclosed(arrays.matrix(instance.cotangent), arb(spread))
    back, sink = decided(moment.backward, w, signature)
    exactly, received = decided(at.backward, Enclosed(MP.matrix(instance.cotangent + error)), signature)
    assert contains(back, balls(MP, exactly.centre))
    for name, part in received.matrices.items():
        pairs = zip(balls(MP, part).entries(), sink.matrices[name].entries(), strict=True)
        assert all(abs(a - b.mid()) <= b.rad() + SLACK for a, b in pairs)
    twice = fmpq_mat([[e, e] for e in error.entries()]) / 2
    T = arrays.enclosed(arrays.matrix(instance.tangent), arb(spread))
    forward = moment.forward(T, bound.directions(instance.moving), signature)
    carried = at.forward(Enclosed(MP.matrix(instance.tangent + twice)), true.directions(instance.moving), signature)
    assert contains(forward, balls(MP, carried.centre))


def inner(A, B):
    return sum((a * b for a, b in zip(A, B, strict=True)), start=0)


@examples(60)
@given(instances(texts=RATIONAL, kinds=("affine", "elementwise", "stack")))
def test_the_reverse_is_the_transpose_of_the_forward_derivative_exactly(instance):
    _, _, forward, back, sink = decided(moved, EXACT, instance)
    for j in range(2):
        expected = inner(instance.cotangent.entries(), [forward.centre[i, j] for i in range(instance.x.nrows())])
        assert expected == paired(instance, j, back, sink)


@examples(40)
@given(instances())
def test_the_reverse_is_the_transpose_of_the_forward_derivative(instance):
    _, _, forward, back, sink = decided(moved, MP, instance)
    w = MP.entries(MP.matrix(instance.cotangent))
    for j in range(2):
        expected = inner(w, [row[j] for row in MP.rows(forward.centre)])
        assert abs(expected - paired(instance, j, back, sink, MP)) < mpmath.mpf(10) ** -50


def paired(instance, j, back, sink, arrays=EXACT):
    """The cotangents of state and parameters, applied to the tangents with which they move."""
    column = arrays.matrix(fmpq_mat([[instance.tangent[i, j]] for i in range(instance.x.nrows())]))
    total = inner(arrays.entries(back.centre), arrays.entries(column))
    for symbol, number in sink.scalars.items():
        total += number * instance.moving[str(symbol)][j]
    for name, part in sink.matrices.items():
        M = instance.moving[name]
        direction = arrays.matrix(fmpq_mat([[M[i, j]] for i in range(M.nrows())]))
        total += inner(arrays.entries(part), arrays.entries(direction))
    return total


@examples(40)
@given(instances())
def test_the_derivative_is_the_limit_of_differences(instance):
    """Central differences of the value with 60 digits: each half as large a step makes the error four times less."""
    _, signature, forward, *_ = decided(moved, MP, instance)
    step = fmpq(1, 10**20)
    for j in range(2):
        ends = [decided(shifted, instance, j, sign * step) for sign in (1, -1)]
        assume(all(seen == signature for _, seen in ends))
        ahead, behind = (MP.entries(value) for value, _ in ends)
        scale = MP.scalars.context.mpf(2) / 10**20
        largest = 1 + max(abs(e) for e in ahead)
        for a, b, row in zip(ahead, behind, MP.rows(forward.centre), strict=True):
            assert abs((a - b) / scale - row[j]) < mpmath.mpf(10) ** -28 * largest


def shifted(instance, j, step):
    """Value and signature where state and parameters have moved by a step in direction j."""
    at = {}
    for p in instance.map.declared:
        name, value = p.name, instance.at[p.name]
        M = instance.moving[name]
        if name == "lam":
            at[p] = fmpq(*map(int, (value + "/1").split("/")[:2])) + step * M[j]
            at[p] = f"{at[p].p}/{at[p].q}"
        else:
            rows, columns = value.nrows(), value.ncols()
            change = fmpq_mat(rows, columns, [M[i, j] * step for i in range(M.nrows())])
            at[p] = value + change
    x = instance.x + fmpq_mat([[instance.tangent[i, j] * step] for i in range(instance.x.nrows())])
    moment = instance.map.bind(at, MP)(Enclosed(MP.matrix(x)))
    return moment.value.centre, moment.signature


@examples(40)
@given(instances())
def test_double_precision_agrees_to_nine_digits(instance):
    rough, _, forward, *_ = decided(moved, FLOAT64, instance)
    true, _, exactly, *_ = decided(moved, MP, instance)
    pairs = [(rough.value, true.value), (forward, exactly)]
    for found, expected in pairs:
        scale = 1 + max(abs(e) for e in MP.entries(expected.centre))
        for a, b in zip(FLOAT64.entries(found.centre), MP.entries(expected.centre), strict=True):
            assert abs(a - b) < 1e-9 * scale

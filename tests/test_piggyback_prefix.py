"""The parallel prefix: exactly the recursion in order, on threads and on processes, however the work is cut."""

from __future__ import annotations

from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from piggycheck.algorithms import heavy_ball
from piggycheck.arrays import EXACT, FLOAT64, BallArrays
from piggycheck.piggyback import RepeatedWord, derivatives_along, pairs_along, prefix, propagate

entries = st.builds(fmpq, st.integers(-9, 9), st.integers(1, 7))


@pytest.fixture(scope="module")
def threads():
    with ThreadPoolExecutor(3) as executor:
        yield executor


def some(count, p, q):
    """Pairs in general position."""
    return [
        (
            fmpq_mat(p, p, [fmpq((7 * i + 3 * k * k) % 11 - 5, 4) for i in range(p * p)]),
            fmpq_mat(p, q, [fmpq((5 * i + k) % 7 - 3, 3) for i in range(p * q)]),
        )
        for k in range(count)
    ]


@st.composite
def pairs(draw):
    p, q, count = draw(st.integers(1, 3)), draw(st.integers(0, 3)), draw(st.integers(0, 12))

    def matrix(columns):
        return fmpq_mat(p, columns, draw(st.lists(entries, min_size=p * columns, max_size=p * columns)))

    return [(matrix(p), matrix(q)) for _ in range(count)], matrix(q)


@examples(40)
@given(pairs(), st.integers(1, 6))
def test_the_recursion_is_the_same_in_parallel(threads, problem, workers):
    along, J = problem
    expected, last = [], J
    for A, B in along:
        last = A * last + B
        expected.append(last)
    assert expected == derivatives_along(along, J)
    assert expected == derivatives_along(along, J, threads, workers=workers)
    for executor in (None, threads):
        assert expected == [A * J + B for A, B in prefix(along, executor, workers=workers)]


def test_processes_hand_exact_numbers_and_balls_to_each_other():
    along, J, balls = some(9, 2, 3), fmpq_mat(2, 3), BallArrays(80)
    expected = derivatives_along(along, J)
    uncertain = [(balls.matrix(A), balls.matrix(B)) for A, B in along]
    with ProcessPoolExecutor(2) as processes:
        assert expected == derivatives_along(along, J, processes, workers=2)
        assert prefix(along) == prefix(along, processes, workers=2)
        for J, exact in zip(
            derivatives_along(uncertain, balls.zeros(2, 3), processes, arithmetic=balls, workers=2),
            expected,
            strict=True,
        ):
            assert J.contains(exact)


def test_in_double_precision_it_is_near(threads):
    along = some(20, 3, 4)
    rounded = [(FLOAT64.matrix(A) / 8, FLOAT64.matrix(B)) for A, B in along]
    exact = derivatives_along([(A / 8, B) for A, B in along], fmpq_mat(3, 4))
    found = derivatives_along(rounded, FLOAT64.zeros(3, 4), threads, arithmetic=FLOAT64, workers=3)
    for a, b in zip(exact, found, strict=True):
        assert FLOAT64.matrix(a) == pytest.approx(b)


def test_along_a_trajectory_it_is_what_is_propagated(threads):
    """The pairs are those that the policy picks at ties."""
    f = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
    iteration = heavy_ball(f, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])
    word, at = RepeatedWord((0, 1, 1)), {"theta": 0}
    steps = propagate(iteration, 10, at, policy=word)
    along = pairs_along(iteration, 10, at, policy=word)
    expected = [step.J.centre for step in steps[1:]]
    assert expected == derivatives_along(along, steps[0].J.centre, threads, arithmetic=EXACT, workers=2)

"""The hull of piggyback sets of numbers: known intervals, the equations that define it, words that attain its ends."""

from __future__ import annotations

import random

import pytest
from flint import fmpq, fmpq_mat
from limit_set_systems import scalars

from piggycheck.errors import InputError, NoLimitSetError, UnknownError
from piggycheck.limits import hull_interval
from piggycheck.switched import SwitchedSystem


@pytest.mark.parametrize(
    "lower, upper, pairs",
    [
        ("-2/3", "4/3", [("-1/2", 0), ("-1/2", 1)]),
        (0, 1, [("1/2", 0), ("1/2", "1/2")]),
        (0, 1, [("1/3", 0), ("1/3", "2/3")]),
        (2, 2, [("1/2", 1)]),
        ("2/3", "2/3", [("-1/2", 1)]),
        (3, 7, [(0, 3), (0, 7), (0, 5)]),
        (2, 2, [("1/2", 1), ("-1/2", 3)]),
        (2, 2, [("1/2", 1), ("1/2", 1)]),
        # the upper end is where 0 -> 1 goes: 1 is no fixed point of a word, and 0 is that of the letter 0
        (0, 1, [("1/2", 0), ("-9/10", 1)]),
        (-(10**300), 10**300, [(0, 10**300), (0, -(10**300))]),
    ],
)
def test_intervals_worked_out_by_hand(lower, upper, pairs):
    hull = hull_interval(scalars(*pairs))
    assert (fmpq_mat([[hull.lower]]), fmpq_mat([[hull.upper]])) == tuple(
        SwitchedSystem.from_rows([[[0]]], [[[end]]]).B[0] for end in (lower, upper)
    )


def test_an_end_can_be_attained_by_an_eventually_periodic_word_alone():
    system = scalars(("1/2", 0), ("-9/10", 1))
    upper = hull_interval(system).upper_point
    assert ((0,), (1,)) == (upper.word, upper.then)
    assert fmpq_mat([[1]]) == upper.value(system)


def random_system(generator):
    count = generator.randint(1, 5)
    pairs = [
        (fmpq(generator.randint(-9, 9), 10), fmpq(generator.randint(-9, 9), generator.randint(1, 9)))
        for _ in range(count)
    ]
    return pairs, scalars(*pairs)


@pytest.mark.parametrize("seed", range(60))
def test_both_ends_are_attained_and_satisfy_their_equations(seed):
    """The equations have one solution, because they contract; and the fixed points of words are in the interval."""
    pairs, system = random_system(random.Random(seed))
    hull = hull_interval(system)
    images = [a * end + b for a, b in pairs for end in (hull.lower, hull.upper)]
    assert (min(images), max(images)) == (hull.lower, hull.upper)
    for end, point in ((hull.lower, hull.lower_point), (hull.upper, hull.upper_point)):
        A, B = system.product(point.word)
        assert point.matrix == A * point.matrix + B
        assert fmpq_mat([[end]]) == point.value(system)


@pytest.mark.parametrize("seed", range(20))
def test_iterated_intervals_converge_to_the_hull(seed):
    """A second implementation: images of an interval in floating point."""
    pairs, system = random_system(random.Random(1000 + seed))
    low = high = 0.0
    for _ in range(400):
        images = [float(a) * end + float(b) for a, b in pairs for end in (low, high)]
        low, high = min(images), max(images)
    hull = hull_interval(system)
    assert (pytest.approx(low), pytest.approx(high)) == (float(hull.lower), float(hull.upper))


def test_matrices_without_a_hull_interval_are_refused():
    with pytest.raises(InputError, match="of shape 2 by 1, and the hull is an interval for numbers only"):
        hull_interval(SwitchedSystem.from_rows([[[0, 0], [0, 0]]]))
    with pytest.raises(NoLimitSetError, match="at least 1, by the word 1"):
        hull_interval(scalars(("1/2", 0), (-1, 1)))
    with pytest.raises(UnknownError, match="a graph"):
        hull_interval(SwitchedSystem.from_rows([[["1/2"]]], graph=[[0, 0, 0]]))
    with pytest.raises(UnknownError, match="intervals"):
        hull_interval(SwitchedSystem.from_rows([[[["1/3", "1/2"]]]]))

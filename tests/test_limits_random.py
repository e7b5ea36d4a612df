"""Random contracting systems, by the hundred: what is certified about their limit sets, against random words."""

from __future__ import annotations

import random
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from flint import fmpq, fmpq_mat

from piggycheck.errors import NoLimitSetError
from piggycheck.limits import (
    Inside,
    Outside,
    approximate,
    contracting,
    implicit_points,
    inner_product,
    membership,
    outer_box,
    support,
    word_fixed_point,
)
from piggycheck.limits.scaled import floats
from piggycheck.linalg import as_float
from piggycheck.switched import SwitchedSystem

SCALARS, PLANES = 140, 60
WORDS, LENGTH = 40, 30


def random_system(seed):
    """Two or three pairs: numbers of at most 17/20, or matrices with rows of sum below 4/5, some of them singular."""
    chance = random.Random(seed)
    scalar = seed < SCALARS
    p, m = (1, 1) if scalar else (2, chance.choice([1, 1, 2]))
    top = 17 if scalar else 8
    count = chance.choice([1, 2, 2, 3, 3])
    A = [[[Fraction(chance.randint(-top, top), 20) for _ in range(p)] for _ in range(p)] for _ in range(count)]
    B = [[[Fraction(chance.randint(-10, 10), 5) for _ in range(m)] for _ in range(p)] for _ in range(count)]
    return SwitchedSystem.from_rows(A, B), chance


CONTRACTIONS = {}


def contraction_of(seed):
    if seed not in CONTRACTIONS:
        CONTRACTIONS[seed] = contracting(random_system(seed)[0])
    return CONTRACTIONS[seed]


def reached(system, chance):
    """Points of the set: images of the fixed point of a pair under random words."""
    X = word_fixed_point(system, (0,))
    found = [X]
    for _ in range(WORDS):
        A, B = system.product([chance.randrange(len(system)) for _ in range(chance.randrange(LENGTH))])
        found.append(A * X + B)
    return found


def distance_to(points, X):
    """The distance of each X to the nearest of the points."""
    away = points[None] - floats(X)[:, None]
    return np.sqrt((away**2).sum(axis=(2, 3))).min(axis=1)


@pytest.mark.parametrize("block", range(0, SCALARS + PLANES, 20))
def test_random_words_lie_within_the_certified_radius(block):
    for seed in range(block, block + 20):
        system, chance = random_system(seed)
        contraction = contraction_of(seed)
        size = max(as_float(contraction.radius), 0.01)
        found = approximate(contraction, fmpq(round(size * 1000), 10000), budget=10_000)
        assert distance_to(found.points, reached(system, chance)).max() <= found.radius


@pytest.mark.parametrize("block", range(0, SCALARS + PLANES, 20))
def test_implicit_points_belong_to_the_piggyback_set_and_to_its_box(block):
    for seed in range(block, block + 20, 2):
        system, chance = random_system(seed)
        contraction = contraction_of(seed)
        box = outer_box(contraction, tolerance=max(contraction.radius / 10, fmpq(1, 100)))
        for X in implicit_points(system):
            answer = membership(contraction, X)
            assert isinstance(answer, Inside) and len(answer.point.word) == 1 and answer.point.then == ()
            assert answer.point.matrix == X
        for X in reached(system, chance):
            inside = zip(box.lower.entries(), X.entries(), box.upper.entries(), strict=True)
            assert all(low <= entry <= high for low, entry, high in inside)


@pytest.mark.parametrize("block", range(0, SCALARS + PLANES, 20))
def test_bounds_enclose_the_maxima_over_words(block):
    """The upper bound is above every fixed point of a short word; the lower one is attained."""
    for seed in range(block, block + 20, 4):
        system, chance = random_system(seed)
        contraction = contraction_of(seed)
        shape = (system.dimension, system.columns)
        C = fmpq_mat(*shape, [chance.randint(-3, 3) for _ in range(shape[0] * shape[1])])
        gap = max(contraction.radius / 5, fmpq(1, 100))
        bound = support(contraction, C, tolerance=gap)
        words = (word for length in (1, 2, 3, 4) for word in product(range(len(system)), repeat=length))
        largest = max(inner_product(C, word_fixed_point(system, word)) for word in words)
        assert largest <= bound.upper <= bound.lower + gap
        assert bound.lower == inner_product(C, bound.point.value(system))


@pytest.mark.parametrize("block", range(0, SCALARS + PLANES, 20))
def test_membership_agrees_with_the_approximation(block):
    """What is farther from all points than their radius is not proved in, and what words reach is not proved out."""
    for seed in range(block, block + 20, 2):
        system, chance = random_system(seed)
        contraction = contraction_of(seed)
        found = approximate(contraction, max(contraction.radius / 20, fmpq(1, 1000)), budget=5_000)
        inside = reached(system, chance)[:3]
        for X in inside:
            assert not isinstance(membership(contraction, X, budget=200), Outside)
            assert not isinstance(membership(contraction, X, hull=True, budget=200), Outside)
        reach = round(as_float(contraction.radius) * 200) + 1
        for _ in range(3):
            offset = [fmpq(chance.randint(-reach, reach), 100) for _ in contraction.centre.entries()]
            X = contraction.centre + fmpq_mat(system.dimension, system.columns, offset)
            answer = membership(contraction, X, budget=200)
            if distance_to(found.points, [X])[0] > found.radius:
                assert not isinstance(answer, Inside)
            if isinstance(answer, Outside):
                assert all(X != Y for Y in inside)


def test_a_random_system_that_does_not_contract_is_refused_with_its_word():
    chance = random.Random(1)
    for _ in range(10):
        rows = [
            [[Fraction(chance.randint(-5, 5), 20)]],
            [[Fraction(chance.choice([-1, 1]) * chance.randint(20, 40), 20)]],
        ]
        with pytest.raises(NoLimitSetError, match="by the word 1$"):
            contracting(SwitchedSystem.from_rows(rows))

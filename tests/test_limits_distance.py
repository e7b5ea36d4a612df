"""Distances to piggyback sets: by hand, and against many random words."""

from __future__ import annotations

import random

import numpy as np
import pytest
from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError
from piggycheck.limits import Outside, contracting, distance_to_set, membership
from piggycheck.switched import SwitchedSystem

CANTOR = contracting(SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]]))
TWISTED = contracting(
    SwitchedSystem.from_rows(
        [[["1/2", "-1/3"], ["1/3", "1/2"]], [["1/4", 0], ["1/5", "1/3"]], [[0, "1/2"], ["1/2", 0]]],
        [[[1], [0]], [[0], ["1/3"]], [[1], [1]]],
    )
)
GAP = fmpq(1, 10**9)


@pytest.mark.parametrize(
    ("at", "distance"), [("1/2", "1/6"), ("0", "0"), ("1/4", "0"), ("3/2", "1/2"), ("-2", "2"), ("4/9", "1/9")]
)
def test_of_the_cantor_set(at, distance):
    X = fmpq_mat([[fmpq(*map(int, f"{at}/1".split("/")[:2]))]])
    expected = fmpq(*map(int, f"{distance}/1".split("/")[:2]))
    found = distance_to_set(CANTOR, X)
    assert found.lower <= expected <= found.upper <= found.lower + GAP
    reached = found.point.value(CANTOR.system)[0, 0] - X[0, 0]
    assert abs(reached) <= found.upper


@pytest.mark.parametrize("seed", range(8))
def test_bounds_enclose_what_random_words_reach(seed):
    """Of 2000 points of random words none is nearer than the lower bound, some nearly as near as the upper."""
    rng = np.random.default_rng(seed)
    A = np.array([[[float(e) for e in row] for row in M.tolist()] for M in TWISTED.system.A])
    B = np.array([[[float(e) for e in row] for row in M.tolist()] for M in TWISTED.system.B])
    J = np.zeros((2000, 2, 1))
    for _ in range(60):
        letters = rng.integers(0, 3, 2000)
        J = A[letters] @ J + B[letters]
    target = np.array([random.Random(seed).uniform(-2, 4), random.Random(-seed).uniform(-2, 4)])
    X = fmpq_mat(2, 1, [fmpq(*float(v).as_integer_ratio()) for v in target])
    found = distance_to_set(TWISTED, X)
    nearest = np.linalg.norm(J[:, :, 0] - target, axis=1).min()
    assert float(found.lower) <= nearest + 1e-9
    assert nearest <= float(found.upper) + 0.3
    assert (found.lower > 0) >= isinstance(membership(TWISTED, X), Outside) or found.upper < GAP


def test_when_the_budget_ends_the_bounds_still_hold():
    X = fmpq_mat([[fmpq(1, 2) - fmpq(1, 10**6)]])
    found = distance_to_set(CANTOR, X, tolerance=0, budget=3)
    assert found.lower <= fmpq(1, 6) - fmpq(1, 10**6) <= found.upper


def test_a_matrix_of_another_shape():
    with pytest.raises(InputError, match="`X` is 1 by 2; write a matrix of 1 rows and 1 columns"):
        distance_to_set(CANTOR, fmpq_mat([[1, 2]]))

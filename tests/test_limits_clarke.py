"""Implicit differentiation outside the Clarke Jacobian of the solution map: a known instance, and wrong claims."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from flint import fmpq, fmpq_mat

from piggycheck.errors import SwitchedSystemError, UnknownError
from piggycheck.limits import exceeds_clarke, inner_product
from piggycheck.switched import SwitchedSystem

U = [(fmpq(-1, 2), fmpq(1, 2)), (fmpq(1, 2), fmpq(0)), (fmpq(1), fmpq(-1))]
V = [(1, 0), (0, 1), (1, 1)]
SIGNS = [(1, 1, 1), (1, -1, 1), (1, -1, -1), (-1, 1, 1), (-1, 1, -1), (-1, -1, -1)]
"""The signs of x, y and x + y on the six cones."""


def slope(signs):
    """The Jacobian of ``G(x) = x + sum of u_i |v_i . x|`` on one cone."""
    return fmpq_mat(
        2,
        2,
        [
            int(i == j) + sum(s * u[i] * v[j] for s, u, v in zip(signs, U, V, strict=True))
            for i in (0, 1)
            for j in (0, 1)
        ],
    )


def system_of(slopes):
    """The pairs of the iteration ``x - (G(x) - theta) / 2``."""
    unit = fmpq_mat([[1, 0], [0, 1]])
    return SwitchedSystem(tuple(unit - fmpq(1, 2) * M for M in slopes), (fmpq(1, 2) * unit,) * len(slopes))


CONES = system_of([slope(signs) for signs in SIGNS])


def test_the_instance_of_bolte_le_pauwels_and_silveti_falls():
    """M = [[1/2, 0], [1/2, 1]] is the mean of two slopes, and its inverse is in the hull of no inverses."""
    found = exceeds_clarke(CONES)
    assert fmpq_mat([[2, 0], [-1, 1]]) == found.matrix
    mean = sum((w * slope(signs) for w, signs in zip(found.weights, SIGNS, strict=True)), fmpq_mat(2, 2))
    assert fmpq_mat([[fmpq(1, 2), 0], [fmpq(1, 2), 1]]) == mean
    reached = [inner_product(found.direction, slope(signs).inv()) for signs in SIGNS]
    assert inner_product(found.direction, found.matrix) > max(reached)
    assert 1 == found.invertible.sign


def test_the_inverse_of_the_instance_is_sampled_inside_the_hull_only():
    """Difference quotients of the inverse map, computed cone by cone, stay below the separating direction."""
    found = exceeds_clarke(CONES)
    direction = np.array([[float(x) for x in row] for row in found.direction.table()])
    bound = float(inner_product(found.direction, found.matrix))
    inverses = {signs: np.array([[float(x) for x in row] for row in slope(signs).inv().table()]) for signs in SIGNS}

    def inverse(theta):
        for signs, M in inverses.items():
            x = M @ theta
            if all(s * (np.array(v) @ x) >= -1e-12 for s, v in zip(signs, V, strict=True)):
                return x
        raise AssertionError("no cone")

    generator = np.random.default_rng(2)
    for _ in range(300):
        theta = generator.normal(size=2)
        jacobian = np.column_stack([(inverse(theta + 1e-6 * e) - inverse(theta - 1e-6 * e)) / 2e-6 for e in np.eye(2)])
        assert (direction * jacobian).sum() < bound - 1e-3


@pytest.mark.parametrize("seed", range(15))
def test_answers_hold_on_random_systems(seed):
    generator = random.Random(seed)
    count, m = generator.randint(2, 4), generator.randint(1, 2)
    A = [fmpq_mat(2, 2, [fmpq(generator.randint(-4, 4), 10) for _ in range(4)]) for _ in range(count)]
    B = [fmpq_mat(2, m, [fmpq(generator.randint(-3, 3)) for _ in range(2 * m)]) for _ in range(count)]
    try:
        found = exceeds_clarke(SwitchedSystem(tuple(A), tuple(B)), most_weights=60)
    except UnknownError:
        return
    unit = fmpq_mat([[1, 0], [0, 1]])
    left = sum((w * (unit - M) for w, M in zip(found.weights, A, strict=True)), fmpq_mat(2, 2))
    right = sum((w * M for w, M in zip(found.weights, B, strict=True)), fmpq_mat(2, m))
    assert right == left * found.matrix and fmpq(1) == sum(found.weights) and min(found.weights) >= 0
    reached = [inner_product(found.direction, (unit - M).solve(N)) for M, N in zip(A, B, strict=True)]
    assert inner_product(found.direction, found.matrix) > max(reached)


def test_neighbouring_cones_never_exceed():
    """Their slopes differ in rank one, so that the inverses are on a segment (Sherman and Morrison)."""
    for first, second in itertools.pairwise([0, 1, 2]):
        with pytest.raises(UnknownError, match="stayed in the convex hull"):
            exceeds_clarke(system_of([slope(SIGNS[first]), slope(SIGNS[second])]), most_weights=40)


def test_only_pairs_that_are_known_have_weights():
    found = exceeds_clarke(CONES, letters=(0, 2, 3))
    assert all(found.weights[i] == 0 for i in (1, 4, 5))
    with pytest.raises(UnknownError, match="stayed in the convex hull"):
        exceeds_clarke(CONES, letters=(0, 1), most_weights=40)
    with pytest.raises(SwitchedSystemError, match="letter 6"):
        exceeds_clarke(CONES, letters=(6,))


def test_numbers_and_equal_matrices_never_exceed():
    numbers = SwitchedSystem.from_rows([[["1/2"]], [["-1/2"]]], [[[0]], [[1]]])
    equal = SwitchedSystem.from_rows([[["1/2", 0], [0, 0]]] * 2, [[[0], [1]], [[1], [0]]])
    for system in (numbers, equal):
        with pytest.raises(UnknownError, match="are the convex hull of those of the pairs"):
            exceeds_clarke(system)


def test_without_invertibility_nothing_is_said():
    with pytest.raises(UnknownError, match="is singular, and the solution map need not be Lipschitz"):
        exceeds_clarke(SwitchedSystem.from_rows([[[0, 0], [0, 0]], [[2, 0], [0, 2]]]))


def test_a_system_without_columns_has_nothing_to_exceed():
    system = SwitchedSystem(CONES.A, (fmpq_mat(2, 0),) * 6)
    with pytest.raises(UnknownError, match="stayed in the convex hull"):
        exceeds_clarke(system, most_weights=20)

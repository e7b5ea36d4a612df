"""Norms that the checker encloses: seen by numpy's singular values, and by matrices whose norms are known."""

from __future__ import annotations

from fractions import Fraction
from math import isqrt

import numpy as np
import pytest

from piggycheck.checker.arithmetics import Open, Rounded
from piggycheck.checker.norms import at_most, enclosed, exact_norm, exact_square, largest_eigenvalue, square_at_most

SHAPES = [(1, 1), (1, 4), (3, 1), (2, 2), (2, 5), (4, 3), (6, 6)]


def floating(rows: list[list[int]], kind: str) -> float:
    """The norm in floating point."""
    M = np.array(rows, dtype=float)
    return float(np.abs(M).max() if kind == "max" else np.linalg.norm(M, "fro" if kind == "frobenius" else 2))


@pytest.mark.parametrize("kind", ["max", "frobenius", "spectral"])
@pytest.mark.parametrize("shape", SHAPES)
def test_a_norm_is_enclosed(shape: tuple[int, int], kind: str) -> None:
    random, arithmetic = np.random.default_rng(7), Rounded(60)
    for _ in range(5):
        rows = random.integers(-30, 31, shape).tolist()
        truth = floating(rows, kind)
        for radius in (0, 1 << 40):
            entries = [[(a << 60, radius) for a in row] for row in rows]
            c, r = enclosed(entries, kind, arithmetic)
            assert abs(c / arithmetic.one - truth) <= r / arithmetic.one + 1e-12 * truth
            assert r <= 8 * (radius + 2)
            moved = [[(a << 60) + int(random.choice([-1, 1])) * radius for a in row] for row in rows]
            assert at_most(moved, c + r, 1, kind)
            assert c <= r or not at_most(moved, c - r - 1, 1, kind)


def test_a_matrix_of_zeros() -> None:
    arithmetic = Rounded(10)
    for kind in ("max", "frobenius", "spectral"):
        assert enclosed([[(0, 0)] * 3] * 3, kind, arithmetic) == (0, 0)
        assert exact_norm([[0, 0], [0, 0]], 7, kind) == 0


@pytest.mark.parametrize(
    ("rows", "square"),
    [([[2, -1], [1, 2]], 5), ([[3, 0], [0, 4]], 16), ([[1, 2, 2], [2, 4, 4]], 45), ([[1, 1, 1]] * 3, 9)],
)
def test_a_spectral_norm_with_an_integer_square_is_exact(rows: list[list[int]], square: int) -> None:
    assert exact_square(rows, "spectral") == square
    assert square_at_most(rows, square, 1, "spectral")
    assert not square_at_most(rows, square - 1, 1, "spectral")


def test_other_spectral_norms_are_left_open() -> None:
    """The square of the norm is (3 + sqrt(5))/2."""
    with pytest.raises(Open):
        exact_square([[1, 1], [0, 1]], "spectral")
    with pytest.raises(Open):
        exact_norm([[1, 1]], 1, "frobenius")
    assert exact_norm([[3, 4]], 10, "spectral") == Fraction(1, 2)


def test_eigenvalues_that_are_repeated_or_far_apart() -> None:
    """A repeated eigenvalue slows Newton's method down, and neighbours mislead it."""
    big = 10**30
    for values in ([5, 5, 5, 5], [big, big, 1, 1], [big, big - 1, big - 2, 0], [big, 0, 0, 0]):
        rows = [[a * (i == j) for j in range(4)] for i, a in enumerate(values)]
        low, high = largest_eigenvalue(rows)
        assert low <= max(values) <= high <= low + 4
    assert isqrt(exact_square([[big, 0], [0, big]], "spectral")) == big

"""Implicit sets: their elements, and strictness against a brute-force search through words."""

from __future__ import annotations

import random
from functools import cache
from itertools import product

import numpy as np
import pytest
from flint import fmpq, fmpq_mat
from limit_set_systems import scalars
from scipy.optimize import nnls

from piggycheck.errors import InputError, NoLimitSetError, SwitchedSystemError, UnknownError
from piggycheck.limits import (
    Equal,
    ImplicitIn,
    ImplicitOut,
    Strict,
    contracting,
    hull_interval,
    implicit_hull_interval,
    implicit_points,
    implicit_weights,
    inner_product,
    strictness,
)
from piggycheck.limits.separation import positive_direction
from piggycheck.switched import SwitchedSystem

RELU = SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [["1"]]])
"""``-x/2 + relu(theta)`` at 0."""


def random_matrix(generator, rows, columns, size):
    return fmpq_mat(rows, columns, [fmpq(generator.randint(-size, size), 6) for _ in range(rows * columns)])


def random_system(seed):
    """Scalar and 2 by 2 systems whose row sums are below 1; some with equal matrices, or with a common fixed point."""
    generator = random.Random(seed)
    p, m, count = generator.choice([(1, 1), (1, 2), (2, 1), (2, 2)]) + (generator.randint(1, 3),)
    size = 5 if p == 1 else 2
    A = [random_matrix(generator, p, p, size) for _ in range(count)]
    kind = generator.randrange(4)
    if kind == 0:
        A = [A[0]] * count
    B = [random_matrix(generator, p, m, 6) for _ in range(count)]
    if kind == 1:
        X = random_matrix(generator, p, m, 6)
        B = [X - M * X for M in A]
    elif kind == 2:
        B = [fmpq_mat(p, m, generator.choices([0, 1], k=p * m)) for _ in range(count)]
        A = [fmpq_mat(p, p) if generator.random() < 0.7 else M for M in A]
    return SwitchedSystem(tuple(A), tuple(B))


@cache
def random_contraction(seed):
    return contracting(random_system(seed))


def fixed_points(system, length):
    """The fixed points of all words up to a length, by Gaussian elimination in the order of length and alphabet."""
    unit = fmpq_mat(system.dimension, system.dimension, np.eye(system.dimension, dtype=int).ravel().tolist())
    for size in range(1, length + 1):
        for word in product(range(len(system)), repeat=size):
            A, B = system.product(word)
            yield word, (unit - A).solve(B)


def test_the_implicit_set_of_a_parameter_behind_relu():
    assert (fmpq_mat([[0]]), fmpq_mat([[fmpq(2, 3)]])) == implicit_points(RELU)
    assert (fmpq(0), fmpq(2, 3)) == implicit_hull_interval(RELU)
    assert (fmpq(-2, 3), fmpq(4, 3)) == (hull_interval(RELU).lower, hull_interval(RELU).upper)


def test_singular_pairs_have_no_implicit_point():
    assert (None,) == implicit_points(scalars((1, 0)))


def test_hull_intervals_of_what_is_no_number_or_does_not_contract_are_refused():
    with pytest.raises(InputError, match="of shape 1 by 2, and the implicit set is an interval for numbers only"):
        implicit_hull_interval(SwitchedSystem.from_rows([[[0]]], [[[0, 1]]]))
    with pytest.raises(NoLimitSetError, match="by the word 0"):
        implicit_hull_interval(scalars((1, 0)))


def test_strictness_behind_relu_is_seen_on_the_word_of_both_letters():
    found = strictness(contracting(RELU))
    assert ((0, 1), fmpq_mat([[fmpq(4, 3)]]), None, True) == (found.word, found.matrix, found.direction, found.shortest)
    found = strictness(contracting(RELU), hull=True)
    assert ((0, 1), fmpq_mat([[1]])) == (found.word, found.direction)


def test_binary_digits_are_strict_for_the_pairs_and_not_for_the_hull():
    """The implicit set is {0, 1}, and [0, 1] for the hull; the piggyback set is [0, 1]."""
    digits = contracting(scalars(("1/2", 0), ("1/2", "1/2")))
    assert ((0, 1), fmpq_mat([[fmpq(2, 3)]])) == (strictness(digits).word, strictness(digits).matrix)
    equal = strictness(digits, hull=True)
    assert (fmpq_mat([[0]]), fmpq_mat([[1]])) == equal.points
    halves = (fmpq(1, 2), fmpq(1, 2))
    assert (((1, 0), halves), (halves, (0, 1))) == equal.coefficients


def test_pairs_that_forget_are_not_strict():
    """A = 0: the piggyback set is the set of the B."""
    assert isinstance(strictness(contracting(scalars((0, 1), (0, 2)))), Equal)


def test_pairs_that_exchange_their_fixed_points_are_not_strict():
    """On {0, 1}: x -> 0, x -> 1, and x -> 0 again along a second pair."""
    assert isinstance(strictness(contracting(scalars((0, 0), (0, 1), ("1/2", 0)))), Strict)
    assert isinstance(strictness(contracting(scalars((0, 0), (0, 1), (0, 0)))), Equal)


def test_rotations_of_a_word_have_fixed_points_of_their_own():
    """The implicit set of the hull is [0, 2]: 4/5, of 0 1, is in it, and -2/5, of 1 0, is not."""
    system = scalars(("-1/2", 0), ("1/2", 1))
    points = dict(fixed_points(system, 2))
    assert (fmpq_mat([[fmpq(4, 5)]]), fmpq_mat([[fmpq(-2, 5)]])) == (points[0, 1], points[1, 0])
    assert (1, 0) == strictness(contracting(system), hull=True).word


def test_the_implicit_set_of_the_hull_need_not_be_convex_and_words_prove_it_strict():
    system = SwitchedSystem.from_rows([[["1/2", 0], [0, 0]], [[0, 0], [0, "1/2"]]], [[[1], [0]], [[0], [1]]])
    found = strictness(contracting(system), hull=True)
    left = [found.matrix - A * found.matrix - B for A, B in system.pairs]
    assert all(inner_product(found.direction, residual) > 0 for residual in left)


@pytest.mark.parametrize("block", range(10))
def test_strictness_agrees_with_a_search_through_words(block):
    """250 random systems, scalar and 2 by 2: all words up to length 4, in exact arithmetic."""
    for seed in range(25 * block, 25 * (block + 1)):
        system = random_contraction(seed).system
        points = implicit_points(system)
        outside = next((word for word, X in fixed_points(system, 4) if all(X != Y for Y in points)), None)
        found = strictness(random_contraction(seed))
        if isinstance(found, Strict):
            assert outside is not None and (outside, True) == (found.word, found.shortest), seed
        else:
            assert outside is None, seed


@pytest.mark.parametrize("block", range(10))
def test_strictness_of_hulls_agrees_with_a_search_through_words(block):
    """Membership by least squares in floating point, where it is not a close call."""
    for seed in range(25 * block, 25 * (block + 1)):
        system = random_contraction(seed).system
        clearly = [word for word, X in fixed_points(system, 3) if clearly_outside(system, X)]
        try:
            found = strictness(random_contraction(seed), hull=True, max_words=60)
        except UnknownError:
            assert not clearly, seed
            continue
        if isinstance(found, Equal):
            assert not clearly, seed
        else:
            residuals = [found.matrix - A * found.matrix - B for A, B in system.pairs]
            assert all(inner_product(found.direction, residual) > 0 for residual in residuals), seed
            assert not clearly or (len(found.word), found.word) <= (len(clearly[0]), clearly[0]), seed


def clearly_outside(system, X):
    residuals = np.array([[float(x) for x in (X - A * X - B).entries()] for A, B in system.pairs])
    rows = np.vstack([residuals.T, np.ones(len(residuals))])
    return nnls(rows, [*np.zeros(residuals.shape[1]), 1])[1] > 1e-6


@pytest.mark.parametrize("seed", range(60))
def test_implicit_weights_are_weights_or_a_separating_direction(seed):
    system = random_system(seed)
    generator = random.Random(seed)
    X = random_matrix(generator, system.dimension, system.columns, 6)
    answer = implicit_weights(system, X)
    residuals = [X - A * X - B for A, B in system.pairs]
    if isinstance(answer, ImplicitOut):
        assert all(inner_product(answer.direction, residual) > 0 for residual in residuals)
    else:
        assert fmpq(1) == sum(answer.weights) and min(answer.weights) >= 0
        assert fmpq_mat(X.nrows(), X.ncols()) == sum(
            (weight * residual for weight, residual in zip(answer.weights, residuals, strict=True)),
            fmpq_mat(X.nrows(), X.ncols()),
        )


def test_a_matrix_between_is_in_the_implicit_set_of_the_hull_and_one_beyond_is_not():
    assert ImplicitIn((fmpq(1, 2), fmpq(1, 2))) == implicit_weights(RELU, fmpq_mat([[fmpq(1, 3)]]))
    assert isinstance(implicit_weights(RELU, fmpq_mat([[fmpq(2, 3) + fmpq(1, 10**40)]])), ImplicitOut)


def test_matrices_of_another_shape_are_refused():
    with pytest.raises(InputError, match="`X` is 1 by 2; write a matrix of 1 rows and 1 columns"):
        implicit_weights(RELU, fmpq_mat([[1, 2]]))


def test_a_system_without_columns_has_one_empty_matrix():
    system = SwitchedSystem((fmpq_mat([[0]]), fmpq_mat([[fmpq(1, 2)]])), (fmpq_mat(1, 0), fmpq_mat(1, 0)))
    assert isinstance(implicit_weights(system, fmpq_mat(1, 0)), ImplicitIn)
    assert isinstance(strictness(contracting(system)), Equal)
    assert isinstance(strictness(contracting(system), hull=True), Equal)


@pytest.mark.parametrize("hull", [False, True])
def test_one_pair_and_equal_pairs_are_not_strict(hull):
    for system in (scalars(("1/2", 1)), scalars(("1/2", 1), ("1/2", 1)), scalars(("1/2", 1), ("1/3", "4/3"))):
        assert isinstance(strictness(contracting(system), hull=hull), Equal)


def test_pairs_that_may_not_belong_to_the_system_prove_nothing():
    """With pair 1 the set is larger; without it, it is a point: neither is known."""
    contraction = contracting(RELU)
    with pytest.raises(UnknownError, match="was not proved"):
        strictness(contraction, letters=(0,))
    with pytest.raises(UnknownError, match="was not proved"):
        strictness(contraction, letters=())
    with pytest.raises(SwitchedSystemError, match="letter 2"):
        strictness(contraction, letters=(0, 2))


def test_pairs_that_may_not_belong_to_the_system_do_not_matter_when_they_are_not_needed():
    """The third pair maps 0 and 1 to 1; a set made without it is mapped into itself all the same."""
    system = scalars((0, 0), (0, 1), (0, 1))
    assert isinstance(strictness(contracting(system), letters=(0, 1)), Equal)
    system = scalars(("-1/2", 0), ("-1/2", 1), ("-1/2", 0))
    found = strictness(contracting(system), letters=(0, 1))
    assert ((0, 1), False) == (found.word, found.shortest)


def test_when_the_budget_of_words_ends_a_longer_word_is_found():
    """0 -> 0, and x -> x/2 + 2 leads 0 to 2; the fixed points are 0, 1 and 4, and 2 is none of them."""
    system = scalars((0, 0), ("1/2", 2))
    found = strictness(contracting(system), max_words=0)
    assert not found.shortest
    A, B = system.product(found.word)
    assert found.matrix == A * found.matrix + B
    assert all(found.matrix != X for X in implicit_points(system))


def test_huge_numbers():
    huge = fmpq(10**200, 10**200 + 1)
    system = scalars((huge, 0), (-huge, 1), (fmpq(1, 10**300), 1))
    assert isinstance(strictness(contracting(system)), Strict)


def test_gordan_has_exactly_one_of_both():
    assert fmpq_mat([[1, 1]]) == positive_direction([fmpq_mat([[1, 0]]), fmpq_mat([[-1, 2]])])
    assert (fmpq(3, 4), fmpq(1, 4)) == positive_direction([fmpq_mat([[1]]), fmpq_mat([[-3]])])
    assert (fmpq(1),) == positive_direction([fmpq_mat([[0, 0]])])

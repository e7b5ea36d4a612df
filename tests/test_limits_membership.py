"""Membership in piggyback sets: digits of numbers, brute force, and every proof verified by hand."""

from __future__ import annotations

from itertools import product

import pytest
from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError
from piggycheck.limits import (
    Inside,
    Outside,
    Unsettled,
    contracting,
    hull_interval,
    inner_product,
    membership,
    word_fixed_point,
)
from piggycheck.stability.word_tree import is_complete_prefix_code
from piggycheck.switched import SwitchedSystem

CANTOR = contracting(SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]]))
DIGITS = contracting(SwitchedSystem.from_rows([[["1/2"]], [["1/2"]]], [[[0]], [["1/2"]]]))
RELU = contracting(SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [[1]]]))
SINGULAR = contracting(
    SwitchedSystem.from_rows([[["1/2", 0], [0, 0]], [[0, 0], [1, "1/2"]]], [[[1], [0]], [["1/3"], [0]]])
)
TRIANGLE = contracting(
    SwitchedSystem.from_rows([[["1/2", 0], [0, "1/2"]]] * 3, [[[0], [0]], [["1/2"], [0]], [["1/4"], ["1/2"]]])
)


def number(value):
    return fmpq_mat([[fmpq(*map(int, value.split("/")))]]) if "/" in value else fmpq_mat([[int(value)]])


def separated(contraction, word, C, X):
    """Whether ``<C, X>`` exceeds its maximum over the image of the ball under the word."""
    A, B = contraction.system.product(word)
    room = inner_product(C, X - A * contraction.centre - B)
    return room > 0 and room**2 > contraction.radius**2 * contraction.reach_squared(A.transpose() * C)


def proves(contraction, X, answer, *, hull=False):
    """Whether an answer is a proof."""
    system = contraction.system
    if isinstance(answer, Outside):
        words = [word[::-1] for word, _ in answer.cells]
        one = len({tuple(C.entries()) for _, C in answer.cells}) == 1
        return (
            is_complete_prefix_code(words, len(system))
            and all(separated(contraction, word, C, X) for word, C in answer.cells)
            and (one or not hull)
        )
    Y = X
    if answer.point is not None:
        A, B = system.product(answer.point.word)
        if answer.point.matrix != A * answer.point.matrix + B:
            return False
        Y = answer.point.value(system)
    if answer.weights is None:
        return Y == X
    moved = [weight * (A * Y + B) for weight, (A, B) in zip(answer.weights, system.pairs, strict=True)]
    return hull and min(answer.weights) >= 0 and sum(answer.weights) == 1 and sum(moved[1:], moved[0]) == X


@pytest.mark.parametrize("value", ["0", "1", "1/3", "2/3", "1/4", "3/4", "1/10", "3/10", "7/9", "9/13"])
def test_numbers_without_the_digit_1_belong_to_the_cantor_set(value):
    answer = membership(CANTOR, number(value))
    assert isinstance(answer, Inside) and proves(CANTOR, number(value), answer)


@pytest.mark.parametrize("value", ["1/2", "5/12", "2/5", "1/5", "13/27", "3/2", "-1/1000000", "33334/100000"])
def test_numbers_with_the_digit_1_do_not(value):
    answer = membership(CANTOR, number(value))
    assert isinstance(answer, Outside) and proves(CANTOR, number(value), answer)


def test_the_middle_of_the_gap_needs_two_directions():
    assert (((0,), fmpq_mat([[1]])), ((1,), fmpq_mat([[-1]]))) == membership(CANTOR, number("1/2")).cells


def test_a_quarter_is_periodic():
    """1/4 = 0.020202... in base 3: the last digit in time is the first after the point."""
    point = membership(CANTOR, number("1/4")).point
    assert ((1, 0), (), fmpq_mat([[fmpq(1, 4)]])) == (point.word, point.then, point.matrix)


@pytest.mark.parametrize("value", ["1/3", "1/2", "5/7", "0", "1", "1/1024"])
def test_numbers_have_binary_digits(value):
    assert proves(DIGITS, number(value), membership(DIGITS, number(value)))


def test_numbers_above_one_have_none():
    for value in ("3/2", "1000001/1000000"):
        assert isinstance(membership(DIGITS, number(value)), Outside)


@pytest.mark.parametrize("contraction", [CANTOR, RELU, SINGULAR, TRIANGLE])
def test_fixed_points_of_words_and_their_images_are_found(contraction):
    system = contraction.system
    for word in product(range(len(system)), repeat=3):
        X = word_fixed_point(system, word)
        for A, B in system.pairs:
            answer = membership(contraction, A * X + B)
            assert isinstance(answer, Inside) and proves(contraction, A * X + B, answer)


def test_lattice_points_of_the_sierpinski_triangle_agree_with_pascal():
    """With binary digits, (x, y) in the skew coordinates belongs to it when no digit of both is 1."""
    size = 8
    for x, y in product(range(size + 1), repeat=2):
        if x + y > size:
            continue
        X = fmpq_mat([[fmpq(x, size) + fmpq(y, 2 * size)], [fmpq(y, size)]])
        answer = membership(TRIANGLE, X)
        neighbours = [(a, b) for a in (x - 1, x) for b in (y - 1, y) if a >= 0 and b >= 0 and a + b < size]
        corner = any(a & b == 0 and (x, y) in {(a, b), (a + 1, b), (a, b + 1)} for a, b in neighbours)
        assert isinstance(answer, Inside if corner else Outside)
        assert proves(TRIANGLE, X, answer)


def test_singular_matrices_are_followed_back_along_lines():
    for X in ([[2], [0]], [["1/3"], ["4/3"]]):
        X = SwitchedSystem.from_rows([[[0, 0], [0, 0]]], [X]).B[0]
        assert proves(SINGULAR, X, membership(SINGULAR, X))
    for X in ([[2], [1]], [[5], [0]], [[1], [1]]):
        answer = membership(SINGULAR, fmpq_mat(X))
        assert isinstance(answer, Outside) and proves(SINGULAR, fmpq_mat(X), answer)


def test_what_is_no_fixed_point_of_words_is_left_open_with_a_distance():
    beta = contracting(SwitchedSystem.from_rows([[["2/3"]], [["2/3"]]], [[[0]], [["1/3"]]]))
    answer = membership(beta, number("1/2"), budget=300)
    assert isinstance(answer, Unsettled) and answer.depth > 5 and 0 < answer.distance < fmpq(1, 100)


@pytest.mark.parametrize("value", ["0", "1/2", "2/3", "1", "4/3", "-2/3", "-1/2", "5/4"])
def test_the_hull_of_numbers_is_an_interval(value):
    X = number(value)
    answer = membership(RELU, X, hull=True)
    hull = hull_interval(RELU.system)
    assert hull.lower <= X[0, 0] <= hull.upper
    assert isinstance(answer, Inside) and proves(RELU, X, answer, hull=True)


@pytest.mark.parametrize("value", ["5/3", "-2", "1333334/1000000"])
def test_outside_the_hull_by_one_direction(value):
    answer = membership(RELU, number(value), hull=True)
    assert isinstance(answer, Outside) and proves(RELU, number(value), answer, hull=True)


def test_points_of_the_hull_that_are_in_no_piece():
    X = fmpq_mat([[fmpq(1, 2)], [fmpq(1, 4)]])
    assert isinstance(membership(TRIANGLE, X), Outside)
    assert proves(TRIANGLE, X, membership(TRIANGLE, X, hull=True), hull=True)
    away = fmpq_mat([[1], [1]])
    assert isinstance(membership(TRIANGLE, away, hull=True), Outside)
    assert proves(TRIANGLE, away, membership(TRIANGLE, away, hull=True), hull=True)


def test_one_pair_has_one_point():
    alone = contracting(SwitchedSystem.from_rows([[[0, 2], [0, 0]]], [[[1], [1]]]))
    assert isinstance(membership(alone, fmpq_mat([[3], [1]])), Inside)
    assert isinstance(membership(alone, fmpq_mat([[3], [2]])), Outside)


def test_identical_pairs_and_no_columns():
    twice = contracting(SwitchedSystem.from_rows([[["1/2"]], [["1/2"]]], [[[1]], [[1]]]))
    assert isinstance(membership(twice, fmpq_mat([[2]])), Inside)
    assert proves(twice, number("3"), membership(twice, number("3")))
    empty = contracting(SwitchedSystem((fmpq_mat([[fmpq(1, 2)]]),), (fmpq_mat(1, 0),)))
    assert isinstance(membership(empty, fmpq_mat(1, 0)), Inside)


def test_a_matrix_of_another_shape_is_refused():
    with pytest.raises(InputError, match="`X` is 2 by 1; write a matrix of 1 rows and 1 columns"):
        membership(CANTOR, fmpq_mat(2, 1))

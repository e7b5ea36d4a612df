"""Bounds on piggyback sets in a direction: against values known by hand, brute force and their own cells."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import pytest
from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError, UnknownError
from piggycheck.limits import contracting, inner_product, outer_box, outer_polytope, support, word_fixed_point
from piggycheck.limits.contraction import Contraction
from piggycheck.limits.support import cells_below
from piggycheck.stability import WordTree
from piggycheck.stability.word_tree import is_complete_prefix_code
from piggycheck.switched import SwitchedSystem

CANTOR = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
RELU = SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [[1]]])
TRIANGLE = SwitchedSystem.from_rows([[["1/2", 0], [0, "1/2"]]] * 3, [[[0], [0]], [["1/2"], [0]], [["1/4"], ["1/2"]]])
TREE = SwitchedSystem.from_rows([[[0, 2], [0, 0]], [["1/4", 0], [0, "1/4"]]], [[[1], [0]], [[0], [1]]])


def holds(contraction, bound):
    """Whether the words are a complete suffix code, every cell is below the bound, and the point is what is said."""
    system, C = contraction.system, bound.direction
    if not is_complete_prefix_code([word[::-1] for word in bound.words], len(system)):
        return False
    for word in bound.words:
        A, B = system.product(word)
        room = bound.upper - inner_product(C, A * contraction.centre + B)
        if room < 0 or room**2 < contraction.radius**2 * contraction.reach_squared(A.transpose() * C):
            return False
    A, B = system.product(bound.point.word)
    X = bound.point.matrix
    return X == A * X + B and bound.lower == inner_product(C, bound.point.value(system))


@pytest.mark.parametrize(
    "system, C, expected",
    [(CANTOR, [[1]], 1), (CANTOR, [[-2]], 0), (RELU, [[1]], fmpq(4, 3)), (RELU, [[-1]], fmpq(2, 3))],
)
def test_the_ends_of_sets_of_numbers(system, C, expected):
    bound = support(contracting(system), fmpq_mat(C))
    assert expected == bound.lower == bound.upper


@pytest.mark.parametrize(
    "C, expected", [([[1], [0]], 1), ([[-1], [0]], 0), ([[0], [1]], 1), ([[2], [1]], 2), ([[-1], [1]], fmpq(1, 2))]
)
def test_the_sierpinski_triangle_has_the_corners_of_its_triangle(C, expected):
    bound = support(contracting(TRIANGLE), fmpq_mat(C), tolerance="1/1000")
    assert expected == bound.lower and bound.upper <= expected + fmpq(1, 1000)


@pytest.mark.parametrize("system", [CANTOR, RELU, TRIANGLE, TREE])
def test_bounds_hold_and_are_as_close_as_asked(system):
    contraction = contracting(system)
    for bound in outer_box(contraction).bounds:
        assert holds(contraction, bound)
        assert 0 <= bound.upper - bound.lower <= fmpq(1, 1000)


def test_a_bound_that_is_too_low_does_not_hold():
    contraction = contracting(RELU)
    bound = support(contraction, fmpq_mat([[1]]))
    lower = type(bound)(bound.direction, bound.upper - fmpq(1, 10**9), bound.words, bound.lower, bound.point)
    assert not holds(contraction, lower)


def test_no_fixed_point_of_a_word_is_beyond_the_bounds():
    contraction = contracting(TREE)
    directions = [fmpq_mat(2, 1, list(C)) for C in product((-1, 0, 1), repeat=2) if any(C)]
    bounds = outer_polytope(contraction, directions)
    for length in range(1, 7):
        for word in product(range(2), repeat=length):
            X = word_fixed_point(TREE, word)
            assert all(inner_product(bound.direction, X) <= bound.upper for bound in bounds)


def test_the_box_of_the_digits_is_the_unit_interval():
    digits = SwitchedSystem.from_rows([[[Fraction(1, 10)]]] * 10, [[[Fraction(d, 10)]] for d in range(10)])
    box = outer_box(contracting(digits))
    assert (fmpq_mat([[0]]), fmpq_mat([[1]])) == (box.lower, box.upper)


def test_a_tolerance_below_what_floats_resolve():
    golden = SwitchedSystem.from_rows([[["1/2"]], [["-1/4"]]], [[[0]], [[1]]])
    contraction = contracting(golden)
    bound = support(contraction, fmpq_mat([[1]]), tolerance=fmpq(1, 10**25))
    assert bound.lower == 1 and bound.upper - 1 <= fmpq(1, 10**25) and holds(contraction, bound)


@pytest.mark.parametrize("size", [fmpq(10) ** 500, fmpq(1, 10**500)])
def test_numbers_that_no_float_holds(size):
    cantor = SwitchedSystem(CANTOR.A, (fmpq_mat([[0]]), fmpq_mat([[size]])))
    bound = support(contracting(cantor), fmpq_mat([[1]]), tolerance=size / 1000)
    assert bound.lower == size * fmpq(3, 2)


def test_one_pair_and_zero_matrices_need_no_depth():
    alone = contracting(SwitchedSystem.from_rows([[[0, 2], [0, 0]]], [[[1], [1]]]))
    assert support(alone, fmpq_mat([[1], [0]])).upper == 3
    constant = contracting(SwitchedSystem.from_rows([[[0]], [[0]]], [[[1]], [[2]]]))
    assert support(constant, fmpq_mat([[1]])).upper == 2


def test_no_columns_and_the_zero_direction():
    empty = contracting(SwitchedSystem((fmpq_mat([[fmpq(1, 2)]]),), (fmpq_mat(1, 0),)))
    assert support(empty, fmpq_mat(1, 0)).upper == 0
    assert support(contracting(CANTOR), fmpq_mat([[0]])).upper == 0


def test_a_level_is_proved_only_above_the_maximum():
    contraction = contracting(RELU)
    C = fmpq_mat([[1]])
    words = cells_below(contraction, C, fmpq(4, 3) + fmpq(1, 10**6))
    assert words is not None and is_complete_prefix_code([word[::-1] for word in words], 2)
    assert cells_below(contraction, C, fmpq(4, 3)) is None
    assert cells_below(contraction, C, fmpq(1)) is None


def test_a_budget_that_ends_says_how_far_it_got():
    wide = contracting(SwitchedSystem.from_rows([[["9/10", "1/5"], [0, "9/10"]], [["9/10", 0], [0, "-9/10"]]]))
    moved = SwitchedSystem(wide.system.A, (fmpq_mat([[1], [0]]), fmpq_mat([[0], [1]])))
    with pytest.raises(UnknownError, match="is between .* and .*, and .* words did not tell more"):
        support(contracting(moved), fmpq_mat([[1], [0]]), tolerance=fmpq(1, 10**9), budget=50)


@pytest.mark.parametrize(
    "C, tolerance, message",
    [
        (fmpq_mat(2, 1), "1/10", "`C` is 2 by 1; write a matrix of 1 rows and 1 columns"),
        (fmpq_mat(1, 1), "0", "`tolerance` is 0; write a positive number"),
    ],
)
def test_bad_input_is_refused(C, tolerance, message):
    with pytest.raises(InputError, match=message):
        support(contracting(CANTOR), C, tolerance=tolerance)


def test_a_ball_that_is_larger_than_needed_gives_the_same_bounds():
    contraction = contracting(CANTOR)
    assert isinstance(contraction.tree, WordTree)
    large = Contraction(CANTOR, contraction.tree, fmpq_mat([[3]]), fmpq(10))
    bound = support(large, fmpq_mat([[1]]))
    assert bound.lower == 1 and 1 <= bound.upper <= fmpq(1001, 1000) and holds(large, bound)


def test_rows_and_systems_are_read_as_matrices_and_contractions():
    C = fmpq_mat([[1]])
    assert support(CANTOR, [["1"]]) == support(contracting(CANTOR), C)
    with pytest.raises(InputError, match=r"`directions\[0\]` is 1 by 2; write a matrix of 1 rows and 1 columns"):
        outer_polytope(CANTOR, [[["1", "2"]]])
    with pytest.raises(InputError, match="`directions` is empty; write at least one direction"):
        outer_polytope(CANTOR, [])
    with pytest.raises(InputError, match=r"`system`: `\[1\]` is no switched system"):
        support([1], C)

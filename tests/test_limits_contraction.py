"""Balls around piggyback sets: against sets known by hand, and their proofs done again."""

from __future__ import annotations

from itertools import product

import pytest
from flint import fmpq, fmpq_mat

from piggycheck.errors import NoLimitSetError, SwitchedSystemError, UnknownError
from piggycheck.limits import contracting, inner_product, word_fixed_point
from piggycheck.stability.word_tree import is_complete_prefix_code
from piggycheck.switched import SwitchedSystem

CANTOR = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
UNEVEN = SwitchedSystem.from_rows([[["19/20"]], [["-19/20"]]], [[[0]], [[1]]])
TREE = SwitchedSystem.from_rows([[[0, 2], [0, 0]], [["1/4", 0], [0, "1/4"]]], [[[1], [0]], [[0], [1]]])
NEAR_ONE = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["19/20", "-3/4"], [1, 0]]], [[[1], [0]], [[0], [1]]])


def contains_the_set(contraction):
    """The proof of the ball, done again."""
    system, tree, c = contraction.system, contraction.tree, contraction.centre
    core = contraction.radius if contraction.core is None else contraction.core.radius
    for word in tree.words:
        A, B = system.product(word)
        room = (1 - tree.rate ** len(word)) * core
        if room < 0 or contraction.square(A * c + B - c) > room**2:
            return False
    if contraction.core is None:
        return is_complete_prefix_code([word[::-1] for word in tree.words], len(system))
    for prefix in {word[:n] for word in tree.words for n in range(len(word))}:
        A, B = system.product(prefix)
        room = contraction.radius - contraction.core.growth * core
        if room < 0 or contraction.square(A * c + B - c) > room**2 or contraction.core.growth**2 < tree.growth:
            return False
    return tree.verify(system.A)


@pytest.mark.parametrize("system", [CANTOR, UNEVEN, TREE, NEAR_ONE])
def test_the_ball_is_proved_and_contains_points_of_the_set(system):
    contraction = contracting(system)
    assert contains_the_set(contraction)
    for length in range(1, 9):
        for word in product(range(len(system)), repeat=length):
            X = word_fixed_point(system, word)
            assert contraction.square(X - contraction.centre) <= contraction.radius**2


def test_a_smaller_ball_is_not_proved():
    from dataclasses import replace

    contraction = contracting(CANTOR)
    assert not contains_the_set(replace(contraction, radius=contraction.radius - fmpq(1, 1000)))


def test_the_ball_of_the_cantor_set_is_the_smallest():
    """In the norm of a form that is a number, the interval [0, 1]."""
    contraction = contracting(CANTOR)
    assert fmpq_mat([[fmpq(1, 2)]]) == contraction.centre
    assert contraction.P[0, 0] * fmpq(1, 4) == contraction.radius**2


def test_the_centre_is_near_the_map_that_moves_it_most():
    """A map ``-a x + 1`` moves a centre 1.95 times its distance, the map ``a x`` only 0.05 times."""
    contraction = contracting(UNEVEN)
    size = contraction.P[0, 0]
    assert contraction.radius**2 < 4 * size
    assert contraction.radius**2 >= size * fmpq(1, 4)


def test_one_pair_has_a_ball_as_small_as_its_centre_is_simple():
    contraction = contracting(SwitchedSystem.from_rows([[["1/2"]]], [[[1]]]))
    assert 0 == contraction.radius and fmpq_mat([[2]]) == contraction.centre


@pytest.mark.parametrize(
    "A, word",
    [([[["1/2"]], [[1]]], "1"), ([[[0, 2], [0, 0]], [[0, 0], [1, 0]]], "0 1"), ([[["-1"]]], "0")],
)
def test_there_is_no_set_when_a_word_does_not_contract(A, word):
    message = f"there is no piggyback set: the joint spectral radius is at least 1, by the word {word}$"
    with pytest.raises(NoLimitSetError, match=message):
        contracting(SwitchedSystem.from_rows(A))


def test_graphs_and_intervals_are_refused_in_one_line():
    graph = SwitchedSystem.from_rows([[["1/2"]], [["1/3"]]], graph=[(0, 0, 1), (1, 1, 0)])
    with pytest.raises(UnknownError, match="constrained by a graph"):
        contracting(graph)
    with pytest.raises(UnknownError, match=r"`A\[0\]` is given by intervals"):
        contracting(SwitchedSystem.from_rows([[[["0", "1/2"]]]]))
    with pytest.raises(SwitchedSystemError, match="letter 2 of the word is no index; write 0 to 1"):
        CANTOR.product((2,))


def test_pairs_that_may_be_too_many_do_not_refute():
    many = SwitchedSystem.from_rows([[["1/2"]], [[2]]], exact=False)
    with pytest.raises(UnknownError, match="the pairs may be too many"):
        contracting(many)


def test_inner_products():
    assert 11 == inner_product(fmpq_mat([[1, 2]]), fmpq_mat([[3, 4]]))

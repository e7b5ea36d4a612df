"""Proofs for all matrices between bounds hold at random matrices in between, and refuse bounds that are too wide."""

from fractions import Fraction

import numpy as np
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import rationals

from piggycheck.linalg import identity, matrix
from piggycheck.stability import WordTree, decide
from piggycheck.stability.enclosed import contracts_throughout, interval_product, widen
from piggycheck.switched import SwitchedSystem

HEAVY_BALL_MILD = [[["3/4", "-3/4"], [1, 0]], [["19/20", "-3/4"], [1, 0]]]


def around(rows, radius):
    return [[(fmpq(*value(e)) - radius, fmpq(*value(e)) + radius) for e in row] for row in rows]


def value(entry):
    number = Fraction(entry)
    return number.numerator, number.denominator


@given(st.lists(st.tuples(rationals(), rationals()), min_size=4, max_size=4), st.data())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_a_product_of_bounds_bounds_the_products(ends, data):
    """Whatever is picked between the bounds, the product of the picks lies between the bounds of the product."""
    pairs = [tuple(sorted(pair)) for pair in ends]
    X, Y = [pairs[:2]], [[pair] for pair in pairs[2:]]
    weights = data.draw(st.lists(st.integers(0, 8), min_size=4, max_size=4))
    picks = [low + (high - low) * fmpq(w, 8) for (low, high), w in zip(pairs, weights, strict=True)]
    low, high = interval_product(X, Y)[0][0]
    assert low <= picks[0] * picks[2] + picks[1] * picks[3] <= high


def test_a_widened_tree_is_verified_at_every_corner():
    """Each entry at either end of its bounds: 2^8 choices, each verified exactly at the widened rate."""
    radius = fmpq(1, 2**20)
    system = SwitchedSystem.from_rows(HEAVY_BALL_MILD)
    tree = widen(decide(system).tree, [around(rows, radius) for rows in HEAVY_BALL_MILD])
    assert tree is not None and tree.rate < 1
    for choice in range(2**8):
        signs = [1 if choice >> i & 1 else -1 for i in range(8)]
        corner = [
            matrix([[fmpq(*value(rows[i][j])) + signs[4 * k + 2 * i + j] * radius for j in (0, 1)] for i in (0, 1)])
            for k, rows in enumerate(HEAVY_BALL_MILD)
        ]
        assert tree.verify(corner)


def test_a_word_tree_with_long_words_is_widened_too():
    """Slopes 1 and 2/5: no single letter contracts the form, words of several letters do."""
    rows = [[["3/4", "-3/4"], [1, 0]], [["27/20", "-3/4"], [1, 0]]]
    answer = decide(SwitchedSystem.from_rows(rows)).tree
    assert not answer.is_quadratic
    tree = widen(answer, [around(r, fmpq(1, 2**40)) for r in rows])
    assert tree is not None and tree.verify([matrix(r) for r in rows])


def test_bounds_that_hold_an_expanding_matrix_are_refused():
    tree = WordTree(identity(1), fmpq(1, 2), ((0,),), fmpq(1))
    assert widen(tree, [[[(fmpq(-1, 2), fmpq(1))]]]) is None
    assert widen(tree, [[[(fmpq(-11, 10), fmpq(0))]]]) is None


def test_a_rate_of_one_has_no_room():
    assert widen(WordTree(identity(1), fmpq(1), ((0,),), fmpq(1)), [[[(fmpq(1), fmpq(1))]]]) is None


@given(st.lists(rationals(), min_size=4, max_size=4), st.integers(1, 6))
@settings(derandomize=True, deadline=None, max_examples=60)
def test_contraction_throughout_means_contraction_at_random_matrices(entries, factor):
    """A proof for the bounds is confirmed by floating-point eigenvalues at random matrices between them."""
    radius = fmpq(1, 16)
    bounds = [[(e - radius, e + radius) for e in entries[i : i + 2]] for i in (0, 2)]
    if contracts_throughout(bounds, identity(2), fmpq(factor)):
        dice = np.random.default_rng(0)
        for _ in range(20):
            A = np.array([[int(lo.p) / int(lo.q) + dice.uniform(0, 1 / 8) for lo, _ in row] for row in bounds])
            assert np.linalg.eigvalsh(factor * np.eye(2) - A.T @ A).min() > -1e-9

"""The checker's determinants of sums of matrices are those of another program, and their signs are never guessed."""

from __future__ import annotations

from fractions import Fraction

import pytest
import sympy as sp
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples

from piggycheck.checker.determinants import Polynomial, determinant, halved, polynomial, require_sign
from piggycheck.checker.reading import Refused
from piggycheck.checker.scaled import scaled

ENTRY = st.builds(Fraction, st.integers(-3, 3), st.integers(1, 3))


@st.composite
def matrices(draw: st.DrawFn) -> list[list[list[Fraction]]]:
    size, count = draw(st.integers(1, 4)), draw(st.integers(1, 4))
    row = st.lists(ENTRY, min_size=size, max_size=size)
    return draw(st.lists(st.lists(row, min_size=size, max_size=size), min_size=count, max_size=count))


def written_out(found: list[list[list[Fraction]]]) -> sp.Poly:
    """The determinant of the sum, by sympy."""
    t = sp.symbols(f"t:{len(found)}")
    rational = [sp.Matrix([[sp.Rational(a.numerator, a.denominator) for a in row] for row in M]) for M in found]
    total = sum((s * M for s, M in zip(t, rational, strict=True)), sp.zeros(len(found[0])))
    return sp.Poly(total.det("berkowitz"), *t)


def assert_proportional(f: Polynomial, g: sp.Poly) -> None:
    """They differ by a positive factor."""
    ours = {place: c for place, c in f.items() if c}
    theirs = {place: c for place, c in g.terms() if c}
    assert set(ours) == set(theirs)
    ratios = {sp.Rational(ours[place]) / theirs[place] for place in ours}
    assert len(ratios) <= 1 and all(ratio > 0 for ratio in ratios)


@examples(60)
@given(matrices())
def test_the_polynomial_is_the_determinant(found: list[list[list[Fraction]]]) -> None:
    assert_proportional(polynomial([scaled(M) for M in found]), written_out(found))


@examples(60)
@given(matrices(), st.data())
def test_halving_an_edge_is_a_substitution(found: list[list[list[Fraction]]], data: st.DataObject) -> None:
    if len(found) < 2:
        return
    i, j = data.draw(st.permutations(range(len(found))))[:2]
    g = written_out(found)
    t = g.gens
    middle = g.as_expr().subs({t[i]: t[i] + t[j] / 2, t[j]: t[j] / 2}, simultaneous=True)
    assert_proportional(halved(polynomial([scaled(M) for M in found]), i, j), sp.Poly(middle, *t))


@examples(60)
@given(matrices())
def test_determinants_agree_with_fractions(found: list[list[list[Fraction]]]) -> None:
    M = scaled(found[0])
    assert determinant(M.rows) == sp.Matrix(M.rows).det()


@pytest.mark.parametrize(
    ("f", "sign", "holds"),
    [
        ({(2, 0): 1, (1, 1): 0, (0, 2): 1}, 1, True),  # s^2 + t^2
        ({(2, 0): 1, (1, 1): -1, (0, 2): 1}, 1, False),  # positive, but not by its coefficients
        ({(2, 0): 1, (1, 1): 1, (0, 2): 0}, 1, False),  # zero at s = 0
        ({(2, 0): 1, (1, 1): -2, (0, 2): 1}, 1, False),  # (s - t)^2
        ({(2, 0): -1, (1, 1): -3, (0, 2): -2}, -1, True),
        ({(2, 0): -1, (1, 1): -3, (0, 2): -2}, 1, False),
    ],
)
def test_signs_are_those_of_the_coefficients(f: Polynomial, sign: int, holds: bool) -> None:
    if holds:
        require_sign(f, sign, [])
        return
    with pytest.raises(Refused):
        require_sign(f, sign, [])


def test_no_tree_proves_that_a_square_is_not_zero() -> None:
    square = {(2, 0): 1, (1, 1): -2, (0, 2): 1}
    tree: list[object] = []
    for _ in range(6):
        tree = ["0", "1", tree, tree]
        with pytest.raises(Refused):
            require_sign(square, 1, tree)

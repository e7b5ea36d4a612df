"""Long words: blocks are put together where every short word is poor."""

from __future__ import annotations

import math

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from jsr_families import FAMILIES, family
from matrix_strategies import brute_force_rate, rationals, switched_systems

from piggycheck.linalg import as_float
from piggycheck.stability import rate_of_word
from piggycheck.stability.long_words import concatenated_words
from piggycheck.stability.necklaces import necklace_of
from piggycheck.stability.words import leading_words
from piggycheck.switched import SwitchedSystem

MEJSTRIK_119 = [
    fmpq_mat([[fmpq(15, 92), fmpq(-73, 79)], [fmpq(56, 59), fmpq(89, 118)]]),
    fmpq_mat([[fmpq(-231, 241), fmpq(-143, 219)], [fmpq(103, 153), fmpq(-38, 65)]]),
]
"""T. Mejstrik, Algorithm 1011: Improved invariant polytope algorithm and applications, ACM Transactions on Mathematical
Software 46 (2020): the best word has length 119."""


def best_long_word(A, max_length=64, max_short=16):
    blocks = [word for word, _ in leading_words(A, max_length=max_short, time_limit=20)]
    return concatenated_words(A, blocks, max_length=max_length, time_limit=20)[0]


@pytest.mark.parametrize("denominator", [5, 10, 15, 20, 100])
def test_a_shear_and_a_jump(denominator):
    """The word of k shears and a jump by c has spectral radius k c, and every other word is a product of such."""
    c = fmpq(1, denominator)
    k = max(range(1, 4 * denominator), key=lambda k: math.log(max(k / denominator, 1e-9)) / (k + 1))
    A = [fmpq_mat([[1, 1], [0, 1]]), fmpq_mat([[0, 0], [c, 0]])]
    word, rate = best_long_word(A, max_length=max(64, k + 9))
    assert (0,) * k + (1,) == word
    assert rate == pytest.approx((k / denominator) ** (1 / (k + 1)), rel=1e-12)
    assert k * c == rate_of_word(A, word).modulus_lower
    assert denominator < 15 or len(word) >= 41


def test_a_rotation_and_a_projection():
    """The rotation by an angle t, k times, and 2 e_2 e_1^T give 2 sin(k t); complex eigenvalues lead among letters."""
    cosine, sine = fmpq(1599, 1601), fmpq(80, 1601)
    A = [fmpq_mat([[cosine, -sine], [sine, cosine]]), fmpq_mat([[0, 2], [0, 0]])]
    angle = math.atan2(80, 1599)
    k = max(range(1, 32), key=lambda k: (2 * math.sin(k * angle)) ** (1 / (k + 1)))
    word, rate = best_long_word(A)
    assert ((0,) * k + (1,), pytest.approx((2 * math.sin(k * angle)) ** (1 / (k + 1)))) == (word, rate)


def test_three_dimensions():
    """k steps of a Jordan block of size 3 and a jump back by 1/50: the modulus is k (k - 1) / 100."""
    A = [fmpq_mat([[1, 1, 0], [0, 1, 1], [0, 0, 1]]), fmpq_mat([[0, 0, 0], [0, 0, 0], [fmpq(1, 50), 0, 0]])]
    k = max(range(2, 63), key=lambda k: (k * (k - 1) / 100) ** (1 / (k + 1)))
    word, rate = best_long_word(A)
    assert ((0,) * k + (1,), pytest.approx((k * (k - 1) / 100) ** (1 / (k + 1)))) == (word, rate)


def test_late_growth_and_later_ones():
    """Shears by +e and -e over 2: the later, the smaller e is."""
    found = []
    for e in (fmpq(1), fmpq(1, 2), fmpq(1, 4)):
        A = [fmpq_mat([[2, e], [0, 2]]), fmpq_mat([[2, 0], [-e, 2]])]
        word, rate = best_long_word(A, max_length=80)
        found.append(len(word))
        assert rate > 2
        assert as_float(rate_of_word(A, word).rate_lower) == pytest.approx(rate, rel=1e-11)
    assert 14 == found[0] < found[1] < found[2]
    assert found[2] >= 41


def test_a_word_of_length_119():
    word, rate = best_long_word(MEJSTRIK_119, max_length=128, max_short=40)
    assert 119 == len(word)
    bound = rate_of_word(MEJSTRIK_119, word)
    assert 1.01179356 < as_float(bound.rate_lower) <= rate * (1 + 1e-12)


@pytest.mark.parametrize("known", FAMILIES, ids=lambda known: known.name)
def test_nothing_exceeds_what_is_known(known):
    """Where a joint spectral radius is known, no word has a larger rate, and the best word is found again."""
    found = concatenated_words(known.system.A, [known.word] if known.word else [], time_limit=20)
    if known.word is None:
        assert [] == found
        return
    low, high = map(float, known.enclosure)
    assert low * (1 - 1e-9) <= found[0][1] <= high * (1 + 1e-9)
    assert len(found) == len({necklace_of(word) for word, _ in found})


@given(switched_systems(3, 2, rationals(4, 3)))
@settings(max_examples=12, deadline=None)
def test_words_as_good_as_the_best_short_ones_are_found(system):
    found = concatenated_words(system.A, [], max_length=16, time_limit=20)
    expected = brute_force_rate(system, 4)
    if expected > 1e-2:
        word, rate = found[0]
        assert rate >= expected * (1 - 1e-6)
        assert as_float(rate_of_word(system, word).rate_lower) == pytest.approx(rate, rel=1e-3)


def test_words_follow_a_graph():
    """Heavy ball where each letter must be used twice at least: the best word of the free system is no path."""
    A = family("heavy_ball").system.A
    graph = [(0, 0, 1), (1, 0, 0), (0, 1, 2), (2, 1, 0)]
    paired = SwitchedSystem(A, tuple(fmpq_mat(2, 1) for _ in A), graph=graph)
    unfolded = paired.unfolded()
    word, rate = best_long_word(unfolded.A, max_length=32)
    assert (0, 0, 1, 1) == necklace_of(paired.letters_along(word))
    assert rate == pytest.approx((9 / 8) ** 0.25)


def test_no_room_and_no_time_give_no_words():
    A = family("heavy_ball").system.A
    assert [] == concatenated_words(A, max_length=0) == concatenated_words(A, time_limit=0)
    assert [] == concatenated_words([fmpq_mat([[0]])])


@pytest.mark.parametrize("digits", [40, 400])
def test_huge_and_tiny_entries_lead_to_the_same_words(digits):
    A = family("late_growth").system.A
    for factor in (fmpq(10) ** digits, fmpq(10) ** -digits):
        assert [(0,) * 7 + (1,) * 7] == [word for word, _ in concatenated_words([factor * M for M in A], count=1)]

"""The driver: families of known joint spectral radius, the two-slope heavy ball, and edge cases."""

from __future__ import annotations

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import brute_force_rate, huge_rationals, rationals, switched_systems

from piggycheck.errors import SwitchedSystemError
from piggycheck.linalg import as_float
from piggycheck.stability import Contractive, Expansive, Open, decide
from piggycheck.switched import SwitchedSystem

FAMILIES = {
    "heavy ball, Bolte-Pauwels-Vaiter 2022": (
        [[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]],
        1.0321435344200298,
    ),
    "path-complete pair, Ahmadi-Jungers-Parrilo-Roozbehani 2014, 5.4": (
        [[[-1, -1], [-4, 0]], [[3, 3], [-2, 1]]],
        3.917384715148241,
    ),
    "nilpotent pair, Ahmadi-Parrilo 2012, 2.1": ([[[0, 1], [0, 0]], [[0, 0], [1, 0]]], 1.0),
    "golden triple, Jungers-Cicone-Guglielmi 2014, 6.3": (
        [[[0, 1, 1], [1, 0, 0], [0, -1, 0]], [[0, 1, 0], [-1, 0, 1], [-1, 0, 0]]],
        1.618033988749895,
    ),
    "Blondel-Theys-Vladimirov 2003": ([[[1, 1], [0, 1]], [[1, 0], [1, 1]]], 1.618033988749895),
    "Blondel-Theys-Vladimirov 2003, 9/10": (
        [[[1, 1], [0, 1]], [["9/10", 0], ["9/10", "9/10"]]],
        1.5350018208050782,
    ),
    "Dumas 2013, 5": ([[[1, 0], [0, 1]], [[3, -3], [3, 3]]], 4.242640687119285),
    "triangular, largest diagonal entry": ([[["1/2", 100], [0, "1/3"]], [["-2/5", -50], [0, "9/10"]]], 0.9),
    "rotations, orthogonal": ([[["3/5", "-4/5"], ["4/5", "3/5"]], [["5/13", "-12/13"], ["12/13", "5/13"]]], 1.0),
    "unbounded products": ([[[1, 1], [0, 1]], [[1, 0], [0, -1]]], 1.0),
    "rank one, (6/2)^(1/7)": ([[[1, 1], [0, 1]], [[0, 0], ["1/2", 0]]], 1.169930812758687),
    "late growth, Mejstrik": ([[[2, 1], [0, 2]], [[2, 0], [-1, 2]]], 2.36007056204988),
    "Kozyakin 2024": (
        [[[0, "-1000/1331"], ["1331/1000", -1]], [[0, "-1331/1000"], ["1000/1331", -1]]],
        1.21,
    ),
}
"""Rows and known joint spectral radius, from the papers named."""


def is_consistent(system, answer, rate):
    """Whether an answer proves what it says, from its own numbers."""
    if isinstance(answer, Contractive):
        return answer.proof.verify(system.A) and (answer.proof.rate < 1 if rate is None else answer.proof.rate <= rate)
    if isinstance(answer, Expansive):
        power = fmpq(1) if rate is None else rate ** len(answer.word)
        poly = system.product(answer.word)[0].charpoly()
        reached = max(abs(complex(root)) for root, _ in poly.complex_roots())
        large = answer.modulus_lower > power or (rate is None and answer.modulus_lower == 1)
        return large and as_float(answer.modulus_lower) <= reached * (1 + 1e-9)
    return answer.upper is None or answer.upper.verify(system.A)


def two_slopes(slope):
    return SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [[fmpq(7, 4) - slope, "-3/4"], [1, 0]]])


class TestKnownFamilies:
    @pytest.mark.parametrize(("rows", "radius"), FAMILIES.values(), ids=FAMILIES)
    def test_the_radius_lies_between_what_is_proved_and_what_is_refuted(self, rows, radius):
        """One per cent below the known value is refuted, two per cent above it is proved."""
        system = SwitchedSystem.from_rows(rows)
        below, above = fmpq(round(radius * 990), 1000), fmpq(round(radius * 1020) + 1, 1000)
        refuted = decide(system, below, time_limit=30)
        assert isinstance(refuted, Expansive)
        assert is_consistent(system, refuted, below)
        assert as_float(refuted.rate_lower) <= radius * (1 + 1e-12)
        proved = decide(system, above, time_limit=30)
        assert isinstance(proved, Contractive)
        assert is_consistent(system, proved, above)

    def test_gripenberg_between_his_bounds(self):
        """Gripenberg 1996, section 4: between 0.6596789 and 0.6596924, the best word has length 13."""
        system = SwitchedSystem.from_rows([[["3/5", 0], ["1/5", "3/5"]], [["3/5", "-3/5"], [0, "-1/5"]]])
        assert isinstance(decide(system, fmpq(6596, 10000), time_limit=30), Expansive)
        assert isinstance(decide(system, fmpq(6597, 10000), time_limit=30), Contractive)

    def test_a_radius_of_exactly_one_is_not_below_one(self):
        for rows, radius in FAMILIES.values():
            if radius == 1.0:
                answer = decide(SwitchedSystem.from_rows(rows))
                assert isinstance(answer, Expansive)
                assert fmpq(1) == answer.modulus_lower

    def test_a_radius_of_zero_is_proved_to_be_zero(self):
        system = SwitchedSystem.from_rows([[[0, 1, 2], [0, 0, 3], [0, 0, 0]], [[0, -1, 5], [0, 0, 7], [0, 0, 0]]])
        answer = decide(system)
        assert fmpq(0) == answer.proof.rate
        assert answer.proof.verify(system.A)

    def test_a_pair_that_no_quadratic_form_settles_is_left_open(self):
        """Ando and Shih 1998: the joint spectral radius is 1, and products of ever longer words are needed near it."""
        system = SwitchedSystem.from_rows([[[1, 0], [1, 0]], [[0, 1], [0, -1]]])
        answer = decide(system, fmpq(1001, 1000), time_limit=2)
        assert isinstance(answer, Open)
        assert fmpq(1) == answer.lower.rate_lower
        assert answer.upper.rate < fmpq(3, 2)
        assert answer.tried


class TestTwoSlopeHeavyBall:
    @pytest.mark.parametrize("k", range(1, 21))
    def test_every_slope_is_decided_and_agrees_with_brute_force(self, k):
        """All words up to length 12; the first letter of the second matrix is 7/4 - k/20."""
        system = two_slopes(fmpq(k, 20))
        answer = decide(system, time_limit=30)
        assert is_consistent(system, answer, None)
        rate = brute_force_rate(system, 12)
        if isinstance(answer, Contractive):
            assert rate <= as_float(answer.proof.rate) * (1 + 1e-6)
            assert as_float(answer.lower.rate_lower) <= as_float(answer.proof.rate)
        else:
            assert isinstance(answer, Expansive)
            assert rate >= 1 - 1e-6

    def test_the_mild_pair_converges_with_one_quadratic_form(self):
        answer = decide(two_slopes(fmpq(4, 5)))
        assert answer.proof.is_quadratic
        assert answer.rate_upper < fmpq(19, 20)

    def test_the_pair_of_the_paper_diverges_by_its_word(self):
        answer = decide(two_slopes(fmpq(1, 4)))
        assert ((0, 0, 1, 1), fmpq(9, 8), 4) == (answer.word, answer.modulus_lower, answer.stable_below)


class TestEdges:
    @pytest.mark.parametrize(
        ("rows", "rate"),
        [
            ([[[0]]], "0"),
            ([[[0, 0], [0, 0]], [[0, 0], [0, 0]]], "0"),
            ([[[0, 1], [0, 0]]], "0"),
        ],
    )
    def test_zero(self, rows, rate):
        assert rate == str(decide(SwitchedSystem.from_rows(rows)).proof.rate)

    @pytest.mark.parametrize(
        "rows",
        [
            [[["1/2"]]],
            [[["1/2"]], [["-2/3"]]],
            [[["3/4", "-3/4"], [1, 0]], [["3/4", "-3/4"], [1, 0]]],
            [[[1 / fmpq(10) ** 400]]],
            [[["1/2", fmpq(10) ** 200], [0, "1/3"]]],
            [[["1/2", 1, 1], [0, "1/2", 1], [0, 0, "1/2"]]],
            [[[fmpq(10**60 - 1, 10**60)]]],
        ],
        ids=["scalar", "two scalars", "identical", "tiny", "badly scaled", "Jordan block", "barely below one"],
    )
    def test_contractive(self, rows):
        system = SwitchedSystem.from_rows(rows)
        answer = decide(system, time_limit=20)
        assert isinstance(answer, Contractive)
        assert is_consistent(system, answer, None)

    @pytest.mark.parametrize(
        "rows",
        [
            [[[1]]],
            [[[-1]], [["1/2"]]],
            [[[fmpq(10) ** 400]]],
            [[[1 + 1 / fmpq(10) ** 60]]],
            [[[0, -1], [1, 0]]],
            [[["1/2", 0], [0, -2]]],
        ],
    )
    def test_expansive(self, rows):
        system = SwitchedSystem.from_rows(rows)
        answer = decide(system)
        assert isinstance(answer, Expansive)
        assert answer.modulus_lower >= 1

    def test_a_rate_equal_to_the_radius(self):
        """At most 1/2 is true of the scalar 1/2, below 1/2 would not be; at most 49/100 is refuted."""
        system = SwitchedSystem.from_rows([[["1/2"]]])
        assert fmpq(1, 2) == decide(system, fmpq(1, 2)).proof.rate
        assert isinstance(decide(system, fmpq(49, 100)), Expansive)

    def test_a_modulus_barely_above_the_rate_is_seen(self):
        """By less than floating point resolves."""
        system = SwitchedSystem.from_rows([[[fmpq(1, 2) + 1 / fmpq(10) ** 40, 0], [7, fmpq(1, 3)]]])
        answer = decide(system, fmpq(1, 2))
        assert isinstance(answer, Expansive)
        assert answer.modulus_lower > fmpq(1, 2)

    def test_a_rate_must_be_positive(self):
        with pytest.raises(SwitchedSystemError, match="write a positive number"):
            decide(SwitchedSystem.from_rows([[[1]]]), fmpq(0))

    def test_no_time_leaves_the_question_open(self):
        answer = decide(two_slopes(fmpq(4, 5)), time_limit=0)
        assert isinstance(answer, Open)
        assert answer.lower.rate_lower > 0

    def test_an_interrupt_is_not_swallowed(self, monkeypatch):
        def interrupted(*args, **kwargs):
            raise KeyboardInterrupt

        monkeypatch.setattr("piggycheck.stability.semidefinite._minimise", interrupted)
        with pytest.raises(KeyboardInterrupt):
            decide(two_slopes(fmpq(2, 5)))

    def test_a_solver_that_fails_costs_no_verdict_here(self, monkeypatch):
        monkeypatch.setattr("piggycheck.stability.semidefinite._minimise", lambda *args: None)
        assert isinstance(decide(two_slopes(fmpq(2, 5)), time_limit=20), Contractive)

    def test_twenty_dimensions(self):
        n = 20
        rows = [[fmpq(1, 2) if i == j else fmpq(1, 30) for j in range(n)] for i in range(n)]
        shifted = [[fmpq(1, 2) if i == (j + 1) % n else fmpq(0) for j in range(n)] for i in range(n)]
        system = SwitchedSystem.from_rows([rows, shifted])
        answer = decide(system, fmpq(2), time_limit=30)
        assert isinstance(answer, Contractive)
        assert answer.proof.verify(system.A)


@given(switched_systems(3, 3, rationals(6, 9)), st.sampled_from([None, fmpq(1), fmpq(1, 2), fmpq(2)]))
@settings(max_examples=60, deadline=None)
def test_no_answer_contradicts_its_own_numbers_or_brute_force(system, rate):
    answer = decide(system, rate, time_limit=1)
    assert is_consistent(system, answer, rate)
    if isinstance(answer, Contractive):
        assert brute_force_rate(system, 5) <= as_float(answer.proof.rate) * (1 + 1e-3) + 1e-2


@given(switched_systems(2, 2, huge_rationals()))
@settings(max_examples=40, deadline=None)
def test_huge_numbers_never_crash_it(system):
    assert is_consistent(system, decide(system, time_limit=1), None) or system.dimension
    assert isinstance(decide(SwitchedSystem.from_rows([fmpq_mat([[0]])])), Contractive)

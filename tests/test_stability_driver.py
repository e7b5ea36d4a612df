"""The driver: families of known joint spectral radius, the two-slope heavy ball, and edge cases."""

from __future__ import annotations

from itertools import pairwise

import pytest
from flint import fmpq, fmpq_mat
from hypothesis import given, settings
from hypothesis import strategies as st
from matrix_strategies import brute_force_rate, huge_rationals, rationals, switched_systems

from piggycheck.errors import SwitchedSystemError
from piggycheck.linalg import as_float
from piggycheck.stability import Contractive, Expansive, Open, WordTree, decide, joint_spectral_radius
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


HEAVY_BALL = FAMILIES["heavy ball, Bolte-Pauwels-Vaiter 2022"][0]


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

    def test_what_no_word_tree_settles_in_time_is_left_open_by_word_trees_and_proved_by_a_polytope(self):
        """Ando and Shih 1998: the joint spectral radius is 1, and word trees need ever longer words near it."""
        system = SwitchedSystem.from_rows([[[1, 0], [1, 0]], [[0, 1], [0, -1]]])
        left = decide(system, fmpq(1001, 1000), time_limit=1, trees_only=True)
        assert isinstance(left, Open)
        assert fmpq(1) == left.lower.rate_lower
        assert left.upper.rate < fmpq(3, 2)
        assert left.tried
        answer = decide(system, fmpq(1))
        assert fmpq(1) == answer.proof.rate
        assert answer.proof.verify(system.A)


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
        assert (fmpq(0), None) == (answer.lower.rate_lower, answer.upper)

    def test_an_interrupt_is_not_swallowed(self, monkeypatch):
        def interrupted(*args, **kwargs):
            raise KeyboardInterrupt

        monkeypatch.setattr("piggycheck.stability.semidefinite._maximise_last", interrupted)
        with pytest.raises(KeyboardInterrupt):
            decide(two_slopes(fmpq(2, 5)))

    def test_a_solver_that_fails_costs_no_verdict_here(self, monkeypatch):
        monkeypatch.setattr("piggycheck.stability.semidefinite._maximise_last", lambda *args: None)
        assert isinstance(decide(two_slopes(fmpq(2, 5)), time_limit=20), Contractive)

    def test_twenty_dimensions(self):
        n = 20
        rows = [[fmpq(1, 2) if i == j else fmpq(1, 30) for j in range(n)] for i in range(n)]
        shifted = [[fmpq(1, 2) if i == (j + 1) % n else fmpq(0) for j in range(n)] for i in range(n)]
        system = SwitchedSystem.from_rows([rows, shifted])
        answer = decide(system, fmpq(2), time_limit=30)
        assert isinstance(answer, Contractive)
        assert answer.proof.verify(system.A)


def bounds_of(rows, **arguments):
    return joint_spectral_radius(SwitchedSystem.from_rows(rows), **arguments)


class TestBounds:
    @pytest.mark.parametrize(("rows", "radius"), FAMILIES.values(), ids=FAMILIES)
    def test_the_known_radius_lies_between_proved_bounds_that_are_close(self, rows, radius):
        system = SwitchedSystem.from_rows(rows)
        bounds = joint_spectral_radius(system, time_limit=30)
        assert bounds.upper.verify(system.A)
        assert as_float(bounds.lower_rate) <= radius * (1 + 1e-12)
        assert radius <= as_float(bounds.upper_rate) * (1 + 1e-12)
        assert bounds.upper_rate <= bounds.lower_rate * fmpq(1001, 1000)

    def test_bounds_only_improve_and_are_told_at_once(self):
        told = []
        bounds = bounds_of(HEAVY_BALL, tolerance=fmpq(1, 10**5), time_limit=30, progress=told.append)
        assert tuple(told) == bounds.history
        for before, after in pairwise(told):
            assert before.lower <= after.lower
            assert before.upper is None or after.upper <= before.upper
            assert before.seconds <= after.seconds
        assert (told[-1].lower, told[-1].upper) == (bounds.lower_rate, bounds.upper_rate)

    def test_an_interrupt_leaves_the_bounds_that_were_proved(self):
        def interrupt(moment):
            if moment.upper is not None:
                raise KeyboardInterrupt

        bounds = bounds_of(HEAVY_BALL, tolerance=fmpq(1, 10**5), progress=interrupt)
        assert bounds.interrupted
        assert bounds.upper.verify(SwitchedSystem.from_rows(HEAVY_BALL).A)
        assert fmpq(1) < bounds.lower_rate <= bounds.upper_rate

    def test_no_time_proves_nothing(self):
        bounds = bounds_of(HEAVY_BALL, time_limit=0)
        assert (fmpq(0), None, "", 0) == (bounds.lower_rate, bounds.upper_rate, bounds.method, bounds.nodes)

    def test_an_upper_bound_ends_the_search_as_soon_as_it_is_known(self):
        """The bounds stay apart: nobody asked for more."""
        bounds = bounds_of(HEAVY_BALL, upper=fmpq(2), time_limit=30)
        assert bounds.upper_rate <= 2
        assert len(bounds.history) < 4

    def test_a_false_upper_bound_is_refuted_by_a_word(self):
        bounds = bounds_of(HEAVY_BALL, upper=fmpq(1032, 1000), time_limit=30)
        assert bounds.lower.modulus_lower > fmpq(1032, 1000) ** len(bounds.lower.word)

    def test_a_lower_bound_is_settled_by_a_word_or_by_a_proof_below_it(self):
        assert bounds_of(HEAVY_BALL, lower=fmpq(103214353, 10**8), time_limit=30).lower_rate >= fmpq(103214353, 10**8)
        bounds = bounds_of(HEAVY_BALL, lower=fmpq(1033, 1000), time_limit=30)
        assert bounds.upper_rate < fmpq(1033, 1000)

    def test_a_radius_of_exactly_one_is_both_bounds(self):
        for rows, radius in FAMILIES.values():
            if radius == 1.0:
                bounds = bounds_of(rows, time_limit=30)
                assert (fmpq(1), fmpq(1)) == (bounds.lower_rate, bounds.upper_rate)

    @pytest.mark.parametrize("name", ["tolerance", "lower", "upper"])
    def test_what_is_asked_must_be_positive(self, name):
        with pytest.raises(SwitchedSystemError, match=f"`{name}` is 0; write a positive number"):
            bounds_of([[[1]]], **{name: fmpq(0)})

    def test_what_is_no_system_is_refused(self):
        with pytest.raises(SwitchedSystemError, match="is no switched system; write SwitchedSystem.from_rows"):
            joint_spectral_radius([[1]])


class TestStructure:
    def test_blocks_are_bounded_one_by_one(self):
        """A heavy ball above a scalar of larger modulus: the scalar alone decides, exactly."""
        A = [[["3/4", "-3/4", 5], [1, 0, 7], [0, 0, c]] for c in (2, "1/2")]
        bounds = bounds_of(A)
        assert (fmpq(2), fmpq(2), "blocks") == (bounds.lower_rate, bounds.upper_rate, bounds.method)

    def test_equal_and_zero_matrices_change_nothing(self):
        mild = [["3/4", "-3/4"], [1, 0]], [["19/20", "-3/4"], [1, 0]]
        zero = [[0, 0], [0, 0]]
        rows = [zero, mild[0], mild[0], zero, mild[1]]
        system = SwitchedSystem.from_rows(rows)
        answer = decide(system)
        assert isinstance(answer, Contractive)
        assert answer.proof.verify(system.A)
        assert set(answer.lower.word) <= {1, 4}

    def test_only_word_trees_when_they_are_asked_for(self):
        system = SwitchedSystem.from_rows(FAMILIES["triangular, largest diagonal entry"][0])
        answer = decide(system, trees_only=True)
        assert isinstance(answer.proof, WordTree)
        assert answer.proof.verify(system.A)

    def test_numbers_of_very_different_size(self):
        """Balanced by powers of two: the radius is that of [[1, 1], [1, 0]], the golden ratio."""
        huge = fmpq(2) ** 300
        system = SwitchedSystem.from_rows([[[1, huge], [1 / huge, 0]]])
        bounds = joint_spectral_radius(system)
        assert bounds.upper.verify(system.A)
        assert fmpq(1618, 1000) < bounds.lower_rate <= bounds.upper_rate < fmpq(1621, 1000)


class TestGraphs:
    def test_no_letter_twice_in_a_row(self):
        """Without 1 1 the best words over 2 and 3 alternate: the square root of 6."""
        system = SwitchedSystem.from_rows([[[2]], [[3]]], graph=[(0, 0, 0), (0, 1, 1), (1, 0, 0)])
        bounds = joint_spectral_radius(system)
        assert system.letters_along(bounds.lower.word) in ((0, 1), (1, 0))
        assert bounds.upper.verify(system.unfolded().A)
        assert bounds.lower_rate**2 <= 6 <= bounds.upper_rate**2

    def test_a_graph_that_forbids_growth(self):
        """The pair grows along 0 0 1 1 only when equal letters may follow each other."""
        alternating = SwitchedSystem.from_rows(HEAVY_BALL, graph=[(0, 0, 1), (1, 1, 0)])
        assert isinstance(decide(SwitchedSystem.from_rows(HEAVY_BALL)), Expansive)
        answer = decide(alternating)
        assert isinstance(answer, Contractive)
        assert answer.proof.verify(alternating.unfolded().A)


class TestIntervals:
    def test_every_choice_is_covered(self):
        rows = [[["3/4", "-3/4"], [1, 0]], [[["19/20", "1"], "-3/4"], [1, 0]]]
        system = SwitchedSystem.from_rows(rows)
        answer = decide(system)
        assert isinstance(answer, Contractive)
        assert answer.proof.verify(system.A)
        for corner in ("19/20", "39/40", "1"):
            chosen = SwitchedSystem.from_rows([rows[0], [[corner, "-3/4"], [1, 0]]])
            assert brute_force_rate(chosen, 10) <= as_float(answer.proof.rate)

    def test_an_interval_that_reaches_too_far_is_not_contractive(self):
        """At 3/2 the pair diverges, at 19/20 it converges: for all choices nothing holds."""
        system = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [[["19/20", "3/2"], "-3/4"], [1, 0]]])
        assert isinstance(decide(system, time_limit=1), Open)

    def test_a_certain_letter_bounds_uncertain_sets_from_below(self):
        """The exact letter has the spectral radius sqrt(3)/2, whatever the other one is."""
        bounds = bounds_of([[["3/4", "-3/4"], [1, 0]], [[["7/5", "3/2"], "-3/4"], [1, 0]]], time_limit=10)
        assert bounds.lower_rate**2 > fmpq(3, 4) - fmpq(1, 10**9)
        assert bounds.upper_rate < fmpq(104, 100)

    def test_scalars(self):
        bounds = bounds_of([[[["1/2", "2/3"]]], [[["-3/5", "-2/5"]]]])
        assert (fmpq(1, 2), fmpq(2, 3)) == (bounds.lower_rate, bounds.upper_rate)


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
    assert is_consistent(system, decide(system, time_limit=1), None)
    assert isinstance(decide(SwitchedSystem.from_rows([fmpq_mat([[0]])])), Contractive)

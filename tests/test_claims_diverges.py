"""The claim *diverges*: words, excitation and lengths, by hand and against brute force."""

from __future__ import annotations

from fractions import Fraction
from itertools import product

import numpy as np
import pytest
import sympy as sp
from certificate_helper import assert_certified, content_of, holds, proved, refuted, undecided
from hypothesis import assume, given
from hypothesis import strategies as st
from matrix_strategies import rationals
from strategies import STATE, examples

from piggycheck.algorithms import forward_backward, heavy_ball
from piggycheck.claims import Diverges, Proved, Refuted, Undecided, prove
from piggycheck.derivation import WordStep
from piggycheck.errors import InputError
from piggycheck.functions import l1
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, z, theta = sp.symbols("x y z theta", real=True)
P = sp.Piecewise
CLAIM = Diverges()
PAIR = [[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]]


def ball(slope="1/4", start="theta"):
    objective = f"Piecewise((x**2/2, x >= 0), ({slope}*x**2/2, True))"
    return heavy_ball(objective, ["x"], 1, "3/4", parameters=["theta"], start=None if start is None else [start])


def about(*following, start=None):
    return Iteration(SymbolicMap(STATE[: len(following)], following, [theta]), start)


def fractions(rows):
    return [[Fraction(c) for c in row] for row in rows]


def times(A, B):
    return [
        [sum((a * b for a, b in zip(row, column, strict=True)), Fraction(0)) for column in zip(*B, strict=True)]
        for row in A
    ]


def follow(content, rounds):
    """Sizes of the derivative along the word of a certificate, repeated, by the recursion itself."""
    pieces = content.get("pieces") or [
        {"A": A, "B": B} for A, B in zip(content["switched"]["A"], content["switched"]["B"], strict=True)
    ]
    J, sizes = fractions(content["J0"] if "J0" in content else [["1"]] * len(pieces[0]["A"])), []
    for _ in range(rounds):
        for letter in content["witness"]["word"]:
            A, B = (fractions(pieces[int(letter)][name]) for name in "AB")
            J = [[a + b for a, b in zip(r, s, strict=True)] for r, s in zip(times(A, J), B, strict=True)]
        sizes.append(max(abs(c) for row in J for c in row))
    return sizes


class TestThePaper:
    def test_the_word_its_eigenvalue_and_the_excitation(self):
        verdict = proved(CLAIM, ball(), {"theta": 0})
        assert ([0, 0, 1, 1], 4, "-9/8") == tuple(verdict.value[k] for k in ("word", "word_length", "eigenvalue"))
        assert verdict.value["shortest"] is True
        assert ["1"] == verdict.value["excitation"]
        growth = Fraction(verdict.value["growth_lower"])
        assert 1.02988 < growth < 1.02989 and growth**4 <= Fraction(9, 8)

    def test_the_recursion_along_the_word_grows_by_nine_eighths(self):
        sizes = follow(content_of(proved(CLAIM, ball(), {"theta": 0})), 12)
        assert Fraction(9, 8) ** 12 == sizes[-1]

    @pytest.mark.parametrize(("length", "kind"), [(4, proved), (3, refuted), (5, refuted), (1, refuted)])
    def test_the_shortest_length_is_four(self, length, kind):
        kind(Diverges(word_length=length), ball(), {"theta": 0})

    def test_a_certificate_of_length_four_is_none_of_length_three_or_five(self):
        content = content_of(prove(Diverges(word_length=4), ball(), {"theta": 0}))
        for length in ("3", "5"):
            assert not holds({**content, "claim": {**content["claim"], "word_length": length}})

    def test_away_from_the_kink_the_start_does_not_matter(self):
        """The fixed point is 0 for every parameter: the recursion there is the same, for some J_0."""
        verdict = proved(CLAIM, ball(), {"theta": 1})
        assert "for some J_0" in verdict.statement

    def test_without_a_start_it_is_about_some_J0(self):
        assert "for some J_0" in proved(CLAIM, ball(start=None), {"theta": 0}).statement

    def test_as_matrices(self):
        proved(CLAIM, SwitchedSystem.from_rows(PAIR, J0=[[1], [1]]))
        proved(Diverges(word_length=4), SwitchedSystem.from_rows(PAIR))

    @pytest.mark.parametrize("slope", ["1", "4/5"])
    def test_equal_and_mild_slopes_do_not(self, slope):
        refuted(CLAIM, ball(slope), {"theta": 0})

    @pytest.mark.parametrize("step", range(1, 21))
    def test_the_grid_of_slopes_agrees_with_brute_force(self, step):
        """No verdict on the slopes (1, s), s = step/20, contradicts all words up to length 12."""
        verdict = prove(CLAIM, ball(f"{step}/20"), {"theta": 0}, time_limit=2.0)
        matrices = [np.array([[1.75 - s, -0.75], [1, 0]]) for s in (1, step / 20)]
        radii, products = {}, [np.eye(2)]
        for n in range(1, 13):
            products = [A @ M for M in products for A in matrices]
            radii[n] = max(max(abs(np.linalg.eigvals(M))) for M in products)
        if any(radius > 1 + 1e-9 for radius in radii.values()):
            assert isinstance(verdict, Proved)
            assert verdict.value["word_length"] == min(n for n, radius in radii.items() if radius > 1 + 1e-9)
        if isinstance(verdict, Refuted):
            assert max(radii.values()) < 1
        if not isinstance(verdict, Undecided):
            assert_certified(verdict)


class TestExcitation:
    def test_a_growing_direction_that_the_start_does_not_excite(self):
        """A = diag(2, 1/2), and J_0 lies in the second coordinate."""
        about_second = about(2 * x, y / 2, start=[0, theta])
        assert not isinstance(prove(CLAIM, about_second, {theta: 0}), Proved)
        proved(CLAIM, about(2 * x, y / 2, start=[theta, 0]), {theta: 0})

    def test_a_word_that_the_start_does_not_excite(self):
        system = SwitchedSystem.from_rows([[[2, 0], [0, "1/2"]]], J0=[[0], [1]])
        assert "excites none" in undecided(CLAIM, system).reason
        proved(CLAIM, SwitchedSystem.from_rows([[[2, 0], [0, "1/2"]]], J0=[[1], [0]]))

    def test_the_constant_part_can_excite(self):
        """J -> 2J + 1 from 0."""
        proved(CLAIM, about(2 * x + theta, start=[0]), {theta: 0})

    def test_the_constant_part_can_cancel(self):
        """J -> 2J + 1 from -1 stays at -1."""
        assert not isinstance(prove(CLAIM, about(2 * x + theta, start=[-theta]), {theta: 0}), Proved)

    def test_another_word_excites(self):
        """From J_0 = -1 the first pair stands still; the second, J -> 2J, moves away."""
        system = SwitchedSystem.from_rows([[[2]], [[2]]], [[[1]], [[0]]], J0=[[-1]])
        verdict = proved(CLAIM, system)
        sizes = follow(content_of(verdict), 8)
        assert sizes[-1] > 2**6

    def test_complex_eigenvalues_need_no_eigenvector(self):
        verdict = proved(CLAIM, SwitchedSystem.from_rows([[[1, -1], [1, 1]]], J0=[[1], [0]]))
        assert "eigenvalue" not in verdict.value
        assert Fraction(verdict.value["growth_lower"]) ** 2 <= 2

    def test_a_changed_J0_that_is_not_excited_is_noticed(self):
        content = content_of(proved(CLAIM, SwitchedSystem.from_rows([[[2, 0], [0, "1/2"]]], J0=[[1], [0]])))
        assert not holds({**content, "J0": [["0"], ["1"]]})

    @examples(40)
    @given(st.lists(rationals(3, 2), min_size=3, max_size=3), rationals(3, 2), rationals(3, 1))
    def test_along_a_proved_word_the_recursion_really_grows(self, entries, constant, start):
        a, b, c = entries
        system = SwitchedSystem.from_rows(
            [[[a, b], [c, 1]], [[0, 1], [b, a]]], [[[constant], [0]], [[0], [1]]], J0=[[start], [1]]
        )
        verdict = prove(CLAIM, system, time_limit=1.0)
        if isinstance(verdict, Undecided):
            return
        content = assert_certified(verdict)
        if isinstance(verdict, Proved):
            sizes = follow(content, 60)
            growth = float(Fraction(verdict.value["growth_lower"])) ** verdict.value["word_length"]
            assert float(max(sizes[-4:])) >= 1e-6 * growth**50 or growth < 1.2
        else:
            matrices = [np.array([[float(Fraction(str(e))) for e in row] for row in A.table()]) for A in system.A]
            for word in product(matrices, repeat=5):
                assert max(abs(np.linalg.eigvals(np.linalg.multi_dot(word)))) < 1


class TestHonesty:
    def test_a_radius_of_exactly_one_does_not_diverge_and_is_not_bounded_either(self):
        undecided(CLAIM, SwitchedSystem.from_rows([[[1]]], J0=[[1]]))
        undecided(CLAIM, about(x, start=[theta]), {theta: 0})

    def test_it_does_not_rest_on_a_piece_that_is_undecided(self):
        """No point has -x**2 - y**2 + x**2 y**2 > 0 near 0, but that is not proved."""
        ghost = P((3 * x, -(x**2) - y**2 + x**2 * y**2 > 0), (x / 2, True))
        verdict = prove(CLAIM, about(ghost + theta, y / 2, start=[theta, theta]), {theta: 0})
        assert isinstance(verdict, Undecided)

    def test_it_does_not_rest_on_a_piece_that_is_not_essentially_active(self):
        """At x = 0 alone the slope is 3."""
        point = P((3 * x, sp.Eq(x, 0)), (x / 2, True))
        refuted(CLAIM, about(point + theta, start=[theta]), {theta: 0})
        axis = P((2 * z, (x >= 0) & (y >= 0) & (x + y <= 0)), (z / 2, True))
        refuted(CLAIM, about(x / 2, y / 2, axis, start=[theta, theta, theta]), {theta: 0})

    def test_a_start_with_a_kink_has_no_single_J0(self):
        assert "J_0 is not one matrix" in undecided(CLAIM, about(2 * x, start=[sp.Abs(theta)]), {theta: 0}).reason

    def test_lasso_at_the_kink_does_not(self):
        lasso = forward_backward(
            "(x - 2)**2/2", l1(sp.Symbol("lam", real=True)), ["x"], "1/2", parameters=["lam"], start=[0]
        )
        refuted(CLAIM, lasso, {"lam": 2})

    def test_without_a_fixed_point_there_is_no_answer(self):
        undecided(CLAIM, about(x + 1 + theta), {theta: 0})


class TestGraphs:
    TURNS = ((0, 0, 1), (1, 1, 0))

    def test_growth_along_a_cycle(self):
        """2 and 3/4 by turns: 3/2 in two steps."""
        pair = SwitchedSystem.from_rows([[[2]], [["3/4"]]], J0=[[1]], graph=self.TURNS)
        verdict = proved(CLAIM, pair)
        assert "along the words that the graph allows" in verdict.statement
        assert ([0, 1], "3/2") == (sorted(verdict.value["word"]), verdict.value["eigenvalue"])
        proved(Diverges(word_length=2), pair)
        refuted(Diverges(word_length=3), pair)
        refuted(Diverges(word_length=1), pair)

    def test_no_growth_along_a_cycle(self):
        """2 and 1/4 by turns."""
        refuted(CLAIM, SwitchedSystem.from_rows([[[2]], [["1/4"]]], J0=[[1]], graph=self.TURNS))

    def test_the_pair_of_the_paper_where_runs_have_two_letters_at_least(self):
        """The step is told in the coordinates of the pair, not of the graph."""
        runs = [(0, 0, 1), (1, 0, 1), (1, 1, 2), (2, 1, 3), (3, 1, 3), (3, 0, 0)]
        verdict = proved(CLAIM, SwitchedSystem.from_rows(PAIR, J0=[[1], [1]], graph=runs))
        word, step = verdict.value["word"], verdict.derivation.first(WordStep)
        assert any([0, 0, 1, 1] == word[k:] + word[:k] for k in range(4))
        assert (2, 2, 2) == (step.A.nrows(), step.J0.nrows(), len(step.left_eigenvector))
        assert content_of(verdict)["J0"] == [["1"], ["1"]]

    def test_without_a_start_one_is_found(self):
        graph = [(5, 1, 7), (7, 0, 5)]
        verdict = proved(CLAIM, SwitchedSystem.from_rows([[[2, 0], [0, 1]], [[1, 0], [0, "1/2"]]], graph=graph))
        J0 = content_of(verdict)["J0"]
        assert (2, 1) == (len(J0), len(J0[0])) and J0[0] != ["0"]

    def test_a_start_that_is_not_excited(self):
        graph = [(0, 1, 1), (1, 0, 0)]
        system = SwitchedSystem.from_rows([[[2, 0], [0, 1]], [[1, 0], [0, "1/2"]]], J0=[[0], [1]], graph=graph)
        assert "excites none" in undecided(CLAIM, system).reason


class TestIntervals:
    def test_a_proved_contraction_refutes(self):
        refuted(CLAIM, SwitchedSystem.from_rows([[[["1/3", "1/2"]]]]))

    def test_words_are_not_looked_for(self):
        reason = undecided(CLAIM, SwitchedSystem.from_rows([[[["3/2", 2]]]], J0=[[1]]), time_limit=1.0).reason
        assert "only between bounds" in reason


class TestWordLength:
    @pytest.mark.parametrize("length", [0, -1, "4", 1.0, True])
    def test_a_length_is_a_positive_integer(self, length):
        with pytest.raises(InputError, match="word_length"):
            Diverges(word_length=length)

    def test_one_letter(self):
        system = SwitchedSystem.from_rows([[["1/2"]], [[2]]])
        proved(Diverges(word_length=1), system)
        refuted(Diverges(word_length=2), system)

    def test_a_bounded_system_has_no_word_of_any_length(self):
        refuted(Diverges(word_length=2), SwitchedSystem.from_rows([[["1/2"]]]))

    @examples(25)
    @given(st.integers(1, 5), st.lists(st.integers(0, 2), min_size=8, max_size=8))
    def test_lengths_agree_with_brute_force(self, length, entries):
        matrices = [np.array(entries[:4], float).reshape(2, 2) / 2, np.array(entries[4:], float).reshape(2, 2) / 2]
        radii = {
            n: max(
                max(abs(np.linalg.eigvals(np.linalg.multi_dot([np.eye(2), *word]))))
                for word in product(matrices, repeat=n)
            )
            for n in range(1, 7)
        }
        assume(all(abs(radius - 1) > 1e-6 for radius in radii.values()))
        rows = [[[f"{e}/2" for e in entries[i : i + 2]] for i in (start, start + 2)] for start in (0, 4)]
        verdict = prove(Diverges(word_length=length), SwitchedSystem.from_rows(rows), time_limit=1.0)
        shortest = next((n for n, radius in radii.items() if radius > 1), None)
        if isinstance(verdict, Proved):
            assert length == shortest
        if isinstance(verdict, Refuted):
            assert length != shortest
        if not isinstance(verdict, Undecided):
            assert_certified(verdict)


def test_a_start_whose_derivative_is_not_known_stays_open():
    """Fixed because irrational terms cancel, or of infinite derivative."""
    zero = sp.sqrt(3 + 2 * sp.sqrt(2)) - 1 - sp.sqrt(2)
    undecided(CLAIM, about(2 * x, start=[theta + zero]), {theta: 0})
    undecided(CLAIM, about(2 * x, start=[sp.sqrt(theta)]), {theta: 0})


def test_where_no_word_grows_more_time_is_not_asked_for():
    """Products of two nilpotent matrices stay bounded, and the joint spectral radius is exactly 1."""
    swap = SwitchedSystem.from_rows([[[0, 1], [0, 0]], [[0, 0], [1, 0]]])
    verdict = undecided(Diverges(), swap)
    assert "asking for the joint spectral radius, which may be exactly 1" == verdict.would_help
    deaf = SwitchedSystem.from_rows([[[2, 0], [0, "1/2"]]], J0=[[0], [1]])
    assert "another start" == undecided(Diverges(), deaf).would_help

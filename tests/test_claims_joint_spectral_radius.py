"""The claim on the joint spectral radius: known values are proved, false bounds refuted, and no more is said."""

from __future__ import annotations

import copy
import re
import sys
from fractions import Fraction
from functools import cache

import pytest
import sympy as sp
from certificate_helper import changed_numbers, content_of, holds, proved, refuted, undecided
from flint import fmpq, fmpq_mat

from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.claims import JointSpectralRadius, Undecided, prove
from piggycheck.claims.joint_spectral_radius import _bounds_products
from piggycheck.derivation import BoundsStep, ContractionStep, WordStep
from piggycheck.errors import InputError
from piggycheck.iteration import Iteration
from piggycheck.linalg import entries
from piggycheck.maps import SymbolicMap
from piggycheck.stability.answers import Bounds
from piggycheck.stability.words import rate_of_word
from piggycheck.switched import SwitchedSystem

x, theta = sp.symbols("x theta", real=True)
STEEP = [["3/4", "-3/4"], [1, 0]]
GENTLE = [["3/2", "-3/4"], [1, 0]]
BALL = SwitchedSystem.from_rows([STEEP, GENTLE])
SWAP = SwitchedSystem.from_rows([[[0, 1], [0, 0]], [[0, 0], [1, 0]]])
JORDAN = SwitchedSystem.from_rows([[[1, 1], [0, 1]]])
NILPOTENT = SwitchedSystem.from_rows([[[0, 1, 2], [0, 0, 3], [0, 0, 0]], [[0, 0, 1], [0, 0, 0], [0, 0, 0]]])
ALTERNATING = SwitchedSystem.from_rows([[[2]], [[3]]], graph=[(0, 0, 1), (1, 1, 0)])
BETWEEN = SwitchedSystem.from_rows([[[["3/10", "1/2"]]]])


def ball():
    f = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
    return heavy_ball(f, ["x"], 1, "3/4", parameters=["theta"], start=["theta"]), {"theta": 0}


def about(following, start=None):
    return Iteration(SymbolicMap([x], [following], [theta]), start), {"theta": 0}


class TestFields:
    def test_nothing_claimed_means_a_tolerance_of_a_thousandth(self):
        assert JointSpectralRadius().fields() == {"lower": None, "upper": None, "tolerance": fmpq(1, 1000)}
        assert JointSpectralRadius(upper=1).tolerance is None

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"lower": -1}, "lower of `joint_spectral_radius`: -1 is negative; write 0 or a positive number"),
            ({"upper": "-1/2"}, "upper of `joint_spectral_radius`: -1/2 is negative; write 0 or a positive number"),
            ({"lower": 2, "upper": 1}, "lower of `joint_spectral_radius`: 2 exceeds upper = 1; exchange them"),
            ({"tolerance": 0}, "tolerance of `joint_spectral_radius`: 0 is not positive; write a positive number"),
            ({"tolerance": "-0.1"}, "tolerance of `joint_spectral_radius`: -1/10 is negative"),
            (
                {"upper": sp.sqrt(2)},
                "upper of `joint_spectral_radius`: `sqrt(2)` is irrational; write a rational number",
            ),
            ({"tolerance": "-1/9"}, "-1/9 is negative; write a positive number such as 1/1000"),
            ({"upper": 0.5}, 'the float 0.5 is not exact; write "0.5"'),
        ],
    )
    def test_senseless_fields_get_one_line(self, fields, message):
        with pytest.raises(InputError) as error:
            JointSpectralRadius(**fields)
        assert message in str(error.value) and "\n" not in str(error.value)

    @pytest.mark.parametrize(
        ("fields", "claimed"),
        [
            ({}, "is known up to a factor of 1 + 1/1000"),
            ({"upper": "1.0322"}, "is at most 1.0322"),
            ({"lower": "9/8"}, "is at least 9/8"),
            ({"lower": 1, "upper": 1}, "is 1"),
            (
                {"lower": 1, "upper": 2, "tolerance": 1},
                "is at least 1 and at most 2 and is known up to a factor of 1 + 1",
            ),
        ],
    )
    def test_the_statement_says_what_is_claimed(self, fields, claimed):
        verdict = prove(JointSpectralRadius(**fields), SWAP, time_limit=0.1)
        assert verdict.statement == f"the joint spectral radius {claimed}"


class TestKnownValues:
    """Proved where true, refuted where false; every certificate is checked."""

    def test_the_heavy_ball(self):
        """1.0321435344..., along the word 0 0 1 1 0 0 1 1 0 1 1 read in some rotation."""
        verdict = proved(JointSpectralRadius(lower="1.03214353", upper="1.0322"), BALL)
        assert Fraction("1.03214353") <= Fraction(verdict.value["lower"]) <= Fraction("1.0321435345")
        assert Fraction("1.0321435344") <= Fraction(verdict.value["upper"]) <= Fraction("1.0322")
        assert sorted(verdict.value["word"]) == [0] * 6 + [1] * 5
        assert "bounded_products" not in verdict.value

    def test_too_small_an_upper_bound_is_refuted_by_a_word(self):
        verdict = refuted(JointSpectralRadius(upper="1.03"), BALL)
        assert set(content_of(verdict)["witness"]) == {"lower"}
        assert "upper" not in verdict.value

    def test_too_large_a_lower_bound_is_refuted_by_a_proof(self):
        verdict = refuted(JointSpectralRadius(lower="1.04"), BALL)
        assert set(content_of(verdict)["witness"]) == {"upper"}
        assert "word" not in verdict.value

    def test_exactly_1_with_bounded_products(self):
        verdict = proved(JointSpectralRadius(lower=1, upper=1), SWAP)
        assert verdict.value["bounded_products"] is True
        assert verdict.found == "the joint spectral radius is exactly 1, and all products stay bounded"
        assert "does not say that derivatives converge" in " ".join(verdict.report().split())
        refuted(JointSpectralRadius(upper="999/1000"), SWAP)

    def test_exactly_1_with_products_that_grow(self):
        """The powers of ((1, 1), (0, 1)) grow, though its spectral radius is 1."""
        verdict = proved(JointSpectralRadius(upper=1), JORDAN)
        assert "bounded_products" not in verdict.value
        assert "bounded" not in verdict.found

    def test_zero(self):
        assert proved(JointSpectralRadius(upper=0), NILPOTENT).value["upper"] == "0"
        assert proved(JointSpectralRadius(), NILPOTENT).value["upper"] == "0"
        refuted(JointSpectralRadius(lower="1/1000"), NILPOTENT)

    @pytest.mark.parametrize("entry", ["12345/6789", "1/1000000000000", f"{10**30 + 1}/7", "1/2000"])
    def test_exact_means_exact(self, entry):
        """A radius that cannot be written in few digits is not said to be exactly a rounded number."""
        verdict = proved(JointSpectralRadius(), SwitchedSystem.from_rows([[[entry]]]))
        exact = re.search(r"exactly (\S+?)(?:,|$)", verdict.found)
        assert Fraction(entry) == Fraction(exact.group(1))

    def test_exact_and_long(self):
        entry = Fraction(1, 10**60 + 7)
        found = proved(JointSpectralRadius(), SwitchedSystem.from_rows([[[str(entry)]]])).found
        assert "is known exactly, about 9.999999999e-61, so all products tend to 0" in found

    def test_along_a_graph(self):
        """2 and 3 in turns: the square root of 6, although 3 alone would grow faster."""
        verdict = proved(JointSpectralRadius(lower="2.4494", upper="2.4495"), ALTERNATING)
        assert sorted(verdict.value["word"]) == [0, 1]
        assert verdict.statement.startswith("over the words that the graph allows, ")
        refuted(JointSpectralRadius(lower=3), ALTERNATING)

    def test_between_bounds(self):
        """Of a number between 3/10 and 1/2 both are bounds, and nothing between them is."""
        proved(JointSpectralRadius(lower="3/10", upper="1/2"), BETWEEN)
        undecided(JointSpectralRadius(lower="2/5"), BETWEEN, time_limit=0.3)
        undecided(JointSpectralRadius(upper="2/5"), BETWEEN, time_limit=0.3)

    def test_a_tolerance(self):
        verdict = proved(JointSpectralRadius(tolerance="1/10000"), BALL)
        assert Fraction(verdict.value["upper"]) <= Fraction("1.0001") * Fraction(verdict.value["lower"])


def around(entry):
    return [fmpq(entry) - fmpq(1, 1000), fmpq(entry) + fmpq(1, 1000)]


UNCERTAIN = SwitchedSystem.from_rows([[[around(entry) for entry in row] for row in entries(A)] for A in BALL.A])


@cache
def content_with_forms():
    return content_of(proved(JointSpectralRadius(lower="1.02"), UNCERTAIN))


class TestForms:
    """The heavy ball with an error of up to 1/1000 in every entry: eleven factors are hardly known, their growth is."""

    def test_forms_prove_what_characteristic_polynomials_do_not(self):
        stated = content_with_forms()["witness"]["lower"]
        assert len(stated["forms"]) == len(stated["word"])
        polynomial = rate_of_word(UNCERTAIN, [int(letter) for letter in stated["word"]])
        assert polynomial.rate_lower < fmpq(9, 10)

    def test_a_false_rate_is_refused(self):
        """The pair in the middle of the bounds grows by 1.03215 at most."""
        changed = copy.deepcopy(content_with_forms())
        changed["witness"]["lower"]["rate"] = changed["claim"]["lower"] = "1033/1000"
        changed["witness"]["lower"]["modulus_lower"] = str(
            Fraction(1033, 1000) ** len(changed["witness"]["lower"]["word"])
        )
        assert not holds(changed)

    def test_changed_numbers_are_noticed(self):
        """An entry of a form may change a little, and a smaller bound be claimed; nothing else about the bound."""
        for path, changed in changed_numbers(content_with_forms()):
            if path[0] != "switched" and path[2:3] != ("forms",) and holds(changed):
                assert path == ("claim", "lower")
                assert Fraction(changed["claim"]["lower"]) < Fraction("1.02")

    @pytest.mark.parametrize("change", ["negative", "missing", "not symmetric"])
    def test_forms_that_prove_nothing_are_refused(self, change):
        changed = copy.deepcopy(content_with_forms())
        forms = changed["witness"]["lower"]["forms"]
        if change == "negative":
            forms[:] = [
                [
                    [str(-(Fraction(entry) ** 2)) if i == j else "0" for j, entry in enumerate(row)]
                    for i, row in enumerate(form)
                ]
                for form in forms
            ]
        elif change == "missing":
            forms.pop()
        else:
            forms[0][0][1] = str(Fraction(forms[0][0][1]) + 1)
        assert not holds(changed)


class TestMaps:
    def test_the_selection_set_of_a_map(self):
        iteration, at = ball()
        verdict = proved(JointSpectralRadius(lower="1.03", upper="1.04"), iteration, at)
        assert verdict.statement.startswith(
            "at the fixed point the joint spectral radius of the selection set is at least"
        )
        refuted(JointSpectralRadius(upper=1), iteration, at)

    def test_one_piece_has_its_spectral_radius(self):
        """The heavy ball without a kink has eigenvalues of modulus sqrt(3)/2 = 0.8660254..."""
        smooth = heavy_ball("x**2/2", ["x"], 1, "3/4", parameters=["theta"], start=["theta"])
        proved(JointSpectralRadius(lower="0.866025", upper="0.866026"), smooth, {"theta": 0})
        refuted(JointSpectralRadius(lower="0.86603"), smooth, {"theta": 0})

    def test_irrational_pairs(self):
        """1 - sqrt(2)/2 = 0.29289..."""
        descent = gradient_descent("sqrt(2)*x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"])
        verdict = proved(JointSpectralRadius(upper="0.2929"), descent, {"theta": 0})
        assert Fraction("0.29289") < Fraction(verdict.value["upper"])

    def test_pieces_that_may_not_be_there_count_above_and_not_below(self):
        """Slope 3 belongs to a piece whose essential activity is not decided: the radius is 1/2 or 3."""
        curved = about(sp.Piecewise((3 * x, (x > 0) & (x + x**2 < 0)), (x / 2, True)) + theta)
        proved(JointSpectralRadius(lower="1/2", upper=3), *curved)
        undecided(JointSpectralRadius(lower="2/3"), *curved, time_limit=1.0)
        undecided(JointSpectralRadius(upper=1), *curved, time_limit=1.0)


class TestUndecided:
    """Bounds that were proved are kept, whatever ends the search."""

    def bounds(self, **changes):
        lower = rate_of_word(BALL, (0, 0, 1, 1))
        return Bounds(
            **{"lower": lower, "upper": None, "history": (), "tried": ("words",), "interrupted": False} | changes
        )

    def decide(self, monkeypatch, bounds, **fields):
        module = sys.modules["piggycheck.claims.joint_spectral_radius"]
        monkeypatch.setattr(module, "joint_spectral_radius", lambda *a, **k: bounds)
        return prove(JointSpectralRadius(**fields), BALL)

    def test_out_of_time(self, monkeypatch):
        verdict = self.decide(monkeypatch, self.bounds())
        assert isinstance(verdict, Undecided) and not verdict.interrupted
        assert Fraction("1.0298") < Fraction(verdict.bounds["lower"]) and "upper" not in verdict.bounds
        assert (verdict.tried, verdict.would_help) == (("words",), "a longer time limit")
        assert verdict.value["word"] == [0, 0, 1, 1]

    def test_interrupted(self, monkeypatch):
        verdict = self.decide(monkeypatch, self.bounds(interrupted=True))
        assert isinstance(verdict, Undecided) and verdict.interrupted
        assert "interrupted" in verdict.reason and not verdict.would_help
        assert "at least" in verdict.report()

    def test_a_word_alone_proves_a_lower_bound(self, monkeypatch):
        verdict = self.decide(monkeypatch, self.bounds(), lower="1.02")
        assert verdict.name == "proved" and holds(content_of(verdict))

    def test_of_a_superset_nothing_is_looked_for_after_an_interrupt(self, monkeypatch):
        asked = []
        module = sys.modules["piggycheck.claims.joint_spectral_radius"]
        answer = self.bounds(interrupted=True)
        monkeypatch.setattr(module, "joint_spectral_radius", lambda *a, **k: asked.append(a) or answer)
        curved = about(sp.Piecewise((3 * x, (x > 0) & (x + x**2 < 0)), (x / 2, True)) + theta)
        verdict = prove(JointSpectralRadius(), *curved)
        assert len(asked) == 1 and verdict.interrupted
        assert "lower" not in verdict.bounds, "the word may use a piece that is not there"


def test_progress_is_reported_and_both_bounds_close_in():
    seen = []
    proved(JointSpectralRadius(tolerance="1/1000"), BALL, progress=seen.append)
    assert len(seen) >= 2
    assert [m.lower for m in seen] == sorted(m.lower for m in seen)
    uppers = [m.upper for m in seen if m.upper is not None]
    assert uppers == sorted(uppers, reverse=True)


def test_the_derivation_shows_word_proof_and_history():
    verdict = proved(JointSpectralRadius(tolerance="1/100"), BALL)
    word, proof, both = (verdict.derivation.first(kind) for kind in (WordStep, ContractionStep, BoundsStep))
    assert word.A == BALL.product(word.word)[0] and word.characteristic_polynomial == word.A.charpoly()
    assert proof.proof is both.proof and str(both.proof.rate) == verdict.value["upper"]
    assert both.moments and both.moments[-1].lower == both.lower
    assert "Both bounds" in verdict.report()


def tree(rate, n=1):
    return {"method": "word_tree", "rate": fmpq(rate), "P": fmpq_mat(n, n), "words": [(0,)]}


@pytest.mark.parametrize(
    ("proofs", "bounded"),
    [
        ([tree(1)], True),
        ([tree(1), None], True),
        ([tree(1), tree(0)], True),
        ([tree(1), tree(1)], False),
        ([{"method": "lift", "rate": fmpq(1), "degree": 2, "proof": tree(1)}, None], True),
        ([{"method": "corners", "rate": fmpq(1), "proof": tree(1)}, tree(0)], True),
        ([{"method": "blocks", "rate": fmpq(1), "proofs": [tree(1), tree(1)]}, None], False),
    ],
)
def test_of_several_blocks_only_one_may_reach_the_rate_1(proofs, bounded):
    assert _bounds_products({"method": "blocks", "rate": fmpq(1), "proofs": proofs}) is bounded

"""Verdicts: three of them, none of which is a truth value."""

from __future__ import annotations

import pytest
import sympy as sp

from piggycheck.algorithms import heavy_ball
from piggycheck.claims import (
    KINDS,
    Continuous,
    Converges,
    Derivative,
    Diverges,
    FixedPoint,
    Proved,
    Refuted,
    Subject,
    Undecided,
    default_claims,
    prove,
)
from piggycheck.errors import InputError, TruthError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x = sp.Symbol("x", real=True)
TWO_SLOPES = "Piecewise((x**2/2, x >= 0), (%s*x**2/2, True))"


def ball(slope="1/4"):
    return heavy_ball(TWO_SLOPES % slope, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])


@pytest.mark.parametrize("kind", [Proved, Refuted, Undecided])
def test_no_verdict_is_a_truth_value(kind):
    verdict = kind("continuous", "the map is continuous", "it is")
    with pytest.raises(TruthError, match="match on Proved, Refuted, Undecided"):
        bool(verdict)
    with pytest.raises(TypeError):
        if verdict:
            pass
    with pytest.raises(TruthError):
        assert not verdict


def test_verdicts_of_claims_are_no_truth_values_either():
    for claim in (Continuous(), FixedPoint(), Converges(), Diverges()):
        with pytest.raises(TruthError):
            bool(prove(claim, ball(), {"theta": 0}))


def test_names():
    assert ["proved", "refuted", "undecided"] == [kind.name for kind in (Proved, Refuted, Undecided)]


def test_an_undecided_verdict_has_no_certificate_and_says_what_would_help():
    verdict = prove(Diverges(), SwitchedSystem.from_rows([[[1]]], J0=[[1]]))
    assert isinstance(verdict, Undecided)
    assert verdict.certificate is None
    assert verdict.tried and verdict.would_help and verdict.reason


def test_the_default_questions():
    kinds = [(v.kind, v.name) for v in default_claims(Subject(iteration=ball(), at={"theta": 0}))]
    assert [("continuous", "proved"), ("fixed_point", "proved"), ("diverges", "proved")] == kinds
    kinds = [(v.kind, v.name) for v in default_claims(Subject(iteration=ball("4/5"), at={"theta": 0}))]
    assert [
        ("continuous", "proved"),
        ("fixed_point", "proved"),
        ("converges", "proved"),
        ("derivative", "proved"),
    ] == kinds


def test_the_default_questions_about_a_map_without_parameters():
    verdicts = default_claims(Subject(iteration=Iteration(SymbolicMap([x], [2 * x]))))
    assert "refuted" == {v.kind: v.name for v in verdicts}["converges"]


def test_the_default_questions_about_matrices():
    verdicts = default_claims(Subject(given=SwitchedSystem.from_rows([[["1/2"]]])))
    assert ["converges", "derivative"] == [v.kind for v in verdicts]


def test_a_subject_is_one_thing():
    with pytest.raises(InputError, match="give one of them"):
        Subject()
    with pytest.raises(InputError, match="`theta` has no value"):
        prove(Converges(), ball())


@pytest.mark.parametrize("kind", ["continuous", "fixed_point", "chain_rule_set_is_larger"])
def test_claims_about_maps_make_no_sense_for_matrices(kind):
    with pytest.raises(InputError, match="has no meaning for a switched system"):
        prove(KINDS[kind](), SwitchedSystem.from_rows([[["1/2"]]]))


@pytest.mark.parametrize("claim", [Diverges(), Derivative()])
def test_claims_about_derivatives_need_parameters(claim):
    with pytest.raises(InputError, match="no parameters"):
        prove(claim, Iteration(SymbolicMap([x], [x / 2])))


def test_of_several_fixed_points_the_statement_names_the_one_that_it_is_about():
    """x <- x - (x^3 - x)/4 has the fixed points -1, 0 and 1; from 1/2 the iterates go to 1."""
    x = sp.Symbol("x", real=True)
    iteration = Iteration(SymbolicMap([x], [x - (x**3 - x) / 4]), start=[sp.Rational(1, 2)])
    verdict = prove(Converges(), iteration)
    assert isinstance(verdict, Proved)
    assert verdict.statement.startswith("at the fixed point x = 1 the joint spectral radius")

"""Families of cases: what is open, what members they have, in which order, and how members are written."""

from __future__ import annotations

from fractions import Fraction
from itertools import islice

import pytest

from piggycheck import checker
from piggycheck.case import read_case
from piggycheck.claims import prove
from piggycheck.errors import InputError
from piggycheck.search import READY, Choices, Family, Range, load_family, read_family
from piggycheck.search.decide import decide_member
from piggycheck.search.plan import random_values, simplest_first, units
from piggycheck.search.write import case_text

HEAVY_BALL = """
title = "heavy ball on two slopes"

[algorithm]
name      = "heavy_ball"
objective = "Piecewise((x**2/2, x >= 0), (s*x**2/2, True))"
variables = ["x"]
step      = {range = ["0", "2"]}
momentum  = {range = ["0", "1"]}

[unknowns]
s = {choices = ["1/4", "1/8"]}

[parameters]
theta = "0"

[start]
x = "theta"

[[claim]]
kind = "diverges"
"""
PAPER = {"step": "1", "momentum": "3/4", "s": "1/4"}


def linear(**unknowns):
    return Family({"map": {"state": ["x"], "next": ["+".join(unknowns) + "+x/2"]}, "unknowns": unknowns})


def test_the_open_numbers_are_named_by_their_keys_then_the_declared_ones():
    unknowns = read_family(HEAVY_BALL).unknowns
    assert ["step", "momentum", "s"] == list(unknowns)
    assert Range(0, 2) == unknowns["step"]
    assert Choices(("1/4", "1/8")) == unknowns["s"]


def test_a_member_is_the_case_of_the_paper():
    """Bolte, Pauwels, Vaiter 2022: the product along 0 0 1 1 has the eigenvalue -9/8."""
    case = read_family(HEAVY_BALL).member(PAPER)
    verdict = prove(case.claims[0], case.subject())
    assert ("proved", [0, 0, 1, 1], "-9/8") == (verdict.name, verdict.value["word"], verdict.value["eigenvalue"])


def test_a_written_member_reads_back_as_the_same_case():
    family = read_family(HEAVY_BALL)
    text = case_text(family, PAPER)
    assert 'objective = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"' in text and 'momentum  = "3/4"' in text
    assert family.member(PAPER).iteration.map.next == read_case(text).iteration.map.next


def test_numbers_are_put_in_whole_wherever_they_stand():
    """x/s with s = 1/4 is 4*x, a square of -1/2 is 1/4, and a name inside another one is left alone."""
    family = linear(s={"choices": ["1/4"]}, t={"choices": ["-1/2"]})
    table = {**family.table, "map": {"state": ["ss"], "next": ["ss/s + t**2"]}}
    assert ["4*ss + 1/4"] == Family(table).member_table({"s": "1/4", "t": "-1/2"})["map"]["next"]


def test_arrays_may_name_unknowns():
    family = load_family(READY["douglas-rachford-quadratic"])
    member = family.member({"step": "1", "relaxation": "1", "q": "1/3", "s": "2"})
    assert ["1", "1/3", "1/3", "2"] == [str(entry) for entry in member.data["Q"].entries()]


@pytest.mark.parametrize("name", READY)
def test_ready_families_have_members_and_say_what_is_looked_for(name):
    family = load_family(READY[name])
    case = family.member(random_values(family, 7, 1))
    assert case.claims and case.title.startswith(family.title)


@pytest.mark.parametrize(
    "name, values",
    [
        ("heavy-ball-converges-and-diverges", "1 3/4 1/4"),  # Bolte, Pauwels, Vaiter 2022
        ("heavy-ball-mirrored-kinks", "1/2 2 1 1/3 3/2"),
        ("contraction-in-the-large", "-1 1 1 0 -1/2 0"),
        ("realised-words", "1/2 0 3 0 1"),  # on the axis x is halved and y tripled
        ("deep-equilibrium-two-units", "0 -1 0 0"),
        ("no-quadratic-certificate", "0 0 -1 -1/2 1 -1/2 1/2 0"),
        ("derivatives-lag-behind", "1/3 1/5"),
        ("heavy-ball-cycles", "25/9 4/9 1/25 33/10"),  # Lessard, Recht, Packard 2016
    ],
)
def test_what_ready_families_look_for_exists(name, values):
    family = load_family(READY[name])
    decision = decide_member(family, dict(zip(family.unknowns, values.split(), strict=True)), checker.check, 10.0)
    assert decision.found, decision.reason


@pytest.mark.parametrize(
    "old, new, complaint",
    [
        ('["0", "2"]', '["2", "0"]', "line 8: range of `step`: from 2 to 0 is empty"),
        ('["0", "2"]', "[0.5, 2]", 'the float 0.5 is not exact; write "0.5" in quotes'),
        ('["0", "2"]', '["0", "sqrt(2)"]', "an end is irrational"),
        ('["0", "2"]', '["0"]', "1 numbers; write the smallest and the largest"),
        ('["0", "2"]', '"2"', "`2` is not a list"),
        ('["1/4", "1/8"]', "[]", "line 12: choices of `s`: the list is empty"),
        ('["1/4", "1/8"]', "[true]", "`True` is not a number"),
        ('{choices = ["1/4", "1/8"]}', '"1/4"', "`s` of [unknowns]: `1/4` is not open"),
        ('{choices = ["1/4", "1/8"]}', '{choices = ["1/4"], range = [0, 1]}', "a table with `choices`, `range`"),
        ("s*x**2/2", "x**2/2", "line 12: `s` of [unknowns] is named in no expression"),
        ("s = {", "x = {", "`x` of [unknowns] is the name of something else"),
        ("s = {", "Max = {", "`Max` of [unknowns] is not a free name"),
        ("s = {", "step = {", "`step` of [unknowns] is an open number of [algorithm], too"),
    ],
)
def test_bad_families_are_refused_in_one_line(old, new, complaint):
    with pytest.raises(InputError) as caught:
        read_family(HEAVY_BALL.replace(old, new))
    assert complaint in str(caught.value) and "\n" not in str(caught.value)


def test_a_family_needs_an_open_number():
    with pytest.raises(InputError, match="no number is left open"):
        Family({"map": {"state": ["x"], "next": ["x/2"]}})


def test_an_expression_that_names_nothing_known_is_reported_at_the_line_of_the_family():
    with pytest.raises(InputError, match="line 6:.*`q`"):
        read_family(HEAVY_BALL.replace("(s*x", "(q*s*x")).member(PAPER)


def test_the_simplest_members_come_first_each_once():
    """Farey's sequence of order 5 has 11 fractions, so there are 121 pairs of them."""
    family = linear(a={"range": [0, 1]}, b={"range": [0, 1]})
    members = [tuple(values.values()) for values in islice(simplest_first(family), 121)]
    denominators = [max(int(value.partition("/")[2] or 1) for value in values) for values in members]
    assert 121 == len(set(members))
    assert sorted(denominators) == denominators and 5 == denominators[-1]


def test_a_family_of_choices_has_finitely_many_members():
    family = linear(a={"choices": ["1/7", "sqrt(2)", 3]}, b={"range": ["1/3", "1/3"]})
    assert {("1/7", "1/3"), ("sqrt(2)", "1/3"), ("3", "1/3")} == {tuple(v.values()) for v in simplest_first(family)}


def test_random_members_lie_in_their_ranges_and_depend_on_seed_and_number_alone():
    family = linear(a={"range": ["1/3", "1/3"]}, b={"range": ["-1", "2"]}, c={"range": ["1001/3000", "1002/3000"]})
    drawn = [random_values(family, 5, number) for number in range(50)]
    assert drawn == [unit.members[0] for unit in units(family, "random", 5, 50)]
    assert drawn != [random_values(family, 6, number) for number in range(50)]
    for values in drawn:
        a, b, c = (Fraction(values[name]) for name in "abc")
        assert Fraction(1, 3) == a and -1 <= b <= 2 and 1001 <= 3000 * c <= 1002


def test_a_guided_search_needs_a_score():
    family = Family({**linear(a={"range": [0, 1]}).table, "claim": [{"kind": "continuous"}]})
    with pytest.raises(InputError, match="no claim of the family has a score"):
        next(units(family, "guided", 0, 10))


@pytest.mark.parametrize("strategy", ["grid", "random", "guided"])
def test_more_evaluations_continue_the_same_plan(strategy):
    family = Family({**linear(a={"range": [0, 1]}).table, "claim": [{"kind": "converges"}]})
    short, long = (list(units(family, strategy, 1, n)) for n in (64, 128))
    assert short == long[: len(short)] and 64 == sum(unit.evaluations for unit in short)

"""The checker on maps of parameter space: false cells, false areas, and every number changed."""

from __future__ import annotations

import copy

import pytest
from flint import fmpq

from piggycheck import checker
from piggycheck.checker import effort, regions
from piggycheck.regions.cells import Cell
from piggycheck.regions.decide import Evidence, holds_on
from piggycheck.regions.pieces import pieces_of
from piggycheck.regions.run import parameter_map
from piggycheck.search.family import Family
from tests.certificate_helper import changed_numbers, holds
from tests.test_regions import heavy_ball, of_map, scalars

BALL = heavy_ball((1, 2), (0, 1))
PIECES = pieces_of(BALL)
MAP = parameter_map(BALL, smallest=fmpq(1, 4)).certificate().content
FORMS = parameter_map(scalars(), smallest=fmpq(1, 2)).certificate().content
TURNS = of_map(
    ["Piecewise((a*x, z >= 0), (b*y, True))", "Piecewise((a*x, z >= 0), (-b*y, True))", "z/2"],
    a=("3/4", "19/20"),
    b=("3/4", "19/20"),
    state="xyz",
)
MEMORY = parameter_map(TURNS, smallest=fmpq(1, 2)).certificate().content
ELSEWHERE = of_map(
    ["Piecewise((a*(x - r) + r, x >= r), (b*(x - r) + r, True)) + (y - 1)*(a - b)**2/9", "y*b/2 + 1 - b/2"],
    a=(-1, "3/2"),
    b=(0, "5/4"),
    state="xy",
    parameters={"r": "3/2"},
)
PLACED = parameter_map(ELSEWHERE, smallest=fmpq(1, 4)).certificate().content


def changed(content, change):
    copied = copy.deepcopy(content)
    change(copied)
    return copied


def still_true(content):
    """Whether evidence that was changed still decides all its cells, by the package's own proof."""
    for level, column, row, index in content["witness"]["cells"]:
        data = content["witness"]["evidence"][int(index)]
        read = tuple(tuple(map(int, entry)) if isinstance(entry, list) else int(entry) for entry in data["data"])
        if data["kind"] == "word" and not set(read) <= {0, 1}:
            return False
        cell = Cell(int(level), int(column), int(row))
        if not holds_on(PIECES.letters, cell.bounds(PIECES.box), Evidence(data["kind"], read)):
            return False
    return True


def test_maps_of_both_kinds_of_evidence_hold():
    assert holds(MAP) and holds(FORMS)
    assert {data["kind"] for data in MAP["witness"]["evidence"]} == {"polygon", "word"}
    assert {data["kind"] for data in FORMS["witness"]["evidence"]} == {"forms"}
    assert {len(data["data"]) for data in MEMORY["witness"]["evidence"]} == {2}
    assert PLACED["fixed_point"] == {"x": "3/2", "y": "1"}


def test_every_number_changed_is_noticed_unless_the_evidence_still_holds():
    """The vertices of a polygon have room; all other numbers are those of the claim."""
    for path, content in changed_numbers(MAP):
        if holds(content):
            assert path[:2] == ("witness", "evidence"), path
            assert still_true(content), path


@pytest.mark.parametrize("content", [FORMS, MEMORY, PLACED], ids=["one form", "two forms", "a fixed point elsewhere"])
def test_changed_numbers_are_noticed_wherever_no_other_proof_is_made_of_them(content):
    """A form may have room, and the evidence of one cell may decide another."""
    assert holds(content)
    for path, changed_content in changed_numbers(content):
        room = path[:2] == ("witness", "evidence") or (path[:2] == ("witness", "cells") and path[-1] == 3)
        assert room or not holds(changed_content), path


@pytest.mark.parametrize(
    "change",
    [
        lambda c: c["witness"]["cells"].append(c["witness"]["cells"][0]),
        lambda c: c["witness"]["cells"].pop(),
        lambda c: c["witness"]["cells"].append(["0", "0", "0", "0"]),
        lambda c: c["pieces"].pop(),
        lambda c: c["pieces"].append([["step", "0"], ["0", "0"]]),
        lambda c: c["unknowns"].reverse(),
        lambda c: c["box"].reverse(),
        lambda c: c["box"][0].reverse(),
        lambda c: c.update(unknowns=["step", "step"]),
        lambda c: c.update(unknowns=["step", "theta"]),
        lambda c: c["pieces"][0][0].__setitem__(0, "momentum - Abs(step) + 1"),
        lambda c: c["pieces"][0][0].__setitem__(0, "1/(1 + step)"),
        lambda c: c["witness"]["evidence"][0].update(kind="wish"),
        lambda c: c["claim"].update(verdict="refuted"),
        lambda c: c["claim"].pop("undecided"),
        lambda c: c["claim"].update(extra="1"),
        lambda c: c["witness"].update(extra="1"),
    ],
)
def test_what_is_not_a_map_is_refused(change):
    assert not holds(changed(MAP, change))


def test_a_cell_is_not_decided_by_the_evidence_of_another():
    """Each cell with each evidence: what the checker accepts, the prover accepts, too."""
    evidence = MAP["witness"]["evidence"]
    for place, (level, column, row, index) in enumerate(MAP["witness"]["cells"][:6]):
        for other in range(len(evidence)):
            same_verdict = (evidence[other]["kind"] == "word") == (evidence[int(index)]["kind"] == "word")

            def swap(content, place=place, other=other):
                content["witness"]["cells"][place][3] = str(other)

            content = changed(MAP, swap)
            assert holds(content) == (same_verdict and still_true(content)), (level, column, row, other)


def test_overlapping_cells_are_refused_even_with_the_areas_to_match():
    """[0, 3/4] x [0, 1/2] and a part of it: both converge."""

    def overlap(content):
        assert content["witness"]["cells"] == [["1", "0", "0", "0"]]
        content["witness"]["cells"].append(["2", "0", "0", "0"])
        content["claim"].update(converges="15/32", undecided="33/32")

    with pytest.raises(checker.Refused, match="overlap"):
        checker.check(changed(FORMS, overlap))


def stated(family, next_, pieces, **others):
    content = parameter_map(family, smallest=fmpq(1, 2)).certificate().content
    content["map"]["next"] = next_
    content["pieces"] = pieces
    return {**content, **others}


@pytest.mark.parametrize(
    "next_, message",
    [
        ("Piecewise((a*x/4, a*x >= 0), (b*x/4, True))", "dependent gradients"),
        ("Piecewise((a*x/4, x + a - 1/2 >= 0), (b*x/4, True))", "not the same for all members"),
        ("Piecewise((a*x/4, x >= 0), (b*x/4, x < -x**2))", "dependent gradients|no branch"),
        ("Piecewise((a*x/4, x >= 0), (b*x/4, True)) + a*b", "is not fixed for all members"),
        ("Piecewise((a*x/4, x > 0), (b*x/4, x < 0), (5, True))", "is not fixed for all members"),
        ("Piecewise((a*x/4, x > 0), (b*x/4, x < 0), (a - 1/2, True))", "is not fixed for all members"),
        ("Piecewise((a*x/4, x > 0), (b*x/4, x < 0))", "no branch"),
        ("Piecewise((a*x/4, x >= 0), (b*x/(4 + a - a), True)) + x*sqrt(1 + b)", "polynomial"),
    ],
)
def test_the_checker_finds_the_pieces_itself(next_, message):
    family = of_map(["Piecewise((a*x/4, x >= 0), (b*x/4, True))"])
    good = stated(family, ["Piecewise((a*x/4, x >= 0), (b*x/4, True))"], [[["a/4"]], [["b/4"]]])
    assert holds(good)
    with pytest.raises(checker.Refused, match=message):
        checker.check({**good, "map": {**good["map"], "next": [next_]}})


def test_the_order_of_the_state_is_that_of_the_map():
    """With the names of the state exchanged x_previous takes the step and x stays: that map has the eigenvalue 1."""
    turned = changed(MAP, lambda c: c["fixed_point"].update(x=c["fixed_point"].pop("x")))
    assert list(turned["fixed_point"]) == ["x_previous", "x"] and holds(turned)
    with pytest.raises(checker.Refused, match="a piece of the map at the fixed point is not in the list"):
        checker.check(changed(MAP, lambda c: c["map"]["state"].reverse()))


def test_more_cells_may_cause_more_work_but_one_may_not_take_all(monkeypatch):
    """Four cells of the heavy ball: each takes less than what is allowed here, all together more."""
    checker.check(MAP)
    monkeypatch.setattr(effort, "MOST_WORK", 0.9 * effort.spent())
    with pytest.raises(checker.Refused, match="too long"):
        checker.check(MAP)
    monkeypatch.setattr(regions, "SHARE", 1)
    assert holds(MAP)
    monkeypatch.setattr(effort, "MOST_WORK", 10.0)
    assert not holds(MAP)


def test_matrices_of_higher_degree_are_enclosed_by_their_bernstein_coefficients():
    """a^2 is at most 1/4 on [-1/2, 1/2], where its Bernstein coefficients are 1/4, -1/4, 1/4."""
    family = of_map(["Piecewise((3*a**2*x, x >= 0), (b*x, True))"], a=("-1/2", "1/2"), b=("-1/2", "1/2"))
    content = parameter_map(family, smallest=fmpq(1)).certificate().content
    assert content["claim"]["converges"] == "1" and holds(content)
    wider = changed(content, lambda c: c["box"].__setitem__(0, ["-2/3", "1/2"]))
    assert not holds(wider)


def test_four_rows_take_words_by_their_determinants():
    """Two independent copies of a scalar that grows, and one that does not, in a map of four variables."""
    family = Family(
        {
            "map": {"state": list("xyzw"), "next": ["a*x + y/8", "b*y", "z/2", "w/3"]},
            "unknowns": {"a": {"range": ["5/4", 2]}, "b": {"range": [0, "1/2"]}},
        }
    )
    content = parameter_map(family, smallest=fmpq(1, 2)).certificate().content
    assert content["claim"]["unstable"] == "3/8" and holds(content)
    assert not holds(changed(content, lambda c: c["box"].__setitem__(0, ["3/4", "2"])))

"""The command `map` as a user meets it."""

from __future__ import annotations

import json
import re
import sqlite3

import pytest

FAMILY = """
title = "a heavy ball"

[algorithm]
name      = "heavy_ball"
objective = "Piecewise((x**2/2, x >= 0), (s*x**2/2, True))"
variables = ["x"]
step      = {range = ["0", "2"]}
momentum  = {range = ["0", "1"]}

[unknowns]
s = {choices = ["1/4", "1/8"]}
"""
SLOPE = ("--set", "s=1/4")


@pytest.fixture
def family(tmp_path):
    path = tmp_path / "ball.toml"
    path.write_text(FAMILY)
    return path


def test_a_map_reports_its_areas_and_writes_a_certificate_that_holds(run, family, tmp_path):
    out, figure = tmp_path / "out", tmp_path / "map.svg"
    code, told, err = run("map", family, *SLOPE, "--smallest", "1/8", "--workers", 1, "--out", out, "--figure", figure)
    assert code == 2  # some cells are undecided
    areas = json.loads((out / "map.json").read_text())["claim"]
    for verdict, name in (("converges", "the derivatives converge:"), ("diverges", "a word of pieces diverges:")):
        assert re.search(rf"{name} .*of the area \({areas[verdict]}, \d+ cells\)", told)
    assert err.split() == ["wrote", str(out / "map.json"), "wrote", str(figure)]
    assert figure.read_text().startswith("<?xml")
    code, told, _ = run("check", out / "map.json")
    assert code == 0 and "valid" in told


def test_a_box_that_is_decided_altogether_exits_with_0(run, tmp_path):
    path = tmp_path / "ball.toml"
    path.write_text(FAMILY.replace('"0", "2"', '"1/2", "1"').replace('"0", "1"', '"0", "1/4"'))
    code, told, err = run("map", path, *SLOPE, "--workers", 1)
    assert (code, err) == (0, "")
    assert "decided: 100 % of the area" in told


def test_it_is_resumed_and_nothing_is_done_twice(run, family, tmp_path):
    arguments = ("map", family, *SLOPE, "--smallest", "1/8", "--workers", 1, "--out", tmp_path / "out")
    first = run(*arguments)
    with sqlite3.connect(tmp_path / "out" / "map.sqlite") as results:
        (before,) = results.execute("SELECT count(*) FROM units").fetchone()
        results.execute("DELETE FROM units WHERE number > 5")
    results.close()
    code, _, err = run(*arguments)
    assert code == 3 and "--resume" in err
    assert run(*arguments, "--resume") == first
    with sqlite3.connect(tmp_path / "out" / "map.sqlite") as results:
        assert results.execute("SELECT count(*) FROM units").fetchone() == (before,)
    results.close()


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((), "`s` is open as well; give it a value, as in --set s=1/2"),
        (("--set", "s"), "--set: `s` gives no value"),
        (("--set", "s=0.x"), "0.x"),
        (("--set", "t=1"), "`t` is no unknown of the family; its unknowns are step, momentum, s"),
        ((*SLOPE, "--axes", "step"), "a map has two different axes, not 1"),
        ((*SLOPE, "--smallest", "0"), "--smallest: 0 is no part of the sides"),
        ((*SLOPE, "--smallest", "small"), "small"),
        ((*SLOPE, "--set", "s=1/8"), "`s` is given 1/4 and 1/8"),
        ((*SLOPE, "--figure", "absent/map.svg"), "--figure: absent: no such folder"),
        ((*SLOPE, "--figure", "map.gif"), "a figure ends in .pdf, .svg or .png"),
        ((*SLOPE, "--resume"), "write --out DIR as well"),
        ((*SLOPE, "--dask", "nowhere"), "--dask"),
    ],
)
def test_bad_input_is_told_in_one_line(run, family, arguments, message):
    code, out, err = run("map", family, *arguments)
    assert (code, out) == (3, "")
    assert message in err and len(err.splitlines()) == 1

"""Pictures of the piggyback set: small vector files, reproducible, nothing clipped or covered, every point inked."""

import subprocess
import sys
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from piggycheck.claims.set_figure import set_figure
from piggycheck.claims.set_views import Mark, SetFigure
from piggycheck.errors import InputError
from piggycheck.render import attractor, figure
from piggycheck.render.images import image, strip
from piggycheck.render.page import rounded_up
from piggycheck.switched import SwitchedSystem

TURN = [[1, "-1/2"], [1, 0]]
SYSTEMS = {
    "cantor": SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]]),
    "relu": SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [[1]]]),
    "point": SwitchedSystem.from_rows([[["1/2"]]], [[[1]]]),
    "dragon": SwitchedSystem.from_rows([TURN, TURN], [[[0], [0]], [["1/2"], [0]]]),
    "line": SwitchedSystem.from_rows([[["1/3", 0], [0, "1/3"]]] * 2, [[[0], [0]], [["2/3"], ["1/3"]]]),
    "many": SwitchedSystem.from_rows([[["1/9"]]] * 9, [[[f"{i}/9"]] for i in range(9)]),
}
POINTS = 20_000


@cache
def data(name):
    return set_figure(SYSTEMS[name], title=f"The set of {name}", points=POINTS)


@pytest.mark.parametrize("name", sorted(SYSTEMS))
def test_pictures_are_small_vector_files_with_nothing_clipped_and_legends_beside_the_data(tmp_path, drawn, name):
    attractor(data(name), tmp_path / "f.svg")
    assert (tmp_path / "f.svg").read_bytes().startswith(b"<?xml")
    assert 5_000 < (tmp_path / "f.svg").stat().st_size < 1_000_000
    (drawing,) = drawn
    drawing.canvas.draw()
    renderer = drawing.canvas.get_renderer()
    for part in drawing.subfigs:
        texts = [*part.texts, *(text for axis in part.axes for text in [axis.title, axis._left_title])]
        for text in [*texts, *(axis.xaxis.label for axis in part.axes)]:
            box = text.get_window_extent(renderer)
            assert text.get_text() == "" or (box.x0 >= 0 and box.x1 <= drawing.bbox.x1 and box.y0 >= 0)
        for legend in part.legends:
            box = legend.get_window_extent(renderer)
            assert box.x0 >= 0 and box.x1 <= drawing.bbox.x1
            assert not any(axis.get_window_extent(renderer).overlaps(box) for axis in part.axes)


@pytest.mark.parametrize("suffix", ["svg", "pdf"])
def test_the_same_system_gives_the_same_file(tmp_path, suffix):
    paths = [tmp_path / f"{i}.{suffix}" for i in range(2)]
    for path in paths:
        attractor(data.__wrapped__("line"), path)
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert 5_000 < paths[0].stat().st_size < 1_000_000


def test_two_entries_are_drawn_to_one_scale(tmp_path, drawn):
    attractor(data("dragon"), tmp_path / "f.png")
    axes = [axis for part in drawn[0].subfigs for axis in part.axes]
    assert len(axes) == 6 and all(axis.get_aspect() == 1 for axis in axes)
    assert axes[0].get_xlabel() == "J[0, 0]" and axes[0].get_ylabel() == "J[1, 0]"


def test_the_caption_stands_below_with_the_radius(tmp_path, drawn):
    picture = data("cantor")
    attractor(picture, tmp_path / "f.png")
    shown = drawn[0].subfigs[-1].texts[0].get_text().replace("\n", " ")
    assert picture.caption.split("within r = ")[1].split(" of")[0] in shown


def test_every_point_is_inked_and_nothing_far_from_one():
    rng = np.random.default_rng(1)
    points = rng.random((200, 2))
    ink = image([points], ["#000000"], (0.0, 1.0, 0.0, 1.0), (100, 100), 0.02)[..., 3]
    rows, columns = np.nonzero(ink)
    assert all(ink[int(y * 100), int(x * 100)] for x, y in points)
    centres = np.stack([columns + 0.5, rows + 0.5], axis=1) / 100
    distances = np.sqrt(((centres[:, None] - points[None]) ** 2).sum(axis=2)).min(axis=1)
    assert distances.max() < 0.02 + 0.02


def test_points_outside_the_window_are_left_out():
    points = np.array([[-0.5, 0.5], [0.5, 2.0], [0.25, 0.75]])
    ink = image([points], ["#000000"], (0.0, 1.0, 0.0, 1.0), (20, 20), 0.0)[..., 3]
    assert ink[15, 5] and ink[:, 10:].sum() == 0


def test_where_parts_overlap_their_colours_are_mixed():
    here = np.array([[0.51, 0.51]])
    drawn = image([here, here], ["#000000", "#ff0000"], (0.0, 1.0, 0.0, 1.0), (10, 10), 0.3)
    assert drawn[5, 5].tolist() == [128, 0, 0, 255]
    assert drawn[0, 0].tolist() == [128, 0, 0, 0]


def test_a_strip_shows_gaps():
    opacity = strip([np.array([0.0, 1.0])], ["#0072B2"], (-0.5, 1.5), 3000, 0.0)[0, :, 3]
    assert opacity[750] == opacity[2249] == 255
    assert opacity[1000:2000].max() == 0


@pytest.mark.parametrize(
    "value, shown", [(0.0, "0"), (0.0123, "0.013"), (2.0, "2"), (1.01, "1.1"), (99.9, "100"), (0.00999, "0.01")]
)
def test_bounds_are_rounded_up(value, shown):
    assert rounded_up(value) == shown


@pytest.mark.parametrize("role", ["inside", "outside", "witness"])
def test_marks_have_a_place_in_picture_and_legend(tmp_path, drawn, role):
    mark = Mark("the matrix asked for", (0.5, 0.25), role)
    attractor(SetFigure("", (replace(data("dragon").views[0], marks=(mark,)),)), tmp_path / "f.png")
    (legend,) = drawn[0].subfigs[0].legends
    assert "the matrix asked for" in [text.get_text() for text in legend.get_texts()]


def test_figures_with_views_are_pictures(tmp_path):
    picture = data("cantor")
    figure(picture, tmp_path / "a.svg")
    attractor(picture, tmp_path / "b.svg")
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_other_endings_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"ends in \.pdf, \.svg or \.png"):
        attractor(data("point"), tmp_path / "f.gif")
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        attractor(data("point"), tmp_path / "nowhere" / "f.pdf")


CASE = """
title = "Relu of the parameter"

[map]
state = ["x"]
next = ["-x/2 + relu(theta)"]

[parameters]
theta = "0"

[start]
x = "theta"

[[claim]]
kind = "implicit_is_strict"
"""


def run(folder, *arguments, case=CASE):
    (folder / "case.toml").write_text(case)
    command = [sys.executable, "-c", "from piggycheck.cli import main; main()", "show", "case.toml", *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    return done.returncode, done.stderr


def test_show_draws_the_picture_of_a_case(tmp_path):
    assert run(tmp_path, "--figure", "f.svg", "--entries", "x:theta") == (0, "wrote f.svg\n")
    assert "<svg" in (tmp_path / "f.svg").read_text()


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--figure", "f.svg", "--entries", "y:theta"], "entry `y:theta`: there is no row `y`; write x, or 0"),
        (["--figure", "f.svg", "--entries", "0:1"], "entry `0:1`: there is no column `1`; write theta, or 0"),
        (["--entries", "0:0"], "--entries: says what a figure shows; write --figure FILE as well"),
    ],
)
def test_entries_that_make_no_sense_are_one_line_and_code_3(tmp_path, arguments, message):
    assert run(tmp_path, *arguments) == (3, f"piggycheck: {message}\n")
    assert not (tmp_path / "f.svg").exists()


def test_where_there_is_no_set_the_word_is_named(tmp_path):
    case = CASE.replace("-x/2 + relu(theta)", "-x + relu(theta)")
    code, message = run(tmp_path, "--figure", "f.svg", case=case)
    assert code == 3 and message.count("\n") == 1 and "joint spectral radius is at least 1, by the word 0" in message

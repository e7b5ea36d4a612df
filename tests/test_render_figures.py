"""Figures: the data agree with a direct computation, the files are vector graphics and reproducible."""

import math
import sys
from fractions import Fraction
from itertools import pairwise

import pytest
import sympy as sp
from flint import fmpq
from render_cases import SUBJECTS, WITNESSES, StatedProof, subject, verdicts

from piggycheck.claims import Diverges, JointSpectralRadius, Subject, Undecided, prove
from piggycheck.claims.figure import FigureData, Panel, Series, figure_data
from piggycheck.derivation import BoundsStep, Derivation
from piggycheck.errors import InputError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.regions.picture import Area, MapPicture
from piggycheck.render import figure, regions
from piggycheck.stability.answers import Moment
from piggycheck.switched import SwitchedSystem

A = ([[Fraction(3, 4), Fraction(-3, 4)], [1, 0]], [[Fraction(3, 2), Fraction(-3, 4)], [1, 0]])


def data(name, steps=40):
    return figure_data(subject(name), verdicts(name), steps=steps)


def by_role(panel, role):
    return [series for series in panel.series if series.role == role]


def norms(word, steps):
    """Max-norms of J_k for the heavy ball of the paper, computed by hand in fractions."""
    J, found = [Fraction(1), Fraction(1)], [1.0]
    for k in range(steps):
        J = [sum(a * b for a, b in zip(row, J, strict=True)) for row in A[word[k % len(word)]]]
        found.append(float(max(map(abs, J))))
    return found


def test_the_word_and_the_fixed_branches_are_those_of_the_recursion():
    panel = data("diverging").panels[1]
    assert list(by_role(panel, "word")[0].values) == norms([0, 0, 1, 1], 40)
    assert [list(series.values) for series in by_role(panel, "fixed branch")] == [norms([0], 40), norms([1], 40)]


def test_the_proved_line_lies_below_the_word_at_its_periods():
    panel = data("diverging", 120).panels[1]
    word, proved = by_role(panel, "word")[0].values, by_role(panel, "proved")[0]
    assert "proved: grows at least like 1.029883^k" in proved.label
    assert all(word[k] >= proved.values[k] * (1 - 1e-12) for k in range(0, 121, 4))


def test_iterates_leave_the_kink_at_a_nearby_parameter_and_the_legend_says_so():
    panel = data("diverging").panels[0]
    (iterates,) = panel.series
    assert iterates.label == "iterates at theta = 1/10 (at theta = 0 they stay at the kink)"
    assert iterates.values[0] == pytest.approx(0.1)
    assert 0 < iterates.values[-1] < iterates.values[0] / 10


def test_errors_of_derivatives_lie_below_the_line_of_the_proved_rate():
    panel = data("converging").panels[1]
    (proved,) = by_role(panel, "proved")
    for series in by_role(panel, "fixed branch") + by_role(panel, "random"):
        assert all(v <= p * (1 + 1e-12) for v, p in zip(series.values, proved.values, strict=True))
    assert len(by_role(panel, "random")) == 3


def test_where_nothing_is_picked_there_is_one_sequence():
    panel = data("away").panels[1]
    assert [series.label for series in panel.series if series.role != "proved"] == ["along the iterates"]


def test_pieces_with_limits_of_their_own_are_measured_against_those():
    panel = data("lasso").panels[1]
    first, second = by_role(panel, "fixed branch")
    assert "to -1" in first.label and "to 0" in second.label
    assert first.values[10] == 2.0**-10
    assert set(second.values) == {0.0}


def test_a_switched_system_has_one_panel():
    assert len(data("switched").panels) == 1
    assert len(data("diverging").panels) == 2


def test_an_irrational_case_shows_its_iterates():
    (panel,) = data("irrational").panels
    assert [series.role for series in panel.series] == ["iterates"]
    assert panel.series[0].values[0] == pytest.approx(math.sqrt(2) - 1)


def test_growth_beyond_floats_is_infinite_and_drawn_as_far_as_it_goes(tmp_path):
    steep = Subject(given=SwitchedSystem.from_rows([[[10**9]], [["1/2"]]], J0=[[1]]))
    found = figure_data(steep, [], steps=60)
    assert found.panels[0].series[0].values[-1] == math.inf
    figure(found, tmp_path / "steep.png")


def test_nothing_to_draw_and_senseless_steps_are_refused():
    with pytest.raises(InputError, match="there is nothing to draw"):
        data("jump")
    with pytest.raises(InputError, match="steps of the figure: `0` is not positive"):
        figure_data(subject("diverging"), [], steps=0)


HISTORY = [
    (0.0, "words", 1, None),
    (0.25, "quadratic form", 1, "3/2"),
    (0.5, "words", "5/4", "3/2"),
    (2.0, "word tree", "5/4", "5/4"),
]


def bounded(history=HISTORY):
    """The verdict of a search whose bounds came closer like this."""

    def rational(value):
        return None if value is None else fmpq(*Fraction(value).as_integer_ratio())

    moments = tuple(Moment(at, method, rational(low), rational(high), (0, 1)) for at, method, low, high in history)
    proof = StatedProof(tuple({**WITNESSES["polytope"], "rate": moments[-1].upper}.items()))
    step = BoundsStep(moments[-1].lower, (0, 1), proof, moments)
    return Undecided("joint_spectral_radius", "claimed", "found", derivation=Derivation([step]))


def test_bounds_are_drawn_against_time_with_word_and_method():
    bounds, gap = figure_data(subject("switched"), [bounded()]).panels
    (lower,), (upper,) = by_role(bounds, "lower"), by_role(bounds, "upper")
    assert (lower.k, lower.values) == ((0.001, 0.5, 2.5), (1.0, 1.25, 1.25))
    assert (upper.k, upper.values) == ((0.25, 2.0, 2.5), (1.5, 1.25, 1.25))
    assert lower.label == "at least 1.25: word 0 1"
    assert upper.label == "at most 1.25: an invariant polytope"
    assert bounds.xlabel == gap.xlabel == "seconds"
    assert gap.series[0].values == (0.5, pytest.approx(0.2), pytest.approx(0.2))


def test_where_other_questions_were_asked_their_figure_follows():
    panels = figure_data(subject("switched"), [bounded(), *verdicts("switched")], steps=10).panels
    assert [panel.ylabel for panel in panels] == ["ρ", "upper / lower − 1", "‖J_k‖"]


@pytest.mark.parametrize("history", [HISTORY, HISTORY[-1:], [(0.1, "zero products", 0, 0)], [(5.0, "words", 2, 2.5)]])
def test_figures_of_bounds_are_drawn_without_a_warning(tmp_path, history):
    figure(figure_data(subject("switched"), [bounded(history)], title="Bounds"), tmp_path / "f.svg")
    assert "<svg" in (tmp_path / "f.svg").read_text()


def test_bounds_that_were_known_at_once_leave_room_for_the_recursion(tmp_path):
    nilpotent = Subject(given=SwitchedSystem.from_rows([[[0, 1], [0, 0]]]))
    found = figure_data(nilpotent, [prove(JointSpectralRadius(), nilpotent)], steps=3)
    assert [panel.ylabel for panel in found.panels] == ["‖J_k − J̄‖"]
    figure(found, tmp_path / "f.svg")


def test_derivatives_along_iterates_are_not_said_to_be_selected():
    """Iterates from (1, 0) halve and stay on the axis, where the piece doubles y: no other piece has a part in it."""
    x, y, theta = sp.symbols("x y theta", real=True)
    cut = sp.Max(sp.Min(2 * y, x / 2), -x / 2)
    about = Subject(iteration=Iteration(SymbolicMap([x, y], [x / 2, cut], [theta]), [1, theta]), at={"theta": 0})
    panel = figure_data(about, [prove(Diverges(words="realisable"), about)], steps=8).panels[-1]
    assert panel.title == "Derivatives along iterates that converge"
    assert ["word", "proved"] == [series.role for series in panel.series]
    assert tuple(2.0**k for k in range(9)) == panel.series[0].values


def test_recursions_that_a_graph_constrains_are_not_drawn():
    constrained = Subject(given=SwitchedSystem.from_rows([[["1/2"]], [["3"]]], graph=[(0, 0, 1), (1, 1, 0)]))
    with pytest.raises(InputError, match="there is nothing to draw"):
        figure_data(constrained)
    assert len(figure_data(constrained, [bounded()]).panels) == 2


@pytest.mark.parametrize("suffix", ["pdf", "svg"])
def test_the_same_data_give_the_same_file(tmp_path, suffix):
    first, second = tmp_path / f"a.{suffix}", tmp_path / f"b.{suffix}"
    figure(data("diverging"), first)
    figure(data("diverging"), second)
    assert first.read_bytes() == second.read_bytes()
    assert len(first.read_bytes()) > 5000


@pytest.mark.parametrize("name", sorted(set(SUBJECTS) - {"jump"}))
def test_every_figure_is_drawn_without_a_warning(tmp_path, name):
    figure(data(name), tmp_path / "f.svg")
    assert "<svg" in (tmp_path / "f.svg").read_text()


def test_legends_stand_outside_the_data_and_inside_the_page(tmp_path, drawn):
    figure(data("diverging", 120), tmp_path / "f.png")
    (drawing,) = drawn
    drawing.canvas.draw()
    boxes = [axis.get_legend().get_window_extent() for axis in drawing.axes]
    for axis, box in zip(drawing.axes, boxes, strict=True):
        assert not axis.get_window_extent().overlaps(box)
        assert 0 <= box.x0 and box.x1 <= drawing.bbox.x1 and 0 <= box.y0
        assert all(
            not other.get_title(loc="left") or not other._left_title.get_window_extent().overlaps(box)
            for other in drawing.axes
        )


def test_constant_zero_and_oscillating_sequences_are_drawn_on_a_linear_axis(tmp_path, drawn):
    zero = Series("zero", (0, 1, 2), (0.0, 0.0, 0.0), "iterates")
    swings = Series("swings", tuple(range(21)), tuple(float(k % 2) for k in range(21)), "fixed branch")
    figure(FigureData("t", (Panel("a", "‖x_k‖", (zero,)), Panel("b", "‖J_k‖", (swings,)))), tmp_path / "f.png")
    assert ["linear", "linear"] == [axis.get_yscale() for axis in drawn[0].axes]


def test_other_endings_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(InputError, match=r"ends in \.pdf, \.svg or \.png"):
        figure(data("switched"), tmp_path / "f.jpg")
    with pytest.raises(InputError, match="cannot be written: No such file or directory"):
        figure(data("switched"), tmp_path / "nowhere" / "f.pdf")


def test_pyplot_and_its_global_state_are_not_touched(tmp_path):
    figure(data("switched"), tmp_path / "f.pdf")
    assert "matplotlib.pyplot" not in sys.modules


def test_cells_of_one_verdict_have_no_seam_between_them(tmp_path):
    import numpy as np
    from matplotlib.pyplot import imread

    ends = [k / 7 for k in range(8)]
    cells = tuple((a, b, c, d) for a, b in pairwise(ends) for c, d in pairwise(ends))
    area = Area("diverges", "diverges: 100 %", cells)
    regions(MapPicture("", "a", "b", (0.0, 1.0, 0.0, 1.0), (area,), (), ()), tmp_path / "map.png")
    image = np.round(255 * imread(tmp_path / "map.png")[:, :, :3])
    inside = (image == [0xE6, 0x61, 0x00]).all(axis=2)
    rows, columns = np.flatnonzero(inside.mean(axis=1) > 0.5), np.flatnonzero(inside.mean(axis=0) > 0.5)
    assert len(rows) > 100
    assert len(columns) > 100
    assert inside[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1].all()

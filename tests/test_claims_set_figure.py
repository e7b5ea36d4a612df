"""Pictures of the piggyback set: their data agree with what is known of the sets, and with brute force."""

import itertools
from pathlib import Path

import numpy as np
import pytest
import sympy as sp
from flint import fmpq

from piggycheck.case import load_case
from piggycheck.claims import (
    Derivative,
    ImplicitIsStrict,
    ImplicitSetExceedsClarke,
    PracticeAgrees,
    Subject,
    prove,
)
from piggycheck.claims.entry import entry_name, read_entries
from piggycheck.claims.figure import figure_data
from piggycheck.claims.set_figure import draw_attractor, is_about_sets, set_figure
from piggycheck.claims.set_views import AttractorView, CobwebView, LevelsView, SequenceView, SetFigure
from piggycheck.errors import InputError, NoLimitSetError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, y, theta, mu = sp.symbols("x y theta mu", real=True)
CANTOR = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
RELU = SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [[1]]])
HALF = [["1/2", 0], [0, "1/2"]]
SIERPINSKI = SwitchedSystem.from_rows([HALF] * 3, [[[0], [0]], [["1/2"], [0]], [[0], ["1/2"]]])
WIDE = SwitchedSystem.from_rows([HALF] * 2, [[[0, 1], [0, 0]], [[1, 1], [0, 2]]])
PLANE = SymbolicMap([x, y], [x / 2 + sp.Max(theta, 0), y / 2 + sp.Max(mu, 0)], [theta, mu])


def plane():
    return Subject(iteration=Iteration(PLANE, start=[0, 0]), at={"theta": 0, "mu": 0})


PICTURES = {}


def picture(system):
    if id(system) not in PICTURES:
        PICTURES[id(system)] = set_figure(system, points=100_000)
    return PICTURES[id(system)]


def words_of(system, length, X):
    """Every X after a word of some length, by brute force in floats."""
    A = [np.array([[float(M[i, j]) for j in range(M.ncols())] for i in range(M.nrows())]) for M in system.A]
    B = [np.array([[float(M[i, j]) for j in range(M.ncols())] for i in range(M.nrows())]) for M in system.B]
    found = []
    for word in itertools.product(range(len(A)), repeat=length):
        Y = np.array(X, dtype=float)
        for letter in word:
            Y = A[letter] @ Y + B[letter]
        found.append(Y)
    return np.array(found)


def in_cantor(number, slack, depth=20):
    """Whether a number is within some slack of the ternary Cantor set."""
    low, high = fmpq(0), fmpq(1)
    for _ in range(depth):
        if not float(low) - slack <= number <= float(high) + slack:
            return False
        third = (high - low) / 3
        low, high = (low, low + third) if number <= float(low + high) / 2 else (high - third, high)
    return True


def test_scalar_maps_have_a_cobweb_intervals_and_a_sequence():
    assert [type(view) for view in picture(CANTOR).views] == [CobwebView, LevelsView, SequenceView]
    assert [type(view) for view in picture(SIERPINSKI).views] == [AttractorView, SequenceView]
    assert [type(view) for view in set_figure(SIERPINSKI, entries="1:0").views] == [LevelsView, SequenceView]


def test_levels_of_the_cantor_set_are_its_construction():
    levels = picture(CANTOR).views[1]
    assert levels.levels[0] == ((-1, 0.0, 1.0),)
    second = [(0, 0, 1), (0, 2, 3), (1, 6, 7), (1, 8, 9)]
    found = sorted(levels.levels[2], key=lambda one: one[1])
    assert [one[0] for one in found] == [one[0] for one in second]
    assert [end for one in found for end in one[1:]] == pytest.approx([end / 9 for one in second for end in one[1:]])
    assert levels.hull == ((0.0, "0"), (1.0, "1"))


def test_points_lie_near_the_cantor_set_and_it_lies_near_them():
    levels = picture(CANTOR).views[1]
    points = np.sort(np.concatenate([part for _, part in levels.parts]))
    assert all(in_cantor(point, levels.radius) for point in points[:: max(1, len(points) // 500)])
    for X in words_of(CANTOR, 10, [[0]]).ravel():
        assert np.abs(points - X).min() <= levels.radius


@pytest.mark.parametrize("system", [SIERPINSKI, WIDE])
def test_every_matrix_that_a_word_reaches_is_within_the_radius_of_a_point(system):
    view = picture(system).views[0]
    points = np.concatenate([part for _, part in view.parts])
    entries = [(0, 0), (1, 0)] if system is SIERPINSKI else [(0, 0), (1, 1)]
    corner = [[0] * system.columns] * 2 if system is SIERPINSKI else [[0, 2], [0, 0]]
    assert view.radius < 0.02
    for X in words_of(system, 6, corner):
        place = np.array([X[entry] for entry in entries])
        assert np.sqrt(((points - place) ** 2).sum(axis=1)).min() <= view.radius + 1e-12


def test_each_part_is_the_image_that_its_letter_gives():
    """The images of the triangle are its three halves, at its corners."""
    for (_, part), corner in zip(picture(SIERPINSKI).views[0].parts, [(0, 0), (0.5, 0), (0, 0.5)], strict=True):
        assert np.all(part >= np.array(corner) - 0.02)
        assert np.all((part - np.array(corner)).sum(axis=1) <= 0.52)


def test_implicit_points_are_the_fixed_points_of_the_pairs():
    assert picture(RELU).views[1].implicit == (("0", (0.0,)), ("1", (pytest.approx(2 / 3),)))
    assert picture(RELU).views[1].implicit_hull == pytest.approx((0, 2 / 3))
    assert [end for end, _ in picture(RELU).views[1].hull] == pytest.approx([-2 / 3, 4 / 3])


def test_entries_that_never_change_are_left_out_unless_asked_for():
    assert picture(WIDE).views[0].labels == ("J[0, 0]", "J[1, 1]")
    assert set_figure(WIDE, entries="0:1, 0:0").views[0].labels == ("J[0, 1]", "J[0, 0]")
    assert set_figure(plane()).views[0].labels == ("dx/dtheta", "dy/dmu")


def test_the_sequence_closes_on_the_set_as_fast_as_its_bounds_say():
    sequence = picture(RELU).views[2]
    for k, points, bound in zip(sequence.steps, sequence.sets, sequence.bounds, strict=True):
        assert len(points) <= 2**k
        assert points.min() >= -2 / 3 - bound - 1e-12 and points.max() <= 4 / 3 + bound + 1e-12
        assert points.min() <= -2 / 3 + bound + 1e-12 and points.max() >= 4 / 3 - bound - 1e-12
    assert sequence.bounds[-1] < 0.01 < sequence.bounds[0]


def test_a_given_start_is_where_sequence_and_cobweb_begin():
    started = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]], J0=[["1/2"]])
    cobweb, _, sequence = set_figure(started).views
    assert (cobweb.start, sequence.start) == (0.5, "J_0 = 1/2")
    assert sequence.sets[0].tolist() == [[0.5]]
    assert cobweb.paths[0] == ((0, 0.5, pytest.approx(1 / 6)), (1, 0.5, pytest.approx(5 / 6)))


def test_without_a_start_it_lies_outside_the_set():
    assert picture(CANTOR).views[0].start > 1


def test_the_implicit_set_of_the_hull_is_drawn_where_it_was_asked_for():
    assert picture(SIERPINSKI).views[0].curves == ()
    curves = set_figure(SIERPINSKI, hull=True).views[0].curves
    assert len(curves) == 3
    assert curves[0][0] == pytest.approx([0, 0]) and curves[0][-1] == pytest.approx([1, 0])


def test_a_witness_is_marked():
    about = Subject(given=RELU)
    (mark,) = set_figure(about, [prove(ImplicitIsStrict(), about)]).views[1].marks
    assert mark.role == "witness"
    assert mark.label.startswith("fixed point of the word 0 1")
    (hull,) = set_figure(about, [prove(ImplicitIsStrict(hull=h), about) for h in (False, True)]).views[1].marks
    assert "outside J^imp of the hull" in hull.label


def test_the_caption_states_the_radius_rounded_up():
    data = picture(CANTOR)
    stated = float(data.caption.split("r = ")[1].split(" ")[0])
    assert data.views[1].radius <= stated <= 1.02 * data.views[1].radius


def test_pairs_that_may_not_be_active_are_said_to_be():
    unsure = SwitchedSystem(CANTOR.A, CANTOR.B, exact=False)
    assert "not proved active" in set_figure(unsure).caption
    assert "not proved active" not in picture(CANTOR).caption


@pytest.mark.parametrize(
    "entries, message",
    [
        ("2:0", "entry `2:0`: there is no row `2`; write x or y, or a number from 0 to 1"),
        ("x:z", "entry `x:z`: there is no column `z`; write theta or mu, or a number from 0 to 1"),
        ("x", "entry `x`: write a row and a column, for instance `0:0`"),
        ("x:theta:y", "entry `x:theta:y`: write a row and a column"),
        ("", "entries ``: a picture shows one entry or two"),
        ("0:0,0:1,1:0", "entries `0:0,0:1,1:0`: a picture shows one entry or two"),
        ("0:0, x:theta", "both are the same entry; write two different ones, or one"),
        ("-1:0", "there is no row `-1`"),
        ([(0, 2)], "entry `0:2`: there is no column `2`"),
        ([], "a picture shows one entry or two"),
    ],
)
def test_entries_that_do_not_exist_are_refused(entries, message):
    with pytest.raises(InputError) as error:
        set_figure(plane(), entries=entries)
    assert message in str(error.value) and "\n" not in str(error.value)


def test_entries_are_read_by_name_and_number():
    names = (["x", "y"], ["theta", "mu"])
    assert read_entries("y:mu", (2, 2), names) == ((1, 1),)
    assert read_entries([(1, 0), ("x", "mu")], (2, 2), names) == ((1, 0), (0, 1))
    assert read_entries("0:0", (1, 1), ([], [])) == ((0, 0),)
    assert entry_name((1, 0), (2, 2), names) == "dy/dtheta"
    with pytest.raises(InputError, match="there is no row `1`; write 0$"):
        read_entries("1:0", (1, 1), ([], []))


def test_without_a_set_there_is_no_picture():
    with pytest.raises(NoLimitSetError, match="by the word 1"):
        set_figure(SwitchedSystem.from_rows([[["1/2"]], [[1]]], [[[0]], [[1]]]))
    with pytest.raises(UnknownError, match="graph"):
        set_figure(SwitchedSystem.from_rows([[["1/2"]], [["1/3"]]], graph=[(0, 0, 1), (1, 1, 0)]))
    with pytest.raises(InputError, match="`B` has no columns"):
        set_figure(SwitchedSystem.from_rows([[["1/2"]]], [[[]]]))
    with pytest.raises(InputError, match="no parameters"):
        set_figure(Subject(iteration=Iteration(SymbolicMap([x], [x / 2]), start=[1])))


def test_a_single_matrix_has_a_picture(tmp_path):
    draw_attractor(SwitchedSystem.from_rows([[["1/2"]]], [[[1]]]), tmp_path / "point.svg")
    draw_attractor(SwitchedSystem.from_rows([HALF], [[[1], [2]]]), tmp_path / "plane.svg", entries="0:0, 1:0")
    assert "<svg" in (tmp_path / "plane.svg").read_text()


def test_the_figure_of_a_case_is_a_picture_where_claims_are_about_the_set():
    about = Subject(given=RELU)
    strict, single = prove(ImplicitIsStrict(), about), prove(Derivative(), about)
    assert isinstance(figure_data(about, [strict]), SetFigure)
    assert isinstance(figure_data(about, [single]), SetFigure)
    assert isinstance(figure_data(about, [], entries="0:0"), SetFigure)
    assert not isinstance(figure_data(about, []), SetFigure)
    assert not is_about_sets([single, single])


def test_entries_of_a_figure_without_a_set_are_refused():
    constrained = SwitchedSystem.from_rows([[["1/2"]], [["1/3"]]], graph=[(0, 0, 1), (1, 1, 0)])
    with pytest.raises(InputError, match="there is nothing to draw: the words are constrained by a graph"):
        figure_data(Subject(given=constrained), [], entries="0:0")


def test_limits_in_practice_and_matrices_outside_the_clarke_jacobian_are_marked():
    cantor = Subject(
        iteration=Iteration(SymbolicMap([x], [x / 3 + 2 * sp.Max(theta, 0) / 3], [theta])), at={"theta": 0}
    )
    verdicts = [prove(PracticeAgrees(policy=policy), cantor) for policy in ("torch", "0")]
    assert is_about_sets(verdicts)
    marks = {mark.place[0]: mark.role for mark in set_figure(cantor, verdicts).views[1].marks}
    assert marks == {0.5: "outside", 1.0: "inside"}
    path = Path(__file__).parent.parent / "casebook" / "clarke-is-not-enough" / "case.toml"
    case = load_case(path)
    clarke = Subject(iteration=case.iteration, at=case.at)
    verdict = prove(ImplicitSetExceedsClarke(), clarke)
    (mark,) = set_figure(clarke, [verdict], points=20_000).views[0].marks
    assert (mark.place, mark.role) == ((2.0, 0.0), "implicit")

"""Finite approximations: radii against exact arithmetic, sets known by hand, and each other."""

from __future__ import annotations

from itertools import islice, product

import numpy as np
import pytest
from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError, NoLimitSetError, UnknownError
from piggycheck.limits import (
    approximate,
    attractor_points,
    contracting,
    inner_product,
    sample_attractor,
    set_sequence,
    word_fixed_point,
)
from piggycheck.limits.boxes import fill_boxes
from piggycheck.limits.contraction import Contraction
from piggycheck.limits.euclidean import euclidean, norms_above
from piggycheck.limits.scaled import floats
from piggycheck.switched import SwitchedSystem

CANTOR = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
DIGITS = SwitchedSystem.from_rows([[["1/2"]], [["1/2"]]], [[[0]], [["1/2"]]])
TRIANGLE = SwitchedSystem.from_rows([[["1/2", 0], [0, "1/2"]]] * 3, [[[0], [0]], [["1/2"], [0]], [["1/4"], ["1/2"]]])
SQUARE = SwitchedSystem.from_rows(
    [[["3/5", 0], [0, "3/5"]]] * 4, [[[0], [0]], [["2/5"], [0]], [[0], ["2/5"]], [["2/5"], ["2/5"]]]
)
TREE = SwitchedSystem.from_rows([[[0, 2], [0, 0]], [["1/4", 0], [0, "1/4"]]], [[[1], [0]], [[0], [1]]])
TURNED = SwitchedSystem.from_rows(
    [[["1/2", "-1/2"], ["1/2", "1/2"]], [["1/4", "1/3"], ["-1/3", "1/4"]], [["1/2", "1/3"], [0, "-1/2"]]],
    [[[1], [0]], [[0], [-1]], [[1], [1]]],
)


def exact_points(system, length):
    """Exact points of the set: fixed points of all words of a length."""
    return [word_fixed_point(system, word) for word in product(range(len(system)), repeat=length)]


def largest_gap(points, X):
    """The largest distance of one of the X to the nearest point."""
    found = [np.sqrt(((points - x) ** 2).sum(axis=(1, 2))).min() for x in floats(X)]
    return max(found)


@pytest.mark.parametrize("system", [CANTOR, DIGITS, TRIANGLE, SQUARE, TREE, TURNED])
@pytest.mark.parametrize("parts", [10, 50])
def test_points_of_the_set_are_within_the_radius(system, parts):
    found = approximate(system, fmpq(1, parts))
    assert found.reached and found.radius <= 1 / parts
    assert largest_gap(found.points, exact_points(system, 6)) <= found.radius


@pytest.mark.parametrize("system", [CANTOR, DIGITS, TRIANGLE, SQUARE, TREE, TURNED])
def test_the_set_comes_within_the_radius_of_every_point(system):
    """The reference is a much finer approximation, whose own radius is added."""
    coarse, fine = approximate(system, "1/20"), approximate(system, "1/200")
    for x in coarse.points[:: max(1, len(coarse.points) // 50)]:
        assert np.sqrt(((fine.points - x) ** 2).sum(axis=(1, 2))).min() <= coarse.radius + fine.radius


def test_the_radius_of_the_cantor_set_is_that_of_its_intervals():
    found = approximate(CANTOR, "1/50")
    assert sorted(found.points.ravel()) == pytest.approx(sorted((2 * k + 1) / 54 for k in (0, 2, 6, 8, 18, 20, 24, 26)))
    assert found.radius == pytest.approx(1 / 54)


def test_floats_are_within_rounding_of_exact_arithmetic():
    """The points of words of one length are exact up to far less than the radius says."""
    contraction = contracting(TRIANGLE)
    found = approximate(contraction, "1/20")
    length = round(np.log(len(found.points)) / np.log(3))
    words = product(range(3), repeat=length)
    exact = [A * contraction.centre + B for A, B in (TRIANGLE.product(word) for word in words)]
    assert largest_gap(found.points, exact) < 1e-14


def test_any_start_will_do():
    start = fmpq_mat([[100], [-50]])
    found = approximate(TURNED, "1/10", start=start)
    assert found.reached and largest_gap(found.points, exact_points(TURNED, 6)) <= found.radius
    middle = approximate(TURNED, "1/10")
    for x in found.points[::50]:
        assert np.sqrt(((middle.points - x) ** 2).sum(axis=(1, 2))).min() <= found.radius + middle.radius


def test_entries_have_radii_of_their_own():
    flat = SwitchedSystem.from_rows([[["1/2", 0], [0, 0]]] * 2, [[[0], [1]], [[1], [1]]])
    found = approximate(flat, "1/100")
    assert found.entry_radius.shape == (2, 1)
    assert found.entry_radius[1, 0] < 1e-9 < found.entry_radius[0, 0] <= found.radius


def test_equal_maps_are_put_together():
    """Words of the binary digits of equal value are many when a digit may be 2."""
    redundant = SwitchedSystem.from_rows([[["1/2"]]] * 3, [[[0]], [["1/2"]], [[1]]])
    found = approximate(redundant, "1/1000", budget=10_000)
    assert found.reached and not found.boxes and len(found.points) < 2_100 * 2


def test_boxes_hold_the_same_set():
    """The square is covered many times over: middles of boxes replace words."""
    maps = euclidean(contracting(SQUARE))
    start = approximate(SQUARE, "1/10")
    last = list(fill_boxes(maps, start.points, start.radius, 0.01, 1_000_000))[-1]
    points = last.points()
    assert last.radius <= 0.01
    grid = [fmpq_mat([[fmpq(x, 40)], [fmpq(y, 40)]]) for x in range(41) for y in range(41)]
    assert largest_gap(points, grid) <= last.radius
    assert points.min() >= -last.radius and points.max() <= 1 + last.radius
    assert len(points) < 200_000


def test_a_budget_that_ends_leaves_a_larger_radius_that_still_holds():
    found = approximate(TURNED, "1/1000", budget=500)
    assert not found.reached and found.radius > 1e-3 and len(found.points) <= 500
    assert largest_gap(found.points, exact_points(TURNED, 6)) <= found.radius


def test_progress_is_told_and_an_interruption_returns_what_was_reached():
    told = []

    def interrupt(count, radius):
        told.append((count, radius))
        if len(told) == 3:
            raise KeyboardInterrupt

    found = approximate(TRIANGLE, "1/1000", progress=interrupt)
    assert len(told) == 3 and told[-1][1] == found.radius and not found.reached
    assert largest_gap(found.points, exact_points(TRIANGLE, 5)) <= found.radius


@pytest.mark.parametrize(
    "system, expected",
    [
        (SwitchedSystem.from_rows([[["1/2"]]], [[[1]]]), [2]),
        (SwitchedSystem.from_rows([[[0]], [[0]]], [[[1]], [[2]]]), [1, 2]),
        (SwitchedSystem.from_rows([[["1/2"]], [["1/2"]]], [[[1]], [[1]]]), [2]),
        (SwitchedSystem.from_rows([[[0, 2], [0, 0]]], [[[1], [1]]]), [1, 3]),
    ],
)
def test_sets_of_one_or_two_points(system, expected):
    found = approximate(system, "1/1000000")
    assert found.reached and sorted(set(found.points.ravel().round(5))) == expected


def test_no_columns():
    found = approximate(SwitchedSystem((fmpq_mat([[fmpq(1, 2)]]),), (fmpq_mat(1, 0),)), "1/10")
    assert found.reached and found.points.shape[1:] == (1, 0)


@pytest.mark.parametrize(
    "radius, start, message",
    [
        ("0", None, "`radius` is 0; write a positive number"),
        ("-1", None, "`radius` is -1; write a positive number"),
        ("1", fmpq_mat(2, 1), "`start` is 2 by 1; write a matrix of 1 rows and 1 columns"),
    ],
)
def test_bad_input_is_refused(radius, start, message):
    with pytest.raises(InputError, match=message):
        approximate(CANTOR, radius, start=start)


def test_there_is_no_set_to_approximate_without_contraction():
    with pytest.raises(NoLimitSetError, match="by the word 0"):
        approximate(SwitchedSystem.from_rows([[[1]]], [[[1]]]), "1/10")


def test_norms_are_bounded_from_above_and_closely():
    random = np.random.default_rng(0)
    for p in (1, 2, 3, 5):
        M = random.normal(size=(200, p, p))
        exact = np.linalg.norm(M, 2, axis=(1, 2))
        assert (exact <= norms_above(M)).all() and (norms_above(M) <= 1.25 * exact).all()
        for size in (1e-250, 1e-100, 1e-45, 1e45, 1e250):
            bound = norms_above(M * size)
            assert (exact * size * (1 - 1e-14) <= bound).all() and (bound <= 1.25 * exact * size).all()


@pytest.mark.parametrize("exponent", [-250, -100, -45, 45, 100, 250])
def test_sets_of_any_size_are_enclosed(exponent):
    """The fixed points of the letters, 0 and the solution of the second pair, are within the radius."""
    scale = fmpq(10) ** exponent
    A = [["1/2", "1/8", 0], [0, "1/2", "1/8"], [0, 0, "1/2"]]
    system = SwitchedSystem.from_rows([A, A], [[[0]] * 3, [[str(scale)]] * 3])
    found = approximate(system, scale, budget=2000)
    exact = np.array([[0, 0, 0], [2.625, 2.5, 2.0]])
    nearest = [np.linalg.norm(found.points[:, :, 0] / float(scale) - X, axis=1).min() for X in exact]
    assert max(nearest) <= found.radius / float(scale) < 20


@pytest.mark.parametrize("gap", [10, 13, 15, 20])
def test_maps_that_hardly_contract_are_given_up_or_bounded(gap):
    """The set is one point, 10^gap."""
    system = SwitchedSystem.from_rows([[[str(1 - 1 / fmpq(10) ** gap)]]], [[[1]]])
    try:
        found = approximate(system, 1)
    except UnknownError:
        return
    assert abs(found.points[0, 0, 0] - 10.0**gap) <= found.radius


def test_a_radius_far_out_of_reach_is_not_reached():
    """The norms are near 1, so that far more cells would be needed than floats count."""
    system = SwitchedSystem.from_rows([[["99/100"]], [["-99/100"]], [["98/100"]]], [[[0]], [[1]], [[2]]])
    assert not approximate(system, 1 / fmpq(10) ** 200, budget=100).reached


def test_numbers_that_no_float_holds_are_refused():
    tiny = SwitchedSystem.from_rows([[["1/2"]]] * 2, [[[0]], [[str(1 / fmpq(10) ** 320)]]])
    with pytest.raises(UnknownError, match="too small for floats"):
        approximate(tiny, 1)
    with pytest.raises(InputError, match="`radius` is too small"):
        approximate(CANTOR, 1 / fmpq(10) ** 400)
    with pytest.raises(InputError, match="`start` is too large"):
        approximate(CANTOR, 1, start=fmpq_mat([[fmpq(10) ** 400]]))


@pytest.mark.parametrize("system", [CANTOR, TRIANGLE, TREE, TURNED])
def test_the_maps_in_other_coordinates_have_the_same_set(system):
    """Their images of an exact point are points of the set, and the ball contains them."""
    maps = euclidean(contracting(system))
    for word, M, b, norm in zip(maps.words, maps.M, maps.b, maps.norms, strict=True):
        A, B = system.product(word)
        X = word_fixed_point(system, (0,))
        Z = np.linalg.solve(maps.back, floats([X])[0] - maps.centre)
        assert maps.original(M @ Z + b) == pytest.approx(floats([A * X + B])[0], abs=1e-12)
        assert np.linalg.norm(M, 2) <= norm < 1 and np.linalg.norm(Z) <= maps.radius


def test_random_points_belong_to_the_set():
    points, away = sample_attractor(CANTOR, 10_000, seed=3)
    assert points.shape == (10_000, 1, 1) and away < 1e-13
    digits = np.floor((points.ravel()[:, None] * 3.0 ** np.arange(1, 6)) + 1e-9) % 3
    assert not (digits == 1).any() or np.isclose(points.max(), 1)
    assert (attractor_points(CANTOR, 10_000, seed=3) == points).all()
    with pytest.raises(InputError, match="`count` is 0; write a positive number"):
        attractor_points(CANTOR, 0)


def test_the_sets_of_the_recursion_close_on_the_set():
    contraction = contracting(TURNED)
    start = fmpq_mat([[3], [3]])
    reference = exact_points(TURNED, 5)
    last = None
    for k, (points, distance) in enumerate(islice(set_sequence(contraction, start, 6), 7)):
        assert len(points) == 3**k
        assert largest_gap(points, reference) <= float(distance) * (1 + 1e-12)
        last = distance
    assert last < 3


def test_the_sets_of_the_cantor_recursion_are_as_far_as_the_power_of_a_third():
    found = [
        (sorted(points.ravel()), distance) for points, distance in set_sequence(contracting(CANTOR), fmpq_mat(1, 1), 2)
    ]
    assert [0] == found[0][0] and [0, 2 / 3] == found[1][0]
    assert [1, fmpq(1, 3), fmpq(1, 9)] == [distance for _, distance in found]


def test_a_sequence_that_grows_too_large_is_refused():
    digits = SwitchedSystem.from_rows([[["1/10"]]] * 10, [[[d]] for d in range(10)])
    with pytest.raises(InputError, match="`start` is 2 by 1"):
        next(set_sequence(contracting(digits), fmpq_mat(2, 1), 1))


def test_a_contraction_is_taken_as_it_is():
    contraction = contracting(CANTOR)
    wide = Contraction(CANTOR, contraction.tree, fmpq_mat([[5]]), fmpq(20))
    assert largest_gap(approximate(wide, "1/20").points, exact_points(CANTOR, 5)) <= 0.05
    assert inner_product(wide.centre, wide.centre) == 25


def test_a_radius_out_of_reach_does_not_make_the_bound_much_worse():
    shifts = [[[0, 0], [0, 0]], [[1, 0], [0, 1]], [[0, 1], [1, 0]], [[0, 0], [1, 0]], [[1, 1], [0, 1]]]
    system = SwitchedSystem.from_rows([[["3/5", "-3/5"], ["3/5", "3/5"]]] * 5, shifts)
    coarse, fine = (approximate(system, radius, budget=60_000) for radius in ("2", "1/1000"))
    assert not fine.reached and fine.radius <= 1.1 * coarse.radius

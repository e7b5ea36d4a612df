"""Star-shaped polygons that are sent into their interior: by hand, by sampling, and of maps that do not converge."""

import math
import random
from fractions import Fraction

import pytest
from flint import fmpq, fmpq_mat

from piggycheck.star_polygon import maps_inside, star_polygon
from piggycheck.transitions import Cone, ConewiseLinear

NOTCHED = [(4, 0), (fmpq(1, 2), fmpq(1, 2)), (0, 4), (-4, 0), (0, -4)]


def scaled(corners, factor):
    return [(factor * a, factor * b) for a, b in corners]


def two_slopes(method, step, momentum, steep, flat):
    """The heavy ball, or Nesterov's method, and the cones on which it is linear."""
    step, momentum = fmpq(step), fmpq(momentum)
    if method == "heavy_ball":
        rows, kink = [(1 + momentum - step * s, -momentum) for s in (steep, flat)], (fmpq(1), fmpq(0))
    else:
        shrunk = [1 - step * s for s in (steep, flat)]
        rows, kink = [(c * (1 + momentum), -c * momentum) for c in shrunk], (1 + momentum, -momentum)
    cones = tuple((Cone((), (tuple(sign * c for c in kink),)),) for sign in (1, -1))
    return ConewiseLinear(tuple(fmpq_mat([row, (1, 0)]) for row in rows), cones)


class TestMapsInside:
    def test_a_square_that_is_halved(self):
        square = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
        assert maps_inside(square, scaled(square, fmpq(1, 2)))
        assert maps_inside(square, scaled(square, fmpq(999, 1000)))
        assert not maps_inside(square, square), "the boundary is not inside"
        assert maps_inside(square, [(0, 0)] * 4)

    def test_an_edge_may_leave_through_a_notch_where_corners_do_not(self):
        """Of -3/4 times the corners all are inside, but the edge from (3, 0) to (0, 3) passes the corner (1/2, 1/2)."""
        images = scaled(NOTCHED, fmpq(-3, 4))
        assert not maps_inside(NOTCHED, images)
        assert maps_inside(NOTCHED, scaled(NOTCHED, fmpq(-1, 5)))  # 4/5 is left of (3, 0) to (0, 3) at the notch
        assert not maps_inside(NOTCHED, scaled(NOTCHED, fmpq(-1, 4))), "the edge goes through the corner (1/2, 1/2)"

    @pytest.mark.parametrize(
        "corners",
        [
            [(1, -1), (-1, -1), (-1, 1), (1, 1)],  # clockwise
            [(1, 1), (-1, 1), (-1, -1), (1, -1)] * 2,  # twice around
            [(1, 0), (0, 1), (-1, 1)],  # not around
            [(1, 1), (-1, -1), (1, -1)],  # half a turn in one step
            [(1, 1), (-1, 1)],
            [],
        ],
    )
    def test_what_does_not_go_around_once(self, corners):
        assert not maps_inside(corners, [(0, 0)] * len(corners))

    def test_against_points_of_the_edges(self):
        dice, seen = random.Random(7), []
        for _ in range(60):
            angles = sorted(dice.sample(range(24), dice.randint(4, 9)))
            corners = [
                (round(r * math.cos(a * math.pi / 12)), round(r * math.sin(a * math.pi / 12)))
                for a in angles
                for r in [dice.randint(20, 60)]
            ]
            images = [(dice.randint(-25, 25), dice.randint(-25, 25)) for _ in corners]
            inside = maps_inside([(fmpq(a), fmpq(b)) for a, b in corners], [(fmpq(a), fmpq(b)) for a, b in images])
            if inside:
                edges = zip(images, images[1:] + images[:1], strict=True)
                points = [
                    (Fraction(k * u[0] + (40 - k) * v[0], 40), Fraction(k * u[1] + (40 - k) * v[1], 40))
                    for u, v in edges
                    for k in range(41)
                ]
                assert all(reach(corners, point) < 1 for point in points)
            seen.append(inside)
        assert 3 < sum(seen) < 57


def reach(corners, point):
    """By which factor the polygon has to be stretched to reach a point: in its sector, by Cramer's rule."""
    for u, v in zip(corners, corners[1:] + corners[:1], strict=True):
        whole = u[0] * v[1] - u[1] * v[0]
        a = (point[0] * v[1] - point[1] * v[0]) / Fraction(whole)
        b = (u[0] * point[1] - u[1] * point[0]) / Fraction(whole)
        if whole > 0 and a >= 0 and b >= 0:
            return a + b
    raise AssertionError("around")


@pytest.mark.parametrize(
    "method, step, momentum, flat",
    [
        ("heavy_ball", "1", "3/4", "1/4"),  # Bolte, Pauwels, Vaiter 2022
        ("heavy_ball", "2", "1/2", "1/3"),
        ("heavy_ball", "5/2", "1/2", "1/2"),
        ("heavy_ball", "1/3", "4/5", "1/5"),
        ("nesterov", "4/3", "3/4", "1/4"),  # which folds the plane
    ],
)
def test_iterates_that_converge_from_every_start(method, step, momentum, flat):
    assert star_polygon(two_slopes(method, step, momentum, 1, fmpq(flat)))


def test_a_kink_too_close_to_another_direction_to_be_seen_in_floats_is_no_corner_and_no_proof():
    """The kink is 10^-40 beside the diagonal, so that its corner and that of the diagonal have one angle in floats."""
    kink = (fmpq(1), -fmpq(10**40 + 1, 10**40))
    cones = tuple((Cone((), (tuple(sign * c for c in kink),)),) for sign in (1, -1))
    assert star_polygon(ConewiseLinear((fmpq_mat([[fmpq(1, 2), 0], [0, fmpq(1, 2)]]),) * 2, cones)) is None


def test_numbers_that_overflow_are_not_followed():
    """x is multiplied with 10, or 10^201, on the right, and sent to the left, where it is divided by 100."""
    A = fmpq_mat([[-10, 0], [0, 0]]), fmpq_mat([[fmpq(1, 100), 0], [0, 0]])
    cones = tuple((Cone((), ((fmpq(sign), fmpq(0)),)),) for sign in (1, -1))
    assert star_polygon(ConewiseLinear(A, cones)) is not None
    assert star_polygon(ConewiseLinear((10**200 * A[0], -A[0]), cones)) is None


@pytest.mark.parametrize(
    "method, step, momentum, flat",
    [
        ("heavy_ball", "13/4", "3/4", "1/3"),  # iterates grow along a ray, each piece being stable
        ("heavy_ball", "10/3", "3/4", "2/3"),
        ("heavy_ball", "3", "1/2", "1"),  # linear, with the eigenvalue -1
        ("heavy_ball", "1", "1", "1/4"),
        ("nesterov", "4/3", "3/4", "-1/100"),
    ],
)
def test_iterates_that_do_not(method, step, momentum, flat):
    assert star_polygon(two_slopes(method, step, momentum, 1, fmpq(flat))) is None

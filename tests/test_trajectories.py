"""Funnels, cycles, orbits and formal gradients below the claims, against computation by hand and by other means."""

import random
from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from flint import fmpq
from trajectories_certificates import descent, tent

from piggycheck.errors import InputError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.trajectories import (
    FormalGradient,
    affine_pieces,
    find_cycle,
    find_funnel,
    periodic_orbit,
    read_field,
)

x, y, z, u, v, theta = sp.symbols("x y z u v theta", real=True)
S = sp.symbols("s_1:4", real=True)
LORENZ = [10 * (y - x), x * (28 - z) - y, x * y - sp.Rational(8, 3) * z]


def lorenz_behind_zero():
    """The loss -Lorenz(x) . (x - s), where s = x is a triple root."""
    inner = Iteration(
        SymbolicMap(S, [s - (s - p) ** 3 for s, p in zip(S, (x, y, z), strict=True)], (x, y, z)), [x, y, z]
    )
    return sum(-f * (p - s) for f, p, s in zip(LORENZ, (x, y, z), S, strict=True)), inner


# -- pieces -----------------------------------------------------------------------------------------------------------


def test_pieces_of_a_clipped_map_cover_the_line():
    pieces = affine_pieces(SymbolicMap([x], [sp.Max(sp.Min(x, 1), -1)]), {}).pieces
    assert {piece.images for piece in pieces} == {((1, 0),), ((0, 1),), ((0, -1),)}
    for value in (fmpq(-2), fmpq(-1), fmpq(0), fmpq(1, 3), fmpq(1), fmpq(5)):
        inside = [p for p in pieces if all(row[0] * value + row[1] >= 0 for row in p.nonnegative)]
        assert inside and all(p.images[0][0] * value + p.images[0][1] == max(min(value, 1), -1) for p in inside)


@pytest.mark.parametrize("following", [x**2, sp.sqrt(2) * x, sp.Max(x**2, 1)])
def test_maps_that_are_not_affine_are_not_read(following):
    with pytest.raises(UnknownError):
        affine_pieces(SymbolicMap([x], [following]), {})


def test_too_many_pieces_are_not_listed():
    with pytest.raises(UnknownError, match="more than 64 pieces"):
        affine_pieces(SymbolicMap([x], [sum(sp.Abs(x - k * y) for k in range(40))], [y]), {})


# -- funnels ----------------------------------------------------------------------------------------------------------


def test_every_iterate_lies_in_the_funnel():
    iteration, box = tent(), {theta: (fmpq(0), fmpq(1))}
    funnel = find_funnel(iteration, {}, [fmpq(0), fmpq(0)], box)
    dice = random.Random(2)
    for _ in range(50):
        t = Fraction(dice.randint(0, 100), 100)
        point, scale = (t, Fraction(1)), Fraction(1)
        for _ in range(20):
            for row in funnel.rows:
                assert sum(Fraction(str(c)) * a for c, a in zip(row, (*point, t, scale, 1), strict=True)) >= 0
            a, b = point
            point, scale = (Fraction(4, 3) * min(a, b - a), Fraction(2, 3) * b), scale * Fraction(str(funnel.rate))


# -- flows ------------------------------------------------------------------------------------------------------------


def test_the_cycle_is_the_one_that_a_hand_computation_gives():
    """u + 1/u = w with 2 w^2 - 5 w - 9 = 0, since the guard at p is -(u - 1)(2 u^4 - 5 u^3 - 5 u^2 - 5 u + 2)."""
    cycle = find_cycle(read_field(descent().map, {}))
    w = (5 + np.sqrt(97)) / 4
    expected = (w - np.sqrt(w * w - 4)) / 2
    for low, high in cycle.arcs:
        assert abs(float(Fraction(str(low))) - expected) < 1e-14 and high - low < fmpq(1, 10**23)


def test_the_multiplier_is_what_differences_of_the_return_map_give():
    cycle = find_cycle(read_field(descent().map, {}))

    def back(a):
        """From (a, 3a - 2) to the line and back, by roots of polynomials."""
        point = np.array([a, 3 * a - 2])
        for centre in (np.array([3.0, 5.0]), np.array([0.0, 0.0])):
            d = point - centre
            roots = np.roots([d[1], 0, 0, -3 * d[0], centre[1] - 3 * centre[0] + 2])
            w = max(r.real for r in roots if abs(r.imag) < 1e-12 and 0 < r.real < 1 - 1e-9)
            point = centre + d * np.array([w, w**4])
        return point[0]

    a = 0.6787637971338256
    assert abs(back(a) - a) < 1e-12
    seen = (back(a + 1e-5) - back(a - 1e-5)) / 2e-5
    low, high = (float(Fraction(str(c))) for c in cycle.multiplier)
    assert abs(seen - low) < 1e-8 and high - low < 1e-18


@pytest.mark.parametrize("h, period", [("1/20", 26), ("1/100", 124)])
def test_small_steps_run_into_a_periodic_orbit_near_the_cycle(h, period):
    """The flow takes 2 log(1/u) / (2 h) steps for a round: about 1.2297 / h."""
    step = sp.Rational(h)
    iteration = descent(rates=(2 * step, 8 * step))
    orbit = periodic_orbit(affine_pieces(iteration.map, {}), [fmpq(0), fmpq(0)])
    assert len(orbit.points) == period and abs(period * float(step) - 1.2297) < 0.1
    ahead = (*orbit.points[1:], orbit.points[0])
    for (a, b), image in zip(orbit.points, ahead, strict=True):
        s = (3, 5) if b > 3 * a - 2 else (0, 0)
        c = fmpq(int(step.p), int(step.q))
        assert image == (a - 2 * c * (a - s[0]), b - 8 * c * (b - s[1]))


def test_iterates_that_run_away_have_no_orbit():
    assert periodic_orbit(affine_pieces(SymbolicMap([x], [2 * x + 1]), {}), [fmpq(0)]) is None


# -- formal gradients -------------------------------------------------------------------------------------------------


def test_the_formal_gradient_of_a_zero_loss_is_the_field():
    gradient = FormalGradient(*lorenz_behind_zero())
    dice = random.Random(3)
    for _ in range(20):
        at = {p: sp.Rational(dice.randint(-99, 99), dice.randint(1, 9)) for p in (x, y, z)}
        assert sp.simplify(gradient.loss.subs(dict(zip(S, (x, y, z), strict=True)))) == 0
        assert [str(c) for c in gradient.exact(at)] == [str(-f.subs(at)) for f in LORENZ]
        numbers = [float(c) for c in at.values()]
        assert np.allclose(gradient(numbers), [-float(f.subs(at)) for f in LORENZ], rtol=1e-12)


def test_descending_the_zero_loss_is_eulers_method_for_the_lorenz_system():
    points = FormalGradient(*lorenz_behind_zero()).descend([1.0, 1.0, 1.0], 0.005, 400)
    expected = np.array([1.0, 1.0, 1.0])
    for point in points:
        assert np.allclose(point, expected, rtol=1e-9)
        a, b, c = expected
        expected = expected + 0.005 * np.array([10 * (b - a), a * (28 - c) - b, a * b - 8 / 3 * c])
    assert points[:, 2].max() > 45, "the first loop of the butterfly"


def test_where_the_system_is_regular_the_formal_gradient_is_the_gradient():
    """s = 2x + y solves s = s/2 + x + y/2, so d(s^2 + x)/d(x, y) = (4s + 1, 2s)."""
    s = S[0]
    inner = Iteration(SymbolicMap([s], [s / 2 + x + y / 2], [x, y]), [2 * x + y])
    assert FormalGradient(s**2 + x, inner).exact({x: 3, y: 1}) == (29, 14)


def test_a_semisimple_kernel_gives_the_part_that_least_squares_sees():
    """I - A = diag(1/2, 0) and B = (1, 0): the derivative is (2, 0)."""
    inner = Iteration(SymbolicMap(S[:2], [S[0] / 2 + x, S[1]], [x]), [2 * x, x])
    assert FormalGradient(S[0] + S[1], inner).exact({x: 1}) == (2,)


def test_inner_steps_are_made_before_the_state_is_taken_for_the_solution():
    """From 0 towards x by halves: after two steps s = 3x/4, and the loss s^2/2 has the formal gradient s."""
    s = S[0]
    inner = Iteration(SymbolicMap([s], [(s + x) / 2], [x]), [sp.Integer(0)])
    gradient = FormalGradient(s**2 / 2, inner, steps=2)
    assert gradient.exact({x: 4}) == (3,) and gradient([4.0]) == pytest.approx([3.0])


@pytest.mark.parametrize(
    "loss, following, text",
    [
        (u, x / 2, "loss: `u` is not known; write it in s_1, x"),
        (sp.Abs(S[0]), x / 2, "without kinks"),
        (S[0], sp.Max(S[0], x) / 2, "without kinks"),
    ],
)
def test_losses_and_maps_that_make_no_sense_are_refused(loss, following, text):
    inner = Iteration(SymbolicMap([S[0]], [following], [x]), [x])
    with pytest.raises(InputError) as error:
        FormalGradient(loss, inner)
    assert text in str(error.value)


def test_descent_that_leaves_the_floats_says_so():
    inner = Iteration(SymbolicMap([S[0]], [S[0] / 2], [x]), [x])
    with pytest.raises(UnknownError, match="left the range of floats"), np.errstate(over="ignore"):
        FormalGradient(x**4, inner).descend([10.0], 1.0, 20)

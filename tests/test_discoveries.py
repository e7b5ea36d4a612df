"""What docs/discoveries.md says of all members of a family, proved member by member, and of some without a case."""

from fractions import Fraction

import numpy as np
import pytest
from flint import fmpq, fmpq_mat

from piggycheck import Family
from piggycheck.regions import parameter_map
from piggycheck.regions.polygon import contains_images, guess_polygon, is_polygon


def fractions(denominator, below):
    """Yield the positive fractions below a bound, of all denominators up to one."""
    numbers = {Fraction(p, q) for q in range(1, denominator + 1) for p in range(1, 2 * q)}
    return sorted(x for x in numbers if x < below)


def heavy_ball(x, momentum):
    return [1 + momentum - x, -momentum]


def nesterov(x, momentum):
    return [(1 + momentum) * (1 - x), -momentum * (1 - x)]


def polygon_proves(method, momentum, step, slope):
    """Prove with a polygon that no word grows, or return False."""
    rows = [method(x, momentum) for x in (step, step * slope)]
    floats = np.array([[[float(x) for x in row], [1.0, 0.0]] for row in rows])
    vertices = guess_polygon(floats)
    exact = [fmpq_mat([[fmpq(x.numerator, x.denominator) for x in row], [1, 0]]) for row in rows]
    return vertices is not None and is_polygon(vertices) and contains_images(vertices, exact)


def not_proved(method, denominator, longest_step):
    """Return how many members there are, and those of which convergence is not proved."""
    members = [
        (momentum, step, slope)
        for momentum in fractions(denominator, 1)
        for step in fractions(denominator, longest_step(momentum))
        for slope in fractions(denominator, 1)
    ]
    return len(members), {tuple(map(str, member)) for member in members if not polygon_proves(method, *member)}


def test_one_heavy_ball_with_denominators_up_to_5_and_four_with_6_are_left():
    def longest(momentum):
        return 2 * (1 - momentum)

    assert not_proved(heavy_ball, 5, longest) == (729, {("4/5", "1/3", "1/5")})
    members, left = not_proved(heavy_ball, 6, longest)
    assert members == 1331
    assert left == {
        (momentum, step, slope) for momentum, step in (("4/5", "1/3"), ("5/6", "1/4")) for slope in ("1/5", "1/6")
    }


def test_no_nesterov_with_denominators_up_to_5_and_two_with_6_are_left():
    def longest(momentum):
        return Fraction(1000001, 1000000)

    assert not_proved(nesterov, 5, longest) == (810, set())
    assert not_proved(nesterov, 6, longest) == (1452, {("4/5", "1", "1/6"), ("5/6", "1", "1/6")})


@pytest.mark.parametrize(("ratio", "momentum"), [("2", "91/100"), ("3", "21/25"), ("4", "4/5"), ("5", "149/200")])
def test_up_to_a_momentum_a_ratio_of_slopes_is_safe(ratio, momentum):
    for t, m in ((["1/512", "1"], ["1/16", momentum]), (["1/512", "1/2"], ["0", "1/16"])):
        family = Family(
            {
                "algorithm": {
                    "name": "heavy_ball",
                    "objective": f"Piecewise((x**2/2, x >= 0), (x**2/(2*{ratio}), True))",
                    "variables": ["x"],
                    "step": "2*t*(1 - m)",
                    "momentum": "m",
                },
                "unknowns": {"t": {"range": t}, "m": {"range": m}},
                "parameters": {"theta": "0"},
                "start": {"x": "theta"},
                "claim": [{"kind": "diverges"}],
            }
        )
        areas = parameter_map(family, smallest=fmpq(1, 1024)).areas
        assert (areas["diverges"], areas["unstable"], areas["undecided"]) == (0, 0, 0)
        assert areas["converges"] > 0


@pytest.mark.parametrize(
    ("method", "momentum", "step", "slope", "word"),
    [
        (heavy_ball, "4/5", "1/3", "1/5", "0001111" * 3 + "1"),
        (heavy_ball, "4/5", "1/3", "1/6", "0001111"),
        (heavy_ball, "5/6", "1/4", "1/5", "000111111"),
        (heavy_ball, "5/6", "1/4", "1/6", "000111111"),
        (nesterov, "4/5", "1", "1/6", "0111"),
        (nesterov, "5/6", "1", "1/6", "0111"),
        (heavy_ball, "15/16", "8/65", "1/2", "0000011111"),
        (heavy_ball, "149/150", "13/1000", "4/5", "0" * 14 + "1" * 15),
        (heavy_ball, "799/800", "19/8000", "10/11", "0" * 33 + "1" * 33),
    ],
)
def test_the_others_have_a_word_that_grows(method, momentum, step, slope, word):
    x, beta = Fraction(step), Fraction(momentum)
    letters = [method(x, beta), method(x * Fraction(slope), beta)]
    (a, b), (c, d) = (1, 0), (0, 1)
    for letter in word:
        p, q = letters[int(letter)]
        (a, b), (c, d) = (p * a + q * c, p * b + q * d), (a, b)
    assert abs(a + d) > 1 + a * d - b * c  # an eigenvalue of modulus above 1

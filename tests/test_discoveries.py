"""What docs/discoveries.md says of all members of a family, proved member by member, and of some without a case."""

from collections import Counter
from fractions import Fraction
from functools import cache
from itertools import pairwise, product
from math import gcd, lcm

import numpy as np
import pytest
import sympy
from flint import fmpq, fmpq_mat

import piggycheck as pc
from piggycheck.claims import Converges, prove
from piggycheck.regions import parameter_map
from piggycheck.regions.polygon import contains_images, guess_polygon, is_polygon


def fractions(denominator, below):
    """List the positive fractions below a bound, of all denominators up to one."""
    numbers = {Fraction(p, q) for q in range(1, denominator + 1) for p in range(1, int(below * q) + 1)}
    return sorted(x for x in numbers if x < below)


def heavy_ball(x, momentum):
    return [1 + momentum - x, -momentum]


def nesterov(x, momentum):
    return [(1 + momentum) * (1 - x), -momentum * (1 - x)]


def product_along(letters, word):
    """Multiply the Jacobians of a word; a letter is the first row of its Jacobian, and the second is (1, 0)."""
    (a, b), (c, d) = (1, 0), (0, 1)
    for letter in word:
        p, q = letters[int(letter)]
        (a, b), (c, d) = (p * a + q * c, p * b + q * d), (a, b)
    return (a, b), (c, d)


def excess(letters, word):
    """Positive exactly when the product has an eigenvalue of modulus above 1, as its determinant is below 1."""
    (a, b), (c, d) = product_along(letters, word)
    return abs(a + d) - 1 - (a * d - b * c)


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


def test_of_nesterov_with_denominators_up_to_4_and_stable_pieces_one_is_left_and_its_iterates_converge():
    def longest(momentum):
        return (2 + 2 * momentum) / (1 + 2 * momentum)

    assert not_proved(nesterov, 4, longest) == (210, {("3/4", "4/3", "1/4")})
    assert iterates_converge(nesterov, Fraction(3, 4), Fraction(4, 3), Fraction(1, 3))
    assert not star_proves(
        guess_star(nesterov, Fraction(3, 4), Fraction(4, 3), Fraction(1, 3), 6),
        nesterov,
        Fraction(3, 4),
        Fraction(5, 2),
        Fraction(1, 3),
    )  # with a piece that is not stable


@cache
def necklaces(longest):
    """Words of two letters, each the first of its rotations, the shortest first."""
    words = ["".join(letters) for n in range(1, longest + 1) for letters in product("01", repeat=n)]
    return [word for word in words if all(word <= word[k:] + word[:k] for k in range(len(word)))]


@cache
def at_the_kink(momentum, steep, flat):
    """Say what derivatives do at the kink, with proof; the slopes are `steep` and `flat`, times the step."""
    letters = [heavy_ball(x, momentum) for x in (steep, flat)]
    if polygon_proves(heavy_ball, momentum, steep, flat / steep):
        return "converge"
    floats = [[float(x) for x in letter] for letter in letters]
    near = [word for word in necklaces(11) if excess(floats, word) > -1e-9]
    if any(excess(letters, word) > 0 for word in near):
        return "diverge"
    if near:
        assert excess(letters, near[0]) == 0  # the eigenvalue 1 or -1
        require_bounded(letters, near[0])
        return "exactly 1"
    system = pc.SwitchedSystem.from_rows([[[str(p), str(q)], [1, 0]] for p, q in letters])
    assert prove(Converges(), system).name == "proved"
    return "converge"


def require_bounded(letters, word):
    """Require a polygon that both Jacobians map into itself: the hull of what the word's eigenvector is sent to."""
    (a, b), (_, d) = product_along(letters, word)
    eigenvalue = 1 if a + d > 0 else -1
    corners = {(-b, a - eigenvalue)}
    for _ in range(8):
        corners |= {(p * x + q * y, x) for x, y in corners for p, q in letters}
        corners |= {(-x, -y) for x, y in corners}
        corners = set(hull(corners))
    around = hull(corners)
    assert len(around) > 2
    for p, q in letters:
        for x, y in around:
            image = (p * x + q * y, x)
            assert all(turn(u, v, image) >= 0 for u, v in zip(around, around[1:] + around[:1], strict=True))


def turn(u, v, w):
    return (v[0] - u[0]) * (w[1] - u[1]) - (v[1] - u[1]) * (w[0] - u[0])


def hull(points):
    """The corners of a convex hull, counterclockwise."""

    def chain(points):
        kept = []
        for point in points:
            while len(kept) > 1 and turn(kept[-2], kept[-1], point) <= 0:
                kept.pop()
            kept.append(point)
        return kept[:-1]

    return chain(sorted(points)) + chain(sorted(points, reverse=True))


def kink_of(method, momentum):
    """A direction along the kink: x = 0, or for Nesterov (1 + momentum) x = momentum times what x was before."""
    return (0, 1) if method is heavy_ball else (momentum.numerator, momentum.numerator + momentum.denominator)


def guess_star(method, momentum, steep, flat, corners):
    """Guess integer corners of a star-shaped polygon around 0 that the method maps into its interior."""
    kink = kink_of(method, momentum)
    angles = np.arctan2(*kink[::-1]) + 2 * np.pi * np.arange(corners) / corners
    directions = np.array([np.cos(angles), np.sin(angles)])
    rows = [np.array(method(float(slope), float(momentum)))[:, None] for slope in (steep, flat)]
    (x, y), sizes = directions, [np.zeros(corners)]
    for _ in range(400):
        x, y = (np.where(kink[1] * x > kink[0] * y, *rows) * (x, y)).sum(axis=0), x
        size = np.hypot(x, y)
        sizes.append(sizes[-1] + np.log(size))
        x, y = x / size, y / size
    decay = -sizes[-1].max() / 400 * 0.6
    gauge = np.exp((np.array(sizes) + decay * np.arange(401)[:, None]).max(axis=0))
    star = [(round(a), round(b)) for a, b in (1e5 * directions / gauge).T]
    for k, sign in ((0, 1), (corners // 2, -1)):
        multiple = sign * round(1e5 / gauge[k] / np.hypot(*kink))
        star[k] = (multiple * kink[0], multiple * kink[1])
    return star


def star_proves(corners, method, momentum, steep, flat):
    """Prove that F, which is linear on both sides of the kink, maps a star-shaped polygon P into its interior.

    Then F(P) lies in r P with r < 1, so F^k(P) in r^k P. Each triangle from 0 to two corners of P has a triangle as its
    image. In the sectors between rays through corners of P this and P are triangles; so it is enough that images of
    corners are inside P, and corners of P outside the triangles in whose sectors they lie.
    """
    kink = kink_of(method, momentum)
    assert all(turn((0, 0), kink, corners[k]) == 0 for k in (0, len(corners) // 2))
    if any(turn((0, 0), u, v) <= 0 for u, v in zip(corners, corners[1:] + corners[:1], strict=True)):
        return False
    rows = [method(slope, momentum) for slope in (steep, flat)]
    unit = lcm(*(c.denominator for row in rows for c in row))
    scaled = [(unit * x, unit * y) for x, y in corners]
    images = []
    for x, y in corners:
        p, q = rows[kink[1] * x <= kink[0] * y]
        images.append((int(unit * p) * x + int(unit * q) * y, unit * x))
    return all(side(scaled, point) > 0 for point in images) and all(side(images, point) < 0 for point in scaled)


def side(corners, point):
    """Positive inside of the triangles from 0 to two corners in whose sectors a point lies, negative outside."""
    sides = []
    for u, v in zip(corners, corners[1:] + corners[:1], strict=True):
        u, v = (u, v) if turn((0, 0), u, v) > 0 else (v, u)
        if turn((0, 0), u, point) >= 0 and turn((0, 0), point, v) >= 0 and turn((0, 0), u, v) > 0:
            sides.append(turn(u, v, point))
    return max(sides, default=-1)


def iterates_converge(method, momentum, steep, flat):
    return any(
        star_proves(guess_star(method, momentum, steep, flat, corners), method, momentum, steep, flat)
        for corners in (48, 96, 192, 400)
    )


@pytest.mark.parametrize(
    ("denominator", "verdicts"),
    [
        (2, {"converge": 3, "exactly 1": 1, "diverge": 1}),
        (3, {"converge": 72, "exactly 1": 3, "diverge": 24}),
        (4, {"converge": 293, "exactly 1": 6, "diverge": 126}),
    ],
)
def test_all_heavy_balls_with_small_denominators_on_the_slopes_1_and_mu(denominator, verdicts):
    """Of which each piece is stable on its own: the step is below 2 (1 + momentum)."""
    members = [
        (momentum, step, step * slope)
        for momentum in fractions(denominator, 1)
        for step in fractions(denominator, 2 * (1 + momentum))
        for slope in fractions(denominator, 1)
    ]
    found = {member: at_the_kink(*member) for member in members}
    assert Counter(found.values()) == verdicts
    left = {(str(m), str(a), str(b)) for m, a, b in members if not iterates_converge(heavy_ball, m, a, b)}
    assert left == set(RAYS if denominator == 4 else ())
    if denominator == 2:
        half = Fraction(1, 2)
        assert [member for member in members if found[member] == "diverge"] == [(half, 5 * half, 5 * half / 2)]


RAYS = {
    ("3/4", "13/4", "13/12"): "0111",
    ("3/4", "13/4", "13/6"): "011",
    ("3/4", "10/3", "10/9"): "0011",
    ("3/4", "10/3", "20/9"): "011",
}
"""Those of which some iterates grow, and a word that these follow."""


@pytest.mark.parametrize(("member", "word"), RAYS.items())
def test_the_iterates_of_those_four_grow(member, word):
    momentum, *slopes = map(Fraction, member)
    letters = [heavy_ball(slope, momentum) for slope in slopes]
    (a, b), (c, d) = product_along(letters, word)
    eigenvalue = float(a + d) / 2 + np.sqrt(float((a + d) ** 2 / 4 - a * d + b * c))
    tangent = round(1000 * (eigenvalue - float(a)) / float(b))  # the eigenvector is (1, tangent / 1000), up to sign
    x, y = zip(*[(Fraction(1), Fraction(tangent + k, 1000)) for k in (-1, 1)], strict=True)
    images = [(a * p + b * q, c * p + d * q) for p, q in zip(x, y, strict=True)]
    for p, q in images:  # weights of the two directions that give the image of either
        second = (q - y[0] * p) / (y[1] - y[0])
        assert min(second, p - second) > 0
        assert p > 1
    for letter in word:
        assert all((p > 0) == (letter == "0") and p != 0 for p in x)
        row = letters[int(letter)]
        x, y = [row[0] * p + row[1] * q for p, q in zip(x, y, strict=True)], x


def test_of_all_sizes_up_to_11_one_heavy_ball_diverges():
    by_size = {n: [Fraction(p, n - p) for p in range(1, n) if gcd(p, n) == 1] for n in range(2, 6)}
    members = {
        (momentum, step, steep, flat): at_the_kink(momentum, step * steep, step * flat)
        for sizes in product(by_size, repeat=4)
        if sum(sizes) <= 11
        for momentum, step, steep, flat in product(*map(by_size.get, sizes))
        if momentum < 1 and flat < steep and step * steep < 2 * (1 + momentum)
    }
    assert Counter(members.values()) == {"converge": 6, "exactly 1": 2, "diverge": 1}
    simplest = (Fraction(1, 2), Fraction(1), Fraction(2), Fraction(1, 2))
    assert members[simplest] == "diverge"
    assert iterates_converge(heavy_ball, Fraction(1, 2), Fraction(2), Fraction(1, 2))


@pytest.mark.parametrize(
    ("ratio", "momentum"),
    [
        ("2", "23/25"),
        ("9/4", "9/10"),
        ("3", "169/200"),
        ("41/10", "4/5"),
        ("5", "3/4"),
        ("6", "141/200"),
    ],
)
def test_up_to_a_momentum_a_ratio_of_slopes_is_safe(ratio, momentum):
    for t, m in ((["1/512", "1"], ["1/16", momentum]), (["1/512", "1/2"], ["0", "1/16"])):
        require_convergence("heavy_ball", "2*t*(1 - m)", ratio, t, m)


@pytest.mark.parametrize(
    ("ratio", "momentum", "shortest"),
    [("4", "9/10", "1/512"), ("5", "83/100", "1/512"), ("6", "77/100", "1/512"), ("10", "33/50", "1/32")],
)
def test_up_to_a_momentum_a_ratio_of_slopes_is_safe_for_nesterov(ratio, momentum, shortest):
    assert (1 - np.sqrt(float(Fraction(momentum)))) ** 2 > Fraction(shortest)
    require_convergence("nesterov", "t", ratio, [shortest, "1"], ["0", momentum])


def require_convergence(algorithm, step, ratio, t, momentum):
    """Require a map of t and momentum on which all cells converge."""
    family = pc.Family(
        {
            "algorithm": {
                "name": algorithm,
                "objective": f"Piecewise((x**2/2, x >= 0), (x**2/(2*({ratio})), True))",
                "variables": ["x"],
                "step": step,
                "momentum": "m",
            },
            "unknowns": {"t": {"range": t}, "m": {"range": momentum}},
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
        (nesterov, "3/4", "4/3", "1/4", "01"),
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
    assert excess(letters, word) > 0


def test_heavy_balls_run_backwards_are_heavy_balls():
    momentum, slopes = Fraction(2, 3), (Fraction(3, 2), Fraction(1, 4))

    def following(x, before):
        return x - slopes[x <= 0] * x + momentum * (x - before)

    iterates = [Fraction(1), Fraction(-2, 5)]
    for _ in range(20):
        iterates.append(following(iterates[-1], iterates[-2]))
    backwards = [momentum**j * x for j, x in enumerate(reversed(iterates))]
    assert len({x > 0 for x in iterates}) == 2
    assert backwards[2:] == [following(x, before) for before, x in pairwise(backwards[:-1])]


def test_in_one_variable_jacobians_along_iterates_shrink_like_these():
    random = np.random.default_rng(0)
    momentum = random.uniform(0.05, 0.95, 20000)
    slopes = random.uniform(0, 2 * (1 + momentum), (2, 20000))
    x, before = random.normal(size=(2, 20000))
    jacobian = np.broadcast_to(np.eye(2)[:, :, None], (2, 2, 20000))
    size, growth = np.zeros((2, 20000))
    for _ in range(1000):
        factor = 1 + momentum - np.where(x > 0, *slopes)
        x, before = factor * x - momentum * before, x
        jacobian = np.array([factor * jacobian[0] - momentum * jacobian[1], jacobian[0]])
        unit, largest = np.hypot(x, before), np.abs(jacobian).max(axis=(0, 1))
        x, before, jacobian = x / unit, before / unit, jacobian / largest
        size, growth = size + np.log(unit), growth + np.log(largest)
    settled = size < -50
    assert settled.sum() > 15000
    assert (growth[settled] < size[settled] + 15).all()


@pytest.mark.parametrize(("spread", "h"), [(0.1, 0.02), (0.3, 0.1)])
def test_in_two_variables_resonance_grows_at_every_ratio(spread, h):
    """The roots of the slopes are 1 - spread, 1, 1 + spread: of y where x < 0, of x, and of y where x > 0."""
    step, momentum = (h / (1 + spread)) ** 2 * 1.99, 1 - h**2
    x, x_before, y, y_before, growth = 1.0, 1.0, 0.3, 1.0, 0.0
    for _ in range(round(400 / h)):
        slope = (1 + spread) ** 2 if x > 0 else (1 - spread) ** 2
        x, x_before = (1 + momentum - step) * x - momentum * x_before, x
        y, y_before = (1 + momentum - step * slope) * y - momentum * y_before, y
        unit = abs(y) + abs(y_before)
        y, y_before, growth = y / unit, y_before / unit, growth + np.log(unit)
    assert growth > 3
    assert abs(x) < 0.1


def test_two_units_halve_together_and_their_difference_grows():
    u, v = sympy.symbols("u v", positive=True)
    weights = sympy.Matrix([v, sympy.Rational(3, 4) * u - v]).jacobian([u, v])
    assert weights.eigenvals() == {sympy.Rational(1, 2): 1, sympy.Rational(-3, 2): 1}
    assert weights * sympy.Matrix([2, 1]) == sympy.Matrix([1, sympy.Rational(1, 2)])

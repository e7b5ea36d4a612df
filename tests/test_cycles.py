"""Cycles of iterates, against counts by Möbius inversion, closed forms, and words tried one by one."""

import math
import random
from fractions import Fraction
from itertools import product

import pytest
import sympy as sp
from flint import fmpq, fmpq_mat

import piggycheck as pc
from piggycheck.algorithms import heavy_ball
from piggycheck.arithmetic import rational
from piggycheck.cycles import Cycle, basin, cycles, entry, orbit_of
from piggycheck.cycles.orbit import judged, radius_bounds
from piggycheck.errors import InputError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

x, y = sp.symbols("x y", real=True)
HALF = sp.Rational(1, 2)

TENT = Iteration(SymbolicMap([x], [sp.Min(2 * x, 2 - 2 * x)]))
DOUBLING = Iteration(SymbolicMap([x], [sp.Piecewise((2 * x, x < HALF), (2 * x - 1, True))]))
LOGISTIC = Iteration(SymbolicMap([x], [4 * x * (1 - x)]))
LESSARD_RECHT_PACKARD = heavy_ball(
    "Piecewise((25*x**2/2, x < 1), (x**2/2 + 24*x - 12, x < 2), (25*x**2/2 - 24*x + 36, True))", ["x"], "1/9", "4/9"
)
COUNTS = {1: 2, 2: 1, 3: 2, 4: 3, 5: 6, 6: 9}
"""Cycles of a map of which 2^n points return after n steps: the sum of mu(n/d) 2^d over the divisors d, by n."""


def points_of(found):
    return {tuple(Fraction(str(c)) for c in point) for cycle in found for point in cycle.points}


def minimal_period(function, start, longest):
    value = start
    for k in range(1, longest + 1):
        value = function(value)
        if value == start:
            return k
    return None


def test_the_counts_are_those_of_moebius_inversion():
    for n, count in COUNTS.items():
        moebius = sum(sp.functions.combinatorial.numbers.mobius(n // d) * 2**d for d in sp.divisors(n))
        assert moebius == n * count


@pytest.mark.parametrize("n", COUNTS)
def test_the_tent_map_has_its_cycles_at_even_numerators(n):
    found = cycles(TENT, period=n)
    returning = {Fraction(2 * k, 2**n + s) for s in (-1, 1) for k in range(2**n + s + 1) if 2 * k <= 2**n + s}
    expected = {(t,) for t in returning if minimal_period(lambda t: min(2 * t, 2 - 2 * t), t, n) == n}
    assert (found.exhaustive, len(found), points_of(found)) == (True, COUNTS[n], expected)
    for cycle in found:
        assert len(cycle.points) == n and (cycle.attracting, cycle.repelling) == (False, True)
        assert abs(cycle.multiplier[0, 0]) == 2**n and cycle.radius == (2**n, 2**n)


@pytest.mark.parametrize("n", COUNTS)
def test_the_doubling_map_has_its_cycles_at_all_numerators(n):
    found = cycles(DOUBLING, period=n)
    double = lambda t: 2 * t if t < Fraction(1, 2) else 2 * t - 1  # noqa: E731
    returning = [Fraction(k, 2**n - 1) for k in range(2**n)]
    assert (found.exhaustive, len(found)) == (True, COUNTS[n])
    assert points_of(found) == {(t,) for t in returning if minimal_period(double, t, n) == n}


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5])
def test_the_logistic_map_has_those_of_the_tent_map_under_a_sine(n):
    found = cycles(LOGISTIC, period=n)
    assert (found.exhaustive, len(found)) == (True, COUNTS[n])
    seen = sorted(float(point[0].evalf(20)) for cycle in found for point in cycle.points)
    tent = sorted(float(point[0]) for cycle in cycles(TENT, period=n) for point in cycle.points)
    assert seen == pytest.approx(sorted(math.sin(math.pi * t / 2) ** 2 for t in tent), abs=1e-12)
    moduli = sorted(cycle.radius for cycle in found)
    assert moduli == ([(2, 2), (4, 4)] if n == 1 else [(2**n, 2**n)] * COUNTS[n])
    assert all(cycle.repelling for cycle in found)


def test_the_three_cycles_of_lessard_recht_and_packard():
    found = cycles(LESSARD_RECHT_PACKARD, period=3)
    attracting, saddle = sorted(found, key=lambda cycle: not cycle.attracting)
    assert found.exhaustive and len(found) == 2
    values = [sp.Rational(n, 1225) for n in (792, -2208, 2592)]
    assert {point[0] for point in attracting.points} == set(values)
    following = {before: after for after, before in attracting.points}
    assert [following[v] for v in values] == [values[1], values[2], values[0]]
    assert attracting.attracting is True and attracting.radius == (fmpq(8, 27), fmpq(8, 27))
    assert {point[0] for point in saddle.points} == {sp.Rational(n, 1367) for n in (792, -2208, 2592)}
    assert (saddle.attracting, saddle.repelling) == (False, False)


@pytest.mark.parametrize("n", [2, *range(4, 11)])
def test_the_heavy_ball_of_lessard_recht_and_packard_has_no_other_short_cycles(n):
    found = cycles(LESSARD_RECHT_PACKARD, period=n)
    assert found.exhaustive and len(found) == 0


@pytest.mark.parametrize("s", ["1/3", "1/2", "2/3", "3/4", "5/2"])
def test_quadratic_maps_with_a_rational_cycle_of_two(s):
    """``x^2 - 3/4 - s^2`` exchanges ``-1/2 + s`` and ``-1/2 - s``, with the multiplier ``1 - 4 s^2``."""
    s = sp.Rational(s)
    (cycle,) = cycles(Iteration(SymbolicMap([x], [x**2 - sp.Rational(3, 4) - s**2])), period=2)
    assert cycle.points == ((-HALF - s,), (-HALF + s,))
    assert cycle.multiplier == fmpq_mat([[rational(1 - 4 * s**2)]])
    assert cycle.attracting is bool(2 * s**2 < 1)


def test_a_quadratic_map_with_a_rational_cycle_of_three():
    """The classical example ``x^2 - 29/16``; its other cycle of period 3 is irrational."""
    found = cycles(Iteration(SymbolicMap([x], [x**2 - sp.Rational(29, 16)])), period=3)
    rational_ones = [cycle for cycle in found if cycle.is_rational]
    assert found.exhaustive and len(found) == 2
    assert [cycle.points for cycle in rational_ones] == [
        ((sp.Rational(-7, 4),), (sp.Rational(5, 4),), (sp.Rational(-1, 4),))
    ]


def test_gradient_descent_on_a_double_well():
    """With step h = 49/40: s = 13/7, p = 40/49 for sum and product, so 5/7 and 8/7, and the multiplier -721/800."""
    found = cycles(Iteration(SymbolicMap([x], [x - sp.Rational(49, 40) * (x**3 - x)])), period=2)
    beside = [cycle for cycle in found if cycle.attracting]
    seventh = sp.Rational(1, 7)
    assert [c.points for c in beside] == [((-8 * seventh,), (-5 * seventh,)), ((5 * seventh,), (8 * seventh,))]
    assert {c.multiplier[0, 0] for c in beside} == {fmpq(-721, 800)}
    (between,) = [cycle for cycle in found if not cycle.attracting]
    assert between.points == ((-sp.sqrt(129) / 7,), (sp.sqrt(129) / 7,)) and between.repelling


def test_newtons_method_between_0_and_1():
    """For x^3 - 2x + 2 it sends 0 to 1 and 1 to 0, and its slope is 0 at 0."""
    newton = SymbolicMap([x], [x - (x**3 - 2 * x + 2) / (3 * x**2 - 2)])
    assert orbit_of(newton, (sp.Integer(0),), 2) == ((0,), (1,))


def test_polynomials_on_two_pieces_follow_their_itineraries():
    map_ = SymbolicMap([x], [sp.Piecewise((x**2 - 1, x > 0), (x**2 - 2, True))])
    (cycle,) = cycles(Iteration(map_), period=3)
    golden = (sp.sqrt(5) - 1) / 2
    expected = (-1 - golden, golden, -golden)
    assert all(sp.simplify(point[0] - v) == 0 for point, v in zip(cycle.points, expected, strict=True))
    assert cycle.itinerary == ("-", "+", "-")


def test_a_polynomial_map_of_the_plane():
    """Hénon's map: the cycle of period 2 of 1 - a x^2 + y, b x has x-values with sum (1 - b)/a."""
    a, b = sp.Rational(7, 5), sp.Rational(3, 10)
    (cycle,) = cycles(Iteration(SymbolicMap([x, y], [1 - a * x**2 + y, b * x])), period=2)
    assert sp.simplify(sum(point[0] for point in cycle.points)) == (1 - b) / a
    assert (cycle.attracting, cycle.repelling) == (False, False)  # the eigenvalues are about -3.01 and -0.03


def test_a_product_of_two_maps_of_the_line_has_the_cycles_of_both():
    """x^2 - 1 in the sum and in the difference of the variables: fixed at (1 +- sqrt 5)/2, and 0, -1 is a cycle."""
    first, second = x + y, x - y
    u, v = first**2 - 1, second**2 - 1
    found = cycles(Iteration(SymbolicMap([x, y], [sp.expand((u + v) / 2), sp.expand((u - v) / 2)])), period=2)
    assert found.exhaustive
    seen = {frozenset((sp.simplify(a + b), sp.simplify(a - b)) for a, b in cycle.points) for cycle in found}
    fixed = [(1 + sp.sqrt(5)) / 2, (1 - sp.sqrt(5)) / 2]
    both = {frozenset({(0, 0), (-1, -1)}), frozenset({(0, -1), (-1, 0)})}
    mixed = {frozenset({(0, p), (-1, p)}) for p in fixed} | {frozenset({(p, 0), (p, -1)}) for p in fixed}
    assert seen == {frozenset((sp.simplify(a), sp.simplify(b)) for a, b in cycle) for cycle in both | mixed}
    for cycle in found:
        assert cycle.attracting is cycle.is_rational and cycle.repelling is False


def test_polynomials_of_the_plane_have_the_cycles_that_newtons_method_finds():
    following = [-x * y / 2 - 3 * x / 8 + sp.Rational(1, 2), 2 * x**2 * y / 5 - x / 4 - y / 2]
    found = cycles(Iteration(SymbolicMap([x, y], following)), period=2)
    expected = [(-1.70256242, 1.25), (2.20256242, 1.25), (1.56478131, -2.83364339), (2.13022312, -1.74968994)]
    seen = [tuple(map(float, point)) for cycle in found for point in cycle.points]
    assert found.exhaustive and seen == [pytest.approx(point, abs=1e-7) for point in expected]
    assert [(cycle.attracting, cycle.repelling) for cycle in found] == [(False, False), (False, True)]


def test_heavy_ball_on_a_double_well_is_solved_by_elimination():
    """With the momentum m a cycle p, -p of period 2 has -p = p - h (p^3 - p) + 2 m p, so h (p^2 - 1) = 2 + 2 m."""
    h, m = sp.Rational(1), sp.Rational(1, 8)
    found = cycles(Iteration(SymbolicMap([x, y], [x - h * (x**3 - x) + m * (x - y), x])), period=2)
    between = sp.sqrt(1 + (2 + 2 * m) / h)
    assert found.exhaustive
    assert any({point[0] for point in cycle.points} == {between, -between} for cycle in found)


# -- continua, guards, jumps ------------------------------------------------------------------------------------------


def test_a_reflection_has_a_continuum_of_cycles_of_two_and_no_longer_ones():
    turn = Iteration(SymbolicMap([x], [-x]))
    (fixed,), (two,) = cycles(turn, period=1), cycles(turn, period=2)
    assert fixed.points == ((0,),) and fixed.isolated
    assert not two.isolated and two.points[0][0] == -two.points[1][0] != 0
    assert two.attracting is False
    for n in (3, 4, 6):
        found = cycles(turn, period=n)
        assert found.exhaustive and len(found) == 0


def test_a_rotation_by_a_right_angle():
    turn = Iteration(SymbolicMap([x, y], [-y, x]))
    assert [len(cycles(turn, period=n)) for n in (1, 2, 3, 4, 8)] == [1, 0, 0, 1, 0]
    assert all(cycles(turn, period=n).exhaustive for n in (1, 2, 3, 4, 8))


def test_a_continuum_on_one_piece_of_two():
    """1 - |x| exchanges t and 1 - t for t between 0 and 1, and nothing else returns but 1/2."""
    fold = Iteration(SymbolicMap([x], [1 - sp.Abs(x)]))
    (two,) = cycles(fold, period=2)
    assert not two.isolated and 0 < two.points[0][0] < HALF and sum(p[0] for p in two.points) == 1
    assert len(cycles(fold, period=1)) == 1 and len(cycles(fold, period=4)) == 0


def test_a_cycle_with_a_point_on_a_guard():
    bend = Iteration(SymbolicMap([x], [sp.Piecewise((1 - 3 * x, x >= 0), (1 + x / 2, True))]))
    on_guard = [cycle for cycle in cycles(bend, period=3) if (0,) in cycle.points]
    (cycle,) = on_guard
    assert cycle.points == ((-2,), (0,), (1,))
    assert cycle.attracting is None and "guard" in cycle.reason and cycle.multiplier is None


def test_a_map_that_jumps_takes_its_own_branch_on_the_guard():
    """At 0 the map takes 1, not -1; 0 is on no cycle although both branches would send it into one."""
    jump = Iteration(SymbolicMap([x], [sp.Piecewise((x / 2 - 1, x > 0), (x / 2 + 1, x < 0), (5, True))]))
    (two,) = cycles(jump, period=2)
    assert two.points == ((sp.Rational(-2, 3),), (sp.Rational(2, 3),)) and two.attracting


def test_maps_beyond_polynomials_are_left_open():
    found = cycles(Iteration(SymbolicMap([x], [sp.exp(x) - 2])), period=2)
    assert len(found) == 0 and not found.exhaustive and "exp" in found.reason


def test_too_many_itineraries_are_left_open():
    found = cycles(TENT, period=12, most_words=50)
    assert not found.exhaustive and "too many itineraries" in found.reason


def test_more_pieces_than_are_listed_are_left_open():
    many = sum(sp.Abs(x - i) * (x + i) for i in range(70))
    found = cycles(Iteration(SymbolicMap([x], [many])), period=1)
    assert not found.exhaustive and "more than 64 pieces" in found.reason


def test_when_the_time_is_up_before_polynomials_are_solved_the_answer_is_not_all():
    found = cycles(LOGISTIC, period=3, time_limit=0)
    assert (len(found), found.exhaustive) == (0, False) and "the time was up" in found.reason
    pieces = cycles(Iteration(SymbolicMap([x], [sp.Abs(x**2 - 1)])), period=2, time_limit=0)
    assert not pieces.exhaustive and "the time was up before the pieces of the map were listed" in pieces.reason


def test_numbers_that_grow_too_long_are_not_followed():
    with pytest.raises(UnknownError, match="has more than 400000 bits, before 200 steps"):
        orbit_of(SymbolicMap([x], [x**2 - 1]), (sp.Rational(1, 3),), 200)


def test_when_the_time_is_up_the_answer_is_not_all():
    found = cycles(TENT, period=8, time_limit=0)
    assert not found.exhaustive and "the time was up" in found.reason


@pytest.mark.parametrize("period", [0, -1, 1.5, "two", True, None, 10**6])
def test_a_period_is_a_positive_integer(period):
    with pytest.raises(InputError, match="period: "):
        cycles(TENT, period=period)


def test_the_public_name_is_the_function():
    assert pc.cycles is cycles and isinstance(pc.cycles(TENT, period=2)[0], Cycle)


# -- random maps ------------------------------------------------------------------------------------------------------


def by_every_word(pieces, function, period):
    """Solve along each of all words with fractions, and keep what the map itself returns."""
    found = set()
    for word in product(pieces, repeat=period):
        A, b = Fraction(1), Fraction(0)
        for slope, shift in word:
            A, b = slope * A, slope * b + shift
        assert A != 1
        start = b / (1 - A)
        if minimal_period(function, start, period) == period:
            found.add((start,))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_random_maps_of_the_line_have_the_cycles_found_word_by_word(seed):
    generator = random.Random(seed)
    slopes = [Fraction(generator.choice([-7, -5, -4, 4, 5, 7]), 3) for _ in range(3)]
    shifts = [Fraction(generator.randint(-6, 6), generator.choice([2, 5])) for _ in range(3)]
    low, high = Fraction(-1, 2), Fraction(generator.randint(0, 3), 2)
    pieces = list(zip(slopes, shifts, strict=True))

    def function(t):
        slope, shift = pieces[0 if t < low else 1 if t <= high else 2]
        return slope * t + shift

    written = [sp.Rational(str(s)) * x + sp.Rational(str(c)) for s, c in pieces]
    cases = [(written[0], x < sp.Rational(str(low))), (written[1], x <= sp.Rational(str(high))), (written[2], True)]
    iteration = Iteration(SymbolicMap([x], [sp.Piecewise(*cases)]))
    for period in range(1, 6):
        found = cycles(iteration, period=period)
        assert found.exhaustive
        assert points_of(found) == by_every_word(pieces, function, period)


@pytest.mark.parametrize("seed", range(6))
def test_where_simulated_iterates_of_the_plane_settle_there_is_an_attracting_cycle(seed):
    generator = random.Random(seed)

    def entry_():
        return sp.Rational(generator.randint(-6, 6), 10)

    A = sp.Matrix(2, 2, lambda i, j: entry_())
    jumps = [(sp.Rational(generator.randint(-9, 9), 4), sp.Rational(generator.randint(-9, 9), 4)) for _ in range(2)]
    steps = [sp.Piecewise((jumps[0][i], x + 2 * y > 0), (jumps[1][i], True)) for i in (0, 1)]
    map_ = SymbolicMap([x, y], [A[0, 0] * x + A[0, 1] * y + steps[0], A[1, 0] * x + A[1, 1] * y + steps[1]])
    step = sp.lambdify((x, y), map_.next)
    point = (generator.uniform(-3, 3), generator.uniform(-3, 3))
    for _ in range(3000):
        point = tuple(map(float, step(*point)))
    again, period = point, None
    for k in range(1, 13):
        again = tuple(map(float, step(*again)))
        if max(abs(a - b) for a, b in zip(point, again, strict=True)) < 1e-9:
            period = k
            break
    if period is None:
        return
    near = [
        cycle
        for cycle in cycles(Iteration(map_), period=period)
        if any(max(abs(float(c) - d) for c, d in zip(p, point, strict=True)) < 1e-6 for p in cycle.points)
    ]
    assert [cycle.attracting for cycle in near] == [True]


# -- what is said of them ---------------------------------------------------------------------------------------------


def test_orbits_return_after_the_minimal_period_alone():
    local = TENT.map
    assert orbit_of(local, (sp.Rational(2, 5),), 4) is None
    assert orbit_of(local, (sp.Rational(2, 5),), 2) == ((sp.Rational(2, 5),), (sp.Rational(4, 5),))


@pytest.mark.parametrize(
    "A, attracting, repelling, radius",
    [
        ([[0, 1], [0, 0]], True, False, 0),
        ([[fmpq(1, 2), 5], [0, fmpq(-1, 3)]], True, False, fmpq(1, 2)),
        ([[0, -1], [1, 0]], False, False, 1),
        ([[2, 0], [0, fmpq(1, 2)]], False, False, 2),
        ([[2, 1], [0, -3]], False, True, 3),
    ],
)
def test_the_multiplier_decides(A, attracting, repelling, radius):
    polynomial = fmpq_mat(A).charpoly()
    assert judged(polynomial, True) == (attracting, repelling, "")
    assert radius_bounds(polynomial) == (radius, radius)


def test_irrational_radii_are_bounded_from_both_sides():
    low, high = radius_bounds(fmpq_mat([[0, 2], [1, 0]]).charpoly())
    assert low**2 < 2 < high**2 and high - low < fmpq(1, 10**9)


def test_iterates_from_the_open_set_approach_the_cycle():
    generator = random.Random(1)
    local = LESSARD_RECHT_PACKARD.map.fix({})
    cycle = next(c for c in cycles(LESSARD_RECHT_PACKARD, period=3) if c.attracting)
    found = basin(local, cycle)
    assert found.radius > fmpq(1, 50)

    def gradient(t):
        return 25 * t if t < 1 else t + 24 if t < 2 else 25 * t - 24

    for _ in range(100):
        a, b = (float(c) + generator.uniform(-1, 1) * float(found.radius) for c in cycle.points[0])
        for _ in range(120):
            a, b = 13 / 9 * a - 4 / 9 * b - gradient(a) / 9, a
        assert min(abs(a - float(p[0])) + abs(b - float(p[1])) for p in cycle.points) < 1e-9


def test_starts_that_lead_to_the_cycle_and_starts_that_do_not():
    """Lessard, Recht and Packard start between 3.07 and 3.46; from 3 the iterates converge to 0."""
    local = LESSARD_RECHT_PACKARD.map.fix({})
    cycle = next(c for c in cycles(LESSARD_RECHT_PACKARD, period=3) if c.attracting)
    found = basin(local, cycle)
    assert entry(local, cycle, found, [fmpq(33, 10)] * 2) is not None
    assert entry(local, cycle, found, [fmpq(3)] * 2) is None


def test_no_open_set_is_claimed_for_cycles_that_do_not_attract():
    with pytest.raises(UnknownError, match="not proved to attract"):
        basin(TENT.map, cycles(TENT, period=2)[0])


def test_that_there_are_many_pieces_is_said_once():
    state = sp.symbols("x0:7", real=True)
    folded = Iteration(SymbolicMap(state, [sp.Max(0, s / 2) + sp.Max(1, s) / 3 for s in state], []))
    reason = cycles(folded, period=2).reason
    assert "the map has more than 64 pieces; they are not listed" == reason

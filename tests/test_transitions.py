"""Possible words: by hand, against trajectories, and against a second implementation that turns rays in the plane."""

from __future__ import annotations

from fractions import Fraction
from functools import cmp_to_key
from itertools import groupby, islice, pairwise

import pytest
import sympy as sp
from flint import fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from strategies import STATE, directions, examples

from piggycheck.algorithms import heavy_ball
from piggycheck.arithmetic import rational
from piggycheck.errors import UnknownError
from piggycheck.fixed_points import FixedPoint
from piggycheck.maps import SymbolicMap
from piggycheck.realised import following, rays, repeated_word
from piggycheck.transitions import Cone, ConewiseLinear, Transitions, conewise_linear, transition_graphs

x, y, z, theta = sp.symbols("x y z theta", real=True)
P = sp.Piecewise


def at_zero(following, parameters=()):
    """A map near its fixed point 0, every parameter being 0."""
    state = STATE[: len(following)]
    map_ = SymbolicMap(state, following, parameters)
    point = FixedPoint(dict.fromkeys(state, sp.Integer(0)), dict.fromkeys(parameters, sp.Integer(0)))
    return conewise_linear(map_, point, map_.selection(point.point).pieces, map_.active(point.point))


def words_of(local, length):
    return list(islice(local.words(), length))[-1]


def ball():
    """The heavy ball of the paper: piece 0 right of the kink, piece 1 left of it."""
    map_ = heavy_ball("Piecewise((x**2/2, x >= 0), (x**2/8, True))", ["x"], 1, "3/4").map
    point = FixedPoint(dict.fromkeys(map_.state, sp.Integer(0)), {})
    return conewise_linear(map_, point, map_.selection(point.point).pieces, map_.active(point.point))


class TestByHand:
    def test_a_side_that_is_left_at_once(self):
        """-x/2 changes the side in every step."""
        local = at_zero([P((-x / 2, x >= 0), (-x / 3, True))])
        assert ((0,), (1,)) == words_of(local, 1)
        assert ((0, 1), (1, 0)) == words_of(local, 2)
        assert Transitions(1, ((0,), (1,)), ((0, 1, 1), (1, 0, 0))) == next(transition_graphs(local))

    def test_a_piece_that_sends_everything_to_the_fixed_point_is_not_followed(self):
        local = at_zero([sp.Max(x, 0) / 2])
        assert ((0,),) == words_of(local, 1)
        assert ((0, 0, 0),) == words_of(local, 3)

    def test_a_piece_without_return_is_trimmed(self):
        """From the right the iterates go left, and stay there."""
        local = at_zero([P((-x / 2, x >= 0), (x / 3, True))])
        assert ((0, 1), (1, 1)) == words_of(local, 2)
        assert Transitions(1, ((1,),), ((0, 1, 0),)) == next(transition_graphs(local))

    def test_no_word_goes_on_for_ever_where_all_iterates_reach_the_fixed_point(self):
        """(x, y) -> (y, 0) on either side of a kink."""
        local = at_zero([P((y, x >= 0), (y, True)), sp.Integer(0)])
        assert ((0,),) == words_of(local, 1)
        assert Transitions(1, (), ()) == next(transition_graphs(local))
        assert [Transitions(1, (), ())] == list(transition_graphs(local))

    def test_on_the_heavy_ball_runs_have_two_or_three_and_five_to_seven_letters(self):
        """Three steps at most on the right; six on the left, or one more or less where an iterate is at the kink."""
        runs = {0: set(), 1: set()}
        for word in words_of(ball(), 12):
            for letter, run in [(k, len(list(g))) for k, g in groupby(word)][1:-1]:
                runs[letter].add(run)
        assert {0: {2, 3}, 1: {5, 6, 7}} == runs

    def test_memory_three_of_the_heavy_ball(self):
        """No run of one letter, and no 0 0 0 0 or 0 1 1 0."""
        *_, three = islice(transition_graphs(ball()), 3)
        assert ((0, 0, 0), (0, 0, 1), (0, 1, 1), (1, 0, 0), (1, 1, 0), (1, 1, 1)) == three.nodes
        assert 8 == len(three.edges)

    def test_a_closed_cone_keeps_the_words_along_a_boundary(self):
        """On the axis x = 0 both pieces may be picked, again and again: y halves, x stays 0."""
        local = at_zero([2 * sp.Abs(x), y / 2])
        assert ((0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 0, 0), (1, 0, 1), (1, 1, 0), (1, 1, 1)) == words_of(
            local, 3
        )

    def test_a_guard_of_parameters_alone_imposes_nothing(self):
        local = at_zero([-x / 2 + sp.Max(theta, 0)], [theta])
        assert 2 == len(local.A)
        assert ((0, 0), (0, 1), (1, 0), (1, 1)) == words_of(local, 2)
        assert not any(cone.is_solid for cones in local.cones for cone in cones)

    def test_equal_pairs_are_one_letter_with_several_cones(self):
        """max(x, 0) - max(-x, 0) = x has one pair on both sides, and the program two pieces."""
        doubled = at_zero([sp.Max(x, 0) - sp.Max(-x, 0) - x / 2])
        assert [2, 0] == [len(cones) for cones in doubled.cones]
        assert ((0, 0),) == words_of(doubled, 2)

    def test_a_fixed_point_elsewhere(self):
        """Fixed at (2, 2): the guard x - y ties there, the guard x - 3 does not."""
        state = (x, y)
        following = [1 + x / 2 + sp.Max(x - y, 0) / 4 + sp.Max(x - 3, 0), 1 + y / 2]
        map_ = SymbolicMap(state, following)
        point = FixedPoint({x: sp.Integer(2), y: sp.Integer(2)}, {})
        local = conewise_linear(map_, point, map_.selection(point.point).pieces, map_.active(point.point))
        assert [((1, -1),), ((-1, 1),)] == [cone.inequalities for cones in local.cones for cone in cones]
        assert ((0, 0), (1, 1)) == tuple(w for w in words_of(local, 2) if w[0] == w[1])


class TestGraphs:
    def test_words_without_dead_ends(self):
        """From 0 to 1, around 1, and on to 2, where it ends."""
        assert Transitions(1, ((1,),), ((0, 1, 0),)) == Transitions.of(1, [(0, 1), (1, 1), (1, 2)])
        assert Transitions(2, (), ()) == Transitions.of(2, [(0, 1, 2)])

    def test_longer_memories_allow_less(self):
        graphs = list(islice(transition_graphs(ball()), 6))
        for before, after in pairwise(graphs):
            allowed = {(*before.nodes[u], i) for u, i, _ in before.edges}
            assert all((*after.nodes[u], i)[1:] in allowed for u, i, _ in after.edges)
            assert all(after.nodes[u][1:] + (i,) == after.nodes[v] for u, i, v in after.edges)

    def test_too_many_words_and_no_time_end_the_walk(self):
        local = at_zero([2 * sp.Abs(x), y / 2])
        assert [2, 4, 8] == list(map(len, local.words(max_words=9)))
        assert [] == list(local.words(time_limit=-1.0))


class TestRefusals:
    @pytest.mark.parametrize(
        ("following", "reason"),
        [
            ([P((x**2 + x / 2, x >= 0), (x / 2, True))], "piece . is not affine"),
            ([x / 2 + sp.Max(x - y**2, 0) / 4, y / 2], "is not affine in the state"),
            ([sp.Abs(y - x**2) - sp.Abs(y - x**2) / 2, y / 2], "is not affine in the state"),
            ([P((x / 2, y >= 0), (x / 3, True)), y / 2], "a jump"),
            ([P((2 * x, sp.Eq(y, 0)), (x / 2, True)), y / 2], "a jump"),
            ([sp.sqrt(2) * sp.Abs(x) / 3], "irrational"),
            ([x / 2 + sp.Max(x - sp.sqrt(2) * y, 0) / 4, y / 2], "rational"),
        ],
    )
    def test_what_is_not_piecewise_linear_near_by_stays_open(self, following, reason):
        with pytest.raises(UnknownError, match=reason):
            at_zero(following)

    def test_curvature_in_the_parameters_does_not_matter(self):
        local = at_zero([sp.Abs(x) / 2 + sp.exp(theta) - 1 + theta * x], [theta])
        assert ((0, 0), (1, 0)) == words_of(local, 2)

    def test_too_many_pieces(self):
        variables = sp.symbols("a:7", real=True)
        map_ = SymbolicMap(variables, [sp.Abs(v) / 2 for v in variables])
        point = FixedPoint(dict.fromkeys(variables, sp.Integer(0)), {})
        with pytest.raises(UnknownError, match="more than 64 pieces"):
            conewise_linear(map_, point, map_.selection(point.point).pieces, map_.active(point.point))


# -- random maps x -> M x + sum u_i |v_i . x|, followed by a program of their own --------------------------------------

small = st.sampled_from([0, 0, 1, -1, 1, -1, 2, Fraction(1, 2), Fraction(-1, 2), Fraction(-2, 3)])


@st.composite
def kinked_linear(draw, size, kinks):
    """M, and pairs (u, v) of small rational vectors."""

    def vector():
        return [Fraction(draw(small)) for _ in range(size)]

    return [vector() for _ in range(size)], [(vector(), vector()) for _ in range(draw(st.integers(1, kinks)))]


def dot(a, b):
    return sum((p * q for p, q in zip(a, b, strict=True)), Fraction(0))


def expressions(M, kinks):
    state = STATE[: len(M)]
    sizes = [sp.Abs(sp.Add(*(sp.Rational(c) * s for c, s in zip(v, state, strict=True)))) for _, v in kinks]
    return [
        sp.Add(*(sp.Rational(c) * s for c, s in zip(row, state, strict=True)))
        + sp.Add(*(sp.Rational(u[i]) * size for (u, _), size in zip(kinks, sizes, strict=True)))
        for i, row in enumerate(M)
    ]


def image(M, kinks, d):
    return [dot(row, d) + sum((u[i] * abs(dot(v, d)) for u, v in kinks), Fraction(0)) for i, row in enumerate(M)]


def matrix_beside(M, kinks, d, aside):
    """The derivative at d, on the side of it that `aside` points to where a kink is met."""
    signs = [next((1 if s > 0 else -1 for s in (dot(v, d), dot(v, aside)) if s), 0) for _, v in kinks]
    signed = [(s, u, v) for s, (u, v) in zip(signs, kinks, strict=True)]
    size = range(len(M))
    return tuple(tuple(M[i][j] + sum(s * u[i] * v[j] for s, u, v in signed) for j in size) for i in size)


def letters_by_matrix(local):
    table = {}
    for letter, A in enumerate(local.A):
        rows = tuple(tuple(Fraction(int(c.p), int(c.q)) for c in row) for row in A.table())
        table.setdefault(rows, letter)
    return table


@examples(20)
@given(kinked_linear(3, 3), st.lists(directions(3), min_size=4, max_size=4))
def test_every_trajectory_follows_a_path(parts, starts):
    """What iterates do is possible: each window of their itinerary is a word, and no piece is missing."""
    M, kinks = parts
    local = at_zero(expressions(M, kinks))
    letters, lengths = letters_by_matrix(local), [set(words) for words in islice(local.words(max_words=500), 4)]
    for start in starts:
        d, itinerary = start, []
        for _ in range(8):
            letter = letters[matrix_beside(M, kinks, d, [Fraction(1, 10**9), Fraction(1, 10**15), Fraction(1, 10**22)])]
            d = image(M, kinks, d)
            if not any(d):
                break
            itinerary.append(letter)
        for length, words in enumerate(lengths, 1):
            assert all(tuple(itinerary[k : k + length]) in words for k in range(len(itinerary) - length + 1))


def turned(ray):
    return (-ray[1], ray[0])


def cross(a, b):
    return a[0] * b[1] - a[1] * b[0]


def around(rays):
    """Rays of the plane in the order of their angles, without repetitions."""

    def half(r):
        return 0 if r[1] > 0 or (r[1] == 0 and r[0] > 0) else 1

    def compare(a, b):
        return half(a) - half(b) or (-1 if cross(a, b) > 0 else 1 if cross(a, b) < 0 else 0)

    ordered = sorted(rays, key=cmp_to_key(compare))
    return [r for k, r in enumerate(ordered) if k == 0 or compare(ordered[k - 1], r)]


def opposite(ray):
    return tuple(-c for c in ray)


def words_along(M, kinks, ray, length):
    """The words of matrices, of each length, that a ray can be said to follow: on a kink, either side."""
    found, words = [((), ray)], []
    for _ in range(length):
        found = [
            ((*word, matrix_beside(M, kinks, d, aside)), image(M, kinks, d))
            for word, d in found
            for aside in {turned(d), opposite(turned(d))}
        ]
        found = list({word: (word, d) for word, d in found if any(d)}.values())
        words.append({word for word, _ in found})
    return words


def critical_rays(M, kinks, length):
    """The axes, and every ray on which an iterate meets a kink or becomes 0, within some steps."""
    identity = ((Fraction(1), Fraction(0)), (Fraction(0), Fraction(1)))
    lines = {*identity, *(tuple(v) for _, v in kinks)}

    def rays():
        return around([ray for line in lines for ray in (turned(line), opposite(turned(line))) if any(ray)])

    matrices = {matrix_beside(M, kinks, ray, side) for ray in rays() for side in (turned(ray), opposite(turned(ray)))}
    products = {identity}
    for _ in range(length):
        products = {times(A, Q) for A in matrices for Q in products}
        lines |= {row for Q in products for row in (*Q, *(times([v], Q)[0] for _, v in kinks))}
    return rays()


def times(A, Q):
    return tuple(tuple(dot(row, column) for column in zip(*Q, strict=True)) for row in A)


@examples(25)
@given(kinked_linear(2, 2))
def test_in_the_plane_the_words_are_those_of_finitely_many_rays(parts):
    """Between two critical rays all follow the same words; so one of each kind is enough, exactly."""
    M, kinks = parts
    local = at_zero(expressions(M, kinks))
    letters, rays = letters_by_matrix(local), critical_rays(M, kinks, 2)
    between = [tuple(a + b for a, b in zip(r, s, strict=True)) for r, s in zip(rays, [*rays[1:], rays[0]], strict=True)]
    followed = [words_along(M, kinks, ray, 2) for ray in [*rays, *between]]
    lengths = [*islice(local.words(), 2), ()][:2]
    for words, expected in zip(lengths, zip(*followed, strict=True), strict=True):
        assert {tuple(letters[A] for A in word) for word in set().union(*expected)} == set(words)


class TestRays:
    def test_a_ray_that_repels_sideways(self):
        local = at_zero([x / 2, sp.Max(sp.Min(2 * y, x / 2), -x / 2)])
        (mu, d), *_ = [found for letter in range(len(local.A)) for found in rays(local, (letter,))]
        assert (fmpq(1, 2), (1, 0)) == (mu, d)

    @pytest.mark.parametrize("factor", ["1", "3/2", "0", "-1/2"])
    def test_only_iterates_that_converge_and_keep_their_side_count(self, factor):
        local = ConewiseLinear(
            (fmpq_mat([[fmpq(*map(int, (factor + "/1").split("/")[:2]))]]),), ((Cone((), ((fmpq(1),),)),),)
        )
        assert [] == rays(local, (0,))

    def test_a_ray_on_a_kink_is_not_inside_a_piece(self):
        """Along y = 0 the iterates halve, but there the guard ties."""
        assert [] == rays(at_zero([x / 2, P((2 * y, y >= 0), (y / 3, True))]), (0,))

    def test_a_ray_of_another_piece_does_not_count(self):
        """The eigenvectors of the first piece point to where the second one holds."""
        right, left = Cone((), ((fmpq(1), fmpq(0)),)), Cone((), ((fmpq(-1), fmpq(0)),))
        A = fmpq_mat([[fmpq(1, 2), 0], [0, 2]])
        local = ConewiseLinear((fmpq_mat([[0, 1], [0, fmpq(1, 2)]]), A), ((right,), (left,)))
        assert [] == [d for mu, d in rays(local, (0,)) if d[0] <= 0]
        assert [(fmpq(1, 2), (-1, 0))] == rays(local, (1,))

    def test_a_piece_of_a_parameter_alone_has_no_inside(self):
        assert [] == rays(at_zero([x / 2 + sp.Max(theta, 0)], [theta]), (0,))

    def test_an_irrational_factor_is_not_found(self):
        companion = fmpq_mat([[0, fmpq(1, 2)], [1, 0]])
        assert [] == rays(ConewiseLinear((companion,), ((Cone(),),)), (0,))

    @examples(60)
    @given(kinked_linear(2, 2), st.integers(1, 3))
    def test_a_found_direction_really_follows_its_word(self, parts, length):
        M, kinks = parts
        local = at_zero(expressions(M, kinks))
        letters = letters_by_matrix(local)
        for word in words_of(local, length):
            for mu, direction in rays(local, word):
                d = [Fraction(int(c.p), int(c.q)) for c in direction]
                start, factor = d, Fraction(int(mu.p), int(mu.q))
                for letter in word:
                    assert all(dot(v, d) for _, v in kinks if any(v)), "strictly on one side of every kink"
                    assert letter == letters[matrix_beside(M, kinks, d, d)]
                    d = image(M, kinks, d)
                assert [factor * c for c in start] == d
                assert 0 < factor < 1


class TestCones:
    """In the plane of two irrational eigenvalues, beside coordinates that are multiplied with numbers."""

    A = fmpq_mat([[fmpq(1, 2), fmpq(1, 4), 0], [fmpq(1, 2), fmpq(1, 2), 0], [0, 0, 2]])

    def halves(self, *row):
        return ConewiseLinear((self.A,), ((Cone((), (tuple(map(fmpq, row)),)),),))

    def test_a_plane_that_attracts_its_larger_eigenvector(self):
        """1/2 +- sqrt(1/8); the eigenvector (1, sqrt 2) of the larger one is between (1, 6/5) and (1, 2)."""
        (found,) = following(self.halves(1, 0, 0), (0,))
        assert ((5, 6, 0), (3, 6, 0)) == found.directions
        assert ((fmpq(5, 8), fmpq(7, 24)), (fmpq(3, 8), fmpq(3, 8))) == found.multipliers

    def test_it_shrinks_until_it_is_on_one_side_of_a_kink(self):
        """sqrt 2 is above 1.414, below 1.415; not on either side of itself."""
        for sign, slope in (1, fmpq(1414, 1000)), (-1, fmpq(1415, 1000)):
            (found,) = following(self.halves(-sign * slope, sign, 0), (0,))
            assert all(sign * (d[1] - slope * d[0]) * d[0] > 0 and d[2] == 0 for d in found.directions)

    def test_a_kink_along_the_eigenvector_is_not_avoided(self):
        """On both sides of y^2 = 2 x^2, so of no cone of rational rows, and on the plane itself a guard vanishes."""
        assert [] == list(following(self.halves(0, 0, 1), (0,)))

    @pytest.mark.parametrize(
        "total, product",
        [
            ("2", "1/2"),  # 1 + sqrt(1/2) grows
            ("-1", "1/8"),  # both are negative
            ("1/2", "1/8"),  # not real
            ("0", "-1/2"),  # the square root of 1/2 and its negative: neither attracts
            ("1", "-1/8"),  # (1 + sqrt(3/2)) / 2 is above 1
        ],
    )
    def test_what_does_not_shrink_or_attract(self, total, product):
        total, product = rational(total), rational(product)
        companion = fmpq_mat([[0, -product], [1, total]])
        assert [] == list(following(ConewiseLinear((companion,), ((Cone(),),)), (0,)))

    def test_the_smaller_eigenvector_repels(self):
        """(1, -sqrt 2) is inside y < 0 < x, and (1, sqrt 2) is not."""
        local = ConewiseLinear((self.A,), ((Cone((), ((fmpq(1), fmpq(0), fmpq(0)), (fmpq(0), fmpq(-1), fmpq(0)))),),))
        assert [] == list(following(local, (0,)))

    @examples(60)
    @given(kinked_linear(2, 2), st.integers(1, 3), st.fractions(0, 1, max_denominator=8))
    def test_what_is_between_really_follows_its_word(self, parts, length, share):
        M, kinks = parts
        local = at_zero(expressions(M, kinks))
        letters = letters_by_matrix(local)
        for word in words_of(local, length):
            for found in following(local, word):
                ends, shares = (fractions(rows) for rows in (found.directions, found.multipliers))
                weights = [share, 1 - share] if len(ends) > 1 else [Fraction(1)]
                d = combined(weights, ends)
                for letter in word:
                    assert all(dot(v, d) for _, v in kinks if any(v)), "strictly on one side of every kink"
                    assert letter == letters[matrix_beside(M, kinks, d, d)]
                    d = image(M, kinks, d)
                after = combined(weights, shares)
                assert combined(after, ends) == d
                assert min(after) >= 0 and 0 < sum(after) < 1


class TestRepeatedWord:
    right, left = Cone((), ((fmpq(1), fmpq(0)),)), Cone((), ((fmpq(-1), fmpq(0)),))
    A = fmpq_mat([[fmpq(3, 2), fmpq(-3, 4)], [1, 0]])  # by a twelfth of a turn
    turning = ConewiseLinear((A, A), ((right,), (left,)))

    def test_six_letters_in_a_row_are_no_word_of_one_letter(self):
        word = repeated_word(self.turning, [2.0, 1.0])
        assert 12 == len(word)
        assert {(0, 6), (1, 6)} <= {(letter, len(list(run))) for letter, run in groupby(word * 2)}
        assert repeated_word(self.turning, [-2.0, -1.0]) == tuple(1 - letter for letter in word)

    def test_iterates_that_reach_the_fixed_point_or_a_kink_repeat_none(self):
        assert () == repeated_word(self.turning, [0.0, 0.0])
        assert () == repeated_word(self.turning, [0.0, 1.0])
        nilpotent = ConewiseLinear((fmpq_mat([[0, 1], [0, 0]]),), ((Cone(),),))
        assert () == repeated_word(nilpotent, [1.0, 1.0])

    def test_a_turn_by_an_irrational_angle_repeats_no_word(self):
        A = fmpq_mat([[fmpq(3, 2), fmpq(-4, 5)], [1, 0]])
        assert () == repeated_word(ConewiseLinear((A, A), ((self.right,), (self.left,))), [1.0, 1.0])


def fractions(rows):
    return [[Fraction(int(c.p), int(c.q)) for c in row] for row in rows]


def combined(weights, rows):
    return [sum(w * c for w, c in zip(weights, column, strict=True)) for column in zip(*rows, strict=True)]

"""Invertibility on convex hulls: Bernstein coefficients against sympy, trees checked anew, wrong claims refused."""

from __future__ import annotations

import itertools
import math
import random
from functools import cache

import numpy as np
import pytest
import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError, UnknownError
from piggycheck.limits import Invertible, Singular, invertible_on_hull
from piggycheck.limits.bernstein import coefficients, exponents, halved, lines, varying_part
from piggycheck.limits.singular_weights import combination, hidden_root, nonpositive_weights

ROTATION = [fmpq_mat([[1, 0], [0, 1]]), fmpq_mat([[0, 1], [-1, 0]])]


def diagonal(*entries):
    return fmpq_mat(
        len(entries), len(entries), [e if i == j else 0 for i, e in enumerate(entries) for j in range(len(entries))]
    )


def random_matrix(generator, p, size=9):
    return fmpq_mat(p, p, [fmpq(generator.randint(-size, size), generator.randint(1, 4)) for _ in range(p * p)])


def near_identity(generator, p, spread):
    noise = [fmpq(generator.randint(-9, 9), 10) * spread for _ in range(p * p)]
    return fmpq_mat(p, p, noise) + diagonal(*[1] * p)


def polynomial(matrices):
    """The determinant by sympy, as a polynomial in the weights."""
    weights = sp.symbols(f"w:{len(matrices)}")
    total = sp.zeros(matrices[0].nrows())
    for weight, M in zip(weights, matrices, strict=True):
        total += weight * sp.Matrix([[sp.Rational(int(x.p), int(x.q)) for x in row] for row in M.table()])
    return sp.Poly(total.det(method="berkowitz"), *weights)


def mixed_discriminants(matrices):
    """By polarisation: the mean over all orders of the determinant with rows from the matrices in this order."""
    p = matrices[0].nrows()
    for alpha in exponents(len(matrices), p):
        chosen = [i for i, a in enumerate(alpha) for _ in range(a)]
        orders = list(itertools.permutations(chosen))
        rows = (fmpq_mat([matrices[i].table()[row] for row, i in enumerate(order)]) for order in orders)
        yield sum((M.det() for M in rows), fmpq(0)) / len(orders)


def proportional(values, others):
    """Whether two lists are the same up to a positive factor."""
    index = next((i for i, value in enumerate(others) if value != 0), None)
    if index is None:
        return not any(values)
    factor = fmpq(values[index]) / others[index]
    return factor > 0 and all(fmpq(a) == factor * b for a, b in zip(values, others, strict=True))


@pytest.mark.parametrize("p, count", [(1, 1), (1, 4), (2, 3), (3, 2), (3, 3), (4, 2)])
def test_coefficients_are_those_of_the_polynomial_that_sympy_expands(p, count):
    matrices = [random_matrix(random.Random(10 * p + count + k), p) for k in range(count)]
    expanded = polynomial(matrices)
    expected = []
    for alpha in exponents(count, p):
        multiplicity = math.factorial(p) // math.prod(map(math.factorial, alpha))
        value = expanded.coeff_monomial(alpha) / multiplicity
        expected.append(fmpq(int(value.p), int(value.q)))
    assert proportional(coefficients(matrices), expected)


@pytest.mark.parametrize("p, count", [(2, 4), (3, 3), (4, 3)])
def test_coefficients_are_mixed_discriminants(p, count):
    matrices = [random_matrix(random.Random(p + count + k), p) for k in range(count)]
    assert proportional(coefficients(matrices), list(mixed_discriminants(matrices)))


def test_a_determinant_that_is_zero_everywhere_has_zero_coefficients():
    assert [0, 0, 0] == coefficients([fmpq_mat([[1, 1], [1, 1]]), fmpq_mat([[2, 2], [2, 2]])])


def test_halves_have_the_coefficients_of_the_determinant_there():
    matrices = [random_matrix(random.Random(k), 3) for k in range(3)]
    for i, j in itertools.combinations(range(3), 2):
        middle = (matrices[i] + matrices[j]) / 2
        parts = halved(coefficients(matrices), 3, lines(3, 3, i, j))
        for part, replaced in zip(parts, (j, i), strict=True):
            vertices = [middle if k == replaced else M for k, M in enumerate(matrices)]
            assert proportional(part, list(mixed_discriminants(vertices)))


@pytest.mark.parametrize("seed", range(10))
def test_what_matrices_have_in_common_is_left_out(seed):
    """Two rows vary, after random changes of basis: the determinants stay the same up to one factor."""
    generator = random.Random(seed)
    left, right, common = (random_matrix(generator, 4) for _ in range(3))
    changes = [fmpq_mat(4, 4, [generator.randint(-5, 5) for _ in range(8)] + [0] * 8) for _ in range(3)]
    matrices = [left * (common + change) * right for change in changes]
    reduced = varying_part(matrices)
    assert 2 == reduced[0].nrows()
    weights = [[fmpq(generator.randint(0, 5), 7) for _ in range(2)] for _ in range(5)]
    combined = [[a, b, 1 - a - b] for a, b in weights]
    whole, part = ([combination(each, w).det() for w in combined] for each in (matrices, reduced))
    factor = whole[0] / part[0]
    assert whole == [factor * value for value in part]


def check_tree(matrices, sign, tree):
    """Verify a subdivision by mixed discriminants of the vertices, on its own."""
    if not tree:
        assert min(sign * value for value in mixed_discriminants(matrices)) > 0
        return
    i, j, left, right = tree
    middle = (matrices[i] + matrices[j]) / 2
    for replaced, part in ((j, left), (i, right)):
        check_tree([middle if k == replaced else M for k, M in enumerate(matrices)], sign, part)


@cache
def samples(count):
    return np.random.default_rng(0).dirichlet(np.full(count, 0.7), 3000)


@pytest.mark.parametrize("p, count", [(1, 3), (2, 2), (2, 3), (2, 4), (3, 3), (4, 3), (5, 2)])
@pytest.mark.parametrize("spread", [fmpq(1, 2), fmpq(1), fmpq(2)])
def test_answers_agree_with_sampling_and_trees_hold(p, count, spread):
    generator = random.Random(100 * p + count)
    for _ in range(8):
        matrices = [near_identity(generator, p, spread) for _ in range(count)]
        answer = invertible_on_hull(matrices)
        floats = np.array([[[float(x) for x in row] for row in M.table()] for M in matrices])
        values = np.linalg.det(np.tensordot(samples(count), floats, 1))
        if isinstance(answer, Invertible):
            assert (answer.sign * values > 0).all()
            check_tree(matrices, answer.sign, answer.tree)
        else:
            check_singular(matrices, answer)


def check_singular(matrices, answer):
    both = [answer.weights] if answer.other is None else [answer.weights, answer.other]
    for weights in both:
        assert fmpq(1) == sum(weights) and min(weights) >= 0
    values = [combination(matrices, weights).det() for weights in both]
    assert values[0] == 0 if answer.other is None else values[0] * values[1] < 0


def test_a_rotation_by_a_quarter_turn_is_split_once():
    assert Invertible(1, (0, 1, (), ())) == invertible_on_hull(ROTATION)


def test_negative_determinants():
    assert Invertible(-1, ()) == invertible_on_hull([diagonal(1, -2), diagonal(3, -1)])


@pytest.mark.parametrize(
    "expected, matrices",
    [
        (Singular((0, 1)), [diagonal(1, 1), diagonal(1, 0)]),
        (Singular((1, 0), (0, 1)), [diagonal(1, 1), diagonal(-1, 1)]),
        (Singular((fmpq(1, 2), fmpq(1, 2))), [diagonal(1, 1), diagonal(-1, -1)]),
        (Singular((fmpq(2, 3), fmpq(1, 3))), [diagonal(1, 1), diagonal(-2, -2)]),
    ],
)
def test_singular_hulls(expected, matrices):
    assert expected == invertible_on_hull(matrices)


def test_a_double_root_inside_a_triangle_is_found():
    """det = d(l)^2 + e(l)^2, which vanishes at l = (1/3, 1/3, 1/3) alone and is positive on all edges."""
    corners = [(2, 0), (-1, 1), (-1, -1)]
    matrices = [fmpq_mat([[d, e], [-e, d]]) for d, e in corners]
    assert Singular((fmpq(1, 3),) * 3) == invertible_on_hull(matrices)


def test_an_irrational_double_root_is_left_open_and_told():
    """Between both, the determinant is (4 t^2 - 2)^2."""
    M = fmpq_mat([[0, 1, 0, 0], [2, 0, 0, 0], [0, 0, 0, 1], [0, 0, 2, 0]])
    N = fmpq_mat([[2, 1, 0, 0], [2, 2, 0, 0], [0, 0, 2, 1], [0, 0, 2, 2]])
    assert (0, 1) == hidden_root([M, N])
    assert hidden_root(ROTATION) is None
    with pytest.raises(UnknownError, match="between matrices 0 and 1 the determinant is zero at irrational weights"):
        invertible_on_hull([M, N], budget=5000)


def test_no_weights_are_returned_where_the_sign_never_changes():
    assert nonpositive_weights(ROTATION, 1) is None


def test_rank_one_changes_need_no_subdivision():
    """M + sum of t_k u_k v_k^T is multi-affine in t: its Bernstein coefficients are means of values at vertices."""
    generator = random.Random(4)
    columns = [fmpq_mat(3, 1, [fmpq(generator.randint(-3, 3), 20) for _ in range(3)]) for _ in range(6)]
    kinks = [u * v.transpose() for u, v in zip(columns[:3], columns[3:], strict=True)]
    matrices = [diagonal(1, 1, 1) + combination(kinks, t) for t in itertools.product([fmpq(-1), fmpq(1)], repeat=3)]
    assert Invertible(1, ()) == invertible_on_hull(matrices)


@pytest.mark.parametrize("count", [1, 3])
def test_equal_matrices_are_one(count):
    assert Invertible(1, ()) == invertible_on_hull([diagonal(2, 3)] * count)


def test_equal_matrices_among_others_do_not_spoil_the_tree():
    matrices = [ROTATION[0], ROTATION[1], ROTATION[0], ROTATION[1]]
    answer = invertible_on_hull(matrices)
    check_tree(matrices, answer.sign, answer.tree)


def test_large_matrices_that_differ_in_two_rows_are_decided():
    matrices = [diagonal(*[2] * 40) for _ in range(4)]
    for index, (a, b) in enumerate(itertools.product([0, 1], repeat=2)):
        matrices[index][3, 7], matrices[index][20, 3] = a, b
    assert Invertible(1, ()) == invertible_on_hull(matrices)


def test_huge_numbers():
    huge = fmpq(10**400)
    assert Invertible(1, (0, 1, (), ())) == invertible_on_hull([M * huge for M in ROTATION])
    slim = fmpq(1, 10**300)
    assert isinstance(invertible_on_hull([diagonal(1, 1), diagonal(slim, slim)]), Invertible)
    assert isinstance(invertible_on_hull([diagonal(1, 1), diagonal(-slim, -slim)]), Singular)


def test_bad_input_is_refused():
    with pytest.raises(InputError, match="`matrices` is empty"):
        invertible_on_hull([])
    with pytest.raises(InputError, match=r"`matrices\[1\]` is 1 by 2; write square matrices of one size"):
        invertible_on_hull([fmpq_mat([[1]]), fmpq_mat([[1, 2]])])


def test_what_is_too_large_is_left_open():
    with pytest.raises(UnknownError, match="the determinant has degree 3 in 3 weights, and 10 Bernstein coefficients"):
        invertible_on_hull([near_identity(random.Random(k), 3, 1) for k in range(3)], budget=9)

"""Exact rates of maps made of layers: eigenvalues of the piece on the support, known by hand or by numpy."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import sympy as sp
from certificate_helper import assert_certified, assert_changes_matter, content_of, holds, proved, refuted, undecided
from enclosure_helper import lasso, random_lasso
from flint import fmpq, fmpq_mat
from test_claims_enclosed_certificates import World

import piggycheck as pc
from piggycheck.algorithms import admm, forward_backward, gradient_descent
from piggycheck.claims import AsymptoticRate, prove
from piggycheck.errors import InputError, UnknownError
from piggycheck.functions import difference, group_l2, l1, least_squares, quadratic
from piggycheck.iteration import Iteration
from piggycheck.maps import Affine, StateBlock, StructuredMap
from piggycheck.maps.sources import Constant, Factor, Term
from piggycheck.render.text import report


def diagonal(*entries):
    return [[entry if i == j else 0 for j in range(len(entries))] for i, entry in enumerate(entries)]


def separable(step="1/2", start=0, size=8, first="1/2"):
    """Shrinks x_1 at 1 - first/2, the others at 1/2; x_8, which would shrink at 19/20, is held at 0."""
    f = quadratic(diagonal(first, *["1"] * (size - 2), "1/10"), [*range(-5, -4 - size, -1)][: size - 1] + ["-1/2"])
    return forward_backward(f, l1("lam"), step=step, parameters=["lam"], start=start)


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_only_coordinates_off_zero_count(quantity):
    found = proved(AsymptoticRate(quantity, "3/4"), separable(), {"lam": 1})
    assert found.value["rate"] == "3/4"
    assert found.value["minimal_polynomial"] == ["-3", "4"]
    assert "layers" in content_of(found)
    assert refuted(AsymptoticRate(quantity, "19/20"), separable(), {"lam": 1}).value["rate"] == "3/4"
    assert proved(AsymptoticRate(quantity), separable(), {"lam": 1}).found.endswith("decay at the rate 3/4")


def test_a_leading_eigenvalue_may_be_negative():
    """With the step 19/10 the seven coordinates with curvature 1 shrink by -9/10; one of them has 11/10 and leads."""
    problem = gradient_descent(quadratic(diagonal(*["1/2"] * 7, "1"), range(1, 9)), step="19/10")
    assert proved(AsymptoticRate("iterates", "9/10"), problem).value["rate"] == "9/10"


def test_an_irrational_rate_is_one_of_the_support():
    """On the support Q has the eigenvalues (3 ± sqrt(5))/2 and 2; the step is 1/2."""
    Q = diagonal(*[2] * 8)
    Q[0][:2], Q[1][:2] = [2, 1], [1, 1]
    problem = forward_backward(quadratic(Q, [-9, -7, *[-9] * 6]), l1("lam"), step="1/2", parameters=["lam"])
    assert proved(AsymptoticRate("iterates", "(1 + sqrt(5))/4"), problem, {"lam": 1}).value["power"] == "0"
    refuted(AsymptoticRate("derivatives", "(1 + sqrt(5))/4 + 1/10**20"), problem, {"lam": 1})


@pytest.mark.parametrize("seed", [3, 4])
def test_random_problems_agree_with_numpy(seed):
    A, b, step = random_lasso(12, 9, seed)
    found = proved(AsymptoticRate("iterates"), lasso(A, b, step), {"penalty": "7/3"})
    M, t = np.array(A, dtype=float), float(step.p) / float(step.q)
    x = np.zeros(12)
    for _ in range(4000):
        v = x - t * M.T @ (M @ x - b)
        x = np.sign(v) * np.maximum(abs(v) - t * 7 / 3, 0)
    S = M[:, abs(x) > 1e-9]
    expected = max(abs(np.linalg.eigvalsh(np.eye(S.shape[1]) - t * S.T @ S)))
    assert float(found.value["decimals"]) == pytest.approx(expected, abs=1e-9)
    assert abs(float(found.value["observed"]) - expected) < 1e-3


def test_from_almost_every_start_no_start_is_needed():
    problem = separable(start=None)
    problem = type(problem)(problem.map, None, problem.name)
    found = proved(AsymptoticRate("iterates", "3/4"), problem, {"lam": 1})
    assert found.statement.startswith("from almost every start near the fixed point")
    assert "iteration" not in content_of(found)["witness"]


# -- what is left open ------------------------------------------------------------------------------------------------


def test_an_eigenvalue_that_the_start_does_not_excite_is_seen_where_the_map_is_written_out():
    """x_1 starts where it stays, at (5 - 1)/(1/2) = 8, and the others shrink at 1/2."""
    start = [8, *[0] * 7]
    assert proved(AsymptoticRate("iterates", "1/2"), separable(start=start), {"lam": 1}).value["rate"] == "1/2"


def test_what_vanishes_after_finitely_many_steps_excites_nothing():
    """Five coordinates are handed on and vanish, one shrinks by 1/4; the one that shrinks by 1/2 starts at 0."""
    C = fmpq_mat(7, 7)
    for i in range(4):
        C[i, i + 1] = fmpq(1, 2)
    C[5, 5], C[6, 6] = fmpq(1, 2), fmpq(1, 4)
    x = StateBlock("x", 7)
    shift = StructuredMap([x], Affine("next", [Term(sp.S.One, (Factor(Constant("C", C)),), x)]))
    problem = Iteration(shift, [sp.Rational(1, 2**30)] * 5 + [0, sp.Rational(1, 2**30)])
    assert proved(AsymptoticRate("iterates"), problem).value["rate"] == "1/4"
    excited = Iteration(shift, [sp.Rational(1, 2**30)] * 7)
    assert proved(AsymptoticRate("iterates"), excited).value["rate"] == "1/2"


def test_in_large_maps_such_an_eigenvalue_leaves_the_claim_open():
    """Two coordinates move, of which the slower one starts where it stays; 58 are held at 0."""
    f = quadratic(diagonal("1/2", *["1"] * 59), [-5, -5, *["-1/2"] * 58])
    problem = forward_backward(f, l1("lam"), step="1/2", parameters=["lam"], start=[8, *[0] * 59])
    found = undecided(AsymptoticRate("iterates"), problem, {"lam": 1})
    assert "the rate would be 3/4, but that the start excites this eigenvalue of the piece was not seen" in found.reason


def test_several_leading_eigenvalues_leave_large_maps_open():
    f = quadratic(diagonal("1/2", "1/2", *["1"] * 58), [-5, -5, *["-1/2"] * 58])
    problem = forward_backward(f, l1("lam"), step="1/2", parameters=["lam"])
    found = undecided(AsymptoticRate("iterates"), problem, {"lam": 1})
    assert "several eigenvalues of the piece have the largest modulus, 3/4" in found.reason


def test_layers_that_invert_a_matrix_are_written_out():
    """Of total variation of numbers that differ by 10 all 7 differences are kept, and the state is shifted alone."""
    identity = diagonal(*["1"] * 8)
    problem = admm(
        least_squares(identity, [10 * (i % 2) for i in range(8)]), l1("lam"), difference(1, 8), parameters=["lam"]
    )
    content = content_of(proved(AsymptoticRate("iterates"), problem, {"lam": "1/2"}))
    assert "map" in content


def test_functions_are_for_maps_that_are_written_out():
    large = lasso(*random_lasso(60, 3, 1))
    for ask in (pc.error_sequence, lambda iteration, at: pc.smallest_constant(iteration, "9/10", at)):
        with pytest.raises(InputError, match="ask for the claim `rate_bound`"):
            ask(large, {"penalty": "7/3"})
    with pytest.raises(UnknownError, match="prove the claim `AsymptoticRate`"):
        pc.asymptotic_rate(large, {"penalty": "7/3"})


def test_of_a_curved_piece_the_spectral_radius_is_named():
    groups = group_l2("lam", [[0, 1, 2, 3], [4, 5, 6, 7]])
    problem = forward_backward(quadratic(diagonal(*range(1, 9)), [-5] * 8), groups, step="1/8", parameters=["lam"])
    found = undecided(AsymptoticRate("iterates", "1/2"), problem, {"lam": 1})
    assert "not affine" in found.reason and "spectral radius of A, between" in found.reason


# -- what is shown, and certificates ----------------------------------------------------------------------------------


def test_the_map_is_told_in_layers():
    verdict = prove(AsymptoticRate("iterates"), separable(), {"lam": 1})
    text = report([verdict])
    assert "proximal_i = forward_i" in text and "x_1 ←" not in text
    assert "One simple eigenvalue, a positive one, has a larger modulus than all others" in text


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_a_changed_number_is_noticed_or_changes_nothing(quantity):
    content = assert_certified(prove(AsymptoticRate(quantity, "3/4"), separable(), {"lam": 1}))

    def is_true(changed):
        A, _ = World(changed).pair(World(changed).limit(), {})
        claimed = float(Fraction(changed["claim"]["value"]))
        return max(abs(np.linalg.eigvals(A))) == pytest.approx(claimed, abs=1e-6)

    assert_changes_matter(content, is_true, least=11, most=60)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("number", {"polynomial": ["-1", "2"], "lower": "1/2", "upper": "1/2"}),
        ("number", {"polynomial": ["-19", "20"], "lower": "19/20", "upper": "19/20"}),
        ("number", {"polynomial": ["-3", "4"], "lower": "3/8", "upper": "3/4"}),
        ("iteration", "0"),
        ("iteration", "1"),
        ("radius", "100"),
    ],
)
def test_forged_witnesses_are_refused(key, value):
    content = content_of(proved(AsymptoticRate("iterates"), separable(), {"lam": 1}))
    assert holds(content)
    content["witness"][key] = value
    assert not holds(content)

"""Exact asymptotic rates where the numbers are made of square roots; what is expected was computed by hand."""

from __future__ import annotations

import re
from functools import cache

import mpmath
import pytest
import sympy as sp
from certificate_helper import changed_numbers, content_of, holds, proved, refuted, undecided

import piggycheck as pc
from piggycheck.algorithms import heavy_ball, nesterov
from piggycheck.claims import AsymptoticRate, RateComparison
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.render import report

x, y, z, w, theta = sp.symbols("x y z w theta", real=True)
QUADRATIC = "x**2/2 + y**2/20"
ONE = {"theta": 1}


def linear(rows, start):
    """``x -> M x``, from a start."""
    M = sp.Matrix([[sp.sympify(entry, rational=True) for entry in row] for row in rows])
    state = [x, y, z, w][: M.rows]
    if start is not None:
        start = [sp.sympify(entry, rational=True) for entry in start]
    return Iteration(SymbolicMap(state, list(M * sp.Matrix(state)), [theta]), start), {"theta": 0}


@cache
def accelerated():
    momentum = "(1 - sqrt(1/10))/(1 + sqrt(1/10))"
    return nesterov(QUADRATIC, ["x", "y"], "1", momentum, parameters=["theta"], start=["theta", "theta"])


def scalar(following, start):
    return Iteration(SymbolicMap([x], [following], [theta]), start)


# -- closed forms ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_constant_momentum_has_a_double_eigenvalue(quantity):
    """``z^2 - (1 + b)(9/10) z + (9/10) b`` has the double root ``1 - sqrt(1/10)``, a root of ``10 r^2 - 20 r + 9``."""
    found = proved(AsymptoticRate(quantity, "1 - sqrt(1/10)"), accelerated(), ONE).value
    assert ("1 - sqrt(10)/10", "1") == (found["rate"], found["power"])
    assert ["9", "-20", "10"] == found["minimal_polynomial"]
    assert str(1 - mpmath.mpf(1) / mpmath.sqrt(10))[:14] == found["observed"][:14]


def test_polyak_s_parameters_give_the_square_root_of_the_momentum():
    """Its square is the momentum: ``((sqrt(10) - 1)/(sqrt(10) + 1))^2``, of both signs and each twice."""
    step, momentum = "4/(1 + sqrt(1/10))**2", "((sqrt(10) - 1)/(sqrt(10) + 1))**2"
    ball = heavy_ball(QUADRATIC, ["x", "y"], step, momentum, parameters=["theta"], start=["theta", "theta"])
    found = proved(AsymptoticRate("iterates", "(sqrt(10) - 1)/(sqrt(10) + 1)"), ball, ONE).value
    assert (["9", "-22", "9"], "1") == (found["minimal_polynomial"], found["power"])
    refuted(AsymptoticRate("iterates", "(sqrt(10) + 1)/(sqrt(10) - 1)"), ball, ONE)


def test_a_conjugate_with_the_larger_modulus_does_not_count():
    """The factor is ``1 - sqrt(2)/2``; ``1 + sqrt(2)/2`` has the same minimal polynomial ``2 r^2 - 4 r + 1``."""
    about = linear([["1 - sqrt(2)/2"]], [1])
    assert ["1", "-4", "2"] == proved(AsymptoticRate("iterates", "1 - sqrt(2)/2"), *about).value["minimal_polynomial"]
    assert "the errors of the iterates decay at the rate 1 - sqrt(2)/2" == (
        refuted(AsymptoticRate("iterates", "1 + sqrt(2)/2"), *about).found
    )


def test_a_start_that_excites_one_eigenvalue_alone():
    """``z^2 - 2 z/3 - 1/9`` has the roots ``(1 +- sqrt(2))/3``; the start is an eigenvector, or nearly."""
    rows, small = [["2/3", "1/9"], ["1", "0"]], "(1 - sqrt(2))/3"
    assert "-1/3 + sqrt(2)/3" == proved(AsymptoticRate("iterates"), *linear(rows, [small, 1])).value["rate"]
    assert (
        "1/3 + sqrt(2)/3" == proved(AsymptoticRate("iterates"), *linear(rows, [f"{small} + 1/10**30", 1])).value["rate"]
    )
    assert "1/2" == proved(AsymptoticRate("iterates"), *linear([["sqrt(2)/2", 0], [0, "1/2"]], [0, 1])).value["rate"]


def test_an_irrational_polynomial_may_have_roots_of_rational_modulus():
    """``z^2 - sqrt(2) z/3 + 1/4`` has complex roots, of which the product is 1/4."""
    about = linear([["sqrt(2)/3", "-1/4"], [1, 0]], [1, 1])
    proved(AsymptoticRate("iterates", "1/2"), *about)
    refuted(AsymptoticRate("iterates", "1/2 + 1/10**20"), *about)


def test_a_value_that_is_false_by_little_is_refuted():
    refuted(AsymptoticRate("iterates", "1 - sqrt(1/10) + 1/10**25"), accelerated(), ONE)


def test_a_number_whose_error_vanishes_has_the_rate_0():
    assert "0" == proved(AsymptoticRate("iterates"), *linear([[0, "sqrt(2)"], [0, 0]], [1, 1])).value["rate"]


def test_from_almost_every_start():
    """The eigenvalues of ``z^2 - 8 sqrt(2) z/15 + 3/10`` are not real, and their product is 3/10."""
    rows = [["sqrt(2)/3", "1/2"], ["-1/3", "sqrt(2)/5"]]
    verdict = proved(AsymptoticRate("iterates", "sqrt(3/10)"), *linear(rows, None))
    assert verdict.statement.startswith("from almost every start")
    assert "need not stay" in undecided(AsymptoticRate("iterates"), *linear([["sqrt(2)"]], None)).reason


def test_the_square_root_of_a_parameter():
    """``x_k = (1 - sqrt(theta)/3)^k``, so that the derivative is of the order of ``k`` times that."""
    about = scalar(x - sp.sqrt(theta) * x / 3, [1]), {"theta": 2}
    found = proved(AsymptoticRate("derivatives", "1 - sqrt(2)/3"), *about).value
    assert "1" == found["power"]
    assert "0" == proved(AsymptoticRate("iterates", "1 - sqrt(2)/3"), *about).value["power"]


def test_what_moves_the_derivatives_may_alone_be_irrational():
    """``x_k = (1/2 + sqrt(2) theta)^k`` at 0, so that ``J_k = sqrt(2) k / 2^(k - 1)``."""
    about = scalar(x / 2 + sp.sqrt(2) * theta * x, [1]), {"theta": 0}
    assert "1" == proved(AsymptoticRate("derivatives", "1/2"), *about).value["power"]


def test_derivatives_from_the_fixed_point():
    """``J_{k+1} = sqrt(2)/3 J_k + 1`` from 0."""
    proved(AsymptoticRate("derivatives", "sqrt(2)/3"), scalar(sp.sqrt(2) * x / 3 + theta, [0]), {"theta": 0})


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_behind_a_kink(quantity):
    """The iterates come from where the slope is ``sqrt(2)/3 + 1/4``."""
    moved = x - theta
    about = scalar(theta + sp.sqrt(2) * moved / 3 + sp.Max(moved - 1, 0) / 4, [8]), {"theta": 2}
    verdict = proved(AsymptoticRate(quantity, "sqrt(2)/3"), *about)
    assert "word_tree" == content_of(verdict)["witness"]["method"]
    assert int(verdict.value["identified"]) > 1


MATRICES = {
    "one root": [
        ["sqrt(2)/3", "1/2", 0, 0],
        ["-1/3", "sqrt(2)/5", "1/9", 0],
        ["1/5", "-1/7", "1/3", "1/9"],
        ["1/4", "-sqrt(2)/2", 0, "1/3"],
    ],
    "two roots": [["sqrt(2)/3 + sqrt(3)/7", "1/2", 0], ["1/3", "sqrt(6)/5", "1/9"], ["1/5", "1/7", "1/3"]],
    "a pair": [["sqrt(5)/4", "1/3", 0], ["-1/3", "sqrt(5)/4", 0], [1, 1, "(1 - sqrt(5))/3"]],
}


@pytest.mark.parametrize("rows", MATRICES.values(), ids=MATRICES)
def test_rates_agree_with_eigenvalues_to_high_precision(rows):
    about = linear(rows, [1, "1/2", "1/3", "1/5"][: len(rows)])
    found = proved(AsymptoticRate("iterates"), *about).value
    with mpmath.workdps(50):
        entries = [[mpmath.mpf(str(sp.sympify(e, rational=True).evalf(60))) for e in row] for row in rows]
        largest = max(abs(e) for e in mpmath.eig(mpmath.matrix(entries), left=False, right=False))
        assert mpmath.nstr(largest, 18)[:17] == found["decimals"][:17]
        assert mpmath.mpf(found["lower"].split("/")[0]) / mpmath.mpf(found["lower"].split("/")[1]) <= largest


def test_which_of_two_momenta_is_faster():
    """With ``s = 1/4`` the eigenvalue is ``(6 + sqrt(6))/10``, a root of ``z^2 - 6 z/5 + 3/10``."""
    by_s = nesterov(QUADRATIC, ["x", "y"], "1", "(1 - sqrt(s))/(1 + sqrt(s))", parameters=["s"], start=[1, 1])
    other = {"other": {"quantity": "iterates", "at": {"s": "1/4"}}}
    verdict = proved(RateComparison("iterates", "other", "<", other), by_s, {"s": "1/10"})
    assert {"left": "1 - sqrt(10)/10", "right": "sqrt(6)/10 + 3/5"} == verdict.value
    proved(RateComparison("derivatives", "iterates", "="), accelerated(), ONE)


def test_what_is_told():
    told = report([proved(AsymptoticRate("iterates"), accelerated(), ONE)])
    assert "λ² + (sqrt(10)/5 - 2) λ + (11/10 - sqrt(10)/5)" in told
    assert "the root of 10 λ² − 20 λ + 9 between" in told


# -- left open ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("entry", ["exp(-1)", "sqrt(1 + sqrt(2))/3", "log(2)"])
def test_other_numbers_are_left_open(entry):
    assert "square roots of rational numbers" in undecided(AsymptoticRate("iterates"), *linear([[entry]], [1])).reason


def test_a_curved_piece_with_irrational_numbers_is_left_open():
    about = Iteration(SymbolicMap([x, y], [sp.sqrt(2) * x / 3 + x * y, y / 3], [theta]), [1, 1]), {"theta": 0}
    assert "not affine" in undecided(AsymptoticRate("iterates"), *about).reason


def test_the_eigenvalue_1_is_left_open():
    about = linear([["sqrt(2)/2", 0], [0, 1]], [1, 0])
    assert undecided(AsymptoticRate("iterates"), *about).reason


# -- certificates ---------------------------------------------------------------------------------------------------

FREE = re.compile(
    r"pieces/.*|start/.*|at/theta|witness/(iteration|between/.|rate|P/.*|trap/.*)"
    r"|map/next/0/(27|30)"  # behind the kink nothing depends on its size
)
CERTIFIED = {
    "derivatives behind a kink": lambda: (
        AsymptoticRate("derivatives"),
        scalar(theta + sp.sqrt(2) * (x - theta) / 3 + sp.Max(x - theta - 1, 0) / 4, [8]),
        {"theta": 2},
    ),
    "complex": lambda: (AsymptoticRate("iterates"), *linear([["sqrt(2)/3", "1/2"], ["-1/3", "sqrt(2)/5"]], [1, 1])),
}


@pytest.mark.parametrize("name", CERTIFIED)
def test_each_number_of_a_certificate_matters(name):
    content, noticed = content_of(proved(*CERTIFIED[name]())), 0
    for path, changed in changed_numbers(content):
        if path[0] == "pieces":
            continue
        noticed += not holds(changed)
        assert not holds(changed) or FREE.fullmatch("/".join(map(str, path))), path
    assert noticed > 20


def test_the_rate_is_part_of_the_package():
    assert "1 - sqrt(10)/10" == str(pc.asymptotic_rate(accelerated(), ONE).rate)

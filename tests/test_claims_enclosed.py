"""Claims about structured maps: verdicts agree with solutions by hand, and false claims are not proved."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from certificate_helper import assert_certified, proved, refuted, undecided
from flint import fmpq, fmpq_mat
from structured_cases import IDENTITY, STRUCTURED, A, structured

from piggycheck.algorithms import forward_backward
from piggycheck.claims import (
    Continuous,
    Converged,
    Converges,
    Derivative,
    Diverges,
    EnclosedSubject,
    FixedPoint,
    JointSpectralRadius,
    Refuted,
    Undecided,
    default_claims,
    prove,
    subject_of,
)
from piggycheck.errors import InputError
from piggycheck.functions import l1, quadratic, second_order_cone
from piggycheck.linalg import identity
from piggycheck.maps import ArrayParameter

SMOOTH = [name for name in STRUCTURED if name != "lasso at a tie"]
CLOSE = fmpq(1, 10**28)


def numbers(texts):
    """The decimals of an answer, exactly."""
    return [fmpq(Fraction(text).numerator, Fraction(text).denominator) for text in texts]


def distance(texts, exact):
    """The largest difference between decimals and exact numbers."""
    return max(abs(a - fmpq(b)) for a, b in zip(numbers(texts), exact, strict=True))


def error_of(value, key="error"):
    return numbers([value[key]])[0]


# What is true, by hand or by exact linear algebra


def ridge(lam):
    """The minimiser of |A x - b|^2/2 + lam |x|^2/2 for b = (1, 1), and its derivative in lam."""
    M, b = fmpq_mat(A), fmpq_mat([[1], [1]])
    inverse = (M.transpose() * M + identity(3) * lam).inv()
    x = inverse * (M.transpose() * b)
    return x.entries(), (inverse * x * -1).entries()


FIXED = {
    "diagonal lasso": [1, 0],
    "ridge": ridge(fmpq(1, 2))[0],
    "inverse covariance": [fmpq(10, 11) - fmpq(1, 10), 0, 0, fmpq(10, 11) - fmpq(1, 10)],
    "trend filtering": [fmpq(9, 10), fmpq(29, 10)],
    "nuclear": [fmpq(5, 2), 0, 0, fmpq(3, 2)],
}
"""Of the splittings the state: ``z = X - lam`` where ``1/X = 1 + lam``; ``w = D x + u`` with the signs of u all 1."""

DERIVATIVES = {
    "diagonal lasso": [[fmpq(-1, 2)], [0]],
    "ridge": [[entry] for entry in ridge(fmpq(1, 2))[1]],
    "inverse covariance": [[-fmpq(100, 121) - 1], [0], [0], [-fmpq(100, 121) - 1]],
    "trend filtering": [[-1], [-1]],
}
OUTPUTS = {
    "inverse covariance": ([fmpq(10, 11), 0, 0, fmpq(10, 11)], [-fmpq(100, 121), 0, 0, -fmpq(100, 121)]),
    "trend filtering": ([fmpq(-1, 10), fmpq(11, 10), fmpq(31, 10), fmpq(79, 10)], [-1, 1, 1, -1]),
}
"""X = I/(1 + lam); x = y - lam D^T 1."""


@pytest.mark.parametrize("name", FIXED)
def test_the_fixed_point_is_the_one_that_was_solved_for(name):
    verdict = proved(FixedPoint(), *structured(name))
    found = [text for block in verdict.value["point"].values() for text in block]
    assert distance(found, FIXED[name]) <= error_of(verdict.value) < CLOSE


@pytest.mark.parametrize("name", DERIVATIVES)
def test_the_derivative_is_the_one_that_was_solved_for(name):
    verdict = proved(Derivative(), *structured(name))
    for row, exact in zip(verdict.value["matrix"], DERIVATIVES[name], strict=True):
        assert distance(row, exact) <= error_of(verdict.value) < CLOSE


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_output_is_enclosed_beside_the_state(name):
    point, derivative = OUTPUTS[name]
    output = proved(Derivative(), *structured(name)).value["output"]
    assert distance(output["point"], point) <= error_of(output) < CLOSE
    assert distance([row[0] for row in output["matrix"]], derivative) <= error_of(output, "matrix_error") < CLOSE


@pytest.mark.parametrize("name", SMOOTH)
def test_every_smooth_problem_converges_at_a_proved_rate(name):
    verdict = proved(Converges(), *structured(name))
    assert 0 <= numbers([verdict.value["rate_upper"]])[0] < 1
    assert "the iterates converge" in verdict.found


def test_a_claimed_rate_is_proved_when_it_is_large_enough():
    """The derivative of the ridge's map is I - (A^T A + 1/2)/10; its largest eigenvalue is 1 - 1/20."""
    proved(Converges(rate="24/25"), *structured("ridge"))


def test_a_rate_below_the_spectral_radius_is_refuted_where_the_map_is_small():
    verdict = refuted(Converges(rate="47/50"), *structured("ridge"))
    assert verdict.value["word"] == [0]


def test_a_rate_below_the_spectral_radius_is_not_proved_where_the_map_is_large(monkeypatch):
    monkeypatch.setattr(EnclosedSubject, "is_small", False)
    verdict = undecided(Converges(rate="47/50"), *structured("ridge"))
    lower, upper = (numbers([verdict.bounds[side]])[0] for side in ("lower", "upper"))
    assert fmpq(47, 50) < lower <= fmpq(19, 20) <= upper
    assert "so the claim is false" in verdict.reason


def test_what_a_run_shows_agrees_with_the_proof():
    """The rate of the derivatives that is observed is the spectral radius, to six digits."""
    verdict = proved(Converges(), *structured("lasso"))
    low, high = map(float, map(Fraction, verdict.value["spectral_radius"]))
    assert low - 1e-6 < float(verdict.value["observed_rate"]) < high + 1e-6
    assert int(verdict.value["identified_at"]) >= 0


def test_without_a_start_nothing_is_said_of_iterates():
    iteration, at = structured("ridge")
    verdict = proved(Converges(), type(iteration)(iteration.map), at)
    assert "iterates" not in verdict.found and verdict.certificate.content.get("start") is None


# Values that are claimed


def test_a_point_that_moves_is_refuted():
    verdict = refuted(FixedPoint(value={"x": [1, "1/100"]}), *structured("diagonal lasso"))
    assert numbers([verdict.value["moved_by"]])[0] > 0


def test_a_point_that_is_fixed_exactly_is_proved_where_the_map_is_small():
    proved(FixedPoint(value=[1, 0]), *structured("diagonal lasso"))


def test_a_point_that_is_fixed_is_not_refuted_where_the_map_is_large(monkeypatch):
    monkeypatch.setattr(EnclosedSubject, "is_small", False)
    undecided(FixedPoint(value=[1, 0]), *structured("diagonal lasso"))


def test_a_matrix_that_is_not_the_derivative_is_refuted():
    refuted(Derivative(value=[["-1/2"], ["1/1000000"]]), *structured("diagonal lasso"))


def test_the_derivative_itself_is_proved_where_the_map_is_small():
    proved(Derivative(value=[["-1/2"], [0]]), *structured("diagonal lasso"))


def test_derivatives_in_directions_are_combinations_of_columns():
    iteration, at = structured("lasso")
    columns = [numbers(row) for row in proved(Derivative(), iteration, at).value["matrix"]]
    asked = [{"lam": 2}, {"b": [1, "-1/2"], "lam": 1}]
    found = proved(Derivative(directions=asked), iteration, at).value
    assert found["directions"] == ["2 lam", "no. 2 (in b, lam)"]
    for row, (lam, first, second) in zip(found["matrix"], columns, strict=True):
        assert distance(row, [2 * lam, lam + first - second / 2]) < CLOSE


# How far iterates are


@pytest.mark.parametrize("quantity", ["iterates", "derivatives"])
def test_a_tolerance_that_is_reached_is_proved_and_one_that_is_not_is_refuted(quantity):
    """The ridge's map is affine: the error after 5 steps is that of the exact recursion."""
    iteration, at = structured("ridge")
    M, lam = fmpq_mat(A), fmpq(1, 2)
    step = identity(3) - (M.transpose() * M + identity(3) * lam) * fmpq(1, 10)
    x, J = fmpq_mat(3, 1), fmpq_mat(3, 1)
    for _ in range(5):
        J = step * J - x * fmpq(1, 10)
        x = step * x + M.transpose() * fmpq_mat([[1], [1]]) * fmpq(1, 10)
    here, there = (x, ridge(lam)[0]) if quantity == "iterates" else (J, ridge(lam)[1])
    error = float(np.linalg.norm([float(Fraction(str(a - b))) for a, b in zip(here.entries(), there, strict=True)]))
    above, below = f"{error * 1.0001:.8f}", f"{error * 0.9999:.8f}"
    good = proved(Converged(5, above, quantity), iteration, at)
    bad = refuted(Converged(5, below, quantity), iteration, at)
    assert "not converged: after 5 iterations the error is at least" in bad.found
    for verdict in (good, bad):
        low, high = (float(Fraction(verdict.value[key])) for key in ("error_lower", "error_upper"))
        assert low <= error * (1 + 1e-9) and error * (1 - 1e-9) <= high


def test_a_tolerance_too_close_to_the_error_is_left_open():
    """Between the bounds that were proved nothing is decided."""
    iteration, at = structured("ridge")
    value = proved(Converged(7, 1), iteration, at).value
    low, high = (numbers([value[key]])[0] for key in ("error_lower", "error_upper"))
    undecided(Converged(7, (low + high) / 2), iteration, at)


def test_an_error_is_told_from_a_tolerance_that_is_close_to_it():
    """The diagonal Lasso's first coordinate: x_{k+1} = x_k/2 + 1/2, so the error after k steps is 2^-k."""
    proved(Converged(3, "125000001/1000000000"), *structured("diagonal lasso"))
    refuted(Converged(3, "124999998/1000000000"), *structured("diagonal lasso"))


# Ties


def test_at_a_tie_the_derivative_is_refuted_by_two_limits():
    iteration, at = structured("lasso at a tie")
    verdict = refuted(Derivative(), iteration, at)
    assert len(verdict.value["points"]) == 2
    assert {"x_1": "0", "x_2": "1/2", "x_3": "0"} == proved(FixedPoint(), iteration, at).value["point"]
    assert numbers([proved(Converges(), iteration, at).value["rate_upper"]])[0] < 1


def test_at_a_tie_of_a_large_map_the_guards_and_the_pieces_are_named():
    n = 60
    unit = [[int(i == j) for j in range(n)] for i in range(n)]
    iteration = forward_backward(quadratic(unit, [-1] * 2 + [-3] * (n - 2)), l1("lam"), step="1/2", parameters=["lam"])
    verdict = undecided(Derivative(), iteration, {"lam": 1})
    assert "2 guards vanish there, `proximal[0]" in verdict.reason and "4 pieces meet there" in verdict.reason


@pytest.mark.parametrize("claim", [Converges(), Derivative()])
def test_the_apex_of_a_cone_is_left_open(claim):
    c = ArrayParameter("c", 2)
    unit = [[2, 0], [0, 2]]
    iteration = forward_backward(quadratic(unit, c), second_order_cone(), step="1/4", parameters=[c], start=[0, 0])
    assert "written out the map is not: division by zero" in undecided(claim, iteration, {"c": [0, 0]}).reason


# Other kinds of claim, default questions, input that makes no sense


@pytest.mark.parametrize(
    ("claim", "kind"), [(Continuous(), "proved"), (Diverges(), "refuted"), (JointSpectralRadius(upper="1/2"), "proved")]
)
def test_other_kinds_are_decided_on_the_map_written_out(claim, kind):
    verdict = prove(claim, *structured("diagonal lasso"))
    assert verdict.name == kind
    assert_certified(verdict)


@pytest.mark.parametrize("claim", [Continuous(), Diverges(), JointSpectralRadius()])
def test_other_kinds_are_open_for_large_maps(monkeypatch, claim):
    monkeypatch.setattr(EnclosedSubject, "is_small", False)
    verdict = undecided(claim, *structured("diagonal lasso"))
    assert "too large to be written out" in verdict.reason


@pytest.mark.parametrize("name", STRUCTURED)
def test_the_default_questions_are_answered_and_certified(name):
    iteration, at = structured(name)
    verdicts = list(default_claims(subject_of(iteration, at)))
    kinds = ["fixed_point", "converges", *(["derivative"] if iteration.map.declared else [])]
    assert kinds == [verdict.kind for verdict in verdicts]
    for verdict in verdicts:
        assert_certified(verdict)
    assert isinstance(verdicts[-1], Refuted) == (name == "lasso at a tie")


def test_the_active_piece_is_listed_by_what_the_switches_see():
    (piece,) = subject_of(*structured("diagonal lasso")).listed_pieces()
    assert piece == {"signature": "proximal: 1 -·+ 1 ++·"}


@pytest.mark.parametrize(
    ("claim", "message"),
    [
        (lambda: Derivative(directions={"mu": 1}), "`mu` is not a parameter; write one of lam, b"),
        (lambda: Derivative(directions={"b": [1]}), "1 × 1 numbers; write a list of 2 numbers"),
        (lambda: Derivative(directions={"lam": [1, 2]}), "moves by a number; write 1"),
        (lambda: Derivative(directions=[]), "names no parameter; write {penalty = 1}"),
        (lambda: Derivative(directions={"lam": 1}, value=[[1]]), "1 rows and 1 columns; write 3 rows and 1 columns"),
        (lambda: FixedPoint(value=[1, 2]), "2 numbers for 3 state variables"),
        (lambda: FixedPoint(value={"y": [1, 2, 3]}), "`y` is no block of the state; the state is x"),
        (lambda: Converges(words="realisable"), "for maps made of layers all words are looked at"),
        (lambda: Converged(0, 1), "`0` is not a positive integer"),
        (lambda: Converged(5, -1), "-1 is not positive"),
        (lambda: Converged(5, 1, "errors"), 'write "iterates" or "derivatives"'),
        (lambda: Converged(5, 1, directions={"lam": 1}), 'write quantity = "derivatives"'),
    ],
)
def test_claims_that_make_no_sense_are_refused(claim, message):
    with pytest.raises(InputError, match=message.replace("{", r"\{")):
        prove(claim(), *structured("lasso"))


def test_parameters_that_make_no_sense_are_refused():
    iteration, _ = structured("lasso")
    with pytest.raises(InputError, match="weight of l1, `lam`: `-1` is negative"):
        prove(FixedPoint(), iteration, {"lam": -1, "b": [1, 3]})


def test_directions_and_numbers_of_iterations_are_for_structured_maps():
    descent = forward_backward("(x - 2)**2/2", l1("lam"), ["x"], "1/2", parameters=["lam"], start=[0])
    with pytest.raises(InputError, match="they are for maps made of layers"):
        prove(Derivative(directions={"lam": 1}), descent, {"lam": 1})
    with pytest.raises(InputError, match="is about maps made of layers"):
        prove(Converged(5, 1), descent, {"lam": 1})


def test_a_limit_that_is_not_found_is_left_open_with_the_reason():
    """Gradient steps of twice the longest length move between two points for ever."""
    iteration = forward_backward(quadratic(IDENTITY, [1, 0, 0, 0]), l1(0), step=2, start=[1, 0, 0, 0])
    verdict = prove(Converges(), iteration)
    assert isinstance(verdict, (Undecided, Refuted))

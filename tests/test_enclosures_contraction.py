"""Proofs of contraction: true ones are found, false ones refused."""

from __future__ import annotations

import pytest
from flint import arb, arb_mat, fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from strategies import examples, square_matrices

from piggycheck.enclosures.contraction import (
    Contraction,
    by_jacobian,
    by_rows,
    form_shrinks,
    rational_above,
    rounded_up,
    shrinks,
)
from piggycheck.enclosures.jacobian import Rows
from piggycheck.errors import UnknownError
from piggycheck.norms import is_enclosed_definite


@pytest.mark.parametrize(("factor", "true"), [("1", False), ("3/4", True), ("5000001/10000000", True), ("1/2", False)])
def test_the_norm_of_a_matrix_is_proved_with_a_margin_only(factor, true):
    numerator, denominator = map(int, (factor + "/1").split("/")[:2])
    if factor == "1":
        assert not shrinks(arb_mat([[1, 0], [0, arb(0.5)]]), fmpq(1))
    else:
        assert shrinks(arb_mat([[arb(0.5), 0], [0, arb(-0.25)]]), fmpq(numerator, denominator)) is true


def test_every_matrix_between_the_bounds_counts():
    assert shrinks(arb_mat([[arb(0.25, 0.25)]]), fmpq(2, 3))
    assert not shrinks(arb_mat([[arb(0.25, 0.5)]]), fmpq(2, 3))


def test_a_form_has_to_be_at_least_the_identity():
    A = arb_mat([[0, 1], [arb(-0.25), 0]])
    form = fmpq_mat([[2, 0], [0, 5]])
    assert form_shrinks(A, form, fmpq(4, 5))
    assert not form_shrinks(A, form * fmpq(1, 4), fmpq(4, 5))
    assert not form_shrinks(A, form, fmpq(1, 2))


@pytest.mark.parametrize("entry", ["1", "1.5", "-1"])
def test_no_factor_below_1_is_found_where_there_is_none(entry):
    with pytest.raises(UnknownError, match="no contraction was proved: the derivative has norm"):
        by_jacobian(Rows((0,), arb_mat([[arb(entry)]])), fmpq(1))


@pytest.mark.parametrize("entry", [arb("nan"), arb(0, float("inf")), arb(0, 1)])
def test_a_derivative_that_is_not_bounded_below_1_is_refused(entry):
    with pytest.raises(UnknownError, match="no finite enclosure|no contraction was proved"):
        by_jacobian(Rows((0,), arb_mat([[entry]])), fmpq(1))


def test_rows_with_other_columns_can_be_longer_than_their_block():
    """The block has norm 1/2; with the column that is not kept the row has norm greater than 1."""
    assert by_jacobian(Rows((0,), arb_mat([[arb(0.5)]])), fmpq(1)).factor < 1
    with pytest.raises(UnknownError, match="whole space"):
        by_rows(Rows((0,), arb_mat([[arb(0.5), 1]])), fmpq(1))


def test_the_stretch_of_a_form_bounds_its_norm():
    form = fmpq_mat([[3, 0], [0, 6]])
    assert Contraction(fmpq(1, 2), fmpq(1), "jacobian", (0, 1), form).stretch >= 3


@examples(80)
@given(square_matrices())
def test_definite_matrices_are_never_ones_that_are_not(M):
    """Exact factorisation decides."""
    from piggycheck.definite import is_positive_definite

    S = M + M.transpose()
    if is_enclosed_definite(arb_mat(S)):
        assert is_positive_definite(S)


@examples(100)
@given(st.fractions(min_value=0, max_value=10**40), st.integers(1, 8))
def test_rounding_up_rounds_up_by_little(value, digits):
    exact = fmpq(value.numerator, value.denominator)
    assert exact <= rounded_up(exact, digits) <= exact * (1 + fmpq(10) / fmpq(10) ** digits)
    assert arb(exact) <= rounded_up(arb(exact), digits) or not value


@pytest.mark.parametrize("gap", [1e-12, 1e-7, 0.03, 0.5, 1.0])
@pytest.mark.parametrize("share", [2.0**-12, 0.5])
def test_a_short_decimal_between_a_number_and_1(gap, share):
    number = 1 - gap
    above = rational_above(number, share)
    assert fmpq(*number.as_integer_ratio()) < above < 1
    assert len(str(above.q)) < 25

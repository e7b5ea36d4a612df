"""Claims about the joint spectral radius itself, and about quadratic forms: accepted where they are true."""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from certificate_changes import assert_changes_are_noticed, negated
from checker_certificates import (
    PROJECTED,
    PROJECTIONS,
    PROOFS,
    RELU,
    SWAPS,
    along,
    certificate,
    corners,
    form_tree,
    given,
    growth_along,
    loosened,
    matrices,
    piece,
    radius_is_at_most,
    rows,
    sample,
    uncertain,
)
from scipy.optimize import minimize

from piggycheck.checker import Refused, Unreadable, check

RADIUS, FORM = "joint_spectral_radius", "no_common_quadratic_form"
LOWER = {"word": ["0", "1"], "modulus_lower": "1/4", "rate": "1/2"}
UPPER = PROOFS["word tree"][1]
BOTH = {"lower": LOWER, "upper": UPPER}
SCALED = [rows("1 0; 1 0"), rows("0 1; 0 -1")]  # no common form has a rate below the square root of 2
MULTIPLIERS = {"method": "dual", "Q": [rows("1 0; 0 0"), rows("0 0; 0 1")]}

VALID = {
    "both bounds": certificate(given(SWAPS), RADIUS, "proved", BOTH, lower="1/2", upper="1/2", tolerance="0"),
    "a default tolerance": certificate(given(SWAPS), RADIUS, "proved", BOTH),
    "an upper bound": certificate(given(SWAPS), RADIUS, "proved", {"upper": UPPER}, upper="3/4"),
    "a lower bound": certificate(given(SWAPS), RADIUS, "proved", {"lower": LOWER}, lower="49/100"),
    "an upper bound that is false": certificate(given(SWAPS), RADIUS, "refuted", {"lower": LOWER}, upper="49/100"),
    "a lower bound that is false": certificate(given(SWAPS), RADIUS, "refuted", {"upper": UPPER}, lower="51/100"),
    "no common form": certificate(given(SCALED), FORM, "proved", MULTIPLIERS, rate="7/5"),
    "no common form of rate 1": certificate(given(SCALED), FORM, "proved", MULTIPLIERS),
    "a common form": certificate(
        given(SCALED), FORM, "refuted", {"method": "quadratic", "P": rows("1 0; 0 1")}, rate="3/2"
    ),
}


def is_true(c: dict[str, Any]) -> bool:
    """What the claim says, computed in floating point."""
    claim, proved = c["claim"], c["claim"]["verdict"] == "proved"
    if claim["kind"] == FORM:
        least = least_common_rate(matrices(c))
        return least > float(Fraction(claim.get("rate", 1))) - 1e-4 if proved else common_rate_holds(c)
    reached = growth_along(matrices(c), [(0, i, 0) for i in range(len(matrices(c)))], 4) + 1e-9
    if not proved:
        too_large = "upper" in claim and reached > float(Fraction(claim["upper"]))
        return too_large or not radius_is_at_least(c, Fraction(claim["lower"]))
    upper = "upper" not in claim or radius_is_at_most(c, Fraction(claim["upper"]))
    close = "tolerance" not in claim or Fraction(c["witness"]["upper"]["rate"]) <= (
        (1 + Fraction(claim["tolerance"])) * Fraction(c["witness"]["lower"]["rate"])
    )
    return upper and close and reached >= float(Fraction(claim.get("lower", 0)))


def radius_is_at_least(c: dict[str, Any], rate: Fraction) -> bool:
    """Whether norms of long products leave room for a rate: they do not when the rate is clearly too large."""
    products = matrices(c)
    for _ in range(7):
        products = [A @ M for A in matrices(c) for M in products]
    return max(np.linalg.norm(M, 2) for M in products) ** (1 / 8) > float(rate) * 1.3


def least_common_rate(A: list[np.ndarray]) -> float:
    """The least rate of a common quadratic form in the plane, found by descent."""

    def rate(form: np.ndarray) -> float:
        L = np.array([[1, 0], [form[0], np.exp(form[1])]])
        return max(np.linalg.norm(np.linalg.inv(L.T) @ M.T @ L, 2) for M in A)

    starts = [(0, 0), (1, 0), (-1, 0), (0, 2), (0, -2)]
    return min(minimize(rate, start, method="Nelder-Mead", options={"xatol": 1e-6}).fun for start in starts)


def common_rate_holds(c: dict[str, Any]) -> bool:
    P, rate = sample(c["witness"]["P"]), float(Fraction(c["claim"]["rate"]))
    gaps = [rate**2 * P - M.T @ P @ M for M in matrices(c)]
    return min(np.linalg.eigvalsh(P)) > 0 and min(min(np.linalg.eigvalsh(gap)) for gap in gaps) > -1e-9


@pytest.mark.parametrize("name", VALID)
def test_a_changed_number_is_refused_unless_the_claim_stays_true(name: str) -> None:
    valid = VALID[name]
    check(valid)
    assert is_true(valid)
    assert_changes_are_noticed(valid, is_true=is_true, more=negated)


def proved(witness: dict[str, Any], A: list[Any] = SWAPS, **claim: str) -> dict[str, Any]:
    return certificate(given(A), RADIUS, "proved", witness, **claim)


def refuted(witness: dict[str, Any], **claim: str) -> dict[str, Any]:
    return certificate(given(SWAPS), RADIUS, "refuted", witness, **claim)


def dual(*Q: Any, A: list[Any] = SCALED, rate: str = "1") -> dict[str, Any]:
    return certificate(given(A), FORM, "proved", {"method": "dual", "Q": list(Q)}, rate=rate)


UNCERTAIN = [[[["1", "2"]]], [[["-1", "1/2"]]]]
NOTHING = {"word": ["0"], "modulus_lower": "0", "rate": "0"}
HALF_ACTIVE = {**RELU, "pieces": [piece([["1/2"]], [["1"]], None), piece([["0"]], [["1"]], "-1 0")]}
OF_RELU = {"word": ["0"], "modulus_lower": "1/2", "rate": "1/2"}
CLOSE = loosened(UPPER, Fraction(1001, 1000))
ZERO = rows("0 0; 0 0")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (proved(BOTH, tolerance="-1/1000"), "is negative"),
        (proved(BOTH, upper="-1"), "is negative"),
        (proved(BOTH, lower="-1"), "is negative"),
        (proved(BOTH, upper="49/100"), "upper bound is not proved"),
        (proved(BOTH, lower="51/100"), "lower bound is not proved"),
        (proved({"lower": LOWER}, upper="9"), "upper bound is not proved"),
        (proved({"upper": UPPER}, lower="0"), "lower bound is not proved"),
        (proved({}, lower="0"), "lower bound is not proved"),
        (proved({}), "not as close"),
        (proved({"lower": LOWER}), "not as close"),
        (proved({"upper": UPPER}, tolerance="9"), "not as close"),
        (proved({"lower": LOWER, "upper": CLOSE}), None),
        (proved({"lower": LOWER, "upper": CLOSE}, tolerance="1/1001"), "not as close"),
        (proved({"lower": LOWER, "upper": loosened(UPPER, Fraction(1002, 1000))}), "not as close"),
        (proved({"lower": {**LOWER, "rate": "51/100"}}, lower="1/2"), "not proved by the modulus"),
        (proved({"lower": {**LOWER, "rate": "-1/2"}}, lower="0"), "negative"),
        (proved({"lower": {**LOWER, "modulus_lower": "26/100"}}, lower="1/2"), "no eigenvalue of the stated modulus"),
        (proved({"lower": {**LOWER, "modulus_lower": "-1/4"}}, lower="0"), "no eigenvalue of the stated modulus"),
        (proved({"lower": {**LOWER, "word": []}}, lower="1/2"), "empty"),
        (proved({"lower": {**LOWER, "word": ["0", "2"]}}, lower="1/2"), "integer from 0 to 1"),
        (proved({"lower": {**LOWER, "word": ["0", "0"]}}, lower="1/2"), "no eigenvalue"),
        (proved({"lower": {"word": ["0"], "rate": "0"}}, lower="0"), "missing key `modulus_lower`"),
        (proved({"lower": NOTHING}, lower="0"), None),
        (proved({"lower": NOTHING}, lower="1/1000"), "lower bound is not proved"),
        (proved({"lower": {**NOTHING, "rate": "1/1000"}}, lower="0"), "not proved by the modulus"),
        (proved({"lower": NOTHING, "upper": form_tree("0", 1, "1 0; 0 1")}, A=[ZERO]), None),
        (refuted({"lower": LOWER}, upper="1/2"), "do not contradict"),
        (refuted({"upper": UPPER}, lower="1/2"), "do not contradict"),
        (refuted({"lower": LOWER}, lower="51/100"), "do not contradict"),
        (refuted({"upper": UPPER}, upper="49/100"), "do not contradict"),
        (refuted(BOTH), "do not contradict"),
        (refuted(BOTH, tolerance="0"), "do not contradict"),
        (refuted({"lower": NOTHING}, upper="0"), "do not contradict"),
        # whatever the matrices are between their bounds
        (proved({"lower": {"word": ["0"], "modulus_lower": "1", "rate": "1"}}, A=UNCERTAIN, lower="1"), None),
        (proved({"lower": {"word": ["0"], "modulus_lower": "3/2", "rate": "1"}}, A=UNCERTAIN, lower="1"), "told apart"),
        (proved({"lower": {"word": ["1"], "modulus_lower": "1/4", "rate": "0"}}, A=UNCERTAIN, lower="0"), "told apart"),
        (
            proved({"lower": {"word": ["0"], "modulus_lower": "3", "rate": "1"}}, A=UNCERTAIN, lower="1"),
            "no eigenvalue",
        ),
        (proved({"upper": form_tree("2", 2)}, A=UNCERTAIN, upper="2"), None),
        (proved({"upper": form_tree("19/10", 2)}, A=UNCERTAIN, upper="2"), "not proved along"),
        # pieces of a map: a lower bound needs active ones, an upper bound all
        (certificate(RELU, RADIUS, "proved", {"lower": OF_RELU, "upper": form_tree("1/2", 2)}, upper="1/2"), None),
        (certificate(HALF_ACTIVE, RADIUS, "proved", {"upper": form_tree("1/2", 2)}, upper="1/2"), None),
        (certificate(HALF_ACTIVE, RADIUS, "proved", {"lower": OF_RELU}, lower="1/2"), "without a direction"),
        (certificate(HALF_ACTIVE, RADIUS, "refuted", {"lower": {**OF_RELU, "rate": "0"}}, upper="1/4"), "direction"),
        (
            certificate(
                {**RELU, "pieces": RELU["pieces"][1:]}, RADIUS, "proved", {"upper": form_tree("0", 1)}, upper="0"
            ),
            "not in the list",
        ),
        # quadratic forms
        (dual(*MULTIPLIERS["Q"], rate="3/2"), "not positive semidefinite"),
        (dual(*MULTIPLIERS["Q"], rate="-1"), "is negative"),
        (dual(ZERO, ZERO), "or zero"),
        (dual(rows("1 0; 0 -1"), rows("0 0; 0 1")), "symmetric and positive semidefinite"),
        (dual(rows("1 1; 0 1"), rows("0 0; 0 1")), "symmetric and positive semidefinite"),
        (dual(rows("1 0; 0 0")), "not a list of length 2"),
        (dual(rows("1 0; 0 0"), ZERO), "not positive semidefinite"),
        (dual(*MULTIPLIERS["Q"], A=uncertain(SCALED, "1/100")), None),
        (dual(*MULTIPLIERS["Q"], A=uncertain(SCALED, "1/2")), "not decided"),
        (dual(rows("1"), rows("0"), A=[[["1"]], [["0"]]]), "or zero"),
        (dual(rows("1"), A=[[[["1", "2"]]]]), "or zero"),
        (dual(rows("1"), A=[[[["3/2", "2"]]]]), None),
        (
            certificate(HALF_ACTIVE, FORM, "proved", {"method": "dual", "Q": [rows("1"), rows("0")]}, rate="0"),
            "direction",
        ),
        (certificate(RELU, FORM, "proved", {"method": "dual", "Q": [rows("1"), rows("0")]}, rate="1/3"), None),
        (certificate(RELU, FORM, "refuted", {"method": "quadratic", "P": rows("1")}), None),
        (certificate(RELU, FORM, "refuted", {"method": "quadratic", "P": rows("0")}), "positive definite"),
        (certificate(RELU, FORM, "refuted", {"method": "quadratic", "P": rows("1")}, rate="1/3"), "not have the rate"),
    ],
)
def test_a_false_certificate_is_refused(data: dict[str, Any], reason: str | None) -> None:
    if reason is None:
        check(data)
        return
    with pytest.raises((Refused, Unreadable), match=re.escape(reason)):
        check(data)


def test_bounds_hold_for_every_choice_between_the_bounds() -> None:
    """A word of uncertain matrices has at least the modulus stated, wherever in their bounds they are taken."""
    A = uncertain(SWAPS, "1/100")
    check(
        certificate(given(A), RADIUS, "proved", {"lower": {**LOWER, "modulus_lower": "23/100", "rate": "0"}}, lower="0")
    )
    radii = [max(abs(np.linalg.eigvals(M @ N))) for M in corners(A[:1]) for N in corners(A[1:])]
    assert min(radii) > 0.23
    assert max(abs(np.linalg.eigvals(along({"switched": {"A": SWAPS}}, ["0", "1"])))) == 0.25


def test_unneeded_bounds_are_checked_all_the_same() -> None:
    with pytest.raises(Refused):
        check(proved({"lower": LOWER, "upper": {**PROJECTED}}, lower="1/2"))
    check(proved({"lower": {**NOTHING}, "upper": PROJECTED}, A=PROJECTIONS, upper="1/2"))

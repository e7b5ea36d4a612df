"""Proofs of upper bounds of the joint spectral radius: each kind is accepted where it holds, and nowhere else."""

from __future__ import annotations

import contextlib
import re
from fractions import Fraction
from typing import Any

import pytest
from certificate_changes import (
    assert_changes_are_noticed,
    negated,
    numbers,
    replaced,
    with_changes,
)
from checker_certificates import (
    LIFTED,
    MEANS,
    PROJECTED,
    PROJECTIONS,
    PROOFS,
    ROTATIONS,
    SWAPS,
    TRIANGULAR,
    bounded,
    certificate,
    form_tree,
    given,
    loosened,
    radius_is_at_most,
    rows,
    terms,
    uncertain,
)
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st

from piggycheck.checker import Refused, Unreadable, check
from piggycheck.checker.boxes import box
from piggycheck.checker.intervals import ZERO, Interval
from piggycheck.checker.structure import corners_of


@pytest.mark.parametrize("name", PROOFS)
def test_a_proof_is_accepted_and_tight(name: str) -> None:
    matrices, proof = PROOFS[name]
    assert check(bounded(matrices, proof)).endswith(f"is at most {proof['rate']}")
    c = bounded(matrices, proof)
    assert radius_is_at_most(c, Fraction(proof["rate"]))
    assert proof["rate"] == "0" or not radius_is_at_most(c, Fraction(proof["rate"]) * Fraction(999, 1000))


@pytest.mark.parametrize("name", PROOFS)
def test_a_changed_number_is_refused_unless_the_bound_stays_true(name: str) -> None:
    valid = bounded(*PROOFS[name])
    assert_changes_are_noticed(valid, is_true=bound_is_true, more=lambda text: ["0", *negated(text)], least=10)


def bound_is_true(data: dict[str, Any]) -> bool:
    return radius_is_at_most(data, Fraction(data["claim"]["upper"]))


@pytest.mark.parametrize("name", PROOFS)
@settings(deadline=None, max_examples=60)
@drawn(st.data())
def test_several_changed_numbers_prove_nothing_false(name: str, data: st.DataObject) -> None:
    c = bounded(*PROOFS[name])
    places = [path for path, _ in numbers(c) if path[:2] != ("switched", "B")]
    for _ in range(data.draw(st.integers(1, 4))):
        number = data.draw(st.sampled_from(["0", "1", "-1", "2", "-2", "1/2", "-1/2", "1/4", "3/4", "9/10"]))
        c = replaced(c, data.draw(st.sampled_from(places)), number)
    try:
        check(c)
    except (Refused, Unreadable):
        return
    assert radius_is_at_most(c, Fraction(c["claim"]["upper"]))


@pytest.mark.parametrize("name", [name for name in PROOFS if name != "blocks"])
def test_a_proof_with_room_covers_matrices_between_bounds(name: str) -> None:
    matrices, proof = PROOFS[name]
    loose = loosened(proof, Fraction(21, 20))
    assert "whatever they are between their bounds" in check(bounded(uncertain(matrices, "1/1000"), loose))
    wide = bounded(uncertain(matrices, "-1/2"), loose)
    assert name == "strict blocks" or not radius_is_at_most(wide, Fraction(loose["rate"]))
    if name != "strict blocks":
        with pytest.raises(Refused):
            check(wide)


@pytest.mark.parametrize("name", PROOFS)
def test_a_proof_stands_in_the_witness_of_other_claims(name: str) -> None:
    """The derivatives converge, nothing diverges, and X = A X + B has one solution, or several for several words."""
    matrices, proof = PROOFS[name]
    n = len(matrices[0])
    check(certificate(given(matrices), "converges", "proved", proof, rate="19/20"))
    check(certificate(given(matrices), "diverges", "refuted", proof))
    fixed = [[str(Fraction(int(i == 0)) - Fraction(A[i][0])) for i in range(n)] for A in matrices]
    subject = {"switched": {"A": matrices, "B": [[[b] for b in B] for B in fixed]}}
    X = [[str(int(i == 0))] for i in range(n)]
    check(certificate(subject, "derivative", "proved", {**proof, "matrix": X}))
    with pytest.raises(Refused, match="do not contradict"):
        points = [{"word": ["0"], "matrix": X}, {"word": ["0", "1"], "matrix": X}]
        check(certificate(subject, "derivative", "refuted", {**proof, "points": points}))
    check(certificate(subject, "derivative", "refuted", {**proof, "points": points[:1]}, value=[["2"]] * n))
    for kind, verdict, more in (("converges", "proved", {}), ("derivative", "proved", {"matrix": X})):
        with pytest.raises(Refused):
            check(certificate(subject, kind, verdict, {**proof, "rate": "-1/2", **more}))


@pytest.mark.parametrize("factor", [Fraction(2), Fraction(10)])
def test_a_rate_of_one_and_more_is_a_bound_but_no_convergence(factor: Fraction) -> None:
    proof = loosened(PROJECTED, factor)
    check(bounded(PROJECTIONS, proof))
    for kind, verdict, more in (
        ("converges", "proved", {}),
        ("diverges", "refuted", {}),
        ("derivative", "proved", {"matrix": rows("0; 0")}),
        ("derivative", "refuted", {"points": []}),
    ):
        with pytest.raises(Refused, match="not below 1"):
            check(certificate(given(PROJECTIONS), kind, verdict, {**proof, **more}))


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    return with_changes(bounded(*PROOFS[name]), *((f"witness/upper/{where}", value) for where, value in changes))


def uncertain_below(width: str) -> dict[str, Any]:
    """Triangular matrices whose block below the diagonal is zero only up to a width."""
    matrices = [[["1/2", "1"], [["0", width], "1/3"]]]
    blocks = {"basis": rows("1 0; 0 1"), "sizes": ["1", "1"], "proofs": [form_tree("1/2", 1), form_tree("1/3", 1)]}
    return bounded(matrices, {"method": "blocks", "rate": "1/2", **blocks})


def nested(depth: int) -> dict[str, Any]:
    proof = PROJECTED
    for _ in range(depth):
        proof = {"method": "lift", "rate": "1/2", "degree": "1", "proof": proof}
    return bounded(PROJECTIONS, proof)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (changed("word tree", ("rate", "-1/2")), "is negative"),
        (changed("word tree", ("rate", "0")), "not proved along the word"),
        (changed("word tree", ("rate", "1/2.0")), "not a rational number"),
        (changed("word tree", ("rate", "nan")), "not a rational number"),
        (changed("word tree", ("rate", "inf")), "not a rational number"),
        (changed("word tree", ("rate", "1e-3")), "not a rational number"),
        (changed("word tree", ("words", [["0"]])), "begins with none"),
        (changed("word tree", ("words", [])), "begins with none"),
        (changed("word tree", ("words", [["0"], ["1"], ["1"]])), "begins with another"),
        (changed("word tree", ("P", rows("1 1; 0 4"))), "not symmetric"),
        (changed("word tree", ("P", rows("1 2; 2 4"))), "positive definite"),
        (changed("word tree", ("P", rows("1 0; 0 -4"))), "positive definite"),
        (changed("word tree", ("P", rows("1"))), "not a list of length 2"),
        (changed("path complete", ("edges", [])), "no path"),
        (changed("path complete", ("edges/3", ["1", "0", "0"])), "no path"),
        (changed("path complete", ("edges/2", ["1", "0", "1"])), "not proved on the edge"),
        (changed("path complete", ("edges/3", ["1", "1", "2"])), "integer from 0 to 1"),
        (changed("path complete", ("edges/3", ["1", "2", "0"])), "integer from 0 to 1"),
        (changed("path complete", ("edges/3", ["1", "1"])), "not a list of length 3"),
        (changed("path complete", ("forms", [])), "none"),
        (changed("path complete", ("forms/0", rows("0 0; 0 0"))), "positive definite"),
        (changed("path complete", ("rate", "-1/2")), "is negative"),
        (changed("polytope", ("rate", "0")), "no rate of zero"),
        (changed("polytope", ("rate", "-1/2")), "is negative"),
        (changed("polytope", ("vertices", [])), "none"),
        (changed("polytope", ("vertices", rows("1 1; 2 2"))), "singular"),
        (changed("polytope", ("vertices", rows("1; 1"))), "not a list of length 2"),
        (changed("polytope", ("basis", ["0", "0"])), "singular"),
        (changed("polytope", ("basis", ["0"])), "not a list of length 2"),
        (changed("polytope", ("basis", ["0", "2"])), "integer from 0 to 1"),
        (changed("polytope", ("basis", ["0", "-1"])), "integer from 0 to 1"),
        (changed("polytope", ("coefficients", [terms("0 1", "0 1")])), "not a list of length 2"),
        (changed("polytope", ("coefficients/1", terms("1 1"))), "not a list of length 2"),
        (changed("polytope", ("coefficients/1/0", rows("2 1"))), "integer from 0 to 1"),
        (changed("polytope", ("coefficients/1/0", rows("1 1 1"))), "not a list of length 2"),
        (changed("polytope", ("coefficients/1/0", [])), "not proved to be in the polytope"),
        (changed("polytope", ("coefficients/1/0", rows("1 1; 0 1; 0 -1"))), "not proved to be in the polytope"),
        (changed("nonnegative", ("vertices", [])), "none"),
        (changed("nonnegative", ("vertices", rows("1 0"))), "a coordinate is zero in all vertices"),
        (changed("nonnegative", ("vertices", rows("1 -1"))), "negative coordinate"),
        (changed("nonnegative", ("coefficients/0/0", rows("0 2"))), "sum to more than 1"),
        (changed("nonnegative", ("coefficients/0/0", rows("0 1; 0 1; 0 -1"))), "negative"),
        (changed("nonnegative", ("rate", "1/3")), "not below the stated combination"),
        (changed("nonnegative", ("rate", "0")), "not below the stated combination"),
        (changed("complex polytope", ("basis", ["1", "1"])), "singular"),
        (changed("complex polytope", ("coefficients/0/0", rows("0 3/5 4/5 99/100"))), "larger modulus"),
        (changed("complex polytope", ("coefficients/0/0", rows("0 3/5 4/5 -1"))), "larger modulus"),
        (changed("complex polytope", ("coefficients/0/0", rows("0 3/5 -4/5 1"))), "not proved to be in the polytope"),
        (changed("complex polytope", ("coefficients/0/0", rows("0 3/5 4/5 101/100"))), "not proved to be in"),
        (changed("complex polytope", ("rate", "0")), "no rate of zero"),
        (changed("complex polytope", ("vertices/1", rows("1 0; 0 -1"))), "singular"),
        (changed("lift", ("degree", "0")), "integer from 1"),
        (changed("lift", ("degree", "-2")), "integer from 1"),
        (changed("lift", ("degree", "1")), "not a list of length 2"),
        (changed("lift", ("degree", "3")), "not a list of length 4"),
        (changed("lift", ("degree", "60")), "not a list of length 61"),
        (changed("lift", ("degree", "1000000")), "integer from 1"),
        (changed("lift", ("rate", "49/100")), "larger than the power"),
        (changed("lift", ("rate", "-1/2")), "is negative"),
        (changed("lift", ("proof", None)), "not text"),
        (changed("lift", ("proof", {**LIFTED, "note": "x"})), "unknown key"),
        (changed("lift", ("proof", {**LIFTED, "method": "lyapunov"})), "no kind of proof"),
        (changed("blocks", ("sizes", ["1", "1", "1"])), "do not add up"),
        (changed("blocks", ("sizes", ["1"])), "do not add up"),
        (changed("blocks", ("sizes", ["2", "0"])), "integer from 1"),
        (changed("blocks", ("sizes", ["3", "-1"])), "integer from 1"),
        (changed("blocks", ("basis", rows("1 1; 1 1"))), "singular"),
        (changed("blocks", ("basis", rows("1 0; 0 1"))), "below the diagonal is not zero"),
        (changed("blocks", ("proofs", [form_tree("1/2", 2)])), "not a list of length 2"),
        (changed("blocks", ("proofs/1", None)), "null exactly when"),
        (changed("blocks", ("proofs/1", form_tree("9/10", 1))), "begins with none"),
        (changed("blocks", ("proofs/1", form_tree("9/10", 3))), "integer from 0 to 1"),
        (changed("blocks", ("rate", "1/2")), "not proved to have the rate"),
        (changed("strict blocks", ("proofs/0", form_tree("0", 1))), "null exactly when"),
        (changed("strict blocks", ("rate", "-1")), "is negative"),
        (changed("distinct blocks", ("proofs/0", {**PROJECTED, "coefficients": [[]] * 4})), "not a list of length 2"),
        (uncertain_below("0"), None),
        (uncertain_below("1/1000"), "below the diagonal is not zero"),
        (nested(5), None),
        (nested(6), "nested more than 5 deep"),
        (nested(300), "nested more than 5 deep"),
        (bounded(uncertain(MEANS, "3/4"), PROOFS["nonnegative"][1]), "negative, or may be"),
        (bounded([*SWAPS, SWAPS[0]], PROOFS["path complete"][1]), "no path"),
        (bounded([*PROJECTIONS, PROJECTIONS[0]], PROJECTED), "not a list of length 3"),
        (bounded([rows("0 0; 0 0")], form_tree("0", 1, "1 0; 0 1")), None),
        (bounded(ROTATIONS, form_tree("1/2", 2, "1 0; 0 1")), None),
        (bounded(TRIANGULAR, form_tree("9/10", 2, "1 0; 0 1")), "not proved along"),
    ],
)
def test_a_false_proof_is_refused(data: dict[str, Any], reason: str | None) -> None:
    if reason is None:
        check(data)
        return
    with pytest.raises((Refused, Unreadable), match=re.escape(reason)):
        check(data)


def test_weights_that_sum_to_one_and_repeated_vertices_are_no_mistake() -> None:
    check(changed("polytope", ("coefficients/0/0", rows("0 1/2; 0 1/2"))))
    check(changed("nonnegative", ("coefficients/0/0", rows("0 1/2; 0 1/2"))))


def test_a_rounded_coefficient_is_paid_for_in_the_weight() -> None:
    """The image (1/2, 1/2) = 21/40 c (1, 1) has c = 20/21; the unit vectors are halves of sums of the vertices."""
    loose = bounded(PROJECTIONS, loosened(PROJECTED, Fraction(21, 20)))
    at = ("witness", "upper", "coefficients", 0, 0, 0, 1)
    for lost, enough in (("1/1000", True), ("1/100", True), ("1/10", False)):
        data = replaced(loose, at, str(Fraction(20, 21) - Fraction(lost)))
        # the error costs its 1-norm over the rate, and c is smaller: 20/21 - lost + 2 lost <= 1
        assert enough == (Fraction(20, 21) + Fraction(lost) <= 1)
        if enough:
            check(data)
        else:
            with pytest.raises(Refused, match="not proved to be in the polytope"):
                check(data)


CORNERED = [[["0", ["1/2", "1"]], ["0", "0"]], [["0", "0"], [["-1/8", "1/4"], "0"]]]
CORNERS = {"method": "corners", "rate": "1/2", "proof": form_tree("1/2", 4, "1 0; 0 4")}


def test_the_corners_stand_for_all_matrices_between_bounds() -> None:
    valid = bounded(CORNERED, CORNERS)
    check(valid)
    assert not radius_is_at_most(valid, Fraction(499, 1000))
    assert_changes_are_noticed(valid, is_true=bound_is_true)
    wide = [[[["0", "1"]] * 3] * 3]
    for matrices, proof, reason in (
        (CORNERED, {**CORNERS, "rate": "49/100"}, "larger than the stated one"),
        (CORNERED, {**CORNERS, "proof": form_tree("1/2", 2, "1 0; 0 4")}, "begins with none"),
        (CORNERED, {**CORNERS, "proof": form_tree("1/2", 5, "1 0; 0 4")}, "integer from 0 to 3"),
        (wide, {"method": "corners", "rate": "3", "proof": form_tree("3", 512, "1 0 0; 0 1 0; 0 0 1")}, "256 corners"),
    ):
        with pytest.raises((Refused, Unreadable), match=reason):
            check(bounded(matrices, proof))


def test_which_corner_is_which_letter() -> None:
    """Lower ends first, the last entry changes fastest: the corners are 0 0, 0 2, 1 0, 1 2 on the diagonal."""
    found = corners_of(box([[Interval(Fraction(0), Fraction(1)), ZERO], [ZERO, Interval(Fraction(0), Fraction(2))]]))
    diagonals = [[corner.centre.fractions()[i][i] for i in (0, 1)] for corner in found]
    assert diagonals == [[0, 0], [0, 2], [1, 0], [1, 2]]


def test_hostile_sizes_are_refused_in_time() -> None:
    identity = [[str(int(i == j)) for j in range(150)] for i in range(150)]
    full = [[f"{10**40 + 7 * i * j}/{10**40 + i + 151 * j}" for j in range(150)] for i in range(150)]
    with pytest.raises(Refused):
        check(bounded([full], {"method": "word_tree", "rate": "1", "P": identity, "words": [["0"]]}))
    with pytest.raises(Refused, match="coordinates"):
        check(bounded([identity], {"method": "lift", "rate": "1", "degree": "3", "proof": PROJECTED}))
    huge = f"1{'0' * 8999}1/1{'0' * 9000}"
    tree = {"method": "word_tree", "rate": "2", "P": [["1"]], "words": [["0"] * 9000]}
    for number, rate in ((huge, "2"), ("1", huge)):
        with pytest.raises(Refused, match="grows beyond"):
            check(bounded([[[number]]], {**tree, "rate": rate}))


def places(data: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a certificate."""
    inner = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(found for key, value in inner for found in places(value, (*path, key)))]


@pytest.mark.parametrize("name", PROOFS)
def test_data_of_another_type_are_refused_and_nothing_worse(name: str) -> None:
    valid = bounded(*PROOFS[name])
    for path in places(valid)[1:]:
        for value in (None, True, [], {}, "", "x", ["0"], [["0"]], {"method": "lift"}):
            with contextlib.suppress(Refused, Unreadable):
                check(replaced(valid, path, value))

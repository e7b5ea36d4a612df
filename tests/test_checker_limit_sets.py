"""Certificates about limit sets, written by hand, are accepted, and refused when a change makes them false."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from certificate_changes import assert_changes_are_noticed, assert_refused, replaced, with_changes
from checker_certificates import HALVING, certificate, one_map, piece, rows
from checker_limit_certificates import (
    HALVES,
    LIMITS,
    RESET,
    SIX,
    TURNS,
    ball,
    bound,
    cells,
    is_true,
    pairs,
    point,
    tree,
)
from checker_limit_certificates import SPIRAL as SPIRALS

from piggycheck.checker import Refused, Unreadable, check


@pytest.mark.parametrize("name", LIMITS)
def test_a_valid_certificate_is_accepted_and_states_the_truth(name: str) -> None:
    assert isinstance(check(LIMITS[name][0]), str)
    assert is_true(LIMITS[name][0])


@pytest.mark.parametrize("name", LIMITS)
def test_a_changed_number_is_refused_unless_the_claim_stays_true(name: str) -> None:
    valid, free = LIMITS[name]
    assert_changes_are_noticed(valid, free, is_true)


def changed(name: str, *changes: tuple[str, Any]) -> dict[str, Any]:
    """One of the certificates with some parts replaced; an ellipsis removes a part."""
    return with_changes(LIMITS[name][0], *changes)


RELU, QUARTER, HALF = "interval of relu", "a quarter is in the Cantor set", "a half is not in the Cantor set"
HULL, IMAGE, BEYOND = "between the ends", "the image by a mean of pairs", "beyond the hull"
BOX, SPIRAL, LARGER, CORE = (
    "the box of binary digits",
    "a bound of the spiral",
    "the spiral is larger",
    "a bound by a core",
)
STRICT, OF_HULL = "relu is strict", "relu is strict with its hull"
INTO, INSIDE = "constants are not strict", "digits are not strict with their hull"
HALVED, MEAN, BETWEEN, ONE = (
    "invertible after halving",
    "not invertible at a mean",
    "not invertible between",
    "no pair of one",
)
OUTSIDE = "outside the Clarke Jacobian"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        # the proof of the joint spectral radius
        (changed(RELU, ("witness/rate", "1")), "not below 1"),
        (changed(RELU, ("witness/words", [["0"]])), "begins with none"),
        (changed(HALF, ("witness/words", [["0"], ["0"], ["1"]])), "begins with another"),
        (changed(QUARTER, ("witness/P", [["-1"]])), "positive definite"),
        # intervals
        (changed(RELU, ("claim/lower", "-1/3")), "not the claimed one"),
        (changed(RELU, ("witness/lower", "4/3"), ("witness/upper", "-2/3")), "not the least and the greatest"),
        (changed(RELU, ("witness/lower", "0"), ("witness/upper", "2/3")), "not the least and the greatest"),
        (changed("another interval", ("claim/upper", "4/3")), "do not contradict"),
        (changed("another interval", ("claim/upper", ...)), "do not contradict"),
        (changed(RELU, ("pieces/1/direction", None)), "not the least and the greatest"),
        (
            certificate(SPIRALS, "piggyback_interval", "proved", {**TURNS, "lower": "0", "upper": "1"}),
            "not pairs of numbers",
        ),
        # elements
        (changed(QUARTER, ("witness/word", [])), "empty"),
        (changed(QUARTER, ("witness/then", [])), "not the point"),
        (changed(QUARTER, ("witness/then", ["1"])), "not the point"),
        (changed(QUARTER, ("witness/word", ["1", "0"])), "not the fixed point"),
        (changed(QUARTER, ("witness/word", ["0", "2"])), "integer from 0 to 1"),
        (changed(QUARTER, ("witness/matrix", [["3/4", "3/4"]])), "length 1"),
        (changed(QUARTER, ("claim/value", ...)), "claim.value"),
        (changed(QUARTER, ("claim/hull", "yes")), '"true" or "false"'),
        (changed(IMAGE, ("claim/hull", "false")), "unknown key"),
        (changed(IMAGE, ("witness/weights", ["-1/4", "5/4"])), "negative"),
        (changed(IMAGE, ("witness/weights", ["1/4", "1/4"])), "do not sum to 1"),
        (changed(IMAGE, ("witness/weights", ["1"])), "length 2"),
        (changed(HULL, ("claim/value", [["7/5"]])), "not between the ends"),
        (changed(HULL, ("claim/hull", "false")), "unknown key"),
        (changed(HULL, ("claim/hull", ...)), "unknown key"),
        # what is outside: bounds that are attained separate nothing
        (changed(HALF, ("claim/value", [["1/3"]])), "on a cell"),
        (changed(HALF, ("claim/value", [["2/3"]])), "on a cell"),
        (changed(HALF, ("claim/value", [["1/4"]])), "on a cell"),
        (changed(HALF, ("witness/cells/0/direction", [["-1"]])), "on a cell"),
        (changed(HALF, ("witness/cells/0/direction", [["0"]])), "on a cell"),
        (changed(HALF, ("witness/cells", LIMITS[HALF][0]["witness"]["cells"][:1])), "begins with none"),
        (changed(HALF, ("witness/cells", [])), "begins with none"),
        (changed(HALF, ("claim/hull", "true")), "one direction"),
        (changed(HALF, ("witness/radius", "2/5")), "moved too far"),
        (changed(HALF, ("witness/radius", "-1/2")), "moved too far"),
        (changed(HALF, ("witness/centre", [["1/3"]])), "moved too far"),
        (changed(BEYOND, ("claim/value", [["4/3"]])), "on a cell"),
        (changed(BEYOND, ("claim/value", [["-1"]])), "on a cell"),
        # bounds
        (changed(BOX, ("witness/bounds/0/upper", "99/100")), "on a cell"),
        (changed(BOX, ("witness/bounds/0/upper", "101/100")), "not as close"),
        (changed(BOX, ("witness/bounds/0/lower", "1/2")), "not as close"),
        (changed(BOX, ("witness/bounds/0/lower", "101/100")), "below the stated"),
        (changed(BOX, ("witness/bounds/0/word", ["0"]), ("witness/bounds/0/matrix", [["0"]])), "below the stated"),
        (
            changed(BOX, ("witness/bounds/1/words", [["0"], ["1", "0"], ["1", "1"]])),
            "backwards, one of the words begins",
        ),
        (changed(BOX, ("witness/bounds/1/words", [["0"], ["1", "1"]])), "backwards, there is an infinite word"),
        (changed(BOX, ("witness/bounds/1/words", [[], ["0"]])), "backwards, one of the words begins"),
        (changed(BOX, ("witness/bounds/1/lower", ...)), "missing key"),
        (changed(BOX, ("claim/tolerance", ...)), "claim.tolerance"),
        (changed(BOX, ("claim/directions", [])), "none"),
        (changed(BOX, ("claim/directions", [[["-1"]], [["1"]]])), "below the stated"),
        (changed(SPIRAL, ("claim/upper", ["22/20"])), "larger than the claimed"),
        (changed(SPIRAL, ("claim/tolerance", "1")), "beside `upper`"),
        (changed(SPIRAL, ("witness/bounds/0/upper", "22/20"), ("claim/upper", ["22/20"])), "on a cell"),
        (changed(SPIRAL, ("witness/P", [["1", "1"], ["0", "1"]])), "symmetric"),
        (changed(LARGER, ("claim/upper", ["16/15"])), "does not exceed"),
        (changed(LARGER, ("claim/directions", [[["-1"], ["0"]]])), "does not exceed"),
        (changed(LARGER, ("witness/index", "1")), "integer from 0 to 0"),
        # strictness
        (changed(STRICT, ("witness/word", ["1", "1"])), "not the fixed point"),
        (changed(STRICT, ("witness/word", ["1"]), ("witness/matrix", [["2/3"]])), "the fixed point of a pair"),
        (changed(STRICT, ("witness/word", ["0", "0"]), ("witness/matrix", [["0"]])), "the fixed point of a pair"),
        (changed(STRICT, ("witness/word", ["1", "0"] * 2)), "outside the implicit set, too"),
        (changed(STRICT, ("witness/shortest", "false")), '"true", or not there'),
        (changed(STRICT, ("claim/hull", "true")), "exactly when"),
        (changed(OF_HULL, ("claim/hull", ...)), "exactly when"),
        (changed(OF_HULL, ("witness/direction", [["1"]])), "does not prove"),
        (changed(OF_HULL, ("witness/direction", [["0"]])), "does not prove"),
        (changed(OF_HULL, ("witness/word", ["1"]), ("witness/matrix", [["2/3"]])), "does not prove"),
        (changed(STRICT, ("pieces/0/direction", None)), "without a direction"),
        (changed(INTO, ("switched/A/1", [["1/2"]]), ("switched/B/1", [["1/2"]])), "out of the implicit set"),
        (changed(INTO, ("witness/points", [[["0"]], [["0"]]])), "not the fixed point of its pair"),
        (changed(INTO, ("claim/hull", "true")), "exactly when"),
        (changed(INSIDE, ("claim/hull", "false")), "exactly when"),
        (changed(INSIDE, ("witness/coefficients/0/1", ["0", "1/2"])), "do not sum to 1"),
        (changed(INSIDE, ("witness/coefficients/0/1", ["0", "1"])), "not proved"),
        # invertibility
        (changed(HALVED, ("witness/tree", [])), "do not have the sign"),
        (changed(HALVED, ("witness/sign", "-1")), "do not have the sign"),
        (changed(HALVED, ("witness/sign", "0")), '"1" or "-1"'),
        (changed(HALVED, ("witness/tree", ["0", "0", [], []])), "from a vertex to itself"),
        (changed(HALVED, ("witness/tree", ["0", "1", []])), "length 4"),
        (changed(HALVED, ("claim/hull", "false")), "exactly when"),
        (changed("two invertible pairs", ("claim/hull", "true")), "exactly when"),
        (changed("two invertible pairs", ("switched/A/1", [["1"]])), "is zero for a pair"),
        (changed(MEAN, ("witness/weights", ["1", "0"])), "neither vanish"),
        (changed(MEAN, ("claim/hull", "false")), "not those of one pair"),
        (changed(BETWEEN, ("claim/hull", "false")), "not those of one pair"),
        (changed(BETWEEN, ("witness/other", ["3/4", "1/4"])), "neither vanish"),
        (changed(BETWEEN, ("witness/other", ...)), "neither vanish"),
        (changed(ONE, ("witness/weights", ["0", "1"])), "neither vanish"),
        # Clarke
        (changed(OUTSIDE, ("witness/direction", [["-1", "0"], ["0", "0"]])), "does not separate"),
        (changed(OUTSIDE, ("witness/direction", [["0", "0"], ["0", "1"]])), "does not separate"),
        (changed(OUTSIDE, ("witness/weights", ["1", *["0"] * 5])), "not the solution"),
        (changed(OUTSIDE, ("pieces/2/direction", None)), "has a weight"),
        (
            changed(OUTSIDE, ("map/next/0", SIX["map"]["next"][0] + " + Piecewise((0, x < 9), (1, True))")),
            "not proved to",
        ),
    ],
)
def test_a_false_certificate_is_refused(data: dict[str, Any], reason: str) -> None:
    assert_refused(data, reason)


def test_words_that_no_infinite_word_to_the_left_ends_with_need_a_core() -> None:
    """f_1(0) = 1 is in K, but the words 0, 1 0 and 1 1 send the ball around 0 of radius 10/19 into itself."""
    for wrong in ("10/19", "19/20"):
        witness = {
            **tree("9/10", "0", "1 0", "1 1"),
            **ball("0", wrong),
            "bounds": [bound(wrong, "")],
        }
        data = certificate(RESET, "piggyback_bounds", "proved", witness, directions=[rows("1")], upper=[wrong])
        with pytest.raises(Refused, match="without a core: backwards"):
            check(data)
        for core in (("10/19", "0"), ("10/19", "1/2"), ("10/19", "9/10"), ("0", "9/10"), ("1", "1")):
            with pytest.raises(Refused):
                check(replaced(data, ("witness", "core"), dict(zip(("radius", "growth"), core, strict=True))))


@pytest.mark.parametrize(
    ("part", "value", "reason"),
    [
        ("radius", "27/19", "moved too far"),
        ("core/growth", "8/10", "growth of the core is not proved"),
        ("core/growth", "-1", "growth negative"),
        ("core/growth", "1", "moved too far"),
        ("core/radius", "9/19", "moved too far"),
        ("core/radius", "2", "larger than the ball"),
        ("core/radius", "-1", "moved too far"),
    ],
)
def test_a_core_that_is_wrong_is_refused(part: str, value: str, reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        check(changed(CORE, (f"witness/{part}", value)))


# A piece without a direction may be none: nothing in the set may rest on it, nothing outside on its absence.

TWO = certificate(HALVING, "", "", {})  # x/2 + 1/3 and, undecided, x/2
ENDS = {"lower": "0", "upper": "2/3"}


@pytest.mark.parametrize(
    ("kind", "verdict", "witness", "claim", "reason"),
    [
        ("piggyback_interval", "proved", {**HALVES, **ENDS}, {}, "not the least and the greatest"),
        ("piggyback_interval", "proved", {**HALVES, "lower": "2/3", "upper": "2/3"}, {}, "not the least and the"),
        ("in_piggyback_set", "proved", {**HALVES, **point("1", "", "0")}, {"value": [["0"]]}, "without a direction"),
        ("in_piggyback_set", "proved", {**HALVES, **point("0", "1", "2/3")}, {"value": [["1/3"]]}, "without a dir"),
        ("in_piggyback_set", "proved", {**HALVES, **ENDS}, {"value": [["0"]], "hull": "true"}, "not the least"),
        (
            "in_piggyback_set",
            "proved",
            {**HALVES, "weights": ["0", "1"]},
            {"value": [["0"]], "hull": "true"},
            "has a weight",
        ),
        (
            "in_piggyback_set",
            "refuted",
            {**HALVES, **ball("1/3", "1/3"), **cells(c="-1")},
            {"value": [["0"]]},
            "on a cell",
        ),
        ("in_piggyback_set", "proved", {**HALVES, **point("0", "", "2/3")}, {"value": [["2/3"]]}, None),
        (
            "in_piggyback_set",
            "refuted",
            {**HALVES, **ball("1/3", "1/3"), **cells(c="-1")},
            {"value": [["-1/9"]]},
            None,
        ),
        (
            "piggyback_bounds",
            "refuted",
            {**HALVES, "index": "0", **point("1", "", "0")},
            {"upper": ["-1/2", "0"]},
            "without a direction",
        ),
        (
            "implicit_is_strict",
            "proved",
            {**HALVES, "word": ["0", "1"], "matrix": [["2/9"]]},
            {},
            "without a direction",
        ),
        ("implicit_is_strict", "refuted", {**HALVES, "points": [[["2/3"]], [["0"]]]}, {}, "out of the implicit set"),
        ("implicit_is_invertible", "refuted", {"weights": ["0", "1"]}, {}, "has a weight"),
        ("implicit_is_invertible", "proved", {"sign": "1", "tree": []}, {}, None),
    ],
)
def test_pieces_that_may_be_inactive(
    kind: str, verdict: str, witness: dict[str, Any], claim: dict[str, Any], reason: str | None
) -> None:
    data = {**TWO, **certificate(HALVING, kind, verdict, witness, **claim)}
    del data["start"]
    if reason is None:
        check(data)
        return
    with pytest.raises(Refused, match=reason):
        check(data)
    if verdict == "refuted" and kind != "in_piggyback_set":
        return
    short = replaced(data, ("pieces",), data["pieces"][:1])  # nor may the piece be left out
    with pytest.raises((Refused, Unreadable)):
        check(short)


def inside(data: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The places of all parts."""
    yield path
    for key, value in data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ():
        yield from inside(value, (*path, key))


@pytest.mark.parametrize("name", LIMITS)
def test_whatever_stands_in_a_place_is_refused_or_true(name: str) -> None:
    valid = LIMITS[name][0]
    for path in inside(valid):
        for other in (None, True, [], {}, "", "x", [["1"]]):
            data = replaced(valid, path, other)
            try:
                check(data)
            except (Refused, Unreadable):
                continue
            assert path == ("claim", "statement") or is_true(data), f"{path}: {other} was accepted"


@pytest.mark.parametrize("interval", [["1/3", "1/3"], ["0", "1/3"]])
def test_entries_between_bounds_are_refused_unless_they_are_numbers(interval: list[str]) -> None:
    data = changed(QUARTER, ("switched/A/0", [[interval]]))
    if interval[0] == interval[1]:
        check(data)
        return
    with pytest.raises(Refused, match="known only between bounds"):
        check(data)


def test_graphs_and_maps_without_parameters_are_refused() -> None:
    with pytest.raises(Unreadable, match="unknown key `graph`"):
        check(changed(QUARTER, ("switched/graph", [["0", "0", "0"], ["0", "1", "0"]])))
    still = one_map("x", "", "x/2", at={}, fixed_point={"x": "0"}, pieces=[piece([["1/2"]], [[]], "1")])
    witness = {**tree("1/2", "0"), **point("0", "", "0")}
    with pytest.raises(Refused, match="no parameters"):
        check(certificate(still, "in_piggyback_set", "proved", {**witness, "matrix": [[]]}, value=[[]]))
    check(certificate(still, "implicit_is_invertible", "proved", {"sign": "1", "tree": []}))


def test_too_much_work_is_refused_in_time() -> None:
    deep: list[Any] = []
    for _ in range(300):
        deep = ["0", "1", deep, []]
    assert_refused(changed(HALVED, ("witness/tree", deep)), "nested more than 200 deep")
    twelve = ";".join([" ".join(["1/20"] * 12)] * 12)
    many = pairs(*[(twelve, ";".join(["0"] * 12))] * 12)
    with pytest.raises(Refused, match="more than 20000 terms"):
        check(certificate(many, "implicit_is_invertible", "proved", {"sign": "1", "tree": []}))
    with pytest.raises(Refused, match="more than 100000 shorter words"):
        check(changed(STRICT, ("witness/word", ["1", "0"] * 9)))
    with pytest.raises(Unreadable, match="too long"):
        check(changed(QUARTER, ("witness/word", ["0", "1"] * 5001)))

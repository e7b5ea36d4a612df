"""Forged certificates of cycles are refused, whoever wrote them."""

import pytest

from piggycheck.checker import Refused, Unreadable, check

BALL = [
    "13*x/9 - 4*x_previous/9 - Piecewise((25*x, x < 1), (x + 24, x < 2), (25*x - 24, True))/9",
    "x",
]
POINTS = [["-2208/1225", "792/1225"], ["2592/1225", "-2208/1225"], ["792/1225", "2592/1225"]]
SADDLE = [["-2208/1367", "792/1367"], ["2592/1367", "-2208/1367"], ["792/1367", "2592/1367"]]


def certificate(claim, witness, state=("x", "x_previous"), next_=BALL, verdict="proved", **parts):
    return {
        "format": "piggycheck-certificate/1",
        "claim": {"kind": "cycle", "verdict": verdict, "statement": "", **claim},
        "map": {"state": list(state), "parameters": [], "next": list(next_)},
        "at": {},
        "witness": witness,
        **parts,
    }


def tent(claim, witness, verdict="proved"):
    return certificate(claim, witness, ["x"], ["Min(2*x, 2 - 2*x)"], verdict)


def logistic(claim, witness, verdict="proved", factor="4"):
    return certificate(claim, witness, ["x"], [f"{factor}*x*(1 - x)"], verdict)


def points(rows, **more):
    return {"method": "points", "points": rows, **more}


def refuses(content, reason, error=Refused):
    with pytest.raises(error, match=reason):
        check(content)


def test_true_ones_hold():
    three = {"period": "3", "attracting": "true"}
    assert "an attracting cycle of period 3" in check(certificate(three, points(POINTS)))
    assert "one of 2, and there are no others" in check(certificate(three, points(POINTS, others=[SADDLE])))
    assert "there is no cycle of period 4" in check(
        certificate({"period": "4"}, {"method": "words"}, verdict="refuted")
    )


@pytest.mark.parametrize(
    "rows, period",
    [
        ([["2/3"], ["2/3"]], "2"),
        ([["2/5"], ["4/5"], ["2/5"], ["4/5"]], "4"),
        ([["2/5"], ["2/5"]], "2"),
        ([["4/5"], ["2/3"]], "2"),
        ([["1/7"], ["2/7"]], "2"),
    ],
)
def test_points_that_are_no_cycle_of_the_minimal_period(rows, period):
    refuses(tent({"period": period}, points(rows)), "not a cycle of this period")


def test_the_number_of_points_is_the_period():
    refuses(tent({"period": "3"}, points([["2/5"], ["4/5"]])), "not a list of length 3", Unreadable)


def test_a_repelling_cycle_called_attracting():
    refuses(tent({"period": "2", "attracting": "true"}, points([["2/5"], ["4/5"]])), "claimed character")
    refuses(certificate({"period": "3", "attracting": "true"}, points(SADDLE)), "claimed character")


def test_an_attracting_cycle_called_not_attracting():
    refuses(certificate({"period": "3", "attracting": "false"}, points(POINTS)), "claimed character")
    lower = points(POINTS, modulus_lower="1")
    refuses(certificate({"period": "3", "attracting": "false"}, lower), "smaller than its lower bound")
    too_low = points(POINTS, modulus_lower="1/4")
    refuses(certificate({"period": "3", "attracting": "false"}, too_low), "does not say")


def test_a_point_on_a_guard_has_no_character():
    kink = certificate({"period": "1", "attracting": "true"}, points([["0"]]), ["x"], ["Abs(x)/2"])
    refuses(kink, "on a guard")


def test_a_guard_between_equal_branches_does_not_matter():
    """The branch of 0 alone has the value of the others: x/2 everywhere, and the open set is an interval."""
    claim = {"period": "1", "attracting": "true"}
    for next_ in ("Piecewise((x/2, x > 0), (x/2, True))", "Piecewise((0, x <= 0), (x - x, True))"):
        assert "an attracting cycle" in check(certificate(claim, points([["0"]]), ["x"], [next_]))
    next_ = ["Piecewise((x/2, x > 0), (x/3, x > -1), (x/3, True))"]
    refuses(certificate(claim, points([["0"]]), ["x"], next_), "on a guard")
    other = ["Piecewise((x/2, x > 0), (Piecewise((x/2, x > -1), (2, True)), True))"]
    basin = points([["0"]], basin={"P": [["1"]], "level": "99/100"})
    assert "an attracting cycle" in check(certificate(claim, basin, ["x"], other))
    refuses(certificate(claim, {**basin, "basin": {"P": [["1"]], "level": "1"}}, ["x"], other), "may vanish")


def test_a_neutral_fixed_point_of_a_curved_map_has_no_character():
    for attracting in ("true", "false"):
        claim = {"period": "1", "attracting": attracting}
        refuses(certificate(claim, points([["0"]]), ["x"], ["x - x**3"]), "not affine")
    claim = {"period": "1", "attracting": "false"}
    refuses(certificate(claim, points([["0"]], modulus_lower="1"), ["x"], ["x - x**3"]), "does not say")


def test_a_list_of_all_cycles_that_lacks_or_repeats_one():
    three = {"period": "3"}
    refuses(certificate(three, points(POINTS, others=[])), "not listed")
    refuses(certificate(three, points(POINTS, others=[SADDLE, SADDLE])), "listed twice")
    refuses(certificate(three, points(POINTS, others=[POINTS[1:] + POINTS[:1]])), "listed twice")


def test_cycles_that_exist_are_not_excluded():
    refuses(certificate({"period": "3"}, {"method": "words"}, verdict="refuted"), "is a cycle")
    claim = {"period": "3", "attracting": "true"}
    refuses(certificate(claim, {"method": "words"}, verdict="refuted"), "is such a cycle")
    refuses(tent({"period": "2", "point": {"x": "2/5"}}, {"method": "iterates"}, "refuted"), "is on a cycle")
    refuses(tent({"period": "2"}, {"method": "iterates"}, "refuted"), "missing", Unreadable)


def test_a_continuum_is_not_excluded():
    turn = certificate({"period": "2"}, {"method": "words"}, ["x"], ["-x"], "refuted")
    refuses(turn, "continuum")
    assert "no cycle" in check(certificate({"period": "4"}, {"method": "words"}, ["x"], ["-x"], "refuted"))


def test_curved_pieces_are_not_excluded_as_if_they_were_affine():
    refuses(logistic({"period": "2"}, {"method": "words"}, "refuted"), "not affine")


@pytest.mark.parametrize(
    "basin, reason",
    [
        ({"P": [["1", "0"], ["0", "1"]], "level": "1/137"}, "does not decrease"),
        ({"P": [["-1", "0"], ["0", "1"]], "level": "1/137"}, "not positive definite"),
        ({"P": [["1", "81/200"], ["2/5", "97/250"]], "level": "1/137"}, "not positive definite"),
        ({"P": [["1", "81/200"], ["81/200", "97/250"]], "level": "1/10"}, "guard may vanish"),
        ({"P": [["1", "81/200"], ["81/200", "97/250"]], "level": "0"}, "not positive"),
    ],
)
def test_sets_of_starts_that_prove_nothing(basin, reason):
    refuses(certificate({"period": "3"}, points(POINTS, basin=basin)), reason)


def test_starts_that_do_not_lead_there():
    basin = {"P": [["1", "81/200"], ["81/200", "97/250"]], "level": "1/137"}
    claim = {"period": "3", "from_start": "true"}
    start = {"x": "3", "x_previous": "3"}
    for k in ("0", "7", "30"):
        refuses(certificate(claim, points(POINTS, basin=basin, entry=k), start=start), "not in the ellipsoid")
    refuses(certificate(claim, points(POINTS, basin=basin), start=start), "not shown")
    refuses(certificate(claim, points(POINTS, entry="7"), start=start), "without `basin`", Unreadable)
    refuses(certificate(claim, points(POINTS, basin=basin, entry="7")), "`start` is missing", Unreadable)


FIVES = [["69/200", "7/20"], ["9/10", "91/100"]]
"""Around (5 - sqrt 5)/8 and (5 + sqrt 5)/8."""


def test_irrational_cycles_are_held_by_intervals():
    assert "one cycle of period 2" in check(logistic({"period": "2"}, {"method": "roots", "points": FIVES}))
    claim = {"period": "2", "attracting": "false"}
    check(logistic(claim, {"method": "roots", "points": FIVES}))


@pytest.mark.parametrize(
    "rows, reason",
    [
        ([["69/200", "7/20"], ["69/200", "7/20"]], "not apart"),
        ([["0", "1/10"], ["9/10", "91/100"]], "exactly one point"),
        ([["7/10", "4/5"], ["9/10", "91/100"]], "exactly one point"),
        ([["0", "49/100"], ["1/2", "1"]], "image"),
    ],
)
def test_intervals_that_hold_no_cycle(rows, reason):
    refuses(logistic({"period": "2"}, {"method": "roots", "points": rows}), reason)


def test_roots_do_not_show_what_is_false():
    claim = {"period": "2", "attracting": "true"}
    refuses(logistic(claim, {"method": "roots", "points": FIVES}), "claimed character")
    for period in ("2", "3", "4"):
        refuses(logistic({"period": period}, {"method": "roots"}, "refuted"), "points of this period")
    refuses(logistic({**claim, "attracting": "false"}, {"method": "roots"}, "refuted"), "points of this period")
    assert "no such cycle" in check(logistic({"period": "2"}, {"method": "roots"}, "refuted", "3"))
    assert "no such cycle" in check(logistic(claim, {"method": "roots"}, "refuted"))
    attracting = logistic(claim, {"method": "roots"}, "refuted", "16/5")  # between 3 and 1 + sqrt 6
    refuses(attracting, "points of this period")


def test_roots_are_of_one_polynomial():
    refuses(tent({"period": "2"}, {"method": "roots"}, "refuted"), "one polynomial")
    refuses(certificate({"period": "2"}, {"method": "roots"}, ["x"], ["exp(x)"], "refuted"), "one polynomial")
    refuses(certificate({"period": "2"}, {"method": "roots"}, verdict="refuted"), "more than one variable")
    refuses(certificate({"period": "2"}, {"method": "roots"}, ["x"], ["-x"], "refuted"), "every point returns")

"""Convergence from every start, against closed forms, computation by hand, and simulation."""

import random
import re
from fractions import Fraction

import pytest
import sympy as sp
from certificate_helper import assert_certified, changed_numbers, holds, proved, refuted, undecided

from piggycheck import checker
from piggycheck.algorithms import gradient_descent, heavy_ball
from piggycheck.case import read_case
from piggycheck.claims import Converges, Diverges, IteratesConverge, prove
from piggycheck.errors import InputError
from piggycheck.expression import parse
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.render import html, latex
from piggycheck.render.text import report
from piggycheck.switched import SwitchedSystem

x, y, theta = sp.symbols("x y theta", real=True)
TWO_SLOPES = "Piecewise((x**2/2, x >= 0), (x**2/8, True))"
SEPARABLE = f"{TWO_SLOPES} + Piecewise((y**2/4, y >= 1), (y**2/2 - y/2 + 1/4, True))"
ROTATED = "x**2/2 + Piecewise(((3*x + 4*y)**2/50, 3*x + 4*y >= 0), ((3*x + 4*y)**2/100, True))"
AT = {"theta": 0}


def ball(objective, step, momentum, variables=("x",)):
    return heavy_ball(objective, list(variables), step, momentum, parameters=["theta"])


def descent(objective, step, variables=("x",)):
    return gradient_descent(objective, list(variables), step, parameters=["theta"])


def on_the_line(expression):
    return Iteration(SymbolicMap([x], [expression], [theta]))


CASES = {
    "energy": ball(TWO_SLOPES, "1/4", "3/4"),
    "energy in two variables": ball(SEPARABLE, "1/4", "1/2", "xy"),
    "energy without momentum": descent(TWO_SLOPES, "3/2"),
    "contraction": Iteration(SymbolicMap([x, y], [x / 2 + 3 * abs(y - 1), y / 2], [theta])),
    "polygon": ball(TWO_SLOPES, 1, "3/4"),
    "possible words": descent(TWO_SLOPES, 3),
    "cycle": descent(TWO_SLOPES, 5),
    "ray": descent(TWO_SLOPES, 9),
}


def converges(content):
    """In floating point, from some starts."""
    names = [sp.Symbol(name, real=True) for key in ("state", "parameters") for name in content["map"][key]]
    step = sp.lambdify(names, [parse(text, names) for text in content["map"]["next"]], "math")
    at = [float(Fraction(text)) for text in content["at"].values()]
    fixed = [float(Fraction(text)) for text in content["fixed_point"].values()]
    dice = random.Random(1)
    for scale in (0.1, 10.0, 10.0, 1000.0):
        point = [c + scale * dice.uniform(-1, 1) for c in fixed]
        for _ in range(1500):
            point = step(*point, *at)
            if max(map(abs, point)) > 1e9:
                return False
        if max(abs(a - b) for a, b in zip(point, fixed, strict=True)) > 1e-3 * scale:
            return False
    return True


def returns(content):
    """Exactly."""
    names = [sp.Symbol(name, real=True) for key in ("state", "parameters") for name in content["map"][key]]
    following = [parse(text, names) for text in content["map"]["next"]]
    at = [sp.Rational(text) for text in content["at"].values()]
    start = [sp.Rational(text) for text in content["witness"]["point"].values()]
    point = start
    for _ in range(int(content["witness"]["period"])):
        values = dict(zip(names, [*point, *at], strict=True))
        point = [e.subs(values) for e in following]
    fixed = [sp.Rational(text) for text in content["fixed_point"].values()]
    factor = sp.Rational(content["witness"].get("multiplier", "1"))
    return factor >= 1 and start != fixed and point == [c + factor * (s - c) for c, s in zip(fixed, start, strict=True)]


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(name):
    content = assert_certified(prove(IteratesConverge(), CASES[name], AT))
    true = returns if name in ("cycle", "ray") else converges
    assert content["witness"]["method"] == ("energy" if "energy" in name else name.replace(" ", "_"))
    assert true(content), "the certificate as it is"
    noticed = 0
    for path, changed in changed_numbers(content):
        if holds(changed):
            assert true(changed), f"{path} was changed"
        else:
            noticed += 1
    assert noticed > 3


def test_the_second_view_is_no_rubber_stamp():
    content = assert_certified(prove(IteratesConverge(), CASES["cycle"], AT))
    assert not converges(content)
    assert not returns({**content, "witness": {**content["witness"], "period": "1"}})


# -- the energy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("momentum", ["0", "1/2", "9/10"])
def test_the_energy_proves_all_steps_below_its_bound(momentum):
    """2 (1 - momentum) / L, with L = 1 for the slopes 1 and 1/4."""
    bound = 2 * (1 - Fraction(momentum))
    for step in (Fraction(1, 1000), bound - Fraction(1, 1000)):
        iteration = ball(TWO_SLOPES, str(step), momentum) if momentum != "0" else descent(TWO_SLOPES, str(step))
        value = proved(IteratesConverge(), iteration, AT).value
        assert value == {"method": "energy", "momentum": momentum, "limit": str(bound)}


def test_at_and_beyond_its_bound_the_energy_proves_nothing():
    """Quadratic heavy balls converge for steps below 2 (1 + momentum) = 3, at which they have a cycle of period 2."""
    assert proved(IteratesConverge(), ball("x**2/2", 1, "1/2"), AT).value["method"] == "contraction"
    assert proved(IteratesConverge(), ball("x**2/2", "29/10", "1/2"), AT).value["method"] == "contraction"
    assert refuted(IteratesConverge(), ball("x**2/2", 3, "1/2"), AT).value["period"] == 2
    undecided(IteratesConverge(), ball("x**2/2", 4, "1/2"), AT, time_limit=0.5)  # (5 +- sqrt(17))/4 is irrational


def test_a_rotated_function_has_its_own_bound():
    """The Jacobian e e^T + v v^T with v = (3, 4)/5 has the eigenvalues 1 +- 3/5: descent converges below 2 / (8/5)."""
    assert proved(IteratesConverge(), descent(ROTATED, "1249/1000", "xy"), AT).value["method"] == "energy"
    assert proved(IteratesConverge(), ball(ROTATED, "624/1000", "1/2", "xy"), AT).value["method"] == "energy"
    whole = "x**2/2 + (3*x + 4*y)**2/50"
    assert refuted(IteratesConverge(), descent(whole, "5/4", "xy"), AT).value["period"] == 2
    at_bound = proved(IteratesConverge(), ball(whole, "625/1000", "1/2", "xy"), AT)
    assert at_bound.value["method"] == "contraction", "the step is the bound 2 (1 - 1/2) / (8/5)"


def test_a_function_that_is_flat_on_one_side_is_not_proved():
    """All points x <= 0 are fixed."""
    flat = descent("Piecewise((x**2/2, x >= 0), (0, True))", "1/2")
    value = refuted(IteratesConverge(), flat, AT).value
    assert value["period"] == 1 and Fraction(value["point"]["x"]) < 0


def test_a_gradient_must_be_symmetric_but_pieces_may_contract_without():
    turning = Iteration(SymbolicMap([x, y], [x / 2 + y / 4 + abs(y) / 8, y / 2 - x / 4], [theta]))
    assert proved(IteratesConverge(), turning, AT).value["method"] == "contraction"


# -- pieces away from the fixed point ---------------------------------------------------------------------------------


def test_a_piece_far_from_the_fixed_point_matters():
    """-x/2 near 0; beyond 1 the slope is -2, and x -> -(2x - 3/2) exchanges 3/2 and -3/2."""
    far = sp.Piecewise((-2 * x + sp.Rational(3, 2), x > 1), (-2 * x - sp.Rational(3, 2), x < -1), (-x / 2, True))
    value = refuted(IteratesConverge(), on_the_line(far), AT).value
    assert value == {"point": {"x": "-3/2"}, "period": 2}


@pytest.mark.parametrize(
    ("expression", "period", "multiplier"),
    [(-2 * x, 2, "4"), (sp.Max(2 * x, -x / 4), 1, "2"), (2 * x + 1, 1, "2"), (x, 1, None)],
)
def test_iterates_that_grow_along_a_ray_refute(expression, period, multiplier):
    value = refuted(IteratesConverge(), on_the_line(expression), AT).value
    assert (value["period"], value.get("multiplier")) == (period, multiplier)


def test_another_fixed_point_refutes():
    """max(x/2, 2x - 1) rests at 0 and at 1."""
    assert refuted(IteratesConverge(), on_the_line(sp.Max(x / 2, 2 * x - 1)), AT).value["period"] == 1
    with_start = Iteration(SymbolicMap([x], [sp.Max(x / 2, 2 * x - 1)], [theta]), [theta])
    assert refuted(IteratesConverge(), with_start, AT).value == {"point": {"x": "1"}, "period": 1}


def test_of_several_fixed_points_that_of_the_start_is_meant():
    """It is sqrt(2), so a certificate, of rational numbers, cannot name it."""
    expression = x - x * (x**2 - 2) * (x - 1) / 9
    verdict = undecided(IteratesConverge(), Iteration(SymbolicMap([x], [expression], [theta]), [2]), AT)
    assert "sqrt(2)" in verdict.statement and "`sqrt(2)` is not rational" in verdict.reason


@pytest.mark.parametrize(
    ("expression", "verdict"),
    [
        ("Piecewise((3*x, x > 1), (3*x, True))", "refuted"),
        ("x/2 + Piecewise((Abs(x), x*(x - 1) > 0), (Abs(x), True))/3", "proved"),
        ("x/4 + Piecewise((x/2, x**2 >= 0), (x, True))", "undecided"),
        ("x/4 + Piecewise((x/2, (x - 1)**2 + 1 > 0), (theta, True))", "undecided"),
    ],
)
def test_a_guard_on_which_nothing_depends(expression, verdict):
    """Where both cases are the same it does not count; that one is never taken is not seen."""
    found = prove(IteratesConverge(), on_the_line(parse(expression, [x, theta])), AT)
    assert found.name == verdict
    if verdict != "undecided":
        assert_certified(found)


def test_the_heavy_ball_of_the_paper_converges_from_every_start():
    """Its recursion diverges along 0 0 1 1, which its iterates cannot repeat."""
    verdict = proved(IteratesConverge(), ball(TWO_SLOPES, 1, "3/4"), AT)
    assert verdict.value["method"] == "polygon"
    memory = proved(Converges(words="realisable"), ball(TWO_SLOPES, 1, "3/4"), AT).value["memory"]
    assert memory == 3, "which proves the same, by possible words"


def test_random_members_that_are_proved_converge():
    dice, seen = random.Random(3), set()
    for _ in range(12):
        slope, momentum = Fraction(dice.randint(1, 9), 10), Fraction(dice.randint(0, 8), 10)
        step = Fraction(dice.randint(1, 45), 10)
        objective = f"Piecewise((x**2/2, x >= 0), ({slope}*x**2/2, True))"
        verdict = prove(IteratesConverge(), ball(objective, str(step), str(momentum)), AT, time_limit=0.3)
        seen.add(verdict.name)
        if verdict.name != "undecided":
            content = assert_certified(verdict)
            assert converges(content) == (verdict.name == "proved"), (slope, momentum, step)
    assert "proved" in seen


# -- what is left open, and input that makes no sense -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (x / 2 + x**3 / 5 - x**5, "fixed points|not affine"),
        (sp.Piecewise((x / 2, x <= 1), (x / 3, True)), "not continuous"),
        (abs(x) + 1, "no fixed point"),
        (sp.Piecewise((x / 2, x < 1), (x / 3, x < 2)), "no branch of a Piecewise"),
        (sp.Piecewise((x / 2, x**3 < 1), (sp.Rational(1, 2), True)), "`x\\*\\*3 - 1` is not affine in x"),
        (x / sp.sqrt(5), "is not affine in x with rational coefficients"),
        (x / 2 + sp.sqrt(2), "`2\\*sqrt\\(2\\)` is not rational"),
    ],
)
def test_what_is_not_proved_is_undecided(expression, reason):
    assert re.search(reason, undecided(IteratesConverge(), on_the_line(expression), AT, time_limit=0.5).reason)


def test_cases_that_are_missing_at_other_parameters_are_asked_for_by_words_alone():
    """At theta = 0 the cases cover the line; for theta > 0 they leave a gap."""
    steep, flat = (sp.Piecewise((x / 4, x > theta), (c * x, x <= -theta), evaluate=False) for c in (-3, 1 / sp.S(3)))
    assert proved(IteratesConverge(), on_the_line(flat), AT).value["method"] == "energy"
    assert "no branch of a Piecewise" in undecided(IteratesConverge(), on_the_line(steep), AT).reason


def test_a_switched_system_has_no_iterates():
    with pytest.raises(InputError, match="`iterates_converge` is about a map"):
        prove(IteratesConverge(), SwitchedSystem.from_rows([[["1/2"]]]))


def test_a_case_states_the_claim_without_numbers():
    text = '[map]\nstate = ["x"]\nnext = ["x/2"]\n[[claim]]\nkind = "iterates_converge"\n'
    assert read_case(text).claims == (IteratesConverge(),)
    with pytest.raises(InputError, match="unknown key `rate`; known are none$"):
        read_case(text + 'rate = "1/2"\n')


# -- certificates that are false --------------------------------------------------------------------------------------


def certificate(next_, state=("x",), fixed=None, **witness):
    return {
        "format": "piggycheck-certificate/1",
        "claim": {"kind": "iterates_converge", "verdict": "proved", "statement": ""},
        "map": {"state": list(state), "parameters": ["theta"], "next": list(next_)},
        "at": {"theta": "0"},
        "fixed_point": dict.fromkeys(state, "0") if fixed is None else fixed,
        "witness": witness,
    }


ENERGY = {"method": "energy", "momentum": "0", "previous": {}}
MOVING = {"method": "energy", "momentum": "1/2", "previous": {"x": "y"}}
HALF = {"method": "word_tree", "rate": "1/2", "P": [["1"]], "words": [["0"]]}
ONE_PIECE = {"method": "contraction", "matrices": [[["1/2"]]], "proof": HALF}


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (certificate(["-x"], **ENERGY), "not below 2"),
        (certificate(["x"], **ENERGY), "not positive definite"),
        (certificate(["2*x"], **ENERGY), "not positive definite"),
        (certificate(["Piecewise((x/2, x <= 1), (x/3, True))"], **ENERGY), "not proved to be continuous"),
        (certificate(["Piecewise((x/2, x <= 1), (1/2, x > 1))"], **ENERGY), None),
        (certificate(["Piecewise((x/2, x <= 1), (2*x - 3/2, True))"], **ENERGY), "not positive definite"),
        (certificate(["x/2 + y/9", "y/2"], "xy", **ENERGY), "not symmetric"),
        (certificate(["x/2 + x**3"], **ENERGY), "not affine"),
        (certificate(["3*x/4 - y/2", "y"], "xy", **MOVING), "next `y` is not `x`"),
        (certificate(["3*x/4 + y/2", "x"], "xy", **MOVING), "minus the momentum"),
        (certificate(["3*x/2 - y/2", "x"], "xy", **MOVING), "not positive definite"),
        (certificate(["x/2 - y/2", "x"], "xy", **MOVING), "not below 2"),
        (certificate(["x/2 - y/2", "x + 0*y"], "xy", **{**MOVING, "momentum": "1"}), "momentum is not"),
        (certificate(["x/2 - y/2", "x"], "xy", **{**MOVING, "previous": {}}), "no previous iterate"),
        (certificate(["x/2 - y/2", "x"], "xy", **{**MOVING, "previous": {"x": "x"}}), "does not name every"),
        (certificate(["x/2"], fixed={"x": "1"}, **ENERGY), "not fixed"),
        (certificate(["Max(x/2, 2*x - 1)"], **ONE_PIECE), "not in the list"),
        (certificate(["x/2"], **{**ONE_PIECE, "proof": {**HALF, "rate": "1/3"}}), "not proved along"),
        (
            certificate(["x"], method="contraction", matrices=[[["1"]]], proof={**HALF, "rate": "1"}),
            "not below 1",
        ),
    ],
)
def test_a_false_certificate_is_refused(content, reason):
    if reason is None:
        reason = "not positive definite|not below 2|not symmetric"
        content["map"]["next"] = ["Piecewise((x/2, x <= 1), (3/2 - x, True))"]
    with pytest.raises(checker.Refused, match=reason):
        checker.check(content)


def test_guards_must_pass_through_the_fixed_point():
    """The words at 0 are those of x/2 alone, but beyond 1 the map grows."""
    content = certificate(
        ["Piecewise((x/2, x <= 1), (2*x - 3/2, True))"],
        method="possible_words",
        graph=[["0", "0", "0"]],
        memory="1",
        proof=HALF,
    )
    content["pieces"] = [{"A": [["1/2"]], "B": [["0"]], "direction": ["1", "0"]}]
    with pytest.raises(checker.Refused, match="does not pass through"):
        checker.check(content)
    content["map"]["next"] = ["x/2"]
    assert "from every start" in checker.check(content)


HALVED = ["x/2", "y/2"]
SQUARE = [["1", "1"], ["-1", "1"], ["-1", "-1"], ["1", "-1"]]
NOTCHED = [["4", "0"], ["1/2", "1/2"], ["0", "4"], ["-4", "0"], ["0", "-4"]]


def of_the_plane(next_, corners):
    """A certificate of a map that fixes 0, by a polygon."""
    content = certificate(["x"], method="polygon", corners=corners)
    content["map"] |= {"state": ["x", "y"], "next": next_}
    content["fixed_point"] = {"x": "0", "y": "0"}
    return content


@pytest.mark.parametrize(
    ("next_", "corners", "reason"),
    [
        (HALVED, SQUARE, ""),
        (["-3*x/4", "-3*y/4"], SQUARE, ""),
        (["-3*x/4", "-3*y/4"], NOTCHED, "edge that ends in corner 4"),
        (["-x/5", "-y/5"], NOTCHED, ""),
        (["-x/4", "-y/4"], NOTCHED, "edge that ends in corner 4"),
        (["x", "y/2"], SQUARE, "corner 0 is not sent"),
        (["x/2", "-y"], SQUARE, "corner 0 is not sent"),
        (HALVED, SQUARE[::-1], "once, counterclockwise"),
        (HALVED, [*SQUARE, *SQUARE], "once, counterclockwise"),
        (HALVED, SQUARE[:3], "once, counterclockwise"),
        (HALVED, [["1", "0"], ["0", "1"], ["-1", "1"]], "once, counterclockwise"),
        (["Piecewise((x/2, x >= 0), (-3*x, True))", "y/2"], SQUARE, "a kink is between"),
        (
            ["Piecewise((x/2, x >= 0), (-x/3, True))", "y/2"],
            [*SQUARE[:1], ["0", "1"], *SQUARE[1:]],
            "a kink is between",
        ),
        (["Piecewise((x/2, x >= y), (y/2, True))", "y/2"], SQUARE, ""),
        (["Piecewise((x/2, x >= 0), (x/3, True))", "Piecewise((y/2, x >= 0), (y/3, True))"], SQUARE, "continuous"),
        (["Piecewise((x/2, x <= 5), (2*x - 15/2, True))", "y/2"], SQUARE, "does not pass through"),
        (["x/2 + x**3", "y/2"], SQUARE, "not affine"),
    ],
)
def test_a_polygon_is_looked_at_again(next_, corners, reason):
    content = of_the_plane(next_, corners)
    if not reason:
        assert "sent into its interior" in checker.check(content)
        return
    with pytest.raises(checker.Refused, match=reason):
        checker.check(content)


@pytest.mark.parametrize("corners", [SQUARE[:2], [], [["1", "1", "1"]] * 4, [["1", "x"]] * 4, "1"])
def test_a_polygon_that_cannot_be_read(corners):
    with pytest.raises(checker.Unreadable):
        checker.check(of_the_plane(HALVED, corners))


def test_a_polygon_of_another_heavy_ball_is_refused():
    """With step 13/4 and slopes 1 and 1/3 iterates grow along a ray."""
    content = proved(IteratesConverge(), ball(TWO_SLOPES, 1, "3/4"), AT).certificate.content
    other = proved(Diverges(), ball("Piecewise((x**2/2, x >= 0), (x**2/6, True))", "13/4", "3/4"), AT)
    assert not holds({**content, "map": other.certificate.content["map"]})


@pytest.mark.parametrize(
    ("point", "period", "reason"), [("0", "1", "is the fixed point"), ("1", "1", "do not return"), ("1", "2", "")]
)
def test_a_cycle_is_followed(point, period, reason):
    content = certificate(["-x"], method="cycle", point={"x": point}, period=period)
    content["claim"]["verdict"] = "refuted"
    if not reason:
        assert "never converge" in checker.check(content)
        return
    with pytest.raises(checker.Refused, match=reason):
        checker.check(content)


@pytest.mark.parametrize(
    ("next_", "witness", "reason"),
    [
        ("-x/2", {"period": "2", "multiplier": "1/4"}, "multiplier is below 1"),
        ("2*x", {"period": "1", "multiplier": "3"}, "do not return"),
        ("Piecewise((2*x, x <= 3), (6, True))", {"period": "1", "multiplier": "2"}, "does not pass through"),
        ("x + x**2", {"period": "1", "multiplier": "2"}, "not affine"),
        ("2*x", {"period": "1", "multiplier": "2"}, ""),
    ],
)
def test_a_ray_needs_cones(next_, witness, reason):
    content = certificate([next_], method="ray", point={"x": "1"}, **witness)
    content["claim"]["verdict"] = "refuted"
    if not reason:
        assert "never converge" in checker.check(content)
        return
    with pytest.raises(checker.Refused, match=reason):
        checker.check(content)


# -- what reports say -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("energy", "An energy that decreases"),
        ("contraction", "The pieces on the whole space"),
        ("polygon", "A polygon that shrinks"),
        ("possible words", "The pieces are cones"),
        ("cycle", "Iterates that do not converge to it"),
        ("ray", "Iterates that do not converge to it"),
    ],
)
def test_reports_tell_the_proof(name, said):
    verdict = prove(IteratesConverge(), CASES[name], AT)
    for written in (report(verdict), latex([verdict]), html([verdict])):
        assert said in written
        assert "None" not in written

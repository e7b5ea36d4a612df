"""Claims about iterates and flows away from the fixed point, against simulation and computation by hand."""

import json
from fractions import Fraction

import pytest
import sympy as sp
from certificate_helper import assert_certified, assert_changes_matter, holds, proved, refuted, undecided
from trajectories_certificates import CASES, SKEW, TRUE, descent, tent

from piggycheck.claims import DerivativesDivergeEverywhere, FlowCycle, IteratesConvergeUniformly, prove
from piggycheck.errors import InputError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

x, y, theta, phi = sp.symbols("x y theta phi", real=True)
UNIT = {"theta": [0, 1]}
AT = {"theta": "1/3"}


@pytest.mark.parametrize("name", CASES)
def test_a_changed_number_is_noticed_or_leaves_the_claim_true(name):
    claim, subject, at = CASES[name]
    content = assert_certified(prove(claim, subject, at))
    true = TRUE[claim.kind, content["claim"]["verdict"]]
    assert_changes_matter(content, lambda changed: true(changed, changed["claim"]), least=4)


def test_the_second_view_is_no_rubber_stamp():
    content = assert_certified(prove(*CASES["uniform proved"]))
    assert not TRUE["iterates_converge_uniformly", "proved"](
        {**content, "witness": {**content["witness"], "rate": "1/2"}}, {"over": {"theta": ["0", "1"]}}
    )
    content = assert_certified(prove(*CASES["flow cycle proved"]))
    moved = [[["1", "1"], ["1", "1"]], content["witness"]["crossings"][1]]
    assert not TRUE["flow_cycle", "proved"]({**content, "witness": {**content["witness"], "crossings": moved}}, {})


# -- uniform convergence ----------------------------------------------------------------------------------------------


def test_the_shrinking_tent_converges_at_two_thirds_from_all_its_starts():
    """0 <= u_k <= v_k = (2/3)^k, and theta = 0, u_k = 0 shows that v alone attains the bound."""
    value = proved(IteratesConvergeUniformly(UNIT), tent(), AT).value
    assert value == {"rate": "2/3", "constant": "1"}


def test_a_rate_below_the_true_one_is_not_proved():
    undecided(IteratesConvergeUniformly(UNIT, rate="1/2"), tent(), AT)


def test_a_box_beyond_the_tent_is_not_proved():
    """From theta = 2 the next u is 4/3 (1 - 2) < 0, and from there on u grows by 4/3."""
    undecided(IteratesConvergeUniformly({"theta": [0, 2]}), tent(), AT)


@pytest.mark.parametrize("ends", [("0", "1"), ("1/2", "1")])
def test_another_fixed_point_in_the_box_refutes(ends):
    """max(x/2, 2x - 1) rests at 0 and at 1."""
    iteration = Iteration(SymbolicMap([x], [sp.Max(x / 2, 2 * x - 1)], [theta]), [theta])
    verdict = refuted(IteratesConvergeUniformly({"theta": list(ends)}), iteration, AT)
    assert verdict.value == {"at": {"theta": "1"}, "period": 1}
    value = proved(IteratesConvergeUniformly({"theta": ["0", "1/2"]}), iteration, AT).value
    assert value == {"rate": "1/2", "constant": "1/2"}


def test_a_cycle_in_the_box_refutes():
    """-x with |x| cut at 1: every start in [-1, 1] but 0 has period 2, and the corner 1 is tried."""
    iteration = Iteration(SymbolicMap([x], [-sp.Max(sp.Min(x, 1), -1)], [theta]), [theta])
    assert refuted(IteratesConvergeUniformly(UNIT), iteration, {"theta": 0}).value["period"] == 2


@pytest.mark.parametrize(
    "following, start, rate",
    [
        ([x / 2], [theta], "1/2"),
        ([sp.Max(x / 2, -x / 3)], [theta - phi], "1/2"),
        ([sp.Piecewise((x / 2, sp.Abs(x) < 3), (2 * x, True))], [sp.Abs(theta) + phi], "1/2"),
    ],
)
def test_lines_and_symmetric_boxes(following, start, rate):
    iteration = Iteration(SymbolicMap([x], following, [theta, phi]), start)
    claim = IteratesConvergeUniformly({"theta": [-1, 1], "phi": [0, 1]})
    assert proved(claim, iteration, {"theta": 0, "phi": 0}).value["rate"] == rate


def test_iterates_may_grow_before_they_shrink():
    """x <- x/2 + y, y <- y/2: x_1 = 1 from (0, 1), and no rate of 1/2 holds with a constant, k 2^(1-k) being x_k."""
    iteration = Iteration(SymbolicMap([x, y], [x / 2 + y, y / 2], [theta]), [sp.Integer(0), theta])
    found = proved(IteratesConvergeUniformly(UNIT), iteration, AT).value
    assert Fraction(1, 2) < Fraction(found["rate"]) < Fraction(3, 4)
    undecided(IteratesConvergeUniformly(UNIT, rate="1/2"), iteration, AT)


def test_parameters_may_move_the_map_as_well():
    """x <- x/2 - max(theta, 0)/4 rests at 0 for theta <= 0 alone."""
    iteration = Iteration(SymbolicMap([x], [x / 2 - sp.Max(theta, 0) / 4], [theta]), [theta])
    proved(IteratesConvergeUniformly({"theta": [-1, 0]}), iteration, {"theta": 0})
    undecided(IteratesConvergeUniformly({"theta": [-1, 1]}), iteration, {"theta": 0})


def test_pieces_that_are_not_affine_are_left_open():
    iteration = Iteration(SymbolicMap([x], [x**2 / 2], [theta]), [theta])
    assert "not affine" in undecided(IteratesConvergeUniformly(UNIT), iteration, {"theta": 0}).reason


@pytest.mark.parametrize(
    "fields, text",
    [
        ({"over": []}, "over of `iterates_converge_uniformly`: `[]` is no box"),
        ({"over": {"theta": [0]}}, "over.theta of `iterates_converge_uniformly`: `[0]` is no pair"),
        ({"over": {"theta": [1, 0]}}, "1 is above 0; write the lower end first"),
        ({"over": UNIT, "rate": 1}, "rate of `iterates_converge_uniformly`: `1` is not from 0 to below 1"),
    ],
)
def test_a_box_that_is_none_is_refused(fields, text):
    with pytest.raises(InputError) as error:
        IteratesConvergeUniformly(**fields)
    assert text in str(error.value)


def test_a_box_of_unknown_parameters_is_refused():
    with pytest.raises(InputError, match="`z` is not a parameter; declared are theta"):
        prove(IteratesConvergeUniformly({"z": [0, 1]}), tent(), AT)


# -- derivatives that grow everywhere ---------------------------------------------------------------------------------


def test_derivatives_of_the_tent_are_powers_of_four_thirds_everywhere():
    value = proved(DerivativesDivergeEverywhere(), tent(), AT).value
    assert value == {"parameter": "theta", "direction": ["1", "0"], "rate": "4/3", "constant": "1"}


@pytest.mark.parametrize("slope, rate", [("1", None), ("4/3", "3/2")])
def test_derivatives_that_do_not_grow_as_fast_are_not_proved_to(slope, rate):
    undecided(DerivativesDivergeEverywhere(rate=rate), tent(slope=slope), AT)


def test_a_start_with_a_kink_has_derivatives_on_both_sides():
    """|theta| - theta has the derivatives 0 and -2: with 0 nothing grows."""
    assert proved(DerivativesDivergeEverywhere(), tent(start=(3 * sp.Abs(theta), 1)), AT).value["constant"] == "3"
    undecided(DerivativesDivergeEverywhere(), tent(start=(sp.Abs(theta) - theta, 1)), AT)


# -- cycles of flows --------------------------------------------------------------------------------------------------


def test_the_bilevel_program_crosses_where_the_paper_says():
    """The crossings have x = 0.6787637971... and 2.3212362028..., the real roots of x^4 - 6x^3 + 22x^2 - 39x + 18."""
    value = proved(FlowCycle(), descent(), {}).value
    assert value["polynomial"] == ["18", "-39", "22", "-6", "1"]
    z = sp.Symbol("z")
    real = sp.Poly(z**4 - 6 * z**3 + 22 * z**2 - 39 * z + 18).nroots(n=30)
    expected = sorted(root for root in real if root.is_real)
    for (low, high), root in zip([point[0] for point in value["crossings"]], expected, strict=True):
        assert Fraction(low) <= Fraction(str(root)) <= Fraction(high)
    assert [str(root)[:12] for root in expected] == ["0.6787637971", "2.3212362028"]


def test_crossings_lie_on_the_line_and_are_reflections():
    value = proved(FlowCycle(), descent(), {}).value
    (p, q) = [[(Fraction(low) + Fraction(high)) / 2 for low, high in point] for point in value["crossings"]]
    for a, b in (p, q):
        assert abs(b - 3 * a + 2) < Fraction(1, 10**15)
    assert abs(p[0] + q[0] - 3) < Fraction(1, 10**15) and abs(p[1] + q[1] - 5) < Fraction(1, 10**15)


def test_the_step_size_does_not_change_the_cycle():
    small = proved(FlowCycle(), descent(rates=("1/50", "4/50")), {}).value
    assert small == proved(FlowCycle(), descent(), {}).value


def test_the_sides_may_be_written_in_the_other_order():
    """Both flows exchanged, and the condition negated."""
    turned = descent(first=(0, 0), second=(3, 5), above=y <= 3 * x - 2)
    assert proved(FlowCycle(), turned, {}).value == proved(FlowCycle(), descent(), {}).value


@pytest.mark.parametrize(
    "iteration, reason",
    [
        (descent(first=(3, 9)), "was not seen to run into a cycle"),  # the target lies on its own side
        (descent(rates=("1/10", "1/10")), "was not seen to run into a cycle"),  # straight lines into the guard
        (descent(rates=("-1/10", "2/5")), "is not pulled towards a point"),
        (Iteration(SymbolicMap([x, y], [y / 2, x / 2])), "pieces, and two beside one affine guard are needed"),
        (Iteration(SymbolicMap([x], [x / 2 + sp.sign(x)])), "cycles are looked for in the plane"),
    ],
)
def test_flows_without_such_a_cycle_are_left_open(iteration, reason):
    assert reason in undecided(FlowCycle(), iteration, {}).reason


def test_a_flow_that_attracts_elsewhere_is_no_proof():
    """The stored proof of one cycle does not prove another."""
    content = assert_certified(prove(FlowCycle(), descent(), {}))
    other = assert_certified(prove(FlowCycle(), SKEW, {}))
    assert not holds({**json.loads(json.dumps(content)), "witness": other["witness"]})

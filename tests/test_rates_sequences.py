"""Sequences that claims name: against closed forms, fractions and mpmath, in balls and exactly."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import mpmath
import pytest
import sympy as sp
from flint import fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from rates_reference import contains, two_piece_iteration
from strategies import examples

from piggycheck.algorithms import gradient_descent
from piggycheck.arrays import EXACT
from piggycheck.errors import InputError, UnknownError
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.rates import limit_of, order_changes
from piggycheck.rates.comparing import orders, read_sides
from piggycheck.rates.derived import Window
from piggycheck.rates.sequences import KNOWN, Estimate, read_sequences

x, y, theta, s = sp.symbols("x y theta s", real=True)
RHO = Fraction(3, 4)
LINEAR = Iteration(SymbolicMap([x], [sp.Rational(3, 4) * x + theta], [theta]), start=[0])
NEWTON = Iteration(SymbolicMap([x], [(x + theta / x) / 2], [theta]), start=[3])
F = "x**4/4 + x**2/2 - theta*x"
QUARTIC = gradient_descent(F, ["x"], "1/5", parameters=["theta"], start=[2])
"""f' = x^3 + x - theta, so the minimiser is 1 at theta = 2, and its derivative is 1/(3 + 1)."""


def sequence(iteration, at, *, name="one", **fields):
    return read_sequences({name: fields})[name].errors(limit_of(iteration, at))


def agrees(errors, expected, *, bits=128, exactly=True):
    """Whether balls hold the expected fractions from k = 0 on, and exact numbers are they, in the maximum norm."""
    run = errors.run(bits)
    for k, value in enumerate(expected):
        assert contains(run.error(k), value), k
        if exactly:
            numerators, denominator = run.exactly()
            assert max(abs(Fraction(int(n), int(denominator))) for n in numerators.entries()) == value, k
    return True


def rounded(ball):
    """The middle of a ball, for mpmath."""
    return mpmath.mpf(ball.mid().str(80, radius=False))


# -- truncated derivatives ------------------------------------------------------------------------------------------


def test_one_step_of_a_linear_map_is_off_by_a_constant():
    """B = 1 and the derivative is 1/(1 - rho), so one step is off by rho/(1 - rho); at k = 0 there is none."""
    assert agrees(KNOWN["one_step"].errors(limit_of(LINEAR, {"theta": 1})), [4] + [RHO / (1 - RHO)] * 30)


@pytest.mark.parametrize("T", [2, 3, 8])
def test_the_last_steps_of_a_linear_map_are_off_by_a_power(T):
    """T steps sum up to (1 - rho^T)/(1 - rho)."""
    expected = [RHO ** min(k, T) / (1 - RHO) for k in range(20)]
    assert agrees(sequence(LINEAR, {"theta": 1}, quantity="derivatives", last=T), expected)


@pytest.mark.parametrize("T", [0, 1, 7])
def test_a_recursion_that_begins_later_is_behind(T):
    expected = [RHO ** max(k - T, 0) / (1 - RHO) for k in range(60)]
    assert agrees(sequence(LINEAR, {"theta": 1}, quantity="derivatives", skip=T), expected)


def test_without_the_first_steps_the_derivative_of_the_start_is_left_out():
    """Started at theta^2 the derivative of the start is 2 at theta = 1; with J_0 = 0 it does not count."""
    moving = Iteration(LINEAR.map, start=[theta**2])
    assert agrees(sequence(moving, {"theta": 1}, quantity="derivatives"), [abs(2 - 4) * RHO**k for k in range(9)])
    assert agrees(sequence(moving, {"theta": 1}, quantity="derivatives", skip=0), [4 * RHO**k for k in range(9)])


def test_truncation_where_the_derivative_in_the_parameter_changes_with_the_state():
    """x_k = (1 - s)^k: each step contributes -(1 - s)^(k - 1), so T steps sum up to T (1 - s)^(k - 1)."""
    by_step = Iteration(SymbolicMap([x], [x - s * x], [s]), start=[1])
    r = Fraction(9, 10)
    expected = [min(k, 3) * r ** (k - 1) if k else 0 for k in range(40)]
    assert agrees(sequence(by_step, {"s": "1/10"}, quantity="derivatives", last=3), expected)
    expected = [max(k - 4, 0) * r ** (k - 1) if k else 0 for k in range(40)]
    assert agrees(sequence(by_step, {"s": "1/10"}, quantity="derivatives", skip=4), expected)


def fractions(largest):
    return st.fractions(-largest, largest, max_denominator=9)


@given(
    st.lists(fractions(Fraction(1, 2)), min_size=6, max_size=6),
    st.tuples(fractions(2), fractions(2)),
    st.integers(1, 5),
    st.integers(0, 5),
)
@examples(12)
def test_truncated_derivatives_of_a_piecewise_map_agree_with_fractions(entries, b, last, skip):
    """Two pieces that differ in the first column; at theta = 1 the fixed point may be on either side."""
    a, c, d, e, f, g = (entry * Fraction(2, 3) for entry in entries)
    right, left = (([[a, c], [d, e]], b), ([[f, c], [g, e]], b))
    start = [Fraction(5, 2), Fraction(-7, 3)]
    iteration = two_piece_iteration(right, left, [sp.Rational(q.numerator, q.denominator) for q in start])
    try:
        limit = limit_of(iteration, {"theta": 1})
        Jbar = [Fraction(int(entry.p), int(entry.q)) for entry in limit.matrix]
    except (InputError, UnknownError):
        return
    points, matrices = [start], []
    for _ in range(12):
        point = points[-1]
        if point[0] == 0:
            return
        A, _ = right if point[0] > 0 else left
        matrices.append(A)
        points.append([sum(A[i][j] * point[j] for j in range(2)) + b[i] for i in range(2)])
    for fields, first in (({"last": last}, lambda k: max(k - last, 0)), ({"skip": skip}, lambda k: min(skip, k))):
        expected = []
        for k in range(12):
            J = [Fraction(0), Fraction(0)]
            for A in matrices[first(k) : k]:
                J = [sum(A[i][j] * J[j] for j in range(2)) + b[i] for i in range(2)]
            expected.append(max(abs(u - v) for u, v in zip(J, Jbar, strict=True)))
        estimate = read_sequences({"one": {"quantity": "derivatives", **fields}})["one"]
        assert agrees(estimate.errors(limit), expected)


@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=1, max_size=20), st.integers(1, 7))
@examples(40)
def test_a_window_holds_the_composition_of_the_last_maps(maps, length):
    window, value = Window(EXACT, length), None
    for i, (a, b) in enumerate(maps):
        window.append(fmpq_mat([[a]]), fmpq_mat([[b]]))
        value = 5
        for slope, shift in maps[max(i + 1 - length, 0) : i + 1]:
            value = slope * value + shift
        A, B = window.total()
        assert A[0, 0] * 5 + B[0, 0] == value


# -- implicit derivatives and estimates of gradients ----------------------------------------------------------------


def test_implicit_derivatives_along_newton_for_a_root():
    """I - F' = 1/2 + theta/(2 x^2) and B = 1/(2 x), so the estimate is x/(x^2 + theta); the limit is 1/4."""
    point, expected = Fraction(3), []
    for _ in range(6):
        expected.append(abs(point / (point**2 + 4) - Fraction(1, 4)))
        point = (point + 4 / point) / 2
    assert agrees(KNOWN["implicit"].errors(limit_of(NEWTON, {"theta": 4})), expected, bits=256)


def test_one_step_of_newton_for_a_root_is_the_partial_derivative_at_the_last_iterate():
    """J = B(x_{k-1}) = 1/(2 x_{k-1})."""
    point, expected = Fraction(3), [Fraction(1, 4)]
    for _ in range(5):
        expected.append(abs(1 / (2 * point) - Fraction(1, 4)))
        point = (point + 4 / point) / 2
    assert agrees(KNOWN["one_step"].errors(limit_of(NEWTON, {"theta": 4})), expected, bits=256)


def estimators(number, count):
    """The errors of three estimators of d/dtheta min f = -1, and of the iterates, by the formulas written out."""
    point, J = number(2), number(0)
    for _ in range(count):
        slope, curvature = point**3 + point - 2, 3 * point**2 + 1
        yield point - 1, 1 - point, 1 - point + slope * J, 1 - point + slope / curvature
        J = J - number(1) / 5 * (curvature * J - 1)
        point = point - number(1) / 5 * slope


ESTIMATORS = (
    {"quantity": "iterates", "output": "x"},
    {"quantity": "partial", "output": F},
    {"quantity": "derivatives", "output": F},
    {"quantity": "implicit", "output": F},
)


@pytest.mark.parametrize("which", range(4), ids=["iterates", "analytic", "automatic", "implicit"])
def test_estimators_of_the_gradient_of_a_minimum_agree_with_their_formulas(which):
    expected = [abs(row[which]) for row in estimators(Fraction, 5)]
    assert agrees(sequence(QUARTIC, {"theta": 2}, **ESTIMATORS[which]), expected, bits=256)


@pytest.mark.parametrize("which", range(4), ids=["iterates", "analytic", "automatic", "implicit"])
def test_estimators_agree_with_mpmath_for_many_steps(which):
    with mpmath.workdps(120):
        run = sequence(QUARTIC, {"theta": 2}, **ESTIMATORS[which]).run(512)
        for k, row in enumerate(estimators(mpmath.mpf, 50)):
            assert abs(rounded(run.error(k)) - abs(row[which])) < mpmath.mpf(10) ** -50


def test_derivatives_of_a_curved_map_without_the_first_steps_agree_with_mpmath():
    with mpmath.workdps(80):
        errors = sequence(QUARTIC, {"theta": 2}, quantity="derivatives", skip=5).run(400)
        point, J = mpmath.mpf(2), mpmath.mpf(0)
        for k in range(40):
            assert abs(rounded(errors.error(k)) - abs(J - mpmath.mpf(1) / 4)) < 1e-40
            J = J - (3 * point**2 + 1) * J / 5 + mpmath.mpf(1) / 5 if k >= 5 else J
            point = point - (point**3 + point - 2) / 5


# -- outputs, columns, norms ----------------------------------------------------------------------------------------

PLANE = gradient_descent(
    "x**2/2 + y**2/20 - theta*x - theta*y", ["x", "y"], "s", parameters=["theta", "s"], start=[0, 0]
)
"""x_k = theta (1 - (1 - s)^k), y_k = 10 theta (1 - (1 - s/10)^k)."""


@pytest.mark.parametrize(
    "fields, square",
    [
        ({"quantity": "iterates"}, lambda a, b: (10 * b) ** 2),
        ({"quantity": "iterates", "norm": "frobenius"}, lambda a, b: a**2 + (10 * b) ** 2),
        ({"quantity": "iterates", "output": "x + y"}, lambda a, b: (a + 10 * b) ** 2),
        ({"quantity": "iterates", "output": ["theta*x", "x*y"]}, lambda a, b: (10 * (1 - a) * (1 - b) - 10) ** 2),
        ({"quantity": "derivatives", "wrt": "theta", "norm": "spectral"}, lambda a, b: a**2 + (10 * b) ** 2),
        ({"quantity": "derivatives", "wrt": "theta", "output": "theta*x"}, lambda a, b: (2 * (1 - a) - 2) ** 2),
    ],
    ids=["plain", "norm", "sum", "several", "column", "gradient"],
)
def test_what_is_observed_agrees_with_closed_forms(fields, square):
    run = sequence(PLANE, {"theta": 1, "s": "1/2"}, **fields).run(128)
    for k in range(1, 30):
        error = run.error(k)
        assert contains(error * error, square(Fraction(1, 2) ** k, Fraction(19, 20) ** k))


def test_columns_are_those_of_the_parameters_named():
    """dx_k/ds = theta k (1 - s)^(k - 1), dy_k/ds = theta k (1 - s/10)^(k - 1)."""
    errors = sequence(PLANE, {"theta": 1, "s": "1/2"}, quantity="derivatives", wrt="s")
    assert agrees(errors, [k * Fraction(19, 20) ** (k - 1) if k else 0 for k in range(30)])


def test_the_parameters_of_a_sequence_lie_over_those_of_the_claim():
    estimate = read_sequences({"big": {"quantity": "iterates", "at": {"s": "19/10"}}})["big"]
    values = estimate.values(PLANE.map.parameter_values({"theta": 1, "s": "1/2"}))
    assert list(values.values()) == [1, sp.Rational(19, 10)]
    assert agrees(
        estimate.errors(limit_of(PLANE, values)),
        [max(Fraction(9, 10) ** k, 10 * Fraction(81, 100) ** k) for k in range(30)],
    )


def test_an_output_with_a_kink_is_followed_on_the_side_where_the_iterate_is():
    """|x| at 1, -1/2, 1/4, ..., with limit 0, where it has no derivative."""
    halving = Iteration(SymbolicMap([x], [-x / 2 + 0 * theta], [theta]), start=[1])
    assert agrees(
        sequence(halving, {"theta": 0}, quantity="iterates", output="Abs(x)"), [Fraction(1, 2**k) for k in range(9)]
    )
    with pytest.raises(InputError, match=r"output `Abs\(x\)`: 2 derivatives at the fixed point"):
        sequence(halving, {"theta": 0}, quantity="derivatives", output="Abs(x)").run(64).error(0)


def test_a_kink_of_the_output_at_an_iterate_is_named():
    """The iterates 2, 1, 1/2 meet the kink of |x - 1| at k = 1; at k = 0 its slopes are those at the limit."""
    halving = Iteration(SymbolicMap([x], [x / 2 + 0 * theta], [theta]), start=[2])
    kinked = {"kinked": {"quantity": "derivatives", "output": "theta*Abs(x - 1)"}}
    left, right, used = read_sides("kinked", "1", kinked)
    found = list(orders(left, right, {"kinked": used["kinked"].errors(limit_of(halving, {"theta": 1}))}))
    assert [one.order for one in found] == [-1, None]
    assert "step 1: the guard `x - 1` ties" in found[1].reason


# -- orders ---------------------------------------------------------------------------------------------------------


def test_the_order_changes_where_the_closed_forms_cross():
    """k/10 (19/20)^(k-1) against (19/20)^k: equal where k/10 = 19/20, so from 10 on; 4 (3/4)^k against 1/5."""
    descent = gradient_descent("x**2/20", ["x"], "s", parameters=["s"], start=[1])
    assert order_changes(descent, "derivatives", "iterates", {"s": "1/2"}, upto=60) == [10]
    crossing = next(k for k in range(100) if 4 * RHO**k < Fraction(1, 5))
    assert order_changes(LINEAR, "derivatives", "1/5", {"theta": 1}, upto=60) == [crossing]


def test_an_order_that_changes_twice_through_equality():
    """(3/4)^k 4 and the same number at k = 3 alone."""
    touching = "Piecewise((4*(3/4)**k, k == 3), (5*(3/4)**k, True))"
    assert order_changes(LINEAR, "derivatives", touching, {"theta": 1}, upto=30) == [3, 4]


def test_irrational_norms_that_are_equal_are_compared_by_their_squares():
    """In the Frobenius norm (1, 1) 2^-k is sqrt(2) 2^-k long."""
    halving = Iteration(SymbolicMap([x, y], [x / 2, y / 2]), start=[1, 1])
    left, right, used = read_sides("iterates", "sqrt(2)*(1/2)**k", norm="frobenius")
    errors = {"iterates": used["iterates"].errors(limit_of(halving))}
    found = [order for order, _ in zip(orders(left, right, errors), range(20), strict=False)]
    assert all(one.order == 0 and one.exact for one in found)


def test_a_difference_of_one_part_in_ten_to_the_thirty_is_seen_where_it_is():
    almost = "Piecewise((4*(3/4)**k, k < 700), (4*(1 - 1/10**30)*(3/4)**k, True))"
    left, right, used = read_sides("derivatives", almost)
    errors = {"derivatives": used["derivatives"].errors(limit_of(LINEAR, {"theta": 1}))}
    found = []
    for one in orders(left, right, errors, 690):
        found.append(one.order)
        if one.k == 702:
            break
    assert found == [0] * 10 + [1] * 3


# -- input ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "tables, said",
    [
        ([1], "sequences: `[1]` is not a table; write [claim.sequences.NAME]"),
        ({"k": {}}, "sequences: the name `k` has another meaning in expressions; write another one"),
        ({"sqrt": {}}, "sequences: the name `sqrt` has another meaning in expressions; write another one"),
        ({"a b": {}}, "sequences: `a b` is not a name; write a word of letters, digits and _"),
        ({"a": 3}, 'sequence `a`: `3` is not a table; write quantity = "derivatives"'),
        ({"a": {}}, 'sequence `a`: it needs a quantity; write quantity = "derivatives", for instance'),
        ({"a": {"quantity": "errors"}}, "sequence `a`: quantity `errors` is not known"),
        ({"a": {"quantity": "derivatives", "lst": 3}}, "sequence `a`: `lst` is not a field; write `last`"),
        ({"a": {"quantity": "derivatives", "last": 0}}, "sequence `a`: last `0` is not a number of steps"),
        ({"a": {"quantity": "derivatives", "last": "1/2"}}, "sequence `a`: last `1/2` is not a number of steps"),
        ({"a": {"quantity": "derivatives", "skip": -1}}, "sequence `a`: skip `-1` is not a number of steps"),
        ({"a": {"quantity": "derivatives", "skip": True}}, "sequence `a`: skip `True` is not a number of steps"),
        (
            {"a": {"quantity": "derivatives", "skip": 1, "last": 1}},
            "sequence `a`: `last` and `skip` exclude each other",
        ),
        ({"a": {"quantity": "implicit", "last": 1}}, "sequence `a`: `last` and `skip` are about derivatives"),
        ({"a": {"quantity": "iterates", "wrt": "theta"}}, "sequence `a`: `wrt` is about derivatives"),
        ({"a": {"quantity": "partial"}}, "sequence `a`: `partial` is the derivative of an output"),
        ({"a": {"quantity": "iterates", "norm": "l2"}}, "norm of sequence `a`: `l2` is not known"),
        ({"a": {"quantity": "iterates", "at": 3}}, "sequence `a`: at `3` is not a table"),
        ({"a": {"quantity": "iterates", "at": {"s": 0.5}}}, "sequence `a`: at `s`: the float 0.5 is not exact"),
        ({"a": {"quantity": "iterates", "output": []}}, "sequence `a`: output `[]` is not text"),
        ({"a": {"quantity": "derivatives", "wrt": ["t", "t"]}}, "sequence `a`: wrt `t, t` names a parameter twice"),
        ({"one_step": {"quantity": "iterates"}}, "sequence `one_step`: the name has a meaning already"),
    ],
)
def test_tables_that_make_no_sense_are_refused_in_one_line(tables, said):
    with pytest.raises(InputError) as error:
        read_sequences(tables)
    assert said in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "fields, said",
    [
        ({"quantity": "derivatives", "wrt": "eta"}, "sequence `one`: wrt `eta` is not a parameter; declared are theta"),
        ({"quantity": "iterates", "output": "x + z"}, "output of sequence `one`, line 1, column 5: `z`"),
        ({"quantity": "iterates", "output": "sin(x)"}, "output of sequence `one`"),
    ],
)
def test_names_that_the_map_does_not_have_are_refused(fields, said):
    with pytest.raises(InputError) as error:
        sequence(LINEAR, {"theta": 1}, **fields)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_parameters_that_the_map_does_not_have_are_refused():
    estimate = Estimate("one", "iterates", {"eta": sp.Integer(1)})
    with pytest.raises(InputError, match="sequence `one`: `eta` is not a parameter; declared are theta"):
        estimate.values(LINEAR.map.parameter_values({"theta": 1}))


def test_derivatives_of_a_map_without_parameters_are_refused():
    bare = Iteration(SymbolicMap([x], [x / 2]), start=[1])
    with pytest.raises(InputError, match="sequence `implicit`: the map has no parameters"):
        KNOWN["implicit"].errors(limit_of(bare))


def test_an_implicit_derivative_that_does_not_exist_is_refused_with_its_step():
    """x^2/2 has slope 1 at 1, and maps it to 1/2."""
    curved = Iteration(SymbolicMap([x], [x**2 / 2 + theta], [theta]), start=[1])
    with pytest.raises(InputError, match="sequence `implicit`: it has no value at k = 0: I - A is singular there"):
        order_changes(curved, "implicit", "iterates", {"theta": 0}, upto=3)


def test_a_quotient_by_an_error_that_vanishes_is_refused_with_its_step():
    at_rest = Iteration(SymbolicMap([x], [sp.Max(x - 1, 0) + 0 * theta], [theta]), start=[2])
    with pytest.raises(InputError, match=r"right side `1/iterates`: it .* at k = 2"):
        order_changes(at_rest, "iterates", "1/iterates", {"theta": 0}, upto=5)


def test_fields_are_written_without_what_is_by_default():
    tables = {"a": {"quantity": "partial", "output": ["x", "x**2"], "at": {"s": "1/2"}, "wrt": "s", "norm": "spectral"}}
    assert read_sequences(tables)["a"].fields() == {
        "quantity": "partial",
        "at": {"s": "1/2"},
        "output": ["x", "x**2"],
        "wrt": ["s"],
        "norm": "spectral",
    }
    assert read_sequences({}, "frobenius")["iterates"].fields("frobenius") == {"quantity": "iterates"}


def test_orders_that_are_decided_in_balls_and_exactly_agree():
    """Along a map with two pieces the order of two truncations is that of fractions."""
    left, right, used = read_sides(
        "short",
        "long",
        {"short": {"quantity": "derivatives", "last": 2}, "long": {"quantity": "derivatives", "last": 3}},
    )
    errors = {name: estimate.errors(limit_of(LINEAR, {"theta": 1})) for name, estimate in used.items()}
    found = [one.order for one, _ in zip(orders(left, right, errors), range(12), strict=False)]
    assert found == [0, 0, 0] + [1] * 9
    assert all(a <= b for a, b in pairwise(found))

"""The errors in cases about rates are what closed forms, fractions and mpmath say, independently."""

from fractions import Fraction
from pathlib import Path

import mpmath
import pytest
import sympy as sp
from rates_reference import contains

import piggycheck as pc
from piggycheck.case import load_case

CASEBOOK = Path(__file__).parent.parent / "casebook"


def load(name):
    return load_case(CASEBOOK / name / "case.toml")


def errors(case, quantity, upto):
    return [float(e) for e in pc.error_sequence(case.subject().iteration, case.at, quantity=quantity, upto=upto)]


def unrolled(step, small, k):
    """The error of the derivatives in the curvature, for curvatures 1 and `small`."""
    return max(abs((1 - step * c + step * c * k) * (1 - step * c) ** (k - 1)) if k else 1 for c in (1, small))


def truncated(step, small, k, skipped):
    """The same, without the first steps."""
    if k <= skipped:
        return 1
    n, factors = k - skipped, [(c, 1 - step * c) for c in (Fraction(1), small)]
    return max(abs(q**n + n * step * c * q ** (k - 1)) for c, q in factors)


def changes(left, right):
    orders = [(a > b) - (a < b) for a, b in zip(left, right, strict=True)]
    return [k for k in range(1, len(orders)) if orders[k] != orders[k - 1]]


def test_the_large_step_is_worse_from_2_to_514():
    small, large = Fraction(1, 100), Fraction(200, 101)
    left, right = ([unrolled(step, small, k) for k in range(701)] for step in (large, Fraction(1)))
    assert changes(left, right) == [2, 515]
    assert left.index(max(left)) == 50 and 36 < max(left) < 37
    assert max(k for k in range(701) if left[k] > 1) == 324
    case = load("curse-of-unrolling")
    claim = case.claims[3]
    found = pc.order_changes(
        case.subject().iteration, "large_step", "small_step", case.at, sequences=claim.sequences, upto=700
    )
    assert found == [2, 515]


def test_truncation_helps_with_the_large_step_alone():
    small = Fraction(1, 10)
    for step, better in ((Fraction(20, 11), True), (Fraction(1), False)):
        pairs = [(truncated(step, small, k, 10), unrolled(step, small, k)) for k in range(2, 151)]
        assert all((a < b) == better and a != b for a, b in pairs)


def test_newtons_errors_have_their_closed_forms():
    case = load("newton-derivatives")
    Q = [Fraction(1, 3**2**k) for k in range(8)]
    iterates, derivatives = errors(case, "iterates", 7), errors(case, "derivatives", 7)
    assert iterates[1:] == pytest.approx([float(4 * q / (1 - q)) for q in Q[1:]])
    assert derivatives[1:] == pytest.approx(
        [float(q / (2 * (1 - q)) + Fraction(2, 3) * 2**k * q / (1 - q) ** 2) for k, q in enumerate(Q) if k]
    )


def scaled(moved, a, b, theta, upto):
    """Scalings u_2, u_3 of the kernel [1, 1/2, 1/4; ...] along the iteration, with a mass theta moved."""
    K = mpmath.matrix([[mpmath.mpf(2) ** -abs(i - j) for j in range(3)] for i in range(3)])
    a, u = [mpmath.mpf(n) / d + theta * m for (n, d), m in zip(a, moved, strict=True)], mpmath.matrix([1, 1, 1])
    for _ in range(upto + 1):
        yield u[1], u[2]
        v = mpmath.matrix([mpmath.mpf(n) / d / x for (n, d), x in zip(b, K.T * u, strict=True)])
        u = mpmath.matrix([x / y for x, y in zip(a, K * v, strict=True)])
        u /= u[0]


@pytest.mark.parametrize(
    "name, moved, a, b, limit, derivative",
    [
        (
            "sinkhorn-three-points",
            (-1, 1, 0),
            [(2, 7), (2, 7), (3, 7)],
            [(5, 14), (3, 14), (3, 7)],
            [(1, 1), (3, 2)],
            [(441, 58), (189, 29)],
        ),
        (
            "sinkhorn-symmetric-problem",
            (-1, 0, 1),
            [(2, 5), (1, 5), (2, 5)],
            [(2, 5), (1, 5), (2, 5)],
            [(1, 2), (1, 1)],
            [(5, 3), (20, 3)],
        ),
    ],
)
def test_the_errors_of_sinkhorns_scaling_are_those_of_matrix_scaling_in_mpmath(name, moved, a, b, limit, derivative):
    case, upto = load(name), 25
    with mpmath.workdps(90):
        h = mpmath.mpf(10) ** -30
        runs = [list(scaled(moved, a, b, theta, upto)) for theta in (-h, 0, h)]
        x, J = ([mpmath.mpf(n) / d for n, d in pair] for pair in (limit, derivative))
        iterates = [float(max(abs(u - c) for u, c in zip(step, x, strict=True))) for step in runs[1]]
        derivatives = [
            float(max(abs((q - p) / (2 * h) - c) for p, q, c in zip(low, high, J, strict=True)))
            for low, high in zip(runs[0], runs[2], strict=True)
        ]
    assert errors(case, "iterates", upto) == pytest.approx(iterates, rel=1e-9)
    assert errors(case, "derivatives", upto) == pytest.approx(derivatives, rel=1e-9)


def test_the_estimators_of_the_gradient_are_off_as_mpmath_computes():
    case, upto = load("gradient-estimators-of-a-minimum"), 60
    x, J, parts = mpmath.mpf(0), mpmath.mpf(0), []
    with mpmath.workdps(120):
        for k in range(upto + 1):
            slope = x**3 + x - 2
            analytic, automatic = abs(1 - x), abs(1 - x + slope * J)
            implicit = abs(1 - x + slope / (3 * x**2 + 1))
            parts.append((automatic / analytic**2 / (k + 1), automatic / analytic**2, implicit / analytic**2))
            x, J = x - slope / 8, J - ((3 * x**2 + 1) * J - 1) / 8
    assert max(part[0] for part in parts) < 1.5 and parts[-1][0] > 1.39
    assert next(k for k in range(upto) if parts[k][1] > 3) == 6
    assert max(part[2] for part in parts) == pytest.approx(24 / 19) and float(parts[-1][2]) == pytest.approx(3 / 4)
    sequences = case.claims[1].sequences
    found = pc.order_changes(
        case.subject().iteration, "automatic", "3*analytic**2", case.at, sequences=sequences, upto=upto
    )
    assert found == [6]


ABOUT_RATES = sorted(
    path.parent.name
    for path in CASEBOOK.glob("*/case.toml")
    if any(kind in path.read_text() for kind in ('"rate_bound"', '"asymptotic_rate"', "_comparison"))
)
WITH_SQUARE_ROOTS = {"nesterov-constant-momentum-quadratic"}


@pytest.mark.parametrize("name", [name for name in ABOUT_RATES if name != "lasso-50-variables"])
def test_balls_mpmath_and_exact_numbers_agree(name):
    """Iterates and derivatives are computed anew from the text of the map, by sympy's own derivatives."""
    subject = load(name).subject()
    iteration, at = getattr(subject, "symbolic", lambda: subject)().iteration, subject.at
    limit = pc.rates.limit_of(iteration, at)
    quantities = ["iterates", *(["derivatives"] if iteration.map.parameters else [])]
    balls = [pc.error_sequence(iteration, at, quantity=quantity, upto=8, bits=128) for quantity in quantities]
    with mpmath.workdps(60):
        for k, (x, J) in enumerate(followed(iteration, at, mpmath_numbers, 8)):
            for values, targets, found in zip((x, J), (limit.coordinates, limit.matrix), balls, strict=False):
                error = max(abs(v - mpmath.mpf(sp.N(t, 60))) for v, t in zip(values, targets, strict=True))
                assert abs(error - mpmath.mpf(found[k].mid().str(50, radius=False))) <= mpmath.mpf(10) ** -35
    if name in WITH_SQUARE_ROOTS:
        return
    for k, (x, J) in enumerate(followed(iteration, at, exact_numbers, 4)):
        for values, targets, found in zip((x, J), (limit.coordinates, limit.matrix), balls, strict=False):
            error = max(abs(v - t) for v, t in zip(values, targets, strict=True))
            assert contains(found[k], Fraction(int(error.p), int(error.q)))


def followed(iteration, at, numbers, count):
    """The iterates and the columns of their derivatives, row after row."""
    map_ = iteration.map
    point = dict(zip(map_.parameters, map_.parameter_values(at).values(), strict=True))
    start, step = ([sp.sympify(e).rewrite(sp.Piecewise) for e in rows] for rows in (iteration.start, map_.next))
    x = numbers(sp.Matrix(start), point)
    J = numbers(sp.Matrix(start).jacobian(map_.parameters), point)
    A, B = (sp.Matrix(step).jacobian(symbols) for symbols in (map_.state, map_.parameters))
    for _ in range(count + 1):
        yield list(x), list(J)
        at_x = point | dict(zip(map_.state, x, strict=True))
        x, J = numbers(sp.Matrix(step), at_x), numbers(A, at_x) * J + numbers(B, at_x)


def exact_numbers(matrix, point):
    return matrix.subs(point)


def mpmath_numbers(matrix, point):
    values = sp.lambdify(list(point), matrix, "mpmath")(*(mpmath.mpf(sp.N(v, 60)) for v in point.values()))
    return mpmath.matrix(values)

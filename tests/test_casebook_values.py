"""The limits of the cases with arrays: enclosures contain what exact linear algebra and mpmath say, independently."""

from pathlib import Path

import pytest
from flint import arb, fmpq, fmpq_mat

from piggycheck.arrays import BallArrays, MpmathArrays
from piggycheck.case import load_case
from piggycheck.enclosures import enclose_output, verified_limit
from piggycheck.fixed_points import linearise
from piggycheck.piggyback import propagate

CASEBOOK = Path(__file__).parent.parent / "casebook"
TINY = fmpq(1, 10**30)


def load(name):
    return load_case(CASEBOOK / name / "case.toml")


def scalar(case, name):
    value = next(value for key, value in case.at.items() if str(key) == name)
    return fmpq(int(value.p), int(value.q))


def distance_squared(M, expected):
    return sum((v * v for v in (M - expected).entries()), start=fmpq(0))


def require_within(found, expected, error):
    """Require that the distance is proved, and that it is that of 30 digits."""
    assert distance_squared(found, expected) <= error**2
    assert error < TINY * 1000


def column(entries):
    return fmpq_mat(len(entries), 1, list(entries))


def joined(*columns):
    return fmpq_mat(columns[0].nrows(), len(columns), [c[i, 0] for i in range(columns[0].nrows()) for c in columns])


def padded(M, support, size):
    """Put rows where the support is, and 0 elsewhere."""
    full = fmpq_mat(size, M.ncols())
    for row, i in enumerate(support):
        for j in range(M.ncols()):
            full[i, j] = M[row, j]
    return full


def sign(number):
    return (number > 0) - (number < 0)


@pytest.mark.parametrize(
    "name, size", [("lasso-10-variables", 5), ("lasso-50-variables", 5), ("lasso-500-variables", 66)]
)
def test_the_lasso_solves_a_linear_system_on_its_support(name, size):
    """x_S = G^-1 (A_S^T b - penalty s), with the derivatives -G^-1 s and G^-1 A_S^T db, where G is A_S^T A_S."""
    case = load(name)
    A, b, db, penalty = case.data["A"], case.data["b"], case.data["change"], scalar(case, "penalty")
    moved = {"penalty": [1, 0], "b": joined(fmpq_mat(b.nrows(), 1), db)}
    limit = verified_limit(case.iteration, case.at, directions=moved)
    found = limit.point.entries()
    support = [i for i, x in enumerate(found) if abs(x) > limit.error]
    assert len(support) == size
    s = column([fmpq(sign(found[i])) for i in support])
    A_S = fmpq_mat(A.nrows(), size, [A[i, j] for i in range(A.nrows()) for j in support])
    G = A_S.transpose() * A_S
    solved = G.solve(joined(A_S.transpose() * b - penalty * s, -1 * s, A_S.transpose() * db))
    x = padded(column([solved[i, 0] for i in range(size)]), support, A.ncols())
    correlation = A.transpose() * (b - A * x)
    assert all(sign(x[i, 0]) == sign(found[i]) for i in support)
    assert all(abs(c) <= penalty for c in correlation.entries())
    assert max(abs(c) for c in (A.transpose() * b).entries()) == 10 * penalty
    require_within(limit.point, x, limit.error)
    J = padded(fmpq_mat(size, 2, [solved[i, j] for i in range(size) for j in (1, 2)]), support, A.ncols())
    require_within(limit.derivative, J, limit.derivative_error)


def test_the_ridge_solution_and_its_derivative_are_those_of_linear_systems():
    """x = (A^T A + ridge I)^-1 A^T b, so dx = -(A^T A + ridge I)^-1 x."""
    case = load("ridge-by-gradient-descent")
    A, b, ridge = case.data["A"], case.data["b"], scalar(case, "ridge")
    H = A.transpose() * A
    for i in range(H.nrows()):
        H[i, i] += ridge
    x = H.solve(A.transpose() * b)
    limit = verified_limit(case.iteration, case.at)
    require_within(limit.point, x, limit.error)
    require_within(limit.derivative, -1 * H.solve(x), limit.derivative_error)
    assert limit.contraction.factor > 1 - fmpq(3, 8) * ridge == fmpq(13, 16), "A has fewer rows than columns"


def test_at_the_breakpoint_the_solution_is_a_unit_vector_and_two_derivatives_meet():
    """The eighth coordinate meets its threshold; with it the derivative is (5, -3)/23, without it (0, -1/6)."""
    case = load("lasso-at-a-breakpoint")
    A, b = case.data["A"], case.data["b"]
    x = column([fmpq(int(i == 9)) for i in range(10)])
    correlation = (A.transpose() * (b - A * x)).entries()
    assert [i for i, c in enumerate(correlation) if abs(c) == 5] == [7, 9] and max(map(abs, correlation)) == 5
    assert (correlation[7], correlation[9]) == (-5, 5)
    G = A.transpose() * A
    both = fmpq_mat([[G[i, j] for j in (7, 9)] for i in (7, 9)]).solve(fmpq_mat([[1], [-1]]))
    assert both.entries() == [fmpq(5, 23), fmpq(-3, 23)] and -1 / G[9, 9] == fmpq(-1, 6)
    tie = verified_limit(case.iteration, case.at)
    assert tie.point == x
    system = linearise(case.iteration, tie.fixed_point)
    identity = fmpq_mat(10, 10, [int(i == j) for i in range(10) for j in range(10)])
    solved = {tuple((identity - A_i).solve(B_i).entries()) for A_i, B_i in system.pairs}
    assert solved == {
        tuple(padded(both, (7, 9), 10).entries()),
        tuple(padded(fmpq_mat([[fmpq(-1, 6)]]), (9,), 10).entries()),
    }


@pytest.mark.parametrize(
    "name, corners", [("trend-filtering-50-points", [20]), ("trend-filtering-200-points", [55, 79, 91])]
)
def test_trend_filtering_has_corners_where_the_dual_vector_meets_the_weight(name, corners):
    """x = y - D^T v with v = weight s at the corners and D x = 0 elsewhere; dx solves the same with y = 0."""
    case = load(name)
    y, weight = case.data["y"], scalar(case, "weight")
    n = y.nrows()
    D = fmpq_mat(n - 2, n)
    for i in range(n - 2):
        D[i, i], D[i, i + 1], D[i, i + 2] = fmpq(1), fmpq(-2), fmpq(1)
    flat = [i for i in range(n - 2) if i not in corners]
    limit = verified_limit(case.iteration, case.at)
    output = enclose_output(limit)
    s = column([fmpq(sign((D * output.point)[i, 0])) for i in corners])
    D_corners, D_flat = (fmpq_mat([[D[i, j] for j in range(n)] for i in rows]) for rows in (corners, flat))
    fixed = D_corners.transpose() * s
    solved = (D_flat * D_flat.transpose()).solve(D_flat * joined(y - weight * fixed, -1 * fixed))
    moved = D_flat.transpose() * solved
    x = y - weight * fixed - column([moved[i, 0] for i in range(n)])
    assert all(abs(solved[i, 0]) < weight for i in range(len(flat)))
    assert all(sign((D_corners * x)[i, 0]) == s[i, 0] for i in range(len(corners)))
    require_within(output.point, x, output.error)
    require_within(output.derivative, -1 * fixed - column([moved[i, 1] for i in range(n)]), output.derivative_error)


@pytest.mark.parametrize("name", ["2x2", "10x10", "identity", "repeated-eigenvalues"])
def test_the_inverse_covariance_satisfies_its_optimality_conditions(name):
    """W = X^-1 is S + penalty sign(X) on the support, and dW = -W dX W is sign(X); elsewhere |W - S| <= penalty."""
    case = load(f"inverse-covariance-{name}")
    output = enclose_output(verified_limit(case.iteration, case.at))
    S, penalty = case.data["S"], scalar(case, "penalty")
    n = S.nrows()
    X, dX = (fmpq_mat(n, n, M.entries()) for M in (output.point, output.derivative))
    W = X.inv()
    dW, small = -1 * (W * dX * W), fmpq(1, 10**20)
    for i in range(n):
        for j in range(n):
            s = sign(X[i, j]) if abs(X[i, j]) > output.error else 0
            if s:
                assert abs(W[i, j] - S[i, j] - penalty * s) < small and abs(dW[i, j] - s) < small
            else:
                assert abs(W[i, j] - S[i, j]) < penalty and abs(dX[i, j]) <= output.derivative_error
    assert output.derivative_error < small


def test_at_the_identity_the_derivative_is_minus_a_hundred_over_121_on_the_diagonal():
    case = load("inverse-covariance-identity")
    output = enclose_output(verified_limit(case.iteration, case.at))
    expected = column([fmpq(-100, 121) if i % 4 == 0 else fmpq(0) for i in range(9)])
    require_within(output.derivative, expected, output.derivative_error)


def test_nuclear_norm_shrinkage_at_a_repeated_singular_value_has_a_rational_derivative():
    """Y = Q diag(2, 2, 1/4): X = Q diag(3/2, 3/2, 0), dX in the penalty is -Q diag(1, 1, 0).

    In an entry of Y, H = Q^T dY splits into a symmetric part, which is multiplied entry by entry by
    (f_i - f_j)/(s_i - s_j), where f is s - 1/2 or 0, and an antisymmetric part, by (f_i + f_j)/(s_i + s_j).
    """
    case = load("nuclear-norm-shrinkage-at-a-repeated-singular-value")
    third = fmpq(1, 3)
    Q = third * fmpq_mat([[1, 2, 2], [2, 1, -2], [2, -2, 1]])
    assert Q * Q == fmpq_mat([[1, 0, 0], [0, 1, 0], [0, 0, 1]])
    assert (Q * fmpq_mat([[2, 0, 0], [0, 2, 0], [0, 0, fmpq(1, 4)]])).entries() == case.data["y"].entries()
    X = Q * (fmpq_mat([[3, 0, 0], [0, 3, 0], [0, 0, 0]]) / 2)
    in_penalty = -1 * (Q * fmpq_mat([[1, 0, 0], [0, 1, 0], [0, 0, 0]]))
    # H = Q^T e_1 e_1^T has the first column (1/3, 2/3, 2/3), so both parts have entries 1/3 beside the diagonal.
    upper, lower = (1 - fmpq(3, 4)) / 3, (1 + fmpq(3, 4)) / 3
    last_up, last_down = (fmpq(6, 7) - fmpq(2, 3)) / 3, (fmpq(6, 7) + fmpq(2, 3)) / 3
    in_entry = Q * fmpq_mat([[third, upper, last_up], [lower, 0, 0], [last_down, 0, 0]])
    moved = {"penalty": [1, 0], "y": joined(fmpq_mat(9, 1), column([fmpq(int(i == 0)) for i in range(9)]))}
    limit = verified_limit(case.iteration, case.at, directions=moved)
    require_within(limit.point, column(X.entries()), limit.error)
    expected = joined(column(in_penalty.entries()), column(in_entry.entries()))
    require_within(limit.derivative, expected, limit.derivative_error)


ARRAYS = sorted(p.parent.name for p in CASEBOOK.glob("*/case.toml") if "[data]" in p.read_text())
INVERTS_200_ROWS = {"trend-filtering-200-points", "trend-filtering-slow-penalty"}


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=[pytest.mark.slow] if name in INVERTS_200_ROWS else []) for name in ARRAYS]
)
def test_balls_contain_what_mpmath_computes_with_60_digits(name):
    """Iterates and derivatives in the first parameter. mpmath needs half a minute to invert 200 rows."""
    case = load(name)
    moved = {str(next(iter(case.at))): [1]}
    count = 3 if case.iteration.map.dimension < 300 else 1
    balls = propagate(case.iteration, count, case.at, directions=moved, arithmetic=BallArrays(128))
    digits = MpmathArrays(60)
    for ball, number in zip(
        balls, propagate(case.iteration, count, case.at, directions=moved, arithmetic=digits), strict=True
    ):
        for enclosed, centre in ((ball.x, number.x.centre), (ball.J, number.J.centre)):
            spread = arb(enclosed.spread).upper().fmpq() + fmpq(1, 10**50)
            assert distance_squared(BallArrays(128).exactly(enclosed.centre), digits.exactly(centre)) <= spread**2

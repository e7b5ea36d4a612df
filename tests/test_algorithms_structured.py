"""Algorithms made of catalogue functions: against their textbooks in exact arithmetic, and problems solved by hand."""

from __future__ import annotations

import pytest
import sympy as sp
from flint import fmpq, fmpq_mat
from structured_helper import column, entries, proximal, run, step_of

from piggycheck.algorithms import admm, douglas_rachford, forward_backward, gradient_descent
from piggycheck.arrays import EXACT, FLOAT64, BallArrays, Enclosed, MpmathArrays
from piggycheck.case import read_case
from piggycheck.errors import CaseError, InputError
from piggycheck.functions import (
    box,
    difference,
    group_l2,
    l1,
    least_squares,
    log_det,
    nonnegative,
    nuclear_norm,
    positive_semidefinite,
    quadratic,
    squared_norm,
    weighted_l1,
    zero,
)
from piggycheck.maps import ArrayParameter

MANY = MpmathArrays(40)
lam, rho = sp.symbols("lam rho", real=True)
half = fmpq(1, 2)
A = fmpq_mat([[1, 2, 0], [fmpq(1, 3), -1, 4]])
b = column([1, "2/3"])
y = [1, "-3/2", 1, "5/2"]
IDENTITY = [[int(i == j) for j in range(4)] for i in range(4)]


def soft(v, t):
    return [e - max(-t, min(t, e)) for e in v]


def column_of(numbers):
    return fmpq_mat(len(numbers), 1, list(numbers))


class TestForwardBackward:
    def test_it_is_what_it_is_in_symbols(self):
        """Values and derivatives along five steps, in the penalty and the data, exactly."""
        x = sp.symbols("x_1:4", real=True)
        seen = sp.symbols("b_1:3", real=True)
        rows = [[1, 2, 0], [sp.Rational(1, 3), -1, 4]]
        f = (
            sum((sum(a * v for a, v in zip(row, x, strict=True)) - e) ** 2 for row, e in zip(rows, seen, strict=True))
            / 2
        )
        written = forward_backward(f, l1(lam), x, "1/16", "5/4", parameters=[lam, *seen], start=[1, 0, -1])
        data = ArrayParameter("b", 2)
        built = forward_backward(
            least_squares(A, data), l1(lam), step="1/16", relaxation="5/4", parameters=[lam, data], start=[1, 0, -1]
        )
        at = {"lam": "1/2", "b_1": 1, "b_2": "2/3"}
        expected = run(written, at, {"lam": [1, 0, 0], "b_1": [0, 1, 0], "b_2": [0, 0, 1]}, 5, EXACT)
        directions = {"lam": [1, 0, 0], "b": [[0, 1, 0], [0, 0, 1]]}
        assert expected == run(built, {"lam": "1/2", "b": b}, directions, 5, EXACT)

    def test_a_lasso_solved_by_hand(self):
        """For A = [[1, 1], [0, 1]], b = (3, -1/2), lam = 2 the solution is (1, 0), as A^T (b - A x) = (2, 3/2)."""
        lasso = forward_backward(least_squares([[1, 1], [0, 1]], [3, "-1/2"]), l1(2), step="1/3")
        assert [1, 0] == step_of(lasso.map, [1, 0])

    def test_a_projected_quadratic(self):
        """min x^2 - 2x + y^2 + 2y with x, y >= 0 is at (1, 0)."""
        projected = forward_backward(quadratic([[2, 0], [0, 2]], [-2, 2]), nonnegative(), step="1/4")
        assert [1, 0] == step_of(projected.map, [1, 0])
        assert [half, 1] == step_of(projected.map, [0, 3])

    def test_group_lasso_keeps_its_direction(self):
        """With A = I the solution shortens each group of b by the penalty."""
        grouped = forward_backward(least_squares(IDENTITY, [3, 4, 0, 1]), group_l2(2, [0, 0, 1, 1]), step="1/2")
        solution = [fmpq(9, 5), fmpq(12, 5), 0, 0]
        assert solution == step_of(grouped.map, solution)

    def test_a_parameter_may_be_called_like_the_state(self):
        method = forward_backward(least_squares(A, b), l1("x"), step="1/9", parameters=["x"], start={"x": 1})
        assert (["x_state"], [1, 1, 1]) == ([block.name for block in method.map.blocks], list(method.start))

    def test_starts(self):
        f = squared_norm(1)
        for start, expected in [([1, "1/2"], [1, half]), ({"x": column([1, "1/2"])}, [1, half])]:
            assert expected == list(forward_backward(f, l1(1), step=1, start=start).start)
        g = quadratic([[1, 0], [0, 1]])
        for start, expected in [(None, [0, 0]), ("1/2", [half, half]), ({"x": sp.Rational(1, 2)}, [half, half])]:
            found = forward_backward(g, l1(1), step=1, start=start).start_at({}).values()
            assert [sp.Rational(int(fmpq(e).p), int(fmpq(e).q)) for e in expected] == list(found)
        found = forward_backward(g, l1(lam), step=1, start="lam/2", parameters=[lam]).start_at({"lam": 3})
        assert [sp.Rational(3, 2)] * 2 == list(found.values())


def textbook_admm(f_hessian, f_linear, shrink, D, penalty, relaxation, count):
    """The three lines of the reference, from z = u = 0; x, z and u of every step."""
    n, m = D.ncols(), D.nrows()
    K = (f_hessian + D.transpose() * D * penalty).inv()
    z, u = fmpq_mat(m, 1), fmpq_mat(m, 1)
    for _ in range(count):
        x = K * (D.transpose() * (z - u) * penalty - f_linear)
        relaxed = D * x * relaxation + z * (1 - relaxation)
        z = column_of(shrink((relaxed + u).entries(), penalty))
        u = u + relaxed - z
        yield x, z, u
    assert n == x.nrows()


class TestADMM:
    @pytest.mark.parametrize("relaxation", [fmpq(1), fmpq(3, 2), fmpq(1, 3)])
    @pytest.mark.parametrize("penalty", [fmpq(1), fmpq(5, 2)])
    def test_its_steps_are_those_of_the_textbook(self, penalty, relaxation):
        D = difference(2, 4)
        method = admm(least_squares(IDENTITY, y), l1(lam), D, str(penalty), str(relaxation), parameters=[lam])
        steps = textbook_admm(
            fmpq_mat(IDENTITY),
            -column(y),
            lambda v, p: soft(v, fmpq(1, 3) / p),
            D.matrix,
            penalty,
            relaxation,
            6,
        )
        w, at = [fmpq(0)] * 2, {"lam": "1/3"}
        for x, z, u in steps:
            assert x.entries() == step_of(method.output, w, at)
            w = step_of(method.map, w, at)
            assert (z + u).entries() == w

    def test_its_steps_with_matrices_and_penalty_for_parameters(self):
        D, M = fmpq_mat([[1, -1, 0], [0, 2, 1]]), A
        data, operator = ArrayParameter("A", 2, 3), ArrayParameter("D", 2, 3)
        method = admm(
            least_squares(data, b) + squared_norm(3), box(-1, 1), operator, rho, parameters=[rho, data, operator]
        )
        hessian = M.transpose() * M + fmpq_mat([[3, 0, 0], [0, 3, 0], [0, 0, 3]])
        clip = lambda v, p: [max(fmpq(-1), min(fmpq(1), e)) for e in v]  # noqa: E731
        w, at = [fmpq(0)] * 2, {"rho": 2, "A": M, "D": D}
        for x, z, u in textbook_admm(hessian, -(M.transpose() * b), clip, D, fmpq(2), fmpq(1), 4):
            assert x.entries() == step_of(method.output, w, at)
            w = step_of(method.map, w, at)
            assert (z + u).entries() == w

    @pytest.mark.parametrize("relaxation", [1, "7/4"])
    def test_trend_filtering_solved_by_hand(self, relaxation):
        """x - y + D^T nu = 0 with nu = (1, 1/2) in the subdifferential of |.| at D x = (1, 0)."""
        x, nu = [0, 0, 1, 2], column([1, "1/2"])
        D = difference(2, 4).matrix
        assert column(y) == column(x) + D.transpose() * nu and (D * column(x)).entries() == [1, 0]
        method = admm(least_squares(IDENTITY, y), l1(1), difference(2, 4), "3", relaxation)
        w = (D * column(x) + nu * fmpq(1, 3)).entries()
        assert w == step_of(method.map, w) and x == step_of(method.output, w)

    def test_without_an_operator_any_function_may_come_first(self):
        """Sparse inverse covariance: for S = I the solution is I / (1 + lam)."""
        method = admm(log_det([[1, 0], [0, 1]]), l1(lam), penalty=1, parameters=[lam], start=[1, 3, -3, 1])
        X, dX = run(method, {"lam": "1/10"}, {"lam": [1]}, 60, FLOAT64)
        assert X == pytest.approx([10 / 11, 0, 0, 10 / 11], abs=1e-12)
        assert dX == pytest.approx([-100 / 121, 0, 0, -100 / 121], abs=1e-10)

    def test_it_is_nonexpansive_by_its_atoms(self):
        for relaxation, rate in (1, 1), ("3/2", 1):
            method = admm(least_squares(IDENTITY, y), l1(1), difference(2, 4), "3", relaxation)
            assert constant_of(method) <= rate + 1e-9


def constant_of(iteration):
    bound = iteration.map.bind({}, BallArrays(96))
    return float(bound.calculus.constants({}, [bound.map.next])[bound.map.next])


class TestDouglasRachford:
    @pytest.mark.parametrize("relaxation", [fmpq(1), fmpq(3, 2)])
    def test_its_steps_are_those_of_the_textbook(self, relaxation):
        """x = prox_f(z), y = prox_g(2 x - z), z <- z + relaxation (y - x)."""
        f, g, step = least_squares(A, b), weighted_l1([1, 0, "1/2"]), sp.Rational(2, 3)
        method = douglas_rachford(f, g, step, str(relaxation), start=[1, 2, 3])
        z = [fmpq(1), fmpq(2), fmpq(3)]
        assert z == list(method.start)
        for _ in range(5):
            x = proximal(f, z, step)
            second = proximal(g, [2 * p - e for p, e in zip(x, z, strict=True)], step)
            assert x == step_of(method.output, z)
            expected = [e + relaxation * (q - p) for e, p, q in zip(z, x, second, strict=True)]
            z = step_of(method.map, z)
            assert expected == z

    @pytest.mark.parametrize("l1_first", [False, True])
    def test_sparse_inverse_covariance_of_the_identity(self, l1_first):
        """X = I / (1 + lam) and dX/dlam = -I / (1 + lam)^2, though all eigenvalues are equal."""
        functions = [log_det([[1, 0], [0, 1]]), l1(lam)]
        method = douglas_rachford(*(functions[::-1] if l1_first else functions), 1, parameters=[lam])
        X, dX = run(method, {"lam": "1/10"}, {"lam": [1]}, 80, FLOAT64)
        assert X == pytest.approx([10 / 11, 0, 0, 10 / 11], abs=1e-12)
        assert dX == pytest.approx([-100 / 121, 0, 0, -100 / 121], abs=1e-10)

    def test_the_solution_of_sparse_inverse_covariance_satisfies_its_conditions(self):
        """S - X^-1 is in -lam * (subdifferential of |.| at X), entry by entry."""
        S = fmpq_mat([[2, 1, fmpq(1, 20)], [1, 2, half], [fmpq(1, 20), half, 1]])
        method = douglas_rachford(l1("1/4"), log_det(S), 1)
        X = output_after(method, 400)
        inverse = FLOAT64.inverse(FLOAT64.assemble(3, 3, X))
        for x, e, s in zip(X, FLOAT64.entries(inverse), FLOAT64.entries(FLOAT64.matrix(S)), strict=True):
            slope = (e - s) / 0.25
            assert abs(slope) <= 1 + 1e-9
            assert x == 0 or slope == pytest.approx(1 if x > 0 else -1, abs=1e-9)

    def test_an_antisymmetric_part_of_the_start_vanishes_in_one_step(self):
        method = douglas_rachford(log_det([[2, 1], [1, 3]]), l1(1))
        skewed, plain = (step_of(method.map, z, arrays=MANY) for z in ([1, 5, -3, 2], [1, 1, 1, 2]))
        assert [float(a - c) for a, c in zip(skewed, plain, strict=True)] == pytest.approx([0] * 4, abs=1e-35)
        assert skewed[1] == pytest.approx(skewed[2])

    def test_a_matrix_that_is_not_symmetric_is_projected_on_the_semidefinite_ones(self):
        """The nearest such matrix is the projection of the symmetric part, here ((3, 1), (1, -1))."""
        method = douglas_rachford(least_squares(IDENTITY, [3, 5, -3, -1]), positive_semidefinite(2))
        expected = proximal(positive_semidefinite(2), [3, 1, 1, -1], sp.S.One, arrays=FLOAT64)
        assert list(expected) == pytest.approx(output_after(method, 80), abs=1e-9)
        assert method.map.next.inputs[0] is method.map.blocks[0]

    @pytest.mark.parametrize(
        ("function", "keeps"),
        [
            (l1(lam), True),
            (box(-1, [1, 2, 2, 3]), True),
            (box(-1, [1, 2, 3, 4]), False),
            (weighted_l1([[0, 1], [1, 0]]), True),
            (weighted_l1([0, 1, 2, 0]), False),
            (weighted_l1(ArrayParameter("W", 4)), False),
            (least_squares(IDENTITY, [1, 2, 2, 1]) + squared_norm(1), True),
            (quadratic(IDENTITY), False),
        ],
    )
    def test_symmetry_is_used_where_both_functions_keep_it(self, function, keeps):
        assert function.keeps_symmetric(2) is keeps
        method = douglas_rachford(log_det([[2, 1], [1, 3]]), function, parameters=[lam, ArrayParameter("W", 4)])
        assert keeps is (method.map.next.inputs[0] is not method.map.blocks[0])

    def test_the_derivative_in_the_covariance_is_its_difference_quotient(self):
        """In S as a symmetric direction, over 40 digits."""
        S = ArrayParameter("S", 2, 2)
        method = douglas_rachford(log_det(S), l1("1/10"), parameters=[S])
        at, moved = [["2", "1/2"], ["1/2", "1"]], [["2", "1/2"], ["1/2", "1.000000000000001"]]
        X, dX = run(method, {"S": at}, {"S": [[0], [0], [0], [1]]}, 40, MANY)
        Y, _ = run(method, {"S": moved}, {"S": [[0], [0], [0], [1]]}, 40, MANY)
        assert [float((q - p) * 10**15) for p, q in zip(X, Y, strict=True)] == pytest.approx(
            list(map(float, dX)), abs=1e-12
        )

    def test_it_is_nonexpansive_by_its_atoms(self):
        for functions in (
            (least_squares(A, b), l1(1)),
            (l1(1), log_det([[2, 1], [1, 2]])),
            (nuclear_norm(1, 2, 2), squared_norm(1)),
            (positive_semidefinite(2), zero()),
        ):
            assert constant_of(douglas_rachford(*functions)) <= 1 + 1e-9


def output_after(iteration, count):
    bound, x = iteration.map.bind({}, FLOAT64), iteration.enclosed_start({}, FLOAT64)
    for _ in range(count):
        x = bound(x).value
    return entries(FLOAT64, iteration.output.bind({}, FLOAT64)(x).value.centre)


class TestGradientDescent:
    def test_ridge_by_gradient_descent(self):
        """x+ = x - step (A^T (A x - b) + ridge x)."""
        ridge = gradient_descent(least_squares(A, b) + squared_norm("ridge"), step="1/9", parameters=["ridge"])
        x = column([1, -1, 2])
        expected = x - (A.transpose() * (A * x - b) + x * fmpq(3)) * fmpq(1, 9)
        assert expected.entries() == step_of(ridge.map, [1, -1, 2], {"ridge": 3})


class TestAdvice:
    def test_a_step_that_is_too_long_is_told_with_the_range(self):
        descent = gradient_descent(
            quadratic([[2, 0], [0, 1]]) + squared_norm("ridge"), step="9/10", parameters=["ridge"]
        )
        assert descent.advice({"ridge": 0}) is None
        assert descent.advice({"ridge": 2}) == (
            "gradient descent: step: `9/10` is outside (0, 0.5), where convergence is known; "
            "the bound is 2/L, and L = 4 the largest eigenvalue of the Hessian"
        )

    def test_the_longest_step_itself_is_too_long(self):
        assert "(0, 1)" in forward_backward(quadratic([[2]]), l1(1), step=1).advice({})

    def test_the_matrix_may_be_a_parameter(self):
        M = ArrayParameter("A", 1, 2)
        lasso = forward_backward(least_squares(M, [1]), l1(1), step="1/4", parameters=[M])
        assert lasso.advice({"A": [["1", "1"]]}) is None
        assert "outside (0, 0.08)" in lasso.advice({"A": [["3", "4"]]})

    def test_an_expression_is_advised_on_by_its_pieces(self):
        expression = "Piecewise((x**2, x >= 0), (c*x**2/2, True))"
        descent = gradient_descent(expression, ["x"], "3/2", parameters=["c"])
        assert "outside (0, 1), where" in descent.advice({"c": 1})
        assert "outside (0, 0.5)" in descent.advice({"c": 4})
        assert gradient_descent("x**4", ["x"], 100).advice({}) is None

    @pytest.mark.parametrize("relaxation", [0, 2, "-1/2", "lam"])
    def test_relaxations(self, relaxation):
        f, g, expected = least_squares(A, b), l1(1), "is outside (0, 2), where convergence is known"
        for method in (
            douglas_rachford(f, g, 1, relaxation, parameters=[lam]),
            admm(f, g, None, 1, relaxation, parameters=[lam]),
        ):
            assert method.advice({"lam": 3}).endswith(expected)
        assert douglas_rachford(f, g, 1, "lam", parameters=[lam]).advice({"lam": "19/10"}) is None

    def test_a_matrix_that_is_no_covariance_is_told(self):
        S = ArrayParameter("S", 2, 2)
        for method in (douglas_rachford, admm):
            splitting = method(log_det(S), l1(1), parameters=[S])
            assert splitting.advice({"S": [[1, 1], [1, 1]]}) is None
            assert "negative eigenvalue" in splitting.advice({"S": [[1, 2], [2, 1]]})

    def test_the_relaxation_of_forward_backward_depends_on_the_step(self):
        assert forward_backward(squared_norm(1), l1(1), step=1, relaxation="29/20", start=[1]).advice({}) is None
        assert "outside (0, 1.5)" in forward_backward(
            squared_norm(1), l1(1), step=1, relaxation="3/2", start=[1]
        ).advice({})


class TestRefusals:
    @pytest.mark.parametrize(
        ("build", "message"),
        [
            (
                lambda: forward_backward(l1(1), l1(1), step=1),
                "smooth: `l1` has no gradient; write, for instance, least_squares(A, b)",
            ),
            (
                lambda: gradient_descent(l1(1), step=1),
                "objective: `l1` has no gradient; write, for instance, least_squares(A, b)",
            ),
            (
                lambda: douglas_rachford(l1(1), difference(1, 2)),
                "second: `D1` has no proximal map; write, for instance, l1(1)",
            ),
            (lambda: forward_backward(squared_norm(1), l1(1)), "forward_backward needs `step`; write step = ..."),
            (
                lambda: forward_backward(squared_norm(1), l1(1), ["x"], 1),
                "variables: `squared_norm` knows its own; leave `variables` out",
            ),
            (
                lambda: forward_backward("x**2", l1(1), step=1),
                "forward_backward needs `variables` where `smooth` is an expression; write variables = ...",
            ),
            (
                lambda: forward_backward(least_squares(A, b), weighted_l1([1, 1]), step=1),
                "`least_squares` has 3 variables and `weighted_l1` has 2; make them as many",
            ),
            (
                lambda: douglas_rachford(quadratic([[1]]), quadratic([[1, 0], [0, 1]])),
                "`quadratic` has 1 variables and `quadratic` has 2; make them as many",
            ),
            (
                lambda: douglas_rachford(l1(1), zero()),
                "nothing says how many variables there are; write a start with one number for each",
            ),
            (
                lambda: douglas_rachford(least_squares(A, b), l1(1), start=[1, 2]),
                "start of `z`: 2 entries; there must be 3",
            ),
            (
                lambda: douglas_rachford(least_squares(A, b), l1(1), start={"x": 0}),
                "start: `x` is not a state of Douglas-Rachford; the state is `z`",
            ),
            (
                lambda: douglas_rachford(least_squares(A, b), l1("lam"), parameters=["ridge"]),
                "`lam` is not a parameter of Douglas-Rachford; declared are ridge",
            ),
            (
                lambda: gradient_descent(least_squares(A, ArrayParameter("b", 2)), step=1),
                "`b` is not a parameter of gradient descent; declared are none",
            ),
            (
                lambda: gradient_descent(squared_norm(sp.Abs(lam)), step=1, parameters=[lam], start=[1]),
                "`-Abs(lam)` has kinks; write a smooth expression in the parameters",
            ),
            (
                lambda: gradient_descent(least_squares(A, b), step=1, parameters=["b_1", ArrayParameter("b", 2)]),
                "parameter `b_1`: an entry of `b` has this name; rename one of them",
            ),
            (
                lambda: forward_backward(least_squares(A, b), l1(1), step=0),
                "step: `0` is not positive; write a positive number",
            ),
            (
                lambda: admm(least_squares(A, b), l1(1), penalty=-1),
                "penalty: `-1` is not positive; write a positive number",
            ),
            (
                lambda: admm(least_squares(A, b), l1(1), difference(1, 4)),
                "`the operator` has 4 variables and `least_squares` has 3; make them as many",
            ),
            (
                lambda: admm(least_squares(A, b), weighted_l1([1]), difference(1, 3)),
                "`the image of the operator` has 2 variables and `weighted_l1` has 1; make them as many",
            ),
            (
                lambda: admm(log_det([[1]]), l1(1), difference(1, 2)),
                "`the operator` has 2 variables and `log_det` has 1; make them as many",
            ),
            (
                lambda: admm(log_det([[1]]), l1(1), [[1]]),
                "smooth: `log_det` is not quadratic; leave `operator` out, or write least_squares(A, b)",
            ),
        ],
    )
    def test_what_makes_no_sense_is_refused_in_one_line(self, build, message):
        with pytest.raises(InputError) as caught:
            build()
        assert message == str(caught.value)

    def test_parameters_are_checked_when_they_are_known(self):
        w = ArrayParameter("w", 3)
        method = admm(least_squares(A, b) + squared_norm("lam"), weighted_l1(w), None, rho, parameters=[lam, rho, w])
        at = {"lam": 1, "rho": 1, "w": [0, 0, 1]}
        method.check(at)
        for name, value, message in [
            ("lam", "-1/2", "weight of squared_norm, `lam`: `-1/2` is negative; write a nonnegative number"),
            ("rho", 0, "penalty, `rho`: `0` is not positive; write a positive number"),
            ("w", [0, -1, 0], "weights of weighted_l1, `w`: entry 1, `-1` is negative; write a nonnegative number"),
        ]:
            with pytest.raises(InputError) as caught:
                method.check({**at, name: value})
            assert message == str(caught.value)

    def test_matrices_that_are_parameters_are_checked_when_they_are_known(self):
        S, Q = ArrayParameter("S", 2, 2), ArrayParameter("Q", 2, 2)
        with pytest.raises(InputError, match="^S of log_det, `S`: entries .* write a symmetric matrix$"):
            douglas_rachford(log_det(S), l1(1), parameters=[S]).check({"S": [[1, 2], [3, 4]]})
        with pytest.raises(InputError, match="^Q of quadratic, `Q`: the matrix is not positive semidefinite"):
            gradient_descent(quadratic(Q), step=1, parameters=[Q]).check({"Q": [[1, 2], [2, 1]]})

    def test_a_minimiser_that_is_not_unique_is_refused(self):
        """Differences do not see a constant."""
        method = admm(zero(), l1(1), difference(1, 4))
        with pytest.raises(
            InputError, match="^smooth and operator: the matrix is singular, so the minimiser is not unique"
        ):
            method.check({})
        admm(squared_norm("1/10"), l1(1), difference(1, 4)).check({})


CASES = {
    "lasso": (
        """
[algorithm]
name = "forward_backward"
smooth = "least_squares(A, b)"
nonsmooth = "l1(penalty)"
step = "1/16"
relaxation = "5/4"
[data]
A = [[1, 2, 0], ["1/3", -1, 4]]
b = [1, "2/3"]
[parameters]
penalty = "1/2"
b = {data = "b"}
[start]
x = 1
""",
        lambda: forward_backward(
            least_squares(A, ArrayParameter("b", 2)),
            l1("penalty"),
            step="1/16",
            relaxation="5/4",
            parameters=["penalty", ArrayParameter("b", 2)],
            start=1,
        ),
    ),
    "trend filtering": (
        """
[algorithm]
name = "admm"
smooth = "least_squares(identity, y) + squared_norm(1/7)"
nonsmooth = "l1(lam)"
operator = "difference(2, 4)"
penalty = "3"
[data]
identity = {generate = "identity", size = 4}
y = [1, "-3/2", 1, "5/2"]
[parameters]
lam = 1
""",
        lambda: admm(
            least_squares(IDENTITY, y) + squared_norm("1/7"), l1("lam"), difference(2, 4), 3, parameters=["lam"]
        ),
    ),
    "two quadratics": (
        """
[algorithm]
name = "douglas_rachford"
first = "least_squares(A, b) + squared_norm(1/7)"
second = "box(-1, [1, 2, 3])"
step = "lam"
[data]
A = [[1, 2, 0], ["1/3", -1, 4]]
b = [1, "2/3"]
[parameters]
lam = 1
""",
        lambda: douglas_rachford(
            least_squares(A, b) + squared_norm("1/7"), box(-1, [1, 2, 3]), "lam", parameters=["lam"]
        ),
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_case_builds_what_python_builds(name):
    text, build = CASES[name]
    case, built = read_case(text), build()
    case.iteration.check(case.at)
    assert repr(case.iteration.map) == repr(built.map)
    states = [list(iteration.start_at(case.at).values()) for iteration in (case.iteration, built)]
    assert states[0] == states[1]
    for _ in range(3):
        states = [
            step_of(iteration.map, [fmpq(int(e.p), int(e.q)) for e in state], case.at)
            for iteration, state in zip((case.iteration, built), states, strict=True)
        ]
        assert states[0] == states[1]


def test_a_case_in_which_a_function_makes_no_sense_names_the_line():
    text = CASES["lasso"][0].replace("least_squares(A, b)", "least_squares(A, c)")
    with pytest.raises(CaseError, match="line 4: smooth: `c` is not declared"):
        read_case(text)


def test_large_problems_are_built_without_large_expressions():
    """Every entry of the state is one number of one block; names are given once."""
    size = 300
    data, seen = fmpq_mat(100, size), ArrayParameter("A", 100, 1)
    for i in range(100):
        data[i, 3 * i] = fmpq(i, 7)
    lasso = forward_backward(least_squares(data, seen), l1(lam), step="1/4", parameters=[lam, seen])
    assert [size] == [block.size for block in lasso.map.blocks] and len(lasso.map.nodes) == 5
    names = [node.name for node in lasso.map.nodes] + [
        factor.source.name for node in lasso.map.nodes for term in getattr(node, "terms", ()) for factor in term.factors
    ]
    assert {"A", "A_2"} <= set(names)
    assert entries(EXACT, lasso.enclosed_start({"lam": 1, "A": [0] * 100}, EXACT).centre) == [0] * size
    assert isinstance(
        lasso.map.bind({"lam": 1, "A": [0] * 100}, EXACT)(Enclosed(fmpq_mat(size, 1))).value.centre, fmpq_mat
    )

"""Functions of symmetric matrices: repeated and close eigenvalues, enclosures, divided differences."""

from __future__ import annotations

import mpmath
import pytest
import sympy as sp
from flint import arb, arb_mat, ctx, fmpq, fmpq_mat
from hypothesis import given
from hypothesis import strategies as st
from layer_strategies import LAM, function, matrices
from strategies import examples

import piggycheck.arrays
from piggycheck.arithmetic import RATIONAL, Balls, Float64, Mpmath
from piggycheck.arrays import EXACT, FLOAT64, BallArrays, Enclosed, MpmathArrays
from piggycheck.errors import UnknownError
from piggycheck.maps import Affine, Factor, Scalar, Spectral, StateBlock, StructuredMap, Symmetriser, Term
from piggycheck.maps.divided import divided_difference
from piggycheck.spectra import guessed_eigenvectors, rational_spectrum

MP = MpmathArrays(60)
SLACK = arb(10) ** -50
LOG_DETERMINANT = "(v + sqrt(v**2 + 4*t))/2"
V = sp.Symbol("v", real=True)


def spectral(text, n, proximal=True):
    Z = StateBlock("Z", n * n)
    chosen = function(text)
    node = Spectral("y", chosen, Z, [Scalar(LAM)] * len(chosen.arguments), proximal=proximal)
    return StructuredMap([Z], node, [LAM])


def column(M):
    return fmpq_mat(M.nrows() * M.ncols(), 1, M.entries())


def identity(n):
    return fmpq_mat(n, n, [int(i == j) for i in range(n) for j in range(n)])


def rotation(n, skew):
    """The orthogonal matrix of rational numbers that Cayley's transform makes of a skew one."""
    S = skew - skew.transpose()
    return (identity(n) - S) * (identity(n) + S).inv()


def with_eigenvalues(values, skew):
    n = len(values)
    Q = rotation(n, skew)
    return Q * fmpq_mat(n, n, [values[i] if i == j else 0 for i in range(n) for j in range(n)]) * Q.transpose()


def evaluated(F, Z, H, arrays, lam="1/3", reach=0):
    """Value, and derivative in the directions of the matrix H and of the parameter."""
    bound = F.bind({"lam": lam}, arrays)
    moment = bound(arrays.enclosed(arrays.matrix(column(Z)), reach))
    T = Enclosed(arrays.matrix(fmpq_mat([[e, 0] for e in H.entries()])))
    return moment.value, moment.forward(T, bound.directions({"lam": [0, 1]}), moment.signature)


def contains(enclosed, true):
    exact = BallArrays(400).matrix(MP.exactly(true.centre))
    return bool(BallArrays(400).length(enclosed.centre - exact) <= enclosed.spread + SLACK)


# Divided differences


@pytest.mark.parametrize("text", ["v**3 - 2*v", "1/(v**2 + 1)", "v/(v + 5)", "(v**2 + 1)**2/3", "2"])
@pytest.mark.parametrize(("a", "b"), [(1, 2), (2, 2), (-3, fmpq(1, 7))])
def test_divided_differences_of_rational_functions_are_exact(text, a, b):
    f = sp.sympify(text, {"v": V})
    a, b = fmpq(a), fmpq(b)
    at_a, at_b, slope = divided_difference(f, [V], RATIONAL)(a, b)
    numbers = [sp.Rational(int(e.p), int(e.q)) for e in (a, b)]
    expected = (
        sp.diff(f, V).subs(V, numbers[0])
        if a == b
        else (f.subs(V, numbers[0]) - f.subs(V, numbers[1])) / (numbers[0] - numbers[1])
    )
    assert [sp.Rational(int(e.p), int(e.q)) for e in map(fmpq, (at_a, at_b, slope))] == [
        f.subs(V, numbers[0]),
        f.subs(V, numbers[1]),
        expected,
    ]


@pytest.mark.parametrize("text", ["sqrt(v**2 + 4)", "exp(-v**2)", "log(v + 3)", "sqrt(v + 2)*exp(v)"])
@pytest.mark.parametrize("gap", ["0", "1e-40", "1e-9", "0.5"])
def test_divided_differences_do_not_cancel(text, gap):
    """With 40 digits, at points as close as 1e-40, against 200 digits."""
    f = sp.sympify(text, {"v": V})
    fine = mpmath.mp.clone()
    fine.dps = 200
    a, b = fine.mpf(1) / 3, fine.mpf(1) / 3 + fine.mpf(gap)
    exactly = sp.lambdify(V, f, modules=[{"sqrt": fine.sqrt, "exp": fine.exp, "log": fine.log}])
    expected = fine.diff(exactly, a) if a == b else (exactly(a) - exactly(b)) / (a - b)
    numbers = Mpmath(40)
    found = divided_difference(f, [V], numbers)(numbers.context.mpf(a), numbers.context.mpf(b))[2]
    assert abs(found - expected) < 1e-36
    assert abs(divided_difference(f, [V], Float64())(float(a), float(b))[2] - float(expected)) < 1e-13
    balls = Balls(256)
    with balls.precision():
        third = (arb(1) / 3).mid()
        slope = divided_difference(f, [V], balls)(third, (third + arb(gap)).mid())[2]
        digits = arb(str(expected)) + arb(0, arb(10) ** -60)
        assert slope.overlaps(digits) and slope.rad() < arb(10) ** -70


# Spectra


def test_rational_eigenvalues_come_with_their_inverse_basis():
    Z = with_eigenvalues([1, 1, fmpq(5, 2)], fmpq_mat([[0, 1, 2], [0, 0, 1], [0, 0, 0]]))
    found = rational_spectrum(Z)
    assert found.values == [1, 1, fmpq(5, 2)]
    D = fmpq_mat(3, 3, [found.values[i] if i == j else 0 for i in range(3) for j in range(3)])
    assert found.vectors * D * found.inverse == Z


@pytest.mark.parametrize("bits", [64, 128, 300])
@pytest.mark.parametrize(
    "values", [[1, 1, 1, 1], [1, 1, 2, 2], [0, 0, 0, 5], [1, 2, 3, 10**9], [1, 1 + fmpq(1, 10**18), 2, 3]]
)
def test_guessed_eigenvectors_have_defects_of_the_precision(bits, values):
    """Repeated, close and far eigenvalues alike: the bounds on the defects are near the last bit."""
    Z = with_eigenvalues(values, fmpq_mat(4, 4, list(range(-7, 9))) / 5)
    arrays = BallArrays(bits)
    with arrays.precision():
        found = arrays.spectrum(arrays.matrix(Z))
    assert found.orthogonality < arb(2) ** -bits
    assert found.residual < arb(2) ** (8 - bits) * max(values)
    with ctx.workprec(600):
        for eigenvalue, true in zip(found.values, values, strict=True):
            assert abs(eigenvalue - arb(fmpq(true))) <= found.residual + arb(2) ** -500


# Derivatives at repeated and close eigenvalues


@pytest.mark.parametrize("arrays", [FLOAT64, MP, BallArrays(128)])
def test_at_the_identity_the_derivative_is_a_multiple_of_the_direction(arrays):
    """S = I: D phi(I)[H] = phi'(1) H with phi'(1) = (1 + 1/sqrt(1 + 4t))/2, and 1/sqrt(1 + 4t) I in t; t = 1/10."""
    H = fmpq_mat([[1, 2, 0], [2, -1, 3], [0, 3, 5]])
    _, T = evaluated(spectral(LOG_DETERMINANT, 3), identity(3), H, arrays, "1/10")
    fine = mpmath.mp.clone()
    fine.dps = 60
    root = fine.sqrt(fine.mpf(14) / 10)
    expected = [
        [(1 + 1 / root) / 2 * int(e), 1 / root if k % 4 == 0 else fine.mpf(0)] for k, e in enumerate(H.entries())
    ]
    tolerance = 1e-14 if arrays is FLOAT64 else 1e-36
    for found, entry in zip(arrays.entries(T.centre), [e for row in expected for e in row], strict=True):
        digits = found.mid().str(60, radius=False) if isinstance(found, arb) else found
        assert abs(fine.mpf(digits) - entry) < tolerance


def test_over_the_rationals_divided_differences_are_exact():
    """t = 1: phi(0) = 1, phi(3/2) = 2, phi(8/3) = 3, so phi[0, 3/2] = 2/3, phi[0, 8/3] = 3/4, phi[3/2, 8/3] = 6/7."""
    Z = fmpq_mat([[0, 0, 0], [0, fmpq(3, 2), 0], [0, 0, fmpq(8, 3)]])
    H = fmpq_mat([[0, 3, 4], [3, 0, 7], [4, 7, 0]])
    value, T = evaluated(spectral(LOG_DETERMINANT, 3), Z, H, EXACT, 1)
    assert value.centre.entries() == [1, 0, 0, 0, 2, 0, 0, 0, 3]
    assert [T.centre[k, 0] for k in range(9)] == [0, 2, 3, 2, 0, 6, 3, 6, 0]


@examples(25)
@given(
    st.lists(
        st.sampled_from([fmpq(n) for n in (0, 1, 1, 2, -3)] + [1 + fmpq(1, 10**30), fmpq(1, 10**9)]),
        min_size=3,
        max_size=3,
    ),
    matrices(3, 3),
    matrices(3, 3),
    st.sampled_from([(LOG_DETERMINANT, True), ("v**3/9 - v", False), ("exp(v/4)", False), ("v/(1 + v**2)", False)]),
)
def test_balls_contain_60_digits_at_repeated_and_close_eigenvalues(values, skew, H, kind):
    Z, F = with_eigenvalues(values, skew), spectral(kind[0], 3, kind[1])
    H = H + H.transpose()
    value, T = evaluated(F, Z, H, BallArrays(128))
    true_value, true_T = evaluated(F, Z, H, MP)
    assert contains(value, true_value) and contains(T, true_T)
    assert value.spread < arb(2) ** -110 and T.spread < arb(2) ** -105


@examples(25)
@given(matrices(3, 3), matrices(3, 3), matrices(3, 3), st.sampled_from(["Max(v, 0)", "v - Max(-t, Min(t, v))"]))
def test_enclosures_hold_with_bad_eigenvectors_and_across_kinks(skew, H, error, text):
    """Eigenvectors spoiled by 1e-4 are as good as any, once their defects are bounded; so is an input known to 1e-3."""
    F, Z = spectral(text, 3), with_eigenvalues([-2, 1, fmpq(7, 2)], skew)
    H, error = H + H.transpose(), error + error.transpose()
    shift = error * fmpq(1, 10**3) / (1 + sum(abs(e) for e in error.entries()))

    def spoiled(Z, bits):
        values, Q = guessed_eigenvectors(Z, bits)
        change = arb_mat([[arb(fmpq(3 * i - 5 * j + 1, 10**5)) for j in range(3)] for i in range(3)])
        return values, (Q + change).mid()

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(piggycheck.arrays, "guessed_eigenvectors", spoiled)
        value, T = evaluated(F, Z, H, BallArrays(128))
        _, around = evaluated(F, Z, H, BallArrays(128), reach=arb(fmpq(1, 10**3)))
    true_value, true_T = evaluated(F, Z, H, MP)
    assert contains(value, true_value) and contains(T, true_T)
    assert contains(around, evaluated(F, Z + shift, H, MP)[1])


@pytest.mark.parametrize("text", ["v", "v**2/2", "1 + v/1000", "v/9 + t", "v*t", "t*v**2"])
@examples(16)
@given(
    st.sampled_from([0, fmpq(1, 10**4)]),
    st.sampled_from([0, fmpq(1, 10**5)]),
    st.sampled_from([0, 1]),
    st.tuples(matrices(2, 2), matrices(2, 2), matrices(2, 2)),
)
def test_each_defect_alone_is_covered(text, skewness, residue, length, drawn):
    """Z = Q L Q^T + E with Q not orthogonal, or E not 0, or both: the function of Z stays within the bounds."""
    change, E, H = drawn
    Q = identity(2) + change * skewness
    Z = Q * fmpq_mat([[1, 0], [0, 3]]) * Q.transpose() + (E + E.transpose()) * residue
    H, exact = (H + H.transpose()) * length, BallArrays(400)
    guess = [arb(1), arb(3)], exact.matrix(Q).mid()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(piggycheck.arrays, "guessed_eigenvectors", lambda *_: guess)
        value, T = evaluated(spectral(text, 2, proximal=False), Z, H, exact)
    true_value, true_T = evaluated(spectral(text, 2, proximal=False), Z, H, MP)
    assert contains(value, true_value) and contains(T, true_T)


def test_an_eigenvalue_that_may_be_at_a_kink_is_named():
    F = spectral("Max(v, 0)", 2)
    Z = fmpq_mat([[2, 0], [0, fmpq(1, 100)]])
    with pytest.raises(UnknownError, match="the sign of the guard `y, eigenvalue 1: v` is not decided; it is"):
        evaluated(F, Z, identity(2), BallArrays(64), reach=arb(fmpq(1, 10)))


def test_the_value_at_a_kink_needs_no_decision():
    """The projection of diag(0, 3), turned, on the positive semidefinite matrices is the matrix itself."""
    Z = with_eigenvalues([0, 3], fmpq_mat([[0, 1], [0, 0]]))
    bound = spectral("Max(v, 0)", 2).bind({"lam": 1}, BallArrays(128))
    value = bound(Enclosed(bound.arrays.matrix(column(Z)))).value
    with ctx.workprec(300):
        assert bound.arrays.length(value.centre - bound.arrays.matrix(column(Z))) <= value.spread
    assert value.spread < arb(2) ** -115


# Lipschitz constants of the nonexpansive part


def constant(F, Z, reach):
    arrays = BallArrays(128)
    bound = F.bind({"lam": 1}, arrays)
    moment = bound(arrays.enclosed(arrays.matrix(column(Z)), arb(reach)))
    node = F.next
    return bound.operators[node].lipschitz(
        [moment.values[n] for n in node.inputs], [moment.reach.get(n, 0) for n in node.inputs]
    )


def symmetrised(text, n):
    Z = StateBlock("Z", n * n)
    U = Affine("U", [Term(sp.S.One, (Factor(Symmetriser(n)),), Z)])
    return StructuredMap([Z], Spectral("y", function(text), U, [Scalar(LAM)], proximal=True), [LAM])


def test_the_local_constant_of_the_reflected_layer():
    """2 phi' - 1 = v/sqrt(v^2 + 4) is 3/5 at 3/2 and 0.8 at 8/3: the larger one, and a little more within reach."""
    Z = fmpq_mat([[fmpq(3, 2), 0], [0, fmpq(8, 3)]])
    found = constant(symmetrised(LOG_DETERMINANT, 2), Z, fmpq(1, 10**6))
    assert fmpq(8, 10) <= found < fmpq(80001, 100000)


def test_matrices_that_need_not_be_symmetric_have_constant_one():
    """The layer forgets the antisymmetric part, which its reflection then turns round."""
    Z = fmpq_mat([[fmpq(3, 2), 0], [0, fmpq(8, 3)]])
    assert constant(spectral(LOG_DETERMINANT, 2), Z, fmpq(1, 10**6)) == 1


def test_a_kink_within_reach_has_constant_one():
    assert constant(symmetrised("v - Max(-t, Min(t, v))", 2), identity(2), fmpq(1, 10)) == 1

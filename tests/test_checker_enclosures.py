"""What the checker computes of structured maps, against 60 digits: values, derivatives and distances on whole balls."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from layers_certificates import Data, affine, elementwise, layers, scalar, soft, spectral
from mpmath import mp, mpf

from piggycheck.checker.definite import surely_definite
from piggycheck.checker.eigenvectors import Eigenvectors
from piggycheck.checker.elementary import exp_bounds, log_bounds
from piggycheck.checker.evaluation import Evaluation, Setting
from piggycheck.checker.exact import Nearly
from piggycheck.checker.fixed import Ball, fixed
from piggycheck.checker.inverses import Inverse
from piggycheck.checker.layers import Layers, differences
from piggycheck.checker.reading import Refused
from piggycheck.checker.scalar_functions import ScalarFunction
from piggycheck.checker.words import Norms, is_bounded, near_norm

BITS, DIGITS, SHIFT = 100, 60, "1e-25"

Vector = list[Any]
Function = Callable[[Vector, dict[str, Any]], Vector]


def matrix(rows: list[list[Any]]) -> Any:
    return mp.matrix(rows)


def vector(M: Any) -> Vector:
    return [M[i] for i in range(len(M))]


def soft_threshold(v: Any, t: Any) -> Any:
    return v - max(-t, min(t, v))


def on_eigenvalues(v: Vector, n: int, f: Callable[[Any], Any]) -> Vector:
    Z = mp.matrix(n, n)
    for i in range(n):
        for j in range(n):
            Z[i, j] = (v[i * n + j] + v[j * n + i]) / 2
    values, Q = mp.eigsy(Z)
    X = Q * mp.diag([f(values[i]) for i in range(n)]) * Q.T
    return [X[i, j] for i in range(n) for j in range(n)]


def resolvent(x: Vector, p: dict[str, Any]) -> Vector:
    D = matrix([[-1, 1, 0], [0, -1, 1]])
    K = mp.eye(3) + p["rho"] * D.T * D + mp.sqrt(p["rho"]) * mp.eye(3)
    M = matrix([p["M"][0:3], p["M"][3:6], p["M"][6:9]])
    return vector(p["rho"] / 3 * M * mp.inverse(K) * M.T * matrix(x) + D.T * D * matrix(p["b"]))


def curved(x: Vector, p: dict[str, Any]) -> Vector:
    s, b = p["s"][0] ** 2 + 1, p["b"]
    return [
        mp.exp(-v * v / 9) / 3 + mp.sqrt(v * v + s) / 2 + mp.log(v * v + 2) * a + mp.sqrt(max(v, a) ** 2 + 3) ** 3 / s
        for v, a in zip(x, b, strict=True)
    ]


def shrinkage(x: Vector, p: dict[str, Any]) -> Vector:
    result = [mpf(0)] * 4
    for group, t in (([0, 2], p["t"][0]), ([1, 3], p["t"][1])):
        size = mp.sqrt(sum(x[i] ** 2 for i in group))
        for i in group:
            result[i] = x[i] * max(mpf(0), 1 - t / size)
    return result


def cone(x: Vector, p: dict[str, Any]) -> Vector:
    t, *v = [a + b for a, b in zip(x, p["b"], strict=True)]
    size = mp.sqrt(sum(a * a for a in v))
    if size <= abs(t):
        return [t, *v] if t > 0 else [mpf(0)] * len(x)
    return [(t + size) / 2, *((t + size) / 2 * a / size for a in v)]


def covariance(x: Vector, p: dict[str, Any]) -> Vector:
    return on_eigenvalues(x, 3, lambda v: (v + mp.sqrt(v * v + 4 * p["t"][0])) / 2)


def splitting(x: Vector, p: dict[str, Any]) -> Vector:
    zs = [(x[i] + x[j]) / 2 for i, j in zip(range(9), (0, 3, 6, 1, 4, 7, 2, 5, 8), strict=True)]
    X = on_eigenvalues(zs, 3, lambda v: soft_threshold(v, p["t"][0]))
    Y = [soft_threshold(2 * a - z, p["t"][0] / 3) for a, z in zip(X, zs, strict=True)]
    return [z + b - a for z, a, b in zip(zs, X, Y, strict=True)]


MATRICES: Data = {
    "D": {"difference": "1", "size": "3"},
    "K": {
        "sum": [
            {"scale": "1", "factors": []},
            {"scale": "rho", "factors": ["D'", "D"]},
            {"scale": "sqrt(rho)", "factors": []},
        ],
        "size": "3",
    },
}
CURVED = "exp(-v**2/9)/3 + sqrt(v**2 + s)/2 + log(v*v + 2)*a + (Max(v, a)**2 + 3)**(3/2)/s"
LINE: dict[str, tuple[Data, Function]] = {
    "an inverse": (
        layers(
            "x:3",
            {"rho": "3/7", "M": [["1", "2", "-1"], ["0", "1/3", "1"], ["-2", "1", "1/2"]], "b": ["1", "2", "3"]},
            affine("y", ("rho/3", "M K^-1 M'", "x"), ("1", "D' D", "b")),
            matrices=MATRICES,
        ),
        lambda x, p: resolvent(x, {**p, "rho": p["rho"][0]}),
    ),
    "a function of each coordinate": (
        layers(
            "x:3",
            {"s": "2", "b": ["1/2", "1", "-1"]},
            scalar("one", "s**2 + 1"),
            elementwise("y", CURVED, "x", s="one", a="b"),
        ),
        curved,
    ),
    "groups": (
        layers(
            "x:4",
            {"t": ["1/2", "1/3"]},
            {"name": "y", "op": "group", "of": "x", "threshold": "t", "groups": [["0", "2"], ["1", "3"]]},
        ),
        shrinkage,
    ),
    "a cone": (
        layers(
            "x:4",
            {"b": ["1/2", "1", "0", "-1"]},
            affine("u", ("1", "", "x"), ("1", "", "b")),
            {"name": "y", "op": "second_order_cone", "of": "u"},
        ),
        cone,
    ),
    "eigenvalues": (
        layers("x:9", {"t": "1/5"}, spectral("y", "(v + sqrt(v**2 + 4*t))/2", "x", "3", t="t")),
        covariance,
    ),
    "eigenvalues with kinks": (
        layers(
            "x:9",
            {"t": "2/3"},
            scalar("third", "t/3"),
            affine("zs", ("1", "sym", "x")),
            {**soft("X", "zs"), "op": "spectral", "size": "3"},
            affine("w", ("2", "", "X"), ("-1", "", "zs")),
            soft("Y", "w", "third"),
            affine("y", ("1", "", "zs"), ("1", "", "Y"), ("-1", "", "X")),
            matrices={"sym": {"symmetrise": "3"}},
        ),
        splitting,
    ),
}


class Random(random.Random):
    """Random numbers with few digits."""

    def number(self) -> Fraction:
        return Fraction(self.randint(-3000, 3000), 1000)

    def numbers(self, n: int) -> list[Fraction]:
        return [self.number() for _ in range(n)]

    def on_sphere(self, n: int) -> Vector:
        v = [mpf(self.gauss(0, 1)) for _ in range(n)]
        size = mp.sqrt(sum(a * a for a in v))
        return [a / size for a in v]


def real(x: Fraction) -> Any:
    return mpf(x.numerator) / x.denominator


def distance(a: Vector, b: Vector) -> Any:
    return mp.sqrt(sum((x - y) ** 2 for x, y in zip(a, b, strict=True)))


def starting_points(name: str, random_: Random, size: int) -> list[Fraction]:
    """A random point; of symmetric matrices also one with a repeated eigenvalue."""
    x = random_.numbers(size)
    if size == 9:
        x = [x[min(i, j) * 3 + max(i, j)] for i in range(3) for j in range(3)]
        if random_.random() < 0.4:
            x = [Fraction(2 * (i == j) - (i == j == 2) * 3) for i in range(3) for j in range(3)]
    return x


@pytest.mark.parametrize("name", LINE)
def test_values_and_derivatives_are_enclosed_on_balls(name: str) -> None:
    subject, function = LINE[name]
    found = 0
    for seed in range(12):
        random_ = Random(seed)
        program = Layers(subject)
        directions = {key: [random_.numbers(size) for _ in range(2)] for key, size in program.sizes.items()}
        setting = Setting(program, BITS, Norms(), directions)
        x = starting_points(name, random_, program.size)
        T = [random_.numbers(program.size) for _ in range(2)]
        point, tangents = fixed(x, BITS), [fixed(column, BITS).centre for column in T]
        radius = random_.choice([0, 1 << BITS - 80, 1 << BITS - 8])
        e = Evaluation(setting, point.centre, radius, Ball(tangents, 0))
        last = program.next
        with mp.workdps(DIGITS):
            unit, values = mpf(2) ** -BITS, {k: list(map(real, program.nodes[k].entries)) for k in program.sizes}
            centre = [a * unit for a in e.value(last).centre]
            near = [
                a * unit + radius * unit * b for a, b in zip(point.centre, random_.on_sphere(program.size), strict=True)
            ]
            assert distance(function(near, values), centre) <= e.reach(last) * unit
            here = function([a * unit for a in point.centre], values)
            assert distance(here, centre) <= e.value(last).error * unit
            assert distance(function(near, values), here) <= real(e.lipschitz(last)) * radius * unit * (
                1 + mpf(10) ** -40
            )
            try:
                tangent = e.tangent(last)
            except Refused:
                continue
            found += 1
            squares, h = mpf(0), mpf(SHIFT)
            for k, column in enumerate(tangents):
                ends = [
                    function(
                        [a + s * h * t * unit for a, t in zip(near, column, strict=True)],
                        {
                            key: [v + s * h * real(d) for v, d in zip(values[key], directions[key][k], strict=True)]
                            for key in values
                        },
                    )
                    for s in (1, -1)
                ]
                slope = [(up - down) / (2 * h) for up, down in zip(*ends, strict=True)]
                squares += distance(slope, [t * unit for t in tangent.columns[k]]) ** 2
            assert mp.sqrt(squares) <= tangent.error * unit + mpf(10) ** -40
            if radius < 1 << BITS - 70:
                assert tangent.error * unit < mpf(10) ** -12, "the enclosure is useless"
    assert found >= 4


@pytest.mark.parametrize("bits", [8, 64, 300])
def test_exponentials_and_logarithms_are_enclosed(bits: int) -> None:
    random_, unit = Random(bits), mpf(2) ** -bits
    for _ in range(300):
        x = random_.choice([-1, 1]) * random_.getrandbits(random_.randint(1, bits + 8))
        with mp.workdps(1000):
            low, high = exp_bounds(x, bits)
            assert low * unit <= mp.exp(x * unit) <= high * unit
            if x > 0:
                low, high = log_bounds(x, bits)
                assert low * unit <= mp.log(x * unit) <= high * unit
                assert high - low <= 2


FUNCTIONS: dict[str, Callable[[Any, Any], Any]] = {
    "v - Max(-t, Min(t, v))": soft_threshold,
    "(v + sqrt(v**2 + 4*t))/2": lambda v, t: (v + mp.sqrt(v * v + 4 * t)) / 2,
    "Abs(v - t)*v/3 + relu(v)**3": lambda v, t: abs(v - t) * v / 3 + max(v, 0) ** 3,
    "exp(v/2)/(1 + exp(v/2)) - log(t + v**2)": lambda v, t: mp.exp(v / 2) / (1 + mp.exp(v / 2)) - mp.log(t + v * v),
    "v/sqrt(t + (v - t)**2)": lambda v, t: v / mp.sqrt(t + (v - t) ** 2),
    "(v**2 + t)**(-3/2) - v**(-2)": lambda v, t: (v * v + t) ** mpf("-1.5") - v**-2,
}


@pytest.mark.parametrize("text", FUNCTIONS)
def test_slopes_are_enclosed_on_intervals(text: str) -> None:
    """A difference quotient is a mean of slopes; those of slopes are means of second derivatives."""
    random_, function = Random(text), ScalarFunction(text, ["t"])
    unit = mpf(2) ** -BITS
    for _ in range(60):
        t = random_.randint(1 << BITS - 4, 2 << BITS)
        low = random_.randint(-4 << BITS, 4 << BITS)
        high = low + random_.getrandbits(random_.randint(1, BITS + 1))
        inputs = {"v": ([low], [high]), "t": ([t], [t])}
        function.ambiguous = False
        try:
            (value,), (top,) = function.evaluate(function.value, inputs, BITS)
            (least,), (most,) = function.slopes("v", inputs, BITS)
            (bent,), (curved,) = function.slopes("v", inputs, BITS, order=2)
        except Refused:
            assert text.endswith("v**(-2)") and low <= 0 <= high
            continue
        f = FUNCTIONS[text]
        with mp.workdps(DIGITS):
            a, b = (unit * random_.randint(low, high) for _ in range(2))
            assert value * unit <= f(a, t * unit) <= top * unit
            h = mpf(10) ** -20
            quotient = (
                (f(a + h, t * unit) - f(a, t * unit)) / h if a == b else (f(a, t * unit) - f(b, t * unit)) / (a - b)
            )
            if a != b:
                room = mpf(10) ** -DIGITS / abs(a - b) * 10**10
                assert least * unit - room <= quotient <= most * unit + room
            if not function.ambiguous:
                second = (f(a + h, t * unit) - 2 * f(a, t * unit) + f(a - h, t * unit)) / h**2
                assert bent * unit - mpf(10) ** -12 <= second <= curved * unit + mpf(10) ** -12


def random_symmetric(random_: Random, n: int) -> list[list[int]]:
    entries = [[random_.randint(-50, 50) for _ in range(n)] for _ in range(n)]
    return [[entries[min(i, j)][max(i, j)] for j in range(n)] for i in range(n)]


@pytest.mark.parametrize("seed", range(6))
def test_norms_are_proved_above_and_not_below(seed: int) -> None:
    random_ = Random(seed)
    m, n = random_.randint(1, 9), random_.randint(1, 9)
    general = [[random_.randint(-50, 50) for _ in range(n)] for _ in range(m)]
    for rows, symmetric in ((general, False), (random_symmetric(random_, n), True)):
        M = Nearly(rows, 10, Fraction(0), n)
        norm = Fraction(float(np.linalg.norm(np.array(rows) / 10, 2)))
        slack = Fraction(1, 10**10)
        assert is_bounded(M, norm * (1 + slack), symmetric)
        assert not is_bounded(M, norm * (1 - slack), symmetric)
        assert not is_bounded(M._replace(error=norm / 10), norm * (1 + slack), symmetric)
        assert norm * (1 - slack) <= near_norm(M, symmetric, norm * 100) <= norm * (1 + slack)


def test_definiteness_is_decided_with_small_margins() -> None:
    """The matrix of ones, plus 2^-45 or minus 2^-45 on the diagonal."""
    for sign in (1, -1):
        n = 40
        rows = [[(1 << 45) + (sign if i == j else 0) for j in range(n)] for i in range(n)]
        assert surely_definite(rows) is (sign > 0)


@pytest.mark.parametrize("seed", range(4))
def test_inverses_are_enclosed(seed: int) -> None:
    random_ = Random(seed)
    n = random_.randint(1, 7)
    B = np.array([[random_.randint(-9, 9) for _ in range(n)] for _ in range(n)])
    B[np.abs(np.subtract.outer(range(n), range(n))) > 1 + seed] = 0
    rows = (B @ B.T + np.eye(n, dtype=int)).tolist()
    error = Fraction(random_.choice([0, 1]), 10**12)
    inverse = Inverse(Nearly(rows, 3, error, n))
    assert 0 < inverse.least < np.linalg.eigvalsh(np.array(rows) / 3)[0] * (1 + 1e-9)
    b = fixed(random_.numbers(n), BITS).wider(5)
    found = inverse.apply(b, BITS)
    with mp.workdps(DIGITS):
        unit = mpf(2) ** -BITS
        exact = mp.lu_solve((matrix(rows) + real(3 * error) * mp.eye(n) / 2) / 3, matrix([a * unit for a in b.centre]))
        assert distance(vector(exact), [a * unit for a in found.centre]) <= found.error * unit
        if not error:
            assert found.error < 1000


@pytest.mark.parametrize(("rows", "least"), [([[1, 2], [2, 1]], -1), ([[0, 1], [1, 0]], -1), ([[1, 1], [1, 1]], 0)])
def test_what_is_not_positive_definite_is_not_inverted(rows: list[list[int]], least: int) -> None:
    assert np.linalg.eigvalsh(rows)[0] == pytest.approx(least)
    with pytest.raises(Refused, match="positive definite"):
        Inverse(Nearly(rows, 1, Fraction(0), 2))


@pytest.mark.parametrize("eigenvalues", [[1, 2, 3, 4], [1, 1, 1, 5], [0, 0, 0, 0], [-2, -2, 3, 3], [7, 7, 7, 7]])
def test_eigenvectors_are_found_where_eigenvalues_repeat(eigenvalues: list[int]) -> None:
    """In the basis of the Hadamard matrix, over 2."""
    H = [[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]
    Z = [
        [(sum(a * H[i][k] * H[j][k] for k, a in enumerate(eigenvalues)) << BITS) // 4 for j in range(4)]
        for i in range(4)
    ]
    found = Eigenvectors(Z, BITS)
    assert sorted(round(a / 2**BITS) for a in found.values) == sorted(eigenvalues)
    assert found.eta < 1000 and found.zeta < 10_000


def test_eigenvectors_stay_useful_where_eigenvalues_nearly_repeat() -> None:
    for gap in range(1, BITS, 9):
        Z = [[3 << BITS, 1 << gap], [1 << gap, 3 << BITS]]
        found = Eigenvectors(Z, BITS)
        assert found.eta < 1000 and found.zeta < 10_000


@pytest.mark.parametrize("order", [1, 2, 3])
def test_differences_are_those_of_numpy(order: int) -> None:
    assert differences(order, 7).dense() == np.diff(np.eye(7, dtype=int), order, axis=0).tolist()

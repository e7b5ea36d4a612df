"""Programs of one's own against the piggyback set: written by hand, and in JAX where it is installed."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.util import find_spec

import numpy as np
import pytest
import sympy as sp
from flint import fmpq

import piggycheck as pc
from piggycheck.algorithms import gradient_descent
from piggycheck.errors import InputError, NoLimitSetError, UnknownError
from piggycheck.expression import parse
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

x, y, theta, eta = sp.symbols("x y theta eta", real=True)
ZERO = {"theta": 0}


def step(text, *parameters):
    return Iteration(SymbolicMap([x], [parse(text, [x, *parameters])], parameters))


CANTOR = step("x/3 + 2*Max(theta, 0)/3", theta)


def returning(x_K, dx_K):
    return lambda *parameters: (x_K, dx_K)


class TestByHand:
    def test_the_middle_of_the_gap(self):
        found = pc.compare(returning([0.0], [[0.5]]), CANTOR, ZERO)
        assert found.lower <= fmpq(1, 6) <= found.upper and found.agrees is False
        assert (found.to_fixed_point, found.policies) == (0, ("jax", "torch"))
        assert str(found) == (
            "the iterate is within 0 of the fixed point; the derivative is at least 0.166666 and at most 0.166667 away "
            "from the piggyback set, and it is what JAX and PyTorch return"
        )

    def test_an_element(self):
        found = pc.compare(returning(np.zeros(1), np.array([[1.0]])), CANTOR, ZERO)
        assert (found.lower, found.agrees, found.policies) == (0, True, ("0",))
        assert "away" in str(found) and "piece 0 returns" in str(found)

    def test_floats_are_taken_exactly(self):
        found = pc.compare(returning([0.1], [[0.0]]), CANTOR, ZERO)
        assert found.x[0, 0] == fmpq(*(0.1).as_integer_ratio())
        assert "has not converged: it is within" in str(found)

    def test_what_was_not_decided_says_so(self):
        found = pc.compare(returning([0.0], [[1.0 + 1e-7]]), CANTOR, ZERO, tolerance="1/10000000")
        assert found.agrees is None

    def test_the_function_sees_the_parameters_as_floats(self):
        seen = []

        def program(*parameters):
            seen.extend(parameters)
            return [1.5], [[2.0, 0.0]]

        linear = step("x/2 + theta/2 + eta/2", theta, eta)
        found = pc.compare(program, linear, {"theta": "1/2", "eta": 1})
        assert seen == [0.5, 1.0] and all(type(value) is float for value in seen)
        assert (found.lower > 0, found.to_fixed_point) == (True, 0)

    def test_two_dimensions(self):
        """The derivative of (I - A)^-1 b in b is (I - A)^-1."""
        b, c = sp.symbols("b c", real=True)
        rows = [x / 2 + y / 4 + b, y / 3 + c]
        turned = Iteration(SymbolicMap([x, y], rows, [b, c]))
        inverse = np.linalg.inv(np.eye(2) - np.array([[0.5, 0.25], [0, 1 / 3]]))
        found = pc.compare(lambda b, c: (inverse @ np.array([b, c]), inverse), turned, {"b": 1, "c": 2})
        assert found.agrees is True and found.upper < fmpq(1, 10**9)

    def test_an_irrational_fixed_point(self):
        root = gradient_descent("x**3/3 - 2*x", ["x"], "1/4", parameters=[theta], start=["1 + theta"])
        with pytest.raises(UnknownError, match="irrational"):
            pc.compare(returning([2**0.5], [[0.0]]), root, ZERO)
        shifted = step("x/2 + sqrt(2)/2 + theta", theta)
        found = pc.compare(returning([2**0.5], [[2.0]]), shifted, ZERO)
        assert found.agrees is True and 0 < found.to_fixed_point < fmpq(1, 10**15)


class TestBadInput:
    @pytest.mark.parametrize(
        ("returned", "said"),
        [
            (0.0, "return two arrays"),
            (([0.0], [[1.0, 2.0]]), "derivative that the function returned has the shape (1, 2)"),
            (([0.0, 1.0], [[1.0]]), "iterate that the function returned has the shape (2,)"),
            (([0.0], [[float("nan")]]), "derivative that the function returned is not finite: [nan]"),
            (([float("inf")], [[0.0]]), "iterate that the function returned is not finite"),
            ((["a"], [[0.0]]), "the type <U1; return 1 by 1 real numbers"),
        ],
    )
    def test_what_cannot_be_read_is_one_line(self, returned, said):
        with pytest.raises(InputError) as caught:
            pc.compare(lambda theta: returned, CANTOR, ZERO)
        assert said in str(caught.value) and "\n" not in str(caught.value)

    def test_what_cannot_be_called(self):
        with pytest.raises(InputError, match="`function`: `3` cannot be called; give a function of the parameters"):
            pc.compare(3, CANTOR, ZERO)

    def test_without_a_set(self):
        with pytest.raises(NoLimitSetError):
            pc.compare(returning([0.0], [[0.0]]), step("2*Abs(x) + theta", theta), ZERO)

    def test_without_parameters(self):
        with pytest.raises(InputError, match="no parameters"):
            pc.compare(returning([0.0], [[]]), step("x/2"))


PROGRAM = """
import json, sys
import jax, jax.numpy as jnp
import piggycheck as pc
import sympy as sp
from piggycheck.expression import parse
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap

jax.config.update("jax_enable_x64", True)
x, theta = sp.symbols("x theta", real=True)
STEPS = {
    "x/3 + 2*Max(theta, 0)/3": lambda x, t: x / 3 + 2 * jnp.maximum(t, 0.0) / 3,
    "Abs(theta) - x/2": lambda x, t: jnp.abs(t) - x / 2,
    "relu(theta) - x/2": lambda x, t: jax.nn.relu(t) - x / 2,
    "(relu(x) - relu(-x))/2 + theta": lambda x, t: (jax.nn.relu(x) - jax.nn.relu(-x)) / 2 + t,
}
answers = {}
for text, step in STEPS.items():
    def run(t):
        state = t * jnp.ones(1)
        for _ in range(60):
            state = step(state, t)
        return state
    iteration = Iteration(SymbolicMap([x], [parse(text, [x, theta])], [theta]))
    found = pc.compare(lambda t: (run(t), jax.jacobian(run)(t)), iteration, {"theta": 0})
    answers[text] = [float(found.derivative[0, 0]), found.agrees, list(found.policies)]
print(json.dumps(answers))
"""


@pytest.mark.skipif(find_spec("jax") is None, reason="the extra `bench` installs JAX")
def test_jax_itself():
    """In a process of its own, because JAX starts threads; 1/2 and 1 are outside, 2/3 and 0 are branches."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", PROGRAM], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    expected = {
        "x/3 + 2*Max(theta, 0)/3": (1 / 2, False),
        "Abs(theta) - x/2": (2 / 3, True),
        "relu(theta) - x/2": (0.0, True),
        "(relu(x) - relu(-x))/2 + theta": (1.0, False),
    }
    for text, (slope, agrees) in expected.items():
        derivative, answer, policies = found[text]
        assert derivative == pytest.approx(slope) and answer is agrees and "jax" in policies, text

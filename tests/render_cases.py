"""The subjects that the tests of the printers share, with their verdicts."""

from __future__ import annotations

from functools import cache

import sympy as sp

from piggycheck.algorithms import forward_backward, gradient_descent, heavy_ball
from piggycheck.claims import (
    ChainRuleSetIsLarger,
    Continuous,
    Converges,
    Derivative,
    Diverges,
    FixedPoint,
    Subject,
    prove,
)
from piggycheck.functions import l1
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

x, theta = sp.symbols("x theta", real=True)
STEEP = [["3/4", "-3/4"], [1, 0]]
GENTLE = [["3/2", "-3/4"], [1, 0]]


def two_slopes(slope):
    f = f"Piecewise((x**2/2, x >= 0), ({slope}*x**2/2, True))"
    return heavy_ball(f, ["x"], 1, "3/4", parameters=["theta"], start=["theta"])


SUBJECTS = {
    "diverging": lambda: Subject(iteration=two_slopes("1/4"), at={"theta": 0}),
    "converging": lambda: Subject(iteration=two_slopes("4/5"), at={"theta": 0}),
    "away": lambda: Subject(iteration=two_slopes("4/5"), at={"theta": 1}),
    "lasso": lambda: Subject(
        iteration=forward_backward(
            "(x-2)**2/2", l1(sp.Symbol("lam", real=True)), ["x"], "1/2", parameters=["lam"], start=[0]
        ),
        at={"lam": 2},
    ),
    "relu": lambda: Subject(
        iteration=Iteration(SymbolicMap([x], [(sp.Max(x, 0) - sp.Max(-x, 0)) / 2 + theta], [theta]), start=[theta]),
        at={"theta": 0},
    ),
    "jump": lambda: Subject(iteration=Iteration(SymbolicMap([x], [sp.Piecewise((x / 2 + 1, x >= 0), (x / 2, True))]))),
    "irrational": lambda: Subject(
        iteration=gradient_descent("sqrt(2)*x**2/2-theta*x", ["x"], "1/2", parameters=["theta"], start=[1]),
        at={"theta": 2},
    ),
    "switched": lambda: Subject(given=SwitchedSystem.from_rows([STEEP, GENTLE])),
    "complex": lambda: Subject(given=SwitchedSystem.from_rows([[["1/2", -3], [1, 0]]], [[[1], [0]]], J0=[[1], [1]])),
    "wide": lambda: Subject(
        given=SwitchedSystem.from_rows(
            [
                [[f"{(7 * i + 3 * j + s) % 11 - 5}/{10**9 + 7 * i + j}" for j in range(5)] for i in range(5)]
                for s in (1, 2)
            ]
        )
    ),
}
CLAIMS = {
    "continuous": Continuous(),
    "fixed_point": FixedPoint(),
    "converges": Converges(),
    "diverges": Diverges(),
    "derivative": Derivative(),
    "chain_rule_set_is_larger": ChainRuleSetIsLarger(),
}
_ON_MAPS = {"continuous", "fixed_point", "chain_rule_set_is_larger"}
_ON_PARAMETERS = {"diverges", "derivative"}


@cache
def subject(name):
    return SUBJECTS[name]()


@cache
def verdict(name, kind):
    return prove(CLAIMS[kind], subject(name))


def verdicts(name):
    """Every verdict that makes sense for the subject."""
    about = subject(name)
    skipped = _ON_MAPS if about.given is not None else set() if about.iteration.map.parameters else _ON_PARAMETERS
    return [verdict(name, kind) for kind in CLAIMS if kind not in skipped]

"""The subjects that the tests of the printers share, with their verdicts."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat
from structured_cases import structured

from piggycheck.algorithms import forward_backward, gradient_descent, heavy_ball
from piggycheck.claims import (
    ChainRuleSetIsLarger,
    Continuous,
    Converged,
    Converges,
    Derivative,
    Diverges,
    EnclosedSubject,
    FixedPoint,
    Subject,
    prove,
    subject_of,
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
STRUCTURED = {
    f"structured {name}": name
    for name in ("lasso", "group lasso", "inverse covariance", "trend filtering", "cone", "nuclear")
}
SUBJECTS |= {name: lambda short=short: subject_of(*structured(short)) for name, short in STRUCTURED.items()}
CLAIMS = {
    "continuous": Continuous(),
    "fixed_point": FixedPoint(),
    "converges": Converges(),
    "diverges": Diverges(),
    "derivative": Derivative(),
    "chain_rule_set_is_larger": ChainRuleSetIsLarger(),
    "converged": Converged(20, "1/1000"),
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
    if isinstance(about, EnclosedSubject):
        derivative = ["derivative"] if about.map.declared else []
        return [verdict(name, kind) for kind in ("fixed_point", "converges", *derivative, "converged")]
    skipped = _ON_MAPS if about.given is not None else set() if about.iteration.map.parameters else _ON_PARAMETERS
    return [verdict(name, kind) for kind in CLAIMS if kind not in {*skipped, "converged"}]


@dataclass(frozen=True)
class StatedProof:
    """A proof as the printers see it: what certificates hold of it."""

    content: tuple[tuple[str, Any], ...]

    @property
    def method(self):
        return dict(self.content)["method"]

    @property
    def rate(self):
        return dict(self.content)["rate"]

    def witness(self):
        return dict(self.content)

    def summary(self):
        return "a proof"


def stated(method, rate, **content):
    return {"method": method, "rate": fmpq(*rate) if isinstance(rate, tuple) else fmpq(rate), **content}


def numbers(*values):
    return [fmpq(value) for value in values]


IDENTITY, HALF = fmpq_mat([[1, 0], [0, 1]]), fmpq(1, 2)
TREE = stated("word_tree", (7, 8), P=IDENTITY, words=((0,), (1, 0), (1, 1)))
LETTERS = stated("word_tree", 1, P=IDENTITY, words=((0,), (1,)))
SCALAR = stated("word_tree", (1, 2), P=fmpq_mat([[1]]), words=((0,), (1,)))
SQUARE = [numbers(1, 0), numbers(0, 1)]
COMBINATIONS = [[[[1, HALF]], [[0, -HALF]]], [[[0, HALF]], [[1, HALF]]]]
WITNESSES = {
    "word_tree": TREE,
    "word_tree_of_letters": LETTERS,
    "word_tree_of_numbers": SCALAR,
    "path_complete": stated(
        "path_complete", (9, 10), forms=[IDENTITY, IDENTITY * 2], edges=[[0, 0, 0], [0, 1, 1], [1, 0, 0], [1, 1, 1]]
    ),
    "path_complete_large": stated(
        "path_complete",
        (9, 10),
        forms=[IDENTITY] * 8,
        edges=[[u, i, (2 * u + i) % 8] for u in range(8) for i in (0, 1)],
    ),
    "polytope": stated("polytope", (21, 20), vertices=SQUARE, basis=[0, 1], coefficients=COMBINATIONS),
    "polytope_large": stated(
        "polytope", (21, 20), vertices=SQUARE * 50, basis=[0, 1], coefficients=[COMBINATIONS[0] * 50] * 2
    ),
    "nonnegative": stated("nonnegative", 2, vertices=SQUARE, coefficients=COMBINATIONS),
    "nonnegative_alone": stated("nonnegative", 2, vertices=[numbers(1, 3)], coefficients=[[[[0, 1]]]] * 2),
    "complex_polytope": stated(
        "complex_polytope",
        (3, 2),
        vertices=[[numbers(1, 0), numbers(0, 1)], [numbers(0, 0), numbers(1, 0)]],
        basis=[0, 1],
        coefficients=[[[[0, HALF, HALF, fmpq(3, 4)]]] * 2] * 2,
    ),
    "lift": stated(
        "lift",
        (3, 2),
        degree=2,
        proof=stated("word_tree", (9, 4), P=fmpq_mat(3, 3, [1, 0, 0, 0, 1, 0, 0, 0, 1]), words=((0,), (1,))),
    ),
    "corners": stated("corners", (7, 8), proof=TREE),
    "blocks": stated(
        "blocks",
        (7, 8),
        basis=fmpq_mat([[1, 0, 0, 0], [1, 1, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]]),
        sizes=[2, 1, 1],
        proofs=[TREE, SCALAR, None],
    ),
    "blocks_many": stated(
        "blocks",
        (1, 2),
        basis=fmpq_mat(9, 9, [int(i % 10 == 0) for i in range(81)]),
        sizes=[1] * 9,
        proofs=[SCALAR] * 9,
    ),
    "blocks_alone": stated("blocks", (7, 8), basis=IDENTITY, sizes=[2], proofs=[TREE]),
    "blocks_of_zeros": stated("blocks", 0, basis=IDENTITY, sizes=[2], proofs=[None]),
    "nested": stated(
        "blocks",
        (3, 2),
        basis=fmpq_mat([[1, 0, 1], [0, 1, 0], [0, 0, 1]]),
        sizes=[2, 1],
        proofs=[
            stated(
                "lift",
                (3, 2),
                degree=2,
                proof=stated("blocks", (9, 4), basis=IDENTITY, sizes=[1, 2], proofs=[SCALAR, LETTERS]),
            ),
            SCALAR,
        ],
    ),
}


def told_proof(name):
    """A verdict whose derivation has one proof of the kind."""
    from piggycheck.claims import Proved
    from piggycheck.derivation import BoundsStep, ContractionStep, Derivation, SwitchedStep

    proof = StatedProof(tuple(WITNESSES[name].items()))
    A = tuple(SwitchedSystem.from_rows([STEEP, GENTLE]).A)
    steps = [
        SwitchedStep(A, (fmpq_mat(2, 1), fmpq_mat(2, 1)), None),
        ContractionStep(proof),
        BoundsStep(fmpq(1, 9), (0,), proof),
    ]
    found = f"the joint spectral radius is at most {proof.rate}"
    return Proved("joint_spectral_radius", "the joint spectral radius is known", found, derivation=Derivation(steps))

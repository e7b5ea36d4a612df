"""What frameworks return at ties, and the claim that the limit of a selection policy is in the piggyback set."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from fractions import Fraction

from .conditions import Signs
from .intervals import ONE, Interval
from .jets import Jet
from .limit_sets import BALL, POINT, TREE, Rule, element_proved, element_refuted
from .matrices import combine, equal, matrix, say_matrix, spectral_radius_reaches, times
from .pieces import evaluate, outcome_of
from .program import Program
from .reading import Data, Refused, Unreadable, text
from .subject import FixedPoint, Pair

SLOPES: dict[str, dict[str, int]] = {  # of functions at 0; tied arguments of a Max or Min share; the slope of sign is 0
    "jax": {"relu": 0, "Abs": 1},
    "torch": {"relu": 0, "Abs": 0},
}


class Tie(Exception):
    """A switch whose guard is zero."""

    def __init__(self, switch: int) -> None:
        self.switch = switch


class ByConvention:
    """Evaluates a program; where a switch ties it is a smooth function with the slopes of a convention."""

    def __init__(self, program: Program, inputs: Mapping[str, Jet], slopes: Mapping[str, int]) -> None:
        self.program, self.inputs, self.slopes = program, inputs, slopes
        self.tied: dict[int, Jet] = {}

    def jets(self, nodes: Sequence[int]) -> list[Jet]:
        """Evaluate nodes, again for each tie that is met."""
        while True:
            try:
                return evaluate(self.program, nodes, self.inputs, self.decide, self.tied)
            except Tie as tie:
                self.tied[tie.switch] = self.smooth(tie.switch)

    def decide(self, switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
        """Take the outcome of the value; a `Piecewise` and a `sign` do so at ties too."""
        sign, kink = guard.value.sign(), self.program.nodes[switch]
        if sign == 0 and kink.kind == "switch" and kink.data[0] != "sign":
            raise Tie(switch)
        return outcome_of(outcomes, sign)

    def smooth(self, switch: int) -> Jet:
        """A multiple of the argument of a relu or Abs, the mean of the arguments of a Max or Min that tie."""
        _, parts, (name, *compared) = self.program.nodes[switch]
        if name in self.slopes:
            argument = self.jets([parts[1] if name == "relu" else parts[3]])[0]
            return argument * Jet({(): Interval(Fraction(self.slopes[name]))})
        arguments = self.jets(compared)
        equals = [jet for jet in arguments if (jet + -arguments[-1]).value.sign() == 0]
        return sum(equals[1:], equals[0]) * Jet({(): Interval(Fraction(1, len(equals)))})


def pair_of(subject: FixedPoint, policy: str) -> Pair:
    """The Jacobian pair that a policy uses at the fixed point."""
    if policy in SLOPES:
        jets = subject.map.jets(subject.point, subject.map.names)
        return subject.pair(ByConvention(subject.map.program, jets, SLOPES[policy]).jets(subject.map.next))
    if not re.fullmatch(r"\d{1,4}", policy, re.ASCII):
        raise Unreadable(f"`{policy[:40]}`: no such policy; known are {', '.join(SLOPES)} and the indices of pieces")
    letter = subject.word([policy], active=True)[0]
    return subject.A[letter], subject.B[letter]


def limit(claim: Data, subject: FixedPoint, witness: Data) -> tuple[str, Data, Data]:
    """What to say of the limit of the policy; the claim that it is in the set, and the witness of that."""
    policy = text(claim.get("policy"), "claim.policy")
    X = matrix(witness["limit"], "limit", subject.p, subject.m)
    A, B = pair_of(subject, policy)
    if not equal(combine(times(A, X), ONE, B), X):
        raise Refused("the limit is not fixed by the pair of the policy, or this is not decided exactly")
    if spectral_radius_reaches(A, Fraction(1)):
        raise Refused("the pair of the policy does not contract")
    rest = {key: value for key, value in witness.items() if key != "limit"}
    return f"the limit {say_matrix(X)} of the policy {policy}", {"value": witness["limit"]}, rest


def practice_proved(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The limit of the policy is a point of the piggyback set."""
    said, element, rest = limit(claim, subject, witness)
    return f"{said}: {element_proved(element, subject, rest)}"


def practice_refuted(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """Directions separate the limit of the policy from the piggyback set."""
    said, element, rest = limit(claim, subject, witness)
    return f"{said}: {element_refuted(element, subject, rest)}"


def practice_without_limit(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The pair of the policy has a spectral radius of at least 1: not all starts lead to one limit."""
    policy = text(claim.get("policy"), "claim.policy")
    A, _ = pair_of(subject, policy)
    if not spectral_radius_reaches(A, Fraction(1)):
        raise Refused("the pair of the policy contracts")
    return f"the policy {policy} has no limit that all starts lead to, with {subject}"


RULES: dict[tuple[str, str, str], Rule] = {
    ("practice_agrees", "proved", "word_tree"): (practice_proved, (*TREE, *POINT, "limit"), ()),
    ("practice_agrees", "refuted", "word_tree"): (practice_refuted, (*TREE, *BALL, "cells", "limit"), ("core",)),
    ("practice_agrees", "refuted", "no_limit"): (practice_without_limit, ("method",), ()),
}
CLAIM = {"practice_agrees": ("policy",)}

"""Scalar expressions in the parameters of a structured map: their values, and their derivatives along directions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from .conditions import Signs
from .intervals import Interval
from .jets import Jet, Monomial
from .pieces import evaluate, outcome_of
from .program import Program
from .reading import Refused

Directions = Mapping[str, Sequence[Sequence[Fraction]]]  # for parameters, entry after entry, along each direction


class Scalars:
    """The expressions of a program, some of which have names."""

    def __init__(self, program: Program, values: Mapping[str, Fraction], directions: Directions) -> None:
        self.program, self.count = program, len(next(iter(directions.values()), ()))
        self.inputs: dict[str, Jet] = {}
        for name, value in values.items():
            slopes: dict[Monomial, Interval] = {
                (k,): Interval(column[0]) for k, column in enumerate(directions.get(name, ()))
            }
            moves = any(not c.is_zero for c in slopes.values())
            self.inputs[name] = Jet({(): Interval(value), **slopes}, cut=moves)
        self.known: dict[int, Jet] = {}

    def define(self, name: str, node: int) -> None:
        """Give an expression a name."""
        self.inputs[name] = self.jet(node)

    def jet(self, node: int) -> Jet:
        """The value and the derivatives."""
        if node not in self.known:
            self.known[node] = evaluate(self.program, [node], self.inputs, decided)[0]
        return self.known[node]

    def slopes(self, node: int) -> list[Interval] | None:
        """The derivatives; None when they are zero."""
        slopes = self.jet(node).slopes(self.count)
        return None if all(c.is_zero for c in slopes) else slopes


def decided(switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
    """The outcome of a guard; refuse a tie which the parameters can leave."""
    sign = guard.value.sign()
    if sign == 0 and not guard.constant:
        raise Refused("a guard of a scalar expression vanishes, so that its derivative is not one number")
    return outcome_of(outcomes, sign)

"""Pieces: evaluate a program, where at every kink a decision says which outcome is taken."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from fractions import Fraction
from functools import reduce
from typing import Any, NamedTuple

from .conditions import Condition, Signs, impossible
from .intervals import ONE, Interval, exponential, logarithm, monotone, power, square_root
from .jets import Jet
from .program import Program
from .reading import Refused, say

MOST_PATTERNS = 4096

Decision = Callable[[int, int, Jet, list[Signs]], Signs]  # (switch, guard's node, guard, outcomes) -> the outcome taken


class Gap(Refused):
    """No condition of a Piecewise holds."""


class Impossible(Exception):
    """The signs chosen so far contradict each other."""


def evaluate(
    program: Program,
    outputs: Sequence[int],
    inputs: Mapping[str, Jet],
    decide: Decision,
    given: Mapping[int, Jet] | None = None,
) -> list[Jet]:
    """Evaluate nodes on jets, some of them given; only those that are needed, each once."""
    known = dict(given or {})

    def number(i: int) -> Jet:
        if i not in known:
            known[i] = compute(i, *program.nodes[i])
        return known[i]

    def compute(i: int, kind: str, parts: tuple[int, ...], data: Any) -> Jet:
        match kind:
            case "number":
                return Jet({(): Interval(data)})
            case "name":
                return inputs[data]
            case "piecewise":
                for value, condition in zip(parts[::2], parts[1::2], strict=True):
                    if truth(condition, i):
                        return number(value)
                point = ", ".join(f"{name} = {say(jet.value.lo)}" for name, jet in inputs.items())
                raise Gap(f"no branch of a Piecewise applies at, or beside, {point}")
            case "switch":
                guard, *values = parts
                outcomes = [tuple(s for s in (-1, 0, 1) if values[s + 1] == v) for v in dict.fromkeys(values)]
                return number(values[decide(i, guard, number(guard), outcomes)[0] + 1])
            case "sum":
                return reduce(Jet.__add__, map(number, parts))
            case "product":
                return reduce(Jet.__mul__, map(number, parts))
        jet = number(parts[0])
        a = jet.value
        match kind:
            case "negative":
                return -jet
            case "power":
                if jet.cut:
                    return jet.composed(a.power(data), lambda: Interval(data) * a.power(max(0, data - 1)))
                return power(jet, data, Jet({(): ONE}))
            case "reciprocal":
                return jet.composed(r := a.reciprocal(), lambda: -(r * r))
            case "sqrt":
                return jet.composed(r := monotone(square_root, a), lambda: (Interval(2) * r).reciprocal())
            case "exp":
                return jet.composed(r := monotone(exponential, a), lambda: r)
        return jet.composed(monotone(logarithm, a), a.reciprocal)

    def truth(i: int, piecewise: int) -> bool:
        def related(guard: int, signs: Signs) -> bool:
            outcomes = [signs, tuple(s for s in (-1, 0, 1) if s not in signs)]
            return bool(decide(piecewise, guard, number(guard), outcomes) == signs)

        return program.holds(i, related)

    return [number(i) for i in outputs]


def outcome_of(outcomes: list[Signs], sign: int) -> Signs:
    """The outcome to which a sign leads."""
    return next(signs for signs in outcomes if sign in signs)


def beside(direction: Sequence[Fraction]) -> Decision:
    """Take the outcomes on the side of a direction; those of the value, where all jets are constant."""
    return lambda switch, node, guard, outcomes: outcome_of(outcomes, guard.along(direction))


class Met(NamedTuple):
    """A guard that an evaluation met, and whether it was open."""

    guard: Jet
    outcome: Signs
    tied: bool


class Pattern(NamedTuple):
    """Consistent outcomes, and the values that they give."""

    outputs: list[Jet] | None  # None where no condition of a Piecewise holds
    met: list[Met]
    conditions: list[Condition]


class Patterns:
    """Run through all consistent outcomes of the guards that are open, depth first, by evaluating again for each.

    Open are the guards that vanish at the point; everywhere=True: all that are not constant. Guards equal up to a
    factor are one guard, with one sign; chain_rule=True: in each switch on its own, consistent or not. Outcomes proved
    impossible are left out. interior=True also leaves out the outcomes that hold on the zero set of a guard only.
    """

    def __init__(self, everywhere: bool = False, interior: bool = False, chain_rule: bool = False) -> None:
        self.everywhere, self.interior, self.chain_rule = everywhere, interior, chain_rule
        self.choices: list[list[tuple[Signs, Signs]]] = []  # for each free decision what is left to take, the last now
        self.signs: dict[Any, Condition] = {}
        self.met: list[Met] = []
        self.depth = 0

    def run(
        self,
        program: Program,
        outputs: Sequence[int],
        inputs: Mapping[str, Jet],
        given: Mapping[int, Jet] | None = None,
    ) -> Iterator[Pattern]:
        """Evaluate nodes for one pattern of outcomes after the other."""
        for _ in range(MOST_PATTERNS):
            self.signs, self.met, self.depth = {}, [], 0
            jets = None
            with contextlib.suppress(Impossible):
                with contextlib.suppress(Gap):
                    jets = evaluate(program, outputs, inputs, self.decide, given)
                yield Pattern(jets, self.met, list(self.signs.values()))
            while self.choices and len(self.choices[-1]) == 1:
                self.choices.pop()
            if not self.choices:
                return
            self.choices[-1].pop()
        raise Refused(f"more than {MOST_PATTERNS} sign patterns")

    def decide(self, switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
        """Take the next outcome where the guard is open, and otherwise that of its value."""
        if self.everywhere and guard.cut:
            raise Refused("a guard is not a polynomial")
        tied = not guard.constant and (self.everywhere or guard.value.is_zero)
        outcome = self.choose(switch, node, guard, outcomes) if tied else outcome_of(outcomes, guard.value.sign())
        self.met.append(Met(guard, outcome, tied))
        return outcome

    def choose(self, switch: int, node: int, guard: Jet, outcomes: list[Signs]) -> Signs:
        """Take the next outcome, and note the signs that it leaves to the guard."""
        key: Any = node
        flip = 1
        if guard.rational:
            lead = guard.terms[min(guard.terms)]
            flip = lead.sign()
            guard = guard * Jet({(): lead.reciprocal()})
            key = tuple(sorted((m, c.lo) for m, c in guard.terms.items()))
        if self.chain_rule:
            key = switch, key
        if self.depth == len(self.choices):
            options = self.options(key, guard, flip, outcomes)
            if not options:
                raise Impossible
            self.choices.append(options)
        outcome, signs = self.choices[self.depth][-1]
        self.depth += 1
        self.signs[key] = (guard, signs)
        return outcome

    def options(self, key: Any, guard: Jet, flip: int, outcomes: list[Signs]) -> list[tuple[Signs, Signs]]:
        """The outcomes that can be taken, each with the signs that it leaves to the guard."""
        nonzero = any(not c.lo <= 0 <= c.hi for c in guard.terms.values())
        allowed: Signs = (-1, 1) if self.interior and nonzero else (-1, 0, 1)
        if key in self.signs:
            allowed = self.signs[key][1]
        found = [(outcome, tuple(flip * s for s in outcome if flip * s in allowed)) for outcome in outcomes]
        found = [(outcome, signs) for outcome, signs in found if signs]
        if self.chain_rule or len(found) == 1:
            return found
        others = [condition for k, condition in self.signs.items() if k != key]
        return [(outcome, signs) for outcome, signs in found if not impossible([*others, (guard, signs)])]

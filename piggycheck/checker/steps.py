"""Steps: nonlinear functions of one node. Here those of each coordinate; others are in cones and in spectral."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from fractions import Fraction
from functools import cached_property
from typing import NamedTuple

from .exact import upward
from .fixed import Ball, Bounds, add, bounded, bounds_around, enlarged, norm, rounding
from .intervals import ONE, Interval
from .nodes import Evaluation, Node, summed_atoms
from .reading import Refused
from .scalar_functions import VARIABLE, ScalarFunction
from .words import Polynomial

HALF = Interval(Fraction(1, 2))


class Steepness(NamedTuple):
    """Of a step on a ball: Lipschitz constants of its atom and of itself, and by how much its derivative varies."""

    atom: Fraction
    whole: Fraction
    variation: Fraction


class Step(Node):
    """A nonlinear function of one node, with arguments that do not move."""

    proximal = True

    def __init__(self, name: str, size: int, source: Node, arguments: Mapping[str, Node]) -> None:
        super().__init__(name, size, [source, *arguments.values()])
        self.source, self.arguments = source, arguments

    @cached_property
    def atoms(self) -> dict[str, Polynomial]:
        """The half of its source and of its atom; or itself."""
        if not self.moving:
            return {}
        if not self.proximal:
            return {self.name: {(): ONE}}
        own: dict[str, Polynomial] = {self.name: {(): HALF}}
        return own | summed_atoms([(HALF, (), self.source)])

    @abstractmethod
    def steepness(self, e: Evaluation) -> Steepness:
        """Lipschitz constants on the ball."""


class Elementwise(Step):
    """A scalar function of every coordinate."""

    def __init__(
        self, name: str, source: Node, arguments: Mapping[str, Node], function: ScalarFunction, proximal: bool
    ) -> None:
        super().__init__(name, source.size, source, arguments)
        self.function, self.proximal = function, proximal
        self.symmetric = all(node.symmetric or node.size == 1 for node in self.sources)

    def inputs(self, e: Evaluation, distance: int) -> dict[str, Bounds]:
        """Bounds of the variable within a distance, and of the arguments."""
        found = {VARIABLE: bounds_around(e.value(self.source).centre, distance)}
        for name, node in self.arguments.items():
            lower, upper = e.value(node).bounds()
            if node.size == 1:
                exact = lower is upper
                lower = lower * self.size
                upper = lower if exact else upper * self.size
            found[name] = lower, upper
        return found

    def value(self, e: Evaluation) -> Ball:
        """The value of each coordinate."""
        inputs = self.inputs(e, e.value(self.source).error)
        return bounded(self.function.evaluate(self.function.value, inputs, e.numbers.bits))

    def enclosed_slopes(self, e: Evaluation, name: str) -> tuple[Bounds, bool]:
        """A derivative on the ball, and whether it is that of one branch."""
        if (self, name) not in e.memo:
            self.function.ambiguous = False
            bounds = self.function.slopes(name, self.inputs(e, e.reach(self.source)), e.numbers.bits)
            e.memo[self, name] = bounds, not self.function.ambiguous
        found: tuple[Bounds, bool] = e.memo[self, name]
        return found

    def vanishing(self, e: Evaluation) -> list[bool]:
        """Where the slope is 0."""
        if not self.moving:
            return super().vanishing(e)
        return [low == high == 0 for low, high in zip(*self.enclosed_slopes(e, VARIABLE)[0], strict=True)]

    def steepness(self, e: Evaluation) -> Steepness:
        """The largest slopes."""
        (lower, upper), _ = self.enclosed_slopes(e, VARIABLE)
        bits = e.numbers.bits
        a, b = Fraction(min(lower), 1 << bits), Fraction(max(upper), 1 << bits)
        varied = max(high - low for low, high in zip(lower, upper, strict=True))
        return steepness_between(a, b, self.proximal, Fraction(varied, 1 << bits))

    def tangent(self, e: Evaluation) -> Ball | None:
        """Slopes times tangents."""
        result: Ball | None = None
        for name, node in {VARIABLE: self.source, **self.arguments}.items():
            tangent = e.tangent(node)
            if tangent is None:
                continue
            slopes, decided = self.enclosed_slopes(e, name)
            if not decided:
                raise Refused(f"node {self.name}: a guard may vanish, so that its derivative is not one number")
            result = add(result, self.moved(slopes, tangent, e.numbers.bits))
        return result

    def moved(self, slopes: Bounds, tangent: Ball, bits: int) -> Ball:
        """The products of numbers between bounds with the rows of a tangent."""
        middle = bounded(slopes).centre
        if len(tangent.columns[0]) == self.size:
            columns = [[d * t >> bits for d, t in zip(middle, column, strict=True)] for column in tangent.columns]
            spread = max(high - d for high, d in zip(slopes[1], middle, strict=True))
            steepest = max(max(map(abs, slopes[0])), max(map(abs, slopes[1])))
        else:
            columns = [[d * t >> bits for d in middle] for (t,) in tangent.columns]
            spread = norm([high - d for high, d in zip(slopes[1], middle, strict=True)])
            steepest = norm(middle) + spread
        error = enlarged(tangent.error, Fraction(steepest, 1 << bits)) + enlarged(
            tangent.size, Fraction(spread, 1 << bits)
        )
        return Ball(columns, error + rounding(columns))


def steepness_between(low: Fraction, high: Fraction, proximal: bool, variation: Fraction) -> Steepness:
    """What slopes between two bounds give: the atom of a proximal step has the slopes 2 d - 1."""
    whole = max(abs(low), abs(high))
    return Steepness(
        upward(max(abs(2 * low - 1), abs(2 * high - 1)) if proximal else whole), upward(whole), upward(variation)
    )

"""Nodes: the steps of a structured map, each with its value, its tangents and its Lipschitz constant.

An atom is the state, or what is nonexpansive in a proximal step y of u: N(u) = 2 y - u; or a step that is none. Every
node is a sum of matrices times atoms, and its Lipschitz constant at most the sum of their norms times those of the atoms.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple, Protocol

from .exact import upward
from .factors import Numbers, Slice, Term
from .fixed import Ball, Bounds, add, bounded, bounds_around, enlarged, fixed, norm, rounding
from .intervals import ONE, Interval
from .reading import Refused
from .scalar_functions import VARIABLE, ScalarFunction
from .scalars import Directions
from .words import Polynomial, Word, sum_of

HALF = Interval(Fraction(1, 2))
STATE = "state"  # the name of that atom


class Steepness(NamedTuple):
    """Of a step on a ball: Lipschitz constants of its atom and of itself, and by how much its derivative varies."""

    atom: Fraction
    whole: Fraction
    variation: Fraction


class Evaluation(Protocol):
    """The nodes evaluated at a point, on a ball around it, and along tangents."""

    directions: Directions
    memo: dict[Any, Any]  # what nodes compute once

    @property
    def numbers(self) -> Numbers:
        """The precision, and the numbers of the program."""

    def value(self, node: Node) -> Ball:
        """The value at the point."""

    def reach(self, node: Node) -> int:
        """A bound of the distance from the computed value to the true one anywhere on the ball."""

    def tangent(self, node: Node) -> Ball | None:
        """The tangents: a ball for those at all points of the ball; None for zero."""


class Node:
    """A vector: its name, its size, the nodes from which it comes; whether it depends on the state."""

    symmetric = False  # whether it is, row after row, a symmetric matrix

    def __init__(self, name: str, size: int, sources: Sequence[Node]) -> None:
        self.name, self.size, self.sources = name, size, sources
        self.moving: bool = any(source.moving for source in sources)

    def value(self, e: Evaluation) -> Ball:
        """The value at the point."""
        raise NotImplementedError

    def tangent(self, e: Evaluation) -> Ball | None:
        """The tangents on the ball."""
        raise NotImplementedError

    @cached_property
    def atoms(self) -> dict[str, Polynomial]:
        """The matrices, up to a constant, of which it is the sum of products with atoms."""
        return summed_atoms(self.parts()) if self.moving else {}

    def parts(self) -> list[tuple[Interval, Word, Node]]:
        """The terms coefficient * word * node of which it is the sum."""
        raise NotImplementedError

    def vanishing(self, e: Evaluation) -> list[bool]:
        """For each coordinate, whether its derivative in the state is proved to be 0 on the ball."""
        return [not self.moving] * self.size


def summed_atoms(parts: Sequence[tuple[Interval, Word, Node]]) -> dict[str, Polynomial]:
    """The atoms of a sum of terms."""
    moving = [part for part in parts if part[2].moving]
    names = dict.fromkeys(atom for _, _, node in moving for atom in node.atoms)
    found = {a: sum_of((c, word, node.atoms[a]) for c, word, node in moving if a in node.atoms) for a in names}
    return {a: polynomial for a, polynomial in found.items() if polynomial}


class State(Node):
    """A block of the state."""

    def __init__(self, name: str, cut: Slice) -> None:
        super().__init__(name, cut.height, [])
        self.moving, self.cut = True, cut

    @cached_property
    def atoms(self) -> dict[str, Polynomial]:
        """A part of the state."""
        return {STATE: {() if self.cut.height == self.cut.size else (self.cut,): ONE}}


class Constant(Node):
    """A vector of the certificate, or a parameter."""

    def __init__(self, name: str, entries: Sequence[Fraction]) -> None:
        super().__init__(name, len(entries), [])
        n = round(len(entries) ** 0.5)
        self.entries = entries
        self.symmetric = n * n == len(entries) and all(
            entries[i * n + j] == entries[j * n + i] for i in range(n) for j in range(i)
        )

    def value(self, e: Evaluation) -> Ball:
        """The numbers."""
        return fixed(self.entries, e.numbers.bits)

    def tangent(self, e: Evaluation) -> Ball | None:
        """The directions, if it is a parameter."""
        if self.name not in e.directions:
            return None
        columns = [fixed(column, e.numbers.bits) for column in e.directions[self.name]]
        return Ball([ball.centre for ball in columns], sum(ball.error for ball in columns))


class Scalar(Node):
    """A scalar expression in parameters."""

    symmetric = True

    def __init__(self, name: str, node: int) -> None:
        super().__init__(name, 1, [])
        self.node = node

    def value(self, e: Evaluation) -> Ball:
        """The number."""
        return Ball([[1 << e.numbers.bits]], 0).times(e.numbers.scale(self.node))

    def tangent(self, e: Evaluation) -> Ball | None:
        """Its derivatives."""
        slopes = e.numbers.scale_slopes(self.node)
        if slopes is None:
            return None
        balls = [Ball([[1 << e.numbers.bits]], 0).times(c) for c in slopes]
        return Ball([ball.centre for ball in balls], sum(ball.error for ball in balls))


class Affine(Node):
    """A sum of matrices times nodes."""

    def __init__(self, name: str, size: int, terms: Sequence[tuple[Term, Interval, Node]], symmetric: bool) -> None:
        super().__init__(name, size, [source for _, _, source in terms])
        self.terms, self.symmetric = terms, symmetric

    def parts(self) -> list[tuple[Interval, Word, Node]]:
        """The terms."""
        return [(scale, term.factors, source) for term, scale, source in self.terms]

    def value(self, e: Evaluation) -> Ball:
        """The sum; of terms that do not move, only once."""
        result: Ball | None = None
        for term, _, source in self.terms:
            result = add(result, term.apply(e.value(source), e.numbers))
        return result or Ball([[0] * self.size], 0)

    def tangent(self, e: Evaluation) -> Ball | None:
        """By the product rule."""
        result: Ball | None = None
        for term, _, source in self.terms:
            tangent = e.tangent(source)
            result = add(result, None if tangent is None else term.apply(tangent, e.numbers))
            result = add(result, term.slopes(Ball([e.value(source).centre], e.reach(source)), e.numbers))
        return result


class Stack(Node):
    """Nodes below each other."""

    def __init__(self, name: str, sources: Sequence[Node]) -> None:
        super().__init__(name, sum(source.size for source in sources), sources)
        starts = [sum(source.size for source in sources[:k]) for k in range(len(sources))]
        self.cuts = [Slice(a, a + part.size, self.size) for a, part in zip(starts, sources, strict=True)]

    def parts(self) -> list[tuple[Interval, Word, Node]]:
        """The terms."""
        return [(ONE, (cut.transposed,), part) for cut, part in zip(self.cuts, self.sources, strict=True)]

    def value(self, e: Evaluation) -> Ball:
        """The vectors below each other."""
        return below([e.value(source) for source in self.sources])

    def tangent(self, e: Evaluation) -> Ball | None:
        """The tangents below each other."""
        tangents = [e.tangent(source) for source in self.sources]
        width = next((len(T.columns) for T in tangents if T is not None), None)
        if width is None:
            return None
        zeros = [Ball([[0] * source.size] * width, 0) for source in self.sources]
        return below([zero if T is None else T for zero, T in zip(zeros, tangents, strict=True)])

    def vanishing(self, e: Evaluation) -> list[bool]:
        """Those of its parts."""
        return [vanishes for source in self.sources for vanishes in source.vanishing(e)]


def below(balls: Sequence[Ball]) -> Ball:
    """The columns below each other."""
    columns = [[a for part in parts for a in part] for parts in zip(*(ball.columns for ball in balls), strict=True)]
    return Ball(columns, norm([ball.error for ball in balls]))


class Part(Node):
    """Some coordinates of a node."""

    def __init__(self, name: str, source: Node, start: int, stop: int) -> None:
        super().__init__(name, stop - start, [source])
        self.start, self.stop = start, stop

    def parts(self) -> list[tuple[Interval, Word, Node]]:
        """The one term."""
        source = self.sources[0]
        return [(ONE, (Slice(self.start, self.stop, source.size),) if self.size < source.size else (), source)]

    def value(self, e: Evaluation) -> Ball:
        """The coordinates."""
        return self.cut(e.value(self.sources[0]))

    def tangent(self, e: Evaluation) -> Ball | None:
        """The coordinates of the tangents."""
        tangent = e.tangent(self.sources[0])
        return None if tangent is None else self.cut(tangent)

    def vanishing(self, e: Evaluation) -> list[bool]:
        """Those of its source."""
        return self.sources[0].vanishing(e)[self.start : self.stop]

    def cut(self, ball: Ball) -> Ball:
        """The coordinates of a ball."""
        return Ball([column[self.start : self.stop] for column in ball.columns], ball.error)


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

    def steepness(self, e: Evaluation) -> Steepness:
        """Lipschitz constants on the ball."""
        raise NotImplementedError


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

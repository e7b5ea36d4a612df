"""Nodes: the steps of a structured map, each with its value, its tangents and its Lipschitz constant.

An atom is the state, or what is nonexpansive in a proximal step y of u: N(u) = 2 y - u; or a step that is none. Every
node is a sum of matrices times atoms, and its Lipschitz constant at most the sum of the norms times those of the atoms.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from fractions import Fraction
from functools import cached_property
from typing import Any, Protocol

from .factors import Numbers, Slice, Term
from .fixed import Ball, add, fixed, norm
from .intervals import ONE, Interval
from .scalars import Directions
from .words import Polynomial, Word, sum_of

HALF = Interval(Fraction(1, 2))
STATE = ""  # that atom, among the names of the others


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

    def block(self, cut: Slice) -> Ball:
        """A block of the state at the point."""

    def block_tangent(self, cut: Slice) -> Ball:
        """A block of the tangents of the state."""


class Node(ABC):
    """A vector: its name, its size, the nodes from which it comes; whether it depends on the state."""

    symmetric = False  # whether it is, row after row, a symmetric matrix

    def __init__(self, name: str, size: int, sources: Sequence[Node]) -> None:
        self.name, self.size, self.sources = name, size, sources
        self.moving: bool = any(source.moving for source in sources)

    @abstractmethod
    def value(self, e: Evaluation) -> Ball:
        """The value at the point."""

    @abstractmethod
    def tangent(self, e: Evaluation) -> Ball | None:
        """The tangents on the ball."""

    @cached_property
    def atoms(self) -> dict[str, Polynomial]:
        """The matrices, up to a constant, of which it is the sum of products with atoms."""
        return {}

    def vanishing(self, e: Evaluation) -> list[bool]:
        """For each coordinate, whether its derivative in the state is proved to be 0 on the ball."""
        return [not self.moving] * self.size


class Linear(Node):
    """A sum of terms coefficient * word * node."""

    @abstractmethod
    def parts(self) -> list[tuple[Interval, Word, Node]]:
        """The terms."""

    @cached_property
    def atoms(self) -> dict[str, Polynomial]:
        """Those of its terms."""
        return summed_atoms(self.parts()) if self.moving else {}


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

    def value(self, e: Evaluation) -> Ball:
        """The block."""
        return e.block(self.cut)

    def tangent(self, e: Evaluation) -> Ball | None:
        """The block of the tangents."""
        return e.block_tangent(self.cut)


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


class Affine(Linear):
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


class Stack(Linear):
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


class Part(Linear):
    """Some coordinates of a node."""

    def __init__(self, name: str, source: Node, start: int, stop: int) -> None:
        super().__init__(name, stop - start, [source])
        self.start, self.stop, self.slice = start, stop, Slice(start, stop, source.size)

    def parts(self) -> list[tuple[Interval, Word, Node]]:
        """The one term."""
        source = self.sources[0]
        return [(ONE, (self.slice,) if self.size < source.size else (), source)]

    def value(self, e: Evaluation) -> Ball:
        """The coordinates."""
        return self.slice.apply(e.value(self.sources[0]), e.numbers)

    def tangent(self, e: Evaluation) -> Ball | None:
        """The coordinates of the tangents."""
        tangent = e.tangent(self.sources[0])
        return None if tangent is None else self.slice.apply(tangent, e.numbers)

    def vanishing(self, e: Evaluation) -> list[bool]:
        """Those of its source."""
        return self.sources[0].vanishing(e)[self.start : self.stop]

"""Structured maps at a point and on a ball around it: values, Lipschitz constants, tangents, the Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from .exact import BITS, Exact, Nearly, transposed_rows, upward
from .factors import Slice
from .fixed import Ball, enlarged, rounding
from .intervals import Interval
from .layers import Layers
from .nodes import STATE, Node
from .scalars import Directions
from .steps import Steepness, Step
from .words import Norms


class Setting:
    """A precision, and directions: the numbers of a program, and its nodes that do not move."""

    def __init__(self, layers: Layers, bits: int, norms: Norms, directions: Directions) -> None:
        self.layers, self.bits, self.norms = layers, bits, norms
        self.directions = {name: columns for name, columns in directions.items() if any(map(any, columns))}
        self.scalars = layers.scalars(self.directions)
        self.matrices = {
            name: [layers.exact(name, column) for column in columns]
            for name, columns in self.directions.items()
            if name in layers.shapes
        }
        self.fixed = Evaluation(self, None)

    def scale(self, node: int) -> Interval:
        """The value of a scalar expression."""
        return self.scalars.jet(node).value

    def scale_slopes(self, node: int) -> list[Interval] | None:
        """Its derivatives along the directions."""
        return self.scalars.slopes(node)

    def matrix_slopes(self, name: str) -> list[Exact] | None:
        """The derivatives of a matrix along the directions."""
        return self.matrices.get(name)


class Evaluation:
    """The nodes at a point, on the ball of a radius around it, and along tangents of the state.

    Without tangents they are all the unit vectors: then those of a node are its Jacobian.
    """

    def __init__(
        self, setting: Setting, point: list[int] | None, radius: int = 0, tangents: Ball | None = None
    ) -> None:
        self.numbers, self.point, self.radius, self.tangents = setting, point, radius, tangents
        self.directions: Directions = setting.directions
        self.memo: dict[Any, Any] = {}

    def once(self, kind: str, node: Node, compute: Callable[[Node], Any]) -> Any:
        """What is computed once for each node; what does not move, once for all points."""
        if self.point is not None and not node.moving:
            return getattr(self.numbers.fixed, kind)(node)
        if (kind, node) not in self.memo:
            self.memo[kind, node] = compute(node)
        return self.memo[kind, node]

    def value(self, node: Node) -> Ball:
        """The value at the point."""

        result: Ball = self.once("value", node, lambda node: node.value(self))
        return result

    def reach(self, node: Node) -> int:
        """A bound of the distance from the computed value to the true one, on the ball."""
        return self.value(node).error + enlarged(self.radius, self.lipschitz(node))

    def lipschitz(self, node: Node) -> Fraction:
        """A Lipschitz constant on the ball."""

        def compute(node: Node) -> Fraction:
            by_atoms = self.over_atoms(node, self.lipschitz_of_atom)
            if not isinstance(node, Step) or not node.moving:
                return by_atoms
            return min(by_atoms, upward(self.steepness(node).whole * self.lipschitz(node.source)))

        result: Fraction = self.once("lipschitz", node, compute)
        return result

    def variation(self, node: Node) -> Fraction:
        """A bound of the difference of the Jacobian anywhere on the ball from that at the point."""

        def compute(node: Node) -> Fraction:
            return self.over_atoms(node, self.variation_of_atom)

        result: Fraction = self.once("variation", node, compute)
        return result

    def over_atoms(self, node: Node, constant: Callable[[str], Fraction]) -> Fraction:
        """The sum of the norms of the matrices before the atoms, times constants of the atoms."""
        total, norms = Fraction(0), self.numbers.norms
        for atom, polynomial in node.atoms.items():
            factor = constant(atom)
            if factor:
                width = self.numbers.layers.size if atom == STATE else self.numbers.layers.nodes[atom].size
                total += norms.bound(polynomial, width) * factor
        return upward(total)

    def lipschitz_of_atom(self, atom: str) -> Fraction:
        """A Lipschitz constant of an atom."""
        if atom == STATE:
            return Fraction(1)
        step = self.numbers.layers.step(atom)
        return upward(self.steepness(step).atom * self.lipschitz(step.source))

    def variation_of_atom(self, atom: str) -> Fraction:
        """A bound of the difference of the Jacobians of an atom."""
        if atom == STATE:
            return Fraction(0)
        step = self.numbers.layers.step(atom)
        steep, factor = self.steepness(step), 2 if step.proximal else 1
        varied = factor * steep.variation * self.lipschitz(step.source)
        return upward(varied + steep.atom * self.variation(step.source))

    def steepness(self, step: Step) -> Steepness:
        """Lipschitz constants of a step on the ball."""
        result: Steepness = self.once("steepness", step, lambda node: step.steepness(self))
        return result

    def tangent(self, node: Node) -> Ball | None:
        """The tangents on the ball; None for zero."""

        def compute(node: Node) -> Ball | None:
            if self.point is not None and self.tangents is None and set(node.atoms) <= {STATE}:
                return self.written(node)
            return node.tangent(self)

        result: Ball | None = self.once("tangent", node, compute)
        return result

    def block(self, cut: Slice) -> Ball:
        """A block of the state at the point."""
        assert self.point is not None
        return cut.apply(Ball([self.point], 0), self.numbers)

    def block_tangent(self, cut: Slice) -> Ball:
        """A block of the tangents of the state."""
        assert self.tangents is not None
        return cut.apply(self.tangents, self.numbers)

    def written(self, node: Node) -> Ball:
        """The Jacobian of a node that is affine in the state."""
        layers, bits = self.numbers.layers, self.numbers.bits
        if not node.atoms:
            return Ball([[0] * node.size for _ in range(layers.size)], 0)
        X = self.numbers.norms.written(node.atoms[STATE], layers.size)
        columns = [[(a << bits) // X.denominator for a in column] for column in X.transposed.rows]
        return Ball(columns, enlarged(1 << bits, X.error) + rounding(columns))


def jacobian(setting: Setting, point: list[int], distance: int) -> tuple[Nearly, list[bool]]:
    """All Jacobians within a distance of a point, and which of their rows are zero."""
    layers, bits = setting.layers, setting.bits
    rough = Setting(layers, BITS, setting.norms, {})
    shortened = [(a << BITS) >> bits for a in point]
    around = Evaluation(rough, shortened, rounding([point]) + (distance << BITS >> bits) + 1)
    columns = Evaluation(rough, shortened).tangent(layers.next)
    if columns is None:
        columns = Ball([[0] * layers.size for _ in range(layers.size)], 0)
    rows = transposed_rows(columns.columns, layers.size)
    error = Fraction(columns.error, 1 << BITS) + around.variation(layers.next)
    return Nearly(rows, 1 << BITS, error, layers.size), layers.next.vanishing(around)

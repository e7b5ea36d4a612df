"""Where exactly zero guards of layers leave a choice: the places of a tie, and the options that each one has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import singledispatch

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import RATIONAL
from piggycheck.errors import UnknownError
from piggycheck.maps.elementwise import Elementwise
from piggycheck.maps.group import Group, GroupAt
from piggycheck.maps.nodes import Linearisation, Node
from piggycheck.maps.scalar_function import Compiled, ScalarFunction
from piggycheck.maps.second_order_cone import SecondOrderCone, SecondOrderConeAt
from piggycheck.maps.spectral import Spectral, SpectralAt
from piggycheck.maps.switch import Switch

__all__ = ["Condition", "Option", "Place", "places"]


@dataclass(frozen=True, eq=False)
class Condition:
    """A tied guard.

    Attributes
    ----------
    gradient : tuple of fmpq_mat or None
        In each input of the node, as columns; None for zero.
    is_affine : bool
        Whether the guard is affine in the inputs.
    """

    gradient: tuple[fmpq_mat | None, ...]
    is_affine: bool


@dataclass(frozen=True)
class Option:
    """What a place can do.

    Attributes
    ----------
    signs : tuple of -1, 0, 1, None
        Of the guards of the place.
    conditions : tuple of (Condition, sign, bool)
        The tied guards, the sign that each has, and whether 0 is joined: to that sign, or, for the sign 0, to another.
    """

    signs: tuple[int | None, ...]
    conditions: tuple[tuple[Condition, int, bool], ...]


@dataclass(frozen=True)
class Place:
    """Some guards of a node that are met together, one or more of them tied.

    Attributes
    ----------
    node : Node
    start : int
        Where the guards of the place begin among those of the node.
    options : tuple of Option
    is_tree : bool
        Whether no guard is met twice on a way through the place: then its options are those of the chain rule, too.
    """

    node: Node
    start: int
    options: tuple[Option, ...]
    is_tree: bool = True


@singledispatch
def places(node: Node, at: Linearisation, inputs: Sequence[fmpq_mat]) -> list[Place]:
    """List the places of a node where guards tie.

    Parameters
    ----------
    node : Node
    at : Linearisation
        The node over the rationals.
    inputs : sequence of fmpq_mat
        The values it reads.

    Raises
    ------
    UnknownError
        When a guard that ties is not differentiable there, or the branches are not finitely many.
    """
    return []


@places.register
def _(node: Elementwise, at: Linearisation, inputs: Sequence[fmpq_mat]) -> list[Place]:
    walks, found, width = _Walks(node.function), [], len(node.function.guards)
    for i in range(node.size):
        if 0 not in at.signs[i * width : (i + 1) * width]:
            continue
        rows = [i if V.nrows() > 1 else 0 for V in inputs]
        numbers = [V[row, 0] for V, row in zip(inputs, rows, strict=True)]
        units = [_unit(V.nrows(), row) for V, row in zip(inputs, rows, strict=True)]
        found.append(walks.place(node, i * width, numbers, units, True))
    return found


@places.register
def _(node: Spectral, at: SpectralAt, inputs: Sequence[fmpq_mat]) -> list[Place]:
    walks, found, width = _Walks(node.function), [], len(node.function.guards)
    eigenvalues = list(at.spectrum.values)
    for i, eigenvalue in enumerate(eigenvalues):
        if 0 not in at.signs[i * width : (i + 1) * width]:
            continue
        count = eigenvalues.count(eigenvalue)
        if count > 1:
            raise UnknownError(
                f"`{node.name}`: the eigenvalue {eigenvalue} is at a kink and repeated {count} times; "
                "the pieces there are not finitely many"
            )
        units = [_eigenvalue_gradient(at, i), *(_unit(1, 0) for _ in inputs[1:])]
        found.append(walks.place(node, i * width, [eigenvalue, *at.arguments], units, node.rows == 1))
    return found


@places.register
def _(node: Group, at: GroupAt, inputs: Sequence[fmpq_mat]) -> list[Place]:
    found = []
    for g, (group, sign, t) in enumerate(zip(node.groups, at.signs, at.thresholds, strict=True)):
        if sign != 0:
            continue
        if t == 0:
            raise UnknownError(
                f"`{node.name}`: group {g + 1} and its threshold are both 0, where |v| has no derivative"
            )
        toward = fmpq_mat(node.size, 1)
        for i in group:
            toward[i, 0] = inputs[0][i, 0] / t
        against = -_unit(inputs[1].nrows(), g if inputs[1].nrows() > 1 else 0)
        found.append(_two_sided(node, g, (toward, against), len(group) == 1))
    return found


@places.register
def _(node: SecondOrderCone, at: SecondOrderConeAt, inputs: Sequence[fmpq_mat]) -> list[Place]:
    if 0 not in at.signs:
        return []
    z = inputs[0]
    if z[0, 0] == 0:
        raise UnknownError(f"`{node.name}`: at the origin the projection has no derivative on either side")
    gradient = z / abs(z[0, 0])
    second = at.signs[0] == 1
    gradient[0, 0] = fmpq(1 if second else -1)
    condition = Condition((gradient,), node.size == 2)
    signs = [(1, 1), (1, -1)] if second else [(1, 1), (-1, None)]
    options = [Option(pair, ((condition, sign, sign == -1),)) for pair, sign in zip(signs, (1, -1), strict=True)]
    return [Place(node, 0, (*options, Option(at.signs, ((condition, 0, True),))))]


def _two_sided(node: Node, start: int, gradient: tuple[fmpq_mat, ...], is_affine: bool) -> Place:
    """A single guard that is positive, negative, or zero and then treated as negative."""
    condition = Condition(gradient, is_affine)
    return Place(node, start, tuple(Option((sign,), ((condition, sign, sign != 1),)) for sign in (1, -1, 0)))


def _unit(size: int, row: int) -> fmpq_mat:
    column = fmpq_mat(size, 1)
    column[row, 0] = 1
    return column


def _eigenvalue_gradient(at: SpectralAt, i: int) -> fmpq_mat:
    """The derivative of a simple eigenvalue in the entries of the matrix, row by row."""
    n, W, V = at.rows, at.spectrum.inverse, at.spectrum.vectors
    return fmpq_mat(n * n, 1, [(W[i, a] * V[b, i] + W[i, b] * V[a, i]) / 2 for a in range(n) for b in range(n)])


class _Walks:
    """The ways through a scalar function from a point where guards tie."""

    def __init__(self, function: ScalarFunction):
        self.function = function
        self.compiled: Compiled = function.over(RATIONAL)
        self.symbols = self.compiled.symbols

    def place(
        self, node: Node, start: int, numbers: Sequence[fmpq], units: Sequence[fmpq_mat], is_affine: bool
    ) -> Place:
        """The options of a place whose variable and arguments are linear functions of the inputs, the units."""
        conditions: dict[sp.Expr, Condition] = {}
        options, repeated = [], False
        for seen, tied, again in self._walk(self.function.tree, numbers, {}, {}, False):
            for guard in tied:
                if guard not in conditions:
                    conditions[guard] = self._condition(guard, numbers, units, is_affine)
            signs = tuple(seen.get(guard) for guard in self.function.guards)
            options.append(Option(signs, tuple((conditions[g], *how) for g, how in tied.items())))
            repeated = repeated or again
        return Place(node, start, tuple(options), not repeated)

    def _walk(
        self,
        tree: sp.Expr,
        numbers: Sequence[fmpq],
        seen: Mapping[sp.Expr, int],
        tied: Mapping[sp.Expr, tuple[int, bool]],
        again: bool,
    ) -> Iterator[tuple[Mapping, Mapping, bool]]:
        if not isinstance(tree, Switch):
            yield seen, tied, again
            return
        guard = tree.guard
        if guard in seen:
            yield from self._walk(tree.branch(seen[guard]), numbers, seen, tied, again or guard in tied)
            return
        number = self.compiled.at(guard)(*numbers)
        if number != 0:
            sign = 1 if number > 0 else -1
            yield from self._walk(tree.branch(sign), numbers, {**seen, guard: sign}, tied, again)
            return
        for sign in (1, -1, 0):
            how = sign, tree.branch(sign) == tree.branch(0)
            if sign == 0:
                how = 0, 0 not in tree.outcomes
            yield from self._walk(tree.branch(sign), numbers, {**seen, guard: sign}, {**tied, guard: how}, again)

    def _condition(
        self, guard: sp.Expr, numbers: Sequence[fmpq], units: Sequence[fmpq_mat], is_affine: bool
    ) -> Condition:
        partials = [sp.diff(guard, symbol) for symbol in self.symbols]
        slopes = [self.compiled.at(partial)(*numbers) for partial in partials]
        gradient = tuple(unit * slope if slope != 0 else None for unit, slope in zip(units, slopes, strict=True))
        return Condition(gradient, is_affine and all(partial.is_Rational for partial in partials))

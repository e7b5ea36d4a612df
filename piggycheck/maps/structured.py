"""Structured maps: straight-line programs of vector nodes, for hundreds of variables.

A `StructuredMap` is its last node. It is the composition, sum and stacking of layers at once: affine, elementwise,
group, spectral, projections on cones; each layer is a kind of node.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from itertools import chain
from typing import Any
from weakref import WeakKeyDictionary

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import exact, to_sympy
from piggycheck.arrays import EXACT, Arrays, BallArrays, Enclosed
from piggycheck.errors import InputError, IrrationalError, MapError
from piggycheck.maps.affine import Affine
from piggycheck.maps.base import BoundMap, Moment, Piece, PiecewiseMap, SelectionSet, Signature
from piggycheck.maps.lipschitz import LipschitzCalculus
from piggycheck.maps.meeting import Meeting
from piggycheck.maps.nodes import ArrayParameter, Context, Cotangents, Directions, Linearisation, Node, StateBlock
from piggycheck.maps.spelling import written_out
from piggycheck.maps.symbolic import SymbolicMap
from piggycheck.maps.values import by_symbol, entry_symbols, read_matrix, read_parameters, read_point

__all__ = ["StructuredMap"]

_MOST_COLUMNS = 4096


class StructuredMap(PiecewiseMap):
    """The map whose next state is a node.

    Parameters
    ----------
    blocks : sequence of StateBlock
        The state is their concatenation.
    next : Node
        Of as many entries as the state, if the map is to be iterated.
    parameters : sequence of sympy.Symbol or ArrayParameter
        Those in which it is differentiated: theta.

    Raises
    ------
    MapError
        When sizes do not fit, or a node reads something that is not declared.

    Examples
    --------
    >>> from piggycheck.arrays import EXACT
    >>> from piggycheck.maps.affine import Affine
    >>> from piggycheck.maps.sources import Term
    >>> x, theta = StateBlock("x", 1), ArrayParameter("theta", 1)
    >>> half = Affine("y", [Term(sp.Rational(1, 2), (), x), Term(sp.S.One, (), theta)])
    >>> bound = StructuredMap([x], half, [theta]).bind({"theta": [3]}, EXACT)
    >>> bound(Enclosed(fmpq_mat([[2]]))).value.centre
    [4]
    """

    def __init__(self, blocks: Sequence[StateBlock], next: Node, parameters: Sequence[sp.Symbol | ArrayParameter] = ()):
        self.blocks, self.next = tuple(blocks), next
        self.scalar_parameters = tuple(p for p in parameters if isinstance(p, sp.Symbol))
        self.array_parameters = tuple(p for p in parameters if isinstance(p, ArrayParameter))
        self.nodes = _in_order(next)
        self.dimension = sum(block.size for block in self.blocks)
        for node in self.nodes:
            if isinstance(node, StateBlock) and node not in self.blocks:
                raise MapError(f"`{node.name}` is not a block of the state; the state is {list(self.blocks)}")
            for parameter in sorted(node.mentioned - set(self.declared), key=lambda p: p.name):
                declared = ", ".join(p.name for p in self.declared) or "(none)"
                raise MapError(f"`{parameter.name}` is read by `{node.name}` and not declared; declared are {declared}")

    def __repr__(self) -> str:
        return f"StructuredMap(state={list(self.blocks)}, next={self.next.name!r}, parameters={list(self.declared)})"

    @cached_property
    def switching(self) -> tuple[Node, ...]:
        """The nodes with switches, in the order in which their signs stand in a signature."""
        return tuple(node for node in self.nodes if node.guard_names)

    @property
    def declared(self) -> tuple[sp.Symbol | ArrayParameter, ...]:
        """The parameters, scalars before arrays."""
        return self.scalar_parameters + self.array_parameters

    @property
    def columns(self) -> int:
        """The number m of numbers among the parameters."""
        return len(self.scalar_parameters) + sum(p.size for p in self.array_parameters)

    @cached_property
    def state(self) -> tuple[sp.Symbol, ...]:
        """A symbol for each number of the state, numbered from 1 within its block."""
        return tuple(symbol for block in self.blocks for symbol in entry_symbols(block))

    @cached_property
    def parameters(self) -> tuple[sp.Symbol, ...]:
        """A symbol for each number of the parameters."""
        return (*self.scalar_parameters, *(symbol for p in self.array_parameters for symbol in entry_symbols(p)))

    def parameter_values(self, at: Mapping[Any, Any]) -> dict[sp.Symbol | ArrayParameter, Any]:
        """Read exact values for all parameters, keyed by symbol, array parameter or name.

        Raises
        ------
        InputError
            When one has no value, a name is not a parameter, or a shape does not fit.
        """
        return read_parameters(at, self.declared)

    def bind(self, at: Mapping[Any, Any], arrays: Arrays) -> BoundStructuredMap:
        """Fix the parameters, over an array arithmetic.

        Raises
        ------
        InputError
            As `parameter_values`; or when a matrix to be inverted is singular.
        """
        return BoundStructuredMap(self, self.parameter_values(at), arrays)

    def point(self, values: Mapping[Any, Any]) -> tuple[fmpq_mat, dict[sp.Symbol | ArrayParameter, Any]]:
        """Read an exact point: the state as a column, and values for all parameters.

        Parameters
        ----------
        values : mapping
            By name, symbol or node: an array for each block of the state and for each array parameter, or one number
            for each symbol of it; a number for each scalar parameter.

        Raises
        ------
        InputError
            When something has no value, a name is none of the map's, or a shape does not fit.
        IrrationalError
            When a coordinate of the state is irrational.
        """
        state, read = read_point(values, self.blocks, self.declared)
        return state, self.parameter_values(read)

    def value(self, point: Mapping[Any, Any]) -> tuple[sp.Expr, ...]:
        """Return the exact value at an exact point, read as by `point`."""
        try:
            x, at = self.point(point)
            value = self.bind(at, EXACT)(Enclosed(x)).value.centre
        except IrrationalError:
            return self.symbolic().value(by_symbol(point, (*self.blocks, *self.array_parameters)))
        return tuple(map(to_sympy, value.entries()))

    def selection(self, point: Mapping[Any, Any]) -> SelectionSet:
        """Return the essentially active pieces and whether all of them were proved to be so.

        Parameters
        ----------
        point : mapping
            As for `point`.

        Returns
        -------
        SelectionSet
            In the space of state and parameters together. The Jacobian pairs are computed when they are asked for.

        Raises
        ------
        UnknownError
            When more than 1024 pieces meet, or infinitely many: at a multiple eigenvalue at a kink; when a guard is 0
            where it has no derivative; when numbers on the way are irrational.

        Notes
        -----
        Tied guards with independent gradients can have all signs. For others a system of linear inequalities is solved.
        A signature is one of this map: points that need irrational numbers are not handed on to the map written out.
        When this fails: guards with dependent gradients that are not affine stay undecided; ``exact`` is then false.
        """
        pieces = tuple(self._meeting(point).essentially_active())
        return SelectionSet(pieces, all(piece.activity.essential for piece in pieces))

    def active(self, point: Mapping[Any, Any]) -> tuple[Piece, ...]:
        """Return the pieces whose closed region contains an exact point, as far as this is not disproved."""
        return tuple(self._meeting(point).active())

    def chain_rule(self, point: Mapping[Any, Any]) -> tuple[Piece, ...]:
        """Return the chain-rule set: what is left when each switch of the layers that ties picks on its own.

        Notes
        -----
        A layer that meets one tied guard several times has more picks than it has branches: the map is then written
        out, if it is small, and the signatures are those of the map written out.
        """
        meeting = self._meeting(point)
        if meeting.picks_are_branches:
            return tuple(meeting.chain_rule())
        return self.symbolic().chain_rule(by_symbol(point, (*self.blocks, *self.array_parameters)))

    def _meeting(self, point: Mapping[Any, Any]) -> Meeting:
        try:
            return Meeting(self, point)
        except IrrationalError as error:
            raise IrrationalError(f"{error}; ask the map written out, `symbolic()`, if it is small") from None

    def symbolic(self) -> SymbolicMap:
        """Return the map with its coordinates written out, over the symbols `state` and `parameters`.

        Raises
        ------
        UnknownError
            When the map is large, or contains a function of the eigenvalues of a matrix of more than 2 rows.

        Examples
        --------
        >>> from piggycheck.maps.affine import Affine
        >>> from piggycheck.maps.sources import Term
        >>> x, theta = StateBlock("x", 2), ArrayParameter("theta", 2)
        >>> half = Affine("y", [Term(sp.Rational(1, 2), (), x), Term(sp.S.One, (), theta)])
        >>> StructuredMap([x], half, [theta]).symbolic()
        SymbolicMap(state=[x_1, x_2], next=[theta_1 + x_1/2, theta_2 + x_2/2], parameters=[theta_1, theta_2])

        Notes
        -----
        When this fails: the derivative of a function of a 2 × 2 matrix is not defined there at equal eigenvalues.
        """
        blocks = {block: entry_symbols(block) for block in self.blocks}
        arrays = {p.name: entry_symbols(p) for p in self.array_parameters}
        return SymbolicMap(self.state, written_out(self.nodes, blocks, arrays), self.parameters)


def _in_order(last: Node) -> tuple[Node, ...]:
    """All nodes that a node depends on, inputs first."""
    found: dict[Node, None] = {}

    def visit(node: Node) -> None:
        if node not in found:
            for read in node.inputs:
                visit(read)
            found[node] = None

    visit(last)
    return tuple(found)


class BoundStructuredMap(BoundMap):
    """A structured map with given parameters, over an array arithmetic."""

    def __init__(self, map_: StructuredMap, values: Mapping[Any, Any], arrays: Arrays):
        self.map, self.arrays = map_, arrays
        scalars = {p: values[p] for p in map_.scalar_parameters}
        self.context = Context(arrays, scalars, {p.name: values[p] for p in map_.array_parameters})
        self._tangents_of: WeakKeyDictionary[Directions, tuple[Any, dict[Node, Any | None]]] = WeakKeyDictionary()
        self._signs_of: tuple[Signature | None, dict[Node, tuple[int | None, ...]]] = (None, {})
        self._last: tuple[list[tuple[int | None, ...]], Signature] = ([()], Signature())
        with arrays.precision():
            self.operators = {n: n.over(self.context) for n in map_.nodes if not isinstance(n, StateBlock)}
            self.moving = tuple(n for n in map_.nodes if n.depends_on_state())
            self.known: dict[Node, Linearisation] = {}
            for node in map_.nodes:
                if not node.depends_on_state():
                    self.known[node] = self.at(node, {n: self.known[n].value for n in node.inputs}, {})
        self.known_values = {node: moment.value for node, moment in self.known.items()}
        self.computed = tuple(node for node in self.moving if not isinstance(node, StateBlock))

    def at(self, node: Node, values: Mapping[Node, Any], reach: Mapping[Node, Any]) -> Linearisation:
        """Evaluate one node."""
        return self.operators[node]([values[n] for n in node.inputs], [reach.get(n, 0) for n in node.inputs])

    def block(self, V: Any, start: int, node: StateBlock) -> Any:
        """The rows of a block of the state, which begins at a place."""
        return V if node.size == self.map.dimension else self.arrays.block(V, start, start + node.size)

    @cached_property
    def calculus(self) -> LipschitzCalculus:
        """The Lipschitz constants of the nodes."""
        return LipschitzCalculus(self.moving, self.context)

    @cached_property
    def constants(self) -> dict[Node, Any] | None:
        """The Lipschitz constants of the nodes where they are the same everywhere: if all are affine or proximal."""
        if any(not isinstance(n, (Affine, StateBlock)) and not n.proximal for n in self.moving):
            return None
        return self.calculus.constants({}, self.moving)

    def signature(self, signs: list[tuple[int | None, ...]]) -> Signature:
        """Put the signs of the nodes with switches together; the same object as long as they are the same objects."""
        known = self._last[0]
        if len(known) != len(signs) or any(a is not b for a, b in zip(known, signs, strict=True)):
            self._last = signs, Signature(chain.from_iterable(signs))
        return self._last[1]

    def by_node(self, signature: Signature) -> dict[Node, tuple[int | None, ...]]:
        """Tell which signs of a signature are whose."""
        if signature is not self._signs_of[0]:
            found, start = {}, 0
            for node in self.map.switching:
                width = len(node.guard_names)
                found[node] = tuple(signature[start : start + width])
                start += width
            self._signs_of = signature, found
        return self._signs_of[1]

    def __call__(self, x: Enclosed) -> StructuredMoment:
        with self.arrays.precision():
            return StructuredMoment(self, x)

    def following(self) -> Callable[[Enclosed], Moment]:
        from piggycheck.maps.follower import Follower

        return Follower(self) if isinstance(self.arrays, BallArrays) else self

    def directions(self, moving: Mapping[Any, Any] | None = None) -> Directions:
        if moving is None:
            return self._all_directions()
        scalars, matrices, counts = {}, {}, set()
        by_name = {key.name if isinstance(key, ArrayParameter) else str(key): value for key, value in moving.items()}
        for p in self.map.declared:
            if p.name not in by_name:
                continue
            value = by_name.pop(p.name)
            if isinstance(p, ArrayParameter):
                matrices[p.name] = value if isinstance(value, fmpq_mat) else read_matrix(value, p)
                counts.add(matrices[p.name].ncols())
                if matrices[p.name].nrows() != p.size:
                    raise InputError(f"direction of `{p.name}`: {matrices[p.name].nrows()} numbers; give {p.size}")
            else:
                moves = value if hasattr(value, "__iter__") and not isinstance(value, str) else [value]
                scalars[p] = [fmpq(int(e.p), int(e.q)) for e in (exact(v, f"direction of `{p}`") for v in moves)]
                counts.add(len(scalars[p]))
        if by_name:
            raise InputError(f"direction: `{next(iter(by_name))}` is not a parameter of the map")
        if len(counts) != 1:
            raise InputError(f"directions: {sorted(counts)} columns; give the same number for each parameter")
        return Directions(self.context, counts.pop(), scalars, matrices)

    def _all_directions(self) -> Directions:
        count, start, scalars, matrices = self.map.columns, 0, {}, {}
        if count > _MOST_COLUMNS:
            raise InputError(f"the parameters are {count} numbers, too many to differentiate in all; name `directions`")
        for p in self.map.declared:
            if isinstance(p, ArrayParameter):
                unit = fmpq_mat(p.size, count)
                for i in range(p.size):
                    unit[i, start + i] = fmpq(1)
                matrices[p.name], start = unit, start + p.size
            else:
                scalars[p], start = [fmpq(int(j == start)) for j in range(count)], start + 1
        return Directions(self.context, count, scalars, matrices)

    def known_tangents(
        self, directions: Directions, signs: Mapping[Node, tuple[int | None, ...]]
    ) -> dict[Node, Any | None]:
        """The tangents of the nodes that do not depend on the state; the same ones while directions and signs are."""
        picked = tuple(signs.get(node, ()) for node in self.known)
        last = self._tangents_of.get(directions)
        if last is None or last[0] != picked:
            last = self._tangents_of[directions] = picked, self._tangents(directions, picked)
        return last[1]

    def still(self, count: int) -> Directions:
        """No direction at all, so many times."""
        return self.context.remember(("still", count), lambda: Directions(self.context, count))

    def _tangents(self, directions: Directions, picked: Sequence[tuple[int | None, ...]]) -> dict[Node, Any | None]:
        tangents: dict[Node, Any | None] = {}
        for (node, moment), signs in zip(self.known.items(), picked, strict=True):
            read = [tangents[n] for n in node.inputs]
            tangents[node] = moment.forward(signs, read, directions)
        return tangents


class StructuredMoment(Moment):
    """A structured map at a state.

    Attributes
    ----------
    lipschitz : number
        Over balls, a Lipschitz constant of the map on the ball within which the state is known.
    """

    def __init__(self, bound: BoundStructuredMap, x: Enclosed):
        self.bound, self.x = bound, x
        start, uncertain = 0, self._is_uncertain
        self.nodes: dict[Node, Linearisation] = dict(bound.known)
        self.values = values = dict(bound.known_values)
        self.reach: dict[Node, Any] = {}
        for node in bound.map.blocks:
            values[node] = bound.block(x.centre, start, node)
            self.reach[node] = x.spread
            start += node.size
        self.lipschitz: Any = 0
        own: dict[Node, Any] = {}
        for node in bound.computed:
            self.nodes[node] = found = bound.at(node, values, self.reach)
            values[node] = found.value
            if uncertain:
                self._bound_reach(node, values, own)
        self.value = bound.arrays.enclosed(values[bound.map.next], self.lipschitz * x.spread if uncertain else 0)

    @cached_property
    def _is_uncertain(self) -> bool:
        return self.bound.arrays.bounds_errors and not (isinstance(self.x.spread, int) or self.x.spread.is_zero())

    def _bound_reach(self, node: Node, values: Mapping[Node, Any], own: dict[Node, Any]) -> None:
        """Bound how far the value of a node is from the true one."""
        if self.bound.constants is not None:
            constant = self.bound.constants[node]
        else:
            if not isinstance(node, Affine) and not node.proximal:
                operator = self.bound.operators[node]
                own[node] = operator.lipschitz(
                    [values[n] for n in node.inputs], [self.reach.get(n, 0) for n in node.inputs]
                )
            constant = self.bound.calculus.constants(own, [node])[node]
        self.reach[node] = (constant * self.x.spread).upper()
        self.lipschitz = constant

    @cached_property
    def signature(self) -> Signature:
        with self.bound.arrays.precision():
            return self.bound.signature([self.nodes[node].signs for node in self.bound.map.switching])

    def by_node(self, signature: Signature) -> dict[Node, tuple[int | None, ...]]:
        """Tell which signs of a signature are whose."""
        return self.bound.by_node(signature)

    def forward(self, tangent: Enclosed | None, directions: Directions | None, signature: Signature) -> Enclosed:
        with self.bound.arrays.precision():
            return self._forward(tangent, directions, signature)

    def _forward(self, tangent: Enclosed | None, directions: Directions | None, signature: Signature) -> Enclosed:
        arrays = self.bound.arrays
        directions = directions or self.bound.still(0 if tangent is None else arrays.shape(tangent.centre)[1])
        spread = 0
        if tangent is not None and not isinstance(tangent.spread, int):
            spread = self.constant * tangent.spread
        tangents = self.tangents(None if tangent is None else tangent.centre, directions, signature)
        return arrays.enclosed(tangents[self.bound.map.next], spread)

    def tangents(self, tangent: Any | None, directions: Directions, signature: Signature) -> dict[Node, Any | None]:
        """Carry a matrix of tangents of the state, None for zero, to all nodes; None only where it is not the last."""
        bound, signs, start = self.bound, self.by_node(signature), 0
        tangents: dict[Node, Any | None] = dict(bound.known_tangents(directions, signs))
        for node in bound.map.blocks:
            tangents[node] = None if tangent is None else bound.block(tangent, start, node)
            start += node.size
        for node in bound.computed:
            read = [tangents[n] for n in node.inputs]
            tangents[node] = self.nodes[node].forward(signs.get(node, ()), read, directions)
        if tangents[bound.map.next] is None:
            tangents[bound.map.next] = bound.arrays.zeros(bound.map.next.size, directions.count)
        return tangents

    @cached_property
    def constant(self) -> Any:
        """A Lipschitz constant of the map, at a point that is known exactly, too."""
        if self._is_uncertain:
            return self.lipschitz
        if self.bound.constants is not None:
            return self.bound.constants[self.bound.map.next]
        nodes = [n for n in self.bound.moving if not isinstance(n, (Affine, StateBlock)) and not n.proximal]
        own = {
            n: self.bound.operators[n].lipschitz([self.values[r] for r in n.inputs], [0] * len(n.inputs)) for n in nodes
        }
        return self.bound.calculus.constants(own, [self.bound.map.next])[self.bound.map.next]

    def backward(self, cotangent: Enclosed, signature: Signature) -> tuple[Enclosed, Cotangents]:
        with self.bound.arrays.precision():
            return self._backward(cotangent, signature)

    def _backward(self, cotangent: Enclosed, signature: Signature) -> tuple[Enclosed, Cotangents]:
        bound, arrays, signs = self.bound, self.bound.arrays, self.by_node(signature)
        sink = Cotangents(bound.context)
        result = self.pulled_back({bound.map.next: cotangent.centre}, signs, sink)
        if isinstance(cotangent.spread, int) or cotangent.spread.is_zero():
            return arrays.enclosed(result), sink
        sink = Cotangents(bound.context)
        self.pulled_back({bound.map.next: arrays.reaching(cotangent.centre, cotangent.spread)}, signs, sink)
        return arrays.enclosed(result, self.constant * cotangent.spread), sink

    def pulled_back(
        self, received: Mapping[Node, Any], signs: Mapping[Node, tuple[int | None, ...]], sink: Cotangents
    ) -> Any:
        """Carry cotangents of nodes back to the state, which is returned, and to the parameters."""
        arrays, collected = self.bound.arrays, dict(received)
        for node in reversed(self.bound.map.nodes):
            if isinstance(node, StateBlock) or node not in collected:
                continue
            parts = self.nodes[node].backward(signs.get(node, ()), collected[node], sink)
            for read, part in zip(node.inputs, parts, strict=True):
                if part is not None:
                    collected[read] = arrays.total(collected[read], part) if read in collected else part
        blocks = [collected.get(block, arrays.zeros(block.size, 1)) for block in self.bound.map.blocks]
        return blocks[0] if len(blocks) == 1 else arrays.stacked(blocks)

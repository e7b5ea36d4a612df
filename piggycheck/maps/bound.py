"""Symbolic maps over array arithmetics: one piece at a time, entry by entry."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import exact, rational
from piggycheck.arrays import Arrays, Enclosed
from piggycheck.errors import InputError
from piggycheck.maps.base import BoundMap, Moment, Signature
from piggycheck.maps.evaluation import ProgramEvaluator, UnionEvaluator
from piggycheck.maps.nodes import Context, Cotangents, Directions

if TYPE_CHECKING:
    from piggycheck.maps.symbolic import SymbolicMap

__all__ = ["BoundSymbolicMap"]


class BoundSymbolicMap(BoundMap):
    """A symbolic map with given parameters, over an array arithmetic."""

    def __init__(self, map_: SymbolicMap, values: Mapping[sp.Symbol, sp.Expr], arrays: Arrays):
        self.map, self.arrays = map_, arrays
        self.context = Context(arrays, dict(values), {})
        with arrays.precision():
            self.parameters = {v: self.context.number(v) for v in map_.parameters}

    def __call__(self, x: Enclosed) -> SymbolicMoment:
        with self.arrays.precision():
            return SymbolicMoment(self, x)

    def directions(self, moving: Mapping[Any, Any] | None = None) -> Directions:
        parameters = self.map.parameters
        if moving is None:
            count = len(parameters)
            unit = {p: [fmpq(int(i == j)) for j in range(count)] for i, p in enumerate(parameters)}
            return Directions(self.context, count, unit)
        by_name = {str(key): value for key, value in moving.items()}
        known = {str(p): p for p in parameters}
        foreign = [name for name in by_name if name not in known]
        if foreign:
            raise InputError(
                f"direction: `{foreign[0]}` is not a parameter of the map; write one of {', '.join(known)}"
            )
        scalars = {
            known[name]: [rational(exact(v, f"direction of `{name}`")) for v in row] for name, row in by_name.items()
        }
        counts = sorted({len(row) for row in scalars.values()})
        if len(counts) != 1:
            raise InputError(f"directions: {counts} columns; give the same number for each parameter")
        return Directions(self.context, counts[0], scalars)


class SymbolicMoment(Moment):
    """A symbolic map at a state; over balls, entrywise bounds of everything within reach."""

    def __init__(self, bound: BoundSymbolicMap, x: Enclosed):
        self.bound = bound
        arrays, map_ = bound.arrays, bound.map
        entries = arrays.entries(arrays.reaching(x.centre, x.spread))
        self.values = {**dict(zip(map_.state, entries, strict=True)), **bound.parameters}
        kind = UnionEvaluator if arrays.bounds_errors else ProgramEvaluator
        self._evaluator = kind(arrays.scalars, self.values)
        numbers = [arrays.scalars.normal(self._evaluator(e)) for e in map_.program]
        self.value = arrays.enclosed(arrays.assemble(len(map_.state), 1, numbers))

    @property
    def signature(self) -> Signature:
        if self._evaluator.undecided is not None:
            raise self._evaluator.undecided
        return Signature(map(self._evaluator.seen.get, self.bound.map.guards))

    def pair(self, signature: Signature) -> tuple[Any, Any]:
        """Return the matrices A and B of a piece."""
        known = self._pairs
        if signature not in known:
            arrays, map_ = self.bound.arrays, self.bound.map
            p, m = len(map_.state), len(map_.parameters)
            rows = map_.jacobian(signature, self.values, arrays.scalars)
            A = arrays.assemble(p, p, [entry for row in rows for entry in row[:p]])
            known[signature] = A, arrays.assemble(p, m, [entry for row in rows for entry in row[p:]])
        return known[signature]

    @cached_property
    def _pairs(self) -> dict[Signature, tuple[Any, Any]]:
        return {}

    def forward(self, tangent: Enclosed | None, directions: Directions | None, signature: Signature) -> Enclosed:
        with self.bound.arrays.precision():
            return self._forward(tangent, directions, signature)

    def _forward(self, tangent: Enclosed | None, directions: Directions | None, signature: Signature) -> Enclosed:
        arrays = self.bound.arrays
        A, B = self.pair(signature)
        parts = []
        if tangent is not None:
            parts.append(arrays.product(A, arrays.reaching(tangent.centre, tangent.spread)))
        if directions is not None and self.bound.map.parameters:
            parts.append(arrays.product(B, arrays.matrix(self._moving(directions))))
        if not parts:
            return arrays.enclosed(arrays.zeros(arrays.shape(A)[0], directions.count if directions else 0))
        return arrays.enclosed(parts[0] if len(parts) == 1 else arrays.total(*parts))

    def _moving(self, directions: Directions) -> fmpq_mat:
        rows = [directions.scalars.get(p, [fmpq(0)] * directions.count) for p in self.bound.map.parameters]
        return fmpq_mat(len(rows), directions.count, [entry for row in rows for entry in row])

    def backward(self, cotangent: Enclosed, signature: Signature) -> tuple[Enclosed, Cotangents]:
        arrays, sink = self.bound.arrays, Cotangents(self.bound.context)
        with arrays.precision():
            A, B = self.pair(signature)
            w = arrays.reaching(cotangent.centre, cotangent.spread)
            received = arrays.entries(arrays.product(arrays.transposed(B), w))
            sink.scalars = dict(zip(self.bound.map.parameters, received, strict=True))
            return arrays.enclosed(arrays.product(arrays.transposed(A), w)), sink

"""Projection on the second-order cone."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from flint import arb, fmpq

from piggycheck.errors import MapError, UnknownError
from piggycheck.maps.lengths import dot, excess, seen_sign
from piggycheck.maps.nodes import Context, Cotangents, Directions, Linearisation, Node, NonlinearOperator, Signs

__all__ = ["SecondOrderCone", "SecondOrderConeAt"]

_INSIDE, _OPPOSITE, _BETWEEN = range(3)


class SecondOrderCone(Node):
    """The nearest point of ``{(t, v) : |v| <= t}``; t is the first coordinate.

    Parameters
    ----------
    name : str
    of : Node
        At least two entries.

    Raises
    ------
    MapError
        When there are fewer.

    Examples
    --------
    >>> from piggycheck.maps.nodes import StateBlock
    >>> SecondOrderCone("y", StateBlock("z", 3)).guard_names
    ('y: |v| - t', 'y: |v| + t')

    Notes
    -----
    It is the point itself where ``|v| <= t``, 0 where ``|v| <= -t``, and ``(t + |v|)/2 (1, v/|v|)`` elsewhere. The
    second guard is met where the first is positive.
    """

    proximal = True

    def __init__(self, name: str, of: Node):
        self.name, self.size, self.inputs = name, of.size, (of,)
        if of.size < 2:
            raise MapError(f"`{name}`: `{of.name}` has {of.size} entries; a second-order cone needs at least 2")

    @property
    def guard_names(self) -> tuple[str, ...]:
        return f"{self.name}: |v| - t", f"{self.name}: |v| + t"

    def over(self, context: Context) -> NonlinearOperator:
        return _ConeOperator(self, context)


class _ConeOperator(NonlinearOperator):
    def __init__(self, node: SecondOrderCone, context: Context):
        self.node, self.context = node, context
        self.half = context.arrays.number(fmpq(1, 2))

    def __call__(self, values: Sequence[Any], reach: Sequence[Any]) -> SecondOrderConeAt:
        return SecondOrderConeAt(self, values[0], reach[0])

    def lipschitz(self, values: Sequence[Any], reach: Sequence[Any]) -> Any:
        return 1


class SecondOrderConeAt(Linearisation):
    """The projection at a point."""

    def __init__(self, operator: _ConeOperator, V: Any, reach: Any):
        self.operator, self.node, self.input, self.reach = operator, operator.node, V, reach
        self.arrays = operator.context.arrays
        t, *v = self.arrays.entries(V)
        self.value = self.arrays.assemble(self.node.size, 1, self._entries(t, v))

    def _entries(self, t: Any, v: list[Any]) -> list[Any]:
        half, found = self.operator.half, []
        for region in self._regions(t, v):
            if region == _BETWEEN:
                n = self.arrays.euclidean(v)
                middle = (t + n) * half
                found.append([middle, *(middle * u for u in self._direction(v, n))])
            else:
                found.append([entry if region == _INSIDE else 0 * entry for entry in (t, *v)])
        total = found[0]
        for other in found[1:]:
            total = [a.union(b) for a, b in zip(total, other, strict=True)]
        return total

    def _regions(self, t: Any, v: list[Any]) -> list[int]:
        """The regions in which the point is, as far as balls tell."""
        inside, opposite = seen_sign(excess(self.arrays, v, t)), seen_sign(excess(self.arrays, v, -t))
        if inside in (0, -1):
            return [_INSIDE]
        if opposite in (0, -1):
            return [_OPPOSITE]
        return [_BETWEEN] + [_INSIDE] * (inside is None) + [_OPPOSITE] * (opposite is None)

    def _direction(self, v: Sequence[Any], n: Any) -> list[Any]:
        """The vector ``v/|v|``; balls that cover the unit ball where v may be 0."""
        if isinstance(n, arb) and not n > 0:
            return [arb(0, 1)] * len(v)
        reciprocal = self.arrays.scalars.reciprocal(n)
        return [entry * reciprocal for entry in v]

    @cached_property
    def around(self) -> tuple[Any, list[Any]]:
        """The coordinates t and v with everything within reach."""
        t, *v = self.arrays.entries(self.arrays.reaching(self.input, self.reach))
        return t, v

    @cached_property
    def length(self) -> Any:
        """The length of v, with everything within reach."""
        n = self.arrays.euclidean(self.arrays.entries(self.input)[1:])
        return n + arb(0, self.reach) if self.arrays.bounds_errors and not isinstance(self.reach, int) else n

    @cached_property
    def signs(self) -> Signs:
        t, v = self.around
        numbers = [self.length - c if self.arrays.bounds_errors else excess(self.arrays, v, c) for c in (t, -t)]
        first = self._sign(0, numbers[0])
        return (first, self._sign(1, numbers[1]) if first == 1 else None)

    def _sign(self, index: int, number: Any) -> int:
        sign = seen_sign(number)
        if sign is None:
            name = self.node.guard_names[index]
            raise UnknownError(f"the sign of the guard `{name}` is not decided; it is {number.str(5)}")
        return sign

    def _applied(self, signs: Signs, T: Any) -> Any:
        """Apply the derivative, which is symmetric."""
        if signs[0] != 1:
            return T
        if signs[1] != 1:
            return self.arrays.zeros(*self.arrays.shape(T))
        (t, v), n = self.around, self.length
        if n == 0:
            raise UnknownError(f"`{self.node.name}` has no derivative at the origin")
        half, u = self.operator.half, self._direction(v, n)
        ratio = t * self.arrays.scalars.reciprocal(n)
        first, *rest = self.arrays.rows(T)
        along = [dot(u, [row[j] for row in rest]) for j in range(len(first))]
        found = [(e + a) * half for e, a in zip(first, along, strict=True)]
        for direction, row in zip(u, rest, strict=True):
            found += [
                ((1 + ratio) * e + direction * (f - ratio * a)) * half
                for e, f, a in zip(row, first, along, strict=True)
            ]
        return self.arrays.assemble(self.node.size, len(first), found)

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        return None if tangents[0] is None else self._applied(signs, tangents[0])

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        return [self._applied(signs, cotangent)]

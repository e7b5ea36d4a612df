"""Group layers: block soft-thresholding, which shortens the vector of each group by a threshold."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from flint import arb

from piggycheck.errors import MapError, UnknownError
from piggycheck.maps.lengths import dot, excess, seen_sign
from piggycheck.maps.nodes import Context, Cotangents, Directions, Linearisation, Node, NonlinearOperator, Signs

__all__ = ["Group", "GroupAt"]


class Group(Node):
    """``y_g = v_g max(0, 1 - t_g / |v_g|)`` for each group g of coordinates: the proximal map of ``sum t_g |v_g|``.

    Parameters
    ----------
    name : str
    of : Node
        v.
    threshold : Node
        t, one number for all groups or one for each; it does not depend on the state.
    groups : sequence of sequences of int
        The coordinates of each group, counted from 0; each coordinate is in exactly one group.

    Raises
    ------
    MapError
        When a group is empty, groups overlap, a coordinate is in none, or sizes do not fit.

    Examples
    --------
    >>> from piggycheck.maps.nodes import Scalar, StateBlock
    >>> Group("y", StateBlock("v", 3), Scalar(1), [[0, 2], [1]]).guard_names
    ('y, group 1: |v| - t', 'y, group 2: |v| - t')
    """

    proximal = True

    def __init__(self, name: str, of: Node, threshold: Node, groups: Sequence[Sequence[int]]):
        self.name, self.size, self.inputs = name, of.size, (of, threshold)
        self.groups = tuple(tuple(group) for group in groups)
        self._require_partition()
        if threshold.size not in (1, len(self.groups)) or threshold.depends_on_state():
            raise MapError(
                f"`{name}`: the threshold `{threshold.name}` has {threshold.size} entries and must have 1 or "
                f"{len(self.groups)}, one for each group, without depending on the state"
            )

    def _require_partition(self) -> None:
        home: dict[int, int] = {}
        for g, group in enumerate(self.groups, start=1):
            if not group:
                raise MapError(f"`{self.name}`: group {g} is empty; leave it out or give it coordinates")
            for i in group:
                if isinstance(i, bool) or not isinstance(i, int) or not 0 <= i < self.size:
                    raise MapError(
                        f"`{self.name}`: group {g} has the coordinate `{i}`; write integers from 0 to {self.size - 1}"
                    )
                if i in home:
                    raise MapError(
                        f"`{self.name}`: the coordinate {i} is in group {home[i]} and in group {g}; "
                        "each must be in exactly one"
                    )
                home[i] = g
        missing = next((i for i in range(self.size) if i not in home), None)
        if missing is not None:
            raise MapError(f"`{self.name}`: the coordinate {missing} is in no group; each must be in exactly one")

    @property
    def guard_names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}, group {g + 1}: |v| - t" for g in range(len(self.groups)))

    def over(self, context: Context) -> NonlinearOperator:
        return _GroupOperator(self, context)


class _GroupOperator(NonlinearOperator):
    def __init__(self, node: Group, context: Context):
        self.node, self.context = node, context

    def __call__(self, values: Sequence[Any], reach: Sequence[Any]) -> GroupAt:
        return GroupAt(self, values, reach[0])

    def lipschitz(self, values: Sequence[Any], reach: Sequence[Any]) -> Any:
        return 1


class GroupAt(Linearisation):
    """A group layer at a vector."""

    def __init__(self, operator: _GroupOperator, values: Sequence[Any], reach: Any):
        self.operator, self.reach, self.inputs = operator, reach, values
        self.node, self.arrays = operator.node, operator.context.arrays
        given = list(self.arrays.entries(values[1]))
        self.thresholds = given * len(self.node.groups) if len(given) == 1 else given
        for g, t in enumerate(self.thresholds, start=1):
            if t < 0:
                raise MapError(f"`{self.node.name}`: the threshold of group {g} is negative; it must be 0 or more")
        self.value = self.arrays.assemble(self.node.size, 1, self._entries())

    def _vectors(self, V: Any) -> list[list[Any]]:
        entries = self.arrays.entries(V)
        return [[entries[i] for i in group] for group in self.node.groups]

    def _entries(self) -> list[Any]:
        found: list[Any] = [None] * self.node.size
        for group, v, t in zip(self.node.groups, self._vectors(self.inputs[0]), self.thresholds, strict=True):
            factor = self._factor(v, t)
            for i, entry in zip(group, v, strict=True):
                found[i] = entry * factor
        return found

    def _factor(self, v: Sequence[Any], t: Any) -> Any:
        """``max(0, 1 - t/|v|)``, and 0 where both are 0."""
        sign = seen_sign(excess(self.arrays, v, t))
        if sign in (0, -1):
            return 0 * t
        n = self.arrays.euclidean(v)
        if sign == 1:
            return 1 - t / n
        return (1 - t / n).max(arb(0)) if n > 0 else arb(0).union(arb(1))

    @cached_property
    def around(self) -> list[list[Any]]:
        """The vector of each group with everything within reach."""
        return self._vectors(self.arrays.reaching(self.inputs[0], self.reach))

    def length(self, g: int) -> Any:
        """The length of the vector of a group, with everything within reach."""
        n = self.arrays.euclidean(self._vectors(self.inputs[0])[g])
        return n + arb(0, self.reach) if self.arrays.bounds_errors and not isinstance(self.reach, int) else n

    @cached_property
    def signs(self) -> Signs:
        found = []
        for g, (name, v, t) in enumerate(zip(self.node.guard_names, self.around, self.thresholds, strict=True)):
            number = self.length(g) - t if self.arrays.bounds_errors else excess(self.arrays, v, t)
            found.append(seen_sign(number))
            if found[-1] is None:
                raise UnknownError(f"the sign of the guard `{name}` is not decided; it is {number.str(5)}")
        return tuple(found)

    def _shrinking(self, signs: Signs) -> list[tuple[Any, list[Any]] | None]:
        """For each group the number t/n and the direction v/n; None where the group is 0."""
        found: list[tuple[Any, list[Any]] | None] = []
        for g, (sign, t, v) in enumerate(zip(signs, self.thresholds, self.around, strict=True)):
            if sign != 1:
                found.append(None)
                continue
            n = self.length(g)
            if n == 0:
                raise UnknownError(f"`{self.node.name}` has no derivative where a group and its threshold are both 0")
            reciprocal = self.arrays.scalars.reciprocal(n)
            found.append((t * reciprocal, [entry * reciprocal for entry in v]))
        return found

    def _applied(self, signs: Signs, T: Any) -> Any:
        """``(1 - t/n) T_g + (t/n) u u^T T_g`` with ``u = v/n``; the operator is symmetric."""
        rows = self.arrays.rows(T)
        count = self.arrays.shape(T)[1]
        found = self.arrays.rows(self.arrays.zeros(*self.arrays.shape(T)))
        for group, shrinking in zip(self.node.groups, self._shrinking(signs), strict=True):
            if shrinking is None:
                continue
            ratio, u = shrinking
            along = [dot(u, [rows[i][j] for i in group]) * ratio for j in range(count)]
            for i, direction in zip(group, u, strict=True):
                found[i] = [(1 - ratio) * e + direction * a for e, a in zip(rows[i], along, strict=True)]
        return self.arrays.assemble(self.node.size, count, [entry for row in found for entry in row])

    def _in_threshold(self, signs: Signs) -> Any:
        """The derivative ``-v/n`` of each group in its own threshold: a matrix with one column for each threshold."""
        columns = self.node.inputs[1].size
        found = self.arrays.rows(self.arrays.zeros(self.node.size, columns))
        for g, (group, shrinking) in enumerate(zip(self.node.groups, self._shrinking(signs), strict=True)):
            if shrinking is not None:
                for i, direction in zip(group, shrinking[1], strict=True):
                    found[i][g if columns > 1 else 0] = -direction
        return self.arrays.assemble(self.node.size, columns, [entry for row in found for entry in row])

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        of, threshold = tangents
        moved = None if threshold is None else self.arrays.product(self._in_threshold(signs), threshold)
        if of is None:
            return moved
        carried = self._applied(signs, of)
        return carried if moved is None else self.arrays.total(carried, moved)

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        in_threshold = self.arrays.transposed(self._in_threshold(signs))
        return [self._applied(signs, cotangent), self.arrays.product(in_threshold, cotangent)]

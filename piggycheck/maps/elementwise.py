"""Elementwise layers: one piecewise function of one variable, applied to every entry of a vector."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import sympy as sp

from piggycheck.arithmetic import Float64
from piggycheck.errors import MapError, UnknownError
from piggycheck.maps.nodes import Context, Cotangents, Directions, Linearisation, Node, Operator, Signs
from piggycheck.maps.scalar_function import Compiled, Leaf, ScalarFunction

__all__ = ["Elementwise"]


class Elementwise(Node):
    """``y_i = phi(v_i, a_i, ...)``.

    Parameters
    ----------
    name : str
    function : ScalarFunction
        phi, continuous.
    of : Node
        v.
    arguments : sequence of Node
        One for each argument of the function: of the same size, or of size 1 for all entries; they do not depend on the
        state.
    proximal : bool
        Whether phi is a proximal map for every value of the arguments: its slopes are between 0 and 1.

    Raises
    ------
    MapError
        When sizes do not fit.
    """

    def __init__(
        self, name: str, function: ScalarFunction, of: Node, arguments: Sequence[Node] = (), *, proximal: bool = False
    ):
        self.name, self.function, self.size, self.proximal = name, function, of.size, proximal
        self.inputs = (of, *arguments)
        if len(arguments) != len(function.arguments):
            raise MapError(f"`{name}`: the function has {len(function.arguments)} arguments, not {len(arguments)}")
        for node in arguments:
            if node.size not in (1, of.size) or node.depends_on_state():
                raise MapError(
                    f"`{name}`: the argument `{node.name}` has {node.size} entries and must have 1 or {of.size}, "
                    "without depending on the state"
                )

    @cached_property
    def guard_names(self) -> tuple[str, ...]:
        return tuple(f"{self.name}[{i}]: {guard}" for i in range(self.size) for guard in self.function.guards)

    def over(self, context: Context) -> Operator:
        return _ElementwiseOperator(self, context)


class _ElementwiseOperator(Operator):
    def __init__(self, node: Elementwise, context: Context):
        self.node, self.context = node, context
        self.compiled = node.function.over(context.arrays.scalars)
        self.leaves = _Leaves(self.compiled)

    def __call__(self, values: Sequence[Any], reach: Sequence[Any]) -> Linearisation:
        return _ElementwiseAt(self, values, reach[0])

    def arguments(self, values: Sequence[Any]) -> list[tuple[Any, ...]]:
        """The arguments of each entry."""
        size, entries = self.node.size, self.context.arrays.entries
        lists = [list(entries(V)) * (size if len(entries(V)) == 1 else 1) for V in values]
        return list(zip(*lists, strict=True)) if lists else [()] * size

    def lipschitz(self, values: Sequence[Any], reach: Sequence[Any]) -> Any:
        if self.node.proximal:
            return 1
        function, arrays = self.node.function, self.context.arrays
        around = arrays.entries(arrays.reaching(values[0], reach[0]))
        bound = 0
        for v, arguments in zip(around, self.arguments(values[1:]), strict=True):
            low, high = function.slopes(v.lower(), v.upper(), arguments)
            bound = max(bound, abs(low).upper(), abs(high).upper())
        return bound


class _Leaves:
    """The branches of a function with what their derivatives are, by the signs that lead to them."""

    def __init__(self, compiled: Compiled):
        self.compiled = compiled
        self._partials: dict[tuple[int | None, ...], list[int | Callable[..., Any]]] = {}

    def partials(self, signs: tuple[int | None, ...]) -> list[int | Callable[..., Any]]:
        """The derivatives in the variable and the arguments of the branch that signs lead to; 0 and 1 are integers."""
        if signs not in self._partials:
            leaf: Leaf = self.compiled.function.leaf(signs)
            count = len(self.compiled.symbols)
            found = [self.compiled.partial(leaf, index) for index in range(count)]
            self._partials[signs] = [int(e) if e in (0, 1) else self.compiled.at(e) for e in found]
        return self._partials[signs]


class _ElementwiseAt(Linearisation):
    def __init__(self, operator: _ElementwiseOperator, values: Sequence[Any], reach: Any):
        self.operator, self.reach, self.inputs = operator, reach, values
        arrays, node = operator.context.arrays, operator.node
        self.entries = arrays.entries(values[0])
        self.arguments = operator.arguments(values[1:])
        value = operator.compiled.value
        found = [value(v, *more) for v, more in zip(self.entries, self.arguments, strict=True)]
        self.value = arrays.assemble(node.size, 1, found)

    @cached_property
    def around(self) -> Sequence[Any]:
        """The entries with everything within reach."""
        arrays = self.operator.context.arrays
        return arrays.entries(arrays.reaching(self.inputs[0], self.reach))

    @cached_property
    def signs(self) -> Signs:
        operator, found = self.operator, []
        for i, (v, more) in enumerate(zip(self.around, self.arguments, strict=True)):
            signs, undecided = operator.compiled.signs(v, *more)
            if undecided is not None:
                guard = operator.node.function.guards[undecided]
                number = operator.compiled.at(guard)(v, *more)
                raise UnknownError(
                    f"the sign of the guard `{operator.node.name}[{i}]: {guard}` is not decided; it is {number.str(5)}"
                )
            found += signs
        return tuple(found)

    def _factors(self, signs: Signs, index: int) -> list[Any]:
        """The derivative of each entry in the variable (0) or an argument: Python's 0 and 1 where it is that."""
        operator, width = self.operator, len(self.operator.node.function.guards)
        factors = []
        for i, (v, more) in enumerate(zip(self.around, self.arguments, strict=True)):
            partial = operator.leaves.partials(signs[i * width : (i + 1) * width])[index]
            factors.append(partial if isinstance(partial, int) else partial(v, *more))
        return factors

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        arrays, total = self.operator.context.arrays, None
        for index, T in enumerate(tangents):
            if T is None:
                continue
            part = _rows_scaled(arrays, self._factors(signs, index), T)
            total = part if total is None else arrays.total(total, part)
        return total

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        arrays, found = self.operator.context.arrays, []
        for index, node in enumerate(self.operator.node.inputs):
            part = _rows_scaled(arrays, self._factors(signs, index), cotangent)
            if node.size == 1 and self.operator.node.size != 1:
                part = arrays.assemble(1, 1, [sum(arrays.entries(part)[1:], start=arrays.entries(part)[0])])
            found.append(part)
        return found


def _rows_scaled(arrays: Any, factors: Sequence[Any], T: Any) -> Any:
    """Multiply each row by its factor; a single row stands for all of them."""
    rows, columns = arrays.shape(T)
    if isinstance(arrays.scalars, Float64):
        import numpy as np

        return np.array(factors, dtype=float).reshape(-1, 1) * T
    entries = arrays.entries(T)
    zero = [arrays.scalars.number(sp.S.Zero)] * columns
    scaled: list[Any] = []
    for i, factor in enumerate(factors):
        row = entries[i * columns : (i + 1) * columns] if rows != 1 else entries
        if isinstance(factor, int):
            scaled += row if factor else zero
        else:
            scaled += [factor * entry for entry in row]
    return arrays.assemble(len(factors), columns, scaled)

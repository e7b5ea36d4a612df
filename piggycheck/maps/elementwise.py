"""Elementwise layers: one piecewise function of one variable, applied to every entry of a vector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import Any

from piggycheck.errors import MapError, UnknownError
from piggycheck.maps.nodes import Context, Cotangents, Directions, Linearisation, Node, NonlinearOperator, Signs
from piggycheck.maps.scalar_function import Compiled, ScalarFunction
from piggycheck.maps.sweep import sweep_over

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
        guards = [str(guard) for guard in self.function.guards]
        return tuple(f"{self.name}[{i}]: {guard}" for i in range(self.size) for guard in guards)

    def over(self, context: Context) -> NonlinearOperator:
        return _ElementwiseOperator(self, context)


class _ElementwiseOperator(NonlinearOperator):
    def __init__(self, node: Elementwise, context: Context):
        self.node, self.arrays = node, context.arrays
        self.sweep = sweep_over(node.function, context.arrays, [argument.size == 1 for argument in node.inputs[1:]])
        self._read: tuple[list[Any], list[Any]] = ([], [])
        self._fixed: tuple[Sequence[int], Sequence[Any], Any] = ((), (), None)

    def __call__(self, values: Sequence[Any], reach: Sequence[Any]) -> Linearisation:
        return _ElementwiseAt(self, values[0], self.arguments(values[1:]), reach[0])

    @cached_property
    def compiled(self) -> Compiled:
        """The function, for one entry at a time."""
        return self.node.function.over(self.arrays.scalars)

    def arguments(self, values: Sequence[Any]) -> list[Any]:
        """The arguments as the sweep takes them; they are read once, as they do not depend on the state."""
        if not _are(values, self._read[0]):
            self._read = list(values), self.sweep.read(values)
        return self._read[1]

    def fixed_tangent(self, codes: Sequence[int], at: _ElementwiseAt, tangents: Sequence[Any | None]) -> Any | None:
        """What the arguments contribute to the tangents; kept as long as it stays the same."""
        if _are(tangents, self._fixed[1]) and self._fixed[0] == codes:
            return self._fixed[2]
        indices = [i for i, T in enumerate(tangents) if T is not None]
        parts = [self.sweep.scaled(i + 1, codes, at.around, at.arguments, tangents[i]) for i in indices]
        total = None
        for part in parts:
            total = part if total is None else self.arrays.total(total, part)
        if all(self.sweep.is_constant(i + 1, codes) for i in indices):
            self._fixed = codes, list(tangents), total
        return total

    def lipschitz(self, values: Sequence[Any], reach: Sequence[Any]) -> Any:
        if self.node.proximal:
            return 1
        bound = 0
        for v, arguments in self.points(self.arrays.reaching(values[0], reach[0]), self.arguments(values[1:])):
            low, high = self.node.function.slopes(v.lower(), v.upper(), arguments)
            bound = max(bound, abs(low).upper(), abs(high).upper())
        return bound

    def points(self, column: Any, arguments: Sequence[Any]) -> Iterator[tuple[Any, tuple[Any, ...]]]:
        """Each entry with its arguments."""
        for i, v in enumerate(self.arrays.entries(column)):
            yield v, tuple(a if shared else a[i] for a, shared in zip(arguments, self.sweep.shared, strict=True))


def _are(objects: Sequence[Any], others: Sequence[Any]) -> bool:
    """Whether these are the same objects."""
    return len(objects) == len(others) and all(a is b for a, b in zip(objects, others, strict=True))


class _ElementwiseAt(Linearisation):
    def __init__(self, operator: _ElementwiseOperator, column: Any, arguments: list[Any], reach: Any):
        self.operator, self.column, self.arguments, self.reach = operator, column, arguments, reach
        self.value, self.codes = operator.sweep(column, reach, arguments)

    def around(self) -> Any:
        """The entries with everything within reach."""
        return self.operator.arrays.reaching(self.column, self.reach)

    @cached_property
    def signs(self) -> Signs:
        if -1 in self.codes:
            raise UnknownError(self._undecided(self.codes.index(-1)))
        return self.operator.sweep.signs(self.codes)

    def _undecided(self, i: int) -> str:
        node = self.operator.node
        v, arguments = next(islice(self.operator.points(self.around(), self.arguments), i, None))
        compiled = self.operator.compiled
        index, guards = compiled.signs(v, *arguments)[1] or 0, node.function.guards
        name, number = node.guard_names[i * len(guards) + index], compiled.at(guards[index])(v, *arguments)
        return f"the sign of the guard `{name}` is not decided; it is {number}"

    def _branches(self, signs: Signs) -> Sequence[int]:
        """The branches that signs lead to, of which most often the own ones are asked."""
        if -1 not in self.codes and signs == self.signs:
            return self.codes
        return self.operator.sweep.codes(signs, self.operator.node.size)

    def still(self, signs: Signs) -> set[int]:
        slopes = self.operator.sweep.partials(0)
        flat = {code for code, slope in enumerate(slopes) if isinstance(slope, int) and not slope}
        return {i for i, code in enumerate(self._branches(signs)) if code in flat}

    def unsettled(self, distances: list[Any]) -> list[int]:
        """Return the entries that may take another branch when they move by a distance of their own."""
        codes = self.operator.sweep(self.column, distances, self.arguments)[1]
        return [i for i, (code, known) in enumerate(zip(codes, self.codes, strict=True)) if code != known]

    def watch(self, places: Sequence[int]) -> Callable[[Any, Any], bool]:
        """Return a test for some entries: whether they take the same branches after a move, within reach of it."""
        arrays, sweep, entries = self.operator.arrays, self.operator.sweep, self.operator.arrays.entries(self.column)
        column = arrays.assemble(len(places), 1, [entries[i] for i in places])
        arguments = [
            a if shared else [a[i] for i in places] for a, shared in zip(self.arguments, sweep.shared, strict=True)
        ]
        codes = [self.codes[i] for i in places]
        return lambda move, reach: sweep(arrays.total(column, move), reach, arguments)[1] == codes

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        operator, codes = self.operator, self._branches(signs)
        fixed = operator.fixed_tangent(codes, self, tangents[1:])
        if tangents[0] is None:
            return fixed
        part = operator.sweep.scaled(0, codes, self.around, self.arguments, tangents[0])
        return part if fixed is None else operator.arrays.total(part, fixed)

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        arrays, sweep, codes, found = self.operator.arrays, self.operator.sweep, self._branches(signs), []
        for index, node in enumerate(self.operator.node.inputs):
            part = sweep.scaled(index, codes, self.around, self.arguments, cotangent)
            if node.size == 1 and self.operator.node.size != 1:
                entries = arrays.entries(part)
                part = arrays.assemble(1, 1, [sum(entries[1:], start=entries[0])])
            found.append(part)
        return found

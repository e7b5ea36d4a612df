"""The names of a structured map: blocks of the state, parameters, vectors and scalar expressions."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from .exact import Exact
from .factors import Factor, Given, Slice
from .intervals import Interval
from .nodes import Constant, Node, Scalar, State
from .program import Program, require_name
from .reading import Data, Unreadable, array, fields, integer, number, text
from .scalar_functions import require_continuous
from .scalars import Directions, Scalars
from .scaled import scaled

MOST_NODES = 100
LARGEST = 10_000  # numbers in a vector
MOST_ENTRIES = 4_000_000


class Names:
    """What names stand for, and the parameters at which the map is examined."""

    def __init__(self, data: Data) -> None:
        self.nodes: dict[str, Node] = {}
        self.matrices: dict[str, Factor] = {}
        self.shapes: dict[str, tuple[int, int]] = {}
        self.sizes: dict[str, int] = {}  # of the parameters
        self.values: dict[str, Fraction] = {}  # of the scalar ones
        self.definitions: list[tuple[str, int]] = []
        self.read_state(array(data["state"], "state"))
        self.read_parameters(data)

    def scalars(self, directions: Directions) -> Scalars:
        """The scalar expressions, along directions."""
        result = Scalars(self.program, self.values, directions)
        for name, node in self.definitions:
            result.define(name, node)
        return result

    def new_name(self, data: Any, where: str) -> str:
        """A name that is not taken."""
        name = require_name(text(data, f"{where}.name"), where)
        if name in self.nodes or name in self.matrices:
            raise Unreadable(f"`{where}`: the name `{name[:60]}` is taken")
        return name

    def named(self, data: Any, where: str) -> list[tuple[str, Any]]:
        """The entries of an object, whose keys are new names."""
        if not isinstance(data, dict):
            raise Unreadable(f"`{where}` is not an object")
        return [(self.new_name(name, where), entry) for name, entry in data.items()]

    def node(self, data: Any, where: str, still: bool = False) -> Node:
        """The node of a name; with still=True, one that does not depend on the state."""
        found = self.nodes.get(text(data, where))
        if found is None:
            raise Unreadable(f"`{where}`: `{data[:60]}` is no block, parameter, vector or earlier node")
        if still and found.moving:
            raise Unreadable(f"`{where}`: `{data[:60]}` depends on the state")
        return found

    def vector(self, data: Any, where: str, size: int | None = None) -> list[Fraction]:
        """A list of numbers, not empty."""
        found = [number(a, where) for a in array(data, where, size)]
        if not 0 < len(found) <= LARGEST:
            raise Unreadable(f"`{where}` has no numbers, or more than {LARGEST}")
        return found

    def read_state(self, blocks: list[Any]) -> None:
        """The blocks of the state."""
        pairs = [array(block, "state", 2) for block in blocks]
        sizes = [integer(size, "state", 1, LARGEST) for _, size in pairs]
        self.size, start = sum(sizes), 0
        if not 0 < self.size <= LARGEST or len(sizes) > MOST_NODES:
            raise Unreadable(f"`state` has no numbers, or more than {LARGEST}")
        for (data, _), size in zip(pairs, sizes, strict=True):
            name = self.new_name(data, "state")
            self.nodes[name] = State(name, Slice(start, start + size, self.size))
            start += size

    def read_parameters(self, data: Data) -> None:
        """The parameters: numbers, vectors, and matrices, which can also be used as vectors, row after row."""
        declared = [array(entry, "parameters") for entry in array(data["parameters"], "parameters")]
        if any(not 2 <= len(entry) <= 3 for entry in declared):
            raise Unreadable("`parameters`: each has a name and a size, or numbers of rows and columns")
        names = [self.new_name(entry[0], "parameters") for entry in declared]
        at = fields(data["at"], "at", names)
        for name, (_, *shape) in zip(names, declared, strict=True):
            sizes = [integer(size, "parameters", 1, LARGEST) for size in shape]
            if len(sizes) == 2:
                rows = array(at[name], f"at.{name}", sizes[0])
                entries = [a for row in rows for a in self.vector(row, f"at.{name}", sizes[1])]
                self.shapes[name] = (sizes[0], sizes[1])
                self.matrices[name] = Given(name, self.exact(name, entries), parameter=True)
            else:
                single = sizes == [1] and isinstance(at[name], str)
                entries = self.vector([at[name]] if single else at[name], f"at.{name}", sizes[0])
                if sizes == [1]:
                    self.values[name] = entries[0]
            if name in self.nodes:
                raise Unreadable(f"`parameters`: `{name[:60]}` twice")
            self.sizes[name] = len(entries)
            self.nodes[name] = Constant(name, entries)

    def exact(self, name: str, entries: Sequence[Fraction]) -> Exact:
        """A matrix of the shape of a parameter."""
        height, width = self.shapes[name]
        if height * width > MOST_ENTRIES:
            raise Unreadable(f"`{name}` has more than {MOST_ENTRIES} entries")
        found = scaled([entries[i * width : (i + 1) * width] for i in range(height)])
        return Exact(found.rows, found.denominator, width)

    def read_scalars(self, listed: list[Data]) -> None:
        """The nodes that are scalar expressions."""
        names = list(self.values)
        self.program = Program(names)
        for data in listed:
            fields(data, "node", ("name", "op", "expression"))
            name = self.new_name(data["name"], "nodes")
            node = self.expression(data["expression"])
            names.append(name)
            self.definitions.append((name, node))
            self.nodes[name] = Scalar(name, node)
        self.constants = self.scalars({})

    def expression(self, data: Any) -> int:
        """A scalar expression in the scalar parameters and the scalar nodes before."""
        start = len(self.program.nodes)
        node = self.program.read(data)
        require_continuous(self.program, start)
        return node

    def scale(self, node: int) -> Interval:
        """The value of a scalar expression."""
        return self.constants.jet(node).value

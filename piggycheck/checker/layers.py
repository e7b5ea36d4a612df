"""Structured maps: reading the program of vector nodes, and what its names stand for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import chain
from math import comb
from typing import Any

from .cones import Cone, Group
from .exact import Exact, combination
from .factors import Factor, Given, Inverted, Sum, Symmetrise, Term, written
from .intervals import ONE
from .names import LARGEST, MOST_ENTRIES, MOST_NODES, Names
from .nodes import Affine, Constant, Node, Part, Stack
from .program import require_name
from .reading import Data, Refused, Unreadable, array, fields, integer, number, text
from .scalar_functions import VARIABLE, ScalarFunction
from .spectral import Spectral
from .steps import Elementwise, Step
from .words import is_symmetric, sum_of

MOST_TERMS = 1000
REFERENCE = re.compile(r"(\w+?)('|\^-1)?")


class Layers(Names):
    """The nodes of a structured map, by their names, and the parameters at which it is examined."""

    def __init__(self, data: Any) -> None:
        fields(data, "layers", ("state", "parameters", "at", "nodes", "next"), ("matrices", "vectors", "output"))
        super().__init__(data)
        self.inverses: dict[str, Inverted] = {}
        listed = array(data["nodes"], "nodes")
        if len(listed) > MOST_NODES:
            raise Unreadable(f"more than {MOST_NODES} nodes")
        self.read_scalars([node for node in listed if is_scalar(node)])
        for name, entry in self.named(data.get("matrices", {}), "matrices"):
            self.matrices[name] = self.read_matrix(name, entry)
        for name, entry in self.named(data.get("vectors", {}), "vectors"):
            self.nodes[name] = Constant(name, self.vector(entry, name))
        for node in listed:
            if not is_scalar(node):
                name = self.new_name(node.get("name") if isinstance(node, dict) else None, "nodes")
                self.nodes[name] = self.read_node(name, node)
        self.output = self.node(data["output"], "output") if "output" in data else None
        self.next = self.node(data["next"], "next")
        if self.next.size != self.size:
            raise Unreadable(f"`next` has {self.next.size} coordinates, the state {self.size}")

    def step(self, name: str) -> Step:
        """The step of an atom."""
        node = self.nodes[name]
        assert isinstance(node, Step)
        return node

    def read_matrix(self, name: str, data: Any) -> Factor:
        """A matrix: written out, differences, a sum of products, or what makes matrices symmetric."""
        if isinstance(data, dict) and "sum" in data:
            return self.read_sum(name, data)
        if isinstance(data, dict) and "symmetrise" in data:
            fields(data, name, ("symmetrise",))
            return Symmetrise(integer(data["symmetrise"], name, 1, int(LARGEST**0.5)))
        if isinstance(data, dict) and "difference" in data:
            fields(data, name, ("difference", "size"))
            size = integer(data["size"], name, 2, LARGEST)
            return Given(name, differences(integer(data["difference"], name, 1, min(size - 1, 20)), size))
        fields(data, name, ("denominator", "rows"))
        rows = array(data["rows"], name)
        entries = [self.vector(row, name, len(array(rows[0], name))) for row in rows]
        if not entries or any(a.denominator != 1 for a in chain(*entries)):
            raise Unreadable(f"`{name}` has no rows, or an entry that is no integer")
        denominator = number(data["denominator"], name)
        if denominator.denominator != 1 or denominator <= 0:
            raise Unreadable(f"`{name}.denominator` is not a positive integer")
        return Given(name, Exact([[int(a) for a in row] for row in entries], int(denominator), len(entries[0])))

    def read_sum(self, name: str, data: Data) -> Sum:
        """A square matrix, which is a sum of products."""
        fields(data, name, ("sum", "size"))
        size = integer(data["size"], name, 1, LARGEST)
        terms = [self.term(fields(entry, name, ("scale", "factors")), size) for entry in array(data["sum"], name)]
        if not 0 < len(terms) <= MOST_TERMS or any(height != size for _, height in terms):
            raise Unreadable(f"`{name}` has no terms, or a term of another size")
        values = [(self.scale(term.scale), term.factors) for term, _ in terms]
        matrix = combination([(c, written(word, size)) for c, word in values])
        symmetric = is_symmetric(sum_of((c, word, {(): ONE}) for c, word in values))
        result = Sum([term for term, _ in terms], matrix.symmetric_part() if symmetric else matrix)
        result.symmetric = result.symmetric or symmetric
        if not symmetric:
            flipped = [Term(term.scale, tuple(F.transposed for F in reversed(term.factors))) for term, _ in terms]
            result.flipped = Sum(flipped, matrix.transposed)
            result.flipped.flipped = result
        return result

    def term(self, data: Data, width: int) -> tuple[Term, int]:
        """A scalar expression and a product of factors that acts on vectors of a size; and the size of its values."""
        factors = [self.factor(text(name, "factors")) for name in array(data["factors"], "factors")]
        for factor in reversed(factors):
            if factor.width != width:
                raise Unreadable(f"`{str(data['factors'])[:60]}`: sizes do not fit")
            width = factor.height
        return Term(self.expression(data["scale"]), tuple(factors)), width

    def factor(self, reference: str) -> Factor:
        """A matrix, its transpose or its inverse."""
        found = REFERENCE.fullmatch(reference)
        matrix = self.matrices.get(found[1]) if found else None
        if found is None or matrix is None:
            raise Unreadable(f"`{reference[:60]}` is no matrix, transpose or inverse")
        if found[2] is None:
            return matrix
        if found[2] == "'":
            return matrix.transposed
        if not isinstance(matrix, Sum) or not matrix.symmetric:
            raise Refused(f"`{reference[:60]}`: what is inverted is a sum, and a symmetric matrix")
        if found[1] not in self.inverses:
            self.inverses[found[1]] = Inverted(matrix)
        return self.inverses[found[1]]

    def read_node(self, name: str, data: Data) -> Node:
        """A vector node."""
        op = text(data.get("op"), "op")
        if op not in OPS:
            raise Unreadable(f"`{name[:60]}`: there is no op `{op[:60]}`")
        return OPS[op](self, name, data)

    def affine(self, name: str, data: Data) -> Node:
        """A sum of products; what does not move is a node of its own, so that it is computed once."""
        fields(data, name, ("name", "op", "terms"))
        listed = [fields(entry, name, ("scale", "factors", "of")) for entry in array(data["terms"], name)]
        sources = [self.node(entry["of"], name) for entry in listed]
        found = [self.term(entry, source.size) for entry, source in zip(listed, sources, strict=True)]
        sizes = {size for _, size in found}
        if len(sizes) != 1 or len(found) > MOST_TERMS:
            raise Unreadable(f"`{name[:60]}`: no terms, or terms of different sizes")
        terms = [(term, self.scale(term.scale), source) for (term, _), source in zip(found, sources, strict=True)]
        symmetric = all(
            isinstance(term.factors[0], Symmetrise) if term.factors else source.symmetric for term, _, source in terms
        )
        size, still = min(sizes), [entry for entry in terms if not entry[2].moving]
        if 0 < len(still) < len(terms):
            part = Affine(f"{name} (constant)", size, still, symmetric)
            one = Term(self.program.read("1"), ())
            terms = [entry for entry in terms if entry[2].moving] + [(one, ONE, part)]
        return Affine(name, size, terms, symmetric)

    def arguments(self, name: str, data: Any, sizes: Sequence[int]) -> dict[str, Node]:
        """The arguments of a function."""
        if not isinstance(data, dict):
            raise Unreadable(f"`{name[:60]}`: `arguments` is not an object")
        found = {require_name(key, name): self.node(value, name, still=True) for key, value in data.items()}
        if VARIABLE in found or any(node.size not in sizes for node in found.values()):
            raise Unreadable(f"`{name[:60]}`: an argument has the name v, or a size that does not fit")
        return found

    def elementwise(self, name: str, data: Data) -> Node:
        """A scalar function of each coordinate."""
        fields(data, name, ("name", "op", "function", "of"), ("arguments", "proximal"))
        source = self.node(data["of"], name)
        arguments = self.arguments(name, data.get("arguments", {}), (1, source.size))
        return Elementwise(name, source, arguments, ScalarFunction(data["function"], list(arguments)), proximal(data))

    def spectral(self, name: str, data: Data) -> Node:
        """A scalar function of the eigenvalues."""
        fields(data, name, ("name", "op", "function", "of", "size"), ("arguments", "proximal"))
        source, n = self.node(data["of"], name), integer(data["size"], name, 1, LARGEST)
        if n * n != source.size:
            raise Unreadable(f"`{name[:60]}`: the size is not {n} times {n}")
        arguments = self.arguments(name, data.get("arguments", {}), (1,))
        return Spectral(name, source, arguments, ScalarFunction(data["function"], list(arguments)), n, proximal(data))

    def group(self, name: str, data: Data) -> Node:
        """Block soft-thresholding."""
        fields(data, name, ("name", "op", "of", "threshold", "groups"))
        source, threshold = self.node(data["of"], name), self.node(data["threshold"], name, still=True)
        listed = [array(group, name) for group in array(data["groups"], name)]
        groups = [[integer(i, name, 0, source.size - 1) for i in group] for group in listed]
        if not all(groups) or sorted(chain(*groups)) != list(range(source.size)):
            raise Unreadable(f"`{name[:60]}`: each coordinate is in one group, and no group is empty")
        if threshold.size not in (1, len(groups)):
            raise Unreadable(f"`{name[:60]}`: one threshold, or one for each group")
        return Group(name, source, threshold, groups)

    def cone(self, name: str, data: Data) -> Node:
        """The projection on a second-order cone."""
        fields(data, name, ("name", "op", "of"))
        return Cone(name, self.node(data["of"], name))

    def stack(self, name: str, data: Data) -> Node:
        """Nodes below each other."""
        fields(data, name, ("name", "op", "of"))
        sources = [self.node(part, name) for part in array(data["of"], name)]
        if not 0 < sum(source.size for source in sources) <= LARGEST or len(sources) > MOST_NODES:
            raise Unreadable(f"`{name[:60]}`: no parts, or too many")
        return Stack(name, sources)

    def cut(self, name: str, data: Data) -> Node:
        """Some coordinates."""
        fields(data, name, ("name", "op", "of", "start", "stop"))
        source = self.node(data["of"], name)
        start = integer(data["start"], name, 0, source.size - 1)
        return Part(name, source, start, integer(data["stop"], name, start + 1, source.size))


OPS = {
    "affine": Layers.affine,
    "elementwise": Layers.elementwise,
    "group": Layers.group,
    "spectral": Layers.spectral,
    "second_order_cone": Layers.cone,
    "stack": Layers.stack,
    "slice": Layers.cut,
}


def is_scalar(data: Any) -> bool:
    """Whether a node is a scalar expression."""
    return isinstance(data, dict) and data.get("op") == "scalar"


def proximal(data: Data) -> bool:
    """Whether a step says that it is a proximal map."""
    said = text(data.get("proximal", "false"), "proximal")
    if said not in ("true", "false"):
        raise Unreadable('`proximal` is "true" or "false"')
    return said == "true"


def differences(order: int, size: int) -> Exact:
    """Differences of an order: rows such as [-1, 1] or [1, -2, 1]."""
    row = [(-1) ** (order - k) * comb(order, k) for k in range(order + 1)]
    if size * size > MOST_ENTRIES:
        raise Unreadable(f"a difference operator has more than {MOST_ENTRIES} entries")
    return Exact([[0] * i + row + [0] * (size - order - 1 - i) for i in range(size - order)], 1, size)

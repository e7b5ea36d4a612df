"""Maps made of structured maps: compositions, sums, stacks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sympy as sp

from piggycheck.errors import MapError
from piggycheck.maps.affine import Affine
from piggycheck.maps.nodes import Node
from piggycheck.maps.sources import Term
from piggycheck.maps.stacking import Slice, Stack
from piggycheck.maps.structured import StructuredMap

__all__ = ["compose", "stacked", "total"]


def compose(outer: StructuredMap, inner: StructuredMap) -> StructuredMap:
    """Return the map that applies `inner` and then `outer`; parameters with the same name are the same.

    Raises
    ------
    MapError
        When the state of `outer` does not have as many entries as the value of `inner`.

    Examples
    --------
    >>> from piggycheck.maps import Affine, StateBlock, Term
    >>> x = StateBlock("x", 2)
    >>> twice = StructuredMap([x], Affine("y", [Term(sp.Integer(2), (), x)]))
    >>> compose(twice, twice).value({"x": [1, 3]})
    (4, 12)
    """
    if inner.next.size != outer.dimension:
        raise MapError(f"the inner map has {inner.next.size} entries and the outer one acts on {outer.dimension}")
    renaming = _Renaming(inner.nodes)
    found: dict[Node, Node] = {}
    if len(outer.blocks) == 1:
        found[outer.blocks[0]] = inner.next
    else:
        start = 0
        for block in outer.blocks:
            found[block] = Slice(renaming.name(block.name), inner.next, start, start + block.size)
            start += block.size
    return StructuredMap(inner.blocks, renaming.copied(outer.nodes, found), _joined(outer, inner))


def total(first: StructuredMap, second: StructuredMap) -> StructuredMap:
    """Return the sum of two maps of the same state.

    Raises
    ------
    MapError
        When blocks or sizes differ.

    Examples
    --------
    >>> from piggycheck.maps import Affine, StateBlock, Term
    >>> x = StateBlock("x", 2)
    >>> twice = StructuredMap([x], Affine("y", [Term(sp.Integer(2), (), x)]))
    >>> total(twice, twice).value({"x": [1, 3]})
    (4, 12)
    """
    sizes = [[(block.name, block.size) for block in F.blocks] for F in (first, second)]
    if sizes[0] != sizes[1]:
        raise MapError(
            f"the maps have the states {list(first.blocks)} and {list(second.blocks)}; write the same for both"
        )
    renaming = _Renaming(first.nodes)
    other = renaming.copied(second.nodes, dict(zip(second.blocks, first.blocks, strict=True)))
    sum_ = Affine(renaming.name("sum"), [Term(sp.S.One, (), first.next), Term(sp.S.One, (), other)])
    return StructuredMap(first.blocks, sum_, _joined(first, second))


def stacked(first: StructuredMap, second: StructuredMap) -> StructuredMap:
    """Return the map ``(x, y) -> (F(x), G(y))``.

    Raises
    ------
    MapError
        When blocks of the two states have the same name.

    Examples
    --------
    >>> from piggycheck.maps import Affine, StateBlock, Term
    >>> x, y = StateBlock("x", 1), StateBlock("y", 1)
    >>> twice = StructuredMap([x], Affine("u", [Term(sp.Integer(2), (), x)]))
    >>> thrice = StructuredMap([y], Affine("u", [Term(sp.Integer(3), (), y)]))
    >>> stacked(twice, thrice).value({"x": 1, "y": 1})
    (2, 3)
    """
    common = {block.name for block in first.blocks} & {block.name for block in second.blocks}
    if common:
        raise MapError(f"both states have a block `{min(common)}`; give the blocks different names")
    renaming = _Renaming(first.nodes)
    other = renaming.copied(second.nodes, {block: block for block in second.blocks})
    both = Stack(renaming.name("both"), [first.next, other])
    return StructuredMap((*first.blocks, *second.blocks), both, _joined(first, second))


class _Renaming:
    """Copies nodes under names that are not taken."""

    def __init__(self, nodes: Sequence[Node]):
        self.taken = {node.name for node in nodes}

    def name(self, wanted: str) -> str:
        """Return a name like the one that is wanted."""
        found, count = wanted, 1
        while found in self.taken:
            count += 1
            found = f"{wanted}_{count}"
        self.taken.add(found)
        return found

    def copied(self, nodes: Sequence[Node], found: Mapping[Node, Node]) -> Node:
        """Copy nodes, inputs before what reads them, with others in place of some; return the last one."""
        found = dict(found)
        for node in nodes:
            if not node.inputs:
                found.setdefault(node, node)
                continue
            found[node] = node.copied(self.name(node.name), found)
        return found[nodes[-1]]


def _joined(first: StructuredMap, second: StructuredMap) -> list:
    """The parameters of both maps, each once."""
    parameters = list(dict.fromkeys((*first.declared, *second.declared)))
    names = [p.name for p in parameters]
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise MapError(f"the parameter `{twice}` of the two maps is not the same; give it two names")
    return parameters

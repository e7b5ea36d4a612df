"""Graphs whose edges are labelled with matrices: a form per node bounds growth, and paths constrain words."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from .boxes import Box, contracts, positive_form
from .effort import spend
from .reading import Data, Refused, Unreadable, array, integer

MOST_NODES = 4096
MOST_EDGES = 20_000
MOST_SETS = 50_000

Edge = tuple[int, int, int]  # from a node, by a letter, to a node


def read_edges(data: Any, where: str, nodes: int, letters: int) -> list[Edge]:
    """Read the edges of a graph, each [from, letter, to]."""
    listed = array(data, where)
    if len(listed) > MOST_EDGES:
        raise Unreadable(f"`{where}`: more than {MOST_EDGES} edges")
    edges = []
    for edge in listed:
        u, i, v = array(edge, where, 3)
        edges.append(
            (
                integer(u, where, 0, nodes - 1),
                integer(i, where, 0, letters - 1),
                integer(v, where, 0, nodes - 1),
            )
        )
    return edges


def path_complete(matrices: list[Box], rate: Fraction, proof: Data, inner: Any) -> None:
    """V_v(A_i x) <= rate^2 V_u(x) on each edge (u, i, v), and every word is that of a path."""
    forms = array(proof["forms"], "forms")
    if not 0 < len(forms) <= MOST_NODES:
        raise Unreadable(f"`forms`: none, or more than {MOST_NODES}")
    P = [positive_form(form, "a form", matrices[0].size) for form in forms]
    edges = read_edges(proof["edges"], "edges", len(P), len(matrices))
    require_path_complete(edges, len(P), len(matrices))
    for u, i, v in edges:
        if not contracts(matrices[i], P[u], rate * rate, P[v]):
            raise Refused(f"the rate is not proved on the edge {u} {i} {v}")


def require_path_complete(edges: Sequence[Edge], nodes: int, letters: int) -> None:
    """Refuse a graph in which some word is that of no path: from the set of all nodes it leads to the empty set.

    Sets of nodes are the binary digits of integers.
    """
    step: list[dict[int, int]] = [{} for _ in range(letters)]
    for u, i, v in edges:
        step[i][u] = step[i].get(u, 0) | 1 << v
    left = [2**nodes - 1]
    reached = set(left)
    while left:
        start = left.pop()
        for targets in step:
            spend(len(targets), nodes)
            end = 0
            for u, set_of_nodes in targets.items():
                if start >> u & 1:
                    end |= set_of_nodes
            if not end:
                raise Refused("a word is that of no path in the graph")
            if end not in reached:
                reached.add(end)
                left.append(end)
        if len(reached) > MOST_SETS:
            raise Refused(f"the words lead to more than {MOST_SETS} sets of nodes")


def has_cycle(edges: Sequence[Edge]) -> bool:
    """Whether paths can be arbitrarily long: edges that lead to no others are left out, again and again."""
    left = set(edges)
    while True:
        sources = {u for u, _, _ in left}
        leading = {edge for edge in left if edge[2] in sources}
        if leading == left:
            return bool(left)
        left = leading

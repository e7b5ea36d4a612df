"""Switched systems, and words that are constrained to the paths of a graph: then the letters are its edges."""

from __future__ import annotations

from collections.abc import Sequence

from .graphs import Edge, has_cycle, read_edges
from .intervals import ZERO
from .matrices import Matrix
from .reading import Data, Refused, Unreadable, array, fields
from .subject import Subject

MOST_COORDINATES = 400
MOST_ENTRIES = 20_000_000
MOST_LETTERS = 4096


class Along(Subject):
    """The matrices of a subject along the paths of a graph.

    For each edge (u, i, v) the matrix A_i is the block in row v and column u of a matrix of as many blocks as there
    are nodes, all others zero: a product is zero unless the edges form a path. J_0 stands once for each node.
    """

    def __init__(self, subject: Subject, edges: Sequence[Edge], name: str, active: bool) -> None:
        if len(set(edges)) < len(edges):
            raise Unreadable("`graph`: an edge is listed twice")
        if not has_cycle(edges):
            raise Refused("the graph has no cycle, so there are no infinite words")
        nodes = sorted({node for u, _, v in edges for node in (u, v)})
        self.name = name
        self.p, self.m = subject.p * len(nodes), subject.m
        if self.p > MOST_COORDINATES or len(edges) > MOST_LETTERS or len(edges) * self.p**2 > MOST_ENTRIES:
            raise Refused("the matrices along the paths of the graph are too many, or too large")
        place = {node: k * subject.p for k, node in enumerate(nodes)}
        self.A = [self.placed(subject.A[i], place[v], place[u], self.p) for u, i, v in edges]
        self.B = [self.placed(subject.B[i], place[v], 0, self.m) for _, i, v in edges]
        self.active = [active] * len(edges)
        self.J0 = None if subject.J0 is None else subject.J0 * len(nodes)

    def __str__(self) -> str:
        return self.name

    def placed(self, M: Matrix, row: int, column: int, width: int) -> Matrix:
        """A matrix of so many columns that is zero but for a block."""
        rows = [[ZERO] * width for _ in range(self.p)]
        for i, entries in enumerate(M):
            rows[row + i][column : column + len(entries)] = entries
        return rows


def switched(certificate: Data, constrained: bool) -> Subject:
    """Read a switched system, which may be constrained to a graph."""
    data = fields(certificate["switched"], "switched", ("A", "B"), ("graph",) if constrained else ())
    A = array(data["A"], "A")
    B = array(data["B"], "B", len(A))
    listed = [{"A": a, "B": b} for a, b in zip(A, B, strict=True)]
    p = len(array(A[0], "A")) if A else 0
    if not p:
        raise Unreadable("`switched`: no matrices")
    subject = Subject(listed, p, len(array(array(B[0], "B", p)[0], "B")), certificate)
    if "graph" not in data:
        return subject
    edges = read_edges(data["graph"], "graph", 10**9, len(A))
    return Along(subject, edges, f"{subject} along the paths of the graph", active=True)

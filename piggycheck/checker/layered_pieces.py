"""Where a structured map is affine on the ball of its limit: its derivative there, exactly."""

from __future__ import annotations

from fractions import Fraction

from .evaluation import Evaluation
from .exact import Exact, Nearly
from .limits import Limit, Structured
from .nodes import Affine, Linear, Node, State
from .reading import Refused
from .scalar_functions import VARIABLE
from .scalars import Directions
from .scaled import lowest
from .steps import Elementwise

MOST_KEPT = 30


class AffinePiece:
    """A map that is affine in the state on a ball; with directions, in state and parameters along them.

    Then its derivatives in the state, and in the parameters along the directions, are the same on the whole ball.
    """

    def __init__(self, subject: Structured, found: Limit, directions: Directions) -> None:
        self.layers, self.bits, self.moving = subject.layers, found.bits, bool(directions)
        self.e = Evaluation(subject.setting(found.bits, directions), found.centre, found.radius)
        self.known: dict[Node, Nearly] = {}
        self.checked: set[Node] = set()
        self.require_affine(self.layers.next)

    def require_affine(self, node: Node) -> None:
        """Refuse a node that is not, or is not seen to be."""
        if node in self.checked or not node.moving:
            return
        self.checked.add(node)
        for source in node.sources:
            self.require_affine(source)
        if isinstance(node, Elementwise):
            for name in (VARIABLE, *(node.arguments if self.moving else ())):
                self.slopes(node, name)
        elif isinstance(node, Affine):
            if self.moving and any(term.moves(self.e.numbers) for term, _, source in node.terms if source.moving):
                raise Refused(f"node {node.name[:60]}: a matrix moves with the parameters")
        elif not isinstance(node, State | Linear):
            raise Refused(f"node {node.name[:60]} is not affine")

    def slopes(self, node: Elementwise, name: str) -> list[int]:
        """A derivative, in units, when it is the same number on the whole ball."""
        (lower, upper), decided = node.enclosed_slopes(self.e, name)
        if not decided or lower != upper:
            raise Refused(f"node {node.name[:60]} is not affine on the ball")
        return lower

    def block(self) -> tuple[list[int], Exact]:
        """The coordinates that are not constant on the ball, and the derivative in them."""
        A = self.jacobian(self.layers.next)
        kept = [i for i, row in enumerate(A.rows) if any(row)]
        if not 0 < len(kept) <= MOST_KEPT:
            raise Refused(f"not one coordinate, or more than {MOST_KEPT}, are not constant near the limit")
        rows, d = lowest([[A.rows[i][j] for j in kept] for i in kept], A.denominator)
        return kept, Exact(rows, d, len(rows))

    def jacobian(self, node: Node) -> Nearly:
        """The derivative of a node in the state."""
        if node not in self.known:
            self.known[node] = self.compute(node)
        return self.known[node]

    def compute(self, node: Node) -> Nearly:
        """The derivative, from those of the sources."""
        size = self.layers.size
        if isinstance(node, State):
            start, stop = node.cut.range
            return Nearly([[int(i == j) for j in range(size)] for i in range(start, stop)], 1, Fraction(0), size)
        if isinstance(node, Elementwise):
            J = self.jacobian(node.source)
            pairs = zip(self.slopes(node, VARIABLE), J.rows, strict=True)
            rows, d = lowest([[a * s for a in row] for s, row in pairs], J.denominator << self.bits)
            return Nearly(rows, d, Fraction(0), size)
        assert isinstance(node, Linear)  # as `require_affine` saw
        total, d = [[0] * size for _ in range(node.size)], 1
        for scale, word, source in node.parts():
            if not source.moving:
                continue
            J = self.jacobian(source)
            for factor in reversed(word):
                J = factor.times(J)
            if not scale.exact or J.error:
                raise Refused(f"node {node.name[:60]}: its derivative is not a short rational matrix")
            n, m = scale.lo.numerator, J.denominator * scale.lo.denominator
            sums = zip(total, J.rows, strict=True)
            total, d = lowest([[a * m + b * n * d for a, b in zip(*pair, strict=True)] for pair in sums], d * m)
        return Nearly(total, d, Fraction(0), size)

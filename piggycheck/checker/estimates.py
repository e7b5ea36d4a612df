"""What is taken for the Jacobian along an orbit: the last steps alone, all but the first, the implicit one, or zero."""

from __future__ import annotations

from collections import deque
from fractions import Fraction
from functools import cached_property

from .arithmetics import Exact, Number, form
from .enclosed import identity_less, solved
from .orbits import START, Orbit, Setting, Settled
from .runs import Arithmetic, Tangent
from .subject import FixedPoint

Rows = list[list[Number]]
ONE, ZERO = Fraction(1), Fraction(0)


class Estimated(Setting):
    """A map with a start, and how its derivatives are estimated."""

    def __init__(
        self, subject: FixedPoint, outputs: list[int], quantity: str, last: int | None, skip: int | None, first: int
    ) -> None:
        super().__init__(subject, quantity != "iterates", outputs)
        self.quantity, self.last, self.skip, self.first = quantity, last, skip, first

    @cached_property
    def exact(self) -> Exact:
        """Rational numbers."""
        return Exact() if self.quantity == "implicit" else super().exact

    def orbit(self, arithmetic: Arithmetic, helper: Settled | None) -> Orbit:
        """The orbit in numbers of an arithmetic, before its start."""
        if self.quantity in ("implicit", "partial"):
            return (Implicit if self.quantity == "implicit" else Partial)(self, arithmetic, helper)
        if self.last is not None:
            return Windowed(self, arithmetic, helper, self.last, self.first)
        if self.skip is not None:
            return Delayed(self, arithmetic, helper, self.skip)
        return Orbit(self, arithmetic, helper)


class Still(Orbit):
    """The iterates alone."""

    def image(self, nodes: list[int]) -> tuple[list[Number], list[Tangent]]:
        """The values of nodes."""
        return self.values(nodes), []


class Partial(Still):
    """The iterate does not move."""

    def derivative(self) -> list[Tangent]:
        """Zero."""
        return [None] * len(self.x)


class Implicit(Still):
    """The Jacobian is that of the implicit function theorem, as if the iterate were the fixed point."""

    def derivative(self) -> list[Tangent]:
        """(I - A)^-1 B with the pair at the iterate."""
        n = len(self.x)
        return [*solved(identity_less(self.pair(), n, self.arithmetic), n, self.arithmetic)]


class Windowed(Still):
    """The last steps are differentiated, from J = 0."""

    def __init__(self, setting: Setting, arithmetic: Arithmetic, helper: Settled | None, last: int, first: int) -> None:
        super().__init__(setting, arithmetic, helper)
        self.first = first - last  # the index from which on a step matters
        self.steps: deque[Rows] = deque(maxlen=last)

    def advance(self) -> None:
        """Go to the next iterate, and remember the step."""
        pair = self.pair() if self.k != START and self.k >= self.first else None
        super().advance()
        if pair is not None:
            self.steps.append(pair)

    def derivative(self) -> list[Tangent]:
        """A J + B, step after step."""
        J: list[Tangent] = [None] * len(self.x)
        for pair in self.steps:
            J = [self.moved(row, J) for row in pair]
        return J

    def moved(self, row: list[Number], J: list[Tangent]) -> Tangent:
        """A row of A J + B."""
        n, times = len(J), self.arithmetic.times
        known = [(a, slopes) for a, slopes in zip(row[:n], J, strict=True) if slopes is not None]
        plus = form(dict.fromkeys(range(len(known) + 1), ONE), ZERO)
        return [
            self.arithmetic.combination(plus, [b, *(times(a, slopes[j]) for a, slopes in known)])
            for j, b in enumerate(row[n:])
        ]


class Delayed(Orbit):
    """The first steps are not differentiated."""

    def __init__(self, setting: Setting, arithmetic: Arithmetic, helper: Settled | None, skip: int) -> None:
        super().__init__(setting, arithmetic, helper)
        self.skip = skip

    def image(self, nodes: list[int]) -> tuple[list[Number], list[Tangent]]:
        """The values of nodes, and their derivatives, which are zero at first."""
        if self.k + 1 <= self.skip:
            return self.values(nodes), [None] * len(nodes)
        return super().image(nodes)

"""Steps that look at norms: block soft-thresholding, and the projection on a second-order cone.

Both are proximal maps: their derivatives are symmetric, with eigenvalues from 0 to 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import isqrt
from typing import NamedTuple

from .exact import upward
from .fixed import Ball, add, enlarged, inner, root, rounding
from .nodes import Evaluation, Node
from .reading import Refused
from .steps import Steepness, Step

ZERO, ONE = Fraction(0), Fraction(1)


class Length(NamedTuple):
    """The norm of a vector: bounds, and 2^bits times a lower bound, which is exact up to a relative 1 / fine."""

    lower: int
    upper: int
    fine: int


def length(vector: Sequence[int], bits: int) -> Length:
    """The norm of a vector."""
    square = inner(vector, vector)
    return Length(isqrt(square), root(square), isqrt(square << 2 * bits))


class Group(Step):
    """v_g max(0, 1 - t_g / |v_g|) for each group g of coordinates."""

    def __init__(self, name: str, source: Node, threshold: Node, groups: Sequence[Sequence[int]]) -> None:
        super().__init__(name, source.size, source, {"threshold": threshold})
        self.threshold, self.groups = threshold, groups

    def spread_out(self, ball: Ball) -> Ball:
        """What is given for all groups at once, for each."""
        if self.threshold.size == len(self.groups):
            return ball
        columns = [column * len(self.groups) for column in ball.columns]
        return Ball(columns, ball.error * root(len(self.groups)))

    def thresholds(self, e: Evaluation) -> Ball:
        """The threshold of each group."""
        found = self.spread_out(e.value(self.threshold))
        if min(found.centre) < found.error:
            raise Refused(f"node {self.name}: a threshold is negative, or is not known not to be")
        return found

    def value(self, e: Evaluation) -> Ball:
        """The value; by rounding the norm, a group moves by less than 2 units."""
        u, thresholds = e.value(self.source), self.thresholds(e)
        result = [0] * self.size
        for group, t in zip(self.groups, thresholds.centre, strict=True):
            v = [u.centre[i] for i in group]
            size = length(v, 0)
            if size.upper > t:
                for i, a in zip(group, v, strict=True):
                    result[i] = a - a * t // size.lower
        error = u.error + thresholds.error + 2 * root(len(self.groups)) + rounding([result])
        return Ball([result], error)

    def variations(self, e: Evaluation) -> list[Fraction]:
        """For each group, how much the derivative varies on the ball; 1 where it is not decided whether it vanishes."""
        u, reach, thresholds = e.value(self.source), e.reach(self.source), self.thresholds(e)
        found = []
        for group, t, below in zip(self.groups, thresholds.centre, self.below_threshold(e), strict=True):
            least, high = length([u.centre[i] for i in group], 0).lower - reach, t + thresholds.error
            if below is None:
                found.append(ONE)
            else:
                found.append(ZERO if below else min(ONE, Fraction(2 * high * reach, least**2)))
        return found

    def steepness(self, e: Evaluation) -> Steepness:
        """It is a proximal map."""
        return Steepness(ONE, ONE, upward(max(self.variations(e))))

    def below_threshold(self, e: Evaluation) -> list[bool | None]:
        """For each group, whether it is 0 on the whole ball, or nowhere; None when that is not decided."""
        u, reach, thresholds = e.value(self.source), e.reach(self.source), self.thresholds(e)
        found: list[bool | None] = []
        for group, t in zip(self.groups, thresholds.centre, strict=True):
            size = length([u.centre[i] for i in group], 0)
            zero = size.upper + reach < t - thresholds.error
            found.append(zero if zero or size.lower - reach > t + thresholds.error else None)
        return found

    def vanishing(self, e: Evaluation) -> list[bool]:
        """The coordinates of groups that are 0."""
        if not self.moving:
            return super().vanishing(e)
        zero = {i for group, below in zip(self.groups, self.below_threshold(e), strict=True) if below for i in group}
        return [i in zero for i in range(self.size)]

    def tangent(self, e: Evaluation) -> Ball | None:
        """For groups that are not 0: T - t/r (T - v (v.T) / r^2), and -v/r times the change of the threshold."""
        T, dt, bits = e.tangent(self.source), e.tangent(self.threshold), e.numbers.bits
        below, variations, thresholds = self.below_threshold(e), self.variations(e), self.thresholds(e)
        if T is None and dt is None:
            return None
        if None in below:
            raise Refused(f"node {self.name}: whether a group is 0 is not decided")
        u, reach = e.value(self.source).centre, e.reach(self.source)
        dt = None if dt is None else self.spread_out(dt)
        moved = None if T is None else [[0] * self.size for _ in T.columns]
        shrunk = None if dt is None else [[0] * self.size for _ in dt.columns]
        unsure, turned = max(variations), ZERO
        for g, (group, t) in enumerate(zip(self.groups, thresholds.centre, strict=True)):
            if below[g]:
                continue
            v = [u[i] for i in group]
            size = length(v, bits)
            unsure = max(
                unsure, variations[g] + Fraction(8, size.fine) + Fraction(thresholds.error, size.lower - reach)
            )
            turned = max(turned, Fraction(reach, size.lower - reach) + Fraction(1, size.fine))
            for before, after in zip(T.columns if T else (), moved or (), strict=True):
                part = [before[i] for i in group]
                along = (inner(v, part) * t << 3 * bits) // size.fine
                for i, a, b in zip(group, v, part, strict=True):
                    after[i] = b - (b * t << bits) // size.fine + a * along // size.fine**2
            for before, after in zip(dt.columns if dt else (), shrunk or (), strict=True):
                for i, a in zip(group, v, strict=True):
                    after[i] = -((a * before[g] << bits) // size.fine)
        result: Ball | None = None
        if T is not None and moved is not None:
            result = Ball(moved, T.error + enlarged(T.size, unsure) + 3 * rounding(moved))
        if dt is not None and shrunk is not None:
            error = dt.error + enlarged(dt.size, turned) + rounding(shrunk)
            result = add(result, Ball(shrunk, error))
        return result


class Cone(Step):
    """The projection on {(t, v): |v| <= t}."""

    def __init__(self, name: str, source: Node) -> None:
        super().__init__(name, source.size, source, {})

    def value(self, e: Evaluation) -> Ball:
        """The point itself, 0, or (t + |v|) / 2 times (1, v / |v|)."""
        u, bits = e.value(self.source), e.numbers.bits
        t, *v = u.centre
        size = length(v, bits)
        if inner(v, v) <= t * t:
            return u if t >= 0 else Ball([[0] * self.size], u.error)
        total = (t << bits) + size.fine
        column = [total >> bits + 1, *(a * total // (2 * size.fine) for a in v)]
        return Ball([column], u.error + 2 + rounding([column]))

    def outside(self, e: Evaluation) -> bool | None:
        """Whether, on the whole ball, the point is in neither of the two cones; None when that is not decided."""
        t, *v = e.value(self.source).centre
        size, room = length(v, 0), 2 * e.reach(self.source)
        if size.lower - abs(t) > room:
            return True
        return False if abs(t) - size.upper > room else None

    def steepness(self, e: Evaluation) -> Steepness:
        """It is a proximal map."""
        outside, reach = self.outside(e), e.reach(self.source)
        if outside is None:
            return Steepness(ONE, ONE, ONE)
        size = length(e.value(self.source).centre[1:], 0)
        return Steepness(ONE, ONE, min(ONE, upward(Fraction(2 * reach, size.lower - reach))) if outside else ZERO)

    def vanishing(self, e: Evaluation) -> list[bool]:
        """All coordinates, when the point is in the polar cone."""
        zero = self.moving and self.outside(e) is False and e.value(self.source).centre[0] < 0
        return [zero or not self.moving] * self.size

    def tangent(self, e: Evaluation) -> Ball | None:
        """The derivative between the two cones: half of [1, v^T/r; v/r, 1 + t/r (1 - v v^T / r^2)]."""
        T, bits, outside = e.tangent(self.source), e.numbers.bits, self.outside(e)
        if T is None:
            return None
        t, *v = e.value(self.source).centre
        if outside is None:
            raise Refused(f"node {self.name}: on which side of the cone the point is, is not decided")
        if not outside:
            return T if t > 0 else Ball([[0] * self.size for _ in T.columns], 0)
        r, columns = length(v, bits).fine, []
        for first, *rest in T.columns:
            dot = inner(v, rest)
            along = (dot * t << 3 * bits) // r
            head = (first + (dot << bits) // r) // 2
            tail = [
                (b + ((a * first + t * b) << bits) // r - a * along // r**2) // 2 for a, b in zip(v, rest, strict=True)
            ]
            columns.append([head, *tail])
        unsure = self.steepness(e).variation + Fraction(8, r)
        return Ball(columns, T.error + enlarged(T.size, unsure) + 3 * rounding(columns))

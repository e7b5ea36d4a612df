"""Contraction in the Euclidean norm of the whole space, and convergence from the start of the iteration.

The proof of a verified limit looks at the coordinates that move. That every orbit from a ball comes near the fixed
point is a statement about the whole space, with norms of whole matrices.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from flint import arb, fmpq

from piggycheck.arrays import Enclosed
from piggycheck.enclosures.contraction import Contraction, by_rows, rounded_up
from piggycheck.enclosures.enclosure import LimitEnclosure
from piggycheck.enclosures.jacobian import derivative_rows
from piggycheck.enclosures.proof import around
from piggycheck.errors import UnknownError
from piggycheck.maps.structured import StructuredMoment

__all__ = ["ConvergenceFromStart", "convergence_from_start", "whole_contraction"]

_RADIUS_BITS = (4, 8, 12, 16)


@dataclass(frozen=True)
class ConvergenceFromStart:
    """A proof that the iterates converge to the enclosed fixed point.

    Attributes
    ----------
    lipschitz : fmpq
        A Lipschitz constant L of the map on the ball around xbar whose radius is `distance`.
    distance : fmpq
        R, at least the distance of the start from xbar.
    contraction : Contraction
        In the whole space, on a ball of radius r around x~: gamma.
    inner : fmpq
        r', the radius of a ball around xbar inside that ball. Either ``R <= r'`` or
        ``(L - 1)(R - r') < (1 - gamma) r'``.
    """

    lipschitz: fmpq
    distance: fmpq
    contraction: Contraction
    inner: fmpq


def whole_contraction(limit: LimitEnclosure, radius: fmpq | None = None) -> Contraction:
    """Prove that the map contracts on a ball around x~, in the Euclidean norm of the whole space.

    Parameters
    ----------
    limit : LimitEnclosure
    radius : fmpq, optional
        By default that of the limit's own contraction.

    Raises
    ------
    UnknownError
        When a guard may vanish on the ball, or the norm of the derivative is not below 1.

    Notes
    -----
    From the derivative: ``gamma^2 I - A A^T`` is definite, for the rows of A that are not zero.
    """
    radius = limit.contraction.radius if radius is None else radius
    if limit.contraction.is_whole and radius <= limit.contraction.radius:
        return replace(limit.contraction, radius=radius)
    bound = limit.problem.over(limit.arrays)
    with bound.arrays.precision():
        moment = around(bound, bound.arrays.matrix(limit.point), radius, "jacobian")
        signature = moment.signature
        if signature != limit.signature:
            raise UnknownError("the ball reaches another piece")
        return by_rows(derivative_rows(moment, signature), radius)


def convergence_from_start(limit: LimitEnclosure) -> ConvergenceFromStart:
    """Prove that the iterates from the start converge to the enclosed fixed point.

    Raises
    ------
    UnknownError
        When there is no start, or the inequality was not proved; with its figures.

    Notes
    -----
    On the segment from xbar to an iterate x at distance d let y be the point at distance r'. Then
    ``|F(x) - xbar| <= |F(x) - F(y)| + |F(y) - xbar| <= L (d - r') + gamma r'``, which is below d when
    ``(L - 1)(d - r') < (1 - gamma) r'``. See docs/theory/verified-limit.md.
    """
    problem = limit.problem
    if problem.iteration.start is None:
        raise UnknownError("the iteration has no start; that its iterates converge is not a question then")
    bound = problem.over(limit.arrays)
    with bound.arrays.precision():
        start, point = problem.start(bound.arrays), bound.arrays.matrix(limit.point)
        distance = rounded_up(bound.arrays.length(start.centre - point) + start.spread + arb(limit.error))
        lipschitz: fmpq | None = None
        figures = ""
        for contraction in _contractions(limit, distance):
            inner = contraction.radius - limit.error
            if inner <= 0:
                continue
            lipschitz = lipschitz or _lipschitz(limit, distance)
            if distance <= inner or (lipschitz - 1) * (distance - inner) < (1 - contraction.factor) * inner:
                return ConvergenceFromStart(lipschitz, distance, contraction, inner)
            figures = (
                f"L = {_shown(lipschitz)} on a ball of radius {_shown(distance)}, "
                f"and gamma = {_shown(contraction.factor)} on one of radius {_shown(contraction.radius)}"
            )
    raise UnknownError(f"that iterates from the start converge was not proved: {figures or 'no contraction'}")


def _contractions(limit: LimitEnclosure, distance: fmpq) -> Iterator[Contraction]:
    """Contractions on the limit's own ball, then on larger ones while no guard vanishes there."""
    yield whole_contraction(limit)
    for bits in sorted(_RADIUS_BITS, reverse=True):
        radius = fmpq(1) / fmpq(2) ** bits
        if radius > limit.contraction.radius:
            try:
                yield whole_contraction(limit, radius)
            except UnknownError:
                return


def _lipschitz(limit: LimitEnclosure, distance: fmpq) -> fmpq:
    """Bound the Lipschitz constant on the ball around xbar."""
    bound = limit.problem.over(limit.arrays)
    reach = arb(distance + limit.error).upper()
    moment = bound(Enclosed(bound.arrays.matrix(limit.point), reach))
    if not isinstance(moment, StructuredMoment):
        raise UnknownError("Lipschitz constants on large balls are known for structured maps alone")
    return max(fmpq(1), rounded_up(moment.lipschitz, 16))


def _shown(number: fmpq) -> str:
    return f"{int(number.p) / int(number.q):.10g}"

"""Error bounds of spectral layers over balls: docs/theory/spectral-functions.md, whose letters are used here."""

from __future__ import annotations

import heapq
import math
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import sympy as sp
from flint import arb

from piggycheck.arithmetic import Balls
from piggycheck.errors import UnknownError
from piggycheck.maps.scalar_function import compile_expression
from piggycheck.spectra import Spectrum

if TYPE_CHECKING:
    from piggycheck.maps.spectral import Spectral

__all__ = ["SpectralError"]

_BITS = 64
_MOST_INTERVALS = 256


class SpectralError:
    """How far a spectral layer may be from what is computed with approximate eigenvectors.

    Parameters
    ----------
    node : Spectral
    spectrum : Spectrum
        With its defects.
    around : sequence of arb
        Enclosures of the eigenvalues: l_i up to the distance zeta within which they are known, reach included.
    arguments : sequence of arb
    compiled : dict
        Derivatives of the function that were compiled before; more are added.
    """

    def __init__(
        self,
        node: Spectral,
        spectrum: Spectrum,
        around: Sequence[arb],
        arguments: Sequence[arb],
        compiled: dict[tuple[sp.Expr, int], Callable[..., arb] | None],
    ):
        self.node, self.spectrum, self.around, self.compiled = node, spectrum, around, compiled
        self.arguments = tuple(arguments)

    @property
    def symbols(self) -> tuple[sp.Symbol, ...]:
        """The variable and the arguments of the function."""
        return self.node.function.variable, *self.node.function.arguments

    @cached_property
    def distance(self) -> arb:
        """The distance zeta."""
        return max((ball.rad() for ball in self.around), default=arb(0)).upper()

    @cached_property
    def steepest(self) -> arb:
        """A Lipschitz constant of the function on the hull of the eigenvalues."""
        if self.node.proximal:
            return arb(1)
        low, high = _hull(self.around)
        return max(abs(slope).upper() for slope in self.node.function.slopes(low, high, self.arguments))

    def of_value(self, numbers: Sequence[arb]) -> arb:
        """Bound the error, in the Frobenius norm, of the matrix whose eigenvalues are phi(l_i)."""
        spectrum = self.spectrum
        return (self.steepest * spectrum.residual + 3 * _largest(numbers) * spectrum.orthogonality).upper()

    def of_derivative(self, branches: Sequence[sp.Expr]) -> arb:
        """Bound the error, in the operator norm, of the derivative that is computed from divided differences."""
        steepest, curvature = self._second_order(branches)
        return (7 * self.spectrum.orthogonality * steepest + 2 * curvature * self.distance).upper()

    def of_partial(self, partials: Sequence[sp.Expr], numbers: Sequence[arb]) -> arb:
        """Bound the error of the matrix whose eigenvalues are those of the derivative in an argument."""
        steepest, _ = self._first_order(partials)
        return (steepest * self.distance + 3 * _largest(numbers) * self.spectrum.orthogonality).upper()

    def _first_order(self, expressions: Sequence[sp.Expr]) -> tuple[arb, arb | None]:
        """Bound the divided differences of a function given around each eigenvalue; with the least gap, if any."""
        groups, gap = self._groups(expressions)
        bound = max(self._supremum(f, 1, balls) for f, balls in groups)
        if gap is not None:
            jump = 2 * max(self._supremum(f, 0, balls) for f, balls in groups) / gap
            bound = max(bound, jump.upper())
        return bound, gap

    def _second_order(self, expressions: Sequence[sp.Expr]) -> tuple[arb, arb]:
        """Bound the divided differences and the second divided differences."""
        steepest, gap = self._first_order(expressions)
        groups, _ = self._groups(expressions)
        curvature = max(self._supremum(f, 2, balls) / 2 for f, balls in groups)
        return steepest, curvature if gap is None else max(curvature, (2 * steepest / gap).upper())

    def _groups(self, expressions: Sequence[sp.Expr]) -> tuple[list[tuple[sp.Expr, list[arb]]], arb | None]:
        """The enclosures of the eigenvalues by the expression they take, and the least gap between two groups."""
        groups: dict[sp.Expr, list[arb]] = {}
        for expression, ball in zip(expressions, self.around, strict=True):
            groups.setdefault(expression, []).append(ball)
        lists = list(groups.values())
        if len(lists) == 1:
            return list(groups.items()), None
        gaps = [
            abs(a - b).lower() for i, first in enumerate(lists) for second in lists[:i] for a in first for b in second
        ]
        gap = min(gaps)
        if not gap > 0:
            raise UnknownError(f"two eigenvalues of `{self.node.name}` at different sides of a kink are not separated")
        return list(groups.items()), gap

    def _supremum(self, expression: sp.Expr, order: int, balls: Sequence[arb]) -> arb:
        """Bound the absolute value of a derivative of a smooth expression on the hull of balls."""
        arithmetic = Balls(_BITS)
        if (expression, order) not in self.compiled:
            derivative = sp.diff(expression, self.symbols[0], order)
            function = None if derivative == 0 else compile_expression(derivative, self.symbols, arithmetic)
            self.compiled[expression, order] = function
        function = self.compiled[expression, order]
        if function is None:
            return arb(0)
        with arithmetic.precision():
            found = _bound(lambda v: abs(function(v, *self.arguments)), *_hull(balls))
        if found is None:
            raise UnknownError(f"`{expression}` was not bounded between eigenvalues of `{self.node.name}`")
        return found


def _bound(function: Callable[[arb], arb], low: arb, high: arb) -> arb | None:
    """Bound a nonnegative function on an interval: halve it where the enclosure is worst, until that is near enough."""
    attained = arb(0)
    pieces = [(-_above(_at(function, low.union(high)).upper()), low, high)]
    if low == high:
        return arb(-pieces[0][0]) if pieces[0][0] > -math.inf else None
    for _ in range(_MOST_INTERVALS):
        worst, left, right = heapq.heappop(pieces)
        if -worst <= 2 * attained:
            break
        middle = ((left + right) / 2).mid()
        attained = max(attained, _at(function, middle).lower())
        for piece in ((left, middle), (middle, right)):
            upper = _at(function, piece[0].union(piece[1])).upper()
            heapq.heappush(pieces, (-_above(upper), *piece))
    else:
        worst = pieces[0][0]
    return arb(-worst) if -worst < math.inf else None


def _at(function: Callable[[arb], arb], v: arb) -> arb:
    try:
        return function(v)
    except UnknownError:
        return arb.nan()


def _above(number: arb) -> float:
    """A double that is not below a number."""
    return math.nextafter(float(number), math.inf) if number.is_finite() else math.inf


def _hull(balls: Sequence[arb]) -> tuple[arb, arb]:
    return min(ball.lower() for ball in balls), max(ball.upper() for ball in balls)


def _largest(numbers: Sequence[Any]) -> arb:
    return max((abs(number).upper() for number in numbers), default=arb(0))

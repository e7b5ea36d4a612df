"""What a verified limit is: a fixed point and the derivative of the limit there, each enclosed with a proved error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flint import arb, arb_mat, fmpq, fmpq_mat

from piggycheck.arrays import BallArrays
from piggycheck.enclosures.contraction import Contraction
from piggycheck.enclosures.problem import LimitProblem
from piggycheck.errors import UnknownError
from piggycheck.maps import Signature

__all__ = ["LimitEnclosure"]


@dataclass(frozen=True)
class LimitEnclosure:
    """A fixed point near which the map contracts, and the derivative of the limit there.

    Attributes
    ----------
    problem : LimitProblem
    bits : int
        Precision of the proof.
    point : fmpq_mat
        x~, one column of exact numbers.
    error : fmpq
        ``|xbar - x~| <= error`` in the Euclidean norm, for the only fixed point xbar in the ball of the contraction.
    residual : fmpq
        A bound of ``|F(x~) - x~|``.
    signature : Signature
        The piece: no guard vanishes on the ball.
    contraction : Contraction
    directions : mapping or None
        As they were asked.
    derivative : fmpq_mat or None
        J~, one column for each direction.
    derivative_error : fmpq or None
        ``|Jbar d - J~| <= derivative_error`` in the Frobenius norm, for the derivative Jbar of the limit.
    derivative_residual : fmpq or None
        A bound of ``|A J~ + B d - J~|`` at xbar.
    """

    problem: LimitProblem = field(repr=False)
    bits: int
    point: fmpq_mat = field(repr=False)
    error: fmpq
    residual: fmpq
    signature: Signature = field(repr=False)
    contraction: Contraction = field(repr=False)
    directions: Mapping[Any, Any] | None = field(repr=False, default=None)
    derivative: fmpq_mat | None = field(repr=False, default=None)
    derivative_error: fmpq | None = None
    derivative_residual: fmpq | None = None

    @property
    def arrays(self) -> BallArrays:
        """Balls of the precision of the proof."""
        return BallArrays(self.bits)

    @cached_property
    def state(self) -> arb_mat:
        """Balls that contain the coordinates of xbar."""
        return self._balls(self.point, self.error)

    @cached_property
    def jacobian(self) -> arb_mat:
        """Balls that contain the entries of Jbar d.

        Raises
        ------
        UnknownError
            When no derivative was asked for.
        """
        if self.derivative is None or self.derivative_error is None:
            raise UnknownError("no derivative was asked for")
        return self._balls(self.derivative, self.derivative_error)

    def _balls(self, centre: fmpq_mat, distance: fmpq) -> arb_mat:
        arrays = self.arrays
        with arrays.precision():
            return arrays.reaching(arrays.matrix(centre), arb(distance).upper())

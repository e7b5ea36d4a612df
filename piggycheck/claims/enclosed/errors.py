"""The errors along a map made of layers: its iterates in balls, measured from a limit that is enclosed as closely."""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import Any

from flint import arb, arb_mat, fmpq, fmpz, fmpz_mat

from piggycheck.arrays import BallArrays
from piggycheck.claims.directions import Chosen
from piggycheck.claims.enclosed.subject import EnclosedSubject, with_room
from piggycheck.enclosures import LimitEnclosure, enclose_limit
from piggycheck.errors import UnknownError
from piggycheck.piggyback import Step, steps
from piggycheck.rates.errors import Run
from piggycheck.rates.walk import TieError

__all__ = ["LayeredErrors", "LayeredRun"]

_LEAST_DIGITS = 30
_DIGITS_PER_BIT = 0.30103
_MOST_BITS = 4096
_REPORTED = 100


class _TimeError(TieError):
    """The time is over, and as at a tie no precision helps."""


class LayeredErrors:
    """The errors ``e_k`` of iterates or derivatives, as `piggycheck.rates.errors.ErrorSequence` has them.

    Parameters
    ----------
    subject : EnclosedSubject
        With a start, and a limit at which the map is smooth.
    norm : "max", "frobenius" or "spectral"
    chosen : Chosen, optional
        The directions of the derivatives; none for the iterates.

    Notes
    -----
    Numbers are known to so many binary places, not digits: an error of 10^-60 needs 200 of them and more.
    """

    def __init__(self, subject: EnclosedSubject, norm: str, chosen: Chosen | None = None):
        self.subject, self.norm, self.chosen = subject, norm, chosen
        self._limits: dict[int, LimitEnclosure] = {}

    @property
    def of_derivatives(self) -> bool:
        """Whether they are those of the derivatives."""
        return self.chosen is not None

    @property
    def moving(self) -> dict[str, Any]:
        """The directions, as evaluators take them."""
        return {} if self.chosen is None else self.chosen.moving

    def limit(self, bits: int) -> LimitEnclosure:
        """Return the limit, known to so many binary places.

        Raises
        ------
        UnknownError
            When it is not enclosed so closely.
        """
        digits = max(_LEAST_DIGITS, ceil(bits * _DIGITS_PER_BIT))
        if digits not in self._limits:
            seconds = max(self.subject.remaining, 1.0)
            found = enclose_limit(
                self.subject.problem,
                directions=self.moving,
                digits=digits,
                most_bits=_MOST_BITS,
                time_limit=seconds,
                whole=True,
            )
            if not isinstance(found, LimitEnclosure):
                raise UnknownError(str(found))
            self._limits[digits] = with_room(found, 1 / fmpq(10) ** digits)
        return self._limits[digits]

    def run(self, bits: int) -> LayeredRun:
        """Begin to compute them with a number of binary places."""
        return LayeredRun(self, bits)


class LayeredRun(Run):
    """The errors one after the other, at one precision."""

    sequence: Any

    def _states(self) -> Iterator[Step]:
        errors, arrays = self.sequence, BallArrays(self.bits)
        self.limit = errors.limit(self.bits)
        iteration, at = errors.subject.iteration, errors.subject.at
        yield from steps(iteration, at, directions=errors.moving, arithmetic=arrays, most_bits=self.bits)

    def go_to(self, k: int) -> None:
        while self.k < k:
            if self.sequence.subject.remaining <= 0:
                raise _TimeError(f"step {self.k + 1}: the time was over")
            if self.k > 0 and self.k % _REPORTED == 0:
                self.sequence.subject.tell(f"step {self.k}")
            super().go_to(self.k + 1)

    @property
    def step(self) -> Step:
        """Where the run is."""
        return self._item

    def matrix(self) -> arb_mat:
        derivatives, limit = self.sequence.of_derivatives, self.limit
        here = self._item.J if derivatives else self._item.x
        there, error = (limit.derivative, limit.derivative_error) if derivatives else (limit.point, limit.error)
        return self._from(here, there, error)

    def _from(self, here: Any, there: Any, error: Any) -> arb_mat:
        arrays = self.limit.arrays
        with arrays.precision():
            return arrays.reaching(here.centre - arrays.matrix(there), (here.spread + arb(error)).upper())

    def both(self) -> tuple[arb_mat, arb_mat | None]:
        x = self._from(self._item.x, self.limit.point, self.limit.error)
        return x, self.matrix() if self.sequence.of_derivatives else None

    def exactly(self) -> tuple[fmpz_mat, fmpz]:
        raise UnknownError(f"step {self.k}: the error and the bound are too close to tell")

"""What a run in ball arithmetic shows beside a proof: when the piece is identified, how fast derivatives converge."""

from __future__ import annotations

import math
import time

from flint import acb_mat, arb, arb_mat, fmpq

from piggycheck.claims.directions import Chosen
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.derivation import ObservedStep
from piggycheck.enclosures import LimitEnclosure, enclose_limit
from piggycheck.enclosures.jacobian import derivative_block
from piggycheck.enclosures.proof import around
from piggycheck.errors import PiggycheckError
from piggycheck.piggyback import Step, steps

__all__ = ["enclosed_radius", "observe"]

_MOST_WORK = 300_000_000
_MOST_STEPS = 20_000
_SHARE_OF_TIME = 0.9
_WINDOW = 20
_SETTLED = 1e-10
_LEFT_BITS = 32
_DIGITS, _LEAST_DIGITS = 8, 3
_LARGEST = 64
_CLOSE = 60


def observe(subject: EnclosedSubject, limit: LimitEnclosure, chosen: Chosen | None) -> ObservedStep | None:
    """Run the iteration from its start and compare it with its limit.

    Parameters
    ----------
    subject : EnclosedSubject
    limit : LimitEnclosure
        With its derivative in the chosen directions.
    chosen : Chosen or None
        The directions; none when the map has no parameters.

    Returns
    -------
    ObservedStep or None
        None when there is no start, or when steps are so expensive that a run is left out.

    Notes
    -----
    The run ends when the rate has settled to eight digits, when the errors come close to what is known of the limit, or
    when it has taken most of the time or 300 million multiplications. Identification is proved for the iterates of the
    run, by the signs of balls.
    """
    if subject.iteration.start is None:
        return None
    run = _Run(subject, _closer(subject, limit, chosen), chosen)
    run.follow()
    radius = enclosed_radius(limit) if run.identified is not None else None
    quantity = "iterates" if chosen is None else "derivatives"
    return ObservedStep(run.identified, run.rate_text(), radius, run.last, quantity) if run.last else None


def _closer(subject: EnclosedSubject, limit: LimitEnclosure, chosen: Chosen | None) -> LimitEnclosure:
    """Enclose the limit with more digits, where that is cheap: errors are then told from it for longer."""
    if subject.map.dimension > _LARGEST:
        return limit
    try:
        directions = {} if chosen is None else chosen.moving
        closer = enclose_limit(subject.problem, directions=directions, digits=_CLOSE)
    except PiggycheckError:
        return limit
    return closer if isinstance(closer, LimitEnclosure) and closer.signature == limit.signature else limit


class _Run:
    def __init__(self, subject: EnclosedSubject, limit: LimitEnclosure, chosen: Chosen | None):
        self.subject, self.limit, self.chosen = subject, limit, chosen
        self.identified: int | None = None
        self.last = 0
        self.errors: list[float] = []
        limit, derivative = self.limit, self.chosen is not None
        self.arrays = limit.arrays
        self.there = self.arrays.matrix(limit.derivative if derivative else limit.point)
        known = limit.derivative_error if derivative else limit.error
        self.floor = max(float(arb(known).log()), -limit.bits * math.log(2)) + _LEFT_BITS * math.log(2)

    def follow(self) -> None:
        """Walk until there is nothing more to see, or the time has come."""
        subject, size = self.subject, self.subject.map.dimension
        most = min(_MOST_STEPS, _MOST_WORK // (size * size + 1))
        until = time.monotonic() + _SHARE_OF_TIME * subject.remaining
        directions = {} if self.chosen is None else self.chosen.moving
        walk = steps(subject.iteration, subject.at, directions=directions, arithmetic=self.arrays)
        try:
            for step in walk:
                self._see(step)
                if step.k >= most or self._is_enough(step) or time.monotonic() > until:
                    return
        except PiggycheckError:
            return

    def _see(self, step: Step) -> None:
        self.last = step.k
        if step.signature != self.limit.signature:
            self.identified = None
            self.errors.clear()
        elif self.identified is None:
            self.identified = step.k
        if self.identified is not None:
            self.errors.append(self._error(step))

    def _error(self, step: Step) -> float:
        """The logarithm of the error of the derivatives; of the iterates where there are none."""
        here = step.x if step.J is None else step.J
        with self.arrays.precision():
            away = here.centre - self.there
            return float((away.transpose() * away).trace().log()) / 2

    def _is_enough(self, step: Step) -> bool:
        if not self.errors:
            return False
        if self.errors[-1] < self.floor:
            return True
        rates = self._rates(_WINDOW)
        return rates is not None and abs(rates[0] - rates[1]) < _SETTLED

    def _rates(self, window: int) -> tuple[float, float] | None:
        """The mean decrease of the logarithm in the last steps, and in as many before."""
        if len(self.errors) <= 2 * window:
            return None
        now, before, first = (self.errors[-1 - n * window] for n in range(3))
        return ((now - before) / window, (before - first) / window) if math.isfinite(now - first) else None

    def rate_text(self) -> str:
        """The rate with as many digits as have settled, in the last steps or, if it is better, in a third of them."""
        found = [self._rates(window) for window in (_WINDOW, len(self.errors) // 3) if window]
        settled = [(abs(math.exp(new) - math.exp(old)), math.exp(new)) for new, old in filter(None, found)]
        if not settled:
            return ""
        difference, rate = min(settled)
        digits = min(_DIGITS, int(-math.log10(max(difference, 1e-15))))
        return f"{rate:.{digits}f}" if digits >= _LEAST_DIGITS else ""


def enclosed_radius(limit: LimitEnclosure) -> tuple[fmpq, fmpq] | None:
    """Enclose the spectral radius of the derivative at the fixed point, where not too many of its rows are not zero."""
    bound = limit.problem.over(limit.arrays)
    with bound.arrays.precision():
        moment = around(bound, bound.arrays.matrix(limit.point), limit.error, "jacobian")
        block = derivative_block(moment, limit.signature)
        return _largest_modulus(block.matrix) if len(block.kept) <= _LARGEST else None


def _largest_modulus(A: arb_mat) -> tuple[fmpq, fmpq] | None:
    if not A.nrows():
        return fmpq(0), fmpq(0)
    try:
        moduli = [abs(value) for value in acb_mat(A).eig(multiple=True)]
    except ValueError:
        return None
    if not all(modulus.is_finite() for modulus in moduli):
        return None
    return max(m.lower() for m in moduli).fmpq(), max(m.upper() for m in moduli).fmpq()

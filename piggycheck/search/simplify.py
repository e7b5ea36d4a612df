"""From a member that was found to the simplest ones nearby of which the claims can still be proved."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Iterator

from flint import fmpq

from piggycheck.search.decide import Decision, heights
from piggycheck.search.family import Choices
from piggycheck.search.plan import near
from piggycheck.search.work import PROMISING, Work, read_number

__all__ = ["simplified"]

_PROOFS = 40
_HALVINGS = 7


def simplified(work: Work, found: Decision, until: float = math.inf) -> tuple[Decision, bool]:
    """Return a member with smaller denominators, fewer pieces or a shorter word, of which all claims are proved, too.

    Parameters
    ----------
    work : Work
    found : Decision
        A member whose claims were proved.
    until : float
        After this time, as `time.time` tells it, no more proof is begun.

    Returns
    -------
    Decision
        The given one, when nothing simpler was proved.
    bool
        Whether there was time for all of it.

    Notes
    -----
    First all numbers are moved to the simplest ones at half of the widths of their ranges, a quarter, and so on, until
    the claims can be proved; then each number in turn, until none can be replaced.

    When this fails: members that are not near, or only near in several numbers at once, are not seen. At most 40 proofs
    are attempted.
    """
    simplifier = _Simplifier(work, until)
    best = simplifier.better(found, [simplifier.moved(found, halvings) for halvings in range(_HALVINGS)])
    while True:
        before = best
        for name in work.family.unknowns:
            best = simplifier.better(best, _one(work, best, name))
        if best is before:
            return best, simplifier.in_time


class _Simplifier:
    """Tries candidates, as long as proofs are left."""

    def __init__(self, work: Work, until: float):
        self.work, self.until, self.left, self.in_time = work, until, _PROOFS, True

    def better(self, best: Decision, candidates: Iterable[dict[str, str]]) -> Decision:
        """Return the first candidate that is proved and simpler than the best so far, or that."""
        for values in candidates:
            simpler = heights(values) < heights(best.values)
            self.in_time = self.in_time and time.time() < self.until
            if self.in_time and self.left > 0 and simpler and self.work.score(values) > PROMISING:
                self.left -= 1
                decision = self.work.decide(values)
                if decision.found:
                    return decision
        return best

    def moved(self, found: Decision, halvings: int) -> dict[str, str]:
        """All numbers moved at once."""
        return {name: _nearby(self.work, found, name, halvings) for name in self.work.family.unknowns}


def _one(work: Work, best: Decision, name: str) -> Iterator[dict[str, str]]:
    """Members that differ from the best one in one number, which is simpler; the simplest first."""
    unknown = work.family.unknowns[name]
    if isinstance(unknown, Choices):
        numbers = sorted(unknown.values, key=lambda value: (heights({name: value}), value))
    else:
        numbers = list(dict.fromkeys(_nearby(work, best, name, halvings) for halvings in range(_HALVINGS)))
    for number in numbers:
        if heights({name: number}) < heights({name: best.values[name]}):
            yield {**best.values, name: number}


def _nearby(work: Work, found: Decision, name: str, halvings: int) -> str:
    unknown, value = work.family.unknowns[name], found.values[name]
    if isinstance(unknown, Choices):
        return value
    width = (unknown.high - unknown.low) / fmpq(2) ** (halvings + 1)
    return str(near(unknown, read_number(value), width))

"""Sequences side by side, decided one index after the other: with higher precision, or in exact numbers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

from .arithmetics import Exact, Open, Rounded
from .orbits import Helper, Orbit, Setting
from .reading import Refused
from .runs import Arithmetic

FEWEST_BITS = 64
ENOUGH_BITS = 16_384
DIGITS = 64  # binary ones of a bound, below which a comparison asks for a higher precision at once
MOST_BITS = 200_000
Found = TypeVar("Found")


class Coarse(Open):
    """A comparison is not decided because hardly a digit is known."""


class Track:
    """Orbits at one index."""

    def __init__(self, orbits: Sequence[Orbit], arithmetic: Arithmetic, k: int = -1) -> None:
        self.orbits, self.arithmetic, self.k = orbits, arithmetic, k

    def advance(self) -> None:
        """Go to the next index."""
        for orbit in self.orbits:
            orbit.advance()
        self.k += 1


class Following(ABC):
    """A statement about every index."""

    def __init__(self, settings: Sequence[Setting]) -> None:
        self.settings = settings
        self.helpers = [Helper(setting) for setting in settings]
        self.exact: dict[int, bool] = {}

    @abstractmethod
    def holds_surely(self, k: int, track: Track, arithmetic: Rounded) -> bool:
        """Whether it holds, by bounds."""

    @abstractmethod
    def holds_exactly(self, k: int, track: Track) -> bool:
        """Whether it holds, in exact numbers."""

    def first_violation(self, last: int, bits: int, first: int = 0) -> int | None:
        """The first index at which it does not hold; None when it always does, up to the last index."""
        return self.repeated(lambda track: self.violation(track, first, last), bits)

    def violated(self, last: int, bits: int, first: int = 0) -> bool:
        """Whether it does not hold at an index, and holds at all before where that is decided."""
        return self.repeated(lambda track: self.violated_first(track, first, last), bits)

    def repeated(self, follow: Callable[[Track], Found], bits: int) -> Found:
        """Follow the orbits, with a higher precision until all is decided; from 0 bits on, first in exact numbers."""
        if not bits:
            with suppress(Open):
                return follow(Track([s.orbit(s.exact, None) for s in self.settings], Exact()))
        bits = max(bits, FEWEST_BITS)
        while True:
            arithmetic = Rounded(bits)
            pairs = zip(self.settings, self.helpers, strict=True)
            track = Track([setting.orbit(arithmetic, helper) for setting, helper in pairs], arithmetic)
            with suppress(Open):
                return follow(track)
            if 2 * bits > MOST_BITS:
                raise Refused(f"at k = {max(track.k, 0)} the comparison, or a guard, is not decided with {bits} bits")
            for helper in self.helpers:
                helper.failed.update((track.k, track.k + 1))
            bits *= 2

    def violation(self, track: Track, first: int, last: int) -> int | None:
        """The first index at which it does not hold, at one precision."""
        for k in range(last + 1):
            track.advance()
            if k >= first and not self.holds(k, track):
                return k
        return None

    def violated_first(self, track: Track, first: int, last: int) -> bool:
        """Whether it does not hold at the last index, at one precision."""
        for k in range(last):
            track.advance()
            with suppress(Open):
                if k >= first and not self.holds(k, track):
                    return False
        track.advance()
        return not self.holds(last, track)

    def holds(self, k: int, track: Track) -> bool:
        """Whether it holds."""
        if k not in self.exact:
            if isinstance(track.arithmetic, Exact):
                return self.holds_exactly(k, track)
            try:
                return self.holds_surely(k, track, track.arithmetic)
            except Coarse:
                raise
            except Open:
                exact = Track([helper.at(k) for helper in self.helpers], Exact(), k)
                self.exact[k] = self.holds_exactly(k, exact)
        return self.exact[k]

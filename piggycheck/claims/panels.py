"""What figures are made of: panels of sequences, before it is known how they are drawn."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from flint import fmpq

from piggycheck.linalg import as_float
from piggycheck.render.numbers import decimals_above

__all__ = ["FigureData", "Panel", "Series", "power_of", "proved_rate", "trimmed"]

_LONGEST_RATE = 16


@dataclass(frozen=True)
class Series:
    """A sequence to be drawn.

    Attributes
    ----------
    label : str
    k : tuple of numbers
        Where the values stand on the horizontal axis.
    values : tuple of float
        Nonnegative; infinite beyond the range of floats. Zeros have no place on a logarithmic axis.
    role : str
        One of ``"iterates"``, ``"derivatives"``, ``"fixed branch"``, ``"word"``, ``"random"``, ``"claimed"``,
        ``"proved"``, ``"level"``, ``"sequence"``, ``"lower"``, ``"upper"``, ``"gap"``; ``"claimed:2"`` and
        ``"sequence:2"`` have the third colour of their kind.
    """

    label: str
    k: tuple[float, ...]
    values: tuple[float, ...]
    role: str


@dataclass(frozen=True)
class Panel:
    """Sequences with common axes.

    Attributes
    ----------
    title, ylabel : str
    series : tuple of Series
    xlabel : str
        What is counted across.
    marks : tuple of (number, str)
        Places on the horizontal axis with what they are.
    """

    title: str
    ylabel: str
    series: tuple[Series, ...]
    xlabel: str = "step k"
    marks: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True)
class FigureData:
    """What a figure shows: panels above each other."""

    title: str
    panels: tuple[Panel, ...]


def proved_rate(proved: fmpq, series: Sequence[Series]) -> Series:
    """Return a line of the proved slope, as low as it can be and still lie above everything drawn."""
    rate, ks = as_float(proved), series[0].k
    drawn = ((value, power_of(rate, k)) for one in series for k, value in zip(one.k, one.values, strict=True))
    factor = max((value / power for value, power in drawn if power > 0), default=0.0) or 1.0
    shown = f"({proved})" if len(str(proved)) <= _LONGEST_RATE else trimmed(decimals_above(proved))
    label = f"proved rate: C · {shown}^k, C fitted"
    return Series(label, ks, tuple(factor * power_of(rate, k) for k in ks), "proved")


def trimmed(decimals: str) -> str:
    """Leave out the zeros at the end of decimals."""
    digits, e, exponent = decimals.partition("e")
    return digits.rstrip("0").rstrip(".") + e + exponent


def power_of(base: float, exponent: int) -> float:
    """Raise to a power; infinite beyond the range of floats."""
    try:
        return base**exponent
    except OverflowError:
        return math.inf

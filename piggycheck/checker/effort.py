"""How much work a certificate may cause: it is counted on the way, and too much is refused."""

from __future__ import annotations

from .reading import Refused

MOST_WORK = 100_000_000.0  # multiplications of short numbers: less than a minute

_done = [0.0]


def begin() -> None:
    """Count from zero."""
    _done[0] = 0.0


def spend(multiplications: int, bits: int = 0) -> None:
    """Count multiplications of numbers of so many bits that are about to be made; refuse them beyond the limit."""
    _done[0] += multiplications * (1 + bits / 256) ** 2
    if _done[0] > MOST_WORK:
        raise Refused("checking it would take too long")


def spend_inner(multiplications: int, bits: int) -> None:
    """The same inside inner products, where a multiplication takes a twentieth of the time."""
    spend(multiplications // 20 + 1, bits)


def spent() -> float:
    """What was counted so far."""
    return _done[0]

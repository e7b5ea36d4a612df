"""The steps of a derivation that say what selection policies return, and what the chain rule can return."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = ["POLICY_NAMES", "AgainstClarkeStep", "ExtraRow", "PracticeRow", "PracticeStep"]

POLICY_NAMES = {"jax": "JAX", "torch": "PyTorch"}
"""What texts call the frameworks."""


@dataclass(frozen=True)
class PracticeRow:
    """What one policy returns: its pair (none for random picks), its limit where there is one, where that lies."""

    policy: str
    pair: tuple[Any, Any] | None
    limit: Any | None
    place: str


@dataclass(frozen=True)
class PracticeStep(Step):
    """What the policies return at a fixed point.

    Attributes
    ----------
    rows : tuple of PracticeRow
    extent : (fmpq_mat, fmpq_mat) or None
        Bounds, entry by entry, of what random picks reach when they have no limit.
    pieces : int
        The number of pieces at the point.
    """

    rows: tuple[PracticeRow, ...]
    extent: tuple[Any, Any] | None
    pieces: int

    @classmethod
    def of(cls, practice: Any) -> PracticeStep:
        """Take what is shown from a `piggycheck.practice.Practice`."""
        rows = tuple(PracticeRow(o.policy, o.pair, o.limit, o.place.value) for o in practice.outcomes)
        box = practice.extent
        return cls(rows, None if box is None else (box.lower, box.upper), len(practice.system))


@dataclass(frozen=True)
class ExtraRow:
    """A pair that no piece has: its weights among the pieces, or what separates it, and the picks that lead there.

    The picks are kinks, each with a guard and the sign of the side on which the kink picks.
    """

    pair: tuple[Any, Any]
    weights: tuple[Any, ...] | None
    direction: tuple[Any, Any] | None
    picks: tuple[tuple[Any, Any, int], ...]


@dataclass(frozen=True)
class AgainstClarkeStep(Step):
    """The pairs of the chain-rule set that no piece has, against the Clarke Jacobian."""

    rows: tuple[ExtraRow, ...]

    @classmethod
    def of(cls, found: Any) -> AgainstClarkeStep:
        """Take what is shown from a `piggycheck.maps.ChainRuleAgainstClarke`."""
        return cls(
            tuple(
                ExtraRow(e.pair, e.weights, e.direction, tuple((p.kink, p.guard, p.sign) for p in e.picks))
                for e in found.extra
            )
        )

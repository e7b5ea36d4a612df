"""Questions about a joint spectral radius: when the bounds settle them, and which rates are worth proving."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace

from flint import fmpq, fmpq_poly

from piggycheck.linalg import exceeds_one, is_schur_stable, modulus_lower, root_lower, scale_roots, simplest_between
from piggycheck.stability.words import WordBound

__all__ = ["AtLeast", "AtMost", "BelowOne", "Question", "Within"]

_CLEARLY = fmpq(1_000_001, 1_000_000)
_ALMOST_ONE = 1 - fmpq(1, 10**100)
_SIMPLE = 10**6


class Question(ABC):
    """A question that bounds settle."""

    @abstractmethod
    def settled(self, lower: WordBound, upper: fmpq | None) -> bool:
        """Whether proved bounds answer it."""

    @abstractmethod
    def aims(self, lower: fmpq) -> list[fmpq]:
        """Rates whose proof would settle it, the easiest first, when the radius is at least `lower`."""

    def sharpened(self, bound: WordBound, poly: fmpq_poly) -> WordBound:
        """Return a bound that decides the question where the word does; `poly` is its characteristic polynomial."""
        return bound


@dataclass(frozen=True)
class BelowOne(Question):
    """Is the radius below 1?"""

    def settled(self, lower: WordBound, upper: fmpq | None) -> bool:
        return lower.modulus_lower >= 1 or (upper is not None and upper < 1)

    def aims(self, lower: fmpq) -> list[fmpq]:
        gap = 1 - min(lower, _ALMOST_ONE)
        return [simplest_between(1 - gap / 4, 1 - gap / 16), simplest_between(1 - gap / 32, 1 - gap / 128)]

    def sharpened(self, bound: WordBound, poly: fmpq_poly) -> WordBound:
        return _reaching(bound, poly, fmpq(1))


@dataclass(frozen=True)
class AtMost(Question):
    """Is the radius at most a rate?"""

    rate: fmpq

    def settled(self, lower: WordBound, upper: fmpq | None) -> bool:
        refuted = lower.modulus_lower > self.rate ** len(lower.word)
        return refuted or (upper is not None and upper <= self.rate)

    def aims(self, lower: fmpq) -> list[fmpq]:
        return [self.rate]

    def sharpened(self, bound: WordBound, poly: fmpq_poly) -> WordBound:
        power = self.rate ** len(bound.word)
        if bound.modulus_lower > power or bound.modulus_lower * _CLEARLY < power:
            return bound
        if not exceeds_one(scale_roots(poly, power)):
            return bound
        return _with_modulus(bound, modulus_lower(poly, above=power))


@dataclass(frozen=True)
class AtLeast(Question):
    """Is the radius at least a rate?"""

    rate: fmpq

    def settled(self, lower: WordBound, upper: fmpq | None) -> bool:
        proved = lower.modulus_lower >= self.rate ** len(lower.word)
        return proved or (upper is not None and upper < self.rate)

    def aims(self, lower: fmpq) -> list[fmpq]:
        gap = self.rate - lower
        return [simplest_between(self.rate - gap / 4, self.rate - gap / 16)] if gap > 0 else []

    def sharpened(self, bound: WordBound, poly: fmpq_poly) -> WordBound:
        return _reaching(bound, poly, self.rate ** len(bound.word))


@dataclass(frozen=True)
class Within(Question):
    """What is the radius, to a relative tolerance?"""

    tolerance: fmpq

    def settled(self, lower: WordBound, upper: fmpq | None) -> bool:
        return upper is not None and upper <= (1 + self.tolerance) * lower.rate_lower

    def aims(self, lower: fmpq) -> list[fmpq]:
        if lower == 0:
            return []
        near = simplest_between(lower * (1 + self.tolerance / 2), lower * (1 + self.tolerance))
        attained = max(lower.p, lower.q) <= _SIMPLE
        return [lower, near] if attained else [near]


def _reaching(bound: WordBound, poly: fmpq_poly, power: fmpq) -> WordBound:
    """The bound, raised to a power that some eigenvalue has at least as its modulus."""
    if power <= 0 or bound.modulus_lower >= power or bound.modulus_lower * _CLEARLY < power:
        return bound
    return bound if is_schur_stable(scale_roots(poly, power)) else _with_modulus(bound, power)


def _with_modulus(bound: WordBound, modulus: fmpq) -> WordBound:
    return replace(bound, modulus_lower=modulus, rate_lower=root_lower(modulus, len(bound.word)))

"""What a bound is at least from some index on: ``(S_0 + S_1 n) g^n`` at ``k = k_1 + n``, by Bernoulli's inequality.

A term ``c k^d r^k`` with ``c > 0`` and ``r >= g`` is at least ``c k_1^d r^k_1 (1 + n (d / k_1 + r / g - 1)) g^n``. A
term may contain errors that are bounded from below by ``(h + h' n) |l|^n``; they bring their own ratio and slope.
Source: docs/theory/rates.md and docs/theory/comparisons.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from flint import arb, ctx, fmpq

from piggycheck.arithmetic import Balls, rational, sign, to_sympy
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.rates.bounds import Bound, Term
from piggycheck.rates.lower import Lower, LowerTail, Seen

__all__ = ["BITS", "Floor"]

BITS = 192


class Floor:
    """Terms ``c k^d r^k``, on their own or times errors that are bounded from below.

    Parameters
    ----------
    terms : sequence of Term
    named : mapping from names to sequences of Term, optional
        Terms with positive coefficients that the errors of a sequence are multiplied by.
    lowers : mapping from names to Lower, optional
        How these are bounded from below.

    Attributes
    ----------
    chosen : dict from names to Seen
        The rows that the sums which were asked for last rest on.

    Examples
    --------
    >>> from piggycheck.rates.bounds import read_bound
    >>> floor = Floor.of(read_bound("3*(1/2)**k - (1/8)**k"))
    >>> floor.exactly(0, fmpq(1, 4))
    (2, 3)
    """

    def __init__(
        self,
        terms: Sequence[Term],
        named: Mapping[str, Sequence[Term]] | None = None,
        lowers: Mapping[str, Lower] | None = None,
    ):
        self.terms, self.named, self.lowers = tuple(terms), dict(named or {}), dict(lowers or {})
        self.chosen: dict[str, Seen] = {}

    @classmethod
    def of(cls, bound: Bound) -> Floor:
        """Return that of a bound in k.

        Raises
        ------
        UnknownError
            When it is no sum of terms.
        """
        if bound.terms is None:
            raise UnknownError("the bound must be a sum of terms c*k**d*r**k")
        return cls(bound.terms)

    @property
    def has_degrees(self) -> bool:
        """Whether a term has a power of k, so that no sums are known at k = 0."""
        return any(term.degree for terms in (self.terms, *self.named.values()) for term in terms)

    def reaches(self, rate: fmpq) -> bool:
        """Whether some positive term decreases no faster than a rate."""
        if any(sign(term.coefficient) > 0 and _reaches(term, 1, rate) for term in self.terms):
            return True
        return any(
            _reaches(term, abs(seen.eigenvalue), rate)
            for name, terms in self.named.items()
            for term in terms
            for seen in self.lowers[name].seen
        )

    def slowest(self, k: int) -> sp.Expr | None:
        """Return the largest ratio of the positive terms, with what is excited at k of the errors in them."""
        ratios = [term.ratio for term in self.terms if sign(term.coefficient) > 0]
        for name, terms in self.named.items():
            sizes = [to_sympy(abs(tail.seen.eigenvalue)) for tail in self.lowers[name].at(k) if _is_excited(tail)]
            ratios += [term.ratio * size for term in terms for size in sizes]
        largest = None
        for ratio in ratios:
            if largest is None or sign(ratio - largest) > 0:
                largest = ratio
        return largest

    def sums(self, k: int, rate: fmpq) -> tuple[arb, arb] | None:
        """Return ``S_0`` and ``S_1`` in balls; None where a negative term decreases too slowly."""
        with ctx.workprec(BITS):
            return self._sums(
                k, arb(rate), rate, Balls(BITS).evaluate, {n: low.at(k) for n, low in self.lowers.items()}
            )

    def exactly(self, k: int, rate: fmpq) -> tuple[fmpq, fmpq] | None:
        """Return the same over the rationals; None where something is irrational or a negative term too slow."""
        try:
            return self._sums(k, rate, rate, rational, {name: low.exactly(k) for name, low in self.lowers.items()})
        except (UnknownError, IrrationalError):
            return None

    def _sums(self, k: int, g: Any, rate: fmpq, read: Any, tails: Mapping[str, Sequence[LowerTail]]) -> Any:
        first = second = g * 0
        for term in self.terms:
            value, ratio = _value(term, k, read), read(term.ratio)
            if sign(term.coefficient) > 0:
                if _reaches(term, 1, rate):
                    first += value
                    second += value * _slope(term, ratio, k, g)
            elif not ratio * _growth(term, k, g) <= g:
                return None
            else:
                first += value
        self.chosen = {}
        for name, terms in self.named.items():
            found = [(*_seen_sums(terms, tail, k, g, rate, read), tail.seen) for tail in tails[name]]
            if not found:
                continue
            best = found[0]
            for other in found[1:]:
                if other[0] > best[0] or (other[1] > best[1] and not other[0] < best[0]):
                    best = other
            first, second = first + best[0], second + best[1]
            self.chosen[name] = best[2]
        return first, second


def _seen_sums(terms: Sequence[Term], tail: LowerTail, k: int, g: Any, rate: fmpq, read: Any) -> tuple[Any, Any]:
    """What the terms that the errors of one sequence are multiplied by contribute."""
    first = second = g * 0
    size = abs(tail.seen.eigenvalue)
    for term in terms:
        if _reaches(term, size, rate):
            value, ratio = _value(term, k, read), read(term.ratio) * size
            first += value * tail.constant
            second += value * (tail.constant * _slope(term, ratio, k, g) + tail.slope)
    return first, second


def _is_excited(tail: LowerTail) -> bool:
    return bool(tail.constant > 0 or tail.slope > 0)


def _reaches(term: Term, size: Any, rate: fmpq) -> bool:
    """Whether a term decreases no faster than a rate."""
    return sign(term.ratio * (to_sympy(size) if isinstance(size, fmpq) else size) - to_sympy(rate)) >= 0


def _value(term: Term, k: int, read: Any) -> Any:
    value = read(term.coefficient) * read(term.ratio) ** k
    return value * k**term.degree if term.degree else value


def _slope(term: Term, ratio: Any, k: int, g: Any) -> Any:
    slope = ratio / g - 1 + (g * 0 + term.degree) / max(k, 1)
    return slope.max(arb(0)) if isinstance(slope, arb) else slope


def _growth(term: Term, k: int, g: Any) -> Any:
    """How much ``k^d`` grows in the next step."""
    return ((g * 0 + k + 1) / max(k, 1)) ** term.degree if term.degree else g * 0 + 1

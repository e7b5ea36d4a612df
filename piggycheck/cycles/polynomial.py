"""Cycles of maps that are polynomials on each piece: fixed points of the compositions along words."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass

from flint import arb, arb_poly, ctx, fmpq, fmpq_mpoly, fmpq_poly

from piggycheck.arithmetic import bounds
from piggycheck.common_roots import Root, common_roots, composed, polynomials, value_at
from piggycheck.cycles.algebraic import PRECISIONS, modulus_at, sign_at, stability_at
from piggycheck.cycles.answers import Cycle, Cycles
from piggycheck.cycles.orbit import cycle_from, judged, orbit_of
from piggycheck.cycles.words import largest_divisors
from piggycheck.errors import UnknownError
from piggycheck.maps import SmoothPiece, SymbolicMap
from piggycheck.switched import Word
from piggycheck.trajectories.pieces import signatures_listed

__all__ = ["polynomial_cycles"]

_MOST_PIECES = 64
_MOST_VARIABLES_MULTIPLIED = 8

Coordinates = tuple[fmpq_poly, ...]
"""Polynomials in a root."""


def polynomial_cycles(local: SymbolicMap, period: int, most_words: int, time_limit: float = math.inf) -> Cycles:
    """Find the cycles of a map whose pieces are polynomials with rational coefficients.

    Parameters
    ----------
    local : SymbolicMap
        Of the state alone.
    period : int
    most_words : int
    time_limit : float
        Seconds after which no more points are looked at.

    Returns
    -------
    Cycles

    Raises
    ------
    UnknownError
        When a piece or a guard is no such polynomial, or there are too many pieces.

    Notes
    -----
    The points that return along a word are the common roots of polynomials. Their coordinates are polynomials in the
    roots of an irreducible polynomial, so that what vanishes at them is found by division, and signs of the rest are
    read off balls. When this fails: see `piggycheck.common_roots.common_roots`; degrees grow like powers of the period.
    """
    deadline = time.monotonic() + time_limit
    listed = signatures_listed(local, _MOST_PIECES, deadline)
    pieces = [(local.piece(signature), conditions) for signature, conditions in listed]
    if len(pieces) ** period > most_words:
        raise UnknownError(f"there are too many itineraries of length {period}")
    return _Compositions(local, pieces, period, deadline).cycles()


class _TimeUp(UnknownError):
    """The time is up."""


@dataclass(frozen=True)
class _Solution:
    """A real point that returns along a word."""

    root: Root
    coordinates: Coordinates

    def balls(self) -> tuple[arb, ...]:
        x = self.root.ball()
        return tuple(arb_poly(c)(x) for c in self.coordinates)


class _Compositions:
    """The cycles of a map, found along one word after the other."""

    def __init__(
        self, local: SymbolicMap, pieces: Sequence[tuple[SmoothPiece, Sequence]], period: int, deadline: float
    ):
        self.local, self.period, self.deadline = local, period, deadline
        self.maps = [polynomials(piece.expressions, local.state) for piece, _ in pieces]
        self.guards = [
            [(sign, *polynomials([guard], local.state)) for sign, guard in conditions] for _, conditions in pieces
        ]
        self.signatures = [piece.signature for piece, _ in pieces]
        self.found: dict[tuple, Cycle] = {}
        self.followed: set[tuple[Word, Root]] = set()
        self.reasons: dict[str, None] = {}
        self._solved: dict[Word, list[_Solution]] = {}
        self._orbits: dict[tuple[Word, tuple[fmpq, ...]], list[Coordinates]] = {}

    def cycles(self) -> Cycles:
        """Solve along every word, up to rotation."""
        words = [w for w in itertools.product(range(len(self.maps)), repeat=self.period) if w == _smallest(w)]
        for count, word in enumerate(words):
            try:
                self._along(word)
            except _TimeUp:
                self.reasons[f"the time was up after {count} of {len(words)} itineraries"] = None
                break
            except UnknownError as error:
                self.reasons[str(error)] = None
        found = [self.found[key] for key in sorted(self.found)]
        return Cycles(tuple(found), not self.reasons, "; ".join(self.reasons), len(words))

    def _along(self, word: Word) -> None:
        for solution in self._solutions(word):
            self._require_time()
            try:
                self._examine(word, solution)
            except _TimeUp:
                raise
            except UnknownError as error:
                self.reasons[str(error)] = None

    def _require_time(self) -> None:
        if time.monotonic() > self.deadline:
            raise _TimeUp

    def _solutions(self, word: Word) -> list[_Solution]:
        """The real points that return along a word."""
        if word not in self._solved:
            self._require_time()
            first = self.maps[0][0].context().gens()
            images: Sequence[fmpq_mpoly] = first
            for letter in word:
                images = composed(self.maps[letter], images)
            if list(images) == list(first):
                raise UnknownError(f"every point of {'an interval' if len(first) == 1 else 'a region'} returns")
            found = []
            for one in common_roots([image - gen for image, gen in zip(images, first, strict=True)]):
                found += [_Solution(root, one.coordinates) for root in one.real_roots]
            self._solved[word] = found
        return self._solved[word]

    def _orbit(self, word: Word, solution: _Solution) -> list[Coordinates]:
        """The iterates along a word, as polynomials in the root."""
        key = word, solution.root.coefficients
        if key not in self._orbits:
            factor, orbit = solution.root.factor, [solution.coordinates]
            for letter in word:
                orbit.append(tuple(value_at(p, orbit[-1], factor) for p in self.maps[letter]))
            self._orbits[key] = orbit
        return self._orbits[key]

    def _examine(self, word: Word, solution: _Solution) -> None:
        """Keep a point if its iterates follow the word, and do not return earlier."""
        root = solution.root
        if (word, root) in self.followed:
            return
        orbit = self._orbit(word, solution)
        if any(orbit[d] == orbit[0] for d in largest_divisors(self.period)):
            return
        factor = root.factor
        signs = [
            (sign, sign_at(root, value_at(guard, orbit[j], factor)))
            for j, letter in enumerate(word)
            for sign, guard in self.guards[letter]
        ]
        if any(seen not in (sign, 0) for sign, seen in signs):
            return
        if factor.degree() == 1:
            self._keep_rational(solution)
            return
        if any(seen == 0 for _, seen in signs):
            raise UnknownError("an irrational solution meets a guard")
        turned = [(*word[j:], *word[:j]) for j in range(self.period)]
        points = [self._image(solution, orbit[j], turned[j]) for j in range(self.period)]
        self.followed |= {(w, point.root) for w, point in zip(turned, points, strict=True)}
        with ctx.workprec(PRECISIONS[0]):
            lows = [tuple(bounds(ball)[0] for ball in point.balls()) for point in points]
        first = min(range(self.period), key=lambda j: lows[j])
        shown = [tuple(point.root.value(c) for c in point.coordinates) for point in points]
        self.found[lows[first]] = Cycle(
            (*shown[first:], *shown[:first]),
            tuple(str(self.signatures[letter]) for letter in turned[first]),
            None,
            *self._character(word, root, orbit),
        )

    def _keep_rational(self, solution: _Solution) -> None:
        values = tuple(solution.root.value(c) for c in solution.coordinates)
        points = orbit_of(self.local, values, self.period)
        if points is not None:
            cycle = cycle_from(self.local, points)
            self.found[tuple(fmpq(int(c.p), int(c.q)) for c in cycle.points[0])] = cycle

    def _image(self, solution: _Solution, coordinates: Coordinates, word: Word) -> _Solution:
        """An iterate, as one of the points that return along the word that begins there."""
        if coordinates == solution.coordinates:
            return solution
        candidates = self._solutions(word)
        for precision in PRECISIONS:
            self._require_time()
            with ctx.workprec(precision):
                balls = _Solution(solution.root, coordinates).balls()
                candidates = [
                    other
                    for other in candidates
                    if all(a.overlaps(b) for a, b in zip(balls, other.balls(), strict=True))
                ]
            if len(candidates) == 1:
                return candidates[0]
        raise UnknownError("two solutions are too close to be told apart")

    def _character(self, word: Word, root: Root, orbit: Sequence[Coordinates]):
        """Bounds on the spectral radius of the multiplier; whether the cycle attracts, and repels, or why not."""
        if len(orbit[0]) > _MOST_VARIABLES_MULTIPLIED:
            return None, None, None, "the multipliers of irrational points are not enclosed in so many variables"
        factor = root.factor
        product = _identity(len(orbit[0]))
        for letter, point in zip(word, orbit, strict=False):
            slopes = [[p.derivative(i) for i in range(len(point))] for p in self.maps[letter]]
            jacobian = [[value_at(slope, point, factor) for slope in row] for row in slopes]
            product = _times(jacobian, product, factor)
        if len(product) == 1:
            lower, upper = modulus_at(root, product[0][0])
            if lower == upper == 1:
                return (lower, upper), None, None, "its multiplier has modulus 1"
            return (lower, upper), bool(upper < 1), bool(upper > 1), ""
        coefficients = _characteristic(product, factor)
        if all(c.degree() < 1 for c in coefficients):
            return (None, *judged(fmpq_poly([c[0] for c in coefficients]), False))
        stable, repelling = stability_at(root, coefficients)
        reason = "" if stable is not None else "whether its multiplier has a spectral radius below 1 was not decided"
        return None, stable, repelling, reason


def _smallest(word: Word) -> Word:
    return min(word[i:] + word[:i] for i in range(len(word)))


def _identity(n: int) -> list[list[fmpq_poly]]:
    return [[fmpq_poly([int(i == j)]) for j in range(n)] for i in range(n)]


def _times(A: list[list[fmpq_poly]], B: list[list[fmpq_poly]], factor: fmpq_poly) -> list[list[fmpq_poly]]:
    columns = list(zip(*B, strict=True))
    return [[sum((a * b for a, b in zip(r, c, strict=True)), fmpq_poly([0])) % factor for c in columns] for r in A]


def _characteristic(A: list[list[fmpq_poly]], factor: fmpq_poly) -> list[fmpq_poly]:
    """The characteristic polynomial, the constant coefficient first (Faddeev, Le Verrier)."""
    n = len(A)
    M, found = _identity(n), [fmpq_poly([1])]
    for k in range(1, n + 1):
        M = _times(A, M, factor)
        c = sum((M[i][i] for i in range(n)), fmpq_poly([0])) / fmpq(-k)
        found.append(c)
        M = [[entry + c if i == j else entry for j, entry in enumerate(row)] for i, row in enumerate(M)]
    return found[::-1]

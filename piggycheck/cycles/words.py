"""Cycles of piecewise affine maps: every itinerary, up to rotation, that linear programs do not exclude is solved.

A word over the pieces says on which piece each step is taken. Its cycles solve ``x = A_w x + b_w``, and each point lies
in the closed region of its piece.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from functools import cached_property

from flint import fmpq, fmpq_mat

from piggycheck.errors import UnknownError
from piggycheck.feasibility import AffineRow, Feasible, feasible_point
from piggycheck.linalg import identity, solve
from piggycheck.switched import Word
from piggycheck.trajectories import AffinePieces

__all__ = ["Candidate", "Words", "largest_divisors"]

Vector = tuple[fmpq, ...]
Affine = tuple[fmpq_mat, fmpq_mat]
Candidate = tuple[Word, list[Vector], bool]
"""A word, points that return along it, and whether one is the only solution; of a continuum the best point first."""


class Words:
    """The words of one length over affine pieces, up to rotation, and their solutions.

    Parameters
    ----------
    pieces : AffinePieces
        Functions of the state alone.
    period : int
    most : int
        How many prefixes of words may be examined.
    seconds : float
        How long that may take.

    Attributes
    ----------
    solved : int
        How many words were solved so far.
    """

    def __init__(self, pieces: AffinePieces, period: int, most: int, seconds: float = math.inf):
        self.pieces, self.period, self.left = pieces.pieces, period, most
        self.deadline = time.monotonic() + seconds
        self.dimension, self.solved = len(pieces.variables), 0
        self._continua: list[tuple[Sequence[Affine], list[AffineRow], list[AffineRow]]] = []
        self.matrices = [fmpq_mat([list(row[:-1]) for row in piece.images]) for piece in self.pieces]
        self.shifts = [fmpq_mat([[row[-1]] for row in piece.images]) for piece in self.pieces]

    def candidates(self) -> Iterator[Candidate]:
        """Yield a solution of every word that has one; of a continuum, a point whose minimal period is the period.

        Raises
        ------
        UnknownError
            When there are too many words.
        """
        n = self.dimension
        for first in range(len(self.pieces)):
            yield from self._extend((first,), 1, [(identity(n), fmpq_mat(n, 1))], None)

    def _extend(self, word: Word, p: int, maps: list[Affine], point: Vector | None):
        """Extend a prefix of words that are smallest among their rotations; p is the length of its Lyndon root."""
        self.left -= 1
        if self.left < 0:
            raise UnknownError(f"there are too many itineraries of length {self.period}")
        if time.monotonic() > self.deadline:
            raise UnknownError(f"the time was up after {self.solved} itineraries of length {self.period}")
        point = self._start(word, maps, point)
        if point is None:
            return
        A, b = maps[-1]
        letter = word[-1]
        maps = [*maps, (self.matrices[letter] * A, self.matrices[letter] * b + self.shifts[letter])]
        if len(word) == self.period:
            if self.period % p == 0:
                yield from self._solutions(word, maps)
            return
        least = word[len(word) - p]
        for new in range(least, len(self.pieces)):
            if self._returns[new][self.period - len(word) - 1] >> word[0] & 1 and self._follows[letter] >> new & 1:
                yield from self._extend((*word, new), p if new == least else len(word) + 1, maps, point)

    def _start(self, word: Word, maps: Sequence[Affine], point: Vector | None) -> Vector | None:
        """A point from which the map follows a word; one for the word without its last letter may do."""
        rows, zero = self._rows(word[-1], maps[-1])
        if point is not None and all(_value(r, point) >= 0 for r in rows) and not any(_value(r, point) for r in zero):
            return point
        equalities, nonstrict = self._region(word, maps)
        found = feasible_point(equalities, nonstrict, [], self.dimension)
        return found.point if isinstance(found, Feasible) else None

    def _region(self, word: Word, maps: Sequence[Affine]) -> tuple[list[AffineRow], list[AffineRow]]:
        equalities, nonstrict = [], []
        for letter, affine in zip(word, maps, strict=False):
            rows, zero = self._rows(letter, affine)
            nonstrict += rows
            equalities += zero
        return equalities, nonstrict

    def _rows(self, letter: int, affine: Affine) -> tuple[list[AffineRow], list[AffineRow]]:
        piece, (A, b) = self.pieces[letter], affine

        def before(row: Sequence[fmpq]) -> AffineRow:
            slopes = fmpq_mat([list(row[:-1])])
            return (slopes * A).entries(), (slopes * b)[0, 0] + row[-1]

        return [before(row) for row in piece.nonnegative], [before(row) for row in piece.zero]

    @cached_property
    def _follows(self) -> list[int]:
        """For each piece, as binary digits, the pieces into which it maps some point."""
        found = []
        for i in range(len(self.pieces)):
            maps = [(identity(self.dimension), fmpq_mat(self.dimension, 1)), (self.matrices[i], self.shifts[i])]
            systems = [self._region((i, j), maps) for j in range(len(self.pieces))]
            feasible = [isinstance(feasible_point(*system, [], self.dimension), Feasible) for system in systems]
            found.append(sum(1 << j for j, possible in enumerate(feasible) if possible))
        return found

    @cached_property
    def _returns(self) -> list[list[int]]:
        """For each piece and each number of further letters, the pieces that can follow after these."""
        sets = [[follows] for follows in self._follows]
        for k in range(1, self.period):
            for i in range(len(self.pieces)):
                reached = 0
                for j in range(len(self.pieces)):
                    if self._follows[i] >> j & 1:
                        reached |= sets[j][k - 1]
                sets[i].append(reached)
        return sets

    def _solutions(self, word: Word, maps: Sequence[Affine]) -> Iterator[Candidate]:
        self.solved += 1
        A, b = maps[-1]
        particular, kernel = solve(identity(self.dimension) - A, b)
        if particular is None:
            return
        equalities, nonstrict = self._region(word, maps)
        if not kernel:
            x = tuple(particular.entries())
            if all(_value(r, x) >= 0 for r in nonstrict) and not any(_value(r, x) for r in equalities):
                yield word, [x], True
            return
        closing = identity(self.dimension) - A
        equalities += [(row, -b[i, 0]) for i, row in enumerate(closing.table())]
        inside = self._of_minimal_period(equalities, [], nonstrict, maps)
        points = [inside, self._of_minimal_period(equalities, nonstrict, [], maps)]
        if any(point is not None for point in points):
            self._continua.append((maps, equalities, nonstrict))
            yield word, [point for point in points if point is not None], False

    def _of_minimal_period(self, equalities, nonstrict, strict, maps) -> Vector | None:
        """A point of a continuum that does not return earlier: a generic one, unless all of them do."""
        chosen: list[Vector] = []
        for d in largest_divisors(self.period):
            A, b = maps[d]
            moved = A - identity(self.dimension)
            for row, c in zip(moved.table(), b.entries(), strict=True):
                found = self._off(row, c, equalities, nonstrict, strict)
                if found is not None:
                    chosen.append(found)
                    break
            else:
                return None
        if not chosen:
            found = feasible_point(equalities, nonstrict, strict, self.dimension)
            return found.point if isinstance(found, Feasible) else None
        for weight in range(1, 2 + len(chosen) ** 2):
            weights = [fmpq(weight) ** i for i in range(len(chosen))]
            x = tuple(
                sum((w * p[j] for w, p in zip(weights, chosen, strict=True)), fmpq(0)) / sum(weights, fmpq(0))
                for j in range(self.dimension)
            )
            if all(_image(maps[d], x) != x for d in largest_divisors(self.period)):
                return x
        raise UnknownError("a continuum of solutions in which no point of the period was found")

    def in_a_continuum(self, points: Sequence[Vector]) -> bool:
        """Whether a cycle is in one of the continua found so far: it follows a word that a continuum follows."""
        turns = [(*points[i:], *points[:i]) for i in range(len(points))]
        return any(
            all(_value(r, turn[0]) >= 0 for r in nonstrict)
            and not any(_value(r, turn[0]) for r in equalities)
            and all(_image(affine, turn[0]) == x for affine, x in zip(maps, turn, strict=False))
            for maps, equalities, nonstrict in self._continua
            for turn in turns
        )

    def _off(self, row, c, equalities, nonstrict, strict) -> Vector | None:
        for flip in (1, -1):
            signed = ([flip * a for a in row], flip * c)
            found = feasible_point(equalities, nonstrict, [*strict, signed], self.dimension)
            if isinstance(found, Feasible):
                return found.point
        return None


def _image(affine: Affine, x: Vector) -> Vector:
    A, b = affine
    return tuple((A * fmpq_mat(len(x), 1, list(x)) + b).entries())


def _value(row: AffineRow, x: Sequence[fmpq]) -> fmpq:
    coefficients, constant = row
    return sum((a * c for a, c in zip(coefficients, x, strict=True)), fmpq(0) + constant)


def largest_divisors(n: int) -> list[int]:
    """The divisors n/p for primes p: what returns earlier than after n steps returns after one of them."""
    primes = [p for p in range(2, n + 1) if n % p == 0 and all(p % q for q in range(2, p))]
    return [n // p for p in primes]

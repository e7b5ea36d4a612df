"""Words whose product has an eigenvalue beyond 1 in modulus for every member of a cell.

The product of matrices of polynomials is followed as a truncated polynomial in the position in the cell, with a bound
of what was left out. All numbers are integers over one power of two.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import NamedTuple

from flint import fmpq

from piggycheck.regions.polynomials import Bounds, Letters

__all__ = ["MOST_ROWS", "Enclosed", "enclosed_letters", "grows"]

ORDER = 5
"""Terms of a higher total degree are left out."""

BITS = 160
_REST = 2**BITS - 1
MOST_ROWS = 4

Key = tuple[int, int]


class Enclosed(NamedTuple):
    """All functions on the square ``-1 <= s, t <= 1`` within a distance of a polynomial, over ``2**BITS``.

    Examples
    --------
    >>> s = Enclosed({(1, 0): 1 << BITS}, 0)
    >>> (s * s - s * s).least, (s + s).least == -2 << BITS
    (0, True)
    """

    terms: dict[Key, int]
    error: int

    def __add__(self, other: Enclosed) -> Enclosed:  # type: ignore[override]
        terms = dict(self.terms)
        for key, c in other.terms.items():
            terms[key] = terms.get(key, 0) + c
        return Enclosed({key: c for key, c in terms.items() if c}, self.error + other.error)

    def __neg__(self) -> Enclosed:
        return Enclosed({key: -c for key, c in self.terms.items()}, self.error)

    def __sub__(self, other: Enclosed) -> Enclosed:
        return self + -other

    def __mul__(self, other: Enclosed) -> Enclosed:  # type: ignore[override]
        terms: dict[Key, int] = {}
        left_out = 0
        for (i, j), c in self.terms.items():
            for (k, m), d in other.terms.items():
                if i + j + k + m > ORDER:
                    left_out += abs(c * d)
                else:
                    key = i + k, j + m
                    terms[key] = terms.get(key, 0) + c * d
        left_out += self.error * other.size + self.size * other.error + self.error * other.error
        error = -(-left_out >> BITS) + sum(c & _REST != 0 for c in terms.values())  # all are rounded down
        return Enclosed({key: c >> BITS for key, c in terms.items() if c >> BITS}, error)

    @property
    def size(self) -> int:
        """A bound of the absolute values of the polynomial."""
        return sum(map(abs, self.terms.values()))

    @property
    def least(self) -> int:
        """A lower bound of the values."""
        constant = self.terms.get((0, 0), 0)
        return constant + abs(constant) - self.size - self.error


def enclosed_letters(letters: Letters, bounds: Bounds) -> list[list[list[Enclosed]]]:
    """Return matrices of polynomials on a cell, as functions on a square.

    Parameters
    ----------
    letters : Letters
    bounds : Bounds
    """
    return [[[_enclosed(p.on_square(bounds)) for p in row] for row in M] for M in letters]


def grows(letters: Sequence[list[list[Enclosed]]], word: Sequence[int]) -> bool:
    r"""Prove that the product along a word has an eigenvalue of modulus above 1 everywhere on a cell.

    Parameters
    ----------
    letters : sequence of matrices of Enclosed
        From `enclosed_letters`.
    word : sequence of int
        The first letter acts first.

    Returns
    -------
    bool
        True is a theorem; False means only that this was not proved.

    Examples
    --------
    >>> from piggycheck.regions.polynomials import Polynomial
    >>> p = Polynomial({(1, 0): fmpq(1)})
    >>> grows(enclosed_letters([[[p]]], ((fmpq(5, 4), fmpq(2)), (fmpq(0), fmpq(1)))), (0, 0))
    True
    >>> grows(enclosed_letters([[[p]]], ((fmpq(3, 4), fmpq(2)), (fmpq(0), fmpq(1)))), (0, 0))
    False

    Notes
    -----
    The characteristic polynomial q of the product has a real root above 1 when q(1) < 0, one below -1 when
    (-1)^n q(-1) < 0, and the product of its roots is beyond 1 when \|q(0)\| > 1. With two rows there are no other ways.
    When this fails: with more rows a pair of complex eigenvalues beyond 1 may be missed; more than four are not tried.
    """
    n = len(letters[0])
    if n > MOST_ROWS:
        return False
    W = letters[word[0]]
    for letter in word[1:]:
        W = _product(letters[letter], W)
    for sign in (1, -1):
        shifted = [[(-W[i][j] if sign > 0 else W[i][j]) + _constant(int(i == j)) for j in range(n)] for i in range(n)]
        if (-_determinant(shifted)).least > 0:
            return True
    determinant = _constant(1)
    factors = [_determinant(M) for M in letters]
    for letter in word:
        determinant = determinant * factors[letter]
    return any((d - _constant(1)).least > 0 for d in (determinant, -determinant))


def _enclosed(terms: dict[Key, fmpq]) -> Enclosed:
    found, error = {}, 0
    for key, c in terms.items():
        scaled = int(c.p) << BITS
        found[key], rest = divmod(scaled, int(c.q))
        error += int(rest != 0)
    return Enclosed(found, error)


def _constant(value: int) -> Enclosed:
    return Enclosed({(0, 0): value << BITS} if value else {}, 0)


def _product(X: list[list[Enclosed]], Y: list[list[Enclosed]]) -> list[list[Enclosed]]:
    return [[_sum([a * Y[k][j] for k, a in enumerate(row)]) for j in range(len(Y))] for row in X]


def _sum(parts: Sequence[Enclosed]) -> Enclosed:
    total = Enclosed({}, 0)
    for part in parts:
        total = total + part
    return total


def _determinant(M: list[list[Enclosed]]) -> Enclosed:
    parts = []
    for order in permutations(range(len(M))):
        part = _constant((-1) ** sum(order[i] > order[j] for j in range(len(M)) for i in range(j)))
        for i, j in enumerate(order):
            part = part * M[i][j]
        parts.append(part)
    return _sum(parts)

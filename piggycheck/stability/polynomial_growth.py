"""Polynomial growth: words along which the recursion ``J -> A J + B`` grows like a power of the number of rounds.

Where no excited eigenvalue has modulus above 1, one of modulus 1 makes the recursion grow when it is excited with a
multiplicity d + 1 above 1 in ``M = [[A_w, B_w], [0, I]]``: like k^d after k rounds. Linear growth is divergence too.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.intervals import midpoint
from piggycheck.linalg import block_matrix, exceeds_one, identity, is_schur_stable, solve, zeros
from piggycheck.stability.excitation import excited_polynomials, first_excited, first_positive
from piggycheck.stability.necklaces import necklaces
from piggycheck.stability.words import characteristic_polynomial
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["PolynomialGrowth", "find_polynomial_growth", "growth_name", "polynomial_growth", "unit_multiplicity"]


@dataclass(frozen=True)
class PolynomialGrowth:
    """A word along which the recursion ``J -> A J + B`` grows from `J0` like ``k**degree``, k the number of rounds.

    Parameters
    ----------
    word : Word
    J0 : fmpq_mat
        The start; the given one, or one that was found.
    column : int
        The column of J that grows.
    degree : int
        At least 1.
    factor : fmpq_poly
        Monic and irreducible, with a root of modulus 1; its power ``degree + 1`` divides the minimal polynomial of
        ``(J0 e_j, e_j)`` under ``[[A_w, B_w], [0, I]]``.
    shortest : bool
        Whether every shorter word was proved to have spectral radius below 1.
    left_vector : tuple of fmpq or None
        Where the root is 1: a row v with ``v (A_w - I)^(d+1) = 0`` and ``v (A_w - I)^d B_w = 0``, d the degree, so that
        ``v J`` after k rounds is a polynomial in k of this degree.
    leading : tuple of fmpq or None
        The row ``v (A_w - I)^d J0 + v (A_w - I)^(d-1) B_w``, d! times its coefficient of ``k**d``; not 0 at `column`.
    """

    word: Word
    J0: fmpq_mat
    column: int
    degree: int
    factor: fmpq_poly
    shortest: bool = False
    left_vector: tuple[fmpq, ...] | None = None
    leading: tuple[fmpq, ...] | None = None

    @property
    def eigenvalue(self) -> fmpq | None:
        """The root of the factor, when it is rational: 1 or -1."""
        return -self.factor[0] if self.factor.degree() == 1 else None


def growth_name(degree: int) -> str:
    """Name the growth like ``k**degree``.

    Examples
    --------
    >>> growth_name(1), growth_name(2)
    ('linear', 'polynomial of degree 2')
    """
    return "linear" if degree == 1 else f"polynomial of degree {degree}"


def unit_multiplicity(poly: fmpq_poly) -> tuple[int, fmpq_poly]:
    """Return the largest multiplicity of a root of modulus 1 or more, with a monic irreducible factor that has it.

    Examples
    --------
    >>> unit_multiplicity(fmpq_poly([1, 0, 1]) ** 2 * fmpq_poly([-1, 1]) * fmpq_poly([-1, 2]) ** 3)
    (2, x^2 + 1)
    >>> unit_multiplicity(fmpq_poly([-1, 2]))
    (0, 1)
    """
    large = [(count, factor) for factor, count in poly.factor()[1] if not is_schur_stable(factor)]
    count, factor = max(large, key=lambda pair: (pair[0], -pair[1].degree()), default=(0, fmpq_poly([1])))
    return int(count), factor / factor.leading_coefficient()


def find_polynomial_growth(
    system: SwitchedSystem, *, max_length: int = 12, word_budget: int = 2000, time_limit: float = 2.0
) -> PolynomialGrowth | None:
    """Find a word along which the recursion grows polynomially from J0, the shortest one.

    Parameters
    ----------
    system : SwitchedSystem
        With `J0`, the growth is from it; without, a start that grows is found too. Where it has a graph, words are
        paths, given by the indices of their edges.
    max_length : int
        Longest words to look at.
    word_budget : int
        How many necklaces are looked at.
    time_limit : float
        Seconds after which the search stops.

    Returns
    -------
    PolynomialGrowth or None

    Raises
    ------
    UnknownError
        When a matrix is known only between bounds.

    Examples
    --------
    >>> flip = SwitchedSystem.from_rows([[[-1]], [[-1]]], [[[1]], [[-1]]], J0=[[0]])
    >>> found = find_polynomial_growth(flip)
    >>> found.word, found.degree, found.eigenvalue, found.leading
    ((0, 1), 1, 1, (-2,))

    Notes
    -----
    When this fails: words of spectral radius 1 that are longer than the limits are not seen.
    """
    system = system.unfolded()
    system.require_certain("divergence")
    end, left, stable_below = time.monotonic() + time_limit, word_budget, max_length + 1
    for length in range(1, max_length + 1):
        for word in necklaces(len(system), length):
            if left == 0 or time.monotonic() > end:
                return None
            left -= 1
            if not is_schur_stable(characteristic_polynomial(system, word)):
                stable_below = min(stable_below, length)
                found = polynomial_growth(system, word)
                if found is not None:
                    return replace(found, shortest=stable_below == length)
    return None


def polynomial_growth(system: SwitchedSystem, word: Sequence[int]) -> PolynomialGrowth | None:
    """Find a rotation of a word along which the recursion grows polynomially, and not faster, from J0.

    Parameters
    ----------
    system : SwitchedSystem
        Its `J0` is the start; without one, a start that grows is found too.
    word : Word
        Any word: one without an eigenvalue of modulus 1 or more does not grow.

    Returns
    -------
    PolynomialGrowth or None
        None when it grows along no rotation, or exponentially.

    Raises
    ------
    SwitchedSystemError
        When a letter is not the index of a pair.
    UnknownError
        When a matrix is known only between bounds.

    Examples
    --------
    >>> drift = polynomial_growth(SwitchedSystem.from_rows([[[1]]], [[["1/2"]]], J0=[[3]]), (0,))
    >>> drift.degree, drift.left_vector, drift.leading
    (1, (1,), (1/2,))
    >>> polynomial_growth(SwitchedSystem.from_rows([[[1]]], J0=[[3]]), (0,)) is None
    True

    Notes
    -----
    Letters with the same matrix A are exchanged for each other as in `piggycheck.stability.excite`. When this fails:
    beyond 64 such exchanges, as there.
    """
    return first_excited(system, word, _fastest_column)


def _fastest_column(system: SwitchedSystem, word: Word) -> PolynomialGrowth | None:
    """The column of J that grows like the highest power along a word, if none grows faster."""
    best: PolynomialGrowth | None = None
    for column, J0, poly in excited_polynomials(system, word):
        count, factor = unit_multiplicity(poly)
        if count > 1 and (best is None or count > best.degree + 1) and not exceeds_one(poly):
            best = PolynomialGrowth(word, J0, column, count - 1, factor)
    return None if best is None else _with_left_vector(system, best)


def _with_left_vector(system: SwitchedSystem, found: PolynomialGrowth) -> PolynomialGrowth:
    """Add a row along which a polynomial in the number of rounds is seen, where the eigenvalue is 1."""
    if found.eigenvalue != 1:
        return found
    A, B = map(midpoint, system.product(found.word))
    N, d = A - identity(A.nrows()), found.degree
    powers = [identity(A.nrows())]
    for _ in range(d + 1):
        powers.append(powers[-1] * N)
    rows = block_matrix([[powers[d + 1], powers[d] * B]]).transpose()
    for vector in solve(rows, zeros(rows.nrows(), 0))[1]:
        v = first_positive(vector.transpose())
        leading = v * powers[d] * found.J0 + v * powers[d - 1] * B
        if leading[0, found.column] != 0:
            return replace(found, left_vector=tuple(v.entries()), leading=tuple(leading.entries()))
    return found

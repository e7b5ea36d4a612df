"""Excitation: words along which the recursion ``J -> A J + B`` really grows from a start.

An eigenvalue of modulus above 1 is not enough. Along the word w repeated, column j of J grows exactly when the vector
``(J0 e_j, e_j)`` excites such an eigenvalue of ``[[A_w, B_w], [0, I]]``; that is read off its minimal polynomial.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from typing import TypeVar

from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.intervals import midpoint
from piggycheck.linalg import (
    block_matrix,
    exceeds_one,
    identity,
    krylov_minimal_polynomial,
    left_eigenvectors,
    modulus_lower,
    primitive,
    root_lower,
    zeros,
)
from piggycheck.stability.words import ABOVE, ExactWalk, candidate_words, characteristic_polynomial
from piggycheck.switched import SwitchedSystem, Word

__all__ = [
    "DivergingSearch",
    "DivergingWord",
    "excite",
    "excited_polynomials",
    "find_diverging_word",
    "first_excited",
    "first_positive",
]

_ONE = fmpq(1)
_MAX_LIFTS = 64

Found = TypeVar("Found")


@dataclass(frozen=True)
class DivergingWord:
    """A word along which the recursion ``J -> A J + B`` grows from `J0`, with the numbers that prove it.

    Parameters
    ----------
    word : Word
    J0 : fmpq_mat
        The start; the given one, or one that was found.
    column : int
        The column of J that grows.
    modulus_lower : fmpq
        Some excited eigenvalue of ``A_w`` has modulus at least this, which exceeds 1.
    growth_lower : fmpq
        Growth per step: exceeds 1, and its ``len(word)``-th power is at most `modulus_lower`.
    shortest : bool
        Whether every shorter word was proved to have spectral radius below 1.
    eigenvalue : fmpq or None
        The largest excited eigenvalue, when it is rational and has a left eigenvector that is excited.
    left_eigenvector : tuple of fmpq or None
        Row v with ``v A_w = eigenvalue v``.
    excitation : tuple of fmpq or None
        The row ``v J0 + v B_w / (eigenvalue - 1)``; not zero at `column`.
    """

    word: Word
    J0: fmpq_mat
    column: int
    modulus_lower: fmpq
    growth_lower: fmpq
    shortest: bool = False
    eigenvalue: fmpq | None = None
    left_eigenvector: tuple[fmpq, ...] | None = None
    excitation: tuple[fmpq, ...] | None = None


@dataclass(frozen=True)
class DivergingSearch:
    """The outcome of `find_diverging_word`.

    Parameters
    ----------
    found : DivergingWord or None
    exhaustive_below : int
        Every word shorter than this was decided exactly and does not diverge: its spectral radius is at most 1, or no
        rotation of it is excited.
    stable_below : int
        Every word shorter than this has spectral radius strictly below 1.
    unexcited : tuple of Word
        Words of spectral radius above 1 that the start does not excite.
    """

    found: DivergingWord | None
    exhaustive_below: int
    stable_below: int
    unexcited: tuple[Word, ...] = ()


def find_diverging_word(
    system: SwitchedSystem,
    *,
    max_length: int = 40,
    word_budget: int = 5000,
    time_limit: float = 5.0,
) -> DivergingSearch:
    """Find a word along which the recursion diverges from J0, the shortest one as far as words are decided exactly.

    Parameters
    ----------
    system : SwitchedSystem
        With `J0`, the word is excited from it; without, a start that it excites is found too. Where it has a graph,
        words are paths, given by the indices of their edges.
    max_length : int
        Longest words to look at.
    word_budget : int
        How many necklaces are decided exactly, shortest first; after them floating point proposes longer words.
    time_limit : float
        Seconds after which the search stops.

    Returns
    -------
    DivergingSearch

    Raises
    ------
    UnknownError
        When a matrix is known only between bounds.

    Examples
    --------
    >>> system = SwitchedSystem.from_rows([[["3/4", "-3/4"], [1, 0]], [["3/2", "-3/4"], [1, 0]]], J0=[[1], [1]])
    >>> found = find_diverging_word(system).found
    >>> found.word, found.eigenvalue, found.shortest
    ((0, 0, 1, 1), -9/8, True)
    >>> found.left_eigenvector, found.excitation
    ((1, 0), (1,))

    Notes
    -----
    When this fails: no word within the limits has spectral radius above 1 and is excited. That is no proof of
    convergence; see `piggycheck.stability.decide`.
    """
    system = system.unfolded()
    system.require_certain("divergence")
    start = time.monotonic()
    walk = ExactWalk(system, _ONE, max_length, word_budget, time_limit / 2)
    unexcited: list[Word] = []
    for word, _, size in walk:
        if size == ABOVE:
            found = excite(system, word)
            if found is not None:
                found = replace(found, shortest=walk.stable_below >= len(word))
                return DivergingSearch(found, walk.finished + 1, walk.stable_below, tuple(unexcited))
            unexcited.append(word)
    remaining = time_limit - (time.monotonic() - start)
    for word, rate in candidate_words(system, walk.finished + 1, max_length, remaining, 4096):
        if rate > 1 and word not in unexcited and exceeds_one(characteristic_polynomial(system, word)):
            found = excite(system, word)
            if found is not None:
                return DivergingSearch(found, walk.finished + 1, walk.stable_below, tuple(unexcited))
            unexcited.append(word)
    return DivergingSearch(None, walk.finished + 1, walk.stable_below, tuple(unexcited))


def excite(system: SwitchedSystem, word: Sequence[int]) -> DivergingWord | None:
    """Find a rotation of a word along which the recursion grows from J0.

    Parameters
    ----------
    system : SwitchedSystem
        With `J0`, or without; then the columns zero and the unit vectors are tried as starts. Where it has a graph,
        words are paths, given by the indices of their edges.
    word : Word
        A word whose product has an eigenvalue of modulus greater than 1.

    Returns
    -------
    DivergingWord or None
        None when no rotation is excited, also with letters exchanged for others that have the same matrix A.

    Raises
    ------
    UnknownError
        When a matrix is known only between bounds.
    SwitchedSystemError
        When a letter is not the index of a pair.

    Examples
    --------
    >>> excite(SwitchedSystem.from_rows([[[2, 0], [0, "1/2"]]], J0=[[0], [1]]), (0,)) is None
    True
    >>> excite(SwitchedSystem.from_rows([[[2, 0], [0, "1/2"]]]), (0,)).J0
    [1]
    [0]

    Notes
    -----
    With ``M = [[A_w, B_w], [0, I]]`` the recursion in column j grows exactly when the minimal polynomial of the
    vector ``(J0 e_j, e_j)`` under M has a root of modulus greater than 1. When this fails: None can also mean that
    more than 64 exchanges of equal letters were possible and the first 64 are not excited.
    """
    return first_excited(system, word, _best_column)


def first_excited(
    system: SwitchedSystem, word: Sequence[int], examine: Callable[[SwitchedSystem, Word], Found | None]
) -> Found | None:
    """Examine the rotations of a word, also with letters exchanged for others that have the same matrix A."""
    system = system.unfolded()
    system.require_certain("divergence")
    system.require_letters(word)
    found = (examine(system, variant) for variant in _variants(system, word))
    return next((best for best in found if best is not None), None)


def _variants(system: SwitchedSystem, word: Sequence[int]) -> Iterator[Word]:
    classes = [[j for j, A in enumerate(system.A) if system.A[letter] == A] for letter in word]
    for lifted in islice(product(*classes), _MAX_LIFTS):
        yield from (lifted[shift:] + lifted[:shift] for shift in range(len(lifted)))


def excited_polynomials(system: SwitchedSystem, word: Word) -> Iterator[tuple[int, fmpq_mat, fmpq_poly]]:
    """Yield columns j and starts J0, each with the minimal polynomial of ``(J0 e_j, e_j)`` along a word."""
    A, B = map(midpoint, system.product(word))
    m = system.columns
    M = block_matrix([[A, B], [zeros(m, system.dimension), identity(m)]])
    for column in range(m):
        for J0 in _starts(system, column):
            start = fmpq_mat(len(J0.table()), 1, [J0[i, column] for i in range(J0.nrows())])
            unit = fmpq_mat(m, 1, [int(i == column) for i in range(m)])
            yield column, J0, krylov_minimal_polynomial(M, block_matrix([[start], [unit]]))


def _best_column(system: SwitchedSystem, word: Word) -> DivergingWord | None:
    """The column of J that grows most along a word, if any does."""
    A, B = map(midpoint, system.product(word))
    best: DivergingWord | None = None
    for column, J0, poly in excited_polynomials(system, word):
        if not exceeds_one(poly):
            continue
        modulus = modulus_lower(poly, above=_ONE)
        if best is None or modulus > best.modulus_lower:
            best = _diverging_word(word, A, B, J0, column, poly, modulus)
    return best


def _starts(system: SwitchedSystem, column: int) -> Iterator[fmpq_mat]:
    """The given start, or starts of which at least one is excited by every word that grows."""
    if system.J0 is not None:
        yield system.J0
        return
    for row in range(system.dimension):
        J0 = zeros(system.dimension, system.columns)
        J0[row, column] = 1
        yield J0
    yield zeros(system.dimension, system.columns)


def _diverging_word(
    word: Word, A: fmpq_mat, B: fmpq_mat, J0: fmpq_mat, column: int, poly: fmpq_poly, modulus: fmpq
) -> DivergingWord:
    growth = root_lower(modulus, len(word))
    for root, _ in poly.roots():
        if abs(root) != modulus:
            continue
        for v in left_eigenvectors(A, root):
            v = first_positive(v)
            row = v * J0 + v * B * (1 / (root - 1))
            if row[0, column] != 0:
                return DivergingWord(
                    word, J0, column, modulus, growth, False, root, tuple(v.entries()), tuple(row.entries())
                )
    return DivergingWord(word, J0, column, modulus, growth)


def first_positive(row: fmpq_mat) -> fmpq_mat:
    """Return the multiple of a row that has coprime integer entries, the first nonzero one positive.

    Examples
    --------
    >>> first_positive(fmpq_mat([[0, fmpq(-1, 2), 3]]))
    [0, 1, -6]
    """
    entries = primitive(row.entries())
    sign = next((1 if c > 0 else -1 for c in entries if c), 1)
    return fmpq_mat(1, len(entries), [sign * c for c in entries])

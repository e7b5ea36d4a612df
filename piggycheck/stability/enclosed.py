"""Matrices known only between entrywise bounds: proofs that hold for every matrix in between."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from flint import fmpq, fmpq_mat

from piggycheck.linalg import entries, is_positive_semidefinite, simplest_between
from piggycheck.stability.word_tree import WordTree

__all__ = ["IntervalMatrix", "contracts_throughout", "interval_product", "points", "widen"]

IntervalMatrix = Sequence[Sequence[tuple[fmpq, fmpq]]]
"""Rows of pairs (lower, upper)."""


def points(M: fmpq_mat) -> list[list[tuple[fmpq, fmpq]]]:
    """Return a matrix as an interval matrix without width."""
    return [[(c, c) for c in row] for row in entries(M)]


def interval_product(X: IntervalMatrix, Y: IntervalMatrix) -> list[list[tuple[fmpq, fmpq]]]:
    """Return bounds of all products of a matrix in X and one in Y.

    Examples
    --------
    >>> interval_product([[(fmpq(-1), fmpq(2))]], [[(fmpq(3), fmpq(4))]])
    [[(-4, 8)]]
    """
    product = []
    for row in X:
        line = []
        for j in range(len(Y[0])):
            low = high = fmpq(0)
            for k, (a, b) in enumerate(row):
                c, d = Y[k][j]
                corners = (a * c, a * d, b * c, b * d)
                low, high = low + min(corners), high + max(corners)
            line.append((low, high))
        product.append(line)
    return product


def contracts_throughout(A: IntervalMatrix, P: fmpq_mat, factor: fmpq) -> bool:
    """Prove ``factor P - A^T P A`` positive semidefinite for every matrix A between the bounds.

    Parameters
    ----------
    A : IntervalMatrix
    P : fmpq_mat
        Symmetric.
    factor : fmpq

    Returns
    -------
    bool
        ``False`` means only that this was not proved.

    Examples
    --------
    >>> from piggycheck.linalg import identity
    >>> interval = [[(fmpq(1, 3), fmpq(1, 2))]]
    >>> contracts_throughout(interval, identity(1), fmpq(1, 4)), contracts_throughout(interval, identity(1), fmpq(1, 5))
    (True, False)

    Notes
    -----
    Each diagonal entry of the middle is lowered by the sum of the radii in its row, which covers every symmetric
    matrix between the bounds (Gershgorin).

    When this fails: wide intervals overestimate.
    """
    n = P.nrows()
    transposed = [[A[j][i] for j in range(n)] for i in range(n)]
    square = interval_product(transposed, interval_product(points(P), A))
    middle = fmpq_mat(n, n)
    for i in range(n):
        for j in range(n):
            low = (square[i][j][0] + square[j][i][0]) / 2
            high = (square[i][j][1] + square[j][i][1]) / 2
            middle[i, j] = middle[i, j] + factor * P[i, j] - (low + high) / 2
            middle[i, i] = middle[i, i] - (high - low) / 2
    return is_positive_semidefinite(middle)


def widen(tree: WordTree, enclosures: Sequence[IntervalMatrix]) -> WordTree | None:
    """Prove a word tree, at a slightly larger rate, for every choice of matrices between bounds.

    Parameters
    ----------
    tree : WordTree
        A proof for matrices inside the bounds.
    enclosures : sequence of IntervalMatrix
        One for each letter.

    Returns
    -------
    WordTree or None
        With a rate below 1; None when the margin does not cover the bounds.

    Examples
    --------
    >>> from piggycheck.linalg import identity
    >>> tree = WordTree(identity(1), fmpq(1, 2), ((0,),), fmpq(1))
    >>> widen(tree, [[[(fmpq(499, 1000), fmpq(501, 1000))]]]).rate
    26/51

    Notes
    -----
    When this fails: the bounds are wider than the room that the rate leaves below 1.
    """
    gap = 1 - tree.rate
    if gap <= 0:
        return None
    rate = simplest_between(tree.rate + gap / 100, tree.rate + gap / 50)
    growth = tree.growth + gap / 100
    prefixes = {word[:n] for word in tree.words for n in range(1, len(word))}
    bounds = [(word, rate ** (2 * len(word))) for word in tree.words] + [(prefix, growth) for prefix in prefixes]
    for word, factor in bounds:
        A = enclosures[word[0]]
        for letter in word[1:]:
            A = interval_product(enclosures[letter], A)
        if not contracts_throughout(A, tree.P, factor):
            return None
    return replace(tree, rate=rate, growth=growth)

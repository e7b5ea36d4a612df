"""Fixed points of pairs and words: what single selections of the recursion converge to."""

from __future__ import annotations

from flint import fmpq_mat

from piggycheck.linalg import identity, solve
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["common_fixed_point", "word_fixed_point"]


def word_fixed_point(system: SwitchedSystem, word: Word) -> fmpq_mat | None:
    """Return the X with ``X = A_w X + B_w`` when there is exactly one.

    Examples
    --------
    >>> word_fixed_point(SwitchedSystem.from_rows([[["-1/2"]]], [[[1]]]), (0,))
    [2/3]
    """
    A, B = system.product(word)
    particular, kernel = solve(identity(system.dimension) - A, B)
    return particular if not kernel else None


def common_fixed_point(system: SwitchedSystem) -> fmpq_mat | None:
    """Return the X with ``X = A_i X + B_i`` for every pair, if there is one and the first pair determines it."""
    X = word_fixed_point(system, (0,))
    if X is None or any(A * X + B != X for A, B in system.pairs):
        return None
    return X

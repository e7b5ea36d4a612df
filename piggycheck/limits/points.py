"""Fixed points of pairs and words: what single selections of the recursion converge to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from flint import fmpq_mat

from piggycheck.errors import InputError
from piggycheck.linalg import identity, solve
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["Point", "common_fixed_point", "exact_pairs", "exact_product", "require_numbers", "word_fixed_point"]


@dataclass(frozen=True)
class Point:
    """A point of the piggyback set, periodic or eventually periodic.

    Parameters
    ----------
    word : Word
        The word that is repeated.
    then : Word
        The letters that act afterwards, in time order; empty for the fixed point itself.
    matrix : fmpq_mat
        The fixed point of `word`.

    Examples
    --------
    >>> system = SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [[1]]])
    >>> Point((0, 1), (1,), word_fixed_point(system, (0, 1))).value(system)
    [1/3]

    Notes
    -----
    Docs: docs/theory/limit-sets.md. When this fails: `matrix` is taken at its word.
    """

    word: Word
    then: Word
    matrix: fmpq_mat

    def value(self, system: SwitchedSystem) -> fmpq_mat:
        """Return the point: where `then` moves `matrix`."""
        A, B = exact_product(system, self.then)
        return A * self.matrix + B


def word_fixed_point(system: SwitchedSystem, word: Word) -> fmpq_mat | None:
    """Return the X with ``X = A_w X + B_w`` when there is exactly one.

    Parameters
    ----------
    system : SwitchedSystem
    word : Word
        In time order: its first letter acts first.

    Returns
    -------
    fmpq_mat or None

    Raises
    ------
    UnknownError
        When a matrix is known only between bounds.

    Examples
    --------
    >>> word_fixed_point(SwitchedSystem.from_rows([[["-1/2"]]], [[[1]]]), (0,))
    [2/3]

    Notes
    -----
    When the joint spectral radius is below 1 there always is, and it is in the piggyback set: see
    docs/theory/limit-sets.md. When this fails: None does not tell whether there are several solutions or none.
    """
    A, B = exact_product(system, word)
    particular, kernel = solve(identity(system.dimension) - A, B)
    return particular if not kernel else None


def common_fixed_point(system: SwitchedSystem) -> fmpq_mat | None:
    """Return the X with ``X = A_i X + B_i`` for every pair, if there is one and the first pair determines it.

    Parameters
    ----------
    system : SwitchedSystem

    Returns
    -------
    fmpq_mat or None

    Raises
    ------
    UnknownError
        When a matrix is known only between bounds.

    Examples
    --------
    >>> common_fixed_point(SwitchedSystem.from_rows([[["1/2"]], [["-1"]]], [[[1]], [[4]]]))
    [2]

    Notes
    -----
    A system that contracts then has it for its whole piggyback set. When this fails: None says nothing where
    ``I - A_0`` is singular.
    """
    X = word_fixed_point(system, (0,))
    if X is None or any(A * X + B != X for A, B in exact_pairs(system)):
        return None
    return X


def exact_pairs(system: SwitchedSystem) -> tuple[tuple[fmpq_mat, fmpq_mat], ...]:
    """Return the pairs of a system whose matrices are known exactly.

    Raises
    ------
    UnknownError
        When one is known only between bounds.

    Examples
    --------
    >>> exact_pairs(SwitchedSystem.from_rows([[["1/2"]]]))
    (([1/2], [0]),)
    """
    system.require_certain("the piggyback set")
    return cast(tuple[tuple[fmpq_mat, fmpq_mat], ...], system.pairs)


def exact_product(system: SwitchedSystem, word: Sequence[int]) -> tuple[fmpq_mat, fmpq_mat]:
    """Return the pair of a word, as `exact_pairs` those of the letters.

    Examples
    --------
    >>> exact_product(SwitchedSystem.from_rows([[["1/2"]]], [[[1]]]), (0, 0))
    ([1/4], [3/2])
    """
    system.require_certain("the piggyback set")
    return cast(tuple[fmpq_mat, fmpq_mat], system.product(word))


def require_numbers(system: SwitchedSystem, statement: str, instead: str) -> None:
    """Require that all matrices are 1 by 1.

    Raises
    ------
    InputError
        When they are not; the message says what holds of numbers only, and what to do instead.

    Examples
    --------
    >>> require_numbers(SwitchedSystem.from_rows([[["1/2"]]]), "the hull is an interval", "ask for a polytope")
    """
    shape = (system.dimension, system.columns)
    if shape != (1, 1):
        raise InputError(
            f"`system` has matrices of shape {shape[0]} by {shape[1]}, and {statement} for numbers only; {instead}"
        )

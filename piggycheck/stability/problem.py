"""One finite set of matrices whose joint spectral radius is being bounded, and what has been learnt about it so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING

from flint import fmpq, fmpq_mat

from piggycheck.intervals import Letter, absolute, midpoint, radius
from piggycheck.stability.balance import balanced, balancing_exponents, diagonal_congruence
from piggycheck.stability.corners import Corners, corner_letters
from piggycheck.stability.proof import Proof
from piggycheck.stability.word_tree import WordTree
from piggycheck.switched import Word

if TYPE_CHECKING:
    from piggycheck.stability.floats import Array

__all__ = ["Problem"]

_NARROW = fmpq(1, 10**6)


@dataclass
class Problem:
    """A set of square matrices, balanced, with what is known of it.

    Parameters
    ----------
    given : sequence of Letter
        The matrices.
    names : tuple of int
        What each is called in the system that they come from.
    are_corners : bool
        Whether the matrices are the corners of uncertain ones. A word over them bounds nothing from below then.

    Attributes
    ----------
    A : list of Letter
        The matrices after a diagonal change of basis by powers of two.
    proof : Proof or None
        Of the best upper bound so far, about `A`.
    forms : list of (array, float)
        Quadratic forms and the rates at which they contract every letter, guessed.
    words : list of (Word, float)
        Words of large rate, the largest first, guessed; over the letters of `A`.
    """

    given: Sequence[Letter]
    names: tuple[int, ...]
    are_corners: bool = False
    proof: Proof | None = None
    forms: list[tuple[Array, float]] = field(default_factory=list)
    words: list[tuple[Word, float]] = field(default_factory=list)

    @classmethod
    def of(cls, given: Sequence[Letter], names: tuple[int, ...]) -> Problem:
        """Return the problem of some matrices, by their corners where bounds are wide and these few."""
        problem = cls(given, names)
        corners = corner_letters(given) if problem.dimension > 1 and _is_wide(given) else None
        if corners is None:
            return problem
        counts = [len(corner_letters([A]) or ()) for A in given]
        named = tuple(name for name, count in zip(names, counts, strict=True) for _ in range(count))
        return cls(corners, named, are_corners=True)

    def __post_init__(self) -> None:
        self.exponents = balancing_exponents(self.given)
        self.A = balanced(self.given, self.exponents) if any(self.exponents) else list(self.given)

    @property
    def dimension(self) -> int:
        """Number of rows of every matrix."""
        return self.A[0].nrows()

    @property
    def is_exact(self) -> bool:
        """Whether every matrix is known exactly."""
        return all(isinstance(A, fmpq_mat) for A in self.A)

    @property
    def bounds_words(self) -> bool:
        """Whether words over the matrices bound the radius of the system from below."""
        return self.is_exact and not self.are_corners

    @property
    def given_proof(self) -> Proof | None:
        """The best proof, about the matrices between bounds where `given` are their corners."""
        return Corners(self.proof.rate, self.proof) if self.proof is not None and self.are_corners else self.proof

    @property
    def reached(self) -> fmpq:
        """The largest rate of a word, guessed; what uncertain matrices may reach."""
        best = max((rate for _, rate in self.words), default=0.0)
        return fmpq(*best.as_integer_ratio()) if isfinite(best) else fmpq(0)

    @property
    def upper(self) -> fmpq | None:
        """The best proved upper bound."""
        return None if self.proof is None else self.proof.rate

    @property
    def scales(self) -> list[fmpq]:
        """The lengths of the basis vectors in which the given matrices are those of `A`."""
        return [fmpq(2) ** -exponent for exponent in self.exponents]

    def accept(self, proof: Proof | None) -> bool:
        """Keep a proof when it is better than the best so far, and say whether it is."""
        better = proof is not None and (self.proof is None or proof.rate < self.proof.rate)
        if better:
            self.proof = proof
        return better

    def in_given_basis(self, tree: WordTree) -> WordTree:
        """Return the same proof for the matrices as they were given."""
        return replace(tree, P=diagonal_congruence(tree.P, self.exponents)) if any(self.exponents) else tree

    def named(self, word: Word) -> Word:
        """Return a word over the letters of the system that the matrices come from."""
        return tuple(self.names[letter] for letter in word)

    def floats(self) -> Array:
        """Return the midpoints of the matrices as floating-point numbers."""
        from piggycheck.stability.floats import float_matrices

        return float_matrices([midpoint(A) for A in self.A])


def _is_wide(letters: Sequence[Letter]) -> bool:
    """Whether bounds are so far apart that a margin that covers them costs much."""
    spread = max(entry for A in letters for entry in radius(A).entries())
    return bool(spread > _NARROW * max(entry for A in letters for entry in absolute(midpoint(A)).entries()))

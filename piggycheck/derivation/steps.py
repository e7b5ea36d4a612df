"""The steps of a derivation as data, recorded while a claim is decided.

Each step is one thing that a paper would show: the map as cases, the Jacobian pairs, a product along a word, a
quadratic form. Nothing here computes and nothing here knows how a step is shown; text, LaTeX and figures are made
from the same steps by `piggycheck.render`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "BoundsStep",
    "ChainRuleStep",
    "ContinuityStep",
    "ContractionStep",
    "Derivation",
    "DiscontinuityStep",
    "DualFormStep",
    "FixedPointStep",
    "LimitStep",
    "MapStep",
    "PiecesStep",
    "RealisedStep",
    "Step",
    "SwitchedStep",
    "TransitionsStep",
    "TrapStep",
    "WordFixedPointsStep",
    "WordStep",
]


@dataclass(frozen=True)
class Step:
    """One step of a derivation."""


@dataclass(frozen=True)
class MapStep(Step):
    """The map, written out.

    Attributes
    ----------
    name : str
    state, parameters : tuple of sympy.Symbol
    next : tuple of sympy.Expr
    start : tuple of sympy.Expr or None
    """

    name: str
    state: tuple[Any, ...]
    parameters: tuple[Any, ...]
    next: tuple[Any, ...]
    start: tuple[Any, ...] | None


@dataclass(frozen=True)
class SwitchedStep(Step):
    """A finite set of affine maps, given as such.

    Attributes
    ----------
    A : tuple of fmpq_mat or IntervalMatrix
    B : tuple of fmpq_mat
    J0 : fmpq_mat or None
    graph : tuple of (source, letter, target)
        The edges of the graph that constrains the words; empty when all are allowed.
    """

    A: tuple[Any, ...]
    B: tuple[Any, ...]
    J0: Any | None
    graph: tuple[tuple[int, int, int], ...] = ()

    @property
    def is_linear(self) -> bool:
        """Whether every B is zero, so that nothing need be said of it."""
        return not any(entry != 0 for B in self.B for entry in B.entries())


@dataclass(frozen=True)
class ContinuityStep(Step):
    """Every switch whose branches were compared where its guard vanishes.

    Attributes
    ----------
    guards : tuple of sympy.Expr
        The guards across which agreement was proved.
    """

    guards: tuple[Any, ...]


@dataclass(frozen=True)
class DiscontinuityStep(Step):
    """A point where the map jumps, or has no value.

    Attributes
    ----------
    point : dict from symbols to numbers
    value : tuple of numbers or None
        The value there; none in a gap.
    direction : tuple of numbers or None
    limit : tuple of numbers or None
        The limit along the direction.
    """

    point: dict[Any, Any]
    value: tuple[Any, ...] | None = None
    direction: tuple[Any, ...] | None = None
    limit: tuple[Any, ...] | None = None


@dataclass(frozen=True)
class FixedPointStep(Step):
    """The fixed point that is looked at: dicts from symbols to numbers."""

    state: dict[Any, Any]
    at: dict[Any, Any]
    start_is_fixed: bool = False


@dataclass(frozen=True)
class PiecesStep(Step):
    """The pieces active at the fixed point.

    Attributes
    ----------
    signatures : tuple of str
    conditions : tuple of tuples of (sign, guard)
        For each piece, the signs of the guards that tie at the point.
    A, B : tuples of fmpq_mat
    exact : bool
        Whether each was proved essentially active.
    """

    signatures: tuple[str, ...]
    conditions: tuple[tuple[tuple[int, Any], ...], ...]
    A: tuple[Any, ...]
    B: tuple[Any, ...]
    exact: bool


@dataclass(frozen=True)
class WordStep(Step):
    """A word, its product, and why it grows.

    Attributes
    ----------
    word : tuple of int
    A, B : fmpq_mat
        The product ``A_w`` and ``B_w``.
    characteristic_polynomial : fmpq_poly
    modulus_lower : fmpq
    growth_lower : fmpq
    J0 : fmpq_mat or None
        The start from which growth was proved; none when only the spectral radius matters.
    column : int
    eigenvalue, left_eigenvector, excitation : exact numbers, or None when not rational
    shortest : bool
        Whether every shorter word was decided, exactly, to contract.
    """

    word: tuple[int, ...]
    A: Any
    B: Any
    characteristic_polynomial: Any
    modulus_lower: Any
    growth_lower: Any
    J0: Any | None = None
    column: int = 0
    eigenvalue: Any | None = None
    left_eigenvector: tuple[Any, ...] | None = None
    excitation: tuple[Any, ...] | None = None
    shortest: bool = False


@dataclass(frozen=True)
class ContractionStep(Step):
    """A proof that the joint spectral radius is at most a rate.

    Attributes
    ----------
    proof : piggycheck.stability.proof.Proof
        Of any kind; what is told of it is read from its ``rate``, ``method``, ``summary()`` and ``witness()``.
    lower : fmpq or None
        A proved lower bound, for comparison.
    """

    proof: Any
    lower: Any | None = None


@dataclass(frozen=True)
class BoundsStep(Step):
    """The proved bounds on the joint spectral radius, and how they were reached.

    The word and the proof that give them are told by steps of their own: `WordStep` and `ContractionStep`.

    Attributes
    ----------
    lower : fmpq or None
        The lower bound.
    word : tuple of int
        The letters of the word that gives it.
    proof : piggycheck.stability.proof.Proof or None
        Of the upper bound.
    moments : tuple
        Each time a bound improved: anything with `seconds`, `method`, `lower`, `upper` and `word`.
    """

    lower: Any | None
    word: tuple[int, ...]
    proof: Any | None
    moments: tuple[Any, ...] = ()


@dataclass(frozen=True)
class DualFormStep(Step):
    """Matrices that exclude a common quadratic form with ``A_i^T P A_i <= rate^2 P`` for every i.

    Attributes
    ----------
    Q : tuple of fmpq_mat
        Positive semidefinite, one for each letter.
    S : fmpq_mat
        The sum of ``A_i Q_i A_i^T - rate^2 Q_i``: positive semidefinite, and not zero.
    rate : fmpq
    """

    Q: tuple[Any, ...]
    S: Any
    rate: Any


@dataclass(frozen=True)
class TransitionsStep(Step):
    """The graph of the words that the guards of a map allow.

    Attributes
    ----------
    memory : int
        The number m of letters that a node remembers.
    nodes : tuple of words of m letters
        Those that some direction realises.
    edges : tuple of (source, letter, target)
        From a node, by the next letter, to a node; both are indices into the nodes.
    letters : int
        The number of pieces that the letters are taken from.
    """

    memory: int
    nodes: tuple[tuple[int, ...], ...]
    edges: tuple[tuple[int, int, int], ...]
    letters: int


@dataclass(frozen=True)
class TrapStep(Step):
    """A neighbourhood that the iterates enter and cannot leave.

    Attributes
    ----------
    iteration : int
        Index k_0 of the first iterate inside.
    level : fmpq
        The level s of ``(x - xbar)^T P (x - xbar) <= s``.
    """

    iteration: int
    level: Any


@dataclass(frozen=True)
class LimitStep(Step):
    """A matrix X with ``X = A_i X + B_i`` for every pair: the limit of the derivatives."""

    matrix: Any


@dataclass(frozen=True)
class WordFixedPointsStep(Step):
    """Fixed points ``X_w = A_w X_w + B_w`` of words, all of them in the piggyback set."""

    words: tuple[tuple[int, ...], ...]
    matrices: tuple[Any, ...]


@dataclass(frozen=True)
class ChainRuleStep(Step):
    """Pairs of the chain-rule set, those of the selection set, and one that is only in the first.

    Attributes
    ----------
    pairs : tuple of (A, B)
    witness : (A, B) or None
    """

    pairs: tuple[tuple[Any, Any], ...]
    witness: tuple[Any, Any] | None


@dataclass(frozen=True)
class RealisedStep(Step):
    """Iterates that follow a word for ever while they converge to the fixed point.

    Attributes
    ----------
    word : tuple of int
    directions : tuple of tuples of fmpq
        Their displacements from the fixed point are small combinations of these, with weights that are not negative.
    multipliers : tuple of tuples of fmpq
        ``A_w d_i`` is the sum of ``multipliers[i][j] d_j``; the sum of each row is below 1.
    """

    word: tuple[int, ...]
    directions: tuple[tuple[Any, ...], ...]
    multipliers: tuple[tuple[Any, ...], ...]


@dataclass
class Derivation:
    """The steps, in the order in which they were taken."""

    steps: list[Step] = field(default_factory=list)

    def record(self, step: Step) -> None:
        """Append a step, once."""
        if step not in self.steps:
            self.steps.append(step)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def __len__(self) -> int:
        return len(self.steps)

    def first(self, kind: type[Step]) -> Any | None:
        """Return the first step of a kind, or None."""
        return next((step for step in self.steps if isinstance(step, kind)), None)

"""The steps that show what the recursion converges to, beside what implicit differentiation returns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from piggycheck.derivation.steps import Step

__all__ = [
    "BallStep",
    "BeyondBoundStep",
    "ClarkeStep",
    "DirectionBoundsStep",
    "ImplicitSetStep",
    "InsideIntervalStep",
    "InsideStep",
    "IntervalStep",
    "InvariantPointsStep",
    "InvertibleStep",
    "OutsideImplicitStep",
    "SeparationStep",
    "SingularStep",
]


@dataclass(frozen=True)
class ImplicitSetStep(Step):
    """The implicit set: what each pair alone leads to.

    Attributes
    ----------
    points : tuple of fmpq_mat
        ``X_i = A_i X_i + B_i`` for each pair.
    interval : (fmpq, fmpq) or None
        The implicit set of the hull, where it is known to be an interval.
    """

    points: tuple[Any, ...]
    interval: tuple[Any, Any] | None = None


@dataclass(frozen=True)
class IntervalStep(Step):
    """The hull of a piggyback set of numbers.

    Attributes
    ----------
    lower, upper : fmpq
    lower_word, upper_word : (word, letters that act afterwards)
        Whose points the ends are.
    """

    lower: Any
    upper: Any
    lower_word: tuple[tuple[int, ...], tuple[int, ...]]
    upper_word: tuple[tuple[int, ...], tuple[int, ...]]


@dataclass(frozen=True)
class OutsideImplicitStep(Step):
    """A word whose fixed point is in the piggyback set and not in the implicit set.

    Attributes
    ----------
    word : tuple of int
    matrix : fmpq_mat
    direction : fmpq_mat or None
        For the hull: ``<C, (I - A_i) X - B_i> > 0`` for every pair.
    values : tuple of fmpq
        These products.
    shorter : int or None
        How many shorter words were decided, exactly, to have their fixed points inside; None when not all were.
    """

    word: tuple[int, ...]
    matrix: Any
    direction: Any | None
    values: tuple[Any, ...]
    shorter: int | None


@dataclass(frozen=True)
class InvariantPointsStep(Step):
    """Finitely many points that every pair maps to some of them, or for the hull into their convex hull.

    Attributes
    ----------
    points : tuple of fmpq_mat
        Those of the pairs, each once.
    images : tuple of tuple of int
        For every pair, the indices of the images of the points; empty for the hull.
    hull : bool
    """

    points: tuple[Any, ...]
    images: tuple[tuple[int, ...], ...]
    hull: bool


@dataclass(frozen=True)
class InsideStep(Step):
    """A matrix that is in the piggyback set: letters move the fixed point of a word to it.

    Attributes
    ----------
    value : fmpq_mat
    word, then : tuple of int
        Empty when weights alone show it.
    matrix : fmpq_mat or None
        The fixed point of the word.
    weights : tuple of fmpq or None
        For the hull: ``value = A_l Y + B_l``, where Y is where the letters move that point, or the value itself.
    given : bool
        Whether the value was given; otherwise it was found.
    """

    value: Any
    word: tuple[int, ...]
    then: tuple[int, ...]
    matrix: Any | None
    weights: tuple[Any, ...] | None
    given: bool = True


@dataclass(frozen=True)
class InsideIntervalStep(Step):
    """A number that lies in the hull of the piggyback set."""

    value: Any
    lower: Any
    upper: Any


@dataclass(frozen=True)
class BallStep(Step):
    """A ball around the piggyback set, in the norm of the form that contracts.

    Attributes
    ----------
    centre : fmpq_mat
    radius : fmpq
    by_letters : bool
        Whether every pair contracts; otherwise words do.
    core : fmpq or None
        The radius of the ball that the words send into itself, where that is a smaller one.
    interval : (fmpq, fmpq) or None
        What the ball is, for numbers in the usual norm.
    """

    centre: Any
    radius: Any
    by_letters: bool
    core: Any | None = None
    interval: tuple[Any, Any] | None = None


@dataclass(frozen=True)
class SeparationStep(Step):
    """A matrix that is outside: the set consists of cells, and a direction separates it from each.

    Attributes
    ----------
    value : fmpq_mat
    words : tuple of words
        One for each cell: every infinite word, read backwards, begins with exactly one of them, read backwards.
    directions : tuple of fmpq_mat
    products : tuple of fmpq
        ``<C, value>`` for each cell.
    bounds : tuple of fmpq
        ``<C, X>`` is at most that on the cell.
    """

    value: Any
    words: tuple[tuple[int, ...], ...]
    directions: tuple[Any, ...]
    products: tuple[Any, ...]
    bounds: tuple[Any, ...]

    @property
    def depth(self) -> int:
        """The length of the longest word."""
        return max(map(len, self.words))


@dataclass(frozen=True)
class DirectionBoundsStep(Step):
    """Bounds on the piggyback set in some directions, and points that come near them.

    Attributes
    ----------
    directions : tuple of fmpq_mat
    upper : tuple of fmpq
    lower : tuple of fmpq, or of None
        Products ``<C, X>`` that points of the set attain.
    points : tuple of (word, letters that act afterwards), or of None
    cells : tuple of (count, longest word)
    box : (fmpq_mat, fmpq_mat) or None
        The corners, when the directions are those of the entries.
    """

    directions: tuple[Any, ...]
    upper: tuple[Any, ...]
    lower: tuple[Any, ...]
    points: tuple[Any, ...]
    cells: tuple[tuple[int, int], ...]
    box: tuple[Any, Any] | None = None


@dataclass(frozen=True)
class BeyondBoundStep(Step):
    """The product of a direction with an element of the set is larger than a claimed bound."""

    direction: Any
    product: Any
    claimed: Any


@dataclass(frozen=True)
class InvertibleStep(Step):
    """No convex combination of the matrices ``I - A_i`` is singular; without the hull, none of these.

    Attributes
    ----------
    determinants : tuple of fmpq
        Of ``I - A_i``.
    hull : bool
    simplices, depth : int
        How many simplices the weights were divided into, and how often one was halved.
    """

    determinants: tuple[Any, ...]
    hull: bool
    simplices: int = 1
    depth: int = 0


@dataclass(frozen=True)
class SingularStep(Step):
    """Weights l whose ``I - A_l`` is singular, or two whose determinants have opposite signs.

    Attributes
    ----------
    weights : tuple of tuple of fmpq
    determinants : tuple of fmpq
    hull : bool
    """

    weights: tuple[tuple[Any, ...], ...]
    determinants: tuple[Any, ...]
    hull: bool


@dataclass(frozen=True)
class ClarkeStep(Step):
    """A matrix of the implicit set of the hull that is outside the convex hull of the fixed points of the pairs.

    Attributes
    ----------
    weights : tuple of fmpq
    matrix : fmpq_mat
    direction : fmpq_mat
        ``<C, matrix>`` is larger than every ``<C, X_i>``.
    product : fmpq
        ``<C, matrix>``.
    largest : fmpq
        The largest ``<C, X_i>``.
    of_map : bool
        Whether the pairs are those of a continuous map, whose solution has a Clarke Jacobian.
    """

    weights: tuple[Any, ...]
    matrix: Any
    direction: Any
    product: Any
    largest: Any
    of_map: bool = True

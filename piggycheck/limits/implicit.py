"""The implicit set ``(I - A)^{-1} B``, of the pairs and of their convex hull, and whether the piggyback set is larger.

A fixed point of a word outside the implicit set proves that it is. That there is none is proved from finitely many
points that every pair maps into themselves, or into their convex hull.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, islice, product

from flint import fmpq, fmpq_mat

from piggycheck.errors import UnknownError
from piggycheck.feasibility import nonnegative_solution
from piggycheck.limits.contraction import Contraction, as_contraction, contracting, matrix_of_set
from piggycheck.limits.points import exact_pairs, require_numbers, word_fixed_point
from piggycheck.limits.separation import positive_direction
from piggycheck.linalg import Matrix, block_matrix
from piggycheck.stability.necklaces import necklace_of
from piggycheck.switched import SwitchedSystem, Word

__all__ = [
    "Equal",
    "ImplicitIn",
    "ImplicitOut",
    "Strict",
    "implicit_hull_interval",
    "implicit_points",
    "implicit_set_is_hull",
    "implicit_weights",
    "strictness",
]

_MAX_WORDS = 2000
_MOST_DOUBLINGS = 10
_LARGEST_ORBIT = 100


@dataclass(frozen=True)
class ImplicitIn:
    """Weights l, at least 0 and of sum 1, with ``X = A_l X + B_l``: X belongs to the implicit set of the hull."""

    weights: tuple[fmpq, ...]


@dataclass(frozen=True)
class ImplicitOut:
    """A direction C with ``<C, (I - A_i) X - B_i> > 0`` for every i: X is outside the implicit set of the hull."""

    direction: fmpq_mat


@dataclass(frozen=True)
class Strict:
    """A word whose fixed point lies in the piggyback set and not in the implicit set.

    Parameters
    ----------
    word : Word
    matrix : fmpq_mat
        Its fixed point.
    direction : fmpq_mat or None
        For the hull, what `ImplicitOut` says of it.
    shortest : bool
        Whether it is the first such word, by length and then alphabetically; False when that is not known, or not
        every pair is known to belong to the system.
    """

    word: Word
    matrix: fmpq_mat
    direction: fmpq_mat | None = None
    shortest: bool = True


@dataclass(frozen=True)
class Equal:
    """Both sets are the same.

    Parameters
    ----------
    points : tuple of fmpq_mat
        The fixed point of each pair; every pair maps every one of them to one of them, or for the hull into their
        convex hull, which is then the implicit set of the hull.
    coefficients : tuple of tuple of tuple of fmpq, or None
        For the hull: pair i maps point j to the sum of ``coefficients[i][j][k]`` times point k.
    """

    points: tuple[fmpq_mat, ...]
    coefficients: tuple[tuple[tuple[fmpq, ...], ...], ...] | None = None


def implicit_points(system: SwitchedSystem) -> tuple[fmpq_mat | None, ...]:
    """Return the implicit set of the pairs: ``(I - A_i)^{-1} B_i`` for each, or None where ``I - A_i`` is singular.

    Parameters
    ----------
    system : SwitchedSystem

    Returns
    -------
    tuple of fmpq_mat or None
        In the order of the pairs.

    Raises
    ------
    UnknownError
        When a matrix is known only between bounds.

    Examples
    --------
    >>> implicit_points(SwitchedSystem.from_rows([[["-1/2"]], [[1]]], [[[1]], [[1]]]))
    ([2/3], None)

    Notes
    -----
    Docs: docs/theory/implicit-sets.md. When this fails: the joint spectral radius is not looked at, and without a bound
    on it the recursion need not converge to these; for a singular ``I - A`` see `singular_limit`.
    """
    return tuple(word_fixed_point(system, (letter,)) for letter in range(len(system)))


def implicit_hull_interval(system: SwitchedSystem) -> tuple[fmpq, fmpq]:
    """Return the ends of the implicit set of the hull of pairs of numbers: an interval.

    Parameters
    ----------
    system : SwitchedSystem
        Pairs of 1 by 1 matrices.

    Returns
    -------
    (fmpq, fmpq)

    Raises
    ------
    InputError
        When the matrices are not 1 by 1.
    NoLimitSetError
        When the joint spectral radius is at least 1.

    Examples
    --------
    >>> implicit_hull_interval(SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [[1]]]))
    (0, 2/3)

    Notes
    -----
    ``B_l / (1 - A_l)`` is the average of the numbers ``b_i / (1 - a_i)`` with the weights ``l_i (1 - a_i)``. When this
    fails: with a joint spectral radius of 1 or more the implicit set of the hull can be unbounded.
    """
    require_numbers(system, "the implicit set is an interval", "ask for `implicit_weights` of a matrix")
    contracting(system)
    values = [X[0, 0] for X in _fixed_points(system)]
    return min(values), max(values)


def implicit_weights(system: SwitchedSystem, X: Matrix) -> ImplicitIn | ImplicitOut:
    """Decide whether a matrix belongs to the implicit set of the convex hull of the pairs.

    Parameters
    ----------
    system : SwitchedSystem
    X : fmpq_mat, or its rows
        As many rows and columns as the matrices B have.

    Returns
    -------
    ImplicitIn or ImplicitOut
        Weights, or a separating direction (Farkas), verified exactly.

    Raises
    ------
    InputError
        When the shape of X does not fit.
    UnknownError
        When a matrix is known only between bounds.

    Examples
    --------
    >>> system = SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [[1]]])
    >>> implicit_weights(system, [["1/3"]])
    ImplicitIn(weights=(1/2, 1/2))
    >>> implicit_weights(system, [["4/3"]])
    ImplicitOut(direction=[1])

    Notes
    -----
    X belongs to it when 0 is a convex combination of the residuals ``(I - A_i) X - B_i``: a linear program. Docs:
    docs/theory/implicit-sets.md. When this fails: a singular ``I - A_l`` makes X one of many solutions.
    """
    X = matrix_of_set(X, system, "X")
    answer = positive_direction([X - A * X - B for A, B in exact_pairs(system)])
    return ImplicitOut(answer) if isinstance(answer, fmpq_mat) else ImplicitIn(answer)


def implicit_set_is_hull(system: SwitchedSystem) -> bool:
    """Decide whether the implicit set of the hull is known to be the convex hull of the fixed points of the pairs.

    Parameters
    ----------
    system : SwitchedSystem
        One that contracts.

    Returns
    -------
    bool
        True for matrices A of one row, and when all matrices A are equal.

    Examples
    --------
    >>> implicit_set_is_hull(SwitchedSystem.from_rows([[["1/2"]], [["1/3"]]]))
    True

    Notes
    -----
    When this fails: False says nothing.
    """
    return system.dimension == 1 or all(A == system.A[0] for A in system.A)


def strictness(
    contraction: Contraction | SwitchedSystem,
    *,
    hull: bool = False,
    letters: Sequence[int] | None = None,
    max_words: int = _MAX_WORDS,
) -> Strict | Equal:
    """Decide whether the implicit set is strictly smaller than the piggyback set.

    Parameters
    ----------
    contraction : Contraction or SwitchedSystem
        A system is proved to contract first.
    hull : bool
        Whether the sets are those of the convex hull of the pairs.
    letters : sequence of int, optional
        The pairs that are known to belong to the system, where it may have too many: words consist of them, and their
        fixed points are outside the implicit set of all pairs. All by default.
    max_words : int
        How many words are looked at, before longer words of a special form.

    Returns
    -------
    Strict or Equal
        The first word, by length and then alphabetically, whose fixed point is outside the implicit set (when the
        budget ended before, another one); or points that prove the sets equal.

    Raises
    ------
    NoLimitSetError
        When a system does not contract.
    UnknownError
        When neither was proved.

    Examples
    --------
    >>> system = SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[0]], [[1]]])
    >>> strictness(contracting(system))
    Strict(word=(0, 1), matrix=[4/3], direction=None, shortest=True)
    >>> strictness(contracting(system), hull=True)
    Strict(word=(0, 1), matrix=[4/3], direction=[1], shortest=True)

    Notes
    -----
    For the pairs the answer is always found, if they are known: their implicit set is finite, and either every pair
    maps it into itself or some word ``j ... j i`` has a fixed point outside. Docs: docs/theory/implicit-sets.md. When
    this fails: for the hull, when the matrices A differ by more than factors of ``I - A`` and the sets are equal.
    """
    system = as_contraction(contraction).system
    question = _Question(system, hull, tuple(range(len(system))) if letters is None else tuple(letters))
    found = question.equal() or question.first_word(max_words) or question.by_limits()
    if found is None:
        raise UnknownError(
            f"the fixed points of the first {max_words} words lie in the implicit set{' of the hull' if hull else ''}, "
            "and that all of the piggyback set does was not proved"
        )
    return found


class _Question:
    """Whether the implicit set of a system is strict, asked of the words over some of its letters."""

    def __init__(self, system: SwitchedSystem, hull: bool, letters: tuple[int, ...]) -> None:
        system.require_letters(letters)
        self.system, self.hull = system, hull
        self.letters = tuple(i for k, i in enumerate(letters) if all(self._differ(i, j) for j in letters[:k]))
        self.known = frozenset(letters)
        self.pairs = exact_pairs(system)
        self.points = _fixed_points(system)

    def _differ(self, i: int, j: int) -> bool:
        return bool(self.system.A[i] != self.system.A[j] or self.system.B[i] != self.system.B[j])

    def equal(self) -> Equal | None:
        """A proof that the sets are equal, whichever of the pairs that are not known to belong to the system do."""
        if not self.hull:
            everywhere = all(any(Y == self.points[k] for k in usable) for _, _, Y, usable in self._images())
            return Equal(self.points) if everywhere else None
        if not (implicit_set_is_hull(self.system) or all(X == self.points[0] for X in self.points)):
            return None
        coefficients: list[list[tuple[fmpq, ...]]] = [[] for _ in self.points]
        for i, _, Y, usable in self._images():
            found = _convex_coefficients(self.points, usable, Y)
            if found is None:
                return None
            coefficients[i].append(found)
        return Equal(self.points, tuple(map(tuple, coefficients)))

    def _images(self) -> Iterator[tuple[int, int, fmpq_mat, list[int]]]:
        """Yield i, j, where pair i maps point j, and which points are in the implicit set if pairs i and j count."""
        for (i, (A, B)), (j, X) in product(enumerate(self.pairs), enumerate(self.points)):
            yield i, j, A * X + B, sorted({*self.known, i, j})

    def first_word(self, max_words: int) -> Strict | None:
        """The first word whose fixed point is outside, among the first words."""
        if len(self.letters) < 2:
            return None
        words = (word for length in count(2) for word in _primitive_words(self.letters, length))
        found = next((found for word in islice(words, max_words) if (found := self._outside(word))), None)
        return found if found is None or len(self.known) == len(self.points) else replace(found, shortest=False)

    def by_limits(self) -> Strict | None:
        """A word that is repeated and then followed by others, when that leads out of the implicit set in the limit."""
        start = next(((j, then) for j, then, X in self._orbit() if self._is_outside(X)), None)
        if start is None:
            return None
        letter, then = start
        for repeated in (2**k for k in range(_MOST_DOUBLINGS)):
            found = self._outside((letter,) * repeated + then)
            if found is not None:
                return replace(found, shortest=False)
        return None

    def _orbit(self) -> Iterator[tuple[int, Word, fmpq_mat]]:
        """Images of the fixed points of the letters, until they repeat or leave the implicit set."""
        reached: list[tuple[int, Word, fmpq_mat]] = [(j, (), self.points[j]) for j in self.letters]
        for j, then, X in reached:
            yield j, then, X
            if len(reached) > _LARGEST_ORBIT:
                continue
            for i in self.letters:
                Y = self.pairs[i][0] * X + self.pairs[i][1]
                if all(Y != Z for _, _, Z in reached):
                    reached.append((j, (*then, i), Y))

    def _outside(self, word: Word) -> Strict | None:
        X = word_fixed_point(self.system, word)
        assert X is not None
        if not self.hull:
            return None if any(X == Y for Y in self.points) else Strict(word, X)
        answer = implicit_weights(self.system, X)
        return Strict(word, X, answer.direction) if isinstance(answer, ImplicitOut) else None

    def _is_outside(self, X: fmpq_mat) -> bool:
        if not self.hull:
            return all(X != Y for Y in self.points)
        return isinstance(implicit_weights(self.system, X), ImplicitOut)


def _primitive_words(letters: Sequence[int], length: int) -> Iterator[Word]:
    """Words that are no powers of shorter ones; rotations of a word have fixed points of their own."""
    return (word for word in product(sorted(letters), repeat=length) if len(necklace_of(word)) == length)


def _fixed_points(system: SwitchedSystem) -> tuple[fmpq_mat, ...]:
    """The implicit set of a system that contracts."""
    return tuple(X for X in implicit_points(system) if X is not None)


def _convex_coefficients(points: Sequence[fmpq_mat], usable: Sequence[int], X: fmpq_mat) -> tuple[fmpq, ...] | None:
    """Coefficients of a convex combination of some of the points; one of them alone, where that is enough."""
    coefficients = [fmpq(0)] * len(points)
    for k in usable:
        if points[k] == X:
            coefficients[k] = fmpq(1)
            return tuple(coefficients)
    columns = [fmpq_mat(X.nrows() * X.ncols() + 1, 1, [*points[k].entries(), 1]) for k in usable]
    found = nonnegative_solution(block_matrix([columns]), [*X.entries(), 1])
    if found is None:
        return None
    for k, value in zip(usable, found, strict=True):
        coefficients[k] = value
    return tuple(coefficients)

"""Systems that contract: one quadratic form, words of which every infinite word starts with one, and a ball around K.

The piggyback set K is the only nonempty compact set with ``K = union of A_i K + B_i``: it consists of the limits of the
recursion along infinite words. Each is a sequence of words of the word tree, whose maps contract in the norm of its
form P, ``|X|^2 = trace(X^T P X)``, and send a ball into itself. Between them the recursion has followed a part of a
word, which sends that ball into a larger one.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError, NoLimitSetError, UnknownError
from piggycheck.limits.points import exact_pairs, exact_product, word_fixed_point
from piggycheck.linalg import Matrix, as_float, float_rows, identity, matrix, simplest_between
from piggycheck.roots import root_upper
from piggycheck.stability import Expansive, Open, WordTree, decide
from piggycheck.stability.word_tree import is_complete_prefix_code, prove_word_tree
from piggycheck.switched import Pair, SwitchedSystem, Word

__all__ = ["Contraction", "Core", "as_contraction", "contracting", "inner_product", "matrix_of_set"]

_CENTRE_BITS = 20
_CENTRE_DIGITS = 10
_LAWSON_ROUNDS = 60
_MUCH_SMALLER = fmpq(9, 10)
_SLOW = fmpq(3, 4)
_FEW_WORDS = 120


@dataclass(frozen=True)
class Core:
    """A smaller ball with the same centre, which every word of the tree sends into itself.

    Parameters
    ----------
    radius : fmpq
    growth : fmpq
        The map of a proper prefix of a word of the tree makes distances at most so many times larger.
    """

    radius: fmpq
    growth: fmpq


@dataclass(frozen=True)
class Contraction:
    """A switched system whose joint spectral radius is below 1, with a proof and a ball that contains its set K.

    Parameters
    ----------
    system : SwitchedSystem
    tree : WordTree
        A proof of a rate below 1 for the matrices of the system.
    centre : fmpq_mat
        The centre of the ball, p by m.
    radius : fmpq
        Its radius in the norm of ``tree.P``.
    core : Core, optional
        What proves the radius when the words of the tree, read backwards, are not a complete prefix code too.

    Examples
    --------
    >>> cantor = contracting(SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]]))
    >>> cantor.rate, cantor.centre[0, 0], cantor.radius >= fmpq(1, 2)
    (1/3, 1/2, True)

    Notes
    -----
    Docs: docs/theory/limit-sets.md. When this fails: see `contracting`.
    """

    system: SwitchedSystem
    tree: WordTree
    centre: fmpq_mat
    radius: fmpq
    core: Core | None = None

    @property
    def P(self) -> fmpq_mat:
        """The form, p by p, symmetric positive definite."""
        return self.tree.P

    @property
    def rate(self) -> fmpq:
        """A map of n letters that is a word of the tree contracts by at least ``rate**n``."""
        return self.tree.rate

    @cached_property
    def inverse(self) -> fmpq_mat:
        """The inverse of the form."""
        return self.P.inv()

    @cached_property
    def moves(self) -> tuple[tuple[Word, Pair], ...]:
        """The words of the tree with their products."""
        return tuple(zip(self.tree.words, self.system.products(self.tree.words), strict=True))

    def ball(self) -> dict[str, Any]:
        """Return the parts of a witness that prove in which ball the piggyback set is, beside the tree."""
        parts: dict[str, Any] = {"centre": self.centre, "radius": self.radius}
        return parts if self.core is None else {**parts, "core": asdict(self.core)}

    def square(self, X: fmpq_mat) -> fmpq:
        """Return ``|X|^2`` in the norm of the form."""
        return inner_product(X, self.P * X)

    def reach_squared(self, C: fmpq_mat) -> fmpq:
        """Return the square of the largest ``<C, X>`` over all X of norm at most 1."""
        return inner_product(C, self.inverse * C)


def contracting(system: SwitchedSystem, *, time_limit: float = 10.0) -> Contraction:
    """Prove that a system contracts, and put a ball around its piggyback set.

    Parameters
    ----------
    system : SwitchedSystem
    time_limit : float
        Seconds for the joint spectral radius.

    Returns
    -------
    Contraction

    Raises
    ------
    NoLimitSetError
        When a word proves that the joint spectral radius is at least 1.
    UnknownError
        When neither was proved, a graph constrains the words, or a matrix is known only between bounds.

    Examples
    --------
    >>> contracting(SwitchedSystem.from_rows([[["1/2"]], [[1]]]))
    Traceback (most recent call last):
    ...
    piggycheck.errors.NoLimitSetError: there is no piggyback set: the joint spectral radius is at least 1, by the word 1

    Notes
    -----
    When this fails: the closer the joint spectral radius is to 1, the more words the tree needs.
    """
    system.require_certain("the piggyback set")
    if system.graph:
        raise UnknownError("the words are constrained by a graph, and the piggyback set is that of all words")
    answer = decide(system, time_limit=time_limit, trees_only=True)
    if isinstance(answer, Expansive):
        if not system.exact:
            raise UnknownError(
                "the pairs may be too many, and with all of them the joint spectral radius is not below 1"
            )
        word = " ".join(map(str, answer.word))
        raise NoLimitSetError(f"there is no piggyback set: the joint spectral radius is at least 1, by the word {word}")
    if isinstance(answer, Open) or not isinstance(answer.proof, WordTree):
        raise UnknownError("that the joint spectral radius is below 1 was not proved by one quadratic form and words")
    contraction = _around(system, answer.proof)
    while (better := _faster(contraction)) is not None:
        contraction = better
    return contraction


def as_contraction(system: SwitchedSystem | Contraction) -> Contraction:
    """Return a contraction as it is, and prove of a system that it contracts.

    Raises
    ------
    InputError
        When it is neither.
    NoLimitSetError, UnknownError
        As `contracting`.

    Examples
    --------
    >>> as_contraction(SwitchedSystem.from_rows([[["1/2"]]])).tree.rate
    1/2
    """
    if isinstance(system, Contraction):
        return system
    if not isinstance(system, SwitchedSystem):
        raise InputError(f"`system`: `{str(system)[:60]}` is no switched system; write SwitchedSystem.from_rows(...)")
    return contracting(system)


def matrix_of_set(rows: Matrix, system: SwitchedSystem, name: str) -> fmpq_mat:
    """Read a matrix of the shape of the derivatives.

    Raises
    ------
    InputError
        When it is no rational matrix, or of another shape; `name` is the argument that holds it.

    Examples
    --------
    >>> matrix_of_set([["1/2"]], SwitchedSystem.from_rows([[["1/2"]]]), "X")
    [1/2]
    """
    X, (p, m) = matrix(rows, name), (system.dimension, system.columns)
    if (X.nrows(), X.ncols()) != (p, m):
        raise InputError(
            f"`{name}` is {X.nrows()} by {X.ncols()}; write a matrix of {p} rows and {m} columns, as the B have"
        )
    return X


def inner_product(C: fmpq_mat, X: fmpq_mat) -> fmpq:
    """Return ``<C, X>``, the sum of the products of entries.

    Examples
    --------
    >>> inner_product(fmpq_mat([[1, 2]]), fmpq_mat([[3, 4]]))
    11
    """
    return sum((a * b for a, b in zip(C.entries(), X.entries(), strict=True)), fmpq(0))


def _around(system: SwitchedSystem, tree: WordTree) -> Contraction:
    """The smaller of two balls: around a mean of fixed points, and around the centre that floats think best."""
    centres = [_mean_centre(system), _best_centre(system, tree)]
    balls = [(centre, *_radius(system, tree, centre)) for centre in centres if centre is not None]
    simplest = balls[0]
    best = min(balls, key=lambda ball: ball[1])
    return Contraction(system, tree, *(best if best[1] < _MUCH_SMALLER * simplest[1] else simplest))


def _faster(contraction: Contraction) -> Contraction | None:
    """Double the gap between the rate and 1, or more, if few words suffice and the ball becomes much smaller."""
    tree, system = contraction.tree, contraction.system
    gap = 2 * (1 - tree.rate)
    while contraction.radius != 0 and tree.rate > _SLOW and gap < 1:
        faster = prove_word_tree(system.A, tree.P, 1 - gap, node_budget=_FEW_WORDS, time_limit=1)
        if faster is None:
            return None
        better = _around(system, faster)
        if better.radius < _MUCH_SMALLER * contraction.radius:
            return better
        gap *= 2
    return None


def _mean_centre(system: SwitchedSystem) -> fmpq_mat:
    """A simple matrix near the middle of the fixed points of the letters."""
    points = [word_fixed_point(system, (letter,)) for letter in range(len(system))]
    found = [X for X in points if X is not None]
    return _simple(sum(found[1:], found[0]) / fmpq(len(found)), fmpq(1, 2**_CENTRE_BITS))


def _simple(X: fmpq_mat, slack: fmpq) -> fmpq_mat:
    entries = [simplest_between(entry - slack, entry + slack) for entry in X.entries()]
    return fmpq_mat(X.nrows(), X.ncols(), entries)


@np.errstate(all="ignore")
def _best_centre(system: SwitchedSystem, tree: WordTree) -> fmpq_mat | None:
    """Guess the centre with the smallest largest ``|f(c) - c| / (1 - rate**n)``: least squares, the worst weighed more.

    Lawson's iteration: weights are multiplied by the distances.
    """
    p, m = system.dimension, system.columns
    pairs = [exact_product(system, word) for word in tree.words]
    try:
        root = np.linalg.cholesky(np.array(float_rows(tree.P))).T
    except np.linalg.LinAlgError:
        return None
    scales = np.array([as_float(1 / (1 - tree.rate ** len(word))) for word in tree.words])[:, None, None]
    M = root @ np.array([float_rows(A - identity(p)) for A, _ in pairs]) * scales
    b = root @ np.array([float_rows(B) for _, B in pairs]).reshape(len(pairs), p, m) * scales
    if m == 0 or not (np.isfinite(M).all() and np.isfinite(b).all()):
        return None
    unit = max(float(np.abs(M).max()), float(np.abs(b).max()))
    M, b = M / unit, b / unit
    weights = np.full(len(pairs), 1 / len(pairs))
    best, smallest = None, np.inf
    for _ in range(_LAWSON_ROUNDS):
        weighed = np.swapaxes(M, 1, 2) * weights[:, None, None]
        centre = np.linalg.lstsq((weighed @ M).sum(axis=0), -(weighed @ b).sum(axis=0), rcond=None)[0]
        distances = np.sqrt(((M @ centre + b) ** 2).sum(axis=(1, 2)))
        largest = float(distances.max())
        if largest < smallest:
            best, smallest = centre, largest
        weights = weights * distances
        if not 0 < weights.sum() < np.inf:
            break
        weights /= weights.sum()
    if best is None or smallest == 0:
        return None
    exact = fmpq_mat(p, m, [fmpq(*float(entry).as_integer_ratio()) for entry in best.ravel()])
    size = fmpq(*smallest.as_integer_ratio()) * fmpq(*(unit / float(np.linalg.norm(root))).as_integer_ratio())
    return _simple(exact, size / 2**_CENTRE_DIGITS)


def _radius(system: SwitchedSystem, tree: WordTree, centre: fmpq_mat) -> tuple[fmpq, Core | None]:
    """The radius R of a ball with the piggyback set in it, and the core of radius r that proves it if it is smaller.

    ``|f(centre) - centre| + rate**n r <= r`` for every map f of a word of n letters of the tree. When every infinite
    word to the left ends with one of these, the set is the union of its images under the f, so r is enough. Otherwise
    ``|f(centre) - centre| + growth r <= R`` for every map f of a proper prefix of a word.
    """
    pairs = exact_pairs(system)

    def moved(word: Word) -> fmpq:
        X = centre
        for letter in word:
            A, B = pairs[letter]
            X = A * X + B
        return root_upper(inner_product(X - centre, tree.P * (X - centre)), 2)

    radius = max(moved(word) / (1 - tree.rate ** len(word)) for word in tree.words)
    if is_complete_prefix_code([word[::-1] for word in tree.words], len(system)):
        return radius, None
    core = Core(radius, root_upper(tree.growth, 2))
    prefixes = {word[:n] for word in tree.words for n in range(1, len(word))}
    return max(map(moved, prefixes)) + core.growth * radius, core

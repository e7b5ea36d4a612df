"""Systems that contract: one quadratic form, words of which every infinite word starts with one, and a ball around K.

The piggyback set K is the only nonempty compact set with ``K = union of A_i K + B_i``. The words of a word tree give a
system with the same K, because every infinite word is a sequence of them, and in the norm of the form P,
``|X|^2 = trace(X^T P X)``, each of its maps contracts.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from flint import fmpq, fmpq_mat

from piggycheck.errors import NoLimitSetError, UnknownError
from piggycheck.limits.points import word_fixed_point
from piggycheck.linalg import simplest_between
from piggycheck.roots import root_upper
from piggycheck.stability import Expansive, Open, WordTree, decide
from piggycheck.switched import Pair, SwitchedSystem, Word

__all__ = ["Contraction", "contracting", "inner_product"]

_CENTRE_BITS = 20


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
    tree = answer.proof
    centre = _centre(system)
    return Contraction(system, tree, centre, _radius(system, tree, centre))


def inner_product(C: fmpq_mat, X: fmpq_mat) -> fmpq:
    """Return ``<C, X>``, the sum of the products of entries.

    Examples
    --------
    >>> inner_product(fmpq_mat([[1, 2]]), fmpq_mat([[3, 4]]))
    11
    """
    return sum((a * b for a, b in zip(C.entries(), X.entries(), strict=True)), fmpq(0))


def _centre(system: SwitchedSystem) -> fmpq_mat:
    """A simple matrix near the middle of the fixed points of the letters."""
    points = [word_fixed_point(system, (letter,)) for letter in range(len(system))]
    found = [X for X in points if X is not None]
    slack = fmpq(1, 2**_CENTRE_BITS)
    total = sum(found[1:], found[0]) / fmpq(len(found))
    entries = [simplest_between(entry - slack, entry + slack) for entry in total.entries()]
    return fmpq_mat(total.nrows(), total.ncols(), entries)


def _radius(system: SwitchedSystem, tree: WordTree, centre: fmpq_mat) -> fmpq:
    """A radius r with ``|f(centre) - centre| + rate**n r <= r`` for every map f of a word of n letters of the tree."""
    radius = fmpq(0)
    for word, (A, B) in zip(tree.words, system.products(tree.words), strict=True):
        moved = A * centre + B - centre
        square = inner_product(moved, tree.P * moved)
        radius = max(radius, root_upper(square, 2) / (1 - tree.rate ** len(word)))
    return radius

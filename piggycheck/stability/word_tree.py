"""Word trees: one quadratic form and a complete prefix code of words, each of which contracts it enough.

If every infinite word starts with a word of the code and ``rate^(2|w|) P - A_w^T P A_w`` is positive semidefinite for
each of them, every long product is at most a constant times the power of the rate: the joint spectral radius is at
most the rate. The code of all single letters is the common quadratic Lyapunov function. Where letters are known only
between bounds, A_w stands for every product of matrices between them, chosen anew at each step.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.errors import SwitchedSystemError
from piggycheck.intervals import IntervalMatrix, Letter, contracts, midpoint
from piggycheck.linalg import as_float, identity, is_positive_definite, simplest_between
from piggycheck.stability.proof import Proof
from piggycheck.switched import Word, first_indices

__all__ = ["WordTree", "is_complete_prefix_code", "prove_word_tree"]

_EXPANSION_BUDGET = 50_000


@dataclass(frozen=True)
class WordTree(Proof):
    """A proof by one quadratic form and words, each of which contracts it enough.

    Parameters
    ----------
    P : fmpq_mat
        Symmetric positive definite.
    rate : fmpq
        Not negative.
    words : tuple of Word
        A complete prefix code: every infinite word starts with exactly one of them.
    growth : fmpq
        For every proper prefix u of the words, ``growth P - A_u^T P A_u`` is positive semidefinite; at least 1.

    Examples
    --------
    >>> tree = WordTree(identity(1), fmpq(1, 2), ((0,), (1,)), fmpq(1))
    >>> tree.verify([fmpq_mat([[fmpq(1, 2)]]), fmpq_mat([[fmpq(-1, 3)]])])
    True
    >>> tree.verify([fmpq_mat([[fmpq(2, 3)]]), fmpq_mat([[fmpq(-1, 3)]])])
    False

    Notes
    -----
    When this fails: a tree for a rate barely above the joint spectral radius has very many words.
    """

    P: fmpq_mat
    rate: fmpq
    words: tuple[Word, ...]
    growth: fmpq
    method = "word_tree"

    @property
    def is_quadratic(self) -> bool:
        """Whether all words are single letters: P is a common quadratic Lyapunov function."""
        return all(len(word) == 1 for word in self.words)

    def verify(self, A: Sequence[Letter]) -> bool:
        n = self.P.nrows()
        if self.rate < 0 or self.growth < 1 or not A or any((M.nrows(), M.ncols()) != (n, n) for M in A):
            return False
        if self.P.ncols() != n or self.P.transpose() != self.P or not is_positive_definite(self.P):
            return False
        if not is_complete_prefix_code(self.words, len(A)):
            return False
        representatives = first_indices(A)
        distinct = {tuple(representatives[letter] for letter in word) for word in self.words}
        proof = _Exact(A, self.P, self.rate)
        return all(
            proof.contracts(A_w, len(word)) if is_word else proof.grows_at_most(A_w, self.growth)
            for word, A_w, is_word in _walk(A, distinct)
        )

    def witness(self) -> dict[str, Any]:
        return {"method": self.method, "rate": self.rate, "P": self.P, "words": self.words}

    def summary(self) -> str:
        if not self.is_quadratic:
            return f"a word tree of {len(self.words)} words"
        return "the largest absolute value" if self.P.nrows() == 1 else "a common quadratic form"


def is_complete_prefix_code(words: Sequence[Word], letters: int) -> bool:
    """Decide whether every infinite word over the letters starts with exactly one of the words.

    Parameters
    ----------
    words : sequence of Word
    letters : int

    Returns
    -------
    bool

    Examples
    --------
    >>> is_complete_prefix_code([(0,), (1, 0), (1, 1)], 2), is_complete_prefix_code([(0,), (1, 0)], 2)
    (True, False)

    Notes
    -----
    Prefix-free, and Kraft's sum is 1. When this fails: it does not.
    """
    if any(not word or not all(0 <= letter < letters for letter in word) for word in words):
        return False
    ordered = sorted(words)
    for first, second in pairwise(ordered):
        if second[: len(first)] == first:
            return False
    depth = max((len(word) for word in words), default=0)
    return bool(words) and sum(letters ** (depth - len(word)) for word in words) == letters**depth


def prove_word_tree(
    A: Sequence[Letter],
    P: fmpq_mat,
    rate: fmpq,
    *,
    node_budget: int = 2000,
    max_length: int | None = None,
    time_limit: float = math.inf,
) -> WordTree | None:
    """Prove that the joint spectral radius is at most a rate, with a given quadratic form.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    P : fmpq_mat
        Symmetric; any positive definite one works when the rate exceeds the radius, a good one gives a small tree.
    rate : fmpq
        The rate to prove.
    node_budget : int
        How many products are looked at, at most.
    max_length : int, optional
        Longest word; 1 asks for a common quadratic Lyapunov function.
    time_limit : float
        Seconds after which the attempt is given up.

    Returns
    -------
    WordTree or None
        None when there is no proof within the budget, in particular when P is not positive definite.

    Raises
    ------
    SwitchedSystemError
        When there is no matrix, or shapes do not fit.

    Examples
    --------
    >>> A = [fmpq_mat([[0, 2], [0, 0]]), fmpq_mat([[fmpq(1, 4), 0], [0, 0]])]
    >>> prove_word_tree(A, identity(2), fmpq(3, 4)).words
    ((0, 0), (0, 1), (1,))
    >>> prove_word_tree(A, identity(2), fmpq(1, 5)) is None
    True

    Notes
    -----
    Breadth-first in floating point, for the middles of intervals; the leaves are then proved, and those that do not
    hold exactly are split further. When this fails: a rate at the joint spectral radius, a form whose condition number
    exceeds about 1e15, or wide intervals.
    """
    n = P.nrows()
    if not A or any((M.nrows(), M.ncols()) != (n, n) for M in A):
        raise SwitchedSystemError(f"`P` is {n} by {P.ncols()}; write matrices of that size, at least one")
    if rate < 0 or not is_positive_definite(P):
        return None
    deadline = time.monotonic() + time_limit
    representatives = first_indices(A)
    letters = sorted(set(representatives))
    distinct = [A[i] for i in letters]
    limit = max_length if max_length is not None else node_budget
    guess = _guess_leaves(distinct, P, rate, node_budget, limit, deadline)
    if guess is None:
        return None
    words = _prove_leaves(_Exact(distinct, P, rate), guess, node_budget, limit, deadline)
    if words is None:
        return None
    growth = _prove_growth(_Exact(distinct, P, rate), words)
    classes = [[j for j, first in enumerate(representatives) if first == i] for i in letters]
    all_words = _expand(words, classes)
    return None if all_words is None else WordTree(P, rate, all_words, growth)


class _Exact:
    """The two inequalities of a word tree, decided exactly."""

    def __init__(self, A: Sequence[Letter], P: fmpq_mat, rate: fmpq) -> None:
        self.A, self.P, self.square = A, P, rate * rate

    def contracts(self, A_w: Letter, length: int) -> bool:
        """Whether ``rate^(2 length) P - A_w^T P A_w`` is positive semidefinite."""
        return self.grows_at_most(A_w, self.square**length)

    def is_too_wide(self, A_w: Letter, length: int) -> bool:
        """Whether the radius alone does not contract, so that longer words hardly will; none is too short to vanish."""
        long = length > self.P.nrows()
        return long and isinstance(A_w, IntervalMatrix) and not self.contracts(A_w.radius, length)

    def grows_at_most(self, A_u: Letter, factor: fmpq) -> bool:
        """Whether ``factor P - A_u^T P A_u`` is positive semidefinite."""
        return contracts(A_u, self.P, factor)


def _guess_leaves(
    A: Sequence[Letter], P: fmpq_mat, rate: fmpq, node_budget: int, max_length: int, deadline: float
) -> list[Word] | None:
    """Leaves of a tree that floating point believes in; None when it does not end within the budget."""
    if rate == 0:
        # Only zero products contract by the factor 0, and that is not for floating point to say.
        return [(letter,) for letter in range(len(A))]
    from piggycheck.stability.floats import float_matrices, float_tree

    exact = _Exact(A, P, rate)
    middles = [midpoint(M) for M in A]

    def is_leaf(word: Word) -> bool:
        return exact.contracts(_product(A, word), len(word))

    return float_tree(middles, float_matrices([P])[0], as_float(rate), is_leaf, node_budget, max_length, deadline)


def _prove_leaves(
    exact: _Exact, guess: list[Word], node_budget: int, max_length: int, deadline: float
) -> list[Word] | None:
    """Prove the leaves one by one, splitting those that do not hold."""
    proved: list[Word] = []
    nodes = len(guess)
    for word, A_w, is_word in _walk(exact.A, set(guess)):
        if not is_word:
            continue
        stack = [(word, A_w)]
        while stack:
            node, product_of_node = stack.pop()
            if exact.contracts(product_of_node, len(node)):
                proved.append(node)
                continue
            nodes += len(exact.A)
            if nodes > node_budget or len(node) >= max_length or time.monotonic() > deadline:
                return None
            if exact.is_too_wide(product_of_node, len(node)):
                return None
            for letter in reversed(range(len(exact.A))):
                stack.append(((*node, letter), exact.A[letter] * product_of_node))
        if time.monotonic() > deadline:
            return None
    return proved


def _prove_growth(exact: _Exact, words: list[Word]) -> fmpq:
    """A factor that bounds the growth along every proper prefix, at most a few percent too large."""
    growth = fmpq(1)
    for _, A_u, is_word in _walk(exact.A, set(words)):
        while not is_word and not exact.grows_at_most(A_u, growth):
            growth = simplest_between(growth * fmpq(51, 50), growth * fmpq(53, 50))
    return growth


def _walk(A: Sequence[Letter], words: set[Word]) -> Iterator[tuple[Word, Letter, bool]]:
    """Every prefix of the words once, with its product, in alphabetical order; True marks the words themselves."""
    prefixes: list[Letter] = [identity(A[0].nrows())]
    yield (), prefixes[0], () in words
    before: Word = ()
    for word in sorted(words):
        shared = 0
        while shared < min(len(before), len(word)) and before[shared] == word[shared]:
            shared += 1
        del prefixes[shared + 1 :]
        for length in range(shared + 1, len(word) + 1):
            prefixes.append(A[word[length - 1]] * prefixes[-1])
            yield word[:length], prefixes[-1], length == len(word)
        before = word


def _product(A: Sequence[Letter], word: Word) -> Letter:
    result = A[word[0]]
    for letter in word[1:]:
        result = A[letter] * result
    return result


def _expand(words: list[Word], classes: list[list[int]]) -> tuple[Word, ...] | None:
    """Write each word with every choice of equal letters; None when that gives too many words."""
    total = sum(math.prod(len(classes[letter]) for letter in word) for word in words)
    if total > _EXPANSION_BUDGET:
        return None
    return tuple(sorted(choice for word in words for choice in product(*(classes[letter] for letter in word))))

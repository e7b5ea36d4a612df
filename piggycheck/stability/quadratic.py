"""Common quadratic Lyapunov functions: guessed by a semidefinite program, rounded to small rationals, then proved."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np
from flint import fmpq, fmpq_mat

from piggycheck.intervals import Letter, midpoint, samples
from piggycheck.linalg import as_float
from piggycheck.stability.floats import (
    Array,
    averaged_form,
    change_basis,
    float_matrices,
    float_tree,
    sign_classes,
    spectral_radii,
    squared_norms,
)
from piggycheck.stability.semidefinite import largest_margin, symmetric_units
from piggycheck.stability.word_tree import WordTree, prove_word_tree
from piggycheck.switched import first_indices

__all__ = ["guess_quadratic_form", "prove_quadratic", "prove_with_form", "rounded_forms"]

_MAX_DENOMINATOR_BITS = 44


def prove_quadratic(A: Sequence[Letter], rate: fmpq, *, time_limit: float = 10.0) -> WordTree | None:
    """Prove that the joint spectral radius is at most a rate, by one quadratic form that every matrix contracts.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Square matrices of one size.
    rate : fmpq
        The rate to prove, positive.
    time_limit : float
        Seconds after which the attempt is given up.

    Returns
    -------
    WordTree or None
        The tree of single letters; None when there is no proof of this kind, or it was not found.

    Examples
    --------
    >>> A = [fmpq_mat([[fmpq(1, 2), 1], [0, fmpq(1, 3)]]), fmpq_mat([[fmpq(-1, 2), 0], [0, fmpq(1, 2)]])]
    >>> prove_quadratic(A, fmpq(3, 4)).words
    ((0,), (1,))
    >>> prove_quadratic(A, fmpq(1, 3)) is None
    True

    Notes
    -----
    When this fails: the best quadratic rate can exceed the joint spectral radius by up to the square root of the
    number of matrices, or of the dimension; a word tree closes the gap.
    """
    # The form of the least rate leaves no room for the width of intervals, so one with room at this rate is taken.
    at = None if all(isinstance(M, fmpq_mat) for M in A) else as_float(rate)
    guess = guess_quadratic_form(A, at=at, time_limit=time_limit)
    if guess is None:
        return None
    return prove_with_form(A, guess[0], rate, max_length=1, time_limit=time_limit)


def prove_with_form(
    A: Sequence[Letter],
    P: Array,
    rate: fmpq,
    *,
    node_budget: int = 2000,
    max_length: int | None = None,
    time_limit: float = math.inf,
) -> WordTree | None:
    """Prove a rate by a word tree for the simplest rational rounding of a form that allows it.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
    P : array
        A guess, in floating point.
    rate, node_budget, max_length, time_limit
        As in `prove_word_tree`.

    Returns
    -------
    WordTree or None

    Examples
    --------
    >>> A = [fmpq_mat([[0, 1], [fmpq(-1, 2), 0]])]
    >>> prove_with_form(A, np.array([[1.0, 0.01], [0.01, 2.02]]), fmpq(3, 4)).P
    [1, 0]
    [0, 2]

    Notes
    -----
    When this fails: see `prove_word_tree`.
    """
    deadline = time.monotonic() + time_limit
    budget = node_budget
    certain = all(isinstance(M, fmpq_mat) for M in A)
    if rate > 0:
        limit = max_length if max_length is not None else node_budget
        distinct = [midpoint(A[i]) for i in sorted(set(first_indices(A)))]
        leaves = float_tree(distinct, P, as_float(rate), lambda word: True, node_budget, limit, deadline)
        if leaves is None:
            return None
        budget = min(node_budget, 3 * len(leaves) + 100)
    # Where it is the width of intervals that stands in the way, more digits do not help.
    for rational in islice(rounded_forms(P), 0, None, 1 if certain else 4):
        remaining = deadline - time.monotonic()
        if remaining <= 0:
            return None
        tree = prove_word_tree(A, rational, rate, node_budget=budget, max_length=max_length, time_limit=remaining)
        if tree is not None:
            return tree
    return None


def rounded_forms(P: Array) -> Iterator[fmpq_mat]:
    """Yield rational matrices ever closer to a multiple of P, with denominators 1, 2, 4, ...

    Parameters
    ----------
    P : array
        A symmetric matrix; nothing is yielded unless it is numerically positive definite.

    Yields
    ------
    fmpq_mat
        The multiple has least eigenvalue 1.

    Examples
    --------
    >>> next(rounded_forms(np.array([[2.0, 0.0], [0.0, 6.1]])))
    [1, 0]
    [0, 3]

    Notes
    -----
    When this fails: a condition number beyond 1e15.
    """
    if not np.isfinite(P).all():
        return
    least = float(np.linalg.eigvalsh(P)[0])
    if least <= 1e-15 * float(np.abs(P).max()):
        return
    scaled = (P + P.T) / (2 * least)
    before: fmpq_mat | None = None
    for bits in range(_MAX_DENOMINATOR_BITS):
        d = 2**bits
        rational = fmpq_mat([[fmpq(round(float(value) * d), d) for value in row] for row in scaled])
        if rational != before:
            yield rational
        before = rational


def guess_quadratic_form(
    A: Sequence[Letter],
    lengths: Sequence[int] | None = None,
    *,
    at: float | None = None,
    tolerance: float = 1e-3,
    time_limit: float = 10.0,
) -> tuple[Array, float] | None:
    """Guess a positive definite P and the least rate with ``A_i^T P A_i <= rate^(2 length_i) P``.

    Parameters
    ----------
    A : sequence of fmpq_mat or IntervalMatrix
        Letters, or products of words.
    lengths : sequence of int, optional
        Length of the word behind each matrix; 1 when absent.
    at : float, optional
        A positive rate; in place of the form of the least rate, the one that leaves most room at this one.
    tolerance : float
        Relative accuracy of the least rate.
    time_limit : float
        Seconds after which the best form so far is returned.

    Returns
    -------
    (array, float) or None
        Both in floating point; None when no form was found.

    Examples
    --------
    >>> P, rate = guess_quadratic_form([fmpq_mat([[0, 1], [0, 0]]), fmpq_mat([[0, 0], [1, 0]])])
    >>> round(rate, 2)
    1.0

    Notes
    -----
    The rate is bisected; each step is a semidefinite program for Clarabel that maximises the least eigenvalue of all
    the inequalities. When this fails: nilpotent matrices have a rate of zero that no form attains; the answer is then
    a form for a small rate.
    """
    deadline = time.monotonic() + time_limit
    weights = [1] * len(A) if lengths is None else lengths
    weighted = [(M, n) for X, n in zip(A, weights, strict=True) for M in samples(X)]
    exponents = np.array([n for _, n in weighted], dtype=np.float64)
    matrices = float_matrices([M for M, _ in weighted])
    start = averaged_form(matrices)
    n = matrices.shape[-1]
    if start is None:
        start = np.eye(n)
    changed = change_basis(matrices, start)
    if changed is None:
        start, changed = np.eye(n), matrices
    norms = squared_norms(changed) ** (0.5 / exponents)
    high = float(norms.max())
    if not np.isfinite(high):
        return None
    if high == 0 or n == 1:
        return start, high
    changed = changed / high ** exponents[:, None, None]
    T = np.linalg.cholesky(start).T
    low = max(float((spectral_radii(changed) ** (1 / exponents)).max()), 1e-3)
    classes = sign_classes(changed)
    basis = np.concatenate([_embedded(symmetric_units(len(group)), group, n) for group in classes])
    images = [M.T @ basis @ M for M in changed]
    if at is not None:
        roomy = _form_at(at / high, basis, images, exponents, classes, deadline)
        return None if roomy is None else (T.T @ roomy @ T, at)
    form, rate = np.eye(n), 1.0
    while rate > low * (1 + tolerance) and time.monotonic() < deadline:
        middle = math.sqrt(low * rate)
        candidate = _form_at(middle, basis, images, exponents, classes, deadline)
        if candidate is None:
            low = middle
        else:
            form, rate = candidate, middle
    return T.T @ form @ T, rate * high


def _form_at(
    rate: float, basis: Array, images: list[Array], exponents: Array, classes: list[list[int]], deadline: float
) -> Array | None:
    """A form that contracts strictly at the rate, with the largest margin; or None."""
    blocks = [_block(basis, group) for group in classes]
    for exponent, image in zip(exponents, images, strict=True):
        gap = rate ** (2 * exponent) * basis - image
        # Where nothing is subtracted the inequality follows from the definiteness of the form.
        blocks += [_block(gap, group) for group in classes if _block(image, group).any()]
    weights = basis.trace(axis1=1, axis2=2)
    remaining = max(deadline - time.monotonic(), 0.0)
    coefficients = largest_margin(blocks, weights, float(basis.shape[-1]), time_limit=remaining)
    return None if coefficients is None else np.asarray(np.tensordot(coefficients, basis, axes=1))


def _block(stack: Array, group: list[int]) -> Array:
    return stack[:, group][:, :, group]


def _embedded(stack: Array, group: list[int], n: int) -> Array:
    """The matrices of a stack as blocks of larger ones, zero otherwise."""
    larger = np.zeros((len(stack), n, n))
    larger[np.ix_(range(len(stack)), group, group)] = stack
    return larger

"""Floating-point guesses of which words grow at a few members of a cell; nothing here is evidence."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from flint import fmpq_mat
from numpy.typing import NDArray

from piggycheck.stability.floats import spectral_radii
from piggycheck.stability.necklaces import necklace_of
from piggycheck.stability.words import leading_words
from piggycheck.switched import Word

__all__ = ["growing_words", "grows_at", "long_growing_words"]

Array = NDArray[np.float64]

_MOST_PRODUCTS = 2100
_MARGIN = 1e-9
_BEAM = 128
_LONGEST = 64


def growing_words(members: Array, count: int) -> tuple[list[Word], bool]:
    """Guess short words that grow at all of a few members, the best first, and whether some word grows at any of them.

    Parameters
    ----------
    members : array, members by letters by n by n
    count : int
        How many words are wanted, besides the letters.

    Returns
    -------
    (list of Word, bool)

    Examples
    --------
    >>> growing_words(np.array([[[[0.5]], [[1.1]]], [[[0.5]], [[1.2]]]]), 1)
    ([(1,)], True)
    """
    letters = members.shape[1]
    products = members
    found: list[tuple[float, Word]] = []
    some = False
    for length in range(1, _longest(letters) + 1):
        if length > 1:
            products = (members[:, None] @ products[:, :, None]).reshape(len(members), -1, *members.shape[2:])
        words, places = _necklaces(letters, length)
        radii = spectral_radii(products[:, places].reshape(-1, *members.shape[2:])).reshape(len(members), -1)
        some = some or bool((radii > 1 + _MARGIN).any())
        least = radii.min(axis=0) ** (1 / length)
        found += [(-float(least[k]), words[k]) for k in np.flatnonzero(least > 1 + _MARGIN)]
    best = [word for _, word in sorted(found)[:count]]
    return [word for _, word in found if len(word) == 1] + [word for word in best if len(word) > 1], some


def long_growing_words(A: Sequence[fmpq_mat], count: int) -> list[Word]:
    """Guess long words that grow at one member, the best first.

    Examples
    --------
    >>> pair = [fmpq_mat([[3, -3], [4, 0]]) / 4, fmpq_mat([[6, -3], [4, 0]]) / 4]
    >>> long_growing_words(pair, 1)
    [(0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 1)]
    """
    guesses = leading_words(A, max_length=_LONGEST, beam=_BEAM, time_limit=float("inf"), count=count)
    return [word for word, rate in guesses if rate > 1 + _MARGIN]


def grows_at(members: Array, word: Word) -> bool:
    """Guess whether a word grows at all of a few members.

    Examples
    --------
    >>> grows_at(np.array([[[[0.5]], [[3.0]]]]), (0, 1)), grows_at(np.array([[[[0.5]], [[1.5]]]]), (0, 1))
    (True, False)
    """
    products = members[:, word[0]]
    for letter in word[1:]:
        products = members[:, letter] @ products
    return bool((spectral_radii(products) > 1 + _MARGIN).all())


@cache
def _necklaces(letters: int, length: int) -> tuple[list[Word], list[int]]:
    """The words that are their own necklaces, and their places: the last letter changes fastest."""
    words, places = [], []
    for place in range(letters**length):
        word = tuple(place // letters**k % letters for k in reversed(range(length)))
        if necklace_of(word) == word:
            words.append(word)
            places.append(place)
    return words, places


def _longest(letters: int) -> int:
    length = 1
    while letters ** (length + 1) <= _MOST_PRODUCTS and length < 12:
        length += 1
    return length

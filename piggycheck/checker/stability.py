"""Stability: a word tree bounds the joint spectral radius from above, a word from below."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from itertools import product as tuples
from typing import NamedTuple

from .intervals import raised
from .matrices import Matrix, equal, matrix, semidefinite, shrinks, spectral_radius_reaches, transpose
from .reading import Data, Refused, Unreadable, array, number, say
from .subject import Subject

MOST_WORDS = 100_000


class Tree(NamedTuple):
    """What a word tree proves: V(x) = x^T P x shrinks by rate^(2 n) along its words of length n."""

    P: Matrix
    rate: Fraction
    words: list[list[int]]


def word_tree(subject: Subject, witness: Data) -> Tree:
    """Read and check a word tree; every infinite word starts with one of its words."""
    P = matrix(witness["P"], "P", subject.p, subject.p)
    rate = number(witness["rate"], "rate")
    words = [subject.word(word) for word in array(witness["words"], "words")]
    if sum(map(len, words)) > MOST_WORDS:
        raise Unreadable(f"the words have more than {MOST_WORDS} letters")
    if not equal(P, transpose(P)) or not semidefinite(P, definite=True):
        raise Refused("P is not symmetric and positive definite")
    if not 0 <= rate < 1:
        raise Refused(f"the rate {say(rate)} is not in [0, 1)")
    if any(longer[: len(word)] == word for word, longer in pairwise(sorted(words))):
        raise Refused("one of the words begins with another")
    if sum(Fraction(1, len(subject.A) ** len(word)) for word in words) != 1:
        raise Refused("there is an infinite word that begins with none of the words")
    subject.require_all_pieces()
    for word in words:
        if not shrinks(subject.product(word)[0], P, raised(rate, 2 * len(word))):
            raise Refused(f"the rate is not proved along the word {' '.join(map(str, word))[:60]}")
    return Tree(P, rate, words)


def modulus(subject: Subject, word: list[int], witness: Data) -> Fraction:
    """A number r such that the product along the word has an eigenvalue of modulus >= r, proved."""
    r = number(witness["modulus_lower"], "modulus_lower")
    if r <= 0 or not spectral_radius_reaches(subject.product(word)[0], r):
        raise Refused("the product along the word has no eigenvalue of the stated modulus")
    return r


def stable_up_to(subject: Subject, length: int) -> None:
    """Every product of at most `length` pieces has spectral radius below 1; a word stands for its rotations."""
    subject.require_all_pieces()
    if len(subject.A) ** length > MOST_WORDS:
        raise Refused(f"more than {MOST_WORDS} shorter words")
    for n in range(1, length + 1):
        for word in tuples(range(len(subject.A)), repeat=n):
            first = word == min(word[i:] + word[:i] for i in range(n))
            if first and spectral_radius_reaches(subject.product(word)[0], Fraction(1)):
                raise Refused(f"the word {' '.join(map(str, word))} has spectral radius at least 1")

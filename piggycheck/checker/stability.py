"""Lower bounds of the joint spectral radius: a word has a large eigenvalue; or no short word has one."""

from __future__ import annotations

from fractions import Fraction
from itertools import product as tuples

from .matrices import spectral_radius_reaches
from .reading import Data, Refused, number
from .subject import Subject

MOST_WORDS = 100_000


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

"""Upper bounds of the joint spectral radius: which kinds of proof there are, and the word tree."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import NamedTuple, TypeVar

from .boxes import Box, contracts, multiply, positive_form
from .graphs import path_complete
from .intervals import raised
from .polytopes import complex_polytope, nonnegative, polytope
from .reading import Data, Refused, Unreadable, array, fields, integer, number, say, text
from .scaled import Scaled
from .structure import blocks, corners, lift
from .subject import Subject

DEEPEST = 5
MOST_LETTERS = 1_000_000
LONGEST_WORD = 10_000

Inner = Callable[[list[Box], Data], Fraction]  # (matrices, proof about them) -> the rate that it proves
Kind = Callable[[list[Box], Fraction, Data, Inner], None]  # refuses unless the fields prove the rate of the matrices

Word = list[int]
State = TypeVar("State")


def proved_rate(subject: Subject, witness: Data) -> Fraction:
    """The bound on the joint spectral radius of all pieces that the fields of a proof, among others, prove."""
    subject.require_all_pieces()
    keys = ("method", "rate", *KINDS[witness["method"]][1])
    return rate_proved(subject.boxes, {key: witness[key] for key in keys}, 0)


def contraction(subject: Subject, witness: Data) -> Fraction:
    """The rate that a proof in a witness proves, when it is below 1."""
    rate = proved_rate(subject, witness)
    if rate >= 1:
        raise Refused(f"the rate {say(rate)} is not below 1")
    return rate


def rate_proved(matrices: list[Box], proof: Data, depth: int) -> Fraction:
    """The rate of a proof: the joint spectral radius of the matrices is at most that."""
    method = text(proof.get("method") if isinstance(proof, dict) else None, "proof.method")
    if method not in KINDS:
        raise Unreadable(f"`{method[:40]}` is no kind of proof")
    if depth > DEEPEST:
        raise Unreadable(f"a proof is nested more than {DEEPEST} deep")
    check, keys = KINDS[method]
    rate = number(fields(proof, "proof", ("method", "rate", *keys))["rate"], "rate")
    if rate < 0:
        raise Refused(f"the rate {say(rate)} is negative")
    check(matrices, rate, proof, lambda others, inner: rate_proved(others, inner, depth + 1))
    return rate


class Tree(NamedTuple):
    """V(x) = x^T P x, and words of which every infinite word starts with one."""

    P: Scaled
    words: list[Word]


def read_tree(size: int, letters: int, proof: Data) -> Tree:
    """Read a tree of words over the letters below a number, and a form in so many coordinates."""
    P = positive_form(proof["P"], "P", size)
    words = [read_word(word, letters) for word in array(proof["words"], "words")]
    if sum(map(len, words)) > MOST_LETTERS:
        raise Unreadable(f"the words have more than {MOST_LETTERS} letters")
    words.sort()
    if fault := code_fault(words, letters):
        raise Refused(fault)
    return Tree(P, words)


def code_fault(words: Sequence[Word], letters: int) -> str:
    """Why sorted words are not a complete prefix code, with one of which every infinite word begins; "" if they are."""
    if any(longer[: len(word)] == word for word, longer in pairwise(words)):
        return "one of the words begins with another"
    if sum(Fraction(count, letters**length) for length, count in Counter(map(len, words)).items()) != 1:
        return "there is an infinite word that begins with none of the words"
    return ""


def read_word(data: object, letters: int) -> Word:
    """Read a word."""
    word = [integer(letter, "word", 0, letters - 1) for letter in array(data, "word")]
    if not 0 < len(word) <= LONGEST_WORD:
        raise Unreadable("a word is empty, or too long")
    return word


def word_tree(matrices: list[Box], rate: Fraction, proof: Data, inner: Inner) -> None:
    """V shrinks by rate^(2 n) along each word of length n."""
    P, words = read_tree(matrices[0].size, len(matrices), proof)
    factors = {length: raised(rate, 2 * length) for length in set(map(len, words))}
    for word, A in products(matrices, words):
        if not contracts(A, P, factors[len(word)]):
            raise Refused(f"the rate is not proved along the word {' '.join(map(str, word))[:60]}")


def products(matrices: Sequence[Box], words: Sequence[Word]) -> Iterator[tuple[Word, Box]]:
    """Each word with its product, the first letter acting first."""

    def step(A: Box | None, letter: int) -> Box:
        return matrices[letter] if A is None else multiply(matrices[letter], A)

    return ((word, A) for word, A in walked(words, None, step) if A is not None)


def walked(words: Sequence[Word], start: State, step: Callable[[State, int], State]) -> Iterator[tuple[Word, State]]:
    """Each word with what its letters make of the start, one after the other; sorted words share their prefixes."""
    before: Word = []
    states = [start]
    for word in words:
        pairs = enumerate(zip(before, word, strict=False))
        shared = next((k for k, (a, b) in pairs if a != b), min(len(before), len(word)))
        del states[shared + 1 :]
        for letter in word[shared:]:
            states.append(step(states[-1], letter))
        before = word
        yield word, states[-1]


KINDS: dict[str, tuple[Kind, tuple[str, ...]]] = {  # with the fields besides the method and the rate
    "word_tree": (word_tree, ("P", "words")),
    "path_complete": (path_complete, ("forms", "edges")),
    "polytope": (polytope, ("vertices", "basis", "coefficients")),
    "nonnegative": (nonnegative, ("vertices", "coefficients")),
    "complex_polytope": (complex_polytope, ("vertices", "basis", "coefficients")),
    "lift": (lift, ("degree", "proof")),
    "blocks": (blocks, ("basis", "sizes", "proofs")),
    "corners": (corners, ("proof",)),
}

"""The words that really happen along iterates: do derivatives contract along them, or grow along one of them?"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from flint import fmpq, fmpq_poly

from piggycheck.claims.subject import Subject
from piggycheck.derivation import ContractionStep, Derivation, RealisedStep, TransitionsStep
from piggycheck.errors import InputError, UnknownError
from piggycheck.realised import Following, following, repeated_word
from piggycheck.stability import Contractive, Expansive, Open
from piggycheck.stability.necklaces import first_rotation
from piggycheck.switched import SwitchedSystem, Word
from piggycheck.transitions import ConewiseLinear, Transitions

__all__ = ["Along", "Realised", "Unsettled", "read_words", "settle"]

_WORDS = ("all", "realisable")
_MAX_DIMENSION = 64
_MAX_MEMORY = 12
_SHARE = 4

Grows = Callable[[fmpq_poly, int], bool]
"""Whether a characteristic polynomial, of a product of so many letters, shows too much growth."""


@dataclass(frozen=True)
class Realised:
    """A word that some iterates follow for ever while they converge to the fixed point, and that grows too much.

    Attributes
    ----------
    word : Word
    following : Following
        The displacements of the iterates that follow it, up to a small positive factor.
    """

    word: Word
    following: Following

    def record(self, derivation: Derivation) -> None:
        """Record which iterates follow the word."""
        derivation.record(RealisedStep(self.word, self.following.directions, self.following.multipliers))

    def witness(self) -> dict[str, Any]:
        """Return which iterates follow the word, as certificates hold it."""
        return {"directions": self.following.directions, "multipliers": self.following.multipliers}

    def value(self) -> dict[str, Any]:
        """Return which iterates follow the word, as a verdict's value holds it."""
        return {name: [[str(c) for c in row] for row in rows] for name, rows in self.witness().items()}

    def reason(self) -> str:
        """Say which iterates follow the word.

        Examples
        --------
        >>> Realised((0,), Following(((fmpq(1), fmpq(0)),), ((fmpq(1, 2),),))).reason()
        'iterates displaced by small multiples of (1, 0) follow the word and shrink by the factor 1/2 in each round'
        """
        directions = " and ".join(f"({', '.join(map(str, d))})" for d in self.following.directions)
        if len(self.following.directions) == 1:
            ((multiplier,),) = self.following.multipliers
            return (
                f"iterates displaced by small multiples of {directions} follow the word and shrink by the factor "
                f"{multiplier} in each round"
            )
        return f"iterates displaced by small positive combinations of {directions} follow the word and converge"


@dataclass(frozen=True)
class Along:
    """A proof of contraction along all words that the guards allow.

    Attributes
    ----------
    transitions : Transitions
    answer : Contractive
        About the system that the graph unfolds.
    """

    transitions: Transitions
    answer: Contractive

    def record(self, derivation: Derivation, letters: int) -> None:
        """Record the graph, of words over so many letters, and the proof."""
        graph = self.transitions
        derivation.record(TransitionsStep(graph.memory, graph.nodes, graph.edges, letters))
        derivation.record(ContractionStep(self.answer.proof, None))

    def parts(self) -> dict[str, Any]:
        """Return the graph as certificates hold it."""
        return {"graph": self.transitions.edges, "memory": self.transitions.memory}

    def value(self) -> dict[str, Any]:
        """Return what a verdict's value says of the graph and the bound."""
        graph = self.transitions
        size = {"memory": graph.memory, "nodes": len(graph.nodes), "edges": len(graph.edges)}
        return {"rate_upper": str(self.answer.proof.rate), **size}

    def found(self) -> str:
        """Say what was found."""
        return f"along the words that the guards allow the joint spectral radius is at most {self.answer.proof.rate}"

    def reason(self) -> str:
        """Say how large the graph is, and how the bound is proved."""
        letters = f"{self.transitions.memory} letter" + "s" * (self.transitions.memory > 1)
        count = len(self.transitions.edges)
        allowed = f"with {letters} of memory the guards allow {count} transition" + "s" * (count > 1)
        return f"{allowed}, and along them the bound is proved by {self.answer.proof.summary()}"


@dataclass(frozen=True)
class Unsettled:
    """Neither of the two was found.

    Attributes
    ----------
    memory : int
        The last memory whose graph was asked about.
    answer : Open, Expansive or None
        What was found for it.
    """

    memory: int
    answer: Open | Expansive | None


def read_words(value: Any, kind: str) -> str:
    """Read which words a claim is about.

    Raises
    ------
    InputError
        When it is neither of the two.

    Examples
    --------
    >>> read_words("some", "converges")
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: words of `converges`: `some` is not known; write "all" or "realisable"
    """
    if value not in _WORDS:
        raise InputError(f'words of `{kind}`: `{value}` is not known; write "all" or "realisable"')
    return value


def settle(subject: Subject, kind: str, rate: fmpq | None, grows: Grows) -> Along | Realised | Unsettled:
    """Look for a realised word that grows too much, and for a proof that all words which the guards allow contract.

    Parameters
    ----------
    subject : Subject
        An iteration whose pieces are affine in the state near its fixed point.
    kind : str
        The kind of the claim, for messages.
    rate : fmpq, optional
        The joint spectral radius along the words is to be at most this; below 1 when absent.
    grows : callable
        ``grows(characteristic polynomial, length)``: whether a realised word settles the question.

    Returns
    -------
    Along, Realised or Unsettled

    Raises
    ------
    InputError
        When the subject is a switched system.
    UnknownError
        When the map is not affine near the fixed point, or no iterates are possible that never reach it.

    Notes
    -----
    First the word that the iterates from the start repeat, then longer words and longer memories in turn. When this
    fails: words that only iterates along the eigenvector of an algebraic number of degree 3 or more follow are not
    found, and a long memory makes a large graph.
    """
    if subject.given is not None:
        raise InputError(
            f"words of `{kind}`: a switched system has no guards; write `graph`, which says what may follow"
        )
    return _Search(subject, subject.cones, rate, grows).run()


class _Search:
    """Both searches, length by length."""

    def __init__(self, subject: Subject, local: ConewiseLinear, rate: fmpq | None, grows: Grows) -> None:
        self.subject, self.local, self.rate, self.grows = subject, local, rate, grows
        self.share = subject.remaining / _SHARE
        self.too_fast: list[Word] = []
        self.last = Unsettled(0, None)

    def run(self) -> Along | Realised | Unsettled:
        found = self.realised(self.repeated())
        if found is not None:
            return found
        for memory, words in enumerate(self.local.words(time_limit=self.subject.remaining)):
            found = self.realised(words) or (self.contraction(memory, words) if memory > 0 else None)
            if found is not None:
                return found
            if self.subject.remaining <= 0:
                break
        return self.last

    def repeated(self) -> list[Word]:
        """The word that the iterates from the start seem to repeat."""
        subject = self.subject
        if subject.iteration.start is None:
            return []
        start = subject.iteration.start_at(subject.at)
        word = repeated_word(self.local, [float(start[v] - c) for v, c in subject.point.state.items()])
        return [first_rotation(word)] if word else []

    def realised(self, words: Sequence[Word]) -> Realised | None:
        """The first word that iterates follow and that grows too much."""
        for word in words:
            if word == first_rotation(word) and self.grows(self.local.product(word).charpoly(), len(word)):
                for found in following(self.local, word):
                    return Realised(word, found)
        return None

    def contraction(self, memory: int, words: Sequence[Word]) -> Along | None:
        """A proof of contraction along the paths of a graph."""
        transitions = Transitions.of(memory, words)
        if not transitions.edges:
            raise UnknownError(
                "every iterate near the fixed point reaches it after finitely many steps, so no word is realised for "
                'ever; write words = "all"'
            )
        if any(_recurs(word, memory, set(words)) for word in self.too_fast):
            self.last = Unsettled(memory, self.last.answer)
            return None
        system = along(self.subject.system, transitions)
        if memory > _MAX_MEMORY or len(transitions.nodes) * system.dimension > _MAX_DIMENSION:
            return None
        answer = self.subject.radius(self.rate, of=system, time_limit=self.share)
        if isinstance(answer, Contractive):
            return Along(transitions, answer)
        self.last = Unsettled(memory, answer)
        if isinstance(answer, Expansive):
            self.too_fast.append(system.letters_along(answer.word))
        return None


def along(system: SwitchedSystem, transitions: Transitions) -> SwitchedSystem:
    """Constrain the words of a system to the paths of a graph."""
    return SwitchedSystem(system.A, system.B, system.names, system.exact, graph=transitions.edges)


def _recurs(word: Word, memory: int, words: set[Word]) -> bool:
    """Whether a word, repeated for ever, is still allowed by words of one letter more than the memory."""
    repeated = word * (memory // len(word) + 2)
    return all(repeated[shift : shift + memory + 1] in words for shift in range(len(word)))

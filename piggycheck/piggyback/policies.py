"""What is picked where several pieces are essentially active."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from dataclasses import dataclass

from piggycheck.errors import InputError
from piggycheck.maps import Convention, convention_named

__all__ = ["ByConvention", "FixedBranch", "RandomBranch", "RepeatedWord", "SelectionPolicy"]


class SelectionPolicy(ABC):
    """Picks one of the pieces that are essentially active at an iterate."""

    @abstractmethod
    def choose(self, k: int, count: int) -> int:
        """Return the index of the piece used in step k, of `count` pieces; called only when there are several."""


@dataclass(frozen=True)
class FixedBranch(SelectionPolicy):
    """Always the same piece, as a framework with a fixed convention at ties does.

    Parameters
    ----------
    index : int
        Index among the essentially active pieces.
    """

    index: int = 0

    def choose(self, k: int, count: int) -> int:
        return _checked(self.index, count)


@dataclass(frozen=True)
class RepeatedWord(SelectionPolicy):
    """The letters of a word, over and over; the first letter is used in the first step.

    Parameters
    ----------
    word : tuple of int
        Indices among the essentially active pieces.
    """

    word: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.word:
            raise InputError("a word needs at least one letter")

    def choose(self, k: int, count: int) -> int:
        return _checked(self.word[k % len(self.word)], count)


class ByConvention(SelectionPolicy):
    """What a framework returns at ties: the pair of a piece, or one that no piece has.

    Parameters
    ----------
    convention : str or Convention
        ``"jax"``, ``"torch"``, or a convention of one's own.

    Raises
    ------
    InputError
        When no convention has this name.

    Notes
    -----
    Docs: docs/theory/conventions.md. When this fails: it is for the forward recursion. Reverse mode, sets and the
    parallel prefix are about pieces.
    """

    def __init__(self, convention: str | Convention):
        self.convention = convention if isinstance(convention, Convention) else convention_named(convention)

    def choose(self, k: int, count: int) -> int:
        raise InputError(
            f"step {k}: the convention of {self.convention.name} at a tie picks no piece; use `propagate`, or a policy "
            "that does, such as FixedBranch(0)"
        )


class RandomBranch(SelectionPolicy):
    """A piece picked at random in each step, the same ones for the same seed.

    Parameters
    ----------
    seed : int
    """

    def __init__(self, seed: int):
        self.seed = seed

    def choose(self, k: int, count: int) -> int:
        return random.Random(f"{self.seed}:{k}").randrange(count)


def _checked(index: int, count: int) -> int:
    if not 0 <= index < count:
        raise InputError(f"the policy asks for piece {index}, and {count} are active; write 0 to {count - 1}")
    return index

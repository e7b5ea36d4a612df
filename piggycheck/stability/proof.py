"""What every kind of proof of an upper bound on the joint spectral radius has in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, ClassVar

from flint import fmpq

from piggycheck.intervals import Letter

__all__ = ["Proof"]


class Proof(ABC):
    """A proof that the joint spectral radius of some matrices is at most `rate`; each kind is a frozen dataclass.

    Attributes
    ----------
    rate : fmpq
        The bound; not negative.
    method : str
        The name of the kind, in certificates and reports.
    """

    rate: fmpq
    method: ClassVar[str]

    @abstractmethod
    def verify(self, A: Sequence[Letter]) -> bool:
        """Check the proof again, exactly, against the matrices.

        Parameters
        ----------
        A : sequence of fmpq_mat or IntervalMatrix
            The matrices that the letters stand for.

        Returns
        -------
        bool
            True proves that the joint spectral radius is at most the rate, for every choice of matrices between bounds.
            False proves nothing.
        """

    @abstractmethod
    def witness(self) -> dict[str, Any]:
        """Return the proof as certificates hold it; it begins with the method and the rate."""

    @abstractmethod
    def summary(self) -> str:
        """Say in a few words what the proof is made of, such as "a word tree of 12 words"."""

    def size(self) -> int:
        """Return how many words, vertices or edges the proof has, those of inner proofs included."""
        return _size(self.witness())


def _size(witness: dict[str, Any]) -> int:
    own = sum(len(witness.get(key, ())) for key in ("words", "vertices", "edges"))
    inner = [*witness.get("proofs", ()), witness.get("proof")]
    return own + sum(_size(proof) for proof in inner if proof is not None)

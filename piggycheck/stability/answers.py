"""What can be said about a joint spectral radius: it is bounded above, or below, or both bounds are still apart."""

from __future__ import annotations

from dataclasses import dataclass

from flint import fmpq

from piggycheck.stability.proof import Proof
from piggycheck.stability.words import WordBound
from piggycheck.switched import Word

__all__ = ["Bounds", "Contractive", "Expansive", "Moment", "Open"]


@dataclass(frozen=True)
class Contractive:
    """The joint spectral radius was proved to be at most ``proof.rate``.

    Parameters
    ----------
    proof : Proof
        Over the letters of the system.
    lower : WordBound
        The best lower bound that was met, for comparison.
    tried : tuple of str
        What was tried, in order.
    """

    proof: Proof
    lower: WordBound
    tried: tuple[str, ...] = ()

    @property
    def rate_upper(self) -> fmpq:
        """The proved upper bound on the joint spectral radius."""
        return self.proof.rate


@dataclass(frozen=True)
class Expansive:
    """A word refutes the bound: some eigenvalue of its product is too large.

    Parameters
    ----------
    word : Word
    modulus_lower : fmpq
        Some eigenvalue of ``A_w`` has at least this modulus, and it is too large: at least 1 when the question was
        whether the joint spectral radius is below 1, above ``rate ** len(word)`` when it was whether it is at most a
        rate.
    rate_lower : fmpq
        Proved lower bound on the joint spectral radius: its ``len(word)``-th power is at most `modulus_lower`.
    stable_below : int
        Every shorter word than this was decided exactly, and its spectral radius is below the rate's power.
    tried : tuple of str
    """

    word: Word
    modulus_lower: fmpq
    rate_lower: fmpq
    stable_below: int = 1
    tried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Open:
    """Neither was proved within the limits.

    Parameters
    ----------
    lower : WordBound
        The best proved lower bound on the joint spectral radius.
    upper : Proof or None
        A proved upper bound, if one was met.
    tried : tuple of str
        What was tried, in order.
    """

    lower: WordBound
    upper: Proof | None
    tried: tuple[str, ...] = ()


@dataclass(frozen=True)
class Moment:
    """The best proved bounds at one moment.

    Parameters
    ----------
    seconds : float
        Since the beginning.
    method : str
        What improved a bound at this moment.
    lower : fmpq
    upper : fmpq or None
    word : Word
        The word behind the lower bound.
    """

    seconds: float
    method: str
    lower: fmpq
    upper: fmpq | None
    word: Word


@dataclass(frozen=True)
class Bounds:
    """Proved bounds on a joint spectral radius.

    Parameters
    ----------
    lower : WordBound
        Over the letters of the system; over the edges of its graph, when it has one.
    upper : Proof or None
        Over the same letters; None when no upper bound was proved.
    history : tuple of Moment
        Every improvement, in order.
    tried : tuple of str
        What was tried, in order.
    interrupted : bool
        Whether the search was ended from outside; the bounds are those proved until then.

    Examples
    --------
    >>> from piggycheck.stability import joint_spectral_radius
    >>> from piggycheck.switched import SwitchedSystem
    >>> pair = SwitchedSystem.from_rows([[["1/2", 100], [0, "1/3"]], [["-2/5", -50], [0, "9/10"]]])
    >>> bounds = joint_spectral_radius(pair)
    >>> bounds.lower.rate_lower, bounds.upper.rate
    (9/10, 9/10)
    """

    lower: WordBound
    upper: Proof | None
    history: tuple[Moment, ...] = ()
    tried: tuple[str, ...] = ()
    interrupted: bool = False

    @property
    def lower_rate(self) -> fmpq:
        """The proved lower bound."""
        return self.lower.rate_lower

    @property
    def upper_rate(self) -> fmpq | None:
        """The proved upper bound."""
        return None if self.upper is None else self.upper.rate

    @property
    def nodes(self) -> int:
        """How many words, vertices or edges the proof of the upper bound has."""
        return 0 if self.upper is None else self.upper.size()

    @property
    def method(self) -> str:
        """The name of the method that proved the upper bound; empty when there is none."""
        return "" if self.upper is None else self.upper.method

"""Why errors stay below a bound for every k: the iterates are trapped, and all pieces there contract at a rate."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from flint import fmpq

from piggycheck.arithmetic import enclosure, rational
from piggycheck.claims.subject import Subject
from piggycheck.claims.trap import Trap, find_trap
from piggycheck.derivation import ContractionStep, Step, TailStep, TrapStep
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.linalg import identity, simplest_between
from piggycheck.rates.bounds import Bound
from piggycheck.rates.errors import ErrorSequence
from piggycheck.rates.floor import Floor
from piggycheck.rates.pieces import AffinePiece, affine_piece
from piggycheck.rates.tail import Tail, find_tail, row_sum, tightened
from piggycheck.stability import Contractive, WordTree

__all__ = ["UpperTail", "affine_pieces", "contraction_at", "rational_below", "trapped", "upper_tail"]

_BELOW = fmpq(999, 1000)


@dataclass(frozen=True)
class UpperTail:
    """A bound on errors from an index on, with the contraction and the trap that it rests on."""

    tree: WordTree
    trap: Trap
    tail: Tail

    def witness(self) -> dict[str, Any]:
        """Return what a certificate says of it."""
        tail = self.tail
        return {
            **trapped(self.tree, self.trap),
            **({"rows": True} if tail.weight is None else {"weight": tail.weight}),
        }

    def steps(self) -> Sequence[Step]:
        """Return what a derivation says of it."""
        tail = self.tail
        return (
            ContractionStep(self.tree),
            TrapStep(self.trap.iteration, self.trap.level),
            TailStep(tail.start, tail.rate, tail.constant, tail.slope, tail.weight is None),
        )


def trapped(tree: WordTree, trap: Trap) -> dict[str, Any]:
    """Return what a certificate says of a contraction and a trap."""
    level = {"iteration": trap.iteration, "level": trap.level, "growth": trap.growth, "bits": trap.bits}
    return {**tree.witness(), "trap": level}


def upper_tail(
    subject: Subject, sequence: ErrorSequence, bound: Bound | Floor, ratio: Any, first: int = 0
) -> UpperTail:
    """Find an index from which on errors along trapped iterates stay below a bound.

    Parameters
    ----------
    subject : Subject
    sequence : ErrorSequence
        Of the subject's iterates or derivatives.
    bound : Bound or Floor
    ratio : exact number
        The largest ratio of the bound's positive terms.
    first : int
        The index is at least this one.

    Returns
    -------
    UpperTail

    Raises
    ------
    UnknownError
        When no certificate gives a rate at which the bound is reached.
    """
    rate = rational_below(ratio)
    pieces = affine_pieces(subject, sequence)
    by_rows = row_sum(pieces) if sequence.norm == "max" and pieces else None
    tree = contraction_at(subject, rate)
    trap, tree = find_trap(subject, tree, rate)
    if by_rows is not None and by_rows <= rate:
        tree = replace(tree, rate=max(tree.rate, by_rows))
    else:
        by_rows = None
    tail = find_tail(
        sequence,
        bound,
        tree,
        max(first, trap.iteration),
        pieces,
        out_of_time=lambda: subject.remaining <= 0,
        by_rows=by_rows is not None,
    )
    return UpperTail(tree, trap, tail)


def affine_pieces(subject: Subject, sequence: ErrorSequence) -> Sequence[AffinePiece]:
    """Return all pieces that the trapped iterates can meet; none where one is not affine, for the iterates.

    Raises
    ------
    UnknownError
        For derivatives, where one is not affine, or gives them another limit.
    """
    derivatives = sequence.of_derivatives
    found = [affine_piece(sequence.limit, piece.signature, derivatives) for piece in subject.active]
    pieces = [piece for piece in found if piece is not None]
    if not derivatives:
        return pieces if len(pieces) == len(found) else ()
    if len(pieces) < len(found):
        raise UnknownError("the derivatives are followed on affine pieces alone")
    if any(entry != 0 for piece in pieces for entry in piece.h):
        raise UnknownError("a piece that iterates meet where guards tie gives the derivatives another limit")
    return pieces


def contraction_at(subject: Subject, rate: fmpq) -> WordTree:
    """Return a word tree of the active pieces at a rate.

    Raises
    ------
    UnknownError
        When there is none within the limits.
    """
    try:
        system = subject.active_system
    except IrrationalError:
        system = subject.enclosed(subject.active)
    plain = WordTree(identity(system.dimension), rate, tuple((i,) for i in range(len(system))), fmpq(1))
    if plain.verify(system.A):
        return tightened(plain, system.A)
    answer = subject.radius(rate, of=system, trees_only=True, time_limit=subject.remaining / 2)
    if not isinstance(answer, Contractive):
        raise UnknownError(f"no contraction of the pieces at the rate {rate} was proved")
    return tightened(answer.proof, system.A)


def rational_below(ratio: Any) -> fmpq:
    """Return a rate not above a ratio: itself where it is rational and below 1."""
    try:
        rate = rational(ratio)
    except IrrationalError:
        low = enclosure(ratio, 64)[0]
        rate = simplest_between(low * fmpq(10**9 - 1, 10**9), low)
    return rate if rate < 1 else _BELOW

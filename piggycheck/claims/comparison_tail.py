"""Comparing sequences of errors for every k: one side from above, errors on the other side from below."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp
from flint import fmpq

from piggycheck.arithmetic import rational, sign, to_sympy
from piggycheck.claims.subject import Subject
from piggycheck.claims.tails import UpperTail, affine_pieces, trapped, upper_tail
from piggycheck.claims.trap import Trap, find_trap
from piggycheck.derivation import ContractionStep, LowerTailStep, Step, TailStep, TrapStep
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.rates.bounds import Bound, Term, sequence_symbol
from piggycheck.rates.errors import ErrorSequence
from piggycheck.rates.floor import Floor
from piggycheck.rates.lower import Lower, LowerTail, Seen, lower_end
from piggycheck.stability import Contractive, WordTree

__all__ = ["ComparisonTail", "Sides", "for_every_k"]

_MOST_FROM = 20_000
_MOST_EXACT = 400
_FEW, _ROOM_BITS, _MOST_BITS = 200, 128, 10_000
_BITS_PER_STEP = 3

Sides = Mapping[str, tuple[Subject, ErrorSequence]]


@dataclass(frozen=True)
class ComparisonTail:
    """Why the left side is at most the right one from an index on.

    Attributes
    ----------
    start : int
        The index.
    witness : dict
        What a certificate says of it: `tail`, where the left side names a sequence, and `lower`.
    steps : tuple of Step
        What a derivation says of it.
    rate : fmpq
        At which the left side decreases, at least.
    """

    start: int
    witness: dict[str, Any]
    steps: tuple[Step, ...]
    rate: fmpq

    def bits(self, least: int) -> int:
        """How many digits a checker needs up to the index, at least so many: its rounding errors grow on the way."""
        if self.start <= _FEW:
            return least
        decay = int(-self.start * math.log2(float(self.rate)))
        return min(_MOST_BITS, max(least, _ROOM_BITS + _BITS_PER_STEP * self.start + decay))


@dataclass(frozen=True)
class _Bounded:
    """A sequence that is bounded from below, and why the iterates meet no other piece."""

    lower: Lower
    proof: WordTree | None
    trap: Trap | None


def for_every_k(about: Subject, left: Bound, right: Bound, sides: Sides, first: int = 0) -> ComparisonTail:
    """Find an index from which on one side is at most the other.

    Parameters
    ----------
    about : Subject
        What the claim is about.
    left : Bound
        A positive multiple of one sequence, or one term ``c k^d r^k`` with d at most 1.
    right : Bound
        A sum of terms ``c k^d r^k``, on their own or, with a positive c, times a sequence.
    sides : mapping from names to (Subject, ErrorSequence)
        What the sequences that are named are, and of which iteration.
    first : int
        The index is at least this one.

    Returns
    -------
    ComparisonTail

    Raises
    ------
    UnknownError
        When none is found; the message says why.

    Notes
    -----
    Source: docs/theory/comparisons.md.

    When this fails: sequences are bounded from below where all pieces near the fixed point multiply a row vector by one
    rational number, which complex eigenvalues do not.
    """
    for one, (_, sequence) in sides.items():
        if not isinstance(sequence, ErrorSequence) or sequence.skip is not None:
            raise UnknownError(f"`{one}` is not the error of the iterates, or of derivatives along all steps")
    name, above = _left(left)
    terms, named = _right(right)
    if name is not None:
        terms = _over(terms, above.coefficient)
        named = {one: _over(found, above.coefficient) for one, found in named.items()}
    bounded = {one: _bounded(one, *sides[one]) for one in named}
    floor = Floor(terms, named, {one: found.lower for one, found in bounded.items()})
    first = max([first, *(found.lower.first for found in bounded.values())])
    if name is None:
        start, upper = _crossing(above, floor, first, sides), None
    else:
        ratio = floor.slowest(first)
        if ratio is None:
            raise UnknownError("no term of the right side is seen to be positive for every k")
        upper = upper_tail(*sides[name], floor, ratio, first)
        start = upper.tail.start
    lowers = {one: _chosen(bounded[one].lower, seen, start) for one, seen in floor.chosen.items()}
    if missing := set(bounded) - set(lowers):
        raise UnknownError(f"`{missing.pop()}` is not bounded from below")
    witness: dict[str, Any] = {} if upper is None else {"tail": _upper_witness(upper, sides[name][1])}
    witness["lower"] = {one: _lower_witness(bounded[one], tail, sides[one]) for one, tail in lowers.items()}
    rate = rational(above.ratio) if upper is None else upper.tail.rate
    return ComparisonTail(start, witness, tuple(_steps(about, name, upper, bounded, lowers, sides)), rate)


def _over(terms: Sequence[Term], divisor: sp.Expr) -> list[Term]:
    return [replace(term, coefficient=term.coefficient / divisor) for term in terms]


def _left(left: Bound) -> tuple[str | None, Term]:
    """The sequence on the left side, and what it is multiplied by."""
    terms = left.terms or ()
    if len(terms) == 1 and len(left.names) <= 1:
        (term,), name = terms, next(iter(left.names), None)
        if name is None and term.degree <= 1 and sign(term.coefficient) > 0:
            return None, term
        coefficient = term.coefficient if name is None else term.coefficient / sequence_symbol(name)
        plain = name is not None and term.degree == 0 and term.ratio == 1 and not coefficient.free_symbols
        if plain and sign(coefficient) > 0:
            return name, replace(term, coefficient=coefficient)
    raise UnknownError(
        "for every k the left side must be a positive multiple of one sequence, or a term c*r**k or c*k*r**k"
    )


def _right(right: Bound) -> tuple[list[Term], dict[str, list[Term]]]:
    """The terms of the right side without a sequence, and those with each."""
    said = "for every k the right side must be a sum of terms c*k**d*r**k, with c > 0 where they are times a sequence"
    plain, named = [], {}
    for term in right.terms or ():
        symbols = term.coefficient.free_symbols
        if not symbols:
            plain.append(term)
            continue
        (symbol, *others) = symbols
        coefficient = term.coefficient / symbol
        if others or coefficient.free_symbols or sign(coefficient) <= 0:
            raise UnknownError(said)
        named.setdefault(str(symbol), []).append(replace(term, coefficient=coefficient))
    if right.terms is None:
        raise UnknownError(said)
    return plain, named


def _bounded(name: str, subject: Subject, sequence: ErrorSequence) -> _Bounded:
    """Bound a sequence from below, where only the active pieces are met from some index on."""
    pieces = affine_pieces(subject, sequence)
    if not pieces:
        raise UnknownError(f"`{name}` is bounded from below on affine pieces alone")
    if sequence.of_derivatives and len(pieces) > 1 and any(piece.has_couplings for piece in pieces):
        raise UnknownError(f"several pieces meet at the limit of `{name}`, and their derivatives change with the state")
    proof = trap = None
    if subject.iteration.map.guards:
        answer = subject.radius(of=subject.active_system, trees_only=True)
        if not isinstance(answer, Contractive):
            raise UnknownError(f"that the iterates of `{name}` converge was not proved")
        trap, proof = find_trap(subject, answer.proof, (answer.proof.rate + 1) / 2)
    try:
        return _Bounded(Lower(sequence, pieces, 0 if trap is None else trap.iteration), proof, trap)
    except UnknownError as error:
        raise UnknownError(f"`{name}` is not bounded from below: {error}") from None


def _crossing(above: Term, floor: Floor, first: int, sides: Sides) -> int:
    """An index from which on one term is at most the right side."""
    try:
        rate = rational(above.ratio)
    except IrrationalError:
        raise UnknownError("for every k the ratio of the left side must be rational") from None
    if not floor.reaches(rate):
        raise UnknownError(f"the right side is not seen to decrease at the rate {rate} or more slowly")
    subjects = [subject for subject, _ in sides.values()]
    k, step = max(first, int(floor.has_degrees or above.degree > 0)), 1
    while k <= _MOST_FROM and all(subject.remaining > 0 for subject in subjects):
        if _is_above(floor, above, rate, k):
            return k
        k, step = k + step, max(step, k // 8)
    raise UnknownError(f"the left side is not far enough below the right one up to k = {k}")


def _is_above(floor: Floor, above: Term, rate: fmpq, k: int) -> bool:
    """Whether the sums at k are at least those of a term."""
    slope = above.coefficient * to_sympy(rate) ** k
    constant = slope * k if above.degree else slope

    def suffice(sums: tuple[Any, Any] | None) -> bool:
        if sums is None or not _at_least(sums[0], constant):
            return False
        return above.degree == 0 or _at_least(sums[1], slope)

    return suffice(floor.sums(k, rate)) or (k <= _MOST_EXACT and suffice(floor.exactly(k, rate)))


def _at_least(value: Any, constant: sp.Expr) -> bool:
    return sign(to_sympy(lower_end(value)) - constant) >= 0


def _chosen(lower: Lower, seen: Seen, start: int) -> LowerTail:
    """The lower tail from an index on that a row gives, in numbers that are rounded down."""
    tails = lower.at(start)
    if start <= _MOST_EXACT:
        with suppress(UnknownError):
            tails = [*lower.exactly(start), *tails]
    tail = next(tail for tail in tails if tail.seen == seen)
    return replace(tail, constant=lower_end(tail.constant), slope=lower_end(tail.slope))


# -- what certificates and derivations say --------------------------------------------------------------------------


def _upper_witness(upper: UpperTail, sequence: ErrorSequence) -> dict[str, Any]:
    return {**upper.witness(), **({"couplings": upper.tail.couplings} if sequence.of_derivatives else {})}


def _lower_witness(found: _Bounded, tail: LowerTail, side: tuple[Subject, ErrorSequence]) -> dict[str, Any]:
    subject, sequence = side
    column = {}
    if tail.seen.column is not None:
        columns = sequence.columns or range(len(subject.iteration.map.parameters))
        column = {"column": str(subject.iteration.map.parameters[columns[tail.seen.column]])}
    return {
        "vector": tail.seen.vector.entries(),
        "eigenvalue": tail.seen.eigenvalue,
        **column,
        **({"method": "affine"} if found.trap is None else trapped(found.proof, found.trap)),
    }


def _steps(
    about: Subject,
    name: str | None,
    upper: UpperTail | None,
    bounded: Mapping[str, _Bounded],
    lowers: Mapping[str, LowerTail],
    sides: Sides,
) -> Iterator[Step]:
    for one, tail in lowers.items():
        trap = bounded[one].trap
        yield LowerTailStep(
            one,
            sides[one][1].quantity,
            tail.start,
            tail.seen.vector,
            tail.seen.eigenvalue,
            tail.constant,
            tail.slope,
            None if trap is None else trap.iteration,
        )
    if upper is not None:
        tail = upper.tail
        if sides[name][0] is about:
            yield ContractionStep(upper.tree)
            yield TrapStep(upper.trap.iteration, upper.trap.level)
        yield TailStep(tail.start, tail.rate, tail.constant, tail.slope, tail.weight is None, sequence=name)

"""Comparisons of sequences of errors: one expression in k and in them is at most another one, index after index."""

from __future__ import annotations

from typing import Any

from .arithmetics import Open, Rounded, require_short
from .effort import spend
from .following import DIGITS, ENOUGH_BITS, Coarse, Following, Track
from .norms import NORMS
from .rate_bounds import Bound
from .rates import MOST_STEPS, read_bits
from .reading import Data, Refused, Unreadable, integer, say_point, text
from .sequences import KNOWN, ErrorSequence, Iterated, require_one_limit, stated


class Compared:
    """The claim: the two sides, the range, and the sequences that are named."""

    def __init__(self, claim: Data, iterated: Iterated, witness: Data) -> None:
        listed = claim.get("sequences", {})
        names = sorted({*KNOWN, *(listed if isinstance(listed, dict) else ())})
        self.left, self.right = (Bound(claim.get(side), names) for side in ("left", "right"))
        self.first = integer(claim.get("from"), "claim.from", 0, MOST_STEPS)
        upto = text(claim.get("upto"), "claim.upto")
        self.upto = None if upto == "infinity" else integer(upto, "claim.upto", self.first, MOST_STEPS)
        self.norm = text(claim.get("norm"), "claim.norm")
        if self.norm not in NORMS:
            raise Unreadable(f"`claim.norm` is one of {', '.join(NORMS)}")
        found, limits = stated(claim, self.left.names | self.right.names), witness["limits"]
        if not isinstance(limits, dict) or set(limits) != set(found):
            raise Unreadable("`limits` has an entry for each sequence that is used, and no others")
        self.sequences = {
            name: ErrorSequence(name, data, iterated, limits[name], self.norm, self.first)
            for name, data in found.items()
        }
        require_one_limit(self.sequences.values())
        self.comparison = Comparison(self.left, self.right, list(self.sequences.values()))

    def require_until(self, last: int, bits: int) -> None:
        """Refuse when the order is another one in the range, up to an index."""
        k = self.comparison.first_violation(last, bits, self.first)
        if k is not None:
            raise Refused(f"the left side is larger at k = {k}")

    def say(self, claim: Data, how: str, where: str) -> str:
        """What is proved."""
        sides = [" ".join(claim[side].split())[:80] for side in ("left", "right")]
        limits = {f"{name}: {say_point(sequence.subject.x)}" for name, sequence in self.sequences.items()}
        among = f", where the limits are {'; '.join(sorted(limits))}" if limits else ""
        return f"{sides[0]} {how} {sides[1]} {where}, in the {self.norm} norm{among}"


class Comparison(Following):
    """The left side is at most the right one."""

    def __init__(self, left: Bound, right: Bound, sequences: list[ErrorSequence]) -> None:
        super().__init__([sequence.setting for sequence in sequences])
        self.left, self.right, self.sequences = left, right, sequences

    def holds_surely(self, k: int, track: Track, arithmetic: Rounded) -> bool:
        """By bounds of both sides."""
        found = Found(self.sequences, track)
        (a, r), (b, s) = (side.value(k, arithmetic, found.value) for side in (self.left, self.right))
        require_short(a, b, r, s)
        if a + r <= b - s:
            return True
        if a - r > b + s:
            return False
        if r + s << DIGITS > max(abs(a), abs(b)) and arithmetic.bits < ENOUGH_BITS:
            raise Coarse("a comparison")
        raise Open("a comparison")

    def holds_exactly(self, k: int, track: Track) -> bool:
        """By rational numbers, or by their squares."""
        found = Found(self.sequences, track)
        sides = [side.rational(k, found.value, found.square) for side in (self.left, self.right)]
        if any(squared for _, squared in sides):
            a, b = (x if squared else x * abs(x) for x, squared in sides)
        else:
            (a, _), (b, _) = sides
        spend(1, a.denominator.bit_length() + b.denominator.bit_length())
        return a <= b


class Found:
    """The values of sequences at one index, found when they are needed."""

    def __init__(self, sequences: list[ErrorSequence], track: Track) -> None:
        self.pairs = {one.name: (one, orbit) for one, orbit in zip(sequences, track.orbits, strict=True)}
        self.known: dict[str, Any] = {}

    def value(self, name: str) -> Any:
        """The value in the arithmetic of the orbit; rational for exact ones."""
        if name not in self.known:
            sequence, orbit = self.pairs[name]
            self.known[name] = sequence.value(orbit)
        return self.known[name]

    def square(self, name: str) -> Any:
        """Its rational square."""
        sequence, orbit = self.pairs[name]
        return sequence.square(orbit)


def comparison_proved(claim: Data, iterated: Iterated, witness: Data) -> str:
    """The left side is at most the right one at every index of the range."""
    compared, bits = Compared(claim, iterated, witness), read_bits(witness)
    if compared.upto is None:
        raise Unreadable('`claim.upto` is "infinity", which takes another method')
    compared.require_until(compared.upto, bits)
    return compared.say(claim, "is at most", f"for k = {compared.first}..{compared.upto}")


def comparison_refuted(claim: Data, iterated: Iterated, witness: Data) -> str:
    """The left side is larger at an index, and not before."""
    compared, bits = Compared(claim, iterated, witness), read_bits(witness)
    last = MOST_STEPS if compared.upto is None else compared.upto
    k = integer(witness["violation"], "violation", compared.first, last)
    if not compared.comparison.violated(k, bits, compared.first):
        raise Refused(f"the left side is not the larger one first at k = {k}")
    return compared.say(claim, "is larger than", f"at k = {k}")

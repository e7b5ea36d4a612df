"""Comparisons of errors for all k: what the left side is at most, and what the errors on the right are at least."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from typing import Any

from .comparisons import Compared, comparison_proved, comparison_refuted
from .convergence import MOST_ITERATIONS
from .floors import floor
from .intervals import ONE, power
from .proofs import KINDS
from .rate_bounds import Term
from .rates import read_bits
from .reading import Data, Refused, Unreadable, fields, integer, say
from .sequences import Iterated
from .tails import Floor, Moving, Tail, below, decrease, trapped

TREE = ("method", "rate", *KINDS["word_tree"][1], "trap")


def compared_for_all(claim: Data, iterated: Iterated, witness: Data) -> str:
    """The left side is at most the right one: by evaluation up to an index, from there on by bounds of the errors."""
    compared, bits = Compared(claim, iterated, witness), read_bits(witness)
    if compared.upto is not None:
        raise Unreadable('`claim.upto` is not "infinity"')
    start = integer(witness["start"], "start", compared.first, MOST_ITERATIONS)
    compared.require_until(start, bits)
    listed = witness.get("lower", {})
    if not isinstance(listed, dict) or set(listed) != compared.right.names:
        raise Unreadable("`lower` has an entry for each sequence on the right, and no others")
    floors = {
        name: floor(compared.sequences[name], witness["limits"][name], data, start, bits)
        for name, data in listed.items()
    }
    rate = require_less(compared, witness, start, bits, floors)
    return compared.say(claim, "is at most", f"for all k from {compared.first} on, by the rate {say(rate)}")


def require_less(compared: Compared, witness: Data, start: int, bits: int, floors: Mapping[str, Floor]) -> Fraction:
    """Refuse when the left side may be larger beyond the index; return the rate by which it decreases."""
    terms = [term for term in compared.left.terms() if not term.c.is_zero]
    if len(terms) != 1 or terms[0].c.lo <= 0:
        raise Refused("the left side is not one term with a positive factor")
    term, right = terms[0], compared.right.terms()
    if ("tail" in witness) != bool(term.name):
        raise Unreadable("`tail` stands in the witness when there is an error on the left")
    if not term.name:
        rate, a, b = steady(term, start)
        S0, S1 = below(right, start, rate, floors)
        if a > S0 or b > S1:
            raise Refused(f"the order is not proved from k = {start} on")
        return rate
    if term.d or not (term.r.exact and term.r.lo == 1):
        raise Refused("the left side is not a multiple of an error")
    sequence, limit = compared.sequences[term.name], witness["limits"][term.name]
    if not sequence.plain:
        raise Refused("the error on the left is not that of iterates, or of all derivatives")
    data = fields(witness["tail"], "tail", TREE, ("weight", "rows", "couplings"))
    region, least = trapped(sequence.subject, data)
    if start < least:
        raise Refused("the trap begins later")
    inner = {**data, **({"matrix": limit["matrix"]} if "matrix" in limit else {})}
    derivatives = sequence.quantity == "derivatives"
    moving = Moving(sequence.subject, derivatives, sequence.norm, inner, region, sequence.columns)
    tail = Tail(sequence.setting, start, bits, region.tree.P)
    S0, S1 = below(right, start, region.rate, floors)
    if not decrease(moving, tail, sequence.limit, term.c, S0, S1):
        raise Refused(f"the order is not proved from k = {start} on")
    return region.rate


def steady(term: Term, start: int) -> tuple[Fraction, Fraction, Fraction]:
    """The rate, a and b of a term c k^d r^k with d = 0 or 1, which is rate^n (a + b n) at start + n."""
    if term.d > 1 or not term.r.exact or term.r.lo <= 0:
        raise Refused("the left side is not a rational rate with a factor of degree 0 or 1 in k")
    t = (term.c * power(term.r, start, ONE)).hi
    return term.r.lo, t * (start if term.d else 1), t if term.d else Fraction(0)


Rule = tuple[Callable[[Data, Any, Data], str], Sequence[str], Sequence[str]]
PLAIN = ("method", "bits", "limits")
RULES: dict[tuple[str, str, str], Rule] = {
    ("error_comparison", "proved", "evaluation"): (comparison_proved, PLAIN, ()),
    ("error_comparison", "refuted", "evaluation"): (comparison_refuted, (*PLAIN, "violation"), ()),
    ("error_comparison", "proved", "tails"): (compared_for_all, (*PLAIN, "start"), ("tail", "lower")),
}
CLAIM = {"error_comparison": ("left", "right", "from", "upto", "norm", "sequences")}

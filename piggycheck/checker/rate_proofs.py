"""Bounds of errors for all k: from an index on, a norm in which every piece contracts bounds what is left.

From k1 on the error is at most g^n (a + b n) at k1 + n, and the bound at least g^n (S0 + S1 n).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .convergence import MOST_ITERATIONS
from .intervals import ONE
from .proofs import KINDS
from .rates import Claimed, errors_of, rate_proved, rate_refuted, read_bits, say_bound
from .reading import Data, Refused, Unreadable, integer, say
from .subject import FixedPoint
from .tails import Moving, Tail, below, decrease, trapped


def rate_proved_for_all(claim: Data, subject: FixedPoint, witness: Data) -> str:
    """The bound holds up to an index by evaluation, and from there on by the trap."""
    claimed, bits = Claimed(claim), read_bits(witness)
    if claimed.upto is not None:
        raise Unreadable('`claim.upto` is not "infinity"')
    region, iteration = trapped(subject, witness)
    first = integer(witness["from"], "from", iteration, MOST_ITERATIONS)
    errors = errors_of(claimed, subject, witness)
    k = errors.first_violation(first, bits)
    if k is not None:
        raise Refused(f"the error exceeds the bound at k = {k}")
    columns = range(subject.m if claimed.derivatives else 1)
    moving = Moving(subject, claimed.derivatives, claimed.norm, witness, region, columns)
    tail = Tail(errors.setting, first, bits, region.tree.P)
    if not decrease(moving, tail, errors.limit, ONE, *below(claimed.bound.terms(), first, region.rate)):
        raise Refused(f"the bound is not proved from k = {first} on")
    what = f"at most the bound for all k, by the rate {say(region.rate)} from k = {first} on:"
    return say_bound(claim, claimed, subject, what)


Rule = tuple[Callable[[Data, Any, Data], str], Sequence[str], Sequence[str]]
TREE = ("method", "rate", *KINDS["word_tree"][1])
RULES: dict[tuple[str, str, str], Rule] = {
    ("rate_bound", "proved", "evaluation"): (rate_proved, ("method", "bits"), ("matrix",)),
    ("rate_bound", "refuted", "evaluation"): (rate_refuted, ("method", "bits", "violation"), ("matrix",)),
    ("rate_bound", "proved", "word_tree"): (
        rate_proved_for_all,
        (*TREE, "trap", "from", "bits"),
        ("weight", "rows", "matrix", "couplings"),
    ),
}
CLAIM = {"rate_bound": ("quantity", "bound", "upto", "norm")}

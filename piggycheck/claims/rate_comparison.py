"""The claim that one sequence of errors decreases asymptotically faster than another, or as fast."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import fmpq_mat

from piggycheck.claims.asymptotic_rate import rate_step
from piggycheck.claims.base import Claim, certify
from piggycheck.claims.exact_rate import ExactRate, exact_rate
from piggycheck.claims.measured import moved
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import (
    ContractionStep,
    Derivation,
    LimitStep,
    RatesComparedStep,
    SequenceStep,
    TrapStep,
)
from piggycheck.errors import InputError, UnknownError
from piggycheck.rates.limit import Limit
from piggycheck.rates.order import ordered
from piggycheck.rates.sequences import Estimate, read_sequences

__all__ = ["RateComparison"]

_RELATIONS = {"<": (-1,), "<=": (-1, 0), "=": (0,)}
_SAID = {"<": "is smaller than", "<=": "is at most", "=": "is equal to"}
_FOUND = {-1: "smaller than", 0: "equal to", 1: "larger than"}


@dataclass(frozen=True)
class _Side:
    """A sequence of errors with its exact rate."""

    name: str
    sequence: Estimate
    subject: Subject
    rate: ExactRate


@dataclass(frozen=True)
class RateComparison(Claim):
    """The asymptotic linear rates ``lim sup e_k^(1/k)`` of two sequences of errors are so related.

    Parameters
    ----------
    left, right : str
        "iterates", "derivatives", or a name of `sequences`.
    relation : "<", "<=" or "="
    sequences : mapping, optional
        For each name a mapping: `quantity`, "iterates" or "derivatives"; `at`, parameters that differ; `wrt`, the
        parameters in which derivatives count.

    Raises
    ------
    InputError
        When a name or the relation is not known, or a sequence has no asymptotic rate that is found.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> from piggycheck.claims import prove
    >>> f = "x**2/2 + y**2/20"
    >>> descent = gradient_descent(f, ["x", "y"], "step", parameters=["step"], start=[1, 1])
    >>> fast = {"quantity": "iterates", "at": {"step": "20/11"}}
    >>> verdict = prove(RateComparison("fast", "iterates", "<", {"fast": fast}), descent, {"step": "1/2"})
    >>> verdict.name, verdict.value
    ('proved', {'left': '9/11', 'right': '19/20'})

    Notes
    -----
    Both rates are found as by `AsymptoticRate`: algebraic numbers, which are equal when they are the same root of the
    same polynomial, and otherwise separated by bounds. Source: docs/theory/comparisons.md.

    When this fails: where one of the two rates is not known, the claim is undecided.
    """

    left: Any
    right: Any
    relation: Any = "<="
    sequences: Any = None
    kind = "rate_comparison"

    def __post_init__(self) -> None:
        if self.relation not in _RELATIONS:
            known = ", ".join(f'"{relation}"' for relation in _RELATIONS)
            raise InputError(
                f"relation of `{self.kind}`: `{str(self.relation)[:60]}` is not known; write one of {known}"
            )
        for side in ("left", "right"):
            name = getattr(self, side)
            if not isinstance(name, str) or name not in self._read:
                known = "".join(f', "{given}"' for given in self.sequences or ())
                raise InputError(
                    f"{side} of `{self.kind}`: `{str(name)[:60]}` is no sequence; "
                    f'write one of "iterates", "derivatives"{known}'
                )
            if not self._read[name].is_plain:
                raise InputError(
                    f"{side} of `{self.kind}`: the asymptotic rate of `{name}` is not found; write a sequence of the "
                    'quantity "iterates" or "derivatives" without `output`, `last` or `skip`'
                )
        unused = next((name for name in self.sequences or () if name not in (self.left, self.right)), None)
        if unused is not None:
            raise InputError(f"sequence `{unused}`: neither side names it; leave it out, or use it")

    @cached_property
    def _read(self) -> dict[str, Estimate]:
        return read_sequences(self.sequences or {}, where=f"sequences of `{self.kind}`")

    def fields(self) -> dict[str, Any]:
        given = self.sequences or {}
        named = {name: self._read[name].fields() for name in (self.left, self.right) if name in given}
        return {"left": self.left, "right": self.right, "relation": self.relation, "sequences": named or None}

    def statement(self, subject: Subject) -> str:
        where = ""
        if subject.given is None and subject.iteration.start is None:
            where = "from almost every start near the fixed points "
        left, right = self._named(self.left), self._named(self.right).rstrip(",")
        return f"{where}the asymptotic linear rate of {left} {_SAID[self.relation]} that of {right}"

    def _named(self, name: str) -> str:
        """A sequence, in words."""
        if name not in (self.sequences or {}):
            return f"the {name}"
        sequence = self._read[name]
        columns = f" with respect to {', '.join(sequence.wrt)}" if sequence.wrt else ""
        at = ", ".join(f"{parameter} = {value}" for parameter, value in (sequence.at or {}).items())
        return f"{name}, the {sequence.quantity}{columns}" + (f" at {at}," if at else ",")

    # -- deciding -----------------------------------------------------------------------------------------------------

    def decide(self, subject: Subject) -> Verdict:
        subject.required_iteration(self.kind)
        subjects: dict[tuple[str, ...], Subject] = {}
        left, right = (self._side(subject, name, subjects) for name in (self.left, self.right))
        order, lower, upper = ordered(left.rate.rate, right.rate.rate)
        holds = order in _RELATIONS[self.relation]
        statement = self.statement(subject)
        witness = {"left": _witness(left, lower), "right": _witness(right, upper)}
        verdict = Proved if holds else Refuted
        numbers = left.rate.rate, right.rate.rate
        return verdict(
            self.kind,
            statement,
            f"the rate of {self._named(self.left)} is {numbers[0]}, {_FOUND[order]} that of "
            + self._named(self.right).rstrip(",")
            + (f", which is {numbers[1]}" if order else ""),
            {"left": str(numbers[0]), "right": str(numbers[1])},
            "both rates are algebraic numbers, "
            + ("the same root of the same polynomial" if order == 0 else "between bounds that are apart"),
            self._derivation(subject, left, right, order),
            certificate=certify(self, verdict.name, statement, subject.map_parts(), witness),
        )

    def _side(self, subject: Subject, name: str, known: dict[tuple[str, ...], Subject]) -> _Side:
        sequence = self._read[name]
        values = sequence.values(subject.at)
        key = tuple(map(str, values.values()))
        if key not in known:
            known[key] = moved(subject, values)
        about = known[key]
        try:
            columns = sequence.errors(Limit(about.iteration, about.point)).columns
            rate = exact_rate(about, sequence.quantity, columns)
        except UnknownError as error:
            raise UnknownError(f"the rate of {self._named(name).rstrip(',')}: {error}") from None
        return _Side(name, sequence, about, rate)

    # -- what is said -------------------------------------------------------------------------------------------------

    def _derivation(self, subject: Subject, left: _Side, right: _Side, order: int) -> Derivation:
        sides = (left, right)
        here = [side for side in sides if side.subject is subject]
        derivation = subject.opening(pieces=bool(here) and not subject.is_irrational)
        proved = next((side.rate for side in here if side.rate.proof is not None), None)
        if proved is not None:
            derivation.record(ContractionStep(proved.proof))
            derivation.record(TrapStep(proved.trap.iteration, proved.trap.level))
        limit = next((side.rate.limit for side in here if isinstance(side.rate.limit, fmpq_mat)), None)
        if limit is not None:
            derivation.record(LimitStep(limit))
        for side in sides:
            derivation.record(_sequence_step(side, elsewhere=side not in here))
            derivation.record(rate_step(side.rate))
        derivation.record(RatesComparedStep((left.name, right.name), (left.rate.rate, right.rate.rate), order))
        return derivation


def _sequence_step(side: _Side, *, elsewhere: bool) -> SequenceStep:
    rate, sequence = side.rate, side.sequence
    at = {str(v): c for v, c in side.subject.at.items() if str(v) in (sequence.at or {})}
    wrt = tuple(sequence.wrt or ())
    if not elsewhere:
        return SequenceStep(side.name, sequence.quantity, at, wrt)
    point = {str(v): c for v, c in side.subject.point.state.items()}
    trapped = None if rate.trap is None else rate.trap.iteration
    A, limit = (M if isinstance(M, fmpq_mat) else None for M in (rate.A, rate.limit))
    return SequenceStep(side.name, sequence.quantity, at, wrt, point, A, limit, trapped)


def _witness(side: _Side, number: Any) -> dict[str, Any]:
    parts = side.subject.certificate_parts(side.subject.active)
    return {"fixed_point": parts["fixed_point"], "pieces": parts["pieces"], **side.rate.witness(number)}

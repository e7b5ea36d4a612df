"""The claim that errors of iterates or derivatives stay below a bound in k."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import fmpq

from piggycheck.claims.base import Claim, certify, decimals_above, told_apart
from piggycheck.claims.curved_rate import CurvedUpper, curved_tail, is_curved
from piggycheck.claims.directions import read_directions
from piggycheck.claims.measured import limit_at
from piggycheck.claims.subject import Subject
from piggycheck.claims.tails import UpperTail, upper_tail
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import ComparedStep, Derivation
from piggycheck.errors import InputError, IrrationalError, UnknownError
from piggycheck.rates.bounds import Bound, read_bound
from piggycheck.rates.decide import Comparison, compare_with_bound
from piggycheck.rates.errors import ErrorSequence, read_norm, read_quantity, read_upto
from piggycheck.rates.limit import require_start
from piggycheck.rates.tail import slowest_ratio
from piggycheck.render.formula import NORM_NAMES

__all__ = ["FIRST_RANGE", "RateBound", "error_and_bound", "undecided_bound"]

FIRST_RANGE = 500
_LAST_RANGE = 20_000


@dataclass(frozen=True)
class RateBound(Claim):
    """The errors ``|x_k - xbar|`` or ``|J_k - Jbar|`` are at most a bound in k, for k = 0, ..., upto.

    Parameters
    ----------
    quantity : "iterates" or "derivatives"
    bound : str or exact number
        An expression in k, such as ``"2*k*(19/20)**k"``: see `piggycheck.rates.bounds.read_bound`.
    upto : int, text or "infinity"
        The last k.
    norm : "max", "frobenius" or "spectral"
        By default the maximum of the absolute values of the entries.
    directions : mapping, or list of mappings, optional
        For derivatives along maps made of layers: see `piggycheck.claims.directions.read_directions`.

    Raises
    ------
    InputError
        When the bound is not an expression in k, the last k is not an integer from 0 on or "infinity", or there is no
        such quantity or norm.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> from piggycheck.claims import prove
    >>> descent = gradient_descent("x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"], start=[0])
    >>> prove(RateBound("iterates", "3*(1/2)**k", "infinity"), descent, {"theta": 3}).name
    'proved'
    >>> prove(RateBound("iterates", "3*(49/100)**k", 100), descent, {"theta": 3}).value["first_violation"]
    '1'

    Notes
    -----
    For a finite range the claim is decided outright, in balls with as many digits as each k needs, and over the
    rationals where an error and its bound are equal. For all k it rests on a common quadratic form, or a word tree, of
    the pieces at the fixed point, and on a trap for the iterates: see docs/theory/rates.md.

    When this fails: an equality of irrational numbers, a tie along the iterates at which derivatives differ, and for
    all k a bound that decreases as fast as the errors where no quadratic form attains their rate.
    """

    quantity: Any
    bound: Any
    upto: Any
    norm: Any = "max"
    directions: Any = None
    kind = "rate_bound"

    def __post_init__(self) -> None:
        read_quantity(self.quantity, f"quantity of `{self.kind}`")
        read_norm(self.norm, f"norm of `{self.kind}`")
        last = read_upto(self.upto, f"upto of `{self.kind}`")
        object.__setattr__(self, "bound", read_bound(self.bound, f"bound of `{self.kind}`").text)
        object.__setattr__(self, "upto", "infinity" if last is None else last)
        if self.directions is not None and self.quantity == "iterates":
            raise InputError('directions of `rate_bound`: iterates have none; write quantity = "derivatives"')
        object.__setattr__(self, "directions", read_directions(self.directions, self.kind))

    @cached_property
    def read(self) -> Bound:
        """The bound."""
        return read_bound(self.bound, f"bound of `{self.kind}`")

    def fields(self) -> dict[str, Any]:
        return {"quantity": self.quantity, "bound": self.bound, "upto": self.upto, "norm": self.norm}

    def statement(self, subject: Subject) -> str:
        where = "for every k" if self.upto == "infinity" else f"for k = 0, …, {self.upto}"
        return f"the error of the {self.quantity} is at most {self.bound} {where}, in the {NORM_NAMES[self.norm]}"

    # -- deciding -----------------------------------------------------------------------------------------------------

    def decide(self, subject: Subject) -> Verdict:
        require_start(subject.required_iteration(self.kind))
        if self.directions is not None:
            raise InputError("directions of `rate_bound`: they are for maps made of layers; remove them")
        sequence = self._sequence(subject)
        if self.upto != "infinity":
            return self._compared(subject, sequence, self._compare(subject, sequence, self.upto))
        found = self._compare(subject, sequence, FIRST_RANGE)
        if found.violation is not None:
            return self._compared(subject, sequence, found)
        try:
            upper = self._tail(subject, sequence)
        except UnknownError as error:
            return self._not_for_all(subject, sequence, found, error)
        start = upper.tail.start
        if start > found.proved_upto and not found.reason:
            found = self._compare(subject, sequence, start)
        if found.violation is not None or found.proved_upto < start:
            return self._compared(subject, sequence, found)
        return self._for_all(subject, sequence, found, upper)

    def _sequence(self, subject: Subject) -> ErrorSequence:
        sequence = ErrorSequence(limit_at(subject), self.quantity, self.norm)
        if sequence.of_derivatives:
            _ = sequence.limit.matrix
        return sequence

    def _compare(self, subject: Subject, sequence: ErrorSequence, upto: int) -> Comparison:
        def out_of_time() -> bool:
            return subject.remaining <= 0

        return compare_with_bound(sequence, self.read, upto, out_of_time=out_of_time, progress=subject.tell)

    def _tail(self, subject: Subject, sequence: ErrorSequence) -> UpperTail | CurvedUpper:
        """What holds from some index on.

        Raises
        ------
        UnknownError
            When no certificate gives a rate at which the bound is reached.
        """
        ratio = slowest_ratio(self.read)
        if ratio is None:
            raise UnknownError("the bound must be a sum of terms c*k**d*r**k, one of them positive")
        return (curved_tail if is_curved(subject, sequence) else upper_tail)(subject, sequence, self.read, ratio)

    # -- verdicts -----------------------------------------------------------------------------------------------------

    def _compared(self, subject: Subject, sequence: ErrorSequence, found: Comparison) -> Verdict:
        derivation = self._derivation(subject, sequence, found)
        try:
            return self._certified(subject, sequence, found, derivation)
        except IrrationalError as error:
            fails = "" if found.violation is None else f"; the bound fails at k = {found.violation}"
            return undecided_bound(self.kind, self.statement(subject), found, derivation, f"{error}{fails}")

    def _certified(
        self, subject: Subject, sequence: ErrorSequence, found: Comparison, derivation: Derivation
    ) -> Verdict:
        witness: dict[str, Any] = {"method": "evaluation", "bits": found.bits, **self._matrix(sequence)}
        if found.violation is not None:
            return self._refuted(subject, sequence, found, derivation, {**witness, "violation": found.violation})
        if found.reason:
            return undecided_bound(self.kind, self.statement(subject), found, derivation, found.reason)
        statement = self.statement(subject)
        return Proved(
            self.kind,
            statement,
            f"the error is at most the bound for k = 0, …, {found.proved_upto}",
            {"proved_upto": str(found.proved_upto)},
            "each error and the bound were enclosed closely enough to compare them"
            + (", or compared over the rationals" if found.equalities else ""),
            derivation,
            certificate=certify(self, "proved", statement, self._parts(subject), witness),
        )

    def _refuted(
        self,
        subject: Subject,
        sequence: ErrorSequence,
        found: Comparison,
        derivation: Derivation,
        witness: dict[str, Any],
    ) -> Verdict:
        k, statement = found.violation, self.statement(subject)
        error, value = error_and_bound(sequence, self.read, k, found.bits)
        beyond = f"at k = {k} the error is at least {error} and the bound at most {value}"
        return Refuted(
            self.kind,
            statement,
            beyond,
            {"first_violation": str(k), "proved_upto": str(found.proved_upto)} if k else {"first_violation": str(k)},
            f"at k = {k} the error exceeds the bound" + (", and at no smaller k" if k else ""),
            derivation,
            certificate=certify(self, "refuted", statement, self._parts(subject), witness),
        )

    def _not_for_all(
        self, subject: Subject, sequence: ErrorSequence, found: Comparison, error: UnknownError
    ) -> Verdict:
        """Refute the claim at a larger k, or say how far it was proved."""
        if found.reason:
            return self._compared(subject, sequence, found)
        upto = found.proved_upto
        while upto < _LAST_RANGE and subject.remaining > 0:
            upto = min(4 * upto, _LAST_RANGE)
            further = self._compare(subject, sequence, upto)
            if further.proved_upto > found.proved_upto or further.violation is not None:
                found = further
            if found.violation is not None:
                return self._compared(subject, sequence, found)
            if further.reason:
                break
        derivation = self._derivation(subject, sequence, found)
        return undecided_bound(self.kind, self.statement(subject), found, derivation, f"for all k: {error}")

    def _for_all(
        self, subject: Subject, sequence: ErrorSequence, found: Comparison, upper: UpperTail | CurvedUpper
    ) -> Verdict:
        tail, derivation = upper.tail, self._derivation(subject, sequence, found)
        for step in upper.steps():
            derivation.record(step)
        witness = {**upper.witness(), "from": tail.start, **self._matrix(sequence)}
        if isinstance(upper, UpperTail):
            late = min(10_000, max(found.bits, 128 + _digits(tail.start, upper.tree.rate)))
            witness["bits"] = found.bits if tail.start <= 200 else late
            witness |= {"couplings": upper.tail.couplings} if sequence.of_derivatives else {}
        statement = self.statement(subject)
        constant = decimals_above(tail.constant)
        return Proved(
            self.kind,
            statement,
            "the error is at most the bound for every k",
            {
                "proved_upto": "infinity",
                "from": str(tail.start),
                "rate": str(tail.rate),
                "constant": str(tail.constant),
                **({"slope": str(tail.slope)} if tail.slope else {}),
            },
            f"it was compared up to k = {tail.start}, and from there on errors of at most {constant} decrease at the "
            f"rate {tail.rate}, and the bound does not decrease faster",
            derivation,
            certificate=certify(self, "proved", statement, subject.certificate_parts(subject.active), witness),
        )

    # -- parts --------------------------------------------------------------------------------------------------------

    def _derivation(self, subject: Subject, sequence: ErrorSequence, found: Comparison) -> Derivation:
        derivation = subject.opening(pieces=not subject.is_irrational)
        error = value = ""
        if found.violation is not None:
            error, value = error_and_bound(sequence, self.read, found.violation, found.bits)
        derivation.record(
            ComparedStep(
                self.quantity,
                self.norm,
                self.read.expression,
                found.proved_upto,
                found.violation,
                error,
                value,
                found.bits,
                found.equalities,
                found.closest,
                sequence.limit.exact_matrix if sequence.of_derivatives else None,
            )
        )
        return derivation

    def _parts(self, subject: Subject) -> dict[str, Any]:
        parts = subject.certificate_parts()
        return parts if self.quantity == "derivatives" else {k: v for k, v in parts.items() if k != "pieces"}

    def _matrix(self, sequence: ErrorSequence) -> dict[str, Any]:
        if not sequence.of_derivatives or sequence.limit.exact_matrix is None:
            return {}
        return {"matrix": sequence.limit.exact_matrix}


def error_and_bound(sequence: Any, bound: Bound, k: int, bits: int) -> tuple[str, str]:
    """Return the error at k rounded down, and the bound rounded up, to digits that tell them apart."""
    return told_apart(lambda precision: (sequence.run(precision).error(k), bound.ball(k, precision)), bits)


def undecided_bound(
    kind: str,
    statement: str,
    found: Comparison,
    derivation: Derivation,
    reason: str,
    tried: tuple[str, ...] = ("balls of growing precision", "rational numbers"),
) -> Undecided:
    """Say up to where a bound was proved, and why not further."""
    known = f"; the bound holds for k = 0, …, {found.proved_upto}" if found.proved_upto >= 0 else ""
    return Undecided(
        kind,
        statement,
        reason + known,
        {"proved_upto": str(found.proved_upto)} if found.proved_upto >= 0 else {},
        reason,
        derivation,
        tried=tried,
    )


def _digits(k: int, rate: fmpq) -> int:
    """How many binary digits an error has before its first one, after k steps at a rate."""
    return int(-k * math.log2(float(rate)))

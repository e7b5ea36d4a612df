"""The claim that one expression in k and sequences of errors is at most another one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from flint import arb, fmpq_mat

from piggycheck.claims.base import Claim, certify, told_apart
from piggycheck.claims.comparison_tail import ComparisonTail, for_every_k
from piggycheck.claims.measured import Measured, describe, measured
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import Derivation, SidesStep
from piggycheck.errors import InputError, IrrationalError, UnknownError
from piggycheck.rates.bounds import Bound
from piggycheck.rates.comparing import compare_sides, read_sides
from piggycheck.rates.decide import Comparison
from piggycheck.rates.derived import DerivedErrors
from piggycheck.rates.errors import read_norm, read_upto
from piggycheck.rates.limit import rational_or_none, require_start
from piggycheck.rates.sequences import Estimate
from piggycheck.render.formula import NORM_NAMES

__all__ = ["ErrorComparison"]

_FIRST_RANGE = 500
_LAST_RANGE = 20_000


@dataclass(frozen=True)
class ErrorComparison(Claim):
    """One expression in k and sequences of errors is at most another one, for k from a first one to a last.

    Parameters
    ----------
    left, right : str
        Expressions in k and names of sequences. Known are "iterates", "derivatives", "one_step" and "implicit".
    upto : int, text or "infinity"
        The last k.
    first : int
        The first k; in a case it is called `from`.
    norm : "max", "frobenius" or "spectral"
        In which sequences are measured that have no norm of their own.
    sequences : mapping, optional
        From further names to what they measure: see `piggycheck.rates.sequences.Estimate`.

    Raises
    ------
    InputError
        When a side is outside the grammar, a sequence is not described or makes no sense, or the range is none.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> from piggycheck.claims import prove
    >>> descent = gradient_descent("x**2/20", ["x"], "s", parameters=["s"], start=[1])
    >>> prove(ErrorComparison("derivatives", "10*iterates", 95), descent, {"s": "1/2"}).name
    'proved'
    >>> prove(ErrorComparison("derivatives", "10*iterates", 200), descent, {"s": "1/2"}).value["first_violation"]
    '96'

    Notes
    -----
    For a finite range the claim is decided outright, in balls with as many digits as each k needs, and exactly where
    both sides are equal. Source: docs/theory/comparisons.md.

    For every k the left side is a multiple of one sequence, or a term ``c*r**k``, and what the right side names is
    bounded from below by left eigenvectors that all pieces near the fixed point share.

    When this fails: an equality of irrational numbers, a tie along the iterates at which derivatives differ, and for
    every k sequences on the right whose slowest eigenvalue is irrational or complex.
    """

    left: Any
    right: Any
    upto: Any
    first: Any = field(default=0, metadata={"name": "from"})
    norm: Any = "max"
    sequences: Any = None
    kind = "error_comparison"

    def __post_init__(self) -> None:
        read_norm(self.norm, f"norm of `{self.kind}`")
        last, first = read_upto(self.upto, f"upto of `{self.kind}`"), _first(self.first)
        if last is not None and last < first:
            raise InputError(f"upto of `{self.kind}`: `{last}` is before the first k, {first}; write a larger one")
        object.__setattr__(self, "first", first)
        object.__setattr__(self, "upto", "infinity" if last is None else last)
        left, right, _ = self._read
        object.__setattr__(self, "left", left.text)
        object.__setattr__(self, "right", right.text)

    @cached_property
    def _read(self) -> tuple[Bound, Bound, dict[str, Estimate]]:
        return read_sides(self.left, self.right, self.sequences, self.norm)

    @property
    def sides(self) -> tuple[Bound, Bound]:
        """Both sides."""
        return self._read[:2]

    @property
    def estimates(self) -> dict[str, Estimate]:
        """The sequences that occur."""
        return self._read[2]

    def fields(self) -> dict[str, Any]:
        return {
            "left": self.left,
            "right": self.right,
            "from": self.first,
            "upto": self.upto,
            "norm": self.norm,
            "sequences": {name: estimate.fields(self.norm) for name, estimate in self.estimates.items()},
        }

    def statement(self, subject: Subject) -> str:
        where = f"for every k from {self.first} on" if self.first else "for every k"
        if self.upto != "infinity":
            where = f"for k = {self.first}, …, {self.upto}"
        told = [f"{name} is {describe(one, self.norm)}" for name, one in self.estimates.items()]
        return f"{where}, {self.left} is at most {self.right} in the {NORM_NAMES[self.norm]}, where {'; '.join(told)}"

    # -- deciding -----------------------------------------------------------------------------------------------------

    def decide(self, subject: Subject) -> Verdict:
        require_start(subject.required_iteration(self.kind))
        found = measured(subject, self.estimates)
        if self.upto != "infinity":
            return self._compared(subject, found, *self._compare(subject, found, self.upto))
        compared, before = self._compare(subject, found, self.first + _FIRST_RANGE)
        if compared.violation is not None:
            return self._compared(subject, found, compared, before)
        try:
            sides = {name: (one.subject, one.errors) for name, one in found.items()}
            tail = for_every_k(subject, *self.sides, sides, self.first)
        except UnknownError as error:
            return self._not_for_all(subject, found, compared, before, str(error))
        if tail.start > compared.proved_upto and not compared.reason:
            compared, before = self._compare(subject, found, tail.start)
        if compared.violation is not None or compared.proved_upto < tail.start:
            return self._compared(subject, found, compared, before)
        return self._for_all(subject, found, compared, before, tail)

    def _compare(self, subject: Subject, found: Mapping[str, Measured], upto: int) -> tuple[Comparison, int | None]:
        return compare_sides(
            *self.sides,
            {name: one.errors for name, one in found.items()},
            self.first,
            upto,
            out_of_time=lambda: subject.remaining <= 0,
            progress=subject.tell,
        )

    def _not_for_all(
        self,
        subject: Subject,
        found: Mapping[str, Measured],
        compared: Comparison,
        before: int | None,
        reason: str,
    ) -> Verdict:
        """Refute the claim at a larger k, or say how far it was proved."""
        if compared.reason:
            return self._compared(subject, found, compared, before)
        upto = compared.proved_upto
        while upto < _LAST_RANGE and subject.remaining > 0:
            upto = min(4 * upto, _LAST_RANGE)
            further, _ = self._compare(subject, found, upto)
            if further.proved_upto > compared.proved_upto or further.violation is not None:
                compared = further
            if compared.violation is not None:
                return self._compared(subject, found, compared, before)
            if further.reason:
                break
        return self._undecided(subject, found, compared, before, f"for all k: {reason}")

    # -- verdicts -----------------------------------------------------------------------------------------------------

    def _compared(
        self, subject: Subject, found: Mapping[str, Measured], compared: Comparison, before: int | None
    ) -> Verdict:
        try:
            return self._certified(subject, found, compared, before)
        except IrrationalError as error:
            fails = "" if compared.violation is None else f"; it fails at k = {compared.violation}"
            return self._undecided(subject, found, compared, before, f"{error}{fails}")

    def _certified(
        self, subject: Subject, found: Mapping[str, Measured], compared: Comparison, before: int | None
    ) -> Verdict:
        if compared.violation is not None:
            return self._refuted(subject, found, compared, before)
        if compared.reason:
            return self._undecided(subject, found, compared, before, compared.reason)
        statement = self.statement(subject)
        return Proved(
            self.kind,
            statement,
            f"the left side is at most the right side for k = {self.first}, …, {compared.proved_upto}"
            + ("" if before is None else f", and {'not ' if before > 0 else 'also '}at k = {self.first - 1}"),
            self.value(compared, before),
            "both sides were enclosed closely enough to compare them at every k"
            + (", or compared exactly" if compared.equalities else ""),
            self.derivation(subject, found, compared, before),
            certificate=certify(self, "proved", statement, subject.map_parts(), self.witness(found, compared)),
        )

    def _for_all(
        self,
        subject: Subject,
        found: Mapping[str, Measured],
        compared: Comparison,
        before: int | None,
        tail: ComparisonTail,
    ) -> Verdict:
        derivation, statement = self.derivation(subject, found, compared, before), self.statement(subject)
        for step in tail.steps:
            derivation.record(step)
        until = f"at k = {tail.start}" if tail.start == self.first else f"for k = {self.first}, …, {tail.start}"
        witness = {
            "method": "tails",
            "bits": tail.bits(compared.bits),
            "start": tail.start,
            "limits": {name: one.witness(active=True) for name, one in found.items()},
            **tail.witness,
        }
        return Proved(
            self.kind,
            statement,
            f"the left side is at most the right side for every k from {self.first} on"
            + ("" if before is None else f", and {'not ' if before > 0 else 'also '}at k = {self.first - 1}"),
            {**self.value(compared, before), "proved_upto": "infinity", "tail_from": str(tail.start)},
            f"both sides were compared {until}, and from there on a bound of the left side from above "
            "is below one of the right side from below",
            derivation,
            certificate=certify(self, "proved", statement, subject.map_parts(), witness),
        )

    def _refuted(
        self, subject: Subject, found: Mapping[str, Measured], compared: Comparison, before: int | None
    ) -> Verdict:
        k, statement = compared.violation, self.statement(subject)
        derivation = self.derivation(subject, found, compared, before)
        step = derivation.first(SidesStep)
        witness = {**self.witness(found, compared), "violation": k}
        return Refuted(
            self.kind,
            statement,
            f"at k = {k} the left side is at least {step.low} and the right side at most {step.high}",
            {"first_violation": str(k), **({"proved_upto": str(k - 1)} if k > self.first else {})},
            f"at k = {k} the left side exceeds the right one" + (", and at no smaller k" if k > self.first else ""),
            derivation,
            certificate=certify(self, "refuted", statement, subject.map_parts(), witness),
        )

    def _undecided(
        self,
        subject: Subject,
        found: Mapping[str, Measured],
        compared: Comparison,
        before: int | None,
        reason: str,
    ) -> Verdict:
        known = compared.proved_upto >= self.first
        return Undecided(
            self.kind,
            self.statement(subject),
            reason + (f"; it holds for k = {self.first}, …, {compared.proved_upto}" if known else ""),
            self.value(compared, before) if known else {},
            reason,
            self.derivation(subject, found, compared, before),
            tried=("balls of growing precision", "exact numbers"),
        )

    # -- parts --------------------------------------------------------------------------------------------------------

    def value(self, compared: Comparison, before: int | None) -> dict[str, str]:
        """What is answered: how far the claim was proved, and whether it begins as early as it can."""
        sharp = {} if before is None else {"sharp_from": "true" if before > 0 else "false"}
        return {"proved_upto": str(compared.proved_upto), **sharp}

    def witness(self, found: Mapping[str, Measured], compared: Comparison) -> dict[str, Any]:
        """What the checker needs to compare both sides itself."""
        limits = {name: one.witness() for name, one in found.items()}
        return {"method": "evaluation", "bits": compared.bits, "limits": limits}

    def derivation(
        self, subject: Subject, found: Mapping[str, Measured], compared: Comparison, before: int | None
    ) -> Derivation:
        """Tell what was compared, and what was found."""
        derivation = subject.opening(pieces=_has_own(subject, found) and not subject.is_irrational)
        low = high = ""
        if compared.violation is not None:
            low, high = self._at(found, compared.violation, compared.bits)
        left, right = self.sides
        derivation.record(
            SidesStep(
                left.expression,
                right.expression,
                tuple(_told(subject, one, self.norm) for one in found.values()),
                self.norm,
                self.first,
                compared.proved_upto,
                compared.violation,
                low,
                high,
                compared.bits,
                compared.equalities,
                compared.closest,
                before,
                self.estimates,
            )
        )
        return derivation

    def _at(self, found: Mapping[str, Measured], k: int, bits: int) -> tuple[str, str]:
        """The left side at k rounded down, and the right one rounded up, to digits that tell them apart."""

        def both(precision: int) -> tuple[arb, arb]:
            errors = {name: one.errors.run(precision).error(k) for name, one in found.items()}
            left, right = (side.ball(k, precision, {name: errors[name] for name in side.names}) for side in self.sides)
            return left, right

        return told_apart(both, bits)


def _first(value: Any) -> int:
    """Read the first k."""
    try:
        first = read_upto(value, "from")
    except InputError:
        first = None
    if first is None:
        raise InputError(
            f"from of `error_comparison`: `{str(value)[:60]}` is not a first k; write an integer from 0 on"
        )
    return first


def _has_own(subject: Subject, found: Mapping[str, Measured]) -> bool:
    """Whether a sequence is about the claim's own parameters."""
    return any(one.subject is subject for one in found.values())


def _told(subject: Subject, one: Measured, norm: str) -> tuple[str, str, Any, Any]:
    limit, matrix = one.errors.limit, None
    point = None if one.subject is subject else {str(v): c for v, c in limit.point.state.items()}
    if one.estimate.of_derivatives:
        matrix = limit.exact_matrix
        if isinstance(one.errors, DerivedErrors) and one.estimate.output is not None:
            entries = rational_or_none(one.errors.target)
            matrix = None if entries is None else fmpq_mat(*one.errors.target.shape, entries)
    return one.estimate.name, describe(one.estimate, norm), point, matrix

"""Bounds on the errors of iterates of a structured map, or of their derivatives in some directions."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flint import arb, arb_mat, fmpq

from piggycheck.claims.base import decimals_above
from piggycheck.claims.directions import Chosen
from piggycheck.claims.enclosed.derivative import in_directions
from piggycheck.claims.enclosed.errors import LayeredErrors, LayeredRun
from piggycheck.claims.enclosed.facts import derivative_step, witness
from piggycheck.claims.enclosed.subject import EnclosedSubject
from piggycheck.claims.enclosed.verdicts import certified
from piggycheck.claims.rate_bound import FIRST_RANGE, RateBound, error_and_bound, undecided_bound
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import ComparedStep, Derivation, FromStartStep, TailStep
from piggycheck.enclosures import ConvergenceFromStart, LimitEnclosure, Rate, Tie, convergence_from_start, rate_at
from piggycheck.enclosures.contraction import rounded_up
from piggycheck.errors import UnknownError
from piggycheck.maps.affinity import affine_nodes
from piggycheck.rates.decide import Comparison, compare_with_bound
from piggycheck.rates.floor import Floor
from piggycheck.rates.limit import require_start

__all__ = ["decide_rate_bound", "rate_bound_statement"]

_MOST_BITS = 4096
_MOST_STEPS = 20_000
_TAIL_BITS = 256


def decide_rate_bound(claim: RateBound, subject: EnclosedSubject) -> Verdict:
    """Compare the errors with the bound in balls; for all k, the map contracts near its fixed point.

    What that leaves open of small maps is asked of the map written out, where numbers are rational.
    """
    require_start(subject.iteration)
    open_: UnknownError | None = None
    verdict: Verdict | None = None
    try:
        verdict = _Decision(claim, subject).verdict()
        if not isinstance(verdict, Undecided):
            return verdict
    except UnknownError as error:
        open_ = error
    written_out = _written_out(claim, subject)
    if written_out is not None and (verdict is None or not isinstance(written_out, Undecided)):
        return written_out
    if verdict is None:
        raise open_ or UnknownError("nothing was decided")
    return verdict


def _written_out(claim: RateBound, subject: EnclosedSubject) -> Verdict | None:
    """What is known of the map written out; None where it is large, or single directions are asked for."""
    if claim.quantity == "derivatives" and len(subject.chosen(claim.kind, claim.directions)) < subject.map.columns:
        return None
    if claim.directions is not None or not subject.is_small:
        return None
    try:
        found = subject.found()
        return claim.decide(subject.at_tie(found) if isinstance(found, Tie) else subject.symbolic())
    except UnknownError:
        return None


def rate_bound_statement(claim: RateBound, subject: EnclosedSubject) -> str:
    """Say what is claimed."""
    statement = claim.statement(subject)
    if claim.quantity == "iterates":
        return statement
    where = in_directions(subject.chosen(claim.kind, claim.directions))
    return statement.replace("of the derivatives", f"of the derivatives {where}", 1)


@dataclass(frozen=True)
class _Approach:
    """Why the iterates converge to the enclosed fixed point: from the start, or since one of them is near it."""

    arrival: ConvergenceFromStart | None


@dataclass(frozen=True)
class _Tail:
    """From `start` on the errors are at most ``constant * rate^n``, ``n = k - start``, and below the bound.

    Attributes
    ----------
    start : int
        The iterate before is in the ball on which the map contracts.
    rate, constant : fmpq
    of_kept : Rate or None
        Why, where it is the rate of the coordinates that are not constant on the ball.
    """

    start: int
    rate: fmpq
    constant: fmpq
    of_kept: Rate | None

    @property
    def norm(self) -> str:
        """The norm in which errors decrease."""
        if self.of_kept is None:
            return "the Euclidean norm"
        which = "the Euclidean norm" if self.of_kept.form is None else "the norm of a quadratic form"
        return f"{which} of the coordinates that are not constant there"


class _Decision:
    """One claim about one map."""

    def __init__(self, claim: RateBound, subject: EnclosedSubject):
        self.claim, self.subject = claim, subject
        derivatives = claim.quantity == "derivatives"
        self.chosen: Chosen | None = subject.chosen(claim.kind, claim.directions) if derivatives else None
        if derivatives and subject.start_moves:
            raise UnknownError(
                "the start depends on the parameters, and certificates of `rate_bound` hold starts that do not"
            )
        subject.limit(self.chosen)
        self.errors = LayeredErrors(subject, claim.norm, self.chosen)

    # -- deciding -----------------------------------------------------------------------------------------------------

    def verdict(self) -> Verdict:
        if self.claim.upto != "infinity":
            if self.claim.upto > _MOST_STEPS:
                raise UnknownError(f"certificates about maps made of layers follow at most {_MOST_STEPS} steps")
            return self.compared(self.compare(self.claim.upto))
        found = self.compare(FIRST_RANGE)
        if found.violation is not None or found.reason:
            return self.compared(found)
        try:
            tail = self.tail()
        except UnknownError as error:
            further = self.compare(_MOST_STEPS)
            if further.violation is not None:
                return self.compared(further)
            found = max(found, further, key=lambda comparison: comparison.proved_upto)
            return self.undecided(found, f"for all k: {error}")
        if tail.start > FIRST_RANGE:
            found = self.compare(tail.start)
            if found.violation is not None or found.reason:
                return self.compared(found)
        return self.for_all(replace(found, proved_upto=tail.start), tail)

    def compare(self, upto: int) -> Comparison:
        return compare_with_bound(
            self.errors,
            self.claim.read,
            upto,
            most_bits=_MOST_BITS,
            out_of_time=lambda: self.subject.remaining <= 0,
            progress=self.subject.tell,
        )

    def tail(self) -> _Tail:
        """What holds from some index on: in the ball around the fixed point each step shrinks the error.

        Raises
        ------
        UnknownError
            When the bound decreases faster, or derivatives are asked for and the piece is not affine.
        """
        limit, floor = self.errors.limit(_TAIL_BITS), Floor.of(self.claim.read)
        if self.errors.of_derivatives and not self.is_affine(limit):
            raise UnknownError("derivatives are followed on a piece that is affine in state and parameters together")
        rate, of_kept = limit.contraction.factor, None
        if not floor.reaches(rate):
            of_kept = _rate_of_kept(limit)
            of_kept = None if of_kept is None or of_kept.bound >= rate else of_kept
            rate = rate if of_kept is None else of_kept.bound
        if rate == 0:
            raise UnknownError("errors that vanish after finitely many steps are bounded for a range alone")
        if not floor.reaches(rate):
            raise UnknownError(f"the bound decreases faster than the certified rate {rate}")
        run = self.errors.run(_TAIL_BITS)
        k, step = self.inside(run) + 1, 1
        while k <= _MOST_STEPS and self.subject.remaining > 0:
            run.go_to(k)
            with limit.arrays.precision():
                sums, size = floor.sums(k, rate), _size(run.matrix(), of_kept, limit)
                if sums is not None and size <= sums[0] and sums[1] >= 0:
                    return _Tail(k, rate, rounded_up(size, 9), of_kept)
            k, step = k + step, max(step, k // 8)
        raise UnknownError(f"the errors are not far enough below the bound up to k = {k}")

    def is_affine(self, limit: LimitEnclosure) -> bool:
        """Whether the piece at the limit is affine in state and parameters together."""
        map_ = self.subject.map
        signs = limit.problem.over(limit.arrays).by_node(limit.signature)
        return map_.next in affine_nodes(map_.nodes, signs)

    def inside(self, run: LayeredRun) -> int:
        """The first index of an iterate in the ball on which the map contracts.

        Raises
        ------
        UnknownError
            When none is in reach.
        """
        for k in range(_MOST_STEPS):
            run.go_to(k)
            if is_inside(run):
                return k
        raise UnknownError(f"no iterate up to k = {_MOST_STEPS} is near enough to the fixed point")

    # -- verdicts -----------------------------------------------------------------------------------------------------

    def compared(self, found: Comparison) -> Verdict:
        if found.violation is None and found.reason:
            return self.undecided(found, found.reason)
        last = self.claim.upto if found.violation is None else found.violation
        limit = self.errors.limit(found.bits)
        approach = self.approach(limit, last, found.bits)
        derivation = self.derivation(limit, found, approach)
        parts = self.witness(limit, approach)
        if found.violation is None:
            return self.certified(
                Proved,
                f"the error is at most the bound for k = 0, …, {found.proved_upto}",
                {"proved_upto": str(found.proved_upto)},
                "each error was enclosed closely enough to compare it with the bound",
                derivation,
                parts,
            )
        k = found.violation
        error, value = error_and_bound(self.errors, self.claim.read, k, found.bits)
        return self.certified(
            Refuted,
            f"at k = {k} the error is at least {error} and the bound at most {value}",
            {"first_violation": str(k), "proved_upto": str(found.proved_upto)} if k else {"first_violation": str(k)},
            f"at k = {k} the error exceeds the bound" + (", and at no smaller k" if k else ""),
            derivation,
            {**parts, "violation": k},
        )

    def for_all(self, found: Comparison, tail: _Tail) -> Verdict:
        limit = self.errors.limit(max(found.bits, _TAIL_BITS))
        derivation = self.derivation(limit, found, _Approach(None))
        derivation.record(TailStep(tail.start, tail.rate, tail.constant, fmpq(0), False, ball=tail.norm))
        constant = decimals_above(tail.constant)
        return self.certified(
            Proved,
            "the error is at most the bound for every k",
            {
                "proved_upto": "infinity",
                "from": str(tail.start),
                "rate": str(tail.rate),
                "constant": constant,
            },
            f"it was compared up to k = {tail.start}, and from there on errors of at most {constant} decrease at the "
            f"rate {tail.rate}, and the bound does not decrease faster",
            derivation,
            {**self.witness(limit, _Approach(None)), "from": tail.start}
            | ({} if tail.of_kept is None else {"rate": tail.rate})
            | ({} if tail.of_kept is None or tail.of_kept.form is None else {"form": tail.of_kept.form}),
        )

    def undecided(self, found: Comparison, reason: str) -> Undecided:
        return undecided_bound(
            self.claim.kind,
            rate_bound_statement(self.claim, self.subject),
            found,
            self.subject.opening(),
            reason,
            ("balls of growing precision",),
        )

    # -- parts --------------------------------------------------------------------------------------------------------

    def approach(self, limit: LimitEnclosure, last: int, bits: int) -> _Approach:
        """Prove that the iterates converge to the fixed point from which their errors are measured.

        Raises
        ------
        UnknownError
            When it is not proved.
        """
        try:
            return _Approach(convergence_from_start(limit))
        except UnknownError as error:
            run = self.errors.run(bits)
            run.go_to(last)
            if is_inside(run):
                return _Approach(None)
            raise UnknownError(f"what errors are measured from is not known: {error}") from None

    def derivation(self, limit: LimitEnclosure, found: Comparison, approach: _Approach) -> Derivation:
        derivation = self.subject.opening()
        labels = ()
        if self.chosen is not None:
            labels = self.chosen.labels
            derivation.record(derivative_step(self.subject.limit(self.chosen), labels))
        if approach.arrival is not None:
            arrival = approach.arrival
            derivation.record(
                FromStartStep(arrival.distance, arrival.lipschitz, arrival.inner, arrival.contraction.factor)
            )
        error = value = ""
        if found.violation is not None:
            error, value = error_and_bound(self.errors, self.claim.read, found.violation, found.bits)
        derivation.record(
            ComparedStep(
                self.claim.quantity,
                self.claim.norm,
                self.claim.read.expression,
                found.proved_upto,
                found.violation,
                error,
                value,
                found.bits,
                found.equalities,
                found.closest,
                directions=labels,
                along=self.chosen,
            )
        )
        return derivation

    def witness(self, limit: LimitEnclosure, approach: _Approach) -> dict[str, Any]:
        arrival = approach.arrival
        parts = witness(limit, None if arrival is None else arrival.contraction)
        if arrival is not None:
            parts["lipschitz"] = arrival.lipschitz
        if self.chosen is None:
            return {**parts, "error": limit.error}
        along = {"directions": self.chosen.text(), "derivative": limit.derivative}
        return {**parts, **along, "error": limit.derivative_error}

    def certified(
        self, kind: Any, found: str, value: dict[str, Any], reason: str, derivation: Derivation, parts: dict[str, Any]
    ) -> Verdict:
        claim, chosen = self.claim, self.chosen
        return certified(
            kind,
            claim,
            self.subject,
            statement=rate_bound_statement(claim, self.subject),
            found=found,
            value=value,
            reason=reason,
            derivation=derivation,
            witness=parts,
            fields={**claim.fields(), "directions": None if chosen is None else chosen.text()},
        )


def _rate_of_kept(limit: LimitEnclosure) -> Rate | None:
    """Bound the norm of the derivative on the ball in the coordinates that are not constant there, or in a form's."""
    try:
        rate = rate_at(replace(limit, error=limit.contraction.radius))
    except UnknownError:
        return None
    return rate if rate.by == "jacobian" else None


def _size(M: arb_mat, of_kept: Rate | None, limit: LimitEnclosure) -> arb:
    """Bound the norm of errors in which they decrease: for a form P >= I it is above the Euclidean one."""
    if of_kept is None or of_kept.form is None:
        return limit.arrays.length(M)
    kept = arb_mat([[M[i, j] for j in range(M.ncols())] for i in of_kept.kept])
    return (kept.transpose() * (arb_mat(of_kept.form) * kept)).trace().upper().sqrt().upper()


def is_inside(run: LayeredRun) -> bool:
    """Whether the iterate of a run is so near the fixed point that the next ones come nearer and nearer."""
    limit, x = run.limit, run.step.x
    with limit.arrays.precision():
        away = limit.arrays.length(x.centre - limit.arrays.matrix(limit.point)) + x.spread
        return bool(away + 2 * arb(limit.error) <= arb(limit.contraction.radius))

"""The exact rate along one smooth piece that is not affine: in one state variable, or where A is nilpotent."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import fmpq, fmpq_mat, fmpq_poly

from piggycheck.arithmetic import ALGEBRAIC, sign
from piggycheck.claims.dominant_rate import Cone, find_cone, moving_factor
from piggycheck.claims.subject import Subject
from piggycheck.claims.tails import rational_below
from piggycheck.claims.trap import Trap, find_trap
from piggycheck.derivation import CurvedTailStep, Step
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.linalg import identity
from piggycheck.rates.algebraic import AlgebraicNumber
from piggycheck.rates.bounds import Bound
from piggycheck.rates.curved import Curve, CurvedTail, Followed, decays_like_its_slope, find_curved_tail, follow
from piggycheck.rates.errors import ErrorSequence
from piggycheck.rates.floor import Floor
from piggycheck.rates.limit import Limit
from piggycheck.rates.pieces import affine_piece
from piggycheck.rates.transient import Transient, observe
from piggycheck.rates.walk import TieError
from piggycheck.stability import Contractive, WordTree

__all__ = ["CurvedRate", "CurvedUpper", "curved_rate", "curved_tail", "is_curved", "trapped"]

_TRAPPED = fmpq(3, 4)
_FIRST_BITS = 128
_MOST_BITS = 8192


@dataclass(frozen=True)
class CurvedRate:
    """An asymptotic linear rate along a piece that is not affine, and why it is that.

    Attributes
    ----------
    quantity : "iterates" or "derivatives"
    method : "curved", "nilpotent" or "dominant"
        In one state variable; or in any number of them, where a power of A is zero, or by a cone.
    A : fmpq_mat
    rate : AlgebraicNumber
        The size of A, 0, or the largest modulus of an eigenvalue of A.
    power : int or None
        The n of errors that decay like ``k^n rate^k``; None where it is not known.
    vanishes : bool
        Whether the errors are zero from the index on.
    limit : fmpq_mat or None
        What the derivatives tend to.
    proof, trap : WordTree and Trap, or None
        In several state variables.
    about : Limit or None
        The iteration and its fixed point, where there is a start.
    followed : Followed or None
        The errors at an index from which on the iterates stay where the map contracts; in one state variable.
    cone : Cone or None
        What shows, in several state variables, that the iterates excite the leading eigenvalues of A.
    leading : fmpq_poly or None
        For derivatives, a polynomial with these eigenvalues as roots, which change with a parameter.
    """

    quantity: str
    method: str
    A: fmpq_mat
    rate: AlgebraicNumber
    power: int | None = 0
    vanishes: bool = False
    limit: fmpq_mat | None = None
    proof: WordTree | None = None
    trap: Trap | None = None
    about: Limit | None = None
    followed: Followed | None = None
    cone: Cone | None = None
    leading: fmpq_poly | None = None

    @property
    def iteration(self) -> int | None:
        """The index from which on the iterates stay near the fixed point; None without a start."""
        if self.followed is not None:
            return self.followed.k
        return None if self.trap is None else self.trap.iteration

    @cached_property
    def transient(self) -> Transient | None:
        """What a run at high precision shows; None where there is nothing to see."""
        if self.about is None or self.rate.upper == 0:
            return None
        excited = 1 if self.cone is None else self.cone.excited
        return observe(self.about, self.quantity, self.rate, ((self.power or 0) + 1) * excited)

    def witness(self, rate: AlgebraicNumber | None = None) -> dict[str, Any]:
        """Return the witness of a certificate; the rate may be given between narrower bounds."""
        rate = self.rate if rate is None else rate
        number = {"polynomial": list(rate.polynomial), "lower": rate.lower, "upper": rate.upper}
        witness: dict[str, Any] = {"method": self.method, "number": number}
        if self.proof is not None and self.trap is not None:
            trap = self.trap
            level = {"iteration": trap.iteration, "level": trap.level, "growth": trap.growth, "bits": trap.bits}
            witness = {**self.proof.witness(), **witness, "trap": level}
        if self.cone is not None:
            witness |= {"form": self.cone.form, "threshold": self.cone.threshold}
            witness |= {} if self.cone.factor is None else {"factor": self.cone.factor.coeffs()}
            witness |= {} if self.leading is None else {"leading": self.leading.coeffs(), "matrix": self.limit}
        if self.followed is not None:
            witness |= {"iteration": self.followed.k, "bits": self.followed.bits}
            witness |= {} if self.limit is None else {"matrix": self.limit}
        return witness


def curved_rate(
    subject: Subject, limit: Limit, A: fmpq_mat, quantity: str, columns: Sequence[int] | None, reason: str
) -> CurvedRate:
    """Return the asymptotic rate of errors along the one piece at the fixed point, which is not affine.

    Parameters
    ----------
    subject : Subject
    limit : Limit
    A : fmpq_mat
        The Jacobian in the state, at the fixed point.
    quantity : "iterates" or "derivatives"
    columns : sequence of int, optional
        The parameters in which derivatives count; by default all.
    reason : str
        Why other methods do not apply.

    Raises
    ------
    UnknownError
        When the rate is not known; the message says why.

    Notes
    -----
    Source: docs/theory/curved-rates.md. When this fails: several pieces meet at the fixed point; derivatives in several
    state variables whose leading eigenvalues do not change with a parameter, or are many; errors of derivatives that
    may decay faster than those of the iterates.
    """
    _require_rational(limit)
    derivatives, started = quantity == "derivatives", subject.iteration.start is not None
    if not _is_one_piece(subject, derivatives):
        raise UnknownError(reason)
    X = limit.exact_matrix if derivatives and started else None
    about = limit if started else None
    if A.nrows() > 1:
        if any(entry != 0 for entry in (A ** A.nrows()).entries()):
            return _by_cone(subject, limit, A, quantity, columns, reason)
        trap, proof = find_trap(subject, _shrinking(A), _TRAPPED) if started else (None, None)
        if trap is not None and derivatives:
            _require_matrices(limit, trap.iteration)
        return CurvedRate(quantity, "nilpotent", A, _rational(fmpq(0)), 0, False, X, proof, trap, about)
    a = abs(A[0, 0])
    if not started:
        if not a < 1:
            raise UnknownError(f"the derivative of the map is {A[0, 0]}, so iterates that begin nearby need not stay")
        return CurvedRate(quantity, "curved", A, _rational(a))
    curve = _curve(subject, limit, derivatives, columns)
    sequence = ErrorSequence(limit, quantity, columns=None if columns is None else tuple(columns))
    try:
        found = follow(
            sequence, lambda at: decays_like_its_slope(curve, at) is not None, lambda: subject.remaining <= 0
        )
    except UnknownError as error:
        if any(shift != 0 for shift in curve.shifts) or not curve.has_drifts:
            raise
        raise UnknownError(f"{error}: errors of the derivatives may decay faster than those of the iterates") from None
    like_slope = decays_like_its_slope(curve, found)
    moving = any(shift != 0 for shift in curve.shifts) and found.distance[1] != 0
    return CurvedRate(
        quantity,
        "curved",
        A,
        _rational(a if like_slope else fmpq(0)),
        int(bool(like_slope) and moving),
        not like_slope and a != 0,
        X,
        about=about,
        followed=found,
    )


def _by_cone(
    subject: Subject, limit: Limit, A: fmpq_mat, quantity: str, columns: Sequence[int] | None, reason: str
) -> CurvedRate:
    """The rate of errors, where they are seen to excite the leading eigenvalues of A."""
    if subject.iteration.start is None:
        raise UnknownError(reason)
    derivatives, X = quantity == "derivatives", limit.exact_matrix if quantity == "derivatives" else None
    try:
        leading = None if X is None else moving_factor(subject, A, X, columns)
        cone = find_cone(subject, limit, A)
        if derivatives:
            _require_matrices(limit, cone.trap.iteration)
        if derivatives and (leading is None or cone.factor is not None):
            raise UnknownError("several eigenvalues lead, or the limit of the derivatives is irrational")
    except UnknownError as error:
        raise UnknownError(f"{reason}; that they excite it was not proved: {error}") from None
    power = 1 if derivatives else None if cone.is_defective else 0
    return CurvedRate(
        quantity, "dominant", A, cone.rate, power, False, X, cone.proof, cone.trap, limit, cone=cone, leading=leading
    )


def _require_matrices(limit: Limit, last: int) -> None:
    """Require that every J_k up to an index is one matrix.

    Raises
    ------
    UnknownError
        When pieces with different derivatives meet on the way, or that was not decided.
    """
    sequence, bits = ErrorSequence(limit, "derivatives"), _FIRST_BITS
    while True:
        try:
            sequence.run(bits).go_to(last)
            return
        except TieError:
            raise
        except UnknownError:
            if bits > _MOST_BITS:
                raise
            bits *= 4


def _shrinking(A: fmpq_mat) -> WordTree:
    """A quadratic form that a nilpotent matrix shrinks in one step: that of the sum of ``|2^k A^k v|^2``."""
    P, power = identity(A.nrows()), A
    for k in range(1, A.nrows()):
        P, power = P + power.transpose() * power * fmpq(4) ** k, A * power
    return WordTree(P, fmpq(1, 2), ((0,),), fmpq(1))


@dataclass(frozen=True)
class CurvedUpper:
    """A bound on errors from an index on, along one piece in one state variable that is not affine."""

    curve: Curve
    tail: CurvedTail

    def witness(self) -> dict[str, Any]:
        """Return what a certificate says of it."""
        return {"method": "curved", "rate": self.tail.rate, "bits": self.tail.bits}

    def steps(self) -> Sequence[Step]:
        """Return what a derivation says of it."""
        tail = self.tail
        return (
            CurvedTailStep(
                tail.start, tail.radius, tail.steepest, self.curve.slope, tail.rate, tail.constant, tail.slope
            ),
        )


def is_curved(subject: Subject, sequence: ErrorSequence) -> bool:
    """Whether one piece in one state variable is met at the fixed point, and it is not affine."""
    if len(subject.iteration.map.state) > 1 or not _is_one_piece(subject, sequence.of_derivatives):
        return False
    return affine_piece(sequence.limit, subject.active[0].signature, sequence.of_derivatives) is None


def curved_tail(
    subject: Subject, sequence: ErrorSequence, bound: Bound | Floor, ratio: Any, first: int = 0
) -> CurvedUpper:
    """Find an index from which on errors stay below a bound, where `is_curved` holds.

    Parameters
    ----------
    subject, sequence, bound, ratio, first
        As for `piggycheck.claims.tails.upper_tail`, which serves affine pieces.

    Returns
    -------
    CurvedUpper

    Raises
    ------
    UnknownError
        When the limit is irrational, or no neighbourhood of it contracts at a rate at which the bound is reached.
    """
    _require_rational(sequence.limit)
    if sequence.of_derivatives and sequence.limit.exact_matrix is None:
        raise UnknownError("the limit of the derivatives is irrational")
    curve = _curve(subject, sequence.limit, sequence.of_derivatives, sequence.columns)
    tail = find_curved_tail(sequence, bound, curve, rational_below(ratio), first, lambda: subject.remaining <= 0)
    return CurvedUpper(curve, tail)


def _curve(subject: Subject, limit: Limit, derivatives: bool, columns: Sequence[int] | None) -> Curve:
    return Curve(limit, subject.iteration.map.piece(subject.active[0].signature), derivatives, columns)


def _require_rational(limit: Limit) -> None:
    if not all(c.is_Rational for c in limit.coordinates):
        raise UnknownError(
            "the fixed point is irrational, and errors along curved pieces are followed to rational ones"
        )


def _is_one_piece(subject: Subject, derivatives: bool) -> bool:
    """Whether one piece is met near the fixed point, and no guard vanishes there."""
    if len(subject.active) > 1:
        return False
    map_, point = subject.iteration.map, subject.point.point
    guards = [guard for _, guard in map_.piece(subject.active[0].signature).conditions]
    moving = {*map_.state, *(map_.parameters if derivatives else ())}
    return not any(guard.free_symbols & moving and sign(ALGEBRAIC.evaluate(guard, point)) == 0 for guard in guards)


def _rational(value: fmpq) -> AlgebraicNumber:
    return AlgebraicNumber((-int(value.p), int(value.q)), value, value)


def trapped(subject: Subject) -> tuple[WordTree, Trap]:
    """Prove that the iterates stay where only the active pieces are met, from some index on.

    Raises
    ------
    UnknownError
        When that is not proved.
    """
    try:
        system = subject.active_system
    except IrrationalError:
        system = subject.enclosed(subject.active)
    answer = subject.radius(of=system, trees_only=True)
    if not isinstance(answer, Contractive):
        raise UnknownError("that the iterates converge to the fixed point was not proved")
    trap, proof = find_trap(subject, answer.proof, (answer.proof.rate + 1) / 2)
    return proof, trap

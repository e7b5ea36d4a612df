"""The asymptotic rate of what a claim is about: why the errors obey a linear recursion, and what they excite."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.claims.curved_rate import CurvedRate, curved_rate, trapped
from piggycheck.claims.irrational_rate import Irrational, has_irrational_numbers
from piggycheck.claims.subject import Subject
from piggycheck.claims.trap import Trap
from piggycheck.errors import InputError, UnknownError
from piggycheck.fixed_points import rational_matrix
from piggycheck.linalg import identity, zeros
from piggycheck.maps import Piece
from piggycheck.rates.algebraic import AlgebraicNumber
from piggycheck.rates.asymptotic import (
    ExcitedRate,
    affine_errors,
    exact_errors,
    excited_rate,
    powers,
)
from piggycheck.rates.irrational import ExcitedSurdRate
from piggycheck.rates.limit import Limit
from piggycheck.rates.modulus import largest_modulus
from piggycheck.rates.surd_algebra import SurdMatrix
from piggycheck.rates.transient import Transient, observe
from piggycheck.stability import WordTree

__all__ = ["ExactRate", "exact_rate"]


@dataclass(frozen=True)
class ExactRate:
    """An asymptotic linear rate, and why it is that.

    Attributes
    ----------
    quantity : "iterates" or "derivatives"
    method : str
        Why the errors obey a linear recursion: "word_tree", the iterates are trapped in an affine piece; "affine", the
        map is affine as a whole; "fixed_start", they rest; "local", from almost every start near the fixed point.
    A : fmpq_mat or SurdMatrix
    excited : ExcitedRate or ExcitedSurdRate
        The minimal polynomial of the errors, and the largest modulus of its roots.
    limit : fmpq_mat, SurdMatrix or None
        What the derivatives tend to.
    coupled : bool
        Whether the errors of the iterates enter those of the derivatives, because B moves with the state.
    proof, trap : WordTree and Trap, or None
    about : Limit or None
        The iteration and its fixed point, where there is a run to be observed.
    seconds : float
        How long the run may take.
    """

    quantity: str
    method: str
    A: fmpq_mat | SurdMatrix
    excited: ExcitedRate | ExcitedSurdRate
    limit: fmpq_mat | SurdMatrix | None = None
    proof: WordTree | None = None
    trap: Trap | None = None
    about: Limit | None = None
    coupled: bool = False
    seconds: float = math.inf

    @property
    def is_rational(self) -> bool:
        """Whether the recursion of the errors has rational coefficients, as far as they are known."""
        return isinstance(self.A, fmpq_mat)

    @property
    def rate(self) -> AlgebraicNumber:
        """The rate."""
        return self.excited.largest.modulus

    @property
    def power(self) -> int:
        """The n of errors that decay like ``k^n rate^k``."""
        return self.excited.power

    @property
    def iteration(self) -> int:
        """From this index on the errors obey the recursion of their minimal polynomial."""
        return self.excited.iteration

    @cached_property
    def transient(self) -> Transient | None:
        """What a run at high precision shows; None where there is nothing to see."""
        if self.about is None:
            return None
        return observe(self.about, self.quantity, self.rate, self.excited.leading, self.seconds)

    def witness(self, rate: AlgebraicNumber | None = None) -> dict[str, Any]:
        """Return the witness of a certificate; the rate may be given between narrower bounds."""
        rate = self.rate if rate is None else rate
        witness: dict[str, Any] = {"method": self.method}
        if self.proof is not None and self.trap is not None:
            trap = self.trap
            witness |= self.proof.witness()
            witness["trap"] = {
                "iteration": trap.iteration,
                "level": trap.level,
                "growth": trap.growth,
                "bits": trap.bits,
            }
        witness |= {
            "iteration": self.excited.iteration,
            "annihilator": self.excited.annihilator.coeffs(),
            "dominant": [g.coeffs() for g in self.excited.largest.dominant],
            "number": {"polynomial": list(rate.polynomial), "lower": rate.lower, "upper": rate.upper},
        }
        if self.excited.largest.between is not None:
            witness["between"] = self.excited.largest.between
        if self.limit is None:
            return witness
        return {**witness, "matrix": self.limit.rows if isinstance(self.limit, SurdMatrix) else self.limit}


def exact_rate(subject: Subject, quantity: str, columns: Sequence[int] | None = None) -> ExactRate | CurvedRate:
    """Return the asymptotic rate of a subject's errors.

    Parameters
    ----------
    subject : Subject
    quantity : "iterates" or "derivatives"
    columns : sequence of int, optional
        The parameters in which derivatives count; by default all.

    Raises
    ------
    InputError
        When the subject has no such errors.
    UnknownError
        When it is not known; the message says why.
    """
    if subject.given is not None:
        return _of_pair(subject, quantity)
    if quantity == "derivatives":
        subject.require_parameters("asymptotic_rate")
    derivatives = quantity == "derivatives"
    limit, piece = Limit(subject.iteration, subject.point), _common(subject.active, derivatives)
    numbers = Irrational(subject) if has_irrational_numbers(subject) else _Rational()
    A = numbers.matrix(piece.A, "A")
    if subject.start_is_fixed:
        d, G = numbers.errors(limit, 0, derivatives)
        return ExactRate(
            quantity,
            "fixed_start",
            A,
            numbers.excited(A, 0, d, numbers.chosen(G, columns)),
            numbers.limit(limit) if derivatives else None,
            about=limit if derivatives else None,
            seconds=max(1.0, subject.remaining),
        )
    try:
        couplings = [numbers.matrix(L, "the second derivative") for L in _couplings(subject, derivatives)]
    except _NotAffineError as reason:
        if isinstance(numbers, Irrational):
            raise
        return curved_rate(subject, limit, A, quantity, columns, str(reason))
    if columns is not None and couplings:
        couplings = [couplings[j] for j in columns]
    if subject.iteration.start is None:
        return ExactRate(quantity, "local", A, _local(numbers.powers(A)))
    _require_one_limit(numbers.has_eigenvalue_one(A))
    proof, trap = (None, None) if _is_affine_throughout(subject) else trapped(subject)
    first = 0 if trap is None else trap.iteration
    d, G = numbers.errors(limit, first, derivatives)
    G = numbers.chosen(G, columns)
    return ExactRate(
        quantity,
        "affine" if trap is None else "word_tree",
        A,
        numbers.excited(A, first, d, G, couplings),
        numbers.limit(limit) if derivatives else None,
        proof,
        trap,
        limit,
        any(entry != 0 for L in couplings for entry in L.entries()),
        max(1.0, subject.remaining),
    )


class _Rational:
    """Errors in rational numbers; see `piggycheck.claims.irrational_rate.Irrational`."""

    matrix = staticmethod(rational_matrix)
    errors = staticmethod(exact_errors)

    @staticmethod
    def has_eigenvalue_one(A: fmpq_mat) -> bool:
        """Whether ``I - A`` is singular."""
        return bool((identity(A.nrows()) - A).det() == 0)

    @staticmethod
    def powers(A: fmpq_mat) -> ExcitedRate:
        """Return the rate of almost every error."""
        return excited_rate(powers(A))

    @staticmethod
    def excited(
        A: fmpq_mat, first: int, d: fmpq_mat, G: fmpq_mat | None = None, couplings: Sequence[fmpq_mat] = ()
    ) -> ExcitedRate:
        """Return the rate of errors from an index on."""
        return excited_rate(affine_errors(A, first, d, G, couplings))

    @staticmethod
    def chosen(G: fmpq_mat | None, columns: Sequence[int] | None) -> fmpq_mat | None:
        """Some columns of a matrix."""
        if G is None or columns is None:
            return G
        return fmpq_mat(G.nrows(), len(columns), [G[i, j] for i in range(G.nrows()) for j in columns])

    @staticmethod
    def limit(limit: Limit) -> fmpq_mat | None:
        """The matrix that the derivatives tend to."""
        return limit.exact_matrix


def _of_pair(subject: Subject, quantity: str) -> ExactRate:
    """The rate of the recursion of one pair, which has no map behind it."""
    system = subject.given
    if quantity != "derivatives":
        raise InputError('quantity of `asymptotic_rate`: a switched system has derivatives alone; write "derivatives"')
    system.require_certain("the asymptotic rate")
    if len(set(map(str, system.pairs))) > 1 or system.graph:
        raise UnknownError(f"{len(system)} pairs are given, and the asymptotic rate is that of one pair")
    A, B = system.pairs[0]
    _require_one_limit(_Rational.has_eigenvalue_one(A))
    if system.J0 is None:
        return ExactRate(quantity, "local", A, _Rational.powers(A))
    X = (identity(A.nrows()) - A).solve(B) if B.ncols() else B
    errors = affine_errors(A, 0, zeros(A.nrows(), 1), system.J0 - X)
    return ExactRate(quantity, "fixed_start", A, excited_rate(errors), X)


def _local(found: ExcitedRate | ExcitedSurdRate) -> ExcitedRate | ExcitedSurdRate:
    """The rate of almost every error near the fixed point.

    Raises
    ------
    UnknownError
        When it is not below 1: iterates that begin nearby need not stay.
    """
    if not found.largest.modulus.upper < 1:
        modulus = found.largest.modulus
        raise UnknownError(f"the spectral radius of A is {modulus}, so iterates that begin nearby need not stay there")
    return found


def _common(pieces: Sequence[Piece], derivatives: bool) -> Piece:
    """One of the pieces that can be met near the fixed point, which all have the same matrix A.

    Raises
    ------
    UnknownError
        When they differ, or B does and matters.
    """
    if not any(piece.activity.essential for piece in pieces):
        raise UnknownError("no piece was proved essentially active at the fixed point")
    kinds = {piece.pair if derivatives else piece.A for piece in pieces}
    if len(kinds) > 1:
        raise UnknownError(
            f"{len(kinds)} pieces with different Jacobians meet at the fixed point, and the rate may depend on the "
            "words that the iterates follow"
        )
    return pieces[0]


class _NotAffineError(UnknownError):
    """A piece is not affine in the state."""


def _couplings(subject: Subject, derivatives: bool) -> list[sp.ImmutableMatrix]:
    """How the columns of B move with the state, where everything is affine.

    Raises
    ------
    UnknownError
        When the piece is not affine in the state, or its derivative in the parameters is not.
    """
    map_, at = subject.iteration.map, subject.at
    state, found = map_.state, []
    for piece in subject.active:
        jacobian = map_.piece(piece.signature).jacobian.subs(at).applyfunc(sp.expand)
        A, B = jacobian[:, : len(state)], jacobian[:, len(state) :]
        if A.has(*state):
            raise _NotAffineError(_curved(piece))
        found = [sp.ImmutableMatrix(B[:, j].jacobian(state)) for j in range(B.cols)] if derivatives else []
        if any(L.has(*state) for L in found):
            raise _NotAffineError(
                "the derivative in the parameters is not affine in the state, and the rate is exact where it is"
            )
        moves = any(entry != 0 for L in found for entry in L)
        if moves and len(subject.active) > 1:
            raise UnknownError("several pieces meet at the fixed point, and their derivatives in the parameters move")
    return found


def _curved(piece: Piece) -> str:
    """What is known where a piece is not affine."""
    said = "the piece at the fixed point is not affine, so that its Jacobian changes along the iterates"
    try:
        radius = largest_modulus(rational_matrix(piece.A, "A").charpoly()).modulus
    except UnknownError:
        return said
    return f"{said}; where they converge, the rate is at most the spectral radius of A, {radius}"


def _require_one_limit(has_eigenvalue_one: bool) -> None:
    if has_eigenvalue_one:
        raise UnknownError("1 is an eigenvalue of A, so what the errors are measured from is one limit of many")


def _is_affine_throughout(subject: Subject) -> bool:
    """Whether the map has no guard; that its only piece is affine is known."""
    return not subject.iteration.map.guards

"""The claim that the recursion converges to what the pseudo-inverse of I - A gives."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from flint import fmpq_mat

from piggycheck.claims.base import Claim, certify, matrix_text
from piggycheck.claims.growth import growth_found, growth_reason, growth_step, growth_value, growth_witness
from piggycheck.claims.limit_sets import require_columns
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import PseudoInverseStep
from piggycheck.errors import UnknownError
from piggycheck.fixed_points import rational_matrix
from piggycheck.limits import SingularLimit, singular_limit
from piggycheck.linalg import zeros
from piggycheck.maps import PiecewiseMap, SymbolicMap
from piggycheck.stability import excite, polynomial_growth
from piggycheck.switched import SwitchedSystem

__all__ = ["PseudoInverseAgrees"]


@dataclass(frozen=True)
class PseudoInverseAgrees(Claim):
    """The derivatives converge to (I - A)^+ B, which implicit differentiation by least squares returns.

    Examples
    --------
    >>> from piggycheck.claims import prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> half, B = [["1/2", "1/2"], ["1/2", "1/2"]], [["1/2"], ["-1/2"]]
    >>> for J0 in ([[0], [0]], [[1], [0]]):
    ...     print(prove(PseudoInverseAgrees(), SwitchedSystem.from_rows([half], [B], J0=J0)).name)
    proved
    refuted

    Notes
    -----
    About one pair (A, B). The start J_0 is that of the switched system, or the derivative of the start of the
    iteration, where this is the fixed point or the map is affine as a whole; otherwise the claim is that derivatives
    converge to this matrix whatever J_0 is. Everything is decided exactly: see docs/theory/singular.md.

    When this fails: where several pieces meet, or the pair is irrational or known only between bounds, the claim is
    left undecided.
    """

    kind = "pseudo_inverse_agrees"

    def statement(self, subject: Subject) -> str:
        known = _has_start(subject)
        end = "converges to (I - A)^+ B" + ("" if known else ", whatever J_0 is")
        if subject.given is not None:
            return f"the recursion {end}"
        if known and not subject.start_is_fixed:
            return f"the recursion along the iterates {end}"
        return f"the recursion {'started ' if known else ''}at {subject.named_point} {end}"

    def decide(self, subject: Subject) -> Verdict:
        subject.require_parameters(self.kind)
        require_columns(subject, self.kind)
        J0 = _start(subject)
        system = replace(_with_one_pair(subject), J0=J0)
        answer = singular_limit(system)
        if answer.agrees is None:
            answer = next(found for found in _from_other_starts(answer) if not found.agrees)
        if answer.agrees:
            return self._proved(subject, answer)
        if answer.limit is not None or _drifts(answer):
            return self._another_limit(subject, answer)
        return self._no_limit(subject, replace(system, J0=answer.J0), answer)

    def _proved(self, subject: Subject, answer: SingularLimit) -> Verdict:
        statement, derivation = self.statement(subject), subject.opening()
        derivation.record(_step(subject, answer))
        limit = matrix_text(answer.limit)
        return Proved(
            self.kind,
            statement,
            f"the derivatives converge to {limit}, and so says the pseudo-inverse",
            _value(answer),
            _why_the_same(answer),
            derivation,
            certificate=certify(self, "proved", statement, self._parts(subject, answer), _witness(answer)),
        )

    def _another_limit(self, subject: Subject, answer: SingularLimit) -> Verdict:
        statement, derivation, chosen = self.statement(subject), subject.opening(), not _has_start(subject)
        derivation.record(_step(subject, answer))
        start = f"for J_0 = {matrix_text(answer.J0)} " if chosen else ""
        if answer.limit is None:
            found, reason = (
                f"{start}the derivatives grow linearly",
                "each step adds Pi B to Pi J_k, and that is not zero",
            )
        else:
            found = f"{start}the derivatives converge to {matrix_text(answer.limit)}"
            found += f", but (I - A)^+ B = {matrix_text(answer.pseudo_inverse_answer)}"
            reason = _why_another(answer)
        return Refuted(
            self.kind,
            statement,
            found,
            _value(answer),
            reason,
            derivation,
            certificate=certify(self, "refuted", statement, self._parts(subject, answer), _witness(answer)),
        )

    def _no_limit(self, subject: Subject, system: SwitchedSystem, answer: SingularLimit) -> Verdict:
        """Refute the claim by a start from which there is no limit, with the growth where it grows."""
        statement, derivation = self.statement(subject), subject.opening()
        growth = excite(system, (0,)) or polynomial_growth(system, (0,))
        certified = partial(certify, self, "refuted", statement, self._parts(subject, answer))
        derivation.record(_step(subject, answer))
        if growth is None:
            witness = {"method": "no_limit", "column": _without_limit(answer)}
            reason = "J_0 excites another eigenvalue of modulus 1"
            found = "the derivatives stay bounded and have no limit"
            return Refuted(
                self.kind, statement, found, _value(answer), reason, derivation, certificate=certified(witness)
            )
        step = growth_step(subject, growth, (0,), False)
        derivation.record(step)
        return Refuted(
            self.kind,
            statement,
            growth_found(growth, (0,)),
            {**_value(answer), "growth_lower": growth_value(step)["growth_lower"]},
            growth_reason(growth),
            derivation,
            certificate=certified(growth_witness(subject, growth, step)),
        )

    def _parts(self, subject: Subject, answer: SingularLimit) -> dict[str, Any]:
        """What the certificate is about, with a start that was chosen as a counterexample."""
        parts = subject.certificate_parts()
        return {**parts, "J0": answer.J0} if not _has_start(subject) else parts


def _with_one_pair(subject: Subject) -> SwitchedSystem:
    """Return the system, which has to have one pair, known exactly.

    Raises
    ------
    UnknownError
        When it has several, or it is not known whether they matter.
    """
    system = subject.system
    if system.graph:
        raise UnknownError("the words are constrained by a graph, and the claim is about one pair; remove `graph`")
    if len(system) > 1:
        meet = "pieces meet at the fixed point" if subject.given is None else "pairs are given"
        raise UnknownError(f"{len(system)} {meet}, and the claim is about one pair")
    if not system.is_certain:
        raise UnknownError("the matrix is known only between bounds, which do not show whether I - A is singular")
    if not system.exact:
        raise UnknownError("the piece at the fixed point was not proved essentially active")
    return system


def _has_start(subject: Subject) -> bool:
    """Whether J_0 is given: by a start that is the fixed point, or is elsewhere and the pair is the same there."""
    if subject.given is not None:
        return subject.given.J0 is not None
    return subject.iteration.start is not None and (subject.start_is_fixed or _is_affine(subject.iteration.map))


def _is_affine(map_: PiecewiseMap) -> bool:
    """Whether the map, written out, is affine as a whole."""
    if not isinstance(map_, SymbolicMap):
        return False
    signature, constraints = next(map_.signatures(lambda guard, outcomes: outcomes))
    return not constraints and map_.piece(signature).is_affine((*map_.state, *map_.parameters))


def _start(subject: Subject) -> fmpq_mat | None:
    """The start J_0 of the recursion, where the claim has one.

    Raises
    ------
    UnknownError
        When the start has a kink, so that its derivative is not one matrix.
    """
    if subject.given is not None or not _has_start(subject):
        return subject.given.J0 if subject.given is not None else None
    jacobians = subject.iteration.start_jacobians(subject.at)
    if len(jacobians) != 1:
        raise UnknownError("the start has a kink at these parameters, so J_0 is not one matrix")
    return rational_matrix(jacobians[0], "J0")


def _step(subject: Subject, answer: SingularLimit) -> PseudoInverseStep:
    known = _has_start(subject)
    return PseudoInverseStep(answer, not known, known and subject.given is None and not subject.start_is_fixed)


def _drifts(answer: SingularLimit) -> bool:
    """Whether the derivatives grow by Pi B in every step, and all else decays."""
    return answer.others_inside and answer.semisimple and answer.behaviour == "grows linearly"


def _from_other_starts(answer: SingularLimit) -> Iterator[SingularLimit]:
    """Follow starts of which at least one does not lead to the answer of the pseudo-inverse, if any start does not."""
    p, m = answer.B.nrows(), answer.B.ncols()
    for row in range(p):
        J0 = zeros(p, m)
        J0[row, 0] = 1
        yield singular_limit((answer.A, answer.B, J0))
    yield singular_limit((answer.A, answer.B, zeros(p, m)))


def _without_limit(answer: SingularLimit) -> int:
    """The first column that does not converge."""
    p, m = answer.B.nrows(), answer.B.ncols()

    def column(X: fmpq_mat, j: int) -> fmpq_mat:
        return fmpq_mat(p, 1, [X[i, j] for i in range(p)])

    followed = ((j, singular_limit((answer.A, column(answer.B, j), column(answer.J0, j)))) for j in range(m))
    return next(j for j, alone in followed if alone.limit is None)


def _witness(answer: SingularLimit) -> dict[str, Any]:
    if answer.semisimple and answer.others_inside:
        inverses = {"group_inverse": answer.group_inverse, "projector": answer.projector}
        return {"method": "projector", "pseudo_inverse": answer.pseudo_inverse, **inverses}
    return {"method": "limit", "pseudo_inverse": answer.pseudo_inverse, "limit": answer.limit}


def _value(answer: SingularLimit) -> dict[str, Any]:
    """Everything that was computed, as text."""
    matrices = {
        "limit": answer.limit,
        "pseudo_inverse_answer": answer.pseudo_inverse_answer,
        "minimal_norm": answer.minimal_norm,
        "projector": answer.projector,
        "group_inverse": answer.group_inverse,
        "pseudo_inverse": answer.pseudo_inverse,
        "drift": answer.drift,
        "remembered": answer.remembered,
    }
    return {
        "behaviour": answer.behaviour,
        **{name: matrix_text(M) for name, M in matrices.items() if M is not None},
        "kernel": [[str(entry) for entry in vector.entries()] for vector in answer.kernel],
        "semisimple": answer.semisimple,
        "range_symmetric": answer.range_symmetric,
        "depends_on_start": answer.depends_on_start,
    }


def _why_the_same(answer: SingularLimit) -> str:
    if not answer.singular:
        reached = "every start leads to it" if answer.others_inside else "this start leads to it"
        return f"I - A is invertible, so there is one solution of X = A X + B, and {reached}"
    if answer.range_symmetric:
        return "I - A is singular, but it has the range of its transpose, and Pi J_0 = 0"
    return "I - A is singular, but from this start the limit is the solution of smallest norm"


def _why_another(answer: SingularLimit) -> str:
    kept = answer.remembered
    if kept is not None and any(entry != 0 for entry in kept.entries()):
        return "I - A is singular, and the limit keeps Pi J_0 of the start, which the pseudo-inverse does not know"
    if kept is not None:
        return (
            "I - A is singular and does not have the range of its transpose, so its pseudo-inverse is no group inverse"
        )
    return "1 is an eigenvalue of A that is not semisimple, and the limit depends on J_0"

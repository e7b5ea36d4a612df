"""The claim that the derivatives converge: the joint spectral radius at the fixed point is below 1."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import fmpq, fmpq_poly

from piggycheck.claims.base import (
    Claim,
    certify,
    decimals_above,
    decimals_below,
    matrix_text,
    rational_field,
    word_text,
)
from piggycheck.claims.realisable import Along, Realised, read_words, settle
from piggycheck.claims.subject import Subject
from piggycheck.claims.trap import find_trap
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import ContractionStep, Derivation, LimitStep, TrapStep, WordStep
from piggycheck.errors import InputError, IrrationalError, UnknownError
from piggycheck.limits import common_fixed_point
from piggycheck.roots import exceeds_one, is_schur_stable, modulus_lower, root_lower, scale_roots
from piggycheck.stability import Contractive, Expansive, Open
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["Converges", "contraction", "word_step"]


@dataclass(frozen=True)
class Converges(Claim):
    """The joint spectral radius of the selection set at the fixed point is below 1, or at most a rate.

    Parameters
    ----------
    rate : exact number or text, optional
        A rate below 1.
    words : "all" or "realisable"
        Whether all words of pieces count, as in the set-valued recursion at the fixed point, or only those that the
        guards allow along iterates.

    Raises
    ------
    InputError
        When the rate is not between 0 and 1, or the words are neither.

    Notes
    -----
    By Theorem 1 of docs/theory the derivatives of the recursion then converge to one compact set. Where the iteration
    has a start, that the iterates converge to the fixed point is proved as well; without one the statement is local.

    With `words="realisable"` the claim is local, and about iterates that converge to the fixed point without ever
    reaching it: see docs/theory/realisable-words.md.

    When this fails: iterates that are not seen to enter a trap leave the claim undecided even when the joint spectral
    radius is below 1.
    """

    rate: Any = None
    words: Any = "all"
    kind = "converges"

    def __post_init__(self) -> None:
        read_words(self.words, self.kind)
        if self.rate is not None:
            rate = rational_field(self.rate, "rate of `converges`")
            if not 0 < rate < 1:
                raise InputError(f"rate of `converges`: {rate} is not between 0 and 1; write a number below 1")
            object.__setattr__(self, "rate", rate)

    def fields(self) -> dict[str, Any]:
        return {"rate": self.rate, "words": None if self.words == "all" else self.words}

    def statement(self, subject: Subject) -> str:
        bound = "below 1" if self.rate is None else f"at most {self.rate}"
        if subject.given is not None:
            return f"{_over_the_graph(subject)}the joint spectral radius is {bound}"
        if self.words == "realisable":
            return (
                f"along iterates that converge to {subject.named_point} without reaching it, "
                f"the joint spectral radius of the selection set is {bound}"
            )
        local = "" if subject.iteration.start is None else "; the iterates converge to it from the start"
        return f"at {subject.named_point} the joint spectral radius of the selection set is {bound}{local}"

    def decide(self, subject: Subject) -> Verdict:
        if self.words == "realisable":
            return self._along_iterates(subject)
        try:
            system = subject.active_system if _has_trap(subject) else subject.system
        except IrrationalError:
            return self._enclosed(subject)
        answer = subject.radius(self.rate, of=system, trees_only=_has_trap(subject))
        if isinstance(answer, Contractive):
            own = answer if system.exact else subject.radius(self.rate)
            return self._proved(subject, answer, None if isinstance(own, Expansive) else subject.lower(own))
        refutation = subject.radius(self.rate, of=subject.essential_system)
        if isinstance(refutation, Expansive):
            return self._refuted(subject, refutation)
        return self._open(subject, answer, system)

    def _enclosed(self, subject: Subject) -> Verdict:
        """Prove the claim for every matrix between rational bounds of the irrational pairs."""
        system = subject.enclosed(subject.active if _has_trap(subject) else subject.selection.pieces)
        answer = subject.radius(self.rate, of=system, trees_only=_has_trap(subject))
        if not isinstance(answer, Contractive):
            raise UnknownError("the Jacobian pairs are irrational, and no contraction was proved for bounds of them")
        return self._proved(subject, answer, subject.lower(answer, system))

    def _proved(self, subject: Subject, answer: Contractive, lower: fmpq | None) -> Verdict:
        proof, trap = answer.proof, None
        if _has_trap(subject):
            trap, proof = find_trap(subject, proof, self.rate or (proof.rate + 1) / 2)
        derivation = subject.opening(pieces=not subject.is_irrational)
        derivation.record(ContractionStep(proof, lower))
        witness = proof.witness()
        value: dict[str, Any] = {"rate_upper": str(proof.rate)}
        found = f"the joint spectral radius is at most {proof.rate}"
        if trap is not None:
            derivation.record(TrapStep(trap.iteration, trap.level))
            witness["trap"] = {
                "iteration": trap.iteration,
                "level": trap.level,
                "growth": trap.growth,
                "bits": trap.bits,
            }
            found += f", and from iterate {trap.iteration} on the iterates are trapped and converge to the fixed point"
        _record_limit(subject, derivation, value)
        parts = subject.certificate_parts(subject.active if _has_trap(subject) else None)
        statement = self.statement(subject)
        return Proved(
            self.kind,
            statement,
            found,
            value,
            f"the bound is proved by {proof.summary()}",
            derivation,
            certificate=certify(self, "proved", statement, parts, witness),
        )

    def _refuted(self, subject: Subject, answer: Expansive) -> Verdict:
        word, derivation, statement = subject.in_system(answer.word), subject.opening(), self.statement(subject)
        shortest = answer.stable_below >= len(word) and len(subject.essential) == len(subject.system)
        if subject.system.is_certain:
            derivation.record(word_step(subject, word, answer.modulus_lower, answer.rate_lower, shortest))
        path = answer.word if subject.system.graph else word
        witness = {"method": "word", "word": path, "modulus_lower": answer.modulus_lower}
        return Refuted(
            self.kind,
            statement,
            f"the joint spectral radius is at least {_root_text(answer.modulus_lower, len(word))}",
            _word_value(word, answer.modulus_lower, answer.rate_lower),
            f"the word {word_text(word)} has an eigenvalue of modulus at least {answer.modulus_lower}",
            derivation,
            certificate=certify(self, "refuted", statement, subject.certificate_parts(), witness),
        )

    def _along_iterates(self, subject: Subject) -> Verdict:
        """Decide the claim for realisable words."""
        found = settle(subject, self.kind, self.rate, self._reaches)
        if isinstance(found, Along):
            return self._proved_along(subject, found)
        if isinstance(found, Realised):
            return self._refuted_along(subject, found)
        reason = f"no graph of possible words was proved to contract, up to {found.memory} letters of memory"
        return Undecided(
            self.kind,
            self.statement(subject),
            reason,
            {},
            reason,
            subject.opening(),
            tried=("possible words, by linear programs", *(() if found.answer is None else found.answer.tried)),
            would_help="a longer time limit",
        )

    def _reaches(self, poly: fmpq_poly, length: int) -> bool:
        if self.rate is None:
            return not is_schur_stable(poly)
        return exceeds_one(scale_roots(poly, self.rate**length))

    def _proved_along(self, subject: Subject, found: Along) -> Verdict:
        derivation, statement, value = subject.opening(), self.statement(subject), found.value()
        found.record(derivation, len(subject.system))
        _record_limit(subject, derivation, value)
        parts = {**subject.certificate_parts(), **found.parts()}
        certificate = certify(self, "proved", statement, parts, found.answer.proof.witness())
        return Proved(self.kind, statement, found.found(), value, found.reason(), derivation, certificate=certificate)

    def _refuted_along(self, subject: Subject, found: Realised) -> Verdict:
        length, derivation, statement = len(found.word), subject.opening(), self.statement(subject)
        poly = subject.system.product(found.word)[0].charpoly()
        least = fmpq(1) if self.rate is None else self.rate**length
        modulus = modulus_lower(poly, above=least) if exceeds_one(scale_roots(poly, least)) else least
        growth = root_lower(modulus, length)
        derivation.record(word_step(subject, found.word, modulus, growth, False))
        found.record(derivation)
        witness = {"method": "word", "word": found.word, "modulus_lower": modulus, **found.witness()}
        return Refuted(
            self.kind,
            statement,
            f"iterates follow the word {word_text(found.word)} for ever, and along it the joint spectral radius is at "
            f"least {_root_text(modulus, length)}",
            {**_word_value(found.word, modulus, growth), **found.value()},
            f"{found.reason()}, and the product along the word has an eigenvalue of modulus at least {modulus}",
            derivation,
            certificate=certify(self, "refuted", statement, subject.certificate_parts(), witness),
        )

    def _open(self, subject: Subject, answer: Any, system: SwitchedSystem) -> Verdict:
        bounds: dict[str, Any] = {}
        tried: tuple[str, ...] = ()
        reason = "pairs whose activity is undecided, or that the iterates meet only where guards tie, may matter"
        if isinstance(answer, Open):
            tried, lower = answer.tried, subject.lower(answer, system)
            known = []
            if lower is not None:
                bounds["lower"] = str(lower)
                known.append(f"at least {decimals_below(lower, 9)}")
            if answer.upper is not None:
                bounds["upper"] = str(answer.upper.rate)
                known.append(f"at most {decimals_above(answer.upper.rate, 9)}")
            reason = "the joint spectral radius is " + (" and ".join(known) or "not bounded so far")
        return Undecided(
            self.kind,
            self.statement(subject),
            reason,
            {},
            reason,
            subject.opening(),
            tried=tried,
            bounds=bounds,
            would_help="a longer time limit",
        )


def _has_trap(subject: Subject) -> bool:
    """Whether the claim says of the iterates, too, that they converge."""
    return subject.given is None and subject.iteration.start is not None


def _over_the_graph(subject: Subject) -> str:
    return "over the words that the graph allows, " if subject.given is not None and subject.given.graph else ""


def _record_limit(subject: Subject, derivation: Derivation, value: dict[str, Any]) -> None:
    """Record the matrix that every pair maps to itself, if the pairs are known exactly and there is one."""
    if subject.is_irrational or not subject.system.is_certain:
        return
    limit = common_fixed_point(subject.system)
    if limit is not None and limit.ncols():
        derivation.record(LimitStep(limit))
        value["limit"] = matrix_text(limit)


def _root_text(value: fmpq, degree: int) -> str:
    return str(value) if value == 1 else f"({value})^(1/{degree})"


def _word_value(word: Word, modulus: fmpq, growth: fmpq) -> dict[str, Any]:
    return {
        "word": list(word),
        "word_length": len(word),
        "eigenvalue_modulus_lower": str(modulus),
        "growth_lower": str(growth),
    }


def contraction(subject: Subject) -> Contractive:
    """Return a proof that the joint spectral radius of the selection set is below 1.

    Raises
    ------
    UnknownError
        When there is none within the limits.
    """
    answer = subject.radius()
    if isinstance(answer, Contractive):
        return answer
    if isinstance(answer, Expansive):
        raise UnknownError(
            f"the joint spectral radius is not below 1 (word {word_text(answer.word)}), "
            "so there need not be a piggyback set"
        )
    raise UnknownError("that the joint spectral radius is below 1 was not proved")


def word_step(subject: Subject, word: tuple[int, ...], modulus: fmpq, growth: fmpq, shortest: bool) -> WordStep:
    """Record a word of large spectral radius."""
    A, B = subject.system.product(word)
    return WordStep(word, A, B, A.charpoly(), modulus, growth, shortest=shortest)

"""The claim that the recursion, started at the fixed point, contains a diverging sequence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from piggycheck.claims.base import Claim, certify, decimals_below, word_text
from piggycheck.claims.growth import (
    growth_found,
    growth_reason,
    growth_step,
    growth_value,
    growth_witness,
)
from piggycheck.claims.realisable import Along, Realised, read_words, settle
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import ContractionStep, WordStep
from piggycheck.errors import InputError, UnknownError
from piggycheck.roots import exceeds_one, root_lower
from piggycheck.stability import (
    Contractive,
    DivergingSearch,
    DivergingWord,
    PolynomialGrowth,
    excite,
    find_diverging_word,
    find_polynomial_growth,
)
from piggycheck.switched import SwitchedSystem

__all__ = ["Diverges"]


@dataclass(frozen=True)
class Diverges(Claim):
    """Some selections of the recursion, started at the fixed point, grow without bound.

    Parameters
    ----------
    word_length : int, optional
        Claims besides that the shortest word along which this happens has this length.
    words : "all" or "realisable"
        Whether all words of pieces count, as in the set-valued recursion at the fixed point, or only those that some
        iterates follow while they converge to it.

    Raises
    ------
    InputError
        When the length is not a positive integer, or is given for realisable words; or the words are neither.

    Notes
    -----
    Theorem 2 of docs/theory: a word with an eigenvalue of modulus above 1 that the derivative J_0 of the start
    excites. Where the start is not the fixed point itself, or there is none, the claim is about *some* J_0.

    With `words="realisable"` the claim is that some iterates converge to the fixed point without reaching it, and
    that for some J_0 their derivatives diverge: see docs/theory/realisable-words.md.

    When this fails: a joint spectral radius above 1 that only very long words show, or words that the start does not
    excite, leave the claim undecided.
    """

    word_length: Any = None
    words: Any = "all"
    kind = "diverges"

    def __post_init__(self) -> None:
        length = self.word_length
        if read_words(self.words, self.kind) == "realisable" and length is not None:
            raise InputError(f"word_length of `{self.kind}`: shortest words are looked for among all; remove it")
        if length is not None and (isinstance(length, bool) or not isinstance(length, int) or length < 1):
            raise InputError(f"word_length of `diverges`: `{length}` is not a positive integer")

    def fields(self) -> dict[str, Any]:
        return {"word_length": self.word_length, "words": None if self.words == "all" else self.words}

    def statement(self, subject: Subject) -> str:
        if self.words == "realisable":
            point = subject.named_point
            return f"some iterates converge to {point} without reaching it, and for some J_0 their derivatives diverge"
        start = "" if _given_start(subject) else ", for some J_0,"
        where = "the recursion" if subject.given is not None else f"the recursion started at {subject.named_point}"
        where += " along the words that the graph allows" if subject.given is not None and subject.given.graph else ""
        length = (
            "" if self.word_length is None else f"; the shortest word along which it does has length {self.word_length}"
        )
        return f"{where}{start} contains a diverging sequence{length}"

    def decide(self, subject: Subject) -> Verdict:
        subject.require_parameters(self.kind)
        if self.words == "realisable":
            return self._along_iterates(subject)
        if subject.given is None and subject.start_is_fixed and subject.system.J0 is None:
            raise UnknownError("the start has a kink at these parameters, so J_0 is not one matrix")
        radius = subject.radius()
        if isinstance(radius, Contractive):
            return self._bounded(subject, radius)
        if not subject.system.is_certain:
            raise UnknownError("matrices are known only between bounds, and `diverges` needs them exactly")
        system = replace(subject.essential_system, J0=subject.system.J0)
        search = find_diverging_word(system.unfolded(), time_limit=max(1.0, min(subject.remaining, 10.0)))
        complete = len(subject.essential) == len(subject.system)
        return self._judge(subject, system, search, complete)

    def _judge(self, subject: Subject, system: SwitchedSystem, search: DivergingSearch, complete: bool) -> Verdict:
        found, claimed = search.found, self.word_length
        verdict = None if found is None else self._settled(subject, found, complete)
        if verdict is not None:
            return verdict
        if claimed is not None and complete and search.stable_below > claimed:
            return self._no_short_word(subject)
        slow = find_polynomial_growth(system.unfolded(), time_limit=max(1.0, min(subject.remaining, 4.0)))
        verdict = None if slow is None else self._settled(subject, slow, complete)
        return self._open(subject, search, slow) if verdict is None else verdict

    def _settled(
        self, subject: Subject, found: DivergingWord | PolynomialGrowth, complete: bool
    ) -> Proved | Refuted | None:
        """Settle the claim by a word that diverges, exponentially or not, as far as its length does."""
        length, claimed = len(found.word), self.word_length
        if claimed is None or (length == claimed and found.shortest and complete):
            return self._proved(subject, found, complete)
        if length < claimed:
            word = word_text(subject.in_system(found.word))
            return self._refuted(subject, found, f"the word {word} of length {length} diverges")
        return None

    def _proved(self, subject: Subject, found: DivergingWord | PolynomialGrowth, complete: bool) -> Proved:
        step = growth_step(subject, found, subject.in_system(found.word), complete)
        statement = self.statement(subject)
        word = step.word
        none_shorter = (
            f"; no shorter word does: all of length below {len(word)} were decided exactly"
            if step.shortest and len(word) > 1
            else ""
        )
        return Proved(
            self.kind,
            statement,
            growth_found(found, word) + none_shorter,
            growth_value(step),
            growth_reason(found),
            _with(subject, step),
            certificate=certify(self, "proved", statement, _parts(subject, step), growth_witness(subject, found, step)),
        )

    def _refuted(self, subject: Subject, found: DivergingWord | PolynomialGrowth, reason: str) -> Refuted:
        step = growth_step(subject, found, subject.in_system(found.word), False)
        statement = self.statement(subject)
        certificate = certify(self, "refuted", statement, _parts(subject, step), growth_witness(subject, found, step))
        return Refuted(
            self.kind, statement, reason, growth_value(step), reason, _with(subject, step), certificate=certificate
        )

    def _no_short_word(self, subject: Subject) -> Verdict:
        statement = self.statement(subject)
        reason = f"every word of length at most {self.word_length} has spectral radius below 1"
        parts = subject.certificate_parts()
        certificate = certify(self, "refuted", statement, parts, {"method": "no_short_word"})
        return Refuted(self.kind, statement, reason, {}, reason, subject.opening(), certificate=certificate)

    def _bounded(self, subject: Subject, radius: Contractive) -> Verdict:
        proof, derivation, statement = radius.proof, subject.opening(), self.statement(subject)
        derivation.record(ContractionStep(proof, subject.lower(radius)))
        reason = f"the joint spectral radius is at most {proof.rate}, so every sequence is bounded"
        parts = subject.certificate_parts()
        certificate = certify(self, "refuted", statement, parts, proof.witness())
        return Refuted(
            self.kind, statement, reason, {"rate_upper": str(proof.rate)}, reason, derivation, certificate=certificate
        )

    def _along_iterates(self, subject: Subject) -> Verdict:
        """Decide the claim for realisable words."""
        found = settle(subject, self.kind, None, lambda poly, length: exceeds_one(poly))
        if isinstance(found, Realised):
            return self._realised(subject, found)
        if isinstance(found, Along):
            return self._contracting(subject, found)
        reason = "no word was found that grows and that iterates follow while they converge"
        return Undecided(
            self.kind,
            self.statement(subject),
            reason,
            {},
            reason,
            subject.opening(),
            tried=("possible words, by linear programs", "their rational eigenvalues below 1"),
            would_help="a longer time limit",
        )

    def _realised(self, subject: Subject, realised: Realised) -> Verdict:
        """One round of the word counts as one letter for the excitation: which letters make it is settled."""
        A, B = subject.system.product(realised.word)
        round_ = excite(SwitchedSystem((A,), (B,)), (0,))
        if round_ is None:
            raise UnknownError("no start was found that excites the growth along a realised word")
        growth = root_lower(round_.modulus_lower, len(realised.word))
        found = replace(round_, word=realised.word, growth_lower=growth)
        step, statement = growth_step(subject, found, found.word, False), self.statement(subject)
        derivation = _with(subject, step)
        realised.record(derivation)
        parts = {**subject.certificate_parts(), "J0": found.J0}
        witness = {**growth_witness(subject, found, step), **realised.witness()}
        return Proved(
            self.kind,
            statement,
            f"iterates that follow the word {word_text(found.word)} converge, and the derivatives along them grow by a "
            f"factor of at least {decimals_below(growth)} per step",
            {**growth_value(step), **realised.value()},
            f"{realised.reason()}; {growth_reason(found)}",
            derivation,
            certificate=certify(self, "proved", statement, parts, witness),
        )

    def _contracting(self, subject: Subject, found: Along) -> Verdict:
        derivation, statement = subject.opening(), self.statement(subject)
        found.record(derivation, len(subject.system))
        parts = {**subject.certificate_parts(), **found.parts()}
        certificate = certify(self, "refuted", statement, parts, found.answer.proof.witness())
        reason = f"{found.found()}, so derivatives along such iterates are bounded"
        return Refuted(self.kind, statement, reason, found.value(), found.reason(), derivation, certificate=certificate)

    def _open(self, subject: Subject, search: DivergingSearch, slow: PolynomialGrowth | None) -> Verdict:
        reason = (
            f"no diverging word was found; all words of length below {search.exhaustive_below} were decided exactly"
        )
        lengths = [len(found.word) for found in (search.found, slow) if found is not None]
        if lengths:
            reason = f"a word of length {min(lengths)} diverges; that no shorter one does was not decided"
        elif search.unexcited:
            word = word_text(subject.in_system(search.unexcited[0]))
            reason = f"words such as {word} have spectral radius above 1, but the start excites none that was found"
        return Undecided(
            self.kind,
            self.statement(subject),
            reason,
            {},
            reason,
            subject.opening(),
            tried=(
                "words by length, exactly",
                "longer words, proposed by floating point",
                "growth like a power, along short words of spectral radius 1",
            ),
            bounds={"exhaustive_below": search.exhaustive_below},
            would_help=_what_would_help(subject, search, bool(lengths)),
        )


def _what_would_help(subject: Subject, search: DivergingSearch, found: bool) -> str:
    """More time where all of it was used, and another start where this one excites nothing."""
    if found or subject.remaining < 1:
        return "a longer time limit"
    if search.unexcited:
        return "another start"
    return "asking for the joint spectral radius, which may be exactly 1"


def _given_start(subject: Subject) -> bool:
    """Whether J_0 is given, rather than free to be chosen."""
    return subject.given.J0 is not None if subject.given is not None else subject.start_is_fixed


def _with(subject: Subject, step: WordStep) -> Any:
    derivation = subject.opening()
    derivation.record(step)
    return derivation


def _parts(subject: Subject, step: WordStep) -> dict[str, Any]:
    parts = subject.certificate_parts()
    if not _given_start(subject) or subject.given is not None:
        parts["J0"] = step.J0
    return parts

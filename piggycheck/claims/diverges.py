"""The claim that the recursion, started at the fixed point, contains a diverging sequence."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from flint import fmpq_mat

from piggycheck.claims.base import Claim, certify, decimals_below, word_text
from piggycheck.claims.realisable import Along, Realised, read_words, settle
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.derivation import ContractionStep, WordStep
from piggycheck.errors import InputError, UnknownError
from piggycheck.roots import exceeds_one, root_lower
from piggycheck.stability import Contractive, DivergingSearch, DivergingWord, excite, find_diverging_word
from piggycheck.switched import SwitchedSystem, Word

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
        if found is not None and (claimed is None or (len(found.word) == claimed and found.shortest and complete)):
            return self._proved(subject, found, complete)
        if found is not None and claimed is not None and len(found.word) < claimed:
            return self._refuted(
                subject,
                found,
                f"the word {word_text(subject.in_system(found.word))} of length {len(found.word)} diverges",
            )
        if claimed is not None and complete and search.stable_below > claimed:
            return self._no_short_word(subject)
        return self._open(subject, search)

    def _proved(self, subject: Subject, found: DivergingWord, complete: bool) -> Verdict:
        step = _step(subject, found, subject.in_system(found.word), complete)
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
            f"along the word {word_text(word)} the derivatives grow by a factor of at least "
            f"{decimals_below(found.growth_lower)} per step{none_shorter}",
            _value(step),
            _reason(found),
            _with(subject, step),
            certificate=certify(self, "proved", statement, _parts(subject, step), _witness(subject, found, step)),
        )

    def _refuted(self, subject: Subject, found: DivergingWord, reason: str) -> Verdict:
        step = _step(subject, found, subject.in_system(found.word), False)
        statement = self.statement(subject)
        certificate = certify(self, "refuted", statement, _parts(subject, step), _witness(subject, found, step))
        return Refuted(
            self.kind, statement, reason, _value(step), reason, _with(subject, step), certificate=certificate
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
        step, statement = _step(subject, found, found.word, False), self.statement(subject)
        derivation = _with(subject, step)
        realised.record(derivation)
        parts = {**subject.certificate_parts(), "J0": found.J0}
        witness = {**_witness(subject, found, step), **realised.witness()}
        return Proved(
            self.kind,
            statement,
            f"iterates that follow the word {word_text(found.word)} converge, and the derivatives along them grow by a "
            f"factor of at least {decimals_below(growth)} per step",
            {**_value(step), **realised.value()},
            f"{realised.reason()}; {_reason(found)}",
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

    def _open(self, subject: Subject, search: DivergingSearch) -> Verdict:
        reason = (
            f"no diverging word was found; all words of length below {search.exhaustive_below} were decided exactly"
        )
        if search.found is not None:
            reason = f"a word of length {len(search.found.word)} diverges; that no shorter one does was not decided"
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
            tried=("words by length, exactly", "longer words, proposed by floating point"),
            bounds={"exhaustive_below": search.exhaustive_below},
            would_help=_what_would_help(subject, search),
        )


def _what_would_help(subject: Subject, search: DivergingSearch) -> str:
    """More time where all of it was used, and another start where this one excites nothing."""
    if search.found is not None or subject.remaining < 1:
        return "a longer time limit"
    if search.unexcited:
        return "another start"
    return "asking for the joint spectral radius, which may be exactly 1"


def _given_start(subject: Subject) -> bool:
    """Whether J_0 is given, rather than free to be chosen."""
    return subject.given.J0 is not None if subject.given is not None else subject.start_is_fixed


def _step(subject: Subject, found: DivergingWord, word: Word, complete: bool) -> WordStep:
    """What was found, told in letters: of a system that a graph unfolds, only one block is told."""
    A, B = subject.system.product(word)
    block = _block(subject.system, found.word)
    return WordStep(
        word,
        A,
        B,
        A.charpoly(),
        found.modulus_lower,
        found.growth_lower,
        fmpq_mat(found.J0.table()[block]),
        found.column,
        found.eigenvalue,
        None if found.left_eigenvector is None else found.left_eigenvector[block],
        found.excitation,
        found.shortest and complete,
    )


def _block(system: SwitchedSystem, word: Word) -> slice:
    """The coordinates in which a path starts; all of them without a graph."""
    if not system.graph:
        return slice(0, system.dimension)
    nodes = sorted({node for source, _, target in system.graph for node in (source, target)})
    place = nodes.index(system.graph[word[0]][0])
    return slice(place * system.dimension, (place + 1) * system.dimension)


def _with(subject: Subject, step: WordStep) -> Any:
    derivation = subject.opening()
    derivation.record(step)
    return derivation


def _parts(subject: Subject, step: WordStep) -> dict[str, Any]:
    parts = subject.certificate_parts()
    if not _given_start(subject) or subject.given is not None:
        parts["J0"] = step.J0
    return parts


def _witness(subject: Subject, found: DivergingWord, step: WordStep) -> dict[str, Any]:
    witness = {
        "method": "word",
        "word": found.word if subject.system.graph else step.word,
        "modulus_lower": step.modulus_lower,
        "growth_lower": step.growth_lower,
        "column": step.column,
    }
    if found.eigenvalue is not None:
        witness["eigenvalue"] = found.eigenvalue
        witness["left_eigenvector"] = found.left_eigenvector
        witness["excitation"] = found.excitation
    if step.shortest:
        witness["shortest"] = True
    return witness


def _value(step: WordStep) -> dict[str, Any]:
    value: dict[str, Any] = {
        "word": list(step.word),
        "word_length": len(step.word),
        "eigenvalue_modulus_lower": str(step.modulus_lower),
        "growth_lower": str(step.growth_lower),
    }
    if step.eigenvalue is not None:
        value["eigenvalue"] = str(step.eigenvalue)
        value["excitation"] = [str(entry) for entry in step.excitation or ()]
    value["shortest"] = step.shortest
    return value


def _reason(found: DivergingWord) -> str:
    if found.eigenvalue is not None:
        return f"the product along the word has the eigenvalue {found.eigenvalue}, and J_0 excites it"
    return f"the product along the word has an eigenvalue of modulus at least {found.modulus_lower}, and J_0 excites it"

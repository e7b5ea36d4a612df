"""The claim that the piggyback set is a single matrix."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import fmpq_mat

from piggycheck.claims.base import Claim, certify, matrix_field, matrix_text, word_text
from piggycheck.claims.converges import contraction
from piggycheck.claims.directions import read_directions
from piggycheck.claims.limit_sets import require_all_words
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import ContractionStep, LimitStep, WordFixedPointsStep
from piggycheck.errors import InputError, UnknownError
from piggycheck.limits import common_fixed_point, word_fixed_point
from piggycheck.stability import Contractive
from piggycheck.switched import Word

__all__ = ["Derivative"]


@dataclass(frozen=True)
class Derivative(Claim):
    """The piggyback set at the fixed point is one matrix, the same whatever is selected; with `value`, this one.

    Parameters
    ----------
    value : p × m rows of exact rational numbers, optional
        For directions, p rows with one number for each.
    directions : mapping, or list of mappings, optional
        For maps made of layers, directions of the parameters: see `piggycheck.claims.directions.read_directions`.

    Notes
    -----
    The fixed points ``X_w = A_w X_w + B_w`` of all words lie in the piggyback set, so two different ones refute the
    claim, and one X that every pair maps to itself proves it. It is what the derivatives converge to when the iterates
    converge to the fixed point; that they do is part of the claim *converges*.

    When this fails: when the joint spectral radius is not below 1 there need not be a piggyback set.
    """

    value: Any = None
    directions: Any = None
    kind = "derivative"

    def __post_init__(self) -> None:
        if self.value is not None:
            object.__setattr__(self, "value", matrix_field(self.value, "value of `derivative`"))
        object.__setattr__(self, "directions", read_directions(self.directions, self.kind))

    def fields(self) -> dict[str, Any]:
        return {"value": self.value}

    def statement(self, subject: Subject) -> str:
        where = "" if subject.given is not None else f" at {subject.named_point}"
        if self.value is None:
            return f"the piggyback set{where} is a single matrix"
        return f"the piggyback set{where} is the single matrix {matrix_text(self.value)}"

    def decide(self, subject: Subject) -> Verdict:
        subject.require_parameters(self.kind)
        if self.directions is not None:
            raise InputError("directions of `derivative`: they are for maps made of layers; remove them")
        require_all_words(subject, self.kind)
        shape = (subject.system.dimension, subject.system.columns)
        if self.value is not None and (self.value.nrows(), self.value.ncols()) != shape:
            raise InputError(f"value of `derivative`: write a matrix of {shape[0]} rows and {shape[1]} columns")
        answer = contraction(subject)
        X = common_fixed_point(subject.system)
        if X is not None and (self.value is None or X == self.value):
            return self._proved(subject, answer, X)
        return self._refuted(subject, answer)

    def _proved(self, subject: Subject, answer: Contractive, X: fmpq_mat) -> Verdict:
        derivation = subject.opening()
        derivation.record(ContractionStep(answer.proof, subject.lower(answer)))
        derivation.record(LimitStep(X))
        statement = self.statement(subject)
        parts = subject.certificate_parts()
        return Proved(
            self.kind,
            statement,
            f"the piggyback set is the single matrix {matrix_text(X)}",
            {"matrix": matrix_text(X)},
            "every pair maps this matrix to itself, and the joint spectral radius is below 1",
            derivation,
            certificate=certify(self, "proved", statement, parts, {**answer.proof.witness(), "matrix": X}),
        )

    def _refuted(self, subject: Subject, answer: Contractive) -> Verdict:
        points = self._separating_points(subject)
        derivation = subject.opening()
        derivation.record(ContractionStep(answer.proof, subject.lower(answer)))
        derivation.record(WordFixedPointsStep(tuple(w for w, _ in points), tuple(X for _, X in points)))
        statement = self.statement(subject)
        shown = " and ".join(f"{matrix_text(X)} (word {word_text(w)})" for w, X in points)
        parts = subject.certificate_parts()
        witness = {**answer.proof.witness(), "points": [{"word": w, "matrix": X} for w, X in points]}
        return Refuted(
            self.kind,
            statement,
            f"the piggyback set contains {shown}",
            {"points": [{"word": list(w), "matrix": matrix_text(X)} for w, X in points]},
            "the fixed point of every word lies in the piggyback set",
            derivation,
            certificate=certify(self, "refuted", statement, parts, witness),
        )

    def _separating_points(self, subject: Subject) -> list[tuple[Word, fmpq_mat]]:
        found: list[tuple[Word, fmpq_mat]] = []
        for letter in subject.essential:
            X = word_fixed_point(subject.system, (letter,))
            if X is None or X == self.value or any(X == other for _, other in found):
                continue
            found.append(((letter,), X))
            if self.value is not None or len(found) == 2:
                return found
        raise UnknownError("the pairs proved essentially active have one common fixed point; others are undecided")

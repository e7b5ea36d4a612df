"""The claim that a given matrix is an element of the piggyback set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import fmpq

from piggycheck.claims.base import Claim, certify, decimals_above, matrix_field, matrix_text, word_text
from piggycheck.claims.limit_sets import (
    all_pairs,
    ball_step,
    ball_witness,
    bound_on_cell,
    of_the_set,
    on_all_pieces,
    read_hull,
    require_shape,
    system_of,
)
from piggycheck.claims.piggyback_interval import known_interval
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import (
    ContractionStep,
    Derivation,
    InsideIntervalStep,
    InsideStep,
    IntervalStep,
    SeparationStep,
    Step,
)
from piggycheck.errors import UnknownError
from piggycheck.limits import Contraction, Inside, Outside, Unsettled, inner_product, membership

__all__ = ["InPiggybackSet"]

_LARGEST_SHOWN = 6
_MOST_LETTERS = 40


@dataclass(frozen=True)
class InPiggybackSet(Claim):
    """A matrix is in the piggyback set: some selections of the recursion come arbitrarily close to it.

    Parameters
    ----------
    value : p × m rows of exact rational numbers
        The matrix; a number where the derivatives are numbers.
    hull : bool
        Whether pairs are picked from the convex hull of the selection set in every step; false when absent.

    Raises
    ------
    InputError
        When the value is no matrix of rational numbers, or `hull` is neither true nor false.

    Examples
    --------
    >>> from piggycheck.claims import prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> cantor = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
    >>> verdict = prove(InPiggybackSet(value="1/4"), cantor)
    >>> verdict.name, verdict.value["witness"]["word"]
    ('proved', [1, 0])
    >>> prove(InPiggybackSet(value="1/2"), cantor).name
    'refuted'

    Notes
    -----
    It is proved by a word whose fixed point is moved to the matrix by further letters; it is refuted by cells that
    cover the set, each of which a direction separates from the matrix.

    When this fails: matrices of the set that are reached along no word that repeats itself soon; and those outside that
    are very close to it.
    """

    value: Any
    hull: Any = False
    kind = "in_piggyback_set"

    def __post_init__(self) -> None:
        object.__setattr__(self, "value", matrix_field(self.value, f"value of `{self.kind}`"))
        read_hull(self.hull, self.kind)

    def fields(self) -> dict[str, Any]:
        return {"value": self.value, "hull": True if self.hull else None}

    def statement(self, subject: Subject) -> str:
        return f"{self._named} is in the piggyback set{of_the_set(subject, self.hull)}"

    @property
    def _named(self) -> str:
        if self.value.nrows() == self.value.ncols() == 1:
            return f"the number {self.value[0, 0]}"
        if max(self.value.nrows(), self.value.ncols()) <= _LARGEST_SHOWN:
            return f"the matrix {matrix_text(self.value)}"
        return f"the given matrix of {self.value.nrows()} rows and {self.value.ncols()} columns"

    def decide(self, subject: Subject) -> Verdict:
        system = system_of(subject, self.kind)
        require_shape(self.value, subject, f"value of `{self.kind}`")
        contraction = subject.contraction
        if self.hull and (system.dimension, system.columns) == (1, 1):
            inside = self._in_interval(subject)
            if inside is not None:
                return inside
        found = membership(contraction, self.value, hull=self.hull)
        if isinstance(found, Outside):
            return self._refuted(subject, found)
        if not isinstance(found, Inside) or not system.exact:
            found = self._in_essential(subject, found)
        return self._proved(subject, found)

    def _in_essential(self, subject: Subject, found: Inside | Unsettled) -> Inside:
        """Look among the pieces that were proved essentially active."""
        if subject.essential_contraction is not subject.contraction:
            again = membership(subject.essential_contraction, self.value, hull=self.hull)
            if isinstance(again, Inside):
                return again
            all_pairs(subject, "with those that are active the matrix was not found to be in the set")
        if isinstance(found, Inside):
            return found
        raise UnknownError(
            "no word that leads to the matrix was found, nor directions that separate it from the set, after words of "
            f"up to {found.depth} letters; its distance to the set is at most {decimals_above(found.distance)}"
        )

    def _in_interval(self, subject: Subject) -> Verdict | None:
        """Compare a number with the ends of the hull, as far as these are known."""
        hull = known_interval(subject)
        number = self.value[0, 0]
        if not hull.lower <= number <= hull.upper:
            return None
        ends = ((hull.lower_point.word, hull.lower_point.then), (hull.upper_point.word, hull.upper_point.then))
        steps = (
            IntervalStep(hull.lower, hull.upper, *ends),
            InsideIntervalStep(number, hull.lower, hull.upper),
        )
        return self._certified(
            Proved,
            subject,
            f"it is between the ends of the set, {hull.lower} and {hull.upper}",
            {"witness": {"lower": str(hull.lower), "upper": str(hull.upper)}},
            "with pairs from their convex hull the recursion reaches every number between the ends",
            steps,
            {**subject.contraction.tree.witness(), "lower": hull.lower, "upper": hull.upper},
        )

    def _proved(self, subject: Subject, found: Inside) -> Verdict:
        point = found.point
        word = then = ()
        parts: dict[str, Any] = {}
        witness: dict[str, Any] = {}
        if point is not None:
            word, then = self._renamed(subject, found, point.word), self._renamed(subject, found, point.then)
            parts = {"word": word, "then": then, "matrix": point.matrix}
            witness = {"word": list(word), "then": list(then), "matrix": matrix_text(point.matrix)}
        weights = found.weights
        if weights is not None:
            weights = weights if len(weights) == len(subject.system) else on_all_pieces(subject, weights)
            parts["weights"] = weights
            witness["weights"] = list(map(str, weights))
        step = InsideStep(self.value, word, then, None if point is None else point.matrix, weights)
        return self._certified(
            Proved,
            subject,
            self._reached(word, then, weights),
            {"witness": witness},
            "the fixed point of every word is in the set, and so is every image of it under the pairs",
            (step,),
            {**subject.contraction.tree.witness(), **parts},
        )

    @staticmethod
    def _renamed(subject: Subject, found: Inside, word: tuple[int, ...]) -> tuple[int, ...]:
        return word if subject.system.exact else subject.in_system(word)

    @staticmethod
    def _reached(word: tuple[int, ...], then: tuple[int, ...], weights: tuple[fmpq, ...] | None) -> str:
        if not word:
            return "it is its own image under a convex combination of the pairs"
        named = f"the word {word_text(word)}" if len(word) <= _MOST_LETTERS else f"a word of {len(word)} letters"
        by = []
        if then:
            shown = f"the letter{'s' * (len(then) > 1)} {word_text(then)}"
            by.append(shown if len(then) <= _MOST_LETTERS else f"{len(then)} letters")
        if weights is not None:
            by.append("a convex combination of the pairs")
        return f"it is the fixed point of {named}" + (f", moved by {' and '.join(by)}" if by else "")

    def _refuted(self, subject: Subject, found: Outside) -> Verdict:
        contraction = subject.contraction
        words = tuple(word for word, _ in found.cells)
        directions = tuple(C for _, C in found.cells)
        step = SeparationStep(
            self.value,
            words,
            directions,
            tuple(inner_product(C, self.value) for C in directions),
            tuple(bound_on_cell(contraction, word, C) for word, C in found.cells),
        )
        count = len(words)
        letters = "one letter" if step.depth == 1 else f"up to {step.depth} letters"
        covered = f"{count} cells of {letters}" if count > 1 else "one ball"
        return self._certified(
            Refuted,
            subject,
            f"it is outside: {covered} cover{'' if count > 1 else 's'} the set, and none contains it",
            {"witness": {"cells": str(count), "depth": str(step.depth), "direction": matrix_text(directions[0])}},
            "a direction separates the matrix from each of the cells that cover the set",
            (ball_step(contraction), step),
            {**ball_witness(contraction), "cells": [{"word": w, "direction": C} for w, C in found.cells]},
        )

    def _certified(
        self,
        kind: type[Proved] | type[Refuted],
        subject: Subject,
        found: str,
        value: dict[str, Any],
        reason: str,
        steps: tuple[Step, ...],
        witness: dict[str, Any],
    ) -> Verdict:
        derivation: Derivation = subject.opening()
        contraction: Contraction = subject.contraction
        derivation.record(ContractionStep(contraction.tree))
        for step in steps:
            derivation.record(step)
        statement = self.statement(subject)
        certificate = certify(self, kind.name, statement, subject.certificate_parts(), witness)
        return kind(self.kind, statement, found, value, reason, derivation, certificate=certificate)

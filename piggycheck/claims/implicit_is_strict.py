"""The claim that implicit differentiation misses elements of the piggyback set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flint import fmpq_mat

from piggycheck.claims.base import Claim, certify, matrix_text, word_text
from piggycheck.claims.limit_sets import of_the_set, read_hull, system_of
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import (
    ContractionStep,
    Derivation,
    ImplicitSetStep,
    InvariantPointsStep,
    OutsideImplicitStep,
)
from piggycheck.errors import UnknownError
from piggycheck.limits import (
    Contraction,
    Equal,
    Strict,
    implicit_hull_interval,
    implicit_points,
    inner_product,
    strictness,
)
from piggycheck.switched import SwitchedSystem, Word

__all__ = ["ImplicitIsStrict"]

_LARGEST_SHOWN = 6
_MOST_LETTERS = 40


@dataclass(frozen=True)
class ImplicitIsStrict(Claim):
    """The implicit set, of all solutions ``X = A X + B`` of single pairs, is strictly inside the piggyback set.

    Parameters
    ----------
    hull : bool
        Whether pairs are taken from the convex hull of the selection set, as Clarke's calculus does; false when absent.

    Raises
    ------
    InputError
        When `hull` is neither true nor false.

    Examples
    --------
    >>> from piggycheck.claims import prove
    >>> relu = SwitchedSystem.from_rows([[["-1/2"]], [["-1/2"]]], [[[1]], [[0]]])
    >>> prove(ImplicitIsStrict(), relu).value["witness"]
    {'word': [0, 1], 'matrix': [['-2/3']]}
    >>> prove(ImplicitIsStrict(hull=True), relu).name
    'proved'

    Notes
    -----
    The fixed point of every word is in the piggyback set. One that is not in the implicit set proves the claim; that
    every pair maps the implicit set into itself refutes it.

    When this fails: for the hull, sets that are equal are proved to be so when the pairs have one A, or one fixed
    point, or there is one state variable.
    """

    hull: Any = False
    kind = "implicit_is_strict"

    def __post_init__(self) -> None:
        read_hull(self.hull, self.kind)

    def fields(self) -> dict[str, Any]:
        return {"hull": True if self.hull else None}

    def statement(self, subject: Subject) -> str:
        whose = "its" if self.hull else "the"
        return f"the implicit set{of_the_set(subject, self.hull)} is strictly inside {whose} piggyback set"

    def decide(self, subject: Subject) -> Verdict:
        system_of(subject, self.kind)
        contraction = subject.contraction
        found = strictness(contraction, hull=self.hull, letters=_active(subject))
        derivation = subject.opening()
        derivation.record(ContractionStep(contraction.tree))
        if subject.system.exact:
            derivation.record(_implicit_set(subject.system))
        decided = self._proved if isinstance(found, Strict) else self._refuted
        return decided(subject, contraction, found, derivation)

    def _proved(self, subject: Subject, contraction: Contraction, found: Strict, derivation: Derivation) -> Verdict:
        system, C = contraction.system, found.direction
        residuals = [found.matrix - A * found.matrix - B for A, B in system.pairs]
        values = () if C is None else tuple(inner_product(C, R) for R in residuals)
        shortest = found.shortest and system.exact
        shorter = _shorter_words(system, len(found.word)) if shortest else None
        derivation.record(OutsideImplicitStep(found.word, found.matrix, C, values, shorter))
        parts: dict[str, Any] = {"word": found.word, "matrix": found.matrix}
        parts |= {} if C is None else {"direction": C}
        parts |= {"shortest": True} if shortest and not self.hull else {}
        witness = {"word": list(found.word), "matrix": matrix_text(found.matrix)}
        witness |= {} if C is None else {"direction": matrix_text(C)}
        statement = self.statement(subject)
        matrix = f" {matrix_text(found.matrix)}" if found.matrix.nrows() <= _LARGEST_SHOWN else ""
        return Proved(
            self.kind,
            statement,
            f"the fixed point{matrix} of {_named(found.word)} is in the piggyback set and not in the implicit set"
            + (" of the hull" if self.hull else ""),
            {"witness": witness},
            "the fixed point of every word is in the piggyback set, and this one is the fixed point of no "
            + ("convex combination of the pairs" if self.hull else "pair"),
            derivation,
            certificate=certify(
                self, "proved", statement, subject.certificate_parts(), {**contraction.tree.witness(), **parts}
            ),
        )

    def _refuted(self, subject: Subject, contraction: Contraction, found: Equal, derivation: Derivation) -> Verdict:
        system, points = contraction.system, _distinct(found.points)
        images = () if self.hull else tuple(tuple(points.index(A * X + B) for X in points) for A, B in system.pairs)
        derivation.record(InvariantPointsStep(points, images, self.hull))
        parts: dict[str, Any] = {"points": list(found.points)}
        parts |= {} if found.coefficients is None else {"coefficients": found.coefficients}
        statement = self.statement(subject)
        into = "into their convex hull" if self.hull else "to one of them"
        return Refuted(
            self.kind,
            statement,
            "the implicit set of the hull is its piggyback set"
            if self.hull
            else "the implicit set is the piggyback set",
            {"points": [matrix_text(X) for X in points]},
            f"every pair maps the fixed point of every pair {into}",
            derivation,
            certificate=certify(
                self, "refuted", statement, subject.certificate_parts(), {**contraction.tree.witness(), **parts}
            ),
        )


def _active(subject: Subject) -> tuple[int, ...]:
    """The letters of pieces that were proved essentially active.

    Raises
    ------
    UnknownError
        When there is none.
    """
    if not subject.essential:
        raise UnknownError("no piece was proved essentially active at the fixed point")
    return subject.essential


def _named(word: Word) -> str:
    return f"the word {word_text(word)}" if len(word) <= _MOST_LETTERS else f"a word of {len(word)} letters"


def _implicit_set(system: SwitchedSystem) -> ImplicitSetStep:
    scalar = (system.dimension, system.columns) == (1, 1)
    return ImplicitSetStep(implicit_points(system), implicit_hull_interval(system) if scalar else None)


def _shorter_words(system: SwitchedSystem, length: int) -> int:
    """How many words are shorter, pairs that are equal counted once."""
    letters = sum(pair not in system.pairs[:i] for i, pair in enumerate(system.pairs))
    return sum(letters**n for n in range(1, length))


def _distinct(points: tuple[fmpq_mat, ...]) -> tuple[fmpq_mat, ...]:
    return tuple(X for i, X in enumerate(points) if X not in points[:i])

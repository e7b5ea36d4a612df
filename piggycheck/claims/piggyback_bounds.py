"""The claim that the piggyback set lies within bounds: in a box, or in a polytope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.claims.base import Claim, certify, decimals_above, matrix_field, matrix_text, rational_field
from piggycheck.claims.limit_sets import (
    all_pairs,
    ball_step,
    ball_witness,
    require_shape,
    system_of,
    uses_undecided,
    where,
)
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.derivation import (
    BeyondBoundStep,
    ContractionStep,
    Derivation,
    DirectionBoundsStep,
    InsideStep,
)
from piggycheck.errors import InputError, UnknownError
from piggycheck.limits import Bound, Contraction, Point, inner_product, support
from piggycheck.limits.support import cells_below
from piggycheck.switched import Word

__all__ = ["PiggybackBounds"]

_TOLERANCE = fmpq(1, 1000)
_TOLERANCES = (fmpq(1, 10**3), fmpq(1, 10**5), fmpq(1, 10**7), fmpq(1, 10**9))
_FEW_CELLS = 2000
_LARGEST_SHOWN = 4


@dataclass(frozen=True)
class PiggybackBounds(Claim):
    """The piggyback set lies in a box, or in the polytope of some directions, whose sides points of it nearly attain.

    Parameters
    ----------
    directions : list of p × m matrices of exact rational numbers, optional
        A side for each C: the products ``<C, X>``, sums of the products of entries, are bounded above. By default plus
        and minus each unit matrix, row by row, plus first: the sides of a box.
    upper : list of exact rational numbers, optional
        The bounds, one for each direction. When absent, they are found.
    tolerance : positive exact rational number, optional
        When bounds are found: at most how far they are above what a point of the set attains; 1/1000 when absent.

    Raises
    ------
    InputError
        When a field cannot be read, or there is not one upper bound for each direction.

    Examples
    --------
    >>> from piggycheck.claims import prove
    >>> from piggycheck.switched import SwitchedSystem
    >>> cantor = SwitchedSystem.from_rows([[["1/3"]], [["1/3"]]], [[[0]], [["2/3"]]])
    >>> prove(PiggybackBounds(), cantor).value["box"]
    {'lower': [['0']], 'upper': [['1']]}
    >>> prove(PiggybackBounds(directions=[[[1]]], upper=["9/10"]), cantor).name
    'refuted'

    Notes
    -----
    The bounds hold for the convex hull of the set, too. When this fails: many words are needed where the set is flat in
    a direction and the pairs contract slowly; an upper bound that is the maximum itself is proved in special cases.
    """

    directions: Any = None
    upper: Any = None
    tolerance: Any = None
    kind = "piggyback_bounds"

    def __post_init__(self) -> None:
        if self.directions is not None:
            object.__setattr__(self, "directions", _read_directions(self.directions, f"directions of `{self.kind}`"))
        if self.upper is not None:
            if not isinstance(self.upper, (list, tuple)) or not self.upper:
                shown = str(self.upper)[:60]
                raise InputError(
                    f"upper of `{self.kind}`: `{shown}` is no list of numbers; write one for each direction"
                )
            numbers = tuple(rational_field(number, f"upper of `{self.kind}`") for number in self.upper)
            object.__setattr__(self, "upper", numbers)
            if self.tolerance is not None:
                raise InputError(
                    f"tolerance of `{self.kind}`: with `upper` no bounds are looked for; remove one of them"
                )
            if self.directions is not None:
                self._require_as_many(len(self.directions))
            return
        tolerance = _TOLERANCE if self.tolerance is None else self.tolerance
        tolerance = rational_field(tolerance, f"tolerance of `{self.kind}`")
        if tolerance <= 0:
            raise InputError(f"tolerance of `{self.kind}`: {tolerance} is not positive; write a positive number")
        object.__setattr__(self, "tolerance", tolerance)

    def _require_as_many(self, directions: int) -> None:
        if self.upper is not None and len(self.upper) != directions:
            raise InputError(
                f"upper of `{self.kind}`: {len(self.upper)} numbers for {directions} directions; write one for each"
            )

    def fields(self) -> dict[str, Any]:
        return {"directions": self.directions, "upper": self.upper, "tolerance": self.tolerance}

    def statement(self, subject: Subject) -> str:
        of = f"the piggyback set{where(subject)}"
        if self.upper is None:
            body = "a box" if self.directions is None else f"a polytope of {_sides(len(self.directions))}"
            return f"{of} lies in {body}, within {self.tolerance} of it on each side"
        if self.directions is None:
            return f"{of} lies in the given box"
        return f"{of} lies in the given polytope of {_sides(len(self.directions))}"

    def decide(self, subject: Subject) -> Verdict:
        system = system_of(subject, self.kind)
        for C in self.directions or ():
            require_shape(C, subject, f"directions of `{self.kind}`")
        shape = (system.dimension, system.columns)
        directions = self.directions or tuple(unit_directions(*shape))
        self._require_as_many(len(directions))
        if self.upper is None:
            return self._found(subject, [self._both_sides(subject, C) for C in _in_time(subject, directions)])
        sides = []
        for index, (C, claimed) in enumerate(zip(_in_time(subject, directions), self.upper, strict=True)):
            side = _Search(subject).below(C, claimed)
            if isinstance(side, Point):
                return self._refuted(subject, index, C, claimed, side)
            sides.append(side)
        return self._confirmed(subject, sides)

    def _both_sides(self, subject: Subject, C: fmpq_mat) -> _Side:
        """A bound, and a point of pieces proved active that comes as close to it as is asked for."""
        bound = support(subject.contraction, C, tolerance=self.tolerance)
        if not uses_undecided(subject, (*bound.point.word, *bound.point.then)):
            return _Side(C, bound.upper, bound.words, bound.lower, bound.point)
        own = support(subject.essential_contraction, C, tolerance=self.tolerance)
        bound = support(subject.contraction, C, tolerance=self.tolerance / 2)
        if bound.upper - own.lower > self.tolerance:
            all_pairs(subject, "how far the set reaches depends on them")
        point = Point(subject.in_system(own.point.word), subject.in_system(own.point.then), own.point.matrix)
        return _Side(C, bound.upper, bound.words, own.lower, point)

    def _found(self, subject: Subject, sides: Sequence[_Side]) -> Verdict:
        value: dict[str, Any] = {"lower": [str(s.lower) for s in sides], "upper": [str(s.upper) for s in sides]}
        box, derivation = self._box(subject, sides), self._derivation(subject, sides)
        found = f"it lies in a polytope of {_sides(len(sides))}, and points of it are within {self.tolerance} of each"
        if box is not None:
            value["box"] = {"lower": matrix_text(box[0]), "upper": matrix_text(box[1])}
            if max(box[0].nrows(), box[0].ncols()) <= _LARGEST_SHOWN:
                lower, upper = (matrix_text(corner) for corner in box)
                found = (
                    f"its entries are between {lower} and {upper}, and each bound is attained within {self.tolerance}"
                )
        return self._certified(
            subject,
            Proved,
            found,
            value,
            "images of a ball under words cover the set, and lie within the bounds",
            derivation,
            {**ball_witness(subject.contraction), "bounds": [side.witness() for side in sides]},
        )

    def _confirmed(self, subject: Subject, sides: Sequence[_Side]) -> Verdict:
        value: dict[str, Any] = {"upper": [str(side.upper) for side in sides]}
        return self._certified(
            subject,
            Proved,
            "it lies within the given bounds",
            value,
            "images of a ball under words cover the set, and lie within the bounds",
            self._derivation(subject, sides),
            {**ball_witness(subject.contraction), "bounds": [side.witness() for side in sides]},
        )

    def _refuted(self, subject: Subject, index: int, C: fmpq_mat, claimed: fmpq, point: Point) -> Verdict:
        X = point.value(subject.system)
        reached = inner_product(C, X)
        derivation = subject.opening()
        derivation.record(ContractionStep(subject.contraction.tree))
        derivation.record(InsideStep(X, point.word, point.then, point.matrix, None, given=False))
        derivation.record(BeyondBoundStep(C, reached, claimed))
        witness = {"word": list(point.word), "then": list(point.then), "matrix": matrix_text(point.matrix)}
        return self._certified(
            subject,
            Refuted,
            f"a point of it is beyond the bound of direction {index}: the product is {_number(reached)}, and {claimed} "
            "is claimed",
            {"index": str(index), "lower": str(reached), "witness": witness},
            "the fixed point of every word is in the piggyback set, and so is every image of it under the pairs",
            derivation,
            {
                **subject.contraction.tree.witness(),
                "index": index,
                "word": point.word,
                "then": point.then,
                "matrix": point.matrix,
            },
        )

    def _box(self, subject: Subject, sides: Sequence[_Side]) -> tuple[fmpq_mat, fmpq_mat] | None:
        if self.directions is not None:
            return None
        p, m = subject.system.dimension, subject.system.columns
        uppers = [side.upper for side in sides]
        return fmpq_mat(p, m, [-h for h in uppers[1::2]]), fmpq_mat(p, m, uppers[0::2])

    def _derivation(self, subject: Subject, sides: Sequence[_Side]) -> Derivation:
        contraction, derivation = subject.contraction, subject.opening()
        derivation.record(ContractionStep(contraction.tree))
        derivation.record(ball_step(contraction))
        derivation.record(
            DirectionBoundsStep(
                tuple(side.direction for side in sides),
                tuple(side.upper for side in sides),
                tuple(side.lower for side in sides),
                tuple(None if side.point is None else (side.point.word, side.point.then) for side in sides),
                tuple((len(side.words), max(map(len, side.words))) for side in sides),
                self._box(subject, sides),
            )
        )
        return derivation

    def _certified(
        self,
        subject: Subject,
        kind: type[Proved] | type[Refuted],
        found: str,
        value: dict[str, Any],
        reason: str,
        derivation: Derivation,
        witness: dict[str, Any],
    ) -> Verdict:
        statement = self.statement(subject)
        certificate = certify(self, kind.name, statement, subject.certificate_parts(), witness)
        return kind(self.kind, statement, found, value, reason, derivation, certificate=certificate)


@dataclass(frozen=True)
class _Side:
    """One direction: a bound by cells, and a point that comes near it, where that is asked for."""

    direction: fmpq_mat
    upper: fmpq
    words: tuple[Word, ...]
    lower: fmpq | None = None
    point: Point | None = None

    def witness(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"upper": self.upper, "words": self.words}
        if self.point is not None:
            point = self.point
            parts |= {"lower": self.lower, "word": point.word, "then": point.then, "matrix": point.matrix}
        return parts


@dataclass(frozen=True)
class _Search:
    """Comparing a claimed bound with what the set reaches."""

    subject: Subject

    @cached_property
    def contraction(self) -> Contraction:
        return self.subject.contraction

    def below(self, C: fmpq_mat, claimed: fmpq) -> _Side | Point:
        """Cells on which the products are at most the claimed bound, or a point where they are not.

        Raises
        ------
        UnknownError
            When neither was found.
        """
        words = cells_below(self.contraction, C, claimed, budget=_FEW_CELLS)
        if words is not None:
            return _Side(C, claimed, words)
        for tolerance in _TOLERANCES:
            bound = support(self.contraction, C, tolerance=tolerance)
            if bound.upper <= claimed:
                return _Side(C, bound.upper, bound.words)
            point = self._beyond(C, claimed, bound, tolerance)
            if point is not None:
                return point
            if not self.subject.remaining:
                break
        raise UnknownError(
            f"the largest product with the direction {matrix_text(C)} is at least {_number(bound.lower)} and at most "
            f"{_number(bound.upper)}, and {claimed} is claimed"
        )

    def _beyond(self, C: fmpq_mat, claimed: fmpq, bound: Bound, tolerance: fmpq) -> Point | None:
        """A point of pieces proved active that is beyond the claimed bound."""
        if bound.lower <= claimed:
            return None
        if not uses_undecided(self.subject, (*bound.point.word, *bound.point.then)):
            return bound.point
        own = support(self.subject.essential_contraction, C, tolerance=tolerance)
        if own.lower <= claimed:
            all_pairs(self.subject, "how far the set reaches depends on them")
        point = own.point
        return Point(self.subject.in_system(point.word), self.subject.in_system(point.then), point.matrix)


def _in_time(subject: Subject, directions: Sequence[fmpq_mat]) -> Iterator[fmpq_mat]:
    """Yield the directions, as long as there is time.

    Raises
    ------
    UnknownError
        When the time limit ends before.
    """
    for done, C in enumerate(directions):
        if done and not subject.remaining:
            raise UnknownError(f"the time limit ended after {done} of {len(directions)} directions")
        yield C


def unit_directions(p: int, m: int) -> list[fmpq_mat]:
    """Plus and minus each unit matrix, row by row, plus first."""
    units = [[int(place == i) for place in range(p * m)] for i in range(p * m)]
    return [fmpq_mat(p, m, [sign * entry for entry in unit]) for unit in units for sign in (1, -1)]


def _read_directions(value: Any, where: str) -> tuple[fmpq_mat, ...]:
    if not isinstance(value, (list, tuple)) or not value:
        raise InputError(f"{where}: `{str(value)[:60]}` is no list of matrices; write [ [[1, 0]], ... ]")
    return tuple(matrix_field(C, where) for C in value)


def _sides(count: int) -> str:
    return "one side" if count == 1 else f"{count} sides"


def _number(value: fmpq) -> str:
    """Write a number, rounded where it is long."""
    text = str(value)
    return text if len(text) <= 24 else ("-" if value < 0 else "") + decimals_above(abs(value))

"""What claims about structured maps share: the verified limit, the description of the map, what small ones allow."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from flint import fmpq

from piggycheck.arithmetic import rational
from piggycheck.claims.about import About
from piggycheck.claims.directions import Chosen, Moves, choose
from piggycheck.claims.enclosed.facts import compressed, point_step, tie_step
from piggycheck.claims.subject import Subject
from piggycheck.derivation import Derivation, EnclosedPointStep, FixedPointStep, MapStep, StructuredMapStep
from piggycheck.enclosures import LimitEnclosure, LimitProblem, Tie, enclose_limit
from piggycheck.enclosures.exact import exact_fixed_point
from piggycheck.errors import InputError, UnknownError
from piggycheck.fixed_points import FixedPoint
from piggycheck.iteration import Iteration
from piggycheck.layered_text import describe
from piggycheck.maps import ArrayParameter, Group, SecondOrderCone, Spectral, StructuredMap

__all__ = ["EnclosedSubject", "with_room"]

_MOST_ENTRIES = 2500
_LEAST_SECONDS = 1.0
_MOST_SEARCHED = 6
_LEAST_ERROR = fmpq(1) / fmpq(10) ** 30


class EnclosedSubject(About):
    """An iteration of a structured map at given parameters.

    Parameters
    ----------
    iteration : Iteration
        Of a `StructuredMap`.
    at : mapping
        A value for each parameter.
    time_limit : float
        Seconds that each question may take.

    Raises
    ------
    InputError
        When a parameter has no value, or one at which the functions make no sense.
    """

    named_point = "the fixed point"
    # An enclosed limit is not known to be the start: a claim about J_0 is then about some J_0.
    start_is_fixed = False

    def __init__(self, iteration: Iteration, at: Mapping[Any, Any] | None = None, time_limit: float = 10.0):
        self.iteration: Iteration = iteration
        self.map: StructuredMap = iteration.map
        self.at = self.map.parameter_values(at or {})
        iteration.check(self.at)
        self._found: dict[str, LimitEnclosure | Tie] = {}
        self._failure: UnknownError | None = None
        self.with_time(time_limit)

    # -- the limit ------------------------------------------------------------------------------------------------

    @cached_property
    def problem(self) -> LimitProblem:
        """The iteration over the arithmetics in which its limit is found."""
        return LimitProblem(self.iteration, self.at)

    def chosen(self, kind: str, asked: tuple[Moves, ...] | None = None) -> Chosen:
        """Return the directions that a claim asks for, or those that are asked for by default."""
        if not self.map.declared:
            raise InputError(f"claim `{kind}`: the map has no parameters to differentiate in; declare [parameters]")
        return choose(self.map, asked, kind)

    def found(self, chosen: Chosen | None = None) -> LimitEnclosure | Tie:
        """Return the limit, with its derivative in some directions; by default in the default ones.

        Raises
        ------
        UnknownError
            When it is not enclosed.
        """
        if chosen is None and self._found:
            return next(iter(self._found.values()))
        if chosen is None and self.map.declared:
            chosen = choose(self.map, None, "derivative")
        key = "" if chosen is None else str(chosen.text())
        if key not in self._found:
            self._found[key] = self._enclosed({} if chosen is None else chosen.moving)
        return self._found[key]

    def _enclosed(self, directions: Mapping[str, Any]) -> LimitEnclosure | Tie:
        """Search once: without a fixed point there is none in other directions either."""
        if self._failure is not None:
            raise self._failure
        try:
            seconds = max(self.remaining, _LEAST_SECONDS)
            found = enclose_limit(self.problem, directions=directions, time_limit=seconds, whole=True)
            return with_room(found)
        except UnknownError as error:
            self._failure = error
            raise

    def limit(self, chosen: Chosen | None = None) -> LimitEnclosure:
        """Return the limit where the map is smooth.

        Raises
        ------
        UnknownError
            At a tie, or when the limit is not enclosed.
        """
        found = self.found(chosen)
        if isinstance(found, Tie):
            raise UnknownError(str(found))
        return found

    # -- small maps -----------------------------------------------------------------------------------------------

    @property
    def is_tiny(self) -> bool:
        """Whether all pieces of the map can be looked at."""
        return self.map.dimension <= _MOST_SEARCHED and self.is_small

    @property
    def is_small(self) -> bool:
        """Whether the map is small enough to be written out as expressions; curved layers make long ones."""
        if any(isinstance(node, Spectral) for node in self.map.nodes):
            return False
        curved = any(isinstance(node, (Group, SecondOrderCone)) for node in self.map.nodes)
        few = not curved or self.map.dimension <= _MOST_SEARCHED
        return few and self.map.dimension * (self.map.dimension + self.map.columns) <= _MOST_ENTRIES

    def symbolic(self, known: FixedPoint | None = None) -> Subject:
        """Return the same iteration with the map written out.

        Parameters
        ----------
        known : FixedPoint, optional
            Where its fixed point is; by default it is found exactly if that is quick, and otherwise when it is needed.

        Raises
        ------
        UnknownError
            When the map is too large, or has a layer that expressions cannot hold.
        """
        if not self.is_small:
            raise UnknownError(
                f"a map of {self.map.dimension} state variables and {self.map.columns} parameters, made of its layers, "
                "is too large to be written out as expressions"
            )
        known = known or self._exact_point
        start = self.iteration.start
        iteration = Iteration(self._symbolic_map, start, self.iteration.name)
        point = None if known is None else FixedPoint(dict(known.state), self._flat)
        subject = _Layered(iteration, self._flat, None, self.time_limit, point, self._told())
        return subject.with_time(max(self.remaining, 0.1)).reporting(self.progress)

    def at_tie(self, tie: Tie) -> Subject:
        """Return the map written out, with the fixed point at which guards tie.

        Raises
        ------
        UnknownError
            When the map is too large; with what ties there, and how many pieces meet.
        """
        if self.is_small:
            return self.symbolic(tie.fixed_point)
        count = self._pieces_at_tie
        meet = f"{count} pieces meet there" if count else "several pieces may meet there"
        raise UnknownError(f"{tie}, and {meet}; the map is too large to be written out, which claims about ties need")

    @cached_property
    def _pieces_at_tie(self) -> int | None:
        """How many pieces are essentially active at the tie, where they can be listed."""
        found = self.found()
        try:
            selection = self.map.selection(found.fixed_point.point)
        except UnknownError:
            return None
        return len(selection.pieces) if selection.exact else None

    @cached_property
    def _exact_point(self) -> FixedPoint | None:
        """The fixed point, when the piece there is affine."""
        try:
            found = self.found()
        except UnknownError:
            return None
        if isinstance(found, Tie):
            return found.fixed_point
        exact = exact_fixed_point(self.problem, found.point)
        return None if exact is None else self.problem.fixed_point(exact[0])

    @cached_property
    def _symbolic_map(self) -> Any:
        return self.map.symbolic()

    @cached_property
    def _flat(self) -> dict[Any, Any]:
        """A value for each number among the parameters."""
        values: list[Any] = []
        for p in self.map.declared:
            value = self.at[p]
            values += value.entries() if isinstance(p, ArrayParameter) else [value]
        return self._symbolic_map.parameter_values(dict(zip(self.map.parameters, values, strict=True)))

    # -- what certificates and derivations say of the subject ------------------------------------------------------

    @cached_property
    def layers(self) -> dict[str, Any]:
        """The map with its parameters, as certificates hold it."""
        return describe(self.map, self.at, self.iteration.output)

    @cached_property
    def start(self) -> tuple[str, ...] | None:
        """The start, as certificates hold it.

        Raises
        ------
        UnknownError
            When it is irrational.
        """
        if self.iteration.start is None:
            return None
        return tuple(str(rational(e, "the start")) for e in self.iteration.start_at(self.at).values())

    def certificate_parts(self) -> dict[str, Any]:
        """Return the parts of a certificate that state what it is about."""
        return {"layers": self.layers, "start": self.start}

    @property
    def start_moves(self) -> bool:
        """Whether the start depends on the parameters."""
        return self.iteration.start is not None and any(e.free_symbols for e in self.iteration.start)

    def opening(self, *, pieces: bool = True) -> Derivation:
        """Begin a derivation: the map, and where its fixed point is."""
        derivation = Derivation()
        derivation.record(StructuredMapStep(self.iteration.name, self.layers, self.start))
        if pieces:
            found = self.found()
            derivation.record(tie_step(found, self._pieces_at_tie) if isinstance(found, Tie) else point_step(found))
        return derivation

    def _told(self) -> Derivation:
        """As much of a derivation as is known."""
        for pieces in (True, False):
            try:
                return self.opening(pieces=pieces)
            except UnknownError:
                continue
        return Derivation()

    def listed_pieces(self) -> list[dict[str, Any]]:
        """Return the active piece, by what the switches of each node see."""
        try:
            found = self.found()
            if not isinstance(found, Tie):
                return [{"signature": compressed(self.map, found.signature)}]
            return self.at_tie(found).listed_pieces()
        except UnknownError:
            return []


def with_room(found: LimitEnclosure | Tie, least: fmpq = _LEAST_ERROR) -> LimitEnclosure | Tie:
    """Let no error be stated as 0: who checks in binary numbers rounds what is exact here."""
    if isinstance(found, Tie):
        return found
    derivative_error = found.derivative_error if found.derivative is None else found.derivative_error or least
    return replace(found, error=found.error or least, derivative_error=derivative_error)


@dataclass
class _Layered(Subject):
    """A map written out, of which derivations tell the layers."""

    layered: Derivation = field(default_factory=Derivation)

    def opening(self, *, pieces: bool = True) -> Derivation:
        """Begin a derivation: the layers, the fixed point, the pieces there."""
        told = {StructuredMapStep: MapStep, EnclosedPointStep: FixedPointStep}
        left_out = tuple(told[type(step)] for step in self.layered if type(step) in told)
        written = [step for step in super().opening(pieces=pieces) if not isinstance(step, left_out)]
        return Derivation([*self.layered, *written])

"""The claim that the iteration has a fixed point, or this one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from piggycheck.algorithms.reading import expression
from piggycheck.arithmetic import rational
from piggycheck.claims.base import Claim, certify
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Verdict
from piggycheck.claims.visible import require_visible_ties, require_visible_values
from piggycheck.derivation import FixedPointStep
from piggycheck.errors import InputError, MapError, UnknownError
from piggycheck.maps.evaluation import signature_at

__all__ = ["FixedPointClaim"]


@dataclass(frozen=True)
class FixedPointClaim(Claim):
    """The iteration has a fixed point at the parameters; with `value`, this one.

    Parameters
    ----------
    value : mapping from names to exact numbers, or list of exact numbers, optional

    Notes
    -----
    When this fails: an irrational fixed point is found exactly, but certificates hold rational numbers, so the claim
    is undecided; so is the absence of fixed points of a map that is not piecewise affine.
    """

    value: Any = None
    kind = "fixed_point"

    def statement(self, subject: Subject) -> str:
        if self.value is None:
            return "the iteration has a fixed point at these parameters"
        listed = ", ".join(f"{v} = {c}" for v, c in self._point(subject).items())
        return f"{listed} is a fixed point of the iteration at these parameters"

    def _point(self, subject: Subject) -> dict[Any, Any]:
        state = subject.iteration.map.state
        if isinstance(self.value, Mapping):
            given = {str(name): number for name, number in self.value.items()}
            foreign = [name for name in given if name not in map(str, state)]
            missing = [str(v) for v in state if str(v) not in given]
            if foreign or missing:
                wrong = f"`{foreign[0]}` is no state variable" if foreign else f"`{missing[0]}` has no value"
                raise InputError(f"value of `fixed_point`: {wrong}; the state is {', '.join(map(str, state))}")
            listed = [given[str(v)] for v in state]
        else:
            listed = (
                list(self.value)
                if isinstance(self.value, Sequence) and not isinstance(self.value, str)
                else [self.value]
            )
            if len(listed) != len(state):
                raise InputError(f"value of `fixed_point`: {len(listed)} numbers for {len(state)} state variables")
        return {v: expression(number, (), f"value of `{v}`") for v, number in zip(state, listed, strict=True)}

    def decide(self, subject: Subject) -> Verdict:
        iteration = subject.required_iteration(self.kind)
        if self.value is not None:
            return self._examine(subject, self._point(subject))
        if not subject.points:
            if not subject.points.exhaustive:
                raise UnknownError(f"no fixed point was found, and not every piece was solved: {subject.points.reason}")
            return self._none(subject)
        listed = [subject.point] if len(subject.points) == 1 else list(subject.points)
        point = next((p for p in listed if all(c.is_Rational for c in p.state.values())), None)
        if point is None:
            shown = ", ".join(f"{v} = {to_text_or_str(c)}" for v, c in listed[0].state.items())
            raise UnknownError(f"the fixed point {shown} is irrational, and certificates hold rational numbers")
        return self._proved(subject, point.state, iteration.name)

    def _examine(self, subject: Subject, point: dict[Any, Any]) -> Verdict:
        if not all(c.is_Rational for c in point.values()):
            raise UnknownError("the claimed point is irrational, and certificates hold rational numbers")
        try:
            value = subject.iteration.map.value({**point, **subject.at})
        except MapError as error:
            raise UnknownError(f"the map has no value at the claimed point: {error}") from None
        if list(value) == list(point.values()):
            return self._proved(subject, point, subject.iteration.name)
        if not all(c.is_Rational for c in value):
            raise UnknownError(
                "the map's value at the claimed point is irrational, and certificates hold rational numbers"
            )
        statement = self.statement(subject)
        image = ", ".join(f"{v} = {c}" for v, c in zip(point, value, strict=True))
        parts = subject.map_parts()
        certificate = self._certificate("refuted", subject, statement, parts, {}, point)
        return Refuted(
            self.kind,
            statement,
            f"the map sends it to {image}",
            {"image": dict(zip(map(str, point), map(str, value), strict=True))},
            "the value of the map at the claimed point is another point",
            subject.opening(pieces=False),
            certificate=certificate,
        )

    def _proved(self, subject: Subject, state: dict[Any, Any], name: str) -> Verdict:
        map_, point = subject.iteration.map, {**state, **subject.at}
        signature = signature_at(map_, point)
        require_visible_values(map_, [map_.piece(signature)], point)
        require_visible_ties([map_.piece(signature)], point)
        derivation = subject.opening(pieces=False)
        derivation.record(FixedPointStep(state, dict(subject.at)))
        statement = self.statement(subject)
        listed = ", ".join(f"{v} = {c}" for v, c in state.items())
        others = ""
        if self.value is None:
            alone = len(subject.points) == 1 and subject.points.exhaustive and subject.points[0].isolated
            others = "; there is no other" if alone else ""
        parts = {**subject.map_parts(), "fixed_point": {v: rational(c) for v, c in state.items()}}
        certificate = self._certificate(
            "proved", subject, statement, parts, {}, self._point(subject) if self.value is not None else None
        )
        return Proved(
            self.kind,
            statement,
            f"{listed} is a fixed point{others}",
            {"point": {str(v): str(c) for v, c in state.items()}},
            f"one step of the iteration ({name}) leaves the point unchanged",
            derivation,
            certificate=certificate,
        )

    def _none(self, subject: Subject) -> Verdict:
        local = subject.iteration.map.fix(subject.at)
        pieces = [local.piece(signature) for signature, _ in local.signatures(lambda guard, outcomes: outcomes)]
        if not all(piece.is_affine(local.state) for piece in pieces):
            raise UnknownError(
                "there is none, as the equations on its pieces show; certificates of that hold affine pieces only"
            )
        statement = self.statement(subject)
        certificate = self._certificate(
            "refuted", subject, statement, subject.map_parts(), {"method": "no_fixed_point"}, None
        )
        return Refuted(
            self.kind,
            statement,
            "the iteration has no fixed point at these parameters",
            {},
            "on every piece the equation F(x) = x has no solution inside the piece",
            subject.opening(pieces=False),
            certificate=certificate,
        )

    def _certificate(self, verdict, subject, statement, parts, witness, value):
        heading = _ValueHeading(None if value is None else {str(v): rational(c) for v, c in value.items()})
        return certify(heading, verdict, statement, parts, witness)


@dataclass(frozen=True)
class _ValueHeading:
    """The heading of the certificate: the claim with its value read."""

    value: Any
    kind = "fixed_point"

    def fields(self) -> dict[str, Any]:
        return {"value": self.value}


def to_text_or_str(number: Any) -> str:
    """Write a number for a message."""
    return str(number)

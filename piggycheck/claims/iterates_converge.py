"""The claim that the iterates converge to the fixed point from every start."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from flint import fmpq

from piggycheck.arithmetic import rational
from piggycheck.claims.base import Claim, certify
from piggycheck.claims.realisable import Along, settle
from piggycheck.claims.subject import Subject
from piggycheck.claims.verdict import Proved, Refuted, Undecided, Verdict
from piggycheck.cycles import cycles
from piggycheck.derivation import (
    ContractionStep,
    Derivation,
    EnergyStep,
    FixedPointStep,
    HomogeneousStep,
    PiecesEverywhereStep,
    ReturnStep,
    StarPolygonStep,
)
from piggycheck.errors import GapError, UnknownError
from piggycheck.linalg import matrix
from piggycheck.maps import Continuous, check_continuity
from piggycheck.realised import rays
from piggycheck.stability import Contractive
from piggycheck.star_polygon import star_polygon
from piggycheck.switched import SwitchedSystem
from piggycheck.trajectories import AffinePieces, Energy, affine_pieces, find_energy, full_matrices

__all__ = ["IteratesConverge"]

_LONGEST_CYCLE = 4
_SHARE = 4


@dataclass(frozen=True)
class IteratesConverge(Claim):
    """At the parameters the iterates converge to the fixed point from every start.

    Examples
    --------
    >>> from piggycheck.algorithms import heavy_ball
    >>> from piggycheck.claims import prove
    >>> ball = heavy_ball("Piecewise((x**2/2, x >= 0), (x**2/8, True))", ["x"], "1/4", "3/4", parameters=["theta"])
    >>> prove(IteratesConverge(), ball, at={"theta": 0}).value["method"]
    'energy'

    Notes
    -----
    For continuous piecewise affine maps, in one of four ways: a heavy ball whose energy decreases; pieces that
    contract together; and where all guards pass through the fixed point, in the plane a star-shaped polygon that is
    sent into its interior, or guards that allow only words that contract. A cycle refutes it, or a ray. See
    docs/theory/global-convergence.md. What it says of the iterates says nothing of their derivatives.

    When this fails: maps with curved pieces, iterates that grow along no rational ray, and cycles of more than four
    points, or of irrational points, leave the claim undecided.
    """

    kind = "iterates_converge"

    def statement(self, subject: Subject) -> str:
        return f"the iterates converge to {subject.named_point} from every start"

    def decide(self, subject: Subject) -> Verdict:
        iteration = subject.required_iteration(self.kind)
        other = _another_fixed_point(subject)
        if other is not None:
            return self._refuted(subject, *other, 1)
        fixed_point = _fixed_point(subject)
        try:
            pieces = affine_pieces(iteration.map, subject.at, iteration.map.state, time_limit=subject.remaining)
        except GapError as error:
            return self._open(subject, [str(error)])
        if not isinstance(check_continuity(iteration.map.fix(subject.at)), Continuous):
            return self._open(subject, ["the map is not continuous"])
        reasons: list[str] = []
        for method in (self._by_energy, self._by_contraction, self._by_polygon):
            try:
                return method(subject, pieces)
            except UnknownError as error:
                reasons.append(str(error))
        for period in range(1, _LONGEST_CYCLE + 1):
            for point in _cycles(subject, period):
                if point != fixed_point:
                    return self._refuted(subject, fixed_point, point, period)
        try:
            self._require_cones(subject, pieces)
            ray = _growing_ray(subject)
            if ray is not None:
                return self._refuted(subject, fixed_point, *ray)
            return self._by_words(subject)
        except (GapError, UnknownError) as error:
            reasons.append(str(error))
        return self._open(subject, reasons)

    # -- proofs ---------------------------------------------------------------------------------------------------

    def _by_energy(self, subject: Subject, pieces: AffinePieces) -> Verdict:
        energy = find_energy(subject.iteration.map.state, pieces)
        derivation = _opening(subject)
        derivation.record(EnergyStep(energy.variables, energy.momentum, energy.jacobians))
        witness = {"method": "energy", "momentum": energy.momentum, "previous": _names(energy)}
        bound = 2 * (1 - energy.momentum)
        return self._proved(
            subject,
            derivation,
            {"momentum": str(energy.momentum), "limit": str(bound)},
            f"an energy decreases in each step: the step times each Jacobian of the gradient lies "
            f"between 0 and 2 (1 - momentum) = {bound}",
            witness,
        )

    def _by_contraction(self, subject: Subject, pieces: AffinePieces) -> Verdict:
        matrices = full_matrices(pieces)
        n = len(subject.iteration.map.state)
        system = SwitchedSystem(
            matrices, tuple(matrix([[0]] * n, "B") for _ in matrices), tuple(map(str, range(len(matrices)))), True
        )
        answer = subject.radius(of=system, time_limit=subject.remaining / _SHARE)
        if not isinstance(answer, Contractive):
            raise UnknownError("the joint spectral radius of all pieces of the map was not proved to be below 1")
        derivation = _opening(subject)
        derivation.record(PiecesEverywhereStep(matrices))
        derivation.record(ContractionStep(answer.proof, None))
        witness = {"method": "contraction", "matrices": matrices, "proof": answer.proof.witness()}
        return self._proved(
            subject,
            derivation,
            {"rate": str(answer.proof.rate)},
            f"the pieces of the map on the whole space contract together by {answer.proof.rate}",
            witness,
        )

    def _require_cones(self, subject: Subject, pieces: AffinePieces) -> None:
        fixed_point = [*_fixed_point(subject), fmpq(1)]
        for row in pieces.guards:
            if any(row[:-1]) and sum((a * b for a, b in zip(row, fixed_point, strict=True)), fmpq(0)) != 0:
                raise UnknownError("not all guards pass through the fixed point, so possible words say nothing")

    def _by_polygon(self, subject: Subject, pieces: AffinePieces) -> Verdict:
        if len(subject.iteration.map.state) != 2:
            raise UnknownError("a polygon needs two state variables")
        self._require_cones(subject, pieces)
        corners = star_polygon(subject.cones)
        if corners is None:
            raise UnknownError("no star-shaped polygon was found that the map sends into its interior")
        derivation = _opening(subject)
        derivation.record(HomogeneousStep())
        derivation.record(StarPolygonStep(corners))
        reason = (
            f"all guards pass through the fixed point, and the map sends a star-shaped polygon around it with "
            f"{len(corners)} corners into its interior"
        )
        witness = {"method": "polygon", "corners": corners}
        return self._proved(subject, derivation, {"corners": len(corners)}, reason, witness)

    def _by_words(self, subject: Subject) -> Verdict:
        found = settle(subject, self.kind, None, lambda poly, length: False)
        if not isinstance(found, Along):
            raise UnknownError("no graph of possible words was proved to contract")
        derivation = subject.opening()
        derivation.record(HomogeneousStep())
        found.record(derivation, len(subject.system))
        value = found.value()
        rate = value.pop("rate_upper")
        parts = subject.certificate_parts()
        witness = {"method": "possible_words", **found.parts(), "proof": found.answer.proof.witness()}
        reason = f"all guards pass through the fixed point; {found.reason()}"
        return self._proved(subject, derivation, {"rate": rate, **value}, reason, witness, parts)

    # -- verdicts -------------------------------------------------------------------------------------------------

    def _parts(self, subject: Subject, fixed_point: tuple[fmpq, ...]) -> dict[str, Any]:
        return subject.map_parts() | {"fixed_point": _by_name(subject, fixed_point)}

    def _proved(
        self,
        subject: Subject,
        derivation: Derivation,
        value: dict[str, Any],
        reason: str,
        witness: dict[str, Any],
        parts: dict[str, Any] | None = None,
    ) -> Proved:
        statement = self.statement(subject)
        parts = self._parts(subject, _fixed_point(subject)) if parts is None else parts
        point = ", ".join(f"{v} = {c}" for v, c in subject.point.state.items())
        return Proved(
            self.kind,
            statement,
            f"from every start the iterates converge to {point}",
            {"method": witness["method"], **value},
            reason,
            derivation,
            certificate=certify(self, "proved", statement, parts, witness),
        )

    def _refuted(
        self,
        subject: Subject,
        fixed_point: tuple[fmpq, ...],
        point: tuple[fmpq, ...],
        period: int,
        multiplier: fmpq | int = 1,
    ) -> Refuted:
        statement, start = self.statement(subject), _by_name(subject, point)
        derivation = subject.opening(pieces=False)
        derivation.record(ReturnStep(point, period, fixed_point, multiplier))
        shown = ", ".join(f"{v} = {c}" for v, c in start.items())
        value: dict[str, Any] = {"point": {str(v): str(c) for v, c in start.items()}, "period": period}
        witness: dict[str, Any] = {"method": "cycle", "point": start, "period": period}
        stay = "stay there, at another fixed point" if period == 1 else f"run in a cycle of period {period}"
        reason = f"step {period} returns to a point that is not the fixed point"
        if multiplier != 1:
            witness |= {"method": "ray", "multiplier": multiplier}
            value["multiplier"] = str(multiplier)
            stay = "move away from the fixed point without bound"
            steps = "step" if period == 1 else f"{period} steps"
            reason = f"their distance from it is multiplied by {multiplier} in each {steps}"
        return Refuted(
            self.kind,
            statement,
            f"the iterates from {shown} {stay}",
            value,
            reason,
            derivation,
            certificate=certify(self, "refuted", statement, self._parts(subject, fixed_point), witness),
        )

    def _open(self, subject: Subject, reasons: list[str]) -> Undecided:
        reason = "; ".join(dict.fromkeys(reasons))
        return Undecided(
            self.kind,
            self.statement(subject),
            reason,
            {},
            reason,
            subject.opening(pieces=False),
            tried=(
                "a decreasing energy",
                "contraction of all pieces",
                "a star-shaped polygon",
                "cycles",
                "possible words",
            ),
            would_help="a longer time limit, where a contraction was not proved",
        )


def _opening(subject: Subject) -> Derivation:
    derivation = subject.opening(pieces=False)
    derivation.record(FixedPointStep(subject.point.state, subject.point.at, subject.start_is_fixed))
    return derivation


def _fixed_point(subject: Subject) -> tuple[fmpq, ...]:
    return tuple(rational(c, f"the fixed point {v}") for v, c in subject.point.state.items())


def _names(energy: Energy) -> dict[str, str]:
    return {str(v): str(w) for v, w in energy.previous.items()}


def _by_name(subject: Subject, point: tuple[fmpq, ...]) -> dict[Any, fmpq]:
    return dict(zip(subject.iteration.map.state, point, strict=True))


def _another_fixed_point(subject: Subject) -> tuple[tuple[fmpq, ...], tuple[fmpq, ...]] | None:
    """A fixed point, that of the subject when it is known, and another one."""
    own = () if subject.iteration.start is None else (subject.point,)
    listed = [p for p in subject.points if all(c.is_Rational for c in p.state.values())]
    points = list(dict.fromkeys(tuple(rational(c) for c in p.state.values()) for p in (*own, *listed)))
    return (points[0], points[1]) if len(points) > 1 else None


def _growing_ray(subject: Subject) -> tuple[tuple[fmpq, ...], int, fmpq] | None:
    """A point on a ray that iterates return to, no closer to the fixed point; how many steps they take, the factor."""
    for words in islice(subject.cones.words(time_limit=subject.remaining / _SHARE), _LONGEST_CYCLE):
        for word in words:
            for multiplier, direction in rays(subject.cones, word, growing=True):
                point = (c + d for c, d in zip(_fixed_point(subject), direction, strict=True))
                return tuple(point), len(word), multiplier
    return None


def _cycles(subject: Subject, period: int) -> Iterator[tuple[fmpq, ...]]:
    """A point of each rational cycle that is found."""
    try:
        found = cycles(subject.iteration, subject.at, period, most_words=500, time_limit=subject.remaining / _SHARE)
    except UnknownError:
        return
    for cycle in found:
        if cycle.is_rational:
            yield tuple(rational(c) for c in cycle.points[0])

"""The proof of a verified limit at one precision: refine the guess, tell the guards from 0, contract, enclose.

The theorem and its proof are in docs/theory/verified-limit.md; the letters are the same.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from math import ceil, log2
from typing import Any

import numpy as np
from flint import arb, arb_mat, fmpq, fmpq_mat

from piggycheck.arrays import FLOAT64, BallArrays, Enclosed
from piggycheck.enclosures.contraction import Contraction, by_jacobian, by_layers, by_rows, floats, rounded_up
from piggycheck.enclosures.enclosure import LimitEnclosure
from piggycheck.enclosures.jacobian import derivative_block, derivative_rows
from piggycheck.enclosures.problem import LimitProblem
from piggycheck.enclosures.search import Guess
from piggycheck.enclosures.solver import is_quickly_formed, solver_at
from piggycheck.errors import UnknownError
from piggycheck.maps import BoundMap, Directions, Moment, Signature, StructuredMap
from piggycheck.maps.structured import StructuredMoment

__all__ = ["ImpreciseError", "Proof", "UnseparatedError", "around"]

_LEAST_BITS = 128
_WORD = 64
_SPARE_BITS = 8
_RADIUS_BITS = (20, 30, 40, 60, 80, 120, 160, 240, 320, 480, 640, 960, 1280, 1920)
_MOST_REFINEMENTS = 60
_MOST_RADII = 4
_LARGEST_BLOCK = 600
_ROOM = 10**5
_SPARE_DIGITS = 4
_BITS_PER_DIGIT = log2(10)


class UnseparatedError(UnknownError):
    """A guard was not told from 0 on the smallest ball that a precision allows.

    Attributes
    ----------
    near : fmpq_mat
        The centre of that ball.
    """

    def __init__(self, message: str, near: fmpq_mat):
        super().__init__(message)
        self.near = near


class ImpreciseError(UnknownError):
    """An error is larger than asked, at this precision."""


@dataclass(frozen=True)
class _Refined:
    """A point near a fixed point, over balls: exact entries, the map there, where it moves to, and how far."""

    x: arb_mat
    moment: Moment
    step: arb_mat
    residual: arb


@dataclass(frozen=True)
class _Contracting:
    """A contraction with the piece that it holds for, and the map with everything within its ball.

    Attributes
    ----------
    contraction : Contraction
    signature : Signature
    moment : Moment
    """

    contraction: Contraction
    signature: Signature
    moment: Moment

    @cached_property
    def leak(self) -> arb:
        """A bound of the norm of the derivative of the kept coordinates, on the ball: of that in the others, too."""
        arrays, size = self.moment.bound.arrays, self.moment.value.centre.nrows()
        every = arb_mat(size, 1, [arb(0, 1)] * size)  # every vector of the unit ball, and more
        image = self.moment.forward(Enclosed(every), None, self.signature)
        return (arrays.length(image.centre) + image.spread).upper()

    def solution_error(self, arrays: BallArrays, residual: arb_mat) -> arb:
        """Bound ``(I - A)^-1 r`` for every A on the ball and every r between the bounds."""
        contraction, kept = self.contraction, set(self.contraction.kept)
        others = [i for i in range(residual.nrows()) if i not in kept]
        outside = arrays.length(_rows(residual, others)) if others else arb(0)
        inside = arrays.length(_rows(residual, contraction.kept) if others else residual)
        if not outside.is_zero():
            inside += self.leak * outside
        moved = contraction.stretch * inside / (1 - arb(contraction.factor))
        return (moved**2 + outside**2).upper().sqrt().upper()


class Proof:
    """Proves what a guess says, at any precision.

    Parameters
    ----------
    problem : LimitProblem
    guess : Guess
    directions : mapping or None
        As `verified_limit` takes them.
    digits : int
    whole : bool
        As `enclose_limit` takes it.
    """

    def __init__(
        self,
        problem: LimitProblem,
        guess: Guess,
        directions: Mapping[Any, Any] | None,
        digits: int,
        *,
        whole: bool = False,
    ):
        self.problem, self.asked, self.digits, self.whole = problem, directions, digits, whole
        self.target = digits + (_SPARE_DIGITS if whole else 0)
        self.x = _balls(guess.x)
        self.solver = guess.solver or solver_at(guess.moment, guess.moment.signature)
        self.signature = guess.moment.signature
        self.J = self._guessed_derivative(guess)
        scale = max(float(np.linalg.norm(M)) for M in (1.0, guess.x, 0.0 if self.J is None else self.J))
        size = self.target * _BITS_PER_DIGIT + _SPARE_BITS + log2(self.solver.gain * scale)
        self.bits = max(_LEAST_BITS, _WORD * ceil(size / _WORD))
        formed = is_quickly_formed(problem.map)
        self.methods = ["jacobian"] if formed or len(guess.x) <= _LARGEST_BLOCK else []
        if isinstance(problem.map, StructuredMap):
            self.methods.insert(len(self.methods) if formed else 0, "layers")

    def _guessed_derivative(self, guess: Guess) -> np.ndarray | None:
        """Solve ``J = A J + B d`` in floating point; None when no directions are asked."""
        if self.asked is not None and not self.asked:
            return None
        directions = self.problem.over(FLOAT64).directions(self.asked)
        if not directions.count:
            return None
        return self.solver(guess.moment.forward(None, directions, self.signature).centre)

    def at_precision(self, bits: int) -> LimitEnclosure:
        """Prove everything with balls of a precision.

        Raises
        ------
        UnseparatedError
            When a guard's sign is not decided.
        ImpreciseError
            When an error is larger than asked.
        UnknownError
            When no contraction was proved.
        """
        self.arrays = BallArrays(bits)
        self.bound = self.problem.over(self.arrays)
        with self.arrays.precision():
            if bits == self.bits:
                try:
                    return self._proved(thorough=False)
                except ImpreciseError:
                    pass
            return self._proved(thorough=True)

    def _proved(self, *, thorough: bool) -> LimitEnclosure:
        refined = self._refined(thorough=thorough)
        return self._enclosed(refined, self._contracting(refined))

    # -- the point ------------------------------------------------------------------------------------------------

    def _refined(self, *, thorough: bool) -> _Refined:
        """Refine the point by Newton steps in floating point, until they no longer help or it is probably enough."""
        enough = arb(2) ** (_SPARE_BITS - self.arrays.bits)
        if not thorough:
            enough = max(enough, arb(10) ** -self.target / (8 * arb(self.solver.gain)))
        best = self._evaluated(self.x)
        for _ in range(_MOST_REFINEMENTS):
            if best.residual < enough:
                break
            found = self._evaluated((best.x + self._correction(best.step)).mid())
            helps = bool(found.residual < best.residual / 4)
            best = found if found.residual < best.residual else best
            if not helps and not self._changed_piece(best):
                break
        self.x = best.x
        return best

    def _evaluated(self, x: arb_mat) -> _Refined:
        moment = self.bound(Enclosed(x))
        if isinstance(moment, StructuredMoment):
            value = moment.values[moment.bound.map.next]
        else:
            value = self.arrays.reaching(moment.value.centre, moment.value.spread)
        return _Refined(x, moment, value - x, self.arrays.length(value - x))

    def _correction(self, residual: arb_mat) -> arb_mat:
        """Solve ``(I - A) v = r`` in floating point, whose exponents do not limit how small r can be."""
        mantissa, exponent = self.arrays.length(residual).mid().man_exp()
        unit = arb(2) ** (int(exponent) + int(mantissa).bit_length())
        return _balls(self.solver(floats(residual * (1 / unit)))) * unit

    def _changed_piece(self, refined: _Refined) -> bool:
        """Solve from now on for the piece that is met at the point, when it is another one than before."""
        try:
            signature = refined.moment.signature
        except UnknownError:
            return False
        if signature == self.signature:
            return False
        self.signature = signature
        self.solver = solver_at(self.problem.over(FLOAT64)(Enclosed(floats(refined.x))), signature)
        return True

    # -- the contraction ------------------------------------------------------------------------------------------

    def _contracting(self, refined: _Refined) -> _Contracting:
        """Find a ball around the point on which no guard vanishes and the map contracts."""
        undecided, failures = "the residual is too large for the smallest ball", list[str]()
        for power in _RADIUS_BITS:
            radius = fmpq(1) / fmpq(2) ** power
            if not refined.residual < arb(radius) or len(failures) >= _MOST_RADII:
                break
            failed = []
            for method in self.methods:
                try:
                    moment = around(self.bound, refined.x, radius, method)
                    signature = moment.signature
                except UnknownError as error:
                    undecided = str(error)
                    break
                if 0 in signature:
                    name = self.problem.guard_names[signature.index(0)]
                    raise UnseparatedError(f"the guard `{name}` is 0", self.arrays.exactly(refined.x))
                try:
                    return self._by(method, moment, signature, radius)
                except UnknownError as error:
                    failed.append(str(error))
            if failed:
                failures.append("; ".join(dict.fromkeys(failed)))
        if failures:
            raise UnknownError(failures[-1])
        raise UnseparatedError(undecided, self.arrays.exactly(refined.x))

    def _by(self, method: str, moment: Moment, signature: Signature, radius: fmpq) -> _Contracting:
        if method == "layers":
            return _Contracting(by_layers(moment, radius), signature, moment)
        if self.whole:
            return _Contracting(by_rows(derivative_rows(moment, signature), radius), signature, moment)
        return _Contracting(by_jacobian(derivative_block(moment, signature), radius), signature, moment)

    # -- the enclosures -------------------------------------------------------------------------------------------

    def _enclosed(self, refined: _Refined, proof: _Contracting) -> LimitEnclosure:
        arrays, contraction = self.arrays, proof.contraction
        error = rounded_up(proof.solution_error(arrays, refined.step))
        if not error < contraction.radius:
            raise ImpreciseError(f"the error {float(arb(error)):.2e} exceeds the radius of the contraction")
        self._require(error, "the fixed point")
        found = LimitEnclosure(
            problem=self.problem,
            bits=arrays.bits,
            point=arrays.exactly(refined.x),
            error=self._stated(error),
            residual=rounded_up(refined.residual),
            signature=proof.signature,
            contraction=contraction,
            directions=self.asked,
        )
        return self._with_derivative(found, error, refined, proof)

    def _stated(self, error: fmpq) -> fmpq:
        """What is stated of an error: with room for a reader that rounds more, where a certificate is to be written."""
        asked = fmpq(1) / fmpq(10) ** self.digits
        return max(error, min(asked, error * _ROOM)) if self.whole else error

    def _require(self, error: fmpq, what: str) -> None:
        if error > fmpq(1) / fmpq(10) ** self.target:
            raise ImpreciseError(
                f"the error of {what} is {float(arb(error)):.2e} with {self.arrays.bits} bits, "
                f"and {self.target} digits are needed"
            )

    def _with_derivative(
        self, found: LimitEnclosure, error: fmpq, refined: _Refined, proof: _Contracting
    ) -> LimitEnclosure:
        if self.J is None:
            return found
        directions = self.bound.directions(self.asked)
        J, residual = _balls(self.J), None
        for moment in self._nearby(refined, error, proof):
            J, residual = self._solved(moment, J, directions, proof)
            bound = proof.solution_error(self.arrays, residual)
            if bound < self._asked:
                break
        error = rounded_up(bound)
        self._require(error, "the derivative")
        return replace(
            found,
            derivative=self.arrays.exactly(J),
            derivative_error=self._stated(error),
            derivative_residual=rounded_up(self.arrays.length(residual)),
        )

    def _nearby(self, refined: _Refined, error: fmpq, proof: _Contracting) -> Iterator[Moment]:
        """The map with everything within reach that may be the fixed point: at first on the ball of the contraction.

        There it is known already, and where pieces are affine its derivative is known as well as on a smaller ball.
        """
        if proof.contraction.by == "jacobian":
            yield proof.moment
        yield around(self.bound, refined.x, error, proof.contraction.by)

    def _solved(
        self, moment: Moment, J: arb_mat, directions: Directions, proof: _Contracting
    ) -> tuple[arb_mat, arb_mat]:
        """Solve ``J = A J + B d`` by Newton steps in floating point; return J and what is missing."""
        missing = self._missing(moment, J, directions, proof.signature)
        size = self.arrays.length(missing.mid())
        for _ in range(_MOST_REFINEMENTS):
            if proof.solution_error(self.arrays, missing) < self._asked or _is_blurred(self.arrays, missing):
                break
            better = (J + self._correction(missing)).mid()
            found = self._missing(moment, better, directions, proof.signature)
            now = self.arrays.length(found.mid())
            if not now < size / 4:
                break
            J, missing, size = better, found, now
        return J, missing

    def _missing(self, moment: Moment, J: arb_mat, directions: Directions, signature: Signature) -> arb_mat:
        """Enclose ``A J + B d - J``, entry by entry."""
        if isinstance(moment, StructuredMoment):
            with self.arrays.precision():
                return moment.tangents(J, directions, signature)[moment.bound.map.next] - J
        following = moment.forward(Enclosed(J), directions, signature)
        return self.arrays.reaching(following.centre, following.spread) - J

    @property
    def _asked(self) -> arb:
        return arb(10) ** -self.target


def _is_blurred(arrays: BallArrays, missing: arb_mat) -> bool:
    """Whether most of what is missing is uncertainty, which no correction of the centre removes."""
    centre = arrays.length(missing.mid())
    return bool(centre < arrays.length(missing - missing.mid()) / 4)


def around(bound: BoundMap, x: arb_mat, radius: fmpq, method: str) -> Moment:
    """Return the map with everything within a distance of a point.

    Entry by entry for the derivative as a matrix, in the Euclidean norm for the calculus of layers.
    """
    arrays = bound.arrays
    with arrays.precision():
        distance = arb(radius).upper()
        if method == "layers":
            return bound(Enclosed(x, distance))
        return bound(Enclosed(arrays.reaching(x, distance)))


def _balls(A: np.ndarray) -> arb_mat:
    """Floating-point numbers as exact balls."""
    return arb_mat(*A.shape, A.ravel().tolist())


def _rows(A: arb_mat, chosen: Sequence[int]) -> arb_mat:
    columns = A.ncols()
    return arb_mat(len(chosen), columns, [A[i, j] for i in chosen for j in range(columns)])

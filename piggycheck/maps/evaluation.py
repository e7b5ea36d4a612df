"""Evaluating programs at exact points: over the rationals where that suffices, and otherwise over real constants."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sympy as sp
from flint import fmpq

from piggycheck.arithmetic import ALGEBRAIC, RATIONAL, Arithmetic, Evaluator, rational, sign
from piggycheck.errors import GapError, IrrationalError, UnknownError
from piggycheck.maps.base import Piece, PiecewiseMap, Signature
from piggycheck.maps.switch import GAP, Switch, as_piecewise

if TYPE_CHECKING:
    from piggycheck.maps.symbolic import SymbolicMap

__all__ = ["ProgramEvaluator", "SignsAt", "UnionEvaluator", "evaluate_all", "exactly", "jumps_at", "signature_at"]

_LONGEST_SHOWN = 120


class ProgramEvaluator(Evaluator):
    """Evaluates programs: at a switch, the sign of the guard picks the branch.

    Attributes
    ----------
    seen : dict
        The sign of each guard that was met.
    undecided : UnknownError or None
        Where evaluation goes on although a sign is not decided: what is known of the first such guard.
    """

    undecided: UnknownError | None = None

    def __init__(self, arithmetic: Arithmetic, values: Mapping[sp.Symbol, Any]):
        super().__init__(arithmetic, values)
        self.seen: dict[sp.Expr, int] = {}

    def special(self, node: sp.Expr) -> Any:
        if isinstance(node, Switch):
            guard = node.guard
            if guard not in self.seen:
                self.seen[guard] = self._sign(guard)
            return self.taken(node, self.seen[guard])
        if node is GAP:
            raise GapError("no branch of a Piecewise applies at this point; add a last case with the condition True")
        return super().special(node)

    def taken(self, node: Switch, sign: int) -> Any:
        """Evaluate the branch that the sign of the guard picks."""
        return self(node.branch(sign))

    def _sign(self, guard: sp.Expr) -> int:
        value = self(guard)
        try:
            return self.arithmetic.sign(value)
        except UnknownError:
            shown = str(as_piecewise(guard))
            shown = shown if len(shown) <= _LONGEST_SHOWN else f"{shown[:_LONGEST_SHOWN]}…"
            raise UnknownError(f"the sign of the guard `{shown}` is not decided; it is {value}") from None


class UnionEvaluator(ProgramEvaluator):
    """Evaluates programs over balls: where a sign is not decided, everything that the branches may give."""

    def _sign(self, guard: sp.Expr) -> int | None:
        try:
            return super()._sign(guard)
        except UnknownError as error:
            self.undecided = self.undecided or error
            return None

    def taken(self, node: Switch, sign: int | None) -> Any:
        if sign is not None:
            return super().taken(node, sign)
        first, *others = (self(node.branch(sign)) for sign in node.outcomes)
        for other in others:
            first = first.union(other)
        return first


class SignsAt:
    """The signs of smooth guards at one exact point."""

    def __init__(self, point: Mapping[sp.Symbol, sp.Expr]):
        self.point = point
        self.known: dict[sp.Expr, int] = {}

    def __call__(self, guard: sp.Expr) -> int:
        if guard not in self.known:
            self.known[guard] = exactly(
                lambda values, arithmetic: arithmetic.sign(arithmetic.evaluate(guard, values)), self.point
            )
        return self.known[guard]


def exactly(compute: Callable[[Mapping[sp.Symbol, Any], Arithmetic], Any], point: Mapping[sp.Symbol, sp.Expr]) -> Any:
    """Compute over the rationals where that suffices, and otherwise over exact real constants.

    Rational results come back as sympy numbers.
    """
    try:
        values = {v: rational(number) for v, number in point.items() if number.is_Rational}
        if len(values) < len(point):
            raise IrrationalError("an irrational coordinate")
        result = compute(values, RATIONAL)
    except IrrationalError:
        return compute(point, ALGEBRAIC)
    if isinstance(result, (tuple, list)):
        return tuple(sp.Rational(int(r.p), int(r.q)) if isinstance(r, fmpq) else r for r in result)
    return result


def signature_at(map_: PiecewiseMap, point: Mapping[sp.Symbol, sp.Expr]) -> Signature:
    """Return what the guards of a map see at an exact point."""
    return Signature(exactly(lambda values, arithmetic: map_.evaluate(values, arithmetic).signature, point))


def jumps_at(map_: SymbolicMap, pieces: Sequence[Piece], point: Mapping[sp.Symbol, sp.Expr]) -> bool:
    """Whether a piece that meets an exact point has another value there than the map."""
    value = map_.value(point)
    return any(
        sign(ALGEBRAIC.evaluate(expression, point) - c) != 0
        for piece in pieces
        for expression, c in zip(map_.piece(piece.signature).expressions, value, strict=True)
    )


def evaluate_all(matrix: sp.ImmutableMatrix, values: Mapping, arithmetic: Arithmetic) -> list[Any]:
    """Evaluate the entries of a matrix, row by row."""
    evaluator = Evaluator(arithmetic, values)
    return [arithmetic.normal(evaluator(entry)) for entry in matrix]

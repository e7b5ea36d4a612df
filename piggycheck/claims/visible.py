"""What the checker can see of irrational data: it encloses them, so that no two of them cancel."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import sympy as sp
from flint import fmpq

from piggycheck.arithmetic import ALGEBRAIC, RATIONAL, Arithmetic, rational, sign
from piggycheck.errors import IrrationalError, UnknownError
from piggycheck.maps import SmoothPiece, SymbolicMap

__all__ = ["require_visible_ties", "require_visible_values"]


def require_visible_values(
    map_: SymbolicMap, pieces: Iterable[SmoothPiece], point: Mapping[sp.Symbol, sp.Expr]
) -> None:
    """Require that enclosures show, on each piece, that a point is fixed.

    Parameters
    ----------
    map_ : SymbolicMap
    pieces : iterable of SmoothPiece
    point : mapping from symbols to rational numbers
        A fixed point and the parameters; every piece maps it to itself.

    Raises
    ------
    UnknownError
        When irrational terms have to cancel for that.
    """
    values = {v: rational(c) for v, c in point.items()}
    for piece in pieces:
        for v, expression in zip(map_.state, piece.expressions, strict=True):
            if not isinstance(_VISIBLE.evaluate(expression, values), fmpq):
                raise UnknownError(f"`{v}` is fixed only because irrational terms cancel, which enclosures do not show")


def require_visible_ties(pieces: Iterable[SmoothPiece], point: Mapping[sp.Symbol, sp.Expr]) -> None:
    """Require that enclosures show which guards of the pieces vanish at a point.

    Raises
    ------
    UnknownError
        When irrational terms of a guard cancel.
    """
    values = {v: rational(c) for v, c in point.items()}
    for _, guard in {condition for piece in pieces for condition in piece.conditions}:
        if not isinstance(_VISIBLE.evaluate(guard, values), fmpq) and _cancels(guard, point):
            raise UnknownError(f"the guard `{guard}` is 0 only because irrational terms cancel")


def _cancels(guard: sp.Expr, point: Mapping[sp.Symbol, sp.Expr]) -> bool:
    return sign(ALGEBRAIC.evaluate(guard, point)) == 0


class _Irrational:
    """Some irrational number, or one that an enclosure cannot tell from one; only times 0 it is rational."""

    def _same(self, other: Any) -> _Irrational:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __truediv__ = _same

    def __mul__(self, other: Any) -> Any:
        return fmpq(0) if isinstance(other, fmpq) and other == 0 else self

    __rmul__ = __mul__

    def __pow__(self, exponent: int) -> Any:
        return fmpq(1) if exponent == 0 else self


class _Visible(Arithmetic):
    """Rational numbers, and the one mark for all others."""

    name = "visible"

    def number(self, constant: sp.Expr) -> Any:
        return RATIONAL.number(constant) if constant.is_Rational else _Irrational()

    def sign(self, value: Any) -> int:
        return RATIONAL.sign(value)

    def _function(self, name: str, value: Any) -> Any:
        try:
            return value if isinstance(value, _Irrational) else getattr(RATIONAL, name)(value)
        except IrrationalError:
            return _Irrational()

    def sqrt(self, value: Any) -> Any:
        return self._function("sqrt", value)

    def exp(self, value: Any) -> Any:
        return self._function("exp", value)

    def log(self, value: Any) -> Any:
        return self._function("log", value)

    def reciprocal(self, value: Any) -> Any:
        return value if isinstance(value, _Irrational) else super().reciprocal(value)


_VISIBLE = _Visible()

"""Fixed points of affine pieces, exactly: whether a guard vanishes there is then decided."""

from __future__ import annotations

from dataclasses import dataclass, field

from flint import fmpq, fmpq_mat

from piggycheck.arrays import EXACT, Enclosed
from piggycheck.enclosures.jacobian import derivative_rows
from piggycheck.enclosures.problem import LimitProblem
from piggycheck.errors import MapError, UnknownError
from piggycheck.fixed_points import FixedPoint
from piggycheck.maps import Moment, Signature

__all__ = ["Tie", "exact_fixed_point"]

_MOST_PIECES = 12


@dataclass(frozen=True)
class Tie:
    """A rational fixed point at which guards vanish: several pieces may meet there.

    Attributes
    ----------
    problem : LimitProblem
    point : fmpq_mat
        One column, exact.
    signature : Signature
        What the guards see there, 0 where one vanishes.
    """

    problem: LimitProblem = field(repr=False)
    point: fmpq_mat = field(repr=False)
    signature: Signature = field(repr=False)

    @property
    def guards(self) -> tuple[str, ...]:
        """The names of the guards that vanish."""
        pairs = zip(self.problem.guard_names, self.signature, strict=True)
        return tuple(name for name, sign in pairs if sign == 0)

    @property
    def fixed_point(self) -> FixedPoint:
        """The point as `piggycheck.fixed_points.linearise` takes it."""
        return self.problem.fixed_point(self.point)

    def __str__(self) -> str:
        shown = ", ".join(f"`{name}`" for name in self.guards[:3]) + (", ..." if len(self.guards) > 3 else "")
        count = f"{len(self.guards)} guards vanish" if len(self.guards) > 1 else "1 guard vanishes"
        return f"a tie at a rational fixed point: {count} there, {shown}"


def exact_fixed_point(problem: LimitProblem, near: fmpq_mat) -> tuple[fmpq_mat, Signature] | None:
    """Solve for the fixed point on the piece that is met at a point, then on the one met there, until it is fixed.

    Parameters
    ----------
    problem : LimitProblem
    near : fmpq_mat
        One column.

    Returns
    -------
    (fmpq_mat, Signature) or None
        A point that the whole map returns unchanged, exactly, and what its guards see there. None when numbers leave
        the rationals, a system is singular, or the pieces are not affine.

    Examples
    --------
    >>> import sympy as sp
    >>> from piggycheck.iteration import Iteration
    >>> from piggycheck.maps import SymbolicMap
    >>> x = sp.Symbol("x", real=True)
    >>> problem = LimitProblem(Iteration(SymbolicMap([x], [sp.Max(x, 0) / 2])))
    >>> exact_fixed_point(problem, fmpq_mat([[fmpq(1, 100)]]))
    ([0], (0,))
    """
    try:
        bound = problem.over(EXACT)
        x = near
        for _ in range(_MOST_PIECES):
            moment = bound(Enclosed(x))
            step = _newton_step(moment, x)
            if all(e == 0 for e in step.entries()):
                return x, moment.signature
            x = x + step
    except (MapError, UnknownError, ZeroDivisionError, NotImplementedError):
        pass
    return None


def _newton_step(moment: Moment, x: fmpq_mat) -> fmpq_mat:
    """Return ``(I - A)^-1 (F(x) - x)`` for the piece that is met."""
    residual = moment.value.centre - x
    if all(e == 0 for e in residual.entries()):
        return residual
    rows = derivative_rows(moment, moment.signature)
    kept, size = rows.kept, len(rows.kept)
    if not size:
        return residual
    apart = fmpq_mat(residual)
    for i in kept:
        apart[i, 0] = fmpq(0)
    right = rows.matrix * apart + fmpq_mat(size, 1, [residual[i, 0] for i in kept])
    system = fmpq_mat(size, size)
    for i in range(size):
        for j, column in enumerate(kept):
            system[i, j] = fmpq(int(i == j)) - rows.matrix[i, column]
    solved = system.solve(right)
    for i, place in enumerate(kept):
        apart[place, 0] = solved[i, 0]
    return apart

"""Fixed points of an iteration, and the switched system of the pieces that are essentially active there."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat
from sympy.polys.matrices import DomainMatrix
from sympy.polys.matrices.exceptions import DMNonInvertibleMatrixError

from piggycheck.arithmetic import RATIONAL, Balls, Mpmath, rational, sign, to_sympy
from piggycheck.common_roots import common_roots, polynomials
from piggycheck.errors import IrrationalError, MapError, UnknownError
from piggycheck.feasibility import Feasible, feasible_point
from piggycheck.iteration import Iteration
from piggycheck.linalg import entries, identity, solve
from piggycheck.maps import Signature, SmoothPiece, SymbolicMap
from piggycheck.switched import SwitchedSystem

__all__ = ["FixedPoint", "FixedPoints", "approached", "fixed_points", "linearise", "rational_matrix"]

_MOST_BY_BASES = 12
_MAX_NEIGHBOURS = 64
_GUESS_STEPS = 2000
_GUESS_DIGITS = 30
_LARGEST_GUESS = 10**6
_LARGEST_DENOMINATOR = 10**4
_BALLS = Balls(256)


@dataclass(frozen=True)
class FixedPoint:
    """A point with ``F(x, theta) = x``, verified exactly.

    Attributes
    ----------
    state : dict from symbols to sympy numbers
        The coordinates x, rational or algebraic.
    at : dict from symbols to sympy numbers
        The parameters theta.
    isolated : bool
        False when it stands for a continuum of fixed points.
    """

    state: dict[sp.Symbol, sp.Expr]
    at: dict[sp.Symbol, sp.Expr]
    isolated: bool = True

    @property
    def point(self) -> dict[sp.Symbol, sp.Expr]:
        """State and parameters in one mapping."""
        return {**self.state, **self.at}


@dataclass(frozen=True)
class FixedPoints(Sequence):
    """The fixed points that were found, and whether these are all.

    Attributes
    ----------
    points : tuple of FixedPoint
    exhaustive : bool
        Whether every piece was examined and solved exactly, so that there are no others.
    reason : str
        Why not, when not.
    """

    points: tuple[FixedPoint, ...]
    exhaustive: bool
    reason: str = ""

    def __getitem__(self, index):
        return self.points[index]

    def __len__(self) -> int:
        return len(self.points)


def fixed_points(
    iteration: Iteration,
    at: Mapping[Any, Any] | None = None,
    *,
    max_pieces: int = 1024,
    time_limit: float = math.inf,
) -> FixedPoints:
    """Find the fixed points at given parameters, exactly.

    Parameters
    ----------
    iteration : Iteration
        With a symbolic map.
    at : mapping
        A value for each parameter, keyed by symbol or name.
    max_pieces : int
        How many pieces are examined at most. Beyond that only those near the iteration's own path are.
    time_limit : float
        Seconds after which no more pieces are listed or examined.

    Returns
    -------
    FixedPoints
        A sequence; ``exhaustive`` says whether these are all.

    Raises
    ------
    InputError
        When a parameter has no value.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"])
    >>> [p.state for p in fixed_points(descent, {"theta": "3/2"})]
    [{x: 3/2}]

    Notes
    -----
    On a piece where the map is affine this is a linear solve; polynomial pieces in few variables are solved exactly;
    every candidate is kept only if the whole map returns it unchanged.

    When this fails: of pieces with exp, log or square roots, or with polynomial systems of too many solutions, only a
    simple rational point near the end of the iteration's path is tried, and ``exhaustive`` is false with the reason.
    """
    at = iteration.map.parameter_values(at or {})
    local = iteration.map.fix(at)
    search = _Search(local, time.monotonic() + time_limit)
    too_many, listed = _has_more_pieces(local, max_pieces), None
    if not too_many:
        listed = search.listed(max_pieces + 1)
    end = None
    if listed is not None and len(listed) <= max_pieces:
        for signature, constraints in listed:
            search.examine(local.piece(signature), constraints)
    else:
        many = f"more than {max_pieces}" if too_many or listed is not None else "so many that the time was up"
        search.give_up(f"only pieces near the iteration's own path were examined, of {many}")
        end = _follow(iteration, at)
        for signature in itertools.islice(_near(end, local), _MAX_NEIGHBOURS):
            piece = local.piece(signature)
            search.examine(piece, piece.conditions)
    if search.reasons:
        search.try_rational_near(end or _follow(iteration, at))
    points = tuple(
        FixedPoint(dict(zip(local.state, x, strict=True)), at, isolated) for x, isolated in search.found.items()
    )
    return FixedPoints(points, not search.reasons, "; ".join(search.reasons))


def _has_more_pieces(local: SymbolicMap, count: int) -> bool:
    """Whether guards that are always met, affine and independent, already make more pieces: all their signs occur."""
    slopes = ([sp.expand(sp.diff(guard, v)) for v in local.state] for guard in local.unconditional_guards)
    rational_slopes = [[rational(c) for c in row] for row in slopes if all(c.is_Rational for c in row)]
    return bool(rational_slopes) and 2 ** fmpq_mat(rational_slopes).rank() > count


class _TimeUp(UnknownError):
    """The time is up."""


class _Search:
    """Collects the fixed points of one map of the state alone."""

    def __init__(self, local: SymbolicMap, deadline: float):
        self.local, self.deadline = local, deadline
        self.found: dict[tuple[sp.Expr, ...], bool] = {}
        self.reasons: dict[str, None] = {}

    def listed(self, most: int) -> list[tuple[Signature, tuple]] | None:
        """The pieces, or so many of them; None when that takes too long."""

        def both(guard: sp.Expr, outcomes: Sequence[int]) -> Sequence[int]:
            if time.monotonic() > self.deadline:
                raise _TimeUp
            return outcomes

        try:
            return list(itertools.islice(self.local.signatures(both), most))
        except _TimeUp:
            return None

    def give_up(self, reason: str) -> None:
        self.reasons[reason] = None

    def examine(self, piece: SmoothPiece, constraints: Sequence) -> None:
        """Add the fixed points that lie in the closed region of a piece."""
        if time.monotonic() > self.deadline:
            self.give_up("the time was up before all pieces were examined")
            return
        try:
            lost = False
            for x, isolated in self._solutions(piece, constraints):
                kept = self._keep(x, isolated, piece)
                if kept and not isolated:
                    return
                lost = lost or not (kept or isolated)
            if lost:
                raise UnknownError("a continuum of solutions meets it only where the map may take another piece")
        except (UnknownError, MapError) as error:
            self.give_up(f"piece {piece.signature or '(smooth)'}: {error}")

    def try_rational_near(self, end: Mapping[sp.Symbol, Any] | None) -> None:
        """Try the simple rational point near the end of the iteration's path."""
        if end is not None and all(abs(c) < _LARGEST_GUESS for c in end.values()):
            near = (Fraction(str(end[v])).limit_denominator(_LARGEST_DENOMINATOR) for v in self.local.state)
            self._keep(tuple(sp.Rational(c.numerator, c.denominator) for c in near), True)

    def _keep(self, x: tuple[sp.Expr, ...], isolated: bool, piece: SmoothPiece | None = None) -> bool:
        """Keep a candidate if the whole map returns it unchanged; a piece that the map takes there does, as solved."""
        if x in self.found:
            return True
        if piece is not None and not all(c.is_Rational for c in x):
            used = _is_used(piece, dict(zip(self.local.state, x, strict=True)))
            if used:
                self.found[x] = isolated
            if used is not None:
                return used
        try:
            value = self.local.value(dict(zip(self.local.state, x, strict=True)))
        except MapError:  # the map is not defined there, so it is no fixed point
            return False
        fixed = all(sign(new - old) == 0 for new, old in zip(value, x, strict=True))
        if fixed:
            self.found[x] = isolated
        return fixed

    def _solutions(self, piece: SmoothPiece, constraints: Sequence) -> Iterator[tuple[tuple[sp.Expr, ...], bool]]:
        state = self.local.state
        if piece.is_affine(state):
            try:
                yield from _affine_solutions(piece, constraints, state)
                return
            except IrrationalError:
                yield _irrational_affine_solution(piece, state), True
                return
        for x in _algebraic_solutions(piece, state):
            yield x, True


def _is_used(piece: SmoothPiece, point: Mapping[sp.Symbol, sp.Expr]) -> bool | None:
    """Whether the map takes a piece at an irrational point, as far as enclosures of the guards show."""
    if not all(e.is_polynomial(*point) for e in piece.expressions):
        return None
    try:
        with _BALLS.precision():
            values = {v: _BALLS.evaluate(c) for v, c in point.items()}
            signs = [(sign, _BALLS.sign(_BALLS.evaluate(guard, values))) for sign, guard in piece.conditions]
    except (UnknownError, MapError):
        return None
    if any(seen == -sign != 0 for sign, seen in signs):
        return False
    return True if all(seen == sign != 0 for sign, seen in signs) else None


def _affine_solutions(piece: SmoothPiece, constraints: Sequence, state: Sequence[sp.Symbol]):
    """Solve ``(I - A) x = c``; of a continuum, yield a point of the closed region, then one inside."""
    origin = {v: fmpq(0) for v in state}
    A = rational_matrix(piece.jacobian)
    c = fmpq_mat([[RATIONAL.evaluate(e, origin)] for e in piece.expressions])
    particular, kernel = solve(identity(len(state)) - A, c)
    if particular is None:
        return
    if not kernel:
        yield tuple(to_sympy(row[0]) for row in entries(particular)), True
        return
    equalities = [([fmpq(i == j) - A[i, j] for j in range(len(state))], -c[i, 0]) for i in range(len(state))]
    weak = []
    for guard_sign, guard in constraints:
        if any(sp.expand(sp.diff(guard, v)).has(*state) for v in state):
            raise UnknownError("a continuum of solutions meets a guard that is not affine")
        row = [RATIONAL.evaluate(sp.diff(guard, v), origin) for v in state], RATIONAL.evaluate(guard, origin)
        if guard_sign == 0:
            equalities.append(row)
        else:
            weak.append(([guard_sign * a for a in row[0]], guard_sign * row[1]))
    for nonstrict, strict in ((weak, []), ([], weak)):
        outcome = feasible_point(equalities, nonstrict, strict, len(state))
        if isinstance(outcome, Feasible):
            yield tuple(map(to_sympy, outcome.point)), False


def _irrational_affine_solution(piece: SmoothPiece, state: Sequence[sp.Symbol]) -> tuple[sp.Expr, ...]:
    size = len(state)
    M = sp.eye(size) - piece.jacobian[:, :size]
    c = sp.Matrix([e.subs(dict.fromkeys(state, 0)) for e in piece.expressions])
    system = DomainMatrix.from_Matrix(M.row_join(c), extension=True).to_field()
    try:
        solution = system[:, :size].lu_solve(system[:, size:])
    except DMNonInvertibleMatrixError:
        raise UnknownError("its irrational linear system is singular") from None
    return tuple(solution.to_Matrix())


def _algebraic_solutions(piece: SmoothPiece, state: Sequence[sp.Symbol]) -> list[tuple[sp.Expr, ...]]:
    equations = [sp.numer(sp.together(sp.expand(e - v))) for e, v in zip(piece.expressions, state, strict=True)]
    if all(e == 0 for e in equations):
        raise UnknownError("every point of the piece is fixed")
    if any(not e.is_polynomial(*state) for e in equations):
        raise UnknownError("its equations are not polynomial")
    try:
        return [x for one in common_roots(polynomials(equations, state)) for x in one.points()]
    except UnknownError as error:
        if len(state) < 3:
            raise
        unsolved = error
    polys = [sp.Poly(e, *state) for e in equations if e != 0]
    if sp.prod(p.total_degree() for p in polys) > _MOST_BY_BASES or len(state) > 4:
        raise unsolved
    for last in state:
        solutions = _solve_in_shape_position(equations, [v for v in state if v != last], last)
        if solutions is not None:
            return [tuple(solution[v] for v in state) for solution in solutions]
    raise UnknownError("its polynomial system does not determine all variables by one of them")


def _solve_in_shape_position(
    equations: Sequence[sp.Expr], others: Sequence[sp.Symbol], last: sp.Symbol
) -> list[dict[sp.Symbol, sp.Expr]] | None:
    """Solve a polynomial system whose Groebner basis gives each variable as a polynomial in the last one."""
    basis = sp.groebner(equations, *others, last, order="lex").exprs
    if basis == [1]:
        return []
    univariate = [e for e in basis if e.free_symbols == {last}]
    given = {
        v: next((-sp.Poly(e, v).nth(0) / sp.Poly(e, v).nth(1) for e in basis if _gives(e, v, last)), None)
        for v in others
    }
    if len(univariate) != 1 or None in given.values():
        return None
    roots = _real_roots(sp.Poly(univariate[0], last))
    return [{**{v: e.subs(last, root) for v, e in given.items()}, last: root} for root in roots]


def _real_roots(polynomial: sp.Poly) -> list[sp.Expr]:
    if polynomial.degree() <= 0:
        return []
    try:
        return list(dict.fromkeys(sp.real_roots(polynomial)))
    except NotImplementedError:
        raise UnknownError("its polynomial has irrational coefficients") from None


def _gives(equation: sp.Expr, variable: sp.Symbol, last: sp.Symbol) -> bool:
    """Whether the equation reads ``constant * variable + polynomial in last = 0``."""
    if not equation.free_symbols <= {variable, last} or sp.degree(equation, variable) != 1:
        return False
    return bool(sp.Poly(equation, variable).nth(1).is_Rational)


def _near(end: Mapping[sp.Symbol, Any] | None, local: SymbolicMap) -> Iterator[Signature]:
    """Yield the signature on which the iteration settles, as far as rounding tells, then its neighbours."""
    if end is None:
        return
    first = local.evaluate(end, Mpmath(_GUESS_DIGITS)).signature
    settled = Signature(1 if seen == 0 else seen for seen in first)
    queue, seen_before = [settled], {settled}
    while queue:
        signature = queue.pop(0)
        try:
            local.piece(signature)
        except MapError:  # flipping one guard made another one matter: that piece is met along another way
            continue
        yield signature
        for i, seen in enumerate(signature):
            if seen is not None:
                neighbour = Signature((*signature[:i], -seen, *signature[i + 1 :]))
                if neighbour not in seen_before:
                    seen_before.add(neighbour)
                    queue.append(neighbour)


def _follow(iteration: Iteration, at: Mapping[sp.Symbol, sp.Expr]) -> dict[sp.Symbol, Any] | None:
    """Follow the iteration in plain rounding until it stands still; a guess, never evidence."""
    numbers = Mpmath(_GUESS_DIGITS)
    try:
        start = (
            iteration.start_at(at) if iteration.start is not None else {v: sp.Integer(0) for v in iteration.map.state}
        )
        values = {v: numbers.evaluate(e) for v, e in {**start, **at}.items()}
        for _ in range(_GUESS_STEPS):
            new = iteration.map.evaluate(values, numbers).value
            moved = max(abs(a - values[v]) for v, a in zip(iteration.map.state, new, strict=True))
            values.update(zip(iteration.map.state, new, strict=True))
            if moved < numbers.context.mpf(10) ** (5 - _GUESS_DIGITS) or moved > 1e50:
                break
    except (MapError, UnknownError):
        return None
    return {v: values[v] for v in iteration.map.state}


def approached(iteration: Iteration, points: FixedPoints) -> FixedPoint | None:
    """Guess which fixed point the iterates approach, by following them in plain rounding.

    Returns
    -------
    FixedPoint or None
        The only one when there is one; without a start, none of several.

    Notes
    -----
    When this fails: it is a guess. That the iterates converge to the point is for a trap to prove.
    """
    if len(points) <= 1:
        return points[0] if points else None
    if iteration.start is None:
        return None
    end = _follow(iteration, points[0].at)
    if end is None:
        return None
    numbers = Mpmath(_GUESS_DIGITS)

    def distance(candidate: FixedPoint) -> Any:
        return max(abs(numbers.evaluate(candidate.state[v]) - end[v]) for v in end)

    nearest = min(points, key=distance)
    return nearest if distance(nearest) < numbers.context.mpf("1e-6") else None


def linearise(iteration: Iteration, point: FixedPoint) -> SwitchedSystem:
    """Collect the Jacobian pairs of the essentially active pieces at a fixed point.

    Parameters
    ----------
    iteration : Iteration
    point : FixedPoint

    Returns
    -------
    SwitchedSystem
        One pair for each piece of the selection set, named by its signature; ``exact`` when all were proved
        essentially active. ``J0`` is the Jacobian of the start where the start is the fixed point itself.

    Raises
    ------
    UnknownError
        When a Jacobian is irrational, or a guard's sign was not decided.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> descent = gradient_descent("Piecewise((x**2/2, x >= 0), (x**2/8, True))", ["x"], 1)
    >>> linearise(descent, fixed_points(descent)[0]).A
    ([0], [3/4])

    Notes
    -----
    When this fails: irrational Jacobians are not enclosed.
    """
    selection = iteration.map.selection(point.point)
    return SwitchedSystem(
        A=tuple(rational_matrix(piece.A, "A") for piece in selection.pieces),
        B=tuple(rational_matrix(piece.B, "B") for piece in selection.pieces),
        names=tuple(str(piece.signature) for piece in selection.pieces),
        exact=selection.exact,
        J0=_start_jacobian(iteration, point),
    )


def _start_jacobian(iteration: Iteration, point: FixedPoint) -> fmpq_mat | None:
    if iteration.start is None or iteration.start_at(point.at) != point.state:
        return None
    try:
        jacobians = iteration.start_jacobians(point.at)
    except MapError as error:
        raise UnknownError(f"the start has no derivative at these parameters: {error}") from None
    return rational_matrix(jacobians[0], "J0") if len(jacobians) == 1 else None


def rational_matrix(M: sp.ImmutableMatrix, where: str = "matrix") -> fmpq_mat:
    """Convert a sympy matrix of rational numbers.

    Raises
    ------
    IrrationalError
        When an entry is not rational.
    """
    try:
        return fmpq_mat(M.rows, M.cols, [rational(entry, where) for entry in M])
    except IrrationalError:
        entry = next(e for e in M if not e.is_Rational)
        raise IrrationalError(
            f"{where} has the irrational entry `{entry}`, and certificates of this kind hold rationals"
        ) from None

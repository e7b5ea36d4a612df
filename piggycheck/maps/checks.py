"""Is a map continuous, and does it have a value everywhere? Decided exactly for polynomial pieces.

For every switch, its branches are compared where its guard vanishes, under the closed sign conditions of the switches
around it. If they agree there, the pasting lemma makes the map continuous. The comparison is a linear program over
the monomials: exact for affine pieces, and a sufficient test for polynomial ones.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import sympy as sp
from flint import fmpq

from piggycheck.arithmetic import ALGEBRAIC, to_sympy
from piggycheck.errors import MapError, UnknownError
from piggycheck.feasibility import Feasible, Infeasible, feasible_point
from piggycheck.maps.activity import Constraint, monomial_coefficients
from piggycheck.maps.evaluation import exactly
from piggycheck.maps.switch import GAP, Switch, as_piecewise, resolve
from piggycheck.maps.symbolic import SymbolicMap

__all__ = ["Continuous", "Gap", "Jump", "check_continuity"]

_MAX_PATTERNS = 1024
_RANDOM_POINTS = 40
_MAX_MULTIPLES = 200


@dataclass(frozen=True)
class Continuous:
    """The map is continuous and has a value everywhere.

    Attributes
    ----------
    guards : tuple of sympy.Expr
        The guards across which the branches were compared.
    """

    guards: tuple[sp.Expr, ...]


@dataclass(frozen=True)
class Gap:
    """A point at which no branch applies."""

    point: dict[sp.Symbol, sp.Expr]


@dataclass(frozen=True)
class Jump:
    """A point at which the value is not the limit along a direction."""

    point: dict[sp.Symbol, sp.Expr]
    direction: tuple[sp.Expr, ...]
    value: tuple[sp.Expr, ...]
    limit: tuple[sp.Expr, ...]


def check_continuity(map_: SymbolicMap) -> Continuous | Gap | Jump:
    """Prove that a map is continuous and defined everywhere, or find a point where it is not.

    Parameters
    ----------
    map_ : SymbolicMap

    Returns
    -------
    Continuous, Gap or Jump

    Raises
    ------
    UnknownError
        When pieces to compare are not polynomials, too many sign patterns meet, or neither
        a proof nor a rational witness was found.

    Examples
    --------
    >>> x = sp.Symbol("x", real=True)
    >>> check_continuity(SymbolicMap([x], [sp.Piecewise((x, x >= 0), (x / 4, True))]))
    Continuous(guards=(x,))
    >>> check_continuity(SymbolicMap([x], [sp.Piecewise((1, x >= 0), (0, True))])).point
    {x: 0}

    Notes
    -----
    When this fails: a jump across a curve without rational points, and kinks that cancel each other, such as
    ``x*sign(x)``, are not decided.
    """
    walk = _Walk(map_)
    try:
        for expression in map_.program:
            walk.visit(walk.rationalised(expression), ())
    except _Found as found:
        return found.witness
    return Continuous(tuple(walk.as_it_was(guard) for guard in walk.compared))


_Path = tuple[tuple[sp.Expr, int, bool], ...]
"""The guards around a node, each with the sign that leads there, and whether 0 leads there too."""


class _Found(Exception):
    def __init__(self, witness: Gap | Jump):
        self.witness = witness


class _Walk:
    """Visits every switch of a program, each under the signs of the guards around it."""

    def __init__(self, map_: SymbolicMap):
        self.map = map_
        self.compared: dict[sp.Expr, None] = {}
        self.visited: set[tuple] = set()
        self.constants: dict[sp.Expr, sp.Symbol] = {}

    def rationalised(self, expression: sp.Basic) -> sp.Basic:
        """Put a symbol in place of each irrational constant: what holds for every value holds for this one."""
        if expression is GAP or expression.is_Rational or (not expression.args and not expression.is_number):
            return expression
        if not expression.is_number:
            return expression.func(*(self.rationalised(argument) for argument in expression.args))
        normal = ALGEBRAIC.normal(expression)
        if normal.is_Add or normal.is_Mul:
            return normal.func(*(self.rationalised(argument) for argument in normal.args))
        return normal if normal.is_Rational else self.constants.setdefault(normal, sp.Dummy("c", real=True))

    def as_it_was(self, expression: sp.Expr) -> sp.Expr:
        """Put the constants back."""
        return expression.xreplace({symbol: constant for constant, symbol in self.constants.items()})

    def visit(self, node: sp.Expr, path: _Path) -> None:
        if (node, path) in self.visited:
            return
        self.visited.add((node, path))
        if node is GAP:
            self._gap(path)
        elif isinstance(node, Switch):
            self.visit(node.guard, path)
            self._compare(node, path)
            for sign in (-1, 1, *((0,) if 0 in node.outcomes else ())):
                joined = sign != 0 and node.branch(sign) == node.branch(0)
                self.visit(node.branch(sign), (*path, (node.guard, sign, joined)))
        elif node.has(Switch) or node.has(GAP):
            if not _keeps_continuity(node):
                raise UnknownError(f"`{as_piecewise(node)}` may leave the domain of `{node.func.__name__}`")
            for argument in node.args:
                self.visit(argument, path)
        elif not all(_keeps_continuity(part) for part in sp.preorder_traversal(node)):
            raise UnknownError(f"`{node}` is not a polynomial")

    def _polynomial(self, expression: sp.Expr) -> sp.Expr:
        try:
            sp.Poly(expression, *self.map.variables, *self.constants.values(), domain="QQ")
        except (sp.PolynomialError, sp.polys.polyerrors.CoercionFailed):
            raise UnknownError(f"`{self.as_it_was(expression)}` is not a polynomial") from None
        return expression

    def _gap(self, path: _Path) -> None:
        """No branch is left on this path: prove that nothing gets here, or find a point that does."""
        strict = {guard for guard, _, joined in path if not joined}
        for constraints, _ in self._patterns(path, ()):
            outcome, symbols = _solve(constraints.values(), [], [guard not in strict for guard in constraints])
            if isinstance(outcome, Infeasible):
                continue
            for point in self._points(constraints.values(), outcome, symbols):
                try:
                    self.map.value(point)
                except MapError:
                    raise _Found(Gap(self.map.point(point))) from None
            raise UnknownError("a case without a branch was not proved to be empty")

    def _compare(self, switch: Switch, path: _Path) -> None:
        """The branches of a switch agree where its guard vanishes."""
        self.compared[switch.guard] = None
        middle = switch.branch(0)
        for sign in (-1, 1):
            side = switch.branch(sign)
            if side == middle or _is_multiple(side - middle, switch.guard):
                continue
            if middle is GAP:
                self._gap((*path, (switch.guard, 0, False)))
                middle = switch.branch(-sign)
            if side is GAP or middle is GAP:
                continue
            for constraints, (difference,) in self._patterns((*path, (switch.guard, 0, False)), (side - middle,)):
                self._vanishes(self._polynomial(sp.expand(difference)), list(constraints.values()))

    def _vanishes(self, difference: sp.Expr, constraints: Sequence[Constraint]) -> None:
        for sign in (1, -1):
            outcome, symbols = _solve(constraints, [(sign, difference)], [True] * len(constraints))
            if isinstance(outcome, Feasible):
                self._find_jump([*constraints, (sign, difference)], outcome, symbols)
                difference = self.as_it_was(difference)
                raise UnknownError(f"that `{difference}` vanishes on the border between two pieces was not decided")

    def _find_jump(self, constraints: Sequence[Constraint], outcome: Feasible, symbols: Sequence[sp.Expr]) -> None:
        for point in self._points(constraints, outcome, symbols):
            try:
                value = self.map.value(point)
            except MapError:
                raise _Found(Gap(self.map.point(point))) from None
            for piece in self.map.selection(point).pieces:
                direction = piece.activity.direction
                expressions = self.map.piece(piece.signature).expressions
                limit = exactly(lambda v, a, e=expressions: tuple(a.evaluate(x, v) for x in e), self.map.point(point))
                if direction is not None and limit != value:
                    raise _Found(Jump(self.map.point(point), direction, value, limit))

    def _points(
        self, constraints: Iterable[Constraint], outcome: Feasible, symbols: Sequence[sp.Expr]
    ) -> Iterator[dict[sp.Symbol, sp.Expr]]:
        """Yield rational points that may satisfy the constraints: the solution found, then random ones."""
        variables = self.map.variables
        if set(symbols) <= set(variables):
            solved = dict(zip(symbols, map(to_sympy, outcome.point), strict=True))
            yield {v: solved.get(v, sp.Integer(0)) for v in variables}
        equalities = [self.as_it_was(guard) for sign, guard in constraints if sign == 0]
        dice = random.Random(0)
        for _ in range(_RANDOM_POINTS):
            point = {
                v: sp.Rational(dice.randint(-6, 6) * dice.choice((1, 1, 9)), dice.choice((1, 2, 3))) for v in variables
            }
            yield from _on_zero_set(point, equalities)

    def _patterns(
        self, path: _Path, expressions: tuple[sp.Expr, ...]
    ) -> Iterator[tuple[dict[sp.Expr, Constraint], tuple[sp.Expr, ...]]]:
        """Resolve expressions under every sign pattern of the switches inside them and inside the path's guards."""
        stack: list[dict[sp.Expr, int]] = [{guard: sign for guard, sign, _ in path}]
        count = 0
        while stack:
            signs = stack.pop()
            constraints: dict[sp.Expr, Constraint] = {}

            def choose(switch, guard, signs=signs, constraints=constraints):
                if switch.guard not in signs:
                    raise _Unchosen(switch.guard)
                constraints[switch.guard] = (signs[switch.guard], self._polynomial(guard))
                return signs[switch.guard]

            known: dict = {}
            try:
                for guard, sign, _ in path:
                    constraints[guard] = (sign, self._polynomial(resolve(guard, choose, known)))
                resolved = tuple(resolve(e, choose, known) for e in expressions)
            except _Unchosen as open_:
                stack.extend({**signs, open_.guard: sign} for sign in (-1, 1))
                continue
            except MapError:  # this pattern leads to a gap, which is visited on its own
                continue
            count += 1
            if count > _MAX_PATTERNS:
                raise UnknownError(f"more than {_MAX_PATTERNS} sign patterns meet at one switch")
            yield constraints, resolved


class _Unchosen(Exception):
    def __init__(self, guard: sp.Expr):
        self.guard = guard


def _keeps_continuity(node: sp.Expr) -> bool:
    """The outermost operation is continuous everywhere: a sum, product, power, exponential, or a constant."""
    if node.is_Pow and not isinstance(node, sp.exp):
        return bool(node.exp.is_Integer and node.exp >= 0) or not node.free_symbols
    return bool(node.is_Add or node.is_Mul or isinstance(node, sp.exp) or node.is_Symbol or not node.free_symbols)


def _is_multiple(difference: sp.Expr, guard: sp.Expr) -> bool:
    """The difference is a constant times the guard, as it stands in the program."""
    terms, of_guard = sp.expand(difference).as_coefficients_dict(), sp.expand(guard).as_coefficients_dict()
    if set(terms) != set(of_guard):
        return False
    ratios = {terms[m] / of_guard[m] for m in terms}
    return len(ratios) == 1


def _solve(constraints: Iterable[Constraint], strict: Sequence[Constraint], closed: Sequence[bool]):
    """Look for values of the monomials that satisfy constraints, weakly where `closed`, and the strict ones."""
    largest = max((sp.total_degree(e) for _, e in strict), default=0)
    constraints = list(constraints)
    variables = sorted(set().union(*(e.free_symbols for _, e in (*constraints, *strict))), key=sp.default_sort_key)
    zero = [m for sign, guard in constraints if sign == 0 for m in _multiples(guard, largest, variables)]
    signed = [(weakly, c) for weakly, c in zip(closed, constraints, strict=True) if c[0] != 0]
    weak = [c for weakly, c in signed if weakly]
    open_ = [*strict, *(c for weakly, c in signed if not weakly)]
    rows = [monomial_coefficients(e) for e in zero]
    weak_rows = [(sign, monomial_coefficients(e)) for sign, e in weak]
    open_rows = [(sign, monomial_coefficients(e)) for sign, e in open_]
    every = itertools.chain(rows, (r for _, r in weak_rows), (r for _, r in open_rows))
    symbols = sorted({m for row in every for m in row if m is not sp.S.One}, key=sp.default_sort_key)

    def affine(row: Mapping[sp.Expr, fmpq], sign: int = 1):
        return [sign * row.get(m, fmpq(0)) for m in symbols], sign * row.get(sp.S.One, fmpq(0))

    outcome = feasible_point(
        [affine(row) for row in rows],
        [affine(row, sign) for sign, row in weak_rows],
        [affine(row, sign) for sign, row in open_rows],
        len(symbols),
    )
    return outcome, symbols


def _multiples(guard: sp.Expr, degree: int, variables: Sequence[sp.Symbol]) -> list[sp.Expr]:
    """The guard times each monomial, up to a degree: all of them vanish where it does."""
    spare = degree - sp.total_degree(guard)
    if spare <= 0 or not guard.free_symbols:
        return [guard]
    monomials = itertools.islice(sp.itermonomials(variables, spare), _MAX_MULTIPLES)
    return [sp.expand(m * guard) for m in sorted(monomials, key=sp.default_sort_key)]


def _on_zero_set(point: dict[sp.Symbol, sp.Expr], equalities: Sequence[sp.Expr]) -> Iterator[dict[sp.Symbol, sp.Expr]]:
    """Move a point onto the zero set of the first equality along one coordinate, where that gives a rational point."""
    if not equalities:
        yield point
        return
    for v in sorted(equalities[0].free_symbols, key=str):
        rest = equalities[0].subs({w: c for w, c in point.items() if w != v})
        polynomial = sp.Poly(rest, v)
        if polynomial.degree() < 1:
            continue
        for root in sp.roots(polynomial, filter="Q"):
            moved = {**point, v: root}
            if all(e.subs(moved) == 0 for e in equalities):
                yield moved

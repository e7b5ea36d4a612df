"""Piecewise maps written as sympy expressions."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import sympy as sp

from piggycheck.arithmetic import Arithmetic, Evaluator, exact
from piggycheck.arrays import Arrays
from piggycheck.errors import GapError, MapError, UnknownError
from piggycheck.maps.activity import Constraint, essential_activity, region_is_empty
from piggycheck.maps.base import Activity, Evaluation, Piece, PiecewiseMap, SelectionSet, Signature
from piggycheck.maps.bound import BoundSymbolicMap
from piggycheck.maps.evaluation import ProgramEvaluator, SignsAt, evaluate_all, exactly
from piggycheck.maps.switch import GAP, NONSMOOTH, Switch, collect_switches, resolve, translate

__all__ = ["SmoothPiece", "SymbolicMap"]

MAX_PIECES = 1024
"""How many pieces are listed at one point before the answer is that there are too many."""

_KNOWN_NODES = (sp.Add, sp.Mul, sp.Pow, sp.exp, sp.log, sp.Symbol, sp.Rational, sp.NumberSymbol, sp.CRootOf, Switch)


@dataclass(frozen=True)
class SmoothPiece:
    """What a map is where its guards have given signs.

    Attributes
    ----------
    signature : Signature
    expressions : tuple of sympy.Expr
        One smooth expression for each state variable.
    conditions : tuple of (sign, guard)
        The signs that the guards which were met must have, the guards resolved to smooth expressions.
    """

    signature: Signature
    expressions: tuple[sp.Expr, ...]
    conditions: tuple[Constraint, ...]
    variables: tuple[sp.Symbol, ...] = field(repr=False)

    @cached_property
    def jacobian(self) -> sp.ImmutableMatrix:
        """The p × (p + m) matrix of partial derivatives, symbolic."""
        return sp.ImmutableMatrix([[sp.diff(e, v) for v in self.variables] for e in self.expressions])

    def is_affine(self, symbols: Sequence[sp.Symbol]) -> bool:
        """Whether every expression is affine in `symbols`, the other variables being constants."""
        columns = [self.variables.index(s) for s in symbols]
        return not any(sp.expand(self.jacobian[i, j]).has(*symbols) for i in range(self.jacobian.rows) for j in columns)


def _in_grammar(expression: sp.Expr) -> sp.Expr:
    """Write the if-then-else, which sympy makes of a ``Piecewise`` inside a condition, with and, or, not."""
    if not expression.has(sp.ITE):
        return expression
    return expression.replace(sp.ITE, lambda c, a, b: sp.Or(sp.And(c, a), sp.And(sp.Not(c), b)))


def _is_affine(expression: sp.Expr, symbols: Sequence[sp.Symbol]) -> bool:
    return all(not sp.expand(sp.diff(expression, s)).has(*symbols) for s in symbols)


class SymbolicMap(PiecewiseMap):
    """A piecewise map given by sympy expressions with ``Piecewise``, ``Abs``, ``Max``, ``Min`` and ``sign``.

    Parameters
    ----------
    state : sequence of sympy.Symbol
        The p state variables, real.
    next : sequence of sympy.Expr
        The p components of the map.
    parameters : sequence of sympy.Symbol
        The m parameters, real; possibly none.

    Attributes
    ----------
    guards : tuple of sympy.Expr
        The distinct guards, inner ones first; a `Signature` has one entry for each.

    Raises
    ------
    MapError
        When `state` and `next` differ in length, a symbol is undeclared or declared twice, or an expression contains
        a function that is not known.

    Examples
    --------
    >>> x, theta = sp.symbols("x theta", real=True)
    >>> relu = SymbolicMap([x], [-x / 2 + sp.Max(theta, 0)], [theta])
    >>> relu.value({x: 1, theta: 3})
    (5/2,)
    >>> [(str(piece.signature), piece.A[0], piece.B[0]) for piece in relu.selection({x: 0, theta: 0}).pieces]
    [('+', -1/2, 1), ('-', -1/2, 0)]

    Notes
    -----
    Opening a map builds no piece: pieces are built when they are met, and kept. Equal subexpressions are one step of
    the program, so ``Abs(x) - Abs(x)`` is 0, as sympy simplifies it.

    When this fails: sympy's own automatic simplification comes first; what it removes is not part of the program.
    """

    def __init__(self, state: Sequence[sp.Symbol], next: Sequence[sp.Expr], parameters: Sequence[sp.Symbol] = ()):
        self.state, self.parameters = tuple(state), tuple(parameters)
        self.next = tuple(_in_grammar(sp.sympify(e)) for e in next)
        self._validate()
        known: dict[sp.Basic, sp.Basic] = {}
        self.program = tuple(translate(e, known) for e in self.next)
        switches = collect_switches(self.program)
        self.guards = tuple(dict.fromkeys(switch.guard for switch in switches))
        self._index = {guard: i for i, guard in enumerate(self.guards)}
        self._pieces: dict[Signature, SmoothPiece] = {}
        self._refuse_unknown_nodes()

    def _validate(self) -> None:
        if not self.state:
            raise MapError("a map needs at least one state variable")
        if len(self.state) != len(self.next):
            raise MapError(
                f"`state` has {len(self.state)} names and `next` has {len(self.next)} expressions; write one each"
            )
        twice = {v for v in self.variables if self.variables.count(v) > 1}
        if twice:
            raise MapError(f"`{min(map(str, twice))}` is declared twice among state and parameters")
        for symbol, expression in zip(self.state, self.next, strict=True):
            if not isinstance(expression, sp.Expr):
                raise MapError(f"next value of `{symbol}`: `{expression}` is not an expression")
            undeclared = sorted(map(str, expression.free_symbols - set(self.variables)))
            if undeclared:
                declared = ", ".join(map(str, self.variables))
                raise MapError(f"next value of `{symbol}`: `{undeclared[0]}` is not declared; declared are {declared}")
            for value in expression.atoms(sp.Float):
                exact(value, f"next value of `{symbol}`")
        for symbol in self.variables:
            if not symbol.is_real:
                raise MapError(f'`{symbol}` is not declared real; write sympy.Symbol("{symbol}", real=True)')

    def _refuse_unknown_nodes(self) -> None:
        for node in sp.preorder_traversal(sp.Tuple(*self.program)):
            if isinstance(node, (sp.Tuple, *_KNOWN_NODES)) or node is GAP:
                continue
            raise MapError(f"`{node}`: `{type(node).__name__}` is not a function that piggycheck knows")

    def __repr__(self) -> str:
        return f"SymbolicMap(state={list(self.state)}, next={list(self.next)}, parameters={list(self.parameters)})"

    def fix(self, at: Mapping[Any, Any]) -> SymbolicMap:
        """Return the map that is left when some or all parameters have given values."""
        names = set(map(str, at))
        values = self._read(at, [theta for theta in self.parameters if str(theta) in names], "parameter")
        known: dict[sp.Basic, sp.Basic] = dict(values)
        left = [theta for theta in self.parameters if theta not in values]
        return SymbolicMap(self.state, [translate(e, known) for e in self.next], left)

    def parameter_values(self, at: Mapping[Any, Any]) -> dict[sp.Symbol, sp.Expr]:
        """Read exact values for all parameters, keyed by symbol or by name."""
        return self._read(at, self.parameters, "parameter")

    def point(self, values: Mapping[Any, Any]) -> dict[sp.Symbol, sp.Expr]:
        """Read an exact point: a number for every variable, keyed by symbol or by name.

        Raises
        ------
        MapError
            When a variable has no value or a name is not a variable.
        """
        return self._read(values, self.variables, "variable")

    @staticmethod
    def _read(values: Mapping[Any, Any], symbols: Sequence[sp.Symbol], kind: str) -> dict[sp.Symbol, sp.Expr]:
        names = [str(v) for v in symbols]
        by_name = {str(key): value for key, value in values.items()}
        foreign = [name for name in by_name if name not in names]
        if foreign:
            raise MapError(f"`{foreign[0]}` is not a {kind} of the map; write one of {', '.join(names) or '(none)'}")
        missing = [name for name in names if name not in by_name]
        if missing:
            raise MapError(f"the {kind} `{missing[0]}` has no value; give one for each of {', '.join(names)}")
        return {v: exact(by_name[str(v)], f"value of `{v}`") for v in symbols}

    # -- evaluation ---------------------------------------------------------------------------------------------

    def evaluate(self, values: Mapping[sp.Symbol, Any], arithmetic: Arithmetic) -> Evaluation:
        evaluator = ProgramEvaluator(arithmetic, values)
        value = tuple(arithmetic.normal(evaluator(e)) for e in self.program)
        seen = evaluator.seen
        return Evaluation(value, Signature(seen.get(guard) for guard in self.guards))

    def value(self, point: Mapping[Any, Any]) -> tuple[sp.Expr, ...]:
        """Return the exact value at an exact point.

        Raises
        ------
        MapError
            When the map is not defined there.
        """
        point = self.point(point)
        return exactly(lambda values, arithmetic: self.evaluate(values, arithmetic).value, point)

    def bind(self, at: Mapping[Any, Any], arrays: Arrays) -> BoundSymbolicMap:
        """Fix the parameters, over an array arithmetic."""
        return BoundSymbolicMap(self, self.parameter_values(at), arrays)

    def jacobian(
        self, signature: Signature, values: Mapping[sp.Symbol, Any], arithmetic: Arithmetic
    ) -> list[list[Any]]:
        evaluator = Evaluator(arithmetic, values)
        rows = self.piece(signature).jacobian.tolist()
        return [[arithmetic.normal(evaluator(entry)) for entry in row] for row in rows]

    # -- pieces -------------------------------------------------------------------------------------------------

    def piece(self, signature: Signature) -> SmoothPiece:
        """Return the smooth piece that a signature names, built on the first call.

        Raises
        ------
        MapError
            When the signature leaves out a guard that is met, or leads to a gap.
        """
        signature = Signature(signature)
        if signature not in self._pieces:
            self._pieces[signature] = self._build(signature)
        return self._pieces[signature]

    def _build(self, signature: Signature) -> SmoothPiece:
        conditions: dict[sp.Expr, Constraint] = {}

        def choose(switch: Switch, guard: sp.Expr) -> int:
            sign = signature[self._index[switch.guard]]
            if sign is None:
                raise MapError(f"signature {signature} says nothing of the guard `{switch.guard}`, which is met")
            conditions[switch.guard] = (sign, guard)
            return sign

        return SmoothPiece(signature, self._resolve(choose), tuple(conditions.values()), self.variables)

    def _resolve(self, choose: Callable[[Switch, sp.Expr], int]) -> tuple[sp.Expr, ...]:
        known: dict = {}
        expressions = tuple(resolve(e, choose, known) for e in self.program)
        for expression in expressions:
            kinked = expression.atoms(*NONSMOOTH)
            if kinked:
                raise MapError(
                    f"a square root of a square, `{kinked.pop()}`, is left in a piece; write Abs(...) for it"
                )
        return expressions

    @cached_property
    def unconditional_guards(self) -> tuple[sp.Expr, ...]:
        """The guards that every evaluation meets, whatever the others see."""
        found: dict[sp.Expr, None] = {}

        def visit(node: sp.Basic) -> None:
            if isinstance(node, Switch):
                found[node.guard] = None
                visit(node.guard)
            elif node.has(Switch):
                for argument in node.args:
                    visit(argument)

        for expression in self.program:
            visit(expression)
        return tuple(found)

    def signatures(
        self,
        decide: Callable[[sp.Expr, Sequence[int]], Sequence[int]],
        *,
        interior: bool = False,
        gaps: bool = True,
    ) -> Iterator[tuple[Signature, tuple[Constraint, ...]]]:
        """Walk the signatures that the program allows.

        Parameters
        ----------
        decide : callable
            ``decide(guard, outcomes)`` gives the signs to follow for a guard resolved to a smooth expression, of
            which the program tells `outcomes` apart.
        interior : bool
            Whether a piece counts only when strict signs are possible; otherwise one point that takes it is enough.
        gaps : bool
            Whether gaps are passed over; otherwise one raises `GapError`.

        Yields
        ------
        signature, constraints : Signature, tuple of (sign, guard)
            The constraints are those of guards for which `decide` gave more than one sign; a branch whose constraints
            contradict each other is dropped, and so is one that leads to a gap, unless ``gaps`` are refused.
        """
        stack: list[dict[sp.Expr, int]] = [{}]
        while stack:
            chosen = stack.pop()
            constraints: dict[sp.Expr, Constraint] = {}
            met: dict[sp.Expr, int] = {}

            def weak(key, sign):
                return not interior and sign == self._outcomes[key].zero_joins

            def choose(switch, guard, chosen=chosen, constraints=constraints, met=met):
                key = switch.guard
                if key in met:
                    return met[key]
                signs = decide(guard, self._outcomes[key].signs)
                if len(signs) > 1:
                    if key not in chosen:
                        raise _Branch(key, signs, guard)
                    constraints[key] = (chosen[key], guard)
                    met[key] = chosen[key]
                else:
                    met[key] = signs[0]
                return met[key]

            try:
                self._resolve(choose)
            except _Branch as branch:
                closed = [weak(key, sign) for key, (sign, _) in constraints.items()]
                for sign in reversed(branch.signs):
                    signed = [*constraints.values(), (sign, branch.guard)]
                    if not region_is_empty(signed, [*closed, weak(branch.key, sign)]):
                        stack.append({**chosen, branch.key: sign})
                continue
            except GapError:
                if gaps:
                    continue
                if all(_is_affine(guard, self.variables) for _, guard in constraints.values()):
                    raise
                raise UnknownError("that every point nearby has a branch was not decided") from None
            yield Signature(met.get(guard) for guard in self.guards), tuple(constraints.values())

    @cached_property
    def _outcomes(self) -> dict[sp.Expr, _Outcomes]:
        by_guard: dict[sp.Expr, list[Switch]] = {}
        for switch in collect_switches(self.program):
            by_guard.setdefault(switch.guard, []).append(switch)
        return {guard: _Outcomes.of(switches) for guard, switches in by_guard.items()}

    # -- at a point ---------------------------------------------------------------------------------------------

    def active(self, point: Mapping[Any, Any]) -> tuple[Piece, ...]:
        """Return every piece that some point takes whose guards have the signs seen here, or tie here.

        Emptiness is proved where it can be; otherwise the piece is listed. Pieces on which a guard is 0 are listed
        apart only where the program gives them a branch of their own.
        """
        return tuple(self._pieces_at(self.point(point), lambda outcomes: outcomes, interior=False))

    def selection(self, point: Mapping[Any, Any]) -> SelectionSet:
        """Return the essentially active pieces and whether all of them were proved to be so.

        Parameters
        ----------
        point : mapping
            Exact numbers for all variables, keyed by symbol or name.

        Returns
        -------
        SelectionSet
            In the space of state and parameters together; + comes before -.

        Raises
        ------
        MapError
            When the map is not defined at the point, or not everywhere around it.
        UnknownError
            When a guard's sign is not decided, or more than `MAX_PIECES` pieces meet.

        Notes
        -----
        When this fails: see `piggycheck.maps.activity.essential_activity`; ``exact`` is then false.
        """
        pieces = [
            p
            for p in self._pieces_at(self.point(point), lambda outcomes: (1, -1), interior=True)
            if p.activity.essential is not False
        ]
        return SelectionSet(tuple(pieces), all(p.activity.essential for p in pieces))

    def _pieces_at(
        self, point: Mapping, follow: Callable[[Sequence[int]], Sequence[int]], *, interior: bool
    ) -> Iterator[Piece]:
        guard_sign = SignsAt(point)

        def decide(guard: sp.Expr, outcomes: Sequence[int]) -> Sequence[int]:
            sign = guard_sign(guard)
            if sign != 0 or _vanishes_identically(guard):
                return (sign,)
            return follow(outcomes)

        met = list(itertools.islice(self.signatures(decide, interior=interior, gaps=False), MAX_PIECES + 1))
        if len(met) > MAX_PIECES:
            raise UnknownError(f"more than {MAX_PIECES} pieces meet at this point; they are not listed")
        for signature, constraints in met:
            if any(sign == 0 for sign, _ in constraints):
                activity = Activity(False)
            else:
                activity = essential_activity(constraints, self.variables, point)
            yield self._piece_at(signature, activity, self.piece(signature), point)

    def _piece_at(self, signature: Signature, activity: Activity, piece: SmoothPiece, point: Mapping) -> Piece:
        entries = exactly(lambda values, arithmetic: evaluate_all(piece.jacobian, values, arithmetic), point)
        rows, columns, split = len(self.state), len(self.variables), len(self.state)
        matrix = sp.ImmutableMatrix(rows, columns, entries)
        return Piece(signature, matrix[:, :split], matrix[:, split:], activity)

    def piece_at(
        self, expressions: tuple[sp.Expr, ...], point: Mapping[sp.Symbol, sp.Expr], signs: Sequence[int] = ()
    ) -> Piece:
        """Return smooth expressions with their Jacobian pair at a point."""
        signature = Signature(signs)
        return self._piece_at(signature, Activity(None), SmoothPiece(signature, expressions, (), self.variables), point)

    def chain_rule(self, point: Mapping[Any, Any]) -> tuple[Piece, ...]:
        """Return the chain-rule set: what is left when each switch that ties picks a branch on its own.

        Returns
        -------
        tuple of Piece
            One for each distinct Jacobian pair; the signature has one entry for each switch that tied.

        Raises
        ------
        UnknownError
            When more than `MAX_PIECES` combinations of picks meet.

        Examples
        --------
        >>> x = sp.Symbol("x", real=True)
        >>> identity = SymbolicMap([x], [sp.Max(x, 0) - sp.Max(-x, 0)])
        >>> sorted(piece.A[0] for piece in identity.chain_rule({x: 0}))
        [0, 1, 2]
        >>> [piece.A[0] for piece in identity.selection({x: 0}).pieces]
        [1, 1]
        """
        point, found = self.point(point), {}
        for chosen, expressions in self.picks(point):
            piece = self.piece_at(expressions, point, list(chosen.values()))
            found.setdefault(piece.pair, piece)
        return tuple(found.values())

    def picks(self, point: Mapping[sp.Symbol, sp.Expr]) -> Iterator[tuple[dict[Switch, int], tuple[sp.Expr, ...]]]:
        """Yield the signs that the switches which tie pick on their own, and the expressions that are left."""
        guard_sign = SignsAt(point)
        stack: list[dict[Switch, int]] = [{}]
        combinations = 0
        while stack:
            chosen = stack.pop()

            def choose(switch, guard, chosen=chosen):
                sign = guard_sign(guard)
                if sign != 0 or _vanishes_identically(guard):
                    return sign
                if switch not in chosen:
                    raise _Branch(switch, switch.outcomes, guard)
                return chosen[switch]

            try:
                expressions = self._resolve(choose)
            except _Branch as branch:
                stack.extend({**chosen, branch.key: sign} for sign in reversed(branch.signs))
                continue
            combinations += 1
            if combinations > MAX_PIECES:
                raise UnknownError(f"more than {MAX_PIECES} combinations of picks meet; they are not listed")
            yield chosen, expressions


@dataclass(frozen=True)
class _Outcomes:
    """The signs of a guard that all its switches together tell apart, and the sign that 0 goes with, if any."""

    signs: tuple[int, ...]
    zero_joins: int | None

    @classmethod
    def of(cls, switches: Sequence[Switch]) -> _Outcomes:
        joins = next((s for s in (1, -1) if all(w.branch(s) == w.branch(0) for w in switches)), None)
        return cls((1, -1, 0) if joins is None else (1, -1), joins)


class _Branch(Exception):
    """A guard ties and no sign was chosen for it yet."""

    def __init__(self, key: sp.Basic, signs: Sequence[int], guard: sp.Expr):
        self.key, self.signs, self.guard = key, signs, guard


def _vanishes_identically(guard: sp.Expr) -> bool:
    return bool(sp.expand(guard).is_zero)

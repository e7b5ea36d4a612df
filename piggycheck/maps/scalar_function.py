"""Piecewise smooth functions of one variable and some arguments, evaluated many times over an arithmetic.

The function is brought into the form of a decision tree: guards at the top, smooth leaves below. Each smooth expression
is compiled once for an arithmetic.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import arb

from piggycheck.arithmetic import Arithmetic, Balls
from piggycheck.errors import MapError, UnknownError
from piggycheck.expression import to_text
from piggycheck.maps.lengths import seen_sign
from piggycheck.maps.switch import GAP, Switch, hoist, translate

__all__ = ["Compiled", "Leaf", "ScalarFunction", "Writer", "compile_expression", "compile_text"]

_MOST_INTERVALS = 4096


@dataclass(frozen=True)
class Leaf:
    """A smooth branch of the function.

    Attributes
    ----------
    signs : tuple of -1, 0, 1, None
        What each guard of the function saw on the way.
    expression : sympy.Expr
    """

    signs: tuple[int | None, ...]
    expression: sp.Expr


class ScalarFunction:
    """A piecewise smooth function ``phi(v, arguments)``.

    Parameters
    ----------
    expression : sympy.Expr
        With ``Max``, ``Min``, ``Abs``, ``Piecewise``, ``sign``.
    variable : sympy.Symbol
    arguments : sequence of sympy.Symbol

    Raises
    ------
    MapError
        When the expression mentions another name, or has a gap.

    Examples
    --------
    >>> v, t = sp.symbols("v t", real=True)
    >>> soft = ScalarFunction(v - sp.Max(-t, sp.Min(t, v)), v, [t])
    >>> soft.guards[:2], soft.leaf([1, 1, None]).expression, soft.leaf([-1, None, 1]).expression
    ((t - v, t + v), 0, -t + v)
    """

    def __init__(self, expression: sp.Expr, variable: sp.Symbol, arguments: Sequence[sp.Symbol] = ()):
        self.expression, self.variable, self.arguments = sp.sympify(expression), variable, tuple(arguments)
        foreign = sorted(map(str, self.expression.free_symbols - {variable, *arguments}))
        if foreign:
            raise MapError(f"`{foreign[0]}` is no variable of the function; known are {[variable, *arguments]}")
        self.tree = hoist(translate(self.expression, {}))
        self.guards: tuple[sp.Expr, ...] = tuple(dict.fromkeys(node.guard for node in _switches(self.tree)))
        self.leaves: tuple[Leaf, ...] = tuple(self._collect(self.tree, {}))

    def _collect(self, tree: sp.Expr, seen: dict[sp.Expr, int]) -> list[Leaf]:
        if isinstance(tree, Switch):
            if tree.guard in seen:
                return self._collect(tree.branch(seen[tree.guard]), seen)
            return [leaf for s in tree.outcomes for leaf in self._collect(tree.branch(s), {**seen, tree.guard: s})]
        if tree is GAP:
            raise MapError("the function has a gap; add a last case with the condition True")
        return [Leaf(tuple(seen.get(guard) for guard in self.guards), tree)]

    @property
    def text(self) -> str:
        """The function as certificates write it."""
        return to_text(self.expression)

    def leaf(self, signs: Sequence[int | None]) -> Leaf:
        """Return the branch that signs lead to; signs of guards that are not met do not matter."""
        tree, seen = self.tree, {}
        while isinstance(tree, Switch):
            sign = signs[self.guards.index(tree.guard)]
            if sign is None:
                raise MapError(f"a signature says nothing of the guard `{tree.guard}`, which is met")
            seen[tree.guard] = sign
            tree = tree.branch(sign)
        return Leaf(tuple(map(seen.get, self.guards)), tree)

    def met(self, signs: Sequence[int | None]) -> tuple[int | None, ...]:
        """Return the signs of the guards that are met, None for the others."""
        return self.leaf(signs).signs

    def over(self, arithmetic: Arithmetic) -> Compiled:
        """Compile the function for an arithmetic."""
        return Compiled(self, arithmetic)

    def slopes(self, low: arb, high: arb, arguments: Sequence[arb], bits: int = 64) -> tuple[arb, arb]:
        """Enclose the slopes in the variable over an interval: those of every branch that may be taken there.

        Raises
        ------
        UnknownError
            When a slope has no finite enclosure.

        Notes
        -----
        The interval is halved where the enclosure of a slope is wide. Between points of the interval the function, if
        it is continuous, changes by no more than its slopes allow.
        """
        return _Slopes(self, arguments, Balls(bits)).over(low, high)


def _switches(tree: sp.Expr) -> list[Switch]:
    if not isinstance(tree, Switch):
        return []
    return [tree, *(node for sign in tree.outcomes for node in _switches(tree.branch(sign)))]


@dataclass(frozen=True, slots=True)
class _Guarded:
    """A switch of the compiled tree."""

    index: int
    guard: Callable[..., Any]
    branches: tuple[Any, Any, Any]


class Compiled:
    """A scalar function over an arithmetic.

    Attributes
    ----------
    function : ScalarFunction
    """

    def __init__(self, function: ScalarFunction, arithmetic: Arithmetic):
        self.function, self.arithmetic = function, arithmetic
        self.symbols = (function.variable, *function.arguments)
        self._compiled: dict[sp.Expr, Callable[..., Any]] = {}
        self._tree = self._compile(function.tree)
        self._unseen: list[int | None] = [None] * len(function.guards)

    def _compile(self, tree: sp.Expr) -> Any:
        if not isinstance(tree, Switch):
            return self.at(tree)
        branches = tuple(self._compile(tree.branch(sign)) for sign in (-1, 0, 1))
        return _Guarded(self.function.guards.index(tree.guard), self.at(tree.guard), branches)

    def at(self, expression: sp.Expr) -> Callable[..., Any]:
        """Return an expression in the variable and the arguments as a Python function."""
        if expression not in self._compiled:
            self._compiled[expression] = compile_expression(expression, self.symbols, self.arithmetic)
        return self._compiled[expression]

    def signs(self, *values: Any) -> tuple[tuple[int | None, ...], int | None]:
        """Walk down the tree: the signs that the guards have, and the first whose sign is not decided, if any."""
        seen = self._unseen.copy()
        tree = self._tree
        while isinstance(tree, _Guarded):
            sign = seen[tree.index]
            if sign is None:
                sign = seen_sign(tree.guard(*values))
                if sign is None:
                    return tuple(seen), tree.index
                seen[tree.index] = sign
            tree = tree.branches[sign + 1]
        return tuple(seen), None

    def value(self, *values: Any) -> Any:
        """Evaluate; where a guard's sign is not decided, enclose what its branches give."""
        return self._value(self._tree, values)

    def _value(self, tree: Any, values: tuple[Any, ...]) -> Any:
        while isinstance(tree, _Guarded):
            sign = seen_sign(tree.guard(*values))
            if sign is None:
                parts = [self._value(branch, values) for branch in tree.branches]
                return parts[0].union(parts[1]).union(parts[2])
            tree = tree.branches[sign + 1]
        return tree(*values)

    def partial(self, leaf: Leaf, index: int) -> sp.Expr:
        """Return the derivative of a branch in the variable (0) or an argument (1, 2, ...)."""
        return sp.diff(leaf.expression, self.symbols[index])


def compile_expression(expression: sp.Expr, symbols: Sequence[sp.Symbol], arithmetic: Arithmetic) -> Callable[..., Any]:
    """Compile a smooth expression of the grammar to a Python function of numbers of an arithmetic.

    Examples
    --------
    >>> from piggycheck.arithmetic import RATIONAL
    >>> from flint import fmpq
    >>> v = sp.Symbol("v", real=True)
    >>> compile_expression(v**2 / 3 - 1, [v], RATIONAL)(fmpq(3))
    2
    """
    writer = Writer({symbol: f"x{i}" for i, symbol in enumerate(symbols)}, arithmetic)
    text = f"result = lambda {', '.join(writer.names.values())}: {writer.write(expression)}"
    return compile_text(text, "result", writer.constants)


def compile_text(text: str, name: str, names: Mapping[str, Any]) -> Any:
    """Run Python text, made by a `Writer` of the names given alone, and return what it calls by a name."""
    scope = {"__builtins__": {}, **names}
    exec(text, scope)
    return scope[name]


class Writer:
    """Writes smooth sympy expressions as Python text in which constants have names.

    Parameters
    ----------
    names : dict
        What the symbols are called.
    arithmetic : Arithmetic
    constants : dict, optional
        What names mean; more are added. Writers may share them.
    """

    def __init__(self, names: dict[sp.Symbol, str], arithmetic: Arithmetic, constants: dict[str, Any] | None = None):
        self.names, self.arithmetic = names, arithmetic
        self.constants = {} if constants is None else constants
        self.constants |= {
            "sqrt": arithmetic.sqrt,
            "exp": arithmetic.exp,
            "log": arithmetic.log,
            "power": arithmetic.power,
            "reciprocal": self._reciprocal,
        }

    def _reciprocal(self, value: Any) -> Any:
        try:
            return self.arithmetic.reciprocal(value)
        except ZeroDivisionError:
            raise MapError("division by zero") from None

    def write(self, node: sp.Expr) -> str:
        """Write an expression.

        Raises
        ------
        MapError
            When it is not in the grammar.
        """
        if node.is_Symbol:
            return self.names[node]
        if node.is_Add:
            first, second = self._terms(node)
            if first:
                return "(" + " - ".join([" + ".join(map(self.write, first)), *map(self.write, second)]) + ")"
            return "(" + " + ".join(map(self.write, node.args)) + ")"
        if node.is_Mul:
            if node.args[0] == -1:
                return "(-" + self.write(sp.Mul(*node.args[1:])) + ")"
            return "(" + " * ".join(map(self.write, node.args)) + ")"
        if node.is_Rational or node.is_NumberSymbol:
            name = f"c{len(self.constants)}"
            self.constants[name] = self.arithmetic.number(node)
            return name
        if isinstance(node, (sp.exp, sp.log)):
            return f"{type(node).__name__}({self.write(node.args[0])})"
        if node.is_Pow and node.exp.is_Rational and node.exp.q in (1, 2):
            return self._power(node)
        raise MapError(f"`{node}`: `{type(node).__name__}` is not a function that piggycheck knows")

    @staticmethod
    def _terms(node: sp.Expr) -> tuple[list[sp.Expr], list[sp.Expr]]:
        """The terms of a sum that are added, and those that are subtracted."""
        terms = sp.Add.make_args(node)
        subtracted = [term for term in terms if term.could_extract_minus_sign()]
        return [term for term in terms if term not in subtracted], [-term for term in subtracted]

    def _power(self, node: sp.Pow) -> str:
        base = self.write(node.base)
        if node.exp.q == 2:
            base = f"sqrt({base})"
        power = int(abs(node.exp.p))
        text = base if power == 1 else f"power({base}, {power})"
        return text if node.exp.p > 0 else f"reciprocal({text})"


class _Slopes:
    """Encloses slopes over an interval by halving it."""

    def __init__(self, function: ScalarFunction, arguments: Sequence[arb], arithmetic: Balls):
        self.compiled = function.over(arithmetic)
        self.arguments, self.variable, self.precision = tuple(arguments), function.variable, arithmetic.precision

    def over(self, low: arb, high: arb) -> tuple[arb, arb]:
        with self.precision():
            pieces, bounds = [(low.lower(), high.upper())], []
            for count in range(_MOST_INTERVALS):
                if not pieces:
                    break
                left, right = pieces.pop()
                found = self._around(left.union(right))
                wide = any(not f.is_finite() or f.rad() > 0.125 for f in found)
                if wide and count + len(pieces) < _MOST_INTERVALS // 2 and bool(left < right):
                    middle = ((left + right) / 2).mid()
                    pieces += [(left, middle), (middle, right)]
                else:
                    bounds += found
            if not all(f.is_finite() for f in bounds) or pieces:
                raise UnknownError(f"the slopes of `{self.compiled.function.expression}` were not bounded")
            return min(f.lower() for f in bounds), max(f.upper() for f in bounds)

    def _around(self, v: arb) -> list[arb]:
        try:
            return self._slopes(self.compiled.function.tree, v)
        except UnknownError:
            return [arb.nan()]

    def _slopes(self, tree: sp.Expr, v: arb) -> list[arb]:
        if not isinstance(tree, Switch):
            return [self.compiled.at(sp.diff(tree, self.variable))(v, *self.arguments)]
        number = self.compiled.at(tree.guard)(v, *self.arguments)
        taken = (1,) if number > 0 else (-1,) if number < 0 else tree.outcomes
        return [slope for sign in taken for slope in self._slopes(tree.branch(sign), v)]

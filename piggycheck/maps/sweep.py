"""A piecewise function of one variable applied to every entry of a vector, at the speed of the arithmetic.

For lists of numbers the decision tree is written out as one Python loop; for float64 it is walked once, with masks.
Which branch each entry takes is a list of codes, indices into the function's branches.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import sympy as sp
from flint import arb

from piggycheck.arithmetic import Float64, Float64Vectors
from piggycheck.arrays import Arrays
from piggycheck.maps.scalar_function import ScalarFunction, Writer, compile_expression, compile_text
from piggycheck.maps.switch import Switch

__all__ = ["Sweep", "sweep_over"]

Around = Callable[[], Any]

_ALL = slice(None)
_UNDECIDED = -1
_VECTORS = Float64Vectors()


def sweep_over(function: ScalarFunction, arrays: Arrays, shared: Sequence[bool]) -> Sweep:
    """Prepare a function for an array arithmetic.

    Parameters
    ----------
    function : ScalarFunction
    arrays : Arrays
    shared : sequence of bool
        For each argument: whether it is one number for all entries.
    """
    return (_Masks if isinstance(arrays.scalars, Float64) else _Loop)(function, arrays, shared)


class Sweep(ABC):
    """A function, ready to be applied; codes are lists, -1 where a sign is not decided."""

    def __init__(self, function: ScalarFunction, arrays: Arrays, shared: Sequence[bool]):
        self.function, self.arrays, self.shared = function, arrays, tuple(shared)
        self.symbols = (function.variable, *function.arguments)
        self._codes: dict[tuple[int | None, ...], int] = {}
        self._expressions: list[sp.Expr] = []
        self._partials: dict[int, list[Any]] = {}
        self._varying: dict[int, set[int]] = {}
        self._met: tuple[Sequence[int], tuple[int | None, ...]] = ((), ())

    @abstractmethod
    def read(self, arguments: Sequence[Any]) -> list[Any]:
        """Bring the arguments, matrices of one column, into the form that the other methods take."""

    @abstractmethod
    def __call__(self, column: Any, reach: Any, arguments: Sequence[Any]) -> tuple[Any, Sequence[int]]:
        """Return the values at a column, and the codes of the branches that are taken everywhere within reach.

        The reach is a distance for all entries, or a list of one for each.
        """

    @abstractmethod
    def scaled(self, index: int, codes: Sequence[int], around: Around, arguments: Sequence[Any], T: Any) -> Any:
        """Multiply each row of T by an entry's derivative in the variable (0) or in an argument (1, 2, ...).

        A single row of T stands for all of them. The entries with everything within reach are asked for only where
        derivatives vary.
        """

    @abstractmethod
    def compile(self, expression: sp.Expr) -> Callable[..., Any]:
        """Compile an expression in the variable and the arguments."""

    def signs(self, codes: Sequence[int]) -> tuple[int | None, ...]:
        """Return what the guards saw, entry after entry; the same object as long as the codes stay the same."""
        if codes != self._met[0]:
            by_code = list(self._codes)
            self._met = codes, tuple(sign for code in codes for sign in by_code[code])
        return self._met[1]

    def codes(self, signs: Sequence[int | None], count: int) -> list[int]:
        """Return the codes of so many entries, given the signs of their guards."""
        width = len(self.function.guards)
        return [self._code(tuple(signs[i * width : (i + 1) * width])) for i in range(count)]

    def _code(self, signs: tuple[int | None, ...]) -> int:
        if signs not in self._codes:
            signs = self.function.met(signs)
        return self._codes[signs]

    def _number(self, seen: dict[sp.Expr, int], expression: sp.Expr) -> int:
        """Number a branch."""
        self._expressions.append(expression)
        return self._codes.setdefault(tuple(map(seen.get, self.function.guards)), len(self._expressions) - 1)

    def partials(self, index: int) -> list[Any]:
        """The derivative of each branch: a number, written 0 or 1 where it is that, or a function."""
        if index not in self._partials:
            derivatives = [sp.diff(expression, self.symbols[index]) for expression in self._expressions]
            self._partials[index] = [self._partial(derivative) for derivative in derivatives]
            self._varying[index] = {code for code, d in enumerate(derivatives) if d.has(self.function.variable)}
        return self._partials[index]

    def is_constant(self, index: int, codes: Sequence[int]) -> bool:
        """Whether the derivatives on these branches do not depend on the variable."""
        self.partials(index)
        return self._varying[index].isdisjoint(codes)

    def _partial(self, derivative: sp.Expr) -> Any:
        if derivative in (0, 1):
            return int(derivative)
        return self.compile(derivative) if derivative.free_symbols else self.arrays.scalars.evaluate(derivative)


class _Loop(Sweep):
    """For numbers: the tree as the body of a loop."""

    def __init__(self, function: ScalarFunction, arrays: Arrays, shared: Sequence[bool]):
        super().__init__(function, arrays, shared)
        self.compiled = function.over(arrays.scalars)
        self._zero = arrays.scalars.number(sp.S.Zero)
        self._known_factors: dict[int, tuple[Sequence[int], list[tuple[int, Any | None]]]] = {}
        self._run = self._written()

    def compile(self, expression: sp.Expr) -> Callable[..., Any]:
        return self.compiled.at(expression)

    def _written(self) -> Callable[..., tuple[list[Any], list[int]]]:
        arguments = [f"a{i}" for i in range(len(self.shared))]
        names = dict(zip(self.function.arguments, arguments, strict=True))
        reaching = self.arrays.bounds_errors
        at = Writer({self.function.variable: "v", **names}, self.arrays.scalars)
        near = Writer({self.function.variable: "w" if reaching else "v", **names}, self.arrays.scalars, at.constants)
        each = [name for name, shared in zip(arguments, self.shared, strict=True) if not shared]
        varying = {self.function.variable, *(v for v, name in names.items() if name in each)}
        hoisted: dict[str, str] = {}
        body = ["  w = v + e"] if reaching else []

        def side(expression: sp.Expr) -> str:
            text = near.write(expression)
            if expression.is_Symbol or not varying.isdisjoint(expression.free_symbols):
                return text
            return hoisted.setdefault(text, f"h{len(hoisted)}")

        def write(tree: sp.Expr, seen: dict[sp.Expr, int]) -> None:
            pad = "  " + " " * len(seen)
            if not isinstance(tree, Switch):
                body.append(f"{pad}put({at.write(tree)}); mark({self._number(seen, tree)})")
            elif tree.guard in seen:
                write(tree.branch(seen[tree.guard]), seen)
            else:
                left, right = _sides(tree.guard, self.function.variable)
                body.append(f"{pad}l, r = {side(left)}, {side(right)}")
                for condition, sign in (("if l > r", 1), ("elif l < r", -1), ("elif l == r", 0)):
                    body.append(f"{pad}{condition}:")
                    write(tree.branch(sign), {**seen, tree.guard: sign})
                body.append(f"{pad}else: put(union({', '.join(['v', *arguments])})); mark({_UNDECIDED})")

        write(self.function.tree, {})
        head = [
            "def run(entries, reach, arguments):",
            " values, codes = [], []",
            " put, mark = values.append, codes.append",
            *(f" {name} = arguments[{i}]" for i, name in enumerate(arguments)),
            *(f" {name} = {text}" for text, name in hoisted.items()),
            f" for {', '.join(['v', 'e', *each])} in zip({', '.join(['entries', 'reach', *each])}):",
        ]
        text = "\n".join([*head, *body, " return values, codes"])
        return compile_text(text, "run", {**at.constants, "zip": zip, "union": self.compiled.value})

    def read(self, arguments: Sequence[Any]) -> list[Any]:
        lists = map(self.arrays.entries, arguments)
        return [entries[0] if shared else entries for entries, shared in zip(lists, self.shared, strict=True)]

    def __call__(self, column: Any, reach: Any, arguments: Sequence[Any]) -> tuple[Any, list[int]]:
        entries = self.arrays.entries(column)
        balls = [arb(0, distance) for distance in reach] if isinstance(reach, list) else repeat(arb(0, reach))
        values, codes = self._run(entries, balls, arguments)
        return self.arrays.assemble(len(values), 1, values), codes

    def scaled(self, index: int, codes: Sequence[int], around: Around, arguments: Sequence[Any], T: Any) -> Any:
        columns, entries = self.arrays.shape(T)[1], self.arrays.entries(T)
        step = 0 if len(entries) == columns else columns
        found = [self._zero] * (len(codes) * columns)
        for i, factor in self._factors(index, codes, around, arguments):
            row = entries[i * step : i * step + columns]
            found[i * columns : (i + 1) * columns] = row if factor is None else [factor * entry for entry in row]
        return self.arrays.assemble(len(codes), columns, found)

    def _factors(
        self, index: int, codes: Sequence[int], around: Around, arguments: Sequence[Any]
    ) -> list[tuple[int, Any | None]]:
        """The entries whose derivative is not zero, each with it; None stands for one."""
        known = self._known_factors.get(index)
        if known is not None and known[0] == codes:
            return known[1]
        partials, points = self.partials(index), []
        if any(map(callable, partials)):
            each = [repeat(a, len(codes)) if shared else a for a, shared in zip(arguments, self.shared, strict=True)]
            points = list(zip(self.arrays.entries(around()), *each, strict=True))
        found: list[tuple[int, Any | None]] = []
        for i, code in enumerate(codes):
            partial = partials[code]
            if not isinstance(partial, int):
                found.append((i, partial(*points[i]) if callable(partial) else partial))
            elif partial:
                found.append((i, None))
        if self.is_constant(index, codes):
            self._known_factors[index] = codes, found
        return found


def _sides(guard: sp.Expr, variable: sp.Symbol) -> tuple[sp.Expr, sp.Expr]:
    """Two expressions that compare as a guard does with zero; the variable alone on one of them, if possible."""
    slope = sp.diff(guard, variable)
    if slope in (1, -1):
        rest = slope * variable - guard
        return (variable, rest) if slope == 1 else (-rest, variable)
    terms = sp.Add.make_args(guard)
    below = [term for term in terms if term.could_extract_minus_sign()]
    return sp.Add(*(term for term in terms if term not in below)), -sp.Add(*below)


@dataclass(frozen=True, slots=True)
class _Fork:
    guard: Callable[..., Any]
    branches: tuple[tuple[int, Any], ...]


class _Masks(Sweep):
    """For float64: the tree once, on the entries that come to each branch."""

    def __init__(self, function: ScalarFunction, arrays: Arrays, shared: Sequence[bool]):
        super().__init__(function, arrays, shared)
        self._tree = self._compiled(function.tree, {})

    def compile(self, expression: sp.Expr) -> Callable[..., Any]:
        return compile_expression(expression, self.symbols, _VECTORS)

    def _compiled(self, tree: sp.Expr, seen: dict[sp.Expr, int]) -> Any:
        if not isinstance(tree, Switch):
            return self._number(seen, tree), self.compile(tree)
        if tree.guard in seen:
            return self._compiled(tree.branch(seen[tree.guard]), seen)
        branches = ((sign, self._compiled(tree.branch(sign), {**seen, tree.guard: sign})) for sign in (1, -1, 0))
        return _Fork(self.compile(tree.guard), tuple(branches))

    def read(self, arguments: Sequence[Any]) -> list[Any]:
        return [float(a[0, 0]) if shared else a.ravel() for a, shared in zip(arguments, self.shared, strict=True)]

    def __call__(self, column: Any, reach: Any, arguments: Sequence[Any]) -> tuple[Any, array]:
        import numpy as np

        v = column.ravel()
        values, codes = np.full(len(v), np.nan), np.full(len(v), _UNDECIDED, dtype=np.intc)

        def walk(tree: Any, where: Any) -> None:
            point = self._at(where, v, arguments)
            if not isinstance(tree, _Fork):
                codes[where], values[where] = tree[0], tree[1](*point)
                return
            guard, left = tree.guard(*point), len(point[0])
            for sign, branch in tree.branches:
                taken = guard > 0 if sign > 0 else guard < 0 if sign else guard == 0
                if not isinstance(taken, np.ndarray):
                    taken = np.full(len(point[0]), taken)
                some = np.flatnonzero(taken) if where is _ALL else where[taken]
                if some.size:
                    walk(branch, some)
                left -= some.size
                if not left:
                    break

        walk(self._tree, _ALL)
        return values.reshape(-1, 1), array("i", codes.tobytes())

    def _at(self, where: Any, v: Any, arguments: Sequence[Any]) -> list[Any]:
        return [v[where], *(a if shared else a[where] for a, shared in zip(arguments, self.shared, strict=True))]

    def scaled(self, index: int, codes: Sequence[int], around: Around, arguments: Sequence[Any], T: Any) -> Any:
        import numpy as np

        partials, taken = self.partials(index), np.array(codes, dtype=np.intc)
        factors = np.array([np.nan if callable(partial) else partial for partial in partials])[taken]
        for code, partial in enumerate(partials):
            if callable(partial):
                where = np.flatnonzero(taken == code)
                factors[where] = partial(*self._at(where, around().ravel(), arguments))
        return factors.reshape(-1, 1) * T

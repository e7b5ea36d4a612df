"""What algorithms made of catalogue functions share: sizes, starts, and that everything they name is declared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.algorithms import reading
from piggycheck.errors import InputError
from piggycheck.functions import Naming, ProximalFunction
from piggycheck.functions.arguments import vector
from piggycheck.iteration import Iteration
from piggycheck.maps import (
    Affine,
    ArrayParameter,
    Factor,
    MatrixSum,
    Node,
    Parameter,
    Scalar,
    StateBlock,
    StructuredMap,
    Symmetriser,
    Term,
)
from piggycheck.maps.switch import NONSMOOTH

__all__ = ["Draft", "common_size", "require_function"]


def require_function(value: Any, kind: type, where: str, instead: str) -> Any:
    """Require a function of the catalogue that has what an algorithm needs of it.

    Raises
    ------
    InputError
        When it has not.
    """
    if not isinstance(value, kind):
        shown = getattr(value, "name", str(value)[:60])
        raise InputError(f"{where}: `{shown}` has no {instead}")
    return value


def common_size(sizes: Sequence[tuple[str, int | None]], start: Any) -> int:
    """Return how many variables there are.

    Parameters
    ----------
    sizes : sequence of pairs
        What messages call a part of the problem, and how many variables it has, or None.
    start : as for the algorithms
        Asked when no part says how many.

    Raises
    ------
    InputError
        When parts disagree, or nothing says how many.

    Examples
    --------
    >>> common_size([("least_squares", 3), ("l1", None)], None)
    3
    """
    known = [(name, size) for name, size in sizes if size is not None]
    for name, size in known:
        first, expected = known[0]
        if size != expected:
            raise InputError(f"`{first}` has {expected} variables and `{name}` has {size}; make them as many")
    if known:
        return known[0][1]
    given = next(iter(start.values()), None) if isinstance(start, Mapping) else start
    if _is_number(given):
        raise InputError("nothing says how many variables there are; write a start with one number for each")
    return vector(given, "start").nrows()


def _is_number(start: Any) -> bool:
    """Whether a start is one number for all entries, or absent."""
    return isinstance(start, (str, sp.Expr)) or not (hasattr(start, "__len__") or hasattr(start, "nrows"))


class Draft:
    """A structured iteration while it is made.

    Parameters
    ----------
    algorithm : str
        The iteration's name.
    state : str
        The name of its one block of state.
    size : int
    parameters : sequence of symbols, ArrayParameters or names
    """

    def __init__(self, algorithm: str, state: str, size: int, parameters: Sequence[Any]):
        self.algorithm, self.parameters = algorithm, reading.parameters(parameters)
        self.scalars = tuple(p for p in self.parameters if isinstance(p, sp.Symbol))
        names = [p.name for p in self.parameters]
        self._require_apart(names)
        self.usual_name = state
        if any(name == state or _entry_of(name) == state for name in names):
            state = f"{state}_state"
        self.naming = Naming(names)
        self.block = StateBlock(self.naming(state), size)

    def _require_apart(self, names: Sequence[str]) -> None:
        """Require that no parameter is called like an entry of an array."""
        for name in names:
            if (array := _entry_of(name)) in names:
                raise InputError(f"parameter `{name}`: an entry of `{array}` has this name; rename one of them")

    def state(self, *functions: ProximalFunction) -> Node:
        """Return the state; where a function is one of symmetric matrices, and all keep them, its symmetric part."""
        n = next((f.symmetric_size for f in functions if f.symmetric_size is not None), None)
        if n is None or not all(f.keeps_symmetric(n) for f in functions):
            return self.block
        return self.affine("symmetric", [Term(sp.S.One, (Factor(Symmetriser(n)),), self.block)])

    def number(self, value: Any, where: str) -> sp.Expr:
        """Read a step or a relaxation."""
        return reading.expression(value, self.scalars, where)

    def affine(self, name: str, terms: Sequence[Term]) -> Affine:
        """Return an affine node."""
        return Affine(self.naming(name), terms)

    def iteration(
        self,
        next: Node,
        start: Any,
        *,
        output: Node | None = None,
        functions: Sequence[ProximalFunction] = (),
        requirements: Sequence[Any] = (),
        advisers: Sequence[Any] = (),
    ) -> Iteration:
        """Return the iteration whose next state is a node.

        Raises
        ------
        InputError
            When a node names a parameter that is not declared, or the start does not fit.
        """
        for node in (next, output):
            if node is not None:
                self._require_declared(node)
        shown = None if output is None else StructuredMap([self.block], output, self.parameters)
        return Iteration(
            StructuredMap([self.block], next, self.parameters),
            self._start(start),
            self.algorithm,
            output=shown,
            requirements=[*(r for function in functions for r in function.requirements), *requirements],
            advisers=[*(a for function in functions for a in function.advisers), *advisers],
        )

    def _start(self, start: Any) -> Sequence[sp.Expr | fmpq]:
        name, size = self.block.name, self.block.size
        if isinstance(start, Mapping):
            foreign = [key for key in map(str, start) if key not in (name, self.usual_name)]
            if foreign:
                raise InputError(f"start: `{foreign[0]}` is not a state of {self.algorithm}; the state is `{name}`")
            start = next(iter(start.values()), None)
        if start is None:
            return [fmpq(0)] * size
        if _is_number(start):
            return [reading.expression(start, self.scalars, f"start of `{name}`")] * size
        read = vector(start, f"start of `{name}`", size)
        if not isinstance(read, fmpq_mat):
            raise InputError(f"start of `{name}`: `{read.name}` is a parameter; write numbers")
        return read.entries()

    def _require_declared(self, last: Node) -> None:
        declared = set(self.parameters)
        for thing in _mentioned(last, set()):
            if isinstance(thing, ArrayParameter):
                missing = None if thing in declared else thing.name
            else:
                missing = next(iter(sorted(map(str, thing.free_symbols - declared))), None)
                if thing.has(*NONSMOOTH):
                    raise InputError(f"`{thing}` has kinks; write a smooth expression in the parameters")
            if missing is not None:
                known = ", ".join(p.name for p in self.parameters) or "none"
                raise InputError(f"`{missing}` is not a parameter of {self.algorithm}; declared are {known}")


def _entry_of(name: str) -> str | None:
    """The array that a name such as ``b_3`` would be an entry of."""
    array, _, index = name.rpartition("_")
    return array if array and index.isdecimal() else None


def _mentioned(node: Node, seen: set[Node]) -> Iterator[sp.Expr | ArrayParameter]:
    """The expressions and array parameters that a node and those before it are made of."""
    if node in seen:
        return
    seen.add(node)
    if isinstance(node, ArrayParameter):
        yield node
    elif isinstance(node, Scalar):
        yield node.expression
    elif isinstance(node, Affine):
        yield from _of_terms(node.terms)
    for read in node.inputs:
        yield from _mentioned(read, seen)


def _of_terms(terms: Sequence[Term]) -> Iterator[sp.Expr | ArrayParameter]:
    for term in terms:
        yield term.scale
        for factor in term.factors:
            if isinstance(factor.source, Parameter):
                yield factor.source.parameter
            elif isinstance(factor.source, MatrixSum):
                yield from _of_terms(factor.source.terms)

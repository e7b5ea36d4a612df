"""The nodes of a structured map: vectors, and what evaluates them over an array arithmetic.

A node names the nodes that it reads. `Node.over` prepares it for given parameters over an arithmetic; the operator that
this returns gives, at the values read, a `Linearisation`: a value, the signs that the node's guards have there, and the
derivative as an operator on tangents (forward) and on cotangents (backward). Parameters vary through `Directions`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Container, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import exact, rational, to_sympy
from piggycheck.arrays import EXACT, Arrays
from piggycheck.errors import InputError, IrrationalError, MapError

__all__ = [
    "ArrayParameter",
    "ConstantVector",
    "Context",
    "Cotangents",
    "Directions",
    "Linearisation",
    "Node",
    "NonlinearOperator",
    "Operator",
    "Scalar",
    "StateBlock",
    "number_of",
]

Signs = tuple[int | None, ...]


class Node(ABC):
    """A vector that a structured map computes, or reads.

    Attributes
    ----------
    name : str
    size : int
        Number of entries.
    inputs : tuple of Node
        What it is computed from.
    proximal : bool
        Whether it is a proximal map of its first input, for fixed parameters: then twice the node minus that input is
        nonexpansive.
    """

    name: str
    size: int
    inputs: tuple[Node, ...] = ()
    proximal = False

    @abstractmethod
    def over(self, context: Context) -> Operator:
        """Prepare the node for parameters over an array arithmetic."""

    @property
    def guard_names(self) -> tuple[str, ...]:
        """What the guards of the node's switches are called, one for each sign of its signature."""
        return ()

    @property
    def mentioned(self) -> frozenset[Any]:
        """The parameters that the node itself names: symbols and array parameters."""
        return frozenset()

    def copied(self, name: str, instead: Mapping[Node, Node]) -> Node:
        """Copy the node under another name, with other inputs instead of its own."""
        node = copy(self)
        node.__dict__.pop("guard_names", None)
        node.name, node.inputs = name, tuple(instead[read] for read in self.inputs)
        return node

    def depends_on_state(self) -> bool:
        """Whether some block of the state is read, directly or through other nodes."""
        return any(node.depends_on_state() for node in self.inputs)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r}, size={self.size})"


class Operator(ABC):
    """A node with its parameters fixed over an arithmetic."""

    @abstractmethod
    def __call__(self, values: Sequence[Any], reach: Sequence[Any]) -> Linearisation:
        """Evaluate at input arrays.

        Parameters
        ----------
        values : sequence of matrices, one column each
            What the inputs are, entrywise.
        reach : sequence of numbers
            How far from these values, in the Euclidean norm, each input may be where signs and derivatives are wanted.
            Values of the node do not take it into account.
        """


class NonlinearOperator(Operator):
    """That of a node that is not affine in its first input."""

    @abstractmethod
    def lipschitz(self, values: Sequence[Any], reach: Sequence[Any]) -> Any:
        """Bound the Lipschitz constant in the first input over the points within reach.

        For a proximal node: of twice the node minus its input.
        """


class Linearisation(ABC):
    """A node at a point.

    Attributes
    ----------
    value : matrix of one column
    signs : tuple of -1, 0, 1, None
        What the guards saw, 0 where one is exactly zero, None where one was not met. Raises `UnknownError`, naming the
        guard, when a sign is not decided within reach.
    """

    value: Any
    signs: Signs = ()

    @abstractmethod
    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        """Map tangents of the inputs (matrices, None for zero) to the node's, for the piece that signs name."""

    def still(self, signs: Signs) -> Container[int]:
        """Return entries that are constant on the piece that signs name, as far as is seen at once."""
        return ()

    @abstractmethod
    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        """Map a cotangent of the node to those of the inputs; hand the parameters' own to `sink`."""


@dataclass
class Context:
    """Parameters over an array arithmetic.

    Attributes
    ----------
    arrays : Arrays
    scalars : dict from symbols to exact numbers
        Scalar parameters.
    matrices : dict from names to fmpq_mat
        Array parameters.
    """

    arrays: Arrays
    scalars: Mapping[sp.Symbol, sp.Expr]
    matrices: Mapping[str, fmpq_mat]
    _known: dict[Any, Any] = field(default_factory=dict, repr=False)

    def number(self, expression: sp.Expr) -> Any:
        """Evaluate an expression in the scalar parameters."""
        return self.remember(("number", expression), lambda: self._number(expression))

    def _number(self, expression: sp.Expr) -> Any:
        scalars = self.arrays.scalars
        values = {v: scalars.evaluate(e) for v, e in self.scalars.items() if v in expression.free_symbols}
        return scalars.evaluate(expression, values)

    def exact_number(self, expression: sp.Expr) -> Any:
        """Evaluate an expression in the scalar parameters exactly; raises `IrrationalError` when it is irrational."""
        return rational(expression.subs(dict(self.scalars)), f"`{expression}`")

    def matrix(self, exact_matrix: fmpq_mat, key: Any) -> Any:
        """Convert an exact matrix, once for each key."""
        return self.remember(("matrix", key), lambda: self.arrays.matrix(exact_matrix))

    def exactly(self) -> Context | None:
        """Return the same parameters over the rationals, if they are rational."""
        if self.arrays is EXACT:
            return self
        if all(value.is_Rational for value in self.scalars.values()):
            return self.remember("exactly", lambda: Context(EXACT, self.scalars, self.matrices))
        return None

    def remember(self, key: Any, compute: Any) -> Any:
        """Compute once."""
        if key not in self._known:
            self._known[key] = compute()
        return self._known[key]


def number_of(values: Mapping[Any, Any], symbol: sp.Symbol) -> sp.Expr:
    """Return the exact value of one number of the parameters, given values for all of them.

    Parameters
    ----------
    values : mapping
        From `PiecewiseMap.parameter_values`.
    symbol : sympy.Symbol
        A scalar parameter, or one entry of an array: they are numbered from 1, row by row.
    """
    if symbol in values:
        return values[symbol]
    name, i = _place(symbol)
    array = next(value for key, value in values.items() if isinstance(key, ArrayParameter) and key.name == name)
    return to_sympy(array.entries()[i])


def _place(symbol: sp.Symbol) -> tuple[str, int]:
    """Tell which entry of which array a symbol stands for."""
    name, _, index = symbol.name.rpartition("_")
    return (name, int(index) - 1) if index.isdecimal() else (symbol.name, 0)


@dataclass(frozen=True, eq=False)
class Directions:
    """Directions in which the parameters move: the columns of a matrix, block by block.

    Attributes
    ----------
    context : Context
    count : int
        Number q of directions.
    scalars : dict from symbols to sequences of q exact rationals
    matrices : dict from names to fmpq_mat with q columns
        For array parameters, entries row by row.
    """

    context: Context
    count: int
    scalars: Mapping[sp.Symbol, Sequence[Any]] = field(default_factory=dict)
    matrices: Mapping[str, fmpq_mat] = field(default_factory=dict)
    _known: dict[str, Any] = field(default_factory=dict, repr=False)

    def of_scalar(self, expression: sp.Expr) -> Any | None:
        """Return the derivatives of an expression in the scalar parameters, as a row; None when all are zero."""
        moving = [v for v in self.scalars if v in expression.free_symbols]
        if not moving:
            return None
        arrays = self.context.arrays
        total = None
        for v in moving:
            slope = self.context.number(sp.diff(expression, v))
            row = arrays.scaled(slope, arrays.matrix(fmpq_mat(1, self.count, list(self.scalars[v]))))
            total = row if total is None else arrays.total(total, row)
        return total

    def of_number(self, symbol: sp.Symbol) -> list[fmpq]:
        """Return the exact derivatives of one number of the parameters, in each direction."""
        if symbol in self.scalars:
            return list(self.scalars[symbol])
        name, i = _place(symbol)
        moving = self.matrices.get(name)
        return [fmpq(0)] * self.count if moving is None else [moving[i, j] for j in range(self.count)]

    def of_array(self, name: str) -> Any | None:
        """Return the directions of an array parameter; None when it does not move."""
        if name not in self._known:
            moving = self.matrices.get(name)
            self._known[name] = None if moving is None else self.context.arrays.matrix(moving)
        return self._known[name]


class Cotangents:
    """Collects what parameters receive in a backward pass."""

    def __init__(self, context: Context):
        self.context = context
        self.scalars: dict[sp.Symbol, Any] = {}
        self.matrices: dict[str, Any] = {}

    def scalar(self, expression: sp.Expr, number: Any) -> None:
        """Add a cotangent of an expression in the scalar parameters."""
        for v in expression.free_symbols:
            part = number * self.context.number(sp.diff(expression, v))
            self.scalars[v] = self.scalars[v] + part if v in self.scalars else part

    def array(self, name: str, part: Any) -> None:
        """Add a cotangent of an array parameter, in its own shape."""
        known = self.matrices.get(name)
        self.matrices[name] = part if known is None else self.context.arrays.total(known, part)

    def number(self, symbol: sp.Symbol, number: Any) -> None:
        """Add a cotangent of one number of the parameters."""
        if symbol in self.context.scalars:
            self.scalar(symbol, number)
            return
        (name, i), arrays = _place(symbol), self.context.arrays
        shape = self.context.matrices[name].nrows(), self.context.matrices[name].ncols()
        entries = list(arrays.entries(arrays.zeros(*shape)))
        entries[i] = number
        self.array(name, arrays.assemble(*shape, entries))

    def collect(self, other: Cotangents) -> None:
        """Add everything that another one collected, for the same parameters."""
        for symbol, number in other.scalars.items():
            self.scalars[symbol] = self.scalars[symbol] + number if symbol in self.scalars else number
        for name, part in other.matrices.items():
            self.array(name, part)


@dataclass(frozen=True)
class _Known(Linearisation):
    """A value that no input changes."""

    value: Any

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> None:
        return None

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        return []


@dataclass(frozen=True)
class _KnownOperator(Operator):
    result: Linearisation

    def __call__(self, values: Sequence[Any], reach: Sequence[Any]) -> Linearisation:
        return self.result


class StateBlock(Node):
    """A block of the state.

    Parameters
    ----------
    name : str
    size : int
    """

    def __init__(self, name: str, size: int):
        self.name, self.size = name, size

    def depends_on_state(self) -> bool:
        return True

    def over(self, context: Context) -> Operator:
        raise MapError(f"the block `{self.name}` of the state is given, not computed")


class ArrayParameter(Node):
    """A parameter that is a vector or a matrix.

    Parameters
    ----------
    name : str
    rows : int
    columns : int
        1 for a vector. As a node, a matrix is the vector of its entries, row by row.
    """

    def __init__(self, name: str, rows: int, columns: int = 1):
        self.name, self.rows, self.columns = name, rows, columns
        self.size = rows * columns

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ArrayParameter) and vars(self) == vars(other)

    def __hash__(self) -> int:
        return hash((self.name, self.rows, self.columns))

    def __repr__(self) -> str:
        return f"ArrayParameter({self.name!r}, {self.rows}, {self.columns})"

    @property
    def mentioned(self) -> frozenset[Any]:
        return frozenset([self])

    def read(self, value: fmpq_mat) -> fmpq_mat:
        """Require that a value has the declared shape."""
        if (value.nrows(), value.ncols()) != (self.rows, self.columns):
            raise InputError(
                f"parameter `{self.name}` has {value.nrows()} rows and {value.ncols()} columns; "
                f"give {self.rows} rows and {self.columns} columns"
            )
        return value

    def over(self, context: Context) -> Operator:
        given = context.matrices[self.name]
        if self.columns == 1:
            return _KnownOperator(_Parameter(context.matrix(given, self), self))
        flat = fmpq_mat(self.size, 1, given.entries())
        return _KnownOperator(_Parameter(context.matrix(flat, ("row by row", self)), self))


@dataclass(frozen=True)
class _Parameter(Linearisation):
    value: Any
    node: ArrayParameter

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        return directions.of_array(self.node.name)

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        node = self.node
        if node.columns != 1:
            arrays = sink.context.arrays
            cotangent = arrays.assemble(node.rows, node.columns, arrays.entries(cotangent))
        sink.array(node.name, cotangent)
        return []


class ConstantVector(Node):
    """A vector of exact numbers.

    Parameters
    ----------
    name : str
    value : fmpq_mat
        One column.
    """

    def __init__(self, name: str, value: fmpq_mat):
        self.name, self.value, self.size = name, value, value.nrows()

    def over(self, context: Context) -> Operator:
        return _KnownOperator(_Known(context.matrix(self.value, self)))


class Scalar(Node):
    """A number computed from the scalar parameters.

    Parameters
    ----------
    expression : sympy.Expr, int or str
        Smooth.
    """

    size = 1

    def __init__(self, expression: Any):
        self.expression = expression if isinstance(expression, sp.Expr) else exact(expression, "scalar")
        self.name = str(self.expression)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Scalar) and self.expression == other.expression

    def __hash__(self) -> int:
        return hash(self.expression)

    @property
    def mentioned(self) -> frozenset[Any]:
        return frozenset(self.expression.free_symbols)

    def over(self, context: Context) -> Operator:
        value = context.arrays.assemble(1, 1, [context.number(self.expression)])
        return _KnownOperator(_ScalarValue(value, self.expression))


@dataclass(frozen=True)
class _ScalarValue(Linearisation):
    value: Any
    expression: sp.Expr

    def forward(self, signs: Signs, tangents: Sequence[Any | None], directions: Directions) -> Any | None:
        return directions.of_scalar(self.expression)

    def backward(self, signs: Signs, cotangent: Any, sink: Cotangents) -> list[Any | None]:
        sink.scalar(self.expression, sink.context.arrays.entries(cotangent)[0])
        return []


def is_rational(context: Context, expression: sp.Expr) -> bool:
    """Whether an expression in the scalar parameters has a rational value."""
    try:
        context.exact_number(expression)
    except IrrationalError:
        return False
    return True

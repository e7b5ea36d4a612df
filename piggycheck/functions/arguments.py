"""Reading what functions are made of: weights, vectors, matrices, sizes; exact numbers, or parameters."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.arithmetic import exact, to_sympy
from piggycheck.errors import InputError
from piggycheck.expression import FUNCTIONS, parse
from piggycheck.functions.base import Naming
from piggycheck.linalg import matrix
from piggycheck.maps import Affine, ArrayParameter, Constant, ConstantVector, Node, Parameter, Scalar, Term
from piggycheck.maps.sources import Source

__all__ = [
    "Array",
    "array",
    "each",
    "integer",
    "is_symmetric",
    "number",
    "numbers",
    "scaled",
    "shape",
    "source",
    "vector",
    "vector_node",
]

Array = fmpq_mat | ArrayParameter
"""A constant, or a parameter."""

_NAME = re.compile(r"[^\W\d]\w*")


def number(value: Any, where: str) -> sp.Expr:
    """Read an exact number, or an expression in parameters that are numbers: of sympy, or as text.

    Raises
    ------
    InputError
        When it is an array, a float, or not readable.

    Examples
    --------
    >>> number("0.1", "weight"), number("penalty/2", "weight")
    (1/10, penalty/2)
    """
    if isinstance(value, (fmpq_mat, ArrayParameter)):
        shown = value.name if isinstance(value, ArrayParameter) else "[...]"
        raise InputError(f"{where}: `{shown}` is not a number but an array; write a number")
    if isinstance(value, str):
        names = [name for name in _NAME.findall(value) if name not in FUNCTIONS]
        value = parse(value, [sp.Symbol(name, real=True) for name in dict.fromkeys(names)], where=where)
    return value if isinstance(value, sp.Expr) and value.free_symbols else exact(value, where)


def integer(value: Any, least: int, where: str) -> int:
    """Read an integer that is not too small.

    Examples
    --------
    >>> integer(3, 1, "size")
    3
    """
    read = exact(value, where)
    if not read.is_Integer or read < least:
        raise InputError(f"{where}: `{read}`; write an integer from {least} on")
    return int(read)


def array(value: Any, where: str) -> Array:
    """Read a matrix or a vector, which has one column.

    Parameters
    ----------
    value : ArrayParameter, fmpq_mat, list of exact numbers or of rows of them, or numpy array of integers
    where : str

    Raises
    ------
    InputError
        When it is something else; floats are refused.

    Examples
    --------
    >>> array([1, "3/4"], "b").entries(), array([[1, 0], [0, 1]], "A").ncols()
    ([1, 3/4], 2)
    """
    if isinstance(value, (fmpq_mat, ArrayParameter)):
        return value
    if hasattr(value, "tolist"):
        value = value.tolist()
    if not isinstance(value, Sequence) or isinstance(value, str) or not len(value):
        raise InputError(f"{where}: `{str(value)[:60]}` is not an array; write a list of numbers or of rows of numbers")
    rows = value if isinstance(value[0], Sequence) and not isinstance(value[0], str) else [[entry] for entry in value]
    return matrix(rows, where)


def vector(value: Any, where: str, size: int | None = None) -> Array:
    """Read an array of one column.

    Raises
    ------
    InputError
        As `array`, and when it has more columns or another size.
    """
    read = array(value, where)
    rows, columns = shape(read)
    if columns != 1:
        raise InputError(f"{where}: {rows} rows and {columns} columns; write a vector")
    if size is not None and rows != size:
        raise InputError(f"{where}: {rows} entries; there must be {size}")
    return read


def numbers(value: Any, where: str) -> sp.Expr | Array:
    """Read one number for all entries, or a vector."""
    is_array = isinstance(value, (fmpq_mat, ArrayParameter)) or hasattr(value, "__len__")
    return vector(value, where) if is_array and not isinstance(value, str) else number(value, where)


def each(read: sp.Expr | Array, point: Sequence[sp.Expr], where: str) -> list[sp.Expr]:
    """Return what stands for each coordinate of a point.

    Raises
    ------
    InputError
        When there are too many or too few, or they are a parameter.
    """
    if isinstance(read, sp.Expr):
        return [read] * len(point)
    if isinstance(read, ArrayParameter):
        raise InputError(f"{where}: `{read.name}` is an array; leave `variables` out")
    entries = read.entries()
    if len(entries) != len(point):
        raise InputError(f"{where}: {len(entries)} entries for {len(point)} variables; write one for each")
    return [to_sympy(entry) for entry in entries]


def shape(read: Array) -> tuple[int, int]:
    """Return the numbers of rows and columns."""
    return (read.rows, read.columns) if isinstance(read, ArrayParameter) else (read.nrows(), read.ncols())


def is_symmetric(read: sp.Expr | Array, n: int) -> bool:
    """Whether a number for all entries, or a constant written row by row, is a symmetric matrix of n rows."""
    if not isinstance(read, fmpq_mat):
        return isinstance(read, sp.Expr)
    M = fmpq_mat(n, n, read.entries())
    return M == M.transpose()


def source(read: Array, name: str, naming: Naming) -> Source:
    """Return an array as a factor of affine terms."""
    return Parameter(read) if isinstance(read, ArrayParameter) else Constant(naming(name), read)


def vector_node(read: Array, name: str, naming: Naming) -> Node:
    """Return an array as a node, row by row."""
    if isinstance(read, ArrayParameter):
        return read
    return ConstantVector(naming(name), fmpq_mat(read.nrows() * read.ncols(), 1, read.entries()))


def scaled(read: sp.Expr | Array, scale: sp.Expr, name: str, naming: Naming) -> Node:
    """Return a number or an array times an expression in the scalar parameters, as a node."""
    if isinstance(read, sp.Expr):
        return Scalar(scale * read)
    node = vector_node(read, name, naming)
    return node if scale == 1 else Affine(naming(f"scaled_{name}"), [Term(scale, (), node)])

"""Reading exact values for the state and the parameters of structured maps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck.arithmetic import exact, rational
from piggycheck.errors import InputError, MapError
from piggycheck.linalg import matrix
from piggycheck.maps.nodes import ArrayParameter, Node, StateBlock

__all__ = ["by_symbol", "entry_symbols", "read_matrix", "read_parameters", "read_point"]

_Array = StateBlock | ArrayParameter


def entry_symbols(node: _Array) -> tuple[sp.Symbol, ...]:
    """Return a symbol for each entry of an array, row by row, numbered from 1.

    Examples
    --------
    >>> entry_symbols(StateBlock("x", 2))
    (x_1, x_2)
    """
    return tuple(sp.Symbol(f"{node.name}_{i + 1}", real=True) for i in range(node.size))


def read_parameters(
    at: Mapping[Any, Any], declared: Sequence[sp.Symbol | ArrayParameter]
) -> dict[sp.Symbol | ArrayParameter, Any]:
    """Read exact values for all parameters.

    Parameters
    ----------
    at : mapping
        By symbol, array parameter or name.
    declared : sequence of sympy.Symbol or ArrayParameter

    Raises
    ------
    InputError
        When one has no value, a name is not a parameter, or a shape does not fit.
    """
    by_name = _named(at)
    names = [p.name for p in declared]
    for name in by_name:
        if name not in names:
            raise MapError(f"`{name}` is not a parameter of the map; write one of {', '.join(names) or '(none)'}")
    for name in names:
        if name not in by_name:
            raise MapError(f"the parameter `{name}` has no value; give one for each of {', '.join(names)}")
    return {
        p: p.read(read_matrix(by_name[p.name], p))
        if isinstance(p, ArrayParameter)
        else exact(by_name[p.name], f"value of `{p}`")
        for p in declared
    }


def read_matrix(value: Any, parameter: ArrayParameter) -> fmpq_mat:
    """Read a matrix, or lists of exact numbers."""
    if isinstance(value, fmpq_mat):
        return value
    if not _is_list(value):
        if parameter.size == 1:
            return matrix([[value]], f"value of `{parameter.name}`")
        raise InputError(f"value of `{parameter.name}`: `{value}` is not an array; write a list of numbers")
    rows = [row if _is_list(row) else [row] for row in value]
    return matrix(rows, f"value of `{parameter.name}`")


def read_point(
    values: Mapping[Any, Any], blocks: Sequence[StateBlock], declared: Sequence[sp.Symbol | ArrayParameter]
) -> tuple[fmpq_mat, dict[str, Any]]:
    """Read a state, and sort out what is given for the parameters.

    Parameters
    ----------
    values : mapping
        By name, symbol or node: an array for each block of the state and for each array parameter, or one number for
        each symbol of it; a number for each scalar parameter.
    blocks : sequence of StateBlock
    declared : sequence of sympy.Symbol or ArrayParameter

    Returns
    -------
    fmpq_mat, dict
        The state as a column; by name, what is given for each parameter.

    Raises
    ------
    InputError
        When something has no value, or a name is none of the map's.
    IrrationalError
        When a coordinate of the state is irrational.

    Examples
    --------
    >>> x, b = StateBlock("x", 1), ArrayParameter("b", 2)
    >>> read_point({"x": [1], "b_1": 2, "b_2": 3}, [x], [b])
    ([1], {'b': [[2], [3]]})
    """
    by_name = _named(values)
    read = {node.name: _taken(by_name, node) for node in (*blocks, *declared)}
    if by_name:
        raise MapError(
            f"`{next(iter(by_name))}` is neither state nor parameter of the map; write one of {', '.join(read)}"
        )
    entries = [
        rational(number, f"value of `{block.name}`")
        for block in blocks
        for number in _numbers(read.pop(block.name), block)
    ]
    return fmpq_mat(len(entries), 1, entries), read


def by_symbol(values: Mapping[Any, Any], arrays: Sequence[_Array]) -> dict[str, Any]:
    """Return the same values with one number for each symbol.

    Examples
    --------
    >>> by_symbol({"x": [1, 2], "t": 3}, [StateBlock("x", 2)])
    {'x_1': 1, 'x_2': 2, 't': 3}
    """
    nodes, found = {node.name: node for node in arrays}, {}
    for name, value in _named(values).items():
        if name in nodes:
            symbols = entry_symbols(nodes[name])
            found |= dict(zip((s.name for s in symbols), _numbers(value, nodes[name]), strict=True))
        else:
            found[name] = value
    return found


def _named(values: Mapping[Any, Any]) -> dict[str, Any]:
    return {key.name if isinstance(key, Node) else str(key): value for key, value in values.items()}


def _taken(by_name: dict[str, Any], node: _Array | sp.Symbol) -> Any:
    """Take what belongs to one name, or number by number to one array, out of what is given."""
    if node.name in by_name:
        return by_name.pop(node.name)
    if isinstance(node, sp.Symbol):
        raise MapError(f"the parameter `{node}` has no value; give one")
    names = [symbol.name for symbol in entry_symbols(node)]
    for name in names:
        if name not in by_name:
            raise MapError(f"`{name}` has no value; give one, or an array for `{node.name}`")
    numbers = [by_name.pop(name) for name in names]
    columns = node.columns if isinstance(node, ArrayParameter) else 1
    return [numbers[k : k + columns] for k in range(0, node.size, columns)]


def _numbers(value: Any, node: _Array) -> list[Any]:
    """The numbers of an array, row by row."""
    rows = value.tolist() if isinstance(value, fmpq_mat) else value if _is_list(value) else [value]
    numbers = [number for row in rows for number in (row if _is_list(row) else [row])]
    if len(numbers) != node.size:
        raise InputError(f"value of `{node.name}`: {len(numbers)} numbers; give {node.size}")
    return numbers


def _is_list(value: Any) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str)

"""The field `directions` of claims: along which directions of the parameters derivatives are asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sympy as sp
from flint import fmpq, fmpq_mat

from piggycheck.claims.base import rational_field
from piggycheck.errors import InputError
from piggycheck.linalg import matrix
from piggycheck.maps import ArrayParameter, StructuredMap

__all__ = ["Chosen", "Moves", "choose", "read_directions"]

_MOST_BY_DEFAULT = 16

Moves = dict[str, "fmpq | fmpq_mat"]


def read_directions(value: Any, kind: str) -> tuple[Moves, ...] | None:
    """Read the field: a mapping from names of parameters to how they move, or a list of such mappings.

    Parameters
    ----------
    value : mapping, list of mappings, or None
        A scalar parameter moves by a number, an array by a list (of lists) of numbers or a matrix; what is not named
        stays.
    kind : str
        The kind of claim, for messages.

    Raises
    ------
    InputError
        When something cannot be read.

    Examples
    --------
    >>> read_directions({"penalty": 1, "b": [0, "1/2"]}, "derivative")
    ({'penalty': 1, 'b': [  0]
    [1/2]},)
    """
    if value is None:
        return None
    where = f"directions of `{kind}`"
    listed = value if isinstance(value, (list, tuple)) else [value]
    if not listed or not all(isinstance(one, Mapping) and one for one in listed):
        raise InputError(f"{where}: `{str(value)[:60]}` names no parameter; write {{penalty = 1}} or a list of such")
    return tuple({str(name): _move(entry, f"{where}, `{name}`") for name, entry in one.items()} for one in listed)


def _move(entry: Any, where: str) -> fmpq | fmpq_mat:
    if isinstance(entry, fmpq_mat):
        return entry
    if isinstance(entry, Sequence) and not isinstance(entry, str):
        rows = [row if isinstance(row, Sequence) and not isinstance(row, str) else [row] for row in entry]
        return matrix([[rational_field(number, where) for number in row] for row in rows], where)
    return rational_field(entry, where)


@dataclass(frozen=True)
class Chosen:
    """Directions of the parameters of a map.

    Attributes
    ----------
    labels : tuple of str
        What each is called in reports.
    moving : dict
        By the name of a parameter, what it moves by in each direction: q numbers for a scalar, a matrix with q columns
        for an array.
    """

    labels: tuple[str, ...]
    moving: dict[str, Any]

    def __len__(self) -> int:
        return len(self.labels)

    def text(self) -> dict[str, list[list[str]]]:
        """Return the directions as certificates hold them: for each parameter one list of numbers per direction."""
        return {name: [list(map(str, column)) for column in _columns(moves)] for name, moves in self.moving.items()}


def _columns(moves: Any) -> list[list[fmpq]]:
    return moves.transpose().tolist() if isinstance(moves, fmpq_mat) else [[number] for number in moves]


def choose(map_: StructuredMap, asked: Sequence[Moves] | None, kind: str) -> Chosen:
    """Return the directions that a claim is about.

    Parameters
    ----------
    map_ : StructuredMap
        With parameters.
    asked : sequence of Moves, optional
        By default one direction for each number of each parameter when there are at most 16; otherwise one for each
        scalar parameter, or, when there is none, the first entry of the first array.
    kind : str
        The kind of claim, for messages.

    Raises
    ------
    InputError
        When a name is no parameter, or a shape does not fit.
    """
    by_name = {p.name: p for p in map_.declared}
    moves = _by_default(map_) if asked is None else tuple(asked)
    for one in moves:
        for name, move in one.items():
            if name not in by_name:
                raise InputError(
                    f"directions of `{kind}`: `{name}` is not a parameter; write one of {', '.join(by_name)}"
                )
            _require_shape(by_name[name], move, kind)
    named = [name for name in by_name if any(name in one for one in moves)]
    moving = {name: _gathered(by_name[name], [one.get(name) for one in moves]) for name in named}
    return Chosen(tuple(_label(i, one, len(moves)) for i, one in enumerate(moves)), moving)


def _require_shape(parameter: sp.Symbol | ArrayParameter, move: fmpq | fmpq_mat, kind: str) -> None:
    where = f"directions of `{kind}`, `{parameter.name}`"
    if isinstance(parameter, sp.Symbol):
        if isinstance(move, fmpq_mat):
            raise InputError(f"{where}: the parameter is a number, and moves by a number; write 1")
        return
    shape = (parameter.rows, parameter.columns)
    if not isinstance(move, fmpq_mat) or (move.nrows(), move.ncols()) != shape:
        given = f"{move.nrows()} × {move.ncols()} numbers" if isinstance(move, fmpq_mat) else f"`{move}`"
        what = f"{shape[0]} numbers" if shape[1] == 1 else f"{shape[0]} rows of {shape[1]} numbers"
        raise InputError(f"{where}: {given}; write a list of {what}")


def _by_default(map_: StructuredMap) -> tuple[Moves, ...]:
    scalars: list[Moves] = [{p.name: fmpq(1)} for p in map_.scalar_parameters]
    if map_.columns <= _MOST_BY_DEFAULT:
        return (*scalars, *(_unit(p, i) for p in map_.array_parameters for i in range(p.size)))
    return tuple(scalars) or (_unit(map_.array_parameters[0], 0),)


def _unit(parameter: ArrayParameter, i: int) -> Moves:
    unit = fmpq_mat(parameter.rows, parameter.columns)
    unit[i // parameter.columns, i % parameter.columns] = fmpq(1)
    return {parameter.name: unit}


def _gathered(parameter: sp.Symbol | ArrayParameter, moves: Sequence[Any]) -> Any:
    """How one parameter moves in all directions: numbers, or a matrix with a column for each."""
    if isinstance(parameter, sp.Symbol):
        return [fmpq(0) if move is None else move for move in moves]
    columns = [[fmpq(0)] * parameter.size if move is None else move.entries() for move in moves]
    return fmpq_mat(parameter.size, len(moves), [column[i] for i in range(parameter.size) for column in columns])


def _label(index: int, moves: Moves, count: int) -> str:
    """Name a direction by what moves, where that is short."""
    if len(moves) == 1:
        ((name, move),) = moves.items()
        if not isinstance(move, fmpq_mat):
            return name if move == 1 else f"{move} {name}"
        entries = move.entries()
        nonzero = [i for i, entry in enumerate(entries) if entry != 0]
        if len(nonzero) == 1 and entries[nonzero[0]] == 1:
            row, column = divmod(nonzero[0], move.ncols())
            return f"{name}_{row + 1}" + (f",{column + 1}" if move.ncols() > 1 else "")
    names = ", ".join(moves)
    return f"given (in {names})" if count == 1 else f"no. {index + 1} (in {names})"

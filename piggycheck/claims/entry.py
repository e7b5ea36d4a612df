"""Entries of a matrix of derivatives: how they are named and asked for, and what pictures write of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.errors import InputError
from piggycheck.linalg import as_float

__all__ = ["Entry", "entry_name", "read_entries", "short_text", "start_text"]

Entry = tuple[int, int]
"""Row and column, from 0."""

_MOST = 2
_MOST_LISTED = 8
_LONGEST_FRACTION = 9


def read_entries(asked: Any, shape: tuple[int, int], names: tuple[Sequence[str], Sequence[str]]) -> tuple[Entry, ...]:
    """Read the entries that a picture shows.

    Parameters
    ----------
    asked : str, or sequence of (row, column)
        One or two entries; as text ``"x:theta, y:theta"``, a row and a column each, by name or by number from 0.
    shape : (int, int)
        The rows and columns that there are.
    names : (names of the rows, names of the columns)
        Empty where rows and columns have none.

    Returns
    -------
    tuple of (row, column)

    Raises
    ------
    InputError
        When there is no such entry, it cannot be read, or there are more than two.

    Examples
    --------
    >>> read_entries("y:theta, 0:0", (2, 1), (["x", "y"], ["theta"]))
    ((1, 0), (0, 0))
    >>> read_entries("z:theta", (2, 1), (["x", "y"], ["theta"]))
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: entry `z:theta`: there is no row `z`; write x or y, or a number from 0 to 1

    Notes
    -----
    When this fails: never silently; a name that is also a number is read as a name.
    """
    written = [part.strip() for part in asked.split(",")] if isinstance(asked, str) else list(asked)
    if not 1 <= len(written) <= _MOST or (isinstance(asked, str) and not asked.strip()):
        raise InputError(f"entries `{asked}`: a picture shows one entry or two; write for instance `0:0` or `0:0, 1:0`")
    found = tuple(_read(entry, shape, names) for entry in written)
    if len(set(found)) < len(found):
        raise InputError(f"entries `{asked}`: both are the same entry; write two different ones, or one")
    return found


def _read(entry: Any, shape: tuple[int, int], names: tuple[Sequence[str], Sequence[str]]) -> Entry:
    parts = [part.strip() for part in entry.split(":")] if isinstance(entry, str) else list(entry)
    shown = entry if isinstance(entry, str) else ":".join(map(str, parts))
    if len(parts) != 2:
        raise InputError(f"entry `{shown}`: write a row and a column, for instance `0:0`")
    row, column = (
        _index(part, size, known, f"entry `{shown}`: there is no {what} `{part}`")
        for part, size, known, what in zip(parts, shape, names, ("row", "column"), strict=True)
    )
    return row, column


def _index(part: Any, size: int, names: Sequence[str], complaint: str) -> int:
    text = str(part)
    if text in names:
        return list(names).index(text)
    if text.isdecimal() and text.isascii() and int(text) < size:
        return int(text)
    numbers = f"a number from 0 to {size - 1}" if size > 1 else "0"
    listed = (
        ", ".join(names[:_MOST_LISTED])
        if len(names) > _MOST_LISTED
        else " or ".join([", ".join(names[:-1])] * (len(names) > 1) + list(names[-1:]))
    )
    raise InputError(f"{complaint}; write {f'{listed}, or {numbers}' if names else numbers}")


def entry_name(entry: Entry, shape: tuple[int, int], names: tuple[Sequence[str], Sequence[str]]) -> str:
    """Name an entry: as a derivative where rows and columns have names, else by its place.

    Examples
    --------
    >>> entry_name((1, 0), (2, 1), (["x", "y"], ["theta"]))
    'dy/dtheta'
    >>> entry_name((1, 0), (2, 1), ([], [])), entry_name((0, 0), (1, 1), ([], []))
    ('J[1, 0]', 'J')
    """
    row, column = entry
    if names[0] and names[1]:
        return f"d{names[0][row]}/d{names[1][column]}"
    return "J" if shape == (1, 1) else f"J[{row}, {column}]"


def short_text(number: fmpq) -> str:
    """Write a number: exactly, or as a decimal where that is long.

    Examples
    --------
    >>> short_text(fmpq(4, 3)), short_text(fmpq(40123465, 55555567))
    ('4/3', '0.7222')
    """
    text = str(number)
    return text if len(text) <= _LONGEST_FRACTION else f"{as_float(number):.4g}"


def start_text(M: fmpq_mat) -> str:
    """Name the matrix at which the recursion starts, with its entries where they are few.

    Examples
    --------
    >>> start_text(fmpq_mat([[1]])), start_text(fmpq_mat([[1, 1]])), start_text(fmpq_mat([[1, 2]]))
    ('J_0 = 1', 'J_0, all entries 1', 'J_0 = (1, 2)')
    """
    if M.nrows() == M.ncols() == 1:
        return f"J_0 = {M[0, 0]}"
    if len(set(map(str, M.entries()))) == 1:
        return f"J_0, all entries {M[0, 0]}"
    rows = "; ".join(", ".join(str(M[i, j]) for j in range(M.ncols())) for i in range(M.nrows()))
    return f"J_0 = ({rows})" if len(rows) <= 4 * _LONGEST_FRACTION else "J_0"

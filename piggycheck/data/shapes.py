"""The shapes of arrays: how they are written, said and limited."""

from __future__ import annotations

from typing import Any

from flint import fmpq_mat

from piggycheck.errors import InputError

__all__ = ["MAX_ENTRIES", "checked", "of_matrix", "read", "said"]

MAX_ENTRIES = 4_000_000

Shape = tuple[int, int]


def read(value: Any, where: str) -> Shape:
    """Read a shape: ``[rows, columns]``, or ``[rows]`` for a vector.

    Raises
    ------
    InputError
        When it is something else, or larger than an array may be.

    Examples
    --------
    >>> read([2, 3], "`A`: `shape`"), read([5], "`b`: `shape`")
    ((2, 3), (5, 1))
    """
    sizes = value if isinstance(value, list) else [value]
    if not 1 <= len(sizes) <= 2 or not all(type(size) is int and size >= 1 for size in sizes):
        raise InputError(f"{where}: `{str(value)[:60]}` is not a shape; write [rows, columns] or [rows], from 1 on")
    return checked((sizes[0], sizes[1] if len(sizes) == 2 else 1), where)


def checked(shape: Shape, where: str) -> Shape:
    """Return a shape, unless an array of it would be too large."""
    if shape[0] * shape[1] > MAX_ENTRIES:
        raise InputError(
            f"{where}: {said(shape)} are {shape[0] * shape[1]} entries; an array has at most {MAX_ENTRIES}"
        )
    return shape


def of_matrix(matrix: fmpq_mat) -> Shape:
    """Return the shape of a matrix."""
    return matrix.nrows(), matrix.ncols()


def said(shape: Shape) -> str:
    """Write a shape for a message.

    Examples
    --------
    >>> said((2, 3))
    '2 by 3'
    """
    return f"{shape[0]} by {shape[1]}"

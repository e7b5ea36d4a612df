"""The fields of one table of `[data]`, read with an error for each thing that makes no sense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flint import fmpq

from piggycheck.arithmetic import rational
from piggycheck.data import shapes
from piggycheck.data.shapes import Shape
from piggycheck.errors import InputError

__all__ = ["Fields"]

_LARGEST = 10**9


class Fields:
    """A table and what errors call it.

    Parameters
    ----------
    table : mapping
        As in the case file.
    where : str
        For instance "`A`".

    Examples
    --------
    >>> fields = Fields({"size": 3, "scale": "1/5"}, "`A`")
    >>> fields.size("size"), fields.number("scale"), fields.denominator(1)
    (3, 1/5, 1)
    >>> fields.integer("seed", 0, 9)
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: `A` needs `seed`; write seed = ...
    """

    def __init__(self, table: Mapping[str, Any], where: str):
        self.table, self.where = table, where

    def only(self, *known: str) -> None:
        """Refuse fields that are not known."""
        for key in self.table:
            if key not in known:
                raise InputError(f"{self.where}: unknown field `{key[:60]}`; known are {', '.join(known)}")

    def text(self, key: str) -> str:
        """Return a text."""
        value = self._given(key)
        if not isinstance(value, str):
            raise InputError(f"{self._place(key)}: `{str(value)[:60]}` is not text; write it in quotes")
        return value

    def integer(self, key: str, lower: int, upper: int) -> int:
        """Return an integer between two bounds."""
        value = self._given(key)
        if type(value) is not int or not lower <= value <= upper:
            raise InputError(f"{self._place(key)}: `{str(value)[:60]}`; write an integer from {lower} to {upper}")
        return value

    def size(self, key: str) -> int:
        """Return the size of a vector."""
        return self.integer(key, 1, shapes.MAX_ENTRIES)

    def denominator(self, default: int | None = None) -> int:
        """Return the denominator that the entries get."""
        if default is not None and "denominator" not in self.table:
            return default
        return self.integer("denominator", 1, _LARGEST)

    def number(self, key: str, default: fmpq | None = None) -> fmpq:
        """Return a rational number of moderate size."""
        if default is not None and key not in self.table:
            return default
        value = rational(self._given(key), self._place(key))
        if abs(value) > _LARGEST or value.q > _LARGEST:
            raise InputError(
                f"{self._place(key)}: `{str(value)[:60]}`; write a number of modulus and denominator up to {_LARGEST}"
            )
        return value

    def shape(self, key: str) -> Shape:
        """Return a shape."""
        return shapes.read(self._given(key), self._place(key))

    def _given(self, key: str) -> Any:
        if key not in self.table:
            raise InputError(f"{self.where} needs `{key}`; write {key} = ...")
        return self.table[key]

    def _place(self, key: str) -> str:
        return f"{self.where}: `{key}`"

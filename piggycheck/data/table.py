"""The table `[data]` of a case: each key an array."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.data import shapes
from piggycheck.data.fields import Fields
from piggycheck.data.files import read_file
from piggycheck.data.generators import gaussian_matrix, generate, rounded, stream
from piggycheck.errors import InputError
from piggycheck.linalg import rational

__all__ = ["inline", "read_data"]

_SOURCES = ("file", "generate", "product", "observe")
_DEEPEST = 100


def read_data(
    table: Mapping[str, Any],
    folder: Path | None = None,
    at: Callable[[str], AbstractContextManager[Any]] = lambda name: nullcontext(),
) -> dict[str, fmpq_mat]:
    """Read the arrays of a case.

    Parameters
    ----------
    table : mapping from names to what a case file says of them
        A list of numbers, a list of rows of numbers, or a table with one of the fields ``file``, ``generate``,
        ``product``, ``observe`` and those that go with it.
    folder : Path, optional
        Where files are looked for.
    at : callable, optional
        Given a name, a context in which its array is read; errors raised inside pass through it.

    Returns
    -------
    dict from names to flint.fmpq_mat

    Raises
    ------
    InputError
        One line: which array, what was read, and what to write instead.

    Examples
    --------
    >>> data = read_data({"A": [[1, "1/2"], [0, "0.1"]], "b": {"observe": "A", "signal": "x"}, "x": [2, -2]})
    >>> data["b"].entries()
    [1, -1/5]
    >>> read_data({"x": {"generate": "sparse_signal", "size": 4, "nonzeros": 1, "seed": 1}})["x"].entries()
    [1, 0, 0, 0]

    Notes
    -----
    When this fails: arrays are held in memory as a whole, all of them together with at most 4 million entries.
    """
    return _Arrays(table, folder, at).all()


class _Arrays:
    """Reads arrays when they are first needed: one may be computed from others, in any order."""

    def __init__(self, table: Mapping[str, Any], folder: Path | None, at: Callable[[str], AbstractContextManager[Any]]):
        self.table, self.folder, self.at = table, folder, at
        self.known: dict[str, fmpq_mat] = {}
        self.open: list[str] = []

    def all(self) -> dict[str, fmpq_mat]:
        return {name: self.array(name) for name in self.table}

    def array(self, name: str) -> fmpq_mat:
        if name in self.open:
            raise InputError(f"`{name}` is computed from itself: {' from '.join(map(_quoted, [*self.open, name]))}")
        if len(self.open) > _DEEPEST:
            raise InputError(f"`{name}` is computed from more than {_DEEPEST} arrays, one from the other; use fewer")
        if name not in self.known:
            self.open.append(name)
            with self.at(name):
                self.known[name] = self._read(self.table[name], _quoted(name))
                total = sum(M.nrows() * M.ncols() for M in self.known.values())
                if total > shapes.MAX_ENTRIES:
                    raise InputError(
                        f"`{name}`: the arrays of [data] have more than {shapes.MAX_ENTRIES} entries together"
                    )
            self.open.pop()
        return self.known[name]

    def _read(self, value: Any, where: str) -> fmpq_mat:
        if not isinstance(value, Mapping):
            return inline(value, where)
        fields = Fields(value, where)
        stated = [source for source in _SOURCES if source in value]
        if len(stated) != 1:
            found = f"both {_quoted(stated[0])} and {_quoted(stated[1])}" if stated else "no source"
            raise InputError(f"{where} has {found}; write exactly one of {', '.join(_SOURCES)}, or a list of numbers")
        readers = {"file": self._file, "generate": generate, "product": self._product, "observe": self._observe}
        return readers[stated[0]](fields)

    def _file(self, fields: Fields) -> fmpq_mat:
        fields.only("file", "shape")
        matrix = read_file(fields.table["file"], self.folder, fields.where)
        if "shape" in fields.table and (shape := fields.shape("shape")) != shapes.of_matrix(matrix):
            found, stated = shapes.said(shapes.of_matrix(matrix)), shapes.said(shape)
            name = fields.text("file")
            raise InputError(f"{fields.where}: `{name}` is {found} and `shape` says {stated}; correct one of them")
        return matrix

    def _product(self, fields: Fields) -> fmpq_mat:
        """Return the product of arrays, as it is or rounded."""
        fields.only("product", "scale", "denominator")
        names = fields.table["product"]
        if not isinstance(names, list) or not names:
            raise InputError(f'{fields.where}: `product`: write a list of arrays, such as ["A\'", "A"]')
        product = self._factor(names[0], fields)
        for name in names[1:]:
            product = _times(product, self._factor(name, fields), f"{fields.where}: `product`")
        product *= fields.number("scale", fmpq(1))
        return rounded(product, fields.denominator()) if "denominator" in fields.table else product

    def _observe(self, fields: Fields) -> fmpq_mat:
        """Return ``A x``, or what is seen of it through noise."""
        fields.only("observe", "signal", "noise", "seed", "denominator")
        A, signal = self._named(fields, fields.text("observe")), self._named(fields, fields.text("signal"))
        exact = _times(A, signal, f"{fields.where}: `observe`")
        if "noise" in fields.table:
            shape, denominator = shapes.of_matrix(exact), fields.denominator()
            noise = gaussian_matrix(stream(fields, "observe"), shape, denominator, fields.number("noise"))
            return rounded(exact, denominator) + noise
        if "seed" in fields.table:
            raise InputError(f"{fields.where} has a `seed` and no `noise`; write noise = ...")
        return rounded(exact, fields.denominator()) if "denominator" in fields.table else exact

    def _factor(self, text: Any, fields: Fields) -> fmpq_mat:
        """Return an array, transposed when its name is followed by a prime."""
        if not isinstance(text, str):
            raise InputError(f"{fields.where}: `product`: `{str(text)[:60]}` is not the name of an array")
        matrix = self._named(fields, text.removesuffix("'"))
        return matrix.transpose() if text.endswith("'") else matrix

    def _named(self, fields: Fields, name: str) -> fmpq_mat:
        if name not in self.table:
            raise InputError(
                f"{fields.where}: `{name[:60]}` is not an array of [data]; there are {', '.join(self.table)}"
            )
        return self.array(name)


def inline(value: Any, where: str) -> fmpq_mat:
    """Read an array that is written out: a list of numbers is a vector, a list of rows a matrix.

    Parameters
    ----------
    value : list of exact numbers, or list of lists of them
    where : str
        The name used in errors.

    Returns
    -------
    flint.fmpq_mat
        A vector is a matrix of one column.

    Raises
    ------
    InputError
        When it is something else, or a row has another length than the first.

    Examples
    --------
    >>> inline([1, "3/4"], "`b`").entries()
    [1, 3/4]
    >>> inline([[1, 2], [3]], "`A`")
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: `A[1]` has 1 numbers and `A[0]` has 2; make them equally many
    """
    if not isinstance(value, list) or not value or value[0] == []:
        raise InputError(
            f"{where}: `{str(value)[:60]}` is not an array; write a list of numbers, or of rows of numbers"
        )
    name = where.strip("`")
    rows = value if isinstance(value[0], list) else [[entry] for entry in value]
    for i, row in enumerate(rows):
        if not isinstance(row, list):
            raise InputError(f"`{name}[{i}]`: `{str(row)[:60]}` is not a row; write a list of numbers")
        if len(row) != len(rows[0]):
            raise InputError(
                f"`{name}[{i}]` has {len(row)} numbers and `{name}[0]` has {len(rows[0])}; make them equally many"
            )
    shapes.checked((len(rows), len(rows[0])), where)
    index = "[{0}][{1}]" if rows is value else "[{0}]"
    return fmpq_mat(
        [
            [rational(entry, f"`{name}{index.format(i, j)}`") for j, entry in enumerate(row)]
            for i, row in enumerate(rows)
        ]
    )


def _times(first: fmpq_mat, second: fmpq_mat, where: str) -> fmpq_mat:
    """Multiply two matrices whose shapes must fit."""
    if first.ncols() != second.nrows():
        sizes = f"{shapes.said(shapes.of_matrix(first))} and {shapes.said(shapes.of_matrix(second))}"
        raise InputError(f"{where}: matrices of {sizes} cannot be multiplied")
    shapes.checked((first.nrows(), second.ncols()), where)
    return first * second


def _quoted(name: str) -> str:
    return f"`{name}`"

"""Arrays from files beside a case: CSV with exact numbers, and the binary format of numpy, read without numpy's own
reader, so that nothing in a file is ever executed."""

from __future__ import annotations

import ast
import csv
import io
import math
import re
from pathlib import Path
from typing import Any

from flint import fmpq, fmpq_mat

from piggycheck.arithmetic import read_rational
from piggycheck.data import shapes
from piggycheck.errors import InputError, NumberError

__all__ = ["MAX_BYTES", "read_file"]

MAX_BYTES = 100_000_000
_MAGIC = b"\x93NUMPY"
_MAX_HEADER = 10_000
_NUMBER_TYPES = re.compile(r"[<>=|]?(?:f[248]|[iu][1248])")
_NOT_FINITE = {"nan", "inf", "infinity"}


def read_file(name: Any, folder: Path | None, where: str) -> fmpq_mat:
    """Read an array from a file.

    Parameters
    ----------
    name : str
        A path relative to `folder`, that does not lead out of it; it ends in ``.csv`` or ``.npy``.
    folder : Path or None
        The folder of the case; None when there is none.
    where : str
        The name used in errors.

    Returns
    -------
    flint.fmpq_mat
        A vector is a matrix of one column.

    Raises
    ------
    InputError
        When there is no such file, or it is not what its name says, or a number is not finite.

    Notes
    -----
    A cell of a CSV is an integer, a fraction or a decimal, which means the fraction it spells. A float of an ``.npy``
    file is the binary number it is, exactly.
    """
    if not isinstance(name, str):
        raise InputError(f'{where}: `{str(name)[:60]}` is not the name of a file; write it in quotes, such as "A.csv"')
    where = f"{where}: `{name[:200]}`"
    readers = {".csv": _read_csv, ".npy": _read_npy}
    suffix = Path(name).suffix.lower()
    if suffix not in readers:
        raise InputError(f"{where} is neither a .csv nor a .npy file; write the array in one of these formats")
    return readers[suffix](_content(name, folder, where), where)


def _content(name: str, folder: Path | None, where: str) -> bytes:
    if folder is None:
        raise InputError(f"{where}: a case that was not read from a file has no folder to look in; give its folder")
    try:
        path = (folder / name).resolve()
        if not path.is_relative_to(folder.resolve()):
            raise InputError(f"{where} is not beside the case; put the file into its folder, or into one below")
        if not path.is_file():
            raise InputError(
                f"{where} {'is not a file' if path.exists() else 'does not exist'}; "
                "give a file in the folder of the case"
            )
        if path.stat().st_size > MAX_BYTES:
            raise InputError(f"{where} has {path.stat().st_size} bytes; a data file has at most {MAX_BYTES}")
        return path.read_bytes()
    except (OSError, ValueError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise InputError(f"{where} cannot be read: {reason}; give a file in the folder of the case") from None


def _read_csv(content: bytes, where: str) -> fmpq_mat:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError(f"{where} is not text in UTF-8; write numbers with commas between, one row per line") from None
    rows: list[list[fmpq]] = []
    count = blank = 0
    try:
        for row, cells in enumerate(csv.reader(io.StringIO(text, newline=""), strict=True), 1):
            if not any(cell.strip() for cell in cells) and len(cells) < 2:
                blank = blank or row
                continue
            if blank:
                raise InputError(f"{where}, row {blank} is empty; remove the empty line")
            if rows and len(cells) != len(rows[0]):
                raise InputError(
                    f"{where}, row {row} has {len(cells)} numbers and row 1 has {len(rows[0])}; make them equally many"
                )
            count += len(cells)
            if count > shapes.MAX_ENTRIES:
                raise InputError(f"{where} has more than {shapes.MAX_ENTRIES} entries; an array has at most that many")
            rows.append([_cell(cell, row, column, where) for column, cell in enumerate(cells, 1)])
    except csv.Error as error:
        raise InputError(f"{where}, row {len(rows) + 1}: {error}; write numbers with commas between") from None
    if not rows:
        raise InputError(f"{where} is empty; write numbers with commas between, one row per line")
    return fmpq_mat(rows)


def _cell(cell: str, row: int, column: int, where: str) -> fmpq:
    place = f"{where}, row {row}, column {column}"
    try:
        return read_rational(cell, place)
    except NumberError:
        text = cell.strip()
        if not text:
            raise InputError(f"{place} is empty; write a number") from None
        if text.lower().lstrip("+-") in _NOT_FINITE:
            raise InputError(f"{place} is {text}; write a finite number") from None
        if row == 1 and text[0].isalpha():
            raise InputError(f"{place}: `{text[:60]}` is not a number; remove the line of names") from None
        raise


def _read_npy(content: bytes, where: str) -> fmpq_mat:
    header, start = _npy_header(content, where)
    kind, shape = header["descr"], header["shape"]
    if not isinstance(kind, str) or not _NUMBER_TYPES.fullmatch(kind):
        raise InputError(f"{where} holds entries of type `{str(kind)[:60]}`; save float64 or integer entries")
    if not isinstance(shape, tuple) or not all(type(size) is int and size >= 0 for size in shape):
        raise _not_npy(where)
    if not 1 <= len(shape) <= 2:
        raise InputError(f"{where} has {len(shape)} dimensions; save a vector or a matrix")
    if 0 in shape:
        raise InputError(f"{where} is empty; save a vector or a matrix with entries")
    rows, columns = shapes.checked((shape[0], shape[1] if len(shape) == 2 else 1), where)
    size = int(kind[-1]) * rows * columns
    if len(content) - start != size:
        raise InputError(
            f"{where} has {len(content) - start} bytes of entries and its header says {size}; save it again"
        )

    import numpy as np

    values = np.frombuffer(content, np.dtype(kind), offset=start)
    table = values.reshape((rows, columns), order="F" if header["fortran_order"] else "C").tolist()
    return fmpq_mat(
        [
            [_binary(value, row, column, where) for column, value in enumerate(values, 1)]
            for row, values in enumerate(table, 1)
        ]
    )


def _binary(value: float | int, row: int, column: int, where: str) -> fmpq:
    if not math.isfinite(value):
        raise InputError(f"{where}, row {row}, column {column} is {value}; write a finite number")
    return fmpq(*value.as_integer_ratio())


def _npy_header(content: bytes, where: str) -> tuple[dict[str, Any], int]:
    """Read the header of version 1, 2 or 3 of the format: a Python dictionary, as literals."""
    if not content.startswith(_MAGIC) or content[6:8] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise _not_npy(where)
    start = 10 if content[6] == 1 else 12
    end = start + int.from_bytes(content[8:start], "little")
    if not start < end <= min(len(content), start + _MAX_HEADER):
        raise _not_npy(where)
    try:
        header = ast.literal_eval(content[start:end].decode("utf-8" if content[6] == 3 else "latin-1").strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise _not_npy(where) from None
    if not isinstance(header, dict) or header.keys() != {"descr", "fortran_order", "shape"}:
        raise _not_npy(where)
    return header, end


def _not_npy(where: str) -> InputError:
    return InputError(f"{where} is not an array in numpy's format; write it with numpy.save")

"""Where in a case file something stands, for the errors about it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from piggycheck.errors import CaseError, InputError

__all__ = ["line_numbers", "located", "one_line"]

_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\"'-]+)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*([\w-]+)\s*=")


@contextmanager
def located(file: str, lines: Mapping[tuple, int], keys: tuple) -> Iterator[None]:
    """Put file and line in front of the errors raised inside."""
    try:
        yield
    except CaseError:
        raise
    except InputError as error:
        line = next((lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in lines), None)
        place = f"{file}, line {line}" if line else file
        raise CaseError(f"{place}: {one_line(error)}") from None


def one_line(error: Exception) -> str:
    """Return the message of an error without line breaks."""
    return " ".join(str(error).split())


def line_numbers(text: str) -> dict[tuple, int]:
    """Map each table and key to the line where it stands; the entries of a list of tables are numbered from 0.

    Examples
    --------
    >>> line_numbers("[map]\\n[[claim]]\\n[claim.direction]\\nb = 3\\n")[("claim", 0, "direction", "b")]
    4
    """
    lines: dict[tuple, int] = {}
    table: tuple = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name, *inner = header[2].split(".")
            lines.setdefault((name,), number)
            if header[1] == "[[" and not inner:
                counts[name] = counts.get(name, -1) + 1
            table = (name, *([counts[name]] if name in counts else []), *inner)
            lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key[1]), number)
    return lines

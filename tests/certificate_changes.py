"""Certificates with something changed: each number in turn, or what stands at some places."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest

from piggycheck.checker import Refused, Unreadable, check

__all__ = [
    "accepted_changes",
    "assert_changes_are_noticed",
    "assert_refused",
    "changed_numbers",
    "negated",
    "numbers",
    "replaced",
    "with_changes",
]

_RATIONAL = re.compile(r"-?\d+(/\d+)?")
_NUMBER_IN_TEXT = re.compile(r"(?<![\w.])\d+(?![\w.])")
_Path = tuple[Any, ...]


def texts(data: Any, path: _Path = ()) -> Iterator[tuple[_Path, str]]:
    """Every text of a certificate, and where it stands."""
    if isinstance(data, dict | list):
        for key, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield from texts(value, (*path, key))
    elif isinstance(data, str):
        yield path, data


def replaced(data: Any, path: _Path, value: Any) -> Any:
    """A certificate with something else at one place; an ellipsis removes what is there. The rest is not copied."""
    if not path:
        return value
    key, *rest = path
    found = data.copy()
    if value is ... and not rest:
        del found[key]
    else:
        found[key] = replaced(data[key] if rest else None, tuple(rest), value)
    return found


def with_changes(data: dict[str, Any], *changes: tuple[str, Any]) -> dict[str, Any]:
    """A certificate with changes at places such as `witness/point/0`."""
    for where, value in changes:
        data = replaced(data, tuple(int(key) if key.isdigit() else key for key in where.split("/")), value)
    return data


# Hand-written certificates: fractions next to each number.


def neighbours(text: str) -> list[str]:
    """Fractions next to a number; one with the denominator 0 is none."""
    n, _, d = text.partition("/")
    over = f"/{d}" if d else ""
    changed = [f"{int(n) + 1}{over}", f"{int(n) - 1}{over}", f"{n}/{int(d or 1) + 1}", f"{n}/{int(d or 1) - 1}"]
    return [t for t in changed if t.endswith("/0") or Fraction(t) != Fraction(text)]


def negated(text: str) -> list[str]:
    """The opposite of a number."""
    return [f"-{text}".replace("--", "")]


def numbers(data: Any) -> Iterator[tuple[_Path, str]]:
    """Every text that is a number, and where it stands."""
    return ((path, text) for path, text in texts(data) if _RATIONAL.fullmatch(text))


def accepted_changes(
    valid: dict[str, Any], more: Callable[[str], list[str]] = lambda text: [], least: int = 1
) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Certificates that the checker accepts with one number changed: where, a description, and the certificate."""
    accepted = refused = 0
    for path, text in numbers(valid):
        where = "/".join(map(str, path))
        for neighbour in [*neighbours(text), *more(text)]:
            data = replaced(valid, path, neighbour)
            try:
                check(data)
            except (Refused, Unreadable):
                refused += 1
            else:
                accepted += 1
                yield where, f"{where}: {text} -> {neighbour} was accepted", data
    assert refused >= min(least, accepted + refused), f"{accepted} of {accepted + refused} changes were accepted"


def assert_changes_are_noticed(
    valid: dict[str, Any],
    free: str = ".*",
    is_true: Callable[[dict[str, Any]], bool] | None = None,
    more: Callable[[str], list[str]] = lambda text: [],
    least: int = 1,
) -> None:
    """One changed number is refused, unless it stands at a free place and the claim stays true."""
    for where, change, data in accepted_changes(valid, more, least):
        assert re.match(f"({free})(/|$)", where), change
        assert is_true is None or is_true(data), f"{change}, and is false"


def assert_refused(data: dict[str, Any], reason: str) -> None:
    """The checker does not accept a certificate, for this reason."""
    with pytest.raises((Refused, Unreadable), match=re.escape(reason)):
        check(data)


# Certificates of the package: each number a unit more or less, also where it stands inside a formula.


def changed_numbers(content: dict[str, Any]) -> Iterator[tuple[_Path, dict[str, Any]]]:
    """Copies of a certificate in which one number is changed by one unit, and which one that is."""
    for path, text in texts(content):
        if path[0] == "format" or path[-1] == "statement":
            continue
        if _RATIONAL.fullmatch(text):
            number = Fraction(text)
            for unit in (1, -1):
                yield path, replaced(content, path, str(Fraction(number.numerator + unit, number.denominator)))
        else:
            for found in _NUMBER_IN_TEXT.finditer(text):
                for unit in (1, -1):
                    changed = f"{text[: found.start()]}{int(found.group()) + unit}{text[found.end() :]}"
                    yield (*path, found.start()), replaced(content, path, changed)

"""Families: cases in which some numbers are left open."""

from __future__ import annotations

import copy
import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sympy as sp
from flint import fmpq

from piggycheck.arithmetic import rational
from piggycheck.case.model import Case
from piggycheck.case.places import located
from piggycheck.case.reader import read_table, read_text, read_toml
from piggycheck.errors import ExpressionError, InputError, IrrationalError
from piggycheck.expression import FUNCTIONS, parse, parse_number, to_text
from piggycheck.functions import CATALOGUE

__all__ = ["Choices", "Family", "Range", "Values", "load_family", "read_family"]

Values = Mapping[str, str]
"""A number for each unknown, as exact text."""

_SECTIONS = ("algorithm", "map", "switched", "data", "parameters", "start", "claim")
_NAMES = ("name", "variables", "state", "kind", "file", "generate", "product", "observe", "signal")
_WORD = re.compile(r"[^\W\d]\w*")
_RESERVED = {*FUNCTIONS, *CATALOGUE, "True", "False", "and", "or", "not"}
_EXAMPLE = '{range = ["0", "1"]} or {choices = ["1/2", "1/4"]}'


@dataclass(frozen=True)
class Range:
    """The numbers of a closed interval with rational ends."""

    low: fmpq
    high: fmpq


@dataclass(frozen=True)
class Choices:
    """Finitely many exact numbers, as text; they may be irrational."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Family:
    """A case in which some numbers are left open.

    Parameters
    ----------
    table : mapping
        The tables of a case, as TOML gives them, where numbers of ``algorithm`` may be ``{"range": [low, high]}`` or
        ``{"choices": [...]}``, and where ``unknowns`` declares more such numbers, which expressions may name.
    name : str
    file : str
        What errors call the family.
    folder : Path, optional
        Where the files that the family names are looked for.
    lines : mapping from keys to lines, optional
        For the errors.

    Attributes
    ----------
    unknowns : dict from names to Range or Choices
        The open numbers of the algorithm, named by their keys, then the declared ones.

    Raises
    ------
    InputError
        When no number is open, a range is empty, a choice is no exact number, or an unknown is named nowhere.

    Examples
    --------
    >>> family = Family({
    ...     "map": {"state": ["x"], "next": ["Piecewise((a*x, x >= 0), (b*x, True)) + theta"]},
    ...     "unknowns": {"a": {"range": ["-1/2", "1/2"]}, "b": {"choices": ["1/3", "1/5"]}},
    ...     "parameters": {"theta": 0},
    ... })
    >>> list(family.unknowns)
    ['a', 'b']
    >>> family.member({"a": "1/4", "b": "1/5"}).iteration.map.next
    (theta + Piecewise((x/4, x >= 0), (x/5, True)),)

    Notes
    -----
    When this fails: errors that only some members have, such as a division by an unknown that is 0, are raised by
    `member`.
    """

    table: Mapping[str, Any]
    name: str = "family"
    file: str = "family"
    folder: Path | None = None
    lines: Mapping[tuple, int] = field(default_factory=dict, repr=False)
    unknowns: Mapping[str, Range | Choices] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "unknowns", dict(self._unknowns()))
        if not self.unknowns:
            raise InputError(
                f"{self.file}: no number is left open; write step = {_EXAMPLE} in [algorithm], or declare [unknowns]"
            )
        self._check_names()

    @property
    def hash(self) -> str:
        """A text that is the same for families of the same content."""
        content = json.dumps(self.table, sort_keys=True, ensure_ascii=False)
        return hashlib.sha256(content.encode()).hexdigest()

    @property
    def title(self) -> str:
        """The title, or the name."""
        return str(self.table.get("title") or self.name)

    def member(self, values: Values) -> Case:
        """Return the case that some values of the unknowns give.

        Parameters
        ----------
        values : mapping from names to exact numbers as text

        Raises
        ------
        InputError
            When the case cannot be read; the line is that of the family.
        """
        return read_table(self.member_table(values), self.lines, name=self.name, file=self.file, folder=self.folder)

    def member_table(self, values: Values) -> dict[str, Any]:
        """Return the tables of a member."""
        member = {key: copy.deepcopy(entry) for key, entry in self.table.items() if key != "unknowns"}
        declared = {name: values[name] for name in self._declared()}
        algorithm = member.get("algorithm")
        for name in self._open_numbers():
            algorithm[name] = values[name]
        for section in _SECTIONS:
            if section in member:
                member[section] = _substituted(member[section], declared)
        listed = ", ".join(f"{name} {value}" for name, value in values.items())
        if isinstance(member.get("title", ""), str):
            member["title"] = f"{self.title}: {listed}"
        return member

    # -- reading ----------------------------------------------------------------------------------------------------

    def _open_numbers(self) -> list[str]:
        algorithm = self.table.get("algorithm", {})
        entries = algorithm.items() if isinstance(algorithm, Mapping) else ()
        return [key for key, entry in entries if _is_open(entry)]

    def _declared(self) -> Mapping[str, Any]:
        declared = self.table.get("unknowns", {})
        if not isinstance(declared, Mapping):
            with located(self.file, self.lines, ("unknowns",)):
                raise InputError("`unknowns` is not a table; write [unknowns] and its keys below")
        return declared

    def _unknowns(self) -> Iterator[tuple[str, Range | Choices]]:
        opened = self._open_numbers()
        for name in opened:
            with located(self.file, self.lines, ("algorithm", name)):
                yield name, _read_unknown(name, self.table["algorithm"][name])
        for name, entry in self._declared().items():
            with located(self.file, self.lines, ("unknowns", name)):
                if name in opened:
                    raise InputError(f"`{name}` of [unknowns] is an open number of [algorithm], too; rename it")
                if not _is_open(entry):
                    raise InputError(f"`{name}` of [unknowns]: `{str(entry)[:60]}` is not open; write {_EXAMPLE}")
                yield name, _read_unknown(name, entry)

    def _check_names(self) -> None:
        """Require that each declared unknown means one thing, and is named."""
        used = {word for section in _SECTIONS for word in _words(self.table.get(section, {}))}
        for name in self._declared():
            with located(self.file, self.lines, ("unknowns", name)):
                if not name.isidentifier() or name in _RESERVED:
                    raise InputError(f"`{name}` of [unknowns] is not a free name; write letters, digits and _")
                if name in self._other_names():
                    raise InputError(f"`{name}` of [unknowns] is the name of something else in the case; rename it")
                if name not in used:
                    raise InputError(f"`{name}` of [unknowns] is named in no expression; name it, or remove it")

    def _other_names(self) -> set[str]:
        tables = (self.table.get(key, {}) for key in ("parameters", "start", "data"))
        names = {name for table in tables if isinstance(table, Mapping) for name in table}
        for section, key in (("algorithm", "variables"), ("map", "state")):
            table = self.table.get(section, {})
            listed = table.get(key, []) if isinstance(table, Mapping) else []
            names |= set(map(str, listed)) if isinstance(listed, list) else set()
        return names


def load_family(path: str | Path) -> Family:
    """Read a family from a TOML file.

    Raises
    ------
    CaseError
        One line: file, line, what was read, and what to write instead.
    """
    path = Path(path)
    return read_family(read_text(path), name=path.stem, file=str(path), folder=path.parent)


def read_family(text: str, *, name: str = "family", file: str = "family", folder: Path | None = None) -> Family:
    """Read a family from its text.

    Parameters
    ----------
    text : str
        TOML.
    name, file, folder
        As in `Family`.

    Raises
    ------
    CaseError
        As `load_family`.

    Examples
    --------
    >>> read_family('''
    ... [map]
    ... state = ["x"]
    ... next = ["a*x"]
    ... [unknowns]
    ... a = {range = ["1", "0"]}
    ... ''')
    Traceback (most recent call last):
    ...
    piggycheck.errors.CaseError: family, line 6: range of `a`: from 1 to 0 is empty; write the smaller number first
    """
    table, lines = read_toml(text, file)
    return Family(table, name, file, folder, lines)


def _is_open(entry: Any) -> bool:
    return isinstance(entry, Mapping) and bool(entry.keys() & {"range", "choices"})


def _read_unknown(name: str, entry: Mapping[str, Any]) -> Range | Choices:
    if len(entry) != 1:
        raise InputError(f"`{name}`: a table with {', '.join(f'`{key}`' for key in entry)}; write {_EXAMPLE}")
    ((key, listed),) = entry.items()
    if not isinstance(listed, (list, tuple)):
        raise InputError(f"{key} of `{name}`: `{str(listed)[:60]}` is not a list; write {_EXAMPLE}")
    numbers = [_number(value, f"{key} of `{name}`") for value in listed]
    if key == "choices":
        if not numbers:
            raise InputError(f"choices of `{name}`: the list is empty; write at least one number")
        return Choices(tuple(dict.fromkeys(map(to_text, numbers))))
    if len(numbers) != 2:
        raise InputError(f"range of `{name}`: {len(numbers)} numbers; write the smallest and the largest")
    try:
        low, high = (rational(number) for number in numbers)
    except IrrationalError:
        raise InputError(f"range of `{name}`: an end is irrational; write rational numbers") from None
    if low > high:
        raise InputError(f"range of `{name}`: from {low} to {high} is empty; write the smaller number first")
    return Range(low, high)


def _number(value: Any, where: str) -> sp.Expr:
    if type(value) is str:
        return parse_number(value, where=where)
    if isinstance(value, (str, float)):  # a float of TOML is kept as text of its own kind
        raise InputError(f'{where}: the float {value} is not exact; write "{value}" in quotes')
    if isinstance(value, bool) or not isinstance(value, (int, fmpq, sp.Expr)):
        raise InputError(f'{where}: `{str(value)[:60]}` is not a number; write an integer or a text such as "3/4"')
    return parse_number(str(value), where=where)


def _words(value: Any) -> Iterator[str]:
    """The names in the texts of a section."""
    if isinstance(value, str):
        yield from _WORD.findall(value)
    elif isinstance(value, Mapping):
        for key, entry in value.items():
            if key not in _NAMES:
                yield from _words(entry)
    elif isinstance(value, list):
        for entry in value:
            yield from _words(entry)


def _substituted(value: Any, numbers: Values) -> Any:
    """Put numbers in place of names, in all texts that may be expressions."""
    if isinstance(value, str):
        return _with_numbers(value, numbers)
    if isinstance(value, dict):
        return {key: entry if key in _NAMES else _substituted(entry, numbers) for key, entry in value.items()}
    return [_substituted(entry, numbers) for entry in value] if isinstance(value, list) else value


def _with_numbers(text: str, numbers: Values) -> str | int:
    names = set(_WORD.findall(text))
    if not names & numbers.keys():
        return text
    if text.strip() in numbers:
        value = numbers[text.strip()]
        return int(value) if value.lstrip("-").isdecimal() else value
    replaced = _WORD.sub(lambda word: f"({numbers[word[0]]})" if word[0] in numbers else word[0], text)
    try:
        symbols = [sp.Symbol(name, real=True) for name in sorted(names - numbers.keys() - _RESERVED)]
        return to_text(parse(replaced, symbols))
    except ExpressionError:  # calls of catalogue functions, or an error that the case's reader tells with its line
        return replaced

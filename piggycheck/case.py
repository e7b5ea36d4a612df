"""A case: a TOML file that states an iteration or a switched system, and claims about it."""

from __future__ import annotations

import dataclasses
import inspect
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import sympy as sp

from piggycheck import algorithms, functions
from piggycheck.algorithms import reading
from piggycheck.claims import KINDS, Claim, Subject
from piggycheck.errors import CaseError, InputError
from piggycheck.expression import parse, parse_number
from piggycheck.iteration import Iteration
from piggycheck.maps import SymbolicMap
from piggycheck.switched import SwitchedSystem

__all__ = ["Case", "load_case", "read_case"]

MAX_BYTES = 20_000_000
_TEXTS = ("title", "source", "belief", "catch", "repair")
_SUBJECTS = ("algorithm", "map", "switched")
_KEYS = (*_TEXTS, "tags", *_SUBJECTS, "parameters", "start", "claim")
_EXPRESSION_ARGUMENTS = ("objective", "smooth")
_FUNCTION_ARGUMENTS = ("nonsmooth",)
_SWITCHED_KEYS = ("A", "B", "J0", "graph")
_TEXT_FIELDS = ("words",)


@dataclass(frozen=True)
class Case:
    """What a case file says.

    Attributes
    ----------
    name : str
        The file's name, or its folder's when the file is called ``case.toml``.
    title, source, belief, catch, repair : str
        As in the file; empty where absent.
    tags : tuple of str
    iteration : Iteration or None
    at : dict from parameter names to exact numbers
    system : SwitchedSystem or None
    claims : tuple of Claim
        Empty when the default questions are to be asked.
    """

    name: str
    title: str = ""
    source: str = ""
    belief: str = ""
    catch: str = ""
    repair: str = ""
    tags: tuple[str, ...] = ()
    iteration: Iteration | None = None
    at: Mapping[str, sp.Expr] = field(default_factory=dict)
    system: SwitchedSystem | None = None
    claims: tuple[Claim, ...] = ()
    lines: Mapping[tuple, int] = field(default_factory=dict, repr=False)
    file: str = ""

    def subject(self, *, time_limit: float = 10.0) -> Subject:
        """Return what the claims are about.

        Raises
        ------
        CaseError
            When the map has no value at the start.
        """
        with _located(self.file, self.lines, (self.kind,)):
            return Subject(self.iteration, self.at, self.system, time_limit)

    @property
    def kind(self) -> str:
        """The section that states what the case is about."""
        return "switched" if self.system is not None else "map" if ("map",) in self.lines else "algorithm"

    @contextmanager
    def located(self, claim: int) -> Iterator[None]:
        """Say file and line in the errors that deciding a claim raises."""
        with _located(self.file, self.lines, ("claim", claim)):
            yield


def load_case(path: str | Path) -> Case:
    """Read a case file.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Case

    Raises
    ------
    CaseError
        One line: file, line, what was read, and what to write instead.

    Notes
    -----
    When this fails: the numbers of lines are found by looking for the key in its section, so a key written in an
    unusual way (quoted, or dotted) may be reported at the section's line.
    """
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise CaseError(f"{path}: {size} bytes; a case file has at most {MAX_BYTES}")
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise CaseError(f"{path}: cannot be read: {error.strerror}; give the path of a TOML file") from None
    except UnicodeDecodeError:
        raise CaseError(f"{path}: not a text file in UTF-8; give the path of a TOML file") from None
    name = path.parent.resolve().name if path.name == "case.toml" else path.stem
    return read_case(text, name=name, file=str(path))


def read_case(text: str, *, name: str = "case", file: str = "case") -> Case:
    """Read a case from its text.

    Parameters
    ----------
    text : str
        TOML.
    name : str
        The case's name.
    file : str
        What errors call the file.

    Returns
    -------
    Case

    Raises
    ------
    CaseError
        As `load_case`.

    Examples
    --------
    >>> case = read_case('''
    ... [map]
    ... state = ["x"]
    ... next = ["-x/2 + relu(theta)"]
    ... [parameters]
    ... theta = 0
    ... [[claim]]
    ... kind = "converges"
    ... ''')
    >>> case.iteration.map.next, [claim.kind for claim in case.claims]
    ((-x/2 + Max(0, theta),), ['converges'])
    """
    return _Reader(text, name, file).case()


class _FloatText(str):
    """A TOML float, kept as it was written."""


class _Reader:
    """Reads one case; every error names the file and the line."""

    def __init__(self, text: str, name: str, file: str):
        self.name, self.file = name, file
        try:
            self.content = tomllib.loads(text, parse_float=_FloatText)
        except tomllib.TOMLDecodeError as error:
            raise CaseError(f"{file}: not TOML: {_one_line(error)}") from None
        except RecursionError:
            raise CaseError(f"{file}: not TOML: nested too deeply") from None
        self.lines = _line_numbers(text)

    def at(self, *keys: Any):
        return _located(self.file, self.lines, keys)

    def case(self) -> Case:
        self._refuse_floats(self.content, ())
        self._known_keys(self.content, (), _KEYS)
        stated = [kind for kind in _SUBJECTS if kind in self.content]
        if len(stated) != 1:
            found = f"found {' and '.join(f'[{kind}]' for kind in stated)}" if stated else "found none"
            raise CaseError(f"{self.file}: {found}; write exactly one of [algorithm], [map], [switched]")
        at = self._parameters()
        iteration = system = None
        if stated[0] == "switched":
            system = self._switched()
        else:
            build = self._algorithm if stated[0] == "algorithm" else self._map
            iteration = build(tuple(sp.Symbol(name, real=True) for name in at))
        return Case(
            self.name,
            **{key: self._text(key) for key in _TEXTS},
            tags=tuple(self._list(self.content, ("tags",), str)) if "tags" in self.content else (),
            iteration=iteration,
            at=at,
            system=system,
            claims=tuple(self._claims()),
            lines=self.lines,
            file=self.file,
        )

    def _refuse_floats(self, value: Any, keys: tuple) -> None:
        if isinstance(value, _FloatText):
            with self.at(*keys):
                raise InputError(f'`{keys[-1]}`: the float {value} is not exact; write "{value}" in quotes')
        entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
        for key, entry in entries:
            deeper = (*keys, key) if isinstance(value, dict) or keys in (("claim",),) else keys
            self._refuse_floats(entry, deeper)

    def _known_keys(self, table: Mapping[str, Any], keys: tuple, known: Sequence[str]) -> None:
        for key in table:
            if key not in known:
                with self.at(*keys, key):
                    raise InputError(f"unknown key `{key}`; known are {', '.join(known)}")

    def _text(self, key: str) -> str:
        value = self.content.get(key, "")
        with self.at(key):
            if not isinstance(value, str):
                raise InputError(f"`{key}`: `{value}` is not text; write it in quotes")
        return value

    def _table(self, key: str) -> dict[str, Any]:
        value = self.content.get(key, {})
        with self.at(key):
            if not isinstance(value, dict):
                raise InputError(f"`{key}` is not a table; write [{key}] and its keys below")
        return value

    def _list(self, table: Mapping[str, Any], keys: tuple, kind: type) -> list[Any]:
        value = table.get(keys[-1])
        with self.at(*keys):
            if not isinstance(value, list) or not all(isinstance(entry, kind) for entry in value):
                raise InputError(f"`{keys[-1]}`: write a list of texts in quotes")
        return value

    def _parameters(self) -> dict[str, sp.Expr]:
        values = {}
        for name, value in self._table("parameters").items():
            with self.at("parameters", name):
                values[name] = reading.expression(value, (), f"value of `{name}`")
        return values

    def _start(self) -> dict[str, Any] | None:
        return self._table("start") if "start" in self.content else None

    def _map(self, parameters: tuple[sp.Symbol, ...]) -> Iteration:
        table = self._table("map")
        self._known_keys(table, ("map",), ("state", "next"))
        names = self._list(table, ("map", "state"), str)
        written = self._list(table, ("map", "next"), str)
        with self.at("map", "next"):
            if len(names) != len(written):
                raise InputError(
                    f"`state` has {len(names)} names and `next` has {len(written)} expressions; write one each"
                )
        state = tuple(sp.Symbol(name, real=True) for name in names)
        with self.at("map", "next"):
            following = [
                parse(e, [*state, *parameters], where=f"next value of `{v}`")
                for v, e in zip(state, written, strict=True)
            ]
            map_ = SymbolicMap(state, following, parameters)
        with self.at("start"):
            return Iteration(map_, reading.start_of(self._start(), state, {}, parameters), self.name)

    def _algorithm(self, parameters: tuple[sp.Symbol, ...]) -> Iteration:
        table = dict(self._table("algorithm"))
        name = table.pop("name", None)
        with self.at("algorithm", "name"):
            if name not in algorithms.CATALOGUE:
                raise InputError(f"unknown algorithm `{name}`; known are {', '.join(algorithms.CATALOGUE)}")
        build = algorithms.CATALOGUE[name]
        expected = [key for key in inspect.signature(build).parameters if key not in ("parameters", "start")]
        self._known_keys(table, ("algorithm",), expected)
        missing = [key for key in expected if key not in table]
        with self.at("algorithm"):
            if missing:
                raise InputError(f"algorithm `{name}` needs `{missing[0]}`; write {missing[0]} = ...")
        arguments = {key: self._argument(key, value, parameters) for key, value in table.items()}
        variables = tuple(sp.Symbol(v, real=True) for v in arguments["variables"])
        for key in _EXPRESSION_ARGUMENTS:
            if key in arguments:
                with self.at("algorithm", key):
                    arguments[key] = reading.expression(arguments[key], variables + parameters, key)
        with self.at("start" if "start" in self.content else "algorithm"):
            return build(**arguments, parameters=parameters, start=self._start())

    def _argument(self, key: str, value: Any, parameters: tuple[sp.Symbol, ...]) -> Any:
        with self.at("algorithm", key):
            if key == "variables":
                return self._list({key: value}, ("algorithm", key), str)
            if key in _FUNCTION_ARGUMENTS:
                return read_function(value, parameters, key)
            if key in _EXPRESSION_ARGUMENTS:
                return value
            return reading.expression(value, parameters, key)

    def _switched(self) -> SwitchedSystem:
        table = self._table("switched")
        self._known_keys(table, ("switched",), _SWITCHED_KEYS)
        for key in ("parameters", "start"):
            if key in self.content:
                with self.at(key):
                    raise InputError(f"[{key}] has no meaning beside [switched]; remove it")
        with self.at("switched"):
            if "A" not in table:
                raise InputError("[switched] needs `A`; write A = [ [[...]], ... ]")
        arguments = {}
        for key in filter(table.__contains__, _SWITCHED_KEYS):
            arguments[key] = table[key]
            # One key more each time, so that an error is reported at the line of the key that it is in.
            with self.at("switched", key):
                system = SwitchedSystem.from_rows(**arguments)
        return system

    def _claims(self) -> Iterator[Claim]:
        tables = self.content.get("claim", [])
        with self.at("claim"):
            if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
                raise InputError("`claim` is not a list of tables; write [[claim]] and its keys below")
        for index, table in enumerate(tables):
            yield self._claim(index, dict(table))

    def _claim(self, index: int, table: dict[str, Any]) -> Claim:
        kind = table.pop("kind", None)
        with self.at("claim", index, "kind"):
            if kind not in KINDS:
                raise InputError(f"unknown claim kind `{kind}`; known are {', '.join(sorted(KINDS))}")
        fields = [f.name for f in dataclasses.fields(KINDS[kind])]
        self._known_keys(table, ("claim", index), fields)
        with self.at("claim", index):
            return KINDS[kind](**{key: _claim_value(key, value) for key, value in table.items()})


def _claim_value(key: str, value: Any) -> Any:
    """Read the numbers of a claim; structure stays as it is, and so does a field that is text."""
    if isinstance(value, str) and key not in _TEXT_FIELDS:
        return parse_number(value, where=f"`{key}`")
    if isinstance(value, list):
        return [_claim_value(key, entry) for entry in value]
    if isinstance(value, dict):
        return {name: _claim_value(f"{key}.{name}", entry) for name, entry in value.items()}
    return value


def read_function(text: Any, parameters: Sequence[sp.Symbol], where: str) -> functions.ProximalFunction:
    """Read a catalogue function such as ``l1(theta)`` or ``box(0, 1)``.

    Raises
    ------
    InputError
        When it is not a call of a known function with the right number of arguments.

    Examples
    --------
    >>> read_function("box(-1, 1)", [], "nonsmooth")
    box(lower=-1, upper=1)
    """
    known = ", ".join(functions.CATALOGUE)
    match = re.fullmatch(r"\s*(\w+)\s*\((.*)\)\s*", text, re.DOTALL) if isinstance(text, str) else None
    if match is None or match[1] not in functions.CATALOGUE:
        raise InputError(f"{where}: `{str(text)[:60]}` is not a function call; write one of {known}, such as l1(1/10)")
    build = functions.CATALOGUE[match[1]]
    arguments = [reading.expression(part, parameters, where) for part in _split_arguments(match[2])]
    expected = list(inspect.signature(build).parameters)
    if len(arguments) != len(expected):
        raise InputError(
            f"{where}: `{match[1]}` takes {len(expected)} arguments ({', '.join(expected)}), not {len(arguments)}"
        )
    return build(*arguments)


def _split_arguments(text: str) -> list[str]:
    """Split at the commas outside all brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character == "(") - (character == ")")
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return [part for part in parts if part.strip()] if text.strip() else []


@contextmanager
def _located(file: str, lines: Mapping[tuple, int], keys: tuple) -> Iterator[None]:
    """Put file and line in front of the errors raised inside."""
    try:
        yield
    except CaseError:
        raise
    except InputError as error:
        line = next((lines[keys[:n]] for n in range(len(keys), 0, -1) if keys[:n] in lines), None)
        place = f"{file}, line {line}" if line else file
        raise CaseError(f"{place}: {_one_line(error)}") from None


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


_HEADER = re.compile(r"\s*(\[\[?)\s*([\w.\"'-]+)\s*\]\]?\s*(#.*)?$")
_KEY = re.compile(r"\s*([\w-]+)\s*=")


def _line_numbers(text: str) -> dict[tuple, int]:
    """Map each table and key to the line where it stands."""
    lines: dict[tuple, int] = {}
    table: tuple = ()
    counts: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            name = header[2]
            table = (name,)
            lines.setdefault(table, number)
            if header[1] == "[[":
                table = (name, counts.get(name, 0))
                counts[name] = table[1] + 1
                lines.setdefault(table, number)
        elif key := _KEY.match(line):
            lines.setdefault((*table, key[1]), number)
    return lines

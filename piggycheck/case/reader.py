"""Reading case files."""

from __future__ import annotations

import dataclasses
import difflib
import inspect
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck import algorithms, functions
from piggycheck.algorithms import reading
from piggycheck.case.calls import Names, called, read_function, read_sum
from piggycheck.case.model import Case
from piggycheck.case.places import line_numbers, located, one_line
from piggycheck.claims import KINDS, Claim
from piggycheck.data import inline, read_data
from piggycheck.errors import CaseError, InputError
from piggycheck.expression import parse, parse_number
from piggycheck.iteration import Iteration
from piggycheck.maps import ArrayParameter, SymbolicMap
from piggycheck.switched import SwitchedSystem

__all__ = ["load_case", "read_case", "read_table", "read_text", "read_toml"]

MAX_BYTES = 20_000_000
_TEXTS = ("title", "source", "belief", "catch", "repair")
_SUBJECTS = ("algorithm", "map", "switched")
_KEYS = (*_TEXTS, "tags", *_SUBJECTS, "data", "parameters", "start", "claim")
_EXPRESSION_ARGUMENTS = ("objective", "smooth")
_FUNCTION_ARGUMENTS = ("nonsmooth",)
_SWITCHED_KEYS = ("A", "B", "J0", "graph")
_TEXT_FIELDS = (
    "at",
    "attracting",
    "bound",
    "from_start",
    "hull",
    "left",
    "norm",
    "output",
    "policy",
    "quantity",
    "relation",
    "right",
    "upto",
    "words",
    "wrt",
)


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
    name = path.parent.resolve().name if path.name == "case.toml" else path.stem
    return read_case(read_text(path), name=name, file=str(path), folder=path.parent)


def read_text(path: Path) -> str:
    """Read the text of a case file.

    Raises
    ------
    CaseError
        When it cannot be read, is too large, or is no text.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise CaseError(f"{path}: {size} bytes; a case file has at most {MAX_BYTES}")
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise CaseError(f"{path}: cannot be read: {error.strerror}; give the path of a TOML file") from None
    except UnicodeDecodeError:
        raise CaseError(f"{path}: not a text file in UTF-8; give the path of a TOML file") from None


def read_case(text: str, *, name: str = "case", file: str = "case", folder: Path | None = None) -> Case:
    """Read a case from its text.

    Parameters
    ----------
    text : str
        TOML.
    name : str
        The case's name.
    file : str
        What errors call the file.
    folder : Path, optional
        Where the files that the case names are looked for.

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
    ((-x/2 + relu(theta),), ['converges'])
    """
    content, lines = read_toml(text, file)
    return read_table(content, lines, name=name, file=file, folder=folder)


def read_toml(text: str, file: str) -> tuple[dict[str, Any], dict[tuple, int]]:
    """Read TOML into tables, in which floats are kept as they were written, and the lines where their keys stand.

    Raises
    ------
    CaseError
        When it is not TOML.
    """
    try:
        return tomllib.loads(text, parse_float=_FloatText), line_numbers(text)
    except tomllib.TOMLDecodeError as error:
        raise CaseError(f"{file}: not TOML: {one_line(error)}") from None
    except RecursionError:
        raise CaseError(f"{file}: not TOML: nested too deeply") from None


def read_table(
    content: Mapping[str, Any],
    lines: Mapping[tuple, int] | None = None,
    *,
    name: str = "case",
    file: str = "case",
    folder: Path | None = None,
) -> Case:
    """Read a case from the tables of its file, or from such tables put together in Python.

    Parameters
    ----------
    content : mapping
        As TOML gives it: texts, integers, lists and tables.
    lines : mapping from keys to lines, optional
        For the errors.
    name, file, folder
        As in `read_case`.

    Returns
    -------
    Case

    Raises
    ------
    CaseError
        As `load_case`.

    Examples
    --------
    >>> read_table({"map": {"state": ["x"], "next": ["x/2"]}}).iteration.map.next
    (x/2,)
    """
    return _Reader(content, lines or {}, name, file, folder).case()


class _FloatText(str):
    """A TOML float, kept as it was written."""


class _Reader:
    """Reads one case; every error names the file and the line."""

    def __init__(
        self, content: Mapping[str, Any], lines: Mapping[tuple, int], name: str, file: str, folder: Path | None
    ):
        self.content, self.lines = content, lines
        self.name, self.file, self.folder = name, file, folder

    def at(self, *keys: Any):
        return located(self.file, self.lines, keys)

    def case(self) -> Case:
        self._refuse_floats(self.content, ())
        self._known_keys(self.content, (), _KEYS)
        stated = [kind for kind in _SUBJECTS if kind in self.content]
        if len(stated) != 1:
            found = f"found {' and '.join(f'[{kind}]' for kind in stated)}" if stated else "found none"
            raise CaseError(f"{self.file}: {found}; write exactly one of [algorithm], [map], [switched]")
        self.data = self._data(stated[0])
        at = self._parameters()
        iteration = system = None
        if stated[0] == "switched":
            system = self._switched()
        else:
            build = self._algorithm if stated[0] == "algorithm" else self._map
            iteration = build(tuple(_parameter(name, value) for name, value in at.items()))
        return Case(
            self.name,
            **{key: self._text(key) for key in _TEXTS},
            tags=tuple(self._list(self.content, ("tags",), str)) if "tags" in self.content else (),
            iteration=iteration,
            at=at,
            system=system,
            claims=tuple(self._claims()),
            data=self.data,
            lines=self.lines,
            file=self.file,
        )

    def _refuse_floats(self, value: Any, keys: tuple) -> None:
        if isinstance(value, (_FloatText, float)):
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
                    raise InputError(f"unknown key `{key}`; known are {', '.join(known) or 'none'}")

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

    def _data(self, beside: str) -> dict[str, fmpq_mat]:
        table = self._table("data")
        if "data" in self.content and beside != "algorithm":
            with self.at("data"):
                raise InputError(f"[data] has no meaning beside [{beside}]; remove it")
        for name in table:
            with self.at("data", name):
                if not name.isidentifier():
                    raise InputError(f"`{name}` is not a name; write letters, digits and _, no digit first")
        return read_data(table, self.folder, lambda name: self.at("data", name))

    def _parameters(self) -> dict[str, sp.Expr | fmpq_mat]:
        values = {}
        for name, value in self._table("parameters").items():
            with self.at("parameters", name):
                if name in self.data and value != {"data": name}:
                    raise InputError(
                        f"`{name}` is a parameter and another array of [data]; "
                        f'write {name} = {{data = "{name}"}}, or rename one'
                    )
                values[name] = self._value(name, value)
        return values

    def _value(self, name: str, value: Any) -> sp.Expr | fmpq_mat:
        """Read a number, or an array that is written out or named."""
        if isinstance(value, dict):
            return self._named_array(value, f"`{name}`")
        if isinstance(value, list):
            return inline(value, f"`{name}`")
        return reading.expression(value, (), f"value of `{name}`")

    def _named_array(self, value: Mapping[str, Any], where: str) -> fmpq_mat:
        if value.keys() != {"data"}:
            raise InputError(f'{where}: a table with {_listed(value)}; write {{data = "name"}}, a number or a list')
        name = value["data"]
        if not isinstance(name, str) or name not in self.data:
            raise InputError(f"{where}: `{str(name)[:60]}` is not an array of [data]; {_declared(self.data)}")
        return self.data[name]

    def _start(self, structured: bool = False) -> dict[str, Any] | None:
        if "start" not in self.content:
            return None
        table, values = self._table("start"), {}
        for name, value in table.items():
            with self.at("start", name):
                values[name] = self._value(name, value) if structured else value
        return values

    def _map(self, parameters: tuple[sp.Symbol | ArrayParameter, ...]) -> Iteration:
        self._require_scalars(parameters, "a [map]")
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

    def _algorithm(self, parameters: tuple[sp.Symbol | ArrayParameter, ...]) -> Iteration:
        table = dict(self._table("algorithm"))
        name = table.pop("name", None)
        with self.at("algorithm", "name"):
            if name not in algorithms.CATALOGUE:
                raise InputError(f"unknown algorithm `{name}`; known are {', '.join(algorithms.CATALOGUE)}")
        build = algorithms.CATALOGUE[name]
        signature = inspect.signature(build).parameters
        expected = {key: argument for key, argument in signature.items() if key not in ("parameters", "start")}
        self._known_keys(table, ("algorithm",), tuple(expected))
        structured = "variables" not in expected or ("variables" not in table and _is_structured(table))
        required = [key for key, argument in expected.items() if argument.default is argument.empty]
        with self.at("algorithm"):
            if structured and "variables" in required:
                raise InputError(f"algorithm `{name}` takes no functions of the catalogue; write an expression")
            for key in [*required, *(["variables"] if "variables" in expected and not structured else [])]:
                if key not in table:
                    raise InputError(f"algorithm `{name}` needs `{key}`; write {key} = ...")
        arguments = self._structured(table, parameters) if structured else self._symbolic(table, parameters)
        try:
            return build(**arguments, parameters=parameters, start=self._start(structured))
        except CaseError:
            raise
        except InputError as error:
            about = re.match(r"\w*", str(error))[0]
            with self.at(*(("start",) if about == "start" else ("algorithm", about))):
                raise

    def _structured(self, table: Mapping[str, Any], parameters: Sequence[sp.Symbol | ArrayParameter]) -> dict[str, Any]:
        """Read the arguments of an algorithm that is made of catalogue functions."""
        names, arguments = Names(parameters, self.data), {}
        for key, value in table.items():
            with self.at("algorithm", key):
                if key in _FUNCTION_ARGUMENTS:
                    arguments[key] = read_function(value, names, key)
                elif key in _EXPRESSION_ARGUMENTS or called(value):
                    arguments[key] = read_sum(value, names, key)
                else:
                    arguments[key] = names.read(value, key)
        return arguments

    def _symbolic(self, table: Mapping[str, Any], parameters: Sequence[sp.Symbol | ArrayParameter]) -> dict[str, Any]:
        """Read the arguments of an algorithm whose functions are expressions."""
        self._require_scalars(parameters, "an algorithm with `variables`")
        names = Names(parameters, self.data)
        variables = tuple(sp.Symbol(v, real=True) for v in self._list(table, ("algorithm", "variables"), str))
        arguments: dict[str, Any] = {"variables": [str(v) for v in variables]}
        for key, value in table.items():
            with self.at("algorithm", key):
                if key in _FUNCTION_ARGUMENTS:
                    arguments[key] = read_function(value, names, key)
                elif key in _EXPRESSION_ARGUMENTS:
                    if called(value) & functions.CATALOGUE.keys():
                        raise InputError(f"{key}: `{value[:60]}` knows its own variables; remove `variables`")
                    arguments[key] = reading.expression(value, variables + parameters, key)
                elif key != "variables":
                    arguments[key] = reading.expression(value, parameters, key)
        return arguments

    def _require_scalars(self, parameters: Sequence[sp.Symbol | ArrayParameter], what: str) -> None:
        for parameter in parameters:
            if isinstance(parameter, ArrayParameter):
                with self.at("parameters", parameter.name):
                    raise InputError(
                        f"`{parameter.name}` is an array, and {what} has numbers for parameters; arrays are for "
                        "functions such as least_squares(A, b)"
                    )

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
                near = difflib.get_close_matches(str(kind), sorted(KINDS), n=3)
                known = f"write {' or '.join(near)}" if near else "`piggycheck list claims` names those that are known"
                raise InputError(f"unknown claim kind `{str(kind)[:60]}`; {known}")
        fields = KINDS[kind].keys()
        self._known_keys(table, ("claim", index), list(fields))
        with self.at("claim", index):
            for name, field in fields.items():
                if name not in table and field.default is field.default_factory is dataclasses.MISSING:
                    raise InputError(f"claim `{kind}` needs `{name}`; write {name} = ...")
            return KINDS[kind](**{fields[key].name: self._claim_value(key, value) for key, value in table.items()})

    def _claim_value(self, key: str, value: Any) -> Any:
        """Read the numbers and arrays of a claim; structure stays as it is, and so does a field that is text."""
        if isinstance(value, str) and key.rpartition(".")[2] not in _TEXT_FIELDS:
            return parse_number(value, where=f"`{key}`")
        if isinstance(value, list):
            return [self._claim_value(key, entry) for entry in value]
        if isinstance(value, dict):
            if value.keys() == {"data"}:
                return self._named_array(value, f"`{key}`")
            return {name: self._claim_value(f"{key}.{name}", entry) for name, entry in value.items()}
        return value


def _is_structured(table: Mapping[str, Any]) -> bool:
    """Whether an algorithm is made of functions of the catalogue, not of expressions."""
    expressions = [value for key, value in table.items() if key in _EXPRESSION_ARGUMENTS]
    return all(map(called, expressions)) if expressions else any(map(called, table.values()))


def _parameter(name: str, value: sp.Expr | fmpq_mat) -> sp.Symbol | ArrayParameter:
    if isinstance(value, fmpq_mat):
        return ArrayParameter(name, value.nrows(), value.ncols())
    return sp.Symbol(name, real=True)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names) or "nothing"


def _declared(data: Mapping[str, fmpq_mat]) -> str:
    return f"there are {', '.join(data)}" if data else "declare it there"

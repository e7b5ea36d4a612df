"""Sequences that claims name: what is measured at every step, as it is written in a case."""

from __future__ import annotations

import difflib
import keyword
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import sympy as sp

from piggycheck.arithmetic import exact
from piggycheck.errors import InputError, PiggycheckError
from piggycheck.expression import FUNCTIONS, parse, parse_number, to_text
from piggycheck.maps import SymbolicMap
from piggycheck.rates.derived import DerivedErrors, Observation
from piggycheck.rates.errors import ErrorSequence, read_norm
from piggycheck.rates.limit import Limit

__all__ = ["KNOWN", "Estimate", "read_sequences"]

_QUANTITIES = ("iterates", "derivatives", "implicit", "partial")
_FIELDS = ("quantity", "at", "output", "wrt", "last", "skip", "norm")


@dataclass(frozen=True)
class Estimate:
    """What is measured at every step: the norm of something at step k less what it should tend to.

    Parameters
    ----------
    name : str
        What expressions and messages call the sequence.
    quantity : "iterates", "derivatives", "implicit" or "partial"
        The iterates, their derivatives, what the implicit function theorem gives when it is applied at an iterate, or
        the derivative of the output in the parameters alone.
    at : mapping from names to numbers
        Parameters that differ from those of the claim.
    output : tuple of str, optional
        Expressions in state and parameters that are observed; by default the state itself.
    wrt : tuple of str, optional
        Names of the parameters whose columns count; by default all.
    last : int, optional
        Only the last steps are differentiated.
    skip : int, optional
        The first steps are not differentiated.
    norm : "max", "frobenius" or "spectral"

    Raises
    ------
    InputError
        When fields exclude each other.

    Examples
    --------
    >>> from piggycheck.algorithms import gradient_descent
    >>> from piggycheck.rates.limit import limit_of
    >>> descent = gradient_descent("x**2/2 - theta*x", ["x"], "1/2", parameters=["theta"], start=[0])
    >>> errors = KNOWN["one_step"].errors(limit_of(descent, {"theta": 3}))
    >>> [str(errors.run(64).error(k)) for k in (0, 1, 2)]
    ['1.00000000000000', '0.500000000000000', '0.500000000000000']

    Notes
    -----
    Source: docs/theory/comparisons.md.
    """

    name: str
    quantity: str
    at: Mapping[str, sp.Expr] | None = None
    output: tuple[str, ...] | None = None
    wrt: tuple[str, ...] | None = None
    last: int | None = None
    skip: int | None = None
    norm: str = "max"

    def __post_init__(self) -> None:
        if self.quantity not in _QUANTITIES:
            known = ", ".join(f'"{quantity}"' for quantity in _QUANTITIES)
            self._refuse(f"quantity `{str(self.quantity)[:60]}` is not known; write one of {known}")
        read_norm(self.norm, f"norm of sequence `{self.name}`")
        if self.quantity != "derivatives" and (self.last is not None or self.skip is not None):
            self._refuse(f'`last` and `skip` are about derivatives, and its quantity is "{self.quantity}"')
        if self.last is not None and self.skip is not None:
            self._refuse("`last` and `skip` exclude each other; write one of them")
        if self.quantity == "iterates" and self.wrt is not None:
            self._refuse('`wrt` is about derivatives, and its quantity is "iterates"')
        if self.quantity == "partial" and self.output is None:
            self._refuse("`partial` is the derivative of an output; write `output = ...`")

    def _refuse(self, reason: str) -> None:
        raise InputError(f"sequence `{self.name}`: {reason}")

    @property
    def is_plain(self) -> bool:
        """Whether it is the error of the iterates or of (columns of) their derivatives."""
        special = (self.output, self.last, self.skip)
        return self.quantity in ("iterates", "derivatives") and all(field is None for field in special)

    @property
    def of_derivatives(self) -> bool:
        """Whether it is about derivatives, in any way."""
        return self.quantity != "iterates"

    def values(self, at: Mapping[sp.Symbol, sp.Expr]) -> dict[sp.Symbol, sp.Expr]:
        """Return the parameters of the claim with those that differ put in their place.

        Raises
        ------
        InputError
            When a name is not a parameter.
        """
        own = {str(symbol): symbol for symbol in at}
        for name in self.at or {}:
            if name not in own:
                self._refuse(f"`{name}` is not a parameter; declared are {', '.join(own) or '(none)'}")
        return {**at, **{own[name]: value for name, value in (self.at or {}).items()}}

    def errors(self, limit: Limit) -> ErrorSequence | DerivedErrors:
        """Return the errors, measured from a limit at these parameters.

        Raises
        ------
        InputError
            When the map has no parameters, or not those that are named, or an output is outside the grammar.
        """
        map_ = limit.iteration.map
        if self.of_derivatives and not map_.parameters:
            self._refuse("the map has no parameters to differentiate in; ask for the iterates")
        columns = self._columns(map_)
        if self.quantity in ("iterates", "derivatives") and self.output is None and self.last is None:
            return ErrorSequence(limit, self.quantity, self.norm, columns, self.skip)
        output = None if self.output is None else self._observation(map_)
        return DerivedErrors(limit, self.quantity, self.norm, output, columns, self.last, self.skip, self.name)

    def _columns(self, map_: SymbolicMap) -> tuple[int, ...] | None:
        if self.wrt is None:
            return None
        names = [str(parameter) for parameter in map_.parameters]
        for name in self.wrt:
            if name not in names:
                self._refuse(f"wrt `{name}` is not a parameter; declared are {', '.join(names)}")
        return tuple(sorted(names.index(name) for name in self.wrt))

    def _observation(self, map_: SymbolicMap) -> Observation:
        where = f"output of sequence `{self.name}`"
        return Observation(map_, [parse(text, map_.variables, where=where) for text in self.output or ()])

    def fields(self, norm: str = "max") -> dict[str, Any]:
        """Return what a certificate says of it: the quantity, and what is not by default, where `norm` is a claim's."""
        found: dict[str, Any] = {"quantity": self.quantity}
        if self.at:
            found["at"] = {name: to_text(value) for name, value in self.at.items()}
        if self.output is not None:
            found["output"] = list(self.output)
        if self.wrt is not None:
            found["wrt"] = list(self.wrt)
        found |= {name: str(value) for name in ("last", "skip") if (value := getattr(self, name)) is not None}
        return found | ({"norm": self.norm} if self.norm != norm else {})


KNOWN = {
    "iterates": Estimate("iterates", "iterates"),
    "derivatives": Estimate("derivatives", "derivatives"),
    "one_step": Estimate("one_step", "derivatives", last=1),
    "implicit": Estimate("implicit", "implicit"),
}
"""Sequences that need no table."""


def read_sequences(tables: Any, norm: str = "max", where: str = "sequences") -> dict[str, Estimate]:
    """Read the sequences of a claim, and add those that need no table.

    Parameters
    ----------
    tables : mapping from names to mappings
        The fields of each: see `Estimate`. Numbers are exact, or text.
    norm : str
        The claim's norm, which is that of a sequence that has none of its own.
    where : str
        What they are, for the message of an error.

    Raises
    ------
    InputError
        When a name cannot be one, or a field is not known or makes no sense; one line that names the sequence.

    Examples
    --------
    >>> read_sequences({"short": {"quantity": "derivatives", "last": 3}})["short"].fields()
    {'quantity': 'derivatives', 'last': '3'}
    >>> read_sequences({"short": {"quantity": "derivatives", "final": 3}})
    Traceback (most recent call last):
    ...
    piggycheck.errors.InputError: sequence `short`: `final` is not a field; write one of quantity, at, output, ...
    """
    if not isinstance(tables, Mapping):
        raise InputError(f"{where}: `{str(tables)[:60]}` is not a table; write [claim.sequences.NAME]")
    found = {name: replace(known, norm=norm) for name, known in KNOWN.items()}
    for name, table in tables.items():
        own = _read(_identifier(name, where), table, norm)
        if name in KNOWN and replace(own, norm=norm) != found[name]:
            raise InputError(f"sequence `{name}`: the name has a meaning already; write another one")
        found[name] = own
    return found


def _identifier(name: Any, where: str) -> str:
    """The name of a sequence."""
    if not (isinstance(name, str) and name.isidentifier() and name.isascii() and not keyword.iskeyword(name)):
        raise InputError(f"{where}: `{str(name)[:60]}` is not a name; write a word of letters, digits and _")
    if name == "k" or name in FUNCTIONS:
        raise InputError(f"{where}: the name `{name}` has another meaning in expressions; write another one")
    return name


def _read(name: str, table: Any, norm: str) -> Estimate:
    if not isinstance(table, Mapping):
        raise InputError(f'sequence `{name}`: `{str(table)[:60]}` is not a table; write quantity = "derivatives"')
    for key in table:
        if key not in _FIELDS:
            near = difflib.get_close_matches(str(key), _FIELDS, n=1)
            raise InputError(
                f"sequence `{name}`: `{str(key)[:60]}` is not a field; write "
                + (f"`{near[0]}`" if near else f"one of {', '.join(_FIELDS)}")
            )
    if "quantity" not in table:
        raise InputError(f'sequence `{name}`: it needs a quantity; write quantity = "derivatives", for instance')
    return Estimate(
        name,
        table["quantity"],
        _values(name, table.get("at")),
        _texts(name, "output", table.get("output")),
        _texts(name, "wrt", table.get("wrt")),
        _count(name, "last", table.get("last"), 1),
        _count(name, "skip", table.get("skip"), 0),
        table.get("norm", norm),
    )


def _values(name: str, given: Any) -> dict[str, sp.Expr] | None:
    if given is None:
        return None
    if not isinstance(given, Mapping) or not given:
        raise InputError(f'sequence `{name}`: at `{str(given)[:60]}` is not a table; write at = {{theta = "1"}}')
    return {str(key): _number(value, f"sequence `{name}`: at `{key}`") for key, value in given.items()}


def _number(value: Any, where: str) -> sp.Expr:
    return parse_number(value, where=where) if isinstance(value, str) else exact(value, where)


def _texts(name: str, key: str, given: Any) -> tuple[str, ...] | None:
    """One text or several, each once."""
    if given is None:
        return None
    entries = list(given) if isinstance(given, (list, tuple)) else [given]
    if not entries or any(not isinstance(entry, (str, int, sp.Basic)) or isinstance(entry, bool) for entry in entries):
        raise InputError(f"sequence `{name}`: {key} `{str(given)[:60]}` is not text; write one expression, or a list")
    texts = tuple(to_text(entry) if isinstance(entry, sp.Basic) else str(entry) for entry in entries)
    if key == "wrt" and len(set(texts)) < len(texts):
        raise InputError(f"sequence `{name}`: wrt `{', '.join(texts)}` names a parameter twice; write each once")
    return texts


def _count(name: str, key: str, given: Any, least: int) -> int | None:
    if given is None:
        return None
    try:
        number = None if isinstance(given, bool) else _number(given, key)
    except PiggycheckError:
        number = None
    if number is None or not number.is_Integer or number < least:
        raise InputError(
            f"sequence `{name}`: {key} `{str(given)[:60]}` is not a number of steps; write an integer from {least} on"
        )
    return int(number)

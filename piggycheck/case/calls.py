"""Calls of catalogue functions, such as ``l1(penalty)`` or ``least_squares(A, b)``, and sums of them."""

from __future__ import annotations

import functools
import inspect
import operator
import re
from collections.abc import Mapping, Sequence
from typing import Any

import sympy as sp
from flint import fmpq_mat

from piggycheck import functions
from piggycheck.algorithms import reading
from piggycheck.data import inline
from piggycheck.errors import InputError
from piggycheck.expression import FUNCTIONS
from piggycheck.maps import ArrayParameter

__all__ = ["Names", "called", "read_function", "read_sum"]

_NAME = re.compile(r"[^\W\d]\w*")
_CALLED = re.compile(r"(\w+)\s*\(")
_CALL = re.compile(r"\s*(\w+)\s*\((.*)\)\s*", re.DOTALL)


class Names:
    """What the names in a call stand for.

    Parameters
    ----------
    parameters : sequence of sympy.Symbol or ArrayParameter
    data : mapping from names to flint.fmpq_mat, optional
        Arrays, unless an array parameter has the same name.

    Examples
    --------
    >>> penalty = sp.Symbol("penalty", real=True)
    >>> names = Names([penalty, ArrayParameter("b", 3)], {"A": fmpq_mat(2, 3)})
    >>> names.read("b", "smooth"), names.read("A", "smooth").ncols(), names.read("penalty/2", "smooth")
    (ArrayParameter('b', 3, 1), 3, penalty/2)
    """

    def __init__(
        self, parameters: Sequence[sp.Symbol | ArrayParameter] = (), data: Mapping[str, fmpq_mat] | None = None
    ):
        self.parameters = tuple(parameters)
        self.scalars = tuple(p for p in parameters if isinstance(p, sp.Symbol))
        self.arrays = {**(data or {}), **{p.name: p for p in parameters if isinstance(p, ArrayParameter)}}

    def read(self, value: Any, where: str) -> Any:
        """Read the name of an array, a list of numbers or of lists, or an expression in the scalar parameters."""
        text = value.strip() if isinstance(value, str) else ""
        if text in self.arrays:
            return self.arrays[text]
        if text.startswith("["):
            rows = _listed(text)
            return rows if _is_ragged(rows) else inline(rows, f"`{where}`")
        for name in _NAME.findall(text):
            if name in self.arrays:
                raise InputError(f"{where}: `{name}` in `{text[:60]}` is an array; write its name alone")
        known = [*map(str, self.scalars), *self.arrays]
        if text.isidentifier() and text not in known:
            raise InputError(f"{where}: `{text[:60]}` is not declared; declared are {', '.join(known) or 'no names'}")
        return reading.expression(value, self.scalars, where)


def called(text: Any) -> set[str]:
    """Return the names that a text calls, but for the functions of expressions.

    Examples
    --------
    >>> called("l1(1) + x"), called("x**2 + Abs(x)")
    ({'l1'}, set())
    """
    return set(_CALLED.findall(text)) - set(FUNCTIONS) if isinstance(text, str) else set()


def read_function(text: Any, parameters: Names | Sequence[sp.Symbol | ArrayParameter], where: str) -> Any:
    """Read a catalogue function such as ``l1(theta)`` or ``box(0, 1)``.

    Parameters
    ----------
    text : str
    parameters : sequence of sympy.Symbol or ArrayParameter, or Names
        What the arguments may name.
    where : str
        The name used in errors.

    Raises
    ------
    InputError
        When it is not a call of a known function with the right number of arguments.

    Examples
    --------
    >>> read_function("box(-1, 1)", [], "nonsmooth")
    box(lower=-1, upper=1)
    """
    names = parameters if isinstance(parameters, Names) else Names(parameters)
    match = _CALL.fullmatch(text) if isinstance(text, str) and len(_split(text, "+")) == 1 else None
    if match is None or match[1] not in functions.CATALOGUE:
        known = ", ".join(functions.CATALOGUE)
        raise InputError(
            f"{where}: `{str(text).strip()[:60]}` is not a function call; write one of {known}, such as l1(1/10)"
        )
    build = functions.CATALOGUE[match[1]]
    arguments = [names.read(part, where) for part in _split(match[2], ",") if part.strip()]
    expected = inspect.signature(build).parameters
    required = [name for name, parameter in expected.items() if parameter.default is parameter.empty]
    if not len(required) <= len(arguments) <= len(expected):
        raise InputError(
            f"{where}: `{match[1]}` takes {len(expected)} arguments ({', '.join(expected)}), not {len(arguments)}"
        )
    return build(*arguments)


def read_sum(text: Any, names: Names, where: str) -> Any:
    """Read a sum of catalogue functions, such as ``least_squares(A, b) + squared_norm(ridge)``.

    Raises
    ------
    InputError
        As `read_function`, for each term.
    """
    terms = _split(text, "+") if isinstance(text, str) else [text]
    return functools.reduce(operator.add, [read_function(term, names, where) for term in terms])


def _split(text: str, separator: str) -> list[str]:
    """Split at the separators outside all brackets."""
    parts, depth = [""], 0
    for character in text:
        depth += (character in "([") - (character in ")]")
        if character == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return parts


def _is_ragged(rows: Any) -> bool:
    """Whether it is lists of different lengths: the groups of group_l2, and no matrix."""
    return all(isinstance(row, list) for row in rows) and len(set(map(len, rows))) > 1


def _listed(text: str) -> Any:
    """Read a list as nested lists of texts."""
    text = text.strip()
    return [_listed(part) for part in _split(text[1:-1], ",") if part.strip()] if text[:1] + text[-1:] == "[]" else text

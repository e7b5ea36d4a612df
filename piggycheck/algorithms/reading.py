"""Reading the arguments of an algorithm: expressions, exact numbers and text, given as users write them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sympy as sp

from piggycheck.arithmetic import ALGEBRAIC, exact
from piggycheck.errors import InputError
from piggycheck.expression import parse
from piggycheck.maps import ArrayParameter
from piggycheck.maps.switch import NONSMOOTH

__all__ = ["expression", "parameters", "previous_symbols", "start_of", "symbols"]


def expression(value: Any, names: Iterable[sp.Symbol], where: str) -> sp.Expr:
    """Read an expression in `names` from text, a sympy expression or an exact number; a constant in normal form."""
    read = _read(value, tuple(names), where)
    return read if read.free_symbols or read.has(*NONSMOOTH) else ALGEBRAIC.normal(read)


def _read(value: Any, names: Sequence[sp.Symbol], where: str) -> sp.Expr:
    if isinstance(value, str):
        return parse(value, names, where=where)
    if isinstance(value, sp.Expr) and value.free_symbols:
        undeclared = sorted(map(str, value.free_symbols - set(names)))
        if undeclared:
            raise InputError(f"{where}: `{undeclared[0]}` is not declared; declared are {', '.join(map(str, names))}")
        return value
    return exact(value, where)


def symbols(values: Sequence[Any]) -> tuple[sp.Symbol, ...]:
    """Read a list of real symbols, given as symbols or as names."""
    if isinstance(values, (str, sp.Symbol)):
        values = [values]
    return tuple(v if isinstance(v, sp.Symbol) else sp.Symbol(v, real=True) for v in values)


def parameters(values: Sequence[Any]) -> tuple[sp.Symbol | ArrayParameter, ...]:
    """Read a list of parameters: symbols, names of symbols, and array parameters."""
    if isinstance(values, (str, sp.Symbol, ArrayParameter)):
        values = [values]
    return tuple(v if isinstance(v, ArrayParameter) else symbols([v])[0] for v in values)


def previous_symbols(variables: Sequence[sp.Symbol]) -> tuple[sp.Symbol, ...]:
    """Name the previous iterate of each variable."""
    return tuple(sp.Symbol(f"{v}_previous", real=True) for v in variables)


def start_of(
    start: Sequence[Any] | Mapping[Any, Any] | None,
    state: Sequence[sp.Symbol],
    default_of: Mapping[sp.Symbol, sp.Symbol],
    parameters: Sequence[sp.Symbol],
) -> list[sp.Expr] | None:
    """Read a start: a list for the first state variables, or a mapping by name.

    State that is not given starts equal to the state that `default_of` names for it.
    """
    if start is None:
        return None
    if not isinstance(start, Mapping):
        if len(start) > len(state):
            raise InputError(f"start: {len(start)} entries for the state {', '.join(map(str, state))}")
        start = dict(zip(state, start, strict=False))
    given = {str(name): value for name, value in start.items()}
    for name in given:
        if name not in {str(v) for v in state}:
            raise InputError(f"start: `{name}` is not a state variable; the state is {', '.join(map(str, state))}")
    read: dict[sp.Symbol, sp.Expr] = {}
    for v in state:
        source = str(v) if str(v) in given else str(default_of.get(v, v))
        if source not in given:
            raise InputError(f"start: `{v}` has no value; write an expression in the parameters")
        read[v] = expression(given[source], parameters, f"start of `{v}`")
    return [read[v] for v in state]

"""Formulas found in sentences that were written as plain text."""

from __future__ import annotations

import re
from collections.abc import Iterable

from piggycheck.expression import parse_number
from piggycheck.render.formula import Atom, Expression, Formula, Letter, Name, Number, Operator, Part, Power, formula
from piggycheck.render.numbers import fitting, short

__all__ = ["CODE", "inline"]

_INDEXED = r"[APQ](?:_[iuv](?:\^T)?|\^T)"
_FACTOR = rf"(?:{_INDEXED}|[APQ](?!\w)|\([\d/]+\)\^2|rate\^2)"
CODE = r"(?<!\S)[^\s`]*[\w)]\*\*?[\w(][^\s`]*?(?=[,.;:]*(?:\s|$))"
_LITERAL = re.compile(
    r"(?P<matrix>\[\[(?:[^\[\]]|\], ?\[)*\]\])"
    r"|(?P<root>(?<![\w*/])(?:\d+\*)?sqrt\(\d+\)(?:/\d+)?(?: [+-] \d+(?:/\d+)?)?(?![\w*/]))"
    rf"|(?P<code>{CODE})"
    r"|(?P<ten>(?<![\w.])10\^-?\d+(?![\w/]))"
    r"|(?P<power>\(?(?<![\w/.-])\d+(?:/\d+)?\)?\^\(1/\d+\))"
    r"|(?P<start>\bJ_0\b)"
    r"|(?P<fraction>(?<![\w/.-])-?\d+/\d+(?![\w/]))"
    r"|(?P<letter>\b[ABP](?= = \[\[))"
    r"|(?P<pair>\(I - A\)\^\+ B\b|\bI - A\b|\bX = A X \+ B\b|\bPi (?:B|J_0|J_k)\b|\bB_w\b|\bk\^\d+\b)"
    rf"|(?P<form>(?<![\w^]){_INDEXED}(?: (?:<= |- )?{_FACTOR})*(?![\w^]))"
)


def inline(text: str, names: Iterable[str] = ()) -> tuple[Part, ...]:
    """Find the formulas in a sentence that was written as plain text: matrices, fractions, roots, ``name = number``.

    Parameters
    ----------
    text : str
    names : iterable of str
        The names of state and parameters.

    Returns
    -------
    tuple of str and Formula

    Examples
    --------
    >>> inline("at least 9/8^(1/4)")
    ('at least ', (Power(base='9/8', exponent='1/4'),))

    Notes
    -----
    When this fails: what is not recognised stays plain text, and so do products and powers, `CODE`.
    """
    known = "|".join(sorted((re.escape(name) for name in names), key=len, reverse=True))
    pattern = re.compile(
        _LITERAL.pattern + (rf"|(?P<name>\b(?:{known})\b(?= = )(?: = -?\d+(?:/\d+)?(?![\w/*]))?)" if known else "")
    )
    parts: list[Part] = []
    end = 0
    for match in (found for found in pattern.finditer(text) if found.lastgroup != "code"):
        if match.start() > end:
            parts.append(text[end : match.start()])
        parts.append(_literal(match))
        end = match.end()
    if end < len(text) or not parts:
        parts.append(text[end:])
    return tuple(parts)


def _literal(match: re.Match[str]) -> Formula:
    found = match.group()
    match match.lastgroup:
        case "matrix":
            rows = tuple(
                tuple(entry.strip(" '") for entry in row.split(",")) for row in re.split(r"\], ?\[", found[2:-2])
            )
            return (fitting(rows, (len(rows), len(rows[0]))),)
        case "power":
            base, exponent = (side.strip("()") for side in found.split("^"))
            return (Power(base, exponent) if exponent != "1/1" else Number(base),)
        case "ten":
            return (Power(*found.split("^")),)
        case "root":
            return (Expression(parse_number(found)),)
        case "start":
            return (Letter("J", "0"),)
        case "letter":
            return (Letter(found),)
        case "pair":
            return _of_one_pair(found)
        case "form":
            return tuple(map(_factor, found.split()))
        case "name":
            name, _, value = found.partition(" = ")
            return formula(Name(name), "=", Number(value)) if value else (Name(name),)
    return short(found)


def _of_one_pair(text: str) -> Formula:
    """Read a formula about one pair (A, B), or a power of k, written as plain text."""
    base, _, above = text.partition("^")
    if base == "k":
        return (Letter("k", "", above),)
    signs = {"-": "−", "Pi": "Π"}
    atoms: list[Atom] = []
    for token in text.replace("(I - A)^+", "( I - A )^+").split():
        name, _, below = token.partition("_")
        if token in ("(", "-", "+", "="):
            atoms.append(Operator(signs.get(token, token)))
        else:
            atoms.append(Letter(")", "", "+") if token == ")^+" else Letter(signs.get(name, name), below))
    return tuple(atoms)


def _factor(text: str) -> Atom:
    """Read a matrix with its index, a square, or a sign of a quadratic form written as plain text."""
    signs = {"<=": "≤", "-": "−"}
    if text in signs:
        return Operator(signs[text])
    base, _, above = text.partition("^")
    if base.startswith("("):
        return Power(base[1:-1], above)
    name, _, below = base.partition("_")
    return Letter(name, below, above)
